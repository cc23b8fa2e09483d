#include "meta/tag_event_table.h"

#include "meta/table.h"

/* Two statements: one that reads the table that it writes, or returns what it wrote, makes a
 * temporary table each time. */
static const char sql_next[] =
	"SELECT coalesce((SELECT max(e.seq) FROM tag_event e WHERE e.repository_id = r.id), 0) + 1, "
	"coalesce((SELECT max(e.nth) FROM tag_event e WHERE e.repository_id = r.id AND e.name = $2), 0) + 1 "
	"FROM repository r WHERE r.id = $1 AND r.state = 1";
static const char sql_add[] =
	"INSERT INTO tag_event (repository_id, seq, name, nth, at_ms, action, digest, previous, principal) "
	"SELECT $1, $2, $3, $4, $5, $6, i.digest, (SELECT p.digest FROM image p WHERE p.id = $8), $9 "
	"FROM image i WHERE i.id = $7";
static const char sql_trim_repository[] =
	"DELETE FROM tag_event WHERE repository_id = $1 AND seq <= $2";
static const char sql_trim_tag[] =
	"DELETE FROM tag_event WHERE repository_id = $1 AND name = $2 AND nth <= $3";
/* All tags of an image at once, in the order of their names. */
static const char sql_add_removed[] =
	"INSERT INTO tag_event (repository_id, seq, name, nth, at_ms, action, digest, principal) "
	"SELECT t.repository_id, coalesce((SELECT max(e.seq) FROM tag_event e WHERE e.repository_id = t.repository_id), 0) "
	"+ row_number() OVER (ORDER BY t.name), t.name, "
	"coalesce((SELECT max(e.nth) FROM tag_event e WHERE e.repository_id = t.repository_id AND e.name = t.name), 0) + 1, "
	"$2, $3, i.digest, $4 FROM tag t JOIN image i ON i.id = t.image_id "
	"JOIN repository r ON r.id = t.repository_id AND r.state = 1 WHERE t.image_id = $1";
static const char sql_last[] = "SELECT max(seq) FROM tag_event WHERE repository_id = $1";
/* Of the tags whose newest events these are, what each has too many: one, for each got one more. */
static const char sql_trim_tags[] =
	"DELETE FROM tag_event WHERE repository_id = $1 AND (name, nth) IN "
	"(SELECT e.name, e.nth - $3 FROM tag_event e WHERE e.repository_id = $1 AND e.seq > $2 AND e.nth > $3)";
static const char sql_forget[] = "DELETE FROM tag_event WHERE repository_id = $1";
#define COLUMNS "SELECT seq, name, at_ms, action, digest, previous, principal FROM tag_event "
static const char sql_list[] =
	COLUMNS "WHERE repository_id = $1 AND seq < $2 AND $3 = '' ORDER BY seq DESC LIMIT $4";
/* By nth, which the index has in order; the newest hundred are few enough to look at each. */
static const char sql_list_tag[] =
	COLUMNS "WHERE repository_id = $1 AND seq < $2 AND name = $3 ORDER BY nth DESC LIMIT $4";

static bool trim_repository(
	struct db_conn *c, int64_t repository_id, int64_t last_seq, struct err *err)
{
	if (last_seq <= TAG_EVENTS_OF_REPOSITORY)
		return true;
	struct db_stmt *st = db_prepare(c, sql_trim_repository);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, last_seq - TAG_EVENTS_OF_REPOSITORY);
	return db_run(st, err);
}

static bool trim_tag(
	struct db_conn *c, const struct tag_change *change, int64_t last_nth, struct err *err)
{
	if (last_nth <= TAG_EVENTS_OF_TAG)
		return true;
	struct db_stmt *st = db_prepare(c, sql_trim_tag);
	db_bind_int(st, 1, change->repository_id);
	db_bind_str(st, 2, change->name);
	db_bind_int(st, 3, last_nth - TAG_EVENTS_OF_TAG);
	return db_run(st, err);
}

static bool find_next(struct db_conn *c, const struct tag_change *change, int64_t *seq,
	int64_t *nth, bool *live, struct err *err)
{
	STMT(st, c, sql_next);
	db_bind_int(st, 1, change->repository_id);
	db_bind_str(st, 2, change->name);
	if (!db_step(st, live, err))
		return false;
	if (*live) {
		*seq = db_col_int(st, 0);
		*nth = db_col_int(st, 1);
	}
	return true;
}

bool tag_event_table_add(struct db_conn *c, const struct tag_change *change, struct err *err)
{
	int64_t seq = 0;
	int64_t nth = 0;
	bool live = false;
	if (!find_next(c, change, &seq, &nth, &live, err))
		return false;
	if (!live)
		return true;
	struct db_stmt *st = db_prepare(c, sql_add);
	db_bind_int(st, 1, change->repository_id);
	db_bind_int(st, 2, seq);
	db_bind_str(st, 3, change->name);
	db_bind_int(st, 4, nth);
	db_bind_int(st, 5, change->stamp->at_ms);
	db_bind_int(st, 6, change->action);
	db_bind_int(st, 7, change->image_id);
	db_bind_int(st, 8, change->previous_id);
	db_bind_str(st, 9, change->stamp->principal.ptr ? change->stamp->principal : STR(""));
	if (!db_run(st, err))
		return false;
	return db_changes(c) == 0 || (trim_tag(c, change, nth, err) &&
					     trim_repository(c, change->repository_id, seq, err));
}

static bool find_last(struct db_conn *c, int64_t repository_id, int64_t *seq, struct err *err)
{
	STMT(st, c, sql_last);
	bool row = false;
	db_bind_int(st, 1, repository_id);
	if (!db_step(st, &row, err))
		return false;
	*seq = row ? db_col_int(st, 0) : 0;
	return true;
}

bool tag_event_table_add_removed(struct db_conn *c, int64_t repository_id, int64_t image_id,
	const struct tag_stamp *stamp, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_add_removed);
	int64_t last = 0;
	db_bind_int(st, 1, image_id);
	db_bind_int(st, 2, stamp->at_ms);
	db_bind_int(st, 3, TAG_REMOVED);
	db_bind_str(st, 4, stamp->principal.ptr ? stamp->principal : STR(""));
	if (!db_run(st, err))
		return false;
	int64_t added = db_changes(c);
	if (added == 0)
		return true;
	if (!find_last(c, repository_id, &last, err))
		return false;
	st = db_prepare(c, sql_trim_tags);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, last - added);
	db_bind_int(st, 3, TAG_EVENTS_OF_TAG);
	return db_run(st, err) && trim_repository(c, repository_id, last, err);
}

bool tag_event_table_forget(struct db_conn *c, int64_t repository_id, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_forget);
	db_bind_int(st, 1, repository_id);
	return db_run(st, err);
}

static bool read_row(
	struct db_stmt *st, struct arena *arena, struct tag_event_row *out, struct err *err)
{
	struct tag_event_row r = {
		.seq = db_col_int(st, 0),
		.name = table_text(st, 1, arena),
		.at_ms = db_col_int(st, 2),
		.action = (enum tag_action)db_col_int(st, 3),
		.has_previous = !db_col_is_null(st, 5),
		.principal = table_text(st, 6, arena),
	};
	if (!r.name.ptr || !r.principal.ptr)
		return table_no_room(arena, err);
	if (!table_digest(st, 4, &r.digest, err) ||
		(r.has_previous && !table_digest(st, 5, &r.previous, err)))
		return false;
	*out = r;
	return true;
}

bool tag_event_table_list(struct db_conn *c, const struct tag_event_query *q, struct arena *arena,
	struct tag_event_rows *out, struct err *err)
{
	STMT(st, c, q->name.len ? sql_list_tag : sql_list);
	db_bind_int(st, 1, q->repository_id);
	db_bind_int(st, 2, q->before);
	db_bind_str(st, 3, q->name.ptr ? q->name : STR(""));
	db_bind_int(st, 4, (int64_t)out->max);
	bool row = true;
	out->count = 0;
	while (out->count < out->max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		if (!read_row(st, arena, &out->rows[out->count++], err))
			return false;
	}
	return true;
}
