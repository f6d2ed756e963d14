# shellcheck shell=sh
# Attacks on processes: of other containers, of other tenants, of the node, and
# of Reaper itself.  See lib/attack.sh.
#
# Attacks are expanded by the workload's shell.
# shellcheck disable=SC2016

. "$(atf_get_srcdir)/../lib/attack.sh"

# pid_joined ID: a filter: in the pid namespace of a task, as with
# shareProcessNamespace.
pid_joined() {
	_pid=$(ctr_ task ls | awk -v id="$1" '$1 == id { print $2 }')
	echo ".linux.namespaces |= map(if .type == \"pid\" then
	    .path = \"/proc/$_pid/ns/pid\" else . end)"
}

# What gives away other processes: prints each way that has led to one which has
# $1 in its environment, or to a root directory with the file $2.
# ptrace(2) is 101, process_vm_readv(2) 310, pidfd_open(2) 434.
LOOK='
	own=$(cut -d " " -f 6 /proc/$$/stat)
	for p in /proc/[0-9]*; do
		# Its own session.
		[ "$(cut -d " " -f 6 $p/stat)" != "$own" ] || continue
		grep -qs "$1" $p/environ && echo environ
		[ -e $p/root$2 ] && echo root
		[ -e $p/cwd/$2 ] && echo cwd
		for fd in $p/fd/*; do
			[ -f $fd ] && grep -qs "$1" $fd && echo fd
		done
		perl -e "use Fcntl; sysopen(my \$m, \$ARGV[0], O_RDONLY) and
		    sysread(\$m, my \$x, 0) and print qq(mem\\n)" $p/mem
		perl -e "my \$p = \$ARGV[0]; my \$fd = syscall(434, \$p + 0, 0);
		    syscall(438, \$fd, 0, 0) >= 0 and print qq(getfd\\n);
		    syscall(101, 0x4206, \$p + 0, 0, 0) == 0 and
			print qq(traced\\n);" ${p#/proc/}
		nsenter -m -t ${p#/proc/} test -e $2 && echo entered
	done 2>/dev/null | sort -u'

# A process of the node with a secret in its environment and one in a file that
# it has open.
secret_run() {
	echo REGRESS-SECRET-file >/run/regress.secret
	SECRET=REGRESS-SECRET setpriv --reuid "$1" --regid "$1" \
	    --clear-groups --inh-caps=-all --bounding-set=-all \
	    sh -c 'exec sleep 4321' </run/regress.secret >/dev/null 2>&1 &
	until_true 10 runs sleep 4321 || node_fail "it does not sleep"
	VICTIM=$(pids_of sleep)
}

node_test processes_of_the_node_show_nothing_but_that_they_are \
    "to a confined workload with hostPID, as root and as the same user"
processes_of_the_node_show_nothing_but_that_they_are_body() {
	calls_known
	node_begin
	for uid in 0 1000; do
		secret_run $uid
		resisted "$HOST_PID" "$LOOK" REGRESS-SECRET /run/regress.secret
		kill "$VICTIM"
		until_true 5 not runs sleep 4321
	done
	secret_run 1000
	expect "*" "*" attack_run p "$PRIVILEGED" sh -c "$LOOK" sh \
	    REGRESS-SECRET /run/regress.secret
	for way in environ root cwd fd getfd traced entered; do
		grep -qx $way out || node_fail "not by $way, privileged"
	done
	kill "$VICTIM"
	node_end
}

node_test processes_of_another_tenant_show_nothing \
    "where both are among those of the node, as the same user"
processes_of_another_tenant_show_nothing_body() {
	calls_known
	node_begin
	secret='.process.env += ["SECRET=REGRESS-SECRET"]'
	attack_start green "$(pod_of green) | $HOST_PID | $secret" sh -c \
	    'echo x >/tmp/regress.green; exec sleep 4321'
	until_true 10 runs sleep 4321 || node_fail "it does not sleep"
	resisted "$(pod_of blue) | $HOST_PID" "$LOOK" REGRESS-SECRET \
	    /tmp/regress.green
	resisted "$(pod_of blue)" "$LOOK" REGRESS-SECRET /tmp/regress.green
	bites "environ
root" "$(pod_of blue) | $PRIVILEGED" "$LOOK | grep -e environ -e root" \
	    REGRESS-SECRET /tmp/regress.green
	task_end green
	node_end
}

node_test other_containers_of_a_pod_show_nothing \
    "unless they share their processes, which a pod can ask for"
other_containers_of_a_pod_show_nothing_body() {
	calls_known
	node_begin
	pod="$(pod_of blue first) | $NETWORK"
	mkdir /run/volume && echo x >/run/volume/file
	# Their files are apart by their volumes.
	attack_start first "$pod | $(volume_of /run/volume /volume) |
	    .process.env += [\"SECRET=REGRESS-SECRET\"]" sleep 4321
	# Of the processes of its own container an exec may see all.
	others="$LOOK | grep -xe environ -e root -e cwd -e fd"
	resisted "$pod" "$others" REGRESS-SECRET /volume/file
	# What shareProcessNamespace makes of it.
	bites "cwd
environ
root" "$pod | $(pid_joined first)" \
	    "$others" REGRESS-SECRET /volume/file
	task_end first
	node_end
}

# Of $1: a signal that changes nothing, by each way.
SIGNAL='kill -CONT $1 2>/dev/null && echo signalled
	perl -e "my \$fd = syscall(434, \$ARGV[0] + 0, 0);
	    syscall(424, \$fd, 18, 0, 0) == 0 and print qq(by descriptor\\n);
	    syscall(200, \$ARGV[0] + 0, 18) == 0 and print qq(thread\\n)" $1'

node_test processes_of_the_node_are_not_signalled \
    "by a confined workload with hostPID, as root and as the same user"
processes_of_the_node_are_not_signalled_body() {
	calls_known
	node_begin
	secret_run 1000
	resisted "$HOST_PID" "$SIGNAL" "$VICTIM"
	# Nor by their numbers where they are not seen.
	resisted . "$SIGNAL" "$VICTIM"
	bites_outside "signalled
by descriptor
thread" "$SIGNAL" "$VICTIM"
	bites "signalled
by descriptor
thread" "$PRIVILEGED" "$SIGNAL" "$VICTIM"
	kill "$VICTIM"
	node_end
}

# Of $1: what changes it without a signal.
LIMITS='perl -e "
	# RLIMIT_CORE; processor 0; the least of each.
	my (\$zero, \$one) = (qq(\\0) x 16, qq(\\1) . qq(\\0) x 7);
	syscall(302, \$ARGV[0] + 0, 4, \$zero, 0) == 0 and
	    print qq(limit\\n);
	syscall(203, \$ARGV[0] + 0, 8, \$one) == 0 and
	    print qq(processors\\n);
	syscall(141, 0, \$ARGV[0] + 0, 19) == 0 and print qq(priority\\n);
	syscall(251, 1, \$ARGV[0] + 0, 3 << 13) == 0 and
	    print qq(input and output\\n);
	syscall(144, \$ARGV[0] + 0, 5, \$zero) == 0 and
	    print qq(scheduling\\n)" $1
	(echo 1000 >/proc/$1/oom_score_adj) 2>/dev/null && echo memory'

node_test processes_of_the_node_are_not_slowed_or_limited \
    "by a confined workload with hostPID, as root and as the same user"
processes_of_the_node_are_not_slowed_or_limited_body() {
	calls_known
	node_begin
	for uid in 0 1000; do
		secret_run $uid
		# Where they are not seen.
		resisted . "$LIMITS" "$VICTIM"
		[ $uid -ne 0 ] || bites_outside "limit
processors
priority
input and output
scheduling
memory" "$LIMITS" "$VICTIM"
		kill "$VICTIM"
		until_true 5 not runs sleep 4321
	done
	secret_run 0
	resisted "$HOST_PID" "$LIMITS" "$VICTIM"
	node_end
}

node_test reapers_own_processes_are_not_looked_into_or_signalled \
    "pid 1 of the container; shim, helper and publisher with hostPID"
reapers_own_processes_are_not_looked_into_or_signalled_body() {
	calls_known
	node_begin
	look='for p; do
		for f in environ auxv maps; do
			[ -z "$(cat /proc/$p/$f)" ] || echo $f
		done
		for f in exe cwd root fd/0 fd/1; do
			[ -z "$(readlink /proc/$p/$f)" ] || echo $f
		done
		(: >>/proc/$p/exe) && echo written
		[ ! -e /proc/$p/root/etc/passwd ] || echo entered
	    done 2>/dev/null | sort -u; kill -CONT "$@" 2>/dev/null &&
	    [ $* != 1 ] && echo signalled'
	resisted "$NETWORK" "$look" 1
	attack_begin .
	# shellcheck disable=SC2046 # pids
	resisted "$HOST_PID" "$look" $(shim_pid) $(helper_pid) \
	    $(publisher_pid) $(init_pid)
	# shellcheck disable=SC2046 # pids
	sh -c "$look" sh $(helper_pid) >outside
	for word in auxv maps exe root fd/0; do
		grep -q $word outside || node_fail "not even $word outside"
	done
	node_end
}

# Looks at each new process that is not yet what is to be executed, and writes
# what it has got of it to the file $1, and to $1.hit that it has seen one.
STEPS='use POSIX (); my ($shown, %seen) = $ARGV[0];
sub comm { open(my $f, "<", "/proc/$_[0]/comm") or return ""; <$f> // "" }
sub say_ { open(my $f, ">>", $_[0]); print $f "$_[1]\n" }
while (1) {
	opendir(my $d, "/proc");
	for my $p (grep { /^\d+$/ && $_ > 1 } readdir($d)) {
		next if $seen{$p}++ || comm($p) !~ /^reaper-p/;
		for (1 .. 20) {
			my @got;
			for my $fd (3 .. 20) {
				readlink("/proc/$p/fd/$fd") and
				    push(@got, "fd");
			}
			for my $link ("exe", "root", "cwd") {
				readlink("/proc/$p/$link") and
				    push(@got, $link);
			}
			open(M, "<", "/proc/$p/maps") and <M> and
			    push(@got, "maps");
			open(my $w, "+<", "/proc/$p/mem") and
			    push(@got, "mem");
			# What may be done to what may be traced.
			my $fd = syscall(434, $p + 0, 0);
			my $taken = syscall(438, $fd, 0, 0);
			push(@got, "taken") if $taken >= 0;
			POSIX::close($_) for grep { $_ >= 0 } ($fd, $taken);
			last if comm($p) !~ /^reaper-p/;
			say_("$shown.hit", $p);
			say_($shown, "@got") if @got;
		}
	}
}'

node_test what_begins_beside_a_workload_shows_it_nothing \
    "execs and joining containers: program, memory, descriptors, directories"
what_begins_beside_a_workload_shows_it_nothing_body() {
	calls_known
	node_begin
	mkdir /run/volume
	echo "$STEPS" >/run/volume/steps.pl
	attack_start a "$(volume_of /run/volume /volume) | $NETWORK |
	    $(pod_of blue a)" perl /volume/steps.pl /volume/inside
	until_true 10 runs perl /volume/steps.pl /volume/inside ||
	    node_fail "it does not run"
	# The node's root sees it all.
	perl /run/volume/steps.pl /run/volume/outside &
	steps=$!
	n=0
	while [ ! -s /run/volume/inside.hit ] ||
	    [ ! -s /run/volume/outside ] || [ $n -lt 15 ]; do
		n=$((n + 1))
		[ $n -lt 100 ] || atf_skip "no exec was seen at its beginning"
		expect 0 "" task_exec a "e$n" true
	done
	joined="$(pod_of blue a) | $NETWORK | $(pid_joined a)"
	: >/run/volume/inside.hit
	n=0
	while [ ! -s /run/volume/inside.hit ] || [ $n -lt 10 ]; do
		n=$((n + 1))
		[ $n -lt 50 ] || atf_skip "no container was seen beginning"
		expect 0 "" attack_run "j$n" "$joined" true
	done
	kill $steps
	for word in exe fd root maps taken; do
		grep -q $word /run/volume/outside ||
		    node_fail "not even $word outside"
	done
	[ ! -s /run/volume/inside ] ||
	    node_fail "shown: $(sort -u /run/volume/inside | tr '\n' '|')"
	task_end a
	node_end
}

# Stops each process of the helper's that comes, and tells of it.
STOP='my %seen;
while (1) {
	opendir(my $d, "/proc");
	for my $p (grep { /^\d+$/ && $_ > 1 } readdir($d)) {
		next if $seen{$p}++;
		open(F, "<", "/proc/$p/comm");
		(<F> // "") =~ /^reaper-p/ && kill("STOP", $p) or next;
		open(F, ">>", "/volume/hit"); print F "$p\n"; close(F);
	}
}'

node_test a_beginning_container_that_is_stopped_holds_up_no_other_pod \
    "by root of one that shares its processes with it"
a_beginning_container_that_is_stopped_holds_up_no_other_pod_body() {
	node_begin
	mkdir /run/volume
	expect 0 "" attack_run warm "$(pod_of blue)" true
	# Each time a little later, or earlier: a pod of two, and another.
	for n in 1 2 3 4 5 6 7 8 9 10; do
		attack_start "a$n" "$(pod_of blue "a$n") |
		    $(volume_of /run/volume /volume)" perl -e "$STOP"
		: >/run/volume/hit
		background "b$n" "$(pod_of blue "a$n") | $(pid_joined "a$n")"
		second=$!
		until_true 2 test -s /run/volume/hit
		background "c$n" "$(pod_of blue "c$n")"
		until_true 5 not is_alive $! || node_fail "another pod waits"
		# shellcheck disable=SC2046 # pids
		kill -KILL $(pids_of perl)
		until_true 5 steps_continue $second || node_fail "b$n waits"
		task_end "a$n"
	done
	node_end
}

# steps_continue PID: whatever was stopped; true when the process has ended.
steps_continue() {
	# shellcheck disable=SC2046 # pids
	kill -CONT $(pids_of reaper-privsep)
	not is_alive "$1"
}

# background ID FILTER: runs true.
background() {
	spec_make "$1.json" "$2" true
	ctr --address "$REGRESS_DIR/c.sock" --namespace "$REGRESS_NAMESPACE" \
	    run --rm --runtime "$REGRESS_RUNTIME" --null-io \
	    --config "$1.json" "$1" >/dev/null 2>&1 &
}

# Each process makes others for ever; the first that cannot says so.
BOMB='perl -e "\$SIG{TERM} = \$SIG{HUP} = q(IGNORE);
	while (1) {
		next if defined(fork());
		open(my \$f, q(>), \$ARGV[0]); close(\$f); sleep(1000);
	}" /tmp/full'

node_test a_fork_bomb_ends_with_its_container \
    "and is kept to its number of processes"
a_fork_bomb_ends_with_its_container_body() {
	node_begin
	attack_start warm . true
	task_end warm
	leak_before
	n=0
	for with in . "$HOST_PID"; do
		n=$((n + 1))
		attack_start "p$n" "$with | $(volume_of "$PWD" /tmp) |
		    .linux.resources.pids.limit = 50" sh -c "$BOMB"
		# It is a bomb.
		until_true 20 test -e full || node_fail "it never was full"
		count=$(pgrep -c -x perl)
		[ "$count" -gt 40 ] && [ "$count" -le 50 ] ||
		    node_fail "$count processes"
		expect 0 "" ctr_ task kill --signal KILL --all "p$n"
		until_true 10 task_is "p$n" STOPPED || node_fail "it runs on"
		task_end "p$n"
		until_true 10 not pgrep -x perl || node_fail "some live on"
		rm full
	done
	leak_after || node_fail "something was left"
	node_end
}

node_test a_planted_program_gives_a_user_nothing \
    "set-user-ID or with capabilities, by root in the same overlay or a volume"
a_planted_program_gives_a_user_nothing_body() {
	calls_known
	node_begin
	mkdir /run/volume
	volume=$(volume_of /run/volume /volume)
	# VFS_CAP_REVISION_2, effective: CAP_SETUID.
	expect 0 "" attack_run a "$volume" sh -ec '
		for dir in /usr/local/bin /volume; do
			cp /usr/bin/id $dir/regress-id
			chmod 4755 $dir/regress-id
			cp /usr/bin/perl $dir/regress-perl
			perl -e "my \$v = pack(q(V5), 0x2000001, 1 << 7, 0, 0,
			    0); my \$f = qq(\$ARGV[0]/regress-perl\\0);
			    my \$n = qq(security.capability\\0);
			    syscall(188, \$f, \$n, \$v, 20, 0) == 0 or
			    die \$!" $dir
		done'
	attack='for dir in /usr/local/bin /volume; do
		[ "$($dir/regress-id -u)" != 0 ] || echo set-user-ID
		$dir/regress-perl -e "\$> = 0; print qq(capability\\n)
		    if \$> == 0"
	done'
	user=".process.user = {uid: 1000, gid: 1000} | $volume"
	expect 0 "" attack_run b "$user" sh -c "$attack"
	expect 0 "" attack_run c "$user | .process.noNewPrivileges = false" \
	    sh -c "$attack"
	# A container of root's, in which others may ask for more, as anywhere.
	attack_begin "$volume | .process.noNewPrivileges = false"
	achieves "set-user-ID
capability
set-user-ID
capability" "in a container of root's" attack_exec "$ATTACKED" 1000:1000 \
	    sh -c "$attack"
	attack_end
	node_end
}

atf_init_test_cases() {
	node_add
}
