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
