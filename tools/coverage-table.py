#!/usr/bin/env python3
"""Sums gcovr's summary (JSON) by folder of src/, as a table in Markdown."""

import collections
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    files = json.load(f)["files"]

sums = collections.defaultdict(collections.Counter)
for file in files:
    folder = file["filename"].split("/")[1] if file["filename"].count("/") > 1 else "main.c"
    for name in (folder, "all"):
        for part in ("line", "branch"):
            for what in ("total", "covered"):
                sums[name][part, what] += file[f"{part}_{what}"]


def cells(count, part):
    total, covered = count[part, "total"], count[part, "covered"]
    return f"{100 * covered / total:.1f} % | {total - covered:,}" if total else "- | 0"


print("| folder | lines | not run | branches | not taken |\n|---|--:|--:|--:|--:|")
for name in [*sorted(n for n in sums if n != "all"), "all"]:
    print(f"| {name} | {cells(sums[name], 'line')} | {cells(sums[name], 'branch')} |")
