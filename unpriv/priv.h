/*
 * The unprivileged end of the channel to the helper: requests out, replies
 * and exits in.  The helper is not trusted to be right: whatever it sends is
 * checked against what was asked, and the first contradiction ends the
 * session.
 */
#ifndef UNPRIV_PRIV_H
#define UNPRIV_PRIV_H

#include <sys/types.h>

#include "privsep/channel.h"
#include "privsep/msg.h"
#include "unpriv/loop.h"

#define PRIV_FLIGHT_MAX	64	/* requests at the helper at a time */
#define PRIV_QUEUE_MAX	2048	/* requests waiting for that */

struct priv;

struct priv_handlers {
	/* The helper works; once, before anything else. */
	void (*ready)(void *arg);
	/*
	 * A process has ended.  The message is well formed; whether it makes
	 * sense is for the callee to say: other than 0 ends the session.
	 */
	int (*exited)(void *arg, const struct msg_exited *exited);
	/*
	 * The helper is gone, or was given up; why is a constant text.  Once,
	 * after every pending completion was called; no callback follows.
	 */
	void (*lost)(void *arg, const char *why);
};

/*
 * Completes one request.  The descriptors (-1: none) are the callee's from
 * now on: fds[0] is the writer of a MSG_STDIO for stdin; fds[0] and fds[1] are
 * both ends of stdout and stderr of a MSG_START; fds[0] is the file of a MSG_CGROUP.
 *
 * Of a process with a terminal, fds[0] of its MSG_CREATE, or of the MSG_START
 * of an exec, whose reply->fds is MSG_FDS_TERMINAL then, is the master; that of
 * a MSG_STDIO for stdin comes with the reader in fds[1], and that for stdout
 * with fds[0] to read and write.  All these do not block.
 *
 * After the loss of the helper, reply->error is PRIV_LOST and reply->step
 * MSG_STEP_NONE.
 */
#define PRIV_LOST	(-ENOTCONN)
typedef void priv_done(void *arg, const struct msg_reply *reply,
	    int fds[MSG_FDS_MAX]);

/*
 * Serves the channel, which stays the caller's to close after priv_free.  The
 * process helper must be the one to say MSG_READY.  Returns NULL with errno
 * set.
 */
struct priv *priv_new(struct loop *loop, struct channel *channel, pid_t helper,
	    const struct priv_handlers *handlers, void *arg);

/* Forgets everything; calls nothing back. */
void	 priv_free(struct priv *priv);

/*
 * Each queues one request and returns 0; done is called later, once, never
 * from inside.  Otherwise a negative errno, and done is not called: -ENOTCONN
 * after the loss of the helper, -ENOBUFS, -ENOMEM, -EINVAL for what
 * msg_body_check refuses.
 */
int	 priv_prepare(struct priv *priv, const struct msg_ref *ref,
	    priv_done *done, void *arg);
int	 priv_create(struct priv *priv, const struct msg_ref *ref,
	    priv_done *done, void *arg);
int	 priv_start(struct priv *priv, const struct msg_ref *ref,
	    priv_done *done, void *arg);
int	 priv_delete(struct priv *priv, const struct msg_ref *ref,
	    priv_done *done, void *arg);

/* Takes spec_fd, a sealed memfd, in any case. */
int	 priv_exec(struct priv *priv, const struct msg_ref *ref, int spec_fd,
	    priv_done *done, void *arg);
int	 priv_signal(struct priv *priv, const struct msg_ref *ref,
	    uint32_t signo, int all, priv_done *done, void *arg);

/* path: at most MSG_PATH_SIZE - 1 bytes; file: of a file for logs. */
int	 priv_stdio(struct priv *priv, const struct msg_ref *ref,
	    enum msg_stream stream, int file, const char *path,
	    priv_done *done, void *arg);

/* Of containers; ref->exec is empty; EVENT_PAUSED or EVENT_RESUMED. */
int	 priv_cgroup(struct priv *priv, const struct msg_ref *ref,
	    enum msg_cgroup file, priv_done *done, void *arg);
int	 priv_publish(struct priv *priv, const struct msg_ref *ref,
	    enum event_kind event, priv_done *done, void *arg);

/* Gives the helper up at the end of this round of the loop; why: constant. */
void	 priv_break(struct priv *priv, const char *why);

#endif
