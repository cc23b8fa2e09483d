#include "meta/key_table.h"

#include "meta/table.h"

static const char sql_key_add[] =
	"INSERT INTO access_key (id, account, principal, secret, is_active, created_at_ms, user_id) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7)";
static const char sql_key_find[] =
	"SELECT k.account, CASE WHEN k.user_id IS NULL THEN k.principal "
	"ELSE 'arn:aws:iam::' || e.account || ':user' || e.path || e.name END, "
	"k.secret, k.is_active, k.created_at_ms, coalesce(k.user_id, 0), coalesce(e.name, ''), coalesce(e.uid, ''), "
	"k.used_at_ms, k.used_service, k.used_region "
	"FROM access_key k LEFT JOIN iam_entity e ON e.id = k.user_id WHERE k.id = $1";
static const char sql_key_count[] = "SELECT count(*) FROM access_key";
static const char sql_key_list[] =
	"SELECT id, is_active, created_at_ms FROM access_key WHERE account = $1 AND user_id IS $2 AND id > $3 "
	"ORDER BY id LIMIT $4";
static const char sql_key_set_active[] =
	"UPDATE access_key SET is_active = $4 WHERE id = $1 AND account = $2 AND user_id IS $3";
static const char sql_key_remove[] =
	"DELETE FROM access_key WHERE id = $1 AND account = $2 AND user_id IS $3";
static const char sql_key_touch[] =
	"UPDATE access_key SET used_at_ms = $2, used_service = $3, used_region = $4 WHERE id = $1 AND used_at_ms < $2";
static const char sql_value_get[] = "SELECT value FROM server_value WHERE name = $1";
static const char sql_value_put[] =
	"INSERT INTO server_value (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

static void bind_user(struct db_stmt *st, int i, int64_t user_id)
{
	if (user_id == 0)
		db_bind_null(st, i);
	else
		db_bind_int(st, i, user_id);
}

bool key_table_add(struct db_conn *c, const struct key_row *row, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_key_add);
	db_bind_str(st, 1, str_from(row->id));
	db_bind_str(st, 2, str_from(row->account));
	db_bind_str(st, 3, str_from(row->principal));
	db_bind_blob(st, 4, row->secret.bytes, row->secret.len);
	db_bind_int(st, 5, row->is_active);
	db_bind_int(st, 6, row->created_at_ms);
	bind_user(st, 7, row->user_id);
	return db_run(st, err);
}

bool key_table_find(
	struct db_conn *c, struct str id, struct key_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_key_find);
	db_bind_str(st, 1, id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (!row) {
		*found = false;
		return true;
	}
	struct key_row r = { .is_active = db_col_int(st, 3) != 0,
		.created_at_ms = db_col_int(st, 4),
		.user_id = db_col_int(st, 5),
		.used_at_ms = db_col_int(st, 8) };
	struct str secret = db_col_str(st, 2);
	if (!str_to_c(id, r.id, sizeof(r.id)) ||
		!str_to_c(db_col_str(st, 0), r.account, sizeof(r.account)) ||
		!str_to_c(db_col_str(st, 1), r.principal, sizeof(r.principal)) ||
		!str_to_c(db_col_str(st, 6), r.user_name, sizeof(r.user_name)) ||
		!str_to_c(db_col_str(st, 7), r.user_uid, sizeof(r.user_uid)) ||
		!str_to_c(db_col_str(st, 9), r.used_service, sizeof(r.used_service)) ||
		!str_to_c(db_col_str(st, 10), r.used_region, sizeof(r.used_region)) ||
		!secret_set(&r.secret, secret.ptr, secret.len))
		return err_sys(err, ERR_CORRUPT, 0, "access key row is malformed");
	*out = r;
	secret_wipe(&r.secret);
	*found = true;
	return true;
}

bool key_table_count(struct db_conn *c, uint64_t *out, struct err *err)
{
	STMT(st, c, sql_key_count);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = (uint64_t)db_col_int(st, 0);
	return true;
}

bool key_table_list(struct db_conn *c, const struct key_owner *owner, struct str after,
	unsigned limit, struct key_meta *rows, size_t *out_n, struct err *err)
{
	STMT(st, c, sql_key_list);
	db_bind_str(st, 1, owner->account);
	bind_user(st, 2, owner->user_id);
	db_bind_str(st, 3, after.ptr != NULL ? after : STR(""));
	db_bind_int(st, 4, limit);
	size_t n = 0;
	while (n < limit) {
		bool is_row = false;
		if (!db_step(st, &is_row, err))
			return false;
		if (!is_row)
			break;
		struct key_meta *m = &rows[n];
		if (!str_to_c(db_col_str(st, 0), m->id, sizeof(m->id)))
			return err_sys(err, ERR_CORRUPT, 0, "access key row is malformed");
		m->is_active = db_col_int(st, 1) != 0;
		m->created_at_ms = db_col_int(st, 2);
		n++;
	}
	*out_n = n;
	return true;
}

bool key_table_set_active(struct db_conn *c, const struct key_owner *owner, struct str id,
	bool is_active, bool *found, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_key_set_active);
	db_bind_str(st, 1, id);
	db_bind_str(st, 2, owner->account);
	bind_user(st, 3, owner->user_id);
	db_bind_int(st, 4, is_active);
	if (!db_run(st, err))
		return false;
	*found = db_changes(c) != 0;
	return true;
}

bool key_table_remove(struct db_conn *c, const struct key_owner *owner, struct str id, bool *found,
	struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_key_remove);
	db_bind_str(st, 1, id);
	db_bind_str(st, 2, owner->account);
	bind_user(st, 3, owner->user_id);
	if (!db_run(st, err))
		return false;
	*found = db_changes(c) != 0;
	return true;
}

bool key_table_touch(struct db_conn *c, struct str id, int64_t at_ms, struct str service,
	struct str region, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_key_touch);
	db_bind_str(st, 1, id);
	db_bind_int(st, 2, at_ms);
	db_bind_str(st, 3, service);
	db_bind_str(st, 4, region);
	return db_run(st, err);
}

bool server_value_get(
	struct db_conn *c, const char *name, struct secret *out, bool *found, struct err *err)
{
	STMT(st, c, sql_value_get);
	db_bind_str(st, 1, str_from(name));
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row) {
		struct str v = db_col_str(st, 0);
		if (!secret_set(out, v.ptr, v.len))
			return err_sys(err, ERR_CORRUPT, 0, "server value %s is too long", name);
	}
	*found = row;
	return true;
}

bool server_value_put(
	struct db_conn *c, const char *name, const struct secret *value, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_value_put);
	db_bind_str(st, 1, str_from(name));
	db_bind_blob(st, 2, value->bytes, value->len);
	return db_run(st, err);
}
