#include "auth/token_memo.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"
#include "crypt/secret.h"

#define SLOTS 64 /* a power of two; a token has one place, where the next one puts it out */

struct slot {
	struct mutex lock;
	size_t text_len, payload_len; /* 0: empty */
	uint8_t *bytes;               /* text, then payload; one allocation of the slot for good */
};

struct token_memo {
	size_t text_max, payload_max;
	struct slot slots[SLOTS];
};

struct token_memo *token_memo_new(size_t text_max, size_t payload_max)
{
	struct token_memo *m = xcalloc(1, sizeof(*m));
	m->text_max = text_max;
	m->payload_max = payload_max;
	for (size_t i = 0; i < SLOTS; i++)
		mutex_init(&m->slots[i].lock, "token memo");
	return m;
}

void token_memo_free(struct token_memo *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &m->slots[i];
		if (s->bytes != NULL)
			explicit_bzero(s->bytes, m->text_max + m->payload_max);
		free(s->bytes);
		mutex_fini(&s->lock);
	}
	free(m);
}

/* The end of a token is of its MAC, and so as good as a hash of it. */
static struct slot *place_of(struct token_memo *m, struct str text)
{
	unsigned sum = 0;
	for (size_t i = text.len > 16 ? text.len - 16 : 0; i < text.len; i++)
		sum = sum * 31 + (unsigned char)text.ptr[i];
	return &m->slots[(sum ^ sum >> 6 ^ sum >> 12) % SLOTS];
}

bool token_memo_find(struct token_memo *m, struct str text, uint8_t *payload, size_t *len)
{
	struct slot *s = place_of(m, text);
	LOCKED(&s->lock);
	if (text.len == 0 || s->text_len != text.len || !secret_eq(s->bytes, text.ptr, text.len))
		return false;
	memcpy(payload, s->bytes + s->text_len, s->payload_len);
	*len = s->payload_len;
	return true;
}

void token_memo_keep(struct token_memo *m, struct str text, struct str payload)
{
	struct slot *s = place_of(m, text);
	if (text.len == 0 || text.len > m->text_max || payload.len > m->payload_max)
		return;
	LOCKED(&s->lock);
	if (s->bytes == NULL)
		s->bytes = xmalloc(m->text_max + m->payload_max);
	memcpy(s->bytes, text.ptr, text.len);
	memcpy(s->bytes + text.len, payload.ptr, payload.len);
	s->text_len = text.len;
	s->payload_len = payload.len;
}
