#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/thread.h"
#include "db_fixture.h"
#include "meta/db.h"

static const struct migration both[] = {
	FIRST,
	{ 2, "0002_second.sql",
		"ALTER TABLE item ADD COLUMN extra INTEGER; INSERT INTO item (name) VALUES ('second');" },
};

static const char sql_find[] = "SELECT id FROM item WHERE id = $1";

static void opening_makes_a_private_file_and_migrates_it_once(void **state)
{
	struct place *p = *state;
	struct stat st;
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	db_close(p->db);
	p->db = open_at(p, both, 2);
	assert_int_equal(count_of(p->db), 1); /* the row of the second migration */
	db_close(p->db);
	p->db = open_at(p, both, 2);
	assert_int_equal(count_of(p->db), 1);
}

static void a_failed_migration_leaves_the_version_before_it(void **state)
{
	static const struct migration broken[] = { FIRST,
		{ 2, "0002_broken.sql",
			"INSERT INTO item (name) VALUES ('x'); CREATE TABLE item (a);" } };
	static const struct migration orphans[] = { FIRST,
		{ 2, "0002_orphans.sql", "INSERT INTO child VALUES (77);" } };
	static const struct migration *const lists[] = { broken, orphans };
	struct place *p = *state;
	struct db_options o = { .path = p->path };
	struct err err;
	db_close(p->db);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		p->db = NULL;
		assert_false(db_open_with(&o, lists[i], 2, &p->db, &err));
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.msg, "0002_"));
		assert_null(p->db);
	}
	p->db = open_at(p, first, 1);
	assert_int_equal(count_of(p->db), 0);
}

static void a_database_of_a_newer_version_is_refused(void **state)
{
	struct place *p = *state;
	struct err err;
	db_close(p->db);
	p->db = open_at(p, both, 2);
	db_close(p->db);
	p->db = NULL;
	struct db_options o = { .path = p->path };
	for (int i = 0; i < 2; i++) {
		o.read_only = i == 1;
		assert_false(db_open_with(&o, first, 1, &p->db, &err));
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.msg, "newer Berth"));
		assert_non_null(strstr(err.msg, p->path));
	}
}

static void what_is_no_berth_database_is_refused_and_left_alone(void **state)
{
	struct place *p = *state;
	struct err err;
	struct db_options o = { .path = p->path };
	db_close(p->db);
	p->db = NULL;

	sqlite3 *other = NULL;
	unlink(p->path);
	assert_int_equal(sqlite3_open(p->path, &other), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(other, "CREATE TABLE cookie (a)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_false(db_open_with(&o, first, 1, &p->db, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.msg, "another program"));

	FILE *f = fopen(p->path, "w");
	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		fputs("these are not the bytes of a database\n", f);
	fclose(f);
	assert_false(db_open_with(&o, first, 1, &p->db, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.msg, p->path));

	o.path = "/nonexistent/berth.db";
	assert_false(db_open_with(&o, first, 1, &p->db, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.msg, o.path));
}

static void the_embedded_migrations_apply(void **state)
{
	struct place *p = *state;
	struct err err;
	char path[96];
	snprintf(path, sizeof(path), "%s/real.db", p->folder);
	struct db_options o = { .path = path };
	struct db *db = NULL;
	if (!db_open(&o, &db, &err))
		fail_msg("%s (%s)", err.msg, err.detail);
	assert_true(db_check(db, &err));
	db_close(db);
	unlink(path);
}

/* Statements. */

static bool count_down(struct db_conn *c, int64_t from, int64_t *sum, struct err *err)
{
	static const char sql[] = "SELECT id FROM item WHERE id <= $1 ORDER BY id DESC";
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, from);
	bool row = false, done;
	while ((done = db_step(st, &row, err)) && row) {
		*sum += db_col_int(st, 0);
		if (!count_down(c, db_col_int(st, 0) - 1, sum, err)) {
			done = false;
			break;
		}
	}
	db_done(st);
	return done;
}

static bool count_down_from_four(struct db_conn *c, void *arg, struct err *err)
{
	return count_down(c, 4, arg, err);
}

static void a_statement_may_be_used_within_its_own_rows(void **state)
{
	struct place *p = *state;
	struct err err;
	for (int i = 1; i <= 4; i++)
		assert_true(insert(p->db, i, &err));
	/* f(n) = sum over k <= n of (k + f(k - 1)): 1, 4, 11, 26 */
	for (int i = 0; i < 2; i++) {
		int64_t sum = 0;
		assert_true(db_read(p->db, count_down_from_four, &sum, &err));
		assert_int_equal(sum, 26);
	}
}

static bool bind_everything(struct db_conn *c, void *arg, struct err *err)
{
	static const char put[] =
		"INSERT INTO item (value, name, id) VALUES ($3, $2 || $2, $1)"; /* out of order, and
										   twice */
	static const char get[] = "SELECT id, name, value, value IS NULL FROM item WHERE id = $1";
	static const uint8_t bytes[] = { 0, 1, 0, 255 };
	(void)arg;
	struct db_stmt *st = db_prepare(c, put);
	db_bind_int(st, 1, INT64_MIN);
	db_bind_str(st, 2, str_sub(STR("abc"), 0, 2));
	db_bind_blob(st, 3, bytes, sizeof(bytes));
	if (!db_run(st, err))
		return false;
	assert_int_equal(db_changes(c), 1);
	assert_true(db_last_id(c) == INT64_MIN);
	st = db_prepare(c, put);
	db_bind_int(st, 1, 2);
	db_bind_str(st, 2, STR(""));
	db_bind_blob(st, 3, NULL, 0);
	if (!db_run(st, err))
		return false;
	st = db_prepare(c, put);
	db_bind_int(st, 1, 3);
	db_bind_str(st, 2, STR("n"));
	db_bind_str(st, 3, (struct str){ NULL, 0 });
	if (!db_run(st, err))
		return false;

	static const int64_t ids[] = { INT64_MIN, 2, 3 };
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		bool row = false;
		st = db_prepare(c, get);
		db_bind_int(st, 1, ids[i]);
		assert_true(db_step(st, &row, err) && row);
		assert_true(db_col_int(st, 0) == ids[i]);
		assert_int_equal(db_col_is_null(st, 2), i == 2);
		struct str name = db_col_str(st, 1), value = db_col_str(st, 2);
		assert_true(str_eq_c(name, i == 0 ? "abab" : i == 1 ? "" : "nn"));
		assert_int_equal(value.len, i == 0 ? 4 : 0);
		assert_int_equal(value.ptr == NULL, i == 2);
		if (i == 0)
			assert_memory_equal(value.ptr, bytes, sizeof(bytes));
		assert_true(db_step(st, &row, err) && !row);
		db_done(st);
	}
	return true;
}

static void parameters_are_bound_by_number_and_come_back(void **state)
{
	struct place *p = *state;
	struct err err;
	assert_true(db_write(p->db, bind_everything, NULL, &err));
}

static bool run_nonsense(struct db_conn *c, void *arg, struct err *err)
{
	static const char sql[] = "SELECT a FROM nowhere WHERE a = $1";
	(void)arg;
	bool row = false;
	struct db_stmt *st = db_prepare(c, sql);
	db_bind_int(st, 1, 1);
	bool done = db_step(st, &row, err);
	db_done(st);
	return done;
}

static void a_statement_that_cannot_be_prepared_fails_when_stepped(void **state)
{
	struct place *p = *state;
	struct err err;
	for (int i = 0; i < 2; i++) {
		assert_false(db_read(p->db, run_nonsense, NULL, &err));
		assert_int_equal(err.kind, ERR_INTERNAL);
		if (strstr(err.detail, "no such table") == NULL)
			fail_msg("%s", err.detail);
	}
	assert_int_equal(count_of(p->db), 0);
}

static bool write_on_reader(struct db_conn *c, void *arg, struct err *err)
{
	return insert_row(c, arg, err);
}

static void readers_cannot_write(void **state)
{
	struct place *p = *state;
	struct err err;
	struct row r = { .id = 1 };
	assert_false(db_read(p->db, write_on_reader, &r, &err));
	assert_int_equal(count_of(p->db), 0);
}

/* A reader sees one state however long it looks, and what others write meanwhile is not delayed by
 * it. */

struct snapshot {
	struct place *place;
	int64_t before, after;
};

struct write_in_thread {
	struct db *db;
	bool done;
};

static void write_main(void *arg)
{
	struct write_in_thread *w = arg;
	struct err err;
	w->done = insert(w->db, 1000, &err);
}

static bool look_twice(struct db_conn *c, void *arg, struct err *err)
{
	struct snapshot *s = arg;
	struct write_in_thread w = { .db = s->place->db };
	struct thread *t;
	if (!count_rows(c, &s->before, err))
		return false;
	assert_true(thread_start("writer", write_main, &w, 0, &t, err));
	thread_join(t);
	assert_true(w.done);
	return count_rows(c, &s->after, err);
}

static void a_read_is_one_snapshot(void **state)
{
	struct place *p = *state;
	struct err err;
	struct snapshot s = { .place = p };
	assert_true(db_read(p->db, look_twice, &s, &err));
	assert_int_equal(s.before, 0);
	assert_int_equal(s.after, 0);
	assert_int_equal(count_of(p->db), 1);
}

struct read_crowd {
	struct db *db;
	atomic_uint found;
};

static bool find_one(struct db_conn *c, void *arg, struct err *err)
{
	(void)arg;
	struct db_stmt *st = db_prepare(c, sql_find);
	db_bind_int(st, 1, 1);
	bool row = false;
	bool done = db_step(st, &row, err) && row;
	db_done(st);
	return done;
}

static void read_main(void *arg)
{
	struct read_crowd *r = arg;
	struct err err;
	for (int i = 0; i < 200; i++) {
		if (db_read(r->db, find_one, NULL, &err))
			atomic_fetch_add(&r->found, 1);
	}
}

static void more_readers_than_connections_take_turns(void **state)
{
	struct place *p = *state;
	struct err err;
	struct read_crowd r = { .db = p->db };
	struct thread *threads[THREADS_MAX];
	assert_true(insert(p->db, 1, &err));
	for (int i = 0; i < THREADS_MAX; i++)
		assert_true(thread_start("reader", read_main, &r, 0, &threads[i], &err));
	for (int i = 0; i < THREADS_MAX; i++)
		thread_join(threads[i]);
	assert_int_equal(r.found, THREADS_MAX * 200);
}

/* Other processes; a second handle has connections of its own and stands for one. */

static void a_read_only_handle_works_beside_the_writer(void **state)
{
	struct place *p = *state;
	struct err err;
	struct db_options o = { .path = p->path, .read_only = true };
	struct db *tool = NULL;
	assert_true(insert(p->db, 1, &err));
	assert_true(db_open_with(&o, first, 1, &tool, &err));
	assert_int_equal(count_of(tool), 1);
	assert_true(insert(p->db, 2, &err));
	assert_int_equal(count_of(tool), 2);
	assert_false(insert(tool, 3, &err));
	assert_true(db_check(tool, &err));
	db_close(tool);
	/* Older than what the tool needs: it neither migrates nor works on it. */
	assert_false(db_open_with(&o, both, 2, &tool, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_int_equal(count_of(p->db), 2);
}

static void a_second_writer_takes_turns(void **state)
{
	struct place *p = *state;
	struct err err;
	struct db *tool = open_at(p, first, 1);
	for (int i = 1; i <= 20; i += 2) {
		assert_true(insert(p->db, i, &err));
		assert_true(insert(tool, i + 1, &err));
	}
	assert_int_equal(count_of(p->db), 20);
	db_close(tool);
}

static bool damage(struct db_conn *c, void *arg, struct err *err)
{
	(void)arg;
	/* Foreign keys can only be switched outside of a transaction, so reach past them. */
	return db_conn_exec(c,
		"PRAGMA writable_schema = ON;"
		"UPDATE sqlite_schema SET sql = 'CREATE TABLE child (item_id INTEGER NOT NULL)'"
		" WHERE name = 'child';"
		"PRAGMA writable_schema = RESET;"
		"INSERT INTO child VALUES (5);"
		"PRAGMA writable_schema = ON;"
		"UPDATE sqlite_schema SET sql = 'CREATE TABLE child (item_id INTEGER NOT NULL"
		" REFERENCES item (id))' WHERE name = 'child';"
		"PRAGMA writable_schema = RESET;",
		err);
}

static void the_check_finds_an_orphan(void **state)
{
	struct place *p = *state;
	struct err err;
	assert_true(db_check(p->db, &err));
	if (!db_write(p->db, damage, NULL, &err))
		fail_msg("%s", err.detail);
	assert_false(db_check(p->db, &err));
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_non_null(strstr(err.msg, "child"));
}

/* What could only wait for itself is our bug and must not hang. */

struct nested {
	struct db *db;
	struct row row;
};

static bool write_inside(struct db_conn *c, void *arg, struct err *err)
{
	struct nested *n = arg;
	(void)c;
	return db_write(n->db, insert_row, &n->row, err);
}

static bool read_inside(struct db_conn *c, void *arg, struct err *err)
{
	struct nested *n = arg;
	int64_t count;
	(void)c;
	return db_read(n->db, count_rows, &count, err);
}

static void a_transaction_within_a_transaction_aborts(void **state)
{
	static const struct {
		bool (*outer)(struct db *, db_fn, void *, struct err *);
		db_fn inner;
	} cases[] = { { db_write, write_inside }, { db_write, read_inside },
		{ db_read, read_inside }, { db_read, write_inside } };
	struct place *p = *state;
	db_close(p->db); /* a process with threads forks badly */
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		pid_t child = fork();
		if (child == 0) {
			struct err err;
			struct nested n = { .db = open_at(p, first, 1) };
			setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
			signal(SIGABRT, SIG_DFL);
			close(STDERR_FILENO);
			err_ignore(cases[i].outer(n.db, cases[i].inner, &n, &err));
			_exit(0);
		}
		int status = 0;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
	p->db = open_at(p, first, 1);
	assert_int_equal(count_of(p->db), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(opening_makes_a_private_file_and_migrates_it_once),
		TEST(a_failed_migration_leaves_the_version_before_it),
		TEST(a_database_of_a_newer_version_is_refused),
		TEST(what_is_no_berth_database_is_refused_and_left_alone),
		TEST(the_embedded_migrations_apply),
		TEST(parameters_are_bound_by_number_and_come_back),
		TEST(a_statement_may_be_used_within_its_own_rows),
		TEST(a_statement_that_cannot_be_prepared_fails_when_stepped),
		TEST(readers_cannot_write),
		TEST(a_read_is_one_snapshot),
		TEST(more_readers_than_connections_take_turns),
		TEST(a_read_only_handle_works_beside_the_writer),
		TEST(a_second_writer_takes_turns),
		TEST(a_transaction_within_a_transaction_aborts),
		TEST(the_check_finds_an_orphan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
