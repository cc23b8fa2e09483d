"""A writer that knows what was acknowledged: it pushes, mounts, tags and deletes, and afterwards says what must be there.

Each writer owns one repository, so what it was told is the whole truth about it. An operation whose answer did not arrive may or may
not have happened; either is right, half of it is not. A layer that no image needs may be collected when its grace is over, and not before.
"""

import http.client
import json
import random
import time

from .http import Http
from .oci import IMAGE, Oci, Refused, blob, expect, join, manifest, sha256

BLOBS_KEPT = 24
IMAGES_KEPT = 10
PIECE = 20_000


class Gone(Exception):
    """The server went away before it answered."""


class Fresh:
    """When digests were pushed, mounted or given up: from then on the server keeps them for half of its grace at least (a mount of what is
    there renews a link only in the second half of its time)."""

    def __init__(self, grace_s):
        self.grace_s = grace_s
        self.since = {}

    def begins(self, *digests):
        """To be called before the request that renews them."""
        now = time.monotonic()
        self.since.update((d, now) for d in digests)

    def is_over(self, digest):
        return time.monotonic() - self.since[digest] > self.grace_s / 2

    def excuses(self, refused, digests):
        """Whether a manifest may be refused, or a layer be unknown, because one of these was collected."""
        r = refused.response
        return r.status in (400, 404) and bool({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"} & set(r.codes())) and any(map(self.is_over, digests))


class Upload:
    """A chunked upload that goes on over restarts: a stream of known bytes, and how much of it was acknowledged."""

    def __init__(self, seed, location):
        self.seed, self.location, self.acked = seed, location, 0

    def bytes(self, start, end):
        return blob(self.seed, 8 * PIECE)[start:end]


class Writer:
    """shared: a list of (repository, digest, bytes) that all writers offer for mounting; appended to only after the answer.
    grace_s: the server's --collect-grace."""

    def __init__(self, repo, port, token, seed, shared, sizes=(10, 1000, 5000, 70_000, 200_000), grace_s=24 * 3600):
        self.repo, self.shared, self.sizes = repo, shared, sizes
        self.random = random.Random(seed)
        self.serial = 0
        self.blobs = {}      # digest -> bytes: must be there
        self.images = {}     # digest -> manifest bytes: must be there, complete
        self.tags = {}       # tag -> digest
        self.maybe = set()   # ("blob", digest), ("image", digest), ("tag", tag): unknown since the server went away
        self.fresh = Fresh(grace_s)
        self.upload = None
        self.counts = {}
        self.port, self.token = port, token
        self.connect()

    def connect(self):
        self.http = Http(self.port, auth=("AWS", self.token), timeout=20)
        self.oci = Oci(self.http)

    # -- one operation ---------------------------------------------------------------------------------------------------

    def step(self):
        """One random operation. Raises Gone when the server does not answer any more."""
        moves = [(self.push, 4), (self.mount, 3), (self.tag, 5), (self.untag, 2), (self.retag, 2), (self.delete_image, 1), (self.delete_blob, 1), (self.resume, 3)]
        move = self.random.choices([m for m, _ in moves], [w for _, w in moves])[0]
        if len(self.blobs) > BLOBS_KEPT:
            move = self.delete_blob
        if len(self.images) > IMAGES_KEPT:
            move = self.delete_image
        try:
            move()
        except (OSError, http.client.HTTPException) as e:
            raise Gone from e
        self.counts[move.__name__] = self.counts.get(move.__name__, 0) + 1

    def unsure(self, *what):
        """Until told otherwise the outcome of the operation that begins now is unknown."""
        self.maybe.add(what)

    def sure(self, *what):
        self.maybe.discard(what)

    def brings(self, digest):
        self.unsure("blob", digest)
        self.fresh.begins(digest)

    def new_bytes(self):
        self.serial += 1
        return blob(f"{self.repo}/{self.serial}", self.random.choice(self.sizes))

    def push(self):
        data = self.new_bytes()
        digest = sha256(data)
        self.brings(digest)
        self.oci.push_blob(self.repo, data)
        self.blobs[digest] = data
        self.sure("blob", digest)
        self.shared.append((self.repo, digest, data))

    def mount(self):
        offers = [o for o in self.shared[-25:] if o[0] != self.repo and o[1] not in self.blobs]
        if not offers:
            return self.push()
        source, digest, data = self.random.choice(offers)
        self.brings(digest)
        if self.oci.mount(self.repo, digest, source):  # else its owner deleted it meanwhile
            self.blobs[digest] = data
            self.counts["mounted"] = self.counts.get("mounted", 0) + 1
        self.sure("blob", digest)
        return None

    def tag(self):
        if not self.blobs:
            return self.push()
        layers = self.random.sample(sorted(self.blobs), min(len(self.blobs), self.random.randint(1, 3)))
        self.serial += 1
        config = json.dumps({"n": self.serial, "repo": self.repo}).encode()
        self.brings(sha256(config))
        self.oci.push_blob(self.repo, config)
        self.blobs[sha256(config)] = config
        self.sure("blob", sha256(config))
        body = manifest(config, [self.blobs[d] for d in layers])
        self.point(f"t{self.random.randrange(8)}", body, [d for d in layers if d not in self.needed()])
        return None

    def retag(self):
        if not self.images:
            return self.tag()
        self.point(f"t{self.random.randrange(8)}", self.images[self.random.choice(sorted(self.images))])
        return None

    def point(self, tag, body, unneeded=()):
        """unneeded: layers that only their grace keeps until the image is there."""
        digest = sha256(body)
        known = digest in self.images
        self.unsure("tag", tag)
        if not known:
            self.unsure("image", digest)
            self.images[digest] = body
        try:
            self.oci.put_manifest(self.repo, tag, body)
            self.tags[tag] = digest
        except Refused as e:
            if not self.fresh.excuses(e, unneeded):
                raise
            del self.images[digest]
            for d in filter(self.fresh.is_over, unneeded):  # which of them, it does not say
                self.blobs.pop(d)
        self.sure("tag", tag)
        if not known:
            self.sure("image", digest)

    def untag(self):
        if self.tags:
            tag = self.random.choice(sorted(self.tags))
            self.unsure("tag", tag)
            self.oci.delete_manifest(self.repo, tag)
            del self.tags[tag]
            self.sure("tag", tag)

    def delete_image(self):
        if self.images:
            digest = self.random.choice(sorted(self.images))
            gone = [t for t, d in self.tags.items() if d == digest]
            self.unsure("image", digest)
            for t in gone:
                self.unsure("tag", t)
            self.fresh.begins(*needs(self.images[digest]))
            self.oci.delete_manifest(self.repo, digest)
            del self.images[digest]
            self.sure("image", digest)
            for t in gone:
                del self.tags[t]
                self.sure("tag", t)

    def needed(self):
        return {digest for body in self.images.values() for digest in needs(body)}

    def delete_blob(self):
        """Of a layer that no image of this repository needs."""
        free = sorted(set(self.blobs) - self.needed())
        if free:
            digest = self.random.choice(free)
            self.unsure("blob", digest)
            try:
                self.oci.delete_blob(self.repo, digest)
            except Refused as e:
                if not self.fresh.excuses(e, [digest]):
                    raise
            del self.blobs[digest]
            self.sure("blob", digest)
        elif len(self.blobs) > BLOBS_KEPT:
            self.delete_image()

    def resume(self):
        """A piece of the chunked upload, or its end."""
        if self.upload is None:
            self.serial += 1
            self.upload = Upload(f"{self.repo}/up/{self.serial}", self.oci.upload(self.repo))
            return
        u = self.upload
        if u.acked < 8 * PIECE:
            data = u.bytes(u.acked, u.acked + PIECE)
            r = self.http.patch(u.location, data, headers={"Content-Range": f"{u.acked}-{u.acked + len(data) - 1}", "Content-Type": "application/octet-stream"})
            expect(r, 202, what="chunk")
            u.acked += len(data)
            u.location = r["Location"]
            return
        data = u.bytes(0, u.acked)
        digest = sha256(data)
        self.brings(digest)
        self.upload = None
        expect(self.http.put(join(u.location, digest=digest)), 201, what="end of a resumed upload")
        self.blobs[digest] = data
        self.sure("blob", digest)
        self.shared.append((self.repo, digest, data))
        self.counts["resumed"] = self.counts.get("resumed", 0) + 1

    # -- afterwards ------------------------------------------------------------------------------------------------------

    def verify(self, whole=False):
        """After a restart: everything acknowledged is there; what was in flight is there whole, or not at all."""
        self.connect()
        self.verify_tags()
        self.verify_images()
        self.verify_blobs(whole)
        self.verify_upload()
        self.maybe.clear()

    def verify_tags(self):
        unsure = {t for kind, t in self.maybe if kind == "tag"}
        there = set(self.oci.tags(self.repo) or [])
        wrong = (there ^ set(self.tags)) - unsure
        assert not wrong, f"{self.repo}: tags {wrong}: there {sorted(there)}, acknowledged {sorted(self.tags)}"
        for tag in sorted(there):
            digest = sha256(self.oci.get_manifest(self.repo, tag))
            if tag in unsure:
                assert digest in self.images, f"{self.repo}:{tag} is an image that nobody pushed"
                self.tags[tag] = digest
            else:
                assert digest == self.tags[tag], f"{self.repo}:{tag} is {digest}, acknowledged was {self.tags[tag]}"
        for tag in unsure - there:
            self.tags.pop(tag, None)

    def verify_images(self):
        for digest, body in list(self.images.items()):
            r = self.http.get(f"/v2/{self.repo}/manifests/{digest}", headers={"Accept": IMAGE})
            if r.status == 404 and ("image", digest) in self.maybe:
                del self.images[digest]
                continue
            assert expect(r, 200, what=f"image {digest} of {self.repo}").body == body
            self.oci.check_image(self.repo, digest)

    def verify_blobs(self, whole):
        needed = self.needed()
        for digest, data in list(self.blobs.items()):
            if not self.oci.has_blob(self.repo, digest):
                collected = digest not in needed and self.fresh.is_over(digest)
                assert collected or ("blob", digest) in self.maybe, f"{self.repo}: {digest} was acknowledged and is gone"
                self.counts["collected"] = self.counts.get("collected", 0) + (collected and ("blob", digest) not in self.maybe)
                del self.blobs[digest]
            elif whole or self.random.random() < 0.2:
                assert self.oci.get_blob(self.repo, digest) == data
        for kind, digest in self.maybe:
            if kind == "blob" and digest not in self.blobs and self.oci.has_blob(self.repo, digest):
                got = self.oci.get_blob(self.repo, digest)
                assert sha256(got) == digest, f"{self.repo}: {digest} is there and wrong"
                self.blobs[digest] = got

    def verify_upload(self):
        u = self.upload
        if u is None:
            return
        r = expect(self.http.get(u.location), 204, what=f"status of the upload with {u.acked} bytes acknowledged")
        have = int(r["Range"].partition("-")[2]) + 1
        assert have >= u.acked or u.acked == 0, f"{self.repo}: {u.acked} bytes acknowledged, {have} kept"
        u.acked = have if have > 1 else 0
        u.location = r["Location"] or u.location


def needs(body):
    """The digests that a manifest names."""
    m = json.loads(body)
    return [d["digest"] for d in [m["config"], *m["layers"]]]


def total(writers):
    counts = {}
    for w in writers:
        for k, v in w.counts.items():
            counts[k] = counts.get(k, 0) + v
    return counts
