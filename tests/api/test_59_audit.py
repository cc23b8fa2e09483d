"""The audit log: who did what, from where, with which result; and what it must never hold."""

import base64
import json
import re
import signal
import time
import urllib.parse

import botocore.exceptions
import pytest

from harness.http import Http
from harness.oci import blob, sha256
from harness.oidc import Issuer
from test_72_sts import ci_role, provide, unsigned


@pytest.fixture
def trail(scratch):
    return scratch / "audit.log"


@pytest.fixture
def audited(make_berth, trail):
    def make(*args, **kw):
        return make_berth("--audit", str(trail), *args, **kw)

    return make


def records(trail):
    return [json.loads(line) for line in trail.read_text().splitlines()] if trail.exists() else []


def wait_for(trail, want, count=1, seconds=5):
    """The records that satisfy want, once there are count of them: they are written behind the answers."""
    end = time.monotonic() + seconds
    while True:
        got = [r for r in records(trail) if want(r)]
        if len(got) >= count:
            return got
        assert time.monotonic() < end, f"{len(got)} of {count} such records among {[r['eventName'] for r in records(trail)]}"
        time.sleep(0.02)


def named(name):
    return lambda r: r["eventName"] == name


def one(trail, name):
    [r] = wait_for(trail, named(name))
    return r


def test_a_call_of_the_api_leaves_a_record_in_cloudtrails_shape(audited, trail):
    berth = audited()
    key, _ = berth.credentials
    ecr = berth.client("ecr")
    done = ecr.create_repository(repositoryName="app", tags=[{"Key": "team", "Value": "a"}])
    r = one(trail, "CreateRepository")
    account, region = berth.account, berth.region
    for name, want in {"requestID": done["ResponseMetadata"]["RequestId"], "eventID": r["eventID"]}.items():
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r[name]) and r[name] == want
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", r["eventTime"])
    assert r["userAgent"].startswith("Boto3/")
    assert r["responseElements"]["repository"]["repositoryName"] == "app"
    want = {
        "eventVersion": "1.10", "eventSource": "ecr.amazonaws.com", "awsRegion": region, "sourceIPAddress": "127.0.0.1",
        "userIdentity": {"type": "Root", "principalId": account, "arn": f"arn:aws:iam::{account}:root", "accountId": account, "accessKeyId": key},
        "requestParameters": {"repositoryName": "app", "tags": [{"Key": "team", "Value": "a"}]},
        "readOnly": False, "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": account, "eventCategory": "Management",
        "resources": [{"ARN": f"arn:aws:ecr:{region}:{account}:repository/app", "accountId": account, "type": "AWS::ECR::Repository"}],
    }
    assert {k: r[k] for k in want} == want
    assert set(r) - set(want) == {"eventTime", "eventName", "userAgent", "responseElements", "requestID", "eventID"}

    ecr.describe_repositories()
    r = one(trail, "DescribeRepositories")
    assert r["readOnly"] and r["responseElements"] is None and "resources" not in r
    with pytest.raises(botocore.exceptions.ClientError):
        ecr.delete_repository(repositoryName="gone")
    r = one(trail, "DeleteRepository")
    assert r["errorCode"] == "RepositoryNotFoundException" and "'gone' does not exist" in r["errorMessage"]
    assert r["responseElements"] is None and r["requestParameters"] == {"repositoryName": "gone"}


def test_push_mount_pull_list_and_delete_are_the_operations_of_cloudtrail(audited, trail):
    berth = audited()
    berth.create("base", "app")
    oci = berth.oci()
    layer = blob("layer")
    oci.push_image("base", "v1", [layer])
    pushed = wait_for(trail, lambda r: r.get("resources", [{}])[0].get("ARN", "").endswith("/base"), 8)
    assert sorted(r["eventName"] for r in pushed) == [  # one record may overtake another by a moment
        "BatchCheckLayerAvailability", "BatchCheckLayerAvailability", "CompleteLayerUpload", "CompleteLayerUpload", "CreateRepository",
        "InitiateLayerUpload", "InitiateLayerUpload", "PutImage"]
    [closing] = [r for r in pushed if r["requestParameters"].get("layerDigests") == [sha256(layer)] and r["eventName"] == "CompleteLayerUpload"]
    [upload] = [r for r in pushed if r["eventName"] == "InitiateLayerUpload" and r["responseElements"]["uploadId"] == closing["requestParameters"]["uploadId"]]
    assert closing["requestParameters"] == {"registryId": berth.account, "repositoryName": "base", "layerDigests": [sha256(layer)],
                                            "uploadId": upload["responseElements"]["uploadId"]}

    assert oci.mount("app", sha256(layer), "base")
    r = one(trail, "MountLayer")
    assert r["requestParameters"] == {"registryId": berth.account, "repositoryName": "app", "layerDigest": sha256(layer), "sourceRepositoryName": "base"}
    assert [x["ARN"].rsplit("/")[-1] for x in r["resources"]] == ["app", "base"] and not r["readOnly"]
    assert not oci.mount("app", "sha256:" + "0" * 64, "base"), "a refused mount is an upload, and recorded as one"
    r = wait_for(trail, named("InitiateLayerUpload"), 3)[-1]
    assert r["requestParameters"] == {"registryId": berth.account, "repositoryName": "app"}
    wait_for(trail, named("CancelUpload"))

    digest, _ = oci.push_image("app", "v2", [layer])
    r = wait_for(trail, named("PutImage"), 2)[-1]
    assert r["requestParameters"] == {"registryId": berth.account, "repositoryName": "app", "imageTag": "v2"}
    assert r["responseElements"]["imageId"] == {"imageDigest": digest, "imageTag": "v2"}
    http = berth.http()
    http.patch(oci.upload("app"), b"part")
    assert wait_for(trail, named("UploadLayerPart"))[0]["requestParameters"]["uploadId"]
    oci.get_manifest("app", "v2")
    assert one(trail, "BatchGetImage")["requestParameters"]["imageIds"] == [{"imageTag": "v2"}]
    oci.get_blob("app", sha256(layer))
    assert one(trail, "GetDownloadUrlForLayer")["requestParameters"]["layerDigest"] == sha256(layer)
    oci.tags("app")
    wait_for(trail, named("ListImages"))
    http.get(f"/v2/app/referrers/{digest}")
    assert one(trail, "ListImageReferrers")["requestParameters"]["subjectId"] == {"imageDigest": digest}
    http.get("/v2/_catalog")
    wait_for(trail, named("DescribeRepositories"))
    assert http.get("/v2/app/manifests/none").status == 404
    r = wait_for(trail, named("BatchGetImage"), 2)[-1]
    assert (r["errorCode"], r["errorMessage"]) == ("ImageNotFoundException", "Requested image not found")
    oci.delete_manifest("app", digest)
    assert one(trail, "BatchDeleteImage")["requestParameters"]["imageIds"] == [{"imageDigest": digest}]
    assert http.get("/v2/").status == 200
    time.sleep(0.3)
    assert not [r for r in records(trail) if r["eventName"] in ("Ping", "MountBlob", "PutManifest")]
    assert {r["userIdentity"]["type"] for r in records(trail)} == {"Root"}


def test_whom_nobody_knows_is_recorded_when_it_claims_to_be_somebody(audited, trail):
    berth = audited()
    assert berth.http(auth=False).get("/v2/").status == 401
    wrong = Http(berth.port, auth=("AWS", "d3JvbmctcGFzc3dvcmQ="))
    assert wrong.get("/v2/").status == 401
    wrong.close()
    r = one(trail, "Ping")
    assert r["userIdentity"] == {"type": "Unknown"} and r["errorCode"] == "UnrecognizedClientException"
    with pytest.raises(botocore.exceptions.ClientError):
        berth.client("ecr", aws_secret_access_key="wrong" * 8).describe_registry()
    r = one(trail, "DescribeRegistry")
    assert r["userIdentity"] == {"type": "Unknown"} and r["errorCode"] == "InvalidSignatureException"
    assert "d3JvbmctcGFzc3dvcmQ" not in trail.read_text()


def test_users_roles_and_keys_are_told_apart(audited, trail):
    berth = audited()
    iam = berth.client("iam")
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken", "sts:AssumeRole"], "Resource": "*"}]}))
    bob = berth.client("ecr", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    bob.get_authorization_token()
    with pytest.raises(botocore.exceptions.ClientError):
        bob.create_repository(repositoryName="app")
    r = one(trail, "CreateRepository")
    who = r["userIdentity"]
    assert (who["type"], who["userName"], who["accessKeyId"]) == ("IAMUser", "bob", key["AccessKeyId"])
    assert who["arn"].endswith(":user/bob") and who["principalId"].startswith("AIDA")
    assert r["errorCode"] == "AccessDeniedException" and "is not authorized to perform: ecr:CreateRepository" in r["errorMessage"]

    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": berth.account}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="ci", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.attach_role_policy(RoleName="ci", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryFullAccess")
    sts = berth.client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    got = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="build-7")
    r = one(trail, "AssumeRole")
    assert r["eventSource"] == "sts.amazonaws.com"
    assert r["requestParameters"] == {"roleArn": role["Arn"], "roleSessionName": "build-7"}
    assert r["responseElements"]["credentials"] == {"accessKeyId": got["Credentials"]["AccessKeyId"]}
    session = berth.client("ecr", aws_access_key_id=got["Credentials"]["AccessKeyId"],
                           aws_secret_access_key=got["Credentials"]["SecretAccessKey"], aws_session_token=got["Credentials"]["SessionToken"])
    session.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    who = one(trail, "PutAccountSetting")["userIdentity"]
    assert who["type"] == "AssumedRole" and who["arn"].endswith(":assumed-role/ci/build-7")
    assert who["sessionContext"]["sessionIssuer"] == {
        "type": "Role", "principalId": role["RoleId"], "arn": role["Arn"], "accountId": berth.account, "userName": "ci"}
    assert who["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"
    assert one(trail, "AttachRolePolicy")["requestParameters"] == {
        "roleName": "ci", "policyArn": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryFullAccess"}


def test_parameters_of_iam_and_sts_have_the_shape_that_cloudtrail_gives_them(audited, trail):
    berth = audited()
    iam, sts = berth.client("iam"), berth.client("sts")
    iam.create_user(UserName="bob", Tags=[{"Key": "env", "Value": "dev"}, {"Key": "owner", "Value": ""}])
    assert one(trail, "CreateUser")["requestParameters"] == {
        "userName": "bob", "tags": [{"key": "env", "value": "dev"}, {"key": "owner", "value": ""}]}
    iam.untag_user(UserName="bob", TagKeys=["env", "owner"])
    assert one(trail, "UntagUser")["requestParameters"] == {"userName": "bob", "tagKeys": ["env", "owner"]}
    text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:*","Resource":"*"}]}'
    policy = iam.create_policy(PolicyName="all", PolicyDocument=text)["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=text, SetAsDefault=True)
    assert one(trail, "CreatePolicyVersion")["requestParameters"] == {"policyArn": policy, "policyDocument": text, "setAsDefault": True}
    iam.create_open_id_connect_provider(Url="https://ci.example", ClientIDList=["a", "b"])
    assert one(trail, "CreateOpenIDConnectProvider")["requestParameters"] == {"url": "https://ci.example", "clientIDList": ["a", "b"]}
    iam.list_users(MaxItems=7)
    assert one(trail, "ListUsers")["requestParameters"] == {"maxItems": 7}
    with pytest.raises(botocore.exceptions.ClientError):
        sts.assume_role(RoleArn=f"arn:aws:iam::{berth.account}:role/none", RoleSessionName="job", DurationSeconds=900, PolicyArns=[{"arn": policy}])
    r = one(trail, "AssumeRole")
    assert (r["requestParameters"]["durationSeconds"], r["requestParameters"]["policyArns"]) == (900, [{"arn": policy}])
    sts.get_caller_identity()
    assert wait_for(trail, lambda r: r["eventName"] == "GetCallerIdentity" and not r["requestParameters"])


def test_parameters_that_make_no_sense_are_recorded_all_the_same(audited, trail):
    berth = audited()
    http = berth.http(auth=False)
    ask = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"
    for n, (form, expected) in enumerate([
        ("A=1&A=2&B.member.2=x&B.member.1=y&B.C=z&.=d&..=e&%41=f&=g&H", {"a": "1", "b": ["x", "y", "z"], "": {"": {"": "e"}}, "h": ""}),
        ("a.b.c.d.e.f.g.h.i.j=1&k.l=2&k=3", {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": ""}}}}}}}, "k": {"l": "2"}}),
        ("&".join(f"Tags.member.{i}.Key=x" for i in range(600)), {"omitted": "too long"}),
        ("&".join(f"P{i}={'v' * 300}" for i in range(200)), {"omitted": "too long"}),
        ("member.1=a&DurationSeconds=ten", {"member": {"1": "a"}, "durationSeconds": "ten"}),
    ], 1):
        assert http.post("/", (ask + form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"}).status == 400
        got = wait_for(trail, named("AssumeRoleWithWebIdentity"), n)
        assert len(got) == n and got[-1]["requestParameters"] == expected


def test_nothing_secret_is_ever_recorded(audited, trail):
    berth = audited()
    _, root = berth.credentials
    ecr, iam, sts, kms = (berth.client(s) for s in ("ecr", "iam", "sts", "kms"))
    berth.create("app")
    oci = berth.oci()
    layer = b"LAYER-BYTES-" * 500
    digest, text = oci.push_image("app", "v1", [layer], annotations={"note": "MANIFEST-TEXT"})
    up = ecr.initiate_layer_upload(repositoryName="app")["uploadId"]
    ecr.upload_layer_part(repositoryName="app", uploadId=up, partFirstByte=0, partLastByte=len(layer) - 1, layerPartBlob=layer)
    ecr.put_image(repositoryName="app", imageManifest=text.decode(), imageTag="v2")
    url = ecr.get_download_url_for_layer(repositoryName="app", layerDigest=sha256(layer))["downloadUrl"]
    berth.http(auth=False).get(urllib.parse.urlsplit(url).path)
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    session = sts.get_session_token()["Credentials"]
    key_id = kms.create_key(Description="for tests")["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key_id, Plaintext=b"PLAIN-TEXT-OF-A-DATA-KEY", EncryptionContext={"a": "b"})["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "b"})
    data_key = kms.generate_data_key(KeyId=key_id, KeySpec="AES_256")["Plaintext"]
    token = "eyJhbGciOiJSUzI1NiJ9.SECRET-CLAIMS.SECRET-SIGNATURE"
    with pytest.raises(botocore.exceptions.ClientError):
        sts.assume_role_with_web_identity(RoleArn=f"arn:aws:iam::{berth.account}:role/none", RoleSessionName="web", WebIdentityToken=token)
    # A call signed in its query: the signature opens doors for minutes.
    signed = sts.generate_presigned_url("get_caller_identity")
    at = urllib.parse.urlsplit(signed)
    berth.http(auth=False).get(f"{at.path}?{at.query}")

    r = wait_for(trail, named("AssumeRoleWithWebIdentity"))[0]
    assert "webIdentityToken" not in r["requestParameters"] and r["requestParameters"]["roleSessionName"] == "web"
    assert one(trail, "Encrypt")["requestParameters"] == {"keyId": key_id, "encryptionContext": {"a": "b"}}
    assert one(trail, "Encrypt")["eventSource"] == "kms.amazonaws.com"
    put = wait_for(trail, named("PutImage"), 2)[-1]
    assert put["requestParameters"] == {"repositoryName": "app", "imageTag": "v2"}
    assert put["responseElements"]["image"]["imageId"]["imageDigest"] == digest
    part = one(trail, "UploadLayerPart")
    assert set(part["requestParameters"]) == {"repositoryName", "uploadId", "partFirstByte", "partLastByte"}
    wait_for(trail, named("GetCallerIdentity"))
    berth.stop()
    found = trail.read_text()
    secrets = {
        "root's secret": root, "a user's secret": key["SecretAccessKey"], "a session's secret": session["SecretAccessKey"],
        "a session's token": session["SessionToken"], "the docker password": berth._token, "a web identity's token": "SECRET-",
        "a plaintext": "PLAIN-TEXT", "a plaintext's base64": base64.b64encode(b"PLAIN-TEXT-OF-A-DATA-KEY").decode(),
        "a data key": base64.b64encode(data_key).decode(), "a ciphertext": base64.b64encode(sealed).decode(),
        "a layer's bytes": "LAYER-BYTES", "a layer's bytes in base64": base64.b64encode(b"LAYER-BYTES-").decode(),
        "a manifest": "MANIFEST-TEXT", "a signature": urllib.parse.parse_qs(at.query)["X-Amz-Signature"][0], "signatures": "Signature=",
        "a layer URL's signature": re.search(r"[0-9a-f]{64}(?=/|$)", url.replace(sha256(layer).split(":")[1], ""))[0],
    }
    assert not {name for name, value in secrets.items() if value in found}
    berth.start()


def test_a_web_identity_that_proves_nothing_is_unknown(audited, trail):
    berth = audited()
    with pytest.raises(botocore.exceptions.ClientError):
        berth.client("sts").assume_role_with_web_identity(RoleArn=f"arn:aws:iam::{berth.account}:role/none", RoleSessionName="web", WebIdentityToken="a.b.c")
    assert one(trail, "AssumeRoleWithWebIdentity")["userIdentity"] == {"type": "Unknown"}


def test_a_web_identity_is_named_with_the_role_that_it_took(audited, trail):
    berth = audited()
    issuer = Issuer()
    try:
        provide(berth, issuer)
        role = ci_role(berth, issuer)
        unsigned(berth).assume_role_with_web_identity(RoleArn=role, RoleSessionName="job-7", WebIdentityToken=issuer.token(issuer.keys[0]))
    finally:
        issuer.close()
    r = one(trail, "AssumeRoleWithWebIdentity")
    assert r["userIdentity"] == {"type": "WebIdentityUser", "userName": "repo:org/app:ref:refs/heads/main", "identityProvider": issuer.host}
    assert r["responseElements"]["assumedRoleUser"]["arn"].endswith(":assumed-role/ci/job-7")
    assert "errorCode" not in r


def test_the_data_plane_can_be_left_out(audited, trail):
    berth = audited("--audit-data-plane", "off")
    berth.create("app")
    berth.oci().push_image("app", "v1", [blob("a")])
    berth.client("ecr").describe_images(repositoryName="app")
    wait_for(trail, named("DescribeImages"))
    assert {r["eventName"] for r in records(trail)} == {"CreateRepository", "GetAuthorizationToken", "DescribeImages"}


def test_it_is_off_unless_asked_for(berth, trail):
    berth.create("app")
    assert not trail.exists() and "berth_audit" not in berth.metrics().text


def test_standard_output_will_do(make_berth):
    berth = make_berth("--audit", "stdout")
    berth.create("app")
    end = time.monotonic() + 5
    while '"eventName":"CreateRepository"' not in berth.out.read_text():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_files_rotate_and_lose_nothing(audited, trail):
    berth = audited("--audit-max-size", "64KiB", "--audit-keep", "3")
    http = berth.http()
    for i in range(200):
        assert http.get("/v2/app/tags/list").status == 404
        if i % 20 == 0:
            time.sleep(0.15)  # records are written in batches, and files change between those
    berth.stop()
    files = [trail] + [trail.with_name(f"audit.log.{i}") for i in (1, 2, 3)]
    assert files[1].exists() and files[2].exists()
    assert all(f.stat().st_size <= 128 * 1024 for f in files if f.exists())
    assert all(f.stat().st_mode & 0o077 == 0 for f in files if f.exists())
    assert sum(len(records(f)) for f in files if f.exists()) == 201
    berth.start()


def test_the_oldest_file_goes(audited, trail):
    berth = audited("--audit-max-size", "64KiB", "--audit-keep", "1")
    http = berth.http()
    for i in range(200):
        http.get("/v2/app/tags/list")
        if i % 20 == 0:
            time.sleep(0.15)
    berth.stop()
    assert sorted(p.name for p in trail.parent.glob("audit.log*")) == ["audit.log", "audit.log.1"]
    berth.start()


def test_sighup_opens_the_file_anew(audited, trail):
    berth = audited()
    berth.create("app")
    wait_for(trail, named("CreateRepository"))
    moved = trail.with_name("moved.log")
    trail.rename(moved)
    berth.process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    berth.create("other")
    wait_for(trail, named("CreateRepository"))
    assert [r["requestParameters"]["repositoryName"] for r in records(moved) if r["eventName"] == "CreateRepository"] == ["app"]


@pytest.mark.log_errors('"event": "audit"')
def test_a_file_that_cannot_be_written_stops_no_request_and_loses_nothing_once_it_can(audited, trail):
    berth = audited()
    berth.create("app")
    wait_for(trail, named("CreateRepository"))
    # A folder in its place: opening fails for everybody, root too.
    trail.rename(trail.with_name("moved.log"))
    trail.mkdir()
    berth.process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    berth.create("other")
    end = time.monotonic() + 5
    while not berth.metrics().sum("berth_audit_failing"):
        assert time.monotonic() < end
        time.sleep(0.05)
    berth.create("third")
    while not any(e.get("event") == "audit" and e["level"] == "error" for e in berth.log_lines()):
        assert time.monotonic() < end
        time.sleep(0.05)
    trail.rmdir()
    names = [r["requestParameters"]["repositoryName"] for r in wait_for(trail, named("CreateRepository"), 2)]
    assert names == ["other", "third"]
    assert berth.metrics().sum("berth_audit_failing") == 0 and berth.metrics().sum("berth_audit_dropped_total") == 0


def test_a_file_that_cannot_be_opened_stops_the_start(make_berth, scratch):
    berth = make_berth("--audit", str(scratch / "none" / "audit.log"), start=False)
    berth.check_at_end = False
    berth.start(wait=False)
    assert berth.process.wait(20) == 2
    assert "cannot be written" in berth.log_text()
    berth._forget()
    berth.log.unlink()


def test_lifecycle_policies_leave_service_events(audited, trail):
    berth = audited("--lifecycle-delay", "0s")
    berth.create("app")
    oci, ecr = berth.oci(), berth.client("ecr")
    digests = [oci.push_image("app", f"v{i}", [blob(str(i))])[0] for i in range(13)]
    rule = {"rulePriority": 1, "description": "the newest", "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
            "action": {"type": "expire"}}
    text = json.dumps({"rules": [rule]})
    ecr.start_lifecycle_policy_preview(repositoryName="app", lifecyclePolicyText=text)
    dry = wait_for(trail, named("DryRunEvent"), 2, 20)
    ecr.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText=text)
    done = wait_for(trail, named("PolicyExecutionEvent"), 2, 90)
    for got in (dry, done):
        actions = [a for r in got for a in r["serviceEventDetails"]["lifecycleEventImageActions"]]
        assert sorted(a["lifecycleEventImage"]["digest"] for a in actions) == sorted(digests[:12])
        assert max(len(r["serviceEventDetails"]["lifecycleEventImageActions"]) for r in got) == 10
    assert done[0]["eventType"] == "AwsServiceEvent"
    assert done[0]["userIdentity"] == {"accountId": berth.account, "invokedBy": "AWS Internal"}
    details = done[0]["serviceEventDetails"]
    assert details["repositoryName"] == "app"
    assert details["lifecycleEventPolicy"]["lifecycleEventRules"] == [{
        "rulePriority": 1, "description": "the newest", "action": "expire",
        "lifecycleEventSelection": {"tagStatus": "Any", "tagPrefixList": [], "countType": "Image count more than", "countNumber": 1}}]
    first = details["lifecycleEventImageActions"][0]
    assert first["rulePriority"] == 1 and first["lifecycleEventImage"]["tagList"] == ["v0"]
