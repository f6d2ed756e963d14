# shellcheck shell=sh
# How processes end: the exact status and time, in every place that tells them,
# and nothing of them is left.

. "$(atf_get_srcdir)/../lib/node.sh"

# nanoseconds TIMESTAMP: of a message that was printed.
nanoseconds() {
	echo "$1" | tr -d '{}' | tr ';' '\n' | awk -F = '
	$1 == 1 { seconds = $2 }
	$1 == 2 { more = $2 }
	END { printf "%d%09d\n", seconds, more }'
}

# exit_event ID: status and nanoseconds in /tasks/exit of a process.
exit_event() {
	grep "/tasks/exit.*\"id\":\"$1\"" events |
	    sed 's/.*\/tasks\/exit //' | jq -r '"\(.exit_status) " +
	    (.exited_at | if type == "object" then "@\(.seconds).\(.nanos +
	    1000000000 | tostring | .[1:])" else . end)' |
	    while read -r _status _at; do
		    echo "$_status $(date -d "$_at" +%s%N)"
	    done
}

# waiter NAME [FIELD...]: a Wait that has reached the shim.
waiter() {
	_name=$1
	shift
	peer Wait "$@" >"wait.$_name" 2>"called.$_name" &
	until_true 10 grep -q called "called.$_name" ||
	    node_fail "Wait is not sent"
	# The answer to a later call shows that it has been read.
	expect 0 "*" peer State "$@"
}

# waiter_hears NAME ANSWER: it is told this.
waiter_hears() {
	until_true 10 [ -s "wait.$1" ] || node_fail "waiter $1 is not answered"
	[ "$(cat "wait.$1")" = "$2" ] ||
	    node_fail "waiter $1: $(cat "wait.$1")"
}

node_test an_end_is_told_the_same_everywhere \
    "To who waits before and after, to State, Delete and events"
an_end_is_told_the_same_everywhere_body() {
	node_begin
	events_begin
	expect 0 "*" task_run -d a sh -c 'trap "exit 42" TERM
	    : >/tmp/ready; while :; do sleep 0.05; done'
	peer_to a
	until_true 10 task_exec a e test -e /tmp/ready || node_fail "no trap"
	for n in $(seq 20); do
		waiter "$n" 1=a
	done
	before=$(date +%s%N)
	expect 0 "" peer Kill 1=a 3:15
	until_true 10 task_is a STOPPED || node_fail "it runs on"
	after=$(date +%s%N)
	expect 0 "*" peer Wait 1=a
	[ "$(field 1)" = 42 ] || node_fail "not 42"
	at=$(field 2)
	for n in $(seq 20); do
		waiter_hears "$n" "$(cat out)"
	done
	[ "$(nanoseconds "$at")" -gt "$before" ] &&
	    [ "$(nanoseconds "$at")" -lt "$after" ] ||
	    node_fail "$at is not between $before and $after"
	expect 0 "*" peer State 1=a
	[ "$(field 9)" = 42 ] && [ "$(field 10)" = "$at" ] ||
	    node_fail "State tells another end"
	until_true 10 grep -q '/tasks/exit.*"id":"a"' events ||
	    node_fail "no event"
	event=$(exit_event a)
	[ "$event" = "42 $(nanoseconds "$at")" ] ||
	    node_fail "the event tells another end: $event"
	expect_removed a 42
	node_end
}

node_test the_end_of_an_exec_is_told_the_same_everywhere \
    "To who waits before its start, while it runs and after its end"
the_end_of_an_exec_is_told_the_same_everywhere_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	peer_to a
	expect 0 "" peer Exec 1=a 2=x "$(exec_spec . sleep 4321)"
	expect 1 "error 9 the exec was not started" peer Kill 1=a 2=x 3:15
	waiter 1 1=a 2=x
	expect 0 "*" peer Start 1=a 2=x
	pid=$(field 1)
	until_true 10 runs sleep 4321 || node_fail "it does not run"
	waiter 2 1=a 2=x
	expect 0 "" peer Kill 1=a 2=x 3:15
	expect 0 "*" peer Wait 1=a 2=x
	[ "$(field 1)" = 143 ] || node_fail "not 143"
	at=$(field 2)
	waiter_hears 1 "$(cat out)"
	waiter_hears 2 "$(cat out)"
	expect 1 "error 5 process already finished" peer Kill 1=a 2=x 3:15
	expect 0 "*" peer State 1=a 2=x
	[ "$(field 3) $(field 4) $(field 9) $(field 10)" = \
	    "$pid 3 143 $at" ] || node_fail "State tells another end"
	expect 0 "*" peer Delete 1=a 2=x
	[ "$(field 1) $(field 2) $(field 3)" = "$pid 143 $at" ] ||
	    node_fail "Delete tells another end"
	expect 1 "*" peer Wait 1=a 2=x
	grep -q '^error 5 ' out || node_fail "it is not NotFound"
	task_is a RUNNING || node_fail "the task has ended"
	node_end
}

node_test every_deadly_signal_ends_with_128_and_its_number \
    "Also SIGHUP, and those from 34 to 64"
every_deadly_signal_ends_with_128_and_its_number_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	# shellcheck disable=SC2016 # the workload's shell expands it
	for signal in 1 2 3 6 8 10 13 14 24 31 34 64; do
		expect $((128 + signal)) "" task_exec a "x$signal" \
		    sh -c 'kill -$0 $$' "$signal"
	done
	expect 129 "" task_run --rm b sh -c "kill -1 \$\$"
	node_end
}

node_test a_core_dump_changes_no_status \
    "SIGABRT is 134 and SIGSEGV 139, though cores may be written"
a_core_dump_changes_no_status_body() {
	node_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	for signal in 6 11; do
		expect $((128 + signal)) "" spec_run "a$signal" \
		    '.process.cwd = "/tmp" | .process.rlimits = [ {
		    type: "RLIMIT_CORE", soft: 1048576, hard: 1048576 } ]' \
		    sh -c 'kill -$0 $$' "$signal"
	done
	node_end
}

node_test to_be_stopped_and_continued_is_no_end \
    "Of a task and of an exec; nobody who waits is told"
to_be_stopped_and_continued_is_no_end_body() {
	node_begin
	events_begin
	expect 0 "*" task_run -d a sleep 1000
	peer_to a
	expect 0 "" peer Exec 1=a 2=x "$(exec_spec . sleep 1000)"
	expect 0 "*" peer Start 1=a 2=x
	expect 0 "*" peer State 1=a 2=x
	exec_pid=$(field 3)
	expect 0 "*" peer State 1=a
	pid=$(field 3)
	waiter 1 1=a
	waiter 2 1=a 2=x
	for round in 1 2 3; do
		expect 0 "" peer Kill 1=a 3:19
		expect 0 "" peer Kill 1=a 2=x 3:19
		until_true 10 is_stopped "$pid" || node_fail "a goes on"
		until_true 10 is_stopped "$exec_pid" || node_fail "x goes on"
		expect 0 "*" peer State 1=a
		[ "$(field 4)" = 2 ] || node_fail "round $round: a is not running"
		expect 0 "*" peer State 1=a 2=x
		[ "$(field 4)" = 2 ] || node_fail "round $round: x is not running"
		expect 0 "" peer Kill 1=a 3:18
		expect 0 "" peer Kill 1=a 2=x 3:18
		until_true 10 not is_stopped "$pid" || node_fail "a stays"
		until_true 10 not is_stopped "$exec_pid" || node_fail "x stays"
	done
	cat wait.1 wait.2 >waits
	[ ! -s waits ] || node_fail "somebody was told: $(cat waits)"
	# What was stopped can be killed.
	expect 0 "" peer Kill 1=a 3:19
	expect 0 "" peer Kill 1=a 3:9
	until_true 10 task_is a STOPPED || node_fail "it outlives SIGKILL"
	expect_removed a 137
	until_true 10 grep -q '/tasks/delete' events || node_fail "no delete"
	[ "$(grep -c '/tasks/exit' events)" -eq 2 ] ||
	    node_fail "not two exits: $(grep '/tasks/exit' events)"
	node_end
}

node_test a_status_is_that_of_the_command_though_daemons_remain \
    "Double fork and setsid; in a pid namespace of its own and in the node's"
a_status_is_that_of_the_command_though_daemons_remain_body() {
	node_begin
	for filter in . 'del(.linux.namespaces[] | select(.type == "pid"))'; do
		# The others would end with 9, later.
		expect 6 "" spec_run a "$filter" sh -c '
			(setsid sh -c "sleep 4321; exit 9" &)
			setsid sh -c "(sleep 5432; exit 9) &"
			exit 6' </dev/null
		until_true 5 not runs sleep 4321 || node_fail "one lives on"
		until_true 5 not runs sleep 5432 || node_fail "one lives on"
	done
	node_end
}

node_test a_daemon_of_an_exec_outlives_the_exec_but_not_the_task \
    "As it does with runc"
a_daemon_of_an_exec_outlives_the_exec_but_not_the_task_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	expect 4 "" task_exec a x sh -c '
		setsid sh -c "sleep 4321 &" </dev/null >/dev/null 2>&1
		exit 4'
	runs sleep 4321 || node_fail "it ended with the exec"
	expect 0 "" ctr_ task kill --signal SIGKILL a
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	! runs sleep 4321 || node_fail "it outlives the task"
	node_end
}

node_test an_exec_that_ends_with_its_task_is_told_before_it \
    "Of each of ten: the waiter, and the time"
an_exec_that_ends_with_its_task_is_told_before_it_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	peer_to a
	for n in $(seq 10); do
		expect 0 "" peer Exec 1=a "2=x$n" "$(exec_spec . sleep 1000)"
		expect 0 "*" peer Start 1=a "2=x$n"
		waiter "$n" 1=a "2=x$n"
	done
	expect 0 "" peer Kill 1=a 3:9
	expect 0 "*" peer Wait 1=a
	# Whoever hears of the task finds that all of its execs have stopped.
	for n in $(seq 10); do
		expect 0 "*" peer State 1=a "2=x$n"
		[ "$(field 4) $(field 9)" = "3 137" ] || node_fail "of x$n"
		at=$(field 10)
		waiter_hears "$n" "1=137
2=$at"
	done
	expect 1 "*" peer Exec 1=a 2=late "$(exec_spec . true)"
	grep -q '^error 9 ' out || node_fail "it is not FailedPrecondition"
	node_end
}

# zombies: any at all, but for what the test's own shell has not reaped.
zombies() {
	ps -e -o pid=,ppid=,stat=,comm= | awk -v mine=$$ \
	    '$3 ~ /^Z/ && $2 != mine'
}

no_zombies() {
	[ -z "$(zombies)" ]
}

node_test no_life_leaves_a_zombie \
    "While the pod lives on: of all our processes, none is one"
no_life_leaves_a_zombie_body() {
	node_begin
	_a=io.kubernetes.cri
	for type in sandbox container; do
		expect 0 "*" task_run -d --annotation="$_a.sandbox-id=sandbox" \
		    --annotation="$_a.sandbox-namespace=default" \
		    --annotation="$_a.container-type=$type" "$type" sleep 1000
	done
	# What lives in the node's pid namespace leaves its orphans to the helper.
	spec_make host.json 'del(.linux.namespaces[] | select(.type == "pid")) |
	    .annotations = {"io.kubernetes.cri.sandbox-id": "sandbox",
	    "io.kubernetes.cri.sandbox-namespace": "default",
	    "io.kubernetes.cri.container-type": "container"}' \
	    sleep 1000
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" \
	    --fifo-dir "$REGRESS_DIR/fifo" --config host.json host
	[ "$(shim_pid | wc -l)" -eq 1 ] || node_fail "more than one shim"
	# shellcheck disable=SC2016 # the workload's shell expands it
	for id in container host; do
		for n in 1 2 3 4 5; do
			expect 0 "" task_exec "$id" ok true
			expect 3 "" task_exec "$id" fails sh -c 'exit 3'
			expect 139 "" task_exec "$id" dies sh -c 'kill -11 $$'
			expect 0 "" task_exec "$id" orphans sh -c '
				for i in 1 2 3; do (sleep 0.01 &); done
				setsid sh -c "true &" &'
			expect_refusal "no such file" task_exec "$id" missing /no
			expect_refusal "." task_run --rm \
			    --annotation="$_a.sandbox-id=sandbox" \
			    --annotation="$_a.sandbox-namespace=default" \
			    --annotation="$_a.container-type=container" \
			    missing /no/such/program
			expect 5 "" task_run --rm \
			    --annotation="$_a.sandbox-id=sandbox" \
			    --annotation="$_a.sandbox-namespace=default" \
			    --annotation="$_a.container-type=container" \
			    short sh -c 'sleep 1000 & (sleep 1000 &) ; exit 5'
		done
	done
	until_true 5 no_zombies || node_fail "there are: $(zombies)"
	for id in sandbox container host; do
		task_is "$id" RUNNING || node_fail "$id has ended"
		task_end "$id"
	done
	until_true 5 no_zombies || node_fail "there are: $(zombies)"
	node_end
}

# one_lives_one_has_ended: of a group: a runs, b has ended with 3.
one_lives_one_has_ended() {
	node_begin
	events_begin
	_group=--annotation=io.containerd.runc.v2.group=g
	expect 0 "*" task_run -d "$_group" a sleep 4321
	expect 0 "*" task_run -d "$_group" b sh -c 'exit 3'
	until_true 10 task_is b STOPPED || node_fail "b runs on"
	until_true 10 grep -q '/tasks/exit.*"id":"b"' events ||
	    node_fail "no event of b"
	peer_to b
	expect 0 "*" peer Wait 1=b
	AT=$(nanoseconds "$(field 2)")
}

deleted() {
	[ "$(grep -c '/tasks/delete' events)" -eq 2 ]
}

# told_after_death: a was killed, and this was told once; b has ended with 3,
# whoever tells it.
told_after_death() {
	until_true 10 deleted || node_fail "containerd tells of no end"
	grep -q '/tasks/exit.*"id":"a"' events || node_fail "no exit of a"
	[ "$(grep -c '/tasks/exit.*"id":"a"' events)" -eq 1 ] ||
	    node_fail "told twice: $(grep '/tasks/exit' events)"
	grep '/tasks/exit.*"id":"a"' events | grep -q '"exit_status":137' ||
	    node_fail "a was not killed: $(grep '/tasks/exit' events)"
	exit_event b >told
	! grep -vx "3 $AT" told || node_fail "another end of b: $(cat told)"
	[ -s told ] || node_fail "no exit of b"
	grep '/tasks/delete.*"b"' events | grep -q '"exit_status":3' ||
	    node_fail "another end of b: $(grep '/tasks/delete' events)"
	until_true 10 not runs sleep 4321 || node_fail "a lives on"
	node_end
}

node_test when_the_helper_is_killed_what_had_ended_keeps_its_end \
    "What ran was killed: 137, once"
when_the_helper_is_killed_what_had_ended_keeps_its_end_body() {
	one_lives_one_has_ended
	waiter 1 1=a
	before=$(date +%s%N)
	kill -9 "$(helper_pid)"
	until_true 10 [ -s wait.1 ] || node_fail "the waiter is not answered"
	cp wait.1 out
	[ "$(field 1)" = 137 ] || node_fail "not 137"
	[ "$(nanoseconds "$(field 2)")" -ge "$before" ] ||
	    node_fail "before it was seen"
	told_after_death
}

node_test when_the_shim_is_killed_what_had_ended_keeps_its_end \
    "What ran is killed: 137, once, and with its pid"
when_the_shim_is_killed_what_had_ended_keeps_its_end_body() {
	one_lives_one_has_ended
	expect 0 "*" peer State 1=a
	pid=$(field 3)
	kill -9 "$(shim_pid)"
	until_true 10 deleted || node_fail "containerd tells of no end"
	grep '/tasks/exit.*"id":"a"' events | grep -q "\"pid\":$pid,"  ||
	    node_fail "another process: $(grep '/tasks/exit' events)"
	told_after_death
}

node_test when_shim_and_helper_are_killed_what_had_ended_keeps_its_end \
    "containerd's call of delete knows it"
when_shim_and_helper_are_killed_what_had_ended_keeps_its_end_body() {
	one_lives_one_has_ended
	kill -9 "$(shim_pid)" "$(helper_pid)"
	told_after_death
}

# delete_says STATUS: containerd's call of delete for c1 answers with it.
delete_says() {
	expect 0 "*" shim_do "$BUNDLE" delete c1
	# Field 2 of a DeleteResponse, a varint.
	od -An -v -tx1 out | tr -d ' \n' >bytes
	grep -q "10$1" bytes || node_fail "another status: $(cat bytes)"
}

node_test an_end_is_not_that_of_an_earlier_container_of_the_same_name \
    "Shim and helper are killed twice, and delete is called once, late"
an_end_is_not_that_of_an_earlier_container_of_the_same_name_body() {
	shim_begin c1 sh -c 'exit 3'
	expect 0 "*" peer Create 1=c1 "2=$BUNDLE"
	expect 0 "*" peer Start 1=c1
	expect 0 "*" peer Wait 1=c1
	kill -9 "$(helper_pid)" "$(shim_pid)"
	spec_make "$BUNDLE/config.json" . sleep 1000
	# shellcheck disable=SC2034 # for peer
	SOCKET=$(shim_do "$BUNDLE" start c1) || node_fail "no second start"
	expect 0 "*" peer Create 1=c1 "2=$BUNDLE"
	expect 0 "*" peer Start 1=c1
	kill -9 "$(helper_pid)" "$(shim_pid)"
	delete_says 8901
	# And once more, as containerd may: nothing is known any more.
	delete_says 8901
	node_end
}

atf_init_test_cases() {
	node_add
}
