/* str.h - text as pointer and length; not NUL-terminated, borrowed, immutable. */
#ifndef BERTH_BASE_STR_H
#define BERTH_BASE_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/macros.h"

struct str {
	const char *ptr;
	size_t len;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
/* For "%.*s". Lengths beyond INT_MAX never occur: inputs are bounded first. */
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr

/* c may be NULL: the empty string. */
struct str str_from(const char *c);
bool str_eq(struct str a, struct str b);
bool str_eq_c(struct str a, const char *b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII */
int str_cmp(struct str a, struct str b);        /* byte order, as memcmp */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* First place of c, or s.len. */
size_t str_find_char(struct str s, char c);
struct str str_sub(struct str s, size_t from, size_t len); /* clamped to s */
struct str str_trim(struct str s);                         /* ASCII space and tab at both ends */
/* Cuts s at the first c: *head gets what is before, *tail what is after; false (head = s, tail
 * empty) if c is not there. */
bool str_cut(struct str s, char c, struct str *head, struct str *tail);
/* Parses a whole decimal number without sign; false when empty, not digits only, or over max. */
bool str_to_u64(struct str s, uint64_t max, uint64_t *out);
/* Copies with a terminating NUL into dst; false (dst untouched) when it does not fit or s holds a
 * NUL. */
bool str_to_c(struct str s, char *dst, size_t cap);
/* Shell-style match where '*' stands for any run of characters and nothing else is special. Linear
 * in practice, no recursion. */
bool str_glob(struct str pattern, struct str s);

#endif
