/* iam_part.h - what an entity has several of: tags, inline policies, attached policies, client ids
 * and thumbprints. Errors and threads as in iam.h. */
#ifndef BERTH_IAM_IAM_PART_H
#define BERTH_IAM_IAM_PART_H

#include "iam/iam.h"

enum iam_part_kind {
	IAM_PART_TAG = 1,
	IAM_PART_INLINE,   /* name and document */
	IAM_PART_ATTACHED, /* ARN */
	IAM_PART_VERSION,  /* of a policy (iam_policy.h) */
	IAM_PART_CLIENT,   /* of an OIDC provider */
	IAM_PART_THUMBPRINT,
};

struct iam_part {
	struct str name, value;
	int64_t at_ms;
};

struct iam_part_page {
	const struct iam_ref *of;
	enum iam_part_kind kind;
	struct str after; /* a name; empty: from the start */
	unsigned limit;
};

/* By name; out points at *out_n parts in the arena. */
MUST_CHECK bool iam_part_list(struct iam *i, const struct iam_part_page *page, struct arena *arena,
	const struct iam_part **out, size_t *out_n, struct err *err);
/* Errors: NoSuchEntity for entity and part. */
MUST_CHECK bool iam_part_get(struct iam *i, const struct iam_ref *ref, enum iam_part_kind kind,
	struct str name, struct arena *arena, struct iam_part *out, struct err *err);

MUST_CHECK bool iam_tag_put(
	struct iam *i, const struct iam_ref *ref, struct iam_tags tags, struct err *err);
/* Names that are not there do not matter. */
MUST_CHECK bool iam_tag_remove(struct iam *i, const struct iam_ref *ref, const struct str *names,
	size_t count, struct err *err);

/* All inline policies of an entity together: users 2048 characters, groups 5120, roles 10240. */
MUST_CHECK bool iam_inline_put(struct iam *i, const struct iam_ref *ref, struct str name,
	struct str document, struct err *err);
MUST_CHECK bool iam_inline_remove(
	struct iam *i, const struct iam_ref *ref, struct str name, struct err *err);

/* is_aws: the caller has found it among AWS's own; else it must be a policy of ref's account.
 * Attaching twice is no failure. At most 10 an entity. */
MUST_CHECK bool iam_attach(struct iam *i, const struct iam_ref *ref, struct str policy_arn,
	bool is_aws, struct err *err);
MUST_CHECK bool iam_detach(
	struct iam *i, const struct iam_ref *ref, struct str policy_arn, struct err *err);
/* Of one type, the entities that have page->policy_arn attached, or are bounded by it. */
MUST_CHECK bool iam_attached_list(struct iam *i, const struct iam_list *page, struct arena *arena,
	const struct iam_entity **out, size_t *out_n, struct err *err);
MUST_CHECK bool iam_attached_count(struct iam *i, struct str account, struct str policy_arn,
	bool boundary, uint64_t *out, struct err *err);

/* Client ids and thumbprints of an OIDC provider. Adding twice and removing what is not there are
 * no failures. */
MUST_CHECK bool iam_client_add(
	struct iam *i, const struct iam_ref *ref, struct str client_id, struct err *err);
MUST_CHECK bool iam_client_remove(
	struct iam *i, const struct iam_ref *ref, struct str client_id, struct err *err);
MUST_CHECK bool iam_thumbprints_set(struct iam *i, const struct iam_ref *ref,
	const struct str *thumbprints, size_t count, struct err *err);

#endif
