/* What users, groups and roles have alike: inline policies, attached policies, tags. */
#include <stdio.h>

#include "auth/managed_policies.h"
#include "auth/policy.h"
#include "aws/iam_call.h"

#define TAG_NAMES_MAX 50

static bool put_policy(struct iam_call *c)
{
	struct str name;
	struct str document;
	return iam_param(c, "PolicyName", &name) &&
	       iam_param_document(c, "PolicyDocument", POLICY_IDENTITY, 0, "", &document) &&
	       iam_inline_put(c->iam, &c->ref, name, document, c->err);
}

static bool get_policy(struct iam_call *c)
{
	char noun[16];
	struct str name;
	struct iam_part part;
	if (!iam_param(c, "PolicyName", &name) ||
		!iam_part_get(c->iam, &c->ref, IAM_PART_INLINE, name, c->arena, &part, c->err))
		return false;
	(void)snprintf(noun, sizeof(noun), "%sName", iam_noun(c->op->type));
	iam_add(c, noun, c->ref.name);
	iam_add(c, "PolicyName", part.name);
	iam_add_document(c, "PolicyDocument", part.value);
	return true;
}

static bool delete_policy(struct iam_call *c)
{
	struct str name;
	return iam_param(c, "PolicyName", &name) &&
	       iam_inline_remove(c->iam, &c->ref, name, c->err);
}

static bool list_parts(struct iam_call *c, enum iam_part_kind kind, const struct iam_part **parts,
	size_t *n, struct iam_cursor *p)
{
	return iam_page(c, p) &&
	       iam_part_list(c->iam,
		       &(const struct iam_part_page){ &c->ref, kind, p->after, p->limit }, c->arena,
		       parts, n, c->err);
}

static bool list_policies(struct iam_call *c)
{
	const struct iam_part *parts;
	struct iam_cursor p;
	size_t n = 0;
	if (!list_parts(c, IAM_PART_INLINE, &parts, &n, &p))
		return false;
	size_t shown = iam_page_rows(&p, n);
	buf_add_c(&c->xml, "<PolicyNames>");
	for (size_t i = 0; i < shown; i++)
		iam_add(c, "member", parts[i].name);
	buf_add_c(&c->xml, "</PolicyNames>");
	iam_page_end(c, &p, n, shown != 0 ? parts[shown - 1].name : STR(""));
	return true;
}

static bool attach(struct iam_call *c)
{
	struct str arn;
	return iam_param(c, "PolicyArn", &arn) &&
	       iam_attach(c->iam, &c->ref, arn, managed_policy_find(arn) != NULL, c->err);
}

static bool detach(struct iam_call *c)
{
	struct str arn;
	return iam_param(c, "PolicyArn", &arn) && iam_detach(c->iam, &c->ref, arn, c->err);
}

/* What is behind "policy" in an ARN, cut in path and name. */
static void cut_arn(struct str arn, struct str *path, struct str *name)
{
	size_t slash = arn.len;
	while (slash > 0 && arn.ptr[slash - 1] != '/')
		slash--;
	*name = str_sub(arn, slash, arn.len);
	size_t from = str_find_char(arn, '/');
	*path = str_sub(arn, from, slash > from ? slash - from : 0);
}

static bool list_attached(struct iam_call *c)
{
	const struct iam_part *parts;
	struct iam_cursor p;
	struct str prefix = query_param(c->req, "PathPrefix");
	size_t n = 0;
	if (!list_parts(c, IAM_PART_ATTACHED, &parts, &n, &p))
		return false;
	size_t shown = iam_page_rows(&p, n);
	buf_add_c(&c->xml, "<AttachedPolicies>");
	for (size_t i = 0; i < shown; i++) {
		struct str path;
		struct str name;
		cut_arn(parts[i].name, &path, &name);
		if (prefix.ptr != NULL && !str_starts(path, prefix))
			continue;
		buf_add_c(&c->xml, "<member>");
		iam_add(c, "PolicyName", name);
		iam_add(c, "PolicyArn", parts[i].name);
		buf_add_c(&c->xml, "</member>");
	}
	buf_add_c(&c->xml, "</AttachedPolicies>");
	iam_page_end(c, &p, n, shown != 0 ? parts[shown - 1].name : STR(""));
	return true;
}

static bool is_read_only(struct iam_call *c)
{
	return c->managed != NULL &&
	       !iam_fail(
		       c, "InvalidInput", "Policy " STR_FMT " is managed by AWS.", STR_ARG(c->arn));
}

static bool tag(struct iam_call *c)
{
	struct iam_tags tags;
	return !is_read_only(c) && iam_param_tags(c, &tags) &&
	       iam_tag_put(c->iam, &c->ref, tags, c->err);
}

static bool untag(struct iam_call *c)
{
	const struct str *names;
	size_t n = 0;
	return !is_read_only(c) && iam_param_list(c, "TagKeys", TAG_NAMES_MAX, &names, &n) &&
	       iam_tag_remove(c->iam, &c->ref, names, n, c->err);
}

static bool list_tags(struct iam_call *c)
{
	const struct iam_part *parts = NULL;
	struct iam_cursor p;
	size_t n = 0;
	if (c->managed != NULL) {
		buf_add_c(&c->xml, "<Tags></Tags><IsTruncated>false</IsTruncated>");
		return true;
	}
	if (!list_parts(c, IAM_PART_TAG, &parts, &n, &p))
		return false;
	size_t shown = iam_page_rows(&p, n);
	buf_add_c(&c->xml, "<Tags>");
	for (size_t i = 0; i < shown; i++) {
		buf_add_c(&c->xml, "<member>");
		iam_add(c, "Key", parts[i].name);
		iam_add(c, "Value", parts[i].value);
		buf_add_c(&c->xml, "</member>");
	}
	buf_add_c(&c->xml, "</Tags>");
	iam_page_end(c, &p, n, shown != 0 ? parts[shown - 1].name : STR(""));
	return true;
}

#define OF(noun, type)                                                                 \
	{ "Put" noun "Policy", put_policy, type, IAM_ON_ONE, true },                   \
		{ "Get" noun "Policy", get_policy, type, IAM_ON_ONE, false },          \
		{ "Delete" noun "Policy", delete_policy, type, IAM_ON_ONE, true },     \
		{ "List" noun "Policies", list_policies, type, IAM_ON_ONE, false },    \
		{ "Attach" noun "Policy", attach, type, IAM_ON_ONE, true },            \
		{ "Detach" noun "Policy", detach, type, IAM_ON_ONE, true },            \
	{                                                                              \
		"ListAttached" noun "Policies", list_attached, type, IAM_ON_ONE, false \
	}
#define TAGS_OF(noun, type)                                            \
	{ "Tag" noun, tag, type, IAM_ON_ONE, true },                   \
		{ "Untag" noun, untag, type, IAM_ON_ONE, true },       \
	{                                                              \
		"List" noun "Tags", list_tags, type, IAM_ON_ONE, false \
	}

const struct iam_op iam_ops_parts[] = {
	OF("User", IAM_TYPE_USER),
	OF("Group", IAM_TYPE_GROUP),
	OF("Role", IAM_TYPE_ROLE),
	TAGS_OF("User", IAM_TYPE_USER),
	TAGS_OF("Role", IAM_TYPE_ROLE),
	TAGS_OF("Policy", IAM_TYPE_POLICY),
	TAGS_OF("OpenIDConnectProvider", IAM_TYPE_OIDC),
	{ .name = NULL },
};
