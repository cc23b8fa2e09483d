"""What people come for: switch sharing on, push, and see what it did; create and delete; who may and who may not."""

import hashlib
import json
import re
import subprocess
import time

from harness.env import clean_env, run
from harness.http import unfinished


def push(berth, images, name, repo, tag="1"):
    """By skopeo, as a user would."""
    auth = berth.home / "auth.json"
    env = clean_env(berth.home)
    run(["skopeo", "login", "--authfile", auth, "--tls-verify=false", "--username", "AWS", "--password-stdin", berth.host], env, text=berth.token)
    run(["skopeo", "--insecure-policy", "copy", "--authfile", auth, "--dest-tls-verify=false", f"oci:{images}/layout:{name}", f"docker://{berth.host}/{repo}:{tag}"], env)


def test_blob_mounting_is_enabled_and_the_next_push_shares(make_berth, make_console, images, layout):
    berth = make_berth(setting="DISABLED")
    berth.create("team/one", "team/two", "team/three")
    push(berth, images, "one", "team/one")
    push(berth, images, "two", "team/two")
    console = make_console(berth)
    console.sign_in()

    # Off: nothing is shared; the page says what enabling would save once a client has asked.
    console.go("sharing", "estimate").heading("What would enabling save?").settled()
    console.go("settings").heading("Blob mounting")
    console.see("Disabled").see("both have the identical encryption configuration").see("ecr:GetDownloadUrlForLayer")
    console.click("Enable", exact=True)
    console.dialog().get_by_role("button", name="Enable").click()
    console.see("Blob mounting is enabled")
    assert berth.client("ecr").get_account_setting(name="BLOB_MOUNTING")["value"] == "ENABLED"
    console.see("Enabled")

    before = berth.savings()["total"]
    push(berth, images, "one", "team/three")
    base, top = (d["digest"] for d in layout.manifest("one")["layers"])
    size = layout.manifest("one")["layers"][0]["size"]

    # The image says where its layers came from.
    digest = layout.digest("one")
    console.go("repositories", "team/three", "images", digest).heading("team/three:1").settled()
    cells = console.cells("Layers", base[:19])
    assert "Mounted from team/" in cells[3] and "other repositor" in cells[4], cells
    console.go("layers", base).settled().heading("Repositories that hold it")
    assert console.row("Repositories that hold it", "team/three").count() == 1

    # The mount log tells it in words, the saving is there.
    console.go("sharing", "mounts").settled()
    assert console.cells("Mount log", "team/three")[1] == "Mounted"
    console.see("The layer was shared. Nothing had to be pushed again.")
    console.go("sharing").heading("Savings").settled()
    after = berth.savings()["total"]
    assert after["saved_bytes"] - before["saved_bytes"] >= size
    card = console.page.get_by_text("Saved by sharing", exact=True).first.locator("xpath=../..")
    assert f"{after['saved_bytes'] / 1e6:.1f} MB" in card.inner_text()

    # Off again, with what was shared kept.
    console.go("settings").settled().click("Disable", exact=True)
    console.dialog().get_by_role("button", name="Disable").click()
    console.see("Blob mounting is disabled").see("Images that were pushed with mounted layers keep working")


def test_what_enabling_would_save_is_counted_while_it_is_off(make_berth, make_console):
    berth = make_berth(setting="DISABLED")
    berth.create("base", "app/web")
    oci = berth.oci()
    layer = bytes(3_000_000)
    oci.push_image("base", "1", [layer])
    digest = "sha256:" + hashlib.sha256(layer).hexdigest()
    assert oci.mount_request("app/web", digest, "base").status == 202
    console = make_console(berth)
    console.sign_in().go("sharing", "estimate").settled()
    end = time.monotonic() + 10  # the mount log is written behind the answer
    while console.page.get_by_text("3.00 MB", exact=True).count() == 0 and time.monotonic() < end:
        console.go("status").settled().go("sharing", "estimate").settled()
    console.see("3.00 MB", exact=True).see("were pushed again in 1 layer that").see("Repositories that would gain most")
    console.page.get_by_role("link", name="Enable blob mounting").click()
    console.heading("Features & Settings")


def test_a_repository_is_created_with_what_the_form_says(console, berth):
    console.sign_in().click("Create repository")
    console.page.wait_for_url("**/#/create-repository")
    console.heading("Create private repository")
    page = console.page
    page.get_by_label("Repository name").last.fill("Team/App")
    console.see("Only lowercase letters are allowed.")
    page.get_by_label("Repository name").last.fill("team/app")
    page.get_by_role("radio", name="Immutable", exact=True).check()
    console.click("Add a filter")
    page.get_by_label("Filter 1").fill("latest")
    page.get_by_role("radio", name="AWS KMS", exact=True).check()
    console.click("Add a tag")
    page.get_by_label("Key 1").fill("team")
    page.get_by_label("Value 1").fill("payments")
    console.click("Create", exact=True)
    console.see("Repository team/app is created").heading("team/app")
    console.see("Immutable with exclusions")
    ecr = berth.client("ecr")
    got = ecr.describe_repositories(repositoryNames=["team/app"])["repositories"][0]
    assert got["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert got["imageTagMutabilityExclusionFilters"] == [{"filterType": "WILDCARD", "filter": "latest"}]
    assert got["encryptionConfiguration"]["encryptionType"] == "KMS"
    assert ecr.list_tags_for_resource(resourceArn=got["repositoryArn"])["tags"] == [{"Key": "team", "Value": "payments"}]


def test_pools_say_who_encrypts(make_berth, make_console):
    for args, words in (((), ("Berth, with a key that it keeps", "Berth, with the named key")), (("--encryption", "disk"), ("The disk, as the operator says",) * 2)):
        berth = make_berth(*args)
        key = berth.client("kms").create_key()["KeyMetadata"]["Arn"]
        berth.create("app/web")
        berth.create("app/locked", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key})
        console = make_console(berth)
        console.sign_in()
        console.go("sharing", "pools").heading("Pools").settled()
        console.see(key)
        text = console.page.locator("main").inner_text()
        for word in set(words):
            assert text.count(word) == words.count(word), text


def test_a_name_that_is_taken_is_said_in_words(console, berth):
    berth.create("app/web")
    console.sign_in().go("create-repository")
    console.page.get_by_label("Repository name").last.fill("app/web")
    console.click("Create", exact=True)
    console.see("The repository exists already")


def test_deleting_asks_for_the_word_and_says_what_goes_along(console, berth, images):
    berth.create("app/web")
    push(berth, images, "one", "app/web")
    console.sign_in().settled()
    console.page.get_by_role("checkbox", name="Select app/web").check()
    console.click("Delete", exact=True)
    dialog = console.dialog()
    dialog.get_by_text("1 image in this repository will be deleted too").wait_for()
    delete = dialog.get_by_role("button", name="Delete", exact=True)
    assert delete.is_disabled()
    dialog.get_by_role("textbox").fill("delete me")
    assert delete.is_disabled()
    dialog.get_by_role("textbox").fill("delete")
    delete.click()
    console.see("Repository app/web is deleted").see("No repositories yet")
    assert berth.client("ecr").describe_repositories()["repositories"] == []


def test_the_push_commands_work_as_they_stand(console, berth, images):
    berth.create("app/web")
    console.sign_in().go("repositories", "app/web").heading("app/web").click("View push commands")
    console.page.get_by_role("tab", name="Skopeo").click()
    panel = console.dialog()
    panel.get_by_text("skopeo login").wait_for()
    commands = [c for c in panel.locator("pre:visible").all_inner_texts()]
    assert len(commands) == 2 and berth.host in commands[0]
    env = berth.env(REGISTRY_AUTH_FILE=berth.home / "auth.json")
    login, copy = commands
    copy = copy.replace("oci:web:latest", f"oci:{images}/layout:one").replace("skopeo copy", "skopeo --insecure-policy copy")
    for command in (login, copy):
        done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
    console.dialog().get_by_role("button", name="Close", exact=True).last.click()
    console.click("Refresh")
    console.page.get_by_role("tab", name="Images").click()
    console.go("repositories", "app/web", "sharing").go("repositories", "app/web", "images").settled()
    console.row("Images", "latest").wait_for()


def test_images_are_found_archived_restored_and_deleted(console, berth, images, layout):
    berth.create("app/web")
    push(berth, images, "one", "app/web", "v1")
    push(berth, images, "two", "app/web", "v2")
    console.sign_in().go("repositories", "app/web").settled()
    console.page.get_by_role("searchbox", name="Find images").fill("v2")
    console.see("1 match")
    assert console.row("Images", "v1").count() == 0
    console.page.get_by_role("checkbox", name="Select v2").check()
    console.click("Storage class")
    console.page.get_by_role("menuitem", name="Archive").click()
    console.dialog().get_by_role("button", name="Archive", exact=True).click()
    console.see("1 image is archived").see("Archived")
    console.go("repositories", "app/web", "images", layout.digest("two")).heading("app/web:v2")
    console.see("Archived").click("Restore")
    console.dialog().get_by_role("button", name="Restore", exact=True).click()
    console.see("The image is being restored")
    console.click("Delete", exact=True)
    console.dialog().get_by_role("textbox").fill("delete")
    console.dialog().get_by_role("button", name="Delete", exact=True).click()
    console.see("The image is deleted").settled()
    assert [i["imageTag"] for i in berth.client("ecr").list_images(repositoryName="app/web")["imageIds"]] == ["v1"]


def test_an_image_shows_its_manifest_and_the_history_of_its_tag(console, berth, images, layout):
    berth.create("app/web")
    push(berth, images, "one", "app/web", "latest")
    push(berth, images, "two", "app/web", "latest")
    console.sign_in().go("repositories", "app/web", "images", layout.digest("two")).heading("app/web:latest")
    console.page.get_by_role("tab", name="Manifest").click()
    assert json.loads(console.page.locator("pre.manifest").inner_text()) == layout.manifest("two")
    console.page.get_by_role("tab", name="Tag history").click()
    assert console.cells("Tag history", "Moved")[-1] == "root"
    console.page.get_by_role("tab", name="Referrers").click()
    console.see("Nothing refers to this image")


def test_a_lifecycle_policy_is_checked_previewed_and_saved(console, berth, images):
    berth.create("app/web")
    for name, tag in (("base", "1"), ("one", "2"), ("two", "3")):
        push(berth, images, name, "app/web", tag)
    console.sign_in().go("repositories", "app/web", "lifecycle").see("No lifecycle policy").click("Write a lifecycle policy")
    editor = console.page.get_by_label("Rules, as JSON")
    editor.fill('{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}')
    console.see('Rule 1: tagStatus "tagged" needs tagPatternList or tagPrefixList.')
    assert console.button("Save", exact=True).is_disabled() and console.button("Preview", exact=True).is_disabled()
    editor.fill('{"rules": [')
    console.page.get_by_text(re.compile("Line 1:|Not valid JSON")).first.wait_for()
    policy = {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}
    editor.fill(json.dumps(policy))
    console.see("Delete images, except the youngest").click("Preview", exact=True)
    console.see("The rules would delete 2 images now").see("This is only a preview")
    table = console.table("Images that the rules would take")
    assert table.get_by_role("row").count() == 3
    assert len(berth.client("ecr").describe_images(repositoryName="app/web")["imageDetails"]) == 3
    console.click("Save", exact=True)
    console.see("The lifecycle policy is saved")
    assert json.loads(berth.client("ecr").get_lifecycle_policy(repositoryName="app/web")["lifecyclePolicyText"]) == policy


def test_a_permissions_policy_is_written_from_an_example(console, berth):
    berth.create("app/web")
    console.sign_in().go("repositories", "app/web", "permissions").click("Write a policy")
    console.click("Examples")
    console.page.get_by_role("menuitem", name=re.compile("Let another account pull")).click()
    console.click("Save", exact=True)
    console.see("The policy is saved")
    text = berth.client("ecr").get_repository_policy(repositoryName="app/web")["policyText"]
    assert "AllowPull" in text
    console.click("Edit", exact=True)
    console.page.get_by_label("Policy", exact=True).fill('{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}')
    console.click("Save", exact=True)
    alert = console.page.get_by_role("alert")
    alert.wait_for()
    assert "Exception" not in alert.inner_text()


def test_repository_tags_and_mutability_are_edited(console, berth):
    repo = berth.create("app/web", tags=[{"Key": "team", "Value": "a"}, {"Key": "old", "Value": "x"}])[0]
    console.sign_in().go("repositories", "app/web", "tags").settled().click("Manage tags")
    console.page.get_by_label("Value 1").fill("b")
    console.click("Remove the tag old")
    console.click("Save", exact=True)
    console.see("The repository's tags are saved")
    ecr = berth.client("ecr")
    tags = ecr.list_tags_for_resource(resourceArn=repo["repositoryArn"])["tags"]
    assert len(tags) == 1 and tags[0]["Key"] in ("team", "old")
    console.click("Edit tag mutability")
    console.dialog().get_by_role("radio", name="Immutable", exact=True).check()
    console.dialog().get_by_role("button", name="Save").click()
    console.see("Tag mutability of app/web is changed")
    assert ecr.describe_repositories()["repositories"][0]["imageTagMutability"] == "IMMUTABLE"


def test_a_template_is_created_and_deleted(console, berth):
    console.sign_in().go("templates").see("No templates").click("Create template")
    console.page.get_by_label("Prefix").fill("team")
    console.click("Create", exact=True)
    console.see("The template team is created")
    got = berth.client("ecr").describe_repository_creation_templates()["repositoryCreationTemplates"]
    assert [(t["prefix"], t["appliedFor"]) for t in got] == [("team", ["CREATE_ON_PUSH"])]
    console.click("Delete team")
    console.dialog().get_by_role("textbox").fill("delete")
    console.dialog().get_by_role("button", name="Delete", exact=True).click()
    console.see("The template team is deleted").see("No templates")


def test_users_get_keys_that_sign_in(console, make_console, berth):
    console.sign_in().go("users").see("No users yet").click("Create user")
    console.page.get_by_label("User name").fill("builder")
    console.dialog().get_by_role("button", name="Create").click()
    console.heading("builder").see("AmazonEC2ContainerRegistryPowerUser")
    console.click("Create access key")
    dialog = console.dialog()
    dialog.get_by_text("This is the only time that the secret is shown").wait_for()
    key, secret = dialog.locator(".copyable-text").all_inner_texts()
    dialog.get_by_role("button", name="Done").click()
    other = make_console(berth)
    other.sign_in(key, secret).heading("Private repositories")
    console.click(f"Deactivate {key}")
    console.see("Inactive")


def test_who_may_not_is_told_what_is_missing(console, berth):
    berth.create("app/web")
    iam = berth.client("iam")
    iam.create_user(UserName="eve")
    key = iam.create_access_key(UserName="eve")["AccessKey"]
    console.sign_in(key["AccessKeyId"], key["SecretAccessKey"])
    alert = console.page.get_by_role("alert").first
    alert.get_by_text("You are not allowed to do this").wait_for()
    words = alert.inner_text()
    assert "ecr:DescribeRepositories" in words and "user/eve" in words and "Exception" not in words
    iam.attach_user_policy(UserName="eve", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly")
    console.click("Refresh")
    console.row("Private repositories", "app/web").wait_for()
    console.go("create-repository").page.get_by_label("Repository name").last.fill("app/mine")
    console.click("Create", exact=True)
    console.see("You are not allowed to do this").see("has no permission ecr:CreateRepository")


def test_another_region_is_another_registry(console, berth):
    berth.create("app/web")
    console.sign_in().settled()
    console.row("Private repositories", "app/web").wait_for()
    console.click(re.compile("^Region "))
    console.page.get_by_role("menuitem", name="Another Region").click()
    console.page.get_by_role("textbox", name="Region").fill("ap-south-1")
    console.dialog().get_by_role("button", name="Switch").click()
    console.see("No repositories yet")
    console.click(re.compile("^Region ap-south-1"))
    console.page.get_by_role("menuitemcheckbox", name=berth.region).or_(console.page.get_by_role("menuitem", name=berth.region)).first.click()
    console.row("Private repositories", "app/web").wait_for()


def seen_soon(console, what):
    """After a refresh, or a few: the server may not have got so far yet."""
    end = time.monotonic() + 30
    while what.count() == 0 and time.monotonic() < end:
        console.click("Refresh").settled()
    what.wait_for()


def test_an_upload_in_progress_shows_on_the_status_page(console, berth, http):
    berth.create("app/web")
    start = http.post("/v2/app/web/blobs/uploads/")
    assert http.patch(start["Location"], b"x" * 100_000, headers={"Content-Type": "application/octet-stream"}).status == 202
    console.sign_in().go("status").heading("Status").settled()
    row = console.row("Uploads in progress", "app/web")
    row.wait_for()
    assert "100 KB received" in row.inner_text() and "Paused" in row.inner_text()
    with unfinished(http, "PATCH", start["Location"], b"x" * 400_000, 900_000):
        seen_soon(console, row.get_by_text("of 1.00 MB"))
        assert row.get_by_role("progressbar").is_visible()
    seen_soon(console, row.get_by_text("Paused"))
    with unfinished(http, "PATCH", start["Location"], b"x" * 400_000):
        seen_soon(console, row.get_by_role("progressbar"))
        row.get_by_text("the client does not say how much there is").wait_for()
    console.see("Healthy").see("StartUpload")
