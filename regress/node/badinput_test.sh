# shellcheck shell=sh
# Bad input: a precise error to the caller, and nothing else changes.

. "$(atf_get_srcdir)/../lib/node.sh"

bad_begin() {
	node_begin
	expect 0 "" task_run --rm warm true
	leak_before
}

bad_end() {
	leak_after || node_fail "something was left"
	expect 0 "all well" task_run --rm last echo "all well"
	node_end
}

node_test a_missing_program_is_named \
    "no such file or directory"
a_missing_program_is_named_body() {
	bad_begin
	expect_refusal "/no/such/program.*no such file" \
	    task_run --rm a /no/such/program
	expect_refusal "no-such-program.*(no such file|not found)" \
	    task_run --rm b no-such-program
	bad_end
}

node_test a_program_that_is_no_program_is_named \
    "permission denied, or exec format error"
a_program_that_is_no_program_is_named_body() {
	bad_begin
	expect_refusal "/etc/passwd.*permission denied" \
	    task_run --rm a /etc/passwd
	expect_refusal "/etc.*permission denied" task_run --rm b /etc
	bad_end
}

node_test a_working_directory_that_cannot_be_is_named \
    "not below a file, nor where only the kernel makes directories"
a_working_directory_that_cannot_be_is_named_body() {
	bad_begin
	expect_refusal "/proc/missing.*no such file" \
	    task_run --rm --cwd=/proc/missing a true
	expect_refusal "/etc/passwd.*not a directory" \
	    task_run --rm --cwd=/etc/passwd b true
	bad_end
}

# refused ID PATTERN: the bundle ID is refused by start or by Create, in words
# that match; whatever started ends.
refused() {
	bundle=$REGRESS_DIR/bundles/$1
	if shim_do "$bundle" start "$1" >out 2>err; then
		SOCKET=$(cat out)
		expect 1 "*" "$PEER" "$SOCKET" call Create "1=$1" "2=$bundle"
		cp out said
		expect 0 "*" "$PEER" "$SOCKET" call Shutdown "1=$1"
	else
		cp err said
	fi
	grep -Eqi -- "$2" said ||
	    atf_fail "refused without saying \"$2\": $(cat said)"
	shim_gone "$bundle" "$1"
	rm -rf "$bundle"
}

# spec_refused ID PATTERN FILTER: a config.json changed by the filter.
spec_refused() {
	bundle=$(bundle_make "$1")
	spec_make "$bundle/config.json" "$3" true
	refused "$1" "$2"
}

# text_refused ID PATTERN: standard input as config.json.
text_refused() {
	bundle=$(bundle_make "$1")
	cat >"$bundle/config.json"
	refused "$1" "$2"
}

node_test a_config_json_that_is_no_json_is_refused \
    "empty, cut short, garbage, another type"
a_config_json_that_is_no_json_is_refused_body() {
	bad_begin
	peer_build
	text_refused a1 "config.json|json" </dev/null
	printf '{' | text_refused a2 "json"
	printf '[]' | text_refused a3 "object|json"
	printf 'null' | text_refused a4 "object|json"
	head -c 4096 /dev/urandom | text_refused a5 "json"
	jq . "$LIB/spec.json" | head -c 700 | text_refused a6 "json"
	printf '{"process":{"args":["a\0b"]}}' | text_refused a7 "."
	printf '{"process":{"args":["\\ud800"]}}' | text_refused a8 "."
	bad_end
}

node_test a_config_json_that_is_too_large_is_refused \
    "more than 4 MiB"
a_config_json_that_is_too_large_is_refused_body() {
	bad_begin
	peer_build
	{
		printf '{"annotations":{"a":"'
		head -c 4300000 /dev/zero | tr '\0' x
		printf '"},'
		jq -c . "$LIB/spec.json" | cut -c 2-
	} | text_refused a "large|big|4 ?MiB|4194304|size"
	bad_end
}

node_test a_config_json_that_is_deeply_nested_is_refused \
    "a hundred thousand arrays, a hundred thousand objects"
a_config_json_that_is_deeply_nested_is_refused_body() {
	bad_begin
	peer_build
	{
		printf '{"annotations":'
		head -c 100000 /dev/zero | tr '\0' '['
	} | text_refused a1 "json|deep|nest"
	{
		printf '{"x":'
		head -c 100000 /dev/zero | tr '\0' '['
		head -c 100000 /dev/zero | tr '\0' ']'
		printf '}'
	} | text_refused a2 "json|deep|nest"
	{
		yes '{"a":' | head -n 100000 | tr -d '\n'
		printf 1
		head -c 100000 /dev/zero | tr '\0' '}'
	} | text_refused a3 "json|deep|nest"
	bad_end
}

node_test numbers_that_do_not_fit_are_refused \
    "uids and gids beyond 32 bits, negative, fractions, words"
numbers_that_do_not_fit_are_refused_body() {
	bad_begin
	peer_build
	i=0
	for value in 4294967296 -1 1.5 1e30 99999999999999999999 '"0"' null \
	    true '[]' '{}'; do
		i=$((i + 1))
		spec_refused "u$i" uid ".process.user.uid = $value"
		spec_refused "g$i" gid ".process.user.gid = $value"
		spec_refused "s$i" groups\|gids ".process.user.additionalGids = [ $value ]"
	done
	bad_end
}

node_test contradictory_and_incomplete_bundles_are_refused \
    "no process, no command, relative directory, NUL, unknown words"
contradictory_and_incomplete_bundles_are_refused_body() {
	bad_begin
	peer_build
	spec_refused a1 process 'del(.process)'
	spec_refused a2 args '.process.args = []'
	spec_refused a3 args 'del(.process.args)'
	spec_refused a4 args '.process.args = "true"'
	spec_refused a5 args '.process.args = [ 1 ]'
	spec_refused a6 cwd '.process.cwd = "relative"'
	spec_refused a7 cwd '.process.cwd = ""'
	spec_refused a8 cap '.process.capabilities.bounding = [ "CAP_NO" ]'
	spec_refused a9 limit '.process.rlimits = [ { type: "RLIMIT_NO",
	    soft: 1, hard: 1 } ]'
	spec_refused b1 limit '.process.rlimits = [ { type: "RLIMIT_CORE",
	    soft: 2, hard: 1 } ]'
	spec_refused b2 . '.process.args[1] = "a\u0000b"'
	spec_refused b3 env '.process.env = [ "NOEQUALS" ]'
	bad_end
}

node_test a_key_that_is_there_twice_is_refused \
    "two readers could see two documents"
a_key_that_is_there_twice_is_refused_body() {
	bad_begin
	peer_build
	{
		printf '{"process":{"user":{"uid":1000,"gid":0},'
		printf '"user":{"uid":0,"gid":0},'
		printf '"args":["true"],"cwd":"/"},"root":{"path":"rootfs"}}'
	} | text_refused a "twice|duplicate|user"
	bad_end
}

node_test a_bundle_that_is_not_roots_is_refused \
    "owner of directory or file, or writable by others"
a_bundle_that_is_not_roots_is_refused_body() {
	bad_begin
	peer_build
	for change in 'chown 1000 .' 'chown 1000 config.json' \
	    'chmod 0777 .' 'chmod 0666 config.json'; do
		bundle=$(bundle_make a)
		spec_make "$bundle/config.json" . true
		(cd "$bundle" && $change)
		refused a "owner|owned|root|writable|permi"
	done
	bad_end
}

node_test a_configuration_that_is_not_roots_is_refused \
    "owner of file or directory, or writable by others, or a link"
a_configuration_that_is_not_roots_is_refused_body() {
	bad_begin
	bundle=$(bundle_make a)
	spec_make "$bundle/config.json" . true
	mode=$(stat -c %a "$REGRESS_DIR")
	for change in 'chown 1000 reaper.conf' 'chmod 0666 reaper.conf' \
	    'chmod 0620 reaper.conf' 'ln -s real reaper.conf'; do
		(cd "$REGRESS_DIR" && cp reaper.conf real &&
		    case $change in ln*) rm reaper.conf ;; esac && $change)
		expect_refusal "reaper.conf: must" shim_do "$bundle" start a
		(cd "$REGRESS_DIR" && rm reaper.conf && mv real reaper.conf)
	done
	for change in 'chown 1000' 'chmod 0777' 'chmod 1777' 'chmod 0730'; do
		$change "$REGRESS_DIR"
		expect_refusal "$REGRESS_DIR: must" shim_do "$bundle" start a
		chown 0 "$REGRESS_DIR"
		chmod "$mode" "$REGRESS_DIR"
	done
	rm -r "$bundle"
	bad_end
}

node_test a_config_json_that_is_no_file_is_refused \
    "missing, a directory, a FIFO, a link"
a_config_json_that_is_no_file_is_refused_body() {
	bad_begin
	peer_build
	bundle_make a1 >/dev/null
	refused a1 "config.json"
	mkdir "$(bundle_make a2)/config.json"
	refused a2 "config.json"
	mkfifo "$(bundle_make a3)/config.json"
	refused a3 "config.json"
	bundle=$(bundle_make a4)
	spec_make elsewhere.json . true
	ln -s "$PWD/elsewhere.json" "$bundle/config.json"
	refused a4 "config.json"
	bad_end
}

node_test ids_that_could_be_paths_are_refused \
    "slashes, dots, 200 characters, none, words of Reaper's own tree"
ids_that_could_be_paths_are_refused_body() {
	bad_begin
	long=$(head -c 200 /dev/zero | tr '\0' a)
	bundle=$(bundle_make good)
	spec_make "$bundle/config.json" . true
	for id in a/b .. . ../x /etc "$long" "" 'a b' -x 'a..b' overlay merged \
	    ns 'ä'; do
		expect_refusal "id" shim_do "$bundle" start "$id"
	done
	bad_end
}

# abuse: a task that lives while its shim's socket is abused.
abuse_begin() {
	node_begin
	peer_build
	expect 0 "*" task_run -d a sleep 1000
	expect 0 "*" task_run -d b sleep 1000
	SOCKET=$(sed 's,^unix://,,' "$REGRESS_DIR"/state/*/*/a/address)
	[ -S "$SOCKET" ] || atf_fail "no socket: $SOCKET"
	SHIM=$(shim_pid | sort)
}

# abuse_end: the same shims serve the same tasks.
abuse_end() {
	[ "$(shim_pid | sort)" = "$SHIM" ] || atf_fail "a shim has died"
	for task in a b; do
		expect 0 "well" task_exec "$task" end echo well
		task_is "$task" RUNNING || atf_fail "$task does not run"
	done
	node_end
}

# frame LENGTH STREAM TYPE FLAGS: the ten bytes before a message, in hex.
frame() {
	printf '%08x%08x%02x%02x' "$1" "$2" "$3" "$4" |
	    sed 's/../\\x&/g' | xargs -0 printf '%b'
}

node_test garbage_frames_harm_nobody \
    "random bytes, wrong sizes, wrong streams, half messages"
garbage_frames_harm_nobody_body() {
	abuse_begin
	raw() {
		timeout 20 "$PEER" "$SOCKET" raw >out 2>err ||
		    node_fail "the connection stays open"
	}
	raw </dev/null
	for n in 1 9 10 11 4096 100000; do
		head -c "$n" /dev/urandom | raw
		head -c "$n" /dev/zero | raw
	done
	for length in 4294967295 2147483648 4194305 4194304 100; do
		{ frame "$length" 1 1 0; echo x; } | raw
	done
	{ frame 20 1 1 0; head -c 20 /dev/urandom; } | raw
	{ frame 0 1 1 0; frame 0 2 1 0; frame 0 1 1 0; frame 0 0 9 9; } | raw
	{ frame 0 4294967295 1 0; frame 0 3 1 0; } | raw
	{ frame 4194304 1 1 0; head -c 4194304 /dev/urandom; } | raw
	{ frame 5000000 1 1 0; head -c 5000000 /dev/zero; } | raw
	expect 0 "*" "$PEER" "$SOCKET" call State 1=a
	abuse_end
}

node_test broken_messages_are_refused \
    "texts that are no UTF-8, ids that are none, sizes that lie"
broken_messages_are_refused_body() {
	abuse_begin
	bytes=$(printf '\377\376\200')
	long=$(head -c 60000 /dev/zero | tr '\0' a)
	for id in "$bytes" "$long" ../a a/b ''; do
		for method in State Start Kill Delete Wait Exec Pids; do
			expect 1 "*" "$PEER" "$SOCKET" call "$method" \
			    "1=$id" "2=$id" 3:9
			grep -q '^error' out || node_fail "$method"
		done
		expect 1 "*" "$PEER" "$SOCKET" call Create "1=$id" 2=/
	done
	expect 1 "*" "$PEER" "$SOCKET" call Kill 1=a 3:4294967295
	expect 1 "*" "$PEER" "$SOCKET" call Kill 1=a 3:65
	expect 1 "*" "$PEER" "$SOCKET" call Create 1=c 2=/etc
	abuse_end
}

node_test a_client_that_never_reads_harms_nobody \
    "its answers wait within bounds, others are answered"
a_client_that_never_reads_harms_nobody_body() {
	abuse_begin
	mkfifo hold
	"$PEER" "$SOCKET" mute State 1=a <hold >mute 2>&1 &
	exec 6>hold
	until_true 20 [ -s mute ] || atf_fail "it never blocks"
	expect 0 "*" "$PEER" "$SOCKET" call State 1=a
	expect 3 "" task_exec a e sh -c 'exit 3'
	for pid in $SHIM; do
		rss=$(status_of "$pid" VmRSS | sed 's/ kB//')
		[ "$rss" -lt 16384 ] || atf_fail "the shim has grown to $rss kB"
	done
	exec 6>&-
	abuse_end
}

node_test many_connections_harm_nobody \
    "two hundred that say nothing"
many_connections_harm_nobody_body() {
	abuse_begin
	mkfifo hold
	for i in $(seq 200); do
		"$PEER" "$SOCKET" raw <hold >/dev/null 2>&1 &
	done
	exec 6>hold
	expect 5 "" task_exec a e sh -c 'exit 5'
	exec 6>&-
	abuse_end
}

atf_init_test_cases() {
	node_add
}
