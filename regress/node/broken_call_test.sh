# shellcheck shell=sh
# Whatever system call fails in the helper, or in what it starts, at whatever
# step of a container's life: what was asked for fails or is there as it should
# be, never less confined, and nothing is left of it.

. "$(atf_get_srcdir)/../lib/node.sh"
. "$(atf_get_srcdir)/../lib/fault.sh"

# shellcheck disable=SC2034 # fault.sh uses them
FAULT_PROGRAM=call FAULT_BEGIN=reference \
    FAULT_NAME=that_fails_during_STEP_weakens_nothing

# What a command prints of itself: its identity, capabilities, filters, mounts.
FACTS='grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|CoreDump)" \
    /proc/PID/status
    cut -d " " -f 4- /proc/PID/mountinfo
    cat /proc/PID/limits /proc/PID/oom_score_adj'

facts_here() {
	echo "$FACTS" | sed s/PID/self/g
}

# facts_of PID: the same from outside, with its cgroups and which namespaces
# are its own.
facts_of() {
	sh -c "$(echo "$FACTS" | sed "s/PID/$1/g")"
	cat "/proc/$1/cgroup"
	for _namespace in "/proc/$1/ns"/*; do
		[ "$(readlink "$_namespace")" = \
		    "$(readlink "/proc/self/ns/${_namespace##*/}")" ] ||
		    echo "${_namespace##*/}"
	done
}

# Numbers of groups of mounts are as they come, and so is what is mounted first.
facts_clean() {
	sed -E 's/ (shared|master|propagate_from):[0-9]+//g' |
	    sort
}

member_pid() {
	ctr_ task list | awk -v id="$1" '$1 == id && $3 == "RUNNING" { print $2 }'
}

# reference: what the members of an undisturbed pod are.
reference() {
	fault_begin
	exec_before
	member b sleep 4321 || atf_fail "no container"
	for _id in p a b; do
		facts_of "$(member_pid "$_id")" | facts_clean >"facts.$_id"
		[ "$(wc -l <"facts.$_id")" -gt 30 ] || atf_fail "no facts"
	done
	enter_run | facts_clean >facts.e
	[ "$(wc -l <facts.e)" -gt 30 ] || atf_fail "no facts of an exec"
	for _id in b a p; do
		task_end "$_id"
	done
	leak_after 20 || atf_fail "something was left"
}

# enter: an exec that says what it is.
enter_before() {
	exec_before
}

enter_run() {
	task_exec a e sh -c "$(facts_here)"
}

enter_does() {
	enter_run >facts.now || return
	facts_clean <facts.now | diff facts.e - >&2 ||
	    fault_fail "the exec is not as confined"
}

# What runs in spite of it is what it would have been.
fault_after_call_of_helper() {
	for _id in p a b; do
		_member=$(member_pid "$_id")
		[ -n "$_member" ] || continue
		facts_of "$_member" 2>/dev/null | facts_clean >facts.now
		is_alive "$_member" || continue
		diff "facts.$_id" facts.now >&2 ||
		    fault_fail "$_id is not as confined"
	done
}

fault_after_call_of_step() {
	fault_after_call_of_helper
}

fault_after_program() {
	fault_after_call_of_helper
}

fault_after_path_of_step() {
	fault_after_call_of_helper
}

fault_cells begin program
fault_cells create call_of_helper call_of_step path_of_step
fault_cells enter call_of_helper call_of_step
fault_cells end call_of_helper
fault_cells delete call_of_helper

atf_init_test_cases() {
	node_add
}
