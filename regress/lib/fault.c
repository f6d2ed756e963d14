/*
 * fault: kills at a chosen point of a process's work, or looks at all that it
 * does, for tests.
 *
 *	fault FILE N WHOSE VICTIM[,VICTIM]... PID
 *		watches a process that runs
 *	fault FILE N WHOSE VICTIM[,VICTIM]... -- COMMAND [ARG...]
 *		runs one, and ends with it
 *
 * A point is the beginning of a system call by which something outside of the
 * process may change.  WHOSE points count: its "own", those of its "children",
 * or "all".  At the Nth the victims get SIGKILL, while the process that has
 * come to it waits: pids, or "it" for that process itself.  FILE then says
 * "ready" once the process is watched, "point SYSCALL PROGRAM" when the Nth
 * has come, or "none COUNT" when all have ended before, or SIGTERM came.
 *
 * With the victim "call" none is killed, and the Nth system call that can fail,
 * whether it changes something or not, fails with EIO without being made; with
 * "call=NUMBER" the Nth of that number.
 *
 * With the victim "nobody" none is killed, and N does not count.  FILE then has
 * a line for every system call by which a process has come to be something
 * else, or that it makes for the first time as what it is: "has PID SYSCALL",
 * then of /proc/PID/status what is in the table below.
 */
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum whose {
	OWN,
	CHILDREN,
	ALL,
};

/* Calls that change nothing, or nothing that outlives the caller. */
static const long harmless[] = {
	SYS_arch_prctl,
	SYS_brk,
	SYS_clock_gettime,
	SYS_clock_nanosleep,
	SYS_epoll_ctl,
	SYS_epoll_wait,
	SYS_exit,
	SYS_exit_group,
	SYS_faccessat2,
	SYS_fcntl,
	SYS_fstat,
	SYS_getcwd,
	SYS_getdents64,
	SYS_getegid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getpid,
	SYS_getppid,
	SYS_getrandom,
	SYS_gettid,
	SYS_getuid,
	SYS_lseek,
	SYS_madvise,
	SYS_mmap,
	SYS_mprotect,
	SYS_munmap,
	SYS_newfstatat,
	SYS_pidfd_open,
	SYS_poll,
	SYS_ppoll,
	SYS_prctl,
	SYS_pread64,
	SYS_prlimit64,
	SYS_read,
	SYS_readlinkat,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_restart_syscall,
	SYS_rseq,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_seccomp,
	SYS_set_robust_list,
	SYS_set_tid_address,
	SYS_statx,
	SYS_waitid,
};

/* Calls that cannot fail, or not so that anybody would look. */
static const long infallible[] = {
	SYS_brk,
	SYS_clock_gettime,
	SYS_close,
	SYS_exit,
	SYS_exit_group,
	SYS_getegid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getpid,
	SYS_getppid,
	SYS_gettid,
	SYS_getuid,
	SYS_munmap,
	SYS_restart_syscall,
	SYS_rseq,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_set_robust_list,
	SYS_set_tid_address,
	SYS_umask,
};

/* What a process is, as far as the kernel tells. */
static const char *const facts[] = {
	"CapPrm",
	"CapEff",
	"CapInh",
	"CapAmb",
	"CapBnd",
	"NoNewPrivs",
	"Seccomp_filters",
	"Name",
};

#define FACTS_SIZE   256
#define SYSCALLS_MAX 1024

/* What was seen of a process. */
static struct look {
	pid_t pid;
	char facts[FACTS_SIZE];
	char calls[SYSCALLS_MAX]; /* 1: made as that */
} * looks;
static size_t nlooks;

struct watch {
	const char *file;
	unsigned long due, seen;
	enum whose whose;
	const char *victims;
	pid_t pid;
	pid_t failing; /* the process whose call fails, and its registers */
	struct user_regs_struct regs;
};

static unsigned long
number(const char *text)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n == 0 || n > INT_MAX)
		errx(2, "\"%s\" is no number from 1", text);
	return (n);
}

static int
is_whose(const struct watch *watch, pid_t pid)
{
	return (watch->whose == ALL ||
	    (watch->whose == OWN) == (pid == watch->pid));
}

static int
is_among(const long *calls, size_t size, long nr)
{
	size_t i;

	for (i = 0; i < size / sizeof(*calls); i++) {
		if (calls[i] == nr)
			return (1);
	}
	return (0);
}

static int
is_point(const struct watch *watch, pid_t pid, long nr)
{
	if (!is_whose(watch, pid))
		return (0);
	if (strncmp(watch->victims, "call=", 5) == 0)
		return ((unsigned long)nr == number(watch->victims + 5));
	if (strcmp(watch->victims, "call") == 0)
		return (!is_among(infallible, sizeof(infallible), nr));
	return (!is_among(harmless, sizeof(harmless), nr));
}

/* Appends a line. */
static void __attribute__((format(printf, 2, 3)))
say(const struct watch *watch, const char *format, ...)
{
	va_list ap;
	int fd;

	fd = open(watch->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd == -1)
		err(2, "%s", watch->file);
	va_start(ap, format);
	vdprintf(fd, format, ap);
	va_end(ap);
	close(fd);
}

#ifdef __x86_64__
/*
 * Another call is made instead, which every sandbox allows and which does
 * nothing.
 */
static void
call_replace(struct watch *watch, pid_t pid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &watch->regs) == -1)
		err(2, "registers");
	regs = watch->regs;
	regs.orig_rax = SYS_brk;
	regs.rdi = 0;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) == -1)
		err(2, "registers");
	watch->failing = pid;
}

static void
call_fail(const struct watch *watch, pid_t pid)
{
	struct user_regs_struct regs = watch->regs;

	regs.rax = (unsigned long long)-EIO;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) == -1)
		err(2, "registers");
}
#else
static void
call_replace(struct watch *watch, pid_t pid)
{
	errx(2, "%d: nobody knows registers here", (int)(watch->failing = pid));
}

static void
call_fail(const struct watch *watch, pid_t pid)
{
	(void)watch;
	(void)pid;
}
#endif

static void
strike(struct watch *watch, pid_t pid, long nr)
{
	char *list, *next, *victim, path[64], comm[32] = "?";
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1) {
		if ((n = read(fd, comm, sizeof(comm) - 1)) > 0)
			comm[n - 1] = '\0';
		close(fd);
	}
	if ((list = next = strdup(watch->victims)) == NULL)
		err(2, "victims");
	while ((victim = strsep(&next, ",")) != NULL) {
		if (strncmp(victim, "call", 4) == 0)
			call_replace(watch, pid);
		else if (kill(strcmp(victim, "it") == 0 ? pid :
							  (pid_t)number(victim),
			     SIGKILL) == -1)
			warn("killing %s", victim);
	}
	free(list);
	say(watch, "point %ld %s\n", nr, comm);
}

static void
facts_read(pid_t pid, char text[FACTS_SIZE])
{
	char line[256], path[64];
	size_t i, length = 0, n;
	FILE *status;

	text[0] = '\0';
	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
		if ((status = fopen(path, "re")) == NULL)
			err(2, "%s", path);
		while (fgets(line, sizeof(line), status) != NULL) {
			n = strlen(facts[i]);
			if (strncmp(line, facts[i], n) != 0 || line[n] != ':')
				continue;
			line[strcspn(line, "\n")] = '\0';
			n += 1 + strspn(line + n + 1, "\t ");
			length += (size_t)snprintf(text + length,
			    FACTS_SIZE - length, " %s", line + n);
			if (length >= FACTS_SIZE)
				errx(2, "no room for facts");
		}
		fclose(status);
	}
}

static struct look *
look_of(pid_t pid)
{
	size_t i;

	for (i = 0; i < nlooks; i++) {
		if (looks[i].pid == pid)
			return (&looks[i]);
	}
	looks = reallocarray(looks, nlooks + 1, sizeof(*looks));
	if (looks == NULL)
		err(2, "memory");
	memset(&looks[nlooks], 0, sizeof(*looks));
	looks[nlooks].pid = pid;
	return (&looks[nlooks++]);
}

static void
look(const struct watch *watch, pid_t pid, long nr)
{
	struct look *look = look_of(pid);
	char text[FACTS_SIZE];

	if (nr < 0 || nr >= SYSCALLS_MAX)
		errx(2, "system call %ld", nr);
	facts_read(pid, text);
	if (strcmp(text, look->facts) != 0) {
		strcpy(look->facts, text);
		memset(look->calls, 0, sizeof(look->calls));
	}
	if (!look->calls[nr])
		say(watch, "has %d %ld%s\n", (int)pid, nr, text);
	look->calls[nr] = 1;
}

/* A system call begins.  Returns 1 when it was the point, and all is done. */
static int
point(struct watch *watch, pid_t pid, long nr)
{
	if (strcmp(watch->victims, "nobody") == 0) {
		if (is_whose(watch, pid))
			look(watch, pid, nr);
		return (0);
	}
	if (!is_point(watch, pid, nr) || ++watch->seen != watch->due)
		return (0);
	strike(watch, pid, nr);
	return (watch->failing == 0);
}

/* A process has stopped.  Returns 1 when it was the point. */
static int
stopped(struct watch *watch, pid_t pid, int status)
{
	struct ptrace_syscall_info info;
	int event = status >> 16, signo = WSTOPSIG(status);
	int request = PTRACE_SYSCALL;

	if (signo == (SIGTRAP | 0x80) && watch->failing == pid) {
		call_fail(watch, pid);
		return (1);
	}
	if (signo == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) >
			0 &&
		    info.op == PTRACE_SYSCALL_INFO_ENTRY &&
		    point(watch, pid, (long)info.entry.nr))
			return (1);
		signo = 0;
	} else if (event == PTRACE_EVENT_STOP) {
		/* Of a stop by a signal it must not be woken. */
		if (signo != SIGTRAP)
			request = PTRACE_LISTEN;
		signo = 0;
	} else if (event != 0) {
		signo = 0;
	}
	if (ptrace(request, pid, 0, signo) == -1 && errno != ESRCH)
		err(2, "continuing %d", (int)pid);
	return (0);
}

/* Returns the status to end with. */
static int
follow(struct watch *watch, int child)
{
	int code = 0, signo, status;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	for (;;) {
		while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
			if (WIFSTOPPED(status)) {
				if (!stopped(watch, pid, status))
					continue;
				if (!child)
					return (0);
				/* Its parent waits for its end, not ours. */
				watch->due = 0;
				(void)ptrace(PTRACE_DETACH, pid, 0, 0);
			} else if (pid == watch->pid) {
				code = WIFEXITED(status) ? WEXITSTATUS(status) :
							   1;
				if (watch->due != 0 && child)
					say(watch, "none %lu\n", watch->seen);
				if (child)
					return (code);
			}
		}
		if (pid == -1 && errno == ECHILD)
			break;
		if ((signo = sigwaitinfo(&set, NULL)) == SIGTERM)
			break;
	}
	if (watch->due != 0)
		say(watch, "none %lu\n", watch->seen);
	return (code);
}

static pid_t
run(char *argv[], const sigset_t *mask)
{
	pid_t pid = fork();
	int fd;

	if (pid == -1)
		err(2, "fork");
	if (pid == 0) {
		raise(SIGSTOP);
		(void)sigprocmask(SIG_SETMASK, mask, NULL);
		execv(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	/* Who reads what the command prints waits for its end. */
	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 ||
	    dup2(fd, STDIN_FILENO) == -1 || dup2(fd, STDOUT_FILENO) == -1 ||
	    waitpid(pid, NULL, WUNTRACED) != pid)
		err(2, "the command");
	return (pid);
}

int
main(int argc, char *argv[])
{
	static const char *const names[] = { "own", "children", "all" };
	struct watch watch = { 0 };
	sigset_t mask, old;
	long options = PTRACE_O_TRACESYSGOOD;
	int child, i;

	if (argc < 6)
		errx(2, "usage: fault FILE N WHOSE VICTIMS PID|-- COMMAND...");
	watch.file = argv[1];
	watch.due = number(argv[2]);
	for (i = 0; i < 3 && strcmp(names[i], argv[3]) != 0; i++)
		;
	if (i == 3)
		errx(2, "\"%s\" is not own, children or all", argv[3]);
	watch.whose = (enum whose)i;
	watch.victims = argv[4];
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &mask, &old);
	if (watch.whose != OWN)
		options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		    PTRACE_O_TRACECLONE;
	child = strcmp(argv[5], "--") == 0;
	watch.pid = child ? run(argv + 6, &old) : (pid_t)number(argv[5]);
	if (ptrace(PTRACE_SEIZE, watch.pid, 0, options) == -1)
		err(2, "watching %d", (int)watch.pid);
	if (child)
		(void)kill(watch.pid, SIGCONT);
	if (ptrace(PTRACE_INTERRUPT, watch.pid, 0, 0) == -1)
		err(2, "watching %d", (int)watch.pid);
	say(&watch, "ready\n");
	return (follow(&watch, child));
}
