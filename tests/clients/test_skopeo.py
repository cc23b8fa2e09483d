"""skopeo (containers/image): asks the candidate repository by HEAD, then mounts with from= and mount= percent-encoded."""

import pytest

from harness.images import Layout


@pytest.fixture
def push(client, images):
    def make(berth):
        skopeo = client(berth, "skopeo")
        skopeo.login("--tls-verify=false")

        def push(name, repo, *options):
            return skopeo("--insecure-policy", "copy", "--dest-tls-verify=false", *options,
                          f"oci:{images}/layout:{name}", f"docker://{berth.host}/{repo}:1")

        push.skopeo = skopeo
        return push

    return make


def pull(push, berth, repo, folder):
    push.skopeo("--insecure-policy", "copy", "--src-tls-verify=false", f"docker://{berth.host}/{repo}:1", f"oci:{folder}:1")
    return Layout(folder)


def assert_identical(push, berth, layout, scratch):
    for name in ("one", "two"):
        got = pull(push, berth, f"team/{name}", scratch / f"pulled-{name}")
        assert got.digest("1") == layout.digest(name)
        for d in layout.manifest(name)["layers"]:
            assert got.blob(d["digest"]) == layout.blob(d["digest"])


def test_skopeo_mounts_a_shared_layer_and_reads_back_the_same_image(sharing, push, pushes_share, layout, scratch):
    p = push(sharing)
    pushes_share(sharing, lambda: p("one", "team/one"), lambda: p("two", "team/two"))
    assert_identical(p, sharing, layout, scratch)


def test_skopeo_uploads_when_mounting_is_disabled(not_sharing, push, pushes_upload, layout, scratch):
    p = push(not_sharing)
    pushes_upload(not_sharing, lambda: p("one", "team/one"), lambda: p("two", "team/two"))
    assert_identical(p, not_sharing, layout, scratch)


def test_skopeo_mounts_under_policy_ecr_because_a_manifest_names_the_layer(make_berth, push, pushes_share, layout, scratch):
    berth = make_berth("--mount-policy", "ecr")
    berth.create("team/one", "team/two")
    p = push(berth)
    pushes_share(berth, lambda: p("one", "team/one"), lambda: p("two", "team/two"))
    assert_identical(p, berth, layout, scratch)


def test_skopeo_uploads_under_policy_ecr_when_no_manifest_names_the_layer(make_berth, push, watch, layout):
    """The source still holds the layer, but its only image is gone."""
    berth = make_berth("--mount-policy", "ecr")
    berth.create("team/one", "team/two")
    p = push(berth)
    p("one", "team/one")
    berth.client("ecr").batch_delete_image(repositoryName="team/one", imageIds=[{"imageTag": "1"}])
    w = watch(berth)
    p("two", "team/two")
    assert w.mounts() == 0
    assert berth.oci().check_image("team/two", "1")


def test_skopeo_lists_inspects_converts_and_deletes(sharing, push):
    p = push(sharing)
    p("one", "team/one")
    p("one", "team/two", "--format", "v2s2")
    sk = p.skopeo
    assert '"1"' in sk("list-tags", "--tls-verify=false", f"docker://{sharing.host}/team/one")
    assert '"Layers"' in sk("inspect", "--tls-verify=false", f"docker://{sharing.host}/team/two:1")
    sk("delete", "--tls-verify=false", f"docker://{sharing.host}/team/one:1")
    assert sharing.oci().check_image("team/two", "1")
    left = sharing.client("ecr").list_images(repositoryName="team/one")["imageIds"]
    assert left == []
