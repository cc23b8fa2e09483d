#include "aws/kms_call.h"

#include "front/blob64.h"

#define MARKER_MAX 1024

bool kms_call_no_memory(const struct arena *arena, struct err *err)
{
	return arena_err(arena, "a call of KMS", err);
}

bool kms_call_allow(struct kms_call *call, const char *action, struct str resource, struct err *err)
{
	return front_allow_resource(
		call->options, call->req, &call->who, action, call->who.account, resource, err);
}

/* An ARN of another account is a question for authorization before it is one of existence. */
static bool may_know(struct kms_call *call, struct str text, const char *action, struct err *err)
{
	struct kms_name name;
	struct err ignored;
	if (!str_starts(text, STR("arn:")) ||
		!kms_name_parse(&call->realm, text, &name, &ignored) ||
		str_eq(name.account, call->realm.account))
		return true;
	return front_allow_resource(
		call->options, call->req, &call->who, action, name.account, text, err);
}

bool kms_call_key_of(struct kms_call *call, struct str text, const char *action,
	struct kms_key *out, struct err *err)
{
	struct kms_key key;
	if (!may_know(call, text, action, err) ||
		!kms_key_get(call->kms, &call->realm, text, call->arena, &key, err))
		return false;
	struct str account = arena_str(call->arena, str_from(key.account));
	struct str arn = arena_str(call->arena, str_from(key.arn));
	if (account.ptr == NULL || arn.ptr == NULL)
		return kms_call_no_memory(call->arena, err);
	if (!front_allow_resource(call->options, call->req, &call->who, action, account, arn, err))
		return false;
	*out = key;
	return true;
}

bool kms_call_key(struct kms_call *call, const char *member, const char *action,
	struct kms_key *out, struct err *err)
{
	return kms_call_key_of(call, json_get_str(call->input, member), action, out, err);
}

void kms_call_put_arn(struct json_out *out, const struct kms_key *key)
{
	jo_c(out, "KeyId", key->arn);
}

void kms_call_put_time(struct json_out *out, const char *name, int64_t at_ms)
{
	if (at_ms != 0)
		jo_time(out, name, at_ms);
}

unsigned kms_call_limit(const struct kms_call *call, unsigned otherwise)
{
	/* The shape table has bounded it. */
	return (unsigned)json_int(json_get(call->input, "Limit"), otherwise);
}

/* A marker is the place in the list's order, in base64url: a list is the caller's own anyway. */
bool kms_call_marker(struct kms_call *call, struct str *out, struct err *err)
{
	struct str text = json_get_str(call->input, "Marker");
	size_t len = 0;
	if (text.ptr == NULL) {
		*out = STR("");
		return true;
	}
	if (text.len > MARKER_MAX)
		return kms_raise(call, "InvalidMarkerException", err, "Could not parse marker");
	uint8_t *bytes = arena_alloc(call->arena, text.len + 1);
	if (bytes == NULL)
		return kms_call_no_memory(call->arena, err);
	if (!base64url_decode(text, bytes, text.len, &len) || len == 0)
		return kms_raise(call, "InvalidMarkerException", err, "Could not parse marker");
	*out = (struct str){ (const char *)bytes, len };
	return true;
}

bool kms_call_put_more(
	struct kms_call *call, struct json_out *out, bool more, struct str after, struct err *err)
{
	jo_bool(out, "Truncated", more);
	if (!more)
		return true;
	char *text = arena_alloc(call->arena, BASE64URL_LEN(after.len) + 1);
	if (text == NULL)
		return kms_call_no_memory(call->arena, err);
	base64url_encode((const uint8_t *)after.ptr, after.len, text);
	jo_str(out, "NextMarker", (struct str){ text, BASE64URL_LEN(after.len) });
	return true;
}

bool kms_call_blob(struct kms_call *call, const char *member, struct str *out, struct err *err)
{
	struct str text = json_get_str(call->input, member);
	size_t len = 0;
	uint8_t *bytes = arena_alloc(call->arena, blob64_len(text) + 3);
	if (bytes == NULL)
		return kms_call_no_memory(call->arena, err);
	if (!base64_decode(text, bytes, &len))
		return err_set(err, ERR_INVALID, "%s is not base64", member);
	*out = (struct str){ (const char *)bytes, len };
	return true;
}

bool kms_call_put_blob(struct kms_call *call, struct json_out *out, const char *name,
	struct str bytes, struct err *err)
{
	char *text = arena_alloc(call->arena, BASE64_LEN(bytes.len) + 1);
	if (text == NULL)
		return kms_call_no_memory(call->arena, err);
	base64_encode((const uint8_t *)bytes.ptr, bytes.len, text);
	jo_str(out, name, (struct str){ text, BASE64_LEN(bytes.len) });
	return true;
}
