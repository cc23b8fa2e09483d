#include "ecr/image_ids.h"

#include "ecr/patterns.h"
#include "registry/name.h"

struct image_id image_id_get(const struct json *v)
{
	return (struct image_id){
		.tag = json_get_str(v, "imageTag"),
		.digest = json_get_str(v, "imageDigest"),
	};
}

void image_id_put(struct json_out *out, const char *name, struct image_id id)
{
	jo_object(out, name);
	if (id.digest.ptr != NULL)
		jo_str(out, "imageDigest", id.digest);
	if (id.tag.ptr != NULL)
		jo_str(out, "imageTag", id.tag);
	jo_end(out, '}');
}

static struct image_failure failure(struct image_id id, const char *code, struct str reason)
{
	return (struct image_failure){ .id = id, .code = code, .reason = reason };
}

static struct image_failure not_found(struct image_id id)
{
	return failure(id, "ImageNotFound", STR("Requested image not found"));
}

struct image_failure image_id_parse(struct image_id id, struct image_ref *out)
{
	struct image_ref ref = { .has_digest = id.digest.ptr != NULL };
	struct err why;
	if (id.tag.ptr == NULL && id.digest.ptr == NULL)
		return failure(id, "MissingDigestAndTag",
			STR("Invalid request parameters: both tag and digest cannot be null"));
	if (ref.has_digest && !pattern_layer_digest.matches(id.digest))
		return failure(id, "InvalidImageDigest",
			STR("Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"));
	if (id.tag.ptr != NULL && !name_is_tag(id.tag))
		return failure(id, "InvalidImageTag",
			STR("Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'"));
	/* Well-formed for ECR, but of a length or algorithm that no image can have. */
	if (ref.has_digest && !digest_parse(id.digest, &ref.digest, &why))
		return not_found(id);
	if (id.tag.ptr != NULL)
		ref.tag = id.tag;
	*out = ref;
	return (struct image_failure){ .id = id };
}

bool image_id_explain_unknown(
	struct ecr_call *call, struct image_id id, struct image_failure *out, struct err *err)
{
	*out = not_found(id);
	if (id.tag.ptr == NULL || id.digest.ptr == NULL)
		return true;
	struct image_ref by_tag = { .tag = id.tag };
	struct image_want want = { call->repo, &by_tag, NULL };
	struct image img;
	if (image_get(call->core, &call->reg, &want, call->arena, &img, err)) {
		*out = failure(id, "ImageTagDoesNotMatchDigest",
			STR("Invalid request parameters: given tag does not map to the given digest"));
		return true;
	}
	return err->kind == ERR_IMAGE_UNKNOWN;
}

void image_failures_put(struct json_out *out, const struct image_failure *failures, size_t count)
{
	jo_array(out, "failures");
	for (size_t i = 0; i < count; i++) {
		jo_object(out, NULL);
		image_id_put(out, "imageId", failures[i].id);
		jo_c(out, "failureCode", failures[i].code);
		jo_str(out, "failureReason", failures[i].reason);
		jo_end(out, '}');
	}
	jo_end(out, ']');
}

bool ecr_image_not_found(struct ecr_call *call, struct image_id id, struct err *err)
{
	struct str none = STR("null");
	struct str digest = id.digest.ptr != NULL ? str_sub(id.digest, 0, 140) : none;
	struct str tag = id.tag.ptr != NULL ? str_sub(id.tag, 0, 128) : none;
	return err_set(err, ERR_IMAGE_UNKNOWN,
		"The image with imageId {imageDigest:'" STR_FMT "', imageTag:'" STR_FMT
		"'} does not exist within the repository with name '" STR_FMT
		"' in the registry with id '%s'",
		STR_ARG(digest), STR_ARG(tag), STR_ARG(call->repo), call->reg.account);
}

const char *image_status_name(enum image_status status)
{
	switch (status) {
	case IMAGE_ACTIVE:
		return "ACTIVE";
	case IMAGE_ARCHIVED:
		return "ARCHIVED";
	case IMAGE_ACTIVATING:
		return "ACTIVATING";
	}
	return "ACTIVE";
}
