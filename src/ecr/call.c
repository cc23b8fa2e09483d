#include "ecr/call.h"

#include <stdarg.h>
#include <stdio.h>

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

bool ecr_out_of_memory(struct err *err)
{
	return err_sys(err, ERR_INTERNAL, 0, "the call's arena is used up");
}

bool ecr_allow(struct ecr_call *call, const char *action, struct str repo, struct err *err)
{
	return front_allow(call->options, call->req, &call->who, action, &call->reg, repo, err);
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
		return ecr_out_of_memory(err);
	for (size_t i = 0; i < n; i++)
		strings[i] = json_str(json_at(list, i));
	*out = strings;
	*out_n = n;
	return true;
}
