/* kms_op_tags.c - tags of keys, and the key policy, which is always the default one. */
#include "aws/kms_ops.h"

static bool check_name(struct kms_call *call, struct str name, struct err *err)
{
	if (str_starts(name, STR("aws:")))
		return kms_raise(call, "TagException", err,
			"aws: prefixed tag key names are not allowed for external use.");
	return true;
}

bool kms_call_tags(struct kms_call *call, struct kms_tag **out, size_t *out_n, struct err *err)
{
	const struct json *list = json_get(call->input, "Tags");
	size_t n = json_type(list) == JSON_ARRAY ? json_len(list) : 0;
	if (n > KMS_TAGS_MAX)
		return kms_raise(call, "TagException", err, "Too many tags");
	struct kms_tag *tags = arena_alloc(call->arena, (n + 1) * sizeof(*tags));
	if (tags == NULL)
		return kms_call_no_memory(call->arena, err);
	for (size_t i = 0; i < n; i++) {
		tags[i].name = json_get_str(json_at(list, i), "TagKey");
		tags[i].value = json_get_str(json_at(list, i), "TagValue");
		if (!check_name(call, tags[i].name, err))
			return false;
		for (size_t k = 0; k < i; k++) {
			if (str_eq(tags[k].name, tags[i].name))
				return kms_raise(call, "TagException", err, "Duplicate tag keys");
		}
	}
	*out = tags;
	*out_n = n;
	return true;
}

bool kms_tag_resource(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	struct kms_tag *tags = NULL;
	size_t n = 0;
	(void)out;
	return kms_call_key(call, "KeyId", "kms:TagResource", &key, err) &&
	       kms_call_tags(call, &tags, &n, err) && kms_key_tag(call->kms, &key, tags, n, err);
}

bool kms_untag_resource(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	const struct json *list = json_get(call->input, "TagKeys");
	size_t n = json_len(list);
	(void)out;
	if (!kms_call_key(call, "KeyId", "kms:UntagResource", &key, err))
		return false;
	struct str *names = arena_alloc(call->arena, (n + 1) * sizeof(*names));
	if (names == NULL)
		return kms_call_no_memory(call->arena, err);
	for (size_t i = 0; i < n; i++) {
		names[i] = json_str(json_at(list, i));
		if (!check_name(call, names[i], err))
			return false;
	}
	return kms_key_untag(call->kms, &key, names, n, err);
}

bool kms_list_resource_tags(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	struct kms_tag_list list;
	struct str after;
	if (!kms_call_key(call, "KeyId", "kms:ListResourceTags", &key, err) ||
		!kms_call_marker(call, &after, err) ||
		!kms_key_tags(
			call->kms, &key, after, kms_call_limit(call, 50), call->arena, &list, err))
		return false;
	jo_array(out, "Tags");
	for (size_t i = 0; i < list.count; i++) {
		jo_object(out, NULL);
		jo_str(out, "TagKey", list.items[i].name);
		jo_str(out, "TagValue", list.items[i].value);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	after = list.more ? list.items[list.count - 1].name : STR("");
	return kms_call_put_more(call, out, list.more, after, err);
}

/* What AWS gives a key that was made without a policy, and what holds here for every key. */
bool kms_get_key_policy(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	struct str name = json_get_str(call->input, "PolicyName");
	if (!kms_call_key(call, "KeyId", "kms:GetKeyPolicy", &key, err))
		return false;
	if (name.ptr != NULL && !str_eq(name, STR("default")))
		return err_set(err, ERR_KMS_KEY_UNKNOWN, "No such policy exists");
	struct str text = arena_printf(call->arena,
		"{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"key-default-1\",\n  \"Statement\" : [ {\n"
		"    \"Sid\" : \"Enable IAM User Permissions\",\n    \"Effect\" : \"Allow\",\n"
		"    \"Principal\" : {\n      \"AWS\" : \"arn:aws:iam::%s:root\"\n    },\n"
		"    \"Action\" : \"kms:*\",\n    \"Resource\" : \"*\"\n  } ]\n}",
		key.account);
	if (text.ptr == NULL)
		return kms_call_no_memory(call->arena, err);
	jo_str(out, "Policy", text);
	jo_c(out, "PolicyName", "default");
	return true;
}

bool kms_list_key_policies(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	if (!kms_call_key(call, "KeyId", "kms:ListKeyPolicies", &key, err))
		return false;
	jo_array(out, "PolicyNames");
	jo_c(out, NULL, "default");
	jo_end(out, ']');
	jo_bool(out, "Truncated", false);
	return true;
}
