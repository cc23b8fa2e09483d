"""Many clients do everything at once in a few repositories, with collection and lifecycle running; then the answers are held against
what a registry that does one thing at a time can say (history.py), and every image that was seen must have had its layers."""

import json
import multiprocessing
import os
import random
import time

import boto3
import botocore.config
import pytest

from harness.http import Http
from harness.oci import IMAGE, Oci, blob, manifest, sha256
from harness.server import Server

from .history import Event, wrong

LONG = os.environ.get("BERTH_LONG") == "1"
SECONDS = float(os.environ.get("BERTH_SECONDS", 600 if LONG else 20))
SEED = int(os.environ.get("BERTH_SEED", random.randrange(1 << 30)))
GRACE = ("--collect-grace", "0s")  # so that collection meets pushes: what clients bring anew all the time is hardly ever old
WORKERS = 6
REPOSITORIES = ["model/a", "model/b", "model/c"]
EXPIRING = REPOSITORIES[2:]
TAGS = ["one", "two", "three"]
IMAGES = 40
LAYERS = [blob(f"model/{i}", 500 + 5000 * i) for i in range(6)]  # the last two have files, the others are rows of the database
EMPTYING = '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":2},"action":{"type":"expire"}}]}'


def image(number):
    """(manifest, its blobs): the same for every client. Any two images share layers."""
    config = json.dumps({"number": number}).encode()
    layers = [LAYERS[number % 6], LAYERS[(number * 5 + 1) % 6], LAYERS[(number + 3) % 6]]
    return manifest(config, layers), [config, *layers]


ALL = [image(n) for n in range(IMAGES)]
NUMBER = {sha256(body): n for n, (body, _) in enumerate(ALL)}


class Client:
    """One worker: does something at random until the time is over, and writes down what it saw."""

    def __init__(self, port, token, region, key, seed):
        self.random = random.Random(seed)
        self.oci = Oci(Http(port, auth=("AWS", token)))
        self.ecr = boto3.client("ecr", region_name=region, aws_access_key_id=key[0], aws_secret_access_key=key[1], endpoint_url=f"http://127.0.0.1:{port}",
                                config=botocore.config.Config(retries={"max_attempts": 0}, proxies={}))
        self.events, self.wrong, self.count = [], [], 0

    def run(self, until):
        steps = [self.push] * 6 + [self.read] * 8 + [self.untag] * 2 + [self.drop, self.last] + [self.pull] * 3 + [self.list] * 2 + [self.snapshot]
        while time.monotonic() < until and not self.wrong:
            self.random.choice(steps)(self.random.choice(REPOSITORIES))
            self.count += 1

    def timed(self, call):
        begin = time.monotonic_ns()
        answer = call()
        return answer, begin, time.monotonic_ns()

    def note(self, begin, end, kind, repository, tag, number, found=()):
        self.events.append(Event(begin, end, kind, repository, tag, number, found))

    def fail(self, what, answer):
        self.wrong.append(f"{what}: {answer!r}")

    def push(self, repository):
        """PUT by tag; what is missing is mounted or uploaded, and the PUT repeated, as clients do."""
        number, tag = self.random.randrange(IMAGES), self.random.choice(TAGS)
        body, blobs = ALL[number]
        for _ in range(5):
            answer, begin, end = self.timed(lambda: self.oci.http.put(f"/v2/{repository}/manifests/{tag}", body, headers={"Content-Type": IMAGE}))
            if answer.status == 201:
                return self.note(begin, end, "put", repository, tag, number)
            if answer.status != 404 and answer.codes() != ["MANIFEST_BLOB_UNKNOWN"]:
                return self.fail("PUT", answer)
            for data in blobs:
                if not self.oci.has_blob(repository, sha256(data)):
                    self.bring(repository, data)
        return None  # collected again and again between the two

    def bring(self, repository, data):
        source = self.random.choice([None, *REPOSITORIES])
        answer = self.oci.mount_request(repository, sha256(data), source)
        if answer.status == 202:
            self.oci.push_blob(repository, data)
        elif answer.status != 201:
            self.fail("mount", answer)

    def read(self, repository):
        tag = self.random.choice(TAGS)
        answer, begin, end = self.timed(lambda: self.oci.http.get(f"/v2/{repository}/manifests/{tag}"))
        if answer.status not in (200, 404):
            return self.fail("GET", answer)
        number = NUMBER.get(sha256(answer.body)) if answer.status == 200 else None
        if answer.status == 200 and number is None:
            return self.fail("GET of a manifest that nobody pushed", answer)
        return self.note(begin, end, "read", repository, tag, number)

    def untag(self, repository):
        tag = self.random.choice(TAGS)
        answer, begin, end = self.timed(lambda: self.oci.http.delete(f"/v2/{repository}/manifests/{tag}"))
        if answer.status == 202:
            return self.note(begin, end, "remove", repository, tag, None)
        if answer.status == 404:  # a read that found nothing
            return self.note(begin, end, "read", repository, tag, None)
        return self.fail("DELETE of a tag", answer)

    def drop(self, repository):
        number = self.random.randrange(IMAGES)
        answer, begin, end = self.timed(lambda: self.oci.http.delete(f"/v2/{repository}/manifests/{sha256(ALL[number][0])}"))
        if answer.status not in (202, 404):
            return self.fail("DELETE by digest", answer)
        return self.note(begin, end, "drop" if answer.status == 202 else "miss", repository, None, number)

    def last(self, repository):
        """ECR's deletion: with its last tag an image goes too."""
        tag = self.random.choice(TAGS)
        answer, begin, end = self.timed(lambda: self.ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tag}]))
        codes = [f["failureCode"] for f in answer["failures"]]
        if codes not in ([], ["ImageNotFound"]):
            return self.fail("BatchDeleteImage", answer)
        number = None if codes else NUMBER[answer["imageIds"][0]["imageDigest"]]
        return self.note(begin, end, "read" if codes else "last", repository, tag, number)

    def pull(self, repository):
        """An image that is there before and after has all its layers in between, unless somebody deleted it meanwhile."""
        number = self.random.randrange(IMAGES)
        body, blobs = ALL[number]
        target = f"/v2/{repository}/manifests/{sha256(body)}"
        if self.see(repository, target, number)[0].status != 200:
            return
        begin = self.events[-1].begin
        missing = [sha256(d) for d in blobs if self.oci.http.get(f"/v2/{repository}/blobs/{sha256(d)}").body != d]
        if missing and self.see(repository, target, number)[0].status == 200:
            self.note(begin, time.monotonic_ns(), "missing", repository, None, number)

    def see(self, repository, target, number):
        answer, begin, end = self.timed(lambda: self.oci.http.get(target))
        if answer.status not in (200, 404):
            self.fail("GET by digest", answer)
        self.note(begin, end, "see" if answer.status == 200 else "miss", repository, None, number)
        return answer, begin, end

    def list(self, repository):
        answer, begin, end = self.timed(lambda: self.oci.http.get(f"/v2/{repository}/tags/list"))
        if answer.status != 200:
            return self.fail("tags/list", answer)
        return self.note(begin, end, "list", repository, None, None, tuple(answer.json()["tags"]))

    def snapshot(self, repository):
        answer, begin, end = self.timed(lambda: self.ecr.list_images(repositoryName=repository))
        ids = [(i.get("imageTag"), NUMBER[i["imageDigest"]]) for i in answer["imageIds"]]
        found = tuple(p for p in ids if p[0]), tuple({n for _, n in ids})
        return self.note(begin, end, "snapshot", repository, None, None, found)


def work(port, token, region, key, seed, until, out):
    client = Client(port, token, region, key, seed)
    try:
        client.run(until)
    except Exception as e:  # noqa: BLE001 - told by the test
        client.wrong.append(repr(e))
    out.put((client.count, client.events, client.wrong))


def collect(server, until):
    """Lifecycle policies and collection, over and over, beside the server's own. Returns how much they took away."""
    taken = {"expired": 0, "links": 0, "blobs": 0}
    while time.monotonic() < until:
        told = json.loads(server.berth("lifecycle run", "--json", *GRACE).stdout) | json.loads(server.gc("--json", *GRACE).stdout)
        for what in taken:
            taken[what] += told[what]
        time.sleep(0.3)
    return taken


@pytest.fixture
def server(tmp_path):
    s = Server(tmp_path, [*GRACE, "--lifecycle-delay", "0s", "--access-log", "off"])
    s.start()
    yield s
    s.finish()


@pytest.mark.timeout(SECONDS + 200)
def test_answers_are_those_of_a_registry_that_does_one_thing_at_a_time(server):
    ecr = server.client("ecr")
    for name in REPOSITORIES:
        ecr.create_repository(repositoryName=name)
    for name in EXPIRING:
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=EMPTYING)
    context = multiprocessing.get_context("spawn")
    out, until = context.Queue(), time.monotonic() + SECONDS
    workers = [context.Process(target=work, daemon=True, args=(server.port, server.token, server.region, server.credentials, f"{SEED}/{i}", until, out)) for i in range(WORKERS)]
    print(f"BERTH_SEED={SEED}")
    for w in workers:
        w.start()
    taken = collect(server, until)
    results = [out.get(timeout=120) for _ in workers]
    for w in workers:
        w.join(60)
    failures = [x for _, _, w in results for x in w]
    events = [e for _, ev, _ in results for e in ev]
    assert not failures, failures[:5]
    kinds = {}
    for e in events:
        kinds[e.kind] = kinds.get(e.kind, 0) + 1
    print(sum(n for n, _, _ in results), "operations:", kinds, "taken away:", taken)
    assert all(kinds.get(k, 0) > 0 for k in ("put", "read", "remove", "drop", "last", "see", "miss", "list", "snapshot")), f"too little happened: {kinds}"
    assert all(taken.values()), f"too little was taken away: {taken}"
    gone = [e for e in events if e.kind in ("drop", "last")]
    for e in (e for e in events if e.kind == "missing" and e.repository not in EXPIRING):  # there the policy deletes too
        assert any(d.repository == e.repository and d.image == e.image and d.begin < e.end and e.begin < d.end for d in gone), f"an image lacked a layer: {e}"
    found = wrong([e for e in events if e.kind != "missing"], EXPIRING)
    assert not found, f"no order explains these answers: {found}"
    server.check()
