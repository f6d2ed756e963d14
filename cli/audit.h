/*
 * audit: holds what the kernel says of the processes and files of a node that
 * runs against what SECURITY.md and sandbox-policies/ promise.
 */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include <sys/types.h>

#include <limits.h>

#include "privsep/msg.h"
#include "privsep/plan.h"
#include "unpriv/conf.h"

#define AUDIT_NAME_SIZE 64 /* bytes of what the kernel calls a process */
#define AUDIT_TEXT_SIZE 1024

/* Numbers of a line of /proc/PID/status; n may be more than there is room. */
struct audit_list {
	uint64_t value[4];
	size_t n;
};

/* A process, as /proc/PID/status has it. */
struct audit_status {
	char name[AUDIT_NAME_SIZE]; /* printable */
	char state;
	struct audit_list parent, user, group, groups, pids; /* NSpid */
	struct audit_list capabilities[PLAN_CAPSETS];
	struct audit_list no_new_privs, seccomp, filters;
};

/* What a process may have open: one bit each, with its name. */
#define AUDIT_DESCRIPTORS(X)                                            \
	X(SOCKET, "a socket of the machine")                            \
	X(NETWORK, "a socket of a network")                             \
	X(PIPE, "a pipe")                                               \
	X(NULL, "/dev/null")                                            \
	X(ANONYMOUS, "memory or an event")                              \
	X(LOG, "a file for appending")                                  \
	X(CGROUP, "a file of a cgroup")                                 \
	X(TERMINAL, "a terminal")                                       \
	X(NAMESPACE, "a namespace")                                     \
	X(LOCK, "an empty file of root's, to be locked")              \
	X(FILE, "a file")                                               \
	X(DIRECTORY, "a directory")                                     \
	X(TASKS, "a way into a cgroup")                                 \
	X(DEVICE, "a device")                                           \
	X(BLOCK, "a block device")

enum audit_descriptor {
#define X(name, text) AUDIT_BIT_##name,
	AUDIT_DESCRIPTORS(X)
#undef X
#define X(name, text) AUDIT_FD_##name = 1 << AUDIT_BIT_##name,
	AUDIT_DESCRIPTORS(X)
#undef X
};

/* Namespaces: the first four are those of plan.h. */
enum audit_ns {
	AUDIT_NS_MNT = PLAN_NS_MAX,
	AUDIT_NS_CGROUP,
	AUDIT_NS_USER,
	AUDIT_NS_MAX,
};

/* Who a process is to be. */
enum audit_role {
	AUDIT_NOBODY, /* not Reaper's */
	AUDIT_SHIM,
	AUDIT_PUBLISHER,
	AUDIT_HELPER,
	AUDIT_STEP,
	AUDIT_INIT,
	AUDIT_PAUSE,
	AUDIT_WORKLOAD,
	AUDIT_COPIER, /* of a container's streams, for the command line */
	AUDIT_ROLES,
};

/* A container, as the bundle that root wrote describes it. */
struct audit_container {
	char id[MSG_ID_SIZE];
	pid_t pid;		 /* of its first process */
	struct plan plan;	 /* without its strings */
	char cgroup[PATH_MAX]; /* /proc/PID/cgroup of that */
};

/* One that is looked at. */
struct audit_process {
	pid_t pid;
	int dir; /* /proc/PID; owned */
	struct audit_status status;
	enum audit_role role;
	/* Of what a helper has started: the container, or NULL. */
	const struct audit_container *container;
	const struct conf *conf; /* the node's, with the pod's profile */
};

/*
 * A line of the result: "pass", "fail" or "note", who, what, and what was seen,
 * with tabs between them.
 */
enum audit_verdict { AUDIT_FAIL, AUDIT_PASS, AUDIT_NOTE };
void	 audit_say(enum audit_verdict verdict, const char *who,
	    const char *what, const char *format, ...)
	    __attribute__((format(printf, 4, 5)));

/* audit_proc.c: reads a process's status below dir.  0 or a negative errno. */
int	 audit_status_read(int dir, struct audit_status *status);

/* Reads a file below dir: the length, at most size - 1, and a NUL; or -errno. */
ssize_t	 audit_read(int dir, const char *path, char *text, size_t size);

/* A link below dir, as printable text; "" if there is none. */
void	 audit_link(int dir, const char *path, char *text, size_t size);

/*
 * What is open of enum audit_descriptor that is not in allowed; text says of
 * the first of it where it leads.  Or a negative errno.
 */
int	 audit_descriptors(int dir, unsigned int allowed, char *text,
	    size_t size);

/* The name of a kind: the lowest bit of kinds. */
const char *audit_descriptor_name(unsigned int kinds);

/*
 * Bit n: it shares namespace n, enum audit_ns, with the process of other, a
 * directory of /proc too.
 */
unsigned int audit_namespaces(int dir, int other);

/* The name of namespace n. */
const char *audit_namespace_name(int n);

/* audit_role.c: says of every promise about this process whether it holds. */
void	 audit_judge(const struct audit_process *process);

/* The name of a role. */
const char *audit_role_name(enum audit_role role);

/* audit_pod.c: the containers of the runtime root.  NULL if there are none. */
struct audit_container *audit_containers(const struct conf *conf,
	    size_t *count);

/*
 * audit_node.c: says what the node is like.  Returns 0 with its configuration,
 * or -1 where that is refused.
 */
int	 audit_node(struct conf *conf);

#endif
