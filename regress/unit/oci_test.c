#include <atf-c.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "privsep/plan.h"
#include "unpriv/oci.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Real documents, linked in as they are. */
#define SAMPLE(name, file)                                          \
	__asm__(".pushsection .rodata\n" #name "_start: .incbin \"" \
		"regress/unit/bundles/" file "\"\n" #name "_end:\n" \
		".popsection");                                     \
	extern const char name##_start[], name##_end[]
SAMPLE(sample_ctr, "ctr-1.6.json");
SAMPLE(sample_runc, "runc-1.1.json");
SAMPLE(sample_sandbox, "cri-1.6-sandbox.json");
SAMPLE(sample_main, "cri-1.6-main.json");
SAMPLE(sample_other, "cri-1.6-other.json");

/* The members that a process must have. */
#define USER	    "\"user\":{\"uid\":0,\"gid\":0}"
#define CWD	    "\"cwd\":\"/\""
#define ARGS	    "\"args\":[\"a\"]"
#define NEEDED	    USER "," CWD "," ARGS
#define BASE_MOUNTS 15 /* what every container has */
/* A bundle with this much besides. */
#define BUNDLE(more) \
	"{\"ociVersion\":\"1.0.2\",\"process\":{" NEEDED "}," more "}"
#define LINUX(more)	 BUNDLE("\"linux\":{" more "}")
#define NAMESPACES(list) LINUX("\"namespaces\":[" list "]")
#define NOTES(list)	 BUNDLE("\"annotations\":{" list "}")
#define CRI		 "\"io.kubernetes.cri."
#define GROUP		 "\"io.containerd.runc.v2.group\":"

static struct plan plan;
static char strings[PLAN_TAIL_MAX];

static int
decode(uint32_t kind, const char *json, size_t length)
{
	memset(&plan, 0xa5, sizeof(plan));
	return (
	    oci_decode(kind, json, length, &plan, strings, sizeof(strings)));
}

static void
check_good(uint32_t kind, const char *json, size_t length)
{
	const char *bad;
	int n = decode(kind, json, length);

	ATF_REQUIRE_MSG(n >= 0, "%.200s: %s", json, plan.error);
	bad = plan_check(&plan, kind, strings, (size_t)n);
	ATF_REQUIRE_MSG(bad == NULL, "%.200s: %s", json, bad);
}

static void
check_process(const char *more)
{
	char json[4096];

	snprintf(json, sizeof(json), "{" NEEDED "%s%s}",
	    more[0] != '\0' ? "," : "", more);
	check_good(PLAN_PROCESS, json, strlen(json));
}

static void
check_bundle(const char *json)
{
	check_good(PLAN_BUNDLE, json, strlen(json));
}

/* Refused, with an error that begins like this, and with nothing else. */
static void
check_bad(uint32_t kind, const char *json, size_t length, const char *error)
{
	struct plan expected;
	const char *p;

	ATF_CHECK_EQ_MSG(decode(kind, json, length), -EINVAL, "%.200s", json);
	ATF_CHECK_MSG(strncmp(plan.error, error, strlen(error)) == 0,
	    "%.200s: \"%s\", not \"%s\"", json, plan.error, error);
	ATF_CHECK(memchr(plan.error, '\0', sizeof(plan.error)) != NULL);
	for (p = plan.error; *p != '\0'; p++)
		ATF_CHECK(*p >= ' ' && *p <= '~');
	memset(&expected, 0, sizeof(expected));
	expected.magic = PLAN_MAGIC;
	expected.kind = kind;
	expected.flags = PLAN_HAS_ERROR;
	memcpy(expected.error, plan.error, sizeof(expected.error));
	ATF_CHECK(memcmp(&plan, &expected, sizeof(plan)) == 0);
}

struct bad {
	const char *json; /* the document, or members of a process */
	const char *error;
};

static void
check_bad_bundles(const struct bad *bad, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		check_bad(PLAN_BUNDLE, bad[i].json, strlen(bad[i].json),
		    bad[i].error);
}

/* Each in a process of an exec and in one of a bundle. */
static void
check_bad_processes(const struct bad *bad, size_t count)
{
	char json[4096];
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(json, sizeof(json), "{%s}", bad[i].json);
		check_bad(PLAN_PROCESS, json, strlen(json), bad[i].error);
		snprintf(json, sizeof(json),
		    "{\"ociVersion\":\"1.0.0\","
		    "\"process\":{%s}}",
		    bad[i].json);
		check_bad(PLAN_BUNDLE, json, strlen(json), bad[i].error);
	}
}

ATF_TC_WITHOUT_HEAD(oci_decodes_a_bundle_of_ctr);
ATF_TC_BODY(oci_decodes_a_bundle_of_ctr, tc)
{
	static const char expected[] =
	    "/\0/bin/pause\0GREETING=<hello & \"good\" bye>";

	check_good(PLAN_BUNDLE, sample_ctr_start,
	    (size_t)(sample_ctr_end - sample_ctr_start));
	ATF_CHECK_EQ(plan.flags, PLAN_NO_NEW_PRIVS | PLAN_NEW_PIDNS | PLAN_CRI);
	ATF_CHECK_EQ(plan.argc, 1);
	ATF_CHECK_EQ(plan.envc, 1);
	ATF_REQUIRE(plan.strings_length > sizeof(expected));
	ATF_CHECK(memcmp(strings, expected, sizeof(expected)) == 0);
	/* What every container has, /dev/shm, what is covered. */
	ATF_CHECK_EQ(plan.nmounts, BASE_MOUNTS + 1 + 5 + 10);
	ATF_CHECK_EQ(plan.unshare, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
	ATF_CHECK_STREQ(plan.sandbox_id, "pod1");
	ATF_CHECK_STREQ(plan.sandbox_namespace, "default");
	ATF_CHECK_EQ(plan.capabilities[PLAN_EFFECTIVE], 0xa80425fb);
	ATF_CHECK_EQ(plan.capabilities[PLAN_INHERITABLE], 0);
	ATF_CHECK_EQ(plan.nrlimits, 1);
	ATF_CHECK_EQ(plan.rlimits[0].resource, RLIMIT_NOFILE);
	ATF_CHECK_EQ(plan.rlimits[0].hard, 1024);
}

ATF_TC_WITHOUT_HEAD(oci_decodes_a_bundle_of_runc);
ATF_TC_BODY(oci_decodes_a_bundle_of_runc, tc)
{
	check_good(PLAN_BUNDLE, sample_runc_start,
	    (size_t)(sample_runc_end - sample_runc_start));
	ATF_CHECK_EQ(plan.flags,
	    PLAN_TERMINAL | PLAN_NO_NEW_PRIVS | PLAN_NEW_PIDNS |
		PLAN_ROOT_READONLY);
	ATF_CHECK_EQ(plan.envc, 2);
}

ATF_TC_WITHOUT_HEAD(oci_decodes_the_bundles_of_a_pod);
ATF_TC_BODY(oci_decodes_the_bundles_of_a_pod, tc)
{
	char sandbox[MSG_ID_SIZE];

	check_good(PLAN_BUNDLE, sample_sandbox_start,
	    (size_t)(sample_sandbox_end - sample_sandbox_start));
	ATF_CHECK(plan.flags & PLAN_CRI_SANDBOX);
	ATF_CHECK_EQ(plan.uid, 1000);
	strcpy(sandbox, plan.sandbox_id);
	check_good(PLAN_BUNDLE, sample_main_start,
	    (size_t)(sample_main_end - sample_main_start));
	ATF_CHECK_EQ(plan.flags & (PLAN_CRI | PLAN_CRI_SANDBOX), PLAN_CRI);
	ATF_CHECK_EQ(plan.ngroups, 3);
	ATF_CHECK_STREQ(plan.sandbox_id, sandbox);
}

/* The instructions of the plan's filter: 8 bytes each, at the end. */
static int
filter_has(uint32_t k)
{
	const char *p = strings + plan.strings_length +
	    plan.nmounts * sizeof(struct plan_mount);
	uint32_t i, found;

	for (i = 0; i < plan.nfilter; i++) {
		memcpy(&found, p + i * 8 + 4, sizeof(found));
		if (found == k)
			return (1);
	}
	return (0);
}

/* The same profile is asked for by a sandbox, and by a container. */
ATF_TC_WITHOUT_HEAD(oci_makes_the_profile_of_a_container_a_filter);
ATF_TC_BODY(oci_makes_the_profile_of_a_container_a_filter, tc)
{
	ATF_REQUIRE(memmem(sample_sandbox_start,
			(size_t)(sample_sandbox_end - sample_sandbox_start),
			"\"seccomp\"", 9) != NULL);
	check_good(PLAN_BUNDLE, sample_sandbox_start,
	    (size_t)(sample_sandbox_end - sample_sandbox_start));
	ATF_CHECK_EQ(plan.nfilter, 0);
	check_good(PLAN_BUNDLE, sample_other_start,
	    (size_t)(sample_other_end - sample_other_start));
	ATF_CHECK(plan.nfilter > 100);
	ATF_CHECK(filter_has(SECCOMP_RET_ALLOW));
	ATF_CHECK(filter_has(SECCOMP_RET_ERRNO | EPERM));
	check_good(PLAN_BUNDLE, sample_main_start,
	    (size_t)(sample_main_end - sample_main_start));
	ATF_CHECK_EQ(plan.nfilter, 0);
}

#define PROFILE(more) \
	LINUX("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"" more "}")
#define RULES(list)	  PROFILE(",\"syscalls\":[" list "]")
#define RULE(names, more) "{\"names\":[" names "]," more "}"

ATF_TC_WITHOUT_HEAD(oci_reads_every_action_of_a_profile);
ATF_TC_BODY(oci_reads_every_action_of_a_profile, tc)
{
	static const struct {
		const char *action;
		uint32_t k;
	} actions[] = {
		{ "\"SCMP_ACT_ERRNO\"", SECCOMP_RET_ERRNO | EPERM },
		{ "\"SCMP_ACT_ERRNO\",\"errnoRet\":38",
		    SECCOMP_RET_ERRNO | ENOSYS },
		{ "\"SCMP_ACT_ERRNO\",\"errnoRet\":0", SECCOMP_RET_ERRNO },
		{ "\"SCMP_ACT_KILL\"", SECCOMP_RET_KILL_THREAD },
		{ "\"SCMP_ACT_KILL_PROCESS\"", SECCOMP_RET_KILL_PROCESS },
		{ "\"SCMP_ACT_TRAP\",\"errnoRet\":7", SECCOMP_RET_TRAP },
		{ "\"SCMP_ACT_TRACE\",\"errnoRet\":9", SECCOMP_RET_TRACE | 9 },
		{ "\"SCMP_ACT_LOG\"", SECCOMP_RET_LOG },
	};
	char json[1024];
	size_t i;

	for (i = 0; i < COUNT(actions); i++) {
		snprintf(json, sizeof(json),
		    RULES("{\"names\":[\"ptrace\"],\"action\":%s}"),
		    actions[i].action);
		check_bundle(json);
		ATF_CHECK_MSG(filter_has(actions[i].k), "%s",
		    actions[i].action);
	}
	check_bundle(LINUX("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\","
			   "\"defaultErrnoRet\":55}"));
	ATF_CHECK(filter_has(SECCOMP_RET_ERRNO | 55));
	/* Arguments, names that nobody knows, what is the default anyway. */
	check_bundle(RULES(RULE("\"ioctl\",\"no_such_call\"",
	    "\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":1,"
	    "\"value\":4660,\"op\":\"SCMP_CMP_EQ\"}]") "," RULE("\"read\"",
	    "\"action\":\"SCMP_ACT_ALLOW\"")));
	ATF_CHECK(filter_has(4660));
	check_bundle(RULES(RULE("\"clone\"",
	    "\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,"
	    "\"value\":4660,\"op\":\"SCMP_CMP_MASKED_EQ\","
	    "\"valueTwo\":4096},{\"index\":0,\"value\":77,"
	    "\"op\":\"SCMP_CMP_EQ\"}]")));
	ATF_CHECK(filter_has(4660) && filter_has(4096) && filter_has(77));
	check_bundle(LINUX("\"seccomp\":{}"));
	ATF_CHECK_EQ(plan.nfilter, 0);
}

ATF_TC_WITHOUT_HEAD(oci_refuses_a_profile_that_it_cannot_make);
ATF_TC_BODY(oci_refuses_a_profile_that_it_cannot_make, tc)
{
#define ACTION	 "\"action\":\"SCMP_ACT_ERRNO\""
#define ARG(arg) RULES(RULE("\"read\"", ACTION ",\"args\":[{" arg "}]"))
	static const struct bad bad[] = {
		{ LINUX("\"seccomp\":{\"syscalls\":[]}"),
		    "linux.seccomp.defaultAction: is missing" },
		{ LINUX("\"seccomp\":{\"defaultAction\":\"ALLOW\"}"),
		    "linux.seccomp.defaultAction: \"ALLOW\": expected a sup" },
		{ LINUX("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}"),
		    "linux.seccomp.defaultAction: \"SCMP_ACT_NOTIFY\": exp" },
		{ PROFILE(",\"listenerPath\":\"/run/x\""),
		    "linux.seccomp.listenerPath: \"/run/x\": not supported" },
		{ PROFILE(",\"architectures\":[\"SCMP_ARCH_VAX\"]"),
		    "linux.seccomp.architectures[0]: \"SCMP_ARCH_VAX\": exp" },
		{ PROFILE(",\"architectures\":[\"X86\"]"),
		    "linux.seccomp.architectures[0]: \"X86\": expected the" },
		{ RULES(RULE("\"read\"", "\"x\":1")),
		    "linux.seccomp.syscalls[0].action: is missing" },
		{ RULES("{" ACTION "}"),
		    "linux.seccomp.syscalls[0].names: is missing" },
		{ RULES(RULE("7", ACTION)),
		    "linux.seccomp.syscalls[0].names[0]: 7: expected a str" },
		{ RULES(RULE("\"read\"", ACTION ",\"errnoRet\":4096")),
		    "linux.seccomp.syscalls[0].errnoRet: 4096: expected an" },
		{ ARG("\"index\":6,\"value\":0,\"op\":\"SCMP_CMP_EQ\""),
		    "linux.seccomp.syscalls[0].args[0].index: 6: expected" },
		{ ARG("\"index\":0,\"value\":-1,\"op\":\"SCMP_CMP_EQ\""),
		    "linux.seccomp.syscalls[0].args[0].value: -1: expected" },
		{ ARG("\"index\":0,\"value\":0,\"op\":\"EQ\""),
		    "linux.seccomp.syscalls[0].args[0].op: \"EQ\": expected" },
		{ LINUX("\"seccomp\":[]"),
		    "linux.seccomp: an array: expected an object" },
	};

	check_bad_bundles(bad, COUNT(bad));
}

ATF_TC_WITHOUT_HEAD(oci_reads_every_field_of_a_process);
ATF_TC_BODY(oci_reads_every_field_of_a_process, tc)
{
	static const char json[] =
	    "{\"terminal\":true,"
	    "\"consoleSize\":{\"height\":1,\"width\":1},"
	    "\"user\":{\"uid\":1000,\"gid\":4294967294,\"umask\":511,"
	    "\"additionalGids\":[5,0,5]},"
	    "\"env\":[\"A=\",\"B=c=d\",\"\\u00e9=\\ud83d\\ude00\"],"
	    "\"args\":[\"x\",\"\",\"z z\"],\"cwd\":\"/tmp/..\","
	    "\"capabilities\":{\"bounding\":[\"CAP_CHECKPOINT_RESTORE\","
	    "\"CAP_CHOWN\"],\"permitted\":[\"CAP_KILL\",\"CAP_KILL\"],"
	    "\"inheritable\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"],"
	    "\"effective\":[\"CAP_KILL\"]},\"rlimits\":["
	    "{\"type\":\"RLIMIT_RTTIME\",\"soft\":0,"
	    "\"hard\":18446744073709551615},"
	    "{\"type\":\"RLIMIT_CPU\",\"hard\":7,\"soft\":7}],"
	    "\"noNewPrivileges\":true,\"oomScoreAdj\":-1000,"
	    "\"apparmorProfile\":\"\",\"selinuxLabel\":null,\"new\":[{}]}";
	static const char expected[] = "/tmp/..\0x\0\0z z\0A=\0B=c=d\0"
				       "\xc3\xa9=\xf0\x9f\x98\x80";

	check_good(PLAN_PROCESS, json, strlen(json));
	ATF_CHECK_EQ(plan.flags,
	    PLAN_TERMINAL | PLAN_NO_NEW_PRIVS | PLAN_HAS_UMASK | PLAN_HAS_OOM);
	ATF_CHECK_EQ(plan.uid, 1000);
	ATF_CHECK_EQ(plan.gid, 4294967294u);
	ATF_CHECK_EQ(plan.umask, 0777);
	ATF_CHECK_EQ(plan.oom_score_adj, -1000);
	ATF_REQUIRE_EQ(plan.ngroups, 3);
	ATF_CHECK(
	    plan.groups[0] == 5 && plan.groups[1] == 0 && plan.groups[2] == 5);
	ATF_CHECK_EQ(plan.argc, 3);
	ATF_CHECK_EQ(plan.envc, 3);
	ATF_REQUIRE_EQ(plan.strings_length, sizeof(expected));
	ATF_CHECK(memcmp(strings, expected, sizeof(expected)) == 0);
	ATF_CHECK_EQ(plan.capabilities[PLAN_BOUNDING],
	    1ull << CAP_CHECKPOINT_RESTORE | 1);
	ATF_CHECK_EQ(plan.capabilities[PLAN_AMBIENT], 1 << CAP_KILL);
	ATF_REQUIRE_EQ(plan.nrlimits, 2);
	ATF_CHECK_EQ(plan.rlimits[0].resource, RLIMIT_RTTIME);
	ATF_CHECK_EQ(plan.rlimits[0].soft, 0);
	ATF_CHECK_EQ(plan.rlimits[0].hard, UINT64_MAX);
	ATF_CHECK_EQ(plan.rlimits[1].resource, RLIMIT_CPU);
}

ATF_TC_WITHOUT_HEAD(oci_gives_nothing_that_was_not_asked_for);
ATF_TC_BODY(oci_gives_nothing_that_was_not_asked_for, tc)
{
	size_t i;

	check_process("");
	ATF_CHECK_EQ(plan.flags, 0);
	ATF_CHECK_EQ(plan.ngroups, 0);
	ATF_CHECK_EQ(plan.nrlimits, 0);
	ATF_CHECK_EQ(plan.envc, 0);
	for (i = 0; i < PLAN_CAPSETS; i++)
		ATF_CHECK_EQ(plan.capabilities[i], 0);
	check_process("\"capabilities\":{},\"rlimits\":[],\"env\":null,"
		      "\"terminal\":false,\"noNewPrivileges\":false");
	ATF_CHECK_EQ(plan.flags, 0);
	check_bundle(
	    BUNDLE("\"root\":{\"path\":\"rootfs\"},\"hooks\":{},"
		   "\"linux\":{},\"annotations\":{\"a\":\"b\",\"c\":1}"));
	ATF_CHECK_EQ(plan.flags, 0);
}

ATF_TC_WITHOUT_HEAD(oci_refuses_a_missing_or_unfit_identity);
ATF_TC_BODY(oci_refuses_a_missing_or_unfit_identity, tc)
{
#define WITH(user) CWD "," ARGS "," user
#define RANGE	   "expected an integer from 0 to 4294967294"
	static const struct bad bad[] = {
		{ WITH("\"x\":0"), "process.user: is missing" },
		{ WITH("\"user\":null"), "process.user: is missing" },
		{ WITH("\"user\":0"), "process.user: 0: expected an object" },
		{ WITH("\"user\":\"root\""),
		    "process.user: \"root\": expected an object" },
		{ WITH("\"user\":[]"),
		    "process.user: an array: expected an object" },
		{ WITH("\"user\":{}"), "process.user.uid: is missing" },
		{ WITH("\"user\":{\"gid\":0}"),
		    "process.user.uid: is missing" },
		{ WITH("\"user\":{\"uid\":null,\"gid\":0}"),
		    "process.user.uid: is missing" },
		{ WITH("\"user\":{\"uid\":0}"),
		    "process.user.gid: is missing" },
		{ WITH("\"user\":{\"uid\":-1,\"gid\":0}"),
		    "process.user.uid: -1: " RANGE },
		{ WITH("\"user\":{\"uid\":4294967295,\"gid\":0}"),
		    "process.user.uid: 4294967295: " RANGE },
		{ WITH("\"user\":{\"uid\":4294967296,\"gid\":0}"),
		    "process.user.uid: 4294967296: " RANGE },
		{ WITH("\"user\":{\"uid\":1.5,\"gid\":0}"),
		    "process.user.uid: 1.5: " RANGE },
		{ WITH("\"user\":{\"uid\":1e3,\"gid\":0}"),
		    "process.user.uid: 1e3: " RANGE },
		{ WITH("\"user\":{\"uid\":\"0\",\"gid\":0}"),
		    "process.user.uid: \"0\": expected a number" },
		{ WITH("\"user\":{\"uid\":true,\"gid\":0}"),
		    "process.user.uid: true: expected a number" },
		{ WITH("\"user\":{\"uid\":0,\"gid\":18446744073709551616}"),
		    "process.user.gid: 18446744073709551616: " RANGE },
		{ WITH("\"user\":{\"uid\":1,\"gid\":1,\"uid\":0}"),
		    "process.user.uid: given twice" },
		{ WITH("\"user\":{\"uid\":1,\"gid\":1,\"\\u0075id\":0}"),
		    "process.user.uid: given twice" },
		{ WITH(USER "," USER), "process.user: given twice" },
		{ WITH("\"user\":{\"uid\":0,\"gid\":0,\"umask\":512}"),
		    "process.user.umask: 512: expected an integer from 0 to" },
		{ WITH("\"user\":{\"uid\":0,\"gid\":0,\"umask\":\"022\"}"),
		    "process.user.umask: \"022\": expected a number" },
		{ WITH("\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":1}"),
		    "process.user.additionalGids: 1: expected an array" },
		{ WITH("\"user\":{\"uid\":0,\"gid\":0,"
		       "\"additionalGids\":[1,-2]}"),
		    "process.user.additionalGids[1]: -2: " RANGE },
		{ WITH("\"user\":{\"uid\":0,\"gid\":0,"
		       "\"additionalGids\":[null]}"),
		    "process.user.additionalGids[0]: null: expected a" },
	};

	check_bad_processes(bad, COUNT(bad));
#undef WITH
}

ATF_TC_WITHOUT_HEAD(oci_refuses_unfit_args_env_and_cwd);
ATF_TC_BODY(oci_refuses_unfit_args_env_and_cwd, tc)
{
	static const struct bad bad[] = {
		{ USER "," ARGS, "process.cwd: is missing" },
		{ USER "," ARGS ",\"cwd\":\"\"",
		    "process.cwd: \"\": expected an absolute path" },
		{ USER "," ARGS ",\"cwd\":\"tmp\"",
		    "process.cwd: \"tmp\": expected an absolute path" },
		{ USER "," ARGS ",\"cwd\":[\"/\"]",
		    "process.cwd: an array: expected a string" },
		{ USER "," ARGS ",\"cwd\":\"a\\u0007\xe2\x82\xac\"",
		    "process.cwd: \"a\\u0007???\": expected an absolute" },
		{ USER "," CWD, "process.args: is missing" },
		{ USER "," CWD ",\"args\":[]",
		    "process.args: expected at least one element" },
		{ USER "," CWD ",\"args\":\"a\"",
		    "process.args: \"a\": expected an array" },
		{ USER "," CWD ",\"args\":[\"\"]",
		    "process.args[0]: \"\": expected the name of a program" },
		{ USER "," CWD ",\"args\":[\"a\",7]",
		    "process.args[1]: 7: expected a string" },
		{ USER "," CWD ",\"args\":[\"a\",null]",
		    "process.args[1]: null: expected a string" },
		{ NEEDED ",\"env\":{\"A\":\"b\"}",
		    "process.env: an object: expected an array" },
		{ NEEDED ",\"env\":[\"A=b\",\"\"]",
		    "process.env[1]: expected KEY=VALUE" },
		{ NEEDED ",\"env\":[\"=b\"]",
		    "process.env[0]: expected KEY=VALUE" },
		/* What may be a secret is not shown. */
		{ NEEDED ",\"env\":[\"hunter2\"]",
		    "process.env[0]: expected KEY=VALUE" },
	};

	check_bad_processes(bad, COUNT(bad));
}

ATF_TC_WITHOUT_HEAD(oci_refuses_unfit_capabilities);
ATF_TC_BODY(oci_refuses_unfit_capabilities, tc)
{
#define CAPS(sets) NEEDED ",\"capabilities\":" sets
#define NAME	   "expected the name of a capability (CAP_...)"
	static const struct bad bad[] = {
		{ CAPS("[]"),
		    "process.capabilities: an array: expected an object" },
		{ CAPS("{\"bounding\":{}}"),
		    "process.capabilities.bounding: an object: expected an" },
		{ CAPS("{\"bounding\":[21]}"),
		    "process.capabilities.bounding[0]: 21: expected a" },
		{ CAPS("{\"bounding\":[\"CAP_KILL\",\"CAP_NEW\"]}"),
		    "process.capabilities.bounding[1]: \"CAP_NEW\": " NAME },
		{ CAPS("{\"permitted\":[\"KILL\"]}"),
		    "process.capabilities.permitted[0]: \"KILL\": " NAME },
		{ CAPS("{\"permitted\":[\"cap_kill\"]}"),
		    "process.capabilities.permitted[0]: \"cap_kill\": " NAME },
		{ CAPS("{\"ambient\":[\"\"]}"),
		    "process.capabilities.ambient[0]: \"\": " NAME },
		{ CAPS("{\"effective\":[\"CAP_KILL\"]}"),
		    "process.capabilities: an effective capability is not" },
	};

	check_bad_processes(bad, COUNT(bad));
}

ATF_TC_WITHOUT_HEAD(oci_refuses_unfit_limits);
ATF_TC_BODY(oci_refuses_unfit_limits, tc)
{
#define LIMITS(list) NEEDED ",\"rlimits\":" list
#define CPU(soft, hard) \
	"{\"type\":\"RLIMIT_CPU\",\"soft\":" soft ",\"hard\":" hard "}"
	static const struct bad bad[] = {
		{ LIMITS("{}"),
		    "process.rlimits: an object: expected an array" },
		{ LIMITS("[[]]"),
		    "process.rlimits[0]: an array: expected an object" },
		{ LIMITS("[{\"soft\":1,\"hard\":1}]"),
		    "process.rlimits[0].type: is missing" },
		{ LIMITS("[{\"type\":\"RLIMIT_CPU\",\"hard\":1}]"),
		    "process.rlimits[0].soft: is missing" },
		{ LIMITS("[{\"type\":\"RLIMIT_CPU\",\"soft\":1}]"),
		    "process.rlimits[0].hard: is missing" },
		{ LIMITS("[{\"type\":\"CPU\",\"soft\":1,\"hard\":1}]"),
		    "process.rlimits[0].type: \"CPU\": expected the name" },
		{ LIMITS("[" CPU("2", "1") "]"),
		    "process.rlimits[0]: the soft limit is above the hard" },
		{ LIMITS("[" CPU("-1", "1") "]"),
		    "process.rlimits[0].soft: -1: expected an integer" },
		{ LIMITS("[" CPU("1", "18446744073709551616") "]"),
		    "process.rlimits[0].hard: 18446744073709551616: expected" },
		{ LIMITS("[" CPU("1", "\"unlimited\"") "]"),
		    "process.rlimits[0].hard: \"unlimited\": expected a num" },
		{ LIMITS("[" CPU("1", "1") "," CPU("2", "2") "]"),
		    "process.rlimits[1].type: \"RLIMIT_CPU\": given twice" },
	};

	check_bad_processes(bad, COUNT(bad));
}

ATF_TC_WITHOUT_HEAD(oci_refuses_other_unfit_fields_of_a_process);
ATF_TC_BODY(oci_refuses_other_unfit_fields_of_a_process, tc)
{
	static const struct bad bad[] = {
		{ NEEDED ",\"terminal\":1",
		    "process.terminal: 1: expected true or false" },
		{ NEEDED ",\"terminal\":\"true\"",
		    "process.terminal: \"true\": expected true or false" },
		{ NEEDED ",\"consoleSize\":{\"height\":65536,\"width\":1}",
		    "process.consoleSize.height: 65536: expected an integer "
		    "from 0 to 65535" },
		{ NEEDED ",\"consoleSize\":{\"height\":1}",
		    "process.consoleSize.width: is missing" },
		{ NEEDED ",\"noNewPrivileges\":0",
		    "process.noNewPrivileges: 0: expected true or false" },
		{ NEEDED ",\"noNewPrivileges\":false,"
			 "\"noNewPrivileges\":true",
		    "process.noNewPrivileges: given twice" },
		{ NEEDED ",\"oomScoreAdj\":1001",
		    "process.oomScoreAdj: 1001: expected an integer from" },
		{ NEEDED ",\"oomScoreAdj\":-1001",
		    "process.oomScoreAdj: -1001: expected an integer from" },
		{ NEEDED ",\"oomScoreAdj\":0.5",
		    "process.oomScoreAdj: 0.5: expected an integer from" },
	};

	check_bad_processes(bad, COUNT(bad));
}

ATF_TC_WITHOUT_HEAD(oci_refuses_isolation_that_it_cannot_apply);
ATF_TC_BODY(oci_refuses_isolation_that_it_cannot_apply, tc)
{
#define UNSUPPORTED(what)                           \
	what ": not supported, and without it the " \
	     "workload would have less isolation than was asked for"
	static const struct bad processes[] = {
		{ NEEDED ",\"apparmorProfile\":\"strict\"",
		    UNSUPPORTED("process.apparmorProfile: \"strict\"") },
		{ NEEDED ",\"selinuxLabel\":\"a:b:c\"",
		    UNSUPPORTED("process.selinuxLabel: \"a:b:c\"") },
		{ NEEDED ",\"selinuxLabel\":7",
		    "process.selinuxLabel: 7: expected a string" },
	};
	static const struct bad bundles[] = {
		{ LINUX("\"seccomp\":true"),
		    "linux.seccomp: true: expected an object" },
		{ LINUX("\"uidMappings\":[{}]"),
		    UNSUPPORTED("linux.uidMappings: an array") },
		{ LINUX("\"gidMappings\":[{}]"),
		    UNSUPPORTED("linux.gidMappings: an array") },
		{ BUNDLE("\"hooks\":{\"prestart\":[],\"poststop\":[{}]}"),
		    "hooks: hooks are not supported" },
		{ BUNDLE("\"hooks\":{\"invented\":[{\"path\":\"/x\"}]}"),
		    "hooks: hooks are not supported" },
		{ BUNDLE("\"hooks\":{\"prestart\":{}}"),
		    "hooks: an object: expected an array" },
		{ BUNDLE("\"hooks\":[]"),
		    "hooks: an array: expected an object" },
	};

	check_bad_processes(processes, COUNT(processes));
	check_bad_bundles(bundles, COUNT(bundles));
	check_bundle(LINUX("\"seccomp\":{},\"uidMappings\":[]"));
	check_bundle(LINUX("\"seccomp\":null,\"gidMappings\":null"));
	check_bundle(BUNDLE("\"hooks\":{\"prestart\":[],\"poststart\":null}"));
	check_bundle(BUNDLE("\"hooks\":null"));
}

ATF_TC_WITHOUT_HEAD(oci_refuses_namespaces_that_it_cannot_give);
ATF_TC_BODY(oci_refuses_namespaces_that_it_cannot_give, tc)
{
#define TYPE(name)	 "{\"type\":\"" name "\"}"
#define PATH(name, path) "{\"type\":\"" name "\",\"path\":\"" path "\"}"
#define OF_KIND		 "expected a file of this kind in /proc/PID/ns"
	static const struct bad bad[] = {
		{ NAMESPACES("{}"), "linux.namespaces[0].type: is missing" },
		{ NAMESPACES("\"pid\""),
		    "linux.namespaces[0]: \"pid\": expected an object" },
		{ NAMESPACES(TYPE("net")),
		    "linux.namespaces[0].type: \"net\": expected the name" },
		{ NAMESPACES(TYPE("uts") "," TYPE("user")),
		    "linux.namespaces[1].type: \"user\": user namespaces are" },
		{ NAMESPACES(TYPE("ipc") "," TYPE("ipc")),
		    "linux.namespaces[1].type: \"ipc\": given twice" },
		{ NAMESPACES(TYPE("pid") "," TYPE("pid")),
		    "linux.namespaces[1].type: \"pid\": given twice" },
		{ NAMESPACES("{\"path\":\"/p\",\"type\":\"pid\"}"),
		    "linux.namespaces[0].path: \"/p\": " OF_KIND },
		{ NAMESPACES(PATH("ipc", "/proc/7/ns/uts")),
		    "linux.namespaces[0].path: \"/proc/7/ns/uts\": " OF_KIND },
		{ NAMESPACES(PATH("pid", "/proc/7/ns/pid_for_children")),
		    "linux.namespaces[0].path: " },
		{ NAMESPACES(PATH("uts", "/proc/4294967303/ns/uts")),
		    "linux.namespaces[0].path: " },
		{ NAMESPACES(PATH("uts", "/proc/+7/ns/uts")),
		    "linux.namespaces[0].path: " },
		{ NAMESPACES(PATH("uts", "/run/netns/a")),
		    "linux.namespaces[0].path: " },
		{ NAMESPACES(PATH("network", "/run/netns/a/b")),
		    "linux.namespaces[0].path: \"/run/netns/a/b\": expected "
		    "/proc/PID/ns/net or a file in /run/netns" },
		{ NAMESPACES("{\"type\":\"uts\",\"path\":1}"),
		    "linux.namespaces[0].path: 1: expected a string" },
		{ LINUX("\"namespaces\":{}"),
		    "linux.namespaces: an object: expected an array" },
		{ BUNDLE("\"linux\":[]"),
		    "linux: an array: expected an object" },
	};

	check_bad_bundles(bad, COUNT(bad));
	check_bundle(NAMESPACES(
	    TYPE("mount") "," TYPE("network") "," TYPE("ipc") "," TYPE("cgroup") "," TYPE(
		"time") ","
			"{\"type\":\"uts\",\"path\":\"/proc/7/ns/uts\"}"));
	ATF_CHECK_EQ(plan.flags, 0);
	ATF_CHECK_EQ(plan.unshare, CLONE_NEWNET | CLONE_NEWIPC);
	ATF_CHECK_EQ(plan.ns_pids[PLAN_NS_UTS], 7);
	check_bundle(
	    NAMESPACES(PATH("pid", "/proc/8/ns/pid") "," PATH("network",
		"/proc/9/ns/net") "," PATH("ipc", "/proc/7/ns/ipc")));
	ATF_CHECK_EQ(plan.flags, 0);
	ATF_CHECK_EQ(plan.unshare, 0);
	ATF_CHECK_EQ(plan.ns_pids[PLAN_NS_PID], 8);
	ATF_CHECK_EQ(plan.ns_pids[PLAN_NS_NET], 9);
	ATF_CHECK_STREQ(plan.netns, "");
	check_bundle(NAMESPACES(PATH("network", "/var/run/netns/cni-1")));
	ATF_CHECK_EQ(plan.ns_pids[PLAN_NS_NET], 0);
	ATF_CHECK_EQ(plan.unshare, 0);
	ATF_CHECK_STREQ(plan.netns, "cni-1");
	check_bundle(NAMESPACES(
	    TYPE("mount") ","
			  "{\"type\":\"pid\",\"path\":\"\"}," TYPE("uts")));
	ATF_CHECK_EQ(plan.flags, PLAN_NEW_PIDNS);
}

#define MOUNTS(list) BUNDLE("\"mounts\":[" list "]")
#define MOUNT(type, from, to, options)                                    \
	"{\"type\":\"" type "\",\"source\":\"" from "\",\"destination\":" \
	"\"" to "\",\"options\":[" options "]}"
#define BIND(from, to, options) MOUNT("bind", from, to, options)

/* Mount number i of the plan, as it lies behind the strings. */
static void
check_mount(uint32_t i, const char *destination, const char *source,
    struct plan_mount expected)
{
	const char *p = strings, *records = strings + plan.strings_length;
	struct plan_mount m;
	size_t n;

	ATF_REQUIRE_MSG(i < plan.nmounts, "%u of %u", i, plan.nmounts);
	for (n = 1 + plan.argc + plan.envc + 2 * i; n > 0; n--)
		p += strlen(p) + 1;
	ATF_CHECK_STREQ(p, destination);
	ATF_CHECK_STREQ(p + strlen(p) + 1, source);
	memcpy(&m, records + i * sizeof(m), sizeof(m));
	ATF_CHECK_EQ_MSG(m.kind, expected.kind, "%s", destination);
	ATF_CHECK_EQ_MSG(m.mode, expected.mode, "%s", destination);
	ATF_CHECK_EQ_MSG(m.attributes, expected.attributes, "%s", destination);
	ATF_CHECK_EQ_MSG(m.propagation, expected.propagation, "%s",
	    destination);
	ATF_CHECK_EQ_MSG(m.number, expected.number, "%s", destination);
}

ATF_TC_WITHOUT_HEAD(oci_reads_the_mounts_of_a_pod);
ATF_TC_BODY(oci_reads_the_mounts_of_a_pod, tc)
{
#define KUBELET "/var/lib/kubelet/pods/ccb588dd-c478-4f10-ab14-dc53f5688170/"
	check_good(PLAN_BUNDLE, sample_sandbox_start,
	    (size_t)(sample_sandbox_end - sample_sandbox_start));
	ATF_CHECK_EQ(plan.nmounts, 0);
	ATF_CHECK_EQ(plan.unshare, CLONE_NEWIPC | CLONE_NEWUTS);
	ATF_CHECK_STREQ(plan.hostname, "sample-host");
	ATF_CHECK_STREQ(plan.netns, "cni-3e785c04-8521-8247-1658-5178a84929a6");
	check_good(PLAN_BUNDLE, sample_main_start,
	    (size_t)(sample_main_end - sample_main_start));
	/* Masks come last. */
	ATF_CHECK_EQ(plan.nmounts, BASE_MOUNTS + 8 + 5 + 12);
	check_mount(BASE_MOUNTS + 8, "/proc/bus", "",
	    (struct plan_mount){ PLAN_READONLY, 0, 0, MS_PRIVATE, 0 });
	check_mount(plan.nmounts - 1, "/sys/devices/virtual/powercap", "",
	    (struct plan_mount){ PLAN_MASK, 0, 0, MS_PRIVATE, 0 });
	ATF_CHECK_EQ(plan.ns_pids[PLAN_NS_NET], 199);
	ATF_CHECK_EQ(plan.ns_pids[PLAN_NS_IPC], 199);
	ATF_CHECK_EQ(plan.ns_pids[PLAN_NS_UTS], 199);
	check_mount(0, "/dev", "",
	    (struct plan_mount){ PLAN_TMPFS, 0755,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, MS_PRIVATE, 65536 });
	check_mount(2, "/dev/null", "/dev/null",
	    (struct plan_mount){ PLAN_DEVICE, 0, 0, MS_PRIVATE, 0 });
	/* The pod's lies there. */
	check_mount(1, "/dev/shm", "",
	    (struct plan_mount){ PLAN_DIRECTORY, 01777,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, MS_PRIVATE, 64 << 20 });
	check_mount(BASE_MOUNTS, "/scratch",
	    KUBELET "volumes/kubernetes.io~empty-dir/scratch",
	    (struct plan_mount){ PLAN_BIND_TREE, 0, 0, MS_PRIVATE, 0 });
	check_mount(BASE_MOUNTS + 1, "/etc/sample",
	    KUBELET "volumes/kubernetes.io~configmap/config",
	    (struct plan_mount){ PLAN_BIND_TREE, 0, MOUNT_ATTR_RDONLY,
		MS_PRIVATE, 0 });
}

ATF_TC_WITHOUT_HEAD(oci_reads_every_option_of_a_mount);
ATF_TC_BODY(oci_reads_every_option_of_a_mount, tc)
{
	static const struct {
		const char *options;
		struct plan_mount mount;
	} binds[] = {
		{ "", { PLAN_BIND, 0, 0, MS_PRIVATE, 0 } },
		{ "\"bind\"", { PLAN_BIND, 0, 0, MS_PRIVATE, 0 } },
		{ "\"bind\",\"rbind\"",
		    { PLAN_BIND_TREE, 0, 0, MS_PRIVATE, 0 } },
		{ "\"ro\",\"rw\",\"noatime\",\"nodev\"",
		    { PLAN_BIND, 0, 0, MS_PRIVATE, 0 } },
		{ "\"rw\",\"rro\",\"nosuid\",\"noexec\",\"exec\"",
		    { PLAN_BIND, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID,
			MS_PRIVATE, 0 } },
		{ "\"suid\",\"noexec\",\"dev\",\"rslave\"",
		    { PLAN_BIND, 0, MOUNT_ATTR_NOEXEC, MS_SLAVE, 0 } },
		{ "\"rprivate\",\"shared\"",
		    { PLAN_BIND, 0, 0, MS_SHARED, 0 } },
	};
	char json[1024];
	size_t i;

	for (i = 0; i < COUNT(binds); i++) {
		snprintf(json, sizeof(json), MOUNTS(BIND("/a", "/b", "%s")),
		    binds[i].options);
		check_bundle(json);
		check_mount(BASE_MOUNTS, "/b", "/a", binds[i].mount);
	}
	/* A bind mount by its options, of whatever type; without a type. */
	check_bundle(MOUNTS(MOUNT("none", "//a/./b/", "/.//c", "\"rbind\"")));
	check_mount(BASE_MOUNTS, "/c", "/a/b",
	    (struct plan_mount){ PLAN_BIND_TREE, 0, 0, MS_PRIVATE, 0 });
	check_bundle(MOUNTS(MOUNT("tmpfs", "/", "/", "\"bind\"")));
	check_mount(BASE_MOUNTS, "/", "/",
	    (struct plan_mount){ PLAN_BIND, 0, 0, MS_PRIVATE, 0 });
	check_bundle(MOUNTS("{\"destination\":\"/x\",\"source\":\"/y\","
			    "\"options\":[\"rbind\"]}"));
	ATF_CHECK_EQ(plan.nmounts, BASE_MOUNTS + 1);
	/* Filesystems of its own. */
	check_bundle(
	    MOUNTS(MOUNT("tmpfs", "x", "/t", "\"size=2m\"") "," MOUNT("tmpfs",
		"", "/dev/shm", "\"mode=0700\",\"size=1G\",\"ro\"")));
	check_mount(BASE_MOUNTS, "/t", "",
	    (struct plan_mount){ PLAN_TMPFS, 01777, 0, MS_PRIVATE, 2 << 20 });
	check_mount(BASE_MOUNTS + 1, "/dev/shm", "",
	    (struct plan_mount){ PLAN_TMPFS, 0700, MOUNT_ATTR_RDONLY,
		MS_PRIVATE, 1 << 30 });
	/* What is there already leaves nothing, whatever its options are. */
	check_bundle(MOUNTS(
	    MOUNT("proc", "proc", "/proc", "\"hidepid=2\"") "," MOUNT("tmpfs",
		"x", "/dev", "\"x\"") "," MOUNT("tmpfs", "x", "/run/",
		"") "," MOUNT("sysfs", "x", "/sys", "\"x\"") "," MOUNT("mqueue",
		"x", "/dev/mqueue", "") "," MOUNT("cgroup", "x", "/c", "")));
	ATF_CHECK_EQ(plan.nmounts, BASE_MOUNTS);
}

ATF_TC_WITHOUT_HEAD(oci_refuses_mounts_that_it_cannot_make);
ATF_TC_BODY(oci_refuses_mounts_that_it_cannot_make, tc)
{
#define ABSOLUTE "expected an absolute path of at most 4095 bytes"
	static const struct bad bad[] = {
		{ BUNDLE("\"mounts\":{}"),
		    "mounts: an object: expected an array" },
		{ MOUNTS("1"), "mounts[0]: 1: expected an object" },
		{ MOUNTS("{\"type\":\"bind\"}"),
		    "mounts[0].destination: is missing" },
		{ MOUNTS("{\"type\":\"bind\",\"destination\":\"/a\"}"),
		    "mounts[0].source: is missing" },
		{ MOUNTS(BIND("/a", "b", "")),
		    "mounts[0].destination: \"b\": " ABSOLUTE },
		{ MOUNTS(BIND("/a", "", "")), "mounts[0].destination: \"\": " },
		{ MOUNTS(BIND("a", "/b", "")), "mounts[0].source: \"a\": " },
		{ MOUNTS(BIND("/a", "/b/..", "")),
		    "mounts[0].destination: \"/b/..\": expected a path without" },
		{ MOUNTS(BIND("/../a", "/b", "")),
		    "mounts[0].source: \"/../a\": expected a path without" },
		{ MOUNTS(BIND("/a\\u0000", "/b", "")), "not valid JSON" },
		{ MOUNTS(BIND("/a", "/b", "\"idmap\"")),
		    "mounts[0].options[0]: \"idmap\": not supported" },
		{ MOUNTS(BIND("/a", "/b", "\"ro\",7")),
		    "mounts[0].options[1]: 7: expected a string" },
		{ MOUNTS(MOUNT("tmpfs", "", "/b", "\"size=1t\"")),
		    "mounts[0].options[0]: \"size=1t\": expected a size" },
		{ MOUNTS(MOUNT("tmpfs", "", "/b", "\"size=\"")),
		    "mounts[0].options[0]: \"size=\": expected a size" },
		{ MOUNTS(MOUNT("tmpfs", "", "/b",
		      "\"size=18446744073709551617\"")),
		    "mounts[0].options[0]: " },
		{ MOUNTS(MOUNT("tmpfs", "", "/b", "\"mode=17777\"")),
		    "mounts[0].options[0]: \"mode=17777\": expected an octal" },
		{ MOUNTS(MOUNT("tmpfs", "", "/b", "\"mode=8\"")),
		    "mounts[0].options[0]: \"mode=8\": expected an octal" },
		{ MOUNTS(MOUNT("ext4", "/dev/sda", "/b", "")),
		    "mounts[0].type: \"ext4\": expected bind, tmpfs, or" },
		{ LINUX("\"devices\":[{\"path\":\"/dev/x\"}]"),
		    "linux.devices[0].type: is missing" },
		{ LINUX("\"devices\":[{\"path\":\"/dev/x\",\"type\":\"p\","
			"\"major\":1,\"minor\":3}]"),
		    "linux.devices[0].type: \"p\": expected c, u or b" },
		{ LINUX("\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\","
			"\"major\":-1,\"minor\":3}]"),
		    "linux.devices[0].major: -1: expected the number" },
		{ LINUX("\"maskedPaths\":[\"a\"]"),
		    "linux.maskedPaths[0]: \"a\": " ABSOLUTE },
		{ LINUX("\"readonlyPaths\":[\"/a\",7]"),
		    "linux.readonlyPaths[1]: 7: expected a string" },
		{ BUNDLE("\"hostname\":\"a/b\""),
		    "hostname: \"a/b\": expected a host name" },
	};

	check_bad_bundles(bad, COUNT(bad));
	check_bundle(LINUX("\"devices\":[{\"path\":\"/dev/x\",\"type\":"
			   "\"c\",\"minor\":229,\"major\":10}]"));
	check_mount(BASE_MOUNTS, "/dev/x", "/dev/x",
	    (struct plan_mount){ PLAN_DEVICE, 0, 0, MS_PRIVATE, 0xae5 });
}

ATF_TC_WITHOUT_HEAD(oci_bounds_mounts);
ATF_TC_BODY(oci_bounds_mounts, tc)
{
	static char json[65536];
	size_t count, used;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		count = PLAN_MOUNTS_MAX - BASE_MOUNTS + (size_t)pass;
		used = (size_t)snprintf(json, sizeof(json), "%s",
		    "{\"ociVersion\":\"1.0.2\",\"process\":{" NEEDED
		    "},\"mounts\":[");
		for (; count > 0; count--)
			used += (size_t)snprintf(json + used,
			    sizeof(json) - used, "%s%s", BIND("/a", "/b", ""),
			    count > 1 ? "," : "]}");
		if (pass == 0)
			check_bundle(json);
		else
			check_bad(PLAN_BUNDLE, json, used,
			    "mounts[497]: expected at most 512 mounts and");
	}
}

ATF_TC_WITHOUT_HEAD(oci_reads_the_annotations_of_cri);
ATF_TC_BODY(oci_reads_the_annotations_of_cri, tc)
{
	check_bundle(NOTES(
	    CRI "container-type\":\"sandbox\"," CRI
		"sandbox-id\":\"a.b-c_d\"," CRI "sandbox-namespace\":\"n-1\""));
	ATF_CHECK_EQ(plan.flags, PLAN_CRI | PLAN_CRI_SANDBOX);
	ATF_CHECK_STREQ(plan.sandbox_id, "a.b-c_d");
	ATF_CHECK_STREQ(plan.sandbox_namespace, "n-1");
	check_bundle(NOTES(CRI "sandbox-id\":\"x\""));
	ATF_CHECK_EQ(plan.flags, PLAN_CRI);
}

ATF_TC_WITHOUT_HEAD(oci_reads_a_group_where_cri_says_nothing);
ATF_TC_BODY(oci_reads_a_group_where_cri_says_nothing, tc)
{
	static const struct bad groups[] = {
		{ NOTES(GROUP "\"a/b\""),
		    "annotations.io.containerd.runc.v2.group: \"a/b\": "
		    "expected a container's identifier" },
		{ NOTES(GROUP "\"\""),
		    "annotations.io.containerd.runc.v2.group" },
		{ NOTES(GROUP "1"), "annotations.io.containerd.runc.v2.group" },
	};

	check_bundle(NOTES(GROUP "\"g1\""));
	ATF_CHECK_EQ(plan.flags, 0);
	ATF_CHECK_STREQ(plan.sandbox_id, "g1");
	check_bundle(NOTES(GROUP "\"g1\"," CRI "sandbox-id\":\"x\""));
	ATF_CHECK_EQ(plan.flags, PLAN_CRI);
	ATF_CHECK_STREQ(plan.sandbox_id, "x");
	check_bad_bundles(groups, sizeof(groups) / sizeof(groups[0]));
}

ATF_TC_WITHOUT_HEAD(oci_refuses_contradictory_annotations);
ATF_TC_BODY(oci_refuses_contradictory_annotations, tc)
{
#define ID	  CRI "sandbox-id\":\"a\","
#define KEY(name) "annotations.io.kubernetes.cri." name ": "
#define ID64	  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct bad bad[] = {
		{ NOTES(CRI "container-type\":\"container\""),
		    KEY("container-type") "given without sandbox-id and" },
		{ NOTES(CRI "container-type\":\"container\"," CRI
			    "sandbox-id\":\"a\""),
		    KEY("container-type") "given without sandbox-id and" },
		{ NOTES(CRI "container-type\":\"sandbox\"," CRI
			    "sandbox-namespace\":\"a\""),
		    KEY("sandbox-namespace") "given without sandbox-id" },
		{ NOTES(CRI "container-type\":\"pod\""),
		    KEY("container-type") "\"pod\": expected sandbox or" },
		{ NOTES(CRI "sandbox-id\":1"),
		    KEY("sandbox-id") "1: expected a string" },
		{ NOTES(CRI "sandbox-id\":\"\""),
		    KEY("sandbox-id") "\"\": expected a container's id" },
		{ NOTES(CRI "sandbox-id\":\"../x\""),
		    KEY("sandbox-id") "\"../x\": expected a container's id" },
		{ NOTES(CRI "sandbox-id\":\"a/b\""),
		    KEY("sandbox-id") "\"a/b\": expected a container's id" },
		{ NOTES(CRI "sandbox-id\":\"overlay\""),
		    KEY("sandbox-id") "\"overlay\": expected a container's" },
		{ NOTES(CRI "sandbox-id\":\"" ID64 "0123456789abcdef\""),
		    KEY("sandbox-id") "\"0123456789abcdef0123456789abcdef"
				      "01234567...\": expected a container's identifier" },
		{ NOTES(CRI "sandbox-id\":\"a\"," CRI "sandbox-id\":\"b\""),
		    KEY("sandbox-id") "given twice" },
		{ NOTES(ID CRI "sandbox-namespace\":\"\""),
		    KEY("sandbox-namespace") "\"\": expected a DNS label" },
		{ NOTES(ID CRI "sandbox-namespace\":\"A\""),
		    KEY("sandbox-namespace") "\"A\": expected a DNS label" },
		{ NOTES(ID CRI "sandbox-namespace\":\"a.b\""),
		    KEY("sandbox-namespace") "\"a.b\": expected a DNS label" },
		{ NOTES(ID CRI "sandbox-namespace\":\"..\""),
		    KEY("sandbox-namespace") "\"..\": expected a DNS label" },
		{ NOTES(ID CRI "sandbox-namespace\":\"-a\""),
		    KEY("sandbox-namespace") "\"-a\": expected a DNS label" },
		{ NOTES(ID CRI "sandbox-namespace\":\"a-\""),
		    KEY("sandbox-namespace") "\"a-\": expected a DNS label" },
		{ NOTES(ID CRI "sandbox-namespace\":\"a/b\""),
		    KEY("sandbox-namespace") "\"a/b\": expected a DNS label" },
		{ NOTES(ID CRI "sandbox-namespace\":\"" ID64 "\""),
		    KEY("sandbox-namespace") "\"01234567" },
		{ NOTES(CRI "sandbox-namespace\":\"a\""),
		    KEY("sandbox-namespace") "given without sandbox-id" },
		{ BUNDLE("\"annotations\":[]"),
		    "annotations: an array: expected an object" },
	};

	check_bad_bundles(bad, COUNT(bad));
}

ATF_TC_WITHOUT_HEAD(oci_refuses_what_is_no_bundle);
ATF_TC_BODY(oci_refuses_what_is_no_bundle, tc)
{
	static const struct bad bad[] = {
		{ "", "not valid JSON at byte 0: expected an object" },
		{ "[]", "not valid JSON at byte 0: expected an object" },
		{ "{\"ociVersion\":\"1.0.2\"",
		    "not valid JSON at byte 21: ends too early" },
		{ BUNDLE("\"x\":[1,]"), "not valid JSON at byte " },
		{ BUNDLE("\"x\":tru"), "not valid JSON at byte " },
		{ BUNDLE("\"x\":\"\xff\""), "not valid JSON at byte " },
		{ BUNDLE("\"x\":1") "{}", "not valid JSON at byte " },
		{ "{}", "ociVersion: is missing" },
		{ "{\"ociVersion\":\"2.0.0\"}",
		    "ociVersion: \"2.0.0\": expected version 1 of the" },
		{ "{\"ociVersion\":\"1\"}", "ociVersion: \"1\": expected" },
		{ "{\"ociVersion\":\"10.0\"}",
		    "ociVersion: \"10.0\": expected" },
		{ "{\"ociVersion\":1.0}",
		    "ociVersion: 1.0: expected a string" },
		{ "{\"ociVersion\":\"1.1.0\"}", "process: is missing" },
		{ "{\"ociVersion\":\"1.1.0\",\"process\":null}",
		    "process: is missing" },
		{ "{\"ociVersion\":\"1.1.0\",\"process\":[]}",
		    "process: an array: expected an object" },
		{ BUNDLE("\"process\":{}"), "process: given twice" },
		{ BUNDLE("\"root\":\"/\""), "root: \"/\": expected an object" },
		{ BUNDLE("\"root\":{\"readonly\":\"yes\"}"),
		    "root.readonly: \"yes\": expected true or false" },
	};

	check_bad_bundles(bad, COUNT(bad));
	/* A process document is not a bundle, nor the other way round. */
	check_bad(PLAN_BUNDLE, "{" NEEDED "}", strlen("{" NEEDED "}"),
	    "ociVersion: is missing");
	check_bad(PLAN_PROCESS, BUNDLE("\"x\":1"), strlen(BUNDLE("\"x\":1")),
	    "process.cwd: is missing");
}

/* {needed,"name":[element,...]} with count elements; freed by the caller. */
static char *
with_array(const char *name, const char *element, size_t count)
{
	size_t size = 256 + count * (strlen(element) + 1), used, i;
	char *json = malloc(size);

	ATF_REQUIRE(json != NULL);
	used = (size_t)snprintf(json, size, "{" USER "," CWD ",%s\"%s\":[",
	    strcmp(name, "args") == 0 ? "" : ARGS ",", name);
	for (i = 0; i < count; i++)
		used += (size_t)snprintf(json + used, size - used, "%s%s",
		    i > 0 ? "," : "", element);
	snprintf(json + used, size - used, "]}");
	return (json);
}

static void
check_array(const char *name, const char *element, size_t count,
    const char *error)
{
	char *json = with_array(name, element, count);

	if (error == NULL)
		check_good(PLAN_PROCESS, json, strlen(json));
	else
		check_bad(PLAN_PROCESS, json, strlen(json), error);
	free(json);
}

ATF_TC_WITHOUT_HEAD(oci_bounds_args_and_env);
ATF_TC_BODY(oci_bounds_args_and_env, tc)
{
	check_array("args", "\"a\"", PLAN_VECTOR_MAX, NULL);
	check_array("args", "\"a\"", PLAN_VECTOR_MAX + 1,
	    "process.args: expected at most 16384 elements");
	/* with_array gives one argument */
	check_array("env", "\"a=\"", PLAN_VECTOR_MAX - 1, NULL);
	check_array("env", "\"a=\"", PLAN_VECTOR_MAX,
	    "process.env: args and env together have too many elements");
	check_array("env", "\"a=\"", 70000, "not valid JSON at byte ");
}

ATF_TC_WITHOUT_HEAD(oci_bounds_the_length_of_strings);
ATF_TC_BODY(oci_bounds_the_length_of_strings, tc)
{
	static char element[1026];
	char *json;
	int n;

	memset(element, 'a', 1025);
	element[0] = element[1024] = '"'; /* 1023 characters, 1024 bytes */
	/* cwd takes 2 bytes of the area. */
	check_array("args", element, PLAN_STRINGS_MAX / 1024 - 1, NULL);
	check_array("args", element, PLAN_STRINGS_MAX / 1024,
	    "process.args[2047]: args, env and all other strings together are");
	/* An area that is exactly large enough, and one that is not. */
	json = with_array("args", "\"abc\"", 2);
	n = oci_decode(PLAN_PROCESS, json, strlen(json), &plan, strings, 10);
	ATF_CHECK_EQ(n, 10);
	strings[9] = 'x';
	n = oci_decode(PLAN_PROCESS, json, strlen(json), &plan, strings, 9);
	ATF_CHECK_EQ(n, -EINVAL);
	ATF_CHECK_EQ(strings[9], 'x');
	n = oci_decode(PLAN_PROCESS, json, strlen(json), &plan, strings, 0);
	ATF_CHECK_EQ(n, -EINVAL);
	free(json);
}

ATF_TC_WITHOUT_HEAD(oci_bounds_groups_and_limits);
ATF_TC_BODY(oci_bounds_groups_and_limits, tc)
{
	char json[4096] = "{" CWD "," ARGS ",\"user\":{\"uid\":0,\"gid\":0,"
			  "\"additionalGids\":[1";
	int i;

	for (i = 1; i < PLAN_GROUPS_MAX; i++)
		strcat(json, ",2");
	strcat(json, "]}}");
	check_good(PLAN_PROCESS, json, strlen(json));
	ATF_CHECK_EQ(plan.ngroups, PLAN_GROUPS_MAX);
	json[strlen(json) - 3] = '\0';
	strcat(json, ",3]}}");
	check_bad(PLAN_PROCESS, json, strlen(json),
	    "process.user.additionalGids: expected at most 256 elements");
	check_array("rlimits", "{}", PLAN_RLIMITS_MAX + 1,
	    "process.rlimits: expected at most 16 elements");
}

ATF_TC_WITHOUT_HEAD(oci_refuses_documents_that_are_too_large);
ATF_TC_BODY(oci_refuses_documents_that_are_too_large, tc)
{
	size_t length = PLAN_DOCUMENT_MAX;
	char *json = malloc(length + 1);

	ATF_REQUIRE(json != NULL);
	memset(json, ' ', length + 1);
	memcpy(json, "{" NEEDED "}", strlen("{" NEEDED "}"));
	check_good(PLAN_PROCESS, json, length);
	check_bad(PLAN_PROCESS, json, length + 1, "larger than 4194304 bytes");
	free(json);
}

ATF_TC_WITHOUT_HEAD(oci_refuses_deep_nesting_anywhere);
ATF_TC_BODY(oci_refuses_deep_nesting_anywhere, tc)
{
	char json[512] = "{" NEEDED ",\"x\":";
	size_t i, length = strlen(json);

	for (i = 0; i < 64; i++)
		json[length + i] = '[';
	for (i = 0; i < 64; i++)
		json[length + 64 + i] = ']';
	strcpy(json + length + 128, "}");
	check_bad(PLAN_PROCESS, json, strlen(json), "not valid JSON at byte");
	ATF_CHECK(strstr(plan.error, "nested too deeply") != NULL);
}

ATF_TC_WITHOUT_HEAD(oci_takes_time_linear_in_the_document);
ATF_TC_BODY(oci_takes_time_linear_in_the_document, tc)
{
	char *json = with_array("env", "\"abcdefgh=ijklmnop\"", 16000);
	int i;

	/*
	 * Linear, this takes a fraction of a second; of steps that grow with
	 * the square there would be 10^10, beyond the limit of a test.
	 */
	for (i = 0; i < 50; i++)
		check_good(PLAN_PROCESS, json, strlen(json));
	free(json);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, oci_decodes_a_bundle_of_ctr);
	ATF_TP_ADD_TC(tp, oci_decodes_a_bundle_of_runc);
	ATF_TP_ADD_TC(tp, oci_decodes_the_bundles_of_a_pod);
	ATF_TP_ADD_TC(tp, oci_makes_the_profile_of_a_container_a_filter);
	ATF_TP_ADD_TC(tp, oci_reads_every_action_of_a_profile);
	ATF_TP_ADD_TC(tp, oci_refuses_a_profile_that_it_cannot_make);
	ATF_TP_ADD_TC(tp, oci_reads_every_field_of_a_process);
	ATF_TP_ADD_TC(tp, oci_gives_nothing_that_was_not_asked_for);
	ATF_TP_ADD_TC(tp, oci_refuses_a_missing_or_unfit_identity);
	ATF_TP_ADD_TC(tp, oci_refuses_unfit_args_env_and_cwd);
	ATF_TP_ADD_TC(tp, oci_refuses_unfit_capabilities);
	ATF_TP_ADD_TC(tp, oci_refuses_unfit_limits);
	ATF_TP_ADD_TC(tp, oci_refuses_other_unfit_fields_of_a_process);
	ATF_TP_ADD_TC(tp, oci_refuses_isolation_that_it_cannot_apply);
	ATF_TP_ADD_TC(tp, oci_refuses_namespaces_that_it_cannot_give);
	ATF_TP_ADD_TC(tp, oci_reads_the_mounts_of_a_pod);
	ATF_TP_ADD_TC(tp, oci_reads_every_option_of_a_mount);
	ATF_TP_ADD_TC(tp, oci_refuses_mounts_that_it_cannot_make);
	ATF_TP_ADD_TC(tp, oci_bounds_mounts);
	ATF_TP_ADD_TC(tp, oci_reads_the_annotations_of_cri);
	ATF_TP_ADD_TC(tp, oci_reads_a_group_where_cri_says_nothing);
	ATF_TP_ADD_TC(tp, oci_refuses_contradictory_annotations);
	ATF_TP_ADD_TC(tp, oci_refuses_what_is_no_bundle);
	ATF_TP_ADD_TC(tp, oci_bounds_args_and_env);
	ATF_TP_ADD_TC(tp, oci_bounds_the_length_of_strings);
	ATF_TP_ADD_TC(tp, oci_bounds_groups_and_limits);
	ATF_TP_ADD_TC(tp, oci_refuses_documents_that_are_too_large);
	ATF_TP_ADD_TC(tp, oci_refuses_deep_nesting_anywhere);
	ATF_TP_ADD_TC(tp, oci_takes_time_linear_in_the_document);
	return (atf_no_error());
}
