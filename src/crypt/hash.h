/* hash.h - SHA-256 and SHA-512 over streams, through OpenSSL EVP (SHA-NI where the CPU has it).
 * Threads: one caller an object. */
#ifndef BERTH_CRYPT_HASH_H
#define BERTH_CRYPT_HASH_H

#include "base/digest.h"

struct hash;

/* Prepares the algorithms once for the process (fetches are costly); call before any other function
 * of crypt/. */
MUST_CHECK bool crypt_init(struct err *err);

MUST_CHECK bool hash_new(enum digest_alg alg, struct hash **out, struct err *err);
void hash_free(struct hash *h); /* accepts NULL */
void hash_freep(struct hash **h);
enum digest_alg hash_alg(const struct hash *h);
MUST_CHECK bool hash_update(struct hash *h, const void *bytes, size_t len, struct err *err);
/* The digest of what went in so far; h may be updated further. */
MUST_CHECK bool hash_digest(const struct hash *h, struct digest *out, struct err *err);
/* One call for bytes in memory. */
MUST_CHECK bool hash_bytes(
	enum digest_alg alg, struct str bytes, struct digest *out, struct err *err);

#endif
