"""The OCI distribution conformance suite, whole, against a Berth that asks for credentials and lets layers be mounted.

No failure and no skip is accepted: a skip means that an optional part of the specification is missing. The suite's summary counts a
mount that was refused as a pass, so the two mount cases are looked up by name.
"""

import xml.etree.ElementTree as ET

import pytest

from harness.env import clean_env, run, which


def outcomes(path):
    """{case name: list of its states}; a case may occur several times."""
    got = {}
    for case in ET.parse(path).getroot().iter("testcase"):
        got.setdefault(case.get("name"), []).append(case.get("status"))
    return got


@pytest.mark.parametrize("version,least", [("stable", 800), ("dev", 900)])
def test_the_conformance_suite_passes_without_skips(berth, scratch, version, least):
    suite = which("conformance")
    assert suite, "build/gobin/conformance is missing: run tools/gotools.sh"
    berth.create("conformance/one", "conformance/two")
    results = scratch / "results"
    results.mkdir()
    env = clean_env(
        scratch, OCI_REGISTRY=berth.host, OCI_TLS="disabled", OCI_REPO1="conformance/one", OCI_REPO2="conformance/two",
        OCI_USERNAME="AWS", OCI_PASSWORD=berth.token, OCI_VERSION=version, OCI_RESULTS_DIR=results,
        OCI_API_BLOBS_UPLOAD_CANCEL="true",  # version 1.1 leaves it out, and would count the case as skipped
    )
    done = run([suite], env, check=False)

    top = ET.parse(results / "junit.xml").getroot()
    states = outcomes(results / "junit.xml")
    print(top.attrib)
    bad = [f"{name}: {state}" for name, all_of in states.items() for state in all_of if state != "passed"]
    assert not bad, f"{len(bad)} cases not passed:\n" + "\n".join(bad[:40])
    # The attributes count what is inside the cases too, and are left out when they are zero.
    assert (int(top.get("failures") or 0), int(top.get("skipped") or 0)) == (0, 0), done.stdout[-3000:]
    assert int(top.get("tests")) >= least, "the suite ran fewer cases than it has"
    assert done.returncode == 0, done.stdout[-3000:]
    for algorithm in ("sha256", "sha512"):
        for case in ("mount/blob-mount", "mount anonymous/blob-mount-anonymous"):
            assert states.get(f"OCI Conformance Test/{algorithm} blobs/{case}") == ["passed"], case
    # The suite accepts a 202 and an upload as a passed mount: the server's own count says that it mounted.
    assert berth.metrics().mounts() >= 4
