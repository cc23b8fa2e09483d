/*
 * tag_event_table.h - what happened to tags, newest first. Bounded: the last TAG_EVENTS_OF_TAG of
 * each tag and the last TAG_EVENTS_OF_REPOSITORY of each repository; older ones go as new ones
 * come.
 */
#ifndef BERTH_META_TAG_EVENT_TABLE_H
#define BERTH_META_TAG_EVENT_TABLE_H

#include "base/arena.h"
#include "base/digest.h"
#include "meta/db.h"

#define TAG_EVENTS_OF_TAG        100
#define TAG_EVENTS_OF_REPOSITORY 10000

enum tag_action { TAG_SET = 1, TAG_REMOVED = 2 }; /* stored */

/* When, and by whom: an ARN, TAG_BY_LIFECYCLE, or empty where nobody asks. */
struct tag_stamp {
	int64_t at_ms;
	struct str principal;
};

#define TAG_BY_LIFECYCLE "lifecycle"

/* A change under way: the image that the tag points at since (or pointed at until) now, and the one
 * before (0: none). */
struct tag_change {
	int64_t repository_id;
	struct str name;
	enum tag_action action;
	int64_t image_id, previous_id;
	const struct tag_stamp *stamp;
};

/* Nothing for a repository that is being emptied. Both images' rows must still be there. */
MUST_CHECK bool tag_event_table_add(
	struct db_conn *c, const struct tag_change *change, struct err *err);
/* The same for every tag of an image that goes. */
MUST_CHECK bool tag_event_table_add_removed(struct db_conn *c, int64_t repository_id,
	int64_t image_id, const struct tag_stamp *stamp, struct err *err);
MUST_CHECK bool tag_event_table_forget(struct db_conn *c, int64_t repository_id, struct err *err);

struct tag_event_row {
	int64_t seq;
	struct str name;
	int64_t at_ms;
	enum tag_action action;
	struct digest digest;
	bool has_previous;
	struct digest previous;
	struct str principal; /* empty: not known */
};

/* Newest first, of one tag, or, name empty, of all, with a seq below `before`. */
struct tag_event_query {
	int64_t repository_id, before;
	struct str name;
};

struct tag_event_rows {
	struct tag_event_row *rows; /* max of them */
	size_t max, count;
};

MUST_CHECK bool tag_event_table_list(struct db_conn *c, const struct tag_event_query *q,
	struct arena *arena, struct tag_event_rows *out, struct err *err);

#endif
