/* pool_table.h - a pool's identity, its wrapped data keys, and the objects that re-encryption is
 * making. */
#ifndef BERTH_META_POOL_TABLE_H
#define BERTH_META_POOL_TABLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "meta/db.h"

#define POOL_STORE_KEY_LEN 16

struct pool_row {
	int64_t id, registry_id;
	int enc_type;
	struct str key_arn, account, region;
};

MUST_CHECK bool pool_table_get(struct db_conn *c, int64_t id, struct arena *arena,
	struct pool_row *out, bool *found, struct err *err);
/* The pool with the smallest id above `after`. */
MUST_CHECK bool pool_table_next(
	struct db_conn *c, int64_t after, int64_t *id, bool *found, struct err *err);

/* A wrapped data key of one layer (0 inner, 1 outer); *found false when there is none of that
 * version. Appends to wrapped. */
MUST_CHECK bool pool_key_table_get(struct db_conn *c, int64_t pool_id, int layer, int64_t version,
	struct buf *wrapped, bool *found, struct err *err);
/* The newest version, 0 when the pool has no key yet. */
MUST_CHECK bool pool_key_table_version(
	struct db_conn *c, int64_t pool_id, int64_t *version, struct err *err);
MUST_CHECK bool pool_key_table_add(struct db_conn *c, int64_t pool_id, int layer, int64_t version,
	struct str wrapped, int64_t now_ms, struct err *err);
/* Puts another wrapping of the same key in the place of `was`; done also when that is not there any
 * more. */
MUST_CHECK bool pool_key_table_rewrap(struct db_conn *c, int64_t pool_id, int layer,
	int64_t version, struct str was, struct str now, struct err *err);

/* Objects that are being made from others, so that a crash leaves none that no row names. */
MUST_CHECK bool making_table_add(
	struct db_conn *c, const uint8_t key[POOL_STORE_KEY_LEN], int64_t now_ms, struct err *err);
MUST_CHECK bool making_table_remove(
	struct db_conn *c, const uint8_t key[POOL_STORE_KEY_LEN], struct err *err);
MUST_CHECK bool making_table_has(
	struct db_conn *c, const uint8_t key[POOL_STORE_KEY_LEN], bool *out, struct err *err);
MUST_CHECK bool making_table_has_older(
	struct db_conn *c, int64_t before_ms, bool *out, struct err *err);
/* Gives those begun before the time to the trash. */
MUST_CHECK bool making_table_expire(struct db_conn *c, int64_t before_ms, struct err *err);

#endif
