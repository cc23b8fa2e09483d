"""Pushes images into a repository whose lifecycle policy keeps only the newest ones: these are there, each whole, and no other is half there."""

import http.client
import json
import random

from .http import Http
from .oci import Oci, Refused, blob, manifest, sha256
from .writer import Fresh, Gone

KEPT = 4  # by the policy
LAYERS = [blob(f"roller/{i}", 2000) for i in range(5)]
POLICY = json.dumps({"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": KEPT}, "action": {"type": "expire"}}]})


class Roller:
    """grace_s: the server's --collect-grace."""

    def __init__(self, server, repo, grace_s):
        self.repo, self.grace_s, self.port, self.token = repo, grace_s, server.port, server.token
        self.random = random.Random(repo)
        self.serial = 0
        self.pushed = []       # tags, in the order in which they were acknowledged
        self.bodies = {}       # tag -> manifest
        self.in_flight = None  # a tag
        self.counts = {"rolled": 0, "expired": 0}
        server.client("ecr").put_lifecycle_policy(repositoryName=repo, lifecyclePolicyText=POLICY)
        self.connect()

    def connect(self):
        self.http = Http(self.port, auth=("AWS", self.token), timeout=20)
        self.oci = Oci(self.http)

    def step(self):
        self.serial += 1
        tag = f"r{self.serial}"
        config = json.dumps({"n": tag, "repo": self.repo}).encode()
        layers = self.random.sample(LAYERS, 2)
        self.bodies[tag] = manifest(config, layers)
        fresh = Fresh(self.grace_s)
        self.in_flight = tag
        try:
            for data in (config, *layers):
                fresh.begins(sha256(data))
                self.oci.push_blob(self.repo, data)
            self.oci.put_manifest(self.repo, tag, self.bodies[tag])
            self.pushed.append(tag)
            self.counts["rolled"] += 1
        except Refused as e:
            if not fresh.excuses(e, fresh.since):
                raise
        except (OSError, http.client.HTTPException) as e:
            raise Gone from e
        self.in_flight = None

    def verify(self, whole=True):
        del whole
        self.connect()
        there = set(self.oci.tags(self.repo) or [])
        # One more may be there than was acknowledged, and one fewer of these.
        surely = self.pushed[-(KEPT - 1):]
        assert there >= set(surely), f"{self.repo}: of {surely} there are only {sorted(there)}"
        assert there <= {*self.pushed, self.in_flight}, f"{self.repo}: {sorted(there)}, but {sorted(self.pushed)} were pushed"
        there = {tag for tag in there if self.is_whole(tag, tag in surely)}
        if self.in_flight in there:
            self.pushed.append(self.in_flight)
        self.in_flight = None
        self.counts["expired"] += len(self.pushed) - len(there)
        self.pushed = [t for t in self.pushed if t in there]

    def is_whole(self, tag, surely):
        """Checks an image; False when it expires just now: the server carries out the policy a second after its start."""
        try:
            assert self.oci.get_manifest(self.repo, tag) == self.bodies[tag]
            self.oci.check_image(self.repo, tag)
        except Refused as e:
            if surely or e.response.status != 404 or tag in (self.oci.tags(self.repo) or []):
                raise
            return False
        return True
