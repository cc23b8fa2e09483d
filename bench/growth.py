"""What the size of a registry costs: the same operations with a thousand, a hundred thousand and ten million layer links.

usage: growth.py [LINKS...]      writes build/bench/growth.json and docs/growth.md (without arguments only)
"""

import json
import statistics
import subprocess
import sys
import time

from bench import OUT, Bench, machine
from cases_read import CONFIG, LAYERS
from peers import ROOT, Berth
from harness.oci import manifest, sha256
from harness.sharing import Sharing

SIZES = [1_000, 100_000, 10_000_000]
ROUNDS, SECONDS, CALLS = 3, 3, 300
OPERATIONS = {
    "manifest": "manifest GET by tag", "head": "blob HEAD", "mount": "new mounts, 8 connections", "tag": "tag PUT, 8 connections",
    "push": "push of 1 KiB, 64 connections", "tags": "tags/list", "catalog": "a page of 100 of the catalog",
    "describe": "DescribeRepositories, a page of 100", "missing": "manifest GET of an unknown tag",
    "deletion": "delete an image with 8 layers", "summary": "GetSharingSummary", "repositories": "ListRepositorySharing, a page of 100",
    "layers": "ListLayerSharing, a page of 100", "pairs": "ListSharingPairs", "log": "ListMountLog, a page of 100", "start": "start to first answer",
}


class Growth(Bench):
    """One registry of one size: makes it, and measures each operation in rounds."""

    def __init__(self, links):
        super().__init__(quick=False)
        self.seconds, self.rounds, self.links = SECONDS, ROUNDS, links
        self.peer = Berth(self.folder / "grown")

    def close(self):
        self.peer.stop()
        super().close()

    def make(self):
        peer = self.peer
        self.registries = [peer]
        peer.start()
        peer.create(["grow/seed"])
        self.prepare_image()
        self.prepare_mounts(400)
        peer.stop()
        began = time.perf_counter()
        subprocess.run([ROOT / "build/bench/grow", peer.server.data / "berth.db", str(self.links)], check=True)
        print(f"  {self.links:,} links written in {time.perf_counter() - began:.0f} s", flush=True)
        for _ in range(ROUNDS * 2):
            self.keep("start", peer, peer.start() * 1000)
            peer.stop()
        peer.start()

    def measure(self):
        peer, mounted, tagged, pushed = self.peer, 0, 0, 0
        gets = {"manifest": "/v2/bench/app/manifests/v1", "tags": "/v2/bench/app/tags/list?n=100", "catalog": "/v2/_catalog?n=100"}
        for _ in range(ROUNDS):
            for case, url in gets.items():
                rate, got = self.wrk(peer, "get.lua", url, 8)
                self.keep(case, peer, rate, cpu_us=got["cpu_us"])
            mounted += self.mounts(peer, "mount", 8, mounted)
            tagged += self.tags(peer, tagged)
            pushed += self.small_pushes(peer, "push", 64, 1024, pushed)
            self.calls()

    def calls(self):
        """Operations by a client whose own time is the larger part: only the server's processor time counts."""
        ecr, oci = self.peer.server.client("ecr"), self.peer.oci()
        sharing = Sharing(self.peer.server)
        deletable = [self.push_one_more(oci, i) for i in range(CALLS)]
        layer = sha256(LAYERS[0])
        steps = {
            "describe": lambda i: ecr.describe_repositories(maxResults=100),
            "head": lambda i: oci.has_blob("bench/app", layer),
            "missing": lambda i: oci.http.get(f"/v2/bench/app/manifests/none{i}"),
            "deletion": lambda i: oci.delete_manifest("bench/app", deletable[i]),
            "summary": lambda i: sharing.GetSharingSummary(),
            "repositories": lambda i: sharing.ListRepositorySharing(maxResults=100),
            "layers": lambda i: sharing.ListLayerSharing(maxResults=100),
            "pairs": lambda i: sharing.ListSharingPairs(),
            "log": lambda i: sharing.ListMountLog(maxResults=100),
        }
        for case, step in steps.items():
            cpu, began = self.peer.cpu(), time.perf_counter()
            for i in range(CALLS):
                step(i)
            took = time.perf_counter() - began
            self.keep(case, self.peer, CALLS / took, cpu_us=(self.peer.cpu() - cpu) * 1e6 / CALLS)

    def push_one_more(self, oci, i):
        """Another image over the same layers; its digest."""
        body = manifest(CONFIG, LAYERS, annotations={"n": f"{time.time()}-{i}"})
        oci.put_manifest("bench/app", sha256(body), body)
        return sha256(body)


def render(results, about):
    lines = ["# Growth", "", f"Measured by `make bench-growth` on {time.strftime('%Y-%m-%d')}: {about['cores']} cores of {about['cpu']}, Linux {about['kernel']}.", "",
             "The same operations in registries that hold so many layer links: a hundred in each repository, ten repositories sharing each layer, an image and two tags",
             "in each. bench/grow.c writes them through the metadata layer. Server's processor time for one operation, and the rate in brackets (durable, as ever);",
             "the last column is what the largest costs against the smallest. Of what an SDK calls only the processor time says something.", "",
             "| operation | " + " | ".join(f"{s:,} links" for s in results) + " | ratio |", "|---|" + "---|" * (len(results) + 1)]
    first, last = list(results)[0], list(results)[-1]
    for case, what in OPERATIONS.items():
        if case not in results[first]:
            continue
        of = {s: next(iter(r[case].values())) for s, r in results.items()}
        if case == "start":
            cells = [f"{statistics.median(e['rounds']):.1f} ms" for e in of.values()]
            cost = {s: statistics.median(e["rounds"]) for s, e in of.items()}
        else:
            cost = {s: statistics.median(e["cpu_us"]) for s, e in of.items()}
            cells = [f"{cost[s]:,.0f} us ({statistics.median(e['rounds']):,.0f}/s)" for s, e in of.items()]
        lines.append(f"| {what} | " + " | ".join(cells) + f" | {cost[last] / cost[first]:.2f} |")
    return "\n".join(lines) + "\n"


def main():
    sizes = [int(x) for x in sys.argv[1:]] or SIZES
    about, results = machine(), {}
    for links in sizes:
        print(f"{links:,} links", flush=True)
        growth = Growth(links)
        try:
            growth.make()
            growth.measure()
            results[links] = growth.results
        finally:
            growth.close()
    (OUT / "growth.json").write_text(json.dumps({"machine": about, "sizes": results}, indent=1) + "\n")
    page = render(results, about)
    print("\n" + page)
    if len(sys.argv) == 1:
        (ROOT / "docs/growth.md").write_text(page)


if __name__ == "__main__":
    main()
