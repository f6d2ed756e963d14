# shellcheck shell=sh
# Running a command of the host: its output, its exit code, its end.

. "$(atf_get_srcdir)/../lib/node.sh"

node_test a_command_of_the_host_prints_what_it_prints_on_the_host \
    "output of the host's own programs arrives"
a_command_of_the_host_prints_what_it_prints_on_the_host_body() {
	node_begin
	expect 0 "hello, node" task_run --rm a echo "hello, node"
	expect 0 "$(uname -r)" task_run --rm b uname -r
	expect 0 "$(sha256sum </bin/ls)" \
	    task_run --rm c sh -c 'sha256sum </bin/ls'
	node_end
}

node_test output_and_errors_arrive_apart \
    "standard output and standard error are two streams"
output_and_errors_arrive_apart_body() {
	node_begin
	expect 0 out task_run --rm a sh -c 'echo out; echo err >&2'
	# Newer versions of ctr have warnings of their own.
	[ "$(grep -v level=warning err)" = err ] ||
	    node_fail "standard error is not err"
	node_end
}

node_test exit_codes_are_those_of_the_command \
    "0, 1, 42 and 255 arrive as they are"
exit_codes_are_those_of_the_command_body() {
	node_begin
	for code in 0 1 42 255; do
		expect "$code" "" task_run --rm "e$code" sh -c "exit $code"
	done
	node_end
}

node_test a_signal_ends_with_128_and_its_number \
    "SIGKILL is 137, SIGTERM 143, SIGSEGV 139"
a_signal_ends_with_128_and_its_number_body() {
	node_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	for signal in 9 15 11; do
		expect $((128 + signal)) "" task_run --rm "s$signal" \
		    sh -c 'kill -$0 $$' "$signal"
	done
	node_end
}

node_test arguments_arrive_as_they_were_given \
    "empty ones, spaces, quotes, newlines, bytes beyond ASCII"
arguments_arrive_as_they_were_given_body() {
	node_begin
	newline='
'
	expect 0 "<><a b><\"q\"><\\><$newline><ä€>" task_run --rm a \
	    printf '<%s>' '' 'a b' '"q"' '\' "$newline" 'ä€'
	node_end
}

node_test nothing_is_left_of_a_task_that_ended \
    "processes, mounts, sockets, cgroups and files are as before"
nothing_is_left_of_a_task_that_ended_body() {
	node_begin
	task_run --rm warm true || atf_fail "true fails"
	leak_before
	for i in 1 2 3; do
		expect 0 "" task_run --rm "a$i" sh -c 'sleep 1000 & true'
	done
	leak_after || atf_fail "something was left"
	node_end
}

node_test ten_tasks_run_at_the_same_time \
    "each with its own output and exit code"
ten_tasks_run_at_the_same_time_body() {
	node_begin
	task_run --rm warm true || atf_fail "true fails"
	leak_before
	# shellcheck disable=SC2016 # the workload's shell expands it
	together_run task_run --rm a 'echo $0; read -r line; exit $0'
	leak_after || atf_fail "something was left"
	node_end
}

atf_init_test_cases() {
	node_add
}
