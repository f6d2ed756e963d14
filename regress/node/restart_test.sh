# shellcheck shell=sh
# containerd restarts below fifty containers: all run on, and what ends before,
# while it is away, while it comes back, and later is told as it was.

. "$(atf_get_srcdir)/../lib/node.sh"

# Ends with its number when it is told to; some write a line now and then.
# shellcheck disable=SC2016 # the workload's shell expands it
MEMBER='trap "exit $1" USR1
[ $(($1 % 10)) -ne 0 ] || while :; do echo line; sleep 0.1; done
while :; do sleep 1000 & wait; done'

# member N: container cN, of which five have one shim.
member() {
	task_run -d --annotation="io.containerd.runc.v2.group=g$((($1 + 4) / 5))" \
	    --log-uri="file://$LOGS/c$1" "c$1" sh -c "$MEMBER" sh "$1"
}

# each FUNCTION FIRST LAST: for the numbers, five at a time.
each() {
	_n=$2
	while [ "$_n" -le "$3" ]; do
		_jobs=
		for _i in 0 1 2 3 4; do
			"$1" $((_n + _i)) >"each.$_i" 2>&1 &
			_jobs="$_jobs $!"
		done
		for _job in $_jobs; do
			wait "$_job" || {
				cat each.? >&2
				node_fail "$1 fails for one of $_n to $((_n + 4))"
			}
		done
		_n=$((_n + 5))
	done
}

# told_to_end FIRST LAST: by the node, whatever containerd does.
told_to_end() {
	for _n in $(seq "$1" "$2"); do
		kill -USR1 "$(awk -v id="c$_n" '$1 == id { print $2 }' tasks)" ||
		    return 1
	done
}

# states_are FIRST LAST: up to there they have stopped, and beyond they run, the
# same processes.
states_are() {
	ctr_ task ls >now
	awk -v first="$1" -v last="$2" '
	NR == FNR { pid[$1] = $2; next }
	$1 ~ /^c[0-9]/ {
		n = substr($1, 2) + 0
		bad += $3 != (n <= last ? "STOPPED" : "RUNNING")
		bad += n > last && $2 != pid[$1]
		seen += n >= first
	}
	END { exit bad > 0 || seen != 50 - first + 1 }' tasks now
}

# removed N: with its number for an exit code, as containerd has it.
removed() {
	ctr_ task rm "c$1" 2>"removed.$1"
	grep -q "non-zero exit code $1\$\|exit code $1\"" "removed.$1" || {
		cat "removed.$1"
		return 1
	}
	ctr_ container rm "c$1"
}

# lines FIRST: how many the logs have of those that write, from FIRST on;
# all_write FIRST: by now more than in lines.before.
lines() {
	for _n in 10 20 30 40 50; do
		[ "$_n" -lt "$1" ] || wc -l <"$LOGS/c$_n"
	done
}

all_write() {
	lines "$1" >lines.now
	paste lines.before lines.now | awk '$2 <= $1 { bad = 1 } END { exit bad }'
}

node_test fifty_containers_run_on_when_containerd_restarts \
    "killed, then ended; each exit is told with its own code"
fifty_containers_run_on_when_containerd_restarts_body() {
	node_begin
	LOGS=$REGRESS_DIR/logs
	mkdir -m 0755 "$LOGS"
	echo "REAPER_LOG_DIR=$LOGS" >"$REGRESS_DIR/reaper.conf"
	expect 0 "" task_run --rm warm true
	leak_before
	each member 1 50
	ctr_ task ls >tasks
	states_are 1 0 || node_fail "not all run"
	shims=$(shim_pid | sort)
	[ "$(echo "$shims" | wc -l)" -eq 10 ] || node_fail "not ten shims"
	first=1
	for signal in KILL TERM; do
		told_to_end "$first" $((first + 4)) || node_fail "one has gone"
		lines $((first + 20)) >lines.before
		old=$CONTAINERD_PID
		containerd_kill "$signal" || atf_fail "containerd lives"
		told_to_end $((first + 5)) $((first + 9)) || node_fail "one has gone"
		until_true 10 all_write $((first + 20)) ||
		    node_fail "not all write while it is away"
		told_to_end $((first + 10)) $((first + 14)) &
		containerd_start || atf_fail "containerd does not start"
		lines $((first + 20)) >lines.before
		told_to_end $((first + 15)) $((first + 19)) || node_fail "one has gone"
		until_true 10 states_are "$first" $((first + 19)) ||
		    node_fail "other states: $(tr '\n' ' ' <now)"
		until_true 10 all_write $((first + 20)) ||
		    node_fail "not all write when it is back"
		each removed "$first" $((first + 19))
		sed "s/^process $old /process $CONTAINERD_PID /" \
		    "$REGRESS_DIR/leak.before" | sort >again
		mv again "$REGRESS_DIR/leak.before"
		first=$((first + 20))
	done
	# Of two pods, and those who have served them all the time.
	until_true 10 shims_are 2 || node_fail "others have not ended"
	for pid in $(shim_pid); do
		echo "$shims" | grep -qx "$pid" || node_fail "another shim"
	done
	each ended 41 50
	leak_after || atf_fail "something was left"
	node_end
}

shims_are() {
	[ "$(shim_pid | wc -l)" -eq "$1" ]
}

ended() {
	task_end "c$1"
}

atf_init_test_cases() {
	node_add
}
