/*
 * The node's side: files that have to be root's alone, and what the kernel has.
 */
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit.h"
#include "shim/report.h"
#include "shim/settings.h"
#include "unpriv/conf_file.h"
#include "unpriv/files.h"
#include "unpriv/sandbox.h"

#define LANDLOCK_SCOPES 6 /* the version that hostNetwork and hostPID need */

/* What lies in a folder; the mode says what it is, and what nobody may. */
static const struct {
	const char *name, *what;
	mode_t type, never;
	int optional;
} programs[] = {
	{ ".", "folder of the programs", S_IFDIR, 0022, 0 },
	{ "containerd-shim-reaper-v2", "program", S_IFREG, 0022, 0 },
	{ "reaper-privsep", "program", S_IFREG, 0022, 0 },
	{ "reaper-runtime", "program", S_IFREG, 0022, 0 },
}, roots[] = {
	{ ".", "runtime root", S_IFDIR, 0077, 0 },
	{ "overlay", "overlays", S_IFDIR, 0077, 0 },
	{ "merged", "overlays", S_IFDIR, 0077, 0 },
	{ "ns", "namespaces of overlays", S_IFDIR, 0077, 0 },
	{ "empty", "root directory of shims", S_IFDIR, 0222, 0 },
	{ "_bundles", "bundles of the command line", S_IFDIR, 0077, 1 },
};

static void
file_check(int dirfd, const char *folder, const char *name, const char *what,
    mode_t type, mode_t never, int optional)
{
	struct stat st;
	int holds;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (!optional || errno != ENOENT)
			audit_say(AUDIT_FAIL, "node", what, "%s/%s: %s", folder,
			    name, strerror(errno));
		return;
	}
	holds = (st.st_mode & S_IFMT) == type && st.st_uid == 0 &&
	    (st.st_mode & never) == 0;
	audit_say(holds ? AUDIT_PASS : AUDIT_FAIL, "node", what,
	    "%s/%s: uid %u, mode %04o%s", folder, name, st.st_uid,
	    st.st_mode & 07777,
	    (st.st_mode & S_IFMT) == type ? "" : ", of another type");
}

static void
programs_check(void)
{
	char path[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int fd = -1;
	size_t i;

	if (n > 0) {
		path[n] = '\0';
		*strrchr(path, '/') = '\0';
		fd = open(path[0] == '\0' ? "/" : path,
		    O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd == -1) {
		audit_say(AUDIT_FAIL, "node", programs[0].what, "%s",
		    strerror(errno));
		return;
	}
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		file_check(fd, path, programs[i].name, programs[i].what,
		    programs[i].type, programs[i].never, programs[i].optional);
	close(fd);
}

static void
root_check(const char *path)
{
	const int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t i;

	/* The first pod makes it. */
	if (fd == -1) {
		audit_say(errno == ENOENT ? AUDIT_NOTE : AUDIT_FAIL, "node",
		    roots[0].what, "%s: %s", path, strerror(errno));
		return;
	}
	for (i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		file_check(fd, path, roots[i].name, roots[i].what,
		    roots[i].type, roots[i].never, roots[i].optional);
	close(fd);
}

/* Where the configuration comes from. */
static void
configuration_check(void)
{
	struct conf_file file;
	struct stat st = { 0 };
	const char *reason;
	int error;

	if ((error = conf_file_open(&file)) != 0) {
		reason = files_reason(error);
		audit_say(AUDIT_FAIL, "node", "configuration", "%s: %s",
		    file.blamed, reason != NULL ? reason : strerror(-error));
		return;
	}
	if (file.fd == -1) {
		audit_say(AUDIT_PASS, "node", "configuration",
		    "%s: there is none", file.path);
		return;
	}
	(void)fstat(file.fd, &st);
	close(file.fd);
	audit_say(AUDIT_PASS, "node", "configuration", "%s: uid %u, mode %04o",
	    file.path, st.st_uid, st.st_mode & 07777);
}

static void
landlock_check(void)
{
	const int version = sandbox_landlock_version();

	audit_say(version == 0		  ? AUDIT_FAIL :
		version < LANDLOCK_SCOPES ? AUDIT_NOTE :
					    AUDIT_PASS,
	    "node", "Landlock", "version %d%s", version,
	    version < LANDLOCK_SCOPES ?
		": no confined pods on the node's network or among its "
		"processes" :
		"");
}

static void
cgroup_check(void)
{
	static const char *const paths[] = { "/sys/fs/cgroup",
		"/sys/fs/cgroup/unified" };
	struct statfs fs;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (statfs(paths[i], &fs) == 0 &&
		    fs.f_type == CGROUP2_SUPER_MAGIC) {
			audit_say(AUDIT_PASS, "node", "cgroup version 2", "%s",
			    paths[i]);
			return;
		}
	}
	audit_say(AUDIT_FAIL, "node", "cgroup version 2",
	    "what leaves its pid namespace is not found again");
}

/* Of the kernel's settings: what has to be in them, or NULL. */
static const struct {
	const char *path, *what, *word;
} kernel[] = {
	{ "/proc/sys/kernel/seccomp/actions_avail", "seccomp", "kill_process" },
	{ "/proc/sys/user/max_user_namespaces",
	    "user namespaces, which confined pods are refused", NULL },
	{ "/proc/sys/kernel/yama/ptrace_scope", "Yama's ptrace_scope", NULL },
	{ "/proc/sys/kernel/unprivileged_bpf_disabled",
	    "unprivileged BPF, which confined pods are refused", NULL },
};

static void
kernel_check(void)
{
	char shown[256], text[256];
	ssize_t n;
	size_t i;

	landlock_check();
	cgroup_check();
	for (i = 0; i < sizeof(kernel) / sizeof(kernel[0]); i++) {
		n = audit_read(AT_FDCWD, kernel[i].path, text, sizeof(text));
		conf_printable(shown, sizeof(shown), n < 0 ? "not there" : text,
		    n < 0 ? strlen("not there") : strcspn(text, "\n"));
		audit_say(kernel[i].word == NULL ? AUDIT_NOTE :
			n > 0 && strstr(text, kernel[i].word) != NULL ?
						   AUDIT_PASS :
						   AUDIT_FAIL,
		    "node", kernel[i].what, "%s", shown);
	}
}

int
audit_node(struct conf *conf)
{
	static struct settings settings;
	struct settings_reading reading;
	int error;

	programs_check();
	configuration_check();
	kernel_check();
	/* It says itself what is wrong. */
	if (settings_read(&reading, -1) != 0 || settings_begin(&reading) != 0)
		return (-1);
	error = settings_end(&reading, &settings);
	(void)waitpid(reading.child, NULL, 0);
	if (error != 0)
		return (-1);
	*conf = settings.conf;
	root_check(conf->node.runtime_root);
	return (0);
}
