# shellcheck shell=sh
# Ways into the kernel: its filesystems, its sockets, its control groups.
# README.md says which vulnerability is which.
#
# Attacks are expanded by the workload's shell.
# shellcheck disable=SC2016

. "$(atf_get_srcdir)/../lib/attack.sh"

# Has a program run by the kernel, as root of the node, when the last process
# of a cgroup has gone: by version 1's hierarchies, mounted anew.
RELEASE='dir=/tmp/regress.cgroup; mkdir -p $dir
	try() {
		"$@" -t cgroup -o none,name=regress.cve cgroup $dir ||
		    "$@" -t cgroup -o rdma cgroup $dir || return
		mkdir $dir/x
		echo 1 >$dir/x/notify_on_release
		echo /regress/agent >$dir/release_agent &&
		    [ "$(cat $dir/release_agent)" = /regress/agent ] &&
		    echo armed
		# Nobody leaves x: it is not fired.
		echo >$dir/release_agent
		rmdir $dir/x
		umount $dir
	}
	try mount 2>/dev/null
	# One that there is, as the owner of a namespace.
	unshare -UrmC mount -t cgroup -o $1 cgroup $dir 2>/dev/null &&
	    echo mounted
	find /sys/fs/cgroup -name release_agent 2>/dev/null | while read -r f
	do
		(: >>$f) 2>/dev/null && echo opened $f
	done
	rmdir $dir'

# hierarchy_gone: the kernel keeps one that is unmounted while what was in it
# still goes.
hierarchy_gone() {
	grep -q name=regress.cve: /proc/self/cgroup || return 0
	mount -t cgroup -o none,name=regress.cve cgroup /mnt && umount /mnt
	return 1
}

case_end() {
	until_true 10 hierarchy_gone
	[ ! -s cgroups ] || until_true 10 cgroups_remove "$(cat cgroups)"
}

node_test cve_2022_0492_a_release_agent_of_a_cgroup \
    "is set by nobody: in no hierarchy that is there or could be mounted"
cve_2022_0492_a_release_agent_of_a_cgroup_body() {
	node_begin
	grep -qw cgroup /proc/filesystems || atf_skip "no cgroup version 1"
	there=$(sed -n 's/^[1-9][0-9]*:\(memory\|pids\|cpuset\):.*/\1/p' \
	    /proc/self/cgroup | head -n 1)
	resisted . "$RELEASE" "$there"
	# With the power to mount, which a bundle may ask for; it is refused.
	expect_refusal "refused" attack_run s '.process.capabilities |=
	    map_values(. + ["CAP_SYS_ADMIN"])' sh -c "$RELEASE" sh "$there"
	expect "*" "*" attack_run p "$PRIVILEGED" sh -c "$RELEASE" sh "$there"
	for word in armed ${there:+mounted}; do
		grep -qx $word out || node_fail "not $word by a privileged one"
	done
	node_end
}

# An overlay of one's own, in a namespace of users: what was copied up in it
# has had more than its owner could give.
OVERLAY='d=/dev/shm/regress.overlay
	mkdir -p $d/lower $d/upper $d/work $d/merged; cp /bin/true $d/lower/
	unshare -Urm sh -c "mount -t overlay -o \
	    lowerdir=$d/lower,upperdir=$d/upper,workdir=$d/work overlay \
	    $d/merged && echo mounted && touch $d/merged/true &&
	    [ -e $d/upper/true ] && echo copied" 2>/dev/null
	# CLONE_NEWUSER, CLONE_NEWNS, fsopen(2), FSCONFIG_SET_STRING.
	perl -e "my (\$t, \$k, \$v) = (qq(overlay\\0), qq(lowerdir\\0),
	    qq(/etc\\0));
	    syscall(272, 0x10020000);
	    my \$fd = syscall(430, \$t, 0);
	    syscall(431, \$fd, 1, \$k, \$v, 0) >= 0 and
		print qq(configured\\n)"
	rm -rf $d'

node_test cve_2023_0386_an_overlay_in_a_namespace_of_users \
    "is made by nobody, nor a namespace: also 2021-3493, 2023-2640"
cve_2023_0386_an_overlay_in_a_namespace_of_users_body() {
	calls_known
	node_begin
	resisted . "$OVERLAY"
	bites "mounted
copied
configured" "$PRIVILEGED" "$OVERLAY"
	node_end
}

# As the program for it: where one has all capabilities in namespaces of one's
# own, a filesystem's context and an option that is too long.
OPTIONS='perl -e "
	# CLONE_NEWUSER, CLONE_NEWNS; of a process that is nobody there
	syscall(272, 0x10020000);
	my (\$type, \$key, \$long) = (qq(ext4\\0), qq(\\0),
	    q(A) x 4095 . qq(\\0));
	my \$fd = syscall(430, \$type, 0);
	\$fd >= 0 and print qq(opened\\n);
	\$! = 0;
	# FSCONFIG_SET_STRING; EINVAL: it was looked at
	syscall(431, \$fd, 1, \$key, \$long, 0) >= 0 || \$! == 22 and
	    print qq(said\\n);"'

node_test cve_2022_0185_options_of_a_filesystem \
    "are said by nobody who has come to capabilities in a new namespace"
cve_2022_0185_options_of_a_filesystem_body() {
	calls_known
	node_begin
	resisted . "$OPTIONS"
	resisted '.process.noNewPrivileges = false' "$OPTIONS"
	bites_outside "opened
said" "$OPTIONS"
	node_end
}

# Families of sockets: AF_ALG, to which spliced pages were written to
# (2026-31431), AF_RXRPC and what encrypts in place (2026-43284, 2026-43500),
# AF_KEY, AF_VSOCK.  Whatever this kernel has, it answers EINVAL to a type that
# there is not, before it looks for the family: of one that is not let so far
# it is EAFNOSUPPORT.
FAMILIES='perl -e "
	my %families = (alg => 38, rxrpc => 33, key => 15, vsock => 40,
	    tipc => 30, rds => 21, can => 29, kcm => 41, xdp => 44, smc => 43,
	    packet => 17, bluetooth => 31, nfc => 39, qipcrtr => 42,
	    ax25 => 3, netrom => 6, x25 => 9, rose => 11, llc => 26,
	    phonet => 35, ieee802154 => 36, caif => 37);
	for my \$name (sort(keys(%families))) {
		for my \$call (41, 53) {
			my \$pair = qq(\\0) x 8;
			\$! = 0;
			syscall(\$call, \$families{\$name}, 11, 0, \$pair);
			print qq(\$name\\n) if \$! == 22;
			# Where it has one.
			for my \$type (1, 2, 3, 5) {
				syscall(\$call, \$families{\$name}, \$type, 0,
				    \$pair) >= 0 and print qq(\$name\\n);
			}
		}
	}
	# NETLINK_XFRM, NETLINK_CRYPTO, NETLINK_NETFILTER
	for my \$protocol (6, 21, 12) {
		syscall(41, 16, 3, \$protocol) >= 0 and
		    print qq(netlink \$protocol\\n);
	}" | sort -u'

node_test cve_2026_31431_sockets_of_the_kernels_ciphers \
    "and other rare families are not reached: also 2026-43284, 2026-43500"
cve_2026_31431_sockets_of_the_kernels_ciphers_body() {
	calls_known
	node_begin
	resisted . "$FAMILIES"
	# On its own network, too.
	resisted "$NETWORK" "$FAMILIES"
	sh -c "$FAMILIES" >outside
	for word in alg rxrpc key vsock "netlink 6"; do
		grep -qx "$word" outside || node_fail "not $word outside"
	done
	bites "$(cat outside)" "$PRIVILEGED" "$FAMILIES"
	node_end
}

# Connects and sends to each of these names, which are in no directory.
NAMES='perl -e "use Socket;
	for my \$name (@ARGV) {
		(my \$a = \$name) =~ s/^@/\\0/;
		for my \$type (SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM) {
			socket(my \$s, AF_UNIX, \$type, 0) or next;
			connect(\$s, pack_sockaddr_un(\$a)) ||
			    send(\$s, q(x), 0, pack_sockaddr_un(\$a)) and
			    print qq(\$name\\n) and last;
		}
	}" "$@"'

# To all that there are.
ABSTRACT='set -- $(sed -n "s/^.* \(@[^ ]*\)$/\1/p" /proc/net/unix)
	'"$NAMES"

node_test cve_2020_15257_a_socket_of_a_shim_that_has_no_file \
    "there is none, and others are out of reach on the node's network"
cve_2020_15257_a_socket_of_a_shim_that_has_no_file_body() {
	node_begin
	name=regress.${REGRESS_DIR##*.}
	listen "@$name"
	attack_start a . sleep 1000
	resisted . "$ABSTRACT"
	resisted . "$NAMES" "@$name"
	# Of all that ours have open none has such a name.
	for pid in $(shim_pid) $(helper_pid) $(publisher_pid) $(init_pid); do
		readlink "/proc/$pid/fd"/* | sed -n 's/^socket:\[\(.*\)\]$/\1/p'
	done | sort -u >inodes
	[ -s inodes ] || node_fail "they have no sockets"
	awk 'NR == FNR { ours[$1] = 1; next } $7 in ours { print $4, $8 }' \
	    inodes /proc/net/unix | sort -u >names
	# __SO_ACCEPTCON
	grep -q '^00010000 /run/containerd/s/' names || node_fail "nor has any"
	! grep '^00010000 @' names || node_fail "one listens"
	# The kernel names ends of a pair that are told of their senders; root
	# of the node cannot connect to these either.
	sed -n 's/^[0-9]* \(@.*\)/\1/p' names >ours
	# shellcheck disable=SC2046 # a list of words
	achieves "" outside sh -c "$NAMES" sh $(cat ours)
	achieves "@$name" outside sh -c "$NAMES" sh "@$name"
	task_end a
	bites "@$name" "$PRIVILEGED" "$ABSTRACT | grep '@$name'"
	node_end
}

atf_init_test_cases() {
	node_add
}
