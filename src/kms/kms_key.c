#include "kms/kms_key.h"

#include <stdio.h>

#include "base/clock.h"
#include "crypt/aead.h"
#include "crypt/random.h"
#include "kms/kms_priv.h"

bool kms_key_unknown(const char *arn, struct err *err)
{
	return err_set(err, ERR_KMS_KEY_UNKNOWN, "Key '%s' does not exist", arn);
}

bool kms_out_of_memory(const struct arena *arena, struct err *err)
{
	return arena_err(arena, "kms", err);
}

static bool wrong_state(
	const struct kms_row *row, enum err_kind kind, const char *what, struct err *err)
{
	char arn[KMS_ARN_MAX];
	kms_arn_render(row->account, row->region, row->uuid, arn);
	return err_set(err, kind, "%s %s", arn, what);
}

bool kms_row_stays(const struct kms_row *row, struct err *err)
{
	if (row->state == KMS_PENDING_DELETION)
		return wrong_state(row, ERR_KMS_KEY_STATE, "is pending deletion.", err);
	return true;
}

bool kms_row_usable(const struct kms_row *row, struct err *err)
{
	if (row->state == KMS_DISABLED)
		return wrong_state(row, ERR_KMS_KEY_DISABLED, "is disabled.", err);
	return kms_row_stays(row, err);
}

static bool is_over(const struct kms_row *row)
{
	return row->state == KMS_PENDING_DELETION && row->delete_at_ms <= clock_now_ms();
}

bool kms_row_find(struct db_conn *c, const uint8_t uuid[16], struct arena *arena,
	struct kms_row *out, bool *found, struct err *err)
{
	struct kms_row row;
	bool is_there = false;
	if (!kms_table_find(c, uuid, arena, &row, &is_there, err))
		return false;
	*found = is_there && !is_over(&row);
	if (*found)
		*out = row;
	return true;
}

void kms_key_of_row(const struct kms_row *row, struct kms_key *out)
{
	struct kms_key key = {
		.manager = (enum kms_manager)row->manager,
		.state = (enum kms_state)row->state,
		.description = row->description,
		.created_at_ms = row->created_at_ms,
		.delete_at_ms = row->delete_at_ms,
		.version = row->version,
		.rotation_days = row->rotation_days,
		.rotate_at_ms = row->rotate_at_ms,
	};
	memcpy(key.uuid, row->uuid, sizeof(key.uuid));
	memcpy(key.account, row->account, sizeof(key.account));
	memcpy(key.region, row->region, sizeof(key.region));
	uuid_text(row->uuid, key.id);
	kms_arn_render(row->account, row->region, row->uuid, key.arn);
	*out = key;
}

/* What wrapped material is, so that it fits no other key and no other version. */
static struct str material_name(const uint8_t uuid[16], uint32_t version, char out[80])
{
	char id[UUID_TEXT_LEN + 1];
	uuid_text(uuid, id);
	int n = snprintf(out, 80, "kms-key:%s:%u", id, version);
	return (struct str){ out, (size_t)n };
}

bool kms_material_make(
	struct kms *k, const uint8_t uuid[16], uint32_t version, struct buf *out, struct err *err)
{
	char name[80];
	struct secret material CLEANUP(secret_wipe) = { .len = AEAD_KEY_LEN };
	random_bytes(material.bytes, material.len);
	return aead_wrap(&k->wrapping_key, material_name(uuid, version, name),
		(struct str){ (const char *)material.bytes, material.len }, out, err);
}

bool kms_material_open(struct kms *k, const uint8_t uuid[16], uint32_t version, struct str wrapped,
	struct secret *out, struct err *err)
{
	char name[80];
	struct secret material CLEANUP(secret_wipe) = { 0 };
	if (!aead_unwrap_secret(
		    &k->wrapping_key, material_name(uuid, version, name), wrapped, &material, err))
		return err_wrap(err, "KMS key material");
	if (material.len != AEAD_KEY_LEN)
		return err_sys(err, ERR_CORRUPT, 0, "KMS key material of %zu bytes", material.len);
	*out = material;
	return true;
}

/* Making keys. */

struct creation {
	const struct kms_realm *realm;
	struct kms_row row;
	struct buf material;
	const struct kms_tag *tags;
	size_t tag_count;
	struct str alias; /* ptr NULL: none. Of a managed key */
	struct arena *arena;
};

static void creation_fini(struct creation *n)
{
	buf_fini(&n->material);
}

static bool creation_prepare(struct kms *k, struct creation *n, struct err *err)
{
	buf_init(&n->material, KMS_MATERIAL_MAX);
	if (!str_to_c(n->realm->account, n->row.account, sizeof(n->row.account)) ||
		!str_to_c(n->realm->region, n->row.region, sizeof(n->row.region)))
		return err_set(err, ERR_INVALID, "Not an account and Region");
	random_uuid(n->row.uuid);
	n->row.version = 1;
	n->row.state = KMS_ENABLED;
	n->row.created_at_ms = clock_now_ms();
	return kms_material_make(k, n->row.uuid, 1, &n->material, err);
}

static bool create(struct db_conn *c, void *arg, struct err *err)
{
	struct creation *n = arg;
	int64_t id = 0;
	if (!kms_table_add(c, &n->row, buf_str(&n->material), &id, err))
		return false;
	for (size_t i = 0; i < n->tag_count; i++) {
		struct kms_tag_row tag = { n->tags[i].name, n->tags[i].value };
		if (!kms_tag_table_put(c, id, &tag, err))
			return false;
	}
	return true;
}

bool kms_key_create(struct kms *k, const struct kms_realm *realm, const struct kms_key_new *in,
	struct arena *arena, struct kms_key *out, struct err *err)
{
	if (in->tag_count > KMS_TAGS_MAX)
		return err_set(err, ERR_LIMIT, "A key has at most %d tags", KMS_TAGS_MAX);
	struct creation n CLEANUP(creation_fini) = {
		.realm = realm,
		.tags = in->tags,
		.tag_count = in->tag_count,
		.row = { .manager = KMS_MANAGER_CUSTOMER },
	};
	n.row.description = arena_str(arena, in->description);
	if (n.row.description.ptr == NULL)
		return kms_out_of_memory(arena, err);
	if (!creation_prepare(k, &n, err) || !db_write(k->db, create, &n, err))
		return false;
	kms_key_of_row(&n.row, out);
	return true;
}

/* Finds the managed key by its alias, or makes both: one transaction, so there is one. */
static bool ensure_managed(struct db_conn *c, void *arg, struct err *err)
{
	struct creation *n = arg;
	struct kms_alias_at at = { n->realm->account, n->realm->region, n->alias };
	struct kms_row row;
	bool found = false;
	bool added = false;
	int64_t id = 0;
	if (!kms_table_find_alias(c, &at, n->arena, &row, &found, err))
		return false;
	if (found) {
		n->row = row;
		return true;
	}
	if (!kms_table_add(c, &n->row, buf_str(&n->material), &id, err) ||
		!kms_alias_table_add(c, &at, id, n->row.created_at_ms, &added, err))
		return false;
	return added || err_sys(err, ERR_INTERNAL, 0, "the managed key's alias appeared twice");
}

bool kms_managed_key(struct kms *k, const struct kms_realm *realm, struct arena *arena,
	struct kms_key *out, struct err *err)
{
	struct creation n CLEANUP(creation_fini) = {
		.realm = realm,
		.alias = STR(KMS_MANAGED_ECR),
		.arena = arena,
		.row = {
			.manager = KMS_MANAGER_AWS,
			.description = STR("Default key that protects my ECR repositories when "
					   "no other key is defined"),
			.rotation_days = KMS_ROTATION_DAYS_DEFAULT,
		},
	};
	if (!creation_prepare(k, &n, err))
		return false;
	n.row.rotate_at_ms = n.row.created_at_ms + KMS_ROTATION_DAYS_DEFAULT * MS_PER_DAY;
	if (!db_write(k->db, ensure_managed, &n, err))
		return false;
	kms_key_of_row(&n.row, out);
	return true;
}

/* Reading keys. */

struct lookup {
	struct kms_name name;
	struct arena *arena;
	struct kms_row row;
	bool found;
};

static bool look_up(struct db_conn *c, void *arg, struct err *err)
{
	struct lookup *l = arg;
	const struct kms_name *n = &l->name;
	if (n->alias.len == 0) {
		if (!kms_row_find(c, n->uuid, l->arena, &l->row, &l->found, err))
			return false;
		l->found = l->found && str_eq_c(n->account, l->row.account) &&
			   str_eq_c(n->region, l->row.region);
		return true;
	}
	struct kms_alias_at at = { n->account, n->region, n->alias };
	if (!kms_table_find_alias(c, &at, l->arena, &l->row, &l->found, err))
		return false;
	l->found = l->found && !is_over(&l->row);
	return true;
}

static bool not_found(const struct kms_name *n, struct err *err)
{
	char id[UUID_TEXT_LEN + 1] = "";
	if (n->alias.len != 0)
		return err_set(err, ERR_KMS_KEY_UNKNOWN,
			"Alias arn:aws:kms:" STR_FMT ":" STR_FMT ":" STR_FMT " is not found.",
			STR_ARG(n->region), STR_ARG(n->account), STR_ARG(n->alias));
	uuid_text(n->uuid, id);
	return err_set(err, ERR_KMS_KEY_UNKNOWN,
		"Key 'arn:aws:kms:" STR_FMT ":" STR_FMT ":key/%s' does not exist",
		STR_ARG(n->region), STR_ARG(n->account), id);
}

bool kms_key_get(struct kms *k, const struct kms_realm *realm, struct str text, struct arena *arena,
	struct kms_key *out, struct err *err)
{
	struct lookup l = { .arena = arena };
	if (!kms_name_parse(realm, text, &l.name, err) || !db_read(k->db, look_up, &l, err))
		return false;
	if (l.found) {
		kms_key_of_row(&l.row, out);
		return true;
	}
	if (str_eq(l.name.alias, STR(KMS_MANAGED_ECR)) && str_eq(l.name.account, realm->account))
		return kms_managed_key(k, realm, arena, out, err);
	return not_found(&l.name, err);
}

struct key_listing {
	struct kms_page page;
	uint8_t (*ids)[16];
	size_t n;
};

static bool list(struct db_conn *c, void *arg, struct err *err)
{
	struct key_listing *l = arg;
	return kms_table_list(c, &l->page, l->ids, &l->n, err);
}

bool kms_key_list(struct kms *k, const struct kms_realm *realm, struct str after, unsigned limit,
	struct arena *arena, struct kms_key_list *out, struct err *err)
{
	uint8_t from[16];
	char account[13];
	char region[26];
	struct key_listing l = { .page = { realm->account, realm->region, STR(""), limit + 1 } };
	if (after.len != 0 && !uuid_parse(after, from))
		return err_set(err, ERR_INVALID, "Not a key's id");
	if (!str_to_c(realm->account, account, sizeof(account)) ||
		!str_to_c(realm->region, region, sizeof(region)))
		return err_set(err, ERR_INVALID, "Not an account and Region");
	if (after.len != 0)
		l.page.after = (struct str){ (const char *)from, sizeof(from) };
	l.ids = arena_alloc(arena, (limit + 1) * sizeof(*l.ids));
	struct kms_key_id *items = arena_alloc(arena, (limit + 1) * sizeof(*items));
	if (l.ids == NULL || items == NULL)
		return kms_out_of_memory(arena, err);
	if (!db_read(k->db, list, &l, err))
		return false;
	size_t n = l.n > limit ? limit : l.n;
	for (size_t i = 0; i < n; i++) {
		uuid_text(l.ids[i], items[i].id);
		kms_arn_render(account, region, l.ids[i], items[i].arn);
	}
	*out = (struct kms_key_list){ .items = items, .count = n, .more = l.n > limit };
	return true;
}
