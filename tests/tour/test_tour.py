"""The README's tour, run verbatim.

Convention: what stands between <!-- tour:begin --> and <!-- tour:end --> in README.md is the tour; its fenced `sh` blocks are run in
order. A block that is only `make run` runs beside the others, as in a second terminal, until the end. All others run in one
`bash -e`, in a fresh copy of the tracked files, with the AWS CLI (.venv/bin) on PATH and a Docker engine in DOCKER_HOST.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import textwrap
import time

import pytest

from harness.engine import Engine
from harness.env import ROOT, clean_env
from harness.http import Http

PORT = 5000


def tour_blocks(text):
    blocks = []
    for part in re.findall(r"<!-- tour:begin -->(.*?)<!-- tour:end -->", text, re.S):
        blocks += re.findall(r"^[ ]*```sh\n(.*?)^[ ]*```", part, re.S | re.M)
    return [textwrap.dedent(b) for b in blocks]


def test_the_convention_finds_blocks_in_order_and_nothing_outside():
    text = "```sh\nno\n```\n<!-- tour:begin -->\nx\n```sh\none\n```\n```text\nno\n```\n```sh\ntwo\nthree\n```\n<!-- tour:end -->\n```sh\nno\n```\n"
    assert tour_blocks(text) == ["one\n", "two\nthree\n"]


@pytest.fixture
def copy(scratch):
    """The tracked files as they are in the working tree, without what was built."""
    target = scratch / "berth"
    target.mkdir()
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.split(b"\0")
    for name in filter(None, names):
        source = ROOT / os.fsdecode(name)
        if source.is_file():
            to = target / os.fsdecode(name)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, to)
    return target


@pytest.fixture
def engine():
    e = Engine()
    yield e
    e.destroy()


def wait_for_server(process, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "make run ended"
        try:
            if Http(PORT, timeout=5).get("/healthz").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError("make run does not serve")


@pytest.mark.timeout(230)
def test_the_tour_of_the_readme_works_word_for_word(copy, scratch, engine):
    blocks = tour_blocks((copy / "README.md").read_text())
    assert any(b.strip() == "make run" for b in blocks), "README.md has no tour with a block `make run`"
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", PORT)) != 0, f"port {PORT} is in use: the tour is run verbatim and needs it"
    home = scratch / "home"
    home.mkdir()
    env = clean_env(home, DOCKER_HOST=engine.docker_host)
    script = "\n".join(b for b in blocks if b.strip() != "make run")
    with open(scratch / "server.out", "w+") as out:
        server = subprocess.Popen(["make", "run"], cwd=copy, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        try:
            wait_for_server(server, 150)
            done = subprocess.run(["bash", "-ex"], cwd=copy, env=env, input=script, encoding="utf-8", stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=120)
            assert done.returncode == 0, f"{done.stdout[-5000:]}"
            assert "Mounted from" in done.stdout, done.stdout[-5000:]
            assert server.poll() is None, "the server ended"
        except AssertionError:
            out.seek(0)
            print("-- make run:\n" + out.read()[-5000:])
            raise
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGTERM)
                try:
                    server.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(server.pid, signal.SIGKILL)
                    server.wait()
    berth = subprocess.run([copy / "build/berth", "check", "--deep", "--data", copy / "berth-data"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    assert berth.returncode == 0, berth.stdout
