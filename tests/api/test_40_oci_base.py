"""/v2/: who gets in, which paths there are, and that every refusal is an envelope."""

import json

import pytest

from harness.http import Http
from harness.oci import sha256

CHALLENGE_TYPE = "text/plain; charset=utf-8"


def test_a_caller_without_credentials_is_challenged_as_ecr_does(berth):
    http = berth.http(auth=False)
    for method, path in [("GET", "/v2/"), ("GET", "/v2"), ("HEAD", "/v2/"), ("GET", "/v2/a/tags/list"), ("GET", "/v2/No Such/Path"),
                         ("POST", "/v2/a/blobs/uploads/"), ("DELETE", "/v2/"), ("GET", "/v2/a/b/c")]:
        r = http.request(method, path.replace(" ", "%20"))
        assert r.status == 401, (method, path, r)
        assert r["WWW-Authenticate"] == f'Basic realm="http://{berth.host}/",service="ecr.amazonaws.com"'
        assert r["Docker-Distribution-Api-Version"] == "registry/2.0"
        assert r["Content-Type"] == CHALLENGE_TYPE
        if method != "HEAD":
            assert r.body == b"Not Authorized\n"


@pytest.mark.parametrize("user,password", [("AWS", "wrong"), ("AWS", ""), ("someone", "x"), ("", "")])
def test_wrong_credentials_are_challenged_too(berth, user, password):
    r = Http(berth.port, auth=(user, password)).get("/v2/")
    assert (r.status, r.body) == (401, b"Not Authorized\n")


def test_a_damaged_token_is_no_token(berth):
    good = berth.token
    for bad in (good[:-1], good + "A", good[:20] + ("A" if good[20] != "A" else "B") + good[21:]):
        assert Http(berth.port, auth=("AWS", bad)).get("/v2/").status == 401
    assert Http(berth.port, auth=("other", good)).get("/v2/").status == 401
    assert Http(berth.port, auth=("AWS", good)).get("/v2/").status == 200


def test_a_push_without_credentials_is_challenged_before_its_body_is_taken(berth):
    berth.create("app")
    r = berth.http(auth=False).put("/v2/app/manifests/x", b"{" * 100000)
    assert r.status == 401


def test_the_base_answers_with_and_without_slash(http):
    for path in ("/v2/", "/v2"):
        assert (http.get(path).status, http.get(path).body) == (200, b"{}")
        assert http.head(path).status == 200


@pytest.mark.parametrize("path", ["/v2/a", "/v2/a/", "/v2/a/manifests/", "/v2/a/tags", "/v2/tags/list", "/v2/a/blobs/uploads/x/y", "/v2/x/_catalog"])
def test_an_unknown_path_is_404_with_an_envelope(http, path):
    r = http.get(path)
    assert (r.status, r.codes()) == (404, ["UNSUPPORTED"])


@pytest.mark.parametrize("name", ["A", "-a", "a//b", "a..b", "..", "a/../b", "a%2Fb", "a%2fb", "a%00", "%", "a%zz", "a%20b", "a" * 257])
def test_a_name_that_breaks_the_grammar_is_refused(http, name):
    r = http.get(f"/v2/{name}/tags/list")
    assert (r.status, r.codes()) == (400, ["NAME_INVALID"])


def test_a_name_may_hold_the_words_of_endpoints(berth, oci):
    for name in ("tags/list", "a/blobs/uploads", "manifests/manifests", "blobs/blobs"):
        berth.create(name)
        digest = oci.push_blob(name, name.encode())
        assert oci.get_blob(name, digest) == name.encode()
        assert oci.tags(name) == []


@pytest.mark.parametrize("method,path,allow", [
    ("POST", "/v2/", "GET"), ("PUT", "/v2/a/tags/list", "GET"), ("GET", "/v2/a/blobs/uploads/", "POST"), ("POST", "/v2/a/manifests/x", "PUT"),
    ("PATCH", "/v2/a/blobs/" + sha256(b""), "DELETE"), ("POST", "/v2/a/blobs/uploads/123", "PATCH"), ("DELETE", "/v2/_catalog", "GET"),
    ("POST", "/v2/a/referrers/" + sha256(b""), "GET"), ("BREW", "/v2/a/manifests/x", "GET"),
])
def test_a_wrong_method_is_405_and_names_the_right_ones(http, method, path, allow):
    r = http.request(method, path, body=b"")
    assert (r.status, r.codes()) == (405, ["UNSUPPORTED"])
    assert allow in r["Allow"].split(", ")


def test_a_repository_that_is_not_there_is_named_in_ecrs_words(berth, http):
    for method, path in [("GET", "manifests/x"), ("GET", "tags/list"), ("GET", "blobs/" + sha256(b"x")), ("POST", "blobs/uploads/"),
                         ("PUT", "manifests/x"), ("DELETE", "manifests/x"), ("POST", "blobs/uploads/?digest=" + sha256(b"x"))]:
        r = http.request(method, f"/v2/not/there/{path}", body=b"{}" if method in ("PUT", "POST") else None)
        if (method, path) == ("PUT", "manifests/x") and r.codes() == ["MANIFEST_INVALID"]:
            continue  # the manifest may be looked at first
        assert (r.status, r.codes()) == (404, ["NAME_UNKNOWN"]), (method, path)
        assert r.json()["errors"][0]["message"] == f"The repository with name 'not/there' does not exist in the registry with id '{berth.account}'"


def test_a_host_name_names_the_registry(berth, http):
    """The same token in another Region's or account's registry is refused with a reason."""
    account, region = berth.account, berth.region
    berth.create("app")
    other_region = "us-west-2" if region != "us-west-2" else "eu-west-1"
    ok = http.get("/v2/app/tags/list", headers={"Host": f"{account}.dkr.ecr.{region}.example.com"})
    assert ok.status == 200
    r = http.get("/v2/app/tags/list", headers={"Host": f"{account}.dkr.ecr.{other_region}.example.com"})
    assert (r.status, r.codes()) == (403, ["DENIED"])
    assert region in r.json()["errors"][0]["message"]
    r = http.get("/v2/app/tags/list", headers={"Host": f"999999999999.dkr.ecr.{region}.example.com"})
    assert (r.status, r.codes()) == (403, ["DENIED"])
    assert "is not authorized to perform: ecr:ListImages on resource: arn:aws:ecr:" in r.json()["errors"][0]["message"]


def test_the_access_log_names_operation_repository_and_caller(berth, http):
    berth.create("app")
    http.get("/v2/app/tags/list")
    line = berth.access_log(lambda e: e.get("repository") == "app" and "ListTags" in json.dumps(e))[-1]
    text = json.dumps(line)
    assert "arn:aws:iam::" in text and berth.region in text
