#include "front/throttle.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define ACTIONS_MAX 80 /* more than ECR has */
#define ACTION_LEN  64
#define HASH_SIZE   256
#define SECOND_NS   1000000000

struct rate {
	char action[ACTION_LEN];
	int64_t interval_ns; /* 0: no limit */
};

/* Of one registry. A bucket is the time at which it will be full again: a call moves it by the
 * rate's interval and is refused when that would be more than a second away. */
struct buckets {
	struct buckets *next;
	struct registry_id reg;
	_Atomic int64_t full_at_ns[ACTIONS_MAX];
};

struct throttle {
	struct rate rates[ACTIONS_MAX];
	size_t count;
	_Atomic(struct buckets *) registries[HASH_SIZE];
	atomic_uint registry_count;
	struct buckets shared;
};

struct throttle *throttle_new(void)
{
	return xmalloc(sizeof(struct throttle));
}

void throttle_free(struct throttle *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < HASH_SIZE; i++) {
		struct buckets *b = atomic_load(&t->registries[i]);
		while (b != NULL) {
			struct buckets *next = b->next;
			free(b);
			b = next;
		}
	}
	free(t);
}

void throttle_set_ecr(struct throttle *t)
{
	/* ECR User Guide, "Service quotas": rates of API actions, a second. */
	static const struct {
		struct str action;
		unsigned per_second;
	} quotas[] = {
		{ STR("BatchCheckLayerAvailability"), 1000 },
		{ STR("BatchGetImage"), 2000 },
		{ STR("CompleteLayerUpload"), 100 },
		{ STR("GetAuthorizationToken"), 500 },
		{ STR("GetDownloadUrlForLayer"), 3000 },
		{ STR("InitiateLayerUpload"), 100 },
		{ STR("PutImage"), 10 },
		{ STR("UploadLayerPart"), 500 },
	};

	for (size_t i = 0; i < ARRAY_LEN(quotas); i++)
		throttle_set(t, quotas[i].action, quotas[i].per_second);
}

static size_t rate_of(const struct throttle *t, struct str action)
{
	size_t i = 0;
	while (i < t->count && !str_eq_c(action, t->rates[i].action))
		i++;
	return i;
}

void throttle_set(struct throttle *t, struct str action, unsigned per_second)
{
	size_t i = rate_of(t, action);
	if (i == t->count) {
		bool fits =
			t->count < ACTIONS_MAX && str_to_c(action, t->rates[i].action, ACTION_LEN);
		assert(fits); /* app/ has checked the name against ECR's operations */
		t->count += fits;
	}
	t->rates[i].interval_ns = per_second == 0 ? 0 : SECOND_NS / (int64_t)per_second;
}

static size_t hash_of(const struct registry_id *reg)
{
	size_t h = 5381;
	for (const char *p = reg->account; *p != '\0'; p++)
		h = h * 33 + (unsigned char)*p;
	for (const char *p = reg->region; *p != '\0'; p++)
		h = h * 33 + (unsigned char)*p;
	return h % HASH_SIZE;
}

static struct buckets *find(struct buckets *list, const struct registry_id *reg)
{
	while (list != NULL && (strcmp(list->reg.account, reg->account) != 0 ||
				       strcmp(list->reg.region, reg->region) != 0))
		list = list->next;
	return list;
}

/* Two threads may add the same registry at once: the later one stands first and counts, and the
 * other's calls of that moment are forgiven. */
static struct buckets *buckets_of(struct throttle *t, const struct registry_id *reg)
{
	_Atomic(struct buckets *) *list = &t->registries[hash_of(reg)];
	struct buckets *b = find(atomic_load(list), reg);
	if (b != NULL)
		return b;
	if (atomic_fetch_add(&t->registry_count, 1) >= THROTTLE_REGISTRIES) {
		atomic_fetch_sub(&t->registry_count, 1);
		return &t->shared;
	}
	b = xmalloc(sizeof(*b));
	b->reg = *reg;
	b->next = atomic_load(list);
	while (!atomic_compare_exchange_weak(list, &b->next, b))
		;
	return b;
}

bool throttle_take(
	struct throttle *t, const struct registry_id *reg, const char *action, struct err *err)
{
	struct str name = str_from(action);
	if (t == NULL)
		return true;
	if (str_starts(name, STR("ecr:")))
		name = str_sub(name, 4, name.len - 4);
	size_t i = rate_of(t, name);
	if (i == t->count || t->rates[i].interval_ns == 0)
		return true;
	_Atomic int64_t *bucket = &buckets_of(t, reg)->full_at_ns[i];
	int64_t now_ns = clock_mono_us() * 1000;
	int64_t full_at_ns = atomic_load_explicit(bucket, memory_order_relaxed);
	for (;;) {
		int64_t next_ns =
			(full_at_ns > now_ns ? full_at_ns : now_ns) + t->rates[i].interval_ns;
		if (next_ns - now_ns > SECOND_NS)
			return err_set(err, ERR_THROTTLED, "Rate exceeded");
		if (atomic_compare_exchange_weak_explicit(bucket, &full_at_ns, next_ns,
			    memory_order_relaxed, memory_order_relaxed))
			return true;
	}
}
