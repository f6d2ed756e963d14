#include <atf-c.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unpriv/conf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 255 characters, the longest path that is accepted. */
#define A50	"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define PATH255 "/" A50 A50 A50 A50 A50 "aaaa"

static struct conf conf;

static int
parse(const char *text)
{
	conf_init(&conf);
	return (conf_parse_text(&conf, text, strlen(text)));
}

static void
check_refused(const char *text, const char *error)
{
	ATF_CHECK_EQ_MSG(parse(text), -EINVAL, "%s", text);
	ATF_CHECK_MSG(strncmp(conf.error, error, strlen(error)) == 0,
	    "%s: \"%s\", not \"%s\"", text, conf.error, error);
	ATF_CHECK_STREQ(conf_check(&conf), "error");
}

struct bad {
	const char *text;
	const char *error;
};

static void
check_all_refused(const struct bad *bad, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		check_refused(bad[i].text, bad[i].error);
}

ATF_TC_WITHOUT_HEAD(conf_has_defaults_that_are_valid);
ATF_TC_BODY(conf_has_defaults_that_are_valid, tc)
{
	conf_init(&conf);
	ATF_CHECK_EQ(conf.uid, 65521);
	ATF_CHECK_STREQ(conf.node.runtime_root, "/run/reaper");
	ATF_CHECK_STREQ(conf.shim_log, "");
	ATF_CHECK_STREQ(conf.runtime_log, "");
	ATF_CHECK_STREQ(conf.node.log_dir, "");
	ATF_CHECK(conf_check(&conf) == NULL);
}

ATF_TC_WITHOUT_HEAD(conf_reads_every_setting);
ATF_TC_BODY(conf_reads_every_setting, tc)
{
	ATF_CHECK_EQ(parse("\n# REAPER_UID=7\n\t #x\n \t REAPER_UID \t=  1 "
			   "\r\n\nREAPER_RUNTIME_ROOT=" PATH255 "\n"
			   "REAPER_SHIM_LOG=/var/log/a\n"
			   "REAPER_RUNTIME_LOG=" PATH255 "\n"
			   "REAPER_LOG_DIR = /var/log/reaper\n"
			   "REAPER_OVERLAY_ISOLATION=namespace"),
	    0);
	ATF_CHECK_EQ(conf.uid, 1);
	ATF_CHECK_STREQ(conf.node.log_dir, "/var/log/reaper");
	ATF_CHECK_STREQ(conf.node.runtime_root, PATH255);
	ATF_CHECK_STREQ(conf.shim_log, "/var/log/a");
	ATF_CHECK_STREQ(conf.runtime_log, PATH255);
	ATF_CHECK(conf_check(&conf) == NULL);
	ATF_CHECK_EQ(
	    parse("REAPER_OVERLAY_ISOLATION=namespace\n"
		  "REAPER_UID=2147483646\nREAPER_RUNTIME_ROOT=/a.b/..c/d=e"),
	    0);
	ATF_CHECK_EQ(conf.uid, 2147483646);
	ATF_CHECK_STREQ(conf.node.runtime_root, "/a.b/..c/d=e");
	ATF_CHECK(conf_check(&conf) == NULL);
	ATF_CHECK_EQ(parse(""), 0);
	ATF_CHECK_EQ(parse("\n\n"), 0);
	ATF_CHECK_EQ(parse("# no newline"), 0);
}

ATF_TC_WITHOUT_HEAD(conf_refuses_unfit_user_ids);
ATF_TC_BODY(conf_refuses_unfit_user_ids, tc)
{
	static const char *const values[] = { "", "0", "00", "-1", "+1",
		"2147483647", "4294967296", "4294967297", "99999999999",
		"18446744073709551617", "1 2", "1.0", "0x10", "1e3", "root",
		"\"1\"", "1#", "\xd9\xa1" };
	char text[64], error[80];
	size_t i;

	for (i = 0; i < COUNT(values); i++) {
		snprintf(text, sizeof(text), "REAPER_UID=%s", values[i]);
		ATF_CHECK_EQ_MSG(parse(text), -EINVAL, "%s", text);
		ATF_CHECK(
		    strstr(conf.error,
			"expected a user id from 1 to 2147483646") != NULL);
	}
	snprintf(error, sizeof(error), "line 1: REAPER_UID: \"root\": ");
	check_refused("REAPER_UID=root", error);
}

ATF_TC_WITHOUT_HEAD(conf_refuses_unfit_paths);
ATF_TC_BODY(conf_refuses_unfit_paths, tc)
{
	static const char *const keys[] = { "REAPER_RUNTIME_ROOT",
		"REAPER_SHIM_LOG", "REAPER_RUNTIME_LOG", "REAPER_LOG_DIR" };
	static const char *const values[] = { "", "/", "//", "run/reaper",
		"/run/", "/run//reaper", "//run", "/run/.", "/./run", "/..",
		"/run/..", "/run/../etc", "/run/a b", "/run/\x01", "/run/\x7f",
		"/run/\xc3\xa9", "\"/run\"", PATH255 "x" };
	char text[512];
	size_t i;

	for (i = 0; i < COUNT(values) * COUNT(keys); i++) {
		snprintf(text, sizeof(text), "%s=%s", keys[i % COUNT(keys)],
		    values[i / COUNT(keys)]);
		ATF_CHECK_EQ_MSG(parse(text), -EINVAL, "%s", text);
		ATF_CHECK(
		    strstr(conf.error, "expected an absolute path") != NULL);
		ATF_CHECK_STREQ(conf.node.runtime_root, "/run/reaper");
		ATF_CHECK_STREQ(conf.shim_log, "");
		ATF_CHECK_STREQ(conf.runtime_log, "");
		ATF_CHECK_STREQ(conf.node.log_dir, "");
	}
}

ATF_TC_WITHOUT_HEAD(conf_refuses_what_it_would_not_apply);
ATF_TC_BODY(conf_refuses_what_it_would_not_apply, tc)
{
	static const struct bad bad[] = {
		{ "\n\nREAPER_UIDS=1",
		    "line 3: REAPER_UIDS: \"REAPER_UIDS\": "
		    "this version has no such setting" },
		{ "REAPER_UI=1", "line 1: REAPER_UI: " },
		{ "reaper_uid=1", "line 1: reaper_uid: " },
		{ "UID=1", "line 1: UID: " },
		{ "=1", "line 1: : \"\": this version has no such setting" },
		{ "export REAPER_UID=1", "line 1: export REAPER_UID: " },
		{ "REAPER_CONFIG=/x", "line 1: REAPER_CONFIG: " },
		{ "REAPER_DNS_MODE=host", "line 1: REAPER_DNS_MODE: " },
		{ "REAPER_UID", "line 1: \"REAPER_UID\": expected KEY=VALUE" },
		{ "REAPER_UID 7", "line 1: \"REAPER_UID 7\": expected" },
		{ "\xef\xbb\xbfREAPER_UID=1", "line 1: ???REAPER_UID: " },
		{ "REAPER_UID=1\nREAPER_UID=1",
		    "line 2: REAPER_UID: \"REAPER_UID\": given twice" },
		{ "REAPER_OVERLAY_ISOLATION=Node",
		    "line 1: REAPER_OVERLAY_ISOLATION: \"Node\": expected "
		    "namespace;" },
		{ "REAPER_OVERLAY_ISOLATION=pod",
		    "line 1: REAPER_OVERLAY_ISOLATION: \"pod\": expected" },
		{ "REAPER_OVERLAY_ISOLATION=node",
		    "line 1: REAPER_OVERLAY_ISOLATION: \"node\": expected "
		    "namespace; one overlay for the node is not supported" },
		{ "REAPER_OVERLAY_ISOLATION=namespace # x",
		    "line 1: REAPER_OVERLAY_ISOLATION: \"namespace # x\"" },
		{ "REAPER_OVERLAY_ISOLATION=", "line 1: REAPER_OVERLAY_" },
	};

	check_all_refused(bad, COUNT(bad));
}

ATF_TC_WITHOUT_HEAD(conf_refuses_bytes_that_are_no_text);
ATF_TC_BODY(conf_refuses_bytes_that_are_no_text, tc)
{
	static const char text[] = "REAPER_UID=1\0";
	const char *p;

	conf_init(&conf);
	ATF_CHECK_EQ(conf_parse_text(&conf, text, sizeof(text)), -EINVAL);
	conf_init(&conf);
	ATF_CHECK_EQ(conf_parse_text(&conf, "\0", 1), -EINVAL);
	ATF_CHECK_EQ(parse("REAPER_\x1b[31mUID=\xff\n"), -EINVAL);
	for (p = conf.error; *p != '\0'; p++)
		ATF_CHECK(*p >= ' ' && *p <= '~');
}

ATF_TC_WITHOUT_HEAD(conf_bounds_its_error_text);
ATF_TC_BODY(conf_bounds_its_error_text, tc)
{
	static char text[60000];

	memset(text, 'x', sizeof(text) - 1);
	ATF_CHECK_EQ(parse(text), -EINVAL);
	ATF_CHECK(strlen(conf.error) < CONF_ERROR_SIZE - 1);
	text[30000] = '=';
	ATF_CHECK_EQ(parse(text), -EINVAL);
	ATF_CHECK(strlen(conf.error) < CONF_ERROR_SIZE - 1);
	memcpy(text, "REAPER_UID=", 11);
	ATF_CHECK_EQ(parse(text), -EINVAL);
	ATF_CHECK(strlen(conf.error) < CONF_ERROR_SIZE - 1);
}

ATF_TC_WITHOUT_HEAD(conf_takes_the_environment_over_the_file);
ATF_TC_BODY(conf_takes_the_environment_over_the_file, tc)
{
	char *const envp[] = { (char[]){ "PATH=/bin" },
		(char[]){ "REAPER_UID=9" }, (char[]){ "REAPERX=1" },
		(char[]){ "REAPER_CONFIG=/x" }, (char[]){ "XREAPER_UID=1" },
		NULL };

	ATF_CHECK_EQ(parse("REAPER_UID=7\nREAPER_RUNTIME_ROOT=/r"), 0);
	ATF_CHECK_EQ(conf_parse_environment(&conf, envp), 0);
	ATF_CHECK_EQ(conf.uid, 9);
	ATF_CHECK_STREQ(conf.node.runtime_root, "/r");
}

ATF_TC_WITHOUT_HEAD(conf_refuses_unfit_variables);
ATF_TC_BODY(conf_refuses_unfit_variables, tc)
{
	static const struct bad bad[] = {
		{ "REAPER_UID=", "REAPER_UID: \"\": expected a user id" },
		{ "REAPER_UID= 7", "REAPER_UID: \" 7\": expected a user id" },
		{ "REAPER_UDI=7", "REAPER_UDI: \"REAPER_UDI\": this version" },
		{ "REAPER_=", "REAPER_: \"REAPER_\": this version has no" },
		{ "REAPER_RUNTIME_ROOT=/run/\n",
		    "REAPER_RUNTIME_ROOT: \"/run/?\": expected an absolute" },
	};
	char copy[64];
	char *const envp[] = { copy, NULL };
	char *const twice[] = { (char[]){ "REAPER_UID=1" },
		(char[]){ "REAPER_UID=2" }, NULL };
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		snprintf(copy, sizeof(copy), "%s", bad[i].text);
		conf_init(&conf);
		ATF_CHECK_EQ(conf_parse_environment(&conf, envp), -EINVAL);
		ATF_CHECK_MSG(strncmp(conf.error, bad[i].error,
				  strlen(bad[i].error)) == 0,
		    "%s", conf.error);
	}
	conf_init(&conf);
	ATF_CHECK_EQ(conf_parse_environment(&conf, twice), -EINVAL);
}

ATF_TC_WITHOUT_HEAD(conf_check_refuses_a_malformed_answer);
ATF_TC_BODY(conf_check_refuses_a_malformed_answer, tc)
{
	conf_init(&conf);
	conf.uid = 0;
	ATF_CHECK_STREQ(conf_check(&conf), "uid");
	conf.uid = 0x7fffffff;
	ATF_CHECK_STREQ(conf_check(&conf), "uid");
	conf_init(&conf);
	conf.node.network_host = 2;
	ATF_CHECK_STREQ(conf_check(&conf), "network_host");
	conf_init(&conf);
	memset(conf.node.runtime_root, 'a', sizeof(conf.node.runtime_root));
	conf.node.runtime_root[0] = '/';
	ATF_CHECK_STREQ(conf_check(&conf), "runtime_root");
	conf_init(&conf);
	strcpy(conf.node.runtime_root, "/run/../etc");
	ATF_CHECK_STREQ(conf_check(&conf), "runtime_root");
	strcpy(conf.node.runtime_root, "");
	ATF_CHECK_STREQ(conf_check(&conf), "runtime_root");
	conf_init(&conf);
	strcpy(conf.shim_log, "log");
	ATF_CHECK_STREQ(conf_check(&conf), "shim_log");
	conf_init(&conf);
	memset(conf.runtime_log, '/', sizeof(conf.runtime_log));
	ATF_CHECK_STREQ(conf_check(&conf), "runtime_log");
	conf_init(&conf);
	strcpy(conf.node.log_dir, "relative");
	ATF_CHECK_STREQ(conf_check(&conf), "log_dir");
	memset(conf.node.log_dir, '/', sizeof(conf.node.log_dir));
	ATF_CHECK_STREQ(conf_check(&conf), "log_dir");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, conf_has_defaults_that_are_valid);
	ATF_TP_ADD_TC(tp, conf_reads_every_setting);
	ATF_TP_ADD_TC(tp, conf_refuses_unfit_user_ids);
	ATF_TP_ADD_TC(tp, conf_refuses_unfit_paths);
	ATF_TP_ADD_TC(tp, conf_refuses_what_it_would_not_apply);
	ATF_TP_ADD_TC(tp, conf_refuses_bytes_that_are_no_text);
	ATF_TP_ADD_TC(tp, conf_bounds_its_error_text);
	ATF_TP_ADD_TC(tp, conf_takes_the_environment_over_the_file);
	ATF_TP_ADD_TC(tp, conf_refuses_unfit_variables);
	ATF_TP_ADD_TC(tp, conf_check_refuses_a_malformed_answer);
	return (atf_no_error());
}
