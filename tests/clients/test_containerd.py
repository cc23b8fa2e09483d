"""containerd through ctr: single PUTs with the body, and mounts of what it pulled, with an unescaped query (mount=sha256:...&from=a/b)."""

import os
import subprocess
import time

import pytest

from harness.env import clean_env, run, which

CONFIG = """version = 2
root = "{0}/root"
state = "{0}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{0}/c.sock"
"""


@pytest.fixture
def ctr(scratch):
    """ctr(args...) on a containerd of its own."""
    if os.geteuid() != 0:
        pytest.skip("containerd needs root")
    if not (which("containerd") and which("ctr")):
        pytest.skip("containerd is not installed")
    folder = scratch / "ctrd"
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG.format(folder))
    env = clean_env(scratch)
    with open(folder / "log", "wb") as log:
        daemon = subprocess.Popen(["containerd", "-c", folder / "config.toml"], env=env, stdout=log, stderr=log)

    def call(*args, check=True):
        return run(["ctr", "-a", folder / "c.sock", *args], env, check=check)

    try:
        for _ in range(200):
            if call("version", check=False).returncode == 0:
                break
            assert daemon.poll() is None, (folder / "log").read_text()[-2000:]
            time.sleep(0.05)
        yield call
    finally:
        daemon.terminate()
        daemon.wait()


def push(ctr, berth, local, repo):
    reference = f"{berth.host}/{repo}:1"
    if local != reference:
        ctr("images", "tag", "--force", local, reference)
    return ctr("images", "push", "--plain-http", "--user", f"AWS:{berth.token}", reference).stdout


def pull(ctr, berth, repo):
    """Forgets every image and its content, then pulls: only pulled content knows its origin."""
    for name in ctr("images", "ls", "-q").stdout.split():
        ctr("images", "rm", "--sync", name)
    ctr("images", "pull", "--plain-http", "--snapshotter", "native", "--user", f"AWS:{berth.token}", f"{berth.host}/{repo}:1")


def first(ctr, berth, images):
    ctr("images", "import", "--no-unpack", images / "one.oci.tar")
    local = [n for n in ctr("images", "ls", "-q").stdout.split() if "one" in n][0]
    push(ctr, berth, local, "team/one")
    pull(ctr, berth, "team/one")


def second(ctr, berth):
    return push(ctr, berth, f"{berth.host}/team/one:1", "team/two")


def test_containerd_mounts_what_it_pulled(sharing, ctr, images, layout, pushes_share):
    pushes_share(sharing, lambda: first(ctr, sharing, images), lambda: second(ctr, sharing), mounts=2)
    one = sharing.oci().get_manifest("team/one", "1")
    assert sharing.oci().get_manifest("team/two", "1") == one == layout.blob(layout.digest("one"))
    sharing.oci().check_image("team/two", "1")
    pull(ctr, sharing, "team/two")
    assert layout.digest("one") in ctr("images", "ls").stdout


def test_containerd_uploads_when_mounting_is_disabled(not_sharing, ctr, images, pushes_upload):
    pushes_upload(not_sharing, lambda: first(ctr, not_sharing, images), lambda: second(ctr, not_sharing))


def test_containerd_goes_on_when_the_source_is_unknown_here(make_berth, ctr, images):
    """Its label has no port: with two registries on one host, `from` may name a repository of the other one."""
    one, other = make_berth(), make_berth()
    one.create("team/one")
    other.create("team/two")
    first(ctr, one, images)
    push(ctr, other, f"{one.host}/team/one:1", "team/two")
    assert other.metrics().mounts("no-source") + other.metrics().mounts("not-found") >= 1
    other.oci().check_image("team/two", "1")
