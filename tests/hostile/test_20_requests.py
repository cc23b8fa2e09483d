"""Requests that are too long, end nowhere, or end in two places."""

import hashlib
import itertools
import re
import socket
import ssl
import time
import types

import pytest

from harness.certificate import make_certificate
from harness.hostile import SLOW, Client, attack, basic, gauges
from harness.oci import blob, sha256
from harness.server import free_port


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


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
# What cannot be seen any more once the library below has unpacked it. Behind "PUT ... HTTP/1.1", CRLF and proper headers.
UNSEEN = {
    "a NUL and a line feed behind a header": b"X: a\0\n" + LENGTH + b"\r\n",
    "a NUL and a line feed behind the headers": b"\0\n",
    "a NUL in a name": b"X\0: a\r\n\r\n",
    "a NUL at the end of a value": b"X: a\0\r\n\r\n",
    "a line feed behind the headers": b"\n",
    "a line feed behind a size": CHUNKED + b"2\n{}\r\n" + LAST,
    "a carriage return behind a size": CHUNKED + b"2\r{}\r\n" + LAST,
    "a line feed in an extension": CHUNKED + b"2;\n{}\r\n%x\r\n" % len(HIDDEN),
    "a carriage return in an extension": CHUNKED + b"2;a\rb\r\n{}\r\n" + LAST,
    "a NUL in an extension": CHUNKED + b"2;\0\r\n{}\r\n" + LAST,
    "a long extension": CHUNKED + b"2;" + b"a" * 300 + b"\r\n{}\r\n" + LAST,
    "a line feed behind a chunk": CHUNKED + b"2\r\n{}\n" + LAST,
    "a carriage return behind a chunk": CHUNKED + b"2\r\n{}\r" + LAST,
    "two other bytes behind a chunk": CHUNKED + b"2\r\n{}XX" + LAST,
    "nothing behind a chunk": CHUNKED + b"2\r\n{}" + LAST,
    "a line feed behind the last size": CHUNKED + b"2\r\n{}\r\n0\n\r\n",
    "a line feed at the end": CHUNKED + b"2\r\n{}\r\n0\r\n\n",
    "a carriage return at the end": CHUNKED + b"2\r\n{}\r\n0\r\n\r",
    "a size with a sign": CHUNKED + b"+2\r\n{}\r\n" + LAST,
    "a size with 0x": CHUNKED + b"0x2\r\n{}\r\n" + LAST,
    "a size before a space": CHUNKED + b"2 \r\n{}\r\n" + LAST,
    "a size that wraps": CHUNKED + b"10000000000000002\r\n{}\r\n" + LAST,
    "no size": CHUNKED + b"\r\n" + LAST,
    "a trailer without a colon": CHUNKED + b"2\r\n{}\r\n0\r\nX\r\n\r\n",
    "a trailer before a space": CHUNKED + b"2\r\n{}\r\n0\r\nX : a\r\n\r\n",
    "a trailer that is folded": CHUNKED + b"2\r\n{}\r\n0\r\nX: a\r\n b\r\n\r\n",
    "a line feed behind a trailer": CHUNKED + b"2\r\n{}\r\n0\r\nX: a\n\r\n",
    "a NUL in a trailer": CHUNKED + b"2\r\n{}\r\n0\r\nX: \0\r\n\r\n",
    "long trailers": CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X: aaaaaaaa\r\n" * 1000 + b"\r\n",
}


@pytest.fixture
def both(make_berth, scratch):
    """A server with a client that speaks TLS to it, and one that does not."""
    make_certificate(scratch, "berth")
    port = free_port()
    berth = make_berth(start=False)
    berth.command = lambda: [
        str(berth.binary), "serve", "--data", str(berth.data), "--listen", f"http://{berth.host}", "--listen", f"127.0.0.1:{port}",
        "--tls-cert", str(scratch / "cert.pem"), "--tls-key", str(scratch / "key.pem")]
    berth.start().create("app")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def secret():
        c = Client(types.SimpleNamespace(port=port))
        c.socket = context.wrap_socket(c.socket)
        return c

    return berth, {"plain": lambda: Client(berth), "TLS": secret}


def statuses(got):
    return [int(x) for x in re.findall(rb"HTTP/1\.1 (\d+) ", got)]


def test_nothing_passes_behind_a_byte_that_may_not_be_there(both):
    """One answer, 400, and the end: however the bytes are divided, and whatever takes the body. Nothing is tagged, no upload closed."""
    berth, kinds = both
    token = f"Authorization: {basic(berth.token)}\r\n".encode()
    oci = berth.oci()
    with attack(berth) as clients:
        for (what, shape), (kind, connect) in itertools.product(UNSEEN.items(), kinds.items()):
            upload = oci.upload("app").removeprefix(berth.url)
            for number, line in enumerate((f"PUT /v2/app/manifests/x{len(clients)}", f"PATCH {upload}")):
                data = f"{line} HTTP/1.1\r\nHost: h\r\n".encode() + token + shape + HIDDEN
                cut = (len(data), len(data) - len(HIDDEN) - 3 * number, data.find(b"{}") + 3)[len(clients) % 3]
                c = connect()
                clients.append(c)
                c.say(data[:cut])
                if cut < len(data):
                    time.sleep(0.01)
                    c.say(data[cut:])
                got = c.hear()
                assert statuses(got) == [400], f"{what}, {kind}, {line}, cut at {cut}: {got[:2000]}"
            while (gone := oci.http.delete(upload).status) == 409:  # the server may not have noticed yet that it is over
                time.sleep(0.01)
            assert gone == 204, what
    assert oci.http.get("/v2/app/tags/list").json()["tags"] in (None, [])
    assert oci.http.get("/v2/seen/tags/list").status == 404
    assert not [e for e in berth.access_log(lambda e: "/v2/seen/" in e.get("path", "")) if "hidden" in e.get("path", "")]


def test_what_is_refused_is_answered_in_its_turn_and_once(both):
    berth, kinds = both
    token = f"Authorization: {basic(berth.token)}\r\n".encode()
    put = b"PUT /v2/app/manifests/x HTTP/1.1\r\nHost: h\r\n"
    first = b"GET /v2/first/tags/list HTTP/1.1\r\nHost: h\r\n\r\n"
    with attack(berth) as clients:
        for connect in kinds.values():
            # Behind one that waits for a worker.
            c = connect()
            clients.append(c)
            c.say(first + put + token + b"Content-Length: 2\r\n\r\n{}" + put + b"X: \0\r\n\r\n" + HIDDEN)
            assert statuses(c.hear()) == [401, 400, 400]
            # After an answer that did not wait for the body there is no other.
            c = connect()
            clients.append(c)
            c.say(put + CHUNKED + b"2\r\n{}\r\n")
            assert c.status() == 401
            c.say(b"2\r\n{}\n" + LAST + HIDDEN)
            assert statuses(c.hear()) == []


def test_extensions_and_trailers_are_no_tricks(both):
    berth, kinds = both
    token = f"Authorization: {basic(berth.token)}\r\n".encode()
    oci = berth.oci()
    with attack(berth) as clients:
        for kind, connect in kinds.items():
            data = blob(f"chunks {kind}", 300_000)
            body = b"".join(b'%X; a="b\t;";c\r\n' % len(p) + p + b"\r\n" for p in (data[i:i + 7000] for i in range(0, len(data), 7000)))
            push = f"POST /v2/app/blobs/uploads/?digest={sha256(data)} HTTP/1.1\r\nHost: h\r\n".encode() + token + CHUNKED
            c = connect()
            clients.append(c)
            c.say(push + body + b"000;last\r\nX: a\r\nContent-Length: 5\r\n\r\n" + b"\r\n" + push + body + LAST
                  + b"GET /v2/app/tags/list HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert statuses(c.hear()) == [201, 201, 401]
            assert oci.get_blob("app", sha256(data)) == data


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
