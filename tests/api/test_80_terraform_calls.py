"""The calls that Terraform's AWS provider makes for ECR, in its order (docs/terraform.md): create, read back without drift, update, import, destroy."""

import base64
import json

import botocore.exceptions
import pytest

from harness.oci import blob, manifest

OCI_IMAGE = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}


def not_found(code, call, **kw):
    """The provider reads this exception as: gone."""
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code, e.value


def normalized(document):
    """As the provider sends a document: compact, in the order of its keys."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def policy(*principals, action="ecr:BatchGetImage", **more):
    return normalized({
        "Version": "2012-10-17",
        "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": [action], **more}],
    })


LIFECYCLE = normalized({
    "rules": [{
        "rulePriority": 1, "description": "Expire untagged images", "action": {"type": "expire"},
        "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
    }],
})


def test_caller_identity_and_authorization_token(berth, sts, ecr):
    me = sts.get_caller_identity()
    assert me["Arn"] == f"arn:aws:iam::{me['Account']}:root" and me["UserId"] == me["Account"]
    data = ecr.get_authorization_token(registryIds=[me["Account"]])["authorizationData"][0]
    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:") and data["proxyEndpoint"] and data["expiresAt"]


def test_account_setting(ecr):
    for value in ("ENABLED", "DISABLED", "ENABLED"):
        ecr.put_account_setting(name="BLOB_MOUNTING", value=value)
        got = ecr.get_account_setting(name="BLOB_MOUNTING")
        assert (got["name"], got["value"]) == ("BLOB_MOUNTING", value)
    # Destroying makes no call.


def test_repository(ecr, berth):
    made = ecr.create_repository(
        repositoryName="team/app", imageTagMutability="MUTABLE", imageScanningConfiguration={"scanOnPush": True},
        tags=[{"Key": "env", "Value": "dev"}, {"Key": "owner", "Value": "me"}],
    )["repository"]

    def read():
        [r] = ecr.describe_repositories(repositoryNames=["team/app"])["repositories"]
        tags = ecr.list_tags_for_resource(resourceArn=r["repositoryArn"])["tags"]
        return r, {t["Key"]: t["Value"] for t in tags}

    assert read() == (made, {"env": "dev", "owner": "me"})
    assert made["encryptionConfiguration"] == {"encryptionType": "AES256"}
    assert made["repositoryUri"] == f"{berth.host}/team/app" and made["registryId"] == berth.account
    where = {"repositoryName": "team/app", "registryId": made["registryId"]}
    ecr.put_image_tag_mutability(
        **where, imageTagMutability="IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=[{"filter": "dev-*", "filterType": "WILDCARD"}],
    )
    ecr.put_image_scanning_configuration(**where, imageScanningConfiguration={"scanOnPush": False})
    ecr.untag_resource(resourceArn=made["repositoryArn"], tagKeys=["owner"])
    ecr.tag_resource(resourceArn=made["repositoryArn"], tags=[{"Key": "env", "Value": "prod"}])
    now, tags = read()
    assert tags == {"env": "prod"}
    assert now == made | {
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": [{"filter": "dev-*", "filterType": "WILDCARD"}],
        "imageScanningConfiguration": {"scanOnPush": False},
    }
    # An import knows the name only.
    assert read() == (now, tags)
    oci = berth.oci()
    oci.push_blob("team/app", b"{}")
    assert oci.http.put("/v2/team/app/manifests/v1", body=manifest(b"{}", []), headers=OCI_IMAGE).status == 201
    not_found("RepositoryNotEmptyException", ecr.delete_repository, **where, force=False)
    ecr.delete_repository(**where, force=True)
    not_found("RepositoryNotFoundException", ecr.describe_repositories, repositoryNames=["team/app"])
    not_found("RepositoryNotFoundException", ecr.delete_repository, **where)


def test_repository_policy(ecr, berth):
    berth.create("app")
    root = f"arn:aws:iam::{berth.account}:root"
    for text in (policy(root), policy(root, "arn:aws:iam::111122223333:root")):
        ecr.set_repository_policy(repositoryName="app", policyText=text)
        got = ecr.get_repository_policy(repositoryName="app")
        assert (got["policyText"], got["repositoryName"], got["registryId"]) == (text, "app", berth.account)
    ecr.delete_repository_policy(repositoryName="app", registryId=berth.account)
    not_found("RepositoryPolicyNotFoundException", ecr.get_repository_policy, repositoryName="app")
    not_found("RepositoryPolicyNotFoundException", ecr.delete_repository_policy, repositoryName="app")
    ecr.delete_repository(repositoryName="app")
    not_found("RepositoryNotFoundException", ecr.get_repository_policy, repositoryName="app")


def test_registry_policy(ecr, berth):
    not_found("RegistryPolicyNotFoundException", ecr.get_registry_policy)
    for account in ("111122223333", "444455556666"):
        text = policy(f"arn:aws:iam::{account}:root", action="ecr:ReplicateImage", Resource=[f"arn:aws:ecr:{berth.region}:{berth.account}:repository/*"])
        assert ecr.put_registry_policy(policyText=text)["registryId"] == berth.account
        got = ecr.get_registry_policy()
        assert (got["policyText"], got["registryId"]) == (text, berth.account)
    ecr.delete_registry_policy()
    not_found("RegistryPolicyNotFoundException", ecr.get_registry_policy)
    not_found("RegistryPolicyNotFoundException", ecr.delete_registry_policy)


def test_lifecycle_policy(ecr, berth):
    berth.create("app")
    put = ecr.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText=LIFECYCLE)
    assert (put["repositoryName"], put["registryId"]) == ("app", berth.account)
    got = ecr.get_lifecycle_policy(repositoryName="app")
    assert (got["lifecyclePolicyText"], got["repositoryName"], got["registryId"]) == (LIFECYCLE, "app", berth.account)
    ecr.delete_lifecycle_policy(repositoryName="app")
    not_found("LifecyclePolicyNotFoundException", ecr.get_lifecycle_policy, repositoryName="app")
    not_found("LifecyclePolicyNotFoundException", ecr.delete_lifecycle_policy, repositoryName="app")
    not_found("RepositoryNotFoundException", ecr.delete_lifecycle_policy, repositoryName="none")


def test_repository_creation_template(ecr, berth):
    root = f"arn:aws:iam::{berth.account}:root"
    made = ecr.create_repository_creation_template(
        prefix="team", description="a template", imageTagMutability="IMMUTABLE", appliedFor=["CREATE_ON_PUSH", "PULL_THROUGH_CACHE"],
        encryptionConfiguration={"encryptionType": "AES256"}, resourceTags=[{"Key": "a", "Value": "b"}], repositoryPolicy=policy(root),
        lifecyclePolicy=LIFECYCLE, customRoleArn=f"arn:aws:iam::{berth.account}:role/creator",
    )["repositoryCreationTemplate"]

    def read():
        answer = ecr.describe_repository_creation_templates(prefixes=["team"])
        assert answer["registryId"] == berth.account
        [t] = answer["repositoryCreationTemplates"]
        return t

    assert read() == made and made["prefix"] == "team"
    assert made["repositoryPolicy"] == policy(root) and made["lifecyclePolicy"] == LIFECYCLE
    # Emptied arguments are sent as empty texts and lists.
    ecr.update_repository_creation_template(
        prefix="team", description="", customRoleArn="", lifecyclePolicy="", repositoryPolicy="", resourceTags=[], imageTagMutability="MUTABLE",
        appliedFor=["CREATE_ON_PUSH"],
    )
    now = read()
    assert now["imageTagMutability"] == "MUTABLE" and now["appliedFor"] == ["CREATE_ON_PUSH"] and now["resourceTags"] == []
    assert not {"description", "customRoleArn", "lifecyclePolicy", "repositoryPolicy"} & set(now)
    ecr.update_repository_creation_template(
        prefix="team", imageTagMutability="MUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=[{"filter": "v*", "filterType": "WILDCARD"}],
    )
    assert read()["imageTagMutabilityExclusionFilters"] == [{"filter": "v*", "filterType": "WILDCARD"}]
    ecr.delete_repository_creation_template(prefix="team")
    not_found("TemplateNotFoundException", ecr.describe_repository_creation_templates, prefixes=["team"])
    not_found("TemplateNotFoundException", ecr.delete_repository_creation_template, prefix="team")


def test_registry_scanning_configuration(ecr, berth):
    rules = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "example", "filterType": "WILDCARD"}]}]
    for scan_type, wanted in (("BASIC", rules), ("ENHANCED", rules + [{"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}])):
        ecr.put_registry_scanning_configuration(scanType=scan_type, rules=wanted)
        got = ecr.get_registry_scanning_configuration()
        assert got["registryId"] == berth.account and got["scanningConfiguration"] == {"scanType": scan_type, "rules": wanted}
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[])
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}


def test_pull_time_update_exclusion(ecr, berth):
    arn = f"arn:aws:iam::{berth.account}:role/scanner"
    ecr.register_pull_time_update_exclusion(principalArn=arn)
    assert ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"] == [arn]
    ecr.deregister_pull_time_update_exclusion(principalArn=arn)
    assert ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"] == []
    not_found("ExclusionNotFoundException", ecr.deregister_pull_time_update_exclusion, principalArn=arn)


def test_data_sources(ecr, berth):
    berth.create("app", "other")
    oci = berth.oci()
    for i, tag in enumerate(("v1", "latest")):
        config = b"{%d}" % i
        oci.push_blob("app", config)
        oci.push_blob("app", blob(i))
        assert oci.http.put(f"/v2/app/manifests/{tag}", body=manifest(config, [blob(i)]), headers=OCI_IMAGE).status == 201
    # aws_ecr_repositories
    pages = ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1})
    assert [r["repositoryName"] for p in pages for r in p["repositories"]] == ["app", "other"]
    # aws_ecr_repository
    [r] = ecr.describe_repositories(repositoryNames=["app"], registryId=berth.account)["repositories"]
    details = ecr.describe_images(repositoryName="app", registryId=berth.account, filter={"tagStatus": "TAGGED"})["imageDetails"]
    newest = max(details, key=lambda d: d["imagePushedAt"])
    assert newest["imageTags"] == ["latest"]
    # aws_ecr_image
    [one] = ecr.describe_images(repositoryName="app", imageIds=[{"imageTag": "v1"}])["imageDetails"]
    assert one["imageSizeInBytes"] > 1000 and one["registryId"] == berth.account and one["repositoryName"] == "app"
    assert oci.http.get(f"/v2/app/manifests/{one['imageDigest']}").status == 200 and r["repositoryUri"]
    not_found("ImageNotFoundException", ecr.describe_images, repositoryName="app", imageIds=[{"imageTag": "none"}])
    # aws_ecr_images
    pages = ecr.get_paginator("list_images").paginate(repositoryName="app", filter={"tagStatus": "TAGGED"}, PaginationConfig={"PageSize": 1})
    assert sorted(i["imageTag"] for p in pages for i in p["imageIds"]) == ["latest", "v1"]
