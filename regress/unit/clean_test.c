/*
 * Cleaning up the cgroup of a container, with hierarchies of the node's kernel
 * that are mounted in a namespace of the test's own.
 */
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/boot.h"
#include "shim/cgroup_clean.h"

#define ROOT "/sys/fs/cgroup"

/* The name of cgroups that nobody else has. */
static char base[32];

/* Skips where the kernel has no such hierarchy, or gives it to another. */
static void
mount_at(const char *path, const char *type, const char *controller)
{
	if (mount(type, path, type, 0, controller) == -1)
		atf_tc_skip("%s of type %s: %s", path, type, strerror(errno));
}

static void
own_root(void)
{
	ATF_REQUIRE_EQ(unshare(CLONE_NEWNS), 0);
	ATF_REQUIRE_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

/* The newest is the first that is found: pids, then the other. */
static void
mount_hybrid(const char *other, const char *type, const char *controller)
{
	own_root();
	mount_at(ROOT, "tmpfs", NULL);
	ATF_REQUIRE_EQ(mkdir(other, 0755) | mkdir(ROOT "/pids", 0755), 0);
	mount_at(other, type, controller);
	mount_at(ROOT "/pids", "cgroup", "pids");
}

static const char *
place(const char *directory, const char *rest)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s%s", directory, base, rest);
	return (path);
}

static int
write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int error = fd == -1 || write(fd, text, strlen(text)) == -1 ? -1 : 0;

	if (fd != -1)
		close(fd);
	return (error);
}

static void
make_cgroup(const char *directory)
{
	ATF_REQUIRE_EQ(mkdir(place(directory, ""), 0755), 0);
	ATF_REQUIRE_EQ(mkdir(place(directory, "/c1"), 0755), 0);
}

static int
exists(const char *path)
{
	return (access(path, F_OK) == 0);
}

/* A process of both; nobody waits for it. */
static pid_t
live_in(const char *one, const char *two)
{
	char text[16];
	pid_t pid;

	ATF_REQUIRE(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	if ((pid = fork()) == 0) {
		/* Not longer than the test. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
			_exit(1);
		for (;;)
			pause();
	}
	ATF_REQUIRE(pid != -1);
	snprintf(text, sizeof(text), "%d", (int)pid);
	ATF_REQUIRE_EQ(write_to(place(one, "/c1/cgroup.procs"), text), 0);
	ATF_REQUIRE_EQ(write_to(place(two, "/c1/cgroup.procs"), text), 0);
	return (pid);
}

static void
clean(void)
{
	char link[64];
	int fd;

	snprintf(link, sizeof(link), "%s/c1", base);
	ATF_REQUIRE_EQ(symlink(link, BOOT_CGROUP), 0);
	ATF_REQUIRE((fd = open(".", O_RDONLY | O_DIRECTORY)) != -1);
	ATF_CHECK_EQ_MSG(cgroup_clean(fd, base, "c1"), 0, "%s",
	    strerror(errno));
	close(fd);
}

static void
begin(void)
{
	snprintf(base, sizeof(base), "reaper-clean-%d", (int)getpid());
	ATF_REQUIRE_EQ(symlink(base, "base"), 0);
}

/* Whatever a test has left. */
static void
sweep(const char *directory)
{
	(void)write_to(place(directory, "/c1/freezer.state"), "THAWED");
	(void)write_to(place(directory, "/c1/cgroup.kill"), "1");
	while (rmdir(place(directory, "/c1")) == -1 && errno == EBUSY)
		sched_yield();
	(void)rmdir(place(directory, ""));
}

static void
sweep_hybrid(const char *other, const char *type, const char *controller)
{
	if (readlink("base", base, sizeof(base) - 1) == -1)
		return;
	mount_hybrid(other, type, controller);
	sweep(other);
	sweep(ROOT "/pids");
}

#define CLEAN_TEST(name)                                       \
	ATF_TC_WITH_CLEANUP(name);                             \
	ATF_TC_HEAD(name, tc)                                  \
	{                                                      \
		atf_tc_set_md_var(tc, "require.user", "root"); \
		atf_tc_set_md_var(tc, "timeout", "30");        \
	}                                                      \
	ATF_TC_BODY(name, tc)

#define UNIFIED ROOT "/unified"
#define FREEZER ROOT "/freezer"

CLEAN_TEST(those_are_killed_whose_end_other_hierarchies_wait_for)
{
	begin();
	mount_hybrid(UNIFIED, "cgroup2", NULL);
	make_cgroup(UNIFIED);
	make_cgroup(ROOT "/pids");
	live_in(UNIFIED, ROOT "/pids");
	clean();
	ATF_CHECK(!exists(place(UNIFIED, "")));
	ATF_CHECK(!exists(place(ROOT "/pids", "")));
}
ATF_TC_CLEANUP(those_are_killed_whose_end_other_hierarchies_wait_for, tc)
{
	sweep_hybrid(UNIFIED, "cgroup2", NULL);
}

CLEAN_TEST(those_are_thawed_whose_end_other_hierarchies_wait_for)
{
	pid_t pid;

	begin();
	mount_hybrid(FREEZER, "cgroup", "freezer");
	make_cgroup(FREEZER);
	make_cgroup(ROOT "/pids");
	pid = live_in(FREEZER, ROOT "/pids");
	ATF_REQUIRE_EQ(write_to(place(FREEZER, "/c1/freezer.state"), "FROZEN"),
	    0);
	/* As the kernel does with those of a pid namespace that ends. */
	ATF_REQUIRE_EQ(kill(pid, SIGKILL), 0);
	clean();
	ATF_CHECK(!exists(place(FREEZER, "")));
	ATF_CHECK(!exists(place(ROOT "/pids", "")));
}
ATF_TC_CLEANUP(those_are_thawed_whose_end_other_hierarchies_wait_for, tc)
{
	sweep_hybrid(FREEZER, "cgroup", "freezer");
}

CLEAN_TEST(cgroups_of_others_that_have_the_same_name_stay)
{
	char other[64];

	begin();
	own_root();
	mount_at(ROOT, "cgroup2", NULL);
	make_cgroup(ROOT);
	/* Empty, and named like the parent, below another one. */
	snprintf(other, sizeof(other), ROOT "/%s-other", base);
	ATF_REQUIRE_EQ(mkdir(other, 0755), 0);
	ATF_REQUIRE_EQ(mkdir(place(other, ""), 0755), 0);
	clean();
	ATF_CHECK(!exists(place(ROOT, "")));
	ATF_CHECK(exists(place(other, "")));
}
ATF_TC_CLEANUP(cgroups_of_others_that_have_the_same_name_stay, tc)
{
	char other[64];

	if (readlink("base", base, sizeof(base) - 1) == -1)
		return;
	own_root();
	mount_at(ROOT, "cgroup2", NULL);
	sweep(ROOT);
	snprintf(other, sizeof(other), ROOT "/%s-other", base);
	(void)rmdir(place(other, ""));
	(void)rmdir(other);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp,
	    those_are_killed_whose_end_other_hierarchies_wait_for);
	ATF_TP_ADD_TC(tp,
	    those_are_thawed_whose_end_other_hierarchies_wait_for);
	ATF_TP_ADD_TC(tp, cgroups_of_others_that_have_the_same_name_stay);
	return (atf_no_error());
}
