"""STS by boto3 and the AWS CLI: roles, session tokens, web identities; and what sessions may and when they end."""

import base64
import json
import time

import botocore
import botocore.config
import pytest
from botocore.exceptions import ClientError

from harness.certificate import make_certificate
from harness.env import ROOT, run
from harness.http import Http
from harness.iam import allow, deny, document, keys, make_user, trust
from harness.oidc import EcKey, HmacKey, Issuer, RsaKey

AUDIENCE = "sts.amazonaws.com"


@pytest.fixture
def iam(berth):
    return berth.client("iam")


@pytest.fixture
def issuer():
    made = Issuer()
    yield made
    made.close()


def refused(code, call, *args, **kw):
    with pytest.raises(ClientError) as e:
        call(*args, **kw)
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


def make_role(berth, name="ci", trusts=None, *statements, **more):
    iam = berth.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts or trust({"AWS": "*"}), **more)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
    return arn


def assume(berth, who, role, **more):
    """(the answer, keys of the session)"""
    got = berth.client("sts", **who).assume_role(RoleArn=role, RoleSessionName="run-1", **more)
    return got, keys(got["Credentials"])


# -- AssumeRole ---------------------------------------------------------------------------------------------------------------


def test_a_user_becomes_a_role(berth):
    bob = make_user(berth)
    role = make_role(berth, "ci", None, allow("ecr:*"))
    got, session = assume(berth, bob, role, DurationSeconds=900)
    account = berth.account
    assert got["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account}:assumed-role/ci/run-1"
    assert got["AssumedRoleUser"]["AssumedRoleId"].startswith("AROA") and got["AssumedRoleUser"]["AssumedRoleId"].endswith(":run-1")
    assert abs(got["Credentials"]["Expiration"].timestamp() - time.time() - 900) < 60
    who = berth.client("sts", **session).get_caller_identity()
    assert (who["Arn"], who["UserId"], who["Account"]) == (got["AssumedRoleUser"]["Arn"], got["AssumedRoleUser"]["AssumedRoleId"], account)
    ecr = berth.client("ecr", **session)
    ecr.create_repository(repositoryName="app")
    assert berth.access_log(lambda e: e.get("principal") == who["Arn"] and e["operation"] == "CreateRepository")
    # Without its token, or with a token that is not its own, a session's key is nothing.
    bare = {k: v for k, v in session.items() if k != "aws_session_token"}
    refused("InvalidClientTokenId", berth.client("sts", **bare).get_caller_identity)
    _, other = assume(berth, bob, role)
    refused("InvalidClientTokenId", berth.client("sts", **{**bare, "aws_session_token": other["aws_session_token"]}).get_caller_identity)
    refused("InvalidClientTokenId", berth.client("sts", **{**bob, "aws_session_token": other["aws_session_token"]}).get_caller_identity)
    wrong = {**session, "aws_secret_access_key": "x" * 40}
    refused("SignatureDoesNotMatch", berth.client("sts", **wrong).get_caller_identity)
    # Presigned, as tools that prove their identity to others do.
    url = berth.client("sts", **session).generate_presigned_url("get_caller_identity", HttpMethod="GET")
    http = Http(berth.port)
    answer = http.get(url)
    http.close()
    assert answer.status == 200 and b":assumed-role/ci/run-1</Arn>" in answer.body


def test_a_role_trusts_whom_it_names(berth, iam):
    account = berth.account
    bob, eve = make_user(berth, "bob"), make_user(berth, "eve")
    role = make_role(berth, "ci", trust({"AWS": f"arn:aws:iam::{account}:user/bob"}))
    assume(berth, bob, role)
    assert refused("AccessDenied", assume, berth, eve, role) == (
        f"User: arn:aws:iam::{account}:user/eve is not authorized to perform: sts:AssumeRole on resource: {role}"
    )
    # The account as a whole: who has leave from it.
    iam.update_assume_role_policy(RoleName="ci", PolicyDocument=trust({"AWS": account}))
    refused("AccessDenied", assume, berth, bob, role)
    iam.put_user_policy(UserName="eve", PolicyName="p", PolicyDocument=document(allow("sts:AssumeRole", role)))
    assume(berth, eve, role)
    # With a secret shared with a third party.
    iam.update_assume_role_policy(
        RoleName="ci", PolicyDocument=trust({"AWS": f"arn:aws:iam::{account}:user/bob"}, Condition={"StringEquals": {"sts:ExternalId": "s3cret"}}),
    )
    refused("AccessDenied", assume, berth, bob, role)
    refused("AccessDenied", assume, berth, bob, role, ExternalId="other")
    assume(berth, bob, role, ExternalId="s3cret")
    refused("AccessDenied", assume, berth, bob, role + "x")
    assert refused("AccessDenied", berth.client("sts").assume_role, RoleArn=role, RoleSessionName="root") == "Roles may not be assumed by root accounts."
    iam.delete_role(RoleName="ci")
    refused("AccessDenied", assume, berth, bob, role, ExternalId="s3cret")


def test_roles_chain(berth, iam):
    account = berth.account
    bob = make_user(berth)
    first = make_role(berth, "first", None, MaxSessionDuration=43200)
    second = make_role(berth, "second", trust({"AWS": first}), allow("ecr:Describe*"), MaxSessionDuration=43200)
    _, session = assume(berth, bob, first, DurationSeconds=43200)
    got, deeper = assume(berth, session, second)
    assert got["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account}:assumed-role/second/run-1"
    assert berth.client("ecr", **deeper).describe_repositories()["repositories"] == []
    assert "role chaining" in refused("ValidationError", assume, berth, session, second, DurationSeconds=3601)
    refused("AccessDenied", assume, berth, bob, second)


def test_durations_and_names_are_bounded(berth):
    bob = make_user(berth)
    role = make_role(berth)
    assert "exceeds the MaxSessionDuration set for this role" in refused("ValidationError", assume, berth, bob, role, DurationSeconds=3601)
    refused("ValidationError", assume, berth, bob, role, DurationSeconds=43201)
    refused("ValidationError", berth.client("sts", **bob).assume_role, RoleArn=role, RoleSessionName="a b")
    refused("ValidationError", berth.client("sts", **bob).assume_role, RoleArn="arn:aws:iam::1:user/x", RoleSessionName="ab")
    refused("MalformedPolicyDocument", assume, berth, bob, role, Policy="{}")
    refused("PackedPolicyTooLarge", assume, berth, bob, role, Policy=document(*[allow("ecr:GetAuthorizationToken") for _ in range(40)]))
    refused("ValidationError", assume, berth, bob, role, PolicyArns=[{"arn": f"arn:aws:iam::{berth.account}:policy/none"}])


def test_a_session_policy_narrows_and_never_widens(berth, iam):
    bob = make_user(berth)
    arn = f"arn:aws:ecr:{berth.region}:{berth.account}:repository/"
    role = make_role(berth, "ci", None, allow(["ecr:CreateRepository", "ecr:DeleteRepository"]))
    _, session = assume(berth, bob, role, Policy=document(allow("ecr:*", arn + "dev/*")))
    ecr = berth.client("ecr", **session)
    ecr.create_repository(repositoryName="dev/app")
    assert "no session policy allows" in refused("AccessDeniedException", ecr.create_repository, repositoryName="prod/app")
    refused("AccessDeniedException", ecr.describe_repositories, repositoryNames=["dev/app"])
    _, session = assume(berth, bob, role, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"}])
    refused("AccessDeniedException", berth.client("ecr", **session).create_repository, repositoryName="dev/other")
    policy = iam.create_policy(PolicyName="P", PolicyDocument=document(allow("ecr:Create*")))["Policy"]["Arn"]
    _, session = assume(berth, bob, role, PolicyArns=[{"arn": policy}], Policy=document(deny("ecr:*", arn + "dev/*"), allow("ecr:*")))
    ecr = berth.client("ecr", **session)
    ecr.create_repository(repositoryName="prod/x")
    refused("AccessDeniedException", ecr.create_repository, repositoryName="dev/x")


def test_tags_of_sessions_and_roles_decide(berth, iam):
    bob = make_user(berth)
    arn = f"arn:aws:ecr:{berth.region}:{berth.account}:repository/"
    role = make_role(
        berth, "ci", trust({"AWS": "*"}, ["sts:AssumeRole", "sts:TagSession"]), allow("ecr:CreateRepository", arn + "${aws:PrincipalTag/team}/*"),
        Tags=[{"Key": "team", "Value": "red"}],
    )
    _, plain = assume(berth, bob, role)
    _, tagged = assume(berth, bob, role, Tags=[{"Key": "team", "Value": "blue"}])
    berth.client("ecr", **plain).create_repository(repositoryName="red/a")
    refused("AccessDeniedException", berth.client("ecr", **plain).create_repository, repositoryName="blue/a")
    berth.client("ecr", **tagged).create_repository(repositoryName="blue/a")
    refused("AccessDeniedException", berth.client("ecr", **tagged).create_repository, repositoryName="red/b")


def test_with_the_role_go_its_sessions_and_their_tokens(berth, iam):
    bob = make_user(berth)
    berth.create("app")
    role = make_role(berth, "ci", None, allow("ecr:*"))
    _, session = assume(berth, bob, role)
    ecr = berth.client("ecr", **session)
    data = ecr.get_authorization_token()["authorizationData"][0]
    assert data["expiresAt"].timestamp() < time.time() + 3700  # the session's hour, not twelve
    http = Http(berth.port, headers={"Authorization": "Basic " + data["authorizationToken"]})
    try:
        assert http.get("/v2/app/tags/list").status == 200
        berth.restart()
        assert http.get("/v2/app/tags/list").status == 200
        iam = berth.client("iam")
        iam.put_role_policy(RoleName="ci", PolicyName="p", PolicyDocument=document(allow("ecr:GetAuthorizationToken")))
        assert http.get("/v2/app/tags/list").status == 403
        iam.delete_role_policy(RoleName="ci", PolicyName="p")
        iam.delete_role(RoleName="ci")
        assert http.get("/v2/app/tags/list").status == 401
        refused("UnrecognizedClientException", berth.client("ecr", **session).describe_repositories)
        # A role made anew under its name is another one.
        make_role(berth, "ci", None, allow("ecr:*"))
        assert http.get("/v2/app/tags/list").status == 401
        refused("InvalidClientTokenId", berth.client("sts", **session).get_caller_identity)
    finally:
        http.close()


def test_sessions_revoked_by_the_time_of_their_issue(berth, iam):
    """What the AWS console's "Revoke sessions" attaches."""
    bob = make_user(berth)
    role = make_role(berth, "ci", None, allow("ecr:Describe*"))
    _, session = assume(berth, bob, role)
    ecr = berth.client("ecr", **session)
    ecr.describe_repositories()
    before = lambda t: document(deny("*", Condition={"DateLessThan": {"aws:TokenIssueTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))}}))
    iam.put_role_policy(RoleName="ci", PolicyName="AWSRevokeOlderSessions", PolicyDocument=before(time.time() + 60))
    refused("AccessDeniedException", ecr.describe_repositories)
    iam.put_role_policy(RoleName="ci", PolicyName="AWSRevokeOlderSessions", PolicyDocument=before(time.time() - 60))
    ecr.describe_repositories()


# -- GetSessionToken ------------------------------------------------------------------------------------------------------------


def test_session_tokens_of_users_and_root(berth, iam):
    bob = make_user(berth, "bob", allow("ecr:Describe*"))
    session = keys(berth.client("sts", **bob).get_session_token(DurationSeconds=900)["Credentials"])
    assert session["aws_access_key_id"].startswith("ASIA")
    who = berth.client("sts", **session).get_caller_identity()
    assert who["Arn"].endswith(":user/bob") and who["UserId"].startswith("AIDA")
    ecr = berth.client("ecr", **session)
    assert ecr.describe_repositories()["repositories"] == []
    assert "session credentials" in refused("AccessDenied", berth.client("sts", **session).get_session_token)
    got = berth.client("sts").get_session_token()["Credentials"]
    assert got["Expiration"].timestamp() < time.time() + 3700
    root = keys(got)
    assert berth.client("sts", **root).get_caller_identity()["Arn"].endswith(":root")
    berth.client("ecr", **root).create_repository(repositoryName="app")
    iam.update_access_key(UserName="bob", AccessKeyId=bob["aws_access_key_id"], Status="Inactive")
    refused("UnrecognizedClientException", ecr.describe_repositories)


# -- AssumeRoleWithWebIdentity ------------------------------------------------------------------------------------------------


def provide(berth, issuer, clients=(AUDIENCE,)):
    return berth.client("iam").create_open_id_connect_provider(Url=issuer.url, ClientIDList=list(clients))["OpenIDConnectProviderArn"]


def ci_role(berth, issuer, condition=None, *statements, **more):
    provider = f"arn:aws:iam::{berth.account}:oidc-provider/{issuer.host}"
    condition = condition or {"StringLike": {f"{issuer.host}:sub": "repo:org/app:*"}, "StringEquals": {f"{issuer.host}:aud": AUDIENCE}}
    return make_role(berth, "ci", trust({"Federated": provider}, "sts:AssumeRoleWithWebIdentity", Condition=condition), *statements, **more)


def unsigned(berth):
    """What CI has: no key of any kind."""
    return berth.client("sts", config=botocore.config.Config(signature_version=botocore.UNSIGNED))


def test_a_ci_job_pushes_by_its_token(berth, issuer):
    provide(berth, issuer)
    role = ci_role(berth, issuer, None, allow("ecr:*"))
    for key in issuer.keys:
        got = unsigned(berth).assume_role_with_web_identity(RoleArn=role, RoleSessionName="job-7", WebIdentityToken=issuer.token(key))
        assert got["SubjectFromWebIdentityToken"] == "repo:org/app:ref:refs/heads/main"
        assert got["Audience"] == AUDIENCE and got["Provider"] == issuer.host
        session = keys(got["Credentials"])
        assert berth.client("sts", **session).get_caller_identity()["Arn"] == f"arn:aws:sts::{berth.account}:assumed-role/ci/job-7"
        berth.client("ecr", **session).create_repository(repositoryName=f"made-by-{key.kid}")
    assert issuer.fetched == 1  # kept
    token = berth.client("ecr", **session).get_authorization_token()["authorizationData"][0]["authorizationToken"]
    http = Http(berth.port, headers={"Authorization": "Basic " + token})
    assert http.get("/v2/").status == 200
    http.close()
    assert base64.b64decode(token).startswith(b"AWS:")


def test_sdks_find_the_token_in_a_file(berth, issuer, scratch):
    """As on Kubernetes: AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, by the AWS CLI."""
    provide(berth, issuer)
    role = ci_role(berth, issuer, None, allow("ecr:*"))
    (scratch / "token").write_text(issuer.token())
    env = berth.env(AWS_ROLE_ARN=role, AWS_WEB_IDENTITY_TOKEN_FILE=scratch / "token", AWS_ROLE_SESSION_NAME="pod-1")
    env["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null"
    who = json.loads(run([ROOT / ".venv/bin/aws", "--output", "json", "sts", "get-caller-identity"], env).stdout)
    assert who["Arn"].endswith(":assumed-role/ci/pod-1")
    run([ROOT / ".venv/bin/aws", "ecr", "create-repository", "--repository-name", "app"], env)


def test_tokens_that_must_not_pass(berth, issuer):
    provide(berth, issuer)
    role = ci_role(berth, issuer)
    sts = unsigned(berth)
    now = int(time.time())
    rsa, ec = issuer.keys

    def ask(token, name="job"):
        return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName=name, WebIdentityToken=token)

    ask(issuer.token())
    good = issuer.token()
    head, body, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    public = json.dumps(rsa.jwk()).encode()
    for token in (
        "no token at all", "a.b.c", head + "." + body + ".", f"{none}.{body}.", f"{none}.{body}.{signature}",
        *(f"{head}.{body}.{bad}" for bad in ("A", "A=", "=", "====", signature + "=", signature[:-1], signature + "A=", "\n" + signature)),
        *(f"{head}.{bad}.{signature}" for bad in ("A=", "A", body + "=", "")), f"A=.{body}.{signature}",
        head + "." + body + "." + ("A" if signature[0] != "A" else "B") + signature[1:],
        f"{head}.{issuer.token(sub='repo:org/app:other').split('.')[1]}.{signature}",
        issuer.token(RsaKey(kid=rsa.kid)), issuer.token(EcKey(kid=ec.kid)), issuer.token(RsaKey(kid="unknown")),
        issuer.token(HmacKey(public, rsa.kid)), issuer.token(HmacKey(b"", ec.kid)),
        issuer.token(rsa, {"alg": "ES256"}), issuer.token(ec, {"alg": "RS256", "kid": rsa.kid}),
        issuer.token(rsa, {"crit": ["b64"], "b64": False}), issuer.token(rsa, {"alg": "PS256"}),
        issuer.token(aud="someone-else"), issuer.token(aud=None), issuer.token(aud=["a", "b"]), issuer.token(azp="other"),
        issuer.token(sub=None), issuer.token(exp=None), issuer.token(iat=None), issuer.token(exp="soon"), issuer.token(exp=1e300, iat=1e300),
        issuer.token(nbf=now + 300), issuer.token(iat=now + 300), issuer.token(iss=None), issuer.token(iss=issuer.url + "/"),
        issuer.token(**{f"claim-{n}": "x" for n in range(70)}), issuer.token(iss="https://" + issuer.host), issuer.token(iss="https://other.example.com"),
    ):
        refused("InvalidIdentityToken", ask, token)
    assert "Token expired" in refused("ExpiredTokenException", ask, issuer.token(exp=now - 1))
    assert refused("AccessDenied", ask, issuer.token(sub="repo:org/other:ref")) == "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    refused("AccessDenied", sts.assume_role_with_web_identity, RoleArn=role + "x", RoleSessionName="job", WebIdentityToken=good)
    refused("ValidationError", ask, good, "a b")
    text = refused("ValidationError", ask, good + "s" * 20000)
    assert "'webIdentityToken' failed to satisfy" in text and "ssss" not in text and good[:20] not in text
    ask(issuer.token(aud=["x", AUDIENCE]))
    ask(issuer.token(**{f"claim-{n}": "x" for n in range(50)}, aud=["x"] * 40 + [AUDIENCE], numbers=[1, 2], other={"a": "b"}))
    ask(issuer.token(aud="x", azp=AUDIENCE))
    # A role that trusts principals trusts no web identity.
    other = make_role(berth, "people", trust({"AWS": "*"}))
    refused("AccessDenied", sts.assume_role_with_web_identity, RoleArn=other, RoleSessionName="job", WebIdentityToken=good)


def test_keys_that_change_are_fetched_again(berth, issuer):
    provide(berth, issuer)
    role = ci_role(berth, issuer)
    ask = lambda token: unsigned(berth).assume_role_with_web_identity(RoleArn=role, RoleSessionName="job", WebIdentityToken=token)
    ask(issuer.token())
    fresh = RsaKey(kid="rsa-2")
    issuer.keys.append(fresh)
    end = time.monotonic() + 30
    while True:  # at most every ten seconds
        try:
            ask(issuer.token(fresh))
            break
        except ClientError as e:
            assert e.response["Error"]["Code"] == "InvalidIdentityToken"
            assert time.monotonic() < end
            time.sleep(0.5)
    for _ in range(20):
        refused("InvalidIdentityToken", ask, issuer.token(EcKey(kid="made-up")))
    assert issuer.fetched <= 5


def test_an_issuer_that_does_not_answer(berth, issuer):
    provide(berth, issuer)
    role = ci_role(berth, issuer)
    ask = lambda: unsigned(berth).assume_role_with_web_identity(RoleArn=role, RoleSessionName="job", WebIdentityToken=issuer.token())
    issuer.broken = True
    assert refused("IDPCommunicationError", ask).startswith("Couldn't retrieve verification key from your identity provider")
    issuer.broken = False
    end = time.monotonic() + 15
    while True:
        try:
            ask()
            break
        except ClientError:
            assert time.monotonic() < end
            time.sleep(0.3)


def test_an_issuer_with_a_certificate_of_a_private_authority(make_berth, scratch):
    make_certificate(scratch, "issuer")
    issuer = Issuer(certificate=(scratch / "cert.pem", scratch / "key.pem"))

    def ask(berth):
        provide(berth, issuer)
        role = ci_role(berth, issuer)
        return unsigned(berth).assume_role_with_web_identity(RoleArn=role, RoleSessionName="job", WebIdentityToken=issuer.token())

    try:
        assert refused("IDPCommunicationError", ask, make_berth()) and issuer.fetched == 0
        assert ask(make_berth("--oidc-ca", str(scratch / "cert.pem")))["Provider"] == issuer.host and issuer.fetched == 1
    finally:
        issuer.close()


def test_claims_are_conditions(berth, issuer):
    provide(berth, issuer, ["mine"])
    role = ci_role(berth, issuer, {
        "StringEquals": {f"{issuer.host}:aud": "mine", f"{issuer.host}:environment": "prod"},
        "ForAnyValue:StringEquals": {f"{issuer.host}:amr": ["authenticated"]},
    })
    ask = lambda **claims: unsigned(berth).assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="job", WebIdentityToken=issuer.token(**{"aud": "mine", "environment": "prod", "amr": ["x", "authenticated"], **claims}))
    ask()
    refused("AccessDenied", ask, environment="dev")
    refused("AccessDenied", ask, environment=None)
    refused("AccessDenied", ask, amr=["x"])
    berth.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=f"arn:aws:iam::{berth.account}:oidc-provider/{issuer.host}")
    assert "No OpenIDConnect provider found" in refused("InvalidIdentityToken", ask)


# -- clients ------------------------------------------------------------------------------------------------------------------


def test_the_aws_cli_assumes_a_role_from_its_profile(berth, scratch):
    bob = make_user(berth)
    role = make_role(berth, "ci", None, allow("ecr:*"))
    (scratch / "config").write_text(
        f"[profile bob]\nregion = {berth.region}\n[profile ci]\nregion = {berth.region}\nrole_arn = {role}\nsource_profile = bob\nrole_session_name = cli\n")
    (scratch / "credentials").write_text(
        f"[bob]\naws_access_key_id = {bob['aws_access_key_id']}\naws_secret_access_key = {bob['aws_secret_access_key']}\n")
    env = berth.env()
    env.update(AWS_CONFIG_FILE=str(scratch / "config"), AWS_SHARED_CREDENTIALS_FILE=str(scratch / "credentials"), AWS_PROFILE="ci")
    aws = [ROOT / ".venv/bin/aws", "--output", "json"]
    assert json.loads(run([*aws, "sts", "get-caller-identity"], env).stdout)["Arn"].endswith(":assumed-role/ci/cli")
    run([*aws, "ecr", "create-repository", "--repository-name", "app"], env)
    assert run([*aws, "ecr", "get-login-password"], env).stdout.strip()
