/* hkdf.h - HKDF-SHA256 (RFC 5869): independent keys for separate purposes from one key. Threads:
 * safe. */
#ifndef BERTH_CRYPT_HKDF_H
#define BERTH_CRYPT_HKDF_H

#include "base/err.h"
#include "base/str.h"
#include "crypt/secret.h"

/* info says what the derived key is for; salt may be empty. len: at most SECRET_MAX. */
MUST_CHECK bool hkdf_sha256(const struct secret *key, struct str salt, struct str info, size_t len,
	struct secret *out, struct err *err);

#endif
