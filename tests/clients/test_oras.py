"""oras: cp between repositories mounts every blob; attach and discover use the referrers API."""

import pytest


@pytest.fixture
def oras(client):
    def make(berth):
        run = client(berth, "oras")
        run.login("--plain-http")
        return run

    return make


def first(run, berth, images):
    return run("cp", "--from-oci-layout", "--to-plain-http", f"{images}/layout:one", f"{berth.host}/team/one:1")


def second(run, berth):
    return run("cp", "--from-plain-http", "--to-plain-http", f"{berth.host}/team/one:1", f"{berth.host}/team/two:1")


def test_oras_cp_mounts_all_blobs(sharing, oras, images, layout, pushes_share, scratch):
    run = oras(sharing)
    pushes_share(sharing, lambda: first(run, sharing, images), lambda: second(run, sharing), mounts=3)
    for repo in ("team/one", "team/two"):
        assert sharing.oci().get_manifest(repo, "1") == layout.blob(layout.digest("one"))
        sharing.oci().check_image(repo, "1")
    run("cp", "--from-plain-http", "--to-oci-layout", f"{sharing.host}/team/two:1", f"{scratch}/back:1")
    base = layout.manifest("one")["layers"][0]["digest"]
    assert (scratch / "back/blobs" / base.replace(":", "/")).read_bytes() == layout.blob(base)


def test_oras_uploads_when_mounting_is_disabled(not_sharing, oras, images, pushes_upload):
    run = oras(not_sharing)
    pushes_upload(not_sharing, lambda: first(run, not_sharing, images), lambda: second(run, not_sharing))


def test_oras_attaches_and_discovers_by_the_referrers_api(sharing, oras, images, scratch):
    run = oras(sharing)
    first(run, sharing, images)
    (scratch / "sbom.json").write_text("{}")
    run("attach", "--plain-http", "--disable-path-validation", "--artifact-type", "application/vnd.example.sbom",
        f"{sharing.host}/team/one:1", f"{scratch}/sbom.json:application/json")
    assert "application/vnd.example.sbom" in run("discover", "--plain-http", f"{sharing.host}/team/one:1")
    # A registry without the API gets a tag named after the subject instead.
    assert sharing.oci().tags("team/one") == ["1"]


def test_oras_pushes_and_pulls_files(sharing, oras, scratch):
    run = oras(sharing)
    (scratch / "note.txt").write_text("a note")
    (scratch / "out").mkdir()
    run("push", "--plain-http", "--disable-path-validation", f"{sharing.host}/team/one:note", f"{scratch}/note.txt:text/plain")
    run("pull", "--plain-http", "--allow-path-traversal", "-o", scratch / "out", f"{sharing.host}/team/one:note")
    assert (scratch / "note.txt").read_text() == "a note"
