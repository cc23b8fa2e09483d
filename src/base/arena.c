#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BLOCK 1024
#define MAX_BLOCK   (32 * KIB)
#define ALIGN       alignof(max_align_t)

struct block {
	struct block *next;
	alignas(max_align_t) char bytes[];
};

/* The arena lives at the head of its first block, so that a small request costs one malloc and one
 * free. */
struct arena {
	char *pos, *end;      /* what is left of the current block */
	size_t left;          /* bytes that may still be handed out */
	size_t next_len;      /* of the next block */
	struct block *blocks; /* all but the first */
	bool is_starved;
	alignas(max_align_t) char bytes[];
};

struct arena *arena_new(size_t max_bytes)
{
	struct arena *a = malloc(FIRST_BLOCK);
	if (a == NULL)
		return NULL;
	a->pos = a->bytes;
	a->end = (char *)a + FIRST_BLOCK;
	a->left = max_bytes;
	a->next_len = (size_t)FIRST_BLOCK * 2;
	a->blocks = NULL;
	a->is_starved = false;
	return a;
}

bool arena_is_starved(const struct arena *a)
{
	return a == NULL || a->is_starved;
}

bool arena_err(const struct arena *a, const char *what, struct err *err)
{
	return arena_is_starved(a)
		       ? err_sys(err, ERR_UNAVAILABLE, 0, "%s: no memory", what)
		       : err_sys(err, ERR_INTERNAL, 0, "%s: the arena is used up", what);
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	struct block *b = a->blocks;
	while (b != NULL) {
		struct block *next = b->next;
		free(b);
		b = next;
	}
	free(a);
}

static struct block *block_new(struct arena *a, size_t len)
{
	struct block *b = malloc(sizeof(*b) + len);
	if (b == NULL) {
		a->is_starved = true;
		return NULL;
	}
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

/* The current block is too short: a new one, or one of its own for what is large. */
static void *take_slow(struct arena *a, size_t len)
{
	if (len > a->next_len / 4 && len > FIRST_BLOCK) {
		struct block *own = block_new(a, len);
		return own == NULL ? NULL : own->bytes;
	}
	struct block *b = block_new(a, a->next_len);
	if (b == NULL)
		return NULL;
	a->pos = b->bytes + len;
	a->end = b->bytes + a->next_len;
	if (a->next_len < MAX_BLOCK)
		a->next_len *= 2;
	return b->bytes;
}

/* Bytes that are not zeroed. pad: to reach the alignment wanted. */
static inline void *take(struct arena *a, size_t len, size_t pad)
{
	if (a == NULL || len > a->left)
		return NULL;
	size_t room = (size_t)(a->end - a->pos);
	void *at;
	if (pad <= room && len <= room - pad) {
		at = a->pos + pad;
		a->pos += pad + len;
	} else {
		at = take_slow(a, len);
		if (at == NULL)
			return NULL;
	}
	a->left -= len;
	return at;
}

void *arena_alloc(struct arena *a, size_t len)
{
	size_t pad = a != NULL ? (size_t)(-(uintptr_t)a->pos & (ALIGN - 1)) : 0;
	/* A byte at least, so that every object has an address of its own. */
	void *at = take(a, len != 0 ? len : 1, pad);
	return at == NULL ? NULL : memset(at, 0, len);
}

struct str arena_str(struct arena *a, struct str s)
{
	char *to = s.len < SIZE_MAX ? take(a, s.len + 1, 0) : NULL;
	if (to == NULL)
		return (struct str){ NULL, 0 };
	if (s.len != 0)
		memcpy(to, s.ptr, s.len);
	to[s.len] = '\0';
	return (struct str){ to, s.len };
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return (struct str){ NULL, 0 };
	if ((size_t)n < sizeof(small))
		return arena_str(a, (struct str){ small, (size_t)n });
	char *to = take(a, (size_t)n + 1, 0);
	if (to == NULL)
		return (struct str){ NULL, 0 };
	va_start(ap, fmt);
	(void)vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return (struct str){ to, (size_t)n };
}
