/*
 * The inputs of IAM's and STS's operations, as the services' models state them (iam/2010-05-08,
 * sts/2011-06-15): what each parameter must look like. Also parameters that Berth has no use for.
 */
#include "aws/query_input.h"

static bool is_word_char(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool is_of(struct str s, const char *others)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (!is_word_char(c) && (c == '\0' || strchr(others, c) == NULL))
			return false;
	}
	return true;
}

static bool is_between(struct str s, unsigned char low, unsigned char high)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c < low || c > high)
			return false;
	}
	return true;
}

/* The second byte of a character up to U+00FF is in no way to be told from others: those of three
 * and four bytes begin above 0xc3 (RFC 3629). */
static bool is_latin(struct str s, bool with_breaks)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c > 0xc3 ||
			(c < ' ' && !(with_breaks && (c == '\t' || c == '\n' || c == '\r'))))
			return false;
	}
	return true;
}

static bool is_name(struct str s)
{
	return is_of(s, "+=,.@-");
}

static bool is_word(struct str s)
{
	return is_of(s, "");
}

static bool is_external_id(struct str s)
{
	return is_of(s, "+=,.@:/-");
}

static bool is_digits(struct str s)
{
	return is_between(s, '0', '9');
}

static bool is_path(struct str s)
{
	return str_eq(s, STR("/")) ||
	       (s.len > 2 && s.ptr[0] == '/' && s.ptr[s.len - 1] == '/' && is_between(s, '!', '~'));
}

static bool is_policy_path(struct str s)
{
	bool was_slash = false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '/' && was_slash)
			return false;
		was_slash = s.ptr[i] == '/';
	}
	return s.len != 0 && s.ptr[0] == '/' && was_slash && is_of(s, ".,+@=-/");
}

static bool is_prefix(struct str s)
{
	return s.len != 0 && s.ptr[0] == '/' && is_between(s, '!', 0x7f);
}

/* v[1-9][0-9]*, and behind a dot what may be anything of [A-Za-z0-9-]. */
static bool is_version(struct str s)
{
	struct str number;
	struct str rest;
	bool has_rest = str_cut(s, '.', &number, &rest);
	return number.len > 1 && number.ptr[0] == 'v' && number.ptr[1] != '0' &&
	       is_digits(str_sub(number, 1, number.len)) &&
	       (!has_rest || (is_of(rest, "-") && str_find_char(rest, '_') == rest.len));
}

static bool is_document(struct str s)
{
	return is_latin(s, true);
}

static bool is_marker(struct str s)
{
	return is_latin(s, false);
}

static bool is_description(struct str s)
{
	for (size_t i = 0; i + 1 < s.len; i++) {
		/* U+0080 to U+00A0 */
		if ((unsigned char)s.ptr[i] == 0xc2 && (unsigned char)s.ptr[i + 1] <= 0xa0)
			return false;
	}
	return is_latin(s, true) && str_find_char(s, 0x7f) == s.len;
}

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = (char)(s.ptr[i] | 0x20);
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

static bool is_text(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
			return false;
	}
	return true;
}

/* Letters, spaces and digits of all scripts; characters beyond ASCII are not told apart. */
static bool is_tag(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c < 0x80 && !is_word_char(c) && (c == '\0' || strchr(" .:/=+-@", c) == NULL))
			return false;
	}
	return true;
}

/* clang-format off */

static const struct shape_pattern p_name = { "[\\w+=,.@-]+", is_name };
static const struct shape_pattern p_any_name = { "[\\w+=,.@-]*", is_name };
static const struct shape_pattern p_document = { "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+", is_document };
static const struct shape_pattern p_description = { "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*", is_description };
static const struct shape_pattern p_path = { "(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)", is_path };
static const struct shape_pattern p_prefix = { "\\u002F[\\u0021-\\u007F]*", is_prefix };
static const struct shape_pattern p_policy_path = { "((/[A-Za-z0-9\\.,\\+@=_-]+)*)/", is_policy_path };
static const struct shape_pattern p_tag_key = { "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+", is_tag };
static const struct shape_pattern p_tag_value = { "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", is_tag };
static const struct shape_pattern p_word = { "[\\w]+", is_word };
static const struct shape_pattern p_version = { "v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?", is_version };
static const struct shape_pattern p_marker = { "[\\u0020-\\u00FF]+", is_marker };
static const struct shape_pattern p_serial = { "[\\w+=/:,.@-]*", is_external_id };
static const struct shape_pattern p_hex = { "[0-9a-fA-F]*", is_hex }; /* ours: no other is a thumbprint */
static const struct shape_pattern p_digits = { "[\\d]*", is_digits };
static const struct shape_pattern p_external_id = { "[\\w+=,.@:\\/-]*", is_external_id };
static const struct shape_pattern p_text = { "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+", is_text };

static const struct shape v_arn = { "arnType", .type = SHAPE_STRING, .min = 20, .max = 2048 };
static const struct shape v_client_id = { "clientIDType", .type = SHAPE_STRING, .min = 1, .max = 255 };
static const struct shape v_group_name = { "groupNameType", .type = SHAPE_STRING, .min = 1, .max = 128, .pattern = &p_name };
static const struct shape v_existing_user_name = { "existingUserNameType", .type = SHAPE_STRING, .min = 1, .max = 128, .pattern = &p_name };
static const struct shape v_role_name = { "roleNameType", .type = SHAPE_STRING, .min = 1, .max = 64, .pattern = &p_name };
static const struct shape v_user_name = { "userNameType", .type = SHAPE_STRING, .min = 1, .max = 64, .pattern = &p_name };
static const struct shape v_path = { "pathType", .type = SHAPE_STRING, .min = 1, .max = 512, .pattern = &p_path };
static const struct shape v_oidc_provider_url = { "OpenIDConnectProviderUrlType", .type = SHAPE_STRING, .min = 1, .max = 255 };
static const struct shape v_client_id_list = { "clientIDListType", LIST_OF(v_client_id) };
static const struct shape v_thumbprint = { "thumbprintType", .type = SHAPE_STRING, .min = 40, .max = 40, .pattern = &p_hex };
static const struct shape v_thumbprint_list = { "thumbprintListType", LIST_OF(v_thumbprint) };
static const struct shape v_tag_key = { "tagKeyType", .type = SHAPE_STRING, .min = 1, .max = 128, .pattern = &p_tag_key };
static const struct shape v_tag_value = { "tagValueType", .type = SHAPE_STRING, .max = 256, .pattern = &p_tag_value };
static const struct shape v_tag = { "Tag", STRUCTURE({ "Key", &v_tag_key, true }, { "Value", &v_tag_value, true }) };
static const struct shape v_tag_list = { "tagListType", LIST_OF(v_tag), .max = 50 };
static const struct shape v_policy_name = { "policyNameType", .type = SHAPE_STRING, .min = 1, .max = 128, .pattern = &p_name };
static const struct shape v_policy_path = { "policyPathType", .type = SHAPE_STRING, .min = 1, .max = 512, .pattern = &p_policy_path };
static const struct shape v_policy_document = { "policyDocumentType", .type = SHAPE_STRING, .min = 1, .max = 131072, .pattern = &p_document };
static const struct shape v_policy_description = { "policyDescriptionType", .type = SHAPE_STRING, .max = 1000 };
static const struct shape v_boolean = { "booleanType", .type = SHAPE_BOOL };
static const struct shape v_role_description = { "roleDescriptionType", .type = SHAPE_STRING, .max = 1000, .pattern = &p_description };
static const struct shape v_role_max_session_duration = { "roleMaxSessionDurationType", .type = SHAPE_INT, .min = 3600, .max = 43200 };
static const struct shape v_access_key_id = { "accessKeyIdType", .type = SHAPE_STRING, .min = 16, .max = 128, .pattern = &p_word };
static const struct shape v_policy_version_id = { "policyVersionIdType", .type = SHAPE_STRING, .pattern = &p_version };
static const struct shape v_marker = { "markerType", .type = SHAPE_STRING, .min = 1, .max = 320, .pattern = &p_marker };
static const struct shape v_max_items = { "maxItemsType", .type = SHAPE_INT, .min = 1, .max = 1000 };
static const struct shape v_entity = { "EntityType", ENUM("User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy") };
static const struct shape v_policy_usage = { "PolicyUsageType", ENUM("PermissionsPolicy", "PermissionsBoundary") };
static const struct shape v_path_prefix = { "pathPrefixType", .type = SHAPE_STRING, .min = 1, .max = 512, .pattern = &p_prefix };
static const struct shape v_policy_scope = { "policyScopeType", ENUM("All", "AWS", "Local") };
static const struct shape v_service_name = { "serviceName", .type = SHAPE_STRING };
static const struct shape v_all_users = { "allUsers", .type = SHAPE_BOOL };
static const struct shape v_assignment_status = { "assignmentStatusType", ENUM("Assigned", "Unassigned", "Any") };
static const struct shape v_tag_key_list = { "tagKeyListType", LIST_OF(v_tag_key), .max = 50 };
static const struct shape v_status = { "statusType", ENUM("Active", "Inactive", "Expired") };
static const struct shape v_arn_sts = { "arnType", .type = SHAPE_STRING, .min = 20, .max = 2048, .pattern = &p_text };
static const struct shape v_role_session_name = { "roleSessionNameType", .type = SHAPE_STRING, .min = 2, .max = 64, .pattern = &p_any_name };
static const struct shape v_policy_descriptor = { "PolicyDescriptorType", STRUCTURE({ "arn", &v_arn_sts, false }) };
static const struct shape v_policy_descriptor_list = { "policyDescriptorListType", LIST_OF(v_policy_descriptor) };
static const struct shape v_unrestricted_session_policy_document = { "unrestrictedSessionPolicyDocumentType", .type = SHAPE_STRING, .min = 1, .pattern = &p_document };
static const struct shape v_role_duration_seconds = { "roleDurationSecondsType", .type = SHAPE_INT, .min = 900, .max = 43200 };
static const struct shape v_external_id = { "externalIdType", .type = SHAPE_STRING, .min = 2, .max = 1224, .pattern = &p_external_id };
static const struct shape v_serial_number = { "serialNumberType", .type = SHAPE_STRING, .min = 9, .max = 256, .pattern = &p_serial };
static const struct shape v_token_code = { "tokenCodeType", .type = SHAPE_STRING, .min = 6, .max = 6, .pattern = &p_digits };
static const struct shape v_source_identity = { "sourceIdentityType", .type = SHAPE_STRING, .min = 2, .max = 64, .pattern = &p_any_name };
static const struct shape v_context_assertion = { "contextAssertionType", .type = SHAPE_STRING, .min = 4, .max = 2048 };
static const struct shape v_provided_context = { "ProvidedContext", STRUCTURE({ "ProviderArn", &v_arn_sts, false },
	{ "ContextAssertion", &v_context_assertion, false }) };
static const struct shape v_provided_contexts_list = { "ProvidedContextsListType", LIST_OF(v_provided_context), .min = 1, .max = 5 };
static const struct shape v_client_token = { "clientTokenType", .type = SHAPE_STRING, .min = 4, .max = 20000 };
static const struct shape v_url = { "urlType", .type = SHAPE_STRING, .min = 4, .max = 2048 };
static const struct shape v_session_policy_document = { "sessionPolicyDocumentType", .type = SHAPE_STRING, .min = 1, .max = 2048, .pattern = &p_document };
static const struct shape v_duration_seconds = { "durationSecondsType", .type = SHAPE_INT, .min = 900, .max = 129600 };

const struct shape query_inputs[] = {
	{ "AddClientIDToOpenIDConnectProvider", STRUCTURE({ "OpenIDConnectProviderArn", &v_arn, true }, { "ClientID", &v_client_id, true }) },
	{ "AddUserToGroup", STRUCTURE({ "GroupName", &v_group_name, true }, { "UserName", &v_existing_user_name, true }) },
	{ "AttachGroupPolicy", STRUCTURE({ "GroupName", &v_group_name, true }, { "PolicyArn", &v_arn, true }) },
	{ "AttachRolePolicy", STRUCTURE({ "RoleName", &v_role_name, true }, { "PolicyArn", &v_arn, true }) },
	{ "AttachUserPolicy", STRUCTURE({ "UserName", &v_user_name, true }, { "PolicyArn", &v_arn, true }) },
	{ "CreateAccessKey", STRUCTURE({ "UserName", &v_existing_user_name, false }) },
	{ "CreateGroup", STRUCTURE({ "Path", &v_path, false }, { "GroupName", &v_group_name, true }) },
	{ "CreateOpenIDConnectProvider", STRUCTURE({ "Url", &v_oidc_provider_url, true }, { "ClientIDList", &v_client_id_list, false },
		{ "ThumbprintList", &v_thumbprint_list, false }, { "Tags", &v_tag_list, false }) },
	{ "CreatePolicy", STRUCTURE({ "PolicyName", &v_policy_name, true }, { "Path", &v_policy_path, false },
		{ "PolicyDocument", &v_policy_document, true }, { "Description", &v_policy_description, false }, { "Tags", &v_tag_list, false }) },
	{ "CreatePolicyVersion", STRUCTURE({ "PolicyArn", &v_arn, true }, { "PolicyDocument", &v_policy_document, true },
		{ "SetAsDefault", &v_boolean, false }) },
	{ "CreateRole", STRUCTURE({ "Path", &v_path, false }, { "RoleName", &v_role_name, true },
		{ "AssumeRolePolicyDocument", &v_policy_document, true }, { "Description", &v_role_description, false },
		{ "MaxSessionDuration", &v_role_max_session_duration, false }, { "PermissionsBoundary", &v_arn, false },
		{ "Tags", &v_tag_list, false }) },
	{ "CreateUser", STRUCTURE({ "Path", &v_path, false }, { "UserName", &v_user_name, true }, { "PermissionsBoundary", &v_arn, false },
		{ "Tags", &v_tag_list, false }) },
	{ "DeleteAccessKey", STRUCTURE({ "UserName", &v_existing_user_name, false }, { "AccessKeyId", &v_access_key_id, true }) },
	{ "DeleteGroup", STRUCTURE({ "GroupName", &v_group_name, true }) },
	{ "DeleteGroupPolicy", STRUCTURE({ "GroupName", &v_group_name, true }, { "PolicyName", &v_policy_name, true }) },
	{ "DeleteLoginProfile", STRUCTURE({ "UserName", &v_user_name, false }) },
	{ "DeleteOpenIDConnectProvider", STRUCTURE({ "OpenIDConnectProviderArn", &v_arn, true }) },
	{ "DeletePolicy", STRUCTURE({ "PolicyArn", &v_arn, true }) },
	{ "DeletePolicyVersion", STRUCTURE({ "PolicyArn", &v_arn, true }, { "VersionId", &v_policy_version_id, true }) },
	{ "DeleteRole", STRUCTURE({ "RoleName", &v_role_name, true }) },
	{ "DeleteRolePermissionsBoundary", STRUCTURE({ "RoleName", &v_role_name, true }) },
	{ "DeleteRolePolicy", STRUCTURE({ "RoleName", &v_role_name, true }, { "PolicyName", &v_policy_name, true }) },
	{ "DeleteUser", STRUCTURE({ "UserName", &v_existing_user_name, true }) },
	{ "DeleteUserPermissionsBoundary", STRUCTURE({ "UserName", &v_user_name, true }) },
	{ "DeleteUserPolicy", STRUCTURE({ "UserName", &v_existing_user_name, true }, { "PolicyName", &v_policy_name, true }) },
	{ "DetachGroupPolicy", STRUCTURE({ "GroupName", &v_group_name, true }, { "PolicyArn", &v_arn, true }) },
	{ "DetachRolePolicy", STRUCTURE({ "RoleName", &v_role_name, true }, { "PolicyArn", &v_arn, true }) },
	{ "DetachUserPolicy", STRUCTURE({ "UserName", &v_user_name, true }, { "PolicyArn", &v_arn, true }) },
	{ "GetAccessKeyLastUsed", STRUCTURE({ "AccessKeyId", &v_access_key_id, true }) },
	{ "GetGroup", STRUCTURE({ "GroupName", &v_group_name, true }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "GetGroupPolicy", STRUCTURE({ "GroupName", &v_group_name, true }, { "PolicyName", &v_policy_name, true }) },
	{ "GetLoginProfile", STRUCTURE({ "UserName", &v_user_name, false }) },
	{ "GetOpenIDConnectProvider", STRUCTURE({ "OpenIDConnectProviderArn", &v_arn, true }) },
	{ "GetPolicy", STRUCTURE({ "PolicyArn", &v_arn, true }) },
	{ "GetPolicyVersion", STRUCTURE({ "PolicyArn", &v_arn, true }, { "VersionId", &v_policy_version_id, true }) },
	{ "GetRole", STRUCTURE({ "RoleName", &v_role_name, true }) },
	{ "GetRolePolicy", STRUCTURE({ "RoleName", &v_role_name, true }, { "PolicyName", &v_policy_name, true }) },
	{ "GetUser", STRUCTURE({ "UserName", &v_existing_user_name, false }) },
	{ "GetUserPolicy", STRUCTURE({ "UserName", &v_existing_user_name, true }, { "PolicyName", &v_policy_name, true }) },
	{ "ListAccessKeys", STRUCTURE({ "UserName", &v_existing_user_name, false }, { "Marker", &v_marker, false },
		{ "MaxItems", &v_max_items, false }) },
	{ "ListAccountAliases", STRUCTURE({ "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListAttachedGroupPolicies", STRUCTURE({ "GroupName", &v_group_name, true }, { "PathPrefix", &v_policy_path, false },
		{ "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListAttachedRolePolicies", STRUCTURE({ "RoleName", &v_role_name, true }, { "PathPrefix", &v_policy_path, false },
		{ "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListAttachedUserPolicies", STRUCTURE({ "UserName", &v_user_name, true }, { "PathPrefix", &v_policy_path, false },
		{ "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListEntitiesForPolicy", STRUCTURE({ "PolicyArn", &v_arn, true }, { "EntityFilter", &v_entity, false }, { "PathPrefix", &v_path, false },
		{ "PolicyUsageFilter", &v_policy_usage, false }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListGroupPolicies", STRUCTURE({ "GroupName", &v_group_name, true }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListGroups", STRUCTURE({ "PathPrefix", &v_path_prefix, false }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListGroupsForUser", STRUCTURE({ "UserName", &v_existing_user_name, true }, { "Marker", &v_marker, false },
		{ "MaxItems", &v_max_items, false }) },
	{ "ListInstanceProfilesForRole", STRUCTURE({ "RoleName", &v_role_name, true }, { "Marker", &v_marker, false },
		{ "MaxItems", &v_max_items, false }) },
	{ "ListMFADevices", STRUCTURE({ "UserName", &v_existing_user_name, false }, { "Marker", &v_marker, false },
		{ "MaxItems", &v_max_items, false }) },
	{ "ListOpenIDConnectProviderTags", STRUCTURE({ "OpenIDConnectProviderArn", &v_arn, true }, { "Marker", &v_marker, false },
		{ "MaxItems", &v_max_items, false }) },
	{ "ListPolicies", STRUCTURE({ "Scope", &v_policy_scope, false }, { "OnlyAttached", &v_boolean, false },
		{ "PathPrefix", &v_policy_path, false }, { "PolicyUsageFilter", &v_policy_usage, false }, { "Marker", &v_marker, false },
		{ "MaxItems", &v_max_items, false }) },
	{ "ListPolicyTags", STRUCTURE({ "PolicyArn", &v_arn, true }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListPolicyVersions", STRUCTURE({ "PolicyArn", &v_arn, true }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListRolePolicies", STRUCTURE({ "RoleName", &v_role_name, true }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListRoleTags", STRUCTURE({ "RoleName", &v_role_name, true }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListRoles", STRUCTURE({ "PathPrefix", &v_path_prefix, false }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListSSHPublicKeys", STRUCTURE({ "UserName", &v_user_name, false }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListServiceSpecificCredentials", STRUCTURE({ "UserName", &v_user_name, false }, { "ServiceName", &v_service_name, false },
		{ "AllUsers", &v_all_users, false }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListSigningCertificates", STRUCTURE({ "UserName", &v_existing_user_name, false }, { "Marker", &v_marker, false },
		{ "MaxItems", &v_max_items, false }) },
	{ "ListUserPolicies", STRUCTURE({ "UserName", &v_existing_user_name, true }, { "Marker", &v_marker, false },
		{ "MaxItems", &v_max_items, false }) },
	{ "ListUserTags", STRUCTURE({ "UserName", &v_existing_user_name, true }, { "Marker", &v_marker, false },
		{ "MaxItems", &v_max_items, false }) },
	{ "ListUsers", STRUCTURE({ "PathPrefix", &v_path_prefix, false }, { "Marker", &v_marker, false }, { "MaxItems", &v_max_items, false }) },
	{ "ListVirtualMFADevices", STRUCTURE({ "AssignmentStatus", &v_assignment_status, false }, { "Marker", &v_marker, false },
		{ "MaxItems", &v_max_items, false }) },
	{ "PutGroupPolicy", STRUCTURE({ "GroupName", &v_group_name, true }, { "PolicyName", &v_policy_name, true },
		{ "PolicyDocument", &v_policy_document, true }) },
	{ "PutRolePermissionsBoundary", STRUCTURE({ "RoleName", &v_role_name, true }, { "PermissionsBoundary", &v_arn, true }) },
	{ "PutRolePolicy", STRUCTURE({ "RoleName", &v_role_name, true }, { "PolicyName", &v_policy_name, true },
		{ "PolicyDocument", &v_policy_document, true }) },
	{ "PutUserPermissionsBoundary", STRUCTURE({ "UserName", &v_user_name, true }, { "PermissionsBoundary", &v_arn, true }) },
	{ "PutUserPolicy", STRUCTURE({ "UserName", &v_existing_user_name, true }, { "PolicyName", &v_policy_name, true },
		{ "PolicyDocument", &v_policy_document, true }) },
	{ "RemoveClientIDFromOpenIDConnectProvider", STRUCTURE({ "OpenIDConnectProviderArn", &v_arn, true }, { "ClientID", &v_client_id, true }) },
	{ "RemoveUserFromGroup", STRUCTURE({ "GroupName", &v_group_name, true }, { "UserName", &v_existing_user_name, true }) },
	{ "SetDefaultPolicyVersion", STRUCTURE({ "PolicyArn", &v_arn, true }, { "VersionId", &v_policy_version_id, true }) },
	{ "TagOpenIDConnectProvider", STRUCTURE({ "OpenIDConnectProviderArn", &v_arn, true }, { "Tags", &v_tag_list, true }) },
	{ "TagPolicy", STRUCTURE({ "PolicyArn", &v_arn, true }, { "Tags", &v_tag_list, true }) },
	{ "TagRole", STRUCTURE({ "RoleName", &v_role_name, true }, { "Tags", &v_tag_list, true }) },
	{ "TagUser", STRUCTURE({ "UserName", &v_existing_user_name, true }, { "Tags", &v_tag_list, true }) },
	{ "UntagOpenIDConnectProvider", STRUCTURE({ "OpenIDConnectProviderArn", &v_arn, true }, { "TagKeys", &v_tag_key_list, true }) },
	{ "UntagPolicy", STRUCTURE({ "PolicyArn", &v_arn, true }, { "TagKeys", &v_tag_key_list, true }) },
	{ "UntagRole", STRUCTURE({ "RoleName", &v_role_name, true }, { "TagKeys", &v_tag_key_list, true }) },
	{ "UntagUser", STRUCTURE({ "UserName", &v_existing_user_name, true }, { "TagKeys", &v_tag_key_list, true }) },
	{ "UpdateAccessKey", STRUCTURE({ "UserName", &v_existing_user_name, false }, { "AccessKeyId", &v_access_key_id, true },
		{ "Status", &v_status, true }) },
	{ "UpdateAssumeRolePolicy", STRUCTURE({ "RoleName", &v_role_name, true }, { "PolicyDocument", &v_policy_document, true }) },
	{ "UpdateGroup", STRUCTURE({ "GroupName", &v_group_name, true }, { "NewPath", &v_path, false }, { "NewGroupName", &v_group_name, false }) },
	{ "UpdateOpenIDConnectProviderThumbprint", STRUCTURE({ "OpenIDConnectProviderArn", &v_arn, true },
		{ "ThumbprintList", &v_thumbprint_list, true }) },
	{ "UpdateRole", STRUCTURE({ "RoleName", &v_role_name, true }, { "Description", &v_role_description, false },
		{ "MaxSessionDuration", &v_role_max_session_duration, false }) },
	{ "UpdateRoleDescription", STRUCTURE({ "RoleName", &v_role_name, true }, { "Description", &v_role_description, true }) },
	{ "UpdateUser", STRUCTURE({ "UserName", &v_existing_user_name, true }, { "NewPath", &v_path, false },
		{ "NewUserName", &v_user_name, false }) },
	{ "AssumeRole", STRUCTURE({ "RoleArn", &v_arn_sts, true }, { "RoleSessionName", &v_role_session_name, true },
		{ "PolicyArns", &v_policy_descriptor_list, false }, { "Policy", &v_unrestricted_session_policy_document, false },
		{ "DurationSeconds", &v_role_duration_seconds, false }, { "Tags", &v_tag_list, false },
		{ "TransitiveTagKeys", &v_tag_key_list, false }, { "ExternalId", &v_external_id, false }, { "SerialNumber", &v_serial_number, false },
		{ "TokenCode", &v_token_code, false }, { "SourceIdentity", &v_source_identity, false },
		{ "ProvidedContexts", &v_provided_contexts_list, false }) },
	{ "AssumeRoleWithWebIdentity", STRUCTURE({ "RoleArn", &v_arn_sts, true }, { "RoleSessionName", &v_role_session_name, true },
		{ "WebIdentityToken", &v_client_token, true }, { "ProviderId", &v_url, false }, { "PolicyArns", &v_policy_descriptor_list, false },
		{ "Policy", &v_session_policy_document, false }, { "DurationSeconds", &v_role_duration_seconds, false }) },
	{ "GetSessionToken", STRUCTURE({ "DurationSeconds", &v_duration_seconds, false }, { "SerialNumber", &v_serial_number, false },
		{ "TokenCode", &v_token_code, false }) },
	{ "GetCallerIdentity", STRUCTURE({ 0 }) },
	{ "ListOpenIDConnectProviders", STRUCTURE({ 0 }) },
	{ 0 },
};
