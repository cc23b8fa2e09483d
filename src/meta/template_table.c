#include "meta/template_table.h"

#include "meta/table.h"

#define COLUMNS                                                                           \
	"prefix_key, prefix, description, enc_type, kms_key, mutability, filters, tags, " \
	"repository_policy, lifecycle_policy, applied_for, role_arn, created_at_ms, updated_at_ms "

static const char sql_add[] =
	"INSERT INTO repository_template (registry_id, " COLUMNS
	") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
static const char sql_change[] =
	"UPDATE repository_template SET description = $3, enc_type = $4, kms_key = $5, mutability = $6, "
	"filters = $7, tags = $8, repository_policy = $9, lifecycle_policy = $10, applied_for = $11, "
	"role_arn = $12, updated_at_ms = $13 WHERE registry_id = $1 AND prefix_key = $2";
static const char sql_remove[] =
	"DELETE FROM repository_template WHERE registry_id = $1 AND prefix_key = $2";
static const char sql_find[] =
	"SELECT " COLUMNS "FROM repository_template WHERE registry_id = $1 AND prefix_key = $2";
static const char sql_next[] =
	"SELECT " COLUMNS
	"FROM repository_template WHERE registry_id = $1 AND prefix_key > $2 ORDER BY prefix_key LIMIT 1";

static bool read_row(
	struct db_stmt *st, struct arena *arena, struct template_row *out, struct err *err)
{
	struct template_row r = {
		.prefix_key = table_text(st, 0, arena),
		.prefix = table_text(st, 1, arena),
		.description = table_text(st, 2, arena),
		.enc_type = (int)db_col_int(st, 3),
		.kms_key = table_text(st, 4, arena),
		.mutability = (int)db_col_int(st, 5),
		.filters = table_text(st, 6, arena),
		.tags = table_text(st, 7, arena),
		.repository_policy = table_text(st, 8, arena),
		.lifecycle_policy = table_text(st, 9, arena),
		.applied_for = (int)db_col_int(st, 10),
		.role_arn = table_text(st, 11, arena),
		.created_at_ms = db_col_int(st, 12),
		.updated_at_ms = db_col_int(st, 13),
	};
	if (!r.prefix_key.ptr || !r.prefix.ptr || !r.description.ptr || !r.kms_key.ptr ||
		!r.filters.ptr || !r.tags.ptr || !r.repository_policy.ptr ||
		!r.lifecycle_policy.ptr || !r.role_arn.ptr)
		return table_no_room(arena, err);
	*out = r;
	return true;
}

bool template_table_add(
	struct db_conn *c, int64_t registry_id, const struct template_row *row, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_add);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, row->prefix_key);
	db_bind_str(st, 3, row->prefix);
	db_bind_str(st, 4, row->description);
	db_bind_int(st, 5, row->enc_type);
	db_bind_str(st, 6, row->kms_key);
	db_bind_int(st, 7, row->mutability);
	db_bind_str(st, 8, row->filters);
	db_bind_str(st, 9, row->tags);
	db_bind_str(st, 10, row->repository_policy);
	db_bind_str(st, 11, row->lifecycle_policy);
	db_bind_int(st, 12, row->applied_for);
	db_bind_str(st, 13, row->role_arn);
	db_bind_int(st, 14, row->created_at_ms);
	db_bind_int(st, 15, row->updated_at_ms);
	return db_run(st, err);
}

bool template_table_change(
	struct db_conn *c, int64_t registry_id, const struct template_row *row, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_change);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, row->prefix_key);
	db_bind_str(st, 3, row->description);
	db_bind_int(st, 4, row->enc_type);
	db_bind_str(st, 5, row->kms_key);
	db_bind_int(st, 6, row->mutability);
	db_bind_str(st, 7, row->filters);
	db_bind_str(st, 8, row->tags);
	db_bind_str(st, 9, row->repository_policy);
	db_bind_str(st, 10, row->lifecycle_policy);
	db_bind_int(st, 11, row->applied_for);
	db_bind_str(st, 12, row->role_arn);
	db_bind_int(st, 13, row->updated_at_ms);
	return db_run(st, err);
}

bool template_table_remove(
	struct db_conn *c, int64_t registry_id, struct str prefix_key, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_remove);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, prefix_key);
	return db_run(st, err);
}

/* The one row that st finds. */
static bool one(struct db_stmt *st, struct arena *arena, struct template_row *out, bool *found,
	struct err *err)
{
	bool row = false;
	if (!db_step(st, &row, err) || (row && !read_row(st, arena, out, err)))
		return false;
	*found = row;
	return true;
}

bool template_table_find(struct db_conn *c, int64_t registry_id, struct str prefix_key,
	struct arena *arena, struct template_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_find);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, prefix_key);
	return one(st, arena, out, found, err);
}

bool template_table_next(struct db_conn *c, int64_t registry_id, struct str after,
	struct arena *arena, struct template_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_next);
	db_bind_int(st, 1, registry_id);
	db_bind_str(st, 2, after);
	return one(st, arena, out, found, err);
}
