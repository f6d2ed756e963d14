#!/bin/bash
# measure.sh: of every program of Reaper's in this pid namespace, and of
# containerd: name, pid, descriptors, and of its memory RSS, PSS and what is
# anonymous, in KiB.  Steps, which have the helper's name, are none of them.

for proc in /proc/[0-9]*; do
	{ read -r name <"$proc/comm"; } 2>/dev/null || continue
	case $name in
	containerd | containerd-shim | reaper-publish) ;;
	reaper-privsep)
		parent=$(awk '$1 == "PPid:" { print $2 }' "$proc/status")
		[ "$(cat "/proc/$parent/comm")" != reaper-privsep ] || continue
		;;
	*) continue ;;
	esac
	descriptors=("$proc/fd"/*)
	awk -v what="$name ${proc#/proc/} ${#descriptors[@]}" '
	$1 == "Rss:" { rss = $2 }
	$1 == "Pss:" { pss = $2 }
	$1 == "Anonymous:" { anonymous = $2 }
	END { print what, rss, pss, anonymous }' "$proc/smaps_rollup"
done
