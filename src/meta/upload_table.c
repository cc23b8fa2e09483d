#include "meta/upload_table.h"

#include "base/buf.h"
#include "meta/table.h"

static const char sql_add[] =
	"INSERT INTO upload (store_key, repository_id, alg, short_at, created_at_ms, form) "
	"VALUES ($1, $2, $3, $4, $5, $6)";
#define COLUMNS \
	"store_key, repository_id, alg, short_at, created_at_ms, form, plain_bytes, parts, written_at_ms"
static const char sql_find[] = "SELECT " COLUMNS " FROM upload WHERE store_key = $1";
static const char sql_set_tail[] =
	"UPDATE upload SET plain_bytes = $2, tail = $3, written_at_ms = $4 WHERE store_key = $1";
static const char sql_tail[] = "SELECT tail FROM upload WHERE store_key = $1";
static const char sql_note_part[] =
	"UPDATE upload SET parts = parts + 1, short_at = $2 WHERE store_key = $1";
static const char sql_remove[] = "DELETE FROM upload WHERE store_key = $1";
static const char sql_older[] =
	"SELECT " COLUMNS
	" FROM upload WHERE created_at_ms < $1 AND (created_at_ms, store_key) > ($2, $3) "
	"ORDER BY created_at_ms, store_key LIMIT $4";
static const char sql_of_repository[] =
	"SELECT " COLUMNS " FROM upload WHERE repository_id = $1 LIMIT $2";

/* All registries: kept there by every start and end. */
static const char sql_count[] = "SELECT coalesce(sum(uploads), 0) FROM registry";

static const char sql_log_add[] =
	"INSERT INTO mount_log (registry_id, at_ms, target, source, digest, outcome, principal, size_bytes) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
/* The id of the newest row to go is found by one walk of the registry's index from its end. */
static const char sql_log_trim[] =
	"DELETE FROM mount_log WHERE id IN (SELECT id FROM mount_log WHERE registry_id = $1 AND id <= "
	"(SELECT id FROM mount_log WHERE registry_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2) ORDER BY id LIMIT $3)";
static const char sql_log_over[] =
	"SELECT r.id FROM registry r WHERE r.id > $1 AND EXISTS (SELECT 1 FROM mount_log m WHERE m.registry_id = r.id "
	"ORDER BY m.id DESC LIMIT 1 OFFSET $2) ORDER BY r.id LIMIT 1";

static bool read_row(struct db_stmt *st, struct upload_row *out, struct err *err)
{
	struct str key = db_col_str(st, 0);
	if (key.len != UPLOAD_KEY_LEN)
		return err_sys(err, ERR_CORRUPT, 0, "an upload key has %zu bytes", key.len);
	struct upload_row r = {
		.repository_id = db_col_int(st, 1),
		.alg = (enum digest_alg)db_col_int(st, 2),
		.short_at = db_col_int(st, 3),
		.created_at_ms = db_col_int(st, 4),
		.form = db_col_int(st, 5),
		.plain_bytes = (uint64_t)db_col_int(st, 6),
		.parts = db_col_int(st, 7),
		.written_at_ms = db_col_int(st, 8),
	};
	memcpy(r.key, key.ptr, UPLOAD_KEY_LEN);
	*out = r;
	return true;
}

bool upload_table_add(struct db_conn *c, const struct upload_row *row, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_add);
	db_bind_blob(st, 1, row->key, UPLOAD_KEY_LEN);
	db_bind_int(st, 2, row->repository_id);
	db_bind_int(st, 3, row->alg);
	db_bind_int(st, 4, row->short_at);
	db_bind_int(st, 5, row->created_at_ms);
	db_bind_int(st, 6, row->form);
	return db_run(st, err);
}

bool upload_table_find(struct db_conn *c, const uint8_t key[UPLOAD_KEY_LEN], struct upload_row *out,
	bool *found, struct err *err)
{
	STMT(st, c, sql_find);
	db_bind_blob(st, 1, key, UPLOAD_KEY_LEN);
	bool row = false;
	if (!db_step(st, &row, err) || (row && !read_row(st, out, err)))
		return false;
	*found = row;
	return true;
}

bool upload_table_set_tail(struct db_conn *c, const uint8_t key[UPLOAD_KEY_LEN],
	const struct upload_tail *tail, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_set_tail);
	db_bind_blob(st, 1, key, UPLOAD_KEY_LEN);
	db_bind_int(st, 2, (int64_t)tail->plain_bytes);
	db_bind_blob(st, 3, tail->sealed.ptr, tail->sealed.len);
	db_bind_int(st, 4, tail->at_ms);
	return db_run(st, err);
}

bool upload_table_tail(
	struct db_conn *c, const uint8_t key[UPLOAD_KEY_LEN], struct buf *out, struct err *err)
{
	STMT(st, c, sql_tail);
	db_bind_blob(st, 1, key, UPLOAD_KEY_LEN);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row)
		buf_add_str(out, db_col_str(st, 0));
	return buf_ok(out) || err_sys(err, ERR_UNAVAILABLE, 0, "no memory for an upload's tail");
}

bool upload_table_note_part(
	struct db_conn *c, const uint8_t key[UPLOAD_KEY_LEN], int64_t short_at, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_note_part);
	db_bind_blob(st, 1, key, UPLOAD_KEY_LEN);
	db_bind_int(st, 2, short_at);
	return db_run(st, err);
}

bool upload_table_remove(
	struct db_conn *c, const uint8_t key[UPLOAD_KEY_LEN], bool *removed, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_remove);
	db_bind_blob(st, 1, key, UPLOAD_KEY_LEN);
	if (!db_run(st, err))
		return false;
	*removed = db_changes(c) > 0;
	return true;
}

static bool read_rows(
	struct db_stmt *st, struct upload_row *rows, size_t max, size_t *count, struct err *err)
{
	size_t n = 0;
	bool row = false;
	while (n < max) {
		if (!db_step(st, &row, err))
			return false;
		if (!row)
			break;
		if (!read_row(st, &rows[n], err))
			return false;
		n++;
	}
	*count = n;
	return true;
}

bool upload_table_older(struct db_conn *c, int64_t created_before_ms,
	const struct upload_row *after, struct upload_row *rows, size_t max, size_t *count,
	struct err *err)
{
	STMT(st, c, sql_older);
	db_bind_int(st, 1, created_before_ms);
	db_bind_int(st, 2, after->created_at_ms);
	db_bind_blob(st, 3, after->key, UPLOAD_KEY_LEN);
	db_bind_int(st, 4, (int64_t)max);
	return read_rows(st, rows, max, count, err);
}

bool upload_table_of_repository(struct db_conn *c, int64_t repository_id, struct upload_row *rows,
	size_t max, size_t *count, struct err *err)
{
	STMT(st, c, sql_of_repository);
	db_bind_int(st, 1, repository_id);
	db_bind_int(st, 2, (int64_t)max);
	return read_rows(st, rows, max, count, err);
}

bool upload_table_count(struct db_conn *c, uint64_t *out, struct err *err)
{
	STMT(st, c, sql_count);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = (uint64_t)db_col_int(st, 0);
	return true;
}

bool mount_log_table_add(struct db_conn *c, const struct mount_log_row *row, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_log_add);
	db_bind_int(st, 1, row->registry_id);
	db_bind_int(st, 2, row->at_ms);
	db_bind_str(st, 3, row->target);
	db_bind_str(st, 4, row->source);
	db_bind_str(st, 5, row->digest);
	db_bind_str(st, 6, row->outcome);
	db_bind_str(st, 7, row->principal);
	db_bind_int(st, 8, (int64_t)row->size_bytes);
	return db_run(st, err);
}

bool mount_log_table_trim(
	struct db_conn *c, int64_t registry_id, unsigned keep, unsigned max, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_log_trim);
	db_bind_int(st, 1, registry_id);
	db_bind_int(st, 2, keep);
	db_bind_int(st, 3, max);
	return db_run(st, err);
}

bool mount_log_table_over(
	struct db_conn *c, int64_t after, unsigned keep, int64_t *registry_id, struct err *err)
{
	STMT(st, c, sql_log_over);
	db_bind_int(st, 1, after);
	db_bind_int(st, 2, keep);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*registry_id = row ? db_col_int(st, 0) : 0;
	return true;
}
