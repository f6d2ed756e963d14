#!/bin/sh
# lint.sh [NAME...]: checks of the sources; without a name, all of them.
set -eu

PRIVSEP_MAX=3350	# lines of code
wrong=0

[ $# -gt 0 ] || set -- format scripts includes privsep
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
