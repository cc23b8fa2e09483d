/* upload_table.h - rows of unfinished uploads, and of the mount log. */
#ifndef BERTH_META_UPLOAD_TABLE_H
#define BERTH_META_UPLOAD_TABLE_H

#include "base/arena.h"
#include "base/digest.h"
#include "meta/db.h"

#define UPLOAD_KEY_LEN 16

struct upload_row {
	uint8_t key[UPLOAD_KEY_LEN];
	int64_t repository_id;
	enum digest_alg alg;
	int64_t short_at; /* -1: no part below the least size yet */
	int64_t created_at_ms;
	int64_t form;          /* 0 plain, else the version of the pool's data keys */
	uint64_t plain_bytes;  /* acknowledged */
	int64_t parts;         /* layer parts, by the ECR API */
	int64_t written_at_ms; /* when plain_bytes last changed; 0: never */
};

MUST_CHECK bool upload_table_add(struct db_conn *c, const struct upload_row *row, struct err *err);
MUST_CHECK bool upload_table_find(struct db_conn *c, const uint8_t key[UPLOAD_KEY_LEN],
	struct upload_row *out, bool *found, struct err *err);

/* What a session has acknowledged, and when; the row of a sealed one takes the tail. */
struct upload_tail {
	uint64_t plain_bytes;
	struct str sealed;
	int64_t at_ms;
};

MUST_CHECK bool upload_table_set_tail(struct db_conn *c, const uint8_t key[UPLOAD_KEY_LEN],
	const struct upload_tail *tail, struct err *err);
/* Appends the tail to out. */
struct buf;
MUST_CHECK bool upload_table_tail(
	struct db_conn *c, const uint8_t key[UPLOAD_KEY_LEN], struct buf *out, struct err *err);
/* One part more. */
MUST_CHECK bool upload_table_note_part(
	struct db_conn *c, const uint8_t key[UPLOAD_KEY_LEN], int64_t short_at, struct err *err);
/* *removed: whether it was there. */
MUST_CHECK bool upload_table_remove(
	struct db_conn *c, const uint8_t key[UPLOAD_KEY_LEN], bool *removed, struct err *err);
/* Created before the time, oldest first, those behind `after` (its time, then its key). */
MUST_CHECK bool upload_table_older(struct db_conn *c, int64_t created_before_ms,
	const struct upload_row *after, struct upload_row *rows, size_t max, size_t *count,
	struct err *err);
/* Some of one repository. */
MUST_CHECK bool upload_table_of_repository(struct db_conn *c, int64_t repository_id,
	struct upload_row *rows, size_t max, size_t *count, struct err *err);
MUST_CHECK bool upload_table_count(struct db_conn *c, uint64_t *out, struct err *err);

struct mount_log_row {
	int64_t registry_id, at_ms;
	struct str target, source, digest, outcome, principal;
	uint64_t size_bytes;
};

MUST_CHECK bool mount_log_table_add(
	struct db_conn *c, const struct mount_log_row *row, struct err *err);
/* Removes at most max of the oldest rows beyond the newest `keep` of the registry. */
MUST_CHECK bool mount_log_table_trim(
	struct db_conn *c, int64_t registry_id, unsigned keep, unsigned max, struct err *err);
/* The next registry (id above `after`) that has more than `keep` rows; 0 when none has. */
MUST_CHECK bool mount_log_table_over(
	struct db_conn *c, int64_t after, unsigned keep, int64_t *registry_id, struct err *err);

#endif
