/*
 * shapes_priv.h - values of ECR's model that tables in more than one file have. For ecr/shapes*.c
 * only.
 */
#ifndef BERTH_ECR_SHAPES_PRIV_H
#define BERTH_ECR_SHAPES_PRIV_H

#include "front/shape.h"

#define PLACE                                                  \
	{ "registryId", &value_registry_id, false },           \
	{                                                      \
		"repositoryName", &value_repository_name, true \
	}

extern const struct shape value_registry_id;
extern const struct shape value_repository_name;
extern const struct shape value_tag_list;
extern const struct shape value_exclusion_filters;
extern const struct shape value_tag_mutability;
extern const struct shape value_encryption_type;
extern const struct shape value_scanning;
extern const struct shape value_next_token;
extern const struct shape value_max_results;
extern const struct shape value_force_flag;
extern const struct shape value_image_digest;
extern const struct shape value_image_tag;
extern const struct shape value_image_identifier;
extern const struct shape value_image_ids;
extern const struct shape value_tag_status;
extern const struct shape value_arn;
extern const struct shape value_kms_key;

#endif
