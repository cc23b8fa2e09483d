#include "ecr/ecr.h"

#include "ecr/ops.h"
#include "ecr/sharing.h"
#include "front/audit.h"
#include "front/throttle.h"

#define CALL_ARENA_MAX (32 * MIB)

/* What an audit record leaves out of an input or an answer: bytes of layers, and manifests, which
 * their digest names well enough. */
static const char *const not_audited[] = { "layerPartBlob", "imageManifest", "nextToken", NULL };

/* Whether the body is said to be AWS JSON 1.1; parameters such as a charset do not matter. */
static bool has_json_type(const struct http_req *req)
{
	struct str type = http_header(req, "Content-Type");
	struct str rest;
	str_cut(type, ';', &type, &rest);
	return str_eq_nocase(str_trim(type), STR(ECR_CONTENT_TYPE));
}

/* The registry that is meant: registryId or the caller's account, in the Region that the request is
 * signed for. */
static bool choose_registry(struct ecr_call *call, struct err *err)
{
	struct str account = json_get_str(call->input, "registryId");
	if (account.ptr == NULL)
		account = call->who.account;
	if (!registry_id_make(account, call->who.region, &call->reg))
		return ecr_bad_parameter(err, "registryId", "Invalid registry id or Region");
	call->repo = json_get_str(call->input, "repositoryName");
	call->req->log_registry =
		arena_printf(call->req->arena, "%s/%s", call->reg.account, call->reg.region);
	call->req->log_repository = arena_str(call->req->arena, call->repo);
	return true;
}

static bool may_call(struct ecr_call *call, const struct ecr_op *op, struct err *err)
{
	switch (op->resource) {
	case ECR_RESOURCE_REPOSITORY:
		return ecr_allow(call, op->action, call->repo, err);
	case ECR_RESOURCE_ANY:
		return ecr_allow(call, op->action, (struct str){ NULL, 0 }, err);
	case ECR_RESOURCE_HANDLER:
		return true;
	}
	return false;
}

/* From a well-formed input to the answer's text in `answer`. */
static bool run(struct ecr_call *call, const struct ecr_op *op, struct buf *answer, struct err *err)
{
	struct json_out out;
	if (!choose_registry(call, err) ||
		!throttle_take(call->options->throttle, &call->reg, op->http.name, err) ||
		!may_call(call, op, err))
		return false;
	jo_init(&out, answer);
	jo_object(&out, NULL);
	if (!op->handle(call, &out, err))
		return false;
	jo_end(&out, '}');
	if (!buf_ok(answer))
		return err_set(err, ERR_LIMIT,
			"The answer is longer than %zu MiB: ask for less in one call",
			ECR_ANSWER_MAX / MIB);
	return true;
}

static void answer_failure(const struct ecr_call *call, const struct err *err)
{
	if (!call->is_raised) {
		ecr_reply_err(call->req, call->options->log, err);
		return;
	}
	struct ecr_fault fault = {
		.code = str_from(ecr_exception_code(call->raised)),
		.status = ecr_exception_status(call->raised),
		.message = str_from(err_text(err)),
		.members = call->raised_members,
	};
	call->req->log_error = fault.code;
	ecr_reply_fault(call->req, &fault);
}

/* What a call that changed something answered; as in CloudTrail, reads leave that out. */
static void audit_answer(struct http_req *req, const struct buf *answer)
{
	static const char *const reads[] = { "Get", "List", "Describe", "BatchGet", "BatchCheck" };

	struct json *output CLEANUP(json_freep) = NULL;
	struct err unused;
	if (req->audit == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(reads); i++) {
		if (str_starts(str_from(req->op->name), str_from(reads[i])))
			return;
	}
	if (json_parse(buf_str(answer), &output, &unused))
		audit_response(req, output, not_audited);
}

/* Compares the input with the operation's table and runs the handler. */
static void serve_input(struct ecr_call *call, const struct ecr_op *op)
{
	char text[SHAPE_TEXT_MAX];
	switch (shape_check(op->input, call->input, text)) {
	case SHAPE_FITS:
		break;
	case SHAPE_WRONG_TYPE:
		ecr_reply_exception(call->req, ECR_SERIALIZATION, str_from(text));
		return;
	case SHAPE_WRONG_VALUE:
		ecr_reply_exception(call->req, ECR_INVALID_PARAMETER, str_from(text));
		return;
	}
	struct buf answer CLEANUP(buf_fini);
	struct err err;
	buf_init(&answer, ECR_ANSWER_MAX);
	if (!run(call, op, &answer, &err)) {
		answer_failure(call, &err);
		return;
	}
	audit_answer(call->req, &answer);
	ecr_reply_headers(call->req);
	http_reply_buf(call->req, 200, ECR_CONTENT_TYPE, &answer);
}

void ecr_serve(struct http_req *req)
{
	const struct ecr_op *op = (const struct ecr_op *)req->op;
	const struct front_options *options = req->ctx;
	struct ecr_call call = { .req = req, .options = options, .core = options->core };
	struct str body = http_body(req);
	struct json *input CLEANUP(json_freep) = NULL;
	struct err err;
	(void)audit_begin(options, req, "ecr.amazonaws.com", false);
	if (!has_json_type(req)) {
		ecr_reply_exception(req, ECR_MALFORMED_REQUEST,
			STR("The Content-Type must be " ECR_CONTENT_TYPE));
		return;
	}
	if (!front_sigv4(options->auth, req, body, "ecr", &call.who, &err)) {
		ecr_reply_err(req, options->log, &err);
		return;
	}
	if (op->handle == NULL) {
		struct str text = arena_printf(
			req->arena, "%s is not available in this version of Berth", op->http.name);
		ecr_reply_exception(req, ECR_UNSUPPORTED_OPERATION, text);
		return;
	}
	if (body.len != 0 && !json_parse(body, &input, &err)) {
		ecr_reply_exception(req, ECR_SERIALIZATION, str_from(err_text(&err)));
		return;
	}
	struct arena *arena CLEANUP(arena_freep) = arena_new(CALL_ARENA_MAX);
	if (arena == NULL) {
		ecr_reply_exception(req, ECR_SERVER, STR("internal error"));
		return;
	}
	call.input = input;
	call.arena = arena;
	serve_input(&call, op);
	audit_parameters(req, input, not_audited);
}

void ecr_refuse_large(struct http_req *req)
{
	struct str text = arena_printf(req->arena,
		"The request is longer than the %zu bytes that %s may have", req->op->body_max,
		req->op->name);
	ecr_reply_exception(req, ECR_REQUEST_TOO_LARGE, text);
}

static void refuse_unknown(struct http_req *req)
{
	ecr_reply_exception(req, ECR_UNKNOWN_OPERATION,
		STR("The requested operation is not recognized by the service"));
}

static const struct http_op unknown_operation = {
	.name = "UnknownOperation",
	.run = HTTP_INLINE,
	.body = HTTP_BODY_NONE,
	.handle = refuse_unknown,
};

static const struct http_op *route(struct http_req *req, void *ctx)
{
	struct str target = http_header(req, "X-Amz-Target");
	struct str ecr = STR("AmazonEC2ContainerRegistry_V20150921.");
	struct str own = STR(SHARING_TARGET_PREFIX);
	const struct ecr_op *op = NULL;
	(void)ctx;
	if (!str_eq(req->method, STR("POST")) || !str_eq(req->path, STR("/")))
		return NULL;
	if (str_starts(target, ecr))
		op = ecr_op_find(str_sub(target, ecr.len, target.len - ecr.len));
	else if (str_starts(target, own))
		op = sharing_op_find(str_sub(target, own.len, target.len - own.len));
	else
		return NULL;
	return op != NULL ? &op->http : &unknown_operation;
}

bool ecr_is_operation(struct str name)
{
	return ecr_op_find(name) != NULL || sharing_op_find(name) != NULL;
}

struct http_front ecr_front(struct front_options *o)
{
	return (struct http_front){ .route = route, .ctx = o };
}
