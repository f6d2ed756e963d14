# shellcheck shell=sh
# Standard input and output.

. "$(atf_get_srcdir)/../lib/node.sh"

node_test standard_input_arrives_and_ends \
    "cat prints its input while it comes, and ends when it ends"
standard_input_arrives_and_ends_body() {
	node_begin
	mkfifo in
	task_run --rm a cat <in >out 2>err &
	pid=$!
	exec 6>in
	echo "to cat" >&6
	# Not earlier: ctr itself misses an end that comes before the start.
	until_true 10 grep -q "to cat" out || node_fail "nothing comes"
	exec 6>&-
	until_true 10 not is_alive "$pid" || node_fail "it does not end"
	wait "$pid" || node_fail "cat failed"
	[ "$(cat out)" = "to cat" ] || node_fail "other output"
	node_end
}

node_test standard_input_of_16_mib_comes_back_unharmed \
    "through cat, both ways at once"
standard_input_of_16_mib_comes_back_unharmed_body() {
	node_begin
	seq 9000000 | head -c 16777216 >in
	task_run --rm a cat <in >out 2>err || node_fail "cat failed"
	cmp in out || atf_fail "the bytes differ"
	node_end
}

node_test output_of_64_mib_arrives_unharmed \
    "every byte, in order"
output_of_64_mib_arrives_unharmed_body() {
	node_begin
	want=$(seq 9000000 | head -c 67108864 | sha256sum)
	got=$(task_run --rm a sh -c 'seq 9000000 | head -c 67108864' 2>err |
	    sha256sum)
	[ "$got" = "$want" ] || atf_fail "the bytes differ"
	node_end
}

# detached SCRIPT: task a, that runs it when told to go; its FIFO is $FIFO.
detached() {
	expect 0 "*" task_run -d a sh -c "
		until [ -e /tmp/go ]; do sleep 0.05; done
		$1"
	FIFO=$(find "$REGRESS_DIR/fifo" -name 'a-stdout')
	[ -p "$FIFO" ] || atf_fail "no FIFO"
}

# tell WORD: make the file for which the script waits.
tell() {
	expect 0 "" task_exec a "e-$1" touch "/tmp/$1"
}

node_test the_last_bytes_before_an_exit_arrive \
    "twenty times output and immediate end"
the_last_bytes_before_an_exit_arrive_body() {
	node_begin
	for i in $(seq 20); do
		expect 0 "last words $i" task_run --rm "a$i" echo "last words $i"
	done
	node_end
}

node_test output_waits_for_its_reader \
    "what is written before containerd has opened the FIFO is not lost"
output_waits_for_its_reader_body() {
	node_begin
	peer_build
	case $REGRESS_RUNTIME in
	*.reaper.*) ;;
	*) atf_skip "needs the shim's own socket" ;;
	esac
	bundle=$(bundle_make c1)
	spec_make "$bundle/config.json" . echo "first words"
	SOCKET=$(shim_do "$bundle" start c1) || atf_fail "no start"
	mkdir "$REGRESS_DIR/fifo/1"
	fifo=$REGRESS_DIR/fifo/1/c1-stdout
	mkfifo -m 0700 "$fifo"
	{
		"$PEER" "$SOCKET" call Create 1=c1 "2=$bundle" "6=$fifo" &&
		    "$PEER" "$SOCKET" call Start 1=c1
	} >start.out 2>&1 &
	start=$!
	# Without a reader, it waits; a task that has already ended has lost
	# its words.
	until_true 1 stopped_c1 || :
	timeout 10 cat "$fifo" >out 2>err || node_fail "the reader hangs"
	[ "$(cat out)" = "first words" ] || node_fail "words were lost"
	wait "$start" || node_fail "not started: $(cat start.out)"
	expect 0 "*" "$PEER" "$SOCKET" call Wait 1=c1
	expect 0 "*" "$PEER" "$SOCKET" call Delete 1=c1
	expect 0 "" "$PEER" "$SOCKET" call Shutdown 1=c1
	shim_gone "$bundle" c1
	node_end
}

stopped_c1() {
	"$PEER" "$SOCKET" call State 1=c1 | grep -q '^4=3$'
}

node_test a_task_without_streams_has_dev_null \
    "reading ends at once, writing goes nowhere"
a_task_without_streams_has_dev_null_body() {
	node_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "" task_run --null-io --rm a sh -c '
		read -r x && exit 1
		echo out && echo err >&2 || exit 2
		for fd in 0 1 2; do
			[ "$(stat -L -c %t:%T /proc/$$/fd/$fd)" = 1:3 ] ||
			    exit 3
		done'
	node_end
}

node_test a_task_inherits_three_descriptors_only \
    "nothing of the shim's, the helper's or the host's"
a_task_inherits_three_descriptors_only_body() {
	node_begin
	# The fourth is the directory that ls reads.
	expect 0 "0
1
2
3" task_run --rm a ls /proc/self/fd
	expect 0 "*" task_run -d b sleep 1000
	expect 0 "0
1
2
3" task_exec b e ls /proc/self/fd
	node_end
}

node_test a_background_process_does_not_hold_the_output_open \
    "ctr run returns though a daemon has kept its standard output"
a_background_process_does_not_hold_the_output_open_body() {
	node_begin
	expect 0 "done" task_run --rm a sh -c 'setsid sleep 4321 & echo done'
	! runs sleep 4321 || node_fail "the daemon lives on"
	node_end
}

node_test standard_output_can_be_opened_again \
    "through /dev/stdout and /proc/self/fd/1, by root and by others"
standard_output_can_be_opened_again_body() {
	node_begin
	expect 0 "root" spec_run a . sh -c 'echo root >/proc/self/fd/1'
	expect 0 "user" spec_run b '.process.user = { uid: 1000, gid: 1000 }' \
	    sh -c 'echo user >/proc/self/fd/1'
	expect 0 "dev" spec_run c . sh -c 'echo dev >/dev/stdout'
	node_end
}

node_test writers_survive_a_restart_of_containerd \
    "no EPIPE while nobody reads; every byte arrives afterwards"
writers_survive_a_restart_of_containerd_body() {
	node_begin
	expect 0 "*" task_run -d a sh -c '
		until [ -e /tmp/go ]; do sleep 0.05; done; exec seq 300000'
	fifo=$(find "$REGRESS_DIR/fifo" -name 'a-stdout')
	[ -p "$fifo" ] || atf_fail "no FIFO"
	exec 7<"$fifo"
	expect 0 "" task_exec a e touch /tmp/go
	head -c 100000 <&7 >first
	exec 7<&-
	containerd_kill KILL || atf_fail "containerd lives"
	# Nobody reads now, and the pipe is full.
	containerd_start || atf_fail "no second start"
	task_is a RUNNING || atf_fail "the task is gone"
	expect 0 "here" task_exec a e2 echo here
	timeout 20 cat "$fifo" >second || atf_fail "the output does not end"
	until_true 10 task_is a STOPPED || atf_fail "it runs on"
	expect_removed a 0
	seq 300000 >want
	cat first second | cmp - want || atf_fail "bytes were lost"
	node_end
}

node_test last_words_wait_for_a_reader \
    "who comes after the task has ended and containerd was away"
last_words_wait_for_a_reader_body() {
	node_begin
	detached "echo last words"
	tell go
	until_true 10 task_is a STOPPED || atf_fail "it runs on"
	containerd_kill KILL || atf_fail "containerd lives"
	containerd_start || atf_fail "no second start"
	task_is a STOPPED || atf_fail "it is not stopped"
	expect 0 "last words" timeout 10 cat "$FIFO"
	expect_removed a 0
	node_end
}

node_test a_task_that_ends_while_containerd_is_away_is_reported \
    "with its exit code, after the restart"
a_task_that_ends_while_containerd_is_away_is_reported_body() {
	node_begin
	expect 0 "*" task_run -d a sh -c '
		until [ -e /tmp/go ]; do sleep 0.05; done; exit 42'
	pid=$(ctr_ task ls | awk '$1 == "a" { print $2 }')
	containerd_kill KILL || atf_fail "containerd lives"
	touch "/proc/$pid/root/tmp/go"
	until_true 10 not is_alive "$pid" || atf_fail "it runs on"
	containerd_start || atf_fail "no second start"
	task_is a STOPPED || atf_fail "it is not stopped"
	expect_removed a 42
	node_end
}

atf_init_test_cases() {
	node_add
}
