#!/bin/sh
# run-integration-tests.sh [OPTION...]: the tests on a cluster.
#
#   --no-cleanup    leave the cluster up
#   --test PATTERN  only tests like that, such as pod_test or pod_test:NAME
#   --verbose       say what is built, and how
set -eu

cd "$(dirname "$0")/.."
usage() {
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
while [ $# -gt 0 ]; do
	case $1 in
	--no-cleanup) KEEP=1 ;;
	--verbose) V=1 ;;
	--test)
		[ $# -ge 2 ] || usage
		TEST=$2
		shift
		;;
	*) usage ;;
	esac
	shift
done
exec make integration KEEP="${KEEP-}" V="${V-}" TEST="${TEST-}"
