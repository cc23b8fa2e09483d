/* templates.c - repository creation templates. */
#include "auth/policy.h"
#include "ecr/handlers.h"
#include "ecr/pages.h"
#include "ecr/repo_options.h"
#include "ecr/resource_tags.h"
#include "registry/lifecycle_policy.h"
#include "registry/template.h"

static const struct {
	const char *name;
	enum template_use use;
} uses[] = {
	{ "REPLICATION", TEMPLATE_REPLICATION },
	{ "PULL_THROUGH_CACHE", TEMPLATE_PULL_THROUGH_CACHE },
	{ "CREATE_ON_PUSH", TEMPLATE_CREATE_ON_PUSH },
};

static bool has(const struct ecr_call *call, const char *member)
{
	return json_type(json_get(call->input, member)) != JSON_NULL;
}

/* The API has limits on a tag; that it has no line breaks is what keeps rows readable. */
static bool parse_tags(struct ecr_call *call, struct template *t, struct err *err)
{
	struct repo_tag *tags;
	if (!resource_tags_parse(call, "resourceTags", &tags, &t->tag_count, err))
		return false;
	for (size_t i = 0; i < t->tag_count; i++) {
		struct str key = tags[i].key;
		struct str value = tags[i].value;
		if (str_find_char(key, '\n') < key.len || str_find_char(value, '\n') < value.len)
			return ecr_bad_parameter(
				err, "resourceTags", "Tags can't contain line breaks");
	}
	t->tags = tags;
	return true;
}

static bool parse_uses(struct ecr_call *call, struct template *t, struct err *err)
{
	const struct json *list = json_get(call->input, "appliedFor");
	size_t n = json_type(list) == JSON_ARRAY ? json_len(list) : 0;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < ARRAY_LEN(uses); k++) {
			if (str_eq_c(json_str(json_at(list, i)), uses[k].name))
				t->uses |= uses[k].use;
		}
	}
	return t->uses != 0 || !has(call, "appliedFor") ||
	       ecr_bad_parameter(err, "appliedFor", "AppliedFor can't be empty");
}

/* Both are checked now, so that creating a repository later cannot fail for them. */
static bool parse_policies(struct ecr_call *call, struct template *t, struct err *err)
{
	t->repository_policy = json_get_str(call->input, "repositoryPolicy");
	t->lifecycle_policy = json_get_str(call->input, "lifecyclePolicy");
	if (t->repository_policy.len != 0) {
		struct policy *policy CLEANUP(policy_freep) = NULL;
		struct err why;
		if (!policy_compile(t->repository_policy, POLICY_REPOSITORY, &policy, &why))
			return ecr_bad_parameter(
				err, "repositoryPolicy", "Invalid repository policy provided");
	}
	if (t->lifecycle_policy.len != 0) {
		struct lifecycle_policy parsed;
		struct arena *arena CLEANUP(arena_freep) = arena_new(LIFECYCLE_ARENA_BYTES);
		if (arena == NULL)
			return ecr_out_of_memory(arena, err);
		if (!lifecycle_policy_parse(t->lifecycle_policy, arena, &parsed, err))
			return false;
	}
	return true;
}

/* ECR: the role is of the registry's own account. */
static bool parse_role(struct ecr_call *call, struct template *t, struct err *err)
{
	struct str role = json_get_str(call->input, "customRoleArn");
	struct str parts[5];
	struct str rest = role;
	bool is_arn = true;
	t->role_arn = role;
	if (role.len == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		is_arn = is_arn && str_cut(rest, ':', &parts[i], &rest);
	if (!is_arn || !str_eq_c(parts[0], "arn") || !str_eq_c(parts[2], "iam") ||
		!str_eq_c(parts[4], call->reg.account) || !str_starts(rest, STR("role/")))
		return ecr_bad_parameter(err, "customRoleArn", "Invalid role ARN");
	return true;
}

/* The members of the input, and which of them are there. */
static bool parse_template(
	struct ecr_call *call, struct template *out, unsigned *members, struct err *err)
{
	static const struct {
		const char *name;
		enum template_member member;
	} names[] = {
		{ "description", TEMPLATE_DESCRIPTION },
		{ "encryptionConfiguration", TEMPLATE_ENCRYPTION },
		{ "imageTagMutability", TEMPLATE_MUTABILITY },
		{ "imageTagMutabilityExclusionFilters", TEMPLATE_MUTABILITY },
		{ "resourceTags", TEMPLATE_TAGS },
		{ "repositoryPolicy", TEMPLATE_REPOSITORY_POLICY },
		{ "lifecyclePolicy", TEMPLATE_LIFECYCLE_POLICY },
		{ "appliedFor", TEMPLATE_USES },
		{ "customRoleArn", TEMPLATE_ROLE },
	};
	struct mutability_input mutability;
	struct encryption_input encryption;
	struct template t = { .prefix = json_get_str(call->input, "prefix") };
	if (!mutability_parse(call, &mutability, err) ||
		!encryption_parse(call, &encryption, err) || !parse_tags(call, &t, err) ||
		!parse_uses(call, &t, err) || !parse_policies(call, &t, err) ||
		!parse_role(call, &t, err))
		return false;
	t.description = json_get_str(call->input, "description");
	t.enc_type = encryption.type;
	t.kms_key = encryption.kms_key;
	t.mutability = mutability.mode;
	t.filter_count = mutability.filter_count;
	memcpy(t.filters, mutability.filters, sizeof(t.filters));
	*members = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		*members |= has(call, names[i].name) ? (unsigned)names[i].member : 0;
	*out = t;
	return true;
}

static void put_optional(struct json_out *out, const char *name, struct str value)
{
	if (value.len != 0)
		jo_str(out, name, value);
}

/* The members of ECR's RepositoryCreationTemplate. */
static void put_template(struct json_out *out, const struct template *t)
{
	jo_str(out, "prefix", t->prefix);
	put_optional(out, "description", t->description);
	encryption_put(out, t->enc_type, t->kms_key);
	jo_array(out, "resourceTags");
	for (size_t i = 0; i < t->tag_count; i++) {
		jo_object(out, NULL);
		jo_str(out, "Key", t->tags[i].key);
		jo_str(out, "Value", t->tags[i].value);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	mutability_put(out, t->mutability, t->filters, t->filter_count);
	put_optional(out, "repositoryPolicy", t->repository_policy);
	put_optional(out, "lifecyclePolicy", t->lifecycle_policy);
	jo_array(out, "appliedFor");
	for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
		if (t->uses & uses[i].use)
			jo_c(out, NULL, uses[i].name);
	}
	jo_end(out, ']');
	put_optional(out, "customRoleArn", t->role_arn);
	jo_time(out, "createdAt", t->created_at_ms);
	jo_time(out, "updatedAt", t->updated_at_ms);
}

static void put_answer(const struct ecr_call *call, struct json_out *out, const struct template *t)
{
	jo_c(out, "registryId", call->reg.account);
	jo_object(out, "repositoryCreationTemplate");
	put_template(out, t);
	jo_end(out, '}');
}

bool ecr_create_repository_creation_template(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct template in;
	struct template made;
	unsigned members;
	if (!parse_template(call, &in, &members, err) ||
		!template_create(call->core, &call->reg, &in, call->arena, &made, err))
		return false;
	put_answer(call, out, &made);
	return true;
}

bool ecr_update_repository_creation_template(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct template in;
	struct template now;
	unsigned members;
	if (!parse_template(call, &in, &members, err) ||
		!template_update(call->core, &call->reg, &in, members, call->arena, &now, err))
		return false;
	put_answer(call, out, &now);
	return true;
}

bool ecr_delete_repository_creation_template(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct template was;
	if (!template_delete(call->core, &call->reg, json_get_str(call->input, "prefix"),
		    call->arena, &was, err))
		return false;
	put_answer(call, out, &was);
	return true;
}

static bool describe_named(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str *names;
	size_t count;
	if (has(call, "nextToken") || has(call, "maxResults"))
		return ecr_bad_parameter(err, has(call, "nextToken") ? "nextToken" : "maxResults",
			"paging can't be used when prefixes are specified");
	if (!ecr_strings(call, "prefixes", &names, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct template t;
		/* The model does not list TemplateNotFoundException here; Terraform's provider
		 * meets it. */
		if (!template_get(call->core, &call->reg, names[i], call->arena, &t, err))
			return false;
		jo_object(out, NULL);
		put_template(out, &t);
		jo_end(out, '}');
	}
	return true;
}

bool ecr_describe_repository_creation_templates(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct page_scope scope = {
		.auth = call->options->auth,
		.operation = STR("DescribeRepositoryCreationTemplates"),
		.reg = call->reg,
	};
	struct str token = json_get_str(call->input, "nextToken");
	struct str after = STR("");
	struct template_page page;
	jo_c(out, "registryId", call->reg.account);
	jo_array(out, "repositoryCreationTemplates");
	if (has(call, "prefixes")) {
		if (!describe_named(call, out, err))
			return false;
		jo_end(out, ']');
		return true;
	}
	if (token.ptr != NULL && !page_token_open(&scope, token, call->arena, &after, err))
		return false;
	if (!template_list(call->core, &call->reg, after, ecr_max_results(call, 100), call->arena,
		    &page, err))
		return false;
	for (size_t i = 0; i < page.count; i++) {
		jo_object(out, NULL);
		put_template(out, &page.items[i]);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	if (!page.more)
		return true;
	if (!page_token_make(&scope, page.last, call->arena, &token, err))
		return false;
	jo_str(out, "nextToken", token);
	return true;
}
