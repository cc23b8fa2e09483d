"""Real clients against encrypted repositories: every type is pushed and pulled, and layers are mounted within a pool and never across."""

import itertools

import pytest

from harness.images import Layout

KINDS = {
    "aes": ("AES256", None), "kms": ("KMS", None), "kms-x": ("KMS", "alias/x"), "kms-y": ("KMS", "alias/y"),
    "dsse": ("KMS_DSSE", None), "dsse-x": ("KMS_DSSE", "alias/x"),
}


@pytest.fixture
def pools(make_berth):
    """A server with two repositories of each kind, named after it."""
    berth = make_berth()
    kms = berth.client("kms")
    for alias in ("alias/x", "alias/y"):
        kms.create_alias(AliasName=alias, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    def make(repo):
        kind, key = KINDS[repo.split("/")[0]]
        berth.create(repo, encryptionConfiguration={"encryptionType": kind, **({"kmsKey": key} if key else {})})

    for name in KINDS:
        make(f"{name}/1")
        make(f"{name}/2")
    berth.make = make
    return berth


@pytest.fixture
def skopeo(client, images, pools):
    run = client(pools, "skopeo")
    run.login("--tls-verify=false")

    def copy(name, repo):
        return run("--insecure-policy", "copy", "--dest-tls-verify=false", f"oci:{images}/layout:{name}", f"docker://{pools.host}/{repo}:1")

    copy.run = run
    return copy


@pytest.mark.timeout(280)
def test_skopeo_mounts_within_a_pool_and_uploads_across_every_pair(pools, skopeo, watch):
    for source, target in itertools.combinations_with_replacement(KINDS, 2):
        skopeo("one", f"{source}/1")
        w = watch(pools)
        skopeo("two", f"{target}/2")
        if source == target:
            assert w.mounts() >= 1 and w.mounts("other-pool") == 0, (source, target)
        else:
            assert w.mounts() == 0 and w.mounts("other-pool") >= 1, (source, target)
        assert pools.oci().check_image(f"{target}/2", "1") > 20 << 20
        # No other repository of the target's pool may hold the layer when the next pair is tried: it would be found there.
        for repo in (f"{source}/1", f"{target}/2"):
            pools.client("ecr").delete_repository(repositoryName=repo, force=True)
            pools.make(repo)


@pytest.mark.parametrize("kind", ["aes", "kms-x", "dsse-x"])
def test_skopeo_reads_back_what_it_pushed(pools, skopeo, layout, scratch, kind):
    skopeo("one", f"{kind}/1")
    skopeo.run("--insecure-policy", "copy", "--src-tls-verify=false", f"docker://{pools.host}/{kind}/1:1", f"oci:{scratch}/pulled:1")
    got = Layout(scratch / "pulled")
    assert got.digest("1") == layout.digest("one")
    for d in layout.manifest("one")["layers"]:
        assert got.blob(d["digest"]) == layout.blob(d["digest"])


@pytest.mark.timeout(280)
def test_docker_pushes_and_pulls_every_kind_and_says_mounted_from_within_a_pool_only(pools, client, engine, images, watch, config_digest):
    run = client(pools, "docker", DOCKER_HOST=engine.docker_host)
    run.login()
    for name in ("one", "two"):
        run("load", "-q", "-i", images / f"{name}.docker.tar")

    def push(name, repo):
        reference = f"{pools.host}/{repo}:1"
        run("tag", f"localhost/{name}:1", reference)
        return run("push", reference)

    for kind in KINDS:
        # Docker knows where it pushed the base before: each other pool refuses, the pool's own repository mounts.
        w = watch(pools)
        first = push("one", f"{kind}/1")
        assert "Mounted from" not in first, first
        assert kind == "aes" or w.mounts("other-pool") >= 1
        assert f"Mounted from {kind}/1" in push("two", f"{kind}/2")
    for kind in KINDS:
        for number in (1, 2):
            reference = f"{pools.host}/{kind}/{number}:1"
            wanted = config_digest(pools, f"{kind}/{number}")
            run("rmi", "-f", wanted, check=False)  # under all its names
            run("pull", "-q", reference)
            assert run("image", "inspect", "--format", "{{.Id}}", reference).strip() == wanted


@pytest.mark.parametrize("kind", ["KMS", "KMS_DSSE"])
def test_docker_says_why_when_the_key_is_disabled(make_berth, client, engine, images, kind):
    berth = make_berth("--kms-cache", "1s")
    kms = berth.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    berth.create("locked", encryptionConfiguration={"encryptionType": kind, "kmsKey": key})
    run = client(berth, "docker", DOCKER_HOST=engine.docker_host)
    run.login()
    run("load", "-q", "-i", images / "one.docker.tar")
    run("tag", "localhost/one:1", f"{berth.host}/locked:1")
    kms.disable_key(KeyId=key)
    output = run("push", f"{berth.host}/locked:1", check=False)
    assert "The KMS key of this repository cannot be used" in output and "is disabled" in output, output
    kms.enable_key(KeyId=key)
    run("push", f"{berth.host}/locked:1")
    assert berth.oci().check_image("locked", "1")
