#!/bin/bash
# run.sh: hours of work for the runtime; then nothing may be left.  The report
# is build/soak/report.md; the log of a part is build/soak/PART/log.
#
#   SOAK=cycles,pods,kills,load  the parts
#   CYCLES=10000 PODS=1000 KILLS=200 MINUTES=60  their sizes
#   SEED=N      of the random numbers; else one is chosen, and reported
#   FIRST=N     the number of the first kill
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
TOP=${here%/regress/soak}
OUT=$TOP/build/soak
: "${SOAK:=cycles,pods,kills,load}" "${CYCLES:=10000}" "${PODS:=1000}"
: "${KILLS:=200}" "${MINUTES:=60}" "${SEED:=$((RANDOM << 15 | RANDOM))}"
: "${FIRST:=1}"
export SOAK CYCLES PODS KILLS MINUTES SEED FIRST
export CLUSTER=$OUT/cluster SERVICES='' NODES=1

# shellcheck source=regress/lib/containerd.sh
. "$TOP/regress/lib/containerd.sh"

# part NAME COMMAND [ARG...]: run it, with its own folder and log.
part()
{
	local out=$OUT/$1 start code=0

	mkdir -p "$out"
	start=$(date +%s)
	PART=$1 SOAK_OUT=$out "${@:2}" > >(tee -a "$out/log") \
	    2>>"$out/errors" </dev/null &
	echo $! >"$out/job"
	wait $! || code=$?
	echo $(($(date +%s) - start)) >"$out/seconds"
	[ -e "$out/done" ] ||
	    echo "ended with $code before it was done: see $out" \
	    >>"$out/failures"
	# They are in no namespace.
	[ ! -s "$out/cgroups" ] || until_true 10 cgroups_remove \
	    "$(cat "$out/cgroups")" ||
	    echo "cgroups are left: $(cgroups_of "$(cat "$out/cgroups")" |
	    tr '\n' ' ')" >>"$out/failures"
	rm -f "$out/job" "$out/cgroups"
}

# alone SCRIPT: in mount and pid namespaces of its own, as its pid 1.
alone()
{
	exec setsid unshare --mount --propagation private --pid --fork \
	    --kill-child --mount-proc "$here/$1"
}

# in_cluster SCRIPT: among the machine's processes, on the cluster's network.
in_cluster()
{
	exec setsid "$CLUSTER/shell" "$here/$1"
}

wanted()
{
	[[ ,$SOAK, == *,$1,* ]]
}

# finish: end what runs, when the soak is interrupted.
finish()
{
	local file

	for file in "$OUT"/*/job; do
		[ ! -e "$file" ] || kill -KILL -- "-$(cat "$file")" || :
	done
	"$TOP/regress/cluster/down.sh"
	for file in "$OUT"/*/cgroups; do
		[ ! -e "$file" ] || until_true 10 cgroups_remove \
		    "$(cat "$file")" || :
	done
}

# cluster_up: fails where there can be none.
cluster_up()
{
	"$TOP/regress/cluster/traces.sh" >"$OUT/traces.before"
	"$TOP/regress/cluster/up.sh" 2>&1 | tee "$OUT/cluster.log" &&
	    "$CLUSTER/programs/kubelet" --version >"$OUT/kubernetes"
}

cluster_down()
{
	"$TOP/regress/cluster/down.sh" && "$TOP/regress/cluster/traces.sh" \
	    >"$OUT/traces.after" &&
	    diff "$OUT/traces.before" "$OUT/traces.after" >"$OUT/traces"
}

for name in ${SOAK//,/ }; do
	[[ $name =~ ^(cycles|pods|kills|load)$ ]] || {
		echo "soak: no part $name" >&2
		exit 2
	}
done
for size in CYCLES PODS KILLS MINUTES SEED FIRST; do
	[[ ${!size} =~ ^[1-9][0-9]{0,9}$ ]] || {
		echo "soak: $size=${!size}" >&2
		exit 2
	}
done
exec {lock}>"$TOP/build/soak.lock"
flock -n "$lock" || {
	echo "soak: one runs already" >&2
	exit 2
}
"$TOP/regress/cluster/down.sh"	# after a run that was killed
rm -rf "$OUT"
mkdir -p "$OUT"
trap finish EXIT
for signal in INT TERM HUP; do
	# shellcheck disable=SC2064 # its name now
	trap "echo 'soak: ended by SIG$signal' >&2; exit 1" $signal
done
date +%s >"$OUT/start"
echo "soak: $SOAK, SEED=$SEED; the logs are $OUT/*/log"
"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O1 -Wall -o "$OUT/peer" \
    "$TOP/regress/lib/peer.c"

cluster=no
if wanted pods || wanted load; then
	if cluster_up; then
		cluster=yes
	else
		mkdir -p "$OUT/pods"
		echo "no cluster: $(tail -n 1 "$OUT/cluster.log")" \
		    >>"$OUT/pods/failures"
	fi
fi
# All at once: what is done one after the other has the load around it.  But
# pods in sequence are counted with what they leave: others come after them.
{
	[ $cluster = no ] || ! wanted pods || part pods in_cluster pods.sh
	left=$((MINUTES - ($(date +%s) - $(cat "$OUT/start")) / 60))
	[ $cluster = no ] || ! wanted load || MINUTES=$((left > 0 ? left : 1)) \
	    part podload in_cluster podload.sh
} &
{
	! wanted cycles || part cycles alone cycles.sh
	! wanted kills || part kills alone kills.sh
} &
if wanted load; then
	part load alone load.sh &
fi
wait
if [ $cluster = yes ] && ! cluster_down; then
	mkdir -p "$OUT/pods"
	echo "the cluster left on the machine: $(cat "$OUT/traces")" \
	    >>"$OUT/pods/failures"
fi
trap - EXIT
"$here/report.sh" "$OUT" >"$OUT/report.md"
echo "the report is $OUT/report.md"
if cat "$OUT"/*/failures 2>/dev/null; then
	exit 1
fi
