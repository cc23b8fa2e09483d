/*
 * upload.h - unfinished blobs: sessions that survive dropped connections and restarts.
 *
 * A session is a row and an object of the store with the same key; the object's size is the offset,
 * so a part costs no database write of its own (but those of the ECR API are counted). The hash
 * follows the bytes in memory; after a restart, or when the closing digest wants another algorithm,
 * the object is read once to rebuild it. Only one request writes to a session at a time.
 */
#ifndef BERTH_REGISTRY_UPLOAD_H
#define BERTH_REGISTRY_UPLOAD_H

#include "base/codec.h"
#include "registry/core.h"

struct upload; /* an opened session: one caller at a time, until upload_release */

/* id: UUID text with NUL. alg: what the client announced, or DIGEST_SHA256.
 * Errors: REPO_UNKNOWN, LIMIT (too many uploads), STORAGE_FULL. */
MUST_CHECK bool upload_start(struct core *c, const struct registry_id *reg, struct str repo,
	enum digest_alg alg, char id[UUID_TEXT_LEN + 1], struct err *err);
/* Bytes that are durably there. Errors: REPO_UNKNOWN, UPLOAD_UNKNOWN. */
MUST_CHECK bool upload_status(struct core *c, const struct registry_id *reg, struct str repo,
	struct str id, uint64_t *size_bytes, struct err *err);
MUST_CHECK bool upload_cancel(struct core *c, const struct registry_id *reg, struct str repo,
	struct str id, struct err *err);

/* Takes the session for writing. Errors: REPO_UNKNOWN, UPLOAD_UNKNOWN, UPLOAD_BUSY. */
MUST_CHECK bool upload_take(struct core *c, const struct registry_id *reg, struct str repo,
	struct str id, struct upload **out, struct err *err);
/* Gives it back; what was written stays, durable or not as the last upload_sync left it. Accepts
 * NULL. */
void upload_release(struct upload *u);

uint64_t upload_size(const struct upload *u);
/* So many bytes more will come: for those who watch (upload_list). A promise that nobody relies on.
 */
void upload_expect(struct upload *u, uint64_t more_bytes);
/* Whether a layer of size_bytes may grow by more_bytes; to refuse a part before it comes. Errors:
 * TOO_LARGE. */
MUST_CHECK bool upload_may_grow(
	const struct core *c, uint64_t size_bytes, uint64_t more_bytes, struct err *err);
/* Errors: STORAGE_FULL, TOO_LARGE. */
MUST_CHECK bool upload_write(struct upload *u, const void *bytes, size_t len, struct err *err);
/* Makes what was written durable (before a part is acknowledged). */
MUST_CHECK bool upload_sync(struct upload *u, struct err *err);
/* ECR API only: there may be another part. Errors: QUOTA. */
MUST_CHECK bool upload_may_add_part(const struct upload *u, struct err *err);
/* ECR API only: a part was written. After one shorter than 5 MiB a later part makes finishing fail
 * with UPLOAD_PART_TOO_SMALL. */
MUST_CHECK bool upload_note_part(struct upload *u, uint64_t part_bytes, struct err *err);

struct upload_result {
	uint64_t size_bytes;
	bool was_there;    /* the repository held the blob already */
	bool deduplicated; /* the pool did: these bytes were dropped */
};

/* Verifies, makes durable, and in one transaction adds blob and link and ends the session. u stays
 * to be released. Errors: DIGEST_MISMATCH (the session is kept), REPO_UNKNOWN (deleted meanwhile),
 * UPLOAD_PART_TOO_SMALL. */
MUST_CHECK bool upload_finish(struct upload *u, const struct digest *expected,
	struct upload_result *out, struct err *err);

#endif
