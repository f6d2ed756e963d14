/*
 * What is left to a process inside a sandbox, tried from inside.  The lists of
 * calls here are written independently of sandbox-policies/.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <linux/seccomp.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policies.h"
#include "unpriv/sandbox.h"

#define TEST_UID     64999
#define CALLS_MAX    470 /* past the last call of Linux 6.18 */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HIGH	     (1L << 32)

struct call {
	long nr;
	long args[6];
};

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* The call with arguments that do no harm where it is allowed. */
static struct call
bad_call(long nr)
{
	return ((struct call){ nr, { -1, -1, -1, -1, -1, -1 } });
}

static int
enter_shim(void)
{
	const gid_t groups[] = { 1, 2 };
	int fd = open("root", O_DIRECTORY | O_CLOEXEC);

	/* Something to be given up. */
	if (fd == -1 || setgroups(COUNT(groups), groups) == -1 ||
	    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1)
		return (-errno);
	return (sandbox_enter_shim(TEST_UID, fd));
}

static int
enter_filter(const struct sock_fprog *policy)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, policy) == -1)
		return (-errno);
	return (0);
}

static int
enter_mount(void)
{
	return (enter_filter(&policy_mount));
}

static int
enter_init(void)
{
	return (enter_filter(&policy_init));
}

static int
enter_publisher(void)
{
	int fd = open("root", O_DIRECTORY | O_CLOEXEC);

	return (fd == -1 ? -errno : sandbox_enter_publisher(fd));
}

/* The calls that a role may make, with any arguments; each ends with -1. */
static const long shim_calls[] = { SYS_read, SYS_write, SYS_pread64,
	SYS_pwrite64, SYS_recvmsg, SYS_sendmsg, SYS_accept4, SYS_epoll_ctl,
	SYS_close, SYS_clock_gettime, SYS_lseek, SYS_brk, SYS_munmap,
	SYS_mremap, SYS_exit_group,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#else
	SYS_epoll_pwait,
#endif
	-1 };

static const long publisher_calls[] = { SYS_read, SYS_write, SYS_recvmsg,
	SYS_pread64, SYS_eventfd2, SYS_connect, SYS_close, SYS_clock_gettime,
	SYS_lseek, SYS_brk, SYS_restart_syscall, SYS_exit_group,
#ifdef SYS_poll
	SYS_poll,
#else
	SYS_ppoll,
#endif
	-1 };

static const long init_calls[] = { SYS_restart_syscall, SYS_exit_group,
#ifdef SYS_poll
	SYS_poll,
#else
	SYS_ppoll,
#endif
	-1 };

static const long decode_calls[] = { SYS_read, SYS_write, SYS_exit_group,
	SYS_brk, SYS_munmap, SYS_mremap, -1 };

static const long cli_calls[] = { SYS_read, SYS_write, SYS_close,
	SYS_clock_gettime, SYS_brk, SYS_munmap, SYS_mremap, SYS_restart_syscall,
	SYS_exit_group,
#ifdef SYS_poll
	SYS_poll,
#else
	SYS_ppoll,
#endif
	-1 };

static const struct role {
	const char *name;
	int (*enter)(void);
	const long *calls; /* or NULL: too many to be worth a second list */
} roles[] = {
	{ "shim", enter_shim, shim_calls },
	{ "decode", sandbox_enter_decode, decode_calls },
	{ "publisher", enter_publisher, publisher_calls },
	{ "init", enter_init, init_calls },
	{ "mount", enter_mount, NULL },
	{ "cli", sandbox_enter_cli, cli_calls },
};

#define SHIM	  (&roles[0])
#define DECODE	  (&roles[1])
#define PUBLISHER (&roles[2])
#define CLI	  (&roles[5])

static long
call_raw(const struct call *call)
{
	const long *a = call->args;

	return (syscall(call->nr, a[0], a[1], a[2], a[3], a[4], a[5]));
}

/* Enters the role and makes the call in a child; returns its wait status. */
static int
status_of(const struct role *role, const struct call *call)
{
	int status;
	pid_t pid = fork();

	ATF_REQUIRE(pid != -1);
	if (pid == 0) {
		if (role->enter() != 0)
			_exit(1);
		call_raw(call);
		/* Not _exit: the address sanitizer makes calls before it. */
		syscall(SYS_exit_group, 0);
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	return (status);
}

static void
check_killed(const struct role *role, const struct call *call)
{
	int status = status_of(role, call);

	ATF_CHECK_MSG(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
	    "%s: call %ld (0x%lx, 0x%lx, 0x%lx): status 0x%x", role->name,
	    call->nr, call->args[0], call->args[1], call->args[2], status);
}

static void
check_allowed(const struct role *role, const struct call *call)
{
	int status = status_of(role, call);

	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "%s: call %ld (0x%lx, 0x%lx, 0x%lx): status 0x%x", role->name,
	    call->nr, call->args[0], call->args[1], call->args[2], status);
}

static void
make_root(void)
{
	ATF_REQUIRE_EQ(0, mkdir("root", 0755));
}

#define ROOT_TEST(name, description)                           \
	ATF_TC(name);                                          \
	ATF_TC_HEAD(name, tc)                                  \
	{                                                      \
		atf_tc_set_md_var(tc, "descr", description);   \
		atf_tc_set_md_var(tc, "require.user", "root"); \
	}                                                      \
	ATF_TC_BODY(name, tc)

/* What the shim may call with these arguments alone. */
static const struct call shim_exact[] = {
	{ SYS_mmap, { 0, 4096, RW, ANON, -1, 0 } },
	{ SYS_memfd_create, { 0, MFD_CLOEXEC | MFD_ALLOW_SEALING } },
	{ SYS_fcntl, { -1, F_ADD_SEALS, 0 } },
	{ SYS_fcntl, { -1, F_GETFL } },
	{ SYS_fcntl, { -1, F_SETFL, O_NONBLOCK | O_ASYNC | O_APPEND } },
	{ SYS_ioctl, { -1, TIOCSWINSZ, 0 } },
	{ SYS_getsockopt, { -1, SOL_SOCKET, SO_PEERCRED } },
};

static const struct call shim_wrong[] = {
	{ SYS_mmap, { 0, 4096, RW | PROT_EXEC, ANON, -1, 0 } },
	{ SYS_mmap, { 0, 4096, HIGH | PROT_EXEC, ANON, -1, 0 } },
	{ SYS_mprotect, { 0, 4096, PROT_READ | PROT_EXEC } },
	{ SYS_memfd_create, { 0, 0 } },
	{ SYS_fcntl, { 0, F_SETOWN, 1 } },
	{ SYS_fcntl, { 0, F_DUPFD, 0 } },
	/* With it, what is in the log could be written over. */
	{ SYS_fcntl, { 0, F_SETFL, O_NONBLOCK | O_ASYNC } },
	{ SYS_fcntl, { 0, F_SETFL, O_ASYNC } },
	{ SYS_fcntl, { 0, F_SETFL, 0 } },
	{ SYS_fcntl, { 0, HIGH | F_SETOWN, 1 } },
	{ SYS_fcntl, { 0, HIGH | F_GETFL } },
	{ SYS_ioctl, { 0, TIOCSTI, 0 } },
	{ SYS_ioctl, { 0, TIOCGPTPEER, 0 } },
	{ SYS_ioctl, { 0, TIOCSCTTY, 0 } },
	{ SYS_ioctl, { 0, TCSETS, 0 } },
	{ SYS_ioctl, { 0, FIOASYNC, 0 } },
	{ SYS_ioctl, { 0, HIGH | TIOCSWINSZ, 0 } },
	{ SYS_getsockopt, { 0, SOL_SOCKET, SO_TYPE } },
	{ SYS_getsockopt, { 0, 0, SO_PEERCRED } },
};

/*
 * uretprobe and uprobe: the kernel lets them through before any filter (since
 * 6.14 and 6.18), and refuses them except from a trampoline of its own.
 */
static const long never_filtered[] = {
#ifdef __x86_64__
	335, 336,
#endif
	-1
};

/* What none of the roles may do, whatever else it does. */
static const long forbidden[] = { SYS_execve, SYS_execveat, SYS_clone,
	SYS_clone3, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_pidfd_getfd, SYS_pidfd_open, SYS_kill, SYS_tgkill, SYS_tkill,
	SYS_pidfd_send_signal, SYS_rt_sigqueueinfo, SYS_setuid, SYS_setresuid,
	SYS_setgid, SYS_setresgid, SYS_setgroups, SYS_capset, SYS_prctl,
	SYS_socket, SYS_bind, SYS_listen, SYS_bpf, SYS_keyctl, SYS_add_key,
	SYS_request_key, SYS_io_uring_setup, SYS_userfaultfd,
	SYS_perf_event_open, SYS_open_by_handle_at, SYS_init_module,
	SYS_finit_module, SYS_kexec_load, SYS_prlimit64, SYS_setrlimit,
	SYS_setns, SYS_unshare, SYS_ioctl, SYS_fcntl, SYS_mmap, SYS_mprotect,
	SYS_chroot, SYS_quotactl, SYS_swapon, SYS_reboot, SYS_syslog,
	SYS_settimeofday, SYS_acct, SYS_seccomp, -1 };

static int
listed(const long *list, long nr)
{
	while (*list != -1 && *list != nr)
		list++;
	return (*list == nr);
}

ROOT_TEST(every_call_that_is_not_listed_kills,
    "All numbers up to 470, with arguments that match no condition")
{
	make_root();
	for (size_t r = 0; r < COUNT(roles); r++)
		for (long nr = 0; nr <= CALLS_MAX; nr++) {
			struct call call = bad_call(nr);

			if (roles[r].calls != NULL &&
			    !listed(roles[r].calls, nr) &&
			    !listed(never_filtered, nr))
				check_killed(&roles[r], &call);
		}
}

ROOT_TEST(every_call_that_is_listed_works,
    "The filters let through what the roles need")
{
	make_root();
	for (size_t r = 0; r < COUNT(roles); r++)
		for (const long *nr = roles[r].calls; nr != NULL && *nr != -1;
		     nr++) {
			struct call call = bad_call(*nr);

			/* It would not come back to tell. */
			if (*nr != SYS_exit_group)
				check_allowed(&roles[r], &call);
		}
	for (size_t i = 0; i < COUNT(shim_exact); i++)
		check_allowed(SHIM, &shim_exact[i]);
	check_allowed(CLI, &(struct call){ SYS_ioctl, { -1, TIOCGWINSZ } });
}

ROOT_TEST(cli_is_killed_by_what_changes_a_terminal,
    "It sits at the terminal of an administrator")
{
	static const long requests[] = { TIOCSTI, TCSETS, TIOCSCTTY, TIOCSWINSZ,
		HIGH | TIOCGWINSZ };

	for (size_t i = 0; i < COUNT(requests); i++)
		check_killed(CLI,
		    &(struct call){ SYS_ioctl, { 0, requests[i] } });
}

ROOT_TEST(shim_is_killed_by_other_arguments,
    "Also if only the half that the kernel ignores differs")
{
	make_root();
	for (size_t i = 0; i < COUNT(shim_wrong); i++)
		check_killed(SHIM, &shim_wrong[i]);
}

/*
 * But for the one that lets a mount step give its capabilities up, when it has
 * become a pid 1: it can take on none, and can execute nothing.
 */
ROOT_TEST(no_role_can_execute_change_identity_or_reach_others,
    "Calls that are dangerous anywhere kill every role")
{
	make_root();
	for (size_t r = 0; r < COUNT(roles); r++)
		for (const long *nr = forbidden; *nr != -1; nr++) {
			struct call call = bad_call(*nr);

			if (*nr == SYS_capset && roles[r].enter == enter_mount)
				check_allowed(&roles[r], &call);
			else
				check_killed(&roles[r], &call);
		}
}

#ifdef __x86_64__
/* getpid, which is number 20 there; %rbx is saved, as it may be reserved. */
static void
call_i386(void)
{
	long nr = 20;

	__asm__ volatile("int $0x80"
			 : "+a"(nr)
			 :
			 : "memory", "cc", "r8", "r9", "r10", "r11");
}

ROOT_TEST(no_role_can_use_another_call_table,
    "x32 numbers and int 0x80 kill, also where the number is allowed")
{
	struct call call = bad_call(0x40000000 | SYS_read);
	int status;
	pid_t pid;

	make_root();
	for (size_t r = 0; r < COUNT(roles); r++) {
		check_killed(&roles[r], &call);

		ATF_REQUIRE((pid = fork()) != -1);
		if (pid == 0) {
			if (roles[r].enter() != 0)
				_exit(1);
			call_i386();
			syscall(SYS_exit_group, 0);
		}
		ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
		ATF_CHECK_MSG(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
		    "%s: int 0x80: status 0x%x", roles[r].name, status);
	}
}
#endif

/* Forks a child that enters the role, says so, and waits to be killed. */
static pid_t
fork_waiting(const struct role *role)
{
	int ready[2], never[2];
	char byte = 0;
	pid_t pid;

	ATF_REQUIRE_EQ(0, pipe2(ready, O_CLOEXEC));
	ATF_REQUIRE_EQ(0, pipe2(never, O_CLOEXEC));
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (role->enter() == 0)
			byte = 1;
		if (write(ready[1], &byte, 1) == 1 && byte == 1)
			(void)!read(never[0], &byte, 1);
		_exit(1);
	}
	ATF_REQUIRE_EQ(1, read(ready[0], &byte, 1));
	ATF_REQUIRE_EQ(1, byte);
	return (pid);
}

/* Checks that /proc/PID/FILE has the line, whose words are one space apart. */
static void
check_proc(pid_t pid, const char *file, const char *expected)
{
	char path[64], text[256], squeezed[256];
	int found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	ATF_REQUIRE((f = fopen(path, "re")) != NULL);
	while (!found && fgets(text, sizeof(text), f) != NULL) {
		char *save = NULL;

		squeezed[0] = '\0';
		for (char *word = strtok_r(text, " \t\n", &save); word != NULL;
		     word = strtok_r(NULL, " \t\n", &save)) {
			if (squeezed[0] != '\0')
				strcat(squeezed, " ");
			strcat(squeezed, word);
		}
		found = strcmp(squeezed, expected) == 0;
	}
	fclose(f);
	ATF_CHECK_MSG(found, "%s has no line \"%s\"", path, expected);
}

/* Checks whether the link /proc/PID/NAME leads to the target. */
static void
check_link(pid_t pid, const char *name, const char *target, int expected)
{
	char path[64], found[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	n = readlink(path, found, sizeof(found) - 1);
	found[n < 0 ? 0 : n] = '\0';
	ATF_CHECK_MSG((strcmp(found, target) == 0) == expected, "%s -> %s",
	    path, found);
}

static const char *const no_capability[] = { "CapInh: 0000000000000000",
	"CapPrm: 0000000000000000", "CapEff: 0000000000000000",
	"CapBnd: 0000000000000000", "CapAmb: 0000000000000000", "NoNewPrivs: 1",
	"Seccomp: 2" };

static const char *const shim_status[] = { "Uid: 64999 64999 64999 64999",
	"Gid: 64999 64999 64999 64999", "Groups:", "Threads: 1" };

static const char *const shim_limits[] = { "Max processes 0 0 processes",
	"Max core file size 0 0 bytes", "Max open files 8192 8192 files",
	"Max file size 17825792 17825792 bytes" };

ROOT_TEST(shim_has_no_identity_and_no_capability_left,
    "What the kernel says about the process")
{
	char path[64];
	char *directory;
	struct stat st;
	pid_t pid;

	make_root();
	ATF_REQUIRE((directory = realpath("root", NULL)) != NULL);
	pid = fork_waiting(SHIM);
	for (size_t i = 0; i < COUNT(no_capability); i++)
		check_proc(pid, "status", no_capability[i]);
	for (size_t i = 0; i < COUNT(shim_status); i++)
		check_proc(pid, "status", shim_status[i]);
	for (size_t i = 0; i < COUNT(shim_limits); i++)
		check_proc(pid, "limits", shim_limits[i]);

	check_link(pid, "root", directory, 1);
	check_link(pid, "cwd", directory, 1);
	for (int fd = 0; fd < 64; fd++) {
		snprintf(path, sizeof(path), "fd/%d", fd);
		check_link(pid, path, directory, 0);
	}
	/* Files in /proc belong to root if the process is not dumpable. */
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	ATF_REQUIRE_EQ(0, stat(path, &st));
	ATF_CHECK_EQ(0, st.st_uid);

	free(directory);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

ROOT_TEST(no_role_of_root_has_a_capability_left,
    "What the kernel says about decoder, publisher and command line")
{
	const struct role *const of_root[] = { DECODE, PUBLISHER, CLI };

	make_root();
	for (size_t r = 0; r < COUNT(of_root); r++) {
		pid_t pid = fork_waiting(of_root[r]);

		for (size_t i = 0; i < COUNT(no_capability); i++)
			check_proc(pid, "status", no_capability[i]);
		check_proc(pid, "limits", "Max processes 0 0 processes");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

/* A listening socket of that name; with a NUL first it is abstract. */
static struct sockaddr_un
make_listener(const char *name, size_t length)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ATF_REQUIRE(fd != -1);
	memcpy(address.sun_path, name, length);
	ATF_REQUIRE_EQ(0,
	    bind(fd, (struct sockaddr *)&address, sizeof(address)));
	ATF_REQUIRE_EQ(0, listen(fd, 1));
	return (address);
}

static int
connects(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return (connect(fd, (const struct sockaddr *)address,
		    sizeof(*address)) == 0);
}

ROOT_TEST(publisher_reaches_the_sockets_of_its_directory_only,
    "Neither other directories nor abstract names")
{
	struct sockaddr_un inside, outside, abstract;
	int status;
	pid_t pid;

	make_root();
	outside = make_listener("outside", sizeof("outside"));
	inside = make_listener("root/socket", sizeof("root/socket"));
	abstract = make_listener("\0reaper-test", sizeof("\0reaper-test"));
	strcpy(inside.sun_path, "/socket");
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (enter_publisher() != 0)
			_exit(1);
		if (!connects(&inside))
			syscall(SYS_exit_group, 2);
		if (connects(&outside))
			syscall(SYS_exit_group, 3);
		if (connects(&abstract))
			syscall(SYS_exit_group, 4);
		syscall(SYS_exit_group, 0);
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	if (sandbox_landlock_version() < 6 && status == 4 << 8)
		atf_tc_skip("this kernel's Landlock has no scopes");
	ATF_CHECK_EQ_MSG(0, status, "status 0x%x", status);
}

/*
 * What the other layers hold when there is no filter: exits with the number
 * of the first thing that worked, or 0.
 */
static void __attribute__((noreturn)) attack(void)
{
	int fd;

	if ((fd = open("/", O_RDONLY | O_DIRECTORY)) != -1)
		_exit(sandbox_landlock_version() > 0 ? 2 : 0);
	if (open("/etc/passwd", O_RDONLY) != -1 ||
	    open("../etc/passwd", O_RDONLY) != -1)
		_exit(3);
	if (open("/new", O_WRONLY | O_CREAT, 0600) != -1)
		_exit(4);
	if (setuid(0) != -1 || setgid(0) != -1)
		_exit(5);
	if (fork() != -1)
		_exit(6);
	if (chroot("/") != -1 || mkdir("/d", 0700) != -1)
		_exit(7);
	if (kill(getppid(), 0) != -1)
		_exit(8);
	_exit(0);
}

ROOT_TEST(shim_is_confined_without_its_filter_too,
    "Identity, root directory, limits and Landlock hold by themselves")
{
	int go[2], status;
	char byte = 0;
	pid_t pid;

	make_root();
	ATF_REQUIRE_EQ(0, pipe2(go, O_CLOEXEC));
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (enter_shim() != 0 || read(go[0], &byte, 1) != 1)
			_exit(1);
		attack();
	}
	/* The kernel lets a tracer with all rights switch filters off. */
	if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_SUSPEND_SECCOMP) == -1) {
		int error = errno;

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		atf_tc_skip("no PTRACE_O_SUSPEND_SECCOMP: %s", strerror(error));
	}
	ATF_REQUIRE_EQ(1, write(go[1], &byte, 1));
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_CHECK_EQ_MSG(0, status, "status 0x%x", status);
}

ROOT_TEST(shim_refuses_to_be_root_or_nowhere,
    "Errors of the caller leave a precise errno")
{
	ATF_CHECK_EQ(-EINVAL, sandbox_enter_shim(0, -1));
	ATF_CHECK_EQ(-EINVAL, sandbox_enter_shim((uid_t)-1, -1));
	ATF_CHECK_EQ(-EBADF, sandbox_enter_shim(TEST_UID, -1));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_call_that_is_not_listed_kills);
	ATF_TP_ADD_TC(tp, every_call_that_is_listed_works);
	ATF_TP_ADD_TC(tp, cli_is_killed_by_what_changes_a_terminal);
	ATF_TP_ADD_TC(tp, shim_is_killed_by_other_arguments);
	ATF_TP_ADD_TC(tp, shim_has_no_identity_and_no_capability_left);
	ATF_TP_ADD_TC(tp, shim_is_confined_without_its_filter_too);
	ATF_TP_ADD_TC(tp, shim_refuses_to_be_root_or_nowhere);
	ATF_TP_ADD_TC(tp, no_role_of_root_has_a_capability_left);
	ATF_TP_ADD_TC(tp, publisher_reaches_the_sockets_of_its_directory_only);
	ATF_TP_ADD_TC(tp, no_role_can_execute_change_identity_or_reach_others);
#ifdef __x86_64__
	ATF_TP_ADD_TC(tp, no_role_can_use_another_call_table);
#endif
	return (atf_no_error());
}
