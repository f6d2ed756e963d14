# shellcheck shell=sh
# What a hostile workload might do, and whoever writes its bundle.

. "$(atf_get_srcdir)/../lib/node.sh"

# spec_start ID FILTER COMMAND [ARG...]: run it in the background.
spec_start() {
	_id=$1
	shift
	spec_make "$_id.json" "$@"
	expect 0 "" ctr_ run -d --runtime "$REGRESS_RUNTIME" --null-io \
	    --config "$_id.json" "$_id"
}

# A script for a workload that may mount, at a place of its own, which others
# of its overlay see: cgroups below its own.
# shellcheck disable=SC2016 # the workload's shell expands it
CGROUPS_MADE='d=/mnt/$$; mkdir -p $d/1 $d/2
mount -t cgroup2 cgroup2 $d/2 || exit 3
mkdir -p "$d/2/$(sed -n s/^0:://p /proc/self/cgroup)/a/b/c" || exit 4
! grep -q :memory: /proc/self/cgroup && exit 0
mount -t cgroup -o memory cgroup $d/1 || exit 5
mkdir -p "$d/1/$(sed -n s/^.*:memory://p /proc/self/cgroup)/a/b/c"'

node_test cgroups_that_a_workload_has_made_go_with_it \
    "and do not keep its end from being told; also if the helper dies"
cgroups_that_a_workload_has_made_go_with_it_body() {
	node_begin
	expect 0 "" task_run --privileged --rm warm true
	leak_before
	spec_start a "$PRIVILEGED" sh -c "($CGROUPS_MADE) && exit 7"
	until_true 10 task_is a STOPPED || node_fail "its end is not told"
	expect_removed a 7
	expect 0 "" ctr_ container rm a
	leak_after || atf_fail "something was left"
	spec_start b "$PRIVILEGED" sh -c "($CGROUPS_MADE) && exec sleep 1000"
	until_true 10 runs sleep 1000 || node_fail "it does not run"
	kill -9 "$(helper_pid)"
	until_true 10 not task_is b RUNNING || node_fail "its end is not told"
	task_end b
	leak_after || atf_fail "something was left of a killed helper"
	node_end
}

node_test a_second_container_of_a_name_does_not_harm_the_first \
    "in another namespace of containerd; it is refused"
a_second_container_of_a_name_does_not_harm_the_first_body() {
	node_begin
	expect 0 "" task_run -d a sleep 1000
	find "$REGRESS_DIR/reaper/a" >before
	(
		REGRESS_NAMESPACE=other
		expect_refusal "keeping the state: .*/reaper: file exists" \
		    task_run --rm a true
	) || exit 1
	! grep -q 'the helper does not end' "$REGRESS_DIR/containerd.log" ||
	    node_fail "what is left of it is looked for with the first"
	find "$REGRESS_DIR/reaper/a" | diff before - >err ||
	    node_fail "the first has lost its state"
	task_is a RUNNING || node_fail "the first has ended"
	node_end
}

node_test a_second_container_in_a_cgroup_does_not_harm_the_first \
    "where that is what is killed; it is refused"
a_second_container_in_a_cgroup_does_not_harm_the_first_body() {
	node_isolated
	mount -t cgroup2 cgroup2 /sys/fs/cgroup || atf_skip "no version 2"
	node_begin
	cgroup='.linux.cgroupsPath = "/" + env.REGRESS_NAMESPACE + "/a" |
	    .linux.namespaces |= map(select(.type != "pid"))'
	spec_start a "$cgroup" sleep 1000
	expect_refusal "making the cgroup: file exists" spec_run b "$cgroup" \
	    true
	task_is a RUNNING || node_fail "the first has ended"
	node_end
}

# A script that does something to each new process of the helper's, as which an
# exec begins, by its pid $p.
STEPS='for p in /proc/[0-9]*; do p=${p#/proc/}; done
while :; do
	for p in /proc/[0-9]*; do
		p=${p#/proc/}
		[ $p -gt 1 ] && read -r c <"/proc/$p/comm" || continue
		case $c in reaper-p*) ;; *) continue ;; esac
		ACT
	done
done 2>/dev/null'

# exec_begin EXEC: in a, in the background.
exec_begin() {
	ctr --address "$REGRESS_DIR/c.sock" --namespace "$REGRESS_NAMESPACE" \
	    task exec --fifo-dir "$REGRESS_DIR/fifo" --exec-id "$1" a true \
	    >/dev/null 2>&1 &
}

# steps_until FILE: execs in a, until the workload has written the file.
steps_until() {
	_n=0
	while [ ! -s "$1" ]; do
		_n=$((_n + 1))
		[ $_n -lt 200 ] || atf_skip "no exec was seen at its beginning"
		exec_begin "e$_n"
		until_true 1 not is_alive $! || break
	done
}

node_test an_exec_that_the_workload_stops_holds_nothing_up \
    "root there may signal it before it is executed"
an_exec_that_the_workload_stops_holds_nothing_up_body() {
	node_begin
	mkdir /run/volume
	spec_start a '.mounts += [{type: "bind", source: "/run/volume",
	    destination: "/volume", options: ["rbind"]}]' sh -c "$(echo \
	    "$STEPS" | sed 's/ACT/kill -STOP $p \&\& echo $p >\/volume\/hit/')"
	steps_until /run/volume/hit
	# Some of them early enough.
	for n in 1 2 3 4 5 6 7 8; do
		exec_begin "f$n"
	done
	task_run --annotation=io.containerd.runc.v2.group=a --rm b true \
	    >/dev/null 2>&1 &
	until_true 15 not is_alive $! || node_fail "another container waits"
	expect 0 "" ctr_ task kill -s KILL a
	until_true 10 task_is a STOPPED || node_fail "it is not killed"
	node_end
}

node_test a_beginning_exec_shows_a_workload_no_other_root \
    "not the node's, in which it begins"
a_beginning_exec_shows_a_workload_no_other_root_body() {
	node_begin
	mkdir /run/volume
	# Its own has /volume.
	spec_start a '.mounts += [{type: "bind", source: "/run/volume",
	    destination: "/volume", options: ["rbind"]}]' sh -c "$(echo \
	    "$STEPS" | sed 's,ACT,set -- /proc/$p/root/*; case "$*" in \
	    "/proc/$p/root/*" | */volume*) ;; *) echo "$*" >/volume/shown ;; \
	    esac; echo $p >/volume/hit,')"
	steps_until /run/volume/hit
	for n in 1 2 3 4 5 6 7 8 9 10; do
		expect 0 "" task_exec a "f$n" true
	done
	[ ! -e /run/volume/shown ] || node_fail "$(cat /run/volume/shown)"
	node_end
}

# kept: how many descriptors shim, helper and publisher have.
kept() {
	for _pid in $(shim_pid) $(helper_pid) $(publisher_pid); do
		find "/proc/$_pid/fd" -mindepth 1 | wc -l
	done
}

kept_as_before() {
	[ "$(kept)" = "$before" ]
}

node_test nothing_is_kept_of_containers_and_execs_that_are_gone \
    "no descriptor, in processes that serve many of them"
nothing_is_kept_of_containers_and_execs_that_are_gone_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	group='.annotations = {"io.containerd.runc.v2.group": "a"} |
	    .linux.resources.pids.limit = 100'
	expect 0 "" spec_run b "$group" true
	expect 0 "" task_exec a e true
	before=$(kept)
	for n in 1 2 3 4 5; do
		expect 0 "" spec_run "b$n" "$group" true
		expect_refusal "no-such" spec_run "c$n" "$group" no-such
		expect 0 "" task_exec a "e$n" true
		expect_refusal "no-such" task_exec a "f$n" no-such
	done
	until_true 10 kept_as_before || node_fail "$before, now $(kept)"
	node_end
}

node_test devices_are_those_of_dev_alone \
    "root makes none elsewhere, and what is there cannot be opened"
devices_are_those_of_dev_alone_body() {
	node_begin
	mkdir /run/volume
	mknod /run/volume/null c 1 3
	expect 0 "" spec_run a '.mounts += [{type: "bind",
	    source: "/run/volume", destination: "/volume",
	    options: ["rbind", "dev"]}, {type: "tmpfs", source: "tmpfs",
	    destination: "/tmpfs", options: ["dev"]}]' sh -c '
	    while read -r _ _ _ _ dir _; do
		[ -d "$dir" ] && mknod "$dir/device" c 1 3 2>/dev/null &&
		    echo "$dir"
	    done </proc/self/mountinfo
	    cat /volume/null 2>/dev/null && echo "it was opened"
	    exit 0'
	node_end
}

atf_init_test_cases() {
	node_add
}
