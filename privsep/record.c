#include "privsep/helper.h"

struct record *
record_find(struct helper *h, const char *id, const char *exec)
{
	struct record *r;

	RECORD_FOREACH(r, h) {
		if (strcmp(r->ref.id, id) == 0 &&
		    strcmp(r->ref.exec, exec) == 0)
			return (r);
	}
	return (NULL);
}

struct record *
record_new(struct helper *h, const struct msg_ref *ref)
{
	struct record *r;

	for (r = h->records; r < h->records + HELPER_RECORDS; r++) {
		if (r->state != RECORD_FREE)
			continue;
		if (r == h->records + h->nrecords)
			h->nrecords++;
		memset(r, 0, sizeof(*r));
		r->state = RECORD_CREATED;
		r->ref = r->exited.ref = *ref;
		memset(r->fds, -1, sizeof(r->fds));
		r->mount.socket_fd = r->launch.socket_fd = -1;
		return (r);
	}
	return (NULL);
}

void
record_free(struct helper *h, struct record *r)
{
	struct record *exec;

	r->state = RECORD_FREE;
	fdpass_close(r->fds, sizeof(r->fds) / sizeof(r->fds[0]));
	fdpass_close(&r->mount.socket_fd, 1);
	fdpass_close(&r->launch.socket_fd, 1);
	if (RECORD_IS_EXEC(r))
		return;
	RECORD_FOREACH(exec, h) {
		if (strcmp(exec->ref.id, r->ref.id) == 0)
			record_free(h, exec);
	}
}

int
record_alive(const struct record *r, const char *id)
{
	return (r->pid != 0 && !r->reaped && strcmp(r->ref.id, id) == 0);
}

int
record_kill(struct helper *h, const struct record *c)
{
	struct record *r;
	int alive = 0;

	/*
	 * These are children of ours that were not reaped, so their pids
	 * cannot have been given to anybody else.
	 */
	if (c->init_pid != 0)
		alive += kill(c->init_pid, SIGKILL) == 0;
	if (!RECORD_IS_EXEC(c) && c->has_cgroup)
		cgroup_kill(h, c);
	RECORD_FOREACH(r, h) {
		if (record_alive(r, c->ref.id))
			alive += kill(r->pid, SIGKILL) == 0;
	}
	return (alive);
}
