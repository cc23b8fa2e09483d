#include "meta/policy_table.h"

#include "meta/table.h"

static const char sql_get[] = "SELECT version, document FROM resource_policy "
			      "WHERE registry_id = $1 AND repository_id = $2";
static const char sql_version[] =
	"SELECT version FROM resource_policy WHERE registry_id = $1 AND repository_id = $2";
static const char sql_next_version[] =
	"INSERT INTO resource_policy_version (registry_id, version) VALUES ($1, 1) "
	"ON CONFLICT (registry_id) DO UPDATE SET version = version + 1 RETURNING version";
static const char sql_put[] =
	"INSERT INTO resource_policy (registry_id, repository_id, version, document) VALUES ($1, $2, $3, $4) "
	"ON CONFLICT (registry_id, repository_id) DO UPDATE SET version = excluded.version, "
	"document = excluded.document";
static const char sql_remove[] =
	"DELETE FROM resource_policy WHERE registry_id = $1 AND repository_id = $2";

bool policy_table_get(struct db_conn *c, int64_t registry_id, int64_t repository_id,
	struct arena *arena, struct policy_row *out, struct err *err)
{
	STMT(st, c, sql_get);
	db_bind_int(st, 1, registry_id);
	db_bind_int(st, 2, repository_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	struct policy_row r = { 0 };
	if (row) {
		r.version = db_col_int(st, 0);
		r.document = table_text(st, 1, arena);
		if (!r.document.ptr)
			return table_no_room(arena, err);
	}
	*out = r;
	return true;
}

bool policy_table_version(struct db_conn *c, int64_t registry_id, int64_t repository_id,
	int64_t *out, struct err *err)
{
	STMT(st, c, sql_version);
	db_bind_int(st, 1, registry_id);
	db_bind_int(st, 2, repository_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = row ? db_col_int(st, 0) : 0;
	return true;
}

static bool next_version(struct db_conn *c, int64_t registry_id, int64_t *out, struct err *err)
{
	STMT(st, c, sql_next_version);
	db_bind_int(st, 1, registry_id);
	bool row = false;
	if (!db_step(st, &row, err))
		return false;
	*out = row ? db_col_int(st, 0) : 0;
	return true;
}

bool policy_table_put(struct db_conn *c, int64_t registry_id, int64_t repository_id,
	struct str document, struct err *err)
{
	int64_t version = 0;
	if (!next_version(c, registry_id, &version, err))
		return false;
	struct db_stmt *st = db_prepare(c, sql_put);
	db_bind_int(st, 1, registry_id);
	db_bind_int(st, 2, repository_id);
	db_bind_int(st, 3, version);
	db_bind_str(st, 4, document);
	return db_run(st, err);
}

bool policy_table_remove(
	struct db_conn *c, int64_t registry_id, int64_t repository_id, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_remove);
	db_bind_int(st, 1, registry_id);
	db_bind_int(st, 2, repository_id);
	return db_run(st, err);
}
