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
static const char sql_tags_of_image[] =
	"SELECT repository_id, name FROM tag WHERE image_id = $1 AND name > $2 ORDER BY name LIMIT 1";
static const char sql_forget[] = "DELETE FROM tag_event WHERE repository_id = $1";
#define COLUMNS "SELECT seq, name, at_ms, action, digest, previous, principal FROM tag_event "
static const char sql_list[] =
	COLUMNS "WHERE repository_id = $1 AND seq < $2 AND $3 = '' ORDER BY seq DESC LIMIT $4";
/* By nth, which the index has in order; the newest hundred are few enough to look at each. */
static const char sql_list_tag[] =
	COLUMNS "WHERE repository_id = $1 AND seq < $2 AND name = $3 ORDER BY nth DESC LIMIT $4";

static bool trim(struct db_conn *c, const struct tag_change *change, int64_t seq, int64_t nth,
	struct err *err)
{
	if (seq > TAG_EVENTS_OF_REPOSITORY) {
		struct db_stmt *st = db_prepare(c, sql_trim_repository);
		db_bind_int(st, 1, change->repository_id);
		db_bind_int(st, 2, seq - TAG_EVENTS_OF_REPOSITORY);
		if (!db_run(st, err))
			return false;
	}
	if (nth > TAG_EVENTS_OF_TAG) {
		struct db_stmt *st = db_prepare(c, sql_trim_tag);
		db_bind_int(st, 1, change->repository_id);
		db_bind_str(st, 2, change->name);
		db_bind_int(st, 3, nth - TAG_EVENTS_OF_TAG);
		if (!db_run(st, err))
			return false;
	}
	return true;
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
	return db_changes(c) == 0 || trim(c, change, seq, nth, err);
}

/* The next tag of an image behind change->name. */
static bool next_tag(
	struct db_conn *c, struct tag_change *change, char name[129], bool *found, struct err *err)
{
	STMT(st, c, sql_tags_of_image);
	db_bind_int(st, 1, change->image_id);
	db_bind_str(st, 2, change->name);
	if (!db_step(st, found, err))
		return false;
	if (!*found)
		return true;
	change->repository_id = db_col_int(st, 0);
	if (!str_to_c(db_col_str(st, 1), name, 129))
		return err_sys(err, ERR_CORRUPT, 0, "a tag is too long");
	change->name = str_from(name);
	return true;
}

bool tag_event_table_add_removed(
	struct db_conn *c, int64_t image_id, const struct tag_stamp *stamp, struct err *err)
{
	char name[129] = "";
	struct tag_change change = {
		.name = str_from(name),
		.action = TAG_REMOVED,
		.image_id = image_id,
		.stamp = stamp,
	};
	for (bool found = true; found;) {
		if (!next_tag(c, &change, name, &found, err) ||
			(found && !tag_event_table_add(c, &change, err)))
			return false;
	}
	return true;
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
		return err_set(err, ERR_TOO_LARGE, "The answer is too large; ask for fewer items");
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
