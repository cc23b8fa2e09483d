#!/usr/bin/env python3
"""Writes the C table of migrations from a folder of NNNN_name.sql: embed_migrations.py FOLDER OUTPUT DEPFILE."""
import os
import re
import sys

NAME = re.compile(r"^([0-9]{4})_[a-z0-9_]+\.sql$")


def literal(line):
    escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("?", "\\?")
    return f'\t\t"{escaped}\\n"'


def main(folder, output, depfile):
    names = sorted(n for n in os.listdir(folder) if n.endswith(".sql"))
    rows = []
    for version, name in enumerate(names, 1):
        match = NAME.match(name)
        if not match or int(match.group(1)) != version:
            sys.exit(f"{folder}/{name}: expected {version:04d}_<name>.sql")
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            text = "\n".join(literal(line.rstrip("\n")) for line in f)
        rows.append(f'\t{{ {version}, "{name}",\n{text} }},\n')
    with open(output, "w", encoding="utf-8") as f:
        f.write('/* Made by tools/embed_migrations.py. */\n#include "meta/migrate.h"\n\n')
        # C knows no empty array: a row behind the counted ones serves.
        f.write("const struct migration migrations_embedded[] = {\n")
        f.write("".join(rows) + "\t{ 0, NULL, NULL },\n};\n\n")
        f.write(f"const size_t migrations_embedded_count = {len(rows)};\n")
    # The folder itself is a dependency: its time changes when a file is added.
    paths = [folder] + [os.path.join(folder, n) for n in names]
    with open(depfile, "w", encoding="utf-8") as f:
        f.write(f"{output}: " + " ".join(p.replace(" ", "\\ ") for p in paths) + "\n")


main(*sys.argv[1:])
