/*
 * Linked into the programs with SANITIZE=1: keeps what a sanitizer reports
 * where a test finds it.
 *
 * A process that is confined can open no file, and its standard error may be a
 * workload's or nobody's.  So the file of reports is mapped, shared, before
 * main, where nothing is confined yet; what is forked later has the mapping.  It
 * has SLOTS reports of SLOT_SIZE bytes, the rest of each is zeros.  The next
 * test begins with no file.
 */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sanitizer/asan_interface.h>

#define SLOTS	  32
#define SLOT_SIZE 8192

static char (*slots)[SLOT_SIZE];

/* libubsan's; no header declares them. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
void __ubsan_handle_add_overflow(void *, void *, void *);
void __ubsan_on_report(void);
void __ubsan_get_current_report_data(const char **, const char **,
    const char **, unsigned *, unsigned *, char **);

static void
report(const char *text)
{
	char empty;
	int i;

	for (i = 0; slots != NULL && i < SLOTS; i++) {
		empty = '\0';
		if (!__atomic_compare_exchange_n(&slots[i][0], &empty, '\n', 0,
			__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		snprintf(&slots[i][1], SLOT_SIZE - 1, "%s: %s\n",
		    program_invocation_short_name, text);
		return;
	}
}

/*
 * No symbols, which would be looked up in files, by another program.  No leaks:
 * what ends by _exit(2) has not been asked for any, and looking for them takes
 * ptrace(2).
 */
const char *
__asan_default_options(void)
{
	return ("symbolize=0:detect_leaks=0:color=never");
}

const char *
__ubsan_default_options(void)
{
	return ("symbolize=0:color=never:silence_unsigned_overflow=1");
}

void
__ubsan_on_report(void)
{
	const char *kind, *message, *file;
	unsigned line, column;
	char *address, text[1024];

	__ubsan_get_current_report_data(&kind, &message, &file, &line, &column,
	    &address);
	snprintf(text, sizeof(text), "%s:%u:%u: %s: %s", file, line, column,
	    kind, message);
	report(text);
}

/*
 * libubsan reads its options, and files, when it has something to say for the
 * first time.  This is something that it then keeps to itself: two unsigned
 * ints overflow.
 */
static void
ubsan_prepare(void)
{
	static struct {
		unsigned short kind, info; /* integer, 2^5 bits, unsigned */
		char name[16];
	} type = { 0, 5 << 1, "'unsigned int'" };
	static struct {
		const char *file;
		unsigned line, column;
		void *type;
	} overflow = { __FILE__, 1, 1, &type };

	__ubsan_handle_add_overflow(&overflow, (void *)1, (void *)1);
}

static void __attribute__((constructor)) reports_open(void)
{
	const size_t size = (size_t)SLOTS * SLOT_SIZE;
	void *map;
	int fd;

	ubsan_prepare();
	/* Where there will be no /proc: what is mapped now. */
	__sanitizer_sandbox_on_notify(NULL);
	__asan_set_error_report_callback(report);
	fd = open(REPORTS, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	/* Who is not root is not confined. */
	if (fd == -1)
		return;
	map = ftruncate(fd, (off_t)size) == -1 ?
	    MAP_FAILED :
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED) {
		perror(REPORTS);
		_exit(1);
	}
	slots = map;
}
