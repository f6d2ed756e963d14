#!/bin/bash
# kills.sh: $KILLS times something is killed at a random point of a container's
# life; then the next container of that name runs, and nothing is left.  The
# kill of a number is always the same of a seed, as far as times can be:
# FIRST=17 KILLS=1 repeats the seventeenth.
# shellcheck source=regress/soak/lib.sh
. "$(dirname "$0")/lib.sh"

VICTIMS=(shim helper publisher step init workload containerd)
LIVES=(detached attached member)
TRIES=200

# at WORD: the point that the life has reached.
at()
{
	echo "$1" >"$WORK/at"
}

# A life of the container a, from its creation to its removal.
life_detached()
{
	at create
	task_run --detach a sh -c 'sleep 4321 & exec sleep 4321'
	life_end
}

life_member()
{
	at sandbox
	pod_begin p
	at create
	member --detach a sh -c 'sleep 4321 & exec sleep 4321'
	life_end
	at "end of the sandbox"
	task_end p
}

life_end()
{
	at exec
	task_exec a e sh -c 'exit 3'
	at kill
	ctr_ task kill --signal SIGKILL a
	until_true 5 not task_is a RUNNING
	at delete
	ctr_ task rm a
	ctr_ container rm a
}

life_attached()
{
	at run
	task_run --rm a sh -c 'sleep 0.05 & wait; exit 3'
}

# find_victims WHAT: their pids, in $found.  Without another process, for it is
# asked again and again.
find_victims()
{
	local proc name stat kind

	found=()
	for proc in /proc/[0-9]*; do
		{ read -r name <"$proc/comm" && read -r stat <"$proc/stat"; } \
		    2>/dev/null || continue
		# State, parent, group, session.
		read -ra stat <<<"${stat##*) }"
		[ "${stat[3]}" != "$session" ] && [ "${stat[0]}" != Z ] ||
		    continue
		case $name in
		containerd-shim) kind=shim ;;
		reaper-publish) kind=publisher ;;
		reaper-init) kind=init ;;
		containerd) kind=containerd ;;
		reaper-privsep)
			{ read -r name <"/proc/${stat[1]}/comm"; } \
			    2>/dev/null || continue
			kind=helper
			[ "$name" != reaper-privsep ] || kind=step
			;;
		ctr | runc) continue ;;
		*) kind=workload ;;
		esac
		[ "$kind" != "$1" ] || found+=("${proc#/proc/}")
	done
}

# strike VICTIM LIFE MICROSECONDS: begin the life, and kill when so much of it
# has passed, or as soon after as there is a victim.  $struck is what and when.
# Fails when the life has ended before.
strike()
{
	local start pick point

	start=${EPOCHREALTIME/[.,]/}
	: >"$WORK/at"
	"life_$2" >"$WORK/life" 2>&1 </dev/null &
	LIFE=$!
	sleep "$(printf '%d.%06d' $(($3 / 1000000)) $(($3 % 1000000)))"
	while kill -0 "$LIFE" 2>/dev/null; do
		find_victims "$1"
		[ ${#found[@]} -gt 0 ] || continue
		pick=${found[RANDOM % ${#found[@]}]}
		struck="$(tr '\0' ' ' <"/proc/$pick/cmdline" | cut -c -60)"
		kill -KILL "$pick" 2>/dev/null || continue
		read -r point <"$WORK/at" || point=begin
		struck="$struck at $point,"
		struck+=" $(((${EPOCHREALTIME/[.,]/} - start) / 1000)) ms"
		return
	done
	return 1
}

# recover: containerd runs, the life has ended, and what is left of it is
# removed as a client would.
recover()
{
	local pid

	pid=$(cat "$REGRESS_DIR/containerd.pid")
	# One that was killed may take a while to be dead.
	[ "$victim" != containerd ] || until_true 10 not is_alive "$pid"
	is_alive "$pid" || containerd_start || die "$1: containerd stays dead"
	wait "$LIFE"
	hangs_judge "$1"
	if [ "$victim" = containerd ] && task_is a RUNNING; then
		said=$(task_exec a after echo alive 2>"$WORK/error")
		run_judge "$1: exec after it" 0 alive $? "$said" "$WORK/error"
	fi
	task_end a
	task_end p
}

# run_again: run the next of that name.  A shim that was begun for one that a
# killed containerd did not come to create keeps the name for a minute.
run_again()
{
	said=$(task_run --rm a sh -c 'echo again; exit 9' 2>"$WORK/error")
	code=$?
	! grep -q 'already exists' "$WORK/error"
}

# kill_one NUMBER
kill_one()
{
	local n=$1 victim life delay name said try start took code

	draw_seed "$n"
	draw victim ${#VICTIMS[@]}
	victim=${VICTIMS[victim]}
	draw life ${#LIVES[@]}
	life=${LIVES[life]}
	for ((try = 1; try <= TRIES; try++)); do
		# Of a life that is attached it is likely to be the work.
		draw delay "${lasts[$life]}"
		! strike "$victim" "$life" "$delay" || break
		recover "kill $n"
	done
	name="kill $n (SEED=$SEED FIRST=$n KILLS=1), $victim of $life"
	[ "$try" -le "$TRIES" ] || {
		fail "$name: no victim in $TRIES lives"
		return
	}
	name+=": $struck"
	recover "$name"
	start=$(date +%s)
	until_true 90 run_again
	run_judge "$name; the next" 9 again "$code" "$said" "$WORK/error" ||
	    task_end a
	leak_judge "$SETTLE" "$name"
	took=$(($(date +%s) - start))
	echo "$victim $life $took ${struck##* at }" >>"$SOAK_OUT/kills"
	[ "$took" -lt 5 ] || say "$name: settled after $took s"
	[ $((n % 10)) -ne 0 ] || say "$n kills"
}

session=$(cut -d ' ' -f 6 /proc/$$/stat)
alone_begin
declare -A lasts
for life in "${LIVES[@]}"; do
	start=${EPOCHREALTIME/[.,]/}
	"life_$life" >/dev/null 2>&1
	lasts[$life]=$((${EPOCHREALTIME/[.,]/} - start))
	say "a life, $life, lasts $((lasts[$life] / 1000)) ms"
done
leak_judge "$SETTLE" "after lives without a kill"
: >"$SOAK_OUT/kills"
for ((n = ${FIRST:=1}; n < FIRST + KILLS; n++)); do
	is_going || break
	kill_one "$n"
done
number "$(wc -l <"$SOAK_OUT/kills") kills, each with a next start that worked;" \
    "nothing was left after $(sort -rnk 3 "$SOAK_OUT/kills" |
    awk 'NR == 1 { print $3 }') s at most"
alone_end
