#include "regress/unit/bundle.h"

#define ROOT "root:x:0:0:root:/root:/bin/bash\n"
#define ANN  "ann:x:1000:1000:Ann,,,:/home/ann:/bin/zsh\n"

/* Decodes a process of this user, with more members, for a database. */
static void
check_user(const char *passwd, const char *uid, const char *more)
{
	char json[1024];

	on.passwd = passwd;
	on.passwd_length = strlen(passwd);
	snprintf(json, sizeof(json),
	    "{" CWD "," ARGS ",\"user\":{\"uid\":%s,\"gid\":0}%s}", uid, more);
	check_good(PLAN_PROCESS, json, strlen(json));
}

static void
check_variable(const char *name, const char *expected)
{
	const char *value = variable(name);

	ATF_CHECK_MSG(expected == NULL ?
		value == NULL :
		value != NULL && strcmp(value, expected) == 0,
	    "%s is %s, not %s", name, value != NULL ? value : "missing",
	    expected != NULL ? expected : "missing");
}

static void
check_variables(const char *home, const char *name, const char *shell)
{
	check_variable("HOME", home);
	check_variable("USER", name);
	check_variable("LOGNAME", name);
	check_variable("SHELL", shell);
}

ATF_TC_WITHOUT_HEAD(a_process_gets_what_a_login_of_its_user_would_set);
ATF_TC_BODY(a_process_gets_what_a_login_of_its_user_would_set, tc)
{
	check_user(ROOT ANN, "0", "");
	check_variables("/root", "root", "/bin/bash");
	check_user(ROOT ANN, "1000", ",\"env\":[\"A=b\"]");
	ATF_CHECK_EQ(plan.envc, 5);
	ATF_CHECK_STREQ(string_at(2), "A=b");
	check_variables("/home/ann", "ann", "/bin/zsh");
	/* A last line without its end, an empty field. */
	check_user("a:x:7:7:::/bin/sh", "7", "");
	check_variables(NULL, "a", "/bin/sh");
	check_user("a:x:7:7::/:", "7", "");
	check_variables("/", "a", NULL);
}

ATF_TC_WITHOUT_HEAD(a_bundle_gets_them_before_its_mounts);
ATF_TC_BODY(a_bundle_gets_them_before_its_mounts, tc)
{
	on.passwd = ROOT;
	on.passwd_length = strlen(ROOT);
	check_bundle(MOUNTS(BIND("/a", "/b", "")));
	check_variables("/root", "root", "/bin/bash");
	check_mount(BASE_MOUNTS, "/b", "/a",
	    (struct plan_mount){ PLAN_BIND, 0, 0, MS_PRIVATE, 0 });
}

ATF_TC_WITHOUT_HEAD(what_the_document_sets_stays_as_it_is);
ATF_TC_BODY(what_the_document_sets_stays_as_it_is, tc)
{
	check_user(ROOT, "0", ",\"env\":[\"SHELL=x\",\"HOME=\"]");
	check_variables("", "root", "x");
	ATF_CHECK_EQ(plan.envc, 4);
	/* Names that only begin like these. */
	check_user(ROOT, "0", ",\"env\":[\"HOMES=x\",\"USERNAME=y\"]");
	check_variables("/root", "root", "/bin/bash");
	ATF_CHECK_EQ(plan.envc, 6);
}

ATF_TC_WITHOUT_HEAD(a_user_whom_nobody_knows_has_the_root_directory);
ATF_TC_BODY(a_user_whom_nobody_knows_has_the_root_directory, tc)
{
	static const char *const databases[] = { "", "\n", ROOT ANN,
		"\n\n:::::::\n", "::::::\n", "1001",
		"x:x:1001:0::/a\n:", "root:x:01001x:0::/a:/b\n",
		"root:x:-1001:0::/a:/b\n", "root:x: 1001:0::/a:/b\n",
		"root:x:4294968297:0::/a:/b\n",
		"root:x:18446744073709552617:0::/a:/b\n", "x:x:1001:0:/a:/b\n",
		"x:x:1001:0:0::/a:/b\n", "+::1001\n", "x:x::0::/a:/b\n" };
	size_t i;

	for (i = 0; i < COUNT(databases); i++) {
		check_user(databases[i], "1001", "");
		check_variables("/", NULL, NULL);
	}
}

ATF_TC_WITHOUT_HEAD(the_first_line_that_is_one_counts);
ATF_TC_BODY(the_first_line_that_is_one_counts, tc)
{
	check_user("x:x:1000:0:/a:/b\nbob:x:1000:1::/b:/b\n" ANN, "1000", "");
	check_variables("/b", "bob", "/b");
}

ATF_TC_WITHOUT_HEAD(values_that_could_do_harm_are_not_used);
ATF_TC_BODY(values_that_could_do_harm_are_not_used, tc)
{
	static const char nul[] = "a\0b:x:7:7::/\0:/bin\0sh\n";

	check_user("a\tb:x:7:7::/h\033[1m:/bin/s\177\n", "7", "");
	check_variables(NULL, NULL, NULL);
	check_user("a:x:7:7::home/a:sh\n", "7", "");
	check_variables(NULL, "a", NULL);
	check_user("a:x:7:7::/h\r:/bin/sh\r\n", "7", "");
	check_variables(NULL, "a", NULL);
	on.passwd = nul;
	on.passwd_length = sizeof(nul) - 1;
	check_good(PLAN_PROCESS,
	    "{" CWD "," ARGS ",\"user\":{\"uid\":7,\"gid\":0}}",
	    strlen("{" CWD "," ARGS ",\"user\":{\"uid\":7,\"gid\":0}}"));
	check_variables(NULL, NULL, NULL);
}

ATF_TC_WITHOUT_HEAD(without_room_a_process_does_without);
ATF_TC_BODY(without_room_a_process_does_without, tc)
{
	static const char json[] = "{" NEEDED "}";
	static char passwd[PLAN_STRINGS_MAX + 64];
	/* cwd, one argument; and then HOME=/root. */
	static const struct {
		size_t size;
		uint32_t envc;
	} areas[] = { { 4, 0 }, { 13, 0 }, { 15, 1 }, { 24, 1 }, { 25, 2 } };
	size_t i;
	int n;

	on.passwd = ROOT;
	on.passwd_length = strlen(ROOT);
	for (i = 0; i < COUNT(areas); i++) {
		strings[areas[i].size] = 'x';
		n = oci_decode(PLAN_PROCESS, json, strlen(json), &on, &plan,
		    strings, areas[i].size);
		ATF_REQUIRE_MSG(n >= 0, "%zu", areas[i].size);
		ATF_CHECK_EQ(plan.envc, areas[i].envc);
		ATF_CHECK_EQ(strings[areas[i].size], 'x');
		ATF_CHECK(plan_check(&plan, PLAN_PROCESS, strings, (size_t)n) ==
		    NULL);
	}
	/* A home directory that is longer than all strings may be. */
	memset(passwd, 'h', sizeof(passwd) - 1);
	memcpy(passwd, "a:x:0:0::/", 10);
	memcpy(passwd + sizeof(passwd) - 10, ":/bin/sh", 8);
	check_user(passwd, "0", "");
	check_variable("HOME", NULL);
	check_variable("USER", "a");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_process_gets_what_a_login_of_its_user_would_set);
	ATF_TP_ADD_TC(tp, a_bundle_gets_them_before_its_mounts);
	ATF_TP_ADD_TC(tp, what_the_document_sets_stays_as_it_is);
	ATF_TP_ADD_TC(tp, a_user_whom_nobody_knows_has_the_root_directory);
	ATF_TP_ADD_TC(tp, the_first_line_that_is_one_counts);
	ATF_TP_ADD_TC(tp, values_that_could_do_harm_are_not_used);
	ATF_TP_ADD_TC(tp, without_room_a_process_does_without);
	return (atf_no_error());
}
