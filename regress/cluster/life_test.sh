# shellcheck shell=sh
# What kubelet and controllers do with a pod while it lives: probes, hooks,
# restarts, jobs, and a container that joins later.

. "$(atf_get_srcdir)/../lib/cluster.sh"

# restarted POD: its container has been started again; wait for that.
restarted() {
	expect 0 "*" kubectl_ wait "pod/$1" --timeout "${REGRESS_SECONDS}s" \
	    --for 'jsonpath={.status.containerStatuses[0].restartCount}=1'
}

# probed PROBE: a jq filter: the container is asked whether it lives.
probed() {
	echo ".spec.restartPolicy = \"Always\" |
	    .spec.containers[0].livenessProbe =
	    {periodSeconds: 1, failureThreshold: 1, $1}"
}

cluster_test a_container_that_does_not_live_is_started_again \
    "asked by a command, by HTTP and by TCP; not before it fails"
a_container_that_does_not_live_is_started_again_body() {
	cluster_begin
	pod_make exec ": >/tmp/alive; $UNTIL_TERM" \
	    "$(probed 'exec: {command: ["test", "-e", "/tmp/alive"]}')"
	# The server is not the command: that lives on when it ends.
	# shellcheck disable=SC2016 # the workload's shell expands it
	serve='mkdir -p "/tmp/$HOSTNAME" && : >"/tmp/$HOSTNAME/alive"
	    busybox httpd -p 8080 -h "/tmp/$HOSTNAME"; '$UNTIL_TERM
	pod_make http "$serve" \
	    "$(probed 'httpGet: {path: "/alive", port: 8080}')"
	pod_make tcp "$serve" "$(probed 'tcpSocket: {port: 8080}')"
	for pod in exec http tcp; do
		expect 0 "*" kubectl_ wait --for condition=Ready pod/$pod \
		    --timeout "${REGRESS_SECONDS}s"
	done
	# Some turns of the others go by before the last.
	expect 0 "" kubectl_ exec exec -- rm /tmp/alive
	restarted exec
	for pod in http tcp; do
		pod_is $pod '.status.containerStatuses[0].restartCount' 0
	done
	expect 0 "" kubectl_ exec http -- rm /tmp/http/alive
	restarted http
	pod_is tcp '.status.containerStatuses[0].restartCount' 0
	expect 0 "" kubectl_ exec tcp -- pkill -x busybox
	restarted tcp
	cluster_end
}

cluster_test hooks_run_after_the_start_and_before_the_end \
    "the end waits for preStop, within the grace period"
hooks_run_after_the_start_and_before_the_end_body() {
	cluster_begin
	dir=/srv/$NAMESPACE
	pod_make a "trap 'echo term >>/log/order; exit 0' TERM
	    until grep -qs started /log/order; do sleep 0.05; done
	    echo ready; while :; do sleep 0.05; done" '
	    .spec.nodeName = "n1" | .spec.terminationGracePeriodSeconds = 20 |
	    .spec.volumes = [{name: "log", hostPath:
		{path: "'"$dir"'", type: "DirectoryOrCreate"}}] |
	    .spec.containers[0] += {
		volumeMounts: [{name: "log", mountPath: "/log"}],
		lifecycle: {
		postStart: {exec: {command:
		    ["sh", "-c", "echo started >>/log/order"]}},
		preStop: {exec: {command:
		    ["sh", "-c", "sleep 0.3; echo stopping >>/log/order"]}}}}'
	pod_says a ready
	expect 0 "*" kubectl_ delete pod a
	expect 0 "started
stopping
term" on_cluster -n n1 cat "$dir/order"
	expect 0 "" on_cluster -n n1 rm -r "$dir"
	cluster_end
}

cluster_test a_hook_that_fails_ends_the_container \
    "and an event tells of it"
a_hook_that_fails_ends_the_container_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM" '.spec.containers[0].lifecycle.postStart.exec =
	    {command: ["sh", "-c", "echo sorry >&2; exit 5"]}'
	pod_reaches a Succeeded
	expect 0 "*" kubectl_ get events --field-selector \
	    reason=FailedPostStartHook -o name
	grep -q . out || cluster_fail "no event tells of it"
	cluster_end
}

cluster_test a_container_that_fails_again_is_held_back \
    "CrashLoopBackOff, with the exit code and the log of its last life"
a_container_that_fails_again_is_held_back_body() {
	cluster_begin
	pod_make a 'echo tried; exit 9' '.spec.restartPolicy = "OnFailure"'
	until_true 60 held_back || cluster_fail "it is not held back"
	pod_is a '.status.containerStatuses[0].lastState.terminated.exitCode' 9
	until_true "$REGRESS_SECONDS" previous_said tried ||
	    cluster_fail "its log is lost"
	cluster_end
}

# Of a life that another has followed; kubelet keeps one.
previous_said() {
	[ "$(kubectl_ logs a --previous)" = "$1" ]
}

held_back() {
	[ "$(kubectl_ get pod a -o \
	    'jsonpath={.status.containerStatuses[0].state.waiting.reason}')" = \
	    CrashLoopBackOff ]
}

cluster_test a_job_completes \
    "three times the same, two at once; one that fails is tried again"
a_job_completes_body() {
	cluster_begin
	dir=/srv/$NAMESPACE
	pod_spec a 'mkdir /log/$$ 2>/dev/null; mkdir /log/failed 2>/dev/null &&
	    exit 1; echo done' | jq '{apiVersion: "batch/v1", kind: "Job",
	    metadata, spec: {completions: 3, parallelism: 2, backoffLimit: 2,
	    template: {spec: (.spec | .nodeName = "n1" | .volumes = [{
	    name: "log", hostPath: {path: "'"$dir"'",
	    type: "DirectoryOrCreate"}}] | .containers[0].volumeMounts =
	    [{name: "log", mountPath: "/log"}])}}}' >job.json
	expect 0 "*" kubectl_ create -f job.json
	expect 0 "*" kubectl_ wait --for condition=Complete job/a --timeout 60s
	expect 0 "3 1" kubectl_ get job a -o \
	    'jsonpath={.status.succeeded} {.status.failed}'
	expect 0 "" on_cluster -n n1 rm -r "$dir"
	cluster_end
}

cluster_test a_container_joins_a_pod_that_runs \
    "kubectl debug: with the target's processes, or its own; its code is told"
a_container_joins_a_pod_that_runs_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM"
	pod_says a ready
	# That is the whole of its arguments: it is not seen to look.
	look='pgrep -c -x -f "sh -c trap.*"'
	debug beside '' "$look; exit 7"
	pod_is a ".status.ephemeralContainerStatuses[0].state.terminated
	    .exitCode" 7
	expect 0 0 kubectl_ logs a -c beside
	debug inside --target=main "$look; exit 8"
	pod_is a ".status.ephemeralContainerStatuses[1].state.terminated
	    .exitCode" 8
	expect 0 1 kubectl_ logs a -c inside
	pod_is a '.status.containerStatuses[0] |
	    "\(.restartCount) \(.state | keys[0])"' "0 running"
	cluster_end
}

# debug NAME OPTION SCRIPT: a container that runs it in the pod a, to its end.
debug() {
	# It asks for SYS_PTRACE, which it does not get.
	expect 0 "*" kubectl_ debug a --image=busybox --profile=general \
	    --image-pull-policy=IfNotPresent -c "$1" ${2:+"$2"} -- sh -c "$3"
	expect 0 "*" kubectl_ wait pod/a --timeout "${REGRESS_SECONDS}s" --for \
	    "jsonpath={.status.ephemeralContainerStatuses[?(@.name==\"$1\")].state.terminated}"
}

cluster_test what_a_pod_leaves_in_the_background_ends_with_it \
    "whether its command ends or it is deleted"
what_a_pod_leaves_in_the_background_ends_with_it_body() {
	cluster_begin
	mark=4321.$$
	pod_make a "sleep $mark & setsid sleep $mark & echo started"
	pod_make b "sleep $mark & setsid sleep $mark & $UNTIL_TERM"
	pod_reaches a Succeeded
	pod_says b ready
	expect 0 2 on_cluster -n n1 pgrep -c -x -f "sleep $mark"
	expect 0 "*" kubectl_ delete pod b
	expect 1 0 on_cluster -n n1 pgrep -c -x -f "sleep $mark"
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
