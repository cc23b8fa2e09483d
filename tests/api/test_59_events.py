"""Events at webhooks: what is told, in which order, and that nothing that was committed stays untold."""

import json
import re
import time

import pytest

from harness.oci import CONFIG, IMAGE, blob, descriptor, manifest, sha256
from harness.webhook import Webhook, verify

SECRET = "whsec-4f1c0c1e6a"


@pytest.fixture
def webhook():
    w = Webhook()
    yield w
    w.close()


@pytest.fixture
def make_told(make_berth, scratch):
    """A server that tells these webhooks."""

    def make(*webhooks, args=(), **kw):
        secret = scratch / "webhook-secret"
        secret.write_text(SECRET + "\n")
        urls = [a for w in webhooks for a in ("--event-webhook", w if isinstance(w, str) else w.url)]
        return make_berth(*urls, "--event-webhook-secret-file", str(secret), *args, **kw)

    return make


def logged(berth, want, seconds=5):
    """The lines of the log that satisfy want, once there are some: it is written behind what happens."""
    end = time.monotonic() + seconds
    while True:
        lines = [e for e in berth.log_lines() if want(e)]
        if lines:
            return lines
        assert time.monotonic() < end, "no such line in the log"
        time.sleep(0.05)


def wait_empty(berth, seconds=5):
    end = time.monotonic() + seconds
    while berth.metrics().sum("berth_event_outbox_length"):
        assert time.monotonic() < end, "events stay in the outbox"
        time.sleep(0.05)


def short(event):
    d = event["detail"]
    return d["action-type"], d["repository-name"], d.get("image-tag"), d["image-digest"]


def test_push_move_untag_and_delete_are_told_as_ecr_tells_them(make_told, webhook):
    berth = make_told(webhook)
    berth.create("app")
    oci, ecr = berth.oci(), berth.client("ecr")
    one, text = oci.push_image("app", "v1", [blob("a")])
    two, _ = oci.push_image("app", "v1", [blob("b")])
    oci.put_manifest("app", "v1", oci.get_manifest("app", two))  # changes nothing: not told
    oci.delete_manifest("app", "v1")
    oci.delete_manifest("app", two)
    events = webhook.wait(4)
    assert [short(e) for e in events] == [
        ("PUSH", "app", "v1", one), ("PUSH", "app", "v1", two), ("DELETE", "app", "v1", two), ("DELETE", "app", None, two)]
    first = events[0]
    detail = {"result": "SUCCESS", "repository-name": "app", "image-digest": one, "action-type": "PUSH", "image-tag": "v1",
              "manifest-media-type": IMAGE, "artifact-media-type": CONFIG}
    assert first["detail"] == detail
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["time"])
    assert {k: first[k] for k in ("version", "detail-type", "source", "account", "region", "resources")} == {
        "version": "0", "detail-type": "ECR Image Action", "source": "aws.ecr", "account": berth.account, "region": berth.region,
        "resources": []}
    assert len({e["id"] for e in events}) == 4

    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": one}])
    assert short(webhook.wait(5)[4]) == ("DELETE", "app", None, one)
    time.sleep(0.5)
    assert len(webhook.taken()) == 5


def test_an_image_with_several_tags_goes_with_an_event_each(make_told, webhook):
    berth = make_told(webhook)
    berth.create("app")
    oci = berth.oci()
    digest, text = oci.push_image("app", "a", [blob("a")])
    oci.put_manifest("app", "b", text)
    berth.client("ecr").batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": digest}])
    assert [short(e) for e in webhook.wait(4)] == [
        ("PUSH", "app", "a", digest), ("PUSH", "app", "b", digest), ("DELETE", "app", "a", digest), ("DELETE", "app", "b", digest)]


def test_referrers_are_told_as_such_and_storage_classes_too(make_told, webhook):
    berth = make_told(webhook, args=["--restore-delay", "0s"])
    berth.create("app")
    oci, ecr = berth.oci(), berth.client("ecr")
    digest, text = oci.push_image("app", "v1", [blob("a")])
    config = b"{}"
    oci.push_blob("app", config)
    sbom = json.dumps({"schemaVersion": 2, "mediaType": IMAGE, "artifactType": "application/spdx+json",
                       "config": descriptor(config, "application/vnd.oci.empty.v1+json"), "layers": [descriptor(blob("a"))],
                       "subject": {"mediaType": IMAGE, "digest": digest, "size": len(text)}}).encode()
    oci.put_manifest("app", sha256(sbom), sbom)
    events = webhook.wait(2)
    assert events[1]["detail-type"] == "ECR Referrer Action"
    assert events[1]["detail"]["artifact-media-type"] == "application/spdx+json"
    assert "image-tag" not in events[1]["detail"]

    ecr.update_image_storage_class(repositoryName="app", imageId={"imageTag": "v1"}, targetStorageClass="ARCHIVE")
    archived = [e for e in webhook.wait(3) if e["detail"]["action-type"] == "UPDATE_STORAGE_CLASS"][0]
    assert archived["detail"]["target-storage-class"] == "ARCHIVE" and archived["detail"]["image-digest"] == digest
    ecr.update_image_storage_class(repositoryName="app", imageId={"imageTag": "v1"}, targetStorageClass="STANDARD")
    end = time.monotonic() + 20
    while not [e for e in webhook.taken() if e["detail"].get("target-storage-class") == "STANDARD"]:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_a_lifecycle_policy_removes_is_told_also_by_the_command(make_told, webhook):
    berth = make_told(webhook)
    berth.create("app")
    oci, ecr = berth.oci(), berth.client("ecr")
    gone, _ = oci.push_image("app", "v1", [blob("a")])
    oci.push_image("app", "v2", [blob("b")])
    rule = {"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}
    ecr.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    # Another process, which was told of no webhook: the database knows.
    assert "1 images expired" in berth.berth("lifecycle run").stdout
    assert short(webhook.wait(3)[2]) == ("DELETE", "app", "v1", gone)


def test_deliveries_are_signed_and_say_which_event_they_are(make_told, webhook):
    berth = make_told(webhook)
    berth.create("app")
    berth.oci().push_image("app", "v1", [blob("a")])
    webhook.wait(1)
    _, event, headers, body, _ = webhook.deliveries[0]
    assert verify(headers, body, SECRET)
    assert not verify(headers, body + b" ", SECRET)
    assert not verify(headers, body, SECRET + "x")
    assert headers["Berth-Event-Id"] == event["id"]
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("berth/")
    assert headers[":path"] == "/hook"


def test_a_webhook_gets_only_what_it_wants(make_told, webhook):
    other = Webhook()
    try:
        berth = make_told(webhook.url + "|repository=team-a/*", other.url + "|type=referrer")
        berth.create("team-a/app", "team-b/app")
        oci = berth.oci()
        oci.push_image("team-b/app", "v1", [blob("a")])
        oci.push_image("team-a/app", "v1", [blob("a")])
        assert [e["detail"]["repository-name"] for e in webhook.wait(1)] == ["team-a/app"]
        time.sleep(0.5)
        assert len(webhook.taken()) == 1 and other.deliveries == []
    finally:
        other.close()


def test_events_of_a_repository_arrive_in_order_whatever_fails(make_told):
    """Every third first attempt fails; other repositories are not held up by it."""
    webhook = Webhook(answer=lambda event, before: 500 if before == 0 and int(event["detail"]["image-tag"][1:]) % 3 == 0 else 200)
    try:
        berth = make_told(webhook)
        berth.create("aa", "bb")
        oci = berth.oci()
        for i in range(6):
            for repo in ("aa", "bb"):
                oci.push_image(repo, f"t{i}", [blob(f"{repo}{i}")])
        events = webhook.wait(12, 40)
        for repo in ("aa", "bb"):
            assert [e["detail"]["image-tag"] for e in events if e["detail"]["repository-name"] == repo] == [f"t{i}" for i in range(6)]
        assert sum(1 for d in webhook.deliveries if d[4] == 500) == 4
        # Between the failure of an event and its success nothing else of its repository was tried.
        for repo in ("aa", "bb"):
            tries = [d[1]["detail"]["image-tag"] for d in webhook.deliveries if d[1]["detail"]["repository-name"] == repo]
            assert tries == ["t0", "t0", "t1", "t2", "t3", "t3", "t4", "t5"]
        wait_empty(berth)
        m = berth.metrics()
        assert m.sum("berth_events_delivered_total") == 12 and m.sum("berth_event_failures_total") == 4
    finally:
        webhook.close()


def test_a_webhook_that_is_down_gets_everything_when_it_is_back(make_told, webhook):
    webhook.close()
    berth = make_told(webhook)
    berth.create("app")
    oci = berth.oci()
    for i in range(5):
        oci.push_image("app", f"t{i}", [blob(str(i))])
    time.sleep(1.5)
    assert berth.metrics().sum("berth_event_outbox_length") == 5
    webhook.open()
    assert [e["detail"]["image-tag"] for e in webhook.wait(5, 40)] == [f"t{i}" for i in range(5)]
    assert logged(berth, lambda e: "takes events again" in e.get("message", ""))
    assert "does not answer" in logged(berth, lambda e: e.get("event") == "events")[0]["message"]
    assert "/hook" not in berth.log_text(), "a webhook's path may be its secret"


def test_redirections_are_not_followed(make_told):
    webhook = Webhook(answer=307)
    try:
        berth = make_told(webhook)
        berth.create("app")
        berth.oci().push_image("app", "v1", [blob("a")])
        end = time.monotonic() + 20
        while len(webhook.deliveries) < 2:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert {d[2][":path"] for d in webhook.deliveries} == {"/hook"}
    finally:
        webhook.close()


def test_events_outlive_a_kill_between_commit_and_delivery(make_told, webhook):
    """The webhook holds each delivery up, so that the server dies with some committed, some sent and none settled."""
    webhook.seconds = 3
    berth = make_told(webhook)
    names = [f"r{i}" for i in range(5)]
    berth.create(*names)
    oci = berth.oci()
    pushed = {(n, oci.push_image(n, "v1", [blob(n)])[0]) for n in names}
    end = time.monotonic() + 20
    while not webhook.deliveries:
        assert time.monotonic() < end
        time.sleep(0.01)
    berth.kill()
    assert len(webhook.deliveries) < 5
    first = webhook.deliveries[0][1]["id"]
    webhook.seconds = 0
    webhook.deliveries.clear()
    berth.start()
    events = webhook.wait(5)
    assert {(e["detail"]["repository-name"], e["detail"]["image-digest"]) for e in events} == pushed
    assert first in {e["id"] for e in events}, "what was not settled comes again, under the same id"


def test_a_slow_webhook_slows_neither_pushes_nor_others(make_told, webhook):
    slow = Webhook(seconds=5)
    try:
        berth = make_told(slow, webhook)
        berth.create("app")
        oci = berth.oci()
        began = time.monotonic()
        for i in range(10):
            oci.push_image("app", f"t{i}", [blob(str(i))])
        assert time.monotonic() - began < 5
        webhook.wait(10, 5)
        assert len(slow.deliveries) <= 2
        began = time.monotonic()
        berth.stop()
        assert time.monotonic() - began < 4, "a delivery that runs does not hold up the end"
        berth.start()
    finally:
        slow.close()


def test_what_is_not_taken_in_time_is_given_up(make_told):
    webhook = Webhook(answer=lambda event, before: 500 if event["detail"]["image-tag"] == "bad" else 200)
    try:
        berth = make_told(webhook, args=["--event-max-age", "2s"])
        berth.create("app")
        oci = berth.oci()
        oci.push_image("app", "bad", [blob("a")])
        oci.push_image("app", "good", [blob("b")])
        assert [e["detail"]["image-tag"] for e in webhook.wait(1)] == ["good"]
        assert berth.metrics().sum("berth_events_dropped_total") == 1
        [line] = logged(berth, lambda e: e.get("event") == "event_dropped")
        assert "/app" in line["message"]
    finally:
        webhook.close()


def test_a_webhook_that_is_not_configured_any_more_is_forgotten(make_told, webhook):
    webhook.close()
    berth = make_told(webhook)
    berth.create("app")
    berth.oci().push_image("app", "v1", [blob("a")])
    berth.stop()
    berth.args = [a for i, a in enumerate(berth.args) if a != "--event-webhook" and (i == 0 or berth.args[i - 1] != "--event-webhook")]
    berth.start()
    assert logged(berth, lambda e: e.get("message", "").startswith("1 events for webhooks that are not configured any more"))
    berth.oci().push_image("app", "v2", [blob("a")])
    assert "berth_event_outbox_length{" not in berth.metrics().text


@pytest.mark.parametrize("value, words", [
    ("ftp://host/", "give a URL"),
    ("https://user@host/", "give a URL"),
    ("https://host/|type=scan", "type=referrer"),
    ("https://host/|x", "repository=PATTERN"),
    ("https://host/,https://host/|type=image", "twice"),
])
def test_a_webhook_that_cannot_be_stops_the_start(make_berth, value, words):
    berth = make_berth("--event-webhook", value, start=False)
    berth.check_at_end = False
    berth.start(wait=False)
    assert berth.process.wait(20) == 2
    assert words in berth.log_text()
    berth._forget()
    berth.log.unlink()
