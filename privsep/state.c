#include <sys/xattr.h>

#include "privsep/helper.h"

int
state_open(struct helper *h, struct record *c)
{
	const char *namespace = h->boot.containerd_namespace;
	int fd;

	if (mkdirat(h->root_fd, c->ref.id, 0700) == -1 && errno != EEXIST)
		return (-errno);
	fd = path_open(h->root_fd, c->ref.id, O_RDONLY | O_DIRECTORY, 0);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == -1) {
		/* Another's of this name, not to be removed. */
		close(fd);
		return (-EEXIST);
	}
	if ((c->state_fd = fd) < 0)
		return (fd);
	return (fsetxattr(fd, BOOT_NAMESPACE, namespace, strlen(namespace), 0)
	    == -1 ? -errno : 0);
}

int
state_write(const struct helper *h, const struct record *c)
{
	const char *status = c->state <= RECORD_STARTING ? "created" :
	    c->state == RECORD_STOPPED ? "stopped" : "running";
	char exit_code[40] = "";
	int fd, n;

	/* First: it has room where a file has none. */
	if (fsetxattr(c->state_fd, BOOT_EXITED, &c->exited, sizeof(c->exited),
	    0) == -1)
		return (-errno);
	fd = openat(c->state_fd, BOOT_STATE_NEW,
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
	return (n < 0 || renameat(c->state_fd, BOOT_STATE_NEW, c->state_fd,
	    BOOT_STATE) == -1 ? -errno : 0);
}
