# shellcheck shell=sh
# A pod as kubectl sees it: its end, its log, its containers, its errors.

. "$(atf_get_srcdir)/../lib/cluster.sh"

cluster_test a_pod_runs_and_completes \
    "its phase is Succeeded, its container Completed"
a_pod_runs_and_completes_body() {
	cluster_begin
	pod_make a 'true'
	pod_reaches a Succeeded
	pod_ended a 0
	pod_is a '.status.containerStatuses[0].state.terminated.reason' \
	    Completed
	cluster_end
}

cluster_test the_log_is_what_the_pod_printed \
    "both streams, to the last byte"
the_log_is_what_the_pod_printed_body() {
	cluster_begin
	pod_make a 'echo out; echo err >&2; printf unfinished'
	pod_reaches a Succeeded
	expect 0 "*" kubectl_ logs a
	grep -q '^out$' out || cluster_fail "standard output is missing"
	grep -q 'err$' out || cluster_fail "standard error is missing"
	grep -q unfinished out || cluster_fail "the unfinished line is missing"
	[ "$(wc -c <out)" -eq 18 ] || cluster_fail "there is more or less"
	cluster_end
}

cluster_test a_long_log_is_complete \
    "twenty thousand lines, in their order, though the pod ends after them"
# With runc and a containerd before 1.6.22 it is not: that stops reading when
# the process has ended.
a_long_log_is_complete_body() {
	cluster_begin
	pod_make a 'seq 20000'
	pod_reaches a Succeeded
	expect 0 "*" kubectl_ logs a
	seq 20000 | cmp - out >&2 || cluster_fail "the log is another"
	cluster_end
}

cluster_test the_exit_code_is_that_of_the_command \
    "42 makes a pod Failed, with that code"
the_exit_code_is_that_of_the_command_body() {
	cluster_begin
	pod_make a 'exit 42'
	pod_reaches a Failed
	pod_ended a 42
	pod_is a '.status.containerStatuses[0].state.terminated.reason' Error
	cluster_end
}

cluster_test a_missing_program_is_named_by_describe \
    "and so is what is wrong with it"
a_missing_program_is_named_by_describe_body() {
	cluster_begin
	pod_make a '' '.spec.containers[0].command = ["/no/such/program"]'
	pod_reaches a Failed
	expect 0 "*" kubectl_ describe pod a
	grep -Eqi '/no/such/program.*(no such file|not found)' out ||
	    cluster_fail "describe does not say what is missing"
	cluster_end
}

cluster_test two_containers_of_a_pod_run_side_by_side \
    "each with its own log, exec and exit code"
two_containers_of_a_pod_run_side_by_side_body() {
	cluster_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	pod_make a 'echo "I am $NAME"
	    until [ -e "/tmp/end-$NAME" ]; do sleep 0.05; done; exit "$CODE"' '
	    .spec.containers[0].env = [{name: "NAME", value: "one"},
		{name: "CODE", value: "3"}] |
	    .spec.containers += [.spec.containers[0] | .name = "other" |
		.env = [{name: "NAME", value: "two"},
		{name: "CODE", value: "4"}]]'
	expect 0 "*" kubectl_ wait --for condition=Ready pod/a \
	    --timeout "${REGRESS_SECONDS}s"
	expect 0 "I am one" kubectl_ logs a -c main
	expect 0 "I am two" kubectl_ logs a -c other
	expect 0 "" kubectl_ exec a -c main -- touch /tmp/end-one
	expect 0 "*" kubectl_ wait --timeout "${REGRESS_SECONDS}s" --for \
	    'jsonpath={.status.containerStatuses[?(@.name=="main")].state.terminated.exitCode}=3' \
	    pod/a
	# shellcheck disable=SC2016 # expanded there
	expect 0 two kubectl_ exec a -c other -- sh -c 'echo "$NAME"'
	expect 0 "" kubectl_ exec a -c other -- touch /tmp/end-two
	pod_reaches a Failed
	pod_is a '[.status.containerStatuses[] |
	    "\(.name)=\(.state.terminated.exitCode)"] | sort | join(" ")' \
	    "main=3 other=4"
	cluster_end
}

cluster_test an_init_container_runs_before_the_others \
    "it has ended when they start"
an_init_container_runs_before_the_others_body() {
	cluster_begin
	pod_make a 'cut -d " " -f 1 /proc/uptime' '.spec.initContainers =
	    [.spec.containers[0] | .name = "first" | .command[2] =
	    "sleep 0.3; cut -d \" \" -f 1 /proc/uptime"]'
	pod_reaches a Succeeded
	kubectl_ logs a -c first >out && kubectl_ logs a -c main >>out
	sort -n out | cmp -s - out && [ "$(wc -l <out)" -eq 2 ] ||
	    cluster_fail "the first to end was not the init container"
	cluster_end
}

cluster_test a_failed_init_container_keeps_the_others_from_running \
    "and its exit code is told"
a_failed_init_container_keeps_the_others_from_running_body() {
	cluster_begin
	pod_make a 'echo ran' '.spec.initContainers = [.spec.containers[0] |
	    .name = "first" | .command[2] = "exit 5"]'
	pod_reaches a Failed
	pod_is a '.status.initContainerStatuses[0].state.terminated.exitCode' 5
	pod_is a '.status.containerStatuses[0].started' false
	pod_is a '.status.containerStatuses[0].state | keys[0]' waiting
	cluster_end
}

cluster_test a_deleted_pod_is_gone_within_two_seconds \
    "when its command ends at SIGTERM"
a_deleted_pod_is_gone_within_two_seconds_body() {
	cluster_begin
	# One of three: kubelet looks once a second, and the machine is busy.
	for pod in a b c; do
		# A longer grace period, so that it is SIGTERM which ends it.
		pod_make $pod "$UNTIL_TERM" \
		    '.spec.terminationGracePeriodSeconds = 20'
		pod_says $pod ready
		pod_reaches $pod Running
		start=$(date +%s%N)
		expect 0 "*" kubectl_ delete pod $pod
		took=$((($(date +%s%N) - start) / 1000000))
		echo "deleted within $took ms"
		[ "$took" -gt 2000 ] || break
	done
	[ "$took" -le 2000 ] || cluster_fail "it took $took ms"
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
