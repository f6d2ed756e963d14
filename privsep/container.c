/*
 * Containers: from a bundle to a process that waits.
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

/* Each step or check in its order; the first that fails is the answer. */
int
container_create(struct helper *h, struct record *c, struct request *rq)
{
	struct msg_reply *reply = &rq->reply;
	int error, fd;

	reply->step = MSG_STEP_BUNDLE;
	if ((fd = bundle_open(h, c->ref.id)) < 0)
		return (fd);
	error = process_decode(h, c, fd, rq);
	close(fd);
	if (error != 0)
		return (error);
	reply->step = MSG_STEP_STATE;
	if ((error = state_open(h, c)) != 0)
		return (error);
	if ((error = cgroup_make(h, c, reply)) != 0)
		return (error);
	if ((error = process_launch(h, c, rq)) != 0)
		return (error);
	reply->pid = (uint32_t)c->pid;
	rq->event = EVENT_CREATE;
	return (0);
}
