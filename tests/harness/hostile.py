"""Clients that mean harm, by raw sockets; and what must hold during and after what they do."""

import base64
import contextlib
import datetime
import hashlib
import hmac
import resource
import socket
import threading
import time
import urllib.parse

from .http import Http
from .oci import Oci, blob
from .server import SANITIZED

SLOW = 5 if SANITIZED else 1


def basic(token):
    return "Basic " + base64.b64encode(f"AWS:{token}".encode()).decode()


def raise_files(wanted):
    """As many descriptors as the hard limit allows, for this process and the servers that it starts. Returns the number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return soft


class Client:
    """A socket that says what it is told, byte for byte."""

    def __init__(self, berth, receive=None, timeout=20, source=None):
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        if receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", berth.port))

    def say(self, data):
        """False when the server has closed."""
        try:
            self.socket.sendall(data)
            return True
        except TimeoutError:
            raise
        except OSError:
            return False

    def ask(self, method, target, *headers, body=b""):
        lines = [f"{method} {target} HTTP/1.1", "Host: h", *headers]
        return self.say("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def hear(self, patience=None):
        """Everything until the server closes, or says nothing for so many seconds."""
        got = b""
        if patience:
            self.socket.settimeout(patience)
        with contextlib.suppress(ConnectionError, *([TimeoutError] if patience else [])):
            while piece := self.socket.recv(65536):
                got += piece
        return got

    def status(self):
        """The status of the next answer; 0 if the server has closed without one."""
        got = b""
        with contextlib.suppress(ConnectionError):
            while b"\r\n" not in got and (piece := self.socket.recv(1)):
                got += piece
        return int(got.split(b" ")[1]) if got else 0

    def is_closed(self, seconds):
        """The server closes within that time. What it says before does not matter."""
        end = time.monotonic() + seconds
        try:
            while (left := end - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(65536):
                    return True
        except TimeoutError:
            return False
        except OSError:
            return True
        return False

    def close(self):
        self.socket.close()


def serves(berth, within=2):
    """Somebody with an ordinary client and a new connection pushes and pulls at once."""
    start = time.monotonic()
    data = blob(f"ordinary {start}", 2000)
    http = Http(berth.port, auth=("AWS", berth.token), timeout=within * SLOW)
    oci = Oci(http)
    digest = oci.push_blob("ordinary", data)
    assert oci.get_blob("ordinary", digest) == data
    oci.push_image("ordinary", "latest", [data])
    oci.check_image("ordinary", "latest")
    http.close()
    took = time.monotonic() - start
    assert took < within * SLOW, f"an ordinary client waited {took:.1f} s"


class Peak:
    """The most resident memory while it runs."""

    def __init__(self, berth):
        self.berth, self.bytes, self.over = berth, berth.rss_bytes(), threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.over.wait(0.02):
            self.bytes = max(self.bytes, self.berth.rss_bytes())

    def stop(self):
        self.over.set()
        self.thread.join()
        return self.bytes


GAUGES = ("berth_connections", "berth_requests_active", "berth_whole_body_bytes", "berth_answer_bytes", "berth_uploads_open",
          "berth_worker_queue_length", "berth_workers_busy", "process_open_fds")


def gauges(berth):
    m = berth.metrics()
    return {name: m.sum(name) for name in GAUGES}


@contextlib.contextmanager
def attack(berth, memory=32 << 20, settle=15):
    """What happens inside takes no more than memory; afterwards an ordinary client is served at once, and nothing is left: no
    connection, request, upload, body, answer or descriptor. The clients that are given back by the call are closed at the end."""
    if not (berth.data / "attacked").exists():
        (berth.data / "attacked").touch()
        berth.create("ordinary")
    serves(berth)
    before, resident = gauges(berth), berth.rss_bytes()
    peak = Peak(berth)
    clients = []
    try:
        yield clients
    finally:
        grown = peak.stop() - resident
        for c in clients:
            c.close()
    serves(berth)
    if not SANITIZED:
        assert grown <= memory, f"memory grew by {grown >> 20} MiB, more than {memory >> 20}"
    end = time.monotonic() + settle * SLOW
    while True:
        after = gauges(berth)
        left = {n: after[n] - before[n] for n in GAUGES if after[n] > before[n] + (3 if n in ("berth_connections", "process_open_fds") else 0)}
        if not left:
            return
        assert time.monotonic() < end, f"left behind: {left}"
        time.sleep(0.1)


# -- signatures, from AWS's description of Signature Version 4; nothing of an SDK, so that every part can be wrong ------------------

def sign(berth, body, operation="DescribeRepositories", at=None, key=None, secret=None, region=None, service="ecr", tell=None, headers=None):
    """Headers of a signed call. at: seconds from now. tell(parts): changes what is sent after the signature was made."""
    own_key, own_secret = berth.credentials
    key, secret, region = key or own_key, secret or own_secret, region or berth.region
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=at or 0)
    date = moment.strftime("%Y%m%dT%H%M%SZ")
    send = {
        "content-type": "application/x-amz-json-1.1", "host": berth.host, "x-amz-date": date,
        "x-amz-target": f"AmazonEC2ContainerRegistry_V20150921.{operation}", **(headers or {}),
    }
    names = ";".join(sorted(send))
    canonical = "\n".join(["POST", "/", "", *(f"{n}:{send[n]}" for n in sorted(send)), "", names, hashlib.sha256(body).hexdigest()])
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    k = f"AWS4{secret}".encode()
    for part in (date[:8], region, service, "aws4_request", text):
        k = hmac.new(k, part.encode(), hashlib.sha256).digest()
    parts = {"key": key, "scope": scope, "names": names, "signature": k.hex(), "headers": send}
    if tell:
        tell(parts)
    return {
        **{n: v for n, v in parts["headers"].items() if n != "host"},  # harness/http.py sends that
        "Authorization": f"AWS4-HMAC-SHA256 Credential={parts['key']}/{parts['scope']}, SignedHeaders={parts['names']}, Signature={parts['signature']}",
    }


def quote(text):
    return urllib.parse.quote(text, safe="")
