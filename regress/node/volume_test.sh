# shellcheck shell=sh
# Mounts of a bundle: where they are, what they let through, whose they are.

. "$(atf_get_srcdir)/../lib/node.sh"

# The tree that tests mount: on the node, outside of what is kept from
# workloads.
VOLUMES=/run/volumes

# volumes_begin: as node_begin, with a directory, a file and a nested mount.
volumes_begin() {
	node_begin
	mkdir -p $VOLUMES/dir/below
	echo content >$VOLUMES/dir/file
	echo alone >$VOLUMES/file
	mount -t tmpfs tmpfs $VOLUMES/dir/below || atf_fail "no tmpfs"
	echo nested >$VOLUMES/dir/below/file
	grep -v "$REGRESS_DIR" /proc/self/mountinfo >before
}

# volumes_end: as node_end, and the node's mounts are what they were.
volumes_end() {
	node_end
	grep -v "$REGRESS_DIR" /proc/self/mountinfo | diff before - >err ||
	    node_fail "the mounts of the node have changed"
}

# bind SOURCE DESTINATION [OPTION...]: a jq filter that adds it.
bind() {
	_source=$1 _destination=$2
	shift 2
	jq -nr --arg s "$_source" --arg d "$_destination" '{type: "bind",
	    source: $s, destination: $d, options: (["rbind"] +
	    $ARGS.positional)} | ".mounts += [\(tojson)]"' --args -- "$@"
}

# volume_refused PATTERN SOURCE DESTINATION [OPTION...]
volume_refused() {
	_refusal=$1
	shift
	expect_refusal "$_refusal" spec_run a "$(bind "$@")" true
}

node_test a_directory_and_a_file_are_where_the_bundle_has_them \
    "with what is mounted below, and writable"
a_directory_and_a_file_are_where_the_bundle_has_them_body() {
	volumes_begin
	expect 0 "content
nested
alone" spec_run a "$(bind $VOLUMES/dir /made/for/it) |
	    $(bind $VOLUMES/file /made/file rw)" sh -c '
	    cat /made/for/it/file /made/for/it/below/file /made/file
	    echo written >/made/for/it/new; echo more >>/made/file'
	[ "$(cat $VOLUMES/dir/new)" = written ] || atf_fail "not written"
	[ "$(tail -n 1 $VOLUMES/file)" = more ] || atf_fail "not appended"
	[ ! -e /made ] || atf_fail "the node has the target"
	volumes_end
}

node_test a_bind_without_what_is_below_has_nothing_of_it \
    "bind, not rbind"
a_bind_without_what_is_below_has_nothing_of_it_body() {
	volumes_begin
	expect 0 "" spec_run a "$(bind $VOLUMES/dir /volume) |
	    .mounts[-1].options = [\"bind\"]" ls /volume/below
	volumes_end
}

node_test read_only_is_so_below_too \
    "also of a nested mount, and against root"
read_only_is_so_below_too_body() {
	volumes_begin
	expect 0 "content" spec_run a "$(bind $VOLUMES/dir /volume ro)" sh -c '
	    cat /volume/file
	    for f in /volume/file /volume/new /volume/below/file; do
		{ echo x >$f; } 2>/dev/null && echo "$f is written"
	    done
	    mount -o remount,rw,bind /volume 2>/dev/null && echo remounted
	    true'
	volumes_end
}

node_test options_of_a_mount_are_in_force \
    "nosuid, noexec, and nodev though it was not asked for"
options_of_a_mount_are_in_force_body() {
	volumes_begin
	cp /bin/true $VOLUMES/dir/below/
	mknod $VOLUMES/dir/below/null c 1 3
	expect 0 "" spec_run a \
	    "$(bind $VOLUMES/dir /volume nosuid noexec dev)" sh -c '
	    /volume/below/true 2>/dev/null && echo executed
	    { echo >/volume/below/null; } 2>/dev/null && echo opened
	    grep " /volume" /proc/self/mountinfo | grep -v nosuid,nodev,noexec
	    true'
	expect 0 "" spec_run b "$(bind $VOLUMES/dir /volume)" \
	    /volume/below/true
	volumes_end
}

node_test a_tmpfs_has_the_size_and_mode_of_the_bundle \
    "and nothing of it stays"
a_tmpfs_has_the_size_and_mode_of_the_bundle_body() {
	volumes_begin
	expect 0 "tmpfs 1024 711" spec_run a '.mounts += [{type: "tmpfs",
	    source: "tmpfs", destination: "/small",
	    options: ["nosuid", "size=1m", "mode=0711"]}]' sh -c '
	    echo $(df --output=fstype,size /small | tail -n 1) \
	    $(stat -c %a /small); echo x >/small/file'
	expect 0 "" spec_run b . ls /small
	# Without a size it has a limit all the same.
	expect 0 "limited" spec_run c '.mounts += [{type: "tmpfs",
	    source: "tmpfs", destination: "/small"}]' sh -c '
	    [ "$(df --output=size /small | tail -n 1)" -gt 0 ] && echo limited'
	volumes_end
}

node_test links_in_a_target_are_followed_inside_alone \
    "absolute ones and those that climb"
links_in_a_target_are_followed_inside_alone_body() {
	volumes_begin
	mkdir /run/outside
	echo . >/run/outside/file
	expect 0 "*" spec_run a . sh -ec 'mkdir -p /targets /inside
	    ln -s /inside /targets/absolute; ln -s ../../../.. /targets/up
	    ln -s /run/outside /targets/out; ln -s /proc/1/root /targets/magic
	    ln -s nowhere /targets/dangling'
	expect 0 "content" spec_run b "$(bind $VOLUMES/dir /targets/absolute)" \
	    cat /inside/file
	expect 0 "content" spec_run c "$(bind $VOLUMES/dir /targets/up/inside)" \
	    cat /inside/file
	# The /run of the node is another.
	expect_refusal "/targets/out: no such file" spec_run d \
	    "$(bind $VOLUMES/dir /targets/out)" true
	expect_refusal "/targets/dangling: no such file" spec_run e \
	    "$(bind $VOLUMES/dir /targets/dangling)" true
	expect_refusal "/targets/magic/x: too many" spec_run f \
	    "$(bind $VOLUMES/dir /targets/magic/x)" true
	volumes_end
}

node_test a_target_is_never_the_root_or_in_proc \
    "neither by its name nor by a link"
a_target_is_never_the_root_or_in_proc_body() {
	volumes_begin
	expect 0 "*" spec_run a . sh -ec 'mkdir -p /targets
	    ln -s / /targets/root; ln -s /proc/sys /targets/proc
	    ln -s /proc/self/root /targets/magic'
	for target in / /targets/root /proc /proc/sys /targets/proc \
	    /targets/magic /targets/magic/x; do
		volume_refused "$target: (operation not|too many)" \
		    $VOLUMES/dir $target
	done
	for target in .. /.. /a/../b relative ""; do
		volume_refused 'mounts\[1\].destination: ' $VOLUMES/dir "$target"
	done
	volumes_end
}

node_test a_source_that_is_missing_or_a_link_is_refused \
    "it is named; where a link was put, nothing is followed"
a_source_that_is_missing_or_a_link_is_refused_body() {
	volumes_begin
	volume_refused "mounting: $VOLUMES/no: no such file" $VOLUMES/no /volume
	# What was a directory when the bundle was written.
	mv $VOLUMES/dir/file $VOLUMES/moved
	ln -s /etc $VOLUMES/dir/link
	ln -s /etc/passwd $VOLUMES/dir/file
	volume_refused "$VOLUMES/dir/link: too many" $VOLUMES/dir/link /volume
	volume_refused "$VOLUMES/dir/link/ssl: too many" \
	    $VOLUMES/dir/link/ssl /volume
	volume_refused "$VOLUMES/dir/file: too many" $VOLUMES/dir/file /volume
	volume_refused 'mounts\[1\].source: ' $VOLUMES/../etc /volume
	volumes_end
}

node_test what_is_kept_from_workloads_is_no_source \
    "filtered files, Reaper's and containerd's own, /proc; nor what holds them"
what_is_kept_from_workloads_is_no_source_body() {
	volumes_begin
	mkdir -p /run/containerd/sub /run/secrets
	for source in / /etc /etc/shadow /root /root/.ssh /root/.ssh/x \
	    /etc/ssh/ssh_host_rsa_key /var/lib/docker /proc /proc/1 /sys /run \
	    /run/containerd /run/containerd/sub /var/lib /run/secrets \
	    "$REGRESS_DIR" "$REGRESS_DIR/reaper" "$REGRESS_DIR/reaper/ns" \
	    "$REGRESS_DIR/state/io.containerd.runtime.v2.task/$REGRESS_NAMESPACE/a"; do
		volume_refused "refused by policy: $source is, or is in" \
		    "$source" /volume
	done
	# Beside them is not in them.
	mkdir -p /run/containerd2
	expect 0 "hosts" spec_run b "$(bind /run/containerd2 /volume) |
	    $(bind /etc/hosts /volume/hosts)" ls -A /volume
	volumes_end
}

node_test what_cri_keeps_for_a_pod_is_a_source_for_that_pod \
    "below containerd's directories, of this sandbox alone"
what_cri_keeps_for_a_pod_is_a_source_for_that_pod_body() {
	volumes_begin
	dir=/run/containerd/io.containerd.grpc.v1.cri/sandboxes
	mkdir -p $dir/pod1/shm $dir/pod2/shm
	note='.annotations = {"io.kubernetes.cri.sandbox-id": "pod1",
	    "io.kubernetes.cri.sandbox-namespace": "blue"}'
	expect 0 "" spec_run a "$note | $(bind $dir/pod1/shm /dev/shm)" \
	    touch /dev/shm/file
	[ -e $dir/pod1/shm/file ] || atf_fail "it was not that directory"
	expect_refusal "refused by policy: $dir/pod2/shm" spec_run b \
	    "$note | $(bind $dir/pod2/shm /dev/shm)" true
	volumes_end
}

node_test a_volume_on_a_filtered_path_shows_its_own_files \
    "at, above and below; the filter is whole when it is gone"
a_volume_on_a_filtered_path_shows_its_own_files_body() {
	host_disposable
	mkdir -p /root/.ssh
	echo REGRESS-SECRET >/root/.ssh/key
	volumes_begin
	look='cat /volume/* /root/.ssh/file /root/file 2>/dev/null
	    grep -s REGRESS-SECRET /root/.ssh/*; true'
	expect 0 "content" spec_run a "$(bind $VOLUMES/dir /root/.ssh)" \
	    sh -c "$look"
	expect 0 "content" spec_run b "$(bind $VOLUMES/dir /root)" sh -c "$look"
	expect 0 "content" spec_run c "$(bind $VOLUMES/dir /root/.ssh/sub)" \
	    sh -c "cat /root/.ssh/sub/file; $look"
	expect 0 "alone" spec_run d "$(bind $VOLUMES/file /etc/shadow)" \
	    cat /etc/shadow
	expect 0 "" spec_run e . sh -c "$look"
	expect 0 "" spec_run f . sh -c 'cat /etc/shadow 2>/dev/null; true'
	volumes_end
}

node_test volumes_are_of_one_container_alone \
    "two with the same path at the same time, and one without"
volumes_are_of_one_container_alone_body() {
	volumes_begin
	for id in a b c; do
		mkdir $VOLUMES/$id
		echo "of $id" >$VOLUMES/$id/file
		filter=$(bind $VOLUMES/$id /volume)
		[ $id != c ] || filter=.
		spec_make $id.json "$filter" sleep 1000
		expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" \
		    --config $id.json $id
	done
	expect 0 "of a" task_exec a e cat /volume/file
	expect 0 "of b" task_exec b e cat /volume/file
	expect 0 "" task_exec c e ls /volume
	# Mounts that one makes or takes away are its own.
	expect "*" "*" task_exec a f umount /volume
	expect 0 "of b" task_exec b g cat /volume/file
	for id in a b c; do
		expect 0 "*" ctr_ task kill -s KILL $id
		until_true 10 task_is $id STOPPED || node_fail "$id runs on"
		task_end $id
	done
	volumes_end
}

node_test propagation_is_what_the_bundle_says \
    "a mount that the node makes later is seen with rslave alone"
propagation_is_what_the_bundle_says_body() {
	volumes_begin
	mount --bind $VOLUMES/dir $VOLUMES/dir
	mount --make-shared $VOLUMES/dir
	mkdir $VOLUMES/dir/later
	spec_make a.json "$(bind $VOLUMES/dir /slave rslave) |
	    $(bind $VOLUMES/dir /private rprivate) |
	    $(bind $VOLUMES/dir /default)" sleep 1000
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" --config a.json a
	mount -t tmpfs tmpfs $VOLUMES/dir/later
	touch $VOLUMES/dir/later/seen
	expect 0 "/slave/later/seen" task_exec a e sh -c 'ls /*/later/seen'
	umount $VOLUMES/dir/later
	expect 0 "" task_exec a f sh -c 'ls /*/later/seen 2>/dev/null; true'
	expect 0 "*" ctr_ task kill -s KILL a
	until_true 10 task_is a STOPPED || node_fail "it runs on"
	task_end a
	umount $VOLUMES/dir
	volumes_end
}

node_test every_container_has_a_dev_of_its_own \
    "with harmless devices, terminals, shared memory and message queues"
every_container_has_a_dev_of_its_own_body() {
	volumes_begin
	expect 0 "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero" \
	    spec_run a . sh -ec 'echo $(ls /dev)
	    echo x >/dev/null; head -c 1 /dev/zero /dev/urandom >/dev/null
	    echo x >/dev/shm/file; [ -d /dev/fd/ ]
	    [ "$(stat -fc %T /dev/mqueue)" = mqueue ]; touch /dev/new'
	expect 0 "" spec_run b . sh -c 'ls /dev/shm; ls /dev/new 2>/dev/null; true'
	[ ! -e /dev/new ] || atf_fail "it is in the node's"
	# Devices of the bundle are there too, and are what it says.
	device='.linux.devices = [{path: "/dev/fuse", type: "c", major: 10,
	    minor: 229}]'
	if [ -c /dev/fuse ]; then
		expect 0 "" spec_run c "$device" sh -c ': <>/dev/fuse'
		expect_refusal "/dev/fuse: no such device" spec_run d \
		    "$device | .linux.devices[0].minor = 230" true
	fi
	volumes_end
}

node_test what_is_masked_for_a_container_is_not_for_the_node \
    "though they share /proc, and the node lets its mounts spread"
what_is_masked_for_a_container_is_not_for_the_node_body() {
	node_begin
	# As systemd has it.
	mount --make-rshared / || atf_fail "mounts cannot be shared"
	proc_mounts >before
	expect 0 refused spec_run a '.linux.maskedPaths = ["/proc/keys"] |
	    .linux.readonlyPaths = ["/proc/sys"] |
	    del(.linux.namespaces[] | select(.type == "pid"))' sh -c \
	    'cat /proc/keys; (: >/proc/sys/vm/swappiness) 2>/dev/null ||
	    echo refused'
	proc_mounts | diff before - >&2 || node_fail "the node has others now"
	node_end
}

proc_mounts() {
	awk '$5 ~ "^/(proc|sys)(/|$)" { print $5, $6 }' /proc/self/mountinfo
}

node_test paths_that_the_bundle_masks_show_nothing \
    "files and folders of /proc, by links too; a missing one is none"
paths_that_the_bundle_masks_show_nothing_body() {
	volumes_begin
	expect 0 "0
0
0
0" spec_run a '.linux.maskedPaths = ["/proc/cpuinfo", "/proc/bus", "/no/such",
	    "/proc/cpuinfo/x", "/usr/share", "/bin/mount"]' sh -c '
	    wc -c </proc/cpuinfo; ls /proc/bus | wc -l; ls /usr/share | wc -l
	    wc -c </usr/bin/mount; umount /proc/bus 2>/dev/null; true'
	grep -q . /proc/cpuinfo || atf_fail "the node has lost it"
	volumes_end
}

node_test paths_that_the_bundle_makes_read_only_are_that \
    "settings of the kernel, for root too"
paths_that_the_bundle_makes_read_only_are_that_body() {
	volumes_begin
	expect 0 "$(cat /proc/sys/kernel/core_pattern)" spec_run a \
	    '.linux.readonlyPaths = ["/proc/sys", "/proc/sysrq-trigger",
	    "/no/such", "/opt"]' sh -c '
	    cat /proc/sys/kernel/core_pattern
	    for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /opt/x; do
		{ echo x >$f; } 2>/dev/null && echo "$f is written"
	    done
	    true'
	expect 0 "" spec_run b '.linux.readonlyPaths = ["/proc/sys"] |
	    .linux.namespaces |= map(select(.type != "pid"))' sh -c '
	    [ ! -w /proc/sys/kernel/core_pattern ] || echo writable'
	volumes_end
}

node_test a_mount_that_cannot_be_made_is_refused \
    "kinds and options that are not known, and too many"
a_mount_that_cannot_be_made_is_refused_body() {
	volumes_begin
	expect_refusal 'mounts\[1\].type: "ext4": expected bind' spec_run a \
	    '.mounts += [{type: "ext4", source: "/dev/vda",
		destination: "/x"}]' true
	volume_refused 'mounts\[1\].options\[1\]: "idmap": not supported' \
	    $VOLUMES/dir /volume idmap
	expect_refusal 'expected at most 512 mounts' spec_run b \
	    "$(bind $VOLUMES/dir /volume) |
	    .mounts += [range(500) as \$i | .mounts[-1]]" true
	volumes_end
}

atf_init_test_cases() {
	node_add
}
