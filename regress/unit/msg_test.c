/*
 * Requests and plans as untrusted bytes.
 */
#include <atf-c.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>

#include "privsep/msg.h"
#include "privsep/plan.h"

static int
id_valid(const char *text)
{
	char id[MSG_ID_SIZE];

	memset(id, 0, sizeof(id));
	memcpy(id, text, strlen(text));
	return (msg_id_valid(id));
}

ATF_TC_WITHOUT_HEAD(ids_are_those_of_containerd);
ATF_TC_BODY(ids_are_those_of_containerd, tc)
{
	static const char *const good[] = { "a", "A9", "a.b-c_d",
		("0123456789012345678901234567890123456789012345678901234567"
		 "890123456789012345") };
	static const char *const bad[] = { "", ".", "..", "-", "a-", ".a",
		"a..b", "a._b", "a/b", "a b", "\xc3\xa4", "overlay", "ns",
		"merged", "empty", "overlay-filters", "shared-mnt-ns",
		("0123456789012345678901234567890123456789012345678901234567"
		 "8901234567890123456") };
	char id[MSG_ID_SIZE];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ATF_CHECK_MSG(id_valid(good[i]), "%s", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ATF_CHECK_MSG(!id_valid(bad[i]), "%s", bad[i]);
	/* Without an end, and with something behind it. */
	memset(id, 'a', sizeof(id));
	ATF_CHECK(!msg_id_valid(id));
	memset(id, 0, sizeof(id));
	id[0] = 'a';
	id[MSG_ID_SIZE - 1] = 'b';
	ATF_CHECK(!msg_id_valid(id));
}

/* A request that is well formed, of each operation. */
static uint32_t
request_make(uint16_t op, union msg_body *body)
{
	memset(body, 0, sizeof(*body));
	strcpy(body->ref.id, "container");
	switch (op) {
	case MSG_SIGNAL:
		body->signal.signo = 15;
		return (sizeof(body->signal));
	case MSG_STDIO:
		body->stdio.stream = MSG_STDERR;
		strcpy(body->stdio.path, "/run/x/container-stderr");
		return (sizeof(body->stdio));
	case MSG_CGROUP:
		body->choice.which = MSG_CGROUP_MAX - 1;
		return (sizeof(body->choice));
	case MSG_PUBLISH:
		body->choice.which = EVENT_PAUSED;
		return (sizeof(body->choice));
	default:
		return (sizeof(body->ref));
	}
}

static const uint16_t requests[] = { MSG_PREPARE, MSG_CREATE, MSG_START,
	MSG_EXEC, MSG_SIGNAL, MSG_STDIO, MSG_DELETE, MSG_CGROUP, MSG_PUBLISH };

#define NREQUESTS (sizeof(requests) / sizeof(requests[0]))

ATF_TC_WITHOUT_HEAD(requests_have_one_size_each);
ATF_TC_BODY(requests_have_one_size_each, tc)
{
	union msg_body body;
	uint32_t length, size;
	size_t i;

	for (i = 0; i < NREQUESTS; i++) {
		length = request_make(requests[i], &body);
		for (size = 0; size <= MSG_BODY_MAX; size++)
			ATF_CHECK_EQ_MSG(msg_body_check(requests[i], &body,
					     size) == 0,
			    size == length, "operation %u, %u bytes",
			    requests[i], size);
	}
}

ATF_TC_WITHOUT_HEAD(other_operations_are_refused);
ATF_TC_BODY(other_operations_are_refused, tc)
{
	union msg_body body;
	uint32_t length, op;
	size_t i;

	for (op = 0; op <= UINT16_MAX; op++) {
		if (op >= MSG_PREPARE && op <= MSG_PUBLISH)
			continue;
		for (i = 0; i < NREQUESTS; i++) {
			length = request_make(requests[i], &body);
			ATF_REQUIRE_MSG(msg_body_check((uint16_t)op, &body,
					    length) != 0,
			    "operation %u", op);
		}
	}
}

ATF_TC_WITHOUT_HEAD(values_out_of_range_are_refused);
ATF_TC_BODY(values_out_of_range_are_refused, tc)
{
	union msg_body body;
	uint32_t length;
	size_t i;

	for (i = 0; i < NREQUESTS; i++) {
		length = request_make(requests[i], &body);
		body.ref.id[0] = '/';
		ATF_CHECK(msg_body_check(requests[i], &body, length) != 0);
		length = request_make(requests[i], &body);
		strcpy(body.ref.exec, "../x");
		ATF_CHECK(msg_body_check(requests[i], &body, length) != 0);
		length = request_make(requests[i], &body);
		body.ref.exec[MSG_ID_SIZE - 1] = 1;
		ATF_CHECK(msg_body_check(requests[i], &body, length) != 0);
	}
	length = request_make(MSG_SIGNAL, &body);
	body.signal.signo = 0;
	ATF_CHECK(msg_body_check(MSG_SIGNAL, &body, length) != 0);
	body.signal.signo = 65;
	ATF_CHECK(msg_body_check(MSG_SIGNAL, &body, length) != 0);
	length = request_make(MSG_SIGNAL, &body);
	body.signal.all = 2;
	ATF_CHECK(msg_body_check(MSG_SIGNAL, &body, length) != 0);
	body.signal.all = 1;
	ATF_CHECK(msg_body_check(MSG_SIGNAL, &body, length) == 0);
	strcpy(body.ref.exec, "exec");
	ATF_CHECK(msg_body_check(MSG_SIGNAL, &body, length) != 0);
	length = request_make(MSG_STDIO, &body);
	body.stdio.stream = 3;
	ATF_CHECK(msg_body_check(MSG_STDIO, &body, length) != 0);
	length = request_make(MSG_STDIO, &body);
	body.stdio.file = 1;
	ATF_CHECK_EQ(msg_body_check(MSG_STDIO, &body, length), 0);
	body.stdio.file = 2;
	ATF_CHECK(msg_body_check(MSG_STDIO, &body, length) != 0);
	body.stdio.file = 1;
	body.stdio.stream = MSG_STDIN;
	ATF_CHECK(msg_body_check(MSG_STDIO, &body, length) != 0);
	length = request_make(MSG_STDIO, &body);
	body.stdio.path[0] = 'r';
	ATF_CHECK(msg_body_check(MSG_STDIO, &body, length) != 0);
	length = request_make(MSG_STDIO, &body);
	memset(body.stdio.path, '/', sizeof(body.stdio.path));
	ATF_CHECK(msg_body_check(MSG_STDIO, &body, length) != 0);
	length = request_make(MSG_CGROUP, &body);
	body.choice.which = 0;
	ATF_CHECK(msg_body_check(MSG_CGROUP, &body, length) == 0);
	body.choice.which = MSG_CGROUP_MAX;
	ATF_CHECK(msg_body_check(MSG_CGROUP, &body, length) != 0);
	body.choice.which = UINT32_MAX;
	ATF_CHECK(msg_body_check(MSG_CGROUP, &body, length) != 0);
	length = request_make(MSG_PUBLISH, &body);
	for (i = 0; i <= 2 * EVENT_OOM; i++) {
		body.choice.which = (uint32_t)i;
		ATF_CHECK_EQ(msg_body_check(MSG_PUBLISH, &body, length) == 0,
		    i == EVENT_PAUSED || i == EVENT_RESUMED);
	}
}

static const char strings[] = "/\0true\0A=b";

static struct plan
plan_make(void)
{
	struct plan plan;

	memset(&plan, 0, sizeof(plan));
	plan.magic = PLAN_MAGIC;
	plan.kind = PLAN_BUNDLE;
	plan.argc = 1;
	plan.envc = 1;
	plan.strings_length = sizeof(strings);
	return (plan);
}

#define PLAN_REFUSES(change)                                       \
	do {                                                       \
		struct plan p = plan_make();                       \
		change;                                            \
		ATF_CHECK_MSG(plan_check(&p, PLAN_BUNDLE, strings, \
				  sizeof(strings)) != NULL,        \
		    "%s", #change);                                \
	} while (0)

ATF_TC_WITHOUT_HEAD(plans_out_of_range_are_refused);
ATF_TC_BODY(plans_out_of_range_are_refused, tc)
{
	struct plan good = plan_make();

	ATF_REQUIRE(
	    plan_check(&good, PLAN_BUNDLE, strings, sizeof(strings)) == NULL);
	ATF_CHECK(
	    plan_check(&good, PLAN_PROCESS, strings, sizeof(strings)) != NULL);
	PLAN_REFUSES(p.magic++);
	PLAN_REFUSES(p.flags = PLAN_HAS_ERROR);
	PLAN_REFUSES(p.flags = PLAN_FLAGS_ALL + 1);
	PLAN_REFUSES(p.uid = UINT32_MAX);
	PLAN_REFUSES(p.gid = UINT32_MAX);
	PLAN_REFUSES(p.umask = 01000);
	PLAN_REFUSES(p.oom_score_adj = 1001);
	PLAN_REFUSES(p.oom_score_adj = -1001);
	PLAN_REFUSES(p.ngroups = PLAN_GROUPS_MAX + 1);
	PLAN_REFUSES(p.ngroups = 1; p.groups[0] = UINT32_MAX);
	PLAN_REFUSES(p.nrlimits = PLAN_RLIMITS_MAX + 1);
	PLAN_REFUSES(p.nrlimits = 1; p.rlimits[0].resource = 16);
	PLAN_REFUSES(p.nrlimits = 1; p.rlimits[0].soft = 1);
	PLAN_REFUSES(p.capabilities[PLAN_EFFECTIVE] = 1);
	PLAN_REFUSES(p.flags = PLAN_CRI);
	PLAN_REFUSES(strcpy(p.sandbox_id, "x/y"));
	PLAN_REFUSES(strcpy(p.sandbox_namespace, "-x"));
	PLAN_REFUSES(strcpy(p.sandbox_namespace, "a.b"));
	PLAN_REFUSES(strcpy(p.sandbox_namespace, "A"));
	PLAN_REFUSES(memset(p.sandbox_namespace, 'a', PLAN_NAMESPACE_SIZE));
	PLAN_REFUSES(p.argc = 0);
	PLAN_REFUSES(p.argc = 2);
	PLAN_REFUSES(p.envc = 0);
	PLAN_REFUSES(p.envc = PLAN_VECTOR_MAX);
	PLAN_REFUSES(p.argc = UINT32_MAX; p.envc = 3);
	PLAN_REFUSES(p.strings_length++);
	PLAN_REFUSES(p.nmounts = 1);
	PLAN_REFUSES(p.nmounts = PLAN_MOUNTS_MAX + 1);
	PLAN_REFUSES(p.unshare = 0x00020000); /* CLONE_NEWNS */
	PLAN_REFUSES(memset(p.hostname, 'a', PLAN_HOSTNAME_SIZE));
	PLAN_REFUSES(memset(p.netns, 'a', PLAN_NETNS_SIZE));
	PLAN_REFUSES(strcpy(p.netns, "../x"));
}

/* A program and one mount: its strings, its record. */
struct mounted {
	char strings[32];
	struct plan_mount mount;
};

ATF_TC_WITHOUT_HEAD(mounts_of_a_plan_are_checked);
ATF_TC_BODY(mounts_of_a_plan_are_checked, tc)
{
#define ATTRIBUTES 0x8 /* MOUNT_ATTR_NOEXEC */
	static const struct mounted good = {
		"/\0true\0A=b\0/destination\0/source",
		{ PLAN_BIND, 07777, ATTRIBUTES, MS_SLAVE, 1 },
	};
	static const struct {
		int good;
		struct mounted m;
	} cases[] = {
#define STRINGS "/\0true\0A=b\0/destination\0/source"
		{ 1, { STRINGS, { PLAN_DEVICE, 0, 0, MS_PRIVATE, 0 } } },
		{ 1, { STRINGS, { PLAN_DIRECTORY, 0, 0, MS_SHARED, 0 } } },
		{ 0, { STRINGS, { 0, 0, 0, MS_PRIVATE, 0 } } },
		{ 0, { STRINGS, { PLAN_KINDS, 0, 0, MS_PRIVATE, 0 } } },
		{ 0, { STRINGS, { PLAN_BIND, 010000, 0, MS_PRIVATE, 0 } } },
		/* MOUNT_ATTR_NODEV and _IDMAP are not the bundle's business. */
		{ 0, { STRINGS, { PLAN_BIND, 0, 4, MS_PRIVATE, 0 } } },
		{ 0, { STRINGS, { PLAN_BIND, 0, 1 << 20, MS_PRIVATE, 0 } } },
		{ 0, { STRINGS, { PLAN_BIND, 0, 0, 0, 0 } } },
		{ 0, { STRINGS, { PLAN_BIND, 0, 0, MS_BIND, 0 } } },
		{ 0,
		    { "/\0true\0A=b\0destination_\0/source",
			{ PLAN_BIND, 0, 0, MS_PRIVATE, 0 } } },
		{ 0,
		    { "/\0true\0A=b\0/destination\0source_",
			{ PLAN_BIND, 0, 0, MS_PRIVATE, 0 } } },
		{ 1,
		    { "/\0true\0A=b\0/destination\0source_",
			{ PLAN_LINK, 0, 0, MS_PRIVATE, 0 } } },
		{ 0,
		    { "/\0true\0A=b\0/destination\0/s\0urce",
			{ PLAN_BIND, 0, 0, MS_PRIVATE, 0 } } },
	};
	struct plan plan = plan_make();
	const char *bad;
	size_t i;

	plan.nmounts = 1;
	plan.strings_length = sizeof(good.strings);
	ATF_CHECK(
	    plan_check(&plan, PLAN_BUNDLE, good.strings, sizeof(good)) == NULL);
	ATF_CHECK(plan_check(&plan, PLAN_BUNDLE, good.strings,
		      sizeof(good) - 1) != NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bad = plan_check(&plan, PLAN_BUNDLE, cases[i].m.strings,
		    sizeof(cases[i].m));
		ATF_CHECK_MSG((bad == NULL) == cases[i].good, "case %zu", i);
	}
	/* An exec has none of its own. */
	plan.kind = PLAN_PROCESS;
	ATF_CHECK(plan_check(&plan, PLAN_PROCESS, good.strings, sizeof(good)) !=
	    NULL);
}

/* Whether a plan with this path of a cgroup is accepted. */
static int
cgroup_valid(const char *path)
{
	struct plan plan = plan_make();

	strcpy(plan.cgroup, path);
	return (
	    plan_check(&plan, PLAN_BUNDLE, strings, sizeof(strings)) == NULL);
}

ATF_TC_WITHOUT_HEAD(a_cgroup_is_a_path_that_stays_below_its_root);
ATF_TC_BODY(a_cgroup_is_a_path_that_stays_below_its_root, tc)
{
	static const char *const good[] = { "", "a", "default/c1",
		"kubepods.slice/kubepods-pod0_1.slice/cri-containerd-c.scope",
		"a:b:c", "a@b\\x2d", "a../b...", "-" };
	static const char *const bad[] = { "/", "/a", "a/", "a//b", ".", "..",
		".a", "a/..", "../a", "a/../b", "a/.b", "a b", "a\n", "a\xff",
		"a*b", "a+b" };
	char path[PLAN_CGROUP_SIZE] = "";
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ATF_CHECK_MSG(cgroup_valid(good[i]), "%s", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ATF_CHECK_MSG(!cgroup_valid(bad[i]), "%s", bad[i]);
	memset(path, 'a', sizeof(path) - 1);
	ATF_CHECK(cgroup_valid(path));
	PLAN_REFUSES(memset(p.cgroup, 'a', sizeof(p.cgroup)));
	PLAN_REFUSES(p.cgroup[0] = 'a'; p.cgroup[2] = 'a');
	PLAN_REFUSES(p.cgroup[PLAN_CGROUP_SIZE - 1] = 'a');
}

/* Each of both versions. */
ATF_TC_WITHOUT_HEAD(limits_are_of_a_few_characters);
ATF_TC_BODY(limits_are_of_a_few_characters, tc)
{
	static const char *const good[] = { "0", "-1", "max", "max 100000",
		"50000 100000", "0-3,8" };
	static const char *const bad[] = { "1\n", "1\t2", "0b1", "1;2", "a b",
		"../x", "M", "1.5", "+1", "\xff" };
	struct plan plan;
	char *text;
	size_t i, j;

	for (i = 0; i < 2 * MSG_CGROUP_LIMITS; i++) {
		plan = plan_make();
		text = i < MSG_CGROUP_LIMITS ?
		    plan.limits.v1[i] :
		    plan.limits.v2[i - MSG_CGROUP_LIMITS];
		for (j = 0; j < sizeof(good) / sizeof(good[0]); j++) {
			memset(text, 0, PLAN_LIMIT_SIZE);
			strcpy(text, good[j]);
			ATF_CHECK_MSG(plan_check(&plan, PLAN_BUNDLE, strings,
					  sizeof(strings)) == NULL,
			    "%zu: %s", i, good[j]);
		}
		for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
			memset(text, 0, PLAN_LIMIT_SIZE);
			strcpy(text, bad[j]);
			ATF_CHECK_MSG(plan_check(&plan, PLAN_BUNDLE, strings,
					  sizeof(strings)) != NULL,
			    "%zu: %s", i, bad[j]);
		}
		memset(text, '1', PLAN_LIMIT_SIZE);
		ATF_CHECK(plan_check(&plan, PLAN_BUNDLE, strings,
			      sizeof(strings)) != NULL);
		text[PLAN_LIMIT_SIZE - 1] = '\0';
		ATF_CHECK(plan_check(&plan, PLAN_BUNDLE, strings,
			      sizeof(strings)) == NULL);
		text[1] = '\0';
		ATF_CHECK(plan_check(&plan, PLAN_BUNDLE, strings,
			      sizeof(strings)) != NULL);
	}
}

ATF_TC_WITHOUT_HEAD(strings_of_a_plan_are_counted);
ATF_TC_BODY(strings_of_a_plan_are_counted, tc)
{
	static const struct {
		const char *bytes;
		size_t length;
	} bad[] = {
		{ "/\0true\0A=b", 10 },	  /* without the last NUL */
		{ "x\0true\0A=b", 11 },	  /* not absolute */
		{ "/\0\0true\0", 8 },	  /* an empty program */
		{ "/\0true\0A=b\0", 12 }, /* one too many */
		{ "/\0true", 7 },	  /* one too few */
		{ "", 0 },
	};
	struct plan plan = plan_make();
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		plan.strings_length = (uint32_t)bad[i].length;
		ATF_CHECK_MSG(plan_check(&plan, PLAN_BUNDLE, bad[i].bytes,
				  bad[i].length) != NULL,
		    "case %zu", i);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, ids_are_those_of_containerd);
	ATF_TP_ADD_TC(tp, requests_have_one_size_each);
	ATF_TP_ADD_TC(tp, other_operations_are_refused);
	ATF_TP_ADD_TC(tp, values_out_of_range_are_refused);
	ATF_TP_ADD_TC(tp, plans_out_of_range_are_refused);
	ATF_TP_ADD_TC(tp, a_cgroup_is_a_path_that_stays_below_its_root);
	ATF_TP_ADD_TC(tp, limits_are_of_a_few_characters);
	ATF_TP_ADD_TC(tp, strings_of_a_plan_are_counted);
	ATF_TP_ADD_TC(tp, mounts_of_a_plan_are_checked);
	return (atf_no_error());
}
