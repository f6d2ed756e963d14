# shellcheck shell=sh
# The logs: containerd's, and the files of REAPER_SHIM_LOG and
# REAPER_RUNTIME_LOG.

. "$(atf_get_srcdir)/../lib/node.sh"

# log_begin: both files, in a directory of root's.
log_begin() {
	node_begin
	SHIM_LOG=$REGRESS_DIR/logs/shim
	RUNTIME_LOG=$REGRESS_DIR/logs/runtime
	mkdir -m 0700 "$REGRESS_DIR/logs"
	log_configure
}

log_configure() {
	printf 'REAPER_SHIM_LOG=%s\nREAPER_RUNTIME_LOG=%s\n' \
	    "$SHIM_LOG" "$RUNTIME_LOG" >"$REGRESS_DIR/reaper.conf"
}

# containerd_lines: what our programs have said to containerd's log.
containerd_lines() {
	grep ' program=' "$REGRESS_DIR/containerd.log"
}

# value LINE KEY: of a pair of a line.
value() {
	echo "$1" | sed -n "s/.* $2=\"\\([^\"]*\\)\".*/\\1/p"
}

# life ID FILE: what is said of a container and its execs: messages with exec,
# status and signal, in order, separated by commas.
life() {
	grep " id=\"$1\"" "$2" | while read -r _line; do
		echo "$(value "$_line" msg) $(value "$_line" exec)" \
		    "$(value "$_line" status) $(value "$_line" signal)"
	done | sed 's/  */ /g; s/ $//' | tr '\n' ',' | sed 's/,$//'
}

# life_is FILE LIST: of the container a, soon.
life_is() {
	until_true 10 life_matches "$@" ||
	    node_fail "$1: $(life a "$1"), not $2"
}

life_matches() {
	[ "$(life a "$1")" = "$2" ]
}

node_test every_event_of_a_life_is_one_line \
    "in containerd's log and in the shim's; the helper's in the runtime's"
every_event_of_a_life_is_one_line_body() {
	log_begin
	expect 0 "*" pod_run blue -d a sleep 1000
	expect 7 "" task_exec a x1 sh -c 'exit 7'
	expect 0 "" ctr_ task kill --signal SIGKILL a
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	expect_removed a 137
	life_is "$SHIM_LOG" "shim started,created,started,exec added x1,exec \
started x1,exited x1 7,deleted x1 7,signalled 9,exited 137,deleted 137"
	life_is "$RUNTIME_LOG" "created,started,exec added x1,exec started \
x1,exited x1 7,exited 137,deleted 137"
	until_true 10 no_shims || node_fail "the shim stays"
	containerd_lines >said
	diff said "$SHIM_LOG" >&2 ||
	    atf_fail "containerd's log has other lines than the shim's"
	grep -v "^time=\"20[-0-9T:.]*Z\" level=info namespace=\"\
$REGRESS_NAMESPACE\" pod=\"a\" program=containerd-shim-reaper-v2 msg=" \
	    "$SHIM_LOG" "$RUNTIME_LOG" >&2 &&
	    atf_fail "a line does not say when, how grave and of which pod"
	for _file in "$SHIM_LOG" "$RUNTIME_LOG"; do
		[ "$(stat -c '%a %u %g' "$_file")" = "600 0 0" ] ||
		    atf_fail "mode or owner of $_file"
		grep 'msg="started"' "$_file" | grep -q ' pid="[1-9]' ||
		    atf_fail "no pid in $_file"
	done
	node_end
}

# operations: what the helper was asked for, of which exec, with which error.
operations() {
	sed -n "s/.* level=info .* program=reaper-privsep operation=\\([A-Z]*\\) \
peer=$1 id=a exec=\\([^ ]*\\) errno=\\([0-9]*\\)\$/\\1 \\2 \\3/p" \
	    "$RUNTIME_LOG" | sed 's/  */ /g' | tr '\n' ','
}

# audited PID LIST: without what opens files of a cgroup.
audited() {
	[ "$(operations "$1" | sed 's/CGROUP [0-9]*,//g')" = "$2" ]
}

node_test operations_are_audited_where_the_node_wants_it \
    "each has a line that says by whom, what, of what, with which error"
operations_are_audited_where_the_node_wants_it_body() {
	log_begin
	expect 0 "" pod_run blue -d a sleep 1000
	ctr_ task kill --signal SIGKILL a
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	expect_removed a 137
	until_true 10 no_shims || node_fail "the shim stays"
	! grep 'operation=' "$RUNTIME_LOG" ||
	    node_fail "audited though nobody wants it"
	: >"$RUNTIME_LOG"
	expect 0 "" ctr_ container rm a

	echo REAPER_AUDIT=true >>"$REGRESS_DIR/reaper.conf"
	expect 0 "" pod_run blue -d a sleep 1000
	shim=$(shim_pid)
	expect 7 "" task_exec a x1 sh -c 'exit 7'
	expect 1 "*" task_exec a x2 /nonexistent/program
	expect 0 "" ctr_ task kill --signal SIGKILL a
	until_true 10 task_is a STOPPED || node_fail "the task runs on"
	expect_removed a 137
	until_true 10 audited "$shim" "CREATE 0,STDIO 0,STDIO 0,STDIO 0,START 0,\
EXEC x1 0,STDIO x1 0,STDIO x1 0,STDIO x1 0,START x1 0,DELETE x1 0,\
EXEC x2 0,STDIO x2 0,STDIO x2 0,STDIO x2 0,START x2 2,DELETE x2 0,\
SIGNAL 0,DELETE 0," || node_fail "$(operations "$shim")"
	node_end
}

node_test without_files_containerds_log_has_the_lines \
    "and there are no files"
without_files_containerds_log_has_the_lines_body() {
	node_begin
	expect 0 "" task_run --rm a true
	until_true 10 no_shims || node_fail "the shim stays"
	containerd_lines >said
	life_is said "shim started,created,started,exited 0,deleted 0"
	node_end
}

node_test failures_have_a_reason_and_no_secret \
    "the client is told the name of the program, the logs are not"
failures_have_a_reason_and_no_secret_body() {
	log_begin
	expect_refusal "/s3cret-program.*no such file" task_run --rm \
	    --env S3CRET=s3cret-value a /s3cret-program s3cret-argument
	expect 0 "*" task_run -d --env S3CRET=s3cret-value b \
	    sh -c 'sleep 1000' s3cret-argument
	expect_refusal "s3cret-program.*no such file" \
	    task_exec b x1 s3cret-program s3cret-argument
	expect_refusal "/etc/passwd.*permission denied" \
	    task_exec b x2 /etc/passwd s3cret-argument
	expect_refusal "/s3cret-directory.*no such file" ctr_ task exec \
	    --fifo-dir "$REGRESS_DIR/fifo" --cwd /s3cret-directory \
	    --exec-id x3 b s3cret-program
	for _pair in "a:" "b:x1"; do
		grep 'msg="not started"' "$SHIM_LOG" |
		    grep " id=\"${_pair%:*}\" .*No such file" |
		    grep -q "${_pair#*:}" || atf_fail "no reason for $_pair"
	done
	grep -q 'msg="not started".* exec="x2".*Permission denied' "$SHIM_LOG" ||
	    atf_fail "no reason for x2"
	grep -q 'program=reaper-privsep msg="not started" id=b exec=x1 errno=2' \
	    "$RUNTIME_LOG" || atf_fail "no word of the helper"
	task_end b
	until_true 10 no_shims || node_fail "the shim stays"
	containerd_lines >said
	grep -i 's3cret-[pav]\|S3CRET=' said "$SHIM_LOG" "$RUNTIME_LOG" &&
	    atf_fail "a secret is in the logs"
	node_end
}

# log_refused PATH PATTERN: for either key, in words that name it and match.
log_refused() {
	for _key in REAPER_SHIM_LOG REAPER_RUNTIME_LOG; do
		echo "$_key=$1" >"$REGRESS_DIR/reaper.conf"
		expect_refusal "$_key.*$1.*$2" task_run --rm a true
		ctr_ container rm a >/dev/null 2>&1
	done
}

node_test files_that_others_may_write_are_refused \
    "with the path and what is expected; nothing is made or changed"
files_that_others_may_write_are_refused_body() {
	log_begin
	expect 0 "" task_run --rm warm true
	leak_before
	d=$REGRESS_DIR/logs
	alone="expected a regular file that only root owns and may write"
	log_refused relative "expected an absolute path"
	log_refused "$d/no/such" "$alone"
	mkdir "$d/directory" && log_refused "$d/directory" "$alone"
	mkfifo "$d/fifo" && log_refused "$d/fifo" "$alone"
	log_refused /dev/null "$alone"
	: >"$d/target" && ln -s target "$d/link"
	log_refused "$d/link" "$alone"
	: >"$d/group" && chmod 0620 "$d/group" && log_refused "$d/group" "$alone"
	: >"$d/other" && chmod 0602 "$d/other" && log_refused "$d/other" "$alone"
	: >"$d/user" && chown 1 "$d/user" && log_refused "$d/user" "$alone"
	mkdir -m 1777 "$d/open" && log_refused "$d/open/log" "$alone"
	mkdir "$d/users" && chown 1 "$d/users"
	log_refused "$d/users/log" "$alone"
	ln -s logs "$d/../way" && log_refused "$REGRESS_DIR/way/log" "$alone"
	for _file in target group other user; do
		[ ! -s "$d/$_file" ] || atf_fail "$_file was written"
	done
	[ -z "$(find "$d/open" "$d/users" -mindepth 1)" ] ||
	    atf_fail "something was made"
	# Readable by others is root's own affair.
	: >"$d/readable" && chmod 0644 "$d/readable"
	echo "REAPER_SHIM_LOG=$d/readable" >"$REGRESS_DIR/reaper.conf"
	expect 0 "" task_run --rm a true
	[ -s "$d/readable" ] || atf_fail "nothing in it"
	leak_after || node_fail "something was left"
	node_end
}

node_test a_file_may_lie_in_the_runtime_root \
    "which the first start makes"
a_file_may_lie_in_the_runtime_root_body() {
	log_begin
	SHIM_LOG=$REGRESS_DIR/reaper/shim.log
	RUNTIME_LOG=$REGRESS_DIR/reaper/runtime.log
	log_configure
	expect 0 "" task_run --rm a true
	expect 0 "" task_run --rm b true
	grep -q 'id="b"' "$SHIM_LOG" && grep -q 'id="b"' "$RUNTIME_LOG" ||
	    atf_fail "no lines"
	node_end
}

node_test a_full_file_ends_nothing \
    "it gets a last line, and more when it has been truncated"
a_full_file_ends_nothing_body() {
	log_begin
	full=$((16 << 20))
	expect 0 "*" task_run -d a sleep 1000
	# Beyond it and, the second, beyond what the kernel lets a shim write.
	truncate -s "$full" "$SHIM_LOG"
	truncate -s "$((full * 2))" "$RUNTIME_LOG"
	expect 7 "" task_exec a x1 sh -c 'exit 7'
	expect 0 "" task_run --rm b true
	[ "$(tail -c +"$((full + 1))" "$SHIM_LOG" | grep -c .)" = \
	    "$(grep -c 'the log is full' "$SHIM_LOG")" ] ||
	    atf_fail "other lines than last ones"
	grep -q 'the log is full' "$SHIM_LOG" || atf_fail "no last line"
	[ "$(stat -c %s "$SHIM_LOG")" -lt "$((full + 2048))" ] ||
	    atf_fail "the shim's log grows"
	[ "$(stat -c %s "$RUNTIME_LOG")" = "$((full * 2))" ] ||
	    atf_fail "the runtime's log grows"
	truncate -s 0 "$SHIM_LOG"
	truncate -s 0 "$RUNTIME_LOG"
	expect 8 "" task_exec a x2 sh -c 'exit 8'
	life_is "$SHIM_LOG" \
	    "exec added x2,exec started x2,exited x2 8,deleted x2 8"
	life_is "$RUNTIME_LOG" "exec added x2,exec started x2,exited x2 8"
	node_end
}

node_test a_flood_of_requests_is_a_trickle_in_the_logs \
    "and the number of lines that were dropped is told"
a_flood_of_requests_is_a_trickle_in_the_logs_body() {
	log_begin
	peer_build
	expect 0 "*" task_run -d a sleep 1000
	socket=$(our_sockets | head -n 1)
	begin=$(date +%s)
	"$PEER" "$socket" flood 20000 Kill 1=nobody 3:9 >out 2>err ||
	    node_fail "the flood was not answered"
	"$PEER" "$socket" flood 5000 Kill 1=a 3:28 >out 2>err ||
	    node_fail "the signals were not answered"
	# The bucket fills again, and the next line tells.
	until_true 10 flood_told "$socket" || atf_fail "nobody tells of it"
	seconds=$(($(date +%s) - begin + 1))
	containerd_lines >said
	for _file in said "$SHIM_LOG"; do
		lines=$(grep -c signalled "$_file")
		[ "$lines" -ge 100 ] || atf_fail "only $lines lines"
		[ "$lines" -le "$((100 + 50 * seconds))" ] ||
		    atf_fail "$lines lines in $seconds s"
	done
	[ "$(wc -l <"$RUNTIME_LOG")" -le 10 ] || atf_fail "the helper tells it"
	expect 0 "again" task_exec a x1 echo again
	node_end
}

# flood_told SOCKET: one request more, and some line says how many were lost.
flood_told() {
	"$PEER" "$1" call Kill 1=nobody 3:9
	awk '{ while (match($0, / dropped="[0-9]*"/)) {
	    n += substr($0, RSTART + 10, RLENGTH - 11)
	    $0 = substr($0, RSTART + RLENGTH) } }
	    /signalled/ { n++ }
	    END { exit n < 25000 }' "$SHIM_LOG"
}

node_test a_log_without_a_reader_holds_nothing_up \
    "containerd is killed, and comes back to a shim that has served on"
a_log_without_a_reader_holds_nothing_up_body() {
	log_begin
	peer_build
	expect 0 "*" task_run -d a sleep 1000
	socket=$(our_sockets | head -n 1)
	shim=$(shim_pid)
	containerd_kill KILL || atf_fail "containerd lives on"
	# Far more than a FIFO holds, in warnings and not.
	"$PEER" "$socket" flood 5000 Kill 1=nobody 3:9 >out 2>err ||
	    node_fail "the shim does not answer"
	expect 1 "*" "$PEER" "$socket" call Start 1=a
	expect 0 "" "$PEER" "$socket" call Kill 1=a 3:28
	expect 0 "*" "$PEER" "$socket" call State 1=a
	[ "$(shim_pid)" = "$shim" ] || atf_fail "the shim has ended"
	grep -q 'msg="not started"' "$SHIM_LOG" ||
	    until_true 10 start_told "$socket" || atf_fail "the file has no line"
	containerd_start || atf_fail "containerd does not come back"
	expect 5 "" task_exec a x1 sh -c 'exit 5'
	until_true 10 grep -q ' exec="x1".* status="5"' \
	    "$REGRESS_DIR/containerd.log" ||
	    atf_fail "containerd's log has no lines any more"
	node_end
}

# start_told SOCKET: a refused Start is in the shim's log.
start_told() {
	"$PEER" "$1" call Start 1=a
	grep -q 'msg="not started"' "$SHIM_LOG"
}

node_test what_delete_cleans_up_is_logged \
    "where start has logged, whatever the configuration says by then"
what_delete_cleans_up_is_logged_body() {
	log_begin
	expect 0 "*" task_run -d a sleep 1000
	: >"$REGRESS_DIR/reaper.conf"
	kill -9 "$(helper_pid)" "$(shim_pid)"
	until_true 10 grep -q 'msg="cleaned up after.* id="a"' "$SHIM_LOG" ||
	    node_fail "no word of it"
	node_end
}

node_test a_killed_helper_is_logged \
    "and the ends that follow from it"
a_killed_helper_is_logged_body() {
	log_begin
	expect 0 "*" task_run -d a sleep 1000
	kill -9 "$(helper_pid)"
	until_true 10 no_shims || node_fail "the shim stays"
	grep -q 'level=error.*the helper was lost' "$SHIM_LOG" ||
	    atf_fail "no word of it"
	grep -q 'msg="exited" id="a".* status="137"' "$SHIM_LOG" ||
	    atf_fail "no end"
	node_end
}

node_test confined_processes_can_only_append \
    "to the files that they have; no workload has them"
confined_processes_can_only_append_body() {
	log_begin
	expect 0 "*" task_run -d a sleep 1000
	for _pid in $(shim_pid) $(publisher_pid) $(helper_pid); do
		for _fd in "/proc/$_pid/fd/"*; do
			_link=$(readlink "$_fd")
			case $_link in
			"$REGRESS_DIR/logs/"*) ;;
			*) continue ;;
			esac
			# O_WRONLY|O_APPEND|O_NONBLOCK.
			_flags=$(sed -n 's/^flags:.*\([0-7]\{4\}\)$/\1/p' \
			    "/proc/$_pid/fdinfo/${_fd##*/}")
			[ "$_flags" = 6001 ] || atf_fail "flags $_flags"
			echo "$(cat "/proc/$_pid/comm") ${_link##*/}"
		done
	done >found
	printf 'containerd-shim shim\nreaper-publish runtime\n' |
	    diff - found >&2 || atf_fail "not one log each"
	task=$(ctr_ task ls | awk '$1 == "a" { print $2 }')
	for _pid in "$task" $(init_pid); do
		readlink "/proc/$_pid/fd/"* | grep "$REGRESS_DIR/logs" &&
		    atf_fail "$_pid has a log"
	done
	# A mask of which SIGXFSZ is in the tenth of sixteen digits.
	[ "$(status_of "$task" SigIgn | cut -c 10)" = 0 ] ||
	    atf_fail "the workload ignores SIGXFSZ"
	node_end
}

atf_init_test_cases() {
	node_add
}
