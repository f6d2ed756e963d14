#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/streams.h"
#include "privsep/channel.h"

#define GO "io/go"

static const char *const names[ENGINE_STREAMS] = { "stdin", "stdout",
	"stderr" };

static int
fail(const char *what)
{
	cli_error("%.256s: %s", what, strerror(errno));
	return (CLI_FAILED);
}

/* Whether anything comes from it, or arrives there. */
static int
is_used(int fd)
{
	struct stat st;

	return (fstat(fd, &st) == 0 &&
	    !(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)));
}

static int
fifo_make(struct streams *streams, const struct place *place, const char *name,
    int i)
{
	char file[MSG_ID_SIZE + 16];
	int flags = O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;

	snprintf(file, sizeof(file), "io/%s-%s", name, names[i]);
	snprintf(streams->paths[i], sizeof(streams->paths[i]), "%s/%s",
	    place->path, file);
	if (strlen(streams->paths[i]) >= MSG_PATH_SIZE) {
		errno = ENAMETOOLONG;
		return (fail(streams->paths[i]));
	}
	/* A writer without a reader is not let in; this is both. */
	flags |= i == 0 ? O_RDWR : O_RDONLY;
	if (mkfifoat(place->fd, file, 0600) == -1 ||
	    (streams->fifos[i] = openat(place->fd, file, flags)) == -1)
		return (fail(streams->paths[i]));
	return (CLI_DONE);
}

static int
console_send(const char *path, int master)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int error, fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return (fail(path));
	}
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
		-1)
		return (fail(path));
	/* The text is the name that runc gives the descriptor. */
	error = fdpass_send(fd, "/dev/ptmx", 9, &master, 1);
	close(fd);
	if (error == 0)
		return (CLI_DONE);
	errno = -error;
	return (fail(path));
}

/* A terminal whose master is sent away: we sit at its other side. */
static int
console_make(struct streams *streams, const char *path)
{
	struct termios raw;
	int code, master;

	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master == -1 || unlockpt(master) == -1 ||
	    (streams->tty = ioctl(master, TIOCGPTPEER,
		 O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1 ||
	    tcgetattr(streams->tty, &raw) == -1) {
		code = fail("a terminal");
		goto out;
	}
	/* The workload's own terminal does what is to be done. */
	cfmakeraw(&raw);
	streams->made = 1;
	if (tcsetattr(streams->tty, TCSANOW, &raw) == -1)
		code = fail("a terminal");
	else
		code = console_send(path, master);
out:
	if (master != -1)
		close(master);
	return (code);
}

static int
terminal_make(struct streams *streams, const struct options *options,
    int detached)
{
	const int given = options->streams[1] != NULL;

	if (options->console_socket != NULL)
		return (console_make(streams, options->console_socket));
	if (detached && !given) {
		cli_error("a terminal that nobody sits at needs "
			  "--console-socket");
		return (CLI_FAILED);
	}
	if (!given && isatty(STDIN_FILENO))
		streams->tty = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return (CLI_DONE);
}

int
streams_make(struct streams *streams, const struct place *place,
    const char *name, const struct options *options, int terminal, int detached)
{
	int code = CLI_DONE, from, i;

	memset(streams, 0, sizeof(*streams));
	memset(streams->fifos, -1, sizeof(streams->fifos));
	memset(streams->ours, -1, sizeof(streams->ours));
	streams->terminal = terminal;
	streams->tty = streams->go = -1;
	if (terminal) {
		code = terminal_make(streams, options, detached);
	} else if (options->console_socket != NULL) {
		cli_error("--console-socket is for a process with a terminal");
		code = CLI_FAILED;
	}
	for (i = 0; code == CLI_DONE && i < ENGINE_STREAMS; i++) {
		if (options->streams[i] != NULL) {
			if (strlen(options->streams[i]) >=
			    sizeof(streams->paths[i])) {
				errno = ENAMETOOLONG;
				code = fail(options->streams[i]);
			} else {
				strcpy(streams->paths[i], options->streams[i]);
			}
			continue;
		}
		from = streams->made ? streams->tty : i;
		if ((terminal && i == MSG_STDERR) || !is_used(from))
			continue;
		streams->ours[i] = fcntl(from, F_DUPFD_CLOEXEC, 3);
		code = fifo_make(streams, place, name, i);
	}
	if (code != CLI_DONE)
		streams_close(streams);
	return (code);
}

void
streams_unlink(const struct place *place, const char *name)
{
	char file[MSG_ID_SIZE + 16];
	int i;

	for (i = 0; i < ENGINE_STREAMS; i++) {
		snprintf(file, sizeof(file), "io/%s-%s", name, names[i]);
		(void)unlinkat(place->fd, file, 0);
	}
}

void
streams_close(struct streams *streams)
{
	fdpass_close(streams->fifos, ENGINE_STREAMS);
	fdpass_close(streams->ours, ENGINE_STREAMS);
	fdpass_close(&streams->tty, 1);
	fdpass_close(&streams->go, 1);
}

int
streams_wait(struct streams *streams, const struct place *place)
{
	if (mkfifoat(place->fd, GO, 0600) == -1 ||
	    (streams->go = openat(place->fd, GO,
		 O_RDWR | O_NONBLOCK | O_CLOEXEC)) == -1)
		return (fail(GO));
	return (CLI_DONE);
}

void
streams_go(const struct place *place)
{
	int fd = openat(place->fd, GO,
	    O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return;
	if (write(fd, "", 1) == -1)
		cli_error("%s: %s", GO, strerror(errno));
	close(fd);
}
