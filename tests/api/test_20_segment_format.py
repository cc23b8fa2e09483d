"""docs/segment-format.md, decoded by a program that shares nothing with Berth: Python's cryptography over the files in tests/data/segment."""

import hashlib
import json
import pathlib
import struct

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "segment"
GIVEN = json.loads((DATA / "vectors.json").read_text())
VECTORS = GIVEN["vectors"]
OBJECT = bytes.fromhex(GIVEN["object_key"])
HEADER, SEGMENT, LAYER = 48, 65536, 28
MORE, LAST, TAIL = 0, 1, 2


def plaintext(size):
    return bytes((7 * i + i // 256) % 256 for i in range(size))


class Decoder:
    def __init__(self, header, suite):
        self.header = header
        magic, version, found_suite, log2, zero, inner, outer, pool, zeros, key = struct.unpack(">8sBBBBIIQ4s16s", header)
        assert (magic, version, found_suite, 1 << log2, zero, zeros) == (b"BERTHSEG", 1, suite, SEGMENT, 0, bytes(4))
        assert (pool, key) == (GIVEN["pool"], OBJECT)
        assert [inner, outer] == (GIVEN["versions"] if suite == 2 else [GIVEN["versions"][0], 0])
        self.ciphers = []
        for layer in range(suite):
            data_key = bytes.fromhex(GIVEN["data_keys"][layer])
            kdf = HKDF(hashes.SHA256(), 32, salt=None, info=b"berth segment v1" + bytes([layer]) + key)
            self.ciphers.append(AESGCM(kdf.derive(data_key)))
        self.overhead = LAYER * suite

    def segment(self, index, place, sealed):
        aad = hashlib.sha256(self.header).digest() + OBJECT + struct.pack(">QB", index, place)
        for cipher in reversed(self.ciphers):
            sealed = cipher.decrypt(sealed[:12], sealed[12:], aad)
        return sealed


def decode(raw, tail, suite):
    decoder = Decoder(raw[:HEADER] if raw else tail[:HEADER], suite)
    full = SEGMENT + decoder.overhead
    pieces = [raw[at : at + full] for at in range(HEADER, len(raw), full)]
    if tail is None:
        assert decoder.overhead <= len(pieces[-1]) < full, "the last segment is short, and is there"
        *pieces, last = pieces
        out = [decoder.segment(i, MORE, p) for i, p in enumerate(pieces)] + [decoder.segment(len(pieces), LAST, last)]
    else:
        assert tail[:HEADER] == decoder.header
        out = [decoder.segment(i, MORE, p) for i, p in enumerate(pieces)] + [decoder.segment(len(pieces), TAIL, tail[HEADER:])]
    assert all(len(p) == SEGMENT for p in out[:-1])
    assert len(out[-1]) < SEGMENT
    return b"".join(out)


def load(vector):
    tail = (DATA / vector["tail"]).read_bytes() if vector["tail"] else None
    return (DATA / vector["object"]).read_bytes(), tail


@pytest.mark.parametrize("vector", VECTORS, ids=[v["name"] for v in VECTORS])
def test_an_independent_decoder_reads_every_vector(vector):
    raw, tail = load(vector)
    size, overhead = vector["plain_size"], LAYER * vector["suite"]
    if tail is None:
        assert len(raw) == HEADER + size + (size // SEGMENT + 1) * overhead
    else:
        assert len(raw) == (HEADER + size // SEGMENT * (SEGMENT + overhead) if size >= SEGMENT else 0)
        assert len(tail) == HEADER + size % SEGMENT + overhead
    assert decode(raw, tail, vector["suite"]) == plaintext(size)


@pytest.mark.parametrize("vector", VECTORS, ids=[v["name"] for v in VECTORS])
def test_the_decoder_is_no_easier_than_the_format(vector):
    """Were a bit not authenticated, the test above would not tell."""
    raw, tail = load(vector)
    parts = [raw] if tail is None else [raw, tail]
    for which, part in enumerate(parts):
        for at in (HEADER, HEADER + 12, len(part) - 17, len(part) - 1):
            spoiled = bytearray(part)
            spoiled[at] ^= 1
            changed = [bytes(spoiled) if k == which else p for k, p in enumerate(parts)]
            with pytest.raises(InvalidTag):
                decode(changed[0], changed[1] if len(changed) > 1 else None, vector["suite"])


def test_berth_made_some_of_them_and_python_others():
    assert {v["made_by"] for v in VECTORS} == {"berth", "python"}
    for v in VECTORS:
        if v["made_by"] == "berth":
            assert v["name"].startswith("berth-")
