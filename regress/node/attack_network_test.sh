# shellcheck shell=sh
# Attacks by sockets and on the node's network.  See lib/attack.sh.
#
# Attacks are expanded by the workload's shell.
# shellcheck disable=SC2016

. "$(atf_get_srcdir)/../lib/attack.sh"

# What a node has there that would do anything for whoever is root.
SOCKETS="/run/containerd/containerd.sock /run/containerd/containerd.sock.ttrpc
    /run/containerd/s/0123456789abcdef /run/systemd/private
    /run/systemd/journal/socket /run/dbus/system_bus_socket /run/docker.sock
    /run/crio/crio.sock /run/regress.sock"

# sockets_listen: all of them.
sockets_listen() {
	for socket in $SOCKETS; do
		mkdir -p "${socket%/*}"
		listen "$socket"
	done
}

node_test sockets_of_the_node_are_not_connected_to \
    "containerd's, shims', systemd's, D-Bus's, Docker's and others in /run"
sockets_of_the_node_are_not_connected_to_body() {
	node_begin
	sockets_listen
	# A shim's own, too.
	expect 0 "*" task_run -d shim sleep 1000
	own="$(our_sockets) $REGRESS_DIR/c.sock $REGRESS_DIR/c.sock.ttrpc"
	# shellcheck disable=SC2086 # lists of words
	{
		resisted . "$CONNECT" $SOCKETS $own
		bites_outside "$(printf '%s\n' $SOCKETS $own)" \
		    "$CONNECT" $SOCKETS $own
		# The node's /run, and a part of it.
		bites "$(printf '%s\n' $SOCKETS)" "$PRIVILEGED" "$CONNECT" \
		    $SOCKETS
		configure REAPER_RUN_ALLOW=/run/dbus
		bites /run/dbus/system_bus_socket "$(pod_of blue)" "$CONNECT" \
		    $SOCKETS
		# Those that look like a shim's too.
		rm $SOCKETS
	}
	node_end
}

node_test the_resolver_of_the_node_answers_by_the_network_alone \
    "its sockets lie beside the resolv.conf that pods see"
the_resolver_of_the_node_answers_by_the_network_alone_body() {
	node_begin
	mkdir -p /run/systemd/resolve
	echo "nameserver 192.0.2.53" >/run/systemd/resolve/resolv.conf
	listen /run/systemd/resolve/io.systemd.Resolve.Monitor
	expect 0 "nameserver 192.0.2.53" spec_run a . \
	    cat /run/systemd/resolve/resolv.conf
	socket=/run/systemd/resolve/io.systemd.Resolve.Monitor
	bites_outside $socket "$CONNECT" $socket
	resisted . "$CONNECT" $socket
	node_end
}

node_test sockets_of_the_node_are_no_volumes \
    "hostPath of what hands over the node is refused"
sockets_of_the_node_are_no_volumes_body() {
	node_begin
	sockets_listen
	missed='' n=0
	for socket in ${SOCKETS%/run/regress.sock}; do
		# A privileged one has it.
		n=$((n + 1))
		bites "/volume$n" "$(volume_of "$socket" "/volume$n") |
		    $PRIVILEGED" "$CONNECT" "/volume$n"
		for source in "$socket" "${socket%/*}"; do
			[ "$source" != /run ] || continue
			n=$((n + 1))
			spec_run "v$n" "$(volume_of "$source" "/volume$n")" \
			    true >out 2>err && missed="$missed $source" &&
			    continue
			grep -q "is, or is in, or holds, what is kept" err ||
			    node_fail "$source: refused for another reason"
		done
	done
	rm /run/containerd/s/*
	[ -z "$missed" ] || atf_fail "allowed:$missed"
	node_end
}

# Somebody who listens where only the network namespace tells who may connect.
LISTEN='use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
	bind($s, pack_sockaddr_un("\0$ARGV[0]")) or die; listen($s, 9) or die;
	accept(my $c, $s) while 1'

node_test sockets_of_other_tenants_without_a_file_are_out_of_reach \
    "of two pods on the node's network, and on networks of their own"
sockets_of_other_tenants_without_a_file_are_out_of_reach_body() {
	node_begin
	name=regress.${REGRESS_DIR##*.}
	attack_start green "$(pod_of green)" perl -e "$LISTEN" "$name"
	until_true 10 grep -q "@$name" /proc/net/unix ||
	    node_fail "nobody listens"
	resisted "$(pod_of blue)" "$CONNECT" "@$name"
	resisted '.linux.namespaces += [{type: "network"}]' "$CONNECT" "@$name"
	bites_outside "@$name" "$CONNECT" "@$name"
	# All of the node's abstract sockets are for a privileged one.
	bites "@$name" "$PRIVILEGED" "$CONNECT" "@$name"
	task_end green
	node_end
}

# Prints what kinds of sockets could be made that see others' traffic or speak
# with parts of the kernel: raw, of links, of audit, netfilter, uevents, ...
RAW='perl -e "use Socket;
	socket(my \$s, AF_INET, SOCK_RAW, 1) and print qq(raw\\n);
	socket(\$s, 10, SOCK_RAW, 58) and print qq(raw6\\n);
	socket(\$s, 17, SOCK_RAW, 768) and print qq(packet\\n);
	socket(\$s, AF_INET, 10, 768) and print qq(old packet\\n);
	socket(\$s, 16, SOCK_RAW, 12) and print qq(netfilter\\n);
	socket(\$s, 16, SOCK_RAW, 15) and print qq(uevent\\n);
	socket(\$s, 40, SOCK_STREAM, 0) and print qq(vsock\\n);
	socket(\$s, 38, 5, 0) and print qq(crypto\\n)"'

node_test traffic_of_the_node_is_not_read \
    "raw sockets, and those of links and of the kernel"
traffic_of_the_node_is_not_read_body() {
	node_begin
	resisted . "$RAW"
	# As CRI gives it to all, and where the node says that they keep it.
	configure REAPER_HOST_NETWORK_CAPS=true
	bites "raw
raw6" . "$RAW"
	configure
	# On its own network it has its own traffic; not the kernel's parts.
	bites "raw
raw6" '.linux.namespaces += [{type: "network"}]' "$RAW"
	sh -c "$RAW" >outside
	grep -q packet outside || node_fail "not even outside"
	bites "$(cat outside)" "$PRIVILEGED" "$RAW"
	node_end
}

# Adds an address, and tells if that worked.
ADDRESS='ip address add 192.0.2.77/32 dev lo 2>/dev/null && echo added &&
	ip address del 192.0.2.77/32 dev lo'

node_test the_network_of_the_node_is_not_changed \
    "with CAP_NET_ADMIN, which its bundle gives it"
the_network_of_the_node_is_not_changed_body() {
	node_begin
	admin='.process.capabilities |= map_values(. + ["CAP_NET_ADMIN"])'
	resisted "$admin" "$ADDRESS"
	bites added "$admin | .linux.namespaces += [{type: \"network\"}]" \
	    "$ADDRESS"
	configure REAPER_HOST_NETWORK_CAPS=true
	bites added "$admin" "$ADDRESS"
	node_end
}

atf_init_test_cases() {
	node_add
}
