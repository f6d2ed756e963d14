# shellcheck shell=sh
# The OCI command line: what users of runc and crun do, and expect.

. "$(atf_get_srcdir)/../lib/node.sh"

# cli_begin: begin a test; $A is a name that no other test on the machine has.
cli_begin() {
	node_begin
	export REAPER_CONFIG="$REGRESS_DIR/reaper.conf"
	export REAPER_RUNTIME_ROOT="$REGRESS_DIR/reaper"
	A=a${REGRESS_DIR##*.}
	RUNTIME=$REGRESS_BUILD/reaper-runtime
	mkdir bundle
}

# cli_leak_before: the overlay stays for the next container, and is there.
cli_leak_before() {
	bundle . true
	expect 0 "" cli run --bundle bundle "$A"
	leak_before
}

# cli_end: nothing of the command line's is left either.
cli_end() {
	until_true 10 nothing_is_left || {
		leftovers >&2
		node_fail "something was left"
	}
	node_end
}

leftovers() {
	find "$REGRESS_DIR/reaper/_bundles" -mindepth 1 2>/dev/null
	cgroups_of reaper-cli | grep -F "$A"
	find /run/containerd/s -type s 2>/dev/null
	pids_of reaper-attend
	pids_of reaper-runtime
}

nothing_is_left() {
	[ -z "$(leftovers)" ]
}

cli() {
	"$RUNTIME" "$@"
}

# bundle FILTER COMMAND [ARG...]: what the next container is made of.
bundle() {
	spec_make bundle/config.json "$@"
}

# is STATUS: the container $A; for until_true.
is() {
	[ "$(cli state "$A" | jq -r .status)" = "$1" ]
}

# become STATUS: within ten seconds.
become() {
	until_true 10 is "$1" || node_fail "$A does not become $1"
}

# sleeper: a container $A that runs.
sleeper() {
	bundle "${1:-.}" sleep 1000
	expect 0 "" cli run --detach --bundle bundle "$A"
}

node_test a_container_goes_through_its_states \
    "created, running, stopped, and no more; with pid, bundle, annotations"
a_container_goes_through_its_states_body() {
	cli_begin
	bundle '.annotations = {"a.b/c": "\u00e4\u001b"}' sleep 1000
	expect 0 "" cli create --bundle bundle --pid-file pid "$A"
	expect 0 "*" cli state "$A"
	[ "$(jq -c '[.ociVersion, .id, .status, .pid, .bundle,
	    .annotations["a.b/c"]]' out)" = "[\"1.2.0\",\"$A\",\"created\",$(
	    cat pid),\"$PWD/bundle\",\"ä\\u001b\"]" ] ||
	    node_fail "not the state of one that was created"
	LC_ALL=C grep -q '[^ -~]' out && node_fail "a character is not escaped"
	expect 0 "" cli start "$A"
	expect 0 "*" cli state "$A"
	[ "$(jq .pid out)" = "$(cat pid)" ] || node_fail "another pid"
	[ "$(tr '\0' ' ' <"/proc/$(cat pid)/cmdline")" = "sleep 1000 " ] ||
	    node_fail "another program"
	is running || node_fail "it does not run"
	expect_refusal "cannot|not created|running|already" cli start "$A"
	expect 0 "" cli kill "$A" KILL
	become stopped
	expect 0 "*" cli state "$A"
	[ "$(jq .pid out)" = 0 ] || node_fail "it still has a pid"
	expect 0 "" cli delete "$A"
	expect_refusal "does not exist" cli state "$A"
	cli_end
}

node_test a_state_is_also_in_the_file_that_others_know \
    "<root>/<id>/state.json says the same"
a_state_is_also_in_the_file_that_others_know_body() {
	cli_begin
	sleeper
	file=$REGRESS_DIR/reaper/$A/state.json
	[ "$(jq -r .status "$file")" = running ] || node_fail "not running"
	expect 0 "$(jq .pid "$file")" sh -c "\"\$1\" state $A | jq .pid" sh \
	    "$RUNTIME"
	expect 0 "" cli delete --force "$A"
	[ ! -e "$file" ] || node_fail "it is left"
	cli_end
}

node_test run_has_the_streams_and_the_exit_code_of_its_command \
    "Standard input to its end, output and errors apart; 1 if it cannot run"
run_has_the_streams_and_the_exit_code_of_its_command_body() {
	cli_begin
	cli_leak_before
	# shellcheck disable=SC2016 # the workload's shell expands it
	bundle . sh -c 'read -r x; echo "out $x"; echo err >&2; cat; exit 42'
	printf 'one\ntwo\nthree' | cli run --bundle bundle "$A" >out 2>err
	[ $? -eq 42 ] || node_fail "not its exit code"
	[ "$(cat out)" = "$(printf 'out one\ntwo\nthree')" ] ||
	    node_fail "other output"
	[ "$(cat err)" = err ] || node_fail "other errors"
	# shellcheck disable=SC2016
	bundle . sh -c 'kill -9 $$'
	expect 137 "" cli run --bundle bundle "$A"
	bundle . seq 100000
	cli run --bundle bundle "$A" >out 2>err || node_fail "it fails"
	seq 100000 | cmp - out || node_fail "output is lost"
	bundle . /no/such/program
	expect 1 "" cli run --bundle bundle "$A"
	grep -q 'no such file' err || node_fail "it does not say why"
	leak_after || node_fail "something was left"
	cli_end
}

node_test run_hands_signals_on "TERM to the program is TERM to the workload"
run_hands_signals_on_body() {
	cli_begin
	bundle . sh -c 'trap "echo caught; exit 7" TERM; echo ready
	    while :; do sleep 0.1; done'
	"$RUNTIME" run --bundle bundle "$A" >out 2>err &
	pid=$!
	until_true 10 grep -q ready out || node_fail "it does not run"
	kill -TERM "$pid"
	wait "$pid"
	[ $? -eq 7 ] || node_fail "another exit code"
	[ "$(grep -c caught out)" -eq 1 ] || node_fail "not once"
	cli_end
}

node_test a_created_container_has_the_streams_of_create \
    "Nothing is read before the start; they end with the container"
a_created_container_has_the_streams_of_create_body() {
	cli_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	bundle . sh -c 'cat; echo done'
	# The pipe ends when the last who has it has ended.
	printf 'fed\n' | cli create --bundle bundle "$A" | cat >seen &
	become created
	[ ! -s seen ] || node_fail "it says something before its start"
	expect 0 "" cli start "$A"
	wait $!
	[ "$(cat seen)" = "$(printf 'fed\ndone')" ] || node_fail "other output"
	become stopped
	expect 0 "" cli delete "$A"
	cli_end
}

node_test an_identifier_is_used_once \
    "Of the command line's, of containerd's, and no reserved one"
an_identifier_is_used_once_body() {
	cli_begin
	sleeper
	expect_refusal "exists" cli create --bundle bundle "$A"
	is running || node_fail "the first one was harmed"
	expect 0 "" cli delete --force "$A"
	expect 0 "*" task_run -d "$A" sleep 1000
	expect_refusal "exists" cli create --bundle bundle "$A"
	expect 1 "*" cli state "$A"
	task_is "$A" RUNNING || node_fail "containerd's was harmed"
	for id in overlay ../x .x a/b "" "$(printf 'a%077d' 0)"; do
		expect_refusal "not a container id" \
		    cli create --bundle bundle "$id"
	done
	task_end "$A"
	cli_end
}

node_test signals_have_names_and_numbers "and what has stopped takes none"
signals_have_names_and_numbers_body() {
	cli_begin
	for signal in TERM SIGTERM term 15 ""; do
		# shellcheck disable=SC2016 # the workload's shell expands it
		bundle . sh -c 'trap "exit 9" TERM; while :; do sleep 0.1; done'
		"$RUNTIME" run --bundle bundle "$A" >out 2>err &
		pid=$!
		become running
		# It may not have got as far as its trap.
		until_true 10 grep -q '^SigCgt:.*[4-7c-f]...$' \
		    "/proc/$(cli state "$A" | jq .pid)/status"
		# shellcheck disable=SC2086 # the last is none
		expect 0 "" cli kill "$A" $signal
		wait "$pid"
		[ $? -eq 9 ] || node_fail "$signal is another signal"
	done
	sleeper
	for signal in NOSUCH 0 65 -1 SIG; do
		expect 1 "" cli kill -- "$A" "$signal"
	done
	expect 0 "" cli kill --all "$A" KILL
	become stopped
	expect_refusal "finished|stopped" cli kill "$A" TERM
	expect 0 "" cli delete "$A"
	cli_end
}

node_test only_what_does_not_run_is_deleted \
    "unless by force, which also takes what is not there"
only_what_does_not_run_is_deleted_body() {
	cli_begin
	cli_leak_before
	sleeper
	expect_refusal "is running" cli delete "$A"
	expect 0 "" cli pause "$A"
	expect_refusal "is paused" cli delete "$A"
	expect 0 "" cli delete --force "$A"
	expect_refusal "does not exist" cli delete "$A"
	expect 0 "" cli delete --force "$A"
	expect 0 "" cli create --bundle bundle "$A"
	expect 0 "" cli delete "$A"
	expect 0 "" cli create --bundle bundle "$A"
	expect 0 "" cli delete -f "$A"
	leak_after || node_fail "something was left"
	cli_end
}

node_test a_command_is_run_in_a_container \
    "With its output, code, input, directory, variables, user"
a_command_is_run_in_a_container_body() {
	cli_begin
	sleeper '.process.env += ["OF=container"] | .process.cwd = "/usr"'
	expect 7 out cli exec "$A" sh -c 'echo out; echo err >&2; exit 7'
	[ "$(cat err)" = err ] || node_fail "other errors"
	expect 0 "/usr container" cli exec "$A" sh -c 'echo "$PWD $OF"'
	expect 0 "/tmp x 1234 99" cli exec --cwd /tmp -e A=x \
	    --user 1234:99 "$A" sh -c 'echo "$PWD $A $(id -u) $(id -g)"'
	echo '{"args": ["echo", "a file"], "cwd": "/",
	    "user": {"uid": 0, "gid": 0}}' >process.json
	expect 0 "a file" cli exec --process process.json "$A"
	[ "$(echo fed | cli exec "$A" cat)" = fed ] || node_fail "no input"
	expect 1 "" cli exec "$A" /no/such/program
	expect 2 "" cli exec "$A"
	expect 0 "" cli exec --detach --pid-file pid --exec-id e1 "$A" \
	    sleep 4321
	[ "$(cat "/proc/$(cat pid)/comm")" = sleep ] || node_fail "not its pid"
	expect_refusal "exists" cli exec --exec-id e1 "$A" true
	expect 0 "*" cli ps --format json "$A"
	[ "$(jq "index($(cat pid)) != null" out)" = true ] ||
	    node_fail "ps does not have it"
	kill "$(cat pid)"
	until_true 10 cli exec --exec-id e1 "$A" true ||
	    node_fail "the name stays taken"
	expect 0 "" cli kill "$A" KILL
	become stopped
	expect_refusal "not running" cli exec "$A" true
	expect 0 "" cli delete "$A"
	cli_end
}

node_test an_exec_that_is_interrupted_hands_it_on "TERM, once"
an_exec_that_is_interrupted_hands_it_on_body() {
	cli_begin
	sleeper
	"$RUNTIME" exec "$A" sh -c 'trap "echo caught; exit 5" TERM; echo ready
	    while :; do sleep 0.1; done' >out 2>err &
	pid=$!
	until_true 10 grep -q ready out || node_fail "it does not run"
	kill -TERM "$pid"
	wait "$pid"
	[ $? -eq 5 ] || node_fail "another exit code"
	expect 0 "" cli delete --force "$A"
	cli_end
}

# console: takes a terminal at the socket "console", makes it 77 by 33, types
# "word" when it is ready, and writes what it shows to the file seen.
console() {
	cat >console.c <<-'EOF'
	#include <sys/ioctl.h>
	#include <sys/socket.h>
	#include <sys/un.h>
	#include <err.h>
	#include <string.h>
	#include <unistd.h>
	int main(void)
	{
		struct sockaddr_un a = { AF_UNIX, "console" };
		union { struct cmsghdr h; char s[CMSG_SPACE(sizeof(int))]; } c;
		char text[4096];
		struct iovec v = { text, sizeof(text) };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
			.msg_control = &c, .msg_controllen = sizeof(c) };
		struct winsize size = { .ws_row = 33, .ws_col = 77 };
		int fd, s = socket(AF_UNIX, SOCK_STREAM, 0), typed = 0;
		ssize_t n;

		if (bind(s, (struct sockaddr *)&a, sizeof(a)) == -1 ||
		    listen(s, 1) == -1 || (s = accept(s, 0, 0)) == -1 ||
		    recvmsg(s, &m, 0) <= 0)
			err(1, "console");
		memcpy(&fd, CMSG_DATA(&c.h), sizeof(fd));
		if (ioctl(fd, TIOCSWINSZ, &size) == -1)
			err(1, "not a terminal's master");
		while ((n = read(fd, text, sizeof(text) - 1)) > 0) {
			text[n] = '\0';
			write(1, text, (size_t)n);
			if (!typed && strstr(text, "ready") != NULL) {
				write(fd, "word\n", 5);
				typed = 1;
			}
		}
		return (0);
	}
	EOF
	"${CC:-cc}" -w -o console.bin console.c || atf_fail "no console"
}

# console_is TEXT: what was seen, without carriage returns.
console_is() {
	until_true 10 test ! -e "/proc/$1/stat" || node_fail "it stays open"
	[ "$(tr -d '\r' <seen)" = "$2" ] ||
	    atf_fail "at the terminal: $(tr '\r\n' ' |' <seen)"
}

node_test a_terminal_goes_to_the_console_socket "of create, and of exec"
a_terminal_goes_to_the_console_socket_body() {
	cli_begin
	console
	script='test -t 0 && echo ready; read x; echo "got $x"; stty size'
	bundle '.process.terminal = true' sh -c "$script"
	expect_refusal "console-socket" cli create --bundle bundle "$A"
	./console.bin >seen &
	pid=$!
	until_true 10 test -S console || node_fail "no console"
	expect 0 "" cli create --bundle bundle --console-socket console "$A"
	expect 0 "" cli start "$A"
	wait "$pid"
	console_is "$pid" "$(printf 'ready\nword\ngot word\n33 77')"
	become stopped
	expect 0 "" cli delete "$A"
	rm console
	sleeper
	expect_refusal "terminal" cli exec -d --console-socket x "$A" true
	./console.bin >seen &
	pid=$!
	until_true 10 test -S console || node_fail "no console"
	expect 0 "" cli exec --detach --tty --console-socket console "$A" \
	    sh -c "$script"
	wait "$pid"
	console_is "$pid" "$(printf 'ready\nword\ngot word\n33 77')"
	expect 0 "" cli delete --force "$A"
	cli_end
}

node_test a_terminal_is_the_one_that_the_user_sits_at \
    "run and exec --tty, with its size, and as it was afterwards"
a_terminal_is_the_one_that_the_user_sits_at_body() {
	cli_begin
	bundle '.process.terminal = true' sh -c \
	    'test -t 0 && test -t 2 && stty size; exit 3'
	mkfifo nobody
	exec 9<>nobody
	script -qec "stty rows 20 cols 50; stty -g >before
	    '$RUNTIME' run --bundle bundle $A; echo code \$?
	    stty -g >after" /dev/null <&9 >seen
	[ "$(tr -d '\r' <seen)" = "$(printf '20 50\ncode 3')" ] ||
	    node_fail "at the terminal: $(cat seen)"
	cmp before after || node_fail "the terminal is another afterwards"
	sleeper
	script -qec "stty rows 21 cols 51; '$RUNTIME' exec -t $A sh -c \
	    'stty size; exit 4'; echo code \$?" /dev/null <&9 >seen
	[ "$(tr -d '\r' <seen)" = "$(printf '21 51\ncode 4')" ] ||
	    node_fail "at the terminal: $(cat seen)"
	expect 0 "" cli delete --force "$A"
	cli_end
}

node_test a_container_is_paused_and_resumed "and its state says so"
a_container_is_paused_and_resumed_body() {
	cli_begin
	sleeper
	expect 0 "" cli pause "$A"
	is paused || node_fail "it is not paused"
	expect_refusal "paused" cli exec "$A" true
	expect 0 "" cli resume "$A"
	is running || node_fail "it is not resumed"
	expect 0 "" cli delete --force "$A"
	cli_end
}

# cgroup_file NAME NAME: the content of the first that is there.
cgroup_file() {
	cgroups_of reaper-cli | grep -F ":$A" | while read -r dir; do
		cat "$dir/$1" "$dir/$2" 2>/dev/null
	done
}

node_test limits_are_changed_while_it_runs "by options, and by a file"
limits_are_changed_while_it_runs_body() {
	cli_begin
	sleeper
	expect 0 "" cli update --memory 64m --pids-limit 99 "$A"
	cgroup_file memory.max memory.limit_in_bytes | grep -qx 67108864 ||
	    node_fail "not the limit of memory"
	cgroup_file pids.max pids.max | grep -qx 99 ||
	    node_fail "not the limit of pids"
	echo '{"memory": {"limit": 33554432}}' >limits.json
	expect 0 "" cli update --resources limits.json "$A"
	cgroup_file memory.max memory.limit_in_bytes | grep -qx 33554432 ||
	    node_fail "not the limit of the file"
	expect_refusal "expected" cli update --memory much "$A"
	expect 2 "" cli update "$A"
	expect 0 "" cli delete --force "$A"
	cli_end
}

node_test containers_are_listed "as a table, as JSON, by name"
containers_are_listed_body() {
	cli_begin
	expect 0 "[]" cli list --format json
	bundle . true
	expect 0 "" cli create --bundle bundle "$A.2"
	sleeper
	expect 0 "$(printf '%s\n%s' "$A" "$A.2")" cli list -q
	expect 0 "*" cli list --format json
	[ "$(jq -c '[.[] | .id, .status, (.pid > 0), .bundle]' out)" = "[\"$A\",\
\"running\",true,\"$PWD/bundle\",\"$A.2\",\"created\",true,\"$PWD/bundle\"]" ] ||
	    node_fail "not both"
	expect 0 "*" cli list
	grep -Eq "^$A +[0-9]+ +running +20" out || node_fail "not in the table"
	expect 0 "" cli delete "$A.2"
	expect 0 "" cli delete --force "$A"
	expect 0 "[]" cli list --format json
	cli_end
}

node_test a_container_outlives_no_daemon "and is deleted as if it did"
a_container_outlives_no_daemon_body() {
	cli_begin
	cli_leak_before
	for program in shim helper; do
		sleeper
		pid=$(cli state "$A" | jq .pid)
		kill -9 "$("${program}_pid")"
		until_true 10 not is_alive "$pid" || node_fail "it lives on"
		until_true 10 no_shim_runs || node_fail "the shim lives on"
		is stopped || node_fail "it is not stopped"
		expect_refusal "gone" cli exec "$A" true
		expect_refusal "gone" cli kill "$A" KILL
		expect 0 "*" cli list
		grep -q "^$A .*stopped" out || node_fail "it is not listed"
		expect 0 "" cli delete "$A"
	done
	bundle . sleep 1000
	"$RUNTIME" run --bundle bundle "$A" >out 2>err &
	pid=$!
	become running
	kill -9 "$(shim_pid)"
	wait "$pid"
	[ $? -eq 137 ] || node_fail "another exit code"
	leak_after || node_fail "something was left"
	cli_end
}

node_test what_is_refused_leaves_nothing "and says why"
what_is_refused_leaves_nothing_body() {
	cli_begin
	cli_leak_before
	bundle '.hooks = {poststop: [{path: "/bin/true"}]}' true
	expect_refusal "hooks" cli create --bundle bundle "$A"
	nothing_is_left || node_fail "something is left"
	echo '{' >bundle/config.json
	expect_refusal "config.json: byte" cli create --bundle bundle "$A"
	head -c 5000000 /dev/zero >bundle/config.json
	expect_refusal "4 MiB" cli create --bundle bundle "$A"
	rm bundle/config.json
	expect_refusal "No such file" cli create --bundle bundle "$A"
	mkfifo bundle/config.json
	expect_refusal "not a regular file" cli create --bundle bundle "$A"
	expect_refusal "No such file" cli create --bundle nowhere "$A"
	expect_refusal "REAPER_RUNTIME_ROOT" cli --root /run/runc list
	expect 0 "*" cli --root "$REGRESS_DIR/reaper" list
	expect 1 "" cli --log log.json --log-format json state "$A"
	[ "$(jq -r .level log.json)" = error ] || node_fail "no log"
	jq -r .msg log.json | grep -q "does not exist" || node_fail "not why"
	expect 2 "" cli create --no-such-option "$A"
	expect 2 "" cli create
	expect 2 "" cli state "$A" x
	expect 1 "" setpriv --reuid=1234 --clear-groups \
	    "$RUNTIME" list
	leak_after || node_fail "something was left"
	cli_end
}

node_test annotations_are_added_to_those_of_the_bundle \
    "and a Kubernetes namespace has an overlay"
annotations_are_added_to_those_of_the_bundle_body() {
	cli_begin
	bundle '.annotations = {"x": "old", "y": "kept"}' touch /tmp/written
	expect 0 "" cli create --bundle bundle --namespace blue \
	    --annotation x=new --annotation "q\"=a=\"b" "$A"
	expect 0 "*" cli state "$A"
	[ "$(jq -c '.annotations | [.x, .y, .["q\""],
	    .["io.kubernetes.cri.sandbox-namespace"]]' out)" = \
	    '["new","kept","a=\"b","blue"]' ] || node_fail "other annotations"
	expect 0 "" cli start "$A"
	become stopped
	[ -e "$REGRESS_DIR/reaper/overlay/blue/upper/tmp/written" ] ||
	    node_fail "it wrote elsewhere"
	expect 0 "" cli delete "$A"
	bundle 'del(.annotations)' true
	expect 0 "" cli run --bundle bundle \
	    --annotation reaper.runtime/restrict=no-exec "$A"
	expect_refusal "restrict" cli run --bundle bundle \
	    --annotation reaper.runtime/restrict=nonsense "$A"
	cli_end
}

node_test streams_of_another_shim_are_taken_as_they_are \
    "--stdin, --stdout, --stderr: FIFOs of root's"
streams_of_another_shim_are_taken_as_they_are_body() {
	cli_begin
	mkfifo -m 0600 "$A-stdout"
	cat "$A-stdout" >seen &
	reader=$!
	bundle . echo "through a FIFO"
	expect 0 "" cli create --bundle bundle --stdout "$PWD/$A-stdout" "$A"
	expect 0 "" cli start "$A"
	wait "$reader"
	[ "$(cat seen)" = "through a FIFO" ] || node_fail "other output"
	become stopped
	expect 0 "" cli delete "$A"
	cli_end
}

node_test one_container_can_be_used_by_many_at_once \
    "state, exec and kill while it runs; ten at the same time"
one_container_can_be_used_by_many_at_once_body() {
	cli_begin
	sleeper
	for n in 1 2 3 4 5 6 7 8 9 10; do
		cli exec "$A" sh -c "echo $n; exit $n" >"out.$n" &
		eval "pid_$n=\$!"
	done
	for n in 1 2 3 4 5 6 7 8 9 10; do
		eval "wait \$pid_$n"
		[ $? -eq "$n" ] || node_fail "$n ended otherwise"
		[ "$(cat "out.$n")" = "$n" ] || node_fail "$n said otherwise"
	done
	"$RUNTIME" exec "$A" sleep 1000 &
	pid=$!
	until_true 10 runs sleep 1000 || node_fail "it does not run"
	expect 0 "" cli delete --force "$A"
	wait "$pid"
	[ $? -eq 137 ] || node_fail "the exec ended otherwise"
	cli_end
}

node_test events_are_for_nobody_without_a_containerd \
    "The publisher rests, and logs no flood"
events_are_for_nobody_without_a_containerd_body() {
	cli_begin
	echo "REAPER_RUNTIME_LOG=$REGRESS_DIR/runtime.log" \
	    >"$REGRESS_DIR/reaper.conf"
	sleeper
	for _ in 1 2 3; do
		expect 0 "" cli exec "$A" true
	done
	[ "$(find "/proc/$(publisher_pid)/fd" -lname 'socket:*' | wc -l)" -le \
	    3 ] || node_fail "it is connected with somebody"
	expect 0 "" cli delete --force "$A"
	[ "$(grep -c "id=\"$A\"" "$REGRESS_DIR/runtime.log")" -le 20 ] ||
	    node_fail "a flood"
	grep -q 'msg="exec started"' "$REGRESS_DIR/runtime.log" ||
	    node_fail "nothing is logged"
	until_true 10 no_publisher || node_fail "the publisher lingers"
	cli_end
}

no_publisher() {
	[ -z "$(publisher_pid)" ]
}

# all_stop, all_go: every process of a program, as a shell's ^Z and fg do.
all_stop() {
	for _pid in $(pids_of "$1"); do
		kill -STOP "$_pid"
		until_true 10 is_stopped "$_pid" || node_fail "$1 runs on"
	done
}

all_go() {
	for _pid in $(pids_of "$1"); do
		kill -CONT "$_pid"
	done
}

node_test a_command_that_was_stopped_goes_on "copying as before"
a_command_that_was_stopped_goes_on_body() {
	cli_begin
	# shellcheck disable=SC2016 # expanded by the container's shell
	bundle . sh -c 'echo ready; read -r line; echo "got $line"; exit 4'
	mkfifo input
	"$RUNTIME" run --bundle bundle "$A" <input >said &
	command=$!
	exec 6>input
	until_true 10 grep -qx ready said || node_fail "it does not run"
	all_stop reaper-runtime
	echo it >&6
	all_go reaper-runtime
	exec 6>&-
	wait "$command"
	code=$?
	[ "$code" -eq 4 ] || node_fail "it ended with $code"
	grep -qx "got it" said || node_fail "a line was lost"
	cli_end
}

node_test a_reader_that_goes_ends_what_writes_to_it "as a pipe would"
a_reader_that_goes_ends_what_writes_to_it_body() {
	cli_begin
	bundle . sh -c 'yes; echo $? >/tmp/code'
	[ "$(timeout 20 "$RUNTIME" run --bundle bundle "$A" |
	    head -n 1)" = y ] || node_fail "nothing is said"
	until_true 10 nothing_is_left || node_fail "it goes on"
	sleeper
	[ "$(timeout 20 "$RUNTIME" exec "$A" yes | head -n 1)" = y ] ||
	    node_fail "nothing is said"
	until_true 10 not runs yes || node_fail "the exec goes on"
	expect 0 "" cli delete --force "$A"
	cli_end
}

node_test what_runc_makes_of_a_directory_is_run "runc spec, but for a terminal"
what_runc_makes_of_a_directory_is_run_body() {
	cli_begin
	command -v runc >/dev/null || atf_skip "needs runc"
	(cd bundle && runc spec)
	jq '.process.args = ["uname", "-r"] | .process.terminal = false' \
	    bundle/config.json >new && mv new bundle/config.json
	(cd bundle && expect 0 "$(uname -r)" cli run "$A") || exit 1
	cli_end
}

# liar MODE: a shim in the place of that of $A, which answers something else.
liar() {
	cat >liar.c <<-'EOF'
	#include <sys/socket.h>
	#include <sys/un.h>
	#include <err.h>
	#include <stdio.h>
	#include "wire.h"
	int main(int argc, char **argv)
	{
		static const struct message empty;
		static struct frame frame;
		struct sockaddr_un a = { AF_UNIX };
		int fd, mode = atoi(argv[2]), s = socket(AF_UNIX, SOCK_STREAM, 0);

		strcpy(a.sun_path, argv[1]);
		if (bind(s, (struct sockaddr *)&a, sizeof(a)) == -1 ||
		    listen(s, 9) == -1)
			err(1, "liar");
		while ((fd = accept(s, 0, 0)) != -1) {
			while (mode != 0 && frame_read(fd, &frame)) {
				struct message m = { 0 }, in = { 0 };

				if (mode == 6)
					continue;
				if (mode == 1) {
					message_number(&in, 1, 9);
					message_string(&in, 2,
					    "\033[31mred\n\302\233");
					message_nest(&m, 1, &in);
				} else if (mode == 2) {
					message_number(&in, 4, 77);
					message_nest(&m, 2, &in);
				} else if (mode == 3) {
					message_bytes(&m, 2, "\377\377", 2);
				} else if (mode == 4) {
					write(fd, "\377\377\377\377\0\0\0\1\2",
					    10);
					continue;
				}
				frame_write(fd, mode == 5 ? 99 : frame.stream,
				    WIRE_RESPONSE, &m);
			}
			close(fd);
		}
	}
	EOF
	"${CC:-cc}" -w -I "$LIB" -o liar.bin liar.c || atf_fail "no liar"
	rm -f /run/lie
	./liar.bin /run/lie "$1" &
	liar=$!
	until_true 10 test -S /run/lie || atf_fail "nobody lies"
}

node_test a_shim_that_lies_is_not_believed \
    "What it says is checked, and shown without what moves a terminal"
a_shim_that_lies_is_not_believed_body() {
	cli_begin
	sleeper
	file=$REGRESS_DIR/reaper/_bundles/$A/address
	cp "$file" address
	printf unix:///run/lie >"$file"
	for mode in 1 2 3 4 5; do
		liar "$mode"
		for command in state ps pause start kill; do
			timeout 10 "$RUNTIME" "$command" "$A" >out 2>err
			code=$?
			case $mode$command in
			# What an answer says beyond that is not looked at.
			[23]pause | [23]start | [23]kill | 2ps) ;;
			*) [ "$code" -eq 1 ] ||
			    node_fail "$mode: $command ends with $code" ;;
			esac
			cat out err | LC_ALL=C grep -q "[^ -~	]" &&
			    node_fail "$mode: $command shows other characters"
		done
		kill "$liar"
		wait "$liar"
	done
	liar 6
	expect_refusal "does not answer" timeout 20 "$RUNTIME" state "$A"
	kill "$liar"
	liar 0
	expect 0 "*" timeout 10 "$RUNTIME" state "$A"
	[ "$(jq -r .status out)" = stopped ] || node_fail "not stopped"
	kill "$liar"
	cp address "$file"
	is running || node_fail "the container was harmed"
	expect 0 "" cli delete --force "$A"
	cli_end
}

atf_init_test_cases() {
	node_add
}
