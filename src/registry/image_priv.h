/* image_priv.h - images inside a transaction, for the modules of registry/. */
#ifndef BERTH_REGISTRY_IMAGE_PRIV_H
#define BERTH_REGISTRY_IMAGE_PRIV_H

#include "meta/image_table.h"
#include "meta/tag_event_table.h"
#include "registry/core_priv.h"
#include "registry/image.h"

/* Removes an image with its tags, gives up its layers (each that no image needs any more becomes a
 * candidate) and its children. stamp: when, and by whom. */
MUST_CHECK bool image_drop(struct db_conn *conn, int64_t pool_id, const struct image_row *row,
	const struct tag_stamp *stamp, int64_t grace_ms, struct err *err);

/* The sentence for an image that is not there. Returns false. */
bool image_unknown(const struct registry_id *reg, struct str repo, const struct image_ref *ref,
	struct err *err);

void image_from_row(const struct image_row *row, struct image *out);

/* A manifest as it stands in its row, to bytes in place: sealed goes in (whole buf), plain comes
 * out. Not inside a transaction. Errors: CORRUPT when it is not what was put there, in either form.
 */
MUST_CHECK bool image_unseal(
	struct core *c, const struct image_row *row, struct buf *bytes, struct err *err);
struct pool;
/* The other way, appended to out. */
MUST_CHECK bool image_seal(struct pool *pool, int64_t form, int64_t repository_id,
	const struct digest *digest, struct str bytes, struct buf *out, struct err *err);

#endif
