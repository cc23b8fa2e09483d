#!/bin/bash
# Builds the clients and the conformance suite that Debian 12 lacks into build/gobin, from the Go module proxy, at pinned
# versions; with "bench" as argument the registry that benchmarks compare with instead. They need Go 1.24 or newer: the machine's own, one that Go 1.21+ fetches for itself (GOTOOLCHAIN=auto), or
# Debian's from backports, in this order.
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/gobin
tools='
conformance github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111
crane github.com/google/go-containerregistry/cmd/crane@v0.22.1
oras oras.land/oras/cmd/oras@v1.3.6
'
[ "${1:-}" != bench ] || tools='
registry github.com/distribution/distribution/v3/cmd/registry@v3.1.2
'
missing=()
while read -r name module; do
	[ -z "$name" ] || { [ -x "$out/$name" ] && grep -qsxF "$module" "$out/.$name"; } || missing+=("$name $module")
done <<<"$tools"
[ ${#missing[@]} -gt 0 ] || exit 0

minor() { "$1" env GOVERSION 2>/dev/null | sed -nE 's/^go1\.([0-9]+).*/\1/p'; }
find_go() {
	local go m
	for go in go /usr/local/go/bin/go /usr/lib/go-1.2[1-9]/bin/go; do
		m=$(minor "$(command -v "$go" || echo /nonexistent)")
		[ "${m:-0}" -lt 21 ] || { command -v "$go"; return 0; }
	done
	return 1
}

# Debian 12's own Go (1.19) knows nothing of newer toolchains; its backports have one that does. The machine's sources stay as they are.
install_backports() {
	local codename uri list state sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	# shellcheck disable=SC1091
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	# shellcheck disable=SC2016 # apt-get expands it
	uri=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $codename" 2>/dev/null | head -1)
	[ -n "$uri" ] || return 1
	state=$(mktemp -d) list=$state/sources.list
	mkdir -p "$state/lists/partial"
	chmod -R a+rX "$state"
	printf 'deb %s %s main\n' "$uri" "$codename" "$uri" "$codename-backports" >"$list"
	local o=(-q -o "Dir::Etc::sourcelist=$list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$state/lists")
	$sudo apt-get "${o[@]}" update >/dev/null 2>&1 &&
		$sudo env DEBIAN_FRONTEND=noninteractive apt-get "${o[@]}" install -y --no-install-recommends -t "$codename-backports" golang-go </dev/null >/dev/null 2>&1
	local rc=$?
	rm -rf "$state"
	return $rc
}

go=$(find_go) || { install_backports && go=$(find_go); } || {
	echo "tools/gotools.sh: no Go 1.21 or newer here, and none to be had from backports" >&2
	exit 1
}
mkdir -p "$out"
for line in "${missing[@]}"; do
	read -r name module <<<"$line"
	echo "building $name"
	log=$(mktemp)
	GOTOOLCHAIN=auto GOFLAGS=-mod=mod CGO_ENABLED=0 GOBIN=$out "$go" install -ldflags='-s -w' "$module" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
	rm -f "$log"
	printf '%s\n' "$module" >"$out/.$name"
done
