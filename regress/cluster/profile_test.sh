# shellcheck shell=sh
# Profiles: a privileged pod has the node, others are confined.

. "$(atf_get_srcdir)/../lib/cluster.sh"

PRIVILEGED='.spec.nodeName = "n1" |
    .spec.containers[0].securityContext.privileged = true'

cluster_test a_privileged_pod_has_the_devices_of_the_node \
    "and others have but harmless ones"
a_privileged_pod_has_the_devices_of_the_node_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM" "$PRIVILEGED"
	pod_make b "$UNTIL_TERM"
	pod_says a ready
	pod_says b ready
	# shellcheck disable=SC2016 # the workload's shell expands it
	list='cd /dev; for f in *
	    do [ -L $f ] || [ ! -b $f -a ! -c $f ] || echo $f; done'
	expect 0 "full
null
random
tty
urandom
zero" kubectl_ exec b -- sh -c "$list"
	expect 0 "*" on_cluster -n n1 sh -c "$list"
	expect 0 "$(cat out)" kubectl_ exec a -- sh -c "$list"
	cluster_end
}

cluster_test a_privileged_pod_has_run_and_all_capabilities \
    "the sockets of the node; not Reaper's directory, and no filter on it"
a_privileged_pod_has_run_and_all_capabilities_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM" "$PRIVILEGED"
	pod_make b "$UNTIL_TERM" '.spec.nodeName = "n1"'
	pod_says a ready
	pod_says b ready
	capabilities='grep -E "^Cap(Bnd|Prm|Eff)" /proc/self/status'
	expect 0 "*" on_cluster -n n1 sh -c "$capabilities"
	expect 0 "$(cat out)" kubectl_ exec a -- sh -c "$capabilities"
	look='cat /proc/self/status | grep ^Seccomp: | cut -f 2
	    test ! -S /run/containerd/containerd.sock || echo socket
	    ls -A /run/reaper 2>/dev/null; ls /etc/kubernetes | grep pki'
	expect 0 "0
socket
pki" kubectl_ exec a -- sh -c "$look"
	expect 1 2 kubectl_ exec b -- sh -c "$look"
	cluster_end
}

cluster_test what_a_privileged_pod_mounts_stays_for_the_next \
    "of its namespace; confined pods, other namespaces and the node miss it"
what_a_privileged_pod_mounts_stays_for_the_next_body() {
	cluster_begin
	pod_make a 'mkdir /mnt/share && mount -t tmpfs share /mnt/share &&
	    echo kept >/mnt/share/word' "$PRIVILEGED"
	pod_reaches a Succeeded
	look='cat /mnt/share/word 2>/dev/null || echo nothing'
	pod_make b "$look" "$PRIVILEGED"
	pod_make c "$look" '.spec.nodeName = "n1"'
	pod_make d "$look" "$PRIVILEGED | $(annotated overlay-name=other)"
	pod_reaches b Succeeded
	expect 0 kept kubectl_ logs b
	for pod in c d; do
		pod_reaches $pod Succeeded
		expect 0 nothing kubectl_ logs $pod
	done
	expect 0 nothing on_cluster -n n1 sh -c "$look"
	pod_make e 'umount /mnt/share' "$PRIVILEGED"
	pod_reaches e Succeeded
	cluster_end
}

cluster_test a_confined_pod_mounts_nothing \
    "root as it is: neither something new nor something away"
a_confined_pod_mounts_nothing_body() {
	cluster_begin
	pod_make a 'id -u; mount -t tmpfs none /mnt || echo refused
	    umount /proc || echo refused; unshare -U true || echo refused'
	pod_reaches a Succeeded
	kubectl_ logs a | grep -Ex '0|refused' >said
	expect 0 "0
refused
refused
refused" cat said
	cluster_end
}

cluster_test a_confined_pod_gets_no_capability_that_is_the_node \
    "SYS_ADMIN is refused, which describe tells; SYS_PTRACE is not given"
a_confined_pod_gets_no_capability_that_is_the_node_body() {
	cluster_begin
	add='.spec.containers[0].securityContext.capabilities.add'
	pod_make a true "$add = [\"SYS_ADMIN\"]"
	pod_make b 'sed -n "s/^CapEff:[[:space:]]*//p" /proc/self/status' \
	    "$add = [\"SYS_PTRACE\", \"CHOWN\"] | .spec.containers[0]
	    .securityContext.capabilities.drop = [\"ALL\"]"
	pod_make c 'sed -n "s/^CapEff:[[:space:]]*//p" /proc/self/status' \
	    "$add = [\"NET_ADMIN\"] | .spec.containers[0]
	    .securityContext.capabilities.drop = [\"ALL\"]"
	# On the network of the node, not those which change and read it.
	pod_make d 'sed -n "s/^CapEff:[[:space:]]*//p" /proc/self/status' \
	    "$add = [\"NET_ADMIN\", \"NET_RAW\", \"CHOWN\"] | .spec.containers[0]
	    .securityContext.capabilities.drop = [\"ALL\"] |
	    .spec.hostNetwork = true"
	pod_refused a 'refused by policy: .*CAP_SYS_ADMIN.*not privileged'
	pod_reaches b Succeeded
	expect 0 0000000000000001 kubectl_ logs b
	pod_reaches c Succeeded
	expect 0 0000000000001000 kubectl_ logs c
	pod_reaches d Succeeded
	expect 0 0000000000000001 kubectl_ logs d
	cluster_end
}

cluster_test what_is_sensitive_is_hidden_from_confined_pods \
    "homes, keys, kubelet's directory: there and empty, and theirs to write"
what_is_sensitive_is_hidden_from_confined_pods_body() {
	cluster_begin
	node_do "mkdir -p /home/$NAMESPACE
	    echo kept | tee /root/$NAMESPACE >/home/$NAMESPACE/file"
	pod_make a 'for dir in /root /home /var/lib/kubelet /etc/kubernetes \
		/var/lib/containerd /var/log/pods; do
		[ -z "$(ls -A $dir 2>&1)" ] || echo "$dir: $(ls -A $dir)"
	    done; cat /etc/shadow; : >/root/mine && ls /root' \
	    '.spec.nodeName = "n1"'
	pod_reaches a Succeeded
	expect 0 mine kubectl_ logs a
	node_do "rm -r /home/$NAMESPACE /root/$NAMESPACE; ! test -e /root/mine"
	cluster_end
}

cluster_test the_variables_of_a_login_are_those_of_the_user \
    "HOME, USER, LOGNAME and SHELL by the node's database, in an exec too"
the_variables_of_a_login_are_those_of_the_user_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM" '.spec.securityContext.runAsUser = 1'
	pod_make b "$UNTIL_TERM" '.spec.securityContext.runAsUser = 54321 |
	    .spec.containers[0].env = [{name: "SHELL", value: "/own"}]'
	pod_says a ready
	pod_says b ready
	# shellcheck disable=SC2016 # expanded there
	show='echo $HOME $USER $LOGNAME $SHELL'
	IFS=: read -r user _ _ _ _ home shell <<-EOF
	$(on_cluster -n n1 getent passwd 1)
	EOF
	expect 0 "$home $user $user $shell" kubectl_ exec a -- sh -c "$show"
	expect 0 "/ /own" kubectl_ exec b -- sh -c "$show"
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
