#include "ecr/call.h"

#include <stdarg.h>
#include <stdio.h>

#include "auth/policy.h"
#include "registry/repo.h"

bool ecr_raise_as(struct ecr_call *call, enum ecr_exception e)
{
	call->is_raised = true;
	call->raised = e;
	return false;
}

bool ecr_bad_parameter(struct err *err, const char *member, const char *fmt, ...)
{
	char constraint[400];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(constraint, sizeof(constraint), fmt, args);
	va_end(args);
	return err_set(err, ERR_INVALID,
		"Invalid parameter at '%s' failed to satisfy constraint: '%s'", member, constraint);
}

bool ecr_out_of_memory(const struct arena *arena, struct err *err)
{
	return arena_err(arena, "a call", err);
}

/* aws:RequestTag and aws:TagKeys: of CreateRepository and TagResource. A list that is too long for
 * them is refused after this. */
static bool read_request_tags(struct ecr_call *call, struct front_question *q, struct err *err)
{
	const struct json *list = json_get(call->input, "tags");
	size_t n = json_type(list) == JSON_ARRAY ? json_len(list) : 0;
	if (n > REPO_TAGS_MAX)
		n = REPO_TAGS_MAX;
	struct auth_tag *tags = arena_alloc(call->arena, (n + 1) * sizeof(*tags));
	if (tags == NULL)
		return ecr_out_of_memory(call->arena, err);
	for (size_t i = 0; i < n; i++) {
		tags[i].name = json_get_str(json_at(list, i), "Key");
		tags[i].value = json_get_str(json_at(list, i), "Value");
	}
	q->request_tags = tags;
	q->request_tag_count = n;
	return true;
}

/* aws:TagKeys of UntagResource, ecr:AccountSetting of GetAccountSetting and PutAccountSetting
 * (facts: Service Authorization Reference). */
static bool read_keys(
	struct ecr_call *call, struct front_question *q, struct policy_key keys[2], struct err *err)
{
	struct str *values = NULL;
	size_t n = 0;
	if (!ecr_strings(call, "tagKeys", &values, &n, err))
		return false;
	if (n != 0)
		keys[q->key_count++] = (struct policy_key){ STR("aws:TagKeys"), values, n };
	if (strstr(q->action, "AccountSetting") == NULL)
		return true;
	struct str *name = arena_alloc(call->arena, sizeof(*name));
	if (name == NULL)
		return ecr_out_of_memory(call->arena, err);
	*name = json_get_str(call->input, "name");
	keys[q->key_count++] = (struct policy_key){ STR("ecr:AccountSetting"), name, 1 };
	return true;
}

bool ecr_allow(struct ecr_call *call, const char *action, struct str repo, struct err *err)
{
	struct policy_key keys[2];
	struct front_question q = {
		.action = action,
		.reg = &call->reg,
		.repo = repo,
		.keys = keys,
	};
	if (!read_request_tags(call, &q, err) || !read_keys(call, &q, keys, err))
		return false;
	return front_ask(call->options, call->req, &call->who, &q, err);
}

bool ecr_need_repository(struct ecr_call *call, struct err *err)
{
	struct repo r;
	return repo_get(call->core, &call->reg, call->repo, call->arena, &r, err);
}

void arena_freep(struct arena **a)
{
	arena_free(*a);
}

void ecr_put_place(const struct ecr_call *call, struct json_out *out)
{
	jo_c(out, "registryId", call->reg.account);
	jo_str(out, "repositoryName", call->repo);
}

unsigned ecr_max_results(const struct ecr_call *call, unsigned otherwise)
{
	/* The shape table has bounded it. */
	return (unsigned)json_int(json_get(call->input, "maxResults"), otherwise);
}

bool ecr_strings(
	struct ecr_call *call, const char *member, struct str **out, size_t *out_n, struct err *err)
{
	const struct json *list = json_get(call->input, member);
	size_t n = json_type(list) == JSON_ARRAY ? json_len(list) : 0;
	struct str *strings = arena_alloc(call->arena, (n + 1) * sizeof(*strings));
	if (strings == NULL)
		return ecr_out_of_memory(call->arena, err);
	for (size_t i = 0; i < n; i++)
		strings[i] = json_str(json_at(list, i));
	*out = strings;
	*out_n = n;
	return true;
}
