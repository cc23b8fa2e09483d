"""Sectors of a disk that cannot be read or written, below ext4 and the page cache: the kernel's own errors, with all that it forgets of them."""

import http.client
import json
import subprocess
import time

import pytest

from harness.disk import Disk, forget, private_mounts, unusable
from harness.http import Http
from harness.oci import blob, sha256
from harness.server import Server

pytestmark = pytest.mark.skipif(unusable() is not None, reason=f"no disk to break: {unusable()}")
SAYS = ["Input/output error", "disk I/O error", "database disk image is malformed"]
MiB = 1 << 20


@pytest.fixture
def machine(scratch, request):
    """(disk, server on it)"""
    with private_mounts():
        disk = Disk(scratch / "disk")
        server = Server(scratch / "server", ["--encryption", getattr(request, "param", "berth"), "--inline-max", "0"])
        server.expected_errors += SAYS
        server.data = disk.mount / "data"
        try:
            disk.power_on()
            server.start()
            server.create("app")
            yield disk, server
            server.finish()
        finally:
            server.discard()
            disk.close()


def object_of(server, size):
    files = {p: p.stat().st_size for p in (server.data / "blobs").glob("*/*")}
    found = [p for p, n in files.items() if n in (size, 48 + size + 28 * (size // 65536 + 1))]
    assert len(found) == 1, files
    return found[0]


@pytest.mark.parametrize("machine", ["berth", "disk"], indirect=True)
def test_sectors_of_a_layer_that_cannot_be_read(machine):
    disk, server = machine
    oci = server.oci()
    layer, other = blob("layer", 3 * MiB + 5), blob("other", 100_000)
    oci.push_image("app", "v1", [layer, other])
    path, digest = object_of(server, len(layer)), sha256(layer)
    for last in (4096, None):  # the first before any of it was sent, and may still be in use
        with disk.bad("read", path, last=last) as refused:
            http_ = Http(server.port, auth=("AWS", server.token), timeout=20)
            try:
                r = http_.get(f"/v2/app/blobs/{digest}")
                assert r.status >= 500, f"{r.status} with {len(r.body)} bytes"
            except (http.client.HTTPException, ConnectionError):
                pass  # it broke off
            http_.close()
            assert oci.get_blob("app", sha256(other)) == other
            assert oci.has_blob("app", digest)
            done = server.berth("check", "--deep", check=False)
            assert done.returncode == 1 and digest.partition(":")[2][:12] in done.stdout, done.stdout
        assert refused[0] > 0
        assert oci.get_blob("app", digest) == layer
    server.check(deep=True)


def test_sectors_of_the_database_that_cannot_be_read(machine):
    disk, server = machine
    oci = server.oci()
    layer = blob("layer", 50_000)
    config = [json.dumps({"n": i}).encode() for i in range(40)]
    for i, c in enumerate(config):
        oci.push_image("app", f"t{i}", [layer], config=c)
    time.sleep(2.5)  # idle, it copies its log into the database and forgets what it had of that
    statuses = set()
    db = server.data / "berth.db"
    with disk.bad("read", db) as refused:
        for i in range(40):
            r = oci.http.get(f"/v2/app/manifests/t{i}")
            statuses.add(r.status)
            assert r.status >= 500 and r.codes() or sha256(r.body) == r["Docker-Content-Digest"], r
            forget(db)
    assert refused[0] > 0 and max(statuses) >= 500, statuses
    for i in range(40):
        oci.check_image("app", f"t{i}")
    oci.push_image("app", "after", [layer])
    server.check(deep=True)


def test_sectors_that_cannot_be_written(machine):
    """Of the log, in the middle of pushes; of the database, when the log is copied into it. The pages that the kernel could not write it calls
    clean: who relied on its next sync would lose them."""
    disk, server = machine
    oci = server.oci()
    layer, acknowledged = blob("layer", 50_000), {}
    log, db = server.data / "berth.db-wal", server.data / "berth.db"

    def push(name, n):
        config = json.dumps({"n": name}).encode()
        try:
            acknowledged[name] = oci.push_image("app", name, [layer], config=config)[0]
        except AssertionError as e:
            assert e.response.status == 503 and e.response.codes(), e
            n[0] += 1

    def on_disk(path):
        """What the kernel has of it in memory is what the disk has."""
        for _ in range(5):  # a job may write to it between the two
            direct = subprocess.run(["dd", f"if={path}", "iflag=direct", "bs=1M", "status=none"], check=True, capture_output=True).stdout
            if direct == path.read_bytes():
                return
            time.sleep(0.1)
        raise AssertionError(f"{path.name} is not on the disk as it is in memory")

    met = [0]
    for i in range(30):
        push(f"a{i}", met)
    assert met[0] == 0
    for round_ in range(3):
        with disk.bad("write", log) as refused:
            for i in range(5):
                push(f"b{round_}-{i}", met)
        assert refused[0] > 0
        for i in range(3):
            push(f"c{round_}-{i}", [0])
            on_disk(log)
    assert met[0] > 0
    with disk.bad("write", db) as refused:
        push("d", [0])
        time.sleep(5)  # idle: the log is copied, which fails, and stays
    assert refused[0] > 0
    forget(db)  # what is on the disk counts
    for i in range(3):
        push(f"e{i}", [0])
        on_disk(log)
    time.sleep(3)
    forget(db)
    for tag, digest in acknowledged.items():
        assert sha256(oci.get_manifest("app", tag)) == digest
    oci.check_image("app", "a0")
    assert set(acknowledged) <= set(oci.tags("app"))
    # The same from the disk alone.
    server.check(deep=True)
    disk.cut("none", 0)
    server.kill()
    disk.power_off()
    disk.power_on()
    server.start()
    oci = server.oci()
    lost = set(acknowledged) - set(oci.tags("app"))
    assert not lost, f"of {sorted(acknowledged)} {sorted(lost)} are lost"
    for tag, digest in acknowledged.items():
        assert sha256(oci.get_manifest("app", tag)) == digest
        oci.check_image("app", tag)
