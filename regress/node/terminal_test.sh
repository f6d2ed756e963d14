# shellcheck shell=sh
# Terminals: ctr run -t and ctr task exec -t, as a person at a terminal sees
# them.  script(1) is that terminal.

. "$(atf_get_srcdir)/../lib/node.sh"

# terminal_begin: begin a test in which descriptor 9 is somebody who types
# nothing.  Where its input ends, script(1) types characters of its own.
terminal_begin() {
	node_begin
	mkfifo nobody
	exec 9<>nobody
}

# at_terminal COMMAND: run a shell command at a terminal; standard input is what
# is typed.
at_terminal() {
	script -qec "$1" /dev/null
}

# ctr_line ARG...: a shell command that is ctr_ ARG..., quoted.
ctr_line() {
	printf 'ctr --address %s --namespace %s' "$REGRESS_DIR/c.sock" \
	    "$REGRESS_NAMESPACE"
	for _arg; do
		printf " '%s'" "$_arg"
	done
}

# run_line ID SCRIPT [FLAG...]: the same for ctr run -t of sh -c SCRIPT.
run_line() {
	_id=$1 _script=$2
	shift 2
	ctr_line run -t --rm --runtime "$REGRESS_RUNTIME" \
	    --env "PATH=$TASK_PATH" --fifo-dir "$REGRESS_DIR/fifo" "$@" \
	    --rootfs "$REGRESS_DIR/rootfs" "$_id" sh -c "$_script"
}

# lines: the last output, as text.
lines() {
	tr -d '\r' <seen
}

# said PATTERN: it has a line that matches.
said() {
	lines | grep -Eq -- "$1" ||
	    atf_fail "no line \"$1\" in: $(lines | head -n 20 | tr '\n' '|')"
}

# shows PATTERN: the same of output that still grows; for until_true.
shows() {
	lines | grep -Eq -- "$1"
}

node_test a_task_has_a_controlling_terminal \
    "Its name, its session, and that it is on all three streams"
a_task_has_a_controlling_terminal_body() {
	terminal_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	at_terminal "$(run_line a 'tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] &&
	    echo all three; ps -o tty= -o sid= -p $$; echo pid $$;
	    : </dev/tty && echo has it')" <&9 >seen
	said '^/dev/pts/[0-9]+$'
	said '^all three$'
	said '^has it$'
	pid=$(lines | sed -n 's/^pid //p')
	said "^pts/[0-9]+ +$pid$"
	node_end
}

node_test what_is_typed_is_read_and_echoed "A line, and the end of input"
what_is_typed_is_read_and_echoed_body() {
	terminal_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	{
		until_true 10 shows '^ready'
		echo hello
		until_true 10 shows '^got hello'
		printf '\004'
	} | at_terminal "$(run_line a 'echo ready; read x; echo "got $x";
	    cat; echo end')" >seen
	said '^hello$'
	said '^got hello$'
	said '^end$'
	node_end
}

node_test an_interrupt_character_is_a_signal "Job control works"
an_interrupt_character_is_a_signal_body() {
	terminal_begin
	{
		until_true 10 shows '^ready'
		printf '\003'
	} | at_terminal "$(run_line a 'trap "echo caught; exit 5" INT
	    echo ready; while :; do sleep 0.1; done'); echo code \$?" >seen
	said 'caught$'
	said '^code 5$'
	node_end
}

node_test all_output_arrives_before_the_exit "Three hundred thousand lines"
all_output_arrives_before_the_exit_body() {
	terminal_begin
	at_terminal "$(run_line a 'seq 300000; echo the end; exit 7')
	    echo code \$?" <&9 >seen
	said '^the end$'
	said '^code 7$'
	lines | grep -xE '[0-9]+' >numbers
	seq 300000 >expected
	cmp expected numbers ||
	    atf_fail "lines are missing: $(diff expected numbers | head -n 5 |
	    tr '\n' '|')"
	for i in $(seq 10); do
		at_terminal "$(run_line "b$i" 'echo only this')" <&9 >seen
		said '^only this$'
	done
	node_end
}

node_test a_terminal_has_the_size_it_was_given \
    "The first one from config.json; SIGWINCH comes with the next"
a_terminal_has_the_size_it_was_given_body() {
	terminal_begin
	peer_build
	# Without ctr, which sets a size of its own.
	bundle=$(bundle_make a)
	spec_make "$bundle/config.json" '.process.terminal = true |
	    .process.consoleSize = {height: 33, width: 77}' sh -c \
	    'trap "stty size; exit 3" WINCH
	    stty size; while :; do sleep 0.1; done'
	SOCKET=$(shim_do "$bundle" start a) || atf_fail "no shim"
	out=$REGRESS_DIR/fifo/a-stdout
	mkfifo -m 0600 "$out"
	cat "$out" >seen &
	reader=$!
	expect 0 "*" "$PEER" "$SOCKET" call Create 1=a "2=$bundle" 4:1 "6=$out"
	expect 0 "*" "$PEER" "$SOCKET" call Start 1=a
	until_true 10 shows '^33 77' || atf_fail "another size at first"
	expect 1 "*" "$PEER" "$SOCKET" call ResizePty 1=nobody 3:1 4:1
	expect 1 "*" "$PEER" "$SOCKET" call ResizePty 1=a 3:65536 4:1
	expect 0 "*" "$PEER" "$SOCKET" call ResizePty 1=a 3:101 4:42
	expect 0 "*" "$PEER" "$SOCKET" call Wait 1=a
	wait "$reader"
	said '^42 101$'
	expect 0 "*" "$PEER" "$SOCKET" call Delete 1=a
	expect 0 "*" "$PEER" "$SOCKET" call Shutdown 1=a
	until_true 10 no_shim_runs || atf_fail "the shim stays"
	expect 0 "*" shim_do "$bundle" delete a
	rm -rf "$bundle"
	node_end
}

node_test an_exec_has_a_terminal_of_its_own \
    "Also in a task without one, and the other way round"
an_exec_has_a_terminal_of_its_own_body() {
	terminal_begin
	expect 0 "*" task_run -d a sleep 1000
	at_terminal "$(ctr_line task exec -t --exec-id e1 a sh -c \
	    'tty; (sleep 1000; echo late) & echo exec; exit 9')
	    echo code \$?" <&9 >seen
	said '^/dev/pts/[0-9]+$'
	said '^exec$'
	said '^code 9$'
	expect 1 "not a tty" task_exec a e2 tty
	node_end
}

node_test an_exec_that_fails_leaves_no_terminal "None stays with the helper"
an_exec_that_fails_leaves_no_terminal_body() {
	terminal_begin
	expect 0 "*" task_run -d a sleep 1000
	before=$(find "/proc/$(helper_pid)/fd" -mindepth 1 | wc -l)
	for i in 1 2 3; do
		at_terminal "$(ctr_line task exec -t --exec-id "e$i" a \
		    /no/such/program)" <&9 >seen && atf_fail "it was executed"
		said '/no/such/program'
	done
	after=$(find "/proc/$(helper_pid)/fd" -mindepth 1 | wc -l)
	[ "$after" -eq "$before" ] ||
	    atf_fail "$before descriptors before, $after after"
	task_end a
	node_end
}

node_test a_task_hangs_up_with_its_terminal "SIGHUP on delete"
a_task_hangs_up_with_its_terminal_body() {
	terminal_begin
	at_terminal "$(ctr_line run -d -t --runtime "$REGRESS_RUNTIME" \
	    --env "PATH=$TASK_PATH" --fifo-dir "$REGRESS_DIR/fifo" --rootfs \
	    "$REGRESS_DIR/rootfs" a sleep 4321)" <&9 >seen
	until_true 10 runs sleep 4321 || atf_fail "the task does not run"
	task_end a
	until_true 10 not runs sleep 4321 || atf_fail "the task lives on"
	node_end
}

node_test a_detached_terminal_is_attached_again \
    "What was said meanwhile is there"
a_detached_terminal_is_attached_again_body() {
	terminal_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	at_terminal "$(ctr_line run -d -t --runtime "$REGRESS_RUNTIME" \
	    --env "PATH=$TASK_PATH" --fifo-dir "$REGRESS_DIR/fifo" --rootfs \
	    "$REGRESS_DIR/rootfs" a sh -c \
	    'until [ -e /tmp/regress.go ]; do sleep 0.1; done; echo first
	    : >/tmp/regress.said; read x; echo "got $x"; exit 3')" \
	    <&9 >seen
	expect 0 "*" task_exec a e1 touch /tmp/regress.go
	until_true 10 task_exec a e2 test -e /tmp/regress.said ||
	    atf_fail "nothing is said"
	: >seen
	{
		until_true 10 shows '^first'
		echo word
	} | at_terminal "$(ctr_line task attach a); echo code \$?" >seen
	said '^first$'
	said '^got word$'
	said '^code 3$'
	node_end
}

# switches PID: how often it has waited or been interrupted.
switches() {
	awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$1/status"
}

node_test the_shim_rests_while_nobody_reads \
    "the output of a terminal whose task has ended"
the_shim_rests_while_nobody_reads_body() {
	terminal_begin
	at_terminal "$(ctr_line run -d -t --runtime "$REGRESS_RUNTIME" \
	    --env "PATH=$TASK_PATH" --fifo-dir "$REGRESS_DIR/fifo" --rootfs \
	    "$REGRESS_DIR/rootfs" a sh -c \
	    'until [ -e /tmp/regress.go ]; do sleep 0.1; done; echo last')" \
	    <&9 >seen
	expect 0 "*" task_exec a e1 touch /tmp/regress.go
	until_true 10 task_is a STOPPED || atf_fail "it runs on"
	shim=$(shim_pid)
	before=$(switches "$shim")
	# What takes a while, and is not of the shim's business.
	for _ in $(seq 20); do
		containerd_answers >/dev/null || atf_fail "no containerd"
	done
	# The end is told once, though nobody has read.
	after=$(switches "$shim")
	[ $((after - before)) -le 3 ] ||
	    atf_fail "it woke $((after - before)) times"
	fifo=$(find "$REGRESS_DIR/fifo" -name 'a-stdout')
	expect 0 "*" timeout 10 cat "$fifo"
	[ "$(tr -d '\r' <out)" = last ] || atf_fail "its last words are lost"
	node_end
}

node_test a_terminal_belongs_to_the_user_of_the_task \
    "who can open it again"
a_terminal_belongs_to_the_user_of_the_task_body() {
	terminal_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	spec_make a.json '.process.terminal = true |
	    .process.user = {uid: 1234, gid: 5678}' sh -c \
	    'stat -c "%u" "$(tty)"; : >"$(tty)" && echo opened'
	at_terminal "$(ctr_line run --rm -t --runtime "$REGRESS_RUNTIME" \
	    --fifo-dir "$REGRESS_DIR/fifo" --config a.json a)" <&9 >seen
	said '1234$'
	said '^opened$'
	node_end
}

# exec_is STATE: of the exec x of a, as a number; for until_true.
exec_is() {
	peer State 1=a 2=x | grep -qx "4=$1"
}

node_test a_terminal_can_be_typed_at_until_its_output_was_read \
    "What is typed late fails late: CRI stops reading when it does"
a_terminal_can_be_typed_at_until_its_output_was_read_body() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	peer_to a
	dir=$REGRESS_DIR/fifo
	mkfifo -m 0700 "$dir/x-stdin" "$dir/x-stdout"
	exec 7<>"$dir/x-stdout"
	expect 0 "" peer Exec 1=a 2=x 3:1 "4=$dir/x-stdin" "5=$dir/x-stdout" \
	    "$(exec_spec '.terminal = true' sh -c 'test -t 0 && echo yes')"
	exec 6>"$dir/x-stdin"
	expect 0 "*" peer Start 1=a 2=x
	until_true 10 exec_is 3 || node_fail "it does not end"
	(echo typed >&6) 2>err || node_fail "nobody reads what is typed"
	read -r line <&7
	[ "$line" = "$(printf 'yes\r')" ] || node_fail "it says \"$line\""
	exec 7<&-
	expect 0 "*" peer Wait 1=a 2=x
	until_true 10 not sh -c 'echo typed >&6' ||
	    node_fail "somebody still reads what is typed"
	expect 0 "*" peer Delete 1=a 2=x
	node_end
}

atf_init_test_cases() {
	node_add
}
