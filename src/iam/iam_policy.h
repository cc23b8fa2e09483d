/* iam_policy.h - versions of customer managed policies, and all documents that decide for one
 * principal. Errors and threads as in iam.h. */
#ifndef BERTH_IAM_IAM_POLICY_H
#define BERTH_IAM_IAM_POLICY_H

#include "iam/iam.h"

#define IAM_VERSIONS_MAX 5

struct iam_version {
	int64_t number; /* "v1" */
	struct str document;
	bool is_default;
	int64_t created_at_ms;
};

MUST_CHECK bool iam_version_add(struct iam *i, const struct iam_ref *policy, struct str document,
	bool make_default, struct iam_version *out, struct err *err);
/* number 0: the default version. */
MUST_CHECK bool iam_version_get(struct iam *i, const struct iam_ref *policy, int64_t number,
	struct arena *arena, struct iam_version *out, struct err *err);
/* Newest first; out has room for IAM_VERSIONS_MAX. */
MUST_CHECK bool iam_version_list(struct iam *i, const struct iam_ref *policy, struct arena *arena,
	struct iam_version *out, size_t *out_n, struct err *err);
MUST_CHECK bool iam_version_set_default(
	struct iam *i, const struct iam_ref *policy, int64_t number, struct err *err);
MUST_CHECK bool iam_version_remove(
	struct iam *i, const struct iam_ref *policy, int64_t number, struct err *err);

/* A managed policy: its text, or, when it is one of AWS's own, only its ARN (text.ptr NULL). */
struct iam_document {
	struct str arn; /* empty: an inline policy */
	struct str text;
};

/* What decides for a user or role, from one snapshot. */
struct iam_identity {
	struct iam_entity entity;
	const struct iam_document *documents; /* inline, attached, and those of a user's groups */
	size_t document_count;
	bool has_boundary;
	struct iam_document boundary; /* text.ptr NULL and no ARN of AWS: it is gone, nothing is
					 allowed */
	struct iam_tags tags;
};

/* *found false: the entity is gone. */
MUST_CHECK bool iam_identity_load(struct iam *i, int64_t entity_id, struct arena *arena,
	struct iam_identity *out, bool *found, struct err *err);
/* The default version of a policy of the account, by ARN; ptr NULL: there is none. */
MUST_CHECK bool iam_document_find(struct iam *i, struct str account, struct str arn,
	struct arena *arena, struct str *out, struct err *err);

#endif
