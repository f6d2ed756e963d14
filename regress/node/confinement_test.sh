# shellcheck shell=sh
# What shim and helper are, as the kernel tells it.

. "$(atf_get_srcdir)/../lib/node.sh"

confinement_begin() {
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	SHIM=$(shim_pid)
	HELPER=$(helper_pid)
	[ -n "$SHIM" ] || atf_fail "there is no shim"
	[ -n "$HELPER" ] || atf_fail "there is no helper"
}

# is PID FIELD VALUE: a line of the process's status.
is() {
	[ "$(status_of "$1" "$2")" = "$3" ] ||
	    atf_fail "$2 of $1 is $(status_of "$1" "$2"), not $3"
}

# powerless PID: it has nothing, gains nothing and is filtered.
powerless() {
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		is "$1" "$set" 0000000000000000
	done
	is "$1" NoNewPrivs 1
	is "$1" Seccomp 2
	is "$1" Groups ""
}

node_test the_shim_is_nobody \
    "its own uid and gid, no group, no capability, no new privileges"
the_shim_is_nobody_body() {
	confinement_begin
	is "$SHIM" Uid "65521 65521 65521 65521"
	is "$SHIM" Gid "65521 65521 65521 65521"
	powerless "$SHIM"
	node_end
}

# shim_uids: the user ids of all shims, in order.
shim_uids() {
	for _pid in $(shim_pid); do
		status_of "$_pid" Uid | cut -d ' ' -f 1
	done | sort
}

node_test each_shim_has_a_user_id_of_a_range \
    "its own, as long as it lives; a pod for which none is left is refused"
each_shim_has_a_user_id_of_a_range_body() {
	node_begin
	echo REAPER_UID=65000-65001 >"$REGRESS_DIR/reaper.conf"
	expect 0 "*" task_run -d a sleep 1000
	expect 0 "*" task_run -d b sleep 1000
	[ "$(shim_uids)" = "65000
65001" ] || node_fail "other user ids: $(shim_uids)"
	expect_refusal "all user ids from 65000 to 65001 are taken" \
	    task_run -d c sleep 1000
	expect 0 "*" ctr_ container rm c
	# Whatever becomes of a shim, its user id is free again.
	kill -9 "$(shim_pid | head -n 1)"
	until_true 10 not test "$(shim_pid | wc -l)" -eq 2
	until_true 10 task_run -d c sleep 1000 ||
	    node_fail "no user id is free"
	[ "$(shim_uids)" = "65000
65001" ] || node_fail "other user ids: $(shim_uids)"
	expect 0 yes task_exec c x echo yes
	node_end
}

node_test the_publisher_of_events_is_root_without_any_power \
    "containerd answers its own uid alone; that is all it has of root"
the_publisher_of_events_is_root_without_any_power_body() {
	confinement_begin
	publisher=$(publisher_pid)
	[ -n "$publisher" ] || atf_fail "there is no publisher"
	powerless "$publisher"
	[ "$(readlink "/proc/$publisher/root")" != / ] ||
	    atf_fail "its root is that of the host"
	node_end
}

node_test the_pid_1_of_a_workload_leads_to_no_other_root \
    "and it can be looked at by nobody in there"
the_pid_1_of_a_workload_leads_to_no_other_root_body() {
	node_begin
	# Of the node's /run nothing is in a workload's.
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "pid 1 is reaper-init
its root is hidden
its root is that of the workload" spec_run a . sh -c '
		echo "pid 1 is $(cat /proc/1/comm)"
		[ -e /proc/1/root/etc/passwd ] || echo "its root is hidden"
		[ ! -e /proc/1/root"$1" ] && [ ! -e /proc/1/cwd"$1" ] &&
		    echo "its root is that of the workload"' sh "$REGRESS_DIR"
	node_end
}

node_test the_pid_1_of_a_workload_has_no_power \
    "no capability, no new privileges, filtered"
the_pid_1_of_a_workload_has_no_power_body() {
	confinement_begin
	init=$(init_pid)
	[ -n "$init" ] || atf_fail "there is no pid 1"
	for set in CapInh CapPrm CapEff CapAmb; do
		is "$init" "$set" 0000000000000000
	done
	is "$init" NoNewPrivs 1
	is "$init" Seccomp 2
	node_end
}

node_test the_root_of_the_shim_is_an_empty_directory \
    "that it cannot write to"
the_root_of_the_shim_is_an_empty_directory_body() {
	confinement_begin
	[ "$(readlink "/proc/$SHIM/root")" != / ] ||
	    atf_fail "its root is that of the host"
	[ "$(stat -c %a:%u /proc/$SHIM/root/)" != 1777:0 ] ||
	    atf_fail "its root is a public directory"
	[ -z "$(ls -A "/proc/$SHIM/root/")" ] ||
	    atf_fail "its root has files: $(ls -A "/proc/$SHIM/root/")"
	[ "$(stat -c %u "/proc/$SHIM/root/")" = 0 ] ||
	    atf_fail "its root is not root's"
	[ "$(stat -L -c %d:%i "/proc/$SHIM/cwd")" = \
	    "$(stat -L -c %d:%i "/proc/$SHIM/root")" ] ||
	    atf_fail "its working directory is elsewhere"
	node_end
}

node_test the_shim_holds_no_file_of_the_host \
    "sockets, pipes, FIFOs, anonymous ones, /dev/null and what is locked"
the_shim_holds_no_file_of_the_host_body() {
	confinement_begin
	for fd in "/proc/$SHIM/fd"/*; do
		case $(stat -L -c %F "$fd") in
		socket | fifo) ;;
		"character special file")
			[ "$(readlink "$fd")" = /dev/null ] ||
			    atf_fail "$(readlink "$fd")"
			;;
		*)
			case $(readlink "$fd") in
			anon_inode:* | /memfd:* | pidfd:*) ;;
			"$(our_sockets).shim")
				[ ! -s "$fd" ] ||
				    atf_fail "it could read something"
				sed -n 's/^flags:.*\(.\)$/\1/p' \
				    "/proc/$SHIM/fdinfo/${fd##*/}" |
				    grep -qx 0 ||
				    atf_fail "it could write something"
				;;
			*) atf_fail "$(readlink "$fd")" ;;
			esac
			;;
		esac
	done
	node_end
}

node_test the_socket_of_the_shim_is_roots \
    "another user cannot connect"
the_socket_of_the_shim_is_roots_body() {
	confinement_begin
	peer_build
	chmod 0755 "$REGRESS_DIR/peer"
	socket=$(our_sockets | head -n 1)
	[ -S "$socket" ] || atf_fail "no socket: $socket"
	expect 0 "*" "$PEER" "$socket" call State 1=a
	for uid in 65521 1000; do
		expect 2 "" setpriv --reuid "$uid" --regid "$uid" \
		    --clear-groups "$PEER" "$socket" call State 1=a
		grep -qi "permission denied" err || node_fail "not by permission"
	done
	[ "$(awk -v p="@" 'index($8, p) == 1 && /reaper/' /proc/net/unix)" = \
	    "" ] || atf_fail "an abstract socket"
	node_end
}

node_test the_helper_runs_from_a_mount_that_cannot_be_written \
    "not even root of the host can change it through /proc"
the_helper_runs_from_a_mount_that_cannot_be_written_body() {
	confinement_begin
	for pid in $HELPER $(init_pid); do
		mode=$(stat -L -c %a "/proc/$pid/exe")
		expect_refusal "read-only" chmod "$mode" "/proc/$pid/exe"
	done
	node_end
}

node_test a_workload_cannot_look_into_shim_or_helper \
    "with the pid namespace of the host and its 14 capabilities"
a_workload_cannot_look_into_shim_or_helper_body() {
	confinement_begin
	for pid in $SHIM $HELPER $(publisher_pid) $(init_pid); do
		for file in environ maps mem auxv stack; do
			expect 1 "" spec_run "b$pid$file" \
			    'del(.linux.namespaces[] | select(.type == "pid"))' \
			    cat "/proc/$pid/$file"
		done
		expect "*" "" spec_run "c$pid" \
		    'del(.linux.namespaces[] | select(.type == "pid"))' \
		    sh -c "ls /proc/$pid/root/ 2>/dev/null
			readlink /proc/$pid/exe /proc/$pid/fd/*"
	done
	node_end
}

node_test the_environment_of_shim_and_helper_is_empty \
    "nobody reads an environment after start"
the_environment_of_shim_and_helper_is_empty_body() {
	confinement_begin
	[ -z "$(tr -d '\0' <"/proc/$HELPER/environ")" ] ||
	    atf_fail "the helper's: $(tr '\0' ' ' <"/proc/$HELPER/environ")"
	node_end
}

atf_init_test_cases() {
	node_add
}
