"""What an OCI client does, in plain requests: enough to push, mount, tag and read back images of any shape."""

import hashlib
import json
import random
import urllib.parse

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def sha512(data):
    return "sha512:" + hashlib.sha512(data).hexdigest()


def blob(seed, size=1000):
    """Bytes that look random and are the same for the same seed."""
    return random.Random(f"{seed}/{size}").randbytes(size)


def descriptor(data, media_type=LAYER, **more):
    return {"mediaType": media_type, "digest": sha256(data), "size": len(data), **more}


def manifest(config, layers, media_type=IMAGE, **more):
    """The bytes of an image manifest over config and layers (bytes each)."""
    m = {"schemaVersion": 2, "mediaType": media_type, "config": descriptor(config, CONFIG), "layers": [descriptor(x) for x in layers], **more}
    return json.dumps(m, indent=1).encode()


def join(location, **query):
    """Appends query parameters to a Location, which may have some already."""
    return location + ("&" if "?" in location else "?") + urllib.parse.urlencode(query, safe=":")


class Refused(AssertionError):
    def __init__(self, what, response):
        super().__init__(f"{what}: {response!r}")
        self.response = response


def expect(response, *statuses, what=""):
    if response.status not in statuses:
        raise Refused(what or f"expected {statuses}", response)
    return response


class Oci:
    """The /v2/ of one server through one Http connection."""

    def __init__(self, http):
        self.http = http

    def upload(self, repo, **query):
        """Opens an upload; returns its Location."""
        r = self.http.post(f"/v2/{repo}/blobs/uploads/" + ("?" + urllib.parse.urlencode(query) if query else ""))
        return expect(r, 202, what="open upload")["Location"]

    def push_blob(self, repo, data, digest=None, at=None):
        """POST and one PUT. at: the Location of an upload that is open already."""
        digest = digest or sha256(data)
        r = self.http.put(join(at or self.upload(repo), digest=digest), data, headers={"Content-Type": "application/octet-stream"})
        expect(r, 201, what=f"push {digest} to {repo}")
        return digest

    def has_blob(self, repo, digest):
        return expect(self.http.head(f"/v2/{repo}/blobs/{digest}"), 200, 404).status == 200

    def get_blob(self, repo, digest):
        return expect(self.http.get(f"/v2/{repo}/blobs/{digest}"), 200, what=f"get {digest} of {repo}").body

    def delete_blob(self, repo, digest):
        return expect(self.http.delete(f"/v2/{repo}/blobs/{digest}"), 202)

    def mount_request(self, repo, digest, source=None, **more):
        query = {"mount": digest, **({"from": source} if source is not None else {}), **more}
        return self.http.post(f"/v2/{repo}/blobs/uploads/?" + urllib.parse.urlencode(query))

    def mount(self, repo, digest, source=None, **more):
        """True: mounted. False: refused with a usable 202, which is cancelled."""
        r = expect(self.mount_request(repo, digest, source, **more), 201, 202, what="mount")
        if r.status == 201:
            assert r["Docker-Content-Digest"] == digest
            return True
        expect(self.http.delete(r["Location"]), 204, what="cancel the upload of a refused mount")
        return False

    def put_manifest(self, repo, reference, data, media_type=IMAGE):
        r = self.http.put(f"/v2/{repo}/manifests/{reference}", data, headers={"Content-Type": media_type})
        expect(r, 201, what=f"put manifest {repo}:{reference}")
        return r["Docker-Content-Digest"]

    def get_manifest(self, repo, reference, accept=f"{IMAGE}, {INDEX}, {DOCKER}"):
        return expect(self.http.get(f"/v2/{repo}/manifests/{reference}", headers={"Accept": accept}), 200, what=f"get {repo}:{reference}").body

    def delete_manifest(self, repo, reference):
        return expect(self.http.delete(f"/v2/{repo}/manifests/{reference}"), 202)

    def tags(self, repo):
        return expect(self.http.get(f"/v2/{repo}/tags/list"), 200).json()["tags"]

    def push_image(self, repo, tag, layers, mount_from=None, config=None, **more):
        """Pushes as clients do: what is there is left, what can be mounted is mounted. Returns (digest, manifest bytes)."""
        config = config if config is not None else json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}, "t": tag}).encode()
        for data in [*layers, config]:
            digest = sha256(data)
            if self.has_blob(repo, digest):
                continue
            if mount_from and data is not config and self.mount(repo, digest, mount_from):
                continue
            self.push_blob(repo, data)
        m = manifest(config, layers, **more)
        return self.put_manifest(repo, tag, m), m

    def check_image(self, repo, reference):
        """Reads an image back whole; every byte must match its digest. Returns the number of bytes."""
        total = 0
        body = self.get_manifest(repo, reference)
        if reference.startswith("sha256:"):
            assert sha256(body) == reference
        m = json.loads(body)
        for d in [*m.get("layers", []), *([m["config"]] if "config" in m else [])]:
            data = self.get_blob(repo, d["digest"])
            assert len(data) == d["size"] and sha256(data) == d["digest"], f"{repo}: {d['digest']} reads back wrong"
            total += len(data)
        for d in m.get("manifests", []):
            total += self.check_image(repo, d["digest"])
        return total
