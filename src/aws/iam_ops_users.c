/* Users, groups and their members, access keys. */
#include <stdio.h>

#include "aws/iam_call.h"
#include "iam/iam_key.h"

static bool create_user(struct iam_call *c)
{
	struct iam_entity e = { .account = c->who.account,
		.type = IAM_TYPE_USER,
		.name = c->ref.name,
		.path = c->path };
	struct iam_tags tags;
	e.boundary = query_param(c->req, "PermissionsBoundary");
	if (!iam_param_tags(c, &tags) || !iam_check_boundary(c, e.boundary))
		return false;
	return iam_create(c->iam, &e, tags, c->arena, &e, c->err) &&
	       iam_add_entity(c, "User", &e, true);
}

/* Root has no row; GetUser of itself tells the account. */
static bool get_root(struct iam_call *c)
{
	buf_add_c(&c->xml, "<User>");
	iam_add(c, "Path", STR("/"));
	iam_add(c, "UserId", c->who.account);
	iam_add(c, "Arn", c->who.arn);
	iam_add_time(c, "CreateDate", 0);
	buf_add_c(&c->xml, "</User>");
	return true;
}

static bool get_user(struct iam_call *c)
{
	struct iam_entity e;
	if (c->ref.name.ptr == NULL)
		return get_root(c);
	return iam_get(c->iam, &c->ref, c->arena, &e, c->err) &&
	       iam_add_entity(c, "User", &e, true);
}

static bool update_entity(struct iam_call *c)
{
	bool is_user = c->op->type == IAM_TYPE_USER;
	struct iam_change change = {
		.name = query_param(c->req, is_user ? "NewUserName" : "NewGroupName"),
		.path = query_param(c->req, "NewPath"),
	};
	return iam_update(c->iam, &c->ref, &change, c->err);
}

static bool delete_entity(struct iam_call *c)
{
	return iam_delete(c->iam, &c->ref, c->err);
}

/* The rows of a page as members of <element>. */
static bool add_members(struct iam_call *c, const char *element, const struct iam_entity *rows,
	size_t n, const struct iam_cursor *p)
{
	size_t shown = iam_page_rows(p, n);
	buf_addf(&c->xml, "<%s>", element);
	for (size_t i = 0; i < shown; i++) {
		if (!iam_add_entity(c, "member", &rows[i], false))
			return false;
	}
	buf_addf(&c->xml, "</%s>", element);
	iam_page_end(c, p, n, shown != 0 ? rows[shown - 1].name : STR(""));
	return true;
}

static bool list_entities(struct iam_call *c)
{
	struct iam_list list = { .account = c->who.account, .type = c->op->type };
	const struct iam_entity *rows;
	struct iam_cursor p;
	char element[16];
	size_t n = 0;
	list.path_prefix = query_param(c->req, "PathPrefix");
	if (!iam_page(c, &p))
		return false;
	list.after = p.after;
	list.limit = p.limit;
	(void)snprintf(element, sizeof(element), "%ss", iam_noun(c->op->type));
	return iam_list(c->iam, &list, c->arena, &rows, &n, c->err) &&
	       add_members(c, element, rows, n, &p);
}

static bool create_group(struct iam_call *c)
{
	struct iam_entity e = { .account = c->who.account,
		.type = IAM_TYPE_GROUP,
		.name = c->ref.name,
		.path = c->path };
	const struct iam_tags none = { NULL, 0 };
	return iam_create(c->iam, &e, none, c->arena, &e, c->err) &&
	       iam_add_entity(c, "Group", &e, true);
}

static bool list_members(struct iam_call *c, enum iam_type type, const char *element)
{
	struct iam_list list = { .account = c->who.account, .type = type };
	const struct iam_entity *rows;
	struct iam_cursor p;
	size_t n = 0;
	if (!iam_page(c, &p))
		return false;
	list.after = p.after;
	list.limit = p.limit;
	return iam_member_list(c->iam, &c->ref, &list, c->arena, &rows, &n, c->err) &&
	       add_members(c, element, rows, n, &p);
}

static bool get_group(struct iam_call *c)
{
	struct iam_entity e;
	return iam_get(c->iam, &c->ref, c->arena, &e, c->err) &&
	       iam_add_entity(c, "Group", &e, true) && list_members(c, IAM_TYPE_USER, "Users");
}

static bool list_groups_for_user(struct iam_call *c)
{
	return list_members(c, IAM_TYPE_GROUP, "Groups");
}

static bool add_user_to_group(struct iam_call *c)
{
	struct str user;
	return iam_param(c, "UserName", &user) &&
	       iam_member_add(c->iam, c->who.account, c->ref.name, user, c->err);
}

static bool remove_user_from_group(struct iam_call *c)
{
	struct str user;
	return iam_param(c, "UserName", &user) &&
	       iam_member_remove(c->iam, c->who.account, c->ref.name, user, c->err);
}

static void add_key(struct iam_call *c, const struct iam_key *key, const char *secret)
{
	if (c->ref.name.ptr != NULL)
		iam_add(c, "UserName", c->ref.name);
	iam_add(c, "AccessKeyId", str_from(key->id));
	iam_add(c, "Status", key->is_active ? STR("Active") : STR("Inactive"));
	if (secret != NULL)
		iam_add(c, "SecretAccessKey", str_from(secret));
	iam_add_time(c, "CreateDate", key->created_at_ms);
}

static bool create_access_key(struct iam_call *c)
{
	struct iam_new_key made;
	if (!iam_key_create(c->iam, c->who.account, c->ref.name, &made, c->err))
		return false;
	buf_add_c(&c->xml, "<AccessKey>");
	add_key(c, &made.key, made.secret);
	buf_add_c(&c->xml, "</AccessKey>");
	return true;
}

static bool update_access_key(struct iam_call *c)
{
	struct str id;
	struct str status;
	if (!iam_param(c, "AccessKeyId", &id) || !iam_param(c, "Status", &status))
		return false;
	bool is_active = str_eq(status, STR("Active"));
	if (!is_active && !str_eq(status, STR("Inactive")))
		return iam_fail(c, "ValidationError",
			"1 validation error detected: Value '" STR_FMT
			"' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]",
			STR_ARG(status));
	return iam_key_set_active(c->iam, c->who.account, c->ref.name, id, is_active, c->err);
}

static bool delete_access_key(struct iam_call *c)
{
	struct str id;
	return iam_param(c, "AccessKeyId", &id) &&
	       iam_key_remove(c->iam, c->who.account, c->ref.name, id, c->err);
}

static bool list_access_keys(struct iam_call *c)
{
	struct iam_cursor p;
	size_t n = 0;
	if (!iam_page(c, &p))
		return false;
	const struct iam_key_page page = { c->who.account, c->ref.name, p.after, p.limit };
	struct iam_key *keys = arena_alloc(c->arena, p.limit * sizeof(*keys));
	if (keys == NULL)
		return iam_full(c);
	if (!iam_key_list(c->iam, &page, keys, &n, c->err))
		return false;
	size_t shown = iam_page_rows(&p, n);
	buf_add_c(&c->xml, "<AccessKeyMetadata>");
	for (size_t i = 0; i < shown; i++) {
		buf_add_c(&c->xml, "<member>");
		add_key(c, &keys[i], NULL);
		buf_add_c(&c->xml, "</member>");
	}
	buf_add_c(&c->xml, "</AccessKeyMetadata>");
	iam_page_end(c, &p, n, shown != 0 ? str_from(keys[shown - 1].id) : STR(""));
	return true;
}

static bool get_access_key_last_used(struct iam_call *c)
{
	struct iam_key_use use;
	struct str id;
	if (!iam_param(c, "AccessKeyId", &id) || !iam_key_last_use(c->iam, id, &use, c->err))
		return false;
	if (!str_eq_c(c->who.account, use.account))
		return iam_fail(c, "NoSuchEntity",
			"The Access Key with id " STR_FMT " cannot be found.", STR_ARG(id));
	if (use.user[0] != '\0')
		iam_add(c, "UserName", str_from(use.user));
	buf_add_c(&c->xml, "<AccessKeyLastUsed>");
	if (use.used_at_ms != 0)
		iam_add_time(c, "LastUsedDate", use.used_at_ms);
	iam_add(c, "ServiceName", use.used_at_ms != 0 ? str_from(use.service) : STR("N/A"));
	iam_add(c, "Region", use.used_at_ms != 0 ? str_from(use.region) : STR("N/A"));
	buf_add_c(&c->xml, "</AccessKeyLastUsed>");
	return true;
}

static bool put_boundary(struct iam_call *c)
{
	struct iam_change change = { .max_session_s = 0 };
	return iam_param(c, "PermissionsBoundary", &change.boundary) &&
	       iam_check_boundary(c, change.boundary) &&
	       iam_update(c->iam, &c->ref, &change, c->err);
}

static bool delete_boundary(struct iam_call *c)
{
	const struct iam_change change = { .boundary = STR("") };
	return iam_update(c->iam, &c->ref, &change, c->err);
}

#define U IAM_TYPE_USER
#define G IAM_TYPE_GROUP

const struct iam_op iam_ops_users[] = {
	{ "CreateUser", create_user, U, IAM_ON_NEW, false },
	{ "GetUser", get_user, U, IAM_ON_SELF, false },
	{ "UpdateUser", update_entity, U, IAM_ON_ONE, true },
	{ "DeleteUser", delete_entity, U, IAM_ON_ONE, true },
	{ "ListUsers", list_entities, U, IAM_ON_LIST, false },
	{ "PutUserPermissionsBoundary", put_boundary, U, IAM_ON_ONE, true },
	{ "DeleteUserPermissionsBoundary", delete_boundary, U, IAM_ON_ONE, true },
	{ "PutRolePermissionsBoundary", put_boundary, IAM_TYPE_ROLE, IAM_ON_ONE, true },
	{ "DeleteRolePermissionsBoundary", delete_boundary, IAM_TYPE_ROLE, IAM_ON_ONE, true },
	{ "CreateAccessKey", create_access_key, U, IAM_ON_SELF, false },
	{ "UpdateAccessKey", update_access_key, U, IAM_ON_SELF, true },
	{ "DeleteAccessKey", delete_access_key, U, IAM_ON_SELF, true },
	{ "ListAccessKeys", list_access_keys, U, IAM_ON_SELF, false },
	{ "GetAccessKeyLastUsed", get_access_key_last_used, U, IAM_ON_ALL, false },
	{ "CreateGroup", create_group, G, IAM_ON_NEW, false },
	{ "GetGroup", get_group, G, IAM_ON_ONE, false },
	{ "UpdateGroup", update_entity, G, IAM_ON_ONE, true },
	{ "DeleteGroup", delete_entity, G, IAM_ON_ONE, true },
	{ "ListGroups", list_entities, G, IAM_ON_LIST, false },
	{ "ListGroupsForUser", list_groups_for_user, U, IAM_ON_ONE, false },
	{ "AddUserToGroup", add_user_to_group, G, IAM_ON_ONE, true },
	{ "RemoveUserFromGroup", remove_user_from_group, G, IAM_ON_ONE, true },
	{ "DeleteRole", delete_entity, IAM_TYPE_ROLE, IAM_ON_ONE, true },
	{ "ListRoles", list_entities, IAM_TYPE_ROLE, IAM_ON_LIST, false },
	{ .name = NULL },
};
