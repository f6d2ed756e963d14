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
	expect 0 "" task_run --privileged --rm a mount -t tmpfs tmpfs /mnt
	# An overlay of its own has come.
	awk -v own="$REGRESS_DIR/reaper/" 'index($5, own) != 1 || !/[+]host/ \
	    { print $5 }' /proc/self/mountinfo >after
	diff before after >&2 || atf_fail "the host's mounts have changed"
	node_end
}

# filesystem_make DIR TEXT: one of a disk, mounted on a directory, with a file.
filesystem_make() {
	mkdir -p "$1" && truncate -s 16M "$REGRESS_DIR/disk.${1##*/}" &&
	    mkfs.ext4 -q "$REGRESS_DIR/disk.${1##*/}" &&
	    mount -o loop "$REGRESS_DIR/disk.${1##*/}" "$1" &&
	    echo "$2" >"$1/file" || atf_skip "no filesystem can be mounted"
}

node_test filesystems_of_the_node_are_part_of_the_view \
    "each below a writable layer of its own, and one in another too"
filesystems_of_the_node_are_part_of_the_view_body() {
	host_disposable
	node_begin
	filesystem_make /srv/outer outer
	filesystem_make /srv/outer/inner inner
	chown 1000:1000 /srv/outer && chmod 0750 /srv/outer
	expect 0 "outer
inner
1000 1000 750" pod_run blue --rm a sh -ec '
		cat /srv/outer/file /srv/outer/inner/file
		stat -c "%u %g %a" /srv/outer
		echo new >/srv/outer/file
		rm /srv/outer/inner/file && echo made >/srv/outer/inner/made'
	expect 0 "new
made" pod_run blue --rm b sh -c 'cat /srv/outer/file; ls /srv/outer/inner |
	    grep -v lost+found'
	expect 0 "outer
inner" pod_run green --rm c cat /srv/outer/file /srv/outer/inner/file
	# A root that is read-only is so with all of them.
	expect 0 "refused
refused" spec_run d '.root.readonly = true' sh -c '
		for dir in /srv/outer /srv/outer/inner; do
			touch $dir/file 2>/dev/null || echo refused
		done'
	[ "$(cat /srv/outer/file /srv/outer/inner/file)" = "outer
inner" ] || node_fail "the node's files have changed"
	umount /srv/outer/inner /srv/outer
	node_end
}

node_test a_filesystem_that_is_mounted_later_appears_with_the_next_workload \
    "and not where workloads have something else by then"
a_filesystem_that_is_mounted_later_appears_with_the_next_workload_body() {
	host_disposable
	node_begin
	mkdir -p /srv/later /srv/moved /etc/regress
	expect 0 "" pod_run blue --rm a sh -c \
	    'ls /srv/later; rmdir /srv/moved; ln -s /etc/regress /srv/moved'
	filesystem_make /srv/later later
	filesystem_make /srv/moved moved
	expect 0 later pod_run blue --rm b cat /srv/later/file
	expect 1 "" pod_run blue --rm c cat /etc/regress/file
	expect 1 "" pod_run blue --rm d cat /srv/moved/file
	umount /srv/later /srv/moved
	node_end
}

node_test a_filesystem_that_cannot_be_a_layer_is_read_only \
    "one that is itself made of too many, and a file that is a mount"
a_filesystem_that_cannot_be_a_layer_is_read_only_body() {
	host_disposable
	node_begin
	mkdir -p /srv/lower /srv/deep /run/layers/upper /run/layers/work
	echo deep >/srv/lower/file
	filesystem_make /srv/disk disk
	echo below >/srv/one
	mount --bind /srv/disk/file /srv/one
	mount -t overlay -o lowerdir=/srv/lower,upperdir=/run/layers/upper \
	    -o workdir=/run/layers/work overlay /srv/deep ||
	    atf_skip "no overlay on an overlay"
	expect 0 "deep
disk
refused
refused" task_run --rm a sh -c '
		cat /srv/deep/file /srv/one
		touch /srv/deep/new 2>/dev/null || echo refused
		(echo x >>/srv/one) 2>/dev/null || echo refused'
	umount /srv/deep /srv/one /srv/disk
	node_end
}

node_test filters_hold_on_filesystems_of_the_node \
    "whatever their names are"
filters_hold_on_filesystems_of_the_node_body() {
	host_disposable
	node_begin
	filesystem_make /opt/disk visible
	mkdir /opt/disk/secret /opt/disk/a /opt/disk/b
	echo secret | tee /opt/disk/secret/file /opt/disk/key \
	    /opt/disk/a/key >/opt/disk/b/key
	ln -s disk/b /opt/link
	echo "REAPER_FILTER_PATHS=/opt/disk/secret:/opt/disk/key:/opt/disk/*/key:/opt/link/key" \
	    >"$REGRESS_DIR/reaper.conf"
	expect 0 visible task_run --rm a sh -c '
		cat /opt/disk/secret/* /opt/disk/key /opt/disk/*/key \
		    /opt/link/key 2>/dev/null
		mv /opt/disk/secret /opt/disk/other && cat /opt/disk/other/*
		cat /opt/disk/file'
	mkdir /opt/disk/c && echo secret >/opt/disk/c/key
	expect "*" "" task_run --rm b cat /opt/disk/c/key
	umount /opt/disk
	node_end
}

node_test an_overlay_has_a_name_where_a_pod_gives_it_one \
    "the same name shares, another and none do not; nor does another namespace"
an_overlay_has_a_name_where_a_pod_gives_it_one_body() {
	node_begin
	note=--annotation=reaper.runtime/overlay-name
	expect 0 "" pod_run blue $note=one --rm a sh -c 'echo one >/tmp/file'
	expect 0 one pod_run blue $note=ONE --rm b cat /tmp/file
	expect 1 "" pod_run blue $note=two --rm c cat /tmp/file
	expect 1 "" pod_run blue --rm d cat /tmp/file
	expect 1 "" pod_run green $note=one --rm e cat /tmp/file
	[ -e "$REGRESS_DIR/reaper/ns/blue.one" ] ||
	    node_fail "its namespace is elsewhere"
	expect 1 "" pod_run blue $note=../blue.one --rm f cat /tmp/file
	grep -q 'overlay-name' "$REGRESS_DIR/containerd.log" ||
	    node_fail "nobody was told that a name was ignored"
	node_end
}

node_test one_overlay_for_the_node_is_shared_by_all_namespaces \
    "where it is configured; confined and privileged ones stay apart"
one_overlay_for_the_node_is_shared_by_all_namespaces_body() {
	node_begin
	echo "REAPER_OVERLAY_ISOLATION=node" >"$REGRESS_DIR/reaper.conf"
	expect 0 "" pod_run blue --rm a sh -c 'echo one >/tmp/file'
	expect 0 one pod_run green --rm b cat /tmp/file
	expect 1 "" pod_run green --privileged --rm c cat /tmp/file
	node_end
}

node_test an_overlay_takes_no_more_than_its_size \
    "and says that it is full"
an_overlay_takes_no_more_than_its_size_body() {
	node_begin
	echo "REAPER_OVERLAY_SIZE=2m" >"$REGRESS_DIR/reaper.conf"
	expect 1 "*" task_run --rm a dd if=/dev/zero of=/tmp/file bs=1M count=4
	cat out err | grep -q "No space left" || node_fail "not for its size"
	expect 0 "*" task_run --rm b dd if=/dev/zero of=/tmp/file bs=1M count=1
	node_end
}

node_test overlays_may_lie_on_a_disk "until the next boot, and no longer"
overlays_may_lie_on_a_disk_body() {
	host_disposable
	node_begin
	filesystem_make /srv/base x
	old=/srv/base/reaper/01234567-89ab-cdef-0123-456789abcdef
	mkdir -p "$old/blue/upper/tmp" /srv/base/reaper/kept
	chmod 0700 /srv/base/reaper
	printf '%s\n' REAPER_OVERLAY_BASE=/srv/base/reaper \
	    REAPER_OVERLAY_SIZE=none >"$REGRESS_DIR/reaper.conf"
	expect 0 "" pod_run blue --rm a sh -c 'echo one >/tmp/file'
	expect 0 one pod_run blue --rm b cat /tmp/file
	expect 2 "" pod_run blue --rm c ls -A /srv/base/reaper/kept
	[ "$(cat /srv/base/reaper/*/blue/upper/tmp/file)" = one ] ||
	    node_fail "it lies elsewhere"
	until_true 10 test ! -e "$old" || node_fail "an old one was left"
	[ -e /srv/base/reaper/kept ] || node_fail "what is not ours was removed"
	node_end
}

atf_init_test_cases() {
	node_add
}
