"""A registry with as many repositories as ECR's quota allows. What stays small is counted, not timed: the requests of a step, the
bytes of their answers, the elements of the page. So it holds on a busy machine too."""

import sqlite3

import pytest

MANY = 100_000


def fill(berth, total):
    """One by the API, the others as copies of its row: a hundred thousand requests would take minutes. That the sums are those of
    the rows is what `berth check` looks at when the test is over."""
    berth.create(name(0))
    berth.stop()
    db = sqlite3.connect(berth.data / "berth.db")
    with db:
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1) "
            "INSERT INTO repository (registry_id, pool_id, state, name, created_at_ms, mutability, filters, scan_on_push) "
            "SELECT registry_id, pool_id, state, printf('team-%02d/app-%06d', i % 97, i), created_at_ms + i, mutability, filters, scan_on_push "
            "FROM n, repository", (total,))
        copied = db.execute("SELECT changes()").fetchone()[0]
        assert copied == total - 1
        db.execute("UPDATE pool SET repositories = repositories + ?", (copied,))
        db.execute("UPDATE registry SET repositories = repositories + ?", (copied,))
    db.close()
    berth.start()


def name(n):
    return f"team-{n % 97:02}/app-{n:06}"


class Cost:
    """What a step asks of the server, and how much it answers."""

    def __init__(self, page):
        self.answers = []
        page.on("response", lambda r: self.answers.append(r) if r.request.method == "POST" else None)

    def of(self, act):
        self.answers.clear()
        act()
        return len(self.answers), sum(len(r.body()) for r in self.answers)


@pytest.mark.timeout(300)
def test_a_hundred_thousand_repositories_stay_usable(berth, make_console):
    fill(berth, MANY)
    console = make_console(berth)
    page = console.page
    cost = Cost(page)
    last = name(MANY - 1)
    requests, size = {}, {}

    def step(what, act):
        requests[what], size[what] = cost.of(lambda: (act(), console.settled()))

    def search(text, seen):
        page.get_by_role("searchbox", name="Search repositories").fill(text)
        console.see(seen)

    def newest_first():
        page.get_by_role("columnheader", name="Created at").get_by_role("button").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("() => !document.querySelector('tbody tr').innerText.includes('app-000000')")
        if last not in console.table("Private repositories").inner_text():  # the other way round
            page.keyboard.press("Enter")
        console.row("Private repositories", last).wait_for()

    step("the first page", lambda: console.sign_in().row("Private repositories", name(0)).wait_for())
    console.see("(1-50+)")
    step("the next page", lambda: (page.get_by_role("button", name="Next page").click(), console.see("(51-100+)")))
    step("finding one by a part of its name", lambda: search(last[-10:].upper(), "(1)"))
    assert console.table("Private repositories").locator("tbody tr").first.inner_text().split()[0] == last
    step("looking for what is not there", lambda: search("nothing-of-this-name", "No repository has such a name"))
    step("all again", lambda: search("", "(1-50+)"))
    step("the newest first", newest_first)
    step("opening one", lambda: console.go(*("repositories", last)).heading(last).see("No images yet"))
    step("the sums of all", lambda: console.go("sharing").heading("Savings").see("100,000 repositories"))
    step("pools", lambda: console.go("sharing", "pools").heading("AES-256"))
    step("who shares with whom", lambda: console.go("sharing", "map").see("No two repositories share a layer yet"))

    assert all(0 < n <= 8 for n in requests.values()), requests
    assert all(n < 200_000 for n in size.values()), size
    nodes = console.go("repositories").settled().row("Private repositories", name(0)).page.evaluate("() => document.querySelectorAll('*').length")
    assert nodes < 5_000, f"{nodes} elements in the page"
