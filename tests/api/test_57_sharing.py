"""The sharing API: what it tells, in which order and to whom, and that `berth savings` and /metrics tell the same."""

import json
import sqlite3
import time

import pytest

from harness.http import unfinished
from harness.iam import allow, deny, make_user
from harness.oci import INDEX, blob, expect, manifest, sha256
from harness.sharing import Sharing, SharingFault

BASE = blob("base", 50_000)
RUNTIME = blob("runtime", 30_000)


def own(name, size=1000):
    return blob(f"own {name}", size)


@pytest.fixture
def sharing(berth):
    return Sharing(berth)


@pytest.fixture
def shared(berth, oci):
    """base (two layers), web and api (both of base, mounted, and one of their own), alone; and an empty one."""
    berth.create("base", "web", "api", "alone", "empty")
    oci.push_image("base", "1", [BASE, RUNTIME])
    oci.push_image("web", "1", [BASE, RUNTIME, own("web")], mount_from="base")
    oci.push_image("api", "1", [BASE, own("api", 2000)], mount_from="base")
    oci.push_image("alone", "1", [own("alone", 70_000)])
    return berth


def soon(what, seconds=8):
    """The first true value of what(), which may take the time of a background job."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.1)


def refused(code, call, **members):
    with pytest.raises(SharingFault) as e:
        call(**members)
    assert e.value.code == code, e.value
    return e.value


# --- sums ---


def test_a_registry_without_anything(berth, sharing):
    s = sharing.GetSharingSummary()
    assert s["registryId"] == berth.account and s["region"] == berth.region
    assert (s["blobMounting"], s["mountPolicy"], s["pools"]) == ("ENABLED", "oci", [])
    assert [s[k] for k in ("repositories", "images", "layers", "links", "logicalBytes", "storedBytes", "savedBytes", "waitingBytes")] == [0] * 8
    assert sharing.ListRepositorySharing() == {"repositories": []}
    assert sharing.ListLayerSharing() == {"layers": []}
    assert sharing.ListMountLog() == {"entries": []}
    assert sharing.ListUploads() == {"uploads": []}
    assert sharing.ListSharingPairs() == {"pairs": [], "repositories": [], "isPartial": False, "layersExamined": 0}
    assert sharing.EstimateMountSavings()["avoidableBytes"] == 0


def test_the_command_the_metrics_and_the_api_tell_the_same(shared, sharing, ecr):
    ecr.create_repository(repositoryName="sealed", encryptionConfiguration={"encryptionType": "KMS"})
    shared.oci().push_image("sealed", "1", [BASE])
    s = sharing.GetSharingSummary()
    t = shared.savings()["total"]
    m = shared.metrics()
    for ours, theirs in [("repositories", "repositories"), ("images", "images"), ("layers", "blobs"), ("links", "links"),
                         ("logicalBytes", "logical_bytes"), ("storedBytes", "stored_bytes"), ("savedBytes", "saved_bytes"),
                         ("waitingBytes", "waiting_bytes")]:
        assert s[ours] == t[theirs], ours
        if theirs != "saved_bytes":
            assert s[ours] == m.sum(f"berth_{theirs}") == m.sum(f"berth_registry_{theirs}", region=shared.region), ours
    # The configurations are the same few bytes too.
    assert 0 <= s["savedBytes"] - (2 * len(BASE) + len(RUNTIME)) < 1000
    assert s["savedBytes"] == s["logicalBytes"] - s["storedBytes"]
    # Pools add up to the registry, and repositories to both.
    assert [(p["encryptionType"], p["encryptedBy"], p["repositories"]) for p in s["pools"]] == [("AES256", "berth", 5), ("KMS", "kms", 1)]
    assert s["pools"][1]["kmsKey"].startswith("arn:aws:kms:") and "kmsKey" not in s["pools"][0]
    repositories = sharing.all("ListRepositorySharing", "repositories")
    for k in ("images", "logicalBytes", "storedBytes", "savedBytes"):
        assert sum(p[k] for p in s["pools"]) == s[k], k
        assert sum(r[k] for r in repositories) == s[k], k
    for p in s["pools"]:
        assert p["savedBytes"] == p["logicalBytes"] - p["storedBytes"]
    told = {r["name"]: r for r in shared.savings()["registries"][0]["repositories"]}
    assert {r["repositoryName"]: (r["images"], r["logicalBytes"], r["storedBytes"], r["savedBytes"]) for r in repositories} == {
        n: (r["images"], r["logical_bytes"], r["stored_bytes"], r["saved_bytes"]) for n, r in told.items()}


def test_what_nobody_holds_waits(make_berth):
    berth = make_berth("--collect-grace", "1h")
    berth.create("app")
    berth.oci().push_image("app", "1", [BASE])
    berth.client("ecr").delete_repository(repositoryName="app", force=True)
    sharing = Sharing(berth)
    s = soon(lambda: (t := sharing.GetSharingSummary())["waitingBytes"] and not t["logicalBytes"] and t, 20)
    assert s["waitingBytes"] >= len(BASE) and s["storedBytes"] == s["logicalBytes"] == s["repositories"] == 0
    assert s["pools"][0]["waitingBytes"] == s["waitingBytes"] and s["pools"][0]["repositories"] == 0


@pytest.mark.parametrize("order, key", [("LOGICAL_BYTES", "logicalBytes"), ("STORED_BYTES", "storedBytes"),
                                        ("SAVED_BYTES", "savedBytes"), ("CREATED_AT", "createdAt")])
def test_repositories_in_each_order_page_by_page(shared, sharing, order, key):
    rows = sharing.all("ListRepositorySharing", "repositories", sortBy=order)
    assert [r[key] for r in rows] == sorted((r[key] for r in rows), reverse=True)
    assert {r["repositoryName"] for r in rows} == {"base", "web", "api", "alone", "empty"}
    for size in (1, 2, 5):
        pages = list(sharing.pages("ListRepositorySharing", "repositories", sortBy=order, maxResults=size))
        assert sum(pages, []) == rows and len(pages) == -(-5 // size)


def test_repositories_by_name_and_by_a_part_of_it(shared, sharing):
    names = [r["repositoryName"] for r in sharing.all("ListRepositorySharing", "repositories", maxResults=2)]
    assert names == sorted(names) and len(names) == 5
    found = sharing.ListRepositorySharing(nameContains="E")["repositories"]
    assert [r["repositoryName"] for r in found] == ["alone", "base", "empty", "web"]
    assert sharing.ListRepositorySharing(nameContains="zz") == {"repositories": []}
    r = sharing.ListRepositorySharing(nameContains="WEB", sortBy="SAVED_BYTES")["repositories"][0]
    assert r["repositoryArn"].endswith(":repository/web") and r["imageTagMutability"] == "MUTABLE"
    assert (r["encryptionType"], r["images"]) == ("AES256", 1)


def test_a_token_is_good_for_its_list_only(shared, sharing):
    token = sharing.ListRepositorySharing(maxResults=1)["nextToken"]
    refused("InvalidParameterException", sharing.ListRepositorySharing, sortBy="SAVED_BYTES", nextToken=token)
    refused("InvalidParameterException", sharing.ListLayerSharing, nextToken=token)
    refused("InvalidParameterException", sharing.ListRepositorySharing, nextToken="x")
    refused("InvalidParameterException", sharing.ListRepositorySharing, maxResults=1001)
    refused("InvalidParameterException", sharing.ListRepositorySharing, sortBy="COLOR")


# --- layers ---


def test_layers_by_what_they_save(shared, sharing):
    layers = sharing.all("ListLayerSharing", "layers")
    assert [(r["layerDigest"], r["holders"], r["savedBytes"]) for r in layers][:2] == [
        (sha256(BASE), 3, 2 * len(BASE)), (sha256(RUNTIME), 2, len(RUNTIME))]
    for r in layers:
        assert r["logicalBytes"] == r["holders"] * r["layerSize"] and r["savedBytes"] == r["logicalBytes"] - r["layerSize"]
    assert sharing.all("ListLayerSharing", "layers", maxResults=1) == layers
    assert sum(r["savedBytes"] for r in layers) == sharing.GetSharingSummary()["savedBytes"]
    assert sharing.all("ListLayerSharing", "layers", encryptionType="AES256") == layers
    assert sharing.ListLayerSharing(encryptionType="KMS", kmsKey="arn:aws:kms:eu-west-1:000000000000:key/x") == {"layers": []}
    refused("InvalidParameterException", sharing.ListLayerSharing, encryptionType="AES256", kmsKey="x")


def test_layers_of_several_pools_come_in_one_order(shared, sharing, ecr):
    for name in ("k1", "k2", "k3"):
        ecr.create_repository(repositoryName=name, encryptionConfiguration={"encryptionType": "KMS"})
        shared.oci().push_blob(name, RUNTIME)
        shared.oci().push_blob(name, blob("kms", 900))
    rows = sharing.all("ListLayerSharing", "layers")
    assert len(rows) > 4 and [r["savedBytes"] for r in rows] == sorted((r["savedBytes"] for r in rows), reverse=True)
    for size in (1, 2, 3):
        assert sharing.all("ListLayerSharing", "layers", maxResults=size) == rows
    d = sharing.DescribeLayer(layerDigest=sha256(RUNTIME))
    assert [(p["encryptionType"], p["holders"]) for p in d["pools"]] == [("AES256", 2), ("KMS", 3)]
    assert [h["repositoryName"] for h in d["holders"]] == ["base", "web", "k1", "k2", "k3"]
    assert sharing.all("DescribeLayer", "holders", layerDigest=sha256(RUNTIME), maxResults=2) == d["holders"]


def test_one_layer_and_who_holds_it(shared, sharing):
    d = sharing.DescribeLayer(layerDigest=sha256(BASE))
    assert (d["layerDigest"], d["layerSize"]) == (sha256(BASE), len(BASE))
    assert [(h["repositoryName"], h["origin"], h.get("sourceRepositoryName"), h["inUse"]) for h in d["holders"]] == [
        ("base", "UPLOADED", None, True), ("web", "MOUNTED", "base", True), ("api", "MOUNTED", "base", True)]
    refused("LayersNotFoundException", sharing.DescribeLayer, layerDigest=sha256(b"nowhere"))
    refused("InvalidParameterException", sharing.DescribeLayer, layerDigest="sha256:00")


def test_what_a_repository_holds(shared, sharing, oci):
    oci.push_blob("web", b"nobody needs me")
    rows = sharing.ListRepositoryLayers(repositoryName="web")["layers"]
    told = {r["layerDigest"]: (r["layerSize"], r["origin"], r.get("sourceRepositoryName"), r["inUse"], r["holders"]) for r in rows}
    assert told[sha256(BASE)] == (len(BASE), "MOUNTED", "base", True, 3)
    assert told[sha256(own("web"))] == (1000, "UPLOADED", None, True, 1)
    assert told[sha256(b"nobody needs me")] == (15, "UPLOADED", None, False, 1)
    assert sharing.all("ListRepositoryLayers", "layers", repositoryName="web", maxResults=1) == rows
    refused("RepositoryNotFoundException", sharing.ListRepositoryLayers, repositoryName="not/there")


def test_what_an_image_is_made_of(shared, sharing, oci):
    i = sharing.DescribeImageLayers(repositoryName="web", imageId={"imageTag": "1"})
    assert i["imageId"]["imageTag"] == "1" and i["manifests"] == []
    assert [(r["kind"], r["layerDigest"], r["isHeld"]) for r in i["layers"]][1:] == [
        ("LAYER", sha256(BASE), True), ("LAYER", sha256(RUNTIME), True), ("LAYER", sha256(own("web")), True)]
    assert i["layers"][0]["kind"] == "CONFIG" and i["layers"][1]["sourceRepositoryName"] == "base" and i["layers"][1]["holders"] == 3
    by_digest = sharing.DescribeImageLayers(repositoryName="web", imageId={"imageDigest": i["imageId"]["imageDigest"]})
    assert by_digest["layers"] == i["layers"] and "imageTag" not in by_digest["imageId"]
    refused("ImageNotFoundException", sharing.DescribeImageLayers, repositoryName="web", imageId={"imageTag": "2"})
    # An index tells what it leads to.
    import json

    child = i["imageId"]["imageDigest"]
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": i["imageManifestMediaType"], "digest": child, "size": 10,
         "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}}]}).encode()
    oci.put_manifest("web", "all", index, INDEX)
    x = sharing.DescribeImageLayers(repositoryName="web", imageId={"imageTag": "all"})
    assert x["layers"] == [] and x["imageManifestMediaType"] == INDEX
    assert x["manifests"] == [{"imageDigest": child, "mediaType": i["imageManifestMediaType"], "size": 10,
                               "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}}]


# --- who shares with whom ---


def test_pairs(shared, sharing):
    p = sharing.ListSharingPairs()
    pairs = {frozenset(x["repositoryNames"]): (x["sharedBytes"], x["sharedLayers"]) for x in p["pairs"]}
    # Configurations may be shared too, when they are the same bytes.
    assert pairs[frozenset(["base", "web"])][0] >= len(BASE) + len(RUNTIME)
    assert pairs[frozenset(["base", "api"])][0] >= len(BASE) and pairs[frozenset(["api", "web"])][0] >= len(BASE)
    assert not any("alone" in pair and b >= 1000 for pair, (b, _) in pairs.items())
    assert [x["sharedBytes"] for x in p["pairs"]] == sorted((x["sharedBytes"] for x in p["pairs"]), reverse=True)
    assert {r["repositoryName"] for r in p["repositories"]} == {n for pair in pairs for n in pair}
    assert p["isPartial"] is False
    of_web = sharing.ListSharingPairs(repositoryName="web")
    for x in of_web["pairs"]:
        assert x["repositoryNames"][0] == "web"
        assert (x["sharedBytes"], x["sharedLayers"]) == pairs[frozenset(x["repositoryNames"])]
    assert sharing.ListSharingPairs(maxResults=1)["pairs"] == p["pairs"][:1] and sharing.ListSharingPairs(maxResults=1)["isPartial"]
    refused("RepositoryNotFoundException", sharing.ListSharingPairs, repositoryName="not/there")


# --- over time ---


def test_the_history_ends_with_now(shared, sharing):
    now = sharing.GetSharingSummary()
    point = sharing.GetSharingHistory()["points"][-1]
    for k in ("repositories", "images", "layers", "links", "logicalBytes", "storedBytes", "savedBytes"):
        assert point[k] == now[k], k
    pool = sharing.GetSharingHistory(encryptionType="AES256")["points"][-1]
    assert pool["savedBytes"] == now["savedBytes"]
    assert sharing.GetSharingHistory(encryptionType="KMS", kmsKey="arn:aws:kms:eu-west-1:000000000000:key/x") == {"points": []}
    refused("InvalidParameterException", sharing.GetSharingHistory, startTime=20, endTime=10)


def test_the_past_is_a_step_function_of_which_what_is_asked_for_is_told(berth, sharing):
    berth.create("app")
    db = sqlite3.connect(berth.data / "berth.db", timeout=20)
    registry, = db.execute("SELECT id FROM registry").fetchone()
    now = int(time.time() * 1000)
    five, hour, day = 300_000, 3_600_000, 86_400_000

    def put(step, length, at, value):
        db.execute("INSERT OR REPLACE INTO sharing_history VALUES (?, 0, ?, ?, ?, 1, 1, 1, 1, ?, 0)",
                   (registry, step, at - at % length, at, value))

    for n in range(400, 0, -1):
        put(3, day, now - n * day + hour, n)
    for n in range(500, 0, -1):
        put(1, five, now - n * five, 10_000 + n)
    db.commit()
    db.close()
    points = sharing.GetSharingHistory(startTime=now / 1000 - 399 * 86400, maxPoints=1000)["points"]
    assert 395 <= len(points) <= 402 and [p["at"] for p in points] == sorted(p["at"] for p in points)
    values = [p["logicalBytes"] for p in points[:-1]]
    assert values[0] in (399, 400) and values == sorted(values, reverse=True)
    few = sharing.GetSharingHistory(startTime=now / 1000 - 399 * 86400, maxPoints=10)["points"]
    assert 8 <= len(few) <= 10 and few[0] == points[0] and few[-1]["repositories"] == 1
    # What is near is told finer; the first point is the state at the start.
    start = now / 1000 - 3600
    near = sharing.GetSharingHistory(startTime=start, endTime=now / 1000 - 600)["points"]
    assert near[0]["at"] == pytest.approx(start, abs=0.01) and near[0]["logicalBytes"] in (10_012, 10_013)
    assert 8 <= len(near) <= 12 and all(p["at"] <= now / 1000 - 600 for p in near)


# --- mounts ---


def test_the_mount_log(shared, sharing, oci):
    oci.mount_request("empty", sha256(b"absent"), "base")
    oci.mount_request("empty", sha256(b"absent"), "not/there")
    oci.mount_request("empty", "sha256:zz", "base")
    log = soon(lambda: len(e := sharing.ListMountLog()["entries"]) >= 6 and e)
    assert [e["at"] for e in log] == sorted((e["at"] for e in log), reverse=True)
    assert [e["outcome"] for e in log[:3]] == ["bad-digest", "no-source", "not-held"]
    assert log[1]["sourceRepositoryName"] == "not/there" and "does not exist" in log[1]["reason"]
    assert all(e["reason"] and e["principal"].startswith("arn:aws:iam::") for e in log)
    mounted = sharing.ListMountLog(outcomes=["mounted"])["entries"]
    assert {(e["repositoryName"], e["layerDigest"]) for e in mounted} >= {("web", sha256(BASE)), ("web", sha256(RUNTIME)), ("api", sha256(BASE))}
    assert all(e["outcome"] == "mounted" and e["layerSize"] > 0 for e in mounted)
    assert all(e["repositoryName"] == "web" for e in sharing.ListMountLog(repositoryName="web")["entries"])
    assert [e["outcome"] for e in sharing.ListMountLog(sourceRepositoryName="not/there")["entries"]] == ["no-source"]
    assert sharing.ListMountLog(startTime=time.time() + 60)["entries"] == []
    assert sharing.ListMountLog(endTime=log[-1]["at"])["entries"] == []
    assert sharing.ListMountLog(startTime=log[0]["at"], endTime=log[0]["at"] + 1)["entries"][0] == log[0]
    assert sharing.all("ListMountLog", "entries", maxResults=2) == log
    refused("InvalidParameterException", sharing.ListMountLog, outcomes=["maybe"])


def test_what_enabling_would_save(make_berth):
    berth = make_berth(setting=None)
    berth.create("base", "web", "sealed-off")
    berth.client("ecr").create_repository(repositoryName="sealed", encryptionConfiguration={"encryptionType": "KMS"})
    oci, sharing = berth.oci(), Sharing(berth)
    base = oci.push_blob("base", BASE)
    runtime = oci.push_blob("base", RUNTIME)
    for repo, digest, source in [
        ("web", base, "base"), ("web", runtime, "base"), ("sealed-off", base, "base"),
        ("web", sha256(b"absent"), "base"),  # nobody has it
        ("sealed", base, "base"),  # of another pool: the setting would not help
    ]:
        expect(oci.mount_request(repo, digest, source), 202)
    oci.push_blob("web", BASE)
    expect(oci.mount_request("web", base, "base"), 201)  # it is there by now
    e = soon(lambda: (r := sharing.EstimateMountSavings())["avoidableMounts"] >= 3 and r["outcomes"][-1]["outcome"] == "present" and r)
    assert e["blobMounting"] == "DISABLED"
    assert (e["avoidableMounts"], e["avoidableBytes"]) == (3, 2 * len(BASE) + len(RUNTIME))
    assert e["mountedMounts"] == e["mountedBytes"] == 0
    assert [(o["outcome"], o["mounts"], o["avoidableMounts"]) for o in e["outcomes"]] == [("off", 5, 3), ("present", 1, 0)]
    assert [(r["repositoryName"], r["avoidableMounts"], r["avoidableBytes"]) for r in e["repositories"]] == [
        ("web", 2, len(BASE) + len(RUNTIME)), ("sealed-off", 1, len(BASE))]
    assert sum(d["avoidableBytes"] for d in e["days"]) == e["avoidableBytes"] and sum(d["mounts"] for d in e["days"]) == 6
    assert sharing.EstimateMountSavings(maxResults=1)["repositories"] == e["repositories"][:1]
    old = sharing.EstimateMountSavings(startTime=0, endTime=86400)
    assert old["avoidableBytes"] == 0 and old["days"] == []
    berth.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    expect(oci.mount_request("web", runtime, "base"), 201)
    e = soon(lambda: (r := sharing.EstimateMountSavings())["mountedMounts"] and r)
    assert (e["blobMounting"], e["mountedBytes"], e["avoidableMounts"]) == ("ENABLED", len(RUNTIME), 3)


# --- tags ---


def test_what_happened_to_a_tag(berth, sharing, oci, ecr):
    berth.create("app", "other")
    first, second = b'{"n":1}', b'{"n":2}'
    digests = []
    for config in (first, second):
        oci.push_blob("app", config)
        oci.put_manifest("app", "latest", manifest(config, []))
        digests.append(sha256(manifest(config, [])))
    oci.put_manifest("app", "latest", manifest(second, []))  # nothing new
    oci.put_manifest("app", "stable", manifest(first, []))
    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "latest"}])
    events = sharing.ListTagHistory(repositoryName="app")["events"]
    assert [(e["imageTag"], e["action"], e["imageDigest"], e.get("previousImageDigest")) for e in events] == [
        ("latest", "REMOVED", digests[1], None), ("stable", "SET", digests[0], None),
        ("latest", "SET", digests[1], digests[0]), ("latest", "SET", digests[0], None)]
    assert [e["at"] for e in events] == sorted((e["at"] for e in events), reverse=True)
    assert sharing.ListTagHistory(repositoryName="app", imageTag="stable")["events"] == [events[1]]
    for tag in (None, "latest"):
        more = {"imageTag": tag} if tag else {}
        whole = sharing.ListTagHistory(repositoryName="app", **more)["events"]
        assert sharing.all("ListTagHistory", "events", repositoryName="app", maxResults=1, **more) == whole
    # An image that goes takes its tags along; a repository that goes takes all.
    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": digests[0]}])
    assert sharing.ListTagHistory(repositoryName="app")["events"][0]["imageTag"] == "stable"
    ecr.delete_repository(repositoryName="app", force=True)
    refused("RepositoryNotFoundException", sharing.ListTagHistory, repositoryName="app")
    db = sqlite3.connect(berth.data / "berth.db", timeout=20)
    assert soon(lambda: db.execute("SELECT count(*) FROM tag_event").fetchone() == (0,), 20)
    db.close()


def test_the_history_of_a_tag_says_who(berth, sharing, oci, ecr):
    """By each way that moves or removes a tag: pushing by both APIs, deleting by both APIs, with the image, by a lifecycle rule."""
    berth.create("app")
    iam = berth.client("iam")
    iam.create_user(UserName="bob")
    iam.attach_user_policy(UserName="bob", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryFullAccess")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    bob = berth.client("ecr", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    root, user = f"arn:aws:iam::{berth.account}:root", f"arn:aws:iam::{berth.account}:user/bob"
    texts = []
    for n in range(3):
        oci.push_blob("app", b'{"n":%d}' % n)
        texts.append(manifest(b'{"n":%d}' % n, []).decode())
        time.sleep(0.002)  # rules look at the time of pushing
        oci.put_manifest("app", f"v{n}", texts[n].encode())
    bob.put_image(repositoryName="app", imageManifest=texts[1], imageTag="latest")
    bob.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "latest"}])
    assert oci.http.delete("/v2/app/manifests/v2").status == 202
    bob.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": sha256(texts[0].encode())}])
    rule = {"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPatternList": ["v*"], "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}
    oci.put_manifest("app", "v3", texts[2].encode())
    bob.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    berth.berth("lifecycle run")
    events = sharing.ListTagHistory(repositoryName="app")["events"]
    assert [(e["imageTag"], e["action"], e["principal"]) for e in events] == [
        ("v1", "REMOVED", "lifecycle"), ("v3", "SET", root), ("v0", "REMOVED", user), ("v2", "REMOVED", root),
        ("latest", "REMOVED", user), ("latest", "SET", user), ("v2", "SET", root), ("v1", "SET", root), ("v0", "SET", root)]


def test_the_history_of_a_tag_is_bounded(berth, sharing, oci):
    berth.create("app")
    configs = [b'{"n":%d}' % n for n in range(2)]
    for c in configs:
        oci.push_blob("app", c)
    for n in range(130):
        oci.put_manifest("app", "t", manifest(configs[n % 2], []))
    oci.put_manifest("app", "u", manifest(configs[0], []))
    events = sharing.all("ListTagHistory", "events", repositoryName="app")
    assert len(events) == 101 and events[0]["imageTag"] == "u" and {e["imageTag"] for e in events[1:]} == {"t"}


# --- the server ---


def test_uploads_in_progress(berth, sharing, http):
    berth.create("app", "gone")
    ids = []
    for n in (0, 10, 2000):
        r = expect(http.post("/v2/app/blobs/uploads/"), 202)
        if n:
            expect(http.patch(r["Location"], b"x" * n, headers={"Content-Type": "application/octet-stream"}), 202)
        ids.append(r["Docker-Upload-UUID"])
    expect(http.post("/v2/gone/blobs/uploads/"), 202)
    berth.client("ecr").delete_repository(repositoryName="gone")
    rows = sharing.ListUploads()["uploads"]
    assert [(u["uploadId"], u["repositoryName"], u["isActive"]) for u in rows] == [(i, "app", False) for i in ids]
    assert [u["receivedBytes"] for u in rows] == [0, 10, 2000]
    assert all(abs(u["startedAt"] - time.time()) < 60 for u in rows) and rows[2]["lastActivityAt"] >= rows[2]["startedAt"] - 1
    assert sharing.all("ListUploads", "uploads", maxResults=1) == rows
    assert Sharing(berth, region="eu-north-1").ListUploads() == {"uploads": []}


def test_an_upload_tells_how_much_there_will_be_if_the_client_does(berth, sharing, http):
    berth.create("app")
    at = [http.post("/v2/app/blobs/uploads/")["Location"] for _ in range(3)]
    assert http.patch(at[0], b"x" * 1000).status == 202
    with unfinished(http, "PATCH", at[0], b"x" * 300_000, 1_000_000), unfinished(http, "PATCH", at[1], b"x" * 300_000):
        assert soon(lambda: sum(u["isActive"] and u["receivedBytes"] >= 250_000 for u in sharing.ListUploads()["uploads"]) == 2)
        rows = sharing.ListUploads()["uploads"]
        assert [u.get("expectedBytes") for u in rows] == [1_001_000, None, None]
        assert rows[0]["receivedBytes"] <= 301_000
    # Who broke off expects nothing any more.
    assert soon(lambda: not any(u["isActive"] for u in sharing.ListUploads()["uploads"]))
    assert not any("expectedBytes" in u for u in sharing.ListUploads()["uploads"])


def test_the_server_tells_how_it_does(shared, sharing):
    s = sharing.GetServerStatus()
    ops = {o["operation"]: o for o in s["requests"]}
    assert ops["CreateRepository"]["count"] == 5 and ops["CreateRepository"]["failed"] == ops["CreateRepository"]["rejected"] == 0
    assert 0 < ops["CreateRepository"]["p50Seconds"] <= ops["CreateRepository"]["p99Seconds"] <= 60
    assert s["requestsInAll"] == sum(o["count"] for o in s["requests"])
    assert [o["count"] for o in s["requests"]] == sorted((o["count"] for o in s["requests"]), reverse=True)
    assert 0 < s["storage"]["freeBytes"] < s["storage"]["totalBytes"]
    assert s["storage"]["storedBytes"] == sharing.GetSharingSummary()["storedBytes"]
    assert abs(s["startedAt"] - s["now"]) < 120 and s["memoryBytes"] > 1_000_000 and s["connections"] >= 1 and s["version"]
    assert s["uploads"] == {"open": 0, "inProgress": 0} and s["collection"]["errors"] == 0


# --- who may ---

REGISTRY_WIDE = ["GetSharingSummary", "ListLayerSharing", "ListSharingPairs", "GetSharingHistory", "ListMountLog", "EstimateMountSavings",
                 "ListUploads", "GetServerStatus"]


def user(berth, name, *statements):
    keys = make_user(berth, name, *statements)
    return Sharing(berth, keys=(keys["aws_access_key_id"], keys["aws_secret_access_key"]))


def test_each_operation_wants_its_permission(shared, sharing):
    nobody = user(shared, "nobody")
    seer = user(shared, "seer", allow("ecr:DescribeRegistry"))
    for operation in REGISTRY_WIDE:
        fault = refused("AccessDeniedException", getattr(nobody, operation))
        assert "ecr:DescribeRegistry" in fault.message
        getattr(seer, operation)()
    refused("AccessDeniedException", nobody.DescribeLayer, layerDigest=sha256(BASE))
    assert seer.DescribeLayer(layerDigest=sha256(BASE)) == sharing.DescribeLayer(layerDigest=sha256(BASE))
    refused("AccessDeniedException", seer.ListRepositorySharing)
    refused("AccessDeniedException", seer.ListRepositoryLayers, repositoryName="web")
    user(shared, "lister", allow("ecr:DescribeRepositories")).ListRepositorySharing()
    refused("AccessDeniedException", nobody.ListRepositoryLayers, repositoryName="not/there")


def test_who_sees_a_repository_learns_nothing_of_others(shared, sharing):
    arn = f"arn:aws:ecr:{shared.region}:{shared.account}:repository/"
    web = user(shared, "web", allow("ecr:DescribeImages", arn + "web"))
    for r in web.ListRepositoryLayers(repositoryName="web")["layers"]:
        assert "sourceRepositoryName" not in r and "holders" not in r and r["origin"] in ("MOUNTED", "UPLOADED")
    i = web.DescribeImageLayers(repositoryName="web", imageId={"imageTag": "1"})
    assert not any("sourceRepositoryName" in r or "holders" in r for r in i["layers"])
    refused("AccessDeniedException", web.ListRepositoryLayers, repositoryName="api")
    both = user(shared, "both", allow("ecr:DescribeImages", arn + "web"), allow("ecr:DescribeRepositories", arn + "base"))
    told = {r["layerDigest"]: r for r in both.ListRepositoryLayers(repositoryName="web")["layers"]}
    assert told[sha256(BASE)]["sourceRepositoryName"] == "base" and "holders" not in told[sha256(BASE)]


def test_another_region_is_another_registry_and_its_account_does_not_see_the_server(shared):
    other = Sharing(shared, region="eu-north-1")
    assert other.GetSharingSummary()["repositories"] == 0
    assert other.GetServerStatus()["version"]
    refused("AccessDeniedException", Sharing(shared).GetSharingSummary, registryId="999999999999")


def test_an_unknown_operation_and_a_bad_signature(shared, sharing):
    assert refused("UnknownOperationException", sharing.GetNothing).status == 404
    refused("UnrecognizedClientException", Sharing(shared, keys=("AKIAXXXXXXXXXXXXXXXX", "x")).GetSharingSummary)
    refused("SerializationException", sharing.GetSharingHistory, startTime="yesterday")


# --- many ---


def test_ten_thousand_links_are_told_at_once(berth, sharing):
    """Rows that the server's own accounting describes, so that the examination after the test finds them true."""
    berth.create("r0")
    berth.oci().push_blob("r0", b"seed" * 5000)  # one that has a file
    berth.stop()
    fill(berth.data / "berth.db", repositories=500, links=20)
    berth.start()
    now = time.monotonic()
    s = sharing.GetSharingSummary()
    assert s["links"] == 10_001 and s["savedBytes"] == s["logicalBytes"] - s["storedBytes"] > 0
    layers = sharing.ListLayerSharing()["layers"]
    assert len(layers) == 100
    sharing.ListRepositorySharing(sortBy="SAVED_BYTES")
    sharing.DescribeLayer(layerDigest=layers[0]["layerDigest"])
    sharing.ListSharingPairs()
    took = time.monotonic() - now
    assert took < 2, took
    names = [r["repositoryName"] for r in sharing.all("ListRepositorySharing", "repositories", sortBy="SAVED_BYTES", maxResults=97)]
    assert len(names) == len(set(names)) == 501


def fill(path, repositories, links):
    """repositories of links layers each, out of 100 that they share, all of the one pool that is there."""
    import hashlib

    layers = 100
    db = sqlite3.connect(path)
    pool, registry = db.execute("SELECT id, registry_id FROM pool").fetchone()
    repos = [db.execute("INSERT INTO repository (registry_id, pool_id, state, name, created_at_ms, mutability, filters, scan_on_push) "
                        "VALUES (?, ?, 1, ?, ?, 1, '', 0)", (registry, pool, f"many/r{n:04}", n)).lastrowid for n in range(repositories)]
    seed_key, seed_form = db.execute("SELECT store_key, form FROM blob").fetchone()
    logical = stored = 0
    files = []
    for n in range(layers):
        holders = [repos[r] for r in range(repositories) if any((r * 7 + k * 5) % layers == n for k in range(links))]
        data = b"%d" % n * 3
        size = len(data)
        key = hashlib.md5(b"%d" % n).digest()
        b = db.execute("INSERT INTO blob (pool_id, digest, size_bytes, store_key, form, links, payer, created_at_ms) VALUES (?, ?, ?, ?, 0, ?, ?, 1)",
                       (pool, b"\x01" + hashlib.sha256(data).digest(), size, key, len(holders), holders[0])).lastrowid
        files.append((key, data))
        db.executemany("INSERT INTO layer_link (repository_id, blob_id, origin, linked_at_ms) VALUES (?, ?, 1, ?)",
                       [(h, b, int(time.time() * 1000)) for h in holders])
        for h in holders:
            db.execute("UPDATE repository SET logical_bytes = logical_bytes + ?, stored_bytes = stored_bytes + ? WHERE id = ?",
                       (size, size if h == holders[0] else 0, h))
        logical += size * len(holders)
        stored += size
        db.execute("UPDATE pool SET links = links + ?, blobs = blobs + 1 WHERE id = ?", (len(holders), pool))
    db.execute("UPDATE pool SET logical_bytes = logical_bytes + ?, stored_bytes = stored_bytes + ?, repositories = repositories + ? WHERE id = ?",
               (logical, stored, repositories, pool))
    db.execute("UPDATE registry SET repositories = repositories + ? WHERE id = ?", (repositories, registry))
    db.commit()
    db.close()
    for key, data in files:
        name = key.hex()
        known = next(p for p in (path.parent / "blobs").rglob("*") if p.is_file())
        file = path.parent / "blobs" / pathlike(known, path.parent / "blobs", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def pathlike(known, root, name):
    """Where the store keeps an object, by an example of one."""
    parts = known.relative_to(root).parts
    out, at = [], 0
    for part in parts[:-1]:
        out.append(name[at:at + len(part)])
        at += len(part)
    return "/".join([*out, name[at:] if len(parts[-1]) + at == len(name) else name])
