"""SIGKILL at random moments under writers, 200 times: everything acknowledged is there afterwards, and nothing is half there."""

import os
import random
import threading
import time

import pytest

from harness.writer import Gone, Writer, total

LONG = os.environ.get("BERTH_LONG") == "1"
KILLS = 2000 if LONG else 200
WRITERS = 4


def write_until_killed(server, writers, rng):
    """Lets the writers loose, kills the server under them, and returns what went wrong besides that."""
    wrong = []
    killed = threading.Event()

    def work(writer):
        try:
            while True:
                writer.step()
        except Gone:
            if not killed.is_set():
                time.sleep(0.5)  # the kill is noted a moment after it is sent
                if not killed.is_set():
                    wrong.append(f"{writer.repo}: the server went away by itself")
        except Exception as e:  # noqa: BLE001 - whatever it is, the test reports it
            wrong.append(f"{writer.repo}: {e!r}")

    threads = [threading.Thread(target=work, args=(w,)) for w in writers]
    for t in threads:
        t.start()
    time.sleep(min(rng.expovariate(1 / 0.12), 0.8))
    killed.set()
    server.kill()
    for t in threads:
        t.join()
    return wrong


def kill_while_starting(server, rng):
    server.start(wait=False)
    time.sleep(rng.uniform(0, 0.06))
    server.kill()


@pytest.mark.timeout(2300 if LONG else 280)
def test_nothing_acknowledged_is_lost_when_the_server_is_killed_at_any_moment(make_berth):
    seed = int(os.environ.get("BERTH_SEED", random.randrange(1 << 30)))
    print(f"BERTH_SEED={seed}")
    rng = random.Random(seed)
    server = make_berth("--access-log", "off")
    server.create(*[f"crash/w{i}" for i in range(WRITERS)])
    shared = []
    writers = [Writer(f"crash/w{i}", server.port, server.token, f"{seed}/{i}", shared) for i in range(WRITERS)]

    for kill in range(KILLS):
        wrong = write_until_killed(server, writers, rng)
        assert not wrong, f"before kill {kill}: {wrong}"
        if rng.random() < 0.1:
            kill_while_starting(server, rng)
        server.start()
        for writer in writers:
            writer.verify(whole=kill == KILLS - 1)
        # While it serves, as an operator would. Deep every tenth time: it re-hashes all that the earlier rounds left.
        server.check(deep=kill % 10 == 9)

    counts = total(writers)
    print(counts)
    for operation in ("push", "mounted", "tag", "untag", "delete_image", "delete_blob", "resumed"):
        assert counts.get(operation, 0) > KILLS / 20, f"hardly any {operation}: {counts}"
