/*
 * The resident helper and its steps: everything that privsep/'s own files
 * share.  All memory is static; nothing is sized by a message.
 *
 * Requests are served one at a time.  A step is a forked child that does one
 * privileged thing and reports one result; whatever fails in a step ends it,
 * so that its exit is the cleanup.  The helper waits for a step's result at
 * most STEP_LIMIT; only the result of a start, which may wait for containerd to
 * open a FIFO or, of an exec, be stopped by a workload, is taken by the main
 * loop.
 */
#include <sys/capability.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policies.h"
#include "privsep/boot.h"
#include "privsep/channel.h"
#include "privsep/plan.h"

#define HELPER_RECORDS	256	/* containers and execs of one pod */
#define HELPER_STREAMS	3	/* stdin, stdout, stderr */
#define CGROUP_HIERARCHIES 7	/* of cgroup.c */
#define STEP_LIMIT	30000	/* ms a step may take */

/* step.c: where a step child finds its descriptors. */
#define STEP_RESULT_FD	3	/* SOCK_SEQPACKET to the helper */
#define STEP_FDS	4	/* those given to step_fork */
#define STEP_PIDNS_NEW	(-2)	/* it is pid 1 of a new namespace */
#define STEP_FDS_MAX	(2 + PLAN_NS_PID + CGROUP_HIERARCHIES)

/*
 * A launch step is told twice to go on, by a byte each: with its mount
 * namespace, and to execute; then bit n: the descriptor of stream n comes too.
 */

struct helper;
struct record;

/* Does what its name says.  One that returns ends with status 0. */
typedef void step_program(const struct helper *h, const struct record *r);
step_program step_decode, step_proc, step_mount, step_launch;

struct step {
	step_program *program;
	int pidns_fd;		/* it is born there, unless -1; or the above */
	uint64_t keep;		/* capabilities */
	int fds[STEP_FDS_MAX];	/* what it gets; lent; then 0 or -1 */
	int cgroup_fd;		/* of version 2 that it is born in, or -1 */
	/* Its socket, owned by who forks it, or -1; its process. */
	int socket_fd;
	pid_t pid;
};

/* An exec has no process before its start, and is ENDING only in passing. */
enum record_state {
	/* PREPARED: MSG_CREATE is to come; half of it is done. */
	RECORD_FREE, RECORD_PREPARED,
	/* STARTING: released, not known to have executed. */
	RECORD_CREATED, RECORD_STARTING, RECORD_RUNNING,
	/* ENDING: its process ended, the rest is killed. */
	RECORD_ENDING, RECORD_STOPPED,
	/* UNDONE: not created; what was made for it is not yet gone. */
	RECORD_UNDONE,
};

/* A container, or an exec session of one. */
struct record {
	enum record_state state;
	struct msg_ref ref;
	uint64_t request;	/* a MSG_START to be answered, or 0 */
	/*
	 * The workload (launch step before), or 0; of a container, pid 1 of
	 * its own pid namespace, or 0.
	 */
	pid_t pid, init_pid;
	int reaped;		/* pid has ended; exited is valid */
	int has_cgroup;		/* bit n: made in hierarchy n, to be removed */
	int on_node;		/* bit n: enum plan_ns n is the node's */
	char memory[EVENT_MEMORY_SIZE]; /* see struct event_notice */
	struct plan plan;	/* after policy */
	struct step mount, launch; /* of a container, until it is created */
	struct msg_exited exited;
	union {			/* all of them owned, or negative */
		int fds[12 + PLAN_NS_MAX];
		struct {
			int stdio_fds[HELPER_STREAMS]; /* reader, O_PATH */
			/*
			 * The socket to the launch step; sealed: plan, cwd,
			 * args, env, mounts.  An exec's terminal, until the
			 * shim gets its master with the reply to MSG_START.  A
			 * container's own: config.json, until it is created;
			 * its directory, locked; its namespaces, the node's
			 * where it has none but pid; of its cgroup what struct
			 * event_notice says, and version 2's cgroup.events.
			 */
			int launch_fd, strings_fd, terminal_fd;
			int bundle_fd, state_fd, mntns_fd;
			int memory_fd, event_fd, populated_fd;
			int ns_fds[PLAN_NS_MAX];
		};
	};
};

#define RECORD_IS_EXEC(r)	((r)->ref.exec[0] != '\0')
#define RECORD_FOREACH(r, h) /* that is used */ \
	for ((r) = (h)->records; (r) < (h)->records + (h)->nrecords; (r)++) \
		if ((r)->state != RECORD_FREE)

struct helper {
	struct boot boot;	/* the key is wiped */
	struct channel channel;
	int signal_fd, own_pidns_fd, plan_fd; /* the last until used */
	int bundles_fd, root_fd; /* boot.bundles, boot.node.runtime_root */
	int cgroups[CGROUP_HIERARCHIES]; /* their roots, or -1 */
	int lifeline[2];	/* every pid 1 ends when [1] is closed */
	int closing;		/* the shim is gone: kill, clean up, end */
	struct record records[HELPER_RECORDS];
	size_t nrecords;	/* none was ever used from here on */
};

/* main.c: sends any message up.  A shim that does not read is given up. */
void	 helper_send(struct helper *h, uint16_t op, const void *body,
	    uint32_t length, int *fds);

/* main.c: makes an event of this record known: in state.json, to others. */
void	 helper_publish(const struct helper *h, enum event_kind kind,
	    const struct record *r);

/*
 * log.c: one bounded line on standard error, which the publisher writes to the
 * logs, so without arguments and variables of workloads: a constant message,
 * the ids of ref or NULL, a text from step_receive or NULL, a negative errno
 * or 0.  log_fatal ends the process with status 1.
 */
void	 log_line(const char *m, const struct msg_ref *ref, const char *text,
	    int error);
_Noreturn void log_fatal(const char *m);

/*
 * log.c: the same of an operation that the shim has asked for, where the node
 * audits them.
 */
void	 log_operation(const struct helper *h, const char *op,
	    const struct msg_ref *ref, int error);

/*
 * path.c: openat2(2) below dirfd, following no symbolic link and leaving it
 * by none, unless resolve has other RESOLVE_*; files are created 0600.  Returns
 * a descriptor or a negative errno.
 */
int	 path_open(int dirfd, const char *path, int flags, uint64_t resolve);

/*
 * path.c: a regular file in a directory below dirfd, both of which only root
 * can have written.  As path_open, and path_trusted.
 */
int	 path_file(int dirfd, const char *dir, const char *name, int flags);

/*
 * path.c: opens anew what fd refers to, without waiting.  Whoever has the
 * descriptor can have a signal of any number sent to its owner, a process, or 0
 * for nobody: one that is a workload's must have none.  As path_open.
 */
int	 path_reopen(int fd, int flags, uint32_t owner);

/*
 * path.c: 0 if fd is of this type (S_IFMT) and only root can have written it,
 * else -EINVAL or -EPERM.
 */
int	 path_trusted(int fd, mode_t type);

/* record.c: a container (exec is empty) or an exec, or NULL. */
struct record *record_find(struct helper *h, const char *id, const char *exec);

/* A cleared record in state CREATED, or NULL if all are used. */
struct record *record_new(struct helper *h, const struct msg_ref *ref);

/* Closes what the record owns and frees it, a container with its execs. */
void	 record_free(struct helper *h, struct record *r);

/* True for a record of container id that has a process, unreaped. */
int	 record_alive(const struct record *r, const char *id);

/* Kills what is left of a container; returns how many are not yet reaped. */
int	 record_kill(struct helper *h, const struct record *c);

/* One request, and what will answer it. */
struct request {
	const struct msg *m;
	int fd;			/* that came with it, or -1; lent */
	struct msg_reply reply;
	int fds[MSG_FDS_MAX];	/* that go with the reply; taken */
	enum event_kind event;	/* to be published after the reply, or 0 */
	int over;		/* the record is freed after that */
};

/*
 * container.c, process.c: an operation.  r is new for one that is allowed in
 * state FREE, and freed again if it fails.  Returns 0, or 1 if the answer comes
 * later, or a negative errno with reply.step and reply.text.  Whoever waits for
 * the answer comes before whoever listens to events.
 */
typedef int operation(struct helper *h, struct record *r, struct request *rq);
operation container_expect, container_create, process_start, process_exec,
	    process_signal, process_stdio /* stdio.c */, process_delete,
	    process_publish, process_cgroup /* cgroup.c */;

/*
 * Parts of one.  container.c: what of a container's creation needs nobody but
 * its bundle.  process.c: forks the launch step of a container or an exec, and
 * then, of a container, whose mount namespace is made meanwhile, waits for
 * both: mntns_fd, launch_fd; the master of its terminal goes with the reply.
 */
operation container_prepare, process_launch, process_ready;

/* namespace.c: opens those that a container's processes are started in. */
operation namespaces_open;

/*
 * cgroup.c: makes a container's cgroup and sets its limits: memory_fd,
 * event_fd, populated_fd; in state_fd a link for who finds it left.
 */
operation cgroup_make;

/*
 * optab.c: carries out one message and answers it; fds are lent.  Returns 0,
 * or -EBADMSG if the session must end: no such operation, a malformed body, a
 * wrong number of descriptors.
 */
int	 optab_dispatch(struct helper *h, const struct msg *m, const int *fds);

/*
 * container.c: prepares the container that `start` was run for, before anything
 * is asked for.
 */
void	 container_first(struct helper *h);

/*
 * process.c: decodes fd into r->plan, checked, node policy applied; rq->reply
 * as above.  What `start` has decoded to find the pod is not decoded again.
 */
int	 process_decode(struct helper *h, struct record *r, int fd,
	    struct request *rq);

/*
 * process.c: begins to make a container's mount namespace, by what will be pid
 * 1 of its own pid namespace if it has one: mount, init_pid, its ns_fds.  rq as
 * above.
 */
int	 process_mount(struct helper *h, struct record *c, struct request *rq);

/*
 * namespace.c: opens a namespace, enum plan_ns, of a process; takes those that
 * a container's launch step has made.  A descriptor or 0, or a negative errno.
 */
int	 namespace_open(pid_t pid, uint32_t kind);
int	 namespaces_take(struct record *c);

/* process.c: takes the outcome of a start; launch_fd is readable. */
void	 process_started(struct helper *h, struct record *r);

/*
 * process.c: of a record that is ENDING or UNDONE, kills and removes what is
 * left.  Once that is gone, reports its end, or frees it.  To be repeated when
 * a child has ended.
 */
void	 process_settle(struct helper *h, struct record *r);

/* process.c: reaps every child that ended and acts on it. */
void	 process_reap(struct helper *h);

/* state.c: <runtime_root>/<id>, locked, with state.json for people. */
int	 state_open(struct helper *h, struct record *c);
int	 state_write(const struct helper *h, const struct record *c);

/* cgroup.c: finds the hierarchies: version 1's, by controller, and 2. */
void	 cgroup_boot(int fds[CGROUP_HIERARCHIES]);

/*
 * Removes a container's, if it was made, or first that of version 2 alone.
 * Returns 0 or a negative errno: -EBUSY while something lives in it;
 * populated_fd tells of the end of that.
 */
int	 cgroup_remove(const struct helper *h, struct record *c, int all);

/* Kills all that is in it, unless its own pid 1 has to end for that. */
void	 cgroup_kill(const struct helper *h, const struct record *c);

/*
 * What a launch step gets to enter it: writers of version 1's tasks, and
 * in the last place the directory of version 2; -1 elsewhere.  0 or a negative
 * errno.
 */
int	 cgroup_enter(const struct helper *h, const struct record *c,
	    int fds[CGROUP_HIERARCHIES]);

/*
 * caps.c: what workloads with the host profile alone can have.  What each kind
 * of step keeps, its policy says.
 */
extern const uint64_t caps_host;

/*
 * caps.c: of a confined container.  SYS_ADMIN would hand over the node, for one
 * by descriptors of any file, fanotify(7), and is refused.  Not given are
 * MKNOD; SYS_PTRACE, by which the launch of execs could be taken over, and
 * which nobody needs for processes of the same user; and on the node's network,
 * if on_node has it, what looks into that.  Returns NULL or what is refused.
 */
const char *caps_confine(struct plan *plan, const struct node *node,
	    int on_node);

/* caps.c: gives up for good all capabilities outside keep.  0 or -errno. */
int	 caps_limit(uint64_t keep);

/* caps.c: the plan's bounding set; then, after setresuid, the rest. */
int	 caps_bound(uint64_t keep);
int	 caps_apply(const uint64_t sets[PLAN_CAPSETS]);

/*
 * Forks a child that does a step for r, and dies with the helper.  Returns 0
 * or a negative errno.
 */
int	 step_fork(struct helper *h, const struct record *r, struct step *step);

/*
 * Waits for its result and, unless fd is NULL, the descriptor that comes with
 * it.  Returns 0, or a negative errno with rq->reply.step and text filled.
 */
int	 step_wait(const struct step *step, int *fd, struct request *rq);

/*
 * Takes what a step sends up: one, a launch step a second if it then fails;
 * of the reply only error, step and text are used, of which nothing but
 * printable ASCII without quotes is left.  *fd is the descriptor that came with
 * it; with fd NULL none may come.  1, 0 at the end, or a negative errno, and
 * then *reply is unchanged.
 */
int	 step_receive(int socket_fd, struct msg_reply *reply, int *fd);

/*
 * In a step: reports a failure, or success: error 0, MSG_STEP_NONE, text a
 * warning or NULL, with fd or -1.
 */
void	 step_report(int error, enum msg_step step, const char *text, int fd);

/* In a step: reports a failure and ends. */
_Noreturn void step_fail(enum msg_step step, int error, const char *text);

/*
 * In a step: result, unless it is negative: then fails with errno, which is
 * also set where path_open and those of caps.c fail.
 */
int	 step_must(enum msg_step step, long result, const char *text);

/*
 * In a step: gives up all that it may do and waits until lifeline, unless that
 * is -1, is hung up, or for the signal that ends it.
 */
_Noreturn void step_wait_end(int lifeline);

/* In a step: no_new_privs and a filter from sandbox-policies/, or fails. */
void	 step_confine(const struct sock_fprog *policy);

/*
 * overlay.c: for step_mount, the namespace of the pod's overlay, which is made
 * where it is missing, and is locked until the step ends; then the working
 * directory is the runtime root.  A detached mount, for it to have, of what the
 * node has mounted at a path.
 */
int	 overlay_open(const struct helper *h, const struct plan *plan);
int	 overlay_extend(const char *path);

/*
 * mount.c: in a step, a detached mount: of a new filesystem, o: options in
 * pairs, then NULL, or NULL; flags: MOUNT_ATTR_*; or a clone of what is mounted
 * at a path, perhaps empty, below dirfd, flags: AT_RECURSIVE or 0; text: for
 * messages.  What changes all of it, and what places it and closes fd.
 */
#define NOSUID_NODEV	(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
int	 mount_new(const char *type, const char *const *o, unsigned int flags);
/* The same, but -1 with errno where that is no reason to end. */
int	 mount_try(const char *type, const char *const *o, unsigned int flags);
int	 mount_clone(int dirfd, const char *path, unsigned int flags,
	    const char *text);
void	 mount_set(int fd, uint64_t attributes, uint64_t propagation,
	    const char *text);
void	 mount_attach(int fd, int dirfd, const char *path, const char *text);

/*
 * volume.c: for step_mount, opens what the plan says on the node, and what of
 * the node's filesystems the overlay has not yet; places that in the overlay,
 * whose namespace it has entered; then the rest in the tree of the container,
 * the same.
 */
void	 volumes_open(const struct helper *h, const struct record *r,
	    int overlay_fd);
void	 nodes_attach(void);
void	 nodes_protect(void);	/* makes those read-only in that tree */
void	 volumes_attach(const struct record *r);

/*
 * cgroup.c: for step_mount, opens what a container may see of cgroups, which is
 * its own; then places it in its tree.
 */
void	 cgroup_open(const struct helper *h, const struct record *c);
void	 cgroup_show(const struct helper *h);

/*
 * filter.c: true if a path without its first slash is at, above or below
 * another, in which components may be patterns; one of a list as struct node
 * has them; what the filter layer, which has been filled, hides.
 */
int	 path_touches(const char *path, const char *pattern);
int	 list_touches(const char *list, const char *path);
int	 filter_touches(const char *path);

/*
 * filter.c: for step_mount, fills the filter layer with what a list of struct
 * node names; or only with what its patterns match by now.
 */
void	 filter_build(int layer_fd, const char *list, int patterns);

