# shellcheck shell=sh
# Events: each comes once, in order.

. "$(atf_get_srcdir)/../lib/node.sh"

# events_of ID: the topics of a task's events, with the id of the process for
# exits of execs, in their order.
events_of() {
	awk -v id="$1" '
	{
		for (i = 1; i <= NF && $i !~ /^\/tasks\//; i++)
			continue
		if (i > NF || $0 !~ "\"container_id\":\"" id "\"")
			next
		topic = $i
		sub("/tasks/", "", topic)
		exec = ""
		if (match($0, /"exec_id":"[^"]*"/))
			exec = substr($0, RSTART + 11, RLENGTH - 12)
		else if (topic == "exit" && match($0, /"id":"[^"]*"/))
			exec = substr($0, RSTART + 6, RLENGTH - 7)
		print topic (exec == "" || exec == id ? "" : " " exec)
	}' events | tr '\n' ',' | sed 's/,$//'
}

events_have() {
	grep -q "/tasks/$1" events
}

node_test a_task_announces_create_start_exit_and_delete \
    "in this order and no other event"
a_task_announces_create_start_exit_and_delete_body() {
	node_begin
	events_begin
	expect 3 "" task_run --rm a sh -c 'exit 3'
	until_true 10 events_have delete || atf_fail "no delete"
	found=$(events_of a)
	[ "$found" = create,start,exit,delete ] || atf_fail "events: $found"
	grep -q '/tasks/exit.*"exit_status":3' events ||
	    atf_fail "no status in the exit"
	node_end
}

node_test an_exec_announces_added_started_and_exit \
    "between the start and the exit of its task"
an_exec_announces_added_started_and_exit_body() {
	node_begin
	events_begin
	expect 0 "*" task_run -d a sleep 1000
	expect 7 "" task_exec a x1 sh -c 'exit 7'
	expect 0 "" ctr_ task kill --signal SIGKILL a
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	expect_removed a 137
	until_true 10 events_have delete || atf_fail "no delete"
	found=$(events_of a)
	want="create,start,exec-added x1,exec-started x1,exit x1,exit,delete"
	[ "$found" = "$want" ] || atf_fail "events: $found"
	grep -q '/tasks/exit.*"exit_status":7' events ||
	    atf_fail "no status in the exit of the exec"
	node_end
}

node_test exits_of_execs_come_before_the_exit_of_their_task \
    "when the task's end is what ends them"
exits_of_execs_come_before_the_exit_of_their_task_body() {
	node_begin
	events_begin
	expect 0 "*" task_run -d a sleep 1000
	for i in 1 2 3; do
		expect 0 "*" ctr_ task exec --detach \
		    --fifo-dir "$REGRESS_DIR/fifo" --exec-id "x$i" a sleep 1000
	done
	expect 0 "" ctr_ task kill --signal SIGKILL a
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	expect_removed a 137
	until_true 10 events_have delete || atf_fail "no delete"
	found=$(events_of a | sed 's/.*exec-started x3,//' | tr ',' '\n')
	[ "$(echo "$found" | head -n 3 | sort | tr '\n' ,)" = \
	    "exit x1,exit x2,exit x3," ] &&
	    [ "$(echo "$found" | tail -n 2 | tr '\n' ,)" = exit,delete, ] ||
	    atf_fail "events: $found"
	node_end
}

# events_are ID LIST: for until_true.
events_are() {
	[ "$(events_of "$1")" = "$2" ]
}

node_test start_comes_before_the_exit_of_a_task_that_ends_at_once \
    "twenty times in a row"
start_comes_before_the_exit_of_a_task_that_ends_at_once_body() {
	node_begin
	events_begin
	i=0
	while [ "$((i += 1))" -le 20 ]; do
		expect 0 "" task_run --rm "t$i" true
	done
	for i in $(seq 20); do
		until_true 5 events_are "t$i" create,start,exit,delete ||
		    atf_fail "events of t$i: $(events_of "t$i")"
	done
	node_end
}

node_test a_sandbox_announces_what_any_task_does \
    "Killed as CRI does it: 137"
a_sandbox_announces_what_any_task_does_body() {
	node_begin
	events_begin
	expect 0 "*" task_run --annotation=io.kubernetes.cri.sandbox-id=p \
	    --annotation=io.kubernetes.cri.sandbox-namespace=default \
	    --annotation=io.kubernetes.cri.container-type=sandbox \
	    -d p /pause
	expect 0 "" ctr_ task kill --signal SIGKILL p
	until_true 10 task_is p STOPPED || node_fail "it lives on"
	expect_removed p 137
	until_true 5 events_are p create,start,exit,delete ||
	    atf_fail "events: $(events_of p)"
	grep -q '/tasks/exit.*"exit_status":137' events ||
	    atf_fail "no status in the exit"
	node_end
}

atf_init_test_cases() {
	node_add
}
