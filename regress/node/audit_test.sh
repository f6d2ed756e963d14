# shellcheck shell=sh
# reaper-runtime audit: it finds that promises hold, and where they do not.

. "$(atf_get_srcdir)/../lib/node.sh"

CRI=io.kubernetes.cri

# audit_begin: a containerd, and its configuration for the command line.
audit_begin() {
	node_begin
	export REAPER_CONFIG="$REGRESS_DIR/reaper.conf"
	export REAPER_RUNTIME_ROOT="$REGRESS_DIR/reaper"
	RUNTIME=$REGRESS_BUILD/reaper-runtime
}

audit() {
	"$RUNTIME" audit
}

# run_detached ID FILTER COMMAND [ARG...]: of a bundle, in the background.
run_detached() {
	_detached=$1
	shift
	spec_make "$_detached.json" "$@"
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" \
	    --fifo-dir "$REGRESS_DIR/fifo" --config "$_detached.json" \
	    "$_detached"
}

# audit_holds: nothing fails.
audit_holds() {
	"$RUNTIME" audit >out 2>err || {
		grep '^fail' out >&2
		node_fail "something of it does not hold"
	}
}

# audit_fails WHO WHAT: that does, and nothing of anybody else.
audit_fails() {
	if "$RUNTIME" audit >out 2>err; then
		node_fail "nothing fails"
	fi
	awk -F '\t' -v who="$1" -v what="$2" '$1 == "fail" &&
	    index($2, who) == 1 && $3 == what { seen = 1 }
	    END { exit !seen }' out || node_fail "not $1: $2"
	awk -F '\t' -v who="$1" '$1 == "fail" && index($2, who) != 1' \
	    out >other
	[ ! -s other ] || node_fail "more fails: $(cat other)"
}

# count WHO: how many of these it has seen.
count() {
	awk -F '\t' -v who="$1" '{ split($2, words, " ") }
	    words[1] == who && !($2 in seen) { seen[$2]; n++ }
	    END { print n + 0 }' out
}

node_test promises_hold_of_every_kind_of_pod \
    "confined, privileged, on the node's network, with a sandbox, in an exec"
promises_hold_of_every_kind_of_pod_body() {
	audit_begin
	# With it a shim has another file that it locks.
	echo REAPER_UID=65000-65099 >>"$REGRESS_DIR/reaper.conf"
	expect 0 "*" audit
	run_detached a . sh -c 'sleep 1000 & wait'
	run_detached b "$PRIVILEGED" sleep 1000
	run_detached c 'del(.linux.namespaces[] |
	    select(.type == "network"))' sleep 1000
	run_detached d 'del(.linux.namespaces[] | select(.type == "pid")) |
	    .process.user.uid = 1000' sleep 1000
	expect 0 "*" task_run -d --annotation="$CRI.sandbox-id=p" \
	    --annotation="$CRI.sandbox-namespace=default" \
	    --annotation="$CRI.container-type=sandbox" p /pause
	expect 0 "*" task_run -d --annotation="$CRI.sandbox-id=p" \
	    --annotation="$CRI.sandbox-namespace=default" \
	    --annotation="$CRI.container-type=container" m sleep 1000
	task_exec a e sleep 1000 </dev/null >exec.out 2>&1 &
	exec=$!
	until_true 10 runs sleep 1000 || atf_fail "no exec"
	audit_holds
	[ "$(count shim) $(count publisher) $(count helper)" = "5 5 5" ] ||
	    node_fail "not five pods"
	[ "$(count pause)" = 1 ] || node_fail "not one sandbox"
	[ "$(count init)" -ge 4 ] || node_fail "not four of their own pids"
	[ "$(count workload)" -ge 6 ] || node_fail "not six workloads"
	for id in a b c d m; do
		grep -q "^pass	workload [0-9]* ($id)	" out ||
		    node_fail "nothing is said of $id"
	done
	expect 0 "*" ctr_ task kill --signal SIGKILL --exec-id e a
	wait "$exec"
	node_end
}

node_test a_container_that_waits_for_its_start_is_no_failure \
    "its process is a step of the helper, with what that needs"
a_container_that_waits_for_its_start_is_no_failure_body() {
	audit_begin
	mkdir bundle
	spec_make bundle/config.json . sleep 1000
	id=w${REGRESS_DIR##*.}
	expect 0 "" "$RUNTIME" create --bundle bundle "$id"
	audit_holds
	[ "$(count step)" = 1 ] || node_fail "not one step"
	[ "$(count copier)" = "$(pids_of reaper-attend | wc -l)" ] ||
	    node_fail "not who copies its streams"
	expect 0 "" "$RUNTIME" start "$id"
	expect 0 "" "$RUNTIME" delete --force "$id"
	node_end
}

node_test a_file_that_others_can_write_is_a_failure \
    "or that is another's: configuration, program, runtime root"
a_file_that_others_can_write_is_a_failure_body() {
	audit_begin
	run_detached a . sleep 1000
	audit_holds
	chmod 0666 "$REAPER_CONFIG"
	audit_fails node configuration
	chmod 0644 "$REAPER_CONFIG"
	chown 1000 "$REAPER_CONFIG"
	audit_fails node configuration
	chown 0 "$REAPER_CONFIG"
	chmod 0711 "$REAPER_RUNTIME_ROOT"
	audit_fails node "runtime root"
	chmod 0700 "$REAPER_RUNTIME_ROOT"
	chmod 0755 "$REAPER_RUNTIME_ROOT/empty"
	audit_fails "" "root directory is empty and root's"
	grep -q "^fail	node	root directory of shims" out ||
	    node_fail "not the node's"
	chmod 0555 "$REAPER_RUNTIME_ROOT/empty"
	audit_holds
	# Another's program, beside a copy of this one.
	mkdir "$REGRESS_DIR/programs"
	cp "$REGRESS_BUILD/reaper-runtime" "$REGRESS_BUILD/reaper-privsep" \
	    "$REGRESS_BUILD/containerd-shim-reaper-v2" "$REGRESS_DIR/programs"
	RUNTIME=$REGRESS_DIR/programs/reaper-runtime
	audit_holds
	chown 1000 "$REGRESS_DIR/programs/reaper-privsep"
	audit_fails node program
	node_end
}

# impostor NAME ARG...: a process of this name, with these arguments of
# setpriv(1), that has a directory open; its pid is in $IMPOSTOR.
impostor() {
	cp "$(command -v sleep)" "$REGRESS_DIR/$1"
	_impostor=$1
	shift
	setpriv "$@" "$REGRESS_DIR/$_impostor" 1000 9</etc &
	IMPOSTOR=$!
	until_true 10 grep -qx "$(printf %.15s "$_impostor")" \
	    "/proc/$IMPOSTOR/comm" || atf_fail "no impostor"
}

impostor_end() {
	kill "$IMPOSTOR"
	wait "$IMPOSTOR"
}

node_test who_bears_the_name_of_a_role_has_to_be_confined_as_that \
    "a helper, a publisher, or whoever has the shim's user"
who_bears_the_name_of_a_role_has_to_be_confined_as_that_body() {
	audit_begin
	run_detached a . sleep 1000
	audit_holds
	impostor reaper-privsep --reuid 0
	audit_fails "helper $IMPOSTOR" "program on a read-only mount"
	impostor_end
	impostor reaper-publish --reuid 0
	for what in "effective capabilities" "bounding capabilities" \
	    "seccomp filters" "no new privileges" "Max open files" \
	    "root directory is not the node's" "no environment"; do
		audit_fails "publisher $IMPOSTOR" "$what"
	done
	impostor_end
	impostor other --reuid 65521 --regid 65521 --clear-groups
	for what in "bounding capabilities" "seccomp filters" "not dumpable" \
	    "root directory is empty and root's" "descriptors"; do
		audit_fails "shim $IMPOSTOR" "$what"
	done
	impostor_end
	audit_holds
	node_end
}

node_test what_a_workload_should_not_have_is_a_failure \
    "capabilities, namespaces and filters that its bundle does not give it"
what_a_workload_should_not_have_is_a_failure_body() {
	audit_begin
	run_detached a "$PRIVILEGED" sleep 1000
	run_detached b . sleep 1000
	audit_holds
	# What was launched as a privileged one is held against a confined one.
	for bundle in "$REGRESS_DIR"/state/*/*/a; do
		spec_make "$bundle/config.json" . sleep 1000
	done
	for what in "effective capabilities" "bounding capabilities" \
	    "seccomp filters" "no new privileges" \
	    "pid namespace is not the node's" \
	    "cgroup namespace is not the node's"; do
		audit_fails workload "$what"
	done
	! grep -q '^fail.*(b)' out || node_fail "b fails too"
	node_end
}

node_test a_node_without_privileged_pods_is_held_to_that \
    "a helper of before that can still give what no pod may have"
a_node_without_privileged_pods_is_held_to_that_body() {
	audit_begin
	run_detached a . sleep 1000
	audit_holds
	echo REAPER_WORKLOAD_PROFILE=confined >"$REGRESS_DIR/reaper.conf"
	audit_fails helper "bounding capabilities"
	task_end a
	run_detached b . sleep 1000
	audit_holds
	node_end
}

node_test what_a_workload_calls_itself_changes_nothing \
    "it is a workload, by what has started it"
what_a_workload_calls_itself_changes_nothing_body() {
	audit_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	run_detached a . sh -c 'printf reaper-privsep >/proc/self/comm
	    printf "\033[31m" >/proc/$$/task/$$/comm
	    for name in reaper-privsep reaper-publish reaper-init; do
		cp /bin/sleep "/tmp/$name" && "/tmp/$name" 1000 &
	    done; wait'
	for name in reaper-privsep reaper-publish reaper-init; do
		until_true 10 runs "/tmp/$name" 1000 || atf_fail "no $name"
	done
	audit_holds
	[ "$(count helper) $(count publisher) $(count init)" = "1 1 1" ] ||
	    node_fail "they are believed"
	[ "$(count workload)" = 4 ] || node_fail "not four workloads"
	! grep -q "$(printf '\033')" out || node_fail "a terminal is spoken to"
	node_end
}

atf_init_test_cases() {
	node_add
}
