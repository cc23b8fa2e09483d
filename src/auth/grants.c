#include "auth/grants.h"

#include "auth/managed_policies.h"
#include "auth/session.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "iam/iam_policy.h"

/* Ten managed policies of 6144 characters for a user and for each of ten groups, and what is
 * inline: their texts are kept no longer than their compilation. */
#define TEXTS_MAX  (4 * MIB)
#define KEPT_MAX   (64 * KIB)
#define KEY_ID_MAX 32

struct entry {
	struct grants *grants;
	int64_t entity_id;
	char session[KEY_ID_MAX + 1]; /* key id of a session with policies of its own, or empty */
	uint64_t generation;
	int64_t read_at_ms;
	uint64_t used;
};

struct grants_cache {
	struct iam *iam;
	struct mutex lock;
	/* guarded by lock; so are the counts of references */
	struct entry entries[GRANTS_MAX];
	uint64_t tick;
};

static void list_free(const struct policy_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct policy *p;
		/* They are const for all others. */
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is kept */
		memcpy(&p, &list->items[i], sizeof(p));
		policy_free(p);
	}
}

static void grants_free(struct grants *g)
{
	if (g == NULL)
		return;
	list_free(&g->identity);
	list_free(&g->boundary);
	list_free(&g->session);
	arena_free(g->arena);
	freep(&g);
}

static void grants_freep(struct grants **g)
{
	grants_free(*g);
}

struct grants_cache *grants_cache_new(struct iam *iam)
{
	struct grants_cache *c = xmalloc(sizeof(*c));
	c->iam = iam;
	mutex_init(&c->lock, "grants");
	return c;
}

void grants_cache_free(struct grants_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < GRANTS_MAX; i++)
		grants_free(c->entries[i].grants);
	mutex_fini(&c->lock);
	freep(&c);
}

static const struct policy **new_items(struct grants *g, size_t count)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is kept */
	return arena_alloc(g->arena, (count + 1) * sizeof(const struct policy *));
}

/* Compiles text and adds it to a list whose items have room. */
static bool add(struct grants *g, struct policy_list *list, const struct policy **items,
	struct str text, enum policy_kind kind, struct err *err)
{
	struct policy *p;
	if (!policy_compile(text, kind, &p, err)) {
		err->kind = ERR_CORRUPT;
		return err_wrap(err, "a stored policy of %.*s: %s", STR_ARG(g->arn), err->msg);
	}
	items[list->count++] = p;
	list->items = items;
	g->reads_resource_tags |= policy_reads(p, STR("aws:resourcetag/")) ||
				  policy_reads(p, STR("ecr:resourcetag/")) ||
				  policy_reads(p, STR("iam:resourcetag/"));
	return true;
}

/* The text of a managed policy: as read, or AWS's own. ptr NULL: it is gone. */
static struct str text_of(const struct iam_document *d)
{
	if (d->text.ptr != NULL)
		return d->text;
	const struct managed_policy *m = managed_policy_find(d->arn);
	return m != NULL ? str_from(m->document) : (struct str){ NULL, 0 };
}

/* Allows nothing: what stands for a boundary or session policy that is gone. */
#define NOTHING                                                                             \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"*\"," \
	"\"Resource\":\"*\"}]}"

static bool compile_identity(struct grants *g, const struct iam_identity *identity, struct err *err)
{
	const struct policy **items = new_items(g, identity->document_count);
	const struct policy **boundary = new_items(g, 1);
	if (items == NULL || boundary == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "too many policies");
	for (size_t i = 0; i < identity->document_count; i++) {
		/* A managed policy that was attached cannot be deleted; an unknown one of AWS's
		 * grants nothing. */
		struct str text = text_of(&identity->documents[i]);
		if (text.ptr != NULL && !add(g, &g->identity, items, text, POLICY_IDENTITY, err))
			return false;
	}
	if (!identity->has_boundary)
		return true;
	struct str text = text_of(&identity->boundary);
	return add(g, &g->boundary, boundary, text.ptr != NULL ? text : STR(NOTHING),
		POLICY_IDENTITY, err);
}

static bool compile_session(struct grants_cache *c, struct grants *g, const struct session *s,
	struct arena *texts, struct err *err)
{
	const struct policy **items = new_items(g, SESSION_ARNS_MAX + 1);
	if (items == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "too many policies");
	if (s->policy.len != 0 && !add(g, &g->session, items, s->policy, POLICY_SESSION, err))
		return false;
	for (size_t i = 0; i < s->policy_arn_count; i++) {
		struct iam_document d = { .arn = s->policy_arns[i] };
		if (!iam_document_find(c->iam, g->account, d.arn, texts, &d.text, err))
			return false;
		struct str text = text_of(&d);
		if (!add(g, &g->session, items, text.ptr != NULL ? text : STR(NOTHING),
			    POLICY_SESSION, err))
			return false;
	}
	return true;
}

static bool copy_facts(struct grants *g, const struct iam_identity *identity, struct err *err)
{
	const struct iam_entity *e = &identity->entity;
	struct iam_tag *tags = arena_alloc(g->arena, (identity->tags.count + 1) * sizeof(*tags));
	g->entity_id = e->id;
	g->type = e->type;
	g->account = arena_str(g->arena, e->account);
	g->name = arena_str(g->arena, e->name);
	g->uid = arena_str(g->arena, e->uid);
	g->arn = iam_arn(g->arena, e);
	bool fits = tags != NULL && g->account.ptr != NULL && g->name.ptr != NULL &&
		    g->uid.ptr != NULL && g->arn.ptr != NULL;
	for (size_t i = 0; fits && i < identity->tags.count; i++) {
		tags[i].name = arena_str(g->arena, identity->tags.items[i].name);
		tags[i].value = arena_str(g->arena, identity->tags.items[i].value);
		fits = tags[i].name.ptr != NULL && tags[i].value.ptr != NULL;
	}
	g->tags = (struct iam_tags){ tags, identity->tags.count };
	return fits || err_sys(err, ERR_INTERNAL, 0, "the facts of a principal are too long");
}

static void arena_freep(struct arena **a)
{
	arena_free(*a);
}

/* *out NULL: the entity is gone. */
static bool load(struct grants_cache *c, int64_t entity_id, const struct session *s,
	struct grants **out, struct err *err)
{
	struct arena *texts CLEANUP(arena_freep) = arena_new(TEXTS_MAX);
	struct grants *g CLEANUP(grants_freep) = xmalloc(sizeof(*g));
	struct iam_identity identity;
	bool found = false;
	g->arena = arena_new(KEPT_MAX);
	g->references = 1;
	*out = NULL;
	if (!iam_identity_load(c->iam, entity_id, texts, &identity, &found, err))
		return false;
	if (!found)
		return true;
	if (!copy_facts(g, &identity, err) || !compile_identity(g, &identity, err) ||
		(s != NULL && !compile_session(c, g, s, texts, err)))
		return false;
	*out = g;
	g = NULL;
	return true;
}

static struct entry *find(struct grants_cache *c, int64_t entity_id, const char *session)
{
	mutex_assert_held(&c->lock);
	for (size_t i = 0; i < GRANTS_MAX; i++) {
		struct entry *e = &c->entries[i];
		if (e->grants != NULL && e->entity_id == entity_id &&
			strcmp(e->session, session) == 0)
			return e;
	}
	return NULL;
}

/* A free place, or that used longest ago. */
static struct entry *oldest(struct grants_cache *c)
{
	mutex_assert_held(&c->lock);
	struct entry *o = &c->entries[0];
	for (size_t i = 0; i < GRANTS_MAX && o->grants != NULL; i++) {
		if (c->entries[i].grants == NULL || c->entries[i].used < o->used)
			o = &c->entries[i];
	}
	return o;
}

static bool drop(struct grants *g)
{
	return g != NULL && --g->references == 0;
}

/* Puts fresh into the cache and counts it once more; returns what is to be freed. */
static struct grants *keep(struct grants_cache *c, const struct entry *fresh)
{
	struct entry *e = find(c, fresh->entity_id, fresh->session);
	if (e == NULL)
		e = oldest(c);
	struct grants *leaves = e->grants;
	*e = *fresh;
	e->used = ++c->tick;
	e->grants->references++;
	return drop(leaves) ? leaves : NULL;
}

/* The grants in the cache, counted, or NULL. */
static struct grants *look(
	struct grants_cache *c, int64_t entity_id, const char *session, const struct entry *as_of)
{
	LOCKED(&c->lock);
	struct entry *e = find(c, entity_id, session);
	if (e == NULL || e->generation != as_of->generation || as_of->read_at_ms < e->read_at_ms ||
		as_of->read_at_ms - e->read_at_ms >= GRANTS_LIFE_MS)
		return NULL;
	e->used = ++c->tick;
	e->grants->references++;
	return e->grants;
}

bool grants_take(struct grants_cache *c, int64_t entity_id, const struct session *s,
	struct grants **out, struct err *err)
{
	struct entry fresh = {
		.entity_id = entity_id,
		.generation = iam_generation(c->iam),
		.read_at_ms = clock_now_ms(),
	};
	if (s != NULL && s->policy.len == 0 && s->policy_arn_count == 0)
		s = NULL;
	if (s != NULL && !str_to_c(s->key_id, fresh.session, sizeof(fresh.session)))
		return err_sys(err, ERR_INTERNAL, 0, "the key id of a session is too long");
	*out = look(c, entity_id, fresh.session, &fresh);
	if (*out != NULL)
		return true;
	if (!load(c, entity_id, s, &fresh.grants, err))
		return false;
	if (fresh.grants == NULL)
		return true;
	mutex_lock(&c->lock);
	struct grants *leaves = keep(c, &fresh);
	mutex_unlock(&c->lock);
	grants_free(leaves);
	*out = fresh.grants;
	return true;
}

void grants_release(struct grants_cache *c, struct grants *g)
{
	if (g == NULL)
		return;
	mutex_lock(&c->lock);
	bool is_last = drop(g);
	mutex_unlock(&c->lock);
	if (is_last)
		grants_free(g);
}
