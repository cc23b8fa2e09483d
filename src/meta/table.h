/* table.h - small helpers that the entity modules share. For meta/ only. */
#ifndef BERTH_META_TABLE_H
#define BERTH_META_TABLE_H

#include "base/arena.h"
#include "base/digest.h"
#include "meta/db.h"

static inline void table_donep(struct db_stmt **st)
{
	if (*st)
		db_done(*st);
}

/* A statement that is done at the end of the scope. */
#define STMT(name, conn, sql) struct db_stmt *name CLEANUP(table_donep) = db_prepare((conn), (sql))

/* A column's text copied into the arena. */
static inline struct str table_text(struct db_stmt *st, int col, struct arena *arena)
{
	return arena_str(arena, db_col_str(st, col));
}

/* A row's text found no room in the arena. */
static inline bool table_no_room(const struct arena *arena, struct err *err)
{
	return arena_is_starved(arena) ? err_sys(err, ERR_UNAVAILABLE, 0, "no memory for a row")
				       : err_set(err, ERR_TOO_LARGE,
						 "The answer is too large; ask for fewer items");
}

/* The same where the arena is our own, and its cap should do. */
static inline bool table_no_memory(const struct arena *arena, struct err *err)
{
	return arena_err(arena, "a row", err);
}

static inline void table_bind_digest(
	struct db_stmt *st, int i, const struct digest *d, uint8_t key[DIGEST_KEY_MAX])
{
	db_bind_blob(st, i, key, digest_to_key(d, key));
}

static inline bool table_digest(struct db_stmt *st, int col, struct digest *out, struct err *err)
{
	struct str s = db_col_str(st, col);
	return digest_from_key((const uint8_t *)s.ptr, s.len, out, err);
}

#endif
