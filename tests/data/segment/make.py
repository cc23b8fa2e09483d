"""Writes the vectors that Python makes, as docs/segment-format.md says (the others are Berth's own: test_seal_vectors --write DIR).

    python3 make.py        into the folder of this file

All vectors share keys, pool and object key; byte i of every plaintext is (7 * i + i // 256) % 256.
"""

import hashlib
import json
import pathlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HERE = pathlib.Path(__file__).parent
POOL = 12
OBJECT = bytes.fromhex("00112233445566778899aabbccddeeff")
KEYS = [bytes(range(32)), bytes(range(32, 64))]
VERSIONS = [1, 2]
SEGMENT = 65536

VECTORS = [  # name, made by, suite, plaintext bytes, has a tail
    ("empty", "python", 1, 0, False),
    ("short-double", "python", 2, 100, False),
    ("two-segments", "python", 1, SEGMENT + 3, False),
    ("berth-empty-double", "berth", 2, 0, False),
    ("berth-two-segments-double", "berth", 2, SEGMENT + 5, False),
    ("berth-paused", "berth", 1, SEGMENT + 70, True),
]


def plaintext(size):
    return bytes((7 * i + i // 256) % 256 for i in range(size))


def seal(suite, plain):
    header = b"BERTHSEG" + bytes([1, suite, 16, 0]) + struct.pack(">II", VERSIONS[0], VERSIONS[1] if suite == 2 else 0)
    header += struct.pack(">Q", POOL) + bytes(4) + OBJECT
    ciphers = [
        AESGCM(HKDF(hashes.SHA256(), 32, None, b"berth segment v1" + bytes([layer]) + OBJECT).derive(KEYS[layer])) for layer in range(suite)
    ]
    out = header
    count = len(plain) // SEGMENT + 1
    for i in range(count):
        aad = hashlib.sha256(header).digest() + OBJECT + struct.pack(">QB", i, i == count - 1)
        piece = plain[i * SEGMENT : (i + 1) * SEGMENT]
        for layer, cipher in enumerate(ciphers):
            nonce = hashlib.sha256(b"%d %d %d" % (suite, layer, i)).digest()[:12]  # the vectors are to be the same each time
            piece = nonce + cipher.encrypt(nonce, piece, aad)
        out += piece
    return out


if __name__ == "__main__":
    listed = []
    for name, maker, suite, size, has_tail in VECTORS:
        if maker == "python":
            (HERE / f"{name}.bin").write_bytes(seal(suite, plaintext(size)))
        listed.append({"name": name, "made_by": maker, "suite": suite, "plain_size": size, "object": f"{name}.bin",
                       "tail": f"{name}.tail" if has_tail else None})
    content = {"pool": POOL, "object_key": OBJECT.hex(), "data_keys": [k.hex() for k in KEYS], "versions": VERSIONS, "vectors": listed}
    (HERE / "vectors.json").write_text(json.dumps(content, indent=1) + "\n")
