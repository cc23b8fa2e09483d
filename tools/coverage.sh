#!/bin/bash
# Measures which lines and branches the tests run.   tools/coverage.sh [STAGE...]
#
#   build    a build that counts (gcc --coverage, -O0), in build-coverage; what was counted before is forgotten
#   unit     cmocka programs, replay of the fuzz corpora, properties
#   api, hostile, conformance, crash, race   as tools/test.sh runs them, against that build
#   report   the sums, by folder, and pages that show each line: build/coverage
#
# Without stages: all but conformance, crash and race; stages add up until `build` begins anew. A test that fails here is named and
# does not stop the measurement: that it must pass is the business of tools/test.sh, on a build that is as it is shipped. A server
# counts when it ends, so what SIGKILL ends is not seen; and it runs without its sandbox, which would not let it write the counts.
set -u
cd "$(dirname "$0")/.." || exit 1

stages=("$@")
[ ${#stages[@]} -gt 0 ] || stages=(build unit api hostile report)
results=build/results
out=build/coverage
failed=0

tools/deps.sh build test || exit 1
tools/venv.sh || exit 1
mkdir -p "$results" "$out"

build() {
	if [ ! -f build-coverage/build.ninja ]; then
		CC=gcc meson setup build-coverage -Db_coverage=true -Dconsole=false -Dbuildtype=debug \
			-Dc_args='-U_FORTIFY_SOURCE -fprofile-update=atomic' >/dev/null || return 1
	fi
	ninja -C build-coverage --quiet || return 1
	find build-coverage -name '*.gcda' -delete
}

unit() {
	meson test -C build-coverage --no-rebuild --print-errorlogs --timeout-multiplier 6 -q </dev/null || failed=1
}

# py NAME SECONDS PATH OPTIONS...
py() {
	local name=$1 limit=$2
	shift 2
	BERTH_SANDBOX=off BERTH_BINARY=$PWD/build-coverage/berth timeout -k 20 "$limit" .venv/bin/pytest -q --no-header \
		-p no:cacheprovider --junitxml="$results/coverage-$name.xml" --ignore tests/api/test_62_sandbox.py "$@" </dev/null || failed=1
}

report() {
	.venv/bin/gcovr --root . --object-directory build-coverage --filter 'src/' --exclude-unreachable-branches \
		--exclude-lines-by-pattern '\s*(abort\(\)|assert\(.*|default:)\s*;?\s*(/\*.*)?' --gcov-ignore-parse-errors=negative_hits.warn \
		--json-summary "$out/summary.json" --json "$out/all.json" --html-nested "$out/index.html" --txt "$out/files.txt" -j 2 \
		build-coverage >"$out/gcovr.log" 2>&1 || { tail -5 "$out/gcovr.log"; return 1; }
	tools/coverage-table.py "$out/summary.json" | tee "$out/table.md"
	echo "the pages: $out/index.html"
}

for s in "${stages[@]}"; do
	case $s in
	build) build || exit 1 ;;
	unit) unit ;;
	api) py api 2400 tests/api -n 2 ;;
	hostile) py hostile 600 tests/hostile -n 2 ;;
	conformance) tools/gotools.sh && py conformance 300 tests/conformance ;;
	crash) py crash 900 tests/crash ;;
	race) py race 600 tests/race tests/model ;;
	report) report || exit 1 ;;
	*) echo "unknown stage '$s'"; exit 1 ;;
	esac
done
[ $failed = 0 ] || echo 'some tests failed; what is counted is counted'
