/* The rest of iam.h: making, changing and deleting entities, and membership. */
#include <inttypes.h>

#include "base/clock.h"
#include "crypt/random.h"
#include "iam/iam_priv.h"
#include "meta/key_table.h"

#define GROUPS_PER_USER 10

/* By type: how unique ids begin, and how many an account may have. */
static const struct type_rule {
	const char *prefix;
	const char *quota;
	uint64_t max;
} rules[] = {
	[IAM_TYPE_USER] = { "AIDA", "UsersPerAccount", 5000 },
	[IAM_TYPE_GROUP] = { "AGPA", "GroupsPerAccount", 300 },
	[IAM_TYPE_ROLE] = { "AROA", "RolesPerAccount", 1000 },
	[IAM_TYPE_POLICY] = { "ANPA", "PoliciesPerAccount", 1500 },
	[IAM_TYPE_OIDC] = { "AIPA", "OpenIdConnectProvidersPerAccount", 100 },
};

static bool quota(const char *name, uint64_t max, struct err *err)
{
	return err_set(
		err, ERR_INVALID, "LimitExceeded: Cannot exceed quota for %s: %" PRIu64, name, max);
}

static bool exists(enum iam_type type, struct str name, struct err *err)
{
	static const char *const words[] = {
		[IAM_TYPE_USER] = "User", [IAM_TYPE_GROUP] = "Group", [IAM_TYPE_ROLE] = "Role"
	};
	if (type == IAM_TYPE_POLICY)
		return err_set(err, ERR_INVALID,
			"EntityAlreadyExists: A policy called " STR_FMT
			" already exists. Duplicate names are not allowed.",
			STR_ARG(name));
	if (type == IAM_TYPE_OIDC)
		return err_set(err, ERR_INVALID,
			"EntityAlreadyExists: Provider with url https://" STR_FMT
			" already exists.",
			STR_ARG(name));
	return err_set(err, ERR_INVALID,
		"EntityAlreadyExists: %s with name " STR_FMT " already exists.", words[type],
		STR_ARG(name));
}

struct creation {
	struct iam_row row;
	struct iam_tags tags;
};

static bool put_item(struct db_conn *c, int64_t id, enum iam_item_kind kind,
	const struct iam_item_row *item, struct err *err)
{
	return iam_item_table_put(c, id, kind, item, err);
}

static bool create(struct db_conn *c, void *arg, struct err *err)
{
	struct creation *n = arg;
	const struct type_rule *rule = &rules[n->row.kind];
	uint64_t count = 0;
	bool added = false;
	if (!iam_table_count(c, n->row.account, n->row.kind, &count, err))
		return false;
	if (count >= rule->max)
		return quota(rule->quota, rule->max, err);
	if (!iam_table_add(c, &n->row, &n->row.id, &added, err))
		return false;
	if (!added)
		return exists((enum iam_type)n->row.kind, n->row.name, err);
	for (size_t i = 0; i < n->tags.count; i++) {
		struct iam_item_row tag = { n->tags.items[i].name, n->tags.items[i].value,
			n->row.created_at_ms };
		if (!put_item(c, n->row.id, IAM_TAG, &tag, err))
			return false;
	}
	if (n->row.kind != IAM_POLICY)
		return true;
	char name[IAM_VERSION_NAME_MAX];
	struct iam_item_row version = { iam_version_name(1, name), n->row.description,
		n->row.created_at_ms };
	version.value = n->row.document;
	return put_item(c, n->row.id, IAM_VERSION, &version, err);
}

/* A policy's document is in its versions, so its row has none. */
static bool create_policy(struct db_conn *c, void *arg, struct err *err)
{
	struct creation *n = arg;
	struct str document = n->row.document;
	if (!create(c, n, err))
		return false;
	n->row.document = STR("");
	bool done = iam_table_put(c, &n->row, err);
	n->row.document = document; /* it may be run again */
	return done;
}

bool iam_create(struct iam *i, const struct iam_entity *what, struct iam_tags tags,
	struct arena *arena, struct iam_entity *out, struct err *err)
{
	char uid[17];
	random_text(uid, sizeof(uid), "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	int64_t now = clock_now_ms();
	struct creation n = { .tags = tags };
	n.row = (struct iam_row){
		.kind = (enum iam_kind)what->type,
		.account = what->account,
		.name_key = iam_name_key(arena, what->name),
		.name = what->name,
		.path = what->path.len != 0 ? what->path : STR("/"),
		.uid = arena_printf(arena, "%s%.17s", rules[what->type].prefix, uid),
		.description = what->description.ptr != NULL ? what->description : STR(""),
		.document = what->document.ptr != NULL ? what->document : STR(""),
		.boundary = what->boundary.ptr != NULL ? what->boundary : STR(""),
		.max_session_s = what->max_session_s,
		.version = what->type == IAM_TYPE_POLICY,
		.last_version = what->type == IAM_TYPE_POLICY,
		.created_at_ms = now,
		.updated_at_ms = now,
	};
	if (n.row.name_key.ptr == NULL || n.row.uid.ptr == NULL)
		return iam_no_memory(arena, err);
	if (!iam_write(i, what->type == IAM_TYPE_POLICY ? create_policy : create, &n, err))
		return false;
	*out = iam_from_row(&n.row);
	return true;
}

struct change {
	const struct iam_ref *ref;
	const struct iam_change *to;
	struct arena *arena;
};

static bool update(struct db_conn *c, void *arg, struct err *err)
{
	const struct change *u = arg;
	const struct iam_change *to = u->to;
	struct iam_row row;
	if (!iam_row_get(c, u->ref, u->arena, &row, err))
		return false;
	if (to->name.ptr != NULL) {
		struct iam_row other;
		bool found = false;
		const struct iam_name name = { row.account, row.kind,
			iam_name_key(u->arena, to->name) };
		if (name.name_key.ptr == NULL)
			return iam_no_memory(u->arena, err);
		if (!iam_table_find(c, &name, u->arena, &other, &found, err))
			return false;
		if (found && other.id != row.id)
			return exists(u->ref->type, to->name, err);
		row.name_key = name.name_key;
		row.name = to->name;
	}

	const struct {
		struct str from, *into;
	} texts[] = {
		{ to->path, &row.path },
		{ to->description, &row.description },
		{ to->document, &row.document },
		{ to->boundary, &row.boundary },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i].from.ptr != NULL)
			*texts[i].into = texts[i].from;
	}
	if (to->max_session_s != 0)
		row.max_session_s = to->max_session_s;
	row.updated_at_ms = clock_now_ms();
	return iam_table_put(c, &row, err);
}

bool iam_update(
	struct iam *i, const struct iam_ref *ref, const struct iam_change *change, struct err *err)
{
	struct arena *arena CLEANUP(iam_arena_freep) = arena_new(IAM_WORK_MAX);
	struct change u = { ref, change, arena };
	return iam_write(i, update, &u, err);
}

static bool conflict(struct err *err, const char *text)
{
	return err_set(err, ERR_INVALID, "DeleteConflict: %s", text);
}

static bool check_empty(
	struct db_conn *c, int64_t id, enum iam_item_kind kind, const char *text, struct err *err)
{
	uint64_t count = 0;
	uint64_t bytes;
	if (!iam_item_table_count(c, id, kind, &count, &bytes, err))
		return false;
	return count == 0 || conflict(err, text);
}

static bool check_keys(struct db_conn *c, const struct iam_row *row, struct err *err)
{
	struct key_owner owner = { row->account, row->id };
	struct key_meta key;
	size_t n = 0;
	if (!key_table_list(c, &owner, STR(""), 1, &key, &n, err))
		return false;
	return n == 0 || conflict(err, "Cannot delete entity, must delete access keys first.");
}

static bool check_principal(struct db_conn *c, const struct iam_row *row, struct err *err)
{
	uint64_t members = 0;
	if (!check_empty(c, row->id, IAM_INLINE,
		    "Cannot delete entity, must delete policies first.", err) ||
		!check_empty(c, row->id, IAM_ATTACHED,
			"Cannot delete entity, must detach all policies first.", err))
		return false;
	if (row->kind == IAM_ROLE)
		return true;
	if (!iam_member_table_count(c, row->kind, row->id, &members, err))
		return false;
	if (members != 0)
		return conflict(err,
			row->kind == IAM_GROUP
				? "Cannot delete entity, must remove users from group first."
				: "Cannot delete entity, must remove user from all groups first.");
	return row->kind == IAM_GROUP || check_keys(c, row, err);
}

static bool check_policy(
	struct db_conn *c, const struct iam_row *row, struct arena *arena, struct err *err)
{
	struct iam_entity e = iam_from_row(row);
	struct str arn = iam_arn(arena, &e);
	uint64_t versions = 0;
	uint64_t bytes;
	if (arn.ptr == NULL)
		return iam_no_memory(arena, err);
	for (int boundary = 0; boundary < 2; boundary++) {
		uint64_t users = 0;
		if (!iam_table_count_attached(c, row->account, arn, boundary, &users, err))
			return false;
		if (users != 0)
			return conflict(err, "Cannot delete a policy attached to entities.");
	}
	if (!iam_item_table_count(c, row->id, IAM_VERSION, &versions, &bytes, err))
		return false;
	return versions <= 1 ||
	       conflict(err,
		       "This policy has more than one version. Before you delete a policy, you must delete the "
		       "policy's versions. The default version is deleted with the policy.");
}

static bool delete_entity(struct db_conn *c, void *arg, struct err *err)
{
	const struct change *d = arg;
	struct iam_row row;
	if (!iam_row_get(c, d->ref, d->arena, &row, err))
		return false;
	bool may = true;
	if (row.kind == IAM_POLICY)
		may = check_policy(c, &row, d->arena, err);
	else if (row.kind != IAM_OIDC)
		may = check_principal(c, &row, err);
	return may && iam_table_remove(c, row.id, err);
}

bool iam_delete(struct iam *i, const struct iam_ref *ref, struct err *err)
{
	struct arena *arena CLEANUP(iam_arena_freep) = arena_new(IAM_WORK_MAX);
	struct change d = { ref, NULL, arena };
	return iam_write(i, delete_entity, &d, err);
}

struct membership {
	struct iam_ref group, user;
	struct arena *arena;
};

static bool member_rows(struct db_conn *c, const struct membership *m, int64_t *group,
	int64_t *user, struct err *err)
{
	struct iam_row row;
	if (!iam_row_get(c, &m->group, m->arena, &row, err))
		return false;
	*group = row.id;
	if (!iam_row_get(c, &m->user, m->arena, &row, err))
		return false;
	*user = row.id;
	return true;
}

static bool add_member(struct db_conn *c, void *arg, struct err *err)
{
	int64_t group;
	int64_t user;
	uint64_t groups = 0;
	if (!member_rows(c, arg, &group, &user, err) ||
		!iam_member_table_add(c, group, user, err) ||
		!iam_member_table_count(c, IAM_USER, user, &groups, err))
		return false;
	return groups <= GROUPS_PER_USER || quota("GroupsPerUser", GROUPS_PER_USER, err);
}

static bool remove_member(struct db_conn *c, void *arg, struct err *err)
{
	const struct membership *m = arg;
	int64_t group;
	int64_t user;
	bool found = false;
	if (!member_rows(c, m, &group, &user, err) ||
		!iam_member_table_remove(c, group, user, &found, err))
		return false;
	return found ||
	       err_set(err, ERR_INVALID, "NoSuchEntity: User " STR_FMT " not in group " STR_FMT,
		       STR_ARG(m->user.name), STR_ARG(m->group.name));
}

static bool change_member(struct iam *i, struct str account, struct str group, struct str user,
	db_fn fn, struct err *err)
{
	struct arena *arena CLEANUP(iam_arena_freep) = arena_new(IAM_WORK_MAX);
	struct membership m = {
		.group = { account, IAM_TYPE_GROUP, group },
		.user = { account, IAM_TYPE_USER, user },
		.arena = arena,
	};
	return iam_write(i, fn, &m, err);
}

bool iam_member_add(
	struct iam *i, struct str account, struct str group, struct str user, struct err *err)
{
	return change_member(i, account, group, user, add_member, err);
}

bool iam_member_remove(
	struct iam *i, struct str account, struct str group, struct str user, struct err *err)
{
	return change_member(i, account, group, user, remove_member, err);
}
