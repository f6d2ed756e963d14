/*
 * The launch step: what becomes the workload.  It enters the container's
 * namespaces, says that it is ready, waits to be released, takes its
 * identity and executes.  It carries no filter but, last, the workload's,
 * because that would inherit it; its capabilities are cut to launch.policy and
 * the workload's.
 */
#include <sys/ioctl.h>
#include <sys/resource.h>

#include <grp.h>
#include <linux/seccomp.h>
#include <net/if.h>

#include "privsep/helper.h"

/* What it gets: plans, namespaces, and from here on ways into its cgroup. */
#define LAUNCH_TASKS	(STEP_FDS + 2 + PLAN_NS_PID)

#define MUST(step, n, text)	step_must(MSG_STEP_##step, (n), (text))

/* The container's filter, an exec's too. */
static struct sock_filter filter[PLAN_FILTER_MAX];

/* LANDLOCK_SCOPE_* of <linux/landlock.h>. */
#define LANDLOCK_ABSTRACT	(1 << 0)
#define LANDLOCK_SIGNAL		(1 << 1)

/* argv, NULL, envp, NULL; pointers into the mapped strings. */
static char *vector[PLAN_VECTOR_MAX + 2];

/* Returns the working directory; vector is filled. */
static const char *
strings_map(const struct plan *plan)
{
	char *cwd, *map, *p;
	size_t i, n = 0;

	map = mmap(NULL, sizeof(*plan) + plan->strings_length,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE, STEP_FDS, 0);
	MUST(LAUNCH, map == MAP_FAILED ? -1 : 0, "strings");
	cwd = map + sizeof(*plan);
	/* plan_check has counted the strings: this loop stays inside. */
	p = cwd + strlen(cwd) + 1;
	for (i = 0; i < (size_t)plan->argc + plan->envc; i++) {
		if (i == plan->argc)
			vector[n++] = NULL;
		vector[n++] = p;
		p += strlen(p) + 1;
	}
	return (cwd);
}

static void
filter_read(const struct plan *plan)
{
	const int fd = STEP_FDS + 1;
	const size_t length = plan->nfilter * sizeof(*filter);
	const off_t end = MUST(LAUNCH, lseek(fd, 0, SEEK_END), "the filter");

	if (pread(fd, filter, length, end - (off_t)length) != (ssize_t)length)
		step_fail(MSG_STEP_LAUNCH, -EIO, "the filter");
}

/* Ours comes first: the bundle's could keep it from being installed. */
static void
filter_install(const struct plan *plan, int on_node)
{
	const struct sock_fprog p = { (unsigned short)plan->nfilter, filter };

	if ((plan->flags & (PLAN_HOST | PLAN_CRI_SANDBOX)) == 0 &&
	    (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &policy_workload) ==
	    -1 || ((on_node & 1 << PLAN_NS_PID) != 0 && prctl(PR_SET_SECCOMP,
	    SECCOMP_MODE_FILTER, &policy_neighbour) == -1)))
		MUST(IDENTITY, -1, "seccomp");
	if (plan->nfilter != 0)
		MUST(IDENTITY, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p),
		    "seccomp");
}

/*
 * Where a confined container shares a namespace with the node, Landlock keeps
 * it apart: from abstract sockets where that is the network, and from signals
 * and the memory of processes where it is that of pids.  Processes that are
 * launched one by one are apart from each other too.
 */
static void
domain_enter(const struct plan *plan, int on_node)
{
	/* Of a kernel that has it; and ABI 6, landlock(7). */
	const struct { uint64_t fs, net, scoped; } rules = { .scoped =
	    ((on_node & 1 << PLAN_NS_NET) != 0 ? LANDLOCK_ABSTRACT : 0) |
	    ((on_node & 1 << PLAN_NS_PID) != 0 ? LANDLOCK_SIGNAL : 0) };
	long fd;

	if ((plan->flags & (PLAN_HOST | PLAN_CRI_SANDBOX)) != 0 ||
	    rules.scoped == 0)
		return;
	fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	MUST(IDENTITY, fd, "Landlock, which a pod on the node's network or "
	    "among its processes needs, of Linux 6.12");
	MUST(IDENTITY, syscall(SYS_landlock_restrict_self, fd, 0), "Landlock");
	close((int)fd);
}

/* Waits to be told to go on.  Returns the byte, and descriptors in fds. */
static unsigned char
go_wait(int fds[MSG_FDS_MAX])
{
	struct pollfd pollfd = { .fd = STEP_RESULT_FD, .events = POLLIN };
	unsigned char go;

	if (poll(&pollfd, 1, -1) != 1 ||
	    fdpass_receive(STEP_RESULT_FD, &go, 1, fds, NULL) != 1)
		step_fail(MSG_STEP_LAUNCH, -EIO, "its descriptors");
	return (go);
}

/* A new terminal of the container's /dev/pts: its master. */
static int
terminal_open(const struct plan *plan)
{
	const struct winsize size = { .ws_row = (uint16_t)plan->rows,
		.ws_col = (uint16_t)plan->columns };
	int fd = MUST(LAUNCH, open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK |
	    O_CLOEXEC), "/dev/ptmx"), locked = 0;

	MUST(LAUNCH, ioctl(fd, TIOCSPTLCK, &locked), "a pty");
	MUST(LAUNCH, ioctl(fd, TIOCSWINSZ, &size), "a pty");
	return (fd);
}

/*
 * Waits for the release and puts the streams on 0, 1 and 2.  A FIFO for
 * writing is opened here, which waits until containerd has opened its end:
 * what is written before that would be lost if the workload ended first.  A
 * file for logs comes open, and stays root's, as /dev/null does.
 */
static void
streams_set(const struct plan *plan, int master)
{
	int fd, fds[MSG_FDS_MAX], mode, stream;
	unsigned int go = go_wait(fds), n;
	struct stat st;
	char p[40];

	if (master != -1) {
		/* Of a session without one, this becomes the terminal. */
		fds[0] = fds[1] = fds[2] = MUST(STDIO, ioctl(master,
		    TIOCGPTPEER, O_RDWR), "a pty");
		go = (1u << HELPER_STREAMS) - 1;
	}
	n = (unsigned int)__builtin_popcount(go);
	/* Downwards: /dev/null lies on 0, which comes last. */
	for (stream = STDERR_FILENO; stream >= STDIN_FILENO; stream--) {
		fd = (go & (1u << stream)) != 0 ? fds[--n] : STDIN_FILENO;
		snprintf(p, sizeof(p), "/proc/self/fd/%d", fd);
		mode = MUST(STDIO, fcntl(fd, F_GETFL), NULL);
		if ((mode & O_PATH) != 0)
			fd = MUST(STDIO, open(p, O_WRONLY | O_CLOEXEC), NULL);
		MUST(STDIO, fstat(fd, &st), NULL);
		/* So that the workload's user can reopen /dev/stdout. */
		if (S_ISFIFO(st.st_mode) || master != -1)
			MUST(STDIO, fchown(fd, plan->uid, plan->gid), NULL);
		MUST(STDIO, dup2(fd, stream), NULL);
	}
	MUST(STDIO, close_range(STEP_RESULT_FD + 1, ~0U, 0), NULL);
}

static void
identity_set(const struct plan *plan, int on_node)
{
	const uint32_t uid = plan->uid, gid = plan->gid;
	uid_t id[6];

	MUST(IDENTITY, prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), NULL);
	MUST(IDENTITY, setgroups(plan->ngroups, plan->groups), "groups");
	MUST(IDENTITY, setresgid(gid, gid, gid), "gid");
	MUST(IDENTITY, setresuid(uid, uid, uid), "uid");
	/* Without no_new_privs it takes CAP_SYS_ADMIN, for a moment more. */
	if ((plan->flags & PLAN_NO_NEW_PRIVS) == 0) {
		MUST(IDENTITY, caps_limit(~UINT64_C(0)), "capabilities");
		filter_install(plan, on_node);
	}
	MUST(IDENTITY, caps_apply(plan->capabilities), "capabilities");
	if (getresuid(&id[0], &id[1], &id[2]) == -1 ||
	    getresgid(&id[3], &id[4], &id[5]) == -1 ||
	    id[0] != uid || id[1] != uid || id[2] != uid ||
	    id[3] != gid || id[4] != gid || id[5] != gid)
		step_fail(MSG_STEP_IDENTITY, -EPERM, "the identity read back");
	if ((plan->flags & PLAN_NO_NEW_PRIVS) != 0)
		MUST(IDENTITY, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), NULL);
	/* A change of identity clears it. */
	MUST(IDENTITY, prctl(PR_SET_PDEATHSIG, SIGKILL), NULL);
	if ((plan->flags & PLAN_NO_NEW_PRIVS) != 0)
		filter_install(plan, on_node);
}

/*
 * Settings of the namespaces that it has entered: in the node's /proc, which
 * shows those, and nothing that is the node's, however its parts are linked.
 */
static void
sysctls_set(const struct record *r)
{
	const struct plan_sysctl *s = r->plan.sysctls;
	int fd, root;

	root = MUST(NAMESPACE, open("/proc/sys", O_PATH | O_DIRECTORY |
	    O_CLOEXEC), "/proc/sys");
	for (; s < r->plan.sysctls + r->plan.nsysctls; s++) {
		if ((r->on_node & 1 << plan_sysctl_ns(s->name)) != 0)
			step_fail(MSG_STEP_NAMESPACE, -EPERM, s->name);
		if ((fd = path_open(root, s->name, O_WRONLY, 0)) < 0)
			step_fail(MSG_STEP_NAMESPACE, fd, s->name);
		MUST(NAMESPACE, write(fd, s->value, strlen(s->value)), s->name);
		close(fd);
	}
	close(root);
}

/*
 * Enters the namespaces of its container, or makes them.  Returns a detached
 * mount of the message queues of a container, or -1.
 */
static int
namespaces_enter(const struct record *r)
{
	const struct plan *plan = &r->plan;
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd, i;

	for (i = 0; i < PLAN_NS_PID; i++)
		MUST(NAMESPACE, setns(STEP_FDS + 2 + i, 0), NULL);
	if (RECORD_IS_EXEC(r))
		return (-1);
	MUST(NAMESPACE, unshare((int)plan->unshare), NULL);
	if ((plan->unshare & CLONE_NEWUTS) != 0 && plan->hostname[0] != '\0')
		MUST(NAMESPACE, sethostname(plan->hostname,
		    strlen(plan->hostname)), "hostname");
	if ((plan->unshare & CLONE_NEWNET) != 0) {
		fd = MUST(NAMESPACE, socket(AF_INET, SOCK_DGRAM, 0), "lo");
		MUST(NAMESPACE, ioctl(fd, SIOCSIFFLAGS, &lo), "lo");
		close(fd);
	}
	if (plan->nsysctls > 0)
		sysctls_set(r);
	/* The host profile has the node's. */
	return ((plan->flags & (PLAN_CRI_SANDBOX | PLAN_HOST)) != 0 ? -1 :
	    mount_new("mqueue", NULL, NOSUID_NODEV | MOUNT_ATTR_NOEXEC));
}

void
step_launch(const struct helper *h, const struct record *r)
{
	const struct plan *plan = &r->plan;
	const struct plan_rlimit *l = plan->rlimits;
	char path[PATH_MAX], text[40];
	const char *cwd;
	struct rlimit limit;
	int fd, fds[MSG_FDS_MAX], master = -1, mqueue;

	(void)h;
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	/* Lowering it takes a capability that the node may not grant. */
	if (dprintf(fd, "%d", (plan->flags & PLAN_HAS_OOM) != 0 ?
	    plan->oom_score_adj : 0) < 0) {
		MUST(LAUNCH, errno == EACCES ? 0 : -1, "oomScoreAdj");
		log_line("oomScoreAdj stays as it is", &r->ref, NULL, -errno);
	}
	close(fd);
	if (plan->apparmor[0] != '\0') {
		fd = MUST(IDENTITY, open("/proc/self/attr/apparmor/exec",
		    O_WRONLY | O_CLOEXEC), "AppArmor");
		MUST(IDENTITY, dprintf(fd, "exec %s", plan->apparmor),
		    plan->apparmor);
		close(fd);
	}
	cwd = strings_map(plan);
	filter_read(plan);
	MUST(IDENTITY, caps_bound(plan->capabilities[PLAN_BOUNDING]),
	    "bounding set");
	mqueue = namespaces_enter(r);
	go_wait(fds);
	MUST(LAUNCH, setns(fds[0], CLONE_NEWNS), "the mount namespace");
	if (mqueue != -1)
		mount_attach(mqueue, AT_FDCWD, "/dev/mqueue", "/dev/mqueue");
	close(fds[0]);
	close_range(STEP_FDS, LAUNCH_TASKS - 1, 0);
	for (; l < plan->rlimits + plan->nrlimits; l++) {
		limit = (struct rlimit){ l->soft, l->hard };
		snprintf(text, sizeof(text), "resource %d", (int)l->resource);
		MUST(RLIMIT, setrlimit((int)l->resource, &limit), text);
	}
	MUST(LAUNCH, setsid(), NULL);
	umask((plan->flags & PLAN_HAS_UMASK) != 0 ? plan->umask : 022);
	/* No directory of the node's is open any more. */
	MUST(CWD, chdir(cwd), cwd);
	if (getcwd(path, sizeof(path)) == NULL || path[0] != '/')
		step_fail(MSG_STEP_CWD, -EXDEV, cwd);
	if ((plan->flags & PLAN_TERMINAL) != 0)
		master = terminal_open(plan);
	step_report(0, MSG_STEP_NONE, NULL, master);
	/* A thread moves at once; a process, by cgroup.procs, waits for RCU. */
	for (fd = LAUNCH_TASKS; write(fd, "0", 1) != -1; fd++)
		continue;
	MUST(CGROUP, errno == EBADF ? 0 : -1, "tasks");
	/* Of its path the workload learns nothing. */
	if ((plan->flags & PLAN_HOST) == 0)
		MUST(CGROUP, unshare(CLONE_NEWCGROUP), "a cgroup namespace");
	domain_enter(plan, r->on_node);
	streams_set(plan, master);
	identity_set(plan, r->on_node);
	if ((plan->flags & PLAN_CRI_SANDBOX) != 0) {
		/*
		 * The process of a pod's sandbox, which the node has no
		 * program for: it waits for the signal that ends it.
		 */
		prctl(PR_SET_NAME, "reaper-pause");
		close(STEP_RESULT_FD);
		step_wait_end(-1);
	}
	/* The search is along the workload's own PATH. */
	environ = vector + plan->argc + 1;
	execvp(vector[0], vector);
	step_fail(MSG_STEP_EXEC, -errno, vector[0]);
}
