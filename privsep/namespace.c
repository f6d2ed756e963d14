/*
 * Network, IPC, UTS and pid namespaces of containers.  Those of another process
 * are taken from the record of a child of this helper, never by path.
 */
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include <linux/magic.h>
#include <linux/nsfs.h>

#include "privsep/helper.h"

static const struct {
	const char *name;
	uint32_t type;
} kinds[PLAN_NS_MAX] = {
	[PLAN_NS_NET] = { "net", CLONE_NEWNET },
	[PLAN_NS_IPC] = { "ipc", CLONE_NEWIPC },
	[PLAN_NS_UTS] = { "uts", CLONE_NEWUTS },
	[PLAN_NS_PID] = { "pid", 0 },
};

int
namespace_open(pid_t pid, uint32_t kind)
{
	char path[48];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kinds[kind].name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return (fd == -1 ? -errno : fd);
}

/* A network namespace that CNI has made for the pod, and nothing else. */
static int
netns_open(const char *name)
{
	char path[PLAN_NETNS_SIZE + 16];
	struct statfs fs;
	int fd;

	/* plan_check has seen that it is one component. */
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return (-errno);
	if (fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC &&
	    ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET)
		return (fd);
	close(fd);
	return (-EINVAL);
}

static const struct record *
child_find(struct helper *h, pid_t pid)
{
	const struct record *r;

	RECORD_FOREACH(r, h) {
		if (!RECORD_IS_EXEC(r) && r->pid == pid &&
		    r->state != RECORD_PREPARED && record_alive(r, r->ref.id))
			return (r);
	}
	return (NULL);
}

int
namespaces_open(struct helper *h, struct record *c, struct request *rq)
{
	struct plan *plan = &c->plan;
	const struct record *r;
	uint32_t i;
	int fd;

	for (i = 0; i < PLAN_NS_MAX; i++) {
		r = child_find(h, (pid_t)plan->ns_pids[i]);
		if (r != NULL ? (r->on_node & 1 << i) != 0 :
		    (plan->unshare & kinds[i].type) == 0 &&
		    (i != PLAN_NS_NET || plan->netns[0] == '\0') &&
		    (i != PLAN_NS_PID || (plan->flags & PLAN_NEW_PIDNS) == 0))
			c->on_node |= 1 << i;
		/* Nothing is kept of the node's pid namespace. */
		if (i == PLAN_NS_PID && (plan->ns_pids[i] == 0 ||
		    (r != NULL && r->ns_fds[PLAN_NS_PID] < 0)))
			continue;
		if (plan->ns_pids[i] != 0)
			fd = r == NULL ? -EPERM : fcntl(r->ns_fds[i],
			    F_DUPFD_CLOEXEC, 0);
		else if (i == PLAN_NS_NET && plan->netns[0] != '\0')
			fd = netns_open(plan->netns);
		else
			fd = namespace_open(getpid(), i);
		if (fd < 0) {
			rq->reply.step = MSG_STEP_NAMESPACE;
			strcpy(rq->reply.text, kinds[i].name);
			return (fd);
		}
		c->ns_fds[i] = fd;
	}
	return (0);
}

int
namespaces_take(struct record *c)
{
	uint32_t i;
	int fd;

	for (i = 0; i < PLAN_NS_MAX; i++) {
		if ((c->plan.unshare & kinds[i].type) == 0)
			continue;
		if ((fd = namespace_open(c->pid, i)) < 0)
			return (fd);
		fdpass_close(&c->ns_fds[i], 1);
		c->ns_fds[i] = fd;
	}
	return (0);
}
