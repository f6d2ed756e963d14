/*
 * Files of a cgroup that say anything: what is made of them fits into its
 * space and is a message of its type.
 */

#include "regress/fuzz/fuzz.h"
#include "shim/metrics.h"
#include "shim/proto/metrics_v1.pb-c.h"
#include "shim/proto/metrics_v2.pb-c.h"
#include "unpriv/cgroup_file.h"

static struct cgroup_file files[MSG_CGROUP_MAX];

/* Gives what is left of a file, as a kernel would piece by piece. */
static size_t
read_file(void *arg, enum msg_cgroup file, char *buffer, size_t size)
{
	const struct cgroup_file *from = &files[file];
	size_t length = from->length < size ? from->length : size;

	(void)arg;
	if (length > 0)
		memcpy(buffer, from->text, length);
	return (length);
}

static void
check_message(int v2)
{
	uint8_t bytes[METRICS_SIZE];
	size_t length = metrics_encode(v2, read_file, NULL, bytes);
	const ProtobufCMessageDescriptor *type = v2 ?
	    &io__containerd__cgroups__v2__metrics__descriptor :
	    &io__containerd__cgroups__v1__metrics__descriptor;
	ProtobufCMessage *message;

	must(length <= sizeof(bytes));
	message = protobuf_c_message_unpack(type, NULL, length, bytes);
	must(message != NULL && message->n_unknown_fields == 0);
	protobuf_c_message_free_unpacked(message, NULL);
}

static void
check_pids(struct cgroup_file file)
{
	const char *end = file.text + file.length;
	uint32_t pid;

	while (cgroup_file_pid(&file, &pid)) {
		must(pid > 0 && pid <= INT32_MAX);
		must(file.text + file.length == end);
	}
	must(file.length == 0 || memchr(file.text, '\n', file.length) == NULL);
}

/* Input: the version, then the files, with a NUL between two. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;
	size_t at = 0, i;

	if (size < 1)
		return (-1);
	/* Of their own, so that a step beyond them is noticed. */
	text = malloc(size);
	must(text != NULL);
	memcpy(text, data + 1, size - 1);
	for (i = 0; i < MSG_CGROUP_MAX; i++) {
		files[i].text = text + at;
		files[i].length = strnlen(text + at, size - 1 - at);
		at += files[i].length;
		at += at < size - 1;
	}
	check_message(data[0] & 1);
	for (i = 0; i < MSG_CGROUP_MAX; i++)
		check_pids(files[i]);
	free(text);
	return (0);
}
