"""ECR's quotas, made small, and its rates."""

import json
import time

import botocore.exceptions
import pytest

from harness.env import run
from harness.oci import blob, manifest, sha256

OCI_IMAGE = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}


def refused(code, call, **kw):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


def put(oci, repo, tag, config=b"{}"):
    oci.push_blob(repo, config)
    return oci.http.put(f"/v2/{repo}/manifests/{tag}", body=manifest(config, []), headers=OCI_IMAGE)


def test_repositories_of_a_registry(make_berth):
    berth = make_berth("--repositories-max", "3")
    ecr = berth.client("ecr")
    berth.create("aa", "bb", "cc")
    text = refused("LimitExceededException", ecr.create_repository, repositoryName="dd")
    assert text == f"The registry with id '{berth.account}' already has the maximum allowed number of repositories which is '3'"
    ecr.delete_repository(repositoryName="bb")
    ecr.create_repository(repositoryName="dd")
    # Other registries count by themselves.
    other = berth.client("ecr", region_name="eu-west-1")
    other.create_repository(repositoryName="aa")


def test_parts_of_a_layer(make_berth):
    berth = make_berth("--layer-parts-max", "2")
    berth.create("aa")
    parts = [blob(f"part{i}", 5 << 20) for i in range(3)]
    ecr = berth.client("ecr")
    upload = ecr.initiate_layer_upload(repositoryName="aa")["uploadId"]

    def send(i):
        first = sum(map(len, parts[:i]))
        return {"repositoryName": "aa", "uploadId": upload, "partFirstByte": first, "partLastByte": first + len(parts[i]) - 1, "layerPartBlob": parts[i]}

    ecr.upload_layer_part(**send(0))
    berth.restart()  # what came before counts
    ecr = berth.client("ecr")
    ecr.upload_layer_part(**send(1))
    text = refused("LimitExceededException", ecr.upload_layer_part, **send(2))
    assert text == "The layer upload already has the maximum allowed number of layer parts which is '2'"
    digest = sha256(parts[0] + parts[1])
    assert ecr.complete_layer_upload(repositoryName="aa", uploadId=upload, layerDigests=[digest])["layerDigest"] == digest
    assert berth.oci().get_blob("aa", digest) == parts[0] + parts[1]


def test_a_push_that_would_create_one_repository_too_many(make_berth):
    berth = make_berth("--repositories-max", "1")
    berth.client("ecr").create_repository_creation_template(prefix="ROOT", appliedFor=["CREATE_ON_PUSH"])
    http = berth.http()
    assert http.post("/v2/a/blobs/uploads/").status == 202
    r = http.post("/v2/b/blobs/uploads/")
    assert r.status == 403 and r.codes() == ["DENIED"]
    assert "maximum allowed number of repositories which is '1'" in r.json()["errors"][0]["message"]


def test_images_of_a_repository(make_berth):
    berth = make_berth("--images-max", "2")
    berth.create("app", "other")
    oci, ecr = berth.oci(), berth.client("ecr")
    for i in range(2):
        assert put(oci, "app", f"v{i}", b"{%d}" % i).status == 201
    # Pushing one of them again, or tagging it, is no new image.
    assert put(oci, "app", "again", b"{1}").status == 201
    # ECR answers 403 with these words: https://github.com/aws/containers-roadmap/issues/2159
    r = put(oci, "app", "v2", b"{2}")
    text = f"The repository with name 'app' in registry with id '{berth.account}' already has the maximum allowed number of images which is '2'"
    assert r.status == 403 and r.json() == {"errors": [{"code": "DENIED", "message": text}]}
    config = b"{2}"
    got = refused(
        "LimitExceededException", ecr.put_image, repositoryName="app", imageTag="v2", imageManifest=manifest(config, []).decode(),
        imageManifestMediaType=OCI_IMAGE["Content-Type"],
    )
    assert got == text
    assert put(oci, "other", "v2", b"{2}").status == 201
    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "v0"}])
    assert put(oci, "app", "v2", b"{2}").status == 201


def test_tags_of_an_image(make_berth):
    berth = make_berth("--image-tags-max", "3")
    berth.create("app")
    oci = berth.oci()
    for tag in ("a", "b", "c"):
        assert put(oci, "app", tag).status == 201
    assert put(oci, "app", "b").status == 201
    r = put(oci, "app", "d")
    assert r.status == 403 and r.json() == {"errors": [{
        "code": "DENIED",
        "message": f"Adding tag 'd' to an image in the repository with name 'app' in registry with id '{berth.account}' exceeds the maximum allowed "
        "number of tags per image which is '3'",
    }]}
    # A tag that moves away makes room.
    assert put(oci, "app", "c", b"{1}").status == 201
    assert put(oci, "app", "d").status == 201
    # Several with one push: all or none.
    config = b"{2}"
    oci.push_blob("app", config)
    text = manifest(config, [])
    r = oci.http.put(f"/v2/app/manifests/{sha256(text)}?tag=w&tag=x&tag=y&tag=z", body=text, headers=OCI_IMAGE)
    assert r.status == 403
    assert oci.http.get("/v2/app/tags/list").json()["tags"] == ["a", "b", "c", "d"]


def test_a_manifest_of_four_mebibytes_and_one_more(berth, oci):
    berth.create("app")
    config = b"{}"
    oci.push_blob("app", config)
    m = json.loads(manifest(config, []))
    m["annotations"] = {"fill": ""}
    m["annotations"]["fill"] = "x" * (4 * 1024 * 1024 - len(json.dumps(m)))
    exact = json.dumps(m).encode()
    assert len(exact) == 4 * 1024 * 1024
    assert oci.http.put("/v2/app/manifests/exact", body=exact, headers=OCI_IMAGE).status == 201
    assert oci.http.put("/v2/app/manifests/more", body=exact + b" ", headers=OCI_IMAGE).status == 413


# -- rates ---------------------------------------------------------------------------------------------------------------


def test_by_default_nothing_is_throttled(berth, ecr, http):
    berth.create("app")
    for _ in range(150):
        assert http.post("/v2/app/blobs/uploads/").status == 202


def test_the_api_is_throttled_with_its_exception(make_berth):
    berth = make_berth("--rate", "DescribeRegistry=5")
    ecr = berth.client("ecr")
    began = time.monotonic()
    for _ in range(5):
        ecr.describe_registry()
    with pytest.raises(botocore.exceptions.ClientError) as e:
        for _ in range(20):
            ecr.describe_registry()
    assert time.monotonic() - began < 5
    response = e.value.response
    assert response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    # Other actions and other registries have buckets of their own.
    ecr.describe_repositories()
    berth.client("ecr", region_name="eu-west-1").describe_registry()
    time.sleep(1.1)
    for _ in range(5):
        ecr.describe_registry()


def test_the_data_plane_is_throttled_by_the_action_it_stands_for(make_berth):
    berth = make_berth("--rate", "InitiateLayerUpload=2", "--rate", "BatchGetImage=0")
    berth.create("app")
    http = berth.http()
    assert [http.post("/v2/app/blobs/uploads/").status for _ in range(2)] == [202, 202]
    refusals = [r for r in (http.post("/v2/app/blobs/uploads/") for _ in range(5)) if r.status != 202]
    assert refusals
    for r in refusals:
        assert r.status == 429 and r["Retry-After"] == "1"
        assert r.json() == {"errors": [{"code": "TOOMANYREQUESTS", "message": "Rate exceeded"}]}
    with pytest.raises(botocore.exceptions.ClientError, match="ThrottlingException"):
        for _ in range(5):
            berth.client("ecr").initiate_layer_upload(repositoryName="app")
    assert http.get("/v2/app/tags/list").status == 200


def test_ecrs_own_rates(make_berth):
    berth = make_berth("--throttle", "ecr", "--rate", "InitiateLayerUpload=1000")
    berth.create("app")
    oci = berth.oci()
    statuses = [put(oci, "app", f"v{i}").status for i in range(25)]
    assert statuses[:10] == [201] * 10 and 429 in statuses, "PutImage: 10 a second"


@pytest.mark.parametrize("args, said", [
    (("--rate", "PutImages=5"), "there is no such action"), (("--rate", "PutImage"), "give ACTION=N"), (("--rate", "PutImage=fast"), "give ACTION=N"),
    (("--throttle", "some"), "throttle"), (("--images-max", "0"), "images-max"),
])
def test_settings_that_mean_nothing_stop_the_start(make_berth, args, said):
    berth = make_berth(*args, start=False)
    done = run(berth.command(), berth.env(), check=False)
    assert done.returncode == 2 and said in done.stdout and len(done.stdout.splitlines()) == 1
