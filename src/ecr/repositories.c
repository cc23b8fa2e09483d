#include "ecr/handlers.h"
#include "ecr/pages.h"
#include "ecr/repo_options.h"
#include "ecr/resource_tags.h"
#include "registry/repo.h"

/* The members of ECR's Repository. */
static bool put_repository(
	struct ecr_call *call, struct json_out *out, const struct repo *r, struct err *err)
{
	struct str arn = front_repo_arn(call->arena, &call->reg, r->name);
	struct str host = front_registry_host(call->req, call->options, &call->reg);
	struct str uri =
		arena_printf(call->arena, STR_FMT "/" STR_FMT, STR_ARG(host), STR_ARG(r->name));
	if (arn.ptr == NULL || host.ptr == NULL || uri.ptr == NULL)
		return ecr_out_of_memory(call->arena, err);
	jo_str(out, "repositoryArn", arn);
	jo_c(out, "registryId", call->reg.account);
	jo_str(out, "repositoryName", r->name);
	jo_str(out, "repositoryUri", uri);
	jo_time(out, "createdAt", r->created_at_ms);
	mutability_put(out, r->mutability, r->filters, r->filter_count);
	jo_object(out, "imageScanningConfiguration");
	jo_bool(out, "scanOnPush", r->scan_on_push);
	jo_end(out, '}');
	encryption_put(out, r->enc_type, r->kms_key);
	return true;
}

bool ecr_create_repository(struct ecr_call *call, struct json_out *out, struct err *err)
{
	const struct json *scanning = json_get(call->input, "imageScanningConfiguration");
	struct mutability_input mutability;
	struct encryption_input encryption;
	struct repo_tag *tags;
	size_t tag_count;
	if (!mutability_parse(call, &mutability, err) ||
		!encryption_parse(call, &encryption, err) ||
		!resource_tags_parse(call, "tags", &tags, &tag_count, err))
		return false;
	/* Tags at creation need the permission to tag as well. */
	if (tag_count != 0 && !ecr_allow(call, "ecr:TagResource", call->repo, err))
		return false;
	struct repo_new in = {
		.name = call->repo,
		.enc_type = encryption.type,
		.kms_key = encryption.kms_key,
		.mutability = mutability.mode,
		.filters = mutability.filters,
		.filter_count = mutability.filter_count,
		.scan_on_push = json_bool(json_get(scanning, "scanOnPush"), false),
		.tags = tags,
		.tag_count = tag_count,
	};
	struct repo created;
	if (!repo_create(call->core, &call->reg, &in, call->arena, &created, err))
		return false;
	jo_object(out, "repository");
	if (!put_repository(call, out, &created, err))
		return false;
	jo_end(out, '}');
	return true;
}

bool ecr_delete_repository(struct ecr_call *call, struct json_out *out, struct err *err)
{
	bool force = json_bool(json_get(call->input, "force"), false);
	struct repo was;
	if (!repo_delete(call->core, &call->reg, call->repo, force, call->arena, &was, err))
		return false;
	jo_object(out, "repository");
	if (!put_repository(call, out, &was, err))
		return false;
	jo_end(out, '}');
	return true;
}

bool ecr_put_image_tag_mutability(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct mutability_input in = { 0 };
	if (!mutability_parse(call, &in, err) ||
		!repo_set_mutability(call->core, &call->reg, call->repo, in.mode, in.filters,
			in.filter_count, err))
		return false;
	ecr_put_place(call, out);
	mutability_put(out, in.mode, in.filters, in.filter_count);
	return true;
}

static bool describe_named(struct ecr_call *call, struct json_out *out, struct err *err)
{
	static const char *const paging[] = { "nextToken", "maxResults" };
	for (size_t i = 0; i < ARRAY_LEN(paging); i++) {
		if (json_type(json_get(call->input, paging[i])) != JSON_NULL)
			return ecr_bad_parameter(err, paging[i],
				"%s can't be used when repositoryNames are specified", paging[i]);
	}
	struct str *names;
	size_t count;
	if (!ecr_strings(call, "repositoryNames", &names, &count, err))
		return false;
	jo_array(out, "repositories");
	for (size_t i = 0; i < count; i++) {
		struct repo r;
		if (!ecr_allow(call, "ecr:DescribeRepositories", names[i], err) ||
			!repo_get(call->core, &call->reg, names[i], call->arena, &r, err))
			return false;
		jo_object(out, NULL);
		if (!put_repository(call, out, &r, err))
			return false;
		jo_end(out, '}');
	}
	jo_end(out, ']');
	return true;
}

bool ecr_describe_repositories(struct ecr_call *call, struct json_out *out, struct err *err)
{
	if (json_type(json_get(call->input, "repositoryNames")) != JSON_NULL)
		return describe_named(call, out, err);
	struct page_scope scope = {
		.auth = call->options->auth,
		.operation = STR("DescribeRepositories"),
		.reg = call->reg,
	};
	struct str token = json_get_str(call->input, "nextToken");
	struct str after = STR("");
	struct repo_page page;
	if (!ecr_allow(call, "ecr:DescribeRepositories", STR("*"), err))
		return false;
	if (token.ptr != NULL && !page_token_open(&scope, token, call->arena, &after, err))
		return false;
	if (!repo_list(call->core, &call->reg, after, ecr_max_results(call, 100), call->arena,
		    &page, err))
		return false;
	jo_array(out, "repositories");
	for (size_t i = 0; i < page.count; i++) {
		jo_object(out, NULL);
		if (!put_repository(call, out, &page.items[i], err))
			return false;
		jo_end(out, '}');
	}
	jo_end(out, ']');
	if (!page.more || page.count == 0)
		return true;
	if (!page_token_make(&scope, page.items[page.count - 1].name, call->arena, &token, err))
		return false;
	jo_str(out, "nextToken", token);
	return true;
}
