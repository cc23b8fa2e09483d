/* arena.h - memory of one request: freed all at once, capped. Threads: one caller at a time. */
#ifndef BERTH_BASE_ARENA_H
#define BERTH_BASE_ARENA_H

#include "base/err.h"
#include "base/str.h"

struct arena;

/* max_bytes: the cap on all that it hands out. The first block is small (1 KiB). NULL when out of
 * memory: that is an arena, too, which has nothing to hand out. */
struct arena *arena_new(size_t max_bytes);
void arena_free(struct arena *a); /* accepts NULL */
/* Whether memory was missing rather than the cap reached, once something failed. */
bool arena_is_starved(const struct arena *a);
/* The error of an arena of our own that gave nothing, whose cap should have done: UNAVAILABLE where
 * memory was missing, else INTERNAL. what: whose arena, for the log. Returns false. */
bool arena_err(const struct arena *a, const char *what, struct err *err);
/* Zeroed, aligned for any type; NULL when over the cap or out of memory. */
void *arena_alloc(struct arena *a, size_t len);
/* Copy with a terminating NUL behind it (not counted). ptr is NULL on failure. */
struct str arena_str(struct arena *a, struct str s);
/* printf into the arena; ptr is NULL on failure. */
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
