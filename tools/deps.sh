#!/bin/bash
# Installs the Debian packages that a purpose needs and the machine lacks.   tools/deps.sh build|test|browser|lint|bench|package...
# Asks only dpkg when everything is there, so it costs nothing to call it always.
set -eu

packages() {
	case $1 in
	build) echo gcc libc6-dev make meson ninja-build pkg-config python3-minimal ca-certificates libmicrohttpd-dev \
		libgnutls28-dev libjansson-dev libssl-dev libsqlite3-dev libcurl4-openssl-dev libinih-dev libcmocka-dev libcjose-dev libp11-kit-dev libseccomp-dev ;;
	console) echo nodejs npm ;;
	test) echo clang libclang-rt-14-dev python3-venv curl git openssl procps skopeo podman buildah crun runc umoci \
		containerd docker.io nodejs npm dpkg-dev binutils man-db zsh systemd softhsm2 strace mount e2fsprogs ;;
	browser) echo chromium ;;
	package) echo dpkg-dev binutils git gzip python3-minimal ;;
	lint) echo clang clang-format clang-tidy cppcheck codespell shellcheck coccinelle python3-minimal ;;
	bench) echo docker-registry nginx-light wrk curl skopeo valgrind procps python3-venv ;;
	go) echo golang-go ;;
	*) echo "tools/deps.sh: unknown purpose '$1'" >&2; exit 2 ;;
	esac
}

wanted=()
for purpose in "$@"; do
	read -ra more <<<"$(packages "$purpose" | tr '\n' ' ')"
	wanted+=("${more[@]}")
done

# A package counts as present when it, or another that brings the same, is installed.
missing=()
present=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p')
for p in "${wanted[@]}"; do
	case $p in
	nginx-light) pattern='nginx|nginx-light|nginx-core|nginx-full|nginx-extras' ;;
	pkg-config) pattern='pkg-config|pkgconf' ;;
	docker.io) pattern='docker.io|docker-ce' ;;
	containerd) pattern='containerd|containerd.io' ;;
	nodejs | npm) # whatever brought them, if it is new enough to build the console
		command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null && continue
		pattern=$p ;;
	runc) pattern='runc|containerd.io' ;;
	libclang-rt-14-dev) pattern='libclang-rt-[0-9]+-dev' ;;
	*) pattern=${p//./\\.} ;;
	esac
	grep -qxE -- "$pattern" <<<"$present" || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || {
	echo "tools/deps.sh: missing: ${missing[*]}; install them by hand (this machine has no apt-get)" >&2
	exit 1
}
sudo=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || { echo "tools/deps.sh: missing: ${missing[*]}; run as root: apt-get install ${missing[*]}" >&2; exit 1; }
	sudo=sudo
fi

# The programs are wanted, not the services that come with them: docker-registry would take port 5000.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$sudo rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
	$sudo chmod 755 $policy
fi

echo "installing: ${missing[*]}"
log=$(mktemp)
install() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" </dev/null >"$log" 2>&1; }
install || { $sudo apt-get update -q </dev/null >>"$log" 2>&1; install; } || { tail -20 "$log" >&2; exit 1; }
rm -f "$log"
