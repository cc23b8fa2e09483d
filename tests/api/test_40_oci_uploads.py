"""Uploads: what the conformance suite leaves out. Parts, ranges, resuming, two writers, cancel, algorithms."""

import socket
import threading
import time
from http.client import HTTPConnection

import pytest

from harness.oci import blob, expect, join, sha256, sha512


@pytest.fixture(autouse=True)
def repository(berth):
    berth.create("app")


def session(http):
    r = expect(http.post("/v2/app/blobs/uploads/"), 202)
    assert r["Range"] == "0-0" and r["Docker-Upload-UUID"] in r["Location"]
    return r["Location"]


def state(http, at):
    r = expect(http.get(at), 204)
    assert r["Location"] == at
    return r["Range"]


def part(http, at, data, first, last=None, form="{}-{}"):
    return http.patch(at, data, headers={"Content-Range": form.format(first, first + len(data) - 1 if last is None else last)})


@pytest.mark.parametrize("form", ["{}-{}", "bytes {}-{}/*", "bytes {}-{}/3000"])
def test_parts_follow_each_other(http, oci, form):
    data = blob(1, 3000)
    at = session(http)
    for first in range(0, 3000, 1000):
        r = expect(part(http, at, data[first:first + 1000], first, form=form), 202)
        assert r["Range"] == f"0-{first + 999}"
        at = r["Location"]
    r = expect(http.put(join(at, digest=sha256(data))), 201)
    assert (r["Location"], r["Docker-Content-Digest"]) == (f"/v2/app/blobs/{sha256(data)}", sha256(data))
    assert oci.get_blob("app", sha256(data)) == data
    assert http.get(at).codes() == ["BLOB_UPLOAD_UNKNOWN"]


def test_a_part_out_of_order_is_416_and_the_session_goes_on(http, oci):
    data = blob(2, 2000)
    at = session(http)
    expect(part(http, at, data[:1000], 0), 202)
    for first in (0, 999, 1001, 5000):
        r = part(http, at, data[1000:], first)
        assert (r.status, r.codes(), r["Range"], r["Location"]) == (416, ["BLOB_UPLOAD_INVALID"], "0-999", at)
        assert r.json()["errors"][0]["message"] == f"First byte of the layer part is {first} instead of 1000"
    r = http.put(join(at, digest=sha256(data)), data[1000:], headers={"Content-Range": "900-1899"})
    assert (r.status, r["Range"]) == (416, "0-999")
    assert state(http, at) == "0-999"
    expect(http.put(join(at, digest=sha256(data)), data[1000:], headers={"Content-Range": "1000-1999"}), 201)
    assert oci.get_blob("app", sha256(data)) == data


def test_a_large_part_out_of_order_gets_its_answer_although_nobody_reads_it(http):
    at = session(http)
    r = part(http, at, bytes(20 << 20), 7)
    assert r.status == 416
    assert state(http, at) == "0-0"


@pytest.mark.parametrize("value", ["x", "10", "-5", "5-", "9-0", "bytes 0-9/x", "0-99999999999999999999"])
def test_a_malformed_content_range_is_400(http, value):
    at = session(http)
    r = http.patch(at, bytes(10), headers={"Content-Range": value})
    assert (r.status, r.codes()) == (400, ["BLOB_UPLOAD_INVALID"])
    assert state(http, at) == "0-0"


def test_content_range_and_body_must_agree(http):
    at = session(http)
    assert part(http, at, bytes(10), 0, last=10).status == 400
    assert state(http, at) == "0-0"
    # Without a length it shows only at the end; what came is kept and told.
    r = http.patch(at, iter([bytes(10)]), headers={"Content-Range": "0-19"})
    assert (r.status, r["Range"]) == (400, "0-9")
    r = http.patch(at, iter([bytes(30)]), headers={"Content-Range": "10-19"})
    assert r.status == 400
    assert state(http, at) == "0-9"


def test_a_streamed_part_of_unknown_length_is_taken_whole(http, oci):
    pieces = [blob(i, 100_000) for i in range(20)]
    at = session(http)
    r = expect(http.patch(at, iter(pieces)), 202)
    assert r["Range"] == "0-1999999"
    data = b"".join(pieces)
    expect(http.put(join(r["Location"], digest=sha256(data))), 201)
    assert oci.get_blob("app", sha256(data)) == data


def test_an_upload_goes_on_after_its_connection_dropped(berth, http, oci):
    data = blob(3, 3 << 20)
    at = session(http)
    head = f"PATCH {at} HTTP/1.1\r\nHost: {berth.host}\r\nAuthorization: {http.headers['Authorization']}\r\nContent-Length: {len(data)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", berth.port)) as s:
        s.sendall(head.encode() + data[:2 << 20])
    have = 0
    for _ in range(200):
        have = int(state(http, at).removeprefix("0-"))
        if have == (2 << 20) - 1:
            break
        time.sleep(0.02)
    assert 0 < have < 2 << 20
    for _ in range(100):  # the lost connection may still be held to be writing
        r = part(http, at, data[have + 1:], have + 1)
        if r.status != 409:
            break
        assert r["Retry-After"]
        time.sleep(0.05)
    expect(r, 202)
    expect(http.put(join(at, digest=sha256(data))), 201)
    assert oci.get_blob("app", sha256(data)) == data


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_an_upload_goes_on_after_a_restart(berth, end):
    data = blob(4, 1 << 20)
    http = berth.http()
    at = session(http)
    expect(part(http, at, data[:700_000], 0), 202)
    getattr(berth, end)()
    berth.start()
    http = berth.http()
    assert state(http, at) == "0-699999"
    expect(part(http, at, data[700_000:], 700_000), 202)
    expect(http.put(join(at, digest=sha256(data))), 201)
    assert berth.oci().get_blob("app", sha256(data)) == data


def test_a_second_writer_is_turned_away_while_the_first_writes(berth, http):
    at = session(http)
    first = socket.create_connection(("127.0.0.1", berth.port))
    first.sendall(f"PATCH {at} HTTP/1.1\r\nHost: x\r\nAuthorization: {http.headers['Authorization']}\r\nContent-Length: 1000\r\n\r\n".encode() + bytes(10))
    while berth.metrics().sum("berth_uploads_open") == 0:  # the first has it
        time.sleep(0.02)
    r = http.patch(at, b"")
    assert (r.status, r.codes()) == (409, ["BLOB_UPLOAD_INVALID"])
    assert r["Retry-After"]
    first.sendall(bytes(990))
    assert first.recv(12) == b"HTTP/1.1 202"
    first.close()
    assert state(http, at) == "0-999"


def test_parts_one_behind_the_other_never_meet_a_busy_session(http):
    at = session(http)
    for i in range(200):
        expect(part(http, at, b"0123456789", i * 10), 202)


def test_many_uploads_at_once_do_not_disturb_each_other(berth):
    failures = []

    def push(n):
        try:
            oci = berth.oci()
            data = blob(f"many{n}", 400_000 + n)
            at = oci.upload("app")
            for first in range(0, len(data), 100_000):
                expect(part(oci.http, at, data[first:first + 100_000], first), 202)
            oci.push_blob("app", b"", digest=sha256(data), at=at)
            assert oci.get_blob("app", sha256(data)) == data
        except BaseException as e:  # noqa: BLE001: told by the main thread
            failures.append(e)

    threads = [threading.Thread(target=push, args=(n,)) for n in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures, failures[0]


def test_a_cancelled_upload_is_gone(berth, http):
    at = session(http)
    expect(part(http, at, bytes(1000), 0), 202)
    expect(http.delete(at), 204)
    for method in ("GET", "DELETE", "PATCH"):
        r = http.request(method, at, body=b"" if method == "PATCH" else None)
        assert (r.status, r.codes()) == (404, ["BLOB_UPLOAD_UNKNOWN"])


@pytest.mark.parametrize("upload", ["x", "00000000-0000-4000-8000-000000000000", "..", "a" * 3000])
def test_an_unknown_upload_is_404(http, upload):
    r = http.get(f"/v2/app/blobs/uploads/{upload}")
    assert (r.status, r.codes()) == (404, ["BLOB_UPLOAD_UNKNOWN"])


def test_an_upload_belongs_to_its_repository(berth, http):
    berth.create("other")
    at = session(http)
    assert http.get(at.replace("/app/", "/other/")).status == 404


def test_a_wrong_digest_keeps_the_session(http, oci):
    data = blob(5)
    at = session(http)
    r = http.put(join(at, digest=sha256(b"other")), data)
    assert (r.status, r.codes()) == (400, ["DIGEST_INVALID"])
    assert not oci.has_blob("app", sha256(data))
    expect(http.put(join(at, digest=sha256(data))), 201)


@pytest.mark.parametrize("digest", ["", "x", "sha256:", "sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:" + "G" * 64, sha256(b"x").upper(), None])
def test_a_digest_that_is_none_is_refused_before_the_body(http, digest):
    at = session(http)
    r = http.put(join(at, digest=digest) if digest is not None else at, b"x")
    assert (r.status, r.codes()) == (400, ["DIGEST_INVALID"])
    if digest is not None:
        r = http.post(join("/v2/app/blobs/uploads/", digest=digest), b"x")
        assert (r.status, r.codes()) == (400, ["DIGEST_INVALID"])


def test_the_algorithm_may_be_announced_or_not(http, oci):
    data = blob(6)
    r = expect(http.post("/v2/app/blobs/uploads/?digest-algorithm=sha512"), 202)
    expect(http.put(join(r["Location"], digest=sha512(data)), data), 201)
    assert oci.get_blob("app", sha512(data)) == data
    # Announced one, closed with the other: both ways.
    r = expect(http.post("/v2/app/blobs/uploads/?digest-algorithm=sha512"), 202)
    expect(http.put(join(r["Location"], digest=sha256(data)), data), 201)
    at = session(http)
    expect(part(http, at, b"seven", 0), 202)
    expect(http.put(join(at, digest=sha512(b"seven"))), 201)
    r = http.post("/v2/app/blobs/uploads/?digest-algorithm=md5")
    assert (r.status, r.codes()) == (400, ["DIGEST_INVALID"])


def test_a_blob_may_be_pushed_in_one_post(http, oci):
    data = blob(7, 300_000)
    r = expect(http.post(join("/v2/app/blobs/uploads/", digest=sha256(data)), data), 201)
    assert r["Location"] == f"/v2/app/blobs/{sha256(data)}"
    assert oci.get_blob("app", sha256(data)) == data
    r = http.post(join("/v2/app/blobs/uploads/", digest=sha256(b"other")), data)
    assert (r.status, r.codes()) == (400, ["DIGEST_INVALID"])


def test_a_blob_of_no_bytes_is_a_blob(http, oci):
    assert oci.push_blob("app", b"") == sha256(b"")
    assert oci.get_blob("app", sha256(b"")) == b""


def test_pushing_twice_stores_once(berth, oci):
    data = blob(8, 54_321)
    oci.push_blob("app", data)
    oci.push_blob("app", data)
    berth.create("other")
    oci.push_blob("other", data)
    berth.gc()
    assert berth.holds_file_of(54_321) == 1
    assert oci.get_blob("other", sha256(data)) == data


def test_a_client_that_closes_while_it_starts_loses_nothing_of_the_server(berth, http):
    for _ in range(50):
        s = socket.create_connection(("127.0.0.1", berth.port))
        s.sendall(f"POST /v2/app/blobs/uploads/?digest={sha256(b'x')} HTTP/1.1\r\nHost: x\r\nAuthorization: {http.headers['Authorization']}\r\nContent-Length: 1000\r\n\r\nabc".encode())
        s.close()
    assert http.get("/v2/").status == 200


def test_a_waiting_client_is_told_to_continue_only_when_it_may(berth, http):
    at = session(http)

    def ask(target, auth=True):
        c = HTTPConnection("127.0.0.1", berth.port, timeout=10)
        c.putrequest("PUT", target)
        if auth:
            c.putheader("Authorization", http.headers["Authorization"])
        c.putheader("Expect", "100-continue")
        c.putheader("Content-Length", "3")
        c.endheaders()
        c.sock.settimeout(5)
        first = c.sock.recv(100)
        c.close()
        return first.split(b"\r\n")[0]

    assert ask(join(at, digest=sha256(b"abc"))) == b"HTTP/1.1 100 Continue"
    assert ask(join(at, digest=sha256(b"abc")), auth=False).startswith(b"HTTP/1.1 401")
    assert ask(join(at, digest="nonsense")).startswith(b"HTTP/1.1 400")
