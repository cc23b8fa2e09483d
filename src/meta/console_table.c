#include "meta/console_table.h"

#include "meta/table.h"

static const char sql_expire[] = "DELETE FROM console_link WHERE ends_at_ms <= $1";
static const char sql_add[] =
	"INSERT INTO console_link (hash, account, ends_at_ms) VALUES ($1, $2, $3)";
static const char sql_take[] =
	"DELETE FROM console_link WHERE hash = $1 RETURNING account, ends_at_ms";
static const char sql_root_key[] =
	"SELECT id FROM access_key WHERE account = $1 AND user_id IS NULL AND is_active <> 0 ORDER BY id LIMIT 1";

bool console_table_add(struct db_conn *c, const uint8_t hash[CONSOLE_HASH_LEN], struct str account,
	int64_t ends_at_ms, int64_t now_ms, struct err *err)
{
	struct db_stmt *old = db_prepare(c, sql_expire);
	db_bind_int(old, 1, now_ms);
	if (!db_run(old, err))
		return false;
	struct db_stmt *st = db_prepare(c, sql_add);
	db_bind_blob(st, 1, hash, CONSOLE_HASH_LEN);
	db_bind_str(st, 2, account);
	db_bind_int(st, 3, ends_at_ms);
	return db_run(st, err);
}

bool console_table_take(struct db_conn *c, const uint8_t hash[CONSOLE_HASH_LEN], int64_t now_ms,
	char account[13], bool *found, struct err *err)
{
	STMT(st, c, sql_take);
	db_bind_blob(st, 1, hash, CONSOLE_HASH_LEN);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row && !str_to_c(db_col_str(st, 0), account, 13))
		return err_sys(err, ERR_CORRUPT, 0, "a console link names a malformed account");
	*found = row && db_col_int(st, 1) > now_ms;
	return true;
}

bool console_table_root_key(
	struct db_conn *c, struct str account, char id[33], bool *found, struct err *err)
{
	STMT(st, c, sql_root_key);
	db_bind_str(st, 1, account);
	if (!db_step(st, found, err))
		return false;
	if (*found && !str_to_c(db_col_str(st, 0), id, 33))
		return err_sys(err, ERR_CORRUPT, 0, "an access key id is malformed");
	return true;
}
