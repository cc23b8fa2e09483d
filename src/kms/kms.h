/*
 * kms.h - keys that wrap data keys, and the data keys themselves: what AWS KMS is to ECR, either
 * kept here or asked of an external KMS that speaks the same protocol.
 *
 * A key is named by its ARN, arn:aws:kms:<region>:<account>:key/<id>, for ever; everything else
 * that a user may write (id, alias, alias ARN) is resolved to it once. Keys belong to one
 * (account, Region). Their material is AES-256, has versions, and never leaves this module: it lies
 * in the database wrapped by the secret given at the opening.
 *
 * Which keys are where: with an external KMS configured, every key that somebody names is looked up
 * there and only there; alias/aws/ecr (also what no name at all means) is always kept here. A
 * wrapped data key says itself which of the two wrapped it.
 *
 * Errors that all share: KMS_KEY_UNKNOWN; KMS_KEY_DISABLED and KMS_KEY_STATE (waiting for its
 * deletion), with AWS's sentences; KMS_UNAVAILABLE from an external KMS; those of the database.
 * Threads: safe. No function may be called inside a transaction.
 */
#ifndef BERTH_KMS_KMS_H
#define BERTH_KMS_KMS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "crypt/secret.h"

struct db;
struct kms;
struct kms_external_options;

#define KMS_DATA_KEY_LEN ((size_t)32)
#define KMS_MANAGED_ECR  "alias/aws/ecr"
/* Of a wrapped data key. An external KMS's ciphertext has at most 6144 bytes (AWS's limit). */
#define KMS_WRAPPED_MAX (8 * KIB)

struct kms_options {
	struct db *db;                               /* borrowed */
	const struct secret *wrapping_key;           /* 32 bytes; copied */
	const struct kms_external_options *external; /* NULL: none (kms_external.h) */
	int64_t cache_life_ms; /* how long a decrypted data key may be used without asking again; 0:
				  60 s */
};

/* Errors: CONFIG, about the external KMS's settings. It is not asked yet. */
MUST_CHECK bool kms_open(const struct kms_options *o, struct kms **out, struct err *err);
void kms_close(struct kms *k); /* accepts NULL; wipes */

/* Where a key is looked up: the account and Region of the caller. */
struct kms_realm {
	struct str account, region;
};

/*
 * The ARN of the usable key that text means: id, ARN, alias name, alias ARN, or empty for the
 * managed key alias/aws/ecr, which is made at its first use. out lives in the arena.
 */
MUST_CHECK bool kms_resolve(struct kms *k, const struct kms_realm *realm, struct str text,
	struct arena *arena, struct str *out, struct err *err);

/* The encryption context: names and values that are authenticated with a ciphertext, and must be
 * given again to decrypt it. Order does not matter. */
struct kms_pair {
	struct str name, value;
};

struct kms_context {
	const struct kms_pair *pairs;
	size_t count;
};

#define KMS_CONTEXT_MAX_BYTES 8192
#define KMS_CONTEXT_MAX_PAIRS 128

/* A new data key of KMS_DATA_KEY_LEN bytes, and the same wrapped, appended to out_wrapped. */
MUST_CHECK bool kms_generate_data_key(struct kms *k, struct str key_arn,
	const struct kms_context *context, struct secret *out, struct buf *out_wrapped,
	struct err *err);
/*
 * Remembered for the cache's life; a change of the key through this object ends that at once. While
 * one caller asks, others for the same data key wait for its result.
 * Errors: KMS_CIPHERTEXT_INVALID for whatever kms_generate_data_key or kms_rewrap did not make with
 * this key and context.
 */
MUST_CHECK bool kms_decrypt_data_key(struct kms *k, struct str key_arn, struct str wrapped,
	const struct kms_context *context, struct secret *out, struct err *err);

/* Is wrapped by an older version of its key than the newest? Never true of an external KMS, which
 * does not tell. */
MUST_CHECK bool kms_needs_rewrap(
	struct kms *k, struct str key_arn, struct str wrapped, bool *out, struct err *err);
/* The same data key wrapped by the newest version, appended to out. */
MUST_CHECK bool kms_rewrap(struct kms *k, struct str key_arn, struct str wrapped,
	const struct kms_context *context, struct buf *out, struct err *err);

/* What time does to keys: removes those whose deletion is due, rotates those whose rotation is, and
 * wipes what the cache may no longer use. A few keys a call; *more: call again soon. */
MUST_CHECK bool kms_tick(struct kms *k, int64_t now_ms, bool *more, struct err *err);

#endif
