"""Names and parameters that point elsewhere: nothing outside is read, made or removed, whichever part of a request carries them."""

import base64
import itertools
import json

import pytest

from harness.hostile import Client, attack, basic, quote, sign
from harness.oci import IMAGE, blob, manifest, sha256

TRICKS = [
    "..", "../..", "../../root-key", "../../credentials", "..%2f..%2fcredentials", "%2e%2e/%2e%2e/credentials", "..%252f..%252fcredentials",
    "....//....//credentials", "..\\..\\credentials", "/etc/passwd", "//etc/passwd", "app/../../credentials", "app/./app", "app//app", "./app", "app/..",
    "credentials%00", "credentials\0.tar", "%c0%ae%c0%ae/credentials", "file:///etc/passwd", "\uff0e\uff0e/credentials", "~root", "$(id)", "`id`", "a;id", "a|id",
    "' OR 1=1 --", "\"; DROP TABLE repo; --", "%' AND 1=2 UNION SELECT secret FROM access_key --", "\r\nX-Injected: 1", "%0d%0aX-Injected:%201", "{{7*7}}", "%s%n%x",
    "a" * 5000, "sha256:../../../credentials", "sha256:" + "../" * 21 + "x", "*", "?", "-", "", " ", "app\u202e", "\ud800",
]


def forms(text):
    """As it is where a request line can carry it, and percent-encoded."""
    raw = text.encode("utf-8", "surrogatepass")
    encoded = "".join(chr(b) if chr(b).isalnum() else f"%{b:02x}" for b in raw)
    yield encoded
    if raw.isascii() and not any(c in text for c in " \r\n\0"):
        yield text


@pytest.fixture
def berth(make_berth):
    server = make_berth()
    server.create("app")
    server.oci().push_image("app", "v1", [blob("names", 3000)])
    return server


def tree(berth):
    """Everything in and around the data folder, with its size; what changes by itself left out."""
    return {
        str(p.relative_to(berth.folder)): p.stat().st_size for p in berth.folder.rglob("*")
        if p.is_file() and not p.name.startswith(("berth.db", "berth.log", "berth.out"))
    }


@pytest.fixture
def guarded(berth):
    """Runs the test as an attack; no secret of the folder may be in an answer, and no file come or go."""
    key, secret = berth.credentials
    root = (berth.data / "root-key").read_bytes()
    guarded = [secret.encode(), b"root:x:0", root.strip()[-20:], b"X-Injected: 1\r\n", b"uid=0("]

    def look(what, answer):
        assert answer[:9] == b"HTTP/1.1 ", f"{what!r}: {answer[:100]}"
        assert answer[9:10] != b"5", f"{what!r}: {answer[:300]}"
        head, _, body = answer.partition(b"\r\n\r\n")
        for x in guarded:
            assert x not in head and (x not in body or x == b"X-Injected: 1\r\n"), f"{what!r}: {answer[:300]}"
        return int(answer[9:12])

    before = None
    with attack(berth):
        before = tree(berth)
        yield look
        oci = berth.oci()
        assert oci.http.get("/v2/app/tags/list").json() == {"name": "app", "tags": ["v1"]}
        oci.check_image("app", "v1")
        names = [r["repositoryName"] for r in berth.client("ecr").describe_repositories()["repositories"]]
        assert names == ["app", "ordinary"]
        after = tree(berth)
        assert {n for n in after if not n.startswith("data/blobs/")} == {n for n in before if not n.startswith("data/blobs/")}


ANSWERED = [
    ("GET", "/v2/{}/tags/list"), ("POST", "/v2/{}/blobs/uploads/"), ("GET", "/v2/app/manifests/{}"), ("PUT", "/v2/app/manifests/{}"), ("DELETE", "/v2/app/manifests/{}"),
    ("GET", "/v2/app/blobs/{}"), ("DELETE", "/v2/app/blobs/{}"), ("GET", "/v2/app/blobs/uploads/{}"), ("PATCH", "/v2/app/blobs/uploads/{}"),
    ("DELETE", "/v2/app/blobs/uploads/{}"), ("GET", "/v2/app/referrers/{}"), ("GET", "/layers/{}"), ("GET", "/layers/1/2/3/4/{}/app"), ("GET", "/{}"), ("GET", "/console/{}"),
]


def test_in_a_path(berth, guarded):
    token = f"Authorization: {basic(berth.token)}"
    for (method, path), trick in itertools.product(ANSWERED, TRICKS):
        for form in forms(trick):
            c = Client(berth)
            c.ask(method, path.format(form), token, "Content-Length: 0", "Connection: close")
            status = guarded((method, path, form), c.hear())
            c.close()
            assert status >= 400 or not path.startswith("/v2/") or form in ("", "?"), f"{method} {path.format(form)}: {status}"


QUERIES = [
    "/v2/app/blobs/uploads/?mount={}&from=app", "/v2/app/blobs/uploads/?mount=sha256:" + "0" * 64 + "&from={}", "/v2/_catalog?last={}", "/v2/app/tags/list?last={}",
    "/v2/_catalog?n={}", "/v2/app/referrers/sha256:" + "0" * 64 + "?artifactType={}", "/v2/app/manifests/sha256:" + "0" * 64 + "?tag={}", "/?Action={}",
    "/v2/app/blobs/uploads/?digest-algorithm={}",
]


def test_in_a_parameter(berth, guarded):
    token = f"Authorization: {basic(berth.token)}"
    for target, trick in itertools.product(QUERIES, TRICKS):
        method = "POST" if "uploads" in target else "PUT" if "tag=" in target else "GET"
        for form in forms(trick):
            c = Client(berth)
            c.ask(method, target.format(form.replace("&", "%26").replace("#", "%23")), token, "Content-Length: 0", "Connection: close")
            guarded((target, form), c.hear())
            c.close()


CALLS = [
    ("DescribeImages", "repositoryName", {}), ("DeleteRepository", "repositoryName", {"force": True}), ("CreateRepository", "repositoryName", {}),
    ("BatchDeleteImage", "imageIds", lambda t: {"repositoryName": "app", "imageIds": [{"imageTag": t}, {"imageDigest": t}]}),
    ("GetDownloadUrlForLayer", "layerDigest", {"repositoryName": "app"}), ("CompleteLayerUpload", "uploadId", {"repositoryName": "app", "layerDigests": ["sha256:" + "0" * 64]}),
    ("UploadLayerPart", "uploadId", {"repositoryName": "app", "partFirstByte": 0, "partLastByte": 0, "layerPartBlob": "eA=="}),
    ("PutImage", "imageTag", {"repositoryName": "app", "imageManifest": manifest(b"{}", []).decode()}), ("DescribeRepositories", "nextToken", {}),
    ("DescribeRepositories", "registryId", {}), ("PutLifecyclePolicy", "lifecyclePolicyText", {"repositoryName": "app"}),
    ("SetRepositoryPolicy", "policyText", {"repositoryName": "app"}), ("TagResource", "resourceArn", {"tags": [{"Key": "a", "Value": "b"}]}),
    ("CreateRepositoryCreationTemplate", "prefix", {"appliedFor": ["CREATE_ON_PUSH"]}), ("PutAccountSetting", "name", {"value": "ENABLED"}),
]


def test_in_a_member_of_a_call(berth, guarded):
    http = berth.http(auth=False)
    for (operation, member, rest), trick in itertools.product(CALLS, TRICKS):
        body = json.dumps(rest(trick) if callable(rest) else {**rest, member: trick}).encode()
        r = http.post("/", body, headers=sign(berth, body, operation))
        guarded((operation, member, trick), f"HTTP/1.1 {r.status} \r\n{r.headers}\r\n\r\n".encode("utf-8", "replace") + r.body)


def test_in_the_host_and_other_headers(berth, guarded):
    """What a header says goes into answers (the challenge) only in a form that cannot end it, and never into Location."""
    for trick in [t for t in TRICKS if t.isascii() and not any(c in t for c in "\r\n\0")]:
        for name in ("Host", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Range", "Content-Range", "If-None-Match", "If-Range", "Accept", "Content-Type", "X-Amz-Target"):
            c = Client(berth)
            lines = ["POST /v2/app/blobs/uploads/ HTTP/1.1", f"{name}: {trick}", "Content-Length: 0", "Connection: close"]
            lines += [f"Authorization: {basic(berth.token)}"] + ([] if name == "Host" else ["Host: h"])
            c.say("\r\n".join(lines).encode() + b"\r\n\r\n")
            answer = c.hear()
            guarded(trick, answer)
            c.close()
            where = [x for x in answer.split(b"\r\n\r\n")[0].split(b"\r\n") if x.lower().startswith(b"location:")]
            assert all(x.startswith(b"Location: /v2/app/blobs/uploads/") for x in where), where


def test_a_layer_s_media_type_and_annotations_are_only_text(berth, guarded):
    oci = berth.oci()
    data = blob("names", 3000)
    for i, trick in enumerate(t for t in TRICKS if "\ud800" not in t and len(t) < 200):
        m = json.dumps({
            "schemaVersion": 2, "mediaType": IMAGE, "config": {"mediaType": trick or "x", "digest": sha256(data), "size": len(data)},
            "layers": [{"mediaType": "application/x", "digest": sha256(data), "size": len(data), "urls": [trick], "annotations": {"org.opencontainers.image.title": trick}}],
        }).encode()
        r = oci.http.put(f"/v2/app/manifests/{sha256(m)}", m, headers={"Content-Type": IMAGE})
        assert r.status in (201, 400), r
        if r.status == 201:
            assert oci.get_manifest("app", sha256(m)) == m
            assert oci.http.delete(f"/v2/app/manifests/{sha256(m)}").status == 202


def test_nothing_in_a_token_is_trusted_as_a_name(berth, guarded):
    for trick in TRICKS:
        for text in (f"AWS:{trick}", f"{trick}:x", trick):
            c = Client(berth)
            c.ask("GET", "/v2/", "Authorization: Basic " + base64.b64encode(text.encode("utf-8", "surrogatepass")).decode(), "Connection: close")
            assert guarded(trick, c.hear()) in (400, 401)
            c.close()
        c = Client(berth)
        c.ask("GET", "/v2/", "Authorization: Bearer " + quote(trick.replace("\ud800", "x")), "Connection: close")
        assert guarded(trick, c.hear()) in (400, 401)
        c.close()
