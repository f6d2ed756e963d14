# shellcheck shell=sh
# Attacks on the node's kernel: mounts, namespaces, system calls, devices and
# settings.  See lib/attack.sh.
#
# Attacks are expanded by the workload's shell.
# shellcheck disable=SC2016

. "$(atf_get_srcdir)/../lib/attack.sh"

node_test nothing_is_mounted_unmounted_or_made_the_root \
    "by programs; a privileged workload does it"
nothing_is_mounted_unmounted_or_made_the_root_body() {
	node_begin
	attack='
		mount -t tmpfs tmpfs /mnt && echo mounted
		mount --bind /etc /mnt && echo bound
		mount -t proc proc /mnt && echo proc
		mount -o remount,rw,bind /sys && echo remounted
		mount --move /dev/shm /mnt && echo moved
		umount -l /dev/shm && echo unmounted
		pivot="mount -t tmpfs tmpfs /mnt; cd /mnt && pivot_root . . &&
		    echo pivoted"
		unshare -m sh -c "$pivot" || sh -c "$pivot"'
	resisted . "$attack"
	# The profile of a privileged pod has no filter.
	bites "mounted
bound
proc
remounted
moved
unmounted
pivoted" "$PRIVILEGED" "$attack"
	node_end
}

# Where the numbers are x86_64's.  Arguments are such that a call which is let
# through does nothing: it fails for another reason.
CALLS='perl -e "
	sub call { my (\$name, @args) = @_;
		\$! = 0;
		my \$got = syscall(shift(@args), @args);
		# ENOSYS: the kernel has none; EPERM: not allowed.
		print qq(\$name\\n) if \$got >= 0 || (\$! != 1 && \$! != 38);
	}
	my \$none = qq(\\0);
	call(\"mount\", 165, \$none, \$none, \$none, 0, 0);
	call(\"umount2\", 166, \$none, 0x100);
	call(\"pivot_root\", 155, \$none, \$none);
	call(\"open_tree\", 428, -100, qq(/etc\\0), 1);
	call(\"move_mount\", 429, -1, \$none, -1, \$none, 0);
	call(\"fsopen\", 430, qq(tmpfs\\0), 0);
	call(\"fsconfig\", 431, -1, 0, 0, 0, 0);
	call(\"fsmount\", 432, -1, 0, 0);
	call(\"fspick\", 433, -100, \$none, 0x100);
	call(\"mount_setattr\", 442, -1, \$none, 0, \$none, 0);
	call(\"setns\", 308, -1, 0);
	call(\"open_by_handle_at\", 304, -1, \$none x 16, 0);
	call(\"keyctl\", 250, 0, -4, 0);
	call(\"add_key\", 248, qq(user\\0), qq(regress\\0), \$none, 1, -2);
	call(\"request_key\", 249, qq(user\\0), qq(regress\\0), 0, 0);
	call(\"bpf\", 321, 99, 0, 0);
	call(\"perf_event_open\", 298, 0, 0, -1, -1, 0);
	call(\"io_uring_setup\", 425, 0, 0);
	call(\"io_uring_enter\", 426, -1, 0, 0, 0, 0);
	call(\"io_uring_register\", 427, -1, 0, 0, 0);
	call(\"userfaultfd\", 323, 0);
	call(\"syslog\", 103, 10, 0, 0);
	call(\"init_module\", 175, 0, 0, 0);
	call(\"finit_module\", 313, -1, 0, 0);
	call(\"delete_module\", 176, 0, 0);
	call(\"kexec_load\", 246, 0, 0, 0, 0xff);
	call(\"kexec_file_load\", 320, -1, -1, 0, 0, 0xff00);
	call(\"reboot\", 169, 1, 2, 3, 0);
	call(\"swapon\", 167, 0, 0);
	call(\"swapoff\", 168, 0);
	call(\"acct\", 163, qq(/no/such\\0));
	call(\"quotactl\", 179, -1, 0, 0, 0);
	call(\"quotactl_fd\", 443, -1, 0, 0, 0);
	call(\"iopl\", 172, 0);
	call(\"ioperm\", 173, 0, 1, 0);
	call(\"fanotify_init\", 300, 4, 0);
	call(\"sethostname\", 170, \$none, -1);
"'

node_test calls_that_reach_the_node_are_not_allowed \
    "mounts, modules, keys, rings, programs in the kernel, its log"
calls_that_reach_the_node_are_not_allowed_body() {
	calls_known
	node_begin
	resisted . "$CALLS"
	# What this kernel has, root outside may call, and a privileged one.
	sh -c "$CALLS" >outside
	[ "$(wc -l <outside)" -gt 25 ] ||
	    node_fail "too few outside: $(tr '\n' ' ' <outside)"
	bites "$(cat outside)" "$PRIVILEGED" "$CALLS"
	node_end
}

# A namespace of each kind, by programs and by CLONE_NEW* and SIGCHLD.
NAMESPACES='
	for flag in m u i n p U C; do
		unshare -f$flag true && echo unshare $flag
	done 2>/dev/null
	for ns in mount uts ipc net pid cgroup; do
		nsenter --$ns=/proc/self/ns/$(echo $ns | sed s/mount/mnt/) \
		    true && echo setns $ns
	done 2>/dev/null
	perl -e "
		for (qw(20000 2000000 4000000 8000000 10000000 20000000
		    40000000)) {
			my \$pid = syscall(56, hex(\$_) | 17, 0, 0, 0, 0);
			syscall(60, 0) if \$pid == 0;
			print qq(clone \$_\n) if \$pid > 0;
		}"'

node_test no_namespace_is_made_or_entered \
    "not even one of users, in which everybody would have all capabilities"
no_namespace_is_made_or_entered_body() {
	calls_known
	node_begin
	resisted . "$NAMESPACES"
	sh -c "$NAMESPACES" >outside
	for word in "unshare U" "clone 10000000" "setns mount"; do
		grep -q "$word" outside || node_fail "not $word outside"
	done
	bites "$(cat outside)" "$PRIVILEGED" "$NAMESPACES"
	# As a user, only with a namespace of users.
	attack='unshare -Urm mount -t tmpfs tmpfs /mnt && echo mounted'
	resisted . "$attack"
	bites mounted "$PRIVILEGED | .process.user = {uid: 1000, gid: 1000} |
	    .process.capabilities = {}" "$attack"
	node_end
}

# name_to_handle_at(2) of a path, in hexadecimal; then open_by_handle_at(2).
HANDLE='my $h = pack("Ii", 128, 0) . "\0" x 128; my $id = pack("i", 0);
	syscall(303, -100, "$ARGV[0]\0", $h, $id, 0) == 0 or die "$!";
	print unpack("H*", substr($h, 0, 8 + unpack("I", $h)))'
BY_HANDLE='perl -e "open(my \$v, \"<\", \"/volume/file\") or die;
	my \$fd = syscall(304, fileno(\$v), pack(\"H*\", \$ARGV[0]), 0);
	\$fd >= 0 and open(F, \"<&=\", \$fd) and print <F>" "$1"'

node_test no_file_is_opened_by_its_number \
    "of the disk on which a volume is, with CAP_DAC_READ_SEARCH"
no_file_is_opened_by_its_number_body() {
	calls_known
	node_begin
	mkdir /run/volume
	echo REGRESS-SECRET >/run/secret-file
	: >/run/volume/file
	handle=$(perl -e "$HANDLE" /run/secret-file) ||
	    atf_skip "no handles of files here"
	volume=$(volume_of /run/volume /volume)
	resisted "$volume | .process.capabilities |= map_values(. +
	    [\"CAP_DAC_READ_SEARCH\"])" "$BY_HANDLE" "$handle"
	bites REGRESS-SECRET "$volume | $PRIVILEGED" "$BY_HANDLE" "$handle"
	node_end
}

# 32-bit calls, and x32's, have other numbers: getpid(2) and mkdir(2) by them.
ABI='#include <sys/syscall.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
	long got = 20;
	__asm__ volatile("int $0x80" : "+a"(got) : : "memory");
	printf("%s", got == getpid() ? "32-bit\n" : "");
	fflush(stdout);
	got = syscall(0x40000000 | SYS_getpid);
	printf("%s", got == getpid() ? "x32\n" : "");
	return (0);
}'

node_test calls_of_another_abi_are_none \
    "with numbers that a filter would take for others"
calls_of_another_abi_are_none_body() {
	calls_known
	node_begin
	mkdir /run/volume
	echo "$ABI" >abi.c
	"${CC:-cc}" -o /run/volume/abi abi.c || atf_skip "no compiler"
	[ "$(/run/volume/abi 2>/dev/null)" != "" ] ||
	    atf_skip "the kernel has but one"
	resisted "$(volume_of /run/volume /volume)" /volume/abi
	bites "$(/run/volume/abi)" \
	    "$(volume_of /run/volume /volume) | $PRIVILEGED" /volume/abi
	node_end
}

node_test devices_of_the_node_are_neither_made_nor_opened \
    "disks, its memory and log; in volumes and by numbers"
devices_of_the_node_are_neither_made_nor_opened_body() {
	node_begin
	mkdir /run/volume
	head -c 4096 /dev/zero | tr '\0' S >/run/disk
	loop=$(losetup -f --show /run/disk) || atf_skip "no loop devices"
	echo "$loop" >loop
	numbers="$(stat -c %Hr "$loop") $(stat -c %Lr "$loop")"
	# shellcheck disable=SC2086 # two numbers
	mknod /run/volume/disk b $numbers
	mknod /run/volume/null c 1 3
	[ -c /dev/full ] || atf_fail "the node has no devices"
	attack='
		loop=$1 major=$2 minor=$3
		shift 3
		for dir; do
			mknod $dir/b b $major $minor && echo made
			mknod $dir/c c 1 5 && echo made
			for d in $dir/b $dir/disk $dir/${loop#/dev/}; do
				[ "$(head -c 4 $d)" = SSSS ] && echo read
			done
			for d in $dir/c $dir/hwrng $dir/null; do
				# What everybody has, and what is no device.
				[ $d != /dev/null ] && [ -c $d ] || continue
				(: <$d) && echo opened
			done
		done 2>/dev/null | sort -u'
	list='for d in /dev/mem /dev/port /dev/loop-control /dev/vda /dev/sda \
	    /dev/kmsg /dev/vcs $1; do [ ! -e $d ] || echo there; done'
	dirs="/tmp /dev /dev/shm /run /volume"
	# A volume with devices; the node's own is refused as one.
	with="$(volume_of /run/volume /volume dev)"
	# shellcheck disable=SC2086 # lists of words
	{
		resisted "$with" "$attack" "$loop" $numbers $dirs
		resisted . "$list" "$loop"
		# Those that the node gives.
		configure "REAPER_DEVICE_ALLOW=$loop:/dev/kmsg"
		bites read . "$attack" "$loop" $numbers $dirs
		bites "there
there" . "$list" "$loop"
		configure
		bites_outside "made
opened
read" "$attack" "$loop" $numbers /run/volume
	}
	losetup -d "$loop" && rm loop
	node_end
}

# case_end: a loop device is in no namespace either.
case_end() {
	[ ! -s loop ] || losetup -d "$(cat loop)"
	[ ! -s cgroups ] || until_true 10 cgroups_remove "$(cat cgroups)"
}

# Opens for writing without writing: nothing is changed where it succeeds.
OPEN='use Fcntl; for (@ARGV) {
	sysopen(my $f, $_, O_WRONLY) and print "$_\n"; }'

# What a node's root can do the node's work with.
SETTINGS="/proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe
    /proc/sys/kernel/randomize_va_space /proc/sys/vm/swappiness
    /proc/sys/fs/protected_hardlinks /proc/sysrq-trigger
    /proc/irq/default_smp_affinity /sys/kernel/uevent_helper
    /sys/module/printk/parameters/time /sys/power/state
    /sys/kernel/mm/ksm/run"

node_test settings_of_the_kernel_are_not_written \
    "core_pattern, modprobe, sysrq-trigger, uevent_helper and others"
settings_of_the_kernel_are_not_written_body() {
	node_begin
	# shellcheck disable=SC2086 # a list of words
	{
		resisted "$CRI_PATHS" 'perl -e "$@"' "$OPEN" $SETTINGS
		# As the test runs the script: one that has more of them.
		perl -e "$OPEN" $SETTINGS >outside
		grep -q core_pattern outside || node_fail "not even outside"
		bites "$(cat outside)" "$PRIVILEGED" 'perl -e "$@"' "$OPEN" \
		    $SETTINGS
		# A bundle without those paths, as for procMount: Unmasked.
		resisted . 'perl -e "$@"' "$OPEN" $SETTINGS
	}
	node_end
}

node_test secrets_of_the_kernel_are_not_read \
    "its log, its memory, its keys and its firmware's"
secrets_of_the_kernel_are_not_read_body() {
	node_begin
	attack='for f in /proc/kmsg /proc/kcore; do
			(: <$f) && echo opened $f
		done 2>/dev/null
		! grep -qv "^0* " /proc/kallsyms || echo addresses
		[ -s /proc/keys ] && echo keys
		dmesg >/dev/null 2>&1 && echo messages'
	resisted "$CRI_PATHS" "$attack"
	sh -c "$attack" >outside
	grep -q kmsg outside || node_fail "not even outside"
	bites "$(cat outside)" "$PRIVILEGED" "$attack"
	node_end
}

# Prints what of its cgroups a workload could change; makes and removes.
CGROUPS='find /sys/fs/cgroup -type f \( -name release_agent \
	    -o -name cgroup.procs -o -name tasks -o -name memory.max \
	    -o -name memory.limit_in_bytes -o -name devices.allow \
	    -o -name notify_on_release -o -name cgroup.subtree_control \
	    -o -name pids.max \) -exec perl -e "$1" {} + 2>/dev/null |
	    sed "s,.*/,," | sort -u
	find /sys/fs/cgroup -name cgroup.procs 2>/dev/null | while read -r f
	do
		mkdir "${f%/*}/regress" && echo made && rmdir "${f%/*}/regress"
	done 2>/dev/null | sort -u
	mount -t cgroup -o none,name=regress cgroup /mnt 2>/dev/null &&
	    echo mounted && umount /mnt'

node_test cgroups_are_not_written \
    "neither those of others, nor its own limits, nor a release_agent"
cgroups_are_not_written_body() {
	node_begin
	resisted . "$CGROUPS" "$OPEN"
	expect "*" "*" attack_run c "$PRIVILEGED" sh -c "$CGROUPS" sh "$OPEN"
	for word in cgroup.procs made mounted; do
		grep -q $word out || node_fail "not $word by a privileged one"
	done
	# Nothing of other cgroups is seen, by any path.
	attack='grep -v ":/$" /proc/self/cgroup
	    find /sys/fs/cgroup -name "*$1*" 2>/dev/null'
	resisted . "$attack" "$REGRESS_NAMESPACE"
	expect "*" "*" attack_run d "$PRIVILEGED" sh -c "$attack" sh \
	    "$REGRESS_NAMESPACE"
	grep -q "/sys/.*$REGRESS_NAMESPACE" out || node_fail "not found at all"
	node_end
}

node_test nothing_is_made_in_sys \
    "which is read-only, in all of its folders"
nothing_is_made_in_sys_body() {
	node_begin
	attack='find "$1" -xdev -maxdepth 3 -type d ! -path "$2*" |
	    while read -r dir; do
		(: >$dir/regress) && echo "$dir" && rm $dir/regress
	    done 2>/dev/null'
	mkdir /run/sys
	bites_outside /run/sys "$attack" /run/sys -
	resisted . "$attack" /sys -
	resisted . "$attack" /sys/fs/cgroup -
	node_end
}

atf_init_test_cases() {
	node_add
}
