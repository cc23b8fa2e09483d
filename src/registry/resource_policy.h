/*
 * resource_policy.h - the policies that stand at a resource: one a repository, one a registry. As
 * text: what they mean is auth/'s business, and fronts have them compiled before they come here.
 *
 * Whoever keeps compiled policies (or repository tags, which conditions read) asks for the
 * generation first and for the facts then: facts that were read under an older generation than the
 * present one may be stale. It moves after each change that this process makes is durable, and
 * before the change is answered.
 */
#ifndef BERTH_REGISTRY_RESOURCE_POLICY_H
#define BERTH_REGISTRY_RESOURCE_POLICY_H

#include "registry/repo.h"

/* repo.ptr NULL, in all that follow: the registry's own policy. */

/* *out: ptr NULL when there is none. Errors: REPO_UNKNOWN. */
MUST_CHECK bool resource_policy_find(struct core *c, const struct registry_id *reg, struct str repo,
	struct arena *arena, struct str *out, struct err *err);
/* Errors: REPO_UNKNOWN. */
MUST_CHECK bool resource_policy_put(struct core *c, const struct registry_id *reg, struct str repo,
	struct str text, struct err *err);
/* *was: as it stood; ptr NULL when there was none. Errors: REPO_UNKNOWN. */
MUST_CHECK bool resource_policy_remove(struct core *c, const struct registry_id *reg,
	struct str repo, struct arena *arena, struct str *was, struct err *err);

uint64_t resource_policy_generation(const struct core *c);
/* For registry/: something that decisions read has changed. */
void resource_policy_changed(struct core *c);

/* What a decision about a resource reads. */
struct resource_facts {
	int64_t repository_id; /* 0: the registry itself, or no such repository */
	int64_t version;       /* of the policy in its registry; 0: none */
	struct str text;       /* ptr NULL: there is none, or it is the known version */
	const struct repo_tag *tags;
	size_t tag_count;
};

/* known_version: of which the caller has the text already. Errors: the shared ones only; an unknown
 * repository has no facts. */
MUST_CHECK bool resource_policy_facts(struct core *c, const struct registry_id *reg,
	struct str repo, int64_t known_version, struct arena *arena, struct resource_facts *out,
	struct err *err);

#endif
