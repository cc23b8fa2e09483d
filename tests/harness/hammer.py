"""One connection that makes small durable changes as fast as it can, each acknowledged before the next: tags, manifests and mounts.

It has at most one request in flight, so after a power cut all it knows is right but for the outcome of that one.
"""

import http.client
import json
import random

from .http import Http
from .oci import IMAGE, Oci, Refused, blob, expect, manifest, sha256
from .writer import Fresh, Gone

TAGS = 24
CONFIG, LAYER = b'{"architecture":"amd64","os":"linux"}', blob("hammer", 100)


def fill_source(oci, repo, count):
    """What hammers mount: {digest: bytes} of small blobs in a repository that nobody changes, all in one image."""
    blobs = {sha256(b): b for b in (blob(f"source/{i}", 40 + i) for i in range(count))}
    oci.push_image(repo, "all", list(blobs.values()))
    return blobs


class Hammer:
    """grace_s: the server's --collect-grace; what is mounted here is needed by no image."""

    def __init__(self, repo, port, token, seed, source, offers, grace_s=24 * 3600):
        self.repo, self.port, self.token = repo, port, token
        self.random = random.Random(seed)
        self.source, self.offers = source, sorted(offers)
        self.serial = 0
        self.tags = {}        # tag -> digest
        self.images = {}      # digest -> manifest bytes
        self.fresh = []       # digests acknowledged since they were last verified
        self.recent = Fresh(grace_s)
        self.mounted = set()
        self.in_flight = None  # (kind, name, what it will be): the request whose answer is not there
        self.counts = {}
        self.connect()
        for data in (CONFIG, LAYER):
            self.oci.push_blob(repo, data)
        self.image()

    def connect(self):
        self.http = Http(self.port, auth=("AWS", self.token), timeout=20)
        self.oci = Oci(self.http)

    # -- one operation ---------------------------------------------------------------------------------------------------

    def step(self):
        move = self.random.choices([self.image, self.retag, self.untag, self.toggle], [4, 2, 1, 4])[0]
        try:
            move()
        except (OSError, http.client.HTTPException) as e:
            raise Gone from e
        self.counts[move.__name__] = self.counts.get(move.__name__, 0) + 1

    def image(self):
        """A new manifest and its tag, in one request."""
        self.serial += 1
        body = manifest(CONFIG, [LAYER], annotations={"n": f"{self.repo}/{self.serial}"})
        self.images[sha256(body)] = body
        self.point(f"t{self.random.randrange(TAGS)}", body)
        self.fresh.append(sha256(body))

    def retag(self):
        if self.fresh:
            self.point(f"t{self.random.randrange(TAGS)}", self.images[self.random.choice(self.fresh)])

    def point(self, tag, body):
        self.in_flight = ("tag", tag, sha256(body))
        self.oci.put_manifest(self.repo, tag, body)
        self.tags[tag] = sha256(body)
        self.in_flight = None

    def untag(self):
        if self.tags:
            tag = self.random.choice(sorted(self.tags))
            self.in_flight = ("tag", tag, None)
            self.oci.delete_manifest(self.repo, tag)
            del self.tags[tag]
            self.in_flight = None

    def toggle(self):
        """Mounts a blob, or unlinks it if it was mounted."""
        digest = self.random.choice(self.offers)
        self.in_flight = ("blob", digest, digest not in self.mounted)
        if digest in self.mounted:
            try:
                self.oci.delete_blob(self.repo, digest)
            except Refused as e:
                if not self.recent.excuses(e, [digest]):
                    raise
            self.mounted.remove(digest)
        else:
            self.recent.begins(digest)
            assert self.oci.mount(self.repo, digest, self.source), f"{self.repo}: {digest} was not mounted"
            self.mounted.add(digest)
        self.in_flight = None

    # -- afterwards ------------------------------------------------------------------------------------------------------

    def verify(self, whole=True):
        """After a restart. Raises AssertionError when something acknowledged is not so. It knows little enough to look at all of it each time."""
        del whole
        self.connect()
        kind, name, then = self.in_flight or (None, None, None)
        self.verify_tags(name if kind == "tag" else None, then)
        for digest in self.fresh + self.random.sample(sorted(self.images), min(5, len(self.images))):
            r = self.http.get(f"/v2/{self.repo}/manifests/{digest}", headers={"Accept": IMAGE})
            if digest == then and r.status == 404:
                continue
            expect(r, 200, what=f"{self.repo}: {digest} was acknowledged")
            assert r.body == self.images[digest]
        if kind == "tag" and then not in (None, *self.fresh, *self.tags.values()):
            self.verify_maybe(then)
        self.verify_blobs(name if kind == "blob" else None)
        self.fresh.clear()
        self.in_flight = None

    def verify_tags(self, unsure, then):
        there = {t: sha256(self.oci.get_manifest(self.repo, t)) for t in self.oci.tags(self.repo) or []}
        for tag in {*there, *self.tags}:
            right = {self.tags.get(tag)} | ({then} if tag == unsure else set())
            assert there.get(tag) in right, f"{self.repo}:{tag} is {there.get(tag)}, acknowledged was {self.tags.get(tag)}"
        self.tags = there

    def verify_maybe(self, digest):
        """The image of an unanswered request, whose tag is not there: it is not there either."""
        r = self.http.get(f"/v2/{self.repo}/manifests/{digest}", headers={"Accept": IMAGE})
        if r.status == 404:
            del self.images[digest]
            return
        assert expect(r, 200).body == self.images[digest]

    def verify_blobs(self, unsure):
        for digest in self.offers:
            there = self.oci.has_blob(self.repo, digest)
            if digest != unsure:
                said = digest in self.mounted
                collected = said and self.recent.is_over(digest)
                assert there == said or collected, f"{self.repo}: {digest} is {'there' if there else 'gone'}, acknowledged was the opposite"
                self.counts["collected"] = self.counts.get("collected", 0) + (collected and not there)
            (self.mounted.add if there else self.mounted.discard)(digest)
        for data in (CONFIG, LAYER):
            assert self.oci.get_blob(self.repo, sha256(data)) == data
