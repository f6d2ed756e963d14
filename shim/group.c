#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "shim/frame.h"
#include "shim/group.h"
#include "shim/mark.h"
#include "shim/proto/ttrpc.pb-c.h"
#include "unpriv/files.h"

#define ANSWER_LIMIT 2500 /* ms for an answer, or for the end of the shim */
#define FRAME_SIZE   256  /* bytes; a request with an id */
#define LOCK_SUFFIX  ".lock"

_Static_assert(GROUP_PATH_SIZE <= sizeof(((struct sockaddr_un *)0)->sun_path),
    "the socket's path is too long");
_Static_assert(GROUP_NAME_SIZE == 2 * crypto_hash_sha256_BYTES + 1,
    "not a SHA-256");

/* The directory, which only root can have filled. */
static int
directory_make(void)
{
	static const char *const paths[] = { "/run/containerd",
		GROUP_DIRECTORY };
	size_t i;
	int fd;

	if ((fd = files_directory(AT_FDCWD, GROUP_DIRECTORY, O_PATH)) >= 0) {
		close(fd);
		return (0);
	}
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fd = files_make_directory(AT_FDCWD, paths[i], 0711, O_PATH);
		if (fd < 0)
			return (fd);
		close(fd);
	}
	return (0);
}

/*
 * One lock per group, not one for all: it is held until the new shim is ready,
 * so that a second `start` of the group sees a shim that works, or none.  It
 * is a file beside the socket because it must be there before the socket, and
 * must survive the removal of a dead one.
 *
 * A holder removes the file before it lets go, so whoever gets the lock must
 * check that the file is still the one that others will open.
 */
static int
lock_take(const char *path, int wait)
{
	struct stat held, named;
	int error, fd;

	for (;;) {
		fd =
		    open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd == -1)
			return (-errno);
		while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) == -1) {
			if (errno == EINTR)
				continue;
			error = -errno;
			close(fd);
			return (error);
		}
		if (fstat(fd, &held) == 0 && lstat(path, &named) == 0 &&
		    held.st_dev == named.st_dev && held.st_ino == named.st_ino)
			return (fd);
		close(fd);
	}
}

static int
group_take(struct group *group, int wait)
{
	snprintf(group->lock_path, sizeof(group->lock_path), "%s" LOCK_SUFFIX,
	    group->path);
	group->lock_fd = lock_take(group->lock_path, wait);
	return (group->lock_fd < 0 ? group->lock_fd : 0);
}

int
group_lock(struct group *group, const char *address, const char *namespace,
    const char *id)
{
	const char *const parts[] = { address, "/", namespace, "/", id };
	uint8_t hash[crypto_hash_sha256_BYTES];
	char name[GROUP_NAME_SIZE];
	crypto_hash_sha256_state state;
	size_t i;
	int error;

	if ((error = directory_make()) != 0)
		return (error);
	crypto_hash_sha256_init(&state);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		crypto_hash_sha256_update(&state, (const uint8_t *)parts[i],
		    strlen(parts[i]));
	crypto_hash_sha256_final(&state, hash);
	sodium_bin2hex(name, sizeof(name), hash, sizeof(hash));
	snprintf(group->path, sizeof(group->path), "%s/%s", GROUP_DIRECTORY,
	    name);
	return (group_take(group, 1));
}

int
group_lock_path(struct group *group, const char *path, int wait)
{
	static const char directory[] = GROUP_DIRECTORY "/";
	size_t length = strlen(directory);

	if (strncmp(path, directory, length) != 0 ||
	    strlen(path) != length + GROUP_NAME_SIZE - 1 ||
	    strspn(path + length, "0123456789abcdef") != GROUP_NAME_SIZE - 1)
		return (-EINVAL);
	snprintf(group->path, sizeof(group->path), "%s", path);
	return (group_take(group, wait));
}

void
group_unlock(struct group *group)
{
	unlink(group->lock_path);
	close(group->lock_fd);
	group->lock_fd = -1;
}

static void
group_address(const struct group *group, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, group->path, strlen(group->path));
}

int
group_remove(const struct group *group)
{
	if (unlink(group->path) == -1 && errno != ENOENT)
		return (-errno);
	return (mark_remove(group->path));
}

/*
 * Connects.  Returns 1 with *fd_p open (or -1 where the queue of the listener
 * is full); or 0 if nobody listens, and then the socket is removed; or a
 * negative errno.
 */
static int
group_connect(const struct group *group, int *fd_p)
{
	struct sockaddr_un address;
	int error = 0, fd;

	*fd_p = -1;
	group_address(group, &address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (-errno);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
	    0) {
		*fd_p = fd;
		return (1);
	}
	error = -errno;
	close(fd);
	if (error == -EAGAIN)
		return (1);
	if (error == -ENOENT)
		return (0);
	return (error != -ECONNREFUSED ? error : group_remove(group));
}

/* Writes the request to frame and returns its size. */
static size_t
request_encode(const char *method, const char *id, uint8_t frame[FRAME_SIZE])
{
	Ttrpc__Request request = TTRPC__REQUEST__INIT;
	struct frame_header header = { .stream = 1, .type = FRAME_REQUEST };

	request.service = (char *)(uintptr_t)GROUP_SERVICE;
	request.method = (char *)(uintptr_t)method;
	request.payload.data = (uint8_t *)(uintptr_t)id;
	request.payload.len = strlen(id);
	header.length = (uint32_t)ttrpc__request__get_packed_size(&request);
	frame_encode(&header, frame);
	ttrpc__request__pack(&request, frame + FRAME_HEADER_SIZE);
	return (FRAME_HEADER_SIZE + header.length);
}

/*
 * Asks over fd, and closes it.  Returns 1 if there was an answer, whichever: a
 * shim of another version does not know the question; 0 if the shim has hung
 * up, as one that ends does; -1 if it says nothing.
 */
static int
ask(int fd, const char *method, const char *id)
{
	struct pollfd answer = { .fd = fd, .events = POLLIN };
	uint8_t frame[FRAME_SIZE];
	size_t size = request_encode(method, id, frame);
	int answers = 0;

	if (send(fd, frame, size, MSG_NOSIGNAL) == (ssize_t)size) {
		if (poll(&answer, 1, ANSWER_LIMIT) != 1)
			answers = -1;
		else
			answers = read(fd, frame, sizeof(frame)) > 0;
	}
	close(fd);
	return (answers);
}

int
group_join(const struct group *group, const char *id)
{
	int alive, fd;

	alive = group_connect(group, &fd);
	if (fd == -1)
		return (alive);
	return (ask(fd, GROUP_JOIN, id) == 0 ? group_remove(group) : 1);
}

void
group_leave(const struct group *group, const char *id)
{
	int answers, fd;

	(void)group_connect(group, &fd);
	if (fd == -1 || (answers = ask(fd, GROUP_LEAVE, id)) == -1)
		return;
	/* One that has hung up is about to close its listener. */
	if (answers == 0) {
		(void)group_remove(group);
		return;
	}
	/* It may have closed that because of the question. */
	(void)group_connect(group, &fd);
	if (fd != -1)
		close(fd);
}

int
group_listen(const struct group *group, int *mark_fd_p)
{
	struct sockaddr_un address;
	mode_t mask;
	int error = 0, fd;

	if ((*mark_fd_p = mark_make(group->path)) < 0)
		return (*mark_fd_p);
	group_address(group, &address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177);
	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) ==
		-1 ||
	    listen(fd, SOMAXCONN) == -1)
		error = -errno;
	umask(mask);
	if (error == 0)
		return (fd);
	(void)group_remove(group);
	if (fd != -1)
		close(fd);
	close(*mark_fd_p);
	return (error);
}

/* Of the group with a socket of this name. */
static void
sweep(const char *name)
{
	struct group group;
	char path[GROUP_PATH_SIZE];

	snprintf(path, sizeof(path), GROUP_DIRECTORY "/%s", name);
	if (mark_state(path) == MARK_HELD ||
	    group_lock_path(&group, path, 0) != 0)
		return;
	/* A new shim may have come. */
	if (mark_state(path) == MARK_LEFT)
		(void)group_remove(&group);
	group_unlock(&group);
}

void
group_sweep(void)
{
	char name[GROUP_NAME_SIZE];
	struct dirent *entry;
	const char *suffix;
	DIR *directory;

	if ((directory = opendir(GROUP_DIRECTORY)) == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		if (strlen(entry->d_name) < GROUP_NAME_SIZE)
			continue;
		suffix = entry->d_name + GROUP_NAME_SIZE - 1;
		if (strcmp(suffix, MARK_SUFFIX) != 0 &&
		    strcmp(suffix, LOCK_SUFFIX) != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", GROUP_NAME_SIZE - 1,
		    entry->d_name);
		sweep(name);
	}
	closedir(directory);
}
