"""Real clients against encrypted repositories: every type is pushed and pulled, and layers are mounted within a pool and never across."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.images import Layout, write_tiny_archive, write_tiny_layout

# Ways to make a repository, and the pool that it is then in. Key X is named by an alias and by its ARN.
KINDS = {
    "aes": ("AES256", None), "kms": ("KMS", None), "kms-x": ("KMS", "alias/x"), "kms-x-arn": ("KMS", "ARN of X"), "kms-y": ("KMS", "alias/y"),
    "dsse": ("KMS_DSSE", None), "dsse-x": ("KMS_DSSE", "alias/x"),
}
POOL = {kind: "kms-x" if kind.startswith("kms-x") else kind for kind in KINDS}
PAIRS = list(itertools.product(KINDS, KINDS))


@pytest.fixture
def pools(make_berth):
    """A server with two repositories of each kind, named after it. make(repo): another one."""
    berth = make_berth()
    kms = berth.client("kms")
    x, y = (kms.create_key()["KeyMetadata"] for _ in range(2))
    for alias, key in (("alias/x", x), ("alias/y", y)):
        kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])

    def make(repo):
        kind, key = KINDS[repo.split("/")[0]]
        named = {"kmsKey": key.replace("ARN of X", x["Arn"])} if key else {}
        berth.create(repo, encryptionConfiguration={"encryptionType": kind, **named})

    for name in KINDS:
        make(f"{name}/1")
        make(f"{name}/2")
    berth.make = make
    return berth


def of_pair(source, target):
    """(name of the image, repository that it is pushed to first, and then)."""
    return f"{source}-{target}", f"{source}/1", f"{target}/from-{source}"


def check_pairs(berth):
    """The second push of each pair asked once for a mount: 201 within the pool, otherwise the 202 of any upload; and the image is whole."""
    asked = {}
    for line in berth.access_log(lambda e: e.get("repository") == of_pair(*PAIRS[-1])[2] and e.get("operation") == "PutManifest"):
        if "mount_outcome" in line:
            asked.setdefault(line["repository"], []).append((line["mount_outcome"], line["status"]))
    want = {of_pair(s, t)[2]: [("mounted", 201) if POOL[s] == POOL[t] else ("other-pool", 202)] for s, t in PAIRS}
    assert asked == want
    oci = berth.oci()
    for repo in want:
        assert oci.check_image(repo, "1") > 70_000
    # What was mounted is stored once, what was not a second time.
    stored = sum(1 for size in berth.blob_files().values() if size > 65536)
    assert stored == sum(1 if POOL[s] == POOL[t] else 2 for s, t in PAIRS)


@pytest.fixture
def skopeo(client, images, pools):
    run = client(pools, "skopeo")
    run.login("--tls-verify=false")

    def copy(name, repo):
        return run("--insecure-policy", "copy", "--dest-tls-verify=false", f"oci:{images}/layout:{name}", f"docker://{pools.host}/{repo}:1")

    copy.run = run
    return copy


@pytest.mark.timeout(280)
def test_skopeo_mounts_within_a_pool_and_uploads_across_every_pair(pools, skopeo, scratch):
    write_tiny_layout(scratch / "tiny", [of_pair(*p)[0] for p in PAIRS])
    for image, first, second in itertools.starmap(of_pair, PAIRS):
        pools.make(second)
        for repo in (first, second):
            tag = image if repo == first else "1"
            skopeo.run("--insecure-policy", "copy", "--dest-tls-verify=false", f"oci:{scratch}/tiny:{image}", f"docker://{pools.host}/{repo}:{tag}")
    check_pairs(pools)


@pytest.mark.parametrize("kind", ["aes", "kms-x", "dsse-x"])
def test_skopeo_reads_back_what_it_pushed(pools, skopeo, layout, scratch, kind):
    skopeo("one", f"{kind}/1")
    skopeo.run("--insecure-policy", "copy", "--src-tls-verify=false", f"docker://{pools.host}/{kind}/1:1", f"oci:{scratch}/pulled:1")
    got = Layout(scratch / "pulled")
    assert got.digest("1") == layout.digest("one")
    for d in layout.manifest("one")["layers"]:
        assert got.blob(d["digest"]) == layout.blob(d["digest"])


@pytest.mark.timeout(280)
def test_docker_mounts_within_a_pool_and_uploads_across_every_pair(pools, client, engine, scratch):
    run = client(pools, "docker", DOCKER_HOST=engine.docker_host)
    run.login()
    references = {}
    for image, first, second in itertools.starmap(of_pair, PAIRS):
        pools.make(second)
        references[image] = (f"{pools.host}/{first}:{image}", f"{pools.host}/{second}:1")
    write_tiny_archive(scratch / "tiny.tar", references)
    run("load", "-q", "-i", scratch / "tiny.tar")
    with ThreadPoolExecutor(4) as workers:
        for step in (0, 1):
            pushed = list(workers.map(lambda name: run("push", references[name][step]), references))
    for (source, target), output in zip(PAIRS, pushed):
        assert (f"Mounted from {source}/1" in output) == (POOL[source] == POOL[target]), output
    run("rmi", "-f", *itertools.chain(*references.values()))
    check_pairs(pools)


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

    for kind in dict.fromkeys(POOL.values()):
        # Docker knows where it pushed the base before: each other pool refuses, the pool's own repository mounts.
        w = watch(pools)
        first = push("one", f"{kind}/1")
        assert "Mounted from" not in first, first
        assert kind == "aes" or w.mounts("other-pool") >= 1
        assert f"Mounted from {kind}/1" in push("two", f"{kind}/2")
    for kind in dict.fromkeys(POOL.values()):
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
