/* kms_op_aliases.c - aliases. */
#include "aws/kms_ops.h"

static bool check_name(struct kms_call *call, struct str name, struct err *err)
{
	if (!str_starts(name, STR(KMS_ALIAS_PREFIX)))
		return err_set(err, ERR_INVALID, "Invalid identifier");
	if (str_starts(name, STR(KMS_ALIAS_MANAGED)))
		return kms_raise(call, "InvalidAliasNameException", err,
			"Names that begin with alias/aws/ are kept for keys that the registry "
			"manages");
	if (!kms_alias_is_valid(name))
		return kms_raise(call, "InvalidAliasNameException", err,
			STR_FMT " contains invalid characters for an alias",
			STR_ARG(str_sub(name, 0, 256)));
	return true;
}

static struct str alias_arn(struct kms_call *call, struct str name)
{
	return arena_printf(call->arena, "arn:aws:kms:" STR_FMT ":" STR_FMT ":" STR_FMT,
		STR_ARG(call->realm.region), STR_ARG(call->realm.account), STR_ARG(name));
}

/* The permission is asked for both, the alias and its key (KMS: "Controlling access to aliases").
 */
static bool may_name(struct kms_call *call, const char *action, struct str name, struct err *err)
{
	struct str arn = alias_arn(call, name);
	if (arn.ptr == NULL)
		return kms_call_no_memory(call->arena, err);
	return kms_call_allow(call, action, arn, err);
}

bool kms_create_alias(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	struct str name = json_get_str(call->input, "AliasName");
	(void)out;
	return check_name(call, name, err) && may_name(call, "kms:CreateAlias", name, err) &&
	       kms_call_key(call, "TargetKeyId", "kms:CreateAlias", &key, err) &&
	       kms_alias_create(call->kms, &call->realm, name, &key, err);
}

bool kms_update_alias(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	struct str name = json_get_str(call->input, "AliasName");
	(void)out;
	return check_name(call, name, err) && may_name(call, "kms:UpdateAlias", name, err) &&
	       kms_call_key(call, "TargetKeyId", "kms:UpdateAlias", &key, err) &&
	       kms_alias_update(call->kms, &call->realm, name, &key, err);
}

bool kms_delete_alias(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	struct str name = json_get_str(call->input, "AliasName");
	(void)out;
	return check_name(call, name, err) && may_name(call, "kms:DeleteAlias", name, err) &&
	       kms_call_key(call, "AliasName", "kms:DeleteAlias", &key, err) &&
	       kms_alias_delete(call->kms, &call->realm, name, err);
}

bool kms_list_aliases(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	struct kms_alias_list list;
	struct kms_alias_query q = { .limit = kms_call_limit(call, 50) };
	bool has_key = json_get_str(call->input, "KeyId").ptr != NULL;
	if (!kms_call_allow(call, "kms:ListAliases", STR("*"), err) ||
		!kms_call_marker(call, &q.after, err) ||
		(has_key && !kms_call_key(call, "KeyId", "kms:ListAliases", &key, err)))
		return false;
	q.key = has_key ? &key : NULL;
	if (!kms_alias_list(call->kms, &call->realm, &q, call->arena, &list, err))
		return false;
	jo_array(out, "Aliases");
	for (size_t i = 0; i < list.count; i++) {
		const struct kms_alias *a = &list.items[i];
		struct str arn = alias_arn(call, a->name);
		if (arn.ptr == NULL)
			return kms_call_no_memory(call->arena, err);
		jo_object(out, NULL);
		jo_str(out, "AliasName", a->name);
		jo_str(out, "AliasArn", arn);
		jo_c(out, "TargetKeyId", a->key_id);
		jo_time(out, "CreationDate", a->created_at_ms);
		jo_time(out, "LastUpdatedDate", a->updated_at_ms);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	struct str after = list.more ? list.items[list.count - 1].name : STR("");
	return kms_call_put_more(call, out, list.more, after, err);
}
