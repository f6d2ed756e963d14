# shellcheck shell=sh
# What a workload sees of the node: little, if it is confined; all but other
# tenants, if it is privileged.

. "$(atf_get_srcdir)/../lib/node.sh"

# pod NAMESPACE FILTER: a filter that makes it a pod's container, by its id.
pod() {
	_a=io.kubernetes.cri
	echo "($2) | .annotations[\"$_a.sandbox-namespace\"] = \"$1\" |
	    .annotations[\"$_a.container-type\"] = \"container\" |
	    .annotations[\"$_a.sandbox-id\"] = env.POD"
}

# pod_spec_run NAMESPACE ID FILTER COMMAND...
pod_spec_run() {
	POD=$2 && export POD
	_filter=$(pod "$1" "$3")
	_id=$2
	shift 3
	spec_run "$_id" "$_filter" "$@"
}

node_test a_confined_workload_has_no_part_of_the_node \
    "devices, sockets, settings, other cgroups, and the node's processes"
a_confined_workload_has_no_part_of_the_node_body() {
	node_begin
	mkdir /run/regress && echo x >/run/regress/file
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "fd full mqueue null ptmx pts random shm stderr stdin stdout tty \
urandom zero
2
nothing
read-only
its own
refused" spec_run a . sh -c '
		ls /dev | paste -sd " "
		ls -d /proc/[0-9]* | wc -l | sed "s/[3-9]/2/"
		[ -e /run/regress ] || echo nothing
		touch /sys/kernel/uevent_helper 2>/dev/null ||
		    echo read-only
		grep -qv ":/$" /proc/self/cgroup || echo its own
		mount -t tmpfs tmpfs /mnt 2>/dev/null || echo refused'
	node_end
}

node_test a_privileged_workload_has_the_node \
    "its devices, processes, names and sockets, and may mount"
a_privileged_workload_has_the_node_body() {
	node_begin
	mkdir /run/regress && echo x >/run/regress/file
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "$(ls /dev | wc -l)
$(readlink /proc/self/ns/pid) $(readlink /proc/self/ns/uts) $(readlink \
/proc/self/ns/ipc) $(readlink /proc/self/ns/cgroup)
x
0
mounted" spec_run a "$PRIVILEGED" sh -c '
		ls /dev | wc -l
		for ns in pid uts ipc cgroup; do
			readlink /proc/self/ns/$ns
		done | paste -sd " "
		cat /run/regress/file
		sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status
		mount -t tmpfs tmpfs /mnt && echo mounted'
	expect 32 "" mountpoint -q /mnt
	node_end
}

node_test the_node_may_give_itself_to_all \
    "and to root all capabilities; a user has none"
the_node_may_give_itself_to_all_body() {
	node_begin
	echo REAPER_WORKLOAD_PROFILE=host >"$REGRESS_DIR/reaper.conf"
	expect 0 "$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)
0
$(readlink /proc/self/ns/pid)" spec_run a . sh -c '
		sed -n "s/^CapEff:[[:space:]]*//p" /proc/self/status
		sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status
		readlink /proc/self/ns/pid'
	expect 0 0000000000000000 spec_run b '.process.user.uid = 1000 |
	    .process.capabilities |= del(.effective, .permitted)' \
	    sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status
	echo REAPER_WORKLOAD_PROFILE=confined >"$REGRESS_DIR/reaper.conf"
	expect_refusal "REAPER_WORKLOAD_PROFILE=confined refuses" \
	    spec_run c "$PRIVILEGED" true
	node_end
}

node_test a_privileged_workload_writes_to_an_overlay_too \
    "that confined ones do not share"
a_privileged_workload_writes_to_an_overlay_too_body() {
	node_begin
	name=regress.${REGRESS_DIR##*.}
	expect 0 "" pod_spec_run blue a "$PRIVILEGED" sh -c "echo x >/etc/$name"
	[ ! -e "/etc/$name" ] || {
		rm "/etc/$name"
		atf_fail "it was written to the node"
	}
	expect 0 x pod_spec_run blue b "$PRIVILEGED" cat "/etc/$name"
	expect 1 "" pod_spec_run blue c . cat "/etc/$name"
	node_end
}

node_test a_privileged_workload_does_not_see_reapers_tree \
    "where the other tenants' overlays and namespaces are"
a_privileged_workload_does_not_see_reapers_tree_body() {
	node_begin
	expect 0 "" pod_spec_run green a . true
	expect 0 "" pod_spec_run blue b "$PRIVILEGED" \
	    ls -A "$REGRESS_DIR/reaper"
	expect 1 "" pod_spec_run blue c "$PRIVILEGED" \
	    grep -s "$REGRESS_DIR/reaper/ns" /proc/self/mountinfo
	node_end
}

node_test mounts_of_a_privileged_workload_are_seen_by_the_next \
    "and by those that run, of its overlay alone; volumes are not"
mounts_of_a_privileged_workload_are_seen_by_the_next_body() {
	node_begin
	mkdir /run/volume && echo volume >/run/volume/file
	POD=r && export POD
	spec_make r.json "$(pod blue "$PRIVILEGED")" sleep 1000
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" --config r.json r
	expect 0 "volume" pod_spec_run blue a "$PRIVILEGED | .mounts += [{
	    type: \"bind\", source: \"/run/volume\", destination: \"/srv\",
	    options: [\"rbind\"]}]" sh -c '
		mount -t tmpfs tmpfs /mnt && echo tmpfs >/mnt/file
		cat /srv/file'
	expect 0 tmpfs task_exec r e cat /mnt/file
	expect 0 tmpfs pod_spec_run blue b "$PRIVILEGED" cat /mnt/file
	expect 1 "" pod_spec_run blue c "$PRIVILEGED" cat /srv/file
	expect 1 "" pod_spec_run green d "$PRIVILEGED" cat /mnt/file
	# A volume on such a mount.
	expect 0 volume pod_spec_run blue e "$PRIVILEGED | .mounts += [{
	    type: \"bind\", source: \"/run/volume\", destination: \"/mnt/v\",
	    options: [\"rbind\"]}]" cat /mnt/v/file
	expect 0 "" task_exec r e2 ls /mnt/v
	expect 0 "" pod_spec_run blue f "$PRIVILEGED" ls /mnt/v
	node_end
}

node_test an_unmount_elsewhere_takes_no_volume_away \
    "nor what hides Reaper's tree"
an_unmount_elsewhere_takes_no_volume_away_body() {
	node_begin
	mkdir /run/volume && echo volume >/run/volume/file
	POD=r && export POD
	spec_make r.json "$(pod blue "$PRIVILEGED | .mounts += [{
	    type: \"bind\", source: \"/run/volume\", destination: \"/srv\",
	    options: [\"rbind\"]}]")" sleep 1000
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" --config r.json r
	expect 0 "*" pod_spec_run blue a "$PRIVILEGED" sh -c '
		umount /srv; mount -t tmpfs tmpfs /srv; umount /srv
		umount /srv; umount /srv; true'
	expect 0 volume task_exec r e cat /srv/file
	node_end
}

node_test what_would_hand_over_the_node_is_refused \
    "SYS_ADMIN without the rest of a privileged pod; SYS_PTRACE is not given"
what_would_hand_over_the_node_is_refused_body() {
	node_begin
	expect_refusal "CAP_SYS_ADMIN, and the pod is not privileged" \
	    spec_run a '.process.capabilities |= map_values(. +
	    ["CAP_SYS_ADMIN"])' true
	expect 0 "CapEff:	0000000000000001
CapBnd:	0000000000000001" spec_run b '.process.capabilities |=
	    map_values(["CAP_SYS_PTRACE", "CAP_CHOWN"])' \
	    grep -E '^Cap(Eff|Bnd)' /proc/self/status
	node_end
}

node_test who_is_not_root_does_not_become_it \
    "programs that are set-user-ID give nothing to a user"
who_is_not_root_does_not_become_it_body() {
	host_disposable
	cp /usr/bin/id /usr/bin/regress-id
	chmod 4755 /usr/bin/regress-id
	node_begin
	user='.process.user.uid = 1000 | .process.noNewPrivileges = false'
	expect 0 1000 spec_run a "$user" /usr/bin/regress-id -u
	expect 0 0 spec_run b "$user | $PRIVILEGED" /usr/bin/regress-id -u
	node_end
}

node_test sockets_of_the_node_without_a_name_in_a_file_are_out_of_reach \
    "of a confined workload on the node's network"
sockets_of_the_node_without_a_name_in_a_file_are_out_of_reach_body() {
	node_begin
	cat >listen.pl <<-'EOT'
		use Socket;
		socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
		bind($s, pack_sockaddr_un("\0regress.$ARGV[0]")) or die;
		listen($s, 9) or die;
		open(my $ready, ">", "ready") or die;
		close($ready);
		accept(my $c, $s) while 1;
	EOT
	name=${REGRESS_DIR##*.}
	perl listen.pl "$name" &
	listener=$!
	until_true 10 test -e ready || node_fail "nobody listens"
	connect='use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
	    connect($s, pack_sockaddr_un("\0regress.$ARGV[0]"))
	    or print("$!\n") && exit; print "connected\n"'
	expect 0 connected perl -e "$connect" "$name"
	expect 0 "Operation not permitted" spec_run a . \
	    perl -e "$connect" "$name"
	expect 0 connected spec_run b "$PRIVILEGED" perl -e "$connect" "$name"
	kill $listener
	node_end
}

node_test processes_of_the_node_are_out_of_reach \
    "of a confined workload that sees them, also as the same user"
processes_of_the_node_are_out_of_reach_body() {
	node_begin
	setpriv --reuid 1000 --clear-groups sleep 4321 &
	until_true 10 runs sleep 4321 || node_fail "it does not sleep"
	pid=$(pids_of sleep)
	shared='.linux.namespaces |= map(select(.type != "pid"))'
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "seen
not killed
not looked at" spec_run a "$shared | .process.user.uid = 1000" sh -c '
		[ -e /proc/$1 ] && echo seen
		kill $1 2>/dev/null || echo not killed
		ls /proc/$1/root/ >/dev/null 2>&1 || echo not looked at' \
	    sh "$pid"
	expect 0 "not killed
not looked at" spec_run b "$shared" sh -c '
		kill $1 2>/dev/null || echo not killed
		ls /proc/1/root/ >/dev/null 2>&1 || echo not looked at' \
	    sh "$pid"
	kill "$pid"
	node_end
}

atf_init_test_cases() {
	node_add
}
