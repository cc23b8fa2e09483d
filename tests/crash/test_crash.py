"""SIGKILL at random moments under mixed load, 200 times: everything acknowledged is there afterwards, and nothing is half there.

The load: layers pushed whole and in pieces (small ones are rows, large ones files), mounts, tags, deletions; by AWS's APIs repositories of every
encryption, their images, the archive, settings, policies, users and KMS keys; `berth gc` and `berth lifecycle run` beside the server, which are
killed too; and, in some rounds, the server's own jobs, the first of which come a second after its start.
"""

import threading
import time

import pytest

from harness.hammer import Hammer, fill_source
from harness.owner import Owner
from harness.roller import Roller
from harness.rounds import LONG, Rounds
from harness.writer import Gone, Writer, total

KILLS = Rounds(2000 if LONG else 200, 1.2)
WRITERS, HAMMERS = 3, 2
GRACE_S = 2
GRACE = ("--collect-grace", f"{GRACE_S}s")
BESIDE = (("gc", *GRACE), ("lifecycle run", *GRACE))


def run_until_killed(server, clients, rng):
    """Lets the clients loose, kills the server under them, and returns what went wrong besides that."""
    wrong = []
    killed = threading.Event()

    def work(client):
        try:
            while True:
                client.step()
        except Gone:
            if not killed.wait(0.5):  # the kill is noted a moment after it is sent
                wrong.append(f"{type(client).__name__}: the server went away by itself")
        except Exception as e:  # noqa: BLE001 - whatever it is, the test reports it
            wrong.append(f"{type(client).__name__}: {e!r}")

    threads = [threading.Thread(target=work, args=(c,)) for c in clients]
    for t in threads:
        t.start()
    seconds = rng.uniform(0.95, 1.2) if rng.random() < 0.1 else min(rng.expovariate(1 / 0.12), 0.8)
    before = rng.uniform(0, seconds) if rng.random() < 0.5 else 0
    time.sleep(before)
    command = server.begin(*rng.choice(BESIDE))
    time.sleep(seconds - before)
    killed.set()
    first, second = (server, command) if rng.random() < 0.5 else (command, server)
    if rng.random() < 0.5:
        first.kill()
        second.kill()
    else:
        server.kill()
    for t in threads:
        t.join()
    output = command.communicate(timeout=60)[0]  # one that was not killed ends by itself
    if command.returncode not in (0, -9):
        wrong.append(f"{command.args[1]}: status {command.returncode}: {output}")
    return wrong


def kill_while_starting(server, rng):
    server.start(wait=False)
    time.sleep(rng.uniform(0, 0.06))
    server.kill()


def furnish(server):
    """The clients, in repositories of their own."""
    port, token, shared = server.port, server.token, []
    server.create("source", "roller", *[f"hammer/{i}" for i in range(HAMMERS)], *[f"crash/w{i}" for i in range(WRITERS)])
    offers = fill_source(server.oci(), "source", 40)
    return [
        *[Writer(f"crash/w{i}", port, token, i, shared, grace_s=GRACE_S) for i in range(WRITERS)],
        *[Hammer(f"hammer/{i}", port, token, i, "source", offers, GRACE_S) for i in range(HAMMERS)],
        Owner(server, "owner", 0, GRACE_S), Roller(server, "roller", GRACE_S),
    ]


@pytest.mark.timeout(KILLS.timeout)
def test_nothing_acknowledged_is_lost_when_the_server_is_killed_at_any_moment(make_berth):
    server = make_berth("--access-log", "off", *GRACE, "--lifecycle-delay", "0s")
    clients = furnish(server)
    for kill in KILLS:
        with KILLS.round(kill, clients) as rng:
            wrong = run_until_killed(server, clients, rng)
            assert not wrong, wrong
            if rng.random() < 0.1:
                kill_while_starting(server, rng)
            server.start()
            whole = kill % 10 == 9
            for client in clients:
                client.verify(whole=whole)
            # While it serves, as an operator would. Deep every tenth time: it re-hashes all that the earlier rounds left.
            server.check(deep=whole)
    for client in clients:
        client.verify(whole=True)

    counts = total(clients)
    print(counts)
    for operation in ("push", "mounted", "tag", "untag", "delete_image", "delete_blob", "resumed", "collected", "image", "toggle", "create", "delete",
                      "policy", "lifecycle", "create_user", "delete_user", "describe_key", "enable_key", "alias_key", "setting", "archive", "remove_image", "rolled", "expired"):
        assert counts.get(operation, 0) > KILLS.made / 20, f"hardly any {operation}: {counts}"
