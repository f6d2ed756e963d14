/*
 * The launch step: what becomes the workload.  It enters the container's
 * namespaces, says that it is ready, waits to be released, takes its
 * identity and executes.  It carries no filter, because the workload would
 * inherit it; its capabilities are cut to caps_launch and the workload's.
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include <grp.h>
#include <limits.h>

#include "privsep/helper.h"

#define STRINGS_FD	STEP_FDS
#define MNTNS_FD	(STEP_FDS + 1)

/* argv, NULL, envp, NULL; pointers into the mapped strings. */
static char *vector[PLAN_VECTOR_MAX + 2];

/* Returns the working directory; vector is filled. */
static const char *
strings_map(const struct plan *plan)
{
	char *cwd, *map, *p;
	size_t i, n;

	map = mmap(NULL, sizeof(*plan) + plan->strings_length,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE, STRINGS_FD, 0);
	step_must(MSG_STEP_LAUNCH, map == MAP_FAILED ? -1 : 0, "strings");
	cwd = map + sizeof(*plan);
	/* plan_check has counted the strings: these loops stay inside. */
	p = cwd + strlen(cwd) + 1;
	for (i = 0, n = 0; i < (size_t)plan->argc + plan->envc; i++) {
		if (i == plan->argc)
			vector[n++] = NULL;
		vector[n++] = p;
		p += strlen(p) + 1;
	}
	return (cwd);
}

/* Returns NULL, or a warning: the node may refuse to lower it. */
static const char *
oom_score_set(const struct plan *plan)
{
	const char *warning = NULL;
	char number[16];
	int fd, n;

	n = snprintf(number, sizeof(number), "%d",
	    (plan->flags & PLAN_HAS_OOM) != 0 ? plan->oom_score_adj : 0);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd == -1 || write(fd, number, (size_t)n) != n)
		warning = "the node refused oomScoreAdj";
	if (fd != -1)
		close(fd);
	return (warning);
}

static void
limits_set(const struct plan *plan)
{
	struct rlimit limit;
	char text[40];
	uint32_t i;

	for (i = 0; i < plan->nrlimits; i++) {
		limit.rlim_cur = plan->rlimits[i].soft;
		limit.rlim_max = plan->rlimits[i].hard;
		snprintf(text, sizeof(text), "resource %u",
		    plan->rlimits[i].resource);
		step_must(MSG_STEP_RLIMIT, setrlimit(
		    (int)plan->rlimits[i].resource, &limit), text);
	}
}

static void
directory_enter(const char *path)
{
	char real[PATH_MAX];

	/* No descriptor of the node's tree is open any more. */
	step_must(MSG_STEP_CWD, chdir(path), path);
	if (getcwd(real, sizeof(real)) == NULL || real[0] != '/')
		step_fail(MSG_STEP_CWD, -EXDEV, path);
}

/* Waits for the release; the streams' descriptors, or -1, go to fds. */
static void
go_wait(int fds[HELPER_STREAMS])
{
	struct pollfd pollfd = { .fd = STEP_RESULT_FD, .events = POLLIN };
	struct step_go go;
	int i, n = 0, received[FDPASS_MAX];

	if (poll(&pollfd, 1, -1) != 1 || fdpass_receive(STEP_RESULT_FD, &go,
	    sizeof(go), received, NULL) != sizeof(go))
		_exit(1);
	for (i = 0; i < HELPER_STREAMS; i++)
		fds[i] = (go.streams & (1u << i)) != 0 ? received[n++] : -1;
}

/*
 * Puts the streams on 0, 1 and 2.  A FIFO for writing is opened here, which
 * waits until containerd has opened its end: what is written before that
 * would be lost if the workload ended first.
 */
static void
streams_set(const struct plan *plan, const int fds[HELPER_STREAMS])
{
	char path[40];
	int fd, stream;

	for (stream = STDERR_FILENO; stream >= STDIN_FILENO; stream--) {
		fd = fds[stream];
		if (fd == -1) {
			/* /dev/null lies on 0, which comes last. */
			step_must(MSG_STEP_STDIO, dup2(STDIN_FILENO, stream),
			    NULL);
			continue;
		}
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (stream != STDIN_FILENO)
			fd = step_must(MSG_STEP_STDIO,
			    open(path, O_WRONLY | O_CLOEXEC), NULL);
		/* So that the workload's user can reopen /dev/stdout. */
		step_must(MSG_STEP_STDIO, fchown(fd, plan->uid, plan->gid),
		    NULL);
		step_must(MSG_STEP_STDIO, dup2(fd, stream), NULL);
	}
	step_must(MSG_STEP_STDIO, close_range(STEP_RESULT_FD + 1, ~0U, 0),
	    NULL);
}

static void
identity_set(const struct plan *plan)
{
	uid_t id[3];
	int error;

	error = caps_bound(plan->capabilities[PLAN_BOUNDING]);
	if (error != 0)
		step_fail(MSG_STEP_IDENTITY, error, "bounding set");
	step_must(MSG_STEP_IDENTITY, prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), NULL);
	step_must(MSG_STEP_IDENTITY, setgroups(plan->ngroups, plan->groups),
	    "groups");
	step_must(MSG_STEP_IDENTITY, setresgid(plan->gid, plan->gid,
	    plan->gid), "gid");
	step_must(MSG_STEP_IDENTITY, setresuid(plan->uid, plan->uid,
	    plan->uid), "uid");
	if ((error = caps_apply(plan->capabilities)) != 0)
		step_fail(MSG_STEP_IDENTITY, error, "capabilities");
	if (getresuid(&id[0], &id[1], &id[2]) == -1 || id[0] != plan->uid ||
	    id[1] != plan->uid || id[2] != plan->uid ||
	    getresgid(&id[0], &id[1], &id[2]) == -1 || id[0] != plan->gid ||
	    id[1] != plan->gid || id[2] != plan->gid)
		step_fail(MSG_STEP_IDENTITY, -EPERM, "the identity read back");
	if ((plan->flags & PLAN_NO_NEW_PRIVS) != 0)
		step_must(MSG_STEP_IDENTITY,
		    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), NULL);
	/* A change of identity clears it. */
	step_must(MSG_STEP_IDENTITY, prctl(PR_SET_PDEATHSIG, SIGKILL), NULL);
}

void
step_launch(const struct helper *h, const struct record *rec)
{
	const struct plan *plan = &rec->plan;
	const char *cwd, *warning;
	int fds[HELPER_STREAMS];

	(void)h;
	warning = oom_score_set(plan);
	step_must(MSG_STEP_LAUNCH, setns(MNTNS_FD, CLONE_NEWNS),
	    "entering the mount namespace");
	cwd = strings_map(plan);
	close_range(STEP_FDS, ~0U, 0);
	limits_set(plan);
	step_must(MSG_STEP_LAUNCH, setsid(), NULL);
	umask((plan->flags & PLAN_HAS_UMASK) != 0 ? plan->umask : 022);
	directory_enter(cwd);
	step_done(warning, -1);
	go_wait(fds);
	streams_set(plan, fds);
	identity_set(plan);
	/* The search is along the workload's own PATH. */
	environ = vector + plan->argc + 1;
	execvp(vector[0], vector);
	step_fail(MSG_STEP_EXEC, -errno, vector[0]);
}
