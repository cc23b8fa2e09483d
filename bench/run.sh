#!/bin/bash
# Measures Berth side by side with its peers.   bench/run.sh [CASE...] [--quick]     see bench/README.md
# BENCH=growth.py or instructions.py: the other two programs there.
set -eu
cd "$(dirname "$0")/.."
tools/deps.sh build bench
tools/venv.sh
tools/gotools.sh bench || echo 'no distribution v3 to compare with'
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja -C build berth bench/grow >/dev/null || ninja -C build berth bench/grow
mkdir -p build/bench
gcc -std=gnu17 -O2 -D_GNU_SOURCE -Wall -Wextra -o build/bench/load bench/load.c -lcrypto -lpthread
exec .venv/bin/python "bench/${BENCH:-bench.py}" "$@"
