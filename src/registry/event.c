#include "registry/event.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crypt/random.h"
#include "registry/core_priv.h"
#include "registry/event_priv.h"

#define TAGS_TOLD   1000 /* of an image that goes */
#define ARENA_BYTES (512 * KIB)

struct hook {
	int64_t id;
	char *repository; /* pattern; empty: all */
	int kind;         /* 0: all */
};

struct event_set {
	struct hook hooks[EVENT_WEBHOOKS_MAX];
	size_t count;
	_Atomic uint64_t generation;
};

static void set_clear(struct event_set *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->hooks[i].repository);
	s->count = 0;
}

void event_set_free(struct event_set *s)
{
	if (!s)
		return;
	set_clear(s);
	free(s);
}

/* --- start --- */

static char *text_copy(struct str s)
{
	char *text = xmalloc(s.len + 1);
	memcpy(text, s.ptr, s.len);
	return text;
}

static void set_add(struct event_set *s, int64_t id, struct str repository, int kind)
{
	if (s->count < EVENT_WEBHOOKS_MAX)
		s->hooks[s->count++] = (struct hook){ id, text_copy(repository), kind };
}

/* Takes the place of what the core had. */
static void core_set(struct core *c, struct event_set *s)
{
	event_set_free(c->events);
	c->events = NULL;
	if (s->count != 0)
		c->events = s;
	else
		event_set_free(s);
}

static bool load_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct event_set *s = arg;
	struct webhook_row row = { .id = 0 };
	struct arena *arena = arena_new(64 * KIB);
	bool ok;
	set_clear(s); /* of a run before this one */
	while ((ok = webhook_table_next(conn, row.id, arena, &row, err)) && row.id != 0)
		set_add(s, row.id, row.repository, row.kind);
	arena_free(arena);
	return ok;
}

bool event_load(struct core *c, struct err *err)
{
	struct event_set *s = xmalloc(sizeof(*s));
	if (!db_read(c->db, load_in, s, err)) {
		event_set_free(s);
		return false;
	}
	core_set(c, s);
	return true;
}

struct configure_args {
	const struct event_webhook *webhooks;
	size_t count;
	int64_t ids[EVENT_WEBHOOKS_MAX];
	uint64_t dropped;
};

static bool is_configured(const struct configure_args *a, int64_t id)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->ids[i] == id)
			return true;
	}
	return false;
}

static bool configure_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct configure_args *a = arg;
	struct webhook_row row = { .id = 0 };
	struct arena *arena = arena_new(64 * KIB);
	bool ok = true;
	a->dropped = 0;
	for (size_t i = 0; ok && i < a->count; i++) {
		const struct event_webhook *w = &a->webhooks[i];
		struct webhook_row wanted = { 0, w->url, w->repository, (int)w->kind };
		ok = webhook_table_put(conn, &wanted, &a->ids[i], err);
	}
	while (ok && (ok = webhook_table_next(conn, row.id, arena, &row, err)) && row.id != 0) {
		uint64_t dropped = 0;
		if (is_configured(a, row.id))
			continue;
		ok = webhook_table_remove(conn, row.id, &dropped, err);
		a->dropped += dropped;
	}
	arena_free(arena);
	return ok;
}

bool event_configure(struct core *c, const struct event_webhook *webhooks, size_t count,
	uint64_t *dropped, struct err *err)
{
	struct configure_args a = { .webhooks = webhooks, .count = count };
	assert(count <= EVENT_WEBHOOKS_MAX);
	*dropped = 0;
	if (count == 0 && !c->events)
		return true;
	if (!db_write(c->db, configure_in, &a, err))
		return false;
	struct event_set *s = xmalloc(sizeof(*s));
	for (size_t i = 0; i < count; i++)
		set_add(s, a.ids[i], webhooks[i].repository, (int)webhooks[i].kind);
	core_set(c, s);
	*dropped = a.dropped;
	return true;
}

/* --- writing --- */

static bool wants(const struct hook *h, const struct event_row *e)
{
	return (h->kind == 0 || h->kind == e->kind) &&
	       (h->repository[0] == '\0' || str_glob(str_from(h->repository), e->repository));
}

static bool add_to(struct event_set *s, struct db_conn *conn, struct event_row *e, struct err *err)
{
	/* One id for all webhooks: it is one event. */
	random_uuid(e->event_id);
	for (size_t i = 0; i < s->count; i++) {
		if (!wants(&s->hooks[i], e))
			continue;
		e->webhook_id = s->hooks[i].id;
		if (!event_table_add(conn, e, err))
			return false;
		atomic_fetch_add(&s->generation, 1);
	}
	return true;
}

static bool add(struct event_set *s, struct db_conn *conn, const struct image_row *row,
	enum event_action action, const struct str *tags, size_t tag_count, struct err *err)
{
	struct arena *arena = arena_new(4 * KIB);
	bool found = false;
	struct event_row e = {
		.repository_id = row->repository_id,
		.at_ms = clock_now_ms(),
		.kind = row->has_subject ? EVENT_REFERRER : EVENT_IMAGE,
		.action = (int)action,
		.digest = row->digest,
		.media_type = row->media_type,
		.artifact_type = row->artifact_type,
	};
	bool ok = event_table_place(conn, row->repository_id, arena, &e, &found, err);
	for (size_t i = 0; ok && found && i < tag_count; i++) {
		e.tag = tags[i];
		ok = add_to(s, conn, &e, err);
	}
	arena_free(arena);
	return ok;
}

bool event_add(struct core *c, struct db_conn *conn, const struct image_row *row,
	enum event_action action, struct str tag, struct err *err)
{
	return !c->events || add(c->events, conn, row, action, &tag, 1, err);
}

bool event_image_gone(
	struct core *c, struct db_conn *conn, const struct image_row *row, struct err *err)
{
	struct str none = STR("");
	size_t n = 0;
	if (!c->events)
		return true;
	if (row->tags == 0)
		return add(c->events, conn, row, EVENT_DELETE, &none, 1, err);
	struct arena *arena = arena_new(ARENA_BYTES);
	struct str *tags = arena_alloc(arena, sizeof(*tags) * TAGS_TOLD);
	struct page page = { .max = TAGS_TOLD, .arena = arena };
	bool ok = tags ? tag_table_of_image(conn, row->id, &page, tags, &n, err) &&
				  add(c->events, conn, row, EVENT_DELETE, tags, n, err)
		       : core_no_memory(arena, err);
	arena_free(arena);
	return ok;
}

bool event_add_id(struct core *c, struct db_conn *conn, int64_t image_id, enum event_action action,
	struct err *err)
{
	struct image_row row;
	bool found = false;
	if (!c->events)
		return true;
	struct arena *arena = arena_new(4 * KIB);
	bool ok = image_table_get(conn, image_id, NULL, arena, &row, &found, err) &&
		  (!found || event_add(c, conn, &row, action, STR(""), err));
	arena_free(arena);
	return ok;
}

/* --- delivery --- */

struct due_args {
	int64_t webhook_id, now_ms;
	struct arena *arena;
	struct event_batch *out;
};

static bool due_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct due_args *a = arg;
	return event_table_due(conn, a->webhook_id, a->now_ms, a->arena, a->out, err);
}

bool event_due(struct core *c, size_t webhook, int64_t now_ms, struct arena *arena,
	struct event_batch *out, struct err *err)
{
	struct due_args a = { c->events->hooks[webhook].id, now_ms, arena, out };
	return db_read(c->db, due_in, &a, err);
}

struct settle_args {
	const struct event_settled *items;
	size_t count;
};

static bool settle_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct settle_args *a = arg;
	int64_t now = clock_now_ms();
	for (size_t i = 0; i < a->count; i++) {
		const struct event_settled *s = &a->items[i];
		if (s->due_at_ms ? !event_table_defer(conn, s->row->id, s->due_at_ms, err)
				 : !event_table_remove(conn, s->row, now, err))
			return false;
	}
	return true;
}

bool event_settle(struct core *c, const struct event_settled *items, size_t count, struct err *err)
{
	struct settle_args a = { items, count };
	return count == 0 || db_write(c->db, settle_in, &a, err);
}

struct waiting_args {
	int64_t webhook_id;
	uint64_t out;
};

static bool waiting_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct waiting_args *a = arg;
	return webhook_table_waiting(conn, a->webhook_id, &a->out, err);
}

bool event_waiting(struct core *c, size_t webhook, uint64_t *out, struct err *err)
{
	struct waiting_args a = { .webhook_id = c->events->hooks[webhook].id };
	if (!db_read(c->db, waiting_in, &a, err))
		return false;
	*out = a.out;
	return true;
}

uint64_t event_generation(struct core *c)
{
	return atomic_load(&c->events->generation);
}
