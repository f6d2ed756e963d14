# shellcheck shell=sh
# Containers of a pod share one shim, and a sandbox is a process that waits.

. "$(atf_get_srcdir)/../lib/node.sh"

CRI=io.kubernetes.cri

# member POD TYPE ID COMMAND...: run a container of the pod in the background.
member() {
	_pod=$1 _type=$2 _member=$3
	shift 2
	task_run --detach --annotation="$CRI.sandbox-id=$_pod" \
	    --annotation="$CRI.sandbox-namespace=default" \
	    --annotation="$CRI.container-type=$_type" "$@" >/dev/null ||
	    atf_fail "container $_member does not run"
	until_true 10 task_is "$_member" RUNNING ||
	    atf_fail "container $_member is not running"
}

# grouped GROUP ID [FLAG...]: the same by the annotation that Docker knows.
grouped() {
	_group=$1
	shift
	task_run --detach --annotation="io.containerd.runc.v2.group=$_group" \
	    "$@" sleep 1000 >/dev/null || atf_fail "$* does not run"
}

# shims: the number of shims of this test.
shims() {
	_n=0
	for _pid in $(our_processes); do
		[ "$(cat "/proc/$_pid/comm" 2>/dev/null)" != containerd-shim ] ||
		    _n=$((_n + 1))
	done
	echo "$_n"
}

shims_are() {
	[ "$(shims)" -eq "$1" ]
}

task_pid() {
	ctr_ task ls | awk -v id="$1" '$1 == id { print $2 }'
}

node_test containers_of_a_pod_share_one_shim "Grouped by CRI's annotation"
containers_of_a_pod_share_one_shim_body() {
	node_begin
	# The overlay of the namespace stays.
	expect 0 "" pod_run default --rm warm true
	leak_before
	member p sandbox p /pause
	member p container a sleep 1000
	member p container b sleep 1000
	shims_are 1 || atf_fail "$(shims) shims, not 1"
	member q sandbox q /pause
	shims_are 2 || atf_fail "$(shims) shims, not 2"
	# One that goes takes nobody along.
	task_end a
	task_is b RUNNING || atf_fail "b went with a"
	expect 0 yes task_exec b x echo yes
	# And another one may come, under the same name.
	member p container a sleep 1000
	for id in a b p q; do
		task_end "$id"
	done
	until_true 10 shims_are 0 || atf_fail "a shim lives on"
	leak_after || atf_fail "something was left"
	node_end
}

node_test a_pod_without_a_sandbox_has_a_shim_all_the_same \
    "A container that seems to join others may be the first"
a_pod_without_a_sandbox_has_a_shim_all_the_same_body() {
	node_begin
	member p container a sleep 1000
	member p container b sleep 1000
	shims_are 1 || atf_fail "$(shims) shims, not 1"
	task_end a
	task_end b
	until_true 10 shims_are 0 || atf_fail "a shim lives on"
	node_end
}

node_test the_shim_ends_with_the_last_container \
    "Whichever that is: the sandbox is a container like others"
the_shim_ends_with_the_last_container_body() {
	node_begin
	member p sandbox p /pause
	member p container a sleep 1000
	task_end p
	task_is a RUNNING || atf_fail "a went with its sandbox"
	shims_are 1 || atf_fail "the shim went with the sandbox"
	task_end a
	until_true 10 shims_are 0 || atf_fail "the shim lives on"
	node_end
}

node_test a_sandbox_is_a_confined_process_that_waits \
    "Its program is not looked for; it has no capability"
a_sandbox_is_a_confined_process_that_waits_body() {
	node_begin
	member p sandbox p /no/such/program
	pid=$(task_pid p)
	expect 0 reaper-pause cat "/proc/$pid/comm"
	expect 0 2 status_of "$pid" Seccomp
	expect 0 1 status_of "$pid" NoNewPrivs
	expect 0 0000000000000000 status_of "$pid" CapEff
	expect 0 0000000000000000 status_of "$pid" CapPrm
	ls "/proc/$pid/fd" >fds
	[ "$(wc -l <fds)" -eq 3 ] || atf_fail "open: $(cat fds)"
	ctr_ task kill --signal SIGTERM p || atf_fail "no signal reaches it"
	until_true 10 task_is p STOPPED || atf_fail "it outlives SIGTERM"
	task_end p
	member p sandbox p /pause
	ctr_ task kill --signal SIGKILL p || atf_fail "no signal reaches it"
	until_true 10 task_is p STOPPED || atf_fail "it outlives SIGKILL"
	task_end p
	node_end
}

node_test a_group_without_cri_shares_a_shim \
    "By io.containerd.runc.v2.group, which counts only where CRI says nothing"
a_group_without_cri_shares_a_shim_body() {
	node_begin
	grouped g a
	grouped g b
	shims_are 1 || atf_fail "$(shims) shims, not 1"
	task_run --detach --annotation=io.containerd.runc.v2.group=g \
	    --annotation="$CRI.sandbox-id=c" \
	    --annotation="$CRI.sandbox-namespace=default" \
	    --annotation="$CRI.container-type=container" c sleep 1000 \
	    >/dev/null || atf_fail "c does not run"
	shims_are 2 || atf_fail "CRI's annotation does not count first"
	task_end a
	task_end b
	task_end c
	until_true 10 shims_are 0 || atf_fail "a shim lives on"
	node_end
}

# With sockets of our own: what containerd does between two steps is ours to say.
group_begin() {
	node_begin
	peer_build
	FILTER='.annotations["io.containerd.runc.v2.group"] = "g"'
	expect 0 "" task_run --rm warm true
	leak_before
}

# group_start ID: containerd's call of start for a container of the group;
# leaves where its shim is in $SOCKET.
group_start() {
	spec_make "$(bundle_make "$1")/config.json" "$FILTER" sleep 1000
	SOCKET=$(shim_do "$REGRESS_DIR/bundles/$1" start "$1") ||
	    node_fail "no start of $1"
}

group_create() {
	expect 0 "*" peer Create "1=$1" "2=$REGRESS_DIR/bundles/$1"
}

# group_remove ID: kill and delete it; nothing is said of the shim.
group_remove() {
	expect 0 "" peer Kill "1=$1" 3:9
	expect 0 "*" peer Wait "1=$1"
	expect 0 "*" peer Delete "1=$1"
}

# group_delete ID: containerd's call of delete.
group_delete() {
	expect 0 "*" shim_do "$REGRESS_DIR/bundles/$1" delete "$1"
	rm -r "$REGRESS_DIR/bundles/$1"
}

# group_end: no shim and no socket is left.
group_end() {
	until_true 10 no_shim_runs || node_fail "the shim stays"
	leak_after || node_fail "something was left"
	node_end
}

node_test a_shutdown_does_not_end_a_shim_that_start_has_named \
    "The last container goes just when another one comes"
a_shutdown_does_not_end_a_shim_that_start_has_named_body() {
	group_begin
	group_start a
	first=$SOCKET
	group_create a
	group_remove a
	group_start b
	[ "$SOCKET" = "$first" ] || node_fail "another shim"
	expect 0 "" peer Shutdown 1=a
	group_delete a
	group_create b
	group_remove b
	expect 0 "" peer Shutdown 1=b
	until_true 10 no_shim_runs || node_fail "the shim stays"
	group_delete b
	group_end
}

node_test what_start_has_named_is_prepared_and_gone_with_delete \
    "Its creation is on its way; where it never comes nothing stays"
what_start_has_named_is_prepared_and_gone_with_delete_body() {
	group_begin
	group_start a
	group_create a
	group_start b
	until_true 10 [ -e "$REGRESS_DIR/reaper/b" ] || node_fail "nothing is prepared"
	expect 1 "*" peer State 1=b
	group_delete b
	until_true 10 [ ! -e "$REGRESS_DIR/reaper/b" ] || node_fail "b stays prepared"
	group_start b
	group_create b
	group_remove b
	group_delete b
	group_remove a
	expect 0 "" peer Shutdown 1=a
	until_true 10 no_shim_runs || node_fail "the shim stays"
	group_delete a
	group_end
}

node_test what_is_prepared_is_not_created_for_another_of_its_name \
    "A bundle that came in the place of the one that was read"
what_is_prepared_is_not_created_for_another_of_its_name_body() {
	group_begin
	group_start a
	group_create a
	group_start b
	until_true 10 [ -e "$REGRESS_DIR/reaper/b" ] || node_fail "nothing is prepared"
	rm -r "$REGRESS_DIR/bundles/b"
	spec_make "$(bundle_make b)/config.json" "$FILTER" sleep 1000
	expect 1 "*" peer Create 1=b "2=$REGRESS_DIR/bundles/b"
	until_true 10 [ ! -e "$REGRESS_DIR/reaper/b" ] || node_fail "b stays prepared"
	group_create b
	group_remove b
	group_delete b
	group_remove a
	expect 0 "" peer Shutdown 1=a
	until_true 10 no_shim_runs || node_fail "the shim stays"
	group_delete a
	group_end
}

node_test a_shutdown_does_not_end_a_shim_that_two_are_told_of \
    "The last container goes just when two come, of which one goes first"
a_shutdown_does_not_end_a_shim_that_two_are_told_of_body() {
	group_begin
	group_start a
	first=$SOCKET
	group_create a
	group_start b
	group_start c
	group_remove a
	group_create c
	group_remove c
	expect 0 "" peer Shutdown 1=c
	group_delete c
	expect 0 "" peer Shutdown 1=a
	group_delete a
	[ "$SOCKET" = "$first" ] || node_fail "another shim"
	group_create b
	group_remove b
	expect 0 "" peer Shutdown 1=b
	until_true 10 no_shim_runs || node_fail "the shim stays"
	group_delete b
	group_end
}

node_test a_shim_that_ends_is_not_named_by_start \
    "A client that does not read its answers holds it up"
a_shim_that_ends_is_not_named_by_start_body() {
	group_begin
	group_start a
	group_create a
	old=$(shim_pid)
	mkfifo hold
	"$PEER" "$SOCKET" mute State 1=a <hold >mute 2>&1 &
	exec 6>hold
	until_true 20 [ -s mute ] || node_fail "it never blocks"
	group_remove a
	expect 0 "" peer Shutdown 1=a
	group_start b
	is_alive "$old" || node_fail "nothing holds the first shim up"
	group_create b
	exec 6>&-
	group_delete a
	group_remove b
	expect 0 "" peer Shutdown 1=b
	group_delete b
	group_end
}

node_test without_a_shutdown_the_shim_ends_with_containerds_delete \
    "Some versions of containerd send none"
without_a_shutdown_the_shim_ends_with_containerds_delete_body() {
	group_begin
	group_start a
	group_create a
	group_start b
	group_create b
	group_remove a
	group_delete a
	expect 0 "*" peer State 1=b
	group_remove b
	group_delete b
	group_end
}

node_test a_late_delete_does_not_end_the_next_shim \
    "That of a container whose shim has gone, before the next Create"
a_late_delete_does_not_end_the_next_shim_body() {
	group_begin
	group_start a
	group_create a
	group_remove a
	expect 0 "" peer Shutdown 1=a
	until_true 10 no_shim_runs || node_fail "the shim stays"
	group_start b
	group_delete a
	group_create b
	group_remove b
	group_delete b
	group_end
}

node_test a_container_that_never_comes_keeps_no_shim \
    "containerd gave up after start; its call of delete says so"
a_container_that_never_comes_keeps_no_shim_body() {
	group_begin
	group_start a
	group_delete a
	group_end
}

node_test a_container_may_come_without_a_start \
    "containerd 2.0.0 to 2.0.5 call it for the sandbox only"
a_container_may_come_without_a_start_body() {
	group_begin
	group_start a
	group_create a
	spec_make "$(bundle_make b)/config.json" "$FILTER" sh -c 'exit 3'
	group_create b
	expect 0 "*" peer Start 1=b
	expect 0 "*" peer Wait 1=b
	[ "$(field 1)" = 3 ] || node_fail "not 3"
	expect 0 "*" peer Delete 1=b
	group_delete b
	group_remove a
	group_delete a
	group_end
}

node_test ten_containers_start_at_once_behind_one_shim \
    "Ten calls of start for one group that has no shim yet"
ten_containers_start_at_once_behind_one_shim_body() {
	group_begin
	for n in 1 2 3 4 5 6 7 8 9 10; do
		spec_make "$(bundle_make "c$n")/config.json" "$FILTER" sleep 1000
	done
	pids=
	for n in 1 2 3 4 5 6 7 8 9 10; do
		shim_do "$REGRESS_DIR/bundles/c$n" start "c$n" >"said.$n" 2>err &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || node_fail "a start fails"
	done
	SOCKET=$(cat said.1)
	for n in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(cat "said.$n")" = "$SOCKET" ] || node_fail "other sockets"
		group_create "c$n"
	done
	[ "$(shim_pid | wc -l)" -eq 1 ] || node_fail "more than one shim"
	for n in 1 2 3 4 5 6 7 8 9 10; do
		group_remove "c$n"
		group_delete "c$n"
	done
	group_end
}

# member_loop ID: a container of the group comes and goes, fifteen times.
member_loop() {
	for _round in $(seq 15); do
		task_run --annotation=io.containerd.runc.v2.group=g --rm "$1" \
		    sh -c 'exit 3' 2>>"err.$1"
		[ $? -eq 3 ] || echo "round $_round of $1" >>wrong
	done
}

node_test containers_of_a_group_come_and_go_at_the_same_time \
    "Three at a time, behind shims that end and begin all the while"
containers_of_a_group_come_and_go_at_the_same_time_body() {
	node_begin
	expect 0 "" task_run --rm warm true
	leak_before
	for id in a b c; do
		member_loop "$id" &
	done
	# Not containerd.
	for job in $(jobs -p); do
		[ "$job" = "$CONTAINERD_PID" ] || wait "$job"
	done
	cat err.a err.b err.c >err
	[ ! -e wrong ] || node_fail "$(cat wrong)"
	leak_after || node_fail "something was left"
	node_end
}

# troubled_loop ID: the same, whatever comes of it.
troubled_loop() {
	for _round in $(seq 12); do
		until_true 10 containerd_answers
		task_run --annotation=io.containerd.runc.v2.group=g --rm \
		    "$1$_round" sh -c 'exit 3' >>"err.$1" 2>&1
		echo >>rounds
	done
}

rounds_are() {
	[ "$(wc -l <rounds)" -ge "$1" ]
}

node_test containerd_may_be_killed_while_containers_come_and_go \
    "Five times; what it then knows of can be removed, and nothing is left"
containerd_may_be_killed_while_containers_come_and_go_body() {
	node_begin
	expect 0 "" task_run --rm warm true
	: >rounds
	for id in a b; do
		troubled_loop "$id" &
	done
	for n in 3 7 11 15 19; do
		until_true 30 rounds_are "$n" || atf_fail "they do not go on"
		containerd_kill KILL || atf_fail "containerd lives"
		containerd_start || atf_fail "containerd does not start"
	done
	until_true 30 rounds_are 24 || atf_fail "they do not end"
	for id in $(ctr_ container ls -q); do
		task_end "$id"
	done
	expect 0 "" ctr_ task ls -q
	# One waits 30 s for a container that start had named it to when its
	# containerd was killed.
	until_true 40 shims_are 0 || node_fail "a shim lives on"
	until_true 10 nothing_is_left || node_fail "left: $(cat left)"
	expect 3 "" task_run --rm last sh -c 'exit 3'
	node_end
}

nothing_is_left() {
	find "$REGRESS_DIR/state" -path "*.task/$REGRESS_NAMESPACE/*" >left
	find "$REGRESS_DIR/reaper" -name state.json >>left
	[ ! -s left ]
}

node_test nobody_waits_for_a_creation_that_hangs \
    "State, Connect and Pids of others, while the helper sleeps"
nobody_waits_for_a_creation_that_hangs_body() {
	group_begin
	group_start a
	group_create a
	expect 0 "*" peer Start 1=a
	pid=$(field 1)
	expect 0 "" peer Exec 1=a 2=x "$(exec_spec . sleep 1000)"
	expect 0 "*" peer Start 1=a 2=x
	group_start b
	helper=$(helper_pid)
	kill -STOP "$helper"
	until_true 10 is_stopped "$helper" || node_fail "the helper goes on"
	peer Create 1=b "2=$REGRESS_DIR/bundles/b" >created 2>called &
	create=$!
	until_true 10 grep -q called called || node_fail "Create is not sent"
	in_time() {
		expect "$1" "*" timeout 5 "$PEER" "$SOCKET" call "$2" "1=$3" \
		    ${4+"$4"}
	}
	in_time 0 State a
	[ "$(field 3) $(field 4)" = "$pid 2" ] || node_fail "of a"
	in_time 0 State a 2=x
	[ "$(field 4)" = 2 ] || node_fail "of x"
	in_time 0 Connect a
	[ "$(field 2)" = "$pid" ] || node_fail "of a"
	in_time 0 Pids a
	[ "$(wc -l <out)" -eq 2 ] || node_fail "of a and x"
	in_time 0 Connect b
	[ -z "$(field 2)" ] || node_fail "of b there is no process yet"
	in_time 1 State b
	grep -q '^error 5 ' out || node_fail "it is not NotFound"
	[ ! -s created ] || node_fail "b was created"
	kill -CONT "$helper"
	wait "$create" || node_fail "b was not created"
	for id in a b; do
		group_remove "$id"
		group_delete "$id"
	done
	group_end
}

# b_traps: for until_true: b has a handler of SIGTERM, which is 15.
b_traps() {
	_caught=$(status_of "$(ctr_ task ls |
	    awk '$1 == "b" { print $2 }')" SigCgt)
	[ $((0x${_caught:-0} >> 14 & 1)) -eq 1 ]
}

node_test nothing_is_executed_in_a_sandbox "It has no programs"
nothing_is_executed_in_a_sandbox_body() {
	node_begin
	member p sandbox p /pause
	expect_refusal "sandbox has no programs" task_exec p e true
	task_is p RUNNING || node_fail "it has ended"
	node_end
}

node_test containers_of_a_pod_survive_a_restart_of_containerd \
    "Whatever state they are in; then another one joins, and all go"
containers_of_a_pod_survive_a_restart_of_containerd_body() {
	node_begin
	member p sandbox p /pause
	member p container a sleep 1000
	member p container b sh -c 'trap "exit 3" TERM; while :; do sleep 0.05
	    done'
	shim=$(shim_pid)
	until_true 10 b_traps || atf_fail "b has no handler"
	expect 0 "" ctr_ task kill --signal SIGTERM b
	until_true 10 task_is b STOPPED || atf_fail "b runs on"
	containerd_kill KILL || atf_fail "containerd lives"
	expect 0 "*" containerd_start
	task_is p RUNNING || node_fail "the sandbox does not run"
	task_is a RUNNING || node_fail "a does not run"
	task_is b STOPPED || node_fail "b has not stopped"
	expect_removed b 3
	ctr_ container rm b
	member p container b sleep 1000
	[ "$(shim_pid)" = "$shim" ] || node_fail "another shim"
	expect 0 yes task_exec a x echo yes
	for id in a b p; do
		task_end "$id"
	done
	until_true 10 shims_are 0 || node_fail "a shim lives on"
	node_end
}

atf_init_test_cases() {
	node_add
}
