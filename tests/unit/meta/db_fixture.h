/* db_fixture.h - a database of two tables in a folder of its own, and the simplest work on it, for
 * the driver's tests. */
#ifndef BERTH_TEST_DB_FIXTURE_H
#define BERTH_TEST_DB_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
/* clang-format on */

#include "meta/db_priv.h"

#define THREADS_MAX 32

/* Spelled once for the lists that begin with it. */
#define FIRST                                                                                         \
	{                                                                                             \
		1, "0001_first.sql",                                                                  \
			"CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, value BLOB);" \
			"CREATE TABLE child (item_id INTEGER NOT NULL REFERENCES item (id));"         \
			"CREATE TABLE late (item_id INTEGER NOT NULL REFERENCES item (id)"            \
			" DEFERRABLE INITIALLY DEFERRED);"                                            \
	}

static const struct migration first[] = { FIRST };

static const char sql_insert[] = "INSERT INTO item (id, name) VALUES ($1, $2)";
static const char sql_count[] = "SELECT count(*) FROM item";

/* A folder, and the database in it. */
struct place {
	char folder[64];
	char path[80];
	struct db *db;
};

static struct db *open_at(struct place *p, const struct migration *list, size_t count)
{
	struct err err;
	struct db_options o = { .path = p->path };
	struct db *db = NULL;
	if (!db_open_with(&o, list, count, &db, &err))
		fail_msg("%s (%s)", err.msg, err.detail);
	return db;
}

static int set_up_in(const char *folder, void **state)
{
	static struct place p;
	snprintf(p.folder, sizeof(p.folder), "%s/berth-db-XXXXXX", folder);
	assert_non_null(mkdtemp(p.folder));
	snprintf(p.path, sizeof(p.path), "%s/berth.db", p.folder);
	p.db = open_at(&p, first, 1);
	*state = &p;
	return 0;
}

static inline UNUSED int set_up(void **state)
{
	return set_up_in("/tmp", state);
}

static int tear_down(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	struct place *p = *state;
	db_close(p->db);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char path[96];
		snprintf(path, sizeof(path), "%s%s", p->path, ends[i]);
		unlink(path);
	}
	return rmdir(p->folder);
}

/* Pieces of work. */

struct row {
	int64_t id;
	bool refuse;   /* fail after the insert */
	bool overlook; /* say true although the insert failed */
	unsigned runs;
};

static bool insert_item(struct db_conn *c, int64_t id, struct err *err)
{
	char name[32];
	snprintf(name, sizeof(name), "item %d", (int)id);
	struct db_stmt *st = db_prepare(c, sql_insert);
	db_bind_str(st, 2, str_from(name));
	db_bind_int(st, 1, id);
	return db_run(st, err);
}

static bool insert_row(struct db_conn *c, void *arg, struct err *err)
{
	struct row *r = arg;
	r->runs++;
	if (!insert_item(c, r->id, err))
		return r->overlook;
	return r->refuse ? err_set(err, ERR_TAG_IMMUTABLE, "no") : true;
}

static bool count_rows(struct db_conn *c, void *arg, struct err *err)
{
	struct db_stmt *st = db_prepare(c, sql_count);
	bool row = false;
	bool done = db_step(st, &row, err);
	if (done)
		*(int64_t *)arg = db_col_int(st, 0);
	db_done(st);
	return done;
}

static int64_t count_of(struct db *db)
{
	struct err err;
	int64_t n = -1;
	if (!db_read(db, count_rows, &n, &err))
		fail_msg("%s", err.detail);
	return n;
}

static bool insert(struct db *db, int64_t id, struct err *err)
{
	struct row r = { .id = id };
	return db_write(db, insert_row, &r, err);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
