#!/bin/bash
# init.sh: pid 1 of the cluster, in mount, network and pid namespaces of its
# own: the network between the nodes, and the nodes.  When it ends, the kernel
# ends all of them, with their mounts and networks.
# Uses what up.sh has set and written.
set -euo pipefail

# shellcheck source=regress/cluster/lib.sh
. "$(dirname "$0")/lib.sh"
process_write "$CLUSTER/pid"
# Where ip keeps network namespaces.
mount -t tmpfs -o mode=0755 tmpfs /run
ip link set lo up
ip link add br0 type bridge
ip address add "$NETWORK.1/24" dev br0
ip link set br0 up

for i in $(seq "$NODES"); do
	ip netns add "n$i"
	ip link add "n$i" type veth peer name eth0 netns "n$i"
	ip link set "n$i" master br0 up
	ip -n "n$i" link set lo up
	ip -n "n$i" address add "$(node_address "$i")/24" dev eth0
	ip -n "n$i" link set eth0 up
	# It leads nowhere, but an address of a service must have a route.
	ip -n "n$i" route add default via "$NETWORK.1"
	ip route add "$POD_NETWORK.$i.0/24" via "$(node_address "$i")"
	for j in $(seq "$NODES"); do
		[ "$j" = "$i" ] || ip -n "n$i" route add \
		    "$POD_NETWORK.$j.0/24" via "$(node_address "$j")"
	done
done

for i in $(seq "$NODES"); do
	nsenter --net="/run/netns/n$i" unshare --mount --uts --ipc --pid \
	    --fork --kill-child "$HERE/node.sh" "$i" \
	    >"$CLUSTER/nodes/n$i/log" 2>&1 &
done
wait
