#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "unpriv/conf.h"
#include "unpriv/conf_file.h"
#include "unpriv/sandbox.h"

static int
file_error(int error, const char *path)
{
	const char *reason = files_reason(error);

	cli_error("%.256s: %s", path,
	    reason != NULL ? reason : strerror(-error));
	return (CLI_FAILED);
}

/* Reads fd (-1: nothing) to its end.  Returns the length or -errno. */
static ssize_t
text_read(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t n = 1;

	while (fd != -1 && n > 0 && length < size) {
		n = read(fd, text + length, size - length);
		if (n == -1)
			return (-errno);
		length += (size_t)n;
	}
	return (length < size ? (ssize_t)length : -EFBIG);
}

/*
 * Parses what can be read from fd, and variables, without any privilege: from
 * here on the process can only read, write and exit.  Returns an exit code.
 */
static int
configuration_read(struct conf_given *given, int fd, const char *path,
    char *const envp[])
{
	static char text[CONF_FILE_MAX + 1];
	const char *why = given->conf.error;
	ssize_t length;
	int error;

	if ((error = sandbox_enter_decode()) != 0) {
		cli_error("giving up privilege: %s", strerror(-error));
		return (CLI_FAILED);
	}
	if ((length = text_read(fd, text, sizeof(text))) < 0)
		return (file_error((int)length, path));
	conf_init(given);
	conf_parse_text(given, text, (size_t)length);
	conf_parse_environment(given, envp);
	if (conf_finish(given) == 0)
		return (CLI_DONE);
	/* An error in a file begins with its line. */
	cli_error("%.256s: %s",
	    strncmp(why, "line ", strlen("line ")) == 0 ? path : "environment",
	    why);
	return (CLI_FAILED);
}

static int
check(const char *path)
{
	static struct conf_given given;
	char *const none[] = { NULL };
	struct stat st;
	int fd;

	/* Waits for nothing, whatever it is. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		return (file_error(-errno, path));
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return (file_error(-EBADF, path));
	}
	return (configuration_read(&given, fd, path, none));
}

static void
value_show(const struct conf_key *key, const struct conf_value *value,
    const char *path)
{
	printf("%s=%.*s\t", key->name, (int)value->text.length,
	    value->text.start);
	if (value->from == CONF_FROM_DEFAULT)
		printf("default\n");
	else if (value->from == CONF_FROM_ENVIRONMENT)
		printf("environment\n");
	else
		printf("%s:%u\n", path, value->from);
}

static int
show(void)
{
	static struct conf_given given;
	struct conf_file file;
	char path[FILES_PATH_SIZE];
	enum conf_key_id id;
	int error;

	error = conf_file_open(&file);
	if (error == -EINVAL) {
		cli_error(CONF_FILE_VARIABLE ": \"%.80s\": expected an "
					     "absolute path",
		    file.path);
		return (CLI_FAILED);
	}
	if (error != 0)
		return (file_error(error, file.blamed));
	error = configuration_read(&given, file.fd, file.path, environ);
	if (error != CLI_DONE)
		return (error);
	conf_printable(path, sizeof(path), file.path, strlen(file.path));
	for (id = 0; id < CONF_KEYS; id++)
		value_show(conf_key(id), &given.values[id], path);
	return (CLI_DONE);
}

int
cli_config(const struct options *options)
{
	return (options->check != NULL ? check(options->check) : show());
}
