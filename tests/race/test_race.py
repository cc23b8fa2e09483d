"""Mounts against deletion of the source repository against collection without any grace: no visible image ever lacks a blob."""

import json
import os
import threading
import time

import botocore.exceptions
import pytest

from harness.oci import IMAGE, blob, expect, join, manifest, sha256

SECONDS = 300 if os.environ.get("BERTH_LONG") == "1" else 20
TARGETS = 3
LAYERS = [blob(f"race/{i}", size) for i, size in enumerate((3_000, 50_000, 200_000))]
CONFIG = b'{"race":true}'
UNKNOWN = {"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "NAME_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UPLOAD_UNKNOWN"}


class Race:
    """Threads that run until the time is over; the first thing that goes wrong ends the test."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.wrong = []
        self.counts = {}
        self.threads = []
        self.lock = threading.Lock()

    def going(self):
        return time.monotonic() < self.end and not self.wrong

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def loop(self, step):
        def work():
            try:
                while self.going():
                    step()
            except Exception as e:  # noqa: BLE001 - reported by the test
                self.wrong.append(f"{step.__name__}: {e!r}")

        self.threads.append(threading.Thread(target=work))

    def run(self):
        for t in self.threads:
            t.start()
        for t in self.threads:
            t.join()
        assert not self.wrong, self.wrong


def lost(response):
    """A refusal that is right here: the repository or a layer went away between two requests."""
    return response.status in (400, 404) and bool(set(response.codes()) & UNKNOWN)


def push_or_mount(oci, repo, data, source=None):
    """False when the repository or upload vanished meanwhile."""
    digest = sha256(data)
    r = oci.mount_request(repo, digest, source) if source else oci.http.post(f"/v2/{repo}/blobs/uploads/")
    if r.status == 404:
        return False
    expect(r, 201, 202)
    if r.status == 201:
        return "mounted"
    r = oci.http.put(join(r["Location"], digest=digest), data, headers={"Content-Type": "application/octet-stream"})
    if lost(r):
        return False
    expect(r, 201)
    return "uploaded"


def push(oci, repo, tag, source=None, count=lambda what: None):
    """One image with all layers. True: acknowledged."""
    for data in [*LAYERS, CONFIG + tag.encode()]:
        how = push_or_mount(oci, repo, data, source)
        if not how:
            return False
        count(how)
    body = manifest(CONFIG + tag.encode(), LAYERS)
    r = oci.http.put(f"/v2/{repo}/manifests/{tag}", body, headers={"Content-Type": IMAGE})
    if lost(r):
        count("manifest refused")
        return False
    expect(r, 201)
    return True


def push_until_there(oci, repo, tag, source=None, count=lambda what: None):
    """Without any grace a layer may be collected before its manifest comes: a client pushes again."""
    for _ in range(50):
        if push(oci, repo, tag, source, count):
            return
    raise AssertionError(f"fifty tries, and never an image in {repo}")


@pytest.mark.timeout(SECONDS + 80)
def test_no_visible_image_ever_lacks_a_blob(make_berth):
    berth = make_berth("--collect-grace", "0s", "--access-log", "off")
    berth.create("race/source", *[f"race/target{i}" for i in range(TARGETS)])
    berth.token  # noqa: B018 - fetched once, before threads want it
    race = Race(SECONDS)

    ecr = berth.client("ecr")
    source = berth.oci()

    def source_comes_and_goes():
        push(source, "race/source", "s")
        time.sleep(0.02)
        ecr.delete_repository(repositoryName="race/source", force=True)
        ecr.create_repository(repositoryName="race/source")
        race.count("source deleted")

    def target_step(i):
        oci, repo, serial = berth.oci(), f"race/target{i}", [0]

        def target_mounts_checks_and_deletes():
            serial[0] += 1
            tag = f"t{serial[0]}"
            if push(oci, repo, tag, "race/source", race.count):
                # Acknowledged, and deleted by nobody but this thread: from here on it must be whole.
                oci.check_image(repo, tag)
                time.sleep(0.01)
                oci.check_image(repo, tag)
                race.count("image whole")
                if serial[0] % 2:
                    oci.delete_manifest(repo, sha256(manifest(CONFIG + tag.encode(), LAYERS)))

        return target_mounts_checks_and_deletes

    reader = berth.oci()

    def reader_sees_whole_images():
        """Whatever is visible is complete, unless it is deleted while it is read."""
        for i in range(TARGETS):
            repo = f"race/target{i}"
            for tag in (reader.tags(repo) or [])[-3:]:
                try:
                    reader.check_image(repo, tag)
                    race.count("read whole")
                except AssertionError:
                    r = reader.http.get(f"/v2/{repo}/manifests/{tag}", headers={"Accept": IMAGE})
                    if r.status == 200:
                        raise

    def collector():
        berth.gc("--collect-grace", "0s")
        race.count("collected")

    race.loop(source_comes_and_goes)
    for i in range(TARGETS):
        race.loop(target_step(i))
    race.loop(reader_sees_whole_images)
    race.loop(collector)
    race.run()

    print(race.counts)
    for what in ("source deleted", "mounted", "uploaded", "image whole", "collected", "read whole"):
        assert race.counts.get(what, 0) >= 5, f"hardly any '{what}': {race.counts}"
    for i in range(TARGETS):
        oci = berth.oci()
        for tag in oci.tags(f"race/target{i}") or []:
            oci.check_image(f"race/target{i}", tag)


@pytest.mark.timeout(100)
def test_the_target_keeps_its_image_when_the_source_goes_in_the_same_moment(make_berth):
    """Mount and delete-repository released together, many times: whichever wins, the target ends whole."""
    berth = make_berth("--collect-grace", "0s", "--access-log", "off")
    berth.create("race/source", "race/target0")
    ecr, source, target = berth.client("ecr"), berth.oci(), berth.oci()
    outcomes = {}
    for n in range(40):
        push_until_there(source, "race/source", "s")
        barrier = threading.Barrier(2)

        def delete():
            barrier.wait()
            time.sleep((n % 8) * 0.0005)
            ecr.delete_repository(repositoryName="race/source", force=True)

        t = threading.Thread(target=delete)
        t.start()
        barrier.wait()
        push_until_there(target, "race/target0", f"t{n}", "race/source", lambda how: outcomes.__setitem__(how, outcomes.get(how, 0) + 1))
        t.join()
        berth.gc("--collect-grace", "0s")
        target.check_image("race/target0", f"t{n}")
        target.delete_manifest("race/target0", sha256(manifest(CONFIG + f"t{n}".encode(), LAYERS)))
        try:
            ecr.create_repository(repositoryName="race/source")
        except botocore.exceptions.ClientError as e:
            raise AssertionError("the deleted repository is still in the way") from e
    assert outcomes.get("mounted", 0) >= 5 and outcomes.get("uploaded", 0) >= 1, outcomes


@pytest.mark.timeout(SECONDS + 80)
def test_lifecycle_policies_take_no_layer_that_another_image_needs(make_berth):
    """A policy that expires at once, mounts from what it expires, and collection without any grace."""
    berth = make_berth("--collect-grace", "0s", "--lifecycle-delay", "0s", "--access-log", "off")
    berth.create("race/source", *[f"race/target{i}" for i in range(TARGETS)])
    berth.token  # noqa: B018
    ecr = berth.client("ecr")
    text = json.dumps({"rules": [{"rulePriority": 1, "description": "keeps the youngest image only, all others go as soon as it can be",
                                  "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]})
    for repo in ["race/source", *[f"race/target{i}" for i in range(TARGETS)]]:
        ecr.put_lifecycle_policy(repositoryName=repo, lifecyclePolicyText=text)
    race = Race(SECONDS * 0.3)
    source, serial = berth.oci(), [0]

    def source_is_pushed_and_expires():
        serial[0] += 1
        push(source, "race/source", f"s{serial[0]}")
        source.http.delete(f"/v2/race/source/manifests/s{serial[0]}")
        race.count("source pushed")

    def target_step(i):
        oci, repo, n = berth.oci(), f"race/target{i}", [0]

        def target_mounts_and_its_older_image_expires():
            n[0] += 1
            if push(oci, repo, f"t{n[0]}", "race/source", race.count):
                # The youngest of its repository: no policy takes it, and nobody else deletes here.
                oci.check_image(repo, f"t{n[0]}")
                time.sleep(0.01)
                oci.check_image(repo, f"t{n[0]}")
                race.count("youngest whole")

        return target_mounts_and_its_older_image_expires

    def operator():
        done = json.loads(berth.berth("lifecycle run", "--json", "--collect-grace", "0s").stdout)
        race.count("run by hand")
        race.counts["expired by hand"] = race.counts.get("expired by hand", 0) + done["expired"]

    def collector():
        berth.gc("--collect-grace", "0s")
        race.count("collected")

    race.loop(source_is_pushed_and_expires)
    for i in range(TARGETS):
        race.loop(target_step(i))
    race.loop(operator)
    race.loop(collector)
    race.run()

    print(race.counts)
    for what in ("source pushed", "mounted", "uploaded", "youngest whole", "run by hand", "collected"):
        assert race.counts.get(what, 0) >= 3, f"hardly any '{what}': {race.counts}"
    berth.berth("lifecycle run")
    for i in range(TARGETS):
        [tag] = berth.oci().tags(f"race/target{i}")
        berth.oci().check_image(f"race/target{i}", tag)
