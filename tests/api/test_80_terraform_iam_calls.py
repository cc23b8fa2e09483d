"""The calls that Terraform's AWS provider makes for IAM, in its order (docs/terraform.md): create, read back without drift, update, import, destroy."""

import json

import botocore.exceptions
import pytest

from harness.iam import allow, document, trust

PULL_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
PULL, PUSH = document(allow(["ecr:BatchGetImage"])), document(allow(["ecr:PutImage"]))
TAGS = [{"Key": "env", "Value": "dev"}, {"Key": "owner", "Value": ""}]


@pytest.fixture
def iam(berth):
    return berth.client("iam")


def gone(call, **kw):
    """The provider reads NoSuchEntity as: not there."""
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == "NoSuchEntity", e.value


def tags_of(entity):
    return {t["Key"]: t["Value"] for t in entity.get("Tags", [])}


def all_of(iam, operation, member, **kw):
    """As the SDK's paginators read lists, here one at a time."""
    return [x for page in iam.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **kw) for x in page[member]]


def test_user(iam, berth):
    made = iam.create_user(UserName="ci", Path="/", Tags=TAGS)["User"]

    def read(name, path="/", boundary=None, tags=None):
        user = iam.get_user(UserName=name)["User"]
        assert (user["UserName"], user["Path"], user["UserId"]) == (name, path, made["UserId"])
        assert user["Arn"] == f"arn:aws:iam::{berth.account}:user{path}{name}"
        assert user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") == boundary
        assert tags_of(user) == tags_of({"Tags": TAGS} if tags is None else {"Tags": tags})

    read("ci")
    # Update: one call for name and path, also when only one of them changed; then the boundary; tags by what changed.
    iam.update_user(UserName="ci", NewUserName="ci", NewPath="/team/")
    read("ci", "/team/")
    iam.update_user(UserName="ci", NewUserName="build", NewPath="/team/")
    read("build", "/team/")
    iam.put_user_permissions_boundary(UserName="build", PermissionsBoundary=READ_ONLY)
    read("build", "/team/", READ_ONLY)
    iam.delete_user_permissions_boundary(UserName="build")
    iam.untag_user(UserName="build", TagKeys=["owner"])
    iam.tag_user(UserName="build", Tags=[{"Key": "env", "Value": "prod"}])
    read("build", "/team/", None, [{"Key": "env", "Value": "prod"}])
    # Import is the same read. Destroy: out of all groups first.
    iam.create_group(GroupName="devs")
    iam.add_user_to_group(GroupName="devs", UserName="build")
    for group in all_of(iam, "list_groups_for_user", "Groups", UserName="build"):
        iam.remove_user_from_group(GroupName=group["GroupName"], UserName="build")
    iam.delete_user(UserName="build")
    gone(iam.get_user, UserName="build")
    gone(iam.list_groups_for_user, UserName="build")
    gone(iam.delete_user, UserName="build")


def test_user_with_all_settings_at_once(iam):
    iam.create_user(UserName="ci", Path="/team/", PermissionsBoundary=READ_ONLY, Tags=TAGS)
    user = iam.get_user(UserName="ci")["User"]
    assert user["PermissionsBoundary"] == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": READ_ONLY}


def test_access_key(iam, berth):
    iam.create_user(UserName="ci")
    made = iam.create_access_key(UserName="ci")["AccessKey"]
    assert made["SecretAccessKey"] and made["Status"] == "Active" and made["CreateDate"]

    def read():
        [key] = [k for k in all_of(iam, "list_access_keys", "AccessKeyMetadata", UserName="ci") if k["AccessKeyId"] == made["AccessKeyId"]]
        assert key["CreateDate"] == made["CreateDate"] and key["UserName"] == "ci"
        return key["Status"]

    assert read() == "Active"
    for status in ("Inactive", "Active"):
        iam.update_access_key(UserName="ci", AccessKeyId=made["AccessKeyId"], Status=status)
        assert read() == status
    # Import knows the key only.
    assert iam.get_access_key_last_used(AccessKeyId=made["AccessKeyId"])["UserName"] == "ci"
    iam.delete_access_key(UserName="ci", AccessKeyId=made["AccessKeyId"])
    assert all_of(iam, "list_access_keys", "AccessKeyMetadata", UserName="ci") == []
    iam.delete_user(UserName="ci")
    gone(iam.list_access_keys, UserName="ci")


def test_role(iam, berth):
    trusts = trust({"AWS": f"arn:aws:iam::{berth.account}:root"})
    sent = {"Description": "builds", "MaxSessionDuration": 7200, "Path": "/ci/"}
    made = iam.create_role(RoleName="build", AssumeRolePolicyDocument=trusts, PermissionsBoundary=READ_ONLY, Tags=TAGS, **sent)["Role"]

    def read(trusts, **expected):
        trusts = json.loads(trusts)
        role = iam.get_role(RoleName="build")["Role"]
        assert role["Arn"] == f"arn:aws:iam::{berth.account}:role/ci/build" and role["RoleId"] == made["RoleId"] and role["CreateDate"] == made["CreateDate"]
        assert role["AssumeRolePolicyDocument"] == trusts
        assert {k: role.get(k) for k in expected} == expected
        inline = {n: iam.get_role_policy(RoleName="build", PolicyName=n)["PolicyDocument"]
                  for n in all_of(iam, "list_role_policies", "PolicyNames", RoleName="build")}
        attached = [p["PolicyArn"] for p in all_of(iam, "list_attached_role_policies", "AttachedPolicies", RoleName="build")]
        return inline, attached, role

    inline, attached, role = read(trusts, **sent)
    assert (inline, attached, tags_of(role)) == ({}, [], tags_of({"Tags": TAGS}))
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == READ_ONLY
    # Update: a call for each thing that has changed.
    iam.update_assume_role_policy(RoleName="build", PolicyDocument=trust({"AWS": "*"}))
    iam.update_role_description(RoleName="build", Description="")
    iam.update_role(RoleName="build", MaxSessionDuration=3600)
    iam.delete_role_permissions_boundary(RoleName="build")
    iam.put_role_policy(RoleName="build", PolicyName="push", PolicyDocument=PUSH)
    iam.attach_role_policy(RoleName="build", PolicyArn=PULL_ONLY)
    iam.untag_role(RoleName="build", TagKeys=["env"])
    iam.tag_role(RoleName="build", Tags=[{"Key": "owner", "Value": "me"}])
    inline, attached, role = read(trust({"AWS": "*"}), MaxSessionDuration=3600, PermissionsBoundary=None)
    assert role.get("Description", "") == ""
    assert list(inline) == ["push"] and attached == [PULL_ONLY] and tags_of(role) == {"owner": "me"}
    # Destroy with force_detach_policies.
    assert all_of(iam, "list_instance_profiles_for_role", "InstanceProfiles", RoleName="build") == []
    for arn in attached:
        iam.detach_role_policy(RoleName="build", PolicyArn=arn)
    for name in inline:
        iam.delete_role_policy(RoleName="build", PolicyName=name)
    iam.delete_role(RoleName="build")
    gone(iam.get_role, RoleName="build")
    gone(iam.list_instance_profiles_for_role, RoleName="build")


def test_policy(iam, berth):
    # The provider sends a description that nobody gave as "".
    made = iam.create_policy(PolicyName="pull", Path="/team/", Description="", PolicyDocument=PULL, Tags=TAGS)["Policy"]
    arn = made["Arn"]
    assert arn == f"arn:aws:iam::{berth.account}:policy/team/pull"

    def read():
        policy = iam.get_policy(PolicyArn=arn)["Policy"]
        assert (policy["PolicyName"], policy["Path"], policy["PolicyId"]) == ("pull", "/team/", made["PolicyId"]) and not policy.get("Description")
        return policy, iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]["Document"]

    policy, text = read()
    assert text == json.loads(PULL) and policy["AttachmentCount"] == 0 and tags_of(policy) == tags_of({"Tags": TAGS})
    # Update: the oldest of five versions goes, a new one comes, and is made the default by a call of its own.
    for n in range(6):
        versions = all_of(iam, "list_policy_versions", "Versions", PolicyArn=arn)
        if len(versions) == 5:
            oldest = min((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: (v["CreateDate"], int(v["VersionId"][1:])))
            iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
        made_version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow([f"ecr:Get{n}"])), SetAsDefault=False)["PolicyVersion"]
        iam.set_default_policy_version(PolicyArn=arn, VersionId=made_version["VersionId"])
        assert read()[1]["Statement"][0]["Action"] == [f"ecr:Get{n}"]
    iam.untag_policy(PolicyArn=arn, TagKeys=["env"])
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "owner", "Value": "me"}])
    assert tags_of(read()[0]) == {"owner": "me"}
    # Destroy.
    for v in all_of(iam, "list_policy_versions", "Versions", PolicyArn=arn):
        if not v["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=v["VersionId"])
    iam.delete_policy(PolicyArn=arn)
    gone(iam.get_policy, PolicyArn=arn)
    gone(iam.list_policy_versions, PolicyArn=arn)


@pytest.mark.parametrize("kind", ["user", "role", "group"])
def test_policy_attachments(iam, berth, kind):
    """aws_iam_user_, role_ and group_policy_attachment."""
    name = {f"{kind.title()}Name": "ci"}
    getattr(iam, f"create_{kind}")(**name, **({"AssumeRolePolicyDocument": trust({"AWS": "*"})} if kind == "role" else {}))
    own = iam.create_policy(PolicyName="own", PolicyDocument=PULL)["Policy"]["Arn"]
    attach, detach = getattr(iam, f"attach_{kind}_policy"), getattr(iam, f"detach_{kind}_policy")

    def attached():
        return {p["PolicyArn"] for p in all_of(iam, f"list_attached_{kind}_policies", "AttachedPolicies", **name)}

    for arn in (own, PULL_ONLY, own):  # what is attached may be attached again
        attach(PolicyArn=arn, **name)
    assert attached() == {own, PULL_ONLY}
    assert iam.get_policy(PolicyArn=own)["Policy"]["AttachmentCount"] == 1
    detach(PolicyArn=own, **name)
    assert attached() == {PULL_ONLY}
    gone(detach, PolicyArn=own, **name)
    detach(PolicyArn=PULL_ONLY, **name)
    getattr(iam, f"delete_{kind}")(**name)
    gone(getattr(iam, f"list_attached_{kind}_policies"), **name)


def test_exclusive_policy_attachment(iam):
    """aws_iam_policy_attachment: all that a policy is attached to."""
    arn = iam.create_policy(PolicyName="own", PolicyDocument=PULL)["Policy"]["Arn"]
    for n in ("a", "b"):
        iam.create_user(UserName=n)
        iam.attach_user_policy(UserName=n, PolicyArn=arn)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"AWS": "*"}))
    iam.create_group(GroupName="g")

    def entities():
        got = {"PolicyUsers": [], "PolicyRoles": [], "PolicyGroups": []}
        for page in iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, PaginationConfig={"PageSize": 1}):
            for member, names in got.items():
                names += [e[member[6:-1] + "Name"] for e in page[member]]
        return got

    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    iam.attach_group_policy(GroupName="g", PolicyArn=arn)
    assert {k: sorted(v) for k, v in entities().items()} == {"PolicyUsers": ["a", "b"], "PolicyRoles": ["r"], "PolicyGroups": ["g"]}
    iam.detach_user_policy(UserName="a", PolicyArn=arn)
    assert entities()["PolicyUsers"] == ["b"]
    iam.detach_user_policy(UserName="b", PolicyArn=arn)
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.detach_group_policy(GroupName="g", PolicyArn=arn)
    assert not any(entities().values())
    iam.delete_policy(PolicyArn=arn)
    gone(iam.list_entities_for_policy, PolicyArn=arn)


@pytest.mark.parametrize("kind", ["user", "role", "group"])
def test_inline_policies(iam, kind):
    """aws_iam_user_policy, aws_iam_role_policy, aws_iam_group_policy."""
    name = {f"{kind.title()}Name": "ci"}
    getattr(iam, f"create_{kind}")(**name, **({"AssumeRolePolicyDocument": trust({"AWS": "*"})} if kind == "role" else {}))
    put, get, delete = (getattr(iam, f"{verb}_{kind}_policy") for verb in ("put", "get", "delete"))
    for text in (PULL, PUSH):  # create and update are the same call
        put(PolicyName="p", PolicyDocument=text, **name)
        got = get(PolicyName="p", **name)
        assert got["PolicyName"] == "p" and got["PolicyDocument"] == json.loads(text)
    delete(PolicyName="p", **name)
    gone(get, PolicyName="p", **name)
    gone(delete, PolicyName="p", **name)


def test_group_and_membership(iam, berth):
    """aws_iam_group, aws_iam_group_membership, aws_iam_user_group_membership."""
    made = iam.create_group(GroupName="devs", Path="/")["Group"]
    assert iam.get_group(GroupName="devs")["Group"]["GroupId"] == made["GroupId"]
    iam.update_group(GroupName="devs", NewGroupName="builders", NewPath="/team/")
    group = iam.get_group(GroupName="builders")["Group"]
    assert group["Arn"] == f"arn:aws:iam::{berth.account}:group/team/builders" and group["GroupId"] == made["GroupId"]
    for n in ("a", "b", "c"):
        iam.create_user(UserName=n)
        iam.add_user_to_group(GroupName="builders", UserName=n)
    iam.remove_user_from_group(GroupName="builders", UserName="b")
    assert sorted(u["UserName"] for u in all_of(iam, "get_group", "Users", GroupName="builders")) == ["a", "c"]
    assert [g["GroupName"] for g in all_of(iam, "list_groups_for_user", "Groups", UserName="a")] == ["builders"]
    for n in ("a", "c"):
        iam.remove_user_from_group(GroupName="builders", UserName=n)
    iam.delete_group(GroupName="builders")
    gone(iam.get_group, GroupName="builders")


def test_openid_connect_provider(iam, berth):
    arn = iam.create_open_id_connect_provider(Url="https://ci.example.org/x", ClientIDList=["sts.amazonaws.com"], Tags=TAGS)["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{berth.account}:oidc-provider/ci.example.org/x"

    def read():
        return iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)

    got = read()
    assert (got["Url"], got["ClientIDList"], tags_of(got)) == ("ci.example.org/x", ["sts.amazonaws.com"], tags_of({"Tags": TAGS}))
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["a" * 40])
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="other")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="sts.amazonaws.com")
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["env"])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "owner", "Value": "me"}])
    got = read()
    assert (got["ThumbprintList"], got["ClientIDList"], tags_of(got)) == (["a" * 40], ["other"], {"owner": "me"})
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    gone(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)


def test_caller_identity_of_everybody(berth, iam, sts):
    """The data source aws_caller_identity, for root, a user and a role; with it the provider also learns the account of ARNs."""
    account = berth.account
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{account}:root"
    user = iam.create_user(UserName="ci", Path="/team/")["User"]
    key = iam.create_access_key(UserName="ci")["AccessKey"]
    iam.put_user_policy(UserName="ci", PolicyName="p", PolicyDocument=document(allow("sts:AssumeRole")))
    mine = berth.client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    got = mine.get_caller_identity()
    assert (got["Account"], got["Arn"], got["UserId"]) == (account, f"arn:aws:iam::{account}:user/team/ci", user["UserId"])
    role = iam.create_role(RoleName="build", AssumeRolePolicyDocument=trust({"AWS": user["Arn"]}))["Role"]
    made = mine.assume_role(RoleArn=role["Arn"], RoleSessionName="aws-go-sdk-1")["Credentials"]
    session = berth.client("sts", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"], aws_session_token=made["SessionToken"])
    got = session.get_caller_identity()
    assert (got["Account"], got["Arn"]) == (account, f"arn:aws:sts::{account}:assumed-role/build/aws-go-sdk-1")
    assert got["UserId"] == role["RoleId"] + ":aws-go-sdk-1"
