"""Ten thousand mixed requests, good and bad, on a build with LeakSanitizer: nothing is left over when the server ends."""

import os
import random

import pytest

from harness.http import raw_exchange
from harness.oci import IMAGE, blob, join, sha256
from harness.server import BINARY
from harness.writer import Writer

REQUESTS = 100_000 if os.environ.get("BERTH_LONG") == "1" else 10_000


class Mixer:
    """One kind of request after another; counts them. What the answers are is the business of other tests."""

    def __init__(self, berth):
        self.berth = berth
        self.random = random.Random("leaks")
        self.http, self.anonymous = berth.http(), berth.http(auth=False)
        self.writer = Writer("leaks/one", berth.port, berth.token, "leaks", [])
        self.other = Writer("leaks/two", berth.port, berth.token, "leaks2", self.writer.shared)
        self.ecr = berth.client("ecr")
        self.requests = 0
        for h in (self.http, self.anonymous, self.writer.http, self.other.http):
            self.count(h)

    def count(self, http):
        ask = http.request

        def counted(*a, **kw):
            self.requests += 1
            return ask(*a, **kw)

        http.request = counted

    def good(self):
        self.random.choice([self.writer, self.other]).step()

    def reads(self):
        for target in ("/v2/", "/v2/_catalog?n=1", "/v2/leaks/one/tags/list?n=2", "/healthz", "/metrics", "/readyz"):
            self.http.get(target)
        for digest in sorted(self.writer.blobs)[:3]:
            self.http.get(f"/v2/leaks/one/blobs/{digest}", headers={"Range": self.random.choice(["bytes=0-4", "bytes=0-1,3-4", "bytes=-3", "bytes=9999999-"])})
            self.http.head(f"/v2/leaks/one/blobs/{digest}", headers={"If-None-Match": f'"{digest}"'})
            self.http.get(f"/v2/leaks/one/referrers/{digest}")

    def refused(self):
        missing = sha256(blob(self.random.random(), 10))
        self.anonymous.get("/v2/")
        self.anonymous.get("/v2/leaks/one/tags/list", headers={"Authorization": "Basic QVdTOm5vbnNlbnNl"})
        self.anonymous.post("/", b"{}", headers={"X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories", "Authorization": "AWS4-HMAC-SHA256 x"})
        for target in ("/v2/leaks/none/tags/list", f"/v2/leaks/one/blobs/{missing}", "/v2/leaks/one/manifests/none", "/v2/leaks/one/blobs/sha256:zz", "/v2/%ff/tags/list", "/nowhere"):
            self.http.get(target)
        self.http.put("/v2/leaks/one/manifests/bad", b"{", headers={"Content-Type": IMAGE})
        self.http.put("/v2/leaks/one/manifests/bad", b'{"schemaVersion":2,"layers":[{}]}', headers={"Content-Type": IMAGE})
        self.http.post(f"/v2/leaks/two/blobs/uploads/?mount={missing}&from=leaks/one")
        self.http.post(f"/v2/leaks/two/blobs/uploads/?mount={missing}")

    def uploads(self):
        r = self.http.post("/v2/leaks/one/blobs/uploads/")
        if r.status == 202:
            self.http.patch(r["Location"], iter([b"abc", b"def"]))
            self.http.get(r["Location"])
            self.http.put(join(r["Location"], digest=sha256(b"something else")))
            self.http.delete(r["Location"])

    def api(self):
        for call in (lambda: self.ecr.describe_repositories(), lambda: self.ecr.list_images(repositoryName="leaks/one"),
                     lambda: self.ecr.describe_images(repositoryName="leaks/one"), lambda: self.ecr.get_authorization_token(),
                     lambda: self.ecr.describe_repositories(repositoryNames=["leaks/none"]), lambda: self.ecr.create_repository(repositoryName="leaks/one"),
                     lambda: self.ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED"), lambda: self.ecr.put_account_setting(name="NONE", value="x")):
            self.requests += 1
            try:
                call()
            except self.ecr.exceptions.ClientError:
                pass

    def broken(self):
        """Connections that end in the middle, and what is no HTTP."""
        for data in (b"GARBAGE\r\n\r\n", b"GET /v2/ HTTP/1.1\r\nHost: x\r\n", b"PUT /v2/leaks/one/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort"):
            raw_exchange(self.berth.port, data, timeout=2, shut=True)
            self.requests += 1


@pytest.mark.timeout(2300 if REQUESTS > 10_000 else 280)
def test_ten_thousand_mixed_requests_leave_nothing_behind(make_berth):
    if b"__asan_init" not in BINARY.read_bytes():
        pytest.skip("this is no build with AddressSanitizer: set BERTH_BINARY")
    berth = make_berth("--access-log", "off")
    berth.create("leaks/one", "leaks/two")
    mixer = Mixer(berth)
    parts = [mixer.good] * 12 + [mixer.reads, mixer.refused, mixer.uploads, mixer.api]
    while mixer.requests < REQUESTS:
        mixer.random.choice(parts)()
        if mixer.requests % 50 == 0:
            mixer.broken()
    # The fixture stops the server: LeakSanitizer reports then, which fails the test through status and log.
