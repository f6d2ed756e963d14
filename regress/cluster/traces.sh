#!/bin/bash
# traces.sh: print what a cluster might leave on the machine, to be compared
# before and after: mounts, networks, cgroups, settings, files, processes.
set -euo pipefail

# shellcheck source=regress/cluster/lib.sh
. "$(dirname "$0")/lib.sh"
awk '{ print "mount", $5 }' /proc/self/mountinfo
ip -o link | sed 's/^[0-9]*: \([^:]*\):.*/interface \1/'
ip route | sed 's/^/route /'
# Other clusters and tests have theirs, and come and go.
find /sys/fs/cgroup/ -maxdepth 2 -type d \( -path "*$CGROUP" -o -name k8s.io \
    -o -name 'kubepods*' \) -printf 'cgroup %p\n' 2>/dev/null || :
grep -H '' /proc/sys/vm/overcommit_memory /proc/sys/vm/panic_on_oom \
    /proc/sys/kernel/panic{,_on_oops} /proc/sys/kernel/keys/root_max* \
    /proc/sys/net/ipv4/ip_forward
for folder in /run /run/netns /run/containerd /run/containerd/s /run/reaper \
    /var/lib /var/lib/cni /var/lib/kubelet /var/log /etc /etc/cni \
    /etc/kubernetes /usr/local/bin /sys/fs/bpf "${HOME:-/root}/.kube"; do
	[ ! -d "$folder" ] ||
	    find "$folder" -mindepth 1 -maxdepth 1 -printf 'file %p\n' | sort
done
# The processes of this cluster have nothing but this in their environment.
for environ in /proc/[0-9]*/environ; do
	if grep -Fqsxz "CLUSTER=$CLUSTER" "$environ" &&
	    grep -qsz '^KUBE=' "$environ"; then
		echo "process ${environ//[^0-9]/}"
	fi
done
[ ! -e "$CLUSTER" ] || echo "file $CLUSTER"
