/*
 * Containers: from a bundle to a process that waits.
 */
#include "privsep/helper.h"

/* Each step or check in its order; the first that fails is the answer. */
int
container_prepare(struct helper *h, struct record *c, struct request *rq)
{
	struct msg_reply *reply = &rq->reply;
	const char *bad = NULL;
	int error, fd;

	reply->step = MSG_STEP_BUNDLE;
	fd = path_file(h->bundles_fd, c->ref.id, "config.json", O_RDONLY);
	if (fd < 0)
		return (fd);
	error = process_decode(h, c, fd, rq);
	close(fd);
	if (error == 0) {
		reply->step = MSG_STEP_STATE;
		error = state_open(h, c);
	}
	if (error != 0 || (error = cgroup_make(h, c, rq)) != 0 ||
	    (error = namespaces_open(h, c, rq)) != 0)
		return (error);
	if ((c->plan.flags & (PLAN_HOST | PLAN_CRI_SANDBOX)) == 0)
		bad = caps_confine(&c->plan, &h->boot.node, c->on_node);
	if (bad != NULL) {
		reply->step = MSG_STEP_POLICY;
		strcpy(reply->text, bad);
		return (-EPERM);
	}
	reply->step = MSG_STEP_NAMESPACE;
	return (process_mount(h, c));
}

void
container_expect(struct helper *h)
{
	struct request rq = { .fd = -1, .fds = { -1, -1, -1 } };
	struct msg_ref ref = { 0 };
	struct record *c;

	memcpy(ref.id, h->boot.planned, sizeof(ref.id));
	if ((c = record_new(h, &ref)) == NULL)
		return;
	c->state = RECORD_PREPARED;
	/* What is wrong with it is found again, and told, when it is due. */
	if (container_prepare(h, c, &rq) != 0) {
		c->state = RECORD_UNDONE;
		process_settle(h, c);
	}
}

int
container_create(struct helper *h, struct record *c, struct request *rq)
{
	int error = 0;

	if (c->state != RECORD_PREPARED)
		error = container_prepare(h, c, rq);
	c->state = RECORD_CREATED;
	if (error != 0 || (error = process_launch(h, c, rq)) != 0)
		return (error);
	rq->reply.pid = (uint32_t)c->pid;
	rq->event = EVENT_CREATE;
	return (0);
}
