#include "meta/lifecycle_table.h"

#include "meta/table.h"

#define PREVIEW "id, repository_id, status, at_ms, expiring, moving, policy"

static const char sql_put[] =
	"INSERT INTO lifecycle_policy (repository_id, policy, due_at_ms) VALUES ($1, $2, $3) ON CONFLICT (repository_id) DO UPDATE "
	"SET policy = excluded.policy, due_at_ms = excluded.due_at_ms, version = version + 1, changes = changes + 1";
static const char sql_get[] =
	"SELECT repository_id, version, changes, evaluated_at_ms, policy FROM lifecycle_policy WHERE repository_id = $1";
static const char sql_remove[] = "DELETE FROM lifecycle_policy WHERE repository_id = $1";
static const char sql_touch[] =
	"UPDATE lifecycle_policy SET changes = changes + 1, due_at_ms = min(coalesce(due_at_ms, $2), $2) WHERE repository_id = $1";
static const char sql_due[] =
	"SELECT repository_id FROM lifecycle_policy WHERE due_at_ms <= $1 ORDER BY due_at_ms LIMIT 1";
static const char sql_defer[] =
	"UPDATE lifecycle_policy SET due_at_ms = $2 WHERE repository_id = $1";
static const char sql_done[] =
	"UPDATE lifecycle_policy SET evaluated_at_ms = $4, due_at_ms = CASE WHEN changes = $3 THEN $5 ELSE "
	"min(coalesce(due_at_ms, $5), coalesce($5, due_at_ms)) END WHERE repository_id = $1 AND version = $2";
static const char sql_next[] =
	"SELECT repository_id FROM lifecycle_policy WHERE repository_id > $1 ORDER BY repository_id LIMIT 1";

static const char sql_preview_drop[] =
	"UPDATE lifecycle_preview SET status = 0, repository_id = 0 WHERE repository_id = $1 AND status <> 0";
static const char sql_preview_add[] =
	"INSERT INTO lifecycle_preview (repository_id, status, at_ms, policy) VALUES ($1, 1, $2, $3)";
static const char sql_preview_find[] =
	"SELECT " PREVIEW " FROM lifecycle_preview WHERE repository_id = $1 AND status <> 0";
static const char sql_preview_first[] =
	"SELECT " PREVIEW " FROM lifecycle_preview WHERE status = $1 AND at_ms < $2 "
	"ORDER BY at_ms LIMIT 1";
static const char sql_preview_set[] =
	"UPDATE lifecycle_preview SET status = $2, at_ms = $3, expiring = $4, moving = $5 WHERE id = $1 AND status <> 0";
static const char sql_preview_remove[] = "DELETE FROM lifecycle_preview WHERE id = $1";
static const char sql_image_add[] =
	"INSERT INTO lifecycle_preview_image (preview_id, image_id, priority, action) VALUES ($1, $2, $3, $4) "
	"ON CONFLICT (preview_id, image_id) DO UPDATE SET priority = excluded.priority, action = excluded.action";
static const char sql_image_clear[] =
	"DELETE FROM lifecycle_preview_image WHERE preview_id = $1 AND image_id IN "
	"(SELECT image_id FROM lifecycle_preview_image WHERE preview_id = $1 ORDER BY image_id LIMIT $2)";
static const char sql_image_list[] =
	"SELECT image_id, priority, action FROM lifecycle_preview_image WHERE preview_id = $1 AND image_id > $2 "
	"ORDER BY image_id LIMIT $3";

static bool run_id(struct db_conn *c, const char *sql, int64_t id, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, id);
	return db_run(st, err);
}

static bool run_two(struct db_conn *c, const char *sql, int64_t a, int64_t b, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, a);
	db_bind_int(st, 2, b);
	return db_run(st, err);
}

static bool find_id(struct db_conn *c, const char *sql, int64_t arg, int64_t *id, struct err *err)
{
	STMT(st, c, sql);
	db_bind_int(st, 1, arg);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*id = row ? db_col_int(st, 0) : 0;
	return true;
}

bool lifecycle_table_put(struct db_conn *c, int64_t repository_id, struct str policy,
	int64_t due_at_ms, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_put);
	db_bind_int(st, 1, repository_id);
	db_bind_str(st, 2, policy);
	db_bind_int(st, 3, due_at_ms);
	return db_run(st, err);
}

bool lifecycle_table_get(struct db_conn *c, int64_t repository_id, struct arena *arena,
	struct lifecycle_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_get);
	db_bind_int(st, 1, repository_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row) {
		struct lifecycle_row r = { db_col_int(st, 0), db_col_int(st, 1), db_col_int(st, 2),
			db_col_int(st, 3), table_text(st, 4, arena) };
		if (!r.policy.ptr)
			return table_no_room(arena, err);
		*out = r;
	}
	*found = row;
	return true;
}

bool lifecycle_table_remove(struct db_conn *c, int64_t repository_id, struct err *err)
{
	return run_id(c, sql_remove, repository_id, err);
}

bool lifecycle_table_touch(
	struct db_conn *c, int64_t repository_id, int64_t due_at_ms, struct err *err)
{
	return run_two(c, sql_touch, repository_id, due_at_ms, err);
}

bool lifecycle_table_due(struct db_conn *c, int64_t now_ms, int64_t *repository_id, struct err *err)
{
	return find_id(c, sql_due, now_ms, repository_id, err);
}

bool lifecycle_table_defer(
	struct db_conn *c, int64_t repository_id, int64_t due_at_ms, struct err *err)
{
	return run_two(c, sql_defer, repository_id, due_at_ms, err);
}

bool lifecycle_table_done(struct db_conn *c, const struct lifecycle_row *row, int64_t now_ms,
	int64_t due_at_ms, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_done);
	db_bind_int(st, 1, row->repository_id);
	db_bind_int(st, 2, row->version);
	db_bind_int(st, 3, row->changes);
	db_bind_int(st, 4, now_ms);
	if (due_at_ms == INT64_MAX)
		db_bind_null(st, 5);
	else
		db_bind_int(st, 5, due_at_ms);
	return db_run(st, err);
}

bool lifecycle_table_next(struct db_conn *c, int64_t after, int64_t *repository_id, struct err *err)
{
	return find_id(c, sql_next, after, repository_id, err);
}

bool preview_table_add(struct db_conn *c, int64_t repository_id, struct str policy, int64_t now_ms,
	struct err *err)
{
	if (!run_id(c, sql_preview_drop, repository_id, err))
		return false;
	struct db_stmt *st = db_prepare(c, sql_preview_add);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, now_ms);
	db_bind_str(st, 3, policy);
	return db_run(st, err);
}

static bool read_preview(struct db_stmt *st, struct arena *arena, struct preview_row *out,
	bool *found, struct err *err)
{
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row) {
		struct preview_row r = {
			.id = db_col_int(st, 0),
			.repository_id = db_col_int(st, 1),
			.state = (enum preview_state)db_col_int(st, 2),
			.at_ms = db_col_int(st, 3),
			.expiring = (uint64_t)db_col_int(st, 4),
			.moving = (uint64_t)db_col_int(st, 5),
			.policy = table_text(st, 6, arena),
		};
		if (!r.policy.ptr)
			return table_no_room(arena, err);
		*out = r;
	}
	*found = row;
	return true;
}

bool preview_table_find(struct db_conn *c, int64_t repository_id, struct arena *arena,
	struct preview_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_preview_find);
	db_bind_int(st, 1, repository_id);
	return read_preview(st, arena, out, found, err);
}

bool preview_table_first(struct db_conn *c, enum preview_state state, int64_t before_ms,
	struct arena *arena, struct preview_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_preview_first);
	db_bind_int(st, 1, state);
	db_bind_int(st, 2, before_ms);
	return read_preview(st, arena, out, found, err);
}

bool preview_table_set(struct db_conn *c, int64_t id, enum preview_state state, int64_t now_ms,
	uint64_t expiring, uint64_t moving, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_preview_set);
	db_bind_int(st, 1, id);
	db_bind_int(st, 2, state);
	db_bind_int(st, 3, now_ms);
	db_bind_int(st, 4, (int64_t)expiring);
	db_bind_int(st, 5, (int64_t)moving);
	return db_run(st, err);
}

bool preview_table_remove(struct db_conn *c, int64_t id, struct err *err)
{
	return run_id(c, sql_preview_remove, id, err);
}

bool preview_image_table_add(
	struct db_conn *c, int64_t preview_id, const struct preview_image *image, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_image_add);
	db_bind_int(st, 1, preview_id);
	db_bind_int(st, 2, image->image_id);
	db_bind_int(st, 3, image->priority);
	db_bind_int(st, 4, image->action);
	return db_run(st, err);
}

bool preview_image_table_clear(
	struct db_conn *c, int64_t preview_id, unsigned max, bool *more, struct err *err)
{
	if (!run_two(c, sql_image_clear, preview_id, max, err))
		return false;
	*more = db_changes(c) >= max;
	return true;
}

bool preview_image_table_list(struct db_conn *c, int64_t preview_id, int64_t after, unsigned max,
	struct preview_image *rows, size_t *count, struct err *err)
{
	STMT(st, c, sql_image_list);
	db_bind_int(st, 1, preview_id);
	db_bind_int(st, 2, after);
	db_bind_int(st, 3, max);
	size_t n = 0;
	bool row = true;
	while (n < max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		rows[n++] = (struct preview_image){ db_col_int(st, 0), (int32_t)db_col_int(st, 1),
			(int)db_col_int(st, 2) };
	}
	*count = n;
	return true;
}

bool lifecycle_table_forget(struct db_conn *c, int64_t repository_id, struct err *err)
{
	return run_id(c, sql_remove, repository_id, err) &&
	       run_id(c, sql_preview_drop, repository_id, err);
}
