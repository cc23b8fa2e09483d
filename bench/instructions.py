"""Instructions for one request of the hottest operations, counted by callgrind: a number that does not depend on what else the
machine does. Compares with the record in bench/instructions.json; --write replaces it.

usage: instructions.py [--write]
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

from peers import ROOT
from harness.env import clean_env
from harness.oci import blob, manifest, sha256
from harness.server import Server

RECORD = ROOT / "bench/instructions.json"
REQUESTS = 400
TOLERATED = 1.2


class Counted(Server):
    def command(self):
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.folder}/callgrind.out", *super().command()]

    def control(self, *args):
        subprocess.run(["callgrind_control", *args, str(self.process.pid)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_env(self.home))

    def count(self, step):
        """Instructions of all threads for REQUESTS calls of step(i)."""
        for old in self.folder.glob("callgrind.out*"):
            old.unlink()
        self.control("-z")
        for i in range(REQUESTS):
            step(i)
        self.control("-d")
        total = 0
        for out in self.folder.glob("callgrind.out*"):
            for line in re.findall(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)[:1]:
                total += int(line)
        return total // REQUESTS


def measure():
    with tempfile.TemporaryDirectory(prefix="berth-instructions-") as folder:
        server = Counted(pathlib.Path(folder), ["--access-log", "off", "--image-tags-max", "1000000", "--sandbox", "off"])  # valgrind knows too few calls for it
        server.start()
        try:
            return operations(server)
        finally:
            server.check_at_end = False
            server.stop()


def operations(server):
    server.create("app", "source", *[f"t{i}" for i in range(8)])
    oci, ecr = server.oci(), server.client("ecr")
    layers = [blob(f"layer{i}", 2000) for i in range(8)]
    body = manifest(b"{}", layers)
    oci.push_image("app", "v1", layers, config=b"{}")
    mounts = [blob(f"mount{i}", 100) for i in range(REQUESTS)]
    for data in mounts:
        oci.push_blob("source", data)
    for i in range(1000):
        oci.put_manifest("app", f"tag{i}", body)
    steps = {
        "ping": lambda i: oci.http.get("/v2/"),
        "manifest GET by tag": lambda i: oci.get_manifest("app", "v1"),
        "manifest GET by digest": lambda i: oci.get_manifest("app", sha256(body)),
        "blob HEAD": lambda i: oci.has_blob("app", sha256(layers[0])),
        "blob GET of 2 KB": lambda i: oci.get_blob("app", sha256(layers[0])),
        "new mount": lambda i: oci.mount("t0", sha256(mounts[i]), "source"),
        "repeated mount": lambda i: oci.mount("t0", sha256(mounts[i]), "source"),
        "tag PUT": lambda i: oci.put_manifest("app", f"new{i}", body),
        "blob push of 1 KB": lambda i: oci.push_blob("app", blob(f"pushed{i}", 1024)),
        "tags/list, a page of 1,000": lambda i: oci.http.get("/v2/app/tags/list?n=1000"),
        "DescribeRepositories": lambda i: ecr.describe_repositories(),
    }
    for step in list(steps.values())[:5]:
        step(0)
    return {what: server.count(step) for what, step in steps.items()}


def main():
    now = measure()
    was = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    worse = [what for what, n in now.items() if n > TOLERATED * was.get(what, n)]
    for what, n in now.items():
        print(f"{what:30} {n:10,}" + (f"   was {was[what]:,}" if what in was else ""))
    if "--write" in sys.argv:
        RECORD.write_text(json.dumps(now, indent=1) + "\n")
    elif worse:
        sys.exit("more than a fifth above the record: " + ", ".join(worse))


if __name__ == "__main__":
    main()
