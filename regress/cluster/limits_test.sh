# shellcheck shell=sh
# Limits of pods, what kubelet counts of them, and the cgroups that it keeps.

. "$(atf_get_srcdir)/../lib/cluster.sh"

# resources LIMITS: a jq filter: the container has these limits, and asks for
# as much.
resources() {
	echo ".spec.containers[0].resources = {limits: $1}"
}

# cgroup_find CONTROLLER POD PARENT: leaves in $_cgroup the cgroup of a pod's
# first container, which lies in the pod's own, below this one of kubelet's.
cgroup_find() {
	pod_is "$2" '.status.containerStatuses[0].state | keys[0]' running
	_cgroup=/sys/fs/cgroup/$1
	[ -d "$_cgroup" ] || _cgroup=/sys/fs/cgroup
	_cgroup=$_cgroup$(kubelet_root out)/$3/$(jq -r '"pod\(.metadata.uid)/" +
	    (.status.containerStatuses[0].containerID | ltrimstr("containerd://"))
	    ' out)
	[ -d "$_cgroup" ] || cluster_fail "there is no $_cgroup"
}

# kubelet_root POD: the cgroup of the kubelet of a pod, given as a file.
kubelet_root() {
	sed -n 's/^cgroupRoot: //p' "$REGRESS_CLUSTER/nodes/$(jq -r \
	    .spec.nodeName "$1")/etc/kubelet.yaml"
}

# cgroup_says V1 V2 VALUE: a file of the cgroup that was found, by either name.
cgroup_says() {
	_file=$_cgroup/$1
	[ -e "$_file" ] || _file=$_cgroup/$2
	[ "$(cat "$_file")" = "$3" ] || cluster_fail "$_file is $(cat "$_file")"
}

# cpu_quota MILLICORES: what is then in the file.
cpu_quota() {
	cgroup_says cpu.cfs_quota_us cpu.max \
	    "$([ -e "$_cgroup/cpu.max" ] && echo "$1" 100000 || echo "$1")"
}

is_v1() {
	[ -d /sys/fs/cgroup/memory ]
}

cluster_test limits_of_a_pod_are_in_force \
    "memory and CPU, in the cgroup in which its processes are"
limits_of_a_pod_are_in_force_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM" "$(resources '{cpu: "100m", memory: "64Mi"}')"
	pod_says a ready
	cgroup_find memory a kubepods
	cgroup_says memory.limit_in_bytes memory.max 67108864
	cgroup_find cpu a kubepods
	cpu_quota 10000
	# It ends with the pod.
	kubectl_ exec a -- sleep 4321 >/dev/null 2>&1 &
	until_true "$REGRESS_SECONDS" cgroup_runs "sleep 4321" ||
	    cluster_fail "an exec is elsewhere"
	cgroup_runs "sh -c trap" || cluster_fail "the command is elsewhere"
	cluster_end
}

# cgroup_runs COMMAND: one that begins so is in the cgroup that was found.
cgroup_runs() {
	while read -r _pid; do
		tr '\0' ' ' <"/proc/$_pid/cmdline" | grep -q "^$1" && return
	done <"$_cgroup/cgroup.procs"
	return 1
}

cluster_test a_pod_sees_no_cgroup_but_its_own \
    "whose limit it reads and does not change; names of others are not there"
a_pod_sees_no_cgroup_but_its_own_body() {
	cluster_begin
	pod_make a 'cut -d : -f 3 /proc/self/cgroup | sort -u
	    cd /sys/fs/cgroup
	    find . -type d | grep -Evx "[.](/(cpu|cpuacct|cpuset|memory|pids|unified))?"
	    cat memory.max memory/memory.limit_in_bytes 2>/dev/null
	    for file in memory.max memory/memory.limit_in_bytes new; do
		(echo 100000000 >$file) 2>/dev/null && echo "wrote $file"
	    done; :' "$(resources '{memory: "64Mi"}')"
	pod_reaches a Succeeded
	expect 0 "/
67108864" kubectl_ logs a
	cluster_end
}

cluster_test the_first_process_of_a_pod_names_no_cgroup_of_the_node \
    "it is in the pod's own as all others"
the_first_process_of_a_pod_names_no_cgroup_of_the_node_body() {
	cluster_begin
	atf_expect_fail "reaper-init is in the cgroup of its helper"
	pod_make a 'cut -d : -f 3 /proc/1/cgroup | sort -u'
	pod_reaches a Succeeded
	expect 0 / kubectl_ logs a
	cluster_end
}

cluster_test a_pod_over_its_memory_is_killed_and_started_again \
    "OOMKilled with 137 in its status; its neighbour in the pod runs on"
a_pod_over_its_memory_is_killed_and_started_again_body() {
	cluster_begin
	# Each time what is too much; kubelet waits longer from life to life.
	pod_make a 'exec perl -e "\$x = \"x\" x 200e6; sleep 1000"' \
	    "$(resources '{memory: "32Mi"}') | .spec.restartPolicy = \"Always\" |
	    .spec.containers += [.spec.containers[0] | .name = \"other\" |
		.command[2] = \"exec sleep 1000\"]"
	expect 0 "*" kubectl_ wait pod/a --timeout "${REGRESS_SECONDS}s" --for \
	    'jsonpath={.status.containerStatuses[?(@.name=="main")].restartCount}=1'
	pod_is a "$(of_main '.lastState.terminated | "\(.reason) \(.exitCode)"')" \
	    "OOMKilled 137"
	until_true "$REGRESS_SECONDS" killed_again ||
	    cluster_fail "the second life does not end as the first"
	pod_is a '.status.containerStatuses[] | select(.name == "other") |
	    "\(.restartCount) \(.state | keys[0])"' "0 running"
	cluster_end
}

# of_main FILTER: of the status of the container main.
of_main() {
	echo ".status.containerStatuses[] | select(.name == \"main\") | $1"
}

killed_again() {
	[ "$(kubectl_ get pod a -o json | jq -r "$(of_main \
	    '.state.terminated | "\(.reason) \(.exitCode)"')")" = \
	    "OOMKilled 137" ]
}

cluster_test a_pod_that_is_killed_for_memory_says_so_at_its_end \
    "OOMKilled; one that ends with 137 by itself does not"
a_pod_that_is_killed_for_memory_says_so_at_its_end_body() {
	cluster_begin
	pod_make a 'exec perl -e "\$x = \"x\" x 200e6"' \
	    "$(resources '{memory: "32Mi"}')"
	pod_make b 'exit 137'
	pod_reaches a Failed
	pod_ended a 137
	pod_is a '.status.containerStatuses[0].state.terminated.reason' OOMKilled
	pod_reaches b Failed
	pod_ended b 137
	pod_is b '.status.containerStatuses[0].state.terminated.reason' Error
	cluster_end
}

cluster_test kubelet_counts_what_a_pod_uses \
    "CPU and memory of its container, as kubectl top shows them"
kubelet_counts_what_a_pod_uses_body() {
	cluster_begin
	pod_make a 'exec perl -e "\$x = \"x\" x 20e6; 1 while 1"' \
	    "$(resources '{cpu: "200m", memory: "64Mi"}')"
	pod_reaches a Running
	# kubelet looks every ten seconds, at times.
	until_true 60 is_counted summary ||
	    cluster_fail "not in the kubelet's summary: $(cat counted)"
	until_true 60 is_counted metrics ||
	    cluster_fail "not in the kubelet's metrics: $(cat counted)"
	cluster_end
}

# is_counted WHERE: 10 ms of CPU, and the 20 MB that it has filled.
is_counted() {
	"counted_$1" >counted
	read -r _cpu _memory <counted &&
	    [ "$_cpu" -ge 10000000 ] && [ "$_memory" -ge 20000000 ]
}

# Both: nanoseconds and bytes.
counted_summary() {
	kubelet_get stats/summary | jq -r --arg namespace "$NAMESPACE" '.pods[] |
	    select(.podRef.namespace == $namespace) | .containers[] |
	    "\(.cpu.usageCoreNanoSeconds) \(.memory.workingSetBytes)"'
}

counted_metrics() {
	kubelet_get metrics/resource | awk -v namespace="\"$NAMESPACE\"" '
	    !index($1, namespace) { next }
	    /^container_cpu_usage_seconds_total/ { cpu = $2 * 1e9 }
	    /^container_memory_working_set_bytes/ { memory = $2 }
	    END { printf "%.0f %.0f\n", cpu, memory }'
}

kubelet_get() {
	on_cluster kubectl get --raw "/api/v1/nodes/$(kubectl_ get pod a \
	    -o 'jsonpath={.spec.nodeName}')/proxy/$1"
}

cluster_test a_resize_changes_limits_without_a_restart \
    "up and down, of CPU and memory"
a_resize_changes_limits_without_a_restart_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM" "$(resources '{cpu: "100m", memory: "64Mi"}')"
	pod_says a ready
	cgroup_find memory a kubepods
	before=$_cgroup
	resize 300m 96Mi
	until_true "$REGRESS_SECONDS" resized 30000 100663296 ||
	    cluster_fail "it is not resized"
	resize 100m 48Mi
	until_true "$REGRESS_SECONDS" resized 10000 50331648 ||
	    cluster_fail "it is not resized again"
	cgroup_find memory a kubepods
	[ "$_cgroup" = "$before" ] || cluster_fail "it is another container"
	pod_is a '.status.containerStatuses[0].restartCount' 0
	expect 0 ready kubectl_ logs a
	cluster_end
}

# resize CPU MEMORY
resize() {
	expect 0 "*" kubectl_ patch pod a --subresource resize -p \
	    "$(jq -n --arg cpu "$1" --arg memory "$2" '{spec: {containers: [{
	    name: "main", resources: ({limits: {cpu: $cpu, memory: $memory}} |
	    .requests = .limits)}]}}')"
}

# resized CPU MEMORY: as the files of the cgroup say it.
resized() {
	cgroup_find memory a kubepods
	grep -qsx "$2" "$_cgroup/memory.limit_in_bytes" "$_cgroup/memory.max" &&
	    cgroup_find cpu a kubepods &&
	    grep -Eqs "^$1( 100000)?\$" "$_cgroup/cpu.cfs_quota_us" \
	    "$_cgroup/cpu.max"
}

cluster_test a_busy_pod_gets_no_more_than_its_limit \
    "a tenth of a core; the time of its turns is counted by the kernel"
a_busy_pod_gets_no_more_than_its_limit_body() {
	cluster_begin
	# As many as there are processors, and more.
	pod_make a 'for i in 1 2 3 4; do while :; do :; done & done
	    echo ready; wait' "$(resources '{cpu: "100m"}')"
	pod_says a ready
	cgroup_find cpu a kubepods/burstable
	turns_read
	turns=$_turns used=$_used held=$_held
	until_true 60 turns_passed $((turns + 20)) ||
	    cluster_fail "its turns are not counted"
	turns=$((_turns - turns)) used=$((_used - used))
	echo "$used us in $turns turns of 100000"
	# One turn more may have begun in between.
	[ "$used" -le $(((turns + 1) * 50000)) ] || cluster_fail "it got more"
	[ "$used" -gt 0 ] && [ "$_held" -gt "$held" ] ||
	    cluster_fail "it was not held up"
	cluster_end
}

# turns_read: of the cgroup that was found, the number of periods of 100 ms, of
# those in which it had to wait, and the CPU that it used, in us.
turns_read() {
	_turns=$(awk '/^nr_periods/ { print $2 }' "$_cgroup/cpu.stat")
	_held=$(awk '/^nr_throttled/ { print $2 }' "$_cgroup/cpu.stat")
	_used=$(awk '/^usage_usec/ { print $2 }' "$_cgroup/cpu.stat")
	! is_v1 || _used=$(($(cat "$(echo "$_cgroup" | sed \
	    's,/cgroup/cpu/,/cgroup/cpuacct/,')/cpuacct.usage") / 1000))
}

turns_passed() {
	turns_read
	[ "$_turns" -ge "$1" ]
}

cluster_test pods_are_in_the_cgroup_of_their_class \
    "Guaranteed, Burstable, BestEffort; each with the weight of its request"
pods_are_in_the_cgroup_of_their_class_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM" "$(resources '{cpu: "250m", memory: "32Mi"}')"
	pod_make b "$UNTIL_TERM" '.spec.containers[0].resources =
	    {requests: {cpu: "125m"}, limits: {memory: "32Mi"}}'
	pod_make c "$UNTIL_TERM"
	for pod in a b c; do
		pod_says $pod ready
	done
	class_is a kubepods Guaranteed 256
	class_is b kubepods/burstable Burstable 128
	class_is c kubepods/besteffort BestEffort 2
	cluster_end
}

# class_is POD PARENT CLASS SHARES
class_is() {
	cgroup_find cpu "$1" "$2"
	pod_is "$1" .status.qosClass "$3"
	! is_v1 || cgroup_says cpu.shares - "$4"
}

cluster_test a_fork_bomb_stays_in_its_pod \
    "within kubelet's number of processes; others start, and it can be deleted"
a_fork_bomb_stays_in_its_pod_body() {
	cluster_begin
	pod_make a 'echo ready; exec perl -e "while (1) { fork; }"' \
	    "$(resources '{cpu: "500m"}')"
	pod_says a ready
	cgroup_find pids a kubepods/burstable
	limit=$(cat "${_cgroup%/*}/pids.max")
	[ "$limit" != max ] || cluster_fail "kubelet gives the pod no limit"
	until_true "$REGRESS_SECONDS" is_full "$limit" ||
	    cluster_fail "it has but $(cat "${_cgroup%/*}/pids.current")"
	pod_make b true
	pod_reaches b Succeeded
	[ "$(cat "${_cgroup%/*}/pids.current")" -le "$limit" ] ||
	    cluster_fail "it has more than $limit"
	pod_is a .status.phase Running
	expect 0 "*" kubectl_ delete pod a
	until_true 10 not test -d "$_cgroup" || cluster_fail "$_cgroup is left"
	cluster_end
}

# One may just have been reaped.
is_full() {
	[ "$(cat "${_cgroup%/*}/pids.current")" -ge $(($1 - 2)) ]
}

cluster_test no_cgroup_is_left_of_pods_that_are_deleted \
    "and none is taken away that is kubelet's, or of one that runs"
no_cgroup_is_left_of_pods_that_are_deleted_body() {
	cluster_begin
	pod_make stays "$UNTIL_TERM" '.spec.nodeName = "n1" |
	    .spec.containers += [.spec.containers[0] | .name = "other" |
		.command[2] = "exit 3"]'
	for pod in a b; do
		pod_make $pod 'sleep 1000 & exec sleep 1000' \
		    ".spec.nodeName = \"n1\" | $(resources '{cpu: "50m"}')"
		pod_reaches $pod Running
	done
	pod_make c "$UNTIL_TERM" '.spec.nodeName = "n1"'
	expect 0 "*" kubectl_ wait pod/stays --timeout "${REGRESS_SECONDS}s" \
	    --for 'jsonpath={.status.containerStatuses[?(@.name=="other")].state.terminated.exitCode}=3'
	for pod in a b c stays; do
		kubectl_ get pod $pod -o json >$pod.now
		pod_cgroups $pod >$pod.before
		[ -s $pod.before ] || cluster_fail "$pod has no cgroup"
	done
	kubelet_cgroups >before
	expect 0 "*" kubectl_ delete pod a b c
	for pod in a b c; do
		until_true "$REGRESS_SECONDS" has_no_cgroup $pod ||
		    cluster_fail "left of $pod: $(pod_cgroups $pod)"
	done
	pod_cgroups stays | diff stays.before - >&2 ||
	    cluster_fail "it has others than before"
	kubelet_cgroups | diff before - >&2 ||
	    cluster_fail "kubelet has others than before"
	expect 0 "" kubectl_ exec stays -c main -- true
	cluster_end
}

# pod_cgroups POD: by its uid, and by the ids of its containers, in all
# hierarchies; POD.now is the pod.
pod_cgroups() {
	jq -r '.metadata.uid, (.status.containerStatuses[].containerID |
	    ltrimstr("containerd://"))' "$1.now" >ids
	find /sys/fs/cgroup/ -type d | grep -F -f ids | sort
}

has_no_cgroup() {
	[ -z "$(pod_cgroups "$1")" ]
}

# kubelet_cgroups: those of no pod.
kubelet_cgroups() {
	find /sys/fs/cgroup/ -type d -path "*$(kubelet_root stays.now)*" \
	    ! -path '*/pod*' | sort
}

atf_init_test_cases() {
	cluster_add
}
