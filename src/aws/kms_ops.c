#include "aws/kms_ops.h"

#define BODY_MAX (256 * KIB) /* a key policy has 128 KiB of characters */

#define OP(op_name, shape, handler)                      \
	{                                                \
		.http = { .name = (op_name),             \
			.run = HTTP_WORKER,              \
			.body = HTTP_BODY_WHOLE,         \
			.body_max = BODY_MAX,            \
			.handle = kms_serve,             \
			.too_large = kms_refuse_large }, \
		.input = &(shape), .handle = (handler)   \
	}
#define SILENT(op_name, shape, handler)                                   \
	{                                                                 \
		.http = { .name = (op_name),                              \
			.run = HTTP_WORKER,                               \
			.body = HTTP_BODY_WHOLE,                          \
			.body_max = BODY_MAX,                             \
			.handle = kms_serve,                              \
			.too_large = kms_refuse_large },                  \
		.input = &(shape), .handle = (handler), .is_silent = true \
	}

static bool is_alias_text(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == ':' || c == '/' || c == '_' || c == '-'))
			return false;
	}
	return s.len != 0;
}

static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '_'))
			return false;
	}
	return s.len != 0;
}

/* Latin-1 without control characters, as UTF-8. */
static bool is_latin(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c < ' ' || c > 0xc3)
			return false;
	}
	return true;
}

static const struct shape_pattern pattern_word = { "[\\w]+", is_word };
static const struct shape_pattern pattern_latin = { "[\\u0020-\\u00FF]*", is_latin };
static const struct shape_pattern pattern_alias = { "^[a-zA-Z0-9:/_-]+$", is_alias_text };

/* clang-format off */

/* Values. */
static const struct shape key_id = { "KeyIdType", .type = SHAPE_STRING, .min = 1, .max = 2048 };
static const struct shape alias_name = { "AliasNameType", .type = SHAPE_STRING, .min = 1, .max = 256, .pattern = &pattern_alias };
static const struct shape description = { "DescriptionType", .type = SHAPE_STRING, .max = 8192 };
static const struct shape policy = { "PolicyType", .type = SHAPE_STRING, .min = 1, .max = 131072 };
static const struct shape policy_name = { "PolicyNameType", .type = SHAPE_STRING, .min = 1, .max = 128, .pattern = &pattern_word };
static const struct shape key_usage = { "KeyUsageType",
	ENUM("SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE") };
static const struct shape key_spec = { "KeySpec",
	ENUM("RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1",
		"SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87",
		"ECC_NIST_EDWARDS25519", "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024") };
static const struct shape origin = { "OriginType", ENUM("AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE") };
static const struct shape flag = { "BooleanType", .type = SHAPE_BOOL };
static const struct shape store_id = { "CustomKeyStoreIdType", .type = SHAPE_STRING, .min = 1, .max = 64 };
static const struct shape xks_id = { "XksKeyIdType", .type = SHAPE_STRING, .min = 1, .max = 128 };
static const struct shape tag_key = { "TagKeyType", .type = SHAPE_STRING, .min = 1, .max = 128 };
static const struct shape tag_value = { "TagValueType", .type = SHAPE_STRING, .max = 256 };
static const struct shape grant_token = { "GrantTokenType", .type = SHAPE_STRING, .min = 1, .max = 8192 };
static const struct shape marker = { "MarkerType", .type = SHAPE_STRING, .min = 1, .max = 1024, .pattern = &pattern_latin };
static const struct shape limit = { "LimitType", .type = SHAPE_INT, .min = 1, .max = 1000 };
static const struct shape limit_100 = { "LimitType", .type = SHAPE_INT, .min = 1, .max = 100 };
static const struct shape limit_50 = { "LimitType", .type = SHAPE_INT, .min = 1, .max = 50 };
static const struct shape owner = { "ResourceOwnerType", ENUM("SELF", "OTHER_ACCOUNTS_VIA_RAM") };
static const struct shape window = { "PendingWindowInDaysType", .type = SHAPE_INT, .min = 7, .max = 30 };
static const struct shape period = { "RotationPeriodInDaysType", .type = SHAPE_INT, .min = 90, .max = 2560 };
static const struct shape include = { "IncludeKeyMaterial", ENUM("ALL_KEY_MATERIAL", "ROTATIONS_ONLY") };
static const struct shape plaintext = { "PlaintextType", .type = SHAPE_BLOB, .min = 1, .max = 4096 };
static const struct shape ciphertext = { "CiphertextType", .type = SHAPE_BLOB, .min = 1, .max = 6144 };
static const struct shape context_value = { "EncryptionContextValue", .type = SHAPE_STRING };
static const struct shape algorithm = { "EncryptionAlgorithmSpec",
	ENUM("SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE") };
static const struct shape byte_count = { "NumberOfBytesType", .type = SHAPE_INT, .min = 1, .max = 1024 };
static const struct shape data_key_spec = { "DataKeySpec", ENUM("AES_256", "AES_128") };
static const struct shape any_text = { "String", .type = SHAPE_STRING };

/* Lists, maps and structures of values. */
static const struct shape tag = { "Tag", STRUCTURE({ "TagKey", &tag_key, true }, { "TagValue", &tag_value, true }) };
static const struct shape tags = { "TagList", LIST_OF(tag) };
static const struct shape tag_keys = { "TagKeyList", LIST_OF(tag_key) };
static const struct shape grant_tokens = { "GrantTokenList", LIST_OF(grant_token), .max = 10 };
static const struct shape owners = { "ResourceOwnersList", LIST_OF(owner), .min = 1, .max = 2 };
static const struct shape context = { "EncryptionContextType", MAP_OF(context_value) };
static const struct shape recipient = { "RecipientInfo", STRUCTURE({ "KeyEncryptionAlgorithm", &any_text, false }) };

/* Inputs. */
#define KEY   { "KeyId", &key_id, true }
#define PAGE  { "Marker", &marker, false }, { "Limit", &limit, false }
#define GRANT { "GrantTokens", &grant_tokens, false }, { "DryRun", &flag, false }

static const struct shape in_key = { "KeyRequest", STRUCTURE(KEY) };
static const struct shape in_create_key = { "CreateKeyRequest",
	STRUCTURE({ "Policy", &policy, false }, { "Description", &description, false }, { "KeyUsage", &key_usage, false },
		{ "CustomerMasterKeySpec", &key_spec, false }, { "KeySpec", &key_spec, false }, { "Origin", &origin, false },
		{ "CustomKeyStoreId", &store_id, false }, { "BypassPolicyLockoutSafetyCheck", &flag, false },
		{ "Tags", &tags, false }, { "MultiRegion", &flag, false }, { "XksKeyId", &xks_id, false }) };
static const struct shape in_describe_key = { "DescribeKeyRequest", STRUCTURE(KEY, { "GrantTokens", &grant_tokens, false }) };
static const struct shape in_list_keys = { "ListKeysRequest", STRUCTURE(PAGE, { "ResourceOwners", &owners, false }) };
static const struct shape in_description = { "UpdateKeyDescriptionRequest", STRUCTURE(KEY, { "Description", &description, true }) };
static const struct shape in_deletion = { "ScheduleKeyDeletionRequest", STRUCTURE(KEY, { "PendingWindowInDays", &window, false }) };
static const struct shape in_get_policy = { "GetKeyPolicyRequest", STRUCTURE(KEY, { "PolicyName", &policy_name, false }) };
static const struct shape in_key_page = { "KeyPageRequest", STRUCTURE(KEY, PAGE) };
static const struct shape in_rotation = { "EnableKeyRotationRequest", STRUCTURE(KEY, { "RotationPeriodInDays", &period, false }) };
static const struct shape in_rotations = { "ListKeyRotationsRequest", STRUCTURE(KEY, PAGE, { "IncludeKeyMaterial", &include, false }) };
static const struct shape in_alias = { "AliasRequest", STRUCTURE({ "AliasName", &alias_name, true }, { "TargetKeyId", &key_id, true }) };
static const struct shape in_delete_alias = { "DeleteAliasRequest", STRUCTURE({ "AliasName", &alias_name, true }) };
static const struct shape in_list_aliases = { "ListAliasesRequest",
	STRUCTURE({ "KeyId", &key_id, false }, { "Limit", &limit_100, false }, { "Marker", &marker, false }) };
static const struct shape in_tag = { "TagResourceRequest", STRUCTURE(KEY, { "Tags", &tags, true }) };
static const struct shape in_untag = { "UntagResourceRequest", STRUCTURE(KEY, { "TagKeys", &tag_keys, true }) };
static const struct shape in_list_tags = { "ListResourceTagsRequest",
	STRUCTURE(KEY, { "Limit", &limit_50, false }, { "Marker", &marker, false }) };
static const struct shape in_encrypt = { "EncryptRequest",
	STRUCTURE(KEY, { "Plaintext", &plaintext, true }, { "EncryptionContext", &context, false },
		{ "EncryptionAlgorithm", &algorithm, false }, GRANT) };
static const struct shape in_decrypt = { "DecryptRequest",
	STRUCTURE({ "CiphertextBlob", &ciphertext, true }, { "KeyId", &key_id, false }, { "EncryptionContext", &context, false },
		{ "EncryptionAlgorithm", &algorithm, false }, { "Recipient", &recipient, false }, GRANT) };
static const struct shape in_re_encrypt = { "ReEncryptRequest",
	STRUCTURE({ "CiphertextBlob", &ciphertext, true }, { "SourceEncryptionContext", &context, false },
		{ "SourceKeyId", &key_id, false }, { "DestinationKeyId", &key_id, true },
		{ "DestinationEncryptionContext", &context, false }, { "SourceEncryptionAlgorithm", &algorithm, false },
		{ "DestinationEncryptionAlgorithm", &algorithm, false }, GRANT) };
static const struct shape in_generate = { "GenerateDataKeyRequest",
	STRUCTURE(KEY, { "EncryptionContext", &context, false }, { "NumberOfBytes", &byte_count, false },
		{ "KeySpec", &data_key_spec, false }, { "Recipient", &recipient, false }, GRANT) };

/* By name in byte order, for the binary search. */
static const struct kms_op ops[] = {
	OP("CancelKeyDeletion", in_key, kms_cancel_key_deletion),
	SILENT("CreateAlias", in_alias, kms_create_alias),
	OP("CreateKey", in_create_key, kms_create_key),
	OP("Decrypt", in_decrypt, kms_op_decrypt),
	SILENT("DeleteAlias", in_delete_alias, kms_delete_alias),
	OP("DescribeKey", in_describe_key, kms_describe_key),
	SILENT("DisableKey", in_key, kms_disable_key),
	SILENT("DisableKeyRotation", in_key, kms_disable_key_rotation),
	SILENT("EnableKey", in_key, kms_enable_key),
	SILENT("EnableKeyRotation", in_rotation, kms_enable_key_rotation),
	OP("Encrypt", in_encrypt, kms_op_encrypt),
	OP("GenerateDataKey", in_generate, kms_op_generate_data_key),
	OP("GenerateDataKeyWithoutPlaintext", in_generate, kms_op_generate_data_key_without_plaintext),
	OP("GetKeyPolicy", in_get_policy, kms_get_key_policy),
	OP("GetKeyRotationStatus", in_key, kms_get_key_rotation_status),
	OP("ListAliases", in_list_aliases, kms_list_aliases),
	OP("ListKeyPolicies", in_key_page, kms_list_key_policies),
	OP("ListKeyRotations", in_rotations, kms_list_key_rotations),
	OP("ListKeys", in_list_keys, kms_list_keys),
	OP("ListResourceTags", in_list_tags, kms_list_resource_tags),
	OP("ReEncrypt", in_re_encrypt, kms_op_re_encrypt),
	OP("RotateKeyOnDemand", in_key, kms_rotate_key_on_demand),
	OP("ScheduleKeyDeletion", in_deletion, kms_schedule_key_deletion),
	SILENT("TagResource", in_tag, kms_tag_resource),
	SILENT("UntagResource", in_untag, kms_untag_resource),
	SILENT("UpdateAlias", in_alias, kms_update_alias),
	SILENT("UpdateKeyDescription", in_description, kms_update_key_description),
};

/* clang-format on */

const struct kms_op *kms_op_find(struct str name)
{
	size_t low = 0;
	size_t high = ARRAY_LEN(ops);
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = str_cmp(name, str_from(ops[middle].http.name));
		if (order == 0)
			return &ops[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
