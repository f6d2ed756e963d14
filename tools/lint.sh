#!/bin/sh
# lint.sh [NAME...]: checks of the sources; without a name, all of them.
set -eu

PRIVSEP_MAX=3444	# lines of code
FUNCTION_LINES=60	# of privsep/, each at most, unless privsep/complex says more
FUNCTION_PATHS=10	# the same, by McCabe's count
CALLS="shim:45 decode:20"	# of a policy, each at most
CHANNEL_LINES=60	# fewer than these decide who is believed
wrong=0

[ $# -gt 0 ] || set -- format scripts includes privsep functions policies reading
for name; do
	case $name in
	format)
		# Headers align their names by hand, and privsep/ is laid out
		# by hand throughout: its lines are counted, and read.
		message=$(find . \( -path ./build -o -path ./privsep \) \
		    -prune -o -name '*.c' -print |
		    while read -r file; do
			clang-format "$file" | cmp -s "$file" - ||
			    echo "$file: not in format; make format"
		    done
		    find privsep -name '*.[ch]' -exec expand {} + |
		    grep -nE '^.{81}| $' || :)
		;;
	scripts)
		# Tests have no first line that would name their shell.
		message=$(find regress -name '*_test.sh' \
		    -exec shellcheck -x -S warning -s sh {} + || :
		    find .ci/run .githooks scripts tools regress -type f ! -name '*_test.sh' \
		    \( -name '*.sh' -o -path .ci/run -o -path ".githooks/*" \) \
		    -exec shellcheck -x -S warning {} + || :)
		;;
	includes)
		message=$(tools/include-check.sh || :)
		;;
	privsep)
		# Without comments and blank lines; headers included.
		lines=$(find privsep -name '*.[ch]' -exec cat {} + |
		    gcc -fpreprocessed -dD -E -P - 2>/dev/null | grep -c .)
		echo "privsep: $lines lines of code, at most $PRIVSEP_MAX"
		message=
		[ "$lines" -le "$PRIVSEP_MAX" ] || message="privsep is too big"
		;;
	functions)
		# pmccabe: paths without and with those of switches, statements,
		# first line, lines, place, name.
		message=$(pmccabe privsep/*.c | awk -v lines=$FUNCTION_LINES \
		    -v paths=$FUNCTION_PATHS -v channel=$CHANNEL_LINES '
		    FNR == NR && /^[^#]/ { most[$1] = $2; long[$1] = $3
			if (NF < 4)
				print $1 ": privsep/complex has no reason" }
		    FNR == NR { next }
		    { n++ }
		    /: (message_tag|channel_send|channel_receive)$/ {
			parts++; sum += $5 }
		    $2 > ($7 in most ? most[$7] : paths) ||
		    $5 > ($7 in long && long[$7] > lines ? long[$7] : lines) {
			print $6, $7 ": " $2 " paths, " $5 " lines" }
		    $7 in most { seen[$7] = 1
			if ($2 < most[$7] || $5 < long[$7])
				print $7 ": privsep/complex has more than" \
				    " its " $2 " paths and " $5 " lines" }
		    END { for (name in most) if (!(name in seen))
				print name ": only privsep/complex has it"
			if (n == 0)
				print "no function was found"
			if (parts != 3 || sum >= channel)
				print "what authenticates the channel: " \
				    parts + 0 " functions of 3, " sum + 0 \
				    " lines, not fewer than " channel
		    }' privsep/complex - || echo "pmccabe or awk failed")
		;;
	policies)
		message=
		for role in $CALLS; do
			calls=$(sed 's/#.*//' "sandbox-policies/${role%:*}.policy" |
			    awk 'NF > 0 && $1 !~ /^(default|capabilities|rlimit)$/ \
				{ print $1 }' | sort -u | grep -c .)
			[ "$calls" -le "${role#*:}" ] || message="$message\
${role%:*} has $calls calls, at most ${role#*:}. "
		done
		;;
	reading)
		# What SECURITY.md says of how much there is to read.
		message=$(sed -n 's/^| [^|]* | \(`[^|]*`\) | \([0-9]*\) |$/\2 \1/p' \
		    SECURITY.md | tr -d '`' | while read -r told files; do
			# shellcheck disable=SC2086 # a list, with a pattern
			lines=$(cat $files | wc -l)
			[ $((lines * 10)) -ge $((told * 9)) ] &&
			    [ $((lines * 10)) -le $((told * 11)) ] ||
			    echo "SECURITY.md: $files: $lines lines, not $told"
		done)
		;;
	*)
		message="no such check"
		;;
	esac
	if [ -n "$message" ]; then
		printf '%s\nlint: %s failed\n' "$message" "$name"
		wrong=1
	fi
done
exit $wrong
