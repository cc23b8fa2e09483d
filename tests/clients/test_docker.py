"""The Docker engine with its classic image store: what most people push with."""

import pytest


@pytest.fixture
def docker(client, engine, images):
    """docker(berth): signed in, with the images one and two loaded under the names of the repositories."""

    def make(berth):
        run = client(berth, "docker", DOCKER_HOST=engine.docker_host)
        run.login()
        for name in ("one", "two"):
            run("load", "-q", "-i", images / f"{name}.docker.tar")
            run("tag", f"localhost/{name}:1", f"{berth.host}/team/{name}:1")
        return run

    return make


def push(run, berth, name):
    return run("push", f"{berth.host}/team/{name}:1")


def pull_all(run, berth, config_digest):
    for name in ("one", "two"):
        reference = f"{berth.host}/team/{name}:1"
        before = run("image", "inspect", "--format", "{{.Id}}", reference).strip()
        run("rmi", "-f", before)
        run("pull", "-q", reference)
        after = run("image", "inspect", "--format", "{{.Id}}", reference).strip()
        assert before == after == config_digest(berth, f"team/{name}")
        berth.oci().check_image(f"team/{name}", "1")


def test_docker_says_mounted_from_and_pulls_the_same_image(sharing, docker, pushes_share, config_digest):
    run = docker(sharing)
    output = pushes_share(sharing, lambda: push(run, sharing, "one"), lambda: push(run, sharing, "two"))
    assert "Mounted from team/one" in output
    pull_all(run, sharing, config_digest)


def test_docker_uploads_when_mounting_is_disabled(not_sharing, docker, pushes_upload, config_digest):
    run = docker(not_sharing)
    pushes_upload(not_sharing, lambda: push(run, not_sharing, "one"), lambda: push(run, not_sharing, "two"))
    pull_all(run, not_sharing, config_digest)


def test_docker_knows_a_layer_that_is_there(sharing, docker):
    run = docker(sharing)
    push(run, sharing, "one")
    assert "Layer already exists" in push(run, sharing, "one")


def test_docker_pulls_the_second_after_the_first_repository_is_gone(sharing, docker, config_digest):
    run = docker(sharing)
    push(run, sharing, "one")
    assert "Mounted from team/one" in push(run, sharing, "two")
    sharing.aws("ecr", "delete-repository", "--repository-name", "team/one", "--force")
    reference = f"{sharing.host}/team/two:1"
    run("rmi", "-f", config_digest(sharing, "team/two"))
    run("pull", "-q", reference)
    assert run("image", "inspect", "--format", "{{.Id}}", reference).strip() == config_digest(sharing, "team/two")


def test_docker_login_with_a_wrong_password_is_refused(sharing, client, engine):
    run = client(sharing, "docker", DOCKER_HOST=engine.docker_host)
    output = run("login", "--username", "AWS", "--password-stdin", sharing.host, text="not-a-token", check=False)
    assert "Login Succeeded" not in output
