"""Repositories, their tags, account settings and registry tokens through the ECR API."""

import base64
import datetime

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError


def refused(code, call, **kw):
    """The message with which the call fails; the code must be this one."""
    with pytest.raises(ClientError) as e:
        call(**kw)
    error = e.value.response["Error"]
    assert error["Code"] == code, error
    return error["Message"]


def constraint(member, text):
    return f"Invalid parameter at '{member}' failed to satisfy constraint: '{text}'"


@pytest.fixture
def lax(berth):
    """A client that sends what it is told to send."""
    return berth.client("ecr", config=Config(parameter_validation=False))


# -- repositories ------------------------------------------------------------------------------------------------------------


def test_a_new_repository_is_described_as_ecr_does(berth, ecr):
    account, region = berth.account, berth.region
    r = ecr.create_repository(repositoryName="team/app")["repository"]
    created = r.pop("createdAt")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - created).total_seconds()) < 60
    assert r == {
        "repositoryArn": f"arn:aws:ecr:{region}:{account}:repository/team/app",
        "registryId": account,
        "repositoryName": "team/app",
        "repositoryUri": f"{berth.host}/team/app",
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }
    described = ecr.describe_repositories(repositoryNames=["team/app"])["repositories"]
    assert described == [dict(r, createdAt=created)]
    assert ecr.describe_repositories()["repositories"] == described


def test_a_domain_gives_repositories_a_host_of_their_own(make_berth):
    berth = make_berth("--domain", "registry.example.com")
    [r] = berth.create("app")
    assert r["repositoryUri"] == f"{berth.account}.dkr.ecr.{berth.region}.registry.example.com:{berth.port}/app"


def test_a_repository_exists_once(berth, ecr):
    ecr.create_repository(repositoryName="app")
    text = refused("RepositoryAlreadyExistsException", ecr.create_repository, repositoryName="app")
    assert text == f"The repository with name 'app' already exists in the registry with id '{berth.account}'"


@pytest.mark.parametrize("name", ["Upper", "a//b", "-a", "a-", "a_-b", "a b", "ä" * 3, "a/", "/a"])
def test_names_that_break_the_grammar_are_refused(ecr, name):
    text = refused("InvalidParameterException", ecr.create_repository, repositoryName=name)
    assert text.startswith("Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '")


@pytest.mark.parametrize("name", ["ab", "a__b", "a---b", "a.b_c-d/e", "x" * 256])
def test_names_of_the_grammar_of_2026_are_taken(ecr, name):
    assert ecr.create_repository(repositoryName=name)["repository"]["repositoryName"] == name


def test_unknown_repositories_are_named_in_the_error(berth, ecr):
    want = f"The repository with name 'nothing' does not exist in the registry with id '{berth.account}'"
    for call, more in [
        (ecr.delete_repository, {}),
        (ecr.list_images, {}),
        (ecr.describe_images, {}),
        (ecr.initiate_layer_upload, {}),
        (ecr.put_image_tag_mutability, {"imageTagMutability": "MUTABLE"}),
        (ecr.batch_get_image, {"imageIds": [{"imageTag": "x"}]}),
        (ecr.batch_get_image, {"imageIds": [{}]}),
        (ecr.batch_delete_image, {"imageIds": [{"imageTag": "x"}]}),
        (ecr.batch_check_layer_availability, {"layerDigests": ["sha256:" + "0" * 64]}),
        (ecr.batch_check_layer_availability, {"layerDigests": ["nonsense"]}),
        (ecr.get_download_url_for_layer, {"layerDigest": "sha256:" + "0" * 64}),
        (ecr.put_image, {"imageManifest": '{"schemaVersion":2}', "imageManifestMediaType": "application/vnd.oci.image.index.v1+json"}),
        (ecr.list_image_referrers, {"subjectId": {"imageDigest": "sha256:" + "0" * 64}}),
    ]:
        assert refused("RepositoryNotFoundException", call, repositoryName="nothing", **more) == want
    assert refused("RepositoryNotFoundException", ecr.describe_repositories, repositoryNames=["nothing"]) == want
    ecr.create_repository(repositoryName="there")
    assert refused("RepositoryNotFoundException", ecr.describe_repositories, repositoryNames=["there", "nothing"]) == want


def test_deletion_answers_what_was_and_needs_force_for_images(berth, ecr, oci):
    r = ecr.create_repository(repositoryName="app")["repository"]
    oci.push_image("app", "v1", [b"layer" * 100])
    text = refused("RepositoryNotEmptyException", ecr.delete_repository, repositoryName="app")
    assert text == (
        f"The repository with name 'app' in registry with id '{berth.account}' cannot be deleted because it still contains images"
    )
    assert ecr.delete_repository(repositoryName="app", force=True)["repository"] == r
    assert ecr.describe_repositories()["repositories"] == []
    assert ecr.create_repository(repositoryName="app")["repository"]["createdAt"] >= r["createdAt"]
    ecr.delete_repository(repositoryName="app")


def test_encryption_is_fixed_at_creation_and_told_with_its_key(berth, ecr):
    key = berth.client("kms").create_key()["KeyMetadata"]["Arn"]
    r = ecr.create_repository(repositoryName="own", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key})["repository"]
    assert r["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": key}
    r = ecr.create_repository(repositoryName="managed", encryptionConfiguration={"encryptionType": "KMS_DSSE"})["repository"]
    assert r["encryptionConfiguration"]["encryptionType"] == "KMS_DSSE"
    assert r["encryptionConfiguration"]["kmsKey"].startswith(f"arn:aws:kms:{berth.region}:{berth.account}:")
    r = ecr.create_repository(repositoryName="plain", encryptionConfiguration={"encryptionType": "AES256"})["repository"]
    assert r["encryptionConfiguration"] == {"encryptionType": "AES256"}
    text = refused(
        "InvalidParameterException", ecr.create_repository, repositoryName="wrong",
        encryptionConfiguration={"encryptionType": "AES256", "kmsKey": key},
    )
    assert "'encryptionConfiguration'" in text


def test_settings_of_creation_are_kept(ecr):
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}, {"filterType": "WILDCARD", "filter": "*-rc*"}]
    r = ecr.create_repository(
        repositoryName="app", imageTagMutability="IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=filters,
        imageScanningConfiguration={"scanOnPush": True},
    )["repository"]
    assert r["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert r["imageTagMutabilityExclusionFilters"] == filters
    assert r["imageScanningConfiguration"] == {"scanOnPush": True}
    assert ecr.describe_repositories(repositoryNames=["app"])["repositories"] == [r]


def test_mutability_changes_and_filters_go_with_the_exclusion_modes_only(berth, ecr):
    ecr.create_repository(repositoryName="app")
    filters = [{"filterType": "WILDCARD", "filter": "v*"}]
    name = "imageTagMutabilityExclusionFilters"
    put = ecr.put_image_tag_mutability
    got = put(repositoryName="app", imageTagMutability="MUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=filters)
    got.pop("ResponseMetadata")
    assert got == {
        "registryId": berth.account, "repositoryName": "app", "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": filters,
    }
    got = put(repositoryName="app", imageTagMutability="IMMUTABLE")
    assert got["imageTagMutability"] == "IMMUTABLE" and name not in got
    assert ecr.describe_repositories()["repositories"][0]["imageTagMutability"] == "IMMUTABLE"
    for mode in ("MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"):
        text = refused("InvalidParameterException", put, repositoryName="app", imageTagMutability=mode)
        assert text == constraint(name, f"ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as {mode}")
    for mode in ("MUTABLE", "IMMUTABLE"):
        text = refused("InvalidParameterException", put, repositoryName="app", imageTagMutability=mode, imageTagMutabilityExclusionFilters=filters)
        assert text.startswith(f"Invalid parameter at '{name}'")
    for bad in ("***", "a*b*c*"):
        text = refused(
            "InvalidParameterException", put, repositoryName="app", imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": bad}],
        )
        assert name in text
    assert ecr.describe_repositories()["repositories"][0]["imageTagMutability"] == "IMMUTABLE"


def test_the_registry_of_another_account_is_denied(berth, ecr):
    ecr.create_repository(repositoryName="app")
    other = "999999999999"
    text = refused("AccessDeniedException", ecr.list_images, repositoryName="app", registryId=other)
    assert text.startswith(
        f"User: arn:aws:iam::{berth.account}:root is not authorized to perform: ecr:ListImages"
        f" on resource: arn:aws:ecr:{berth.region}:{other}:repository/app"
    )
    assert ecr.list_images(repositoryName="app", registryId=berth.account)["imageIds"] == []


def test_every_region_is_a_registry_of_its_own(berth, ecr):
    ecr.create_repository(repositoryName="app")
    west = berth.client("ecr", region_name="us-west-2")
    assert west.describe_repositories()["repositories"] == []
    r = west.create_repository(repositoryName="app")["repository"]
    assert r["repositoryArn"] == f"arn:aws:ecr:us-west-2:{berth.account}:repository/app"
    west.put_account_setting(name="BLOB_MOUNTING", value="DISABLED")
    assert ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == "ENABLED"
    west.delete_repository(repositoryName="app")
    assert len(ecr.describe_repositories()["repositories"]) == 1


# -- AWS tags ----------------------------------------------------------------------------------------------------------------


def tags_of(ecr, arn):
    return {t["Key"]: t["Value"] for t in ecr.list_tags_for_resource(resourceArn=arn)["tags"]}


def as_tags(d):
    return [{"Key": k, "Value": v} for k, v in d.items()]


def test_tags_are_put_replaced_listed_and_removed(ecr):
    arn = ecr.create_repository(repositoryName="app", tags=as_tags({"env": "dev", "ümlaut": "ß"}))["repository"]["repositoryArn"]
    assert tags_of(ecr, arn) == {"env": "dev", "ümlaut": "ß"}
    ecr.tag_resource(resourceArn=arn, tags=as_tags({"env": "prod", "team": "", "Env": "x"}))
    assert tags_of(ecr, arn) == {"env": "prod", "ümlaut": "ß", "team": "", "Env": "x"}
    ecr.untag_resource(resourceArn=arn, tagKeys=["env", "never-there"])
    assert tags_of(ecr, arn) == {"ümlaut": "ß", "team": "", "Env": "x"}
    ecr.delete_repository(repositoryName="app")
    ecr.create_repository(repositoryName="app")
    assert tags_of(ecr, arn) == {}


def test_a_repository_takes_fifty_tags(ecr):
    fifty = {f"k{i}": "v" for i in range(50)}
    arn = ecr.create_repository(repositoryName="app", tags=as_tags(fifty))["repository"]["repositoryArn"]
    ecr.tag_resource(resourceArn=arn, tags=as_tags({"k7": "again"}))
    text = refused("TooManyTagsException", ecr.tag_resource, resourceArn=arn, tags=as_tags({"one": "more"}))
    assert "50" in text
    assert tags_of(ecr, arn) == dict(fifty, k7="again")
    refused("TooManyTagsException", ecr.create_repository, repositoryName="other", tags=as_tags(dict(fifty, more="")))
    assert len(ecr.describe_repositories()["repositories"]) == 1


@pytest.mark.parametrize("tags", [[("k" * 129, "v")], [("k", "v" * 257)], [("", "v")], [("aws:owner", "v")], [("AWS:x", "v")], [("a", "1"), ("a", "2")]])
def test_tags_that_break_the_rules_are_refused(ecr, tags):
    tags = [{"Key": k, "Value": v} for k, v in tags]
    arn = ecr.create_repository(repositoryName="app")["repository"]["repositoryArn"]
    refused("InvalidTagParameterException", ecr.tag_resource, resourceArn=arn, tags=tags)
    refused("InvalidTagParameterException", ecr.create_repository, repositoryName="two", tags=tags)
    assert tags_of(ecr, arn) == {}


def test_lengths_of_tags_count_characters(ecr):
    arn = ecr.create_repository(repositoryName="app")["repository"]["repositoryArn"]
    longest = {"é" * 128: "ß" * 256}
    ecr.tag_resource(resourceArn=arn, tags=as_tags(longest))
    assert tags_of(ecr, arn) == longest


@pytest.mark.parametrize("arn", ["x", "arn:aws:ecr:{region}:{account}:repository/", "arn:aws:s3:::bucket", "arn:aws:ecr:other-1:{account}:repository/app"])
def test_other_arns_are_invalid(berth, ecr, arn):
    arn = arn.format(region=berth.region, account=berth.account)
    ecr.create_repository(repositoryName="app")
    for call, more in [(ecr.list_tags_for_resource, {}), (ecr.tag_resource, {"tags": []}), (ecr.untag_resource, {"tagKeys": []})]:
        assert refused("InvalidParameterException", call, resourceArn=arn, **more) == constraint("resourceArn", "Invalid ARN")


def test_tags_of_unknown_repositories_and_other_accounts(berth, ecr):
    arn = f"arn:aws:ecr:{berth.region}:{berth.account}:repository/nothing"
    refused("RepositoryNotFoundException", ecr.list_tags_for_resource, resourceArn=arn)
    refused("RepositoryNotFoundException", ecr.tag_resource, resourceArn=arn, tags=as_tags({"a": "b"}))
    refused("RepositoryNotFoundException", ecr.untag_resource, resourceArn=arn, tagKeys=["a"])
    arn = f"arn:aws:ecr:{berth.region}:999999999999:repository/nothing"
    refused("AccessDeniedException", ecr.list_tags_for_resource, resourceArn=arn)


# -- account settings --------------------------------------------------------------------------------------------------------


def test_blob_mounting_is_disabled_until_it_is_enabled(make_berth):
    ecr = make_berth(setting=None).client("ecr")
    get = lambda name="BLOB_MOUNTING": {k: v for k, v in ecr.get_account_setting(name=name).items() if k != "ResponseMetadata"}
    assert get() == {"name": "BLOB_MOUNTING", "value": "DISABLED"}
    put = ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    assert (put["name"], put["value"]) == ("BLOB_MOUNTING", "ENABLED")
    assert get() == {"name": "BLOB_MOUNTING", "value": "ENABLED"}
    ecr.put_account_setting(name="BLOB_MOUNTING", value="DISABLED")
    assert get() == {"name": "BLOB_MOUNTING", "value": "DISABLED"}
    assert get("BASIC_SCAN_TYPE_VERSION") == {"name": "BASIC_SCAN_TYPE_VERSION", "value": "AWS_NATIVE"}
    assert get("REGISTRY_POLICY_SCOPE") == {"name": "REGISTRY_POLICY_SCOPE", "value": "V2"}


@pytest.mark.parametrize("name,value", [
    ("NO_SUCH", "ENABLED"), ("blob_mounting", "ENABLED"), ("BLOB_MOUNTING", "enabled"), ("BLOB_MOUNTING", ""),
    ("BASIC_SCAN_TYPE_VERSION", "CLAIR"), ("REGISTRY_POLICY_SCOPE", "V1"),
])
def test_unknown_settings_and_values_are_refused(ecr, name, value):
    text = refused("InvalidParameterException", ecr.put_account_setting, name=name, value=value)
    assert text.startswith("Invalid parameter at '")


def test_an_unknown_setting_cannot_be_read(ecr):
    refused("InvalidParameterException", ecr.get_account_setting, name="NO_SUCH")
    refused("InvalidParameterException", ecr.get_account_setting, name="x" * 65)


# -- GetAuthorizationToken ---------------------------------------------------------------------------------------------------


def test_the_token_signs_in_for_twelve_hours(berth, ecr, make_berth):
    [data] = ecr.get_authorization_token()["authorizationData"]
    assert data["proxyEndpoint"] == f"http://{berth.host}"
    left = data["expiresAt"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(hours=11, minutes=59) < left <= datetime.timedelta(hours=12)
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    assert user == "AWS" and len(password) > 50
    r = berth.http(auth=False).get("/v2/", headers={"Authorization": "Basic " + data["authorizationToken"]})
    assert r.status == 200
    assert make_berth().http(auth=False).get("/v2/", headers={"Authorization": "Basic " + data["authorizationToken"]}).status == 401


def test_a_token_for_each_registry_that_is_asked_for(make_berth):
    berth = make_berth("--domain", "registry.example.com")
    ids = [berth.account, "999999999999"]
    data = berth.client("ecr").get_authorization_token(registryIds=ids)["authorizationData"]
    assert [d["proxyEndpoint"] for d in data] == [
        f"http://{i}.dkr.ecr.{berth.region}.registry.example.com:{berth.port}" for i in ids
    ]


# -- input -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call,input,member,text", [
    ("create_repository", {}, "repositoryName", "Member must not be null"),
    ("create_repository", {"repositoryName": "a"}, "repositoryName", "Member must have length greater than or equal to 2"),
    ("create_repository", {"repositoryName": "x" * 257}, "repositoryName", "Member must have length less than or equal to 256"),
    ("create_repository", {"repositoryName": "ab", "imageTagMutability": "SOME"}, "imageTagMutability",
     "Member must satisfy enum value set: [MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]"),
    ("create_repository", {"repositoryName": "ab", "registryId": "12"}, "registryId", "must satisfy regular expression '^[0-9]{12}$'"),
    ("create_repository", {"repositoryName": "ab", "tags": [{"Key": "k"}]}, "tags.1.member.Value", "Member must not be null"),
    ("describe_repositories", {"maxResults": 0}, "maxResults", "Member must have value greater than or equal to 1"),
    ("describe_repositories", {"maxResults": 1001}, "maxResults", "Member must have value less than or equal to 1000"),
    ("describe_repositories", {"repositoryNames": []}, "repositoryNames", "Member must have length greater than or equal to 1"),
    ("describe_repositories", {"repositoryNames": ["ab"] * 101}, "repositoryNames", "Member must have length less than or equal to 100"),
    ("get_authorization_token", {"registryIds": ["1" * 12] * 11}, "registryIds", "Member must have length less than or equal to 10"),
    ("list_image_referrers", {"repositoryName": "ab", "subjectId": {"imageDigest": "x"}, "maxResults": 51}, "maxResults",
     "Member must have value less than or equal to 50"),
    ("batch_get_image", {"repositoryName": "ab", "imageIds": []}, "imageIds", "Member must have length greater than or equal to 1"),
    ("batch_get_image", {"repositoryName": "ab", "imageIds": [{"imageTag": "x"}] * 101}, "imageIds", "Member must have length less than or equal to 100"),
    ("batch_get_image", {"repositoryName": "ab", "imageIds": [{"imageTag": "x"}, {"imageTag": "x" * 301}]}, "imageIds.2.member.imageTag",
     "Member must have length less than or equal to 300"),
    ("batch_delete_image", {"repositoryName": "ab", "imageIds": [{"imageTag": "x"}] * 101}, "imageIds", "Member must have length less than or equal to 100"),
    ("batch_check_layer_availability", {"repositoryName": "ab", "layerDigests": ["x"] * 101}, "layerDigests", "Member must have length less than or equal to 100"),
])
def test_input_outside_its_constraints_is_refused_in_ecrs_words(lax, call, input, member, text):
    assert refused("InvalidParameterException", getattr(lax, call), **input) == constraint(member, text)


@pytest.mark.parametrize("paging", [{"maxResults": 5}, {"nextToken": "x"}])
def test_names_and_pages_exclude_each_other(ecr, paging):
    ecr.create_repository(repositoryName="app")
    [member] = paging
    text = refused("InvalidParameterException", ecr.describe_repositories, repositoryNames=["app"], **paging)
    assert text.startswith(f"Invalid parameter at '{member}'")
