/* secret.h - bytes that must not outlive their use: wiped on cleanup, compared in constant time,
 * never formatted. */
#ifndef BERTH_CRYPT_SECRET_H
#define BERTH_CRYPT_SECRET_H

#include "base/err.h"
#include "base/str.h"

#define SECRET_MAX 256

struct secret {
	uint8_t bytes[SECRET_MAX];
	size_t len;
};

/* False (and s emptied) when len > SECRET_MAX. */
bool secret_set(struct secret *s, const void *bytes, size_t len);
void secret_wipe(struct secret *s);                       /* for CLEANUP too */
bool secret_eq(const void *a, const void *b, size_t len); /* constant time */
bool secret_str_eq(struct str a, struct str b); /* constant time in the content; lengths may show */

#endif
