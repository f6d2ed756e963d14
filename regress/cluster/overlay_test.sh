# shellcheck shell=sh
# The overlay that pods share, and the annotations which choose one, and DNS.

. "$(atf_get_srcdir)/../lib/cluster.sh"

# read_by POD FILTER: what the pod finds in /tmp/word.
read_by() {
	pod_make "$1" 'cat /tmp/word 2>/dev/null || echo nothing' \
	    ".spec.nodeName = \"n1\" | ${2:-.}"
	pod_reaches "$1" Succeeded
	kubectl_ logs "$1"
}

cluster_test pods_of_a_namespace_share_what_they_write \
    "the next one reads it; the node and another namespace do not"
pods_of_a_namespace_share_what_they_write_body() {
	cluster_begin
	pod_make a 'echo shared >/tmp/word' '.spec.nodeName = "n1"'
	pod_reaches a Succeeded
	expect 0 shared read_by b
	expect 1 "" on_cluster -n n1 sh -c 'cat /tmp/word 2>/dev/null'
	expect 0 "*" kubectl_ delete pods --all
	first=$NAMESPACE
	NAMESPACE=$first-other
	expect 0 "*" on_cluster kubectl create namespace "$NAMESPACE"
	until_true 20 kubectl_ get serviceaccount default ||
	    cluster_fail "the namespace has no account"
	expect 0 nothing read_by c
	cluster_end
	NAMESPACE=$first
	cluster_end
}

cluster_test overlays_have_names \
    "pods of the same name share, others do not; nor with the one without"
overlays_have_names_body() {
	cluster_begin
	pod_make a 'echo red >/tmp/word' \
	    ".spec.nodeName = \"n1\" | $(annotated overlay-name=red)"
	pod_reaches a Succeeded
	expect 0 red read_by b "$(annotated overlay-name=red)"
	expect 0 nothing read_by c "$(annotated overlay-name=blue)"
	expect 0 nothing read_by d
	cluster_end
}

# resolv POD SERVERS: the name servers that it has.
resolv() {
	expect 0 "$2" kubectl_ exec "$1" -- \
	    sed -n 's/^nameserver //p' /etc/resolv.conf
}

cluster_test each_pod_of_an_overlay_has_the_names_it_asks_for \
    "dns-mode host and kubernetes at the same time; the node's file stays"
each_pod_of_an_overlay_has_the_names_it_asks_for_body() {
	cluster_begin
	expect 0 "*" on_cluster -n n1 cat /etc/resolv.conf
	cp out node
	servers=$(sed -n 's/^nameserver //p' node)
	pod_make a "$UNTIL_TERM" '.spec.nodeName = "n1"'
	pod_make b "$UNTIL_TERM" \
	    ".spec.nodeName = \"n1\" | $(annotated dns-mode=host)"
	pod_make c "$UNTIL_TERM" \
	    ".spec.nodeName = \"n1\" | $(annotated dns-mode=kubernetes)"
	for pod in a b c; do
		pod_says $pod ready
	done
	resolv a 10.96.0.10
	resolv b "$servers"
	resolv c 10.96.0.10
	# Whoever writes to it writes to its own.
	expect 0 "" kubectl_ exec b -- \
	    sh -c 'echo "nameserver 10.6.6.6" >/etc/resolv.conf'
	resolv a 10.96.0.10
	expect 0 "$(cat node)" on_cluster -n n1 cat /etc/resolv.conf
	cluster_end
}

cluster_test annotations_go_together \
    "a named overlay with another DNS; the node keeps it by both names"
annotations_go_together_body() {
	cluster_begin
	both=$(annotated overlay-name=combo-group dns-mode=host)
	pod_make a 'echo combo >/tmp/word; grep ^nameserver /etc/resolv.conf' \
	    ".spec.nodeName = \"n1\" | $both"
	pod_reaches a Succeeded
	expect 0 "$(on_cluster -n n1 grep ^nameserver /etc/resolv.conf)" \
	    kubectl_ logs a
	expect 0 combo read_by b "$both"
	expect 0 nothing read_by c
	node_do "test -f /run/reaper/ns/$NAMESPACE.combo-group
	    test ! -e /run/reaper/ns/$NAMESPACE--combo-group"
	cluster_end
}

cluster_test an_annotation_that_is_wrong_leaves_the_default \
    "the pod runs, and the node's log says so; what is not known does nothing"
an_annotation_that_is_wrong_leaves_the_default_body() {
	cluster_begin
	wrong=$(annotated dns-mode=bogus overlay-name=../evil \
	    overlay-base=/evil/path filter-paths= uid=0)
	pod_make a 'grep ^nameserver /etc/resolv.conf; echo mine >/tmp/word' \
	    ".spec.nodeName = \"n1\" | $wrong"
	pod_reaches a Succeeded
	expect 0 "nameserver 10.96.0.10" kubectl_ logs a
	expect 0 mine read_by b
	id=$(kubectl_ get pod a -o \
	    'jsonpath={.status.containerStatuses[0].containerID}')
	expect 0 "*" on_cluster -n n1 grep -F "${id#containerd://}" \
	    /var/log/reaper/runtime.log
	grep -q 'dns-mode: value bogus ignored' out ||
	    cluster_fail "the log does not tell of it"
	node_do 'test ! -e /evil'
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
