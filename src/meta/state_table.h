/* state_table.h - rows of images that were pulled, archived or restored; referrers that follow
 * their subject; principals whose pulls do not count. */
#ifndef BERTH_META_STATE_TABLE_H
#define BERTH_META_STATE_TABLE_H

#include "base/arena.h"
#include "base/digest.h"
#include "meta/db.h"

enum image_state { STATE_ACTIVE = 1, STATE_ARCHIVED = 2, STATE_ACTIVATING = 3 }; /* stored */

/* Times are 0 where the thing never happened. */
struct state_row {
	enum image_state state;
	int64_t pulled_at_ms, archived_at_ms, activated_at_ms;
};

/* Also for an image without a row: active, never pulled. */
MUST_CHECK bool state_table_get(
	struct db_conn *c, int64_t image_id, struct state_row *out, struct err *err);
/* The image must be active. Its layers count as archived from now on. */
MUST_CHECK bool state_table_archive(struct db_conn *c, int64_t repository_id, int64_t image_id,
	int64_t now_ms, struct err *err);
/* From archived: the image and, of an index, whatever archived image it leads to. */
MUST_CHECK bool state_table_activate_later(
	struct db_conn *c, int64_t image_id, int64_t due_at_ms, struct err *err);
/* The image must not be active. */
MUST_CHECK bool state_table_activate(struct db_conn *c, int64_t repository_id, int64_t image_id,
	int64_t now_ms, struct err *err);
/* Before the image's row goes. */
MUST_CHECK bool state_table_forget(
	struct db_conn *c, int64_t repository_id, int64_t image_id, struct err *err);
/* Images that an index leads to, itself included, and that are not active; those named first. */
MUST_CHECK bool state_table_inactive_below(struct db_conn *c, int64_t image_id, int64_t *ids,
	size_t max, size_t *count, struct err *err);
/* Whether an index names the image that is not archived. */
MUST_CHECK bool state_table_has_active_parent(
	struct db_conn *c, int64_t image_id, bool *out, struct err *err);

/* Whether the repository has an image of this digest. */
MUST_CHECK bool state_table_has_image(struct db_conn *c, int64_t repository_id,
	const struct digest *d, bool *out, struct err *err);

/* On their way back and due: image and repository. Named images before the index that names them.
 */
struct state_due {
	int64_t image_id, repository_id;
	struct digest digest;
};

MUST_CHECK bool state_table_due(struct db_conn *c, int64_t now_ms, struct state_due *rows,
	size_t max, size_t *count, struct err *err);
/* Moves the recorded time on, never back. Nothing for an image that is gone. */
MUST_CHECK bool state_table_pulled(
	struct db_conn *c, int64_t image_id, int64_t at_ms, struct err *err);

/* Whether the images that need the layer are all not active (and there are some). */
MUST_CHECK bool layer_archived_table_is(struct db_conn *c, int64_t repository_id,
	const struct digest *d, bool *out, struct err *err);
MUST_CHECK bool layer_archived_table_forget(
	struct db_conn *c, int64_t repository_id, struct err *err);

/* Referrers. */
enum follow_action { FOLLOW_EXPIRE = 1, FOLLOW_ARCHIVE = 2, FOLLOW_RESTORE = 3 }; /* stored */

struct follow_row {
	int64_t id, repository_id;
	struct digest subject;
	enum follow_action action;
};

/* Only if the subject has referrers; only_policy: and only if the repository has a lifecycle
 * policy. Replaces an earlier one. */
MUST_CHECK bool follow_table_add(struct db_conn *c, int64_t repository_id,
	const struct digest *subject, enum follow_action action, bool only_policy,
	int64_t due_at_ms, struct err *err);
MUST_CHECK bool follow_table_due(
	struct db_conn *c, int64_t now_ms, struct follow_row *out, bool *found, struct err *err);
/* The first one of a repository, whenever it is due. */
MUST_CHECK bool follow_table_of_repository(struct db_conn *c, int64_t repository_id,
	struct follow_row *out, bool *found, struct err *err);
MUST_CHECK bool follow_table_remove(struct db_conn *c, int64_t id, struct err *err);
MUST_CHECK bool follow_table_forget(struct db_conn *c, int64_t repository_id, struct err *err);

/* Exclusions. */
struct exclusion_row {
	int64_t registry_id;
	struct str principal;
	int64_t created_at_ms;
};

/* *added false: it was there. */
MUST_CHECK bool exclusion_table_add(struct db_conn *c, int64_t registry_id, struct str principal,
	int64_t now_ms, bool *added, struct err *err);
MUST_CHECK bool exclusion_table_remove(struct db_conn *c, int64_t registry_id, struct str principal,
	bool *removed, struct err *err);
MUST_CHECK bool exclusion_table_count(
	struct db_conn *c, int64_t registry_id, uint64_t *out, struct err *err);
/* Of after's registry, behind its principal in byte order. */
MUST_CHECK bool exclusion_table_list(struct db_conn *c, const struct exclusion_row *after,
	unsigned max, struct arena *arena, struct exclusion_row *rows, size_t *count,
	struct err *err);
/* All, of all registries, by registry and principal: calls fn for each. */
typedef void (*exclusion_fn)(void *arg, int64_t registry_id, struct str principal);
MUST_CHECK bool exclusion_table_each(
	struct db_conn *c, exclusion_fn fn, void *arg, struct err *err);

#endif
