/* resource_tags.h - the AWS tags of a repository as input. Internal to ecr/. */
#ifndef BERTH_ECR_RESOURCE_TAGS_H
#define BERTH_ECR_RESOURCE_TAGS_H

#include "ecr/call.h"
#include "registry/repo.h"

/* From a member that is a list of tags (absent: none). In the call's arena. Raises
 * InvalidTagParameterException, TooManyTagsException. */
MUST_CHECK bool resource_tags_parse(struct ecr_call *call, const char *member,
	struct repo_tag **out, size_t *out_n, struct err *err);
/* Raises TooManyTagsException with ECR's text; returns false. */
bool resource_tags_too_many(struct ecr_call *call, struct err *err);

#endif
