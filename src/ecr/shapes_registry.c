/* shapes_registry.c - inputs of what belongs to a registry, or says how its repositories are to be.
 */
#include "ecr/patterns.h"
#include "ecr/shapes.h"
#include "ecr/shapes_priv.h"

/* clang-format off */

/* Values. */

static const struct shape repository_policy = { "RepositoryPolicyText", .type = SHAPE_STRING, .max = 10240 };
static const struct shape registry_policy = { "RegistryPolicyText", .type = SHAPE_STRING, .max = 10240 };
static const struct shape template_lifecycle = { "LifecyclePolicyTextForRepositoryCreationTemplate", .type = SHAPE_STRING, .max = 30720 };
static const struct shape prefix = { "Prefix", .type = SHAPE_STRING, .min = 1, .max = 256, .pattern = &pattern_prefix };
static const struct shape description = { "RepositoryTemplateDescription", .type = SHAPE_STRING, .max = 256 };
static const struct shape role_arn = { "CustomRoleArn", .type = SHAPE_STRING, .max = 2048 };
static const struct shape template_kms_key = { "KmsKeyForRepositoryCreationTemplate", .type = SHAPE_STRING, .max = 2048,
	.pattern = &pattern_template_kms_key };
static const struct shape applied_for = { "RCTAppliedFor", ENUM("REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH") };
static const struct shape scan_type = { "ScanType", ENUM("BASIC", "ENHANCED") };
static const struct shape scan_frequency = { "ScanFrequency", ENUM("SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL") };
static const struct shape scan_filter_type = { "ScanningRepositoryFilterType", ENUM("WILDCARD") };
static const struct shape scan_filter_value = { "ScanningRepositoryFilterValue", .type = SHAPE_STRING, .min = 1, .max = 255,
	.pattern = &pattern_scan_filter };

/* Structures and lists of values. */

static const struct shape prefixes = { "PrefixList", LIST_OF(prefix), .min = 1, .max = 100 };
static const struct shape uses = { "RCTAppliedForList", LIST_OF(applied_for) };
static const struct shape template_encryption = { "EncryptionConfigurationForRepositoryCreationTemplate",
	STRUCTURE({ "encryptionType", &value_encryption_type, true }, { "kmsKey", &template_kms_key, false }) };
static const struct shape scan_filter = { "ScanningRepositoryFilter",
	STRUCTURE({ "filter", &scan_filter_value, true }, { "filterType", &scan_filter_type, true }) };
static const struct shape scan_filters = { "ScanningRepositoryFilterList", LIST_OF(scan_filter), .max = 100 };
static const struct shape scan_rule = { "RegistryScanningRule",
	STRUCTURE({ "scanFrequency", &scan_frequency, true }, { "repositoryFilters", &scan_filters, true }) };
static const struct shape scan_rules = { "RegistryScanningRuleList", LIST_OF(scan_rule), .max = 2 };
static const struct shape few_repository_names = { "ScanningConfigurationRepositoryNameList", LIST_OF(value_repository_name), .min = 1, .max = 25 };

/* Inputs. */

/* Members of a template beside its prefix and what it is applied for. */
#define TEMPLATE \
	{ "description", &description, false }, { "encryptionConfiguration", &template_encryption, false }, \
	{ "resourceTags", &value_tag_list, false }, { "imageTagMutability", &value_tag_mutability, false }, \
	{ "imageTagMutabilityExclusionFilters", &value_exclusion_filters, false }, \
	{ "repositoryPolicy", &repository_policy, false }, { "lifecyclePolicy", &template_lifecycle, false }, \
	{ "customRoleArn", &role_arn, false }

const struct shape shape_batch_get_repository_scanning_configuration = { "BatchGetRepositoryScanningConfiguration",
	STRUCTURE({ "repositoryNames", &few_repository_names, true }) };
const struct shape shape_create_repository_creation_template = { "CreateRepositoryCreationTemplate",
	STRUCTURE({ "prefix", &prefix, true }, TEMPLATE, { "appliedFor", &uses, true }) };
const struct shape shape_delete_registry_policy = { "DeleteRegistryPolicy", STRUCTURE({ 0 }) };
const struct shape shape_delete_repository_creation_template = { "DeleteRepositoryCreationTemplate",
	STRUCTURE({ "prefix", &prefix, true }) };
const struct shape shape_delete_repository_policy = { "DeleteRepositoryPolicy", STRUCTURE(PLACE) };
const struct shape shape_describe_registry = { "DescribeRegistry", STRUCTURE({ 0 }) };
const struct shape shape_describe_repository_creation_templates = { "DescribeRepositoryCreationTemplates",
	STRUCTURE({ "prefixes", &prefixes, false }, { "nextToken", &value_next_token, false },
		{ "maxResults", &value_max_results, false }) };
const struct shape shape_get_registry_policy = { "GetRegistryPolicy", STRUCTURE({ 0 }) };
const struct shape shape_get_registry_scanning_configuration = { "GetRegistryScanningConfiguration", STRUCTURE({ 0 }) };
const struct shape shape_get_repository_policy = { "GetRepositoryPolicy", STRUCTURE(PLACE) };
const struct shape shape_put_image_scanning_configuration = { "PutImageScanningConfiguration",
	STRUCTURE(PLACE, { "imageScanningConfiguration", &value_scanning, true }) };
const struct shape shape_put_registry_policy = { "PutRegistryPolicy",
	STRUCTURE({ "policyText", &registry_policy, true }) };
const struct shape shape_put_registry_scanning_configuration = { "PutRegistryScanningConfiguration",
	STRUCTURE({ "scanType", &scan_type, false }, { "rules", &scan_rules, false }) };
const struct shape shape_set_repository_policy = { "SetRepositoryPolicy",
	STRUCTURE(PLACE, { "policyText", &repository_policy, true }, { "force", &value_force_flag, false }) };
const struct shape shape_update_repository_creation_template = { "UpdateRepositoryCreationTemplate",
	STRUCTURE({ "prefix", &prefix, true }, TEMPLATE, { "appliedFor", &uses, false }) };
