/*
 * migrate.h - brings a database to the schema that this build knows.
 *
 * Migrations are numbered from 1 without gaps and are never changed once released. Each runs in one
 * transaction together with the version (PRAGMA user_version) that it leads to, so a crash leaves
 * the old schema or the new one.
 */
#ifndef BERTH_META_MIGRATE_H
#define BERTH_META_MIGRATE_H

#include "base/err.h"

struct db_conn;

struct migration {
	int version;
	const char *name; /* of the file, for messages */
	const char *sql;  /* any number of statements; no BEGIN or COMMIT */
};

/* The files of migrations/sqlite/, made by tools/embed_migrations.py. */
extern const struct migration migrations_embedded[];
extern const size_t migrations_embedded_count;

/* Applies what is missing. Foreign keys must be off on c; they are checked as a whole before each
 * commit. Errors: CONFIG when the database is newer than the list, or belongs to another program.
 */
MUST_CHECK bool migrate_run(
	struct db_conn *c, const struct migration *list, size_t count, struct err *err);
/* For read-only use: the database must be exactly at the newest version. Errors: CONFIG. */
MUST_CHECK bool migrate_expect_current(
	struct db_conn *c, const struct migration *list, size_t count, struct err *err);

#endif
