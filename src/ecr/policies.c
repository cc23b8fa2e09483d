/* policies.c - policies that stand at a repository or at the registry. */
#include "auth/policy.h"
#include "ecr/handlers.h"
#include "registry/resource_policy.h"

static const struct str registry_itself = { NULL, 0 };

static void put_repository_policy(
	const struct ecr_call *call, struct json_out *out, struct str text)
{
	ecr_put_place(call, out);
	jo_str(out, "policyText", text);
}

/* ECR: "If the policy you are attempting to set on a repository policy would prevent you from
 * setting another policy in the future, you must force the SetRepositoryPolicy operation." */
static bool may_set_again(struct ecr_call *call, const struct policy *policy, struct err *err)
{
	struct err why;
	struct front_question q = {
		.action = "ecr:SetRepositoryPolicy",
		.reg = &call->reg,
		.repo = call->repo,
		.repository_policy = policy,
	};
	if (front_ask(call->options, call->req, &call->who, &q, &why))
		return true;
	if (why.kind == ERR_DENIED)
		return ecr_bad_parameter(err, "PolicyText",
			"The policy would prevent you from setting another repository policy in the future. Use force to set it anyway");
	*err = why;
	return false;
}

bool ecr_set_repository_policy(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str text = json_get_str(call->input, "policyText");
	bool force = json_bool(json_get(call->input, "force"), false);
	struct policy *policy CLEANUP(policy_freep) = NULL;
	if (!policy_compile(text, POLICY_REPOSITORY, &policy, err) ||
		!ecr_need_repository(call, err) || (!force && !may_set_again(call, policy, err)) ||
		!resource_policy_put(call->core, &call->reg, call->repo, text, err))
		return false;
	put_repository_policy(call, out, text);
	return true;
}

static bool no_repository_policy(struct ecr_call *call, struct err *err)
{
	return ECR_RAISE(call, ECR_REPOSITORY_POLICY_NOT_FOUND, err,
		"Repository policy does not exist for the repository with name '" STR_FMT
		"' in the registry with id '%s'",
		STR_ARG(call->repo), call->reg.account);
}

bool ecr_get_repository_policy(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str text;
	if (!resource_policy_find(call->core, &call->reg, call->repo, call->arena, &text, err))
		return false;
	if (text.ptr == NULL)
		return no_repository_policy(call, err);
	put_repository_policy(call, out, text);
	return true;
}

bool ecr_delete_repository_policy(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str was;
	if (!resource_policy_remove(call->core, &call->reg, call->repo, call->arena, &was, err))
		return false;
	if (was.ptr == NULL)
		return no_repository_policy(call, err);
	put_repository_policy(call, out, was);
	return true;
}

static void put_registry_policy(const struct ecr_call *call, struct json_out *out, struct str text)
{
	jo_c(out, "registryId", call->reg.account);
	jo_str(out, "policyText", text);
}

bool ecr_put_registry_policy(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str text = json_get_str(call->input, "policyText");
	struct policy *policy CLEANUP(policy_freep) = NULL;
	if (!policy_compile(text, POLICY_REGISTRY, &policy, err) ||
		!resource_policy_put(call->core, &call->reg, registry_itself, text, err))
		return false;
	put_registry_policy(call, out, text);
	return true;
}

static bool no_registry_policy(struct ecr_call *call, struct err *err)
{
	return ECR_RAISE(call, ECR_REGISTRY_POLICY_NOT_FOUND, err,
		"Registry policy does not exist in the registry with id '%s'", call->reg.account);
}

bool ecr_get_registry_policy(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str text;
	if (!resource_policy_find(call->core, &call->reg, registry_itself, call->arena, &text, err))
		return false;
	if (text.ptr == NULL)
		return no_registry_policy(call, err);
	put_registry_policy(call, out, text);
	return true;
}

bool ecr_delete_registry_policy(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str was;
	if (!resource_policy_remove(
		    call->core, &call->reg, registry_itself, call->arena, &was, err))
		return false;
	if (was.ptr == NULL)
		return no_registry_policy(call, err);
	put_registry_policy(call, out, was);
	return true;
}
