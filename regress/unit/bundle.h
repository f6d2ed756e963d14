/*
 * What tests of the OCI decoder share: documents, decoded for a node, and a
 * look at the plan.
 */
#ifndef REGRESS_UNIT_BUNDLE_H
#define REGRESS_UNIT_BUNDLE_H

#include <atf-c.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "privsep/plan.h"
#include "unpriv/oci.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Real documents, linked in as they are. */
#define SAMPLE(name, file)                                          \
	__asm__(".pushsection .rodata\n" #name "_start: .incbin \"" \
		"regress/unit/bundles/" file "\"\n" #name "_end:\n" \
		".popsection");                                     \
	extern const char name##_start[], name##_end[]

/* The members that a process must have. */
#define USER	    "\"user\":{\"uid\":0,\"gid\":0}"
#define CWD	    "\"cwd\":\"/\""
#define ARGS	    "\"args\":[\"a\"]"
#define NEEDED	    USER "," CWD "," ARGS
#define BASE_MOUNTS 31 /* what every container has */
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

/* The node that documents are decoded for. */
static struct node node;
static struct oci_node on = { .node = &node };

static inline int
decode(uint32_t kind, const char *json, size_t length)
{
	memset(&plan, 0xa5, sizeof(plan));
	return (oci_decode(kind, json, length, &on, &plan, strings,
	    sizeof(strings)));
}

static inline void
check_good(uint32_t kind, const char *json, size_t length)
{
	const char *bad;
	int n = decode(kind, json, length);

	ATF_REQUIRE_MSG(n >= 0, "%.200s: %s", json, plan.error);
	bad = plan_check(&plan, kind, strings, (size_t)n);
	ATF_REQUIRE_MSG(bad == NULL, "%.200s: %s", json, bad);
}

static inline void
check_process(const char *more)
{
	char json[4096];

	snprintf(json, sizeof(json), "{" NEEDED "%s%s}",
	    more[0] != '\0' ? "," : "", more);
	check_good(PLAN_PROCESS, json, strlen(json));
}

static inline void
check_bundle(const char *json)
{
	check_good(PLAN_BUNDLE, json, strlen(json));
}

/* Refused, with an error that begins like this, and with nothing else. */
static inline void
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

static inline void
check_bad_bundles(const struct bad *bad, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		check_bad(PLAN_BUNDLE, bad[i].json, strlen(bad[i].json),
		    bad[i].error);
}

/* Each in a process of an exec and in one of a bundle. */
static inline void
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

#define MOUNTS(list) BUNDLE("\"mounts\":[" list "]")
#define MOUNT(type, from, to, options)                                    \
	"{\"type\":\"" type "\",\"source\":\"" from "\",\"destination\":" \
	"\"" to "\",\"options\":[" options "]}"
#define BIND(from, to, options) MOUNT("bind", from, to, options)

/* String number n of the plan. */
static inline const char *
string_at(uint32_t n)
{
	const char *p = strings;

	for (; n > 0; n--)
		p += strlen(p) + 1;
	return (p);
}

/* The value of a variable of the plan's environment, or NULL. */
static inline const char *
variable(const char *name)
{
	const char *p = string_at(1 + plan.argc);
	uint32_t i;

	for (i = 0; i < plan.envc; i++, p += strlen(p) + 1) {
		if (strncmp(p, name, strlen(name)) == 0 &&
		    p[strlen(name)] == '=')
			return (p + strlen(name) + 1);
	}
	return (NULL);
}

/* Mount number i of the plan, as it lies behind the strings. */
static inline struct plan_mount
mount_at(uint32_t i, const char **destination, const char **source)
{
	const char *records = strings + plan.strings_length;
	struct plan_mount m;

	ATF_REQUIRE_MSG(i < plan.nmounts, "%u of %u", i, plan.nmounts);
	*destination = string_at(1 + plan.argc + plan.envc + 2 * i);
	*source = *destination + strlen(*destination) + 1;
	memcpy(&m, records + i * sizeof(m), sizeof(m));
	return (m);
}

/* The number of mounts of this kind there; 0: of any kind. */
static inline int
mounts_on(const char *path, uint32_t kind)
{
	const char *destination, *source;
	struct plan_mount m;
	uint32_t i;
	int n = 0;

	for (i = 0; i < plan.nmounts; i++) {
		m = mount_at(i, &destination, &source);
		n += strcmp(destination, path) == 0 &&
		    (kind == 0 || m.kind == kind);
	}
	return (n);
}

static inline void
check_mount(uint32_t i, const char *destination, const char *source,
    struct plan_mount expected)
{
	const char *to, *from;
	struct plan_mount m = mount_at(i, &to, &from);

	ATF_CHECK_STREQ(to, destination);
	ATF_CHECK_STREQ(from, source);
	ATF_CHECK_EQ_MSG(m.kind, expected.kind, "%s", destination);
	ATF_CHECK_EQ_MSG(m.mode, expected.mode, "%s", destination);
	ATF_CHECK_EQ_MSG(m.attributes, expected.attributes, "%s", destination);
	ATF_CHECK_EQ_MSG(m.propagation, expected.propagation, "%s",
	    destination);
	ATF_CHECK_EQ_MSG(m.number, expected.number, "%s", destination);
}

#endif
