# shellcheck shell=sh
# An operator exchanges the programs, in either direction, while pods run.

. "$(atf_get_srcdir)/../lib/node.sh"

PROGRAMS="containerd-shim-reaper-v2 reaper-privsep reaper-runtime"
GROUP=--annotation=io.containerd.runc.v2.group=g

# upgrade_begin: programs of the test's own in $PROGRAMS_DIR, as they are in
# now/, and those of another version in other/.
upgrade_begin() {
	node_isolated
	mkdir programs now other
	for _program in $PROGRAMS; do
		cp "$REGRESS_BUILD/$_program" now/
	done
	VERSION=$(now/reaper-runtime --version | sed 's/^reaper-runtime //')
	# Of the same length, in its place in the file.
	OTHER=9${VERSION#?}
	for _program in $PROGRAMS; do
		LC_ALL=C sed "s/$VERSION/$OTHER/g" "now/$_program" \
		    >"other/$_program"
		chmod 0755 "other/$_program"
		! cmp -s "now/$_program" "other/$_program" ||
		    atf_fail "$_program does not say its version"
	done
	expect 0 "reaper-runtime $OTHER" other/reaper-runtime --version
	REGRESS_BUILD=$PWD/programs
	install_from now
	node_begin
	export REAPER_CONFIG="$REGRESS_DIR/reaper.conf"
	export REAPER_RUNTIME_ROOT="$REGRESS_DIR/reaper"
	expect 0 "" task_run --rm warm true
}

# install_from DIR [PROGRAM...]: by rename, as package managers do.
install_from() {
	_from=$1
	shift
	# shellcheck disable=SC2086 # a list
	[ $# -gt 0 ] || set -- $PROGRAMS
	for _program in "$@"; do
		cp "$_from/$_program" "programs/$_program.new"
		mv "programs/$_program.new" "programs/$_program"
	done
}

# member ID COMMAND...: a container behind one shim with the others.
member() {
	expect 0 "*" task_run -d "$GROUP" "$@"
}

# goes_on: whatever can be asked of a and b, which run behind $SHIM.
goes_on() {
	[ "$(shim_pid | head -n 1)" = "$SHIM" ] || node_fail "another shim"
	expect 0 yes task_exec a "e$1" echo yes
	member "c$1" sh -c 'exit 5'
	until_true 10 task_is "c$1" STOPPED || node_fail "c$1 does not end"
	expect_removed "c$1" 5
	expect 0 "" ctr_ container rm "c$1"
	expect 7 "" task_run --rm "d$1" sh -c 'exit 7'
	[ "$(shim_pid)" = "$SHIM" ] || node_fail "another shim is left"
}

node_test pods_go_on_when_programs_are_exchanged \
    "Another version and back: join, exec, exits, a restart of containerd"
pods_go_on_when_programs_are_exchanged_body() {
	upgrade_begin
	leak_before
	member a sleep 1000
	member b sh -c 'trap "exit 3" TERM; while :; do sleep 0.05; done'
	SHIM=$(shim_pid)
	goes_on 1
	install_from other
	goes_on 2
	containerd_again KILL
	goes_on 3
	install_from now
	goes_on 4
	install_from other
	expect 0 "" ctr_ task kill b
	until_true 10 task_is b STOPPED || node_fail "b does not end"
	expect_removed b 3
	expect 0 "" ctr_ container rm b
	task_end a
	leak_after || atf_fail "something was left"
	node_end
}

node_test a_pod_does_without_its_programs_for_a_while \
    "What runs goes on; what cannot begin says so; nothing is left"
a_pod_does_without_its_programs_for_a_while_body() {
	upgrade_begin
	leak_before
	member a sh -c 'trap "exit 3" TERM; while :; do sleep 0.05; done'
	rm programs/*
	expect 0 yes task_exec a e echo yes
	expect_refusal "not (installed|found)|no such file" \
	    task_run --rm b true
	expect 0 "" ctr_ task kill a
	until_true 10 task_is a STOPPED || node_fail "a does not end"
	install_from other
	expect_removed a 3
	expect 0 "" ctr_ container rm a
	leak_after || atf_fail "something was left"
	node_end
}

# mixed FROM PROGRAM: with one program of another version no pod starts, for a
# reason that is told; those that run do.
mixed() {
	install_from other "$1"
	expect_refusal "reaper-privsep is of version .$2[. ].*of .$3[. ].*: install" \
	    task_run --rm x true
	expect 0 yes task_exec a "e$1" echo yes
	member b true
	until_true 10 task_is b STOPPED || node_fail "b does not end"
	task_end b
	install_from now
	expect 0 "" task_run --rm x true
}

node_test a_shim_does_not_take_the_helper_of_another_version \
    "halfway through an exchange; nothing is left of the attempt"
a_shim_does_not_take_the_helper_of_another_version_body() {
	upgrade_begin
	leak_before
	member a sleep 1000
	mixed reaper-privsep "${OTHER%% *}" "${VERSION%% *}"
	mixed containerd-shim-reaper-v2 "${VERSION%% *}" "${OTHER%% *}"
	task_end a
	leak_after || atf_fail "something was left"
	# One that says nothing, and one that cannot be executed.
	for program in /bin/true /etc/passwd; do
		cp "$program" programs/reaper-privsep.new
		chmod 0755 programs/reaper-privsep.new
		mv programs/reaper-privsep.new programs/reaper-privsep
		expect_refusal "reaper-privsep does not begin" \
		    task_run --rm x true
	done
	leak_after || atf_fail "something was left"
	node_end
}

node_test a_helper_that_ends_at_once_is_told_of \
    "to containerd, which has been told of its shim; nothing is left"
a_helper_that_ends_at_once_is_told_of_body() {
	upgrade_begin
	leak_before
	# Where anybody may make bundles the helper makes no container.
	chmod 0777 "$REGRESS_DIR"/state/*/"$REGRESS_NAMESPACE"
	expect_refusal "the privileged helper (has ended|is gone)" \
	    task_run --rm x true
	chmod 0711 "$REGRESS_DIR"/state/*/"$REGRESS_NAMESPACE"
	leak_after || atf_fail "something was left"
	expect 0 "" task_run --rm x true
	node_end
}

node_test what_dies_after_an_exchange_is_cleaned_up \
    "by the other version's delete, which knows the exits"
what_dies_after_an_exchange_is_cleaned_up_body() {
	upgrade_begin
	leak_before
	ctr --address "$REGRESS_DIR/c.sock" events >events 2>&1 &
	subscriber=$!
	until_true 10 events_flow || atf_fail "no events"
	member a sleep 1000
	member b sh -c 'exit 3'
	until_true 10 task_is b STOPPED || node_fail "b does not end"
	install_from other
	kill -9 "$(shim_pid)" "$(helper_pid)"
	until_true 10 grep -q '/tasks/delete.*"b"' events ||
	    node_fail "containerd tells of no end"
	grep '/tasks/delete.*"b"' events | grep -q '"exit_status":3' ||
	    node_fail "another end of b: $(grep '/tasks/delete' events)"
	kill "$subscriber"
	for id in a b; do
		until_true 10 ctr_ container rm "$id" ||
		    node_fail "$id is not removed"
	done
	leak_after || atf_fail "something was left"
	node_end
}

# noted SIZE PID STATUS: the code that delete answers with for a container of
# which the note has this size: fields 1 and 2 of a DeleteResponse, or 137.
noted() {
	"$NOTE" "$REGRESS_DIR/reaper/a1" "$REGRESS_NAMESPACE" a1 300 5 "$1" ||
	    atf_fail "no note"
	jq -n '{id: "a1", status: "stopped", later: {more: [1, 2]}}' \
	    >"$REGRESS_DIR/reaper/a1/state.json"
	# What this version does not know.
	mkdir -p "$REGRESS_DIR/reaper/a1/later/deep"
	echo x >"$REGRESS_DIR/reaper/a1/later/deep/file"
	ln -s /nowhere "$REGRESS_DIR/reaper/a1/link"
	expect 0 "*" shim_do "$BUNDLE" delete a1
	od -An -v -tx1 out | tr -d ' \n' >bytes
	grep -q "^$2" bytes || node_fail "$1 bytes: another end: $(cat bytes)"
	[ ! -e "$REGRESS_DIR/reaper/a1" ] || node_fail "$1 bytes: it is left"
}

node_test notes_of_other_versions_are_read \
    "their beginning; and what else they have left is removed"
notes_of_other_versions_are_read_body() {
	node_begin
	NOTE=$REGRESS_DIR/note
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O1 -Wall -o "$NOTE" \
	    "$LIB/note.c" || atf_fail "note.c does not compile"
	# The runtime root is a mount, as it is after the first start.
	expect 0 "" task_run --rm warm true
	BUNDLE=$(bundle_make a1)
	spec_make "$BUNDLE/config.json" . true
	# 300 and 5, at 1000000000 s and 7 ns.
	known=08ac0210051a0808
	for size in 180 184 185 512 4096; do
		noted "$size" $known
	done
	# A part of one is none.
	for size in 176 8; do
		noted "$size" 108901
	done
	node_end
}

node_test a_later_client_is_answered_as_far_as_it_is_understood \
    "unknown fields are passed over, unknown methods named"
a_later_client_is_answered_as_far_as_it_is_understood_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	peer_to a
	expect 0 "*" peer State 1=a 99=later 98:7
	[ "$(field 1)" = a ] || node_fail "not its state"
	expect 1 "*" peer Later 1=a
	grep -q "^error 12 " out || node_fail "not unimplemented"
	# What is joined last is awaited.
	for method in Later Join Leave; do
		expect 0 "*" "$PEER" "$SOCKET" group "$method" later
	done
	expect 0 yes task_exec a e echo yes
	node_end
}

# of_pod TYPE ID COMMAND...: of a pod p, as CRI has it.
of_pod() {
	_type=$1
	shift
	task_run --annotation=io.kubernetes.cri.sandbox-id=p \
	    --annotation=io.kubernetes.cri.sandbox-namespace=blue \
	    --annotation="io.kubernetes.cri.container-type=$_type" "$@"
}

node_test a_later_configuration_concerns_new_pods_alone \
    "A key that is not known is named; pods that run go on and end"
a_later_configuration_concerns_new_pods_alone_body() {
	node_begin
	expect 0 "" pod_run blue --rm warm true
	leak_before
	expect 0 "*" of_pod sandbox -d p /pause
	echo "REAPER_LATER=1" >"$REGRESS_DIR/reaper.conf"
	expect_refusal "line 1: REAPER_LATER: .*no such setting" \
	    pod_run blue --rm x true
	expect 3 "" of_pod container --rm a sh -c 'exit 3'
	task_end p
	leak_after || atf_fail "something was left"
	: >"$REGRESS_DIR/reaper.conf"
	expect 0 "" pod_run blue --rm x true
	node_end
}

node_test the_command_line_serves_shims_of_another_version \
    "state, exec, kill, delete, and after the death of the shim"
the_command_line_serves_shims_of_another_version_body() {
	upgrade_begin
	mkdir bundle
	spec_make bundle/config.json . sleep 1000
	id=a${REGRESS_DIR##*.}
	for from in now other; do
		install_from "$from"
		[ "$from" = now ] && to=other || to=now
		for way in kill die; do
			expect 0 "" programs/reaper-runtime run --detach \
			    --bundle bundle "$id"
			install_from "$to"
			expect 0 running sh -c "programs/reaper-runtime state \
			    $id | jq -r .status"
			expect 4 yes programs/reaper-runtime exec "$id" sh -c \
			    'echo yes; exit 4'
			case $way in
			kill) expect 0 "" programs/reaper-runtime kill "$id" \
			    KILL ;;
			die) kill -9 "$(shim_pid)" "$(helper_pid)" ;;
			esac
			until_true 10 sh -c "programs/reaper-runtime state \
			    $id | grep -q stopped" || node_fail "it runs on"
			expect 0 "" programs/reaper-runtime delete "$id"
			[ ! -e "$REGRESS_DIR/reaper/$id" ] ||
			    node_fail "its state is left"
			[ -z "$(ls "$REGRESS_DIR/reaper/_bundles")" ] ||
			    node_fail "its bundle is left"
			install_from "$from"
		done
	done
	node_end
}

atf_init_test_cases() {
	node_add
}
