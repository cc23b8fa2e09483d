"""No file descriptor is left, in the running server: what cannot be opened is answered with 503, nothing acknowledged is lost, and all is well
as soon as there are some again."""

import base64
import contextlib
import json
import os
import pathlib
import random
import resource
import socket
import threading
import time

import pytest

from harness.hammer import Hammer, fill_source
from harness.hostile import sign
from harness.oci import blob, expect, join, sha256
from harness.trouble import Trouble
from harness.writer import Writer

PIECE = 100_000


@contextlib.contextmanager
def files(berth, limit):
    """The server may have so many descriptors, for a time. Those that it has stay open."""
    old = resource.prlimit(berth.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(berth.process.pid, resource.RLIMIT_NOFILE, (limit, old[1]))
    try:
        yield
    finally:
        resource.prlimit(berth.process.pid, resource.RLIMIT_NOFILE, old)


def cpu_seconds(berth):
    fields = pathlib.Path(f"/proc/{berth.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.log_errors("Too many open files", "unable to open database file")
def test_what_cannot_be_opened_is_503_and_all_goes_on_afterwards(make_berth):
    berth = make_berth()
    berth.create("app")
    oci, ecr = berth.oci(), berth.client("ecr")
    layer, other = blob("layer", 300_000), blob("other", 2 * PIECE)
    oci.push_image("app", "v1", [layer])
    at = oci.upload("app")
    at = expect(oci.http.patch(at, other[:PIECE], headers={"Content-Range": f"0-{PIECE - 1}"}), 202)["Location"]
    part = json.dumps({"repositoryName": "app", "uploadId": ecr.initiate_layer_upload(repositoryName="app")["uploadId"], "partFirstByte": 0,
                       "partLastByte": PIECE - 1, "layerPartBlob": base64.b64encode(other[:PIECE]).decode()}).encode()
    sender = berth.http()  # whose connection closes with the refusal
    sender.get("/v2/")
    with files(berth, 3):
        refused = [
            oci.http.get(f"/v2/app/blobs/{sha256(layer)}"),
            sender.patch(at, other[PIECE:], headers={"Content-Range": f"{PIECE}-{2 * PIECE - 1}"}),
        ]
        for r in refused:
            assert (r.status, r.codes(), r["Retry-After"]) == (503, ["UNAVAILABLE"], "1")
        assert oci.http.get("/readyz").status == 503
        assert oci.http.get("/healthz").status == 200
        oci.get_manifest("app", "v1")  # needs none
        r = oci.http.post("/", part, headers=sign(berth, part, "UploadLayerPart"), auth=False)
        assert (r.status, r.json()["__type"]) == (503, "ServiceUnavailableException"), r
        # Those who come now wait, and cost nothing.
        waiting = [socket.create_connection(("127.0.0.1", berth.port)) for _ in range(5)]
        for s in waiting:
            s.settimeout(20)
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
        before = cpu_seconds(berth)
        time.sleep(1)
        assert cpu_seconds(berth) - before < 0.2
    for s in waiting:
        assert s.recv(12) == b"HTTP/1.1 200"
        s.close()
    r = expect(oci.http.get(at), 204)
    assert r["Range"] == f"0-{PIECE - 1}", "what was acknowledged, and nothing of what was refused"
    expect(oci.http.patch(at, other[PIECE:], headers={"Content-Range": f"{PIECE}-{2 * PIECE - 1}"}), 202)
    expect(oci.http.put(join(at, digest=sha256(other))), 201)
    assert oci.get_blob("app", sha256(other)) == other
    oci.check_image("app", "v1")
    expect(oci.http.get("/readyz"), 200)


@pytest.mark.log_errors("Too many open files", "unable to open database file")
def test_nothing_acknowledged_is_lost_when_descriptors_run_out_at_any_moment(make_berth):
    berth = make_berth("--access-log", "off", "--collect-grace", "2s", "--lifecycle-delay", "0s")
    berth.create("source", *[f"hammer/{i}" for i in range(3)], *[f"writer/{i}" for i in range(4)])
    port, token, shared = berth.port, berth.token, []
    offers = fill_source(berth.oci(), "source", 40)
    trouble = Trouble([
        *[Hammer(f"hammer/{i}", port, token, i, "source", offers, 2) for i in range(3)],
        *[Writer(f"writer/{i}", port, token, i, shared, grace_s=2) for i in range(4)],
    ])
    rng = random.Random(1)

    def run_out(over):
        own = int(berth.metrics().sum("process_open_fds"))
        while not over.is_set():
            with files(berth, rng.randint(own - 6, own + 3)):
                over.wait(rng.uniform(0.01, 0.1))
            over.wait(rng.uniform(0, 0.05))

    for _ in range(5):
        over = threading.Event()
        thread = threading.Thread(target=run_out, args=(over,))
        thread.start()
        try:
            trouble.load(1)
        finally:
            over.set()
            thread.join()
        trouble.verify()
        berth.check(deep=True)
    trouble.settle()
    assert trouble.errors, "no client met the fault"
