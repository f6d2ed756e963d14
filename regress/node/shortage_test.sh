# shellcheck shell=sh
# Where there is no process and no descriptor more to be had, a request is
# refused with the reason; what runs goes on, and with room again all works.

. "$(atf_get_srcdir)/../lib/node.sh"

GROUP='.annotations = {"io.containerd.runc.v2.group": "a"}'

# shortage_begin: a task a, and what an exec in it is to do.
shortage_begin() {
	node_begin
	# The overlay stays.
	expect 0 "" task_run --rm warm true
	leak_before
	expect 0 "*" task_run -d a sleep 1000
	peer_to a
	SPEC=$(exec_spec . sh -c 'read line; exit 5')
	FIFOS=$REGRESS_DIR/fifo
}

# exec_start EXEC: begin one that reads a line and ends with 5.
exec_start() {
	mkfifo -m 0700 "$FIFOS/$1-stdin" &&
	    peer Exec 1=a "2=$1" "4=$FIFOS/$1-stdin" "$SPEC" >out 2>err &&
	    peer Start 1=a "2=$1" >out 2>err
}

# exec_end EXEC: it still reads; then it ends, and is gone.
exec_end() {
	echo line >"$FIFOS/$1-stdin"
	expect 0 "*" peer Wait 1=a "2=$1"
	[ "$(field 1)" = 5 ] || node_fail "$1 has not ended with 5"
	expect 0 "*" peer Delete 1=a "2=$1"
}

# shortage_end: everything works, and nothing is left.
shortage_end() {
	exec_start last || node_fail "nothing more can be executed"
	exec_end last
	expect 3 "" spec_run more "$GROUP" sh -c 'exit 3'
	task_end a
	# Where the helper was limited in one.
	until_true 10 cgroups_remove "$REGRESS_NAMESPACE"
	leak_after || atf_fail "something was left"
	node_end
}

node_test a_pod_has_256_processes_and_no_more \
    "containers and execs, each with an input; one more when one has ended"
a_pod_has_256_processes_and_no_more_body() {
	shortage_begin
	for n in $(seq 255); do
		exec_start "e$n" || node_fail "e$n is not executed"
	done
	for n in 1 2; do
		expect_refusal "error 8 the pod has 256 containers and execs" \
		    exec_start "f$n"
		expect_refusal "the pod has 256 containers and execs" \
		    spec_run more "$GROUP" true
		exec_end "e$n"
		exec_start "g$n" || node_fail "g$n is not executed"
	done
	exec_end e255
	shortage_end
}

# descriptors PID: how many it has.
descriptors() {
	find "/proc/$1/fd" -mindepth 1 | wc -l
}

# tried EXEC: it runs, or is refused for want of descriptors, and then gone.
tried() {
	if exec_start "$1"; then
		exec_end "$1"
		return
	fi
	grep -Eq "Too many open files|launching: .*Input/output" out ||
	    node_fail "another failure: $(cat out)"
	# An exec that was not started is there.
	peer Delete 1=a "2=$1" >out 2>err || grep -q '^error 5 ' out ||
	    node_fail "$1 is not deleted: $(cat out)"
}

node_test a_helper_without_descriptors_refuses_execs \
    "whichever is the first that it cannot have; none of them ends a pod"
a_helper_without_descriptors_refuses_execs_body() {
	shortage_begin
	exec_start first || node_fail "it is not executed"
	helper=$(helper_pid)
	shim=$(shim_pid)
	before=$(descriptors "$helper")
	limit=$(awk '/^Max open files/ { print $4 ":" $5 }' \
	    "/proc/$helper/limits")
	for more in 0 1 2 3 4 5 6 8 10 12 14 16 18 20 24; do
		prlimit --pid "$helper" \
		    --nofile="$((before + more)):${limit#*:}" ||
		    atf_fail "no limit"
		tried "e$more"
		[ "$(shim_pid)" = "$shim" ] || node_fail "$more: the pod ended"
		expect 0 "*" peer State 1=a 2=first
	done
	prlimit --pid "$helper" --nofile="$limit"
	[ "$(descriptors "$helper")" -eq "$before" ] ||
	    node_fail "the helper has lost some"
	exec_end first
	shortage_end
}

# pids_limit NUMBER: the helper and what it forks are no more than that.
pids_limit() {
	_dir=/sys/fs/cgroup/pids/$REGRESS_NAMESPACE/helper
	[ -d /sys/fs/cgroup/pids ] ||
	    _dir=/sys/fs/cgroup/$REGRESS_NAMESPACE/helper
	mkdir -p "$_dir" && echo "$1" >"$_dir/pids.max" &&
	    helper_pid >"$_dir/cgroup.procs" ||
	    atf_skip "the helper's processes cannot be limited"
}

node_test a_helper_that_cannot_fork_refuses_execs_and_containers \
    "with the reason, and what runs goes on"
a_helper_that_cannot_fork_refuses_execs_and_containers_body() {
	shortage_begin
	exec_start first || node_fail "it is not executed"
	why="launching: resource temporarily unavailable"
	for most in 1 2 3; do
		pids_limit "$most"
		exec_start "e$most" && exec_end "e$most" ||
		    grep -Eqi "error 2 $why" out || node_fail "another failure"
		expect_refusal "resource temporarily unavailable|no result" \
		    spec_run "c$most" "$GROUP" true
		expect 0 "*" peer Pids 1=a
	done
	pids_limit max
	exec_end first
	shortage_end
}

node_test a_task_at_its_limit_of_processes_is_ended_as_any_other \
    "its execs are refused, or cannot fork"
a_task_at_its_limit_of_processes_is_ended_as_any_other_body() {
	shortage_begin
	task_end a
	spec_make b.json '.linux.cgroupsPath = "/" + env.REGRESS_NAMESPACE +
	    "/b" | .linux.resources.pids.limit = 8' perl -e '
		$SIG{TERM} = sub { exit 3 };
		while (defined($pid = fork)) {
			exec "sleep", "1000" unless $pid;
		}
		sleep while 1'
	expect 0 "" ctr_ run -d --runtime "$REGRESS_RUNTIME" --null-io \
	    --config b.json b
	until_true 10 is_full || node_fail "it has no limit"
	expect "*" "*" task_exec b e sh -c '(exit 0) && echo forked'
	! grep -q forked out || node_fail "an exec can fork"
	cat out err | grep -Eqi "resource temporarily|cannot fork" ||
	    node_fail "nobody is told why"
	expect 0 "" ctr_ task kill b
	until_true 10 task_is b STOPPED || node_fail "b does not end"
	expect_removed b 3
	expect 0 "" ctr_ container rm b
	expect 0 "*" task_run -d a sleep 1000
	peer_to a
	shortage_end
}

is_full() {
	[ "$(pids_of sleep | wc -l)" -ge 7 ]
}

atf_init_test_cases() {
	node_add
}
