/*
 * scanning.h - which repositories are to be scanned, and when: the registry's rules. What is
 * configured here is kept and told; Berth itself has no scanner.
 */
#ifndef BERTH_REGISTRY_SCANNING_H
#define BERTH_REGISTRY_SCANNING_H

#include "registry/core.h"

enum scan_type { SCAN_BASIC = 1, SCAN_ENHANCED = 2 }; /* stored */

enum scan_frequency {
	SCAN_MANUAL = 1,
	SCAN_ON_PUSH = 2,
	SCAN_CONTINUOUS = 3
}; /* stored; by strength */

#define SCAN_RULES_MAX   2
#define SCAN_FILTERS_MAX 100 /* of one rule */

struct scan_rule {
	enum scan_frequency frequency;
	const struct str *filters; /* WILDCARD */
	size_t filter_count;
};

struct scanning {
	enum scan_type type;
	struct scan_rule rules[SCAN_RULES_MAX];
	size_t rule_count;
};

/* Basic scanning and no rule where it was never set. */
MUST_CHECK bool scanning_get(struct core *c, const struct registry_id *reg, struct arena *arena,
	struct scanning *out, struct err *err);
/* Errors: INVALID when the rules do not go together. */
MUST_CHECK bool scanning_put(
	struct core *c, const struct registry_id *reg, const struct scanning *in, struct err *err);

/* A filter with a star is a pattern of the whole name; one without is contained in it. Pure. */
bool scanning_filter_matches(struct str filter, struct str repo);
/* The rule that applies to the repository: of several, that with the greater frequency. NULL: none.
 * Pure. */
const struct scan_rule *scanning_rule(const struct scanning *s, struct str repo);

#endif
