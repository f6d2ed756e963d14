# shellcheck shell=sh
# Whatever dies, nothing of it is left, and the next task runs.

. "$(atf_get_srcdir)/../lib/node.sh"

death_begin() {
	node_begin
	expect 0 "" task_run --rm warm true
	leak_before
	task_run --rm a sh -c 'sleep 4321 & sleep 4321' >task.out 2>&1 &
	TASK=$!
	until_true 10 runs sleep 4321 || atf_fail "the task does not run"
}

# death_end CODE: ctr saw this exit code; nothing is left; the next task runs.
death_end() {
	wait "$TASK"
	code=$?
	[ "$1" = "*" ] || [ "$code" -eq "$1" ] || cat task.out >&2
	[ "$1" = "*" ] || [ "$code" -eq "$1" ] ||
	    atf_fail "the task ended with $code, not $1"
	until_true 10 not runs sleep 4321 ||
	    atf_fail "a process of the workload lives on"
	task_end a
	leak_after || atf_fail "something was left"
	expect 0 again task_run --rm b echo again
	node_end
}

node_test a_killed_helper_takes_its_workloads_along \
    "Wait is answered with 137 before the shim ends too"
a_killed_helper_takes_its_workloads_along_body() {
	death_begin
	peer_build
	socket=$(our_sockets | head -n 1)
	"$PEER" "$socket" call Wait 1=a >wait.out 2>wait.err &
	wait=$!
	until_true 10 grep -q called wait.err || atf_fail "Wait is not sent"
	# The answer to a later call shows that it has been read.
	expect 0 "*" "$PEER" "$socket" call State 1=a
	kill -9 "$(helper_pid)"
	wait "$wait" || atf_fail "Wait failed: $(cat wait.err)"
	grep -q '^1=137$' wait.out || atf_fail "not 137: $(cat wait.out)"
	# ctr finds nothing to delete any more.
	death_end "*"
}

node_test a_killed_shim_takes_everything_along \
    "helper and workload end; containerd reports the end"
a_killed_shim_takes_everything_along_body() {
	death_begin
	kill -9 "$(shim_pid)"
	death_end "*"
}

node_test a_killed_pid_1_ends_the_task \
    "with 137, as the kernel does"
a_killed_pid_1_ends_the_task_body() {
	death_begin
	kill -9 "$(init_pid)"
	death_end 137
}

node_test a_killed_workload_leaves_nothing \
    "SIGKILL from the host"
a_killed_workload_leaves_nothing_body() {
	death_begin
	kill -9 "$(ctr_ task ls | awk '$1 == "a" { print $2 }')"
	death_end 137
}

node_test shim_and_helper_killed_together_leave_nothing \
    "containerd's call of delete cleans up"
shim_and_helper_killed_together_leave_nothing_body() {
	death_begin
	kill -9 "$(helper_pid)" "$(shim_pid)"
	death_end "*"
}

node_test what_nobody_knows_of_is_cleaned_up \
    "of a helper that was killed before containerd came: by any deletion"
what_nobody_knows_of_is_cleaned_up_body() {
	node_begin
	expect 0 "" task_run --rm warm true
	bundle=$(bundle_make lost)
	spec_make "$bundle/config.json" . true
	expect 0 "*" shim_do "$bundle" start lost
	until_true 10 test -L "$REGRESS_DIR/reaper/lost/cgroup" ||
	    node_fail "nothing is prepared"
	# As containerd does with a pod that it does not know any more.
	socket=$(sed 's,unix://,,' "$bundle/address")
	rm -r "$bundle"
	kill -9 "$(shim_pid)" "$(helper_pid)"
	until_true 10 test -z "$(init_pid)"
	test -d "$REGRESS_DIR/reaper/lost" || node_fail "nothing was left"
	expect 0 "" task_run --rm other true
	until_true 10 not test -e "$REGRESS_DIR/reaper/lost" ||
	    node_fail "it stays"
	[ -z "$(cgroups_of "$REGRESS_NAMESPACE" | grep lost)" ] ||
	    node_fail "its cgroup stays"
	not test -e "$socket" || node_fail "its socket stays"
	not test -e "$socket.shim" || node_fail "the file beside it stays"
	node_end
}

# grouped ID COMMAND...: a task of the group p.
grouped() {
	task_run --annotation=io.containerd.runc.v2.group=p "$@"
}

node_test a_deletion_that_was_cut_short_is_ended_in_a_pod_that_lives \
    "containerd, killed while it deletes, asks the pod's shim for what it had"
a_deletion_that_was_cut_short_is_ended_in_a_pod_that_lives_body() {
	node_begin
	expect 0 "" grouped -d p sleep 1000
	expect 0 "" grouped -d a sleep 1000
	for folder in state root; do
		cp -a "$REGRESS_DIR/$folder/io.containerd.runtime.v2.task/\
$REGRESS_NAMESPACE/a" "$folder.a" || atf_fail "no copy of $folder"
	done
	expect 0 "" ctr_ task kill --signal SIGKILL a
	until_true 10 task_is a STOPPED
	expect_removed a 137
	containerd_kill TERM || atf_fail "containerd lives"
	# What it finds where it was killed a moment earlier.
	for folder in state root; do
		cp -a "$folder.a" "$REGRESS_DIR/$folder/\
io.containerd.runtime.v2.task/$REGRESS_NAMESPACE/a"
	done
	containerd_start || atf_fail "containerd does not start again"
	for folder in state root; do
		until_true 10 not test -e "$REGRESS_DIR/$folder/\
io.containerd.runtime.v2.task/$REGRESS_NAMESPACE/a" ||
		    node_fail "$folder of it stays"
	done
	task_is p RUNNING || node_fail "the pod has ended"
	# One of that name again is another one.
	expect 0 "" ctr_ container rm a
	expect 0 "" grouped -d a sleep 1000
	containerd_again KILL
	task_is a RUNNING || node_fail "it is given up as well"
	node_end
}

node_test who_was_stopped_goes_on \
    "shim, helper, publisher and init, after SIGSTOP and SIGCONT"
who_was_stopped_goes_on_body() {
	node_begin
	events_begin
	expect 0 "*" task_run -d a sleep 4321
	pids="$(shim_pid) $(helper_pid) $(publisher_pid) $(init_pid)"
	for pid in $pids; do
		kill -STOP "$pid"
		until_true 10 is_stopped "$pid" || node_fail "$pid runs on"
		kill -CONT "$pid"
	done
	expect 0 alive task_exec a e echo alive
	until_true 10 grep -q exec-added events ||
	    node_fail "no event comes any more"
	for pid in $pids; do
		is_alive "$pid" || node_fail "$pid has ended"
	done
	node_end
}

node_test a_shim_that_died_while_containerd_was_away_is_cleaned_up \
    "at containerd's next start"
a_shim_that_died_while_containerd_was_away_is_cleaned_up_body() {
	node_begin
	expect 0 "" task_run --rm warm true
	expect 0 "*" task_run -d a sleep 4321
	containerd_kill KILL || atf_fail "containerd lives"
	kill -9 "$(shim_pid)"
	until_true 10 not runs sleep 4321 || atf_fail "the workload lives on"
	containerd_start || atf_fail "no second start"
	[ -z "$(task_state a)" ] || atf_fail "the task is still listed"
	expect 0 "" ctr_ container rm a
	expect 0 again task_run --rm a echo again
	node_end
}

node_test an_overlay_survives_the_death_of_a_shim \
    "the next workload of the namespace finds its files"
an_overlay_survives_the_death_of_a_shim_body() {
	node_begin
	expect 0 "*" pod_run blue -d a \
	    sh -c 'echo kept >/etc/regress.a; exec sleep 4321'
	until_true 10 runs sleep 4321 || atf_fail "the task does not run"
	kill -9 "$(shim_pid)" "$(helper_pid)"
	until_true 10 not runs sleep 4321 || atf_fail "it lives on"
	task_end a
	expect 0 kept pod_run blue --rm b cat /etc/regress.a
	node_end
}

atf_init_test_cases() {
	node_add
}
