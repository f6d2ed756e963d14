#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <linux/landlock.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <unistd.h>

#include "policies.h"
#include "unpriv/sandbox.h"

/* Linux 6.12's; older headers lack the fields after the first. */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

/* What there was to handle when: linux/landlock.h of each kernel. */
static const struct ruleset rulesets[] = {
	[1] = { (1 << 13) - 1, 0, 0 }, /* 5.13: files and directories */
	[2] = { (1 << 14) - 1, 0, 0 }, /* 5.19: and REFER */
	[3] = { (1 << 15) - 1, 0, 0 }, /* 6.2: and TRUNCATE */
	[4] = { (1 << 15) - 1, 3, 0 }, /* 6.7: TCP bind, connect */
	[5] = { (1 << 16) - 1, 3, 0 }, /* 6.10: and IOCTL_DEV */
	[6] = { (1 << 16) - 1, 3, 3 }, /* 6.12: abstract sockets, signals */
};
#define RULESETS ((int)(sizeof(rulesets) / sizeof(rulesets[0])))

static int
limit_resources(const struct policy_rlimit *limit)
{
	for (; limit->resource != -1; limit++) {
		struct rlimit value = { limit->value, limit->value };

		if (setrlimit((__rlimit_resource_t)limit->resource, &value) ==
		    -1)
			return (-errno);
	}
	return (0);
}

/* Changes the root directory to rootfd, and closes it. */
static int
enter_root(int rootfd)
{
	int error = 0;

	if (fchdir(rootfd) == -1 || chroot(".") == -1 || chdir("/") == -1)
		error = -errno;
	/* An open directory of the old root would lead back to it. */
	close(rootfd);
	return (error);
}

int
sandbox_drop_bounding_set(void)
{
	static int is_empty; /* also in what is forked afterwards */
	cap_value_t cap = 0;

	while (!is_empty && cap_drop_bound(cap) == 0)
		cap++;
	/* Beyond the last capability that the kernel knows. */
	if (!is_empty && (cap == 0 || errno != EINVAL))
		return (-errno);
	is_empty = 1;
	return (0);
}

static int
drop_capabilities(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	/* cap_reset_ambient(3) would look at each of them first. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 ||
	    capset(&h, d) == -1 || capget(&h, d) == -1)
		return (-errno);
	if ((d[0].effective | d[0].permitted | d[0].inheritable |
		d[1].effective | d[1].permitted | d[1].inheritable) != 0)
		return (-ENOTEMPTY);
	return (0);
}

static int
change_identity(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	/* Groups first: afterwards there is no right to change them. */
	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		return (-errno);

	if (getresuid(&r, &e, &s) == -1 || getresgid(&rg, &eg, &sg) == -1)
		return (-errno);
	if (r != uid || e != uid || s != uid || rg != gid || eg != gid ||
	    sg != gid || getgroups(0, NULL) != 0)
		return (-ENOTEMPTY);
	/* That they read well does not prove that they are for good. */
	if (setresuid(0, (uid_t)-1, (uid_t)-1) != -1 ||
	    setresuid((uid_t)-1, 0, (uid_t)-1) != -1 ||
	    setresgid(0, (gid_t)-1, (gid_t)-1) != -1 ||
	    setresgid((gid_t)-1, 0, (gid_t)-1) != -1)
		return (-ENOTEMPTY);
	return (0);
}

int
sandbox_landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return (version < 0 ? 0 : (int)version);
}

/*
 * Handles all that the kernel can handle, and allows none of it.  Needs
 * no_new_privs.
 */
static int
restrict_paths(void)
{
	int version = sandbox_landlock_version();
	int error = 0, fd;

	if (version == 0)
		return (0);
	if (version >= RULESETS)
		version = RULESETS - 1;
	/* Kernels accept a longer structure if what they lack in it is 0. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &rulesets[version],
	    sizeof(rulesets[version]), 0);
	if (fd == -1)
		return (-errno);
	if (syscall(SYS_landlock_restrict_self, fd, 0) == -1)
		error = -errno;
	close(fd);
	return (error);
}

/* The rest, in the order that the kernel asks for; the filter is the last. */
static int
seal(const struct sock_fprog *policy, int landlock)
{
	int error;

	/* Nobody with the same user id may trace us or read our memory. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-errno);
	if (landlock && (error = restrict_paths()) != 0)
		return (error);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, policy) == -1)
		return (-errno);
	return (0);
}

int
sandbox_enter_shim(uid_t uid, int rootfd)
{
	int error;

	if (uid == 0 || uid == (uid_t)-1)
		return (-EINVAL);
	/*
	 * Each step takes away what the ones before it needed: limits may be
	 * lowered by anyone; chroot, the bounding set and groups take
	 * capabilities, which end with the user id at the latest.
	 */
	if ((error = limit_resources(policy_shim_rlimits)) != 0 ||
	    (error = enter_root(rootfd)) != 0)
		return (error);
	/* Otherwise the change of user would keep the permitted set. */
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == -1)
		return (-errno);
	if ((error = sandbox_drop_bounding_set()) != 0 ||
	    (error = change_identity(uid, uid)) != 0 ||
	    (error = drop_capabilities()) != 0)
		return (error);
	return (seal(&policy_shim, 1));
}

int
sandbox_enter_publisher(int rootfd)
{
	int error;

	if ((error = limit_resources(policy_publisher_rlimits)) != 0 ||
	    (error = enter_root(rootfd)) != 0 ||
	    (error = sandbox_drop_bounding_set()) != 0 ||
	    (error = drop_capabilities()) != 0)
		return (error);
	/* Abstract sockets have no directory: Landlock keeps it from them. */
	return (seal(&policy_publisher, 1));
}

int
sandbox_enter_decode(void)
{
	int error;

	if ((error = limit_resources(policy_decode_rlimits)) != 0)
		return (error);
	error = sandbox_drop_bounding_set();
	/* Others may not, and what they execute would have nothing anyway. */
	if (error == -EPERM && geteuid() != 0)
		error = 0;
	if (error != 0 || (error = drop_capabilities()) != 0)
		return (error);
	/* It has no call that Landlock would look at. */
	return (seal(&policy_decode, 0));
}

int
sandbox_enter_cli(void)
{
	int error;

	if ((error = limit_resources(policy_cli_rlimits)) != 0 ||
	    (error = sandbox_drop_bounding_set()) != 0 ||
	    (error = drop_capabilities()) != 0)
		return (error);
	/* It has no call that Landlock would look at. */
	return (seal(&policy_cli, 0));
}
