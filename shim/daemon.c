#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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
#include "unpriv/endpoint.h"
#include "unpriv/log.h"
#include "unpriv/sandbox.h"

_Static_assert(CHANNEL_KEY_SIZE == sizeof((struct boot){ 0 }.key),
    "key sizes differ");
_Static_assert(CONF_PATH_SIZE == BOOT_PATH_SIZE, "path sizes differ");

/* The daemon's descriptors, once they are in place. */
enum {
	FD_LISTENER = STDERR_FILENO + 1,
	FD_CHANNEL,
	FD_BOOT,   /* until the helper has its boot record */
	FD_ROOT,   /* until the root directory is changed */
	FD_REPORT, /* until the sandbox is entered */
	FD_READY,
	FD_END,
};

/* Ends of what joins the daemon, its helper and the publisher. */
struct joints {
	int channel[2]; /* daemon's, helper's */
	int boot[2];	/* read, write */
	int events[2];	/* publisher's, helper's */
};

static void __attribute__((noreturn)) fail(int error, const char *what)
{
	report_error(error, "%s", what);
	_exit(1);
}

/* Like a shim of runc: killed a little earlier than containerd. */
static void
oom_score_raise(void)
{
	static const char path[] = "/proc/self/oom_score_adj";
	char text[16];
	ssize_t n;
	int fd, score;

	if ((fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		return;
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n > 0) {
		text[n] = '\0';
		score = atoi(text);
		n = snprintf(text, sizeof(text), "%d",
		    score < 1000 ? score + 1 : score);
		/* No reason not to run. */
		if (pwrite(fd, text, (size_t)n, 0) != n)
			report_error(-errno, path);
	}
	close(fd);
}

/* Leaves containerd's session, directory and standard streams. */
static void
detach(const struct daemon_args *daemon)
{
	int saved;

	if (setsid() == -1 || chdir("/") == -1 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    /* The helper is nobody's to wait for. */
	    signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		fail(-errno, "leaving containerd's session");
	umask(077);
	oom_score_raise();
	/* containerd waits for the end of standard error, start for ours. */
	if ((saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FD_END)) == -1)
		fail(-errno, "standard error");
	report_to(saved);
	if (dup2(daemon->null_fd, STDIN_FILENO) == -1 ||
	    dup2(daemon->null_fd, STDOUT_FILENO) == -1 ||
	    dup2(daemon->log_fd, STDERR_FILENO) == -1)
		fail(-errno, "standard streams");
}

static void
joints_make(struct joints *joints)
{
	int error;

	if ((error = endpoint_pair(joints->channel)) != 0)
		fail(error, "the channel");
	if (pipe2(joints->boot, O_CLOEXEC) == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		joints->events) == -1)
		fail(-errno, "joining the helper");
}

/* Leaves the daemon with the descriptors listed above and no other. */
static void
descriptors_place(const struct daemon_args *daemon, const struct joints *joints)
{
	const int fds[FD_END - FD_LISTENER] = {
		[FD_LISTENER - FD_LISTENER] = daemon->listener,
		[FD_CHANNEL - FD_LISTENER] = joints->channel[0],
		[FD_BOOT - FD_LISTENER] = joints->boot[1],
		[FD_ROOT - FD_LISTENER] = daemon->root_fd,
		[FD_REPORT - FD_LISTENER] = report_fd(),
		[FD_READY - FD_LISTENER] = daemon->ready_fd,
	};
	int error;

	error = helper_place(fds, FD_END - FD_LISTENER, FD_LISTENER, 0);
	if (error != 0)
		fail(error, "placing descriptors");
	report_to(FD_REPORT);
}

/* Tells the helper what it must know, and opens the channel with its key. */
static void
helper_boot(const struct daemon_args *daemon, pid_t helper,
    struct channel *channel)
{
	struct boot boot;
	int error;

	memset(&boot, 0, sizeof(boot));
	boot.magic = BOOT_MAGIC;
	boot.shim_pid = (uint32_t)getpid();
	boot.shim_uid = daemon->conf->uid;
	memcpy(boot.containerd_namespace, daemon->args->namespace,
	    sizeof(boot.containerd_namespace));
	strcpy(boot.group, daemon->group);
	strcpy(boot.bundles, daemon->bundles);
	strcpy(boot.runtime_root, daemon->conf->runtime_root);
	randombytes_buf(boot.key, sizeof(boot.key));
	/* Less than PIPE_BUF: all or nothing. */
	if (write(FD_BOOT, &boot, sizeof(boot)) != sizeof(boot))
		fail(-errno, "telling the helper");
	close(FD_BOOT);
	error = channel_open(channel, FD_CHANNEL, CHANNEL_SHIM, boot.key,
	    helper, 0);
	sodium_memzero(&boot, sizeof(boot));
	if (error != 0)
		fail(error, "the channel");
}

/* containerd's socket for events: beside the one that it was given for. */
static const char *
events_address(const struct daemon_args *daemon)
{
	static char address[256];
	const char *given = getenv("TTRPC_ADDRESS");

	if (given != NULL && given[0] != '\0')
		snprintf(address, sizeof(address), "%s", given);
	else
		snprintf(address, sizeof(address), "%s.ttrpc",
		    daemon->args->address);
	return (address);
}

/*
 * Overwrites containerd's environment in this process's memory, where whoever
 * takes the shim over would find it: a proxy's password, say.
 */
static void
environment_wipe(void)
{
	char **variable;

	for (variable = environ; *variable != NULL; variable++)
		sodium_memzero(*variable, strlen(*variable));
	environ = NULL;
}

void
daemon_run(const struct daemon_args *daemon)
{
	static struct channel channel;
	struct joints joints;
	struct serve_args serve;
	const char *events = events_address(daemon);
	pid_t helper;
	int error;

	environment_wipe();
	detach(daemon);
	joints_make(&joints);
	helper = helper_spawn(daemon->executable, NULL,
	    (const int[]){ joints.channel[1], joints.boot[0],
		joints.events[1] },
	    3);
	if (helper < 0)
		fail((int)helper, "starting the helper");
	if ((error = publish_spawn(joints.events[0], events,
		 daemon->args->namespace, daemon->bundles)) < 0)
		fail(error, "starting the publisher of events");
	descriptors_place(daemon, &joints);
	helper_boot(daemon, helper, &channel);

	log_open(STDERR_FILENO,
	    daemon->args->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	memset(&serve, 0, sizeof(serve));
	serve.listener = FD_LISTENER;
	serve.channel = &channel;
	serve.helper = helper;
	serve.log_fd = -1;
	serve.ready_fd = -1;
	serve.namespace = daemon->args->namespace;
	if ((error = serve_init(&serve)) != 0)
		fail(error, "preparing to serve");
	if ((error = sandbox_enter_shim(daemon->conf->uid, FD_ROOT)) != 0)
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
