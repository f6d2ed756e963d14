/*
 * A helper that may say anything, to the engine of the shim: answers to what
 * was not asked, of another kind, with any descriptors, ends of any process.
 * Whatever it says, every call is answered once, also when the session ends,
 * and no descriptor is left.
 */
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "privsep/channel.h"
#include "regress/fuzz/fuzz.h"
#include "runtime/engine.h"
#include "unpriv/chars.h"
#include "unpriv/endpoint.h"

#define CALLS	  64
#define COMMANDS  64
#define FIRST_PID 100
#define NAMES	  6

static const struct {
	const char *id, *exec;
} names[NAMES] = { { "a", "" }, { "a", "e" }, { "a", "f" }, { "b", "" },
	{ "b", "e" }, { "c", "" } };

/* One request that was not answered. */
struct asked {
	uint64_t sequence;
	uint16_t op;
	uint32_t which; /* file of a cgroup */
};

static struct asked asked[CALLS];
static size_t nasked;
static int answers[CALLS]; /* of each call, how often it was answered */
static size_t ncalls;
static struct input in;
static struct loop *loop;
static struct engine *engine;
static struct channel shim, helper;
static int lost, null_fd;

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
settle(void)
{
	struct loop_timer timer = { .armed = 0 };
	int i;

	for (i = 0; i < 2; i++) {
		loop_timer_set(loop, &timer, 0, stop, loop);
		must(loop_run(loop) == 0);
		loop_timer_cancel(loop, &timer);
	}
}

static void
on_ready(void *arg)
{
	(void)arg;
}

static void
on_changed(void *arg, size_t containers)
{
	(void)arg;
	must(containers <= 3);
}

static void
on_lost(void *arg, const char *why)
{
	(void)arg;
	must(is_line(why, 128));
	lost++;
}

/* UTF-8 without control characters. */
static int
is_text(const char *text, size_t size)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t left = strnlen(text, size), n;

	if (left == size)
		return (0);
	for (; left > 0; s += n, left -= n) {
		if ((n = chars_utf8(s, left)) == 0 || *s < ' ' || *s == 0x7f)
			return (0);
	}
	return (1);
}

static void
on_done(void *arg, const struct engine_result *result)
{
	const struct status *status = &result->status;
	int *answer = arg, i;

	must(++*answer == 1);
	if (status->code != STATUS_OK) {
		must(status->text[0] != '\0' &&
		    is_text(status->text, sizeof(status->text)));
		return;
	}
	must(result->exit_status <= 255);
	for (i = 0; result->stats != NULL && i < MSG_CGROUP_MAX; i++) {
		must(result->stats->fds[i] == -1 ||
		    fcntl(result->stats->fds[i], F_GETFD) != -1);
	}
}

static int *
call_new(void)
{
	must(ncalls < CALLS);
	answers[ncalls] = 0;
	return (&answers[ncalls++]);
}

static void
create(const char *id, const char *exec, uint8_t how)
{
	static const char *const paths[] = { "", "/run/io/in",
		"fifo:///run/io/in", "file:///var/log/x", "pipe:x" };
	char bundle[32];
	const struct engine_spec spec = { .id = id,
		.exec = exec,
		.bundle = bundle,
		.stdio = { paths[how % 3], paths[how / 4 % 5],
		    paths[how / 16 % 4] },
		.terminal = (how & 128) != 0,
		.process = "{}",
		.process_size = 2 };

	snprintf(bundle, sizeof(bundle), "/run/bundles/%s", id);
	if (exec[0] != '\0')
		engine_exec(engine, &spec, on_done, call_new());
	else
		engine_create(engine, &spec, on_done, call_new());
}

/* What containerd asks of the shim. */
static void
client(uint8_t what)
{
	const char *id = names[what / 16 % NAMES].id;
	const char *exec = names[what / 16 % NAMES].exec;
	struct engine_view view;
	struct status status;
	static struct engine_pid pids[ENGINE_PIDS_MAX];

	switch (what % 16) {
	case 0:
	case 1:
		create(id, exec, input_byte(&in));
		break;
	case 2:
	case 3:
		engine_start(engine, id, exec, on_done, call_new());
		break;
	case 4:
		engine_kill(engine, id, exec, input_byte(&in), what / 128,
		    on_done, call_new());
		break;
	case 5:
		engine_delete(engine, id, exec, on_done, call_new());
		break;
	case 6:
		(void)engine_wait(engine, id, exec, on_done, call_new());
		break;
	case 7:
		engine_freeze(engine, id, what / 128, on_done, call_new());
		break;
	case 8:
		engine_stats(engine, id, on_done, call_new());
		break;
	case 9:
		engine_procs(engine, id, on_done, call_new());
		break;
	case 10:
		engine_update(engine, id, "{\"pids\":{\"limit\":9}}", 20,
		    on_done, call_new());
		break;
	case 11:
		engine_expect(engine, id);
		break;
	case 12:
		engine_forget(engine, id);
		break;
	case 13:
		(void)engine_resize(engine, id, exec, 80, input_byte(&in),
		    &status);
		(void)engine_close_stdin(engine, id, exec, &status);
		break;
	default:
		if (engine_state(engine, id, exec, &view, &status) == 0)
			must(view.exit_status <= 255);
		must(engine_pids(engine, id, pids, &status) <= ENGINE_PIDS_MAX);
	}
}

static int
new_fd(uint8_t kind)
{
	int ends[2], fd = -1;

	switch (kind % 8) {
	case 0:
		fd = fcntl(null_fd, F_DUPFD_CLOEXEC, 3);
		break;
	case 1:
	case 2:
		must(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
		close(ends[kind % 8 - 1]);
		fd = ends[2 - kind % 8];
		break;
	case 3:
		fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
		break;
	case 4:
		fd = memfd_create("file", MFD_CLOEXEC);
		break;
	case 5:
		fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
		break;
	case 6:
		fd = open("/dev/null", O_PATH | O_CLOEXEC);
		break;
	default:
		/* Both ends in one: what is written is read again. */
		fd = open("/dev/null", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	must(fd != -1);
	return (fd);
}

static void
say(uint16_t op, const void *body, uint32_t length, uint32_t nfds,
    uint8_t kinds)
{
	int fds[MSG_FDS_MAX];
	uint32_t i;

	for (i = 0; i < nfds; i++)
		fds[i] = new_fd((uint8_t)(kinds >> 3 * i));
	/* Of one that does not listen any more, the socket is full. */
	(void)channel_send(&helper, op, body, length, fds, nfds);
	while (nfds-- > 0)
		close(fds[nfds]);
}

static void
requests_take(void)
{
	struct msg message;
	int fds[MSG_FDS_MAX];

	while (channel_receive(&helper, &message, fds) == 1) {
		must(msg_body_check(message.header.op, &message.body,
			 message.header.length) == 0);
		must((message.header.nfds == 1) ==
		    (message.header.op == MSG_EXEC));
		fdpass_close(fds, MSG_FDS_MAX);
		must(nasked < CALLS);
		asked[nasked++] = (struct asked){ message.header.sequence,
			message.header.op, message.body.choice.which };
	}
}

/* What comes with a good answer, a descriptor for three bits. */
static uint8_t
answer_usual(const struct asked *to, struct msg_reply *reply, uint32_t *nfds,
    uint8_t how)
{
	*nfds = 0;
	if (to->op == MSG_START && (how & 1) != 0) {
		*nfds = 2;
		reply->fds = 3;
		return (7 | 7 << 3);
	}
	if ((to->op == MSG_CREATE || to->op == MSG_START) && (how & 2) != 0) {
		*nfds = 1;
		reply->fds = MSG_FDS_TERMINAL;
		return (3);
	}
	if (to->op == MSG_STDIO && (how & 4) != 0) {
		*nfds = (how & 8) != 0 ? 2 : 1;
		return (1 | 2 << 3);
	}
	if (to->op == MSG_CGROUP) {
		*nfds = 1;
		reply->fds = (how & 16) != 0 ? MSG_FDS_CGROUP2 : 0;
		return (((how & 32) == 0) == (to->which <= MSG_CGROUP_FREEZE) ?
			4 :
			5);
	}
	return (0);
}

/* Answers one of what was asked, well or badly. */
static void
answer(uint8_t what)
{
	struct msg_reply reply = { .pid = FIRST_PID };
	const uint8_t how = input_byte(&in);
	uint8_t kinds, which;
	uint32_t nfds;

	if (nasked == 0)
		return;
	which = what / 8 % nasked;
	reply.request = asked[which].sequence;
	kinds = answer_usual(&asked[which], &reply, &nfds, how);
	if ((how & 64) != 0) {
		reply.error = -(int32_t)input_byte(&in) - 1;
		reply.step = input_byte(&in) % MSG_STEP_MAX;
		reply.pid = reply.fds = nfds = 0;
		if (reply.error == -ESRCH)
			reply.step = MSG_STEP_REQUEST;
	}
	if ((how & 128) != 0) {
		input_flip(&in, &reply, sizeof(reply));
		nfds = input_byte(&in) % (MSG_FDS_MAX + 1);
		kinds = input_byte(&in);
	}
	say(MSG_REPLY, &reply, sizeof(reply), nfds, kinds);
	asked[which] = asked[--nasked];
}

static void
tell_end(uint8_t what)
{
	struct msg_exited exited = { .pid = FIRST_PID, .seconds = 1 };

	strcpy(exited.ref.id, names[what / 8 % NAMES].id);
	strcpy(exited.ref.exec, names[what / 8 % NAMES].exec);
	exited.status = input_byte(&in);
	if (what >= 128)
		input_flip(&in, &exited, sizeof(exited));
	say(MSG_EXITED, &exited, sizeof(exited), 0, 0);
}

static void
say_anything(void)
{
	union msg_body body = { .ready.helper_pid = FIRST_PID };
	const uint16_t op = MSG_READY + input_byte(&in) % 4;

	input_flip(&in, &body, sizeof(body));
	say(op, &body, input_word(&in) % (MSG_BODY_MAX + 1),
	    input_byte(&in) % 2, 0);
}

static void
channels_open(void)
{
	const uint8_t key[CHANNEL_KEY_SIZE] = { 0 };

	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	must(null_fd != -1 &&
	    channel_open(&shim, -1, CHANNEL_SHIM, key, getpid(), geteuid()) ==
		0 &&
	    channel_open(&helper, -1, CHANNEL_HELPER, key, getpid(),
		geteuid()) == 0);
}

static void
engine_begin(uint8_t how)
{
	static const struct engine_handlers handlers = { on_ready, on_changed,
		on_lost };
	const struct msg_ready ready = { (uint32_t)getpid() };
	int fds[2];

	if (null_fd == 0)
		channels_open();
	must((loop = loop_new()) != NULL && endpoint_pair(fds) == 0);
	shim.fd = fds[0];
	helper.fd = fds[1];
	shim.sent = shim.received = helper.sent = helper.received = 0;
	nasked = ncalls = 0;
	lost = 0;
	engine = engine_new(loop, &shim, getpid(), &handlers, NULL);
	must(engine != NULL);
	if ((how & 1) == 0)
		say(MSG_READY, &ready, sizeof(ready), 0, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int before, i;
	uint8_t what;
	size_t call;

	in = (struct input){ data, size };
	before = null_fd == 0 ? -1 : fds_count();
	engine_begin(input_byte(&in));
	for (i = 0; i < COMMANDS && in.size > 0; i++) {
		what = input_byte(&in);
		switch (what % 8) {
		case 0:
		case 1:
		case 2:
			client(input_byte(&in));
			break;
		case 6:
			tell_end(what);
			break;
		case 7:
			say_anything();
			break;
		default:
			answer(what);
		}
		if (what % 8 > 2 || nasked > CALLS / 2)
			settle();
		requests_take();
	}
	close(helper.fd);
	settle();
	settle();
	must(lost == 1);
	for (call = 0; call < ncalls; call++)
		must(answers[call] == 1);
	engine_free(engine);
	close(shim.fd);
	loop_free(loop);
	must(before == -1 || fds_count() == before);
	return (0);
}
