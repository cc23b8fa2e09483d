/*
 * db.h - transactions over the metadata database; SQL itself stands in the entity modules of meta/.
 *
 * Reads run on one of a few read-only connections, each in one snapshot. Writes are queued to a
 * single writer thread, which runs everything that has queued in ONE transaction, each piece under
 * its own savepoint, and commits durably (WAL, synchronous=FULL) before any of the callers returns:
 * durable writes per second are not one per fsync.
 *
 * Statements use $1..$n parameters. Threads: struct db is safe; struct db_conn belongs to the
 * callback that got it.
 */
#ifndef BERTH_META_DB_H
#define BERTH_META_DB_H

#include <stdatomic.h>

#include "base/err.h"
#include "base/str.h"

struct db;
struct db_conn;
struct db_stmt;

/* The work of one transaction. False rolls back just this piece. Must be safe to run again from its
 * start (a whole batch is rerun piece by piece when its commit fails for one of them). Must not
 * block on anything but the database. */
typedef bool (*db_fn)(struct db_conn *c, void *arg, struct err *err);

struct db_options {
	const char
		*path; /* of the SQLite file; ":memory:" is not supported (readers need a file) */
	unsigned readers; /* read connections; 0: 4 */
	bool read_only;   /* for tools beside a running server: no migration, db_write fails */
};

/* Opens, or creates and migrates. A database made by a newer Berth is refused (CONFIG). */
MUST_CHECK bool db_open(const struct db_options *o, struct db **out, struct err *err);
void db_close(struct db *db); /* finishes queued writes; accepts NULL */

/* Runs fn on a read connection in one snapshot; waits while all are taken. */
MUST_CHECK bool db_read(struct db *db, db_fn fn, void *arg, struct err *err);
/* Queues fn, returns when it is committed and durable (true) or rolled back (false).
 * Errors: what fn said; STORAGE_FULL, UNAVAILABLE, CORRUPT from the engine. */
MUST_CHECK bool db_write(struct db *db, db_fn fn, void *arg, struct err *err);

/* A write that nobody waits for. The caller fills in the first four, and keeps it until done is
 * called, once, on the writer's thread: done must not wait for anything. */
struct db_later {
	db_fn fn;
	void *arg;
	void (*done)(void *done_arg);
	void *done_arg;
	bool is_done; /* true: committed and durable */
	struct err err;
	/* the database's own */
	struct db_later *next;
	atomic_uint state;
};

/* The same without waiting. */
void db_write_later(struct db *db, struct db_later *l);
/* Pieces waiting for the writer now. */
unsigned db_queue_length(struct db *db);
/* PRAGMA integrity_check and foreign_key_check. Errors: CORRUPT with the first finding. */
MUST_CHECK bool db_check(struct db *db, struct err *err);

/*
 * Statements, for meta/ only. sql: a string constant; its address is the key of the connection's
 * cache of prepared statements. Usage: db_prepare, db_bind_*, then db_step until no row, then
 * db_done (or db_run for the last two).
 */
/* Never fails to return; errors are kept in the statement and come out of db_step. */
struct db_stmt *db_prepare(struct db_conn *c, const char *sql);
void db_bind_int(struct db_stmt *st, int i, int64_t v);
void db_bind_str(
	struct db_stmt *st, int i, struct str v); /* borrowed until db_done; ptr NULL binds NULL */
void db_bind_blob(struct db_stmt *st, int i, const void *p, size_t n); /* borrowed until db_done */
void db_bind_null(struct db_stmt *st, int i);
/* *row: whether a row is there. */
MUST_CHECK bool db_step(struct db_stmt *st, bool *row, struct err *err);
int64_t db_col_int(struct db_stmt *st, int col); /* from 0; NULL reads as 0 */
bool db_col_is_null(struct db_stmt *st, int col);
struct str db_col_str(
	struct db_stmt *st, int col); /* text or bytes; valid until the next step or done */
void db_done(struct db_stmt *st);     /* resets; always call it, also after a failure */
/* Step once, expect no row, done. */
MUST_CHECK bool db_run(struct db_stmt *st, struct err *err);
int64_t db_changes(struct db_conn *c); /* rows changed by the last statement */
int64_t db_last_id(struct db_conn *c); /* id of the last inserted row */

#endif
