"""Pages of the ECR API: nothing is left out or told twice, whatever happens between two pages; tokens cannot be tampered with."""

import base64
import json
import time

import pytest

from harness.oci import IMAGE, manifest
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


# -- every list there is -------------------------------------------------------------------------------------------------------


class Lists:
    """Six rows in each list of the API. ask(name) answers (what tells rows apart, the token); add and drop change a row by its number."""

    def __init__(self, berth):
        self.repo, self.ecr, self.account = Repo(berth, "r1"), berth.client("ecr"), berth.account
        self.base = self.repo.make("base")
        self.repo.put(self.base, "base")
        self.calls = {
            "describe_repositories": ("repositories", lambda r: r["repositoryName"], {}),
            "list_images": ("imageIds", lambda r: (r["imageDigest"], r.get("imageTag")), {"repositoryName": "r1"}),
            "describe_images": ("imageDetails", lambda r: r["imageDigest"], {"repositoryName": "r1"}),
            "list_image_referrers": ("referrers", lambda r: r["digest"], {"repositoryName": "r1", "subjectId": {"imageDigest": digest(self.base)}}),
            "describe_repository_creation_templates": ("repositoryCreationTemplates", lambda r: r["prefix"], {}),
            "list_pull_time_update_exclusions": ("pullTimeUpdateExclusions", lambda r: r, {}),
            "get_lifecycle_policy_preview": ("previewResults", lambda r: r["imageDigest"], {"repositoryName": "r1"}),
        }
        for n in range(2, 8):
            self.add(n)

    def referrer(self, n):
        subject = {"mediaType": IMAGE, "digest": digest(self.base), "size": len(self.base)}
        return manifest(self.repo.config, [], subject=subject, artifactType="application/note", annotations={"n": str(n)}).decode()

    def arn(self, n):
        return f"arn:aws:iam::{self.account}:user/u{n}"

    def add(self, n):
        self.ecr.create_repository(repositoryName=f"r{n}")
        self.repo.put(self.repo.make(n), f"t{n}")
        self.repo.put(self.referrer(n))
        self.ecr.create_repository_creation_template(prefix=f"t{n}", appliedFor=["CREATE_ON_PUSH"])
        self.ecr.register_pull_time_update_exclusion(principalArn=self.arn(n))

    def drop(self, n):
        self.ecr.delete_repository(repositoryName=f"r{n}", force=True)
        self.repo.delete({"imageTag": f"t{n}"}, {"imageDigest": digest(self.referrer(n))})
        self.ecr.delete_repository_creation_template(prefix=f"t{n}")
        self.ecr.deregister_pull_time_update_exclusion(principalArn=self.arn(n))

    def preview(self):
        text = json.dumps({"rules": [{"rulePriority": 1, "description": "x" * 100, "action": {"type": "expire"},
                                      "selection": {"tagStatus": "tagged", "tagPatternList": ["t*"], "countType": "imageCountMoreThan", "countNumber": 1}}]})
        self.ecr.start_lifecycle_policy_preview(repositoryName="r1", lifecyclePolicyText=text)
        end = time.monotonic() + 20
        while self.ecr.get_lifecycle_policy_preview(repositoryName="r1")["status"] != "COMPLETE":
            assert time.monotonic() < end
            time.sleep(0.05)

    def ask(self, name, size=2, **more):
        member, key, fixed = self.calls[name]
        page = getattr(self.ecr, name)(**fixed, maxResults=size, **more)
        return [key(r) for r in page[member]], page.get("nextToken")

    def refused(self, name, token):
        fixed = self.calls[name][2]
        return refused("InvalidParameterException", getattr(self.ecr, name), **fixed, nextToken=token)


def test_no_list_takes_a_token_that_it_did_not_give(berth):
    lists = Lists(berth)
    lists.preview()
    tokens = {name: lists.ask(name)[1] for name in lists.calls}
    assert all(tokens.values()), tokens
    for name, token in tokens.items():
        assert lists.ask(name, nextToken=token)[0]
        bad = ["x", token[:-1], token + "A", token[:-4]] + [t for other, t in tokens.items() if other != name]
        bad += [token[:i] + ("A" if c != "A" else "B") + token[i + 1:] for i, c in enumerate(token)]
        for t in bad:
            assert lists.refused(name, t) == BAD_TOKEN, (name, t)


def test_every_list_tells_what_stays_once_while_rows_come_and_go(berth):
    lists = Lists(berth)
    names = [n for n in lists.calls if n != "get_lifecycle_policy_preview"]  # its results do not change any more
    told, tokens, before = {}, {}, {}
    for name in names:
        before[name], _ = lists.ask(name, 50)
        told[name], tokens[name] = lists.ask(name, 3)
    for n in (3, 4, 6):  # some that were told, of some lists the last one, and one that was not
        lists.drop(n)
    lists.add(8)
    lists.add(1000)
    for name in names:
        after, _ = lists.ask(name, 50)
        while tokens[name]:
            rows, tokens[name] = lists.ask(name, 2, nextToken=tokens[name])
            told[name] += rows
        stayed = [r for r in before[name] if r in after]
        assert len(stayed) >= 3 and [r for r in told[name] if r in stayed] == stayed, name
        assert len(told[name]) == len(set(told[name])), name
        assert set(told[name]) <= set(before[name]) | set(after), name
