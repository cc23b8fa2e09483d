"""The console in a real browser: Debian's Chromium, driven by Playwright."""

import json
import mimetypes
import os
import pathlib
import re

import pytest

from .env import ROOT
from .http import Http

CHROMIUM = os.environ.get("BERTH_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
# For work on the console: serve it from web/dist in place of what the binary holds.
DIST = os.environ.get("BERTH_CONSOLE_DIST")
# The page's own calls that are under way: the browser's "network idle" means the first load alone.
COUNT_CALLS = "(() => { const f = fetch; window.calls = 0; window.fetch = (...a) => { window.calls++; return f(...a).finally(() => window.calls--); }; })()"
SETTLED = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(
    window.calls === 0 && !/\\bLoading\\b/.test(document.querySelector('.page')?.innerText ?? '') &&
    document.getAnimations().every(a => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity)))))"""
WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 390, "height": 844}


def launch(playwright):
    if not pathlib.Path(CHROMIUM).exists():
        pytest.fail(f"no {CHROMIUM}: tools/deps.sh browser installs it")
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


def axe():
    """The source of axe-core, which the console's build installs."""
    binary = pathlib.Path(os.environ.get("BERTH_BINARY", ROOT / "build" / "berth")).resolve()
    places = [binary.parent / "src" / "console" / "web", ROOT / "web"]
    for place in places:
        file = place / "node_modules" / "axe-core" / "axe.min.js"
        if file.exists():
            return file.read_text()
    pytest.fail(f"axe-core is in none of {places}")


class Console:
    """A tab with the console of one server. problems: what the page said it could not do; asked: every address it asked for."""

    def __init__(self, browser, berth, viewport=None, dark=False, bypass_csp=False):
        self.berth = berth
        self.url = f"{berth.url}/console/"
        if not DIST and not self._is_there():
            pytest.fail("the binary has no console: build it with -Dconsole=true")
        self.context = browser.new_context(
            viewport=viewport or WIDE, color_scheme="dark" if dark else "light", bypass_csp=bypass_csp, locale="en-US", timezone_id="UTC",
        )
        self.context.set_default_timeout(20_000)
        self.context.add_init_script(COUNT_CALLS)
        self.page = self.context.new_page()
        self.problems = []
        self.asked = []
        self.page.on("pageerror", lambda e: self.problems.append(f"exception: {e}"))
        self.page.on("console", self._console)
        self.page.on("request", lambda r: self.asked.append(r.url))
        if DIST:
            self.page.route(re.compile(r".*/console/(?!signin|server\.json).*"), self._serve_dist)

    def _is_there(self):
        http = Http(self.berth.port, timeout=10)
        answer = http.get("/console/")
        http.close()
        return answer.status == 200

    def _serve_dist(self, route):
        name = route.request.url.split("/console/", 1)[1].split("?")[0] or "index.html"
        file = pathlib.Path(DIST) / name
        if not file.is_file():
            file = pathlib.Path(DIST) / "index.html"
        kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        route.fulfill(body=file.read_bytes(), headers={"content-type": kind})

    def _console(self, message):
        # A refused request is part of many tests; everything else that a browser complains about is a defect.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.problems.append(f"{message.type}: {message.text}")

    def close(self):
        self.context.close()

    # -- ways ------------------------------------------------------------------------------------------------------------

    def open(self, fragment=""):
        self.page.goto(self.url + fragment)
        return self

    def fill_in(self, key, secret, token=None):
        self.page.get_by_label("Access key ID").fill(key)
        self.page.get_by_label("Secret access key").fill(secret)
        if token:
            self.page.get_by_role("button", name="Temporary credentials").click()
            self.page.get_by_label("Session token").fill(token)
        self.page.get_by_role("button", name="Sign in").click()
        return self

    def sign_in(self, key=None, secret=None, token=None, fragment=""):
        if key is None:
            key, secret = self.berth.credentials
        self.open(fragment)
        self.fill_in(key, secret, token)
        self.page.get_by_role("button", name=re.compile("^Account ")).wait_for()
        return self

    def go(self, *path, query=""):
        """To a page, by its address, as a link on a page leads there."""
        from urllib.parse import quote

        self.page.evaluate("h => { location.hash = h }", "#/" + "/".join(quote(p, safe="") for p in path) + query)
        return self

    def settled(self):
        """Nothing loads or moves any more; what moves without an end does not count."""
        self.page.wait_for_function(SETTLED)
        return self

    # -- what is there ---------------------------------------------------------------------------------------------------

    def see(self, text, **kw):
        self.page.get_by_text(text, **kw).first.wait_for()
        return self

    def heading(self, text):
        self.page.get_by_role("heading", name=text).first.wait_for()
        return self

    def button(self, name, **kw):
        return self.page.get_by_role("button", name=name, **kw)

    def click(self, name, **kw):
        """A button, or a link that looks like one."""
        self.button(name, **kw).or_(self.page.get_by_role("link", name=name, **kw)).first.click()
        return self

    def account_menu(self, item):
        self.click(re.compile("^Account "))
        self.page.get_by_role("menuitem", name=item).click()
        return self

    def dialog(self):
        return self.page.get_by_role("dialog")

    def table(self, name):
        return self.page.get_by_role("table", name=name)

    def row(self, table, text):
        return self.table(table).get_by_role("row").filter(has_text=text)

    def cells(self, table, text):
        """The texts of a row's cells."""
        row = self.row(table, text).first
        row.wait_for()
        return [c.strip() for c in row.locator("td, th").all_inner_texts()]

    def overflows(self):
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")

    def violations(self, source):
        """What axe calls serious or critical, as text."""
        if not self.page.evaluate("() => typeof axe === 'object'"):
            self.page.add_script_tag(content=source)
        found = self.page.evaluate("() => axe.run(document, { resultTypes: ['violations'] }).then(r => r.violations)")
        return [
            f"{v['impact']} {v['id']}: {v['help']}: " + "; ".join(json.dumps(n["target"]) + " " + n["html"][:160] for n in v["nodes"][:3])
            for v in found
            if v["impact"] in ("serious", "critical")
        ]
