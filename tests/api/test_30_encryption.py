"""Encryption at rest by its effects: which repositories share, what stands on the disk, what damage does, who encrypts."""

import base64
import http.client
import json
import os
import pty
import random
import re
import sqlite3
import subprocess
import threading
import time

import pytest

from harness.env import clean_env
from harness.oci import IMAGE, blob, expect, sha256
from harness.sharing import Sharing

SEGMENT = 65536
HEADER = 48
OVERHEAD = {"AES256": 28, "KMS": 28, "KMS_DSSE": 56}
TYPES = list(OVERHEAD)


def encryption(kind, key=None):
    return {"encryptionConfiguration": {"encryptionType": kind, **({"kmsKey": key} if key else {})}}


def pools(berth):
    """The five kinds of pools, each with two repositories: {name of the pool: its repositories}."""
    kms = berth.client("kms")
    for alias in ("alias/x", "alias/y"):
        kms.create_alias(AliasName=alias, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    kinds = {"aes": ("AES256", None), "kms": ("KMS", None), "kms-x": ("KMS", "alias/x"), "kms-y": ("KMS", "alias/y"), "dsse": ("KMS_DSSE", None), "dsse-x": ("KMS_DSSE", "alias/x")}
    for name, (kind, key) in kinds.items():
        berth.create(f"{name}/1", f"{name}/2", **encryption(kind, key))
    return kinds


def ordinary(answer):
    """What of a 202 may tell something: its status, the names of its headers, its body."""
    return answer.status, sorted(k.lower() for k in answer.headers.keys()), answer.body


# -- pools ---------------------------------------------------------------------------------------------------------------


def test_a_layer_is_shared_within_its_pool_and_every_other_pair_gets_the_same_202(berth):
    kinds, oci = pools(berth), berth.oci()
    plain = ordinary(oci.mount_request("aes/1", sha256(b"nowhere"), "aes/2"))
    assert plain[0] == 202
    before = berth.metrics()
    refused = 0
    for source in kinds:
        data = blob(source, 3 * SEGMENT)
        digest = oci.push_blob(f"{source}/1", data)
        for target in kinds:
            answer = oci.mount_request(f"{target}/2", digest, f"{source}/1")
            if target == source:
                assert answer.status == 201 and answer["Docker-Content-Digest"] == digest
                assert oci.get_blob(f"{target}/2", digest) == data
            else:
                assert ordinary(answer) == plain
                assert not oci.has_blob(f"{target}/2", digest)
                refused += 1
            # Nor does the server look for another source than one in the pool.
            assert oci.mount(f"{target}/2", digest) == (target == source)
    after = berth.metrics()
    assert after.mounts("other-pool") - before.mounts("other-pool") == refused == 30
    assert after.mounts("mounted") - before.mounts("mounted") == len(kinds)
    lines = berth.access_log(lambda e: e.get("mount_outcome") == "other-pool")
    assert {e["status"] for e in lines if e.get("mount_outcome") == "other-pool"} == {202}


def test_one_key_is_one_pool_whatever_name_it_is_given_by(berth):
    kms, oci = berth.client("kms"), berth.oci()
    key, other = (kms.create_key()["KeyMetadata"] for _ in range(2))
    kms.create_alias(AliasName="alias/a", TargetKeyId=key["KeyId"])
    kms.create_alias(AliasName="alias/b", TargetKeyId=key["KeyId"])
    alias_arn = f"arn:aws:kms:{berth.region}:{berth.account}:alias/a"
    names = {"by-id": key["KeyId"], "by-arn": key["Arn"], "by-alias": "alias/a", "by-alias-arn": alias_arn, "by-other-alias": "alias/b"}
    for repo, name in names.items():
        [made] = berth.create(repo, **encryption("KMS", name))
        assert made["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": key["Arn"]}
    digest = oci.push_blob("by-id", b"shared")
    for repo in names:
        assert repo == "by-id" or oci.mount(repo, digest, "by-id")
    # Where the alias points from now on is of no concern to what was made by it.
    kms.update_alias(AliasName="alias/a", TargetKeyId=other["KeyId"])
    assert berth.client("ecr").describe_repositories(repositoryNames=["by-alias"])["repositories"][0]["encryptionConfiguration"]["kmsKey"] == key["Arn"]
    again = oci.push_blob("by-alias", b"pushed later")
    assert oci.mount("by-arn", again, "by-alias")
    [made] = berth.create("moved", **encryption("KMS", "alias/a"))
    assert made["encryptionConfiguration"]["kmsKey"] == other["Arn"]
    assert not oci.mount("moved", digest, "by-id")
    assert len(berth.blob_objects()) == 2


def test_keys_that_are_not_there_make_no_repository(berth):
    ecr = berth.client("ecr")
    for name in ("alias/none", "12345678-1234-1234-1234-123456789012", f"arn:aws:kms:{berth.region}:{berth.account}:key/12345678-1234-1234-1234-123456789012"):
        with pytest.raises(ecr.exceptions.KmsException) as e:
            ecr.create_repository(repositoryName="rr", **encryption("KMS", name))
        assert e.value.response["kmsError"] == "NotFoundException"
    assert ecr.describe_repositories()["repositories"] == []


# -- reading -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TYPES)
def test_every_border_between_segments_can_be_read_over(berth, kind):
    berth.create("rr", **encryption(kind))
    oci = berth.oci()
    for size in (0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 4 * SEGMENT, 9 * SEGMENT + 7):
        data = blob(kind, size)
        digest = oci.push_blob("rr", data)
        assert oci.get_blob("rr", digest) == data
        assert berth.holds_file_of(HEADER + size + (size // SEGMENT + 1) * OVERHEAD[kind]) == 1
        spots = sorted({x for border in range(0, size + SEGMENT, SEGMENT) for x in (border - 1, border, border + 1) if 0 <= x < size})
        pairs = [(a, b) for a in spots for b in spots if a <= b]
        near = [(a, b) for a, b in pairs if b - a <= 2]  # one to three bytes at each border, on either side and over it
        for first, last in {*near, *random.Random(1).sample(pairs, min(len(pairs), 100))}:
            got = oci.http.get(f"/v2/rr/blobs/{digest}", headers={"Range": f"bytes={first}-{last}"})
            assert got.status == 206 and got.body == data[first:last + 1], (size, first, last)
    several = oci.http.get(f"/v2/rr/blobs/{digest}", headers={"Range": f"bytes=0-9,{SEGMENT - 1}-{SEGMENT},{size - 5}-"})
    assert several.status == 206
    for piece in (data[:10], data[SEGMENT - 1:SEGMENT + 1], data[-5:]):
        assert b"\r\n\r\n" + piece + b"\r\n" in several.body


def test_a_range_in_the_middle_reads_two_segments_more_at_most(berth):
    """Counted from the outside: the calls by which the server reads the object's file."""
    berth.create("rr")
    oci = berth.oci()
    data = blob("middle", 40 << 20)
    digest = oci.push_blob("rr", data)
    trace = berth.folder / "trace"
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-y", "-e", "trace=pread64", "-o", str(trace), "-p", str(berth.process.pid)], stderr=subprocess.PIPE)
    try:
        time.sleep(1)
        first = 20_000_001
        got = oci.http.get(f"/v2/rr/blobs/{digest}", headers={"Range": f"bytes={first}-{first + (1 << 20) - 1}"})
        assert got.body == data[first:first + (1 << 20)]
    finally:
        tracer.terminate()
        tracer.wait(10)
    reads = [(int(length), int(offset)) for length, offset in re.findall(r"/blobs/.*, (\d+), (\d+)\)", trace.read_text())]
    if not reads:
        pytest.skip("strace may not look at the server here")
    body = [r for r in reads if r[1] >= HEADER]
    assert sum(r[0] for r in reads) <= (1 << 20) + 2 * (SEGMENT + 28) + 17 * 28 + HEADER, reads
    assert all(a[0] + a[1] == b[1] for a, b in zip(body, body[1:])), "more than one seek"


def test_memory_stays_the_same_however_large_the_layer(berth):
    berth.create("rr", **encryption("KMS_DSSE"))
    oci = berth.oci()
    oci.get_blob("rr", oci.push_blob("rr", blob("small", 1 << 20)))
    before = berth.rss_bytes()
    digest = oci.push_blob("rr", blob("large", 200 << 20))
    assert sha256(oci.get_blob("rr", digest)) == digest
    assert berth.rss_bytes() - before < 8 << 20


# -- damage --------------------------------------------------------------------------------------------------------------


class Raw:
    """An object as it stands in the store, and two others: one of the same pool and size, and a foreign one. Attacks give what takes its place."""

    def __init__(self, kind, mine, beside, foreign=b""):
        self.mine, self.beside, self.foreign, self.step = mine, beside, foreign, SEGMENT + OVERHEAD[kind]

    def at(self, segment, byte=0):
        return HEADER + segment * self.step + byte

    def segment(self, number, of=None):
        return (self.mine if of is None else of)[self.at(number):self.at(number + 1)]

    def flip(self, at, bit=0):
        data = bytearray(self.mine)
        data[at] ^= 1 << bit
        return bytes(data)

    def order(self, *numbers):
        """The object with its segments in another order."""
        return self.mine[:HEADER] + b"".join(self.segment(n) for n in numbers)

    def put(self, number, segment):
        return self.mine[:self.at(number)] + segment + self.mine[self.at(number + 1):]


SIZE = 5 * SEGMENT + 5000
ATTACKS = {
    "flip the header's magic": lambda r: r.flip(0), "flip the suite": lambda r: r.flip(9), "flip the key version": lambda r: r.flip(15), "flip the pool": lambda r: r.flip(27),
    "flip the object key": lambda r: r.flip(47), "flip a nonce": lambda r: r.flip(r.at(0, 3)), "flip a byte of the first segment": lambda r: r.flip(r.at(0, 60)),
    "flip a byte of the fourth": lambda r: r.flip(r.at(3, 500)), "flip a tag": lambda r: r.flip(r.at(1) - 1), "flip the last byte": lambda r: r.flip(-1),
    "cut one byte": lambda r: r.mine[:-1], "cut the last segment": lambda r: r.mine[:r.at(5)], "cut within a segment": lambda r: r.mine[:r.at(2, 999)],
    "cut a segment and make it look like the last": lambda r: r.order(0, 1, 2, 3, 5), "cut to the header": lambda r: r.mine[:HEADER], "cut to nothing": lambda r: b"",
    "extend by zeros": lambda r: r.mine + bytes(28), "extend by a segment": lambda r: r.order(0, 1, 2, 3, 4, 4, 5), "extend by the last again": lambda r: r.order(0, 1, 2, 3, 4, 5, 5),
    "swap two segments": lambda r: r.order(0, 2, 1, 3, 4, 5), "the reverse order": lambda r: r.order(4, 3, 2, 1, 0, 5), "repeat a segment": lambda r: r.order(0, 0, 2, 3, 4, 5),
    "a segment of another layer of the pool": lambda r: r.put(1, r.segment(1, r.beside)), "the last segment of another layer": lambda r: r.put(5, r.segment(5, r.beside)),
    "another layer's header": lambda r: r.beside[:HEADER] + r.mine[HEADER:], "another layer's segments": lambda r: r.mine[:HEADER] + r.beside[HEADER:],
    "another layer of the pool": lambda r: r.beside,
}
ACROSS = {
    "a segment of another pool's layer": lambda r: r.put(1, r.segment(1, r.foreign)), "another pool's segments": lambda r: r.mine[:HEADER] + r.foreign[HEADER:],
    "another pool's layer": lambda r: r.foreign,
}


def read_raw(berth, path, at=None):
    """(status, bytes that came before the transfer broke off, whether it was whole)."""
    connection = http.client.HTTPConnection("127.0.0.1", berth.port, timeout=30)
    more = {} if at is None else {"Range": f"bytes={at}-{at}"}
    connection.request("GET", path, headers={"Authorization": "Basic " + base64.b64encode(f"AWS:{berth.token}".encode()).decode(), **more})
    answer = connection.getresponse()
    got = b""
    try:
        while True:
            piece = answer.read(10000)
            if not piece:
                break
            got += piece
        whole = len(got) == int(answer.headers["Content-Length"])
    except (http.client.IncompleteRead, ConnectionResetError) as e:
        got += getattr(e, "partial", b"")
        whole = False
    connection.close()
    return answer.status, got, whole


def object_of(berth, digest):
    """The file of each layer with that digest."""
    kind, hex_digest = digest.split(":")
    db = sqlite3.connect(f"file:{berth.data}/berth.db?mode=ro", uri=True)
    rows = db.execute("SELECT hex(store_key) FROM blob WHERE hex(digest) LIKE ?", (f"%{hex_digest.upper()}",)).fetchall()
    db.close()
    keys = [r[0].lower() for r in rows]
    return [berth.data / "blobs" / k[:2] / k for k in keys]


def is_in_the_log(berth, digest):
    end = time.monotonic() + 3
    while not any(digest in line and '"level":"error"' in line for line in berth.log_text().splitlines()):
        assert time.monotonic() < end, f"the log does not name {digest}"
        time.sleep(0.05)


class Attacked:
    """A server with a layer `beside` in each of the repositories aes/1, kms/1, ..., and how it takes it that an object is replaced."""

    def __init__(self, berth):
        self.berth, self.kinds, self.oci = berth, pools(berth), berth.oci()
        self.beside = {name: self.push(name, "beside") for name in self.kinds}

    def push(self, pool, text):
        """(digest, content, file)"""
        data = blob(f"{pool} {text}", SIZE)
        digest = self.oci.push_blob(f"{pool}/1", data)
        [file] = object_of(self.berth, digest)
        return digest, data, file

    def raw(self, pool, text, foreign=None):
        """A new layer, and what an attack on it is made of."""
        made = self.push(pool, text)
        other = self.beside[foreign][2].read_bytes() if foreign else b""
        return made, Raw(self.kinds[pool][0], made[2].read_bytes(), self.beside[pool][2].read_bytes(), other)

    def read(self, pool, layer, what):
        """No wrong byte leaves the server, and no client takes what it gets for whole."""
        digest, data, _ = layer
        status, got, whole = read_raw(self.berth, f"/v2/{pool}/1/blobs/{digest}")
        assert not (status == 200 and whole), f"{what}: the client took damaged bytes for whole"
        if status == 200:
            assert data.startswith(got), f"{what}: a wrong byte left the server"
        else:
            assert status == 500 and b"request id" in got, (what, status, got)
        # Ranges that touch nothing of the damage may be right; none may be wrong.
        for first in range(0, SIZE, 30011):
            status, got, whole = read_raw(self.berth, f"/v2/{pool}/1/blobs/{digest}", first)
            assert status in (206, 500) and (status == 500 or got == b"" or got == data[first:first + 1]), what

    def try_all(self, attacks):
        """attacks: {what: (pool, layer, bytes that take its place)}. Leaves everything as it was."""
        for what, (pool, layer, bad) in attacks.items():
            good = layer[2].read_bytes()
            assert bad != good, what
            layer[2].write_bytes(bad)
            self.read(pool, layer, what)
        for what, (pool, layer, _) in attacks.items():
            is_in_the_log(self.berth, layer[0])
        for pool, (digest, data, _) in self.beside.items():
            assert self.oci.get_blob(f"{pool}/1", digest) == data
        done = self.berth.berth("check", "--deep", check=False)
        assert done.returncode == 1
        damaged = re.findall(r"^damage: blob (sha256:[0-9a-f]{64}) ", done.stdout, re.M)
        assert sorted(damaged) == sorted(layer[0] for _, layer, _ in attacks.values()), done.stdout


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.log_errors("CORRUPT", "KEY_UNKNOWN")
def test_damage_never_reaches_a_client_as_bytes(berth, kind):
    """Each attack on a layer of its own, so that log and check must name just that one."""
    pool = {"AES256": "aes", "KMS": "kms-x", "KMS_DSSE": "dsse-x"}[kind]
    attacked, kept, attacks = Attacked(berth), {}, {}
    for what, change in ATTACKS.items():
        layer, raw = attacked.raw(pool, what)
        kept[layer[2]] = raw.mine
        attacks[what] = (pool, layer, change(raw))
    attacked.try_all(attacks)
    for file, good in kept.items():
        file.write_bytes(good)


@pytest.mark.log_errors("CORRUPT", "KEY_UNKNOWN")
def test_bytes_of_one_pool_are_damage_in_every_other(berth):
    attacked, kept, attacks = Attacked(berth), {}, {}
    for pool in attacked.kinds:
        for foreign in attacked.kinds:
            for what, change in ACROSS.items() if foreign != pool else ():
                layer, raw = attacked.raw(pool, f"{foreign} {what}", foreign)
                kept[layer[2]] = raw.mine
                attacks[f"{pool} < {foreign}: {what}"] = (pool, layer, change(raw))
    assert len(attacks) == 3 * 30
    attacked.try_all(attacks)
    for file, good in kept.items():
        file.write_bytes(good)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.log_errors("CORRUPT", "KEY_UNKNOWN")
def test_any_flipped_bit_is_damage(berth, kind):
    """Bits at random; that each single one counts is shown where it is cheap, in the unit tests."""
    rng = random.Random(kind)
    berth.create("rr", **encryption(kind))
    data = blob(kind, SEGMENT + 100)
    digest = berth.oci().push_blob("rr", data)
    [file] = object_of(berth, digest)
    good = file.read_bytes()
    for at in [*range(HEADER), *(rng.randrange(len(good)) for _ in range(100))]:
        file.write_bytes(Raw(kind, good, b"").flip(at, rng.randrange(8)))
        status, got, whole = read_raw(berth, f"/v2/rr/blobs/{digest}")
        assert status == 500 or (status == 200 and not whole and data.startswith(got)), at
    file.write_bytes(good)
    assert berth.oci().get_blob("rr", digest) == data


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.log_errors("CORRUPT", "KEY_UNKNOWN")
def test_a_manifest_that_was_changed_is_not_given_out(berth, kind):
    berth.create("rr", "same-pool", **encryption(kind))
    berth.create("other-pool", **encryption("KMS" if kind == "AES256" else "AES256"))
    oci, ecr = berth.oci(), berth.client("ecr")
    digest, manifest = oci.push_image("rr", "1", [b"layer"])
    oci.push_image("rr", "2", [b"another"])
    for repo in ("same-pool", "other-pool"):
        oci.push_image(repo, "1", [b"layer"])
    db = sqlite3.connect(berth.data / "berth.db", isolation_level=None)
    (row, good), (_, sibling), (_, same), (_, other) = db.execute("SELECT id, manifest FROM image ORDER BY id").fetchall()

    def flipped(at):
        data = bytearray(good)
        data[at] ^= 16
        return bytes(data)

    attacks = {f"flip {at}": flipped(at) for at in (0, 1, 12, 13, 30, len(good) // 2, len(good) - 17, len(good) - 1)} | {
        "cut": good[:-1], "cut to nothing": b"", "extend": good + b"x", "another of the repository": sibling, "the same, of another repository": same,
        "the same, of another pool": other, "in clear": manifest,
    }
    for what, bad in attacks.items():
        assert db.execute("UPDATE image SET manifest = ? WHERE id = ?", (bad, row)).rowcount == 1
        answer = oci.http.get("/v2/rr/manifests/1")
        assert answer.status == 500 and manifest not in answer.body, what
        assert refusal(ecr.batch_get_image, repositoryName="rr", imageIds=[{"imageDigest": digest}])["Error"]["Code"] == "ServerException", what
    done = berth.berth("check", "--deep", check=False)
    assert done.returncode == 1 and re.findall(r"^damage: image (\S+): ", done.stdout, re.M) == [digest], done.stdout
    is_in_the_log(berth, digest)
    db.execute("UPDATE image SET manifest = ? WHERE id = ?", (good, row))
    # Said to be in clear; said to be sealed by keys that are not there; one that the attacker would like, in clear.
    for form, bad in ((0, good), (2, good), (0, manifest.replace(b"application", b"attackation"))):
        db.execute("UPDATE image SET form = ?, manifest = ? WHERE id = ?", (form, bad, row))
        assert oci.http.get("/v2/rr/manifests/1").status == 500, form
        assert refusal(ecr.batch_get_image, repositoryName="rr", imageIds=[{"imageDigest": digest}])["Error"]["Code"] == "ServerException"
    db.execute("UPDATE image SET form = 1, manifest = ? WHERE id = ?", (good, row))
    db.close()
    assert oci.get_manifest("rr", "1") == manifest
    assert all(oci.get_manifest(*image) for image in (("rr", "2"), ("same-pool", "1"), ("other-pool", "1")))


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.log_errors("CORRUPT", "KEY_UNKNOWN")
def test_an_upload_does_not_go_on_over_damage(berth, kind):
    """What of an upload was acknowledged is read again after a restart: what is no longer that must not become a layer."""
    berth.create("rr", **encryption(kind))
    first, second = blob(f"{kind} first", 3 * SEGMENT + 999), blob(f"{kind} second", 2000)
    digest = sha256(first + second)
    where = berth.oci().upload("rr")
    expect(berth.oci().http.patch(where, first), 202)
    berth.stop()
    [file] = [berth.data / f for f in berth.blob_files()]
    db = sqlite3.connect(berth.data / "berth.db", isolation_level=None)
    [(tail,)] = db.execute("SELECT tail FROM upload").fetchall()
    raw = Raw(kind, file.read_bytes(), b"")
    objects = {"flip": raw.flip(raw.at(1, 100)), "swap": raw.order(1, 0, 2), "cut": raw.mine[:raw.at(2)], "header": raw.flip(20)}
    attacks = [(what, bad, tail) for what, bad in objects.items()] + [(f"tail {at}", raw.mine, tail[:at] + bytes([tail[at] ^ 1]) + tail[at + 1:]) for at in (15, 60, len(tail) - 1)]
    for what, bad, bad_tail in attacks:
        file.write_bytes(bad)
        assert db.execute("UPDATE upload SET tail = ?", (bad_tail,)).rowcount == 1
        berth.start()
        oci = berth.oci()
        answer = oci.http.put(where + f"?digest={digest}", second)
        assert answer.status == 500, (what, answer)
        assert not oci.has_blob("rr", digest), what
        berth.stop()
    file.write_bytes(raw.mine)
    db.execute("UPDATE upload SET tail = ?", (tail,))
    db.close()
    berth.start()
    expect(berth.oci().http.put(where + f"?digest={digest}", second), 201)
    assert berth.oci().get_blob("rr", digest) == first + second


@pytest.mark.log_errors("CORRUPT")
def test_a_data_key_that_was_changed_or_exchanged_opens_nothing(berth):
    """Wrapped keys stand in the database: who can write there must not gain a key that he chose, nor another pool's."""
    kinds = pools(berth)
    berth.oci().push_image("aes/1", "1", [b"layer"])
    layers = {}
    for name in kinds:
        layers[name] = berth.oci().push_blob(f"{name}/1", blob(name, 1000))
    berth.stop()
    db = sqlite3.connect(berth.data / "berth.db", isolation_level=None)
    good = db.execute("SELECT pool_id, layer, version, wrapped FROM pool_key ORDER BY 1, 2").fetchall()
    assert len(good) == 4 + 2 * 2  # KMS_DSSE has two

    def flipped(wrapped):
        return wrapped[:-1] + bytes([wrapped[-1] ^ 1])

    def put(rows):
        for *which, wrapped in rows:
            assert db.execute("UPDATE pool_key SET wrapped = ? WHERE pool_id = ? AND layer = ? AND version = ?", (wrapped, *which)).rowcount == 1

    turned = good[1:] + good[:1]
    for bad in ([(*row[:3], flipped(row[3])) for row in good], [(*a[:3], b[3]) for a, b in zip(good, turned)]):
        put(bad)
        berth.start()
        for name, digest in layers.items():
            answer = berth.oci().http.get(f"/v2/{name}/1/blobs/{digest}")
            assert answer.status == 500 and blob(name, 1000) not in answer.body, (name, answer)
            new = berth.oci().http.post(f"/v2/{name}/1/blobs/uploads/")
            assert new.status == 500, (name, new)
        done = berth.berth("check", "--deep", check=False)
        assert done.returncode == 1 and all(digest in done.stdout for digest in layers.values()), done.stdout
        berth.stop()
        put(good)
    db.close()
    berth.start()
    for name, digest in layers.items():
        assert berth.oci().get_blob(f"{name}/1", digest) == blob(name, 1000)


def error_lines(berth, request_id):
    """The log's lines of level error about that request; they are written behind the answer."""
    end = time.monotonic() + 2
    while True:
        lines = [e for e in berth.log_lines() if e.get("level") == "error" and request_id in json.dumps(e)]
        if lines or time.monotonic() > end:
            return lines
        time.sleep(0.02)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.log_errors("CORRUPT")
def test_the_log_says_which_pools_data_key_was_changed_and_what_to_do(make_berth, kind):
    """Whoever watches the log must learn of a row that somebody changed, and not take it for a key that is off."""
    berth = make_berth("--kms-cache", "1s", "--inline-max", "0")
    key = berth.client("kms").create_key()["KeyMetadata"]["Arn"]
    berth.create("rr", **encryption(kind, None if kind == "AES256" else key))
    berth.oci().push_image("rr", "1", [b"layer"])
    digest = sha256(b"layer")
    berth.stop()
    db = sqlite3.connect(berth.data / "berth.db", isolation_level=None)
    rows = db.execute("SELECT pool_id, layer, version, wrapped FROM pool_key ORDER BY layer").fetchall()
    assert len(rows) == (2 if kind == "KMS_DSSE" else 1)

    def put(row, wrapped):
        assert db.execute("UPDATE pool_key SET wrapped = ? WHERE pool_id = ? AND layer = ?", (wrapped, *row[:2])).rowcount == 1

    def flipped(data, at, bits=1):
        return data[:at] + bytes([data[at] ^ bits]) + data[at + 1:]

    def told(row, what):
        """What each request that needs the key gets, and what the log tells of it."""
        oci, ecr = berth.oci(), berth.client("ecr")
        ids = []
        for answer in (oci.http.get(f"/v2/rr/blobs/{digest}"), oci.http.get("/v2/rr/manifests/1"), oci.http.post("/v2/rr/blobs/uploads/")):
            assert answer.status == 500, (what, answer)
            ids.append(re.search(r"request id (\w+)", answer.body.decode())[1])
        for call, more in ((ecr.batch_get_image, {"imageIds": [{"imageTag": "1"}]}), (ecr.initiate_layer_upload, {})):
            got = refusal(call, repositoryName="rr", **more)
            assert got["Error"]["Code"] == "ServerException" and str(row[0]) not in got["Error"]["Message"], (what, got)
            ids.append(got["ResponseMetadata"]["RequestId"].replace("-", ""))
        for request_id in ids:
            [line] = error_lines(berth, request_id)
            assert line["kind"] == "CORRUPT" and f"pool {row[0]} of registry {berth.account}, {berth.region}: its wrapped data key (layer {row[1]}, version 1)" in line["detail"], (what, line)
            assert "restore its row of table pool_key from a backup" in line["detail"] and what in line["detail"], line
            wraps = "managed by Berth" if kind == "AES256" or (kind == "KMS_DSSE" and row[1] == 0) else key
            assert line["detail"].endswith(wraps), line

    for row in rows:
        wrapped = row[3]
        own = wrapped[0] ^ ord("E")  # makes of the first byte the mark of keys in an external KMS
        for bad in [flipped(wrapped, 0), flipped(wrapped, 0, own), *(flipped(wrapped, at) for at in (1, 20, 24, len(wrapped) // 2, -1 + len(wrapped))), wrapped[:-1], wrapped + b"x", b""]:
            put(row, bad)
            berth.start()
            told(row, "was changed, or moved from elsewhere, in the database")
            berth.stop()
        put(row, wrapped)
    assert db.execute("DELETE FROM pool_key WHERE layer = ?", (rows[-1][1],)).rowcount == 1
    if kind == "KMS_DSSE":  # else the pool has none and makes one for what comes
        berth.start()
        told(rows[-1], "is missing in the database")
        berth.stop()
    db.execute("INSERT INTO pool_key (pool_id, layer, version, wrapped, created_at_ms) VALUES (?, ?, ?, ?, 1)", rows[-1])
    db.close()
    berth.start()
    assert berth.oci().check_image("rr", "1")
    if kind == "AES256":
        return
    # A key that is off is its owner's doing: the client is told, and nobody is alarmed.
    before = [e for e in berth.log_lines() if e.get("level") == "error"]
    berth.client("kms").disable_key(KeyId=key)
    time.sleep(1.2)
    answer = berth.oci().http.get(f"/v2/rr/blobs/{digest}")
    assert answer.status == 403 and "is disabled" in answer.body.decode()
    checked = berth.berth("check", "--deep")
    assert re.search(r"^locked: pool \d+: its key cannot be used, so 2 layers and 1 manifests were not read: .* is disabled", checked.stdout, re.M), checked.stdout
    told_json = json.loads(berth.berth("check", "--deep", "--json").stdout)
    assert told_json["findings"] == [] and [e["kind"] for e in told_json["locked"]] == ["locked"]
    assert json.loads(berth.berth("check", "--json").stdout)["locked"][0]["text"].count("0 layers and 1 manifests")
    # What can be read is checked all the same.
    [file] = object_of(berth, digest)
    file.rename(berth.folder / "aside")
    lost = berth.berth("check", "--deep", check=False)
    assert lost.returncode == 1 and "1 finding, but 1 pool is locked, and not read." in lost.stdout and "damage: blob " in lost.stdout, lost.stdout
    (berth.folder / "aside").rename(file)
    assert [e for e in berth.log_lines() if e.get("level") == "error"] == before


# -- what stands on the disk ---------------------------------------------------------------------------------------------


def everything(folder):
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


def test_no_content_and_no_secret_stands_in_the_data_folder(make_berth, scratch):
    key = scratch / "keys" / "root-key"
    key.parent.mkdir(mode=0o700)
    berth = make_berth(env={"BERTH_ROOT_KEY": str(key), "BERTH_CREDENTIALS": str(key.parent / "credentials")})
    oci, kms, iam = berth.oci(), berth.client("kms"), berth.client("iam")
    planted = {name: f"planted-{name}-{os.urandom(12).hex()}" for name in ("layer", "config", "annotation", "plaintext", "unfinished")}
    data_key = None
    for kind in TYPES:
        repo = f"r-{kind.lower().replace('_', '-')}"
        berth.create(repo, **encryption(kind))
        layer = blob(repo, 2 * SEGMENT) + (planted["layer"] * 2000).encode() + repo.encode()
        config = json.dumps({"architecture": "amd64", "os": "linux", "secret": planted["config"], "rootfs": {"type": "layers", "diff_ids": []}}).encode()
        oci.push_image(repo, "1", [layer], config=config, annotations={"note": planted["annotation"]})
        where = oci.upload(repo)
        expect(oci.http.patch(where, (planted["unfinished"] * 3).encode() + bytes(70000)), 202)
        expect(oci.http.patch(where, (planted["unfinished"] * 3).encode()), 202)
    made = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.encrypt(KeyId=made, Plaintext=planted["plaintext"])
    data_key = kms.generate_data_key(KeyId=made, KeySpec="AES_256")["Plaintext"]
    iam.create_user(UserName="bob")
    user_secret = iam.create_access_key(UserName="bob")["AccessKey"]["SecretAccessKey"]
    root_secrets = [berth.credentials[1]]
    berth.berth("new-key")
    root_secrets.append(berth.credentials[1])
    root_secret = root_secrets[1]
    assert len(set(root_secrets)) == 2
    assert berth.client("sts", aws_secret_access_key=root_secret).get_caller_identity()
    tag = berth.client("ecr").put_image_tag_mutability(repositoryName=repo, imageTagMutability="MUTABLE")
    assert tag
    link = berth.berth("console").stdout
    link_secret = max(re.findall(r"[A-Za-z0-9_-]{20,}", link), key=len)
    session = berth.client("sts").get_session_token()["Credentials"]
    stored = everything(berth.data)
    assert b"r-kms-dsse" in stored  # what the search must find: names are no secret
    for name, text in planted.items():
        assert text.encode() not in stored, name
    for secret in (user_secret, *root_secrets, link_secret, session["SecretAccessKey"], session["SessionToken"], berth.token):
        assert secret.encode() not in stored
    assert data_key not in stored and base64.b64encode(data_key) not in stored
    root = bytes.fromhex(key.read_text().split("\n")[1])
    assert root not in stored and root.hex().encode() not in stored
    # The token key: whoever has it makes tokens. It is 32 bytes in a row of its own, now wrapped.
    db = sqlite3.connect(f"file:{berth.data}/berth.db?mode=ro", uri=True)
    [(token_key,)] = db.execute("SELECT value FROM server_value WHERE name = 'token-key'").fetchall()
    secrets = [r[0] for r in db.execute("SELECT secret FROM access_key").fetchall()]
    db.close()
    assert len(token_key) == 32 + 29
    assert len(secrets) == 3 and all(len(s) == 40 + 29 for s in secrets)
    # And all of it works after a restart, when nothing is remembered.
    berth.restart()
    assert berth.oci().check_image(repo, "1") > 0
    assert berth.client("sts").get_caller_identity()["Account"] == berth.account


# -- keys that cannot be used --------------------------------------------------------------------------------------------


def refusal(call, **kw):
    with pytest.raises(Exception) as e:
        call(**kw)
    return e.value.response


@pytest.mark.parametrize("kind", ["KMS", "KMS_DSSE"])
def test_a_disabled_key_stops_its_pool_and_enabling_brings_it_back(make_berth, kind):
    berth = make_berth("--kms-cache", "1s")
    kms, ecr, oci = berth.client("kms"), berth.client("ecr"), berth.oci()
    key = kms.create_key()["KeyMetadata"]["Arn"]
    berth.create("locked", **encryption(kind, key))
    berth.create("plain", **encryption("AES256"))
    berth.create("managed", **encryption("KMS"))
    layer = blob("layer", 3 * SEGMENT)
    for repo in ("locked", "plain", "managed"):
        oci.push_image(repo, "1", [layer])
    body = oci.get_manifest("locked", "1")
    where = oci.upload("locked")
    expect(oci.http.patch(where, b"begun"), 202)

    def is_locked(code, sentence):
        digest = sha256(layer)
        again = oci.http.put("/v2/locked/manifests/again", body, headers={"Content-Type": IMAGE})  # an image that is there already
        for answer in (oci.http.get(f"/v2/locked/blobs/{digest}"), oci.http.get("/v2/locked/manifests/1"), oci.http.patch(where, b"more"), again):
            assert answer.status == 403 and answer.codes() == ["DENIED"], answer
            assert "The KMS key of this repository cannot be used" in answer.body.decode() and sentence in answer.body.decode()
        for call, more in ((ecr.initiate_layer_upload, {}), (ecr.batch_get_image, {"imageIds": [{"imageTag": "1"}]})):
            got = refusal(call, repositoryName="locked", **more)
            assert got["Error"]["Code"] == "KmsException" and got["kmsError"] == code, got
        new = oci.http.post("/v2/locked/blobs/uploads/")
        assert new.status == 403 or oci.http.put(new["Location"] + f"?digest={sha256(b'n')}", b"n").status == 403
        for repo in ("plain", "managed"):
            assert oci.check_image(repo, "1")
            oci.push_blob(repo, os.urandom(100))
        # What needs no byte goes on.
        assert ecr.describe_repositories(repositoryNames=["locked"])["repositories"]
        assert [i["imageTag"] for i in ecr.list_images(repositoryName="locked")["imageIds"]] == ["1"]

    kms.disable_key(KeyId=key)
    time.sleep(1.2)
    is_locked("DisabledException", "is disabled")
    kms.enable_key(KeyId=key)
    assert oci.check_image("locked", "1")
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    time.sleep(1.2)
    is_locked("KMSInvalidStateException", "is pending deletion")
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    assert oci.check_image("locked", "1")
    expect(oci.http.put(where + f"?digest={sha256(b'begun')}"), 201)
    assert oci.get_blob("locked", sha256(b"begun")) == b"begun"


def test_a_deleted_key_takes_its_pool_with_it_and_no_other(berth):
    kms, ecr, oci = berth.client("kms"), berth.client("ecr"), berth.oci()
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/gone", TargetKeyId=key["KeyId"])
    berth.create("lost", **encryption("KMS", "alias/gone"))
    berth.create("kept", **encryption("KMS"))
    for repo in ("lost", "kept"):
        oci.push_image(repo, "1", [blob("layer", 2 * SEGMENT)])
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    berth.stop()
    db = sqlite3.connect(berth.data / "berth.db")
    assert db.execute("UPDATE kms_key SET delete_at_ms = 1 WHERE delete_at_ms IS NOT NULL").rowcount == 1  # seven days pass
    db.commit()
    berth.start()
    oci, ecr, kms = berth.oci(), berth.client("ecr"), berth.client("kms")
    answer = oci.http.get("/v2/lost/manifests/1")
    assert answer.status == 403 and answer.codes() == ["DENIED"] and "The KMS key of this repository cannot be used" in answer.body.decode()
    got = refusal(ecr.batch_get_image, repositoryName="lost", imageIds=[{"imageTag": "1"}])
    assert got["Error"]["Code"] == "KmsException" and got["kmsError"] == "NotFoundException"
    assert refusal(kms.describe_key, KeyId=key["Arn"])["Error"]["Code"] == "NotFoundException"
    assert refusal(kms.describe_key, KeyId="alias/gone")["Error"]["Code"] == "NotFoundException"
    end = time.monotonic() + 10
    while db.execute("SELECT count(*) FROM kms_key_version v LEFT JOIN kms_key k ON k.id = v.key_id WHERE k.id IS NULL OR k.delete_at_ms IS NOT NULL").fetchone()[0]:
        assert time.monotonic() < end, "the material of a deleted key is still there"
        time.sleep(0.1)
    db.close()
    assert oci.check_image("kept", "1")
    oci.push_blob("kept", os.urandom(100))
    done = berth.berth("check", "--deep", check=False)
    assert done.returncode == 0 and "nothing is wrong, but 1 pool is locked, and not read." in done.stdout, done.stdout
    assert re.findall("^locked: pool .* so 2 layers and 1 manifests were not read: .* does not exist", done.stdout, re.M) and "damage" not in done.stdout, done.stdout
    # What cannot be read any more can still be removed.
    ecr.delete_repository(repositoryName="lost", force=True)
    berth.gc("--collect-grace", "0s")
    assert oci.check_image("kept", "1")


def test_a_kms_repository_without_a_key_gets_the_managed_one_made_on_first_use(berth):
    kms = berth.client("kms")
    berth.create("aes")
    assert kms.list_keys()["Keys"] == [] and kms.list_aliases()["Aliases"] == []
    made = berth.create("kms", **encryption("KMS")) + berth.create("dsse", **encryption("KMS_DSSE"))
    managed = kms.describe_key(KeyId="alias/aws/ecr")["KeyMetadata"]
    assert managed["KeyManager"] == "AWS" and [k["KeyArn"] for k in kms.list_keys()["Keys"]] == [managed["Arn"]]
    assert [m["encryptionConfiguration"]["kmsKey"] for m in made] == [managed["Arn"]] * 2


def wrapped_keys(berth):
    db = sqlite3.connect(f"file:{berth.data}/berth.db?mode=ro", uri=True)
    rows = db.execute("SELECT pool_id, layer, version, hex(wrapped) FROM pool_key ORDER BY 1, 2, 3").fetchall()
    db.close()
    return rows


@pytest.mark.slow
def test_rotation_wraps_data_keys_anew_while_everything_stays_readable(berth):
    kms, oci = berth.client("kms"), berth.oci()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    berth.create("kms", **encryption("KMS", key))
    berth.create("dsse", **encryption("KMS_DSSE", key))
    berth.create("aes")
    layer = blob("layer", 3 * SEGMENT)
    for repo in ("kms", "dsse", "aes"):
        oci.push_image(repo, "1", [layer])
    before, files = wrapped_keys(berth), {p: (berth.data / p).read_bytes() for p in berth.blob_files()}
    kms.rotate_key_on_demand(KeyId=key)
    berth.restart()  # the job looks at once, and every half minute
    end = time.monotonic() + 40
    while sum(a != b for a, b in zip(before, wrapped_keys(berth))) < 2:
        assert time.monotonic() < end, "the data keys are wrapped as before"
        time.sleep(0.2)
        for repo in ("kms", "dsse"):
            assert berth.oci().check_image(repo, "1")
    now = wrapped_keys(berth)
    # One of KMS, the outer one of KMS_DSSE; what Berth manages itself stays, and so does every object.
    assert [a[:3] for a in before] == [a[:3] for a in now] and sum(a != b for a, b in zip(before, now)) == 2
    assert {p: (berth.data / p).read_bytes() for p in berth.blob_files()} == files
    berth.restart()
    for repo in ("kms", "dsse", "aes"):
        assert berth.oci().check_image(repo, "1")


def wait_for(what, seconds=40):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.1)


def set_wrapped_key(berth, pool, wrapped):
    db = sqlite3.connect(berth.data / "berth.db")
    db.execute("UPDATE pool_key SET wrapped = ? WHERE pool_id = ?", (bytes(wrapped), pool))
    db.commit()
    db.close()


def test_a_damaged_data_key_is_in_the_log_and_does_not_keep_other_pools_from_a_rotation(berth):
    kms, oci = berth.client("kms"), berth.oci()
    for repo in ("a-damaged", "sound"):
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        berth.create(repo, **encryption("KMS", key))
        oci.push_image(repo, "1", [blob(repo, 1000)])
        kms.rotate_key_on_demand(KeyId=key)
    berth.stop()
    (pool, _, _, good), sound = wrapped_keys(berth)
    good = bytes.fromhex(good)
    set_wrapped_key(berth, pool, good[:-1] + bytes([good[-1] ^ 1]))
    berth.expected_errors.append("KMS_CIPHERTEXT_INVALID")
    berth.start()  # the job looks at once, and every half minute
    wait_for(lambda: [line for line in berth.log_lines() if line["event"] == "keys"])
    told = next(line for line in berth.log_lines() if line["event"] == "keys")
    assert (told["level"], told["kind"], told["detail"]) == ("error", "KMS_CIPHERTEXT_INVALID", f"pool {pool}")
    assert wrapped_keys(berth)[1] != sound
    assert berth.oci().check_image("sound", "1")
    berth.stop()
    set_wrapped_key(berth, pool, good)
    berth.start()
    wait_for(lambda: wrapped_keys(berth)[0][3] != good.hex().upper())
    assert berth.oci().check_image("a-damaged", "1")


# -- the disk is encrypted already ---------------------------------------------------------------------------------------


def encrypts(berth):
    """{type: (layers that Berth encrypts, layers as they are)}, as `berth check --json` tells."""
    told = json.loads(berth.berth("check", "--json").stdout)["encryption"]
    return {p["type"]: (p["sealedLayers"], p["plainLayers"]) for p in told}


def test_on_an_encrypted_disk_bytes_are_stored_as_they_are_and_types_still_form_pools(make_berth):
    berth = make_berth("--encryption", "disk")
    oci = berth.oci()
    for kind in TYPES:
        repo = kind.lower().replace("_", "-")
        berth.create(repo, **encryption(kind))
        [told] = berth.client("ecr").describe_repositories(repositoryNames=[repo])["repositories"]
        assert told["encryptionConfiguration"]["encryptionType"] == kind
        digest = oci.push_blob(repo, blob(kind, 100000))
        assert (oci.get_blob(repo, digest), object_of(berth, digest)[0].read_bytes()) == (blob(kind, 100000),) * 2
    assert not oci.mount("kms", sha256(blob("AES256", 100000)), "aes256")
    assert encrypts(berth) == {kind: (0, 1) for kind in TYPES}
    told = Sharing(berth).GetSharingSummary()["pools"]  # as the console shows it
    assert sorted((p["encryptionType"], p["encryptedBy"]) for p in told) == [(kind, "disk") for kind in TYPES]
    text = berth.berth("check", "--encryption", "disk").stdout
    assert text.count("by the disk (--encryption disk): 1 layers") == 3
    assert "not encrypted by Berth" in berth.berth("check").stdout
    trace = berth.folder / "trace"
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=sendfile", "-o", str(trace), "-p", str(berth.process.pid)], stderr=subprocess.PIPE)
    try:
        time.sleep(1)
        assert oci.get_blob("aes256", sha256(blob("AES256", 100000)))
    finally:
        tracer.terminate()
        refused = tracer.communicate(timeout=10)[1]
    assert refused or "sendfile(" in trace.read_text()


@pytest.mark.slow
def test_re_encrypt_moves_a_running_server_both_ways(make_berth):
    """The command beside a server, while clients pull, push, mount and delete."""
    berth = make_berth()
    content = {}
    for kind in TYPES:
        repo = kind.lower().replace("_", "-")
        berth.create(repo, repo + "-2", **encryption(kind))
        for i in range(4):
            layers = [blob(f"{kind}{i}", 300000 * (i + 1)), blob(f"{kind}{i}/2", 10)]
            content[repo, f"t{i}"], _ = berth.oci().push_image(repo, f"t{i}", layers)
    wrong, stop = [], threading.Event()
    token, port = berth.token, berth.port

    def work(number):
        from harness.http import Http
        from harness.oci import Oci
        rng, oci = random.Random(number), Oci(Http(port, auth=("AWS", token)))
        try:
            while not stop.is_set():
                (repo, tag), digest = rng.choice(list(content.items()))
                assert sha256(oci.get_manifest(repo, tag)) == digest
                assert oci.check_image(repo, tag)
                own = os.urandom(rng.randrange(1, 200000))
                d = oci.push_blob(repo, own)
                assert oci.mount(repo + "-2", d, repo) and oci.get_blob(repo + "-2", d) == own
                oci.delete_blob(repo, d)
                oci.delete_blob(repo + "-2", d)
        except Exception as e:  # noqa: BLE001
            wrong.append(repr(e))

    for form in ("disk", "berth"):
        berth.stop()
        berth.args = [a for a in berth.args if a not in ("--encryption", "disk", "berth")] + ["--encryption", form]
        berth.start()
        stop.clear()
        threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
        for t in threads:
            t.start()
        time.sleep(0.5)
        text = berth.berth("re-encrypt", "--encryption", form).stdout
        time.sleep(0.5)
        stop.set()
        for t in threads:
            t.join()
        assert not wrong, wrong
        assert "12 manifests" in text, text
        for kind, (sealed, plain) in encrypts(berth).items():
            assert (plain if form == "berth" else sealed) == 0 and sealed + plain >= 8, (kind, sealed, plain)
        assert "Moved 0 layers" in berth.berth("re-encrypt", "--encryption", form).stdout
        for (repo, tag), digest in content.items():
            assert sha256(berth.oci().get_manifest(repo, tag)) == digest and berth.oci().check_image(repo, tag)
        berth.check()


def re_encrypt_on_a_terminal(berth, until):
    """Kills the command when `until(what it drew)`; returns what it drew."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [berth.binary, "re-encrypt", "--data", berth.data], env=clean_env(berth.home), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave,
    )
    os.close(slave)
    drawn = ""
    try:
        while not until(drawn):
            piece = os.read(master, 1000)
            assert piece, drawn
            drawn += piece.decode()
    finally:
        process.kill()
        process.wait()
        os.close(master)
    return drawn


@pytest.mark.slow
def test_a_killed_re_encryption_has_shown_its_progress_and_goes_on_and_leaves_no_plaintext(make_berth):
    berth = make_berth("--encryption", "disk")
    planted = f"planted-{os.urandom(12).hex()}".encode()
    berth.create("rr")
    layers = [blob(i, 3 << 20) + planted for i in range(30)]
    digest, _ = berth.oci().push_image("rr", "1", layers, annotations={"note": planted.decode()})
    assert planted in everything(berth.data)
    berth.stop()
    berth.args.remove("--encryption")
    berth.args.remove("disk")
    berth.start()
    drawn = re_encrypt_on_a_terminal(berth, lambda text: re.search(r"pool \d+: ([2-9]|\d\d) layers, [\d.]+ MiB", text))
    [(sealed, plain)] = encrypts(berth).values()
    assert 2 <= sealed < 31 and sealed + plain == 31, (sealed, plain, drawn)
    assert berth.oci().check_image("rr", "1") > 90 << 20
    text = berth.berth("re-encrypt").stdout
    assert f"Moved {plain} layers" in text and "and 1 manifests" in text, text
    assert encrypts(berth) == {"AES256": (31, 0)}
    assert sha256(berth.oci().get_manifest("rr", "1")) == digest and berth.oci().check_image("rr", "1") > 90 << 20
    # The killed run's half-written object is the collector's, when an upload would have ended; the old form is gone.
    def in_clear(name):
        try:
            return planted in (berth.data / name).read_bytes()
        except FileNotFoundError:  # gone just now
            return False

    end = time.monotonic() + 10
    while any(in_clear(f) for f in berth.blob_files()):
        assert time.monotonic() < end, "layers still stand there in clear"
        time.sleep(0.2)
    berth.stop()
    assert planted not in everything(berth.data)
