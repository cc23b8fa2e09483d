#include "meta/repo_table.h"

#include "meta/repo_row.h"
#include "meta/table.h"

#define COLUMNS REPO_COLUMNS " FROM repository r JOIN pool p ON p.id = r.pool_id "

static const char sql_add[] =
	"INSERT INTO repository (registry_id, pool_id, state, name, created_at_ms, mutability, filters, "
	"scan_on_push) VALUES ($1, $2, 1, $3, $4, $5, $6, $7)";
static const char sql_find[] =
	"SELECT " COLUMNS "WHERE r.registry_id = $1 AND r.name = $2 AND r.state = 1";
static const char sql_key[] =
	"SELECT id, pool_id FROM repository WHERE registry_id = $1 AND name = $2 AND state = 1";
static const char sql_is_live[] = "SELECT 1 FROM repository WHERE id = $1 AND state = 1";
static const char sql_name[] = "SELECT name, state FROM repository WHERE id = $1";
static const char sql_pool[] = "SELECT pool_id FROM repository WHERE id = $1";
static const char sql_registry[] = "SELECT registry_id FROM repository WHERE id = $1";
static const char sql_list[] =
	"SELECT " COLUMNS
	"WHERE r.registry_id = $1 AND r.name > $2 AND r.state = 1 ORDER BY r.name LIMIT $3";
static const char sql_set_mutability[] =
	"UPDATE repository SET mutability = $2, filters = $3 WHERE id = $1";
static const char sql_set_scan_on_push[] = "UPDATE repository SET scan_on_push = $2 WHERE id = $1";
static const char sql_set_dying[] = "UPDATE repository SET state = 2 WHERE id = $1";
static const char sql_pool_gains[] =
	"UPDATE pool SET repositories = repositories + 1 WHERE id = $1";
static const char sql_pool_loses[] =
	"UPDATE pool SET repositories = repositories - 1 WHERE id = (SELECT pool_id FROM repository WHERE id = $1)";
static const char sql_add_sums[] =
	"UPDATE repository SET images = images + $2, logical_bytes = logical_bytes + $3, "
	"stored_bytes = stored_bytes + $4 WHERE id = $1";
static const char sql_next_dying[] =
	"SELECT id, registry_id FROM repository WHERE state = 2 AND id > $1 ORDER BY id LIMIT 1";
static const char sql_remove_tags[] = "DELETE FROM repository_tag WHERE repository_id = $1";
static const char sql_remove[] = "DELETE FROM repository WHERE id = $1";
static const char sql_tag_list[] =
	"SELECT key, value FROM repository_tag WHERE repository_id = $1 ORDER BY key LIMIT $2";
static const char sql_tag_put[] =
	"INSERT INTO repository_tag (repository_id, key, value) VALUES ($1, $2, $3) "
	"ON CONFLICT (repository_id, key) DO UPDATE SET value = excluded.value";
static const char sql_tag_remove[] =
	"DELETE FROM repository_tag WHERE repository_id = $1 AND key = $2";
static const char sql_tag_count[] = "SELECT count(*) FROM repository_tag WHERE repository_id = $1";

bool repo_row_read(struct db_stmt *st, struct arena *arena, struct repo_row *out, struct err *err)
{
	struct repo_row r = {
		.id = db_col_int(st, 0),
		.registry_id = db_col_int(st, 1),
		.pool_id = db_col_int(st, 2),
		.name = table_text(st, 3, arena),
		.created_at_ms = db_col_int(st, 4),
		.mutability = (int)db_col_int(st, 5),
		.filters = table_text(st, 6, arena),
		.scan_on_push = db_col_int(st, 7) != 0,
		.enc_type = (int)db_col_int(st, 8),
		.key_arn = table_text(st, 9, arena),
		.images = db_col_int(st, 10),
		.logical_bytes = db_col_int(st, 11),
		.stored_bytes = db_col_int(st, 12),
	};
	if (!r.name.ptr || !r.filters.ptr || !r.key_arn.ptr)
		return table_no_room(arena, err);
	*out = r;
	return true;
}

static bool run_id(struct db_conn *c, const char *sql, int64_t id, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, id);
	return db_run(st, err);
}

bool repo_table_add(struct db_conn *c, const struct repo_row *row, int64_t *id, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_add);
	db_bind_int(st, 1, row->registry_id);
	db_bind_int(st, 2, row->pool_id);
	db_bind_str(st, 3, row->name);
	db_bind_int(st, 4, row->created_at_ms);
	db_bind_int(st, 5, row->mutability);
	db_bind_str(st, 6, row->filters.ptr ? row->filters : STR(""));
	db_bind_int(st, 7, row->scan_on_push);
	if (!db_run(st, err))
		return false;
	int64_t new_id = db_last_id(c);
	if (!run_id(c, sql_pool_gains, row->pool_id, err))
		return false;
	*id = new_id;
	return true;
}

bool repo_table_find(struct db_conn *c, int64_t registry_id, struct str name, struct arena *arena,
	struct repo_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_find);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, name);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row && !repo_row_read(st, arena, out, err))
		return false;
	*found = row;
	return true;
}

bool repo_table_key(struct db_conn *c, int64_t registry_id, struct str name, struct repo_key *out,
	struct err *err)
{
	STMT(st, c, sql_key);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, name);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = row ? (struct repo_key){ db_col_int(st, 0), db_col_int(st, 1) }
		   : (struct repo_key){ 0, 0 };
	return true;
}

bool repo_table_is_live(struct db_conn *c, int64_t id, bool *out, struct err *err)
{
	STMT(st, c, sql_is_live);
	db_bind_int(st, 1, id);
	return db_step(st, out, err);
}

bool repo_table_name(struct db_conn *c, int64_t id, struct arena *arena, struct str *out,
	bool *is_live, struct err *err)
{
	STMT(st, c, sql_name);
	db_bind_int(st, 1, id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = row ? table_text(st, 0, arena) : (struct str){ NULL, 0 };
	*is_live = row && db_col_int(st, 1) == REPO_LIVE;
	return true;
}

static bool read_id(struct db_conn *c, const char *sql, int64_t id, int64_t *out, struct err *err)
{
	STMT(st, c, sql);
	db_bind_int(st, 1, id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = row ? db_col_int(st, 0) : 0;
	return true;
}

bool repo_table_pool(struct db_conn *c, int64_t id, int64_t *pool_id, struct err *err)
{
	return read_id(c, sql_pool, id, pool_id, err);
}

bool repo_table_registry(struct db_conn *c, int64_t id, int64_t *registry_id, struct err *err)
{
	return read_id(c, sql_registry, id, registry_id, err);
}

bool repo_table_list(struct db_conn *c, int64_t registry_id, const struct page *page,
	struct repo_row *rows, size_t *count, struct err *err)
{
	STMT(st, c, sql_list);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, page->after.ptr ? page->after : STR(""));
	db_bind_int(st, 3, page->max);
	size_t n = 0;
	bool row = false;
	while (n < page->max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		if (!repo_row_read(st, page->arena, &rows[n], err))
			return false;
		n++;
	}
	*count = n;
	return true;
}

bool repo_table_set_mutability(
	struct db_conn *c, int64_t id, int mutability, struct str filters, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_set_mutability);
	db_bind_int(st, 1, id);
	db_bind_int(st, 2, mutability);
	db_bind_str(st, 3, filters.ptr ? filters : STR(""));
	return db_run(st, err);
}

bool repo_table_set_scan_on_push(struct db_conn *c, int64_t id, bool scan_on_push, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_set_scan_on_push);
	db_bind_int(st, 1, id);
	db_bind_int(st, 2, scan_on_push);
	return db_run(st, err);
}

bool repo_table_set_dying(struct db_conn *c, int64_t id, struct err *err)
{
	return run_id(c, sql_set_dying, id, err) && run_id(c, sql_pool_loses, id, err);
}

bool repo_table_add_sums(struct db_conn *c, int64_t id, int64_t images, int64_t logical,
	int64_t stored, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_add_sums);
	db_bind_int(st, 1, id);
	db_bind_int(st, 2, images);
	db_bind_int(st, 3, logical);
	db_bind_int(st, 4, stored);
	return db_run(st, err);
}

bool repo_table_next_dying(
	struct db_conn *c, int64_t after, int64_t *id, int64_t *registry_id, struct err *err)
{
	STMT(st, c, sql_next_dying);
	db_bind_int(st, 1, after);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*id = row ? db_col_int(st, 0) : 0;
	*registry_id = row ? db_col_int(st, 1) : 0;
	return true;
}

bool repo_table_remove(struct db_conn *c, int64_t id, struct err *err)
{
	return run_id(c, sql_remove_tags, id, err) && run_id(c, sql_remove, id, err);
}

bool repo_tag_table_list(struct db_conn *c, int64_t id, struct arena *arena,
	struct repo_tag_row *rows, size_t max, size_t *count, struct err *err)
{
	STMT(st, c, sql_tag_list);
	db_bind_int(st, 1, id);
	db_bind_int(st, 2, (int64_t)max);
	size_t n = 0;
	bool row = false;
	while (n < max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		rows[n].key = table_text(st, 0, arena);
		rows[n].value = table_text(st, 1, arena);
		if (!rows[n].key.ptr || !rows[n].value.ptr)
			return table_no_room(arena, err);
		n++;
	}
	*count = n;
	return true;
}

bool repo_tag_table_put(
	struct db_conn *c, int64_t id, struct str key, struct str value, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_tag_put);
	db_bind_int(st, 1, id);
	db_bind_str(st, 2, key);
	db_bind_str(st, 3, value.ptr ? value : STR(""));
	return db_run(st, err);
}

bool repo_tag_table_remove(struct db_conn *c, int64_t id, struct str key, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_tag_remove);
	db_bind_int(st, 1, id);
	db_bind_str(st, 2, key);
	return db_run(st, err);
}

bool repo_tag_table_count(struct db_conn *c, int64_t id, uint64_t *out, struct err *err)
{
	STMT(st, c, sql_tag_count);
	db_bind_int(st, 1, id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = (uint64_t)db_col_int(st, 0);
	return true;
}
