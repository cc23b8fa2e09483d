#include "base/clock.h"
#include "ecr/handlers.h"
#include "ecr/patterns.h"
#include "front/blob64.h"
#include "front/layer_url.h"
#include "registry/archive.h"
#include "registry/blob.h"
#include "registry/upload.h"

#define PART_SIZE_BYTES \
	(10 * MIB)            /* what clients are told to send at a time; ECR's sample answer */
#define LAYER_URL_LIFE_S 3600 /* as S3's presigned URLs from ECR */

static void upload_releasep(struct upload **u)
{
	upload_release(*u);
}

/* Digests of this batch that cannot be looked at. */
struct layer_failure {
	struct str digest;
	const char *code, *reason;
};

static void put_layer_failures(
	struct json_out *out, const struct layer_failure *failures, size_t count)
{
	jo_array(out, "failures");
	for (size_t i = 0; i < count; i++) {
		jo_object(out, NULL);
		jo_str(out, "layerDigest", failures[i].digest);
		jo_c(out, "failureCode", failures[i].code);
		jo_c(out, "failureReason", failures[i].reason);
		jo_end(out, '}');
	}
	jo_end(out, ']');
}

static void put_layer(
	struct json_out *out, struct str digest, const struct blob_info *held, bool is_archived)
{
	jo_object(out, NULL);
	jo_str(out, "layerDigest", digest);
	jo_c(out, "layerAvailability",
		held == NULL  ? "UNAVAILABLE"
		: is_archived ? "ARCHIVED"
			      : "AVAILABLE");
	if (held != NULL)
		jo_int(out, "layerSize", (int64_t)held->size_bytes);
	jo_end(out, '}');
}

bool ecr_batch_check_layer_availability(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str *digests;
	size_t count;
	size_t failed = 0;
	if (!ecr_strings(call, "layerDigests", &digests, &count, err))
		return false;
	struct layer_failure *failures = arena_alloc(call->arena, (count + 1) * sizeof(*failures));
	if (failures == NULL)
		return ecr_out_of_memory(call->arena, err);
	jo_array(out, "layers");
	for (size_t i = 0; i < count; i++) {
		struct digest d;
		struct blob_info info;
		struct err why;
		if (digests[i].len == 0) {
			failures[failed++] =
				(struct layer_failure){ digests[i], "MissingLayerDigest",
					"Invalid request parameters: layer digest cannot be null" };
		} else if (!pattern_layer_digest.matches(digests[i])) {
			failures[failed++] = (struct layer_failure){
				digests[i], "InvalidLayerDigest",
				"Invalid request parameters: layer digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
			};
		} else if (digest_parse(digests[i], &d, &why) &&
			   blob_stat(call->core, &call->reg, call->repo, &d, &info, &why)) {
			bool is_archived = false;
			if (!archive_holds_layer(
				    call->core, &call->reg, call->repo, &d, &is_archived, err))
				return false;
			put_layer(out, digests[i], &info, is_archived);
		} else if (why.kind == ERR_BLOB_UNKNOWN || why.kind == ERR_DIGEST_INVALID) {
			/* Not there, or well-formed but of an algorithm or length that nothing has.
			 */
			put_layer(out, digests[i], NULL, false);
		} else {
			*err = why;
			return false;
		}
	}
	jo_end(out, ']');
	put_layer_failures(out, failures, failed);
	return failed == count ? ecr_need_repository(call, err) : true;
}

bool ecr_initiate_layer_upload(struct ecr_call *call, struct json_out *out, struct err *err)
{
	char id[UUID_TEXT_LEN + 1];
	if (!upload_start(call->core, &call->reg, call->repo, DIGEST_SHA256, id, err))
		return false;
	jo_c(out, "uploadId", id);
	jo_int(out, "partSize", (int64_t)PART_SIZE_BYTES);
	return true;
}

/* InvalidLayerPartException tells the client where to go on. */
static bool raise_invalid_part(struct ecr_call *call, uint64_t have)
{
	struct buf b CLEANUP(buf_fini);
	buf_init(&b, 2 * KIB);
	buf_addf(&b, ",\"registryId\":\"%s\",\"repositoryName\":", call->reg.account);
	json_quote(&b, call->repo);
	buf_add_c(&b, ",\"uploadId\":");
	json_quote(&b, json_get_str(call->input, "uploadId"));
	if (have != 0) /* with nothing received there is no last byte */
		buf_addf(&b, ",\"lastValidByteReceived\":%llu", (unsigned long long)have - 1);
	if (buf_ok(&b))
		call->raised_members = arena_str(call->arena, buf_str(&b));
	return ecr_raise_as(call, ECR_INVALID_LAYER_PART);
}

static bool write_piece(void *arg, const uint8_t *bytes, size_t len, struct err *err)
{
	return upload_write(arg, bytes, len, err);
}

bool ecr_upload_layer_part(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str id = json_get_str(call->input, "uploadId");
	struct str blob = json_get_str(call->input, "layerPartBlob");
	uint64_t first = (uint64_t)json_int(json_get(call->input, "partFirstByte"), 0);
	uint64_t last = (uint64_t)json_int(json_get(call->input, "partLastByte"), 0);
	uint64_t len = blob64_len(blob);
	struct upload *u CLEANUP(upload_releasep) = NULL;
	if (!upload_take(call->core, &call->reg, call->repo, id, &u, err))
		return false;
	uint64_t have = upload_size(u);
	if (first != have) {
		err_set(err, ERR_UPLOAD_RANGE,
			"First byte of the layer part is %llu instead of %llu",
			(unsigned long long)first, (unsigned long long)have);
		return raise_invalid_part(call, have);
	}
	if (last < first || last - first + 1 != len) {
		err_set(err, ERR_UPLOAD_RANGE,
			"The layer part has %llu bytes, which are not those from %llu to %llu",
			(unsigned long long)len, (unsigned long long)first,
			(unsigned long long)last);
		return raise_invalid_part(call, have);
	}
	if (!upload_may_add_part(u, err) || !blob64_each(blob, write_piece, u, err) ||
		!upload_note_part(u, len, err) || !upload_sync(u, err))
		return false;
	ecr_put_place(call, out);
	jo_str(out, "uploadId", id);
	jo_int(out, "lastByteReceived", (int64_t)last);
	return true;
}

/* Finishes with the first digest of one algorithm that fits. DIGEST_MISMATCH when none does. */
static bool finish_with(struct ecr_call *call, struct upload *u, enum digest_alg alg,
	struct digest *out_digest, struct upload_result *out, struct err *err)
{
	const struct json *digests = json_get(call->input, "layerDigests");
	for (size_t i = 0; i < json_len(digests); i++) {
		struct digest d;
		struct err why;
		if (!digest_parse(json_str(json_at(digests, i)), &d, &why) || d.alg != alg)
			continue;
		if (upload_finish(u, &d, out, err)) {
			*out_digest = d;
			return true;
		}
		if (err->kind != ERR_DIGEST_MISMATCH)
			return false;
	}
	return err_set(err, ERR_DIGEST_MISMATCH,
		"The digest of the uploaded layer does not match the digest specified");
}

bool ecr_complete_layer_upload(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str id = json_get_str(call->input, "uploadId");
	struct upload *u CLEANUP(upload_releasep) = NULL;
	if (!upload_take(call->core, &call->reg, call->repo, id, &u, err))
		return false;
	if (upload_size(u) == 0)
		return err_set(err, ERR_UPLOAD_EMPTY,
			"The specified layer upload does not contain any layer parts");
	/* Algorithm by algorithm: a change of algorithm may read the whole upload again. */
	struct digest d;
	struct upload_result result = { 0 };
	if (!finish_with(call, u, DIGEST_SHA256, &d, &result, err) &&
		(err->kind != ERR_DIGEST_MISMATCH ||
			!finish_with(call, u, DIGEST_SHA512, &d, &result, err)))
		return err->kind == ERR_DIGEST_MISMATCH ? ecr_raise_as(call, ECR_INVALID_LAYER)
							: false;
	char text[DIGEST_TEXT_MAX];
	digest_text(&d, text);
	if (result.was_there)
		return err_set(err, ERR_LAYER_EXISTS,
			"The layer with digest '%s' already exists in the repository with name '" STR_FMT
			"' in registry with id '%s'",
			text, STR_ARG(call->repo), call->reg.account);
	ecr_put_place(call, out);
	jo_str(out, "uploadId", id);
	jo_c(out, "layerDigest", text);
	return true;
}

static bool layer_unknown(struct ecr_call *call, struct str digest, struct err *err)
{
	return err_set(err, ERR_BLOB_UNKNOWN,
		"Layers with digests '[" STR_FMT
		"]' do not exist in the repository with name '" STR_FMT
		"' in the registry with id '%s'",
		STR_ARG(str_sub(digest, 0, 160)), STR_ARG(call->repo), call->reg.account);
}

bool ecr_get_download_url_for_layer(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str text = json_get_str(call->input, "layerDigest");
	struct layer_url url = {
		.reg = call->reg,
		.expires_at_s = clock_now_ms() / 1000 + LAYER_URL_LIFE_S,
		.repo = call->repo,
	};
	struct blob_info info;
	if (!digest_parse(text, &url.digest, err))
		return layer_unknown(call, text, err);
	if (!blob_stat(call->core, &call->reg, call->repo, &url.digest, &info, err))
		return err->kind == ERR_BLOB_UNKNOWN ? layer_unknown(call, text, err) : false;
	if (!info.is_referenced)
		return ECR_RAISE(call, ECR_LAYER_INACCESSIBLE, err,
			"The specified layer is not available because it is not associated with an image. Unassociated image layers may be cleaned up at any time.");
	bool is_archived = false;
	if (!archive_holds_layer(
		    call->core, &call->reg, call->repo, &url.digest, &is_archived, err))
		return false;
	if (is_archived)
		return ECR_RAISE(call, ECR_LAYER_INACCESSIBLE, err,
			"The specified layer is not available because the images that need it are archived.");
	struct str path = layer_url_path(call->options->auth, &url, call->arena);
	struct str base = http_base_url(call->req);
	struct str whole = arena_printf(call->arena, STR_FMT STR_FMT, STR_ARG(base), STR_ARG(path));
	if (path.ptr == NULL || base.ptr == NULL || whole.ptr == NULL)
		return ecr_out_of_memory(call->arena, err);
	jo_str(out, "downloadUrl", whole);
	jo_str(out, "layerDigest", text);
	return true;
}
