#include "meta/sharing_table.h"

#include "meta/repo_row.h"
#include "meta/table.h"

#define POOL_COLUMNS                                                                                                         \
	"SELECT id, enc_type, key_arn, repositories, images, blobs, links, logical_bytes, stored_bytes, waiting_bytes FROM " \
	"pool "
static const char sql_pools[] =
	POOL_COLUMNS "WHERE registry_id = $1 ORDER BY stored_bytes DESC, id LIMIT $2";
static const char sql_pool_sums[] = POOL_COLUMNS "WHERE id = $1";
static const char sql_pool[] =
	"SELECT id FROM pool WHERE registry_id = $1 AND enc_type = $2 AND key_arn = $3";

/* Behind a place in a descending order: first what has the same value, then what has less. One
 * statement for both would walk over all that have the value. */
#define BEHIND(value)                                                                          \
	{                                                                                      \
		"SELECT " REPO_COLUMNS ", " value " FROM repository r JOIN pool p ON "         \
		"p.id = r.pool_id WHERE r.registry_id = $1 AND r.state = 1 AND " value         \
		" = $2 AND r.id < $3 ORDER BY r.id DESC LIMIT $4",                             \
			"SELECT " REPO_COLUMNS ", " value " FROM repository r JOIN pool p ON " \
			"p.id = r.pool_id WHERE r.registry_id = $1 AND r.state = 1 AND " value \
			" < $2 AND $3 > 0 ORDER BY " value " DESC, r.id DESC LIMIT $4"         \
	}

static const char *const sql_repositories[][2] = {
	[REPOS_BY_LOGICAL] = BEHIND("r.logical_bytes"),
	[REPOS_BY_STORED] = BEHIND("r.stored_bytes"),
	[REPOS_BY_SAVED] = BEHIND("(r.logical_bytes - r.stored_bytes)"),
	[REPOS_BY_CREATED] = BEHIND("r.created_at_ms"),
};
static const char sql_by_name[] =
	"SELECT " REPO_COLUMNS " FROM repository r JOIN pool p ON p.id = r.pool_id WHERE "
	"r.registry_id = $1 AND r.state = 1 AND r.name > $2 ORDER BY r.name LIMIT $3";
static const char sql_repository[] =
	"SELECT " REPO_COLUMNS
	" FROM repository r JOIN pool p ON p.id = r.pool_id WHERE r.id = $1 AND r.state = 1";

#define SAVING "((b.links - 1) * b.size_bytes)"
#define SAVING_COLUMNS                                                              \
	"SELECT b.id, b.pool_id, b.digest, b.size_bytes, b.links, b.created_at_ms " \
	"FROM "

static const char *const sql_layers[2] = {
	SAVING_COLUMNS "blob b WHERE b.pool_id = $1 AND b.links > 1 AND " SAVING
		       " = $2 AND b.id < $3 AND $4 <= $2 ORDER BY b.id DESC LIMIT $5",
	SAVING_COLUMNS "blob b WHERE b.pool_id = $1 AND b.links > 1 AND " SAVING
		       " < $2 AND $3 > 0 AND " SAVING " >= $4 ORDER BY " SAVING
		       " DESC, b.id DESC LIMIT $5",
};
static const char sql_layer[] = SAVING_COLUMNS
	"pool p JOIN blob b ON b.pool_id = p.id AND b.digest = $2 WHERE p.registry_id = $1 "
	"ORDER BY p.id LIMIT $3";

static const char sql_holders[] =
	"SELECT l.repository_id, l.blob_id, l.origin, l.source, l.linked_at_ms, l.needs, r.name, r.state FROM layer_link l "
	"JOIN repository r ON r.id = l.repository_id WHERE l.blob_id = $1 AND l.repository_id > $2 "
	"ORDER BY l.repository_id LIMIT $3";
#define HELD                                                                                                               \
	"SELECT l.repository_id, l.blob_id, l.origin, l.source, l.linked_at_ms, l.needs, b.digest, b.size_bytes, b.links " \
	"FROM layer_link l JOIN blob b ON b.id = l.blob_id "
static const char sql_held[] =
	HELD "WHERE l.repository_id = $1 AND l.blob_id > $2 ORDER BY l.blob_id LIMIT $3";
static const char sql_held_one[] =
	HELD "WHERE l.repository_id = $1 AND b.pool_id = $2 AND b.digest = $3";
static const char sql_holds[] =
	"SELECT 1 FROM layer_link WHERE repository_id = $1 AND blob_id = $2";

/* key_arn is borrowed from the statement. */
static void read_pool(struct db_stmt *st, struct pool_sums *out)
{
	*out = (struct pool_sums){
		.id = db_col_int(st, 0),
		.enc_type = (int)db_col_int(st, 1),
		.key_arn = db_col_str(st, 2),
		.repositories = (uint64_t)db_col_int(st, 3),
		.images = (uint64_t)db_col_int(st, 4),
		.blobs = (uint64_t)db_col_int(st, 5),
		.links = (uint64_t)db_col_int(st, 6),
		.logical_bytes = (uint64_t)db_col_int(st, 7),
		.stored_bytes = (uint64_t)db_col_int(st, 8),
		.waiting_bytes = (uint64_t)db_col_int(st, 9),
	};
}

bool sharing_table_pools(struct db_conn *c, int64_t registry_id, struct arena *arena,
	struct pool_sums *rows, size_t max, size_t *count, struct err *err)
{
	STMT(st, c, sql_pools);
	db_bind_int(st, 1, registry_id);
	db_bind_int(st, 2, (int64_t)max);
	size_t n = 0;
	bool row = true;
	while (n < max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		read_pool(st, &rows[n]);
		rows[n].key_arn = arena_str(arena, rows[n].key_arn);
		if (!rows[n++].key_arn.ptr)
			return table_no_room(arena, err);
	}
	*count = n;
	return true;
}

bool sharing_table_pool_sums(
	struct db_conn *c, int64_t id, struct pool_sums *out, bool *found, struct err *err)
{
	STMT(st, c, sql_pool_sums);
	db_bind_int(st, 1, id);
	if (!db_step(st, found, err))
		return false;
	if (*found)
		read_pool(st, out);
	out->key_arn = (struct str){ NULL, 0 };
	return true;
}

bool sharing_table_pool(struct db_conn *c, int64_t registry_id, int enc_type, struct str key_arn,
	int64_t *id, struct err *err)
{
	STMT(st, c, sql_pool);
	db_bind_int(st, 1, registry_id);
	db_bind_int(st, 2, enc_type);
	db_bind_str(st, 3, key_arn.ptr ? key_arn : STR(""));
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*id = row ? db_col_int(st, 0) : 0;
	return true;
}

static bool contains(struct str text, struct str part)
{
	return part.len == 0 || memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

/* One of the two parts of a page. */
static bool walk_repositories(struct db_conn *c, const struct repo_order_query *q, size_t part,
	struct arena *arena, struct repo_rows *page, unsigned *left, struct err *err)
{
	STMT(st, c, sql_repositories[q->order][part]);
	bool row = true;
	db_bind_int(st, 1, q->registry_id);
	db_bind_int(st, 2, page->at.value);
	db_bind_int(st, 3, page->at.id);
	db_bind_int(st, 4, *left);
	page->more = true;
	for (; *left > 0; --*left) {
		if (!db_step(st, &row, err))
			return false;
		page->more = row;
		if (!row || page->count == page->max)
			break;
		if (contains(db_col_str(st, REPO_COLUMN_NAME), q->contains) &&
			!repo_row_read(st, arena, &page->rows[page->count++], err))
			return false;
		page->at.id = db_col_int(st, 0);
		page->at.value = db_col_int(st, REPO_COLUMN_COUNT);
	}
	return true;
}

bool sharing_table_repositories(struct db_conn *c, const struct repo_order_query *q,
	struct arena *arena, struct repo_rows *page, struct err *err)
{
	unsigned left = q->look;
	page->count = 0;
	return walk_repositories(c, q, 0, arena, page, &left, err) &&
	       (page->more || walk_repositories(c, q, 1, arena, page, &left, err));
}

bool sharing_table_by_name(struct db_conn *c, const struct repo_order_query *q, struct arena *arena,
	struct repo_rows *page, struct err *err)
{
	STMT(st, c, sql_by_name);
	char seen[257] = "";
	db_bind_int(st, 1, q->registry_id);
	db_bind_str(st, 2, page->last.ptr ? page->last : STR(""));
	db_bind_int(st, 3, q->look);
	page->count = 0;
	page->more = true;
	for (unsigned looked = 0; looked < q->look; looked++) {
		bool row = false;
		if (!db_step(st, &row, err))
			return false;
		page->more = row;
		if (!row || page->count == page->max)
			break;
		struct str name = db_col_str(st, REPO_COLUMN_NAME);
		if (!str_to_c(name, seen, sizeof(seen)))
			return err_sys(err, ERR_CORRUPT, 0, "a repository's name is too long");
		if (contains(name, q->contains) &&
			!repo_row_read(st, arena, &page->rows[page->count++], err))
			return false;
	}
	page->last = arena_str(arena, str_from(seen));
	return page->last.ptr || table_no_room(arena, err);
}

bool sharing_table_repository(struct db_conn *c, int64_t id, struct arena *arena,
	struct repo_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_repository);
	db_bind_int(st, 1, id);
	bool row = false;
	if (!db_step(st, &row, err) || (row && !repo_row_read(st, arena, out, err)))
		return false;
	*found = row;
	return true;
}

/* Appends rows up to max. */
static bool read_savings(struct db_stmt *st, struct saving_rows *out, struct err *err)
{
	bool row = true;
	while (out->count < out->max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		struct saving_row *r = &out->rows[out->count];
		*r = (struct saving_row){
			.id = db_col_int(st, 0),
			.pool_id = db_col_int(st, 1),
			.size_bytes = db_col_int(st, 3),
			.links = db_col_int(st, 4),
			.created_at_ms = db_col_int(st, 5),
		};
		r->saved_bytes = r->links > 1 ? (r->links - 1) * r->size_bytes : 0;
		if (!table_digest(st, 2, &r->digest, err))
			return false;
		out->count++;
	}
	return true;
}

bool sharing_table_layers(struct db_conn *c, int64_t pool_id, const struct sharing_place *at,
	int64_t floor, struct saving_rows *out, struct err *err)
{
	out->count = 0;
	for (size_t part = 0; part < ARRAY_LEN(sql_layers) && out->count < out->max; part++) {
		STMT(st, c, sql_layers[part]);
		db_bind_int(st, 1, pool_id);
		db_bind_int(st, 2, at->value);
		db_bind_int(st, 3, at->id);
		db_bind_int(st, 4, floor);
		db_bind_int(st, 5, (int64_t)(out->max - out->count));
		if (!read_savings(st, out, err))
			return false;
	}
	return true;
}

bool sharing_table_layer(struct db_conn *c, int64_t registry_id, const struct digest *d,
	struct saving_rows *out, struct err *err)
{
	STMT(st, c, sql_layer);
	uint8_t key[DIGEST_KEY_MAX];
	db_bind_int(st, 1, registry_id);
	table_bind_digest(st, 2, d, key);
	db_bind_int(st, 3, (int64_t)out->max);
	out->count = 0;
	return read_savings(st, out, err);
}

static bool read_holding(struct db_stmt *st, bool of_repository, struct arena *arena,
	struct holding_row *out, struct err *err)
{
	struct holding_row r = {
		.repository_id = db_col_int(st, 0),
		.blob_id = db_col_int(st, 1),
		.origin = (enum link_origin)db_col_int(st, 2),
		.linked_at_ms = db_col_int(st, 4),
		.needs = db_col_int(st, 5),
	};
	if (!db_col_is_null(st, 3)) {
		r.source = table_text(st, 3, arena);
		if (!r.source.ptr)
			return table_no_room(arena, err);
	}
	if (of_repository) {
		if (!table_digest(st, 6, &r.digest, err))
			return false;
		r.size_bytes = db_col_int(st, 7);
		r.links = db_col_int(st, 8);
	} else {
		r.name = table_text(st, 6, arena);
		r.is_live = db_col_int(st, 7) == REPO_LIVE;
		if (!r.name.ptr)
			return table_no_room(arena, err);
	}
	*out = r;
	return true;
}

static bool list_holdings(struct db_stmt *st, bool of_repository, struct arena *arena,
	struct holding_rows *out, struct err *err)
{
	bool row = true;
	out->count = 0;
	db_bind_int(st, 3, (int64_t)out->max);
	while (out->count < out->max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		if (!read_holding(st, of_repository, arena, &out->rows[out->count++], err))
			return false;
	}
	return true;
}

bool sharing_table_holders(struct db_conn *c, int64_t blob_id, int64_t after, struct arena *arena,
	struct holding_rows *out, struct err *err)
{
	STMT(st, c, sql_holders);
	db_bind_int(st, 1, blob_id);
	db_bind_int(st, 2, after);
	return list_holdings(st, false, arena, out, err);
}

bool sharing_table_held(struct db_conn *c, int64_t repository_id, int64_t after,
	struct arena *arena, struct holding_rows *out, struct err *err)
{
	STMT(st, c, sql_held);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, after);
	return list_holdings(st, true, arena, out, err);
}

bool sharing_table_held_one(struct db_conn *c, const struct repo_key *repo, const struct digest *d,
	struct arena *arena, struct holding_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_held_one);
	uint8_t key[DIGEST_KEY_MAX];
	db_bind_int(st, 1, repo->id);
	db_bind_int(st, 2, repo->pool_id);
	table_bind_digest(st, 3, d, key);
	if (!db_step(st, found, err))
		return false;
	return !*found || read_holding(st, true, arena, out, err);
}

bool sharing_table_holds(
	struct db_conn *c, int64_t repository_id, int64_t blob_id, bool *out, struct err *err)
{
	STMT(st, c, sql_holds);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, blob_id);
	return db_step(st, out, err);
}
