#!/bin/sh
# quickstart.sh: watch containerd run commands of this host through Reaper.
# quickstart.sh --remove DIRECTORY: remove what KEEP=1 has left.
#
# It uses a containerd of its own below one directory in /run; the system's is
# not touched.  At the end all of it is removed, unless KEEP=1.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
REGRESS_BUILD=${REGRESS_BUILD:-$(dirname "$here")/build}
REGRESS_NAMESPACE=quickstart
# shellcheck source=regress/lib/containerd.sh
. "$here/lib/containerd.sh"

REAPER_USER=_reaper	# what ps shows; only the number matters
REAPER_UID=65521

bold='' dim='' plain=''
if [ -t 1 ]; then
	bold=$(printf '\033[1m') dim=$(printf '\033[2m')
	plain=$(printf '\033[0m')
fi

title() {
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

say() {
	printf '  %s\n' "$*"
}

# show TEXT COMMAND [ARG...]: print the text as what is typed, run the command,
# print what it says.  Its exit code is left in $code.
show() {
	printf '  %s$ %s%s\n' "$dim" "$1" "$plain"
	shift
	code=0
	"$@" >"$REGRESS_DIR/said" 2>&1 </dev/null || code=$?
	sed 's/^/  /' "$REGRESS_DIR/said"
}

# workload ID COMMAND: show a task, typed shorter than it is.
workload() {
	show "ctr run --rm --runtime $REGRESS_RUNTIME ... $1 sh -c '$2'" \
	    task_run --rm "$1" sh -c "$2"
}

user_add() {
	getent passwd "$REAPER_UID" >/dev/null && return
	groupadd --system --gid "$REAPER_UID" "$REAPER_USER"
	useradd --system --key SYS_UID_MAX="$REAPER_UID" --uid "$REAPER_UID" --gid "$REAPER_UID" \
	    --home-dir /nonexistent --no-create-home \
	    --shell /usr/sbin/nologin "$REAPER_USER"
	: >"$REGRESS_DIR/user"
}

# role PROGRAM: what it is for.
role() {
	case $1 in
	containerd) echo "containerd, of this quickstart" ;;
	containerd-shim*) echo "the shim: speaks to containerd" ;;
	reaper-publish) echo "sends the shim's events" ;;
	reaper-privsep) echo "the helper: the one with privilege" ;;
	reaper-init) echo "pid 1 of the workload's namespace" ;;
	*) echo "the workload" ;;
	esac
}

# process_table: containerd and what descends from it, with what the kernel
# says of their privilege.
process_table() {
	printf '%7s %-8s %-12s %-7s %-15s %s\n' PID USER CAPABILITIES SECCOMP \
	    PROGRAM ROLE
	for pid in $(our_processes | sort -n); do
		[ -r "/proc/$pid/status" ] || continue
		user=$(ps -o user= -p "$pid")
		caps=$(sed -n 's/^CapEff:[[:space:]]*0*//p' "/proc/$pid/status")
		filter=$(sed -n 's/^Seccomp:[[:space:]]*//p' \
		    "/proc/$pid/status")
		[ "$filter" = 0 ] && filter=no || filter=yes
		program=$(cat "/proc/$pid/comm")
		printf '%7d %-8s %-12s %-7s %-15s %s\n' "$pid" "$user" \
		    "${caps:-none}" "$filter" "$program" "$(role "$program")"
	done
}

story() {
	name=written-by-a-workload
	shadow=$(wc -c </etc/shadow)

	title "1. A command of this host, run by containerd"
	workload first 'uname -a; id; ls /etc | wc -l'

	title "2. It may write anywhere; the host does not notice"
	workload writer "echo hello | tee /etc/$name /tmp/$name"
	show "ls /etc/$name /tmp/$name      # on the host" \
	    ls "/etc/$name" "/tmp/$name"
	say "... but the next workload finds it:"
	workload reader "cat /etc/$name /tmp/$name"

	title "3. Sensitive files are hidden ($shadow bytes on the host)"
	workload thief 'wc -c </etc/shadow; ls -A /etc/ssl/private | wc -l'

	title "4. The exit code arrives"
	workload code 'exit 42'
	say "ctr run ended with $code"

	title "5. A second command in a running task"
	task_run -d long sleep 1000
	# shellcheck disable=SC2016 # the workload's shell expands it
	show "ctr task exec --exec-id one long sh -c 'echo in \$(hostname)'" \
	    task_exec long one sh -c 'echo "in $(hostname)"'

	title "6. Who is running: the shim has no privilege, the helper is small"
	process_table | sed 's/^/  /'
}

# removed: nothing of it is there any more; says what was looked at.
removed() {
	title "7. Everything is removed"
	left=$(our_processes | wc -l)
	mounts=$(our_mounts | wc -l)
	say "processes: $left, mounts: $mounts," \
	    "directory $REGRESS_DIR:" \
	    "$([ -e "$REGRESS_DIR" ] && echo "still there" || echo gone)," \
	    "user $REAPER_USER: $(getent passwd "$REAPER_USER" >/dev/null &&
	    echo there || echo gone)"
	[ "$left$mounts" = 00 ] && [ ! -e "$REGRESS_DIR" ]
}

remove() {
	user_later=no
	[ ! -f "$REGRESS_DIR/user" ] || user_later=yes
	containerd_stop
	[ "$user_later" = no ] || userdel "$REAPER_USER"
	rmdir /run/containerd/s /run/containerd 2>/dev/null || :
}

keep() {
	title "It stays up (KEEP=1).  Try:"
	cat <<-EOF
	  export CONTAINERD_ADDRESS=$REGRESS_DIR/c.sock
	  export CONTAINERD_NAMESPACE=$REGRESS_NAMESPACE
	  ctr task ls
	  ctr task exec --exec-id two --tty=false long ps -ef
	  ctr run --rm --runtime $REGRESS_RUNTIME --rootfs $REGRESS_DIR/rootfs \\
	      mine /bin/sh -c 'id; cat /etc/written-by-a-workload'

	The user $REAPER_USER ($REAPER_UID) stays too.  To remove everything:
	  $here/quickstart.sh --remove $REGRESS_DIR
	EOF
}

if [ "$(id -u)" -ne 0 ]; then
	echo "quickstart: needs root" >&2
	exit 1
fi
if [ "${1-}" = --remove ]; then
	REGRESS_DIR=${2%/}
	case $REGRESS_DIR in
	/run/rpr.*/*) ;;
	/run/rpr.*) [ ! -f "$REGRESS_DIR/containerd.pid" ] || {
		remove && removed
		exit
	} ;;
	esac
	echo "quickstart: $2 is not a directory of quickstart" >&2
	exit 1
fi

for program in containerd-shim-reaper-v2 reaper-privsep; do
	[ -x "$REGRESS_BUILD/$program" ] || {
		echo "quickstart: $program is not built; run make" >&2
		exit 1
	}
done
private_dir
trap 'remove' EXIT
trap 'exit 1' INT TERM HUP
user_add
title "A containerd of its own, in $REGRESS_DIR"
containerd_start
say "$(containerd --version)"
say "runtime $REGRESS_RUNTIME, from $REGRESS_BUILD"
story
trap - EXIT
if [ -n "${KEEP-}" ]; then
	keep
	exit 0
fi
remove
removed
