#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAP 256

void buf_init(struct buf *b, size_t max)
{
	/* One byte more than max may be allocated, for the NUL of buf_c. */
	*b = (struct buf){ .max = max < SIZE_MAX / 2 ? max : SIZE_MAX / 2 };
}

void buf_fini(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){ .max = b->max };
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

bool buf_is_starved(const struct buf *b)
{
	return b->failed && b->is_starved;
}

struct str buf_str(const struct buf *b)
{
	return (struct str){ b->ptr != NULL ? b->ptr : "", b->len };
}

static bool grow(struct buf *b, size_t need)
{
	size_t cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	if (cap < need)
		cap = need;
	char *ptr = realloc(b->ptr, cap);
	if (ptr == NULL) {
		b->failed = true;
		b->is_starved = true;
		return false;
	}
	b->ptr = ptr;
	b->cap = cap;
	return true;
}

void *buf_reserve(struct buf *b, size_t len)
{
	if (b->failed)
		return NULL;
	if (len > b->max - b->len) {
		b->failed = true;
		b->is_starved = false;
		return NULL;
	}
	if (len >= b->cap - b->len && !grow(b, b->len + len + 1))
		return NULL;
	return b->ptr + b->len;
}

void buf_commit(struct buf *b, size_t len)
{
	if (!b->failed)
		b->len += len;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	void *to = buf_reserve(b, len);
	if (to == NULL)
		return;
	memcpy(to, bytes, len);
	b->len += len;
}

void buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.ptr, s.len);
}

void buf_add_c(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	if (b->failed)
		return;
	va_list ap;
	va_start(ap, fmt);
	size_t room = b->cap - b->len;
	int n = vsnprintf(room != 0 ? b->ptr + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if ((size_t)n >= room || (size_t)n > b->max - b->len) {
		char *to = buf_reserve(b, (size_t)n);
		if (to == NULL)
			return;
		va_start(ap, fmt);
		(void)vsnprintf(to, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

const char *buf_c(struct buf *b)
{
	if (b->failed || b->ptr == NULL)
		return "";
	b->ptr[b->len] = '\0';
	return b->ptr;
}
