/*
 * Sources of volumes: what a mount in the pod's own directory shows, by the
 * node's list of mounts.
 */
#include "regress/unit/bundle.h"

#define UID	"8e4299fe-28f9-44b8-bdeb-ab276289d438"
#define OTHER	"8e4299fe-28f9-44b8-bdeb-ab276289d439"
#define PODS	"/var/lib/kubelet/pods/"
#define OWN	PODS UID
#define SUBPATH OWN "/volume-subpaths/v/c/0"
#define VOLUME	OWN "/volumes/kubernetes.io~"

#define ROOT "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
/* A mount on the root: of device and root; and the one that is looked at. */
#define ON(id, shown, path) #id " 20 " shown " " path " rw - ext4 x rw\n"
#define SHOWS(shown)	    ON(90, shown, SUBPATH)

#define KEPT(path) \
	"mounts[0]: /x: subPath of " path ", which is kept from workloads"
#define NOWHERE "mounts[0]: /x: subPath of what is seen nowhere on the node"
#define FORBIDDEN(path)                          \
	"mounts[0]: /x: subPath of " path ": a " \
	"hostPath, which reaper.runtime/restrict forbids"

static const char *source = SUBPATH, *restriction = "";

static void
node_set(void)
{
	static const char filters[] = "etc/shadow\0home\0var/lib/kubelet\0"
				      "root/*/keys\0srv/[ab]\0";

	memcpy(node.filters[0], filters, sizeof(filters));
	strcpy(node.runtime_root, "/opt/reaper");
	strcpy(node.overlay_base, "/big/overlay");
}

/* A pod with the source as its volume is refused so, or NULL: it is good. */
static void
check_list(const char *text, size_t length, const char *error)
{
	static char json[16384];

	on.mounts = text;
	on.mounts_length = length;
	snprintf(json, sizeof(json),
	    BUNDLE("\"annotations\":{" CRI "sandbox-id\":\"s1\"," CRI
		   "sandbox-namespace\":\"n\"," CRI "sandbox-uid\":\"" UID
		   "\"," CRI "container-type\":\"container\"%s},"
		   "\"mounts\":[" BIND("%s", "/x", "\"rbind\"") "]"),
	    restriction, source);
	if (error != NULL)
		check_bad(PLAN_BUNDLE, json, strlen(json), error);
	else
		check_bundle(json);
}

static void
check(const char *text, const char *error)
{
	check_list(text, strlen(text), error);
}

static void
restrict_pod(int restricted)
{
	restriction =
	    restricted ? ",\"reaper.runtime/restrict\":\"no-hostpath\"" : "";
}

ATF_TC_WITHOUT_HEAD(a_subpath_of_a_hostpath_is_checked_as_one);
ATF_TC_BODY(a_subpath_of_a_hostpath_is_checked_as_one, tc)
{
	static const struct {
		const char *shown, *error;
	} cases[] = {
		{ "8:1 /srv/data/x", NULL },
		{ "8:1 /etc", KEPT("/etc") },
		{ "8:1 /", KEPT("/") },
		{ "8:1 /etc/shadow", KEPT("/etc/shadow") },
		{ "8:1 /etc/shadow/x", KEPT("/etc/shadow/x") },
		{ "8:1 /etc/shadow-", NULL },
		{ "8:1 /home/eve", KEPT("/home/eve") },
		{ "8:1 /root", KEPT("/root") },
		{ "8:1 /root/a/b", NULL },
		{ "8:1 /root/a", KEPT("/root/a") },
		{ "8:1 /root/.a/keys/k", KEPT("/root/.a/keys/k") },
		{ "8:1 /root/a/b/keys", NULL },
		{ "8:1 /srv/b", KEPT("/srv/b") },
		{ "8:1 /srv/c", NULL },
		{ "8:1 /proc/1", KEPT("/proc/1") },
		{ "8:1 /sys", KEPT("/sys") },
		{ "8:1 /var/lib", KEPT("/var/lib") },
		{ "8:1 /var/lib/containerd/x", KEPT("/var/lib/containerd/x") },
		{ "8:1 /run/containerd", KEPT("/run/containerd") },
		{ "8:1 /opt/reaper/a", KEPT("/opt/reaper/a") },
		{ "8:1 /opt", KEPT("/opt") },
		{ "8:1 /opt/reapers", NULL },
		{ "8:1 /big", KEPT("/big") },
		{ "8:1 " PODS OTHER "/volumes/v",
		    KEPT(PODS OTHER "/volumes/"
				    "v") },
		{ "8:1 " OWN, KEPT(OWN) },
		{ "8:1 " OWN "/volumes", KEPT(OWN "/volumes") },
		{ "8:1 " OWN "x/volumes/v", KEPT(OWN "x/volumes/v") },
		/* Of a pod of that name, but not where kubelet has them. */
		{ "8:1 /home/k/pods/" UID "/volumes/v",
		    KEPT("/home/k/pods/" UID "/volumes/v") },
		/* Names with escapes are shown without. */
		{ "8:1 /home/a\\040b\\134c", KEPT("/home/a b\\c") },
		{ "8:1 /srv/a\\040b", NULL },
		/* What has been removed since has the place that it had. */
		{ "8:1 /etc/shadow//deleted", KEPT("/etc/shadow") },
		{ "8:1 /srv/x//deleted", NULL },
		{ "8:1 //deleted", NOWHERE },
		/* No path, or one that is none. */
		{ "8:1 net:[4026531840]", NOWHERE },
		{ "8:1 /../..", KEPT("what cannot be told") },
		{ "8:1 /srv//x", KEPT("what cannot be told") },
		{ "8:1 /srv/\\057x", KEPT("what cannot be told") },
		{ "8:1 ", NOWHERE },
		/* Of a filesystem that is mounted nowhere else. */
		{ "8:2 /srv/data", NOWHERE },
		{ "8:11 /srv/data", NOWHERE },
		{ "8: /srv/data", NOWHERE },
		{ " /srv/data", NOWHERE },
	};
	char text[2048];
	size_t i;

	node_set();
	for (i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text),
		    ROOT "90 20 %s " SUBPATH " rw - ext4 x rw\n",
		    cases[i].shown);
		check(text, cases[i].error);
	}
}

ATF_TC_WITHOUT_HEAD(a_subpath_of_an_own_volume_is_good);
ATF_TC_BODY(a_subpath_of_an_own_volume_is_good, tc)
{
	int restricted;

	node_set();
	for (restricted = 0; restricted < 2; restricted++) {
		restrict_pod(restricted);
		/* On the node's disk, and on one of its own; updated since. */
		check(ROOT SHOWS("8:1 " VOLUME "empty-dir/e/made"), NULL);
		check(ROOT SHOWS("8:1 " VOLUME "configmap/c/..1/key//deleted"),
		    NULL);
		check(ROOT ON(30, "8:7 /", VOLUME "csi/pv/mount")
			  SHOWS("8:7 /a/b"),
		    NULL);
		check(ROOT ON(30, "8:7 /pv1", VOLUME "csi/pv/mount")
			  SHOWS("8:7 /pv1"),
		    NULL);
		/* Wherever else the same is, and whichever comes first. */
		check(ROOT ON(30, "8:7 /", "/home/x") ON(31, "8:7 /",
			  PODS OTHER "/volumes/kubernetes.io~csi/pv/mount")
			  ON(32, "8:7 /", VOLUME "csi/pv/mount")
			      SHOWS("8:7 /a/b"),
		    NULL);
		check(ROOT SHOWS("8:7 /a/b") ON(30, "8:7 /",
			  VOLUME "csi/pv/mount") ON(31, "8:7 /", "/home/x"),
		    NULL);
		/* Kubelet's directory is a filesystem of its own. */
		check(
		    ROOT ON(30, "8:3 /",
			"/var/lib/kubelet") "90 30 8:3 /pods"
					    "/" UID
					    "/volumes/kubernetes.io~empty-dir/e/x " SUBPATH
					    " rw - xfs x rw\n",
		    NULL);
	}
	/* It is elsewhere. */
	source = "/data/my kubelet/pods/" UID "/volume-subpaths/v/c/1";
	check(ROOT "90 20 8:1 /data/my\\040kubelet/pods/" UID "/volumes/e/x "
		   "/data/my\\040kubelet/pods/" UID
		   "/volume-subpaths/v/c/1 rw - ext4 x rw\n",
	    NULL);
	check(ROOT "90 20 8:1 " VOLUME "empty-dir/e/x "
		   "/data/my\\040kubelet/pods/" UID
		   "/volume-subpaths/v/c/1 rw - ext4 x rw\n",
	    KEPT(VOLUME "empty-dir/e/x"));
}

ATF_TC_WITHOUT_HEAD(an_origin_counts_at_all_its_places);
ATF_TC_BODY(an_origin_counts_at_all_its_places, tc)
{
	node_set();
	/* A bind mount of the node shows it under another name. */
	check(ROOT ON(30, "8:1 /etc", "/srv/etc") SHOWS("8:1 /etc/shadow"),
	    KEPT("/etc/shadow"));
	check(ROOT ON(30, "8:1 /srv/data", "/home/eve") SHOWS("8:1 /srv/data"),
	    KEPT("/home/eve"));
	check(ROOT ON(30, "8:1 /srv/data", "/mnt") SHOWS("8:1 /srv/data/x"),
	    NULL);
	/* A disk that is mounted where it is kept, in part, twice. */
	check(ROOT ON(30, "8:2 /", "/home") SHOWS("8:2 /eve"),
	    KEPT("/home/eve"));
	check(ROOT ON(30, "8:2 /a", "/home") ON(31, "8:2 /b", "/data")
		  SHOWS("8:2 /b/c"),
	    NULL);
	check(ROOT ON(30, "8:2 /a", "/home") SHOWS("8:2 /ab"), NOWHERE);
	check(ROOT ON(30, "8:2 /", "/data") ON(31, "8:2 /b", "/home")
		  SHOWS("8:2 /b/c"),
	    KEPT("/home/c"));
	check(ROOT ON(30, "8:2 /", "/data") ON(31, "8:2 /b", "/home")
		  SHOWS("8:2 /c"),
	    NULL);
	/* The root of another volume, and a place that is a pod's. */
	check(ROOT ON(30, "8:2 /", "/data") ON(31, "8:2 /",
		  PODS OTHER "/volumes/kubernetes.io~csi/p/mount")
		  SHOWS("8:2 /c"),
	    KEPT(PODS OTHER "/volumes/kubernetes.io~csi/p/mount/c"));
	check(ROOT ON(31, "8:2 /", PODS OTHER "/volumes/v") SHOWS("8:2 /c"),
	    KEPT(PODS OTHER "/volumes/v/c"));
	/* Where another subPath shows the same does not count. */
	check(ROOT ON(31, "8:1 /srv/data", PODS OTHER "/volume-subpaths/v/c/0")
		  ON(32, "8:1 /srv/data", OWN "/volume-subpaths/v/c/1")
		      SHOWS("8:1 /srv/data"),
	    NULL);
	check(ROOT ON(31, "8:2 /", PODS OTHER "/volume-subpaths/v/c/0")
		  SHOWS("8:2 /c"),
	    NOWHERE);
	check(ROOT ON(31, "8:1 /srv/data",
		  "/home/pods/" OTHER "/volume-subpaths/v/c/0")
		  SHOWS("8:1 /srv/data"),
	    KEPT("/home/pods/" OTHER "/volume-subpaths/v/c/0"));
}

ATF_TC_WITHOUT_HEAD(what_is_hidden_is_no_place);
ATF_TC_BODY(what_is_hidden_is_no_place, tc)
{
	node_set();
	/* Another mount lies on that of the volume, or above it. */
	check(ROOT ON(30, "8:7 /",
		  VOLUME "csi/pv/mount") "31 30 8:9 / " VOLUME
					 "csi/pv/mount rw - ext4 x rw\n" SHOWS(
					     "8:7 /a"),
	    NOWHERE);
	check(ROOT ON(30, "8:7 /", "/data") "31 30 8:9 / /data rw - ext4 x "
					    "rw\n" SHOWS("8:7 /a"),
	    NOWHERE);
	check(ROOT "30 77 8:7 / /data rw - ext4 x rw\n" SHOWS("8:7 /a"),
	    NOWHERE);
	/* And on the subPath's: the last is what is mounted. */
	check(ROOT SHOWS("8:1 /srv/data") "91 90 8:1 /etc/shadow " SUBPATH
					  " rw - ext4 x rw\n",
	    KEPT("/etc/shadow"));
	check(ROOT "91 90 8:1 /srv/data " SUBPATH
		   " rw - ext4 x rw\n" SHOWS("8:1 /etc/shadow"),
	    NULL);
	/* A mount that was removed shows not what has its name now. */
	check(ROOT ON(30, "8:7 /x//deleted", VOLUME "csi/pv/mount")
		  SHOWS("8:7 /x/a"),
	    NOWHERE);
	check(ROOT ON(30, "8:7 /x//deleted", VOLUME "csi/pv/mount")
		  SHOWS("8:7 /x//deleted"),
	    NULL);
}

ATF_TC_WITHOUT_HEAD(filesystems_say_in_their_ways_what_they_show);
ATF_TC_BODY(filesystems_say_in_their_ways_what_they_show, tc)
{
#define NFS(id, shown, path) \
#id " 20 0:50 / " path " rw shared:1 - nfs4 " shown " rw\n"
	node_set();
	/* The path on the server; there may be several trees in one. */
	check(ROOT NFS(30, "s:/homes", "/home")
		  NFS(90, "s:/homes/eve", SUBPATH),
	    KEPT("/home/eve"));
	check(ROOT NFS(30, "s:/homes", "/home") NFS(31, "s:/pv",
		  VOLUME "nfs/pv") NFS(90, "s:/homes/eve", SUBPATH),
	    KEPT("/home/eve"));
	check(ROOT NFS(30, "s:/homes", "/home")
		  NFS(31, "s:/pv", VOLUME "nfs/pv") NFS(90, "s:/pv/a", SUBPATH),
	    NULL);
	check(ROOT NFS(30, "s:/", "/data") NFS(90, "s:/a/b", SUBPATH), NULL);
	check(ROOT NFS(30, "s:/", "/srv") NFS(90, "s:/a/b", SUBPATH),
	    KEPT("/srv/a/b"));
	check(ROOT NFS(30, "s:/x/", "/srv") NFS(90, "s:/x/", SUBPATH),
	    KEPT("/srv"));
	check(ROOT NFS(30, "t:/", "/data") NFS(90, "s:/a/b", SUBPATH), NOWHERE);
	check(ROOT NFS(30, "", "/data") NFS(90, "", SUBPATH), NOWHERE);
	/* Subvolumes of a btrfs are paths from its top. */
	check("20 1 0:31 /@ / rw - btrfs x rw\n" ON(30, "0:31 /@home", "/home")
		  SHOWS("0:31 /@home/eve"),
	    KEPT("/home/eve"));
	check("20 1 0:31 /@ / rw - btrfs x rw\n" SHOWS("0:31 /@/etc/shadow"),
	    KEPT("/etc/shadow"));
	check("20 1 0:31 /@ / rw - btrfs x rw\n" SHOWS(
		  "0:31 /@" VOLUME "empty-dir/e/x"),
	    NULL);
	check("20 1 0:31 /@ / rw - btrfs x rw\n" SHOWS("0:31 /@old/etc/shadow"),
	    NOWHERE);
}

ATF_TC_WITHOUT_HEAD(a_source_below_a_mount_has_its_origin_there);
ATF_TC_BODY(a_source_below_a_mount_has_its_origin_there, tc)
{
	node_set();
	source = SUBPATH "/shadow";
	check(ROOT SHOWS("8:1 /etc"), KEPT("/etc/shadow"));
	check(ROOT SHOWS("8:1 /"), NULL);
	check(ROOT SHOWS("8:1 /etc//deleted"), KEPT("/etc/shadow"));
	source = OWN "/plugins/x/etc/shadow";
	check(ROOT ON(90, "8:1 /", OWN "/plugins/x"), KEPT("/etc/shadow"));
	/* kubelet's own directory, however that is mounted. */
	source = OWN "/containers/c/1";
	check(ROOT, NULL);
	check(ROOT ON(30, "8:1 /etc", "/var/lib/kubelet"), NULL);
	check(ROOT ON(30, "8:1 /etc", OWN), NULL);
	check(ROOT ON(30, "8:1 /home", OWN "/containers"), KEPT("/home/c/1"));
	/* A volume is what the cluster's administrator has made it. */
	source = VOLUME "local-volume/pv";
	check(ROOT ON(30, "8:1 /etc", VOLUME "local-volume/pv"), NULL);
	check("", NULL);
}

ATF_TC_WITHOUT_HEAD(a_subpath_that_is_no_mount_is_refused);
ATF_TC_BODY(a_subpath_that_is_no_mount_is_refused, tc)
{
	int restricted;

	node_set();
	for (restricted = 0; restricted < 2; restricted++) {
		restrict_pod(restricted);
		check("", NOWHERE);
		check(ROOT, NOWHERE);
		check(ROOT ON(30, "8:1 /srv", OWN "/volume-subpaths/v/c/00"),
		    NOWHERE);
		check(ROOT "30 77 8:1 /srv " SUBPATH " rw - ext4 x rw\n",
		    NOWHERE);
	}
}

ATF_TC_WITHOUT_HEAD(a_pod_without_hostpath_has_none_by_a_subpath);
ATF_TC_BODY(a_pod_without_hostpath_has_none_by_a_subpath, tc)
{
	node_set();
	restrict_pod(1);
	check(ROOT SHOWS("8:1 /srv/data"), FORBIDDEN("/srv/data"));
	check(ROOT SHOWS("8:1 /etc/shadow"), KEPT("/etc/shadow"));
	check(ROOT SHOWS("8:1 /srv/k/pods/" UID "/volumes/v"),
	    FORBIDDEN("/srv/k/pods/" UID "/volumes/v"));
}

ATF_TC_WITHOUT_HEAD(a_pod_that_has_the_node_is_not_checked);
ATF_TC_BODY(a_pod_that_has_the_node_is_not_checked, tc)
{
	node_set();
	node.profile = NODE_HOST;
	check(ROOT SHOWS("8:1 /etc/shadow"), NULL);
	check(ROOT SHOWS("8:2 /"), NULL);
	check("", NULL);
	/* But for what it has asked for. */
	restrict_pod(1);
	check(ROOT SHOWS("8:1 /etc/shadow"), FORBIDDEN("/etc/shadow"));
	check("", "mounts[0]: " SUBPATH ": a hostPath or subPath, which ");
	check(ROOT SHOWS("8:1 " VOLUME "empty-dir/e/x"), NULL);
}

/* What no kernel says comes to an end, and is never good. */
ATF_TC_WITHOUT_HEAD(hostile_lists_come_to_an_end);
ATF_TC_BODY(hostile_lists_come_to_an_end, tc)
{
	static char text[1 << 16], longest[4096];
	size_t used;

	node_set();
	check("21 22 8:1 / / rw - ext4 x rw\n22 21 8:1 / / rw - ext4 x "
	      "rw\n90 22 8:1 /srv " SUBPATH " rw - ext4 x rw\n",
	    NOWHERE);
	check(ROOT "90 91 8:1 /srv " SUBPATH " rw - ext4 x rw\n"
		   "91 90 8:1 /srv " SUBPATH " rw - ext4 x rw\n",
	    NOWHERE);
	/* Numbers that are given twice. */
	check(ROOT SHOWS("8:1 /srv/data") SHOWS("8:1 /etc/shadow"),
	    KEPT("/etc/shadow"));
	/* Places that are too long, also to be held while they are made. */
	memset(longest, 'a', sizeof(longest) - 1);
	used = (size_t)snprintf(text, sizeof(text),
	    ROOT "90 20 8:1 /%s " SUBPATH " rw - ext4 x rw\n", longest);
	check_list(text, used, KEPT("what cannot be told"));
	used = (size_t)snprintf(text, sizeof(text),
	    ROOT "30 20 8:2 / /%.4000s rw - ext4 x rw\n"
		 "90 20 8:2 /%.4000s " SUBPATH " rw - ext4 x rw\n",
	    longest, longest);
	check_list(text, used, KEPT("what cannot be told"));
	used = (size_t)snprintf(text, sizeof(text), ROOT "90 20 8:1 /");
	memset(text + used, 'a', 40000);
	used += 40000;
	used += (size_t)snprintf(text + used, sizeof(text) - used,
	    " " SUBPATH " rw - ext4 x rw\n");
	check_list(text, used, NOWHERE);
	/* A message has room for part of a path. */
	used = (size_t)snprintf(text, sizeof(text),
	    ROOT "90 20 8:1 /home/%.4000s " SUBPATH " rw - ext4 x rw\n",
	    longest);
	check_list(text, used, "mounts[0]: /x: subPath of /home/aaaa");
	ATF_CHECK(strstr(plan.error, "a, which is kept from workloads"));
	/* The end of the text, in any place. */
	used = (size_t)snprintf(text, sizeof(text), ROOT SHOWS("8:1 /etc"));
	for (; used > strlen(ROOT) + 1; used--) {
		check_list(text, used - 1,
		    used > strlen(ROOT SHOWS("8:1 /etc")) - 4 ?
			KEPT("/etc") :
			"mountinfo: line 2 is malformed");
	}
}

ATF_TC_WITHOUT_HEAD(many_subpaths_are_checked_in_time);
ATF_TC_BODY(many_subpaths_are_checked_in_time, tc)
{
	static char text[1 << 20], json[1 << 18];
	size_t used, i;

	node_set();
	used = (size_t)snprintf(text, sizeof(text), "%s", ROOT);
	for (i = 0; i < 100; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "%zu 20 8:1 /srv/x " OWN "/volume-subpaths/v/c/%zu "
		    "rw - ext4 x rw\n",
		    100 + i, i);
	for (; used < sizeof(text) - 256; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "%zu 20 8:1 /srv/x " PODS OTHER
		    "/volume-subpaths/v/c/%zu rw - ext4 x rw\n",
		    100 + i, i);
	on.mounts = text;
	on.mounts_length = used;
	used = (size_t)snprintf(json, sizeof(json),
	    "{\"ociVersion\":\"1.0.2\",\"process\":{" NEEDED "},"
	    "\"annotations\":{" CRI "sandbox-id\":\"s1\"," CRI
	    "sandbox-uid\":\"" UID "\"},\"mounts\":[");
	for (i = 0; i < 100; i++)
		used += (size_t)snprintf(json + used, sizeof(json) - used,
		    "%s" BIND(OWN "/volume-subpaths/v/c/%zu", "/x%zu", ""),
		    i > 0 ? "," : "", i, i);
	snprintf(json + used, sizeof(json) - used, "]}");
	check_bundle(json);
	/* Each with its origin. */
	ATF_CHECK_EQ(plan.nmounts, BASE_MOUNTS + 200);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_subpath_of_a_hostpath_is_checked_as_one);
	ATF_TP_ADD_TC(tp, a_subpath_of_an_own_volume_is_good);
	ATF_TP_ADD_TC(tp, an_origin_counts_at_all_its_places);
	ATF_TP_ADD_TC(tp, what_is_hidden_is_no_place);
	ATF_TP_ADD_TC(tp, filesystems_say_in_their_ways_what_they_show);
	ATF_TP_ADD_TC(tp, a_source_below_a_mount_has_its_origin_there);
	ATF_TP_ADD_TC(tp, a_subpath_that_is_no_mount_is_refused);
	ATF_TP_ADD_TC(tp, a_pod_without_hostpath_has_none_by_a_subpath);
	ATF_TP_ADD_TC(tp, a_pod_that_has_the_node_is_not_checked);
	ATF_TP_ADD_TC(tp, hostile_lists_come_to_an_end);
	ATF_TP_ADD_TC(tp, many_subpaths_are_checked_in_time);
	return (atf_no_error());
}
