/*
 * The writer thread and its queue (group commit).
 *
 * A batch is one transaction: BEGIN IMMEDIATE, each piece under a savepoint, COMMIT. No caller
 * learns its result before the commit, refused pieces included: a refusal may rest on what another
 * piece of the same batch wrote, and would be a lie if that is never committed. So a failed commit
 * fails every piece of the batch.
 *
 * Some errors (disk full, I/O) make SQLite roll back the whole transaction in the middle. Then the
 * piece that met the error fails, and the others run again, each in a transaction of its own so
 * that one bad piece cannot do it twice.
 */
#include <assert.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/futex.h>

#include "base/clock.h"
#include "base/mem.h"
#include "meta/db_priv.h"

#define BATCH_MAX    256   /* pieces in one transaction */
#define BATCH_MAX_US 50000 /* no piece joins a transaction that is older */
#define BATCH_STEP   16    /* pieces taken from the queue at once */
#define WAL_CHECKPOINT_BYTES \
	(16 * MIB) /* growth of the log after which it is copied into the database */
#define WAL_RESTART_BYTES \
	(256 * MIB) /* size at which the writer waits for readers, to begin the log anew */
#define WAL_RESTART_WAIT_MS 200
#define IDLE_MS             2000 /* without work for so long, the log is emptied */

enum { PIECE_QUEUED, PIECE_AWAITED, PIECE_FINISHED }; /* db_later.state, a futex */

struct batch {
	struct db_later *piece[BATCH_MAX];
	unsigned count;
	int64_t begun_us;
};

struct db_writer {
	struct db *db;
	struct db_conn *conn;
	struct thread *thread;

	struct mutex lock; /* over the next five */
	struct cond work;
	struct db_later *head, **tail;
	bool is_stopping;
	bool is_watching;   /* readers have snapshots that nobody uses */
	atomic_uint queued; /* changed under lock, read without */

	/* Of the writer thread. */
	struct batch batch;
	int64_t page_bytes;
	int64_t wal_pages;        /* in the log after the last commit */
	int64_t checkpoint_pages; /* wal_pages at the last checkpoint */

	atomic_uint_fast64_t pieces, commits;
};

static void piece_await(struct db_later *p)
{
	unsigned seen = PIECE_QUEUED;
	if (!atomic_compare_exchange_strong(&p->state, &seen, PIECE_AWAITED))
		return; /* finished already */
	while (atomic_load(&p->state) != PIECE_FINISHED)
		syscall(SYS_futex, &p->state, FUTEX_WAIT_PRIVATE, PIECE_AWAITED, NULL, NULL, 0);
}

static void piece_finish(struct db_later *p)
{
	if (p->done != NULL) {
		p->done(p->done_arg); /* p is gone */
		return;
	}
	/* After the exchange the caller may be gone. The wake names only an address: on a reused
	 * one it is a spurious wake-up, which every waiter on a futex must stand. */
	if (atomic_exchange(&p->state, PIECE_FINISHED) == PIECE_AWAITED)
		syscall(SYS_futex, &p->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Moves a few queued pieces into the batch while there is room. */
static void batch_take(struct db_writer *w)
{
	struct batch *b = &w->batch;
	mutex_assert_held(&w->lock);
	for (int n = 0; n < BATCH_STEP && w->head != NULL && b->count < BATCH_MAX; n++) {
		struct db_later *p = w->head;
		w->head = p->next;
		if (w->head == NULL)
			w->tail = &w->head;
		b->piece[b->count++] = p;
		atomic_fetch_sub(&w->queued, 1);
	}
}

/* Lets what has arrived meanwhile share the commit. */
static bool batch_grow(struct db_writer *w)
{
	struct batch *b = &w->batch;
	unsigned before = b->count;
	if (atomic_load(&w->queued) == 0 || before == BATCH_MAX ||
		clock_mono_us() - b->begun_us > BATCH_MAX_US)
		return false;
	LOCKED(&w->lock);
	batch_take(w);
	return b->count > before;
}

static void batch_fail(struct batch *b, const struct err *err)
{
	for (unsigned i = 0; i < b->count; i++) {
		b->piece[i]->is_done = false;
		b->piece[i]->err = *err;
	}
}

static bool commit(struct db_writer *w, struct err *err)
{
	struct db_conn *c = w->conn;
	int rc = db_fault_code(c, DB_FAULT_AT_COMMIT);
	bool done = rc == SQLITE_OK ? db_conn_control(c, DB_COMMIT, err)
				    : db_conn_err(c, rc, "COMMIT", err);
	if (done)
		atomic_fetch_add(&w->commits, 1);
	else
		db_conn_rollback(c);
	return done;
}

/* A deferred foreign key fails at the commit, which would fail the innocent too: look after each
 * piece. */
static bool expect_keys_resolved(struct db_conn *c, struct err *err)
{
	int unresolved = 0;
	int high = 0;
	sqlite3_db_status(c->sqlite, SQLITE_DBSTATUS_DEFERRED_FKS, &unresolved, &high, 0);
	return unresolved == 0 ||
	       err_sys(err, ERR_INTERNAL, 0, "a deferred foreign key is unmatched");
}

/* Runs p under a savepoint. False: the whole transaction is gone, and p has failed. */
static bool piece_run(struct db_writer *w, struct db_later *p)
{
	struct db_conn *c = w->conn;
	struct err *err = &p->err;
	atomic_fetch_add(&w->pieces, 1);
	p->is_done = false;
	if (!db_conn_control(c, DB_SAVEPOINT, err)) {
		db_conn_rollback(c);
		return false;
	}
	bool done = db_conn_call(c, p->fn, p->arg, err);
	if (!db_conn_in_transaction(c)) {
		if (done) /* it overlooked the error that ended the transaction */
			err_sys(err, ERR_UNAVAILABLE, 0, "the transaction ended within a piece");
		return false;
	}
	done = done && expect_keys_resolved(c, err);
	struct err end;
	bool ended = (done || db_conn_control(c, DB_ROLLBACK_TO, &end)) &&
		     db_conn_control(c, DB_RELEASE, &end);
	if (!ended) {
		*err = end; /* also for a refusal: what it rested on may not come again */
		db_conn_rollback(c);
		return false;
	}
	p->is_done = done;
	return true;
}

static void piece_run_alone(struct db_writer *w, struct db_later *p)
{
	if (!db_conn_begin(w->conn, &p->err)) {
		p->is_done = false;
		return;
	}
	struct err err;
	if (piece_run(w, p) && !commit(w, &err)) {
		p->is_done = false;
		p->err = err;
	}
}

static void batch_run(struct db_writer *w)
{
	struct batch *b = &w->batch;
	struct err err;
	b->begun_us = clock_mono_us();
	if (!db_conn_begin(w->conn, &err)) {
		batch_fail(b, &err);
		return;
	}
	for (unsigned i = 0; i < b->count || batch_grow(w); i++) {
		if (piece_run(w, b->piece[i]))
			continue;
		for (unsigned k = 0; k < b->count; k++) {
			if (k != i)
				piece_run_alone(w, b->piece[k]);
		}
		return;
	}
	if (!commit(w, &err))
		batch_fail(b, &err);
}

static int on_commit(void *arg, sqlite3 *sqlite, const char *schema, int wal_pages)
{
	struct db_writer *w = arg;
	(void)sqlite;
	(void)schema;
	w->wal_pages = wal_pages;
	return SQLITE_OK;
}

/* A failure loses nothing: the log keeps what it has, and the next one tries again. */
static bool checkpoint(struct db_writer *w, int how)
{
	int rc = sqlite3_wal_checkpoint_v2(w->conn->sqlite, NULL, how, NULL, NULL);
	if (db_is_io_error(rc))
		db_forget_pages(w->db);
	return rc == SQLITE_OK;
}

/* Between batches: the callers have their answers, only newcomers wait. */
static void checkpoint_when_due(struct db_writer *w)
{
	if (w->wal_pages < w->checkpoint_pages)
		w->checkpoint_pages = 0; /* SQLite has begun the log anew */
	if ((w->wal_pages - w->checkpoint_pages) * w->page_bytes < (int64_t)WAL_CHECKPOINT_BYTES)
		return;
	bool restart = w->wal_pages * w->page_bytes >= (int64_t)WAL_RESTART_BYTES;
	if (restart)
		sqlite3_busy_timeout(w->conn->sqlite, WAL_RESTART_WAIT_MS);
	db_pool_release(&w->db->pool);
	(void)checkpoint(w, restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE);
	if (restart)
		sqlite3_busy_timeout(w->conn->sqlite, DB_BUSY_TIMEOUT_MS);
	/* Those that came meanwhile stand on the log, and it could not be begun anew. */
	db_pool_release(&w->db->pool);
	w->checkpoint_pages = w->wal_pages;
}

/*
 * Gives disk and memory back, also that of the readers: their maps and caches return within a
 * millisecond when they are needed. If a reader holds an old snapshot the log stays, and the next
 * idle moment tries again.
 */
static void shrink_when_idle(struct db_writer *w)
{
	db_pool_release(&w->db->pool);
	if (w->wal_pages == 0)
		return; /* nothing was written, only read: nothing but the snapshots to give back */
	sqlite3_busy_timeout(w->conn->sqlite, 0);
	if (checkpoint(w, SQLITE_CHECKPOINT_TRUNCATE))
		w->wal_pages = w->checkpoint_pages = 0;
	sqlite3_busy_timeout(w->conn->sqlite, DB_BUSY_TIMEOUT_MS);
	sqlite3_db_release_memory(w->conn->sqlite);
	db_pool_shrink(&w->db->pool);
	malloc_trim(0); /* else the allocator keeps all of it: 8 MiB and more after a busy hour */
}

/* Waits for work. False: stopping, and none is left. */
static bool wait_for_work(struct db_writer *w)
{
	LOCKED(&w->lock);
	w->batch.count = 0;
	while (w->head == NULL && !w->is_stopping) {
		if (w->wal_pages == 0 && !w->is_watching) {
			cond_wait(&w->work, &w->lock);
		} else if (!cond_wait_ms(&w->work, &w->lock, IDLE_MS) && w->head == NULL) {
			w->is_watching = false;
			mutex_unlock(&w->lock);
			shrink_when_idle(w);
			mutex_lock(&w->lock);
		}
	}
	batch_take(w);
	return w->batch.count > 0;
}

static void writer_main(void *arg)
{
	struct db_writer *w = arg;
	while (wait_for_work(w)) {
		batch_run(w);
		if (!db_conn_in_transaction(w->conn))
			db_log_drop(w->conn);
		for (unsigned i = 0; i < w->batch.count; i++)
			piece_finish(w->batch.piece[i]);
		checkpoint_when_due(w);
	}
}

bool db_writer_start(struct db *db, struct db_conn *conn, struct db_writer **out, struct err *err)
{
	struct db_writer *w = xcalloc(1, sizeof(*w));
	w->db = db;
	w->conn = conn;
	w->tail = &w->head;
	mutex_init(&w->lock, "db writer queue");
	cond_init(&w->work);
	sqlite3_wal_hook(conn->sqlite, on_commit, w);
	if (!db_conn_int(conn, "PRAGMA page_size", &w->page_bytes, err) ||
		!thread_start("db writer", writer_main, w, 0, &w->thread, err)) {
		db_writer_stop(w);
		return false;
	}
	*out = w;
	return true;
}

void db_writer_watch(struct db_writer *w)
{
	LOCKED(&w->lock);
	w->is_watching = true;
	cond_signal(&w->work);
}

void db_writer_stop(struct db_writer *w)
{
	if (w == NULL)
		return;
	mutex_lock(&w->lock);
	w->is_stopping = true;
	cond_signal(&w->work);
	mutex_unlock(&w->lock);
	thread_join(w->thread);
	db_conn_close(w->conn);
	cond_fini(&w->work);
	mutex_fini(&w->lock);
	free(w);
}

static void enqueue(struct db_writer *w, struct db_later *p)
{
	p->next = NULL;
	mutex_lock(&w->lock);
	assert(!w->is_stopping);
	*w->tail = p;
	w->tail = &p->next;
	/* A writer that is at work looks at the queue before it sleeps. */
	bool was_empty = atomic_fetch_add(&w->queued, 1) == 0;
	mutex_unlock(&w->lock);
	if (was_empty)
		cond_signal(&w->work); /* without the lock, which the writer takes first of all */
}

void db_write_later(struct db *db, struct db_later *l)
{
	assert(db_active == NULL || db_active->db != db);
	l->is_done = false;
	if (db->writer != NULL) {
		enqueue(db->writer, l);
		return;
	}
	err_sys(&l->err, ERR_INTERNAL, 0, "%s is open for reading only", db->path);
	l->done(l->done_arg);
}

bool db_write(struct db *db, db_fn fn, void *arg, struct err *err)
{
	/* On the writer thread it would wait for itself; in a read it would see another state than
	 * its snapshot. */
	assert(db_active == NULL || db_active->db != db);
	if (db->writer == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "%s is open for reading only", db->path);
	struct db_later p = { .fn = fn, .arg = arg };
	enqueue(db->writer, &p);
	piece_await(&p);
	if (!p.is_done)
		*err = p.err;
	return p.is_done;
}

unsigned db_queue_length(struct db *db)
{
	return db->writer == NULL ? 0 : atomic_load(&db->writer->queued);
}

void db_write_stats(struct db *db, struct db_write_stats *out)
{
	out->pieces = atomic_load(&db->writer->pieces);
	out->commits = atomic_load(&db->writer->commits);
}
