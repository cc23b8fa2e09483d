#include "meta/pool_table.h"

#include "meta/table.h"

static const char sql_get[] =
	"SELECT p.id, p.registry_id, p.enc_type, p.key_arn, r.account, r.region FROM pool p JOIN registry r "
	"ON r.id = p.registry_id WHERE p.id = $1";
static const char sql_next[] = "SELECT id FROM pool WHERE id > $1 ORDER BY id LIMIT 1";
static const char sql_key_get[] =
	"SELECT wrapped FROM pool_key WHERE pool_id = $1 AND layer = $2 AND version = $3";
static const char sql_key_version[] =
	"SELECT coalesce(max(version), 0) FROM pool_key WHERE pool_id = $1 AND layer = 0";
static const char sql_key_add[] =
	"INSERT INTO pool_key (pool_id, layer, version, wrapped, created_at_ms) VALUES ($1, $2, $3, $4, $5)";
static const char sql_key_rewrap[] =
	"UPDATE pool_key SET wrapped = $5 WHERE pool_id = $1 AND layer = $2 AND version = $3 AND wrapped = $4";
static const char sql_making_add[] =
	"INSERT INTO making (store_key, created_at_ms) VALUES ($1, $2)";
static const char sql_making_remove[] = "DELETE FROM making WHERE store_key = $1";
static const char sql_making_has[] = "SELECT 1 FROM making WHERE store_key = $1";
static const char sql_making_older[] = "SELECT 1 FROM making WHERE created_at_ms < $1 LIMIT 1";
static const char sql_making_trash[] =
	"INSERT INTO trash (store_key) SELECT store_key FROM making WHERE created_at_ms < $1 ON CONFLICT DO NOTHING";
static const char sql_making_expire[] = "DELETE FROM making WHERE created_at_ms < $1";

bool pool_table_get(struct db_conn *c, int64_t id, struct arena *arena, struct pool_row *out,
	bool *found, struct err *err)
{
	STMT(st, c, sql_get);
	db_bind_int(st, 1, id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*found = row;
	if (!row)
		return true;
	struct pool_row r = {
		.id = db_col_int(st, 0),
		.registry_id = db_col_int(st, 1),
		.enc_type = (int)db_col_int(st, 2),
		.key_arn = table_text(st, 3, arena),
		.account = table_text(st, 4, arena),
		.region = table_text(st, 5, arena),
	};
	if (!r.key_arn.ptr || !r.account.ptr || !r.region.ptr)
		return err_sys(err, ERR_UNAVAILABLE, 0, "no memory for a pool row");
	*out = r;
	return true;
}

bool pool_table_next(struct db_conn *c, int64_t after, int64_t *id, bool *found, struct err *err)
{
	STMT(st, c, sql_next);
	db_bind_int(st, 1, after);
	if (!db_step(st, found, err))
		return false;
	if (*found)
		*id = db_col_int(st, 0);
	return true;
}

static void bind_key(struct db_stmt *st, int64_t pool_id, int layer, int64_t version)
{
	db_bind_int(st, 1, pool_id);
	db_bind_int(st, 2, layer);
	db_bind_int(st, 3, version);
}

bool pool_key_table_get(struct db_conn *c, int64_t pool_id, int layer, int64_t version,
	struct buf *wrapped, bool *found, struct err *err)
{
	STMT(st, c, sql_key_get);
	bind_key(st, pool_id, layer, version);
	if (!db_step(st, found, err))
		return false;
	if (*found)
		buf_add_str(wrapped, db_col_str(st, 0)); /* too long for a key: left empty */
	return !buf_is_starved(wrapped) ||
	       err_sys(err, ERR_UNAVAILABLE, 0, "no memory for a wrapped data key");
}

bool pool_key_table_version(struct db_conn *c, int64_t pool_id, int64_t *version, struct err *err)
{
	STMT(st, c, sql_key_version);
	db_bind_int(st, 1, pool_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*version = db_col_int(st, 0);
	return true;
}

bool pool_key_table_add(struct db_conn *c, int64_t pool_id, int layer, int64_t version,
	struct str wrapped, int64_t now_ms, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_key_add);
	bind_key(st, pool_id, layer, version);
	db_bind_blob(st, 4, wrapped.ptr, wrapped.len);
	db_bind_int(st, 5, now_ms);
	return db_run(st, err);
}

bool pool_key_table_rewrap(struct db_conn *c, int64_t pool_id, int layer, int64_t version,
	struct str was, struct str now, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_key_rewrap);
	bind_key(st, pool_id, layer, version);
	db_bind_blob(st, 4, was.ptr, was.len);
	db_bind_blob(st, 5, now.ptr, now.len);
	return db_run(st, err);
}

bool making_table_add(
	struct db_conn *c, const uint8_t key[POOL_STORE_KEY_LEN], int64_t now_ms, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_making_add);
	db_bind_blob(st, 1, key, POOL_STORE_KEY_LEN);
	db_bind_int(st, 2, now_ms);
	return db_run(st, err);
}

bool making_table_remove(struct db_conn *c, const uint8_t key[POOL_STORE_KEY_LEN], struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_making_remove);
	db_bind_blob(st, 1, key, POOL_STORE_KEY_LEN);
	return db_run(st, err);
}

bool making_table_has(
	struct db_conn *c, const uint8_t key[POOL_STORE_KEY_LEN], bool *out, struct err *err)
{
	STMT(st, c, sql_making_has);
	db_bind_blob(st, 1, key, POOL_STORE_KEY_LEN);
	return db_step(st, out, err);
}

bool making_table_has_older(struct db_conn *c, int64_t before_ms, bool *out, struct err *err)
{
	STMT(st, c, sql_making_older);
	db_bind_int(st, 1, before_ms);
	return db_step(st, out, err);
}

bool making_table_expire(struct db_conn *c, int64_t before_ms, struct err *err)
{
	struct db_stmt *move = db_prepare(c, sql_making_trash);
	db_bind_int(move, 1, before_ms);
	if (!db_run(move, err))
		return false;
	struct db_stmt *st = db_prepare(c, sql_making_expire);
	db_bind_int(st, 1, before_ms);
	return db_run(st, err);
}
