"""Every page, in light and dark, wide and narrow: it fits, axe finds nothing serious, and it is kept as a picture to be looked at."""

import contextlib
import hashlib
import json

import pytest

from harness.browser import NARROW, WIDE, axe
from harness.env import ROOT
from harness.http import unfinished
from harness.oci import INDEX, LAYER, sha256

SHOTS = ROOT / "build" / "screenshots"


def fill(berth):
    """A registry with something on every page. Returns (digest of an image, digest of a shared layer)."""
    kms = berth.client("kms").create_key()["KeyMetadata"]["Arn"]
    names = ["base/debian", "base/node", "app/web", "app/api", "app/worker", "data/etl"]
    berth.create(*names, tags=[{"Key": "team", "Value": "web"}])
    berth.create("ml/train", "ml/serve", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": kms})
    oci = berth.oci()
    base, node, cuda = (bytes([n]) * size for n, size in ((1, 3_000_000), (2, 1_500_000), (3, 4_000_000)))
    top = lambda n: hashlib.sha256(str(n).encode()).digest() * 10_000
    oci.push_image("base/debian", "12", [base])
    oci.push_image("base/node", "24", [base, node], mount_from="base/debian")
    for n, repo in enumerate(["app/web", "app/api", "app/worker"]):
        for v in range(3):
            digest, manifest = oci.push_image(repo, f"1.{v}", [base, node, top((n, v))], mount_from="base/node")
    oci.push_image("data/etl", "1", [base, top(9)], mount_from="base/debian")
    oci.push_image("ml/train", "1", [base, cuda], mount_from="base/debian")  # other pool: pushed again
    oci.push_image("ml/serve", "1", [cuda, top(8)], mount_from="ml/train")
    digest, manifest = oci.push_image("app/web", "latest", [base, node, top("latest")], mount_from="base/node")
    subject = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": len(manifest)}
    oci.push_image("app/web", "sbom", [b"[]"], subject=subject, artifactType="application/spdx+json")
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{**subject, "platform": {"os": "linux", "architecture": "amd64"}}]}
    index_digest = oci.put_manifest("app/web", "multi", json.dumps(index).encode(), INDEX)
    oci.mount_request("app/api", sha256(b"nowhere"), "base/debian")
    ecr = berth.client("ecr")
    rules = [{"rulePriority": 1, "description": "Keep two", "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2}, "action": {"type": "expire"}}]
    ecr.put_lifecycle_policy(repositoryName="app/web", lifecyclePolicyText=json.dumps({"rules": rules}))
    ecr.create_repository_creation_template(prefix="team", appliedFor=["CREATE_ON_PUSH"], description="What teams get")
    iam = berth.client("iam")
    iam.create_user(UserName="builder")
    iam.create_access_key(UserName="builder")
    iam.attach_user_policy(UserName="builder", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser")
    assert LAYER
    return digest, index_digest, sha256(base)


def pages(image, index, layer):
    """(name, way, a heading that is there)"""
    repo = ("repositories", "app/web")
    return [
        ("repositories", ("repositories",), "Private repositories"),
        ("create-repository", ("create-repository",), "Create private repository"),
        ("repository-images", repo, "Images"),
        ("repository-sharing", (*repo, "sharing"), "Shares with"),
        ("repository-permissions", (*repo, "permissions"), "Permissions"),
        ("repository-lifecycle", (*repo, "lifecycle"), "Lifecycle policy"),
        ("repository-history", (*repo, "history"), "Tag history"),
        ("repository-tags", (*repo, "tags"), "Repository tags"),
        ("image", (*repo, "images", image), "app/web:latest"),
        ("image-index", (*repo, "images", index), "Platforms"),
        ("layer", ("layers", layer), "Repositories that hold it"),
        ("settings", ("settings",), "Blob mounting"),
        ("permissions", ("permissions",), "Registry policy"),
        ("templates", ("templates",), "Templates"),
        ("template-new", ("templates", "new"), "When it applies"),
        ("sharing", ("sharing",), "Repositories that save most"),
        ("sharing-layers", ("sharing", "layers"), "Layers that save most"),
        ("sharing-map", ("sharing", "map"), "Who shares with whom"),
        ("sharing-pools", ("sharing", "pools"), "Pools"),
        ("sharing-mounts", ("sharing", "mounts"), "Mounts"),
        ("sharing-estimate", ("sharing", "estimate"), "What would enabling save?"),
        ("status", ("status",), "Requests since the start"),
        ("users", ("users",), "Users"),
        ("user", ("users", "builder"), "Access keys"),
        ("nowhere", ("nowhere",), "There is no such page"),
    ]


@contextlib.contextmanager
def uploads(http):
    """One whose size is known, one whose is not; the server waits for neither for long."""
    known, unknown = (http.post("/v2/app/worker/blobs/uploads/")["Location"] for _ in range(2))
    with unfinished(http, "PATCH", known, b"x" * 700_000, 2_000_000), unfinished(http, "PATCH", unknown, b"x" * 300_000):
        yield


@pytest.mark.timeout(400)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_fits_and_is_accessible(berth, http, make_console, viewport, dark):
    ways = pages(*fill(berth))
    source = axe()
    console = make_console(berth, viewport=viewport, dark=dark, bypass_csp=True)
    variant = f"{'dark' if dark else 'light'}-{'wide' if viewport is WIDE else 'narrow'}"
    SHOTS.mkdir(parents=True, exist_ok=True)
    found = []

    def look(name):
        console.page.mouse.move(0, 0)
        console.page.wait_for_timeout(250)  # transitions of color end; axe measures contrast
        # A taller window, not full_page: that emulates another width for a moment, and the navigation closes.
        height = console.page.evaluate("() => document.documentElement.scrollHeight")
        console.page.set_viewport_size({"width": viewport["width"], "height": max(viewport["height"], min(height, 3000))})
        console.page.screenshot(path=SHOTS / f"{name}-{variant}.png")
        console.page.set_viewport_size(viewport)
        if dark == (viewport is NARROW):  # what axe measures beyond colors is the same in all four
            found.extend(f"{name}: {v}" for v in console.violations(source))
        if console.overflows() > 0:
            found.append(f"{name}: {console.overflows()} pixels wider than the window")

    console.open().see("Sign in with an access key")
    look("sign-in")
    console.fill_in(*berth.credentials)
    for name, way, heading in ways:
        with uploads(http) if name == "status" else contextlib.nullcontext():
            console.go(*way).heading(heading).settled()
            look(name)
    assert "builder" not in console.page.get_by_role("navigation", name="Where you are").inner_text()  # of the page before
    assert not found, "\n".join(found)


def test_the_choice_of_dark_or_light_is_kept(console, berth):
    console.sign_in()
    is_dark = "() => document.body.classList.contains('awsui-dark-mode')"
    assert not console.page.evaluate(is_dark)
    console.click("Appearance")
    console.page.get_by_role("menuitemcheckbox", name="Dark").or_(console.page.get_by_role("menuitem", name="Dark")).first.click()
    console.page.wait_for_function(is_dark)
    console.page.reload()
    console.page.wait_for_function(is_dark)


def test_the_picture_of_sharing_is_read_without_a_mouse(berth, make_console):
    fill(berth)
    console = make_console(berth)
    console.sign_in().go("sharing", "map").heading("Who shares with whom").settled()
    node = console.page.locator('.chord g[aria-label^="base/debian"]')
    node.focus()
    console.page.locator(".chord-says").first.get_by_text("base/debian shares").wait_for()
    assert "app/" in node.get_attribute("aria-label")
    console.page.get_by_role("button", name="Table", exact=True).click()
    rows = console.table("Pairs").get_by_role("row").all_inner_texts()
    assert len(rows) > 5
    assert not any("ml/" in r and ("app/" in r or "base/" in r) for r in rows), "different pools share nothing"
