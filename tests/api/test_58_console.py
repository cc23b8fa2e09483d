"""The console as it is served: files, encodings, caching, headers; and signing in by a link that works once."""

import gzip
import json
import re
import shutil
import sqlite3
import subprocess
import time

import pytest

from harness.env import ROOT, clean_env, which
from harness.sharing import Sharing

HTML = "text/html; charset=utf-8"


@pytest.fixture
def web(berth):
    return berth.http(auth=False)


def page(web):
    r = web.get("/console/")
    assert r.status == 200 and r["Content-Type"] == HTML
    return r


def is_built(web):
    return b'<div id="app">' in page(web).body


def assets(web):
    """Paths of the parts that the page names."""
    return [f"/console/{p}" for p in re.findall(r'(?:src|href|content)="(assets/[^"]+)"', page(web).body.decode())]


def strict(r):
    policy = dict(part.strip().split(" ", 1) for part in r["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["style-src"] == policy["font-src"] == "'self'"
    assert "unsafe" not in r["Content-Security-Policy"] and "http" not in r["Content-Security-Policy"]
    assert (r["X-Content-Type-Options"], r["X-Frame-Options"], r["Referrer-Policy"]) == ("nosniff", "DENY", "no-referrer")
    assert r["Cross-Origin-Opener-Policy"] == r["Cross-Origin-Resource-Policy"] == "same-origin"
    assert r["Access-Control-Allow-Origin"] is None and r["Set-Cookie"] is None
    return r


# --- files ---


def test_the_page_has_its_headers_and_is_asked_for_again_each_time(web):
    r = strict(page(web))
    assert r["Cache-Control"] == "no-cache" and r["ETag"].startswith('"') and r["Vary"] == "Accept-Encoding"
    # Nothing inline, nothing from elsewhere.
    text = r.body.decode()
    assert not re.search(r"<script(?![^>]* src=)|<style|\son[a-z]+=|style=|https?://", text)
    again = web.get("/console/", headers={"If-None-Match": r["ETag"]})
    assert (again.status, again.body) == (304, b"") and strict(again)["ETag"] == r["ETag"]
    assert web.get("/console/", headers={"If-None-Match": '"other"'}).status == 200
    head = web.head("/console/")
    assert (head.status, head.body, head["Content-Length"], head["ETag"]) == (200, b"", str(len(r.body)), r["ETag"])


def test_each_encoding_has_an_entity_tag_of_its_own_and_the_same_content(web):
    if not is_built(web):
        pytest.skip("built without the console")
    for path in ["/console/index.html", *assets(web)]:
        plain = web.get(path, headers={"Accept-Encoding": "identity"})
        packed = web.get(path, headers={"Accept-Encoding": "gzip"})
        best = web.get(path, headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
        assert (plain["Content-Encoding"], packed["Content-Encoding"], best["Content-Encoding"]) == (None, "gzip", "br"), path
        assert gzip.decompress(packed.body) == plain.body
        assert len(best.body) < len(packed.body) < len(plain.body)
        assert len({plain["ETag"], packed["ETag"], best["ETag"]}) == 3
        assert web.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": packed["ETag"]}).status == 304
        assert web.get(path, headers={"Accept-Encoding": "br", "If-None-Match": packed["ETag"]}).status == 200
        assert plain["Content-Type"] == packed["Content-Type"] == best["Content-Type"]
    path = "/console/index.html"
    for accept, coding in [("br;q=0, gzip", "gzip"), ("gzip;q=0", None), ("*", "br"), ("*;q=0", None), ("br;q=0.1", "br"), ("GZIP", "gzip"),
                           ("brotli", None), ("", None), ("*, br;q=0.000", "gzip"), (";;,,q=,", None)]:
        assert web.get(path, headers={"Accept-Encoding": accept})["Content-Encoding"] == coding, accept


def test_parts_are_kept_for_ever_and_the_first_load_is_small(web):
    if not is_built(web):
        pytest.skip("built without the console")
    total = 0
    assert len(assets(web)) >= 2
    for path in assets(web):
        r = strict(web.get(path, headers={"Accept-Encoding": "gzip"}))
        assert r["Cache-Control"] == "public, max-age=31536000, immutable" and r.status == 200
        assert r["Content-Type"] in ("text/javascript; charset=utf-8", "text/css; charset=utf-8")
        total += len(r.body)
    assert total < 400_000
    assert web.get("/console/favicon.svg")["Content-Type"] == "image/svg+xml"
    assert web.get("/console/favicon.svg")["Cache-Control"] == "no-cache"
    part = web.get(assets(web)[0], headers={"Range": "bytes=0-9"})
    assert part.status == 206 and len(part.body) == 10


def test_paths_that_are_no_files_are_pages_of_the_application(web):
    r = page(web)
    for path in ("/console/repositories", "/console/a/b?c=d", "/console/%2e%2e/etc/passwd", "/console/../v2/", "/console/index.htm"):
        other = strict(web.get(path))
        assert (other.status, other.body) == (200, r.body), path
    assert strict(web.get("/console/assets/app-AAAAAAAA.js")).status == 404
    assert web.get("/consolex").status == 404
    for path in ("/console", "/"):
        to = strict(web.get(path))
        assert (to.status, to["Location"]) == (302, "/console/")


def test_only_looking_is_possible(web):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        r = web.request(method, "/console/index.html", b"")
        assert (r.status, r["Allow"]) == (405, "GET, HEAD")
    assert web.get("/console/signin").status == 405
    # The API stands at "/" as before.
    assert web.post("/", b"").status != 302


def test_the_region_to_sign_for(berth, web):
    r = strict(web.get("/console/server.json"))
    assert r.json() == {"region": berth.region} and r["Cache-Control"] == "no-store"
    assert web.head("/console/server.json").body == b""


# --- signing in ---


def link(berth):
    done = berth.berth("console")
    url, token = re.match(r"(http://\S+)/console/#signin=([A-Za-z0-9_-]{43})\n", done.stdout).groups()
    assert url == berth.url
    return token


def sign_in(web, token, body=None, content_type="application/json", **headers):
    data = body if body is not None else json.dumps({"token": token}).encode()
    return web.post("/console/signin", data, headers={"Content-Type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}})


def test_a_link_is_good_once(berth, web):
    token = link(berth)
    before = time.time()
    r = strict(sign_in(web, token, Sec_Fetch_Site="same-origin", Origin=berth.url))
    assert r.status == 200 and r["Cache-Control"] == "no-store" and r["Content-Type"] == "application/json"
    c = r.json()
    assert set(c) == {"accessKeyId", "secretAccessKey", "sessionToken", "expiration", "account", "region"}
    assert c["accessKeyId"].startswith("ASIA") and (c["account"], c["region"]) == (berth.account, berth.region)
    assert before + 3600 <= c["expiration"] <= before + 12 * 3600 + 60
    keys = (c["accessKeyId"], c["secretAccessKey"], c["sessionToken"])
    sts = berth.client("sts", aws_access_key_id=keys[0], aws_secret_access_key=keys[1], aws_session_token=keys[2])
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{berth.account}:root"
    assert Sharing(berth, keys=keys).GetSharingSummary()["repositories"] == 0
    again = sign_in(web, token)
    assert again.status == 403 and "used before" in again.json()["message"]


def test_two_links_and_one_that_two_want(berth, web):
    first, second = link(berth), link(berth)
    assert first != second
    assert sign_in(web, second).status == sign_in(web, first).status == 200
    from concurrent.futures import ThreadPoolExecutor

    token = link(berth)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: sign_in(berth.http(auth=False), token).status, range(8)))
    assert sorted(statuses) == [200] + [403] * 7


def test_a_link_ends(berth, web):
    token = link(berth)
    db = sqlite3.connect(berth.data / "berth.db", timeout=20)
    (hash_, ends), = db.execute("SELECT hash, ends_at_ms FROM console_link").fetchall()
    assert abs(ends / 1000 - time.time() - 300) < 30
    assert token.encode() not in hash_ and len(hash_) == 32
    db.execute("UPDATE console_link SET ends_at_ms = ?", (int(time.time() * 1000) - 1,))
    db.commit()
    db.close()
    assert sign_in(web, token).status == 403


def test_another_site_cannot_use_a_link(berth, web):
    token = link(berth)
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Sec_Fetch_Site": "none"},
                    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": berth.url + "0"}):
        assert sign_in(web, token, **headers).status == 403, headers
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert sign_in(web, token, content_type=content_type).status == 415, content_type
    options = web.request("OPTIONS", "/console/signin", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
    assert options.status == 405 and options["Access-Control-Allow-Origin"] is None
    # None of this used it up.
    assert sign_in(web, token, content_type="application/json; charset=utf-8").status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"token":1}', b'{"token":null}', b"x" * 5000])
def test_bodies_that_are_none(web, body):
    assert sign_in(web, None, body=body).status in (400, 413)


def test_wrong_tokens(web):
    for token in ("", "x", "A" * 43, "A" * 900, "\u0000", "\u00e9" * 40):
        assert sign_in(web, token).status == 403


def test_without_a_root_key_there_is_nobody_to_sign_in_as(berth, web):
    token = link(berth)
    db = sqlite3.connect(berth.data / "berth.db", timeout=20)
    db.execute("UPDATE access_key SET is_active = 0")
    db.commit()
    r = sign_in(web, token)
    assert r.status == 403 and "new-key" in r.json()["message"]
    db.execute("UPDATE access_key SET is_active = 1")
    db.commit()
    db.close()


def test_the_command_needs_a_server_that_ran(scratch, make_berth):
    berth = make_berth(start=False)
    done = berth.berth("console", check=False)
    assert done.returncode == 2 and done.stdout.startswith("berth: --data ")


# --- without Node ---


@pytest.mark.slow
def test_a_build_without_the_console_says_so(scratch, make_berth):
    """Only the console's own library is built again, and what it is linked to is looked at."""
    if not which("meson") or not which("ninja"):
        pytest.skip("meson is not installed")
    env = clean_env(scratch)
    build = scratch / "build"
    subprocess.run(["meson", "setup", build, ROOT, "-Dconsole=false", "-Dtests=false"], env=env, check=True, capture_output=True, timeout=120)
    subprocess.run(["ninja", "-C", build, "libconsole.a"], env=env, check=True, capture_output=True, timeout=120)
    text = subprocess.run(["strings", "-n", "20", build / "libconsole.a.p" / "src_console_no_assets.c.o"], capture_output=True, text=True).stdout
    assert "without its console" in text
    shutil.rmtree(build)
