/* archive_priv.h - storage classes and lifecycle inside another module's transaction. For registry/
 * only. */
#ifndef BERTH_REGISTRY_ARCHIVE_PRIV_H
#define BERTH_REGISTRY_ARCHIVE_PRIV_H

#include "meta/state_table.h"
#include "registry/image_priv.h"

/* Copies the row's state into the image. */
MUST_CHECK bool archive_read_state(struct db_conn *conn, struct image *image, struct err *err);

/* IMAGE_ARCHIVED (false) unless the image is active: nobody pulls it otherwise. */
MUST_CHECK bool archive_need_active(struct db_conn *conn, int64_t image_id, struct err *err);

/* Puts an active image away, with its referrers by and by. The caller has looked at the indexes. */
MUST_CHECK bool archive_put_away(struct core *c, struct db_conn *conn, const struct image_row *row,
	int64_t now_ms, struct err *err);

/* Brings back at once the image and what it leads to; *was_away: it was not active. */
MUST_CHECK bool archive_bring_back(struct core *c, struct db_conn *conn,
	const struct image_row *row, int64_t now_ms, bool *was_away, struct err *err);

/* Ends up to max returns that are due. */
MUST_CHECK bool archive_end_returns(struct core *c, struct db_conn *conn, int64_t now_ms,
	size_t max, size_t *done, struct err *err);

/* Something changed in a repository that a lifecycle policy may look at. */
MUST_CHECK bool lifecycle_touch(
	struct core *c, struct db_conn *conn, int64_t repository_id, struct err *err);
/* The same, and an image is gone: its referrers will follow. */
MUST_CHECK bool lifecycle_image_gone(
	struct core *c, struct db_conn *conn, const struct image_row *row, struct err *err);
/* Sets the policy of a repository; text must have passed lifecycle_policy_parse. */
MUST_CHECK bool lifecycle_put_in(struct core *c, struct db_conn *conn, int64_t repository_id,
	struct str text, struct err *err);

#endif
