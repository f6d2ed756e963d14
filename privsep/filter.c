/*
 * The filter layer: a directory of ours between the node's / and the
 * writable layer of an overlay.  What lies in it hides the node's files of
 * the same name: empty files, opaque directories, whiteouts for what does not
 * exist yet.  It runs in a mount step: any failure ends that, and its end
 * closes all.
 */
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <fnmatch.h>

#include "privsep/helper.h"

/*
 * What no workload sees, whatever its user.  A '*' may stand in the last
 * component only; the host keys of sshd are named as well, so that one that
 * is generated later is hidden too.
 */
static const char *const paths[] = {
	"root/.ssh", "etc/shadow", "etc/gshadow",
	"etc/ssh/ssh_host_*_key", "etc/ssh/ssh_host_rsa_key",
	"etc/ssh/ssh_host_ecdsa_key", "etc/ssh/ssh_host_ed25519_key",
	"etc/ssh/ssh_host_dsa_key", "etc/ssl/private",
	"etc/sudoers", "etc/sudoers.d", "var/lib/docker", "run/secrets",
	NULL, NULL /* filter_build's own */
};

/* One component of the node: -ENOENT, -EXDEV, -ELOOP, ... */
#define host_open(dirfd, name, flags) \
	path_open((dirfd), (name), (flags) | O_NONBLOCK, RESOLVE_BENEATH | \
	    RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)

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
	/* An older whiteout stands there, and hides. */
	if (fd == -1 && (errno == ENOTDIR || errno == ENXIO))
		return (-1);
	must(fd);
	must(fstat(host, &st));
	must(fchown(fd, st.st_uid, st.st_gid));
	must(fchmod(fd, st.st_mode & 07777));
	length = flistxattr(host, attributes, sizeof(attributes));
	if (length == -1 && errno != EOPNOTSUPP)
		must(-1);
	for (a = attributes; a < attributes + length; a += strlen(a) + 1) {
		/* The overlay's own marks mean something else here. */
		if (strncmp(a, OVERLAY, strlen(OVERLAY)) == 0)
			continue;
		size = must(fgetxattr(host, a, value, sizeof(value)));
		must(fsetxattr(fd, a, value, (size_t)size, 0));
	}
	return (fd);
}

/* Hides the last component of a path, by what it is on the node. */
static void
name_hide(int host_dir, int layer, const char *name)
{
	int fd, host = host_open(host_dir, name, O_RDONLY);
	struct stat st = { 0 };

	if (host >= 0)
		must(fstat(host, &st));
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = copy_make(layer, name, host, S_ISDIR(st.st_mode));
		if (fd != -1 && S_ISDIR(st.st_mode))
			must(fsetxattr(fd, OVERLAY "opaque", "y", 1, 0));
	} else if (mknodat(layer, name, S_IFCHR, makedev(0, 0)) == -1 &&
	    errno != EEXIST) {
		must(-1);
	}
}

static void
glob_hide(int host_dir, int layer, const char *pattern)
{
	DIR *directory = fdopendir(must(openat(host_dir, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
	struct dirent *entry;

	must(directory == NULL ? -1 : 0);
	while ((errno = 0, entry = readdir(directory)) != NULL) {
		if (fnmatch(pattern, entry->d_name, FNM_PERIOD) == 0)
			name_hide(host_dir, layer, entry->d_name);
	}
	must(errno != 0 ? -1 : 0);
	closedir(directory);
}

static void
path_hide(int host, int layer, const char *path)
{
	const char *name, *slash = strchr(path, '/');
	int host_next, layer_next;

	if (slash == NULL) {
		(strchr(path, '*') != NULL ? glob_hide : name_hide)(host,
		    layer, path);
		return;
	}
	name = strndupa(path, (size_t)(slash - path));
	host_next = host_open(host, name, O_RDONLY | O_DIRECTORY);
	/* The first ancestor that does not exist is hidden as a whole. */
	if (host_next == -ENOENT)
		name_hide(host, layer, name);
	/* A mount of its own: nothing of it is in the overlay. */
	if (host_next == -ENOENT || host_next == -EXDEV)
		return;
	must(host_next);
	if ((layer_next = copy_make(layer, name, host_next, 1)) != -1)
		path_hide(host_next, layer_next, slash + 1);
}

void
filter_build(int layer_fd, const char *const *own)
{
	size_t i;
	int root;

	root = must(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		filtered = paths[i] != NULL ? paths[i] : *own++ + 1;
		path_hide(root, layer_fd, filtered);
	}
}

int
path_touches(const char *path, const char *pattern)
{
	const size_t length = strlen(path);

	return (fnmatch(pattern, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0 ||
	    length == 0 || (strncmp(pattern, path, length) == 0 &&
	    pattern[length] == '/'));
}

int
filter_touches(const char *path)
{
	size_t i;

	for (i = 0; paths[i] != NULL; i++) {
		if (path_touches(path, paths[i]))
			return (1);
	}
	return (0);
}
