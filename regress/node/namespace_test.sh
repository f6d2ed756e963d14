# shellcheck shell=sh
# Network, IPC, UTS and pid namespaces of containers, and their host name.

. "$(atf_get_srcdir)/../lib/node.sh"

# ns_add KIND [PATH]: a jq filter that gives the bundle such a namespace.
ns_add() {
	jq -nr --arg type "$1" --arg path "${2-}" '{$type} +
	    if $path == "" then {} else {$path} end |
	    ".linux.namespaces |= map(select(.type != \"\(.type)\")) +
	    [\(tojson)]"'
}

# ns_none KIND...: one that leaves it to the node.
ns_none() {
	_filter=.
	for _kind in "$@"; do
		_filter="$_filter | del(.linux.namespaces[] |
		    select(.type == \"$_kind\"))"
	done
	echo "$_filter"
}

# spec_start ID FILTER COMMAND [ARG...]: run it in the background.
spec_start() {
	_started=$1
	shift
	spec_make "$_started.json" "$@"
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" \
	    --fifo-dir "$REGRESS_DIR/fifo" --config "$_started.json" "$_started"
}

# pod_start POD ID [FILTER]: one that waits, of a pod.
pod_start() {
	spec_start "$2" ".annotations = {\"io.containerd.runc.v2.group\":
	    \"$1\"} | ${3:-.}" sleep 1000
}

task_pid() {
	ctr_ task ls | awk -v id="$1" '$1 == id { print $2 }'
}

# of PID KIND...: which namespaces those are.
of() {
	_of=$1
	shift
	for _kind in "$@"; do
		readlink "/proc/$_of/ns/$_kind"
	done
}

node_test the_host_name_is_that_of_the_bundle \
    "in its own UTS namespace; the node keeps its own"
the_host_name_is_that_of_the_bundle_body() {
	node_begin
	name=$(hostname)
	expect 0 "odd-name.example" spec_run a '.hostname = "odd-name.example"' \
	    hostname
	long=$(printf '%064d' 1)
	expect 0 "$long" spec_run b ".hostname = \"$long\"" hostname
	# Without a namespace it is nobody's.
	expect 0 "$name" spec_run c ".hostname = \"odd\" | $(ns_none uts)" \
	    hostname
	for bad in "0$long" 'a b' '\n' é; do
		expect_refusal 'hostname: .*expected a host name' spec_run d \
		    ".hostname = \"$bad\"" hostname
	done
	[ "$(hostname)" = "$name" ] || atf_fail "the node has another name"
	node_end
}

node_test ipc_objects_are_seen_in_their_namespace_alone \
    "queues of messages; without a namespace they are the node's"
ipc_objects_are_seen_in_their_namespace_alone_body() {
	node_begin
	spec_start a . sleep 1000
	count='ipcs -q | grep -c "^0x"; true'
	expect 0 "*" task_exec a e ipcmk -Q
	expect 0 1 task_exec a f sh -c "$count"
	expect 0 0 spec_run b . sh -c "$count"
	# It is the test's own, so that nothing is left on the node.
	expect 0 "$(readlink /proc/self/ns/ipc)" spec_run c "$(ns_none ipc)" \
	    readlink /proc/self/ns/ipc
	# /dev/mqueue shows those of the container.
	expect 0 "" task_exec a g touch /dev/mqueue/queue
	expect 0 queue task_exec a h ls /dev/mqueue
	expect 0 "" spec_run d . ls /dev/mqueue
	node_end
}

node_test a_network_of_its_own_has_lo_alone \
    "up, and nothing else of the node's"
a_network_of_its_own_has_lo_alone_body() {
	node_begin
	expect 0 "lo UNKNOWN 127.0.0.1/8 ::1/128" spec_run a "$(ns_add network)" \
	    sh -c 'echo $(ip -br address)'
	expect 0 "$(readlink /proc/self/ns/net)" spec_run b . \
	    readlink /proc/self/ns/net
	node_end
}

node_test settings_of_its_namespaces_are_its_own \
    "those of the node stay, and who shares them with it gets none"
settings_of_its_namespaces_are_its_own_body() {
	node_begin
	ports=net/ipv4/ip_unprivileged_port_start
	cat /proc/sys/$ports /proc/sys/kernel/msgmax >settings
	own=".linux.sysctl = {\"net.ipv4.ip_unprivileged_port_start\": \"81\",
	    \"kernel/msgmax\": \"4242\"}"
	set -- cat /proc/sys/$ports /proc/sys/kernel/msgmax
	expect 0 "81
4242" spec_run a "$(ns_add network) | $(ns_add ipc) | $own" "$@"
	# Of a file, as CRI has it; a container that joins has the same.
	ip netns add pod1 || atf_fail "no network namespace"
	pod_start p first "$(ns_add network /run/netns/pod1) |
	    $(ns_add ipc) | $own"
	expect 0 "81" ip netns exec pod1 cat /proc/sys/$ports
	expect 0 "81
4242" task_exec first e "$@"
	# Where it has not a namespace of its own.
	expect 0 "$(cat settings)" spec_run b "$(ns_none network ipc) | $own" "$@"
	grep -q "kernel/msgmax: ignored" "$REGRESS_DIR/containerd.log" ||
	    node_fail "no word of that"
	for name in kernel.core_pattern vm.swappiness \
	    net.../../kernel/core_pattern; do
		expect_refusal "linux.sysctl: .*expected net" spec_run c \
		    "$(ns_add network) | .linux.sysctl = {\"$name\": \"1\"}" true
	done
	expect_refusal "net/ipv4/none" spec_run c "$(ns_add network) |
	    .linux.sysctl = {\"net.ipv4.none\": \"1\"}" true
	cat /proc/sys/$ports /proc/sys/kernel/msgmax | diff settings - ||
	    node_fail "the node's have changed"
	node_end
}

node_test the_network_of_a_file_in_run_netns_is_joined \
    "by either name of the folder, by exec too"
the_network_of_a_file_in_run_netns_is_joined_body() {
	node_begin
	ip netns add pod1 || atf_fail "no network namespace"
	for path in /run/netns/pod1 /var/run/netns/pod1; do
		spec_start a "$(ns_add network $path)" sleep 1000
		joined=$(ip netns exec pod1 readlink /proc/self/ns/net)
		[ "$joined" != "$(readlink /proc/self/ns/net)" ] ||
		    atf_fail "it is the node's"
		expect 0 "$joined" readlink "/proc/$(task_pid a)/ns/net"
		expect 0 "$joined" task_exec a e readlink /proc/self/ns/net
		task_end a
	done
	node_end
}

node_test no_other_file_is_a_network \
    "of another kind, a regular one, a link, somewhere else"
no_other_file_is_a_network_body() {
	node_begin
	mkdir -p /run/netns/sub
	: >/run/netns/file
	: >/run/netns/uts
	mount --bind /proc/self/ns/uts /run/netns/uts
	ln -s /proc/self/ns/net /run/netns/link
	mkfifo /run/netns/fifo
	while read -r name words; do
		expect_refusal "entering namespaces: net: $words" \
		    spec_run a "$(ns_add network "/run/netns/$name")" true
	done <<-EOF
	none	no such file
	file	invalid argument
	uts	invalid argument
	fifo	invalid argument
	sub	invalid argument
	link	too many levels
	EOF
	for path in /run/netns/ /run/netns/.. /run/netns/sub/file \
	    /tmp/netns /run/netns/../x /proc/self/ns/net \
	    /proc/1/ns/uts /proc/0/ns/net /proc/01/ns/net /proc/1/ns/net/; do
		expect_refusal "expected /proc/PID/ns/net or a file in" \
		    spec_run a "$(ns_add network $path)" true
	done
	node_end
}

node_test containers_of_a_pod_join_the_namespaces_of_the_first \
    "network, IPC, host name and processes; exec is in them too"
containers_of_a_pod_join_the_namespaces_of_the_first_body() {
	node_begin
	# The overlay stays.
	expect 0 "" spec_run warm . true
	leak_before
	pod_start p first "$(ns_add network) | .hostname = \"pod\""
	pid=$(task_pid first)
	filter=.
	for kind in network:net ipc:ipc uts:uts pid:pid; do
		filter="$filter | $(ns_add ${kind%:*} "/proc/$pid/ns/${kind#*:}")"
	done
	pod_start p second "$filter"
	kinds="net ipc uts pid"
	# shellcheck disable=SC2086 # a list of words
	expect 0 "$(of "$pid" $kinds)" of "$(task_pid second)" $kinds
	# shellcheck disable=SC2086 # the same
	[ "$(of self $kinds | sort)" != "$(of "$pid" $kinds | sort)" ] ||
	    atf_fail "they are those of the node"
	expect 0 "$(of "$pid" net)
pod
3" task_exec second e sh -c 'readlink /proc/self/ns/net; hostname
	    cat /proc/[0-9]*/comm | grep -c -e sleep -e reaper-init'
	# One ends alone; the processes of all end with the first.
	expect 0 "*" ctr_ task kill -s KILL second
	until_true 10 task_is second STOPPED || node_fail "it runs on"
	task_is first RUNNING || node_fail "the first went with it"
	task_end second
	pod_start p third "$filter"
	expect 0 "*" ctr_ task kill -s KILL first
	until_true 10 task_is third STOPPED || node_fail "the third runs on"
	task_end third
	task_end first
	leak_after || node_fail "something was left"
	node_end
}

node_test namespaces_of_others_are_not_joined \
    "of another pod, of the node, of an ended container, of nobody"
namespaces_of_others_are_not_joined_body() {
	node_begin
	pod_start p first
	pod_start q other
	for pid in 1 $$ "$(task_pid other)" "$(helper_pid | head -n 1)" 4194304
	do
		for kind in network:net ipc:ipc uts:uts pid:pid; do
			filter=$(ns_add ${kind%:*} "/proc/$pid/ns/${kind#*:}")
			expect_refusal "entering namespaces: ${kind#*:}: operation not permitted" \
			    spec_run "a" ".annotations = {
			    \"io.containerd.runc.v2.group\": \"p\"} | $filter" true
		done
	done
	# One that has ended is none any more.
	pid=$(task_pid first)
	expect 0 "*" ctr_ task kill -s KILL first
	until_true 10 task_is first STOPPED || node_fail "it runs on"
	expect_refusal "operation not permitted" spec_run b ".annotations = {
	    \"io.containerd.runc.v2.group\": \"p\"} |
	    $(ns_add network "/proc/$pid/ns/net")" true
	node_end
}

node_test the_node_may_give_its_network_to_all \
    "REAPER_NETWORK=host, whatever the bundle says; other words are refused"
the_node_may_give_its_network_to_all_body() {
	node_begin
	echo REAPER_NETWORK=host >"$REGRESS_DIR/reaper.conf"
	for path in "" /run/netns/none; do
		expect 0 "$(readlink /proc/self/ns/net)" spec_run a \
		    "$(ns_add network $path)" readlink /proc/self/ns/net
	done
	echo REAPER_NETWORK=auto >"$REGRESS_DIR/reaper.conf"
	expect 0 1 spec_run a "$(ns_add network)" grep -c : /proc/net/dev
	echo REAPER_NETWORK=none >"$REGRESS_DIR/reaper.conf"
	expect_refusal 'REAPER_NETWORK: "none": expected auto or host' \
	    spec_run a . true
	node_end
}

atf_init_test_cases() {
	node_add
}
