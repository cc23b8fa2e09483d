/*
 * db_fault.h - a test seam: makes the engine fail at the N-th step or commit, as a full or broken
 * disk would. Threads: safe.
 */
#ifndef BERTH_META_DB_FAULT_H
#define BERTH_META_DB_FAULT_H

#include "base/macros.h"

struct db;

enum db_fault {
	DB_FAULT_FULL,      /* disk full: STORAGE_FULL */
	DB_FAULT_FULL_LOST, /* the same, and SQLite has rolled back the whole transaction by itself
			     */
	DB_FAULT_IO,        /* I/O error: UNAVAILABLE */
	DB_FAULT_CORRUPT,   /* CORRUPT */
	DB_FAULT_BUSY,      /* another process holds the lock: UNAVAILABLE */
};

enum db_fault_site {
	DB_FAULT_AT_STEP = 1,   /* db_step and db_run */
	DB_FAULT_AT_COMMIT = 2, /* the commit of a write transaction, which then does not happen */
	DB_FAULT_AT_ANY = 3,
};

/* The countdown-th call at one of the sites fails, once. 0 disarms. */
void db_fault_set(struct db *db, unsigned countdown, enum db_fault fault, enum db_fault_site sites);
/* What is left of the countdown; 0: it has fired, or none was set. */
unsigned db_fault_left(const struct db *db);

#endif
