#include "aws/sts.h"

#include <inttypes.h>
#include <stdio.h>

#include "auth/assume.h"
#include "aws/iam_call.h"
#include "aws/query_input.h"
#include "front/audit.h"

#define XMLNS        "https://sts.amazonaws.com/doc/2011-06-15/"
#define VERSION      "2011-06-15"
#define BODY_MAX     (64 * KIB)
#define DURATION_MAX 129600 /* of any operation; each has its own */

/* An operation; parameters are read as IAM's are (iam_call.h). */
struct sts_op {
	const char *name;
	bool (*run)(struct iam_call *c); /* false: c->err is filled */
	bool is_unsigned;                /* what it is given proves the caller */
};

static bool get_caller_identity(struct iam_call *c)
{
	iam_add(c, "Arn", c->who.arn);
	iam_add(c, "UserId", c->who.user_id);
	iam_add(c, "Account", c->who.account);
	return true;
}

static void add_credentials(struct iam_call *c, const struct credentials *made)
{
	buf_add_c(&c->xml, "<Credentials>");
	iam_add(c, "AccessKeyId", made->key_id);
	iam_add(c, "SecretAccessKey", made->secret);
	iam_add(c, "SessionToken", made->token);
	iam_add_time(c, "Expiration", made->ends_at_ms);
	buf_add_c(&c->xml, "</Credentials>");
}

static void add_assumed(struct iam_call *c, const struct assumed *a)
{
	/* Names of keys, roles and sessions need no escaping in JSON: [A-Za-z0-9_+=,.@:/-]. */
	audit_response_text(c->req,
		arena_printf(c->arena,
			"{\"credentials\":{\"accessKeyId\":\"" STR_FMT
			"\"},\"assumedRoleUser\":{\"assumedRoleId\":\"" STR_FMT
			"\",\"arn\":\"" STR_FMT "\"}}",
			STR_ARG(a->credentials.key_id), STR_ARG(a->user_id), STR_ARG(a->arn)));
	add_credentials(c, &a->credentials);
	buf_add_c(&c->xml, "<AssumedRoleUser>");
	iam_add(c, "AssumedRoleId", a->user_id);
	iam_add(c, "Arn", a->arn);
	buf_add_c(&c->xml, "</AssumedRoleUser>");
	buf_addf(&c->xml, "<PackedPolicySize>%u</PackedPolicySize>", a->packed_percent);
}

/* PolicyArns.member.N.arn */
static bool policy_arns(struct iam_call *c, struct assume_request *r)
{
	struct str *arns = arena_alloc(c->arena, SESSION_ARNS_MAX * sizeof(*arns));
	size_t n = 0;
	if (arns == NULL)
		return iam_full(c);
	for (;; n++) {
		char name[48];
		(void)snprintf(name, sizeof(name), "PolicyArns.member.%zu.arn", n + 1);
		struct str arn = query_param(c->req, name);
		if (arn.ptr == NULL)
			break;
		if (n == SESSION_ARNS_MAX)
			return iam_fail(c, "ValidationError",
				"1 validation error detected: Value at 'policyArns' failed to satisfy constraint: "
				"Member must have length less than or equal to %d",
				SESSION_ARNS_MAX);
		arns[n] = arn;
	}
	r->policy_arns = arns;
	r->policy_arn_count = n;
	return true;
}

static bool session_tags(struct iam_call *c, struct assume_request *r)
{
	struct iam_tags tags;
	if (!iam_param_tags(c, &tags))
		return false;
	struct auth_tag *items = arena_alloc(c->arena, (tags.count + 1) * sizeof(*items));
	if (items == NULL)
		return iam_full(c);
	for (size_t i = 0; i < tags.count; i++)
		items[i] = (struct auth_tag){ tags.items[i].name, tags.items[i].value };
	r->tags = items;
	r->tag_count = tags.count;
	return true;
}

static bool read_request(struct iam_call *c, struct assume_request *r)
{
	r->policy = query_param(c->req, "Policy");
	return iam_param(c, "RoleArn", &r->role_arn) &&
	       iam_param(c, "RoleSessionName", &r->session_name) &&
	       iam_param_int(c, "DurationSeconds", ASSUME_DURATION_MIN, IAM_SESSION_MAX_S,
		       &r->duration_s) &&
	       policy_arns(c, r);
}

static bool run_assume_role(struct iam_call *c)
{
	struct assume_request r = { .duration_s = 0 };
	struct auth_context context;
	struct assumed made;
	front_context(c->req, &context);
	r.external_id = query_param(c->req, "ExternalId");
	if (!read_request(c, &r) || !session_tags(c, &r) ||
		!assume_role(c->o->auth, &c->who, &context, &r, c->arena, &made, c->err))
		return false;
	add_assumed(c, &made);
	return true;
}

static bool run_assume_role_with_web_identity(struct iam_call *c)
{
	struct assume_request r = { .duration_s = 0 };
	struct auth_context context;
	struct assumed made;
	struct web_identity identity;
	front_context(c->req, &context);
	if (!read_request(c, &r) || !iam_param(c, "WebIdentityToken", &r.web_token) ||
		!assume_role_with_web_identity(
			c->o->auth, &context, &r, c->arena, &made, &identity, c->err))
		return false;
	c->req->log_principal = arena_str(c->req->arena, made.arn);
	audit_web_identity(c->req, identity.subject, identity.provider);
	add_assumed(c, &made);
	iam_add(c, "SubjectFromWebIdentityToken", identity.subject);
	iam_add(c, "Audience", identity.audience);
	iam_add(c, "Provider", identity.provider);
	return true;
}

static bool get_session_token(struct iam_call *c)
{
	struct credentials made;
	int64_t duration_s;
	if (!iam_param_int(c, "DurationSeconds", ASSUME_DURATION_MIN, DURATION_MAX, &duration_s) ||
		!assume_session_token(c->o->auth, &c->who, duration_s, c->arena, &made, c->err))
		return false;
	add_credentials(c, &made);
	return true;
}

static const struct sts_op ops[] = {
	{ "GetCallerIdentity", get_caller_identity, false },
	{ "AssumeRole", run_assume_role, false },
	{ "AssumeRoleWithWebIdentity", run_assume_role_with_web_identity, true },
	{ "GetSessionToken", get_session_token, false },
};

static const struct sts_op *find_op(struct str action)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (str_eq_c(action, ops[i].name))
			return &ops[i];
	}
	return NULL;
}

static void arena_freep(struct arena **a)
{
	arena_free(*a);
}

static void answer(struct http_req *req, const struct front_options *o, const struct sts_op *op,
	const struct principal *who)
{
	struct err err;
	struct arena *arena CLEANUP(arena_freep) = arena_new(IAM_ARENA_MAX);
	struct iam_call c = { .req = req, .o = o, .arena = arena, .err = &err };
	if (who != NULL)
		c.who = *who;
	buf_init(&c.xml, QUERY_ANSWER_MAX);
	if (query_check_input(req, op->name, &err) && op->run(&c)) {
		query_reply(req, XMLNS, op->name, &c.xml);
	} else {
		/* What is wrong with an issuer's keys is for the operator to see. */
		bool is_issuer = err.kind == ERR_INVALID && err.detail[0] != '\0';
		if (is_issuer || (err.kind != ERR_INVALID && err.kind != ERR_DENIED))
			log_err(o->log, is_issuer ? LOG_WARN : LOG_ERROR, "sts", &err);
		query_reply_err(req, XMLNS, &err);
	}
	buf_fini(&c.xml);
	query_audit(req);
}

static void handle(struct http_req *req)
{
	const struct front_options *o = req->ctx;
	struct str body = req->op->body == HTTP_BODY_WHOLE ? http_body(req) : STR("");
	struct str action = query_param(req, "Action");
	struct str version = query_param(req, "Version");
	const struct sts_op *op = str_eq(version, STR(VERSION)) ? find_op(action) : NULL;
	struct principal who;
	struct err err;
	(void)audit_begin(o, req, "sts.amazonaws.com", false);
	if (op != NULL)
		query_name_op(req, op->name);
	if (op != NULL && op->is_unsigned) {
		answer(req, o, op, NULL);
		return;
	}
	if (!front_sigv4(o->auth, req, body, "sts", &who, &err)) {
		if (err.kind != ERR_UNAUTHENTICATED)
			log_err(o->log, LOG_ERROR, "sts", &err);
		query_reply_err(req, XMLNS, &err);
		return;
	}
	if (action.len == 0) {
		query_reply_error(req, XMLNS, 400, STR("MissingAction"),
			STR("The request must contain the parameter Action."));
		return;
	}
	if (op != NULL) {
		answer(req, o, op, &who);
		return;
	}
	if (version.len == 0)
		version = STR("NO_VERSION_SPECIFIED");
	struct str message = arena_printf(req->arena,
		"Could not find operation %.*s for version %.*s", (int)str_sub(action, 0, 128).len,
		action.ptr, (int)str_sub(version, 0, 128).len, version.ptr);
	query_reply_error(req, XMLNS, 400, STR("InvalidAction"), message);
}

/* On a worker, because a key that is not remembered is read from the database, and an issuer's keys
 * are fetched. */
static const struct http_op op_post = {
	.name = "STS",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_WHOLE,
	.body_max = BODY_MAX,
	.handle = handle,
};

static const struct http_op op_get = {
	.name = "STS",
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
