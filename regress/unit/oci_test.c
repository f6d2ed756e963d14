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

#include "regress/unit/bundle.h"
#include "unpriv/oci_resources.h"

SAMPLE(sample_ctr, "ctr-1.6.json");
SAMPLE(sample_runc, "runc-1.1.json");
SAMPLE(sample_sandbox, "cri-1.6-sandbox.json");
SAMPLE(sample_new, "cri-2.4-sandbox.json");
SAMPLE(sample_main, "cri-1.6-main.json");
SAMPLE(sample_other, "cri-1.6-other.json");

/* Limits, and what they are written as in each version; NULL: not at all. */
struct limit {
	enum msg_cgroup file;
	const char *v1, *v2;
};

/* These and no others. */
static void
check_limits(const struct plan_limits *limits, const struct limit *expected,
    size_t count)
{
	struct plan_limits all = { 0 };
	int i;

	for (; count > 0; expected++, count--) {
		if (expected->v1 != NULL)
			strcpy(all.v1[expected->file], expected->v1);
		if (expected->v2 != NULL)
			strcpy(all.v2[expected->file], expected->v2);
	}
	for (i = 0; i < MSG_CGROUP_LIMITS; i++) {
		ATF_CHECK_MSG(strcmp(limits->v1[i], all.v1[i]) == 0,
		    "version 1, file %d: \"%s\"", i, limits->v1[i]);
		ATF_CHECK_MSG(strcmp(limits->v2[i], all.v2[i]) == 0,
		    "version 2, file %d: \"%s\"", i, limits->v2[i]);
	}
	ATF_CHECK(memcmp(limits, &all, sizeof(all)) == 0);
}

#define CHECK_LIMITS(limits, ...)                                   \
	check_limits(limits, (const struct limit[]){ __VA_ARGS__ }, \
	    COUNT(((const struct limit[]){ __VA_ARGS__ })))
#define CHECK_NO_LIMITS(limits) check_limits(limits, NULL, 0)

ATF_TC_WITHOUT_HEAD(oci_decodes_a_bundle_of_ctr);
ATF_TC_BODY(oci_decodes_a_bundle_of_ctr, tc)
{
	static const char expected[] =
	    "/\0/bin/pause\0GREETING=<hello & \"good\" bye>\0HOME=/";

	check_good(PLAN_BUNDLE, sample_ctr_start,
	    (size_t)(sample_ctr_end - sample_ctr_start));
	ATF_CHECK_EQ(plan.flags, PLAN_NO_NEW_PRIVS | PLAN_NEW_PIDNS | PLAN_CRI);
	ATF_CHECK_EQ(plan.argc, 1);
	ATF_CHECK_EQ(plan.envc, 2);
	ATF_REQUIRE(plan.strings_length > sizeof(expected));
	ATF_CHECK(memcmp(strings, expected, sizeof(expected)) == 0);
	/* Besides what every container has, /dev/shm; the network is its own. */
	ATF_CHECK_EQ(plan.nmounts, BASE_MOUNTS + 1 + 2);
	ATF_CHECK_EQ(plan.unshare, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
	ATF_CHECK_STREQ(plan.sandbox_id, "pod1");
	ATF_CHECK_STREQ(plan.sandbox_namespace, "default");
	ATF_CHECK_EQ(plan.capabilities[PLAN_EFFECTIVE], 0xa80425fb);
	ATF_CHECK_EQ(plan.capabilities[PLAN_INHERITABLE], 0);
	ATF_CHECK_EQ(plan.nrlimits, 1);
	ATF_CHECK_EQ(plan.rlimits[0].resource, RLIMIT_NOFILE);
	ATF_CHECK_EQ(plan.rlimits[0].hard, 1024);
	ATF_CHECK_STREQ(plan.cgroup, "default/g1");
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_CPU_SHARES, "1024", "39" });
}

ATF_TC_WITHOUT_HEAD(oci_decodes_a_bundle_of_runc);
ATF_TC_BODY(oci_decodes_a_bundle_of_runc, tc)
{
	check_good(PLAN_BUNDLE, sample_runc_start,
	    (size_t)(sample_runc_end - sample_runc_start));
	ATF_CHECK_EQ(plan.flags,
	    PLAN_TERMINAL | PLAN_NO_NEW_PRIVS | PLAN_NEW_PIDNS |
		PLAN_ROOT_READONLY);
	ATF_CHECK_EQ(plan.envc, 3);
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
				       "\xc3\xa9=\xf0\x9f\x98\x80\0HOME=/";

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
	ATF_CHECK_EQ(plan.envc, 4);
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
	ATF_CHECK_EQ(plan.envc, 1); /* HOME */
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
		{ NEEDED ",\"apparmorProfile\":\"a b\"",
		    "process.apparmorProfile: \"a b\": expected a profile's "
		    "name of at most 127 characters" },
		{ NEEDED ",\"apparmorProfile\":\"\\u0001\"",
		    "process.apparmorProfile: \"\\u0001\": expected a "
		    "profile's name of at most 127 characters" },
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

#define CPUS(more)    LINUX("\"resources\":{\"cpu\":{" more "}}")
#define MEMORY(more)  LINUX("\"resources\":{\"memory\":{" more "}}")
#define PIDS(more)    LINUX("\"resources\":{\"pids\":{" more "}}")
#define UNIFIED(more) LINUX("\"resources\":{\"unified\":{" more "}}")
#define CGROUP(path)  LINUX("\"cgroupsPath\":\"" path "\"")

ATF_TC_WITHOUT_HEAD(oci_reads_the_limits_of_a_cgroup);
ATF_TC_BODY(oci_reads_the_limits_of_a_cgroup, tc)
{
	check_bundle(LINUX(
	    "\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}],"
	    "\"memory\":{\"limit\":1048576,\"reservation\":524288,"
	    "\"swap\":3145728,\"swappiness\":3},"
	    "\"cpu\":{\"shares\":512,\"quota\":50000,\"period\":100000,"
	    "\"burst\":7,\"cpus\":\"0-3,8\",\"mems\":\"0\",\"idle\":1},"
	    "\"pids\":{\"limit\":100},\"blockIO\":{\"weight\":10},"
	    "\"unified\":{\"memory.high\":\"1\"}}"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_CPUS, "0-3,8", "0-3,8" },
	    { MSG_CGROUP_MEMS, "0", "0" },
	    { MSG_CGROUP_CPU_SHARES, "512", "20" },
	    { MSG_CGROUP_CPU_PERIOD, "100000", NULL },
	    { MSG_CGROUP_CPU_QUOTA, "50000", "50000 100000" },
	    { MSG_CGROUP_CPU_BURST, "7", "7" },
	    { MSG_CGROUP_MEMORY_LIMIT, "1048576", "1048576" },
	    { MSG_CGROUP_SWAP_LIMIT, "3145728", "2097152" },
	    { MSG_CGROUP_MEMORY_RESERVATION, "524288", "524288" },
	    { MSG_CGROUP_MEMORY_HIGH, NULL, "1" },
	    { MSG_CGROUP_PIDS_LIMIT, "100", "100" });
}

ATF_TC_WITHOUT_HEAD(oci_tells_no_limit_from_a_limit_that_is_not_given);
ATF_TC_BODY(oci_tells_no_limit_from_a_limit_that_is_not_given, tc)
{
	check_bundle(
	    CPUS("\"shares\":0,\"quota\":0,\"period\":0,\"cpus\":\"\""));
	CHECK_NO_LIMITS(&plan.limits);
	check_bundle(CPUS("\"burst\":0,\"quota\":null"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_CPU_BURST, "0", "0" });
	check_bundle(CPUS("\"quota\":-1"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_CPU_QUOTA, "-1", "max" });
	check_bundle(CPUS("\"quota\":-1,\"period\":1000"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_CPU_PERIOD, "1000", NULL },
	    { MSG_CGROUP_CPU_QUOTA, "-1", "max 1000" });
	/* Of a new cgroup of version 2 it says nothing. */
	check_bundle(CPUS("\"period\":1000000"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_CPU_PERIOD, "1000000", NULL });
	check_bundle(MEMORY("\"limit\":-1,\"swap\":-1,\"reservation\":-1"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_MEMORY_LIMIT, "-1", "max" },
	    { MSG_CGROUP_SWAP_LIMIT, "-1", "max" },
	    { MSG_CGROUP_MEMORY_RESERVATION, "-1", "max" });
	check_bundle(MEMORY("\"limit\":0,\"swap\":0"));
	CHECK_NO_LIMITS(&plan.limits);
	check_bundle(MEMORY("\"limit\":9223372036854775807"));
	CHECK_LIMITS(&plan.limits,
	    { MSG_CGROUP_MEMORY_LIMIT, "9223372036854775807",
		"9223372036854775807" });
	check_bundle(PIDS("\"limit\":-1"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_PIDS_LIMIT, "max", "max" });
	check_bundle(PIDS("\"limit\":0"));
	CHECK_NO_LIMITS(&plan.limits);
	check_bundle(BUNDLE("\"linux\":{\"resources\":null}"));
	CHECK_NO_LIMITS(&plan.limits);
}

/* The bounds of the one become those of the other. */
ATF_TC_WITHOUT_HEAD(oci_makes_a_weight_of_shares);
ATF_TC_BODY(oci_makes_a_weight_of_shares, tc)
{
	static const struct {
		const char *json;
		const char *shares, *weight;
	} cases[] = {
		{ CPUS("\"shares\":2"), "2", "1" },
		{ CPUS("\"shares\":28"), "28", "1" },
		{ CPUS("\"shares\":29"), "29", "2" },
		{ CPUS("\"shares\":1024"), "1024", "39" },
		{ CPUS("\"shares\":262143"), "262143", "9999" },
		{ CPUS("\"shares\":262144"), "262144", "10000" },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		check_bundle(cases[i].json);
		CHECK_LIMITS(&plan.limits,
		    { MSG_CGROUP_CPU_SHARES, cases[i].shares,
			cases[i].weight });
	}
}

/* Version 1 limits both together, version 2 swap alone. */
ATF_TC_WITHOUT_HEAD(oci_takes_memory_from_memory_and_swap);
ATF_TC_BODY(oci_takes_memory_from_memory_and_swap, tc)
{
	check_bundle(MEMORY("\"limit\":5,\"swap\":5"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_MEMORY_LIMIT, "5", "5" },
	    { MSG_CGROUP_SWAP_LIMIT, "5", "0" });
	check_bundle(MEMORY("\"limit\":1,\"swap\":9223372036854775807"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_MEMORY_LIMIT, "1", "1" },
	    { MSG_CGROUP_SWAP_LIMIT, "9223372036854775807",
		"9223372036854775806" });
	check_bundle(MEMORY("\"limit\":5,\"swap\":-1"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_MEMORY_LIMIT, "5", "5" },
	    { MSG_CGROUP_SWAP_LIMIT, "-1", "max" });
	check_bundle(MEMORY("\"swap\":-1"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_SWAP_LIMIT, "-1", "max" });
}

ATF_TC_WITHOUT_HEAD(oci_takes_files_of_version_2_by_their_names);
ATF_TC_BODY(oci_takes_files_of_version_2_by_their_names, tc)
{
	check_bundle(
	    UNIFIED("\"memory.high\":\"1\",\"memory.low\":\"2\","
		    "\"memory.max\":\"max\",\"memory.min\":\"3\","
		    "\"memory.oom.group\":\"1\",\"memory.swap.max\":\"4\","
		    "\"pids.max\":\"5\""));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_MEMORY_LIMIT, NULL, "max" },
	    { MSG_CGROUP_SWAP_LIMIT, NULL, "4" },
	    { MSG_CGROUP_MEMORY_RESERVATION, NULL, "2" },
	    { MSG_CGROUP_MEMORY_HIGH, NULL, "1" },
	    { MSG_CGROUP_MEMORY_MIN, NULL, "3" },
	    { MSG_CGROUP_OOM_GROUP, NULL, "1" },
	    { MSG_CGROUP_PIDS_LIMIT, NULL, "5" });
	/* They count more than what is meant for both, in any order. */
	check_bundle(LINUX("\"resources\":{\"unified\":{"
			   "\"memory.max\":\"8\"},"
			   "\"memory\":{\"limit\":4096}}"));
	CHECK_LIMITS(&plan.limits, { MSG_CGROUP_MEMORY_LIMIT, "4096", "8" });
	check_bundle(UNIFIED("\"memory.high\":null"));
	CHECK_NO_LIMITS(&plan.limits);
}

#define TEN(s)	    s s s s s s s s s s
#define TEN_NUMBERS "0,1,2,3,4,5,6,7,8,9,"
#define LIST_124                                                    \
	TEN_NUMBERS TEN_NUMBERS TEN_NUMBERS TEN_NUMBERS TEN_NUMBERS \
	    TEN_NUMBERS "10,1"

ATF_TC_WITHOUT_HEAD(oci_refuses_limits_that_cannot_be);
ATF_TC_BODY(oci_refuses_limits_that_cannot_be, tc)
{
	static const struct bad bad[] = {
		{ LINUX("\"resources\":[]"),
		    "linux.resources: an array: expected an object" },
		{ CPUS("\"shares\":1"),
		    "linux.resources.cpu.shares: 1: expected an integer "
		    "from 2 to 262144" },
		{ CPUS("\"shares\":262145"), "linux.resources.cpu.shares: " },
		{ CPUS("\"shares\":-1"), "linux.resources.cpu.shares: -1: " },
		{ CPUS("\"shares\":\"2\""),
		    "linux.resources.cpu.shares: \"2\": expected a number" },
		{ CPUS("\"shares\":2.5"), "linux.resources.cpu.shares: 2.5: " },
		{ CPUS("\"quota\":999"),
		    "linux.resources.cpu.quota: 999: expected -1 or an "
		    "integer of at least 1000" },
		{ CPUS("\"quota\":-2"), "linux.resources.cpu.quota: -2: " },
		{ CPUS("\"quota\":9223372036854775808"),
		    "linux.resources.cpu.quota: 9223372036854775808: " },
		{ CPUS("\"quota\":1e5"), "linux.resources.cpu.quota: 1e5: " },
		{ CPUS("\"period\":999"), "linux.resources.cpu.period: 999: " },
		{ CPUS("\"period\":1000001"), "linux.resources.cpu.period: " },
		{ CPUS("\"period\":-1"), "linux.resources.cpu.period: -1: " },
		{ CPUS("\"burst\":-1"), "linux.resources.cpu.burst: -1: " },
		{ CPUS("\"quota\":1000,\"quota\":1000"),
		    "linux.resources.cpu.quota: given twice" },
		{ CPUS("\"cpus\":0"),
		    "linux.resources.cpu.cpus: 0: expected a string" },
		{ CPUS("\"cpus\":\"0-\""), "linux.resources.cpu.cpus: " },
		{ CPUS("\"cpus\":\"-1\""), "linux.resources.cpu.cpus: " },
		{ CPUS("\"cpus\":\"0,\""), "linux.resources.cpu.cpus: " },
		{ CPUS("\"cpus\":\"0 1\""), "linux.resources.cpu.cpus: " },
		{ CPUS("\"cpus\":\"0\\n\""), "linux.resources.cpu.cpus: " },
		{ CPUS("\"cpus\":\"0-1-2\""), "linux.resources.cpu.cpus: " },
		{ CPUS("\"mems\":\"a\""),
		    "linux.resources.cpu.mems: \"a\": expected at most 127 "
		    "characters of numbers and ranges" },
		{ CPUS("\"mems\":\"00-" LIST_124 "\""), NULL },
		{ CPUS("\"mems\":\"000-" LIST_124 "\""),
		    "linux.resources.cpu.mems: " },
		{ MEMORY("\"limit\":-2"),
		    "linux.resources.memory.limit: -2: " },
		{ MEMORY("\"limit\":true"),
		    "linux.resources.memory.limit: true: expected a number" },
		{ MEMORY("\"swap\":10,\"limit\":11"),
		    "linux.resources.memory: swap, of memory and swap "
		    "together, is below limit" },
		{ MEMORY("\"swap\":10,\"limit\":-1"),
		    "linux.resources.memory: swap" },
		{ MEMORY("\"swap\":10"),
		    "linux.resources.memory: swap, of memory and swap "
		    "together, is given without limit" },
		{ MEMORY("\"reservation\":1e1"),
		    "linux.resources.memory.reservation: 1e1: " },
		{ PIDS("\"limit\":-2"), "linux.resources.pids.limit: -2: " },
		{ PIDS("\"limit\":4194305"),
		    "linux.resources.pids.limit: 4194305: expected -1 or an "
		    "integer from 1 to 4194304" },
		{ UNIFIED("\"memory.high\":1"),
		    "linux.resources.unified.memory.high: 1: expected a "
		    "string" },
		{ UNIFIED("\"memory.high\":\"\""),
		    "linux.resources.unified.memory.high: \"\": expected "
		    "digits or max" },
		{ UNIFIED("\"memory.high\":\"1 2\""),
		    "linux.resources.unified.memory.high: \"1 2\": " },
		{ UNIFIED("\"memory.high\":\"-1\""),
		    "linux.resources.unified.memory.high: \"-1\": " },
		{ UNIFIED("\"memory.high\":\"1\\n\""),
		    "linux.resources.unified.memory.high: " },
		{ UNIFIED("\"memory.high\":\"1\",\"memory.high\":\"1\""),
		    "linux.resources.unified.memory.high: given twice" },
		{ UNIFIED("\"memory.high\":\"" TEN("0123456789abc") "\""),
		    "linux.resources.unified.memory.high: " },
		{ UNIFIED("\"memory.high\":\"1\",\"cpu.idle\":\"1\""),
		    "linux.resources.unified: \"cpu.idle\": expected "
		    "memory.high, .low, .max, .min, .oom.group, .swap.max or "
		    "pids.max" },
		{ UNIFIED("\"memory.max \":null"),
		    "linux.resources.unified: \"memory.max \": expected" },
		{ LINUX("\"resources\":{\"unified\":[]}"),
		    "linux.resources.unified: an array: expected an object" },
	};
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		if (bad[i].error == NULL)
			check_bundle(bad[i].json);
		else
			check_bad_bundles(&bad[i], 1);
	}
}

struct place {
	const char *json;
	const char *cgroup;
};

static void
check_places(const struct place *places, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		check_bundle(places[i].json);
		ATF_CHECK_STREQ(plan.cgroup, places[i].cgroup);
		ATF_CHECK(msg_string_valid(plan.cgroup, PLAN_CGROUP_SIZE));
	}
}

#define ID_64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD    "6f1c4b0e-2b1d-4d0c-8a3b-0c6f5a1e2d3c"
#define POD_UN "6f1c4b0e_2b1d_4d0c_8a3b_0c6f5a1e2d3c"

ATF_TC_WITHOUT_HEAD(oci_reads_the_path_of_a_cgroup);
ATF_TC_BODY(oci_reads_the_path_of_a_cgroup, tc)
{
	static const struct place places[] = {
		{ BUNDLE("\"linux\":{}"), "" },
		{ CGROUP(""), "" },
		{ CGROUP("/default/g1"), "default/g1" },
		{ CGROUP("default/g1"), "default/g1" },
		{ CGROUP("/kubepods/besteffort/pod" POD "/" ID_64),
		    "kubepods/besteffort/pod" POD "/" ID_64 },
		{ CGROUP("/a.b_c:d@e\\\\x2d/b..."), "a.b_c:d@e\\x2d/b..." },
		{ CGROUP("a:b"), "a:b" },
		{ CGROUP("/a:b:c"), "a:b:c" },
	};

	check_places(places, COUNT(places));
	check_process("");
	ATF_CHECK_STREQ(plan.cgroup, "");
}

ATF_TC_WITHOUT_HEAD(oci_finds_where_systemd_has_a_slice);
ATF_TC_BODY(oci_finds_where_systemd_has_a_slice, tc)
{
	static const struct place places[] = {
		{ CGROUP("system.slice:cri-containerd:c1"),
		    "system.slice/cri-containerd-c1.scope" },
		{ CGROUP("a-b.slice:p:c"), "a.slice/a-b.slice/p-c.scope" },
		{ CGROUP("a-b-c.slice:p:c"),
		    "a.slice/a-b.slice/a-b-c.slice/p-c.scope" },
		{ CGROUP("-.slice:p:c"), "p-c.scope" },
		{ CGROUP("kubepods-besteffort-pod" POD_UN
			 ".slice:cri-containerd:" ID_64),
		    "kubepods.slice/kubepods-besteffort.slice/"
		    "kubepods-besteffort-pod" POD_UN ".slice/"
		    "cri-containerd-" ID_64 ".scope" },
		{ CGROUP("a\\\\x2db.slice:p:c"), "a\\x2db.slice/p-c.scope" },
	};

	check_places(places, COUNT(places));
}

ATF_TC_WITHOUT_HEAD(oci_refuses_cgroups_that_lie_elsewhere);
ATF_TC_BODY(oci_refuses_cgroups_that_lie_elsewhere, tc)
{
	static const struct bad bad[] = {
		{ LINUX("\"cgroupsPath\":1"),
		    "linux.cgroupsPath: 1: expected a string" },
		{ CGROUP("/"),
		    "linux.cgroupsPath: \"/\": expected the path of a cgroup" },
		{ CGROUP("//a"), "linux.cgroupsPath: \"//a\": " },
		{ CGROUP("a/"), "linux.cgroupsPath: \"a/\": " },
		{ CGROUP("a//b"), "linux.cgroupsPath: " },
		{ CGROUP("."), "linux.cgroupsPath: " },
		{ CGROUP("/.."), "linux.cgroupsPath: " },
		{ CGROUP("/a/../b"), "linux.cgroupsPath: " },
		{ CGROUP("/a/./b"), "linux.cgroupsPath: " },
		{ CGROUP("/a b"), "linux.cgroupsPath: " },
		{ CGROUP("/a/.b"), "linux.cgroupsPath: " },
		{ CGROUP("..."), "linux.cgroupsPath: " },
		{ CGROUP("/a\\nb"), "linux.cgroupsPath: " },
		{ CGROUP("/\u00e4"), "linux.cgroupsPath: " },
		{ CGROUP("/" TEN(TEN("abc"))), "linux.cgroupsPath: " },
		{ CGROUP("a.slice:p:"),
		    "linux.cgroupsPath: \"a.slice:p:\": expected "
		    "SLICE:PREFIX:NAME" },
		{ CGROUP("a.slice::c"), "linux.cgroupsPath: " },
		{ CGROUP(":p:c"), "linux.cgroupsPath: " },
		{ CGROUP("::"), "linux.cgroupsPath: " },
		{ CGROUP("-:p:c"), "linux.cgroupsPath: " },
		{ CGROUP(".slice:p:c"), "linux.cgroupsPath: " },
		{ CGROUP("a:p:c"), "linux.cgroupsPath: " },
		{ CGROUP("a.scope:p:c"), "linux.cgroupsPath: " },
		{ CGROUP("a-.slice:p:c"), "linux.cgroupsPath: " },
		{ CGROUP("-a.slice:p:c"), "linux.cgroupsPath: " },
		{ CGROUP("a--b.slice:p:c"), "linux.cgroupsPath: " },
		{ CGROUP("a.slice:p:c:d"), "linux.cgroupsPath: " },
		{ CGROUP("a.slice:p:c d"), "linux.cgroupsPath: " },
		{ CGROUP("a b.slice:p:c"), "linux.cgroupsPath: " },
		{ CGROUP(TEN(TEN("a-")) "a.slice:p:c"), "linux.cgroupsPath: " },
		{ CGROUP("a.slice:p:" TEN(TEN("ab")) TEN("abcd")),
		    "linux.cgroupsPath: " },
	};

	check_bad_bundles(bad, COUNT(bad));
}

/* What kubelet gives to UpdateContainerResources, as containerd has it. */
static const char cri_update[] =
    "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}],"
    "\"memory\":{\"limit\":536870912,\"swap\":536870912},"
    "\"cpu\":{\"shares\":512,\"quota\":150000,\"period\":100000,"
    "\"cpus\":\"0-1\"},"
    "\"pids\":{\"limit\":-1},"
    "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0},"
    "{\"pageSize\":\"1GB\",\"limit\":0}],"
    "\"unified\":{\"memory.oom.group\":\"1\",\"memory.min\":\"0\"}}";

ATF_TC_WITHOUT_HEAD(oci_reads_the_resources_of_an_update_alone);
ATF_TC_BODY(oci_reads_the_resources_of_an_update_alone, tc)
{
	struct plan_limits limits;
	char error[MSG_TEXT_SIZE];
	const char *json;

	ATF_REQUIRE_EQ(oci_resources_decode(cri_update, strlen(cri_update),
			   &limits, error),
	    0);
	CHECK_LIMITS(&limits, { MSG_CGROUP_CPUS, "0-1", "0-1" },
	    { MSG_CGROUP_CPU_SHARES, "512", "20" },
	    { MSG_CGROUP_CPU_PERIOD, "100000", NULL },
	    { MSG_CGROUP_CPU_QUOTA, "150000", "150000 100000" },
	    { MSG_CGROUP_MEMORY_LIMIT, "536870912", "536870912" },
	    { MSG_CGROUP_SWAP_LIMIT, "536870912", "0" },
	    { MSG_CGROUP_MEMORY_MIN, NULL, "0" },
	    { MSG_CGROUP_OOM_GROUP, NULL, "1" },
	    { MSG_CGROUP_PIDS_LIMIT, "max", "max" });

	json = "{\"cpu\":{\"shares\":512},\"memory\":{\"limit\":\"1\"}}";
	ATF_CHECK_EQ(oci_resources_decode(json, strlen(json), &limits, error),
	    -EINVAL);
	ATF_CHECK_STREQ(error,
	    "resources.memory.limit: \"1\": expected a number");
	CHECK_NO_LIMITS(&limits);
	json = "{\"cpu\":{\"shares\":512},\"unified\":{\"x\":\"1\"}}";
	ATF_CHECK_EQ(oci_resources_decode(json, strlen(json), &limits, error),
	    -EINVAL);
	CHECK_NO_LIMITS(&limits);
	ATF_CHECK_EQ(oci_resources_decode("{", 1, &limits, error), -EINVAL);
	ATF_CHECK(strstr(error, "resources: not valid JSON at byte") == error);
	ATF_CHECK_EQ(oci_resources_decode(NULL, 0, &limits, error), -EINVAL);
	ATF_CHECK_EQ(oci_resources_decode("{}", 2, &limits, error), 0);
	CHECK_NO_LIMITS(&limits);
}

/* As containerd repeats it of a container whose CPU time has no limit. */
ATF_TC_WITHOUT_HEAD(oci_reads_an_update_with_a_period_alone);
ATF_TC_BODY(oci_reads_an_update_with_a_period_alone, tc)
{
	static const char json[] = "{\"cpu\":{\"shares\":2,\"period\":100000}}";
	struct plan_limits limits;
	char error[MSG_TEXT_SIZE];

	ATF_REQUIRE_EQ(oci_resources_decode(json, strlen(json), &limits, error),
	    0);
	CHECK_LIMITS(&limits, { MSG_CGROUP_CPU_SHARES, "2", "1" },
	    { MSG_CGROUP_CPU_PERIOD, "100000", NULL });
}

ATF_TC_WITHOUT_HEAD(oci_reads_settings_of_namespaces);
ATF_TC_BODY(oci_reads_settings_of_namespaces, tc)
{
	static const struct plan_sysctl expected[] = {
		{ "net/ipv4/ip_unprivileged_port_start", "0" },
		{ "net/ipv4/conf/eth0.1/forwarding", "1" },
		{ "net/ipv4/conf/eth0.2/forwarding", "1" },
	};
	uint32_t i;

	/* The other separator is part of a name. */
	check_bundle(LINUX("\"namespaces\":[{\"type\":\"network\"}],"
			   "\"sysctl\":{"
			   "\"net.ipv4.ip_unprivileged_port_start\":\"0\","
			   "\"kernel.msgmax\":\"4242\","
			   "\"net.ipv4.conf.eth0/1.forwarding\":\"1\","
			   "\"net/ipv4/conf/eth0.2/forwarding\":\"1\"}"));
	ATF_REQUIRE_EQ(plan.nsysctls, COUNT(expected));
	for (i = 0; i < COUNT(expected); i++) {
		ATF_CHECK_STREQ(plan.sysctls[i].name, expected[i].name);
		ATF_CHECK_STREQ(plan.sysctls[i].value, expected[i].value);
	}
	ATF_CHECK_STREQ(plan.error,
	    "linux.sysctl kernel/msgmax: ignored, it is the node's here");
	check_bundle(LINUX("\"namespaces\":[{\"type\":\"ipc\"}],"
			   "\"sysctl\":{\"net.a\":\"1\","
			   "\"kernel.msgmax\":\"4242\"}"));
	ATF_REQUIRE_EQ(plan.nsysctls, 1);
	ATF_CHECK_STREQ(plan.sysctls[0].name, "kernel/msgmax");
	/* As containerd 2 gives to each pod. */
	check_good(PLAN_BUNDLE, sample_new_start,
	    (size_t)(sample_new_end - sample_new_start));
	ATF_CHECK_EQ(plan.nsysctls, 2);
	ATF_CHECK_STREQ(plan.error, "");
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
	/*
	 * What it covers besides, and its working directory, come last; names
	 * are resolved as the node does.
	 */
	ATF_CHECK_EQ(plan.nmounts, BASE_MOUNTS + 7 + 1 + 1 + 2);
	check_mount(BASE_MOUNTS - 1, "/proc/sysrq-trigger", "",
	    (struct plan_mount){ PLAN_READONLY, 0, 0, MS_PRIVATE, 0 });
	check_mount(BASE_MOUNTS + 7, "/proc/interrupts", "",
	    (struct plan_mount){ PLAN_MASK, 0, 0, MS_PRIVATE, 0 });
	check_mount(BASE_MOUNTS + 8, "/tmp", "",
	    (struct plan_mount){ PLAN_DIRECTORY, 0, 0, MS_PRIVATE, 0 });
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
		{ LINUX("\"sysctl\":{\"kernel.core_pattern\":\"|/a\"}"),
		    "linux.sysctl: \"kernel.core_pattern\": expected net.*" },
		{ LINUX("\"sysctl\":{\"net.../../kernel/panic\":\"1\"}"),
		    "linux.sysctl: \"net.../../kernel/panic\": expected" },
		{ LINUX("\"sysctl\":{\"/net.a\":\"1\"}"),
		    "linux.sysctl: \"/net.a\": expected net.*" },
		{ LINUX("\"sysctl\":{\"net.a.\":\"1\"}"),
		    "linux.sysctl: \"net.a.\": expected net.*" },
		{ LINUX("\"sysctl\":{\"net.a b\":\"1\"}"),
		    "linux.sysctl: \"net.a b\": expected net.*" },
		{ LINUX("\"sysctl\":{\"net.a\":1}"),
		    "linux.sysctl: 1: expected a text of 1 to 95" },
		{ LINUX("\"sysctl\":{\"net.a\":\"\"}"),
		    "linux.sysctl: \"\": expected a text" },
		{ LINUX("\"sysctl\":{\"net.a\":\"1\\n2\"}"),
		    "linux.sysctl: \"1\\n2\": expected a text" },
		{ LINUX("\"sysctl\":{\"net.a\":\"1\",\"net/a\":\"2\"}"),
		    "linux.sysctl: \"net/a\": given twice" },
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
			    "mounts[481]: expected at most 512 mounts and");
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
	n = oci_decode(PLAN_PROCESS, json, strlen(json), &on, &plan, strings,
	    10);
	ATF_CHECK_EQ(n, 10);
	strings[9] = 'x';
	n = oci_decode(PLAN_PROCESS, json, strlen(json), &on, &plan, strings,
	    9);
	ATF_CHECK_EQ(n, -EINVAL);
	ATF_CHECK_EQ(strings[9], 'x');
	n = oci_decode(PLAN_PROCESS, json, strlen(json), &on, &plan, strings,
	    0);
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
	ATF_TP_ADD_TC(tp, oci_reads_the_limits_of_a_cgroup);
	ATF_TP_ADD_TC(tp, oci_tells_no_limit_from_a_limit_that_is_not_given);
	ATF_TP_ADD_TC(tp, oci_makes_a_weight_of_shares);
	ATF_TP_ADD_TC(tp, oci_takes_memory_from_memory_and_swap);
	ATF_TP_ADD_TC(tp, oci_takes_files_of_version_2_by_their_names);
	ATF_TP_ADD_TC(tp, oci_refuses_limits_that_cannot_be);
	ATF_TP_ADD_TC(tp, oci_reads_the_path_of_a_cgroup);
	ATF_TP_ADD_TC(tp, oci_finds_where_systemd_has_a_slice);
	ATF_TP_ADD_TC(tp, oci_refuses_cgroups_that_lie_elsewhere);
	ATF_TP_ADD_TC(tp, oci_reads_the_resources_of_an_update_alone);
	ATF_TP_ADD_TC(tp, oci_reads_an_update_with_a_period_alone);
	ATF_TP_ADD_TC(tp, oci_reads_settings_of_namespaces);
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
