import assert from "node:assert/strict";
import test from "node:test";
import { failureWords, plain } from "../src/pure/errors";
import { exclusionProblem, repositoryNameProblem, templatePrefixProblem } from "../src/pure/names";
import { jsonProblem, pretty } from "../src/pure/policy";
import { pushSteps, registryHost, skopeoSteps } from "../src/pure/push";
import { artifact, encryptionType, layerKind, OUTCOMES, poolLabel, shortKey, whyApart } from "../src/pure/words";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/6f5b1d0e-4b3c-4d7e-9a1f-2d3c4b5a6978";

test("every failure is said in words: no code, no JSON", () => {
  const denied = failureWords({
    code: "AccessDeniedException",
    message:
      "User: arn:aws:iam::111122223333:user/eve is not authorized to perform: ecr:DeleteRepository on resource: arn:aws:ecr:eu-west-1:111122223333:repository/app/web because no identity-based policy allows the ecr:DeleteRepository action",
  });
  assert.ok(denied.isDenied);
  assert.equal(
    denied.text,
    "arn:aws:iam::111122223333:user/eve has no permission ecr:DeleteRepository on app/web: no identity-based policy allows the ecr:DeleteRepository action. Ask whoever manages this registry for it.",
  );
  assert.match(failureWords({ code: "NetworkError", message: "" }).text, /still running/);
  assert.match(failureWords(new Error("boom")).text, /boom/);
  for (const code of ["AccessDeniedException", "NetworkError", "SomethingNew"]) {
    const w = failureWords({ code, message: "" });
    assert.ok(w.title && w.text && !(w.title + w.text).includes(code) && !/[{}]/.test(w.text));
  }
});

test("the sentence that helps is taken out of ECR's validation texts", () => {
  assert.equal(plain("Invalid parameter at 'policyText' failed to satisfy constraint: 'Invalid repository policy provided'"), "Invalid repository policy provided");
  assert.equal(plain("Plain."), "Plain.");
});

test("names are checked as ECR checks them", () => {
  for (const good of ["ab", "app/web", "a__b", "a--b/c.d", "0/1"]) assert.equal(repositoryNameProblem(good), undefined, good);
  for (const bad of ["", "a", "App", "a b", "/a", "a/", "a//b", "-ab", "a_-b", "a".repeat(257)]) assert.ok(repositoryNameProblem(bad), bad);
  for (const good of ["latest", "*", "v*.*", "A_b-1"]) assert.equal(exclusionProblem(good), undefined);
  for (const bad of ["", "a/b", "***", "x".repeat(129)]) assert.ok(exclusionProblem(bad), bad);
  for (const good of ["ROOT", "team", "team/", "team/app"]) assert.equal(templatePrefixProblem(good), undefined);
  for (const bad of ["", "/", "Team", "root*"]) assert.ok(templatePrefixProblem(bad), bad);
});

test("a policy that is no JSON object is explained, with its line", () => {
  assert.equal(jsonProblem('{"a": 1}'), undefined);
  assert.match(jsonProblem("")!.message, /empty/);
  assert.match(jsonProblem("[1]")!.message, /JSON object/);
  assert.match(jsonProblem("{\n  \"a\": 1,\n}")!.message, /^Line 3|Not valid/);
  assert.equal(pretty('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(pretty("{"), "{");
});

test("push commands name the right host, and need no more than what they say", () => {
  const target = { uri: "111122223333.dkr.ecr.eu-west-1.example.org:5000/app/web", region: "eu-west-1", endpoint: "http://localhost:5000" };
  assert.equal(registryHost(target.uri), "111122223333.dkr.ecr.eu-west-1.example.org:5000");
  const [login, build, tag, push] = pushSteps(target).map((s) => s.command);
  assert.equal(
    login,
    "aws ecr get-login-password --region eu-west-1 --endpoint-url http://localhost:5000 | docker login --username AWS --password-stdin 111122223333.dkr.ecr.eu-west-1.example.org:5000",
  );
  assert.equal(build, "docker build -t web .");
  assert.equal(tag, `docker tag web:latest ${target.uri}:latest`);
  assert.equal(push, `docker push ${target.uri}:latest`);
  assert.match(skopeoSteps(target)[1]!.command, /--dest-tls-verify=false/);
  assert.doesNotMatch(skopeoSteps({ ...target, endpoint: "https://x" })[1]!.command, /tls-verify/);
});

test("encryption, media types and outcomes have names", () => {
  assert.equal(encryptionType("KMS_DSSE"), "AWS KMS (DSSE)");
  assert.equal(shortKey(KEY), "6f5b1d0e…");
  assert.equal(poolLabel({ encryptionType: "KMS", kmsKey: KEY }), "AWS KMS · key 6f5b1d0e…");
  assert.match(whyApart({ encryptionType: "AES256" }, { encryptionType: "KMS", kmsKey: KEY }), /Different encryption types/);
  assert.match(whyApart({ encryptionType: "KMS", kmsKey: KEY }, { encryptionType: "KMS", kmsKey: "arn:x:key/ab" }), /different keys/);
  assert.equal(artifact("application/vnd.oci.image.index.v1+json"), "Image index");
  assert.equal(artifact("application/vnd.docker.distribution.manifest.v2+json"), "Image");
  assert.equal(artifact("application/spdx+json"), "SBOM");
  assert.equal(artifact("application/x-mine"), "application/x-mine");
  assert.equal(layerKind("application/vnd.oci.image.layer.v1.tar+gzip", "LAYER"), "Layer (gzip)");
  assert.equal(layerKind(undefined, "CONFIG"), "Configuration");
  for (const o of Object.values(OUTCOMES)) assert.match(o.what, /\.$/);
});
