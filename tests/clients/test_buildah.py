"""buildah: pushes images it took from a layout, and one that it builds on a base pulled from the registry."""

import pytest


@pytest.fixture
def buildah(client, scratch):
    def make(berth):
        program = client(berth, "buildah")

        def run(*args, store=1):
            return program("--root", scratch / f"b{store}", "--runroot", scratch / f"r{store}", "--storage-driver", "vfs", *args)

        program.login("--tls-verify=false")
        return run

    return make


def push(run, berth, images, name):
    image = run("pull", "-q", f"oci:{images}/layout:{name}").split()[-1]
    return run("push", "--tls-verify=false", image, f"docker://{berth.host}/team/{name}:1")


def pull_all(run, berth, config_digest):
    for name in ("one", "two"):
        image = run("pull", "-q", "--tls-verify=false", f"docker://{berth.host}/team/{name}:1", store=2).split()[-1]
        assert image == config_digest(berth, f"team/{name}").partition(":")[2]
        berth.oci().check_image(f"team/{name}", "1")


def test_buildah_mounts_a_shared_layer_and_pulls_the_same_image(sharing, buildah, images, pushes_share, config_digest):
    run = buildah(sharing)
    pushes_share(sharing, lambda: push(run, sharing, images, "one"), lambda: push(run, sharing, images, "two"))
    pull_all(run, sharing, config_digest)


def test_buildah_uploads_when_mounting_is_disabled(not_sharing, buildah, images, pushes_upload, config_digest):
    run = buildah(not_sharing)
    pushes_upload(not_sharing, lambda: push(run, not_sharing, images, "one"), lambda: push(run, not_sharing, images, "two"))
    pull_all(run, not_sharing, config_digest)


def test_buildah_builds_on_a_pulled_base_and_mounts_it_into_another_repository(sharing, buildah, images, watch, scratch):
    run = buildah(sharing)
    push(run, sharing, images, "one")
    (scratch / "note").write_text("built on top\n")
    work = run("from", "--tls-verify=false", f"{sharing.host}/team/one:1", store=3).split()[-1]
    run("copy", work, scratch / "note", "/note", store=3)
    w = watch(sharing)
    run("commit", "--tls-verify=false", work, f"docker://{sharing.host}/team/two:1", store=3)
    assert w.mounts() >= 1
    assert w.grown() < 2 << 20
    sharing.oci().check_image("team/two", "1")
