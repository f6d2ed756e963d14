#include <sys/file.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "privsep/boot.h"
#include "shim/cgroup_clean.h"
#include "shim/clean.h"
#include "shim/report.h"
#include "unpriv/files.h"
#include "unpriv/log.h"

#define LIMIT	 4    /* s */
#define NOTE_MAX 4096 /* bytes of a note of any version */

static void __attribute__((noreturn)) too_long(int signo)
{
	static const char text[] = "reaper: the helper does not end\n";

	(void)signo;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

/* The namespace that is noted of a directory.  Returns 0 or -1. */
static int
namespace_read(int fd, char namespace[MSG_ID_SIZE])
{
	ssize_t n = fgetxattr(fd, BOOT_NAMESPACE, namespace, MSG_ID_SIZE - 1);

	if (n == -1)
		return (-1);
	namespace[n] = '\0';
	return (0);
}

/*
 * What is on record of an end.  It may be from a version that notes more, or
 * less: what begins with a status is known.  Returns 1, or 0 if nothing is.
 */
static int
exited_read(int fd, struct msg_exited *exited)
{
	char bytes[NOTE_MAX] = { 0 };
	struct msg_exited noted;
	ssize_t n = fgetxattr(fd, BOOT_EXITED, bytes, sizeof(bytes));

	memcpy(&noted, bytes, sizeof(noted));
	if (n < (ssize_t)offsetof(struct msg_exited, reserved) ||
	    noted.seconds == 0)
		return (0);
	*exited = noted;
	return (1);
}

/* The lock of its directory is held.  Returns 0 or a negative errno. */
static int
locked_clean(int root, int fd, const char *namespace, const char *id)
{
	int error;

	if (cgroup_clean(fd, namespace, id) != 0)
		return (report_error(-errno, "the cgroup of \"%s\"", id));
	if ((error = state_remove(root, fd, id)) != 0)
		return (report_error(error, "cleaning up after \"%s\"", id));
	log_event(LOG_LEVEL_WARNING, "cleaned up after a killed helper", "id",
	    id, NULL);
	return (0);
}

/*
 * A helper locks a directory before it notes the namespace, and keeps it
 * locked: whose lock is free has none any more.
 */
static void
other_clean(int root, const char *id)
{
	char namespace[MSG_ID_SIZE];
	struct msg_exited exited;
	int fd;

	if ((fd = files_directory(root, id, O_RDONLY)) < 0)
		return;
	if (namespace_read(fd, namespace) == 0 &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0 && !exited_read(fd, &exited))
		(void)locked_clean(root, fd, namespace, id);
	close(fd);
}

static void
others_clean(int root)
{
	char id[MSG_ID_SIZE];
	struct dirent *entry;
	DIR *directory;
	int fd;

	/* The root itself cannot be read from: O_PATH. */
	if ((fd = files_directory(root, ".", O_RDONLY)) < 0)
		return;
	if ((directory = fdopendir(fd)) == NULL) {
		close(fd);
		return;
	}
	while ((entry = readdir(directory)) != NULL) {
		memset(id, 0, sizeof(id));
		if (memccpy(id, entry->d_name, '\0', sizeof(id)) != NULL &&
		    msg_id_valid(id))
			other_clean(root, id);
	}
	closedir(directory);
}

/* That of this id.  Returns 0, also if there is none, or a negative errno. */
static int
own_clean(int root, const char *namespace, const char *id,
    struct msg_exited *exited)
{
	char noted[MSG_ID_SIZE];
	int error = 0, fd;

	if ((fd = files_directory(root, id, O_RDONLY)) < 0)
		return (fd == -ENOENT ? 0 : report_file(fd, id));
	/* One of the same name that a client has in another namespace. */
	if (namespace_read(fd, noted) == 0 && strcmp(noted, namespace) != 0)
		goto out;
	/* A dying helper keeps the lock until it is gone. */
	if (flock(fd, LOCK_EX) == -1) {
		error =
		    report_error(-errno, "waiting for the end of \"%s\"", id);
	} else {
		(void)exited_read(fd, exited);
		error = locked_clean(root, fd, namespace, id);
	}
out:
	close(fd);
	return (error);
}

int
clean_container(const char *path, const char *namespace, const char *id,
    struct msg_exited *exited)
{
	int error, root;

	if ((root = files_directory(AT_FDCWD, path, O_PATH)) < 0)
		return (root == -ENOENT ? 0 : report_file(root, path));
	signal(SIGALRM, too_long);
	alarm(LIMIT);
	error = own_clean(root, namespace, id, exited);
	if (error == 0)
		others_clean(root);
	alarm(0);
	close(root);
	return (error);
}
