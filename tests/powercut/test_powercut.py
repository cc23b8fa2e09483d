"""The power fails at random moments under mixed load, on a disk that then loses what was not synced: everything acknowledged is there
afterwards, byte for byte, and nothing is half there. And the same with syncs that lie, which must be noticed."""

import os
import random
import re
import statistics
import threading
import time

import botocore.exceptions
import pytest

from harness.disk import MODES, Disk, private_mounts, unusable
from harness.env import ROOT
from harness.hammer import Hammer, fill_source
from harness.oci import Refused
from harness.owner import Owner
from harness.roller import Roller
from harness.rounds import LONG, Rounds
from harness.server import Server
from harness.writer import Gone, Writer, total

CUTS = Rounds(1000 if LONG else 30, 5)
FIRST_STARTS = Rounds(30 if LONG else 3, 10)
LIES = Rounds(8, 20)
HAMMERS, WRITERS, OWNERS = 8, 3, 2
GRACE_S = 2
GRACE = ("--collect-grace", f"{GRACE_S}s")
LIAR = ROOT / "build/tests/powercut/lying_sync.so"

pytestmark = pytest.mark.skipif(unusable() is not None, reason=f"no disk to cut the power of: {unusable()}")


@pytest.fixture
def machine(scratch):
    with private_mounts():
        m = Machine(scratch)
        try:
            yield m
        finally:
            m.discard()


def is_server_error(e):
    if isinstance(e, Refused):
        return e.response.status >= 500
    return isinstance(e, botocore.exceptions.ClientError) and e.response["ResponseMetadata"]["HTTPStatusCode"] >= 500


class Machine:
    """A server on a disk of its own, clients that load it, and the switch of its power."""

    def __init__(self, folder):
        self.rng = random.Random(0)  # of the round
        self.folder = folder
        self.disk = Disk(folder / "disk")
        self.server = Server(folder / "server", ["--access-log", "off", *GRACE, "--lifecycle-delay", "0s"])
        self.server.data = self.disk.mount / "data"
        self.args = self.server.args
        self.flush_us = None  # of the disk; None: another each time
        self.cuts, self.start_s = [], []
        self.clients = []
        self.command = None  # of the program, beside the server

    def discard(self):
        self.end_command()
        self.server.discard()
        self.disk.close()

    def power_on(self):
        """Disk, file system, server. Raises ServerFailed when it does not come up."""
        self.disk.flush_us = self.flush_us or self.rng.choice([0, 200, 1000, 3000])
        self.disk.power_on()
        self.server.args = [*self.args, "--encryption", self.rng.choice(["berth", "disk"])]
        self.server.log.unlink(missing_ok=True)
        begun = time.monotonic()
        self.server.start()
        self.start_s.append(time.monotonic() - begun)

    def cut(self):
        """The disk stops first: for a moment the server may still answer, and what it promises then counts too."""
        before = len(self.server.log_lines())
        self.cuts.append(self.disk.cut(self.rng.choice(MODES), self.rng.randrange(1 << 60)))
        time.sleep(self.rng.choice([0, 0, 0.005, 0.03]))
        self.server.kill()
        self.end_command()
        early = [e for e in self.server.log_lines()[:before] if e.get("level") == "error"]
        assert not early, f"errors before the power cut: {early[:3]}"

    def begin_command(self):
        """Collection or lifecycle policies, by hand: the server's own come a second after its start, and mostly it does not live so long."""
        assert self.command is None
        self.command = self.server.begin(*self.rng.choice([("gc", *GRACE), ("lifecycle run", *GRACE)]))

    def end_command(self):
        """With the power, if it still runs; what it said then counts for nothing."""
        if self.command is not None:
            self.command.kill()
            self.command.communicate()
            self.command = None

    def furnish(self):
        """Repositories and clients of the mixed load."""
        self.server.create("source", "roller", *[f"hammer/{i}" for i in range(HAMMERS)], *[f"writer/{i}" for i in range(WRITERS)])
        port, token, shared = self.server.port, self.server.token, []
        offers = fill_source(self.server.oci(), "source", 40)
        self.clients = [Hammer(f"hammer/{i}", port, token, i, "source", offers, GRACE_S) for i in range(HAMMERS)]
        sizes = (10, 1000, 5000, 5000, 70_000, 70_000, 200_000, 200_000, 1_048_576, 1_300_001, 2_500_000)  # from 1 MiB on past the page cache
        self.clients += [Writer(f"writer/{i}", port, token, i, shared, sizes, GRACE_S) for i in range(WRITERS)]
        self.clients += [*[Owner(self.server, f"owner{i}", i, GRACE_S) for i in range(OWNERS)], Roller(self.server, "roller", GRACE_S)]

    def stir(self, until):
        """Has the kernel write back dirty pages now and then, of one file and not of another: to the disk's cache, not further."""
        rng = random.Random(self.rng.random())
        files = [self.server.data / "berth.db-wal", self.server.data / "berth.db", *list((self.server.data / "blobs").glob("*/*"))[-3:]]
        while not until.wait(rng.uniform(0.001, 0.01)):
            try:
                fd = os.open(rng.choice(files), os.O_RDONLY)
            except OSError:
                continue
            try:
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(fd)

    def load_until_cut(self):
        """Lets the clients loose, cuts the power under them, and fails if anything went wrong before."""
        wrong, cutting = [], threading.Event()

        def work(client):
            try:
                while True:
                    client.step()
            except Exception as e:  # noqa: BLE001 - whatever it is, the test reports it
                # Of a server without a disk: an error of its own, or no answer. The cut is noted a moment before it happens.
                if not (isinstance(e, Gone) or is_server_error(e)) or not cutting.wait(0.5):
                    wrong.append(f"{type(client).__name__}: {e!r}")

        threads = [threading.Thread(target=work, args=(c,)) for c in self.clients]
        if self.rng.random() < 0.5:
            threads.append(threading.Thread(target=self.stir, args=(cutting,)))
        for t in threads:
            t.start()
        seconds = self.rng.uniform(0.95, 1.3) if self.rng.random() < 0.1 else min(self.rng.expovariate(1 / 0.3), 1.0)
        before = self.rng.uniform(0, seconds) if self.rng.random() < 0.5 else 0
        time.sleep(before)
        self.begin_command()
        time.sleep(seconds - before)
        if self.command.poll():
            wrong.append(f"{self.command.args[1]}: {self.command.communicate()[0]}")
        cutting.set()
        self.cut()
        for t in threads:
            t.join()
        assert not wrong, wrong

    def cut_while_starting(self):
        self.disk.power_on()
        self.server.log.unlink(missing_ok=True)  # in which the one before may have complained of the disk that had failed
        self.server.start(wait=False)
        time.sleep(self.rng.uniform(0, 0.08))
        self.cut()
        self.disk.power_off()

    def come_back(self, starts=True):
        """What is there after the power cut must be what was acknowledged."""
        self.disk.power_off()
        if starts and self.rng.random() < 0.15:
            self.cut_while_starting()
        self.power_on()
        for client in self.clients:
            client.verify()
        self.server.check(deep=True)


@pytest.mark.timeout(CUTS.timeout)
def test_nothing_acknowledged_is_lost_when_the_power_fails_at_any_moment(machine):
    machine.power_on()
    machine.furnish()
    for cut in CUTS:
        with CUTS.round(cut, machine.clients) as machine.rng:
            machine.load_until_cut()
            machine.come_back()
    machine.server.finish()

    counts = total(machine.clients)
    lost = sum(size > kept for _, size, kept in machine.cuts)
    print(counts, f"{lost} of {len(machine.cuts)} cuts lost writes; starts: median {statistics.median(machine.start_s):.3f} s, longest {max(machine.start_s):.3f} s")
    assert lost > len(machine.cuts) / 3, machine.cuts
    assert any(kept for _, _, kept in machine.cuts), machine.cuts
    for operation in ("image", "retag", "untag", "toggle", "push", "mounted", "tag", "delete_image", "delete_blob", "delete", "create", "lifecycle", "policy", "rolled", "expired", "collected"):
        assert counts.get(operation, 0) > CUTS.made / 3, f"hardly any {operation}: {counts}"
    for operation in ("describe_key", "enable_key", "alias_key", "setting", "archive", "remove_image", "resumed"):
        assert counts.get(operation, 0) > CUTS.made / 12, f"hardly any {operation}: {counts}"
    assert statistics.median(machine.start_s) < 1 and max(machine.start_s) < 5, machine.start_s


@pytest.mark.timeout(FIRST_STARTS.timeout)
def test_the_first_start_is_durable_as_soon_as_it_answers(scratch):
    """The root key, the credentials and the database of a new registry: whoever was answered once can come back."""
    for i in FIRST_STARTS:
        (scratch / str(i)).mkdir()
        with FIRST_STARTS.round(i, []) as rng, private_mounts():
            m = Machine(scratch / str(i))
            m.rng = rng
            try:
                m.power_on()
                credentials = m.server.credentials
                m.server.create("first")
                m.cut()
                m.disk.power_off()
                m.power_on()
                assert m.server.credentials == credentials
                assert m.server.client("ecr").describe_repositories()["repositories"][0]["repositoryName"] == "first"
                m.server.finish()
            finally:
                m.discard()


@pytest.mark.parametrize(("about", "complaint"), [("all", ""), ("blobs", ""), ("log", "acknowledged")])
def test_a_server_whose_syncs_lie_is_found_out(machine, about, complaint):
    """That the test above can fail. The sandbox is off because the lie needs a thread and looks at /proc."""
    machine.flush_us = 3000
    machine.args += ["--sandbox", "off"]
    machine.power_on()
    machine.furnish()
    machine.server.stop()
    machine.server.more_env = {"LD_PRELOAD": LIAR, "LYING_SYNC": about}
    machine.server.start()
    for i in LIES:
        with LIES.round(i, machine.clients) as machine.rng:
            machine.load_until_cut()
            try:
                machine.come_back(starts=False)
            except Exception as e:  # noqa: BLE001 - a missing tag, damaged bytes, a database that does not open: each is a find
                print(f"found after {len(machine.cuts)} cuts: {e!r:.500}")
                assert re.search(complaint, str(e))
                return
    raise AssertionError(f"nobody noticed that syncs lied about {about}")
