"""A registry of many repositories: 5,000 in the ordinary run, 100,000 (ECR's quota) in the long one."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import botocore.auth
import botocore.awsrequest
import pytest

from harness.http import Http
from harness.sharing import Sharing

MANY = 100_000 if os.environ.get("BERTH_LONG", "0") != "0" else 5_000
TYPE = "application/x-amz-json-1.1"


def create_many(berth, total, workers=8):
    """By signed requests on kept connections: the SDK would take minutes."""

    def part(worker):
        caller = Sharing(berth)
        caller.http = Http(berth.port)
        for n in range(worker, total, workers):
            ecr(caller, "CreateRepository", repositoryName=f"team-{n % 97:02}/app-{n:06}")
        caller.http.close()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(part, range(workers)))


def ecr(caller, operation, **members):
    data = json.dumps(members).encode()
    headers = {"Content-Type": TYPE, "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}", "Host": caller.berth.host}
    request = botocore.awsrequest.AWSRequest("POST", caller.berth.url + "/", data=data, headers=headers)
    botocore.auth.SigV4Auth(caller.credentials, "ecr", caller.region).add_auth(request)
    assert caller.http.post("/", data, headers=dict(request.headers.items())).status == 200


@pytest.mark.timeout(1500 if MANY > 5_000 else 180)
def test_many_repositories_stay_usable(berth, make_console):
    create_many(berth, MANY)
    console = make_console(berth)
    page = console.page
    start = time.monotonic()
    console.sign_in().row("Private repositories", "team-00/app-000000").wait_for()
    assert time.monotonic() - start < 15, "the first page comes at once, however many there are"
    console.see("(1-50+)")

    def bounded(what, seconds, act):
        begin = time.monotonic()
        act()
        assert time.monotonic() - begin < seconds, what

    def turn():
        page.get_by_role("button", name="Next page").click()
        console.see("(51-100+)")

    bounded("turning a page", 5, turn)

    def search():
        page.get_by_role("searchbox", name="Search repositories").fill(f"APP-{MANY - 1:06}")
        console.row("Private repositories", f"app-{MANY - 1:06}").wait_for()
        page.wait_for_function("() => document.querySelectorAll('tbody tr').length === 1")

    bounded("finding one by a part of its name", 10, search)
    page.get_by_role("searchbox", name="Search repositories").fill("")
    console.see("(1-50+)")

    def sort():
        page.get_by_role("columnheader", name="Created at").get_by_role("button").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("() => !document.querySelector('tbody tr').innerText.includes('app-000000')")

    bounded("sorting by the time of creation", 10, sort)
    bounded("opening one", 10, lambda: console.go("repositories", f"team-{(MANY - 1) % 97:02}/app-{MANY - 1:06}").heading(f"app-{MANY - 1:06}").see("No images yet"))
    bounded("the sums of all", 10, lambda: console.go("sharing").heading("Savings").settled())
    nodes = page.evaluate("() => document.querySelectorAll('*').length")
    assert nodes < 5_000, f"{nodes} elements in the page"
