# shellcheck shell=sh
# What kubectl does with a pod that runs: attach, run, cp, port-forward.

. "$(atf_get_srcdir)/../lib/cluster.sh"

# A script that answers line by line, and ends at the word end with code 4.
# shellcheck disable=SC2016 # the workload's shell expands it
ANSWER='echo ready; while read -r word; do
    echo "got $word"; [ "$word" != end ] || exit 4; done; echo eof'

cluster_test attach_passes_input_and_output \
    "again and again, and what was said meanwhile is in the log"
attach_passes_input_and_output_body() {
	cluster_begin
	pod_make a "$ANSWER" '.spec.containers[0].stdin = true'
	pod_says a ready
	attach one
	attach two
	attach end
	pod_reaches a Failed
	pod_ended a 4
	expect 0 "ready
got one
got two
got end" kubectl_ logs a
	cluster_end
}

# attach WORD: say it to the pod a, and leave when it has answered.
attach() {
	mkfifo "$1.in"
	on_cluster kubectl --namespace "$NAMESPACE" attach -qi a \
	    <"$1.in" >"$1.out" 2>err &
	exec 3>"$1.in"
	echo "$1" >&3
	until_true "$REGRESS_SECONDS" grep -qx "got $1" "$1.out" ||
	    cluster_fail "attach brings no answer to $1"
	exec 3>&-
	wait $! || cluster_fail "attach fails"
}

cluster_test the_end_of_its_input_ends_a_pod \
    "kubectl run -i with a pipe; its output and exit code come back"
the_end_of_its_input_ends_a_pod_body() {
	cluster_begin
	# kubectl attaches when the pod runs.
	echo 'echo "told $((40 + 2))"; exit 5' | run -i >out 2>err
	[ $? -eq 5 ] || cluster_fail "another exit code"
	[ "$(cat out)" = "told 42" ] || cluster_fail "another output"
	cluster_end
}

# run OPTION: kubectl run with a shell that reads its input.
run() {
	on_cluster kubectl --namespace "$NAMESPACE" run a "$1" --rm --quiet \
	    --restart=Never --image=busybox --image-pull-policy=IfNotPresent \
	    --overrides="{\"spec\": {\"runtimeClassName\": \"$REGRESS_CLASS\"}}" \
	    -- sh
}

cluster_test a_terminal_of_a_pod_is_typed_into \
    "kubectl run -it: its size, what is typed, ^C, and the exit code"
a_terminal_of_a_pod_is_typed_into_body() {
	cluster_begin
	mkfifo in
	cat >run.sh <<-EOF
	stty rows 33 cols 101
	CLUSTER='$REGRESS_CLUSTER' '$REGRESS_CLUSTER/shell' kubectl \
	    --namespace '$NAMESPACE' run a -it --rm --quiet --restart=Never \
	    --image=busybox --image-pull-policy=IfNotPresent --overrides='{
	    "spec": {"runtimeClassName": "$REGRESS_CLASS"}}' -- sh
	EOF
	script -qefc 'sh run.sh' /dev/null <in >out 2>err &
	exec 3>in
	until_true "$REGRESS_SECONDS" kubectl_ wait pod/a \
	    --for condition=Ready --timeout 1s || cluster_fail "it does not run"
	# What is typed before kubectl is there is lost.
	until_true "$REGRESS_SECONDS" typed 'echo is-$((1 + 1))' is-2 ||
	    cluster_fail "nothing comes back"
	until_true "$REGRESS_SECONDS" typed 'stty size' '33 101' ||
	    cluster_fail "the size is another"
	printf 'echo wait-$((1 + 1)); sleep 1000\r' >&3
	until_true "$REGRESS_SECONDS" grep -q wait-2 out ||
	    cluster_fail "the next command does not run"
	printf '\003' >&3
	until_true "$REGRESS_SECONDS" typed 'echo after-$((1 + 1))' after-2 ||
	    cluster_fail "^C does not end a command"
	printf 'exit 6\r' >&3
	wait $!
	[ $? -eq 6 ] || cluster_fail "another exit code"
	cluster_end
}

# typed COMMAND TEXT: type it; the text is a line of the output.
typed() {
	printf '%s\r' "$1" >&3
	sleep 0.3	# not to type faster than anyone reads
	tr -d '\r' <out | grep -qx -- "$2"
}

cluster_test files_are_copied_to_and_from_a_pod \
    "kubectl cp; a tree, and one that is large"
files_are_copied_to_and_from_a_pod_body() {
	cluster_begin
	pod_make a "$UNTIL_TERM"
	pod_says a ready
	mkdir -p tree/below
	seq 200000 >tree/below/large
	echo small >tree/small
	expect 0 "*" kubectl_ cp tree a:/tmp/tree
	expect 0 "$(cksum <tree/below/large)" kubectl_ exec a -- sh -c \
	    'cksum </tmp/tree/below/large'
	expect 0 "*" kubectl_ cp a:/tmp/tree back
	diff -r tree back >&2 || cluster_fail "something else comes back"
	cluster_end
}

cluster_test a_port_of_a_pod_is_forwarded \
    "to what listens on its own 127.0.0.1"
a_port_of_a_pod_is_forwarded_body() {
	cluster_begin
	pod_make a 'mkdir -p /tmp/www && echo served >/tmp/www/word
	    exec busybox httpd -f -p 127.0.0.1:8080 -h /tmp/www'
	pod_reaches a Running
	on_cluster kubectl --namespace "$NAMESPACE" port-forward pod/a \
	    18080:8080 >forward 2>&1 &
	pid=$!
	until_true "$REGRESS_SECONDS" forwarded || {
		kill $pid
		cp forward err
		cluster_fail "nothing is served"
	}
	kill $pid
	cluster_end
}

forwarded() {
	[ "$(on_cluster busybox wget -qO - http://127.0.0.1:18080/word)" = \
	    served ]
}

atf_init_test_cases() {
	cluster_add
}
