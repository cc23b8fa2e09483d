"""Pages of the ECR API: nothing is left out or told twice, whatever happens between two pages; tokens cannot be tampered with."""

import base64

import pytest

from test_50_ecr_images import Repo, digest
from test_50_ecr_repositories import constraint, refused

BAD_TOKEN = constraint("NextToken", "Invalid token")


def names(page):
    return [r["repositoryName"] for r in page["repositories"]]


@pytest.mark.parametrize("size", [1, 2, 6, 7, 8, 1000])
def test_pages_of_repositories_leave_nothing_out(berth, ecr, size):
    want = sorted(["b", "a/b", "a-b", "a", "z9", "m/m/m", "aa"], key=str.encode)
    want = [n + n for n in want]
    want.sort(key=str.encode)
    berth.create(*reversed(want))
    pages = list(ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": size}))
    assert [n for p in pages for n in names(p)] == want
    assert all(len(p["repositories"]) == size for p in pages[:-1])
    assert "nextToken" not in pages[-1]


def test_a_hundred_are_a_page_unless_told_otherwise(berth, ecr):
    berth.create(*[f"r{i:03}" for i in range(101)])
    first = ecr.describe_repositories()
    assert len(first["repositories"]) == 100
    assert names(ecr.describe_repositories(nextToken=first["nextToken"])) == ["r100"]


def test_repositories_that_stay_are_told_once_while_others_come_and_go(berth, ecr):
    berth.create("aa", "cc", "ee", "gg", "ii")
    page = ecr.describe_repositories(maxResults=2)
    got = names(page)
    ecr.delete_repository(repositoryName="cc")  # the last one told: its place in the order stays
    berth.create("ab", "cd")  # before and behind the place
    ecr.delete_repository(repositoryName="gg")
    while "nextToken" in page:
        page = ecr.describe_repositories(maxResults=2, nextToken=page["nextToken"])
        got += names(page)
    assert got == ["aa", "cc", "cd", "ee", "ii"]


@pytest.fixture
def repo(berth):
    """Seven images with three, one, no, ... tags."""
    repo = Repo(berth)
    repo.images = []
    for i, tags in enumerate([3, 1, 0, 2, 0, 0, 5]):
        text = repo.make(i)
        for t in range(tags):
            repo.put(text, f"t{9 - i}-{t}")
        if not tags:
            repo.put(text)
        repo.images.append((digest(text), tags))
    return repo


def all_pages(call, field, **kw):
    got, token = [], {}
    while True:
        page = call(**kw, **token)
        got.append(page[field])
        if "nextToken" not in page:
            return got
        token = {"nextToken": page["nextToken"]}
        assert len(got) < 100


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("status,count", [("ANY", 14), ("TAGGED", 11), ("UNTAGGED", 3)])
def test_pages_of_image_ids_leave_nothing_out(repo, size, status, count):
    pages = all_pages(repo.ecr.list_images, "imageIds", repositoryName="app", maxResults=size, filter={"tagStatus": status})
    got = [(i["imageDigest"], i.get("imageTag")) for p in pages for i in p]
    assert len(got) == len(set(got)) == count
    assert all(len(p) <= size for p in pages)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("status,count", [("ANY", 7), ("TAGGED", 4), ("UNTAGGED", 3)])
def test_pages_of_image_details_leave_nothing_out(repo, size, status, count):
    pages = all_pages(repo.ecr.describe_images, "imageDetails", repositoryName="app", maxResults=size, filter={"tagStatus": status})
    got = [d["imageDigest"] for p in pages for d in p]
    assert len(got) == len(set(got)) == count
    assert all(len(p) <= size for p in pages)
    by = dict(repo.images)
    assert all(len(d.get("imageTags", [])) == by[d["imageDigest"]] for p in pages for d in p)


def test_images_that_stay_are_told_once_while_others_come_and_go(repo):
    page = repo.ecr.describe_images(repositoryName="app", maxResults=2)
    got = [d["imageDigest"] for d in page["imageDetails"]]
    assert got == [d for d, _ in repo.images[:2]]
    repo.delete({"imageDigest": repo.images[0][0]}, {"imageDigest": repo.images[1][0]}, {"imageDigest": repo.images[3][0]})
    new = repo.make("new")
    repo.put(new)
    while "nextToken" in page:
        page = repo.ecr.describe_images(repositoryName="app", maxResults=2, nextToken=page["nextToken"])
        got += [d["imageDigest"] for d in page["imageDetails"]]
    assert got == [repo.images[i][0] for i in (0, 1, 2, 4, 5, 6)] + [digest(new)]


def test_a_tag_between_two_pages_of_one_image(repo):
    text = repo.make("many")
    for i in range(6):
        repo.put(text, f"m{2 * i}")
    of = lambda page: [i["imageTag"] for i in page["imageIds"] if i["imageDigest"] == digest(text)]
    page = repo.ecr.list_images(repositoryName="app", maxResults=14 + 3)
    got = of(page)
    assert len(got) == 3
    repo.delete({"imageTag": got[-1]})
    repo.put(text, "m5")
    page = repo.ecr.list_images(repositoryName="app", maxResults=17, nextToken=page["nextToken"])
    assert "nextToken" not in page
    assert sorted(got + of(page)) == sorted({f"m{2 * i}" for i in range(6)} | {"m5"})


def test_tokens_that_were_altered_are_refused(berth, repo):
    token = repo.ecr.list_images(repositoryName="app", maxResults=2)["nextToken"]
    bad = ["x", "", " " + token, token[:-2], token + "AA", token[::-1], "A" * len(token), "A" * 5000, base64.b64encode(b"5 t1").decode()]
    bad += [token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:] for i in range(0, len(token), 7)]
    for t in bad:
        assert repo.refused("InvalidParameterException", "list_images", nextToken=t) == BAD_TOKEN
    assert repo.ecr.list_images(repositoryName="app", nextToken=token)["imageIds"]


def test_a_token_serves_only_the_list_it_came_from(berth, repo):
    other = Repo(berth, "other")
    listed = repo.ecr.list_images(repositoryName="app", maxResults=2)["nextToken"]
    described = repo.ecr.describe_images(repositoryName="app", maxResults=2)["nextToken"]
    repositories = repo.ecr.describe_repositories(maxResults=1)["nextToken"]
    west = berth.client("ecr", region_name="us-west-2")
    west.create_repository(repositoryName="app")
    for call, more in [
        (repo.ecr.describe_images, {"repositoryName": "app", "nextToken": listed}),
        (repo.ecr.list_images, {"repositoryName": "app", "nextToken": described}),
        (repo.ecr.list_images, {"repositoryName": "app", "nextToken": repositories}),
        (other.ecr.list_images, {"repositoryName": "other", "nextToken": listed}),
        (west.list_images, {"repositoryName": "app", "nextToken": listed}),
        (repo.ecr.describe_repositories, {"nextToken": listed}),
        (west.describe_repositories, {"nextToken": repositories}),
    ]:
        assert refused("InvalidParameterException", call, **more) == BAD_TOKEN


def test_tokens_outlive_a_restart(berth, repo):
    token = repo.ecr.list_images(repositoryName="app", maxResults=2)["nextToken"]
    want = repo.ecr.list_images(repositoryName="app", nextToken=token)["imageIds"]
    berth.restart()
    assert berth.client("ecr").list_images(repositoryName="app", nextToken=token)["imageIds"] == want
