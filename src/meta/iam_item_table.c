/* The rest of iam_table.h: what an entity has several of. */
#include "meta/iam_table.h"
#include "meta/table.h"

static const char sql_put[] =
	"INSERT INTO iam_item (entity_id, kind, name, value, at_ms) VALUES ($1, $2, $3, $4, $5) "
	"ON CONFLICT (entity_id, kind, name) DO UPDATE SET value = excluded.value";
static const char sql_find[] =
	"SELECT name, value, at_ms FROM iam_item WHERE entity_id = $1 AND kind = $2 AND name = $3";
static const char sql_remove[] =
	"DELETE FROM iam_item WHERE entity_id = $1 AND kind = $2 AND name = $3";
static const char sql_list[] =
	"SELECT name, value, at_ms FROM iam_item WHERE entity_id = $1 AND kind = $2 AND name > $3 "
	"ORDER BY name LIMIT $4";
static const char sql_count[] =
	"SELECT count(*), coalesce(sum(length(CAST(value AS BLOB))), 0) FROM iam_item "
	"WHERE entity_id = $1 AND kind = $2";

bool iam_item_table_put(struct db_conn *c, int64_t entity_id, enum iam_item_kind kind,
	const struct iam_item_row *item, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_put);
	db_bind_int(st, 1, entity_id);
	db_bind_int(st, 2, kind);
	db_bind_str(st, 3, item->name);
	db_bind_str(st, 4, item->value.ptr != NULL ? item->value : STR(""));
	db_bind_int(st, 5, item->at_ms);
	return db_run(st, err);
}

static bool read_columns(
	struct db_stmt *st, struct arena *arena, struct iam_item_row *out, struct err *err)
{
	struct iam_item_row r = {
		.name = table_text(st, 0, arena),
		.value = table_text(st, 1, arena),
		.at_ms = db_col_int(st, 2),
	};
	if (r.name.ptr == NULL || r.value.ptr == NULL)
		return table_no_memory(arena, err);
	*out = r;
	return true;
}

bool iam_item_table_find(struct db_conn *c, const struct iam_items *of, struct str name,
	struct arena *arena, struct iam_item_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_find);
	db_bind_int(st, 1, of->entity_id);
	db_bind_int(st, 2, of->kind);
	db_bind_str(st, 3, name);
	bool is_row = false;
	if (!db_step(st, &is_row, err) || (is_row && !read_columns(st, arena, out, err)))
		return false;
	*found = is_row;
	return true;
}

bool iam_item_table_remove(struct db_conn *c, int64_t entity_id, enum iam_item_kind kind,
	struct str name, bool *found, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_remove);
	db_bind_int(st, 1, entity_id);
	db_bind_int(st, 2, kind);
	db_bind_str(st, 3, name);
	if (!db_run(st, err))
		return false;
	*found = db_changes(c) != 0;
	return true;
}

bool iam_item_table_list(struct db_conn *c, const struct iam_item_page *page, struct arena *arena,
	struct iam_item_row *rows, size_t *out_n, struct err *err)
{
	STMT(st, c, sql_list);
	db_bind_int(st, 1, page->of.entity_id);
	db_bind_int(st, 2, page->of.kind);
	db_bind_str(st, 3, page->after.ptr != NULL ? page->after : STR(""));
	db_bind_int(st, 4, page->limit);
	size_t n = 0;
	while (n < page->limit) {
		bool is_row = false;
		if (!db_step(st, &is_row, err))
			return false;
		if (!is_row)
			break;
		if (!read_columns(st, arena, &rows[n], err))
			return false;
		n++;
	}
	*out_n = n;
	return true;
}

bool iam_item_table_count(struct db_conn *c, int64_t entity_id, enum iam_item_kind kind,
	uint64_t *out, uint64_t *out_bytes, struct err *err)
{
	STMT(st, c, sql_count);
	db_bind_int(st, 1, entity_id);
	db_bind_int(st, 2, kind);
	bool is_row = false;
	if (!db_step(st, &is_row, err))
		return false;
	*out = (uint64_t)db_col_int(st, 0);
	*out_bytes = (uint64_t)db_col_int(st, 1);
	return true;
}
