#include "kms/kms_alias.h"

#include "base/clock.h"
#include "kms/kms_priv.h"

struct alias_change {
	struct kms_alias_at at;
	const struct kms_key *key;
	int64_t now_ms;
};

static bool alias_unknown(const struct alias_change *a, struct err *err)
{
	return err_set(err, ERR_KMS_KEY_UNKNOWN,
		"Alias arn:aws:kms:" STR_FMT ":" STR_FMT ":" STR_FMT " is not found.",
		STR_ARG(a->at.region), STR_ARG(a->at.account), STR_ARG(a->at.name));
}

/* The key that an alias of the realm may name. */
static bool target(
	struct db_conn *c, const struct alias_change *a, struct kms_row *row, struct err *err)
{
	bool found = false;
	uint64_t count = 0;
	if (!kms_row_find(c, a->key->uuid, NULL, row, &found, err))
		return false;
	if (!found || !str_eq_c(a->at.account, row->account) ||
		!str_eq_c(a->at.region, row->region))
		return kms_key_unknown(a->key->arn, err);
	if (!kms_row_stays(row, err) || !kms_alias_table_count(c, row->id, &count, err))
		return false;
	if (count >= KMS_ALIASES_MAX)
		return err_set(err, ERR_LIMIT, "A key has at most %d aliases", KMS_ALIASES_MAX);
	return true;
}

static bool create(struct db_conn *c, void *arg, struct err *err)
{
	const struct alias_change *a = arg;
	struct kms_row row;
	bool added = false;
	if (!target(c, a, &row, err) ||
		!kms_alias_table_add(c, &a->at, row.id, a->now_ms, &added, err))
		return false;
	return added || err_set(err, ERR_KMS_ALIAS_EXISTS,
				"An alias with the name arn:aws:kms:" STR_FMT ":" STR_FMT
				":" STR_FMT " already exists",
				STR_ARG(a->at.region), STR_ARG(a->at.account), STR_ARG(a->at.name));
}

bool kms_alias_create(struct kms *k, const struct kms_realm *realm, struct str name,
	const struct kms_key *key, struct err *err)
{
	struct alias_change a = { { realm->account, realm->region, name }, key, clock_now_ms() };
	return db_write(k->db, create, &a, err);
}

static bool update(struct db_conn *c, void *arg, struct err *err)
{
	const struct alias_change *a = arg;
	struct kms_row row;
	bool found = false;
	if (!target(c, a, &row, err) ||
		!kms_alias_table_move(c, &a->at, row.id, a->now_ms, &found, err))
		return false;
	return found || alias_unknown(a, err);
}

bool kms_alias_update(struct kms *k, const struct kms_realm *realm, struct str name,
	const struct kms_key *key, struct err *err)
{
	struct alias_change a = { { realm->account, realm->region, name }, key, clock_now_ms() };
	return db_write(k->db, update, &a, err);
}

static bool delete (struct db_conn *c, void *arg, struct err *err)
{
	const struct alias_change *a = arg;
	bool found = false;
	if (!kms_alias_table_remove(c, &a->at, &found, err))
		return false;
	return found || alias_unknown(a, err);
}

bool kms_alias_delete(
	struct kms *k, const struct kms_realm *realm, struct str name, struct err *err)
{
	struct alias_change a = { .at = { realm->account, realm->region, name } };
	return db_write(k->db, delete, &a, err);
}

struct alias_listing {
	const struct kms_key *key; /* NULL: all */
	struct kms_page page;
	struct arena *arena;
	struct kms_alias_row *rows;
	size_t n;
};

static bool list(struct db_conn *c, void *arg, struct err *err)
{
	struct alias_listing *l = arg;
	struct kms_row row = { 0 };
	bool found = true;
	if (l->key != NULL && !kms_row_find(c, l->key->uuid, NULL, &row, &found, err))
		return false;
	if (!found)
		return kms_key_unknown(l->key->arn, err);
	return kms_alias_table_list(c, &l->page, row.id, l->arena, l->rows, &l->n, err);
}

bool kms_alias_list(struct kms *k, const struct kms_realm *realm,
	const struct kms_alias_query *query, struct arena *arena, struct kms_alias_list *out,
	struct err *err)
{
	unsigned limit = query->limit;
	struct alias_listing l = { .key = query->key,
		.page = { realm->account, realm->region, query->after, limit + 1 },
		.arena = arena };
	l.rows = arena_alloc(arena, (limit + 1) * sizeof(*l.rows));
	struct kms_alias *items = arena_alloc(arena, (limit + 1) * sizeof(*items));
	if (l.rows == NULL || items == NULL)
		return kms_out_of_memory(arena, err);
	if (!db_read(k->db, list, &l, err))
		return false;
	size_t n = l.n > limit ? limit : l.n;
	for (size_t i = 0; i < n; i++) {
		items[i].name = l.rows[i].name;
		uuid_text(l.rows[i].uuid, items[i].key_id);
		items[i].created_at_ms = l.rows[i].created_at_ms;
		items[i].updated_at_ms = l.rows[i].updated_at_ms;
	}
	*out = (struct kms_alias_list){ .items = items, .count = n, .more = l.n > limit };
	return true;
}
