#include "privsep/helper.h"

#define IN(state)	(1u << RECORD_##state)

/* What the shim may ask, of what, and when. */
static const struct {
	const char *name;
	uint16_t op;		/* enum msg_op */
	uint32_t nfds;		/* exactly so many descriptors */
	uint32_t container_states, exec_states; /* IN(); 0: not for these */
	operation *run;
} optab[] = {
	/* Decode the bundle, begin to mount, fork the waiting process. */
	{ "PREPARE", MSG_PREPARE, 0, IN(FREE), 0, container_expect },
	/* The same unless that is done; see both to their end. */
	{ "CREATE", MSG_CREATE, 0, IN(FREE) | IN(PREPARED), 0,
	    container_create },
	/* Release the waiting process; answer when it has executed. */
	{ "START", MSG_START, 0, IN(CREATED), IN(CREATED), process_start },
	/* Decode a process document for a container that runs. */
	{ "EXEC", MSG_EXEC, 1, 0, IN(FREE), process_exec },
	/* Signal a child of the helper, or all of a container. */
	{ "SIGNAL", MSG_SIGNAL, 0, IN(CREATED) | IN(STARTING) | IN(RUNNING),
	    IN(STARTING) | IN(RUNNING), process_signal },
	/* Open a FIFO of root that carries the id in its name. */
	{ "STDIO", MSG_STDIO, 0, IN(CREATED), IN(CREATED), process_stdio },
	/* Remove the state of what has ended or never started. */
	{ "DELETE", MSG_DELETE, 0, IN(PREPARED) | IN(STOPPED),
	    IN(CREATED) | IN(STOPPED), process_delete },
	/* Open a file of its cgroup, one of a table. */
	{ "CGROUP", MSG_CGROUP, 0, IN(CREATED) | IN(STARTING) | IN(RUNNING), 0,
	    process_cgroup },
	/* Say that it was frozen, or thawed, by such a file. */
	{ "PUBLISH", MSG_PUBLISH, 0, IN(RUNNING), 0, process_publish },
};

int
optab_dispatch(struct helper *h, const struct msg *m, const int *fds)
{
	struct request rq = { .m = m, .fd = fds[0], .fds = { -1, -1, -1 } };
	const struct msg_ref *ref = &m->body.ref;
	const size_t rows = sizeof(optab) / sizeof(optab[0]);
	uint32_t allowed, state;
	struct record *r;
	size_t i = 0;

	while (i < rows && optab[i].op != m->header.op)
		i++;
	/* Every body of the shim begins with a struct msg_ref. */
	if (i == rows || optab[i].nfds != m->header.nfds ||
	    msg_body_check(optab[i].op, &m->body, m->header.length) != 0)
		return (-EBADMSG);
	r = record_find(h, ref->id, ref->exec);
	state = r == NULL ? RECORD_FREE : r->state;
	allowed = ref->exec[0] == '\0' ? optab[i].container_states :
	    optab[i].exec_states;
	rq.reply.step = MSG_STEP_REQUEST;
	if ((allowed & (1u << state)) == 0) {
		rq.reply.error = (allowed & IN(FREE)) != 0 ? -EEXIST :
		    state <= RECORD_PREPARED ? -ENOENT :
		    state >= RECORD_ENDING ? -ESRCH : -EBUSY;
		r = NULL;
	} else if (r == NULL && (r = record_new(h, ref)) == NULL)
		rq.reply.error = -EMFILE;
	else
		rq.reply.error = optab[i].run(h, r, &rq);
	if (state <= RECORD_PREPARED && r != NULL && (rq.reply.error < 0 ||
	    m->header.op == MSG_DELETE)) {
		/* What is wrong is found again, and told, when it is due. */
		if (rq.reply.error < 0 && m->header.op != MSG_PREPARE)
			log_line("it was not created", ref, rq.reply.text,
			    rq.reply.error);
		r->state = RECORD_UNDONE;
		process_settle(h, r);
	}
	/* With a failure goes nothing of what it had come to. */
	if (rq.reply.error < 0)
		fdpass_close(rq.fds, MSG_FDS_MAX);
	/* Last, because a step may have overwritten it. */
	rq.reply.request = m->header.sequence;
	if (rq.reply.error == 0)
		rq.reply.step = MSG_STEP_NONE;
	log_operation(h, optab[i].name, ref, rq.reply.error);
	if (rq.reply.error <= 0)
		helper_send(h, MSG_REPLY, &rq.reply, sizeof(rq.reply), rq.fds);
	if (rq.reply.error == 0 && rq.event != 0)
		helper_publish(h, rq.event, r);
	/* Slow, since with the descriptors the mount namespace goes. */
	if (rq.over)
		record_free(h, r);
	return (0);
}
