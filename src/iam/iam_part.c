#include "iam/iam_part.h"

#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "iam/iam_priv.h"

static_assert((int)IAM_PART_TAG == (int)IAM_TAG && (int)IAM_PART_THUMBPRINT == (int)IAM_THUMBPRINT,
	"parts are kinds of items");

#define ATTACHED_MAX 10
#define CLIENTS_MAX  100
#define INLINE_LIST  64 /* more inline policies than fit their common limit */

/* A change of one entity's items, and what it needs. */
struct work {
	const struct iam_ref *ref;
	struct arena *arena;
	struct str name, value;
	const struct str *names;
	size_t count;
	struct iam_tags tags;
	bool is_aws;
};

static bool run(struct iam *i, db_fn fn, struct work *w, struct err *err)
{
	struct arena *arena CLEANUP(iam_arena_freep) = arena_new(IAM_WORK_MAX);
	w->arena = arena;
	return iam_write(i, fn, w, err);
}

struct reading {
	const struct iam_part_page *page;
	struct arena *arena;
	struct iam_item_row *rows;
	size_t count;
	struct str name; /* of the one that is wanted */
};

static bool read_parts(struct db_conn *c, void *arg, struct err *err)
{
	struct reading *r = arg;
	struct iam_row row;
	struct iam_item_page page = { .after = r->page->after, .limit = r->page->limit };
	if (!iam_row_get(c, r->page->of, r->arena, &row, err))
		return false;
	page.of = (struct iam_items){ row.id, (enum iam_item_kind)r->page->kind };
	return iam_item_table_list(c, &page, r->arena, r->rows, &r->count, err);
}

bool iam_part_list(struct iam *i, const struct iam_part_page *page, struct arena *arena,
	const struct iam_part **out, size_t *out_n, struct err *err)
{
	struct reading r = {
		.page = page,
		.arena = arena,
		.rows = arena_alloc(arena, page->limit * sizeof(struct iam_item_row)),
	};
	struct iam_part *parts = arena_alloc(arena, page->limit * sizeof(*parts));
	if (r.rows == NULL || parts == NULL)
		return iam_no_memory(arena, err);
	if (!db_read(i->db, read_parts, &r, err))
		return false;
	for (size_t n = 0; n < r.count; n++)
		parts[n] = (struct iam_part){ r.rows[n].name, r.rows[n].value, r.rows[n].at_ms };
	*out = parts;
	*out_n = r.count;
	return true;
}

static bool no_such_part(
	const struct iam_ref *ref, enum iam_item_kind kind, struct str name, struct err *err)
{
	if (kind == IAM_INLINE)
		return err_set(err, ERR_INVALID,
			"NoSuchEntity: The %s policy with name " STR_FMT " cannot be found.",
			iam_type_word(ref->type), STR_ARG(name));
	return err_set(
		err, ERR_INVALID, "NoSuchEntity: Policy " STR_FMT " was not found.", STR_ARG(name));
}

static bool read_part(struct db_conn *c, void *arg, struct err *err)
{
	struct reading *r = arg;
	struct iam_row row;
	bool found = false;
	if (!iam_row_get(c, r->page->of, r->arena, &row, err))
		return false;
	const struct iam_items of = { row.id, (enum iam_item_kind)r->page->kind };
	if (!iam_item_table_find(c, &of, r->name, r->arena, r->rows, &found, err))
		return false;
	return found || no_such_part(r->page->of, of.kind, r->name, err);
}

bool iam_part_get(struct iam *i, const struct iam_ref *ref, enum iam_part_kind kind,
	struct str name, struct arena *arena, struct iam_part *out, struct err *err)
{
	struct iam_item_row row;
	const struct iam_part_page page = { .of = ref, .kind = kind };
	struct reading r = { .page = &page, .name = name, .arena = arena, .rows = &row };
	if (!db_read(i->db, read_part, &r, err))
		return false;
	*out = (struct iam_part){ row.name, row.value, row.at_ms };
	return true;
}

static bool quota(const char *name, unsigned max, struct err *err)
{
	return err_set(
		err, ERR_INVALID, "LimitExceeded: Cannot exceed quota for %s: %u", name, max);
}

static bool check_count(struct db_conn *c, int64_t id, enum iam_item_kind kind, unsigned max,
	const char *name, struct err *err)
{
	uint64_t count = 0;
	uint64_t bytes;
	if (!iam_item_table_count(c, id, kind, &count, &bytes, err))
		return false;
	return count <= max || quota(name, max, err);
}

static bool put_tags(struct db_conn *c, void *arg, struct err *err)
{
	static const char *const quotas[] = { [IAM_TYPE_USER] = "TagsPerUser",
		[IAM_TYPE_GROUP] = "TagsPerGroup",
		[IAM_TYPE_ROLE] = "TagsPerRole",
		[IAM_TYPE_POLICY] = "TagsPerPolicy",
		[IAM_TYPE_OIDC] = "TagsPerOpenIdConnectProvider" };
	struct work *w = arg;
	struct iam_row row;
	if (!iam_row_get(c, w->ref, w->arena, &row, err))
		return false;
	for (size_t i = 0; i < w->tags.count; i++) {
		struct iam_item_row tag = { w->tags.items[i].name, w->tags.items[i].value, 0 };
		if (!iam_item_table_put(c, row.id, IAM_TAG, &tag, err))
			return false;
	}
	return check_count(c, row.id, IAM_TAG, IAM_TAGS_MAX, quotas[w->ref->type], err);
}

bool iam_tag_put(struct iam *i, const struct iam_ref *ref, struct iam_tags tags, struct err *err)
{
	struct work w = { .ref = ref, .tags = tags };
	return run(i, put_tags, &w, err);
}

static bool remove_named(
	struct db_conn *c, struct work *w, enum iam_item_kind kind, struct err *err)
{
	struct iam_row row;
	bool found;
	if (!iam_row_get(c, w->ref, w->arena, &row, err))
		return false;
	for (size_t i = 0; i < w->count; i++) {
		if (!iam_item_table_remove(c, row.id, kind, w->names[i], &found, err))
			return false;
	}
	return true;
}

static bool remove_tags(struct db_conn *c, void *arg, struct err *err)
{
	return remove_named(c, arg, IAM_TAG, err);
}

bool iam_tag_remove(struct iam *i, const struct iam_ref *ref, const struct str *names, size_t count,
	struct err *err)
{
	struct work w = { .ref = ref, .names = names, .count = count };
	return run(i, remove_tags, &w, err);
}

/* "IAM and AWS STS quotas": the sum over an entity's inline policies, white space not counted. */
static bool check_inline_size(struct db_conn *c, const struct work *w, int64_t id, struct err *err)
{
	size_t max = w->ref->type == IAM_TYPE_USER    ? 2048
		     : w->ref->type == IAM_TYPE_GROUP ? 5120
						      : 10240;
	struct iam_item_row rows[INLINE_LIST];
	struct iam_item_page page = { .of = { id, IAM_INLINE }, .limit = INLINE_LIST };
	size_t sum = 0;
	size_t n = 0;
	do {
		if (!iam_item_table_list(c, &page, w->arena, rows, &n, err))
			return false;
		for (size_t i = 0; i < n; i++)
			sum += iam_document_size(rows[i].value);
		page.after = n != 0 ? rows[n - 1].name : page.after;
	} while (n == INLINE_LIST);
	return sum <= max ||
	       err_set(err, ERR_INVALID,
		       "LimitExceeded: Maximum policy size of %zu bytes exceeded for %s " STR_FMT,
		       max, iam_type_word(w->ref->type), STR_ARG(w->ref->name));
}

static bool put_inline(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct iam_row row;
	struct iam_item_row item = { w->name, w->value, clock_now_ms() };
	return iam_row_get(c, w->ref, w->arena, &row, err) &&
	       iam_item_table_put(c, row.id, IAM_INLINE, &item, err) &&
	       check_inline_size(c, w, row.id, err);
}

bool iam_inline_put(struct iam *i, const struct iam_ref *ref, struct str name, struct str document,
	struct err *err)
{
	struct work w = { .ref = ref, .name = name, .value = document };
	return run(i, put_inline, &w, err);
}

static bool remove_one(struct db_conn *c, struct work *w, enum iam_item_kind kind, struct err *err)
{
	struct iam_row row;
	bool found = false;
	if (!iam_row_get(c, w->ref, w->arena, &row, err) ||
		!iam_item_table_remove(c, row.id, kind, w->name, &found, err))
		return false;
	return found || no_such_part(w->ref, kind, w->name, err);
}

static bool remove_inline(struct db_conn *c, void *arg, struct err *err)
{
	return remove_one(c, arg, IAM_INLINE, err);
}

bool iam_inline_remove(struct iam *i, const struct iam_ref *ref, struct str name, struct err *err)
{
	struct work w = { .ref = ref, .name = name };
	return run(i, remove_inline, &w, err);
}

static bool attach(struct db_conn *c, void *arg, struct err *err)
{
	static const char *const quotas[] = { [IAM_TYPE_USER] = "PoliciesPerUser",
		[IAM_TYPE_GROUP] = "PoliciesPerGroup",
		[IAM_TYPE_ROLE] = "PoliciesPerRole" };
	struct work *w = arg;
	struct iam_row row;
	struct iam_row policy;
	bool found = w->is_aws;
	struct iam_item_row item = { w->name, STR(""), clock_now_ms() };
	if (!iam_row_get(c, w->ref, w->arena, &row, err))
		return false;
	if (!found &&
		!iam_row_find_policy(c, w->ref->account, w->name, w->arena, &policy, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_INVALID,
			"NoSuchEntity: Policy " STR_FMT " does not exist or is not attachable.",
			STR_ARG(w->name));
	return iam_item_table_put(c, row.id, IAM_ATTACHED, &item, err) &&
	       check_count(c, row.id, IAM_ATTACHED, ATTACHED_MAX, quotas[w->ref->type], err);
}

bool iam_attach(struct iam *i, const struct iam_ref *ref, struct str policy_arn, bool is_aws,
	struct err *err)
{
	struct work w = { .ref = ref, .name = policy_arn, .is_aws = is_aws };
	return run(i, attach, &w, err);
}

static bool detach(struct db_conn *c, void *arg, struct err *err)
{
	return remove_one(c, arg, IAM_ATTACHED, err);
}

bool iam_detach(struct iam *i, const struct iam_ref *ref, struct str policy_arn, struct err *err)
{
	struct work w = { .ref = ref, .name = policy_arn };
	return run(i, detach, &w, err);
}

struct attached {
	const struct iam_list *list;
	struct str account, arn;
	bool boundary;
	struct arena *arena;
	struct iam_row *rows;
	size_t count;
	uint64_t total;
};

static bool read_attached(struct db_conn *c, void *arg, struct err *err)
{
	struct attached *a = arg;
	struct iam_page page = {
		.account = a->list->account,
		.kind = (enum iam_kind)a->list->type,
		.path_prefix = a->list->path_prefix,
		.after = iam_name_key(a->arena, a->list->after),
		.limit = a->list->limit,
		.policy_arn = a->list->policy_arn,
		.is_boundary = a->list->is_boundary,
	};
	return iam_table_list_attached(c, &page, a->arena, a->rows, &a->count, err);
}

bool iam_attached_list(struct iam *i, const struct iam_list *page, struct arena *arena,
	const struct iam_entity **out, size_t *out_n, struct err *err)
{
	struct attached a = { .list = page, .arena = arena };
	a.rows = arena_alloc(arena, page->limit * sizeof(*a.rows));
	struct iam_entity *entities = arena_alloc(arena, page->limit * sizeof(struct iam_entity));
	if (a.rows == NULL || entities == NULL)
		return iam_no_memory(arena, err);
	if (!db_read(i->db, read_attached, &a, err))
		return false;
	for (size_t n = 0; n < a.count; n++)
		entities[n] = iam_from_row(&a.rows[n]);
	*out = entities;
	*out_n = a.count;
	return true;
}

static bool count_attached(struct db_conn *c, void *arg, struct err *err)
{
	struct attached *a = arg;
	return iam_table_count_attached(c, a->account, a->arn, a->boundary, &a->total, err);
}

bool iam_attached_count(struct iam *i, struct str account, struct str policy_arn, bool boundary,
	uint64_t *out, struct err *err)
{
	struct attached a = { .account = account, .arn = policy_arn, .boundary = boundary };
	if (!db_read(i->db, count_attached, &a, err))
		return false;
	*out = a.total;
	return true;
}

static bool add_client(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct iam_row row;
	struct iam_item_row item = { w->name, STR(""), clock_now_ms() };
	return iam_row_get(c, w->ref, w->arena, &row, err) &&
	       iam_item_table_put(c, row.id, IAM_CLIENT, &item, err) &&
	       check_count(c, row.id, IAM_CLIENT, CLIENTS_MAX, "ClientIdsPerOpenIdConnectProvider",
		       err);
}

bool iam_client_add(struct iam *i, const struct iam_ref *ref, struct str client_id, struct err *err)
{
	struct work w = { .ref = ref, .name = client_id };
	return run(i, add_client, &w, err);
}

static bool remove_client(struct db_conn *c, void *arg, struct err *err)
{
	return remove_named(c, arg, IAM_CLIENT, err);
}

bool iam_client_remove(
	struct iam *i, const struct iam_ref *ref, struct str client_id, struct err *err)
{
	struct work w = { .ref = ref, .names = &client_id, .count = 1 };
	return run(i, remove_client, &w, err);
}

static bool list_thumbprints(struct db_conn *c, int64_t id, struct arena *arena,
	struct iam_item_row rows[INLINE_LIST], size_t *out_n, struct err *err)
{
	const struct iam_item_page page = { .of = { id, IAM_THUMBPRINT }, .limit = INLINE_LIST };
	return iam_item_table_list(c, &page, arena, rows, out_n, err);
}

static bool set_thumbprints(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct iam_row row;
	struct iam_item_row old[INLINE_LIST];
	size_t n = 0;
	bool found;
	if (!iam_row_get(c, w->ref, w->arena, &row, err) ||
		!list_thumbprints(c, row.id, w->arena, old, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!iam_item_table_remove(c, row.id, IAM_THUMBPRINT, old[i].name, &found, err))
			return false;
	}
	for (size_t i = 0; i < w->count; i++) {
		struct iam_item_row item = { w->names[i], STR(""), clock_now_ms() };
		if (!iam_item_table_put(c, row.id, IAM_THUMBPRINT, &item, err))
			return false;
	}
	return true;
}

bool iam_thumbprints_set(struct iam *i, const struct iam_ref *ref, const struct str *thumbprints,
	size_t count, struct err *err)
{
	struct work w = { .ref = ref, .names = thumbprints, .count = count };
	return run(i, set_thumbprints, &w, err);
}
