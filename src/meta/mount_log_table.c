#include "meta/mount_log_table.h"

#include "meta/table.h"

static const char sql_list[] =
	"SELECT id, at_ms, target, source, digest, outcome, principal, size_bytes FROM mount_log "
	"WHERE registry_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
static const char sql_add[] =
	"INSERT INTO mount_day (registry_id, day, outcome, mounts, bytes, avoidable_mounts, avoidable_bytes) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (registry_id, day, outcome) DO UPDATE SET "
	"mounts = mount_day.mounts + excluded.mounts, bytes = mount_day.bytes + excluded.bytes, "
	"avoidable_mounts = mount_day.avoidable_mounts + excluded.avoidable_mounts, "
	"avoidable_bytes = mount_day.avoidable_bytes + excluded.avoidable_bytes";
static const char sql_add_target[] =
	"INSERT INTO mount_day_target (registry_id, day, target, mounts, bytes) VALUES ($1, $2, $3, $4, $5) "
	"ON CONFLICT (registry_id, day, target) DO UPDATE SET mounts = mount_day_target.mounts + excluded.mounts, "
	"bytes = mount_day_target.bytes + excluded.bytes";
static const char sql_outcomes[] =
	"SELECT 0, outcome, sum(mounts), sum(bytes), sum(avoidable_mounts), sum(avoidable_bytes) FROM mount_day "
	"WHERE registry_id = $1 AND day >= $2 AND day <= $3 GROUP BY outcome ORDER BY outcome LIMIT $4";
static const char sql_days[] =
	"SELECT day, outcome, mounts, bytes, avoidable_mounts, avoidable_bytes FROM mount_day "
	"WHERE registry_id = $1 AND day >= $2 AND day <= $3 ORDER BY day, outcome LIMIT $4";
#define NEWEST                                                                                          \
	"(SELECT target, mounts, bytes FROM mount_day_target WHERE registry_id = $1 AND day >= $2 AND " \
	"day <= $3 ORDER BY day DESC, target LIMIT $5)"
static const char sql_targets[] =
	"SELECT 0, target, sum(mounts), sum(bytes), sum(mounts), sum(bytes) FROM " NEWEST
	" x GROUP BY target ORDER BY sum(bytes) DESC, target LIMIT $4";
static const char sql_targets_count[] = "SELECT count(*) FROM " NEWEST " x WHERE $4 = 0";
static const char sql_expire[] =
	"DELETE FROM mount_day WHERE (registry_id, day, outcome) IN "
	"(SELECT registry_id, day, outcome FROM mount_day WHERE day < $1 ORDER BY day LIMIT $2)";
static const char sql_expire_targets[] =
	"DELETE FROM mount_day_target WHERE (registry_id, day, target) IN "
	"(SELECT registry_id, day, target FROM mount_day_target WHERE day < $1 ORDER BY day LIMIT $2)";

/* The statement stands on a row of sql_list. */
static bool is_wanted(struct db_stmt *st, const struct mount_log_query *q)
{
	int64_t at = db_col_int(st, 1);
	struct str outcome = db_col_str(st, 5);
	bool named = q->outcome_count == 0;
	for (size_t i = 0; i < q->outcome_count && !named; i++)
		named = str_eq(outcome, q->outcomes[i]);
	return named && at >= q->from_ms && (q->until_ms == 0 || at < q->until_ms) &&
	       (q->target.len == 0 || str_eq(db_col_str(st, 2), q->target)) &&
	       (q->source.len == 0 || str_eq(db_col_str(st, 3), q->source));
}

static bool read_log(
	struct db_stmt *st, struct arena *arena, struct mount_log_row *out, struct err *err)
{
	struct mount_log_row r = {
		.at_ms = db_col_int(st, 1),
		.target = table_text(st, 2, arena),
		.digest = table_text(st, 4, arena),
		.outcome = table_text(st, 5, arena),
		.principal = table_text(st, 6, arena),
		.size_bytes = (uint64_t)db_col_int(st, 7),
	};
	if (!db_col_is_null(st, 3)) {
		r.source = table_text(st, 3, arena);
		if (!r.source.ptr)
			return table_no_room(arena, err);
	}
	if (!r.target.ptr || !r.digest.ptr || !r.outcome.ptr || !r.principal.ptr)
		return table_no_room(arena, err);
	*out = r;
	return true;
}

bool mount_log_table_list(struct db_conn *c, const struct mount_log_query *q, struct arena *arena,
	struct mount_log_rows *page, struct err *err)
{
	STMT(st, c, sql_list);
	db_bind_int(st, 1, q->registry_id);
	db_bind_int(st, 2, page->before);
	db_bind_int(st, 3, (int64_t)q->look + 1);
	page->count = 0;
	page->more = true;
	for (unsigned looked = 0; looked <= q->look; looked++) {
		bool row = false;
		if (!db_step(st, &row, err))
			return false;
		/* Rows are written in the order of their times, but for some seconds. */
		page->more = row && db_col_int(st, 1) >= q->from_ms - MOUNT_DAY_MS;
		if (!page->more || looked == q->look || page->count == page->max)
			break;
		if (is_wanted(st, q) && !read_log(st, arena, &page->rows[page->count++], err))
			return false;
		page->before = db_col_int(st, 0);
	}
	return true;
}

bool mount_day_table_add(
	struct db_conn *c, int64_t registry_id, const struct mount_sums *add, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_add);
	db_bind_int(st, 1, registry_id);
	db_bind_int(st, 2, add->day);
	db_bind_str(st, 3, add->text);
	db_bind_int(st, 4, add->mounts);
	db_bind_int(st, 5, add->bytes);
	db_bind_int(st, 6, add->avoidable_mounts);
	db_bind_int(st, 7, add->avoidable_bytes);
	return db_run(st, err);
}

bool mount_day_table_add_target(
	struct db_conn *c, int64_t registry_id, const struct mount_sums *add, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_add_target);
	db_bind_int(st, 1, registry_id);
	db_bind_int(st, 2, add->day);
	db_bind_str(st, 3, add->text);
	db_bind_int(st, 4, add->avoidable_mounts);
	db_bind_int(st, 5, add->avoidable_bytes);
	return db_run(st, err);
}

static void bind_days(struct db_stmt *st, const struct mount_days *days)
{
	db_bind_int(st, 1, days->registry_id);
	db_bind_int(st, 2, days->first);
	db_bind_int(st, 3, days->last);
}

static bool read_sums(
	struct db_stmt *st, struct arena *arena, struct mount_sums_rows *out, struct err *err)
{
	bool row = true;
	out->count = 0;
	while (out->count < out->max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		struct mount_sums *r = &out->rows[out->count++];
		*r = (struct mount_sums){
			.day = db_col_int(st, 0),
			.text = table_text(st, 1, arena),
			.mounts = db_col_int(st, 2),
			.bytes = db_col_int(st, 3),
			.avoidable_mounts = db_col_int(st, 4),
			.avoidable_bytes = db_col_int(st, 5),
		};
		if (!r->text.ptr)
			return table_no_room(arena, err);
	}
	return true;
}

bool mount_day_table_outcomes(struct db_conn *c, const struct mount_days *days, struct arena *arena,
	struct mount_sums_rows *out, struct err *err)
{
	STMT(st, c, sql_outcomes);
	bind_days(st, days);
	db_bind_int(st, 4, (int64_t)out->max);
	return read_sums(st, arena, out, err);
}

bool mount_day_table_days(struct db_conn *c, const struct mount_days *days, struct arena *arena,
	struct mount_sums_rows *out, struct err *err)
{
	STMT(st, c, sql_days);
	bind_days(st, days);
	db_bind_int(st, 4, (int64_t)out->max);
	return read_sums(st, arena, out, err);
}

bool mount_day_table_targets(struct db_conn *c, const struct mount_days *days, unsigned look,
	struct arena *arena, struct mount_sums_rows *out, uint64_t *looked, struct err *err)
{
	STMT(counted, c, sql_targets_count);
	bind_days(counted, days);
	db_bind_int(counted, 4, 0);
	db_bind_int(counted, 5, look);
	bool row = false;
	if (!db_step(counted, &row, err))
		return false;
	*looked = (uint64_t)db_col_int(counted, 0);
	STMT(st, c, sql_targets);
	bind_days(st, days);
	db_bind_int(st, 4, (int64_t)out->max);
	db_bind_int(st, 5, look);
	return read_sums(st, arena, out, err);
}

static bool expire(struct db_conn *c, const char *sql, int64_t before, unsigned max, bool *more,
	struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, before);
	db_bind_int(st, 2, max);
	if (!db_run(st, err))
		return false;
	*more = *more || db_changes(c) == (int64_t)max;
	return true;
}

bool mount_day_table_expire(struct db_conn *c, int64_t outcomes_before, int64_t targets_before,
	unsigned max, bool *more, struct err *err)
{
	*more = false;
	return expire(c, sql_expire, outcomes_before, max, more, err) &&
	       expire(c, sql_expire_targets, targets_before, max, more, err);
}
