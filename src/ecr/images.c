#include "ecr/handlers.h"
#include "ecr/image_ids.h"
#include "registry/name.h"
#include "registry/pull.h"

#define IDS_MAX         100       /* of one batch; the shape table's limit */
#define IMAGE_ARENA_MAX (8 * MIB) /* what is told of one image beside its bytes */

/* A digest's text that lives as long as the call. ptr NULL when the arena is used up. */
static struct str digest_str(struct ecr_call *call, const struct digest *d)
{
	char text[DIGEST_TEXT_MAX];
	return arena_str(call->arena, str_from(digest_text(d, text)));
}

/* The members of ECR's Image. */
static void put_image(const struct ecr_call *call, struct json_out *out, struct image_id id,
	struct str manifest, struct str media_type)
{
	ecr_put_place(call, out);
	image_id_put(out, "imageId", id);
	jo_str(out, "imageManifest", manifest);
	jo_str(out, "imageManifestMediaType", media_type);
}

/* ECR wants to be told the type of a manifest that does not say it itself; Berth could guess, but
 * scripts must not come to rely on it. */
static bool check_media_type(const struct image_put *in, struct err *err)
{
	struct json *manifest CLEANUP(json_freep) = NULL;
	struct err why;
	if (in->content_type.ptr != NULL || !json_parse(in->bytes, &manifest, &why))
		return true; /* text that is no JSON is refused by who reads it next */
	if (json_type(manifest) != JSON_OBJECT || json_get_str(manifest, "mediaType").len != 0)
		return true;
	return ecr_bad_parameter(err, "imageManifestMediaType",
		"Member must not be null when the manifest has no mediaType");
}

/* What the shape table cannot state. */
static bool check_put(struct ecr_call *call, struct image_put *in, struct err *err)
{
	struct str digest = json_get_str(call->input, "imageDigest");
	struct err why;
	in->has_digest = digest.ptr != NULL;
	if (in->has_digest && !digest_parse(digest, &in->digest, &why))
		return ecr_bad_parameter(err, "imageDigest",
			"must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'");
	if (in->tag_count != 0 && !name_is_tag(in->tags[0]))
		return ecr_bad_parameter(err, "imageTag",
			"must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'");
	return check_media_type(in, err);
}

bool ecr_put_image(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str tag = json_get_str(call->input, "imageTag");
	struct image_put in = {
		.repo = call->repo,
		.bytes = json_get_str(call->input, "imageManifest"),
		.content_type = json_get_str(call->input, "imageManifestMediaType"),
		.tags = &tag,
		.tag_count = tag.ptr != NULL ? 1 : 0,
		.principal = call->who.arn,
		.refuse_repeat = true,
	};
	struct image_put_result put;
	if (!check_put(call, &in, err))
		return false;
	if (!image_put(call->core, &call->reg, &in, call->arena, &put, err))
		return err->kind == ERR_TOO_LARGE ? ecr_raise_as(call, ECR_INVALID_PARAMETER)
						  : false;
	struct image_id id = { .tag = tag, .digest = digest_str(call, &put.digest) };
	if (id.digest.ptr == NULL)
		return ecr_out_of_memory(call->arena, err);
	jo_object(out, "image");
	put_image(call, out, id, in.bytes, put.media_type);
	jo_end(out, '}');
	return true;
}

/* Length of the UTF-8 sequence that s begins with (RFC 3629), 0 when it is none. */
static size_t utf8_sequence(const unsigned char *s, size_t len)
{
	if (s[0] < 0x80)
		return 1;
	size_t n = s[0] >= 0xc2 && s[0] <= 0xdf   ? 2
		   : (s[0] & 0xf0) == 0xe0        ? 3
		   : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
						  : 0;
	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates, and what is past U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static bool is_utf8(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	for (size_t i = 0, n; i < s.len; i += n) {
		n = utf8_sequence(p + i, s.len - i);
		if (n == 0)
			return false;
	}
	return true;
}

/* One image of BatchGetImage: into the answer, or a failure. The manifest passes through bytes. */
static bool get_one(struct ecr_call *call, struct image_id id, struct buf *bytes,
	struct json_out *out, struct image_failure *failure, struct err *err)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new(IMAGE_ARENA_MAX);
	struct image_ref ref;
	struct image_want want = { call->repo, &ref, bytes };
	struct image img;
	if (arena == NULL)
		return ecr_out_of_memory(arena, err);
	*failure = image_id_parse(id, &ref);
	if (failure->code != NULL)
		return true;
	buf_reset(bytes);
	if (!image_get(call->core, &call->reg, &want, arena, &img, err)) {
		if (err->kind == ERR_IMAGE_ARCHIVED) {
			failure->code = "ImageInaccessible";
			failure->reason = STR(
				"Requested image is archived; restore it with UpdateImageStorageClass");
			return true;
		}
		if (err->kind != ERR_IMAGE_UNKNOWN)
			return false;
		return image_id_explain_unknown(call, id, failure, err);
	}
	if (!is_utf8(img.bytes)) {
		/* Exact bytes or nothing: JSON text cannot carry these. */
		failure->code = "ImageInaccessible";
		failure->reason =
			STR("The manifest is not UTF-8 text; pull it through the registry API");
		return true;
	}
	struct str digest = digest_str(call, &img.digest);
	if (digest.ptr == NULL)
		return ecr_out_of_memory(call->arena, err);
	pull_note(call->core, &call->reg, img.id, call->who.arn);
	jo_object(out, NULL);
	put_image(call, out, (struct image_id){ .tag = id.tag, .digest = digest }, img.bytes,
		img.media_type);
	jo_end(out, '}');
	if (!buf_ok(out->buf))
		return err_set(err, ERR_LIMIT,
			"The images asked for are more than %zu MiB together: ask for fewer in one call",
			ECR_ANSWER_MAX / MIB);
	return true;
}

bool ecr_batch_get_image(struct ecr_call *call, struct json_out *out, struct err *err)
{
	/* acceptedMediaTypes needs no look: Berth keeps the bytes of every image as pushed and
	 * never converts one format to another, so that a digest always names what was pushed. */
	const struct json *ids = json_get(call->input, "imageIds");
	struct image_failure failures[IDS_MAX];
	size_t failed = 0;
	struct buf bytes CLEANUP(buf_fini);
	buf_init(&bytes, MANIFEST_MAX_BYTES + KIB);
	jo_array(out, "images");
	for (size_t i = 0; i < json_len(ids) && i < IDS_MAX; i++) {
		struct image_failure failure = { 0 };
		if (!get_one(call, image_id_get(json_at(ids, i)), &bytes, out, &failure, err))
			return false;
		if (failure.code != NULL)
			failures[failed++] = failure;
	}
	jo_end(out, ']');
	image_failures_put(out, failures, failed);
	return failed == json_len(ids) ? ecr_need_repository(call, err) : true;
}

/* What this BatchDeleteImage has removed so far. */
struct removals {
	struct image_removed of_id[IDS_MAX];
	size_t count;
};

/*
 * The ids of one batch are meant together: what an earlier one of them took along (a digest takes
 * its tags) is not missing.
 */
static bool went_already(
	const struct removals *r, const struct image_id *id, const struct image_ref *ref)
{
	for (size_t i = 0; i < r->count; i++) {
		for (size_t k = 0; k < r->of_id[i].count; k++) {
			const struct image_pair *pair = &r->of_id[i].pairs[k];
			if ((!ref->has_digest || digest_eq(&pair->digest, &ref->digest)) &&
				(id->tag.ptr == NULL || str_eq(pair->tag, id->tag)))
				return true;
		}
	}
	return false;
}

static bool delete_one(struct ecr_call *call, struct image_id id, struct removals *r,
	struct image_failure *failure, struct err *err)
{
	struct image_ref ref;
	struct image_removed removed = { 0 };
	*failure = image_id_parse(id, &ref);
	if (failure->code != NULL)
		return true;
	struct image_delete in = {
		.repo = call->repo, .ref = &ref, .also_last = true, .principal = call->who.arn
	};
	if (image_delete(call->core, &call->reg, &in, call->arena, &removed, err)) {
		r->of_id[r->count++] = removed;
		return true;
	}
	if (err->kind == ERR_IMAGE_UNKNOWN)
		return went_already(r, &id, &ref)
			       ? true
			       : image_id_explain_unknown(call, id, failure, err);
	if (err->kind != ERR_IMAGE_IN_INDEX)
		return false;
	failure->code = "ImageReferencedByManifestList";
	failure->reason = arena_str(call->arena, str_from(err_text(err)));
	return failure->reason.ptr != NULL ? true : ecr_out_of_memory(call->arena, err);
}

static void put_removed(struct json_out *out, const struct image_removed *removed)
{
	for (size_t k = 0; k < removed->count; k++) {
		char text[DIGEST_TEXT_MAX];
		struct image_id id = {
			.tag = removed->pairs[k].tag,
			.digest = str_from(digest_text(&removed->pairs[k].digest, text)),
		};
		if (id.tag.len == 0)
			id.tag.ptr = NULL;
		image_id_put(out, NULL, id);
	}
}

bool ecr_batch_delete_image(struct ecr_call *call, struct json_out *out, struct err *err)
{
	const struct json *ids = json_get(call->input, "imageIds");
	struct image_failure failures[IDS_MAX];
	struct removals *r = arena_alloc(call->arena, sizeof(*r));
	size_t failed = 0;
	if (r == NULL)
		return ecr_out_of_memory(call->arena, err);
	for (size_t i = 0; i < json_len(ids) && i < IDS_MAX; i++) {
		if (!delete_one(call, image_id_get(json_at(ids, i)), r, &failures[failed], err))
			return false;
		if (failures[failed].code != NULL)
			failed++;
	}
	jo_array(out, "imageIds");
	for (size_t i = 0; i < r->count; i++)
		put_removed(out, &r->of_id[i]);
	jo_end(out, ']');
	image_failures_put(out, failures, failed);
	return failed == json_len(ids) ? ecr_need_repository(call, err) : true;
}
