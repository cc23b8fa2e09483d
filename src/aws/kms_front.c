#include "aws/kms_front.h"

#include "aws/kms_ops.h"
#include "aws/query.h"
#include "front/audit.h"
#include "front/kms_code.h"

#define CONTENT_TYPE   "application/x-amz-json-1.1"
#define CALL_ARENA_MAX (8 * MIB)
#define ANSWER_MAX     (4 * MIB)

/* What an audit record never holds: plaintexts and ciphertexts. */
static const char *const not_audited[] = { "Plaintext", "CiphertextBlob", "Message", "Signature",
	"Mac", "Recipient", "ImportToken", "EncryptedKeyMaterial", NULL };

struct fault {
	struct str code;
	int status;
	struct str message;
};

static void arena_freep(struct arena **a)
{
	arena_free(*a);
}

static void reply_headers(struct http_req *req)
{
	char id[UUID_TEXT_LEN + 1];
	query_request_id(req, id);
	http_header_set(req, "x-amzn-RequestId", str_from(id));
	http_header_set(req, "Cache-Control", STR("no-cache, no-store, must-revalidate, private"));
}

static void reply_fault(struct http_req *req, const struct fault *f)
{
	struct buf body;
	struct json_out o;
	buf_init(&body, 16 * KIB);
	jo_init(&o, &body);
	jo_object(&o, NULL);
	jo_str(&o, "__type", f->code);
	jo_str(&o, "message", f->message);
	jo_end(&o, '}');
	req->log_error = arena_str(req->arena, f->code);
	audit_error(req, f->code, f->message);
	reply_headers(req);
	http_header_set(req, "x-amzn-ErrorType", f->code);
	if (buf_ok(&body))
		http_reply_buf(req, f->status, CONTENT_TYPE, &body);
	else
		http_reply(req, 500);
	buf_fini(&body);
}

static void reply_c(struct http_req *req, int status, const char *code, const char *message)
{
	struct fault f = { str_from(code), status, str_from(message) };
	reply_fault(req, &f);
}

/* What kinds of failure are called that are not about a key (those: front/kms_code.h). */
static struct fault fault_of(const struct err *err)
{
	struct str text = str_from(err_text(err));
	struct fault f = { STR("KMSInternalException"), 500, STR("internal error") };
	const char *code = front_kms_code(err->kind);
	if (code != NULL)
		return (struct fault){ str_from(code), err->kind == ERR_KMS_UNAVAILABLE ? 500 : 400,
			text };
	if (err->kind == ERR_DENIED)
		f = (struct fault){ STR("AccessDeniedException"), 400, text };
	else if (err->kind == ERR_LIMIT)
		f = (struct fault){ STR("LimitExceededException"), 400, text };
	else if (err->kind == ERR_INVALID)
		f = (struct fault){ STR("ValidationException"), 400, text };
	else if (err->kind == ERR_THROTTLED)
		f = (struct fault){ STR("ThrottlingException"), 400, STR("Rate exceeded") };
	else if (err->kind == ERR_UNAVAILABLE || err->kind == ERR_STORAGE_FULL)
		f = (struct fault){ STR("ServiceUnavailableException"), 503, text };
	return f;
}

static void reply_err(struct http_req *req, const struct front_options *o, const struct err *err)
{
	struct fault f = fault_of(err);
	if (err->kind == ERR_UNAUTHENTICATED) {
		f.status = 400;
		if (!front_split_error(err, &f.code, &f.message))
			f.code = STR("UnrecognizedClientException");
	}
	if (f.status >= 500)
		log_err(o->log, f.status == 500 ? LOG_ERROR : LOG_WARN, "kms", err);
	reply_fault(req, &f);
}

/* KMS's clients know members with a small first letter in messages: 'keyId',
 * 'tags.1.member.tagKey'. */
static void reply_invalid(struct http_req *req, const struct shape_fault *fault)
{
	char path[SHAPE_PATH_MAX];
	char text[SHAPE_TEXT_MAX];
	memcpy(path, fault->path, sizeof(path));
	for (size_t i = 0; path[i] != '\0'; i++) {
		if ((i == 0 || path[i - 1] == '.') && path[i] >= 'A' && path[i] <= 'Z')
			path[i] = (char)(path[i] | 0x20);
	}
	bool is_null = strcmp(fault->constraint, "Member must not be null") == 0;
	struct str message = arena_printf(req->arena,
		"1 validation error detected: Value%s at '%s' failed to satisfy constraint: %s",
		is_null ? " null" : "", path, fault->constraint);
	if (!str_to_c(message, text, sizeof(text)))
		text[0] = '\0';
	reply_c(req, 400, "ValidationException", text);
}

static void run(struct kms_call *call, const struct kms_op *op)
{
	struct buf answer CLEANUP(kms_wipe_buf);
	struct json_out out;
	struct err err;
	buf_init(&answer, ANSWER_MAX);
	jo_init(&out, &answer);
	jo_object(&out, NULL);
	if (!op->handle(call, &out, &err)) {
		struct fault f = { str_from(call->exception), call->status,
			str_from(err_text(&err)) };
		if (call->exception != NULL)
			reply_fault(call->req, &f);
		else
			reply_err(call->req, call->options, &err);
		return;
	}
	jo_end(&out, '}');
	reply_headers(call->req);
	if (op->is_silent) {
		http_reply_bytes(call->req, 200, CONTENT_TYPE, STR(""));
		return;
	}
	if (buf_ok(&answer))
		http_reply_bytes(call->req, 200, CONTENT_TYPE, buf_str(&answer));
	else
		reply_c(call->req, 500, "KMSInternalException", "internal error");
}

void kms_serve(struct http_req *req)
{
	const struct kms_op *op = (const struct kms_op *)req->op;
	const struct kms_front *front = req->ctx;
	struct kms_call call = { .req = req, .options = front->options, .kms = front->kms };
	struct str body = http_body(req);
	struct json *input CLEANUP(json_freep) = NULL;
	struct shape_fault fault;
	struct err err;
	(void)audit_begin(front->options, req, "kms.amazonaws.com", false);
	if (!front_sigv4(front->options->auth, req, body, "kms", &call.who, &err)) {
		reply_err(req, front->options, &err);
		return;
	}
	if (body.len != 0 && !json_parse(body, &input, &err)) {
		reply_c(req, 400, "SerializationException", err_text(&err));
		return;
	}
	switch (shape_find_fault(op->input, input, &fault)) {
	case SHAPE_FITS:
		break;
	case SHAPE_WRONG_TYPE:
		reply_c(req, 400, "SerializationException", fault.text);
		return;
	case SHAPE_WRONG_VALUE:
		reply_invalid(req, &fault);
		return;
	}
	struct registry_id place;
	struct arena *arena CLEANUP(arena_freep) = arena_new(CALL_ARENA_MAX);
	if (arena == NULL || !registry_id_make(call.who.account, call.who.region, &place)) {
		reply_c(req, 400, "ValidationException", "Invalid account or Region");
		return;
	}
	req->log_registry = arena_printf(req->arena, "%s/%s", place.account, place.region);
	call.input = input;
	call.arena = arena;
	call.realm = (struct kms_realm){ call.who.account, call.who.region };
	run(&call, op);
	audit_parameters(req, input, not_audited);
}

void kms_refuse_large(struct http_req *req)
{
	reply_c(req, 413, "RequestEntityTooLargeException", "The request is too long");
}

static void refuse_unknown(struct http_req *req)
{
	reply_c(req, 400, "UnknownOperationException",
		"The operation is not one of those that this KMS has");
}

static const struct http_op unknown_operation = {
	.name = "UnknownOperation",
	.run = HTTP_INLINE,
	.body = HTTP_BODY_NONE,
	.handle = refuse_unknown,
};

const struct http_op *kms_front_route(struct http_req *req, void *ctx)
{
	struct str target = http_header(req, "X-Amz-Target");
	struct str prefix = STR("TrentService.");
	(void)ctx;
	if (!str_eq(req->method, STR("POST")) || !str_eq(req->path, STR("/")) ||
		!str_starts(target, prefix))
		return NULL;
	const struct kms_op *op = kms_op_find(str_sub(target, prefix.len, target.len));
	return op != NULL ? &op->http : &unknown_operation;
}
