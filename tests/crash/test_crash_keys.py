"""SIGKILL of the server and of `berth re-encrypt` at random moments: during pushes into encrypted repositories, rotations of their keys, and
re-encryption both ways. Everything acknowledged stays readable, and each run goes on where the last one was killed."""

import json
import sqlite3
import threading
import time

import pytest

from harness.rounds import LONG, Rounds
from harness.writer import Gone, Writer, total

KILLS = Rounds(400 if LONG else 40, 2.5)
TYPES = ("AES256", "KMS", "KMS_DSSE")


def key_versions(server):
    """The versions of the KMS key by which the pools' data keys are wrapped now (what Berth manages itself left out)."""
    db = sqlite3.connect(f"file:{server.data}/berth.db?mode=ro", uri=True)
    rows = db.execute("SELECT k.wrapped FROM pool_key k JOIN pool p ON p.id = k.pool_id WHERE p.key_arn <> '' AND k.layer = (p.enc_type = 3)").fetchall()
    db.close()
    return [int.from_bytes(wrapped[17:21], "big") for wrapped, in rows]


def write_until_killed(server, writers, form, rng, rotate):
    """Writers, a rotation and a re-encryption at once, until the server is killed, and perhaps the other with it."""
    wrong, killed = [], threading.Event()

    def work(writer):
        try:
            while True:
                writer.step()
        except Gone:
            if not killed.wait(0.5):
                wrong.append(f"{writer.repo}: the server went away by itself")
        except Exception as e:  # noqa: BLE001 - whatever it is, the test reports it
            wrong.append(f"{writer.repo}: {e!r}")

    threads = [threading.Thread(target=work, args=(w,)) for w in writers]
    for t in threads:
        t.start()
    moving = server.begin("re-encrypt", "--encryption", form)
    end = time.monotonic() + min(rng.expovariate(1 / 0.25), 1.2)
    rotate()
    time.sleep(max(0, end - time.monotonic()))
    killed.set()
    if rng.random() < 0.7:
        moving.kill()
    server.kill()
    for t in threads:
        t.join()
    output = moving.communicate(timeout=60)[0]  # one that was not killed ends by itself: it needs no server
    if moving.returncode not in (0, -9):
        wrong.append(f"re-encrypt: status {moving.returncode}: {output}")
    return wrong


@pytest.mark.timeout(KILLS.timeout)
def test_nothing_is_lost_when_pushes_rotations_and_re_encryption_are_killed_at_any_moment(make_berth):
    server = make_berth("--access-log", "off")
    kms = server.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for kind in TYPES:
        named = {"kmsKey": key} if kind != "AES256" else {}
        server.create(f"crash/{kind.lower()}", encryptionConfiguration={"encryptionType": kind, **named})
    shared = []
    writers = [Writer(f"crash/{kind.lower()}", server.port, server.token, kind, shared) for kind in TYPES]
    rotations = 0

    def rotate():
        nonlocal rotations
        if rotations < 25 and KILLS.random.random() < 0.6:  # AWS's limit a key
            server.client("kms").rotate_key_on_demand(KeyId=key)
            rotations += 1

    for kill in KILLS:
        with KILLS.round(kill, writers) as rng:
            form = rng.choice(["disk", "berth"])
            server.args = [a for a in server.args if a not in ("--encryption", "disk", "berth")] + ["--encryption", form]
            if server.process is None:
                server.start()
            wrong = write_until_killed(server, writers, form, rng, rotate)
            assert not wrong, wrong
            server.start()
            for writer in writers:
                writer.verify(whole=kill % 10 == 9)
            server.check(deep=kill % 10 == 9)
            server.kill()

    server.args = [a for a in server.args if a not in ("--encryption", "disk", "berth")]
    server.start()
    assert rotations > min(5, KILLS.made / 8)
    # However often wrapping anew was interrupted, it comes to its end.
    newest = 1 + len(server.client("kms").list_key_rotations(KeyId=key)["Rotations"])
    end = time.monotonic() + 40
    while set(key_versions(server)) != {newest} or len(key_versions(server)) != 2:
        assert time.monotonic() < end, (key_versions(server), newest)
        time.sleep(0.2)
    counts = total(writers)
    print(counts, rotations)
    for operation in ("push", "tag", "resumed"):
        assert counts.get(operation, 0) > KILLS.made / 8, f"hardly any {operation}: {counts}"
    done = server.berth("re-encrypt")
    assert "manifests to the current form" in done.stdout
    told = json.loads(server.berth("check", "--json", "--deep").stdout)["encryption"]
    assert {p["type"] for p in told if p["sealedLayers"]} == set(TYPES) and not any(p["plainLayers"] for p in told), told
    for writer in writers:
        writer.verify(whole=True)
