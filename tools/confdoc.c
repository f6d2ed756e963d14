/*
 * confdoc man|markdown POLICIES <PAGE: copies a page, with those of its parts
 * made anew that the code has: the keys of the configuration, the lists of
 * filters, operations and steps of the helper, the policies in the folder
 * POLICIES.  A part is what lies between a line with "begin NAME" and one with
 * "end NAME", both comments.
 *
 * confdoc text POLICIES: all of the helper and the policies, for people.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/privdoc.h"
#include "unpriv/conf.h"
#include "unpriv/conf_filter.h"

#define COLUMNS 78

static int is_man;
static const char *policies;

/* Markdown: text with what has a meaning there escaped. */
static void
text_print(const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("*|<_`\\", *text) != NULL)
			putchar('\\');
		putchar(*text);
	}
}

/* mdoc: filled lines, each sentence on one of its own. */
static void
sentences_print(const char *text)
{
	size_t column = 0, length;

	while (*text != '\0') {
		length = strcspn(text, " ");
		if (column > 0 && column + 1 + length > COLUMNS) {
			putchar('\n');
			column = 0;
		}
		if (column > 0)
			putchar(' ');
		else if (*text == '.' || *text == '\'')
			fputs("\\&", stdout);
		printf("%.*s", (int)length, text);
		column += length + 1;
		if (text[length - 1] == '.' && text[length] == ' ') {
			putchar('\n');
			column = 0;
		}
		text += length;
		text += strspn(text, " ");
	}
	if (column > 0)
		putchar('\n');
}

static void
key_print_man(const struct conf_key *key)
{
	char line[512];

	printf(".It Cm %s\n", key->name);
	sentences_print(key->effect);
	snprintf(line, sizeof(line), "Takes %s.", key->expected);
	sentences_print(line);
	snprintf(line, sizeof(line), "Default: %s.",
	    key->initial != NULL ? key->initial : key->absent);
	sentences_print(line);
}

static void
key_print_markdown(const struct conf_key *key)
{
	printf("| `%s` | ", key->name);
	if (key->initial != NULL)
		printf("`%s`", key->initial);
	else
		text_print(key->absent);
	printf(" | ");
	text_print(key->expected);
	printf(" | ");
	text_print(key->effect);
	printf(" |\n");
}

static void
keys_print(void)
{
	enum conf_key_id id;

	if (is_man)
		printf(".Bl -tag -width Ds\n");
	else
		printf("| key | default | takes | effect |\n"
		       "| --- | --- | --- | --- |\n");
	for (id = 0; id < CONF_KEYS; id++)
		(is_man ? key_print_man : key_print_markdown)(conf_key(id));
	if (is_man)
		printf(".El\n");
}

static void
paths_print(const char *const *paths)
{
	if (is_man)
		printf(".Bl -item -compact -offset indent\n");
	else
		printf("```\n");
	for (; *paths != NULL; paths++)
		printf(is_man ? ".It\n.Pa /%s\n" : "/%s\n", *paths);
	printf(is_man ? ".El\n" : "```\n");
}

static void
part_print(const char *name)
{
	if (strcmp(name, "keys") == 0)
		keys_print();
	else if (strcmp(name, "filters") == 0)
		paths_print(conf_filter_defaults);
	else if (strcmp(name, "confined") == 0)
		paths_print(conf_filter_confined);
	else if (strcmp(name, "operations") == 0)
		privdoc_operations(is_man ? PRIVDOC_MAN : PRIVDOC_MARKDOWN);
	else if (strcmp(name, "steps") == 0)
		privdoc_steps(is_man ? PRIVDOC_MAN : PRIVDOC_MARKDOWN);
	else if (strcmp(name, "policies") == 0)
		privdoc_policies(is_man ? PRIVDOC_MAN : PRIVDOC_MARKDOWN,
		    policies);
	else {
		fprintf(stderr, "confdoc: %s is no part\n", name);
		exit(1);
	}
}

/* The name after word in a line that is a comment, or none. */
static int
mark_read(const char *line, const char *word, char name[16])
{
	char found[16];

	return (
	    sscanf(line, is_man ? ".\\\" %15s %15[a-z]" : "<!-- %15s %15[a-z]",
		found, name) == 2 &&
	    strcmp(found, word) == 0);
}

static int
text_print_all(const char *directory)
{
	printf("operations of reaper-privsep\n\n");
	privdoc_operations(PRIVDOC_TEXT);
	printf("\nsteps that it forks, and what they keep of its "
	       "capabilities\n\n");
	privdoc_steps(PRIVDOC_TEXT);
	printf("\npolicies: the system calls that each role may make; where "
	       "others are allowed,\nthose that it may not make, or not "
	       "always\n\n");
	privdoc_policies(PRIVDOC_TEXT, directory);
	return (fflush(stdout) != 0);
}

int
main(int argc, char *argv[])
{
	char line[1024], name[16], end[16];
	int inside = 0;

	if (argc == 3 && strcmp(argv[1], "text") == 0)
		return (text_print_all(argv[2]));
	if (argc != 3 ||
	    (strcmp(argv[1], "man") != 0 && strcmp(argv[1], "markdown") != 0)) {
		fprintf(stderr,
		    "usage: confdoc man|markdown POLICIES <PAGE\n"
		    "       confdoc text POLICIES\n");
		return (2);
	}
	is_man = strcmp(argv[1], "man") == 0;
	policies = argv[2];
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (inside && mark_read(line, "end", end) &&
		    strcmp(name, end) == 0)
			inside = 0;
		if (inside)
			continue;
		fputs(line, stdout);
		if (mark_read(line, "begin", name)) {
			part_print(name);
			inside = 1;
		}
	}
	if (inside) {
		fprintf(stderr, "confdoc: %s does not end\n", name);
		return (1);
	}
	return (fflush(stdout) != 0);
}
