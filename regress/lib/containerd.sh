# shellcheck shell=sh
# containerd.sh: a containerd of one's own, for tests, bench and quickstart.
#
# Everything it makes lies below one short directory, $REGRESS_DIR, but for the
# sockets of shims, which every shim keeps in /run/containerd/s.  The caller
# sets REGRESS_BUILD, the directory of the built programs; it may set
# REGRESS_RUNTIME to run the same on another runtime, and REGRESS_ROOT, where
# Reaper's state is to be.

: "${REGRESS_RUNTIME:=io.containerd.reaper.v2}"
: "${REGRESS_NAMESPACE:=regress}"
: "${REGRESS_SOCKETS:=/run/containerd/s}"
TASK_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# until_true SECONDS COMMAND [ARG...]: retry the command until it succeeds.
# Fails when the deadline passes first.
until_true() {
	_deadline=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$_deadline" ] || return 1
		sleep 0.02
	done
}

# not COMMAND [ARG...]: for until_true.
not() {
	! "$@"
}

# private_dir [PARENT]: make $REGRESS_DIR.  The path must be short: a socket's
# address has 108 bytes.
private_dir() {
	REGRESS_DIR=$(mktemp -d "${1:-/run}/rpr.XXXXXX") || return 1
	chmod 0711 "$REGRESS_DIR"
	# Containerds of other tests have cgroups on the same machine.
	[ "$REGRESS_NAMESPACE" != regress ] ||
	    export REGRESS_NAMESPACE=regress-${REGRESS_DIR##*.}
	mkdir "$REGRESS_DIR/rootfs" "$REGRESS_DIR/fifo"
	: >"$REGRESS_DIR/reaper.conf"
	private_config
}

private_config() {
	cat >"$REGRESS_DIR/config.toml" <<-EOF
	version = 2
	root = "$REGRESS_DIR/root"
	state = "$REGRESS_DIR/state"
	disabled_plugins = [
	  "io.containerd.grpc.v1.cri",
	  "io.containerd.internal.v1.opt",
	  "io.containerd.snapshotter.v1.aufs",
	  "io.containerd.snapshotter.v1.btrfs",
	  "io.containerd.snapshotter.v1.devmapper",
	  "io.containerd.snapshotter.v1.zfs",
	]
	[grpc]
	  address = "$REGRESS_DIR/c.sock"
	EOF
}

# containerd_start: run containerd and wait until it answers.  Leaves its pid
# in $CONTAINERD_PID and in the file containerd.pid.
containerd_start() {
	# A shim refuses a REAPER_ key that it does not know.
	setsid env -u REAPER_KUBE_DIR PATH="$REGRESS_BUILD:${REGRESS_PATH:+$REGRESS_PATH:}$PATH" \
	    REAPER_CONFIG="$REGRESS_DIR/reaper.conf" \
	    REAPER_RUNTIME_ROOT="${REGRESS_ROOT:-$REGRESS_DIR/reaper}" \
	    containerd --config "$REGRESS_DIR/config.toml" \
	    </dev/null >>"$REGRESS_DIR/containerd.log" 2>&1 &
	CONTAINERD_PID=$!
	echo "$CONTAINERD_PID" >"$REGRESS_DIR/containerd.pid"
	until_true 20 containerd_answers || {
		tail -n 20 "$REGRESS_DIR/containerd.log" >&2
		echo "containerd does not answer" >&2
		return 1
	}
}

containerd_answers() {
	ctr --address "$REGRESS_DIR/c.sock" --timeout 5s version
}

# containerd_kill SIGNAL: end containerd alone; shims and tasks stay.
containerd_kill() {
	_pid=$(cat "$REGRESS_DIR/containerd.pid" 2>/dev/null) || return 0
	rm -f "$REGRESS_DIR/containerd.pid"
	our_processes | grep -qx "$_pid" || return 0
	kill "-$1" "$_pid" 2>/dev/null || return 0
	until_true 10 not is_alive "$_pid"
}

# ctr_ ARG...: ctr on our containerd and namespace.
ctr_() {
	ctr --address "$REGRESS_DIR/c.sock" --namespace "$REGRESS_NAMESPACE" "$@"
}

# task_run [--FLAG=VALUE...] ID COMMAND [ARG...]: ctr run with our runtime.
# Its output and its exit code are the task's.
task_run() {
	_left=$#
	_id=
	while [ "$_left" -gt 0 ]; do
		_arg=$1
		shift
		_left=$((_left - 1))
		case $_id$_arg in
		-*) ;;
		*) [ -n "$_id" ] || {
			_id=$_arg
			set -- "$@" "$REGRESS_DIR/rootfs"
		} ;;
		esac
		set -- "$@" "$_arg"
	done
	ctr_ run --runtime "$REGRESS_RUNTIME" --env "PATH=$TASK_PATH" \
	    --fifo-dir "$REGRESS_DIR/fifo" --rootfs "$@"
}

# pod_run NAMESPACE [--FLAG=VALUE...] ID COMMAND [ARG...]: the same, as a
# container of a pod of that Kubernetes namespace.
pod_run() {
	_namespace=$1
	shift
	_id=
	for _arg in "$@"; do
		case $_arg in
		-*) ;;
		*) _id=$_arg && break ;;
		esac
	done
	_a=io.kubernetes.cri
	task_run --annotation="$_a.sandbox-namespace=$_namespace" \
	    --annotation="$_a.sandbox-id=$_id" \
	    --annotation="$_a.container-type=container" "$@"
}

# task_exec ID EXEC COMMAND [ARG...]: run the command in a running task.
task_exec() {
	_id=$1 _exec=$2
	shift 2
	ctr_ task exec --fifo-dir "$REGRESS_DIR/fifo" --exec-id "$_exec" \
	    "$_id" "$@"
}

# task_state ID: RUNNING, STOPPED, CREATED, or nothing.
task_state() {
	ctr_ task ls | awk -v id="$1" '$1 == id { print $3 }'
}

task_is() {
	[ "$(task_state "$1")" = "$2" ]
}

# task_end ID: kill and remove task and container, if they are there.
task_end() {
	ctr_ task kill --signal SIGKILL --all "$1" >/dev/null 2>&1 || :
	until_true 10 not task_is "$1" RUNNING || :
	ctr_ task rm --force "$1" >/dev/null 2>&1 || :
	ctr_ container rm "$1" >/dev/null 2>&1 || :
}

# is_alive PID: there, and not a zombie.
is_alive() {
	_stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	case ${_stat##*) } in
	Z* | X*) return 1 ;;
	esac
}

# our_processes: the pids of containerd, shims, helpers and workloads of this
# directory.  They carry its name in the environment that containerd got, in
# the arguments of containerd's own programs or, a helper, in the directories
# that it holds open; and what descends from one of them is ours too.
our_processes() {
	# A process may end meanwhile, and grep then fails.
	_roots=$({
		grep -Fals "REAPER_RUNTIME_ROOT=$REGRESS_DIR/" \
		    /proc/[0-9]*/environ || :
		for _helper in $(pgrep -x reaper-privsep || :); do
			if readlink "/proc/$_helper/fd/"* 2>/dev/null |
			    grep -q "^$REGRESS_DIR/"; then
				echo "/proc/$_helper/fd"
			fi
		done
		{ grep -Fals "$REGRESS_DIR/" /proc/[0-9]*/cmdline || :; } |
		    while read -r _file; do
			case $(cat "${_file%/*}/comm" 2>/dev/null) in
			containerd* | ctr | reaper-* | runc*) echo "$_file" ;;
			esac
		done
	})
	ps -e -o pid=,ppid=,stat= | awk -v roots="$_roots" '
	BEGIN {
		n = split(roots, paths, "\n")
		for (i = 1; i <= n; i++) {
			split(paths[i], words, "/")
			ours[words[3]] = 1
		}
	}
	{ parent[$1] = $2; state[$1] = $3 }
	END {
		do {
			more = 0
			for (pid in parent)
				if (!(pid in ours) && parent[pid] in ours)
					more = ours[pid] = 1
		} while (more)
		for (pid in ours)
			if (pid in parent && state[pid] !~ /^[ZX]/)
				print pid
	}'
}

no_processes() {
	[ -z "$(our_processes)" ]
}

# our_sockets: the sockets of our shims, as their bundles name them, and those
# that the processes of this directory listen on.
our_sockets() {
	for _file in "$REGRESS_DIR"/state/io.containerd.runtime.v2.task/*/*/address; do
		[ -f "$_file" ] && sed 's,^unix://,,' "$_file" && echo
	done
	cat "$REGRESS_DIR/sockets" 2>/dev/null || :
}

# containerd_stop: end all tasks, containerd, and what is left of either, and
# remove every trace.  Fails, and says why, if something had to be killed.
containerd_stop() {
	[ -d "$REGRESS_DIR" ] || return 0
	_rc=0
	if [ -f "$REGRESS_DIR/containerd.pid" ] && containerd_answers \
	    >/dev/null 2>&1; then
		our_sockets >"$REGRESS_DIR/sockets.new"
		mv "$REGRESS_DIR/sockets.new" "$REGRESS_DIR/sockets"
		for _id in $(ctr_ container ls -q); do
			task_end "$_id"
		done
	fi
	containerd_kill TERM || containerd_kill KILL
	until_true 5 no_processes || {
		_rc=1
		echo "left running and killed:" >&2
		for _pid in $(our_processes); do
			ps -o pid=,args= -p "$_pid" >&2 || :
			kill -9 "$_pid" 2>/dev/null || :
		done
		until_true 5 no_processes || :
	}
	our_sockets | while read -r _socket; do
		case $_socket in
		"$REGRESS_SOCKETS"/*) rm -f "$_socket" ;;
		esac
	done
	# runc leaves the empty parent of its cgroups.
	cgroups_remove "$REGRESS_NAMESPACE"
	private_unmount && rm -rf --one-file-system "$REGRESS_DIR" || _rc=1
	return "$_rc"
}

# cgroups_of NAMESPACE: the cgroups of all containers of a containerd namespace,
# deepest first.
cgroups_of() {
	find /sys/fs/cgroup -depth -mindepth 1 -maxdepth 4 -type d \
	    \( -path "/sys/fs/cgroup*/$1" -o -path "/sys/fs/cgroup*/$1/*" \
	    -o -name "reaper:$1:*" \)
}

# cgroups_remove NAMESPACE: remove them, of which the processes have ended, but
# for those that were killed while version 1 had them frozen.
cgroups_remove() {
	cgroups_of "$1" | while read -r _cgroup; do
		[ ! -e "$_cgroup/freezer.state" ] ||
		    echo THAWED >"$_cgroup/freezer.state"
		rmdir "$_cgroup" 2>/dev/null || :
	done
	[ -z "$(cgroups_of "$1")" ]
}

# our_mounts: mount points below the directory, deepest first.
our_mounts() {
	awk -v dir="$REGRESS_DIR/" 'index($5, dir) == 1 { print $5 }' \
	    /proc/self/mountinfo | sort -r
}

private_unmount() {
	for _mount in $(our_mounts); do
		umount -l "$_mount" || return 1
	done
}

# leak_processes: the processes to look at; node.sh looks at more.
leak_processes() {
	our_processes
}

# leak_files: the files to look at; the soak looks at more.
leak_files() {
	find "$REGRESS_DIR/state" -mindepth 1
	find "$REGRESS_DIR/reaper" -name state.json 2>/dev/null
}

# leak_list: what must be the same before and after: processes, mounts,
# sockets of shims, cgroups, containerd's bundles, Reaper's state.  Overlays
# are not in it: they stay for the next workload; nor are FIFOs: they are ctr's.
leak_list() {
	for _pid in $(leak_processes); do
		_name=$(cat "/proc/$_pid/comm" 2>/dev/null) || continue
		# It may have been started again.
		[ "$_name" != containerd ] || _pid=
		echo "process $_pid $_name"
	done
	awk '{ print "mount", $5 }' /proc/self/mountinfo
	find "$REGRESS_SOCKETS" -type s -printf 'socket %p\n' 2>/dev/null
	cgroups_of "$REGRESS_NAMESPACE" | sed 's/^/cgroup /'
	leak_files | sed 's/^/file /'
	# Not those of this shell, which come and go.
	_session=$(cut -d ' ' -f 6 /proc/$$/stat)
	find /proc/[0-9]*/stat -maxdepth 0 2>/dev/null | while read -r _file; do
		sed -n "/) Z [0-9]* [0-9]* $_session /!s/^\\([0-9]*\\) (\\(.*\\)) Z .*/zombie \\1 \\2/p" \
		    "$_file" 2>/dev/null
	done
}

# leak_before, leak_after [SECONDS]: nothing was left between the two.  What
# ends by itself has ten seconds to end, or so many.
leak_before() {
	until_true 10 no_shims || echo "a shim of an earlier task lives on" >&2
	leak_list | sort >"$REGRESS_DIR/leak.before"
}

# no_shims: nothing of ours is left of a task; there is none now.
no_shims() {
	for _pid in $(leak_processes); do
		case $(cat "/proc/$_pid/comm" 2>/dev/null) in
		containerd-shim | reaper-*) return 1 ;;
		esac
	done
}

leak_none() {
	leak_list | sort >"$REGRESS_DIR/leak.after"
	cmp -s "$REGRESS_DIR/leak.before" "$REGRESS_DIR/leak.after"
}

leak_after() {
	until_true "${1:-10}" leak_none || {
		echo "left behind (>) or taken away (<):" >&2
		diff "$REGRESS_DIR/leak.before" "$REGRESS_DIR/leak.after" |
		    grep '^[<>]' >&2
		return 1
	}
}
