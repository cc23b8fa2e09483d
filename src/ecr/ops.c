#include "ecr/ops.h"

#include "ecr/shapes.h"

#define BODY_MAX        (64 * KIB)
#define POLICY_BODY_MAX (192 * KIB) /* 30,720 characters, sixfold if all is \u escapes */
#define IMAGE_BODY_MAX \
	(12 * MIB + 64 * KIB) /* PutImage: 4 MiB of manifest, threefold if all is \u escapes */
#define PART_BODY_MAX (28 * MIB + 64 * KIB) /* UploadLayerPart: 20 MiB in base64, and the rest */

#define HTTP_OP(op_name, max)                                                                      \
	{                                                                                          \
		.name = (op_name), .run = HTTP_WORKER, .body = HTTP_BODY_WHOLE, .body_max = (max), \
		.handle = ecr_serve, .too_large = ecr_refuse_large                                 \
	}
#define OP(op_name, op_resource, max, shape, handler)                                          \
	{                                                                                      \
		.http = HTTP_OP(op_name, max), .action = "ecr:" op_name,                       \
		.resource = ECR_RESOURCE_##op_resource, .input = &(shape), .handle = (handler) \
	}
/* ECR has it, Berth does not yet. */
#define NOT_YET(op_name)                                                      \
	{                                                                     \
		.http = HTTP_OP(op_name, BODY_MAX), .action = "ecr:" op_name, \
		.resource = ECR_RESOURCE_ANY                                  \
	}

/* By name in byte order, for the binary search. */
static const struct ecr_op ops[] = {
	/* clang-format off */
	OP("BatchCheckLayerAvailability", REPOSITORY, BODY_MAX, shape_batch_check_layer_availability, ecr_batch_check_layer_availability),
	OP("BatchDeleteImage", REPOSITORY, BODY_MAX, shape_batch_delete_image, ecr_batch_delete_image),
	OP("BatchGetImage", REPOSITORY, BODY_MAX, shape_batch_get_image, ecr_batch_get_image),
	OP("BatchGetRepositoryScanningConfiguration", HANDLER, BODY_MAX, shape_batch_get_repository_scanning_configuration, ecr_batch_get_repository_scanning_configuration),
	OP("CompleteLayerUpload", REPOSITORY, BODY_MAX, shape_complete_layer_upload, ecr_complete_layer_upload),
	NOT_YET("CreatePullThroughCacheRule"),
	OP("CreateRepository", REPOSITORY, BODY_MAX, shape_create_repository, ecr_create_repository),
	OP("CreateRepositoryCreationTemplate", ANY, BODY_MAX, shape_create_repository_creation_template, ecr_create_repository_creation_template),
	OP("DeleteLifecyclePolicy", REPOSITORY, BODY_MAX, shape_delete_lifecycle_policy, ecr_delete_lifecycle_policy),
	NOT_YET("DeletePullThroughCacheRule"),
	OP("DeleteRegistryPolicy", ANY, BODY_MAX, shape_delete_registry_policy, ecr_delete_registry_policy),
	OP("DeleteRepository", REPOSITORY, BODY_MAX, shape_delete_repository, ecr_delete_repository),
	OP("DeleteRepositoryCreationTemplate", ANY, BODY_MAX, shape_delete_repository_creation_template, ecr_delete_repository_creation_template),
	OP("DeleteRepositoryPolicy", REPOSITORY, BODY_MAX, shape_delete_repository_policy, ecr_delete_repository_policy),
	NOT_YET("DeleteSigningConfiguration"),
	OP("DeregisterPullTimeUpdateExclusion", ANY, BODY_MAX, shape_deregister_pull_time_update_exclusion, ecr_deregister_pull_time_update_exclusion),
	NOT_YET("DescribeImageReplicationStatus"),
	NOT_YET("DescribeImageScanFindings"),
	NOT_YET("DescribeImageSigningStatus"),
	OP("DescribeImages", REPOSITORY, BODY_MAX, shape_describe_images, ecr_describe_images),
	NOT_YET("DescribePullThroughCacheRules"),
	OP("DescribeRegistry", ANY, BODY_MAX, shape_describe_registry, ecr_describe_registry),
	NOT_YET("DescribeReplicationBackfillResults"),
	OP("DescribeRepositories", HANDLER, BODY_MAX, shape_describe_repositories, ecr_describe_repositories),
	OP("DescribeRepositoryCreationTemplates", ANY, BODY_MAX, shape_describe_repository_creation_templates, ecr_describe_repository_creation_templates),
	OP("GetAccountSetting", ANY, BODY_MAX, shape_get_account_setting, ecr_get_account_setting),
	OP("GetAuthorizationToken", ANY, BODY_MAX, shape_get_authorization_token, ecr_get_authorization_token),
	OP("GetDownloadUrlForLayer", REPOSITORY, BODY_MAX, shape_get_download_url_for_layer, ecr_get_download_url_for_layer),
	OP("GetLifecyclePolicy", REPOSITORY, BODY_MAX, shape_get_lifecycle_policy, ecr_get_lifecycle_policy),
	OP("GetLifecyclePolicyPreview", REPOSITORY, BODY_MAX, shape_get_lifecycle_policy_preview, ecr_get_lifecycle_policy_preview),
	OP("GetRegistryPolicy", ANY, BODY_MAX, shape_get_registry_policy, ecr_get_registry_policy),
	OP("GetRegistryScanningConfiguration", ANY, BODY_MAX, shape_get_registry_scanning_configuration, ecr_get_registry_scanning_configuration),
	OP("GetRepositoryPolicy", REPOSITORY, BODY_MAX, shape_get_repository_policy, ecr_get_repository_policy),
	NOT_YET("GetSigningConfiguration"),
	OP("InitiateLayerUpload", REPOSITORY, BODY_MAX, shape_initiate_layer_upload, ecr_initiate_layer_upload),
	/* The Service Authorization Reference has no action of its own for it. */
	{ .http = HTTP_OP("ListImageReferrers", BODY_MAX), .action = "ecr:BatchGetImage", .resource = ECR_RESOURCE_REPOSITORY,
		.input = &shape_list_image_referrers, .handle = ecr_list_image_referrers },
	OP("ListImages", REPOSITORY, BODY_MAX, shape_list_images, ecr_list_images),
	OP("ListPullTimeUpdateExclusions", ANY, BODY_MAX, shape_list_pull_time_update_exclusions, ecr_list_pull_time_update_exclusions),
	NOT_YET("ListReplicationBackfills"),
	OP("ListTagsForResource", HANDLER, BODY_MAX, shape_list_tags_for_resource, ecr_list_tags_for_resource),
	OP("PutAccountSetting", ANY, BODY_MAX, shape_put_account_setting, ecr_put_account_setting),
	OP("PutImage", REPOSITORY, IMAGE_BODY_MAX, shape_put_image, ecr_put_image),
	OP("PutImageScanningConfiguration", REPOSITORY, BODY_MAX, shape_put_image_scanning_configuration, ecr_put_image_scanning_configuration),
	OP("PutImageTagMutability", REPOSITORY, BODY_MAX, shape_put_image_tag_mutability, ecr_put_image_tag_mutability),
	OP("PutLifecyclePolicy", REPOSITORY, POLICY_BODY_MAX, shape_put_lifecycle_policy, ecr_put_lifecycle_policy),
	OP("PutRegistryPolicy", ANY, BODY_MAX, shape_put_registry_policy, ecr_put_registry_policy),
	OP("PutRegistryScanningConfiguration", ANY, BODY_MAX, shape_put_registry_scanning_configuration, ecr_put_registry_scanning_configuration),
	NOT_YET("PutReplicationConfiguration"),
	NOT_YET("PutSigningConfiguration"),
	OP("RegisterPullTimeUpdateExclusion", ANY, BODY_MAX, shape_register_pull_time_update_exclusion, ecr_register_pull_time_update_exclusion),
	OP("SetRepositoryPolicy", REPOSITORY, BODY_MAX, shape_set_repository_policy, ecr_set_repository_policy),
	NOT_YET("StartImageScan"),
	OP("StartLifecyclePolicyPreview", REPOSITORY, POLICY_BODY_MAX, shape_start_lifecycle_policy_preview, ecr_start_lifecycle_policy_preview),
	NOT_YET("StartReplicationBackfill"),
	NOT_YET("StopReplicationBackfill"),
	OP("TagResource", HANDLER, BODY_MAX, shape_tag_resource, ecr_tag_resource),
	OP("UntagResource", HANDLER, BODY_MAX, shape_untag_resource, ecr_untag_resource),
	OP("UpdateImageStorageClass", REPOSITORY, BODY_MAX, shape_update_image_storage_class, ecr_update_image_storage_class),
	NOT_YET("UpdatePullThroughCacheRule"),
	OP("UpdateRepositoryCreationTemplate", ANY, BODY_MAX, shape_update_repository_creation_template, ecr_update_repository_creation_template),
	OP("UploadLayerPart", REPOSITORY, PART_BODY_MAX, shape_upload_layer_part, ecr_upload_layer_part),
	NOT_YET("ValidatePullThroughCacheRule"),
	/* clang-format on */
};

const struct ecr_op *ecr_op_find(struct str name)
{
	size_t low = 0;
	size_t high = ARRAY_LEN(ops);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = str_cmp(name, str_from(ops[mid].http.name));
		if (order == 0)
			return &ops[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct ecr_op *ecr_op_at(size_t i)
{
	return i < ARRAY_LEN(ops) ? &ops[i] : NULL;
}
