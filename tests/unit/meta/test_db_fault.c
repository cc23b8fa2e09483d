/*
 * The engine fails twice in one batch of writes, or from some call on at all: whatever that does to
 * a transaction which failed already, each caller gets one answer, the answer is true, and the next
 * write succeeds once the engine does. At every call of a batch, at several distances.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "db_fixture.h"
#include "db_gate.h"

/* --- how it fails --- */

enum way {
	STEP_FAILS,        /* nothing happens, a transaction stays open */
	STEP_LOSES,        /* SQLite rolls the transaction back by itself */
	STEP_FAILS_AT_END, /* it happens, unless it is a commit, and is told as a failure */
	DISK_FAILS,        /* writing or flushing a file */
	WAYS
};

static const char *const way_names[WAYS] = { "fails", "loses", "fails at the end", "disk" };
static const int codes[WAYS][2] = { { SQLITE_NOMEM, SQLITE_BUSY },
	{ SQLITE_FULL, SQLITE_IOERR_WRITE }, { SQLITE_IOERR, SQLITE_NOMEM }, { EIO, ENOSPC } };

#define FARTHEST 16   /* as far apart as two failures are tried */
#define LASTING  1000 /* a distance: all from the first on */

struct plan {
	enum way way;
	int code;
	unsigned at;       /* the use that fails, from 1 */
	unsigned distance; /* to the second one; 0: it is the only one */
};

static struct plan plan; /* changed while not armed */
static atomic_bool is_armed;
static atomic_uint uses, met;

static void arm(enum way way, unsigned at, unsigned distance)
{
	plan = (struct plan){ way, codes[way][at % 2], at, distance };
	atomic_store(&uses, 0);
	atomic_store(&met, 0);
	atomic_store(&is_armed, true);
}

static void disarm(void)
{
	atomic_store(&is_armed, false);
}

static bool use_fails(bool of_disk)
{
	if (!atomic_load(&is_armed) || of_disk != (plan.way == DISK_FAILS))
		return false;
	unsigned n = atomic_fetch_add(&uses, 1) + 1;
	bool fails = n == plan.at || (plan.distance && n == plan.at + plan.distance) ||
		     (plan.distance == LASTING && n > plan.at);
	if (fails)
		atomic_fetch_add(&met, 1);
	return fails;
}

/* The linker puts these before the library's (--wrap). */
typedef int row_fn(void *arg, int count, char **texts, char **names);

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
int __real_sqlite3_step(sqlite3_stmt *st);
int __wrap_sqlite3_step(sqlite3_stmt *st);
int __real_sqlite3_exec(sqlite3 *s, const char *sql, row_fn *row, void *arg, char **message);
int __wrap_sqlite3_exec(sqlite3 *s, const char *sql, row_fn *row, void *arg, char **message);

static int failed(sqlite3 *s)
{
	if (plan.way == STEP_LOSES && !sqlite3_get_autocommit(s))
		(void)__real_sqlite3_exec(s, "ROLLBACK", NULL, NULL, NULL);
	return plan.code;
}

int __wrap_sqlite3_step(sqlite3_stmt *st)
{
	if (!use_fails(false))
		return __real_sqlite3_step(st);
	if (plan.way == STEP_FAILS_AT_END && strcmp(sqlite3_sql(st), "COMMIT") != 0)
		(void)__real_sqlite3_step(st);
	return failed(sqlite3_db_handle(st));
}

int __wrap_sqlite3_exec(sqlite3 *s, const char *sql, row_fn *row, void *arg, char **message)
{
	if (!use_fails(false))
		return __real_sqlite3_exec(s, sql, row, arg, message);
	if (plan.way == STEP_FAILS_AT_END)
		(void)__real_sqlite3_exec(s, sql, row, arg, message);
	return failed(s);
}

/* NOLINTEND(bugprone-reserved-identifier) */

/* The engine finds these in place of the C library's, for this program alone. */
#pragma GCC visibility push(default)

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	if (!use_fails(true))
		return syscall(SYS_pwrite64, fd, bytes, len, at);
	(void)syscall(SYS_pwrite64, fd, bytes, len / 2, at);
	errno = plan.code;
	return -1;
}

static atomic_uint forgotten;

int posix_fadvise64(int fd, off64_t at, off64_t len, int advice)
{
	(void)fd, (void)at, (void)len;
	if (advice == POSIX_FADV_DONTNEED)
		atomic_fetch_add(&forgotten, 1);
	return 0;
}

int fdatasync(int fd)
{
	if (!use_fails(true))
		return (int)syscall(SYS_fdatasync, fd);
	errno = plan.code;
	return -1;
}

#pragma GCC visibility pop

/* --- who asks --- */

enum task {
	INSERTS,
	REFUSES, /* itself, after it inserted */
	DEPENDS, /* inserts, or refuses because the row before is there */
};

struct piece {
	enum task task;
	int64_t id;
	int64_t other; /* the row that it depends on */
	struct db *db;
	struct thread *thread; /* NULL: it does not wait */
	struct db_later later;
	atomic_uint answers;
	bool done;
	struct err err;
};

static bool find_row(struct db_conn *c, int64_t id, bool *found, struct err *err)
{
	static const char sql[] = "SELECT 1 FROM item WHERE id = $1";
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, id);
	bool done = db_step(st, found, err);
	db_done(st);
	return done;
}

static bool run_piece(struct db_conn *c, void *arg, struct err *err)
{
	struct piece *p = arg;
	bool found = false;
	if (p->task == DEPENDS && !find_row(c, p->other, &found, err))
		return false;
	if (found)
		return err_set(err, ERR_TAG_IMMUTABLE, "it is there");
	if (!insert_item(c, p->id, err))
		return false;
	return p->task != REFUSES || err_set(err, ERR_TAG_IMMUTABLE, "no");
}

static void answer(struct piece *p, bool done, const struct err *err)
{
	p->done = done;
	if (!done)
		p->err = *err;
	atomic_fetch_add(&p->answers, 1);
}

static void wait_for_answer(void *arg)
{
	struct piece *p = arg;
	struct err err;
	bool done = db_write(p->db, run_piece, p, &err);
	answer(p, done, &err);
}

static void answer_later(void *arg)
{
	struct piece *p = arg;
	answer(p, p->later.is_done, &p->later.err);
}

static void ask(struct db *db, struct piece *p, bool waits)
{
	struct err err;
	p->db = db;
	if (waits) {
		assert_true(thread_start("caller", wait_for_answer, p, 0, &p->thread, &err));
		return;
	}
	p->later.fn = run_piece;
	p->later.arg = p;
	p->later.done = answer_later;
	p->later.done_arg = p;
	db_write_later(db, &p->later);
}

static void expect_answer(struct piece *p)
{
	for (int i = 0; i < 100000 && atomic_load(&p->answers) == 0; i++)
		usleep(100);
	if (atomic_load(&p->answers) == 0)
		fail_msg("row %d: no answer", (int)p->id);
	thread_join(p->thread);
}

/* --- what they may be told --- */

struct look {
	int64_t id;
	bool found;
};

static bool look_in(struct db_conn *c, void *arg, struct err *err)
{
	struct look *l = arg;
	return find_row(c, l->id, &l->found, err);
}

static bool is_there(struct db *db, int64_t id)
{
	struct err err;
	struct look l = { .id = id };
	if (!db_read(db, look_in, &l, &err))
		fail_msg("%s", err.detail);
	return l.found;
}

static void expect_truth(struct db *db, const struct piece *p, const char *when)
{
	bool there = is_there(db, p->id);
	const struct err *e = &p->err;
	bool refused = !p->done && e->kind == ERR_TAG_IMMUTABLE;
	if (atomic_load(&p->answers) != 1)
		fail_msg("%s: row %d: %u answers", when, (int)p->id, atomic_load(&p->answers));
	if (there != p->done)
		fail_msg("%s: row %d: %s, and %s", when, (int)p->id, p->done ? "done" : e->detail,
			there ? "there" : "not there");
	if (!p->done && !refused && e->kind != ERR_UNAVAILABLE && e->kind != ERR_STORAGE_FULL)
		fail_msg("%s: row %d: %s %s", when, (int)p->id, err_kind_name(e->kind), e->detail);
	if (p->done && p->task == REFUSES)
		fail_msg("%s: row %d: nobody refused it", when, (int)p->id);
	if (refused && p->task != REFUSES && !is_there(db, p->other))
		fail_msg("%s: row %d: refused for a row that is not there", when, (int)p->id);
}

/* --- the rounds --- */

#define PIECES 8
#define STRIDE 20 /* ids of a round */

static const enum task tasks[PIECES] = { INSERTS, INSERTS, DEPENDS, REFUSES, DEPENDS, INSERTS,
	REFUSES, DEPENDS };

/* False when the first failure was never met. */
static bool play(struct place *place, enum way way, unsigned at, unsigned distance)
{
	static int64_t base;
	struct piece pieces[PIECES + 1] = { 0 };
	struct gate g = { 0 };
	struct err err;
	char when[80];
	base += STRIDE;
	snprintf(when, sizeof(when), "%s, %u and %u", way_names[way], at, distance);
	gate_shut(&g, place->db);
	for (unsigned i = 0; i < PIECES; i++) {
		pieces[i].task = tasks[i];
		pieces[i].id = base + i;
		pieces[i].other = base + i - 2;
		ask(place->db, &pieces[i], i % 2 == 0);
		while (db_queue_length(place->db) != i + 1)
			usleep(50);
	}
	arm(way, at, distance);
	gate_open(&g);
	for (unsigned i = 0; i < PIECES; i++)
		expect_answer(&pieces[i]);
	pieces[PIECES].id = base + PIECES;
	ask(place->db, &pieces[PIECES], true); /* a batch of its own, while the engine may fail */
	expect_answer(&pieces[PIECES]);
	disarm();
	if (!insert(place->db, base + STRIDE - 1, &err))
		fail_msg("%s: then: %s %s", when, err_kind_name(err.kind), err.detail);
	for (unsigned i = 0; i <= PIECES; i++)
		expect_truth(place->db, &pieces[i], when);
	if (at % 3 == 0) {
		db_close(place->db);
		place->db = open_at(place, first, 1);
		for (unsigned i = 0; i <= PIECES; i++)
			expect_truth(place->db, &pieces[i], when);
		assert_true(is_there(place->db, base + STRIDE - 1));
		if (!db_check(place->db, &err))
			fail_msg("%s: %s", when, err.msg);
	}
	return atomic_load(&met) > 0;
}

static void play_all(struct place *place, enum way way)
{
	for (unsigned distance = 0; distance <= FARTHEST + 1; distance++) {
		unsigned n = 1;
		while (play(place, way, n, distance > FARTHEST ? LASTING : distance))
			n++;
		assert_true(n > 4); /* two commits, of a write and a flush at least */
	}
}

static void two_statements_may_fail(void **state)
{
	play_all(*state, STEP_FAILS);
}

static void two_transactions_may_be_lost(void **state)
{
	play_all(*state, STEP_LOSES);
}

static void two_statements_may_fail_after_they_are_done(void **state)
{
	play_all(*state, STEP_FAILS_AT_END);
}

static void two_calls_of_the_disk_may_fail(void **state)
{
	play_all(*state, DISK_FAILS);
}

/* More than the writer caches, so that it goes into the log before the commit. */
static bool insert_much(struct db_conn *c, void *arg, struct err *err)
{
	static const char sql[] =
		"INSERT INTO item (id, name, value) VALUES ($1, '', zeroblob(8192))";
	const int64_t *first_id = arg;
	for (int64_t i = 0; i < 3000; i++) {
		struct db_stmt *st = db_prepare(c, sql);
		db_bind_int(st, 1, *first_id + i);
		if (!db_run(st, err))
			return false;
	}
	return true;
}

/* What the kernel may take for written leaves its memory before anything is written over it. */
static void pages_are_forgotten_after_an_error_before_the_commit(void **state)
{
	struct place *p = *state;
	struct err err;
	int64_t first_id = 1;
	assert_true(insert(p->db, 100000, &err));
	arm(DISK_FAILS, 2, 0);
	atomic_store(&forgotten, 0);
	assert_false(db_write(p->db, insert_much, &first_id, &err));
	disarm();
	assert_int_equal(atomic_load(&met), 1);
	assert_true(insert(p->db, 100001, &err));
	assert_true(atomic_load(&forgotten) > 0);
	atomic_store(&forgotten, 0);
	assert_true(insert(p->db, 100002, &err));
	assert_int_equal(atomic_load(&forgotten), 0);
	assert_int_equal(count_of(p->db), 3);
}

static bool has_lingering_snapshot(struct db *db)
{
	bool has = false;
	LOCKED(&db->pool.lock);
	for (struct db_conn *c = db->pool.free; c != NULL; c = c->next_free)
		has = has || (db_conn_in_transaction(c) && !c->snapshot.is_kept);
	return has;
}

enum reader {
	FRESH,  /* has kept the newest snapshot */
	STALE,  /* the snapshot that it kept is old */
	CLOSED, /* is to be opened */
	READERS
};

/* False when the first failure was never met. */
static bool read_once(struct place *p, int64_t *rows, enum reader reader, enum way way, unsigned at,
	unsigned distance)
{
	struct err err;
	int64_t seen = -1;
	for (int i = 0; i < 3; i++)
		assert_int_equal(count_of(p->db), *rows);
	if (reader == STALE)
		assert_true(insert(p->db, ++*rows, &err));
	if (reader == CLOSED)
		db_pool_shrink(&p->db->pool);
	arm(way, at, distance);
	bool done = db_read(p->db, count_rows, &seen, &err);
	disarm();
	if (done)
		assert_int_equal(seen, *rows);
	else if (err.kind != ERR_UNAVAILABLE && err.kind != ERR_STORAGE_FULL)
		fail_msg("%s, %u and %u: %s", way_names[way], at, distance, err.detail);
	assert_false(has_lingering_snapshot(p->db));
	assert_true(insert(p->db, ++*rows, &err));
	return atomic_load(&met) > 0;
}

/* A reader that cannot end its snapshot must neither hand it on nor keep the log with it. */
static void reads_that_fail_twice_leave_no_old_snapshot(void **state)
{
	int64_t rows = 0;
	for (unsigned distance = 0; distance < 5; distance++) {
		for (int way = STEP_FAILS; way <= STEP_FAILS_AT_END; way++) {
			for (int reader = FRESH; reader < READERS; reader++) {
				unsigned n = 1;
				while (read_once(*state, &rows, (enum reader)reader, (enum way)way,
					n, distance == 4 ? LASTING : distance))
					n++;
				assert_true(n > 1);
			}
		}
	}
}

/* In memory where that is to be had: thousands of commits, and no test here cuts the power. */
static int set_up_in_memory(void **state)
{
	return set_up_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", state);
}

/* Whoever starts the server is told; what was begun is done at the next start. */
static void opening_may_fail_at_any_call(void **state)
{
	struct place *p = *state;
	struct db_options o = { .path = p->path };
	struct db *db = NULL;
	struct err err;
	for (int way = STEP_FAILS; way < WAYS; way++) {
		for (int is_new = 0; is_new < 2; is_new++) {
			bool is_met = true;
			unsigned n = 1;
			for (; is_met; n++) {
				if (is_new) {
					tear_down(state);
					set_up_in_memory(state);
					db_close(p->db);
					p->db = NULL;
					assert_int_equal(unlink(p->path), 0);
				} else {
					db_close(p->db);
					p->db = NULL;
				}
				arm((enum way)way, n, n % 2 ? 0 : LASTING);
				bool done = db_open_with(&o, first, 1, &db, &err);
				disarm();
				is_met = atomic_load(&met) > 0;
				if (done)
					db_close(db);
				else if (err.kind != ERR_CONFIG || !strstr(err.msg, p->path))
					fail_msg("%s, %u: %s: %s", way_names[way], n,
						err_kind_name(err.kind), err.msg);
				assert_true(done || is_met);
				p->db = open_at(p, first, 1);
				assert_true(insert(p->db, (int64_t)1000 * way + (int64_t)n, &err));
				if (!db_check(p->db, &err))
					fail_msg("%s", err.msg);
			}
			assert_true(n > 2);
		}
	}
}

#define FAULT_TEST(f) cmocka_unit_test_setup_teardown(f, set_up_in_memory, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FAULT_TEST(two_statements_may_fail),
		FAULT_TEST(two_transactions_may_be_lost),
		FAULT_TEST(two_statements_may_fail_after_they_are_done),
		FAULT_TEST(two_calls_of_the_disk_may_fail),
		FAULT_TEST(opening_may_fail_at_any_call),
		FAULT_TEST(pages_are_forgotten_after_an_error_before_the_commit),
		FAULT_TEST(reads_that_fail_twice_leave_no_old_snapshot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
