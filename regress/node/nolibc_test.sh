# shellcheck shell=sh
# A node that has nothing but the programs and a command.

. "$(atf_get_srcdir)/../lib/node.sh"

# root_make: the programs, a shell without libraries, and what a kernel has.
root_make() {
	mkdir "$REGRESS_DIR/node"
	mount -t tmpfs -o mode=0755 tmpfs "$REGRESS_DIR/node" ||
	    atf_fail "no root"
	(
		cd "$REGRESS_DIR/node" || exit 1
		mkdir bin etc dev proc sys run tmp bundle bundle/rootfs
		for _program in containerd-shim-reaper-v2 reaper-privsep \
		    reaper-runtime; do
			cp "$REGRESS_BUILD/$_program" bin/ || exit 1
		done
		cp "$(command -v busybox)" bin/ && ln bin/busybox bin/sh
		echo 'root:x:0:0::/:/bin/sh' >etc/passwd
		mount --rbind /dev dev && mount --rbind /sys sys &&
		    mount -t proc proc proc
	) || atf_fail "no root with the programs"
}

# on_node COMMAND: a shell's command, with the root and nothing of the old one.
on_node() {
	# shellcheck disable=SC2016 # expanded by that shell
	unshare --mount --propagation private "$REGRESS_DIR/node/bin/sh" -c '
		cd "$1" && bin/busybox pivot_root . tmp && cd / &&
		    /bin/busybox umount -l /tmp && PATH=/bin && eval "$2"' \
	    sh "$REGRESS_DIR/node" "$1"
}

node_test a_command_runs_on_a_node_without_a_libc \
    "the node's files are the programs, a static shell and a user"
a_command_runs_on_a_node_without_a_libc_body() {
	node_begin
	command -v busybox || atf_skip "needs a static busybox"
	! grep -q -e ' STATIC=0$' -e ' -fsanitize=' "$REGRESS_BUILD/flags" ||
	    atf_skip "built with shared libraries"
	root_make
	expect 0 "$(printf '%s\n' bin bundle dev etc proc run sys tmp)" \
	    on_node 'busybox ls /'
	spec_make "$REGRESS_DIR/node/bundle/config.json" \
	    '.root.path = "rootfs"' sh -c 'echo /lib*; busybox id -u; exit 3'
	expect 3 "$(printf '/lib*\n0')" \
	    on_node 'reaper-runtime run --bundle /bundle a; exit $?'
	node_end
}

atf_init_test_cases() {
	node_add
}
