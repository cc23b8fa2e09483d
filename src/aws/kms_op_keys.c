/* kms_op_keys.c - keys: made, described, listed, enabled, disabled, deleted. */
#include "aws/kms_ops.h"

static const char *state_text(enum kms_state state)
{
	switch (state) {
	case KMS_ENABLED:
		return "Enabled";
	case KMS_DISABLED:
		return "Disabled";
	case KMS_PENDING_DELETION:
		return "PendingDeletion";
	}
	return "Unavailable";
}

static void put_metadata(struct json_out *out, const struct kms_key *key)
{
	jo_object(out, "KeyMetadata");
	jo_c(out, "AWSAccountId", key->account);
	jo_c(out, "KeyId", key->id);
	jo_c(out, "Arn", key->arn);
	jo_time(out, "CreationDate", key->created_at_ms);
	jo_bool(out, "Enabled", key->state == KMS_ENABLED);
	jo_str(out, "Description", key->description);
	jo_c(out, "KeyUsage", "ENCRYPT_DECRYPT");
	jo_c(out, "KeyState", state_text(key->state));
	kms_call_put_time(out, "DeletionDate", key->delete_at_ms);
	jo_c(out, "Origin", "AWS_KMS");
	jo_c(out, "KeyManager", key->manager == KMS_MANAGER_AWS ? "AWS" : "CUSTOMER");
	jo_c(out, "CustomerMasterKeySpec", "SYMMETRIC_DEFAULT");
	jo_c(out, "KeySpec", "SYMMETRIC_DEFAULT");
	jo_array(out, "EncryptionAlgorithms");
	jo_c(out, NULL, "SYMMETRIC_DEFAULT");
	jo_end(out, ']');
	jo_bool(out, "MultiRegion", false);
	jo_end(out, '}');
}

/* Does the member say nothing else than what all keys here are? */
static bool is_as_all(const struct kms_call *call, const char *member, const char *value)
{
	struct str s = json_get_str(call->input, member);
	return s.ptr == NULL || str_eq_c(s, value);
}

static bool check_kind(struct kms_call *call, struct err *err)
{
	if (!is_as_all(call, "KeyUsage", "ENCRYPT_DECRYPT") ||
		!is_as_all(call, "KeySpec", "SYMMETRIC_DEFAULT") ||
		!is_as_all(call, "CustomerMasterKeySpec", "SYMMETRIC_DEFAULT") ||
		!is_as_all(call, "Origin", "AWS_KMS") ||
		json_get_str(call->input, "CustomKeyStoreId").ptr != NULL ||
		json_get_str(call->input, "XksKeyId").ptr != NULL ||
		json_bool(json_get(call->input, "MultiRegion"), false))
		return kms_raise(call, "UnsupportedOperationException", err,
			"Keys are symmetric encryption keys of one Region: KeySpec "
			"SYMMETRIC_DEFAULT, KeyUsage ENCRYPT_DECRYPT, Origin AWS_KMS");
	if (json_get_str(call->input, "Policy").ptr != NULL)
		return kms_raise(call, "UnsupportedOperationException", err,
			"Key policies are not available in this version of Berth: every key has "
			"the default policy, which lets the account's own policies decide");
	return true;
}

bool kms_create_key(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	struct kms_tag *tags = NULL;
	struct kms_key_new in = { .description = json_get_str(call->input, "Description") };
	if (!kms_call_allow(call, "kms:CreateKey", STR("*"), err) || !check_kind(call, err) ||
		!kms_call_tags(call, &tags, &in.tag_count, err))
		return false;
	in.tags = tags;
	if (in.description.ptr == NULL)
		in.description = STR("");
	if (!kms_key_create(call->kms, &call->realm, &in, call->arena, &key, err))
		return false;
	put_metadata(out, &key);
	return true;
}

bool kms_describe_key(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	if (!kms_call_key(call, "KeyId", "kms:DescribeKey", &key, err))
		return false;
	put_metadata(out, &key);
	return true;
}

bool kms_list_keys(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key_list list;
	struct str after;
	uint8_t uuid[16];
	if (!kms_call_allow(call, "kms:ListKeys", STR("*"), err) ||
		!kms_call_marker(call, &after, err))
		return false;
	if (after.len != 0 && !uuid_parse(after, uuid))
		return kms_raise(call, "InvalidMarkerException", err, "Could not parse marker");
	if (!kms_key_list(call->kms, &call->realm, after, kms_call_limit(call, 100), call->arena,
		    &list, err))
		return false;
	jo_array(out, "Keys");
	for (size_t i = 0; i < list.count; i++) {
		jo_object(out, NULL);
		jo_c(out, "KeyId", list.items[i].id);
		jo_c(out, "KeyArn", list.items[i].arn);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	after = list.more ? str_from(list.items[list.count - 1].id) : STR("");
	return kms_call_put_more(call, out, list.more, after, err);
}

bool kms_update_key_description(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	(void)out;
	return kms_call_key(call, "KeyId", "kms:UpdateKeyDescription", &key, err) &&
	       kms_key_describe(call->kms, &key, json_get_str(call->input, "Description"), err);
}

bool kms_enable_key(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	(void)out;
	return kms_call_key(call, "KeyId", "kms:EnableKey", &key, err) &&
	       kms_key_enable(call->kms, &key, err);
}

bool kms_disable_key(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	(void)out;
	return kms_call_key(call, "KeyId", "kms:DisableKey", &key, err) &&
	       kms_key_disable(call->kms, &key, err);
}

bool kms_schedule_key_deletion(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	int64_t at_ms = 0;
	unsigned days = (unsigned)json_int(
		json_get(call->input, "PendingWindowInDays"), KMS_DELETION_DAYS_MAX);
	if (!kms_call_key(call, "KeyId", "kms:ScheduleKeyDeletion", &key, err) ||
		!kms_key_schedule_deletion(call->kms, &key, days, &at_ms, err))
		return false;
	kms_call_put_arn(out, &key);
	jo_time(out, "DeletionDate", at_ms);
	jo_c(out, "KeyState", state_text(KMS_PENDING_DELETION));
	jo_int(out, "PendingWindowInDays", days);
	return true;
}

bool kms_cancel_key_deletion(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	if (!kms_call_key(call, "KeyId", "kms:CancelKeyDeletion", &key, err) ||
		!kms_key_cancel_deletion(call->kms, &key, err))
		return false;
	kms_call_put_arn(out, &key);
	return true;
}
