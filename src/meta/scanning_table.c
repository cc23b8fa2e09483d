#include "meta/scanning_table.h"

#include "meta/table.h"

static const char sql_get[] =
	"SELECT scan_type, rules FROM scanning_configuration WHERE registry_id = $1";
static const char sql_put[] =
	"INSERT INTO scanning_configuration (registry_id, scan_type, rules) VALUES ($1, $2, $3) "
	"ON CONFLICT (registry_id) DO UPDATE SET scan_type = excluded.scan_type, rules = excluded.rules";

bool scanning_table_get(struct db_conn *c, int64_t registry_id, struct arena *arena,
	struct scanning_row *out, bool *found, struct err *err)
{
	STMT(st, c, sql_get);
	db_bind_int(st, 1, registry_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	if (row) {
		struct scanning_row r = { (int)db_col_int(st, 0), table_text(st, 1, arena) };
		if (!r.rules.ptr)
			return table_no_room(arena, err);
		*out = r;
	}
	*found = row;
	return true;
}

bool scanning_table_put(
	struct db_conn *c, int64_t registry_id, const struct scanning_row *row, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_put);
	db_bind_int(st, 1, registry_id);
	db_bind_int(st, 2, row->scan_type);
	db_bind_str(st, 3, row->rules);
	return db_run(st, err);
}
