/* errors.c - error kinds on the wire: one switch from kind to status and code (OCI spec 1.1 "Error
 * Codes", with ECR's choices where clients know them), and the envelope. */
#include "front/audit.h"
#include "front/kms_code.h"
#include "oci/oci_priv.h"

#define ENVELOPE_MAX_BYTES (8 * KIB)

struct wire_error {
	int status;
	const char *code;
};

/* NOLINTNEXTLINE(readability-function-size): a table, which -Wswitch keeps whole */
static struct wire_error wire_error_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_INTERNAL:
	case ERR_CORRUPT:
	case ERR_CONFIG:
	case ERR_KMS_ALIAS_EXISTS:
	case ERR_KEY_UNKNOWN:
		return (struct wire_error){ 500, "UNKNOWN" };
	case ERR_UNAVAILABLE:
	case ERR_KMS_UNAVAILABLE:
	case ERR_TIMEOUT:
		return (struct wire_error){ 503, "UNAVAILABLE" };
	case ERR_STORAGE_FULL:
		return (struct wire_error){ 507, "TOOMANYREQUESTS" };
	case ERR_LIMIT:
	case ERR_THROTTLED:
		return (struct wire_error){ 429, "TOOMANYREQUESTS" };
	case ERR_INVALID:
		return (struct wire_error){ 400, "UNSUPPORTED" };
	case ERR_TOO_LARGE:
		return (struct wire_error){ 413, "SIZE_INVALID" };
	case ERR_UNAUTHENTICATED:
		return (struct wire_error){ 401, "UNAUTHORIZED" };
	case ERR_DENIED:
	case ERR_TOKEN_EXPIRED:
	case ERR_QUOTA: /* as ECR: a retry would not help */
	/* The repository's KMS key: nothing that trying again would change, and its owner can. */
	case ERR_KMS_KEY_UNKNOWN:
	case ERR_KMS_KEY_DISABLED:
	case ERR_KMS_KEY_STATE:
	case ERR_KMS_KEY_INCORRECT:
	case ERR_KMS_CIPHERTEXT_INVALID:
		return (struct wire_error){ 403, "DENIED" };
	case ERR_NAME_INVALID:
		return (struct wire_error){ 400, "NAME_INVALID" };
	case ERR_REPO_UNKNOWN:
	case ERR_TEMPLATE_UNKNOWN:
		return (struct wire_error){ 404, "NAME_UNKNOWN" };
	case ERR_REPO_EXISTS:
	case ERR_TEMPLATE_EXISTS:
	case ERR_REPO_NOT_EMPTY:
	case ERR_LAYER_EXISTS:
	case ERR_IMAGE_EXISTS:
	/* Of the API only. */
	case ERR_STORAGE_CLASS:
	case ERR_LIFECYCLE_UNKNOWN:
	case ERR_PREVIEW_UNKNOWN:
	case ERR_PREVIEW_BUSY:
	case ERR_EXCLUSION_EXISTS:
	case ERR_EXCLUSION_UNKNOWN:
		return (struct wire_error){ 409, "UNSUPPORTED" };
	case ERR_DIGEST_INVALID:
	case ERR_DIGEST_MISMATCH:
		return (struct wire_error){ 400, "DIGEST_INVALID" };
	case ERR_BLOB_UNKNOWN:
		return (struct wire_error){ 404, "BLOB_UNKNOWN" };
	case ERR_BLOB_IN_USE:
	case ERR_IMAGE_IN_INDEX:
		return (struct wire_error){ 405, "UNSUPPORTED" };
	case ERR_UPLOAD_UNKNOWN:
		return (struct wire_error){ 404, "BLOB_UPLOAD_UNKNOWN" };
	case ERR_UPLOAD_BUSY:
		return (struct wire_error){ 409, "BLOB_UPLOAD_INVALID" };
	case ERR_UPLOAD_RANGE:
		return (struct wire_error){ 416, "BLOB_UPLOAD_INVALID" };
	case ERR_UPLOAD_EMPTY:
	case ERR_UPLOAD_PART_TOO_SMALL:
	case ERR_CLIENT_GONE:
		return (struct wire_error){ 400, "BLOB_UPLOAD_INVALID" };
	case ERR_MANIFEST_INVALID:
		return (struct wire_error){ 400, "MANIFEST_INVALID" };
	case ERR_MANIFEST_BLOB_UNKNOWN:
	case ERR_MANIFEST_CHILD_UNKNOWN:
		return (struct wire_error){ 404, "MANIFEST_BLOB_UNKNOWN" };
	case ERR_IMAGE_UNKNOWN:
	case ERR_IMAGE_ARCHIVED: /* ECR: "Archived images cannot be pulled", 404 */
		return (struct wire_error){ 404, "MANIFEST_UNKNOWN" };
	case ERR_TAG_INVALID:
	case ERR_TAG_IMMUTABLE:
		return (struct wire_error){ 400, "TAG_INVALID" };
	}
	return (struct wire_error){ 500, "UNKNOWN" };
}

void oci_error(struct http_req *req, int status, const char *code, struct str message)
{
	req->log_error = str_from(code);
	audit_error(req, str_from(code), message);
	struct buf body CLEANUP(buf_fini);
	struct json_out out;
	buf_init(&body, ENVELOPE_MAX_BYTES);
	jo_init(&out, &body);
	jo_object(&out, NULL);
	jo_array(&out, "errors");
	jo_object(&out, NULL);
	jo_c(&out, "code", code);
	jo_str(&out, "message", message);
	jo_end(&out, '}');
	jo_end(&out, ']');
	jo_end(&out, '}');
	if (!buf_ok(&body)) {
		http_reply_bytes(req, status, "application/json; charset=utf-8",
			STR("{\"errors\":[{\"code\":\"UNKNOWN\",\"message\":\"out of memory\"}]}"));
		return;
	}
	http_reply_buf(req, status, "application/json; charset=utf-8", &body);
}

/* What the client is told: the rules' own words, except where ECR's data plane has others than its
 * API. */
static struct str text_of(const struct err *err)
{
	if (err->kind == ERR_IMAGE_UNKNOWN || err->kind == ERR_IMAGE_ARCHIVED)
		return STR("Requested image not found");
	if (err->kind == ERR_THROTTLED)
		return STR("Rate exceeded");
	if (err->kind == ERR_STORAGE_FULL)
		return STR(
			"The registry's storage is full: delete images, or ask its operator for space");
	return str_from(err_text(err));
}

void oci_error_from(struct http_req *req, const struct err *err)
{
	struct oci_request *r = oci_request_of(req);
	struct wire_error e = wire_error_of(err->kind);
	struct str text = text_of(err);
	if (e.status == 401) {
		oci_challenge(req);
		return;
	}
	if (front_kms_code(err->kind) != NULL) {
		struct str whole = arena_printf(req->arena,
			"The KMS key of this repository cannot be used: " STR_FMT, STR_ARG(text));
		if (whole.ptr)
			text = whole;
	}
	if (e.status == 503 || e.status == 429 || err->kind == ERR_UPLOAD_BUSY)
		http_header_set(req, "Retry-After", STR("1"));
	if (e.status == 405)
		http_header_set(req, "Allow", STR("GET, HEAD"));
	if (e.status >= 500) {
		struct err logged = *err;
		err_ignore(err_wrap(&logged, "request %s", req->id));
		/* 503 and 507 come and go by themselves; the rest wants somebody to look. */
		log_err(r ? r->front->log : NULL, e.status == 500 ? LOG_ERROR : LOG_WARN,
			"request-failed", &logged);
		struct str told = arena_printf(
			req->arena, STR_FMT " (request id %s)", STR_ARG(text), req->id);
		if (told.ptr)
			text = told;
	}
	oci_error(req, e.status, e.code, text);
}

/* What ECR answers: containerd, skopeo and Docker take realm and service apart. */
void oci_challenge(struct http_req *req)
{
	struct str base = http_base_url(req);
	/* A question without credentials is how clients learn that they need some. */
	if (http_header(req, "Authorization").ptr == NULL)
		audit_forget(req);
	audit_error(req, STR("UNAUTHORIZED"), STR("Not Authorized"));
	http_header_setf(req, "Www-Authenticate",
		"Basic realm=\"" STR_FMT "/\",service=\"ecr.amazonaws.com\"", STR_ARG(base));
	http_reply_bytes(req, 401, "text/plain; charset=utf-8", STR("Not Authorized\n"));
}

void oci_too_large(struct http_req *req)
{
	http_header_set(req, "Docker-Distribution-Api-Version", STR("registry/2.0"));
	oci_error(req, 413, "SIZE_INVALID", STR("The manifest is larger than 4194304 bytes"));
}
