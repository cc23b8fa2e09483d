/*
 * sharing_table.h - what is shared, read in the orders that people ask for; every page is found
 * through an index. Sums of pools, repositories by size or saving, layers by saving, holders of a
 * layer, layers of a repository, uploads.
 */
#ifndef BERTH_META_SHARING_TABLE_H
#define BERTH_META_SHARING_TABLE_H

#include "meta/blob_table.h"
#include "meta/repo_table.h"

struct pool_sums {
	int64_t id;
	int enc_type;
	struct str key_arn;
	uint64_t repositories, images, blobs, links, logical_bytes, stored_bytes, waiting_bytes;
};

/* Pools of a registry, those that keep most first. */
MUST_CHECK bool sharing_table_pools(struct db_conn *c, int64_t registry_id, struct arena *arena,
	struct pool_sums *rows, size_t max, size_t *count, struct err *err);
/* One pool, without its key's name. */
MUST_CHECK bool sharing_table_pool_sums(
	struct db_conn *c, int64_t id, struct pool_sums *out, bool *found, struct err *err);
/* *id 0: the registry has no such pool. */
MUST_CHECK bool sharing_table_pool(struct db_conn *c, int64_t registry_id, int enc_type,
	struct str key_arn, int64_t *id, struct err *err);

enum repo_order { REPOS_BY_LOGICAL, REPOS_BY_STORED, REPOS_BY_SAVED, REPOS_BY_CREATED };

/* A place in a descending order: behind the row with this value and id. */
struct sharing_place {
	int64_t value, id;
};

#define SHARING_PLACE_START ((struct sharing_place){ INT64_MAX, INT64_MAX })

/* Live repositories whose name contains a text (lower case; empty: all). */
struct repo_order_query {
	int64_t registry_id;
	enum repo_order order;
	struct str contains;
	unsigned look; /* rows that are looked at, at most */
};

/* A page of them. at, last: where it begins, and then where the last row is that was looked at. */
struct repo_rows {
	struct repo_row *rows; /* max of them */
	size_t max, count;
	bool more;               /* there are, or may be, others behind it */
	struct sharing_place at; /* by order */
	struct str last;         /* by name; in the arena */
};

/* Descending by q->order. */
MUST_CHECK bool sharing_table_repositories(struct db_conn *c, const struct repo_order_query *q,
	struct arena *arena, struct repo_rows *page, struct err *err);

/* Ascending by name. */
MUST_CHECK bool sharing_table_by_name(struct db_conn *c, const struct repo_order_query *q,
	struct arena *arena, struct repo_rows *page, struct err *err);

/* A layer that more than one repository holds. */
struct saving_row {
	int64_t id, pool_id;
	struct digest digest;
	int64_t size_bytes, links, saved_bytes, created_at_ms;
};

struct saving_rows {
	struct saving_row *rows; /* max of them */
	size_t max, count;
};

/* Of one pool, those that save most first, behind `at`, saving at least `floor`. */
MUST_CHECK bool sharing_table_layers(struct db_conn *c, int64_t pool_id,
	const struct sharing_place *at, int64_t floor, struct saving_rows *out, struct err *err);
/* The same digest in every pool of the registry, by pool. */
MUST_CHECK bool sharing_table_layer(struct db_conn *c, int64_t registry_id, const struct digest *d,
	struct saving_rows *out, struct err *err);

/* A link, with what is at one of its ends. */
struct holding_row {
	int64_t repository_id, blob_id;
	struct str name;      /* of the repository; sharing_table_holders */
	bool is_live;         /* likewise */
	struct digest digest; /* of the blob; the others */
	int64_t size_bytes, links;
	enum link_origin origin;
	struct str source; /* ptr NULL: none */
	int64_t linked_at_ms, needs;
};

struct holding_rows {
	struct holding_row *rows; /* max of them */
	size_t max, count;
};

/* Who holds a blob, by repository id above `after`; dying ones too. */
MUST_CHECK bool sharing_table_holders(struct db_conn *c, int64_t blob_id, int64_t after,
	struct arena *arena, struct holding_rows *out, struct err *err);
/* What a repository holds, by blob id above `after`. */
MUST_CHECK bool sharing_table_held(struct db_conn *c, int64_t repository_id, int64_t after,
	struct arena *arena, struct holding_rows *out, struct err *err);
/* One layer of a repository. */
MUST_CHECK bool sharing_table_held_one(struct db_conn *c, const struct repo_key *repo,
	const struct digest *d, struct arena *arena, struct holding_row *out, bool *found,
	struct err *err);
MUST_CHECK bool sharing_table_holds(
	struct db_conn *c, int64_t repository_id, int64_t blob_id, bool *out, struct err *err);
/* A live repository by its id. *found false: there is none. */
MUST_CHECK bool sharing_table_repository(struct db_conn *c, int64_t id, struct arena *arena,
	struct repo_row *out, bool *found, struct err *err);

#endif
