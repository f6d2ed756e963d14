# shellcheck shell=sh
# Clients that stop halfway through a message, and messages as long as may be:
# all others are served, and the memory that it took comes back.

. "$(atf_get_srcdir)/../lib/node.sh"

LIMIT=4194304	# bytes of a message

# stall_begin: tasks a and b behind one shim, which has been used.
stall_begin() {
	node_begin
	expect 0 "" task_run --rm warm true
	leak_before
	for id in a b; do
		expect 0 "*" task_run -d \
		    --annotation=io.containerd.runc.v2.group=g "$id" sleep 1000
	done
	expect 0 yes task_exec a e echo yes
	peer_to a
	SHIM=$(shim_pid)
	HELPER=$(helper_pid)
}

# memory: of the shim, then of the helper, that is nobody else's, in kB.
memory() {
	status_of "$SHIM" RssAnon
	status_of "$HELPER" RssAnon
}

# memory_is_back: within 1 MiB of what it was.
memory_is_back() {
	memory | sed 's/ kB//' >memory.now
	sed 's/ kB//' memory.before | paste - memory.now |
	    awk '$2 > $1 + 1024 { bad = 1 } END { exit bad }'
}

# others_are_served: at once, by way of containerd and by connections of their
# own.
others_are_served() {
	expect 0 "*" timeout 5 "$PEER" "$SOCKET" call State 1=b
	expect 3 "" task_exec b e sh -c 'exit 3'
	expect 0 "" task_run --annotation=io.containerd.runc.v2.group=g \
	    --rm c true
}

stall_end() {
	until_true 10 memory_is_back ||
	    node_fail "of memory is kept: $(cat memory.before memory.now)"
	[ "$(shim_pid)" = "$SHIM" ] || node_fail "another shim"
	others_are_served
	for id in a b; do
		task_end "$id"
	done
	leak_after || atf_fail "something was left"
	node_end
}

node_test clients_that_stop_halfway_hold_nobody_up \
    "a hundred of them: in the header, after it, in the middle, at the end"
clients_that_stop_halfway_hold_nobody_up_body() {
	stall_begin
	memory >memory.before
	mkfifo hold
	for bytes in 5 10 2097152 $((LIMIT + 9)); do
		count=100
		# So much is kept for each of these.
		[ "$bytes" -lt "$LIMIT" ] || count=20
		"$PEER" "$SOCKET" stall "$count" "$bytes" <hold >stalled &
		stalling=$!
		exec 6>hold
		until_true 20 grep -q stalled stalled ||
		    node_fail "$bytes: they are not read"
		others_are_served
		# What is kept of them meanwhile, or it could not come back.
		memory | sed 's/ kB//' >memory.now
		[ "$bytes" -le 10 ] ||
		    [ "$(head -n 1 memory.now)" -ge $((count * bytes / 1100)) ] ||
		    node_fail "$bytes: it was not read: $(cat memory.now)"
		exec 6>&-
		wait "$stalling" || node_fail "$bytes: they are hung up on"
		until_true 10 memory_is_back ||
		    node_fail "$bytes: memory is kept: $(cat memory.now)"
	done
	stall_end
}

# exec_json PAD FILTER: a process that ends with 5, and spaces before it.
exec_json() {
	head -c "$1" /dev/zero | tr '\0' ' '
	jq -cn '{args: ["sh", "-c", "exit 5"], cwd: "/",
	    user: {uid: 0, gid: 0}, env: ["PATH=/usr/bin:/bin"]}'
}

# padded BYTES CALL...: a file pad, of which the call makes a message of so
# many bytes; the text comes from the function that is named by $MAKE.
padded() {
	_bytes=$1
	shift
	"$MAKE" 3000000 >pad
	"$MAKE" $((3000000 + _bytes - $("$PEER" "$SOCKET" size "$@"))) >pad
	[ "$("$PEER" "$SOCKET" size "$@")" -eq "$_bytes" ] ||
	    node_fail "not of $_bytes bytes"
}

node_test an_exec_as_long_as_may_be_is_executed \
    "and one that is a byte longer is refused, as is one too large for a plan"
an_exec_as_long_as_may_be_is_executed_body() {
	stall_begin
	memory >memory.before
	MAKE=exec_json
	padded "$LIMIT" Exec 1=a 2=1 7@@pad
	for n in 1 2 3; do
		expect 0 "*" peer Exec 1=a "2=$n" 7@@pad
		expect 0 "*" peer Start 1=a "2=$n"
		expect 0 "*" peer Wait 1=a "2=$n"
		[ "$(field 1)" = 5 ] || node_fail "not 5"
		expect 0 "*" peer Delete 1=a "2=$n"
	done
	padded $((LIMIT + 1)) Exec 1=a 2=e 7@@pad
	expect_refusal "error 8 the message is longer than 4 MiB" \
	    peer Exec 1=a 2=e 7@@pad
	# Forty variables of 100,000 bytes.
	jq -cn '{args: ["true"], cwd: "/", user: {uid: 0, gid: 0},
	    env: [range(40) | "V\(.)=" + ("x" * 100000)]}' >pad
	expect_refusal "error 3 decoding the specification: .*env" \
	    peer Exec 1=a 2=e 7@@pad
	# What is no JSON.
	head -c 4000000 /dev/zero >pad
	expect_refusal "error 3 decoding the specification: " \
	    peer Exec 1=a 2=e 7@@pad
	stall_end
}

pad_of_zeros() {
	head -c "$1" /dev/zero
}

node_test a_create_as_long_as_may_be_is_answered \
    "and one that is a byte longer is refused, and can be sent again"
a_create_as_long_as_may_be_is_answered_body() {
	shim_begin c1 sh -c 'exit 3'
	# Options, of which nothing is understood.
	MAKE=pad_of_zeros
	padded $((LIMIT + 1)) Create 1=c1 "2=$BUNDLE" 10@@pad
	expect_refusal "error 8 the message is longer than 4 MiB" \
	    peer Create 1=c1 "2=$BUNDLE" 10@@pad
	padded "$LIMIT" Create 1=c1 "2=$BUNDLE" 10@@pad
	expect 0 "*" peer Create 1=c1 "2=$BUNDLE" 10@@pad
	expect 0 "*" peer Start 1=c1
	expect 0 "*" peer Wait 1=c1
	[ "$(field 1)" = 3 ] || node_fail "not 3"
	expect 0 "*" peer Delete 1=c1
	expect 0 "*" peer Shutdown 1=c1
	shim_gone "$BUNDLE" c1
	node_end
}

atf_init_test_cases() {
	node_add
}
