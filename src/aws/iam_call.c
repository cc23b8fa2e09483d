#include "aws/iam_call.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "auth/policy.h"
#include "base/codec.h"

#define NAME_MAX_LEN 64 /* of a parameter */

bool iam_fail(struct iam_call *c, const char *code, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_set(c->err, ERR_INVALID, "%s: %s", code, text);
}

static bool no_memory(const struct arena *arena, struct err *err)
{
	return arena_err(arena, "a call of IAM", err);
}

bool iam_full(struct iam_call *c)
{
	return no_memory(c->arena, c->err);
}

const char *iam_noun(enum iam_type type)
{
	switch (type) {
	case IAM_TYPE_USER:
		return "User";
	case IAM_TYPE_GROUP:
		return "Group";
	case IAM_TYPE_ROLE:
		return "Role";
	case IAM_TYPE_POLICY:
		return "Policy";
	case IAM_TYPE_OIDC:
		return "OpenIDConnectProvider";
	}
	return "";
}

/* "UserName" is told as "userName". */
static void member_name(const char *name, char out[NAME_MAX_LEN])
{
	(void)snprintf(out, NAME_MAX_LEN, "%s", name);
	if (out[0] >= 'A' && out[0] <= 'Z')
		out[0] = (char)(out[0] | 0x20);
}

static bool refuse(struct iam_call *c, const char *name, struct str value, const char *constraint)
{
	char member[NAME_MAX_LEN];
	member_name(name, member);
	return iam_fail(c, "ValidationError",
		"1 validation error detected: Value '%.*s' at '%s' failed to satisfy constraint: Member must %s",
		STR_ARG(str_sub(value, 0, 128)), member, constraint);
}

bool iam_param(struct iam_call *c, const char *name, struct str *out)
{
	char member[NAME_MAX_LEN];
	*out = query_param(c->req, name);
	if (out->ptr != NULL)
		return true;
	member_name(name, member);
	return iam_fail(c, "ValidationError",
		"1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null",
		member);
}

bool iam_param_bool(struct iam_call *c, const char *name, bool *out)
{
	struct str value = query_param(c->req, name);
	bool is_true = str_eq_nocase(value, STR("true"));
	if (value.ptr != NULL && !is_true && !str_eq_nocase(value, STR("false")))
		return refuse(c, name, value, "satisfy enum value set: [true, false]");
	*out = is_true;
	return true;
}

bool iam_param_int(struct iam_call *c, const char *name, int64_t min, int64_t max, int64_t *out)
{
	char text[64];
	struct str value = query_param(c->req, name);
	uint64_t n = 0;
	if (value.ptr == NULL) {
		*out = 0;
		return true;
	}
	if (!str_to_u64(value, INT64_MAX, &n) || (int64_t)n < min)
		(void)snprintf(
			text, sizeof(text), "have value greater than or equal to %" PRId64, min);
	else if ((int64_t)n > max)
		(void)snprintf(
			text, sizeof(text), "have value less than or equal to %" PRId64, max);
	else {
		*out = (int64_t)n;
		return true;
	}
	return refuse(c, name, value, text);
}

bool iam_param_list(
	struct iam_call *c, const char *name, unsigned max, const struct str **out, size_t *out_n)
{
	struct str *items = arena_alloc(c->arena, (max + 1) * sizeof(*items));
	size_t n = 0;
	if (items == NULL)
		return iam_full(c);
	for (;; n++) {
		char member[NAME_MAX_LEN];
		(void)snprintf(member, sizeof(member), "%s.member.%zu", name, n + 1);
		struct str value = query_param(c->req, member);
		if (value.ptr == NULL)
			break;
		if (n == max)
			return refuse(c, name, STR("[...]"), "have a smaller number of items");
		items[n] = value;
	}
	*out = items;
	*out_n = n;
	return true;
}

static bool is_double(const struct iam_tag *tags, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq_nocase(tags[i].name, name))
			return true;
	}
	return false;
}

bool iam_param_tags(struct iam_call *c, struct iam_tags *out)
{
	struct iam_tag *tags = arena_alloc(c->arena, (IAM_TAGS_MAX + 1) * sizeof(*tags));
	size_t n = 0;
	if (tags == NULL)
		return iam_full(c);
	for (;; n++) {
		char name[NAME_MAX_LEN];
		(void)snprintf(name, sizeof(name), "Tags.member.%zu.Key", n + 1);
		struct str key = query_param(c->req, name);
		if (key.ptr == NULL)
			break;
		(void)snprintf(name, sizeof(name), "Tags.member.%zu.Value", n + 1);
		struct str value = query_param(c->req, name);
		if (value.ptr == NULL)
			value = STR("");
		if (n == IAM_TAGS_MAX)
			return refuse(
				c, "tags", STR("[...]"), "have length less than or equal to 50");
		if (is_double(tags, n, key))
			return iam_fail(c, "InvalidInput",
				"Duplicate tag keys found. Please note that Tag keys are case insensitive.");
		if (str_starts(key, STR("aws:")))
			return iam_fail(c, "InvalidInput",
				"Tag keys beginning with aws: are reserved for system use");
		tags[n] = (struct iam_tag){ key, value };
	}
	*out = (struct iam_tags){ tags, n };
	return true;
}

bool iam_param_document(struct iam_call *c, const char *name, int kind, size_t max,
	const char *quota, struct str *out)
{
	struct policy *p CLEANUP(policy_freep) = NULL;
	struct err why;
	struct str text = { NULL, 0 };
	if (!iam_param(c, name, &text))
		return false;
	if (!policy_compile(text, (enum policy_kind)kind, &p, &why))
		return iam_fail(c, "MalformedPolicyDocument", "%.480s", err_text(&why));
	if (max != 0 && iam_document_size(text) > max)
		return iam_fail(c, "LimitExceeded", "Cannot exceed quota for %s: %zu", quota, max);
	*out = text;
	return true;
}

bool iam_check_boundary(struct iam_call *c, struct str arn)
{
	struct str text;
	if (arn.ptr == NULL || str_starts(arn, STR("arn:aws:iam::aws:policy/")))
		return true;
	if (!iam_document_find(c->iam, c->who.account, arn, c->arena, &text, c->err))
		return false;
	return text.ptr != NULL ||
	       iam_fail(c, "NoSuchEntity",
		       "Scope ARN: " STR_FMT " does not exist or is not attachable.", STR_ARG(arn));
}

bool iam_page(struct iam_call *c, struct iam_cursor *out)
{
	struct str marker = query_param(c->req, "Marker");
	int64_t max = 0;
	size_t len = 0;
	if (!iam_param_int(c, "MaxItems", 1, IAM_PAGE_MAX, &max))
		return false;
	if (max == 0)
		max = IAM_PAGE_DEFAULT;
	if (max > IAM_PAGE_LARGEST)
		max = IAM_PAGE_LARGEST;
	out->limit = (unsigned)max + 1;
	out->after = STR("");
	if (marker.ptr == NULL)
		return true;
	char *text = arena_alloc(c->arena, marker.len + 1);
	if (text == NULL)
		return iam_full(c);
	if (!base64url_decode(marker, (uint8_t *)text, marker.len, &len) || len == 0)
		return iam_fail(c, "ValidationError", "Invalid Marker.");
	out->after = (struct str){ text, len };
	return true;
}

size_t iam_page_rows(const struct iam_cursor *p, size_t n)
{
	return n < p->limit ? n : p->limit - 1;
}

void iam_page_end(struct iam_call *c, const struct iam_cursor *p, size_t n, struct str last)
{
	bool more = n == p->limit;
	iam_add(c, "IsTruncated", more ? STR("true") : STR("false"));
	if (!more)
		return;
	char *text = arena_alloc(c->arena, BASE64URL_LEN(last.len) + 1);
	if (text == NULL) {
		c->xml.failed = true;
		return;
	}
	base64url_encode((const uint8_t *)last.ptr, last.len, text);
	iam_add(c, "Marker", (struct str){ text, BASE64URL_LEN(last.len) });
}

void iam_add(struct iam_call *c, const char *name, struct str text)
{
	query_add_element(&c->xml, name, text);
}

void iam_add_time(struct iam_call *c, const char *name, int64_t at_ms)
{
	char iso[ISO8601_MAX];
	iso8601(at_ms / 1000 * 1000, iso);
	/* IAM's times are whole seconds: 2026-11-24T03:00:00Z */
	struct str text = str_from(iso);
	buf_addf(&c->xml, "<%s>" STR_FMT "Z</%s>", name,
		STR_ARG(str_sub(text, 0, str_find_char(text, '.'))), name);
}

void iam_add_document(struct iam_call *c, const char *name, struct str text)
{
	buf_addf(&c->xml, "<%s>", name);
	percent_encode(&c->xml, text, false);
	buf_addf(&c->xml, "</%s>", name);
}

bool iam_add_tags(struct iam_call *c, const struct iam_ref *ref)
{
	const struct iam_part *tags;
	size_t n = 0;
	if (!iam_part_list(c->iam,
		    &(const struct iam_part_page){ ref, IAM_PART_TAG, STR(""), IAM_TAGS_MAX },
		    c->arena, &tags, &n, c->err))
		return false;
	if (n == 0)
		return true;
	buf_add_c(&c->xml, "<Tags>");
	for (size_t i = 0; i < n; i++) {
		buf_add_c(&c->xml, "<member>");
		iam_add(c, "Key", tags[i].name);
		iam_add(c, "Value", tags[i].value);
		buf_add_c(&c->xml, "</member>");
	}
	buf_add_c(&c->xml, "</Tags>");
	return true;
}

bool iam_add_entity(struct iam_call *c, const char *element, const struct iam_entity *e, bool whole)
{
	char name[NAME_MAX_LEN];
	struct str arn = iam_arn(c->arena, e);
	if (arn.ptr == NULL)
		return iam_full(c);
	const char *noun = iam_noun(e->type);
	buf_addf(&c->xml, "<%s>", element);
	iam_add(c, "Path", e->path);
	(void)snprintf(name, sizeof(name), "%sName", noun);
	iam_add(c, name, e->name);
	(void)snprintf(name, sizeof(name), "%sId", noun);
	iam_add(c, name, e->uid);
	iam_add(c, "Arn", arn);
	iam_add_time(c, "CreateDate", e->created_at_ms);
	if (e->type == IAM_TYPE_ROLE) {
		iam_add_document(c, "AssumeRolePolicyDocument", e->document);
		if (e->description.len != 0)
			iam_add(c, "Description", e->description);
		buf_addf(&c->xml, "<MaxSessionDuration>%" PRId64 "</MaxSessionDuration>",
			e->max_session_s);
	}
	if (whole && e->boundary.len != 0) {
		buf_add_c(&c->xml, "<PermissionsBoundary>");
		iam_add(c, "PermissionsBoundaryType", STR("Policy"));
		iam_add(c, "PermissionsBoundaryArn", e->boundary);
		buf_add_c(&c->xml, "</PermissionsBoundary>");
	}
	const struct iam_ref ref = { e->account, e->type, e->name };
	if (whole && e->type != IAM_TYPE_GROUP && !iam_add_tags(c, &ref))
		return false;
	buf_addf(&c->xml, "</%s>", element);
	return true;
}

/* Tags of whom it is about, for conditions. */
static bool resource_tags(void *arg, const struct auth_tag **out, size_t *out_n, struct err *err)
{
	struct iam_call *c = arg;
	const struct iam_part *parts;
	struct err why;
	size_t n = 0;
	*out_n = 0;
	if (c->ref.name.ptr == NULL || c->managed != NULL || c->op->target == IAM_ON_NEW)
		return true;
	if (!iam_part_list(c->iam,
		    &(const struct iam_part_page){ &c->ref, IAM_PART_TAG, STR(""), IAM_TAGS_MAX },
		    c->arena, &parts, &n, &why)) {
		if (why.kind == ERR_INVALID) /* it is not there, which the operation tells */
			return true;
		*err = why;
		return false;
	}
	struct auth_tag *tags = arena_alloc(c->arena, (n + 1) * sizeof(*tags));
	if (tags == NULL)
		return no_memory(c->arena, err);
	for (size_t i = 0; i < n; i++)
		tags[i] = (struct auth_tag){ parts[i].name, parts[i].value };
	*out = tags;
	*out_n = n;
	return true;
}

bool iam_allow(struct iam_call *c, struct str resource)
{
	struct str action = arena_printf(c->arena, "iam:%s", c->op->name);
	struct str policy = query_param(c->req, "PolicyArn");
	struct str boundary = query_param(c->req, "PermissionsBoundary");
	struct iam_tags tags = { NULL, 0 };
	struct auth_context context;
	if (action.ptr == NULL)
		return iam_full(c);
	if (!iam_param_tags(c, &tags))
		return false;
	struct auth_tag *given = arena_alloc(c->arena, (tags.count + 1) * sizeof(*given));
	if (given == NULL)
		return iam_full(c);
	for (size_t i = 0; i < tags.count; i++)
		given[i] = (struct auth_tag){ tags.items[i].name, tags.items[i].value };
	const struct policy_key keys[] = {
		{ STR("iam:PolicyARN"), &policy, policy.len != 0 },
		{ STR("iam:PermissionsBoundary"), &boundary, boundary.len != 0 },
	};
	front_context(c->req, &context);
	context.request_tags = given;
	context.request_tag_count = tags.count;
	context.resource_tags = resource_tags;
	context.resource_tags_arg = c;
	context.keys = keys;
	context.key_count = ARRAY_LEN(keys);
	const struct auth_question q = {
		.who = &c->who,
		.action = action,
		.account = c->who.account,
		.resource = resource,
		.context = &context,
	};
	return auth_allow(c->o->auth, &q, c->err);
}
