# shellcheck shell=sh
# One capability set per step: what each process of Reaper has, at every system
# call that it makes, is what its policy says.

. "$(atf_get_srcdir)/../lib/node.sh"
. "$(atf_get_srcdir)/../lib/fault.sh"

NONE=0000000000000000

# The sources, which have the policies.
TOP=$LIB
while [ "$TOP" != / ] && [ ! -e "$TOP/GNUmakefile" ]; do
	TOP=$(dirname "$TOP")
done

# mask NAME...: capabilities, with or without CAP_, as the kernel writes sets.
mask() {
	_mask=0
	for _name in "$@"; do
		_bit=$(sed -n "s/^#define CAP_${_name#CAP_}[[:space:]]*\([0-9]*\)\$/\1/p" \
		    /usr/include/linux/capability.h)
		[ -n "$_bit" ] || atf_fail "what is $_name?"
		_mask=$((_mask | 1 << _bit))
	done
	printf %016x "$_mask"
}

# policy_mask ROLE: what sandbox-policies/ has.
policy_mask() {
	_names=$(sed -n 's/^capabilities//p' \
	    "$TOP/sandbox-policies/$1.policy" | sed 's/#.*//; s/ none / /')
	# shellcheck disable=SC2086 # a list
	mask $_names
}

# both A B: what is in both; either A B: in one; all_but A B: in A alone.
both() {
	printf %016x $((0x$1 & 0x$2))
}

either() {
	printf %016x $((0x$1 | 0x$2))
}

all_but() {
	printf %016x $((0x$1 & ~0x$2))
}

# calls NAME...: their numbers on this machine, one a line.
calls() {
	echo '#include <sys/syscall.h>' | "${CC:-cc}" -E -dM - >calls
	for _name in "$@"; do
		sed -n "s/^#define __NR_$_name \([0-9]*\)\$/\1/p" calls
	done
}

capability_begin() {
	fault_begin
	HELPER=
	W=$(jq -r '.process.capabilities.permitted[]' "$LIB/spec.json")
	# Not given to a confined one.
	# shellcheck disable=SC2086 # a list
	W=$(all_but "$(mask $W)" "$(mask MKNOD SYS_PTRACE)")
	expect 0 "" member p /pause
	HELPER=$(helper_pid)
	H=$(status_of "$HELPER" CapPrm)
	# A machine that tests run on may lack some.
	M=$(both "$H" "$(policy_mask mount)")
	L=$(both "$H" "$(either "$(policy_mask launch)" "$W")")
	[ "$M" != "$NONE" ] && [ "$L" != "$H" ] && [ "$M" != "$L" ] ||
	    atf_fail "sets that cannot be told apart"
}

# watch COMMAND [ARG...]: everything that the helper and what it forks do
# meanwhile, into fault.log; the forked ones, in their order, into steps.  If
# LAST is set, until it is a line's end: that is done when the command has ended.
watch() {
	fault_watch 1 all nobody "$HELPER"
	expect 0 "*" "$@"
	[ -z "${LAST-}" ] || until_true 10 grep -q "$LAST\$" fault.log
	kill "$WATCH"
	wait "$WATCH" || atf_fail "the tracer: $(cat fault.err)"
	awk -v helper="$HELPER" '$1 == "has" && $2 != helper && !($2 in seen) {
	    seen[$2]; print $2 }' fault.log >steps
}

# history PID: its permitted, effective, inheritable and ambient sets, each
# time that they have changed.
history_of() {
	awk -v pid="$1" '$1 == "has" && $2 == pid {
	    now = $4 " " $5 " " $6 " " $7
	    if (now != last) print now
	    last = now }' fault.log
}

# step N WHAT SET...: the Nth process that was forked has had these sets, one
# after the other, each permitted and effective and no more.
step() {
	_pid=$(sed -n "$1p" steps) _what=$2
	shift 2
	for _set in "$@"; do
		echo "$_set $_set $NONE $NONE"
	done >wanted
	[ -n "$_pid" ] || node_fail "there is no $_what"
	history_of "$_pid" >had
	cmp -s wanted had || {
		diff wanted had >&2
		node_fail "$_what has had other sets"
	}
}

# steps_are N: so many, each of which has done nothing with what the helper has
# but give it up, and got nothing back.
steps_are() {
	[ "$(wc -l <steps)" -eq "$1" ] ||
	    node_fail "$(wc -l <steps) steps, not $1"
	calls fcntl dup3 close_range prctl capget capset close >may
	awk -v set="$H" -v helper="$HELPER" 'NR == FNR { may[$1]; next }
	    $1 == "has" && $2 != helper && $4 == set && !($3 in may)' \
	    may fault.log >extra
	[ ! -s extra ] || node_fail "with all: $(cat extra)"
	while read -r _step; do
		_last=$H _bound=$H
		awk -v pid="$_step" '$1 == "has" && $2 == pid {
		    print $4, $8 }' fault.log >sets
		while read -r _permitted _bounding; do
			[ "$(both "$_permitted" "$_last")" = "$_permitted" ] ||
			    node_fail "$_step: from $_last to $_permitted"
			_last=$_permitted
			[ "$_bound" = "$H" ] || [ "$(both "$_bounding" \
			    "$_bound")" = "$_bounding" ] ||
			    node_fail "$_step: bound from $_bound"
			_bound=$_bounding
		done <sets
	done <steps
}

# helper_is_itself: it is what it was, at every call.
helper_is_itself() {
	awk -v pid="$HELPER" '$1 == "has" && $2 == pid {
	    $2 = $3 = ""; print }' fault.log | sort -u >helper
	[ "$(wc -l <helper)" -eq 1 ] || node_fail "the helper changes"
	grep -q "$H $H $NONE $NONE [0-9a-f]* 0 0 reaper-privsep" helper ||
	    node_fail "the helper is $(cat helper)"
}

# filtered N COUNT CALL...: the Nth has made these only with so many filters.
filtered() {
	_pid=$(sed -n "$1p" steps) _count=$2
	shift 2
	calls "$@" >may
	awk -v pid="$_pid" -v count="$_count" 'NR == FNR { may[$1]; next }
	    $1 == "has" && $2 == pid && $3 in may {
		n++; if ($9 != 1 || $10 < count) bad++ }
	    END { exit !(n > 0 && bad == 0) }' may fault.log ||
	    node_fail "$_pid makes calls without a filter, or none"
}

node_test each_step_of_a_creation_has_its_own_set \
    "decode none, mount and launch what their policies say, pid 1 none"
each_step_of_a_creation_has_its_own_set_body() {
	capability_begin
	watch member b sleep 4321
	steps_are 3
	step 1 decode "$H" "$NONE"
	filtered 1 1 write
	step 2 "mount, then pid 1" "$H" "$M" "$NONE"
	filtered 2 1 open_tree setns mount
	filtered 2 2 poll ppoll
	step 3 "launch, then the workload" "$H" "$L" "$W"
	filtered 3 1 execve
	helper_is_itself
	node_end
}

node_test a_step_in_the_pid_namespace_of_another_has_that_of_mounts \
    "and so has one that makes no pid 1"
a_step_in_the_pid_namespace_of_another_has_that_of_mounts_body() {
	capability_begin
	_pause=$(pids_of reaper-pause)
	watch task_run --detach --annotation="$CRI.sandbox-id=p" \
	    --annotation="$CRI.sandbox-namespace=default" \
	    --annotation="$CRI.container-type=container" \
	    --with-ns="pid:/proc/$_pause/ns/pid" b sleep 4321
	steps_are 4
	step 1 decode "$H" "$NONE"
	step 2 proc "$H" "$M"
	filtered 2 1 fsopen
	step 3 mount "$H" "$M"
	step 4 "launch, then the workload" "$H" "$L" "$W"
	helper_is_itself
	node_end
}

node_test each_step_of_an_exec_has_its_own_set \
    "and what is executed what its container has"
each_step_of_an_exec_has_its_own_set_body() {
	capability_begin
	expect 0 "" member b sleep 4321
	watch task_exec b e true
	steps_are 2
	step 1 decode "$H" "$NONE"
	filtered 1 1 write
	step 2 "launch, then the command" "$H" "$L" "$W"
	helper_is_itself
	node_end
}

node_test a_sandbox_ends_up_with_nothing \
    "and neither shim nor publisher has ever anything to give"
a_sandbox_ends_up_with_nothing_body() {
	capability_begin
	LAST=" 1 1 reaper-pause"
	watch task_run --detach --annotation="$CRI.sandbox-id=p" \
	    --annotation="$CRI.sandbox-namespace=default" \
	    --annotation="$CRI.container-type=sandbox" q /pause
	steps_are 3
	L=$(both "$H" "$(policy_mask launch)")
	step 3 "launch, then the sandbox" "$H" "$L" "$NONE"
	# Its name is the last thing that it changes, but for its filter.
	_pid=$(sed -n 3p steps)
	awk -v pid="$_pid" '$1 == "has" && $2 == pid' fault.log |
	    tail -n 1 | grep -q ' 1 1 reaper-pause$' ||
	    node_fail "the sandbox ends up without a filter"
	HELPER=$(shim_pid)
	H=$NONE LAST=
	watch member b sleep 4321
	[ ! -s steps ] || node_fail "the shim has forked"
	history_of "$HELPER" >had
	[ "$(cat had)" = "$NONE $NONE $NONE $NONE" ] ||
	    node_fail "the shim has had $(cat had)"
	for _pid in $(shim_pid) $(publisher_pid) $(pids_of reaper-pause); do
		for _set in CapPrm CapEff CapInh CapAmb CapBnd; do
			[ "$(status_of "$_pid" "$_set")" = "$NONE" ] ||
			    node_fail "$_set of $(cat "/proc/$_pid/comm")"
		done
	done
	node_end
}

node_test what_a_user_executes_has_nothing \
    "what its container may have, root of it alone has"
what_a_user_executes_has_nothing_body() {
	capability_begin
	# That bundle has the node's network.
	W=$(all_but "$W" "$(mask NET_RAW NET_ADMIN)")
	L=$(both "$H" "$(either "$(policy_mask launch)" "$W")")
	spec_make b.json ".process.user = {uid: 1000, gid: 1000} |
	    .annotations[\"$CRI.sandbox-id\"] = \"p\" |
	    .annotations[\"$CRI.sandbox-namespace\"] = \"default\" |
	    .annotations[\"$CRI.container-type\"] = \"container\"" sleep 4321
	watch ctr_ run --detach --runtime "$REGRESS_RUNTIME" \
	    --fifo-dir "$REGRESS_DIR/fifo" --config b.json b
	steps_are 3
	for _sets in "$H $H" "$L $L" "$L $NONE" "$W $W" "$NONE $NONE"; do
		echo "$_sets $NONE $NONE"
	done >wanted
	history_of "$(sed -n 3p steps)" >had
	cmp -s wanted had || {
		diff wanted had >&2
		node_fail "a user has had other sets"
	}
	node_end
}

node_test what_no_pod_may_have_is_lost_for_good_where_none_is_privileged \
    "not in the bounding set of helper and steps, which work without"
what_no_pod_may_have_is_lost_for_good_where_none_is_privileged_body() {
	capability_begin
	_never=$(mask SYS_ADMIN MKNOD SYS_PTRACE)
	# Where pods may be privileged it is the node's.
	[ "$(status_of "$HELPER" CapBnd)" = "$(status_of 1 CapBnd)" ] ||
	    node_fail "the helper's bounding set is not the node's"
	task_end p
	until_true 20 no_shims || atf_fail "the pod stays"
	echo REAPER_WORKLOAD_PROFILE=confined >"$REGRESS_DIR/reaper.conf"
	expect 0 "" member p /pause
	HELPER=$(helper_pid)
	H=$(status_of "$HELPER" CapPrm)
	_bound=$(all_but "$(status_of 1 CapBnd)" "$_never")
	watch member b sleep 4321
	steps_are 3
	step 2 "mount, then pid 1" "$H" "$M" "$NONE"
	step 3 "launch, then the workload" "$H" "$L" "$W"
	helper_is_itself
	awk -v bound="$_bound" '$1 == "has" { print $8 }' fault.log |
	    sort -u >bounds
	while read -r _set; do
		[ "$(both "$_set" "$_never")" = "$NONE" ] ||
		    node_fail "something has $_set in its bounding set"
	done <bounds
	grep -qx "$_bound" bounds || node_fail "more is lost: $(cat bounds)"
	expect 0 hello task_exec b e echo hello
	node_end
}

atf_init_test_cases() {
	node_add
}
