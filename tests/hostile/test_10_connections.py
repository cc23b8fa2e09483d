"""Connections: too many, silent, slow. An ordinary client is served all the while."""

import re
import signal
import socket
import stat
import subprocess
import time

import pytest

from harness.hostile import SLOW, Client, attack, basic, gauges, raise_files, serves
from harness.oci import blob
from harness.server import BINARY, Server, ServerFailed

HALF = b"GET /v2/ HTTP/1.1\r\nHost: h\r\nX: "


def dial(berth, count, pause=200):
    """Connections without waiting for each: those beyond what the server takes stay in the system's queue."""
    made = []
    for i in range(count):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex(("127.0.0.1", berth.port))
        made.append(c)
        if i % pause == pause - 1:
            time.sleep(0.02)
    return made


def waits_for(condition, seconds):
    end = time.monotonic() + seconds * SLOW
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def test_ten_thousand_connections_and_more_than_there_may_be(make_berth, record_property):
    files = raise_files(20000)
    count = min(10500, files - 200)
    berth = make_berth()
    allowed = berth.metrics().sum("process_max_fds")
    most = min(10000, int(allowed) - min(int(allowed) // 4, 4096))
    record_property("connections", count)
    with attack(berth, memory=128 << 20, settle=30) as clients:
        clients += dial(berth, count)
        waits_for(lambda: gauges(berth)["berth_connections"] >= min(count, most) - 100, 20)
        for _ in range(3):
            serves(berth)
        assert gauges(berth)["berth_connections"] <= most


def test_who_waits_longest_makes_room(make_berth):
    berth = make_berth("--connections-max", "100")
    with attack(berth) as clients:
        for opening in (b"", HALF, b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", b"\r\n"):
            for c in dial(berth, 300):
                clients.append(c)
                c.settimeout(5)
                try:
                    c.sendall(opening)
                except OSError:
                    pass  # it was cut off already
            serves(berth)
        assert gauges(berth)["berth_connections"] <= 100


def test_slow_bodies_in_every_connection(make_berth):
    """Each sends a little all the time, as much as is demanded of a client while there is room for others."""
    berth = make_berth("--connections-max", "50")
    berth.create("app")
    token = basic(berth.token)
    with attack(berth) as clients:
        for i in range(60):
            c = Client(berth)
            clients.append(c)
            c.ask("PUT", f"/v2/app/manifests/{i}", f"Authorization: {token}", "Content-Length: 3000000", body=b"{")
        end = time.monotonic() + 12 * SLOW
        served = False
        while not served and time.monotonic() < end:
            for c in clients:
                c.say(b" " * 1500)
            try:
                serves(berth, within=1)
                served = True
            except (OSError, AssertionError):
                pass  # not yet, or not at once
        assert served, "slow clients kept everybody else out"


def few_files(scratch, limit):
    script = scratch / f"{limit}-files"
    script.write_text(f'#!/bin/sh\nulimit -n {limit}\nexec {BINARY} "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


@pytest.mark.parametrize("limit", [64, 200])
def test_descriptors_stay_for_files(make_berth, scratch, limit):
    """A system that allows few open files: connections do not take the last, nor those that the server itself needs."""
    berth = make_berth(binary=few_files(scratch, limit))
    said = re.compile(rf"connections-max is (\d+): the limit of open files is {limit}")
    waits_for(lambda: said.search(berth.log_text()), 5)
    allowed = int(said.search(berth.log_text())[1])
    assert limit / 4 < allowed < limit * 3 / 4
    with attack(berth) as clients:
        clients += dial(berth, 2 * limit)
        waits_for(lambda: gauges(berth)["berth_connections"] >= allowed - 5, 10)
        assert gauges(berth)["process_open_fds"] < limit - 8
        for _ in range(5):
            serves(berth)


def test_with_too_few_descriptors_it_does_not_start(scratch):
    berth = Server(scratch, binary=few_files(scratch, 30))
    try:
        with pytest.raises(ServerFailed, match=r"the limit of open files is 30; at least \d+ are needed"):
            berth.start()
    finally:
        berth.discard()


def test_one_address_takes_no_more_than_its_share(make_berth):
    berth = make_berth("--connections-per-ip", "20", "--connections-max", "100")
    with attack(berth):
        clients = [Client(berth, source="127.0.0.9") for _ in range(60)]
        time.sleep(0.2)
        refused = sum(c.is_closed(0.05) for c in clients)
        assert refused == 40
        for c in clients:
            c.close()


def test_headers_that_dribble(make_berth):
    berth = make_berth("--header-timeout", "2s")
    with attack(berth) as clients:
        clients += [Client(berth) for _ in range(200)]
        for c in clients:
            assert c.say(HALF)
        start = time.monotonic()
        left = list(clients)
        while left and time.monotonic() < start + 8 * SLOW:
            left = [c for c in left if c.say(b"x")]
            time.sleep(0.2)
            serves(berth)
        assert not left, f"{len(left)} of 200 still may send headers after {time.monotonic() - start:.0f} s"


def test_silence_in_the_middle_of_everything(make_berth):
    berth = make_berth("--header-timeout", "2s", "--idle-timeout", "2s", "--min-rate", "1KiB")
    berth.create("app")
    token = basic(berth.token)
    large = berth.oci().push_blob("app", blob("large", 8 << 20))
    with attack(berth) as clients:
        for _ in range(10):
            idle, body, chunked, reader = Client(berth), Client(berth), Client(berth), Client(berth, receive=4096)
            clients += [idle, body, chunked, reader]
            body.ask("POST", "/v2/app/blobs/uploads/?digest=sha256:" + "0" * 64, f"Authorization: {token}", "Content-Length: 1000000", body=b"x")
            chunked.ask("PUT", "/v2/app/manifests/x", f"Authorization: {token}", "Transfer-Encoding: chunked", body=b"5\r\nab")
            reader.ask("GET", f"/v2/app/blobs/{large}", f"Authorization: {token}")
        waits_for(lambda: gauges(berth)["berth_connections"] <= 5, 12)


@pytest.mark.parametrize("count", [127, 128, 129, 256])
def test_many_that_ask_in_the_same_moment(make_berth, count):
    """A server that was held up finds all of their requests at once, and nobody comes afterwards to wake it."""
    if count in (128, 256) and "libmicrohttpd" in subprocess.run(["ldd", BINARY], check=True, capture_output=True, text=True).stdout:
        pytest.skip("a fault of libmicrohttpd that only src/http/epoll_wait.c avoids")
    berth = make_berth("--loops", "1")
    clients = [Client(berth, timeout=5 * SLOW) for _ in range(count)]
    for c in clients:
        c.ask("GET", "/healthz")
        assert c.socket.recv(4096).startswith(b"HTTP/1.1 200")
    time.sleep(0.2)
    berth.process.send_signal(signal.SIGSTOP)
    for c in clients:
        c.ask("GET", "/healthz")
    berth.process.send_signal(signal.SIGCONT)
    for c in clients:
        assert c.socket.recv(4096).startswith(b"HTTP/1.1 200")
        c.close()
