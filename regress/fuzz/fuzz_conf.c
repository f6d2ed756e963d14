/*
 * Whatever the file says, the result is a configuration that can be used, or
 * an error text.
 */
#include <errno.h>

#include "regress/fuzz/fuzz.h"
#include "unpriv/conf.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_given given;
	const struct conf *conf = &given.conf;
	char *text = malloc(size > 0 ? size : 1);
	int error;

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	conf_init(&given);
	error = conf_parse_text(&given, text, size);
	if (conf_finish(&given) != 0)
		error = -EINVAL;
	free(text);

	if ((error != 0 && error != -EINVAL) ||
	    (error == 0) != (conf_check(conf) == NULL) ||
	    (error == 0) != (conf->error[0] == '\0') ||
	    memchr(conf->error, '\0', sizeof(conf->error)) == NULL)
		abort();
	for (const char *c = conf->error; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			abort();
	return (0);
}
