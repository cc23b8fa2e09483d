"""Mounting over /v2/: every outcome, and that every refusal looks the same."""

import pytest

from harness.oci import blob, expect, join, sha256, sha512

LAYER = blob("layer", 40_000)


@pytest.fixture(autouse=True)
def repositories(berth):
    berth.create("src/app", "dst")


def shape(response):
    """What a client can tell a refusal by, but for the id of the session."""
    headers = {k: v for k, v in response.headers.items() if k not in ("Date", "Location", "Docker-Upload-UUID")}
    return response.status, headers, response.body


def outcome(berth, text):
    return berth.access_log(lambda e: text in e.values())


def test_a_mount_links_the_layer(berth, oci):
    digest = oci.push_blob("src/app", LAYER)
    r = expect(oci.mount_request("dst", digest, "src/app"), 201)
    assert (r["Location"], r["Docker-Content-Digest"], r.body) == (f"/v2/dst/blobs/{digest}", digest, b"")
    assert oci.get_blob("dst", digest) == LAYER
    assert berth.holds_file_of(len(LAYER)) == 1
    assert berth.metrics().mounts("mounted") == 1
    outcome(berth, "mounted")
    expect(oci.mount_request("dst", digest, "src/app"), 201)
    assert berth.metrics().mounts("present") == 1


@pytest.mark.parametrize("query", ["mount={d}&from=src/app", "from=src%2Fapp&mount={e}", "mount={e}&from=src%2Fapp&origin=localhost%3A5000&ns=x", "mount={d}"])
def test_parameters_come_plain_or_encoded_and_unknown_ones_are_ignored(http, oci, query):
    digest = oci.push_blob("src/app", LAYER)
    r = http.post("/v2/dst/blobs/uploads/?" + query.format(d=digest, e=digest.replace(":", "%3A")))
    assert (r.status, r["Docker-Content-Digest"]) == (201, digest)


def test_every_refusal_is_the_same_usable_session(berth, http, oci):
    held = oci.push_blob("src/app", LAYER)
    absent = sha256(b"absent")
    ordinary = shape(expect(http.post("/v2/dst/blobs/uploads/"), 202))
    refused = {
        "absent": oci.mount_request("dst", absent, "src/app"),
        "absent, no source": oci.mount_request("dst", absent),
        "no such source": oci.mount_request("dst", absent, "not/there"),
        "bad source": oci.mount_request("dst", absent, "No/Such Name"),
        "empty source": oci.mount_request("dst", absent, ""),
        "itself": oci.mount_request("dst", absent, "dst"),
        "bad digest": oci.mount_request("dst", "sha256:zz", "src/app"),
        "empty digest": oci.mount_request("dst", "", "src/app"),
        "only a source": http.post("/v2/dst/blobs/uploads/?from=src/app"),
    }
    for why, r in refused.items():
        assert shape(r) == ordinary, why
    data = b"absent"
    expect(http.put(join(refused["absent"]["Location"], digest=absent), data), 201)
    assert oci.get_blob("dst", absent) == data
    assert not oci.has_blob("dst", held)


def test_another_algorithm_is_another_layer(http, oci):
    oci.push_blob("src/app", LAYER)
    r = expect(oci.mount_request("dst", sha512(LAYER), "src/app"), 202)
    expect(http.put(join(r["Location"], digest=sha512(LAYER)), LAYER), 201)
    expect(oci.mount_request("src/app", sha512(LAYER), "dst"), 201)


def test_a_target_that_is_not_there_is_an_error(oci):
    digest = oci.push_blob("src/app", LAYER)
    r = oci.mount_request("not/there", digest, "src/app")
    assert (r.status, r.codes()) == (404, ["NAME_UNKNOWN"])


def test_without_the_setting_nothing_mounts(make_berth):
    berth = make_berth(setting=None)
    berth.create("aa", "bb")
    oci = berth.oci()
    digest = oci.push_blob("aa", LAYER)
    assert not oci.mount("bb", digest, "aa")
    assert not oci.mount("bb", digest)
    assert berth.metrics().mounts("off") == 2
    outcome(berth, "off")
    berth.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    assert oci.mount("bb", digest, "aa")
    berth.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="DISABLED")
    assert oci.get_blob("bb", digest) == LAYER  # what was mounted stays


def test_another_encryption_is_another_pool(berth, oci):
    berth.create("kms", encryptionConfiguration={"encryptionType": "KMS"})
    digest = oci.push_blob("src/app", LAYER)
    assert not oci.mount("kms", digest, "src/app")
    assert not oci.mount("kms", digest)
    assert oci.mount("dst", digest)
    outcome(berth, "other-pool")


def test_another_registry_of_the_server_is_never_a_source(berth, oci):
    digest = oci.push_blob("src/app", LAYER)
    region = "eu-west-3" if berth.region != "eu-west-3" else "eu-west-2"
    ecr = berth.client("ecr", region_name=region)
    ecr.create_repository(repositoryName="dst")
    ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    import base64

    user, _, password = base64.b64decode(ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]).decode().partition(":")
    from harness.http import Http
    from harness.oci import Oci

    there = Oci(Http(berth.port, auth=(user, password)))
    assert not there.mount("dst", digest, "src/app")
    assert not there.mount("dst", digest)
    there.http.close()


def test_deleting_in_the_target_leaves_the_source(oci):
    digest = oci.push_blob("src/app", LAYER)
    assert oci.mount("dst", digest, "src/app")
    oci.delete_blob("dst", digest)
    assert not oci.has_blob("dst", digest)
    assert oci.get_blob("src/app", digest) == LAYER


def test_deleting_the_source_repository_leaves_the_target(berth, oci):
    digest, _ = oci.push_image("src/app", "one", [LAYER])
    oci.push_image("dst", "two", [LAYER], mount_from="src/app")
    berth.client("ecr").delete_repository(repositoryName="src/app", force=True)
    assert oci.http.head(f"/v2/src/app/blobs/{sha256(LAYER)}").status == 404
    oci.check_image("dst", "two")
    berth.gc()
    oci.check_image("dst", "two")


def test_with_ecrs_policy_only_layers_of_an_image_mount(make_berth):
    berth = make_berth("--mount-policy", "ecr")
    berth.create("aa", "bb")
    oci = berth.oci()
    digest = oci.push_blob("aa", LAYER)
    assert not oci.mount("bb", digest, "aa")
    oci.push_image("aa", "one", [LAYER])
    assert not oci.mount("bb", digest)  # ECR never searches
    assert oci.mount("bb", digest, "aa")
    outcome(berth, "unreferenced")
