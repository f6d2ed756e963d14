#include <linux/capability.h>
#include <sched.h>

#include "regress/unit/bundle.h"

SAMPLE(old, "cri-1.6-privileged.json");
SAMPLE(new, "cri-2.4-privileged.json");
SAMPLE(confined, "cri-2.4-main.json");
SAMPLE(sandbox, "cri-2.4-sandbox.json");
SAMPLE(ctr, "ctr-1.6.json");
SAMPLE(runc, "runc-1.1.json");

#define ALL	 "{\"allow\":true,\"access\":\"rwm\"}"
#define SYS(how) MOUNT("sysfs", "sysfs", "/sys", "\"nosuid\"," how)
/* A bundle with these members of linux, rules for devices, and mounts. */
#define MIGHT(more, rules, mounts)                                            \
	BUNDLE("\"linux\":{" more "\"resources\":{\"devices\":[" rules "]}}," \
	       "\"mounts\":[" mounts "]")

struct sample {
	const char *start, *end;
};

static void
check_sample(const char *start, const char *end)
{
	check_good(PLAN_BUNDLE, start, (size_t)(end - start));
}

static int
is_host(const char *json)
{
	check_bundle(json);
	return ((plan.flags & PLAN_HOST) != 0);
}

ATF_TC_WITHOUT_HEAD(a_privileged_pod_has_the_node);
ATF_TC_BODY(a_privileged_pod_has_the_node, tc)
{
	const struct sample samples[] = { { old_start, old_end },
		{ new_start, new_end } };
	const char *destination, *source;
	struct plan_mount m;
	uint32_t i, n;

	strcpy(node.runtime_root, "/run/reaper");
	strcpy(node.run_allow, "/run/nscd");
	strcpy(node.device_allow, "/dev/fuse");
	for (i = 0; i < COUNT(samples); i++) {
		check_sample(samples[i].start, samples[i].end);
		ATF_CHECK_EQ(plan.flags, PLAN_HOST | PLAN_CRI | PLAN_HAS_OOM);
		ATF_CHECK_EQ(plan.unshare, 0);
		ATF_CHECK_EQ(plan.ns_pids[PLAN_NS_PID], 0);
		ATF_CHECK_EQ(plan.ns_pids[PLAN_NS_IPC], 0);
		ATF_CHECK_EQ(plan.ns_pids[PLAN_NS_UTS], 0);
		/* The network is the pod's. */
		ATF_CHECK(plan.ns_pids[PLAN_NS_NET] != 0);
		ATF_CHECK_STREQ(plan.hostname, "");
		ATF_CHECK_EQ(plan.nfilter, 0);
		check_mount(0, "/dev", "/dev",
		    (struct plan_mount){ PLAN_BIND_TREE, 0, 0, MS_PRIVATE, 0 });
		/* The pod's volumes, nothing else in /dev, and the mask. */
		ATF_CHECK_EQ(mounts_on("/scratch", PLAN_BIND_TREE), 1);
		for (n = 1; n < plan.nmounts - 1; n++) {
			m = mount_at(n, &destination, &source);
			ATF_CHECK_EQ_MSG(m.kind, PLAN_BIND_TREE, "%s",
			    destination);
			ATF_CHECK_MSG(strncmp(destination, "/dev", 4) != 0,
			    "%s", destination);
		}
		check_mount(plan.nmounts - 1, "/run/reaper", "",
		    (struct plan_mount){ PLAN_MASK, 0, 0, MS_PRIVATE, 0 });
	}
}

ATF_TC_WITHOUT_HEAD(other_pods_and_tasks_are_confined);
ATF_TC_BODY(other_pods_and_tasks_are_confined, tc)
{
	const struct sample samples[] = { { confined_start, confined_end },
		{ sandbox_start, sandbox_end }, { ctr_start, ctr_end },
		{ runc_start, runc_end } };
	size_t i;

	for (i = 0; i < COUNT(samples); i++) {
		check_sample(samples[i].start, samples[i].end);
		ATF_CHECK_EQ(plan.flags & PLAN_HOST, 0);
		ATF_CHECK(plan.flags & PLAN_NEW_PIDNS);
	}
	/* Nothing is masked in these, and nothing is given. */
	ATF_CHECK(!is_host(BUNDLE("\"x\":1")));
	ATF_CHECK(!is_host(BUNDLE("\"linux\":{}")));
	ATF_CHECK(!is_host(BUNDLE("\"linux\":null")));
	ATF_CHECK(!is_host(MOUNTS(SYS("\"rw\""))));
}

ATF_TC_WITHOUT_HEAD(only_all_three_signs_together_are_privileged);
ATF_TC_BODY(only_all_three_signs_together_are_privileged, tc)
{
	static const char *const privileged[] = {
		MIGHT("", ALL, SYS("\"rw\"")),
		MIGHT("\"maskedPaths\":[],\"readonlyPaths\":null,", ALL,
		    SYS("\"nodev\"")),
		MIGHT("", "{\"allow\":false,\"access\":\"rwm\"}," ALL,
		    SYS("\"rw\"")),
		MIGHT("",
		    "{\"allow\":true,\"type\":\"a\",\"major\":-1,"
		    "\"minor\":-1,\"access\":\"mrw\"}",
		    SYS("\"rw\"")),
		MIGHT("",
		    ALL ",{\"allow\":true,\"type\":\"c\",\"major\":1,"
			"\"access\":\"r\"}",
		    SYS("\"rw\"")),
		/* A hostPath of /sys, and so no sysfs of CRI. */
		MIGHT("", ALL, BIND("/sys", "/sys", "\"rbind\",\"rw\"")),
	};
	static const char *const others[] = {
		MIGHT("\"maskedPaths\":[\"/proc/kcore\"],", ALL, SYS("\"rw\"")),
		MIGHT("\"readonlyPaths\":[\"/proc/sys\"],", ALL, SYS("\"rw\"")),
		MIGHT("", ALL, SYS("\"ro\"")),
		MIGHT("", ALL, SYS("\"rw\",\"rro\"")),
		MIGHT("", ALL, ""),
		MIGHT("", ALL, SYS("\"rw\"") "," SYS("\"ro\"")),
		MIGHT("", ALL, SYS("\"rw\"") "," BIND("/a", "/sys", "")),
		MIGHT("", ALL, BIND("/sys", "/sys", "\"rbind\",\"ro\"")),
		MIGHT("", ALL, BIND("/sys", "/mnt", "\"rbind\",\"rw\"")),
		MIGHT("", ALL, MOUNT("sysfs", "/a", "/sys", "\"bind\"")),
		MIGHT("", ALL, MOUNT("sysfs", "sysfs", "/mnt", "\"rw\"")),
		MIGHT("", "", SYS("\"rw\"")),
		MIGHT("", "{\"allow\":false,\"access\":\"rwm\"}",
		    SYS("\"rw\"")),
		MIGHT("", ALL ",{\"allow\":false,\"access\":\"m\"}",
		    SYS("\"rw\"")),
		MIGHT("", ALL ",{\"access\":\"m\"}", SYS("\"rw\"")),
		MIGHT("", "{\"access\":\"rwm\"}", SYS("\"rw\"")),
		MIGHT("", "{\"allow\":true}", SYS("\"rw\"")),
		MIGHT("", "{\"allow\":true,\"access\":\"rw\"}", SYS("\"rw\"")),
		MIGHT("", "{\"allow\":true,\"type\":\"b\",\"access\":\"rwm\"}",
		    SYS("\"rw\"")),
		MIGHT("", "{\"allow\":true,\"major\":1,\"access\":\"rwm\"}",
		    SYS("\"rw\"")),
		MIGHT("", "{\"allow\":true,\"minor\":0,\"access\":\"rwm\"}",
		    SYS("\"rw\"")),
		/* What cannot be understood asks for nothing. */
		MIGHT("", "{\"allow\":1,\"access\":\"rwm\"}", SYS("\"rw\"")),
		MIGHT("", "{\"allow\":true,\"type\":1,\"access\":\"rwm\"}",
		    SYS("\"rw\"")),
		MIGHT("", "{\"allow\":true,\"major\":\"*\",\"access\":\"rwm\"}",
		    SYS("\"rw\"")),
		MIGHT("", ALL ",7", SYS("\"rw\"")),
		MIGHT("",
		    "{\"allow\":true,\"access\":\"rwm\",\"major\":-1,"
		    "\"major\":-1}",
		    SYS("\"rw\"")),
		BUNDLE("\"linux\":{\"resources\":{\"devices\":" ALL
		       "}},\"mounts\":[" SYS("\"rw\"") "]"),
	};
	size_t i;

	for (i = 0; i < COUNT(privileged); i++)
		ATF_CHECK_MSG(is_host(privileged[i]), "%s", privileged[i]);
	for (i = 0; i < COUNT(others); i++)
		ATF_CHECK_MSG(!is_host(others[i]), "%s", others[i]);
}

ATF_TC_WITHOUT_HEAD(capabilities_do_not_make_a_pod_privileged);
ATF_TC_BODY(capabilities_do_not_make_a_pod_privileged, tc)
{
	static const char json[] =
	    "{\"ociVersion\":\"1.0.2\",\"process\":{" NEEDED
	    ",\"capabilities\":{\"bounding\":[\"CAP_SYS_ADMIN\"],"
	    "\"permitted\":[\"CAP_SYS_ADMIN\",\"CAP_SYS_MODULE\"],"
	    "\"effective\":[\"CAP_SYS_ADMIN\"]}},\"mounts\":[" SYS(
		"\"rw\"") "],\"linux\":{}}";

	ATF_CHECK(!is_host(json));
	ATF_CHECK(plan.capabilities[PLAN_EFFECTIVE] & 1ull << CAP_SYS_ADMIN);
}

ATF_TC_WITHOUT_HEAD(a_node_may_refuse_privileged_pods);
ATF_TC_BODY(a_node_may_refuse_privileged_pods, tc)
{
#define REFUSED "privileged: REAPER_WORKLOAD_PROFILE=confined refuses such pods"

	node.profile = NODE_CONFINED;
	check_bad(PLAN_BUNDLE, old_start, (size_t)(old_end - old_start),
	    REFUSED);
	check_bad(PLAN_BUNDLE, new_start, (size_t)(new_end - new_start),
	    REFUSED);
	check_sample(confined_start, confined_end);
	check_sample(sandbox_start, sandbox_end);
	check_sample(runc_start, runc_end);
	/* A sandbox's bundle is not looked at: nobody gets anything by it. */
	check_bundle(BUNDLE("\"annotations\":{" CRI "sandbox-id\":\"a\"," CRI
			    "sandbox-namespace\":\"b\"," CRI
			    "container-type\":\"sandbox\"},\"linux\":{"
			    "\"resources\":{\"devices\":[" ALL "]}},"
			    "\"mounts\":[" SYS("\"rw\"") "]"));
	ATF_CHECK_EQ(plan.flags, PLAN_CRI | PLAN_CRI_SANDBOX);
	/* What is no profile at all is not taken for one that gives. */
	node.profile = 77;
	check_bad(PLAN_BUNDLE, new_start, (size_t)(new_end - new_start),
	    REFUSED);
}

ATF_TC_WITHOUT_HEAD(a_node_may_give_itself_to_all);
ATF_TC_BODY(a_node_may_give_itself_to_all, tc)
{
	size_t i;

	node.profile = NODE_HOST;
	check_sample(confined_start, confined_end);
	ATF_CHECK_EQ(plan.flags, PLAN_HOST | PLAN_CRI | PLAN_HAS_OOM);
	check_sample(runc_start, runc_end);
	ATF_CHECK(plan.flags & PLAN_HOST);
	ATF_CHECK_EQ(plan.flags & PLAN_NEW_PIDNS, 0);
	ATF_CHECK_EQ(plan.unshare, CLONE_NEWNET);
	ATF_CHECK_STREQ(plan.hostname, "");
	ATF_CHECK_EQ(mounts_on("/dev/shm", 0), 0);
	/* But not to a sandbox, which keeps its namespaces. */
	check_sample(sandbox_start, sandbox_end);
	ATF_CHECK_EQ(plan.flags & PLAN_HOST, 0);
	ATF_CHECK_EQ(plan.unshare, CLONE_NEWIPC | CLONE_NEWUTS);
	ATF_CHECK_STREQ(plan.hostname, "sample-host");
	ATF_CHECK_EQ(plan.nmounts, 0);
	/* It has nothing that it could give, whatever its bundle says. */
	for (i = 0; i < PLAN_CAPSETS; i++)
		ATF_CHECK_EQ(plan.capabilities[i], 0);
	/* An exec is in what its container has. */
	check_process("");
	ATF_CHECK_EQ(plan.flags, 0);
}

ATF_TC_WITHOUT_HEAD(the_nodes_dev_is_not_covered_by_a_private_one);
ATF_TC_BODY(the_nodes_dev_is_not_covered_by_a_private_one, tc)
{
#define SHM_OF(id) \
	BIND("/run/containerd/sandboxes/" id "/shm", "/dev/shm", "\"rbind\"")
#define UID  "8e4299fe-28f9-44b8-bdeb-ab276289d438"
#define LAST "/var/lib/kubelet/pods/" UID "/containers/main/159f716e"
	static const char json[] = BUNDLE(
	    "\"annotations\":{" CRI "sandbox-id\":\"s1\"," CRI
	    "sandbox-uid\":\"" UID "\"},\"linux\":{"
	    "\"resources\":{\"devices\":[" ALL "]},\"devices\":[{"
	    "\"path\":\"/dev/x\"}],\"namespaces\":[{\"type\":\"pid\","
	    "\"path\":\"/proc/8/ns/pid\"},{\"type\":\"network\"}]},"
	    "\"mounts\":[" SYS(
		"\"rw\"") "," MOUNT("tmpfs", "x", "/dev", "") "," MOUNT("tmpfs",
		"x", "/dev/shm", "\"size=1k\"") "," MOUNT("tmpfs", "x",
		"/dev/pts", "") "," MOUNT("tmpfs", "x", "/dev/mqueue",
		"") "," MOUNT("mqueue", "x", "/dev/mqueue",
		"") "," MOUNT("devpts", "x", "/dev/pts",
		"") "," SHM_OF("s1") "," BIND("/dev/shm", "/dev/shm",
		"") "," BIND("/dev/fuse", "/dev/fuse", "") "," BIND(LAST,
		"/dev/termination-log",
		"") "," BIND(LAST, "/tmp/last", "") "]");
	static const char *const bad[][2] = {
		{ SHM_OF("s2"), "/dev/shm" },
		{ MOUNT("tmpfs", "x", "/dev/a", ""), "/dev/a" },
		{ BIND("/v", "/dev/mqueue", ""), "/dev/mqueue" },
		{ BIND("/dev/a", "/dev/b", ""), "/dev/b" },
		/* Of no pod. */
		{ BIND(LAST, "/dev/termination-log", ""),
		    "/dev/termination-log" },
	};
	static const char mounted[] =
	    "20 1 8:1 / / rw - ext4 x rw\n21 20 0:5 / /dev rw - devtmpfs x rw\n"
	    "22 21 0:6 / /dev/shm rw - tmpfs x rw\n";
	char text[1024], error[256];
	size_t i;

	check_bundle(json);
	ATF_CHECK(plan.flags & PLAN_HOST);
	/* No directory of the runtime is known here, so nothing is masked. */
	ATF_REQUIRE_EQ(plan.nmounts, 2);
	ATF_CHECK_EQ(plan.ns_pids[PLAN_NS_PID], 0);
	ATF_CHECK_EQ(plan.unshare, CLONE_NEWNET);
	check_mount(1, "/tmp/last", LAST,
	    (struct plan_mount){ PLAN_BIND, 0, 0, MS_PRIVATE, 0 });
	/* What would be made in it is refused. */
	node.profile = NODE_HOST;
	for (i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), MOUNTS("%s"), bad[i][0]);
		snprintf(error, sizeof(error),
		    "mounts[0]: %s: a privileged pod has the node's /dev, "
		    "below which only mount points can be mounted on",
		    bad[i][1]);
		check_bad(PLAN_BUNDLE, text, strlen(text), error);
	}
	check_bundle(
	    MOUNTS(BIND("/v", "/dev", "") "," BIND("/v", "/device", "")));
	ATF_CHECK_EQ(plan.nmounts, 3);
	on.mounts = mounted;
	on.mounts_length = strlen(mounted);
	check_bundle(MOUNTS(BIND("/v", "/dev/shm", "")));
	ATF_CHECK_EQ(plan.nmounts, 2);
}

ATF_TC_WITHOUT_HEAD(confined_pods_have_what_the_node_lets_them_have);
ATF_TC_BODY(confined_pods_have_what_the_node_lets_them_have, tc)
{
	/* The array's own NUL ends the list. */
	static const char run[] = "/run/nscd\0/run/systemd/resolve\0";
	static const char devices[] = "/dev/fuse\0";

	memcpy(node.run_allow, run, sizeof(run));
	memcpy(node.device_allow, devices, sizeof(devices));
	strcpy(node.runtime_root, "/run/reaper");
	check_bundle(MOUNTS(BIND("/a", "/b", "")));
	ATF_REQUIRE_EQ(plan.nmounts, BASE_MOUNTS + 4);
	check_mount(BASE_MOUNTS, "/run/nscd", "/run/nscd",
	    (struct plan_mount){ PLAN_BIND_TREE, 1, 0, MS_PRIVATE, 0 });
	check_mount(BASE_MOUNTS + 1, "/run/systemd/resolve",
	    "/run/systemd/resolve",
	    (struct plan_mount){ PLAN_BIND_TREE, 1, 0, MS_PRIVATE, 0 });
	check_mount(BASE_MOUNTS + 2, "/dev/fuse", "/dev/fuse",
	    (struct plan_mount){ PLAN_DEVICE, 1, 0, MS_PRIVATE, 0 });
	check_mount(BASE_MOUNTS + 3, "/b", "/a",
	    (struct plan_mount){ PLAN_BIND, 0, 0, MS_PRIVATE, 0 });
	check_sample(sandbox_start, sandbox_end);
	ATF_CHECK_EQ(plan.nmounts, 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_privileged_pod_has_the_node);
	ATF_TP_ADD_TC(tp, other_pods_and_tasks_are_confined);
	ATF_TP_ADD_TC(tp, only_all_three_signs_together_are_privileged);
	ATF_TP_ADD_TC(tp, capabilities_do_not_make_a_pod_privileged);
	ATF_TP_ADD_TC(tp, a_node_may_refuse_privileged_pods);
	ATF_TP_ADD_TC(tp, a_node_may_give_itself_to_all);
	ATF_TP_ADD_TC(tp, the_nodes_dev_is_not_covered_by_a_private_one);
	ATF_TP_ADD_TC(tp, confined_pods_have_what_the_node_lets_them_have);
	return (atf_no_error());
}
