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
	while [ $n -lt 10 ]; do
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
	# Wherever they are by now.
	while _mount=$(awk '$4 == "/volume" { print $5; exit }' \
	    /proc/self/mountinfo) && [ -n "$_mount" ]; do
		umount "$_mount" || break
	done
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

# planted SCRIPT: what a workload cannot do: in the overlay itself, where nothing
# of a container's is mounted.
planted() {
	nsenter --mount="$REGRESS_DIR/reaper/ns/blue" sh -ec "$1" ||
	    node_fail "nothing is planted"
}

# Makes links of what a runtime mounts on in the root $1; prints those that are.
REPLACE='for dir in dev proc sys run; do
		ln -s /opt/regress $1/regress.$dir
		perl -e "my (\$a, \$b) = (qq(\$ARGV[0]\\0), qq(\$ARGV[1]\\0));
		    # RENAME_EXCHANGE
		    syscall(316, -100, \$a, -100, \$b, 2)" $1/$dir \
		    $1/regress.$dir
		[ -L $1/$dir ] || mv -T $1/$dir $1/regress.old
		[ -L $1/$dir ] || rmdir $1/$dir
		[ -L $1/$dir ] || ln -sT /opt/regress $1/$dir
		[ -L $1/$dir ] && echo $dir
		rm -rf $1/regress.*
	done 2>/dev/null'

# contained: the last container has the devices that it is to have, or has been
# refused; and has reached no mount of the node's.
contained() {
	case $(cat out) in
	"" | "null full") ;;
	*) node_fail "$1: other devices" ;;
	esac
	nodes_mounts | cmp -s before - || node_fail "$1: mounted on the node"
}

DEVICES='[ -c /dev/null ] && [ -c /dev/full ] && echo null full'

node_test cve_2026_41579_a_dev_that_is_a_link \
    "is made by no workload; where it is there, nothing lands on the node"
cve_2026_41579_a_dev_that_is_a_link_body() {
	calls_known
	targets_begin
	mkdir -p /run/tree/dev /run/tree/proc /run/tree/sys /run/tree/run
	bites_outside "dev
proc
sys
run" "$REPLACE" /run/tree
	resisted "$(pod_of blue)" "$REPLACE"
	# By way of another container, whose processes it sees.
	attack_start first "$(pod_of blue first) | $NETWORK" sleep 4321
	pid=$(ctr_ task ls | awk '$1 == "first" { print $2 }')
	achieves "" "by way of a process" attack_run second \
	    "$(pod_of blue first) | $NETWORK | .linux.namespaces |= map(if
	    .type == \"pid\" then .path = \"/proc/$pid/ns/pid\" else . end)" \
	    sh -c 'for p in /proc/[0-9]*/root; do
		set -- $p
		'"$REPLACE"'
	    done'
	achieves "null full" "the other one" attack_exec first 0:0 \
	    sh -c "$DEVICES"
	task_end first
	# As if one could.
	planted 'mv /dev /regress.dev'
	n=0
	for to in /opt/regress /opt / /proc ../../opt/regress /no/such dev \
	    /regress.dev; do
		n=$((n + 1))
		planted "ln -sfT $to /dev"
		attack_run "v$n" "$(pod_of blue)" sh -c "$DEVICES" >out 2>err
		contained "/dev is $to"
	done
	[ "$(cat out)" = "null full" ] || node_fail "not even in a folder"
	# Whoever takes paths for what they say mounts it on the node.
	mount -t tmpfs tmpfs /run/tree/dev
	grep -q " /opt/regress " /proc/self/mountinfo || node_fail "it is not"
	umount /opt/regress
	targets_end
}

node_test cve_2026_47766_a_proc_that_is_a_link \
    "and devices that a bundle has below one: nothing lands on the node"
cve_2026_47766_a_proc_that_is_a_link_body() {
	targets_begin
	planted 'mkdir /t && ln -s /opt/regress /t/link
	    ln -s / /t/root; ln -s /proc/1/root /t/magic; mv /proc /t/proc'
	n=0
	for to in /opt/regress / /dev ../../opt/regress /no/such proc /t/proc
	do
		n=$((n + 1))
		planted "ln -sfT $to /proc"
		expect_refusal "mounting: /proc" attack_run "v$n" \
		    "$(pod_of blue)" sh -c "$DEVICES"
		contained "/proc is $to"
	done
	planted 'rm /proc && mv /t/proc /proc'
	for path in /t/link/device /t/root/opt/regress/device \
	    /t/magic/opt/regress/device /dev/../t/link/device \
	    /dev/fd/../../t/link/device /t/link /t/link/file; do
		n=$((n + 1))
		attack_run "v$n" "$(pod_of blue) | .linux.devices = [{
		    path: \"$path\", type: \"c\", major: 1, minor: 3}]" \
		    sh -c "$DEVICES" >out 2>err
		contained "a device at $path"
	done
	achieves "null full" "the next" attack_run end "$(pod_of blue)" \
	    sh -c "$DEVICES"
	# Whoever takes paths for what they say makes it on the node.
	mkdir -p /run/tree/t && ln -s /opt/regress /run/tree/t/link
	mknod /run/tree/t/link/device c 1 3
	[ -c /opt/regress/device ] || node_fail "it does not"
	rm /opt/regress/device
	targets_end
}

# Prints what of the node's processors can be seen though it is masked.
UNMASKED='grep -c . /proc/cpuinfo | grep -v "^0$"'
CPUINFO='.linux.maskedPaths = ["/proc/cpuinfo"]'

node_test cve_2025_31133_a_null_that_is_a_link \
    "masks nothing with what it leads to: in a volume, or by earlier pods"
cve_2025_31133_a_null_that_is_a_link_body() {
	calls_known
	targets_begin
	mkdir -p /run/dev/mqueue
	ln -s /proc/cpuinfo /run/dev/null
	dev=$(volume_of /run/dev /dev)
	expect_refusal "/dev/null: operation not permitted" attack_run a \
	    "$dev | $CPUINFO" cat /proc/cpuinfo
	# Of its own, and of the overlay's when its own is gone.
	expect "*" "*" attack_run b "$(pod_of blue)" sh -c \
	    'rm -f /dev/null; ln -sf /proc/cpuinfo /dev/null
	    mv /dev/null /dev/old'
	planted 'rm -f /dev/null; ln -s /proc/cpuinfo /dev/null'
	achieves "" "after others" attack_run c "$(pod_of blue) | $CPUINFO" \
	    sh -c "$UNMASKED"
	# While it is exchanged for a true one.
	mknod -m 0666 /run/dev/other c 1 3
	attack_start racer "$(volume_of /run/dev /volume)" perl -e '
	    my ($a, $b) = ("/volume/null\0", "/volume/other\0");
	    syscall(316, -100, $a, -100, $b, 2) while 1'
	n=0
	while [ $n -lt 20 ]; do
		n=$((n + 1))
		attack_run "v$n" "$dev | $CPUINFO" sh -c "$UNMASKED" \
		    >out 2>err
		[ ! -s out ] || node_fail "it is not masked"
		cat err >>refusals
	done
	task_end racer
	grep -qi "/dev/null: operation not permitted" refusals ||
	    node_fail "it never was a link"
	# Whoever takes the container's own is led to what is to be masked.
	mkdir -p /run/tree/dev && ln -s /proc/cpuinfo /run/tree/dev/null
	: >/run/tree/cpuinfo
	mount --bind /run/tree/dev/null /run/tree/cpuinfo
	grep -q . /run/tree/cpuinfo || node_fail "it is not"
	umount /run/tree/cpuinfo
	targets_end
}

# Prints what there is that can be opened for writing and is a setting of the
# kernel.
SETTING='use Fcntl; open(my $f, "<", "/proc/sys/kernel/core_pattern");
	my $is = <$f>;
	for (</dev/*>, </dev/pts/*>, "/proc/sys/kernel/core_pattern") {
		-f $_ && sysopen(my $w, $_, O_RDWR) or next;
		sysread($w, my $has, 4096);
		print "$_\n" if $has eq $is;
	}'

node_test cve_2025_52565_a_console_that_is_a_link \
    "gives no file of /proc to be written to: at a terminal, with a /dev so made"
cve_2025_52565_a_console_that_is_a_link_body() {
	command -v script >/dev/null || atf_skip "needs script(1)"
	targets_begin
	mkfifo nobody
	exec 9<>nobody
	mkdir -p /run/dev/pts /run/dev/mqueue
	for name in console ptmx tty null full pts/0 pts/ptmx; do
		ln -s /proc/sys/kernel/core_pattern "/run/dev/$name"
	done
	dev=$(volume_of /run/dev /dev)
	cp -a /run/dev /run/real
	mv /run/real/ptmx /run/real/old
	ln -s pts/ptmx /run/real/ptmx
	n=0
	for with in "$dev" "$(volume_of /run/dev/pts /dev/pts)" \
	    "$(volume_of /run/real /dev) | .mounts += [{type: \"devpts\",
	    source: \"devpts\", destination: \"/dev/pts\"}]"; do
		n=$((n + 1))
		spec_make "t$n.json" "$with | $CRI_PATHS |
		    .process.terminal = true" perl -e "$SETTING"
		script -qec "ctr --address $REGRESS_DIR/c.sock --namespace \
		    $REGRESS_NAMESPACE run --rm -t --runtime \
		    $REGRESS_RUNTIME --fifo-dir $REGRESS_DIR/fifo --config \
		    t$n.json t$n" /dev/null <&9 >seen
		cp seen err
		! grep -q ^/ seen || node_fail "with the ${n}th /dev"
		nodes_mounts | cmp -s before - || node_fail "mounted"
	done
	# An exec's terminal, too.
	attack_start a "$(pod_of blue) | $CRI_PATHS" sleep 1000
	script -qec "ctr --address $REGRESS_DIR/c.sock --namespace \
	    $REGRESS_NAMESPACE task exec -t --exec-id t --fifo-dir \
	    $REGRESS_DIR/fifo a perl -e '$SETTING; print qq(looked\n)'" \
	    /dev/null <&9 >seen
	[ "$(tr -d '\r' <seen)" = looked ] || node_fail "by exec"
	task_end a
	# Whoever binds the terminal by its name binds what it leads to.
	mkdir -p /run/tree/dev/pts && : >/run/tree/dev/console
	ln -s /proc/sys/kernel/core_pattern /run/tree/dev/pts/0
	mount --bind /run/tree/dev/pts/0 /run/tree/dev/console
	[ "$(cat /run/tree/dev/console)" = \
	    "$(cat /proc/sys/kernel/core_pattern)" ] || node_fail "it does not"
	umount /run/tree/dev/console
	targets_end
}

node_test cve_2025_52881_a_proc_that_is_a_fake \
    "gets nothing that is written: labels, settings, the score for the OOM killer"
cve_2025_52881_a_proc_that_is_a_fake_body() {
	targets_begin
	cat /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname >settings
	planted 'mv /proc /regress.proc
	    mkdir -p /fake/self/attr/apparmor /fake/sys/kernel /fake/sys/net
	    for f in self/oom_score_adj self/attr/exec self/attr/keycreate \
		self/attr/apparmor/exec sys/kernel/core_pattern \
		sys/kernel/hostname sys/kernel/msgmax; do
		    ln -s /opt/regress/file /fake/$f
	    done
	    ln -s self /fake/thread-self; mv /fake /proc'
	with="$(pod_of blue) | .process.oomScoreAdj = 500 | .hostname = \"a\" |
	    .linux.sysctl = {\"kernel.msgmax\": \"4242\"}"
	achieves "500
outside" "the next" attack_run a "$with" sh -c \
	    'cat /proc/self/oom_score_adj /opt/regress/file'
	attack_start b "$with" sleep 1000
	achieves "500
outside" "by exec" attack_exec b 0:0 sh -c \
	    'cat /proc/self/oom_score_adj /opt/regress/file'
	task_end b
	cat /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname |
	    diff settings - >err || node_fail "a setting of the node's"
	for name in kernel.core_pattern ../../opt/regress/file kernel/hostname \
	    net/../../../opt/regress/file; do
		expect_refusal "linux.sysctl: .*expected net" attack_run c \
		    "$with | .linux.sysctl = {\"$name\": \"1\"}" true
	done
	# And for another that is mounted there by the bundle.
	mkdir -p /run/fake/self && ln -s /opt/regress/file \
	    /run/fake/self/oom_score_adj
	expect_refusal "/proc: operation not permitted" attack_run c "$with |
	    $(volume_of /run/fake /proc)" true
	# Whoever writes by the path in there writes to the node's.
	mkdir /run/tree && ln -s /run/fake /run/tree/proc
	echo 500 >/run/tree/proc/self/oom_score_adj
	[ "$(cat /opt/regress/file)" = 500 ] || node_fail "it does not"
	echo outside >/opt/regress/file
	targets_end
}

node_test cve_2022_23648_a_volume_whose_path_climbs \
    "out of where it is to be, or is a link there, shows no file of the node"
cve_2022_23648_a_volume_whose_path_climbs_body() {
	targets_begin
	echo REGRESS-SECRET >/opt/regress/file
	ln -s /etc /run/volume/etc
	ln -s /opt/regress /run/volume/link
	ln -s ../../opt/regress /run/volume/relative
	ln -s /proc/1/root/opt/regress /run/volume/magic
	n=0
	for source in /run/volume/../../opt/regress /run/volume/link \
	    /run/volume/link/file /run/volume/relative /run/volume/magic \
	    /run/volume/etc/../opt/regress /run/volume//../../opt/regress; do
		n=$((n + 1))
		expect_refusal "refused|too many|expected" attack_run "v$n" \
		    "$(volume_of "$source" /v)" cat /v/file /v
		! grep -q REGRESS-SECRET out err || node_fail "$source"
		[ ! -d "$source" ] || grep -q REGRESS-SECRET "$source/file" ||
		    node_fail "$source leads nowhere"
	done
	for target in /v/../../../opt/regress ../opt/regress /v/.. ../..; do
		n=$((n + 1))
		expect_refusal 'destination: ' attack_run "v$n" \
		    "$(volume_of /run/volume "$target")" true
	done
	echo outside >/opt/regress/file
	targets_end
}

node_test cve_2025_24965_a_file_that_is_made_for_a_container \
    "is made inside: a working directory and targets below links"
cve_2025_24965_a_file_that_is_made_for_a_container_body() {
	targets_begin
	expect 0 "" attack_run a "$(pod_of blue)" sh -ec 'mkdir /t
	    ln -s /opt/made /t/link; ln -s /opt/regress /t/folder
	    ln -s ../../../opt/regress /t/relative
	    ln -s /proc/1/root/opt/regress /t/magic
	    rm -f /etc/resolv.conf /etc/hosts /etc/hostname
	    for f in resolv.conf hosts hostname; do
		    ln -s /opt/regress/$f /etc/$f
	    done'
	n=0
	for dir in /t/link /t/link/deep /t/folder/made /t/relative/made \
	    /t/magic/made /t/folder/a/b/c; do
		n=$((n + 1))
		attack_run "v$n" "$(pod_of blue) | .process.cwd = \"$dir\"" \
		    sh -c 'echo x >made.file' >out 2>err
		nodes_mounts | cmp -s before - || node_fail "$dir: mounted"
		find /opt | diff outside - >err || node_fail "$dir: made"
	done
	# What kubelet and CRI mount in each container.
	for file in resolv.conf hosts hostname; do
		n=$((n + 1))
		echo "regress $file" >"/run/volume/$file"
		attack_run "v$n" "$(pod_of blue) |
		    $(volume_of "/run/volume/$file" "/etc/$file")" \
		    cat "/etc/$file" >out 2>err
		find /opt | diff outside - >err || node_fail "$file: made"
	done
	# Whoever writes by the path in there makes it on the node.
	mkdir -p /run/tree && ln -s /opt/made /run/tree/.config
	echo x >/run/tree/.config
	[ -e /opt/made ] || node_fail "it does not"
	rm /opt/made
	targets_end
}

# public_list [EXPRESSION]: what lies in public folders but for that.
public_list() {
	find /tmp /var/tmp /dev/shm ! -path "$OWN/*" \
	    ! -path "$REGRESS_BUILD/*" "$@"
}

# public_mount: nothing lies in the node's public folders but what the test
# itself is run by.
public_mount() {
	OWN=${PWD%/*}
	for dir in /tmp /var/tmp /dev/shm; do
		mount -t tmpfs -o mode=1777 tmpfs /mnt || atf_fail "no tmpfs"
		for own in "$OWN" "$REGRESS_BUILD"; do
			case $own in
			$dir/*)
				mkdir -p "/mnt${own#"$dir"}" &&
				    mount --bind "$own" "/mnt${own#"$dir"}" ||
				    atf_fail "no $own"
				;;
			esac
		done
		mount --move /mnt $dir || atf_fail "no $dir"
	done
	public_list >public
}

node_test cve_2026_3888_a_folder_in_tmp_that_somebody_makes_again \
    "there is none: nothing is made or kept in a public folder"
cve_2026_3888_a_folder_in_tmp_that_somebody_makes_again_body() {
	public_mount
	node_begin
	export REAPER_CONFIG="$REGRESS_DIR/reaper.conf" \
	    REAPER_RUNTIME_ROOT="$REGRESS_DIR/reaper"
	expect 0 "*" "$REGRESS_BUILD/reaper-runtime" config
	attack_start a "$(pod_of blue)" sleep 1000
	expect 0 "" attack_exec a 0:0 touch /tmp/file
	expect 0 "" attack_run b "$(pod_of green)" touch /var/tmp/file
	mkdir bundle && spec_make bundle/config.json . true
	expect 0 "" "$REGRESS_BUILD/reaper-runtime" run --bundle bundle \
	    "c${REGRESS_DIR##*.}"
	# Held open, though it has no name any more.
	for pid in $(shim_pid) $(helper_pid) $(publisher_pid) $(init_pid); do
		readlink "/proc/$pid/cwd" "/proc/$pid/fd"/*
	done | grep -E '^(/var)?/tmp/|^/dev/shm/' >out &&
	    node_fail "one is in use"
	task_end a
	public_list ! -path "*/containerd*" | diff public - >err ||
	    node_fail "something was made there"
	# Who has the node's file systems sees that it would be seen.
	mktemp -p /tmp >out
	! public_list | diff public - >/dev/null ||
	    node_fail "it would not be seen"
	node_end
}

node_test cve_2021_44731_a_folder_of_the_runtime_that_is_somebody_elses \
    "is not used: where others may write, or a link leads"
cve_2021_44731_a_folder_of_the_runtime_that_is_somebody_elses_body() {
	node_begin
	root=$REGRESS_DIR/reaper
	export REAPER_CONFIG="$REGRESS_DIR/reaper.conf" \
	    REAPER_RUNTIME_ROOT="$root"
	mkdir bundle && spec_make bundle/config.json . true
	mkdir -m 0700 /run/theirs
	chown 1000 /run/theirs
	n=0
	for attack in "mkdir -m 0777 $root" "mkdir -m 1777 $root" \
	    "mkdir -m 0700 $root && chown 1000 $root" \
	    "mkdir -m 0770 $root && chgrp 1000 $root" \
	    "ln -s /run/theirs $root" \
	    "mkdir -m 0755 $root && ln -s /run/theirs $root/overlay" \
	    "mkdir -m 0755 $root $root/ns && chown 1000 $root/ns" \
	    "mkdir -m 0755 $root && ln -s /run/theirs $root/_bundles"; do
		n=$((n + 1))
		sh -c "$attack" || node_fail "$attack"
		expect_refusal "." "$REGRESS_BUILD/reaper-runtime" run \
		    --bundle bundle "c$n${REGRESS_DIR##*.}"
		case $attack in
		# The command line's own.
		*/_bundles) ;;
		*) expect_refusal "." attack_run "v$n" . true ;;
		esac
		[ -z "$(ls -A /run/theirs)" ] ||
		    node_fail "made in theirs: $attack"
		umount -R "$root" 2>/dev/null
		rm -rf --one-file-system "$root"
	done
	mkdir -m 0755 "$root"
	expect 0 "" "$REGRESS_BUILD/reaper-runtime" run --bundle bundle \
	    "c${REGRESS_DIR##*.}"
	expect 0 "" attack_run end . true
	node_end
}

atf_init_test_cases() {
	node_add
}
