/*
 * A helper that was taken over, and the descriptors that it sends: to every
 * request every number of them, of every kind, with every word about them,
 * against a table of what fits.  All else ends the session, and leaves none.
 */
#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "privsep/channel.h"
#include "regress/unit/descriptors.h"
#include "regress/unit/settle.h"
#include "unpriv/endpoint.h"
#include "unpriv/priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* How a descriptor is open: any, or as one of these. */
enum kind { READS, WRITES, BOTH, READS_NOW, WRITES_NOW, BOTH_NOW, KINDS };

#define HEARS	   (1u << READS_NOW)
#define TALKS	   (1u << BOTH_NOW)
#define IS_READ	   (1u << READS | 1u << READS_NOW)
#define IS_WRITTEN (1u << WRITES | 1u << WRITES_NOW)
#define IS_BOTH	   (1u << BOTH | 1u << BOTH_NOW)

static const int flags[KINDS] = {
	[READS] = O_RDONLY,
	[WRITES] = O_WRONLY,
	[BOTH] = O_RDWR,
	[READS_NOW] = O_RDONLY | O_NONBLOCK,
	[WRITES_NOW] = O_WRONLY | O_NONBLOCK,
	[BOTH_NOW] = O_RDWR | O_NONBLOCK,
};

/* What is asked. */
enum question {
	PREPARE,
	CREATE,
	START,
	START_EXEC,
	EXEC,
	KILL,
	STDIN,
	STDOUT,
	DELETE,
	LIMIT,
	MEASURE,
	PUBLISH,
	QUESTIONS
};

#define WORD(n) (1u << (n))

/*
 * What fits: the words of the answer, by bit, with so many descriptors of
 * these kinds.
 */
static const struct fit {
	enum question question;
	uint32_t words, nfds, kinds[2];
} fits[] = {
	{ PREPARE, WORD(0), 0, { 0 } },
	{ CREATE, WORD(0), 0, { 0 } },
	{ CREATE, WORD(4), 1, { TALKS } },
	{ START, WORD(0), 0, { 0 } },
	{ START, WORD(1) | WORD(2), 1, { TALKS } },
	{ START, WORD(3), 2, { TALKS, TALKS } },
	{ START_EXEC, WORD(0), 0, { 0 } },
	{ START_EXEC, WORD(1) | WORD(2) | WORD(4), 1, { TALKS } },
	{ START_EXEC, WORD(3), 2, { TALKS, TALKS } },
	{ EXEC, WORD(0), 0, { 0 } },
	{ KILL, WORD(0), 0, { 0 } },
	{ STDIN, WORD(0), 1, { IS_WRITTEN } },
	{ STDIN, WORD(0), 2, { IS_WRITTEN, HEARS } },
	{ STDOUT, WORD(0), 0, { 0 } },
	{ STDOUT, WORD(0), 1, { TALKS } },
	{ DELETE, WORD(0), 0, { 0 } },
	{ LIMIT, WORD(0) | WORD(8), 1, { IS_BOTH } },
	{ MEASURE, WORD(0) | WORD(8), 1, { IS_READ } },
	{ PUBLISH, WORD(0), 0, { 0 } },
};

static struct outcome {
	int lost, calls, error;
} outcome;

static void
on_ready(void *arg)
{
	(void)arg;
}

static int
on_exited(void *arg, const struct msg_exited *exited)
{
	(void)arg;
	(void)exited;
	return (-1);
}

static void
on_lost(void *arg, const char *why)
{
	(void)arg;
	(void)why;
	outcome.lost++;
}

static void
on_done(void *arg, const struct msg_reply *reply, int fds[MSG_FDS_MAX])
{
	(void)arg;
	outcome.calls++;
	outcome.error = reply->error;
	fdpass_close(fds, MSG_FDS_MAX);
}

static int
ask(struct priv *priv, enum question question)
{
	static const struct msg_ref c = { .id = "c1" };
	static const struct msg_ref e = { .id = "c1", .exec = "e1" };

	switch (question) {
	case PREPARE:
		return (priv_prepare(priv, &c, on_done, NULL));
	case CREATE:
		return (priv_create(priv, &c, on_done, NULL));
	case START:
		return (priv_start(priv, &c, on_done, NULL));
	case START_EXEC:
		return (priv_start(priv, &e, on_done, NULL));
	case EXEC:
		return (priv_exec(priv, &e, open("/dev/null", O_RDONLY),
		    on_done, NULL));
	case KILL:
		return (priv_signal(priv, &c, 15, 0, on_done, NULL));
	case STDIN:
		return (
		    priv_stdio(priv, &c, MSG_STDIN, 0, "/f", on_done, NULL));
	case STDOUT:
		return (
		    priv_stdio(priv, &c, MSG_STDOUT, 0, "/f", on_done, NULL));
	case DELETE:
		return (priv_delete(priv, &c, on_done, NULL));
	case LIMIT:
		return (
		    priv_cgroup(priv, &c, MSG_CGROUP_FREEZE, on_done, NULL));
	case MEASURE:
		return (priv_cgroup(priv, &c, MSG_CGROUP_FREEZE + 1, on_done,
		    NULL));
	default:
		return (priv_publish(priv, &c, EVENT_PAUSED, on_done, NULL));
	}
}

static int
is_fit(enum question question, uint32_t word, uint32_t nfds,
    const enum kind kinds[2])
{
	const struct fit *fit;
	uint32_t i;

	for (fit = fits; fit < fits + COUNT(fits); fit++) {
		if (fit->question != question || fit->nfds != nfds ||
		    (fit->words & WORD(word)) == 0)
			continue;
		for (i = 0; i < nfds && (fit->kinds[i] & 1u << kinds[i]) != 0;)
			i++;
		if (i == nfds)
			return (1);
	}
	return (0);
}

/* One answer to one question, in a session of its own. */
static void
check_answer(enum question question, uint32_t word, uint32_t nfds,
    const enum kind kinds[2], int error, int ready)
{
	static const uint8_t key[CHANNEL_KEY_SIZE] = "not a secret";
	static const struct priv_handlers handlers = { on_ready, on_exited,
		on_lost };
	const int before = descriptors();
	const struct msg_ready hello = { (uint32_t)getpid() };
	struct msg_reply reply = { .pid = 100,
		.fds = word,
		.error = error,
		.step = error != 0 ? MSG_STEP_REQUEST : MSG_STEP_NONE };
	struct channel helper, shim;
	struct loop *loop = loop_new();
	struct priv *priv;
	int ends[2], fds[MSG_FDS_MAX] = { -1, -1, -1 }, good;
	struct msg m;
	uint32_t i;

	memset(&outcome, 0, sizeof(outcome));
	ATF_REQUIRE(loop != NULL);
	ATF_REQUIRE_EQ(endpoint_pair(ends), 0);
	ATF_REQUIRE_EQ(channel_open(&shim, ends[0], CHANNEL_SHIM, key, getpid(),
			   geteuid()),
	    0);
	ATF_REQUIRE_EQ(channel_open(&helper, ends[1], CHANNEL_HELPER, key,
			   getpid(), geteuid()),
	    0);
	priv = priv_new(loop, &shim, getpid(), &handlers, NULL);
	ATF_REQUIRE(priv != NULL);
	if (ready)
		ATF_REQUIRE_EQ(channel_send(&helper, MSG_READY, &hello,
				   sizeof(hello), NULL, 0),
		    0);
	settle(loop);
	ATF_REQUIRE_EQ(ask(priv, question), 0);
	settle(loop);
	ATF_REQUIRE_EQ(channel_receive(&helper, &m, fds), 1);
	fdpass_close(fds, MSG_FDS_MAX);

	reply.request = m.header.sequence;
	for (i = 0; i < nfds; i++)
		ATF_REQUIRE((fds[i] = open("/dev/null",
				 flags[kinds[i]] | O_CLOEXEC)) != -1);
	ATF_REQUIRE_EQ(channel_send(&helper, MSG_REPLY, &reply, sizeof(reply),
			   fds, nfds),
	    0);
	fdpass_close(fds, MSG_FDS_MAX);
	settle(loop);
	good = ready &&
	    (error != 0 ? word == 0 && nfds == 0 :
			  is_fit(question, word, nfds, kinds));
	ATF_REQUIRE_EQ_MSG(outcome.lost, !good,
	    "question %d, word %u, "
	    "%u descriptors (%d, %d), error %d, ready %d: %d",
	    question, word, nfds, kinds[0], kinds[1], error, ready,
	    outcome.lost);
	ATF_REQUIRE_EQ(outcome.calls, 1);
	ATF_REQUIRE_EQ(outcome.error, good ? error : PRIV_LOST);

	priv_free(priv);
	loop_free(loop);
	close(ends[0]);
	close(ends[1]);
	ATF_REQUIRE_EQ(descriptors(), before);
}

ATF_TC(a_descriptor_is_of_the_kind_that_was_asked_for);
ATF_TC_HEAD(a_descriptor_is_of_the_kind_that_was_asked_for, tc)
{
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(a_descriptor_is_of_the_kind_that_was_asked_for, tc)
{
	static const uint32_t words[] = { 0, 1, 2, 3, 4, 8 };
	enum kind kinds[2];
	unsigned int n, question, word;

	for (question = 0; question < QUESTIONS; question++) {
		for (word = 0; word < COUNT(words); word++) {
			/* Of none, of one, of two. */
			for (n = 0; n < 1 + KINDS + KINDS * KINDS; n++) {
				kinds[0] = n == 0 ? READS : (n - 1) % KINDS;
				kinds[1] = n <= KINDS ? READS :
							(n - 1 - KINDS) / KINDS;
				check_answer(question, words[word],
				    (n > 0) + (n > KINDS), kinds, 0, 1);
			}
		}
	}
}

ATF_TC_WITHOUT_HEAD(with_a_failure_nothing_comes);
ATF_TC_BODY(with_a_failure_nothing_comes, tc)
{
	static const enum kind kinds[] = { BOTH_NOW, BOTH_NOW };
	unsigned int question, word;
	uint32_t n;

	for (question = 0; question < QUESTIONS; question++) {
		for (word = 0; word < 9; word = word * 2 + 1) {
			for (n = 0; n < 3; n++)
				check_answer(question, word, n, kinds, -2, 1);
		}
	}
}

ATF_TC_WITHOUT_HEAD(nothing_is_answered_by_a_helper_that_is_not_ready);
ATF_TC_BODY(nothing_is_answered_by_a_helper_that_is_not_ready, tc)
{
	static const enum kind kinds[] = { READS, READS };
	unsigned int question;

	for (question = 0; question < QUESTIONS; question++)
		check_answer(question, 0, 0, kinds, 0, 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_descriptor_is_of_the_kind_that_was_asked_for);
	ATF_TP_ADD_TC(tp, with_a_failure_nothing_comes);
	ATF_TP_ADD_TC(tp, nothing_is_answered_by_a_helper_that_is_not_ready);
	return (atf_no_error());
}
