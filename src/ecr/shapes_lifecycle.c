/* shapes_lifecycle.c - inputs of lifecycle policies, storage classes and pull-time exclusions. */
#include "ecr/patterns.h"
#include "ecr/shapes.h"
#include "ecr/shapes_priv.h"

/* clang-format off */

/* Values. */

static const struct shape policy_text = { "LifecyclePolicyText", .type = SHAPE_STRING, .min = 100, .max = 30720 };
static const struct shape preview_max_results = { "LifecyclePreviewMaxResults", .type = SHAPE_INT, .min = 1, .max = 100 };
static const struct shape storage_class = { "TargetStorageClass", ENUM("STANDARD", "ARCHIVE") };
static const struct shape principal_arn = { "PrincipalArn", .type = SHAPE_STRING, .max = 200, .pattern = &pattern_principal_arn };
static const struct shape preview_filter = { "LifecyclePolicyPreviewFilter", STRUCTURE({ "tagStatus", &value_tag_status, false }) };

/* Inputs. */

const struct shape shape_delete_lifecycle_policy = { "DeleteLifecyclePolicy", STRUCTURE(PLACE) };
const struct shape shape_deregister_pull_time_update_exclusion = { "DeregisterPullTimeUpdateExclusion",
	STRUCTURE({ "principalArn", &principal_arn, true }) };
const struct shape shape_get_lifecycle_policy = { "GetLifecyclePolicy", STRUCTURE(PLACE) };
const struct shape shape_get_lifecycle_policy_preview = { "GetLifecyclePolicyPreview",
	STRUCTURE(PLACE, { "imageIds", &value_image_ids, false }, { "nextToken", &value_next_token, false },
		{ "maxResults", &preview_max_results, false }, { "filter", &preview_filter, false }) };
const struct shape shape_list_pull_time_update_exclusions = { "ListPullTimeUpdateExclusions",
	STRUCTURE({ "maxResults", &value_max_results, false }, { "nextToken", &value_next_token, false }) };
const struct shape shape_put_lifecycle_policy = { "PutLifecyclePolicy",
	STRUCTURE(PLACE, { "lifecyclePolicyText", &policy_text, true }) };
const struct shape shape_register_pull_time_update_exclusion = { "RegisterPullTimeUpdateExclusion",
	STRUCTURE({ "principalArn", &principal_arn, true }) };
const struct shape shape_start_lifecycle_policy_preview = { "StartLifecyclePolicyPreview",
	STRUCTURE(PLACE, { "lifecyclePolicyText", &policy_text, false }) };
const struct shape shape_update_image_storage_class = { "UpdateImageStorageClass",
	STRUCTURE(PLACE, { "imageId", &value_image_identifier, true }, { "targetStorageClass", &storage_class, true }) };
