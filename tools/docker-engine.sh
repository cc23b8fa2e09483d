#!/bin/bash
# A private Docker engine for tests: Debian's docker.io started by hand as root, without systemd, bridge or iptables, on a unix
# socket, with everything it writes below DIR.
#
#   tools/docker-engine.sh DIR up        starts it if need be, prints DOCKER_HOST=unix://...
#   tools/docker-engine.sh DIR stop      ends it, keeps its images
#   tools/docker-engine.sh DIR destroy   ends it and removes DIR
#
# DRIVER: overlay2 (default) or vfs, or containerd for the containerd image store (Docker 24 and newer).
set -u
dir=$(realpath -m "${1:?usage: $0 DIR up|stop|destroy}")
command=${2:-up}
driver=${DRIVER:-overlay2}
PATH=$PATH:/usr/sbin:/sbin

# owns PIDFILE TEXT: prints the pid in the file, if that process still lives and is ours (its command line holds TEXT).
owns() {
	local pid
	pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] || return 1
	tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2" && echo "$pid"
}
engine() { owns "$dir/docker.pid" "$dir/docker.pid"; }

stop() {
	local pid
	pid=$(engine) || return 0
	kill "$pid"
	for _ in $(seq 100); do
		engine >/dev/null || break
		sleep 0.1
	done
	engine >/dev/null && kill -9 "$pid"
	return 0
}

# An engine that was killed leaves its containerd running and its socket in place, on which the next one would wait in vain.
clear_remains() {
	local pid
	pid=$(owns "$dir/exec/containerd/containerd.pid" "$dir/exec/containerd") && kill "$pid" && sleep 1
	umount -l "$dir/exec/netns/default" 2>/dev/null
	rm -rf "$dir/exec/containerd" "$dir/docker.pid" "$dir/docker.sock"
}

case $command in
up) ;;
stop)
	stop
	exit 0
	;;
destroy)
	stop
	clear_remains
	awk -v d="$dir/" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r | while read -r m; do umount -l "$m"; done
	[ ! -d "$dir/data" ] || rm -rf "$dir"
	exit 0
	;;
*)
	echo "usage: $0 DIR up|stop|destroy" >&2
	exit 2
	;;
esac

if ! engine >/dev/null; then
	clear_remains
	mkdir -p "$dir/data" "$dir/exec"
	options=(--storage-driver "$driver")
	config='{}'
	if [ "$driver" = containerd ]; then
		options=()
		config='{"features":{"containerd-snapshotter":true}}'
	fi
	echo "$config" >"$dir/daemon.json"
	setsid dockerd --config-file "$dir/daemon.json" --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/docker.pid" \
		-H "unix://$dir/docker.sock" --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
		--userland-proxy=false ${options[@]+"${options[@]}"} >"$dir/dockerd.log" 2>&1 </dev/null &
fi
for i in $(seq 150); do
	if DOCKER_HOST=unix://$dir/docker.sock docker version >/dev/null 2>&1; then
		echo "DOCKER_HOST=unix://$dir/docker.sock"
		exit 0
	fi
	sleep 0.2
	[ "$i" -lt 15 ] || engine >/dev/null || break
done
echo "docker-engine: no answer, see $dir/dockerd.log" >&2
tail -3 "$dir/dockerd.log" >&2
exit 1
