#include "registry/lifecycle.h"

#include "ecr/handlers.h"
#include "ecr/image_ids.h"
#include "ecr/pages.h"

#define IDS_MAX 100 /* the shape table's limit */
/* Looks at the registry for one page: each is bounded, so a page may be short and have a next one.
 */
#define ROUNDS_MAX 10

static bool put_policy(const struct ecr_call *call, struct json_out *out, const struct lifecycle *l)
{
	ecr_put_place(call, out);
	jo_str(out, "lifecyclePolicyText", l->text);
	jo_time(out, "lastEvaluatedAt", l->evaluated_at_ms); /* ECR: 1970 for one that never was */
	return true;
}

bool ecr_put_lifecycle_policy(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str text = json_get_str(call->input, "lifecyclePolicyText");
	if (!lifecycle_put(call->core, &call->reg, call->repo, text, err))
		return false;
	ecr_put_place(call, out);
	jo_str(out, "lifecyclePolicyText", text);
	return true;
}

bool ecr_get_lifecycle_policy(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct lifecycle l;
	return lifecycle_get(call->core, &call->reg, call->repo, call->arena, &l, err) &&
	       put_policy(call, out, &l);
}

bool ecr_delete_lifecycle_policy(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct lifecycle l;
	return lifecycle_delete(call->core, &call->reg, call->repo, call->arena, &l, err) &&
	       put_policy(call, out, &l);
}

bool ecr_start_lifecycle_policy_preview(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str text = json_get_str(call->input, "lifecyclePolicyText");
	if (!lifecycle_preview(call->core, &call->reg, call->repo, text, call->arena, &text, err))
		return false;
	ecr_put_place(call, out);
	jo_str(out, "lifecyclePolicyText", text);
	jo_c(out, "status", "IN_PROGRESS");
	return true;
}

/* --- GetLifecyclePolicyPreview --- */

static const char *status_name(enum lifecycle_preview_status status)
{
	switch (status) {
	case LIFECYCLE_PREVIEW_RUNNING:
		return "IN_PROGRESS";
	case LIFECYCLE_PREVIEW_COMPLETE:
		return "COMPLETE";
	case LIFECYCLE_PREVIEW_EXPIRED:
		return "EXPIRED";
	case LIFECYCLE_PREVIEW_FAILED:
		return "FAILED";
	}
	return "FAILED";
}

/* ECR's LifecyclePolicyPreviewResult. */
static void put_result(struct json_out *out, const struct lifecycle_result *r)
{
	char text[DIGEST_TEXT_MAX];
	jo_object(out, NULL);
	jo_array(out, "imageTags");
	for (size_t i = 0; i < r->image.tag_count; i++)
		jo_str(out, NULL, r->image.tags[i]);
	jo_end(out, ']');
	jo_c(out, "imageDigest", digest_text(&r->image.digest, text));
	jo_time(out, "imagePushedAt", r->image.pushed_at_ms);
	jo_object(out, "action");
	jo_c(out, "type", r->action == LIFECYCLE_EXPIRE ? "EXPIRE" : "TRANSITION");
	if (r->action == LIFECYCLE_TRANSITION)
		jo_c(out, "targetStorageClass", "ARCHIVE");
	jo_end(out, '}');
	jo_int(out, "appliedRulePriority", r->priority);
	jo_c(out, "storageClass", r->image.status == IMAGE_ARCHIVED ? "ARCHIVE" : "STANDARD");
	jo_end(out, '}');
}

static void put_summary(struct json_out *out, const struct lifecycle_preview *p)
{
	jo_object(out, "summary");
	jo_int(out, "expiringImageTotalCount", (int64_t)p->expiring);
	if (p->moving != 0) {
		jo_array(out, "transitioningImageTotalCounts");
		jo_object(out, NULL);
		jo_c(out, "targetStorageClass", "ARCHIVE");
		jo_int(out, "imageTotalCount", (int64_t)p->moving);
		jo_end(out, '}');
		jo_end(out, ']');
	}
	jo_end(out, '}');
}

/* The images that imageIds names, as row ids; ids of nothing are left out. */
static bool find_ids(struct ecr_call *call, int64_t ids[IDS_MAX], size_t *count, struct err *err)
{
	const struct json *list = json_get(call->input, "imageIds");
	size_t n = 0;
	for (size_t i = 0; i < json_len(list) && i < IDS_MAX; i++) {
		struct image_ref ref;
		struct image img = { 0 };
		struct image_failure failure = image_id_parse(image_id_get(json_at(list, i)), &ref);
		struct err why;
		if (failure.code != NULL && strcmp(failure.code, "ImageNotFound") != 0)
			return ecr_bad_parameter(err, "imageIds", STR_FMT, STR_ARG(failure.reason));
		if (failure.code != NULL)
			continue;
		if (image_describe_one(
			    call->core, &call->reg, call->repo, &ref, call->arena, &img, &why)) {
			ids[n++] = img.id;
		} else if (why.kind != ERR_IMAGE_UNKNOWN) {
			*err = why;
			return false;
		}
	}
	*count = n;
	return true;
}

static bool check_paging(struct ecr_call *call, struct err *err)
{
	static const char *const paging[] = { "nextToken", "maxResults" };
	for (size_t i = 0; i < ARRAY_LEN(paging); i++) {
		if (json_type(json_get(call->input, paging[i])) != JSON_NULL)
			return ecr_bad_parameter(err, paging[i],
				"%s can't be used when imageIds are specified", paging[i]);
	}
	return true;
}

/* Where the page begins: behind an image id. */
static bool read_cursor(
	struct ecr_call *call, const struct page_scope *scope, int64_t *out, struct err *err)
{
	struct str token = json_get_str(call->input, "nextToken");
	struct str text;
	uint64_t id = 0;
	if (token.ptr != NULL && !page_token_open(scope, token, call->arena, &text, err))
		return false;
	if (token.ptr != NULL && !str_to_u64(text, INT64_MAX, &id))
		return ecr_bad_parameter(err, "NextToken", "Invalid token");
	*out = (int64_t)id;
	return true;
}

static bool put_next(struct ecr_call *call, const struct page_scope *scope, struct json_out *out,
	int64_t after, struct err *err)
{
	struct str token;
	struct str cursor = arena_printf(call->arena, "%lld", (long long)after);
	if (cursor.ptr == NULL)
		return ecr_out_of_memory(call->arena, err);
	if (!page_token_make(scope, cursor, call->arena, &token, err))
		return false;
	jo_str(out, "nextToken", token);
	return true;
}

/* Results until the page is full; *p: the state of the preview and where the next page begins. */
static bool put_results(struct ecr_call *call, struct json_out *out,
	struct lifecycle_preview_query *q, unsigned limit, struct lifecycle_preview *p,
	struct err *err)
{
	unsigned n = 0;
	jo_array(out, "previewResults");
	for (unsigned round = 0; round < ROUNDS_MAX && n < limit; round++) {
		q->limit = limit - n;
		if (!lifecycle_preview_get(call->core, &call->reg, q, call->arena, p, err))
			return false;
		for (size_t i = 0; i < p->count; i++)
			put_result(out, &p->items[i]);
		n += (unsigned)p->count;
		q->after = p->after;
		if (!p->more || out->buf->len > ECR_PAGE_BYTES)
			break;
	}
	jo_end(out, ']');
	return true;
}

bool ecr_get_lifecycle_policy_preview(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct page_scope scope = { .auth = call->options->auth,
		.operation = STR("GetLifecyclePolicyPreview"),
		.reg = call->reg,
		.repo = call->repo };
	struct lifecycle_preview_query q = { .repo = call->repo };
	struct lifecycle_preview p = { 0 };
	struct str status = json_get_str(json_get(call->input, "filter"), "tagStatus");
	int64_t ids[IDS_MAX];
	bool named = json_type(json_get(call->input, "imageIds")) != JSON_NULL;
	if (named && (!check_paging(call, err) || !find_ids(call, ids, &q.image_count, err)))
		return false;
	if (!read_cursor(call, &scope, &q.after, err))
		return false;
	q.images = named ? ids : NULL;
	q.tags = str_eq_c(status, "TAGGED")     ? TAGS_TAGGED
		 : str_eq_c(status, "UNTAGGED") ? TAGS_UNTAGGED
						: TAGS_ANY;
	ecr_put_place(call, out);
	if (!put_results(call, out, &q, ecr_max_results(call, 100), &p, err))
		return false;
	jo_str(out, "lifecyclePolicyText", p.text);
	jo_c(out, "status", status_name(p.status));
	if (p.status == LIFECYCLE_PREVIEW_COMPLETE)
		put_summary(out, &p);
	return p.more ? put_next(call, &scope, out, p.after, err) : true;
}
