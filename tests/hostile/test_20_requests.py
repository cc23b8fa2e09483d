"""Requests that are too long, end nowhere, or end in two places."""

import hashlib
import itertools
import re
import socket
import time

import pytest

from harness.hostile import SLOW, Client, attack, basic, gauges
from harness.oci import blob, sha256


@pytest.fixture
def berth(make_berth):
    server = make_berth("--header-timeout", "3s")
    server.create("app")
    return server


ENDLESS = {
    "many headers": (b"GET /v2/ HTTP/1.1\r\nHost: h\r\n", lambda i: b"X-%d: a\r\n" % i),
    "one name": (b"GET /v2/ HTTP/1.1\r\nHost: h\r\n", lambda i: b"a" * 1000),
    "one value": (b"GET /v2/ HTTP/1.1\r\nHost: h\r\nX: ", lambda i: b"a" * 1000),
    "a method": (b"", lambda i: b"A" * 1000),
    "a target": (b"GET /", lambda i: b"a" * 1000),
    "a query": (b"GET /v2/_catalog?", lambda i: b"last=%d&" % i),
    "a chunk's size": (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", lambda i: b"0" * 1000),
    "a chunk's extension": (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;", lambda i: b"a" * 1000),
    "trailers": (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", lambda i: b"X-%d: a\r\n" % i),
    "empty lines": (b"", lambda i: b"\r\n" * 500),
}


def test_endless(berth):
    """Whatever has no end is ended by the server, after a few megabytes or seconds."""
    for what, (opening, more) in ENDLESS.items():
        with attack(berth, memory=8 << 20) as clients:
            c = Client(berth)
            clients.append(c)
            end = time.monotonic() + 10 * SLOW
            sent, goes_on = 0, c.say(opening)
            for i in itertools.count():
                if not goes_on or time.monotonic() > end:
                    break
                piece = more(i)
                goes_on = c.say(piece)
                sent += len(piece)
                if sent > 4 << 20:
                    time.sleep(0.05)
            assert not goes_on, f"{sent} bytes of {what} are not enough"


HUGE = [
    ("PUT", "/v2/app/manifests/x"), ("POST", "/v2/app/blobs/uploads/?digest=sha256:" + "0" * 64), ("PATCH", "UPLOAD"), ("GET", "/v2/"),
    ("GET", "/healthz"), ("POST", "/"), ("DELETE", "/v2/app/manifests/x"), ("POST", "/console/session"),
]


def test_a_huge_announced_length_is_refused_at_once(berth):
    upload = berth.oci().upload("app").removeprefix(berth.url)
    token = basic(berth.token)
    targets = ("", "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.UploadLayerPart")
    with attack(berth, memory=8 << 20) as clients:
        for (method, target), more, length in itertools.product(HUGE, targets, ("999999999999999", "4611686018427387904", "9223372036854775807")):
            c = Client(berth, timeout=3 * SLOW)
            clients.append(c)
            c.ask(method, target.replace("UPLOAD", upload), f"Authorization: {token}", f"Content-Length: {length}", *([more] if more else []))
            try:
                status = c.status()
            except TimeoutError:
                status = "no answer"
            assert status in (400, 401, 403, 404, 405, 411, 413), f"{method} {target} {more}: {status}"


def test_a_length_that_is_none_is_refused(berth):
    token = f"Authorization: {basic(berth.token)}"
    with attack(berth, memory=8 << 20) as clients:
        for length in ("9223372036854775808", "18446744073709551616", "1" * 400, "-1", "1e3", "0x10", "1,1", ""):
            c = Client(berth)
            clients.append(c)
            c.ask("PUT", "/v2/app/manifests/x", token, f"Content-Length: {length}", body=b"{}")
            assert c.status() in (400, 413), length


def test_chunked_bodies_that_end_too_early(berth):
    """What came counts as an upload's part; nothing is closed, tagged or shown by it."""
    oci = berth.oci()
    data = blob("cut", 5000)
    token = f"Authorization: {basic(berth.token)}"
    chunk = b"1388\r\n" + data[:3000]
    with attack(berth) as clients:
        patched, closed = (oci.upload("app").removeprefix(berth.url) for _ in range(2))
        for method, target in (
            ("PATCH", patched), ("PUT", f"{closed}?digest={sha256(data[:3000])}"), ("PUT", "/v2/app/manifests/cut"),
            ("POST", f"/v2/app/blobs/uploads/?digest={sha256(data[:3000])}"),
        ):
            c = Client(berth)
            clients.append(c)
            c.ask(method, target, token, "Transfer-Encoding: chunked", body=chunk)
        time.sleep(0.3)
        for c in clients:
            c.close()
        end = time.monotonic() + 5 * SLOW
        while oci.http.get(patched)["Range"] != "0-2999":
            assert time.monotonic() < end, "what came before the end is lost"
            time.sleep(0.05)
        assert not oci.has_blob("app", sha256(data[:3000]))
        assert oci.http.get("/v2/app/manifests/cut").status == 404
        # The first goes on as if nothing had happened.
        r = oci.http.put(f"{patched}?digest={sha256(data)}", data[3000:])
        assert r.status == 201
        assert oci.http.delete(closed).status == 204
    assert oci.get_blob("app", sha256(data)) == data


@pytest.mark.slow
def test_chunks_of_one_byte(berth):
    data = blob("small", 100_000)
    with attack(berth, memory=8 << 20) as clients:
        c = Client(berth)
        clients.append(c)
        start = time.monotonic()
        c.ask("POST", f"/v2/app/blobs/uploads/?digest={sha256(data)}", f"Authorization: {basic(berth.token)}", "Transfer-Encoding: chunked")
        c.say(b"".join(b"1\r\n" + data[i:i + 1] + b"\r\n" for i in range(len(data))) + b"0\r\n\r\n")
        assert c.status() == 201
        assert time.monotonic() - start < 10 * SLOW
    assert berth.oci().get_blob("app", sha256(data)) == data


def test_pipelines_that_nobody_reads(berth):
    """The server stops reading where the client stops, keeps the order, and answers each."""
    count = 20000
    with attack(berth, memory=8 << 20) as clients:
        c = Client(berth, receive=4096)
        clients.append(c)
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        c.socket.setblocking(False)
        asked = b"".join(b"GET /v2/nothing-%d/tags/list HTTP/1.1\r\nHost: h\r\n\r\n" % i for i in range(count))
        sent = 0
        for _ in range(40):
            try:
                sent += c.socket.send(asked[sent:])
            except BlockingIOError:
                time.sleep(0.025)
        assert sent < len(asked), "it all went into buffers: too little to see anything"
        c.socket.settimeout(20)
        got = b""
        answers = 0
        while answers < count:
            if sent < len(asked):
                try:
                    c.socket.setblocking(False)
                    sent += c.socket.send(asked[sent:sent + 10000])
                except BlockingIOError:
                    pass
                c.socket.settimeout(20)
            piece = c.socket.recv(1 << 18)
            assert piece, f"the server closed after {answers} answers"
            got += piece
            answers += got.count(b"HTTP/1.1 401 ")
            got = got[-12:] if not got.endswith(b"HTTP/1.1 401 ") else b""
    lines = [e["path"] for e in berth.access_log(lambda e: e.get("path") == f"/v2/nothing-{count - 1}/tags/list", 10) if "nothing-" in e.get("path", "")]
    assert lines == [f"/v2/nothing-{i}/tags/list" for i in range(count)]


HIDDEN = b"GET /v2/hidden/tags/list HTTP/1.1\r\nHost: h\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(HIDDEN)
SMUGGLED = {
    "length and coding": LENGTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\n" + LENGTH + b"\r\n",
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a coding behind a tab": b"Transfer-Encoding:\tchunked\r\n" + LENGTH + b"\r\n0\r\n\r\n",
    "a coding before a space": b"Transfer-Encoding : chunked\r\n" + LENGTH + b"\r\n0\r\n\r\n",
    "a coding that is folded": b"Transfer-Encoding:\r\n chunked\r\n" + LENGTH + b"\r\n0\r\n\r\n",
    "a coding with an underscore": b"Transfer_Encoding: chunked\r\n" + LENGTH + b"\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "bare line feeds": b"X: a\n" + LENGTH + b"\n\r\n",
    "a bare carriage return": b"X: a\r" + LENGTH + b"\r\n",
    "a NUL": b"X: a\0b\r\n\r\n",
    "a chunk with two sizes": b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "a chunk with a bare line feed in its extension": b"Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n%x\r\n0\r\n\r\n" % len(HIDDEN),
    "a chunk longer than it says": b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "a length that wraps": b"Content-Length: 18446744073709551616\r\n\r\n",
    "an obsolete version": None,
}


def test_no_request_hides_in_another(berth):
    """Bodies in which a proxy before Berth could see a request, or Berth one where the proxy sees a body."""
    token = f"Authorization: {basic(berth.token)}\r\n".encode()
    with attack(berth) as clients:
        for head in SMUGGLED.values():
            c = Client(berth)
            clients.append(c)
            if head is None:
                c.say(b"GET /v2/app/tags/list\r\n" + HIDDEN)
            else:
                c.say(b"PUT /v2/app/manifests/x HTTP/1.1\r\nHost: h\r\n" + token + head + HIDDEN)
        time.sleep(0.5 * SLOW)
        for what, c in zip(SMUGGLED, clients, strict=True):
            got = c.hear(0.05)
            assert set(re.findall(rb"HTTP/1.1 (\d+) ", got)) <= {b"400", b"413", b"501", b"505"}, f"{what}: {got[:2000]}"
        # And without a trick it is served.
        c = Client(berth)
        clients.append(c)
        c.say(b"PUT /v2/app/manifests/x HTTP/1.1\r\nHost: h\r\n" + token + b"Content-Length: 2\r\n\r\n{}" + HIDDEN.replace(b"hidden", b"seen"))
        assert c.status() == 400
        assert b"HTTP/1.1 401 " in c.hear(0.5 * SLOW)
    assert not [e for e in berth.access_log(lambda e: "/v2/seen/" in e.get("path", "")) if "hidden" in e.get("path", "")]


def test_clients_that_wait_to_be_told_to_continue(berth):
    token = f"Authorization: {basic(berth.token)}"
    with attack(berth, memory=8 << 20) as clients:
        for i in range(100):
            c = Client(berth)
            clients.append(c)
            c.ask("PUT", f"/v2/app/manifests/{i}", token, "Expect: 100-continue", "Content-Length: 4000000")
        for c in clients:
            assert c.status() == 100
        assert gauges(berth)["berth_whole_body_bytes"] == 0
        digest = hashlib.sha256(b"").hexdigest()
        c = Client(berth)
        clients.append(c)
        c.ask("POST", f"/v2/app/blobs/uploads/?digest=sha256:{digest}", "Expect: 100-continue", "Content-Length: 4000000")
        assert c.status() == 401
