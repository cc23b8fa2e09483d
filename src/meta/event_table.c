#include "meta/event_table.h"

#include "meta/table.h"

static const char sql_webhook_put[] =
	"INSERT INTO webhook (url, repository, kind) VALUES ($1, $2, $3) ON CONFLICT (url) DO UPDATE SET "
	"repository = excluded.repository, kind = excluded.kind RETURNING id";
static const char sql_webhook_next[] =
	"SELECT id, url, repository, kind FROM webhook WHERE id > $1 ORDER BY id LIMIT 1";
static const char sql_webhook_waiting[] = "SELECT waiting FROM webhook WHERE id = $1";
static const char sql_webhook_count[] = "UPDATE webhook SET waiting = waiting + $2 WHERE id = $1";
static const char sql_webhook_remove[] = "DELETE FROM webhook WHERE id = $1";
static const char sql_clear[] = "DELETE FROM event_outbox WHERE webhook_id = $1";
static const char sql_place[] =
	"SELECT g.account, g.region, r.name FROM repository r JOIN registry g ON g.id = r.registry_id "
	"WHERE r.id = $1 AND r.state = 1";
static const char sql_add[] =
	"INSERT INTO event_outbox (webhook_id, repository_id, due_at_ms, event_id, at_ms, kind, action, account, region, "
	"repository, digest, tag, media_type, artifact_type) VALUES ($1, $2, "
	"CASE WHEN EXISTS (SELECT 1 FROM event_outbox WHERE webhook_id = $1 AND repository_id = $2) THEN NULL ELSE $4 END, "
	"$3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
static const char sql_due[] =
	"SELECT id, webhook_id, repository_id, tries, event_id, at_ms, kind, action, account, region, repository, digest, tag, "
	"media_type, artifact_type FROM event_outbox WHERE webhook_id = $1 AND due_at_ms <= $2 ORDER BY due_at_ms, id LIMIT $3";
static const char sql_remove[] = "DELETE FROM event_outbox WHERE id = $1";
static const char sql_promote[] =
	"UPDATE event_outbox SET due_at_ms = $3 WHERE id = (SELECT min(id) FROM event_outbox WHERE webhook_id = $1 AND "
	"repository_id = $2)";
static const char sql_defer[] =
	"UPDATE event_outbox SET due_at_ms = $2, tries = tries + 1 WHERE id = $1";

static bool find_int(struct db_stmt *st, int64_t *out, struct err *err)
{
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = row ? db_col_int(st, 0) : 0;
	return true;
}

static bool run_two(struct db_conn *c, const char *sql, int64_t a, int64_t b, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, a);
	db_bind_int(st, 2, b);
	return db_run(st, err);
}

static bool run_id(struct db_conn *c, const char *sql, int64_t id, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, id);
	return db_run(st, err);
}

bool webhook_table_put(
	struct db_conn *c, const struct webhook_row *row, int64_t *id, struct err *err)
{
	STMT(st, c, sql_webhook_put);
	db_bind_str(st, 1, row->url);
	db_bind_str(st, 2, row->repository);
	db_bind_int(st, 3, row->kind);
	return find_int(st, id, err);
}

bool webhook_table_next(struct db_conn *c, int64_t after, struct arena *arena,
	struct webhook_row *out, struct err *err)
{
	STMT(st, c, sql_webhook_next);
	db_bind_int(st, 1, after);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	struct webhook_row r = { .id = 0 };
	if (row) {
		r = (struct webhook_row){ db_col_int(st, 0), table_text(st, 1, arena),
			table_text(st, 2, arena), (int)db_col_int(st, 3) };
		if (!r.url.ptr || !r.repository.ptr)
			return table_no_memory(arena, err);
	}
	*out = r;
	return true;
}

bool webhook_table_waiting(struct db_conn *c, int64_t id, uint64_t *out, struct err *err)
{
	int64_t n = 0;
	STMT(st, c, sql_webhook_waiting);
	db_bind_int(st, 1, id);
	if (!find_int(st, &n, err))
		return false;
	*out = n > 0 ? (uint64_t)n : 0;
	return true;
}

bool webhook_table_remove(struct db_conn *c, int64_t id, uint64_t *dropped, struct err *err)
{
	if (!run_id(c, sql_clear, id, err))
		return false;
	int64_t n = db_changes(c);
	if (!run_id(c, sql_webhook_remove, id, err))
		return false;
	*dropped = (uint64_t)n;
	return true;
}

bool event_table_place(struct db_conn *c, int64_t repository_id, struct arena *arena,
	struct event_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_place);
	db_bind_int(st, 1, repository_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row) {
		out->account = table_text(st, 0, arena);
		out->region = table_text(st, 1, arena);
		out->repository = table_text(st, 2, arena);
		if (!out->account.ptr || !out->region.ptr || !out->repository.ptr)
			return table_no_memory(arena, err);
	}
	*found = row;
	return true;
}

/* No NULLs in text. */
static struct str text(struct str s)
{
	return s.ptr ? s : STR("");
}

bool event_table_add(struct db_conn *c, const struct event_row *row, struct err *err)
{
	uint8_t key[DIGEST_KEY_MAX];
	struct db_stmt *st = db_prepare(c, sql_add);
	db_bind_int(st, 1, row->webhook_id);
	db_bind_int(st, 2, row->repository_id);
	db_bind_blob(st, 3, row->event_id, sizeof(row->event_id));
	db_bind_int(st, 4, row->at_ms);
	db_bind_int(st, 5, row->kind);
	db_bind_int(st, 6, row->action);
	db_bind_str(st, 7, row->account);
	db_bind_str(st, 8, row->region);
	db_bind_str(st, 9, row->repository);
	table_bind_digest(st, 10, &row->digest, key);
	db_bind_str(st, 11, text(row->tag));
	db_bind_str(st, 12, text(row->media_type));
	db_bind_str(st, 13, text(row->artifact_type));
	return db_run(st, err) && run_two(c, sql_webhook_count, row->webhook_id, 1, err);
}

static bool read_row(
	struct db_stmt *st, struct arena *arena, struct event_row *out, struct err *err)
{
	struct str id = db_col_str(st, 4);
	struct event_row r = {
		.id = db_col_int(st, 0),
		.webhook_id = db_col_int(st, 1),
		.repository_id = db_col_int(st, 2),
		.tries = db_col_int(st, 3),
		.at_ms = db_col_int(st, 5),
		.kind = (int)db_col_int(st, 6),
		.action = (int)db_col_int(st, 7),
	};
	if (id.len != sizeof(r.event_id))
		return err_set(err, ERR_CORRUPT, "an event has no id");
	memcpy(r.event_id, id.ptr, id.len);
	r.account = table_text(st, 8, arena);
	r.region = table_text(st, 9, arena);
	r.repository = table_text(st, 10, arena);
	r.tag = table_text(st, 12, arena);
	r.media_type = table_text(st, 13, arena);
	r.artifact_type = table_text(st, 14, arena);
	if (!r.account.ptr || !r.region.ptr || !r.repository.ptr || !r.tag.ptr ||
		!r.media_type.ptr || !r.artifact_type.ptr)
		return table_no_memory(arena, err);
	if (!table_digest(st, 11, &r.digest, err))
		return false;
	*out = r;
	return true;
}

bool event_table_due(struct db_conn *c, int64_t webhook_id, int64_t now_ms, struct arena *arena,
	struct event_batch *out, struct err *err)
{
	out->count = 0;
	STMT(st, c, sql_due);
	db_bind_int(st, 1, webhook_id);
	db_bind_int(st, 2, now_ms);
	db_bind_int(st, 3, EVENT_BATCH_MAX);
	for (;;) {
		bool row = false;
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			return true;
		if (!read_row(st, arena, &out->rows[out->count++], err))
			return false;
	}
}

bool event_table_remove(
	struct db_conn *c, const struct event_row *row, int64_t now_ms, struct err *err)
{
	if (!run_id(c, sql_remove, row->id, err))
		return false;
	if (db_changes(c) == 0)
		return true; /* done already, by a run before this one */
	struct db_stmt *st = db_prepare(c, sql_promote);
	db_bind_int(st, 1, row->webhook_id);
	db_bind_int(st, 2, row->repository_id);
	db_bind_int(st, 3, now_ms);
	return db_run(st, err) && run_two(c, sql_webhook_count, row->webhook_id, -1, err);
}

bool event_table_defer(struct db_conn *c, int64_t id, int64_t due_at_ms, struct err *err)
{
	return run_two(c, sql_defer, id, due_at_ms, err);
}
