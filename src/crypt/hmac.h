/* hmac.h - HMAC-SHA256 (RFC 2104). Threads: safe. */
#ifndef BERTH_CRYPT_HMAC_H
#define BERTH_CRYPT_HMAC_H

#include "base/err.h"
#include "base/str.h"

#define HMAC_LEN 32

/* Aborts only if OpenSSL cannot compute an HMAC at all. */
void hmac_sha256(const void *key, size_t key_len, struct str message, uint8_t out[HMAC_LEN]);

#endif
