#include "meta/iam_table.h"

#include "meta/table.h"

#define COLUMNS                                                                                   \
	"e.id, e.kind, e.account, e.name_key, e.name, e.path, e.uid, e.description, e.document, " \
	"e.boundary, e.max_session_s, e.version, e.last_version, e.created_at_ms, e.updated_at_ms"

static const char sql_add[] =
	"INSERT INTO iam_entity (account, kind, name_key, name, path, uid, description, document, boundary, max_session_s, "
	"version, last_version, created_at_ms, updated_at_ms) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (account, kind, name_key) DO NOTHING";
static const char sql_find[] =
	"SELECT " COLUMNS
	" FROM iam_entity e WHERE e.account = $1 AND e.kind = $2 AND e.name_key = $3";
static const char sql_find_id[] = "SELECT " COLUMNS " FROM iam_entity e WHERE e.id = $1";
static const char sql_put[] =
	"UPDATE iam_entity SET name_key = $2, name = $3, path = $4, description = $5, document = $6, boundary = $7, "
	"max_session_s = $8, version = $9, last_version = $10, updated_at_ms = $11 WHERE id = $1";
static const char sql_remove[] = "DELETE FROM iam_entity WHERE id = $1";
static const char sql_remove_items[] = "DELETE FROM iam_item WHERE entity_id = $1";
static const char sql_remove_group[] = "DELETE FROM iam_member WHERE group_id = $1";
static const char sql_remove_user[] = "DELETE FROM iam_member WHERE user_id = $1";
static const char sql_count[] = "SELECT count(*) FROM iam_entity WHERE account = $1 AND kind = $2";
static const char sql_list[] =
	"SELECT " COLUMNS
	" FROM iam_entity e WHERE e.account = $1 AND e.kind = $2 AND e.name_key > $3 "
	"AND substr(e.path, 1, length($4)) = $4 ORDER BY e.name_key LIMIT $5";
static const char sql_list_attached[] =
	"SELECT " COLUMNS
	" FROM iam_item i CROSS JOIN iam_entity e ON e.id = i.entity_id WHERE i.kind = 3 AND i.name = $6 "
	"AND e.account = $1 AND e.kind = $2 AND e.name_key > $3 AND substr(e.path, 1, length($4)) = $4 "
	"ORDER BY e.name_key LIMIT $5";
static const char sql_list_bounded[] =
	"SELECT " COLUMNS
	" FROM iam_entity e WHERE e.boundary = $6 AND e.boundary <> '' AND e.account = $1 AND e.kind = $2 "
	"AND e.name_key > $3 AND substr(e.path, 1, length($4)) = $4 ORDER BY e.name_key LIMIT $5";
static const char sql_count_attached[] =
	"SELECT count(*) FROM iam_item i CROSS JOIN iam_entity e ON e.id = i.entity_id "
	"WHERE i.kind = 3 AND i.name = $2 AND e.account = $1";
static const char sql_count_bounded[] =
	"SELECT count(*) FROM iam_entity WHERE boundary = $2 AND boundary <> '' AND account = $1";
static const char sql_members[] =
	"SELECT " COLUMNS
	" FROM iam_member m CROSS JOIN iam_entity e ON e.id = m.user_id WHERE m.group_id = $1 AND e.name_key > $2 "
	"ORDER BY e.name_key LIMIT $3";
static const char sql_groups[] =
	"SELECT " COLUMNS
	" FROM iam_member m CROSS JOIN iam_entity e ON e.id = m.group_id WHERE m.user_id = $1 AND e.name_key > $2 "
	"ORDER BY e.name_key LIMIT $3";
static const char sql_member_add[] =
	"INSERT INTO iam_member (group_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
static const char sql_member_remove[] =
	"DELETE FROM iam_member WHERE group_id = $1 AND user_id = $2";
static const char sql_member_count[] = "SELECT count(*) FROM iam_member WHERE group_id = $1";
static const char sql_group_count[] = "SELECT count(*) FROM iam_member WHERE user_id = $1";

static struct str not_null(struct str s)
{
	return s.ptr != NULL ? s : STR("");
}

bool iam_table_add(
	struct db_conn *c, const struct iam_row *row, int64_t *id, bool *added, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_add);
	db_bind_str(st, 1, row->account);
	db_bind_int(st, 2, row->kind);
	db_bind_str(st, 3, row->name_key);
	db_bind_str(st, 4, row->name);
	db_bind_str(st, 5, not_null(row->path));
	db_bind_str(st, 6, row->uid);
	db_bind_str(st, 7, not_null(row->description));
	db_bind_str(st, 8, not_null(row->document));
	db_bind_str(st, 9, not_null(row->boundary));
	db_bind_int(st, 10, row->max_session_s);
	db_bind_int(st, 11, row->version);
	db_bind_int(st, 12, row->last_version);
	db_bind_int(st, 13, row->created_at_ms);
	db_bind_int(st, 14, row->updated_at_ms);
	if (!db_run(st, err))
		return false;
	*added = db_changes(c) != 0;
	if (*added)
		*id = db_last_id(c);
	return true;
}

static bool read_columns(
	struct db_stmt *st, struct arena *arena, struct iam_row *out, struct err *err)
{
	struct iam_row r = {
		.id = db_col_int(st, 0),
		.kind = (enum iam_kind)db_col_int(st, 1),
		.account = table_text(st, 2, arena),
		.name_key = table_text(st, 3, arena),
		.name = table_text(st, 4, arena),
		.path = table_text(st, 5, arena),
		.uid = table_text(st, 6, arena),
		.description = table_text(st, 7, arena),
		.document = table_text(st, 8, arena),
		.boundary = table_text(st, 9, arena),
		.max_session_s = db_col_int(st, 10),
		.version = db_col_int(st, 11),
		.last_version = db_col_int(st, 12),
		.created_at_ms = db_col_int(st, 13),
		.updated_at_ms = db_col_int(st, 14),
	};
	const struct str *texts[] = { &r.account, &r.name_key, &r.name, &r.path, &r.uid,
		&r.description, &r.document, &r.boundary };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i]->ptr == NULL)
			return table_no_memory(arena, err);
	}
	*out = r;
	return true;
}

static bool read_one(
	struct db_stmt *st, struct arena *arena, struct iam_row *out, bool *found, struct err *err)
{
	bool is_row = false;
	if (!db_step(st, &is_row, err))
		return false;
	if (is_row && !read_columns(st, arena, out, err))
		return false;
	*found = is_row;
	return true;
}

static bool read_rows(struct db_stmt *st, unsigned limit, struct arena *arena, struct iam_row *rows,
	size_t *out_n, struct err *err)
{
	size_t n = 0;
	while (n < limit) {
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

bool iam_table_find(struct db_conn *c, const struct iam_name *name, struct arena *arena,
	struct iam_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_find);
	db_bind_str(st, 1, name->account);
	db_bind_int(st, 2, name->kind);
	db_bind_str(st, 3, name->name_key);
	return read_one(st, arena, out, found, err);
}

bool iam_table_find_id(struct db_conn *c, int64_t id, struct arena *arena, struct iam_row *out,
	bool *found, struct err *err)
{
	STMT(st, c, sql_find_id);
	db_bind_int(st, 1, id);
	return read_one(st, arena, out, found, err);
}

bool iam_table_put(struct db_conn *c, const struct iam_row *row, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_put);
	db_bind_int(st, 1, row->id);
	db_bind_str(st, 2, row->name_key);
	db_bind_str(st, 3, row->name);
	db_bind_str(st, 4, row->path);
	db_bind_str(st, 5, row->description);
	db_bind_str(st, 6, row->document);
	db_bind_str(st, 7, row->boundary);
	db_bind_int(st, 8, row->max_session_s);
	db_bind_int(st, 9, row->version);
	db_bind_int(st, 10, row->last_version);
	db_bind_int(st, 11, row->updated_at_ms);
	return db_run(st, err);
}

bool iam_table_remove(struct db_conn *c, int64_t id, struct err *err)
{
	const char *const steps[] = { sql_remove_items, sql_remove_group, sql_remove_user,
		sql_remove };
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct db_stmt *st = db_prepare(c, steps[i]);
		db_bind_int(st, 1, id);
		if (!db_run(st, err))
			return false;
	}
	return true;
}

static bool read_count(struct db_stmt *st, uint64_t *out, struct err *err)
{
	bool is_row = false;
	if (!db_step(st, &is_row, err))
		return false;
	*out = (uint64_t)db_col_int(st, 0);
	return true;
}

bool iam_table_count(
	struct db_conn *c, struct str account, enum iam_kind kind, uint64_t *out, struct err *err)
{
	STMT(st, c, sql_count);
	db_bind_str(st, 1, account);
	db_bind_int(st, 2, kind);
	return read_count(st, out, err);
}

static void bind_page(struct db_stmt *st, const struct iam_page *page)
{
	db_bind_str(st, 1, page->account);
	db_bind_int(st, 2, page->kind);
	db_bind_str(st, 3, not_null(page->after));
	db_bind_str(st, 4, not_null(page->path_prefix));
	db_bind_int(st, 5, page->limit);
}

bool iam_table_list(struct db_conn *c, const struct iam_page *page, struct arena *arena,
	struct iam_row *rows, size_t *out_n, struct err *err)
{
	STMT(st, c, sql_list);
	bind_page(st, page);
	return read_rows(st, page->limit, arena, rows, out_n, err);
}

bool iam_table_list_attached(struct db_conn *c, const struct iam_page *page, struct arena *arena,
	struct iam_row *rows, size_t *out_n, struct err *err)
{
	STMT(st, c, page->is_boundary ? sql_list_bounded : sql_list_attached);
	bind_page(st, page);
	db_bind_str(st, 6, page->policy_arn);
	return read_rows(st, page->limit, arena, rows, out_n, err);
}

bool iam_table_count_attached(struct db_conn *c, struct str account, struct str policy_arn,
	bool boundary, uint64_t *out, struct err *err)
{
	STMT(st, c, boundary ? sql_count_bounded : sql_count_attached);
	db_bind_str(st, 1, account);
	db_bind_str(st, 2, policy_arn);
	return read_count(st, out, err);
}

bool iam_member_table_list(struct db_conn *c, const struct iam_page *page, int64_t id,
	struct arena *arena, struct iam_row *rows, size_t *out_n, struct err *err)
{
	STMT(st, c, page->kind == IAM_USER ? sql_members : sql_groups);
	db_bind_int(st, 1, id);
	db_bind_str(st, 2, not_null(page->after));
	db_bind_int(st, 3, page->limit);
	return read_rows(st, page->limit, arena, rows, out_n, err);
}

bool iam_member_table_add(struct db_conn *c, int64_t group_id, int64_t user_id, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_member_add);
	db_bind_int(st, 1, group_id);
	db_bind_int(st, 2, user_id);
	return db_run(st, err);
}

bool iam_member_table_remove(
	struct db_conn *c, int64_t group_id, int64_t user_id, bool *found, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_member_remove);
	db_bind_int(st, 1, group_id);
	db_bind_int(st, 2, user_id);
	if (!db_run(st, err))
		return false;
	*found = db_changes(c) != 0;
	return true;
}

bool iam_member_table_count(
	struct db_conn *c, enum iam_kind side, int64_t id, uint64_t *out, struct err *err)
{
	STMT(st, c, side == IAM_GROUP ? sql_member_count : sql_group_count);
	db_bind_int(st, 1, id);
	return read_count(st, out, err);
}
