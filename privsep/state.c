#include "privsep/helper.h"

#define STATE_FILE	"state.json"
#define STATE_NEW	"state.json.new"

static int
directory_lock(int root_fd, const char *id, int how)
{
	int error, fd;

	if ((fd = path_open(root_fd, id, O_RDONLY | O_DIRECTORY, 0)) < 0 ||
	    flock(fd, how) == 0)
		return (fd);
	error = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	return (error);
}

int
state_open(struct helper *h, struct record *c)
{
	int fd;

	if (mkdirat(h->root_fd, c->ref.id, 0700) == -1 && errno != EEXIST)
		return (-errno);
	if ((fd = directory_lock(h->root_fd, c->ref.id, LOCK_EX | LOCK_NB)) < 0)
		return (fd);
	c->state_fd = fd;
	return (0);
}

int
state_write(const struct helper *h, const struct record *c)
{
	const char *status = c->state <= RECORD_STARTING ? "created" :
	    c->state == RECORD_STOPPED ? "stopped" : "running";
	char exit_code[40] = "";
	int fd, n;

	fd = openat(c->state_fd, STATE_NEW,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return (-errno);
	if (c->state == RECORD_STOPPED)
		snprintf(exit_code, sizeof(exit_code),
		    ",\n  \"exit_code\": %u", c->exited.status);
	/* The path was checked at boot to need no escapes. */
	n = dprintf(fd, "{\n  \"id\": \"%s\",\n  \"bundle\": \"%s/%s\",\n"
	    "  \"status\": \"%s\",\n  \"pid\": %d%s\n}\n", c->ref.id,
	    h->boot.bundles, c->ref.id, status, c->pid, exit_code);
	close(fd);
	if (n < 0 || renameat(c->state_fd, STATE_NEW, c->state_fd,
	    STATE_FILE) == -1)
		return (-errno);
	return (0);
}

int
state_remove(int root_fd, int state_fd, const char *id)
{
	if ((unlinkat(state_fd, STATE_FILE, 0) == -1 && errno != ENOENT) ||
	    (unlinkat(state_fd, STATE_NEW, 0) == -1 && errno != ENOENT) ||
	    (unlinkat(root_fd, id, AT_REMOVEDIR) == -1 && errno != ENOENT))
		return (-errno);
	return (0);
}

int
state_clean(int root_fd, const char *id)
{
	/*
	 * A helper that lives on for siblings keeps the lock, a dying one
	 * releases it: main bounds the wait with alarm(2).
	 */
	int fd = directory_lock(root_fd, id, LOCK_EX);

	if (fd < 0)
		return (fd == -ENOENT ? 0 : fd);
	return (state_remove(root_fd, fd, id));
}
