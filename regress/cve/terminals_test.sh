# shellcheck shell=sh
# Terminals: that of the caller, and what a filter makes of a request for one.
# README.md says which vulnerability is which.
#
# Attacks are expanded by the workload's shell.
# shellcheck disable=SC2016

. "$(atf_get_srcdir)/../lib/attack.sh"

# typed SCRIPT [FLAG]: what a container at a terminal shows of it, in seen.
typed() {
	script -qec "ctr --address $REGRESS_DIR/c.sock \
	    --namespace $REGRESS_NAMESPACE run -t --rm ${2-} \
	    --runtime $REGRESS_RUNTIME --env PATH=$TASK_PATH \
	    --fifo-dir $REGRESS_DIR/fifo --rootfs $REGRESS_DIR/rootfs a \
	    /bin/sh -c '$1'" /dev/null <&9 >seen
	cp seen err
}

# typing_resisted SCRIPT: it types nothing; a privileged one, with all
# capabilities and no filter, does.
typing_resisted() {
	command -v script >/dev/null || atf_skip "needs script(1)"
	node_begin
	mkfifo nobody
	exec 9<>nobody
	typed "$1"
	grep -q "not: Operation not permitted" seen ||
	    node_fail "it is not refused"
	! grep -q -e pasted -e typed seen || node_fail "it types"
	typed "$1" --privileged
	grep -q typed seen || node_fail "not even a privileged one types"
}

node_test cve_2017_5226_a_terminal_that_is_typed_into \
    "by TIOCSTI and TIOCLINUX: whoever reads it next would execute that"
cve_2017_5226_a_terminal_that_is_typed_into_body() {
	typing_resisted 'perl -e "open(my \$t, q(+<), q(/dev/tty)) or die;
	    my \$c = q(x);
	    print ioctl(\$t, 0x5412, \$c) ? qq(typed\n) : qq(not: \$!\n);
	    \$c = chr(3); ioctl(\$t, 0x541C, \$c) and print qq(pasted\n)"'
	node_end
}

# Types into each of its streams that is a terminal, and into what is its own.
STREAMS='perl -e "open(TTY, q(+<), q(/dev/tty));
	for my \$t (*STDIN, *STDOUT, *STDERR, *TTY) {
		my \$c = q(x);
		ioctl(\$t, 0x5412, \$c) and print qq(typed\n);
	}"'

node_test cve_2017_5226_a_terminal_of_the_caller \
    "is handed to nobody: not by run at a terminal, without one of its own"
cve_2017_5226_a_terminal_of_the_caller_body() {
	command -v script >/dev/null || atf_skip "needs script(1)"
	node_begin
	mkfifo nobody
	exec 9<>nobody
	mkdir bundle
	echo "$STREAMS" >streams
	chmod 0755 . streams
	look='for n in 0 1 2; do [ ! -t $n ] || echo terminal; done
	    (: </dev/tty) 2>/dev/null && echo terminal'
	spec_make bundle/config.json . sh -c "$look; $STREAMS
	    echo looked"
	script -qec "REAPER_CONFIG='$REGRESS_DIR/reaper.conf' \
	    REAPER_RUNTIME_ROOT='$REGRESS_DIR/reaper' \
	    '$REGRESS_BUILD/reaper-runtime' run --bundle bundle \
	    a${REGRESS_DIR##*.}" /dev/null <&9 >seen
	cp seen err
	[ "$(tr -d '\r' <seen)" = looked ] || node_fail "it has a terminal"
	# Who sits at it can.
	script -qec "sh streams" /dev/null <&9 >seen
	grep -q typed seen || node_fail "not even outside"
	node_end
}

node_test cve_2019_10063_a_request_with_a_high_word \
    "which the kernel drops, and which a filter of 32 bits does not see"
cve_2019_10063_a_request_with_a_high_word_body() {
	calls_known
	# ioctl(2), of which the second argument is TIOCSTI for the kernel.
	typing_resisted 'perl -e "open(my \$t, q(+<), q(/dev/tty)) or die;
	    my \$c = q(x);
	    for my \$high (0x100000000, 0x8000000000000000) {
		\$! = 0;
		print syscall(16, fileno(\$t), 0x5412 | \$high, \$c) == 0 ?
		    qq(typed\n) : qq(not: \$!\n);
	    }"'
	grep -c typed seen >out
	[ "$(cat out)" = 2 ] || node_fail "one of both is none"
	# The same of a family of sockets, AF_VSOCK.
	attack='perl -e "syscall(41, 40 | 0x100000000, 1, 0) >= 0 and
	    print qq(vsock\n)"'
	resisted . "$attack"
	node_end
}

atf_init_test_cases() {
	node_add
}
