#!/bin/bash
# Makes .venv, the Python of the tests, with exactly what tests/requirements.txt pins; does nothing while that is unchanged.
set -eu
cd "$(dirname "$0")/.."
stamp=.venv/requirements.sha256
want=$(sha256sum <tests/requirements.txt)
[ -f $stamp ] && [ "$(cat $stamp)" = "$want" ] && .venv/bin/python -c '' 2>/dev/null && exit 0

echo "making .venv"
rm -rf .venv
python=python3
[ -x /usr/bin/python3 ] && python=/usr/bin/python3 # the one that python3-venv belongs to
$python -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
printf '%s\n' "$want" >$stamp
