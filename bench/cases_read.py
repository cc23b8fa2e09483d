"""What clients read: manifests, blobs, lists."""

import hashlib
import http.client
import shutil
import sys
import time

from harness.certificate import make_certificate
from harness.oci import blob, manifest, sha256

MIB = 1 << 20
TAGS = 2000
CONFIG = b'{"architecture":"amd64","os":"linux"}'
LAYERS = [blob(f"layer{i}", 2000) for i in range(8)]


class Reads:
    def prepare_image(self):
        """A manifest of a usual size, in each registry as bench/app:v1 and in nginx as a file of the same bytes."""
        body = manifest(CONFIG, LAYERS)
        self.manifest_file = self.folder / "manifest"
        self.manifest_file.write_bytes(body)
        self.manifest_digest, self.manifest_bytes = sha256(body), len(body)
        for peer in self.registries:
            peer.create(["bench/app"])
            peer.oci().push_image("bench/app", "v1", LAYERS, config=CONFIG)
        self.serve_file("manifest", body)

    def serve_file(self, name, body):
        (self.nginx.folder / "www" / name).write_bytes(body)

    def rounds_of(self, case, peers, url_of, connections=32, **env):
        """wrk's rate of the same request, over and over, at each of the peers in turn."""
        for _ in range(self.rounds):
            for peer in peers:
                rate, got = self.wrk(peer, "get.lua", url_of(peer), connections, **env)
                self.keep(case, peer, rate, p99_ms=got["p99_ms"], cpu_us=got["cpu_us"])

    def manifest(self):
        self.rounds_of("manifest", [*self.registries, self.nginx], lambda p: "/manifest" if p is self.nginx else "/v2/bench/app/manifests/v1")

    def digest(self):
        self.rounds_of("digest", [*self.registries, self.nginx], lambda p: "/manifest" if p is self.nginx else f"/v2/bench/app/manifests/{self.manifest_digest}")

    def tls(self):
        """The manifest again, over TLS as each server does it without further settings."""
        peers = [*self.registries, self.nginx]
        make_certificate(self.folder, "127.0.0.1")
        for peer in peers:
            peer.stop()
            peer.tls = self.folder
            peer.start()
        self.rounds_of("tls", peers, lambda p: "/manifest" if p is self.nginx else "/v2/bench/app/manifests/v1")
        for peer in peers:
            peer.stop()
            peer.tls = None
            peer.start()

    def small(self):
        """GET of small blobs; the same bytes as files for nginx."""
        for size, case in ((1024, "get1k"), (MIB, "get1m")):
            data = blob(case, size)
            for peer in self.registries:
                peer.oci().push_blob("bench/app", data)
            self.serve_file(case, data)
            url = lambda p: f"/{case}" if p is self.nginx else f"/v2/bench/app/blobs/{sha256(data)}"  # noqa: B023, E731
            self.rounds_of(case, [*self.registries, self.nginx], url)
            if size == MIB:
                self.rounds_of("range", [*self.registries, self.nginx], url, BENCH_RANGE="bytes=500000-565535")

    def head(self):
        """What a client asks before it pushes a layer."""
        for _ in range(self.rounds):
            for peer in self.registries:
                cpu = peer.cpu()
                got = self.load(peer, "heads", 32, self.seconds, sha256(LAYERS[0]))
                self.keep("head", peer, got["pushed"] / got["seconds"], cpu_us=(peer.cpu() - cpu) * 1e6 / got["pushed"])

    def lists(self):
        """A page of a thousand out of two thousand tags."""
        body = self.manifest_file.read_bytes()
        for peer in self.registries:
            peer.create(["bench/tags"])
            oci = peer.oci()
            self.copy_blobs(oci, "bench/tags")
            for i in range(TAGS):
                oci.put_manifest("bench/tags", f"tag-{i:05}", body)
        self.rounds_of("tags", self.registries, lambda _: "/v2/bench/tags/tags/list?n=1000", connections=8)

    def copy_blobs(self, oci, repository):
        """What the manifest of bench/app needs, in another repository."""
        for data in (CONFIG, *LAYERS):
            oci.push_blob(repository, data)

    def get(self):
        path, digest = self.big_file(1000)
        for peer in [*self.registries, self.plain]:
            self.push_big(peer, path, digest)
        shutil.copy(path, self.nginx.folder / "www/big")
        for n in range(self.rounds + 1):
            for peer in [*self.registries, self.plain, self.nginx]:
                url = "/big" if peer is self.nginx else f"/v2/bench/app/blobs/{digest}"
                began, cpu = time.perf_counter(), peer.cpu()
                self.curl(peer, "-o", "/dev/null", f"http://127.0.0.1:{peer.port}{url}")
                took, cpu = time.perf_counter() - began, peer.cpu() - cpu
                if n:  # the first one warms the page cache
                    self.keep("get", peer, self.big / MIB / took, cpu_us=cpu * 1e6)
                    if peer is not self.nginx:
                        self.keep("pull", peer, self.big / MIB / self.pull_checked(peer, url, digest))

    @staticmethod
    def pull_checked(peer, url, digest):
        """Seconds for a GET by a client that compares the digest as it reads, as every registry client does."""
        connection = http.client.HTTPConnection("127.0.0.1", peer.port)
        began = time.perf_counter()
        connection.request("GET", url, headers={"Authorization": peer.authorization} if peer.authorization else {})
        answer, hash_, buffer = connection.getresponse(), hashlib.sha256(), memoryview(bytearray(MIB))
        while n := answer.readinto(buffer):
            hash_.update(buffer[:n])
        took = time.perf_counter() - began
        connection.close()
        if digest != "sha256:" + hash_.hexdigest():
            sys.exit(f"{peer.name}: the bytes are not those that were pushed")
        return took
