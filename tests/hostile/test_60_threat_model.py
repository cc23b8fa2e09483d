"""docs/security.md names the tests that show what it says: each exists, and each test of this folder stands there."""

import pathlib
import re

from harness.env import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`((?:tests|tools)/[\w./-]+?)(?:::(\w+))?`", PAGE)


def test_every_test_that_the_page_names_exists():
    assert len(NAMED) > 60
    for path, name in NAMED:
        file = ROOT / path
        assert file.exists(), path
        if name:
            pattern = rf"^\s*def {name}\(" if file.suffix == ".py" else rf"^static void {name}\("
            assert re.search(pattern, file.read_text(), re.M), f"{path} has no {name}"


def test_every_threat_names_a_test():
    rows = [r for r in PAGE.splitlines() if r.startswith("| ") and r.count("|") == 4]
    tables = [r for r in rows if not r.startswith(("| threat", "| asset"))]
    threats = [r for r in tables if PAGE.index(r) > PAGE.index("## Floods")]
    assert len(threats) > 35
    for row in threats:
        assert re.search(r"`(?:tests|tools)/", row.split("|")[3]), row


def test_every_test_of_this_folder_stands_on_the_page():
    for file in sorted(pathlib.Path(__file__).parent.glob("test_*.py")):
        if file.name == pathlib.Path(__file__).name:
            continue
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.M):
            assert (f"tests/hostile/{file.name}", name) in NAMED, f"{file.name}::{name}"
