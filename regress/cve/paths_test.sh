# shellcheck shell=sh
# Paths that lead elsewhere: links in an overlay and in volumes, as earlier
# workloads leave them.  README.md says which vulnerability is which.
#
# Attacks are expanded by the workload's shell.
# shellcheck disable=SC2016

. "$(atf_get_srcdir)/../lib/attack.sh"

node_test cve_2026_87766_a_link_on_the_way_to_a_target \
    "leads no volume out: absolute, relative, magic, at the end and before"
cve_2026_87766_a_link_on_the_way_to_a_target_body() {
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

# Exchanges what is in $1 with links out, as fast as it can.
RACE='mkdir -p $1/dir/target; ln -s /opt $1/link; ln -s /opt/regress $1/file
	exec perl -e "
		my (\$a, \$b, \$c) = (qq($1/dir\\0), qq($1/link\\0),
		    qq($1/file\\0));
		my \$t = qq($1/dir/target\\0);
		open(F, q(>), q($1/ready)); close(F);
		while (1) {
			# RENAME_EXCHANGE
			syscall(316, -100, \$a, -100, \$b, 2);
			syscall(316, -100, \$c, -100, \$t, 2);
			mkdir(q($1/dir/made)); rmdir(q($1/dir/made));
			rmdir(q($1/dir/target)); mkdir(q($1/dir/target));
		}" regress-race'

# race TREE [FILTER]: while somebody exchanges links there, pods are started
# that mount on what is exchanged, and make what is missing.
race() {
	_tree=$1 _with="$(pod_of blue) | ${2:-.}"
	attack_start racer "$_with" sh -c "$RACE" sh "$_tree"
	until_true 10 attack_exec racer 0:0 test -e "$_tree/ready" ||
	    node_fail "nobody races"
	n=0
	while [ $n -lt 15 ]; do
		n=$((n + 1))
		for target in dir/target dir/made/deep; do
			attack_run "v$n" "$_with |
			    $(volume_of /run/volume "$_tree/$target")" \
			    sh -c 'echo x >"$1/mark"' sh "$_tree/$target" \
			    >out 2>err
			nodes_mounts | cmp -s before - ||
			    node_fail "$target: mounted"
		done
		# An empty file is made for it.
		attack_run "w$n" "$_with | $(volume_of /run/volume/file \
		    "$_tree/dir/empty")" true >out 2>err
	done
	rm -f /run/volume/mark
	task_is racer RUNNING || node_fail "nobody raced"
	task_end racer
}

# Does with $1 what a runtime does that takes paths for what they say.
NAIVE='for n in $(seq 500); do
		mkdir -p $1/dir/made/deep $1/dir/target
		mount --bind /run/volume $1/dir/target
		: >$1/dir/empty
		if [ -e /opt/made ] && [ -e /opt/empty ] &&
		    grep -q " /opt/" /proc/self/mountinfo; then
			echo won && break
		fi
	done 2>/dev/null'

# naive TREE: it is led out.
naive() {
	sh -c "$RACE" sh "$1" </dev/null >/dev/null 2>&1 &
	_racer=$!
	until_true 10 test -e "$1/ready" || node_fail "nobody races"
	sh -c "$NAIVE" sh "$1" >out 2>err </dev/null
	kill $_racer
	until_true 5 not is_alive $_racer
	while umount /opt/regress || umount /opt/target ||
	    umount "$1/dir/target"; do :; done 2>/dev/null
	[ "$(cat out)" = won ] || node_fail "who believes paths is not led out"
	rm -rf /opt/made /opt/empty /opt/target /opt/regress/mark
	nodes_mounts | diff before - >err || node_fail "a mount of the test's"
}

node_test cve_2021_30465_a_target_that_is_exchanged_for_a_link \
    "while pods are started leads no volume out: in an overlay they share"
cve_2021_30465_a_target_that_is_exchanged_for_a_link_body() {
	calls_known
	targets_begin
	mkdir /run/naive
	naive /run/naive
	race /r
	targets_end
}

node_test cve_2024_45310_a_folder_that_is_exchanged_for_a_link \
    "while targets are made in it: nothing is made on the node"
cve_2024_45310_a_folder_that_is_exchanged_for_a_link_body() {
	calls_known
	targets_begin
	mkdir /run/naive /run/shared
	naive /run/naive
	race /shared/r "$(volume_of /run/shared /shared)"
	# What is made lies in what they share.
	find /run/shared | grep -q -e made -e empty -e target ||
	    node_fail "nothing was made in there either"
	targets_end
}

atf_init_test_cases() {
	node_add
}
