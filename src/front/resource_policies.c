#include "front/resource_policies.h"

#include <stdlib.h>

#include "auth/policy.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "registry/name.h"
#include "registry/resource_policy.h"

#define SETS        512
#define WAYS        8
#define LOCKS       32
#define KEY_MAX     320         /* account, Region, repository name */
#define ARENA_BYTES (128 * KIB) /* a policy of 10,240 characters and 50 tags, twice */

/* A compiled policy, shared by the facts of several moments. */
struct counted_policy {
	_Atomic unsigned references;
	struct policy *policy;
	int64_t version;
};

/* What was true of a resource at one moment. */
struct facts {
	_Atomic unsigned references;
	struct counted_policy *policy; /* NULL: none */
	struct auth_tag *tags;
	size_t tag_count;
	struct arena *arena; /* of the tags; NULL: none */
};

struct slot {
	struct facts *facts; /* NULL: free */
	char key[KEY_MAX];
	size_t key_len;
	uint64_t generation;
	int64_t read_at_ms;
};

struct resource_policies {
	struct core *core;
	struct mutex locks[LOCKS]; /* of the sets whose number ends so */
	struct slot *slots;        /* SETS * WAYS */
};

/* One resource that is asked for. */
struct place {
	struct registry_id reg;
	struct str repo; /* ptr NULL: the registry itself */
	char key[KEY_MAX];
	size_t key_len;
	uint64_t hash;
};

static void policy_put(struct counted_policy *p)
{
	if (p == NULL || atomic_fetch_sub(&p->references, 1) != 1)
		return;
	policy_free(p->policy);
	free(p);
}

static void facts_put(struct facts *f)
{
	if (f == NULL || atomic_fetch_sub(&f->references, 1) != 1)
		return;
	policy_put(f->policy);
	arena_free(f->arena);
	free(f);
}

static void facts_putp(struct facts **f)
{
	facts_put(*f);
}

struct resource_policies *resource_policies_new(struct core *core)
{
	struct resource_policies *p = xmalloc(sizeof(*p));
	p->core = core;
	p->slots = xcalloc((size_t)SETS * WAYS, sizeof(*p->slots));
	for (size_t i = 0; i < LOCKS; i++)
		mutex_init(&p->locks[i], "resource-policies");
	return p;
}

void resource_policies_free(struct resource_policies *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < (size_t)SETS * WAYS; i++)
		facts_put(p->slots[i].facts);
	for (size_t i = 0; i < LOCKS; i++)
		mutex_fini(&p->locks[i]);
	free(p->slots);
	free(p);
}

/* FNV-1a. Names that share a set only cost each other their places. */
static uint64_t hash_of(const char *key, size_t len)
{
	uint64_t h = 14695981039346656037ULL;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * 1099511628211ULL;
	return h ^ (h >> 32);
}

static void place_make(const struct registry_id *reg, struct str repo, struct place *out)
{
	size_t account = strlen(reg->account);
	size_t region = strlen(reg->region);
	char *at = out->key;
	out->reg = *reg;
	out->repo = repo;
	memcpy(at, reg->account, account);
	at += account;
	*at++ = '/';
	memcpy(at, reg->region, region);
	at += region;
	*at++ = '/';
	if (repo.len != 0)
		memcpy(at, repo.ptr, repo.len); /* at most REPO_NAME_MAX */
	out->key_len = (size_t)(at - out->key) + repo.len;
	out->hash = hash_of(out->key, out->key_len);
}

/* Takes a reference on what the table has; *fresh: it still counts. */
static struct facts *look_up(
	struct resource_policies *p, const struct place *at, uint64_t generation, bool *fresh)
{
	size_t set = at->hash % SETS;
	LOCKED(&p->locks[set % LOCKS]);
	for (size_t i = 0; i < WAYS; i++) {
		struct slot *s = &p->slots[set * WAYS + i];
		if (s->facts == NULL || s->key_len != at->key_len ||
			memcmp(s->key, at->key, at->key_len) != 0)
			continue;
		int64_t age = clock_now_ms() - s->read_at_ms;
		*fresh = s->generation == generation && age >= 0 && age < RESOURCE_FACTS_LIFE_MS;
		atomic_fetch_add(&s->facts->references, 1);
		return s->facts;
	}
	return NULL;
}

/* Puts facts in place of older ones of the same resource, or of the oldest in the set. */
static void remember(struct resource_policies *p, const struct place *at, uint64_t generation,
	struct facts *facts)
{
	struct facts *old;
	size_t set = at->hash % SETS;
	{
		LOCKED(&p->locks[set % LOCKS]);
		struct slot *best = &p->slots[set * WAYS];
		for (size_t i = 0; i < WAYS; i++) {
			struct slot *s = &p->slots[set * WAYS + i];
			if (s->facts != NULL && s->key_len == at->key_len &&
				memcmp(s->key, at->key, at->key_len) == 0) {
				best = s;
				break;
			}
			if (best->facts != NULL &&
				(s->facts == NULL || s->read_at_ms < best->read_at_ms))
				best = s;
		}
		old = best->facts;
		atomic_fetch_add(&facts->references, 1);
		best->facts = facts;
		memcpy(best->key, at->key, at->key_len);
		best->key_len = at->key_len;
		best->generation = generation;
		best->read_at_ms = clock_now_ms();
	}
	facts_put(old);
}

static bool compile(const struct place *at, const struct resource_facts *read,
	struct counted_policy **out, struct err *err)
{
	struct policy *policy;
	enum policy_kind kind = at->repo.ptr != NULL ? POLICY_REPOSITORY : POLICY_REGISTRY;
	if (!policy_compile(read->text, kind, &policy, err)) {
		err->kind = ERR_CORRUPT;
		return err_wrap(err, "the resource policy of %.*s", (int)at->key_len, at->key);
	}
	struct counted_policy *p = xmalloc(sizeof(*p));
	p->references = 1;
	p->policy = policy;
	p->version = read->version;
	*out = p;
	return true;
}

static bool copy_tags(const struct resource_facts *read, struct facts *f, struct err *err)
{
	if (read->tag_count == 0)
		return true;
	f->arena = arena_new(ARENA_BYTES);
	f->tags = arena_alloc(f->arena, read->tag_count * sizeof(*f->tags));
	for (size_t i = 0; f->tags != NULL && i < read->tag_count; i++) {
		f->tags[i].name = arena_str(f->arena, read->tags[i].key);
		f->tags[i].value = arena_str(f->arena, read->tags[i].value);
		if (f->tags[i].name.ptr == NULL || f->tags[i].value.ptr == NULL)
			f->tags = NULL;
	}
	f->tag_count = read->tag_count;
	return f->tags != NULL ||
	       err_sys(err, ERR_INTERNAL, 0, "the tags of a repository are too long");
}

/* known: older facts, whose policy is taken over when it is still the same; may be NULL. */
static bool read_facts(struct resource_policies *p, const struct place *at,
	const struct facts *known, struct facts **out, struct err *err)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct facts *f CLEANUP(facts_putp) = xmalloc(sizeof(*f));
	struct counted_policy *had = known != NULL ? known->policy : NULL;
	struct resource_facts read;
	f->references = 1;
	bool ok = resource_policy_facts(
		p->core, &at->reg, at->repo, had != NULL ? had->version : 0, arena, &read, err);
	if (ok && read.text.ptr != NULL) {
		ok = compile(at, &read, &f->policy, err);
	} else if (ok && read.version != 0) {
		atomic_fetch_add(&had->references, 1); /* without a text it is the known one */
		f->policy = had;
	}
	ok = ok && copy_tags(&read, f, err);
	arena_free(arena);
	if (!ok)
		return false;
	*out = f;
	f = NULL;
	return true;
}

/* What holds now; the caller puts it back. */
static bool take(struct resource_policies *p, const struct registry_id *reg, struct str repo,
	struct facts **out, struct err *err)
{
	struct place at;
	bool fresh = false;
	struct facts *now;
	place_make(reg, repo, &at);
	/* Before the facts are read: a change in between makes them old at once. */
	uint64_t generation = resource_policy_generation(p->core);
	struct facts *known = look_up(p, &at, generation, &fresh);
	if (fresh) {
		*out = known;
		return true;
	}
	bool ok = read_facts(p, &at, known, &now, err);
	facts_put(known);
	if (!ok)
		return false;
	remember(p, &at, generation, now);
	*out = now;
	return true;
}

/* --- as auth/ sees it --- */

/* The policies of one decision. */
struct held {
	struct facts *repository, *registry;
};

static const struct policy *policy_of(const struct facts *f)
{
	return f != NULL && f->policy != NULL ? f->policy->policy : NULL;
}

/* The repository in arn:...:repository/<name>; ptr NULL: the resource is none, or its name cannot
 * be one. */
static struct str repo_of(struct str resource)
{
	struct str prefix = STR("repository/");
	struct str rest = resource;
	struct str field;
	for (int i = 0; i < 5; i++) {
		if (!str_cut(rest, ':', &field, &rest))
			return (struct str){ NULL, 0 };
	}
	if (!str_starts(rest, prefix))
		return (struct str){ NULL, 0 };
	struct str name = str_sub(rest, prefix.len, rest.len - prefix.len);
	return name_is_repository(name) ? name : (struct str){ NULL, 0 };
}

static void release(void *arg, struct auth_resource_policies *policies)
{
	struct held *h = policies->held;
	(void)arg;
	if (h == NULL)
		return;
	facts_put(h->repository);
	facts_put(h->registry);
	free(h);
}

static bool find(void *arg, struct str account, struct str region, struct str resource,
	struct auth_resource_policies *out, struct err *err)
{
	struct resource_policies *p = arg;
	struct registry_id reg;
	struct facts *repository CLEANUP(facts_putp) = NULL;
	struct facts *registry CLEANUP(facts_putp) = NULL;
	struct str repo = repo_of(resource);
	*out = (struct auth_resource_policies){ 0 };
	if (!registry_id_make(account, region, &reg))
		return true; /* there is no such registry, so it has no policies */
	if (!take(p, &reg, (struct str){ NULL, 0 }, &registry, err) ||
		(repo.ptr != NULL && !take(p, &reg, repo, &repository, err)))
		return false;
	if (policy_of(repository) == NULL && policy_of(registry) == NULL)
		return true;
	struct held *h = xmalloc(sizeof(*h));
	*h = (struct held){ repository, registry };
	out->repository = policy_of(repository);
	out->registry = policy_of(registry);
	out->held = h;
	repository = NULL;
	registry = NULL;
	return true;
}

struct auth_policy_source resource_policies_source(struct resource_policies *p)
{
	return (struct auth_policy_source){ .find = find, .release = release, .arg = p };
}

bool resource_policies_tags(struct resource_policies *p, const struct registry_id *reg,
	struct str repo, struct arena *arena, const struct auth_tag **out, size_t *out_n,
	struct err *err)
{
	struct facts *f CLEANUP(facts_putp) = NULL;
	*out = NULL;
	*out_n = 0;
	if (!name_is_repository(repo))
		return true;
	if (!take(p, reg, repo, &f, err))
		return false;
	struct auth_tag *tags = arena_alloc(arena, (f->tag_count + 1) * sizeof(*tags));
	for (size_t i = 0; tags != NULL && i < f->tag_count; i++) {
		tags[i].name = arena_str(arena, f->tags[i].name);
		tags[i].value = arena_str(arena, f->tags[i].value);
		if (tags[i].name.ptr == NULL || tags[i].value.ptr == NULL)
			tags = NULL;
	}
	if (tags == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
	*out = tags;
	*out_n = f->tag_count;
	return true;
}
