/*
 * lifecycle_policy.h - the text of a lifecycle policy, checked strictly and compiled. Pure.
 *
 * Grammar and policy-level rules are ECR's (user guide, "Lifecycle policy properties"): unknown
 * properties are errors, so that a misspelled one never selects more than was meant.
 */
#ifndef BERTH_REGISTRY_LIFECYCLE_POLICY_H
#define BERTH_REGISTRY_LIFECYCLE_POLICY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define LIFECYCLE_RULES_MAX   50
#define LIFECYCLE_TEXT_MIN    100
#define LIFECYCLE_TEXT_MAX    30720
#define LIFECYCLE_ARENA_BYTES (2 * MIB) /* serves the largest text */

enum lifecycle_tags { LIFECYCLE_TAGGED, LIFECYCLE_UNTAGGED, LIFECYCLE_ANY };

enum lifecycle_class { LIFECYCLE_STANDARD, LIFECYCLE_ARCHIVE };

enum lifecycle_count {
	LIFECYCLE_COUNT_MORE_THAN,
	LIFECYCLE_SINCE_PUSHED,
	LIFECYCLE_SINCE_PULLED,
	LIFECYCLE_SINCE_TRANSITIONED
};

enum lifecycle_action { LIFECYCLE_EXPIRE = 1, LIFECYCLE_TRANSITION = 2 }; /* stored */

struct lifecycle_rule {
	int32_t priority;
	enum lifecycle_tags tags;
	bool are_prefixes;          /* what patterns are; each then ends with a star */
	const struct str *patterns; /* all of them must be met; sorted, without duplicates */
	size_t pattern_count;
	enum lifecycle_class class;
	enum lifecycle_count count;
	int32_t number; /* images, or days */
	enum lifecycle_action action;
};

struct lifecycle_policy {
	const struct lifecycle_rule *rules; /* by ascending priority: the first one wins */
	size_t rule_count;
	size_t pattern_count; /* of all rules together */
};

/* All in the arena, also the strings. Errors: INVALID in ECR's words ("Invalid parameter at
 * 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ...'").
 */
MUST_CHECK bool lifecycle_policy_parse(
	struct str text, struct arena *arena, struct lifecycle_policy *out, struct err *err);

/* Whether one tag meets a pattern of the rule. */
bool lifecycle_rule_meets(const struct lifecycle_rule *rule, size_t pattern, struct str tag);

#endif
