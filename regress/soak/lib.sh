# shellcheck shell=bash
# lib.sh: what the parts of the soak share.  run.sh has set PART, the name of
# the part; SOAK_OUT, its folder; and SEED.
set -u

SOAK_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=${SOAK_HERE%/regress/soak}
# shellcheck disable=SC2034 # for containerd.sh
REGRESS_BUILD=$TOP/build
FAILURES_MAX=50		# of a part; then it ends
MEMORY_MORE=128		# KiB that a process may have grown by
SETTLE=75		# s; an idle shim waits 60 s for a container
HANG=60			# s that a command may take
WORK=$SOAK_OUT/work
CRI=io.kubernetes.cri
export CRI
mkdir -p "$WORK"

# shellcheck source=regress/lib/containerd.sh
. "$TOP/regress/lib/containerd.sh"
# shellcheck source=regress/lib/alone.sh
. "$TOP/regress/lib/alone.sh"

say()
{
	printf '%(%T)T  %-6s  %s\n' -1 "$PART" "$*"
}

# fail TEXT: it goes on, but has failed; the text is a line of the report.
fail()
{
	local text

	text=$(tr -s '\n\t ' ' ' <<<"$*" | cut -c -1500)
	echo "$text" >>"$SOAK_OUT/failures"
	say "FAILED: $text"
	[ "$(wc -l <"$SOAK_OUT/failures")" -lt "$FAILURES_MAX" ] || {
		say "too many failures"
		: >"$SOAK_OUT/stop"
	}
}

die()
{
	fail "$@"
	exit 1
}

# is_going: no worker has given up.
is_going()
{
	[ ! -e "$SOAK_OUT/stop" ]
}

# number TEXT: a line of the report.
number()
{
	echo "$*" >>"$SOAK_OUT/numbers"
	say "$*"
}

# draw_seed NUMBER: begin the series of random numbers that has this number.
draw_seed()
{
	RANDOM=$(((SEED * 1000003 + $1 * 7919) % 2147483647))
	: "$RANDOM"	# the first ones of neighbours are alike
}

# draw NAME N: set the variable to a random number below N.  Not in $(...),
# which has a series of its own.
draw()
{
	printf -v "$1" %d $(((RANDOM << 15 | RANDOM) % $2))
}

# ctr ARG...: the program, which must not hang; it is noted if it does.
ctr()
{
	_since=$SECONDS
	timeout --foreground -k 5 "$HANG" ctr "$@"
	_ctr=$?
	# It may be the exit code of a task.
	[ "$_ctr" -ne 124 ] || [ $((SECONDS - _since)) -lt "$HANG" ] ||
	    echo "ctr $*" >>"$SOAK_OUT/hangs"
	return "$_ctr"
}

hangs_judge()
{
	[ ! -s "$SOAK_OUT/hangs" ] || {
		fail "$1: these took more than $HANG s:" \
		    "$(tr '\n' ';' <"$SOAK_OUT/hangs")"
		rm "$SOAK_OUT/hangs"
	}
}

# leak_files: everything that containerd and Reaper keep; an overlay's files
# too, for our workloads leave none in it.
leak_files()
{
	find /run -path "$REGRESS_DIR/fifo" -prune -o \
	    -path "$REGRESS_DIR/leak.*" -prune -o \
	    -path "$REGRESS_DIR/containerd.pid" -prune -o -print
}

# alone_begin: an empty /run, and a containerd in it, in namespaces of our own.
alone_begin()
{
	[ $$ -eq 1 ] || die "not in namespaces of its own"
	{ mount -t tmpfs -o mode=0755 tmpfs /run && private_dir; } ||
	    die "no private /run"
	echo "$REGRESS_NAMESPACE" >"$SOAK_OUT/cgroups"
	mkdir -m 0700 "$REGRESS_DIR/logs"
	echo "REAPER_LOG_DIR=$REGRESS_DIR/logs" >"$REGRESS_DIR/reaper.conf"
	containerd_start || die "containerd does not start"
	# Their overlays stay.
	{ task_run --rm warm true && pod_run default --rm warm true; } ||
	    die "no task runs"
	leak_before
	cp "$REGRESS_DIR/leak.before" "$SOAK_OUT/leak.before"
}

# alone_end: nothing is left, also not when containerd has stopped.
alone_end()
{
	local left

	cp "$SOAK_OUT/leak.before" "$REGRESS_DIR/"
	leak_judge "$SETTLE" "at the end"
	cp "$REGRESS_DIR/leak.after" "$SOAK_OUT/"
	cp "$REGRESS_DIR/containerd.log" "$SOAK_OUT/"
	containerd_stop 2>"$WORK/stop" ||
	    fail "at the stop of containerd: $(cat "$WORK/stop")"
	left=$(find /run -type s)
	[ -z "$left" ] || fail "sockets are left: $left"
	: >"$SOAK_OUT/done"
}

# leak_note: what there is now, and may be later; while a pod of ours runs.
leak_note()
{
	leak_list | sort >"$REGRESS_DIR/leak.before"
}

# leak_judge SECONDS WHEN: what there was not before fails, and is looked for no
# more.
leak_judge()
{
	leak_after "$1" 2>"$WORK/leak" || {
		fail "$2: $(cat "$WORK/leak")"
		cp "$REGRESS_DIR/leak.after" "$REGRESS_DIR/leak.before"
		return
	}
}

# pod_begin ID: the sandbox of a pod that lives as long as the part.
# member ID...: task_run of a container of it.
pod_begin()
{
	POD=$1
	task_run --detach "--annotation=$CRI.sandbox-id=$POD" \
	    "--annotation=$CRI.sandbox-namespace=default" \
	    "--annotation=$CRI.container-type=sandbox" "$POD" /pause
}

member()
{
	task_run "--annotation=$CRI.sandbox-id=$POD" \
	    "--annotation=$CRI.sandbox-namespace=default" \
	    "--annotation=$CRI.container-type=container" "$@"
}

# measure: what is alive now; when nobody works.
measure()
{
	bash "$SOAK_HERE/measure.sh"
}

# measure_judge BEFORE AFTER [MORE]: of the processes that live as long as the
# part, as measure.sh has written them: the same ones are there, and have not
# grown, but for MORE descriptors.  containerd may have been started again, and
# its memory is its own affair.  $SOAK_OUT/memory gets a line for each: name,
# and the numbers before and after.
measure_judge()
{
	local name pid fds rss pss own after more

	while read -r name pid fds rss pss own; do
		case $name in
		containerd) after=$(grep "^$name " "$2") more=10 ;;
		*) after=$(grep "^$name $pid " "$2") more=${3:-2} ;;
		esac
		[ -n "$after" ] || {
			fail "$name $pid has ended"
			continue
		}
		read -r _ _ fds2 rss2 pss2 own2 <<<"$after"
		echo "$name $fds $fds2 $rss $rss2 $pss $pss2 $own $own2" \
		    >>"$SOAK_OUT/memory"
		[ "$fds2" -le $((fds + more)) ] ||
		    fail "$name: $fds2 descriptors, before $fds"
		[ "$name" != containerd ] || continue
		[ $((own2 - own)) -le $MEMORY_MORE ] &&
		    [ $((rss2 - rss)) -le $MEMORY_MORE ] ||
		    fail "$name: RSS $rss2 KiB, $own2 of it anonymous;" \
		    "before $rss, $own"
	done <"$1"
}

# run_judge WHAT CODE OUTPUT GOT SAID ERROR: a command ended as it had to.
run_judge()
{
	[ "$4" -eq "$2" ] && [ "$5" = "$3" ] && return
	fail "$1: exit code $4, not $2; output \"${5:0:200}\", not" \
	    "\"${3:0:200}\"; $(tail -c 400 "$6" 2>/dev/null)"
	return 1
}
