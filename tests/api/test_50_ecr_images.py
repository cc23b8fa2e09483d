"""Images through the ECR API: PutImage, BatchGetImage, BatchDeleteImage, DescribeImages, ListImages, ListImageReferrers."""

import datetime
import json

import pytest

from harness.oci import CONFIG, DOCKER, IMAGE, INDEX, blob, descriptor, manifest, sha256, sha512
from test_50_ecr_repositories import constraint, refused

NOT_FOUND = ("ImageNotFound", "Requested image not found")
BAD_DIGEST = (
    "InvalidImageDigest", "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
)
NEITHER = ("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
OTHER_IMAGE = ("ImageTagDoesNotMatchDigest", "Invalid request parameters: given tag does not map to the given digest")


class Repo:
    """One repository with a config and a layer in it; makes images of them that differ."""

    def __init__(self, berth, name="app", **settings):
        self.name, self.account = name, berth.account
        self.ecr, self.oci = berth.client("ecr"), berth.oci()
        self.ecr.create_repository(repositoryName=name, **settings)
        self.config, self.layer = b"{}", blob("layer", 1000)
        self.oci.push_blob(name, self.config)
        self.oci.push_blob(name, self.layer)

    def make(self, seed, **more):
        return manifest(self.config, [self.layer], annotations={"seed": str(seed)}, **more).decode()

    def put(self, text, tag=None, **kw):
        if tag is not None:
            kw["imageTag"] = tag
        return self.ecr.put_image(repositoryName=self.name, imageManifest=text, **kw)["image"]

    def get(self, *ids, **kw):
        return self.ecr.batch_get_image(repositoryName=self.name, imageIds=list(ids), **kw)

    def delete(self, *ids):
        r = self.ecr.batch_delete_image(repositoryName=self.name, imageIds=list(ids))
        return r["imageIds"], [(f["imageId"], f["failureCode"], f["failureReason"]) for f in r["failures"]]

    def listed(self):
        return sorted((i["imageDigest"], i.get("imageTag")) for i in self.ecr.list_images(repositoryName=self.name)["imageIds"])

    def describe(self, **kw):
        return self.ecr.describe_images(repositoryName=self.name, **kw)["imageDetails"]

    def refused(self, code, call, **kw):
        return refused(code, getattr(self.ecr, call), repositoryName=self.name, **kw)


@pytest.fixture
def repo(berth):
    return Repo(berth)


def digest(text):
    return sha256(text.encode())


# -- PutImage ----------------------------------------------------------------------------------------------------------------


def test_put_image_answers_the_image_and_keeps_its_exact_bytes(repo):
    text = "{ \"schemaVersion\": 2,\n\t" + json.dumps(json.loads(repo.make("ä\u2028\U0001f600 \\ \"")), ensure_ascii=False)[1:] + "\n"
    image = repo.put(text, "v1")
    assert image == {
        "registryId": repo.account, "repositoryName": "app", "imageId": {"imageDigest": digest(text), "imageTag": "v1"},
        "imageManifest": text, "imageManifestMediaType": IMAGE,
    }
    assert repo.get({"imageTag": "v1"})["images"] == [image]
    assert repo.oci.get_manifest("app", "v1") == text.encode()


def test_the_same_image_with_the_same_tag_exists_already(repo):
    text = repo.make(1)
    repo.put(text, "v1")
    want = f"Image with digest '{digest(text)}' and tag 'v1' already exists in the repository with name 'app' in registry with id '{repo.account}'"
    assert repo.refused("ImageAlreadyExistsException", "put_image", imageManifest=text, imageTag="v1") == want
    repo.put(text, "v2")
    repo.refused("ImageAlreadyExistsException", "put_image", imageManifest=text)
    assert repo.listed() == [(digest(text), "v1"), (digest(text), "v2")]


def test_an_image_needs_no_tag(repo):
    text = repo.make(1)
    assert repo.put(text)["imageId"] == {"imageDigest": digest(text)}
    assert repo.listed() == [(digest(text), None)]
    repo.put(text, "later")
    assert repo.listed() == [(digest(text), "later")]


def test_a_tag_moves_unless_it_is_immutable(berth, repo):
    one, two = repo.make(1), repo.make(2)
    repo.put(one, "v1")
    repo.put(two, "v1")
    assert repo.listed() == sorted([(digest(one), None), (digest(two), "v1")], key=lambda x: x[0])
    repo.ecr.put_image_tag_mutability(repositoryName="app", imageTagMutability="IMMUTABLE")
    text = repo.refused("ImageTagAlreadyExistsException", "put_image", imageManifest=one, imageTag="v1")
    assert text == "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable"
    repo.put(one, "v2")


def test_exclusion_filters_turn_the_rule_around(berth):
    dev = [{"filterType": "WILDCARD", "filter": "dev*"}]
    for name, mode, free, fixed in (("one", "IMMUTABLE_WITH_EXCLUSION", "dev-1", "v1"), ("two", "MUTABLE_WITH_EXCLUSION", "v1", "dev-1")):
        repo = Repo(berth, name, imageTagMutability=mode, imageTagMutabilityExclusionFilters=dev)
        for tag in (free, fixed):
            repo.put(repo.make(1), tag)
        repo.put(repo.make(2), free)
        text = repo.refused("ImageTagAlreadyExistsException", "put_image", imageManifest=repo.make(2), imageTag=fixed)
        assert text.startswith(f"The image tag '{fixed}' already exists in the '{name}' repository")


def test_the_media_type_must_be_said_somewhere(repo):
    m = json.loads(repo.make(1))
    del m["mediaType"]
    text = json.dumps(m)
    repo.refused("InvalidParameterException", "put_image", imageManifest=text, imageTag="v1")
    assert repo.put(text, "v1", imageManifestMediaType=IMAGE)["imageManifestMediaType"] == IMAGE
    other = repo.make(2)
    repo.refused("InvalidParameterException", "put_image", imageManifest=other, imageTag="v2", imageManifestMediaType=DOCKER)


def test_a_digest_that_is_given_must_be_the_manifests(repo):
    text = repo.make(1)
    repo.refused("ImageDigestDoesNotMatchException", "put_image", imageManifest=text, imageTag="v1", imageDigest="sha256:" + "0" * 64)
    repo.refused("InvalidParameterException", "put_image", imageManifest=text, imageTag="v1", imageDigest="nonsense")
    assert repo.listed() == []
    assert repo.put(text, "v1", imageDigest=digest(text))["imageId"]["imageDigest"] == digest(text)
    long = repo.make(2)
    assert repo.put(long, "v2", imageDigest=sha512(long.encode()))["imageId"]["imageDigest"] == sha512(long.encode())


def test_what_a_manifest_needs_must_be_there(repo):
    missing = blob("never pushed")
    text = manifest(repo.config, [repo.layer, missing]).decode()
    got = repo.refused("LayersNotFoundException", "put_image", imageManifest=text, imageTag="v1")
    assert got == (
        f"Layers with digests '[{sha256(missing)}]' required for pushing image into repository with name 'app'"
        f" in the registry with id '{repo.account}' do not exist"
    )
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor(b"nothing", IMAGE)]})
    got = repo.refused("ReferencedImagesNotFoundException", "put_image", imageManifest=index, imageTag="v1")
    assert got.startswith(f"Images with digests '[{sha256(b'nothing')}]' required for pushing image into repository with name 'app'")
    assert repo.listed() == []


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"schemaVersion":2,"mediaType":"' + IMAGE + '"}', "plain"])
def test_text_that_is_no_manifest_is_a_bad_parameter(repo, text):
    got = repo.refused("InvalidParameterException", "put_image", imageManifest=text, imageTag="v1")
    assert got.startswith("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '")


@pytest.mark.parametrize("tag", ["a b", "-a", ".a", "a:b", "a/b", "x" * 129, "é"])
def test_tags_that_break_the_grammar_are_refused(repo, tag):
    got = repo.refused("InvalidParameterException", "put_image", imageManifest=repo.make(1), imageTag=tag)
    assert got == constraint("imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'")
    assert repo.listed() == []


def padded(repo, size):
    """A manifest of exactly this many bytes."""
    text = repo.make(1, padding="")
    return repo.make(1, padding="x" * (size - len(text)))


def test_a_manifest_of_four_mebibytes_goes_in_and_out_and_one_more_byte_does_not(repo):
    text = padded(repo, 4194304)
    assert len(text) == 4194304
    repo.put(text, "v1")
    assert repo.get({"imageTag": "v1"})["images"][0]["imageManifest"] == text
    got = repo.refused("InvalidParameterException", "put_image", imageManifest=padded(repo, 4194305), imageTag="v2")
    assert got == constraint("imageManifest", "Member must have length less than or equal to 4194304")


@pytest.mark.slow
def test_an_answer_that_would_be_too_long_is_refused_not_cut(repo):
    for i in range(9):
        repo.put(padded(repo, 4194304 - i), f"v{i}")
    repo.refused("LimitExceededException", "batch_get_image", imageIds=[{"imageTag": f"v{i}"} for i in range(9)])
    assert len(repo.get(*[{"imageTag": f"v{i}"} for i in range(4)])["images"]) == 4


# -- BatchGetImage -----------------------------------------------------------------------------------------------------------


def test_images_are_got_by_tag_by_digest_and_by_both(repo):
    text = repo.make(1)
    repo.put(text, "v1")
    d = digest(text)
    for asked, told in (
        ({"imageTag": "v1"}, {"imageTag": "v1", "imageDigest": d}),
        ({"imageDigest": d}, {"imageDigest": d}),
        ({"imageTag": "v1", "imageDigest": d}, {"imageTag": "v1", "imageDigest": d}),
    ):
        r = repo.get(asked)
        assert r["failures"] == [] and [i["imageId"] for i in r["images"]] == [told]
        assert r["images"][0]["imageManifest"] == text


def test_what_cannot_be_got_is_a_failure_each_with_its_reason(repo):
    text, other = repo.make(1), repo.make(2)
    repo.put(text, "v1")
    repo.put(other, "v2")
    zero = "sha256:" + "0" * 64
    rows = [
        ({"imageTag": "none"}, NOT_FOUND), ({"imageDigest": zero}, NOT_FOUND), ({"imageDigest": "md5:00"}, NOT_FOUND),
        ({"imageDigest": "nonsense"}, BAD_DIGEST), ({}, NEITHER),
        ({"imageTag": "none", "imageDigest": digest(text)}, NOT_FOUND),
        ({"imageTag": "v1", "imageDigest": digest(other)}, OTHER_IMAGE), ({"imageTag": "v1", "imageDigest": zero}, OTHER_IMAGE),
    ]
    r = repo.get(*[id for id, _ in rows], {"imageTag": "v1"})
    assert [i["imageId"]["imageTag"] for i in r["images"]] == ["v1"]
    assert [(f["imageId"], (f["failureCode"], f["failureReason"])) for f in r["failures"]] == rows
    r = repo.get({"imageTag": "a b"})
    assert r["failures"][0]["failureCode"] == "InvalidImageTag"


def test_a_hundred_images_in_one_call(repo):
    texts = [repo.make(i) for i in range(100)]
    for i, text in enumerate(texts):
        repo.put(text, f"v{i}")
    r = repo.get(*[{"imageTag": f"v{i}"} for i in range(100)])
    assert [i["imageManifest"] for i in r["images"]] == texts and r["failures"] == []


def test_accepted_media_types_never_convert(repo):
    text = repo.make(1)
    repo.put(text, "v1")
    r = repo.get({"imageTag": "v1"}, acceptedMediaTypes=[DOCKER])
    assert r["images"][0]["imageManifest"] == text and r["images"][0]["imageManifestMediaType"] == IMAGE


# -- BatchDeleteImage --------------------------------------------------------------------------------------------------------


def test_by_tag_the_tag_goes_and_the_image_with_its_last(repo):
    text = repo.make(1)
    d = digest(text)
    repo.put(text, "v1")
    repo.put(text, "v2")
    assert repo.delete({"imageTag": "v1"}) == ([{"imageDigest": d, "imageTag": "v1"}], [])
    assert repo.listed() == [(d, "v2")]
    assert repo.delete({"imageTag": "v2", "imageDigest": d}) == ([{"imageDigest": d, "imageTag": "v2"}], [])
    assert repo.listed() == []


def test_by_digest_the_image_goes_with_all_its_tags(repo):
    text = repo.make(1)
    d = digest(text)
    repo.put(text, "v1")
    repo.put(text, "v2")
    gone, failures = repo.delete({"imageDigest": d})
    assert sorted(g["imageTag"] for g in gone) == ["v1", "v2"] and {g["imageDigest"] for g in gone} == {d} and failures == []
    repo.put(text)
    assert repo.delete({"imageDigest": d}) == ([{"imageDigest": d}], [])
    assert repo.describe() == []


def test_ids_of_one_batch_are_meant_together(repo):
    text = repo.make(1)
    d = digest(text)
    repo.put(text, "v1")
    repo.put(text, "v2")
    gone, failures = repo.delete({"imageDigest": d}, {"imageTag": "v2"}, {"imageDigest": d, "imageTag": "v1"}, {"imageTag": "v3"})
    assert len(gone) == 2
    assert failures == [({"imageTag": "v3"}, *NOT_FOUND)]


def test_what_cannot_be_deleted_is_a_failure_each_with_its_reason(repo):
    text, other = repo.make(1), repo.make(2)
    repo.put(text, "v1")
    repo.put(other, "v2")
    zero = "sha256:" + "0" * 64
    rows = [
        ({"imageTag": "none"}, NOT_FOUND), ({"imageDigest": zero}, NOT_FOUND), ({"imageDigest": "nonsense"}, BAD_DIGEST), ({}, NEITHER),
        ({"imageTag": "none", "imageDigest": digest(text)}, NOT_FOUND), ({"imageTag": "v1", "imageDigest": digest(other)}, OTHER_IMAGE),
    ]
    gone, failures = repo.delete(*[id for id, _ in rows])
    assert gone == [] and failures == [(id, *why) for id, why in rows]
    assert len(repo.listed()) == 2


def test_an_image_that_a_list_names_stays_until_the_list_goes(repo):
    text = repo.make(1)
    repo.put(text, "v1")
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor(text.encode(), IMAGE)]})
    repo.put(index, "all")
    want = f"Requested image referenced by manifest list: [{digest(index)}]"
    assert repo.delete({"imageDigest": digest(text)}) == ([], [({"imageDigest": digest(text)}, "ImageReferencedByManifestList", want)])
    assert len(repo.listed()) == 2
    gone, failures = repo.delete({"imageTag": "all"}, {"imageDigest": digest(text)})
    assert len(gone) == 2 and failures == []


# -- DescribeImages, ListImages ----------------------------------------------------------------------------------------------


def test_an_image_is_described_as_ecr_does(repo):
    text = repo.make(1)
    repo.put(text, "b")
    repo.put(text, "a")
    [d] = repo.describe()
    pushed = d.pop("imagePushedAt")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - pushed).total_seconds()) < 60
    assert sorted(d.pop("imageTags")) == ["a", "b"]
    assert d == {
        "registryId": repo.account, "repositoryName": "app", "imageDigest": digest(text),
        "imageSizeInBytes": len(text) + len(repo.config) + len(repo.layer), "imageManifestMediaType": IMAGE,
        "artifactMediaType": CONFIG, "imageStatus": "ACTIVE",
    }


def test_a_list_is_as_large_as_its_largest_image_and_a_referrer_names_its_subject(repo):
    small = repo.make(1)
    more = blob("more", 5000)
    repo.oci.push_blob("app", more)
    large = manifest(repo.config, [repo.layer, more]).decode()
    repo.put(small)
    repo.put(large)
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor(t.encode(), IMAGE) for t in (small, large)]})
    repo.put(index, "all")
    subject = {"mediaType": IMAGE, "digest": digest(large), "size": len(large)}
    sbom = repo.make("sbom", subject=subject, artifactType="application/sbom")
    repo.put(sbom)
    by = {d["imageDigest"]: d for d in repo.describe()}
    assert by[digest(index)]["imageSizeInBytes"] == by[digest(large)]["imageSizeInBytes"]
    assert by[digest(index)]["imageManifestMediaType"] == INDEX
    assert by[digest(sbom)]["subjectManifestDigest"] == digest(large)
    assert by[digest(sbom)]["artifactMediaType"] == "application/sbom"
    assert "imageTags" not in by[digest(small)] and "subjectManifestDigest" not in by[digest(small)]


def test_images_are_described_by_id_once_each(repo):
    one, two = repo.make(1), repo.make(2)
    repo.put(one, "v1")
    repo.put(one, "v1.0")
    repo.put(two, "v2")
    got = repo.describe(imageIds=[{"imageTag": "v2"}, {"imageTag": "v1"}, {"imageDigest": digest(one)}, {"imageTag": "v1.0"}])
    assert [d["imageDigest"] for d in got] == [digest(two), digest(one)]
    want = (
        "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name 'app'"
        f" in the registry with id '{repo.account}'"
    )
    zero = "sha256:" + "0" * 64
    for id, text in (
        ({"imageTag": "x"}, want.format("null", "x")), ({"imageDigest": zero}, want.format(zero, "null")),
        ({"imageTag": "v1", "imageDigest": digest(two)}, want.format(digest(two), "v1")),
    ):
        assert repo.refused("ImageNotFoundException", "describe_images", imageIds=[{"imageTag": "v1"}, id]) == text
    repo.refused("InvalidParameterException", "describe_images", imageIds=[{}])
    repo.refused("InvalidParameterException", "describe_images", imageIds=[{"imageDigest": "nonsense"}])
    for paging in ({"maxResults": 5}, {"nextToken": "x"}):
        repo.refused("InvalidParameterException", "describe_images", imageIds=[{"imageTag": "v1"}], **paging)


def test_filters_by_tag_status(repo):
    tagged, bare = repo.make(1), repo.make(2)
    repo.put(tagged, "v1")
    repo.put(tagged, "v2")
    repo.put(bare)
    listed = lambda **f: sorted((i["imageDigest"], i.get("imageTag", "")) for i in repo.ecr.list_images(repositoryName="app", filter=f)["imageIds"])
    described = lambda **f: {d["imageDigest"] for d in repo.describe(filter=f)}
    both = sorted([(digest(tagged), "v1"), (digest(tagged), "v2")])
    assert listed(tagStatus="TAGGED") == both
    assert listed(tagStatus="UNTAGGED") == [(digest(bare), "")]
    assert listed(tagStatus="ANY") == listed() == sorted([*both, (digest(bare), "")])
    assert described(tagStatus="TAGGED") == {digest(tagged)}
    assert described(tagStatus="UNTAGGED") == {digest(bare)}
    assert described(tagStatus="ANY") == {digest(tagged), digest(bare)}
    assert listed(imageStatus="ACTIVE") == listed(imageStatus="ANY") == listed()
    for status in ("ARCHIVED", "ACTIVATING"):
        assert listed(imageStatus=status) == [] and described(imageStatus=status) == set()
    assert repo.describe(imageIds=[{"imageTag": "v1"}, {"imageDigest": digest(bare)}], filter={"tagStatus": "UNTAGGED"})[0]["imageDigest"] == digest(bare)


# -- ListImageReferrers ------------------------------------------------------------------------------------------------------


def test_referrers_of_an_image(repo):
    base = repo.make("base")
    repo.put(base, "v1")
    subject = {"mediaType": IMAGE, "digest": digest(base), "size": len(base)}
    made = []
    for i in range(3):
        text = manifest(repo.config, [], subject=subject, artifactType=f"application/type{i}", annotations={"n": str(i)}).decode()
        repo.put(text)
        made.append({
            "digest": digest(text), "mediaType": IMAGE, "artifactType": f"application/type{i}", "size": len(text),
            "annotations": {"n": str(i)}, "artifactStatus": "ACTIVE",
        })
    ask = lambda **kw: repo.ecr.list_image_referrers(repositoryName="app", subjectId={"imageDigest": digest(base)}, **kw)
    assert ask()["referrers"] == made and "nextToken" not in ask()
    assert ask(filter={"artifactTypes": ["application/type1", "application/none"]})["referrers"] == [made[1]]
    assert ask(filter={"artifactTypes": [], "artifactStatus": "ANY"})["referrers"] == made
    assert ask(filter={"artifactStatus": "ARCHIVED"})["referrers"] == []
    first = ask(maxResults=2)
    assert first["referrers"] == made[:2]
    assert ask(maxResults=2, nextToken=first["nextToken"])["referrers"] == made[2:]
    none = repo.ecr.list_image_referrers(repositoryName="app", subjectId={"imageDigest": "sha256:" + "0" * 64})
    assert none["referrers"] == []
    repo.refused("InvalidParameterException", "list_image_referrers", subjectId={"imageDigest": "nonsense"})
