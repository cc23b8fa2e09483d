/*
 * blob_table.h - rows of blobs, of the links that repositories have to them, of what waits for
 * collection and for removal.
 *
 * link_table_add and link_table_remove keep every sum that depends on a link: blob.links,
 * blob.payer, the repository's and the pool's bytes. Nothing else writes those columns.
 */
#ifndef BERTH_META_BLOB_TABLE_H
#define BERTH_META_BLOB_TABLE_H

#include "base/arena.h"
#include "base/digest.h"
#include "meta/db.h"

struct repo_key; /* repo_table.h */

#define BLOB_STORE_KEY_LEN 16

struct blob_row {
	int64_t id, pool_id;
	struct digest digest;
	uint64_t size_bytes;
	uint8_t store_key[BLOB_STORE_KEY_LEN];
	int64_t form; /* of the object: 0 plain, else the version of the pool's data keys */
	int64_t links;
	int64_t payer; /* 0: none */
	int64_t created_at_ms;
};

/* *found false: out untouched. */
MUST_CHECK bool blob_table_find(struct db_conn *c, int64_t pool_id, const struct digest *d,
	struct blob_row *out, bool *found, struct err *err);
MUST_CHECK bool blob_table_get(
	struct db_conn *c, int64_t id, struct blob_row *out, bool *found, struct err *err);
/* id, links and payer of row are ignored. Adds to the pool's sums (the bytes wait until linked). */
MUST_CHECK bool blob_table_add(
	struct db_conn *c, const struct blob_row *row, int64_t *id, struct err *err);
/* The same bytes in another object; the old one goes to the trash. *done false: the blob has
 * another object by now. */
MUST_CHECK bool blob_table_move(struct db_conn *c, const struct blob_row *row,
	const uint8_t new_key[BLOB_STORE_KEY_LEN], int64_t new_form, bool *done, struct err *err);
/* The blob of the pool with the smallest id above `after` whose form is another. */
MUST_CHECK bool blob_table_next_other(struct db_conn *c, int64_t pool_id, int64_t form,
	int64_t after, struct blob_row *out, bool *found, struct err *err);

/* Blobs and bytes of the pool by form: plain ones and others. */
struct form_sums {
	uint64_t plain_blobs, plain_bytes, sealed_blobs, sealed_bytes;
};

MUST_CHECK bool blob_table_forms(
	struct db_conn *c, int64_t pool_id, struct form_sums *out, struct err *err);
/* Small objects, whose bytes stand in a row. Added in the transaction that adds or moves the blob;
 * they go with the blob, or as it gets another object. */
struct buf;
MUST_CHECK bool small_object_add(
	struct db_conn *c, int64_t blob_id, struct str bytes, struct err *err);
/* Appends the bytes of the object of this key. *found false: it has no row. */
MUST_CHECK bool small_object_get(struct db_conn *c, const uint8_t key[BLOB_STORE_KEY_LEN],
	struct buf *out, bool *found, struct err *err);
MUST_CHECK bool small_object_count(struct db_conn *c, uint64_t *out, struct err *err);
/* A blob without links; its object goes to the trash. */
MUST_CHECK bool blob_table_remove(struct db_conn *c, const struct blob_row *row, struct err *err);
/* The blob with the smallest id above `after`. */
MUST_CHECK bool blob_table_next(
	struct db_conn *c, int64_t after, struct blob_row *out, bool *found, struct err *err);
/* Whether a blob's object has this key. */
MUST_CHECK bool blob_table_has_key(
	struct db_conn *c, const uint8_t key[BLOB_STORE_KEY_LEN], bool *out, struct err *err);
MUST_CHECK bool blob_table_totals(
	struct db_conn *c, uint64_t *blobs, uint64_t *bytes, uint64_t *links, struct err *err);

enum link_origin { LINK_UPLOADED = 1, LINK_MOUNTED = 2 };

struct link_row {
	int64_t repository_id, blob_id;
	enum link_origin origin;
	struct str source;    /* of a mounted one; may be empty */
	int64_t linked_at_ms; /* or last pushed again, or when the last image that needed it went */
	int64_t needs;
};

/* source is not read. */
MUST_CHECK bool link_table_find(struct db_conn *c, int64_t repository_id, int64_t blob_id,
	struct link_row *out, bool *found, struct err *err);
/* The blob behind a link by digest, in one look-up. */
MUST_CHECK bool link_table_find_digest(struct db_conn *c, const struct repo_key *repo,
	const struct digest *d, struct blob_row *blob, int64_t *needs, bool *found,
	struct err *err);
MUST_CHECK bool link_table_add(struct db_conn *c, const struct link_row *row,
	const struct blob_row *blob, struct err *err);
/* If it was the blob's last one, the blob becomes a candidate with this review time. */
MUST_CHECK bool link_table_remove(struct db_conn *c, int64_t repository_id,
	const struct blob_row *blob, int64_t review_at_ms, struct err *err);
/* Sets linked_at_ms: the time that an unneeded layer is kept begins anew. */
MUST_CHECK bool link_table_renew(
	struct db_conn *c, int64_t repository_id, int64_t blob_id, int64_t now_ms, struct err *err);
MUST_CHECK bool link_table_add_needs(struct db_conn *c, int64_t repository_id, int64_t blob_id,
	int64_t delta, int64_t *now, struct err *err);
/* Repositories (ids above `after`, ascending) that hold the blob. */
MUST_CHECK bool link_table_holders(struct db_conn *c, int64_t blob_id, int64_t after, int64_t *ids,
	size_t max, size_t *count, struct err *err);
/* Some blob ids linked in the repository; count 0 when none is left. */
MUST_CHECK bool link_table_of_repository(struct db_conn *c, int64_t repository_id,
	int64_t *blob_ids, size_t max, size_t *count, struct err *err);

struct candidate {
	int64_t review_at_ms, blob_id, repository_id; /* repository 0: the blob itself */
};

MUST_CHECK bool candidate_table_add(struct db_conn *c, const struct candidate *k, struct err *err);
/* Those due at now_ms, oldest first. */
MUST_CHECK bool candidate_table_due(struct db_conn *c, int64_t now_ms, struct candidate *out,
	size_t max, size_t *count, struct err *err);
MUST_CHECK bool candidate_table_remove(
	struct db_conn *c, const struct candidate *k, struct err *err);
/* Counts stop at 100,000. */
MUST_CHECK bool candidate_table_count(struct db_conn *c, uint64_t *out, struct err *err);

MUST_CHECK bool trash_table_add(
	struct db_conn *c, const uint8_t key[BLOB_STORE_KEY_LEN], struct err *err);
MUST_CHECK bool trash_table_list(struct db_conn *c, uint8_t (*keys)[BLOB_STORE_KEY_LEN], size_t max,
	size_t *count, struct err *err);
MUST_CHECK bool trash_table_remove(
	struct db_conn *c, const uint8_t key[BLOB_STORE_KEY_LEN], struct err *err);
MUST_CHECK bool trash_table_has(
	struct db_conn *c, const uint8_t key[BLOB_STORE_KEY_LEN], bool *out, struct err *err);
MUST_CHECK bool trash_table_count(struct db_conn *c, uint64_t *out, struct err *err);

#endif
