"""The mixed load of clients who know what was acknowledged, on a server whose system fails it for a while."""

import threading
import time

import botocore.exceptions

from .oci import Refused
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


class Trouble:
    """clients: Writer, Hammer, Owner, Roller. errors: [(client's class, status)] that they met."""

    def __init__(self, clients):
        self.clients = clients
        self.errors = []
        self.cut = 0

    def load(self, seconds, may_cut=False):
        """All at once, for so long. Whoever meets an error stops: what it asked for may have happened or not, which verify finds out.
        may_cut: connections may break off, as when a layer cannot be read to its end."""
        wrong = []
        end = time.monotonic() + seconds

        def work(client):
            try:
                while time.monotonic() < end:
                    client.step()
            except Gone as e:
                self.cut += 1
                if not may_cut:
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
