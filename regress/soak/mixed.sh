# shellcheck shell=bash
# shellcheck disable=SC2034 # WORKER is for operations
# mixed.sh: workers that do random operations until a time, while something
# else is stopped and started again in between; after lib.sh.
#
# An operation is a function op_NAME ID: it sets $why where something is wrong.
# When there was a restart meanwhile its result does not count; but it must
# end, and op_clean ID must be able to remove what it left.

echo 0 >"$WORK/restarts"

# restart_mark: at the beginning and at the end of one.
restart_mark()
{
	local count

	read -r count <"$WORK/restarts"
	echo $((count + 1)) >"$WORK/restarts.new"
	mv "$WORK/restarts.new" "$WORK/restarts"
}

# perform WORKER NAME ID: do the operation, and count it.
perform()
{
	local before after why='' word=good

	read -r before <"$WORK/restarts"
	"op_$2" "$3"
	read -r after <"$WORK/restarts"
	if [ "$before" != "$after" ] || [ $((before % 2)) -eq 1 ]; then
		word='cut'
		op_clean "$3"
	elif [ -n "$why" ]; then
		word=bad
		fail "$2 $3, an operation of worker $1: $why"
		op_clean "$3"
	fi
	echo "$2 $word" >>"$SOAK_OUT/operations.$1"
}

# worker NAME NUMBER SECONDS OPERATION...: in a process of its own.
worker()
{
	local name=$1 until=$((SECONDS + $3)) n=0 pick

	draw_seed "$2"
	shift 3
	WORKER=$name	# for names of files
	while [ "$SECONDS" -lt "$until" ] && is_going; do
		n=$((n + 1))
		draw pick $#
		pick=$((pick + 1))
		perform "$name" "${!pick}" "$name.$n"
	done
}

# warm OPERATION...: each some times, so that what is kept for good is there.
warm()
{
	local op n

	WORKER=warm
	for op; do
		for n in 1 2 3 4 5 6 7 8; do
			perform warm "$op" "warm.$op.$n"
		done
	done
	rm -f "$SOAK_OUT/operations.warm"
}

# operations_report: how often each was done, for the report.
operations_report()
{
	cat "$SOAK_OUT"/operations.* 2>/dev/null | awk '
	{ all[$1]++; count[$1, $2]++ }
	END {
		for (op in all)
			print op, all[op], count[op, "cut"] + 0,
			    count[op, "bad"] + 0
	}' | sort >"$SOAK_OUT/operations"
}
