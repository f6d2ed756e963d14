# shellcheck shell=sh
# cluster.sh: what every cluster test begins with.
#
# A test case has a Kubernetes namespace of its own in the cluster that is up
# in the folder $REGRESS_CLUSTER.  Where there is none it is skipped, with
# $REGRESS_SKIP as the reason.  Its pods are of the RuntimeClass $REGRESS_CLASS:
# with runc, one sees which expectation is Kubernetes' and which is ours.
# Usage, in the test program:
#
#	. "$(atf_get_srcdir)/../lib/cluster.sh"
#	cluster_test NAME "what it shows"
#	NAME_body() { cluster_begin; ...; cluster_end; }
#	atf_init_test_cases() { cluster_add; }

LIB=$(cd "$(atf_get_srcdir)/../lib" && pwd)
: "${REGRESS_CLUSTER:=$(cd "$LIB/../.." && pwd)/cluster}"
: "${REGRESS_CLASS:=reaper-v2}"
: "${REGRESS_SECONDS:=30}"	# that a pod has to get where it must
# shellcheck source=regress/lib/containerd.sh
. "$LIB/containerd.sh"
# shellcheck source=regress/lib/case.sh
. "$LIB/case.sh"
# shellcheck source=regress/lib/expect.sh
. "$LIB/expect.sh"

# cluster_test NAME DESCRIPTION: declare a test case.
cluster_test() {
	case_declare "$1" "$2" 'jq nsenter' 300
}

cluster_add() {
	case_add
}

case_end() {
	:
}

cluster_begin() {
	[ -z "${REGRESS_SKIP-}" ] || atf_skip "$REGRESS_SKIP"
	[ -e "$REGRESS_CLUSTER/pid" ] ||
	    atf_skip "no cluster is up; make cluster-up"
	NAMESPACE=$(atf_get ident | tr _ - | cut -c -50)-$$
	expect 0 "*" on_cluster kubectl create namespace "$NAMESPACE"
	until_true 20 kubectl_ get serviceaccount default ||
	    cluster_fail "the namespace has no account"
}

# cluster_end: what ran can be deleted.
cluster_end() {
	expect 0 "*" kubectl_ delete pods --all --timeout "${REGRESS_SECONDS}s"
	expect 0 "*" on_cluster kubectl delete namespace "$NAMESPACE" \
	    --wait=false
}

# on_cluster [-n NODE] COMMAND [ARG...]: on the machine, or inside a node.
on_cluster() {
	CLUSTER=$REGRESS_CLUSTER "$REGRESS_CLUSTER/shell" "$@"
}

kubectl_() {
	on_cluster kubectl --namespace "$NAMESPACE" "$@"
}

# pod_spec NAME SCRIPT [FILTER]: a pod that runs sh -c SCRIPT, changed by a jq
# filter.
pod_spec() {
	jq -n --arg name "$1" --arg script "$2" --arg class "$REGRESS_CLASS" '{
	    apiVersion: "v1", kind: "Pod", metadata: {name: $name}, spec: {
	    runtimeClassName: $class, restartPolicy: "Never",
	    terminationGracePeriodSeconds: 2, containers: [{
	    name: "main", image: "busybox", imagePullPolicy: "IfNotPresent",
	    command: ["sh", "-c", $script]}]}} | '"${3:-.}"
}

# volume NAME SOURCE PATH [MOUNT]: a jq filter: the first container has it; of
# the mount there may be more.
volume() {
	cat <<-EOF
	.spec.volumes += [{name: "$1"} + $2] |
	.spec.containers[0].volumeMounts += [{name: "$1", mountPath: "$3"} +
	    ${4:-{\}}]
	EOF
}

# annotated NAME=VALUE...: a jq filter: the pod asks this of Reaper.
annotated() {
	for _annotation; do
		printf '.metadata.annotations["reaper.runtime/%s"] = "%s" | ' \
		    "${_annotation%%=*}" "${_annotation#*=}"
	done
	echo .
}

# pod_make NAME SCRIPT [FILTER]: the same, and have it run.
pod_make() {
	pod_spec "$@" >"$1.json" || cluster_fail "no such pod: $1"
	expect 0 "*" kubectl_ create -f "$1.json"
}

# shellcheck disable=SC2034 # for tests
# A script that runs until it is told to end, and says when it can be.
UNTIL_TERM='trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done'

# pod_reaches NAME PHASE: it becomes Running, Succeeded or Failed.
pod_reaches() {
	kubectl_ wait --for "jsonpath={.status.phase}=$2" \
	    --timeout "${REGRESS_SECONDS}s" "pod/$1" >out 2>err ||
	    cluster_fail "$1 does not become $2"
}

# pod_says NAME TEXT: the line is in its log, soon.
pod_says() {
	until_true "$REGRESS_SECONDS" pod_said "$@" ||
	    cluster_fail "$1 does not say \"$2\""
}

pod_said() {
	kubectl_ logs "$1" | grep -qxF -- "$2"
}

# pod_refused NAME PATTERN: it does not run, and describe says why, in words
# that match the pattern.
pod_refused() {
	until_true "$REGRESS_SECONDS" pod_described "$@" ||
	    cluster_fail "describe does not say \"$2\" of $1"
	pod_is "$1" '[.status.containerStatuses[]?.state.running] | any' false
}

pod_described() {
	kubectl_ describe pod "$1" | grep -Eq -- "$2"
}

# node_do SCRIPT: run it on the first node; it prints nothing.
node_do() {
	expect 0 "" on_cluster -n n1 sh -ec "$1"
}

# pod_is NAME FILTER VALUE: what jq makes of it.
pod_is() {
	kubectl_ get pod "$1" -o json >out 2>err ||
	    cluster_fail "there is no $1"
	_is=$(jq -r "$2" out)
	[ "$_is" = "$3" ] || cluster_fail "$1: $2 is \"$_is\", not \"$3\""
}

# pod_ended NAME CODE [INDEX]: its container has ended with the exit code.
pod_ended() {
	pod_is "$1" ".status.containerStatuses[${3:-0}].state.terminated
	    .exitCode" "$2"
}

# cluster_fail TEXT: fail, and show what the last command said, and what
# kubectl and containerd say of the namespace.
cluster_fail() {
	echo "stdout:" >&2
	head -c 2000 out >&2 2>/dev/null
	echo "stderr:" >&2
	head -c 2000 err >&2 2>/dev/null
	echo "kubectl describe pods:" >&2
	kubectl_ describe pods 2>&1 | sed -n \
	    '/^Name:/p; /^Status:/p; /State:/p; /Reason:/p; /Message:/p
	    /Exit Code:/p; /^Events:/,/^$/p' | cut -c -400 | tail -n 60 >&2
	echo "containerd:" >&2
	cat "$REGRESS_CLUSTER"/nodes/*/disk/var/log/containerd.log |
	    grep -F "$NAMESPACE" | grep -v level=info | cut -c -600 |
	    tail -n 10 >&2
	# Its pods would be tried for ever, in the way of the other tests.
	on_cluster kubectl delete namespace "$NAMESPACE" --wait=false >&2
	# A reason is one line.
	atf_fail "$(echo "$1" | tr -s '\n\t' ' ')"
}

expect_fail() {
	cluster_fail "$@"
}
