# shellcheck shell=sh
# Writes go to an overlay: the host does not see them, the next workload of the
# same Kubernetes namespace does, another namespace does not.

. "$(atf_get_srcdir)/../lib/node.sh"

node_test the_host_does_not_see_what_a_workload_writes \
    "files below /etc and /tmp stay in the overlay"
the_host_does_not_see_what_a_workload_writes_body() {
	node_begin
	name=regress.${REGRESS_DIR##*.}
	expect 0 "written" pod_run blue --rm a sh -c \
	    "echo x >/etc/$name && echo x >/tmp/$name && echo written"
	for dir in /etc /tmp; do
		[ ! -e "$dir/$name" ] || {
			rm -f "/etc/$name" "/tmp/$name"
			atf_fail "it was written to the host's $dir"
		}
	done
	node_end
}

node_test the_next_workload_of_the_namespace_sees_it \
    "an overlay stays when its workload has ended"
the_next_workload_of_the_namespace_sees_it_body() {
	node_begin
	expect 0 "" pod_run blue --rm a sh -c \
	    'echo one >/etc/regress.a && echo two >/tmp/regress.b'
	expect 0 "one
two" pod_run blue --rm b cat /etc/regress.a /tmp/regress.b
	node_end
}

node_test two_workloads_of_a_namespace_share_one_overlay \
    "what one writes, the other reads while both run"
two_workloads_of_a_namespace_share_one_overlay_body() {
	node_begin
	expect 0 "*" pod_run blue -d a sleep 1000
	expect 0 "*" pod_run blue -d b sleep 1000
	expect 0 "" task_exec a e1 sh -c 'echo shared >/etc/regress.s'
	expect 0 shared task_exec b e2 cat /etc/regress.s
	expect 0 "" task_exec b e3 rm /etc/regress.s
	expect 1 "" task_exec a e4 cat /etc/regress.s
	node_end
}

node_test another_namespace_does_not_see_it \
    "one overlay per Kubernetes namespace"
another_namespace_does_not_see_it_body() {
	node_begin
	expect 0 "" pod_run blue --rm a sh -c 'echo x >/etc/regress.a'
	expect 0 "" pod_run blue --rm b sh -c 'echo x >/tmp/regress.b'
	expect 2 "" pod_run green --rm c ls /etc/regress.a /tmp/regress.b
	node_end
}

node_test a_workload_may_change_any_file_of_the_host_without_a_trace \
    "append, chmod, chown, rename, remove, link, mknod: the host stays as it is"
a_workload_may_change_any_file_of_the_host_without_a_trace_body() {
	host_disposable
	mkdir /opt/regress && echo keep >/opt/regress/file &&
	    mkdir -p /opt/regress/dir/deep && chown -R 1000:1000 /opt/regress
	find "$HOST_UPPER" -printf '%P %y %m %U %s %T@\n' | sort >before
	node_begin
	expect 0 "all done" pod_run blue --rm a sh -ec '
		echo more >>/etc/passwd
		chmod 0777 /etc/group
		chown 1000:1000 /etc/hosts
		echo more >>/opt/regress/file
		mv /opt/regress/dir /opt/regress/moved
		mv /etc/hostname /etc/hostname.old
		ln /etc/passwd /etc/passwd.link
		ln -s /etc/passwd /etc/passwd.symlink
		mkdir -p /opt/new/dir
		touch /usr/bin/new
		rm -rf /etc/cron.d /opt/regress/file
		mkfifo /etc/fifo
		echo all done'
	find "$HOST_UPPER" -printf '%P %y %m %U %s %T@\n' | sort >after
	diff before after >&2 || atf_fail "the host has changed"
	[ "$(cat /opt/regress/file)" = keep ] || atf_fail "a file has changed"
	node_end
}

node_test a_filesystem_of_the_host_cannot_be_unmounted \
    "umount of everything in the mount table fails"
a_filesystem_of_the_host_cannot_be_unmounted_body() {
	node_begin
	# shellcheck disable=SC2016 # the workload's shell expands it
	expect 0 "" task_run --rm a sh -c '
		while read -r _ _ _ _ point _; do
			umount "$point" 2>/dev/null && echo "$point"
			umount -l "$point" 2>/dev/null && echo "$point"
		done </proc/self/mountinfo
		exit 0'
	node_end
}

node_test mounts_of_a_workload_do_not_reach_the_host \
    "with every capability, a mount stays inside"
mounts_of_a_workload_do_not_reach_the_host_body() {
	node_begin
	task_run --rm warm true || atf_fail "true fails"
	awk '{ print $5 }' /proc/self/mountinfo >before
	expect "*" "*" task_run --privileged --rm a \
	    mount -t tmpfs tmpfs /mnt
	awk '{ print $5 }' /proc/self/mountinfo >after
	diff before after >&2 || atf_fail "the host's mounts have changed"
	node_end
}

atf_init_test_cases() {
	node_add
}
