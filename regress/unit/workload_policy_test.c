/*
 * What is left to a workload: refused calls are tried under its filter and
 * without it, ordinary things under it, and what cannot be tried is looked up
 * in the program.  The lists here are written independently of
 * sandbox-policies/.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "policies.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define HIGH	       (1L << 32)
#define NEGATIVE       (-HIGH) /* an int that was sign-extended */
#define LAST_CALL      469     /* file_setattr */
#define OPEN_TREE_ATTR 467
#define SMC	       256 /* a protocol of AF_INET */
#define X32	       0x40000000L
#define TERMINAL       100 /* descriptor of a pty's slave */
#define ANY                            \
	{                              \
		-1, -1, -1, -1, -1, -1 \
	}

#ifdef __x86_64__
#define ARCH	   AUDIT_ARCH_X86_64
#define OTHER_ARCH AUDIT_ARCH_I386
#else
#define ARCH	   AUDIT_ARCH_AARCH64
#define OTHER_ARCH AUDIT_ARCH_ARM
#endif

struct call {
	long nr;
	long args[6];
};

/* Fails in a child, where ATF cannot be told. */
#define MUST(condition)                                                       \
	do {                                                                  \
		if (!(condition)) {                                           \
			dprintf(STDERR_FILENO, "line %d: %s: %s\n", __LINE__, \
			    #condition, strerror(errno));                     \
			_exit(255);                                           \
		}                                                             \
	} while (0)

#define ROOT_TEST(name, description)                           \
	ATF_TC(name);                                          \
	ATF_TC_HEAD(name, tc)                                  \
	{                                                      \
		atf_tc_set_md_var(tc, "descr", description);   \
		atf_tc_set_md_var(tc, "require.user", "root"); \
	}                                                      \
	ATF_TC_BODY(name, tc)

static void
enter_filter(void)
{
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &policy_workload) == 0);
}

/* A terminal for the calls that need one. */
static void
make_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int slave;

	ATF_REQUIRE(
	    master != -1 && grantpt(master) == 0 && unlockpt(master) == 0);
	ATF_REQUIRE((slave = open(ptsname(master), O_RDWR | O_NOCTTY)) != -1);
	ATF_REQUIRE_EQ(TERMINAL, dup2(slave, TERMINAL));
}

/* Makes the call in a child; returns its errno, or 0. */
static int
error_of(const struct call *call, int filtered)
{
	const long *a = call->args;
	int status;
	pid_t pid;

	unlink("node");
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (filtered)
			enter_filter();
		if (syscall(call->nr, a[0], a[1], a[2], a[3], a[4], a[5]) == -1)
			_exit(errno);
		_exit(0);
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_REQUIRE_MSG(WIFEXITED(status) && WEXITSTATUS(status) != 255,
	    "call %ld: status 0x%x", call->nr, status);
	return (WEXITSTATUS(status));
}

/* Runs the function under the filter. */
static void
check_works(void (*function)(void))
{
	int status;
	pid_t pid = fork();

	ATF_REQUIRE(pid != -1);
	if (pid == 0) {
		enter_filter();
		function();
		_exit(0);
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_CHECK_EQ_MSG(0, status, "status 0x%x", status);
}

/* What the program answers. */
static uint32_t
answer(uint32_t arch, long nr, const long args[6])
{
	const struct sock_filter *insn = policy_workload.filter;
	struct seccomp_data data = { .nr = (int)nr, .arch = arch };
	uint32_t a = 0;
	int is_true;

	for (int i = 0; i < 6; i++)
		data.args[i] = (uint64_t)args[i];
	for (;; insn++) {
		ATF_REQUIRE(
		    insn < policy_workload.filter + policy_workload.len);
		switch (insn->code) {
		case BPF_RET | BPF_K:
			return (insn->k);
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (char *)&data + insn->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= insn->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			is_true = a == insn->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			is_true = a >= insn->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			is_true = a > insn->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			is_true = (a & insn->k) != 0;
			break;
		default:
			atf_tc_fail("instruction 0x%x", insn->code);
		}
		insn += is_true ? insn->jt : insn->jf;
	}
}

/* Checks that the program answers with the errno, or allows if it is 0. */
static void
check_answer(const struct call *call, int expected)
{
	uint32_t found = answer(ARCH, call->nr, call->args);

	ATF_CHECK_MSG(found ==
		(expected == 0 ? SECCOMP_RET_ALLOW :
				 SECCOMP_RET_ERRNO | (uint32_t)expected),
	    "call %ld (0x%lx, 0x%lx, 0x%lx): 0x%x, expected errno %d", call->nr,
	    call->args[0], call->args[1], call->args[2], found, expected);
}

/* Refused with any arguments. */
static const struct refused {
	int error;
	long nr;
} always[] = {
	{ EPERM, SYS_mount },
	{ EPERM, SYS_umount2 },
	{ EPERM, SYS_pivot_root },
	{ EPERM, SYS_open_tree },
	{ EPERM, OPEN_TREE_ATTR },
	{ EPERM, SYS_move_mount },
	{ EPERM, SYS_fsopen },
	{ EPERM, SYS_fsconfig },
	{ EPERM, SYS_fsmount },
	{ EPERM, SYS_fspick },
	{ EPERM, SYS_mount_setattr },
	{ EPERM, SYS_setns },
	{ ENOSYS, SYS_clone3 },
	{ EPERM, SYS_open_by_handle_at },
	{ EPERM, SYS_keyctl },
	{ EPERM, SYS_add_key },
	{ EPERM, SYS_request_key },
	{ EPERM, SYS_bpf },
	{ EPERM, SYS_perf_event_open },
	{ EPERM, SYS_io_uring_setup },
	{ EPERM, SYS_io_uring_enter },
	{ EPERM, SYS_io_uring_register },
	{ EPERM, SYS_userfaultfd },
	{ EPERM, SYS_syslog },
	{ EPERM, SYS_lookup_dcookie },
	{ ENOSYS, SYS_nfsservctl },
	{ EPERM, SYS_init_module },
	{ EPERM, SYS_finit_module },
	{ EPERM, SYS_delete_module },
	{ EPERM, SYS_kexec_load },
	{ EPERM, SYS_kexec_file_load },
	{ EPERM, SYS_reboot },
	{ EPERM, SYS_swapon },
	{ EPERM, SYS_swapoff },
	{ EPERM, SYS_acct },
	{ EPERM, SYS_quotactl },
	{ EPERM, SYS_quotactl_fd },
#ifdef __x86_64__
	{ ENOSYS, SYS_modify_ldt },
	{ ENOSYS, SYS_uselib },
	{ EPERM, SYS_iopl },
	{ EPERM, SYS_ioperm },
#endif
};

/* Refused with these arguments. */
static const struct {
	int error;
	struct call call;
} sometimes[] = {
	{ EPERM, { SYS_unshare, { CLONE_NEWNS } } },
	{ EPERM, { SYS_unshare, { CLONE_NEWUSER } } },
	{ EPERM, { SYS_unshare, { CLONE_NEWPID | CLONE_FS } } },
	{ EPERM, { SYS_unshare, { HIGH | CLONE_NEWNET } } },
	{ EPERM, { SYS_clone, { SIGCHLD | CLONE_NEWNS } } },
	{ EPERM, { SYS_clone, { SIGCHLD | CLONE_NEWUSER } } },
	{ EPERM, { SYS_clone, { SIGCHLD | CLONE_NEWCGROUP } } },
	{ EPERM, { SYS_clone, { HIGH | SIGCHLD | CLONE_NEWUSER } } },
	{ EPERM, { SYS_clone, { NEGATIVE | SIGCHLD | CLONE_NEWPID } } },
	{ EPERM, { SYS_mknodat, { AT_FDCWD, (long)"node", S_IFCHR | 0600 } } },
	{ EPERM,
	    { SYS_mknodat,
		{ AT_FDCWD, (long)"node", HIGH | S_IFBLK, 0x801 } } },
	{ EPERM,
	    { SYS_mknodat,
		{ AT_FDCWD, (long)"node", 0x10000 | S_IFCHR, 0x103 } } },
	{ EPERM,
	    { SYS_renameat2,
		{ AT_FDCWD, (long)"none", AT_FDCWD, (long)"node",
		    HIGH | RENAME_WHITEOUT } } },
	{ EAFNOSUPPORT, { SYS_socket, { AF_PACKET, SOCK_RAW } } },
	{ EAFNOSUPPORT, { SYS_socket, { HIGH | AF_PACKET, SOCK_RAW } } },
	{ EAFNOSUPPORT, { SYS_socket, { NEGATIVE | AF_PACKET, SOCK_DGRAM } } },
	{ EAFNOSUPPORT,
	    { SYS_socket, { AF_INET, SOCK_PACKET | SOCK_CLOEXEC } } },
	{ EAFNOSUPPORT,
	    { SYS_socket, { HIGH | AF_INET, HIGH | SOCK_PACKET } } },
	{ EPROTONOSUPPORT,
	    { SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT } } },
	{ EPROTONOSUPPORT,
	    { SYS_socket,
		{ HIGH | AF_NETLINK, SOCK_RAW, HIGH | NETLINK_GENERIC } } },
	{ EAFNOSUPPORT, { SYS_socketpair, { AF_PACKET, SOCK_RAW } } },
	{ EAFNOSUPPORT, { SYS_socketpair, { AF_INET, SOCK_PACKET } } },
	{ EPROTONOSUPPORT,
	    { SYS_socketpair,
		{ AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT } } },
	{ EPERM, { SYS_ioctl, { TERMINAL, TIOCSTI, (long)"x" } } },
	{ EPERM, { SYS_ioctl, { TERMINAL, HIGH | TIOCSTI, (long)"x" } } },
	{ EPERM, { SYS_ioctl, { TERMINAL, NEGATIVE | TIOCSTI, (long)"x" } } },
	{ EPERM, { SYS_ioctl, { TERMINAL, TIOCLINUX, (long)"\3" } } },
	{ EPERM, { SYS_ioctl, { TERMINAL, HIGH | TIOCLINUX, (long)"\3" } } },
#ifdef __x86_64__
	{ EPERM, { SYS_mknod, { (long)"node", S_IFCHR | 0600, 0x103 } } },
	{ EPERM, { SYS_mknod, { (long)"node", HIGH | S_IFBLK, 0x801 } } },
	{ EPERM, { SYS_mknod, { (long)"node", S_IFCHR, 0 } } },
#endif
};

/*
 * Refused by some kernels for reasons of their own, with the same errno: what
 * they lack, or what a setting forbids to root too.
 */
static const long kernel_may_refuse[] = { SYS_nfsservctl, SYS_init_module,
	SYS_finit_module, SYS_delete_module, SYS_kexec_load,
	SYS_kexec_file_load, SYS_io_uring_setup, SYS_bpf, SYS_perf_event_open,
#ifdef __x86_64__
	SYS_modify_ldt, SYS_uselib, SYS_iopl, SYS_ioperm,
#endif
	-1 };

static int
listed(const long *list, long nr)
{
	while (*list != -1 && *list != nr)
		list++;
	return (*list == nr);
}

/* Checks the result with the filter, and that it is due to the filter. */
static void
check_refused(const struct call *call, int expected)
{
	int error = error_of(call, 1);

	ATF_CHECK_EQ_MSG(expected, error, "call %ld (0x%lx, 0x%lx, 0x%lx): %s",
	    call->nr, call->args[0], call->args[1], call->args[2],
	    strerror(error));
	check_answer(call, expected);
	if (!listed(kernel_may_refuse, call->nr))
		ATF_CHECK_MSG(error_of(call, 0) != expected,
		    "call %ld (0x%lx, 0x%lx, 0x%lx): refused by the kernel",
		    call->nr, call->args[0], call->args[1], call->args[2]);
}

ROOT_TEST(what_hands_over_the_node_or_a_tenant_is_refused,
    "Mounts, namespaces, keys, rings, modules and their like, with an errno")
{
	for (size_t i = 0; i < COUNT(always); i++) {
		const struct call call = { always[i].nr, ANY };

		check_refused(&call, always[i].error);
	}
}

ROOT_TEST(arguments_are_refused_whatever_their_high_half,
    "Namespaces, devices, sockets, terminals; bits that the kernel ignores")
{
	make_terminal();
	for (size_t i = 0; i < COUNT(sometimes); i++)
		check_refused(&sometimes[i].call, sometimes[i].error);
}

ATF_TC_WITHOUT_HEAD(all_other_calls_are_allowed_up_to_the_last_one);
ATF_TC_BODY(all_other_calls_are_allowed_up_to_the_last_one, tc)
{
	for (long nr = 0; nr <= 2 * LAST_CALL; nr++) {
		struct call call = { nr, { 0 } };
		int expected = nr > LAST_CALL ? ENOSYS : 0;

		/* Family 0 is none. */
		if (nr == SYS_socket || nr == SYS_socketpair)
			expected = EAFNOSUPPORT;
		for (size_t i = 0; i < COUNT(always); i++)
			if (always[i].nr == nr)
				expected = always[i].error;
		check_answer(&call, expected);

		call.nr |= X32;
		check_answer(&call, ENOSYS);
		ATF_CHECK_EQ(SECCOMP_RET_KILL_PROCESS,
		    answer(OTHER_ARCH, nr, call.args));
	}
	/* What a debugger makes of a call that is not to be made. */
	check_answer(&(struct call){ -1, { 0 } }, 0);
	check_answer(&(struct call){ -2, { 0 } }, ENOSYS);
	check_answer(&(struct call){ INT32_MIN, { 0 } }, ENOSYS);
}

ATF_TC_WITHOUT_HEAD(no_flag_makes_a_namespace);
ATF_TC_BODY(no_flag_makes_a_namespace, tc)
{
	const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP |
	    CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
	    CLONE_NEWNET;
	const uint64_t harmless = CLONE_VM | CLONE_FS | CLONE_FILES |
	    CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	for (int bit = 0; bit < 64; bit++) {
		const uint64_t flag = UINT64_C(1) << bit;
		const uint64_t low = flag & UINT32_MAX;

		check_answer(&(struct call){ SYS_clone, { (long)flag } },
		    (flag & namespaces) != 0 ? EPERM : 0);
		check_answer(&(struct call){ SYS_unshare, { (long)flag } },
		    (low & ~harmless) != 0 ? EPERM : 0);
	}
	check_answer(&(struct call){ SYS_clone, { (long)~namespaces } }, 0);
	check_answer(&(struct call){ SYS_unshare, { (long)harmless } }, 0);
}

ATF_TC_WITHOUT_HEAD(no_number_makes_a_socket_of_another_family);
ATF_TC_BODY(no_number_makes_a_socket_of_another_family, tc)
{
	const long calls[] = { SYS_socket, SYS_socketpair };
	const long highs[] = { 0, HIGH, NEGATIVE };

	for (size_t c = 0; c < COUNT(calls); c++)
		for (size_t h = 0; h < COUNT(highs); h++) {
			struct call call = { calls[c],
				{ 0, highs[h] | SOCK_RAW } };

			for (long family = 0; family < 0x20000; family++) {
				call.args[0] = highs[h] | family;
				check_answer(&call,
				    family == AF_UNIX || family == AF_INET ||
					    family == AF_INET6 ||
					    family == AF_NETLINK ?
					0 :
					EAFNOSUPPORT);
			}
			for (long protocol = 0; protocol < 512; protocol++) {
				call.args[2] = highs[h] | protocol;
				call.args[0] = highs[h] | AF_NETLINK;
				check_answer(&call,
				    protocol == NETLINK_ROUTE ?
					0 :
					EPROTONOSUPPORT);
				call.args[0] = highs[h] | AF_INET6;
				check_answer(&call,
				    protocol == SMC ? EPROTONOSUPPORT : 0);
			}
		}
}

#ifdef __x86_64__
ROOT_TEST(a_call_of_x32_does_not_exist, "Even if the kernel has them")
{
	const struct call call = { X32 | SYS_getpid, { 0 } };

	ATF_CHECK_EQ(ENOSYS, error_of(&call, 1));
}

ROOT_TEST(a_call_of_i386_kills, "Its numbers mean other calls")
{
	int status;
	long nr = 20; /* getpid */
	pid_t pid = fork();

	ATF_REQUIRE(pid != -1);
	if (pid == 0) {
		enter_filter();
		__asm__ volatile("int $0x80"
				 : "+a"(nr)
				 :
				 : "memory", "cc", "r8", "r9", "r10", "r11");
		_exit(0);
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_CHECK_MSG(WIFSIGNALED(status), "status 0x%x", status);
	/* Without 32-bit programs in the kernel it is a fault. */
	ATF_CHECK(WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV);
}
#endif

static void *
run_thread(void *arg)
{
	*(int *)arg = 1;
	return (arg);
}

static int
ended_well(pid_t pid)
{
	int status;

	return (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

static void
make_processes_and_threads(void)
{
	char *const argv[] = { (char *)"true", NULL };
	pthread_t thread;
	int ran = 0;
	pid_t pid;

	MUST(pthread_create(&thread, NULL, run_thread, &ran) == 0);
	MUST(pthread_join(thread, NULL) == 0 && ran == 1);

	MUST((pid = fork()) != -1);
	if (pid == 0) {
		execv("/bin/true", argv);
		_exit(1);
	}
	MUST(ended_well(pid));

	MUST((pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) != -1);
	if (pid == 0)
		_exit(0);
	MUST(ended_well(pid));
	/* The bit of CLONE_NEWTIME belongs to the signal here. */
	MUST((pid = (pid_t)syscall(SYS_clone, HIGH | SIGCHLD, 0, 0, 0, 0)) !=
	    -1);
	if (pid == 0)
		_exit(0);
	MUST(ended_well(pid));

	MUST(unshare(0) == 0);
	MUST(unshare(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM) == 0);
	MUST(system("test \"$(echo a | tr a b)\" = b") == 0);
}

ROOT_TEST(programs_fork_execute_and_make_threads, "libc does without clone3")
{
	check_works(make_processes_and_threads);
}

static void
make_sockets(void)
{
	int pair[2];

	MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) != -1);
	MUST(socket(AF_INET, SOCK_STREAM, 0) != -1);
	MUST(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP) != -1);
	MUST(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) != -1);
	MUST(socket(AF_INET6, SOCK_DGRAM, 0) != -1 || errno == EAFNOSUPPORT);
	MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) != -1);
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	/* What a register holds beyond an int is nobody's business. */
	MUST(syscall(SYS_socket, HIGH | AF_UNIX, HIGH | SOCK_STREAM, HIGH) !=
	    -1);
}

ROOT_TEST(sockets_of_ordinary_families_work,
    "UNIX, INET, INET6 and route's NETLINK")
{
	check_works(make_sockets);
}

static void
use_terminal(void)
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int master, slave, count;
	struct termios mode;
	char byte;

	MUST((master = posix_openpt(O_RDWR | O_NOCTTY)) != -1);
	MUST(grantpt(master) == 0 && unlockpt(master) == 0);
	MUST(setsid() != -1);
	MUST((slave = open(ptsname(master), O_RDWR | O_NOCTTY)) != -1);
	MUST(ioctl(slave, TIOCSCTTY, 0) == 0);
	MUST(ioctl(master, TIOCSWINSZ, &size) == 0);
	MUST(tcgetattr(slave, &mode) == 0);
	cfmakeraw(&mode);
	MUST(tcsetattr(slave, TCSANOW, &mode) == 0);
	MUST(ioctl(slave, FIONREAD, &count) == 0 && count == 0);
	MUST(write(master, "a", 1) == 1);
	MUST(read(slave, &byte, 1) == 1 && byte == 'a');
	MUST(tcgetpgrp(slave) == getpgrp());
}

ROOT_TEST(terminals_work, "Only what others would type is refused")
{
	check_works(use_terminal);
}

static void
make_nodes(void)
{
	MUST(mkfifo("fifo", 0600) == 0);
	MUST(syscall(SYS_mknodat, AT_FDCWD, "sock", S_IFSOCK | 0600, 0) == 0);
	MUST(syscall(SYS_mknodat, AT_FDCWD, "file", S_IFREG | 0600, 0) == 0);
	MUST(syscall(SYS_mknodat, AT_FDCWD, "zero", 0600, 0) == 0);
#ifdef __x86_64__
	MUST(syscall(SYS_mknod, "fifo2", S_IFIFO | 0600, 0) == 0);
#endif
	MUST(rename("file", "renamed") == 0);
	MUST(syscall(SYS_renameat2, AT_FDCWD, "renamed", AT_FDCWD, "zero",
		 RENAME_EXCHANGE) == 0 ||
	    errno == EINVAL);
}

ROOT_TEST(fifos_sockets_and_files_can_be_made, "Nodes that are no devices")
{
	check_works(make_nodes);
}

static void
debug_child(void)
{
	int status;
	pid_t pid;

	MUST((pid = fork()) != -1);
	if (pid == 0) {
		MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
		raise(SIGSTOP);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	/* A tracer that is filtered cannot switch filters off. */
	MUST(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_SUSPEND_SECCOMP) ==
		-1 &&
	    (errno == EPERM || errno == EINVAL));
	MUST(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
	MUST(ended_well(pid));
}

ROOT_TEST(a_debugger_works, "A process traces its child")
{
	check_works(debug_child);
}

static volatile sig_atomic_t caught;

static void catch (int number)
{
	caught = number;
}

static void
prepare_as_launch_does(void)
{
	static const struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { COUNT(insns),
		(struct sock_filter *)insns };
	const struct sigaction action = { .sa_handler = catch };

	MUST(sigaction(SIGUSR1, &action, NULL) == 0);
	MUST(raise(SIGUSR1) == 0 && caught == SIGUSR1);
	MUST(prctl(PR_SET_NAME, "workload") == 0);
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	MUST(prctl(PR_SET_KEEPCAPS, 1) == 0);
	MUST(chroot(".") == 0);
	MUST(setresgid(1, 1, 1) == 0 && setresuid(1, 1, 1) == 0);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	MUST(syscall(SYS_getppid) == -1 && errno == ENOTTY);
	/* The first one still holds. */
	MUST(syscall(SYS_umount2, "/proc", 0) == -1 && errno == EPERM);
	MUST(syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS);
}

ROOT_TEST(an_identity_and_a_second_filter_can_follow,
    "What comes between the filter and the program")
{
	check_works(prepare_as_launch_does);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, what_hands_over_the_node_or_a_tenant_is_refused);
	ATF_TP_ADD_TC(tp, arguments_are_refused_whatever_their_high_half);
	ATF_TP_ADD_TC(tp, all_other_calls_are_allowed_up_to_the_last_one);
	ATF_TP_ADD_TC(tp, no_flag_makes_a_namespace);
	ATF_TP_ADD_TC(tp, no_number_makes_a_socket_of_another_family);
#ifdef __x86_64__
	ATF_TP_ADD_TC(tp, a_call_of_x32_does_not_exist);
	ATF_TP_ADD_TC(tp, a_call_of_i386_kills);
#endif
	ATF_TP_ADD_TC(tp, programs_fork_execute_and_make_threads);
	ATF_TP_ADD_TC(tp, sockets_of_ordinary_families_work);
	ATF_TP_ADD_TC(tp, terminals_work);
	ATF_TP_ADD_TC(tp, fifos_sockets_and_files_can_be_made);
	ATF_TP_ADD_TC(tp, a_debugger_works);
	ATF_TP_ADD_TC(tp, an_identity_and_a_second_filter_can_follow);
	return (atf_no_error());
}
