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
	until_true 10 grep -q "to cat" out || node_fail "nothing comes"
	exec 6>&-
	until_true 10 not is_alive "$pid" || node_fail "it does not end"
	wait "$pid" || node_fail "cat failed"
	[ "$(cat out)" = "to cat" ] || node_fail "other output"
	node_end
}

node_test standard_input_that_has_ended_early_ends \
    "ten times echo x | ctr run cat, and as many execs"
standard_input_that_has_ended_early_ends_body() {
	node_begin
	expect 0 "*" task_run -d b sleep 1000
	# ctr misses an end that comes while it creates, so it must not.
	for i in $(seq 10); do
		echo "x $i" | timeout 10 sh -c "$(line_of task_run --rm "a$i" \
		    cat)" >out 2>err || node_fail "cat does not end"
		[ "$(cat out)" = "x $i" ] || node_fail "other output"
		echo "y $i" | timeout 10 sh -c "$(line_of task_exec b "e$i" \
		    cat)" >out 2>err || node_fail "the exec does not end"
		[ "$(cat out)" = "y $i" ] || node_fail "the exec's is other"
	done
	node_end
}

# line_of FUNCTION ARG...: a shell command that does that with ctr, for timeout.
line_of() {
	(
		ctr_() {
			printf 'exec ctr --address %s --namespace %s' \
			    "$REGRESS_DIR/c.sock" "$REGRESS_NAMESPACE"
			printf " '%s'" "$@"
		}
		"$@"
	)
}

node_test a_task_is_attached_again \
    "its input lives on while nobody is there, its output waits"
a_task_is_attached_again_body() {
	node_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "*" task_run -d a sh -c 'while read -r x; do
		echo "got $x"; [ "$x" != end ] || exit 3; done; echo at its end'
	mkfifo in
	for word in one two; do
		sh -c "$(line_of ctr_ task attach a)" <in >"out.$word" 2>err &
		pid=$!
		exec 6>in
		echo "$word" >&6
		until_true 10 grep -qx "got $word" "out.$word" ||
		    node_fail "no answer to $word"
		# Its other signals it hands on to the task.
		kill -KILL "$pid"
		wait "$pid" 2>/dev/null
		exec 6>&-
		task_is a RUNNING || node_fail "it has ended with its client"
	done
	echo end | ctr_ task attach a >out 2>err
	code=$?
	[ "$code" -eq 3 ] || node_fail "exit code $code, not 3"
	[ "$(cat out)" = "got end" ] || node_fail "other output"
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

# tell WORD: make the file for which the script waits.  What tells it to end may
# end with it.
tell() {
	task_exec a "e-$1" touch "/tmp/$1" >out 2>err || [ "$1" = end ] ||
	    node_fail "it cannot be told"
}

# resident PID: the memory of a process, in KiB.
resident() {
	sed -n 's/^Rss: *\([0-9]*\) kB/\1/p' "/proc/$1/smaps_rollup"
}

node_test output_of_1_gib_arrives_unharmed \
    "every byte, in order; the memory of shim and helper stays as it is"
output_of_1_gib_arrives_unharmed_body() {
	node_begin
	size=1073741824
	detached "seq 100000000 299999999 | head -c $size
		until [ -e /tmp/end ]; do sleep 0.05; done"
	tell go
	shim=$(shim_pid) helper=$(helper_pid)
	shim_before=$(resident "$shim") helper_before=$(resident "$helper")
	timeout 50 head -c $size "$FIFO" | sha256sum >got
	shim_after=$(resident "$shim") helper_after=$(resident "$helper")
	seq 100000000 299999999 | head -c $size | sha256sum >want
	cmp want got || atf_fail "the bytes differ"
	[ $((shim_after - shim_before)) -le 256 ] ||
	    atf_fail "the shim grew from $shim_before to $shim_after KiB"
	[ $((helper_after - helper_before)) -le 256 ] ||
	    atf_fail "the helper grew from $helper_before to $helper_after KiB"
	tell end
	until_true 10 task_is a STOPPED || atf_fail "it runs on"
	node_end
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

node_test nobody_owns_the_streams_of_a_task \
    "who did would get any signal that the task likes, as from root"
nobody_owns_the_streams_of_a_task_body() {
	atf_require_prog perl
	node_begin
	# With the node's processes in view; 9 is F_GETOWN.
	expect 0 "0 0 0" spec_run a '.linux.namespaces |=
	    map(select(.type != "pid"))' perl -e '
		print join(" ", map { 0 + fcntl($_, 9, 0) }
		    *STDIN, *STDOUT, *STDERR)'
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

# more_lines N: more than that have come; for until_true.
more_lines() {
	[ "$(wc -l <lines)" -gt "$1" ]
}

node_test every_line_comes_once_across_a_restart_of_containerd \
    "to a reader that stays"
every_line_comes_once_across_a_restart_of_containerd_body() {
	node_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	detached 'i=0; until [ -e /tmp/end ]; do echo $((i += 1)); done'
	cat "$FIFO" >lines &
	reader=$!
	tell go
	until_true 10 more_lines 0 || atf_fail "nothing comes"
	containerd_kill KILL || atf_fail "containerd lives"
	until_true 10 more_lines "$(wc -l <lines)" || atf_fail "it waits"
	containerd_start || atf_fail "no second start"
	until_true 10 more_lines "$(wc -l <lines)" || atf_fail "it waits now"
	tell end
	until_true 20 not is_alive "$reader" || atf_fail "it does not end"
	seq "$(wc -l <lines)" | cmp - lines || atf_fail "other lines"
	until_true 10 task_is a STOPPED || atf_fail "it runs on"
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

# logs_begin: begin a test on a node that has $LOGS for files of logs.
logs_begin() {
	node_begin
	LOGS=$REGRESS_DIR/logs
	mkdir -m 0755 "$LOGS" "$LOGS/sub"
	echo "REAPER_LOG_DIR=$LOGS" >"$REGRESS_DIR/reaper.conf"
}

node_test output_goes_to_a_file_for_logs \
    "both streams, of tasks and execs, at its end; it is root's alone"
output_goes_to_a_file_for_logs_body() {
	logs_begin
	uri=file://$LOGS/sub/a.log
	expect 0 "" task_run --rm --log-uri="$uri" a sh -c 'echo 1; echo 2 >&2'
	spec_make b.json '.process.user = { uid: 1000, gid: 1000 }' \
	    sh -c 'echo 3; echo 4 >&2; exec sleep 1000'
	expect 0 "" ctr_ run -d --log-uri "$uri" --runtime "$REGRESS_RUNTIME" \
	    --config b.json b
	until_true 10 grep -q 4 "$LOGS/sub/a.log" || node_fail "nothing comes"
	expect 0 "" ctr_ task exec --log-uri "$uri" --exec-id e b \
	    sh -c 'echo 5; echo 6 >&2'
	seq 6 | cmp - "$LOGS/sub/a.log" ||
	    atf_fail "it has $(tr '\n' ' ' <"$LOGS/sub/a.log")"
	[ "$(stat -c %a:%u:%g "$LOGS/sub/a.log")" = 600:0:0 ] ||
	    atf_fail "it is $(stat -c %a:%u:%g "$LOGS/sub/a.log")"
	# The shim has nothing of it.
	! readlink "/proc/$(shim_pid)/fd"/* | grep -F "$LOGS" ||
	    atf_fail "the shim has a file for logs open"
	node_end
}

# refused PATTERN URI: a task with that for its output is refused, and the
# reason matches and names it.
REFUSED=0
refused() {
	REFUSED=$((REFUSED + 1))
	expect_refusal "$1" task_run --rm --log-uri="$2" "r$REFUSED" echo words
	cat out err | grep -qF "stdout \"$2\": " ||
	    node_fail "it does not name $2"
}

node_test a_file_for_logs_lies_where_the_node_allows \
    "below REAPER_LOG_DIR, in directories of root's, no symbolic link"
a_file_for_logs_lies_where_the_node_allows_body() {
	logs_begin
	mkdir "$REGRESS_DIR/elsewhere" "$LOGS-too" "$LOGS/theirs" "$LOGS/open"
	chown 1000 "$LOGS/theirs"
	chmod 0777 "$LOGS/open"
	ln -s "$REGRESS_DIR/elsewhere" "$LOGS/away"
	ln -s "$REGRESS_DIR/elsewhere/file" "$LOGS/link"
	mkfifo "$LOGS/fifo"
	: >"$LOGS/theirs.log"
	: >"$LOGS/open.log"
	chown 1000 "$LOGS/theirs.log"
	chmod 0666 "$LOGS/open.log"
	find "$REGRESS_DIR/elsewhere" "$LOGS"* -printf '%p %s\n' | sort >before
	outside="below this node's REAPER_LOG_DIR"
	refused "$outside" "file://$REGRESS_DIR/elsewhere/file"
	refused "$outside" "file://$LOGS/../elsewhere/file"
	refused "$outside" "file://$LOGS-too/file"
	refused "$outside" "file://$LOGS"
	refused "symbolic link" "file://$LOGS/away/file"
	refused "symbolic link" "file://$LOGS/link"
	refused "is a directory" "file://$LOGS/sub"
	refused "no regular file" "file://$LOGS/fifo"
	refused "No such file" "file://$LOGS/none/file"
	refused "others than root" "file://$LOGS/theirs/file"
	refused "others than root" "file://$LOGS/open/file"
	refused "others than root" "file://$LOGS/theirs.log"
	refused "others than root" "file://$LOGS/open.log"
	refused "expected the absolute path" "file://relative"
	find "$REGRESS_DIR/elsewhere" "$LOGS"* -printf '%p %s\n' | sort >after
	cmp before after || atf_fail "files have changed"
	node_end
}

node_test other_kinds_of_output_are_refused \
    "loggers, and files where the node has no directory for them"
other_kinds_of_output_are_refused_body() {
	node_begin
	refused "REAPER_LOG_DIR, which is not set" "file://$REGRESS_DIR/file"
	[ ! -e "$REGRESS_DIR/file" ] || atf_fail "it was made"
	refused "expected the absolute path of a FIFO" "binary:///bin/cat?a=b"
	expect 0 "*" task_run -d a sleep 1000
	expect_refusal "binary:///bin/cat.*expected" ctr_ task exec \
	    --log-uri binary:///bin/cat --exec-id e a echo words
	node_end
}

node_test files_for_logs_are_hidden_from_workloads \
    "also from root's, which could read what others say"
files_for_logs_are_hidden_from_workloads_body() {
	host_disposable
	node_begin
	mkdir /var/log/regress
	echo "of others" >/var/log/regress/others.log
	echo "REAPER_LOG_DIR=/var/log/regress" >"$REGRESS_DIR/reaper.conf"
	expect 0 "" task_run --rm --log-uri=file:///var/log/regress/a.log a \
	    sh -c 'echo words; ls -A /var/log/regress'
	[ "$(cat /var/log/regress/a.log)" = words ] ||
	    node_fail "it sees $(cat /var/log/regress/a.log)"
	node_end
}

atf_init_test_cases() {
	node_add
}
