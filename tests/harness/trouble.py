"""The mixed load of clients who know what was acknowledged, on a server whose system fails it for a while."""

import http.client
import random
import threading
import time

import botocore.exceptions

from .http import Http
from .oci import Refused, expect, sha256
from .writer import Gone


def server_error(e):
    """The status of an answer by which the server says that it is its own fault and nothing was done, in the protocol's form; else None."""
    if isinstance(e, Refused) and e.response.status >= 500:
        assert e.response.codes(), f"no error of the protocol: {e.response}"
        assert e.response.status != 503 or e.response["Retry-After"], f"no Retry-After: {e.response}"
        return e.response.status
    if isinstance(e, botocore.exceptions.ClientError) and e.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        assert e.response["Error"]["Code"], f"no error of the protocol: {e.response}"
        return e.response["ResponseMetadata"]["HTTPStatusCode"]
    return None


class Puller:
    """Reads layers of a repository that nobody changes, whole and in part: what comes is right, or it does not come."""

    def __init__(self, repo, port, token, seed, layers):
        self.repo, self.port, self.token, self.layers = repo, port, token, layers
        self.random = random.Random(seed)
        self.counts = {"pulled": 0}
        self.connect()

    def connect(self):
        self.http = Http(self.port, auth=("AWS", self.token), timeout=20)

    def step(self):
        data = self.random.choice(self.layers)
        first = self.random.randrange(len(data)) if self.random.random() < 0.5 else None
        headers = {} if first is None else {"Range": f"bytes={first}-"}
        try:
            r = self.http.get(f"/v2/{self.repo}/blobs/{sha256(data)}", headers=headers)
        except (OSError, http.client.HTTPException) as e:
            raise Gone from e
        expect(r, 200 if first is None else 206, what="pull")
        assert r.body == data[first or 0:], "wrong bytes, as if they were right"
        self.counts["pulled"] += 1

    def verify(self, whole=False):
        self.connect()
        for data in self.layers if whole else self.layers[:2]:
            assert expect(self.http.get(f"/v2/{self.repo}/blobs/{sha256(data)}"), 200).body == data


class Trouble:
    """clients: Writer, Hammer, Owner, Roller, Puller. errors: [(client's class, status)] that they met."""

    def __init__(self, clients):
        self.clients = clients
        self.errors = []
        self.cut = 0

    def load(self, seconds, may_cut=False):
        """All at once, for so long. Whoever meets an error stops: what it asked for may have happened or not, which verify finds out.
        may_cut: connections may break off, but not hang, as when a layer cannot be read to its end."""
        wrong = []
        end = time.monotonic() + seconds

        def work(client):
            try:
                while time.monotonic() < end:
                    client.step()
            except Gone as e:
                self.cut += 1
                if not may_cut or isinstance(e.__cause__, TimeoutError):
                    wrong.append(f"{type(client).__name__}: cut off: {e.__cause__!r}")
            except Exception as e:  # noqa: BLE001 - whatever it is, the test reports it
                try:
                    status = server_error(e)
                except Exception as form:  # noqa: BLE001
                    status, e = None, form
                if status is None:
                    wrong.append(f"{type(client).__name__}: {e!r}")
                self.errors.append((type(client).__name__, status))

        threads = [threading.Thread(target=work, args=(c,)) for c in self.clients]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not wrong, wrong

    def verify(self, whole=False):
        """The fault is over: what was acknowledged is there, and nothing else is half there."""
        for client in self.clients:
            client.verify(whole=whole)

    def settle(self, seconds=0.5):
        """Every client goes on without an error, and everything is looked at."""
        before = len(self.errors)
        self.load(seconds)
        assert len(self.errors) == before, f"errors after the fault was over: {self.errors[before:]}"
        self.verify(whole=True)
