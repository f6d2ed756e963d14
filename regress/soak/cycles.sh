#!/bin/bash
# cycles.sh: $CYCLES times a task is made, runs and is removed, by two workers
# at once: of one each task is a pod, of the other a container of a pod whose
# shim lives as long as the part.
# shellcheck source=regress/soak/lib.sh
. "$(dirname "$0")/lib.sh"

# cycle RUN NUMBER: by task_run or by member.
cycle()
{
	local id=$1.$2 code=$(($2 % 250 + 1)) said got

	said=$("$1" --rm "$id" sh -c "echo $id; exit $code" 2>"$WORK/error.$1")
	got=$?
	run_judge "cycle $2 by $1" "$code" "$id" "$got" "$said" \
	    "$WORK/error.$1" || task_end "$id"
}

# worker RUN FROM TO
worker()
{
	local n

	for ((n = $2; n <= $3; n++)); do
		is_going || return
		cycle "$1" "$n"
		[ $((n % 500)) -ne 0 ] || say "$1: $n"
	done
}

# both FROM TO
both()
{
	worker task_run "$1" "$2" &
	worker member "$1" "$2"
	wait "$!"
}

# one_shim: only that of the pod.
one_shim()
{
	[ "$(shim_pid | wc -l)" -eq 1 ]
}

half=$((CYCLES / 2)) warm=$((CYCLES / 20 + 5))
alone_begin
pod_begin p || die "no pod"
both 1 $((warm < 100 ? warm : 100))
until_true 10 one_shim || fail "a shim of the first cycles stays"
measure >"$WORK/measure.before"
leak_note
start=$(date +%s%N)
both 1001 $((1000 + half))
number "$((half * 2)) tasks were made, ran and were removed:" \
    "$((($(date +%s%N) - start) / 1000000 / (half * 2))) ms each"
hangs_judge cycles
leak_judge "$SETTLE" "after the cycles, where the pod still runs"
measure >"$WORK/measure.after"
measure_judge "$WORK/measure.before" "$WORK/measure.after"
task_end p
alone_end
