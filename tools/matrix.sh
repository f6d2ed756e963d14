#!/bin/bash
# matrix.sh [VERSION...]: the node tests on several containerds, the system's
# and those named, each fetched where it is missing; ends with a line for each.
set -euo pipefail

cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- system 1.7.35 2.1.8 2.4.2
results=() failed=0

for version; do
	path=$PATH
	if [ "$version" != system ]; then
		folder=$(tools/containerd-get.sh "$version") || {
			results+=("$version: not to be had")
			failed=1
			continue
		}
		path=$folder:$PATH
	fi
	last=$(PATH=$path tools/check.sh node | tee /dev/stderr | tail -n 1) ||
	    failed=1
	results+=("$(PATH=$path containerd --version | cut -d ' ' -f 3): $last")
done
printf '%s\n' "${results[@]}"
exit $failed
