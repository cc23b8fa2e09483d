"""IAM by boto3 and the AWS CLI: the life of each entity, pages, refusals, and what policies do at once."""

import json

import pytest
from botocore.exceptions import ClientError

from harness.iam import allow, deny, document, keys, make_user, trust

PULL_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
READ = document(allow("ecr:Describe*"))


@pytest.fixture
def iam(berth):
    return berth.client("iam")


def refused(code, call, *args, **kw):
    """The error's message; the call must be refused with that code."""
    with pytest.raises(ClientError) as e:
        call(*args, **kw)
    assert e.value.response["Error"]["Code"] == code, e.value
    status = {"NoSuchEntity": 404, "EntityAlreadyExists": 409, "DeleteConflict": 409, "LimitExceeded": 409, "AccessDenied": 403}.get(code)
    if status:
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    return e.value.response["Error"]["Message"]


# -- the life of each ---------------------------------------------------------------------------------------------------


def test_the_life_of_a_user(berth, iam):
    account = berth.account
    made = iam.create_user(UserName="bob", Path="/team/", Tags=[{"Key": "Team", "Value": "blå team"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{account}:user/team/bob" and made["UserId"].startswith("AIDA") and len(made["UserId"]) == 21
    assert made["Tags"] == [{"Key": "Team", "Value": "blå team"}]
    assert refused("EntityAlreadyExists", iam.create_user, UserName="BOB") == "User with name BOB already exists."
    got = iam.get_user(UserName="bob")["User"]
    assert {k: got[k] for k in made} == made
    iam.tag_user(UserName="bob", Tags=[{"Key": "Env", "Value": ""}])
    assert [t["Key"] for t in iam.list_user_tags(UserName="bob")["Tags"]] == ["Env", "Team"]
    iam.untag_user(UserName="bob", TagKeys=["Team", "None"])
    assert iam.get_user(UserName="bob")["User"]["Tags"] == [{"Key": "Env", "Value": ""}]
    iam.update_user(UserName="bob", NewUserName="rob", NewPath="/")
    assert refused("NoSuchEntity", iam.get_user, UserName="bob") == "The user with name bob cannot be found."
    rob = iam.get_user(UserName="rob")["User"]
    assert rob["UserId"] == made["UserId"] and rob["Arn"] == f"arn:aws:iam::{account}:user/rob"
    iam.put_user_policy(UserName="rob", PolicyName="p", PolicyDocument=READ)
    assert iam.list_user_policies(UserName="rob")["PolicyNames"] == ["p"]
    assert iam.get_user_policy(UserName="rob", PolicyName="p")["PolicyDocument"] == json.loads(READ)
    assert refused("DeleteConflict", iam.delete_user, UserName="rob") == "Cannot delete entity, must delete policies first."
    iam.delete_user_policy(UserName="rob", PolicyName="p")
    assert refused("NoSuchEntity", iam.get_user_policy, UserName="rob", PolicyName="p") == "The user policy with name p cannot be found."
    iam.attach_user_policy(UserName="rob", PolicyArn=PULL_ONLY)
    [attached] = iam.list_attached_user_policies(UserName="rob")["AttachedPolicies"]
    assert attached == {"PolicyName": "AmazonEC2ContainerRegistryPullOnly", "PolicyArn": PULL_ONLY}
    assert "detach all policies" in refused("DeleteConflict", iam.delete_user, UserName="rob")
    iam.detach_user_policy(UserName="rob", PolicyArn=PULL_ONLY)
    refused("NoSuchEntity", iam.detach_user_policy, UserName="rob", PolicyArn=PULL_ONLY)
    iam.delete_user(UserName="rob")
    refused("NoSuchEntity", iam.delete_user, UserName="rob")
    # The one who asks, when it is the root.
    assert iam.get_user()["User"]["Arn"] == f"arn:aws:iam::{account}:root"


def test_the_life_of_access_keys(berth, iam):
    iam.create_user(UserName="bob")
    one = iam.create_access_key(UserName="bob")["AccessKey"]
    assert one["Status"] == "Active" and one["AccessKeyId"].startswith("AKIA") and len(one["SecretAccessKey"]) == 40
    two = iam.create_access_key(UserName="bob")["AccessKey"]
    assert refused("LimitExceeded", iam.create_access_key, UserName="bob") == "Cannot exceed quota for AccessKeysPerUser: 2"
    assert iam.get_access_key_last_used(AccessKeyId=one["AccessKeyId"])["AccessKeyLastUsed"]["ServiceName"] == "N/A"
    sts = berth.client("sts", **keys(one))
    arn = f"arn:aws:iam::{berth.account}:user/bob"
    assert sts.get_caller_identity()["Arn"] == arn
    used = iam.get_access_key_last_used(AccessKeyId=one["AccessKeyId"])
    assert used["UserName"] == "bob" and used["AccessKeyLastUsed"]["ServiceName"] == "sts" and used["AccessKeyLastUsed"]["Region"] == berth.region
    # Inactive means refused, at once; and active again, too.
    iam.update_access_key(UserName="bob", AccessKeyId=one["AccessKeyId"], Status="Inactive")
    refused("InvalidClientTokenId", sts.get_caller_identity)
    listed = {k["AccessKeyId"]: k["Status"] for k in iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]}
    assert listed == {one["AccessKeyId"]: "Inactive", two["AccessKeyId"]: "Active"}
    iam.update_access_key(UserName="bob", AccessKeyId=one["AccessKeyId"], Status="Active")
    assert sts.get_caller_identity()["Arn"] == arn
    iam.update_user(UserName="bob", NewUserName="rob")
    assert sts.get_caller_identity()["Arn"] == arn.replace("bob", "rob")
    assert "delete access keys first" in refused("DeleteConflict", iam.delete_user, UserName="rob")
    iam.delete_access_key(UserName="rob", AccessKeyId=one["AccessKeyId"])
    refused("InvalidClientTokenId", sts.get_caller_identity)
    refused("NoSuchEntity", iam.delete_access_key, UserName="rob", AccessKeyId=one["AccessKeyId"])
    refused("ValidationError", iam.update_access_key, UserName="rob", AccessKeyId=two["AccessKeyId"], Status="Expired")
    # The root's own keys are listed without a name.
    assert berth.credentials[0] in [k["AccessKeyId"] for k in iam.list_access_keys()["AccessKeyMetadata"]]


def test_the_life_of_a_group(berth, iam):
    group = iam.create_group(GroupName="team", Path="/x/")["Group"]
    assert group["Arn"] == f"arn:aws:iam::{berth.account}:group/x/team" and group["GroupId"].startswith("AGPA")
    bob = make_user(berth, "bob")
    iam.add_user_to_group(GroupName="team", UserName="bob")
    iam.add_user_to_group(GroupName="team", UserName="bob")
    assert [u["UserName"] for u in iam.get_group(GroupName="team")["Users"]] == ["bob"]
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName="bob")["Groups"]] == ["team"]
    ecr = berth.client("ecr", **bob)
    refused("AccessDeniedException", ecr.describe_repositories)
    iam.put_group_policy(GroupName="team", PolicyName="p", PolicyDocument=READ)
    assert ecr.describe_repositories()["repositories"] == []
    assert iam.list_group_policies(GroupName="team")["PolicyNames"] == ["p"]
    assert refused("DeleteConflict", iam.delete_group, GroupName="team") == "Cannot delete entity, must delete policies first."
    iam.attach_group_policy(GroupName="team", PolicyArn=PULL_ONLY)
    assert len(iam.list_attached_group_policies(GroupName="team")["AttachedPolicies"]) == 1
    iam.detach_group_policy(GroupName="team", PolicyArn=PULL_ONLY)
    iam.delete_group_policy(GroupName="team", PolicyName="p")
    refused("AccessDeniedException", ecr.describe_repositories)
    assert "remove users from group" in refused("DeleteConflict", iam.delete_group, GroupName="team")
    iam.update_group(GroupName="team", NewGroupName="crew", NewPath="/")
    iam.remove_user_from_group(GroupName="crew", UserName="bob")
    refused("NoSuchEntity", iam.remove_user_from_group, GroupName="crew", UserName="bob")
    iam.delete_group(GroupName="crew")
    assert iam.list_groups()["Groups"] == []


def test_the_life_of_a_role(berth, iam):
    text = trust({"AWS": berth.account})
    role = iam.create_role(
        RoleName="ci", AssumeRolePolicyDocument=text, Description="of <CI> & \"more\"", MaxSessionDuration=7200, Tags=[{"Key": "a", "Value": "b"}],
    )["Role"]
    assert role["Arn"] == f"arn:aws:iam::{berth.account}:role/ci" and role["RoleId"].startswith("AROA")
    assert role["AssumeRolePolicyDocument"] == json.loads(text)
    got = iam.get_role(RoleName="ci")["Role"]
    assert got["Description"] == "of <CI> & \"more\"" and got["MaxSessionDuration"] == 7200 and got["Tags"] == [{"Key": "a", "Value": "b"}]
    iam.update_role(RoleName="ci", Description="", MaxSessionDuration=3600)
    assert "Description" not in iam.get_role(RoleName="ci")["Role"]
    assert iam.update_role_description(RoleName="ci", Description="again")["Role"]["Description"] == "again"
    other = trust({"AWS": f"arn:aws:iam::{berth.account}:root"})
    iam.update_assume_role_policy(RoleName="ci", PolicyDocument=other)
    assert iam.list_roles()["Roles"][0]["AssumeRolePolicyDocument"] == json.loads(other)
    refused("MalformedPolicyDocument", iam.update_assume_role_policy, RoleName="ci", PolicyDocument=READ)
    refused("ValidationError", iam.update_role, RoleName="ci", MaxSessionDuration=43201)
    iam.put_role_policy(RoleName="ci", PolicyName="p", PolicyDocument=READ)
    assert iam.get_role_policy(RoleName="ci", PolicyName="p")["RoleName"] == "ci"
    iam.attach_role_policy(RoleName="ci", PolicyArn=PULL_ONLY)
    iam.tag_role(RoleName="ci", Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_role(RoleName="ci", TagKeys=["a"])
    assert iam.list_role_tags(RoleName="ci")["Tags"] == [{"Key": "c", "Value": "d"}]
    assert iam.list_instance_profiles_for_role(RoleName="ci")["InstanceProfiles"] == []
    iam.delete_role_policy(RoleName="ci", PolicyName="p")
    refused("DeleteConflict", iam.delete_role, RoleName="ci")
    iam.detach_role_policy(RoleName="ci", PolicyArn=PULL_ONLY)
    iam.delete_role(RoleName="ci")
    assert refused("NoSuchEntity", iam.get_role, RoleName="ci") == "The role with name ci cannot be found."


def test_the_life_of_a_managed_policy(berth, iam):
    policy = iam.create_policy(PolicyName="P", Path="/x/", PolicyDocument=READ, Description="d", Tags=[{"Key": "a", "Value": "b"}])["Policy"]
    arn = policy["Arn"]
    assert arn == f"arn:aws:iam::{berth.account}:policy/x/P" and policy["DefaultVersionId"] == "v1" and policy["PolicyId"].startswith("ANPA")
    assert refused("EntityAlreadyExists", iam.create_policy, PolicyName="P", PolicyDocument=READ).startswith("A policy called P already exists.")
    assert iam.get_policy(PolicyArn=arn)["Policy"]["Tags"] == [{"Key": "a", "Value": "b"}]
    bob = make_user(berth)
    iam.attach_user_policy(UserName="bob", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert [u["UserName"] for u in iam.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"]] == ["bob"]
    ecr = berth.client("ecr", **bob)
    assert ecr.describe_repositories()["repositories"] == []
    # Versions: the default decides, at once.
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(deny("ecr:*")), SetAsDefault=True)["PolicyVersion"]
    assert version["VersionId"] == "v2" and version["IsDefaultVersion"]
    assert "with an explicit deny in an identity-based policy" in refused("AccessDeniedException", ecr.describe_repositories)
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert ecr.describe_repositories()["repositories"] == []
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"] == json.loads(READ)
    assert [v["VersionId"] for v in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == ["v2", "v1"]
    refused("DeleteConflict", iam.delete_policy_version, PolicyArn=arn, VersionId="v1")
    for _ in range(3):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=READ)
    assert "up to 5 versions" in refused("LimitExceeded", iam.create_policy_version, PolicyArn=arn, PolicyDocument=READ)
    assert "attached to entities" in refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    iam.detach_user_policy(UserName="bob", PolicyArn=arn)
    assert "more than one version" in refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    for v in ("v2", "v3", "v4", "v5"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=v)
    iam.delete_policy(PolicyArn=arn)
    assert refused("NoSuchEntity", iam.get_policy, PolicyArn=arn) == f"Policy {arn} was not found."
    refused("NoSuchEntity", iam.attach_user_policy, UserName="bob", PolicyArn=arn)


def test_the_managed_policies_of_aws_are_there_to_read(berth, iam):
    names = {p["PolicyName"] for p in iam.list_policies(Scope="AWS")["Policies"]}
    assert names == {f"AmazonEC2ContainerRegistry{n}" for n in ("FullAccess", "PowerUser", "ReadOnly", "PullOnly")}
    got = iam.get_policy(PolicyArn=PULL_ONLY)["Policy"]
    version = iam.get_policy_version(PolicyArn=PULL_ONLY, VersionId=got["DefaultVersionId"])["PolicyVersion"]
    assert "ecr:BatchGetImage" in json.dumps(version["Document"])
    refused("NoSuchEntity", iam.get_policy_version, PolicyArn=PULL_ONLY, VersionId="v99")
    refused("AccessDenied", iam.delete_policy, PolicyArn=PULL_ONLY)
    iam.create_policy(PolicyName="Q", PolicyDocument=READ)
    assert [p["PolicyName"] for p in iam.list_policies(Scope="Local")["Policies"]] == ["Q"]
    assert len(iam.list_policies()["Policies"]) == 5
    assert iam.list_policies(OnlyAttached=True)["Policies"] == []


def test_the_life_of_a_provider(berth, iam):
    arn = iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40], Tags=[{"Key": "a", "Value": "b"}],
    )["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{berth.account}:oidc-provider/token.actions.githubusercontent.com"
    refused("EntityAlreadyExists", iam.create_open_id_connect_provider, Url="https://token.actions.githubusercontent.com")
    for url in ("http://ci.example.com", "token.example.com", "https://", "https://a@b", "ftp://x"):
        refused("ValidationError", iam.create_open_id_connect_provider, Url=url)
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert got["Url"] == "token.actions.githubusercontent.com" and got["ClientIDList"] == ["sts.amazonaws.com"]
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="other")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="sts.amazonaws.com")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert got["ClientIDList"] == ["other"] and got["ThumbprintList"] == ["b" * 40] and len(got["Tags"]) == 2
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == [{"Arn": arn}]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    refused("NoSuchEntity", iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)


def test_boundaries_narrow_and_go(berth, iam):
    bob = make_user(berth, "bob", allow("ecr:*"))
    ecr = berth.client("ecr", **bob)
    arn = iam.create_policy(PolicyName="B", PolicyDocument=READ)["Policy"]["Arn"]
    ecr.create_repository(repositoryName="app-a")
    iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=arn)
    assert iam.get_user(UserName="bob")["User"]["PermissionsBoundary"] == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
    assert "permissions boundary" in refused("AccessDeniedException", ecr.create_repository, repositoryName="app-b")
    assert len(ecr.describe_repositories()["repositories"]) == 1
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    iam.delete_user_permissions_boundary(UserName="bob")
    ecr.create_repository(repositoryName="app-b")
    refused("NoSuchEntity", iam.put_user_permissions_boundary, UserName="bob", PermissionsBoundary=arn + "x")


# -- pages, validation, permission ----------------------------------------------------------------------------------------


def test_pages_come_in_order_and_end(berth, iam):
    names = sorted((f"{'aBcD'[i % 4]}{i}" for i in range(23)), key=str.lower)
    for n in names:
        iam.create_user(UserName=n, Path="/even/" if int(n[1:]) % 2 == 0 else "/odd/")
    got, marker = [], {}
    for _ in range(10):
        page = iam.list_users(MaxItems=5, **marker)
        got += [u["UserName"] for u in page["Users"]]
        assert len(page["Users"]) <= 5
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert got == names and "Marker" not in page
    assert [u["UserName"] for p in iam.get_paginator("list_users").paginate(PathPrefix="/odd", PaginationConfig={"PageSize": 2}) for u in p["Users"]] == [
        n for n in names if int(n[1:]) % 2
    ]
    refused("ValidationError", iam.list_users, Marker="!!!")
    # A policy's holders are three lists but one sequence of pages.
    arn = iam.create_policy(PolicyName="P", PolicyDocument=READ)["Policy"]["Arn"]
    for i in range(3):
        iam.create_group(GroupName=f"g{i}")
        iam.attach_group_policy(GroupName=f"g{i}", PolicyArn=arn)
        iam.attach_user_policy(UserName=names[i], PolicyArn=arn)
        iam.create_role(RoleName=f"r{i}", AssumeRolePolicyDocument=trust({"AWS": berth.account}))
        iam.attach_role_policy(RoleName=f"r{i}", PolicyArn=arn)
    for size in (1, 2, 3, 4, 9):
        pages = iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, PaginationConfig={"PageSize": size}).build_full_result()
        assert [len(pages[k]) for k in ("PolicyGroups", "PolicyUsers", "PolicyRoles")] == [3, 3, 3], size
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 9


def test_what_is_malformed_is_refused_in_iams_words(iam):
    text = refused("ValidationError", iam.create_user, UserName="a b")
    assert text == (
        "1 validation error detected: Value 'a b' at 'userName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [\\w+=,.@-]+"
    )
    assert refused("ValidationError", iam.create_user, UserName="x" * 65).endswith("Member must have length less than or equal to 64")
    for path in ("x", "/x", "//" * 300, "/ä/"):
        refused("ValidationError", iam.create_user, UserName="bob", Path=path)
    refused("MalformedPolicyDocument", iam.create_policy, PolicyName="P", PolicyDocument="{")
    refused("MalformedPolicyDocument", iam.create_policy, PolicyName="P", PolicyDocument='{"Statement":[{"Effect":"Allow"}]}')
    refused("LimitExceeded", iam.create_policy, PolicyName="P", PolicyDocument=document(*[allow("ecr:GetAuthorizationToken") for _ in range(90)]))
    iam.create_user(UserName="bob")
    big = document(*[allow("ecr:GetAuthorizationToken") for _ in range(30)])
    assert refused("LimitExceeded", iam.put_user_policy, UserName="bob", PolicyName="p", PolicyDocument=big) == (
        "Maximum policy size of 2048 bytes exceeded for user bob"
    )
    assert refused("ValidationError", iam.tag_user, UserName="bob", Tags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "<>"}]) == (
        "1 validation error detected: Value '<>' at 'tags.2.member.value' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*"
    )
    refused("InvalidInput", iam.tag_user, UserName="bob", Tags=[{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}])
    refused("InvalidInput", iam.get_policy, PolicyArn="arn:aws:iam::123456789012:user/x")


def test_unknown_actions_are_refused(berth):
    iam = berth.client("iam")
    assert refused("InvalidAction", iam.get_account_authorization_details).startswith("Could not find operation GetAccountAuthorizationDetails")


def test_permission_is_asked_for_each_entity(berth, iam):
    account = berth.account
    bob = make_user(
        berth, "bob",
        allow(["iam:GetUser", "iam:*AccessKey*"], f"arn:aws:iam::{account}:user/${{aws:username}}"),
        allow("iam:*Role*", f"arn:aws:iam::{account}:role/ci/*"),
        allow("iam:Attach*", "*", Condition={"ArnEquals": {"iam:PolicyARN": PULL_ONLY}}),
        allow("iam:CreateUser", "*", Condition={"StringEquals": {"aws:RequestTag/team": "blue"}}),
        allow("iam:DeleteUser", "*", Condition={"StringEquals": {"iam:ResourceTag/team": "blue"}}),
    )
    his = berth.client("iam", **bob)
    assert his.get_user()["User"]["UserName"] == "bob"
    key = his.create_access_key()["AccessKey"]
    assert len(his.list_access_keys()["AccessKeyMetadata"]) == 2
    his.delete_access_key(AccessKeyId=key["AccessKeyId"])
    iam.create_user(UserName="eve")
    assert refused("AccessDenied", his.get_user, UserName="eve") == (
        f"User: arn:aws:iam::{account}:user/bob is not authorized to perform: iam:GetUser on resource: arn:aws:iam::{account}:user/eve "
        "because no identity-based policy allows the iam:GetUser action"
    )
    refused("AccessDenied", his.create_access_key, UserName="eve")
    refused("AccessDenied", his.list_users)
    his.create_role(RoleName="x", Path="/ci/", AssumeRolePolicyDocument=trust({"AWS": account}))
    refused("AccessDenied", his.create_role, RoleName="y", AssumeRolePolicyDocument=trust({"AWS": account}))
    his.attach_role_policy(RoleName="x", PolicyArn=PULL_ONLY)
    his.attach_user_policy(UserName="eve", PolicyArn=PULL_ONLY)
    refused("AccessDenied", his.attach_user_policy, UserName="eve", PolicyArn=PULL_ONLY.replace("PullOnly", "FullAccess"))
    refused("AccessDenied", his.create_user, UserName="red", Tags=[{"Key": "team", "Value": "red"}])
    his.create_user(UserName="blue", Tags=[{"Key": "team", "Value": "blue"}])
    refused("AccessDenied", his.delete_user, UserName="eve")
    his.delete_user(UserName="blue")


# -- the registry -----------------------------------------------------------------------------------------------------------


def test_a_user_who_may_only_pull(berth, iam):
    from harness.oci import Oci, manifest
    from harness.http import Http

    [repo] = berth.create("app")
    root = berth.oci()
    text = manifest(b"{}", [b"layer"])
    for data in (b"{}", b"layer"):
        root.push_blob("app", data)
    r = root.http.put("/v2/app/manifests/v1", text, headers={"Content-Type": "application/vnd.oci.image.manifest.v1+json"})
    assert r.status == 201
    bob = make_user(berth)
    iam.attach_user_policy(UserName="bob", PolicyArn=PULL_ONLY)
    ecr = berth.client("ecr", **bob)
    assert ecr.batch_get_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])["images"][0]["imageManifest"].encode() == text
    refused("AccessDeniedException", ecr.describe_repositories)
    refused("AccessDeniedException", ecr.initiate_layer_upload, repositoryName="app")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    http = Http(berth.port, headers={"Authorization": "Basic " + token})
    try:
        assert http.get("/v2/").status == 200
        assert Oci(http).http.get("/v2/app/manifests/v1").body == text
        assert http.post("/v2/app/blobs/uploads/").status == 403
        # The token is good as long as the key: at once no more.
        [key] = iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]
        iam.update_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"], Status="Inactive")
        assert http.get("/v2/app/manifests/v1").status == 401
        iam.update_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"], Status="Active")
        assert http.get("/v2/app/manifests/v1").status == 200
        iam.detach_user_policy(UserName="bob", PolicyArn=PULL_ONLY)
        assert http.get("/v2/app/manifests/v1").status == 403
    finally:
        http.close()


def test_not_action_and_not_resource(berth):
    arn = f"arn:aws:ecr:{berth.region}:{berth.account}:repository/"
    bob = make_user(
        berth, "bob", {"Effect": "Allow", "NotAction": "ecr:Delete*", "Resource": "*"}, {"Effect": "Deny", "Action": "ecr:Create*", "NotResource": arn + "dev/*"},
    )
    ecr = berth.client("ecr", **bob)
    ecr.create_repository(repositoryName="dev/a")
    refused("AccessDeniedException", ecr.create_repository, repositoryName="prod/a")
    refused("AccessDeniedException", ecr.delete_repository, repositoryName="dev/a")
    assert len(ecr.describe_repositories()["repositories"]) == 1


def test_iam_outlives_a_restart(berth, iam):
    bob = make_user(berth, "bob", allow("ecr:Describe*"))
    berth.restart()
    assert berth.client("ecr", **bob).describe_repositories()["repositories"] == []
    assert berth.client("sts", **bob).get_caller_identity()["Arn"].endswith(":user/bob")
    assert berth.client("iam").list_users()["Users"][0]["UserName"] == "bob"


# -- clients --------------------------------------------------------------------------------------------------------------


def test_the_aws_cli(berth, aws, scratch):
    (scratch / "trust.json").write_text(trust({"AWS": berth.account}))
    (scratch / "read.json").write_text(READ)
    assert aws("iam", "create-user", "--user-name", "bob")["User"]["UserName"] == "bob"
    assert aws("iam", "create-access-key", "--user-name", "bob")["AccessKey"]["Status"] == "Active"
    aws("iam", "put-user-policy", "--user-name", "bob", "--policy-name", "p", "--policy-document", f"file://{scratch / 'read.json'}")
    assert aws("iam", "get-user-policy", "--user-name", "bob", "--policy-name", "p")["PolicyDocument"] == json.loads(READ)
    aws("iam", "create-role", "--role-name", "ci", "--assume-role-policy-document", f"file://{scratch / 'trust.json'}")
    aws("iam", "attach-role-policy", "--role-name", "ci", "--policy-arn", PULL_ONLY)
    assert len(aws("iam", "list-attached-role-policies", "--role-name", "ci")["AttachedPolicies"]) == 1
    assert aws("iam", "list-policies", "--scope", "AWS", "--max-items", "2")["NextToken"]
    done = aws("iam", "delete-role", "--role-name", "ci", check=False)
    assert done.returncode and "(DeleteConflict) when calling the DeleteRole operation: Cannot delete entity, must detach all policies first." in done.stdout


def test_what_terraform_asks_before_it_destroys(berth, iam):
    """The calls of aws_iam_user's and aws_iam_role's deletion with force_destroy."""
    make_user(berth, "bob", allow("ecr:*"))
    iam.create_role(RoleName="ci", AssumeRolePolicyDocument=trust({"AWS": berth.account}))
    assert iam.list_groups_for_user(UserName="bob")["Groups"] == []
    assert iam.list_ssh_public_keys(UserName="bob")["SSHPublicKeys"] == []
    assert iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"] == []
    assert iam.list_mfa_devices(UserName="bob")["MFADevices"] == []
    refused("NoSuchEntity", iam.delete_login_profile, UserName="bob")
    refused("NoSuchEntity", iam.get_login_profile, UserName="bob")
    assert iam.list_signing_certificates(UserName="bob")["Certificates"] == []
    assert iam.list_service_specific_credentials(UserName="bob")["ServiceSpecificCredentials"] == []
    for k in iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="bob", AccessKeyId=k["AccessKeyId"])
    for p in iam.list_user_policies(UserName="bob")["PolicyNames"]:
        iam.delete_user_policy(UserName="bob", PolicyName=p)
    iam.delete_user(UserName="bob")
    assert iam.list_instance_profiles_for_role(RoleName="ci")["InstanceProfiles"] == []
    assert iam.list_attached_role_policies(RoleName="ci")["AttachedPolicies"] == []
    assert iam.list_role_policies(RoleName="ci")["PolicyNames"] == []
    iam.delete_role(RoleName="ci")
    refused("NoSuchEntity", iam.list_mfa_devices, UserName="bob")
