# shellcheck shell=sh
# A bundle's profile of system calls: in force, and on nothing else.

. "$(atf_get_srcdir)/../lib/node.sh"

# A profile: mkdir fails with an error of its own (ENOANO).
PROFILE='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
    {names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 55}]}'

# shellcheck disable=SC2016 # the workload's shell expands it
LOOK='mkdir /tmp/made 2>&1 | grep -c "No anode"
    sed -n "s/^\(Seccomp\|NoNewPrivs\|CapEff\):[[:space:]]*//p" \
	/proc/self/status'

node_test a_profile_is_in_force_in_run_and_in_exec \
    "of root and of others, with no_new_privs and without"
a_profile_is_in_force_in_run_and_in_exec_body() {
	node_begin
	n=0
	for case in "0 true a00405fb 1" "0 false a00405fb 0" \
	    "1000 true 0 1" "1000 false 0 0"; do
		# shellcheck disable=SC2086 # words
		set -- $case
		n=$((n + 1))
		filter="$PROFILE | .process.user.uid = $1 |
		    .process.noNewPrivileges = $2"
		[ "$1" -eq 0 ] || filter="$filter | .process.capabilities |=
		    del(.effective, .permitted)"
		expected="1
$(printf %016x "0x$3")
$4
2"
		expect 0 "$expected" spec_run "a$n" "$filter" sh -c "$LOOK"
		spec_make "b$n.json" "$filter" sleep 1000
		expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" \
		    --config "b$n.json" "b$n"
		expect 0 "$expected" task_exec "b$n" e sh -c "$LOOK"
		task_end "b$n"
	done
	node_end
}

node_test without_a_profile_there_is_ours_alone \
    "and none of those that the steps have"
without_a_profile_there_is_ours_alone_body() {
	node_begin
	expect 0 "2
1" spec_run a . sed -n 's/^Seccomp\(_filters\)\{0,1\}:[[:space:]]*//p' \
	    /proc/self/status
	node_end
}

node_test the_default_profile_of_containerd_is_in_force \
    "ordinary programs run, mounts and keys are refused"
the_default_profile_of_containerd_is_in_force_body() {
	node_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "2
x" task_run --rm --seccomp a sh -c '
	    sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status
	    perl -e "fork or exit; wait; print qq(x\n)"
	    unshare --user true 2>/dev/null && echo unshared
	    keyctl show 2>/dev/null && echo keys; ls / >/dev/null'
	node_end
}

node_test a_call_that_kills_is_an_exit_by_a_signal \
    "SIGSYS"
a_call_that_kills_is_an_exit_by_a_signal_body() {
	node_begin
	expect 159 "" spec_run a '.linux.seccomp = {
	    defaultAction: "SCMP_ACT_ALLOW", syscalls: [{
	    names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_PROCESS"}]}' \
	    mkdir /tmp/made
	node_end
}

node_test what_a_profile_forbids_the_start_itself_is_told \
    "a program that may not be executed"
what_a_profile_forbids_the_start_itself_is_told_body() {
	node_begin
	expect_refusal 'exec "true": operation not permitted' spec_run a \
	    '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{
	    names: ["execve"], action: "SCMP_ACT_ERRNO"}]}' true
	expect_refusal 'linux.seccomp.defaultAction: "SCMP_ACT_NOTIFY"' \
	    spec_run b '.linux.seccomp = {defaultAction: "SCMP_ACT_NOTIFY"}' true
	node_end
}

atf_init_test_cases() {
	node_add
}
