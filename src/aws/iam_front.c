#include "aws/iam_front.h"

#include <stdio.h>

#include "auth/managed_policies.h"
#include "aws/iam_call.h"
#include "aws/query_input.h"
#include "front/audit.h"

#define XMLNS    "https://iam.amazonaws.com/doc/2010-05-08/"
#define VERSION  "2010-05-08"
#define BODY_MAX (512 * KIB) /* a document of 131072 characters, percent-encoded */

static const struct iam_op *const tables[] = { iam_ops_users, iam_ops_roles, iam_ops_policies,
	iam_ops_parts, iam_ops_providers, iam_ops_rest };

static const struct iam_op *find_op(struct str action)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (const struct iam_op *op = tables[t]; op->name != NULL; op++) {
			if (str_eq_c(action, op->name))
				return op;
		}
	}
	return NULL;
}

/* The parameter that names one of the type. */
static bool param_name(struct iam_call *c, struct str *out)
{
	char name[32];
	(void)snprintf(name, sizeof(name), "%sName", iam_noun(c->op->type));
	if (c->op->target == IAM_ON_SELF) {
		*out = query_param(c->req, name);
		return true;
	}
	return iam_param(c, name, out);
}

static bool target_new(struct iam_call *c, struct str *resource)
{
	struct iam_entity e = { .account = c->who.account, .type = c->op->type };
	if (e.type == IAM_TYPE_OIDC) {
		*resource = STR("*");
		return true;
	}
	if (!param_name(c, &e.name))
		return false;
	e.path = query_param(c->req, "Path");
	if (e.path.ptr == NULL)
		e.path = STR("/");
	c->path = e.path;
	c->ref.name = e.name;
	*resource = iam_arn(c->arena, &e);
	return true;
}

/* Policies and providers are named by ARN; only those of the caller's account can be meant. */
static bool target_by_arn(struct iam_call *c, struct str *resource)
{
	bool is_policy = c->op->type == IAM_TYPE_POLICY;
	struct str path;
	struct iam_ref ref;
	if (!iam_param(c, is_policy ? "PolicyArn" : "OpenIDConnectProviderArn", &c->arn))
		return false;
	*resource = c->arn;
	c->managed = is_policy ? managed_policy_find(c->arn) : NULL;
	if (c->managed != NULL)
		return true;
	if (!iam_arn_parse(c->arn, c->op->type, &ref, &path))
		return iam_fail(c, "InvalidInput", "ARN " STR_FMT " is not valid.",
			STR_ARG(str_sub(c->arn, 0, 256)));
	c->path = path;
	c->ref.name = ref.name;
	/* Another account's is as unknown as none. */
	c->ref.account = ref.account;
	return true;
}

static bool target_one(struct iam_call *c, struct str *resource)
{
	struct iam_entity e = { .account = c->who.account, .type = c->op->type, .path = STR("/") };
	struct err why;
	if (c->op->type == IAM_TYPE_POLICY || c->op->type == IAM_TYPE_OIDC)
		return target_by_arn(c, resource);
	if (!param_name(c, &c->ref.name))
		return false;
	if (c->ref.name.ptr == NULL) { /* SELF */
		if (c->who.role_arn.len != 0)
			return iam_fail(c, "ValidationError",
				"Must specify userName when calling with non-User credentials");
		if (c->who.entity_id == 0) {
			*resource = c->who.arn;
			return true;
		}
		c->ref.name = c->who.name;
	}
	e.name = c->ref.name;
	if (!iam_get(c->iam, &c->ref, c->arena, &e, &why) && why.kind != ERR_INVALID) {
		*c->err = why;
		return false;
	}
	*resource = iam_arn(c->arena, &e);
	return true;
}

static bool target(struct iam_call *c, struct str *resource)
{
	struct str prefix;
	c->ref = (struct iam_ref){ c->who.account, c->op->type, { NULL, 0 } };
	switch (c->op->target) {
	case IAM_ON_ALL:
		*resource = STR("*");
		return true;
	case IAM_ON_LIST:
		prefix = query_param(c->req, "PathPrefix");
		*resource = arena_printf(c->arena, "arn:aws:iam::" STR_FMT ":%s" STR_FMT,
			STR_ARG(c->who.account), iam_type_word(c->op->type),
			STR_ARG(prefix.ptr != NULL ? prefix : STR("/")));
		return true;
	case IAM_ON_NEW:
		return target_new(c, resource);
	case IAM_ON_ONE:
	case IAM_ON_SELF:
		return target_one(c, resource);
	}
	return iam_full(c);
}

/* A policy or provider of another account, or of another path, is not there. */
static bool check_target(struct iam_call *c)
{
	struct iam_entity e;
	if (c->arn.ptr == NULL || c->managed != NULL)
		return true;
	if (str_eq(c->ref.account, c->who.account)) {
		if (!iam_get(c->iam, &c->ref, c->arena, &e, c->err)) {
			if (c->err->kind != ERR_INVALID)
				return false;
		} else if (str_eq(e.path, c->path)) {
			return true;
		}
	}
	if (c->op->type == IAM_TYPE_POLICY)
		return iam_fail(
			c, "NoSuchEntity", "Policy " STR_FMT " was not found.", STR_ARG(c->arn));
	return iam_fail(c, "NoSuchEntity", "OpenIDConnect Provider not found for arn " STR_FMT,
		STR_ARG(c->arn));
}

static bool run(struct iam_call *c)
{
	struct str resource = { NULL, 0 };
	if (!query_check_input(c->req, c->op->name, c->err) || !target(c, &resource))
		return false;
	if (resource.ptr == NULL)
		return iam_full(c);
	return iam_allow(c, resource) && check_target(c) && c->op->run(c);
}

static void arena_freep(struct arena **a)
{
	arena_free(*a);
}

static void answer(struct http_req *req, const struct front_options *o, const struct iam_op *op,
	const struct principal *who)
{
	struct err err;
	struct arena *arena CLEANUP(arena_freep) = arena_new(IAM_ARENA_MAX);
	struct iam_call c = {
		.req = req,
		.o = o,
		.iam = auth_iam(o->auth),
		.op = op,
		.who = *who,
		.arena = arena,
		.err = &err,
	};
	buf_init(&c.xml, IAM_ANSWER_MAX);
	if (run(&c)) {
		query_reply(req, XMLNS, op->name, op->is_void ? NULL : &c.xml);
	} else {
		if (err.kind != ERR_INVALID && err.kind != ERR_DENIED)
			log_err(o->log, LOG_ERROR, "iam", &err);
		query_reply_err(req, XMLNS, &err);
	}
	buf_fini(&c.xml);
}

static void handle(struct http_req *req)
{
	const struct front_options *o = req->ctx;
	struct str body = req->op->body == HTTP_BODY_WHOLE ? http_body(req) : STR("");
	struct principal who;
	struct err err;
	(void)audit_begin(o, req, "iam.amazonaws.com", false);
	if (!front_sigv4(o->auth, req, body, "iam", &who, &err)) {
		if (err.kind != ERR_UNAUTHENTICATED)
			log_err(o->log, LOG_ERROR, "iam", &err);
		query_reply_err(req, XMLNS, &err);
		return;
	}
	struct str action = query_param(req, "Action");
	struct str version = query_param(req, "Version");
	const struct iam_op *op = find_op(action);
	if (action.len == 0) {
		query_reply_error(req, XMLNS, 400, STR("MissingAction"),
			STR("The request must contain the parameter Action."));
		return;
	}
	if (op != NULL && str_eq(version, STR(VERSION))) {
		query_name_op(req, op->name);
		answer(req, o, op, &who);
		query_audit(req);
		return;
	}
	if (version.len == 0)
		version = STR("NO_VERSION_SPECIFIED");
	struct str message = arena_printf(req->arena,
		"Could not find operation %.*s for version %.*s", (int)str_sub(action, 0, 128).len,
		action.ptr, (int)str_sub(version, 0, 128).len, version.ptr);
	query_reply_error(req, XMLNS, 400, STR("InvalidAction"), message);
}

static const struct http_op op_post = {
	.name = "IAM",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_WHOLE,
	.body_max = BODY_MAX,
	.handle = handle,
};

static const struct http_op op_get = {
	.name = "IAM",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_NONE,
	.handle = handle,
};

const struct http_op *iam_route(struct http_req *req, void *ctx)
{
	(void)ctx;
	bool is_post = str_eq(req->method, STR("POST"));
	if (!str_eq(req->path, STR("/")) || (!is_post && !str_eq(req->method, STR("GET"))))
		return NULL;
	if (!str_eq(front_sigv4_service(req), STR("iam")))
		return NULL;
	return is_post ? &op_post : &op_get;
}
