# shellcheck shell=sh
# A place where no more can be written: an error that names it, everything ends
# as it should, and with room again the next one starts.

. "$(atf_get_srcdir)/../lib/node.sh"

# small DIR OPTIONS: a filesystem of its own there.
small() {
	mkdir -p "$1" &&
	    mount -t tmpfs -o "mode=0700,$2" tmpfs "$1" ||
	    atf_fail "no filesystem on $1"
}

# fill DIR: until neither a file nor a byte more can be had there; unfill DIR.
fill() {
	mkdir "$1/full" || atf_fail "$1 is full"
	dd if=/dev/zero of="$1/full/bytes" bs=4k 2>/dev/null
	until ! touch "$1/full/$((_n += 1))" 2>/dev/null; do
		[ "$_n" -lt 1000 ] || atf_fail "$1 does not become full"
	done
}

unfill() {
	rm -r "$1/full"
}

# leak_after_but KEY: nothing is left but what there is of an overlay, which
# stays.
leak_after_but() {
	until_true 10 leak_none_but "$1" || {
		diff "$REGRESS_DIR/leak.before" after >&2
		atf_fail "something was left"
	}
}

leak_none_but() {
	leak_list | grep -v "/$1" | sort >after
	cmp -s "$REGRESS_DIR/leak.before" after
}

# A command that ends with 3 when it is told to.
PATIENT='trap "exit 3" TERM; while :; do sleep 0.05; done'

# goes_on_to_its_end ID: whatever is full.
goes_on_to_its_end() {
	expect 5 yes task_exec "$1" e sh -c 'echo yes; exit 5'
	expect 0 "" ctr_ task kill "$1"
	until_true 10 task_is "$1" STOPPED || node_fail "$1 does not end"
	expect_removed "$1" 3
	expect 0 "" ctr_ container rm "$1"
}

node_test a_full_runtime_root_is_named \
    "Neither state nor overlay can be kept; what runs ends as it should"
a_full_runtime_root_is_named_body() {
	node_begin
	root=$REGRESS_DIR/reaper
	small "$root" size=128k,nr_inodes=100
	expect 0 "" task_run --rm warm true
	leak_before
	expect 0 "*" task_run -d a sh -c "$PATIENT"
	fill "$root"
	expect_refusal "keeping the state: $root: no space left" \
	    task_run --rm b true
	expect_refusal "keeping the state: $root: no space left" \
	    pod_run blue --rm c true
	goes_on_to_its_end a
	# Room for a part of it by now: what is short first is named.
	expect_refusal "(building the overlay: .*blue|keeping the state: $root).*: no space left" \
	    pod_run blue --rm c true
	unfill "$root"
	leak_after_but blue
	expect 4 "" pod_run blue --rm c sh -c 'exit 4'
	node_end
}

node_test an_end_is_known_where_no_state_can_be_written \
    "Shim and helper are killed, and containerd asks delete"
an_end_is_known_where_no_state_can_be_written_body() {
	node_begin
	root=$REGRESS_DIR/reaper
	small "$root" size=128k,nr_inodes=100
	expect 0 "" task_run --rm warm true
	ctr --address "$REGRESS_DIR/c.sock" events >events 2>&1 &
	subscriber=$!
	until_true 10 events_flow || atf_fail "no events"
	expect 0 "*" task_run -d a sh -c "$PATIENT"
	expect 0 "" task_exec a e true
	fill "$root"
	expect 0 "" ctr_ task kill a
	until_true 10 task_is a STOPPED || node_fail "a does not end"
	grep -q "state.json was not written" "$REGRESS_DIR/containerd.log" ||
	    node_fail "it could be written"
	kill -9 "$(shim_pid)" "$(helper_pid)"
	until_true 10 grep -q '/tasks/delete.*"a"' events ||
	    node_fail "containerd tells of no end"
	grep '/tasks/delete.*"a"' events | grep -q '"exit_status":3' ||
	    node_fail "another end: $(grep '/tasks/delete' events)"
	[ ! -e "$root/a" ] || node_fail "its state is left"
	kill "$subscriber"
	until_true 10 ctr_ container rm a || node_fail "it is not removed"
	node_end
}

# base_begin OPTIONS: overlays lie on a small filesystem, $BASE.
base_begin() {
	node_begin
	BASE=/run/base
	small "$BASE" "$1"
	printf '%s\n' "REAPER_OVERLAY_BASE=$BASE" REAPER_OVERLAY_SIZE=none \
	    >"$REGRESS_DIR/reaper.conf"
	expect 0 "" pod_run blue --rm warm true
	leak_before
}

node_test a_full_filesystem_of_overlays_is_the_workloads_to_see \
    "ENOSPC; it is killed and removed; another overlay is refused"
a_full_filesystem_of_overlays_is_the_workloads_to_see_body() {
	base_begin size=256k,nr_inodes=200
	expect 0 "*" pod_run blue -d a sh -c "$PATIENT"
	expect 1 "*" task_exec a e1 dd if=/dev/zero of=/tmp/regress bs=4k
	cat out err | grep -q "No space left" || node_fail "not for its size"
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 7 "" task_exec a e2 sh -c '
		while touch /tmp/regress.$((n += 1)) 2>/dev/null; do :; done
		exit 7'
	# In the one that stands a container needs no room.
	expect 4 "" pod_run blue --rm b sh -c 'exit 4'
	expect_refusal "building the overlay: overlay/green: no space left" \
	    pod_run green --rm c true
	goes_on_to_its_end a
	expect 0 "" pod_run blue --rm d sh -c 'rm /tmp/regress*'
	leak_after || atf_fail "something was left"
	expect 4 "" pod_run green --rm c sh -c 'exit 4'
	node_end
}

node_test an_overlay_that_is_cut_short_for_want_of_room_is_built_later \
    "At every inode that it needs, until it has all"
an_overlay_that_is_cut_short_for_want_of_room_is_built_later_body() {
	base_begin size=256k,nr_inodes=200
	fill "$BASE"
	n=0
	until pod_run green --rm "c$n" sh -c 'exit 4' >out 2>err; [ $? -eq 4 ]
	do
		n=$((n + 1))
		grep -qi "no space left" err || node_fail "another failure"
		[ "$n" -lt 20 ] || node_fail "it is never built"
		ctr_ container rm "c$((n - 1))" >/dev/null 2>&1
		rm "$BASE/full/$n"
	done
	[ "$n" -gt 2 ] || node_fail "it is never cut short"
	unfill "$BASE"
	leak_after_but green
	expect 0 "" pod_run green --rm d touch /etc/regress /tmp/regress \
	    /run/regress
	node_end
}

node_test a_full_directory_of_bundles_is_told_of \
    "by start, whose shim ends; delete removes what there is"
a_full_directory_of_bundles_is_told_of_body() {
	node_begin
	mkdir "$REGRESS_DIR/bundles"
	small "$REGRESS_DIR/bundles" size=128k,nr_inodes=20
	bundle=$(bundle_make a)
	spec_make "$bundle/config.json" . true
	expect 0 "" task_run --rm warm true
	leak_before
	fill "$REGRESS_DIR/bundles"
	for free in 0 1; do
		[ "$free" -eq 0 ] || rm "$REGRESS_DIR/bundles/full/$free"
		expect_refusal "the bundle's (links|address file): no space" \
		    shim_do "$bundle" start a
		shim_gone "$bundle" a
		leak_after || atf_fail "something was left"
	done
	unfill "$REGRESS_DIR/bundles"
	expect 0 "*" shim_do "$bundle" start a
	expect 0 "*" shim_do "$bundle" delete a
	leak_after || atf_fail "something was left"
	node_end
}

node_test a_full_directory_of_sockets_is_named \
    "and when there is room again the same task starts"
a_full_directory_of_sockets_is_named_body() {
	node_begin
	expect 0 "" task_run --rm warm true
	small /run/containerd/s size=64k,nr_inodes=8
	leak_before
	fill /run/containerd/s
	for free in 0 1; do
		[ "$free" -eq 0 ] || rm "/run/containerd/s/full/$free"
		expect_refusal "/run/containerd/s.*: no space left" \
		    task_run --rm a true
	done
	unfill /run/containerd/s
	leak_after || atf_fail "something was left"
	expect 4 "" task_run --rm a sh -c 'exit 4'
	umount /run/containerd/s
	node_end
}

atf_init_test_cases() {
	node_add
}
