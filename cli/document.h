/*
 * Documents that the command line makes of others' and of its arguments.  Pure
 * but for memory: done in confined children.
 */
#ifndef CLI_DOCUMENT_H
#define CLI_DOCUMENT_H

#include <sys/ioctl.h>

#include "cli/options.h"
#include "cli/text.h"

#define DOCUMENT_ERROR_SIZE 256

/* What is known of a document that was read; error is "" if it is good. */
struct document_facts {
	int terminal;			/* process.terminal, or terminal */
	char error[DOCUMENT_ERROR_SIZE]; /* printable ASCII */
};

/*
 * Adds to a config.json the annotations "K=V" of list and, unless namespace is
 * NULL, those that make id a pod of its own in this Kubernetes namespace; they
 * replace those of the same names.  Returns 0, or -EINVAL with facts->error.
 */
int	 document_bundle(const char *json, size_t length,
	    const struct options_list *list, const char *namespace,
	    const char *id, struct text *out, struct document_facts *facts);

/* Adds the annotations of a config.json to out, as an object of strings. */
int	 document_annotations(const char *json, size_t length,
	    struct text *out, struct document_facts *facts);

/* Looks at the process document of an exec. */
int	 document_process(const char *json, size_t length,
	    struct document_facts *facts);

/*
 * Makes one: the operands from the second on, with the environment, working
 * directory and user of config.json where the options do not say otherwise;
 * a terminal has size at first, unless that is zero.
 */
int	 document_exec(const char *json, size_t length,
	    const struct options *options, const struct winsize *size,
	    struct text *out, struct document_facts *facts);

/*
 * Makes the resources of an update.  Returns 0, 1 if no option gives any, or
 * -EINVAL with facts->error.
 */
int	 document_resources(const struct options *options, struct text *out,
	    struct document_facts *facts);

#endif
