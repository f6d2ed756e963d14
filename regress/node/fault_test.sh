# shellcheck shell=sh
# Whatever is killed at whatever step of a container's life, nothing is left,
# and the next one runs.

. "$(atf_get_srcdir)/../lib/node.sh"
. "$(atf_get_srcdir)/../lib/fault.sh"

# begin: the pod, with its shim and its sandbox.
begin_before() {
	fault_wrap "$1" start
}

begin_does() {
	member p /pause
}

# Of a shim that died before containerd came to it there is a socket until the
# next start of that pod.
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

# fault_cells STEP WHAT...: a test of each of them at that step.
fault_cells() {
	_step=$1
	shift
	for _what in "$@"; do
		_name=a_${_what}_killed_during_${_step}_leaves_nothing
		fault_test "$_name" "and the next start works"
		eval "${_name}_body() {
			fault_begin
			fault_walk $_step $_what
			node_end
		}"
	done
}

fault_cells begin program
fault_cells create shim helper publisher step both containerd
fault_cells exec shim helper publisher step both containerd
fault_cells pause shim helper publisher both containerd
fault_cells end shim helper publisher both containerd
fault_cells delete shim helper publisher both containerd
fault_cells clean program

atf_init_test_cases() {
	node_add
}
