#include "ecr/shapes.h"

#include "ecr/patterns.h"
#include "ecr/shapes_priv.h"

/* clang-format off */

/* Values. */

const struct shape value_registry_id = { "RegistryId", .type = SHAPE_STRING, .pattern = &pattern_registry_id };
const struct shape value_repository_name = { "RepositoryName", .type = SHAPE_STRING, .min = 2, .max = 256,
	.pattern = &pattern_repository_name };
const struct shape value_image_digest = { "ImageDigest", .type = SHAPE_STRING };
const struct shape value_image_tag = { "ImageTag", .type = SHAPE_STRING, .min = 1, .max = 300 };
static const struct shape image_manifest = { "ImageManifest", .type = SHAPE_STRING, .min = 1, .max = 4194304 };
static const struct shape media_type = { "MediaType", .type = SHAPE_STRING };
static const struct shape layer_digest = { "LayerDigest", .type = SHAPE_STRING, .pattern = &pattern_layer_digest };
static const struct shape batched_layer_digest = { "BatchedOperationLayerDigest", .type = SHAPE_STRING, .max = 1000 };
static const struct shape upload_id = { "UploadId", .type = SHAPE_STRING, .pattern = &pattern_upload_id };
static const struct shape part_size = { "PartSize", .type = SHAPE_LONG };
static const struct shape layer_part_blob = { "LayerPartBlob", .type = SHAPE_BLOB, .max = 20971520 };
const struct shape value_force_flag = { "ForceFlag", .type = SHAPE_BOOL };
const struct shape value_next_token = { "NextToken", .type = SHAPE_STRING };
const struct shape value_max_results = { "MaxResults", .type = SHAPE_INT, .min = 1, .max = 1000 };
static const struct shape fifty_max_results = { "FiftyMaxResults", .type = SHAPE_INT, .min = 1, .max = 50 };
const struct shape value_arn = { "Arn", .type = SHAPE_STRING };
static const struct shape tag_key = { "TagKey", .type = SHAPE_STRING };
static const struct shape tag_value = { "TagValue", .type = SHAPE_STRING };
static const struct shape setting_name = { "AccountSettingName", .type = SHAPE_STRING, .min = 1, .max = 64 };
static const struct shape setting_value = { "AccountSettingValue", .type = SHAPE_STRING };
const struct shape value_kms_key = { "KmsKey", .type = SHAPE_STRING, .min = 1, .max = 2048 };
static const struct shape scan_on_push = { "ScanOnPushFlag", .type = SHAPE_BOOL };
static const struct shape artifact_type = { "ArtifactType", .type = SHAPE_STRING, .min = 1, .max = 255 };

const struct shape value_encryption_type = { "EncryptionType", ENUM("AES256", "KMS", "KMS_DSSE") };
const struct shape value_tag_mutability = { "ImageTagMutability",
	ENUM("MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION") };
static const struct shape exclusion_type = { "ImageTagMutabilityExclusionFilterType", ENUM("WILDCARD") };
static const struct shape exclusion_value = { "ImageTagMutabilityExclusionFilterValue", .type = SHAPE_STRING, .min = 1, .max = 128,
	.pattern = &pattern_exclusion_filter };
const struct shape value_tag_status = { "TagStatus", ENUM("TAGGED", "UNTAGGED", "ANY") };
static const struct shape image_status = { "ImageStatusFilter", ENUM("ACTIVE", "ARCHIVED", "ACTIVATING", "ANY") };
static const struct shape artifact_status = { "ArtifactStatusFilter", ENUM("ACTIVE", "ARCHIVED", "ACTIVATING", "ANY") };

/* Structures and lists of values. */

static const struct shape tag = { "Tag", STRUCTURE({ "Key", &tag_key, true }, { "Value", &tag_value, true }) };
const struct shape value_tag_list = { "TagList", LIST_OF(tag) };
static const struct shape tag_key_list = { "TagKeyList", LIST_OF(tag_key) };
static const struct shape exclusion_filter = { "ImageTagMutabilityExclusionFilter",
	STRUCTURE({ "filterType", &exclusion_type, true }, { "filter", &exclusion_value, true }) };
const struct shape value_exclusion_filters = { "ImageTagMutabilityExclusionFilters", LIST_OF(exclusion_filter), .min = 1, .max = 5 };
const struct shape value_image_identifier = { "ImageIdentifier",
	STRUCTURE({ "imageDigest", &value_image_digest, false }, { "imageTag", &value_image_tag, false }) };
const struct shape value_image_ids = { "ImageIdentifierList", LIST_OF(value_image_identifier), .min = 1, .max = 100 };
static const struct shape media_types = { "MediaTypeList", LIST_OF(media_type), .min = 1, .max = 100 };
static const struct shape layer_digests = { "LayerDigestList", LIST_OF(layer_digest), .min = 1, .max = 100 };
static const struct shape batched_layer_digests = { "BatchedOperationLayerDigestList", LIST_OF(batched_layer_digest), .min = 1, .max = 100 };
static const struct shape repository_names = { "RepositoryNameList", LIST_OF(value_repository_name), .min = 1, .max = 100 };
static const struct shape registry_ids = { "GetAuthorizationTokenRegistryIdList", LIST_OF(value_registry_id), .min = 1, .max = 10 };
static const struct shape artifact_types = { "ArtifactTypeList", LIST_OF(artifact_type), .max = 5 };
const struct shape value_scanning = { "ImageScanningConfiguration", STRUCTURE({ "scanOnPush", &scan_on_push, false }) };
static const struct shape encryption = { "EncryptionConfiguration",
	STRUCTURE({ "encryptionType", &value_encryption_type, true }, { "kmsKey", &value_kms_key, false }) };
static const struct shape subject_identifier = { "SubjectIdentifier", STRUCTURE({ "imageDigest", &value_image_digest, true }) };
static const struct shape list_images_filter = { "ListImagesFilter",
	STRUCTURE({ "tagStatus", &value_tag_status, false }, { "imageStatus", &image_status, false }) };
static const struct shape describe_images_filter = { "DescribeImagesFilter",
	STRUCTURE({ "tagStatus", &value_tag_status, false }, { "imageStatus", &image_status, false }) };
static const struct shape referrers_filter = { "ListImageReferrersFilter",
	STRUCTURE({ "artifactTypes", &artifact_types, false }, { "artifactStatus", &artifact_status, false }) };

/* Inputs. */

const struct shape shape_batch_check_layer_availability = { "BatchCheckLayerAvailability",
	STRUCTURE(PLACE, { "layerDigests", &batched_layer_digests, true }) };
const struct shape shape_batch_delete_image = { "BatchDeleteImage",
	STRUCTURE(PLACE, { "imageIds", &value_image_ids, true }) };
const struct shape shape_batch_get_image = { "BatchGetImage",
	STRUCTURE(PLACE, { "imageIds", &value_image_ids, true }, { "acceptedMediaTypes", &media_types, false }) };
const struct shape shape_complete_layer_upload = { "CompleteLayerUpload",
	STRUCTURE(PLACE, { "uploadId", &upload_id, true }, { "layerDigests", &layer_digests, true }) };
const struct shape shape_create_repository = { "CreateRepository",
	STRUCTURE(PLACE, { "tags", &value_tag_list, false }, { "imageTagMutability", &value_tag_mutability, false },
		{ "imageTagMutabilityExclusionFilters", &value_exclusion_filters, false },
		{ "imageScanningConfiguration", &value_scanning, false }, { "encryptionConfiguration", &encryption, false }) };
const struct shape shape_delete_repository = { "DeleteRepository",
	STRUCTURE(PLACE, { "force", &value_force_flag, false }) };
const struct shape shape_describe_images = { "DescribeImages",
	STRUCTURE(PLACE, { "imageIds", &value_image_ids, false }, { "nextToken", &value_next_token, false },
		{ "maxResults", &value_max_results, false }, { "filter", &describe_images_filter, false }) };
const struct shape shape_describe_repositories = { "DescribeRepositories",
	STRUCTURE({ "registryId", &value_registry_id, false }, { "repositoryNames", &repository_names, false },
		{ "nextToken", &value_next_token, false }, { "maxResults", &value_max_results, false }) };
const struct shape shape_get_account_setting = { "GetAccountSetting",
	STRUCTURE({ "name", &setting_name, true }) };
const struct shape shape_get_authorization_token = { "GetAuthorizationToken",
	STRUCTURE({ "registryIds", &registry_ids, false }) };
const struct shape shape_get_download_url_for_layer = { "GetDownloadUrlForLayer",
	STRUCTURE(PLACE, { "layerDigest", &layer_digest, true }) };
const struct shape shape_initiate_layer_upload = { "InitiateLayerUpload", STRUCTURE(PLACE) };
const struct shape shape_list_image_referrers = { "ListImageReferrers",
	STRUCTURE(PLACE, { "subjectId", &subject_identifier, true }, { "filter", &referrers_filter, false },
		{ "nextToken", &value_next_token, false }, { "maxResults", &fifty_max_results, false }) };
const struct shape shape_list_images = { "ListImages",
	STRUCTURE(PLACE, { "nextToken", &value_next_token, false }, { "maxResults", &value_max_results, false },
		{ "filter", &list_images_filter, false }) };
const struct shape shape_list_tags_for_resource = { "ListTagsForResource",
	STRUCTURE({ "resourceArn", &value_arn, true }) };
const struct shape shape_put_account_setting = { "PutAccountSetting",
	STRUCTURE({ "name", &setting_name, true }, { "value", &setting_value, true }) };
const struct shape shape_put_image = { "PutImage",
	STRUCTURE(PLACE, { "imageManifest", &image_manifest, true }, { "imageManifestMediaType", &media_type, false },
		{ "imageTag", &value_image_tag, false }, { "imageDigest", &value_image_digest, false }) };
const struct shape shape_put_image_tag_mutability = { "PutImageTagMutability",
	STRUCTURE(PLACE, { "imageTagMutability", &value_tag_mutability, true },
		{ "imageTagMutabilityExclusionFilters", &value_exclusion_filters, false }) };
const struct shape shape_tag_resource = { "TagResource",
	STRUCTURE({ "resourceArn", &value_arn, true }, { "tags", &value_tag_list, true }) };
const struct shape shape_untag_resource = { "UntagResource",
	STRUCTURE({ "resourceArn", &value_arn, true }, { "tagKeys", &tag_key_list, true }) };
const struct shape shape_upload_layer_part = { "UploadLayerPart",
	STRUCTURE(PLACE, { "uploadId", &upload_id, true }, { "partFirstByte", &part_size, true },
		{ "partLastByte", &part_size, true }, { "layerPartBlob", &layer_part_blob, true }) };
