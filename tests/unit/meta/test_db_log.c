#include "db_fixture.h"
#include "meta/db.h"

/* The frames of a commit are gathered (db_log.c): whatever a transaction does to the log, the
 * database holds what was committed. */

#define BIG_ROWS                                                                         \
	3000 /* of 8 KiB: three times what the writer caches, so that frames are written \
	      * before the commit, read again and written over */
#define BIG_BYTES 8192

static const char sql_big[] = "INSERT INTO item (id, name, value) VALUES ($1, '', zeroblob($2))";
static const char sql_name[] = "UPDATE item SET name = $1";
static const char sql_named[] = "SELECT count(*) FROM item WHERE name = $1";

struct big {
	const char *name;
	int64_t first_id;
	bool refuse;
};

static bool write_big(struct db_conn *c, void *arg, struct err *err)
{
	const struct big *b = arg;
	for (int64_t i = 0; i < BIG_ROWS; i++) {
		struct db_stmt *st = db_prepare(c, sql_big);
		db_bind_int(st, 1, b->first_id + i);
		db_bind_int(st, 2, BIG_BYTES);
		if (!db_run(st, err))
			return false;
	}
	struct db_stmt *st = db_prepare(c, sql_name);
	db_bind_str(st, 1, str_from(b->name));
	if (!db_run(st, err))
		return false;
	return b->refuse ? err_set(err, ERR_TAG_IMMUTABLE, "no") : true;
}

struct named {
	const char *name;
	int64_t count;
};

static bool count_named(struct db_conn *c, void *arg, struct err *err)
{
	struct named *n = arg;
	struct db_stmt *st = db_prepare(c, sql_named);
	bool row = false;
	db_bind_str(st, 1, str_from(n->name));
	bool done = db_step(st, &row, err);
	if (done)
		n->count = db_col_int(st, 0);
	db_done(st);
	return done;
}

static int64_t named(struct db *db, const char *name)
{
	struct err err;
	struct named n = { .name = name };
	assert_true(db_read(db, count_named, &n, &err));
	return n.count;
}

static void reopen(struct place *p)
{
	struct err err;
	db_close(p->db);
	p->db = open_at(p, first, 1);
	assert_true(db_check(p->db, &err));
}

static void a_transaction_larger_than_the_cache_is_whole(void **state)
{
	struct place *p = *state;
	struct err err;
	struct big b = { .name = "one", .first_id = 1 };
	assert_true(db_write(p->db, write_big, &b, &err));
	assert_int_equal(named(p->db, "one"), BIG_ROWS);
	reopen(p);
	assert_int_equal(named(p->db, "one"), BIG_ROWS);
}

static void one_that_is_refused_leaves_nothing(void **state)
{
	struct place *p = *state;
	struct err err;
	struct big b = { .name = "one", .first_id = 1 };
	struct big refused = { .name = "two", .first_id = 1 + BIG_ROWS, .refuse = true };
	assert_true(db_write(p->db, write_big, &b, &err));
	assert_false(db_write(p->db, write_big, &refused, &err));
	assert_int_equal(named(p->db, "two"), 0);
	assert_true(insert(p->db, 100000, &err));
	reopen(p);
	assert_int_equal(named(p->db, "one"), BIG_ROWS);
	assert_int_equal(count_of(p->db), BIG_ROWS + 1);
}

struct few {
	int64_t rows;
	bool is_lost; /* the transaction, as when the disk is full */
};

static bool write_few(struct db_conn *c, void *arg, struct err *err)
{
	const struct few *f = arg;
	for (int64_t i = 0; i < f->rows; i++) {
		struct db_stmt *st = db_prepare(c, sql_big);
		db_bind_int(st, 1, 1000000 + i);
		db_bind_int(st, 2, BIG_BYTES);
		if (!db_run(st, err))
			return false;
	}
	if (f->is_lost)
		db_conn_rollback(c);
	return err_set(err, ERR_TAG_IMMUTABLE, "no");
}

/* The cache was just too small, so that few frames are gathered when the transaction is given up.
 * Then another process commits, and its frames come to the same place of a log that begins anew. */
static void give_up_beside_another_process(struct place *p, bool is_lost)
{
	static const char add[] =
		"INSERT INTO item (name, value) VALUES ('other', zeroblob(200000))";
	struct err err;
	int64_t others = 0;
	sqlite3 *other = NULL;
	assert_int_equal(sqlite3_open(p->path, &other), SQLITE_OK);
	for (int64_t rows = 820; rows < 850; rows++) {
		struct few few = { rows, is_lost };
		db_pool_release(&p->db->pool);
		assert_int_equal(sqlite3_wal_checkpoint_v2(
					 other, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
			SQLITE_OK);
		assert_false(db_write(p->db, write_few, &few, &err));
		assert_int_equal(err.kind, ERR_TAG_IMMUTABLE);
		assert_int_equal(sqlite3_exec(other, add, NULL, NULL, NULL), SQLITE_OK);
		others++;
		assert_int_equal(named(p->db, "other"), others);
		if (!insert(p->db, 2000000 + rows * 1000, &err) || !db_check(p->db, &err))
			fail_msg("%d rows: %s %s", (int)rows, err.msg, err.detail);
		assert_int_equal(named(p->db, "other"), others);
	}
	sqlite3_close(other);
	reopen(p);
	assert_int_equal(named(p->db, "other"), others);
	assert_int_equal(count_of(p->db), 2 * others);
}

static void what_is_refused_is_not_written_over_another_process(void **state)
{
	give_up_beside_another_process(*state, false);
}

static void what_is_lost_is_not_written_over_another_process(void **state)
{
	give_up_beside_another_process(*state, true);
}

/* Calls of the system that wrote, of this process. */
static long writes(void)
{
	long n = -1;
	char line[128];
	FILE *f = fopen("/proc/self/io", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "syscw: ", 7) == 0)
			n = strtol(line + 7, NULL, 10);
	}
	fclose(f);
	return n;
}

static bool write_some(struct db_conn *c, void *arg, struct err *err)
{
	(void)arg;
	for (int64_t i = 1; i <= 200; i++) {
		if (!insert_item(c, i, err))
			return false;
	}
	return true;
}

static void a_commit_of_many_pages_takes_few_writes(void **state)
{
	struct place *p = *state;
	struct err err;
	assert_true(insert(p->db, 1000, &err)); /* the log has begun */
	long before = writes();
	if (before < 0)
		skip(); /* this kernel does not count them */
	assert_true(db_write(p->db, write_some, NULL, &err));
	assert_true(writes() - before <= 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_transaction_larger_than_the_cache_is_whole),
		TEST(one_that_is_refused_leaves_nothing),
		TEST(what_is_refused_is_not_written_over_another_process),
		TEST(what_is_lost_is_not_written_over_another_process),
		TEST(a_commit_of_many_pages_takes_few_writes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
