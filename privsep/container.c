/*
 * Containers: from a bundle to a process that waits.
 */
#include <sys/wait.h>

#include "privsep/helper.h"

/* Each step or check in its order; the first that fails is the answer. */
int
container_prepare(struct helper *h, struct record *c, struct request *rq)
{
	struct msg_reply *reply = &rq->reply;
	const char *bad;
	int error;

	reply->step = MSG_STEP_BUNDLE;
	c->bundle_fd = path_file(h->bundles_fd, c->ref.id, "config.json",
	    O_RDONLY);
	if (c->bundle_fd < 0)
		return (c->bundle_fd);
	if ((error = process_decode(h, c, c->bundle_fd, rq)) != 0)
		return (error);
	if ((error = state_open(h, c)) != 0) {
		reply->step = MSG_STEP_STATE;
		strcpy(reply->text, h->boot.node.runtime_root);
		return (error);
	}
	if ((error = namespaces_open(h, c, rq)) != 0)
		return (error);
	if ((c->plan.flags & (PLAN_HOST | PLAN_CRI_SANDBOX)) == 0 && (bad =
	    caps_confine(&c->plan, &h->boot.node, c->on_node)) != NULL) {
		reply->step = MSG_STEP_POLICY;
		strcpy(reply->text, bad);
		return (-EPERM);
	}
	reply->step = MSG_STEP_NAMESPACE;
	if ((error = process_mount(h, c, rq)) != 0 ||
	    (error = cgroup_make(h, c, rq)) != 0)
		return (error);
	/* It shows the cgroup, and can come as far as that by itself. */
	fdpass_send(c->mount.socket_fd, "", 1, NULL, 0);
	/* Into no pid namespace whose pid 1 has failed, and says why. */
	if ((error = process_launch(h, c, rq)) != 0)
		return (step_wait(&c->mount, &c->mntns_fd, rq) ?: error);
	c->pid = c->launch.pid;
	return (0);
}

int
container_expect(struct helper *h, struct record *c, struct request *rq)
{
	int error;

	c->state = RECORD_PREPARED;
	error = container_prepare(h, c, rq);
	/* Nothing is left of it for the one who is to be told why. */
	if (error != 0 && c->init_pid != 0 && kill(c->init_pid, SIGKILL) == 0 &&
	    waitpid(c->init_pid, NULL, 0) != -1)
		c->init_pid = 0;
	return (error);
}

void
container_first(struct helper *h)
{
	struct request rq = { .fd = -1, .fds = { -1, -1, -1 } };
	struct msg_ref ref = { 0 };
	struct record *c;

	memcpy(ref.id, h->boot.planned, sizeof(ref.id));
	if ((c = record_new(h, &ref)) != NULL &&
	    container_expect(h, c, &rq) != 0) {
		c->state = RECORD_UNDONE;
		process_settle(h, c);
	}
}

int
container_create(struct helper *h, struct record *c, struct request *rq)
{
	struct stat st;
	int error = 0;

	if (c->state != RECORD_PREPARED)
		error = container_prepare(h, c, rq);
	/* Of an earlier one of this name, which is gone. */
	else if (fstat(c->bundle_fd, &st) == -1 || st.st_nlink == 0)
		error = -ESTALE;
	fdpass_close(&c->bundle_fd, 1);
	c->state = RECORD_CREATED;
	if (error != 0 || (error = process_ready(h, c, rq)) != 0)
		return (error);
	rq->reply.pid = (uint32_t)c->pid;
	rq->event = EVENT_CREATE;
	return (0);
}
