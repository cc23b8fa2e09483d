#include "meta/kms_table.h"

#include "meta/table.h"

#define COLUMNS                                                                                               \
	"k.id, k.uuid, k.account, k.region, k.manager, k.state, k.created_at_ms, k.delete_at_ms, k.version, " \
	"k.rotation_days, k.rotate_at_ms, k.demanded, k.description"

static const char sql_add[] =
	"INSERT INTO kms_key (uuid, account, region, manager, state, description, created_at_ms, version, rotation_days, "
	"rotate_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)";
static const char sql_find[] = "SELECT " COLUMNS " FROM kms_key k WHERE k.uuid = $1";
static const char sql_find_alias[] =
	"SELECT " COLUMNS " FROM kms_alias a JOIN kms_key k ON k.id = a.key_id "
	"WHERE a.account = $1 AND a.region = $2 AND a.name = $3";
static const char sql_put[] =
	"UPDATE kms_key SET state = $2, description = $3, delete_at_ms = $4, version = $5, rotation_days = $6, "
	"rotate_at_ms = $7, demanded = $8 WHERE id = $1";
static const char sql_next_deletion[] =
	"SELECT " COLUMNS
	" FROM kms_key k WHERE k.delete_at_ms <= $1 ORDER BY k.delete_at_ms LIMIT 1";
/* 1 is KMS_ENABLED: the text is that of the index. */
static const char sql_next_rotation[] =
	"SELECT " COLUMNS
	" FROM kms_key k WHERE k.rotate_at_ms <= $1 AND k.state = 1 ORDER BY k.rotate_at_ms LIMIT 1";
static const char sql_list[] =
	"SELECT uuid FROM kms_key WHERE account = $1 AND region = $2 AND uuid > $3 ORDER BY uuid LIMIT $4";
static const char sql_material[] =
	"SELECT material FROM kms_key_version WHERE key_id = $1 AND version = $2";
static const char sql_add_version[] =
	"INSERT INTO kms_key_version (key_id, version, material, is_demanded, created_at_ms) VALUES ($1, $2, $3, $4, $5)";
static const char sql_versions[] =
	"SELECT version, is_demanded, created_at_ms FROM kms_key_version WHERE key_id = $1 AND version > $2 "
	"ORDER BY version LIMIT $3";
static const char *const sql_remove[] = {
	"DELETE FROM kms_tag WHERE key_id = $1",
	"DELETE FROM kms_alias WHERE key_id = $1",
	"DELETE FROM kms_key_version WHERE key_id = $1",
	"DELETE FROM kms_key WHERE id = $1",
};

static const char sql_alias_add[] =
	"INSERT INTO kms_alias (account, region, name, key_id, created_at_ms, updated_at_ms) VALUES ($1, $2, $3, $4, $5, $5) "
	"ON CONFLICT (account, region, name) DO NOTHING";
static const char sql_alias_move[] =
	"UPDATE kms_alias SET key_id = $4, updated_at_ms = $5 WHERE account = $1 AND region = $2 AND name = $3";
static const char sql_alias_remove[] =
	"DELETE FROM kms_alias WHERE account = $1 AND region = $2 AND name = $3";
static const char sql_alias_count[] = "SELECT count(*) FROM kms_alias WHERE key_id = $1";
static const char sql_alias_list[] =
	"SELECT a.name, k.uuid, a.created_at_ms, a.updated_at_ms FROM kms_alias a JOIN kms_key k ON k.id = a.key_id "
	"WHERE a.account = $1 AND a.region = $2 AND a.name > $3 ORDER BY a.name LIMIT $4";
static const char sql_alias_list_key[] =
	"SELECT a.name, k.uuid, a.created_at_ms, a.updated_at_ms FROM kms_alias a JOIN kms_key k ON k.id = a.key_id "
	"WHERE a.account = $1 AND a.region = $2 AND a.name > $3 AND a.key_id = $5 ORDER BY a.name LIMIT $4";

static const char sql_tag_put[] = "INSERT INTO kms_tag (key_id, name, value) VALUES ($1, $2, $3) "
				  "ON CONFLICT (key_id, name) DO UPDATE SET value = excluded.value";
static const char sql_tag_remove[] = "DELETE FROM kms_tag WHERE key_id = $1 AND name = $2";
static const char sql_tag_count[] = "SELECT count(*) FROM kms_tag WHERE key_id = $1";
static const char sql_tag_list[] =
	"SELECT name, value FROM kms_tag WHERE key_id = $1 AND name > $2 ORDER BY name LIMIT $3";

static void bind_time(struct db_stmt *st, int i, int64_t at_ms)
{
	if (at_ms == 0)
		db_bind_null(st, i);
	else
		db_bind_int(st, i, at_ms);
}

static struct str not_null(struct str s)
{
	return s.ptr != NULL ? s : STR("");
}

static bool uuid_column(struct db_stmt *st, int col, uint8_t out[16], struct err *err)
{
	struct str uuid = db_col_str(st, col);
	if (uuid.len != 16)
		return err_sys(err, ERR_CORRUPT, 0, "a KMS key's id has %zu bytes", uuid.len);
	memcpy(out, uuid.ptr, 16);
	return true;
}

bool kms_table_add(struct db_conn *c, const struct kms_row *row, struct str material, int64_t *id,
	struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_add);
	db_bind_blob(st, 1, row->uuid, sizeof(row->uuid));
	db_bind_str(st, 2, str_from(row->account));
	db_bind_str(st, 3, str_from(row->region));
	db_bind_int(st, 4, row->manager);
	db_bind_int(st, 5, row->state);
	db_bind_str(st, 6, not_null(row->description));
	db_bind_int(st, 7, row->created_at_ms);
	db_bind_int(st, 8, row->rotation_days);
	bind_time(st, 9, row->rotate_at_ms);
	if (!db_run(st, err))
		return false;
	int64_t added = db_last_id(c);
	if (!kms_table_add_version(c, added, 1, material, false, row->created_at_ms, err))
		return false;
	*id = added;
	return true;
}

/* The one row of st, which the caller has bound. */
static bool read_row(
	struct db_stmt *st, struct arena *arena, struct kms_row *out, bool *found, struct err *err)
{
	bool is_row = false;
	if (!db_step(st, &is_row, err))
		return false;
	if (!is_row) {
		*found = false;
		return true;
	}
	struct kms_row r = {
		.id = db_col_int(st, 0),
		.manager = (int)db_col_int(st, 4),
		.state = (int)db_col_int(st, 5),
		.created_at_ms = db_col_int(st, 6),
		.delete_at_ms = db_col_int(st, 7),
		.version = (uint32_t)db_col_int(st, 8),
		.rotation_days = (unsigned)db_col_int(st, 9),
		.rotate_at_ms = db_col_int(st, 10),
		.demanded = (unsigned)db_col_int(st, 11),
	};
	if (!uuid_column(st, 1, r.uuid, err))
		return false;
	if (!str_to_c(db_col_str(st, 2), r.account, sizeof(r.account)) ||
		!str_to_c(db_col_str(st, 3), r.region, sizeof(r.region)))
		return err_sys(err, ERR_CORRUPT, 0, "KMS key row is malformed");
	if (arena != NULL) {
		r.description = table_text(st, 12, arena);
		if (r.description.ptr == NULL)
			return table_no_memory(arena, err);
	}
	*out = r;
	*found = true;
	return true;
}

bool kms_table_find(struct db_conn *c, const uint8_t uuid[16], struct arena *arena,
	struct kms_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_find);
	db_bind_blob(st, 1, uuid, 16);
	return read_row(st, arena, out, found, err);
}

bool kms_table_find_alias(struct db_conn *c, const struct kms_alias_at *at, struct arena *arena,
	struct kms_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_find_alias);
	db_bind_str(st, 1, at->account);
	db_bind_str(st, 2, at->region);
	db_bind_str(st, 3, at->name);
	return read_row(st, arena, out, found, err);
}

bool kms_table_put(struct db_conn *c, const struct kms_row *row, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_put);
	db_bind_int(st, 1, row->id);
	db_bind_int(st, 2, row->state);
	db_bind_str(st, 3, not_null(row->description));
	bind_time(st, 4, row->delete_at_ms);
	db_bind_int(st, 5, row->version);
	db_bind_int(st, 6, row->rotation_days);
	bind_time(st, 7, row->rotate_at_ms);
	db_bind_int(st, 8, row->demanded);
	return db_run(st, err);
}

bool kms_table_remove(struct db_conn *c, int64_t id, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(sql_remove); i++) {
		struct db_stmt *st = db_prepare(c, sql_remove[i]);
		db_bind_int(st, 1, id);
		if (!db_run(st, err))
			return false;
	}
	return true;
}

bool kms_table_next_deletion(
	struct db_conn *c, int64_t now_ms, struct kms_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_next_deletion);
	db_bind_int(st, 1, now_ms);
	return read_row(st, NULL, out, found, err);
}

bool kms_table_next_rotation(
	struct db_conn *c, int64_t now_ms, struct kms_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_next_rotation);
	db_bind_int(st, 1, now_ms);
	return read_row(st, NULL, out, found, err);
}

bool kms_table_list(struct db_conn *c, const struct kms_page *page, uint8_t (*ids)[16],
	size_t *out_n, struct err *err)
{
	STMT(st, c, sql_list);
	db_bind_str(st, 1, page->account);
	db_bind_str(st, 2, page->region);
	db_bind_blob(st, 3, page->after.len != 0 ? page->after.ptr : "", page->after.len);
	db_bind_int(st, 4, page->limit);
	size_t n = 0;
	bool row = true;
	while (n < page->limit) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		if (!uuid_column(st, 0, ids[n++], err))
			return false;
	}
	*out_n = n;
	return true;
}

bool kms_table_material(struct db_conn *c, int64_t key_id, uint32_t version, struct buf *out,
	bool *found, struct err *err)
{
	STMT(st, c, sql_material);
	db_bind_int(st, 1, key_id);
	db_bind_int(st, 2, version);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row) {
		buf_add_str(out, db_col_str(st, 0));
		if (!buf_ok(out))
			return err_sys(err, ERR_CORRUPT, 0, "a KMS key's material is too long");
	}
	*found = row;
	return true;
}

bool kms_table_add_version(struct db_conn *c, int64_t key_id, uint32_t version, struct str material,
	bool is_demanded, int64_t now_ms, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_add_version);
	db_bind_int(st, 1, key_id);
	db_bind_int(st, 2, version);
	db_bind_blob(st, 3, material.ptr, material.len);
	db_bind_int(st, 4, is_demanded);
	db_bind_int(st, 5, now_ms);
	return db_run(st, err);
}

bool kms_table_versions(struct db_conn *c, int64_t key_id, uint32_t after, unsigned limit,
	struct kms_version_row *rows, size_t *out_n, struct err *err)
{
	STMT(st, c, sql_versions);
	db_bind_int(st, 1, key_id);
	db_bind_int(st, 2, after);
	db_bind_int(st, 3, limit);
	size_t n = 0;
	while (n < limit) {
		bool row = false;
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		rows[n++] = (struct kms_version_row){ .version = (uint32_t)db_col_int(st, 0),
			.is_demanded = db_col_int(st, 1) != 0,
			.created_at_ms = db_col_int(st, 2) };
	}
	*out_n = n;
	return true;
}

bool kms_alias_table_add(struct db_conn *c, const struct kms_alias_at *at, int64_t key_id,
	int64_t now_ms, bool *added, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_alias_add);
	db_bind_str(st, 1, at->account);
	db_bind_str(st, 2, at->region);
	db_bind_str(st, 3, at->name);
	db_bind_int(st, 4, key_id);
	db_bind_int(st, 5, now_ms);
	if (!db_run(st, err))
		return false;
	*added = db_changes(c) != 0;
	return true;
}

bool kms_alias_table_move(struct db_conn *c, const struct kms_alias_at *at, int64_t key_id,
	int64_t now_ms, bool *found, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_alias_move);
	db_bind_str(st, 1, at->account);
	db_bind_str(st, 2, at->region);
	db_bind_str(st, 3, at->name);
	db_bind_int(st, 4, key_id);
	db_bind_int(st, 5, now_ms);
	if (!db_run(st, err))
		return false;
	*found = db_changes(c) != 0;
	return true;
}

bool kms_alias_table_remove(
	struct db_conn *c, const struct kms_alias_at *at, bool *found, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_alias_remove);
	db_bind_str(st, 1, at->account);
	db_bind_str(st, 2, at->region);
	db_bind_str(st, 3, at->name);
	if (!db_run(st, err))
		return false;
	*found = db_changes(c) != 0;
	return true;
}

static bool count(
	struct db_conn *c, const char *sql, int64_t key_id, uint64_t *out, struct err *err)
{
	STMT(st, c, sql);
	db_bind_int(st, 1, key_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = (uint64_t)db_col_int(st, 0);
	return true;
}

bool kms_alias_table_count(struct db_conn *c, int64_t key_id, uint64_t *out, struct err *err)
{
	return count(c, sql_alias_count, key_id, out, err);
}

bool kms_alias_table_list(struct db_conn *c, const struct kms_page *page, int64_t key_id,
	struct arena *arena, struct kms_alias_row *rows, size_t *out_n, struct err *err)
{
	STMT(st, c, key_id != 0 ? sql_alias_list_key : sql_alias_list);
	db_bind_str(st, 1, page->account);
	db_bind_str(st, 2, page->region);
	db_bind_str(st, 3, not_null(page->after));
	db_bind_int(st, 4, page->limit);
	if (key_id != 0)
		db_bind_int(st, 5, key_id);
	size_t n = 0;
	while (n < page->limit) {
		bool row = false;
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		struct kms_alias_row *r = &rows[n++];
		r->name = table_text(st, 0, arena);
		r->created_at_ms = db_col_int(st, 2);
		r->updated_at_ms = db_col_int(st, 3);
		if (r->name.ptr == NULL)
			return table_no_memory(arena, err);
		if (!uuid_column(st, 1, r->uuid, err))
			return false;
	}
	*out_n = n;
	return true;
}

bool kms_tag_table_put(
	struct db_conn *c, int64_t key_id, const struct kms_tag_row *tag, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_tag_put);
	db_bind_int(st, 1, key_id);
	db_bind_str(st, 2, not_null(tag->name));
	db_bind_str(st, 3, not_null(tag->value));
	return db_run(st, err);
}

bool kms_tag_table_remove(struct db_conn *c, int64_t key_id, struct str name, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_tag_remove);
	db_bind_int(st, 1, key_id);
	db_bind_str(st, 2, not_null(name));
	return db_run(st, err);
}

bool kms_tag_table_count(struct db_conn *c, int64_t key_id, uint64_t *out, struct err *err)
{
	return count(c, sql_tag_count, key_id, out, err);
}

bool kms_tag_table_list(struct db_conn *c, int64_t key_id, const struct kms_page *page,
	struct arena *arena, struct kms_tag_row *rows, size_t *out_n, struct err *err)
{
	STMT(st, c, sql_tag_list);
	db_bind_int(st, 1, key_id);
	db_bind_str(st, 2, not_null(page->after));
	db_bind_int(st, 3, page->limit);
	size_t n = 0;
	while (n < page->limit) {
		bool row = false;
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		rows[n].name = table_text(st, 0, arena);
		rows[n].value = table_text(st, 1, arena);
		if (rows[n].name.ptr == NULL || rows[n].value.ptr == NULL)
			return table_no_memory(arena, err);
		n++;
	}
	*out_n = n;
	return true;
}
