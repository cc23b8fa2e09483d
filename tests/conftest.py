"""Fixtures of all test folders. Each test gets a server of its own, which is examined when the test is over."""

import os
import pathlib
import shutil
import tempfile

import pytest

from harness.server import BINARY, Server


def pytest_report_header():
    return f"binary: {BINARY}"


def pytest_sessionstart(session):
    if not BINARY.exists() and not session.config.option.collectonly:
        pytest.exit(f"{BINARY} is not built", returncode=3)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    setattr(item, f"report_{report.when}", report)
    return report


@pytest.fixture
def scratch():
    """A short-named folder (unix sockets) that is gone afterwards."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-", dir=os.environ.get("TMPDIR", "/tmp")))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make_berth(request, scratch):
    """make_berth(args..., setting="ENABLED"|None) starts one more server; make_berth(start=False) only prepares it."""
    servers = []

    def make(*args, start=True, **kw):
        server = Server(scratch / f"s{len(servers)}", args, **kw)
        for mark in request.node.iter_markers("log_errors"):
            server.expected_errors.extend(mark.args)
        servers.append(server)
        return server.start() if start else server

    yield make
    failed = getattr(getattr(request.node, "report_call", None), "failed", False)
    try:
        for server in reversed(servers):  # a later one may need an earlier one, also to be checked
            if failed:
                print(f"-- log of {server.data}:\n{server.log_tail(30)}")
            else:
                server.finish()
    finally:
        for server in servers:
            server.discard()


@pytest.fixture
def berth(make_berth):
    """A running server in which BLOB_MOUNTING is ENABLED by default."""
    return make_berth()


@pytest.fixture
def ecr(berth):
    return berth.client("ecr")


@pytest.fixture
def sts(berth):
    return berth.client("sts")


@pytest.fixture
def aws(berth):
    return berth.aws


@pytest.fixture
def token(berth):
    return berth.token


@pytest.fixture
def http(berth):
    """Raw requests, signed in."""
    return berth.http()


@pytest.fixture
def oci(berth):
    return berth.oci()
