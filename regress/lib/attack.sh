# shellcheck shell=sh
# attack.sh: attacks of a confined workload, for node tests.
#
# An attack is a script of sh that prints what it has achieved, and nothing
# else.  The same text runs twice: where it must print nothing, and where a
# defence is taken out, or outside of any, where it must print what it is after.
# A test of which only the first half was there would hold for a typing error.

# shellcheck source=regress/lib/node.sh
. "$(atf_get_srcdir)/../lib/node.sh"

# What makes a bundle that of a privileged container: no filter of system calls,
# all capabilities, the node's pid namespace, devices and settings.
# shellcheck disable=SC2034 # for the tests
PRIVILEGED='
    .process.noNewPrivileges = false |
    .process.capabilities |= map_values(. + ("DAC_READ_SEARCH SETPCAP
	LINUX_IMMUTABLE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER
	SYS_MODULE SYS_RAWIO SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
	SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG LEASE AUDIT_CONTROL MAC_OVERRIDE
	MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF
	CHECKPOINT_RESTORE" | [splits("[ \n\t]+") | "CAP_" + .]) | unique) |
    .mounts += [{destination: "/sys", type: "sysfs", source: "sysfs",
	options: ["nosuid", "noexec", "nodev", "rw"]}] |
    .linux.resources.devices = [{allow: true, access: "rwm"}]'

# What makes one that of a pod with hostPID.
# shellcheck disable=SC2034 # the same
HOST_PID='del(.linux.namespaces[] | select(.type == "pid"))'

# Without this a container is on the node's network, and for that in a Landlock
# domain, which keeps from more than that.
# shellcheck disable=SC2034 # the same
NETWORK='.linux.namespaces += [{type: "network"}]'

# What CRI covers in /proc of a container that is not privileged.
# shellcheck disable=SC2034 # the same
CRI_PATHS='.linux.maskedPaths = ["/proc/asound", "/proc/acpi", "/proc/kcore",
	"/proc/keys", "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
	"/sys/firmware"] |
    .linux.readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
	"/proc/sysrq-trigger"]'

# pod_of NAMESPACE [SANDBOX]: a filter: a container of a pod there, as CRI's; by
# default of one that has no other.
pod_of() {
	_a=io.kubernetes.cri
	echo ".annotations[\"$_a.sandbox-namespace\"] = \"$1\" |
	    .annotations[\"$_a.container-type\"] = \"container\" |
	    .annotations[\"$_a.sandbox-id\"] = ${2:+\"}${2:-env.POD}${2:+\"}"
}

# volume_of SOURCE DESTINATION [OPTION...]: a filter: a volume.
volume_of() {
	_source=$1 _destination=$2
	shift 2
	jq -nr --arg s "$_source" --arg d "$_destination" '{type: "bind",
	    source: $s, destination: $d, options: (["rbind"] +
	    $ARGS.positional)} | ".mounts += [\(tojson)]"' --args -- "$@"
}

# attack_run ID FILTER COMMAND [ARG...]: in the foreground.
attack_run() {
	POD=$1 && export POD
	spec_run "$@"
}

# attack_start ID FILTER COMMAND [ARG...]: in the background.
attack_start() {
	POD=$1 && export POD
	_id=$1
	shift
	spec_make "$_id.json" "$@"
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" --null-io \
	    --config "$_id.json" "$_id"
}

# attack_exec ID USER COMMAND [ARG...]: in a running one.
ATTACKS=0
attack_exec() {
	_id=$1 _user=$2
	shift 2
	ATTACKS=$((ATTACKS + 1))
	ctr_ task exec --fifo-dir "$REGRESS_DIR/fifo" --user "$_user" \
	    --exec-id "x$ATTACKS" "$_id" "$@"
}

# achieves TEXT WHERE COMMAND [ARG...]: it prints exactly that.
achieves() {
	_text=$1 _where=$2
	shift 2
	"$@" >out 2>err </dev/null
	[ "$(cat out)" = "$_text" ] || {
		echo "expected:" >&2
		echo "$_text" >&2
		node_fail "$_where: $(head -c 200 out | tr '\n' '|')"
	}
}

# resisted FILTER SCRIPT [ARG...]: it achieves nothing: as the command of a
# container, as root by exec, and by exec as somebody else.
resisted() {
	_with=$1 _script=$2
	shift 2
	ATTACKS=$((ATTACKS + 1))
	achieves "" "as the command" attack_run "a$ATTACKS" "$_with" sh -c "$_script" sh "$@"
	attack_begin "$_with"
	achieves "" "by exec" \
	    attack_exec "$ATTACKED" 0:0 sh -c "$_script" sh "$@"
	achieves "" "as a user" \
	    attack_exec "$ATTACKED" 1000:1000 sh -c "$_script" sh "$@"
	attack_end
}

# attack_begin FILTER, attack_end: a container that waits: $ATTACKED.
attack_begin() {
	ATTACKS=$((ATTACKS + 1))
	ATTACKED=b$ATTACKS
	attack_start "$ATTACKED" "$1" sleep 1000
}

attack_end() {
	task_end "$ATTACKED"
}

# bites OUTPUT FILTER SCRIPT [ARG...]: in such a container it achieves this.
bites() {
	_output=$1 _with=$2 _script=$3
	shift 3
	ATTACKS=$((ATTACKS + 1))
	achieves "$_output" "without the defence" \
	    attack_run "a$ATTACKS" "$_with" \
	    sh -c "$_script" sh "$@"
}

# bites_outside OUTPUT SCRIPT [ARG...]: it does outside of any.
bites_outside() {
	_output=$1 _script=$2
	shift 2
	achieves "$_output" outside sh -c "$_script" sh "$@"
}

# targets_begin: as node_begin, on a host that may be written to, with a volume
# on the node, and what a planted link would lead to.
targets_begin() {
	host_disposable
	node_begin
	mkdir -p /run/volume /opt/regress
	echo content >/run/volume/file
	echo outside >/opt/regress/file
	find /opt >outside
	# The overlay comes to be.
	expect 0 "" attack_run warm "$(pod_of blue)" true
	nodes_mounts >before
}

nodes_mounts() {
	grep -v "$REGRESS_DIR" /proc/self/mountinfo
}

# targets_end: as node_end; the node has the mounts and the files that it had.
targets_end() {
	nodes_mounts | diff before - >err ||
	    node_fail "the mounts of the node have changed"
	find /opt | diff outside - >err ||
	    node_fail "something was made on the node, or taken away"
	[ "$(cat /opt/regress/file)" = outside ] ||
	    node_fail "a file of the node has changed"
	node_end
}

# configure [LINE...]: the node's configuration; shims that are started later
# have it.
configure() {
	printf '%s\n' "$@" >"$REGRESS_DIR/reaper.conf"
}

# listen SOCKET [MODE]: somebody of the node listens there, where a leading @ is
# a name that is in no directory.  Ends with the test.
listen() {
	perl -e 'use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
	    my $n = $ARGV[0]; $n =~ s/^@/\0/;
	    bind($s, pack_sockaddr_un($n)) or die "$n: $!"; listen($s, 9) or die;
	    open(my $ready, ">", $ARGV[1]) or die; close($ready);
	    accept(my $c, $s) while 1' "$1" "$PWD/ready.${1##*/}" \
	    </dev/null >/dev/null 2>&1 &
	until_true 10 test -e "ready.${1##*/}" || node_fail "$1: nobody listens"
}

# An attack: connects with each socket that it is given.
# shellcheck disable=SC2034 # for the tests
CONNECT='perl -e "use Socket; for (@ARGV) {
	socket(my \$s, AF_UNIX, SOCK_STREAM, 0) or next;
	(my \$n = \$_) =~ s/^@/\\0/;
	connect(\$s, pack_sockaddr_un(\$n)) and print qq(\$_\\n) }" "$@"'

# calls_known: skips where the numbers of system calls are others than those
# in the attacks.
calls_known() {
	[ "$(uname -m)" = x86_64 ] ||
	    atf_skip "system calls have other numbers here"
}
