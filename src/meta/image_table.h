/* image_table.h - rows of images, of what they need, of the indexes that name them, and of tags. */
#ifndef BERTH_META_IMAGE_TABLE_H
#define BERTH_META_IMAGE_TABLE_H

#include "base/arena.h"
#include "base/digest.h"
#include "meta/db.h"
#include "meta/page.h"

struct tag_stamp; /* tag_event_table.h */

struct image_row {
	int64_t id, repository_id;
	struct digest digest;
	int kind;
	struct str media_type, artifact_type;
	bool has_subject;
	struct digest subject;
	uint64_t manifest_bytes, size_bytes;
	int64_t pushed_at_ms, tags, parents;
	int64_t pool_id; /* of its repository; read only */
	int64_t form; /* of the manifest: 0 plain, else wrapped by that version of the pool's data
			 keys */
	struct str manifest; /* only when asked for */
};

/* Where a manifest goes on reading; NULL where it is not wanted. */
struct buf;

/* Where an image goes. */
struct image_into {
	struct buf *manifest;
	struct arena *arena;
	struct image_row *row;
	bool *found;
};

MUST_CHECK bool image_table_add(
	struct db_conn *c, const struct image_row *row, int64_t *id, struct err *err);
MUST_CHECK bool image_table_find(struct db_conn *c, int64_t repository_id, const struct digest *d,
	struct arena *arena, struct image_row *out, bool *found, struct err *err);
/* The hot path of a pull, one look-up: live repository by name, then tag or digest. */
MUST_CHECK bool image_table_pull_tag(struct db_conn *c, int64_t registry_id, struct str repo,
	struct str tag, const struct image_into *into, struct err *err);
MUST_CHECK bool image_table_pull_digest(struct db_conn *c, int64_t registry_id, struct str repo,
	const struct digest *d, const struct image_into *into, struct err *err);
MUST_CHECK bool image_table_get(struct db_conn *c, int64_t id, struct buf *manifest,
	struct arena *arena, struct image_row *out, bool *found, struct err *err);
/* Row, needs and children; tags must be gone. The caller adjusts the links. */
MUST_CHECK bool image_table_remove(struct db_conn *c, int64_t id, struct err *err);
/* By id, in order of pushing; only those without a tag when untagged. */
MUST_CHECK bool image_table_list(struct db_conn *c, int64_t repository_id, bool untagged,
	const struct page *page, struct image_row *rows, size_t *count, struct err *err);
/* Images whose subject is d, by id. */
MUST_CHECK bool image_table_referrers(struct db_conn *c, int64_t repository_id,
	const struct digest *d, const struct page *page, struct image_row *rows, size_t *count,
	struct err *err);
/* The newest of a repository: the order for emptying it, since an index is always newer than what
 * it names. */
MUST_CHECK bool image_table_newest(struct db_conn *c, int64_t repository_id, struct arena *arena,
	struct image_row *out, bool *found, struct err *err);
/* Walks all images, for verify. */
MUST_CHECK bool image_table_next(struct db_conn *c, int64_t after, struct buf *manifest,
	struct arena *arena, struct image_row *out, bool *found, struct err *err);
/* The manifest in another form. */
MUST_CHECK bool image_table_set_manifest(struct db_conn *c, int64_t id, int64_t was_form,
	int64_t form, struct str manifest, struct err *err);
/* The image of the pool with the smallest id above `after` whose manifest has another form. */
MUST_CHECK bool image_table_next_other(struct db_conn *c, int64_t pool_id, int64_t form,
	int64_t after, const struct image_into *into, struct err *err);
/* How many indexes name the image. */
MUST_CHECK bool image_table_add_parents(
	struct db_conn *c, int64_t id, int64_t delta, struct err *err);

MUST_CHECK bool image_need_table_add(
	struct db_conn *c, int64_t image_id, int64_t blob_id, struct err *err);
/* Blob ids above `after`, ascending. */
MUST_CHECK bool image_need_table_list(struct db_conn *c, int64_t image_id, int64_t after,
	int64_t *blob_ids, size_t max, size_t *count, struct err *err);
MUST_CHECK bool image_child_table_add(
	struct db_conn *c, int64_t parent_id, int64_t child_id, struct err *err);
MUST_CHECK bool image_child_table_list(struct db_conn *c, int64_t parent_id, int64_t after,
	int64_t *child_ids, size_t max, size_t *count, struct err *err);
/* Digest of some index that names the image. */
MUST_CHECK bool image_child_table_parent(
	struct db_conn *c, int64_t child_id, struct digest *out, bool *found, struct err *err);

/* Tags. image.tags is kept here, and what happens to them (tag_event_table.h). */
struct tag_row {
	struct str name;
	int64_t image_id;
};

/* *image_id 0 when there is no such tag. */
MUST_CHECK bool tag_table_find(struct db_conn *c, int64_t repository_id, struct str name,
	int64_t *image_id, struct err *err);
/* Adds the tag, or moves it from old_image_id (as tag_table_find told; 0: new). */
MUST_CHECK bool tag_table_put(struct db_conn *c, int64_t repository_id, struct str name,
	int64_t image_id, int64_t old_image_id, const struct tag_stamp *stamp, struct err *err);
MUST_CHECK bool tag_table_remove(struct db_conn *c, int64_t repository_id, struct str name,
	int64_t image_id, const struct tag_stamp *stamp, struct err *err);
/* All tags of an image. */
MUST_CHECK bool tag_table_remove_of_image(struct db_conn *c, int64_t repository_id,
	int64_t image_id, const struct tag_stamp *stamp, struct err *err);
/* By name, of active images. */
MUST_CHECK bool tag_table_list(struct db_conn *c, int64_t repository_id, const struct page *page,
	struct tag_row *rows, size_t *count, struct err *err);
/* By name, of one image. */
MUST_CHECK bool tag_table_of_image(struct db_conn *c, int64_t image_id, const struct page *page,
	struct str *names, size_t *count, struct err *err);
#endif
