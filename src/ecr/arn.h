/* arn.h - repository ARNs as input: arn:aws:ecr:<region>:<account>:repository/<name>. Pure. */
#ifndef BERTH_ECR_ARN_H
#define BERTH_ECR_ARN_H

#include "base/err.h"
#include "registry/core.h"

/* Any partition (aws, aws-cn, aws-us-gov) is taken. Errors: INVALID, "Invalid parameter at
 * 'resourceArn' ... 'Invalid ARN'". */
MUST_CHECK bool arn_parse_repository(
	struct str text, struct registry_id *out_reg, struct str *out_repo, struct err *err);

#endif
