#!/bin/bash
# down.sh: end the cluster in the folder $CLUSTER and remove every trace of it.
set -euo pipefail

# shellcheck source=regress/cluster/lib.sh
. "$(dirname "$0")/lib.sh"
[ -L "$CLUSTER/shell" ] || exit 0	# there is none
# With its pid 1, the kernel ends every process, mount and network of it.
if pid=$(process_read "$CLUSTER/pid"); then
	kill -KILL "$pid"
	until_true 20 not process_read "$CLUSTER/pid" ||
	    die "process $pid does not end"
fi

cgroups()
{
	find /sys/fs/cgroup/ -depth -type d \
	    \( -path "*$CGROUP" -o -path "*$CGROUP/*" \)
}

# They are freed a moment after their processes.
cgroups_removed()
{
	cgroups | xargs -r rmdir
}

until_true 10 cgroups_removed || {
	cgroups >&2
	die "these cgroups stay"
}
rm -rf --one-file-system "$CLUSTER"
