#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "shim/args.h"
#include "shim/report.h"

enum kind {
	FLAG_SWITCH,  /* int */
	FLAG_TEXT,    /* const char * */
	FLAG_ID,      /* char[MSG_ID_SIZE] */
	FLAG_IGNORED, /* has a value */
};

static const struct flag {
	const char *name;
	enum kind kind;
	size_t offset; /* in struct shim_args */
} flags[] = {
	{ "namespace", FLAG_ID, offsetof(struct shim_args, namespace) },
	{ "id", FLAG_ID, offsetof(struct shim_args, id) },
	{ "address", FLAG_TEXT, offsetof(struct shim_args, address) },
	{ "bundle", FLAG_TEXT, offsetof(struct shim_args, bundle) },
	{ "debug", FLAG_SWITCH, offsetof(struct shim_args, debug) },
	{ "v", FLAG_SWITCH, offsetof(struct shim_args, version) },
	{ "info", FLAG_SWITCH, offsetof(struct shim_args, info) },
	/* Events go through TTRPC_ADDRESS, not through this program. */
	{ "publish-binary", FLAG_IGNORED, 0 },
};
#define FLAGS (sizeof(flags) / sizeof(flags[0]))

static const struct flag *
flag_find(const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < FLAGS; i++) {
		if (strlen(flags[i].name) == length &&
		    memcmp(flags[i].name, name, length) == 0)
			return (&flags[i]);
	}
	return (NULL);
}

/* A switch takes its value only after '='; value is NULL without. */
static int
flag_switch(int *on, const char *value)
{
	if (value == NULL || strcmp(value, "true") == 0 ||
	    strcmp(value, "1") == 0)
		*on = 1;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*on = 0;
	else
		return (-EINVAL);
	return (0);
}

static int
flag_set(struct shim_args *args, const struct flag *flag, const char *value)
{
	char *field = (char *)args + flag->offset;

	switch (flag->kind) {
	case FLAG_SWITCH:
		return (flag_switch((int *)(void *)field, value));
	case FLAG_TEXT:
		memcpy(field, &value, sizeof(value));
		return (0);
	case FLAG_ID:
		if (strlen(value) >= MSG_ID_SIZE)
			return (-EINVAL);
		memset(field, 0, MSG_ID_SIZE);
		/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): it is. */
		memcpy(field, value, strlen(value));
		return (msg_id_valid(field) ? 0 : -EINVAL);
	case FLAG_IGNORED:
		break;
	}
	return (0);
}

/* Reads the flag argv[*i] and, if it takes one, its value after it. */
static int
flag_parse(struct shim_args *args, int argc, char *const argv[], int *i)
{
	const char *name = argv[*i] + 1, *value;
	const struct flag *flag;
	size_t length;

	if (name[0] == '-')
		name++;
	length = strcspn(name, "=");
	value = name[length] == '=' ? name + length + 1 : NULL;
	if ((flag = flag_find(name, length)) == NULL) {
		report("flag \"%.32s\" is unknown", argv[*i]);
		return (-EINVAL);
	}
	if (value == NULL && flag->kind != FLAG_SWITCH) {
		if (*i + 1 == argc) {
			report("flag -%s needs a value", flag->name);
			return (-EINVAL);
		}
		value = argv[++*i];
	}
	if (flag_set(args, flag, value) != 0) {
		report("flag -%s: \"%.80s\": expected %s", flag->name, value,
		    flag->kind == FLAG_SWITCH ?
			"true or false" :
			"an identifier of containerd that Reaper does not use "
			"itself");
		return (-EINVAL);
	}
	return (0);
}

static int
action_parse(struct shim_args *args, const char *word)
{
	if (word != NULL && strcmp(word, "start") == 0)
		args->action = SHIM_START;
	else if (word != NULL && strcmp(word, "delete") == 0)
		args->action = SHIM_DELETE;
	else {
		report("expected an action: start or delete");
		return (-EINVAL);
	}
	if (args->namespace[0] == '\0' || args->id[0] == '\0') {
		report("the flags -namespace and -id are needed");
		return (-EINVAL);
	}
	return (0);
}

int
args_parse(struct shim_args *args, int argc, char *const argv[])
{
	int error, i;

	memset(args, 0, sizeof(*args));
	args->address = args->bundle = "";
	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if ((error = flag_parse(args, argc, argv, &i)) != 0)
			return (error);
	}
	if (args->version || args->info)
		return (0);
	return (action_parse(args, i < argc ? argv[i] : NULL));
}
