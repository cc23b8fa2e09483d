"""Layers over /v2/: conditions, ranges, and signed URLs that plain HTTP clients can use."""

import re
import time

import pytest

from harness.http import Http
from harness.oci import blob, sha256

DATA = blob("ranges", 100_000)
DIGEST = sha256(DATA)


@pytest.fixture(autouse=True)
def layer(berth, oci):
    berth.create("app", "team/app")
    oci.push_blob("app", DATA)
    oci.push_blob("team/app", DATA)


def test_get_and_head_say_the_same(http):
    got, head = http.get(f"/v2/app/blobs/{DIGEST}"), http.head(f"/v2/app/blobs/{DIGEST}")
    assert (got.status, got.body) == (200, DATA)
    assert (head.status, head.body) == (200, b"")
    for r in (got, head):
        assert r["Docker-Content-Digest"] == DIGEST
        assert r["ETag"] == f'"{DIGEST}"'
        assert r["Content-Length"] == str(len(DATA))
        assert r["Content-Type"] == "application/octet-stream"
        assert r["Accept-Ranges"] == "bytes"
        assert "immutable" in r["Cache-Control"] and "private" in r["Cache-Control"]


def test_conditions_are_honored(http):
    for method in ("GET", "HEAD"):
        r = http.request(method, f"/v2/app/blobs/{DIGEST}", headers={"If-None-Match": f'"{DIGEST}"'})
        assert (r.status, r.body) == (304, b"")
        assert http.request(method, f"/v2/app/blobs/{DIGEST}", headers={"If-Match": '"other"'}).status == 412


def test_several_ranges_come_as_parts(http):
    r = http.get(f"/v2/app/blobs/{DIGEST}", headers={"Range": "bytes=0-9,50-59,-10"})
    assert r.status == 206
    boundary = re.fullmatch(r"multipart/byteranges; boundary=(\S+)", r["Content-Type"])[1].strip('"').encode()
    parts = [p.split(b"\r\n\r\n", 1) for p in r.body.split(b"--" + boundary)[1:-1]]
    assert [p[1].removesuffix(b"\r\n") for p in parts] == [DATA[:10], DATA[50:60], DATA[-10:]]


def test_a_layer_that_is_not_there_is_404(http):
    for digest in (sha256(b"other"), sha256(b"")):
        r = http.get(f"/v2/app/blobs/{digest}")
        assert (r.status, r.codes()) == (404, ["BLOB_UNKNOWN"])
    r = http.get("/v2/app/blobs/sha256:baddigeststring")
    assert (r.status, r.codes()) == (400, ["DIGEST_INVALID"])


def test_a_deleted_layer_is_gone_here_only(http, oci):
    oci.delete_blob("app", DIGEST)
    assert http.head(f"/v2/app/blobs/{DIGEST}").status == 404
    assert http.delete(f"/v2/app/blobs/{DIGEST}").codes() == ["BLOB_UNKNOWN"]
    assert oci.get_blob("team/app", DIGEST) == DATA


class TestSignedUrls:
    @pytest.fixture
    def url(self, berth, oci):
        oci.push_image("team/app", "v1", [DATA])
        return berth.client("ecr").get_download_url_for_layer(repositoryName="team/app", layerDigest=DIGEST)["downloadUrl"]

    def path(self, berth, url):
        assert url.startswith(berth.url + "/layers/")
        return url.removeprefix(berth.url)

    def test_anyone_who_has_one_can_read(self, berth, url):
        http, path = Http(berth.port), self.path(berth, url)
        assert http.get(path).body == DATA
        assert http.get(path.replace("sha256:", "sha256%3A")).body == DATA
        assert http.head(path)["Content-Length"] == str(len(DATA))
        assert http.get(path, headers={"Range": "bytes=5-9"}).body == DATA[5:10]
        assert http.put(path, b"x").status == 405
        http.close()

    def test_none_of_it_can_be_changed(self, berth, url):
        http, path = Http(berth.port), self.path(berth, url)
        _, _, account, region, expires, signature, digest, name = path.split("/", 7)
        assert name == "team/app"
        assert abs(int(expires) - time.time()) < 100_000
        other = "0" if signature[0] != "0" else "1"
        for parts in (
            ("999999999999", region, expires, signature, digest, name), (account, "eu-west-9", expires, signature, digest, name),
            (account, region, str(int(expires) + 1), signature, digest, name), (account, region, expires, other + signature[1:], digest, name),
            (account, region, expires, signature, sha256(b"x"), name), (account, region, expires, signature, digest, "app"),
            (account, region, expires, "", digest, name), (account, region, expires, signature, digest, ""), (account, region, "", signature, digest, name),
        ):
            r = http.get("/layers/" + "/".join(parts))
            assert (r.status, r.codes()) == (403, ["DENIED"]), parts
        assert http.get("/layers/").status == 403
        http.close()

    def test_a_deleted_repository_has_no_layers_to_read(self, berth, url):
        berth.client("ecr").delete_repository(repositoryName="team/app", force=True)
        http = Http(berth.port)
        assert http.get(self.path(berth, url)).status == 404
        http.close()
