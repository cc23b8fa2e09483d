/* repo_table.h - rows of repositories and of their AWS tags. */
#ifndef BERTH_META_REPO_TABLE_H
#define BERTH_META_REPO_TABLE_H

#include "base/arena.h"
#include "meta/db.h"
#include "meta/page.h"

enum repo_state { REPO_LIVE = 1, REPO_DYING = 2 };

struct repo_row {
	int64_t id, registry_id, pool_id;
	struct str name;
	int64_t created_at_ms;
	int mutability;
	struct str filters; /* one a line */
	bool scan_on_push;
	int enc_type;       /* of the pool */
	struct str key_arn; /* of the pool */
	int64_t images, logical_bytes, stored_bytes;
};

/* id and sums of row are ignored; *id gets the new one. The caller has checked that the name is
 * free. */
MUST_CHECK bool repo_table_add(
	struct db_conn *c, const struct repo_row *row, int64_t *id, struct err *err);
/* A live one, whole. *found false: out untouched. */
MUST_CHECK bool repo_table_find(struct db_conn *c, int64_t registry_id, struct str name,
	struct arena *arena, struct repo_row *out, bool *found, struct err *err);

/* A live one: what the hot paths need. *id 0 when there is none. */
struct repo_key {
	int64_t id, pool_id;
};

MUST_CHECK bool repo_table_key(struct db_conn *c, int64_t registry_id, struct str name,
	struct repo_key *out, struct err *err);
MUST_CHECK bool repo_table_is_live(struct db_conn *c, int64_t id, bool *out, struct err *err);
MUST_CHECK bool repo_table_name(struct db_conn *c, int64_t id, struct arena *arena, struct str *out,
	bool *is_live, struct err *err);
/* Of a repository in any state; 0 when it is gone. */
MUST_CHECK bool repo_table_pool(struct db_conn *c, int64_t id, int64_t *pool_id, struct err *err);
MUST_CHECK bool repo_table_registry(
	struct db_conn *c, int64_t id, int64_t *registry_id, struct err *err);
/* Live ones with name > after, in byte order; rows is an array of limit. */
MUST_CHECK bool repo_table_list(struct db_conn *c, int64_t registry_id, const struct page *page,
	struct repo_row *rows, size_t *count, struct err *err);
MUST_CHECK bool repo_table_set_mutability(
	struct db_conn *c, int64_t id, int mutability, struct str filters, struct err *err);
MUST_CHECK bool repo_table_set_scan_on_push(
	struct db_conn *c, int64_t id, bool scan_on_push, struct err *err);
MUST_CHECK bool repo_table_set_dying(struct db_conn *c, int64_t id, struct err *err);
/* Adds to the sums. */
MUST_CHECK bool repo_table_add_sums(struct db_conn *c, int64_t id, int64_t images, int64_t logical,
	int64_t stored, struct err *err);
/* Some dying repository with id > after, 0 when none; its registry. */
MUST_CHECK bool repo_table_next_dying(
	struct db_conn *c, int64_t after, int64_t *id, int64_t *registry_id, struct err *err);
/* The row itself, once it is empty; its AWS tags go with it. */
MUST_CHECK bool repo_table_remove(struct db_conn *c, int64_t id, struct err *err);

/* AWS tags. */
struct repo_tag_row {
	struct str key, value;
};

MUST_CHECK bool repo_tag_table_list(struct db_conn *c, int64_t id, struct arena *arena,
	struct repo_tag_row *rows, size_t max, size_t *count, struct err *err);
MUST_CHECK bool repo_tag_table_put(
	struct db_conn *c, int64_t id, struct str key, struct str value, struct err *err);
MUST_CHECK bool repo_tag_table_remove(
	struct db_conn *c, int64_t id, struct str key, struct err *err);
MUST_CHECK bool repo_tag_table_count(struct db_conn *c, int64_t id, uint64_t *out, struct err *err);

#endif
