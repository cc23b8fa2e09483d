#include "meta/db.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "meta/db_priv.h"

#define READERS_DEFAULT 4

static const char sql_integrity[] = "PRAGMA integrity_check(1)";
static const char sql_foreign_keys[] =
	"SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 1";

static void db_closep(struct db **db)
{
	db_close(*db);
}

/* What goes wrong while opening is told with the path, as a matter of configuration. */
static bool open_failed(const struct db *db, struct err *err)
{
	struct err cause = *err;
	if (cause.kind == ERR_CONFIG && cause.msg[0] != '\0')
		return false;
	/* Whoever starts the server may see it all. */
	return err_set(err, ERR_CONFIG, "Cannot open the metadata database %s: %s", db->path,
		cause.detail[0] != '\0' ? cause.detail : err_text(&cause));
}

static bool open_writer(
	struct db *db, const struct migration *migrations, size_t count, struct err *err)
{
	struct db_conn *c CLEANUP(db_conn_closep) = NULL;
	if (!db_conn_open(db, DB_ROLE_WRITER, &c, err) || !migrate_run(c, migrations, count, err) ||
		!db_conn_arm_writer(c, err))
		return false;
	struct db_conn *taken = c;
	c = NULL;
	return db_writer_start(db, taken, &db->writer, err);
}

static bool open_reader(
	struct db *db, const struct migration *migrations, size_t count, struct err *err)
{
	struct db_conn *c CLEANUP(db_conn_closep) = NULL;
	return db_conn_open(db, DB_ROLE_READER, &c, err) &&
	       migrate_expect_current(c, migrations, count, err);
}

bool db_open_with(const struct db_options *o, const struct migration *migrations, size_t count,
	struct db **out, struct err *err)
{
	struct db *db CLEANUP(db_closep) = xcalloc(1, sizeof(*db));
	db->path = xstrdup(o->path);
	db->read_only = o->read_only;
	db_pool_init(&db->pool, o->readers == 0 ? READERS_DEFAULT : o->readers, !o->read_only);
	bool done = o->read_only ? open_reader(db, migrations, count, err)
				 : open_writer(db, migrations, count, err);
	if (!done)
		return open_failed(db, err);
	*out = db;
	db = NULL;
	return true;
}

bool db_open(const struct db_options *o, struct db **out, struct err *err)
{
	return db_open_with(o, migrations_embedded, migrations_embedded_count, out, err);
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	/* Readers first: the last connection to leave empties the log, and only the writer can. */
	db_pool_shrink(&db->pool);
	db_writer_stop(db->writer); /* which still looks at the pool */
	db_pool_fini(&db->pool);
	free(db->path);
	free(db);
}

static bool check_integrity(struct db_conn *c, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_integrity);
	bool row = false;
	bool done = db_step(st, &row, err);
	if (done && row && !str_eq_c(db_col_str(st, 0), "ok"))
		done = err_set(err, ERR_CORRUPT, "The metadata database is damaged: " STR_FMT,
			STR_ARG(db_col_str(st, 0)));
	db_done(st);
	return done;
}

static bool check_foreign_keys(struct db_conn *c, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_foreign_keys);
	bool row = false;
	bool done = db_step(st, &row, err);
	if (done && row)
		done = err_set(err, ERR_CORRUPT,
			"The metadata database is damaged: row %lld of " STR_FMT
			" refers to a missing row of " STR_FMT,
			(long long)db_col_int(st, 1), STR_ARG(db_col_str(st, 0)),
			STR_ARG(db_col_str(st, 2)));
	db_done(st);
	return done;
}

bool db_check(struct db *db, struct err *err)
{
	/* On a connection of its own: it takes minutes on a large database, and the pool is for
	 * requests. */
	struct db_conn *c CLEANUP(db_conn_closep) = NULL;
	return db_conn_open(db, DB_ROLE_READER, &c, err) && check_integrity(c, err) &&
	       check_foreign_keys(c, err);
}

void db_fault_set(struct db *db, unsigned countdown, enum db_fault fault, enum db_fault_site sites)
{
	atomic_store(&db->fault.countdown, 0);
	atomic_store(&db->fault.fault, (int)fault);
	atomic_store(&db->fault.sites, (unsigned)sites);
	atomic_store(&db->fault.countdown, countdown);
}

unsigned db_fault_left(const struct db *db)
{
	return atomic_load(&db->fault.countdown);
}

int db_fault_code(struct db_conn *c, enum db_fault_site site)
{
	struct db *db = c->db;
	unsigned left = atomic_load_explicit(&db->fault.countdown, memory_order_acquire);
	if (left == 0 || (atomic_load(&db->fault.sites) & (unsigned)site) == 0)
		return SQLITE_OK;
	while (!atomic_compare_exchange_weak(&db->fault.countdown, &left, left - 1)) {
		if (left == 0)
			return SQLITE_OK;
	}
	if (left > 1)
		return SQLITE_OK;
	switch ((enum db_fault)atomic_load(&db->fault.fault)) {
	case DB_FAULT_FULL:
		return SQLITE_FULL;
	case DB_FAULT_FULL_LOST:
		db_conn_rollback(c);
		return SQLITE_FULL;
	case DB_FAULT_IO:
		return SQLITE_IOERR_WRITE;
	case DB_FAULT_CORRUPT:
		return SQLITE_CORRUPT;
	case DB_FAULT_BUSY:
		return SQLITE_BUSY;
	}
	abort();
}
