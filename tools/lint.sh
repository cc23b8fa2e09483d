#!/bin/bash
# Style and static analysis: everything that can be said without running the program.   tools/lint.sh [CHECK...]
#
#   format      clang-format on C           layers      tools/layers.txt, sizes, READMEs
#   headers     each header alone           banned      functions of tools/banned.h
#   bool        numbers from bool functions compile     gcc and clang with -Werror
#   tidy        clang-tidy                  analyzer    gcc -fanalyzer: leaks, use after free
#   cppcheck    cppcheck                    spell       codespell
#   shell       shellcheck                  python      every Python file compiles
#   secrets     no ordinary comparison of a secret
#   cleanup     nothing is cleaned up before it is anything
set -u
cd "$(dirname "$0")/.." || exit 1
tools/deps.sh build lint || exit 1

checks=("$@")
[ $# -gt 0 ] || checks=(format layers headers banned bool compile tidy analyzer cppcheck spell shell python secrets cleanup)
jobs=$(nproc)
mapfile -t ours < <(git ls-files 'src/*.[ch]' 'tests/*.[ch]' 'bench/*.[ch]')
mapfile -t sources < <(git ls-files 'src/*.c')

configure() { # DIR COMPILER OPTIONS...
	local dir=$1 compiler=$2
	shift 2
	[ -f "$dir/build.ninja" ] || CC=$compiler meson setup "$dir" -Dwerror=true -Dconsole=false "$@" >/dev/null
}
build() {
	local log rc=0
	log=$(mktemp)
	ninja -C "$1" -k 0 >"$log" 2>&1 || { rc=1; grep -E '(error|warning): |undefined reference' "$log" | sort -u; }
	rm -f "$log"
	return $rc
}

check_format() {
	local bad=() f
	for f in "${ours[@]}"; do clang-format --dry-run -Werror "$f" 2>/dev/null || bad+=("$f"); done
	[ ${#bad[@]} = 0 ] || { printf 'clang-format -i %s\n' "${bad[*]}"; return 1; }
}
check_layers() { tools/check-layers.sh; }
check_headers() { tools/check-headers.sh; }
check_banned() {
	printf '%s\0' "${sources[@]}" | xargs -0 -n 8 -P "$jobs" sh -c '
		for c; do gcc -std=gnu17 -D_GNU_SOURCE -DBERTH_VERSION=\"0\" -Isrc -include tools/banned.h -Werror=implicit-function-declaration -fsyntax-only "$c" || exit 255; done' sh
}
check_bool() {
	local found
	if ! found=$(spatch --sp-file tools/bool-return.cocci --very-quiet --dir src 2>&1) || [ -n "$found" ]; then
		printf '%s\n' "$found"
		return 1
	fi
}
check_compile() {
	configure build-lint gcc -Dbuildtype=release -Db_ndebug=false && build build-lint &&
		configure build-clang clang && build build-clang
}
check_tidy() {
	local log
	configure build-clang clang || return 1
	build build-clang >/dev/null # for what is generated; its errors are the business of compile
	log=$(mktemp)
	run-clang-tidy -quiet -p build-clang -j "$jobs" "^$PWD/src/.*\.c$" >"$log" 2>&1 && { rm -f "$log"; return 0; }
	sed -nE "s/\x1b\[[0-9;]*m//g; s|^.*/(src/[^ ]*: (warning\|error): )|\1|p" "$log" | sort -u
	rm -f "$log"
	return 1
}
check_analyzer() {
	printf '%s\0' "${sources[@]}" | xargs -0 -n 4 -P "$jobs" sh -c '
		for c; do gcc -std=gnu17 -O2 -D_GNU_SOURCE -DBERTH_VERSION=\"0\" -Isrc -fanalyzer -Werror -Wno-analyzer-use-of-uninitialized-value \
			-fdiagnostics-plain-output -c -o /dev/null "$c" || exit 255; done' sh
}
check_cppcheck() {
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr -j "$jobs" -I src -D_GNU_SOURCE \
		'-DBERTH_VERSION="0"' '-D__GNUC__=12' --suppress=missingIncludeSystem --suppress=uninitvar --suppress=autoVariables src # gcc and clang know these better
}
check_spell() {
	git ls-files -z -- '*.[ch]' '*.md' '*.py' '*.sh' '*.sql' '*.def' Makefile 'meson*' tools/summarize |
		xargs -0 codespell --ignore-words tools/codespell.txt
}
check_shell() {
	git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck --exclude SC2016 # programs in single quotes are meant so
}
check_secrets() { tools/check-secrets.py; }
check_cleanup() { tools/check-cleanup.py; }
check_python() {
	git ls-files -z '*.py' tools/summarize | xargs -0 python3 -c 'import ast, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]'
}

failed=()
for check in "${checks[@]}"; do
	printf '%-10s' "$check"
	started=$SECONDS
	if output=$("check_$check" 2>&1); then
		printf 'ok      %3d s\n' $((SECONDS - started))
	else
		printf 'FAILED  %3d s\n%s\n' $((SECONDS - started)) "$output"
		failed+=("$check")
	fi
done
if [ ${#failed[@]} -gt 0 ]; then
	echo "lint: FAILED: ${failed[*]} (${#failed[@]} of ${#checks[@]} checks, $SECONDS s)"
	exit 1
fi
echo "lint: ok (${#checks[@]} checks, $SECONDS s)"
