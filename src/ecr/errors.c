#include "ecr/errors.h"

#include "front/audit.h"
#include "front/kms_code.h"

static const struct {
	const char *code;
	int status;
} exceptions[] = {

#define EXC(name, text, http_status) [ECR_##name] = { .code = (text), .status = (http_status) },
#include "ecr/exceptions.def"
#undef EXC
};

const char *ecr_exception_code(enum ecr_exception e)
{
	return exceptions[e].code;
}

int ecr_exception_status(enum ecr_exception e)
{
	return exceptions[e].status;
}

/* NOLINTNEXTLINE(readability-function-size): a table, which -Wswitch keeps whole */
enum ecr_exception ecr_exception_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_INTERNAL:
	case ERR_CORRUPT:
	case ERR_CONFIG:
		return ECR_SERVER;
	case ERR_UNAVAILABLE:
	case ERR_STORAGE_FULL: /* may pass when the operator makes room: clients may try again */
		return ECR_SERVICE_UNAVAILABLE;
	case ERR_INVALID:
	case ERR_NAME_INVALID:
	case ERR_DIGEST_INVALID:
	case ERR_MANIFEST_INVALID:
	case ERR_TAG_INVALID:
	case ERR_BLOB_IN_USE:
	case ERR_IMAGE_IN_INDEX:
		return ECR_INVALID_PARAMETER;
	case ERR_TOO_LARGE:
	case ERR_LIMIT:
	case ERR_QUOTA:
		return ECR_LIMIT_EXCEEDED;
	case ERR_THROTTLED:
	case ERR_UPLOAD_BUSY: /* SDKs wait and try again */
		return ECR_THROTTLING;
	case ERR_TIMEOUT:
	case ERR_CLIENT_GONE:
		return ECR_REQUEST_TIMEOUT;
	case ERR_UNAUTHENTICATED:
		return ECR_UNRECOGNIZED_CLIENT;
	case ERR_DENIED:
		return ECR_ACCESS_DENIED;
	case ERR_TOKEN_EXPIRED:
		return ECR_EXPIRED_TOKEN;
	case ERR_REPO_UNKNOWN:
		return ECR_REPOSITORY_NOT_FOUND;
	case ERR_REPO_EXISTS:
		return ECR_REPOSITORY_ALREADY_EXISTS;
	case ERR_REPO_NOT_EMPTY:
		return ECR_REPOSITORY_NOT_EMPTY;
	case ERR_TEMPLATE_UNKNOWN:
		return ECR_TEMPLATE_NOT_FOUND;
	case ERR_TEMPLATE_EXISTS:
		return ECR_TEMPLATE_ALREADY_EXISTS;
	case ERR_DIGEST_MISMATCH:
		return ECR_IMAGE_DIGEST_DOES_NOT_MATCH;
	case ERR_BLOB_UNKNOWN:
	case ERR_MANIFEST_BLOB_UNKNOWN:
		return ECR_LAYERS_NOT_FOUND;
	case ERR_UPLOAD_UNKNOWN:
		return ECR_UPLOAD_NOT_FOUND;
	case ERR_UPLOAD_RANGE:
		return ECR_INVALID_LAYER_PART;
	case ERR_UPLOAD_EMPTY:
		return ECR_EMPTY_UPLOAD;
	case ERR_UPLOAD_PART_TOO_SMALL:
		return ECR_LAYER_PART_TOO_SMALL;
	case ERR_LAYER_EXISTS:
		return ECR_LAYER_ALREADY_EXISTS;
	case ERR_MANIFEST_CHILD_UNKNOWN:
		return ECR_REFERENCED_IMAGES_NOT_FOUND;
	case ERR_IMAGE_UNKNOWN:
		return ECR_IMAGE_NOT_FOUND;
	case ERR_IMAGE_ARCHIVED:
		return ECR_IMAGE_ARCHIVED;
	case ERR_STORAGE_CLASS:
		return ECR_IMAGE_STORAGE_CLASS_UPDATE;
	case ERR_LIFECYCLE_UNKNOWN:
		return ECR_LIFECYCLE_POLICY_NOT_FOUND;
	case ERR_PREVIEW_UNKNOWN:
		return ECR_LIFECYCLE_PREVIEW_NOT_FOUND;
	case ERR_PREVIEW_BUSY:
		return ECR_LIFECYCLE_PREVIEW_IN_PROGRESS;
	case ERR_EXCLUSION_EXISTS:
		return ECR_EXCLUSION_ALREADY_EXISTS;
	case ERR_EXCLUSION_UNKNOWN:
		return ECR_EXCLUSION_NOT_FOUND;
	case ERR_IMAGE_EXISTS:
		return ECR_IMAGE_ALREADY_EXISTS;
	case ERR_TAG_IMMUTABLE:
		return ECR_IMAGE_TAG_ALREADY_EXISTS;
	case ERR_KMS_KEY_UNKNOWN:
	case ERR_KMS_KEY_DISABLED:
	case ERR_KMS_KEY_STATE:
	case ERR_KMS_KEY_INCORRECT:
	case ERR_KMS_CIPHERTEXT_INVALID:
	case ERR_KMS_ALIAS_EXISTS:
	case ERR_KMS_UNAVAILABLE:
	case ERR_KEY_UNKNOWN:
		return ECR_KMS;
	}
	return ECR_SERVER;
}

void ecr_reply_headers(struct http_req *req)
{
	/* The request id in the form that AWS gives it: a UUID. */
	const char *id = req->id;
	if (strlen(id) == 32)
		http_header_setf(req, "x-amzn-RequestId", "%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8,
			id + 12, id + 16, id + 20);
}

void ecr_reply_fault(struct http_req *req, const struct ecr_fault *fault)
{
	struct buf body;
	buf_init(&body, 16 * KIB);
	buf_add_c(&body, "{\"__type\":");
	json_quote(&body, fault->code);
	buf_add_c(&body, ",\"message\":");
	json_quote(&body, fault->message);
	buf_add_str(&body, fault->members);
	buf_add_char(&body, '}');
	audit_error(req, fault->code, fault->message);
	ecr_reply_headers(req);
	http_header_set(req, "x-amzn-ErrorType", fault->code);
	if (str_eq_c(fault->code, ecr_exception_code(ECR_THROTTLING)))
		http_header_set(req, "Retry-After", STR("1"));
	if (buf_ok(&body))
		http_reply_buf(req, fault->status, ECR_CONTENT_TYPE, &body);
	else
		http_reply(req, 500);
	buf_fini(&body);
}

void ecr_reply_exception(struct http_req *req, enum ecr_exception e, struct str message)
{
	struct ecr_fault fault = {
		.code = str_from(ecr_exception_code(e)),
		.status = ecr_exception_status(e),
		.message = message,
	};
	req->log_error = fault.code;
	ecr_reply_fault(req, &fault);
}

void ecr_reply_err(struct http_req *req, struct log *log, const struct err *err)
{
	enum ecr_exception e = ecr_exception_of(err->kind);
	struct ecr_fault fault = {
		.code = str_from(ecr_exception_code(e)),
		.status = ecr_exception_status(e),
		.message = str_from(err_text(err)),
	};
	if (err->kind == ERR_UNAUTHENTICATED)
		(void)front_split_error(err, &fault.code, &fault.message);
	req->log_error = arena_str(req->arena, fault.code);
	if (fault.status >= 500) {
		struct err logged = *err;
		err_ignore(err_wrap(&logged, "request %s", req->id));
		log_err(log, fault.status == 500 ? LOG_ERROR : LOG_WARN, "request-failed",
			&logged); /* 503 comes and goes by itself */
	}
	const char *kms = front_kms_code(err->kind);
	if (kms != NULL)
		fault.members = arena_printf(req->arena, ",\"kmsError\":\"%s\"", kms);
	if (err->detail[0] != '\0')
		req->log_error =
			arena_printf(req->arena, STR_FMT ": %s", STR_ARG(fault.code), err->detail);
	ecr_reply_fault(req, &fault);
}
