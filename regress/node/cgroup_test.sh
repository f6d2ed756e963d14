# shellcheck shell=sh
# What the kernel counts, limits, freezes and kills by the cgroup of a task.

. "$(atf_get_srcdir)/../lib/node.sh"

# cgroup_at CONTROLLER ID: the directory of a task that ctr has run.
cgroup_at() {
	if [ -d "/sys/fs/cgroup/$1" ]; then
		echo "/sys/fs/cgroup/$1/$REGRESS_NAMESPACE/$2"
	else
		echo "/sys/fs/cgroup/$REGRESS_NAMESPACE/$2"
	fi
}

# cgroup_says CONTROLLER ID V1 V2 VALUE: the file, by either of its names.
cgroup_says() {
	_dir=$(cgroup_at "$1" "$2")
	_file=$3
	[ -e "$_dir/$3" ] || _file=$4
	[ "$(cat "$_dir/$_file")" = "$5" ] ||
	    node_fail "$_file is $(cat "$_dir/$_file"), not $5"
}

# is_there CONTROLLER: the node has it, in either version.
is_there() {
	[ -d "/sys/fs/cgroup/$1" ] ||
	    grep -qw "$1" /sys/fs/cgroup/cgroup.controllers 2>/dev/null
}

need() {
	for _controller; do
		is_there "$_controller" || atf_skip "no controller $_controller"
	done
}

pid_of() {
	ctr_ task ls | awk -v id="$1" '$1 == id { print $2 }'
}

node_test a_task_and_its_execs_are_in_a_cgroup_of_their_own \
    "at the path that the bundle names, and their children too"
a_task_and_its_execs_are_in_a_cgroup_of_their_own_body() {
	need memory pids
	node_begin
	expect 0 "*" task_run -d a sh -c 'sleep 4321 & exec sleep 4321'
	task_exec a e sleep 4321 &
	for controller in memory pids; do
		until_true 10 are_in $controller 3 ||
		    node_fail "not these processes"
	done
	node_end
}

# are_in CONTROLLER NUMBER: so many sleep, and nothing else.
are_in() {
	[ "$(pids_of sleep | wc -l)" = "$2" ] &&
	    [ "$(sort "$(cgroup_at "$1" a)/cgroup.procs")" = \
	    "$(pids_of sleep | sort)" ]
}

node_test a_task_without_a_path_has_a_cgroup_too "ctr --cgroup ''"
a_task_without_a_path_has_a_cgroup_too_body() {
	need memory
	node_begin
	expect 0 "*" task_run --cgroup= -d a sleep 4321
	grep -Eq ":(memory)?:/reaper:$REGRESS_NAMESPACE:a$" \
	    "/proc/$(pids_of sleep)/cgroup" ||
	    node_fail "not in one of its own"
	node_end
}

node_test limits_are_those_of_the_bundle "CPU, memory, processes"
limits_are_those_of_the_bundle_body() {
	need cpu memory pids
	node_begin
	spec_make a.json '.linux.cgroupsPath = "/" + env.REGRESS_NAMESPACE + "/a" |
	    .linux.resources = { cpu: { shares: 512, quota: 20000,
	    period: 50000 }, memory: { limit: 33554432 },
	    pids: { limit: 77 } }' sleep 4321
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" --null-io \
	    --config a.json a
	if is_v1 cpu; then
		cgroup_says cpu a cpu.shares - 512
		cgroup_says cpu a cpu.cfs_quota_us - 20000
		cgroup_says cpu a cpu.cfs_period_us - 50000
	else
		cgroup_says cpu a - cpu.weight 20
		cgroup_says cpu a - cpu.max "20000 50000"
	fi
	cgroup_says memory a memory.limit_in_bytes memory.max 33554432
	cgroup_says pids a pids.max pids.max 77
	node_end
}

is_v1() {
	[ -d "/sys/fs/cgroup/$1" ]
}

node_test a_limit_that_the_kernel_refuses_is_named \
    "and nothing is left of the task"
a_limit_that_the_kernel_refuses_is_named_body() {
	need cpu
	node_begin
	expect 0 "" task_run --rm warm true
	leak_before
	spec_make a.json '.linux.resources.cpu.cpus = "4000"' true
	expect 1 "*" ctr_ run --runtime "$REGRESS_RUNTIME" --null-io \
	    --config a.json a
	grep -q '4000 to cpuset.cpus' err || node_fail "not named"
	expect 0 "*" ctr_ container rm a
	leak_after || atf_fail "something was left"
	node_end
}

node_test processors_are_those_of_the_bundle "and of its parent otherwise"
processors_are_those_of_the_bundle_body() {
	need cpuset
	node_begin
	spec_make a.json '.linux.cgroupsPath = "/" + env.REGRESS_NAMESPACE +
	    "/a" | .linux.resources.cpu.cpus = "0"' sleep 4321
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" --null-io \
	    --config a.json a
	cgroup_says cpuset a cpuset.cpus cpuset.cpus 0
	[ "$(status_of "$(pid_of a)" Cpus_allowed_list)" = 0 ] ||
	    node_fail "it may run elsewhere"
	expect 0 0 task_exec a e sh -c \
	    'sed -n "s/^Cpus_allowed_list:[[:space:]]*//p" /proc/self/status'
	node_end
}

node_test an_update_changes_limits_of_a_task_that_runs \
    "what kubelet sends when a pod is resized"
an_update_changes_limits_of_a_task_that_runs_body() {
	need cpu memory pids
	node_begin
	expect 0 "*" task_run -d --memory-limit=33554432 a sleep 4321
	peer_to a
	update '{"memory":{"limit":67108864},"pids":{"limit":55},
	    "cpu":{"quota":30000,"period":100000}}'
	cgroup_says memory a memory.limit_in_bytes memory.max 67108864
	cgroup_says pids a pids.max pids.max 55
	cgroup_says cpu a cpu.cfs_quota_us cpu.max \
	    "$(is_v1 cpu && echo 30000 || echo 30000 100000)"
	update '{"memory":{"limit":-1},"pids":{"limit":-1},
	    "cpu":{"quota":-1,"period":100000}}'
	cgroup_says pids a pids.max pids.max max
	node_end
}

# update JSON: of the task a.
update() {
	expect 0 "" peer Update 1=a "2@$1"
}

node_test an_update_that_cannot_be_is_refused \
    "with the field's name, and the task goes on"
an_update_that_cannot_be_is_refused_body() {
	need pids
	node_begin
	expect 0 "*" task_run -d a sleep 4321
	peer_to a
	expect 1 "*" peer Update 1=a '2@{"pids":{"limit":-2}}'
	grep -q '^error 3 .*pids.limit: -2: expected' out ||
	    node_fail "not named"
	expect 1 "*" peer Update 1=a 2@nonsense
	grep -q '^error 3 .*not valid JSON' out || node_fail "not named"
	expect 1 "*" peer Update 1=b '2@{}'
	grep -q '^error 5 ' out || node_fail "it is not NotFound"
	task_is a RUNNING || node_fail "the task has ended"
	node_end
}

node_test statistics_are_what_the_kernel_counts \
    "ctr task metrics; memory, CPU and processes"
statistics_are_what_the_kernel_counts_body() {
	need cpuacct memory pids
	node_begin
	expect 0 "*" task_run -d --memory-limit=33554432 a \
	    perl -e '$x = "x" x 8e6; $| = 1; print "ready\n"; sleep 4321'
	until_true 10 grows || node_fail "its memory is not counted"
	expect 0 "*" ctr_ task metrics a
	metric memory.limit_in_bytes 33554432
	metric pids.current 1
	[ "$(awk '$1 == "cpuacct.usage" { print $2 }' out)" -gt 1000000 ] ||
	    node_fail "no CPU was used"
	node_end
}

# grows: the task has touched its 8 MB.
grows() {
	ctr_ task metrics a >metrics &&
	    [ "$(awk '$1 == "memory.usage_in_bytes" { print $2 }' metrics)" \
	    -gt 8000000 ]
}

metric() {
	[ "$(awk -v name="$1" '$1 == name { print $2 }' out)" = "$2" ] ||
	    node_fail "$1 is not $2"
}

node_test there_are_no_statistics_of_what_has_ended \
    "NotFound, code 5, which containerd passes over; also for unknown tasks"
there_are_no_statistics_of_what_has_ended_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 4321
	peer_to a
	expect 1 'error 5 no container "b"' peer Stats 1=b
	# Signal 0 asks whether it is there.
	expect 0 "*" peer Kill 1=a 3:0
	expect 1 "*" peer Kill 1=b 3:0
	expect 0 "*" ctr_ task kill -s KILL a
	until_true 10 task_is a STOPPED || node_fail "it lives"
	expect 1 'error 5 container "a" has ended' peer Stats 1=a
	node_end
}

node_test a_paused_task_does_not_run "nor its children; resumed, they do"
a_paused_task_does_not_run_body() {
	node_begin
	expect 0 "*" task_run -d a sh -c \
	    'while :; do for n in 1 2 3 4 5 6 7 8 9; do :; done; done &
	    while :; do :; done'
	expect 0 "" ctr_ task pause a
	task_is a PAUSED || node_fail "not PAUSED"
	ticks_of_a >before
	# What runs gets a tick of a hundredth of a second by then.
	timeout 0.3 sh -c 'while :; do :; done'
	ticks_of_a | cmp -s before - || node_fail "it runs"
	expect 1 "*" task_exec a e true
	grep -q 'is paused' err || node_fail "an exec is not refused"
	expect 1 "*" ctr_ task pause a
	expect 0 "" ctr_ task resume a
	task_is a RUNNING || node_fail "not RUNNING"
	until_true 10 have_ticked || node_fail "it does not run"
	expect 1 "*" ctr_ task resume a
	node_end
}

# ticks_of_a: what its processes have used of the CPU.
ticks_of_a() {
	for _pid in $(ctr_ task ps a | awk 'NR > 1 { print $1 }'); do
		cut -d ' ' -f 1,14,15 "/proc/$_pid/stat"
	done
}

have_ticked() {
	! ticks_of_a | cmp -s before -
}

node_test a_paused_task_can_be_killed "it need not be resumed"
a_paused_task_can_be_killed_body() {
	node_begin
	expect 0 "" task_run --rm warm true
	leak_before
	expect 0 "*" task_run -d a sh -c 'sleep 4321 & exec sleep 4321'
	expect 0 "" ctr_ task pause a
	expect 0 "" ctr_ task kill -s KILL a
	until_true 10 task_is a STOPPED || node_fail "it lives"
	expect_removed a 137
	expect 0 "*" ctr_ container rm a
	leak_after || atf_fail "something was left"
	node_end
}

node_test a_fork_bomb_can_be_paused_and_killed "and stays within its limit"
a_fork_bomb_can_be_paused_and_killed_body() {
	need pids
	node_begin
	expect 0 "" task_run --rm warm true
	leak_before
	spec_make a.json '.linux.cgroupsPath = "/" + env.REGRESS_NAMESPACE + "/a" |
	    .linux.resources.pids.limit = 100' \
	    perl -e 'fork while 1'
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" --null-io \
	    --config a.json a
	until_true 20 is_full || node_fail "it does not grow"
	expect 0 "" ctr_ task pause a
	task_is a PAUSED || node_fail "not PAUSED"
	expect 0 "" ctr_ task resume a
	expect 0 "" ctr_ task kill -s KILL a
	until_true 20 task_is a STOPPED || node_fail "it lives"
	task_end a
	leak_after || atf_fail "something was left"
	node_end
}

is_full() {
	[ "$(cat "$(cgroup_at pids a)/pids.current")" -ge 95 ]
}

node_test a_kill_for_want_of_memory_is_told \
    "TaskOOM before the exit, whose code is 137"
a_kill_for_want_of_memory_is_told_body() {
	need memory
	node_begin
	events_begin
	expect 137 "*" task_run --memory-limit=33554432 --rm a \
	    perl -e '$x = "x" x 1e8; print length $x'
	until_true 10 grep -q /tasks/delete events
	[ "$(sed -n 's,.* /tasks/\([a-z]*\) .*,\1,p' events | tr '\n' ' ')" = \
	    "create start oom exit delete " ] ||
	    node_fail "other events: $(cat events)"
	node_end
}

node_test a_kill_of_a_child_for_want_of_memory_is_told_at_once \
    "of an exec, and the task goes on"
a_kill_of_a_child_for_want_of_memory_is_told_at_once_body() {
	need memory
	node_begin
	events_begin
	expect 0 "*" task_run -d --memory-limit=33554432 a sleep 4321
	expect 137 "*" task_exec a e \
	    perl -e '$x = "x" x 1e8; print length $x'
	until_true 10 grep -q '/tasks/oom {"container_id":"a"}' events ||
	    node_fail "not told: $(cat events)"
	task_is a RUNNING || node_fail "the task has ended"
	expect 0 "*" ctr_ task kill -s TERM a
	until_true 10 task_is a STOPPED || node_fail "it lives"
	[ "$(grep -c /tasks/oom events)" = 1 ] || node_fail "told twice"
	node_end
}

node_test all_processes_are_listed "those of execs with their ids"
all_processes_are_listed_body() {
	need pids
	node_begin
	expect 0 "*" task_run -d a sh -c 'sleep 4321 & exec sleep 4321'
	until_true 10 runs sleep 4321
	expect 0 "*" ctr_ task exec -d --exec-id=e1 \
	    --fifo-dir "$REGRESS_DIR/fifo" a sleep 1234
	until_true 10 runs sleep 1234 || node_fail "the exec does not run"
	until_true 10 are_listed || node_fail "not all"
	grep -q 'e1' out || node_fail "the exec has no name"
	node_end
}

# are_listed: three that sleep, and nothing else.
are_listed() {
	ctr_ task ps a >out
	[ "$(pids_of sleep | wc -l)" = 3 ] &&
	    [ "$(awk 'NR > 1 { print $1 }' out | sort)" = \
	    "$(pids_of sleep | sort)" ]
}

node_test a_cgroup_is_removed_with_its_task "whatever has died"
a_cgroup_is_removed_with_its_task_body() {
	node_begin
	for victim in workload helper_pid shim_pid init_pid; do
		expect 0 "*" task_run -d a sh -c 'sleep 4321 & exec sleep 4321'
		until_true 10 runs sleep 4321
		case $victim in
		workload) kill -9 "$(pid_of a)" ;;
		*) kill -9 "$($victim)" ;;
		esac
		until_true 10 not runs sleep 4321 || node_fail "it lives"
		task_end a
		until_true 10 no_cgroups ||
		    node_fail "of a killed $victim: $(cgroups_of "$REGRESS_NAMESPACE")"
	done
	node_end
}

no_cgroups() {
	[ -z "$(cgroups_of "$REGRESS_NAMESPACE")" ]
}

node_test a_task_in_the_pid_namespace_of_the_host_ends_as_a_whole \
    "also what has left its parents and its session"
a_task_in_the_pid_namespace_of_the_host_ends_as_a_whole_body() {
	node_begin
	expect 0 "" task_run --rm warm true
	leak_before
	spec_make a.json '.linux.namespaces |= map(select(.type != "pid"))' \
	    sh -c '(setsid sleep 4321 &) & sleep 1234'
	for death in workload helper; do
		expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" \
		    --null-io --config a.json a
		until_true 10 runs sleep 4321 || node_fail "no daemon"
		case $death in
		workload) kill -9 "$(pid_of a)" ;;
		helper) kill -9 "$(helper_pid)" ;;
		esac
		until_true 10 not runs sleep 1234 || node_fail "it lives"
		task_end a
		until_true 10 not runs sleep 4321 ||
		    node_fail "with the $death its daemon did not end"
	done
	leak_after || atf_fail "something was left"
	node_end
}

# The node's own hierarchies stay as they are: a mount namespace of the test
# has others in their place.

node_test version_2_alone_is_enough "paths, freezing, killing, removing"
version_2_alone_is_enough_body() {
	node_isolated
	mount -t cgroup2 cgroup2 /sys/fs/cgroup || atf_skip "no version 2"
	node_begin
	expect 0 "" ctr_ run --rm --runtime "$REGRESS_RUNTIME" --cpu-shares=0 \
	    --null-io --rootfs "$REGRESS_DIR/rootfs" warm true
	leak_before
	spec_make a.json '.linux.cgroupsPath = "/" + env.REGRESS_NAMESPACE +
	    "/a"' sh -c 'cat /proc/self/cgroup; ls /sys/fs/cgroup/cgroup.procs
	    sleep 4321 & exec sleep 4321'
	ctr_ run --runtime "$REGRESS_RUNTIME" --fifo-dir "$REGRESS_DIR/fifo" \
	    --config a.json a >a.out &
	until_true 10 are_alone || node_fail "not these processes"
	# What it has said need not have come yet.
	until_true 10 grep -qx /sys/fs/cgroup/cgroup.procs a.out &&
	    grep -qx 0::/ a.out || node_fail "it sees more than its own"
	life_of_a
	leak_after || atf_fail "something was left"
	node_end
}

# are_alone: two that sleep are in the cgroup.
are_alone() {
	[ "$(wc -l <"/sys/fs/cgroup/$REGRESS_NAMESPACE/a/cgroup.procs")" = 2 ]
}

# life_of_a: it is listed, paused, resumed, and killed while it is paused.
life_of_a() {
	expect 0 "*" ctr_ task ps a
	[ "$(wc -l <out)" = 3 ] || node_fail "not all are listed"
	expect 0 "" ctr_ task pause a
	task_is a PAUSED || node_fail "not PAUSED"
	expect 0 "" ctr_ task resume a
	task_is a RUNNING || node_fail "not RUNNING"
	expect 0 "" ctr_ task pause a
	expect 0 "" ctr_ task kill -s KILL a
	until_true 10 not task_is a PAUSED || node_fail "it lives"
	task_end a
}

node_test a_limit_without_a_controller_is_refused \
    "rather than not applied, and the file is named"
a_limit_without_a_controller_is_refused_body() {
	node_isolated
	mount -t cgroup2 cgroup2 /sys/fs/cgroup || atf_skip "no version 2"
	! grep -qw memory /sys/fs/cgroup/cgroup.controllers ||
	    atf_skip "version 2 has the controller"
	node_begin
	spec_make a.json '.linux.resources.memory.limit = 33554432' true
	expect 1 "*" ctr_ run --runtime "$REGRESS_RUNTIME" --null-io \
	    --config a.json a
	grep -q '33554432 to memory.max' err || node_fail "not named"
	node_end
}

node_test version_1_alone_is_enough "by its freezer"
version_1_alone_is_enough_body() {
	need memory pids freezer
	is_v1 freezer || atf_skip "no version 1"
	node_isolated
	[ ! -d /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified ||
	    atf_fail "version 2 cannot be hidden"
	node_begin
	expect 0 "" task_run --rm warm true
	leak_before
	expect 0 "*" task_run -d a sh -c 'sleep 4321 & exec sleep 4321'
	until_true 10 are_in freezer 2 || node_fail "not these processes"
	life_of_a
	leak_after || atf_fail "something was left"
	spec_make b.json '.linux.namespaces |= map(select(.type != "pid"))' \
	    true
	expect 1 "*" ctr_ run --runtime "$REGRESS_RUNTIME" --null-io \
	    --config b.json b
	grep -q 'needs a pid namespace of its own' err ||
	    node_fail "refused for another reason"
	node_end
}

atf_init_test_cases() {
	node_add
}
