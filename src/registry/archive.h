/*
 * archive.h - storage classes of images: to the archive and back.
 *
 * An archived image keeps its bytes, its tags and its place in lists that ask for it, but nobody
 * can pull it. The way back takes a while (ECR: about 20 minutes); a push of the same manifest
 * brings it back at once.
 *
 * Invariant: what an active index names is active. So an image goes to the archive only after every
 * index that names it, and an index comes back together with what it names.
 */
#ifndef BERTH_REGISTRY_ARCHIVE_H
#define BERTH_REGISTRY_ARCHIVE_H

#include "registry/image.h"

struct archive_request {
	struct str repo;
	struct image_ref ref;
	bool to_archive; /* else to standard */
};

struct archive_result {
	struct digest digest;
	enum image_status status;
};

/* What is asked for may be so already: then nothing changes. Errors: REPO_UNKNOWN, IMAGE_UNKNOWN,
 * STORAGE_CLASS (an active index names it; it is on its way back). */
MUST_CHECK bool archive_update(struct core *c, const struct registry_id *reg,
	const struct archive_request *in, struct archive_result *out, struct err *err);

/* Whether only images that are not active need a layer of the repository. False for a layer or a
 * repository that is not there. */
MUST_CHECK bool archive_holds_layer(struct core *c, const struct registry_id *reg, struct str repo,
	const struct digest *d, bool *out, struct err *err);

#endif
