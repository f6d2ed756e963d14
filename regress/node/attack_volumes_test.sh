# shellcheck shell=sh
# Attacks by volumes, and on those of other pods.  See lib/attack.sh.
#
# Attacks are expanded by the workload's shell.
# shellcheck disable=SC2016

. "$(atf_get_srcdir)/../lib/attack.sh"

# refused SOURCE [FILTER]: as a volume, for that reason.
refused() {
	VOLUMES=$((${VOLUMES:-0} + 1))
	expect_refusal "refused by policy: $1 is, or is in, or holds, what" \
	    attack_run "v$VOLUMES" "$(volume_of "$1" "/v$VOLUMES") |
	    ${2:-.}" true
}

node_test what_is_the_nodes_or_another_tenants_is_no_volume \
    "kubelet's, containerd's, Reaper's, credentials, and what holds them"
what_is_the_nodes_or_another_tenants_is_no_volume_body() {
	host_disposable
	node_begin
	pods=/var/lib/kubelet/pods
	mkdir -p /etc/kubernetes/pki /run/containerd/s /var/lib/containerd/x \
	    /var/lib/etcd $pods/own/volumes $pods/other/volumes/secret
	echo REGRESS-SECRET | tee $pods/other/volumes/secret/token \
	    /etc/kubernetes/admin.conf >/var/lib/containerd/x/file
	uid='.annotations["io.kubernetes.cri.sandbox-uid"] = "own"'
	own="$(pod_of blue) | $uid"
	for source in / /etc /var /var/lib /proc /proc/1 /proc/self/root /sys \
	    /sys/fs/cgroup /run /root /home /var/lib/kubelet $pods \
	    $pods/other $pods/other/volumes/secret \
	    $pods/other/volumes/secret/token /etc/kubernetes \
	    /etc/kubernetes/admin.conf /etc/kubernetes/pki /run/containerd \
	    /run/containerd/s /var/lib/containerd /var/lib/containerd/x \
	    /var/lib/etcd "$REGRESS_DIR" "$REGRESS_DIR/reaper" \
	    "$REGRESS_DIR/reaper/overlay" "$REGRESS_DIR/reaper/ns" \
	    "$REGRESS_DIR/state" /etc/shadow; do
		refused $source
		refused $source "$own"
	done
	# Nothing is what it is not called.
	ln -s /etc /srv/link
	expect_refusal "too many|not a dir" attack_run a \
	    "$(volume_of /srv/link/kubernetes /v)" true
	for source in "$pods/own/../other" /srv/../etc; do
		expect_refusal 'source: .*".."' attack_run b \
		    "$(volume_of "$source" /v)" true
	done
	expect_refusal "is kept" attack_run c \
	    "$(volume_of //var//lib/./kubelet/pods/other /v) | $own" true
	# Its own, and for a privileged pod all.
	bites "" "$own | $(volume_of $pods/own/volumes /w)" "ls /w"
	bites REGRESS-SECRET "$(volume_of $pods/other/volumes/secret /w1) |
	    $PRIVILEGED" "cat /w1/token"
	bites REGRESS-SECRET "$(volume_of /etc/kubernetes /w2) | $PRIVILEGED" \
	    "cat /w2/admin.conf"
	node_end
}

node_test devices_in_dev_are_no_volume_to_be_changed \
    "the node's own directory of them"
devices_in_dev_are_no_volume_to_be_changed_body() {
	node_begin
	# A stand-in: the node's stays whole.
	mount -t tmpfs -o mode=0755 tmpfs /media
	for file in /dev/*; do
		[ -c "$file" ] && cp -a "$file" /media/
	done
	mount --bind /media /dev
	attack='rm -f /volume/null && echo removed
	    echo planted >/volume/null && echo planted'
	bites "removed
planted" "$PRIVILEGED | $(volume_of /dev /volume)" "$attack"
	rm /media/null && mknod -m 0666 /media/null c 1 3
	# Refused, or harmless.
	expect "*" "*" attack_run a "$(volume_of /dev /volume)" sh -c "$attack"
	[ -c /media/null ] || node_fail "$(tr '\n' '|' <out)"
	node_end
}

# targets_begin: a volume on the node, and what a planted link would lead to.
targets_begin() {
	host_disposable
	node_begin
	mkdir -p /run/volume /opt/regress
	echo content >/run/volume/file
	echo outside >/opt/regress/file
	# The overlay comes to be.
	expect 0 "" attack_run warm "$(pod_of blue)" true
	nodes_mounts >before
}

nodes_mounts() {
	grep -v "$REGRESS_DIR" /proc/self/mountinfo
}

# targets_end: the node has the mounts and the file that it had.
targets_end() {
	nodes_mounts | diff before - >err ||
	    node_fail "the mounts of the node have changed"
	[ "$(ls /opt/regress)" = file ] && [ ! -e /opt/made ] ||
	    node_fail "something was made on the node"
	node_end
}

node_test a_planted_link_leads_no_volume_out \
    "as the target, on the way to it, absolute and relative"
a_planted_link_leads_no_volume_out_body() {
	targets_begin
	expect 0 "" attack_run a "$(pod_of blue)" sh -ec '
		mkdir /t; cd /t
		ln -s /opt/regress absolute
		ln -s ../../../../../../opt/regress relative
		ln -s /opt middle
		ln -s ../../../../proc/1/root/opt/regress magic
		ln -s /proc/self/cwd cwd
		ln -s /opt/made dangling
		ln -s loop loop'
	n=0
	for target in absolute relative middle/regress middle/made magic \
	    cwd/made dangling loop absolute/made; do
		n=$((n + 1))
		# It is in there, or nowhere.
		attack_run "v$n" "$(pod_of blue) |
		    $(volume_of /run/volume "/t/$target")" \
		    cat "/t/$target/file" >out 2>err
		case $(cat out) in
		content | "") ;;
		*) node_fail "$target" ;;
		esac
		nodes_mounts | cmp -s before - || node_fail "$target: mounted"
	done
	# Whoever takes paths for what they say is led out.
	mkdir -p /run/tree/t && ln -s /opt/regress /run/tree/t/absolute
	mount --bind /run/volume /run/tree/t/absolute
	[ "$(cat /opt/regress/file)" = content ] || node_fail "it is not"
	umount /opt/regress
	targets_end
}

# Exchanges the target's parent with links out, as fast as it can.
RACE='mkdir -p /r/dir/target; ln -s /opt /r/link; ln -s /opt/regress /r/file
	exec perl -e "
		my (\$a, \$b, \$c) = (qq(/r/dir\\0), qq(/r/link\\0),
		    qq(/r/file\\0));
		my \$t = qq(/r/dir/target\\0);
		open(F, q(>), q(/tmp/ready)); close(F);
		while (1) {
			# RENAME_EXCHANGE
			syscall(316, -100, \$a, -100, \$b, 2);
			syscall(316, -100, \$c, -100, \$t, 2);
			mkdir(q(/r/dir/made)); rmdir(q(/r/dir/made));
			rmdir(q(/r/dir/target)); mkdir(q(/r/dir/target));
		}"'

node_test a_link_that_comes_and_goes_leads_no_volume_out \
    "while pods are started, in the same overlay"
a_link_that_comes_and_goes_leads_no_volume_out_body() {
	calls_known
	targets_begin
	attack_start racer "$(pod_of blue)" sh -c "$RACE"
	until_true 10 attack_exec racer 0:0 test -e /tmp/ready ||
	    node_fail "nobody races"
	n=0
	while [ $n -lt 25 ]; do
		n=$((n + 1))
		for target in /r/dir/target /r/dir/made/deep; do
			attack_run "v$n" "$(pod_of blue) |
			    $(volume_of /run/volume "$target")" \
			    sh -c 'echo x >"$1/mark"' sh "$target" >out 2>err
			nodes_mounts | cmp -s before - ||
			    node_fail "$target: mounted"
		done
	done
	rm -f /run/volume/mark
	task_is racer RUNNING || node_fail "nobody raced"
	task_end racer
	targets_end
}

node_test a_target_that_is_taken_away_takes_nothing_of_the_volume \
    "root of another pod of the overlay removes or replaces it"
a_target_that_is_taken_away_takes_nothing_of_the_volume_body() {
	targets_begin
	attack='rm -rf /volume; mv /volume /moved; mkdir /volume
	    echo planted >/volume/planted
	    cat /moved/file /volume/file 2>/dev/null; true'
	attack_start victim "$(pod_of blue) | $(volume_of /run/volume \
	    /volume)" sleep 1000
	expect 0 content attack_exec victim 0:0 cat /volume/file
	achieves "" "another pod" attack_run a "$(pod_of blue)" \
	    sh -c "$attack"
	achieves "" "another overlay" attack_run b "$(pod_of green)" \
	    sh -c "$attack"
	[ "$(ls /run/volume)" = file ] || node_fail "the volume has changed"
	# The next has its own volume there again.
	expect 0 "content" attack_run c "$(pod_of blue) | $(volume_of \
	    /run/volume /volume)" sh -c 'cat /volume/file; ls /volume |
	    grep -v file; true'
	task_end victim
	# Who has the volume can do it.
	expect "*" "*" attack_run d "$(pod_of blue) | $(volume_of \
	    /run/volume /volume)" sh -c "$attack"
	[ "$(ls /run/volume)" != file ] || node_fail "not even who has it"
	targets_end
}

node_test no_hard_link_leads_into_or_out_of_a_volume \
    "of a filtered file, or of one of the volume's"
no_hard_link_leads_into_or_out_of_a_volume_body() {
	calls_known
	host_disposable
	echo REGRESS-SECRET >/etc/shadow
	# On one filesystem.
	mkdir /srv/volume
	echo content >/srv/volume/file
	node_begin
	attack='
		for dir in $2 $2/..; do
			ln $1/etc/shadow $dir/regress-in
			ln $2/file $1/tmp/regress-out
			ln -L /proc/self/fd/9 $dir/regress-fd
		done 9<$1/etc/shadow
		perl -e "open(F, q(<), qq(\$ARGV[0]/etc/shadow));
			my (\$e, \$n) = (qq(\\0), qq(\$ARGV[1]/regress-at\\0));
			# AT_EMPTY_PATH
			syscall(265, fileno(F), \$e, -100, \$n, 0x1000);" "$1" $2
		for f in $2/regress-in $2/regress-fd $2/regress-at; do
			[ -s $f ] && echo in
		done
		[ $1/tmp/regress-out -ef $2/file ] && echo out'
	resisted "$(volume_of /srv/volume /volume) | .process.capabilities |=
	    map_values(. + [\"CAP_DAC_READ_SEARCH\"])" "$attack 2>/dev/null" \
	    "" /volume
	[ "$(ls /srv/volume)" = file ] || node_fail "$(ls /srv/volume)"
	bites_outside "in
in
in
out" "{ $attack; } 2>/dev/null" "" /srv/volume
	node_end
}

atf_init_test_cases() {
	node_add
}
