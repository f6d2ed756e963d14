/*
 * What a test that plays the helper has of a container's cgroup: files that
 * stand in for the kernel's.
 */
#ifndef REGRESS_UNIT_CGROUP_NODE_H
#define REGRESS_UNIT_CGROUP_NODE_H

#include <sys/mman.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "privsep/channel.h"

struct cgroup_node {
	int v2;
	int fds[MSG_CGROUP_MAX];	/* owned; -1: there is none */
};

static inline void
node_init(struct cgroup_node *node, int v2)
{
	node->v2 = v2;
	memset(node->fds, -1, sizeof(node->fds));
}

/* Takes a descriptor to be given out, opened as the helper would open it. */
static inline void
node_give(struct cgroup_node *node, enum msg_cgroup file, int fd)
{
	ATF_REQUIRE(fd != -1);
	if (node->fds[file] != -1)
		close(node->fds[file]);
	node->fds[file] = fd;
}

/* Makes a file of this text. */
static inline void
node_make(struct cgroup_node *node, enum msg_cgroup file, const char *text)
{
	int fd = memfd_create("file", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	node_give(node, file, fd);
}

/* Changes the text of a file that is already given out. */
static inline void
node_set(const struct cgroup_node *node, enum msg_cgroup file, const char *text)
{
	ATF_REQUIRE_EQ(ftruncate(node->fds[file], 0), 0);
	ATF_REQUIRE_EQ(pwrite(node->fds[file], text, strlen(text), 0),
	    (ssize_t)strlen(text));
}

/* What a file says now; until the next call. */
static inline const char *
node_text(const struct cgroup_node *node, enum msg_cgroup file)
{
	static char text[4096];
	ssize_t n = pread(node->fds[file], text, sizeof(text) - 1, 0);

	ATF_REQUIRE(n >= 0);
	text[n] = '\0';
	return (text);
}

/* A descriptor of a file, as the helper opens it. */
static inline int
node_open(const struct cgroup_node *node, enum msg_cgroup file)
{
	int mode = file <= MSG_CGROUP_FREEZE ? O_RDWR : O_RDONLY;
	int fd = node->fds[file], flags = fcntl(fd, F_GETFL);
	char path[32];

	if ((flags & O_ACCMODE) == mode) {
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	} else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		fd = open(path, mode | O_CLOEXEC);
	}
	ATF_REQUIRE(fd != -1);
	return (fd);
}

/* Answers a MSG_CGROUP with a file, or that there is none. */
static inline void
node_answer(const struct cgroup_node *node, struct channel *helper,
    const struct msg *request)
{
	struct msg_reply reply = { .request = request->header.sequence };
	uint32_t file = request->body.choice.which;
	int fd = -1;

	ATF_REQUIRE(file < MSG_CGROUP_MAX);
	if (node->fds[file] != -1) {
		fd = node_open(node, (enum msg_cgroup)file);
		reply.fds = node->v2 ? MSG_FDS_CGROUP2 : 0;
	} else {
		reply.error = -ENOENT;
		reply.step = MSG_STEP_REQUEST;
	}
	ATF_REQUIRE_EQ(channel_send(helper, MSG_REPLY, &reply, sizeof(reply),
			   &fd, fd != -1),
	    0);
	if (fd != -1)
		close(fd);
}

/* Forgets all files. */
static inline void
node_free(struct cgroup_node *node)
{
	fdpass_close(node->fds, MSG_CGROUP_MAX);
}

#endif
