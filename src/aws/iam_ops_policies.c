/* Managed policies, their versions, and who has them attached. */
#include <inttypes.h>
#include <stdio.h>

#include "auth/managed_policies.h"
#include "auth/policy.h"
#include "aws/iam_call.h"

#define SIZE_QUOTA "PolicySize"

/* A policy as lists and GetPolicy have it. */
struct shown {
	struct str name, uid, arn, path, description;
	char version[32];
	int64_t created_at_ms, updated_at_ms;
};

static bool show_own(struct iam_call *c, const struct iam_entity *e, struct shown *out)
{
	*out = (struct shown){
		.name = e->name,
		.uid = e->uid,
		.arn = iam_arn(c->arena, e),
		.path = e->path,
		.description = e->description,
		.created_at_ms = e->created_at_ms,
		.updated_at_ms = e->updated_at_ms,
	};
	(void)snprintf(out->version, sizeof(out->version), "v%" PRId64, e->version);
	return out->arn.ptr != NULL || iam_full(c);
}

static void show_managed(const struct managed_policy *m, struct shown *out)
{
	*out = (struct shown){
		.name = str_from(m->name),
		.uid = str_from(m->policy_id),
		.arn = str_from(m->arn),
		.path = STR("/"),
		.description = str_from(m->description),
		.created_at_ms = m->created_at_ms,
		.updated_at_ms = m->updated_at_ms,
	};
	(void)snprintf(out->version, sizeof(out->version), "%s", m->version);
}

static bool count(struct iam_call *c, struct str arn, bool boundary, uint64_t *out)
{
	return iam_attached_count(c->iam, c->who.account, arn, boundary, out, c->err);
}

/* is_whole: with description and tags, as GetPolicy has it. */
static bool add_policy(struct iam_call *c, const char *element, const struct shown *s,
	const struct iam_ref *tagged)
{
	uint64_t attached = 0;
	uint64_t bounded = 0;
	if (!count(c, s->arn, false, &attached) || !count(c, s->arn, true, &bounded))
		return false;
	buf_addf(&c->xml, "<%s>", element);
	iam_add(c, "PolicyName", s->name);
	iam_add(c, "PolicyId", s->uid);
	iam_add(c, "Arn", s->arn);
	iam_add(c, "Path", s->path);
	iam_add(c, "DefaultVersionId", str_from(s->version));
	buf_addf(&c->xml,
		"<AttachmentCount>%" PRIu64
		"</AttachmentCount><PermissionsBoundaryUsageCount>%" PRIu64
		"</PermissionsBoundaryUsageCount><IsAttachable>true</IsAttachable>",
		attached, bounded);
	if (s->description.len != 0 && tagged != NULL)
		iam_add(c, "Description", s->description);
	iam_add_time(c, "CreateDate", s->created_at_ms);
	iam_add_time(c, "UpdateDate", s->updated_at_ms);
	if (tagged != NULL && tagged->name.ptr != NULL && !iam_add_tags(c, tagged))
		return false;
	buf_addf(&c->xml, "</%s>", element);
	return true;
}

static bool create_policy(struct iam_call *c)
{
	struct iam_entity e = { .account = c->who.account,
		.type = IAM_TYPE_POLICY,
		.name = c->ref.name,
		.path = c->path };
	struct iam_tags tags;
	struct shown s;
	if (!iam_param_document(c, "PolicyDocument", POLICY_IDENTITY, IAM_POLICY_SIZE_MAX,
		    SIZE_QUOTA, &e.document) ||
		!iam_param_tags(c, &tags))
		return false;
	e.description = query_param(c->req, "Description");
	return iam_create(c->iam, &e, tags, c->arena, &e, c->err) && show_own(c, &e, &s) &&
	       add_policy(c, "Policy", &s, &c->ref);
}

static bool get_policy(struct iam_call *c)
{
	struct iam_entity e;
	struct shown s;
	const struct iam_ref none = { .name = { NULL, 0 } };
	if (c->managed != NULL) {
		show_managed(c->managed, &s);
		return add_policy(c, "Policy", &s, &none);
	}
	return iam_get(c->iam, &c->ref, c->arena, &e, c->err) && show_own(c, &e, &s) &&
	       add_policy(c, "Policy", &s, &c->ref);
}

static bool is_read_only(struct iam_call *c)
{
	return c->managed != NULL &&
	       !iam_fail(c, "AccessDenied",
		       "Policy " STR_FMT " is managed by AWS and cannot be changed.",
		       STR_ARG(c->arn));
}

static bool delete_policy(struct iam_call *c)
{
	return !is_read_only(c) && iam_delete(c->iam, &c->ref, c->err);
}

/* AWS's own come first, in every page that begins at the start. */
struct wanted {
	bool aws, local, only_attached, boundaries;
	struct str prefix;
};

static bool wants(struct iam_call *c, const struct wanted *w, struct str arn, bool *out)
{
	uint64_t attached = 0;
	*out = true;
	if (!w->only_attached)
		return true;
	if (!count(c, arn, w->boundaries, &attached))
		return false;
	*out = attached != 0;
	return true;
}

static bool add_managed(struct iam_call *c, const struct wanted *w)
{
	for (size_t i = 0; i < MANAGED_POLICY_COUNT; i++) {
		struct shown s;
		bool is_wanted;
		show_managed(&managed_policies[i], &s);
		if (w->prefix.ptr != NULL && !str_starts(s.path, w->prefix))
			continue;
		if (!wants(c, w, s.arn, &is_wanted) ||
			(is_wanted && !add_policy(c, "member", &s, NULL)))
			return false;
	}
	return true;
}

static bool read_wanted(struct iam_call *c, struct wanted *w)
{
	struct str scope = query_param(c->req, "Scope");
	struct str usage = query_param(c->req, "PolicyUsageFilter");
	w->prefix = query_param(c->req, "PathPrefix");
	if (!iam_param_bool(c, "OnlyAttached", &w->only_attached))
		return false;
	w->aws = scope.ptr == NULL || !str_eq(scope, STR("Local"));
	w->local = scope.ptr == NULL || !str_eq(scope, STR("AWS"));
	w->boundaries = str_eq(usage, STR("PermissionsBoundary"));
	return true;
}

static bool list_policies(struct iam_call *c)
{
	struct iam_list list = { .account = c->who.account, .type = IAM_TYPE_POLICY };
	const struct iam_entity *rows = NULL;
	struct iam_cursor p;
	struct wanted w;
	size_t n = 0;
	if (!read_wanted(c, &w) || !iam_page(c, &p))
		return false;
	list.path_prefix = w.prefix;
	list.after = p.after;
	list.limit = p.limit;
	if (w.local && !iam_list(c->iam, &list, c->arena, &rows, &n, c->err))
		return false;
	size_t shown = iam_page_rows(&p, n);
	buf_add_c(&c->xml, "<Policies>");
	if (w.aws && p.after.len == 0 && !add_managed(c, &w))
		return false;
	for (size_t i = 0; rows != NULL && i < shown; i++) {
		struct shown s;
		bool is_wanted;
		if (!show_own(c, &rows[i], &s) || !wants(c, &w, s.arn, &is_wanted) ||
			(is_wanted && !add_policy(c, "member", &s, NULL)))
			return false;
	}
	buf_add_c(&c->xml, "</Policies>");
	iam_page_end(c, &p, n, rows != NULL && shown != 0 ? rows[shown - 1].name : STR(""));
	return true;
}

static void add_version(
	struct iam_call *c, const char *element, const struct iam_version *v, bool with_document)
{
	buf_addf(&c->xml, "<%s>", element);
	if (with_document)
		iam_add_document(c, "Document", v->document);
	buf_addf(&c->xml, "<VersionId>v%" PRId64 "</VersionId>", v->number);
	iam_add(c, "IsDefaultVersion", v->is_default ? STR("true") : STR("false"));
	iam_add_time(c, "CreateDate", v->created_at_ms);
	buf_addf(&c->xml, "</%s>", element);
}

static bool create_version(struct iam_call *c)
{
	struct iam_version v = { .number = 0 };
	struct str document;
	bool make_default;
	if (is_read_only(c) ||
		!iam_param_document(c, "PolicyDocument", POLICY_IDENTITY, IAM_POLICY_SIZE_MAX,
			SIZE_QUOTA, &document) ||
		!iam_param_bool(c, "SetAsDefault", &make_default) ||
		!iam_version_add(c->iam, &c->ref, document, make_default, &v, c->err))
		return false;
	add_version(c, "PolicyVersion", &v, false);
	return true;
}

static bool version_number(struct iam_call *c, int64_t *out)
{
	struct str text;
	uint64_t n = 0;
	if (!iam_param(c, "VersionId", &text) ||
		!str_to_u64(str_sub(text, 1, text.len), INT64_MAX, &n))
		return false;
	*out = (int64_t)n;
	return true;
}

/* AWS's own have one version here, the default. */
static bool managed_version(struct iam_call *c, struct iam_version *out)
{
	int64_t number = 0;
	uint64_t own = 0;
	struct str version = str_from(c->managed->version);
	if (!str_to_u64(str_sub(version, 1, version.len), INT64_MAX, &own))
		return iam_full(c);
	if (query_param(c->req, "VersionId").ptr != NULL && !version_number(c, &number))
		return false;
	if (number != 0 && number != (int64_t)own)
		return iam_fail(c, "NoSuchEntity",
			"Policy " STR_FMT " version v%" PRId64
			" does not exist or is not attachable.",
			STR_ARG(c->arn), number);
	*out = (struct iam_version){
		.number = (int64_t)own,
		.document = str_from(c->managed->document),
		.is_default = true,
		.created_at_ms = c->managed->updated_at_ms,
	};
	return true;
}

static bool get_version(struct iam_call *c)
{
	struct iam_version v = { .number = 0 };
	int64_t number = 0;
	if (!version_number(c, &number))
		return false;
	if (!(c->managed != NULL ? managed_version(c, &v)
				 : iam_version_get(c->iam, &c->ref, number, c->arena, &v, c->err)))
		return false;
	add_version(c, "PolicyVersion", &v, true);
	return true;
}

static bool list_versions(struct iam_call *c)
{
	struct iam_version versions[IAM_VERSIONS_MAX] = { { .number = 0 } };
	size_t n = 1;
	if (!(c->managed != NULL
			    ? managed_version(c, &versions[0])
			    : iam_version_list(c->iam, &c->ref, c->arena, versions, &n, c->err)))
		return false;
	buf_add_c(&c->xml, "<Versions>");
	for (size_t i = 0; i < n; i++)
		add_version(c, "member", &versions[i], false);
	buf_add_c(&c->xml, "</Versions><IsTruncated>false</IsTruncated>");
	return true;
}

static bool set_default_version(struct iam_call *c)
{
	int64_t number;
	return !is_read_only(c) && version_number(c, &number) &&
	       iam_version_set_default(c->iam, &c->ref, number, c->err);
}

static bool delete_version(struct iam_call *c)
{
	int64_t number;
	return !is_read_only(c) && version_number(c, &number) &&
	       iam_version_remove(c->iam, &c->ref, number, c->err);
}

/*
 * ListEntitiesForPolicy has three lists, which are paged as one: groups, users, roles. A marker is
 * the list's digit and the name that the page ended with.
 */
static const struct {
	enum iam_type type;
	const char *filter;
} entity_lists[] = {
	{ IAM_TYPE_GROUP, "Group" },
	{ IAM_TYPE_USER, "User" },
	{ IAM_TYPE_ROLE, "Role" },
};

struct entity_page {
	struct iam_cursor cursor;
	struct iam_list list;
	struct str filter;
	size_t from;     /* the list that the page begins in */
	unsigned room;   /* entities that still fit */
	struct str last; /* the marker; ptr NULL: there is no more */
};

static bool add_entities(struct iam_call *c, struct entity_page *p, size_t which)
{
	const struct iam_entity *rows;
	const char *noun = entity_lists[which].filter;
	size_t n = 0;
	p->list.type = entity_lists[which].type;
	p->list.limit = p->room + 1;
	p->list.after = which == p->from ? p->cursor.after : STR("");
	if (!iam_attached_list(c->iam, &p->list, c->arena, &rows, &n, c->err))
		return false;
	size_t shown = n <= p->room ? n : p->room;
	for (size_t i = 0; i < shown; i++) {
		char element[16];
		buf_add_c(&c->xml, "<member>");
		(void)snprintf(element, sizeof(element), "%sName", noun);
		iam_add(c, element, rows[i].name);
		(void)snprintf(element, sizeof(element), "%sId", noun);
		iam_add(c, element, rows[i].uid);
		buf_add_c(&c->xml, "</member>");
	}
	p->room -= (unsigned)shown;
	if (n > shown) {
		struct str name = shown != 0 ? rows[shown - 1].name : p->list.after;
		p->last = arena_printf(c->arena, "%zu" STR_FMT, which, STR_ARG(name));
		return p->last.ptr != NULL || iam_full(c);
	}
	return true;
}

static bool read_entity_page(struct iam_call *c, struct entity_page *p)
{
	struct str usage = query_param(c->req, "PolicyUsageFilter");
	p->list.account = c->who.account;
	p->list.policy_arn = c->arn;
	p->filter = query_param(c->req, "EntityFilter");
	p->list.path_prefix = query_param(c->req, "PathPrefix");
	if (!iam_page(c, &p->cursor))
		return false;
	p->list.is_boundary = str_eq(usage, STR("PermissionsBoundary"));
	p->room = p->cursor.limit - 1;
	if (p->cursor.after.len == 0)
		return true;
	p->from = (size_t)(unsigned char)p->cursor.after.ptr[0] - '0';
	p->cursor.after = str_sub(p->cursor.after, 1, p->cursor.after.len);
	return p->from < ARRAY_LEN(entity_lists) ||
	       iam_fail(c, "ValidationError", "Invalid Marker.");
}

static bool list_entities(struct iam_call *c)
{
	struct entity_page p = { .from = 0 };
	if (!read_entity_page(c, &p))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(entity_lists); i++) {
		const char *filter = entity_lists[i].filter;
		bool is_wanted = p.filter.ptr == NULL || str_eq_c(p.filter, filter);
		buf_addf(&c->xml, "<Policy%ss>", filter);
		if (is_wanted && i >= p.from && p.last.ptr == NULL && !add_entities(c, &p, i))
			return false;
		buf_addf(&c->xml, "</Policy%ss>", filter);
	}
	iam_page_end(c, &p.cursor, p.last.ptr != NULL ? p.cursor.limit : 0, p.last);
	return true;
}

#define P IAM_TYPE_POLICY

const struct iam_op iam_ops_policies[] = {
	{ "CreatePolicy", create_policy, P, IAM_ON_NEW, false },
	{ "GetPolicy", get_policy, P, IAM_ON_ONE, false },
	{ "DeletePolicy", delete_policy, P, IAM_ON_ONE, true },
	{ "ListPolicies", list_policies, P, IAM_ON_LIST, false },
	{ "CreatePolicyVersion", create_version, P, IAM_ON_ONE, false },
	{ "GetPolicyVersion", get_version, P, IAM_ON_ONE, false },
	{ "ListPolicyVersions", list_versions, P, IAM_ON_ONE, false },
	{ "SetDefaultPolicyVersion", set_default_version, P, IAM_ON_ONE, true },
	{ "DeletePolicyVersion", delete_version, P, IAM_ON_ONE, true },
	{ "ListEntitiesForPolicy", list_entities, P, IAM_ON_ONE, false },
	{ .name = NULL },
};
