/*
 * What a process's standard streams are connected with: the FIFOs that
 * containerd made for it, or files for logs.
 */
#include "privsep/helper.h"

static const char *const names[] = { "stdin", "stdout", "stderr" };

/*
 * A file to append to, in a directory of root's that is the node's for logs, or
 * below it; symbolic links lead nowhere.  The working directory is /.
 */
static int
log_open(const char *root, const char *path)
{
	const char *below = path + strlen(root), *name = strrchr(path, '/');

	if (root[0] == '\0' || strncmp(path, root, strlen(root)) != 0 ||
	    below[0] != '/' || strstr(below, "/..") != NULL)
		return (root[0] == '\0' ? -EOPNOTSUPP : -EXDEV);
	return (path_file(AT_FDCWD, strndupa(path + 1,
	    (size_t)(name - path) - 1), name + 1,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY));
}

/*
 * The path of a FIFO must be one that containerd gives to this process: its
 * last component is the process's own id (the exec's for an exec) and the
 * stream's name, and among CRI's, which are .../containers/<container
 * id>/io/..., it is the own one's: a shim may choose the id of an exec.
 */
int
process_stdio(struct helper *h, struct record *r, struct request *rq)
{
	const struct msg_stdio *stdio = &rq->m->body.stdio;
	const char *path = stdio->path, *cri = strstr(path, "/containers/");
	const int terminal = (r->plan.flags & PLAN_TERMINAL) != 0;
	int error, fd, *slot = terminal ? &rq->fds[stdio->stream == MSG_STDIN] :
	    &r->stdio_fds[stdio->stream];
	char last[MSG_ID_SIZE + 16], middle[MSG_ID_SIZE + 32];

	rq->reply.step = MSG_STEP_STDIO;
	if (*slot != -1 || (terminal &&
	    (stdio->stream == MSG_STDERR || stdio->file)))
		return (-EPERM);
	if (stdio->file) {
		fd = log_open(h->boot.node.log_dir, path);
		return (fd < 0 ? fd : (*slot = fd, 0));
	}
	snprintf(last, sizeof(last), "/%s-%s", RECORD_IS_EXEC(r) ?
	    r->ref.exec : r->ref.id, names[stdio->stream]);
	snprintf(middle, sizeof(middle), "/containers/%s/io/", r->ref.id);
	if (strstr(path, "/.") != NULL || strstr(path, "//") != NULL ||
	    strcmp(strrchr(path, '/'), last) != 0 ||
	    (cri != NULL && strncmp(cri, middle, strlen(middle)) != 0))
		return (-EPERM);
	if ((fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC)) == -1)
		return (-errno);
	error = path_trusted(fd, S_IFIFO);
	if (error == 0 && stdio->stream == MSG_STDIN) {
		/* Reader before writer, so that neither open waits. */
		if ((error = *slot = path_reopen(fd, O_RDONLY, 0)) >= 0)
			error = rq->fds[0] = path_reopen(fd, O_WRONLY, 0);
		/* The workload expects reads that wait; the shim does not. */
		if (error >= 0 && !terminal)
			error = fcntl(*slot, F_SETFL, 0);
	} else if (error == 0) {
		error = *slot = !terminal ? fcntl(fd, F_DUPFD_CLOEXEC, 0) :
		    path_reopen(fd, O_RDWR, h->boot.shim_pid);
	}
	fdpass_close(slot, error < 0);
	fdpass_close(rq->fds, error < 0);
	close(fd);
	return (error < 0 ? error : 0);
}
