"""The ECR API as bytes: AWS JSON 1.1, its errors and its headers, without an SDK in between."""

import json
import re

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

TARGET = "AmazonEC2ContainerRegistry_V20150921."
TYPE = "application/x-amz-json-1.1"
NOT_YET = """
CreatePullThroughCacheRule DeletePullThroughCacheRule DeleteSigningConfiguration DescribeImageReplicationStatus
DescribeImageScanFindings DescribeImageSigningStatus DescribePullThroughCacheRules DescribeReplicationBackfillResults
GetSigningConfiguration ListReplicationBackfills PutReplicationConfiguration PutSigningConfiguration StartImageScan
StartReplicationBackfill StopReplicationBackfill UpdatePullThroughCacheRule ValidatePullThroughCacheRule
""".split()


@pytest.fixture
def call(berth):
    """call(operation, body) signs and sends as it stands; body: an object, or bytes."""
    http = berth.http(auth=False)

    def send(operation, body=b"{}", content_type=TYPE, service="ecr", headers=None, alter=None, secret=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        key, good = berth.credentials
        request = botocore.awsrequest.AWSRequest(
            "POST", berth.url + "/", data=data,
            headers={"Content-Type": content_type, "X-Amz-Target": TARGET + operation, "Host": berth.host, **(headers or {})},
        )
        credentials = botocore.credentials.Credentials(key, secret or good)
        botocore.auth.SigV4Auth(credentials, service, berth.region).add_auth(request)
        return http.post("/", alter(data) if alter else data, headers=dict(request.headers.items()))

    return send


def fault(r, status, code):
    """The message of an error answer, whose every part is checked."""
    body = r.json()
    assert (r.status, body["__type"]) == (status, code), r
    assert r["x-amzn-ErrorType"] == code
    assert r["Content-Type"] == TYPE
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r["x-amzn-RequestId"])
    assert set(body) >= {"__type", "message"}
    return body["message"]


def test_a_good_answer(call, berth):
    r = call("CreateRepository", {"repositoryName": "app"})
    assert r.status == 200 and r["Content-Type"] == TYPE
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r["x-amzn-RequestId"])
    created = r.json()["repository"]["createdAt"]
    assert isinstance(created, float) and created > 1.7e9
    assert call("CreateRepository", {"repositoryName": "app2"})["x-amzn-RequestId"] != r["x-amzn-RequestId"]


def test_members_that_are_not_known_and_nulls_are_ignored(call):
    body = {"repositoryName": "app", "registryId": None, "tags": None, "madeUp": [{"x": 1}], "encryptionConfiguration": None}
    assert call("CreateRepository", body).status == 200
    assert call("DescribeRepositories", {"nextToken": None, "maxResults": None, "repositoryNames": None}).status == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff\xfe", b"{} {}", b'{"repositoryName":}', b'{"maxResults":99999999999999999999}'])
def test_a_body_that_is_no_json_object(call, body):
    fault(call("DescribeRepositories", body), 400, "SerializationException")


def test_an_empty_body_is_an_empty_object(call):
    assert call("DescribeRepositories", b"").json() == {"repositories": []}


@pytest.mark.parametrize("body", [
    {"maxResults": "5"}, {"maxResults": 5.5}, {"maxResults": True}, {"maxResults": 2**31}, {"maxResults": [5]}, {"repositoryNames": "app"},
    {"repositoryNames": [1]}, {"nextToken": {}}, {"registryId": 123456789012}, {"repositoryNames": {"0": "app"}},
])
def test_wrong_types(call, body):
    assert fault(call("DescribeRepositories", body), 400, "SerializationException")


def test_deep_nesting_is_refused(call):
    body = b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}"
    fault(call("DescribeRepositories", body), 400, "SerializationException")


@pytest.mark.parametrize("blob", ["A", "AAA", "AA=A", "A A=", "AAA\n", "ä"])
def test_a_blob_that_is_no_base64(call, blob):
    call("CreateRepository", {"repositoryName": "app"})
    upload = call("InitiateLayerUpload", {"repositoryName": "app"}).json()["uploadId"]
    r = call("UploadLayerPart", {"repositoryName": "app", "uploadId": upload, "partFirstByte": 0, "partLastByte": 0, "layerPartBlob": blob})
    fault(r, 400, "SerializationException")


def test_operations_that_ecr_does_not_have(call):
    for name in ("", "Describe", "describeRepositories", "DescribeRepositories2", "x" * 500):
        fault(call(name), 404, "UnknownOperationException")


@pytest.mark.parametrize("operation", NOT_YET)
def test_operations_that_are_still_to_come_say_so(call, operation):
    assert fault(call(operation), 400, "UnsupportedOperationException") == f"{operation} is not available in this version of Berth"


def test_other_targets_methods_and_paths_are_not_ecrs(berth, call):
    http = berth.http(auth=False)
    assert "x-amzn-ErrorType" not in http.get("/", headers={"X-Amz-Target": TARGET + "DescribeRepositories"}).headers
    assert http.post("/other", b"{}", headers={"X-Amz-Target": TARGET + "DescribeRepositories", "Content-Type": TYPE}).status in (404, 405)
    assert http.post("/", b"{}", headers={"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": TYPE}).status >= 400


def test_the_content_type_must_be_aws_json(call):
    for good in (TYPE, TYPE + "; charset=utf-8", TYPE.upper(), TYPE + ";x=y"):
        assert call("DescribeRepositories", content_type=good).status == 200
    for bad in ("application/json", "text/plain", "application/x-amz-json-1.0", TYPE + "x"):
        fault(call("DescribeRepositories", content_type=bad), 400, "MalformedHttpRequestException")


def test_a_request_without_signature(berth):
    r = berth.http(auth=False).post("/", b"{}", headers={"X-Amz-Target": TARGET + "DescribeRepositories", "Content-Type": TYPE})
    fault(r, 403, "MissingAuthenticationTokenException")


def test_a_registry_token_is_no_signature(berth):
    r = berth.http().post("/", b"{}", headers={"X-Amz-Target": TARGET + "DescribeRepositories", "Content-Type": TYPE})
    assert r.status == 403


def test_tampering_is_noticed(call):
    fault(call("DescribeRepositories", alter=lambda data: b'{"a":1}'), 403, "InvalidSignatureException")
    fault(call("DescribeRepositories", secret="x" * 40), 403, "InvalidSignatureException")
    assert call("DescribeRepositories", service="sts").status == 403


def test_bodies_that_are_too_long(call):
    r = call("DescribeRepositories", {"nextToken": "x" * (65 << 10)})
    message = fault(r, 413, "RequestEntityTooLargeException")
    assert "DescribeRepositories" in message
    assert call("DescribeRepositories", {"repositoryNames": ["a" * 60000]}).status == 400


def test_text_from_the_caller_comes_back_as_text(call):
    """Whatever stands in a name, the error is well-formed JSON."""
    for name in ('a"b', "a\\b", "a\nb", "a\u0000b", "\U0001f600\u2028", "%s%n"):
        r = call("DescribeRepositories", {"repositoryNames": [name]})
        fault(r, 400, "InvalidParameterException")
    call("CreateRepository", {"repositoryName": "app"})
    for tag in ('a"b', "a\\b", "a\u0000b", "%s%n"):
        r = call("BatchGetImage", {"repositoryName": "app", "imageIds": [{"imageTag": tag}]})
        assert r.json()["failures"][0]["imageId"]["imageTag"] == tag


def test_the_access_log_names_the_operation(berth, call):
    call("CreateRepository", {"repositoryName": "team/app"})
    call("DescribeRepositories", {"repositoryNames": ["no/such"]})
    lines = berth.access_log(lambda e: e.get("status") == 400)
    made = next(e for e in lines if e["status"] == 200 and e.get("repository") == "team/app")
    assert "CreateRepository" in json.dumps(made)
    missed = next(e for e in lines if e["status"] == 400)
    assert "RepositoryNotFoundException" in json.dumps(missed) and "DescribeRepositories" in json.dumps(missed)
