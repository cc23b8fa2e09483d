#include "meta/migrate.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "meta/db_priv.h"

/* "Bert": tells a Berth database from a file of another program whose user_version happens to fit.
 */
#define APPLICATION_ID 0x42657274

static const char sql_version[] = "PRAGMA user_version";
static const char sql_application[] = "PRAGMA application_id";
static const char sql_table_count[] = "SELECT count(*) FROM sqlite_schema";
static const char sql_orphans[] = "SELECT count(*) FROM pragma_foreign_key_check";

static bool check_owner(struct db_conn *c, struct err *err)
{
	int64_t id;
	int64_t tables;
	if (!db_conn_int(c, sql_application, &id, err) ||
		!db_conn_int(c, sql_table_count, &tables, err))
		return false;
	if (id == APPLICATION_ID || (id == 0 && tables == 0))
		return true;
	return err_set(err, ERR_CONFIG, "%s is an SQLite database of another program", c->db->path);
}

static bool refuse_newer(struct db_conn *c, int64_t version, size_t known, struct err *err)
{
	if (version <= (int64_t)known)
		return true;
	return err_set(err, ERR_CONFIG,
		"%s was written by a newer Berth: its schema is version %" PRId64
		", this program knows versions up to %zu",
		c->db->path, version, known);
}

/* SQLite takes no parameters in a PRAGMA, so these two numbers of ours are printed into the text.
 */
static bool set_version(struct db_conn *c, int version, struct err *err)
{
	char sql[96];
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d; PRAGMA application_id = %d", version,
		APPLICATION_ID);
	return db_conn_exec(c, sql, err);
}

static bool apply(struct db_conn *c, const struct migration *m, struct err *err)
{
	int64_t orphans;
	if (!db_conn_exec(c, m->sql, err) || !set_version(c, m->version, err) ||
		!db_conn_int(c, sql_orphans, &orphans, err))
		return false;
	assert(db_conn_in_transaction(c)); /* the migration must not commit by itself */
	if (orphans != 0)
		return err_sys(
			err, ERR_CORRUPT, 0, "leaves %" PRId64 " foreign keys unmatched", orphans);
	return db_conn_exec(c, "COMMIT", err);
}

/* One step, looking at the version under the write lock: another process may have migrated
 * meanwhile. */
static bool step(
	struct db_conn *c, const struct migration *list, size_t count, bool *more, struct err *err)
{
	int64_t version;
	if (!db_conn_int(c, sql_version, &version, err) || !refuse_newer(c, version, count, err))
		return false;
	if (version == (int64_t)count) {
		*more = false;
		return true;
	}
	const struct migration *m = &list[version];
	assert(m->version == version + 1);
	if (!apply(c, m, err))
		return err_wrap(err, "migration %s of %s", m->name, c->db->path);
	*more = true;
	return true;
}

bool migrate_run(struct db_conn *c, const struct migration *list, size_t count, struct err *err)
{
	if (!check_owner(c, err))
		return false;
	for (bool more = true; more;) {
		if (!db_conn_exec(c, "BEGIN IMMEDIATE", err))
			return false;
		bool done = step(c, list, count, &more, err);
		db_conn_rollback(c); /* what step did not commit */
		if (!done)
			return false;
	}
	return true;
}

bool migrate_expect_current(
	struct db_conn *c, const struct migration *list, size_t count, struct err *err)
{
	(void)list;
	int64_t version;
	if (!check_owner(c, err) || !db_conn_int(c, sql_version, &version, err) ||
		!refuse_newer(c, version, count, err))
		return false;
	if (version != (int64_t)count)
		return err_set(err, ERR_CONFIG,
			"%s has schema version %" PRId64
			", this program needs %zu: start the server once to bring it up to date",
			c->db->path, version, count);
	return true;
}
