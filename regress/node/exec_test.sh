# shellcheck shell=sh
# Exec: another command in a running task.

. "$(atf_get_srcdir)/../lib/node.sh"

node_test an_exec_has_its_own_output_and_exit_code \
    "and the task goes on"
an_exec_has_its_own_output_and_exit_code_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	expect 0 "from exec" task_exec a e1 echo "from exec"
	expect 7 "" task_exec a e2 sh -c 'exit 7'
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 143 "" task_exec a e3 sh -c 'kill -15 $$'
	task_is a RUNNING || node_fail "the task has ended"
	node_end
}

node_test an_exec_is_where_the_task_is \
    "same files, same processes, same identity, same environment"
an_exec_is_where_the_task_is_body() {
	node_begin
	expect 0 "*" task_run --env=WHO=task --cwd=/usr -d a \
	    sh -c 'echo here >/tmp/regress.a; exec sleep 4321'
	until_true 10 task_exec a e0 test -s /tmp/regress.a ||
	    node_fail "the task's file does not come"
	expect 0 here task_exec a e1 cat /tmp/regress.a
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "task /usr" task_exec a e2 sh -c 'echo "$WHO $(pwd)"'
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 found task_exec a e3 sh -c '
		for p in /proc/[0-9]*; do
			tr "\0" " " <"$p/cmdline" 2>/dev/null |
			    grep -q "^sleep 4321" && echo found
		done
		exit 0'
	expect 0 "$(task_exec a e4 grep -E '^(Uid|Cap|NoNew)' \
	    /proc/self/status)" task_exec a e5 sh -c \
	    'grep -E "^(Uid|Cap|NoNew)" /proc/1/status >/dev/null
		grep -E "^(Uid|Cap|NoNew)" /proc/self/status'
	node_end
}

node_test an_exec_can_signal_the_task \
    "as kubectl exec -- kill does"
an_exec_can_signal_the_task_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 4321
	# The exec ends with its task.
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect "*" "" task_exec a e sh -c '
		for p in /proc/[0-9]*; do
			tr "\0" " " <"$p/cmdline" 2>/dev/null |
			    grep -q "^sleep 4321" && kill -9 "${p#/proc/}"
		done
		exit 0'
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	expect_removed a 137
	node_end
}

node_test ten_execs_run_at_the_same_time \
    "each with its own output and exit code"
ten_execs_run_at_the_same_time_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	# shellcheck disable=SC2016 # the workload's shell expands it
	together_run task_exec a e 'echo $0; read -r line; exit $0'
	node_end
}

node_test an_exec_of_a_missing_program_says_so \
    "and leaves the task alone"
an_exec_of_a_missing_program_says_so_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	expect_refusal "no such file" task_exec a e1 /no/such/program
	expect_refusal "no such file|not found" task_exec a e2 no-such-program
	expect_refusal "permission denied" task_exec a e3 /etc/passwd
	expect 0 "still here" task_exec a e4 echo "still here"
	node_end
}

node_test an_id_of_an_exec_is_used_once_at_a_time \
    "a second exec of the same id is refused, a later one is not"
an_id_of_an_exec_is_used_once_at_a_time_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	expect 0 "*" ctr_ task exec --detach --fifo-dir "$REGRESS_DIR/fifo" \
	    --exec-id twice a sleep 1000
	expect_refusal "exists" task_exec a twice true
	expect 0 "" task_exec a once true
	expect 0 "" task_exec a once true
	node_end
}

node_test execs_end_with_their_task \
    "their processes die and their waiters hear of it"
execs_end_with_their_task_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	task_exec a e sleep 4321 >exec.out 2>&1 &
	exec_pid=$!
	until_true 10 runs sleep 4321 || node_fail "the exec does not run"
	expect 0 "" ctr_ task kill --signal SIGKILL a
	wait "$exec_pid"
	code=$?
	[ "$code" -eq 137 ] || node_fail "the exec ended with $code"
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	! runs sleep 4321 || node_fail "the exec's process lives on"
	node_end
}

node_test a_stopped_task_takes_no_exec \
    "it is refused with words"
a_stopped_task_takes_no_exec_body() {
	node_begin
	expect 0 "*" task_run -d a true
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	expect_refusal "." task_exec a e true
	node_end
}

atf_init_test_cases() {
	node_add
}
