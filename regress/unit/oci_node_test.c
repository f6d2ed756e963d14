#include "regress/unit/bundle.h"

SAMPLE(sandbox, "cri-2.4-sandbox.json");

#define ROOT	       "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
#define ON_ROOT(id)    #id " 20 8:2 / "
#define REST(type)     " rw shared:1 - " type " x rw\n"
#define DISK(id, path) ON_ROOT(id) path REST("ext4")

static void
node_mounts(const char *text)
{
	on.mounts = text;
	on.mounts_length = strlen(text);
}

/* These filesystems of the node are seen, in this order, and no other. */
static void
check_seen(const char *text, const char *expected)
{
	const char *destination, *source;
	char seen[4096] = "";
	struct plan_mount m;
	uint32_t i;

	node_mounts(text);
	check_bundle(MOUNTS(BIND("/a", "/b", "")));
	for (i = 0; i < plan.nmounts; i++) {
		m = mount_at(i, &destination, &source);
		if (m.kind != PLAN_NODE)
			break;
		check_mount(i, destination, "",
		    (struct plan_mount){ PLAN_NODE, 0, 0, MS_PRIVATE, 0 });
		ATF_REQUIRE(
		    strlen(seen) + strlen(destination) + 2 < sizeof(seen));
		strcat(strcat(seen, i > 0 ? " " : ""), destination);
	}
	ATF_CHECK_MSG(strcmp(seen, expected) == 0, "\"%s\", not \"%s\", of\n%s",
	    seen, expected, text);
	/* What follows is as it is without them. */
	if ((plan.flags & PLAN_HOST) == 0)
		ATF_CHECK_EQ(plan.nmounts, i + BASE_MOUNTS + 1);
	for (; i < plan.nmounts; i++)
		ATF_CHECK(mount_at(i, &destination, &source).kind != PLAN_NODE);
}

static void
check_list_refused(const char *text, size_t length, const char *error)
{
	on.mounts = text;
	on.mounts_length = length;
	check_bad(PLAN_BUNDLE, BUNDLE("\"x\":1"), strlen(BUNDLE("\"x\":1")),
	    error);
}

ATF_TC_WITHOUT_HEAD(disks_and_network_filesystems_are_seen);
ATF_TC_BODY(disks_and_network_filesystems_are_seen, tc)
{
	check_seen(ROOT, "");
	check_seen(ROOT DISK(21, "/home"), "/home");
	check_seen(ROOT ON_ROOT(21) "/srv" REST("nfs4") ON_ROOT(22) "/opt" REST(
		       "xfs") ON_ROOT(23) "/data" REST("fuse.sshfs")
		       ON_ROOT(24) "/mnt/o" REST("overlay")
			   ON_ROOT(25) "/mnt/b" REST("fuseblk"),
	    "/data /mnt/b /mnt/o /opt /srv");
	check_seen(ROOT ON_ROOT(21) "/a" REST("tmpfs") ON_ROOT(22) "/b" REST(
		       "proc") ON_ROOT(23) "/c" REST("fusectl")
		       ON_ROOT(24) "/d" REST("fuse.") ON_ROOT(25) "/e" REST(
			   "ext") ON_ROOT(26) "/f" REST("ext44")
			   ON_ROOT(27) "/g" REST("EXT4")
			       ON_ROOT(28) "/h" REST("nsfs"),
	    "");
	/* Without optional fields, or with several; without a source. */
	check_seen(ROOT "21 20 8:2 / /a rw - ext4 x rw\n"
			"22 20 8:2 / /b rw shared:1 master:2 - ext4 x rw\n"
			"23 20 8:2 / /c rw - ext4  rw",
	    "/a /b /c");
}

ATF_TC_WITHOUT_HEAD(escapes_in_paths_are_undone);
ATF_TC_BODY(escapes_in_paths_are_undone, tc)
{
	check_seen(ROOT DISK(21, "/a\\040b\\011\\012\\134040c"),
	    "/a b\t\n\\040c");
	check_seen(ROOT DISK(21, "/\xc3\xa9#:"), "/\xc3\xa9#:");
}

ATF_TC_WITHOUT_HEAD(the_outer_one_comes_before_the_inner);
ATF_TC_BODY(the_outer_one_comes_before_the_inner, tc)
{
	check_seen(ROOT
	    "23 22 8:3 / /a/b/c" REST("ext4") "22 21 8:2 / /a/b" REST("ext4")
		DISK(21, "/a") DISK(24, "/a-b") DISK(25, "/a.b"),
	    "/a /a-b /a.b /a/b /a/b/c");
}

ATF_TC_WITHOUT_HEAD(the_last_of_those_at_one_place_is_seen);
ATF_TC_BODY(the_last_of_those_at_one_place_is_seen, tc)
{
	check_seen(ROOT DISK(21, "/a") "22 21 8:3 / /a" REST("ext4"), "/a");
	check_seen(ROOT "22 21 8:3 / /a" REST("ext4") DISK(21, "/a"), "/a");
	/* What is on top is no disk, but hides one; and the other way round. */
	check_seen(ROOT DISK(21, "/a") "22 21 8:3 / /a" REST("tmpfs"), "");
	check_seen(ROOT ON_ROOT(21) "/a" REST("tmpfs") "22 21 8:3 / /a" REST(
		       "ext4"),
	    "/a");
	/* Numbers that are given twice: nothing is listed twice. */
	check_seen(ROOT DISK(21, "/a") DISK(21, "/a"), "/a");
}

ATF_TC_WITHOUT_HEAD(what_lies_below_a_later_mount_is_not_seen);
ATF_TC_BODY(what_lies_below_a_later_mount_is_not_seen, tc)
{
	check_seen(ROOT DISK(21, "/a/b") DISK(22, "/a"), "/a");
	check_seen(ROOT DISK(21, "/a/b") ON_ROOT(22) "/a" REST("tmpfs"), "");
	/* It is mounted on what is hidden. */
	check_seen(ROOT DISK(21, "/a") "22 21 8:3 / /a/b" REST(
		       "ext4") "23 21 8:3 / /a" REST("xfs"),
	    "/a");
	/* Without a parent in the list it leads nowhere. */
	check_seen(ROOT "21 99 8:2 / /a" REST("ext4"), "");
}

/* As after a boot from an initial filesystem, which moves mounts. */
ATF_TC_WITHOUT_HEAD(the_order_of_the_list_says_nothing);
ATF_TC_BODY(the_order_of_the_list_says_nothing, tc)
{
	check_seen("22 27 0:21 / /proc rw - proc proc rw\n"
		   "24 27 8:2 / /usr rw - ext4 x rw\n"
		   "25 24 8:3 / /usr/local rw - ext4 x rw\n"
		   "27 1 8:1 / / rw - ext4 x rw\n"
		   "28 27 8:4 / /home rw - ext4 x rw\n",
	    "/home /usr /usr/local");
	/* A mount that was moved onto a later one. */
	check_seen(ROOT "30 31 8:2 / /mnt/x" REST("ext4") DISK(31, "/mnt"),
	    "/mnt /mnt/x");
}

ATF_TC_WITHOUT_HEAD(the_root_is_found_wherever_it_is);
ATF_TC_BODY(the_root_is_found_wherever_it_is, tc)
{
	/* On itself; two, one upon the other; in a directory that is none. */
	check_seen("1 1 0:2 / / rw - rootfs rootfs rw\n"
		   "21 1 8:1 / /a rw - ext4 x rw\n",
	    "/a");
	check_seen("21 20 8:1 / / rw - ext4 x rw\n"
		   "20 1 8:1 / / rw - ext4 x rw\n"
		   "22 21 8:1 / /a rw - ext4 x rw\n"
		   "23 20 8:1 / /b rw - ext4 x rw\n",
	    "/a");
	check_seen("22 7 8:1 / /aa rw - ext4 x rw\n"
		   "23 22 8:1 / /aa/b rw - ext4 x rw\n"
		   "24 7 8:1 / /c rw - ext4 x rw\n",
	    "/aa /aa/b /c");
}

ATF_TC_WITHOUT_HEAD(private_places_are_not_seen);
ATF_TC_BODY(private_places_are_not_seen, tc)
{
	static const char *const hidden[] = { "/", "/run", "/run/a", "/proc/a",
		"/sys", "/dev/x", "/var/lib/kubelet",
		"/var/lib/kubelet/pods/u/volumes/v", "/var/lib/containerd/x",
		"/var/lib/docker/overlay2/m/merged",
		"/var/lib/containers/storage", "/var/lib/rancher",
		"/var/lib/k0s/kubelet", "/var/snap/x", "/snap/core/1", "/tmp",
		"/tmp/a/b", "/opt/reaper", "/opt/reaper/a", "/big/overlay/x",
		"/big/log" };
	static const char *const seen[] = { "/runs", "/device", "/tmpx",
		"/var/lib", "/var/lib/kubelets", "/opt/reapers", "/opt", "/big",
		"/big/overlays", "/var/run" };
	char text[512];
	size_t i;

	strcpy(node.runtime_root, "/opt/reaper");
	strcpy(node.overlay_base, "/big/overlay");
	strcpy(node.log_dir, "/big/log");
	for (i = 0; i < COUNT(hidden); i++) {
		snprintf(text, sizeof(text), ROOT ON_ROOT(21) "%s" REST("ext4"),
		    hidden[i]);
		check_seen(text, "");
	}
	for (i = 0; i < COUNT(seen); i++) {
		snprintf(text, sizeof(text), ROOT ON_ROOT(21) "%s" REST("ext4"),
		    seen[i]);
		check_seen(text, seen[i]);
	}
}

ATF_TC_WITHOUT_HEAD(filtered_places_are_not_seen);
ATF_TC_BODY(filtered_places_are_not_seen, tc)
{
	static const char confined[] = "home\0var/lib/*/keys\0srv/[ab]\0";
	static const char host[] = "etc/shadow\0";
	static const char list[] = ROOT DISK(21, "/home") DISK(22, "/home/ann")
	    DISK(23, "/var/lib/x/keys/k")
		DISK(24, "/var/lib/x/y/keys") "25 26 8:2 / /srv/b/x" REST(
		    "ext4") DISK(26, "/srv") DISK(27, "/etc");

	memcpy(node.filters[0], confined, sizeof(confined));
	memcpy(node.filters[1], host, sizeof(host));
	check_seen(list, "/etc /srv /var/lib/x/y/keys");
	node.profile = NODE_HOST;
	check_seen(list,
	    "/etc /home /srv /srv/b/x /var/lib/x/keys/k /var/lib/x/y/keys");
}

ATF_TC_WITHOUT_HEAD(a_sandbox_and_an_exec_see_none);
ATF_TC_BODY(a_sandbox_and_an_exec_see_none, tc)
{
	node_mounts(ROOT DISK(21, "/home"));
	check_good(PLAN_BUNDLE, sandbox_start,
	    (size_t)(sandbox_end - sandbox_start));
	ATF_CHECK_EQ(plan.nmounts, 0);
	check_process("");
	ATF_CHECK_EQ(plan.nmounts, 0);
}

ATF_TC_WITHOUT_HEAD(a_malformed_list_is_refused);
ATF_TC_BODY(a_malformed_list_is_refused, tc)
{
	static const char *const bad[] = { "\n", " \n", "x",
		"21 20 8:2 / /a rw ext4 x rw\n", "21 20 8:2 / /a rw -\n",
		"21 20 8:2 / /a rw - \n", "21 20 8:2 / /a rw - ext4\n",
		"21 20 8:2 / /a rw - ext4 \n", "21 20 8:2 / a rw - ext4 x rw\n",
		"21 20 8:2 /  rw - ext4 x rw\n", "21 20 8:2 / /a - ext4 x rw\n",
		" 20 8:2 / /a rw - ext4 x rw\n",
		"21  8:2 / /a rw - ext4 x rw\n",
		"-1 20 8:2 / /a rw - ext4 x rw\n",
		"21 0x1 8:2 / /a rw - ext4 x rw\n",
		"12345678901 20 8:2 / /a rw - ext4 x rw\n",
		"21 20 8:2 / /a/ rw - ext4 x rw\n",
		"21 20 8:2 / // rw - ext4 x rw\n",
		"21 20 8:2 / //a rw - ext4 x rw\n",
		"21 20 8:2 / /a//b rw - ext4 x rw\n",
		"21 20 8:2 / /a/../b rw - ext4 x rw\n",
		"21 20 8:2 / /.. rw - ext4 x rw\n",
		"21 20 8:2 / /a/. rw - ext4 x rw\n",
		"21 20 8:2 / /a\tb rw - ext4 x rw\n",
		"21 20 8:2 / /a\\ rw - ext4 x rw\n",
		"21 20 8:2 / /a\\04 rw - ext4 x rw\n",
		"21 20 8:2 / /a\\000b rw - ext4 x rw\n",
		"21 20 8:2 / /a\\057b rw - ext4 x rw\n" };
	static char text[8192];
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), ROOT "%s", bad[i]);
		check_list_refused(text, strlen(text),
		    "mountinfo: line 2 is malformed");
	}
	check_list_refused("\0", 1, "mountinfo: line 1 is malformed");
	memcpy(text, ROOT "21 20 8:2 / /a\0b rw - ext4 x rw\n",
	    sizeof(ROOT "21 20 8:2 / /a\0b rw - ext4 x rw\n"));
	check_list_refused(text,
	    sizeof(ROOT "21 20 8:2 / /a\0b rw - ext4 x rw\n") - 1,
	    "mountinfo: line 2 is malformed");
	/* A path that is longer than any. */
	memset(text, 'a', sizeof(text));
	memcpy(text, "21 20 8:2 / /", 13);
	memcpy(text + 13 + 4095, " rw - ext4 x rw", 15);
	check_list_refused(text, 13 + 4095 + 15,
	    "mountinfo: line 1 is malformed");
	memcpy(text + 13 + 4094, " rw - ext4 x rw ", 16);
	on.mounts_length = 13 + 4094 + 15;
	check_bundle(BUNDLE("\"x\":1"));
	/* Hidden, dots in a name are nothing. */
	check_seen(ROOT DISK(21, "/...") DISK(22, "/.a") DISK(23, "/a.."),
	    "/... /.a /a..");
}

ATF_TC_WITHOUT_HEAD(numbers_that_go_in_a_circle_come_to_an_end);
ATF_TC_BODY(numbers_that_go_in_a_circle_come_to_an_end, tc)
{
	check_seen("21 22 8:1 / / rw - ext4 x rw\n"
		   "22 21 8:1 / / rw - ext4 x rw\n"
		   "23 21 8:1 / /a rw - ext4 x rw\n",
	    "");
	check_seen(ROOT DISK(21, "/a") "22 21 8:1 / /a rw - ext4 x rw\n"
				       "21 22 8:1 / /a rw - ext4 x rw\n",
	    "");
}

ATF_TC_WITHOUT_HEAD(more_than_64_filesystems_are_refused);
ATF_TC_BODY(more_than_64_filesystems_are_refused, tc)
{
	static char text[16384];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s", ROOT);
	uint32_t i;

	for (i = 0; i < 64; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "%u 20 8:2 / /m%02u" REST("xfs"), 100 + i, 63 - i);
	node_mounts(text);
	check_bundle(BUNDLE("\"x\":1"));
	ATF_CHECK_EQ(plan.nmounts, BASE_MOUNTS + 64);
	check_mount(63, "/m63", "",
	    (struct plan_mount){ PLAN_NODE, 0, 0, MS_PRIVATE, 0 });
	/* One that is hidden does not count. */
	snprintf(text + used, sizeof(text) - used,
	    "90 89 8:2 / /a" REST("xfs"));
	node_mounts(text);
	check_bundle(BUNDLE("\"x\":1"));
	snprintf(text + used, sizeof(text) - used,
	    "90 20 8:2 / /a" REST("xfs"));
	check_list_refused(text, strlen(text),
	    "mountinfo: more than 64 filesystems of the node");
}

ATF_TC_WITHOUT_HEAD(a_long_list_is_read_in_time);
ATF_TC_BODY(a_long_list_is_read_in_time, tc)
{
	static char text[1 << 20];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s", ROOT);
	int i;

	/* As on a node with thousands of volumes, and some disks. */
	for (i = 0; used < sizeof(text) - 128; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "%d 20 0:9 / %s%d" REST("ext4"), 100 + i,
		    i < 60 ? "/mnt/" : "/var/lib/kubelet/pods/u/volumes/v/", i);
	node_mounts(text);
	check_bundle(BUNDLE("\"x\":1"));
	ATF_CHECK_EQ(plan.nmounts, BASE_MOUNTS + 60);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, disks_and_network_filesystems_are_seen);
	ATF_TP_ADD_TC(tp, escapes_in_paths_are_undone);
	ATF_TP_ADD_TC(tp, the_outer_one_comes_before_the_inner);
	ATF_TP_ADD_TC(tp, the_last_of_those_at_one_place_is_seen);
	ATF_TP_ADD_TC(tp, what_lies_below_a_later_mount_is_not_seen);
	ATF_TP_ADD_TC(tp, the_order_of_the_list_says_nothing);
	ATF_TP_ADD_TC(tp, the_root_is_found_wherever_it_is);
	ATF_TP_ADD_TC(tp, private_places_are_not_seen);
	ATF_TP_ADD_TC(tp, filtered_places_are_not_seen);
	ATF_TP_ADD_TC(tp, a_sandbox_and_an_exec_see_none);
	ATF_TP_ADD_TC(tp, a_malformed_list_is_refused);
	ATF_TP_ADD_TC(tp, numbers_that_go_in_a_circle_come_to_an_end);
	ATF_TP_ADD_TC(tp, more_than_64_filesystems_are_refused);
	ATF_TP_ADD_TC(tp, a_long_list_is_read_in_time);
	return (atf_no_error());
}
