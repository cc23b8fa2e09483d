/*
 * reencrypt.h - moves what is stored to the form that new bytes get: sealed, or plain when the disk
 * is encrypted already; and wraps data keys anew after a KMS key was rotated. Online: everything
 * stays readable, every step is one transaction, and what was interrupted is gone on with by the
 * next run.
 */
#ifndef BERTH_REGISTRY_REENCRYPT_H
#define BERTH_REGISTRY_REENCRYPT_H

#include "registry/core.h"

struct reencrypt_report {
	uint64_t pools, blobs, bytes, images;
};

/* progress: now and then, bytes done in all and of the pool that is worked on; may be NULL.
 * Errors: those of the store and the database, at once; keys that cannot be used, after all other
 * pools. */
typedef void (*reencrypt_progress_fn)(
	void *arg, int64_t pool_id, const struct reencrypt_report *so_far);
MUST_CHECK bool reencrypt_run(struct core *c, reencrypt_progress_fn progress, void *arg,
	struct reencrypt_report *out, struct err *err);

/* Data keys wrapped by an older version of their KMS key are wrapped by the newest; by a job. Cost:
 * by pools. A key that cannot be used is passed over. Errors: the first of any pool, which its
 * detail names, after all other pools. */
MUST_CHECK bool reencrypt_rewrap(struct core *c, uint64_t *rewrapped, struct err *err);

/* Who encrypts, for operators: calls fn for each pool. */
struct reencrypt_pool {
	int64_t id;
	struct registry_id reg;
	const char *enc_type; /* "AES256", ... */
	struct str key_arn;
	uint64_t plain_blobs, plain_bytes, sealed_blobs, sealed_bytes;
};

typedef void (*reencrypt_pool_fn)(void *arg, const struct reencrypt_pool *p);
MUST_CHECK bool reencrypt_pools(struct core *c, reencrypt_pool_fn fn, void *arg, struct err *err);

#endif
