# shellcheck shell=sh
# A node with pods: many at once, and restarts of its containerd.

. "$(atf_get_srcdir)/../lib/cluster.sh"

# containerd_replaced NODE PID: another process than this answers.
containerd_replaced() {
	[ "$(on_cluster -n "$1" cat /run/containerd.pid)" != "$2" ] &&
	    on_cluster -n "$1" ctr version
}

cluster_test a_pod_survives_a_restart_of_containerd \
    "it runs on, can be entered, and its log and exit code arrive"
a_pod_survives_a_restart_of_containerd_body() {
	cluster_begin
	pod_make a 'echo before
	    until [ -e /tmp/end ]; do sleep 0.05; done; echo after; exit 3'
	pod_says a before
	node=$(kubectl_ get pod a -o 'jsonpath={.spec.nodeName}')
	pid=$(on_cluster -n "$node" cat /run/containerd.pid)
	expect 0 "" on_cluster -n "$node" kill "$pid"
	until_true 20 containerd_replaced "$node" "$pid" ||
	    cluster_fail "containerd does not come back"
	until_true 20 kubectl_ exec a -- true ||
	    cluster_fail "the pod cannot be entered any more"
	expect 0 "" kubectl_ exec a -- touch /tmp/end
	pod_reaches a Failed
	pod_ended a 3
	pod_is a '.status.containerStatuses[0].restartCount' 0
	expect 0 "before
after" kubectl_ logs a
	cluster_end
}

# containerd_signal NODE SIGNAL
containerd_signal() {
	expect 0 "" on_cluster -n "$1" sh -c \
	    "kill -$2 \$(cat /run/containerd.pid)"
}

cluster_test a_log_goes_on_where_containerd_was_killed \
    "what a pod says meanwhile is in it, each line once and in order"
a_log_goes_on_where_containerd_was_killed_body() {
	cluster_begin
	dir=/srv/$NAMESPACE
	# Only as much as a pipe holds, unless somebody reads.
	pod_make a 'for i in $(seq 2000); do
		echo "line $i"; echo $i >/word/said
		while [ -e /word/wait ] && [ "$i" -ge 100 ]; do sleep 0.02; done
	    done' '.spec.nodeName = "n1" | .spec.volumes = [{name: "word",
	    hostPath: {path: "'"$dir"'", type: "DirectoryOrCreate"}}] |
	    .spec.containers[0].volumeMounts =
	    [{name: "word", mountPath: "/word"}] |
	    .spec.initContainers = [.spec.containers[0] | .name = "first" |
	    .command[2] = ": >/word/wait"]'
	until_true "$REGRESS_SECONDS" has_said "line 100" ||
	    cluster_fail "it does not begin"
	# All is read and kept; from here on nobody reads.
	pid=$(on_cluster -n n1 cat /run/containerd.pid)
	containerd_signal n1 STOP
	expect 0 "" on_cluster -n n1 rm "$dir/wait"
	until_true 20 has_written 1000 ||
	    cluster_fail "it does not go on without containerd"
	containerd_signal n1 KILL
	pod_reaches a Succeeded
	until_true 20 containerd_replaced n1 "$pid" ||
	    cluster_fail "containerd is the same"
	# The new one may tell the end before it has written all that it reads.
	until_true 10 has_all || {
		seq -f 'line %.0f' 2000 | diff - log | head >&2
		cluster_fail "the log is another"
	}
	expect 0 "" on_cluster -n n1 rm -r "$dir"
	cluster_end
}

has_said() {
	kubectl_ logs a -c main --tail 1 | grep -qx "$1"
}

has_all() {
	kubectl_ logs a >log && seq -f 'line %.0f' 2000 | cmp -s - log
}

has_written() {
	[ "$(on_cluster -n n1 cat "$dir/said")" -ge "$1" ]
}

cluster_test limits_hold_over_a_restart_of_containerd \
    "they are changed and counted, and a pod over its memory is told of"
limits_hold_over_a_restart_of_containerd_body() {
	cluster_begin
	pod_make a 'until [ -e /tmp/grow ]; do sleep 0.05; done
	    exec perl -e "\$x = \"x\" x 200e6"' '.spec.nodeName = "n1" |
	    .spec.containers[0].resources =
	    {limits: {cpu: "200m", memory: "64Mi"}}'
	pod_reaches a Running
	pid=$(on_cluster -n n1 cat /run/containerd.pid)
	containerd_signal n1 TERM
	until_true 20 containerd_replaced n1 "$pid" ||
	    cluster_fail "containerd does not come back"
	id=$(kubectl_ get pod a -o \
	    'jsonpath={.status.containerStatuses[0].containerID}')
	id=${id#containerd://}
	until_true 20 is_measured 67108864 ||
	    cluster_fail "its statistics are not to be had"
	expect 0 "*" kubectl_ patch pod a --subresource resize -p '{"spec":
	    {"containers": [{"name": "main", "resources": {
	    "limits": {"cpu": "200m", "memory": "48Mi"},
	    "requests": {"cpu": "200m", "memory": "48Mi"}}}]}}'
	until_true "$REGRESS_SECONDS" is_measured 50331648 ||
	    cluster_fail "it is not resized"
	expect 0 "" kubectl_ exec a -- touch /tmp/grow
	pod_reaches a Failed
	pod_ended a 137
	pod_is a '.status.containerStatuses[0].state.terminated.reason' OOMKilled
	cluster_end
}

# is_measured BYTES: containerd gives statistics, with this limit of memory.
is_measured() {
	on_cluster -n n1 ctr -n k8s.io task metrics "$id" >metrics &&
	    grep -Eq "^memory\.(limit_in_bytes|usage_limit) +$1 *\$" metrics
}

cluster_test a_pod_survives_a_restart_of_kubelet \
    "that was killed: it runs on, and its exit code is told"
a_pod_survives_a_restart_of_kubelet_body() {
	cluster_begin
	pod_make a 'until [ -e /tmp/end ]; do sleep 0.05; done; exit 3' \
	    '.spec.nodeName = "n1"'
	pod_reaches a Running
	pid=$(on_cluster -n n1 cat /run/kubelet.pid)
	expect 0 "" on_cluster -n n1 kill -KILL "$pid"
	until_true 20 kubelet_replaced "$pid" ||
	    cluster_fail "kubelet does not come back"
	until_true 20 kubectl_ exec a -- touch /tmp/end ||
	    cluster_fail "the pod cannot be entered any more"
	pod_reaches a Failed
	pod_ended a 3
	pod_is a '.status.containerStatuses[0].restartCount' 0
	cluster_end
}

kubelet_replaced() {
	[ "$(on_cluster -n n1 cat /run/kubelet.pid)" != "$1" ]
}

cluster_test a_pod_whose_shim_or_helper_dies_is_run_again \
    "by kubelet; of its first life no process and no cgroup is left"
a_pod_whose_shim_or_helper_dies_is_run_again_body() {
	cluster_begin
	for pod in shim helper; do
		pod_make $pod 'sleep 4321 & echo ready; wait' \
		    '.spec.nodeName = "n1" | .spec.restartPolicy = "Always"'
		pod_says $pod ready
		id=$(kubectl_ get pod $pod -o \
		    'jsonpath={.status.containerStatuses[0].containerID}')
		id=${id#containerd://}
		pid=$(on_cluster -n n1 ctr -n k8s.io task ls |
		    awk -v id="$id" '$1 == id { print $2 }')
		[ -n "$pid" ] || cluster_fail "$pod has no process"
		victim=$("${pod}_of" "$pid")
		expect 0 "" on_cluster -n n1 kill -KILL "$victim"
		expect 0 "*" kubectl_ wait pod/$pod \
		    --timeout "${REGRESS_SECONDS}s" \
		    --for 'jsonpath={.status.containerStatuses[0].restartCount}=1'
		until_true 5 on_cluster -n n1 test ! -e "/proc/$pid" ||
		    cluster_fail "the process of its first life lives on"
		[ -z "$(find /sys/fs/cgroup/ -name "*$id*")" ] ||
		    cluster_fail "a cgroup of its first life is left"
		# For a moment kubelet may know the first one.
		until_true 10 kubectl_ exec $pod -- true ||
		    cluster_fail "its second life cannot be entered"
	done
	cluster_end
}

# helper_of PID: the parent of a workload.
helper_of() {
	on_cluster -n n1 ps -o ppid= -p "$1" | tr -d ' '
}

# shim_of PID: of the same pod; the older of two that have its name.
shim_of() {
	_sandbox=$(on_cluster -n n1 ctr -n k8s.io container ls -q \
	    "labels.\"io.kubernetes.pod.namespace\"==$NAMESPACE,labels.\"io.cri-containerd.kind\"==sandbox")
	on_cluster -n n1 pgrep -o -f "containerd-shim.*$_sandbox"
}

cluster_test twenty_pods_run_at_once \
    "each ends well, with its own log and volumes"
twenty_pods_run_at_once_body() {
	cluster_begin
	REGRESS_SECONDS=120
	for i in $(seq 20); do
		expect 0 "*" kubectl_ create configmap "p$i" \
		    --from-literal=key="I am p$i"
		pod_spec "p$i" 'cp /mine/key /scratch/ && cat /scratch/key' '
		    .spec.volumes = [{name: "c", configMap:
			{name: .metadata.name}}, {name: "e", emptyDir: {}}] |
		    .spec.containers[0].volumeMounts = [
			{name: "c", mountPath: "/mine"},
			{name: "e", mountPath: "/scratch"}]'
	done | jq -s '{apiVersion: "v1", kind: "List", items: .}' >pods.json
	expect 0 "*" kubectl_ create -f pods.json
	expect 0 "*" kubectl_ wait pods --all --timeout "${REGRESS_SECONDS}s" \
	    --for 'jsonpath={.status.phase}=Succeeded'
	for i in $(seq 20); do
		expect 0 "I am p$i" kubectl_ logs "p$i"
	done
	cluster_end
}

cluster_test pods_that_come_and_go_leave_no_process \
    "no shim, no helper, no zombie; whether or not they ever ran"
pods_that_come_and_go_leave_no_process_body() {
	cluster_begin
	for i in 1 2 3 4 5; do
		pod_spec "p$i" "$UNTIL_TERM"
	done | jq -s '{apiVersion: "v1", kind: "List", items: .}' >pods.json
	expect 0 "*" kubectl_ create -f pods.json
	pod_reaches p1 Running
	expect 0 "*" kubectl_ delete pods --all --timeout "${REGRESS_SECONDS}s"
	until_true "$REGRESS_SECONDS" none_left ||
	    cluster_fail "processes are left"
	cluster_end
}

# none_left: of the pods of this namespace; and zombies are nobody's.
none_left() {
	on_cluster -n n1 ps -eo stat,args >processes
	! grep -E '^Z' processes &&
	    for _id in $(on_cluster -n n1 ctr -n k8s.io container ls -q \
		"labels.\"io.kubernetes.pod.namespace\"==$NAMESPACE"); do
		! grep -F "$_id" processes || return 1
	    done
}

cluster_test a_node_has_a_configuration \
    "DNS of the cluster and a log, in which its pods are; no drop-in besides"
a_node_has_a_configuration_body() {
	cluster_begin
	expect 0 "*" on_cluster -n n1 env -i "$LIB/../../reaper-runtime" config
	for key in DNS_MODE=kubernetes RUNTIME_LOG=/var/log/reaper/runtime.log
	do
		grep -Eq "^REAPER_${key}[[:space:]]+/etc/reaper/reaper.conf" out ||
		    cluster_fail "REAPER_$key is not there"
	done
	expect 0 reaper.conf on_cluster -n n1 ls /etc/reaper
	pod_make a true '.spec.nodeName = "n1"'
	pod_reaches a Succeeded
	id=$(kubectl_ get pod a -o \
	    'jsonpath={.status.containerStatuses[0].containerID}')
	expect 0 "*" on_cluster -n n1 grep -F "id=\"${id#containerd://}\"" \
	    /var/log/reaper/runtime.log
	for word in created started exited; do
		grep -q "msg=\"$word\"" out ||
		    cluster_fail "the log does not say $word"
	done
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
