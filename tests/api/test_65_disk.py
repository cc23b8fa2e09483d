"""The disk fails the running server: reads, writes and syncs end in errors, of the database, of its log, of layers. It says so to its clients,
stays up, goes on without a restart when the fault is over, and has everything that it acknowledged."""

import contextlib
import errno
import http.client
import time

import pytest

from harness.faults import FailingDisk
from harness.hammer import Hammer, fill_source
from harness.http import Http
from harness.oci import blob, expect, join, sha256
from harness.owner import Owner
from harness.roller import Roller
from harness.trouble import Puller, Trouble
from harness.writer import Writer

GRACE_S = 2
MiB = 1 << 20
SAYS = "Input/output error|No space left on device|disk I/O error|database or disk is full|database disk image is malformed|Read-only file system"
FAULTS = [
    # calls, files, error, every
    ("read", "object", errno.EIO, 3),
    ("read", "object", errno.EIO, 1),
    ("write", "object", errno.EIO, 4),
    ("write", "object", errno.ENOSPC, 1),
    ("sync", "object", errno.EIO, 2),
    ("sync", "folder", errno.EIO, 1),
    ("open", "object folder", errno.EIO, 3),
    ("remove", "object", errno.EIO, 2),
    ("read", "db log", errno.EIO, 7),
    ("write", "log", errno.EIO, 5),
    ("write", "log", errno.ENOSPC, 1),
    ("write", "db", errno.EIO, 1),
    ("sync", "log", errno.EIO, 3),
    ("sync", "db log", errno.EIO, 1),
    ("read write sync", "db log object folder", errno.EIO, 11),
    ("write sync open remove", "db log object folder", errno.EROFS, 1),  # what ext4 makes of a disk that failed it
]


@pytest.fixture
def disk(scratch):
    return FailingDisk(scratch)


@pytest.mark.log_errors(SAYS)
def test_nothing_acknowledged_is_lost_when_the_disk_fails(make_berth, disk):
    berth = make_berth("--access-log", "off", "--collect-grace", f"{GRACE_S}s", "--lifecycle-delay", "0s", "--inline-max", "4KiB", env=disk.env)
    berth.create("source", "roller", *[f"hammer/{i}" for i in range(2)], *[f"writer/{i}" for i in range(3)])
    port, token, shared = berth.port, berth.token, []
    offers = fill_source(berth.oci(), "source", 40)
    sizes = (10, 1000, 5000, 5000, 70_000, 200_000, 1_300_001)
    layers = [blob(f"layer/{n}", n) for n in (5000, 70_000, 200_000, 3_000_001)]
    berth.oci().push_image("source", "layers", layers)
    trouble = Trouble([
        *[Hammer(f"hammer/{i}", port, token, i, "source", offers, GRACE_S) for i in range(2)],
        *[Writer(f"writer/{i}", port, token, i, shared, sizes, GRACE_S) for i in range(3)],
        Owner(berth, "owner", 0, GRACE_S), Roller(berth, "roller", GRACE_S), Puller("source", port, token, 0, layers),
    ])
    trouble.load(0.2)
    for calls, files, error, every in FAULTS:
        met = len(trouble.errors)
        with disk.failing(calls, files, error, every) as failed:
            collection = berth.begin("gc", "--collect-grace", f"{GRACE_S}s")
            trouble.load(0.3, may_cut="read" in calls)
            end = time.monotonic() + 20
            while failed() == 0 and time.monotonic() < end:  # as the log, which is copied in an idle moment
                time.sleep(0.05)
            said = collection.communicate(timeout=30)[0]
        print(f"{calls} of {files}, {errno.errorcode[error]}, each {every}: {failed()} failed, clients met {trouble.errors[met:]}, {trouble.cut} cut")
        assert failed() > 0
        assert collection.returncode in (0, 1, 2), said
        trouble.verify()
        berth.check()
    trouble.settle()
    assert len(trouble.errors) > 2 * len(FAULTS), "hardly any client met a fault"
    berth.kill()
    berth.start()
    trouble.verify(whole=True)


@pytest.mark.log_errors(SAYS)
@pytest.mark.parametrize("encryption", ["berth", "disk"])
def test_a_layer_that_cannot_be_read_is_never_sent_as_whole(make_berth, disk, encryption):
    """Whatever is asked for: the answer is an error, or breaks off before its end."""
    berth = make_berth("--encryption", encryption, "--inline-max", "0", env=disk.env)
    berth.create("app")
    oci = berth.oci()
    layers = [blob("layer", n) for n in (100, 65_536, 200_000, 5 * MiB)]
    oci.push_image("app", "v1", layers)
    url = berth.client("ecr").get_download_url_for_layer(repositoryName="app", layerDigest=sha256(layers[2]))["downloadUrl"]
    asked = [(f"/v2/app/blobs/{sha256(data)}", r) for data in layers for r in (None, "bytes=0-50", "bytes=50-", "bytes=-20", "bytes=0-9,20-29")] + [(url, None)]

    def ask(http, target, part):
        """The answer, with a body that is the same each time."""
        r = http.get(target, headers={"Range": part} if part else {})
        r.body = r.body.replace(r["Content-Type"].partition("boundary=")[2].encode() or b"-none-", b"boundary")
        return r

    with contextlib.closing(Http(berth.port, auth=("AWS", berth.token), timeout=20)) as reader:
        right = {a: ask(reader, *a).body for a in asked}
        for every in (1, 2):
            for target, part in asked:
                with disk.failing("read", "object", every=every) as failed:
                    try:
                        r = ask(reader, target, part)
                        assert r.status >= 500 or (every > 1 and r.body == right[target, part]), f"{target} {part}: {r.status} with {len(r.body)} bytes"
                    except (http.client.HTTPException, ConnectionError):
                        pass  # it broke off
                    assert every > 1 or failed() > 0
    oci.check_image("app", "v1")
    assert oci.http.get(url).body == layers[2]


@pytest.mark.log_errors(SAYS)
@pytest.mark.parametrize("encryption", ["berth", "disk"])
def test_a_push_that_meets_an_error_goes_on_where_it_was(make_berth, disk, encryption):
    """What was acknowledged of an upload stays; what was refused is sent again, with the right bytes."""
    berth = make_berth("--encryption", encryption, env=disk.env)
    berth.create("app")
    oci = berth.oci()
    for i, (calls, files, error, status) in enumerate([
        ("write", "object", errno.EIO, 503), ("write", "object", errno.ENOSPC, 507), ("sync", "object", errno.EIO, 503), ("sync", "folder", errno.EIO, 503),
        ("write sync open", "object folder", errno.EROFS, 503), ("sync", "object", errno.EDQUOT, 507),
        ("write", "log", errno.EIO, 503), ("write", "log", errno.ENOSPC, 507), ("sync", "log", errno.EIO, 503),
    ]):
        data = blob(f"push/{i}", 4 * MiB + 12_345)
        at, sent = oci.upload("app"), 0
        for end in (100_000, 1_400_000, 3 * MiB + 7, len(data)):
            with disk.failing(calls, files, error) as failed:
                sender = Http(berth.port, auth=("AWS", berth.token))
                r = sender.patch(at, data[sent:end])
                if failed() > 0:
                    assert r.status == status and r.codes(), f"{calls} of {files}: {r}"
                sender.close()
            r = expect(oci.http.get(at), 204)
            have = int(r["Range"].partition("-")[2]) + 1 if r["Range"] != "0-0" else 0
            assert sent <= have <= end
            if have < end:
                expect(oci.http.patch(r["Location"], data[have:end], headers={"Content-Range": f"{have}-{end - 1}"}), 202)
            sent = end
        with disk.failing(calls, files, error) as failed:
            sender = Http(berth.port, auth=("AWS", berth.token))
            r = sender.put(join(at, digest=sha256(data)))
            assert failed() == 0 or r.status == status, f"{calls} of {files}: {r}"
            sender.close()
        if r.status != 201:
            expect(oci.http.put(join(at, digest=sha256(data))), 201)
        assert oci.get_blob("app", sha256(data)) == data
