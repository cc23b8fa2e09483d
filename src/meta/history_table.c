#include "meta/history_table.h"

#include "meta/table.h"

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

static const char sql_put[] =
	"INSERT INTO sharing_history (registry_id, pool_id, step, slot_ms, at_ms, repositories, images, blobs, links, "
	"logical_bytes, stored_bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
	"ON CONFLICT (registry_id, pool_id, step, slot_ms) DO UPDATE SET at_ms = excluded.at_ms, "
	"repositories = excluded.repositories, images = excluded.images, blobs = excluded.blobs, links = excluded.links, "
	"logical_bytes = excluded.logical_bytes, stored_bytes = excluded.stored_bytes";
#define COLUMNS                                                                                               \
	"SELECT at_ms, repositories, images, blobs, links, logical_bytes, stored_bytes FROM sharing_history " \
	"WHERE registry_id = $1 AND pool_id = $2 AND step = $3 "
static const char sql_last[] = COLUMNS "AND slot_ms <= $4 ORDER BY slot_ms DESC LIMIT 1";
static const char sql_list[] =
	COLUMNS "AND slot_ms > $4 AND slot_ms <= $5 ORDER BY slot_ms LIMIT $6";
static const char sql_expire[] =
	"DELETE FROM sharing_history WHERE (registry_id, pool_id, step, slot_ms) IN (SELECT registry_id, pool_id, step, slot_ms "
	"FROM sharing_history WHERE step = $1 AND slot_ms < $2 ORDER BY slot_ms LIMIT $3)";

int64_t history_step_ms(enum history_step step)
{
	switch (step) {
	case HISTORY_5_MINUTES:
		return 5 * MINUTE_MS;
	case HISTORY_HOUR:
		return HOUR_MS;
	case HISTORY_DAY:
		return DAY_MS;
	}
	return DAY_MS;
}

int64_t history_keep_ms(enum history_step step)
{
	switch (step) {
	case HISTORY_5_MINUTES:
		return 2 * DAY_MS;
	case HISTORY_HOUR:
		return 31 * DAY_MS;
	case HISTORY_DAY:
		return 400 * DAY_MS;
	}
	return 400 * DAY_MS;
}

bool history_table_put(struct db_conn *c, const struct history_series *s,
	const struct history_row *row, struct err *err)
{
	for (int step = 1; step <= HISTORY_STEPS; step++) {
		int64_t len = history_step_ms((enum history_step)step);
		struct db_stmt *st = db_prepare(c, sql_put);
		db_bind_int(st, 1, s->registry_id);
		db_bind_int(st, 2, s->pool_id);
		db_bind_int(st, 3, step);
		db_bind_int(st, 4, row->at_ms - row->at_ms % len);
		db_bind_int(st, 5, row->at_ms);
		db_bind_int(st, 6, row->repositories);
		db_bind_int(st, 7, row->images);
		db_bind_int(st, 8, row->blobs);
		db_bind_int(st, 9, row->links);
		db_bind_int(st, 10, row->logical_bytes);
		db_bind_int(st, 11, row->stored_bytes);
		if (!db_run(st, err))
			return false;
	}
	return true;
}

static void bind_series(struct db_stmt *st, const struct history_series *s, enum history_step step)
{
	db_bind_int(st, 1, s->registry_id);
	db_bind_int(st, 2, s->pool_id);
	db_bind_int(st, 3, step);
}

static void read_row(struct db_stmt *st, struct history_row *out)
{
	*out = (struct history_row){
		.at_ms = db_col_int(st, 0),
		.repositories = db_col_int(st, 1),
		.images = db_col_int(st, 2),
		.blobs = db_col_int(st, 3),
		.links = db_col_int(st, 4),
		.logical_bytes = db_col_int(st, 5),
		.stored_bytes = db_col_int(st, 6),
	};
}

bool history_table_last(struct db_conn *c, const struct history_series *s, enum history_step step,
	int64_t before_ms, struct history_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_last);
	bind_series(st, s, step);
	db_bind_int(st, 4, before_ms);
	if (!db_step(st, found, err))
		return false;
	if (*found)
		read_row(st, out);
	return true;
}

bool history_table_list(struct db_conn *c, const struct history_span *span,
	struct history_rows *out, struct err *err)
{
	STMT(st, c, sql_list);
	bind_series(st, &span->series, span->step);
	db_bind_int(st, 4, span->after_ms);
	db_bind_int(st, 5, span->until_ms);
	db_bind_int(st, 6, (int64_t)out->max);
	bool row = true;
	for (out->count = 0; out->count < out->max; out->count++) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		read_row(st, &out->rows[out->count]);
	}
	return true;
}

bool history_table_expire(
	struct db_conn *c, int64_t now_ms, unsigned max, bool *more, struct err *err)
{
	*more = false;
	for (int step = 1; step <= HISTORY_STEPS; step++) {
		struct db_stmt *st = db_prepare(c, sql_expire);
		db_bind_int(st, 1, step);
		db_bind_int(st, 2, now_ms - history_keep_ms((enum history_step)step));
		db_bind_int(st, 3, max);
		if (!db_run(st, err))
			return false;
		*more = *more || db_changes(c) == (int64_t)max;
	}
	return true;
}
