# shellcheck shell=sh
# The life of a task: create, start, kill, delete, and what is said of it.

. "$(atf_get_srcdir)/../lib/node.sh"

node_test kill_sends_the_signal_that_was_named \
    "a task that handles SIGTERM does; SIGKILL it cannot"
kill_sends_the_signal_that_was_named_body() {
	node_begin
	expect 0 "*" task_run -d a sh -c \
	    'trap "exit 5" TERM; : >/tmp/ready; while :; do sleep 0.05; done'
	until_true 10 task_exec a e test -e /tmp/ready || node_fail "no trap"
	expect 0 "" ctr_ task kill --signal SIGTERM a
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	expect_removed a 5
	expect 0 "*" task_run -d b sleep 1000
	expect 0 "" ctr_ task kill --signal SIGKILL b
	until_true 10 task_is b STOPPED || node_fail "the task runs on"
	expect_removed b 137
	node_end
}

node_test kill_of_a_stopped_task_is_refused \
    "the process has already finished"
kill_of_a_stopped_task_is_refused_body() {
	node_begin
	expect 0 "*" task_run -d a true
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	expect_refusal "not found|finished" ctr_ task kill a
	node_end
}

node_test a_running_task_is_not_deleted \
    "and runs on"
a_running_task_is_not_deleted_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	expect_refusal "." ctr_ task rm a
	task_is a RUNNING || node_fail "it has ended"
	expect 0 alive task_exec a e echo alive
	node_end
}

node_test the_list_of_tasks_tells_pid_and_state \
    "ctr task ls and ctr task ps name the workload's process"
the_list_of_tasks_tells_pid_and_state_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 4321
	expect 0 "*" task_run -d b true
	until_true 10 task_is b STOPPED || node_fail "b runs on"
	expect 0 "*" ctr_ task ls
	[ "$(awk '$1 == "a" { print $3 }' out)" = RUNNING ] ||
	    node_fail "a does not run"
	pid=$(awk '$1 == "a" { print $2 }' out)
	[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleep 4321 " ] ||
	    node_fail "the pid of a is not its process"
	expect 0 "*" ctr_ task ps a
	grep -q "^$pid\\b" out || node_fail "ps does not list it"
	node_end
}

# With a socket of its own: ctr cannot leave a task created.
created_begin() {
	shim_begin c1 sh -c 'echo ran >/etc/regress.ran'
	bundle=$BUNDLE
}

created_end() {
	expect 0 "" peer Shutdown 1=c1
	shim_gone "$bundle" c1
	node_end
}

node_test a_created_task_has_a_process_but_has_not_run \
    "until start releases it"
a_created_task_has_a_process_but_has_not_run_body() {
	created_begin
	expect 0 "*" peer Create 1=c1 "2=$bundle"
	pid=$(sed -n 's/^1=//p' out)
	is_alive "$pid" || node_fail "there is no process $pid"
	expect 0 "*" peer State 1=c1
	grep -q '^4=1$' out || node_fail "the state is not created"
	[ ! -e "/proc/$pid/root/etc/regress.ran" ] || node_fail "it ran"
	expect 0 "1=$pid" peer Start 1=c1
	expect 0 "*" peer Wait 1=c1
	! grep -q '^1=' out || node_fail "the status is not 0"
	expect 0 "*" peer Delete 1=c1
	created_end
}

node_test a_created_task_can_be_killed_and_deleted \
    "it never runs; its status is 137"
a_created_task_can_be_killed_and_deleted_body() {
	created_begin
	expect 0 "*" peer Create 1=c1 "2=$bundle"
	expect 0 "" peer Kill 1=c1 3:9
	expect 0 "*" peer Wait 1=c1
	grep -q '^1=137$' out || node_fail "the status is not 137"
	expect 0 "*" peer State 1=c1
	grep -q '^4=3$' out || node_fail "the state is not stopped"
	expect 1 "*" peer Start 1=c1
	expect 0 "*" peer Delete 1=c1
	grep -q '^2=137$' out || node_fail "the status is not 137"
	expect 1 "*" peer State 1=c1
	grep -q '^error 5 ' out || node_fail "it is not NotFound"
	created_end
}

node_test calls_that_are_not_there_are_unimplemented \
    "checkpoint, unknown methods: status 12"
calls_that_are_not_there_are_unimplemented_body() {
	created_begin
	expect 0 "*" peer Create 1=c1 "2=$bundle"
	for method in Checkpoint NoSuchMethod; do
		expect 1 "*" peer "$method" 1=c1
		grep -q '^error 12 ' out || node_fail "$method"
	done
	expect 0 "" peer Kill 1=c1 3:9
	expect 0 "*" peer Wait 1=c1
	expect 0 "*" peer Delete 1=c1
	created_end
}

node_test unknown_ids_are_not_found \
    "in every call that names one"
unknown_ids_are_not_found_body() {
	created_begin
	for method in State Start Wait Kill Delete Pids Exec CloseIO; do
		expect 1 "*" peer "$method" 1=nobody 2=e
		grep -Eq '^error (5|9) ' out || node_fail "$method"
	done
	created_end
}

atf_init_test_cases() {
	node_add
}
