#include "auth/key_cache.h"

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "iam/iam_key.h"
#include "meta/key_table.h"

#define SCOPE_TEXT_MAX 64 /* "20261124/us-east-1/ecr" */

/* A signing key and what it is for; text_len 0: free. */
struct scope {
	char text[SCOPE_TEXT_MAX];
	size_t text_len;
	uint8_t key[32];
};

struct entry {
	struct key_row row;
	int64_t read_at_ms;
	uint64_t generation; /* IAM's, before the row was read */
	uint64_t used;       /* the cache's tick at the last use: the smallest is the first to go */
	struct scope scopes[KEY_SCOPE_MAX];
	unsigned next_scope; /* the one to overwrite next */
};

struct key_cache {
	struct db *db;
	const struct iam *iam; /* may be NULL */
	struct mutex lock;
	/* Guarded by lock. Ids are compared one after another: a hundred comparisons are cheaper
	 * than one HMAC. */
	struct entry *entries[KEY_CACHE_MAX];
	uint64_t tick;
};

static void entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	mem_wipe(e, sizeof(*e));
	freep(&e);
}

struct key_cache *key_cache_new(struct db *db, const struct iam *iam)
{
	struct key_cache *c = xmalloc(sizeof(*c));
	c->db = db;
	c->iam = iam;
	mutex_init(&c->lock, "key_cache");
	return c;
}

void key_cache_free(struct key_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < KEY_CACHE_MAX; i++)
		entry_free(c->entries[i]);
	mutex_fini(&c->lock);
	freep(&c);
}

static struct entry **find_slot(struct key_cache *c, struct str id)
{
	mutex_assert_held(&c->lock);
	for (size_t i = 0; i < KEY_CACHE_MAX; i++) {
		if (c->entries[i] != NULL && str_eq_c(id, c->entries[i]->row.id))
			return &c->entries[i];
	}
	return NULL;
}

/* A free slot, or that of the key used longest ago. */
static struct entry **oldest_slot(struct key_cache *c)
{
	mutex_assert_held(&c->lock);
	struct entry **oldest = &c->entries[0];
	for (size_t i = 0; i < KEY_CACHE_MAX; i++) {
		if (c->entries[i] == NULL)
			return &c->entries[i];
		if (c->entries[i]->used < (*oldest)->used)
			oldest = &c->entries[i];
	}
	return oldest;
}

static void derive(struct entry *e, const struct key_use *u, uint8_t out[32])
{
	char text[SCOPE_TEXT_MAX];
	size_t len = u->date.len + u->region.len + u->service.len + 2;
	struct str secret = { (const char *)e->row.secret.bytes, e->row.secret.len };
	if (len > sizeof(text)) { /* not worth keeping */
		sigv4_key(secret, u->date, u->region, u->service, out);
		return;
	}
	char *p = text;
	const struct str parts[] = { u->date, STR("/"), u->region, STR("/"), u->service };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		memcpy(p, parts[i].ptr, parts[i].len);
		p += parts[i].len;
	}
	for (size_t i = 0; i < KEY_SCOPE_MAX; i++) {
		struct scope *s = &e->scopes[i];
		if (s->text_len == len && memcmp(s->text, text, len) == 0) {
			memcpy(out, s->key, 32);
			return;
		}
	}
	sigv4_key(secret, u->date, u->region, u->service, out);
	struct scope *s = &e->scopes[e->next_scope++ % KEY_SCOPE_MAX];
	memcpy(s->text, text, len);
	s->text_len = len;
	memcpy(s->key, out, 32);
}

static void use(struct key_cache *c, struct entry *e, const struct key_use *u, struct key_info *out,
	uint8_t out_key[32])
{
	mutex_assert_held(&c->lock);
	e->used = ++c->tick;
	if (out_key != NULL)
		derive(e, u, out_key);
	memcpy(out->account, e->row.account, sizeof(out->account));
	memcpy(out->principal, e->row.principal, sizeof(out->principal));
	out->user_id = e->row.user_id;
	memcpy(out->user_name, e->row.user_name, sizeof(out->user_name));
	memcpy(out->user_uid, e->row.user_uid, sizeof(out->user_uid));
}

struct lookup {
	const struct iam *iam;
	struct str id;
	struct key_row *row;
	bool found;
};

static bool read_row(struct db_conn *conn, void *arg, struct err *err)
{
	struct lookup *l = arg;
	struct secret stored CLEANUP(secret_wipe) = { .len = 0 };
	if (!key_table_find(conn, l->id, l->row, &l->found, err))
		return false;
	if (!l->found)
		return true;
	stored = l->row->secret;
	return iam_secret_decode(l->iam, l->id, &stored, &l->row->secret, err);
}

static void entry_freep(struct entry **e)
{
	entry_free(*e);
}

/* Puts fresh into the cache and returns it; *leaves is what it takes the place of, or NULL. */
static struct entry *keep(struct key_cache *c, struct entry *fresh, struct entry **leaves)
{
	struct entry **slot = find_slot(c, str_from(fresh->row.id));
	/* The derived keys stay good while the secret is the same. */
	if (slot != NULL && (*slot)->row.secret.len == fresh->row.secret.len &&
		secret_eq((*slot)->row.secret.bytes, fresh->row.secret.bytes,
			fresh->row.secret.len)) {
		memcpy(fresh->scopes, (*slot)->scopes, sizeof(fresh->scopes));
		fresh->next_scope = (*slot)->next_scope;
	}
	if (slot == NULL)
		slot = oldest_slot(c);
	*leaves = *slot;
	*slot = fresh;
	return fresh;
}

static void forget(struct key_cache *c, struct str id)
{
	struct entry **slot = find_slot(c, id);
	if (slot == NULL)
		return;
	entry_free(*slot);
	*slot = NULL;
}

/* out_key NULL: none is wanted. */
static bool find(struct key_cache *c, const struct key_use *u, struct key_info *out,
	uint8_t out_key[32], bool *found, struct err *err)
{
	int64_t now = clock_now_ms();
	uint64_t generation = c->iam != NULL ? iam_generation(c->iam) : 0;
	{
		LOCKED(&c->lock);
		struct entry **slot = find_slot(c, u->id);
		/* A clock that went back makes the entry's age unknown: read it again. */
		if (slot != NULL && (*slot)->generation == generation &&
			now >= (*slot)->read_at_ms &&
			now - (*slot)->read_at_ms < KEY_CACHE_LIFE_MS) {
			use(c, *slot, u, out, out_key);
			*found = true;
			return true;
		}
	}
	struct entry *spare CLEANUP(entry_freep) = xmalloc(sizeof(*spare));
	struct lookup l = { .iam = c->iam, .id = u->id, .row = &spare->row };
	if (!db_read(c->db, read_row, &l, err))
		return false;

	LOCKED(&c->lock);
	*found = l.found && spare->row.is_active;
	if (*found) {
		spare->read_at_ms = now;
		spare->generation = generation;
		use(c, keep(c, spare, &spare), u, out, out_key);
	} else {
		forget(c, u->id);
	}
	return true;
}

bool key_cache_find(struct key_cache *c, const struct key_use *u, struct key_info *out,
	uint8_t out_signing_key[32], bool *found, struct err *err)
{
	return find(c, u, out, out_signing_key, found, err);
}

bool key_cache_info(
	struct key_cache *c, struct str id, struct key_info *out, bool *found, struct err *err)
{
	const struct key_use use = { .id = id };
	return find(c, &use, out, NULL, found, err);
}
