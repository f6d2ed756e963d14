#!/bin/bash
# pods.sh: $PODS pods, one after the other: each is made, runs, ends, is judged
# by its log and exit code, and is removed.  The next one begins when the
# containers of the one before have ended; for the kubelet takes a second more
# to end its sandbox.
# shellcheck source=regress/soak/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=regress/soak/cluster.sh
. "$(dirname "$0")/cluster.sh"

NS=soak-sequence
LONG=60		# s that a pod may take to get anywhere

declare -A here		# pods that are made and not gone

# await NAME WORD: until the watch tells of the pod that it has "ended", is
# "gone", or is Running; the exit code is in $code.  Others that have reached
# their end meanwhile are removed.
await()
{
	local name phase until=$((SECONDS + LONG))

	while [ -n "${here[$1]-}" ]; do
		[ "$SECONDS" -lt "$until" ] &&
		    read -t "$LONG" -ru "$watch" name phase code || return 1
		case $phase in
		gone) unset "here[$name]" ;;
		Succeeded | Failed) remove "$name" ;;
		esac
		[ "$name" = "$1" ] || continue
		case $2 in
		"$phase") return 0 ;;
		ended) [ "$code" = null ] || return 0 ;;
		esac
	done
	[ "$2" = gone ]
}

# remove NAME: once.
remove()
{
	[ "${here[$1]-}" = made ] || return 0
	here[$1]=removed
	api DELETE "namespaces/$NS/pods/$1" >"$WORK/answer" 2>&1 ||
	    fail "$1: not removed: $(cat "$WORK/answer")"
}

# pod_one NUMBER: most succeed, some fail, some run until they are removed.
pod_one()
{
	local n=$1 name=p$1 want=0 end=ended script code

	script="echo $name"
	case $((n % 10)) in
	0) end=Running script+='; trap "exit 0" TERM; sleep 1000 & wait' ;;
	5) want=$((n % 250 + 1)) script+="; exit $want" ;;
	esac
	pod_json $NS "$name" "$script" >"$WORK/pod.json"
	api POST "namespaces/$NS/pods" "$WORK/pod.json" >"$WORK/answer" 2>&1 || {
		fail "$name: not made: $(cat "$WORK/answer")"
		return
	}
	here[$name]=made
	if ! await "$name" $end; then
		fail "$name: not $end in $LONG s:" \
		    "$(api GET "namespaces/$NS/pods/$name" | jq -c .status)"
	elif [ $end = ended ] && [ "$code" != "$want" ]; then
		fail "$name: exit code $code, not $want"
	elif ! until_true 10 log_is "$name"; then
		fail "$name: the log is" \
		    "\"$(api GET "namespaces/$NS/pods/$name/log" 2>&1)\""
	fi
	[ $end = ended ] || {
		remove "$name"
		await "$name" gone || fail "$name: not gone in $LONG s"
	}
}

# all_gone: of those that have ended.
all_gone()
{
	local name

	for name in "${!here[@]}"; do
		await "$name" gone || fail "$name: not gone in $LONG s"
	done
}

log_is()
{
	[ "$(api GET "namespaces/$NS/pods/$1/log")" = "$1" ]
}

# pods FROM TO
pods()
{
	local n

	for ((n = $1; n <= $2; n++)); do
		is_going || return
		pod_one "$n"
		[ $((n % 100)) -ne 0 ] || {
			say "$n pods"
			all_gone
			node_judge 30 "after $n pods"
		}
	done
}

namespace_make $NS
watch_begin $NS '"\(.object.metadata.name) " +
    if .type == "DELETED" then "gone" else "\(.object.status.phase) " +
    "\(.object.status.containerStatuses[0].state.terminated.exitCode)" end'
pods 1001 1005
all_gone
# The kubelet removes some things a minute later.
sleep 65
node_before
node_measure >"$WORK/measure.before"
start=$(date +%s%N)
pods 1 "$PODS"
all_gone
number "$PODS pods in sequence were made, reached their end and were removed:" \
    "$((($(date +%s%N) - start) / 1000000 / PODS)) ms each"
watch_end
node_judge 150 "after all pods"
node_measure >"$WORK/measure.after"
measure_judge "$WORK/measure.before" "$WORK/measure.after"
strangers_judge
kubectl delete namespace $NS --wait=false >/dev/null
: >"$SOAK_OUT/done"
