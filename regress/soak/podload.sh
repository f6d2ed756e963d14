#!/bin/bash
# podload.sh: for $MINUTES workers make pods, enter them, change them and remove
# them, at once, while the containerd of the node is stopped or killed now and
# then.  The pod steady lives as long as the part.
# shellcheck source=regress/soak/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=regress/soak/cluster.sh
. "$(dirname "$0")/cluster.sh"
# shellcheck source=regress/soak/mixed.sh
. "$(dirname "$0")/mixed.sh"

NS=soak-load
LONG=120		# s that a pod may take to get anywhere
OPERATIONS=(job entered pair restarted exec exec)

kubectl_()
{
	timeout --foreground -k 5 $((LONG + 30)) kubectl --namespace $NS "$@"
}

op_clean()
{
	kubectl_ delete pod "$1" --ignore-not-found --wait --timeout "${LONG}s" \
	    >"$WORK/clean.$WORKER" 2>&1 ||
	    fail "$1 cannot be removed: $(cat "$WORK/clean.$WORKER")"
}

# fine COMMAND [ARG...]: it succeeds, whatever it says.
fine()
{
	"$@" >"$WORK/output.$WORKER" 2>"$WORK/error.$WORKER" </dev/null || {
		why="$*: $(tail -c 300 "$WORK/error.$WORKER")"
		return 1
	}
}

# made NAME SCRIPT [FILTER]
made()
{
	pod_json $NS "$@" >"$WORK/pod.$WORKER.json"
	fine kubectl_ create -f "$WORK/pod.$WORKER.json"
}

# reaches NAME WHAT VALUE
reaches()
{
	fine kubectl_ wait --for "jsonpath={.status.$2}=$3" \
	    --timeout "${LONG}s" "pod/$1" || {
		why+=" $(kubectl_ get pod "$1" -o jsonpath='{.status}' |
		    tail -c 500)"
		return 1
	}
}

# says NAME TEXT [ARG...]: that is its log.
says()
{
	local said

	said=$(kubectl_ logs "$1" "${@:3}" 2>"$WORK/error.$WORKER")
	[ "$said" = "$2" ] || {
		why="the log is \"${said:0:200}\", not \"$2\";"
		why+=" $(cat "$WORK/error.$WORKER")"
		return 1
	}
}

first='containerStatuses[0]'

op_job()
{
	local code phase=Failed

	draw code 256
	[ "$code" -ne 0 ] || phase=Succeeded
	made "$1" "echo job $1; exit $code" && reaches "$1" phase $phase &&
	    reaches "$1" "$first.state.terminated.exitCode" "$code" &&
	    says "$1" "job $1" && fine kubectl_ delete pod "$1"
}

op_entered()
{
	local said got

	made "$1" 'trap "exit 0" TERM; sleep 1000 & wait' &&
	    reaches "$1" phase Running || return
	said=$(kubectl_ exec "$1" -- sh -c 'echo in; exit 7' 2>/dev/null)
	got=$?
	[ "$got $said" = "7 in" ] || why="exec: $got, \"$said\""
	fine kubectl_ delete pod "$1"
}

# Two containers, and volumes.
op_pair()
{
	made "$1" 'until [ -e /e/word ]; do sleep 0.1; done; cat /e/word' '
	    .spec.volumes = [{name: "e", emptyDir: {}}] |
	    .spec.containers[0].volumeMounts = [{name: "e", mountPath: "/e"}] |
	    .spec.containers += [.spec.containers[0] | .name = "second" |
	    .command[2] = "echo word >/e/new; mv /e/new /e/word"]' &&
	    reaches "$1" phase Succeeded && says "$1" word -c main &&
	    fine kubectl_ delete pod "$1"
}

# Its container ends, and is run again by the kubelet.
op_restarted()
{
	made "$1" 'if [ -e /e/was ]; then echo second; sleep 1000 & wait; fi
	    : >/e/was; exit 3' '.spec.restartPolicy = "Always" |
	    .spec.volumes = [{name: "e", emptyDir: {}}] |
	    .spec.containers[0].volumeMounts = [{name: "e", mountPath: "/e"}]' &&
	    reaches "$1" "$first.lastState.terminated.exitCode" 3 &&
	    reaches "$1" "$first.ready" true &&
	    fine kubectl_ delete pod "$1"
}

op_exec()
{
	local code said got

	draw code 250
	said=$(kubectl_ exec steady -- sh -c "echo exec $1; exit $code" \
	    2>"$WORK/error.$WORKER")
	got=$?
	[ "$got $said" = "$code exec $1" ] ||
	    why="exec: $got, not $code; \"$said\"; $(cat "$WORK/error.$WORKER")"
}

# replaced PID: another containerd answers.
replaced()
{
	[ "$(on_node cat /run/containerd.pid)" != "$1" ] && on_node ctr version
}

# restarts SECONDS: of the node's containerd, which its service starts again.
restarts()
{
	local until=$((SECONDS + $1)) pause how pid n=0

	draw_seed 19
	while :; do
		draw pause 120
		pause=$((pause + 60))
		[ $((SECONDS + pause + 20)) -lt "$until" ] && is_going || break
		sleep "$pause"
		draw how 2
		restart_mark
		pid=$(on_node cat /run/containerd.pid)
		on_node kill "-$([ "$how" -eq 0 ] && echo TERM || echo KILL)" \
		    "$pid" || fail "containerd was not there"
		until_true 60 replaced "$pid" ||
		    die "containerd of the node does not come back"
		# The kubelet has to find it.
		sleep 5
		restart_mark
		n=$((n + 1))
	done
	echo "$n" >"$SOAK_OUT/restarts"
}

namespace_make $NS
WORKER=begin why=
made steady 'while :; do sleep 1000000 & wait; done' &&
    reaches steady phase Running || die "no steady pod: $why"
for op in job entered pair restarted exec; do
	for n in 1 2 3 4; do
		perform warm $op "w$op$n"
	done
done
rm "$SOAK_OUT/operations.warm"
[ ! -e "$SOAK_OUT/failures" ] || die "an operation fails without a load"
# The kubelet removes some things a minute later.
sleep 65
node_before
node_measure >"$WORK/measure.before"
seconds=$((MINUTES * 60))
say "load for $MINUTES minutes"
worker k1 11 $seconds "${OPERATIONS[@]}" &
jobs=$!
worker k2 12 $seconds "${OPERATIONS[@]}" &
jobs+=" $!"
restarts $seconds &
jobs+=" $!"
for ((i = 5; i <= MINUTES; i += 5)); do
	sleep 300
	say "$i min: $(cat "$SOAK_OUT"/operations.* | wc -l) operations"
done
for job in $jobs; do
	wait "$job" || fail "a worker has ended with $?"
done
operations_report
number "$(awk '{ n += $2; cut += $3 } END { print n " operations, " cut }' \
    "$SOAK_OUT/operations") of them cut by a restart of the node's" \
    "containerd; $(cat "$SOAK_OUT/restarts") restarts in $MINUTES minutes"
node_judge 180 "after the load, where one pod still runs"
node_measure >"$WORK/measure.after"
# Of an exec that was cut, the shim waits for containerd to delete it.
measure_judge "$WORK/measure.before" "$WORK/measure.after" \
    $((2 + 4 * $(awk '$1 == "exec" { print $3 }' "$SOAK_OUT/operations")))
strangers_judge
WORKER=end why=
op_exec end
[ -z "$why" ] || fail "the steady pod, at the end: $why"
[ "$(kubectl_ get pod steady -o "jsonpath={.status.$first.restartCount}")" = 0 ] ||
    fail "the steady pod was started again"
kubectl delete namespace $NS --wait --timeout 120s >/dev/null ||
    fail "the namespace stays"
: >"$SOAK_OUT/done"
