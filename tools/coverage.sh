#!/bin/bash
# coverage.sh: runs the unit and node tests on build/coverage, which `make
# coverage` has built, and says which part of the code they have executed: of
# each folder, lines and branches, and of privsep/ each line that was not.  All
# of it, line by line, is in build/coverage/html.
#
#   TEST=PATTERN  only tests like that (kyua-test(1))
#
# Fails as the tests do.
set -euo pipefail

BUILD=build/coverage
FOLDERS='privsep unpriv runtime shim cli'
code=0

# Programs for building have left some too.
rm -rf "$BUILD/profiles" "$BUILD/html"
MAKE=true BUILD=$BUILD tools/check.sh unit node || code=$?

llvm-profdata merge -o "$BUILD/profile" "$BUILD"/profiles/*.profraw
objects=()
for program in "$BUILD"/{reaper-*,containerd-shim-*} \
    "$BUILD"/regress/unit/*_test; do
	[ "$(head -c 4 "$program")" != $'\177ELF' ] ||
	    objects+=(-object "$program")
done
of=("${objects[@]:1}" -instr-profile "$BUILD/profile")
# shellcheck disable=SC2086 # a list
llvm-cov show "${of[@]}" -format html -output-dir "$BUILD/html" \
    -show-branches count $FOLDERS
# shellcheck disable=SC2086 # a list
llvm-cov export "${of[@]}" -format lcov $FOLDERS >"$BUILD/lines"

# SF:FILE, then of each line DA:LINE,COUNT, of each branch
# BRDA:LINE,BLOCK,BRANCH,COUNT.
awk -F '[:,]' -v top="$PWD/" -v folders="$FOLDERS total" '
function share(part, all) {
	return all == 0 ? "-" : sprintf("%.1f %%", 100 * part / all)
}
$1 == "SF" {
	file = substr($2, length(top) + 1)
	folder = file
	sub("/.*", "", folder)
}
$1 == "DA" {
	lines[folder]++
	lines["total"]++
	if ($3 > 0) {
		lines_hit[folder]++
		lines_hit["total"]++
	} else if (folder == "privsep") {
		missed[++n] = file ":" $2
	}
}
$1 == "BRDA" {
	branches[folder]++
	branches["total"]++
	if ($5 > 0) {
		branches_hit[folder]++
		branches_hit["total"]++
	}
}
END {
	print "lines of privsep/ that no test has executed: " n + 0
	for (i = 1; i <= n; i++) {
		split(missed[i], at, ":")
		while ((getline text <at[1]) > 0 && ++number[at[1]] < at[2])
			continue
		print missed[i] ":" text
	}
	printf "%-8s %15s %19s\n", "folder", "lines", "branches"
	count = split(folders, names, " ")
	for (i = 1; i <= count; i++) {
		name = names[i]
		printf "%-8s %5d %9s %9d %9s\n", name, lines[name],
		    share(lines_hit[name], lines[name]), branches[name],
		    share(branches_hit[name], branches[name])
	}
}' "$BUILD/lines"
echo "line by line: $BUILD/html/index.html"
exit "$code"
