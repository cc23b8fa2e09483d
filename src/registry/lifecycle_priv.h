/* lifecycle_priv.h - what the parts of lifecycle share. For registry/ only. */
#ifndef BERTH_REGISTRY_LIFECYCLE_PRIV_H
#define BERTH_REGISTRY_LIFECYCLE_PRIV_H

#include "meta/lifecycle_table.h"
#include "registry/lifecycle.h"
#include "registry/lifecycle_eval.h"
#include "registry/lifecycle_told.h"

#define LIFECYCLE_SCAN            500 /* rows that one look reads */
#define LIFECYCLE_PREVIEW_LIFE_MS ((int64_t)24 * 3600 * 1000)

struct image_row;

/* Reads all images of a repository, page by page, and evaluates. Owns: the caller frees *out. */
MUST_CHECK bool lifecycle_load(struct core *c, int64_t repository_id,
	const struct lifecycle_policy *policy, int64_t now_ms, struct lifecycle_eval **out,
	struct err *err);

/* How rules see an image as it is now. *is_seen false: not at all. *hash: of its tags. */
MUST_CHECK bool lifecycle_see(struct db_conn *conn, const struct image_row *row,
	struct lifecycle_image *out, bool *is_seen, struct err *err);
MUST_CHECK bool lifecycle_hash(
	struct db_conn *conn, int64_t image_id, uint64_t *hash, struct err *err);

/* One step each; *found false: there was nothing to do. */
MUST_CHECK bool lifecycle_try_out(
	struct core *c, int64_t now_ms, bool *found, struct err *err); /* a preview */
MUST_CHECK bool lifecycle_clean(
	struct core *c, int64_t now_ms, bool *found, struct err *err); /* old previews */

/* Referrers of one subject that waits, due by now; repository_id 0: of any. */
MUST_CHECK bool lifecycle_follow(struct core *c, int64_t repository_id, int64_t now_ms,
	struct lifecycle_report *report, bool *found, struct err *err);

/* What is to be told of a transaction (lifecycle_told.h); nothing is collected while nobody
 * listens. begin empties it, also for a run that is repeated. */
#define LIFECYCLE_BAG_MAX 50

struct lifecycle_bag {
	struct arena *arena; /* NULL: nobody listens */
	struct lifecycle_told_image items[LIFECYCLE_BAG_MAX];
	size_t count;
};

void lifecycle_bag_begin(struct core *c, struct lifecycle_bag *bag);
void lifecycle_bag_fini(struct lifecycle_bag *bag);
/* Before the image goes. */
MUST_CHECK bool lifecycle_bag_add(struct db_conn *conn, struct lifecycle_bag *bag,
	const struct image_row *row, const struct lifecycle_mark *m, struct err *err);
/* After the commit. what: without place and images. */
MUST_CHECK bool lifecycle_bag_tell(struct core *c, struct lifecycle_bag *bag, int64_t repository_id,
	const struct lifecycle_told *what, struct err *err);
/* All marks of an evaluation that is not carried out. */
MUST_CHECK bool lifecycle_tell_marks(struct core *c, const struct lifecycle_eval *eval,
	int64_t repository_id, const struct lifecycle_told *what, struct err *err);

/* Takes an image out, within the transaction. */
MUST_CHECK bool lifecycle_expire(struct core *c, struct db_conn *conn, int64_t pool_id,
	const struct image_row *row, struct err *err);

#endif
