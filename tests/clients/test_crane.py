"""crane (go-containerregistry): copy and append mount every blob of the base, config included, with origin= added to the query."""

import json
import re

import pytest


@pytest.fixture
def crane(client, images):
    def make(berth):
        program = client(berth, "crane")

        def run(*args, **kw):
            """Its output without its log: it asks by https first, and may say so."""
            return "".join(x for x in program(*args, **kw).splitlines(True) if not re.match(r"\d{4}/\d\d/\d\d ", x))

        run("auth", "login", "--username", "AWS", "--password-stdin", berth.host, text=berth.token)
        return run

    return make


def first(run, berth, images):
    return run("push", "--insecure", images / "one.docker.tar", f"{berth.host}/team/one:1")


def copy(run, berth):
    return run("copy", "--insecure", f"{berth.host}/team/one:1", f"{berth.host}/team/two:1")


def test_crane_copy_mounts_all_blobs(sharing, crane, images, pushes_share, scratch):
    run = crane(sharing)
    pushes_share(sharing, lambda: first(run, sharing, images), lambda: copy(run, sharing), mounts=3)
    digests = {run("digest", "--insecure", f"{sharing.host}/team/{n}:1").strip() for n in ("one", "two")}
    assert len(digests) == 1
    assert "PASS" in run("validate", "--insecure", "--remote", f"{sharing.host}/team/two:1")
    run("pull", "--insecure", "--format", "oci", f"{sharing.host}/team/two:1", scratch / "back")
    index = json.loads((scratch / "back/index.json").read_text())
    assert index["manifests"][0]["digest"] in digests


def test_crane_append_mounts_the_base(sharing, crane, images, pushes_share):
    run = crane(sharing)
    append = lambda: run("append", "--insecure", "-b", f"{sharing.host}/team/one:1", "-f", images / "top-two.tar", "-t", f"{sharing.host}/team/two:1")
    pushes_share(sharing, lambda: first(run, sharing, images), append)
    sharing.oci().check_image("team/two", "1")


def test_crane_uploads_when_mounting_is_disabled(not_sharing, crane, images, pushes_upload):
    run = crane(not_sharing)
    pushes_upload(not_sharing, lambda: first(run, not_sharing, images), lambda: copy(run, not_sharing))


def test_crane_lists_tags_and_catalog_and_deletes(sharing, crane, images):
    run = crane(sharing)
    first(run, sharing, images)
    run("tag", "--insecure", f"{sharing.host}/team/one:1", "2")
    assert run("ls", "--insecure", f"{sharing.host}/team/one").split() == ["1", "2"]
    assert run("catalog", "--insecure", sharing.host).split() == ["team/one", "team/two"]
    one = run("digest", "--insecure", f"{sharing.host}/team/one:1").strip()
    run("delete", "--insecure", f"{sharing.host}/team/one@{one}")
    assert run("ls", "--insecure", f"{sharing.host}/team/one").split() == []
