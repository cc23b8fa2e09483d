"""Measures Berth, Debian's docker-registry and nginx in interleaved rounds, and writes build/bench/results.json and
docs/performance.md (a partial run only with --page, a quick one never).

usage: bench.py [--quick | --page] [CASE...]     cases: see CASES
"""

import argparse
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

from peers import ROOT, Berth, BerthOnDisk, Distribution, DockerRegistry, Nginx
from cases_read import Reads
from cases_server import Servers
from cases_write import Writes
from harness.env import clean_env
from report import write_page

OUT = ROOT / "build/bench"
MIB = 1 << 20


class Bench(Reads, Writes, Servers):
    out = OUT

    def __init__(self, quick):
        self.quick = quick
        self.rounds = 2 if quick else int(os.environ.get("BENCH_ROUNDS", "5"))
        self.seconds = 1 if quick else int(os.environ.get("BENCH_SECONDS", "3"))
        self.big = (128 if quick else 1024) * MIB
        self.collected = 2000 if quick else 100_000
        self.many, self.many_mib = (16, 64) if quick else (64, 1024 if os.environ.get("BENCH_FULL_PUSHES") else 256)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-bench-", dir=os.environ.get("BENCH_DIR", OUT)))
        self.env = clean_env(self.folder)
        self.berth, self.docker, self.nginx = Berth(self.folder / "berth"), DockerRegistry(self.folder / "docker"), Nginx(self.folder / "nginx")
        self.registries = [self.berth, self.docker]
        if Distribution.is_there():
            self.registries.append(Distribution(self.folder / "distribution"))
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
        """Answers a second, and the rest of what the script prints, with the server's processor time for each. Any wrong answer
        ends the run."""
        cpu = peer.cpu()
        done = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{self.seconds}s", "--timeout", "20s", "-s", ROOT / "bench" / script, f"{peer.scheme}://127.0.0.1:{peer.port}{url}"],
            env={**self.env, "BENCH_AUTH": peer.authorization, **{k: str(v) for k, v in env.items()}}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        lines = [x for x in done.stdout.splitlines() if x.startswith("JSON ")]
        if done.returncode or not lines:
            sys.exit(f"wrk failed on {peer.name}:\n{done.stdout}")
        got = json.loads(lines[0][5:])
        if got["wrong"]:
            sys.exit(f"{peer.name}: {got['wrong']} of {got['requests']} answers were wrong:\n{done.stdout}")
        got["cpu_us"] = (peer.cpu() - cpu) * 1e6 / max(1, got["requests"])
        return got["requests"] / got["seconds"], got

    def curl(self, peer, *args):
        auth = ["-H", f"Authorization: {peer.authorization}"] if peer.authorization else []
        done = subprocess.run(["curl", "-sS", "--fail", *auth, "-H", "Expect:", *map(str, args)], env=self.env, stdout=subprocess.PIPE, check=True, encoding="utf-8")
        return done.stdout

    # -- all of it -------------------------------------------------------------------------------------------------------

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


CASES = ["manifest", "tls", "digest", "head", "small", "lists", "mount", "tag", "untag", "blobs", "push", "get", "image", "idle", "pushes", "collect", "start"]


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
        "distribution": version(Distribution.binary, "--version").removeprefix(Distribution.binary).strip() if Distribution.is_there() else "no distribution 3",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--page", action="store_true", help="write the page from some cases, too")
    parser.add_argument("case", nargs="*", choices=[[], *CASES], default=[])
    args = parser.parse_args()
    about = machine()
    bench = Bench(args.quick)
    try:
        bench.run(args.case or CASES)
    finally:
        bench.close()
    results = {"machine": about, "quick": args.quick, "when": time.strftime("%Y-%m-%d"), "cases": bench.results,
               "parameters": {"rounds": bench.rounds, "seconds": bench.seconds, "big_mib": bench.big // MIB, "uploads": bench.many, "upload_mib": bench.many_mib, "manifest_bytes": bench.manifest_bytes,
                              "collected": bench.collected}}
    (OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    write_page(results, None if args.quick or (args.case and not args.page) else ROOT / "docs/performance.md")


if __name__ == "__main__":
    main()
