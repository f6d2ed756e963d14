# shellcheck shell=sh
# Namespaces of pods: their network, names, shared memory and processes.

. "$(atf_get_srcdir)/../lib/cluster.sh"

# A script that serves the file /tmp/www/word, and says when it does; busybox is
# the node's.
# shellcheck disable=SC2016 # the workload's shell expands it
SERVE='mkdir -p "/tmp/$HOSTNAME" && echo "I am $HOSTNAME" >"/tmp/$HOSTNAME/word"
    exec busybox httpd -f -p 8080 -h "/tmp/$HOSTNAME"'

# serve_make NAME: a pod that does; it is ready when kubelet has asked it.
serve_make() {
	pod_make "$1" "$SERVE" ".metadata.labels.app = \"$1\" |
	    .spec.containers[0].readinessProbe = {periodSeconds: 1,
	    httpGet: {path: \"/word\", port: 8080}}"
}

pod_ready() {
	expect 0 "*" kubectl_ wait --for condition=Ready "pod/$1" \
	    --timeout "${REGRESS_SECONDS}s"
}

pod_ip() {
	kubectl_ get pod "$1" -o 'jsonpath={.status.podIP}'
}

cluster_test pods_serve_at_their_own_addresses \
    "the same port in two; probed by kubelet, asked by a third"
pods_serve_at_their_own_addresses_body() {
	cluster_begin
	serve_make a
	serve_make b
	pod_ready a
	pod_ready b
	pod_make c "for ip in $(pod_ip a) $(pod_ip b); do
	    busybox wget -qO - http://\$ip:8080/word; done
	    hostname -I | tr -d ' '"
	pod_reaches c Succeeded
	expect 0 "I am a
I am b
$(pod_ip c)" kubectl_ logs c
	cluster_end
}

cluster_test a_port_of_the_node_leads_to_a_pod \
    "hostPort, asked for from the network of the nodes"
a_port_of_the_node_leads_to_a_pod_body() {
	cluster_begin
	pod_make b "$SERVE" '.spec.containers[0] += {
	    ports: [{containerPort: 8080, hostPort: 18080}],
	    readinessProbe: {periodSeconds: 1,
	    httpGet: {path: "/word", port: 8080}}}'
	pod_ready b
	address=$(kubectl_ get pod b -o 'jsonpath={.status.hostIP}')
	expect 0 "I am b" on_cluster curl -sS -m 5 "http://$address:18080/word"
	cluster_end
}

cluster_test services_are_reached_from_a_pod \
    "by their address, by their name, and the API with the pod's token"
services_are_reached_from_a_pod_body() {
	cluster_begin
	on_cluster kubectl -n kube-system get deployment coredns >out 2>err ||
	    atf_skip "make cluster-up SERVICES=1"
	serve_make web
	expect 0 "*" kubectl_ expose pod web --port 80 --target-port 8080
	pod_ready web
	address=$(kubectl_ get service web -o 'jsonpath={.spec.clusterIP}')
	# shellcheck disable=SC2016 # the workload's shell expands it
	pod_make a 'for host in '"$address"' web web.$NS web.$NS.svc.cluster.local
	    do
		curl -s --retry 20 --retry-all-errors --retry-delay 1 -m 5 \
		    "http://$host/word"
	    done
	    cd /var/run/secrets/kubernetes.io/serviceaccount
	    curl -sS --cacert ca.crt -H "Authorization: Bearer $(cat token)" \
		-o /dev/null -w "%{http_code}" \
		https://kubernetes.default.svc/api' \
	    ".spec.containers[0].env = [{name: \"NS\", value: \"$NAMESPACE\"}]"
	pod_reaches a Succeeded
	expect 0 "I am web
I am web
I am web
I am web
200" kubectl_ logs a
	cluster_end
}

cluster_test a_pod_on_the_network_of_the_node_is_there \
    "with its address, its host name and its ports"
a_pod_on_the_network_of_the_node_is_there_body() {
	cluster_begin
	pod_make a 'readlink /proc/self/ns/net /proc/self/ns/uts; hostname' \
	    '.spec.hostNetwork = true'
	pod_reaches a Succeeded
	node=$(kubectl_ get pod a -o 'jsonpath={.spec.nodeName}')
	expect 0 "*" on_cluster -n "$node" sh -c \
	    'readlink /proc/self/ns/net /proc/self/ns/uts; hostname'
	there=$(cat out)
	expect 0 "$there" kubectl_ logs a
	cluster_end
}

cluster_test the_host_name_is_that_of_the_pod \
    "its own, or the one it asks for; with its files hosts and hostname"
the_host_name_is_that_of_the_pod_body() {
	cluster_begin
	pod_make a 'hostname; cat /etc/hostname; grep -cw "$(hostname)" /etc/hosts'
	pod_make b 'hostname; cat /etc/hostname; grep -w odd /etc/hosts | cut -f 2
	    grep -w alias /etc/hosts | cut -f 1' '.spec += {hostname: "odd",
	    subdomain: "sub", hostAliases: [{ip: "10.1.2.3",
	    hostnames: ["alias"]}]}'
	pod_reaches a Succeeded
	expect 0 "a
a
1" kubectl_ logs a
	pod_reaches b Succeeded
	expect 0 "odd
odd
odd.sub.$NAMESPACE.svc.cluster.local
10.1.2.3" kubectl_ logs b
	cluster_end
}

cluster_test a_pod_sees_no_interfaces_but_its_own \
    "and none in /sys, where the node has those of all pods"
a_pod_sees_no_interfaces_but_its_own_body() {
	cluster_begin
	pod_make a 'tail -n +3 /proc/net/dev | cut -d : -f 1 | tr -d " " | sort
	    ls /sys/class/net'
	pod_reaches a Succeeded
	expect 0 "eth0
lo" kubectl_ logs a
	cluster_end
}

cluster_test names_are_resolved_as_the_spec_says \
    "dnsPolicy and dnsConfig make the pod's resolv.conf, and no other's"
names_are_resolved_as_the_spec_says_body() {
	cluster_begin
	expect 0 "*" on_cluster -n n1 cat /etc/resolv.conf
	cp out node
	pod_make a "cat /etc/resolv.conf" '.spec += {dnsPolicy: "None",
	    dnsConfig: {nameservers: ["10.9.8.7"], searches: ["odd.example"]}}'
	pod_make b "grep nameserver /etc/resolv.conf"
	pod_reaches a Succeeded
	expect 0 "search odd.example
nameserver 10.9.8.7" kubectl_ logs a
	pod_reaches b Succeeded
	expect 0 "nameserver 10.96.0.10" kubectl_ logs b
	expect 0 "$(cat node)" on_cluster -n n1 cat /etc/resolv.conf
	cluster_end
}

cluster_test containers_of_a_pod_share_network_and_memory \
    "one answers the other on 127.0.0.1; other pods have their own"
containers_of_a_pod_share_network_and_memory_body() {
	cluster_begin
	pod_make a "$SERVE" '.spec.containers += [.spec.containers[0] |
	    .name = "other" | .command[2] = "echo told >/dev/shm/word
	    ipcmk -Q >/dev/null; sleep 1000"]'
	pod_make b "$UNTIL_TERM"
	pod_says b ready
	pod_ready a
	until_true "$REGRESS_SECONDS" kubectl_ exec a -- test -s /dev/shm/word
	expect 0 "I am a" kubectl_ exec a -c other -- \
	    busybox wget -qO - http://127.0.0.1:8080/word
	count='cat /dev/shm/word 2>/dev/null; ipcs -q | grep -c ^0x'
	expect 0 "told
1" kubectl_ exec a -c main -- sh -c "$count"
	expect 1 "0" kubectl_ exec b -- sh -c "$count"
	cluster_end
}

cluster_test a_pod_may_share_one_pid_namespace \
    "with shareProcessNamespace its containers see each other"
a_pod_may_share_one_pid_namespace_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM" '.spec.shareProcessNamespace = true |
	    .spec.containers += [.spec.containers[0] | .name = "other" |
	    .command = ["sleep", "4321"]]'
	pod_says_of a main ready
	# shellcheck disable=SC2016 # the workload's shell expands it
	until_true "$REGRESS_SECONDS" kubectl_ exec a -c main -- sh -c \
	    'for p in /proc/[0-9]*; do tr "\0" " " <$p/cmdline; echo; done |
	    grep -qx "sleep 4321 "' || cluster_fail "it does not see the other"
	expect 0 reaper-init kubectl_ exec a -c main -- cat /proc/1/comm
	cluster_end
}

# pod_says_of NAME CONTAINER TEXT
pod_says_of() {
	until_true "$REGRESS_SECONDS" pod_said_of "$@" ||
	    cluster_fail "$2 does not say \"$3\""
}

pod_said_of() {
	kubectl_ logs "$1" -c "$2" | grep -qxF -- "$3"
}

cluster_test a_pod_may_see_the_processes_of_the_node \
    "hostPID and hostIPC; and the node sees as much of them as before"
a_pod_may_see_the_processes_of_the_node_body() {
	cluster_begin
	expect 0 "*" on_cluster -n n1 sh -c 'grep " /proc" /proc/mounts'
	cp out node
	pod_make a 'cat /proc/1/comm; readlink /proc/self/ns/ipc' \
	    '.spec += {hostPID: true, hostIPC: true, nodeName: "n1"}'
	pod_reaches a Succeeded
	ipc=$(on_cluster -n n1 readlink /proc/self/ns/ipc)
	expect 0 "node.sh
$ipc" kubectl_ logs a
	expect 0 "$(cat node)" on_cluster -n n1 sh -c 'grep " /proc" /proc/mounts'
	cluster_end
}

atf_init_test_cases() {
	cluster_add
}
