"""Measures Berth, Debian's docker-registry and nginx in interleaved rounds, and writes build/bench/results.json and
docs/performance.md (without arguments only: a partial or quick run leaves the page alone).

usage: bench.py [--quick] [CASE...]     cases: manifest mount tag push get idle pushes start
"""

import argparse
import hashlib
import http.client
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from peers import ROOT, Berth, BerthOnDisk, DockerRegistry, Nginx
from harness.env import clean_env
from harness.oci import blob, manifest, sha256
from report import write_page

OUT = ROOT / "build/bench"
MIB = 1 << 20


class Bench:
    def __init__(self, quick):
        self.quick = quick
        self.rounds = 2 if quick else 5
        self.seconds = 1 if quick else 4
        self.big = (128 if quick else 1024) * MIB
        self.many, self.many_mib = (16, 64) if quick else (64, 1024 if os.environ.get("BENCH_FULL_PUSHES") else 256)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-bench-", dir=os.environ.get("BENCH_DIR", OUT)))
        self.env = clean_env(self.folder)
        self.berth, self.docker, self.nginx = Berth(self.folder / "berth"), DockerRegistry(self.folder / "docker"), Nginx(self.folder / "nginx")
        self.registries = [self.berth, self.docker]
        self.plain = BerthOnDisk(self.folder / "berth-disk")
        self.results = {}

    def close(self):
        for peer in [*self.registries, self.nginx, self.plain]:
            peer.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- running and keeping ---------------------------------------------------------------------------------------------

    def keep(self, case, peer, value, **more):
        """One measurement of a round."""
        entry = self.results.setdefault(case, {}).setdefault(peer if isinstance(peer, str) else peer.name, {"rounds": []})
        entry["rounds"].append(value)
        for k, v in more.items():
            entry.setdefault(k, []).append(v)
        print(f"  {case:10} {peer if isinstance(peer, str) else peer.name:16} {value:12.4g}", flush=True)

    def wrk(self, peer, script, url, connections, **env):
        """Answers a second, and the rest of what the script prints. Any wrong answer ends the run."""
        done = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{self.seconds}s", "--timeout", "20s", "-s", ROOT / "bench" / script, f"http://127.0.0.1:{peer.port}{url}"],
            env={**self.env, "BENCH_AUTH": peer.authorization, **{k: str(v) for k, v in env.items()}}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        lines = [x for x in done.stdout.splitlines() if x.startswith("JSON ")]
        if done.returncode or not lines:
            sys.exit(f"wrk failed on {peer.name}:\n{done.stdout}")
        got = json.loads(lines[0][5:])
        if got["wrong"]:
            sys.exit(f"{peer.name}: {got['wrong']} of {got['requests']} answers were wrong:\n{done.stdout}")
        return got["requests"] / got["seconds"], got

    def curl(self, peer, *args):
        auth = ["-H", f"Authorization: {peer.authorization}"] if peer.authorization else []
        done = subprocess.run(["curl", "-sS", "--fail", *auth, "-H", "Expect:", *map(str, args)], env=self.env, stdout=subprocess.PIPE, check=True, encoding="utf-8")
        return done.stdout

    # -- the cases -------------------------------------------------------------------------------------------------------

    def prepare_image(self):
        """A manifest of a usual size, in each registry as bench/app:v1 and in nginx as a file of the same bytes."""
        layers = [blob(f"layer{i}", 2000) for i in range(8)]
        config = b'{"architecture":"amd64","os":"linux"}'
        body = manifest(config, layers)
        self.manifest_file = self.folder / "manifest"
        self.manifest_file.write_bytes(body)
        self.manifest_bytes = len(body)
        for peer in self.registries:
            peer.create(["bench/app"])
            peer.oci().push_image("bench/app", "v1", layers, config=config)
        (self.nginx.folder / "www/manifest").write_bytes(body)

    def manifest(self):
        for _ in range(self.rounds):
            for peer in [*self.registries, self.nginx]:
                url = "/manifest" if peer is self.nginx else "/v2/bench/app/manifests/v1"
                rate, got = self.wrk(peer, "get.lua", url, 32)
                self.keep("manifest", peer, rate, p99_ms=got["p99_ms"])

    def mount(self):
        """Every request is a new (repository, digest): 600 digests of a source, mounted into ever more repositories."""
        count, targets = 600, (150 if self.quick else 900)
        data = [blob(f"mount{i}", 100) for i in range(count)]
        (self.folder / "digests").write_text("".join(sha256(d) + "\n" for d in data))
        for peer in self.registries:
            peer.create(["bench/source", *[f"bench/t{i}" for i in range(targets if peer.needs_repositories else 0)]])
            oci = peer.oci()
            for d in data:
                oci.push_blob("bench/source", d)
        for connections in (8, 32):
            at = {p: (targets // 2 if connections == 32 else 0) * count for p in self.registries}
            for _ in range(self.rounds):
                for peer in self.registries:
                    rate, got = self.wrk(peer, "requests.lua", "/", connections, BENCH_MODE="mount", BENCH_LIST=self.folder / "digests", BENCH_REPO="bench/source", BENCH_FROM=at[peer])
                    # Whole repositories on: what was in flight at the end of a round must not be sent again.
                    at[peer] += (got["requests"] // count + 2) * count
                    self.keep(f"mount{connections}", peer, rate, p50_ms=got["p50_ms"], p99_ms=got["p99_ms"])

    def tag(self):
        at = {p: 0 for p in self.registries}
        for _ in range(self.rounds):
            for peer in self.registries:
                rate, got = self.wrk(peer, "requests.lua", "/", 8, BENCH_MODE="tag", BENCH_LIST=self.manifest_file, BENCH_REPO="bench/app", BENCH_FROM=at[peer])
                at[peer] += got["requests"] + 100
                self.keep("tag", peer, rate, p50_ms=got["p50_ms"], p99_ms=got["p99_ms"])

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

    def push_big(self, peer, path, digest):
        """Seconds for POST, one PATCH with the file, closing PUT."""
        base = f"http://127.0.0.1:{peer.port}"
        began = time.perf_counter()
        out = self.curl(peer, "-D", "-", "-o", "/dev/null", "-X", "POST", "-H", "Content-Length: 0", f"{base}/v2/bench/app/blobs/uploads/")
        where = self.location(base, out)
        out = self.curl(peer, "-D", "-", "-o", "/dev/null", "-X", "PATCH", "-H", "Content-Type: application/octet-stream", "-T", path, where)
        where = self.location(base, out)
        self.curl(peer, "-o", "/dev/null", "-X", "PUT", "-H", "Content-Length: 0", where + ("&" if "?" in where else "?") + "digest=" + digest)
        return time.perf_counter() - began

    @staticmethod
    def location(base, headers):
        where = next(x.split(": ", 1)[1].strip() for x in headers.splitlines() if x.lower().startswith("location: "))
        return where if where.startswith("http") else base + where

    def push(self):
        for n in range(self.rounds):
            path, digest = self.big_file(n)
            for peer in [*self.registries, self.plain]:
                os.sync()  # what an earlier push left unwritten must not cost this one
                self.keep("push", peer, self.push_big(peer, path, digest))
                peer.oci().delete_blob("bench/app", digest)
        self.hash_and_write(path)

    def hash_and_write(self, path):
        """What the machine needs at least: hashing the file, and writing it with fsync."""
        began = time.perf_counter()
        subprocess.run(["openssl", "dgst", "-sha256", path], env=self.env, stdout=subprocess.DEVNULL, check=True)
        self.keep("push", "only hashing", time.perf_counter() - began)
        began = time.perf_counter()
        subprocess.run(["dd", f"if={path}", f"of={path}.copy", "bs=1M", "conv=fsync"], env=self.env, stderr=subprocess.DEVNULL, check=True)
        self.keep("push", "only writing, fsync", time.perf_counter() - began)
        os.unlink(f"{path}.copy")

    def get(self):
        path, digest = self.big_file(1000)
        for peer in [*self.registries, self.plain]:
            self.push_big(peer, path, digest)
        shutil.copy(path, self.nginx.folder / "www/big")
        for n in range(self.rounds + 1):
            for peer in [*self.registries, self.plain, self.nginx]:
                url = "/big" if peer is self.nginx else f"/v2/bench/app/blobs/{digest}"
                began = time.perf_counter()
                self.curl(peer, "-o", "/dev/null", f"http://127.0.0.1:{peer.port}{url}")
                if n:  # the first one warms the page cache
                    self.keep("get", peer, self.big / MIB / (time.perf_counter() - began))
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

    def idle(self):
        """Memory of a fresh server with an empty folder, after a hundred requests and three quiet seconds."""
        for kind in (Berth, DockerRegistry):
            peer = kind(self.folder / f"idle-{kind.name}")
            peer.start()
            peer.create(["bench/idle"])
            oci = peer.oci()
            for i in range(100):
                oci.http.get("/v2/")
            time.sleep(3)
            self.keep("idle", peer, peer.memory() / MIB)
            peer.stop()

    def pushes(self):
        """The most memory a server ever had while it took many large blobs at once."""
        for kind in (Berth, DockerRegistry):
            peer = kind(self.folder / f"pushes-{kind.name}")
            peer.start()
            peer.create(["bench/app"])
            done = subprocess.run([OUT / "load", "127.0.0.1", str(peer.port), "bench/app", str(self.many), str(self.many_mib), *([peer.authorization] if peer.authorization else [])],
                                  env=self.env, stdout=subprocess.PIPE, encoding="utf-8")
            got = json.loads(done.stdout or "{}")
            if done.returncode:
                print(f"  pushes: {peer.name} finished {got.get('done')} of {self.many}")
            self.keep("pushes", peer, peer.memory("VmHWM") / MIB, seconds=got.get("seconds"), done=got.get("done"))
            peer.stop()
            shutil.rmtree(peer.folder, ignore_errors=True)

    def start(self):
        """Seconds from exec to the first answer, on the folder that the cases before have filled."""
        for peer in self.registries:
            peer.stop()
        for _ in range(self.rounds * 2):
            for peer in self.registries:
                self.keep("start", peer, peer.start() * 1000)
                peer.stop()
        for peer in self.registries:
            peer.start()

    def run(self, cases):
        began = time.time()
        for peer in [*self.registries, self.nginx, self.plain]:
            peer.start()
        self.plain.create(["bench/app"])
        self.prepare_image()
        for case in cases:
            print(f"{case} ({time.time() - began:.0f} s)", flush=True)
            getattr(self, case)()
        for case in self.results.values():
            for entry in case.values():
                entry["median"] = statistics.median(entry["rounds"])


CASES = ["manifest", "mount", "tag", "push", "get", "idle", "pushes", "start"]


def version(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        return done.stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return "unknown"


def machine():
    cpu = next((x.split(":", 1)[1].strip() for x in open("/proc/cpuinfo") if x.startswith("model name")), platform.machine())
    return {
        "cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(), "load_before": os.getloadavg()[0],
        "berth": version(str(ROOT / "build/berth"), "--version"),
        "docker-registry": version("docker-registry", "--version"), "nginx": version("nginx", "-v"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("case", nargs="*", choices=[[], *CASES], default=[])
    args = parser.parse_args()
    about = machine()
    bench = Bench(args.quick)
    try:
        bench.run(args.case or CASES)
    finally:
        bench.close()
    results = {"machine": about, "quick": args.quick, "when": time.strftime("%Y-%m-%d"), "cases": bench.results,
               "parameters": {"rounds": bench.rounds, "seconds": bench.seconds, "big_mib": bench.big // MIB, "uploads": bench.many, "upload_mib": bench.many_mib, "manifest_bytes": bench.manifest_bytes}}
    (OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    write_page(results, None if args.quick or args.case else ROOT / "docs/performance.md")


if __name__ == "__main__":
    main()
