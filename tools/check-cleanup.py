#!/usr/bin/env python3
"""A variable that is cleaned up when its function ends is something from the start, or before the first way out.

Neither compiler nor analyzer says that `struct buf b CLEANUP(buf_fini);` followed by a return frees whatever the stack held. Here
it must be initialised where it is declared, or be mentioned before the first `return` behind it."""

import pathlib
import re
import sys

DECLARED = re.compile(r"(\w+) CLEANUP\(\w+\);")
PLACES = ("src", "tests", "bench")


def code_of(path):
    """Its text with comments and literals blanked, lines kept."""
    blank = lambda m: re.sub(r"[^\n]", " ", m[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, path.read_text(), flags=re.S)


def main():
    bad = []
    seen = 0
    for path in sorted(p for place in PLACES for p in pathlib.Path(place).rglob("*.[ch]")):
        code = code_of(path)
        for m in DECLARED.finditer(code):
            seen += 1
            behind = code[m.end():]
            mention = re.search(rf"\b{m[1]}\b", behind)
            way_out = re.search(r"\breturn\b", behind)
            if way_out and (mention is None or way_out.start() < mention.start()):
                # "return f(&b)" mentions it in time: the mention is then in the same statement.
                statement = behind[way_out.start():].split(";", 1)[0]
                if not re.search(rf"\b{m[1]}\b", statement):
                    line = code.count("\n", 0, m.start()) + 1
                    bad.append(f"{path}:{line}: {m[1]} is cleaned up at a return before it is anything: initialise it first")
    if seen < 20:
        bad.append(f"only {seen} declarations found: this check has gone blind")
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


sys.exit(main())
