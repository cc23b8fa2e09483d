#include "kms/kms_cache.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

enum entry_state { FETCHING, READY, FAILED };

struct entry {
	uint8_t id[KMS_CACHE_ID_LEN];
	char *key_arn;
	size_t key_arn_len;
	enum entry_state state;
	struct secret secret;
	struct err err;
	int64_t expires_us; /* clock_mono_us; counted from before the fetch */
	uint64_t used;      /* the cache's tick at the last use: the smallest is the first to go */
	unsigned
		users; /* threads that fetch or wait; the last frees an entry that left the table */
	bool is_out;   /* not in the table any more */
};

struct kms_cache {
	int64_t life_us;
	struct mutex lock;
	struct cond fetched;
	/* Guarded by lock. */
	struct entry *entries[KMS_CACHE_MAX];
	uint64_t tick;
};

struct kms_cache *kms_cache_new(int64_t life_ms)
{
	struct kms_cache *c = xmalloc(sizeof(*c));
	c->life_us = life_ms * 1000;
	mutex_init(&c->lock, "kms-cache");
	cond_init(&c->fetched);
	return c;
}

static void entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	freep(&e->key_arn);
	mem_wipe(e, sizeof(*e));
	free(e);
}

void kms_cache_free(struct kms_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < KMS_CACHE_MAX; i++)
		entry_free(c->entries[i]);
	cond_fini(&c->fetched);
	mutex_fini(&c->lock);
	free(c);
}

/* Takes the entry out of the table; whoever still uses it frees it. */
static void drop(struct kms_cache *c, size_t i)
{
	struct entry *e = c->entries[i];
	c->entries[i] = NULL;
	e->is_out = true;
	if (e->users == 0)
		entry_free(e);
}

static void drop_entry(struct kms_cache *c, const struct entry *e)
{
	for (size_t i = 0; i < KMS_CACHE_MAX; i++) {
		if (c->entries[i] == e)
			drop(c, i);
	}
}

static struct entry *find(struct kms_cache *c, const uint8_t id[KMS_CACHE_ID_LEN])
{
	mutex_assert_held(&c->lock);
	for (size_t i = 0; i < KMS_CACHE_MAX; i++) {
		struct entry *e = c->entries[i];
		if (e == NULL || memcmp(e->id, id, KMS_CACHE_ID_LEN) != 0)
			continue;
		if (e->state != READY || clock_mono_us() < e->expires_us)
			return e;
		drop(c, i);
	}
	return NULL;
}

/* A free place, or that of the data key used longest ago; KMS_CACHE_MAX when all are being fetched.
 */
static size_t place(struct kms_cache *c)
{
	size_t oldest = KMS_CACHE_MAX;
	for (size_t i = 0; i < KMS_CACHE_MAX; i++) {
		const struct entry *e = c->entries[i];
		if (e == NULL)
			return i;
		if (e->state == READY &&
			(oldest == KMS_CACHE_MAX || e->used < c->entries[oldest]->used))
			oldest = i;
	}
	if (oldest != KMS_CACHE_MAX)
		drop(c, oldest);
	return oldest;
}

static struct entry *add(
	struct kms_cache *c, struct str key_arn, const uint8_t id[KMS_CACHE_ID_LEN])
{
	struct entry *e = xmalloc(sizeof(*e));
	memcpy(e->id, id, KMS_CACHE_ID_LEN);
	e->key_arn = xmalloc(key_arn.len + 1);
	memcpy(e->key_arn, key_arn.ptr, key_arn.len);
	e->key_arn_len = key_arn.len;
	e->state = FETCHING;
	e->expires_us = clock_mono_us() + c->life_us;
	size_t i = place(c);
	if (i == KMS_CACHE_MAX)
		e->is_out = true;
	else
		c->entries[i] = e;
	return e;
}

/* Gives the entry's result; the lock is held and e->users counts the caller. */
static bool leave(struct kms_cache *c, struct entry *e, struct secret *out, struct err *err)
{
	bool done = e->state == READY;
	if (done) {
		e->used = ++c->tick;
		*out = e->secret;
	} else {
		*err = e->err;
	}
	if (--e->users == 0 && e->is_out)
		entry_free(e);
	return done;
}

bool kms_cache_get(struct kms_cache *c, struct str key_arn, const uint8_t id[KMS_CACHE_ID_LEN],
	kms_fetch_fn fetch, void *arg, struct secret *out, struct err *err)
{
	struct entry *e;
	{
		LOCKED(&c->lock);
		e = find(c, id);
		if (e != NULL) {
			e->users++;
			while (e->state == FETCHING)
				cond_wait(&c->fetched, &c->lock);
			return leave(c, e, out, err);
		}
		e = add(c, key_arn, id);
		e->users++;
	}
	struct secret fresh CLEANUP(secret_wipe) = { 0 };
	struct err failure = { 0 };
	bool done = fetch(arg, &fresh, &failure);
	LOCKED(&c->lock);
	e->secret = fresh;
	e->err = failure;
	e->state = done ? READY : FAILED;
	if (!done && !e->is_out)
		drop_entry(c, e);
	cond_broadcast(&c->fetched);
	return leave(c, e, out, err);
}

void kms_cache_forget(struct kms_cache *c, struct str key_arn)
{
	LOCKED(&c->lock);
	for (size_t i = 0; i < KMS_CACHE_MAX; i++) {
		const struct entry *e = c->entries[i];
		if (e != NULL && str_eq((struct str){ e->key_arn, e->key_arn_len }, key_arn))
			drop(c, i);
	}
}

void kms_cache_expire(struct kms_cache *c)
{
	int64_t now_us = clock_mono_us();
	LOCKED(&c->lock);
	for (size_t i = 0; i < KMS_CACHE_MAX; i++) {
		const struct entry *e = c->entries[i];
		if (e != NULL && e->state == READY && now_us >= e->expires_us)
			drop(c, i);
	}
}
