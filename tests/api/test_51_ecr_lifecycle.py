"""Lifecycle policies through the ECR API and `berth lifecycle run`: what is told, what goes, and what nobody else loses."""

import datetime
import json
import time

import pytest

from harness.oci import IMAGE, blob, manifest, sha256
from test_50_ecr_images import Repo, digest
from test_50_ecr_repositories import constraint, lax, refused  # noqa: F401 (lax is a fixture)


def rule(priority, action="expire", **selection):
    act = {"type": "expire"} if action == "expire" else {"type": "transition", "targetStorageClass": "archive"}
    return {"rulePriority": priority, "description": "a rule for tests, long enough for the least length", "selection": selection, "action": act}


def policy(*rules):
    return json.dumps({"rules": list(rules)})


KEEP_ONE = policy(rule(1, tagStatus="any", countType="imageCountMoreThan", countNumber=1))
FAILURE = "Lifecycle policy validation failure: "


@pytest.fixture
def repo(berth):
    return Repo(berth)


def put_policy(repo, text):
    return repo.ecr.put_lifecycle_policy(repositoryName=repo.name, lifecyclePolicyText=text)


def run(berth, *args):
    return json.loads(berth.berth("lifecycle run", "--json", *args).stdout)


def preview(repo, **kw):
    """The finished preview; the SDK's waiter would look every five seconds."""
    for _ in range(100):
        p = repo.ecr.get_lifecycle_policy_preview(repositoryName=repo.name, **kw)
        if p["status"] != "IN_PROGRESS":
            return p
        time.sleep(0.1)
    raise AssertionError("the preview does not end")


# -- Put, Get, Delete --------------------------------------------------------------------------------------------------------


def test_a_policy_is_put_told_and_deleted(berth, repo):
    text = policy(rule(2, tagStatus="tagged", tagPatternList=["prod*"], countType="sinceImagePushed", countUnit="days", countNumber=14))
    place = {"registryId": berth.account, "repositoryName": "app"}
    missing = "Lifecycle policy does not exist for the repository with name 'app' in the registry with id '" + berth.account + "'"
    assert repo.refused("LifecyclePolicyNotFoundException", "get_lifecycle_policy") == missing
    put = put_policy(repo, text)
    put.pop("ResponseMetadata")
    assert put == dict(place, lifecyclePolicyText=text)
    got = repo.ecr.get_lifecycle_policy(repositoryName="app")
    assert got["lifecyclePolicyText"] == text  # byte for byte
    assert got["lastEvaluatedAt"].timestamp() == 0
    run(berth)
    gone = repo.ecr.delete_lifecycle_policy(repositoryName="app")
    assert gone["lifecyclePolicyText"] == text
    assert abs((datetime.datetime.now(datetime.timezone.utc) - gone["lastEvaluatedAt"]).total_seconds()) < 60
    assert repo.refused("LifecyclePolicyNotFoundException", "delete_lifecycle_policy") == missing
    text = refused("RepositoryNotFoundException", repo.ecr.put_lifecycle_policy, repositoryName="none", lifecyclePolicyText=KEEP_ONE)
    assert "'none'" in text


@pytest.mark.parametrize("text, why", [
    ("x" * 100, "Could not map policyString into LifecyclePolicy."),
    (json.dumps({"rule": []}) + " " * 100, 'object has missing required properties (["rules"])'),
    (policy(dict(rule(1, tagStatus="any", countType="imageCountMoreThan", countNumber=1), nope=1)),
     'object instance has properties which are not allowed by the schema: (["nope"])'),
    (policy(rule(1, tagStatus="any", countType="imageCountMoreThan", countNumber=0)),
     "numeric instance is lower than the required minimum (minimum: 1, found: 0)"),
    (policy(rule(1, tagStatus="any", countType="nope", countNumber=1)), "instance failed to match exactly one schema (matched 0 out of 2)"),
    (policy(rule(1, tagStatus="tagged", countType="imageCountMoreThan", countNumber=1)),
     "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED."),
    (policy(rule(1, tagStatus="any", countType="imageCountMoreThan", countNumber=1),
            rule(2, tagStatus="untagged", countType="imageCountMoreThan", countNumber=1)),
     "Rule for tagStatus=ANY must have the lowest priority per storage class."),
])
def test_a_policy_outside_the_grammar_is_refused_in_ecrs_words(repo, text, why):
    for call in ("put_lifecycle_policy", "start_lifecycle_policy_preview"):
        assert repo.refused("InvalidParameterException", call, lifecyclePolicyText=text) == constraint("LifecyclePolicyText", FAILURE + why)
    repo.refused("LifecyclePolicyNotFoundException", "get_lifecycle_policy")


def test_a_policy_has_a_hundred_characters_at_least(lax, repo):  # noqa: F811
    text = refused("InvalidParameterException", lax.put_lifecycle_policy, repositoryName="app", lifecyclePolicyText="{}")
    assert text == constraint("lifecyclePolicyText", "Member must have length greater than or equal to 100")
    long = json.dumps({"rules": json.loads(KEEP_ONE)["rules"], "x": ""})
    text = refused("InvalidParameterException", lax.put_lifecycle_policy, repositoryName="app", lifecyclePolicyText=long + "ä" * 30720)
    assert text == constraint("lifecyclePolicyText", "Member must have length less than or equal to 30720")


# -- what goes -----------------------------------------------------------------------------------------------------------------


def test_images_go_and_layers_that_others_need_stay(berth, repo):
    other = Repo(berth, "other")
    shared = blob("shared", 5000)
    repo.oci.push_blob("app", shared)
    old = manifest(repo.config, [shared]).decode()
    repo.put(old, "old")
    assert repo.oci.mount("other", sha256(shared), "app")
    other.put(manifest(other.config, [shared], annotations={"of": "other"}).decode(), "kept")
    new = repo.make("new")
    repo.put(new, "new")
    put_policy(repo, KEEP_ONE)
    assert run(berth, "--collect-grace", "0s") == {"evaluations": 2, "expired": 1, "archived": 0, "restored": 0, "waiting": 0}
    assert repo.listed() == [(digest(new), "new")]
    assert repo.get({"imageTag": "old"})["failures"][0]["failureCode"] == "ImageNotFound"
    berth.gc("--collect-grace", "0s")
    assert not repo.oci.has_blob("app", sha256(shared))
    other.oci.check_image("other", "kept")
    berth.check()


def test_the_server_carries_policies_out_by_itself(make_berth):
    berth = make_berth("--lifecycle-delay", "0s")
    repo = Repo(berth)
    for i in range(5):
        repo.put(repo.make(i), f"v{i}")
    put_policy(repo, KEEP_ONE)
    for _ in range(100):
        if len(repo.listed()) == 1:
            break
        time.sleep(0.1)
    assert repo.listed() == [(digest(repo.make(4)), "v4")]


def test_days_pass_in_a_rehearsal(berth, repo):
    repo.put(repo.make(1), "v1")
    put_policy(repo, policy(rule(1, tagStatus="any", countType="sinceImagePushed", countUnit="days", countNumber=30)))
    assert run(berth)["expired"] == 0
    assert run(berth, "--ahead", "29d")["expired"] == 0
    assert run(berth, "--ahead", "31d", "--repository", "app")["expired"] == 1
    done = berth.berth("lifecycle run", "--repository", "none", check=False)
    assert done.returncode == 2 and "No repository with the name 'none' has a lifecycle policy" in done.stdout
    done = berth.berth("lifecycle", check=False)
    assert done.returncode == 2 and "berth lifecycle run" in done.stdout


def test_a_list_goes_before_its_images_and_referrers_after(berth, repo):
    child = repo.make("child")
    repo.put(child, "child")
    index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                        "manifests": [{"mediaType": IMAGE, "digest": digest(child), "size": len(child)}]})
    repo.put(index, "all")
    signature = repo.make("signature", subject={"mediaType": IMAGE, "digest": digest(child), "size": len(child)})
    repo.put(signature)
    last = repo.make("last")
    repo.put(last, "last")
    put_policy(repo, KEEP_ONE)
    # Child, list and last image count; the signature belongs to the child.
    done = run(berth)
    assert done["expired"] == 3 and done["waiting"] == 1
    assert repo.listed() == [(digest(last), "last")]


# -- previews --------------------------------------------------------------------------------------------------------------------


def test_a_preview_tells_and_changes_nothing(berth, repo):
    for i in range(4):
        repo.put(repo.make(i), f"v{i}")
    before = repo.listed()
    repo.refused("LifecyclePolicyPreviewNotFoundException", "get_lifecycle_policy_preview")
    repo.refused("LifecyclePolicyNotFoundException", "start_lifecycle_policy_preview")
    text = policy(rule(3, tagStatus="tagged", tagPrefixList=["v0"], countType="imageCountMoreThan", countNumber=1),
                  rule(7, "transition", tagStatus="any", countType="imageCountMoreThan", countNumber=2))
    started = repo.ecr.start_lifecycle_policy_preview(repositoryName="app", lifecyclePolicyText=text)
    assert started["status"] == "IN_PROGRESS" and started["lifecyclePolicyText"] == text
    p = preview(repo)
    assert p["status"] == "COMPLETE" and p["lifecyclePolicyText"] == text and p["registryId"] == berth.account
    # v0 is out of the second rule's reach.
    assert p["summary"] == {"expiringImageTotalCount": 0, "transitioningImageTotalCounts": [{"targetStorageClass": "ARCHIVE", "imageTotalCount": 1}]}
    [result] = p["previewResults"]
    assert result.pop("imagePushedAt")
    assert result == {
        "imageTags": ["v1"], "imageDigest": digest(repo.make(1)), "appliedRulePriority": 7, "storageClass": "STANDARD",
        "action": {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"},
    }
    assert repo.listed() == before
    waiter = repo.ecr.get_waiter("lifecycle_policy_preview_complete")
    waiter.wait(repositoryName="app")


def test_results_in_pages_and_by_filter(repo):
    for i in range(7):
        repo.put(repo.make(i), f"v{i}" if i % 2 else None)
    put_policy(repo, KEEP_ONE)
    repo.ecr.start_lifecycle_policy_preview(repositoryName="app")
    assert preview(repo)["summary"] == {"expiringImageTotalCount": 6}
    pages = list(repo.ecr.get_paginator("get_lifecycle_policy_preview").paginate(repositoryName="app", PaginationConfig={"PageSize": 4}))
    assert [len(p["previewResults"]) for p in pages] == [4, 2]
    assert [r["imageDigest"] for p in pages for r in p["previewResults"]] == [digest(repo.make(i)) for i in range(6)]
    count = lambda **kw: len(preview(repo, **kw)["previewResults"])
    assert count(filter={"tagStatus": "TAGGED"}) == count(filter={"tagStatus": "UNTAGGED"}) == 3
    assert count(imageIds=[{"imageTag": "v1"}, {"imageTag": "none"}, {"imageDigest": digest(repo.make(6))}]) == 1
    repo.refused("InvalidParameterException", "get_lifecycle_policy_preview", imageIds=[{"imageTag": "v1"}], maxResults=1)
    repo.refused("InvalidParameterException", "get_lifecycle_policy_preview", nextToken="nonsense")
