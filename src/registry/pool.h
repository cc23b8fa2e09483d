/*
 * pool.h - the keys of a pool: how its bytes are encrypted. For registry/ only.
 *
 *     AES256     data key wrapped by a key that Berth derives from its root key
 *     KMS        data key wrapped by the pool's KMS key, which is asked each time (kms/ remembers
 * it for a bounded time) KMS_DSSE   two independent data keys: the inner as AES256, the outer as
 * KMS
 *
 * A pool gets its data keys when something is first written to it encrypted. A form is what a row
 * says of its bytes: 0 as they are (the disk is encrypted already), else the version of the data
 * keys.
 *
 * Errors that all share: those of kms/ for a key that cannot be used; CORRUPT for a data key that
 * is missing, or not as it was wrapped. Threads: safe. Never call inside a transaction.
 */
#ifndef BERTH_REGISTRY_POOL_H
#define BERTH_REGISTRY_POOL_H

#include "registry/core_priv.h"
#include "registry/repo.h"
#include "store/seal.h"

#define FORM_PLAIN 0

struct pool; /* lives as long as the core */

struct pool_set *pool_set_new(void);
void pool_set_free(struct pool_set *s);

MUST_CHECK bool pool_find(struct core *c, int64_t pool_id, struct pool **out, struct err *err);
enum enc_type pool_enc_type(const struct pool *p);
struct str pool_key_arn(const struct pool *p);

/* The form for new bytes: FORM_PLAIN, or the current version, made if there is none yet. */
MUST_CHECK bool pool_form(struct pool *p, int64_t *out, struct err *err);
/* The same where it is known and nobody but the database has to be asked; false: use pool_form. */
bool pool_form_now(struct pool *p, int64_t *out);
/* What seal.h wants to know, for a form that is not plain. */
void pool_seal(struct pool *p, int64_t form, struct seal_pool *out);

/* Small things kept in rows (manifests, tails). what: names the thing and its place. Appends to
 * out. */
MUST_CHECK bool pool_wrap(struct pool *p, int64_t form, struct str what, struct str plain,
	struct buf *out, struct err *err);
/* Errors: CORRUPT. */
MUST_CHECK bool pool_unwrap(struct pool *p, int64_t form, struct str what, struct str wrapped,
	struct buf *out, struct err *err);

/* The size of the object that holds plain_size bytes in this form. */
uint64_t pool_object_size(const struct pool *p, int64_t form, uint64_t plain_size);
/* Opens a blob's object for reading, whatever its form; close with blob_reader_close. object: that
 * blob_reader, taken over. */
MUST_CHECK bool pool_open(struct pool *p, int64_t form, const struct store_key *key,
	uint64_t plain_size, struct blob_reader **object, struct blob_reader **out,
	struct err *err);

/* Wraps the data keys anew where the KMS key has a newer version; *did: something was wrapped. Safe
 * to be interrupted. */
MUST_CHECK bool pool_rewrap(struct pool *p, bool *did, struct err *err);

#endif
