# shellcheck shell=bash
# cluster.sh: what the parts on a cluster share; after lib.sh.  They are among
# the machine's processes and on the cluster's network, by shell.sh.

API=https://10.90.0.11:6443/api/v1
pki=$CLUSTER/pki
curl=(curl -sS --cacert "$pki/ca.crt" --cert "$pki/admin.crt"
    --key "$pki/admin.key")

# api METHOD PATH [FILE]: ask the API; FILE holds what is sent.
api()
{
	timeout --foreground "$HANG" "${curl[@]}" --fail-with-body -X "$1" "$API/$2" \
	    ${3:+-H "Content-Type: application/json" --data-binary "@$3"}
}

# on_node COMMAND [ARG...]: inside the node.
on_node()
{
	timeout --foreground "$HANG" "$CLUSTER/shell" -n n1 "$@"
}

# namespace_make NAME: it is there, with its account.
namespace_make()
{
	{ kubectl create namespace "$1" >/dev/null &&
	    kubectl --namespace "$1" wait --for create --timeout 60s \
	    serviceaccount/default >/dev/null; } || die "no namespace $1"
}

# pod_json NAMESPACE NAME SCRIPT [FILTER]: a pod that runs sh -c SCRIPT, changed
# by a jq filter.
pod_json()
{
	jq -cn --arg namespace "$1" --arg name "$2" --arg script "$3" '{
	    apiVersion: "v1", kind: "Pod", metadata: {name: $name,
	    namespace: $namespace}, spec: {nodeName: "n1",
	    runtimeClassName: "reaper-v2", restartPolicy: "Never",
	    terminationGracePeriodSeconds: 1,
	    automountServiceAccountToken: false, containers: [{
	    name: "main", image: "busybox", imagePullPolicy: "IfNotPresent",
	    command: ["sh", "-c", $script]}]}} | '"${4:-.}"
}

# node_list: what must be the same before and after: Reaper's processes,
# zombies, mounts, sockets, network namespaces, cgroups and files.
node_list()
{
	on_node bash -s <<-'EOF'
	ps -eo stat=,comm= | awk '
	/ (containerd-shim|reaper-)/ { print "process", $2 }
	/^Z/ { print "zombie", $2 }'
	awk '{ print "mount", $5 }' /proc/1/mountinfo
	find /run/containerd -type s -path '*/s/*' -printf 'socket %p\n'
	find /run/netns /run/reaper /run/containerd/io.containerd.runtime.v2* \
	    -printf 'file %p\n' 2>/dev/null
	EOF
	find /sys/fs/cgroup -type d \( -path "*$NODE_CGROUP/kubepods/*" -o \
	    -name 'reaper:k8s.io:*' \) -printf 'cgroup %p\n'
}

NODE_CGROUP=$(bash -c '. "$1" && echo "$CGROUP/n1"' . \
    "$TOP/regress/cluster/lib.sh")

# node_before, node_judge SECONDS WHEN: as leak_before and leak_judge.
node_before()
{
	node_list | sort >"$SOAK_OUT/leak.before"
}

node_none()
{
	node_list | sort >"$SOAK_OUT/leak.after"
	cmp -s "$SOAK_OUT/leak.before" "$SOAK_OUT/leak.after" || {
		sleep 0.5
		return 1
	}
}

node_judge()
{
	until_true "$1" node_none || fail "$2: left behind (>) or taken away" \
	    "(<): $(diff "$SOAK_OUT/leak.before" "$SOAK_OUT/leak.after" |
	    grep '^[<>]')"
}

# strangers_judge: nobody else has used the cluster, whose overlays stay; what
# is left would be theirs.
strangers_judge()
{
	local names

	names=$(on_node ls /run/reaper/ns | grep -vE '^(default|soak-.*)$') ||
	    return 0
	fail "others have used the cluster: $names"
}

# node_measure: measure.sh, inside the node.
node_measure()
{
	on_node bash -s <"$SOAK_HERE/measure.sh"
}

# watch_begin NAMESPACE FILTER: its pods' changes come as lines, what the jq
# filter makes of each, from the descriptor $watch.
watch_begin()
{
	exec {watch}< <(
		{
			echo "$BASHPID" >"$WORK/watch.pid"
			exec "${curl[@]}" -N "$API/namespaces/$1/pods?watch=1&timeoutSeconds=36000"
		} | jq --unbuffered -r "$2"
	)
}

watch_end()
{
	kill "$(cat "$WORK/watch.pid")"
	exec {watch}<&-
}
