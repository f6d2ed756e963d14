#!/bin/bash
# report.sh FOLDER: print the report of the soak that has run in it, with the
# sizes that run.sh has set.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
TOP=${here%/regress/soak}
OUT=$1
PARTS=(cycles pods kills load podload)
declare -A title=([cycles]="Tasks that come and go" [pods]="Pods in sequence"
    [kills]="Kills" [load]="Mixed load" [podload]="Mixed load of pods")

commit()
{
	git -C "$TOP" log -1 --format='%h, %cd' --date=short 2>/dev/null ||
	    echo unknown
	git -C "$TOP" diff --quiet HEAD 2>/dev/null || echo ", changed"
}

kubernetes()
{
	[ ! -s "$OUT/kubernetes" ] && echo "none" ||
	    awk '{ print $2 }' "$OUT/kubernetes"
}

cgroups()
{
	[ -e /sys/fs/cgroup/cgroup.controllers ] && echo "version 2" ||
	    echo "version 1, with a version 2 hierarchy beside it"
}

# rows: a line of words as a row of a table.
rows()
{
	sed 's/ / | /g; s/^/| /; s/$/ |/'
}

failures()
{
	cat "$OUT"/*/failures 2>/dev/null || :
}

minutes()
{
	echo "$(((($1) + 30) / 60)) min"
}

cat "$here/report.head"
cat <<EOF

## The last whole run

| | |
| --- | --- |
| commit | $(commit | tr -d '\n') |
| date | $(date -u -d "@$(cat "$OUT/start")" +'%Y-%m-%d %H:%M') UTC, $(minutes $(($(date +%s) - $(cat "$OUT/start")))) |
| kernel | $(uname -r), cgroup $(cgroups) |
| machine | $(nproc) processors, $(($(awk '/MemTotal/ { print $2 }' /proc/meminfo) / 1000000)) GB |
| containerd | $(containerd --version | awk '{ print $3 }') |
| Kubernetes | $(kubernetes) |
| parts | \`SOAK=$SOAK CYCLES=$CYCLES PODS=$PODS KILLS=$KILLS MINUTES=$MINUTES\` |
| seed | \`SEED=$SEED\` |
| failures | $(failures | wc -l) |

EOF
for part in "${PARTS[@]}"; do
	[ -e "$OUT/$part/seconds" ] || continue
	echo "- ${title[$part]}, $(minutes "$(cat "$OUT/$part/seconds")"):" \
	    "$(cat "$OUT/$part/numbers" 2>/dev/null || echo "not finished")."
done
failures | grep -q . && {
	echo
	echo "### Failures"
	echo
	for part in "${PARTS[@]}"; do
		[ ! -e "$OUT/$part/failures" ] ||
		    sed "s/[<>|]/\\\\&/g; s/^/- $part: /" "$OUT/$part/failures"
	done
}

cat <<EOF

### What was left

Before and after, where nothing of ours runs, or in the mixed load of pods but one pod.

| | processes | zombies | mounts | sockets | cgroups | files |
| --- | --- | --- | --- | --- | --- | --- |
EOF
for part in "${PARTS[@]}"; do
	[ -e "$OUT/$part/leak.after" ] || continue
	line="| ${title[$part]} |"
	for kind in process zombie mount socket cgroup file; do
		before=$(grep -c "^$kind " "$OUT/$part/leak.before") || :
		after=$(grep -c "^$kind " "$OUT/$part/leak.after") || :
		line+=" $before, $after |"
	done
	echo "$line"
done

cat <<EOF

### What lives long

Of containerd, and of the processes of pods that live as long as the part: descriptors, and memory in KiB, before and after.

| part | process | descriptors | RSS | PSS | anonymous |
| --- | --- | --- | --- | --- | --- |
EOF
for part in "${PARTS[@]}"; do
	[ ! -e "$OUT/$part/memory" ] || awk -v part="$part" '{
		printf "| %s | %s | %s, %s | %s, %s | %s, %s | %s, %s |\n",
		    part, $1, $2, $3, $4, $5, $6, $7, $8, $9
	}' "$OUT/$part/memory"
done

[ ! -s "$OUT/kills/kills" ] || {
	cat <<-EOF

	### What was killed

	| what | kills | at |
	| --- | --- | --- |
	EOF
	awk '{
		what = $1
		sub(/^[^ ]+ [^ ]+ [^ ]+ /, "")
		sub(/, .*/, "")
		count[what]++
		at[what, $0]++
		points[what] = points[what] (at[what, $0] == 1 ? $0 "\n" : "")
	}
	END {
		for (what in count) {
			n = split(points[what], list, "\n")
			line = ""
			for (i = 1; i < n; i++)
				line = line (i > 1 ? ", " : "") list[i] " " \
				    at[what, list[i]]
			print "| " what " | " count[what] " | " line " |"
		}
	}' "$OUT/kills/kills" | sort
}

for part in load podload; do
	[ -s "$OUT/$part/operations" ] || continue
	cat <<-EOF

	### ${title[$part]}

	| operation | done | of these cut by a restart | wrong |
	| --- | --- | --- | --- |
	EOF
	rows <"$OUT/$part/operations"
done
