#include "privsep/helper.h"

struct record *
record_find(struct helper *h, const struct msg_ref *ref)
{
	struct record *r;

	for (r = h->records; r < h->records + HELPER_RECORDS; r++) {
		if (r->state != RECORD_FREE &&
		    strcmp(r->ref.id, ref->id) == 0 &&
		    strcmp(r->ref.exec, ref->exec) == 0)
			return (r);
	}
	return (NULL);
}

struct record *
record_container(struct helper *h, const struct msg_ref *ref)
{
	struct msg_ref c = *ref;

	memset(c.exec, 0, sizeof(c.exec));
	return (record_find(h, &c));
}

struct record *
record_new(struct helper *h, const struct msg_ref *ref)
{
	struct record *r;

	for (r = h->records; r < h->records + HELPER_RECORDS; r++) {
		if (r->state != RECORD_FREE)
			continue;
		memset(r, 0, sizeof(*r));
		r->state = RECORD_CREATED;
		r->ref = r->exited.ref = *ref;
		memset(r->fds, -1, sizeof(r->fds));
		return (r);
	}
	return (NULL);
}

void
record_free(struct helper *h, struct record *rec)
{
	struct record *r;
	size_t i;

	rec->state = RECORD_FREE;
	for (i = 0; i < sizeof(rec->fds) / sizeof(rec->fds[0]); i++) {
		if (rec->fds[i] != -1)
			close(rec->fds[i]);
	}
	for (r = h->records; r < h->records + HELPER_RECORDS; r++) {
		if (rec->ref.exec[0] == '\0' && r->state != RECORD_FREE &&
		    strcmp(r->ref.id, rec->ref.id) == 0)
			record_free(h, r);
	}
}

int
record_alive(const struct record *r, const char *id)
{
	return (r->state != RECORD_FREE && r->pid != 0 && !r->reaped &&
	    strcmp(r->ref.id, id) == 0);
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
	for (r = h->records; r < h->records + HELPER_RECORDS; r++) {
		if (record_alive(r, c->ref.id))
			alive += kill(r->pid, SIGKILL) == 0;
	}
	return (alive);
}
