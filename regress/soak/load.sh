#!/bin/bash
# load.sh: for $MINUTES workers run tasks, enter them, pause, change, measure
# and kill them, at once, while containerd is stopped or killed now and then.
# Two pods live as long as the part: the task steady, and the pod p, whose
# containers come and go.
# shellcheck source=regress/soak/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=regress/soak/mixed.sh
. "$(dirname "$0")/mixed.sh"

PEER=$TOP/build/soak/peer
RUNS=(run stdin bytes logfile terminal term life detach missing)
STEADY=(exec exec_kill exec_missing pause metrics processes update)
MEMBER=(member member_exec)

op_clean()
{
	until_true 60 containerd_answers ||
	    die "containerd does not answer any more"
	task_end "$1"
	# It may be an exec: a client that was cut off has left it to the shim.
	until_true 20 exec_gone "$1" || fail "the exec $1 cannot be removed"
}

exec_gone()
{
	"$PEER" "$steady" call Kill 1=steady "2=$1" 3:9
	"$PEER" "$steady" call Delete 1=steady "2=$1"
	! "$PEER" "$steady" call State 1=steady "2=$1"
}

# ends CODE OUTPUT COMMAND [ARG...]: else it is what is wrong.
ends()
{
	local code=$1 output=$2 said got

	shift 2
	said=$("$@" 2>"$WORK/error.$WORKER")
	got=$?
	[ "$got" -eq "$code" ] && [ "$said" = "$output" ] || {
		why="$1 ${*: -1}: exit code $got, not $code; output"
		why+=" \"${said:0:200}\", not \"${output:0:200}\";"
		why+=" $(tail -c 300 "$WORK/error.$WORKER")"
		return 1
	}
}

# fine COMMAND [ARG...]: it succeeds, whatever it says.
fine()
{
	"$@" >"$WORK/output.$WORKER" 2>"$WORK/error.$WORKER" </dev/null || {
		why="$*: $(tail -c 300 "$WORK/error.$WORKER")"
		return 1
	}
}

# becomes ID STATE
becomes()
{
	until_true 20 task_is "$@" || {
		why="it does not become $2, but is \"$(task_state "$1")\""
		return 1
	}
}

op_run()
{
	local code

	draw code 256
	ends "$code" "I am $1" task_run --rm "$1" \
	    sh -c "echo I am $1; exit $code"
}

op_stdin()
{
	ends 7 "read $1" piped "$1" task_run --rm "$1" \
	    sh -c 'read -r x; echo "read $x"; exit 7'
}

piped()
{
	echo "$1" | "${@:2}"
}

# Of an output that is longer than any pipe.
op_bytes()
{
	local size want

	draw size 3000000
	want=$(head -c "$size" /dev/zero | tr '\0' x | cksum)
	ends 0 "$want" summed task_run --rm "$1" \
	    sh -c "head -c $size /dev/zero | tr '\\0' x"
}

summed()
{
	"$@" | cksum
	return "${PIPESTATUS[0]}"
}

op_logfile()
{
	local file=$REGRESS_DIR/logs/$1 code

	draw code 256
	fine task_run --detach "--log-uri=file://$file" "$1" \
	    sh -c "seq 1000; echo err >&2; exit $code" &&
	    becomes "$1" STOPPED && removed "$1" "$code" &&
	    { cmp -s "$file" <(seq 1000; echo err) ||
	    why="the log is $(wc -l <"$file") lines long, not 1001"; }
	rm -f "$file"
}

# removed ID CODE: the stopped task is deleted, and that was its exit code.
removed()
{
	local code

	fine ctr_ task rm "$1" || return
	code=$(sed -n 's/.*non-zero exit code \([0-9]*\).*/\1/p' \
	    "$WORK/error.$WORKER")
	[ "${code:-0}" -eq "$2" ] || {
		why="its exit code is ${code:-0}, not $2"
		return 1
	}
	fine ctr_ container rm "$1"
}

op_terminal()
{
	local code

	draw code 200
	ends "$code" "terminal of $1" typed "$1" \
	    "[ -t 0 ] && [ -t 1 ] && echo terminal of $1; exit $code"
}

# typed ID SCRIPT: at a terminal, where nobody types; without what ctr says on it
# when it comes too late to tell the size.
typed()
{
	timeout --foreground -k 5 "$HANG" script -qec "exec ctr --address '$REGRESS_DIR/c.sock' \
	    --namespace '$REGRESS_NAMESPACE' run -t --rm \
	    --runtime '$REGRESS_RUNTIME' --env 'PATH=$TASK_PATH' \
	    --fifo-dir '$REGRESS_DIR/fifo' --rootfs '$REGRESS_DIR/rootfs' \
	    '$1' sh -c '$2'" /dev/null <&"$nobody" |
	    tr -d '\r' | grep -v 'resize pty'
	return "${PIPESTATUS[0]}"
}

# It handles SIGTERM.
op_term()
{
	fine task_run --detach "$1" sh -c 'trap "exit 5" TERM
	    mkdir /dev/shm/ready; while :; do sleep 0.05; done' &&
	    { until_true 20 task_exec "$1" e test -e /dev/shm/ready ||
	    why="no trap"; } && [ -z "$why" ] &&
	    fine ctr_ task kill --signal SIGTERM "$1" &&
	    becomes "$1" STOPPED && removed "$1" 5
}

# All that can be done to one.
op_life()
{
	local socket

	fine task_run --detach "$1" sh -c 'sleep 4321 & exec sleep 4321' &&
	    ends 3 in task_exec "$1" e sh -c 'echo in; exit 3' &&
	    fine ctr_ task pause "$1" && becomes "$1" PAUSED &&
	    fine ctr_ task metrics "$1" &&
	    fine ctr_ task resume "$1" && becomes "$1" RUNNING &&
	    socket=$(cat "$REGRESS_DIR/state"/*/*/"$1/address") &&
	    fine "$PEER" "$socket" call Update "1=$1" \
	    '2@{"pids":{"limit":50},"memory":{"limit":67108864}}' &&
	    fine ctr_ task kill --signal SIGKILL --all "$1" &&
	    becomes "$1" STOPPED && removed "$1" 137
}

# It ends by itself and is removed later, or is killed while it is paused.
op_detach()
{
	local how

	draw how 2
	if [ "$how" -eq 0 ]; then
		fine task_run --detach "$1" sh -c 'exit 4' &&
		    becomes "$1" STOPPED && removed "$1" 4
	else
		fine task_run --detach "$1" sleep 4321 &&
		    fine ctr_ task pause "$1" &&
		    fine ctr_ task kill --signal SIGKILL "$1" &&
		    becomes "$1" STOPPED && removed "$1" 137
	fi
}

op_missing()
{
	fine not task_run --rm "$1" /no/such/program
	op_clean "$1"
}

op_exec()
{
	local code

	draw code 256
	ends "$code" "exec $1" task_exec steady "$1" \
	    sh -c "echo exec $1; exit $code"
}

op_exec_kill()
{
	local pid

	task_exec steady "$1" sleep 4321 >/dev/null \
	    2>"$WORK/error.exec" </dev/null &
	pid=$!
	until_true 20 fine ctr_ task kill --signal SIGTERM --exec-id "$1" \
	    steady || return
	why=
	wait $pid
	pid=$?
	# The signal may come before it has become the program.
	[ $pid -eq 143 ] || grep -q 'launching:' "$WORK/error.exec" ||
	    why="exit code $pid, not 143; $(cat "$WORK/error.exec")"
}

op_exec_missing()
{
	fine not task_exec steady "$1" /no/such/program
}

op_pause()
{
	fine ctr_ task pause steady && becomes steady PAUSED
	# After a restart in between it must not stay so.
	until_true 60 unpaused || why="it cannot be resumed"
}

unpaused()
{
	ctr_ task resume steady || task_is steady RUNNING
}

op_metrics()
{
	fine ctr_ task metrics steady &&
	    { grep -q '^memory' "$WORK/output.$WORKER" || why="no memory"; }
}

op_processes()
{
	fine ctr_ task ps steady
}

op_update()
{
	local limit

	draw limit 100
	fine "$PEER" "$steady" call Update 1=steady \
	    "2@{\"pids\":{\"limit\":$((limit + 50))}}"
}

op_member()
{
	local code

	draw code 256
	ends "$code" "member $1" member --rm "$1" \
	    sh -c "echo member $1; exit $code"
}

op_member_exec()
{
	fine member --detach "$1" sleep 4321 &&
	    ends 3 in task_exec "$1" e sh -c 'echo in; exit 3' &&
	    fine ctr_ task kill --signal SIGKILL "$1" &&
	    becomes "$1" STOPPED && removed "$1" 137
}

# restarts SECONDS: stop or kill containerd now and then, start it again.
restarts()
{
	local until=$((SECONDS + $1)) pause how n=0

	draw_seed 9
	while :; do
		draw pause 60
		pause=$((pause + 20))
		[ $((SECONDS + pause + 10)) -lt "$until" ] && is_going || break
		sleep "$pause"
		draw how 3
		restart_mark
		containerd_kill "$([ "$how" -eq 0 ] && echo TERM || echo KILL)" ||
		    fail "containerd does not end"
		sleep "0.$how"
		containerd_start 2>"$WORK/start" ||
		    die "no start of containerd: $(cat "$WORK/start")"
		restart_mark
		n=$((n + 1))
	done
	echo "$n" >"$SOAK_OUT/restarts"
}

alone_begin
mkfifo "$WORK/nobody" 2>/dev/null || :
exec {nobody}<>"$WORK/nobody"
pod_begin p || die "no pod"
task_run --detach steady sh -c 'while :; do sleep 1000000; done' ||
    die "no steady task"
steady=$(cat "$REGRESS_DIR/state"/*/*/steady/address)
warm "${RUNS[@]}" "${STEADY[@]}" "${MEMBER[@]}"
[ ! -e "$SOAK_OUT/failures" ] || die "an operation fails without a load"

# two_shims: only those that live on.
two_shims()
{
	[ "$(shim_pid | wc -l)" -eq 2 ]
}

until_true "$SETTLE" two_shims || fail "a shim of an operation stays"
leak_note
measure >"$WORK/measure.before"
seconds=$((MINUTES * 60))
say "load for $MINUTES minutes"
worker r1 1 $seconds "${RUNS[@]}" &
jobs=$!
for job in "r2 2 $seconds ${RUNS[*]}" "s 3 $seconds ${STEADY[*]}" \
    "m 4 $seconds ${MEMBER[*]}"; do
	# shellcheck disable=SC2086 # words
	worker $job &
	jobs+=" $!"
done
restarts $seconds &
jobs+=" $!"
for ((i = 1; i <= MINUTES; i++)); do
	sleep 60
	say "$i min: $(cat "$SOAK_OUT"/operations.* | wc -l) operations"
	measure | sed "s/^/$i /" >>"$SOAK_OUT/samples"
done
for job in $jobs; do
	wait "$job" || fail "a worker has ended with $?"
done
operations_report
number "$(awk '{ n += $2; cut += $3 } END { print n " operations, " cut }' \
    "$SOAK_OUT/operations") of them cut by a restart of containerd;" \
    "$(cat "$SOAK_OUT/restarts") restarts in $MINUTES minutes"
hangs_judge load
until_true "$SETTLE" two_shims || fail "a shim of an operation stays"
leak_judge "$SETTLE" "after the load, where the two pods still run"
measure >"$WORK/measure.after"
measure_judge "$WORK/measure.before" "$WORK/measure.after"
WORKER=end why=
op_exec end
[ -z "$why" ] || fail "the steady task, at the end: $why"
task_end steady
task_end p
alone_end
