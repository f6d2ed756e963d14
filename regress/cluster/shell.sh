#!/bin/bash
# shell.sh [-n NODE] [COMMAND [ARG...]]: run a command, or a shell, on the
# machine with the cluster's network and kubectl; or inside a node.
set -euo pipefail

# shellcheck source=regress/cluster/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
node=
[ "${1-}" != -n ] || {
	node=$2
	shift 2
}
pid=$(process_read "$CLUSTER/${node:+nodes/$node/}pid") ||
    die "not up: $CLUSTER ${node:+node $node}"
[ $# -gt 0 ] || {
	echo "kubectl works; exit ends this shell, not the cluster" >&2
	set -- "${SHELL:-/bin/bash}"
}
if [ -n "$node" ]; then
	exec nsenter --target "$pid" --mount --uts --ipc --net --pid "$@"
fi
export KUBECONFIG=$CLUSTER/pki/admin.conf KUBECACHEDIR=$CLUSTER/kubectl
export PATH="$CLUSTER/programs:$PATH"
exec nsenter --target "$pid" --net "$@"
