#!/bin/bash
# Runs the tests and sums them up.   tools/test.sh [STAGE...] [-- PYTEST ARGUMENTS]
#
#   unit         cmocka programs and replay of the fuzz corpora, by Meson
#   api          pytest against the real binary: boto3, AWS CLI, raw requests
#   conformance  the OCI distribution conformance suite
#   clients      docker, podman, buildah, skopeo, ctr, crane, oras, umoci
#   hostile      floods, slow and malformed requests, tricks with names, forgeries, bombs: docs/security.md
#   tour         the commands of README.md, verbatim
#   console      the web console in Debian's Chromium, without a display; pictures of its pages go to build/screenshots
#   crash, race  SIGKILL at random moments; mounts against deletions and collection, and what many clients see held against a model
#   powercut     power cuts at random moments, on a disk that loses what was not synced (as root)
#   asan, leaks  the API tests on an ASan+UBSan build (clang); ten thousand requests with LeakSanitizer
#   tsan         API and race tests on a ThreadSanitizer build (gcc)
#   unit-asan, unit-tsan   the cmocka programs on these builds
#   fuzz         each fuzzer for 20 seconds (clang, ASan+UBSan)
#
# Without stages: all but the last two lines. BERTH_LONG=1 adds those, and makes crash, powercut, race and leaks ten times longer. The results
# are in build/results.
set -u
cd "$(dirname "$0")/.." || exit 1

all='unit api hostile conformance clients tour console crash powercut race asan leaks tsan'
stages=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do stages+=("$1"); shift; done
[ "${1:-}" = -- ] && shift
extra=("$@")
long=${BERTH_LONG:-0}
[ "$long" = 0 ] || all="$all unit-asan unit-tsan fuzz"
[ ${#stages[@]} -gt 0 ] || read -ra stages <<<"$all"

results=$PWD/build/results
sums=()

say() { printf '\n== %s (%d s since start)\n' "$1" "$SECONDS"; }
die() { printf '%s\n0 passed, 1 failed, 0 skipped\n' "$1"; exit 1; }
wants() { case " ${stages[*]} " in *" $1 "*) return 0 ;; esac; return 1; }

# build DIR COMPILER MESON-OPTIONS...: configured once, built always.
build() {
	local dir=$1 compiler=$2 log
	shift 2
	log=$(mktemp)
	if [ ! -f "$dir/build.ninja" ] && ! CC=$compiler meson setup "$dir" "$@" >"$log" 2>&1; then
		tail -5 "$log"
		rm -rf "$log" "$dir/meson-private"
		return 1
	fi
	ninja -C "$dir" >"$log" 2>&1 || { grep -vE '^\[[0-9]+/[0-9]+\]' "$log" | head -60; rm -f "$log"; return 1; }
	rm -f "$log"
}

# py NAME SECONDS BINARY PATH OPTIONS...: a pytest run, bounded in time, whose result is read later. What the caller of this
# script gave after -- replaces PATH.
py() {
	local name=$1 limit=$2 binary=$3 what=("$4")
	shift 4
	[ ${#extra[@]} = 0 ] || what=("${extra[@]}")
	say "$name"
	rm -f "$results/$name.xml"
	BERTH_BINARY=$PWD/$binary timeout -k 20 "$limit" .venv/bin/pytest -q --no-header -p no:cacheprovider \
		--junitxml="$results/$name.xml" "$@" "${what[@]}" </dev/null ||
		echo "(exit status $? of $name)"
	sums+=("$name=$results/$name.xml")
}

# What is not initialised holds something, so that it shows; otherwise it is often zero by luck.
garbage=-ftrivial-auto-var-init=pattern
# build_asan, build_tsan [MESON-OPTIONS...]: the sanitizer builds. The unit tests are part of them only when asked for.
build_asan() { build build-asan clang -Db_sanitize=address,undefined -Db_lundef=false -Dtests=false -Dconsole=false "-Dc_args=$garbage"; }
build_tsan() { build build-tsan gcc -Db_sanitize=thread -Dtests=false -Dconsole=false; }
unit_on() {
	meson configure "$1" -Dtests=true && ninja -C "$1" >/dev/null &&
		meson test -C "$1" --no-rebuild --print-errorlogs --timeout-multiplier 10 -q </dev/null
	sums+=("$2=$1/meson-logs/testlog.junit.xml")
}

# Each fuzzer on a copy of its corpus; what it finds is kept in build/results.
fuzz() {
	local name out=$results/fuzz.xml found cases=''
	build build-fuzz clang -Dconsole=false -Db_sanitize=address,undefined -Db_lundef=false "-Dc_args=-fsanitize=fuzzer-no-link $garbage" || { sums+=(fuzz=no-build); return; }
	for name in tests/fuzz/corpus/*/; do
		name=$(basename "$name")
		found=''
		rm -rf "$results/fuzz/$name"
		mkdir -p "$results/fuzz/$name/corpus"
		cp tests/fuzz/corpus/"$name"/* "$results/fuzz/$name/corpus"
		if ! ninja -C build-fuzz "tests/fuzz/fuzzer_$name" >"$results/fuzz/$name/log" 2>&1 ||
			! timeout 600 "build-fuzz/tests/fuzz/fuzzer_$name" -max_total_time="${FUZZ_SECONDS:-20}" -max_len=16384 \
				-artifact_prefix="$results/fuzz/$name/" "$results/fuzz/$name/corpus" >"$results/fuzz/$name/log" 2>&1; then
			found='<failure/>'
			tail -20 "$results/fuzz/$name/log"
		fi
		cases+="<testcase classname=\"fuzz\" name=\"$name\">$found</testcase>"
	done
	printf '<testsuite name="fuzz">%s</testsuite>' "$cases" >"$out"
	sums+=("fuzz=$out")
}

tools/deps.sh build test || die 'packages are missing'
for s in "${stages[@]}"; do
	[ "$s" = unit ] || { tools/venv.sh || die 'the Python environment could not be made'; break; }
done
if wants console; then tools/deps.sh browser || die 'Chromium is missing'; fi
if wants conformance || wants clients; then
	tools/gotools.sh || echo 'crane, oras and the conformance suite are missing'
fi

say build
build build gcc || die 'the build failed'
mkdir -p "$results"

for s in "${stages[@]}"; do
	case $s in
	unit)
		say unit
		meson test -C build --no-rebuild --print-errorlogs --timeout-multiplier 3 -q </dev/null
		sums+=("unit=build/meson-logs/testlog.junit.xml")
		;;
	api) py api 900 build/berth tests/api -n 2 ;;
	hostile) py hostile 240 build/berth tests/hostile -n 2 ;;
	conformance) py conformance 120 build/berth tests/conformance ;;
	clients) py clients 420 build/berth tests/clients ;;
	tour) py tour 240 build/berth tests/tour ;;
	console) py console 600 build/berth tests/console -n 2 ;;
	crash) py crash $((long ? 4800 : 400)) build/berth tests/crash -n 2 ;;
	powercut) py powercut $((long ? 2400 : 300)) build/berth tests/powercut ;;
	race) py race $((long ? 2400 : 180)) build/berth tests/race tests/model ;;
	asan) build_asan && py asan 1500 build-asan/berth tests/api -n 2 -m 'not slow' || sums+=(asan=no-build) ;;
	leaks) build_asan && py leaks $((long ? 2400 : 300)) build-asan/berth tests/leaks || sums+=(leaks=no-build) ;;
	tsan) build_tsan && py tsan 1500 build-tsan/berth tests/api tests/race tests/model -n 2 -m 'not slow' || sums+=(tsan=no-build) ;;
	unit-asan) say "$s" && build_asan && unit_on build-asan "$s" || sums+=("$s=no-build") ;;
	unit-tsan) say "$s" && build_tsan && unit_on build-tsan "$s" || sums+=("$s=no-build") ;;
	fuzz) say fuzz && fuzz ;;
	*) die "unknown stage '$s'" ;;
	esac
done

tools/summarize "${sums[@]}"
rc=$?
exit $rc
