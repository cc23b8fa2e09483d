"""The wall clock is set while the server runs: forward by a month and back. Nothing young is deleted, and pushes under way end well."""

import base64
import time

import pytest

from harness.faults import MovedClock
from harness.hostile import sign
from harness.http import Http
from harness.oci import Oci, blob, expect, join, manifest, sha256

DAY = 24 * 3600
PIECE = 100_000
EXPIRE = '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}'


@pytest.fixture
def clock(scratch):
    return MovedClock(scratch)


@pytest.fixture
def berth(make_berth, clock):
    return make_berth("--lifecycle-delay", "0s", env=clock.env)


def client(berth, clock):
    """With a token that is good now, by the server's clock."""
    http = Http(berth.port)
    r = expect(http.post("/", b"{}", headers=sign(berth, b"{}", "GetAuthorizationToken", at=clock.seconds)), 200)
    http.close()
    token = base64.b64decode(r.json()["authorizationData"][0]["authorizationToken"]).decode().partition(":")[2]
    return Oci(Http(berth.port, auth=("AWS", token)))


def jobs_have_run(berth):
    """A round of collection from now on, in which uploads expire, layers go and policies are carried out."""
    runs = berth.metrics().sum("berth_collect_runs_total")
    end = time.monotonic() + 60
    while berth.metrics().sum("berth_collect_runs_total") < runs + 1:
        assert time.monotonic() < end, "no collection"
        time.sleep(0.1)


def begin(oci):
    """An upload with one piece acknowledged: (location, all its bytes)."""
    data = blob("upload", 2 * PIECE)
    r = expect(oci.http.patch(oci.upload("app"), data[:PIECE], headers={"Content-Range": f"0-{PIECE - 1}"}), 202)
    return r["Location"], data


def go_on(oci, at, data):
    assert expect(oci.http.get(at), 204)["Range"] == f"0-{PIECE - 1}"
    expect(oci.http.patch(at, data[PIECE:], headers={"Content-Range": f"{PIECE}-{2 * PIECE - 1}"}), 202)
    expect(oci.http.put(join(at, digest=sha256(data))), 201)


@pytest.mark.parametrize("days", [30, -30])
def test_a_push_under_way_ends_well_when_the_clock_is_set(berth, clock, days):
    berth.create("app", "old")
    berth.client("ecr").put_lifecycle_policy(repositoryName="old", lifecyclePolicyText=EXPIRE)
    oci = client(berth, clock)
    oci.push_image("old", "v1", [blob("old", 50_000)])
    small, large = blob("small", 1000), blob("large", 200_000)
    for data in (small, large):
        oci.push_blob("app", data)  # and needed by no image yet
    removed = oci.push_image("app", "removed", [blob("was needed", 70_000)])[0]
    oci.delete_manifest("app", removed)
    at, data = begin(oci)

    clock.move(days * DAY)
    jobs_have_run(berth)
    oci = client(berth, clock)
    go_on(oci, at, data)
    assert oci.has_blob("app", sha256(blob("was needed", 70_000)))
    oci.push_blob("app", b"{}")
    body = manifest(b"{}", [small, large, data])
    oci.put_manifest("app", "v1", body)
    oci.check_image("app", "v1")
    oci.check_image("old", "v1")
    said = [e["message"] for e in berth.log_lines() if e.get("event") == "clock"]
    assert len(said) == 1 and f"{'forward' if days > 0 else 'back'} by {30 * DAY} s" in said[0], said

    if days < 0:
        return  # putting that right would be the other case

    # An upload of the new time, and the clock is put right.
    at, data = begin(oci)
    clock.move(-days * DAY)
    jobs_have_run(berth)
    oci = client(berth, clock)
    go_on(oci, at, data)
    oci.check_image("app", "v1")
    oci.check_image("old", "v1")
    assert oci.tags("app") == ["v1"]
    oci.put_manifest("app", "v2", body)
    assert sorted(oci.tags("app")) == ["v1", "v2"]
    assert len([e for e in berth.log_lines() if e.get("event") == "clock"]) == 2
