#!/bin/sh
# run.sh [RUNTIME,... [PART,...]]: measure the floor, runc's shim and ours side
# by side on one containerd, each PART or all.  Fails when a target is missed,
# after printing all.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
runtimes=${1:-floor,runc,reaper}
parts=${2-}
export REGRESS_BUILD="${REGRESS_BUILD:-$top/build}"
export REGRESS_PATH="$REGRESS_BUILD/bench"

build() {
	mkdir -p "$REGRESS_PATH"
	flags="-std=gnu17 -O2 -static -Wall -Wextra -Werror"
	# shellcheck disable=SC2086 # a list of words
	{
		${CC:-cc} $flags -D_GNU_SOURCE -I"$top" \
		    -o "$REGRESS_PATH/containerd-shim-floor-v1" "$here"/floor*.c
		${CC:-cc} $flags -o "$REGRESS_PATH/pod" "$here/pod.c"
		${CC:-cc} $flags -D_GNU_SOURCE -I"$top" -I"$REGRESS_BUILD" \
		    -o "$REGRESS_PATH/confine" "$here/confine.c" \
		    "$REGRESS_BUILD/policies.o" "$REGRESS_BUILD/libunpriv.a" \
		    -lcap
	}
	(cd "$here/client" && go build -o "$REGRESS_PATH/client" .)
}

# The parent of the containers' cgroups, as the kubelet makes it for a pod's.
cgroups_make() {
	if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
		set -- /sys/fs/cgroup
	else
		set -- /sys/fs/cgroup/cpu /sys/fs/cgroup/cpuacct \
		    /sys/fs/cgroup/memory /sys/fs/cgroup/pids
	fi
	for root; do
		mkdir -p "$root$BENCH_CGROUP"
	done
	if [ $# -eq 1 ]; then
		for folder in "$1" "$1$BENCH_CGROUP"; do
			echo +cpu +memory +pids >"$folder/cgroup.subtree_control"
		done
	fi
}

cgroups_remove() {
	for root in /sys/fs/cgroup /sys/fs/cgroup/*; do
		[ ! -d "$root$BENCH_CGROUP" ] ||
		    find "$root$BENCH_CGROUP" -depth -type d -exec rmdir {} \;
	done
}

if [ "${BENCH_INSIDE-}" != yes ]; then
	command -v go >/dev/null || "$top/tools/deps.sh" golang-go
	build
	export BENCH_INSIDE=yes
	# Nothing else of the node's is seen, and nothing can be left; cgroups
	# can, and are removed here when all processes have ended.
	BENCH_CGROUP=/reaper-bench.$$
	export BENCH_CGROUP
	trap cgroups_remove EXIT
	trap 'exit 1' HUP INT TERM
	cgroups_make
	unshare --mount --propagation private --pid --fork --kill-child \
	    --mount-proc "$0" "$runtimes" "$parts"
	exit
fi

# shellcheck source=regress/lib/containerd.sh
. "$top/regress/lib/containerd.sh"
mount -t tmpfs -o mode=0755 tmpfs /run
private_dir
trap containerd_stop EXIT
mkdir "$REGRESS_DIR/rootfs/bin" "$REGRESS_DIR/rootfs/proc" \
    "$REGRESS_DIR/rootfs/sys" "$REGRESS_DIR/rootfs/dev" "$REGRESS_DIR/empty"
cp /bin/busybox "$REGRESS_DIR/rootfs/bin/busybox"
cp "$REGRESS_PATH/pod" "$REGRESS_DIR/rootfs/bin/true"
cp "$REGRESS_PATH/pod" "$REGRESS_DIR/rootfs/bin/sleep"
containerd_start
"$REGRESS_PATH/client" --address "$REGRESS_DIR/c.sock" \
    --namespace "$REGRESS_NAMESPACE" --rootfs "$REGRESS_DIR/rootfs" \
    --fifos "$REGRESS_DIR/fifo" --cgroup "$BENCH_CGROUP" \
    --confine "$REGRESS_PATH/confine" --empty "$REGRESS_DIR/empty" \
    --runtimes "$runtimes" --parts "$parts"
