#include "aws/sts.h"

#include "aws/query.h"

#define XMLNS    "https://sts.amazonaws.com/doc/2011-06-15/"
#define VERSION  "2011-06-15"
#define BODY_MAX (64 * KIB)

static void get_caller_identity(struct http_req *req, const struct principal *who)
{
	struct buf xml;
	buf_init(&xml, QUERY_ANSWER_MAX);
	query_add_element(&xml, "Arn", who->arn);
	query_add_element(&xml, "UserId", who->user_id);
	query_add_element(&xml, "Account", who->account);
	query_reply(req, XMLNS, "GetCallerIdentity", &xml);
}

static void handle(struct http_req *req)
{
	const struct front_options *o = req->ctx;
	struct str body = req->op->body == HTTP_BODY_WHOLE ? http_body(req) : STR("");
	struct principal who;
	struct err err;
	if (!front_sigv4(o->auth, req, body, "sts", &who, &err)) {
		if (err.kind != ERR_UNAUTHENTICATED)
			log_err(o->log, LOG_ERROR, "sts", &err);
		query_reply_err(req, XMLNS, &err);
		return;
	}
	struct str action = query_param(req, "Action");
	struct str version = query_param(req, "Version");
	if (action.len == 0) {
		query_reply_error(req, XMLNS, 400, STR("MissingAction"),
			STR("The request must contain the parameter Action."));
		return;
	}
	if (str_eq(action, STR("GetCallerIdentity")) && str_eq(version, STR(VERSION))) {
		get_caller_identity(req, &who);
		return;
	}
	if (version.len == 0)
		version = STR("NO_VERSION_SPECIFIED");
	struct str message = arena_printf(req->arena,
		"Could not find operation %.*s for version %.*s", (int)str_sub(action, 0, 128).len,
		action.ptr, (int)str_sub(version, 0, 128).len, version.ptr);
	query_reply_error(req, XMLNS, 400, STR("InvalidAction"), message);
}

/* On a worker, because a key that is not remembered is read from the database. */
static const struct http_op op_post = {
	.name = "GetCallerIdentity",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_WHOLE,
	.body_max = BODY_MAX,
	.handle = handle,
};

static const struct http_op op_get = {
	.name = "GetCallerIdentity",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_NONE,
	.handle = handle,
};

static bool is_form(struct str content_type)
{
	struct str type;
	struct str parameters;
	str_cut(content_type, ';', &type, &parameters);
	return str_eq_nocase(str_trim(type), STR("application/x-www-form-urlencoded"));
}

const struct http_op *sts_route(struct http_req *req, void *ctx)
{
	(void)ctx;
	bool is_post = str_eq(req->method, STR("POST"));
	if (!str_eq(req->path, STR("/")) || (!is_post && !str_eq(req->method, STR("GET"))))
		return NULL;
	if (http_header(req, "X-Amz-Target").ptr != NULL)
		return NULL;
	struct str action;
	if (!str_eq(front_sigv4_service(req), STR("sts")) &&
		!http_query(req, "Action", 0, &action) &&
		!(is_post && is_form(http_header(req, "Content-Type"))))
		return NULL;
	return is_post ? &op_post : &op_get;
}
