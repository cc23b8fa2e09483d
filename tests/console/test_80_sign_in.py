"""Signing in and out, and what a page may keep."""

import gzip
import re

import pytest

from harness.browser import DIST
from harness.http import Http


def test_an_access_key_signs_in_and_the_account_is_shown(console, berth):
    console.sign_in().heading("Private repositories")
    assert console.button(re.compile("^Account ")).inner_text().strip() == berth.account
    assert console.button(re.compile("^Region ")).inner_text().strip() == berth.region
    console.see("No repositories yet").see("aws ecr create-repository")


def test_a_wrong_secret_is_said_in_words(console, berth):
    key, _ = berth.credentials
    console.open().fill_in(key, "x" * 40)
    alert = console.page.get_by_role("alert")
    alert.get_by_text("The secret access key is not right").wait_for()
    assert "Exception" not in alert.inner_text() and "{" not in alert.inner_text()
    console.fill_in(*berth.credentials)
    console.heading("Private repositories")


def test_an_unknown_key_is_said_in_words(console):
    console.open().fill_in("AKIAIOSFODNN7EXAMPLE", "x" * 40)
    console.see("Berth does not know this access key ID")


def test_an_empty_form_asks_for_what_is_missing(console):
    console.open().click("Sign in")
    console.see("Enter the access key ID.").see("Enter the secret access key.")


def keys_of(berth, name, policy=None):
    iam = berth.client("iam")
    iam.create_user(UserName=name)
    if policy:
        iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def test_temporary_credentials_sign_in(console, berth):
    key, secret = keys_of(berth, "bob", "AmazonEC2ContainerRegistryFullAccess")
    sts = berth.client("sts", aws_access_key_id=key, aws_secret_access_key=secret)
    c = sts.get_session_token()["Credentials"]
    console.sign_in(c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"]).heading("Private repositories")


def test_signing_out_forgets_everything_and_so_does_a_reload(console, berth):
    _, secret = berth.credentials
    console.sign_in().heading("Private repositories")
    stored = console.page.evaluate("() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie])")
    assert secret not in stored and "AKIA" not in stored
    assert console.context.cookies() == []
    console.page.reload()
    console.see("Sign in with an access key")
    console.fill_in(*berth.credentials)
    console.account_menu("Sign out")
    console.see("Sign in with an access key")
    assert console.page.get_by_label("Secret access key").input_value() == ""


def test_a_key_that_is_deactivated_ends_the_session_with_a_message(console, berth):
    key, secret = keys_of(berth, "bob", "AmazonEC2ContainerRegistryReadOnly")
    console.sign_in(key, secret).heading("Private repositories")
    berth.client("iam").update_access_key(UserName="bob", AccessKeyId=key, Status="Inactive")
    console.click("Refresh")
    console.see("Please sign in again").see("no longer accepts your access key")


def test_an_expired_session_returns_to_signing_in_and_then_to_the_page(console, berth):
    berth.create("app/web")
    console.sign_in().go("repositories", "app/web", "tags").heading("Repository tags")
    body = '{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}'
    anything = re.compile(r":\d+/$")
    console.page.route(anything, lambda route: route.fulfill(status=403, body=body, content_type="application/x-amz-json-1.1"))
    console.click("Refresh")
    console.see("Your session has expired.")
    console.page.unroute(anything)
    console.fill_in(*berth.credentials)
    console.heading("Repository tags")


def test_a_link_signs_in_once(console, make_console, berth):
    link = re.search(r"http\S+#signin=\S+", berth.berth("console").stdout)
    fragment = link[0].split("/console/", 1)[1]
    console.open(fragment).heading("Private repositories")
    assert "signin" not in console.page.url
    console.account_menu("Sign out")
    console.see("Sign in with an access key")
    assert console.page.get_by_role("alert").count() == 0  # the link is not tried once more
    again = make_console(berth)
    again.open(fragment).see("This sign-in link is used or older than five minutes")


def test_one_switches_between_accounts_as_in_aws(console, berth):
    """Another user stands for another account: what matters is whose key signs."""
    berth.create("app/web")
    eve = keys_of(berth, "eve")
    console.sign_in().row("Private repositories", "app/web").wait_for()
    console.account_menu("Sign in to another account").see("Sign in with an access key")
    console.fill_in("AKIAIOSFODNN7EXAMPLE", "x" * 40).see("Berth does not know this access key ID")
    console.click(f"Back to root in {berth.account}").row("Private repositories", "app/web").wait_for()
    console.account_menu("Sign in to another account").fill_in(*eve)
    console.see("has no permission ecr:DescribeRepositories")
    console.account_menu(f"Switch to root in {berth.account}")
    console.row("Private repositories", "app/web").wait_for()
    console.account_menu(f"Switch to user/eve in {berth.account}").see("has no permission")
    # A session that ends says so, and leaves the other one.
    berth.client("iam").update_access_key(UserName="eve", AccessKeyId=eve[0], Status="Inactive")
    console.click("Refresh")
    console.see("no longer accepts your access key").click(f"Back to root in {berth.account}")
    console.row("Private repositories", "app/web").wait_for()
    console.account_menu("Sign out").see("Sign in with an access key")
    assert console.page.get_by_role("button", name=re.compile("^Back to")).count() == 0


def test_the_server_being_away_is_said_in_words(make_berth, make_console):
    berth = make_berth()
    console = make_console(berth)
    console.sign_in().heading("Private repositories")
    berth.stop()
    console.click("Refresh")
    console.see("The server cannot be reached").see("Is Berth still running?")
    berth.start()
    console.click("Try again")
    console.see("No repositories yet")
    console.problems.clear()  # browsers log refused connections


def test_the_keyboard_alone_is_enough(console, berth):
    berth.create("app/web")
    console.open()
    page = console.page
    page.get_by_label("Access key ID").wait_for()
    key, secret = berth.credentials
    page.keyboard.type(key)  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(secret)
    page.keyboard.press("Enter")
    console.heading("Private repositories")
    page.get_by_role("link", name="app/web").focus()
    page.keyboard.press("Enter")
    console.heading("app/web")
    page.wait_for_function("() => document.activeElement.classList.contains('page')")  # readers start at the new page's beginning
    page.get_by_role("tab", name="Images").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("tab", name="Sharing").wait_for()


@pytest.mark.skipif(bool(DIST), reason="the binary holds other files than web/dist")
@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_the_first_load_is_small_and_strict(console, berth, encoding):
    """What the browser asks for until the list of repositories stands, fetched again with one encoding."""
    console.sign_in().heading("Private repositories").settled()
    files = sorted({u for u in console.asked if "/console/" in u})
    http = Http(berth.port, timeout=30)
    total = 0
    for url in files:
        answer = http.get(url[len(berth.url):], headers={"Accept-Encoding": encoding})
        assert answer.status == 200, url
        total += len(answer.body)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy
        if encoding == "gzip" and url.endswith(".js"):
            assert b"eval(" not in gzip.decompress(answer.body)
    http.close()
    assert 100_000 < total < 400_000, f"{total} bytes in {len(files)} files"
