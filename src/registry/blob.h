/* blob.h - the layers that a repository holds: look up, read, unlink. */
#ifndef BERTH_REGISTRY_BLOB_H
#define BERTH_REGISTRY_BLOB_H

#include "registry/core.h"
#include "store/blobstore.h"

struct blob_info {
	struct digest digest;
	uint64_t size_bytes;
	bool is_referenced; /* by an image of this repository */
	struct store_key key;
	int64_t pool_id, form; /* for blob_open */
};

/* Errors: REPO_UNKNOWN, BLOB_UNKNOWN. */
MUST_CHECK bool blob_stat(struct core *c, const struct registry_id *reg, struct str repo,
	const struct digest *d, struct blob_info *out, struct err *err);
/* Opens its bytes; close with blob_reader_close. Stays readable when the blob is deleted meanwhile.
 */
MUST_CHECK bool blob_open(struct core *c, const struct registry_id *reg, struct str repo,
	const struct digest *d, struct blob_info *info, struct blob_reader **out, struct err *err);
/* Removes this repository's link only. Errors: BLOB_IN_USE while an image of the repository needs
 * it. */
MUST_CHECK bool blob_unlink(struct core *c, const struct registry_id *reg, struct str repo,
	const struct digest *d, struct err *err);

#endif
