/*
 * What the privileged helper and the policies of the running build are, as
 * parts of documents and as text.
 */
#ifndef TOOLS_PRIVDOC_H
#define TOOLS_PRIVDOC_H

enum privdoc_format {
	PRIVDOC_MAN,
	PRIVDOC_MARKDOWN,
	PRIVDOC_TEXT,
};

/* Prints the table of operations: what each takes, and when it is allowed. */
void	 privdoc_operations(enum privdoc_format format);

/* Prints what each step keeps of the helper's capabilities. */
void	 privdoc_steps(enum privdoc_format format);

/*
 * Prints of each policy in the directory what it is by default, its
 * capabilities and limits, and the system calls that it names.  Ends the
 * program if one cannot be read.
 */
void	 privdoc_policies(enum privdoc_format format, const char *directory);

#endif
