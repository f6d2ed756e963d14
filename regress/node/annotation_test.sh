# shellcheck shell=sh
# What the author of a pod may say about it, and what its node says to that.

. "$(atf_get_srcdir)/../lib/node.sh"

NOTE=--annotation=reaper.runtime

# conf LINE...: the node's configuration.
conf() {
	printf '%s\n' "$@" >"$REGRESS_DIR/reaper.conf"
}

node_test a_pod_may_give_up_the_network "restrict: no-network"
a_pod_may_give_up_the_network_body() {
	node_begin
	expect 0 lo pod_run blue $NOTE/restrict=no-network --rm a \
	    sh -c 'sed -n "s/:.*//p" /proc/net/dev | tr -d " "'
	conf REAPER_NETWORK=host
	expect 0 lo pod_run blue $NOTE/restrict=no-network --rm b \
	    sh -c 'sed -n "s/:.*//p" /proc/net/dev | tr -d " "'
	expect 0 "$(readlink /proc/self/ns/net)" pod_run blue --rm c \
	    readlink /proc/self/ns/net
	node_end
}

node_test a_pod_may_give_up_writing "restrict: read-only"
a_pod_may_give_up_writing_body() {
	node_begin
	expect 0 refused pod_run blue $NOTE/restrict=read-only --rm a \
	    sh -c 'touch /tmp/file 2>/dev/null || echo refused'
	expect 0 "" pod_run blue --rm b touch /tmp/file
	node_end
}

node_test a_pod_may_give_up_execs "restrict: no-exec, and the reason is told"
a_pod_may_give_up_execs_body() {
	node_begin
	expect 0 "*" pod_run blue $NOTE/restrict=no-exec -d a sleep 1000
	expect_refusal "reaper.runtime/restrict says no-exec" \
	    task_exec a e true
	expect 0 "*" pod_run blue -d b sleep 1000
	expect 0 "" task_exec b e true
	node_end
}

node_test a_pod_may_give_up_the_files_of_the_node \
    "restrict: no-hostpath, and the path is told"
a_pod_may_give_up_the_files_of_the_node_body() {
	node_begin
	mkdir /run/volume
	mount=--mount=type=bind,src=/run/volume,dst=/volume,options=rbind
	expect 0 "" pod_run blue $mount --rm a ls /volume
	expect_refusal /run/volume \
	    pod_run blue $NOTE/restrict=no-hostpath $mount --rm b ls /volume
	node_end
}

node_test a_restriction_that_is_not_known_refuses_the_pod \
    "and is told, also where annotations are switched off"
a_restriction_that_is_not_known_refuses_the_pod_body() {
	node_begin
	for value in no-everything no-exec,tea 'no-exec;read-only'; do
		expect_refusal "expected no-network, read-only, no-exec" \
		    pod_run blue "$NOTE/restrict=$value" --rm a true
	done
	conf REAPER_ANNOTATIONS_ENABLED=false
	expect_refusal tea pod_run blue $NOTE/restrict=tea --rm a true
	expect 0 refused pod_run blue $NOTE/restrict=read-only --rm b \
	    sh -c 'touch /tmp/file 2>/dev/null || echo refused'
	node_end
}

node_test the_node_may_switch_annotations_off "then none has an effect"
the_node_may_switch_annotations_off_body() {
	node_begin
	conf REAPER_ANNOTATIONS_ENABLED=false
	expect 0 "" pod_run blue $NOTE/overlay-name=one --rm a touch /tmp/file
	expect 0 /tmp/file pod_run blue --rm b ls /tmp/file
	node_end
}

node_test nothing_else_can_be_asked_for \
    "paths, filters, isolation, the profile"
nothing_else_can_be_asked_for_body() {
	host_disposable
	node_begin
	echo secret >/etc/sudoers
	expect 0 "" pod_run blue $NOTE/overlay-base=/evil \
	    $NOTE/overlay-isolation=node $NOTE/filter-enabled=false \
	    $NOTE/workload-profile=host $NOTE/network=host --rm a \
	    cat /etc/sudoers
	[ ! -e /evil ] || node_fail "a directory was made"
	node_end
}

# resolv_conf: a file as CRI makes one for the sandbox of a pod a.
resolv_conf() {
	mkdir -p /run/cri/sandboxes/a
	echo "nameserver 10.96.0.10" >/run/cri/sandboxes/a/resolv.conf
	echo "type=bind,src=/run/cri/sandboxes/a/resolv.conf,dst=/etc/resolv.conf,options=rbind"
}

node_test names_are_resolved_as_the_node_does_or_as_kubernetes_does \
    "by its configuration or a pod's annotation, in one overlay at a time"
names_are_resolved_as_the_node_does_or_as_kubernetes_does_body() {
	host_disposable
	node_begin
	rm -f /etc/resolv.conf && echo "nameserver 192.0.2.1" >/etc/resolv.conf
	mount=--mount=$(resolv_conf)
	node="nameserver 192.0.2.1" kubernetes="nameserver 10.96.0.10"
	expect 0 "$node" pod_run blue "$mount" --rm a cat /etc/resolv.conf
	for mode in kubernetes k8s K8S; do
		expect 0 "$kubernetes" pod_run blue $NOTE/dns-mode=$mode \
		    "$mount" --rm a cat /etc/resolv.conf
	done
	conf REAPER_DNS_MODE=kubernetes
	expect 0 "$kubernetes" pod_run blue "$mount" --rm a \
	    cat /etc/resolv.conf
	expect 0 "$node" pod_run blue $NOTE/dns-mode=host "$mount" --rm a \
	    cat /etc/resolv.conf
	expect 0 "$kubernetes" pod_run blue $NOTE/dns-mode=tea "$mount" --rm a \
	    cat /etc/resolv.conf
	grep -q 'dns-mode: value tea ignored' "$REGRESS_DIR/containerd.log" ||
	    node_fail "nobody was told that a value was ignored"
	[ "$(cat /etc/resolv.conf)" = "$node" ] ||
	    node_fail "the node's file was written to"
	node_end
}

node_test a_resolver_that_owns_the_file_is_left_alone \
    "a link to what it keeps in /run"
a_resolver_that_owns_the_file_is_left_alone_body() {
	host_disposable
	node_begin
	mkdir -p /run/systemd/resolve
	echo "nameserver 127.0.0.53" >/run/systemd/resolve/stub-resolv.conf
	ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
	mount=--mount=$(resolv_conf)
	expect 0 "nameserver 127.0.0.53" pod_run blue "$mount" --rm a \
	    cat /etc/resolv.conf
	expect 0 "nameserver 10.96.0.10" pod_run blue \
	    $NOTE/dns-mode=kubernetes "$mount" --rm a cat /etc/resolv.conf
	[ "$(cat /etc/resolv.conf)" = "nameserver 127.0.0.53" ] ||
	    node_fail "the node's file was written to"
	node_end
}

node_test the_node_may_let_pods_have_a_part_of_run \
    "and devices; what there is not is passed over"
the_node_may_let_pods_have_a_part_of_run_body() {
	node_begin
	mkdir /run/munge && echo munge >/run/munge/file
	mkdir /run/other
	conf REAPER_RUN_ALLOW=/run/munge:/run/missing \
	    REAPER_DEVICE_ALLOW=/dev/loop-control:/dev/regress-missing
	[ -e /dev/loop-control ] || atf_skip "needs /dev/loop-control"
	expect 0 "munge
/dev/loop-control" pod_run blue --rm a sh -c 'cat /run/munge/file
	    ls /dev/loop-control
	    ls -d /run/other /run/missing /dev/regress-missing 2>/dev/null
	    exit 0'
	node_end
}

atf_init_test_cases() {
	node_add
}
