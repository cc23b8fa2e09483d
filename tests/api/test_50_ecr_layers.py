"""Layers through the ECR API: uploads in parts, availability, download URLs."""

import json
import random
import subprocess
import uuid

import pytest
from botocore.exceptions import ClientError

from harness.oci import blob, manifest, sha256, sha512
from test_50_ecr_repositories import refused

PART = 5 << 20


class Layers:
    def __init__(self, berth, name="app"):
        self.name, self.account, self.ecr = name, berth.account, berth.client("ecr")
        self.ecr.create_repository(repositoryName=name)

    def start(self):
        r = self.ecr.initiate_layer_upload(repositoryName=self.name)
        assert r["partSize"] == 10485760
        assert str(uuid.UUID(r["uploadId"])) == r["uploadId"]
        return r["uploadId"]

    def part(self, id, first, data, last=None):
        return self.ecr.upload_layer_part(
            repositoryName=self.name, uploadId=id, partFirstByte=first, partLastByte=first + len(data) - 1 if last is None else last, layerPartBlob=data,
        )

    def complete(self, id, *digests):
        return self.ecr.complete_layer_upload(repositoryName=self.name, uploadId=id, layerDigests=list(digests))

    def push(self, data):
        id = self.start()
        self.part(id, 0, data)
        return self.complete(id, sha256(data))["layerDigest"]

    def available(self, *digests):
        return self.ecr.batch_check_layer_availability(repositoryName=self.name, layerDigests=list(digests))


@pytest.fixture
def layers(berth):
    return Layers(berth)


def refused_part(layers, *args, **kw):
    with pytest.raises(ClientError) as e:
        layers.part(*args, **kw)
    r = e.value.response
    assert r["Error"]["Code"] == "InvalidLayerPartException", r
    return r


def test_a_layer_is_uploaded_in_one_part(layers):
    data = blob("one")
    id = layers.start()
    r = layers.part(id, 0, data)
    r.pop("ResponseMetadata")
    assert r == {"registryId": layers.account, "repositoryName": "app", "uploadId": id, "lastByteReceived": len(data) - 1}
    r = layers.complete(id, sha256(data))
    r.pop("ResponseMetadata")
    assert r == {"registryId": layers.account, "repositoryName": "app", "uploadId": id, "layerDigest": sha256(data)}
    assert layers.available(sha256(data))["layers"] == [
        {"layerDigest": sha256(data), "layerAvailability": "AVAILABLE", "layerSize": len(data)}
    ]


def test_a_layer_is_uploaded_in_parts_and_read_back_whole(berth, layers, oci):
    data = random.Random(1).randbytes(2 * PART + 12345)
    id = layers.start()
    for at in range(0, len(data), PART):
        assert layers.part(id, at, data[at:at + PART])["lastByteReceived"] == min(at + PART, len(data)) - 1
    layers.complete(id, sha256(data))
    assert oci.get_blob("app", sha256(data)) == data


@pytest.mark.slow
def test_a_part_of_twenty_mebibytes_is_the_largest(layers):
    data = random.Random(2).randbytes(20 << 20)
    id = layers.start()
    layers.part(id, 0, data)
    with pytest.raises(ClientError) as e:
        layers.part(id, len(data), data + b"x")
    assert e.value.response["Error"]["Code"] == "InvalidParameterException"
    assert layers.complete(id, sha256(data))["layerDigest"] == sha256(data)


def test_an_upload_is_continued_after_a_restart(berth, layers):
    data = random.Random(3).randbytes(PART + 100)
    id = layers.start()
    layers.part(id, 0, data[:PART])
    berth.restart()
    layers.ecr = berth.client("ecr")
    layers.part(id, PART, data[PART:])
    assert layers.complete(id, sha256(data))["layerDigest"] == sha256(data)


def test_a_part_out_of_order_is_told_where_to_go_on(layers):
    data = blob("parts", 3000)
    id = layers.start()
    r = refused_part(layers, id, 5, data)
    assert r["Error"]["Message"] == "First byte of the layer part is 5 instead of 0"
    assert (r["registryId"], r["repositoryName"], r["uploadId"]) == (layers.account, "app", id)
    assert "lastValidByteReceived" not in r
    layers.part(id, 0, data[:1000])
    for first in (0, 999, 1001, 5000):
        r = refused_part(layers, id, first, data)
        assert r["Error"]["Message"] == f"First byte of the layer part is {first} instead of 1000"
        assert r["lastValidByteReceived"] == 999
    for last in (1000, 1500, 5000, 0):
        assert refused_part(layers, id, 1000, data, last=last)["lastValidByteReceived"] == 999


def test_a_short_part_in_the_middle_is_found_at_the_end(layers):
    data = blob("short", 3000)
    id = layers.start()
    layers.part(id, 0, data[:1000])
    layers.part(id, 1000, data[1000:])
    refused("LayerPartTooSmallException", layers.ecr.complete_layer_upload, repositoryName="app", uploadId=id, layerDigests=[sha256(data)])


def test_an_upload_without_parts_is_empty(layers):
    id = layers.start()
    refused("EmptyUploadException", layers.ecr.complete_layer_upload, repositoryName="app", uploadId=id, layerDigests=[sha256(b"")])


def test_a_wrong_digest_keeps_the_session(layers):
    data = blob("right")
    id = layers.start()
    layers.part(id, 0, data)
    for wrong in (sha256(b"wrong"), sha512(b"wrong"), "md5:" + "0" * 32):
        refused("InvalidLayerException", layers.ecr.complete_layer_upload, repositoryName="app", uploadId=id, layerDigests=[wrong])
    assert layers.complete(id, sha256(b"wrong"), sha512(data), sha256(data))["layerDigest"] == sha256(data)


def test_a_layer_may_be_named_by_sha512(layers):
    data = blob("long name")
    id = layers.start()
    layers.part(id, 0, data)
    assert layers.complete(id, sha512(data))["layerDigest"] == sha512(data)
    assert [x["layerAvailability"] for x in layers.available(sha512(data), sha256(data))["layers"]] == ["AVAILABLE", "UNAVAILABLE"]


def test_a_layer_that_is_there_already_exists(layers):
    data = blob("twice")
    layers.push(data)
    id = layers.start()
    layers.part(id, 0, data)
    text = refused("LayerAlreadyExistsException", layers.ecr.complete_layer_upload, repositoryName="app", uploadId=id, layerDigests=[sha256(data)])
    assert text == f"The layer with digest '{sha256(data)}' already exists in the repository with name 'app' in registry with id '{layers.account}'"
    refused("UploadNotFoundException", layers.ecr.complete_layer_upload, repositoryName="app", uploadId=id, layerDigests=[sha256(data)])


def test_unknown_uploads(berth, layers):
    id = str(uuid.uuid4())
    data = blob("x")
    part = dict(repositoryName="app", uploadId=id, partFirstByte=0, partLastByte=len(data) - 1, layerPartBlob=data)
    refused("UploadNotFoundException", layers.ecr.upload_layer_part, **part)
    refused("UploadNotFoundException", layers.ecr.complete_layer_upload, repositoryName="app", uploadId=id, layerDigests=[sha256(data)])
    refused("InvalidParameterException", layers.ecr.upload_layer_part, **dict(part, uploadId="nonsense"))
    other = Layers(berth, "other")
    mine = layers.start()
    refused("UploadNotFoundException", other.ecr.upload_layer_part, **dict(part, repositoryName="other", uploadId=mine))


def test_availability_of_what_is_there_what_is_not_and_what_cannot_be(layers):
    data = blob("here")
    layers.push(data)
    zero = "sha256:" + "0" * 64
    r = layers.available(sha256(data), zero, "md5:00", "nonsense", "")
    assert r["layers"] == [
        {"layerDigest": sha256(data), "layerAvailability": "AVAILABLE", "layerSize": len(data)},
        {"layerDigest": zero, "layerAvailability": "UNAVAILABLE"},
        {"layerDigest": "md5:00", "layerAvailability": "UNAVAILABLE"},
    ]
    assert [(f["layerDigest"], f["failureCode"]) for f in r["failures"]] == [("nonsense", "InvalidLayerDigest"), ("", "MissingLayerDigest")]
    assert all(f["failureReason"] for f in r["failures"])
    assert len(layers.available(*["sha256:%064x" % i for i in range(100)])["layers"]) == 100


def test_a_layer_is_not_seen_from_another_repository(berth, layers):
    data = blob("mine")
    layers.push(data)
    assert Layers(berth, "other").available(sha256(data))["layers"] == [{"layerDigest": sha256(data), "layerAvailability": "UNAVAILABLE"}]


def test_a_download_url_works_with_plain_curl(berth, layers, scratch):
    data, config = blob("download", 100_000), b"{}"
    layers.push(data)
    layers.push(config)
    text = refused("LayerInaccessibleException", layers.ecr.get_download_url_for_layer, repositoryName="app", layerDigest=sha256(data))
    assert "not associated with an image" in text
    layers.ecr.put_image(repositoryName="app", imageManifest=manifest(config, [data]).decode(), imageTag="v1")
    r = layers.ecr.get_download_url_for_layer(repositoryName="app", layerDigest=sha256(data))
    assert r["layerDigest"] == sha256(data)
    assert r["downloadUrl"].startswith(berth.url + "/")
    subprocess.run(["curl", "-sSf", "--noproxy", "*", "-o", scratch / "got", r["downloadUrl"]], check=True, timeout=60)
    assert (scratch / "got").read_bytes() == data
    tampered = r["downloadUrl"].replace(sha256(data), sha256(config))
    assert berth.http(auth=False).get(tampered).status == 403


def test_unknown_layers_have_no_download_url(layers):
    for digest in ("sha256:" + "0" * 64, "md5:00"):
        text = refused("LayersNotFoundException", layers.ecr.get_download_url_for_layer, repositoryName="app", layerDigest=digest)
        assert digest in text
    refused("InvalidParameterException", layers.ecr.get_download_url_for_layer, repositoryName="app", layerDigest="nonsense")


def test_an_image_pushed_by_the_api_is_pulled_over_v2_and_the_other_way_round(berth, layers, oci):
    data, config = blob("both ways", 50_000), json.dumps({"architecture": "amd64", "os": "linux"}).encode()
    layers.push(data)
    layers.push(config)
    layers.ecr.put_image(repositoryName="app", imageManifest=manifest(config, [data]).decode(), imageTag="api")
    assert oci.check_image("app", "api") == len(data) + len(config)
    digest, text = oci.push_image("app", "v2", [blob("other")])
    [image] = layers.ecr.batch_get_image(repositoryName="app", imageIds=[{"imageTag": "v2"}])["images"]
    assert image["imageManifest"].encode() == text and image["imageId"]["imageDigest"] == digest
