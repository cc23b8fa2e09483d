#include "ecr/handlers.h"
#include "ecr/image_ids.h"
#include "ecr/pages.h"

#define CHUNK_ARENA_MAX (16 * MIB) /* less than an answer: a chunk always fits one */
#define IDS_MAX         100        /* the shape table's limit */
/* Looks at the registry for one page: each is bounded, so a page may be short, or even empty, and
 * have a next one. */
#define ROUNDS_MAX 10

/* ECR's page scope of this call. */
static struct page_scope scope_of(const struct ecr_call *call, const char *operation)
{
	return (struct page_scope){
		.auth = call->options->auth,
		.operation = str_from(operation),
		.reg = call->reg,
		.repo = call->repo,
	};
}

static bool open_cursor(struct ecr_call *call, const struct page_scope *scope,
	struct image_cursor *out, struct err *err)
{
	struct str token = json_get_str(call->input, "nextToken");
	struct str text;
	*out = (struct image_cursor){ 0 };
	if (token.ptr == NULL)
		return true;
	if (!page_token_open(scope, token, call->arena, &text, err))
		return false;
	return page_cursor_parse(text, out) ? true
					    : ecr_bad_parameter(err, "NextToken", "Invalid token");
}

static bool put_next(struct ecr_call *call, const struct page_scope *scope, struct json_out *out,
	const struct image_cursor *next, struct err *err)
{
	char text[PAGE_CURSOR_MAX];
	struct str token;
	if (!page_token_make(scope, page_cursor_render(next, text), call->arena, &token, err))
		return false;
	jo_str(out, "nextToken", token);
	return true;
}

static enum tag_filter tag_filter_of(const struct json *filter)
{
	struct str status = json_get_str(filter, "tagStatus");
	if (str_eq_c(status, "TAGGED"))
		return TAGS_TAGGED;
	return str_eq_c(status, "UNTAGGED") ? TAGS_UNTAGGED : TAGS_ANY;
}

/* Without the member only what is active is told. */
static enum status_filter status_filter_of(const struct json *filter, const char *member)
{
	struct str status = json_get_str(filter, member);
	if (str_eq_c(status, "ARCHIVED"))
		return STATUS_ARCHIVED;
	if (str_eq_c(status, "ACTIVATING"))
		return STATUS_ACTIVATING;
	return str_eq_c(status, "ANY") ? STATUS_ANY : STATUS_ACTIVE;
}

/* One kind of list: how a chunk is asked for, how many images it may have, how one is written. */
struct list_kind {
	const char *operation, *member;
	unsigned chunk; /* images whose tags fit into CHUNK_ARENA_MAX at their largest */
	bool (*fetch)(struct ecr_call *call, const struct image_cursor *from, unsigned limit,
		struct arena *arena, struct image_page *out, struct err *err);
	void (*put)(const struct ecr_call *call, struct json_out *out, const struct image *img);
};

/* A page of at most limit images, and nextToken when there are more. */
static bool put_list(struct ecr_call *call, struct json_out *out, const struct list_kind *kind,
	unsigned limit, struct err *err)
{
	struct page_scope scope = scope_of(call, kind->operation);
	struct image_cursor at;
	bool more = true;
	if (!open_cursor(call, &scope, &at, err))
		return false;
	jo_array(out, kind->member);
	for (unsigned round = 0, n = 0;
		more && n < limit && round < ROUNDS_MAX + limit / kind->chunk; round++) {
		struct arena *arena CLEANUP(arena_freep) = arena_new(CHUNK_ARENA_MAX);
		struct image_page page = { 0 };
		unsigned want = limit - n < kind->chunk ? limit - n : kind->chunk;
		if (arena == NULL)
			return ecr_out_of_memory(arena, err);
		if (!kind->fetch(call, &at, want, arena, &page, err))
			return false;
		for (size_t i = 0; i < page.count; i++)
			kind->put(call, out, &page.items[i]);
		n += (unsigned)page.count;
		at = page.next;
		more = page.more;
		if (out->buf->len > ECR_PAGE_BYTES)
			break;
	}
	jo_end(out, ']');
	return more ? put_next(call, &scope, out, &at, err) : true;
}

static struct image_query query_of(
	const struct ecr_call *call, const struct image_cursor *from, unsigned limit)
{
	const struct json *filter = json_get(call->input, "filter");
	return (struct image_query){
		.repo = call->repo,
		.tags = tag_filter_of(filter),
		.status = status_filter_of(filter, "imageStatus"),
		.from = *from,
		.limit = limit,
	};
}

static bool fetch_listed(struct ecr_call *call, const struct image_cursor *from, unsigned limit,
	struct arena *arena, struct image_page *out, struct err *err)
{
	struct image_query q = query_of(call, from, limit);
	return image_list(call->core, &call->reg, &q, arena, out, err);
}

static void put_listed(const struct ecr_call *call, struct json_out *out, const struct image *img)
{
	char text[DIGEST_TEXT_MAX];
	struct image_id id = { .digest = str_from(digest_text(&img->digest, text)) };
	(void)call;
	if (img->tag_count != 0)
		id.tag = img->tags[0];
	image_id_put(out, NULL, id);
}

bool ecr_list_images(struct ecr_call *call, struct json_out *out, struct err *err)
{
	static const struct list_kind kind = { "ListImages", "imageIds", 1000, fetch_listed,
		put_listed };
	return put_list(call, out, &kind, ecr_max_results(call, 100), err);
}

static bool fetch_described(struct ecr_call *call, const struct image_cursor *from, unsigned limit,
	struct arena *arena, struct image_page *out, struct err *err)
{
	struct image_query q = query_of(call, from, limit);
	return image_describe(call->core, &call->reg, &q, arena, out, err);
}

/* Only for what ever happened. */
static void put_time(struct json_out *out, const char *name, int64_t at_ms)
{
	if (at_ms != 0)
		jo_time(out, name, at_ms);
}

/* ECR's ImageDetail. */
static void put_detail(const struct ecr_call *call, struct json_out *out, const struct image *img)
{
	char text[DIGEST_TEXT_MAX];
	jo_object(out, NULL);
	ecr_put_place(call, out);
	jo_c(out, "imageDigest", digest_text(&img->digest, text));
	if (img->tag_count != 0) {
		jo_array(out, "imageTags");
		for (size_t i = 0; i < img->tag_count; i++)
			jo_str(out, NULL, img->tags[i]);
		jo_end(out, ']');
	}
	jo_int(out, "imageSizeInBytes", (int64_t)img->size_bytes);
	jo_time(out, "imagePushedAt", img->pushed_at_ms);
	jo_str(out, "imageManifestMediaType", img->media_type);
	if (img->artifact_type.len != 0)
		jo_str(out, "artifactMediaType", img->artifact_type);
	if (img->has_subject)
		jo_c(out, "subjectManifestDigest", digest_text(&img->subject, text));
	jo_c(out, "imageStatus", image_status_name(img->status));
	put_time(out, "lastRecordedPullTime", img->pulled_at_ms);
	put_time(out, "lastArchivedAt", img->archived_at_ms);
	put_time(out, "lastActivatedAt", img->activated_at_ms);
	jo_end(out, '}');
}

/* One id of DescribeImages. Differs from the batches: what is not there is an exception. */
static bool find_named(struct ecr_call *call, struct image_id id, struct arena *arena,
	struct image *out, struct err *err)
{
	struct image_ref ref;
	struct image_failure failure = image_id_parse(id, &ref);
	if (failure.code != NULL && strcmp(failure.code, "ImageNotFound") == 0)
		return ecr_image_not_found(call, id, err);
	if (failure.code != NULL)
		return ecr_bad_parameter(err, "imageIds", STR_FMT, STR_ARG(failure.reason));
	if (image_describe_one(call->core, &call->reg, call->repo, &ref, arena, out, err))
		return true;
	return err->kind == ERR_IMAGE_UNKNOWN ? ecr_image_not_found(call, id, err) : false;
}

/* An image that is asked for by name is told in any state, unless the filter names one. */
static bool passes(const struct image *img, const struct json *filter)
{
	enum tag_filter tags = tag_filter_of(filter);
	struct str status = json_get_str(filter, "imageStatus");
	return (tags == TAGS_ANY || (tags == TAGS_TAGGED) == (img->tag_count != 0)) &&
	       (status.ptr == NULL || str_eq_c(status, "ANY") ||
		       str_eq_c(status, image_status_name(img->status)));
}

static bool describe_named(
	struct ecr_call *call, struct json_out *out, const struct json *ids, struct err *err)
{
	static const char *const paging[] = { "nextToken", "maxResults" };
	for (size_t i = 0; i < ARRAY_LEN(paging); i++) {
		if (json_type(json_get(call->input, paging[i])) != JSON_NULL)
			return ecr_bad_parameter(err, paging[i],
				"%s can't be used when imageIds are specified", paging[i]);
	}
	const struct json *filter = json_get(call->input, "filter");
	int64_t seen[IDS_MAX];
	size_t n = 0;
	jo_array(out, "imageDetails");
	for (size_t i = 0; i < json_len(ids) && i < IDS_MAX; i++) {
		struct arena *arena CLEANUP(arena_freep) = arena_new(CHUNK_ARENA_MAX);
		struct image img = { 0 };
		bool is_seen = false;
		if (arena == NULL)
			return ecr_out_of_memory(arena, err);
		if (!find_named(call, image_id_get(json_at(ids, i)), arena, &img, err))
			return false;
		for (size_t k = 0; k < n; k++)
			is_seen = is_seen || seen[k] == img.id;
		if (is_seen || !passes(&img, filter))
			continue; /* two ids may name one image: it is told once */
		seen[n++] = img.id;
		put_detail(call, out, &img);
	}
	jo_end(out, ']');
	return true;
}

bool ecr_describe_images(struct ecr_call *call, struct json_out *out, struct err *err)
{
	/* An image has at most 1,000 tags of 128 bytes: 50 of them fit the arena. */
	static const struct list_kind kind = { "DescribeImages", "imageDetails", 50,
		fetch_described, put_detail };
	const struct json *ids = json_get(call->input, "imageIds");
	if (json_type(ids) != JSON_NULL)
		return describe_named(call, out, ids, err);
	return put_list(call, out, &kind, ecr_max_results(call, 100), err);
}

/* The referrers' query, from the input. */
static bool fetch_referrers(struct ecr_call *call, const struct image_cursor *from, unsigned limit,
	struct arena *arena, struct image_page *out, struct err *err)
{
	const struct json *types = json_get(json_get(call->input, "filter"), "artifactTypes");
	struct str text = json_get_str(json_get(call->input, "subjectId"), "imageDigest");
	struct str type[5];
	struct referrer_query q = {
		.repo = call->repo,
		.types = type,
		.status = status_filter_of(json_get(call->input, "filter"), "artifactStatus"),
		.after = from->image_id,
		.limit = limit,
		.repo_must_exist = true,
	};
	struct err why;
	if (!digest_parse(text, &q.subject, &why))
		return ecr_bad_parameter(err, "subjectId.imageDigest",
			"must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'");
	for (size_t i = 0; i < json_len(types) && i < ARRAY_LEN(type); i++)
		type[q.type_count++] = json_str(json_at(types, i));
	return image_referrers(call->core, &call->reg, &q, arena, out, err);
}

/* ECR's ImageReferrer. */
static void put_referrer(const struct ecr_call *call, struct json_out *out, const struct image *img)
{
	char text[DIGEST_TEXT_MAX];
	(void)call;
	jo_object(out, NULL);
	jo_c(out, "digest", digest_text(&img->digest, text));
	jo_str(out, "mediaType", img->media_type);
	if (img->artifact_type.len != 0)
		jo_str(out, "artifactType", img->artifact_type);
	jo_int(out, "size", (int64_t)img->manifest_bytes);
	if (img->annotations.len != 0)
		jo_raw(out, "annotations", img->annotations);
	jo_c(out, "artifactStatus", image_status_name(img->status));
	jo_end(out, '}');
}

bool ecr_list_image_referrers(struct ecr_call *call, struct json_out *out, struct err *err)
{
	static const struct list_kind kind = { "ListImageReferrers", "referrers", 50,
		fetch_referrers, put_referrer };
	return put_list(call, out, &kind, ecr_max_results(call, 20), err);
}
