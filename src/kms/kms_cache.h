/*
 * kms_cache.h - plaintext data keys for a bounded time, so that a blob does not cost a decryption
 * of its pool's key (or a call to another machine).
 *
 * Invariants: at most KMS_CACHE_MAX data keys, each at most the cache's life after it was asked
 * for; a data key whose fetch began before kms_cache_forget is not kept; what leaves is wiped. At
 * most one fetch an id at a time. The lock is not held over a fetch. Threads: safe.
 */
#ifndef BERTH_KMS_KMS_CACHE_H
#define BERTH_KMS_KMS_CACHE_H

#include "crypt/secret.h"

#define KMS_CACHE_MAX    256
#define KMS_CACHE_ID_LEN 32

struct kms_cache;

struct kms_cache *kms_cache_new(int64_t life_ms);
void kms_cache_free(struct kms_cache *c); /* nobody may be in it; accepts NULL */

typedef bool (*kms_fetch_fn)(void *arg, struct secret *out, struct err *err);
/* What is kept under id, else what fetch says (its failure too, which is not kept). key_arn: for
 * kms_cache_forget. */
MUST_CHECK bool kms_cache_get(struct kms_cache *c, struct str key_arn,
	const uint8_t id[KMS_CACHE_ID_LEN], kms_fetch_fn fetch, void *arg, struct secret *out,
	struct err *err);
void kms_cache_forget(struct kms_cache *c, struct str key_arn);
/* Wipes what is too old. */
void kms_cache_expire(struct kms_cache *c);

#endif
