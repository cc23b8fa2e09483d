#include "auth/token.h"
#include "base/codec.h"
#include "ecr/handlers.h"

/* What `docker login` takes: base64 of "AWS:<token>". ptr NULL when the arena is used up. */
static struct str basic_credentials(struct arena *arena, struct str token)
{
	struct str plain = arena_printf(arena, "AWS:" STR_FMT, STR_ARG(token));
	char *text = plain.ptr == NULL ? NULL : arena_alloc(arena, BASE64_LEN(plain.len) + 1);
	if (text == NULL)
		return (struct str){ NULL, 0 };
	base64_encode((const uint8_t *)plain.ptr, plain.len, text);
	return (struct str){ text, BASE64_LEN(plain.len) };
}

bool ecr_get_authorization_token(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str *ids;
	struct str token;
	size_t count;
	int64_t expires_at_ms;
	if (!ecr_strings(call, "registryIds", &ids, &count, err))
		return false;
	if (!token_issue(call->options->auth, &call->who, call->arena, &token, &expires_at_ms, err))
		return false;
	struct str credentials = basic_credentials(call->arena, token);
	if (credentials.ptr == NULL)
		return ecr_out_of_memory(call->arena, err);
	/* The token carries the caller, not a registry: one serves every registry that the caller
	 * can reach. */
	if (count == 0) {
		ids[0] = str_from(call->reg.account);
		count = 1;
	}
	jo_array(out, "authorizationData");
	for (size_t i = 0; i < count; i++) {
		struct registry_id reg;
		if (!registry_id_make(ids[i], str_from(call->reg.region), &reg))
			return ecr_bad_parameter(err, "registryIds", "Invalid registry id");
		struct str host = front_registry_host(call->req, call->options, &reg);
		struct str endpoint = arena_printf(call->arena, "%s://" STR_FMT,
			call->req->is_tls ? "https" : "http", STR_ARG(host));
		if (host.ptr == NULL || endpoint.ptr == NULL)
			return ecr_out_of_memory(call->arena, err);
		jo_object(out, NULL);
		jo_str(out, "authorizationToken", credentials);
		jo_time(out, "expiresAt", expires_at_ms);
		jo_str(out, "proxyEndpoint", endpoint);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	return true;
}
