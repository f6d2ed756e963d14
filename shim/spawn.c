#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "privsep/channel.h"
#include "shim/daemon.h"
#include "shim/helper.h"
#include "shim/output.h"
#include "shim/report.h"
#include "shim/spawn.h"
#include "unpriv/endpoint.h"
#include "version.h"

#define BEGIN_LIMIT  10000 /* ms, to the first word of a helper */
#define UNDO_LIMIT   10	   /* seconds, to the end of a failed helper */
#define VERSION_SIZE 128   /* bytes, with the NUL */

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
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's number. */
		score = atoi(text);
		n = snprintf(text, sizeof(text), "%d",
		    score < 1000 ? score + 1 : score);
		/* No reason not to run. */
		if (pwrite(fd, text, (size_t)n, 0) != n)
			report_error(-errno, path);
	}
	close(fd);
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

/*
 * containerd's socket for events: beside the one that it was given for.  Where
 * none was given there is no containerd, and nobody to be told.
 */
static void
events_find(struct spawn *spawn, const struct shim_args *args)
{
	const char *given = getenv("TTRPC_ADDRESS");

	if (given != NULL && given[0] != '\0')
		snprintf(spawn->events_address, SPAWN_ADDRESS_SIZE, "%s",
		    given);
	else if (args->address[0] != '\0')
		snprintf(spawn->events_address, SPAWN_ADDRESS_SIZE, "%s.ttrpc",
		    args->address);
}

static int
detach(const struct spawn *spawn)
{
	int error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (error == -1 || out == -1)
		return (report_error(-errno, "keeping the standard streams"));
	report_to(error);
	output_to(out);
	if (dup2(spawn->null_fd, STDIN_FILENO) == -1 ||
	    dup2(spawn->null_fd, STDOUT_FILENO) == -1 ||
	    dup2(spawn->log_fd, STDERR_FILENO) == -1 || chdir("/") == -1)
		return (report_error(-errno, "leaving containerd's streams"));
	umask(077);
	oom_score_raise();
	environment_wipe();
	return (0);
}

/* It waits for what is not known yet, and is ready sooner that way. */
static int
daemon_fork(struct spawn *spawn, const struct shim_args *args,
    const char *bundles)
{
	const struct daemon_args daemon = {
		.args = args,
		.key = spawn->boot.key,
		.channel_fd = spawn->channel[0],
		.events_fd = spawn->events[0],
		.lines_fd = spawn->lines[0],
		.ready_fd = spawn->ready[1],
		.events_address = spawn->events_address,
		.bundles = bundles,
	};
	pid_t pid;

	if ((pid = fork()) == 0)
		daemon_run(&daemon);
	if (pid == -1)
		return (report_error(-errno, "fork"));
	spawn->daemon = pid;
	/* Its end is ours to see. */
	close(spawn->ready[1]);
	spawn->ready[1] = -1;
	return (0);
}

/* It waits for its boot record, and is ready sooner that way too. */
static int
helper_fork(struct spawn *spawn, int plan_fd)
{
	const int fds[] = { spawn->channel[1], spawn->boot_fds[0],
		spawn->events[1], plan_fd };

	/* Its own, which gets the three as they are. */
	if (dup2(spawn->lines[1], STDERR_FILENO) == -1)
		return (report_error(-errno, "the helper's log"));
	spawn->helper = helper_spawn(spawn->executable, fds, 4);
	if (spawn->helper < 0)
		return (report_error(spawn->helper, "starting the helper"));
	if (dup2(spawn->log_fd, STDERR_FILENO) == -1)
		return (report_error(-errno, "the log"));
	/* Its end is ours to see. */
	close(spawn->boot_fds[0]);
	spawn->boot_fds[0] = -1;
	return (0);
}

/*
 * While programs are being exchanged, the helper may be of another version than
 * this one, and would take what it is told for something else.
 */
static int
helper_check(const struct spawn *spawn)
{
	static const char own[] = REAPER_VERSION;
	struct pollfd said = { spawn->boot_fds[1], POLLIN, 0 };
	char version[VERSION_SIZE] = "";

	if (poll(&said, 1, BEGIN_LIMIT) != 1 ||
	    read(said.fd, version, sizeof(version) - 1) <= 0) {
		report(HELPER_PROGRAM " does not begin as it should: is it of "
				      "another version than this program?");
		return (-EIO);
	}
	if (strcmp(version, own) == 0)
		return (0);
	report(HELPER_PROGRAM " is of version \"%s\", this program of \"%s\": "
			      "install both, then try again",
	    version, own);
	return (-EPROTO);
}

int
spawn_open(struct spawn *spawn, const struct shim_args *args,
    const struct bundle *bundle, int plan_fd)
{
	int error;

	*spawn = (struct spawn){
		.opened = 1,
		.executable = -1,
		.null_fd = -1,
		.log_fd = -1,
		.channel = { -1, -1 },
		.boot_fds = { -1, -1 },
		.events = { -1, -1 },
		.lines = { -1, -1 },
		.files = { -1, -1, -1 },
		.ready = { -1, -1 },
	};
	events_find(spawn, args);
	if (sodium_init() == -1)
		return (report_error(-EIO, "libsodium"));
	if ((spawn->executable = helper_open()) < 0)
		return (spawn->executable);
	spawn->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (spawn->null_fd == -1)
		return (report_error(-errno, "/dev/null"));
	/* A bundle without a listener on its log is served all the same. */
	if ((spawn->log_fd = bundle_log(bundle)) < 0)
		spawn->log_fd = fcntl(spawn->null_fd, F_DUPFD_CLOEXEC, 0);
	if (spawn->log_fd == -1)
		return (report_error(-errno, "opening the log"));
	if ((error = endpoint_pair(spawn->channel)) != 0)
		return (report_error(error, "the channel"));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		spawn->boot_fds) == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		spawn->events) == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, spawn->lines) == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		spawn->ready) == -1)
		return (report_error(-errno, "joining the processes"));
	randombytes_buf(spawn->boot.key, sizeof(spawn->boot.key));
	if ((error = detach(spawn)) != 0 ||
	    (error = helper_fork(spawn, plan_fd)) != 0)
		return (error);
	return (daemon_fork(spawn, args, bundle->parent));
}

/* All that the helper must know. */
static void
boot_fill(struct spawn *spawn, const struct shim_args *args,
    const struct settings *settings, const char *group, const char *bundles,
    uid_t uid)
{
	struct boot *boot = &spawn->boot;

	boot->magic = BOOT_MAGIC;
	boot->shim_pid = (uint32_t)spawn->daemon;
	boot->shim_uid = uid;
	memcpy(boot->containerd_namespace, args->namespace,
	    sizeof(boot->containerd_namespace));
	memcpy(boot->planned, args->id, sizeof(boot->planned));
	strcpy(boot->group, group);
	strcpy(boot->bundles, bundles);
	boot->node = settings->conf.node;
}

int
spawn_run(struct spawn *spawn, const struct shim_args *args,
    const struct settings *settings, const char *group, const char *bundles,
    uid_t uid, const int fds[DAEMON_FDS])
{
	struct daemon_order order = { .uid = uid, .helper = spawn->helper };
	struct boot *boot = &spawn->boot;
	int error, told;

	boot_fill(spawn, args, settings, group, bundles, uid);
	memcpy(order.group, boot->group, sizeof(order.group));
	error = fdpass_send(spawn->ready[0], "", 1, spawn->files, DAEMON_FILES);
	if (error == 0)
		error = fdpass_send(spawn->ready[0], &order, sizeof(order), fds,
		    DAEMON_FDS);
	if (error != 0)
		return (report_error(error, "telling the daemon"));
	/* While the daemon confines itself. */
	if ((error = helper_check(spawn)) != 0)
		return (error);
	/* A socket has room for it: all or nothing. */
	told = write(spawn->boot_fds[1], boot, sizeof(*boot)) == sizeof(*boot);
	sodium_memzero(boot->key, sizeof(boot->key));
	return (told ? 0 : report_error(-errno, "telling the helper"));
}

int
spawn_wait(const struct spawn *spawn)
{
	char byte;
	ssize_t n;

	do {
		n = read(spawn->ready[0], &byte, sizeof(byte));
	} while (n == -1 && errno == EINTR);
	if (n == 1)
		return (0);
	report("the shim ended before it was ready; what it and its helper "
	       "logged is in containerd's log");
	return (-EIO);
}

void
spawn_undo(struct spawn *spawn)
{
	if (spawn->opened) {
		/* Helper and publisher end with nobody at the other ends. */
		fdpass_close(spawn->channel, 2);
		fdpass_close(spawn->boot_fds, 2);
		fdpass_close(spawn->events, 2);
		fdpass_close(spawn->lines, 2);
		fdpass_close(spawn->ready, 2);
		if (spawn->daemon != 0)
			kill(spawn->daemon, SIGKILL);
	}
	alarm(UNDO_LIMIT);
	while (wait(NULL) != -1 || errno == EINTR)
		continue;
}
