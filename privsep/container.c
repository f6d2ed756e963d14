/*
 * Containers: from a bundle to a process that waits, and their end.
 */
#include "privsep/helper.h"

/* The bundle's config.json, if only root can have written it. */
static int
bundle_open(const struct helper *h, const char *id)
{
	int bundle, error, fd;

	bundle = path_open(h->bundles_fd, id, O_PATH | O_DIRECTORY, 0);
	if (bundle < 0)
		return (bundle);
	if ((fd = path_trusted(bundle, S_IFDIR)) == 0)
		fd = path_open(bundle, "config.json", O_RDONLY | O_NONBLOCK, 0);
	close(bundle);
	if (fd < 0 || (error = path_trusted(fd, S_IFREG)) == 0)
		return (fd);
	close(fd);
	return (error);
}

/* What node policy refuses of a bundle, or NULL. */
static const char *
policy_refusal(const struct helper *h, const struct record *c)
{
	const struct plan *plan = &c->plan;

	if ((plan->flags & PLAN_TERMINAL) != 0)
		return ("terminals are not supported yet");
	if (strcmp((plan->flags & PLAN_CRI) != 0 ? plan->sandbox_id :
	    c->ref.id, h->boot.group) != 0)
		return ("the bundle belongs to another pod");
	return (NULL);
}

/* Each step or check in its order; the first that fails is the answer. */
static int
container_build(struct helper *h, struct record *c, struct msg_reply *reply)
{
	static const int none[STEP_FDS_MAX] = { -1, -1 };
	const char *refusal;
	int error, fd;

	reply->step = MSG_STEP_BUNDLE;
	if ((fd = bundle_open(h, c->ref.id)) < 0)
		return (fd);
	error = process_decode(h, c, fd, reply);
	close(fd);
	if (error != 0)
		return (error);
	reply->step = MSG_STEP_POLICY;
	if ((refusal = policy_refusal(h, c)) != NULL) {
		strcpy(reply->text, refusal);
		return (-EPERM);
	}
	reply->step = MSG_STEP_STATE;
	if ((error = state_open(h, c)) != 0)
		return (error);
	reply->step = MSG_STEP_PIDNS;
	if ((c->plan.flags & PLAN_NEW_PIDNS) != 0)
		error = init_spawn(h, c);
	if (error != 0 || (error = step_run(h, c, step_mount, c->pidns_fd,
	    caps_mount, none, reply)) != 0 ||
	    (error = process_launch(h, c, reply)) != 0)
		return (error);
	reply->step = MSG_STEP_STATE;
	return (state_write(h, c));
}

int
container_create(struct helper *h, struct record *c, struct request *rq)
{
	int error;

	if ((c = record_new(h, &rq->m->body.ref)) == NULL)
		return (-EMFILE);
	if ((error = container_build(h, c, &rq->reply)) == 0) {
		rq->reply.pid = (uint32_t)c->pid;
		helper_publish(EVENT_CREATE, c);
		return (0);
	}
	log_line("a container was not created", &c->ref, rq->reply.text, error);
	/* What was forked is killed now and reaped as nobody's. */
	record_kill(h, c);
	if (c->state_fd != -1)
		state_remove(h->root_fd, c->state_fd, c->ref.id);
	record_free(h, c);
	return (error);
}

/*
 * What a container in the node's pid namespace has left behind is our child
 * now.  Kills the children that no record knows, unless another container of
 * that kind lives, whose they might be.  Returns how many there were.
 */
static int
orphans_kill(const struct helper *h)
{
	const struct record *r;
	FILE *children;
	int known, n = 0, pid;

	if ((children = fopen("/proc/thread-self/children", "re")) == NULL)
		return (0);
	while (fscanf(children, "%d", &pid) == 1) {
		for (known = 0, r = h->records; !known &&
		    r < h->records + h->nrecords; r++)
			known = r->state != RECORD_FREE && (r->pid == pid ||
			    r->init_pid == pid || (r->pidns_fd == -1 &&
			    record_alive(r, r->ref.id)));
		if (!known && kill(pid, SIGKILL) == 0)
			n++;
	}
	fclose(children);
	return (n);
}

void
container_settle(struct helper *h, struct record *c)
{
	int error;

	if (c->state != RECORD_ENDING || record_kill(h, c) > 0 ||
	    (c->pidns_fd == -1 && orphans_kill(h) > 0))
		return;
	c->state = RECORD_STOPPED;
	if ((error = state_write(h, c)) != 0)
		log_line("state.json was not written", &c->ref, NULL, error);
	helper_publish(EVENT_EXIT, c);
	helper_send(h, MSG_EXITED, &c->exited, sizeof(c->exited), NULL);
}
