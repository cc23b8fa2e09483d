"""The AWS CLI drives every operation once, as scripts do."""

import base64
import json
import time

from harness.oci import INDEX, blob, descriptor, manifest, sha256


def test_every_operation_by_the_aws_cli(berth, aws, scratch):
    ecr = lambda *args: aws("ecr", *args)
    made = ecr("create-repository", "--repository-name", "team/app", "--tags", "Key=env,Value=dev", "--image-tag-mutability", "IMMUTABLE")["repository"]
    assert abs(made["createdAt"] - time.time()) < 300
    assert [r["repositoryName"] for r in ecr("describe-repositories")["repositories"]] == ["team/app"]
    arn = made["repositoryArn"]
    ecr("tag-resource", "--resource-arn", arn, "--tags", "Key=team,Value=blue")
    ecr("untag-resource", "--resource-arn", arn, "--tag-keys", "env")
    assert ecr("list-tags-for-resource", "--resource-arn", arn)["tags"] == [{"Key": "team", "Value": "blue"}]
    assert ecr("get-account-setting", "--name", "BLOB_MOUNTING") == {"name": "BLOB_MOUNTING", "value": "ENABLED"}
    assert ecr("put-account-setting", "--name", "BLOB_MOUNTING", "--value", "DISABLED")["value"] == "DISABLED"
    password = ecr("get-login-password").strip()
    assert berth.http(auth=False).get("/v2/", headers={"Authorization": "Basic " + base64.b64encode(f"AWS:{password}".encode()).decode()}).status == 200
    assert ecr("get-authorization-token")["authorizationData"][0]["proxyEndpoint"] == berth.url
    repo = ("--repository-name", "team/app")
    mutability = ecr("put-image-tag-mutability", *repo, "--image-tag-mutability", "MUTABLE")
    assert mutability["imageTagMutability"] == "MUTABLE"

    layers = {}
    for name, data in (("config", b"{}"), ("layer", blob("cli", 3000))):
        (scratch / name).write_bytes(data)
        upload = ecr("initiate-layer-upload", *repo)["uploadId"]
        part = ecr(
            "upload-layer-part", *repo, "--upload-id", upload, "--part-first-byte", "0", "--part-last-byte", str(len(data) - 1),
            "--layer-part-blob", f"fileb://{scratch / name}",
        )
        assert part["lastByteReceived"] == len(data) - 1
        assert ecr("complete-layer-upload", *repo, "--upload-id", upload, "--layer-digests", sha256(data))["layerDigest"] == sha256(data)
        layers[name] = data
    found = ecr("batch-check-layer-availability", *repo, "--layer-digests", sha256(layers["layer"]), "sha256:" + "0" * 64)
    assert [x["layerAvailability"] for x in found["layers"]] == ["AVAILABLE", "UNAVAILABLE"]

    text = manifest(layers["config"], [layers["layer"]])
    (scratch / "manifest").write_bytes(text)
    image = ecr("put-image", *repo, "--image-tag", "v1", "--image-manifest", f"file://{scratch / 'manifest'}")["image"]
    assert image["imageId"] == {"imageDigest": sha256(text), "imageTag": "v1"}
    # Retagging as AWS's guide does it.
    again = ecr("batch-get-image", *repo, "--image-ids", "imageTag=v1", "--query", "images[0].imageManifest")
    (scratch / "again").write_text(again if isinstance(again, str) else json.dumps(again))
    assert again.encode() == text
    ecr("put-image", *repo, "--image-tag", "v2", "--image-manifest", f"file://{scratch / 'again'}")
    assert sorted(i["imageTag"] for i in ecr("list-images", *repo)["imageIds"]) == ["v1", "v2"]
    [detail] = ecr("describe-images", *repo, "--image-ids", "imageTag=v2")["imageDetails"]
    assert sorted(detail["imageTags"]) == ["v1", "v2"] and abs(detail["imagePushedAt"] - time.time()) < 300
    assert ecr("get-download-url-for-layer", *repo, "--layer-digest", sha256(layers["layer"]))["downloadUrl"].startswith(berth.url)

    index = json.dumps({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "artifactType": "application/sbom",
        "subject": descriptor(text, "application/vnd.oci.image.manifest.v1+json"),
    })
    ecr("put-image", *repo, "--image-manifest", index)
    [referrer] = ecr("list-image-referrers", *repo, "--subject-id", f"imageDigest={sha256(text)}")["referrers"]
    assert referrer["digest"] == sha256(index.encode()) and referrer["artifactType"] == "application/sbom"

    assert ecr("list-images", *repo, "--max-items", "1")["NextToken"]
    gone = ecr("batch-delete-image", *repo, "--image-ids", "imageTag=v1", "imageTag=v3")
    assert gone["imageIds"] == [{"imageDigest": sha256(text), "imageTag": "v1"}]
    assert gone["failures"][0]["failureCode"] == "ImageNotFound"
    refused = aws("ecr", "delete-repository", *repo, check=False)
    assert refused.returncode and "RepositoryNotEmptyException" in refused.stdout
    assert ecr("delete-repository", *repo, "--force")["repository"]["repositoryArn"] == arn
    refused = aws("ecr", "describe-images", *repo, check=False)
    assert refused.returncode and (
        "An error occurred (RepositoryNotFoundException) when calling the DescribeImages operation: "
        f"The repository with name 'team/app' does not exist in the registry with id '{berth.account}'"
    ) in refused.stdout
