# shellcheck shell=sh
# Identity: a workload is what its bundle says, in every detail.
# The shells of the workloads expand what is quoted here.
# shellcheck disable=SC2016,SC2046

. "$(atf_get_srcdir)/../lib/node.sh"

node_test user_group_and_supplementary_groups_are_exactly_those_listed \
    "uid, gid, additionalGids and no other group"
user_group_and_supplementary_groups_are_exactly_those_listed_body() {
	node_begin
	filter='.process.user = { uid: 1234, gid: 2345,
	    additionalGids: [ 7, 77, 777 ] }'
	expect 0 "1234 2345 7 77 777" spec_run a "$filter" sh -c \
	    'set -- $(grep ^Groups: /proc/self/status); shift
		echo $(id -u) $(id -g) $*'
	filter='.process.user = { uid: 0, gid: 0 }'
	expect 0 "Groups: 0 0 0 0 0" spec_run b "$filter" sh -c \
	    'echo $(grep ^Groups: /proc/self/status) $(
		awk "/^Gid:/ { print \$2, \$3, \$4, \$5 }" /proc/self/status) 0'
	node_end
}

node_test supplementary_groups_of_root_are_dropped \
    "not even those of the helper are inherited"
supplementary_groups_of_root_are_dropped_body() {
	node_begin
	expect 0 "Groups:" spec_run a . \
	    sh -c 'echo $(grep ^Groups: /proc/self/status)'
	node_end
}

node_test the_umask_is_that_of_the_bundle \
    "0022 if it has none"
the_umask_is_that_of_the_bundle_body() {
	node_begin
	expect 0 "Umask:	0027" spec_run a '.process.user.umask = 23' \
	    grep ^Umask: /proc/self/status
	expect 0 "Umask:	0000" spec_run b '.process.user.umask = 0' \
	    grep ^Umask: /proc/self/status
	expect 0 "Umask:	0022" spec_run c . \
	    grep ^Umask: /proc/self/status
	node_end
}

# What a login of root would set.
LOGIN="HOME=/root
USER=root
LOGNAME=root
SHELL=$(getent passwd root | cut -d : -f 7)"

node_test the_environment_is_the_listed_one_and_what_a_login_would_set \
    "nothing of containerd's, the shim's or the helper's"
the_environment_is_the_listed_one_and_what_a_login_would_set_body() {
	node_begin
	expect 0 "ONE=1
EMPTY=
TWO=a b=c
$LOGIN" spec_run a '.process.env = [ "ONE=1", "EMPTY=", "TWO=a b=c" ]' \
	    /usr/bin/env
	expect 0 "$LOGIN" spec_run b '.process.env = []' /usr/bin/env
	expect 0 "HOME=/x
SHELL=
USER=root
LOGNAME=root" spec_run c '.process.env = [ "HOME=/x", "SHELL=" ]' /usr/bin/env
	expect 0 "HOME=/" spec_run d '.process.env = [] |
	    .process.user.uid = 54321' /usr/bin/env
	expect 0 "*" task_run -d e sleep 1000
	expect 0 "*" task_exec e e1 /usr/bin/env
	grep -qx HOME=/root out || node_fail "not in an exec"
	node_end
}

node_test the_program_is_found_in_the_path_of_the_bundle \
    "not in the helper's or containerd's"
the_program_is_found_in_the_path_of_the_bundle_body() {
	node_begin
	expect_refusal "no such file|not found" spec_run a \
	    '.process.env = [ "PATH=/nowhere:/var/empty" ]' env
	expect 0 "PATH=/nowhere:/usr/bin
$LOGIN" spec_run b \
	    '.process.env = [ "PATH=/nowhere:/usr/bin" ]' env
	node_end
}

node_test the_working_directory_is_that_of_the_bundle \
    "/usr/share, then /"
the_working_directory_is_that_of_the_bundle_body() {
	node_begin
	expect 0 /usr/share spec_run a '.process.cwd = "/usr/share"' \
	    readlink /proc/self/cwd
	expect 0 / spec_run b . readlink /proc/self/cwd
	node_end
}

node_test a_working_directory_that_is_missing_is_made \
    "in the overlay; an image has it, the node need not"
a_working_directory_that_is_missing_is_made_body() {
	node_begin
	dir=/srv/regress.${REGRESS_DIR##*.}/work
	expect 0 $dir spec_run a ".process.cwd = \"$dir\"" \
	    readlink /proc/self/cwd
	[ ! -e "$dir" ] || node_fail "it was made on the node"
	expect_refusal "/proc/missing" spec_run b \
	    '.process.cwd = "/proc/missing"' true
	node_end
}

node_test an_apparmor_profile_that_cannot_be_applied_refuses \
    "rather than being passed over"
an_apparmor_profile_that_cannot_be_applied_refuses_body() {
	node_begin
	expect_refusal apparmor spec_run a \
	    '.process.apparmorProfile = "regress-missing"' true
	expect 0 "" spec_run b '.process.apparmorProfile = "unconfined"' true
	node_end
}

node_test limits_are_those_of_the_bundle \
    "soft and hard, a number and infinity"
limits_are_those_of_the_bundle_body() {
	node_begin
	filter='.process.rlimits = [
	    { type: "RLIMIT_NOFILE", soft: 123, hard: 456 },
	    { type: "RLIMIT_CORE", soft: 0, hard: 0 },
	    { type: "RLIMIT_STACK", soft: 1048576, hard: 2097152 } ]'
	expect 0 "123 456 0 0 1024 2048" spec_run a "$filter" bash -c \
	    'echo $(ulimit -Sn) $(ulimit -Hn) $(ulimit -Sc) $(ulimit -Hc) \
		$(ulimit -Ss) $(ulimit -Hs)'
	node_end
}

# facts ID FILTER: what the kernel says of the workload's privilege.
facts() {
	expect 0 "*" spec_run "$1" "$2" \
	    grep -E '^(Cap|NoNewPrivs)' /proc/self/status
	tr -s '\t' ' ' <out | tr '\n' ' ' >facts
}

node_test capabilities_of_root_are_those_of_the_bundle \
    "bounding, permitted and effective, but for devices and the node's network"
capabilities_of_root_are_those_of_the_bundle_body() {
	node_begin
	facts a '.process.capabilities |= (
	    [ "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL",
	    "CAP_NET_BIND_SERVICE" ] as $c |
	    { bounding: $c, permitted: $c, effective: $c })'
	[ "$(cat facts)" = "CapInh: 0000000000000000 \
CapPrm: 0000000000000423 CapEff: 0000000000000423 \
CapBnd: 0000000000000423 CapAmb: 0000000000000000 NoNewPrivs: 1 " ] ||
	    atf_fail "$(cat facts)"
	facts b .
	[ "$(cat facts)" = "CapInh: 0000000000000000 \
CapPrm: 00000000a00405fb CapEff: 00000000a00405fb \
CapBnd: 00000000a00405fb CapAmb: 0000000000000000 NoNewPrivs: 1 " ] ||
	    atf_fail "$(cat facts)"
	node_end
}

node_test root_without_capabilities_has_none \
    "all five sets are empty"
root_without_capabilities_has_none_body() {
	node_begin
	zero=0000000000000000
	want="CapInh: $zero CapPrm: $zero CapEff: $zero CapBnd: $zero"
	want="$want CapAmb: $zero NoNewPrivs: 1 "
	facts a '.process.capabilities = {}'
	[ "$(cat facts)" = "$want" ] || atf_fail "$(cat facts)"
	facts b 'del(.process.capabilities)'
	[ "$(cat facts)" = "$want" ] || atf_fail "$(cat facts)"
	node_end
}

node_test a_user_has_no_capability_but_ambient_ones \
    "uid 1000 with a bounding set, then with an ambient capability"
a_user_has_no_capability_but_ambient_ones_body() {
	node_begin
	facts a '.process.user = { uid: 1000, gid: 1000 } |
	    .process.capabilities = { bounding: [ "CAP_CHOWN", "CAP_KILL" ] }'
	[ "$(cat facts)" = "CapInh: 0000000000000000 \
CapPrm: 0000000000000000 CapEff: 0000000000000000 \
CapBnd: 0000000000000021 CapAmb: 0000000000000000 NoNewPrivs: 1 " ] ||
	    atf_fail "$(cat facts)"
	facts b '.process.user = { uid: 1000, gid: 1000 } |
	    .process.capabilities |= ([ "CAP_NET_BIND_SERVICE" ] as $c |
	    { bounding: $c, permitted: $c, effective: $c, inheritable: $c,
	    ambient: $c })'
	[ "$(cat facts)" = "CapInh: 0000000000000400 \
CapPrm: 0000000000000400 CapEff: 0000000000000400 \
CapBnd: 0000000000000400 CapAmb: 0000000000000400 NoNewPrivs: 1 " ] ||
	    atf_fail "$(cat facts)"
	node_end
}

node_test new_privileges_are_as_the_bundle_says \
    "no_new_privs off, where it is off"
new_privileges_are_as_the_bundle_says_body() {
	node_begin
	facts a '.process.noNewPrivileges = false'
	grep -q 'NoNewPrivs: 0' facts || atf_fail "$(cat facts)"
	facts b 'del(.process.noNewPrivileges)'
	grep -q 'NoNewPrivs: 0' facts || atf_fail "$(cat facts)"
	node_end
}

node_test an_exec_has_the_identity_of_its_container \
    "uid, groups, limits and capabilities, unless the task is root"
an_exec_has_the_identity_of_its_container_body() {
	node_begin
	spec_make a.json '.process.user = { uid: 1234, gid: 2345,
	    additionalGids: [ 7 ] } |
	    .process.capabilities = { bounding: [ "CAP_KILL" ] }' sleep 1000
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" \
	    --fifo-dir "$REGRESS_DIR/fifo" --config a.json a
	expect 0 "1234 2345 7 0000000000000000 0000000000000020 1 1024" \
	    task_exec a e sh -c '
		f() { awk -v k="$1:" "\$1 == k { print \$2 }" /proc/self/status; }
		echo $(f Uid) $(f Gid) $(f Groups) $(f CapEff) $(f CapBnd) \
		    $(f NoNewPrivs) $(ulimit -n)'
	node_end
}

node_test the_oom_score_is_raised_as_the_bundle_says \
    "oomScoreAdj 500"
the_oom_score_is_raised_as_the_bundle_says_body() {
	node_begin
	expect 0 500 spec_run a '.process.oomScoreAdj = 500' \
	    cat /proc/self/oom_score_adj
	node_end
}

atf_init_test_cases() {
	node_add
}
