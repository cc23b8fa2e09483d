#include "kms/kms_tag.h"

#include "kms/kms_priv.h"

struct change {
	const struct kms_key *key;
	const struct kms_tag *tags; /* to set */
	const struct str *names;    /* to remove */
	size_t n;
};

static bool find_key(
	struct db_conn *c, const struct kms_key *key, struct kms_row *out, struct err *err)
{
	bool found = false;
	if (!kms_row_find(c, key->uuid, NULL, out, &found, err))
		return false;
	return found || kms_key_unknown(key->arn, err);
}

static bool set_tags(struct db_conn *c, void *arg, struct err *err)
{
	const struct change *ch = arg;
	struct kms_row row;
	uint64_t count = 0;
	if (!find_key(c, ch->key, &row, err) || !kms_row_stays(&row, err))
		return false;
	for (size_t i = 0; i < ch->n; i++) {
		struct kms_tag_row tag = { ch->tags[i].name, ch->tags[i].value };
		if (!kms_tag_table_put(c, row.id, &tag, err))
			return false;
	}
	if (!kms_tag_table_count(c, row.id, &count, err))
		return false;
	if (count > KMS_TAGS_MAX)
		return err_set(err, ERR_LIMIT, "A key has at most %d tags", KMS_TAGS_MAX);
	return true;
}

bool kms_key_tag(struct kms *k, const struct kms_key *key, const struct kms_tag *tags, size_t n,
	struct err *err)
{
	struct change ch = { .key = key, .tags = tags, .n = n };
	return db_write(k->db, set_tags, &ch, err);
}

static bool remove_tags(struct db_conn *c, void *arg, struct err *err)
{
	const struct change *ch = arg;
	struct kms_row row;
	if (!find_key(c, ch->key, &row, err) || !kms_row_stays(&row, err))
		return false;
	for (size_t i = 0; i < ch->n; i++) {
		if (!kms_tag_table_remove(c, row.id, ch->names[i], err))
			return false;
	}
	return true;
}

bool kms_key_untag(struct kms *k, const struct kms_key *key, const struct str *names, size_t n,
	struct err *err)
{
	struct change ch = { .key = key, .names = names, .n = n };
	return db_write(k->db, remove_tags, &ch, err);
}

struct listing {
	const struct kms_key *key;
	struct str after;
	unsigned limit;
	struct arena *arena;
	struct kms_tag_row *rows;
	size_t n;
};

static bool read_tags(struct db_conn *c, void *arg, struct err *err)
{
	struct listing *l = arg;
	struct kms_row row;
	struct kms_page page = { .after = l->after, .limit = l->limit + 1 };
	return find_key(c, l->key, &row, err) &&
	       kms_tag_table_list(c, row.id, &page, l->arena, l->rows, &l->n, err);
}

bool kms_key_tags(struct kms *k, const struct kms_key *key, struct str after, unsigned limit,
	struct arena *arena, struct kms_tag_list *out, struct err *err)
{
	struct listing l = { .key = key, .after = after, .limit = limit, .arena = arena };
	l.rows = arena_alloc(arena, (limit + 1) * sizeof(*l.rows));
	struct kms_tag *tags = arena_alloc(arena, (limit + 1) * sizeof(*tags));
	if (l.rows == NULL || tags == NULL)
		return kms_out_of_memory(arena, err);
	if (!db_read(k->db, read_tags, &l, err))
		return false;
	size_t n = l.n > limit ? limit : l.n;
	for (size_t i = 0; i < n; i++)
		tags[i] = (struct kms_tag){ l.rows[i].name, l.rows[i].value };
	*out = (struct kms_tag_list){ .items = tags, .count = n, .more = l.n > limit };
	return true;
}
