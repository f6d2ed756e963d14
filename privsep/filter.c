/*
 * The filter layer: a directory of ours between the node's files and the
 * writable layers of an overlay.  What lies in it hides the node's files of
 * the same name: empty files, opaque directories, whiteouts for what does not
 * exist yet.  It runs in a mount step: any failure ends that, and its end
 * closes all.
 */
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <fnmatch.h>

#include "privsep/helper.h"

/* One component of the node: -ENOENT, -ELOOP, ... */
#define host_open(dirfd, name, flags) \
	path_open((dirfd), (name), (flags) | O_NONBLOCK, 0)

static int roots[2];			/* the node's, the layer's */
static const char *filtered = "/";	/* the path at hand, for messages */

#define must(result)	step_must(MSG_STEP_FILTER, (result), filtered)
#define OVERLAY		"trusted.overlay."	/* the overlay's own marks */

/*
 * Makes, or finds, the layer's copy of a directory or file of the node, with
 * its owner, mode and attributes.
 */
static int
copy_make(int layer, const char *name, int host, int is_directory)
{
	char attributes[4096], value[4096];
	const char *a;
	struct stat st;
	ssize_t length;
	int fd, size;

	if (is_directory && mkdirat(layer, name, 0700) == -1 && errno != EEXIST)
		must(-1);
	fd = openat(layer, name, (is_directory ? O_RDONLY | O_DIRECTORY :
	    O_WRONLY | O_CREAT) | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* An older whiteout stands there, and hides: a device, and nodev. */
	if (fd == -1 && (errno == ENOTDIR || errno == EACCES))
		return (-1);
	must(fd);
	must(fstat(host, &st));
	must(fchown(fd, st.st_uid, st.st_gid));
	must(fchmod(fd, st.st_mode & 07777));
	length = flistxattr(host, attributes, sizeof(attributes));
	if (length == -1 && errno != EOPNOTSUPP)
		must(-1);
	for (a = attributes; a - attributes < length; a += strlen(a) + 1) {
		/* The overlay's own marks mean something else here. */
		if (strncmp(a, OVERLAY, strlen(OVERLAY)) == 0)
			continue;
		size = must(fgetxattr(host, a, value, sizeof(value)));
		/* What the layer's filesystem cannot hold, it cannot mean. */
		if (fsetxattr(fd, a, value, (size_t)size, 0) == -1 &&
		    errno != EOPNOTSUPP)
			must(-1);
	}
	return (fd);
}

static void path_hide(int host, int layer, const char *path);

/*
 * What a link names is hidden by its own name too, unless somebody else than
 * root can have made the link.
 */
static void
link_hide(int host, const char *name, const char *rest)
{
	char link[40], path[PATH_MAX];
	ssize_t n;
	int fd;

	if (path_trusted(host, S_IFDIR) != 0)
		return;
	fd = openat(host, name, O_PATH | O_CLOEXEC);
	/* It may lead nowhere. */
	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return;
	must(fd);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = must(readlink(link, path, sizeof(path)));
	close(fd);
	if ((size_t)n + strlen(rest) >= sizeof(path))
		step_fail(MSG_STEP_FILTER, -ENAMETOOLONG, filtered);
	strcpy(path + n, rest);
	path_hide(roots[0], roots[1], path + 1);
}

/* Hides the last component of a path, by what it is on the node. */
static void
name_hide(int host_dir, int layer, const char *name)
{
	int fd, host = host_open(host_dir, name, O_RDONLY);
	struct stat st = { 0 };

	if (host == -ELOOP)
		link_hide(host_dir, name, "");
	if (host >= 0)
		must(fstat(host, &st));
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = copy_make(layer, name, host, S_ISDIR(st.st_mode));
		if (fd != -1 && S_ISDIR(st.st_mode))
			must(fsetxattr(fd, OVERLAY "opaque", "y", 1, 0));
		fdpass_close(&fd, 1);
	} else if (mknodat(layer, name, S_IFCHR, makedev(0, 0)) == -1 &&
	    errno != EEXIST) {
		must(-1);
	}
	fdpass_close(&host, 1);
}

/* Hides what rest, empty or from a slash on, names below name. */
static void
component_hide(int host_dir, int layer_dir, const char *name, const char *rest)
{
	int host, layer;

	if (rest[0] == '\0') {
		name_hide(host_dir, layer_dir, name);
		return;
	}
	host = host_open(host_dir, name, O_RDONLY | O_DIRECTORY);
	/* The first ancestor that does not exist is hidden as a whole. */
	if (host == -ENOENT)
		name_hide(host_dir, layer_dir, name);
	/* Of a link nothing follows; below a file there is nothing. */
	if (host == -ELOOP)
		link_hide(host_dir, name, rest);
	if (host == -ENOENT || host == -ELOOP || host == -ENOTDIR)
		return;
	must(host);
	if ((layer = copy_make(layer_dir, name, host, 1)) != -1)
		path_hide(host, layer, rest + 1);
	fdpass_close(&layer, 1);
	close(host);
}

#define IS_PATTERN(name)	(strpbrk((name), "*?") != NULL)

static void
path_hide(int host, int layer, const char *path)
{
	const char *rest = strchrnul(path, '/'),
	    *name = strndupa(path, (size_t)(rest - path));
	struct dirent *entry;
	DIR *directory;

	if (!IS_PATTERN(name)) {
		component_hide(host, layer, name, rest);
		return;
	}
	directory = fdopendir(must(openat(host, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)));
	must(directory == NULL ? -1 : 0);
	while ((errno = 0, entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    fnmatch(name, entry->d_name, 0) == 0)
			component_hide(host, layer, entry->d_name, rest);
	}
	must(errno != 0 ? -1 : 0);
	closedir(directory);
}

void
filter_build(int layer_fd, const char *list, int patterns)
{
	roots[0] = must(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	roots[1] = layer_fd;
	for (; list[0] != '\0'; list += strlen(list) + 1) {
		filtered = list;
		if (!patterns || IS_PATTERN(list))
			path_hide(roots[0], layer_fd, list);
	}
	close(roots[0]);
}

int
path_touches(const char *path, const char *pattern)
{
	const char *end = pattern, *p = path;

	if (path[0] == '\0' || fnmatch(pattern, path, FNM_PATHNAME |
	    FNM_LEADING_DIR) == 0)
		return (1);
	/* Above it: like as many components of it as the path has. */
	while ((end = strchr(end, '/')) != NULL && (p = strchr(p, '/')) != NULL)
		end++, p++;
	return (end != NULL && fnmatch(strndupa(pattern,
	    (size_t)(end - pattern)), path, FNM_PATHNAME) == 0);
}

int
list_touches(const char *list, const char *path)
{
	for (; list[0] != '\0'; list += strlen(list) + 1) {
		if (path_touches(path, list))
			return (1);
	}
	return (0);
}

int
filter_touches(const char *path)
{
	int fd = must(openat(roots[1], ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)), next;
	const char *name, *rest = path;
	char mark;

	/* Each directory of the layer leads to something that is hidden. */
	while (*rest != '\0') {
		path = rest;
		rest = strchrnul(path, '/');
		name = strndupa(path, (size_t)(rest - path));
		rest += *rest == '/';
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
		    O_CLOEXEC);
		close(fd);
		if (next == -1)
			return (errno != ENOENT);
		fd = next;
		if (fgetxattr(fd, OVERLAY "opaque", &mark, 1) != -1)
			break;
	}
	close(fd);
	return (1);
}
