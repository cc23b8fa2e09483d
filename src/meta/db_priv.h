/*
 * db_priv.h - what the parts of the SQLite driver share: connections, the read pool, the writer.
 * Only db*.c, migrate.c and the tests of meta/ include it.
 */
#ifndef BERTH_META_DB_PRIV_H
#define BERTH_META_DB_PRIV_H

#include <sqlite3.h>

#include "base/thread.h"
#include "meta/db.h"
#include "meta/db_fault.h"
#include "meta/migrate.h"

#define DB_BUSY_TIMEOUT_MS 10000 /* a tool may write beside the server */
#define DB_SNAPSHOT_WORDS  6     /* of 8 bytes: the header of the log's index */

/* Statements that drive transactions; prepared once a connection. Readers have the first three. */
enum db_control {
	DB_BEGIN,
	DB_COMMIT,
	DB_ROLLBACK,
	DB_SAVEPOINT,
	DB_RELEASE,
	DB_ROLLBACK_TO,
	DB_CONTROL_COUNT
};

enum db_role {
	DB_ROLE_WRITER, /* creates the file, migrates, writes */
	DB_ROLE_READER, /* opened read-only */
};

struct db_conn {
	struct db *db;
	sqlite3 *sqlite;
	sqlite3_stmt *control[DB_CONTROL_COUNT];
	/* Cache of prepared statements: open addressing on the address of the SQL text; capacity a
	 * power of two. */
	struct db_stmt **cache;
	size_t cache_cap, cache_len;
	unsigned open_stmts;       /* prepared and not yet done */
	struct db_conn *next_free; /* in the read pool */
	struct db_log *log;        /* the writer's; NULL: it writes frames one by one */
	bool is_broken; /* a call has met an I/O error since the last transaction began */

	struct {
		const volatile uint64_t *index; /* the log's; NULL: not to be had */
		uint64_t header[DB_SNAPSHOT_WORDS];
		bool is_known; /* header is of before the transaction began */
		bool is_kept;  /* the transaction is open although no callback runs */
	} snapshot;            /* readers only */
};

struct db_pool {
	struct mutex lock;
	struct cond released;
	struct db_conn *free; /* last used first: its page cache and statements are warm */
	unsigned opened, limit, waiting;
	bool keeps;      /* snapshots outlive their callbacks; else nobody is there to end them */
	bool is_watched; /* the writer knows that there are some to be ended */
};

struct db_writer; /* db_write.c */

struct db {
	char *path;
	bool read_only;
	struct db_pool pool;
	struct db_writer *writer; /* NULL when read_only */

	struct {
		atomic_uint countdown; /* 0: not armed */
		atomic_uint sites;
		atomic_int fault;
	} fault;
};

/* As db_open, with another table of migrations than the embedded one. */
MUST_CHECK bool db_open_with(const struct db_options *o, const struct migration *migrations,
	size_t count, struct db **out, struct err *err);

struct db_write_stats {
	uint64_t pieces;  /* run, in whatever way they ended */
	uint64_t commits; /* transactions that were committed */
};

void db_write_stats(struct db *db, struct db_write_stats *out);

/* db_sqlite.c: connections. */
MUST_CHECK bool db_conn_open(
	struct db *db, enum db_role role, struct db_conn **out, struct err *err);
/* The writer's statements and foreign keys; after migration, which runs with foreign keys off. */
MUST_CHECK bool db_conn_arm_writer(struct db_conn *c, struct err *err);
void db_conn_close(struct db_conn *c); /* accepts NULL */
void db_conn_closep(struct db_conn **c);
/* Runs SQL text without parameters that yields no rows of interest. */
MUST_CHECK bool db_conn_exec(struct db_conn *c, const char *sql, struct err *err);
/* The first column of the first row, 0 when there is none. */
MUST_CHECK bool db_conn_int(struct db_conn *c, const char *sql, int64_t *out, struct err *err);
MUST_CHECK bool db_conn_control(struct db_conn *c, enum db_control what, struct err *err);
/* Ends what a failure may have left open, and begins a transaction. */
MUST_CHECK bool db_conn_begin(struct db_conn *c, struct err *err);
/* Whether a transaction is open; SQLite ends it by itself on some errors (disk full, I/O). */
bool db_conn_in_transaction(const struct db_conn *c);
/* Whatever is open, if anything is; it may fail, and leave it open. */
void db_conn_rollback(struct db_conn *c);
/* Fills err from an SQLite result code. what: SQL text or an action, for the log. Returns false. */
bool db_conn_err(struct db_conn *c, int rc, const char *what, struct err *err);

static inline bool db_is_io_error(int rc)
{
	return (rc & 0xff) == SQLITE_IOERR;
}

/* db_forget.c: what the kernel has of the database and its log leaves memory, as far as it can.
 * After an I/O error, and before the next transaction of the writer or checkpoint. */
void db_forget_pages(const struct db *db);
/* db_stmt.c */
void db_conn_cache_free(struct db_conn *c);
/* Which connection this thread's callback runs on; NULL outside of callbacks. Nested transactions
 * are our bugs. */
extern _Thread_local struct db_conn *db_active;
/* Runs fn on c with db_active set and checks that it left no statement open. */
MUST_CHECK bool db_conn_call(struct db_conn *c, db_fn fn, void *arg, struct err *err);

/* db_read.c */
void db_pool_init(struct db_pool *p, unsigned limit, bool keeps);
void db_pool_shrink(struct db_pool *p); /* closes the connections that nobody uses */
/* Ends the snapshots that nobody uses: they keep the log from being copied and begun anew. */
void db_pool_release(struct db_pool *p);
void db_pool_fini(struct db_pool *p); /* closes the connections; none may be out */

/* db_snapshot.c, readers only. A callback runs between begin and keep, or begin and end. */
MUST_CHECK bool db_snapshot_begin(struct db_conn *c, struct err *err); /* sees every commit */
void db_snapshot_keep(struct db_conn *c); /* for the next begin, where that is possible */
void db_snapshot_end(struct db_conn *c);

/* db_log.c: has the writer's frames gathered. The log must be open. */
MUST_CHECK bool db_log_gather(struct db_conn *c, struct err *err);
/* Forgets what a transaction that was given up has left; none may be open. */
void db_log_drop(struct db_conn *c);

/* db_write.c. Takes conn, also on failure. */
MUST_CHECK bool db_writer_start(
	struct db *db, struct db_conn *conn, struct db_writer **out, struct err *err);
void db_writer_stop(struct db_writer *w); /* runs what is queued; accepts NULL */
/* Has the pool's snapshots ended when they have been there for a while. */
void db_writer_watch(struct db_writer *w);

/* db.c: SQLITE_OK, or the code that the armed fault says for this site. */
int db_fault_code(struct db_conn *c, enum db_fault_site site);

#endif
