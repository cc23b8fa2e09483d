/* Prepared statements: the cache of each connection, parameters by name, errors kept until db_step.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "meta/db_priv.h"

#define PARAM_MAX 40
#define CACHE_MIN 32

enum stmt_state {
	STMT_IDLE,  /* in the cache, free to use */
	STMT_BOUND, /* prepared, may be bound */
	STMT_ROW,   /* stands on a row */
	STMT_END,   /* no more rows, or failed */
};

struct db_stmt {
	struct db_conn *conn;
	const char *sql;    /* its address is the key */
	sqlite3_stmt *stmt; /* NULL when it could not be prepared */
	enum stmt_state state;
	bool is_cached;
	int rc;                       /* the first failure of preparing or binding, for db_step */
	char *problem;                /* SQLite's words on a failure of preparing */
	uint8_t param[PARAM_MAX + 1]; /* $n -> SQLite's index; 0: the text has no $n */
};

static size_t hash_of(const char *sql)
{
	/* Fibonacci hashing: the addresses of constants differ in their middle bits. */
	return (size_t)(((uint64_t)(uintptr_t)sql * 0x9e3779b97f4a7c15u) >> 32);
}

/* The slot that holds sql, or the empty one where it belongs. */
static struct db_stmt **slot_of(const struct db_conn *c, const char *sql)
{
	size_t i = hash_of(sql) & (c->cache_cap - 1);
	while (c->cache[i] != NULL && c->cache[i]->sql != sql)
		i = (i + 1) & (c->cache_cap - 1);
	return &c->cache[i];
}

static void cache_grow(struct db_conn *c)
{
	struct db_stmt **old = c->cache;
	size_t old_cap = c->cache_cap;
	c->cache_cap = old_cap == 0 ? CACHE_MIN : 2 * old_cap;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is kept */
	c->cache = xcalloc(c->cache_cap, sizeof(*c->cache));
	for (size_t i = 0; i < old_cap; i++) {
		if (old[i] != NULL)
			*slot_of(c, old[i]->sql) = old[i];
	}
	free(old);
}

static void stmt_free(struct db_stmt *st)
{
	sqlite3_finalize(st->stmt);
	free(st->problem);
	free(st);
}

void db_conn_cache_free(struct db_conn *c)
{
	for (size_t i = 0; i < c->cache_cap; i++) {
		if (c->cache[i] != NULL)
			stmt_free(c->cache[i]);
	}
	free(c->cache);
	c->cache = NULL;
	c->cache_cap = c->cache_len = 0;
}

/* SQLite numbers named parameters by first appearance, "$2" before "$1" included: keep the way
 * back. */
static void map_params(struct db_stmt *st)
{
	int count = sqlite3_bind_parameter_count(st->stmt);
	for (int i = 1; i <= count; i++) {
		const char *name = sqlite3_bind_parameter_name(st->stmt, i);
		assert(name != NULL && name[0] == '$'); /* "?" and ":name" are not portable */
		long n = strtol(name + 1, NULL, 10);
		assert(n >= 1 && n <= PARAM_MAX);
		st->param[n] = (uint8_t)i;
	}
}

static struct db_stmt *stmt_new(struct db_conn *c, const char *sql)
{
	struct db_stmt *st = xcalloc(1, sizeof(*st));
	const char *rest = NULL;
	st->conn = c;
	st->sql = sql;
	st->rc =
		sqlite3_prepare_v3(c->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->stmt, &rest);
	if (st->rc != SQLITE_OK) {
		st->problem = xstrdup(sqlite3_errmsg(c->sqlite));
		return st;
	}
	assert(st->stmt != NULL && rest[0] == '\0'); /* exactly one statement */
	map_params(st);
	return st;
}

struct db_stmt *db_prepare(struct db_conn *c, const char *sql)
{
	if (2 * (c->cache_len + 1) > c->cache_cap)
		cache_grow(c);
	struct db_stmt **slot = slot_of(c, sql);
	struct db_stmt *st = *slot;
	if (st == NULL) {
		st = stmt_new(c, sql);
		if (st->rc == SQLITE_OK) { /* a failed one may succeed next time */
			st->is_cached = true;
			*slot = st;
			c->cache_len++;
		}
	} else if (st->state != STMT_IDLE) {
		st = stmt_new(c, sql); /* nested use: a copy that db_done frees */
	}
	/* The address must stand for the text: SQL in a buffer that is used again would run another
	 * statement. */
	assert(st->stmt == NULL || strcmp(sqlite3_sql(st->stmt), sql) == 0);
	st->state = STMT_BOUND;
	c->open_stmts++;
	return st;
}

/* SQLite's index of $i, or 0 when there is no statement to bind to. */
static int param_index(const struct db_stmt *st, int i)
{
	assert(st->state == STMT_BOUND && i >= 1 && i <= PARAM_MAX);
	assert(st->stmt == NULL || st->param[i] != 0);
	return st->stmt == NULL ? 0 : st->param[i];
}

static void keep_rc(struct db_stmt *st, int rc)
{
	if (st->rc == SQLITE_OK)
		st->rc = rc;
}

void db_bind_int(struct db_stmt *st, int i, int64_t v)
{
	int at = param_index(st, i);
	if (at != 0)
		keep_rc(st, sqlite3_bind_int64(st->stmt, at, v));
}

void db_bind_str(struct db_stmt *st, int i, struct str v)
{
	int at = param_index(st, i);
	if (at != 0)
		keep_rc(st, sqlite3_bind_text64(
				    st->stmt, at, v.ptr, v.len, SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_blob(struct db_stmt *st, int i, const void *p, size_t n)
{
	int at = param_index(st, i);
	/* A NULL pointer would bind NULL, and an empty value is not NULL. */
	if (at != 0)
		keep_rc(st, sqlite3_bind_blob64(st->stmt, at, n == 0 ? "" : p, n, SQLITE_STATIC));
}

void db_bind_null(struct db_stmt *st, int i)
{
	int at = param_index(st, i);
	if (at != 0)
		keep_rc(st, sqlite3_bind_null(st->stmt, at));
}

bool db_step(struct db_stmt *st, bool *row, struct err *err)
{
	assert(st->state == STMT_BOUND || st->state == STMT_ROW);
	int rc = st->rc;
	if (rc == SQLITE_OK)
		rc = db_fault_code(st->conn, DB_FAULT_AT_STEP);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st->stmt);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
		*row = rc == SQLITE_ROW;
		st->state = *row ? STMT_ROW : STMT_END;
		return true;
	}
	st->state = STMT_END;
	db_conn_err(st->conn, rc, st->sql, err);
	if (st->problem != NULL && strstr(err->detail, st->problem) == NULL)
		return err_wrap(err, "%s", st->problem); /* another statement has failed since */
	return false;
}

int64_t db_col_int(struct db_stmt *st, int col)
{
	assert(st->state == STMT_ROW && col < sqlite3_data_count(st->stmt));
	return sqlite3_column_int64(st->stmt, col);
}

bool db_col_is_null(struct db_stmt *st, int col)
{
	assert(st->state == STMT_ROW && col < sqlite3_data_count(st->stmt));
	return sqlite3_column_type(st->stmt, col) == SQLITE_NULL;
}

struct str db_col_str(struct db_stmt *st, int col)
{
	if (db_col_is_null(st, col))
		return (struct str){ NULL, 0 };
	/* The bytes as they are stored: the text call would add a NUL, and so copy. */
	const char *p = sqlite3_column_blob(st->stmt, col);
	return (struct str){ p != NULL ? p : "", (size_t)sqlite3_column_bytes(st->stmt, col) };
}

void db_done(struct db_stmt *st)
{
	assert(st->state != STMT_IDLE && st->conn->open_stmts > 0);
	st->conn->open_stmts--;
	if (!st->is_cached) {
		stmt_free(st);
		return;
	}
	sqlite3_reset(st->stmt);          /* repeats the failure that db_step reported */
	sqlite3_clear_bindings(st->stmt); /* they borrow memory that ends now */
	st->rc = SQLITE_OK;
	st->state = STMT_IDLE;
}

bool db_run(struct db_stmt *st, struct err *err)
{
	bool row = false;
	bool done = db_step(st, &row, err);
	assert(!row);
	db_done(st);
	return done;
}

int64_t db_changes(struct db_conn *c)
{
	return sqlite3_changes64(c->sqlite);
}

int64_t db_last_id(struct db_conn *c)
{
	return sqlite3_last_insert_rowid(c->sqlite);
}
