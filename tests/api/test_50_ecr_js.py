"""The AWS SDK for JavaScript, as the console will use it: every operation once."""

import fcntl
import hashlib
import json
import shutil
import subprocess

import pytest

from harness.env import ROOT, run

SOURCE = ROOT / "tests" / "node"
FOLDER = ROOT / "build" / "node"


@pytest.fixture(scope="session")
def node_modules():
    """build/node with what tests/node/package-lock.json pins; made once a machine and again when that changes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    want = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()
    with open(FOLDER / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = FOLDER / "stamp"
        if not (stamp.exists() and stamp.read_text() == want):
            for name in ("package.json", "package-lock.json"):
                shutil.copy(SOURCE / name, FOLDER / name)
            # The caller's environment: npm finds its registry there.
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, timeout=300)
            stamp.write_text(want)
        # It stands beside the modules, where node looks for them; another worker may be running it.
        script = FOLDER / "smoke.mjs"
        if not script.exists() or script.read_bytes() != (SOURCE / "smoke.mjs").read_bytes():
            shutil.copy(SOURCE / "smoke.mjs", script)
    return FOLDER


@pytest.mark.timeout(400)
def test_every_operation_by_the_javascript_sdk(berth, node_modules):
    key, secret = berth.credentials
    env = berth.env(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret, AWS_REGION=berth.region)
    done = run(["node", node_modules / "smoke.mjs"], env)
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    assert len(seen["operations"]) == 22 and seen["refusals"] >= 9  # the last of them is one that is still to come
