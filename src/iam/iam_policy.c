#include "iam/iam_policy.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "iam/iam_priv.h"

#define NUMBER_MAX    99999999 /* eight digits, so that names sort as numbers */
#define DOCUMENTS_MAX 256      /* that decide for one principal */
#define LIST_MAX      64

struct str iam_version_name(int64_t number, char text[IAM_VERSION_NAME_MAX])
{
	(void)snprintf(text, IAM_VERSION_NAME_MAX, "%08" PRId64, number);
	return str_from(text);
}

struct work {
	const struct iam_ref *policy;
	struct arena *arena;
	struct iam_version *out;
	size_t count;
	int64_t number;
	struct str document;
	bool make_default;
};

static bool no_version(const struct work *w, struct err *err)
{
	return err_set(err, ERR_INVALID,
		"NoSuchEntity: Policy " STR_FMT " version v%" PRId64
		" does not exist or is not attachable.",
		STR_ARG(w->policy->name), w->number);
}

static bool from_item(
	const struct iam_item_row *item, int64_t version, struct iam_version *out, struct err *err)
{
	uint64_t number;
	if (!str_to_u64(item->name, NUMBER_MAX, &number))
		return err_sys(err, ERR_CORRUPT, 0, "the number of a policy's version is damaged");
	*out = (struct iam_version){
		.number = (int64_t)number,
		.document = item->value,
		.is_default = (int64_t)number == version,
		.created_at_ms = item->at_ms,
	};
	return true;
}

static bool find_version(struct db_conn *c, int64_t id, struct str name, struct arena *arena,
	struct iam_item_row *out, bool *found, struct err *err)
{
	const struct iam_items versions = { id, IAM_VERSION };
	return iam_item_table_find(c, &versions, name, arena, out, found, err);
}

static bool add(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct iam_row row;
	char name[IAM_VERSION_NAME_MAX];
	uint64_t count = 0;
	uint64_t bytes;
	if (!iam_row_get(c, w->policy, w->arena, &row, err) ||
		!iam_item_table_count(c, row.id, IAM_VERSION, &count, &bytes, err))
		return false;
	if (count >= IAM_VERSIONS_MAX || row.last_version >= NUMBER_MAX)
		return err_set(err, ERR_INVALID,
			"LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, "
			"you must delete an existing version.");
	row.last_version++;
	row.updated_at_ms = clock_now_ms();
	if (w->make_default)
		row.version = row.last_version;
	struct iam_item_row item = { iam_version_name(row.last_version, name), w->document,
		row.updated_at_ms };
	return iam_item_table_put(c, row.id, IAM_VERSION, &item, err) &&
	       iam_table_put(c, &row, err) && from_item(&item, row.version, w->out, err);
}

static bool write_work(struct iam *i, db_fn fn, struct work *w, struct err *err)
{
	struct arena *arena CLEANUP(iam_arena_freep) = arena_new(IAM_WORK_MAX);
	w->arena = arena;
	return iam_write(i, fn, w, err);
}

bool iam_version_add(struct iam *i, const struct iam_ref *policy, struct str document,
	bool make_default, struct iam_version *out, struct err *err)
{
	struct iam_version made;
	struct work w = {
		.policy = policy, .document = document, .make_default = make_default, .out = &made
	};
	if (!write_work(i, add, &w, err))
		return false;
	made.document = document;
	*out = made;
	return true;
}

static bool get(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct iam_row row;
	struct iam_item_row item;
	char name[IAM_VERSION_NAME_MAX];
	bool found = false;
	if (!iam_row_get(c, w->policy, w->arena, &row, err))
		return false;
	int64_t number = w->number != 0 ? w->number : row.version;
	if (!find_version(c, row.id, iam_version_name(number, name), w->arena, &item, &found, err))
		return false;
	return found ? from_item(&item, row.version, w->out, err) : no_version(w, err);
}

bool iam_version_get(struct iam *i, const struct iam_ref *policy, int64_t number,
	struct arena *arena, struct iam_version *out, struct err *err)
{
	struct work w = { .policy = policy, .number = number, .arena = arena, .out = out };
	return db_read(i->db, get, &w, err);
}

static bool list_versions(struct db_conn *c, int64_t id, struct arena *arena,
	struct iam_item_row items[IAM_VERSIONS_MAX], size_t *out_n, struct err *err)
{
	const struct iam_item_page page = { .of = { id, IAM_VERSION }, .limit = IAM_VERSIONS_MAX };
	return iam_item_table_list(c, &page, arena, items, out_n, err);
}

static bool list(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct iam_row row;
	struct iam_item_row items[IAM_VERSIONS_MAX];
	if (!iam_row_get(c, w->policy, w->arena, &row, err) ||
		!list_versions(c, row.id, w->arena, items, &w->count, err))
		return false;
	for (size_t i = 0; i < w->count; i++) {
		if (!from_item(&items[w->count - 1 - i], row.version, &w->out[i], err))
			return false;
	}
	return true;
}

bool iam_version_list(struct iam *i, const struct iam_ref *policy, struct arena *arena,
	struct iam_version *out, size_t *out_n, struct err *err)
{
	struct work w = { .policy = policy, .arena = arena, .out = out };
	if (!db_read(i->db, list, &w, err))
		return false;
	*out_n = w.count;
	return true;
}

static bool set_default(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct iam_row row;
	struct iam_item_row item;
	char name[IAM_VERSION_NAME_MAX];
	bool found = false;
	if (!iam_row_get(c, w->policy, w->arena, &row, err) ||
		!find_version(
			c, row.id, iam_version_name(w->number, name), w->arena, &item, &found, err))
		return false;
	if (!found)
		return no_version(w, err);
	row.version = w->number;
	row.updated_at_ms = clock_now_ms();
	return iam_table_put(c, &row, err);
}

bool iam_version_set_default(
	struct iam *i, const struct iam_ref *policy, int64_t number, struct err *err)
{
	struct work w = { .policy = policy, .number = number };
	return write_work(i, set_default, &w, err);
}

static bool remove_version(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct iam_row row;
	char name[IAM_VERSION_NAME_MAX];
	bool found = false;
	if (!iam_row_get(c, w->policy, w->arena, &row, err))
		return false;
	if (row.version == w->number)
		return err_set(err, ERR_INVALID,
			"DeleteConflict: Cannot delete the default version of a policy.");
	if (!iam_item_table_remove(
		    c, row.id, IAM_VERSION, iam_version_name(w->number, name), &found, err))
		return false;
	return found || no_version(w, err);
}

bool iam_version_remove(
	struct iam *i, const struct iam_ref *policy, int64_t number, struct err *err)
{
	struct work w = { .policy = policy, .number = number };
	return write_work(i, remove_version, &w, err);
}

struct loading {
	int64_t id;
	struct str account, arn; /* of iam_document_find */
	struct arena *arena;
	struct iam_identity *out;
	struct iam_document *documents;
	struct str text;
	bool found;
};

/* The default version's text of a policy of the account; ptr NULL: none, or it is AWS's. */
static bool find_text(struct db_conn *c, struct str account, struct str arn, struct arena *arena,
	struct str *out, struct err *err)
{
	struct iam_row row;
	struct iam_item_row item;
	char name[IAM_VERSION_NAME_MAX];
	bool found = false;
	*out = (struct str){ NULL, 0 };
	if (!iam_row_find_policy(c, account, arn, arena, &row, &found, err))
		return false;
	if (!found)
		return true;
	if (!find_version(
		    c, row.id, iam_version_name(row.version, name), arena, &item, &found, err))
		return false;
	if (!found)
		return err_sys(err, ERR_CORRUPT, 0, "a policy lacks its default version");
	*out = item.value;
	return true;
}

static bool too_many(struct err *err)
{
	return err_sys(
		err, ERR_INTERNAL, 0, "more than %d policies for one principal", DOCUMENTS_MAX);
}

/* The inline and attached policies of one entity. */
static bool load_policies(struct db_conn *c, struct loading *l, int64_t id, struct err *err)
{
	struct iam_item_row items[LIST_MAX];
	struct iam_identity *out = l->out;
	size_t n = 0;
	struct iam_item_page page = { .of = { id, IAM_INLINE }, .limit = LIST_MAX };
	const struct iam_item_page attached = { .of = { id, IAM_ATTACHED }, .limit = LIST_MAX };
	do {
		if (!iam_item_table_list(c, &page, l->arena, items, &n, err))
			return false;
		for (size_t i = 0; i < n; i++) {
			if (out->document_count == DOCUMENTS_MAX)
				return too_many(err);
			l->documents[out->document_count++] =
				(struct iam_document){ STR(""), items[i].value };
		}
		page.after = n != 0 ? items[n - 1].name : page.after;
	} while (n == LIST_MAX);
	if (!iam_item_table_list(c, &attached, l->arena, items, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct iam_document d = { .arn = items[i].name };
		if (out->document_count == DOCUMENTS_MAX)
			return too_many(err);
		if (!find_text(c, out->entity.account, d.arn, l->arena, &d.text, err))
			return false;
		l->documents[out->document_count++] = d;
	}
	return true;
}

static bool load_groups(struct db_conn *c, struct loading *l, struct err *err)
{
	struct iam_row groups[LIST_MAX];
	struct iam_page page = { .kind = IAM_GROUP, .limit = LIST_MAX };
	size_t n = 0;
	if (!iam_member_table_list(c, &page, l->id, l->arena, groups, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!load_policies(c, l, groups[i].id, err))
			return false;
	}
	return true;
}

static bool load_tags(struct db_conn *c, struct loading *l, struct err *err)
{
	struct iam_item_row *items = arena_alloc(l->arena, IAM_TAGS_MAX * sizeof(*items));
	struct iam_tag *tags = arena_alloc(l->arena, IAM_TAGS_MAX * sizeof(*tags));
	const struct iam_item_page page = { .of = { l->id, IAM_TAG }, .limit = IAM_TAGS_MAX };
	size_t n = 0;
	if (items == NULL || tags == NULL)
		return iam_no_memory(l->arena, err);
	if (!iam_item_table_list(c, &page, l->arena, items, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		tags[i] = (struct iam_tag){ items[i].name, items[i].value };
	l->out->tags = (struct iam_tags){ tags, n };
	return true;
}

static bool load(struct db_conn *c, void *arg, struct err *err)
{
	struct loading *l = arg;
	struct iam_row row;
	if (!iam_table_find_id(c, l->id, l->arena, &row, &l->found, err))
		return false;
	if (!l->found)
		return true;
	l->documents = arena_alloc(l->arena, DOCUMENTS_MAX * sizeof(*l->documents));
	if (l->documents == NULL)
		return iam_no_memory(l->arena, err);
	*l->out = (struct iam_identity){ .entity = iam_from_row(&row), .documents = l->documents };
	struct str boundary = l->out->entity.boundary;
	if (boundary.len != 0) {
		l->out->has_boundary = true;
		l->out->boundary.arn = boundary;
		if (!find_text(c, l->out->entity.account, boundary, l->arena,
			    &l->out->boundary.text, err))
			return false;
	}
	return load_policies(c, l, l->id, err) && load_groups(c, l, err) && load_tags(c, l, err);
}

bool iam_identity_load(struct iam *i, int64_t entity_id, struct arena *arena,
	struct iam_identity *out, bool *found, struct err *err)
{
	struct iam_identity identity;
	struct loading l = { .id = entity_id, .arena = arena, .out = &identity };
	if (!db_read(i->db, load, &l, err))
		return false;
	if (l.found)
		*out = identity;
	*found = l.found;
	return true;
}

static bool load_document(struct db_conn *c, void *arg, struct err *err)
{
	struct loading *l = arg;
	return find_text(c, l->account, l->arn, l->arena, &l->text, err);
}

bool iam_document_find(struct iam *i, struct str account, struct str arn, struct arena *arena,
	struct str *out, struct err *err)
{
	struct loading l = { .account = account, .arn = arn, .arena = arena };
	if (!db_read(i->db, load_document, &l, err))
		return false;
	*out = l.text;
	return true;
}
