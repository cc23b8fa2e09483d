/*
 * blob64.h - base64 text of any length, decoded in pieces: a 20 MiB layer part is never held a
 * second time. Pure.
 */
#ifndef BERTH_FRONT_BLOB64_H
#define BERTH_FRONT_BLOB64_H

#include "base/err.h"
#include "base/str.h"

/* RFC 4648 section 4, with padding, without line breaks. */
bool blob64_is_valid(struct str text);
/* Bytes that valid text stands for. */
size_t blob64_len(struct str text);
/* Calls fn with pieces of at most 12 KiB, in order, until it fails. Errors: what fn said; INVALID
 * for text that is not base64 (pieces before the fault have gone to fn then: ask blob64_is_valid
 * first where that matters). */
typedef bool (*blob64_fn)(void *arg, const uint8_t *bytes, size_t len, struct err *err);
MUST_CHECK bool blob64_each(struct str text, blob64_fn fn, void *arg, struct err *err);

#endif
