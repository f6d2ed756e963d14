# shellcheck shell=sh
# The Task service: what each call answers, also to those who call at the wrong
# time.

. "$(atf_get_srcdir)/../lib/node.sh"

# refused CODE METHOD FIELD...: the call fails with this code.
refused() {
	_wanted=$1
	shift
	expect 1 "*" peer "$@"
	grep -q "^error $_wanted " out || node_fail "not code $_wanted: $*"
}

task_create() {
	expect 0 "*" peer Create 1=c1 "2=$BUNDLE"
	PID=$(field 1)
}

task_finish() {
	expect 0 "" peer Shutdown 1=c1
	shim_gone "$BUNDLE" c1
	node_end
}

task_remove() {
	expect 0 "" peer Kill 1=c1 3:9
	expect 0 "*" peer Wait 1=c1
	expect 0 "*" peer Delete 1=c1
	task_finish
}

node_test calls_at_the_wrong_time_are_refused_by_their_codes \
    "AlreadyExists, FailedPrecondition, NotFound, Unimplemented"
calls_at_the_wrong_time_are_refused_by_their_codes_body() {
	shim_begin c1 sleep 1000
	refused 12 Create 1=c1 "2=$BUNDLE" 8=/checkpoint
	task_create
	refused 6 Create 1=c1 "2=$BUNDLE"
	refused 9 Exec 1=c1 2=x "$(exec_spec . true)"
	expect 0 "1=$PID" peer Start 1=c1
	refused 9 Start 1=c1
	refused 9 Delete 1=c1
	expect 0 "" peer Exec 1=c1 2=x "$(exec_spec . sleep 1000)"
	refused 6 Exec 1=c1 2=x "$(exec_spec . sleep 1000)"
	refused 9 Kill 1=c1 2=x 3:9
	expect 0 "*" peer Start 1=c1 2=x
	refused 9 Start 1=c1 2=x
	refused 9 Delete 1=c1 2=x
	refused 5 Start 1=c1 2=y
	refused 5 Kill 1=c1 2=y 3:9
	refused 5 ResizePty 1=c1 2=y 3:80 4:25
	refused 5 CloseIO 1=c1 2=y 3:1
	refused 5 Wait 1=c1 2=y
	refused 12 Checkpoint 1=c1
	expect 0 "" peer Kill 1=c1 3:9
	expect 0 "*" peer Wait 1=c1
	refused 9 Start 1=c1
	refused 5 Kill 1=c1 3:9
	refused 5 Kill 1=c1 3:0
	refused 5 Kill 1=c1 3:9 4:1
	refused 9 Exec 1=c1 2=z "$(exec_spec . true)"
	expect 0 "*" peer Delete 1=c1
	refused 5 Delete 1=c1
	refused 5 Delete 1=c1 2=x
	refused 5 Wait 1=c1
	task_finish
}

node_test an_exec_that_was_not_started_can_be_deleted \
    "And its name is free again"
an_exec_that_was_not_started_can_be_deleted_body() {
	shim_begin c1 sleep 1000
	task_create
	expect 0 "*" peer Start 1=c1
	for round in 1 2; do
		expect 0 "" peer Exec 1=c1 2=x "$(exec_spec . true)"
		expect 0 "*" peer State 1=c1 2=x
		[ "$(field 4) $(field 11)" = "1 x" ] || node_fail "round $round"
		expect 0 "" peer Delete 1=c1 2=x
		refused 5 State 1=c1 2=x
	done
	task_remove
}

node_test connect_answers_for_any_id \
    "It is how containerd asks whether the shim is there"
connect_answers_for_any_id_body() {
	shim_begin c1 sleep 1000
	shim=$(shim_pid)
	expect 0 "1=$shim" peer Connect 1=c1
	task_create
	expect 0 "1=$shim
2=$PID" peer Connect 1=c1
	expect 0 "1=$shim" peer Connect 1=nobody
	task_remove
}

node_test pids_are_told_with_the_names_of_execs \
    "And never none: containerd takes a task without for a leak"
pids_are_told_with_the_names_of_execs_body() {
	shim_begin c1 sleep 1000
	task_create
	expect 0 "1={1=$PID;}" peer Pids 1=c1
	expect 0 "*" peer Start 1=c1
	for exec in x y; do
		expect 0 "" peer Exec 1=c1 "2=$exec" "$(exec_spec . sleep 1000)"
	done
	expect 0 "1={1=$PID;}" peer Pids 1=c1
	expect 0 "*" peer Start 1=c1 2=x
	exec=$(field 1)
	expect 0 "1={1=$PID;}
1={1=$exec;2={1=containerd.runc.v1.ProcessDetails;2={1=x;};};}" peer Pids 1=c1
	expect 0 "" peer Kill 1=c1 2=x 3:9
	expect 0 "*" peer Wait 1=c1 2=x
	expect 0 "1={1=$PID;}" peer Pids 1=c1
	expect 0 "" peer Kill 1=c1 3:9
	expect 0 "*" peer Wait 1=c1
	expect 0 "1={1=$PID;}" peer Pids 1=c1
	expect 0 "*" peer Delete 1=c1
	refused 5 Pids 1=c1
	task_finish
}

node_test a_signal_for_all_reaches_execs_and_another_does_not \
    "The task itself catches it"
a_signal_for_all_reaches_execs_and_another_does_not_body() {
	shim_begin c1 sh -c 'trap "echo x >>/tmp/caught" TERM
	    : >/tmp/ready; while :; do sleep 0.02; done'
	task_create
	expect 0 "*" peer Start 1=c1
	until_true 10 [ -e "/proc/$PID/root/tmp/ready" ] || node_fail "no trap"
	expect 0 "" peer Exec 1=c1 2=x "$(exec_spec . sleep 1000)"
	expect 0 "*" peer Start 1=c1 2=x
	expect 0 "" peer Kill 1=c1 3:15
	until_true 10 [ -s "/proc/$PID/root/tmp/caught" ] ||
	    node_fail "the task gets no signal"
	expect 0 "" peer Kill 1=c1 2=x 3:0
	expect 0 "" peer Kill 1=c1 3:15 4:1
	expect 0 "*" peer Wait 1=c1 2=x
	[ "$(field 1)" = 143 ] || node_fail "the exec did not get it"
	expect 0 "" peer Kill 1=c1 3:0
	# Of an exec, all is nobody else.
	expect 0 "" peer Exec 1=c1 2=y "$(exec_spec . sleep 1000)"
	expect 0 "*" peer Start 1=c1 2=y
	expect 0 "" peer Kill 1=c1 2=y 3:9 4:1
	expect 0 "*" peer Wait 1=c1 2=y
	expect 0 "" peer Kill 1=c1 3:0
	rm -f /proc/"$PID"/root/tmp/caught /proc/"$PID"/root/tmp/ready
	task_remove
}

node_test who_waits_and_goes_away_is_forgotten \
    "A hundred of them, and one who stays"
who_waits_and_goes_away_is_forgotten_body() {
	shim_begin c1 sleep 1000
	task_create
	SOCKETS=$(find "/proc/$(shim_pid)/fd" -lname 'socket:*' | wc -l)
	"$PEER" "$SOCKET" call Wait 1=c1 >stays 2>/dev/null &
	waiters=
	for n in $(seq 100); do
		"$PEER" "$SOCKET" call Wait 1=c1 >/dev/null 2>"called.$n" &
		waiters="$waiters $!"
	done
	for n in $(seq 100); do
		until_true 10 grep -q called "called.$n" ||
		    node_fail "Wait is not sent"
	done
	expect 0 "*" peer Start 1=c1
	# shellcheck disable=SC2086 # pids
	kill -9 $waiters
	until_true 10 connections_are 1 || node_fail "they stay"
	expect 0 "" peer Kill 1=c1 3:15
	until_true 10 [ -s stays ] || node_fail "who stayed is not answered"
	grep -qx 1=143 stays || node_fail "not 143: $(cat stays)"
	expect 0 "*" peer Delete 1=c1
	task_finish
}

# connections_are N: to the shim; for until_true.
connections_are() {
	[ "$(find "/proc/$(shim_pid)/fd" -lname 'socket:*' | wc -l)" -eq \
	    $((SOCKETS + $1)) ]
}

node_test a_command_whose_name_is_pause_runs \
    "Only CRI's annotation makes a sandbox"
a_command_whose_name_is_pause_runs_body() {
	node_begin
	expect 0 "" pod_run default --rm a sh -c \
	    'printf "#!/bin/sh\nexit 7\n" >/tmp/pause; chmod +x /tmp/pause'
	expect 7 "" pod_run default --rm b /tmp/pause
	node_end
}

node_test the_state_is_where_the_configuration_says \
    "Outside of /run, with status, process and exit code"
the_state_is_where_the_configuration_says_body() {
	node_begin
	mount -t tmpfs tmpfs /mnt || atf_fail "no tmpfs"
	containerd_kill TERM || atf_fail "containerd lives"
	export REGRESS_ROOT=/mnt/reaper
	expect 0 "*" containerd_start
	expect 0 "*" task_run -d a sh -c 'trap "exit 9" TERM
	    : >/tmp/ready; while :; do sleep 0.05; done'
	until_true 10 task_exec a e test -e /tmp/ready || node_fail "no trap"
	pid=$(ctr_ task ls | awk '$1 == "a" { print $2 }')
	expect 0 "a running $pid null" state_of a
	expect 0 "" ctr_ task kill --signal SIGTERM a
	until_true 10 task_is a STOPPED || node_fail "it runs on"
	expect 0 "a stopped $pid 9" state_of a
	expect_removed a 9
	[ ! -e /mnt/reaper/a ] || node_fail "the state stays"
	! find /run -name state.json | grep . >out ||
	    node_fail "there is another one"
	node_end
}

state_of() {
	jq -r '"\(.id) \(.status) \(.pid) \(.exit_code)"' \
	    "/mnt/reaper/$1/state.json"
}

# switches: how often our processes were given the processor.
switches() {
	for _pid in $(our_processes); do
		case $(cat "/proc/$_pid/comm" 2>/dev/null) in
		containerd-shim | reaper-*)
			status_of "$_pid" voluntary_ctxt_switches
			;;
		esac
	done | awk '{ n += $1 } END { print n }'
}

node_test who_waits_for_an_end_does_nothing \
    "No process of ours wakes up in two seconds"
who_waits_for_an_end_does_nothing_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	peer_to a
	peer Wait 1=a >stays 2>called &
	until_true 10 grep -q called called || node_fail "Wait is not sent"
	expect 0 "*" peer State 1=a
	# Settled, when it is the same twice.
	until_true 20 rests || node_fail "it never rests"
	node_end
}

rests() {
	_before=$(switches)
	sleep 2
	[ "$(switches)" = "$_before" ]
}

atf_init_test_cases() {
	node_add
}
