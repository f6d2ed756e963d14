# shellcheck shell=sh
# The volumes of pods, and the other files that Kubernetes puts into them.

. "$(atf_get_srcdir)/../lib/cluster.sh"

cluster_test volumes_are_where_the_spec_has_them \
    "a ConfigMap, a Secret (read-only), an emptyDir, one in memory"
volumes_are_where_the_spec_has_them_body() {
	cluster_begin
	expect 0 "*" kubectl_ create configmap c --from-literal=key=public
	expect 0 "*" kubectl_ create secret generic s --from-literal=key=secret
	pod_make a 'cat /config/key /secret/key; echo
	    { touch /secret/new; } 2>/dev/null || echo refused
	    echo kept >/scratch/file; cat /scratch/file; stat -fc %T /memory' \
	    "$(volume c '{configMap: {name: "c"}}' /config) |
	    $(volume s '{secret: {secretName: "s"}}' /secret \
	    '{readOnly: true}') |
	    $(volume e '{emptyDir: {}}' /scratch) |
	    $(volume m '{emptyDir: {medium: "Memory"}}' /memory)"
	pod_reaches a Succeeded
	expect 0 "publicsecret
refused
kept
tmpfs" kubectl_ logs a
	cluster_end
}

cluster_test one_file_of_a_volume_is_mounted_by_subpath \
    "of a ConfigMap over a file of the node, and a folder of an emptyDir"
one_file_of_a_volume_is_mounted_by_subpath_body() {
	cluster_begin
	expect 0 "*" kubectl_ create configmap c --from-literal=key=mine
	pod_make a 'cat /etc/issue; echo; echo x >/sub/file; ls /all/made' \
	    "$(volume c '{configMap: {name: "c"}}' /etc/issue \
	    '{subPath: "key"}') |
	    $(volume e '{emptyDir: {}}' /all) | .spec.containers[0].volumeMounts +=
	    [{name: \"e\", mountPath: \"/sub\", subPath: \"made\"}]"
	pod_reaches a Succeeded
	expect 0 "mine
file" kubectl_ logs a
	cluster_end
}

cluster_test a_projected_volume_has_all_its_sources \
    "a ConfigMap, a Secret, the pod's own name, a token for an audience"
a_projected_volume_has_all_its_sources_body() {
	cluster_begin
	expect 0 "*" kubectl_ create configmap c --from-literal=key=public
	expect 0 "*" kubectl_ create secret generic s --from-literal=word=secret
	pod_make a 'cat /all/key /all/word /all/name; test -s /all/token' \
	    "$(volume p '{projected: {sources: [{configMap: {name: "c"}},
		{secret: {name: "s"}},
		{downwardAPI: {items: [{path: "name",
		fieldRef: {fieldPath: "metadata.name"}}]}},
		{serviceAccountToken: {path: "token", audience: "vault"}}]}}' \
	    /all)"
	pod_reaches a Succeeded
	expect 0 publicsecreta kubectl_ logs a
	cluster_end
}

cluster_test folders_and_files_of_the_node_are_volumes \
    "hostPath: read-only, writable, one that is made for the pod"
folders_and_files_of_the_node_are_volumes_body() {
	cluster_begin
	dir=/srv/$NAMESPACE
	node_do "mkdir -p $dir/dir; echo node >$dir/file; chmod 777 $dir/dir"
	pod_make a 'cat /file; { echo x >>/file; } 2>/dev/null || echo refused
	    echo pod >/dir/file; ls -d /made' \
	    "$(volume f "{hostPath: {path: \"$dir/file\"}}" /file \
	    '{readOnly: true}') |
	    $(volume d "{hostPath: {path: \"$dir/dir\"}}" /dir) |
	    $(volume m "{hostPath: {path: \"$dir/new\",
	    type: \"DirectoryOrCreate\"}}" /made) | .spec.nodeName = \"n1\""
	pod_reaches a Succeeded
	expect 0 "node
refused
/made" kubectl_ logs a
	expect 0 pod on_cluster -n n1 cat "$dir/dir/file"
	node_do "rm -r $dir"
	cluster_end
}

cluster_test mounts_of_the_node_reach_a_volume_that_asks_for_them \
    "mountPropagation HostToContainer; not without it; and they go again"
mounts_of_the_node_reach_a_volume_that_asks_for_them_body() {
	cluster_begin
	dir=/srv/$NAMESPACE
	node_do "mkdir -p $dir/later"
	pod_make a "$UNTIL_TERM" \
	    "$(volume h "{hostPath: {path: \"$dir\"}}" /asks \
	    '{mountPropagation: "HostToContainer"}') | .spec.nodeName = \"n1\" |
	    .spec.containers[0].volumeMounts += [{name: \"h\",
	    mountPath: \"/alone\"}]"
	pod_says a ready
	node_do "mount -t tmpfs later $dir/later; : >$dir/later/file"
	expect 0 "/asks/later:
file

/alone/later:" kubectl_ exec a -- ls -U /asks/later /alone/later
	node_do "umount $dir/later"
	expect 0 "" kubectl_ exec a -- ls /asks/later
	expect 0 "*" kubectl_ delete pod a
	node_do "rm -r $dir"
	cluster_end
}

cluster_test what_is_kept_from_workloads_is_no_volume \
    "what holds it is none either, nor by a subPath; describe says which it is"
what_is_kept_from_workloads_is_no_volume_body() {
	cluster_begin
	for path in / /etc /etc/kubernetes /var/lib/kubelet/pods /run/containerd \
	    /var/lib /proc; do
		pod_make "$(name_of $path)" true \
		    "$(volume h "{hostPath: {path: \"$path\"}}" /node)"
	done
	for path in / /etc /etc/kubernetes /var/lib/kubelet/pods /run/containerd \
	    /var/lib /proc; do
		pod_refused "$(name_of $path)" \
		    "refused by policy: $path is, or is in, or holds,"
	done
	cluster_end
}

# name_of PATH: what is a name of a pod.
name_of() {
	echo "root$1" | tr / - | sed 's/-$//'
}

cluster_test a_subpath_leads_to_nothing_that_is_kept_from_workloads \
    "of a hostPath which could be one, a folder that could not"
a_subpath_leads_to_nothing_that_is_kept_from_workloads_body() {
	cluster_begin
	pod_make a 'ls /node' "$(volume h '{hostPath: {path: "/"}}' /node \
	    '{subPath: "etc"}')"
	pod_make b 'ls /node' "$(volume h '{hostPath: {path: "/etc"}}' /node \
	    '{subPath: "kubernetes"}')"
	pod_refused a 'subPath of /etc, which is kept from workloads'
	pod_refused b 'subPath of /etc/kubernetes, which is kept'
	cluster_end
}

cluster_test a_privileged_pod_may_have_the_root_of_the_node \
    "as a volume, and what is kept from others in it"
a_privileged_pod_may_have_the_root_of_the_node_body() {
	cluster_begin
	node_do "echo kept >/etc/kubernetes/$NAMESPACE"
	pod_make a "cat /node/etc/kubernetes/$NAMESPACE
	    rm /node/etc/kubernetes/$NAMESPACE" \
	    "$(volume h '{hostPath: {path: "/"}}' /node) |
	    .spec.nodeName = \"n1\" |
	    .spec.containers[0].securityContext.privileged = true"
	pod_reaches a Succeeded
	expect 0 kept kubectl_ logs a
	node_do "! test -e /etc/kubernetes/$NAMESPACE"
	cluster_end
}

cluster_test containers_of_a_pod_share_its_volumes \
    "what one writes to an emptyDir the other reads"
containers_of_a_pod_share_its_volumes_body() {
	cluster_begin
	pod_make a 'echo told >/shared/new; mv /shared/new /shared/word' \
	    "$(volume e '{emptyDir: {}}' /shared) |
	    .spec.containers += [.spec.containers[0] | .name = \"other\" |
		.command[2] = \"until cat /shared/word 2>/dev/null
		    do sleep 0.05; done\"]"
	pod_reaches a Succeeded
	expect 0 told kubectl_ logs a -c other
	cluster_end
}

cluster_test pods_have_their_own_volumes_at_the_same_path \
    "at the same time; a pod without one sees neither"
pods_have_their_own_volumes_at_the_same_path_body() {
	cluster_begin
	for pod in a b; do
		expect 0 "*" kubectl_ create configmap $pod \
		    --from-literal=key="of $pod"
		pod_make $pod "$UNTIL_TERM" '.spec.nodeName = "n1" | '"$(volume \
		    c "{configMap: {name: \"$pod\"}}" /config)"
	done
	pod_make c "$UNTIL_TERM" '.spec.nodeName = "n1"'
	for pod in a b c; do
		pod_says $pod ready
	done
	expect 0 "of a" kubectl_ exec a -- cat /config/key
	expect 0 "of b" kubectl_ exec b -- cat /config/key
	expect 0 "" kubectl_ exec c -- ls /config
	# That of one that ends goes alone.
	expect 0 "*" kubectl_ delete pod a
	expect 0 "of b" kubectl_ exec b -- cat /config/key
	cluster_end
}

cluster_test a_pod_is_made_again_with_its_volume \
    "of the same name, at the same path, with what is in it now"
a_pod_is_made_again_with_its_volume_body() {
	cluster_begin
	for word in first second; do
		expect 0 "*" kubectl_ create configmap c --from-literal=key=$word
		pod_make a 'cat /config/key' \
		    "$(volume c '{configMap: {name: "c"}}' /config)"
		pod_reaches a Succeeded
		expect 0 $word kubectl_ logs a
		expect 0 "*" kubectl_ delete pod/a configmap/c
	done
	cluster_end
}

cluster_test pods_have_their_own_tokens_at_the_same_time \
    "at the same path of the same overlay; the API knows who is who"
pods_have_their_own_tokens_at_the_same_time_body() {
	cluster_begin
	for pod in a b; do
		expect 0 "*" kubectl_ create serviceaccount $pod
		pod_make $pod "$UNTIL_TERM" '.spec.nodeName = "n1" |
		    .spec.serviceAccountName = .metadata.name'
	done
	pod_says a ready
	pod_says b ready
	for pod in a b; do
		expect 0 "*" kubectl_ exec $pod -- \
		    cat /var/run/secrets/kubernetes.io/serviceaccount/token
		# Its second part is what it claims, in base64url.
		cut -d . -f 2 <out | tr _- /+ | sed 's/$/==/' |
		    base64 -di 2>/dev/null | jq -r .sub >claims
		[ "$(cat claims)" = "system:serviceaccount:$NAMESPACE:$pod" ] ||
		    cluster_fail "$pod has the token of $(cat claims)"
	done
	cluster_end
}

cluster_test a_pod_has_the_token_of_its_service_account \
    "with its namespace and the authority's certificate"
a_pod_has_the_token_of_its_service_account_body() {
	cluster_begin
	pod_make a 'cd /var/run/secrets/kubernetes.io/serviceaccount &&
	    cat namespace && test -s token && test -s ca.crt'
	pod_reaches a Succeeded
	expect 0 "$NAMESPACE" kubectl_ logs a
	cluster_end
}

cluster_test the_termination_message_is_told \
    "what was written to /dev/termination-log, or to another file"
the_termination_message_is_told_body() {
	cluster_begin
	pod_make a 'echo last words >/dev/termination-log; exit 1'
	pod_make b 'echo other words >/tmp/message; exit 1' \
	    '.spec.containers[0].terminationMessagePath = "/tmp/message"'
	pod_reaches a Failed
	pod_is a '.status.containerStatuses[0].state.terminated.message' \
	    "last words"
	pod_reaches b Failed
	pod_is b '.status.containerStatuses[0].state.terminated.message' \
	    "other words"
	cluster_end
}

cluster_test a_failed_container_is_started_again \
    "with restartPolicy OnFailure, until it succeeds; its emptyDir stays"
a_failed_container_is_started_again_body() {
	cluster_begin
	pod_make a 'test -e /again/done || { : >/again/done; exit 3; }' \
	    ".spec.restartPolicy = \"OnFailure\" |
	    $(volume e '{emptyDir: {}}' /again)"
	pod_reaches a Succeeded
	pod_is a '.status.containerStatuses[0].restartCount' 1
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
