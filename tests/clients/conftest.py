"""What the tests of real clients share: images with a common base, and a look from the side at what a push did."""

import json

import pytest

from harness import images as images_module
from harness.engine import Engine
from harness.env import clean_env, run, which
from harness.images import Layout

# A mount saves the base (20 MiB); what else a push stores is far below this.
SMALL = 2 << 20


@pytest.fixture(scope="session")
def images():
    """Folder with layout/ (tags one, two), one.docker.tar, two.docker.tar, one.oci.tar, two.oci.tar, base.tar, top-*.tar."""
    return images_module.make_images()


@pytest.fixture
def layout(images):
    return Layout(images / "layout")


@pytest.fixture(scope="session")
def engine():
    e = Engine()
    yield e
    e.destroy()


class Client:
    """A program, run with a home folder of its own and signed in to one server as `docker login` does."""

    def __init__(self, berth, name, scratch, **env):
        if not which(name):
            pytest.skip(f"{name} is not installed")
        self.berth, self.name = berth, name
        self.env = clean_env(scratch, **env)

    def __call__(self, *args, check=True, text=None, timeout=100):
        return run([self.name, *args], self.env, check=check, text=text, timeout=timeout).stdout

    def login(self, *options):
        return self("login", *options, "--username", "AWS", "--password-stdin", self.berth.host, text=self.berth.token)


@pytest.fixture
def client(scratch):
    """client(berth, "skopeo") makes a Client."""
    return lambda berth, name, **env: Client(berth, name, scratch, **env)


class Watch:
    """Says what happened between two looks: mounts by outcome, bytes of stored blobs."""

    def __init__(self, berth):
        self.berth = berth
        self.look()

    def look(self):
        self.before, self.bytes_before = self.berth.metrics(), self.berth.blob_bytes()

    def mounts(self, outcome="mounted"):
        return self.berth.metrics().mounts(outcome) - self.before.mounts(outcome)

    def grown(self):
        return self.berth.blob_bytes() - self.bytes_before


@pytest.fixture
def watch():
    return Watch


@pytest.fixture
def pushes_share(watch):
    """Runs two pushes of images with one base: the second must mount it, and the bytes are on disk once."""

    def check(berth, first, second, mounts=1):
        w = watch(berth)
        first()
        base = images_module.BASE_BYTES
        assert base < w.grown() < base * 1.3 + SMALL, f"the first push stored {w.grown()} bytes"
        w.look()
        output = second()
        assert w.mounts() >= mounts, f"mounted {w.mounts()} layers:\n{output}"
        assert w.grown() < SMALL, f"the second push stored {w.grown()} bytes"
        return output

    return check


@pytest.fixture
def pushes_upload(watch):
    """The same with mounting DISABLED: both pushes work, nothing is mounted, every refusal counts as "off"."""

    def check(berth, first, second):
        w = watch(berth)
        first()
        second()
        assert w.mounts() == 0
        assert w.mounts("off") >= 1, "the client did not even ask"
        for repo in ("team/one", "team/two"):
            berth.oci().check_image(repo, "1")

    return check


def repositories(berth):
    berth.create("team/one", "team/two")
    return berth


@pytest.fixture
def sharing(make_berth):
    """A server with BLOB_MOUNTING ENABLED and the repositories team/one and team/two."""
    return repositories(make_berth())


@pytest.fixture
def not_sharing(make_berth):
    """The same with BLOB_MOUNTING as ECR has it by default: DISABLED."""
    return repositories(make_berth(setting=None))


@pytest.fixture
def config_digest():
    """The image id that engines show: the digest of the config."""
    return lambda berth, repo, tag="1": json.loads(berth.oci().get_manifest(repo, tag))["config"]["digest"]
