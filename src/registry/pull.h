/*
 * pull.h - when images were last pulled, and whose pulls do not count.
 *
 * Pulls are noted in memory, at most one an hour and image, and written in batches: a pull waits
 * for nothing. A crash loses what was noted in the last second; ECR's own promise is 24 hours.
 */
#ifndef BERTH_REGISTRY_PULL_H
#define BERTH_REGISTRY_PULL_H

#include "registry/core.h"

#define PULL_EXCLUSIONS_MAX 100 /* ECR's quota, an account and Region */

/* image_id as image_get told it. principal: the ARN of who pulled. */
void pull_note(
	struct core *c, const struct registry_id *reg, int64_t image_id, struct str principal);
/* Writes what was noted. Called each second by a job, and by core_close. */
MUST_CHECK bool pull_flush(struct core *c, struct err *err);

struct pull_exclusion {
	struct str principal;
	int64_t created_at_ms;
};

struct pull_exclusion_page {
	struct pull_exclusion *items;
	size_t count;
	bool more; /* the next page starts after the last principal */
};

/* principal: a role's or user's ARN, validated by the front's tables. A role's exclusion covers its
 * sessions. Errors: EXCLUSION_EXISTS, LIMIT. */
MUST_CHECK bool pull_exclude(struct core *c, const struct registry_id *reg, struct str principal,
	int64_t *created_at_ms, struct err *err);
/* Errors: EXCLUSION_UNKNOWN. */
MUST_CHECK bool pull_include(
	struct core *c, const struct registry_id *reg, struct str principal, struct err *err);
/* In byte order, behind `after`. limit: 1..1000. */
MUST_CHECK bool pull_exclusions(struct core *c, const struct registry_id *reg, struct str after,
	unsigned limit, struct arena *arena, struct pull_exclusion_page *out, struct err *err);

/* For core.c. */
struct pull_set;
struct pull_set *pull_set_new(void);
void pull_set_free(struct pull_set *s);

/* Whether an exclusion covers a principal: the same ARN, or a session of the role. Pure. */
bool pull_is_covered(struct str exclusion, struct str principal);

#endif
