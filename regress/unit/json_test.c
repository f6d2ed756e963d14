#include <atf-c.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unpriv/json.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static size_t offset;

/* Parses a document that is valid, and returns the value of its member "x". */
static int
parse_x(const char *text)
{
	const char *error;
	int value;

	error = json_parse(text, strlen(text), &offset);
	ATF_REQUIRE_MSG(error == NULL, "%s: %s at %zu", text, error, offset);
	ATF_REQUIRE_EQ(json_member(JSON_ROOT, "x", &value), 0);
	ATF_REQUIRE(value != JSON_NONE);
	return (value);
}

static void
check_refused(const char *text, size_t length)
{
	ATF_CHECK_MSG(json_parse(text, length, &offset) != NULL, "accepted: %s",
	    text);
}

static void
check_all_refused(const char *const *texts, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		check_refused(texts[i], strlen(texts[i]));
}

/* A string of n times unit, freed by the caller. */
static char *
repeat(const char *unit, size_t n)
{
	size_t i, length = strlen(unit);
	char *s = malloc(n * length + 1);

	ATF_REQUIRE(s != NULL);
	for (i = 0; i < n; i++)
		memcpy(s + i * length, unit, length);
	s[n * length] = '\0';
	return (s);
}

/* {"x":open*n close*n} */
static char *
nested(const char *open, const char *close, size_t n)
{
	char *a = repeat(open, n), *b = repeat(close, n), *s;
	size_t size = strlen(a) + strlen(b) + 16;

	s = malloc(size);
	ATF_REQUIRE(s != NULL);
	snprintf(s, size, "{\"x\":%s%s}", a, b);
	free(a);
	free(b);
	return (s);
}

ATF_TC_WITHOUT_HEAD(json_refuses_what_is_not_an_object);
ATF_TC_BODY(json_refuses_what_is_not_an_object, tc)
{
	static const char *const texts[] = { "", " ", "[]", "\"x\"", "1",
		"null", "true", "x", "\xef\xbb\xbf{}" };

	check_all_refused(texts, COUNT(texts));
}

ATF_TC_WITHOUT_HEAD(json_refuses_broken_structure);
ATF_TC_BODY(json_refuses_broken_structure, tc)
{
	static const char *const texts[] = { "{", "}", "{]", "{}}", "{}{}",
		"{} x", "{}\"x\"", "{},", "{,}", "{\"x\"}", "{\"x\":}",
		"{\"x\":1,}", "{\"x\" 1}", "{\"x\"::1}", "{\"x\":1 \"y\":2}",
		"{\"x\":1;\"y\":2}", "{\"x\",1}", "{\"x\":1:2}", "{1:2}",
		"{x:1}", "{null:1}", "{[]:1}", "{{}:1}", "{\"x\":[}",
		"{\"x\":[1,]}", "{\"x\":[,1]}", "{\"x\":[1,,2]}",
		"{\"x\":[1 2]}", "{\"x\":[\"a\" \"b\"]}", "{\"x\":[\"a\":1]}",
		"{\"x\":[1:2]}", "{\"x\":[1}", "{\"x\":{]}", "{\"x\":]",
		"{\"x\":1}]", "{\"x\":{}{}}", "{\"x\":[][]}", "{\"x\":\"a\"1}",
		"{\"x\":1\"a\"}", "{\"x\":[{}1]}", "{\"x\":1}\f",
		"{\"x\":/**/1}", "{\"x\":1 /**/}", "{'x':1}", "{\"x\":'a'}",
		"{\"x\":\v1}", "{\"x\":\xc2\xa0\x31}" };

	check_all_refused(texts, COUNT(texts));
	check_refused("{}\0", 3);
	check_refused("{\0}", 3);
	check_refused("{\"x\":\0001}", 8);
}

ATF_TC_WITHOUT_HEAD(json_refuses_words_and_numbers_of_others);
ATF_TC_BODY(json_refuses_words_and_numbers_of_others, tc)
{
	static const char *const values[] = { "tru", "truee", "True", "t", "f",
		"fals", "nul", "nulll", "none", "NaN", "Infinity", "-Infinity",
		"undefined", "01", "-01", "00", "1.", ".1", "-.1", "1.e1", "1e",
		"1e+", "1E-", "+1", "-", "--1", "1-", "0x1", "1_0", "1a",
		"1 e1", "1.2.3", "1e1.0", "true false", "-true" };
	char text[64];
	size_t i;

	for (i = 0; i < COUNT(values); i++) {
		snprintf(text, sizeof(text), "{\"x\":%s}", values[i]);
		check_refused(text, strlen(text));
		snprintf(text, sizeof(text), "{\"x\":[%s]}", values[i]);
		check_refused(text, strlen(text));
	}
}

ATF_TC_WITHOUT_HEAD(json_refuses_characters_not_allowed_in_strings);
ATF_TC_BODY(json_refuses_characters_not_allowed_in_strings, tc)
{
	static const char *const strings[] = { "\n", "\t", "\x01", "\x1f",
		"\\a", "\\x41", "\\'", "\\0", "\\", "\\u", "\\u1", "\\u12",
		"\\u123", "\\u123g", "\\U0041", "\\u 041", "\\u-041",
		/* U+0000 and surrogates without their other half */
		"\\u0000", "\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud800x",
		"\\ud800\\n", "\\udc00\\ud800", "\\ud800\\u0041",
		/* Unicode's table 3-7, line by line */
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41",
		"\xe0\x80\x80", "\xe0\x9f\xbf", "\xe1\x80", "\xe1\x80\x41",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf", "\xf1\x80\x80", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xfe", "\xff" };
	char text[64];
	size_t i;

	for (i = 0; i < COUNT(strings); i++) {
		snprintf(text, sizeof(text), "{\"x\":\"%s\"}", strings[i]);
		check_refused(text, strlen(text));
		snprintf(text, sizeof(text), "{\"%s\":1}", strings[i]);
		check_refused(text, strlen(text));
	}
	check_refused("{\"x\":\"a\0b\"}", 11);
}

ATF_TC_WITHOUT_HEAD(json_unescapes_strings_to_utf8);
ATF_TC_BODY(json_unescapes_strings_to_utf8, tc)
{
	char buffer[64];
	int value;

	value = parse_x(
	    "{\"x\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041"
	    "\\u00e9\\u20AC\\uD83D\\ude00\x7f\xc3\xa9\xf0\x9f\x98\x80\"}");
	ATF_CHECK_EQ(json_string(value, buffer, sizeof(buffer)), 25);
	ATF_CHECK_STREQ(buffer,
	    "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac"
	    "\xf0\x9f\x98\x80\x7f\xc3\xa9\xf0\x9f\x98\x80");
}

ATF_TC_WITHOUT_HEAD(json_writes_no_byte_beyond_the_buffer);
ATF_TC_BODY(json_writes_no_byte_beyond_the_buffer, tc)
{
	char buffer[8] = "-------";
	int value;

	value = parse_x("{\"x\":\"ab\\u20ac\"}"); /* 5 bytes */
	ATF_CHECK_EQ(json_string(value, buffer, 5), -ENAMETOOLONG);
	ATF_CHECK_EQ(buffer[5], '-');
	ATF_CHECK_EQ(json_string(value, buffer, 0), -ENAMETOOLONG);
	ATF_CHECK_EQ(json_string(value, buffer, 6), 5);
	ATF_CHECK_EQ(buffer[6], '-');
	value = parse_x("{\"x\":\"\"}");
	ATF_CHECK_EQ(json_string(value, buffer, 0), -ENAMETOOLONG);
	ATF_CHECK_EQ(json_string(value, buffer, 1), 0);
	ATF_CHECK_EQ(json_string(parse_x("{\"x\":1}"), buffer, 8), -EINVAL);
}

ATF_TC_WITHOUT_HEAD(json_compares_keys_unescaped);
ATF_TC_BODY(json_compares_keys_unescaped, tc)
{
	int value;

	value = parse_x("{\"\\u0078\":1,\"xx\":2,\"\":3,\"X\":4}");
	ATF_CHECK_EQ(json_type(value), JSON_NUMBER);
	ATF_CHECK(!json_equals(value, "1"));
	ATF_CHECK_EQ(json_member(JSON_ROOT, "", &value), 0);
	ATF_CHECK(value != JSON_NONE);
	ATF_CHECK_EQ(json_member(JSON_ROOT, "xxx", &value), 0);
	ATF_CHECK_EQ(value, JSON_NONE);
}

ATF_TC_WITHOUT_HEAD(json_reports_a_member_given_twice);
ATF_TC_BODY(json_reports_a_member_given_twice, tc)
{
	static const char text[] = "{\"a\":1,\"b\":{\"a\":1},\"\\u0061\":1}";
	int value;

	ATF_REQUIRE(json_parse(text, strlen(text), &offset) == NULL);
	ATF_CHECK_EQ(json_member(JSON_ROOT, "a", &value), -EEXIST);
	ATF_CHECK_EQ(json_member(JSON_ROOT, "b", &value), 0);
	ATF_CHECK_EQ(json_count(value), 1);
}

ATF_TC_WITHOUT_HEAD(json_iterates_over_elements_only);
ATF_TC_BODY(json_iterates_over_elements_only, tc)
{
	static const enum json_type types[] = { JSON_NUMBER, JSON_ARRAY,
		JSON_OBJECT, JSON_STRING, JSON_NULL, JSON_BOOLEAN, JSON_ARRAY };
	int value;
	size_t i;

	value = parse_x("{\"w\":[0], \"x\": [1,[2,[3]],{\"y\":[4],\"z\":5},"
			"\"6\",null,false,[]] , \"y\":7}");
	ATF_REQUIRE_EQ(json_count(value), COUNT(types));
	value = json_first(value);
	for (i = 0; i < COUNT(types); i++) {
		ATF_REQUIRE(value != JSON_NONE);
		ATF_CHECK_EQ(json_type(value), types[i]);
		value = json_next(value);
	}
	ATF_CHECK_EQ(value, JSON_NONE);
	ATF_CHECK_EQ(json_first(parse_x("{\"x\":[],\"y\":1}")), JSON_NONE);
	ATF_CHECK_EQ(json_first(parse_x("{\"x\":\"a\"}")), JSON_NONE);
}

ATF_TC_WITHOUT_HEAD(json_reads_integers_within_their_range_only);
ATF_TC_BODY(json_reads_integers_within_their_range_only, tc)
{
	uint64_t u;
	int64_t n;

#define U(text, max)	  json_unsigned(parse_x("{\"x\":" text "}"), max, &u)
#define S(text, min, max) json_signed(parse_x("{\"x\":" text "}"), min, max, &n)
	ATF_CHECK(U("0", 0) == 0 && u == 0);
	ATF_CHECK(
	    U("18446744073709551615", UINT64_MAX) == 0 && u == UINT64_MAX);
	ATF_CHECK_EQ(U("18446744073709551616", UINT64_MAX), -ERANGE);
	ATF_CHECK_EQ(U("99999999999999999999999", UINT64_MAX), -ERANGE);
	ATF_CHECK_EQ(U("11", 10), -ERANGE);
	ATF_CHECK_EQ(U("-1", 10), -ERANGE);
	ATF_CHECK_EQ(U("-0", 10), -ERANGE);
	ATF_CHECK_EQ(U("1.0", 10), -EINVAL);
	ATF_CHECK_EQ(U("1e0", 10), -EINVAL);
	ATF_CHECK_EQ(U("\"1\"", 10), -EINVAL);
	ATF_CHECK_EQ(U("true", 10), -EINVAL);
	ATF_CHECK_EQ(U("null", 10), -EINVAL);
	ATF_CHECK(S("-9223372036854775808", INT64_MIN, INT64_MAX) == 0 &&
	    n == INT64_MIN);
	ATF_CHECK(S("9223372036854775807", INT64_MIN, INT64_MAX) == 0 &&
	    n == INT64_MAX);
	ATF_CHECK_EQ(S("9223372036854775808", INT64_MIN, INT64_MAX), -ERANGE);
	ATF_CHECK_EQ(S("-9223372036854775809", INT64_MIN, INT64_MAX), -ERANGE);
	ATF_CHECK(S("-5", -5, 5) == 0 && n == -5);
	ATF_CHECK_EQ(S("-6", -5, 5), -ERANGE);
	ATF_CHECK_EQ(S("6", -5, 5), -ERANGE);
	ATF_CHECK_EQ(S("-1.5", -5, 5), -EINVAL);
	ATF_CHECK_EQ(S("\"1\"", -5, 5), -EINVAL);
#undef U
#undef S
}

ATF_TC_WITHOUT_HEAD(json_reads_true_and_false_only_as_booleans);
ATF_TC_BODY(json_reads_true_and_false_only_as_booleans, tc)
{
	int on = -1;

	ATF_CHECK(json_boolean(parse_x("{\"x\":true}"), &on) == 0 && on == 1);
	ATF_CHECK(json_boolean(parse_x("{\"x\":false}"), &on) == 0 && on == 0);
	ATF_CHECK_EQ(json_boolean(parse_x("{\"x\":1}"), &on), -EINVAL);
	ATF_CHECK_EQ(json_boolean(parse_x("{\"x\":\"true\"}"), &on), -EINVAL);
	ATF_CHECK_EQ(json_boolean(parse_x("{\"x\":null}"), &on), -EINVAL);
}

ATF_TC_WITHOUT_HEAD(json_accepts_numbers_of_the_grammar);
ATF_TC_BODY(json_accepts_numbers_of_the_grammar, tc)
{
	int value;

	value = parse_x("{\"x\":[0,-0,1,-1,10,0.0,-1.50,1e5,1E+5,1e-05,"
			"12.34e56]\r\n\t }\n");
	ATF_CHECK_EQ(json_count(value), 11);
}

ATF_TC_WITHOUT_HEAD(json_nests_to_the_limit_and_no_further);
ATF_TC_BODY(json_nests_to_the_limit_and_no_further, tc)
{
	char *text;

	text = nested("[", "]", JSON_DEPTH_MAX - 1);
	ATF_CHECK(json_parse(text, strlen(text), &offset) == NULL);
	free(text);
	text = nested("[", "]", JSON_DEPTH_MAX);
	ATF_CHECK_STREQ(json_parse(text, strlen(text), &offset),
	    "nested too deeply");
	free(text);
	text = nested("{\"x\":", "", 2000000 / 5);
	ATF_CHECK(json_parse(text, strlen(text), &offset) != NULL);
	free(text);
	text = nested("[", "", 4000000);
	ATF_CHECK(json_parse(text, strlen(text), &offset) != NULL);
	free(text);
	/* Brackets in strings do not nest. */
	text = repeat("[", 1000);
	char quoted[1100];
	snprintf(quoted, sizeof(quoted), "{\"x\":\"\\\"%s\"}", text);
	ATF_CHECK(json_parse(quoted, strlen(quoted), &offset) == NULL);
	free(text);
}

ATF_TC_WITHOUT_HEAD(json_refuses_more_values_than_it_has_tokens_for);
ATF_TC_BODY(json_refuses_more_values_than_it_has_tokens_for, tc)
{
	char *values, *text;
	size_t size = 2 * JSON_TOKENS_MAX + 64;

	/* The object, the key, the array and the last 0 are four. */
	values = repeat("0,", JSON_TOKENS_MAX - 4);
	text = malloc(size);
	ATF_REQUIRE(text != NULL);
	snprintf(text, size, "{\"x\":[%s0]}", values);
	ATF_CHECK(json_parse(text, strlen(text), &offset) == NULL);
	snprintf(text, size, "{\"x\":[%s0,0]}", values);
	ATF_CHECK_STREQ(json_parse(text, strlen(text), &offset),
	    "too many values");
	free(values);
	free(text);
}

ATF_TC_WITHOUT_HEAD(json_says_where_the_document_is_broken);
ATF_TC_BODY(json_says_where_the_document_is_broken, tc)
{
	ATF_CHECK_STREQ(json_parse("{\"x\":1,}", 8, &offset), "expected a key");
	ATF_CHECK_EQ(offset, 7);
	ATF_CHECK_STREQ(json_parse("{\"x\":\"", 6, &offset), "ends too early");
	ATF_CHECK_EQ(offset, 5);
}

ATF_TC_WITHOUT_HEAD(json_survives_every_truncation);
ATF_TC_BODY(json_survives_every_truncation, tc)
{
	static const char text[] = "{\"a\":[1,-2.5e3,true,null,\"\\ud83d"
				   "\\ude00\xe2\x82\xac\"],\"b\":{\"c\":{}}}";
	char *copy;
	size_t i;

	ATF_REQUIRE(json_parse(text, strlen(text), &offset) == NULL);
	for (i = 0; i < strlen(text); i++) {
		/* A copy, so that a sanitizer sees a read beyond its end. */
		copy = malloc(i + 1);
		ATF_REQUIRE(copy != NULL);
		memcpy(copy, text, i);
		copy = realloc(copy, i > 0 ? i : 1);
		ATF_CHECK(json_parse(copy, i, &offset) != NULL);
		free(copy);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, json_refuses_what_is_not_an_object);
	ATF_TP_ADD_TC(tp, json_refuses_broken_structure);
	ATF_TP_ADD_TC(tp, json_refuses_words_and_numbers_of_others);
	ATF_TP_ADD_TC(tp, json_refuses_characters_not_allowed_in_strings);
	ATF_TP_ADD_TC(tp, json_unescapes_strings_to_utf8);
	ATF_TP_ADD_TC(tp, json_writes_no_byte_beyond_the_buffer);
	ATF_TP_ADD_TC(tp, json_compares_keys_unescaped);
	ATF_TP_ADD_TC(tp, json_reports_a_member_given_twice);
	ATF_TP_ADD_TC(tp, json_iterates_over_elements_only);
	ATF_TP_ADD_TC(tp, json_reads_integers_within_their_range_only);
	ATF_TP_ADD_TC(tp, json_reads_true_and_false_only_as_booleans);
	ATF_TP_ADD_TC(tp, json_accepts_numbers_of_the_grammar);
	ATF_TP_ADD_TC(tp, json_nests_to_the_limit_and_no_further);
	ATF_TP_ADD_TC(tp, json_refuses_more_values_than_it_has_tokens_for);
	ATF_TP_ADD_TC(tp, json_says_where_the_document_is_broken);
	ATF_TP_ADD_TC(tp, json_survives_every_truncation);
	return (atf_no_error());
}
