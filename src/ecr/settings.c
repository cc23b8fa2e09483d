#include "ecr/handlers.h"
#include "registry/setting.h"

static bool put_setting(
	struct ecr_call *call, struct json_out *out, struct str name, struct err *err)
{
	struct str value;
	if (!setting_get(call->core, &call->reg, name, call->arena, &value, err))
		return false;
	jo_str(out, "name", name);
	jo_str(out, "value", value);
	return true;
}

bool ecr_get_account_setting(struct ecr_call *call, struct json_out *out, struct err *err)
{
	return put_setting(call, out, json_get_str(call->input, "name"), err);
}

bool ecr_put_account_setting(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str name = json_get_str(call->input, "name");
	struct str value = json_get_str(call->input, "value");
	if (!setting_put(call->core, &call->reg, name, value, err))
		return false;
	jo_str(out, "name", name);
	jo_str(out, "value", value);
	return true;
}

/* There is no replication, and that is what the answer says. */
bool ecr_describe_registry(struct ecr_call *call, struct json_out *out, struct err *err)
{
	(void)err;
	jo_c(out, "registryId", call->reg.account);
	jo_object(out, "replicationConfiguration");
	jo_array(out, "rules");
	jo_end(out, ']');
	jo_end(out, '}');
	return true;
}
