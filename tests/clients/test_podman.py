"""podman: loads, pushes (compressing anew), pulls into an empty store."""

import pytest


@pytest.fixture
def podman(client, scratch):
    """podman(berth): a client and push function; store 2 is an empty one to pull into."""

    def make(berth):
        program = client(berth, "podman", PODMAN_IGNORE_CGROUPSV1_WARNING=1)

        def run(*args, store=1):
            return program("--root", scratch / f"pod{store}", "--runroot", scratch / f"run{store}", "--storage-driver", "vfs",
                           "--cgroup-manager", "cgroupfs", "--events-backend", "file", *args)

        program.login("--tls-verify=false")
        return run

    return make


def load(run, images):
    for name in ("one", "two"):
        run("load", "-q", "-i", images / f"{name}.docker.tar")


def push(run, berth, name):
    return run("push", "--tls-verify=false", f"localhost/{name}:1", f"{berth.host}/team/{name}:1")


def pull_all(run, berth, config_digest):
    for name in ("one", "two"):
        reference = f"{berth.host}/team/{name}:1"
        run("pull", "-q", "--tls-verify=false", reference, store=2)
        pulled = run("image", "inspect", "--format", "{{.Id}}", reference, store=2).split()[-1]
        pushed = run("image", "inspect", "--format", "{{.Id}}", f"localhost/{name}:1").split()[-1]
        assert pulled == pushed == config_digest(berth, f"team/{name}").partition(":")[2]
        berth.oci().check_image(f"team/{name}", "1")


def test_podman_mounts_a_shared_layer_and_pulls_the_same_image(sharing, podman, images, pushes_share, config_digest):
    run = podman(sharing)
    load(run, images)
    pushes_share(sharing, lambda: push(run, sharing, "one"), lambda: push(run, sharing, "two"))
    pull_all(run, sharing, config_digest)


def test_podman_uploads_when_mounting_is_disabled(not_sharing, podman, images, pushes_upload, config_digest):
    run = podman(not_sharing)
    load(run, images)
    pushes_upload(not_sharing, lambda: push(run, not_sharing, "one"), lambda: push(run, not_sharing, "two"))
    pull_all(run, not_sharing, config_digest)
