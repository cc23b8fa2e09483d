/*
 * aead.h - AES-256-GCM (NIST SP 800-38D): bytes that only the key opens, and only whole and in
 * their place.
 *
 * Nonces are 12 bytes, tags 16. Whoever seals under one key more than once gives each call another
 * nonce: random ones are fit for 2^32 calls. What the bytes are, and where they belong, goes into
 * the additional data, so that nothing can be moved. Threads: a struct aead has one caller at a
 * time; the other functions are safe.
 */
#ifndef BERTH_CRYPT_AEAD_H
#define BERTH_CRYPT_AEAD_H

#include "base/buf.h"
#include "base/err.h"
#include "crypt/secret.h"

#define AEAD_KEY_LEN   32
#define AEAD_NONCE_LEN 12
#define AEAD_TAG_LEN   16
/* Bytes that aead_wrap adds: version, nonce and tag. */
#define AEAD_WRAP_LEN (1 + AEAD_NONCE_LEN + AEAD_TAG_LEN)

/* A key, expanded once for any number of calls. */
struct aead;

/* key: AEAD_KEY_LEN bytes; may be wiped afterwards. */
MUST_CHECK bool aead_new(const struct secret *key, struct aead **out, struct err *err);
void aead_free(struct aead *a); /* accepts NULL; wipes */
void aead_freep(struct aead **a);
/* out: len bytes, may be the plaintext's own place. Aborts if OpenSSL cannot encrypt at all. */
void aead_seal(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN], struct str aad,
	const void *plain, size_t len, void *out, uint8_t tag[AEAD_TAG_LEN]);
/* As aead_seal. False when key, nonce, additional data, bytes or tag are not those of one
 * aead_seal; out is zeroed then. */
MUST_CHECK bool aead_open(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN], struct str aad,
	const void *sealed, size_t len, const uint8_t tag[AEAD_TAG_LEN], void *out);

/*
 * Small secrets that stand in a database or a file: version byte, random nonce, ciphertext, tag.
 * what: the text that says what it is and whose ("access-key:AKIA...", "pool-key:12:1"); it is
 * authenticated, not stored. Appends to out.
 */
MUST_CHECK bool aead_wrap(const struct secret *key, struct str what, struct str plain,
	struct buf *out, struct err *err);
/* Appends the plaintext to out, which the caller wipes. Errors: CORRUPT (also for another key or
 * another what). */
MUST_CHECK bool aead_unwrap(const struct secret *key, struct str what, struct str wrapped,
	struct buf *out, struct err *err);
/* The same for a plaintext of at most SECRET_MAX bytes. */
MUST_CHECK bool aead_unwrap_secret(const struct secret *key, struct str what, struct str wrapped,
	struct secret *out, struct err *err);

#endif
