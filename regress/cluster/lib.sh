# shellcheck shell=bash
# lib.sh: what the scripts of the cluster share.
# shellcheck disable=SC2034 # they use it

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=${HERE%/regress/cluster}
CLUSTER=$(realpath -m "${CLUSTER:-$TOP/build/cluster}")
# Known from the folder alone, so that what a cluster left can be found.
CGROUP=/reaper-cluster.$(cksum <<<"$CLUSTER" | cut -d ' ' -f 1)

# shellcheck source=regress/lib/containerd.sh
. "$TOP/regress/lib/containerd.sh"	# until_true, not

# Nodes are NETWORK.11 and up; NETWORK.1 is the bridge, and kubectl.
NETWORK=10.90.0
SERVICE_NETWORK=10.96.0
POD_NETWORK=10.244

# node_address NUMBER
node_address()
{
	echo "$NETWORK.$((10 + $1))"
}

die()
{
	echo "cluster: $*" >&2
	exit 1
}

# unhurried COMMAND [ARG...]: for until_true, where the asking costs as much as
# what is waited for.
unhurried()
{
	"$@" || {
		sleep 0.2
		return 1
	}
}

# process_write FILE: say who this process is.  /proc is the machine's, and so
# is the pid, whichever namespace the process is in.
process_write()
{
	local stat

	# By the shell itself: another process would tell of itself.
	read -ra stat </proc/self/stat
	echo "${stat[0]} ${stat[21]}" >"$1"
}

# process_read FILE: the pid, if that very process is there.
process_read()
{
	local pid start stat

	{ read -r pid start <"$1" && read -ra stat <"/proc/$pid/stat"; } \
	    2>/dev/null && [ "${stat[21]}" = "$start" ] && echo "$pid"
}

# cgroup_roots: the hierarchies that have controllers, or names.
cgroup_roots()
{
	awk '$3 == "cgroup" { print $2 }
	    $3 == "cgroup2" && $2 == "/sys/fs/cgroup" { print $2 }' /proc/mounts
}
