/*
 * resource_policies.h - what decisions read about repositories and registries: their policies,
 * compiled, and repositories' tags. Stands between auth/, which decides, and registry/, which keeps
 * the texts; neither knows the other.
 *
 * Invariants: what is handed out is immutable and counted; it is read anew when something that this
 * process changed has moved the generation (registry/resource_policy.h), or after
 * RESOURCE_FACTS_LIFE_MS (another process may have changed it). Memory is bounded: a table of fixed
 * size, in which the oldest of a set makes room. A policy that cannot be compiled is an error,
 * never "no policy". Locks are never held over a read of the database or a compilation. Threads:
 * safe.
 */
#ifndef BERTH_FRONT_RESOURCE_POLICIES_H
#define BERTH_FRONT_RESOURCE_POLICIES_H

#include "auth/auth.h"
#include "registry/core.h"

#define RESOURCE_FACTS_LIFE_MS 5000

struct resource_policies;

struct resource_policies *resource_policies_new(struct core *core); /* borrows core */
void resource_policies_free(struct resource_policies *p); /* accepts NULL; nothing may be held */

/* For auth_open. */
struct auth_policy_source resource_policies_source(struct resource_policies *p);

/* The repository's AWS tags, copied into the arena; none of one that does not exist. */
MUST_CHECK bool resource_policies_tags(struct resource_policies *p, const struct registry_id *reg,
	struct str repo, struct arena *arena, const struct auth_tag **out, size_t *out_n,
	struct err *err);

#endif
