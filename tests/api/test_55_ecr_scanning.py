"""Which repositories are to be scanned, and when. Berth has no scanner: what is configured is kept and told."""

import botocore.exceptions
import pytest


def refused(code, call, **kw):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


def rule(frequency, *filters):
    return {"scanFrequency": frequency, "repositoryFilters": [{"filter": f, "filterType": "WILDCARD"} for f in filters]}


def configured(ecr, name):
    answer = ecr.batch_get_repository_scanning_configuration(repositoryNames=[name])
    assert answer["failures"] == []
    [got] = answer["scanningConfigurations"]
    return got["scanFrequency"], got["scanOnPush"], [f["filter"] for f in got["appliedScanFilters"]]


def test_a_registry_that_never_set_it_has_basic_scanning_and_no_rules(ecr, berth):
    answer = ecr.get_registry_scanning_configuration()
    assert answer["registryId"] == berth.account
    assert answer["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}


def test_the_registrys_rules_are_told_as_they_were_put(ecr):
    rules = [rule("SCAN_ON_PUSH", "prod*", "team-a"), rule("MANUAL", "*")]
    put = ecr.put_registry_scanning_configuration(scanType="BASIC", rules=rules)["registryScanningConfiguration"]
    assert put == {"scanType": "BASIC", "rules": rules}
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == put
    enhanced = [rule("CONTINUOUS_SCAN", "*")]
    ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=enhanced)
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "ENHANCED", "rules": enhanced}
    # As Terraform's provider deletes it.
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[])
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}


@pytest.mark.parametrize("scan_type, rules", [
    ("BASIC", [rule("CONTINUOUS_SCAN", "*")]), ("ENHANCED", [rule("SCAN_ON_PUSH", "a*"), rule("SCAN_ON_PUSH", "b*")]),
    ("BASIC", [rule("SCAN_ON_PUSH", "a"), rule("MANUAL", "b"), rule("CONTINUOUS_SCAN", "c")]), ("BASIC", [rule("SCAN_ON_PUSH", "-a")]),
    ("BASIC", [rule("OFTEN", "a")]), ("BASIC", [rule("SCAN_ON_PUSH", *["a"] * 101)]),
])
def test_rules_that_do_not_go_together_are_refused(ecr, scan_type, rules):
    refused("InvalidParameterException", ecr.put_registry_scanning_configuration, scanType=scan_type, rules=rules)
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}


def test_the_longest_configuration_that_is_allowed_is_kept(ecr):
    rules = [rule("SCAN_ON_PUSH", *[f"{i:03}" + "a" * 252 for i in range(100)]), rule("CONTINUOUS_SCAN", *[f"{i:03}" + "b" * 252 for i in range(100)])]
    ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=rules)
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"]["rules"] == rules


def test_which_rule_applies_to_a_repository(ecr, berth):
    berth.create("prod/app", "team-a/prod", "other", "both")
    assert configured(ecr, "prod/app") == ("MANUAL", False, [])
    ecr.put_registry_scanning_configuration(
        scanType="ENHANCED", rules=[rule("SCAN_ON_PUSH", "prod*", "both", "bo*"), rule("CONTINUOUS_SCAN", "team-a", "both")],
    )
    assert configured(ecr, "prod/app") == ("SCAN_ON_PUSH", True, ["prod*"])
    # Without a star: somewhere in the name; "prod*" has to match the whole.
    assert configured(ecr, "team-a/prod") == ("CONTINUOUS_SCAN", True, ["team-a"])
    assert configured(ecr, "other") == ("MANUAL", False, [])
    # Continuous wins.
    assert configured(ecr, "both") == ("CONTINUOUS_SCAN", True, ["both"])


def test_the_repositorys_own_flag(ecr, berth):
    [repo] = berth.create("app")
    assert repo["imageScanningConfiguration"] == {"scanOnPush": False}
    answer = ecr.put_image_scanning_configuration(repositoryName="app", imageScanningConfiguration={"scanOnPush": True})
    assert answer["registryId"] == berth.account and answer["repositoryName"] == "app"
    assert answer["imageScanningConfiguration"] == {"scanOnPush": True}
    assert ecr.describe_repositories()["repositories"][0]["imageScanningConfiguration"] == {"scanOnPush": True}
    assert configured(ecr, "app") == ("SCAN_ON_PUSH", True, [])
    ecr.put_image_scanning_configuration(repositoryName="app", imageScanningConfiguration={})
    assert configured(ecr, "app") == ("MANUAL", False, [])
    refused("RepositoryNotFoundException", ecr.put_image_scanning_configuration, repositoryName="none", imageScanningConfiguration={})


def test_repositories_that_do_not_exist_are_failures(ecr, berth):
    berth.create("app")
    answer = ecr.batch_get_repository_scanning_configuration(repositoryNames=["none", "app", "nobody"])
    assert [c["repositoryName"] for c in answer["scanningConfigurations"]] == ["app"]
    assert answer["scanningConfigurations"][0]["repositoryArn"] == f"arn:aws:ecr:{berth.region}:{berth.account}:repository/app"
    assert answer["failures"] == [
        {
            "repositoryName": n, "failureCode": "REPOSITORY_NOT_FOUND",
            "failureReason": f"The repository with name '{n}' does not exist in the registry with id '{berth.account}'",
        }
        for n in ("none", "nobody")
    ]


def test_describe_registry_says_that_nothing_is_replicated(ecr, berth):
    answer = ecr.describe_registry()
    assert answer["registryId"] == berth.account and answer["replicationConfiguration"] == {"rules": []}


@pytest.mark.parametrize("operation, kw", [
    ("start_image_scan", {"repositoryName": "app", "imageId": {"imageTag": "v1"}}),
    ("describe_image_scan_findings", {"repositoryName": "app", "imageId": {"imageTag": "v1"}}),
    ("describe_image_replication_status", {"repositoryName": "app", "imageId": {"imageTag": "v1"}}),
    ("put_replication_configuration", {"replicationConfiguration": {"rules": []}}),
    ("describe_pull_through_cache_rules", {}),
])
def test_what_is_not_there_says_so(ecr, operation, kw):
    name = "".join(w.capitalize() for w in operation.split("_"))
    text = refused("UnsupportedOperationException", getattr(ecr, operation), **kw)
    assert text == f"{name} is not available in this version of Berth"
