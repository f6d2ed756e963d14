
#include "privsep/helper.h"

#define LINE_SIZE	768	/* below PIPE_BUF: one write is one line */

void
log_line(const char *m, const struct msg_ref *ref, const char *text,
    int error)
{
	char clean[MSG_TEXT_SIZE], line[LINE_SIZE];
	size_t i;

	if (text == NULL)
		text = "";
	for (i = 0; text[i] != '\0' && i < sizeof(clean) - 1; i++)
		clean[i] = text[i] < ' ' || text[i] > '~' || text[i] == '"' ||
		    text[i] == '\\' ? '?' : text[i];
	clean[i] = '\0';
	i = (size_t)snprintf(line, sizeof(line), "program=reaper-privsep "
	    "msg=\"%s\" id=%s exec=%s errno=%d text=\"%s\"\n", m,
	    ref != NULL ? ref->id : "", ref != NULL ? ref->exec : "", -error,
	    clean);
	/* The log is a FIFO in non-blocking mode: a full one loses lines. */
	if (write(STDERR_FILENO, line, i < sizeof(line) ? i : sizeof(line)) < 0)
		return;
}

void
log_fatal(const char *m)
{
	log_line(m, NULL, NULL, -errno);
	_exit(1);
}
