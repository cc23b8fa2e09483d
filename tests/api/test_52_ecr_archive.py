"""Storage classes and pull times through the ECR API."""

import json
import time

import pytest

from harness.oci import IMAGE, blob, manifest, sha256
from test_50_ecr_images import Repo, digest
from test_50_ecr_repositories import refused
from test_51_ecr_lifecycle import policy, put_policy, rule, run


@pytest.fixture
def berth(make_berth):
    return make_berth("--restore-delay", "0s")


@pytest.fixture
def repo(berth):
    return Repo(berth)


def move(repo, target, **image_id):
    return repo.ecr.update_image_storage_class(repositoryName=repo.name, imageId=image_id, targetStorageClass=target)


def detail(repo, tag):
    [d] = repo.describe(imageIds=[{"imageTag": tag}])
    return d


def wait_active(repo, tag):
    for _ in range(100):
        if detail(repo, tag)["imageStatus"] == "ACTIVE":
            return
        time.sleep(0.1)
    raise AssertionError("the image does not come back")


def availability(repo, *layers):
    r = repo.ecr.batch_check_layer_availability(repositoryName=repo.name, layerDigests=[sha256(x) for x in layers])
    return [x["layerAvailability"] for x in r["layers"]]


def listed(repo, status):
    return sorted(i["imageDigest"] for i in repo.ecr.list_images(repositoryName=repo.name, filter={"imageStatus": status})["imageIds"])


def test_to_the_archive_and_back(berth, repo):
    text = repo.make(1)
    repo.put(text, "v1")
    done = move(repo, "ARCHIVE", imageTag="v1")
    done.pop("ResponseMetadata")
    assert done == {"registryId": berth.account, "repositoryName": "app", "imageStatus": "ARCHIVED",
                    "imageId": {"imageTag": "v1", "imageDigest": digest(text)}}
    # Nobody pulls it, by neither door; it is told apart from what is not there.
    r = berth.http().get("/v2/app/manifests/v1")
    assert r.status == 404
    assert json.loads(r.body)["errors"] == [{"code": "MANIFEST_UNKNOWN", "message": "Requested image not found"}]
    [failure] = repo.get({"imageTag": "v1"})["failures"]
    assert failure["failureCode"] == "ImageInaccessible"
    # It is told where it is asked for.
    assert repo.listed() == [] and repo.describe() == [] and repo.oci.tags("app") == []
    assert listed(repo, "ARCHIVED") == listed(repo, "ANY") == [digest(text)]
    [d] = repo.describe(filter={"imageStatus": "ARCHIVED"})
    assert d["imageStatus"] == "ARCHIVED" and "lastArchivedAt" in d and "lastActivatedAt" not in d
    assert detail(repo, "v1") == d
    assert repo.describe(imageIds=[{"imageTag": "v1"}], filter={"imageStatus": "ACTIVE"}) == []
    assert availability(repo, repo.layer, b"nothing") == ["ARCHIVED", "UNAVAILABLE"]
    repo.refused("LayerInaccessibleException", "get_download_url_for_layer", layerDigest=sha256(repo.layer))
    # And comes back.
    assert move(repo, "STANDARD", imageTag="v1")["imageStatus"] == "ACTIVATING"
    wait_active(repo, "v1")
    d = detail(repo, "v1")
    assert d["lastActivatedAt"] >= d["lastArchivedAt"]
    assert repo.oci.get_manifest("app", "v1") == text.encode()
    assert availability(repo, repo.layer) == ["AVAILABLE"]
    repo.oci.check_image("app", "v1")


def test_a_push_restores_at_once(berth, repo):
    text = repo.make(1)
    repo.put(text, "v1")
    repo.refused("ImageAlreadyExistsException", "put_image", imageManifest=text, imageTag="v1")
    move(repo, "ARCHIVE", imageTag="v1")
    repo.put(text, "v1")
    assert detail(repo, "v1")["imageStatus"] == "ACTIVE"
    move(repo, "ARCHIVE", imageTag="v1")
    repo.oci.put_manifest("app", "v1", text.encode())
    assert repo.oci.get_manifest("app", "v1") == text.encode()


def test_what_cannot_be_moved(berth, repo):
    child = repo.make("child")
    repo.put(child, "child")
    index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                        "manifests": [{"mediaType": IMAGE, "digest": digest(child), "size": len(child)}]})
    repo.put(index, "all")
    with_id = lambda **i: {"imageId": i, "targetStorageClass": "ARCHIVE"}
    text = repo.refused("ImageStorageClassUpdateNotSupportedException", "update_image_storage_class", **with_id(imageTag="child"))
    assert f"Requested image referenced by manifest list: [{digest(index)}]" in text
    text = repo.refused("ImageNotFoundException", "update_image_storage_class", **with_id(imageTag="none"))
    assert text == ("The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within the repository with name 'app' "
                    f"in the registry with id '{berth.account}'")
    repo.refused("InvalidParameterException", "update_image_storage_class", **with_id())
    repo.refused("InvalidParameterException", "update_image_storage_class", **with_id(imageDigest="nonsense"))
    move(repo, "ARCHIVE", imageTag="all")
    move(repo, "ARCHIVE", imageTag="child")
    # The list comes back with what it names.
    move(repo, "STANDARD", imageTag="all")
    wait_active(repo, "all")
    assert detail(repo, "child")["imageStatus"] == "ACTIVE"


def test_archived_images_can_be_deleted_and_collected(berth, repo):
    layer = blob("own", 3000)
    repo.oci.push_blob("app", layer)
    repo.put(manifest(repo.config, [layer]).decode(), "v1")
    move(repo, "ARCHIVE", imageTag="v1")
    berth.gc("--collect-grace", "0s")
    assert repo.oci.has_blob("app", sha256(layer))
    gone, failures = repo.delete({"imageTag": "v1"})
    assert len(gone) == 1 and failures == []
    berth.gc("--collect-grace", "0s")
    assert not repo.oci.has_blob("app", sha256(layer))
    berth.check()


def test_a_policy_moves_to_the_archive_and_out_of_it(berth, repo):
    old, new = repo.make("old"), repo.make("new")
    repo.put(old, "old")
    repo.put(new, "new")
    signature = repo.make("signature", subject={"mediaType": IMAGE, "digest": digest(old), "size": len(old)})
    repo.put(signature)
    put_policy(repo, policy(
        rule(1, "transition", tagStatus="any", countType="imageCountMoreThan", countNumber=1),
        rule(2, storageClass="archive", tagStatus="any", countType="sinceImageTransitioned", countUnit="days", countNumber=90),
    ))
    assert run(berth)["archived"] == 2
    assert listed(repo, "ARCHIVED") == sorted([digest(old), digest(signature)])
    ask = lambda **f: repo.ecr.list_image_referrers(repositoryName="app", subjectId={"imageDigest": digest(old)}, filter=f)["referrers"]
    assert ask() == [] and [r["artifactStatus"] for r in ask(artifactStatus="ARCHIVED")] == ["ARCHIVED"]
    assert run(berth, "--ahead", "89d")["expired"] == 0
    assert run(berth, "--ahead", "91d")["expired"] == 2
    assert listed(repo, "ANY") == [digest(new)]
    berth.check()


# -- pull times --------------------------------------------------------------------------------------------------------------


def pulled(repo, tag, wait=True):
    for _ in range(40):
        at = detail(repo, tag).get("lastRecordedPullTime")
        if at is not None or not wait:
            return at
        time.sleep(0.1)
    return None


def test_pulls_are_recorded(berth, repo):
    for tag in ("oci", "api", "head"):
        repo.put(repo.make(tag), tag)
    repo.oci.get_manifest("app", "oci")
    repo.get({"imageTag": "api"})
    assert berth.http().request("HEAD", "/v2/app/manifests/head").status == 200
    assert pulled(repo, "oci") is not None and pulled(repo, "api") is not None
    assert pulled(repo, "head", wait=False) is None


def test_pulls_of_excluded_principals_are_not(berth, repo, ecr):
    me = f"arn:aws:iam::{berth.account}:role/scanners/scan"
    done = ecr.register_pull_time_update_exclusion(principalArn=me)
    assert done["principalArn"] == me and "createdAt" in done
    refused("ExclusionAlreadyExistsException", ecr.register_pull_time_update_exclusion, principalArn=me)
    more = [f"arn:aws:iam::{berth.account}:user/u{i:02}" for i in range(99)]
    for arn in more:
        ecr.register_pull_time_update_exclusion(principalArn=arn)
    refused("LimitExceededException", ecr.register_pull_time_update_exclusion, principalArn=f"arn:aws:iam::{berth.account}:user/one-more")
    pages = list(ecr.get_paginator("list_pull_time_update_exclusions").paginate(PaginationConfig={"PageSize": 40})) \
        if ecr.can_paginate("list_pull_time_update_exclusions") else []
    if pages:
        assert [x for p in pages for x in p["pullTimeUpdateExclusions"]] == [me, *more]
    first = ecr.list_pull_time_update_exclusions(maxResults=1)
    assert first["pullTimeUpdateExclusions"] == [me]
    assert ecr.list_pull_time_update_exclusions(maxResults=1, nextToken=first["nextToken"])["pullTimeUpdateExclusions"] == more[:1]
    assert ecr.deregister_pull_time_update_exclusion(principalArn=me)["principalArn"] == me
    refused("ExclusionNotFoundException", ecr.deregister_pull_time_update_exclusion, principalArn=me)
    assert ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"] == more
