"""A private Docker engine for one test session."""

import os
import pathlib
import shutil
import tempfile

import pytest

from .env import ROOT, clean_env, run, which


class Engine:
    """Runs Debian's docker.io by hand. overlay2, or vfs where the kernel or the folder does not allow that."""

    def __init__(self):
        if os.geteuid() != 0:
            pytest.skip("the Docker engine needs root")
        if not (which("dockerd") and which("docker")):
            pytest.skip("no Docker engine on this machine")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-dk-"))
        tool = ROOT / "tools/docker-engine.sh"
        for driver in ("overlay2", "vfs"):
            done = run([tool, self.folder, "up"], clean_env(self.folder, DRIVER=driver), check=False)
            if done.returncode == 0:
                break
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
            pytest.skip("the Docker engine does not start here: " + done.stdout.strip().splitlines()[-1])
        self.docker_host = done.stdout.strip().splitlines()[-1].partition("=")[2]

    def destroy(self):
        run([ROOT / "tools/docker-engine.sh", self.folder, "destroy"], clean_env("/"), check=False)
