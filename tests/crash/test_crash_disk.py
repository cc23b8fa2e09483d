"""The disk fails at random, and now and then the process is killed amid that: everything acknowledged is there afterwards, and nothing is half there."""

import errno

import pytest

from harness.faults import FailingDisk
from harness.hammer import Hammer, fill_source
from harness.oci import blob
from harness.owner import Owner
from harness.roller import Roller
from harness.rounds import LONG, Rounds
from harness.trouble import Puller, Trouble
from harness.writer import Writer, total

ROUNDS = Rounds(400 if LONG else 6, 3)
GRACE_S = 2
CALLS, FILES = ("read", "write", "sync", "open", "remove"), ("db", "log", "object", "folder")
SAYS = "Input/output error|No space left on device|disk I/O error|database or disk is full|database disk image is malformed|Read-only file system"


@pytest.mark.timeout(ROUNDS.timeout)
@pytest.mark.log_errors(SAYS)
def test_nothing_acknowledged_is_lost_by_a_failing_disk_and_a_kill(make_berth, scratch):
    disk = FailingDisk(scratch)
    berth = make_berth("--access-log", "off", "--collect-grace", f"{GRACE_S}s", "--lifecycle-delay", "0s", env=disk.env)
    berth.create("source", "roller", *[f"hammer/{i}" for i in range(2)], *[f"writer/{i}" for i in range(3)])
    port, token, shared = berth.port, berth.token, []
    offers = fill_source(berth.oci(), "source", 40)
    layers = [blob(f"layer/{n}", n) for n in (5000, 70_000, 200_000, 3_000_001)]
    berth.oci().push_image("source", "layers", layers)
    sizes = (10, 1000, 5000, 5000, 70_000, 200_000, 1_300_001)
    clients = [
        *[Hammer(f"hammer/{i}", port, token, i, "source", offers, GRACE_S) for i in range(2)],
        *[Writer(f"writer/{i}", port, token, i, shared, sizes, GRACE_S) for i in range(3)],
        Owner(berth, "owner", 0, GRACE_S), Roller(berth, "roller", GRACE_S), Puller("source", port, token, 0, layers),
    ]
    trouble, failures = Trouble(clients), 0
    for n in ROUNDS:
        with ROUNDS.round(n, clients) as rng:
            calls, files = (" ".join(rng.sample(of, rng.randint(1, 2))) for of in (CALLS, FILES))
            error, every = rng.choice([errno.EIO, errno.EIO, errno.ENOSPC, errno.EROFS]), rng.choice([1, 2, 3, 7, 30])
            kills = rng.random() < 0.4
            with disk.failing(calls, files, error, every) as failed:
                trouble.load(rng.uniform(0.1, 0.6), may_cut=True)
                if kills:
                    berth.kill()
            failures += failed()
            if kills:
                berth.start()
            trouble.verify(whole=n % 10 == 9)
            berth.check(deep=n % 10 == 9)
    trouble.settle()
    print(total(clients), f"{failures} calls failed, clients met {len(trouble.errors)} errors")
    assert failures > ROUNDS.made / 20 and len(trouble.errors) > ROUNDS.made / 20, (failures, trouble.errors)
