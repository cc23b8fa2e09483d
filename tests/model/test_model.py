"""Many clients do everything at once in a few repositories, with collection and lifecycle running; then each answer is held against
what a registry that does one thing at a time can say (history.py), and every image that was seen must have had its layers."""

import json
import multiprocessing
import os
import random
import time

import pytest

from harness.http import Http
from harness.oci import IMAGE, Oci, blob, manifest, sha256
from harness.server import Server

from .history import Event, unexplained

LONG = os.environ.get("BERTH_LONG") == "1"
SECONDS = float(os.environ.get("BERTH_SECONDS", 600 if LONG else 20))
SEED = int(os.environ.get("BERTH_SEED", random.randrange(1 << 30)))
GRACE = ("--collect-grace", "1s")
WORKERS = 6
REPOSITORIES = ["model/a", "model/b", "model/c"]
TAGS = ["one", "two", "three"]
IMAGES = 12
LAYERS = [blob(f"model/{i}", 500 + 3000 * i) for i in range(6)]
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

    def __init__(self, port, token, seed):
        self.random = random.Random(seed)
        self.oci = Oci(Http(port, auth=("AWS", token)))
        self.events, self.wrong, self.count = [], [], 0
        self.deleted = []  # (repository, image, begin, end)

    def run(self, until):
        steps = [self.push] * 6 + [self.read] * 8 + [self.untag] * 2 + [self.drop] + [self.pull] * 3 + [self.list] * 2
        while time.monotonic() < until and not self.wrong:
            self.random.choice(steps)(self.random.choice(REPOSITORIES))
            self.count += 1

    def timed(self, call):
        begin = time.monotonic_ns()
        answer = call()
        return answer, begin, time.monotonic_ns()

    def note(self, begin, end, kind, repository, tag, number):
        self.events.append(Event(begin, end, kind, f"{repository}:{tag}" if tag else repository, number))

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
        if answer.status == 202:
            self.note(begin, end, "drop", repository, None, number)
        return self.deleted.append((repository, number, begin, end))

    def pull(self, repository):
        """An image that is there before and after has all its layers in between, unless somebody deleted it meanwhile."""
        number = self.random.randrange(IMAGES)
        body, blobs = ALL[number]
        target = f"/v2/{repository}/manifests/{sha256(body)}"
        begin = time.monotonic_ns()
        if self.oci.http.get(target).status != 200:
            return
        missing = [sha256(d) for d in blobs if self.oci.http.get(f"/v2/{repository}/blobs/{sha256(d)}").body != d]
        if missing and self.oci.http.get(target).status == 200:
            self.events.append(Event(begin, time.monotonic_ns(), "missing", f"{repository}:{number}", number))

    def list(self, repository):
        answer, begin, end = self.timed(lambda: self.oci.http.get(f"/v2/{repository}/tags/list"))
        if answer.status != 200:
            return self.fail("tags/list", answer)
        for tag in TAGS:
            if tag not in answer.json()["tags"]:
                self.note(begin, end, "read", repository, tag, None)
        return None


def work(port, token, seed, until, out):
    client = Client(port, token, seed)
    try:
        client.run(until)
    except Exception as e:  # noqa: BLE001 - told by the test
        client.wrong.append(repr(e))
    out.put((client.count, client.events, client.wrong))


def collect(server, until):
    """Lifecycle policies and collection, over and over, beside the server's own. Returns how many images expired."""
    expired = 0
    while time.monotonic() < until:
        expired += json.loads(server.berth("lifecycle run", "--json", *GRACE).stdout)["expired"]
        server.gc(*GRACE)
        time.sleep(0.3)
    return expired


@pytest.fixture
def server(tmp_path):
    s = Server(tmp_path, [*GRACE, "--access-log", "off"])
    s.start()
    yield s
    s.finish()


@pytest.mark.timeout(SECONDS + 200)
def test_answers_are_those_of_a_registry_that_does_one_thing_at_a_time(server):
    ecr = server.client("ecr")
    for name in REPOSITORIES:
        ecr.create_repository(repositoryName=name)
    ecr.put_lifecycle_policy(repositoryName=REPOSITORIES[2], lifecyclePolicyText=EMPTYING)
    context = multiprocessing.get_context("spawn")
    out, until = context.Queue(), time.monotonic() + SECONDS
    workers = [context.Process(target=work, args=(server.port, server.token, f"{SEED}/{i}", until, out)) for i in range(WORKERS)]
    print(f"BERTH_SEED={SEED}")
    for w in workers:
        w.start()
    expired = collect(server, until)
    results = [out.get(timeout=120) for _ in workers]
    for w in workers:
        w.join(60)
    wrong = [x for _, _, w in results for x in w]
    events = [e for _, ev, _ in results for e in ev]
    assert not wrong, wrong[:5]
    kinds = {}
    for e in events:
        kinds[e.kind] = kinds.get(e.kind, 0) + 1
    print(sum(n for n, _, _ in results), "operations:", kinds, f"{expired} images expired")
    assert all(kinds.get(k, 0) > 0 for k in ("put", "read", "remove", "drop")), f"too little happened: {kinds}"
    assert expired > 0
    drops = [e for e in events if e.kind == "drop"]
    for e in (e for e in events if e.kind == "missing"):
        repository = e.key.partition(":")[0]
        expired = repository == REPOSITORIES[2]  # the lifecycle policy deletes there too
        assert expired or any(d.key == repository and d.image == e.image and d.begin < e.end and e.begin < d.end for d in drops), f"an image lacked a layer: {e}"
    found = unexplained([e for e in events if e.kind != "missing"])
    assert not found, f"{len(found)} answers that nothing explains, such as {found[:3]}"
    server.check()
