# shellcheck shell=sh
# The annotation reaper.runtime/restrict, by which a pod asks for less.

. "$(atf_get_srcdir)/../lib/cluster.sh"

INTERFACES='tail -n +3 /proc/net/dev | cut -d : -f 1 | tr -d " "'

cluster_test without_a_network_there_is_but_the_loopback \
    "no-network: the pod has an address that nobody answers at"
without_a_network_there_is_but_the_loopback_body() {
	cluster_begin
	pod_make a "$INTERFACES; tail -n +2 /proc/net/route" \
	    "$(annotated restrict=no-network)"
	pod_reaches a Succeeded
	expect 0 lo kubectl_ logs a
	cluster_end
}

cluster_test a_pod_may_ask_for_a_root_that_cannot_be_written \
    "read-only: only its volumes are, as if readOnlyRootFilesystem were set"
a_pod_may_ask_for_a_root_that_cannot_be_written_body() {
	cluster_begin
	pod_make a 'for f in /new /tmp/new /etc/new; do
		(: >$f) 2>/dev/null || echo refused; done
	    : >/scratch/new && ls /scratch' "$(annotated restrict=read-only) |
	    $(volume e '{emptyDir: {}}' /scratch)"
	pod_reaches a Succeeded
	expect 0 "refused
refused
refused
new" kubectl_ logs a
	cluster_end
}

cluster_test nobody_enters_a_pod_that_forbids_it \
    "no-exec: kubectl exec fails and says why; the pod runs on"
nobody_enters_a_pod_that_forbids_it_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM" "$(annotated restrict=no-exec)"
	pod_says a ready
	expect_refusal 'reaper\.runtime/restrict says no-exec' \
	    kubectl_ exec a -- true
	pod_is a .status.phase Running
	cluster_end
}

cluster_test a_pod_may_forbid_itself_folders_of_the_node \
    "no-hostpath: it has its other volumes; with one, it is refused"
a_pod_may_forbid_itself_folders_of_the_node_body() {
	cluster_begin
	expect 0 "*" kubectl_ create configmap c --from-literal=key=public
	only=$(annotated restrict=no-hostpath)
	pod_make a 'cat /config/key && : >/scratch/new &&
	    test -s /var/run/secrets/kubernetes.io/serviceaccount/token' \
	    "$only | $(volume c '{configMap: {name: "c"}}' /config) |
	    $(volume e '{emptyDir: {}}' /scratch)"
	pod_make b true "$only | $(volume h '{hostPath: {path: "/srv"}}' /node)"
	pod_refused b '/srv: a hostPath.*reaper\.runtime/restrict forbids'
	pod_reaches a Succeeded
	expect 0 public kubectl_ logs a
	cluster_end
}

cluster_test restrictions_add_up \
    "several words, with spaces between"
restrictions_add_up_body() {
	cluster_begin
	pod_make a "$INTERFACES; (: >/new) 2>/dev/null || echo refused
	    $UNTIL_TERM" "$(annotated 'restrict=no-network, read-only,no-exec')"
	pod_says a ready
	expect 0 "lo
refused
ready" kubectl_ logs a
	expect_refusal no-exec kubectl_ exec a -- true
	cluster_end
}

cluster_test a_restriction_that_is_not_known_refuses_the_pod \
    "and describe tells the word, and the words that there are"
a_restriction_that_is_not_known_refuses_the_pod_body() {
	cluster_begin
	pod_make a true "$(annotated restrict=read-only,no-such-word)"
	pod_refused a 'no-such-word.*expected no-network, read-only, no-exec'
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
