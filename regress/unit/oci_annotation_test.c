#include <sched.h>

#include "regress/unit/bundle.h"

SAMPLE(container, "cri-2.4-main.json");
SAMPLE(sandbox, "cri-2.4-sandbox.json");

#define UID	  "8e4299fe-28f9-44b8-bdeb-ab276289d438"
#define OWN(name) "\"reaper.runtime/" name "\":"
#define IDENTITY                                              \
	CRI "sandbox-id\":\"s1\"," CRI "sandbox-namespace\":" \
	    "\"n1\"," CRI "sandbox-uid\":\"" UID "\""
#define CONTAINER IDENTITY "," CRI "container-type\":\"container\""
#define POD	  IDENTITY "," CRI "container-type\":\"sandbox\""
#define ANNOTATED(identity, own, more) \
	BUNDLE("\"annotations\":{" identity "," own "}" more)
#define RESTRICT(words)	  OWN("restrict") "\"" words "\""
#define RESTRICTED(words) ANNOTATED(CONTAINER, RESTRICT(words), "")
/* A warning about a value of dns-mode or overlay-name. */
#define WARNING(name, value) \
	"annotation reaper.runtime/" name ": value " value " ignored, "
#define MODES "expected host or kubernetes"
#define LABEL "expected a DNS label of at most 63 characters"
#define CRI_RESOLV(id)                                           \
	BIND("/var/lib/containerd/sandboxes/" id "/resolv.conf", \
	    "/etc/resolv.conf", "\"rbind\"")
#define RESOLV_MOUNT ",\"mounts\":[" CRI_RESOLV("s1") "]"

static void
check_annotation(const char *own, const char *name, const char *warning)
{
	char json[2048];

	snprintf(json, sizeof(json), ANNOTATED(CONTAINER, "%s", RESOLV_MOUNT),
	    own);
	check_bundle(json);
	ATF_CHECK_STREQ(plan.overlay_name, name);
	ATF_CHECK_MSG(strcmp(plan.error, warning) == 0, "\"%s\", not \"%s\"",
	    plan.error, warning);
	ATF_CHECK_EQ(plan.flags, PLAN_CRI);
}

ATF_TC_WITHOUT_HEAD(an_overlay_has_the_name_that_its_pod_gives_it);
ATF_TC_BODY(an_overlay_has_the_name_that_its_pod_gives_it, tc)
{
#define NAMED(value) OWN("overlay-name") value
#define ID63	     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
	node.annotations = 1;
	check_annotation(NAMED("\"web\""), "web", "");
	check_annotation(NAMED("\"Web-2\""), "web-2", "");
	check_annotation(NAMED("\"0\""), "0", "");
	check_annotation(NAMED("\"" ID63 "\""), ID63, "");
	check_annotation(NAMED("\"\""), "", "");
	/* Both bundles of a pod. */
	check_good(PLAN_BUNDLE, container_start,
	    (size_t)(container_end - container_start));
	ATF_CHECK_STREQ(plan.overlay_name, "sample");
	check_good(PLAN_BUNDLE, sandbox_start,
	    (size_t)(sandbox_end - sandbox_start));
	ATF_CHECK_STREQ(plan.overlay_name, "sample");
}

ATF_TC_WITHOUT_HEAD(what_is_no_name_of_an_overlay_is_told_and_ignored);
ATF_TC_BODY(what_is_no_name_of_an_overlay_is_told_and_ignored, tc)
{
	static const struct {
		const char *json, *shown;
	} names[] = {
		{ "-a", "-a" },
		{ "a-", "a-" },
		{ "a.b", "a.b" },
		{ "a/b", "a/b" },
		{ "../etc", "../etc" },
		{ "a b", "a b" },
		{ " ", " " },
		{ "a_b", "a_b" },
		{ "\u00e4", "??" },
		{ "a\\nb", "a?nb" },
		{ "a\\\"' =b", "a??? =b" },
		{ ID63 "f", "0123456789abcdef0123456789abcdef01234567..." },
	};
	char json[256], warning[256];
	size_t i;

	node.annotations = 1;
	for (i = 0; i < COUNT(names); i++) {
		snprintf(json, sizeof(json), NAMED("\"%s\""), names[i].json);
		snprintf(warning, sizeof(warning),
		    WARNING("overlay-name", "%s") LABEL, names[i].shown);
		check_annotation(json, "", warning);
	}
	check_annotation(NAMED("7"), "",
	    WARNING("overlay-name", "of another type") LABEL);
	check_annotation(NAMED("null"), "",
	    WARNING("overlay-name", "of another type") LABEL);
	check_annotation(NAMED("[\"web\"]"), "",
	    WARNING("overlay-name", "of another type") LABEL);
	node.overlay_node = 1;
	check_annotation(NAMED("\"web\""), "",
	    WARNING("overlay-name",
		"web") "all pods of this node share one overlay");
	check_annotation(NAMED("\"\""), "", "");
}

ATF_TC_WITHOUT_HEAD(names_are_resolved_as_the_pod_or_the_node_says);
ATF_TC_BODY(names_are_resolved_as_the_pod_or_the_node_says, tc)
{
#define MODE(value) OWN("dns-mode") value
#define NO_MODE	    "\"x\":\"y\""
	static const struct {
		uint32_t node, annotations;
		const char *own, *warning;
		int kept;
	} cases[] = {
		{ 0, 1, NO_MODE, "", 0 },
		{ 1, 1, NO_MODE, "", 1 },
		{ 0, 1, MODE("\"kubernetes\""), "", 1 },
		{ 0, 1, MODE("\"K8s\""), "", 1 },
		{ 1, 1, MODE("\"Host\""), "", 0 },
		{ 0, 0, MODE("\"kubernetes\""), "", 0 },
		{ 1, 0, MODE("\"host\""), "", 1 },
		{ 1, 0, MODE("7"), "", 1 },
		{ 0, 1, MODE("\"xyz\""), WARNING("dns-mode", "xyz") MODES, 0 },
		{ 1, 1, MODE("\"xyz\""), WARNING("dns-mode", "xyz") MODES, 1 },
		{ 1, 1, MODE("\"\""), WARNING("dns-mode", "") MODES, 1 },
		{ 1, 1, MODE("\"host \""), WARNING("dns-mode", "host ") MODES,
		    1 },
		{ 1, 1, MODE("\"hosthosthosthost\""),
		    WARNING("dns-mode", "hosthosthosthost") MODES, 1 },
		{ 1, 1, MODE("false"),
		    WARNING("dns-mode", "of another type") MODES, 1 },
		{ 1, 1, MODE("\"a\"") "," NAMED("\"b.c\""),
		    WARNING("dns-mode", "a") MODES
		    "; " WARNING("overlay-name", "b.c") LABEL,
		    1 },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		node.dns_kubernetes = cases[i].node;
		node.annotations = cases[i].annotations;
		check_annotation(cases[i].own, "", cases[i].warning);
		ATF_CHECK_EQ_MSG(mounts_on("/etc/resolv.conf", PLAN_BIND_TREE),
		    cases[i].kept, "case %zu", i);
	}
}

ATF_TC_WITHOUT_HEAD(only_what_cri_mounts_on_resolv_conf_is_left_out);
ATF_TC_BODY(only_what_cri_mounts_on_resolv_conf_is_left_out, tc)
{
#define OTHER_RESOLV BIND("/a/resolv.conf", "/etc/resolv.conf", "\"rbind\"")
	static const char *const kept[] = {
		/* A volume of the pod's own; that of another sandbox. */
		ANNOTATED(CONTAINER, NO_MODE, ",\"mounts\":[" OTHER_RESOLV "]"),
		ANNOTATED(CONTAINER, NO_MODE,
		    ",\"mounts\":[" CRI_RESOLV("s2") "]"),
		/* A task, whatever its shim is named after. */
		MOUNTS(OTHER_RESOLV),
		MOUNTS(CRI_RESOLV("s1")),
		BUNDLE("\"annotations\":{" GROUP "\"s1\"}" RESOLV_MOUNT),
	};
	size_t i;

	for (i = 0; i < COUNT(kept); i++) {
		check_bundle(kept[i]);
		ATF_CHECK_EQ_MSG(mounts_on("/etc/resolv.conf", PLAN_BIND_TREE),
		    1, "%s", kept[i]);
	}
}

ATF_TC_WITHOUT_HEAD(dns_of_kubernetes_must_be_there_when_asked_for);
ATF_TC_BODY(dns_of_kubernetes_must_be_there_when_asked_for, tc)
{
	static const struct bad bad[] = {
		{ ANNOTATED(CONTAINER, MODE("\"k8s\""), ""),
		    "mounts: nothing is mounted on /etc/resolv.conf, which "
		    "DNS mode kubernetes needs" },
		{ ANNOTATED(CONTAINER, MODE("\"k8s\""),
		      ",\"mounts\":[" BIND("/a", "/etc/resolv.conf.x", "") "]"),
		    "mounts: nothing is mounted on /etc/resolv.conf" },
		{ ANNOTATED(CONTAINER, MODE("\"k8s\""),
		      ",\"mounts\":[" MOUNT("tmpfs", "", "/etc/resolv.conf",
			  "") "]"),
		    "mounts: nothing is mounted on /etc/resolv.conf" },
	};

	node.annotations = 1;
	check_bad_bundles(bad, COUNT(bad));
	check_bundle(ANNOTATED(POD, MODE("\"k8s\""), ""));
	node.dns_kubernetes = 1;
	check_bundle(BUNDLE("\"x\":1"));
}

ATF_TC_WITHOUT_HEAD(annotations_of_a_task_or_unknown_ones_say_nothing);
ATF_TC_BODY(annotations_of_a_task_or_unknown_ones_say_nothing, tc)
{
	node.annotations = 1;
	check_bundle(NOTES(NAMED("\"web\"") "," MODE("7")));
	ATF_CHECK_STREQ(plan.overlay_name, "");
	ATF_CHECK_STREQ(plan.error, "");
	check_annotation(
	    OWN("overlay-base") "\"/evil\"," OWN("") "7," OWN(
		"Overlay-Name") "\"a\",\"reaper.runtimes/"
				"overlay-name\":\"a\",\"overlay-name\":\"a\"",
	    "", "");
	node.annotations = 0;
	check_annotation(NAMED("\"web\""), "", "");
	check_annotation(NAMED("7"), "", "");
}

ATF_TC_WITHOUT_HEAD(restrictions_are_applied_whatever_the_node_allows);
ATF_TC_BODY(restrictions_are_applied_whatever_the_node_allows, tc)
{
	static const struct {
		const char *json;
		uint32_t flags;
	} cases[] = {
		{ RESTRICTED(""), 0 },
		{ RESTRICTED("  "), 0 },
		{ RESTRICTED("read-only"), PLAN_ROOT_READONLY },
		{ RESTRICTED("no-exec"), PLAN_NO_EXEC },
		{ RESTRICTED(" no-exec , read-only "),
		    PLAN_ROOT_READONLY | PLAN_NO_EXEC },
		{ RESTRICTED("no-exec,no-exec"), PLAN_NO_EXEC },
		{ RESTRICTED("no-hostpath"), 0 },
		{ RESTRICTED("no-network,read-only,no-exec,no-hostpath"),
		    PLAN_ROOT_READONLY | PLAN_NO_EXEC },
	};
	size_t i;

	for (i = 0; i < 2 * COUNT(cases); i++) {
		node.annotations = i % 2;
		check_bundle(cases[i / 2].json);
		ATF_CHECK_EQ_MSG(plan.flags, cases[i / 2].flags | PLAN_CRI,
		    "%s", cases[i / 2].json);
	}
	check_bundle(NOTES(RESTRICT("no-exec")));
	ATF_CHECK_EQ(plan.flags, PLAN_NO_EXEC);
}

ATF_TC_WITHOUT_HEAD(an_unknown_restriction_refuses_the_pod);
ATF_TC_BODY(an_unknown_restriction_refuses_the_pod, tc)
{
#define KEY	     "annotations.reaper.runtime/restrict: "
#define WORDS	     ": expected no-network, read-only, no-exec or no-hostpath"
#define OTHER(value) ANNOTATED(CONTAINER, OWN("restrict") value, "")
	static char json[2048];
	static const struct bad bad[] = {
		{ RESTRICTED("no-net"), KEY "\"no-net\"" WORDS },
		{ RESTRICTED("no-exec,no-clue"), KEY "\"no-clue\"" WORDS },
		{ RESTRICTED("No-Exec"), KEY "\"No-Exec\"" WORDS },
		{ RESTRICTED("no-exec;read-only"),
		    KEY "\"no-exec;read-only\"" WORDS },
		{ RESTRICTED("no-exec read-only"),
		    KEY "\"no-exec read-only\"" WORDS },
		{ RESTRICTED("no-exec,"), KEY "\"\"" WORDS },
		{ RESTRICTED(",no-exec"), KEY "\"\"" WORDS },
		{ RESTRICTED("no-exec,,read-only"), KEY "\"\"" WORDS },
		{ RESTRICTED(","), KEY "\"\"" WORDS },
		{ RESTRICTED("\\tno-exec"), KEY "\"?no-exec\"" WORDS },
		{ RESTRICTED("no-exec\\n"), KEY "\"no-exec?\"" WORDS },
		{ RESTRICTED("no-exe"), KEY "\"no-exe\"" WORDS },
		{ RESTRICTED("no-execs"), KEY "\"no-execs\"" WORDS },
		{ OTHER("true"), KEY "true: expected a string" },
		{ OTHER("null"), KEY "null: expected a string" },
		{ OTHER("[\"no-exec\"]"), KEY "an array: expected a string" },
		{ OTHER("\"no-exec\"," RESTRICT("")), KEY "given twice" },
		{ NOTES(RESTRICT("x")), KEY "\"x\"" WORDS },
		{ ANNOTATED(POD, RESTRICT("x"), ""), KEY "\"x\"" WORDS },
	};
	struct bad long_one = { json, KEY "\"" };

	check_bad_bundles(bad, COUNT(bad));
	snprintf(json, sizeof(json), RESTRICTED("%0300d"), 0);
	check_bad_bundles(&long_one, 1);
	snprintf(json, sizeof(json), RESTRICTED("%0255d"), 0);
	check_bad_bundles(&long_one, 1);
}

ATF_TC_WITHOUT_HEAD(a_pod_without_network_has_a_new_one);
ATF_TC_BODY(a_pod_without_network_has_a_new_one, tc)
{
#define NS(list) ",\"linux\":{\"namespaces\":[" list "]}"
#define NET_AT(path) \
	"{\"type\":\"network\",\"path\":\"" path "\"},{\"type\":\"ipc\"}"
#define NONET RESTRICT("no-network")
	static const struct {
		const char *json;
		int joins;
	} cases[] = {
		{ ANNOTATED(POD, NONET, NS(NET_AT("/run/netns/cni-1"))), 0 },
		{ ANNOTATED(POD, NONET, NS(NET_AT("/proc/7/ns/net"))), 0 },
		{ ANNOTATED(POD, NONET, NS("{\"type\":\"ipc\"}")), 0 },
		{ ANNOTATED(CONTAINER, NONET, NS(NET_AT("/proc/7/ns/net"))),
		    7 },
		{ ANNOTATED(CONTAINER, NONET, NS(NET_AT("/run/netns/cni-1"))),
		    0 },
		/* hostNetwork. */
		{ ANNOTATED(CONTAINER, NONET, NS("{\"type\":\"ipc\"}")), 0 },
		{ ANNOTATED(GROUP "\"g1\"", NONET,
		      NS(NET_AT("/proc/7/ns/net"))),
		    0 },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		check_bundle(cases[i].json);
		ATF_CHECK_EQ_MSG(plan.ns_pids[PLAN_NS_NET],
		    (uint32_t)cases[i].joins, "case %zu", i);
		ATF_CHECK_EQ_MSG(plan.unshare,
		    (uint32_t)(CLONE_NEWIPC |
			(cases[i].joins ? 0 : CLONE_NEWNET)),
		    "case %zu", i);
		ATF_CHECK_STREQ(plan.netns, "");
	}
	/* The host profile takes it away as little. */
	node.profile = NODE_HOST;
	check_bundle(ANNOTATED(CONTAINER, NONET, NS("{\"type\":\"ipc\"}")));
	ATF_CHECK_EQ(plan.unshare, CLONE_NEWNET);
}

static void
check_source(const char *source, int is_refused)
{
	char json[2048], error[256];

	snprintf(json, sizeof(json),
	    ANNOTATED(CONTAINER, RESTRICT("no-hostpath"),
		",\"mounts\":[" BIND("%s", "/x", "\"rbind\"") "]"),
	    source);
	if (!is_refused) {
		check_bundle(json);
		return;
	}
	snprintf(error, sizeof(error),
	    "mounts[0]: %.128s: a hostPath or subPath, which "
	    "reaper.runtime/restrict forbids",
	    source);
	check_bad(PLAN_BUNDLE, json, strlen(json), error);
}

ATF_TC_WITHOUT_HEAD(a_pod_without_hostpath_has_only_its_own_volumes);
ATF_TC_BODY(a_pod_without_hostpath_has_only_its_own_volumes, tc)
{
#define PODS   "/var/lib/kubelet/pods/"
#define GRPC   "/var/lib/containerd/io.containerd.grpc.v1.cri/"
#define OTHERS "8e4299fe-28f9-44b8-bdeb-ab276289d439"
#define HEX64  ID63 "f"
	static const char *const own[] = {
		PODS UID "/volumes/kubernetes.io~empty-dir/scratch",
		PODS UID "/volumes/kubernetes.io~csi/pv/mount",
		PODS UID "/containers/main/159f716e",
		PODS UID "/etc-hosts",
		"/var/lib/k0s/kubelet/pods/" UID "/volumes/v",
		"/k/pods/x/pods/" UID "/volumes/v",
		GRPC "sandboxes/s1/hostname",
		"/data/cd/" GRPC "sandboxes/s1/resolv.conf",
		"/run/containerd/io.containerd.grpc.v1.cri/sandboxes/s1/shm",
		GRPC "containers/" HEX64 "/volumes/v",
	};
	static const char *const others[] = {
		"/",
		"/etc/hosts",
		"/dev/shm",
		"/var/lib/kubelet",
		"/var/lib/kubelet/pods",
		PODS UID,
		PODS UID "/volumes",
		PODS UID "/etc-hosts/x",
		PODS UID "/etc-hostsx",
		PODS UID "/volumesx/y",
		PODS UID "/plugins/x",
		PODS OTHERS "/volumes/kubernetes.io~secret/s",
		PODS UID "x/volumes/y",
		PODS UID "/containers",
		PODS UID "/containersx/y",
		"/pods/" UID "/volumes/y",
		"/k/xpods/" UID "/volumes/y",
		"/k/pods/x" UID "/volumes/y",
		"/k/pods/x/" UID "/volumes/y",
		GRPC "sandboxes/s2/hostname",
		GRPC "sandboxes/s1",
		GRPC "sandboxes/s1x/hostname",
		GRPC "containers/" ID63 "/volumes/v",
		GRPC "containers/" HEX64 "0/volumes/v",
		GRPC "containers/" HEX64 "/volumes",
		GRPC "containers/" HEX64 "/volumesx/v",
		"/home/eve/containers/" HEX64 "/volumes/v",
		"/var/lib/containerd/containers/" HEX64 "/volumes/v",
	};
	size_t i;

	for (i = 0; i < COUNT(own); i++)
		check_source(own[i], 0);
	for (i = 0; i < COUNT(others); i++)
		check_source(others[i], 1);
	/* As of another component: dots are not followed, but refused. */
	check_bad(PLAN_BUNDLE,
	    ANNOTATED(CONTAINER, RESTRICT("no-hostpath"),
		",\"mounts\":[" BIND(PODS UID "/volumes/../../x", "/x",
		    "") "]"),
	    strlen(ANNOTATED(CONTAINER, RESTRICT("no-hostpath"),
		",\"mounts\":[" BIND(PODS UID "/volumes/../../x", "/x",
		    "") "]")),
	    "mounts[0].source: ");
}

ATF_TC_WITHOUT_HEAD(a_task_without_hostpath_has_no_bind_mounts);
ATF_TC_BODY(a_task_without_hostpath_has_no_bind_mounts, tc)
{
#define TASK(mounts) ANNOTATED(GROUP "\"s1\"", RESTRICT("no-hostpath"), mounts)
	static const struct bad bad[] = {
		{ TASK(",\"mounts\":[" BIND("/a", "/b", "") "]"),
		    "mounts[0]: /a: a hostPath or subPath" },
		{ TASK(",\"mounts\":[" BIND("/x/sandboxes/s1/a", "/b", "") "]"),
		    "mounts[0]: /x/sandboxes/s1/a: a hostPath or subPath" },
		/* A pod whose identifier CRI does not tell. */
		{ BUNDLE(
		      "\"annotations\":{" CRI "sandbox-id\":\"s1\"," RESTRICT(
			  "no-hostpath") "},\"mounts\":[" BIND(PODS
			  "/volumes/v",
			  "/b", "") "]"),
		    "mounts[0]: /var/lib/kubelet/pods/volumes/v: a hostPath" },
	};

	check_bad_bundles(bad, COUNT(bad));
	check_bundle(
	    TASK(",\"mounts\":[" MOUNT("tmpfs", "tmpfs", "/b", "") "]"));
}

/* A real pod, restricted: all its volumes are its own. */
ATF_TC_WITHOUT_HEAD(a_real_pod_without_hostpath_is_good);
ATF_TC_BODY(a_real_pod_without_hostpath_is_good, tc)
{
	static const char key[] = "\"reaper.runtime/overlay-name\":\"sample\"";
	static const char more[] = "," RESTRICT("no-hostpath");
	const size_t size = (size_t)(container_end - container_start);
	char *json = malloc(size + strlen(more)), *p;

	ATF_REQUIRE(json != NULL);
	memcpy(json, container_start, size);
	ATF_REQUIRE((p = memmem(json, size, key, strlen(key))) != NULL);
	p += strlen(key);
	memmove(p + strlen(more), p, size - (size_t)(p - json));
	memcpy(p, more, strlen(more));
	check_good(PLAN_BUNDLE, json, size + strlen(more));
	ATF_CHECK_EQ(mounts_on("/scratch", PLAN_BIND_TREE), 1);
	free(json);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, an_overlay_has_the_name_that_its_pod_gives_it);
	ATF_TP_ADD_TC(tp, what_is_no_name_of_an_overlay_is_told_and_ignored);
	ATF_TP_ADD_TC(tp, names_are_resolved_as_the_pod_or_the_node_says);
	ATF_TP_ADD_TC(tp, only_what_cri_mounts_on_resolv_conf_is_left_out);
	ATF_TP_ADD_TC(tp, dns_of_kubernetes_must_be_there_when_asked_for);
	ATF_TP_ADD_TC(tp, annotations_of_a_task_or_unknown_ones_say_nothing);
	ATF_TP_ADD_TC(tp, restrictions_are_applied_whatever_the_node_allows);
	ATF_TP_ADD_TC(tp, an_unknown_restriction_refuses_the_pod);
	ATF_TP_ADD_TC(tp, a_pod_without_network_has_a_new_one);
	ATF_TP_ADD_TC(tp, a_pod_without_hostpath_has_only_its_own_volumes);
	ATF_TP_ADD_TC(tp, a_task_without_hostpath_has_no_bind_mounts);
	ATF_TP_ADD_TC(tp, a_real_pod_without_hostpath_is_good);
	return (atf_no_error());
}
