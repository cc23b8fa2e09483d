/* Connections to SQLite: how each role is opened and set up, and what its result codes mean to us.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "meta/db_priv.h"

_Thread_local struct db_conn *db_active;

/*
 * page_size must precede the first page, which the change to WAL writes. Measured with a million
 * rows: pages of 4096 bytes take 20-25 % more writes a second than 8192 (the log is written in
 * whole pages), and read the same. No mapped reads: SQLite drops the map with every snapshot that
 * sees a new commit, and taking pages from all processors again costs more than copying a few.
 * secure_delete: a manifest that was stored in clear (--encryption disk) must not stay behind in a
 * free page when it is sealed.
 */
static const char setup_writer[] = "PRAGMA page_size = 4096;"
				   "PRAGMA journal_mode = WAL;"
				   "PRAGMA synchronous = FULL;"
				   "PRAGMA cache_size = -8192;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA secure_delete = ON;"
				   "PRAGMA wal_autocheckpoint = 0;";
static const char setup_reader[] = "PRAGMA cache_size = -512;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA query_only = ON;";

static const char *const control_writer[DB_CONTROL_COUNT] = {
	[DB_BEGIN] = "BEGIN IMMEDIATE",
	[DB_COMMIT] = "COMMIT",
	[DB_ROLLBACK] = "ROLLBACK",
	[DB_SAVEPOINT] = "SAVEPOINT piece",
	[DB_RELEASE] = "RELEASE piece",
	[DB_ROLLBACK_TO] = "ROLLBACK TO piece",
};
static const char *const control_reader[DB_CONTROL_COUNT] = {
	[DB_BEGIN] = "BEGIN",
	[DB_COMMIT] = "COMMIT",
	[DB_ROLLBACK] = "ROLLBACK",
};

/* Connections are never shared between threads, and the allocation statistics cost a global lock.
 */
static void configure_engine(void)
{
	int rc = sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
	assert(rc == SQLITE_OK);
	rc = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	assert(rc == SQLITE_OK);
	rc = sqlite3_initialize();
	assert(rc == SQLITE_OK);
}

static enum err_kind kind_of(sqlite3 *sqlite, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return ERR_STORAGE_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CORRUPT;
	case SQLITE_IOERR:
		/* SQLite tells a full disk from an I/O error, but not an exhausted quota. */
		return sqlite3_system_errno(sqlite) == EDQUOT ? ERR_STORAGE_FULL : ERR_UNAVAILABLE;
	case SQLITE_NOMEM:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
	case SQLITE_CANTOPEN:
		return ERR_UNAVAILABLE;
	default:
		return ERR_INTERNAL;
	}
}

bool db_conn_err(struct db_conn *c, int rc, const char *what, struct err *err)
{
	/* After an injected fault the connection has another story to tell, or none. */
	const char *story = sqlite3_extended_errcode(c->sqlite) == rc ? sqlite3_errmsg(c->sqlite)
								      : sqlite3_errstr(rc);
	c->is_broken = c->is_broken || db_is_io_error(rc);
	return err_sys(
		err, kind_of(c->sqlite, rc), 0, "SQLite: %s (%d) in: %.160s", story, rc, what);
}

bool db_conn_exec(struct db_conn *c, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(c->sqlite, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK || db_conn_err(c, rc, sql, err);
}

bool db_conn_int(struct db_conn *c, const char *sql, int64_t *out, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(c->sqlite, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	bool done = rc == SQLITE_ROW || rc == SQLITE_DONE || db_conn_err(c, rc, sql, err);
	if (done)
		*out = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	return done;
}

bool db_conn_control(struct db_conn *c, enum db_control what, struct err *err)
{
	sqlite3_stmt *stmt = c->control[what];
	int rc = sqlite3_step(stmt);
	bool done = rc == SQLITE_DONE || db_conn_err(c, rc, sqlite3_sql(stmt), err);
	sqlite3_reset(stmt);
	return done;
}

bool db_conn_in_transaction(const struct db_conn *c)
{
	return sqlite3_get_autocommit(c->sqlite) == 0;
}

bool db_conn_begin(struct db_conn *c, struct err *err)
{
	db_conn_rollback(c);
	if (db_conn_in_transaction(c))
		return err_sys(
			err, ERR_UNAVAILABLE, 0, "the transaction before this one does not end");
	db_log_drop(c);
	if (c->is_broken && c->log != NULL)
		db_forget_pages(c->db);
	c->is_broken = false;
	return db_conn_control(c, DB_BEGIN, err);
}

void db_conn_rollback(struct db_conn *c)
{
	struct err ignored;
	if (!db_conn_in_transaction(c))
		return;
	/* A ROLLBACK that meets an I/O error ends the transaction all the same, so there is nobody
	 * to tell. The prepared one needs no memory. */
	if (c->control[DB_ROLLBACK] == NULL)
		sqlite3_exec(c->sqlite, "ROLLBACK", NULL, NULL, NULL);
	else
		err_ignore(db_conn_control(c, DB_ROLLBACK, &ignored));
}

bool db_conn_call(struct db_conn *c, db_fn fn, void *arg, struct err *err)
{
	assert(db_active == NULL || db_active->db != c->db);
	struct db_conn *outer = db_active;
	db_active = c;
	bool done = fn(c, arg, err);
	db_active = outer;
	assert(c->open_stmts == 0); /* a statement without db_done would keep its snapshot */
	return done;
}

static bool prepare_controls(struct db_conn *c, const char *const *sql, struct err *err)
{
	for (int i = 0; i < DB_CONTROL_COUNT && sql[i] != NULL; i++) {
		int rc = sqlite3_prepare_v3(
			c->sqlite, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &c->control[i], NULL);
		if (rc != SQLITE_OK)
			return db_conn_err(c, rc, sql[i], err);
	}
	return true;
}

static bool fsync_folder_of(const char *path, struct err *err)
{
	char *folder CLEANUP(freep) = xstrdup(path);
	char *slash = strrchr(folder, '/');
	if (slash == NULL)
		return file_fsync_dir(".", err);
	slash[slash == folder ? 1 : 0] = '\0';
	return file_fsync_dir(folder, err);
}

/*
 * A new file must be ours alone (SQLite would take 0644) and its name durable: SQLite makes the
 * names of its journals durable, but not that of the database. An existing file is left alone:
 * closing a descriptor of it would drop the locks that this process holds on it.
 */
static bool create_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		if (errno == EEXIST)
			return true;
		return err_sys(err, ERR_CONFIG, errno, "create %s", path);
	}
	close(fd);
	return fsync_folder_of(path, err);
}

static bool expect_wal(struct db_conn *c, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(c->sqlite, "PRAGMA journal_mode", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	bool is_wal =
		rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
	sqlite3_finalize(stmt);
	if (is_wal)
		return true;
	return err_sys(err, ERR_CONFIG, 0, "no write-ahead log here (SQLite %d)", rc);
}

static bool set_up(struct db_conn *c, enum db_role role, struct err *err)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
		    (role == DB_ROLE_WRITER ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	int rc = sqlite3_open_v2(c->db->path, &c->sqlite, flags, NULL);
	if (rc != SQLITE_OK)
		return db_conn_err(c, rc, "open", err);
	sqlite3_busy_timeout(c->sqlite, DB_BUSY_TIMEOUT_MS);
	if (role == DB_ROLE_WRITER)
		return db_conn_exec(c, setup_writer, err) && expect_wal(c, err);
	return db_conn_exec(c, setup_reader, err) && prepare_controls(c, control_reader, err);
}

bool db_conn_open(struct db *db, enum db_role role, struct db_conn **out, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, configure_engine);

	struct db_conn *c CLEANUP(db_conn_closep) = xcalloc(1, sizeof(*c));
	c->db = db;
	if (role == DB_ROLE_WRITER && !create_file(db->path, err))
		return false;
	if (!set_up(c, role, err))
		return false;
	*out = c;
	c = NULL;
	return true;
}

bool db_conn_arm_writer(struct db_conn *c, struct err *err)
{
	return db_conn_exec(c, "PRAGMA foreign_keys = ON", err) &&
	       prepare_controls(c, control_writer, err) && db_log_gather(c, err);
}

void db_conn_close(struct db_conn *c)
{
	if (c == NULL)
		return;
	db_conn_cache_free(c);
	for (int i = 0; i < DB_CONTROL_COUNT; i++)
		sqlite3_finalize(c->control[i]);
	int rc = sqlite3_close(c->sqlite);
	assert(rc == SQLITE_OK); /* else a statement is still open */
	free(c);
}

void db_conn_closep(struct db_conn **c)
{
	db_conn_close(*c);
}
