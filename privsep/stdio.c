/*
 * The FIFOs that containerd made for a process's standard streams.
 */
#include "privsep/helper.h"

/*
 * A path that containerd gives to this process: its last component is the
 * process's own id (the exec's for an exec) and the stream's name, and among
 * CRI's, which are .../containers/<container id>/io/..., it is the own one's:
 * a shim may choose the id of an exec.
 */
static int
path_valid(const char *path, const struct msg_ref *ref, uint32_t stream)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	char last[MSG_ID_SIZE + 16], middle[MSG_ID_SIZE + 32];
	const char *cri = strstr(path, "/containers/");

	snprintf(last, sizeof(last), "/%s-%s",
	    ref->exec[0] != '\0' ? ref->exec : ref->id, names[stream]);
	snprintf(middle, sizeof(middle), "/containers/%s/io/", ref->id);
	return (strstr(path, "/.") == NULL && strstr(path, "//") == NULL &&
	    strcmp(strrchr(path, '/'), last) == 0 && (cri == NULL ||
	    strncmp(cri, middle, strlen(middle)) == 0));
}

int
process_stdio(struct helper *h, struct record *rec, struct request *rq)
{
	const struct msg_stdio *stdio = &rq->m->body.stdio;
	int error, fd, *slot = &rec->stdio_fds[stdio->stream];

	(void)h;
	rq->reply.step = MSG_STEP_STDIO;
	if (!path_valid(stdio->path, &rec->ref, stdio->stream) || *slot != -1)
		return (-EPERM);
	fd = open(stdio->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return (-errno);
	error = path_trusted(fd, S_IFIFO);
	if (error == 0 && stdio->stream == MSG_STDIN) {
		/*
		 * Reader before writer, so that neither open waits; the
		 * workload expects reads that do.
		 */
		error = *slot = path_reopen(fd, O_RDONLY);
		if (error >= 0)
			error = rq->fds[0] = path_reopen(fd, O_WRONLY);
		if (error >= 0)
			error = fcntl(*slot, F_SETFL, 0);
	}
	if (error == 0 && *slot == -1)
		*slot = fd;
	else
		close(fd);
	return (error);
}
