#!/bin/bash
# analyze.sh [NAME...]: what static analysis finds in the programs' sources, by
# the tools named; without a name, by all of them.  Run by `make analyze`, which
# has made the headers that are generated.  A tool passes if it says nothing.
#
#   CPPFLAGS=FLAGS  of the preprocessor, as the build has them
set -euo pipefail

sources=({privsep,unpriv,runtime,shim,cli,tools}/*.c)
read -ra flags <<<"${CPPFLAGS--I. -Ibuild -D_GNU_SOURCE} -std=gnu17"

# each COMMAND...: run it on each source, as many at once as there are CPUs.
each()
{
	printf '%s\0' "${sources[@]}" |
	    xargs -0 -n 1 -P "$(nproc)" -- "$@" 2>&1 || echo "$1 failed"
}

# All warnings of sparse, but for those of what is meant, or is not ours:
#   universal-initializer  { 0 } is how C17 says "all of it zero"
#   do-while               a body of one statement needs no braces
#   flexible-array-*       CMSG_LEN(), and cmsg(3)'s union that aligns it
#   unknown-attribute, transparent-union  the C library's headers have these
tool_sparse()
{
	each sparse -Wsparse-all -Wno-universal-initializer -Wno-do-while \
	    -Wno-flexible-array-sizeof -Wno-flexible-array-nested \
	    -Wno-unknown-attribute -Wno-transparent-union "${flags[@]}"
}

# It follows values from file to file, so all of them are one run.  It does not
# read headers of the system; libprotobuf-c's macros it has to know.
tool_cppcheck()
{
	cppcheck --quiet --enable=warning,portability,performance \
	    --inconclusive --std=c11 --platform=unix64 --library=posix,gnu \
	    --suppressions-list=tools/cppcheck.supp --template=gcc \
	    --error-exitcode=1 -DPROTOBUF_C__BEGIN_DECLS= \
	    -DPROTOBUF_C__END_DECLS= -DPROTOBUF_C_VERSION_NUMBER=1004001 \
	    "${flags[@]/#-std=*}" "${sources[@]}" 2>&1 ||
	    echo "cppcheck failed"
}

# .clang-tidy says what it looks for.
tool_tidy()
{
	printf '%s\0' "${sources[@]}" | xargs -0 -P "$(nproc)" -I {} \
	    clang-tidy --quiet {} -- "${flags[@]}" 2>/dev/null ||
	    echo "clang-tidy failed"
}

# Findings are one line each; tools/gcc.supp names those that are wrong.
tool_gcc()
{
	each gcc -Wall -Wextra -O2 -fanalyzer -fdiagnostics-plain-output \
	    -fdiagnostics-path-format=none -c -o /dev/null "${flags[@]}" |
	    awk 'FNR == NR { if (/^[^#]/) known[$1, $2] = 1; next }
		/ In function | At top level|: note: |^In file included/ { next }
		{ file = $0; sub(/:.*/, "", file)
		  flag = $0; sub(/.*\[/, "", flag); sub(/\].*/, "", flag) }
		(file, flag) in known { seen[file, flag] = 1; next }
		{ print }
		END { for (pair in known) if (!(pair in seen)) {
			sub(SUBSEP, " ", pair)
			print pair ": only tools/gcc.supp has it" } }' \
		tools/gcc.supp -
}

wrong=0
[ $# -gt 0 ] || set -- sparse cppcheck gcc tidy
for name; do
	if ! declare -F "tool_$name" >/dev/null; then
		found="no such tool"
	else
		found=$("tool_$name")
	fi
	if [ -z "$found" ]; then
		echo "analyze $name  ->  passed"
	else
		printf '%s\nanalyze %s  ->  failed\n' "$found" "$name"
		wrong=1
	fi
done
exit $wrong
