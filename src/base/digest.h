/*
 * digest.h - the value of an OCI digest ("sha256:<hex>"): parse, render, compare. Hashing itself is
 * in crypt/hash.h. OCI image spec 1.1, "Descriptors: Digests"; Berth knows sha256 and sha512.
 */
#ifndef BERTH_BASE_DIGEST_H
#define BERTH_BASE_DIGEST_H

#include "base/err.h"
#include "base/str.h"

enum digest_alg {
	DIGEST_SHA256 = 1,
	DIGEST_SHA512 = 2
}; /* stored in the database: never renumber */

#define DIGEST_HASH_MAX 64
#define DIGEST_TEXT_MAX (7 + 128 + 1) /* with NUL */
#define DIGEST_KEY_MAX  (1 + DIGEST_HASH_MAX)

struct digest {
	enum digest_alg alg;
	uint8_t hash[DIGEST_HASH_MAX]; /* bytes behind digest_hash_len() are zero */
};

size_t digest_hash_len(enum digest_alg alg); /* 32 or 64 */
struct str digest_alg_name(enum digest_alg alg);
bool digest_alg_parse(struct str name, enum digest_alg *out); /* false: not known */
/* Lower-case hex only. Errors: DIGEST_INVALID (malformed, wrong length, or an algorithm that Berth
 * does not know). */
MUST_CHECK bool digest_parse(struct str text, struct digest *out, struct err *err);
/* NUL-terminated; returns dst. */
const char *digest_text(const struct digest *d, char dst[DIGEST_TEXT_MAX]);
bool digest_eq(const struct digest *a, const struct digest *b);
/* The form kept in tables: algorithm byte and hash. Returns the length. */
size_t digest_to_key(const struct digest *d, uint8_t key[DIGEST_KEY_MAX]);
MUST_CHECK bool digest_from_key(
	const uint8_t *key, size_t len, struct digest *out, struct err *err);

#endif
