/* repo_options.h - what repositories and templates have in common, as input and as answer. Internal
 * to ecr/. */
#ifndef BERTH_ECR_REPO_OPTIONS_H
#define BERTH_ECR_REPO_OPTIONS_H

#include "ecr/call.h"
#include "registry/repo.h"

/* imageTagMutability with imageTagMutabilityExclusionFilters. */
struct mutability_input {
	enum mutability mode;
	struct str filters[REPO_FILTERS_MAX];
	size_t filter_count;
};

/* MUTABLE when absent. Errors: INVALID when mode and filters do not go together. */
MUST_CHECK bool mutability_parse(
	struct ecr_call *call, struct mutability_input *out, struct err *err);
void mutability_put(
	struct json_out *out, enum mutability mode, const struct str *filters, size_t filter_count);

/* encryptionConfiguration; AES256 when absent. */
struct encryption_input {
	enum enc_type type;
	struct str kms_key;
};

/* Errors: INVALID for a key with AES256. */
MUST_CHECK bool encryption_parse(
	struct ecr_call *call, struct encryption_input *out, struct err *err);
void encryption_put(struct json_out *out, enum enc_type type, struct str kms_key);

#endif
