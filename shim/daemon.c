#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "privsep/boot.h"
#include "privsep/channel.h"
#include "shim/daemon.h"
#include "shim/helper.h"
#include "shim/publish.h"
#include "shim/report.h"
#include "shim/serve.h"
#include "unpriv/log.h"
#include "unpriv/sandbox.h"

_Static_assert(CHANNEL_KEY_SIZE == sizeof((struct boot){ 0 }.key),
    "key sizes differ");

/* The daemon's descriptors while it waits for its order. */
enum {
	FD_CHANNEL = STDERR_FILENO + 1,
	FD_EVENTS, /* until the publisher has it */
	FD_LINES,  /* likewise */
	FD_REPORT, /* until the sandbox is entered */
	FD_READY,
	FD_END,
};

static void __attribute__((noreturn)) fail(int error, const char *what)
{
	report_error(error, "%s", what);
	_exit(1);
}

/* Leaves the daemon with the descriptors listed above and no other. */
static void
descriptors_place(const struct daemon_args *daemon)
{
	const int fds[FD_END - FD_CHANNEL] = {
		/* NOLINTNEXTLINE(misc-redundant-expression): the first of them. */
		[FD_CHANNEL - FD_CHANNEL] = daemon->channel_fd,
		[FD_EVENTS - FD_CHANNEL] = daemon->events_fd,
		[FD_LINES - FD_CHANNEL] = daemon->lines_fd,
		[FD_REPORT - FD_CHANNEL] = report_fd(),
		[FD_READY - FD_CHANNEL] = daemon->ready_fd,
	};
	int error;

	error = helper_place(fds, FD_END - FD_CHANNEL, FD_CHANNEL, 0);
	if (error != 0)
		fail(error, "placing descriptors");
	report_to(FD_REPORT);
}

/* Waits for a message of size bytes with nfds descriptors. */
static void
order_wait(void *order, size_t size, int fds[MSG_FDS_MAX], int nfds)
{
	struct pollfd pollfd = { FD_READY, POLLIN, 0 };

	/* Without one, none is needed, or `start` has said why. */
	if (poll(&pollfd, 1, -1) != 1 ||
	    fdpass_receive(FD_READY, order, size, fds, NULL) != (int)size ||
	    fds[nfds - 1] == -1)
		_exit(1);
}

/*
 * Starts the publisher, with its log file, and turns to the own one.  Standard
 * input and output are where the descriptors of both stay.
 */
static void
publisher_start(const struct daemon_args *daemon, enum log_level level,
    const int files[DAEMON_FILES], int empty)
{
	int error, null;

	null = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, FD_END);
	if (null == -1 || dup2(FD_LINES, STDIN_FILENO) == -1 ||
	    dup2(files[DAEMON_LOG_RUNTIME], STDOUT_FILENO) == -1)
		fail(-errno, "the publisher's log");
	log_file(STDOUT_FILENO, level);
	error = publish_spawn(FD_EVENTS, daemon->events_address, empty,
	    daemon->args->namespace, daemon->bundles);
	if (error < 0)
		fail(error, "starting the publisher of events");
	if (dup2(null, STDIN_FILENO) == -1 ||
	    dup2(files[DAEMON_LOG_SHIM], STDOUT_FILENO) == -1)
		fail(-errno, "the shim's log");
	close(files[DAEMON_LOG_RUNTIME]);
	close(files[DAEMON_LOG_SHIM]);
	close(null);
	close(FD_LINES);
	close(FD_EVENTS);
}

void
daemon_run(const struct daemon_args *daemon)
{
	static struct channel channel;
	struct daemon_order order;
	struct serve_args serve;
	enum log_level level = daemon->args->debug ? LOG_LEVEL_DEBUG :
						     LOG_LEVEL_INFO;
	int error, fds[MSG_FDS_MAX], files[MSG_FDS_MAX];
	char byte;

	/* The publisher is nobody's to wait for. */
	if (setsid() == -1 || signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		fail(-errno, "leaving containerd's session");
	descriptors_place(daemon);
	log_open(STDERR_FILENO, level);
	if ((error = sandbox_drop_bounding_set()) != 0)
		fail(error, "the bounding set");
	order_wait(&byte, sizeof(byte), files, DAEMON_FILES);
	order_wait(&order, sizeof(order), fds, DAEMON_FDS);
	log_context(daemon->args->namespace, order.group);
	publisher_start(daemon, level, files, fds[DAEMON_ROOT]);
	error = channel_open(&channel, FD_CHANNEL, CHANNEL_SHIM, daemon->key,
	    order.helper, 0);
	sodium_memzero(daemon->key, CHANNEL_KEY_SIZE);
	if (error != 0)
		fail(error, "the channel");
	memset(&serve, 0, sizeof(serve));
	serve.listener = fds[DAEMON_LISTENER];
	serve.channel = &channel;
	serve.helper = order.helper;
	serve.log_fd = -1;
	serve.ready_fd = -1;
	serve.namespace = daemon->args->namespace;
	serve.id = daemon->args->id;
	if ((error = serve_init(&serve)) != 0)
		fail(error, "preparing to serve");
	if ((error = sandbox_enter_shim(order.uid, fds[DAEMON_ROOT])) != 0)
		fail(error, "entering the sandbox");
	/*
	 * What is asked before the helper works waits for it, and gets an
	 * error if it does not come to that.
	 */
	if (write(FD_READY, "", 1) != 1)
		log_event(LOG_LEVEL_WARNING, "nobody waits for the shim", NULL);
	close(FD_READY);
	close(FD_REPORT);
	report_to(-1);
	_exit(serve_loop() != 0);
}
