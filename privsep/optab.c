#include "privsep/helper.h"

#define ALIVE	(RECORD_IN(RECORD_CREATED) | RECORD_IN(RECORD_STARTING) | \
	RECORD_IN(RECORD_RUNNING))

const struct optab_row optab[] = {
	{ MSG_CREATE, "CREATE",
	    "decode the bundle, mount, fork the waiting process", 0,
	    RECORD_IN(RECORD_FREE), 0, container_create },
	{ MSG_START, "START",
	    "release the waiting process; answer when it has executed", 0,
	    RECORD_IN(RECORD_CREATED), RECORD_IN(RECORD_CREATED),
	    process_start },
	{ MSG_EXEC, "EXEC",
	    "decode a process document for a container that runs", 1,
	    0, RECORD_IN(RECORD_FREE), process_exec },
	{ MSG_SIGNAL, "SIGNAL",
	    "signal a child of the helper, or all of a container", 0,
	    ALIVE, RECORD_IN(RECORD_STARTING) | RECORD_IN(RECORD_RUNNING),
	    process_signal },
	{ MSG_STDIO, "STDIO",
	    "open a FIFO of root that carries the id in its name", 0,
	    RECORD_IN(RECORD_CREATED), RECORD_IN(RECORD_CREATED),
	    process_stdio },
	{ MSG_DELETE, "DELETE",
	    "remove the state of what has ended or never started", 0,
	    RECORD_IN(RECORD_STOPPED),
	    RECORD_IN(RECORD_CREATED) | RECORD_IN(RECORD_STOPPED),
	    process_delete },
};

const size_t optab_rows = sizeof(optab) / sizeof(optab[0]);

/* What is answered to a request in a state that its row does not list. */
static int
state_error(uint32_t allowed, uint32_t state)
{
	if ((allowed & RECORD_IN(RECORD_FREE)) != 0)
		return (-EEXIST);
	if (state == RECORD_FREE)
		return (-ENOENT);
	return (state >= RECORD_ENDING ? -ESRCH : -EBUSY);
}

int
optab_dispatch(struct helper *h, const struct msg *m, const int fds[MSG_FDS_MAX])
{
	struct request rq = { .m = m, .fd = fds[0], .fds = { -1, -1 },
		.reply = { .request = m->header.sequence } };
	const struct msg_ref *ref = &m->body.ref;
	const struct optab_row *row = optab;
	struct record *rec;
	uint32_t allowed, state;

	while (row < optab + optab_rows && row->op != m->header.op)
		row++;
	/* Every body of the shim begins with a struct msg_ref. */
	if (row == optab + optab_rows || row->nfds != m->header.nfds ||
	    msg_body_check(row->op, &m->body, m->header.length) != 0)
		return (-EBADMSG);
	rec = record_find(h, ref);
	state = rec == NULL ? RECORD_FREE : rec->state;
	allowed = ref->exec[0] == '\0' ? row->container_states :
	    row->exec_states;
	rq.reply.step = MSG_STEP_REQUEST;
	if ((allowed & RECORD_IN(state)) != 0)
		rq.reply.error = row->run(h, rec, &rq);
	else
		rq.reply.error = state_error(allowed, state);
	if (rq.reply.error == 0)
		rq.reply.step = MSG_STEP_NONE;
	if (rq.reply.error <= 0)
		helper_send(h, MSG_REPLY, &rq.reply, sizeof(rq.reply), rq.fds);
	return (0);
}
