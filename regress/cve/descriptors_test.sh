# shellcheck shell=sh
# Descriptors, programs and memory of what starts a workload, and of the
# unprivileged half.  README.md says which vulnerability is which.
#
# Attacks are expanded by the workload's shell.
# shellcheck disable=SC2016

. "$(atf_get_srcdir)/../lib/attack.sh"

# Changes a program of the size $ARGV[1], which is all that is known of it: that
# of the file $ARGV[2], or, as root in a container, of each process that comes.
# Writes to $ARGV[0] what it could do.
CHANGE='sub did { open(my $f, ">>", $ARGV[0]); print $f "$_[0]\n" }
sub change {
	open(F, "<", $_[0]) && (stat(F))[7] == $ARGV[1] or return 0;
	my ($name, @st) = ("/proc/self/fd/" . fileno(F), stat(F));
	did("found");
	open(my $w, ">>", $name) and did("opened");
	chmod($st[2] & 07777, $name) and did("mode");
	chmod($st[2] & 07777, *F) and did("mode");
	chown($st[4], $st[5], *F) and did("owner");
	utime(undef, undef, *F) and did("times");
	link($name, "/tmp/regress-link") and did("link");
	return 1;
}
exit(change($ARGV[2])) if @ARGV > 2;
my %seen;
while (1) {
	opendir(my $d, "/proc");
	for my $p (grep { /^\d+$/ && $_ > 1 } readdir($d)) {
		next if $seen{$p}++;
		next if $p == $$;
		until (change("/proc/$p/exe")) {
			last if ! -e "/proc/$p/stat";
		}
	}
}'

node_test cve_2019_5736_the_program_that_executes_a_workload \
    "is not changed by one that executes it as /proc/self/exe"
cve_2019_5736_the_program_that_executes_a_workload_body() {
	node_begin
	mkdir /run/volume
	echo "$CHANGE" >/run/volume/change.pl
	size=$(stat -c %s "$REGRESS_BUILD/reaper-privsep")
	stat -c '%z %y %a' "$REGRESS_BUILD/reaper-privsep" >before
	# Where it may be written.
	cp "$REGRESS_BUILD/reaper-privsep" /run/volume/copy
	bites_outside "found
opened
mode
mode
owner
times" 'perl /run/volume/change.pl /run/volume/outside "$1" /run/volume/copy
	    cat /run/volume/outside' "$size"
	attack_start a "$(volume_of /run/volume /volume) | $NETWORK" \
	    perl /volume/change.pl /volume/inside "$size"
	until_true 10 runs perl /volume/change.pl /volume/inside "$size" ||
	    node_fail "it does not run"
	# As an interpreter, too.
	printf '#!/proc/self/exe\n' >/run/volume/script
	chmod 0755 /run/volume/script
	n=0
	until [ -s /run/volume/inside ]; do
		n=$((n + 1))
		[ $n -lt 100 ] || atf_skip "it never was quick enough"
		expect "*" "" task_exec a "e$n" /proc/self/exe
		expect "*" "" task_exec a "f$n" /volume/script
	done
	task_end a
	[ "$(sort -u /run/volume/inside)" = found ] ||
	    node_fail "$(sort -u /run/volume/inside | tr '\n' '|')"
	# Nor of pid 1, nor what a descriptor of the launch may be.
	attack_begin .
	for file in /proc/1/exe /proc/self/fd/3 /proc/self/fd/4; do
		expect_refusal "permission denied|no such file|not found" \
		    attack_exec "$ATTACKED" 0:0 "$file"
	done
	attack_end
	stat -c '%z %y %a' "$REGRESS_BUILD/reaper-privsep" | cmp -s - before ||
	    node_fail "the program has changed"
	node_end
}

# Prints each descriptor beyond the three, and of these what is a file of the
# node's.
DESCRIPTORS='for n in $(seq 3 255); do
		[ ! -L /proc/$$/fd/$n ] || readlink /proc/$$/fd/$n
	done
	for n in 0 1 2; do
		[ -f /proc/$$/fd/$n ] || [ -d /proc/$$/fd/$n/. ] ||
		    [ -b /proc/$$/fd/$n ] && echo $n
	done'

node_test cve_2024_21626_a_descriptor_that_is_left \
    "there are but three, also at a terminal and in a container that joins another"
cve_2024_21626_a_descriptor_that_is_left_body() {
	command -v script >/dev/null || atf_skip "needs script(1)"
	node_begin
	resisted . "$DESCRIPTORS"
	resisted "$HOST_PID" "$DESCRIPTORS"
	resisted '.linux.resources = {pids: {limit: 100}, cpu: {cpus: "0"}}' \
	    "$DESCRIPTORS"
	sh -c "exec 9<cgroups 8<. <cgroups; $DESCRIPTORS" >outside
	for word in "$PWD" "$PWD/cgroups" 0; do
		grep -qx -- "$word" outside || node_fail "not $word outside"
	done
	mkfifo nobody
	exec 9<>nobody
	attack_start a . sleep 1000
	script -qec "ctr --address $REGRESS_DIR/c.sock --namespace \
	    $REGRESS_NAMESPACE task exec -t --exec-id t --fifo-dir \
	    $REGRESS_DIR/fifo a sh -c '$DESCRIPTORS; echo looked' 2>err" \
	    /dev/null \
	    <&9 | tr -d '\r' >seen
	[ "$(cat seen)" = looked ] || node_fail "$(tr '\n' '|' <seen)"
	task_end a
	node_end
}

# Prints if the node's file $1 in /run can be reached from where it begins.
OUTSIDE='for dir in . .. ../.. ../../.. ../../../..; do
		[ ! -e $dir/$1 ] && [ ! -e $dir/run/$1 ] || echo outside
	done | uniq; [ $(pwd -P | head -c 1) = / ] || echo nowhere'

node_test cve_2024_21626_a_working_directory_among_descriptors \
    "is not outside: that of what starts the workload, or by pid 1's"
cve_2024_21626_a_working_directory_among_descriptors_body() {
	node_begin
	echo x >/run/regress.secret
	attack_start a . sleep 1000
	for dir in /proc/self/cwd /proc/self/root /proc/1/cwd /proc/1/root \
	    /proc/1/fd/3 /proc/thread-self/cwd /proc/self/task/1/cwd \
	    /proc/self/fd/3 /proc/self/fd/4 /proc/self/fd/5 /proc/self/fd/6 \
	    /proc/self/fd/7 /proc/self/fd/8 /proc/self/fd/9 /proc/self/fd/10 \
	    /proc/self/fd/11 /proc/self/fd/12 /proc/self/fd/13 \
	    /proc/self/fd/14 /proc/self/fd/15 /proc/self/fd/16; do
		for suffix in "" /. /..; do
			ATTACKS=$((ATTACKS + 1))
			achieves "" "$dir$suffix by exec" ctr_ task exec \
			    --cwd "$dir$suffix" --exec-id "e$ATTACKS" \
			    --fifo-dir "$REGRESS_DIR/fifo" a sh -c "$OUTSIDE" \
			    sh regress.secret
		done
		achieves "" "$dir" attack_run "c$ATTACKS" \
		    ".process.cwd = \"$dir\" |
		    .linux.resources.cpu.cpus = \"0\"" \
		    sh -c "$OUTSIDE" sh regress.secret
	done
	task_end a
	bites_outside outside "exec 9</run; cd /proc/self/fd/9 && $OUTSIDE" \
	    regress.secret
	node_end
}

# What the uid of $1 can have of it: its memory, by ptrace(2), which is 101,
# process_vm_readv(2), 310, or a file; its descriptors, by pidfd_getfd(2), 438, or
# a folder.
OWN='perl -e "
	my \$p = \$ARGV[0] + 0;
	open(M, q(<), qq(/proc/\$p/mem)) and print qq(mem\n);
	open(M, q(<), qq(/proc/\$p/maps)) and <M> and print qq(maps\n);
	readlink(qq(/proc/\$p/fd/0)) and print qq(descriptors\n);
	my \$fd = syscall(434, \$p, 0);
	syscall(438, \$fd, \$_, 0) >= 0 and print qq(taken\n) and last
	    for (0 .. 64);
	my \$buffer = qq(\0) x 8;
	my \$local = pack(q(QQ), unpack(q(Q), pack(q(p), \$buffer)), 8);
	# The address is none: who may look is told so by EFAULT.
	my \$remote = pack(q(QQ), 8, 8);
	syscall(310, \$p, \$local, 1, \$remote, 1, 0) >= 0 || \$! == 14 and
	    print qq(read\n);
	# PTRACE_SEIZE
	syscall(101, 0x4206, \$p, 0, 0) == 0 and print qq(traced\n);
	\$! = 0;
	kill(0, \$p) and print qq(signalled\n);" $1'

node_test cve_2026_41163_the_unprivileged_half_driven_by_its_own_user \
    "who has the uid of the shim can neither trace it nor take its channel"
cve_2026_41163_the_unprivileged_half_driven_by_its_own_user_body() {
	calls_known
	node_begin
	expect 0 "*" task_run -d a sleep 1000
	shim=$(shim_pid)
	uid=$(status_of "$shim" Uid | cut -d ' ' -f 1)
	[ "$uid" -ne 0 ] || node_fail "the shim is root"
	as="setpriv --reuid $uid --regid $uid --clear-groups"
	# The kernel gives /proc/PID of what is not dumpable to root.
	[ "$(stat -c %u "/proc/$shim/environ")" = 0 ] ||
	    node_fail "it is dumpable"
	# It can be ended by its user: P5 of SECURITY.md.
	achieves signalled "the shim" $as sh -c "$OWN" sh "$shim"
	# Of a process as any other it is all there.
	$as sleep 4321 </dev/null >/dev/null 2>&1 &
	until_true 10 runs sleep 4321 || node_fail "it does not sleep"
	victim=$(pids_of sleep | while read -r pid; do
		[ "$(status_of "$pid" Uid | cut -d ' ' -f 1)" != "$uid" ] ||
		    echo "$pid"
	done)
	achieves "mem
maps
descriptors
taken
read
traced
signalled" "as its user" $as sh -c "$OWN" sh "$victim"
	kill "$victim"
	# Nor by who has it among the processes of the node.
	achieves "" "in a container" attack_run b "$HOST_PID |
	    .process.user = {uid: $uid, gid: $uid}" sh -c "$OWN" sh "$shim"
	node_end
}

atf_init_test_cases() {
	node_add
}
