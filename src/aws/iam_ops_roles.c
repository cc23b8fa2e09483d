/* Roles, apart from what they share with users (iam_ops_users.c, iam_ops_parts.c). */
#include "auth/policy.h"
#include "aws/iam_call.h"

#define TRUST_QUOTA "ACLSizePerRole"

static bool create_role(struct iam_call *c)
{
	struct iam_entity e = { .account = c->who.account,
		.type = IAM_TYPE_ROLE,
		.name = c->ref.name,
		.path = c->path };
	struct iam_tags tags;
	e.description = query_param(c->req, "Description");
	e.boundary = query_param(c->req, "PermissionsBoundary");
	if (!iam_param_document(c, "AssumeRolePolicyDocument", POLICY_TRUST, IAM_TRUST_SIZE_MAX,
		    TRUST_QUOTA, &e.document) ||
		!iam_param_int(
			c, "MaxSessionDuration", 3600, IAM_SESSION_MAX_S, &e.max_session_s) ||
		!iam_param_tags(c, &tags) || !iam_check_boundary(c, e.boundary))
		return false;
	if (e.max_session_s == 0)
		e.max_session_s = IAM_SESSION_FIRST_S;
	return iam_create(c->iam, &e, tags, c->arena, &e, c->err) &&
	       iam_add_entity(c, "Role", &e, true);
}

static bool get_role(struct iam_call *c)
{
	struct iam_entity e;
	return iam_get(c->iam, &c->ref, c->arena, &e, c->err) &&
	       iam_add_entity(c, "Role", &e, true);
}

static bool update_role(struct iam_call *c)
{
	struct iam_change change = { .description = query_param(c->req, "Description") };
	return iam_param_int(
		       c, "MaxSessionDuration", 3600, IAM_SESSION_MAX_S, &change.max_session_s) &&
	       iam_update(c->iam, &c->ref, &change, c->err);
}

static bool update_role_description(struct iam_call *c)
{
	struct iam_change change = { .max_session_s = 0 };
	return iam_param(c, "Description", &change.description) &&
	       iam_update(c->iam, &c->ref, &change, c->err) && get_role(c);
}

static bool update_trust(struct iam_call *c)
{
	struct iam_change change = { .max_session_s = 0 };
	return iam_param_document(c, "PolicyDocument", POLICY_TRUST, IAM_TRUST_SIZE_MAX,
		       TRUST_QUOTA, &change.document) &&
	       iam_update(c->iam, &c->ref, &change, c->err);
}

#define R IAM_TYPE_ROLE

const struct iam_op iam_ops_roles[] = {
	{ "CreateRole", create_role, R, IAM_ON_NEW, false },
	{ "GetRole", get_role, R, IAM_ON_ONE, false },
	{ "UpdateRole", update_role, R, IAM_ON_ONE, false },
	{ "UpdateRoleDescription", update_role_description, R, IAM_ON_ONE, false },
	{ "UpdateAssumeRolePolicy", update_trust, R, IAM_ON_ONE, true },
	{ .name = NULL },
};
