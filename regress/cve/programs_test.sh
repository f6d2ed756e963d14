# shellcheck shell=sh
# Programs, libraries and environments: of a workload, which none of Reaper's
# own processes may take for its own.  README.md says which vulnerability is
# which.
#
# Attacks are expanded by the workload's shell.
# shellcheck disable=SC2016

. "$(atf_get_srcdir)/../lib/attack.sh"

# A library that says who has loaded it, in the file seen of the volume.
LIBRARY='#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
static void __attribute__((constructor)) loaded(void) {
	char name[32] = "", line[64];
	int fd = open("/volume/seen", O_WRONLY | O_APPEND);
	prctl(PR_GET_NAME, name);
	snprintf(line, sizeof(line), "%s %d\n", name, (int)getpid());
	if (fd != -1 && write(fd, line, strlen(line)) != -1)
		close(fd);
}'

# library_begin: as node_begin, with the library in a volume, $VOLUME.
library_begin() {
	node_begin
	mkdir -p /run/volume
	echo "$LIBRARY" >library.c
	"${CC:-cc}" -shared -fPIC -o /run/volume/evil.so library.c ||
	    atf_skip "no compiler"
	: >/run/volume/seen
	chmod 0666 /run/volume/seen
	VOLUME=$(volume_of /run/volume /volume)
}

# seen_none_of_ours PROGRAM...: these have said so, and none of Reaper's.
seen_none_of_ours() {
	! grep -q -e reaper -e containerd -e runc /run/volume/seen ||
	    node_fail "$(grep -e reaper -e containerd /run/volume/seen |
		head -n 1)"
	for _program in "$@"; do
		grep -q "^$_program " /run/volume/seen ||
		    node_fail "not even $_program"
	done
}

# life FILTER: the beginning of a container, execs in it, and its end.
LIVES=0
life() {
	LIVES=$((LIVES + 1))
	spec_make "l$LIVES.json" "$1 | $VOLUME" sh -c \
	    'head -n 1 /etc/passwd >/dev/null; exec sleep 1000'
	expect 0 "*" ctr_ run -d --runtime "$REGRESS_RUNTIME" --null-io \
	    --config "l$LIVES.json" "l$LIVES"
	expect "*" "*" attack_exec "l$LIVES" 0:0 head -n 1 /etc/passwd
	expect "*" "*" attack_exec "l$LIVES" 1000:1000 head -n 1 /etc/passwd
	expect "*" "*" attack_exec "l$LIVES" 0:0 no-such-program
	task_end "l$LIVES"
}

node_test cve_2025_23266_a_library_in_the_environment_of_a_container \
    "is loaded by what is executed in it alone: also 2024-48990"
cve_2025_23266_a_library_in_the_environment_of_a_container_body() {
	library_begin
	export VOLUME
	for variable in LD_PRELOAD LD_AUDIT; do
		life ".process.env += [\"$variable=/volume/evil.so\"]"
	done
	seen_none_of_ours head sleep
	# What else a program may take for an order; their file would be made.
	: >/run/volume/seen
	life '.process.env += ["LD_LIBRARY_PATH=/volume",
	    "GLIBC_TUNABLES=glibc.malloc.check=3", "MALLOC_TRACE=/volume/made",
	    "LD_DEBUG=all", "LD_DEBUG_OUTPUT=/volume/made",
	    "BASH_ENV=/volume/made.sh", "ENV=/volume/made.sh",
	    "PYTHONPATH=/volume", "PERL5OPT=-Mevil", "PERL5LIB=/volume",
	    "LOCPATH=/volume", "NLSPATH=/volume/%N", "TMPDIR=/volume",
	    "HOSTALIASES=/volume/made", "GCONV_PATH=/volume",
	    "RESOLV_HOST_CONF=/volume/made", "REAPER_CONFIG=/volume/made",
	    "REAPER_RUNTIME_ROOT=/volume", "NOTIFY_SOCKET=/volume/made",
	    "LISTEN_FDS=3", "LISTEN_PID=1", "_LIBCONTAINER_INITPIPE=3",
	    "TTRPC_ADDRESS=/volume/made", "GOTRACEBACK=crash"]'
	seen_none_of_ours
	# LD_DEBUG_OUTPUT has a file for each process: none of pid 1, or ours.
	for file in /run/volume/made.*; do
		! grep -q reaper "$file" || node_fail "$file is one of ours"
	done
	[ -n "$(ls /run/volume/made.*)" ] || node_fail "not even a workload's"
	[ ! -e /run/volume/overlay ] || node_fail "it is the runtime's root"
	# Nor is there a trace of it in ours.
	spec_make e.json '.process.env += ["REGRESS_MARK=x"]' sleep 1000
	expect 0 "" ctr_ run -d --runtime "$REGRESS_RUNTIME" --null-io \
	    --config e.json e
	for pid in $(shim_pid) $(helper_pid) $(publisher_pid) $(init_pid); do
		! grep -q REGRESS_MARK "/proc/$pid/environ" ||
		    node_fail "of process $pid"
	done
	until_true 10 runs sleep 1000 || node_fail "it does not run"
	grep -q REGRESS_MARK "/proc/$(pids_of sleep)/environ" ||
	    node_fail "not even of the workload"
	task_end e
	node_end
}

node_test cve_2025_23267_a_library_for_all_in_an_overlay \
    "which an earlier workload has put there is loaded by none of ours"
cve_2025_23267_a_library_for_all_in_an_overlay_body() {
	library_begin
	with="$(pod_of blue) | $VOLUME"
	expect 0 "" attack_run a "$with" sh -ec 'cp /volume/evil.so /evil.so
	    echo /evil.so >/etc/ld.so.preload'
	: >/run/volume/seen
	life "$(pod_of blue)"
	seen_none_of_ours head sleep
	node_end
}

node_test cve_2025_32463_a_source_of_users_in_an_overlay \
    "nsswitch.conf and its library: nobody of ours asks for a user there"
cve_2025_32463_a_source_of_users_in_an_overlay_body() {
	library_begin
	with="$(pod_of blue) | $VOLUME"
	expect 0 "" attack_run a "$with" sh -ec '
	    for dir in /lib/*-linux-gnu /usr/lib/*-linux-gnu /lib64; do
		[ ! -d $dir ] || cp /volume/evil.so $dir/libnss_woot1337.so.2
	    done
	    sed -i "s/^\(passwd\|group\|shadow\|hosts\):.*/\1: woot1337/" \
		/etc/nsswitch.conf
	    grep -q woot1337 /etc/nsswitch.conf ||
		echo "passwd: woot1337" >>/etc/nsswitch.conf'
	: >/run/volume/seen
	# HOME and USER of somebody, by number, and of nobody.
	life "$(pod_of blue) | .process.user = {uid: 1000, gid: 1000,
	    additionalGids: [4, 24]}"
	life "$(pod_of blue) | .process.user = {uid: 4242, gid: 4242}"
	life "$(pod_of blue) | .process.user.username = \"somebody\""
	[ ! -s /run/volume/seen ] ||
	    node_fail "$(head -n 1 /run/volume/seen)"
	# A program that asks loads it.
	expect "*" "*" attack_run b "$with" getent passwd nobody
	seen_none_of_ours getent
	node_end
}

# Names of programs that some runtime, or a part of one, executes.
PROGRAMS='sh bash xz gzip unpigz tar mount umount fusermount nsenter ip
    iptables newuidmap newgidmap setpriv runc crun containerd
    containerd-shim-reaper-v2 reaper-privsep reaper-runtime reaper-init pause
    ldconfig ldd getent id su login modprobe nvidia-container-cli'

node_test cve_2026_41567_a_program_of_the_containers_files \
    "is executed by nobody but who names it: none of those that others run"
cve_2026_41567_a_program_of_the_containers_files_body() {
	library_begin
	with="$(pod_of blue) | $VOLUME"
	# Each of them says that it was executed, and by whom.
	expect 0 "" attack_run a "$with" sh -ec '
		cp /bin/dash /regress.sh 2>/dev/null || cp /bin/sh /regress.sh
		for name; do
			for dir in /bin /sbin /usr/bin /usr/sbin \
			    /usr/local/bin /usr/local/sbin; do
				rm -f $dir/$name
				printf "#!/regress.sh\necho ${name} \$PPID >>/volume/seen\n" \
				    >$dir/$name
				/bin/chmod 0755 $dir/$name
			done
		done' sh $PROGRAMS
	: >/run/volume/seen
	spec_make b.json "$with" sleep 1000
	expect 0 "" ctr_ run -d --runtime "$REGRESS_RUNTIME" --null-io \
	    --config b.json b
	expect 0 "root" attack_exec b 0:0 perl -e 'print((getpwuid(0))[0])'
	expect "*" "*" attack_exec b 1000:1000 true
	expect 0 "*" ctr_ task pause b
	expect 0 "*" ctr_ task resume b
	kill -KILL "$(helper_pid)"
	until_true 10 not task_is b RUNNING || node_fail "it runs on"
	task_end b
	[ ! -s /run/volume/seen ] || node_fail "$(head -n 1 /run/volume/seen)"
	# Who names one executes it.
	expect 0 "" attack_run c "$with" xz
	grep -q '^xz ' /run/volume/seen || node_fail "not even so"
	node_end
}

# spec_hook KIND: a filter: such a hook, which says so in /run/hooked.
spec_hook() {
	echo ".hooks[\"$1\"] = [{path: \"/bin/sh\", args: [\"sh\", \"-c\",
	    \"echo $1 >>/run/hooked\"], env: [\"LD_PRELOAD=/evil.so\"]}]"
}

node_test cve_2024_0132_a_hook_that_is_executed_for_a_container \
    "is refused, of whatever kind; runc executes it"
cve_2024_0132_a_hook_that_is_executed_for_a_container_body() {
	node_begin
	n=0
	for kind in prestart createRuntime createContainer startContainer \
	    poststart poststop; do
		n=$((n + 1))
		expect_refusal "hooks are not supported" attack_run "v$n" \
		    "$(spec_hook $kind)" true
	done
	[ ! -e /run/hooked ] || node_fail "$(cat /run/hooked)"
	command -v runc >/dev/null || atf_skip "no runc, to see one executed"
	mkdir -p root/proc root/dev root/sys root/bin
	spec_make config.json "$(spec_hook createRuntime) |
	    .root.path = \"root\"" /true
	expect "*" "*" runc --root /run/runc run "h${REGRESS_DIR##*.}"
	expect "*" "*" runc --root /run/runc delete -f "h${REGRESS_DIR##*.}"
	[ "$(cat /run/hooked)" = createRuntime ] || node_fail "not even runc"
	node_end
}

node_test cve_2020_5291_a_program_that_makes_root_of_its_caller \
    "none of ours is one: set-user-ID, with capabilities, or by its arguments"
cve_2020_5291_a_program_that_makes_root_of_its_caller_body() {
	node_begin
	mkdir -m 0755 /run/programs
	for program in reaper-privsep containerd-shim-reaper-v2 \
	    reaper-runtime; do
		install -m 0755 "$REGRESS_BUILD/$program" /run/programs/
		[ -z "$(find "$REGRESS_BUILD/$program" -perm /6022)" ] ||
		    node_fail "$program: its mode"
		[ -z "$(getcap "$REGRESS_BUILD/$program" 2>/dev/null)" ] ||
		    node_fail "$program: its capabilities"
	done
	# As a user, with arguments and descriptors as one likes; and none.
	user="setpriv --reuid 1000 --regid 1000 --clear-groups"
	for program in reaper-privsep containerd-shim-reaper-v2 \
	    reaper-runtime; do
		for arguments in "" "-s \\" "--bind / /" "-R /tmp id" \
		    "-namespace x -id ../../etc -address / start" \
		    "run --bundle / root" "exec --user 0 a id"; do
			# shellcheck disable=SC2086 # a list of words
			timeout 20 $user "/run/programs/$program" $arguments \
			    </dev/null >out 2>err
			code=$?
			[ $code -ne 0 ] && [ $code -lt 124 ] ||
			    [ "$program" = reaper-runtime ] ||
			    node_fail "$program $arguments: $code"
			! grep -q "uid=0" out || node_fail "it is root"
		done
		timeout 20 $user perl -e 'my ($p) = @ARGV; my $f = qq($p\0);
		    my $none = pack("Q", 0);
		    # execve(2) with argc 0
		    syscall(59, $f, $none, $none)' "/run/programs/$program" \
		    </dev/null >out 2>err
		code=$?
		[ $code -lt 124 ] || [ $code -eq 134 ] ||
		    node_fail "$program without arguments: $code"
		! grep -q "uid=0" out || node_fail "it is root"
	done
	node_end
}

node_test cve_2024_6387_a_handler_that_interrupts_what_it_uses \
    "none of ours has a handler of signals"
cve_2024_6387_a_handler_that_interrupts_what_it_uses_body() {
	! grep -q -e ' -fsanitize=' "$REGRESS_BUILD/flags" ||
	    atf_skip "sanitizers have handlers"
	node_begin
	attack_start a . perl -e '$SIG{ALRM} = sub { }; sleep(1000)'
	until_true 10 pgrep -x perl || node_fail "it does not run"
	for pid in $(shim_pid) $(helper_pid) $(publisher_pid) $(init_pid); do
		[ "$(status_of "$pid" SigCgt)" = 0000000000000000 ] ||
		    node_fail "$(cat "/proc/$pid/comm") has one"
	done
	until_true 10 not sh -c \
	    "grep -q 'SigCgt:.0*\$' /proc/$(pids_of perl)/status" ||
	    node_fail "not even a workload has one"
	task_end a
	node_end
}

atf_init_test_cases() {
	node_add
}
