/*
 * kms_crypt.h - encryption under a key that is kept here.
 *
 * A ciphertext is
 *
 *     1   version of this format: 1
 *     16  id of the key
 *     4   version of its material, big-endian, from 1
 *     12  nonce, random
 *     n   AES-256-GCM ciphertext, as long as the plaintext
 *     16  tag
 *
 * and the additional data of the GCM are the key's ARN, the number of pairs of the encryption
 * context (4 bytes, big-endian), and for each pair, in byte order of the names, the length of the
 * name (4 bytes, big-endian), the name, the length of the value, the value. So neither a byte of
 * the ciphertext nor of the context can change, nor can another key's ciphertext take its place.
 */
#ifndef BERTH_KMS_KMS_CRYPT_H
#define BERTH_KMS_KMS_CRYPT_H

#include "kms/kms_key.h"

#define KMS_CIPHERTEXT_OVERHEAD (1 + 16 + 4 + 12 + 16)
#define KMS_PLAINTEXT_MAX       4096

/* Appends to out. Errors: INVALID for a context beyond its limits. */
MUST_CHECK bool kms_encrypt(struct kms *k, const uint8_t uuid[16],
	const struct kms_context *context, struct str plain, struct buf *out, struct err *err);
/* len random bytes, appended to plain (which the caller wipes), and the same encrypted. */
MUST_CHECK bool kms_generate(struct kms *k, const uint8_t uuid[16],
	const struct kms_context *context, size_t len, struct buf *plain, struct buf *out,
	struct err *err);
/* Appends the plaintext to out, which the caller wipes. Errors: KMS_CIPHERTEXT_INVALID. */
MUST_CHECK bool kms_decrypt(struct kms *k, struct str ciphertext, const struct kms_context *context,
	struct buf *out, struct err *err);
/* Which key a ciphertext says it is of; nothing is proved by that. False: it is none. */
bool kms_ciphertext_parse(struct str ciphertext, uint8_t uuid[16], uint32_t *version);
/* For CLEANUP: a buffer that held plaintext. */
void kms_wipe_buf(struct buf *b);

#endif
