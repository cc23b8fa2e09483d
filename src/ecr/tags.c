#include "ecr/arn.h"
#include "ecr/handlers.h"
#include "ecr/resource_tags.h"

#define TAG_KEY_MAX   128 /* characters; the text of InvalidTagParameterException in ECR's model */
#define TAG_VALUE_MAX 256

static size_t characters(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return n;
}

static bool invalid_tag(struct ecr_call *call, struct err *err)
{
	return ECR_RAISE(call, ECR_INVALID_TAG_PARAMETER, err,
		"An invalid parameter has been specified. Tag keys can have a maximum character length of 128 characters, and tag values can have a maximum length of 256 characters.");
}

static bool key_is_valid(struct str key)
{
	/* "aws:" is AWS's own, in any case of letters. */
	return key.len != 0 && characters(key) <= TAG_KEY_MAX &&
	       memchr(key.ptr, '\0', key.len) == NULL &&
	       !str_eq_nocase(str_sub(key, 0, 4), STR("aws:"));
}

bool resource_tags_too_many(struct ecr_call *call, struct err *err)
{
	return ECR_RAISE(call, ECR_TOO_MANY_TAGS, err,
		"The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is %d.",
		REPO_TAGS_MAX);
}

bool resource_tags_parse(struct ecr_call *call, const char *member, struct repo_tag **out,
	size_t *out_n, struct err *err)
{
	const struct json *list = json_get(call->input, member);
	size_t n = json_type(list) == JSON_ARRAY ? json_len(list) : 0;
	if (n > REPO_TAGS_MAX)
		return resource_tags_too_many(call, err);
	struct repo_tag *tags = arena_alloc(call->arena, (n + 1) * sizeof(*tags));
	if (tags == NULL)
		return ecr_out_of_memory(call->arena, err);
	for (size_t i = 0; i < n; i++) {
		tags[i].key = json_get_str(json_at(list, i), "Key");
		tags[i].value = json_get_str(json_at(list, i), "Value");
		if (!key_is_valid(tags[i].key) || characters(tags[i].value) > TAG_VALUE_MAX)
			return invalid_tag(call, err);
		for (size_t k = 0; k < i; k++) {
			if (str_eq(tags[k].key, tags[i].key))
				return ECR_RAISE(call, ECR_INVALID_TAG_PARAMETER, err,
					"Duplicate tag keys found");
		}
	}
	*out = tags;
	*out_n = n;
	return true;
}

/* The repository that resourceArn names; the caller may do action to it. */
static bool open_resource(struct ecr_call *call, const char *action, struct err *err)
{
	struct registry_id reg;
	struct str repo;
	if (!arn_parse_repository(json_get_str(call->input, "resourceArn"), &reg, &repo, err))
		return false;
	/* A Region's endpoint knows the resources of that Region only. */
	if (strcmp(reg.region, call->reg.region) != 0)
		return ecr_bad_parameter(err, "resourceArn", "Invalid ARN");
	call->reg = reg;
	call->repo = repo;
	call->req->log_repository = arena_str(call->req->arena, repo);
	return ecr_allow(call, action, repo, err);
}

bool ecr_tag_resource(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct repo_tag *tags = NULL;
	size_t count = 0;
	(void)out; /* the answer is empty */
	if (!open_resource(call, "ecr:TagResource", err) ||
		!resource_tags_parse(call, "tags", &tags, &count, err))
		return false;
	if (repo_tags_put(call->core, &call->reg, call->repo, tags, count, err))
		return true;
	return err->kind == ERR_LIMIT ? resource_tags_too_many(call, err) : false;
}

bool ecr_untag_resource(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str *keys = NULL;
	size_t count = 0;
	(void)out;
	if (!open_resource(call, "ecr:UntagResource", err) ||
		!ecr_strings(call, "tagKeys", &keys, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!key_is_valid(keys[i]))
			return invalid_tag(call, err);
	}
	return repo_tags_remove(call->core, &call->reg, call->repo, keys, count, err);
}

bool ecr_list_tags_for_resource(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct repo_tag *tags = NULL;
	size_t count = 0;
	if (!open_resource(call, "ecr:ListTagsForResource", err) ||
		!repo_tags_get(call->core, &call->reg, call->repo, call->arena, &tags, &count, err))
		return false;
	jo_array(out, "tags");
	for (size_t i = 0; i < count; i++) {
		jo_object(out, NULL);
		jo_str(out, "Key", tags[i].key);
		jo_str(out, "Value", tags[i].value);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	return true;
}
