"""Every page, in light and dark, wide and narrow: it fits, axe finds nothing serious, and it is kept as a picture to be looked at."""

import contextlib
import hashlib
import json
import re

import pytest

from harness.browser import NARROW, WIDE, axe
from harness.env import ROOT
from harness.http import unfinished
from harness.iam import make_user
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


class Looker:
    """Takes pictures, and collects what is wrong with what they show."""

    def __init__(self, console, viewport, dark):
        self.console, self.viewport, self.found = console, viewport, []
        self.variant = f"{'dark' if dark else 'light'}-{'wide' if viewport is WIDE else 'narrow'}"
        # What axe measures beyond colors is the same in all four.
        self.axe = axe() if dark == (viewport is NARROW) else None
        SHOTS.mkdir(parents=True, exist_ok=True)

    def look(self, name):
        page, viewport = self.console.page, self.viewport
        page.mouse.move(0, 0)
        self.console.settled()  # transitions of color too: axe measures contrast
        # A taller window, not full_page: that emulates another width for a moment, and the navigation closes.
        height = page.evaluate("() => document.documentElement.scrollHeight")
        page.set_viewport_size({"width": viewport["width"], "height": max(viewport["height"], min(height, 3000))})
        page.screenshot(path=SHOTS / f"{name}-{self.variant}.png")
        page.set_viewport_size(viewport)
        if self.axe:
            self.found.extend(f"{name}: {v}" for v in self.console.violations(self.axe))
        if self.console.overflows() > 0:
            self.found.append(f"{name}: {self.console.overflows()} pixels wider than the window")

    def done(self):
        assert not self.found, "\n".join(self.found)


TWO = [pytest.param(WIDE, False, id="wide-light"), pytest.param(NARROW, True, id="narrow-dark")]
FOUR = [*TWO, pytest.param(WIDE, True, id="wide-dark"), pytest.param(NARROW, False, id="narrow-light")]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("viewport,dark", FOUR)
def test_every_page_fits_and_is_accessible(berth, http, make_console, viewport, dark):
    ways = pages(*fill(berth))
    console = make_console(berth, viewport=viewport, dark=dark, bypass_csp=True)
    looker = Looker(console, viewport, dark)
    console.open().see("Sign in with an access key")
    looker.look("sign-in")
    console.fill_in(*berth.credentials)
    for name, way, heading in ways:
        with uploads(http) if name == "status" else contextlib.nullcontext():
            console.go(*way).heading(heading).settled()
            looker.look(name)
    assert "builder" not in console.page.get_by_role("navigation", name="Where you are").inner_text()  # of the page before
    looker.done()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("viewport,dark", TWO)
def test_so_are_tabs_and_dialogs(berth, make_console, viewport, dark):
    image, _, _ = fill(berth)
    console = make_console(berth, viewport=viewport, dark=dark, bypass_csp=True)
    looker = Looker(console, viewport, dark)
    page = console.page
    console.sign_in()

    def tab(name, seen):
        page.get_by_role("tab", name=name).click()
        page.locator(".page").get_by_text(seen).first.wait_for()
        console.settled()
        looker.look(f"image-{name.split()[-1].lower()}")

    def dialog(name, *clicks):
        for click in clicks:
            console.click(click, exact=True)
        console.dialog().first.wait_for()
        console.settled()
        looker.look(f"dialog-{name}")
        page.keyboard.press("Escape")
        console.dialog().first.wait_for(state="hidden")

    console.go("repositories", "app/web", "images", image).heading("app/web:latest").settled()
    tab("Referrers", "SBOM")
    tab("Manifest", "schemaVersion")
    tab("Tag history", "Set")
    dialog("delete-image", "Delete")
    console.go("repositories", "app/web").heading("Images").settled()
    dialog("push-commands", "View push commands")
    dialog("delete-repository", "Delete")
    dialog("mutability", "Edit tag mutability")
    console.go("repositories", "app/web", "lifecycle").heading("Rules").click("Preview", exact=True).see("The rules would delete").settled()
    looker.look("lifecycle-preview")
    console.click("Edit", exact=True).page.get_by_label("Rules, as JSON").wait_for()
    looker.look("lifecycle-editor")
    console.go("repositories", "app/web", "permissions").heading("Permissions").click("Write a policy").page.get_by_label("Policy", exact=True).wait_for()
    looker.look("policy-editor")
    console.go("settings").heading("Blob mounting").settled()
    dialog("blob-mounting", "Disable")
    console.go("users", "builder").heading("Access keys").settled()
    dialog("access-key", "Create access key")
    console.go("users").heading("Users").settled()
    dialog("create-user", "Create user")
    looker.done()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("viewport,dark", TWO)
def test_so_is_an_empty_registry_and_one_that_may_not_be_read(berth, make_console, viewport, dark):
    """Each page says in words what is to do, or which permission is missing."""
    eve = make_user(berth, "eve")
    console = make_console(berth, viewport=viewport, dark=dark, bypass_csp=True)
    looker = Looker(console, viewport, dark)
    ways = [("repositories", "aws ecr create-repository"), ("permissions", "No policy"), ("templates", "aws ecr create-repository-creation-template"), ("sharing", "docker push"), ("sharing/layers", "docker push"),
            ("sharing/map", "docker push"), ("sharing/pools", "docker push"), ("sharing/mounts", "skopeo copy"), ("sharing/estimate", "docker push"), ("status", "Nobody is uploading")]
    console.sign_in()
    for way, hint in ways:
        console.go(*way.split("/")).settled()
        console.page.locator(".page").get_by_text(hint).first.wait_for()
        looker.look(f"empty-{way.replace('/', '-')}")
    console.page.reload()
    console.sign_in(eve["aws_access_key_id"], eve["aws_secret_access_key"])
    for way, _ in ways:
        console.go(*way.split("/")).settled().see(re.compile("has no permission (ecr|sts|iam):"))
        assert "Exception" not in console.page.locator(".page").inner_text()
        looker.look(f"denied-{way.replace('/', '-')}")
    looker.done()


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
