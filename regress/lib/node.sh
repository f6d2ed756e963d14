# shellcheck shell=sh
# node.sh: what every node test begins with.
#
# A test case runs in mount and pid namespaces of its own with an empty /run:
# nothing of a system's containerd is seen, and whatever a failed test leaves
# ends with the case.  Usage, in the test program:
#
#	. "$(atf_get_srcdir)/../lib/node.sh"
#	node_test NAME "what it shows"
#	NAME_body() { node_begin; ...; node_end; }
#	atf_init_test_cases() { node_add; }

# Kyua names the case without a suffix for its body, by hand one may give one.
case " $* " in
*" -l "* | *:cleanup\ ) ;;
*)
	# Pid 1 is what the namespaces were made for, and nothing else is.
	[ $$ -eq 1 ] || exec unshare --mount --propagation private --pid \
	    --fork --kill-child --mount-proc "$0" "$@"
	;;
esac

# node_isolated: fail rather than touch the node itself.
node_isolated() {
	[ $$ -eq 1 ] || atf_fail "not in namespaces of its own"
}

unset REAPER_KUBE_DIR	# the cluster's: a shim would refuse it
LIB=$(cd "$(atf_get_srcdir)/../lib" && pwd)
# shellcheck source=regress/lib/containerd.sh
. "$LIB/containerd.sh"
# shellcheck source=regress/lib/alone.sh
. "$LIB/alone.sh"
# shellcheck source=regress/lib/case.sh
. "$LIB/case.sh"
# shellcheck source=regress/lib/expect.sh
. "$LIB/expect.sh"
if [ -z "${REGRESS_BUILD-}" ]; then
	REGRESS_BUILD=$(cd "$LIB/../.." && pwd)
	[ -x "$REGRESS_BUILD/containerd-shim-reaper-v2" ] ||
	    REGRESS_BUILD=$REGRESS_BUILD/build
fi

# node_test NAME DESCRIPTION: declare a test case.
node_test() {
	case_declare "$1" "$2" 'containerd ctr jq unshare' 60
}

node_add() {
	case_add
}

# case_end: cgroups are in no namespace, and so are left by a test that failed.
case_end() {
	[ ! -s cgroups ] || until_true 10 cgroups_remove "$(cat cgroups)"
}

# node_begin: an empty /run, and a containerd in it.
node_begin() {
	node_isolated
	mount -t tmpfs -o mode=0755 tmpfs /run || atf_fail "no private /run"
	private_dir || atf_fail "no private directory"
	echo "$REGRESS_NAMESPACE" >cgroups
	case $REGRESS_RUNTIME in
	*.reaper.*) ;;
	*) node_rootfs ;;
	esac
	containerd_start || atf_fail "containerd does not start"
}

# node_rootfs: for another runtime, a view of the host as its root.
node_rootfs() {
	mkdir "$REGRESS_DIR/upper" "$REGRESS_DIR/work"
	mount -t overlay -o "lowerdir=/,upperdir=$REGRESS_DIR/upper" \
	    -o "workdir=$REGRESS_DIR/work" overlay "$REGRESS_DIR/rootfs" ||
	    atf_fail "no root for $REGRESS_RUNTIME"
}

# node_end: everything stops by itself, and nothing is left.
node_end() {
	containerd_stop || atf_fail "something had to be killed"
	[ -z "$(find /run/containerd/s \( -type s -o -name '*.shim' -o \
	    -name '*.lock' \) 2>/dev/null)" ] ||
	    atf_fail "a shim left its socket, or a file beside it"
}

# containerd_again SIGNAL: end containerd and start it; what leak_before saw of
# it is that one then.
containerd_again() {
	_old=$CONTAINERD_PID
	containerd_kill "$1" || atf_fail "containerd lives"
	containerd_start || atf_fail "containerd does not start again"
	[ ! -e "$REGRESS_DIR/leak.before" ] ||
	    sed "s/^process $_old /process $CONTAINERD_PID /" \
		"$REGRESS_DIR/leak.before" | sort >"$REGRESS_DIR/leak.again" &&
	    mv "$REGRESS_DIR/leak.again" "$REGRESS_DIR/leak.before"
}

# host_disposable: exchange the root of this mount namespace for an overlay
# over it, so that a test may write to the host.  What is written to it is then
# seen below $HOST_UPPER.  To be called before node_begin.  Skips where the
# root is an overlay already: the kernel stacks two at most.
host_disposable() {
	node_isolated
	[ "$(stat -f -c %T /)" != overlayfs ] ||
	    atf_skip "the root is an overlay already"
	_work=$PWD
	mkdir -p /mnt /media
	mount -t tmpfs tmpfs /mnt
	mkdir /mnt/upper /mnt/work /mnt/new
	mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work \
	    overlay /mnt/new || atf_fail "no overlay over the host"
	# The results and the programs may lie on other filesystems.
	for _dir in /proc /sys /dev /run "${_work%/*}" "$REGRESS_BUILD"; do
		mkdir -p "/mnt/new$_dir" &&
		    mount --rbind "$_dir" "/mnt/new$_dir" ||
		    atf_fail "no $_dir"
	done
	{ cd /mnt/new && pivot_root . media && cd "$_work"; } ||
	    atf_fail "no new root"
	mount --move /media/mnt /mnt
	umount -l /media
	export HOST_UPPER=/mnt/upper
}

expect_fail() {
	node_fail "$@"
}

# expect_removed ID CODE: the stopped task is deleted, and that was its exit
# code; ctr only warns of it.
expect_removed() {
	expect 0 "*" ctr_ task rm "$1"
	_said=$(sed -n 's/.*non-zero exit code \([0-9]*\).*/\1/p' err)
	[ "${_said:-0}" = "$2" ] || node_fail "not the exit code $2"
}

# together_run COMMAND [ARG...] ID SCRIPT: ten times at once, the command with
# the id and a number, and sh -c SCRIPT with the number.  The script prints the
# number, reads a line and ends with it.
together_run() {
	for _script in "$@"; do :; done
	_command=$*
	_command=${_command%" $_script"}
	_pids=
	mkfifo hold
	for _n in 1 2 3 4 5 6 7 8 9 10; do
		$_command"$_n" sh -c "$_script" "$_n" <hold >"out.$_n" 2>err &
		_pids="$_pids $!"
	done
	# ctr may lose what is written by one that ends at once on a busy
	# machine, so all wait until all were heard.
	exec 6>hold
	for _n in 1 2 3 4 5 6 7 8 9 10; do
		until_true 20 grep -qx "$_n" "out.$_n" ||
		    node_fail "nothing comes from $_n"
	done
	exec 6>&-
	_n=0
	for _pid in $_pids; do
		_n=$((_n + 1))
		wait "$_pid"
		_code=$?
		[ "$_code" -eq "$_n" ] || node_fail "$_n ended with $_code"
		[ "$(cat "out.$_n")" = "$_n" ] || node_fail "$_n: more output"
	done
}

# node_fail TEXT: fail, and show what the last command said.
node_fail() {
	echo "stdout:" >&2
	head -c 2000 out >&2 2>/dev/null
	echo "stderr:" >&2
	head -c 2000 err >&2 2>/dev/null
	echo "log:" >&2
	grep -v 'level=info' "$REGRESS_DIR/containerd.log" | tail -n 20 >&2
	atf_fail "$1"
}

# spec_make FILE FILTER COMMAND [ARG...]: a config.json that runs the command,
# changed by a jq filter.
spec_make() {
	_file=$1 _filter=$2
	shift 2
	jq --arg root "$REGRESS_DIR/rootfs" ".process.args = \$ARGS.positional |
	    .root.path = \$root | $_filter" "$LIB/spec.json" --args -- "$@" \
	    >"$_file" || atf_fail "no config.json"
}

# A filter for spec_make: what CRI and `ctr run --privileged` write for a
# privileged container.
# shellcheck disable=SC2034 # used by tests
PRIVILEGED='
    .process.noNewPrivileges = false |
    .process.capabilities |= map_values(. + ["CAP_SYS_ADMIN",
	"CAP_SYS_PTRACE", "CAP_NET_ADMIN", "CAP_DAC_READ_SEARCH"]) |
    .mounts += [{destination: "/sys", type: "sysfs", source: "sysfs",
	options: ["nosuid", "noexec", "nodev", "rw"]}] |
    .linux.resources.devices = [{allow: true, access: "rwm"}]'


# spec_run ID FILTER COMMAND [ARG...]: run it, and remove it.
spec_run() {
	_id=$1
	shift
	spec_make "$_id.json" "$@"
	ctr_ run --rm --runtime "$REGRESS_RUNTIME" \
	    --fifo-dir "$REGRESS_DIR/fifo" --config "$_id.json" "$_id"
}

# peer_build: compile the client of shims' sockets to $PEER.
peer_build() {
	PEER=$REGRESS_DIR/peer
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O1 -Wall -o "$PEER" \
	    "$LIB/peer.c" || atf_fail "peer.c does not compile"
}

# peer METHOD FIELD...: call the shim whose socket is $SOCKET.
peer() {
	"$PEER" "$SOCKET" call "$@"
}

# field FIELD: of the answer that expect saw last.
field() {
	sed -n "s/^$1=//p" out
}

# peer_to ID: build it, and call the shim of this task.
peer_to() {
	peer_build
	SOCKET=$(cat "$REGRESS_DIR/state"/*/"$REGRESS_NAMESPACE/$1/address") ||
	    atf_fail "$1 has no shim"
}

# exec_spec FILTER COMMAND [ARG...]: what Exec takes for a process, changed by a
# jq filter, as FIELD=VALUE: a google.protobuf.Any of less than 128 bytes.
exec_spec() {
	_filter=$1
	shift
	_spec=$(jq -cn "{args: \$ARGS.positional, cwd: \"/\",
	    user: {uid: 0, gid: 0}} | $_filter" --args -- "$@")
	# shellcheck disable=SC2059 # the length is written as an escape
	printf "7=\\022\\$(printf %03o "${#_spec}")%s" "$_spec"
}

# events_begin: collect containerd's events in the file events; returns when the
# subscription stands.
events_begin() {
	ctr --address "$REGRESS_DIR/c.sock" events >events 2>&1 &
	ctr_ namespace create "$REGRESS_NAMESPACE" || atf_fail "no namespace"
	until_true 10 events_flow || atf_fail "no events"
}

events_flow() {
	ctr_ namespace label "$REGRESS_NAMESPACE" probe="$(date +%N)" &&
	    [ -s events ]
}

# bundle_make ID: an empty bundle as containerd makes it; prints its path.
bundle_make() {
	_bundle=$REGRESS_DIR/bundles/$1
	mkdir -p "$REGRESS_DIR/bundles"
	mkdir -m 0711 "$_bundle" "$_bundle/rootfs"
	mkfifo -m 0700 "$_bundle/log"
	echo "$_bundle"
}

# no_shim_runs: for until_true.
no_shim_runs() {
	[ -z "$(shim_pid)" ]
}

# shim_gone BUNDLE ID: after Shutdown: the shim ends, and containerd's call of
# delete takes its socket away.
shim_gone() {
	until_true 10 no_shim_runs || node_fail "the shim stays"
	expect 0 "*" shim_do "$1" delete "$2"
}

# shim_begin ID COMMAND [ARG...]: begin a test with a shim of our own, at
# $SOCKET, for the bundle $BUNDLE that runs the command.
shim_begin() {
	node_begin
	peer_build
	case $REGRESS_RUNTIME in
	*.reaper.*) ;;
	*) atf_skip "needs the shim's own socket" ;;
	esac
	_shim=$1
	shift
	BUNDLE=$(bundle_make "$_shim")
	spec_make "$BUNDLE/config.json" . "$@"
	SOCKET=$(shim_do "$BUNDLE" start "$_shim") || atf_fail "no start"
}

# shim_do BUNDLE ACTION ID: call the shim's program as containerd does.
shim_do() {
	(
		cd "$1" || exit 1
		export TTRPC_ADDRESS="$REGRESS_DIR/c.sock.ttrpc"
		export REAPER_CONFIG="$REGRESS_DIR/reaper.conf"
		export REAPER_RUNTIME_ROOT="$REGRESS_DIR/reaper"
		# containerd holds the log open for both.
		exec 8<>log
		exec "$REGRESS_BUILD/containerd-shim-reaper-v2" \
		    -namespace "$REGRESS_NAMESPACE" \
		    -address "$REGRESS_DIR/c.sock" \
		    -publish-binary "$(command -v containerd)" \
		    -id "$3" "$2" </dev/null
	)
}
