// Calls every operation that Berth has with the AWS SDK for JavaScript, and prints how many calls and refusals it saw.
// Endpoint, Region and credentials come from the environment, as for any program that uses the SDK.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as ecr from "@aws-sdk/client-ecr";

const client = new ecr.ECRClient({ maxAttempts: 1 });
const used = new Set();
let refusals = 0;

async function call(operation, input = {}) {
  used.add(operation);
  return client.send(new ecr[`${operation}Command`](input));
}

async function refuse(exception, operation, input = {}) {
  await assert.rejects(call(operation, input), (e) => {
    assert.equal(e.name, exception);
    assert.ok(e.message, "a sentence");
    assert.ok(e.$metadata.requestId, "a request id");
    if (ecr[exception]) assert.ok(e instanceof ecr[exception], "a modelled exception");
    return true;
  });
  refusals++;
}

const sha256 = (data) => "sha256:" + createHash("sha256").update(data).digest("hex");
const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const repositoryName = "js/app";

const { repository } = await call("CreateRepository", { repositoryName, tags: [{ Key: "a", Value: "b" }] });
assert.ok(Math.abs(repository.createdAt - Date.now()) < 60_000);
await refuse("RepositoryAlreadyExistsException", "CreateRepository", { repositoryName });
await refuse("InvalidParameterException", "CreateRepository", { repositoryName: "UPPER" });
const described = await call("DescribeRepositories", { repositoryNames: [repositoryName] });
assert.deepEqual(described.repositories, [repository]);

const resourceArn = repository.repositoryArn;
await call("TagResource", { resourceArn, tags: [{ Key: "c", Value: "d" }] });
await call("UntagResource", { resourceArn, tagKeys: ["a"] });
assert.deepEqual((await call("ListTagsForResource", { resourceArn })).tags, [{ Key: "c", Value: "d" }]);

assert.equal((await call("PutAccountSetting", { name: "BLOB_MOUNTING", value: "ENABLED" })).value, "ENABLED");
assert.equal((await call("GetAccountSetting", { name: "BLOB_MOUNTING" })).value, "ENABLED");
const [authorization] = (await call("GetAuthorizationToken")).authorizationData;
assert.ok(authorization.expiresAt - Date.now() > 11 * 3600_000);
const filters = [{ filterType: "WILDCARD", filter: "dev*" }];
const mutability = await call("PutImageTagMutability", {
  repositoryName, imageTagMutability: "IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters: filters,
});
assert.deepEqual(mutability.imageTagMutabilityExclusionFilters, filters);

async function push(data) {
  const { uploadId, partSize } = await call("InitiateLayerUpload", { repositoryName });
  assert.equal(partSize, 10485760);
  const part = { repositoryName, uploadId, partFirstByte: 0, partLastByte: data.length - 1, layerPartBlob: data };
  assert.equal((await call("UploadLayerPart", part)).lastByteReceived, data.length - 1);
  await assert.rejects(call("UploadLayerPart", part), (e) => e instanceof ecr.InvalidLayerPartException && e.lastValidByteReceived === data.length - 1);
  return (await call("CompleteLayerUpload", { repositoryName, uploadId, layerDigests: [sha256(data)] })).layerDigest;
}

const config = Buffer.from("{}"), layer = Buffer.alloc(1_000_000, "layer");
assert.equal(await push(config), sha256(config));
assert.equal(await push(layer), sha256(layer));
const { layers } = await call("BatchCheckLayerAvailability", { repositoryName, layerDigests: [sha256(layer)] });
assert.deepEqual(layers, [{ layerDigest: sha256(layer), layerAvailability: "AVAILABLE", layerSize: layer.length }]);
await refuse("LayerInaccessibleException", "GetDownloadUrlForLayer", { repositoryName, layerDigest: sha256(layer) });

const part = (data, mediaType) => ({ mediaType, digest: sha256(data), size: data.length });
const imageManifest = JSON.stringify({
  schemaVersion: 2, mediaType: IMAGE, config: part(config, "application/vnd.oci.image.config.v1+json"),
  layers: [part(layer, "application/vnd.oci.image.layer.v1.tar")],
});
const { image } = await call("PutImage", { repositoryName, imageManifest, imageTag: "v1" });
assert.equal(image.imageId.imageDigest, sha256(imageManifest));
await refuse("ImageAlreadyExistsException", "PutImage", { repositoryName, imageManifest, imageTag: "v1" });
await refuse("ImageTagAlreadyExistsException", "PutImage", {
  repositoryName, imageManifest: imageManifest.replace("{", "{ "), imageTag: "v1",
});
const referrer = JSON.stringify({
  schemaVersion: 2, mediaType: IMAGE, artifactType: "application/sbom", config: part(config, "application/vnd.oci.empty.v1+json"), layers: [],
  subject: part(Buffer.from(imageManifest), IMAGE), annotations: { by: "js" },
});
await call("PutImage", { repositoryName, imageManifest: referrer });
const { referrers } = await call("ListImageReferrers", { repositoryName, subjectId: { imageDigest: sha256(imageManifest) } });
assert.deepEqual(referrers.map((r) => [r.digest, r.annotations]), [[sha256(referrer), { by: "js" }]]);

const got = await call("BatchGetImage", { repositoryName, imageIds: [{ imageTag: "v1" }, { imageTag: "none" }] });
assert.equal(got.images[0].imageManifest, imageManifest);
assert.equal(got.failures[0].failureCode, "ImageNotFound");
const { downloadUrl } = await call("GetDownloadUrlForLayer", { repositoryName, layerDigest: sha256(layer) });
assert.deepEqual(Buffer.from(await (await fetch(downloadUrl)).arrayBuffer()), layer);

const listed = [];
used.add("ListImages");
for await (const page of ecr.paginateListImages({ client, pageSize: 1 }, { repositoryName })) listed.push(...page.imageIds);
assert.equal(listed.length, 2);
const details = (await call("DescribeImages", { repositoryName })).imageDetails;
assert.equal(details.length, 2);
assert.ok(Math.abs(details[0].imagePushedAt - Date.now()) < 60_000);
await refuse("ImageNotFoundException", "DescribeImages", { repositoryName, imageIds: [{ imageTag: "none" }] });
await refuse("RepositoryNotEmptyException", "DeleteRepository", { repositoryName });
const gone = await call("BatchDeleteImage", { repositoryName, imageIds: listed });
assert.equal(gone.imageIds.length, 2);
await call("DeleteRepository", { repositoryName });
await refuse("RepositoryNotFoundException", "DescribeRepositories", { repositoryNames: [repositoryName] });
await refuse("UnsupportedOperationException", "DescribePullThroughCacheRules");

console.log(JSON.stringify({ operations: [...used].sort(), refusals }));
