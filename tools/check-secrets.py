#!/usr/bin/env python3
"""Secrets are compared in constant time: no call of an ordinary comparison may have one among its arguments.

What is a secret is told by type (everything declared as struct secret) and by name (signature, mac, password, ...). Where a
caller's proof is judged, secret_eq must stand (MUST)."""

import pathlib
import re
import sys

COMPARISONS = r"\b(?:memcmp|bcmp|str(?:n|case|ncase)?cmp|str_eq|str_eq_c|str_eq_nocase|str_starts|str_ends|str_cmp)\s*\("
NAMES = {"secret", "signature", "mac", "hmac", "password", "passwd", "pin"}
# A part of the path, and how often it judges a proof.
MUST = {"src/auth/sigv4.c": 1, "src/auth/token.c": 2}


def code_of(path):
    """Its text with comments and literals blanked, lines kept."""
    blank = lambda m: re.sub(r"[^\n]", " ", m[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, path.read_text(), flags=re.S)


def arguments(code, start):
    """The text between the parenthesis before start and the one that closes it."""
    depth = 1
    for i in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return code[start:i]
    return code[start:]


def main():
    files = {p: code_of(p) for p in sorted(pathlib.Path("src").rglob("*.[ch]"))}
    each = {p: set(re.findall(r"\bstruct secret\s*\*?\s*(?:const\s+)?(\w+)\s*(?:CLEANUP|[;,=)\[])", code)) for p, code in files.items()}
    members = set().union(*(each[p] for p in each if p.suffix == ".h")) - {"key", "out"}  # names of other things too
    bad = []
    for path, code in files.items():
        declared = members | each[path]
        for call in re.finditer(COMPARISONS, code):
            args = arguments(code, call.end())
            for name in re.findall(r"\w+", args):
                if NAMES & set(name.lower().split("_")) or (name in declared and re.search(rf"\b{name}(?:\.|->)bytes", args)):
                    line = code.count("\n", 0, call.start()) + 1
                    bad.append(f"{path}:{line}: compares {name}: use secret_eq or secret_str_eq (crypt/secret.h)")
                    break
    for path, count in MUST.items():
        found = len(re.findall(r"\bsecret_(?:str_)?eq\s*\(", files[pathlib.Path(path)]))
        if found < count:
            bad.append(f"{path}: secret_eq stands there {found} times, not {count}")
    if "CRYPTO_memcmp" not in files[pathlib.Path("src/crypt/secret.c")]:
        bad.append("src/crypt/secret.c: secret_eq is not CRYPTO_memcmp")
    if len(members) < 5:
        bad.append(f"only {len(members)} secrets are declared: this check has gone blind")
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


sys.exit(main())
