#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/place.h"
#include "shim/group.h"
#include "shim/report.h"
#include "shim/root.h"
#include "shim/settings.h"
#include "unpriv/files.h"

#define BUNDLES	    "_bundles" /* no id begins like that */
#define SOURCE	    "source"
#define IO	    "io"
#define PROGRAM	    "containerd-shim-reaper-v2"
#define PATIENCE    120	 /* s that a shim may take for an answer */
#define REPORT_SIZE 4096 /* bytes of messages that are shown */

static int
fail(int error, const char *what)
{
	const char *reason = files_reason(error);

	cli_error("%.256s: %s", what,
	    reason != NULL ? reason : strerror(-error));
	return (CLI_FAILED);
}

/* Shows what was written to a pipe, as far as it was by now; lines. */
static int
reports_show(int fd)
{
	char text[REPORT_SIZE];
	size_t length = 0;
	ssize_t n;

	while (length < sizeof(text) - 1 &&
	    (n = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	return (cli_reported(text));
}

/* What the configuration, and with make the runtime root, come to. */
static int
root_find(struct place *place, int make)
{
	static struct settings settings;
	const struct conf *conf = &settings.conf;
	struct settings_reading reading;
	int empty, error;

	if (settings_read(&reading, -1) != 0 || settings_begin(&reading) != 0)
		return (CLI_FAILED);
	error = settings_end(&reading, &settings);
	(void)waitpid(reading.child, NULL, 0);
	if (error != 0)
		return (CLI_FAILED);
	memcpy(place->root, conf->node.runtime_root, sizeof(place->root));
	if (!make)
		return (CLI_DONE);
	empty = root_make(conf->node.runtime_root, conf->node.overlay_base);
	if (empty < 0)
		return (CLI_FAILED);
	close(empty);
	return (CLI_DONE);
}

static int
bundles_open(struct place *place, int make)
{
	int fd, root;

	root = files_directory(AT_FDCWD, place->root, O_PATH);
	if (root < 0)
		return (root == -ENOENT && !make ? CLI_DONE :
						   fail(root, place->root));
	fd = make ? files_make_directory(root, BUNDLES, 0700, O_RDONLY) :
		    files_directory(root, BUNDLES, O_RDONLY);
	close(root);
	if (fd < 0 && (make || fd != -ENOENT))
		return (fail(fd, place->root));
	place->bundles = fd < 0 ? -1 : fd;
	return (CLI_DONE);
}

int
place_begin(struct place *place, const struct options *options, int make)
{
	int code, fds[2];

	memset(place, 0, sizeof(*place));
	place->bundles = place->fd = -1;
	/* The shim's code says there what is wrong. */
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1)
		return (fail(-errno, "pipe"));
	report_to(fds[1]);
	code = root_find(place, make);
	report_to(STDERR_FILENO);
	(void)reports_show(fds[0]);
	close(fds[0]);
	close(fds[1]);
	if (code != CLI_DONE)
		return (code);
	if (options->root != NULL && strcmp(options->root, place->root) != 0) {
		cli_error("--root %.256s: this node's is %s: "
			  "REAPER_RUNTIME_ROOT in its configuration",
		    options->root, place->root);
		return (CLI_FAILED);
	}
	return (bundles_open(place, make));
}

/* Takes an id; an invalid one names no container. */
static int
id_take(struct place *place, const char *id)
{
	memset(place->id, 0, sizeof(place->id));
	if (strlen(id) < sizeof(place->id))
		memcpy(place->id, id, strlen(id));
	if (!msg_id_valid(place->id)) {
		cli_error("\"%.80s\" is not a container id: one has 1 to %d "
			  "letters and digits, with single '.', '_' and '-' "
			  "between them, and is no reserved name",
		    id, MSG_ID_MAX);
		return (CLI_FAILED);
	}
	snprintf(place->path, sizeof(place->path), "%s/" BUNDLES "/%s",
	    place->root, id);
	return (CLI_DONE);
}

static int
lock_take(int fd, enum place_use use)
{
	while (flock(fd, use == PLACE_ALONE ? LOCK_EX : LOCK_SH) == -1) {
		if (errno != EINTR)
			return (-errno);
	}
	return (0);
}

/* Whether the bundle is still there. */
static int
is_named(const struct place *place)
{
	struct stat held, named;

	return (fstat(place->fd, &held) == 0 &&
	    fstatat(place->bundles, place->id, &named, AT_SYMLINK_NOFOLLOW) ==
		0 &&
	    held.st_ino == named.st_ino);
}

/* Opens it, and waits for whoever uses it.  0 or a negative errno. */
static int
bundle_open_locked(struct place *place, enum place_use use)
{
	int error;

	for (;;) {
		place->fd =
		    files_directory(place->bundles, place->id, O_RDONLY);
		if (place->fd < 0)
			return (place->fd);
		error = lock_take(place->fd, use);
		/* Not one that has been removed meanwhile. */
		if (error == 0 && is_named(place))
			return (0);
		place_close(place);
		if (error != 0)
			return (error);
	}
}

int
place_make(struct place *place, const char *id, const char *source)
{
	int error;

	if (id_take(place, id) != CLI_DONE)
		return (CLI_FAILED);
	if (mkdirat(place->bundles, place->id, 0700) == -1) {
		if (errno != EEXIST)
			return (fail(-errno, place->path));
		cli_error("container \"%s\" exists", id);
		return (CLI_FAILED);
	}
	if ((error = bundle_open_locked(place, PLACE_ALONE)) != 0)
		return (fail(error, place->path));
	if (mkdirat(place->fd, IO, 0700) == -1 ||
	    symlinkat(source, place->fd, SOURCE) == -1) {
		error = fail(-errno, place->path);
		(void)place_remove(place);
		return (error);
	}
	return (CLI_DONE);
}

int
place_find(struct place *place, const char *id, enum place_use use)
{
	int error;

	if (id_take(place, id) != CLI_DONE)
		return (CLI_FAILED);
	if (place->bundles == -1)
		return (-1);
	if ((error = bundle_open_locked(place, use)) == -ENOENT)
		return (-1);
	return (error != 0 ? fail(error, place->path) : CLI_DONE);
}

int
place_open(struct place *place, const char *id, enum place_use use)
{
	int code = place_find(place, id, use);

	if (code != -1)
		return (code);
	cli_error("container \"%s\" does not exist", id);
	return (CLI_FAILED);
}

void
place_unlock(struct place *place)
{
	(void)flock(place->fd, LOCK_UN);
}

int
place_lock(struct place *place)
{
	int error = lock_take(place->fd, PLACE_ALONE);

	if (error != 0)
		return (fail(error, place->path));
	return (is_named(place) ? CLI_DONE : -1);
}

void
place_close(struct place *place)
{
	if (place->fd >= 0)
		close(place->fd);
	place->fd = -1;
}

/* Removes what is in a directory, directories but for empty ones not. */
static int
entries_remove(int dirfd, const char *name)
{
	struct dirent *entry;
	int error = 0, fd;
	DIR *directory;

	fd = files_directory(dirfd, name, O_RDONLY);
	if (fd < 0)
		return (fd == -ENOENT ? 0 : fd);
	if ((directory = fdopendir(fd)) == NULL) {
		close(fd);
		return (-ENOMEM);
	}
	while ((entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) == -1 &&
		    unlinkat(fd, entry->d_name, AT_REMOVEDIR) == -1)
			error = -errno;
	}
	closedir(directory);
	return (error);
}

int
place_remove(struct place *place)
{
	int error = entries_remove(place->fd, IO);

	if (error == 0)
		error = entries_remove(place->bundles, place->id);
	if (error == 0 &&
	    unlinkat(place->bundles, place->id, AT_REMOVEDIR) == -1)
		error = -errno;
	return (error != 0 ? fail(error, place->path) : CLI_DONE);
}

void
place_source(const struct place *place, char source[PATH_MAX])
{
	ssize_t n = readlinkat(place->fd, SOURCE, source, PATH_MAX - 1);

	source[n < 0 ? 0 : n] = '\0';
}

/* Opens the directory of the shim's program, which is root's alone, as is that. */
static int
programs_open(void)
{
	char path[PATH_MAX];
	int directory, error, fd;
	ssize_t n;

	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n == -1)
		return (-errno);
	path[n] = '\0';
	*(strrchr(path, '/') + 1) = '\0';
	if ((directory = files_directory(AT_FDCWD, path, O_PATH)) < 0)
		return (directory);
	fd = openat(directory, PROGRAM, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	error = fd == -1 ? -errno : files_trusted(fd, S_IFREG);
	if (fd != -1)
		close(fd);
	if (error == 0)
		return (directory);
	close(directory);
	return (error);
}

static _Noreturn void
program_run(const struct place *place, const char *action, int directory,
    int reports)
{
	static const char name[] = "-namespace", id[] = "-id";
	static const char bundle[] = "-bundle";
	const char *const argv[] = { PROGRAM, name, PLACE_NAMESPACE, id,
		place->id, bundle, place->path, action, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char program[64];
	sigset_t none;

	/* By a name, which is what ps(1) shows. */
	snprintf(program, sizeof(program), "/proc/self/fd/%d/" PROGRAM,
	    directory);
	sigemptyset(&none);
	/* There is no containerd to be told of events. */
	if (unsetenv("TTRPC_ADDRESS") == -1 || fchdir(place->fd) == -1 ||
	    dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1 ||
	    dup2(reports, STDERR_FILENO) == -1 ||
	    signal(SIGPIPE, SIG_DFL) == SIG_ERR ||
	    sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		_exit(CLI_FAILED);
	execv(program, (char *const *)(uintptr_t)argv);
	dprintf(STDERR_FILENO, PROGRAM ": %s\n", strerror(errno));
	_exit(CLI_FAILED);
}

int
place_shim(const struct place *place, const char *action)
{
	int directory, fds[2], said = 0, status = 0;
	pid_t pid;

	if ((directory = programs_open()) < 0)
		return (fail(directory, PROGRAM));
	/* What the daemon says later would be nobody's to read. */
	if (pipe2(fds, O_CLOEXEC) == -1)
		return (fail(-errno, "pipe"));
	if ((pid = fork()) == 0)
		program_run(place, action, directory, fds[1]);
	close(directory);
	close(fds[1]);
	while (pid != -1 && waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			break;
	}
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != -1)
		said = reports_show(fds[0]);
	close(fds[0]);
	if (pid == -1)
		return (fail(-errno, "fork"));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return (CLI_DONE);
	if (said == 0)
		cli_error("%s %s failed", PROGRAM, action);
	return (CLI_FAILED);
}

/* The socket's path, which `start` wrote. */
static int
address_read(const struct place *place, struct sockaddr_un *address)
{
	static const char scheme[] = GROUP_SCHEME;
	const size_t length = strlen(scheme);
	struct files_text text;
	int error;

	address->sun_family = AF_UNIX;
	error = files_read(place->fd, "address",
	    length + sizeof(address->sun_path) - 1, &text);
	if (error != 0)
		return (error);
	if (text.length > length && memcmp(text.text, scheme, length) == 0)
		memcpy(address->sun_path, text.text + length,
		    text.length - length);
	else
		error = -EINVAL;
	files_free(&text);
	return (error);
}

int
place_connect(const struct place *place)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	struct sockaddr_un address = { 0 };
	int error, fd;

	if ((error = address_read(place, &address)) != 0)
		return (error);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return (-errno);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof(patience)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof(patience)) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
		0)
		return (fd);
	error = -errno;
	close(fd);
	return (error);
}

int
place_connect_or_say(const struct place *place)
{
	int fd = place_connect(place);

	if (fd == -ENOENT || fd == -ECONNREFUSED)
		cli_error("container \"%s\" has stopped: its shim has gone",
		    place->id);
	else if (fd < 0)
		(void)fail(fd, "connecting to the shim");
	return (fd);
}
