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
