/*
 * Containers: from a bundle to a process that waits.
 */
#include "privsep/helper.h"

/* Each step or check in its order; the first that fails is the answer. */
int
container_create(struct helper *h, struct record *c, struct request *rq)
{
	struct msg_reply *reply = &rq->reply;
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
	    (error = process_launch(h, c, rq)) != 0)
		return (error);
	reply->pid = (uint32_t)c->pid;
	rq->event = EVENT_CREATE;
	return (0);
}
