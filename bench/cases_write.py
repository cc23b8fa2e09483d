"""What clients write: mounts, tags, blobs, images, deletions."""

import hashlib
import json
import os
import subprocess
import sys
import time

from harness.oci import blob, sha256

MIB = 1 << 20
TAGS, DIGESTS = 2000, 600


class Writes:
    def mount(self):
        """Every request is a new (repository, digest)."""
        self.prepare_mounts(150 if self.quick else 1500)
        at = {p: 0 for p in self.registries}
        for connections in (1, 8, 32, 64):
            for _ in range(self.rounds):
                for peer in self.registries:
                    at[peer] += self.mounts(peer, f"mount{connections}", connections, at[peer])
        for _ in range(self.rounds):
            for peer in self.registries:
                self.mounts(peer, "remount", 8, 0)

    def prepare_mounts(self, targets):
        """Digests of a source, to be mounted into ever more repositories."""
        data = [blob(f"mount{i}", 100) for i in range(DIGESTS)]
        (self.folder / "digests").write_text("".join(sha256(d) + "\n" for d in data))
        for peer in self.registries:
            peer.create(["bench/source", *[f"bench/t{i}" for i in range(targets if peer.needs_repositories else 0)]])
            oci = peer.oci()
            for d in data:
                oci.push_blob("bench/source", d)

    def mounts(self, peer, case, connections, first):
        """A round from request `first` on; returns by how much the next has to begin later: whole repositories, because what was in
        flight at the end must not be sent again."""
        rate, got = self.wrk(peer, "requests.lua", "/", connections, BENCH_MODE="mount", BENCH_LIST=self.folder / "digests", BENCH_REPO="bench/source", BENCH_FROM=first)
        self.keep(case, peer, rate, p50_ms=got["p50_ms"], p99_ms=got["p99_ms"], cpu_us=got["cpu_us"])
        return (got["requests"] // DIGESTS + 2) * DIGESTS

    def tag(self):
        at = {p: 0 for p in self.registries}
        for _ in range(self.rounds):
            for peer in self.registries:
                at[peer] += self.tags(peer, at[peer])

    def tags(self, peer, first):
        """As mounts."""
        rate, got = self.wrk(peer, "requests.lua", "/", 8, BENCH_MODE="tag", BENCH_LIST=self.manifest_file, BENCH_REPO="bench/app", BENCH_FROM=first)
        self.keep("tag", peer, rate, p50_ms=got["p50_ms"], p99_ms=got["p99_ms"], cpu_us=got["cpu_us"])
        return got["requests"] + 100

    def untag(self):
        """Seconds until a manifest with two thousand tags is gone, tags and all."""
        body = json.loads(self.manifest_file.read_text())
        for n in range(self.rounds):
            body["annotations"] = {"round": str(n)}
            text = json.dumps(body).encode()
            for peer in self.registries:
                peer.create([f"bench/untag{n}"])
                oci = peer.oci()
                self.copy_blobs(oci, f"bench/untag{n}")
                for i in range(TAGS // (10 if self.quick else 1)):
                    oci.put_manifest(f"bench/untag{n}", f"t{i}", text)
                began = time.perf_counter()
                oci.delete_manifest(f"bench/untag{n}", sha256(text))
                self.keep("untag", peer, (time.perf_counter() - began) * 1000)

    def blobs(self):
        """Small blobs, each of its own bytes: POST and one PUT."""
        at = {p: 0 for p in self.registries}
        for size, connections, case in ((1024, 64, "push1k"), (65536, 8, "push64k"), (MIB, 8, "push1m")):
            for _ in range(self.rounds):
                for peer in self.registries:
                    at[peer] += self.small_pushes(peer, case, connections, size, at[peer])

    def small_pushes(self, peer, case, connections, size, first):
        """As mounts."""
        cpu = peer.cpu()
        got = self.load(peer, "small", connections, size, self.seconds, first)
        self.keep(case, peer, got["pushed"] / got["seconds"], cpu_us=(peer.cpu() - cpu) * 1e6 / got["pushed"])
        return got["pushed"] + connections

    def load(self, peer, *args):
        done = subprocess.run(
            [self.out / "load", "127.0.0.1", str(peer.port), "bench/app", *map(str, args), *([peer.authorization] if peer.authorization else [])],
            env=self.env, stdout=subprocess.PIPE, encoding="utf-8")
        got = json.loads(done.stdout or "{}")
        if done.returncode:
            sys.exit(f"{peer.name} refused some of the blobs: {got}")
        return got

    def big_file(self, number):
        """A file whose bytes differ from round to round; returns (path, digest). Written once, then its head is changed."""
        path = self.folder / "big"
        if not path.exists():
            piece = os.urandom(16 * MIB)
            with open(path, "wb") as f:
                for i in range(self.big // len(piece)):
                    f.write(i.to_bytes(8, "big") + piece[8:])
        with open(path, "r+b") as f:
            f.write(b"%015d\n" % number)
        with open(path, "rb") as f:
            return path, "sha256:" + hashlib.file_digest(f, "sha256").hexdigest()

    def push_big(self, peer, path, digest, how="monolithic"):
        """Seconds for POST, one PATCH with the file (or streamed, or in pieces of 16 MiB), closing PUT."""
        base = f"http://127.0.0.1:{peer.port}"
        began = time.perf_counter()
        out = self.curl(peer, "-D", "-", "-o", "/dev/null", "-X", "POST", "-H", "Content-Length: 0", f"{base}/v2/bench/app/blobs/uploads/")
        where = self.location(base, out)
        common = ["-D", "-", "-o", "/dev/null", "-X", "PATCH", "-H", "Content-Type: application/octet-stream"]
        if how == "chunked":
            where = self.push_pieces(peer, path, where, common, base)
        else:
            source = ["-H", "Transfer-Encoding: chunked", "-T", path] if how == "streamed" else ["-T", path]
            where = self.location(base, self.curl(peer, *common, *source, where))
        self.curl(peer, "-o", "/dev/null", "-X", "PUT", "-H", "Content-Length: 0", where + ("&" if "?" in where else "?") + "digest=" + digest)
        return time.perf_counter() - began

    def push_pieces(self, peer, path, where, common, base, size=16 * MIB):
        with open(path, "rb") as f:
            at = 0
            while piece := f.read(size):
                (self.folder / "piece").write_bytes(piece)
                out = self.curl(peer, *common, "-H", f"Content-Range: {at}-{at + len(piece) - 1}", "-T", self.folder / "piece", where)
                where, at = self.location(base, out), at + len(piece)
        return where

    @staticmethod
    def location(base, headers):
        where = next(x.split(": ", 1)[1].strip() for x in headers.splitlines() if x.lower().startswith("location: "))
        return where if where.startswith("http") else base + where

    def push(self):
        for n in range(self.rounds):
            path, digest = self.big_file(n)
            for peer in [*self.registries, self.plain]:
                os.sync()  # what an earlier push left unwritten must not cost this one
                cpu = peer.cpu()
                self.keep("push", peer, self.push_big(peer, path, digest), cpu_us=(peer.cpu() - cpu) * 1e6)
                peer.oci().delete_blob("bench/app", digest)
            self.hash_and_write(path)
        for how in ("streamed", "chunked"):
            path, digest = self.big_file(500 + len(how))
            for peer in self.registries:
                os.sync()
                self.keep(how, peer, self.push_big(peer, path, digest, how))

    def hash_and_write(self, path):
        """What the machine needs at least: hashing the file, and writing it with fsync."""
        for name, *command in (
                ("only hashing", "openssl", "dgst", "-sha256", path),
                ("only writing, fsync", "dd", f"if={path}", f"of={path}.copy", "bs=1M", "conv=fsync"),
                ("only writing directly, fsync", "dd", f"if={path}", f"of={path}.copy", "bs=1M", "oflag=direct", "conv=fsync")):
            os.sync()
            began = time.perf_counter()
            subprocess.run(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            self.keep("push", name, time.perf_counter() - began)
            if os.path.exists(f"{path}.copy"):
                os.unlink(f"{path}.copy")

    # -- a real client ---------------------------------------------------------------------------------------------------

    def image(self):
        """skopeo pushes an image of 64 MiB, then one that shares all but the last MiB with it, to another repository."""
        for n in range(max(2, self.rounds - 2)):
            shared = [os.urandom((4 if self.quick else 9) * MIB) for _ in range(7)]
            for peer in self.registries:
                peer.create([f"bench/image{n}", f"bench/sharing{n}"])
                self.keep("image", peer, self.skopeo(peer, f"bench/image{n}", [*shared, os.urandom(MIB)]))
                self.keep("sharing", peer, self.skopeo(peer, f"bench/sharing{n}", [*shared, os.urandom(MIB)]))

    def skopeo(self, peer, repository, layers):
        folder = self.folder / "image"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        diff_ids = [sha256(x) for x in layers]
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
        (folder / "version").write_text("Directory Transport Version: 1.1\n")
        for data in [config, *layers]:
            (folder / sha256(data)[7:]).write_bytes(data)
        of = lambda data, kind: {"mediaType": f"application/vnd.oci.image.{kind}", "digest": sha256(data), "size": len(data)}  # noqa: E731
        (folder / "manifest.json").write_text(json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": of(config, "config.v1+json"), "layers": [of(x, "layer.v1.tar") for x in layers]}))
        credentials = ["--dest-creds", f"AWS:{peer.server.token}"] if peer.authorization else []
        began = time.perf_counter()
        subprocess.run(["skopeo", "copy", "-q", "--dest-tls-verify=false", *credentials, f"dir:{folder}", f"docker://127.0.0.1:{peer.port}/{repository}:v1"],
                       env=self.env, check=True, stdin=subprocess.DEVNULL)
        return time.perf_counter() - began
