# shellcheck shell=sh
# A node with pods: many at once, and a restart of its containerd.

. "$(atf_get_srcdir)/../lib/cluster.sh"

# containerd_replaced NODE PID: another process than this answers.
containerd_replaced() {
	[ "$(on_cluster -n "$1" cat /run/containerd.pid)" != "$2" ] &&
	    on_cluster -n "$1" ctr version
}

cluster_test a_pod_survives_a_restart_of_containerd \
    "it runs on, can be entered, and its log and exit code arrive"
a_pod_survives_a_restart_of_containerd_body() {
	cluster_begin
	pod_make a 'echo before
	    until [ -e /tmp/end ]; do sleep 0.05; done; echo after; exit 3'
	pod_says a before
	node=$(kubectl_ get pod a -o 'jsonpath={.spec.nodeName}')
	pid=$(on_cluster -n "$node" cat /run/containerd.pid)
	expect 0 "" on_cluster -n "$node" kill "$pid"
	until_true 20 containerd_replaced "$node" "$pid" ||
	    cluster_fail "containerd does not come back"
	until_true 20 kubectl_ exec a -- true ||
	    cluster_fail "the pod cannot be entered any more"
	expect 0 "" kubectl_ exec a -- touch /tmp/end
	pod_reaches a Failed
	pod_ended a 3
	pod_is a '.status.containerStatuses[0].restartCount' 0
	expect 0 "before
after" kubectl_ logs a
	cluster_end
}

cluster_test twenty_pods_run_at_once \
    "each ends well, with its own log"
twenty_pods_run_at_once_body() {
	cluster_begin
	REGRESS_SECONDS=120
	for i in $(seq 20); do
		pod_spec "p$i" "echo I am p$i"
	done | jq -s '{apiVersion: "v1", kind: "List", items: .}' >pods.json
	expect 0 "*" kubectl_ create -f pods.json
	expect 0 "*" kubectl_ wait pods --all --timeout "${REGRESS_SECONDS}s" \
	    --for 'jsonpath={.status.phase}=Succeeded'
	for i in $(seq 20); do
		expect 0 "I am p$i" kubectl_ logs "p$i"
	done
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
