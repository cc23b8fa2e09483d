#include "registry/session.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"

#define BUCKETS 1024

struct session {
	struct session *next;          /* in its bucket */
	struct session *older, *newer; /* among the idle */
	struct store_key key;
	bool is_busy;
	struct session_progress progress; /* while busy */
	struct session_state state;
};

struct session_set {
	struct mutex mutex;
	struct session *buckets[BUCKETS];
	struct session *oldest, *newest; /* idle ones */
	unsigned idle, busy;
};

struct session_set *session_set_new(void)
{
	struct session_set *s = xmalloc(sizeof(*s));
	mutex_init(&s->mutex, "sessions");
	return s;
}

static void free_session(struct session *x)
{
	hash_free(x->state.hash);
	free(x);
}

void session_set_free(struct session_set *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (s->buckets[i]) {
			struct session *x = s->buckets[i];
			s->buckets[i] = x->next;
			free_session(x);
		}
	}
	mutex_fini(&s->mutex);
	free(s);
}

/* Keys are random: any two bytes serve as a hash. */
static struct session **find(struct session_set *s, const struct store_key *key)
{
	size_t i = ((size_t)key->bytes[0] << 8 | key->bytes[1]) % BUCKETS;
	struct session **at = &s->buckets[i];
	while (*at && memcmp((*at)->key.bytes, key->bytes, STORE_KEY_LEN) != 0)
		at = &(*at)->next;
	return at;
}

static void unlist(struct session_set *s, struct session *x)
{
	*(x->older ? &x->older->newer : &s->oldest) = x->newer;
	*(x->newer ? &x->newer->older : &s->newest) = x->older;
	x->older = x->newer = NULL;
	s->idle--;
}

static void list_newest(struct session_set *s, struct session *x)
{
	x->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = x;
	s->newest = x;
	s->idle++;
}

bool session_enter(struct session_set *s, const struct store_key *key, struct session_state *state)
{
	LOCKED(&s->mutex);
	struct session **at = find(s, key);
	struct session *x = *at;
	if (x && x->is_busy)
		return false;
	if (x) {
		unlist(s, x);
	} else {
		x = xmalloc(sizeof(*x));
		x->key = *key;
		*at = x;
	}
	*state = x->state;
	x->state.hash = NULL;
	x->is_busy = true;
	s->busy++;
	return true;
}

void session_leave(
	struct session_set *s, const struct store_key *key, const struct session_state *state)
{
	struct session *gone = NULL;
	mutex_lock(&s->mutex);
	struct session **at = find(s, key);
	struct session *x = *at;
	if (x && x->is_busy) {
		x->is_busy = false;
		x->progress = (struct session_progress){ 0 };
		s->busy--;
		if (state) {
			x->state = *state;
			list_newest(s, x);
			if (s->idle > SESSIONS_IDLE_MAX) {
				gone = s->oldest;
				unlist(s, gone);
				*find(s, &gone->key) = gone->next;
			}
		} else {
			*at = x->next;
			gone = x;
		}
	}
	mutex_unlock(&s->mutex);
	if (gone)
		free_session(gone);
}

bool session_is_busy(struct session_set *s, const struct store_key *key, uint64_t *durable_bytes)
{
	LOCKED(&s->mutex);
	struct session *x = *find(s, key);
	if (!x || !x->is_busy)
		return false;
	*durable_bytes = x->state.durable_bytes;
	return true;
}

void session_note(struct session_set *s, const struct store_key *key, uint64_t durable_bytes)
{
	LOCKED(&s->mutex);
	struct session *x = *find(s, key);
	if (x)
		x->state.durable_bytes = durable_bytes;
}

void session_tell(
	struct session_set *s, const struct store_key *key, const struct session_progress *now)
{
	LOCKED(&s->mutex);
	struct session *x = *find(s, key);
	if (x)
		x->progress = *now;
}

bool session_watch(struct session_set *s, const struct store_key *key, struct session_progress *out)
{
	LOCKED(&s->mutex);
	struct session *x = *find(s, key);
	if (!x || !x->is_busy)
		return false;
	*out = x->progress;
	return true;
}

unsigned session_set_busy(struct session_set *s)
{
	LOCKED(&s->mutex);
	return s->busy;
}
