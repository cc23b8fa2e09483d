#!/bin/bash
# Each header compiles alone, so that the order of includes never matters.
set -u
cd "$(dirname "$0")/.." || exit 1
find src -name '*.h' -print0 | sort -z | xargs -0 -n 8 -P "$(nproc)" sh -c '
	for h; do gcc -std=gnu17 -D_GNU_SOURCE -DBERTH_VERSION=\"0\" -Isrc -Wall -Wextra -Werror -fsyntax-only -x c "$h" || exit 255; done' sh
