#include <sys/mman.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "privsep/channel.h"
#include "privsep/fdpass.h"

#define KEYS_SIZE (2 * CHANNEL_KEY_SIZE)

_Static_assert(CHANNEL_KEY_SIZE == crypto_kdf_KEYBYTES, "key sizes differ");
_Static_assert(MSG_TAG_SIZE <= crypto_generichash_BYTES_MAX, "tag too long");

int
channel_pair(int fds[2])
{
	const int on = 1;
	int i, saved;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0, fds) == -1)
		return (-errno);
	for (i = 0; i < 2; i++) {
		if (setsockopt(fds[i], SOL_SOCKET, SO_PASSCRED, &on,
		    sizeof(on)) == -1) {
			saved = errno;
			close(fds[0]);
			close(fds[1]);
			return (-saved);
		}
	}
	return (0);
}

int
channel_open(struct channel *channel, int fd, enum channel_side side,
    const uint8_t master[CHANNEL_KEY_SIZE], pid_t peer_pid, uid_t peer_uid)
{
	static const char context[crypto_kdf_CONTEXTBYTES + 1] = "reaperch";
	int saved;

	memset(channel, 0, sizeof(*channel));
	channel->fd = fd;
	channel->peer_pid = peer_pid;
	channel->peer_uid = peer_uid;
	if (sodium_init() == -1)
		return (-EIO);
	channel->keys = mmap(NULL, KEYS_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (channel->keys == MAP_FAILED) {
		channel->keys = NULL;
		return (-errno);
	}
	if (madvise(channel->keys, KEYS_SIZE, MADV_WIPEONFORK) == -1 ||
	    madvise(channel->keys, KEYS_SIZE, MADV_DONTDUMP) == -1) {
		saved = errno;
		munmap(channel->keys, KEYS_SIZE);
		channel->keys = NULL;
		return (-saved);
	}
	/* One key per direction, so that no message can be reflected. */
	crypto_kdf_derive_from_key(channel->keys, CHANNEL_KEY_SIZE,
	    (uint64_t)side, context, master);
	crypto_kdf_derive_from_key(channel->keys + CHANNEL_KEY_SIZE,
	    CHANNEL_KEY_SIZE, (uint64_t)!side, context, master);
	return (0);
}

static void
message_tag(const uint8_t *key, const struct msg *message,
    uint8_t tag[MSG_TAG_SIZE])
{
	crypto_generichash_state state;
	struct msg_header header = message->header;

	memset(header.tag, 0, sizeof(header.tag));
	crypto_generichash_init(&state, key, CHANNEL_KEY_SIZE, MSG_TAG_SIZE);
	crypto_generichash_update(&state, (const void *)&header,
	    sizeof(header));
	crypto_generichash_update(&state, message->body.bytes, header.length);
	crypto_generichash_final(&state, tag, MSG_TAG_SIZE);
}

int
channel_send(struct channel *channel, uint16_t op, const void *body,
    uint32_t length, const int *fds, uint32_t nfds)
{
	struct msg message = { .header = {
		.magic = MSG_MAGIC, .version = MSG_VERSION, .op = op,
		.sequence = channel->sent + 1, .length = length, .nfds = nfds,
	} };
	int error;

	if (length > MSG_BODY_MAX || nfds > MSG_FDS_MAX)
		return (-EMSGSIZE);
	memcpy(message.body.bytes, body, length);
	message_tag(channel->keys, &message, message.header.tag);
	error = fdpass_send(channel->fd, &message, sizeof(message.header) +
	    length, fds, nfds);
	if (error == 0)
		channel->sent++;
	return (error);
}

/* Everything about a datagram but the table of operations. */
static int
message_verify(const struct channel *channel, const struct msg *message,
    size_t size, const int fds[FDPASS_MAX], const struct ucred *credentials)
{
	const struct msg_header *header = &message->header;
	uint8_t tag[MSG_TAG_SIZE];
	uint32_t nfds = 0;

	while (nfds < FDPASS_MAX && fds[nfds] != -1)
		nfds++;
	if (credentials->pid != channel->peer_pid ||
	    credentials->uid != channel->peer_uid)
		return (-EPERM);
	if (size < sizeof(*header) || header->magic != MSG_MAGIC ||
	    header->version != MSG_VERSION || header->length > MSG_BODY_MAX ||
	    size != sizeof(*header) + header->length ||
	    header->nfds != nfds || nfds > MSG_FDS_MAX ||
	    header->sequence != channel->received + 1)
		return (-EBADMSG);
	message_tag(channel->keys + CHANNEL_KEY_SIZE, message, tag);
	return (sodium_memcmp(tag, header->tag, sizeof(tag)) == 0 ? 0 :
	    -EBADMSG);
}

int
channel_receive(struct channel *channel, struct msg *message,
    int fds[MSG_FDS_MAX])
{
	struct ucred credentials;
	int all[FDPASS_MAX], error, i, n;

	memset(message, 0, sizeof(*message));
	memset(fds, -1, sizeof(*fds) * MSG_FDS_MAX);
	n = fdpass_receive(channel->fd, message, sizeof(*message), all,
	    &credentials);
	if (n <= 0)
		return (n);
	error = message_verify(channel, message, (size_t)n, all, &credentials);
	for (i = 0; error != 0 && i < FDPASS_MAX; i++) {
		if (all[i] != -1)
			close(all[i]);
	}
	if (error != 0)
		return (error);
	memcpy(fds, all, sizeof(*fds) * MSG_FDS_MAX);
	channel->received++;
	return (1);
}

void
channel_close(struct channel *channel)
{
	if (channel->keys != NULL) {
		sodium_memzero(channel->keys, KEYS_SIZE);
		munmap(channel->keys, KEYS_SIZE);
		channel->keys = NULL;
	}
	if (channel->fd != -1)
		close(channel->fd);
	channel->fd = -1;
}
