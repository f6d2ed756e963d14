#!/bin/bash
# up.sh: bring up a Kubernetes cluster on this machine, in one folder.
#
#   CLUSTER=build/cluster  the folder
#   NODES=1                how many; the first has the control plane
#   CONTAINERD=PROGRAM     another than the system's
#   SHIM=PROGRAM           another for the handler reaper-v2
#   SERVICES=1             addresses and names of services: kube-proxy, CoreDNS
#   REAPER_KUBE_DIR        see tools/kube-get.sh
#
# Ends with 77, and the reason as the last line, where no cluster can be.
set -euo pipefail

# shellcheck source=regress/cluster/lib.sh
. "$(dirname "$0")/lib.sh"
export CLUSTER NODES=${NODES:-1} SERVICES=${SERVICES-}
start=$(date +%s%N)

# said TEXT: with the seconds that it took.
said()
{
	printf '%5.1f s  %s\n' "$((($(date +%s%N) - start) / 1000000))e-3" "$*"
}

cannot()
{
	echo "cluster: $*" >&2
	exit 77
}

cgroups_make()
{
	local root folder

	for root in $(cgroup_roots); do
		for i in $(seq "$NODES"); do
			mkdir -p "$root$CGROUP/n$i"
		done
		for folder in "$root$CGROUP" "$root$CGROUP"/n*; do
			cgroup_fill "$folder"
		done
	done
}

# cgroup_fill FOLDER: give it what its parent has: a cpuset starts empty, and
# version 2 hands controllers down one by one.
cgroup_fill()
{
	local controller

	if [ -e "$1/cgroup.controllers" ]; then
		for controller in $(cat "$1/cgroup.controllers"); do
			echo "+$controller" >"$1/cgroup.subtree_control"
		done
	elif [ -e "$1/cpuset.cpus" ]; then
		cat "$1/../cpuset.cpus" >"$1/cpuset.cpus"
		cat "$1/../cpuset.mems" >"$1/cpuset.mems"
	fi
}

images_make()
{
	local rootfs=$CLUSTER/rootfs

	mkdir -p "$CLUSTER/images" "$rootfs"/{pause,busybox/{bin,etc,root,tmp}}
	gcc -static -O2 -o "$rootfs/pause/pause" "$HERE/pause.c"
	"$HERE/image.sh" registry.k8s.io/pause:3.10 "$rootfs/pause" \
	    '{"Entrypoint": ["/pause"]}' "$CLUSTER/images/pause.tar"
	cp "$(command -v busybox)" "$rootfs/busybox/bin/busybox"
	"$rootfs/busybox/bin/busybox" --install "$rootfs/busybox/bin"
	chmod 1777 "$rootfs/busybox/tmp"
	echo root:x:0:0:root:/root:/bin/sh >"$rootfs/busybox/etc/passwd"
	echo root:x:0: >"$rootfs/busybox/etc/group"
	"$HERE/image.sh" docker.io/library/busybox:latest "$rootfs/busybox" \
	    '{"Cmd": ["sh"]}' "$CLUSTER/images/busybox.tar"
	[ -z "$SERVICES" ] || {
		mkdir "$rootfs/coredns"
		cp "$KUBE/coredns" "$rootfs/coredns/"
		"$HERE/image.sh" registry.k8s.io/coredns:local \
		    "$rootfs/coredns" '{"Entrypoint": ["/coredns"]}' \
		    "$CLUSTER/images/coredns.tar"
	}
	rm -rf "$rootfs"
}

# node_make NUMBER: what its pid 1 finds.
node_make()
{
	local node=$CLUSTER/nodes/n$1

	mkdir -p "$node"/{upper,work,root,disk,etc/pki}
	"$HERE/config.sh" "$1"
	cp "$CLUSTER/pki"/{ca.crt,proxy.*,"kubelet-n$1."*} "$node/etc/pki/"
	[ "$1" -ne 1 ] || cp "$CLUSTER/pki"/{apiserver,service-accounts}* \
	    "$CLUSTER/pki"/{controller-manager,scheduler}.* "$node/etc/pki/"
}

kubectl()
{
	"$HERE/shell.sh" kubectl "$@"
}

# failed: show why, and leave nothing.
failed()
{
	echo "cluster: it did not come up; the ends of its logs:" >&2
	tail -n 5 "$CLUSTER/log" "$CLUSTER"/nodes/*/log \
	    "$CLUSTER"/nodes/*/disk/var/log/*.log | cut -c -200 >&2 || :
	"$HERE/down.sh"
}

[ "$(id -u)" -eq 0 ] || cannot "needs root"
[ "$NODES" -ge 1 ] && [ "$NODES" -le 100 ] || die "NODES=$NODES"
case $CLUSTER in
/run/* | *[,:\ ]*) die "the folder $CLUSTER will not do" ;;
esac
! process_read "$CLUSTER/pid" >/dev/null || die "up already: $CLUSTER"
[ ! -e "$CLUSTER" ] || die "$CLUSTER is in the way; make cluster-down"
unshare --mount --net --pid --fork true || cannot "no namespaces here"
[ "$(stat -f -c %T /)" != overlayfs ] ||
    cannot "the root is an overlay already: the kernel stacks two at most"
for program in ip openssl jq busybox gcc runc /usr/lib/cni/bridge; do
	command -v "$program" >/dev/null || cannot "there is no $program"
done
CONTAINERD=$(command -v "${CONTAINERD:-containerd}") ||
    cannot "there is no containerd"
SHIM=$(realpath "${SHIM:-$TOP/build/containerd-shim-reaper-v2}")
# shellcheck disable=SC2086 # words
KUBE=$("$TOP/tools/kube-get.sh" ${SERVICES:+kube-proxy coredns}) ||
    cannot "there is no Kubernetes here; tools/kube-get.sh says why"
export CONTAINERD SHIM

mkdir -p "$CLUSTER"
trap 'failed' EXIT
trap 'exit 1' INT TERM HUP
ln -s "$KUBE" "$CLUSTER/programs"
ln -s "$HERE/shell.sh" "$CLUSTER/shell"
cgroups_make
images_make
"$HERE/pki.sh" "$CLUSTER/pki" "$NODES"
for i in $(seq "$NODES"); do
	node_make "$i"
done
said "images, certificates, configuration"

# With nothing of the caller's environment: containerd and shims would read it.
setsid env -i PATH="$PATH" CLUSTER="$CLUSTER" NODES="$NODES" KUBE="$KUBE" \
    CONTAINERD="$CONTAINERD" SHIM="$SHIM" SERVICES="$SERVICES" \
    unshare --mount --net --pid --fork --kill-child "$HERE/init.sh" \
    >"$CLUSTER/log" 2>&1 </dev/null &
until_true 10 [ -s "$CLUSTER/pid" ] || die "the cluster does not start"
until_true 90 unhurried kubectl get --raw /readyz || die "the API does not answer"
said "the API answers"
kubectl apply -f "$HERE/classes.yaml" >/dev/null
[ -z "$SERVICES" ] || kubectl apply -f "$HERE/coredns.yaml" >/dev/null
mapfile -t nodes < <(seq -f node/n%.0f "$NODES")
# Of several it fails when the first is there and another is not.
for node in "${nodes[@]}"; do
	kubectl wait --for create --timeout 60s "$node" >/dev/null
done
kubectl wait --for condition=Ready --timeout 60s "${nodes[@]}" >/dev/null
# Without it no pod is taken.
kubectl wait --for create --timeout 60s serviceaccount/default >/dev/null
said "nodes ready: $NODES"
[ -z "$SERVICES" ] || {
	kubectl --namespace kube-system rollout status \
	    deployment/coredns --timeout 90s >/dev/null
	said "names are resolved"
}
trap - EXIT
