#include <stdatomic.h>

#include "base/thread.h"
#include "db_fixture.h"
#include "meta/db.h"

/* A snapshot that is kept between reads must never be seen to be old, and must not be in the way of
 * the log. */

static bool is_kept(struct db *db)
{
	bool kept = false;
	LOCKED(&db->pool.lock);
	for (struct db_conn *c = db->pool.free; c != NULL; c = c->next_free)
		kept = kept || c->snapshot.is_kept;
	return kept;
}

/* The first read finds the log's index, the second begins a snapshot whose header is known. */
static void read_until_kept(struct db *db)
{
	(void)count_of(db);
	(void)count_of(db);
	assert_true(is_kept(db));
}

static void a_read_after_a_write_sees_it(void **state)
{
	struct place *p = *state;
	struct err err;
	read_until_kept(p->db);
	for (int64_t i = 1; i <= 200; i++) {
		assert_true(insert(p->db, i, &err));
		assert_int_equal(count_of(p->db), i);
		assert_int_equal(count_of(p->db), i);
	}
	assert_true(is_kept(p->db));
}

static void a_read_sees_what_another_process_wrote(void **state)
{
	static const char python[] =
		"python3 -c 'import sqlite3, sys; d = sqlite3.connect(sys.argv[1]);"
		" d.execute(\"INSERT INTO item (name) VALUES (1)\"); d.commit()' ";
	struct place *p = *state;
	char command[sizeof(python) + sizeof(p->path)];
	read_until_kept(p->db);
	snprintf(command, sizeof(command), "%s%s", python, p->path);
	for (int64_t i = 1; i <= 3; i++) {
		assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a path of ours */
		assert_int_equal(count_of(p->db), i);
		read_until_kept(p->db);
	}
}

struct crowd {
	struct db *db;
	atomic_int_fast64_t written; /* rows whose write has returned */
	atomic_uint stale;
	atomic_bool is_over;
};

static void read_main(void *arg)
{
	struct crowd *c = arg;
	while (!atomic_load(&c->is_over)) {
		int64_t at_least = atomic_load(&c->written);
		if (count_of(c->db) < at_least)
			atomic_fetch_add(&c->stale, 1);
	}
}

static void no_reader_of_many_sees_less_than_what_was_acknowledged(void **state)
{
	struct place *p = *state;
	struct err err;
	struct crowd c = { .db = p->db };
	struct thread *threads[6];
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_true(thread_start("reader", read_main, &c, 0, &threads[i], &err));
	for (int64_t i = 1; i <= 500; i++) {
		assert_true(insert(p->db, i, &err));
		atomic_store(&c.written, i);
	}
	atomic_store(&c.is_over, true);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(threads[i]);
	assert_int_equal(atomic_load(&c.stale), 0);
}

static bool refuse(struct db_conn *c, void *arg, struct err *err)
{
	int64_t n;
	(void)arg;
	return count_rows(c, &n, err) && err_set(err, ERR_TAG_IMMUTABLE, "no");
}

static void a_read_that_fails_keeps_nothing(void **state)
{
	struct place *p = *state;
	struct err err;
	read_until_kept(p->db);
	assert_false(db_read(p->db, refuse, NULL, &err));
	assert_false(is_kept(p->db));
}

static int empty_the_log(const char *path)
{
	sqlite3 *other = NULL;
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	/* Before it has read, a connection does not know of a log. */
	assert_int_equal(sqlite3_exec(other, "SELECT 1 FROM item", NULL, NULL, NULL), SQLITE_OK);
	int rc = sqlite3_wal_checkpoint_v2(other, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_close(other);
	return rc;
}

static void a_snapshot_that_nobody_uses_is_soon_out_of_the_way(void **state)
{
	struct place *p = *state;
	struct db_options o = { .path = p->path };
	struct db *other = NULL;
	struct err err;
	read_until_kept(p->db);
	assert_true(db_open_with(&o, first, 1, &other, &err));
	assert_true(insert(other, 1, &err));
	assert_int_equal(empty_the_log(p->path), SQLITE_BUSY); /* it is in the way now */
	int rc = SQLITE_BUSY;
	for (int i = 0; i < 200 && rc == SQLITE_BUSY; i++) {
		usleep(100000);
		rc = empty_the_log(p->path);
	}
	assert_int_equal(rc, SQLITE_OK);
	assert_false(is_kept(p->db));
	assert_int_equal(count_of(p->db), 1);
	db_close(other);
}

static void a_database_that_is_only_read_keeps_no_snapshot(void **state)
{
	struct place *p = *state;
	struct db_options o = { .path = p->path, .read_only = true };
	struct db *tool = NULL;
	struct err err;
	assert_true(db_open_with(&o, first, 1, &tool, &err));
	for (int i = 0; i < 3; i++)
		(void)count_of(tool);
	assert_false(is_kept(tool));
	db_close(tool);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_read_after_a_write_sees_it),
		TEST(a_read_sees_what_another_process_wrote),
		TEST(no_reader_of_many_sees_less_than_what_was_acknowledged),
		TEST(a_read_that_fails_keeps_nothing),
		TEST(a_snapshot_that_nobody_uses_is_soon_out_of_the_way),
		TEST(a_database_that_is_only_read_keeps_no_snapshot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
