/* buf.h - a growing byte buffer with a hard maximum. Failure sticks: check once at the end with
 * buf_ok. */
#ifndef BERTH_BASE_BUF_H
#define BERTH_BASE_BUF_H

#include "base/str.h"

struct buf {
	char *ptr;
	size_t len, cap, max;
	bool failed;     /* out of memory, or max reached; the content is then incomplete */
	bool is_starved; /* buf_is_starved */
};

/* max: bytes it may ever hold. Allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);  /* frees; the buffer may be init'ed again */
void buf_reset(struct buf *b); /* empties, keeps the memory, clears failed */
bool buf_ok(const struct buf *b);
/* Whether memory was missing rather than the maximum reached, once it failed. */
bool buf_is_starved(const struct buf *b);
struct str buf_str(const struct buf *b);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_str(struct buf *b, struct str s);
void buf_add_c(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Room for len more bytes at ptr+len; NULL (and failed) if over max. Then buf_commit what was
 * written. */
void *buf_reserve(struct buf *b, size_t len);
void buf_commit(struct buf *b, size_t len);
/* NUL-terminates without counting the NUL and returns ptr; "" if failed. */
const char *buf_c(struct buf *b);

#endif
