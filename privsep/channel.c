#include <sys/mman.h>

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "privsep/channel.h"

#define CONTEXT		"reaperch"	/* of the derivation of the keys */
#define KEYS_SIZE	(2UL * CHANNEL_KEY_SIZE)

_Static_assert(CHANNEL_KEY_SIZE == crypto_kdf_KEYBYTES, "key sizes differ");
_Static_assert(MSG_TAG_SIZE <= crypto_generichash_BYTES_MAX, "tag too long");

int
channel_open(struct channel *ch, int fd, enum channel_side side,
    const uint8_t master[CHANNEL_KEY_SIZE], pid_t peer, uid_t peer_uid)
{
	uint8_t *keys;

	if (sodium_init() == -1)
		return (-EIO);
	keys = mmap(NULL, KEYS_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (keys == MAP_FAILED ||
	    madvise(keys, KEYS_SIZE, MADV_WIPEONFORK) == -1 ||
	    madvise(keys, KEYS_SIZE, MADV_DONTDUMP) == -1)
		return (-errno);
	/* One key per direction, so that no message can be reflected. */
	crypto_kdf_derive_from_key(keys, CHANNEL_KEY_SIZE, side, CONTEXT,
	    master);
	crypto_kdf_derive_from_key(keys + CHANNEL_KEY_SIZE, CHANNEL_KEY_SIZE,
	    !side, CONTEXT, master);
	*ch = (struct channel){ fd, peer, peer_uid, 0, 0, keys };
	return (0);
}

/* Over the header and the body that follows it; the tag itself is zero. */
static void
message_tag(const uint8_t *key, struct msg m, uint8_t tag[MSG_TAG_SIZE])
{
	memset(m.header.tag, 0, sizeof(m.header.tag));
	crypto_generichash(tag, MSG_TAG_SIZE, (const void *)&m,
	    sizeof(m.header) + m.header.length, key, CHANNEL_KEY_SIZE);
}

int
channel_send(struct channel *ch, uint16_t op, const void *body,
    uint32_t length, const int *fds, uint32_t nfds)
{
	struct msg m = { .header = { MSG_MAGIC, MSG_VERSION, op, ch->sent + 1,
		length, nfds, { 0 } } };
	int error;

	if (length > MSG_BODY_MAX || nfds > MSG_FDS_MAX)
		return (-EMSGSIZE);
	memcpy(m.body.bytes, body, length);
	message_tag(ch->keys, m, m.header.tag);
	error = fdpass_send(ch->fd, &m, sizeof(m.header) + length, fds, nfds);
	if (error == 0)
		ch->sent++;
	return (error);
}

int
channel_receive(struct channel *ch, struct msg *m, int fds[MSG_FDS_MAX])
{
	const struct msg_header *hdr = &m->header;
	uint8_t tag[MSG_TAG_SIZE];
	struct ucred sender;
	int error = -EBADMSG, n;
	uint32_t nfds = 0;

	memset(m, 0, sizeof(*m));
	if ((n = fdpass_receive(ch->fd, m, sizeof(*m), fds, &sender)) <= 0)
		return (n);
	while (nfds < MSG_FDS_MAX && fds[nfds] != -1)
		nfds++;
	/* Everything about it but the table of operations. */
	if (sender.pid != ch->peer || sender.uid != ch->peer_uid) {
		error = -EPERM;
	} else if ((size_t)n >= sizeof(*hdr) && hdr->magic == MSG_MAGIC &&
	    hdr->version == MSG_VERSION && hdr->length <= MSG_BODY_MAX &&
	    (size_t)n == sizeof(*hdr) + hdr->length && hdr->nfds == nfds &&
	    hdr->sequence == ch->received + 1) {
		message_tag(ch->keys + CHANNEL_KEY_SIZE, *m, tag);
		if (sodium_memcmp(tag, hdr->tag, sizeof(tag)) == 0) {
			ch->received++;
			return (1);
		}
	}
	fdpass_close(fds, MSG_FDS_MAX);
	return (error);
}
