/*
 * A reader's snapshot outlives its callback: while nothing was committed since, the next read may
 * use it again, and two locks and two statements are saved.
 *
 * Whether something was committed stands in the header of the log's index, shared memory of all
 * processes that have the database open (https://sqlite.org/walformat.html section 2.3.1: 48 bytes,
 * kept twice, the second copy written first). The header is remembered before the snapshot begins,
 * and each commit changes it for good; so while it is as remembered, the snapshot is the newest
 * state, whoever writes.
 */

#include "meta/db_priv.h"

#define INDEX_REGION 32768 /* bytes; the first holds the header */

/* The header as it is now. False: none to be seen, or one in the middle of a change. */
static bool header_read(const struct db_conn *c, uint64_t out[DB_SNAPSHOT_WORDS])
{
	const volatile uint64_t *index = c->snapshot.index;
	bool is_whole = index != NULL;
	for (unsigned i = 0; is_whole && i < DB_SNAPSHOT_WORDS; i++)
		out[i] = index[i];
	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned i = 0; is_whole && i < DB_SNAPSHOT_WORDS; i++)
		is_whole = out[i] == index[DB_SNAPSHOT_WORDS + i];
	return is_whole;
}

/* Where the index is mapped: only once the connection has read, for SQLite maps it then. */
static void index_find(struct db_conn *c)
{
	sqlite3_file *file = NULL;
	void volatile *region = NULL;
	if (sqlite3_file_control(c->sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK)
		return;
	const sqlite3_io_methods *methods = file->pMethods;
	if (methods == NULL || methods->iVersion < 2 || methods->xShmMap == NULL ||
		methods->xShmMap(file, 0, INDEX_REGION, 0, &region) != SQLITE_OK)
		return;
	c->snapshot.index = region;
}

static bool is_newest(const struct db_conn *c)
{
	uint64_t now[DB_SNAPSHOT_WORDS];
	return header_read(c, now) && memcmp(now, c->snapshot.header, sizeof(now)) == 0;
}

bool db_snapshot_begin(struct db_conn *c, struct err *err)
{
	if (c->snapshot.is_kept && is_newest(c)) {
		c->snapshot.is_kept = false;
		return true;
	}
	db_snapshot_end(c);
	c->snapshot.is_known = header_read(c, c->snapshot.header);
	return db_conn_begin(c, err);
}

void db_snapshot_keep(struct db_conn *c)
{
	if (c->snapshot.is_known && db_conn_in_transaction(c)) {
		c->snapshot.is_kept = true;
		return;
	}
	db_snapshot_end(c);
	if (c->snapshot.index == NULL)
		index_find(c);
}

void db_snapshot_end(struct db_conn *c)
{
	/* Nothing was written, so how it ends is no news to anybody. */
	struct err ignored;
	c->snapshot.is_kept = false;
	if (db_conn_in_transaction(c) && !db_conn_control(c, DB_COMMIT, &ignored))
		db_conn_rollback(c);
}
