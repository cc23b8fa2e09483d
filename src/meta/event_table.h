/* event_table.h - rows of webhooks and of the events that wait for them. */
#ifndef BERTH_META_EVENT_TABLE_H
#define BERTH_META_EVENT_TABLE_H

#include "base/arena.h"
#include "base/digest.h"
#include "meta/db.h"

struct webhook_row {
	int64_t id;
	struct str url, repository;
	int kind;
};

/* Adds it, or changes what the one of this url wants. row->id is ignored. */
MUST_CHECK bool webhook_table_put(
	struct db_conn *c, const struct webhook_row *row, int64_t *id, struct err *err);
/* The smallest id above after; out->id 0 at the end. */
MUST_CHECK bool webhook_table_next(struct db_conn *c, int64_t after, struct arena *arena,
	struct webhook_row *out, struct err *err);
MUST_CHECK bool webhook_table_waiting(
	struct db_conn *c, int64_t id, uint64_t *out, struct err *err);
/* The webhook and all that waits for it; *dropped: how many events that were. */
MUST_CHECK bool webhook_table_remove(
	struct db_conn *c, int64_t id, uint64_t *dropped, struct err *err);

#define EVENT_ID_LEN 16

struct event_row {
	int64_t id, webhook_id, repository_id;
	int64_t tries;
	uint8_t event_id[EVENT_ID_LEN];
	int64_t at_ms;
	int kind, action; /* enum event_kind, enum event_action of registry/event.h */
	struct str account, region, repository;
	struct digest digest;
	struct str tag, media_type, artifact_type;
};

/* Account, Region and name of a live repository; *found false for any other. */
MUST_CHECK bool event_table_place(struct db_conn *c, int64_t repository_id, struct arena *arena,
	struct event_row *out, bool *found, struct err *err);
/* Due at once, or after those of the same repository that wait. id and tries are ignored. */
MUST_CHECK bool event_table_add(struct db_conn *c, const struct event_row *row, struct err *err);
#define EVENT_BATCH_MAX 32

struct event_batch {
	struct event_row rows[EVENT_BATCH_MAX];
	size_t count;
};

/* Some that are due, the longest waiting first; at most one of a repository. */
MUST_CHECK bool event_table_due(struct db_conn *c, int64_t webhook_id, int64_t now_ms,
	struct arena *arena, struct event_batch *out, struct err *err);
/* Removes it, whether delivered or given up; the repository's next one is due then. */
MUST_CHECK bool event_table_remove(
	struct db_conn *c, const struct event_row *row, int64_t now_ms, struct err *err);
/* Not before due_at_ms; one try more. */
MUST_CHECK bool event_table_defer(
	struct db_conn *c, int64_t id, int64_t due_at_ms, struct err *err);

#endif
