#!/bin/bash
# Builds the console and embeds it.   tools/build_console.sh WEB FOLDER OUT.c OUT.S DEPFILE
# Everything is made in FOLDER/web, from a copy of the sources; packages are those of the lock file, installed anew when it changes.
set -euo pipefail
tools=$(cd "$(dirname "$0")" && pwd)
web=$1 work=$2/web
out_c=$(realpath -m "$3") out_s=$(realpath -m "$4") depfile=$(realpath -m "$5")
log=$2/console.log

fail() {
	tail -20 "$log" >&2
	echo "the console could not be built ($1); the whole log is $log. -Dconsole=false builds Berth without it" >&2
	exit 1
}

mkdir -p "$work"
find "$work" -mindepth 1 -maxdepth 1 ! -name node_modules ! -name .installed -exec rm -rf {} +
sources=()
while IFS= read -r -d '' f; do
	sources+=("$web/$f")
	mkdir -p "$work/$(dirname "$f")"
	cp "$web/$f" "$work/$f"
done < <(cd "$web" && find . \( -name node_modules -o -name dist -o -name dist-test \) -prune -o -type f -print0)
mapfile -t folders < <(find "$web" \( -name node_modules -o -name dist -o -name dist-test \) -prune -o -type d -print)

cd "$work"
installed=$(cat package-lock.json package.json | sha256sum)
if [ "$(cat .installed 2>/dev/null)" != "$installed" ]; then
	rm -f .installed
	npm ci --no-audit --no-fund --no-progress --loglevel=error >"$log" 2>&1 || fail "npm ci"
	printf '%s\n' "$installed" >.installed
fi
node build.mjs >>"$log" 2>&1 || fail "node build.mjs"
node "$tools/embed_console.mjs" dist "$2/web-forms" "$out_c" "$out_s" || fail embedding

# Folders are dependencies too: their times change when files come and go.
{
	printf '%s:' "$3"
	for f in "${folders[@]}" "${sources[@]}" "$tools/build_console.sh" "$tools/embed_console.mjs"; do printf ' %s' "${f// /\\ }"; done
	printf '\n'
} >"$depfile"
