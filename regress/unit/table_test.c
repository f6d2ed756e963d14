/*
 * What the helper does with every message that a shim may send, against a
 * second table, written from SECURITY.md and the comments of privsep/msg.h.
 *
 * The operations are observed in their place: functions called __wrap_NAME
 * stand for NAME.
 */
#include <atf-c.h>

#include "regress/unit/descriptors.h"
#include "unpriv/endpoint.h"

/* Its loop is static there. */
#define main privsep_main
int privsep_main(void);
#include "privsep/main.c"
#undef main

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STATES	     (RECORD_UNDONE + 1)
#define OK	     0

/*
 * The second table.  By state of what is named, none to UNDONE: what comes of
 * it.  An id that is in use is not given again; of what is not there, or is
 * prepared and not yet told, nothing is known; what has ended can only be
 * removed; and all else is too early, or too late.
 */
static const struct row {
	uint16_t op;
	uint32_t size, nfds; /* of a well formed message */
	int container[STATES], exec[STATES];
} table[] = {
	{ 1 /* PREPARE */, 160, 0,
	    { OK, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST,
		-EEXIST },
	    { -ENOENT, -ENOENT, -EBUSY, -EBUSY, -EBUSY, -ESRCH, -ESRCH,
		-ESRCH } },
	{ 2 /* CREATE */, 160, 0,
	    { OK, OK, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST },
	    { -ENOENT, -ENOENT, -EBUSY, -EBUSY, -EBUSY, -ESRCH, -ESRCH,
		-ESRCH } },
	{ 3 /* START */, 160, 0,
	    { -ENOENT, -ENOENT, OK, -EBUSY, -EBUSY, -ESRCH, -ESRCH, -ESRCH },
	    { -ENOENT, -ENOENT, OK, -EBUSY, -EBUSY, -ESRCH, -ESRCH, -ESRCH } },
	{ 4 /* EXEC */, 160, 1,
	    { -ENOENT, -ENOENT, -EBUSY, -EBUSY, -EBUSY, -ESRCH, -ESRCH,
		-ESRCH },
	    { OK, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST,
		-EEXIST } },
	{ 5 /* SIGNAL */, 168, 0,
	    { -ENOENT, -ENOENT, OK, OK, OK, -ESRCH, -ESRCH, -ESRCH },
	    { -ENOENT, -ENOENT, -EBUSY, OK, OK, -ESRCH, -ESRCH, -ESRCH } },
	{ 6 /* STDIO */, 424, 0,
	    { -ENOENT, -ENOENT, OK, -EBUSY, -EBUSY, -ESRCH, -ESRCH, -ESRCH },
	    { -ENOENT, -ENOENT, OK, -EBUSY, -EBUSY, -ESRCH, -ESRCH, -ESRCH } },
	{ 7 /* DELETE */, 160, 0,
	    { -ENOENT, OK, -EBUSY, -EBUSY, -EBUSY, -ESRCH, OK, -ESRCH },
	    { -ENOENT, -ENOENT, OK, -EBUSY, -EBUSY, -ESRCH, OK, -ESRCH } },
	{ 8 /* CGROUP */, 164, 0,
	    { -ENOENT, -ENOENT, OK, OK, OK, -ESRCH, -ESRCH, -ESRCH },
	    { -ENOENT, -ENOENT, -EBUSY, -EBUSY, -EBUSY, -ESRCH, -ESRCH,
		-ESRCH } },
	{ 9 /* PUBLISH */, 164, 0,
	    { -ENOENT, -ENOENT, -EBUSY, -EBUSY, OK, -ESRCH, -ESRCH, -ESRCH },
	    { -ENOENT, -ENOENT, -EBUSY, -EBUSY, -EBUSY, -ESRCH, -ESRCH,
		-ESRCH } },
};

/*
 * Operations: none, all, their neighbours, what only the helper sends, and
 * what would be one of them in fewer bits.
 */
static const uint16_t ops[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16,
	17, 18, 19, 0x0101, 0x0109, 0x8002, 0xfffe, 0xffff };

/* Who is named: OTHER is a container that runs, with an exec, created. */
static const struct origin {
	const char *id, *exec;
} origins[] = { { "c", "" }, { "c", "e" }, { "c", "ee" }, { "c", "foreign" },
	{ "cc", "" }, { "cc", "e" }, { "other", "" }, { "other", "foreign" } };

#define OTHERS 2 /* records, the first */

static struct channel shim;
static struct record before[OTHERS + 2];
static int made[3]; /* descriptors of a reply */

/* What has been done. */
static struct {
	unsigned int operations, steps, signals;
	uint16_t op;
	const struct record *record;
	int fd;
	enum record_state state;
} done;

/* The step that the last answer has named. */
static uint32_t told;

/* What an operation comes to, and whether it is the true one. */
static int outcome, truly;

int __wrap_kill(pid_t pid, int signo);
int
__wrap_step_fork(struct helper *h, const struct record *r, struct step *step);
void __wrap_log_line(const char *m, const struct msg_ref *ref, const char *text,
    int error);
operation __wrap_container_expect, __wrap_container_create,
    __wrap_process_start, __wrap_process_exec, __wrap_process_signal,
    __wrap_process_stdio, __wrap_process_delete, __wrap_process_cgroup,
    __wrap_process_publish;
operation __real_process_exec, __real_process_start;

int
__wrap_kill(pid_t pid, int signo)
{
	(void)pid;
	(void)signo;
	done.signals++;
	errno = ESRCH;
	return (-1);
}

int
__wrap_step_fork(struct helper *h, const struct record *r, struct step *step)
{
	(void)h;
	(void)r;
	(void)step;
	done.steps++;
	return (-ENOSYS);
}

void
__wrap_log_line(const char *m, const struct msg_ref *ref, const char *text,
    int error)
{
	(void)m;
	(void)ref;
	(void)text;
	(void)error;
}

static int
do_it(uint16_t op, struct record *r, struct request *rq)
{
	size_t i;

	done.operations++;
	done.op = op;
	done.record = r;
	done.state = r->state;
	done.fd = rq->fd;
	for (i = 0; outcome < 0 && i < COUNT(made); i++)
		rq->fds[i] = made[i] = dup(STDIN_FILENO);
	return (outcome);
}

int
__wrap_container_expect(struct helper *h, struct record *r, struct request *rq)
{
	(void)h;
	return (do_it(1, r, rq));
}

int
__wrap_container_create(struct helper *h, struct record *r, struct request *rq)
{
	(void)h;
	return (do_it(2, r, rq));
}

int
__wrap_process_start(struct helper *h, struct record *r, struct request *rq)
{
	return (truly ? __real_process_start(h, r, rq) : do_it(3, r, rq));
}

int
__wrap_process_exec(struct helper *h, struct record *r, struct request *rq)
{
	return (truly ? __real_process_exec(h, r, rq) : do_it(4, r, rq));
}

int
__wrap_process_signal(struct helper *h, struct record *r, struct request *rq)
{
	(void)h;
	return (do_it(5, r, rq));
}

int
__wrap_process_stdio(struct helper *h, struct record *r, struct request *rq)
{
	(void)h;
	return (do_it(6, r, rq));
}

int
__wrap_process_delete(struct helper *h, struct record *r, struct request *rq)
{
	(void)h;
	return (do_it(7, r, rq));
}

int
__wrap_process_cgroup(struct helper *h, struct record *r, struct request *rq)
{
	(void)h;
	return (do_it(8, r, rq));
}

int
__wrap_process_publish(struct helper *h, struct record *r, struct request *rq)
{
	(void)h;
	return (do_it(9, r, rq));
}

/*
 * The helper, and what it has.
 */

static void
helper_begin(void)
{
	static const uint8_t key[CHANNEL_KEY_SIZE] = "not a secret";
	int fds[2];

	ATF_REQUIRE_EQ(endpoint_pair(fds), 0);
	ATF_REQUIRE_EQ(channel_open(&shim, fds[0], CHANNEL_SHIM, key, getpid(),
			   geteuid()),
	    0);
	ATF_REQUIRE_EQ(channel_open(&helper.channel, fds[1], CHANNEL_HELPER,
			   key, getpid(), geteuid()),
	    0);
	helper.signal_fd = helper.plan_fd = helper.own_pidns_fd = -1;
	helper.bundles_fd = helper.root_fd = -1;
	memset(helper.cgroups, -1, sizeof(helper.cgroups));
}

static struct msg_ref
ref_make(const char *id, const char *exec)
{
	struct msg_ref ref = { 0 };

	strcpy(ref.id, id);
	strcpy(ref.exec, exec);
	return (ref);
}

/* Also of one that was freed: its name is still there. */
static void
record_add(const char *id, const char *exec, enum record_state state)
{
	const struct msg_ref ref = ref_make(id, exec);
	struct record *r = record_new(&helper, &ref);

	ATF_REQUIRE(r != NULL);
	r->state = state;
}

/* The container and its exec are in these states; -1: there never was one. */
static void
records_set(int container, int exec)
{
	memset(helper.records, 0, sizeof(before));
	helper.nrecords = 0;
	record_add("other", "", RECORD_RUNNING);
	record_add("other", "foreign", RECORD_CREATED);
	/* So that neither takes the place of the other. */
	if (container != -1)
		record_add("c", "", RECORD_STOPPED);
	if (exec != -1)
		record_add("c", "e", (enum record_state)exec);
	if (container != -1)
		helper.records[OTHERS].state = (enum record_state)container;
	memcpy(before, helper.records, sizeof(before));
}

static enum record_state
state_of(const struct origin *o)
{
	size_t i;

	for (i = 0; i < COUNT(before); i++) {
		if (strcmp(before[i].ref.id, o->id) == 0 &&
		    strcmp(before[i].ref.exec, o->exec) == 0)
			return (before[i].state);
	}
	return (RECORD_FREE);
}

static const struct row *
row_of(uint16_t op)
{
	const struct row *row = table;

	while (row < table + COUNT(table) && row->op != op)
		row++;
	return (row < table + COUNT(table) ? row : NULL);
}

/* A request whose every value is in range. */
static void
body_make(union msg_body *body, uint16_t op, const struct origin *o)
{
	memset(body, 0, sizeof(*body));
	body->ref = ref_make(o->id, o->exec);
	switch (op) {
	case 5:
		body->signal.signo = 15;
		break;
	case 6:
		body->stdio.stream = 1;
		strcpy(body->stdio.path, "/run/fifo/c-stdout");
		break;
	case 8:
		body->choice.which = 2;
		break;
	case 9:
		body->choice.which = EVENT_PAUSED;
		break;
	default:
		break;
	}
}

/* But for what lies where none is. */
static int
records_same(void)
{
	const struct record *r = helper.records;
	size_t i;

	for (i = 0; i < COUNT(before); i++) {
		if (r[i].state != before[i].state ||
		    (r[i].state != RECORD_FREE &&
			memcmp(&r[i], &before[i], sizeof(r[i])) != 0))
			return (0);
	}
	return (1);
}

static void
check_untouched(const char *when, uint16_t op, const struct origin *o)
{
	ATF_REQUIRE_MSG(done.operations == 0 && done.steps == 0 &&
		done.signals == 0,
	    "%s, operation %u of %s/%s: %u done, %u steps, %u signals", when,
	    op, o->id, o->exec, done.operations, done.steps, done.signals);
	ATF_REQUIRE_MSG(records_same(),
	    "%s, operation %u of %s/%s: a record has changed", when, op, o->id,
	    o->exec);
}

static void
check_silent(uint16_t op)
{
	struct msg m;
	int fds[MSG_FDS_MAX];

	ATF_REQUIRE_EQ_MSG(channel_receive(&shim, &m, fds), -EAGAIN,
	    "operation %u was answered", op);
}

/* There is one answer to this request; returns its error. */
static int
answer_of(uint64_t request)
{
	const struct msg_reply *reply;
	struct msg m;
	int fds[MSG_FDS_MAX];

	ATF_REQUIRE_EQ(channel_receive(&shim, &m, fds), 1);
	reply = &m.body.reply;
	ATF_REQUIRE_EQ(m.header.op, 17);
	ATF_REQUIRE_EQ(m.header.nfds, 0);
	ATF_REQUIRE_EQ(endpoint_body_check(17, &m.body, m.header.length), 0);
	ATF_REQUIRE_EQ(reply->request, request);
	told = reply->step;
	check_silent(m.header.op);
	return (reply->error);
}

/* A well formed request, to what is in a state. */
static void
check_formed(const struct row *row, struct msg *m, const struct origin *o,
    const int *fds)
{
	const enum record_state state = state_of(o);
	const int due = o->exec[0] != '\0' ? row->exec[state] :
					     row->container[state];

	m->header.length = row->size;
	m->header.nfds = row->nfds;
	ATF_REQUIRE_EQ_MSG(optab_dispatch(&helper, m, fds), 0,
	    "operation %u of %s/%s ends the session", row->op, o->id, o->exec);
	ATF_REQUIRE_EQ_MSG(answer_of(m->header.sequence), due,
	    "operation %u of %s/%s in state %d", row->op, o->id, o->exec,
	    state);
	ATF_REQUIRE_EQ(told, due == OK ? MSG_STEP_NONE : MSG_STEP_REQUEST);
	if (due != OK) {
		check_untouched("refused", row->op, o);
		return;
	}
	ATF_REQUIRE_EQ_MSG(done.operations, 1, "operation %u: done %u times",
	    row->op, done.operations);
	ATF_REQUIRE_EQ_MSG(done.op, row->op, "operation %u: %u was done",
	    row->op, done.op);
	ATF_REQUIRE_EQ(done.fd, fds[0]);
	ATF_REQUIRE(done.steps == 0 && done.signals == 0);
	ATF_REQUIRE_EQ(strcmp(done.record->ref.id, o->id), 0);
	ATF_REQUIRE_EQ(strcmp(done.record->ref.exec, o->exec), 0);
	/* A new one is created as far as its operation knows. */
	ATF_REQUIRE_EQ(done.state,
	    state == RECORD_FREE ? RECORD_CREATED : state);
}

/* An operation with every size and number of descriptors. */
static void
check_shapes(uint16_t op, const struct origin *o)
{
	const struct row *row = row_of(op);
	int fds[MSG_FDS_MAX + 1];
	struct msg m;
	uint32_t i;

	memset(&m, 0, sizeof(m));
	memset(&done, 0, sizeof(done));
	m.header.op = op;
	m.header.sequence = 1000;
	body_make(&m.body, op, o);
	for (m.header.nfds = 0; m.header.nfds <= MSG_FDS_MAX + 1;
	     m.header.nfds++) {
		for (i = 0; i <= MSG_FDS_MAX; i++)
			fds[i] = i < m.header.nfds ? STDIN_FILENO : -1;
		for (i = 0; i <= MSG_BODY_MAX + 1; i++) {
			if (row != NULL && row->size == i &&
			    row->nfds == m.header.nfds)
				continue;
			m.header.length = i;
			ATF_REQUIRE_EQ_MSG(optab_dispatch(&helper, &m, fds),
			    -EBADMSG, "operation %u, %u bytes, %u descriptors",
			    op, i, m.header.nfds);
		}
	}
	check_untouched("malformed", op, o);
	check_silent(op);
	ATF_REQUIRE_EQ(helper.closing, 0);
	for (i = 0; i <= MSG_FDS_MAX; i++)
		fds[i] = row != NULL && i < row->nfds ? STDIN_FILENO : -1;
	if (row != NULL)
		check_formed(row, &m, o, fds);
}

ATF_TC(only_what_the_second_table_allows_is_done);
ATF_TC_HEAD(only_what_the_second_table_allows_is_done, tc)
{
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(only_what_the_second_table_allows_is_done, tc)
{
	int container, exec;
	size_t i, k;

	helper_begin();
	for (container = -1; container < STATES; container++) {
		for (exec = -1; exec < STATES; exec++) {
			/* Execs go with their container. */
			if (container <= RECORD_FREE && exec > RECORD_FREE)
				continue;
			for (i = 0; i < COUNT(ops) * COUNT(origins); i++) {
				k = i / COUNT(ops);
				records_set(container, exec);
				check_shapes(ops[i % COUNT(ops)], &origins[k]);
			}
		}
	}
}

ATF_TC_WITHOUT_HEAD(no_other_number_is_an_operation);
ATF_TC_BODY(no_other_number_is_an_operation, tc)
{
	static const uint32_t sizes[] = { 0, 160, 164, 168, 424, 512 };
	const int fds[MSG_FDS_MAX] = { -1, -1, -1 };
	struct msg m;
	uint32_t op;
	size_t i;

	helper_begin();
	records_set(RECORD_CREATED, RECORD_CREATED);
	memset(&m, 0, sizeof(m));
	for (op = 0; op <= UINT16_MAX; op++) {
		if (op >= 1 && op <= COUNT(table))
			continue;
		m.header.op = (uint16_t)op;
		body_make(&m.body, m.header.op, &origins[0]);
		for (i = 0; i < COUNT(sizes); i++) {
			m.header.length = sizes[i];
			ATF_REQUIRE_EQ_MSG(optab_dispatch(&helper, &m, fds),
			    -EBADMSG, "operation %u", op);
		}
	}
	check_untouched("unknown", 0, &origins[0]);
	check_silent(0);
}

/*
 * The same from the wire: the peer has the key, and may send any bytes.
 */

static void
raw_send(struct msg *m, size_t size, uint32_t nfds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * (MSG_FDS_MAX + 1))];
	} control = { 0 };
	/* More than there is in any message. */
	char bytes[sizeof(*m) + 1] = { 0 };
	struct iovec iov = { bytes, size };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	const int fds[MSG_FDS_MAX + 1] = { 0 };

	memset(m->header.tag, 0, sizeof(m->header.tag));
	memcpy(bytes, m, sizeof(*m));
	crypto_generichash(m->header.tag, MSG_TAG_SIZE, (void *)bytes,
	    sizeof(m->header) + m->header.length, shim.keys, CHANNEL_KEY_SIZE);
	memcpy(bytes, m, sizeof(m->header));
	if (nfds > 0) {
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * nfds);
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
	}
	ATF_REQUIRE_EQ(sendmsg(shim.fd, &header, MSG_DONTWAIT), (ssize_t)size);
}

static void
check_sent(uint16_t op, uint32_t length, uint32_t nfds)
{
	const struct row *row = row_of(op);
	const int formed = row != NULL && row->size == length &&
	    row->nfds == nfds,
		  open_before = descriptors();
	struct msg m = { .header = { MSG_MAGIC, MSG_VERSION, op,
			     helper.channel.received + 1, length, nfds,
			     { 0 } } };

	memset(&done, 0, sizeof(done));
	body_make(&m.body, op, &origins[4]);
	raw_send(&m, sizeof(m.header) + length, nfds);
	wait_and_work(&helper);
	ATF_REQUIRE_EQ_MSG(helper.closing, !formed,
	    "operation %u, %u bytes, %u descriptors", op, length, nfds);
	helper.closing = 0;
	ATF_REQUIRE_EQ_MSG(descriptors(), open_before,
	    "operation %u, %u bytes: of %u descriptors some are left", op,
	    length, nfds);
	if (formed) {
		(void)answer_of(m.header.sequence);
		records_set(RECORD_RUNNING, RECORD_CREATED);
		return;
	}
	check_untouched("malformed", op, &origins[4]);
	check_silent(op);
}

ATF_TC(what_does_not_fit_ends_the_session_and_leaves_nothing);
ATF_TC_HEAD(what_does_not_fit_ends_the_session_and_leaves_nothing, tc)
{
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(what_does_not_fit_ends_the_session_and_leaves_nothing, tc)
{
	uint32_t length, nfds;
	size_t i;

	helper_begin();
	records_set(RECORD_RUNNING, RECORD_CREATED);
	for (i = 0; i < COUNT(ops); i++) {
		for (nfds = 0; nfds <= MSG_FDS_MAX + 1; nfds++) {
			for (length = 0; length <= MSG_BODY_MAX + 1; length++)
				check_sent(ops[i], length, nfds);
		}
	}
}

ATF_TC_WITHOUT_HEAD(a_peer_with_the_key_has_to_count_right);
ATF_TC_BODY(a_peer_with_the_key_has_to_count_right, tc)
{
	static const int64_t gaps[] = { -2, -1, 0, 2, 3, 100, INT64_MAX };
	static const struct {
		struct msg_header header;
		size_t size;
		uint32_t nfds;
	} headers[] = {
		{ { MSG_MAGIC, MSG_VERSION, 5, 0, 168, 0, { 0 } }, 224, 0 },
		{ { MSG_MAGIC + 1, MSG_VERSION, 5, 0, 168, 0, { 0 } }, 224, 0 },
		{ { MSG_MAGIC, MSG_VERSION + 1, 5, 0, 168, 0, { 0 } }, 224, 0 },
		/* It has more, or fewer bytes, or descriptors, than it says. */
		{ { MSG_MAGIC, MSG_VERSION, 5, 0, 168, 0, { 0 } }, 225, 0 },
		{ { MSG_MAGIC, MSG_VERSION, 5, 0, 168, 0, { 0 } }, 223, 0 },
		{ { MSG_MAGIC, MSG_VERSION, 5, 0, 168, 0, { 0 } }, 224, 1 },
		{ { MSG_MAGIC, MSG_VERSION, 4, 0, 160, 1, { 0 } }, 216, 0 },
		{ { MSG_MAGIC, MSG_VERSION, 4, 0, 160, 1, { 0 } }, 216, 2 },
	};
	const struct origin *o = &origins[1];
	struct msg m = { .header = { MSG_MAGIC, MSG_VERSION, 5, 0, 168, 0,
			     { 0 } } };
	size_t i;

	helper_begin();
	records_set(RECORD_RUNNING, RECORD_RUNNING);
	body_make(&m.body, 5, o);
	for (i = 0; i < COUNT(gaps); i++) {
		memset(&done, 0, sizeof(done));
		helper.channel.received = 10;
		m.header.sequence = 10 + (uint64_t)gaps[i];
		raw_send(&m, sizeof(m.header) + 168, 0);
		wait_and_work(&helper);
		ATF_CHECK_EQ_MSG(helper.closing, 1, "gap %zu", i);
		check_untouched("out of order", 5, o);
		helper.closing = 0;
	}
	/* Each with a tag that is right. */
	for (i = 0; i < COUNT(headers); i++) {
		memset(&done, 0, sizeof(done));
		m.header = headers[i].header;
		m.header.sequence = helper.channel.received + 1;
		body_make(&m.body, m.header.op,
		    m.header.op == 4 ? &origins[2] : o);
		raw_send(&m, headers[i].size, headers[i].nfds);
		wait_and_work(&helper);
		ATF_CHECK_EQ_MSG(helper.closing, i != 0, "header %zu", i);
		if (i == 0)
			ATF_CHECK_EQ(answer_of(m.header.sequence), 0);
		else
			check_untouched("of another kind", m.header.op, o);
		helper.closing = 0;
	}
}

/*
 * What fails, and what the table leaves to an operation.
 */

/* A request to the table; returns the error in its answer. */
static int
ask(uint16_t op, const struct origin *o, int fd)
{
	const struct row *row = row_of(op);
	const int fds[MSG_FDS_MAX] = { fd, -1, -1 };
	struct msg m = { .header = { .op = op,
			     .sequence = 7,
			     .length = row->size,
			     .nfds = row->nfds } };

	memset(&done, 0, sizeof(done));
	body_make(&m.body, op, o);
	ATF_REQUIRE_EQ(optab_dispatch(&helper, &m, fds), 0);
	return (answer_of(7));
}

ATF_TC_WITHOUT_HEAD(what_fails_is_told_and_leaves_nothing);
ATF_TC_BODY(what_fails_is_told_and_leaves_nothing, tc)
{
	const struct row *row;
	const struct origin *o;
	enum record_state state;
	int open_before;
	size_t i;

	helper_begin();
	outcome = -EIO;
	for (row = table; row < table + COUNT(table); row++) {
		for (i = 0; i < 2 * STATES; i++) {
			state = (enum record_state)(i / 2);
			o = &origins[i % 2];
			if ((i % 2 == 0 ? row->container : row->exec)[state] !=
			    OK)
				continue;
			records_set(i % 2 == 0 ? (int)state : RECORD_RUNNING,
			    i % 2 == 0 ? -1 : (int)state);
			open_before = descriptors();
			ATF_CHECK_EQ(ask(row->op, o, STDIN_FILENO), -EIO);
			ATF_CHECK_EQ_MSG(descriptors(), open_before,
			    "operation %u: a descriptor is left", row->op);
			/* What was not created is gone. */
			if (state <= RECORD_PREPARED)
				ATF_CHECK_EQ(record_find(&helper, o->id,
						 o->exec),
				    NULL);
			else
				ATF_CHECK(records_same());
		}
	}
}

ATF_TC_WITHOUT_HEAD(what_is_beyond_the_records_is_refused);
ATF_TC_BODY(what_is_beyond_the_records_is_refused, tc)
{
	static const struct {
		uint16_t op;
		struct origin origin;
	} more[] = { { 1, { "new", "" } }, { 2, { "new", "" } },
		{ 4, { "other", "new" } } };
	char id[16];
	size_t i;

	helper_begin();
	records_set(RECORD_RUNNING, RECORD_CREATED);
	for (i = helper.nrecords; i < HELPER_RECORDS; i++) {
		snprintf(id, sizeof(id), "c%zu", i);
		record_add(id, "", RECORD_RUNNING);
	}
	for (i = 0; i < COUNT(more); i++) {
		ATF_CHECK_EQ(ask(more[i].op, &more[i].origin, STDIN_FILENO),
		    -EMFILE);
		check_untouched("full", more[i].op, &more[i].origin);
		ATF_CHECK_EQ(helper.nrecords, HELPER_RECORDS);
	}
	helper.records[HELPER_RECORDS - 1].state = RECORD_FREE;
	ATF_CHECK_EQ(ask(2, &more[1].origin, -1), 0);
	ATF_CHECK_EQ(ask(4, &more[2].origin, STDIN_FILENO), -EMFILE);
}

static int
sealed_make(unsigned int seals)
{
	int fd = memfd_create("document", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(write(fd, "{}", 2), 2);
	ATF_REQUIRE_EQ(fcntl(fd, F_ADD_SEALS, seals), 0);
	return (fd);
}

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

ATF_TC_WITHOUT_HEAD(execs_are_made_and_started_where_the_container_runs);
ATF_TC_BODY(execs_are_made_and_started_where_the_container_runs, tc)
{
	const struct origin *e = &origins[1];
	int fd, state;

	helper_begin();
	truly = 1;
	fd = sealed_make(SEALS);
	for (state = -1; state < STATES; state++) {
		const int runs = state == RECORD_RUNNING;
		const int gone = state <= RECORD_FREE;

		records_set(state, -1);
		/* No further than the step that would do it. */
		ATF_CHECK_EQ_MSG(ask(4, e, fd),
		    runs     ? -ENOSYS :
			gone ? -ENOENT :
			       -ESRCH,
		    "exec in state %d", state);
		ATF_CHECK_EQ_MSG(done.steps, runs, "exec in state %d", state);
		ATF_CHECK_EQ(record_find(&helper, "c", "e"), NULL);
		if (gone)
			continue;
		records_set(state, RECORD_CREATED);
		ATF_CHECK_EQ_MSG(ask(3, e, -1), runs ? -ENOSYS : -ESRCH,
		    "start in state %d", state);
		ATF_CHECK_EQ_MSG(done.steps, runs, "start in state %d", state);
	}
}

ATF_TC_WITHOUT_HEAD(only_a_sealed_document_is_looked_at);
ATF_TC_BODY(only_a_sealed_document_is_looked_at, tc)
{
	static const unsigned int each[] = { F_SEAL_SEAL, F_SEAL_SHRINK,
		F_SEAL_GROW, F_SEAL_WRITE };
	const struct origin *e = &origins[1];
	int fds[9], pair[2], n = 0, i;

	helper_begin();
	truly = 1;
	for (i = 0; i < (int)COUNT(each); i++)
		fds[n++] = sealed_make(SEALS & ~each[i]);
	fds[n++] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds[n++] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	fds[n++] = open("/", O_PATH | O_CLOEXEC);
	ATF_REQUIRE_EQ(pipe2(pair, O_CLOEXEC), 0);
	fds[n++] = pair[0];
	fds[n++] = shim.fd;
	for (i = 0; i < n; i++) {
		ATF_REQUIRE(fds[i] != -1);
		records_set(RECORD_RUNNING, -1);
		ATF_CHECK_EQ_MSG(ask(4, e, fds[i]), -EINVAL, "descriptor %d",
		    i);
		check_untouched("of another kind", 4, e);
		ATF_CHECK_MSG(fcntl(fds[i], F_GETFD) != -1,
		    "what was lent is closed");
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, only_what_the_second_table_allows_is_done);
	ATF_TP_ADD_TC(tp, no_other_number_is_an_operation);
	ATF_TP_ADD_TC(tp,
	    what_does_not_fit_ends_the_session_and_leaves_nothing);
	ATF_TP_ADD_TC(tp, a_peer_with_the_key_has_to_count_right);
	ATF_TP_ADD_TC(tp, what_fails_is_told_and_leaves_nothing);
	ATF_TP_ADD_TC(tp, what_is_beyond_the_records_is_refused);
	ATF_TP_ADD_TC(tp, execs_are_made_and_started_where_the_container_runs);
	ATF_TP_ADD_TC(tp, only_a_sealed_document_is_looked_at);
	return (atf_no_error());
}
