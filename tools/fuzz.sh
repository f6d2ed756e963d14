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
# below build/fuzz or build/afl.  findings/ there has what broke one, which is
# tried again until it does not, and log/ what it said.
set -euo pipefail

ENGINE=${ENGINE:-libfuzzer}
OUT=build/fuzz
[ "$ENGINE" != afl ] || OUT=build/afl
executions=0 coverage=0 findings=0

# replay NAME: what broke it once, and does still: sets findings.
replay()
{
	local input

	findings=0
	for input in "$OUT/findings/$1-"*; do
		[ -e "$input" ] || continue
		if "$OUT/regress/fuzz/$1" "$input" >"$OUT/log/$1" 2>&1; then
			rm "$input"
		else
			echo "$input"
			findings=$((findings + 1))
		fi
	done
}

# by_libfuzzer NAME SECONDS: runs it until something breaks: executions, edges
# reached, findings.
by_libfuzzer()
{
	local log=$OUT/log/$1 folders=("$OUT/corpus/$1")
	local options=(-max_total_time="$2" -rss_limit_mb=2048 -timeout=10
	    -print_final_stats=1 -artifact_prefix="$OUT/findings/$1-")

	[ ! -f "regress/fuzz/$1.dict" ] ||
	    options+=(-dict="regress/fuzz/$1.dict")
	[ ! -d "regress/fuzz/$1" ] || folders+=("regress/fuzz/$1")
	mkdir -p "$OUT/corpus/$1"
	replay "$1"
	if ! "$OUT/regress/fuzz/$1" "${options[@]}" "${folders[@]}" \
	    >"$log" 2>&1; then
		findings=$((findings + 1))
		tail -n 30 "$log"
	fi
	executions=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
	coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
}

# by_afl NAME SECONDS: likewise, but it goes on after what breaks it.
by_afl()
{
	local corpus=$OUT/corpus/$1 run=$OUT/run/$1/default options=() input

	mkdir -p "$corpus" "$OUT/run"
	rm -rf "$OUT/run/$1"
	# It would pass over what breaks at once.
	for input in "regress/fuzz/$1/"*; do
		[ -e "$input" ] || continue
		if "$OUT/regress/fuzz/$1" "$input" >"$OUT/log/$1" 2>&1; then
			cp "$input" "$corpus/"
		else
			cp "$input" "$OUT/findings/$1-${input##*/}"
		fi
	done
	replay "$1"
	[ -n "$(ls -A "$corpus")" ] || echo 0 >"$corpus/0"
	[ ! -f "regress/fuzz/$1.dict" ] ||
	    options+=(-x "regress/fuzz/$1.dict")
	AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 \
	    AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
	    afl-fuzz -V "$2" -m none -t 10000 -i "$corpus" \
	    -o "$OUT/run/$1" "${options[@]}" \
	    -- "$OUT/regress/fuzz/$1" >"$OUT/log/$1" 2>&1 || {
		tail -n 30 "$OUT/log/$1"
		findings=$((findings + 1)) executions=0 coverage=0
		return
	}
	executions=$(sed -n 's/^execs_done *: //p' "$run/fuzzer_stats")
	coverage=$(sed -n 's/^edges_found *: //p' "$run/fuzzer_stats")
	while read -r input; do
		cp "$input" "$OUT/findings/$1-${input##*/}"
		findings=$((findings + 1))
	done < <(find "$run/crashes" "$run/hangs" -name 'id:*')
	# What it has kept has all that it began with.
	rm -rf "$corpus" "$run/queue/.state"
	mv "$run/queue" "$corpus"
}

names=()
for program in "$OUT"/regress/fuzz/fuzz_*; do
	name=${program##*/}
	case ,${FUZZ:-$name}, in
	*,"${name#fuzz_}",* | *,"$name",*)
		[ ! -x "$program" ] || names+=("$name")
		;;
	esac
done
if [ ${#names[@]} -eq 0 ]; then
	echo "fuzz: there is none like ${FUZZ:-that} in $OUT" >&2
	exit 2
fi
each=${FUZZ_SECONDS:-$(awk -v hours="${HOURS:-1}" -v n="${#names[@]}" \
    'BEGIN { s = int(hours * 3600 / n); print s < 1 ? 1 : s }')}

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
