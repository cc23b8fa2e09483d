"""What makes a server hold, unpack or keep more than was sent."""

import gzip
import json
import re
import subprocess
import threading
import time
import zlib

import pytest

from harness.hostile import SLOW, Client, attack, basic, gauges, serves
from harness.oci import IMAGE, INDEX, blob, sha256
from harness.server import BINARY, SANITIZED
from harness.sharing import Sharing

LARGE = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"x": "y" * (3 << 20)}}).encode()


def until_served(berth, act, seconds=15):
    end = time.monotonic() + seconds * SLOW
    while act() == 503:
        assert time.monotonic() < end, "refused for too long"
        time.sleep(0.3)


@pytest.mark.skipif(SANITIZED, reason="sanitizers have memory of their own")
def test_servers_and_clients_that_do_nothing(berth):
    """What the libraries are that nobody needs, and what a connection holds between two requests."""
    http = berth.http()
    assert all(http.get("/v2/").status == 200 for _ in range(100))
    idle = berth.rss_bytes()
    clients = [Client(berth) for _ in range(900)]
    for c in clients:
        c.ask("GET", "/v2/", f"Authorization: {basic(berth.token)}")
    assert {c.status() for c in clients} == {200}
    each = (berth.rss_bytes() - idle) / len(clients)
    for c in clients:
        c.close()
    assert idle < 12.5 * (1 << 20), f"{idle >> 10} KiB"
    if "libmicrohttpd" not in subprocess.run(["ldd", BINARY], check=True, capture_output=True, text=True).stdout:  # else its own pool is used
        assert each < 12 << 10, f"{each:.0f} bytes"


def test_bodies_that_are_announced_or_never_end(make_berth):
    """Without credentials: the largest bodies there are, of which as much is sent as is bearable, and then next to nothing."""
    berth = make_berth("--bodies-max", "32MiB")
    berth.create("app")
    with attack(berth, memory=64 << 20, settle=30) as clients:
        for _ in range(20):
            c = Client(berth)
            clients.append(c)
            c.ask("POST", "/", "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.UploadLayerPart", "Content-Type: application/x-amz-json-1.1",
                  "Content-Length: 27000000", body=b"{")
        serves(berth)
        http = berth.http()
        assert http.put("/v2/app/manifests/large", LARGE, headers={"Content-Type": INDEX}).status == 201, "announcements keep others out"
        for c in clients[:3]:
            c.say(b" " * 14_000_000)
        time.sleep(0.2)
        assert http.put("/v2/app/manifests/large", LARGE, headers={"Content-Type": INDEX}).status == 503, "the attack is too weak"

        def again():
            for c in clients:
                c.say(b" " * 500)
            return http.put("/v2/app/manifests/large", LARGE, headers={"Content-Type": INDEX}).status

        until_served(berth, again)


def test_answers_that_nobody_reads(make_berth):
    berth = make_berth("--bodies-max", "32MiB")
    berth.create("app")
    http = berth.http()
    assert http.put("/v2/app/manifests/large", LARGE, headers={"Content-Type": INDEX}).status == 201
    token = f"Authorization: {basic(berth.token)}"
    with attack(berth, memory=64 << 20, settle=30) as clients:
        for _ in range(60):
            c = Client(berth, receive=4096)
            clients.append(c)
            c.ask("GET", "/v2/app/manifests/large", token)
        time.sleep(0.5)
        assert gauges(berth)["berth_answer_bytes"] <= 32 << 20
        serves(berth)
        until_served(berth, lambda: http.get("/v2/app/manifests/large").status)


def bombs():
    head = b'{"schemaVersion":2,"mediaType":"%s","manifests":[],"x":[' % INDEX.encode()
    for kind in (b"0,", b"{},", b"[],", b'{"a":{"a":0}},', b'"",', b"[[[[[[[[]]]]]]]],"):
        yield head + kind * (4_000_000 // len(kind)) + b"0]}"
    yield head + b"[" * 4_000_000
    yield head + b'{"a":' * 800_000
    yield b"{" + b",".join(b'"%x":0' % i for i in range(400_000)) + b"}"
    yield b'{"schemaVersion":' + b"9" * 4_000_000 + b"}"
    yield b'{"mediaType":"' + b"\\u0000" * 600_000 + b'"}'


def test_texts_that_grow_when_they_are_read(berth):
    """Eight at once, each as large as a manifest may be."""
    berth.create("app")
    answers = []
    with attack(berth, memory=160 << 20):
        for bomb in bombs():
            def push(bomb=bomb):
                http = berth.http(timeout=60)
                answers.append(http.put("/v2/app/manifests/bomb", bomb[:4 << 20], headers={"Content-Type": INDEX}).status)
                http.close()

            threads = [threading.Thread(target=push) for _ in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
    assert len(answers) == 8 * 11 and set(answers) == {400}


@pytest.mark.slow
def test_compressed_bytes_are_only_bytes(berth):
    """A layer that would unpack to a thousand times its size is stored and given back as it is; compressed requests are not unpacked either."""
    berth.create("app")
    squeeze = zlib.compressobj(6, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    bomb = b"".join(squeeze.compress(zeros) for _ in range(256)) + squeeze.flush()
    assert len(bomb) < 1 << 19
    oci = berth.oci()
    with attack(berth, memory=16 << 20):
        used = berth.metrics().sum("process_cpu_seconds_total")
        oci.push_image("app", "bomb", [bomb])
        oci.check_image("app", "bomb")
        berth.client("ecr").describe_images(repositoryName="app")
        m = oci.get_manifest("app", "bomb")
        for encoding in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
            r = oci.http.put("/v2/app/manifests/zipped", gzip.compress(m), headers={"Content-Type": IMAGE, "Content-Encoding": encoding})
            assert r.status in (400, 415), r
            data = blob(f"encoded {encoding}", 2000)
            assert oci.push_blob("app", data, digest=sha256(data)) and oci.get_blob("app", sha256(data)) == data
        assert berth.metrics().sum("process_cpu_seconds_total") - used < 2 * SLOW
    assert berth.holds_file_of(len(bomb)) == 1


@pytest.mark.skipif(SANITIZED, reason="of a sanitizer's build the runtime may")
def test_the_program_cannot_unpack():
    """Nothing that unpacks is among what the program asks of its libraries."""
    names = subprocess.run(["nm", "-D", "--undefined-only", BINARY], check=True, capture_output=True, text=True).stdout
    assert "sqlite3_" in names and "gnutls_" in names
    assert not re.findall(r"\b(?:inflate\w*|uncompress\w*|gzopen\w*|BrotliDecoder\w*|ZSTD_\w+|lzma_\w+|BZ2_\w+|archive_\w+)", names)


def test_uploads_by_the_hundred(make_berth):
    """More sessions than there may be, some written by many at once, all of them left alone."""
    berth = make_berth("--uploads-max", "200", "--idle-timeout", "3s")
    berth.create("app")
    token = f"Authorization: {basic(berth.token)}"
    with attack(berth, memory=64 << 20, settle=30) as clients:
        http = berth.http()
        answers = [http.post("/v2/app/blobs/uploads/").status for _ in range(250)]
        opened = answers.count(202)
        assert 190 <= opened <= 200 and set(answers) == {202, 429}
        # For others there is room again when some are given up.
        assert clear(berth, http) == opened
        for _ in range(40):
            c = Client(berth)
            clients.append(c)
            c.ask("POST", "/v2/app/blobs/uploads/?digest=sha256:" + "0" * 64, token, "Content-Length: 100000000", body=b"x" * 300_000)
        waits_for = time.monotonic() + 5 * SLOW
        while gauges(berth)["berth_uploads_open"] < 40:
            assert time.monotonic() < waits_for, "the attack is too weak"
            time.sleep(0.05)
        serves(berth)


def clear(berth, http):
    """Cancels every upload that is there. Returns how many."""
    rows = Sharing(berth).all("ListUploads", "uploads", maxResults=100)
    for row in rows:
        assert http.delete(f"/v2/{row['repositoryName']}/blobs/uploads/{row['uploadId']}").status == 204
    return len(rows)
