/* managed_policies.h - AWS's managed policies for ECR, as constants. */
#ifndef BERTH_AUTH_MANAGED_POLICIES_H
#define BERTH_AUTH_MANAGED_POLICIES_H

#include "base/str.h"

struct managed_policy {
	const char *name;
	const char *arn; /* arn:aws:iam::aws:policy/<name> */
	const char *policy_id;
	const char *description;
	const char *version; /* the default version: "v3" */
	int64_t created_at_ms, updated_at_ms;
	const char *document; /* an identity policy */
};

#define MANAGED_POLICY_COUNT 4
extern const struct managed_policy managed_policies[MANAGED_POLICY_COUNT];

/* NULL when there is none of that ARN. */
const struct managed_policy *managed_policy_find(struct str arn);

#endif
