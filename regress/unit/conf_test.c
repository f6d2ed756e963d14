#include <atf-c.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unpriv/conf.h"
#include "unpriv/conf_filter.h"
#include "unpriv/conf_list.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 255 characters, the longest path that is accepted. */
#define A50	"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define PATH255 "/" A50 A50 A50 A50 A50 "aaaa"

static struct conf_given given;
static struct conf *const conf = &given.conf;

static int
parse(const char *text)
{
	conf_init(&given);
	conf_parse_text(&given, text, strlen(text));
	return (conf_finish(&given));
}

/* Whether a list has the entry. */
static int
has(const char *list, const char *entry)
{
	const char *s;

	CONF_LIST_FOREACH(s, list) {
		if (strcmp(s, entry) == 0)
			return (1);
	}
	return (0);
}

static size_t
count(const char *list)
{
	const char *s;
	size_t n = 0;

	CONF_LIST_FOREACH(s, list)
		n++;
	return (n);
}

static size_t
count_strings(const char *const *strings)
{
	size_t n = 0;

	while (strings[n] != NULL)
		n++;
	return (n);
}

/* Nothing is refused, and the result holds.  Returns 0 then. */
static int
check_accepted(const char *text)
{
	const int error = parse(text);

	ATF_CHECK_EQ_MSG(error, 0, "%s: %s", text, conf->error);
	ATF_CHECK_MSG(conf_check(conf) == NULL, "%s: malformed %s", text,
	    conf_check(conf));
	return (error);
}

static void
check_refused(const char *text, const char *error)
{
	ATF_CHECK_EQ_MSG(parse(text), -EINVAL, "%s", text);
	ATF_CHECK_MSG(strncmp(conf->error, error, strlen(error)) == 0,
	    "%s: \"%s\", not \"%s\"", text, conf->error, error);
	ATF_CHECK_STREQ(conf_check(conf), "error");
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
	ATF_CHECK_EQ(parse(""), 0);
	ATF_CHECK_EQ(conf->uids.first, 65521);
	ATF_CHECK_EQ(conf->node.profile, NODE_AUTO);
	ATF_CHECK_EQ(conf->node.network_host, 0);
	ATF_CHECK_EQ(conf->node.overlay_node, 0);
	ATF_CHECK_EQ(conf->node.dns_kubernetes, 0);
	ATF_CHECK_EQ(conf->node.annotations, 1);
	ATF_CHECK_EQ(conf->node.host_network_caps, 0);
	ATF_CHECK_STREQ(conf->node.overlay_base, "");
	ATF_CHECK_STREQ(conf->node.overlay_size, "25%");
	/* The files of resolvers. */
	ATF_CHECK_EQ(count(conf->node.run_allow), 4);
	ATF_CHECK_STREQ(conf->node.device_allow, "");
	ATF_CHECK_STREQ(conf->node.runtime_root, "/run/reaper");
	ATF_CHECK_STREQ(conf->shim_log, "");
	ATF_CHECK_STREQ(conf->runtime_log, "");
	ATF_CHECK_STREQ(conf->node.log_dir, "");
	ATF_CHECK(conf_check(conf) == NULL);
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
	ATF_CHECK_EQ(conf->uids.first, 1);
	ATF_CHECK_STREQ(conf->node.log_dir, "/var/log/reaper");
	ATF_CHECK_STREQ(conf->node.runtime_root, PATH255);
	ATF_CHECK_STREQ(conf->shim_log, "/var/log/a");
	ATF_CHECK_STREQ(conf->runtime_log, PATH255);
	ATF_CHECK(conf_check(conf) == NULL);
	ATF_CHECK_EQ(
	    parse("REAPER_OVERLAY_ISOLATION=namespace\n"
		  "REAPER_UID=2147483646\nREAPER_RUNTIME_ROOT=/a.b/..c/d=e"),
	    0);
	ATF_CHECK_EQ(conf->uids.first, 2147483646);
	ATF_CHECK_STREQ(conf->node.runtime_root, "/a.b/..c/d=e");
	ATF_CHECK(conf_check(conf) == NULL);
	ATF_CHECK_EQ(conf->uids.last, 2147483646);
	ATF_CHECK_EQ(parse("REAPER_UID=65000-65499"), 0);
	ATF_CHECK_EQ(conf->uids.first, 65000);
	ATF_CHECK_EQ(conf->uids.last, 65499);
	ATF_CHECK(conf_check(conf) == NULL);
	ATF_CHECK_EQ(parse("REAPER_UID=1-65536"), 0);
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
		"\"1\"", "1#", "\xd9\xa1", "-", "1-", "-5", "5-4", "0-4",
		"1-65537", "1-2-3", "1 - 2", "2147483000-2147483647" };
	char text[64], error[80];
	size_t i;

	for (i = 0; i < COUNT(values); i++) {
		snprintf(text, sizeof(text), "REAPER_UID=%s", values[i]);
		ATF_CHECK_EQ_MSG(parse(text), -EINVAL, "%s", text);
		ATF_CHECK(
		    strstr(conf->error,
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
		"/run/\xc3\xa9", "\"/run\"", PATH255 "x", "/run/*", "/run/a?",
		"/run/[a]", "/run/\\a" };
	char text[512];
	size_t i;

	for (i = 0; i < COUNT(values) * COUNT(keys); i++) {
		snprintf(text, sizeof(text), "%s=%s", keys[i % COUNT(keys)],
		    values[i / COUNT(keys)]);
		ATF_CHECK_EQ_MSG(parse(text), -EINVAL, "%s", text);
		ATF_CHECK(
		    strstr(conf->error, "expected an absolute path") != NULL);
		ATF_CHECK_STREQ(conf->node.runtime_root, "/run/reaper");
		ATF_CHECK_STREQ(conf->shim_log, "");
		ATF_CHECK_STREQ(conf->runtime_log, "");
		ATF_CHECK_STREQ(conf->node.log_dir, "");
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
		{ "REAPER_DNS=host", "line 1: REAPER_DNS: " },
		{ "REAPER_UID", "line 1: \"REAPER_UID\": expected KEY=VALUE" },
		{ "REAPER_UID 7", "line 1: \"REAPER_UID 7\": expected" },
		{ "\xef\xbb\xbfREAPER_UID=1", "line 1: ???REAPER_UID: " },
		{ "REAPER_UID=1\nREAPER_UID=1",
		    "line 2: REAPER_UID: \"REAPER_UID\": given twice" },
		{ "REAPER_OVERLAY_ISOLATION=Node",
		    "line 1: REAPER_OVERLAY_ISOLATION: \"Node\": expected "
		    "namespace or node" },
		{ "REAPER_OVERLAY_ISOLATION=pod",
		    "line 1: REAPER_OVERLAY_ISOLATION: \"pod\": expected" },
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

	conf_init(&given);
	ATF_CHECK_EQ(conf_parse_text(&given, text, sizeof(text)), -EINVAL);
	conf_init(&given);
	ATF_CHECK_EQ(conf_parse_text(&given, "\0", 1), -EINVAL);
	ATF_CHECK_EQ(parse("REAPER_\x1b[31mUID=\xff\n"), -EINVAL);
	for (p = conf->error; *p != '\0'; p++)
		ATF_CHECK(*p >= ' ' && *p <= '~');
}

ATF_TC_WITHOUT_HEAD(conf_bounds_its_error_text);
ATF_TC_BODY(conf_bounds_its_error_text, tc)
{
	static char text[60000];

	memset(text, 'x', sizeof(text) - 1);
	ATF_CHECK_EQ(parse(text), -EINVAL);
	ATF_CHECK(strlen(conf->error) < CONF_ERROR_SIZE - 1);
	text[30000] = '=';
	ATF_CHECK_EQ(parse(text), -EINVAL);
	ATF_CHECK(strlen(conf->error) < CONF_ERROR_SIZE - 1);
	memcpy(text, "REAPER_UID=", 11);
	ATF_CHECK_EQ(parse(text), -EINVAL);
	ATF_CHECK(strlen(conf->error) < CONF_ERROR_SIZE - 1);
}

ATF_TC_WITHOUT_HEAD(conf_takes_the_environment_over_the_file);
ATF_TC_BODY(conf_takes_the_environment_over_the_file, tc)
{
	char *const envp[] = { (char[]){ "PATH=/bin" },
		(char[]){ "REAPER_UID=9" }, (char[]){ "REAPERX=1" },
		(char[]){ "REAPER_CONFIG=/x" }, (char[]){ "XREAPER_UID=1" },
		NULL };

	ATF_CHECK_EQ(parse("REAPER_UID=7\nREAPER_RUNTIME_ROOT=/r"), 0);
	ATF_CHECK_EQ(conf_parse_environment(&given, envp), 0);
	ATF_CHECK_EQ(conf->uids.first, 9);
	ATF_CHECK_STREQ(conf->node.runtime_root, "/r");
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
		conf_init(&given);
		ATF_CHECK_EQ(conf_parse_environment(&given, envp), -EINVAL);
		ATF_CHECK_MSG(strncmp(conf->error, bad[i].error,
				  strlen(bad[i].error)) == 0,
		    "%s", conf->error);
	}
	conf_init(&given);
	ATF_CHECK_EQ(conf_parse_environment(&given, twice), -EINVAL);
}

ATF_TC_WITHOUT_HEAD(conf_reads_words_and_switches);
ATF_TC_BODY(conf_reads_words_and_switches, tc)
{
	static const char *const on[] = { "true", "TRUE", "1", "Yes", "on" };
	static const char *const off[] = { "false", "False", "0", "no", "OFF" };
	char text[64];
	size_t i;

	check_accepted("REAPER_WORKLOAD_PROFILE=confined\nREAPER_DNS_MODE=k8s\n"
		       "REAPER_OVERLAY_ISOLATION=node\nREAPER_NETWORK=host");
	ATF_CHECK_EQ(conf->node.profile, NODE_CONFINED);
	ATF_CHECK_EQ(conf->node.dns_kubernetes, 1);
	ATF_CHECK_EQ(conf->node.overlay_node, 1);
	ATF_CHECK_EQ(conf->node.network_host, 1);
	check_accepted("REAPER_WORKLOAD_PROFILE=host\n"
		       "REAPER_DNS_MODE=kubernetes");
	ATF_CHECK_EQ(conf->node.profile, NODE_HOST);
	ATF_CHECK_EQ(conf->node.dns_kubernetes, 1);
	check_accepted("REAPER_WORKLOAD_PROFILE=auto\nREAPER_DNS_MODE=host");
	ATF_CHECK_EQ(conf->node.profile, NODE_AUTO);
	ATF_CHECK_EQ(conf->node.dns_kubernetes, 0);
	for (i = 0; i < COUNT(on); i++) {
		snprintf(text, sizeof(text), "REAPER_HOST_NETWORK_CAPS=%s",
		    on[i]);
		check_accepted(text);
		ATF_CHECK_EQ_MSG(conf->node.host_network_caps, 1, "%s", text);
		snprintf(text, sizeof(text), "REAPER_ANNOTATIONS_ENABLED=%s",
		    off[i]);
		check_accepted(text);
		ATF_CHECK_EQ_MSG(conf->node.annotations, 0, "%s", text);
	}
	check_refused("REAPER_WORKLOAD_PROFILE=Host",
	    "line 1: REAPER_WORKLOAD_PROFILE: \"Host\": expected auto, "
	    "confined or host");
	check_refused("REAPER_FILTER_ENABLED=maybe",
	    "line 1: REAPER_FILTER_ENABLED: \"maybe\": expected true or "
	    "false");
	check_refused("REAPER_HOST_NETWORK_CAPS=2",
	    "line 1: REAPER_HOST_NETWORK_CAPS: \"2\": ");
	check_refused("REAPER_ANNOTATIONS_ENABLED=",
	    "line 1: REAPER_ANNOTATIONS_ENABLED: \"\": ");
	check_refused("REAPER_FILTER_MODE=add",
	    "line 1: REAPER_FILTER_MODE: \"add\": expected append or replace");
}

ATF_TC_WITHOUT_HEAD(conf_takes_sizes_that_the_kernel_takes);
ATF_TC_BODY(conf_takes_sizes_that_the_kernel_takes, tc)
{
	static const char *const good[] = { "1%", "25%", "100%", "1m", "1M",
		"1024k", "1048576", "1048577", "7g", "1073741824g",
		"1152921504606846976", "999999999999999999" };
	static const char *const bad[] = { "", "%", "0", "0%", "101%", "010%",
		"010m", "0x10m", "1023k", "1048575", "0m", "-1m", "1 m", "1mb",
		"1t", "m", "1.5g", "25 %", "25%%", "1073741825g", "NONE",
		"99999999999999999999", "1152921504606846977", "k1m" };
	char text[64];
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		snprintf(text, sizeof(text), "REAPER_OVERLAY_SIZE=%s", good[i]);
		if (strlen(good[i]) > 18) {
			check_refused(text, "line 1: REAPER_OVERLAY_SIZE: ");
			continue;
		}
		check_accepted(text);
		ATF_CHECK_STREQ(conf->node.overlay_size, good[i]);
	}
	for (i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "REAPER_OVERLAY_SIZE=%s", bad[i]);
		check_refused(text, "line 1: REAPER_OVERLAY_SIZE: ");
		ATF_CHECK(strstr(conf->error, "expected 1% to 100%") != NULL);
	}
}

ATF_TC_WITHOUT_HEAD(conf_leaves_overlays_without_a_size_to_a_given_base);
ATF_TC_BODY(conf_leaves_overlays_without_a_size_to_a_given_base, tc)
{
	check_refused("\nREAPER_OVERLAY_SIZE=none",
	    "line 2: REAPER_OVERLAY_SIZE: \"none\": expected "
	    "REAPER_OVERLAY_BASE beside it");
	check_accepted("REAPER_OVERLAY_SIZE=none\n"
		       "REAPER_OVERLAY_BASE=/var/lib/reaper");
	ATF_CHECK_STREQ(conf->node.overlay_size, "");
	ATF_CHECK_STREQ(conf->node.overlay_base, "/var/lib/reaper");
	check_accepted("REAPER_OVERLAY_SIZE=none\n"
		       "REAPER_OVERLAY_BASE=/run/reaper/overlay");
	ATF_CHECK_STREQ(conf->node.overlay_size, "");
	ATF_CHECK_STREQ(conf->node.overlay_base, "");
}

ATF_TC_WITHOUT_HEAD(conf_keeps_the_base_of_overlays_apart);
ATF_TC_BODY(conf_keeps_the_base_of_overlays_apart, tc)
{
	static const struct bad bad[] = {
		{ "REAPER_OVERLAY_BASE=/run", "line 1: REAPER_OVERLAY_BASE: " },
		{ "REAPER_OVERLAY_BASE=/run/reaper",
		    "line 1: REAPER_OVERLAY_BASE: \"/run/reaper\": expected a "
		    "directory that is not in REAPER_RUNTIME_ROOT" },
		{ "REAPER_OVERLAY_BASE=/run/reaper/ns", "line 1: REAPER_OV" },
		{ "REAPER_OVERLAY_BASE=/run/reaper/overlay/a", "line 1: " },
		{ "REAPER_RUNTIME_ROOT=/a/b\nREAPER_OVERLAY_BASE=/a",
		    "line 2: REAPER_OVERLAY_BASE: " },
		{ "REAPER_LOG_DIR=/b/c\nREAPER_OVERLAY_BASE=/b",
		    "line 1: REAPER_LOG_DIR: \"/b/c\": expected a directory "
		    "that is not in REAPER_OVERLAY_BASE" },
		{ "REAPER_LOG_DIR=/b\nREAPER_OVERLAY_BASE=/b/c", "line 1: " },
		{ "REAPER_LOG_DIR=/run/reaper/overlay", "line 1: REAPER_LOG" },
	};

	check_all_refused(bad, COUNT(bad));
	check_accepted("REAPER_OVERLAY_BASE=/run/reaper-overlays");
	ATF_CHECK_STREQ(conf->node.overlay_base, "/run/reaper-overlays");
	/* Not the default any more: another root has another. */
	check_refused("REAPER_RUNTIME_ROOT=/r\nREAPER_OVERLAY_BASE=/r/overlay2",
	    "line 2: REAPER_OVERLAY_BASE: ");
	check_accepted("REAPER_RUNTIME_ROOT=/r\n"
		       "REAPER_OVERLAY_BASE=/run/reaper/overlay");
	ATF_CHECK_STREQ(conf->node.overlay_base, "/run/reaper/overlay");
	check_accepted(
	    "REAPER_OVERLAY_BASE=/r/overlay\nREAPER_RUNTIME_ROOT=/r");
	ATF_CHECK_STREQ(conf->node.overlay_base, "");
}

ATF_TC_WITHOUT_HEAD(conf_lets_confined_pods_have_what_is_named);
ATF_TC_BODY(conf_lets_confined_pods_have_what_is_named, tc)
{
	static const struct bad bad[] = {
		{ "REAPER_RUN_ALLOW=/var/run/dbus",
		    "line 1: REAPER_RUN_ALLOW: \"/var/run/dbus\": expected "
		    "absolute paths below /run" },
		{ "REAPER_RUN_ALLOW=/run", "line 1: REAPER_RUN_ALLOW: " },
		{ "REAPER_RUN_ALLOW=/run/", "line 1: REAPER_RUN_ALLOW: " },
		{ "REAPER_RUN_ALLOW=run/dbus", "line 1: REAPER_RUN_ALLOW: " },
		{ "REAPER_RUN_ALLOW=/run/a:", "line 1: REAPER_RUN_ALLOW: " },
		{ "REAPER_RUN_ALLOW=:/run/a", "line 1: REAPER_RUN_ALLOW: " },
		{ "REAPER_RUN_ALLOW=/run/a::/run/b", "line 1: REAPER_RUN" },
		{ "REAPER_RUN_ALLOW=/run/a//b", "line 1: REAPER_RUN_ALLOW: " },
		{ "REAPER_RUN_ALLOW=/run/a/../b", "line 1: REAPER_RUN_ALLOW" },
		{ "REAPER_RUN_ALLOW=/run/*", "line 1: REAPER_RUN_ALLOW: " },
		{ "REAPER_RUN_ALLOW=/run/a:/run/netns",
		    "line 1: REAPER_RUN_ALLOW: \"/run/netns\": expected "
		    "nothing that is, is in or holds what is" },
		{ "REAPER_RUN_ALLOW=/run/netns/a", "line 1: REAPER_RUN_ALLOW" },
		{ "REAPER_RUN_ALLOW=/run/containerd/containerd.sock",
		    "line 1: REAPER_RUN_ALLOW: " },
		{ "REAPER_RUN_ALLOW=/run/reaper/x", "line 1: REAPER_RUN_AL" },
		{ "REAPER_RUN_ALLOW=/run/a\nREAPER_RUNTIME_ROOT=/run/a/b",
		    "line 1: REAPER_RUN_ALLOW: \"/run/a\": " },
		{ "REAPER_RUN_ALLOW=/run/a\nREAPER_LOG_DIR=/run/a/b",
		    "line 1: REAPER_RUN_ALLOW: \"/run/a\": " },
		{ "REAPER_DEVICE_ALLOW=/dev", "line 1: REAPER_DEVICE_ALLOW: " },
		{ "REAPER_DEVICE_ALLOW=/sys/x", "line 1: REAPER_DEVICE_ALLO" },
		{ "REAPER_DEVICE_ALLOW=/dev/sd?", "line 1: REAPER_DEVICE_AL" },
		{ "REAPER_DEVICE_ALLOW=/dev/a b", "line 1: REAPER_DEVICE_AL" },
	};

	check_accepted("REAPER_RUN_ALLOW=/run/dbus/:/run/systemd/journal:"
		       "/run/dbus\nREAPER_DEVICE_ALLOW=/dev/net/tun");
	ATF_CHECK_EQ(count(conf->node.run_allow), 4 + 2);
	ATF_CHECK(has(conf->node.run_allow, "/run/dbus"));
	ATF_CHECK(has(conf->node.run_allow, "/run/systemd/journal"));
	ATF_CHECK_EQ(count(conf->node.device_allow), 1);
	ATF_CHECK(has(conf->node.device_allow, "/dev/net/tun"));
	check_accepted("REAPER_RUN_ALLOW=\nREAPER_DEVICE_ALLOW=");
	check_accepted("REAPER_RUN_ALLOW=/run/reaperx:/run/containerd2");
	check_all_refused(bad, COUNT(bad));
}

static int
is_inside(const char *path)
{
	return (
	    strncmp(path, "root/", 5) == 0 || strncmp(path, "home/", 5) == 0);
}

ATF_TC_WITHOUT_HEAD(conf_hides_more_from_confined_pods);
ATF_TC_BODY(conf_hides_more_from_confined_pods, tc)
{
	const char *const *entry;

	check_accepted("");
	/* What is in /root or /home goes with that. */
	for (entry = conf_filter_defaults; *entry != NULL; entry++) {
		ATF_CHECK_MSG(has(conf->node.filters[0], *entry) !=
			is_inside(*entry),
		    "%s", *entry);
		ATF_CHECK_MSG(has(conf->node.filters[1], *entry), "%s", *entry);
	}
	for (entry = conf_filter_confined; *entry != NULL; entry++) {
		ATF_CHECK_MSG(has(conf->node.filters[0], *entry) !=
			is_inside(*entry),
		    "%s", *entry);
		ATF_CHECK_MSG(!has(conf->node.filters[1], *entry), "%s",
		    *entry);
	}
	ATF_CHECK(has(conf->node.filters[0], "run/reaper"));
	ATF_CHECK(has(conf->node.filters[1], "run/reaper"));
	ATF_CHECK(has(conf->node.filters[1], "etc/ssh/ssh_host_ed25519_key"));
}

ATF_TC_WITHOUT_HEAD(conf_adds_filters_and_takes_them_off);
ATF_TC_BODY(conf_adds_filters_and_takes_them_off, tc)
{
	size_t all[2];

	check_accepted("");
	all[0] = count(conf->node.filters[0]);
	all[1] = count(conf->node.filters[1]);
	check_accepted("REAPER_FILTER_PATHS=/srv/*/key/:/etc/shadow:/o?t\n"
		       "REAPER_FILTER_MODE=append\nREAPER_FILTER_DIR=/x");
	ATF_CHECK_EQ(count(conf->node.filters[0]), all[0] + 2);
	ATF_CHECK_EQ(count(conf->node.filters[1]), all[1] + 2);
	ATF_CHECK(has(conf->node.filters[0], "srv/*/key"));
	ATF_CHECK(has(conf->node.filters[1], "o?t"));
	check_accepted("REAPER_FILTER_ALLOWLIST=/home/:/root:/etc/sudoers");
	/* What was inside, three of them, comes instead. */
	ATF_CHECK_EQ(count(conf->node.filters[0]), all[0] - 3 + 3);
	ATF_CHECK_EQ(count(conf->node.filters[1]), all[1] - 1);
	ATF_CHECK(!has(conf->node.filters[0], "root"));
	ATF_CHECK(!has(conf->node.filters[0], "home"));
	ATF_CHECK(has(conf->node.filters[0], "root/.ssh"));
	ATF_CHECK(has(conf->node.filters[0], "root/.kube"));
	ATF_CHECK(has(conf->node.filters[0], "home/*/.ssh"));
	ATF_CHECK(!has(conf->node.filters[1], "etc/sudoers"));
	ATF_CHECK(has(conf->node.filters[1], "etc/sudoers.d"));
	check_accepted("REAPER_FILTER_PATHS=/a:/b\nREAPER_FILTER_MODE=replace\n"
		       "REAPER_FILTER_ALLOWLIST=/b");
	ATF_CHECK_EQ(count(conf->node.filters[0]), 2);
	ATF_CHECK_EQ(count(conf->node.filters[1]), 2);
	ATF_CHECK(has(conf->node.filters[0], "a"));
	ATF_CHECK(has(conf->node.filters[0], "run/reaper"));
	check_accepted("REAPER_FILTER_ALLOWLIST=/home/*/.ssh:/home");
	ATF_CHECK_EQ(count(conf->node.filters[0]), all[0] - 1);
}

ATF_TC_WITHOUT_HEAD(conf_always_hides_what_is_its_own);
ATF_TC_BODY(conf_always_hides_what_is_its_own, tc)
{
	static const char *const own[] = { "r", "log/dir", "disk/base",
		"log/shim", "log/runtime" };
	static const char *const modes[] = { "REAPER_FILTER_ENABLED=false\n",
		"REAPER_FILTER_MODE=replace\nREAPER_FILTER_PATHS=/x\n"
		"REAPER_FILTER_ALLOWLIST=/x\n" };
	char text[512];
	size_t i, j;

	for (i = 0; i < COUNT(modes); i++) {
		snprintf(text, sizeof(text),
		    "%sREAPER_RUNTIME_ROOT=/r\n"
		    "REAPER_LOG_DIR=/log/dir\nREAPER_OVERLAY_BASE=/disk/base\n"
		    "REAPER_SHIM_LOG=/log/shim\n"
		    "REAPER_RUNTIME_LOG=/log/runtime",
		    modes[i]);
		check_accepted(text);
		for (j = 0; j < 2; j++)
			ATF_CHECK_EQ(count(conf->node.filters[j]), COUNT(own));
		for (j = 0; j < 2 * COUNT(own); j++)
			ATF_CHECK_MSG(has(conf->node.filters[j % 2],
					  own[j / 2]),
			    "%s", own[j / 2]);
	}
	check_refused("REAPER_FILTER_ALLOWLIST=/run/reaper",
	    "line 1: REAPER_FILTER_ALLOWLIST: \"/run/reaper\": no entry");
}

ATF_TC_WITHOUT_HEAD(conf_refuses_unfit_filters);
ATF_TC_BODY(conf_refuses_unfit_filters, tc)
{
	static const struct bad bad[] = {
		{ "REAPER_FILTER_PATHS=srv",
		    "line 1: REAPER_FILTER_PATHS: "
		    "\"srv\": expected absolute "
		    "paths separated by colons" },
		{ "REAPER_FILTER_PATHS=/", "line 1: REAPER_FILTER_PATHS: " },
		{ "REAPER_FILTER_PATHS=/a:b", "line 1: REAPER_FILTER_PATHS: " },
		{ "REAPER_FILTER_PATHS=/a:", "line 1: REAPER_FILTER_PATHS: " },
		{ "REAPER_FILTER_PATHS=/a//b", "line 1: REAPER_FILTER_PATH" },
		{ "REAPER_FILTER_PATHS=/a/..", "line 1: REAPER_FILTER_PATH" },
		{ "REAPER_FILTER_PATHS=/a[b]", "line 1: REAPER_FILTER_PATH" },
		{ "REAPER_FILTER_PATHS=/a\\*", "line 1: REAPER_FILTER_PATH" },
		{ "REAPER_FILTER_PATHS=/a b", "line 1: REAPER_FILTER_PATHS" },
		{ "REAPER_FILTER_PATHS=\"/a\"", "line 1: REAPER_FILTER_PAT" },
		{ "REAPER_FILTER_PATHS=" PATH255 "x", "line 1: REAPER_FILT" },
		{ "REAPER_FILTER_MODE=replace",
		    "line 1: REAPER_FILTER_MODE: \"replace\": expected "
		    "REAPER_FILTER_PATHS beside it" },
		{ "REAPER_FILTER_ALLOWLIST=/etc/shadows",
		    "line 1: REAPER_FILTER_ALLOWLIST: \"/etc/shadows\": no "
		    "entry of the list of filters reads like this" },
		{ "REAPER_FILTER_ENABLED=false\nREAPER_FILTER_ALLOWLIST=/no",
		    "line 2: REAPER_FILTER_ALLOWLIST: \"/no\": no entry" },
		{ "REAPER_FILTER_ALLOWLIST=/etc/ssh/ssh_host_dsa_*",
		    "line 1: REAPER_FILTER_ALLOWLIST: " },
		{ "REAPER_FILTER_ALLOWLIST=etc/shadow", "line 1: REAPER_FI" },
		{ "REAPER_FILTER_DIR=x", "line 1: REAPER_FILTER_DIR: \"x\"" },
	};

	check_all_refused(bad, COUNT(bad));
}

ATF_TC_WITHOUT_HEAD(conf_bounds_its_lists);
ATF_TC_BODY(conf_bounds_its_lists, tc)
{
	/* Entries of 10 bytes with their NUL: 409 fit. */
	static const struct {
		const char *key;
		int entries, error;
	} lists[] = {
		{ "REAPER_DEVICE_ALLOW", 409, 0 },
		{ "REAPER_DEVICE_ALLOW", 410, -EINVAL },
		{ "REAPER_FILTER_PATHS", 410, -EINVAL },
		/* Not with the others on the list. */
		{ "REAPER_FILTER_PATHS", 409, -EINVAL },
		{ "REAPER_FILTER_PATHS", 250, 0 },
	};
	char text[8192];
	size_t i, length;
	int entry;

	for (i = 0; i < COUNT(lists); i++) {
		length = (size_t)sprintf(text, "%s=", lists[i].key);
		for (entry = 0; entry < lists[i].entries; entry++)
			length +=
			    (size_t)sprintf(text + length, "/dev/%04d:", entry);
		text[length - 1] = '\0';
		ATF_CHECK_EQ_MSG(parse(text), lists[i].error, "list %zu: %s", i,
		    conf->error);
		if (lists[i].error != 0)
			ATF_CHECK_MSG(strstr(conf->error,
					  "longer than 4095 bytes") != NULL,
			    "%s", conf->error);
		else
			ATF_CHECK(conf_check(conf) == NULL);
	}
	parse(text);
	ATF_CHECK_EQ(count(conf->node.filters[1]),
	    250 + count_strings(conf_filter_defaults) + 1);
}

ATF_TC_WITHOUT_HEAD(conf_remembers_where_a_value_is_from);
ATF_TC_BODY(conf_remembers_where_a_value_is_from, tc)
{
	static const char text[] = "\nREAPER_UID = 7\n#\n"
				   "REAPER_NETWORK=host";
	char *const envp[] = { (char[]){ "REAPER_NETWORK=auto" }, NULL };
	const struct conf_value *values = given.values;

	conf_init(&given);
	ATF_CHECK_EQ(conf_parse_text(&given, text, strlen(text)), 0);
	ATF_CHECK_EQ(conf_parse_environment(&given, envp), 0);
	ATF_CHECK_EQ(conf_finish(&given), 0);
	ATF_CHECK_EQ(values[CONF_UID].from, 2);
	ATF_CHECK(slice_is(values[CONF_UID].text, "7"));
	ATF_CHECK_EQ(values[CONF_NETWORK].from, CONF_FROM_ENVIRONMENT);
	ATF_CHECK(slice_is(values[CONF_NETWORK].text, "auto"));
	ATF_CHECK_EQ(values[CONF_OVERLAY_SIZE].from, CONF_FROM_DEFAULT);
	ATF_CHECK(slice_is(values[CONF_OVERLAY_SIZE].text, "25%"));
	ATF_CHECK(
	    slice_is(values[CONF_OVERLAY_BASE].text, "/run/reaper/overlay"));
	ATF_CHECK_EQ(values[CONF_LOG_DIR].text.length, 0);
}

ATF_TC_WITHOUT_HEAD(conf_keeps_the_first_error);
ATF_TC_BODY(conf_keeps_the_first_error, tc)
{
	char *const envp[] = { (char[]){ "REAPER_UID=x" }, NULL };

	conf_init(&given);
	ATF_CHECK_EQ(conf_parse_text(&given, "REAPER_UID=y", 12), -EINVAL);
	ATF_CHECK_EQ(conf_parse_environment(&given, envp), -EINVAL);
	ATF_CHECK_EQ(conf_finish(&given), -EINVAL);
	ATF_CHECK(strstr(conf->error, "\"y\"") != NULL);
}

ATF_TC_WITHOUT_HEAD(conf_says_in_full_what_each_key_expects);
ATF_TC_BODY(conf_says_in_full_what_each_key_expects, tc)
{
	const struct conf_key *key;
	enum conf_key_id id;
	char text[128];

	for (id = 0; id < CONF_KEYS; id++) {
		key = conf_key(id);
		ATF_REQUIRE(key->name != NULL && key->expected != NULL &&
		    key->effect != NULL);
		ATF_CHECK((key->set != NULL) != (key->words != NULL));
		ATF_CHECK((key->initial != NULL) != (key->absent != NULL));
		snprintf(text, sizeof(text), "%s=%070d", key->name, -1);
		ATF_CHECK_EQ_MSG(parse(text), -EINVAL, "%s", text);
		ATF_CHECK_MSG(strstr(conf->error, key->expected) != NULL, "%s",
		    conf->error);
		ATF_CHECK_MSG(strstr(conf->error, " (cut)") != NULL, "%s",
		    conf->error);
	}
}

/* A valid configuration, to be spoilt. */
static struct node *
answered(void)
{
	ATF_REQUIRE_EQ(check_accepted("REAPER_RUN_ALLOW=/run/dbus\n"
				      "REAPER_DEVICE_ALLOW=/dev/kvm\n"
				      "REAPER_LOG_DIR=/var/log/reaper"),
	    0);
	return (&conf->node);
}

ATF_TC_WITHOUT_HEAD(conf_check_refuses_numbers_out_of_range);
ATF_TC_BODY(conf_check_refuses_numbers_out_of_range, tc)
{
	answered();
	conf->uids.first = 0;
	ATF_CHECK_STREQ(conf_check(conf), "uids");
	conf->uids.first = conf->uids.last = 0x7fffffff;
	ATF_CHECK_STREQ(conf_check(conf), "uids");
	conf->uids.first = 2;
	conf->uids.last = 1;
	ATF_CHECK_STREQ(conf_check(conf), "uids");
	conf->uids.last = 65538;
	ATF_CHECK_STREQ(conf_check(conf), "uids");
	answered()->profile = 3;
	ATF_CHECK_STREQ(conf_check(conf), "profile");
	answered()->network_host = 2;
	ATF_CHECK_STREQ(conf_check(conf), "network_host");
	answered()->overlay_node = 2;
	ATF_CHECK_STREQ(conf_check(conf), "overlay_node");
	answered()->dns_kubernetes = 2;
	ATF_CHECK_STREQ(conf_check(conf), "dns_kubernetes");
	answered()->annotations = 0xffffffff;
	ATF_CHECK_STREQ(conf_check(conf), "annotations");
	answered()->host_network_caps = 2;
	ATF_CHECK_STREQ(conf_check(conf), "host_network_caps");
}

ATF_TC_WITHOUT_HEAD(conf_check_refuses_malformed_paths);
ATF_TC_BODY(conf_check_refuses_malformed_paths, tc)
{
	struct node *node = answered();

	memset(node->runtime_root, 'a', sizeof(node->runtime_root));
	node->runtime_root[0] = '/';
	ATF_CHECK_STREQ(conf_check(conf), "runtime_root");
	strcpy(answered()->runtime_root, "/run/../etc");
	ATF_CHECK_STREQ(conf_check(conf), "runtime_root");
	strcpy(node->runtime_root, "");
	ATF_CHECK_STREQ(conf_check(conf), "runtime_root");
	answered();
	strcpy(conf->shim_log, "log");
	ATF_CHECK_STREQ(conf_check(conf), "shim_log");
	answered();
	memset(conf->runtime_log, '/', sizeof(conf->runtime_log));
	ATF_CHECK_STREQ(conf_check(conf), "runtime_log");
	strcpy(answered()->log_dir, "relative");
	ATF_CHECK_STREQ(conf_check(conf), "log_dir");
	memset(node->log_dir, '/', sizeof(node->log_dir));
	ATF_CHECK_STREQ(conf_check(conf), "log_dir");
	strcpy(answered()->overlay_base, "/a*");
	ATF_CHECK_STREQ(conf_check(conf), "overlay_base");
	strcpy(answered()->overlay_size, "none");
	ATF_CHECK_STREQ(conf_check(conf), "overlay_size");
	memset(node->overlay_size, '1', sizeof(node->overlay_size));
	ATF_CHECK_STREQ(conf_check(conf), "overlay_size");
	strcpy(answered()->overlay_size, "1m,uid=1");
	ATF_CHECK_STREQ(conf_check(conf), "overlay_size");
}

ATF_TC_WITHOUT_HEAD(conf_check_refuses_malformed_lists);
ATF_TC_BODY(conf_check_refuses_malformed_lists, tc)
{
	static const char *const bad[] = { "/run", "/etc/x", "run/x", "/run/",
		"/run/../x", "/run/./x", "/run//x", "/run/\x1b", "/run/*" };
	static const char *const filters[] = { "/etc", "etc/", "a//b", "..",
		"a/./b", "a\x7f", "a[b]", "a\\b" };
	struct node *node;
	size_t i;

	/* No end: text, then strings, then only the last byte missing. */
	memset(answered()->run_allow, 'a', NODE_LIST_SIZE);
	ATF_CHECK_STREQ(conf_check(conf), "run_allow");
	node = answered();
	for (i = 0; i < NODE_LIST_SIZE; i++)
		node->run_allow[i] = "/run/aa"[i % 8];
	ATF_CHECK_STREQ(conf_check(conf), "run_allow");
	node = answered();
	for (i = 0; i < NODE_LIST_SIZE; i++)
		node->device_allow[i] = "/dev/aa"[i % 8];
	ATF_CHECK_STREQ(conf_check(conf), "device_allow");
	for (i = 0; i < COUNT(bad); i++) {
		strcpy(answered()->run_allow, bad[i]);
		node->run_allow[strlen(bad[i]) + 1] = '\0';
		ATF_CHECK_STREQ(conf_check(conf), "run_allow");
		strcpy(answered()->device_allow, bad[i]);
		node->device_allow[strlen(bad[i]) + 1] = '\0';
		ATF_CHECK_STREQ(conf_check(conf), "device_allow");
	}
	for (i = 0; i < 2 * COUNT(filters); i++) {
		answered();
		ATF_REQUIRE_EQ(conf_list_add(node->filters[i % 2],
				   slice_of(filters[i / 2])),
		    0);
		ATF_CHECK_STREQ(conf_check(conf), "filters");
	}
	for (i = 0; i < 2; i++) {
		answered();
		memset(node->filters[i], 'a', NODE_LIST_SIZE);
		ATF_CHECK_STREQ(conf_check(conf), "filters");
	}
}

ATF_TC_WITHOUT_HEAD(conf_check_refuses_lists_without_what_is_reapers);
ATF_TC_BODY(conf_check_refuses_lists_without_what_is_reapers, tc)
{
	static const char *const own[] = { "run/reaper", "var/log/reaper" };
	struct node *node = answered();
	size_t i;

	for (i = 0; i < 2 * COUNT(own); i++) {
		answered();
		conf_list_remove(node->filters[i % 2],
		    conf_list_find(node->filters[i % 2], slice_of(own[i / 2])));
		ATF_CHECK_STREQ(conf_check(conf), "filters");
	}
	memset(answered()->filters, 0, sizeof(node->filters));
	ATF_CHECK_STREQ(conf_check(conf), "filters");
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
	ATF_TP_ADD_TC(tp, conf_reads_words_and_switches);
	ATF_TP_ADD_TC(tp, conf_takes_sizes_that_the_kernel_takes);
	ATF_TP_ADD_TC(tp, conf_leaves_overlays_without_a_size_to_a_given_base);
	ATF_TP_ADD_TC(tp, conf_keeps_the_base_of_overlays_apart);
	ATF_TP_ADD_TC(tp, conf_lets_confined_pods_have_what_is_named);
	ATF_TP_ADD_TC(tp, conf_hides_more_from_confined_pods);
	ATF_TP_ADD_TC(tp, conf_adds_filters_and_takes_them_off);
	ATF_TP_ADD_TC(tp, conf_always_hides_what_is_its_own);
	ATF_TP_ADD_TC(tp, conf_refuses_unfit_filters);
	ATF_TP_ADD_TC(tp, conf_bounds_its_lists);
	ATF_TP_ADD_TC(tp, conf_remembers_where_a_value_is_from);
	ATF_TP_ADD_TC(tp, conf_keeps_the_first_error);
	ATF_TP_ADD_TC(tp, conf_says_in_full_what_each_key_expects);
	ATF_TP_ADD_TC(tp, conf_check_refuses_numbers_out_of_range);
	ATF_TP_ADD_TC(tp, conf_check_refuses_malformed_paths);
	ATF_TP_ADD_TC(tp, conf_check_refuses_malformed_lists);
	ATF_TP_ADD_TC(tp, conf_check_refuses_lists_without_what_is_reapers);
	return (atf_no_error());
}
