# shellcheck shell=sh
# The pid namespace of a workload, and its end.

. "$(atf_get_srcdir)/../lib/node.sh"

node_test a_workload_sees_its_own_processes_only \
    "the pid namespace that the bundle asks for"
a_workload_sees_its_own_processes_only_body() {
	node_begin
	expect 0 "*" task_run -d other sleep 4321
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "" task_run --rm a sh -c '
		for p in /proc/[0-9]*; do
			tr "\0" " " <"$p/cmdline"
		done | grep -E "[c]ontainerd|[s]leep"; exit 0'
	expect 0 "*" task_run --rm b sh -c 'ls -d /proc/[0-9]* | wc -l'
	[ "$(cat out)" -le 5 ] || node_fail "too many processes"
	node_end
}

node_test a_workload_is_not_pid_1 \
    "so its signals work as on the host"
a_workload_is_not_pid_1_body() {
	node_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "not 1" task_run --rm a sh -c \
	    '[ $$ -gt 1 ] && echo "not 1"'
	# Without a handler, SIGTERM would not end a pid 1.
	expect 0 "*" task_run -d b sleep 4321
	expect 0 "" ctr_ task kill --signal SIGTERM b
	until_true 5 task_is b STOPPED || node_fail "SIGTERM was ignored"
	expect_removed b 143
	node_end
}

node_test a_workload_cannot_kill_or_see_into_its_pid_1 \
    "signals, root and executable of it"
a_workload_cannot_kill_or_see_into_its_pid_1_body() {
	node_begin
	expect 0 "survived" task_run --rm a sh -c '
		kill -9 1; kill -15 1; kill -11 1
		echo survived'
	expect 0 "" task_run --rm b sh -c '
		cat /proc/1/environ /proc/1/maps /proc/1/mem 2>/dev/null
		ls /proc/1/root/. 2>/dev/null
		readlink /proc/1/exe /proc/1/cwd /proc/1/root /proc/1/fd/*
		sh -c ": >>/proc/1/exe" && echo writable
		exit 0'
	node_end
}

node_test orphans_are_reaped \
    "a workload whose children leave orphans collects no zombies"
orphans_are_reaped_body() {
	node_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "0" task_run --rm a sh -c '
		for i in 1 2 3 4 5 6 7 8; do
			(sh -c "sleep 0.1" & exit 0)
		done
		for i in 1 2 3 4 5 6 7 8 9 10; do
			sleep 0.1
			left=$(cat /proc/[0-9]*/stat 2>/dev/null |
			    grep -Ec "\) Z |sleep")
			[ "$left" -gt 0 ] || break
		done
		cat /proc/[0-9]*/stat 2>/dev/null | grep -c "([a-z]*) Z "
		exit 0'
	node_end
}

# daemons ID FILTER: a workload leaves a daemon with a session of its own, and
# ends.
daemons() {
	expect 0 "left" spec_run "$1" "$2" sh -c '
		setsid sh -c "setsid sleep 4321 </dev/null >/dev/null 2>&1 &"
		(sleep 5432 </dev/null >/dev/null 2>&1 &)
		echo left'
	until_true 5 not runs sleep 4321 || node_fail "the daemon lives on"
	until_true 5 not runs sleep 5432 || node_fail "the orphan lives on"
}

node_test daemons_end_with_their_workload \
    "double fork and setsid do not help"
daemons_end_with_their_workload_body() {
	node_begin
	daemons warm .
	leak_before
	daemons a .
	leak_after || node_fail "something was left"
	node_end
}

node_test daemons_end_with_their_workload_in_the_pid_namespace_of_the_host \
    "a bundle without a pid namespace"
daemons_end_with_their_workload_in_the_pid_namespace_of_the_host_body() {
	node_begin
	daemons warm 'del(.linux.namespaces[] | select(.type == "pid"))'
	leak_before
	daemons a 'del(.linux.namespaces[] | select(.type == "pid"))'
	leak_after || node_fail "something was left"
	node_end
}

node_test without_a_pid_namespace_a_workload_sees_the_node \
    "hostPID: the processes of the host are there"
without_a_pid_namespace_a_workload_sees_the_node_body() {
	node_begin
	expect 0 "*" spec_run a \
	    'del(.linux.namespaces[] | select(.type == "pid"))' \
	    sh -c 'cat /proc/[0-9]*/comm 2>/dev/null'
	grep -qx containerd out || node_fail "containerd is not seen"
	node_end
}

node_test killing_everything_ends_a_fork_bomb \
    "two hundred processes that ignore SIGTERM"
killing_everything_ends_a_fork_bomb_body() {
	node_begin
	expect 0 "" task_run --rm warm true
	leak_before
	expect 0 "*" task_run -d a sh -c '
		trap "" TERM HUP INT
		for i in $(seq 200); do sleep 4321 & done
		: >/tmp/all; wait'
	until_true 20 task_exec a e test -e /tmp/all || node_fail "too slow"
	expect 0 "" ctr_ task kill --signal SIGKILL a
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	! runs sleep 4321 || node_fail "some live on"
	task_end a
	leak_after || node_fail "something was left"
	node_end
}

atf_init_test_cases() {
	node_add
}
