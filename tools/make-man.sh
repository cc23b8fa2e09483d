#!/bin/sh
# Writes the manual page: packaging/berth.1.in with the options as the program tells them.   tools/make-man.sh BERTH OUT
set -eu
berth=$1
out=$2
in=$(dirname "$0")/../packaging/berth.1.in
version=$("$berth" version)
options=$(mktemp)
trap 'rm -f "$options"' EXIT
"$berth" config --format mdoc >"$options"
sed -e "/^@OPTIONS@\$/{r $options
d
}" -e "s/@VERSION@/${version#berth }/" "$in" >"$out"
