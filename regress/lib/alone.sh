# shellcheck shell=sh
# alone.sh: the processes of a containerd that has a pid namespace to itself;
# after containerd.sh.

# Alone in a pid namespace, all that is not of the test's own session counts.
leak_processes() {
	_session=$(cut -d ' ' -f 6 /proc/$$/stat)
	ps -e -o pid=,sess= | awk -v mine="$_session" '$2 != mine { print $1 }'
}

# pids_of PROGRAM: the processes of a program, by the name that the kernel keeps
# of it: of what runs from a detached mount there is no path.
pids_of() {
	_comm=$(printf '%.15s' "$1")
	for _proc in /proc/[0-9]*; do
		[ "$(cat "$_proc/comm" 2>/dev/null)" = "$_comm" ] &&
		    echo "${_proc#/proc/}"
	done
	return 0
}

# shim_pid, publisher_pid, helper_pid, init_pid: of the pods that a test runs.
shim_pid() {
	pids_of containerd-shim-reaper-v2
}

publisher_pid() {
	pids_of reaper-publish
}

# helper_pid: the helpers, without steps of theirs, which bear the same name.
helper_pid() {
	for _pid in $(pids_of reaper-privsep); do
		_parent=$(status_of "$_pid" PPid)
		[ "$(cat "/proc/$_parent/comm")" = reaper-privsep ] ||
		    echo "$_pid"
	done
}

init_pid() {
	pids_of reaper-init
}

# status_of PID FIELD: a line of /proc/PID/status.
status_of() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | tr '\t' ' '
}

# is_stopped PID: by SIGSTOP; for until_true.
is_stopped() {
	case $(status_of "$1" State) in
	T*) ;;
	*) return 1 ;;
	esac
}

# runs ARGUMENTS: some process, anywhere on the node, has these arguments.
runs() {
	for _proc in /proc/[0-9]*; do
		[ "$(tr '\0' ' ' 2>/dev/null <"$_proc/cmdline")" = "$* " ] &&
		    return 0
	done
	return 1
}
