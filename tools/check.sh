#!/bin/bash
# check.sh [PART...]: checks and tests, all of them or those named: lint, unit,
# node, cluster, sanitize, fuzz.  Run by `make check`, which has built the
# programs.  Prints failures in full and why tests were skipped, and ends with
# the count.
#
#   TEST=PATTERN  of unit, node and cluster only tests like that (kyua-test(1))
#   BUILD=FOLDER  where the programs of unit and node are; build/sanitize with
#                 SANITIZE=1, for which $MAKE makes the tests then
#   KEEP=1        leave the cluster up
set -euo pipefail

MAKE=${MAKE:-make}
BUILD=${BUILD:-build}
# libatf never frees its test cases.
export LSAN_OPTIONS=print_suppressions=0:suppressions=$PWD/regress/lsan.supp
# shellcheck source=regress/lib/case.sh
. regress/lib/case.sh
# Another containerd than the system's, with its ctr beside it.
[ -z "${CONTAINERD-}" ] || PATH=$(dirname "$CONTAINERD"):$PATH
OUT=build/check
passed=0 failed=0 skipped=0

# one NAME COMMAND...: a check that passes or fails; quiet if it passes.
one()
{
	local log=$OUT/${1//[^a-z0-9]/_}.log

	if "${@:2}" >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "$1  ->  passed"
	else
		failed=$((failed + 1))
		echo "$1  ->  failed"
		cat "$log"
		return 1
	fi
}

# suite NAME BUILD FOLDER [COMMAND...]: the test cases of a folder, as built in
# BUILD; run by way of COMMAND.  What a sanitizer has found, and no case has
# looked for, fails as well.
suite()
{
	local db=$OUT/$1.db total skip expected broken fail
	local REGRESS_BUILD=$2
	local kyua=(kyua --logfile="$OUT/$1.log" -v "parallelism=$(nproc)")

	rm -f "$db" "$2/reports"
	"${@:4}" "${kyua[@]}" test -k "$3/Kyuafile" -r "$db" \
	    --build-root="$2/$3" ${TEST:+"$TEST"} |
	    sed -n "s/.*  ->  .*/$1: &/p" || :
	"${kyua[@]}" report -r "$db" --verbose \
	    --results-filter=broken,failed,xfail |
	    sed -n '/^===> .*:/,/^===> [A-Z]/p' |
	    grep -avE '^===> [A-Z]|^    [a-z_]+ |^Metadata|^$' || :

	[ ! -e "$2/reports" ] || one "$1: no report is left" case_reports || :

	# Test cases: N total, N skipped, N expected failures, N broken, N failed
	read -r total skip expected broken fail < <("${kyua[@]}" report \
	    -r "$db" | sed -n '/^Test cases:/s/[^0-9 ]//gp') || :
	if [ "${total:-0}" -eq 0 ]; then
		failed=$((failed + 1))
		echo "$1: no test has run"
		return
	fi
	passed=$((passed + total - skip - expected - broken - fail))
	failed=$((failed + broken + fail))
	# Of a weakness that is known, and printed above, nothing is proved.
	skipped=$((skipped + skip + expected))
}

# cluster: bring one up for its suite, and down again.  Where there can be none,
# its tests are skipped, for the reason that up.sh has given.
cluster()
{
	local code=0 skip=

	export CLUSTER=$PWD/$OUT/cluster SERVICES=${SERVICES-1}
	[ -z "$SERVICES" ] || tools/kube-get.sh kube-proxy coredns \
	    >/dev/null || SERVICES=
	regress/cluster/down.sh	# after a run that was killed
	regress/cluster/traces.sh >"$OUT/traces.before"
	[ -n "${KEEP-}" ] || trap 'regress/cluster/down.sh' EXIT
	regress/cluster/up.sh 2>&1 | tee "$OUT/cluster.log" || code=$?
	case $code in
	0) passed=$((passed + 1)) && echo "cluster up  ->  passed" ;;
	77) skip=$(tail -n 1 "$OUT/cluster.log") ;;
	*)
		failed=$((failed + 1)) && echo "cluster up  ->  failed"
		return
		;;
	esac
	suite cluster build regress/cluster \
	    env REGRESS_CLUSTER="$CLUSTER" REGRESS_SKIP="$skip"
	[ -z "$skip" ] && [ -z "${KEEP-}" ] || return 0
	one "cluster down" regress/cluster/down.sh || :
	regress/cluster/traces.sh >"$OUT/traces.after"
	one "cluster leaves no trace" \
	    diff "$OUT/traces.before" "$OUT/traces.after" || :
}

# with_tests: true when the tests could be built.
with_tests()
{
	one "build of the tests" "$MAKE" tests
}

part_lint()
{
	local name

	for name in format scripts includes privsep functions policies reading; do
		one "lint $name" tools/lint.sh $name || :
	done
}

part_unit()
{
	! with_tests || suite unit "$BUILD" regress/unit
}

# They mount and kill: not among the machine's mounts and processes.  The shell
# is process 1 there, and takes the orphans.
part_node()
{
	local folder folders=()

	echo "with $(containerd --version)"
	with_tests || return 0
	# Some may be in one of both alone.
	for folder in node cve; do
		[ -n "${TEST-}" ] && ! kyua list -k "regress/$folder/Kyuafile" \
		    --build-root="$BUILD/regress/$folder" "$TEST" \
		    >/dev/null 2>&1 || folders+=("$folder")
	done
	[ ${#folders[@]} -gt 0 ] || folders=(node)
	# shellcheck disable=SC2016 # expanded by that shell
	for folder in "${folders[@]}"; do
		suite "$folder" "$BUILD" "regress/$folder" unshare --mount \
		    --propagation private --pid --fork --kill-child \
		    --mount-proc sh -c '"$@"; exit' sh
	done
}

part_cluster()
{
	! with_tests || cluster
}

part_sanitize()
{
	! one "build with sanitizers" "$MAKE" SANITIZE=1 all tests ||
	    suite sanitize build/sanitize regress/unit
}

part_fuzz()
{
	local name names=(regress/fuzz/fuzz_*.c)

	one "build of the fuzzers" "$MAKE" SANITIZE=fuzz CC=clang fuzzers ||
	    return 0
	# Little more than a minute for all of them, however many there are.
	export FUZZ_SECONDS=${FUZZ_SECONDS:-$((70 / ${#names[@]}))}
	for name in "${names[@]}"; do
		name=${name##*/}
		one "${name%.c}" env FUZZ="${name%.c}" tools/fuzz.sh || :
	done
}

mkdir -p "$OUT"
trap 'exit 1' INT TERM HUP
[ $# -gt 0 ] || set -- lint unit node cluster sanitize fuzz
for part; do
	"part_$part"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
