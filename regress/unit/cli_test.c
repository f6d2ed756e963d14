/*
 * Words of the command line, options, and the documents that it makes.
 */
#include <atf-c.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/document.h"
#include "cli/options.h"
#include "cli/text.h"
#include "unpriv/clock.h"

static void
expect_text(struct text *text, const char *expected)
{
	text_add(text, "", 1);
	ATF_REQUIRE(!text->failed);
	ATF_CHECK_STREQ(expected, text->data);
	text_free(text);
}

ATF_TC_WITHOUT_HEAD(signals_are_known_by_name_and_number);
ATF_TC_BODY(signals_are_known_by_name_and_number, tc)
{
	static const char *const none[] = { "", "0", "65", "-1", "+1", "1x",
		"SIG", "TER", "TERMS", "SIG9", "RTMIN+", "RTMIN+31", "RTMIN-1",
		"RTMAX+1", "RTMAX--1", "RTMINX", " 9", "9 ",
		"99999999999999999999" };
	size_t i;

	(void)tc;
	ATF_CHECK_EQ(text_signal("1"), 1);
	ATF_CHECK_EQ(text_signal("64"), 64);
	ATF_CHECK_EQ(text_signal("KILL"), 9);
	ATF_CHECK_EQ(text_signal("SIGKILL"), 9);
	ATF_CHECK_EQ(text_signal("sigterm"), 15);
	ATF_CHECK_EQ(text_signal("Usr1"), 10);
	ATF_CHECK_EQ(text_signal("RTMIN"), 34);
	ATF_CHECK_EQ(text_signal("SIGRTMIN+3"), 37);
	ATF_CHECK_EQ(text_signal("RTMIN+30"), 64);
	ATF_CHECK_EQ(text_signal("RTMAX-2"), 62);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ATF_CHECK_MSG(text_signal(none[i]) == -EINVAL, "\"%s\" is %d",
		    none[i], text_signal(none[i]));
}

ATF_TC_WITHOUT_HEAD(numbers_are_whole_and_in_range);
ATF_TC_BODY(numbers_are_whole_and_in_range, tc)
{
	static const char *const none[] = { "", "-", "1.5", "0x1", "k", "1kk",
		"-2", "9223372036854775807k", "1 k", "--1",
		"1234567890123456789012345" };
	int64_t n;
	size_t i;

	(void)tc;
	ATF_CHECK(text_parse_size("64m", -1, &n) == 0 && n == 64 << 20);
	ATF_CHECK(text_parse_size("1T", -1, &n) == 0 && n == INT64_C(1) << 40);
	ATF_CHECK(text_parse_size("-1", -1, &n) == 0 && n == -1);
	ATF_CHECK(text_parse_size("0", -1, &n) == 0 && n == 0);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ATF_CHECK_MSG(text_parse_size(none[i], -1, &n) == -EINVAL,
		    "\"%s\" is a size", none[i]);
	ATF_CHECK(text_parse("7", 7, 7, &n) == 0 && n == 7);
	ATF_CHECK(text_parse("8", 7, 7, &n) == -EINVAL);
	ATF_CHECK(text_parse("7k", 7, 7, &n) == -EINVAL);
	ATF_CHECK(text_parse("-0", -1, 7, &n) == -EINVAL);
}

ATF_TC_WITHOUT_HEAD(strings_of_json_are_printable_ascii);
ATF_TC_BODY(strings_of_json_are_printable_ascii, tc)
{
	struct text text = { 0 };

	(void)tc;
	text_json(&text, "a\"b\\c/\n\x1b[31m\x7f");
	expect_text(&text, "\"a\\\"b\\\\c/\\u000a\\u001b[31m\\u007f\"");
	text_json(&text, "\xc3\xa4\xc2\x9b\xf0\x9f\x98\x80");
	expect_text(&text, "\"\\u00e4\\u009b\\ud83d\\ude00\"");
	text_json(&text, "x\xff\xc3");
	expect_text(&text, "\"x\\ufffd\\ufffd\"");
	text_json(&text, "");
	expect_text(&text, "\"\"");
}

ATF_TC_WITHOUT_HEAD(times_are_those_of_rfc_3339);
ATF_TC_BODY(times_are_those_of_rfc_3339, tc)
{
	struct timespec at = { 1709210096, 5 };
	char buffer[CLOCK_TEXT_SIZE];

	(void)tc;
	clock_text(buffer, &at);
	ATF_CHECK_STREQ("2024-02-29T12:34:56.000000005Z", buffer);
	at = (struct timespec){ 0, 0 };
	clock_text(buffer, &at);
	ATF_CHECK_STREQ("1970-01-01T00:00:00.000000000Z", buffer);
}

/* Parses words, of which the last is NULL; operands may be mixed in. */
static int
options_of(struct options *options, uint32_t mask, int mixed, char *words[],
    int *at)
{
	int argc = 0;

	memset(options, 0, sizeof(*options));
	while (words[argc] != NULL)
		argc++;
	*at = 0;
	return (options_parse(options, mask, argc, words, at, mixed));
}
#define WORD(s) (char *)(uintptr_t)(s)

ATF_TC_WITHOUT_HEAD(options_stand_before_and_after_operands);
ATF_TC_BODY(options_stand_before_and_after_operands, tc)
{
	char *words[] = { WORD("-b"), WORD("dir"), WORD("id"),
		WORD("--pid-file=file"), WORD("x"), WORD("--annotation"),
		WORD("a=b"), WORD("-annotation=c=d"), WORD("--"), WORD("-y"),
		NULL };
	char *stop[] = { WORD("-t"), WORD("id"), WORD("sh"), WORD("-c"), NULL };
	char *wrong[] = { WORD("--nothing"), NULL };
	char *lacking[] = { WORD("--bundle"), NULL };
	char *valued[] = { WORD("--terminal=maybe"), NULL };
	struct options o;
	int at;

	(void)tc;
	ATF_REQUIRE_EQ(options_of(&o, OPTIONS_CREATE | OPTIONS_PROCESS, 1,
			   words, &at),
	    0);
	ATF_CHECK_STREQ("dir", o.bundle);
	ATF_CHECK_STREQ("file", o.pid_file);
	ATF_REQUIRE_EQ(o.annotations.count, 2);
	ATF_CHECK_STREQ("a=b", o.annotations.values[0]);
	ATF_CHECK_STREQ("c=d", o.annotations.values[1]);
	ATF_CHECK_STREQ("id", words[at]);
	ATF_CHECK_STREQ("x", words[at + 1]);
	ATF_CHECK_STREQ("-y", words[at + 2]);
	ATF_CHECK(words[at + 3] == NULL);
	free(o.annotations.values);
	ATF_REQUIRE_EQ(options_of(&o, OPTIONS_EXEC, 0, stop, &at), 0);
	ATF_CHECK_EQ(at, 1);
	ATF_CHECK(o.terminal);
	ATF_CHECK_EQ(options_of(&o, OPTIONS_CREATE, 1, wrong, &at), -EINVAL);
	ATF_CHECK_EQ(options_of(&o, OPTIONS_CREATE, 1, lacking, &at), -EINVAL);
	ATF_CHECK_EQ(options_of(&o, OPTIONS_CREATE, 1, valued, &at), -EINVAL);
	/* What another command takes, this one does not. */
	ATF_CHECK_EQ(options_of(&o, OPTIONS_KILL, 1, lacking, &at), -EINVAL);
}

/* A config.json with the annotations "x=1" and, with namespace, a pod's. */
static void
expect_bundle(const char *json, const char *namespace, const char *expected)
{
	const char *values[] = { "x=0", "x=1" };
	const struct options_list list = { values, 2 };
	struct document_facts facts = { 0 };
	struct text out = { 0 };

	ATF_CHECK_EQ(document_bundle(json, strlen(json), &list, namespace, "id",
			 &out, &facts),
	    0);
	ATF_CHECK_STREQ("", facts.error);
	expect_text(&out, expected);
}

ATF_TC_WITHOUT_HEAD(annotations_are_added_and_replaced);
ATF_TC_BODY(annotations_are_added_and_replaced, tc)
{
	(void)tc;
	expect_bundle("{}", NULL, "{\"annotations\":{\"x\":\"1\"}}");
	expect_bundle(" { \"a\": 1 } ", NULL,
	    "{\"annotations\":{\"x\":\"1\"}, \"a\": 1 } ");
	expect_bundle("{\"annotations\": {}, \"a\": [1]}", NULL,
	    "{\"annotations\": {\"x\":\"1\"}, \"a\": [1]}");
	expect_bundle("{\"annotations\": {\"y\" : \"\\u00e4\\\"\", "
		      "\"\\u0078\": \"old\"}}",
	    NULL, "{\"annotations\": {\"y\":\"\\u00e4\\\"\",\"x\":\"1\"}}");
	expect_bundle("{}", "blue",
	    "{\"annotations\":{\"x\":\"1\","
	    "\"io.kubernetes.cri.sandbox-id\":\"id\","
	    "\"io.kubernetes.cri.sandbox-namespace\":\"blue\"}}");
}

ATF_TC_WITHOUT_HEAD(a_bundle_is_left_as_it_is_or_refused);
ATF_TC_BODY(a_bundle_is_left_as_it_is_or_refused, tc)
{
	static const char good[] = " {\"process\": {\"terminal\": true}}\n";
	static const char *const bad[] = { "", "[]", "{", "{} x", "{\"a\":}",
		"{\"annotations\": []}", "{\"process\": 1}",
		"{\"process\": {\"terminal\": 1}}",
		"{\"annotations\": {}, \"annotations\": {}}" };
	const struct options_list list = { NULL, 0 };
	const char *values[] = { "no equals sign" };
	const struct options_list wrong = { values, 1 };
	struct document_facts facts = { 0 };
	struct text out = { 0 };
	size_t i;

	(void)tc;
	ATF_REQUIRE_EQ(document_bundle(good, strlen(good), &list, NULL, "id",
			   &out, &facts),
	    0);
	ATF_CHECK(facts.terminal);
	expect_text(&out, good);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		facts.error[0] = '\0';
		ATF_CHECK_EQ_MSG(document_bundle(bad[i], strlen(bad[i]), &list,
				     NULL, "id", &out, &facts),
		    -EINVAL, "%s is good", bad[i]);
		ATF_CHECK(facts.error[0] != '\0');
	}
	ATF_CHECK_EQ(document_bundle("{}", 2, &wrong, NULL, "id", &out, &facts),
	    -EINVAL);
	text_free(&out);
}

ATF_TC_WITHOUT_HEAD(annotations_are_shown_escaped);
ATF_TC_BODY(annotations_are_shown_escaped, tc)
{
	static const char json[] =
	    "{\"annotations\": {\"k\": \"\\u009b\xc2\x9b\", \"l\": \"\"}}";
	static const char bad[] = "{\"annotations\": {\"k\": 1}}";
	struct document_facts facts = { 0 };
	struct text out = { 0 };

	(void)tc;
	ATF_REQUIRE_EQ(document_annotations(json, strlen(json), &out, &facts),
	    0);
	expect_text(&out, "{\"k\": \"\\u009b\\u009b\", \"l\": \"\"}");
	ATF_CHECK_EQ(document_annotations(bad, strlen(bad), &out, &facts),
	    -EINVAL);
	text_free(&out);
}

ATF_TC_WITHOUT_HEAD(an_exec_has_what_its_container_has);
ATF_TC_BODY(an_exec_has_what_its_container_has, tc)
{
	static const char json[] =
	    "{\"process\": {\"cwd\": \"/c\", \"env\": [\"A=\\u0041\"], "
	    "\"user\": {\"uid\": 1}, \"terminal\": true}}";
	char *words[] = { WORD("id"), WORD("echo"), WORD("a\"b"), NULL };
	const char *values[] = { "B=b" };
	struct options o = { .operands = words, .noperands = 3 };
	struct document_facts facts = { 0 };
	const struct winsize none = { 0 };
	const struct winsize size = { .ws_row = 2, .ws_col = 3 };
	struct text out = { 0 };

	(void)tc;
	ATF_REQUIRE_EQ(document_exec(json, strlen(json), &o, &none, &out,
			   &facts),
	    0);
	ATF_CHECK(!facts.terminal);
	expect_text(&out,
	    "{\"args\":[\"echo\",\"a\\\"b\"],\"env\":[\"A=\\u0041\"],"
	    "\"cwd\":\"/c\",\"user\":{\"uid\": 1}}");
	o.environment = (struct options_list){ values, 1 };
	o.cwd = "/d";
	o.user = "5:6";
	o.terminal = 1;
	ATF_REQUIRE_EQ(document_exec(json, strlen(json), &o, &size, &out,
			   &facts),
	    0);
	ATF_CHECK(facts.terminal);
	expect_text(&out,
	    "{\"args\":[\"echo\",\"a\\\"b\"],\"env\":[\"A=\\u0041\",\"B=b\"],"
	    "\"cwd\":\"/d\",\"user\":{\"uid\":5,\"gid\":6},"
	    "\"consoleSize\":{\"height\":2,\"width\":3},\"terminal\":true}");
	o.user = "root";
	ATF_CHECK_EQ(document_exec(json, strlen(json), &o, &none, &out, &facts),
	    -EINVAL);
	o.user = "4294967296";
	ATF_CHECK_EQ(document_exec(json, strlen(json), &o, &none, &out, &facts),
	    -EINVAL);
	text_free(&out);
}

ATF_TC_WITHOUT_HEAD(limits_become_resources);
ATF_TC_BODY(limits_become_resources, tc)
{
	struct options o = { .memory = "64m",
		.memory_swap = "-1",
		.cpu_quota = "5000",
		.cpuset_cpus = "0-3",
		.pids_limit = "9" };
	struct document_facts facts = { 0 };
	struct text out = { 0 };

	(void)tc;
	ATF_REQUIRE_EQ(document_resources(&o, &out, &facts), 0);
	expect_text(&out,
	    "{\"memory\":{\"limit\":67108864,\"swap\":-1},"
	    "\"cpu\":{\"quota\":5000,\"cpus\":\"0-3\"},"
	    "\"pids\":{\"limit\":9}}");
	o.cpu_quota = "5k";
	ATF_CHECK_EQ(document_resources(&o, &out, &facts), -EINVAL);
	ATF_CHECK_STREQ("--cpu-quota 5k: expected a number of at least -1",
	    facts.error);
	text_free(&out);
	memset(&o, 0, sizeof(o));
	ATF_CHECK_EQ(document_resources(&o, &out, &facts), 1);
	text_free(&out);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, signals_are_known_by_name_and_number);
	ATF_TP_ADD_TC(tp, numbers_are_whole_and_in_range);
	ATF_TP_ADD_TC(tp, strings_of_json_are_printable_ascii);
	ATF_TP_ADD_TC(tp, times_are_those_of_rfc_3339);
	ATF_TP_ADD_TC(tp, options_stand_before_and_after_operands);
	ATF_TP_ADD_TC(tp, annotations_are_added_and_replaced);
	ATF_TP_ADD_TC(tp, a_bundle_is_left_as_it_is_or_refused);
	ATF_TP_ADD_TC(tp, annotations_are_shown_escaped);
	ATF_TP_ADD_TC(tp, an_exec_has_what_its_container_has);
	ATF_TP_ADD_TC(tp, limits_become_resources);
	return (atf_no_error());
}
