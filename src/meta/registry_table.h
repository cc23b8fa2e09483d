/* registry_table.h - rows of registries, their settings, their pools. */
#ifndef BERTH_META_REGISTRY_TABLE_H
#define BERTH_META_REGISTRY_TABLE_H

#include "base/arena.h"
#include "meta/db.h"

/* *id 0 when it does not exist. */
MUST_CHECK bool registry_table_find(
	struct db_conn *c, struct str account, struct str region, int64_t *id, struct err *err);
/* Finds or adds. */
MUST_CHECK bool registry_table_ensure(struct db_conn *c, struct str account, struct str region,
	int64_t now_ms, int64_t *id, struct err *err);
/* Adds delta to the count of unfinished uploads and tells the new value. */
MUST_CHECK bool registry_table_uploads(
	struct db_conn *c, int64_t id, int64_t delta, int64_t *now, struct err *err);
MUST_CHECK bool registry_table_repositories(
	struct db_conn *c, int64_t id, int64_t delta, int64_t *now, struct err *err);

/* out->ptr NULL when it was never set. */
MUST_CHECK bool setting_table_get(struct db_conn *c, int64_t registry_id, struct str name,
	struct arena *arena, struct str *out, struct err *err);
MUST_CHECK bool setting_table_put(
	struct db_conn *c, int64_t registry_id, struct str name, struct str value, struct err *err);

MUST_CHECK bool pool_table_ensure(struct db_conn *c, int64_t registry_id, int enc_type,
	struct str key_arn, int64_t *id, struct err *err);

/* Adds to the sums; all may be negative. */
struct pool_delta {
	int64_t blobs, links, logical_bytes, stored_bytes, waiting_bytes, images;
};

MUST_CHECK bool pool_table_add(
	struct db_conn *c, int64_t id, const struct pool_delta *d, struct err *err);

struct registry_sums {
	char account[13], region[26];
	int64_t id;
	uint64_t repositories, uploads, images, blobs, links, logical_bytes, stored_bytes,
		waiting_bytes;
};

/* The registry with the smallest id above `after` and its sums; *found false at the end. */
MUST_CHECK bool registry_table_next(
	struct db_conn *c, int64_t after, struct registry_sums *out, bool *found, struct err *err);

/* Sums that are kept against sums that are counted, for verify: calls report for each pool or
 * repository that is off. */
typedef void (*table_miscount_fn)(void *arg, struct str text);
MUST_CHECK bool registry_table_recount(
	struct db_conn *c, table_miscount_fn report, void *arg, struct err *err);

#endif
