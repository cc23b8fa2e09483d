"""Repository creation templates, and repositories that a push makes by them."""

import concurrent.futures
import json

import botocore.exceptions
import pytest

from harness.oci import blob, manifest, sha256

PULLERS = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": ["ecr:BatchGetImage"]}],
})
LIFECYCLE = json.dumps({
    "rules": [{
        "rulePriority": 1, "description": "keep the last fifty of them",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 50}, "action": {"type": "expire"},
    }],
})
PUSH = ["CREATE_ON_PUSH"]


def refused(code, call, **kw):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


def template(ecr, prefix, **kw):
    kw.setdefault("appliedFor", PUSH)
    return ecr.create_repository_creation_template(prefix=prefix, **kw)["repositoryCreationTemplate"]


def push(oci, repo, tag="v1", seed="layer"):
    """Config, layer, manifest; returns the statuses."""
    config, layer = b"{}", blob(seed, 2000)
    text = manifest(config, [layer])
    statuses = []
    for data in (config, layer):
        start = oci.http.post(f"/v2/{repo}/blobs/uploads/")
        statuses.append(start.status)
        if start.status != 202:
            return statuses
        done = oci.http.put(f"{start.headers['Location']}?digest={sha256(data)}", body=data)
        statuses.append(done.status)
    put = oci.http.put(
        f"/v2/{repo}/manifests/{tag}", body=text, headers={"Content-Type": "application/vnd.oci.image.manifest.v1+json"},
    )
    return statuses + [put.status]


def test_a_template_is_told_as_it_was_made(ecr, berth):
    made = template(
        ecr, "prod", description="what production runs", encryptionConfiguration={"encryptionType": "AES256"},
        resourceTags=[{"Key": "team", "Value": "blue"}, {"Key": "empty", "Value": ""}], imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "dev-*"}], repositoryPolicy=PULLERS, lifecyclePolicy=LIFECYCLE,
        appliedFor=["CREATE_ON_PUSH", "REPLICATION"], customRoleArn=f"arn:aws:iam::{berth.account}:role/creator",
    )
    assert made["createdAt"] == made["updatedAt"]
    answer = ecr.describe_repository_creation_templates(prefixes=["prod"])
    assert answer["registryId"] == berth.account and answer["repositoryCreationTemplates"] == [made]
    del made["createdAt"], made["updatedAt"]
    assert made == {
        "prefix": "prod", "description": "what production runs", "encryptionConfiguration": {"encryptionType": "AES256"},
        "resourceTags": [{"Key": "team", "Value": "blue"}, {"Key": "empty", "Value": ""}],
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}], "repositoryPolicy": PULLERS,
        "lifecyclePolicy": LIFECYCLE, "appliedFor": ["REPLICATION", "CREATE_ON_PUSH"],
        "customRoleArn": f"arn:aws:iam::{berth.account}:role/creator",
    }


def test_what_a_template_leaves_out_has_the_defaults_of_a_repository(ecr):
    made = template(ecr, "ROOT")
    assert made["encryptionConfiguration"] == {"encryptionType": "AES256"} and made["imageTagMutability"] == "MUTABLE"
    assert made["resourceTags"] == [] and made["appliedFor"] == PUSH
    assert not {"description", "repositoryPolicy", "lifecyclePolicy", "customRoleArn", "imageTagMutabilityExclusionFilters"} & set(made)


def test_a_prefix_is_taken_once_with_or_without_its_slash(ecr, berth):
    assert template(ecr, "team/")["prefix"] == "team/"
    for prefix in ("team", "team/"):
        text = refused("TemplateAlreadyExistsException", ecr.create_repository_creation_template, prefix=prefix, appliedFor=PUSH)
        assert text == f"The repository creation template with prefix '{prefix}' already exists in the registry with id '{berth.account}'"
    assert ecr.delete_repository_creation_template(prefix="team")["repositoryCreationTemplate"]["prefix"] == "team/"
    text = refused("TemplateNotFoundException", ecr.delete_repository_creation_template, prefix="team")
    assert text == f"The repository creation template with prefix 'team' does not exist in the registry with id '{berth.account}'"


def test_an_update_changes_what_it_names_and_nothing_else(ecr):
    first = template(ecr, "p", description="old", imageTagMutability="IMMUTABLE", resourceTags=[{"Key": "a", "Value": "b"}], repositoryPolicy=PULLERS)
    now = ecr.update_repository_creation_template(prefix="p", description="new")["repositoryCreationTemplate"]
    assert now.pop("updatedAt") >= first.pop("updatedAt")
    assert now == first | {"description": "new"}
    now = ecr.update_repository_creation_template(
        prefix="p", repositoryPolicy="", description="", resourceTags=[], imageTagMutability="MUTABLE", appliedFor=["PULL_THROUGH_CACHE"],
    )["repositoryCreationTemplate"]
    assert "repositoryPolicy" not in now and "description" not in now
    assert now["resourceTags"] == [] and now["imageTagMutability"] == "MUTABLE" and now["appliedFor"] == ["PULL_THROUGH_CACHE"]
    refused("TemplateNotFoundException", ecr.update_repository_creation_template, prefix="q", description="x")


@pytest.mark.parametrize("kw, member", [
    ({"repositoryPolicy": "{}"}, "repositoryPolicy"),
    ({"lifecyclePolicy": json.dumps({"rules": []}) + " " * 100}, "LifecyclePolicyText"),
    ({"encryptionConfiguration": {"encryptionType": "AES256", "kmsKey": "arn:aws:kms:eu-west-1:123456789012:key/a"}}, "encryptionConfiguration"),
    ({"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "alias/mine"}}, "encryptionConfiguration.kmsKey"),
    ({"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}, "imageTagMutabilityExclusionFilters"),
    ({"appliedFor": []}, "appliedFor"),
    ({"customRoleArn": "arn:aws:iam::999999999999:role/other"}, "customRoleArn"),
    ({"customRoleArn": "creator"}, "customRoleArn"),
    ({"resourceTags": [{"Key": "a", "Value": "b\nc"}]}, "resourceTags"),
])
def test_what_could_not_make_a_repository_is_refused_at_once(ecr, kw, member):
    text = refused("InvalidParameterException", ecr.create_repository_creation_template, **({"prefix": "p", "appliedFor": PUSH} | kw))
    assert text.startswith(f"Invalid parameter at '{member}' failed to satisfy constraint: '"), text


def test_templates_come_in_pages(ecr):
    names = sorted(f"t{i:02}" for i in range(25))
    for n in reversed(names):
        template(ecr, n)
    pages = list(ecr.get_paginator("describe_repository_creation_templates").paginate(PaginationConfig={"PageSize": 10}))
    assert [len(p["repositoryCreationTemplates"]) for p in pages] == [10, 10, 5]
    assert [t["prefix"] for p in pages for t in p["repositoryCreationTemplates"]] == names
    named = ecr.describe_repository_creation_templates(prefixes=["t03", "t01"])["repositoryCreationTemplates"]
    assert [t["prefix"] for t in named] == ["t03", "t01"]
    refused("TemplateNotFoundException", ecr.describe_repository_creation_templates, prefixes=["t03", "none"])
    refused("InvalidParameterException", ecr.describe_repository_creation_templates, prefixes=["t03"], maxResults=5)
    refused("InvalidParameterException", ecr.describe_repository_creation_templates, nextToken="made-up")


# -- create on push ------------------------------------------------------------------------------------------------------


def test_a_push_makes_the_repository_as_the_template_says(ecr, oci, berth):
    template(
        ecr, "prod", imageTagMutability="IMMUTABLE", resourceTags=[{"Key": "team", "Value": "blue"}], repositoryPolicy=PULLERS, lifecyclePolicy=LIFECYCLE,
    )
    assert push(oci, "prod/app") == [202, 201, 202, 201, 201]
    [repo] = ecr.describe_repositories(repositoryNames=["prod/app"])["repositories"]
    assert repo["imageTagMutability"] == "IMMUTABLE"
    assert ecr.list_tags_for_resource(resourceArn=repo["repositoryArn"])["tags"] == [{"Key": "team", "Value": "blue"}]
    assert ecr.get_repository_policy(repositoryName="prod/app")["policyText"] == PULLERS
    assert ecr.get_lifecycle_policy(repositoryName="prod/app")["lifecyclePolicyText"] == LIFECYCLE
    assert [i["imageTag"] for i in ecr.list_images(repositoryName="prod/app")["imageIds"]] == ["v1"]
    # What the template says later does not matter to it.
    ecr.update_repository_creation_template(prefix="prod", imageTagMutability="MUTABLE")
    assert ecr.describe_repositories(repositoryNames=["prod/app"])["repositories"][0]["imageTagMutability"] == "IMMUTABLE"


@pytest.mark.parametrize("repo, by", [
    ("prod/x", "prod"), ("prod/team/x", "prod/team"), ("prod/team/deep/x", "prod/team"), ("prod/teamx/y", "prod"), ("production/x", "ROOT"),
    ("prod", "ROOT"), ("prod/team", "prod"), ("x", "ROOT"),
])
def test_the_longest_prefix_of_whole_components_counts(ecr, oci, repo, by):
    for prefix in ("ROOT", "prod", "prod/team/"):
        template(ecr, prefix, resourceTags=[{"Key": "by", "Value": prefix.rstrip("/")}])
    # This one is longer, but for something else.
    template(ecr, "prod/team/deep", appliedFor=["REPLICATION", "PULL_THROUGH_CACHE"])
    assert oci.http.post(f"/v2/{repo}/blobs/uploads/").status == 202
    [made] = ecr.describe_repositories()["repositories"]
    assert ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == [{"Key": "by", "Value": by}]


def test_without_a_template_a_push_finds_no_repository(ecr, oci, berth):
    template(ecr, "prod")
    template(ecr, "cache", appliedFor=["PULL_THROUGH_CACHE"])
    for repo in ("other/app", "prod", "cache/app"):
        r = oci.http.post(f"/v2/{repo}/blobs/uploads/")
        assert r.status == 404
        assert r.json() == {"errors": [{
            "code": "NAME_UNKNOWN", "message": f"The repository with name '{repo}' does not exist in the registry with id '{berth.account}'",
        }]}
    assert ecr.describe_repositories()["repositories"] == []


def test_reading_makes_nothing(ecr, oci):
    template(ecr, "ROOT")
    d = sha256(b"x")
    for path in (f"/v2/a/manifests/v1", f"/v2/a/blobs/{d}", "/v2/a/tags/list"):
        assert oci.http.get(path).status == 404
    assert oci.http.delete(f"/v2/a/manifests/{d}").status == 404
    assert ecr.describe_repositories()["repositories"] == []


@pytest.mark.parametrize("how", ["mount", "single", "manifest"])
def test_every_first_request_of_a_push_makes_it(ecr, oci, berth, how):
    template(ecr, "ROOT")
    berth.create("source")
    layer = blob("shared", 1000)
    start = oci.http.post("/v2/source/blobs/uploads/")
    assert oci.http.put(f"{start.headers['Location']}?digest={sha256(layer)}", body=layer).status == 201
    if how == "mount":
        assert oci.http.post(f"/v2/new/blobs/uploads/?mount={sha256(layer)}&from=source").status == 201
    elif how == "single":
        assert oci.http.post(f"/v2/new/blobs/uploads/?digest={sha256(layer)}", body=layer).status == 201
    else:
        index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []})
        put = oci.http.put("/v2/new/manifests/v1", body=index.encode(), headers={"Content-Type": "application/vnd.oci.image.index.v1+json"})
        assert put.status == 201
    assert [r["repositoryName"] for r in ecr.describe_repositories()["repositories"]] == ["new", "source"]


def test_two_pushes_at_once_make_one_repository(ecr, berth):
    template(ecr, "ROOT", resourceTags=[{"Key": "a", "Value": "b"}])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for i in range(10):
            clients = [berth.oci() for _ in range(8)] if i == 0 else clients
            got = list(pool.map(lambda c, i=i: c.http.post(f"/v2/race/r{i}/blobs/uploads/").status, clients))
            assert got == [202] * 8
    assert len(ecr.describe_repositories()["repositories"]) == 10
