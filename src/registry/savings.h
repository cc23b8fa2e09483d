/*
 * savings.h - what sharing saves, from incremental accounting (no scan of layers).
 * logical: what the repositories would hold without sharing; stored: what the pool keeps; saved =
 * logical - stored. Each stored blob is accounted to exactly one of the repositories that hold it,
 * so the columns add up.
 */
#ifndef BERTH_REGISTRY_SAVINGS_H
#define BERTH_REGISTRY_SAVINGS_H

#include "registry/core.h"
#include "registry/repo.h"

struct savings_total {
	uint64_t repositories, images, blobs, links;
	uint64_t logical_bytes, stored_bytes; /* stored: of blobs that some repository holds; those
						 that wait are apart */
	uint64_t waiting_bytes; /* held by no repository any more, not yet collected */
};

/* All registries: calls fn for each registry that has repositories, until it returns false. */
typedef bool (*savings_registry_fn)(
	void *arg, const struct registry_id *reg, const struct savings_total *total);
MUST_CHECK bool savings_registries(
	struct core *c, savings_registry_fn fn, void *arg, struct err *err);
/* Of one registry. Repositories come from repo_list (logical_bytes, stored_bytes). */
MUST_CHECK bool savings_total(
	struct core *c, const struct registry_id *reg, struct savings_total *out, struct err *err);

#endif
