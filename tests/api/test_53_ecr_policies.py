"""Policies at repositories and at the registry, and what they decide on both protocols."""

import base64
import json

import botocore.config
import botocore.exceptions
import pytest

from harness.http import Http
from harness.oci import Oci, blob, manifest, sha256

OCI_IMAGE = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PUSH = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:BatchCheckLayerAvailability", "ecr:PutImage"]


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resource="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def deny(actions, resource="*", **more):
    return {"Effect": "Deny", "Action": actions, "Resource": resource, **more}


def refused(code, call, **kw):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


@pytest.fixture
def iam(berth):
    return berth.client("iam")


class User:
    """An IAM user with what the documents grant: a boto3 client and a logged-in connection."""

    def __init__(self, berth, iam, name, *statements):
        self.berth, self.name = berth, name
        iam.create_user(UserName=name)
        self.grant(iam, allow("ecr:GetAuthorizationToken"), *statements)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        self.arn = f"arn:aws:iam::{berth.account}:user/{name}"
        self.ecr = berth.client("ecr", **self.keys)
        data = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        self.http = Http(berth.port, auth=base64.b64decode(data).decode().split(":", 1))
        self.oci = Oci(self.http)

    def grant(self, iam, *statements):
        iam.put_user_policy(UserName=self.name, PolicyName="inline", PolicyDocument=document(*statements))


@pytest.fixture
def user(berth, iam):
    made = []

    def make(name, *statements):
        made.append(User(berth, iam, name, *statements))
        return made[-1]

    yield make
    for u in made:
        u.http.close()


def repo_arn(berth, name):
    return f"arn:aws:ecr:{berth.region}:{berth.account}:repository/{name}"


def push(oci, repo, tag="v1"):
    layer = blob("layer", 2000)
    for data in (b"{}", layer):
        oci.push_blob(repo, data)
    put = oci.http.put(f"/v2/{repo}/manifests/{tag}", body=manifest(b"{}", [layer]), headers=OCI_IMAGE)
    assert put.status == 201, put
    return layer


def denial(response):
    """The message of a 403 on /v2/."""
    assert response.status == 403 and response.codes() == ["DENIED"], response
    return response.json()["errors"][0]["message"]


# -- texts ---------------------------------------------------------------------------------------------------------------


def test_a_repository_policy_is_kept_as_it_was_sent(ecr, berth):
    berth.create("app")
    text = '{ "Version" : "2008-10-17", "Statement": [ {"Sid": "a b/ü", "Effect": "Allow", "Principal": "*", "Action": "ecr:ListImages"} ] }'
    put = ecr.set_repository_policy(repositoryName="app", policyText=text)
    for answer in (put, ecr.get_repository_policy(repositoryName="app"), ecr.delete_repository_policy(repositoryName="app")):
        assert (answer["registryId"], answer["repositoryName"], answer["policyText"]) == (berth.account, "app", text)
    said = f"Repository policy does not exist for the repository with name 'app' in the registry with id '{berth.account}'"
    assert refused("RepositoryPolicyNotFoundException", ecr.get_repository_policy, repositoryName="app") == said
    assert refused("RepositoryPolicyNotFoundException", ecr.delete_repository_policy, repositoryName="app") == said
    for call in (ecr.get_repository_policy, ecr.delete_repository_policy):
        refused("RepositoryNotFoundException", call, repositoryName="none")
    refused("RepositoryNotFoundException", ecr.set_repository_policy, repositoryName="none", policyText=text)


def test_a_registry_policy_is_kept_as_it_was_sent(ecr, berth):
    text = document({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "ecr:ListImages", "Resource": repo_arn(berth, "*")})
    put = ecr.put_registry_policy(policyText=text)
    for answer in (put, ecr.get_registry_policy(), ecr.delete_registry_policy()):
        assert (answer["registryId"], answer["policyText"]) == (berth.account, text)
    said = f"Registry policy does not exist in the registry with id '{berth.account}'"
    assert refused("RegistryPolicyNotFoundException", ecr.get_registry_policy) == said
    assert refused("RegistryPolicyNotFoundException", ecr.delete_registry_policy) == said


@pytest.mark.parametrize("text", ["", "{}", "[]", "not JSON", document(), document(allow("ecr:ListImages")), document({"Effect": "Maybe", "Principal": "*", "Action": "*"})])
def test_texts_that_are_no_policy_are_refused(ecr, berth, text):
    berth.create("app")
    said = refused("InvalidParameterException", ecr.set_repository_policy, repositoryName="app", policyText=text)
    assert said == "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
    said = refused("InvalidParameterException", ecr.put_registry_policy, policyText=text)
    assert said == "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy provided'"
    refused("RepositoryPolicyNotFoundException", ecr.get_repository_policy, repositoryName="app")


def test_a_policy_goes_with_its_repository(ecr, berth):
    text = document({"Effect": "Allow", "Principal": "*", "Action": "ecr:ListImages"})
    berth.create("app")
    ecr.set_repository_policy(repositoryName="app", policyText=text)
    ecr.delete_repository(repositoryName="app")
    berth.create("app")
    refused("RepositoryPolicyNotFoundException", ecr.get_repository_policy, repositoryName="app")


# -- decisions on the API ------------------------------------------------------------------------------------------------


def test_a_repository_policy_allows_what_the_identity_does_not(ecr, berth, user):
    berth.create("app", "other")
    u = user("ann")
    said = refused("AccessDeniedException", u.ecr.list_images, repositoryName="app")
    assert said == (
        f"User: {u.arn} is not authorized to perform: ecr:ListImages on resource: {repo_arn(berth, 'app')} "
        "because no identity-based policy allows the ecr:ListImages action"
    )
    ecr.set_repository_policy(repositoryName="app", policyText=document({"Effect": "Allow", "Principal": {"AWS": u.arn}, "Action": "ecr:ListImages"}))
    # At once, on one node; and only there.
    assert u.ecr.list_images(repositoryName="app")["imageIds"] == []
    refused("AccessDeniedException", u.ecr.list_images, repositoryName="other")
    ecr.delete_repository_policy(repositoryName="app")
    refused("AccessDeniedException", u.ecr.list_images, repositoryName="app")


def test_a_deny_decides_wherever_it_stands(ecr, berth, user):
    berth.create("app")
    u = user("ann", allow("ecr:*"))
    u.ecr.list_images(repositoryName="app")
    ecr.set_repository_policy(repositoryName="app", policyText=document({"Effect": "Deny", "Principal": {"AWS": u.arn}, "Action": "ecr:ListImages"}))
    said = refused("AccessDeniedException", u.ecr.list_images, repositoryName="app")
    assert said.endswith("with an explicit deny in a resource-based policy"), said
    ecr.delete_repository_policy(repositoryName="app")
    ecr.put_registry_policy(policyText=document({"Effect": "Deny", "Principal": "*", "Action": "ecr:ListImages", "Resource": repo_arn(berth, "app")}))
    refused("AccessDeniedException", u.ecr.list_images, repositoryName="app")
    refused("AccessDeniedException", ecr.list_images, repositoryName="app")
    ecr.delete_registry_policy()
    u.ecr.list_images(repositoryName="app")


def test_a_registry_policy_allows_by_repository_name(ecr, berth, user):
    berth.create("prod/app", "dev/app")
    u = user("ann")
    ecr.put_registry_policy(
        policyText=document({"Effect": "Allow", "Principal": {"AWS": u.arn}, "Action": "ecr:Describe*", "Resource": repo_arn(berth, "prod/*")}),
    )
    u.ecr.describe_images(repositoryName="prod/app")
    refused("AccessDeniedException", u.ecr.describe_images, repositoryName="dev/app")


def test_a_repository_that_comes_again_has_no_memory_of_a_policy(ecr, berth, user):
    berth.create("app")
    u = user("ann")
    ecr.set_repository_policy(repositoryName="app", policyText=document({"Effect": "Allow", "Principal": {"AWS": u.arn}, "Action": "ecr:*"}))
    u.ecr.list_images(repositoryName="app")
    ecr.delete_repository(repositoryName="app")
    refused("AccessDeniedException", u.ecr.list_images, repositoryName="app")
    berth.create("app")
    refused("AccessDeniedException", u.ecr.list_images, repositoryName="app")


def test_tags_decide_where_a_condition_reads_them(ecr, berth, user):
    [app, other] = berth.create("app", "other")
    u = user("ann", allow("ecr:ListImages", Condition={"StringEquals": {"ecr:ResourceTag/team": "blue"}}))
    refused("AccessDeniedException", u.ecr.list_images, repositoryName="app")
    ecr.tag_resource(resourceArn=app["repositoryArn"], tags=[{"Key": "team", "Value": "blue"}])
    u.ecr.list_images(repositoryName="app")
    refused("AccessDeniedException", u.ecr.list_images, repositoryName="other")
    ecr.untag_resource(resourceArn=app["repositoryArn"], tagKeys=["team"])
    refused("AccessDeniedException", u.ecr.list_images, repositoryName="app")


def test_tags_of_the_request_and_the_name_of_a_setting(ecr, berth, user):
    u = user(
        "ann", allow(["ecr:CreateRepository", "ecr:TagResource"], Condition={"StringEquals": {"aws:RequestTag/team": "blue"}}),
        allow("ecr:PutAccountSetting", Condition={"StringEquals": {"ecr:AccountSetting": "BLOB_MOUNTING"}}),
    )
    refused("AccessDeniedException", u.ecr.create_repository, repositoryName="app")
    refused("AccessDeniedException", u.ecr.create_repository, repositoryName="app", tags=[{"Key": "team", "Value": "red"}])
    u.ecr.create_repository(repositoryName="app", tags=[{"Key": "team", "Value": "blue"}])
    u.ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    refused("AccessDeniedException", u.ecr.put_account_setting, name="REGISTRY_POLICY_SCOPE", value="V2")


def test_who_would_be_locked_out_has_to_say_force(ecr, berth, user):
    berth.create("app")
    u = user("ann", allow("ecr:*"))
    lock = document({"Effect": "Deny", "Principal": {"AWS": u.arn}, "Action": "ecr:SetRepositoryPolicy"})
    said = refused("InvalidParameterException", u.ecr.set_repository_policy, repositoryName="app", policyText=lock)
    assert "force" in said
    refused("RepositoryPolicyNotFoundException", ecr.get_repository_policy, repositoryName="app")
    # A policy that does not touch the caller needs no force.
    u.ecr.set_repository_policy(repositoryName="app", policyText=document({"Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"}))
    u.ecr.set_repository_policy(repositoryName="app", policyText=lock, force=True)
    refused("AccessDeniedException", u.ecr.set_repository_policy, repositoryName="app", policyText=lock, force=True)
    # Root mends it, whatever it says.
    everybody = document({"Effect": "Deny", "Principal": "*", "Action": "ecr:*"})
    ecr.set_repository_policy(repositoryName="app", policyText=everybody)
    refused("AccessDeniedException", ecr.list_images, repositoryName="app")
    ecr.delete_repository_policy(repositoryName="app")
    u.ecr.list_images(repositoryName="app")


def test_who_may_only_by_the_policy_that_is_replaced_would_be_locked_out(ecr, berth, user):
    berth.create("app")
    u = user("ann")
    ecr.set_repository_policy(repositoryName="app", policyText=document({"Effect": "Allow", "Principal": {"AWS": u.arn}, "Action": "ecr:*"}))
    other = document({"Effect": "Allow", "Principal": {"AWS": u.arn}, "Action": "ecr:ListImages"})
    refused("InvalidParameterException", u.ecr.set_repository_policy, repositoryName="app", policyText=other)
    u.ecr.set_repository_policy(repositoryName="app", policyText=other, force=True)
    refused("AccessDeniedException", u.ecr.set_repository_policy, repositoryName="app", policyText=other)
    u.ecr.list_images(repositoryName="app")


# -- decisions on the data plane -----------------------------------------------------------------------------------------


def test_who_may_pull_but_not_push(berth, oci, user):
    berth.create("app")
    layer = push(oci, "app")
    u = user("ann", allow(PULL, repo_arn(berth, "app")))
    assert u.http.get("/v2/app/manifests/v1").status == 200
    assert u.http.head("/v2/app/manifests/v1").status == 200
    assert u.http.get(f"/v2/app/blobs/{sha256(layer)}").status == 200
    assert u.http.get(f"/v2/app/referrers/{sha256(layer)}").status == 200
    where = f"on resource: {repo_arn(berth, 'app')} because no identity-based policy allows the"
    for method, path, action, kw in [
        ("POST", "/v2/app/blobs/uploads/", "ecr:InitiateLayerUpload", {}),
        ("POST", f"/v2/app/blobs/uploads/?mount={sha256(layer)}&from=app", "ecr:InitiateLayerUpload", {}),
        ("POST", f"/v2/app/blobs/uploads/?digest={sha256(layer)}", "ecr:InitiateLayerUpload", {"body": layer}),
        ("PATCH", "/v2/app/blobs/uploads/11111111-2222-3333-4444-555555555555", "ecr:UploadLayerPart", {"body": b"x"}),
        ("PUT", f"/v2/app/blobs/uploads/11111111-2222-3333-4444-555555555555?digest={sha256(b'')}", "ecr:CompleteLayerUpload", {}),
        ("GET", "/v2/app/blobs/uploads/11111111-2222-3333-4444-555555555555", "ecr:UploadLayerPart", {}),
        ("DELETE", "/v2/app/blobs/uploads/11111111-2222-3333-4444-555555555555", "ecr:UploadLayerPart", {}),
        ("PUT", "/v2/app/manifests/v2", "ecr:PutImage", {"body": manifest(b"{}", [layer]), "headers": OCI_IMAGE}),
        ("DELETE", "/v2/app/manifests/v1", "ecr:BatchDeleteImage", {}),
        ("DELETE", f"/v2/app/blobs/{sha256(layer)}", "ecr:BatchDeleteImage", {}),
        ("GET", "/v2/app/tags/list", "ecr:ListImages", {}),
    ]:
        said = denial(u.http.request(method, path, **kw))
        assert said == f"User: {u.arn} is not authorized to perform: {action} {where} {action} action", path
    assert u.http.head(f"/v2/app/blobs/{sha256(layer)}").status == 403  # BatchCheckLayerAvailability
    assert u.http.get("/v2/_catalog").status == 403
    assert oci.http.get("/v2/app/tags/list").json()["tags"] == ["v1"]


def test_a_closing_put_with_bytes_is_a_part_too(berth, user):
    berth.create("app")
    u = user("ann", allow(["ecr:InitiateLayerUpload", "ecr:CompleteLayerUpload"]))
    start = u.http.post("/v2/app/blobs/uploads/")
    assert start.status == 202
    r = u.http.put(f"{start['Location']}?digest={sha256(b'x')}", body=b"x")
    assert "ecr:UploadLayerPart" in denial(r)


def test_who_may_push_but_not_read_the_source_gets_an_ordinary_upload(berth, oci, user):
    berth.create("secret", "mine")
    layer = push(oci, "secret")
    u = user("ann", allow(PUSH + PULL, repo_arn(berth, "mine")))
    answers = []
    for source in ("secret", "none", "mine"):
        r = u.http.post(f"/v2/mine/blobs/uploads/?mount={sha256(layer)}&from={source}")
        answers.append((r.status, sorted(k for k in r.headers if k.lower() not in ("date",)), r.body))
        assert u.http.delete(r["Location"]).status == 204
    # Also without a source: what it may not read is not found.
    r = u.http.post(f"/v2/mine/blobs/uploads/?mount={sha256(layer)}")
    answers.append((r.status, sorted(k for k in r.headers if k.lower() not in ("date",)), r.body))
    assert answers == [answers[0]] * 4 and answers[0][0] == 202
    outcomes = [e["mount_outcome"] for e in berth.access_log(lambda e: e.get("mount_outcome") == "not-found") if e.get("operation") == "MountBlob"]
    assert outcomes == ["denied", "no-source", "not-held", "not-found"]


def test_a_repository_policy_lets_a_mount_read_the_source(berth, ecr, oci, user):
    berth.create("base", "mine")
    layer = push(oci, "base")
    u = user("ann", allow(PUSH, repo_arn(berth, "mine")))
    assert u.http.post(f"/v2/mine/blobs/uploads/?mount={sha256(layer)}&from=base").status == 202
    ecr.set_repository_policy(
        repositoryName="base", policyText=document({"Effect": "Allow", "Principal": {"AWS": u.arn}, "Action": "ecr:GetDownloadUrlForLayer"}),
    )
    assert u.http.post(f"/v2/mine/blobs/uploads/?mount={sha256(layer)}&from=base").status == 201
    assert denial(u.http.get("/v2/base/manifests/v1"))


def test_create_on_push_needs_create_repository(berth, ecr, user, iam):
    ecr.create_repository_creation_template(prefix="auto", appliedFor=["CREATE_ON_PUSH"])
    u = user("ann", allow(PUSH))
    said = denial(u.http.post("/v2/auto/app/blobs/uploads/"))
    assert said == (
        f"User: {u.arn} is not authorized to perform: ecr:CreateRepository on resource: {repo_arn(berth, 'auto/app')} "
        "because no identity-based policy allows the ecr:CreateRepository action"
    )
    assert u.http.post("/v2/other/app/blobs/uploads/").codes() == ["NAME_UNKNOWN"]
    assert ecr.describe_repositories()["repositories"] == []
    u.grant(iam, allow("ecr:GetAuthorizationToken"), allow(PUSH), allow("ecr:CreateRepository", repo_arn(berth, "auto/*")))
    assert u.http.post("/v2/auto/app/blobs/uploads/").status == 202


def test_listing_all_repositories_is_asked_of_all(berth, user):
    berth.create("app")
    some = user("ann", allow("ecr:DescribeRepositories", repo_arn(berth, "app")))
    every = user("bob", allow("ecr:DescribeRepositories", repo_arn(berth, "*")))
    where = f"on resource: {repo_arn(berth, '*')} because"
    assert where in denial(some.http.get("/v2/_catalog")) and where in refused("AccessDeniedException", some.ecr.describe_repositories)
    assert some.ecr.describe_repositories(repositoryNames=["app"])["repositories"]
    assert every.http.get("/v2/_catalog").json() == {"repositories": ["app"]}
    assert len(every.ecr.describe_repositories()["repositories"]) == 1


def test_nobody_learns_whether_a_repository_exists(berth, user):
    berth.create("app")
    u = user("ann")
    for path in ("manifests/v1", "tags/list", f"blobs/{sha256(b'x')}"):
        there, not_there = (denial(u.http.get(f"/v2/{r}/{path}")) for r in ("app", "none"))
        assert there.replace("/app ", "/none ") == not_there
    for call, kw in ((u.ecr.describe_images, {}), (u.ecr.get_repository_policy, {}), (u.ecr.list_images, {})):
        there, not_there = (refused("AccessDeniedException", call, repositoryName=r, **kw) for r in ("app", "none"))
        assert there.replace("/app ", "/none ") == not_there


# -- conditions, as requests show them -----------------------------------------------------------------------------------


CIRCUMSTANCES = [
    ({"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "10.0.0.0/8"]}}, True),
    ({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, False),
    ({"Bool": {"aws:SecureTransport": "false"}}, True),
    ({"Bool": {"aws:SecureTransport": "true"}}, False),
    ({"StringLike": {"aws:UserAgent": "who-asks/*"}}, True),
    ({"StringLike": {"aws:UserAgent": "curl/*"}}, False),
    ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}, "NumericGreaterThan": {"aws:EpochTime": "1767225600"}}, True),
    ({"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, False),
    ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/bob"}, "StringEquals": {"aws:username": "bob"}}, True),
    ({"StringEqualsIgnoreCase": {"aws:username": "BOB"}, "StringLike": {"aws:userid": "AIDA*"}}, True),
    ({"StringNotEquals": {"aws:username": "${aws:username}"}}, False),
    ({"StringEqualsIfExists": {"aws:PrincipalTag/none": "x"}, "Null": {"aws:TokenIssueTime": "true"}}, True),
    ({"StringEquals": {"aws:PrincipalTag/none": "x"}}, False),
]


def test_both_protocols_show_the_same_circumstances(berth, ecr, user, iam):
    ecr.create_repository(repositoryName="app")
    push(berth.oci(), "app")
    bob = user("bob")
    data = berth.client("ecr", config=botocore.config.Config(user_agent="who-asks/1.0"), **bob.keys)
    for condition, holds in CIRCUMSTANCES:
        bob.grant(iam, allow(["ecr:BatchGetImage", "ecr:DescribeImages"], Condition=condition))
        pulled = bob.http.get("/v2/app/manifests/v1", headers={"User-Agent": "who-asks/2.0"})
        if holds:
            assert data.describe_images(repositoryName="app")["imageDetails"] and pulled.status == 200, condition
        else:
            refused("AccessDeniedException", data.describe_images, repositoryName="app")
            assert "no identity-based policy allows the ecr:BatchGetImage action" in denial(pulled), condition
