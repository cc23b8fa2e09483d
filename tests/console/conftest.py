"""Fixtures of the console's tests: one browser a worker, one tab a test."""

import pytest
from playwright import sync_api

from harness import browser as harness_browser
from harness.images import Layout, make_images


@pytest.fixture(scope="session")
def playwright():
    with sync_api.sync_playwright() as p:
        yield p


@pytest.fixture(scope="session")
def browser(playwright):
    b = harness_browser.launch(playwright)
    yield b
    b.close()


@pytest.fixture
def make_console(browser):
    """make_console(berth, viewport=, dark=, bypass_csp=) opens a tab. When the test is over, no page may have complained."""
    tabs = []

    def make(berth, **kw):
        tab = harness_browser.Console(browser, berth, **kw)
        tabs.append(tab)
        return tab

    yield make
    problems = [p for tab in tabs for p in tab.problems]
    foreign = [u for tab in tabs for u in tab.asked if not u.startswith((tab.berth.url + "/", "data:", "blob:"))]
    for tab in tabs:
        tab.close()
    assert not problems, problems
    assert not foreign, foreign


@pytest.fixture
def console(make_console, berth):
    """A tab of the server `berth`, not signed in yet."""
    return make_console(berth)


@pytest.fixture(scope="session")
def images():
    return make_images()


@pytest.fixture
def layout(images):
    return Layout(images / "layout")
