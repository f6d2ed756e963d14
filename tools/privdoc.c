/*
 * Operations are those of privsep/optab.c itself, which is part of this file;
 * what they do is not, so that nothing of the helper is in a tool.
 */
#include "privsep/optab.c"

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <stdlib.h>

#include "tools/privdoc.h"

/* What the table refers to. */
#define NOTHING(name)                                                    \
	int name(struct helper *h, struct record *r, struct request *rq) \
	{                                                                \
		(void)h;                                                 \
		(void)r;                                                 \
		(void)rq;                                                \
		return (0);                                              \
	}
NOTHING(container_expect)
NOTHING(container_create)
NOTHING(process_start)
NOTHING(process_exec)
NOTHING(process_signal)
NOTHING(process_stdio)
NOTHING(process_delete)
NOTHING(process_cgroup)
NOTHING(process_publish)

#define TEXT 2048
#define ROWS (sizeof(optab) / sizeof(optab[0]))

static const char *const operation_names[] = {
	[MSG_PREPARE] = "PREPARE",
	[MSG_CREATE] = "CREATE",
	[MSG_START] = "START",
	[MSG_EXEC] = "EXEC",
	[MSG_SIGNAL] = "SIGNAL",
	[MSG_STDIO] = "STDIO",
	[MSG_DELETE] = "DELETE",
	[MSG_CGROUP] = "CGROUP",
	[MSG_PUBLISH] = "PUBLISH",
};

static const char *const state_names[] = {
	[RECORD_FREE] = "not there",
	[RECORD_PREPARED] = "prepared",
	[RECORD_CREATED] = "created",
	[RECORD_STARTING] = "starting",
	[RECORD_RUNNING] = "running",
	[RECORD_ENDING] = "ending",
	[RECORD_STOPPED] = "stopped",
	[RECORD_UNDONE] = "undone",
};

/*
 * One row of columns; in mdoc and as text the first is what the others are
 * about, with their headings.
 */
static void
row_print(enum privdoc_format format, const char *const *headings,
    const char *const *cells, size_t n)
{
	size_t i;

	if (format == PRIVDOC_MARKDOWN) {
		for (i = 0; i < n; i++)
			printf(i == 0 ? "| `%s` " : "| %s ", cells[i]);
		printf("|\n");
		return;
	}
	printf(format == PRIVDOC_MAN ? ".It Cm %s\n" : "%s\n", cells[0]);
	for (i = 1; i < n; i++)
		printf(format == PRIVDOC_MAN ? "%s%s: %s.\n" : "%s\t%s: %s\n",
		    format == PRIVDOC_MAN && i > 1 ? ".br\n" : "", headings[i],
		    cells[i]);
}

static void
table_begin(enum privdoc_format format, const char *const *headings, size_t n)
{
	size_t i;

	if (format == PRIVDOC_MAN)
		printf(".Bl -tag -width Ds\n");
	if (format != PRIVDOC_MARKDOWN)
		return;
	for (i = 0; i < n; i++)
		printf("| %s ", headings[i]);
	printf("|\n");
	for (i = 0; i < n; i++)
		printf("| --- ");
	printf("|\n");
}

static void
table_end(enum privdoc_format format)
{
	if (format == PRIVDOC_MAN)
		printf(".El\n");
}

static void
word_add(char text[TEXT], const char *between, const char *word)
{
	const size_t length = strlen(text);

	if (snprintf(text + length, TEXT - length, "%s%s",
		length > 0 ? between : "", word) >= (int)(TEXT - length))
		errx(1, "\"%s\" finds no room", word);
}

static void
states_fill(char text[TEXT], uint32_t states)
{
	size_t i;

	text[0] = '\0';
	for (i = 0; i < sizeof(state_names) / sizeof(state_names[0]); i++) {
		if ((states & 1u << i) != 0)
			word_add(text, ", ", state_names[i]);
	}
	if (text[0] == '\0')
		word_add(text, "", "never");
}

/* The one length that a good body of this operation may have. */
static uint32_t
body_size(uint16_t op)
{
	static union msg_body body;
	uint32_t length;

	memset(&body, 0, sizeof(body));
	strcpy(body.ref.id, "a");
	if (op == MSG_SIGNAL)
		body.signal.signo = 1;
	if (op == MSG_STDIO)
		strcpy(body.stdio.path, "/");
	if (op == MSG_PUBLISH)
		body.choice.which = EVENT_PAUSED;
	for (length = 0; length <= sizeof(body); length++) {
		if (msg_body_check(op, &body, length) == 0)
			return (length);
	}
	errx(1, "operation %u takes no body", op);
}

void
privdoc_operations(enum privdoc_format format)
{
	static const char *const headings[] = { "operation", "body",
		"descriptors", "of a container that is", "of an exec that is" };
	char body[32], container[TEXT], exec[TEXT], fds[32];
	const char *const cells[] = { NULL, body, fds, container, exec };
	const char *row[5];
	size_t i;

	table_begin(format, headings, 5);
	for (i = 0; i < ROWS; i++) {
		memcpy(row, cells, sizeof(row));
		row[0] = operation_names[optab[i].op];
		(void)snprintf(body, sizeof(body), "%u bytes",
		    body_size(optab[i].op));
		(void)snprintf(fds, sizeof(fds), "%u", optab[i].nfds);
		states_fill(container, optab[i].container_states);
		states_fill(exec, optab[i].exec_states);
		row_print(format, headings, row, 5);
	}
	table_end(format);
}

static void
capabilities_fill(char text[TEXT], uint64_t set)
{
	char *c, *name;
	int cap;

	text[0] = '\0';
	for (cap = 0; cap < 64; cap++) {
		if ((set & UINT64_C(1) << cap) == 0)
			continue;
		if ((name = cap_to_name(cap)) == NULL)
			errx(1, "capability %d has no name", cap);
		for (c = name; *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
		word_add(text, " ", name + strlen("CAP_"));
		cap_free(name);
	}
	if (text[0] == '\0')
		word_add(text, "", "none");
}

void
privdoc_steps(enum privdoc_format format)
{
	static const char *const headings[] = { "step", "capabilities" };
	char decode[TEXT], launch[TEXT], mount[TEXT], host[TEXT];
	const char *const rows[][2] = {
		{ "decode", decode },
		{ "mount", mount },
		{ "launch", launch },
		{ "workload, confined", host },
	};
	size_t i;

	capabilities_fill(decode, policy_decode_capabilities);
	capabilities_fill(mount, policy_mount_capabilities);
	capabilities_fill(launch, policy_launch_capabilities);
	word_add(launch, ", ", "and the workload's");
	capabilities_fill(host, caps_host);
	memmove(host + strlen("never "), host, strlen(host) + 1);
	memcpy(host, "never ", strlen("never "));
	table_begin(format, headings, 2);
	for (i = 0; i < 4; i++)
		row_print(format, headings, rows[i], 2);
	table_end(format);
}

/* What a policy's text has. */
struct policy {
	char role[64], otherwise[TEXT], capabilities[TEXT], limits[TEXT];
	char calls[TEXT];
};

static int
is_listed(const char *list, const char *word)
{
	const size_t length = strlen(word);
	const char *at = list;

	while ((at = strstr(at, word)) != NULL) {
		if ((at == list || at[-1] == ' ') &&
		    (at[length] == ' ' || at[length] == '\0'))
			return (1);
		at += length;
	}
	return (0);
}

/* A line without its comment, and what is behind its first word. */
static void
line_read(struct policy *policy, char *line)
{
	char *rest = NULL, *word;

	line[strcspn(line, "#\n")] = '\0';
	if ((word = strtok_r(line, " \t", &rest)) == NULL)
		return;
	if (strcmp(word, "last") == 0)
		return;
	if (strcmp(word, "default") == 0) {
		while ((word = strtok_r(NULL, " \t", &rest)) != NULL)
			word_add(policy->otherwise, " ", word);
		return;
	}
	if (strcmp(word, "capabilities") == 0) {
		while ((word = strtok_r(NULL, " \t", &rest)) != NULL)
			word_add(policy->capabilities, " ", word);
		return;
	}
	if (strcmp(word, "rlimit") == 0) {
		word_add(policy->limits, ", ", strtok_r(NULL, " \t", &rest));
		word_add(policy->limits, " ", strtok_r(NULL, " \t", &rest));
		return;
	}
	if (strcmp(word, "deny") == 0) {
		(void)strtok_r(NULL, " \t", &rest);
		word = strtok_r(NULL, " \t", &rest);
	}
	/* Several lines of one call are its conditions. */
	if (!is_listed(policy->calls, word))
		word_add(policy->calls, " ", word);
}

static void
policy_read(struct policy *policy, const char *directory, const char *name)
{
	char line[1024], path[PATH_MAX];
	FILE *file;

	memset(policy, 0, sizeof(*policy));
	(void)snprintf(policy->role, sizeof(policy->role), "%.*s",
	    (int)strcspn(name, "."), name);
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	if ((file = fopen(path, "re")) == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file) != NULL)
		line_read(policy, line);
	fclose(file);
	if (policy->capabilities[0] == '\0')
		word_add(policy->capabilities, "", "the bundle's");
	if (policy->limits[0] == '\0')
		word_add(policy->limits, "", "none");
	if (policy->calls[0] == '\0')
		word_add(policy->calls, "", "all");
}

static int
is_policy(const struct dirent *entry)
{
	const char *dot = strchr(entry->d_name, '.');

	return (dot != NULL && strcmp(dot, ".policy") == 0);
}

void
privdoc_policies(enum privdoc_format format, const char *directory)
{
	static const char *const headings[] = { "role", "other calls",
		"capabilities", "limits", "calls" };
	static struct policy policy;
	const char *const cells[] = { policy.role, policy.otherwise,
		policy.capabilities, policy.limits, policy.calls };
	struct dirent **entries;
	int i, n;

	if ((n = scandir(directory, &entries, is_policy, alphasort)) <= 0)
		err(1, "%s", directory);
	table_begin(format, headings, 5);
	for (i = 0; i < n; i++) {
		policy_read(&policy, directory, entries[i]->d_name);
		row_print(format, headings, cells, 5);
		free(entries[i]);
	}
	free(entries);
	table_end(format);
}
