/*
 * Detached mounts, in a step: any failure ends it.
 */
#include "privsep/helper.h"

#define MUST(result, text)	step_must(MSG_STEP_MOUNT, (result), (text))

int
mount_try(const char *type, const char *const *o, unsigned int flags)
{
	int error, fd = -1, fs = fsopen(type, FSOPEN_CLOEXEC);

	for (error = fs; error >= 0 && o != NULL && o[0] != NULL; o += 2)
		error = fsconfig(fs, FSCONFIG_SET_STRING, o[0], o[1], 0);
	if (error >= 0)
		error = fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (error >= 0)
		fd = fsmount(fs, FSMOUNT_CLOEXEC, flags);
	error = errno;
	fdpass_close(&fs, 1);
	errno = error;
	return (fd);
}

int
mount_new(const char *type, const char *const *o, unsigned int flags)
{
	return (MUST(mount_try(type, o, flags), type));
}

int
mount_clone(int dirfd, const char *path, unsigned int flags, const char *text)
{
	return (MUST(open_tree(dirfd, path, OPEN_TREE_CLONE |
	    OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | flags), text));
}

void
mount_set(int fd, uint64_t attributes, uint64_t propagation, const char *text)
{
	struct mount_attr attr = { .attr_set = attributes,
		.propagation = propagation };

	MUST(mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
	    sizeof(attr)), text);
}

void
mount_attach(int fd, int dirfd, const char *path, const char *text)
{
	MUST(move_mount(fd, "", dirfd, path, MOVE_MOUNT_F_EMPTY_PATH |
	    MOVE_MOUNT_T_EMPTY_PATH), text);
	close(fd);
}
