# shellcheck shell=sh
# fault.sh: a walk through the steps of a container's life, at each of which a
# process is killed, or a system call fails.  To be read after node.sh.
#
# A walk does the same operation again and again, in a pod of its own each
# time, and kills at a later point each time until the operation has no such
# point any more.  Then nothing may be left, and the next start must work.
# FAULT_EVERY=1 takes every point; without it the distance grows as it goes on.

CRI=io.kubernetes.cri
FAULT_PROGRAM=it
FAULT_NAME=killed_during_STEP_leaves_nothing
FAULT_BEGIN=fault_begin

# fault_test NAME DESCRIPTION: as node_test, of a walk.
fault_test() {
	case_declare "$1" "$2" 'containerd ctr jq unshare' 3600
}

# fault_begin: a containerd, the program that kills, and a namespace whose
# overlay is there.
fault_begin() {
	_programs=$REGRESS_BUILD
	REGRESS_BUILD=$PWD/programs
	mkdir "$REGRESS_BUILD"
	printf '#!/bin/sh\n[ ! -e %s ] || . %s\nexec %s "$@"\n' \
	    "$PWD/wrap" "$PWD/wrap" "$_programs/containerd-shim-reaper-v2" \
	    >"$REGRESS_BUILD/containerd-shim-reaper-v2"
	chmod +x "$REGRESS_BUILD/containerd-shim-reaper-v2"
	node_begin
	FAULT=$REGRESS_DIR/fault
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O1 -Wall -o "$FAULT" \
	    "$LIB/fault.c" || atf_fail "fault.c does not compile"
	expect 0 "" pod_run default --rm warm true
	leak_before
}

# As elsewhere, but nothing may hang.
ctr_() {
	timeout 20 ctr --address "$REGRESS_DIR/c.sock" \
	    --namespace "$REGRESS_NAMESPACE" "$@"
}

# containerd may be another one afterwards.
leak_processes() {
	our_processes | grep -vx "$CONTAINERD_PID"
}

# member ID COMMAND [ARG...]: run a container of the pod p, or p itself, its
# sandbox.
member() {
	_type=container
	[ "$1" != p ] || _type=sandbox
	task_run --detach --annotation="$CRI.sandbox-id=p" \
	    --annotation="$CRI.sandbox-namespace=default" \
	    --annotation="$CRI.container-type=$_type" "$@" \
	    </dev/null >member.out 2>&1
}

# fault_watch N WHOSE VICTIMS PID: returns once it is watched.
fault_watch() {
	rm -f fault.log
	"$FAULT" fault.log "$@" 2>fault.err &
	WATCH=$!
	until_true 10 test -s fault.log ||
	    atf_fail "not watched: $(cat fault.err)"
}

# fault_wrap POINT ACTION: whatever of what `start` or `delete` runs comes to
# that point is killed, or its call fails, when containerd calls it the next
# time.
fault_wrap() {
	rm -f fault.log
	cat >wrap <<-EOF
	case " \$* " in
	*" $2 "*)
		rm $PWD/wrap
		exec $FAULT $PWD/fault.log $1 all $FAULT_PROGRAM -- \
		    $_programs/containerd-shim-reaper-v2 "\$@"
		;;
	esac
	EOF
}

# fault_came: whether the point has come.
fault_came() {
	grep -q '^point' fault.log
}

# fault_look WHAT: sets WATCHED, WHOSE and VICTIMS: what fails when, of the pod
# p.  Containerd and "both" die when the shim comes to a point.  Fails of a
# program that containerd runs: the step has seen to it.
fault_look() {
	WATCHED=$(shim_pid) WHOSE=own VICTIMS=it
	case $1 in
	shim) ;;
	helper) WATCHED=$(helper_pid) ;;
	publisher) WATCHED=$(publisher_pid) ;;
	step) WATCHED=$(helper_pid) WHOSE=children ;;
	both) VICTIMS=it,$(helper_pid) ;;
	call_of_helper) WATCHED=$(helper_pid) VICTIMS=call ;;
	call_of_step) WATCHED=$(helper_pid) WHOSE=children VICTIMS=call ;;
	path_of_step)
		# openat2(2)
		WATCHED=$(helper_pid) WHOSE=children VICTIMS=call=437
		;;
	containerd) VICTIMS=$CONTAINERD_PID ;;
	program) return 1 ;;
	*) atf_fail "who is $1?" ;;
	esac
	return 0
}

# fault_walk STEP WHAT: let it fail at the points of the step.  STEP_before POINT
# brings the pod p to where the step begins, STEP_does it, STEP_mends, if there
# is that, is what an operator does where it was killed.
fault_walk() {
	_point=1
	_points=0
	while fault_point "$1" "$2" "$_point"; do
		_points=$((_points + 1))
		_point=$((_point + ${FAULT_EVERY:-(_point + 1) / 2}))
	done
	[ "$_points" -gt 0 ] || atf_fail "$1: $2 comes to no point"
	echo "$1: $2 at $_points points"
}

# fault_point STEP WHAT POINT: one of them.  Fails when there is none.
fault_point() {
	fault_at="$1: $2 at point $3"
	"$1_before" "$3"
	_pod=$(leak_processes)
	WATCH=
	if fault_look "$2"; then
		fault_watch "$3" "$WHOSE" "$VICTIMS" "$WATCHED"
	fi
	"$1_does" >does.out 2>&1
	_code=$?
	if [ -n "$WATCH" ]; then
		kill "$WATCH" 2>/dev/null
		wait "$WATCH"
	fi
	[ "$_code" -ne 124 ] || fault_fail "a client hangs"
	if fault_came; then
		"fault_after_$2"
		! command -v "$1_mends" >/dev/null || "$1_mends"
	else
		[ "$_code" -eq 0 ] || fault_fail "failed without a fault"
	fi
	for _id in a b c p; do
		task_end "$_id"
	done
	# The shim awaits for 10 s a container that will not come.
	leak_after 20 || fault_fail "something was left"
	fault_came || return 1
	expect 0 again pod_run default --rm again echo again
	leak_after || fault_fail "the next task has left something"
}

fault_fail() {
	cat does.out fault.log member.out >&2
	node_fail "$fault_at: $*"
}

# What must be true then, before anybody tidies up.
fault_after_shim() {
	# A container that comes then may have a shim of its own.
	for _pid in $_pod; do
		until_true 10 not is_alive "$_pid" || fault_fail \
		    "it lives on: $(ps -o pid=,args= -p "$_pid")"
	done
}

fault_after_helper() {
	fault_after_shim
}

fault_after_both() {
	fault_after_shim
}

# Events end with it, nothing else does.
fault_after_publisher() {
	task_is p RUNNING || fault_fail "the pod has ended"
	member c sleep 4321 || fault_fail "the pod takes nobody any more"
}

fault_after_step() {
	fault_after_publisher
}

fault_after_containerd() {
	wait "$CONTAINERD_PID"
	containerd_start || fault_fail "containerd does not start again"
	fault_after_publisher
}

# What was begun is for nobody.  Where it was ready, it waits for a minute.
fault_after_program() {
	# Nobody missed a publisher.
	! task_is p RUNNING || return 0
	for _pid in $(leak_processes); do
		case " $_pod " in
		*"$_pid"*) ;;
		*)
			until_true 80 not is_alive "$_pid" || fault_fail \
			    "it lives on: $(ps -o pid=,args= -p "$_pid")"
			;;
		esac
	done
}

# The steps.

# begin: the pod, with its shim and its sandbox.
begin_before() {
	fault_wrap "$1" start
}

begin_does() {
	member p /pause
}

# Of a shim that died before containerd came to it there is a socket until that
# pod is started again, or anything is deleted.
begin_mends() {
	task_is p RUNNING || {
		ctr_ container rm p >/dev/null 2>&1
		begin_does || fault_fail "the pod does not start again"
	}
}

# create: a container joins the pod, and is started.
create_before() {
	member p /pause || fault_fail "no pod"
}

create_does() {
	member b sleep 4321
}

# exec: a whole life of another command.
exec_before() {
	create_before
	member a sleep 4321 || fault_fail "no container"
}

exec_does() {
	task_exec a e true
}

# pause: and resume.
pause_before() {
	exec_before
}

pause_does() {
	ctr_ task pause a && ctr_ task resume a
}

# end: by a signal.
end_before() {
	exec_before
}

end_does() {
	ctr_ task kill --signal SIGTERM a || return
	until_true 10 not task_is a RUNNING
}

# delete: of what has ended.
delete_before() {
	create_before
	member a true || fault_fail "no container"
	until_true 10 task_is a STOPPED || fault_fail "a runs on"
}

delete_does() {
	ctr_ task rm a
}

# clean: what containerd calls where a shim has died.
clean_before() {
	exec_before
	fault_wrap "$1" delete
}

clean_does() {
	_shim=$(shim_pid) _helper=$(helper_pid)
	kill -9 "$_shim" "$_helper"
	until_true 10 not task_is p RUNNING && until_true 10 test -s fault.log
}

# What containerd keeps where `delete` fails it gives up when it starts.
clean_mends() {
	containerd_kill TERM || fault_fail "containerd does not end"
	wait "$CONTAINERD_PID"
	containerd_start || fault_fail "containerd does not start again"
}

# fault_cells STEP WHAT...: a test of each of them at that step, named by
# FAULT_NAME and begun by FAULT_BEGIN.
fault_cells() {
	_step=$1
	shift
	for _what in "$@"; do
		_name=a_${_what}_${FAULT_NAME%STEP*}$_step${FAULT_NAME#*STEP}
		fault_test "$_name" "and the next start works"
		eval "${_name}_body() {
			$FAULT_BEGIN
			fault_walk $_step $_what
			node_end
		}"
	done
}
