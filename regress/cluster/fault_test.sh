# shellcheck shell=sh
# What kubectl shows when something of a pod is killed on its node.

. "$(atf_get_srcdir)/../lib/cluster.sh"

# pod_kill POD WHAT...: kill its shim, helper or publisher, all at once.
pod_kill() {
	_labels="labels.\"io.kubernetes.pod.name\"==$1"
	_labels="$_labels,labels.\"io.kubernetes.pod.namespace\"==$NAMESPACE"
	_labels="$_labels,labels.\"io.cri-containerd.kind\"==sandbox"
	shift
	cat >kill.sh <<-EOF
	sandbox=\$(ctr -n k8s.io containers ls -q '$_labels')
	# Not a start that ends in this moment, which is root's.
	shim=\$(pgrep -u 65521 -f -- "-id \$sandbox start\\\$")
	publisher=\$(pgrep -P "\$shim" -x reaper-publish)
	pid=\$(ctr -n k8s.io tasks ls | awk -v id="\$sandbox" \
	    '\$1 == id { print \$2 }')
	helper=\$(awk '{ print \$4 }' /proc/\$pid/stat)
	[ "\$(cat /proc/\$helper/comm)" = reaper-privsep ]
	kill -9 $(printf '$%s ' "$@")
	EOF
	node_do "$(cat kill.sh)"
}

# faulted POD POLICY: a pod on the first node that says ready.
faulted() {
	pod_make "$1" "$UNTIL_TERM" \
	    ".spec.nodeName = \"n1\" | .spec.restartPolicy = \"$2\""
	pod_says "$1" ready
}

# ends_by CODE WHAT...: the container ends with the code, and is started again
# only where the pod wants that.
ends_by() {
	ended=$1
	shift
	cluster_begin
	faulted a Never
	pod_kill a "$@"
	pod_reaches a Failed
	pod_ended a "$ended"
	faulted b Always
	pod_kill b "$@"
	expect 0 "*" kubectl_ wait pod/b --timeout "${REGRESS_SECONDS}s" \
	    --for 'jsonpath={.status.containerStatuses[0].restartCount}=1'
	pod_says b ready
	pod_is b '.status.containerStatuses[0].lastState.terminated.exitCode' \
	    "$ended"
	expect 0 alive kubectl_ exec b -- echo alive
	cluster_end
}

cluster_test a_pod_whose_shim_is_killed_is_started_again \
    "where it wants that; else it has failed, with 255: containerd asks no more"
a_pod_whose_shim_is_killed_is_started_again_body() {
	ends_by 255 shim
}

cluster_test a_pod_whose_helper_is_killed_is_started_again \
    "where it wants that; else it has failed, with 137"
a_pod_whose_helper_is_killed_is_started_again_body() {
	ends_by 137 helper
}

cluster_test a_pod_whose_shim_and_helper_are_killed_is_started_again \
    "where it wants that; else it has failed, with 255"
a_pod_whose_shim_and_helper_are_killed_is_started_again_body() {
	ends_by 255 shim helper
}

cluster_test a_pod_whose_publisher_is_killed_runs_on \
    "and its end is told all the same"
a_pod_whose_publisher_is_killed_runs_on_body() {
	cluster_begin
	pod_make a 'trap "exit 7" TERM; echo ready; while :; do sleep 0.05
	    done' '.spec.nodeName = "n1"'
	pod_says a ready
	pod_kill a publisher
	# A pid 1 of its own would not see the signal.
	expect 0 "" kubectl_ exec a -- pkill -TERM -o -x sh
	pod_reaches a Failed
	pod_ended a 7
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
