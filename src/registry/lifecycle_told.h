/* lifecycle_told.h - for the audit log: what lifecycle policies did, and what previews found. */
#ifndef BERTH_REGISTRY_LIFECYCLE_TOLD_H
#define BERTH_REGISTRY_LIFECYCLE_TOLD_H

#include "base/digest.h"
#include "registry/core.h"
#include "registry/lifecycle_policy.h"

#define LIFECYCLE_TOLD_IMAGES 10  /* at once, as ECR's service events have them */
#define LIFECYCLE_TOLD_TAGS   100 /* of an image */

struct lifecycle_told_image {
	struct digest digest;
	int64_t pushed_at_ms;
	int32_t priority; /* of the rule */
	enum lifecycle_action action;
	struct str *tags;
	size_t tag_count;
};

struct lifecycle_told {
	struct str account, region, repository;
	bool is_preview;
	struct str policy; /* its text */
	int64_t version, evaluated_at_ms;
	const struct lifecycle_told_image *images;
	size_t count;
};

/* Called after each commit that acted, and after a preview, from the thread that runs lifecycles.
 * Must not wait. Set before anything runs. */
typedef void (*lifecycle_told_fn)(void *arg, const struct lifecycle_told *told);
void lifecycle_listen(struct core *c, lifecycle_told_fn fn, void *arg);

#endif
