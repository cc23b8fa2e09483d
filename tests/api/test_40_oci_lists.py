"""Lists over /v2/: tags, catalog, referrers; their pages and their order."""

import json
import re
import urllib.parse

import pytest

from harness.oci import CONFIG, IMAGE, INDEX, descriptor, expect, manifest, sha256

EMPTY = b"{}"
ARTIFACT = "application/vnd.example.sbom.v1"


def next_of(r):
    """The target of a Link with rel="next", or None."""
    if r["Link"] is None:
        return None
    m = re.fullmatch(r'<([^>]+)>; rel="next"', r["Link"])
    assert m, r["Link"]
    return m[1]


def pages(http, target, field):
    """Every page's list, following Link."""
    got = []
    while target:
        r = expect(http.get(target), 200)
        got.append(r.json()[field])
        assert len(got) < 100
        target = next_of(r)
    return got


@pytest.fixture
def tags(berth, http, oci):
    """A repository "app" whose image has these tags, in byte order."""
    names = sorted(["v1", "v10", "v2", "A", "Z", "a", "z", "_x", "0", "1.0-rc.1", "latest", "b" * 128], key=str.encode)
    berth.create("app")
    oci.push_blob("app", EMPTY)
    data = manifest(EMPTY, [])
    query = "&".join(f"tag={t}" for t in reversed(names))
    expect(http.put(f"/v2/app/manifests/{sha256(data)}?{query}", data, headers={"Content-Type": IMAGE}), 201)
    return names


def test_tags_come_in_byte_order(http, tags):
    r = expect(http.get("/v2/app/tags/list"), 200)
    assert r["Content-Type"].startswith("application/json")
    assert r.json() == {"name": "app", "tags": tags}
    assert r["Link"] is None


@pytest.mark.parametrize("n", [1, 2, 5, 11, 12, 13, 10000, 99999999999999999999999])
def test_pages_of_tags_leave_nothing_out(http, tags, n):
    got = pages(http, f"/v2/app/tags/list?n={n}", "tags")
    assert [t for page in got for t in page] == tags
    assert all(len(page) == n for page in got[:-1]) and 0 < len(got[-1]) <= n


def test_link_keeps_n_and_names_the_last_tag(http, tags):
    r = http.get("/v2/app/tags/list?n=3")
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(next_of(r)).query)
    assert query == {"n": ["3"], "last": [tags[2]]}


def test_last_is_exclusive_and_need_not_exist(http, tags):
    assert http.get(f"/v2/app/tags/list?last={tags[4]}").json()["tags"] == tags[5:]
    assert http.get("/v2/app/tags/list?last=v1a").json()["tags"] == [t for t in tags if t > "v1a"]
    assert http.get("/v2/app/tags/list?last=zzz").json()["tags"] == []
    assert http.get("/v2/app/tags/list?last=").json()["tags"] == tags


def test_n_of_zero_is_an_empty_list_without_a_link(http, tags):
    r = expect(http.get("/v2/app/tags/list?n=0"), 200)
    assert (r.json(), r["Link"]) == ({"name": "app", "tags": []}, None)
    assert http.get("/v2/none/tags/list?n=0").status == 404


@pytest.mark.parametrize("n", ["x", "-1", "1.5", "%20", "1x"])
def test_n_must_be_a_number(http, tags, n):
    for path in ("/v2/app/tags/list", "/v2/_catalog"):
        r = http.get(f"{path}?n={n}")
        assert (r.status, r.codes()) == (400, ["PAGINATION_NUMBER_INVALID"])


def test_a_long_list_of_tags_comes_whole(make_berth):
    berth = make_berth("--image-tags-max", "2500")
    http, oci = berth.http(), berth.oci()
    berth.create("many")
    oci.push_blob("many", EMPTY)
    data = manifest(EMPTY, [])
    names = sorted(f"{'x' * 100}-{i:05}" for i in range(2500))
    for at in range(0, len(names), 100):
        query = "&".join(f"tag={t}" for t in names[at:at + 100])
        expect(http.put(f"/v2/many/manifests/{sha256(data)}?{query}", data, headers={"Content-Type": IMAGE}), 201)
    assert http.get("/v2/many/tags/list").json()["tags"] == names
    assert [len(p) for p in pages(http, "/v2/many/tags/list?n=1000", "tags")] == [1000, 1000, 500]


def test_the_catalog_has_pages(berth, http):
    names = sorted(["aa", "aa/b", "aa-b", "bb", "team/x", "team/y", "z0"], key=str.encode)
    berth.create(*names)
    assert http.get("/v2/_catalog").json() == {"repositories": names}
    for n in (1, 3, 7, 8):
        assert [t for page in pages(http, f"/v2/_catalog?n={n}", "repositories") for t in page] == names
    assert http.get("/v2/_catalog?last=bb").json()["repositories"] == ["team/x", "team/y", "z0"]
    r = http.get("/v2/_catalog?n=0")
    assert (r.json(), r["Link"]) == ({"repositories": []}, None)


def test_head_tells_what_get_would(http, tags):
    r = http.head("/v2/app/tags/list")
    assert (r.status, r.body) == (200, b"")


class TestReferrers:
    SUBJECT = sha256(b"subject")

    def artifact(self, oci, n, artifact_type=ARTIFACT, repo="app", **more):
        """Pushes an image that names the subject; returns the descriptor that the list must have."""
        m = {"schemaVersion": 2, "mediaType": IMAGE, "config": descriptor(EMPTY, CONFIG), "layers": [],
             "subject": {"mediaType": IMAGE, "digest": self.SUBJECT, "size": 7}, "annotations": {"n": str(n)}, **more}
        if artifact_type:
            m["artifactType"] = artifact_type
        data = json.dumps(m).encode()
        oci.put_manifest(repo, sha256(data), data)
        return {"mediaType": IMAGE, "digest": sha256(data), "size": len(data), "artifactType": artifact_type or CONFIG, "annotations": m["annotations"]}

    @pytest.fixture(autouse=True)
    def repository(self, berth, oci):
        berth.create("app")
        oci.push_blob("app", EMPTY)

    def ask(self, http, query="", digest=SUBJECT, repo="app"):
        r = expect(http.get(f"/v2/{repo}/referrers/{digest}{query}"), 200)
        assert r["Content-Type"] == INDEX
        m = r.json()
        assert (m["schemaVersion"], m["mediaType"]) == (2, INDEX)
        return r, m["manifests"]

    def test_nobody_refers_to_what_nobody_knows(self, http):
        assert self.ask(http)[1] == []
        assert self.ask(http, repo="not/there")[1] == []

    def test_a_digest_that_is_none_is_refused(self, http):
        r = http.get("/v2/app/referrers/sha256:zz")
        assert (r.status, r.codes()) == (400, ["DIGEST_INVALID"])

    def test_entries_carry_type_and_annotations(self, http, oci):
        want = [self.artifact(oci, 1), self.artifact(oci, 2, None), self.artifact(oci, 3, "application/x.other", annotations={"ä\"\\": "\n€"})]
        r, got = self.ask(http)
        assert got == want
        assert r["OCI-Filters-Applied"] is None and r["Link"] is None

    def test_the_filter_is_applied_and_told(self, http, oci):
        one, other = self.artifact(oci, 1), self.artifact(oci, 2, "application/x.other+json")
        for artifact_type, want in ((ARTIFACT, [one]), ("application/x.other+json", [other]), ("application/none", [])):
            r, got = self.ask(http, "?artifactType=" + urllib.parse.quote(artifact_type, safe=""))
            assert got == want
            assert r["OCI-Filters-Applied"] == "artifactType"

    @pytest.mark.parametrize("n", [1, 2, 3, 7])
    def test_pages_leave_nothing_out(self, http, oci, n):
        want = [self.artifact(oci, i, ARTIFACT if i % 3 else "application/x.other") for i in range(7)]
        got = pages(http, f"/v2/app/referrers/{self.SUBJECT}?n={n}", "manifests")
        assert [e for page in got for e in page] == want
        got = pages(http, f"/v2/app/referrers/{self.SUBJECT}?n={n}&artifactType={ARTIFACT}", "manifests")
        assert [e for page in got for e in page] == [e for e in want if e["artifactType"] == ARTIFACT]

    def test_a_page_is_bounded_in_bytes(self, http, oci):
        want = [self.artifact(oci, i, annotations={"x": "a" * 1_500_000, "n": str(i)})["digest"] for i in range(6)]
        got = pages(http, f"/v2/app/referrers/{self.SUBJECT}", "manifests")
        assert len(got) > 1
        assert [e["digest"] for page in got for e in page] == want

    def test_a_deleted_referrer_is_gone_at_once(self, http, oci):
        one = self.artifact(oci, 1)
        oci.delete_manifest("app", one["digest"])
        assert self.ask(http)[1] == []
