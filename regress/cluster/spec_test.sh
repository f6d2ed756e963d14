# shellcheck shell=sh
# What a pod's spec asks for: variables, users, probes, a terminal.

. "$(atf_get_srcdir)/../lib/cluster.sh"

cluster_test variables_and_the_working_directory_are_those_of_the_spec \
    "values, and fields of the pod"
variables_and_the_working_directory_are_those_of_the_spec_body() {
	cluster_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	pod_make a 'echo "$WORD $POD"; pwd' '.spec.containers[0] +=
	    {workingDir: "/tmp", env: [{name: "WORD", value: "a  b"},
	    {name: "POD", valueFrom: {fieldRef: {fieldPath: "metadata.name"}}}]}'
	pod_reaches a Succeeded
	expect 0 "a  b a
/tmp" kubectl_ logs a
	cluster_end
}

cluster_test user_and_groups_are_those_of_the_spec \
    "runAsUser, runAsGroup, fsGroup, supplementalGroups"
user_and_groups_are_those_of_the_spec_body() {
	cluster_begin
	pod_make a 'id -u; id -g; id -G' '.spec.securityContext =
	    {runAsUser: 1234, runAsGroup: 2345, fsGroup: 4567,
	    supplementalGroups: [3456]}'
	pod_reaches a Succeeded
	expect 0 "1234
2345
2345 3456 4567" kubectl_ logs a
	cluster_end
}

cluster_test settings_of_a_pod_are_those_of_the_spec \
    "of its network, so that its user may have port 80"
settings_of_a_pod_are_those_of_the_spec_body() {
	cluster_begin
	pod_make a 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start
	    perl -MSocket -e "socket(S, PF_INET, SOCK_STREAM, 0);
		bind(S, sockaddr_in(80, INADDR_ANY)) && print qq(bound\n)"' '.spec.securityContext = {runAsUser: 1234, sysctls:
	    [{name: "net.ipv4.ip_unprivileged_port_start", value: "80"}]}'
	pod_reaches a Succeeded
	expect 0 "80
bound" kubectl_ logs a
	cluster_end
}

cluster_test an_exec_has_the_user_of_the_pod \
    "its groups, and the owner of what it writes to a volume"
an_exec_has_the_user_of_the_pod_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM" '.spec.securityContext = {runAsUser: 1234,
	    runAsGroup: 2345, fsGroup: 4567, supplementalGroups: [3456]} |
	    .spec.volumes = [{name: "e", emptyDir: {}}] |
	    .spec.containers[0].volumeMounts = [{name: "e", mountPath: "/e"}]'
	pod_says a ready
	expect 0 "1234 2345 2345 3456 4567
1234 4567" kubectl_ exec a -- sh -c 'echo $(id -u) $(id -g) $(id -G)
	    : >/e/file; stat -c "%u %g" /e/file'
	cluster_end
}

cluster_test the_security_context_is_in_force \
    "capabilities, no new privileges, a root that cannot be written"
the_security_context_is_in_force_body() {
	cluster_begin
	pod_make a 'sed -n "s/^\(CapBnd\|CapEff\|NoNewPrivs\):[[:space:]]*//p" \
	    /proc/self/status
	    for f in /new /tmp/new /sys/new; do
		(: >$f) 2>/dev/null || echo refused
	    done; : >/scratch/new && ls /scratch' '
	    .spec.containers[0].securityContext = {
		allowPrivilegeEscalation: false, readOnlyRootFilesystem: true,
		capabilities: {drop: ["ALL"], add: ["NET_BIND_SERVICE"]}} |
	    .spec.volumes = [{name: "e", emptyDir: {}}] |
	    .spec.containers[0].volumeMounts =
		[{name: "e", mountPath: "/scratch"}]'
	pod_reaches a Succeeded
	expect 0 "0000000000000400
0000000000000400
1
refused
refused
refused
new" kubectl_ logs a
	cluster_end
}

cluster_test a_privileged_pod_may_see_the_node \
    "its processes, its network, and a folder of it"
a_privileged_pod_may_see_the_node_body() {
	cluster_begin
	dir=/srv/$NAMESPACE
	pod_make a "$UNTIL_TERM" '.spec += {nodeName: "n1", hostPID: true,
	    hostNetwork: true, volumes: [{name: "n", hostPath:
	    {path: "'"$dir"'", type: "DirectoryOrCreate"}}]} |
	    .spec.containers[0] += {securityContext: {privileged: true},
	    volumeMounts: [{name: "n", mountPath: "/node"}]}'
	pod_says a ready
	expect 0 "" on_cluster -n n1 touch "$dir/file"
	expect 0 "node.sh
/node/file" kubectl_ exec a -- sh -c 'cat /proc/1/comm; ls /node/file'
	expect 0 "*" on_cluster -n n1 readlink /proc/self/ns/net
	expect 0 "$(cat out)" kubectl_ exec a -- readlink /proc/self/ns/net
	expect 0 "*" kubectl_ delete pod a
	expect 0 "" on_cluster -n n1 rm -r "$dir"
	cluster_end
}

cluster_test the_default_seccomp_profile_is_in_force \
    "when the spec asks for RuntimeDefault, as a restricted namespace demands"
the_default_seccomp_profile_is_in_force_body() {
	cluster_begin
	expect 0 "*" on_cluster kubectl label namespace "$NAMESPACE" \
	    pod-security.kubernetes.io/enforce=restricted
	pod_make a 'sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status' '
	    .spec.securityContext = {seccompProfile: {type: "RuntimeDefault"},
		runAsNonRoot: true, runAsUser: 1000} |
	    .spec.containers[0].securityContext = {
		allowPrivilegeEscalation: false, capabilities: {drop: ["ALL"]}}'
	pod_reaches a Succeeded
	expect 0 2 kubectl_ logs a
	cluster_end
}

cluster_test a_readiness_probe_runs_in_the_pod \
    "the pod is ready when its command succeeds, and not before"
a_readiness_probe_runs_in_the_pod_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM" '.spec.containers[0].readinessProbe =
	    {exec: {command: ["test", "-e", "/tmp/ok"]}, periodSeconds: 1}'
	pod_says a ready
	pod_is a '.status.containerStatuses[0].ready' false
	expect 0 "" kubectl_ exec a -- touch /tmp/ok
	expect 0 "*" kubectl_ wait --for condition=Ready pod/a \
	    --timeout "${REGRESS_SECONDS}s"
	cluster_end
}

cluster_test a_pod_that_ignores_sigterm_is_killed_after_its_grace \
    "not before, and not much later"
a_pod_that_ignores_sigterm_is_killed_after_its_grace_body() {
	cluster_begin
	pod_make a 'trap "" TERM; echo ready; while :; do sleep 0.05; done' \
	    '.spec.terminationGracePeriodSeconds = 3'
	pod_says a ready
	start=$(date +%s%N)
	expect 0 "*" kubectl_ delete pod a
	took=$((($(date +%s%N) - start) / 1000000))
	[ "$took" -ge 2900 ] && [ "$took" -le 8000 ] ||
	    cluster_fail "it took $took ms"
	cluster_end
}

cluster_test a_terminal_is_one \
    "of a pod's command, and of kubectl exec -t"
a_terminal_is_one_body() {
	cluster_begin
	pod_make a "test -t 0 && test -t 1 && echo terminal; $UNTIL_TERM" \
	    '.spec.containers[0] += {stdin: true, tty: true}'
	until_true "$REGRESS_SECONDS" terminal_said ||
	    cluster_fail "the command has no terminal"
	# kubectl asks for one only if it has one itself; and containerd lets
	# the output of a terminal go as soon as its input has ended.
	mkfifo in
	exec 3<>in
	script -qec "CLUSTER='$REGRESS_CLUSTER' '$REGRESS_CLUSTER/shell' \
	    kubectl -n $NAMESPACE exec -it a -- sh -c 'test -t 0 && echo yes'" \
	    /dev/null >out 2>err <&3 || cluster_fail "exec -it fails"
	grep -q yes out || cluster_fail "exec has no terminal"
	script -qec "CLUSTER='$REGRESS_CLUSTER' '$REGRESS_CLUSTER/shell' \
	    kubectl -n $NAMESPACE exec -it a -- sh -c 'exit 9'" \
	    /dev/null >out 2>err <&3
	[ $? -eq 9 ] || cluster_fail "exec -it loses the exit code"
	cluster_end
}

terminal_said() {
	kubectl_ logs a | tr -d '\r' | grep -qx terminal
}

atf_init_test_cases() {
	cluster_add
}
