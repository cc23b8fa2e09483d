"""Manifests over /v2/: what is stored is what is sent; tags, conditions, limits, and the refusals' words."""

import json

import pytest

from harness.oci import CONFIG, DOCKER, IMAGE, INDEX, LAYER, blob, descriptor, expect, manifest, sha256, sha512

EMPTY = b"{}"


@pytest.fixture(autouse=True)
def repository(berth):
    berth.create("app")


def image(oci, n=0, repo="app", **more):
    """Pushes the blobs of an image; returns the manifest's bytes."""
    layer = blob(f"image{n}")
    oci.push_blob(repo, layer)
    oci.push_blob(repo, EMPTY)
    return manifest(EMPTY, [layer], **more)


def index(*children, **more):
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor(c, IMAGE) for c in children], **more}).encode()


def put(http, reference, data, media_type=IMAGE, query=""):
    return http.put(f"/v2/app/manifests/{reference}{query}", data, headers={"Content-Type": media_type} if media_type else {})


def message(r):
    return r.json()["errors"][0]["message"]


def test_exact_bytes_and_type_come_back(http, oci):
    data = image(oci).replace(b" ", b"   ") + b"\n"
    r = expect(put(http, "v1", data), 201)
    assert (r["Location"], r["Docker-Content-Digest"]) == (f"/v2/app/manifests/{sha256(data)}", sha256(data))
    for reference in ("v1", sha256(data), sha256(data).replace(":", "%3A")):
        r = http.get(f"/v2/app/manifests/{reference}")
        assert (r.status, r.body, r["Content-Type"], r["Docker-Content-Digest"]) == (200, data, IMAGE, sha256(data))
        h = http.head(f"/v2/app/manifests/{reference}")
        assert (h.status, h.body, h["Content-Length"], h["Content-Type"], h["ETag"]) == (200, b"", str(len(data)), IMAGE, f'"{sha256(data)}"')


@pytest.mark.parametrize("accept", [DOCKER, INDEX, "text/html", "*/*", "application/vnd.oci.image.manifest.v1+json;q=0", ""])
def test_accept_neither_converts_nor_refuses(http, oci, accept):
    data = image(oci)
    expect(put(http, "v1", data), 201)
    for reference in ("v1", sha256(data)):
        r = http.get(f"/v2/app/manifests/{reference}", headers={"Accept": accept})
        assert (r.status, r.body, r["Content-Type"]) == (200, data, IMAGE)


def test_a_manifest_that_the_client_has_is_not_sent_again(http, oci):
    data = image(oci)
    expect(put(http, "v1", data), 201)
    for method in ("GET", "HEAD"):
        for value in (f'"{sha256(data)}"', f'W/"{sha256(data)}"', f'"x", "{sha256(data)}"', "*"):
            r = http.request(method, "/v2/app/manifests/v1", headers={"If-None-Match": value})
            assert (r.status, r.body, r["ETag"]) == (304, b"", f'"{sha256(data)}"')
        assert http.request(method, "/v2/app/manifests/v1", headers={"If-None-Match": '"other"'}).status == 200


def test_a_push_by_digest_sets_the_tags_of_its_query(http, oci):
    data = image(oci)
    tags = [f"t{i}" for i in range(100)]
    r = expect(put(http, sha256(data), data, query="?" + "&".join(f"tag={t}" for t in [*tags, "t0"])), 201)
    assert [t.strip() for t in r["OCI-Tag"].split(",")] == tags
    assert oci.tags("app") == sorted(tags)
    r = put(http, sha256(data), data, query="?" + "&".join(f"tag=u{i}" for i in range(101)))
    assert (r.status, r.codes()) == (414, ["UNSUPPORTED"])
    r = put(http, sha256(data), data, query="?tag=good&tag=-bad")
    assert r.status == 400
    assert "good" not in oci.tags("app")  # all or none
    r = expect(put(http, "by-tag", data, query="?tag=ignored"), 201)
    assert r["OCI-Tag"] is None and "ignored" not in oci.tags("app")


def test_the_digest_of_a_push_must_be_that_of_its_bytes(http, oci):
    data = image(oci)
    r = put(http, sha256(data + b" "), data)
    assert (r.status, r.codes()) == (400, ["DIGEST_INVALID"])
    expect(put(http, sha512(data), data), 201)
    assert http.get(f"/v2/app/manifests/{sha512(data)}")["Docker-Content-Digest"] == sha512(data)


@pytest.mark.parametrize("reference", ["-x", ".x", "a" * 129, "a+b", "a%20b", "%C3%A4"])
def test_a_tag_that_breaks_the_grammar_is_refused(http, oci, reference):
    data = image(oci)
    r = put(http, reference, data)
    assert (r.status, r.codes()) == (400, ["TAG_INVALID"])
    assert http.get(f"/v2/app/manifests/{reference}").status in (400, 404)


@pytest.mark.parametrize("reference", ["sha256:x", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:" + "A" * 64, ":"])
def test_a_digest_that_is_none_is_refused(http, oci, reference):
    assert put(http, reference, image(oci)).status == 400
    for method in ("GET", "DELETE"):
        r = http.request(method, f"/v2/app/manifests/{reference}")
        assert (r.status, r.codes()) == (400, ["DIGEST_INVALID"])


def test_missing_layers_are_named_in_ecrs_words(berth, http, oci):
    missing = blob("missing")
    oci.push_blob("app", EMPTY)
    r = put(http, "v1", manifest(EMPTY, [missing]))
    assert (r.status, r.codes()) == (404, ["MANIFEST_BLOB_UNKNOWN"])
    assert message(r) == (
        f"Layers with digests '[{sha256(missing)}]' required for pushing image into repository with name 'app' "
        f"in the registry with id '{berth.account}' do not exist"
    )
    assert oci.tags("app") == []


def test_missing_images_of_an_index_are_named_in_ecrs_words(berth, http, oci):
    data = image(oci)
    r = put(http, "v1", index(data), INDEX)
    assert (r.status, r.codes()) == (404, ["MANIFEST_BLOB_UNKNOWN"])
    assert message(r).startswith(f"Images with digests '[{sha256(data)}]' required for pushing image into repository with name 'app'")
    expect(put(http, sha256(data), data), 201)
    expect(put(http, "v1", index(data), INDEX), 201)


@pytest.mark.parametrize("body", [b"", b"x", b"{", b"[]", b"null", b'"x"', b"{}", b"\xff\xfe", b'{"schemaVersion": 1}', b'{"schemaVersion": 2, "layers": 7}'])
def test_what_is_no_manifest_is_refused(http, body):
    r = put(http, "v1", body)
    assert (r.status, r.codes()) == (400, ["MANIFEST_INVALID"]), r
    assert message(r).startswith("Invalid parameter at 'ImageManifest' failed to satisfy constraint: ")


def test_four_mebibytes_are_the_limit(http, oci):
    layer = blob("image0")
    data = image(oci, annotations={"x": ""})
    fits = image(oci, annotations={"x": "a" * (4194304 - len(data))})
    assert len(fits) == 4194304
    r = expect(put(http, "big", fits), 201)
    assert http.get("/v2/app/manifests/big").body == fits
    r = put(http, "bigger", fits + b"\n")
    assert (r.status, r.codes()) == (413, ["SIZE_INVALID"])
    r = http.put("/v2/app/manifests/bigger", iter([fits, b"\n"]), headers={"Content-Type": IMAGE})
    assert (r.status, r.codes()) == (413, ["SIZE_INVALID"])
    assert oci.tags("app") == ["big"]
    assert oci.has_blob("app", sha256(layer))


def test_an_immutable_tag_stays(berth, http, oci):
    berth.client("ecr").put_image_tag_mutability(repositoryName="app", imageTagMutability="IMMUTABLE")
    one, two = image(oci, 1), image(oci, 2)
    expect(put(http, "v1", one), 201)
    r = put(http, "v1", two)
    assert (r.status, r.codes()) == (400, ["TAG_INVALID"])
    assert message(r) == "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable." or message(r).startswith(
        "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the ")
    assert oci.get_manifest("app", "v1") == one
    expect(put(http, "v2", two), 201)
    expect(put(http, "v1", one), 201)  # the same again changes nothing


def test_deleting_a_tag_only_untags(http, oci):
    data = image(oci)
    expect(put(http, "v1", data), 201)
    expect(put(http, "v2", data), 201)
    oci.delete_manifest("app", "v1")
    assert oci.tags("app") == ["v2"]
    oci.delete_manifest("app", "v2")
    assert oci.tags("app") == []
    assert oci.get_manifest("app", sha256(data)) == data
    r = http.delete("/v2/app/manifests/v2")
    assert (r.status, r.codes(), message(r)) == (404, ["MANIFEST_UNKNOWN"], "Requested image not found")
    oci.delete_manifest("app", sha256(data))
    assert http.get(f"/v2/app/manifests/{sha256(data)}").codes() == ["MANIFEST_UNKNOWN"]


def test_an_image_that_an_index_needs_is_not_deleted(http, oci):
    child = image(oci)
    expect(put(http, sha256(child), child), 201)
    data = index(child)
    expect(put(http, "v1", data, INDEX), 201)
    r = http.delete(f"/v2/app/manifests/{sha256(child)}")
    assert (r.status, r.codes(), message(r)) == (405, ["UNSUPPORTED"], f"Requested image referenced by manifest list: [{sha256(data)}]")
    oci.delete_manifest("app", sha256(data))
    oci.delete_manifest("app", sha256(child))


def test_a_layer_that_an_image_needs_is_not_deleted(http, oci):
    data = image(oci)
    layer = json.loads(data)["layers"][0]["digest"]
    expect(put(http, "v1", data), 201)
    r = http.delete(f"/v2/app/blobs/{layer}")
    assert (r.status, r.codes()) == (405, ["UNSUPPORTED"])
    oci.check_image("app", "v1")


@pytest.mark.parametrize("media_type", [DOCKER, "application/vnd.example+json"])
def test_other_media_types_are_kept(http, oci, media_type):
    data = image(oci, media_type=media_type)
    expect(put(http, "v1", data, media_type), 201)
    assert http.get("/v2/app/manifests/v1")["Content-Type"] == media_type


def test_a_manifest_without_a_media_type_has_that_of_the_request(http, oci):
    m = json.loads(image(oci))
    del m["mediaType"]
    data = json.dumps(m).encode()
    expect(put(http, "v1", data), 201)
    assert http.get("/v2/app/manifests/v1")["Content-Type"] == IMAGE


def test_the_subject_is_told(http, oci):
    data = image(oci, subject={"mediaType": IMAGE, "digest": sha256(b"subject"), "size": 7})
    for reference in ("v1", sha256(data)):
        r = expect(put(http, reference, data), 201)
        assert r["OCI-Subject"] == sha256(b"subject")
    assert expect(put(http, "v2", image(oci)), 201)["OCI-Subject"] is None


def test_foreign_layers_may_be_absent(http, oci):
    foreign = descriptor(b"far away", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", urls=["https://example.com/x"])
    oci.push_blob("app", EMPTY)
    data = json.dumps({"schemaVersion": 2, "mediaType": IMAGE, "config": descriptor(EMPTY, CONFIG), "layers": [foreign]}).encode()
    expect(put(http, "v1", data), 201)
    assert LAYER != foreign["mediaType"]
