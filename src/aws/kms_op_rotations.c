/* kms_op_rotations.c - automatic rotation, rotation on demand, and what rotations there were. */
#include <stdio.h>

#include "aws/kms_ops.h"

bool kms_rotate_key_on_demand(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	if (!kms_call_key(call, "KeyId", "kms:RotateKeyOnDemand", &key, err) ||
		!kms_key_rotate(call->kms, &key, err))
		return false;
	kms_call_put_arn(out, &key);
	return true;
}

bool kms_enable_key_rotation(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	unsigned days = (unsigned)json_int(
		json_get(call->input, "RotationPeriodInDays"), KMS_ROTATION_DAYS_DEFAULT);
	(void)out;
	return kms_call_key(call, "KeyId", "kms:EnableKeyRotation", &key, err) &&
	       kms_key_set_rotation(call->kms, &key, days, err);
}

bool kms_disable_key_rotation(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	(void)out;
	return kms_call_key(call, "KeyId", "kms:DisableKeyRotation", &key, err) &&
	       kms_key_set_rotation(call->kms, &key, 0, err);
}

/* A key that waits for its deletion is not rotated: KMS's "Key states". */
bool kms_get_key_rotation_status(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	if (!kms_call_key(call, "KeyId", "kms:GetKeyRotationStatus", &key, err))
		return false;
	bool is_on = key.rotation_days != 0 && key.state != KMS_PENDING_DELETION;
	jo_bool(out, "KeyRotationEnabled", is_on);
	kms_call_put_arn(out, &key);
	if (is_on) {
		jo_int(out, "RotationPeriodInDays", key.rotation_days);
		kms_call_put_time(out, "NextRotationDate", key.rotate_at_ms);
	}
	return true;
}

bool kms_list_key_rotations(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	struct kms_rotation_list list;
	struct str marker;
	uint64_t after = 1; /* version 1 was not rotated to */
	char last[16] = "";
	if (!kms_call_key(call, "KeyId", "kms:ListKeyRotations", &key, err) ||
		!kms_call_marker(call, &marker, err))
		return false;
	if (marker.len != 0 && !str_to_u64(marker, UINT32_MAX, &after))
		return kms_raise(call, "InvalidMarkerException", err, "Could not parse marker");
	if (!kms_key_rotations(call->kms, &key, (uint32_t)after, kms_call_limit(call, 100),
		    call->arena, &list, err))
		return false;
	jo_array(out, "Rotations");
	for (size_t i = 0; i < list.count; i++) {
		const struct kms_rotation *r = &list.items[i];
		jo_object(out, NULL);
		kms_call_put_arn(out, &key);
		jo_c(out, "KeyMaterialState",
			r->version == key.version ? "CURRENT" : "NON_CURRENT");
		jo_time(out, "RotationDate", r->at_ms);
		jo_c(out, "RotationType", r->is_demanded ? "ON_DEMAND" : "AUTOMATIC");
		jo_end(out, '}');
		(void)snprintf(last, sizeof(last), "%u", r->version);
	}
	jo_end(out, ']');
	return kms_call_put_more(call, out, list.more, str_from(last), err);
}
