#include "kms/kms_arn.h"

#include <stdio.h>

void kms_arn_render(
	const char *account, const char *region, const uint8_t uuid[16], char out[KMS_ARN_MAX])
{
	char text[UUID_TEXT_LEN + 1];
	uuid_text(uuid, text);
	(void)snprintf(out, KMS_ARN_MAX, "arn:aws:kms:%s:%s:key/%s", region, account, text);
}

bool kms_alias_is_valid(struct str name)
{
	struct str prefix = STR(KMS_ALIAS_PREFIX);
	if (!str_starts(name, prefix) || name.len <= prefix.len || name.len > KMS_ALIAS_MAX)
		return false;
	for (size_t i = prefix.len; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '/' || c == '_' || c == '-'))
			return false;
	}
	return true;
}

/* "key/<uuid>" or "alias/x" behind an ARN's account. */
static bool parse_resource(struct str s, struct kms_name *out)
{
	struct str head;
	struct str id;
	if (str_starts(s, STR(KMS_ALIAS_PREFIX))) {
		out->alias = s;
		return kms_alias_is_valid(s);
	}
	return str_cut(s, '/', &head, &id) && str_eq(head, STR("key")) && uuid_parse(id, out->uuid);
}

static bool parse_arn(struct str arn, struct kms_name *out)
{
	struct str prefix = STR("arn:aws:kms:");
	struct str rest = str_sub(arn, prefix.len, arn.len);
	struct kms_name n = { 0 };
	struct str resource;
	if (!str_starts(arn, prefix) || !str_cut(rest, ':', &n.region, &rest) ||
		!str_cut(rest, ':', &n.account, &resource) || n.account.len != 12 ||
		n.region.len == 0 || n.region.len > 25 || !parse_resource(resource, &n))
		return false;
	*out = n;
	return true;
}

bool kms_arn_parse(struct str arn, struct kms_name *out)
{
	struct kms_name n;
	if (!parse_arn(arn, &n) || n.alias.len != 0)
		return false;
	*out = n;
	return true;
}

bool kms_name_parse(
	const struct kms_realm *realm, struct str text, struct kms_name *out, struct err *err)
{
	struct kms_name n = { .account = realm->account, .region = realm->region };
	struct str shown = str_sub(text, 0, 300);
	if (str_starts(text, STR("arn:"))) {
		if (!parse_arn(text, &n))
			return err_set(err, ERR_KMS_KEY_UNKNOWN, "Invalid arn '" STR_FMT "'",
				STR_ARG(shown));
		if (!str_eq(n.region, realm->region))
			return err_set(err, ERR_KMS_KEY_UNKNOWN, "Invalid arn " STR_FMT,
				STR_ARG(n.region));
	} else if (str_starts(text, STR(KMS_ALIAS_PREFIX))) {
		n.alias = text;
		if (!kms_alias_is_valid(text))
			return err_set(err, ERR_KMS_KEY_UNKNOWN, "Invalid keyId '" STR_FMT "'",
				STR_ARG(shown));
	} else if (!uuid_parse(text, n.uuid)) {
		return err_set(
			err, ERR_KMS_KEY_UNKNOWN, "Invalid keyId '" STR_FMT "'", STR_ARG(shown));
	}
	*out = n;
	return true;
}
