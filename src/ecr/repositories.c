#include "ecr/handlers.h"
#include "ecr/pages.h"
#include "ecr/resource_tags.h"
#include "registry/repo.h"

#define FILTER_STARS_MAX 2 /* of one exclusion filter; as Terraform's provider validates it */

static const char *const mutability_names[] = {
	[MUTABLE] = "MUTABLE",
	[IMMUTABLE] = "IMMUTABLE",
	[MUTABLE_WITH_EXCLUSION] = "MUTABLE_WITH_EXCLUSION",
	[IMMUTABLE_WITH_EXCLUSION] = "IMMUTABLE_WITH_EXCLUSION",
};

static const char *const encryption_names[] = {
	[ENC_AES256] = "AES256",
	[ENC_KMS] = "KMS",
	[ENC_KMS_DSSE] = "KMS_DSSE",
};

/* Index of a name in a table, or otherwise when the member is absent. The shape table has refused
 * other names. */
static unsigned name_index(
	const char *const *names, size_t count, struct str name, unsigned otherwise)
{
	for (unsigned i = 0; i < count; i++) {
		if (names[i] != NULL && str_eq_c(name, names[i]))
			return i;
	}
	return otherwise;
}

/* Mode and exclusion filters, of CreateRepository and PutImageTagMutability. */
struct mutability_input {
	enum mutability mode;
	struct str filters[REPO_FILTERS_MAX];
	size_t filter_count;
};

static bool parse_mutability(struct ecr_call *call, struct mutability_input *out, struct err *err)
{
	const struct json *list = json_get(call->input, "imageTagMutabilityExclusionFilters");
	enum mutability mode =
		(enum mutability)name_index(mutability_names, ARRAY_LEN(mutability_names),
			json_get_str(call->input, "imageTagMutability"), MUTABLE);
	bool wants_filters = mode == MUTABLE_WITH_EXCLUSION || mode == IMMUTABLE_WITH_EXCLUSION;
	bool has_filters = json_type(list) == JSON_ARRAY;
	if (wants_filters && !has_filters)
		return ecr_bad_parameter(err, "imageTagMutabilityExclusionFilters",
			"ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as %s",
			mutability_names[mode]);
	if (has_filters && !wants_filters)
		return ecr_bad_parameter(err, "imageTagMutabilityExclusionFilters",
			"ImageTagMutabilityExclusionFilters are not allowed when imageTagMutability is set as %s",
			mutability_names[mode]);
	struct mutability_input in = { .mode = mode };
	for (size_t i = 0; has_filters && i < json_len(list) && i < REPO_FILTERS_MAX; i++) {
		struct str filter = json_get_str(json_at(list, i), "filter");
		unsigned stars = 0;
		for (size_t k = 0; k < filter.len; k++)
			stars += filter.ptr[k] == '*';
		if (stars > FILTER_STARS_MAX)
			return ecr_bad_parameter(err, "imageTagMutabilityExclusionFilters",
				"A filter can contain at most %d wildcards", FILTER_STARS_MAX);
		in.filters[in.filter_count++] = filter;
	}
	*out = in;
	return true;
}

static void put_mutability(
	struct json_out *out, enum mutability mode, const struct str *filters, size_t filter_count)
{
	jo_c(out, "imageTagMutability", mutability_names[mode]);
	if (filter_count == 0)
		return;
	jo_array(out, "imageTagMutabilityExclusionFilters");
	for (size_t i = 0; i < filter_count; i++) {
		jo_object(out, NULL);
		jo_c(out, "filterType", "WILDCARD");
		jo_str(out, "filter", filters[i]);
		jo_end(out, '}');
	}
	jo_end(out, ']');
}

/* The members of ECR's Repository. */
static bool put_repository(
	struct ecr_call *call, struct json_out *out, const struct repo *r, struct err *err)
{
	struct str arn = front_repo_arn(call->arena, &call->reg, r->name);
	struct str host = front_registry_host(call->req, call->options, &call->reg);
	struct str uri =
		arena_printf(call->arena, STR_FMT "/" STR_FMT, STR_ARG(host), STR_ARG(r->name));
	if (arn.ptr == NULL || host.ptr == NULL || uri.ptr == NULL)
		return ecr_out_of_memory(err);
	jo_str(out, "repositoryArn", arn);
	jo_c(out, "registryId", call->reg.account);
	jo_str(out, "repositoryName", r->name);
	jo_str(out, "repositoryUri", uri);
	jo_time(out, "createdAt", r->created_at_ms);
	put_mutability(out, r->mutability, r->filters, r->filter_count);
	jo_object(out, "imageScanningConfiguration");
	jo_bool(out, "scanOnPush", r->scan_on_push);
	jo_end(out, '}');
	jo_object(out, "encryptionConfiguration");
	jo_c(out, "encryptionType", encryption_names[r->enc_type]);
	if (r->kms_key.len != 0)
		jo_str(out, "kmsKey", r->kms_key);
	jo_end(out, '}');
	return true;
}

bool ecr_create_repository(struct ecr_call *call, struct json_out *out, struct err *err)
{
	const struct json *encryption = json_get(call->input, "encryptionConfiguration");
	const struct json *scanning = json_get(call->input, "imageScanningConfiguration");
	struct mutability_input mutability;
	struct repo_tag *tags;
	size_t tag_count;
	if (!parse_mutability(call, &mutability, err) ||
		!resource_tags_parse(call, &tags, &tag_count, err))
		return false;
	/* Tags at creation need the permission to tag as well. */
	if (tag_count != 0 && !ecr_allow(call, "ecr:TagResource", call->repo, err))
		return false;
	struct repo_new in = {
		.name = call->repo,
		.enc_type = (enum enc_type)name_index(encryption_names, ARRAY_LEN(encryption_names),
			json_get_str(encryption, "encryptionType"), ENC_AES256),
		.kms_key = json_get_str(encryption, "kmsKey"),
		.mutability = mutability.mode,
		.filters = mutability.filters,
		.filter_count = mutability.filter_count,
		.scan_on_push = json_bool(json_get(scanning, "scanOnPush"), false),
		.tags = tags,
		.tag_count = tag_count,
	};
	if (in.enc_type == ENC_AES256 && in.kms_key.len != 0)
		return ecr_bad_parameter(err, "encryptionConfiguration",
			"kmsKey can't be set when encryptionType is AES256");
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
	if (!parse_mutability(call, &in, err) ||
		!repo_set_mutability(call->core, &call->reg, call->repo, in.mode, in.filters,
			in.filter_count, err))
		return false;
	ecr_put_place(call, out);
	put_mutability(out, in.mode, in.filters, in.filter_count);
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
