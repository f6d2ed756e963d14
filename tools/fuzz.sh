#!/bin/bash
# fuzz.sh: runs the fuzzers that were built, one after the other.  Prints of
# each how many inputs it has executed, what of the code these reach, and how
# many break it, and fails if one does.
#
#   HOURS=1         in all, shared by them; FUZZ_SECONDS=, for each, instead
#   FUZZ=task,oci   only these
#   ENGINE=afl      by AFL++ (else by libFuzzer)
#
# They begin with regress/fuzz/NAME/ and what earlier runs have kept in corpus/,
# below build/fuzz or build/afl; findings/ there has what broke one, log/ what
# it said.
set -euo pipefail

ENGINE=${ENGINE:-libfuzzer}
OUT=build/fuzz
[ "$ENGINE" != afl ] || OUT=build/afl
executions=0 coverage=0 findings=0

# by_libfuzzer NAME SECONDS: sets the three of them.
by_libfuzzer()
{
	local log=$OUT/log/$1 folders=("$OUT/corpus/$1")
	local options=(-max_total_time="$2" -rss_limit_mb=2048 -timeout=10
	    -print_final_stats=1 -artifact_prefix="$OUT/findings/$1-")

	[ ! -f "regress/fuzz/$1.dict" ] ||
	    options+=(-dict="regress/fuzz/$1.dict")
	[ ! -d "regress/fuzz/$1" ] || folders+=("regress/fuzz/$1")
	mkdir -p "$OUT/corpus/$1"
	findings=0
	"$OUT/regress/fuzz/$1" "${options[@]}" "${folders[@]}" >"$log" 2>&1 ||
	    findings=1
	executions=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
	coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
	[ "$findings" -eq 0 ] || tail -n 30 "$log"
}

# by_afl NAME SECONDS: likewise; it goes on after what broke one.
by_afl()
{
	local dir=$OUT/corpus/$1 seeds=regress/fuzz/$1 options=() stats

	if [ ! -d "$seeds" ]; then
		seeds=$OUT/seed
		mkdir -p "$seeds"
		echo 0 >"$seeds/0"
	fi
	[ ! -f "regress/fuzz/$1.dict" ] ||
	    options+=(-x "regress/fuzz/$1.dict")
	# A run goes on from the last one's corpus, and counts by itself.
	rm -rf "$dir/default/crashes" "$dir/default/hangs"
	AFL_AUTORESUME=1 AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 \
	    AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
	    afl-fuzz -V "$2" -m none -t 10000 -i "$seeds" -o "$dir" \
	    "${options[@]}" -- "$OUT/regress/fuzz/$1" >"$OUT/log/$1" 2>&1 || {
		tail -n 30 "$OUT/log/$1"
		findings=1 executions=0 coverage=0
		return
	}
	stats=$dir/default/fuzzer_stats
	executions=$(sed -n 's/^execs_done *: //p' "$stats")
	coverage=$(sed -n 's/^edges_found *: //p' "$stats")
	findings=$(find "$dir"/default/{crashes,hangs} -name 'id:*' -print \
	    -exec cp {} "$OUT/findings/" \; | wc -l)
}

names=()
for program in "$OUT"/regress/fuzz/fuzz_*; do
	name=${program##*/}
	case ,${FUZZ:-${name#fuzz_}}, in
	*,"${name#fuzz_}",* | *,"$name",*) [ ! -x "$program" ] || names+=("$name") ;;
	esac
done
if [ ${#names[@]} -eq 0 ]; then
	echo "fuzz: there is none like ${FUZZ:-that} in $OUT" >&2
	exit 2
fi
each=${FUZZ_SECONDS:-$(awk -v hours="${HOURS:-1}" -v n="${#names[@]}" \
    'BEGIN { printf "%d", hours * 3600 / n < 1 ? 1 : hours * 3600 / n }')}

mkdir -p "$OUT"/{corpus,findings,log}
all=0 broken=0
printf '%-18s %14s %9s %9s\n' "$ENGINE" executions edges findings
for name in "${names[@]}"; do
	"by_$ENGINE" "$name" "$each"
	printf '%-18s %14d %9d %9d\n' "$name" "${executions:-0}" \
	    "${coverage:-0}" "$findings"
	all=$((all + ${executions:-0})) broken=$((broken + findings))
done
printf '%-18s %14d %9s %9d\n' "in all" "$all" "" "$broken"
[ "$broken" -eq 0 ] || echo "see $OUT/findings and $OUT/log"
[ "$broken" -eq 0 ]
