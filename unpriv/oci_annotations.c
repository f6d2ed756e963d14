/*
 * Annotations: those of CRI, which say whose a container is, and Reaper's own,
 * which whoever makes the pod writes.  Of the latter these three are known, and
 * no other is looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "privsep/msg.h"
#include "unpriv/chars.h"
#include "unpriv/oci_reader.h"

#define NUMBER(table) (sizeof(table) / sizeof((table)[0]))
#define CRI	      "io.kubernetes.cri."
#define OWN	      "reaper.runtime/"
#define VALUE_MAX     40  /* bytes of an ignored value that are shown */
#define WORDS_MAX     256 /* bytes of a list of restrictions, with its NUL */

static int
read_container_type(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	if (json_equals(value, "sandbox"))
		reader->plan->flags |= PLAN_CRI_SANDBOX;
	else if (!json_equals(value, "container"))
		return (
		    oci_refuse(reader, value, "expected sandbox or container"));
	/* CRI gives all three; the overlay and the pod depend on them. */
	if (reader->plan->sandbox_namespace[0] == '\0')
		return (oci_refuse(reader, JSON_NONE,
		    "given without sandbox-id and sandbox-namespace"));
	return (0);
}

static int
read_sandbox_id(struct oci_reader *reader, int value, uint32_t arg)
{
	struct plan *plan = reader->plan;

	(void)arg;
	if (json_string(value, plan->sandbox_id, sizeof(plan->sandbox_id)) <
		0 ||
	    !msg_id_valid(plan->sandbox_id))
		return (oci_refuse(reader, value,
		    "expected a container's identifier"));
	plan->flags |= PLAN_CRI;
	return (0);
}

static int
is_dns_label(const char *s)
{
	size_t i, length = strlen(s);

	if (length == 0 || s[0] == '-' || s[length - 1] == '-')
		return (0);
	for (i = 0; i < length; i++) {
		if ((s[i] < 'a' || s[i] > 'z') && !chars_digit(s[i]) &&
		    s[i] != '-')
			return (0);
	}
	return (1);
}

static int
read_sandbox_namespace(struct oci_reader *reader, int value, uint32_t arg)
{
	struct plan *plan = reader->plan;

	(void)arg;
	if (json_string(value, plan->sandbox_namespace,
		sizeof(plan->sandbox_namespace)) < 0 ||
	    !is_dns_label(plan->sandbox_namespace))
		return (oci_refuse(reader, value, "expected a DNS label"));
	if (plan->sandbox_id[0] == '\0')
		return (
		    oci_refuse(reader, JSON_NONE, "given without sandbox-id"));
	plan->flags |= PLAN_CRI;
	return (0);
}

/* By hand or by Docker: which containers share a shim where CRI says nothing. */
static int
read_group(struct oci_reader *reader, int value, uint32_t arg)
{
	struct plan *plan = reader->plan;

	(void)arg;
	if ((plan->flags & PLAN_CRI) != 0)
		return (0);
	if (json_string(value, plan->sandbox_id, sizeof(plan->sandbox_id)) >=
		0 &&
	    msg_id_valid(plan->sandbox_id))
		return (0);
	return (oci_refuse(reader, value, "expected a container's identifier"));
}

/* Without one, no volume is known to be the pod's. */
static int
read_sandbox_uid(struct oci_reader *reader, int value, uint32_t arg)
{
	char *uid = reader->plan->pod_uid;

	(void)arg;
	if (json_string(value, uid, sizeof(reader->plan->pod_uid)) < 0 ||
	    !is_dns_label(uid))
		memset(uid, 0, sizeof(reader->plan->pod_uid));
	return (0);
}

/* In this order: each reader looks at what the one before it found. */
static const struct oci_field cri_fields[] = {
	{ CRI "sandbox-id", JSON_STRING, 0, read_sandbox_id, 0 },
	{ CRI "sandbox-namespace", JSON_STRING, 0, read_sandbox_namespace, 0 },
	{ CRI "sandbox-uid", JSON_STRING, 0, read_sandbox_uid, 0 },
	{ CRI "container-type", JSON_STRING, 0, read_container_type, 0 },
	{ "io.containerd.runc.v2.group", JSON_STRING, 0, read_group, 0 },
};

/*
 * Says, once more for each, that a value is not applied; instead: why, or what
 * it should be.  It goes where an error would: the plan is good nevertheless.
 */
static void
warn(struct oci_reader *reader, const char *name, int value,
    const char *instead)
{
	char *error = reader->plan->error, shown[VALUE_MAX + 4];
	const size_t used = strlen(error);
	const char *raw;
	size_t length;
	char *p;

	raw = json_raw(value, &length);
	snprintf(shown, sizeof(shown), "%.*s%s",
	    (int)(length < VALUE_MAX ? length : VALUE_MAX), raw,
	    length > VALUE_MAX ? "..." : "");
	/* It stands in lines of logs: nothing in it may end them. */
	for (p = shown; *p != '\0'; p++) {
		if (*p < ' ' || *p > '~' || strchr("\"'`\\", *p) != NULL)
			*p = '?';
	}
	snprintf(error + used, sizeof(reader->plan->error) - used,
	    "%sannotation %s: value %s ignored, %s", used > 0 ? "; " : "", name,
	    json_type(value) == JSON_STRING ? shown : "of another type",
	    instead);
}

/* A string of at most size - 1 bytes, in lower case; or -1. */
static int
lower_string(int value, char *text, size_t size)
{
	char *p;

	if (json_string(value, text, size) < 0)
		return (-1);
	for (p = text; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	}
	return (0);
}

static int
read_dns_mode(struct oci_reader *reader, const char *name, int value)
{
	static const struct {
		const char *word;
		int kubernetes;
	} modes[] = { { "host", 0 }, { "kubernetes", 1 }, { "k8s", 1 } };
	char text[16];
	size_t i;

	if (lower_string(value, text, sizeof(text)) == 0) {
		for (i = 0; i < NUMBER(modes); i++) {
			if (strcmp(text, modes[i].word) != 0)
				continue;
			reader->dns_kubernetes = modes[i].kubernetes;
			return (0);
		}
	}
	warn(reader, name, value, "expected host or kubernetes");
	return (0);
}

static int
read_overlay_name(struct oci_reader *reader, const char *name, int value)
{
	char text[PLAN_NAMESPACE_SIZE] = { 0 };
	int fits = lower_string(value, text, sizeof(text)) == 0;

	if (fits && text[0] == '\0')
		return (0);
	if (!fits || !is_dns_label(text))
		warn(reader, name, value,
		    "expected a DNS label of at most 63 characters");
	else if (reader->on->node->overlay_node)
		warn(reader, name, value,
		    "all pods of this node share one overlay");
	else
		memcpy(reader->plan->overlay_name, text, sizeof(text));
	return (0);
}

static const struct {
	const char *word;
	uint32_t flag;	     /* of the plan, */
	uint32_t restricted; /* or of the reader */
} restrictions[] = {
	{ "no-network", 0, OCI_NO_NETWORK },
	{ "read-only", PLAN_ROOT_READONLY, 0 },
	{ "no-exec", PLAN_NO_EXEC, 0 },
	{ "no-hostpath", 0, OCI_NO_HOSTPATH },
};

/* A word that is not known may be one that matters: it is never passed over. */
static int
restrict_by(struct oci_reader *reader, const char *word, size_t length)
{
	char text[WORDS_MAX + 96];
	size_t i;

	for (i = 0; i < NUMBER(restrictions); i++) {
		if (strlen(restrictions[i].word) != length ||
		    memcmp(restrictions[i].word, word, length) != 0)
			continue;
		reader->plan->flags |= restrictions[i].flag;
		reader->restricted |= restrictions[i].restricted;
		return (0);
	}
	snprintf(text, sizeof(text),
	    "\"%.*s\": expected no-network, read-only, no-exec or no-hostpath",
	    (int)length, word);
	return (oci_refuse(reader, JSON_NONE, text));
}

static int
read_restrict(struct oci_reader *reader, const char *name, int value)
{
	char text[WORDS_MAX];
	const char *p = text;
	size_t length, word;

	(void)name;
	if (json_string(value, text, sizeof(text)) < 0)
		return (oci_refuse(reader, value,
		    "expected a string of at most 255 bytes"));
	/* Nothing at all restricts nothing. */
	if (text[strspn(text, " ")] == '\0')
		return (0);
	for (;; p += length + 1) {
		p += strspn(p, " ");
		length = word = strcspn(p, ",");
		while (word > 0 && p[word - 1] == ' ')
			word--;
		if (restrict_by(reader, p, word) != 0)
			return (-EINVAL);
		if (p[length] == '\0')
			return (0);
	}
}

/*
 * Restrictions only tighten, so they are applied to whatever has them, and
 * whether or not the node lets pods have annotations: who asks to be confined
 * is not to run without it unnoticed.
 */
static const struct {
	const char *name;
	int always;
	int (*read)(struct oci_reader *reader, const char *name, int value);
} own_fields[] = {
	{ OWN "dns-mode", 0, read_dns_mode },
	{ OWN "overlay-name", 0, read_overlay_name },
	{ OWN "restrict", 1, read_restrict },
};

static int
read_own(struct oci_reader *reader, int object)
{
	const int allowed = reader->on->node->annotations &&
	    (reader->plan->flags & PLAN_CRI) != 0;
	const size_t length = strlen(reader->path);
	int error = 0, value;
	size_t i;

	for (i = 0; i < NUMBER(own_fields) && error == 0; i++) {
		if (!own_fields[i].always && !allowed)
			continue;
		snprintf(reader->path + length, sizeof(reader->path) - length,
		    ".%s", own_fields[i].name);
		if (json_member(object, own_fields[i].name, &value) != 0)
			error = oci_refuse(reader, JSON_NONE, "given twice");
		else if (value != JSON_NONE)
			error = own_fields[i].read(reader, own_fields[i].name,
			    value);
		reader->path[length] = '\0';
	}
	return (error);
}

int
oci_read_annotations(struct oci_reader *reader, int value, uint32_t arg)
{
	(void)arg;
	if (oci_read_object(reader, value, cri_fields,
		OCI_FIELDS(cri_fields)) != 0)
		return (-EINVAL);
	return (read_own(reader, value));
}
