#include "meta/key_table.h"

#include "meta/table.h"

static const char sql_key_add[] =
	"INSERT INTO access_key (id, account, principal, secret, is_active, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6)";
static const char sql_key_find[] =
	"SELECT account, principal, secret, is_active, created_at_ms FROM access_key WHERE id = $1";
static const char sql_key_count[] = "SELECT count(*) FROM access_key";
static const char sql_value_get[] = "SELECT value FROM server_value WHERE name = $1";
static const char sql_value_put[] =
	"INSERT INTO server_value (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

bool key_table_add(struct db_conn *c, const struct key_row *row, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_key_add);
	db_bind_str(st, 1, str_from(row->id));
	db_bind_str(st, 2, str_from(row->account));
	db_bind_str(st, 3, str_from(row->principal));
	db_bind_blob(st, 4, row->secret.bytes, row->secret.len);
	db_bind_int(st, 5, row->is_active);
	db_bind_int(st, 6, row->created_at_ms);
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
		.created_at_ms = db_col_int(st, 4) };
	struct str secret = db_col_str(st, 2);
	if (!str_to_c(id, r.id, sizeof(r.id)) ||
		!str_to_c(db_col_str(st, 0), r.account, sizeof(r.account)) ||
		!str_to_c(db_col_str(st, 1), r.principal, sizeof(r.principal)) ||
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
