# shellcheck shell=sh
# kubectl exec in a running pod.

. "$(atf_get_srcdir)/../lib/cluster.sh"

exec_begin() {
	cluster_begin
	pod_make a "$UNTIL_TERM"
	pod_reaches a Running
}

cluster_test exec_runs_in_the_pod \
    "it sees what the pod's command sees"
exec_runs_in_the_pod_body() {
	cluster_begin
	pod_make a "echo mine >/tmp/mark; $UNTIL_TERM" \
	    '.spec.containers[0].env = [{name: "WHO", value: "me"}]'
	pod_says a ready
	expect 0 "mine" kubectl_ exec a -- cat /tmp/mark
	# shellcheck disable=SC2016 # expanded there
	expect 0 "me" kubectl_ exec a -- sh -c 'echo "$WHO"'
	cluster_end
}

cluster_test exec_tells_output_and_errors_apart \
    "standard output and standard error are two streams"
exec_tells_output_and_errors_apart_body() {
	exec_begin
	expect 0 out kubectl_ exec a -- sh -c 'echo out; echo err >&2'
	grep -qx err err || cluster_fail "standard error is not err"
	cluster_end
}

cluster_test exec_ends_with_the_exit_code_of_its_command \
    "0 and 7, and the pod runs on"
exec_ends_with_the_exit_code_of_its_command_body() {
	exec_begin
	expect 0 "" kubectl_ exec a -- true
	expect 7 "" kubectl_ exec a -- sh -c 'exit 7'
	pod_is a .status.phase Running
	cluster_end
}

cluster_test exec_passes_its_standard_input \
    "to its last byte, and its end"
exec_passes_its_standard_input_body() {
	exec_begin
	seq 20000 >in
	kubectl_ exec -i a -- cat <in >out 2>err || cluster_fail "it fails"
	cmp in out >&2 || cluster_fail "something else comes back"
	cluster_end
}

cluster_test exec_of_a_missing_program_names_it \
    "and fails"
exec_of_a_missing_program_names_it_body() {
	exec_begin
	expect_refusal '/no/such/program.*(no such file|not found)' \
	    kubectl_ exec a -- /no/such/program
	pod_is a .status.phase Running
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
