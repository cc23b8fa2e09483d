#include "registry/pull.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "meta/state_table.h"
#include "registry/core_priv.h"

#define SLOTS       16384 /* images whose last note is remembered; a power of two */
#define WAITING_MAX 8192
#define RENEW_MS    ((int64_t)3600 * 1000)

struct note {
	int64_t image_id, at_ms;
};

struct excluded {
	int64_t registry_id;
	char *principal;
};

struct pull_set {
	struct mutex mutex; /* guards all below but change */
	struct note slots[SLOTS];
	struct note waiting[WAITING_MAX];
	unsigned waiting_count;
	struct excluded *excluded; /* of all registries */
	size_t excluded_count;
	unsigned loaded;         /* the change that `excluded` knows of */
	_Atomic unsigned change; /* of exclusions, by this process; 0: nothing was loaded yet */
};

struct pull_set *pull_set_new(void)
{
	struct pull_set *s = xmalloc(sizeof(*s));
	mutex_init(&s->mutex, "pulls");
	return s;
}

static void free_excluded(struct excluded *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].principal);
	free(list);
}

void pull_set_free(struct pull_set *s)
{
	if (!s)
		return;
	free_excluded(s->excluded, s->excluded_count);
	mutex_fini(&s->mutex);
	free(s);
}

/* --- exclusions --- */

/* "arn:aws:sts::<account>:assumed-role/<role>/<session>" is a session of
 * "arn:aws:iam::<account>:role/<path...>/<role>": sessions do not tell the path. */
bool pull_is_covered(struct str exclusion, struct str principal)
{
	struct str part[2][5];
	struct str rest[2] = { exclusion, principal };
	if (str_eq(exclusion, principal))
		return true;
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < 5; i++) {
			if (!str_cut(rest[k], ':', &part[k][i], &rest[k]))
				return false;
		}
	}
	if (!str_eq(part[0][1], part[1][1]) || !str_eq(part[0][4], part[1][4]) ||
		!str_eq_c(part[0][2], "iam") || !str_eq_c(part[1][2], "sts"))
		return false;
	struct str kind;
	struct str role;
	struct str session;
	struct str name = rest[0];
	if (!str_starts(name, STR("role/")) || !str_cut(rest[1], '/', &kind, &session) ||
		!str_eq_c(kind, "assumed-role") || !str_cut(session, '/', &role, &session))
		return false;
	struct str head;
	struct str tail;
	while (str_cut(name, '/', &head, &tail))
		name = tail;
	return str_eq(name, role);
}

struct load {
	struct excluded *list;
	size_t count, room;
};

static void load_one(void *arg, int64_t registry_id, struct str principal)
{
	struct load *l = arg;
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct excluded *list = reallocarray(l->list, room, sizeof(*list));
		if (!list)
			abort(); /* a hundred a registry: small */
		l->list = list;
		l->room = room;
	}
	char *copy = xmalloc(principal.len + 1);
	memcpy(copy, principal.ptr, principal.len);
	l->list[l->count++] = (struct excluded){ registry_id, copy };
}

static bool load_in(struct db_conn *conn, void *arg, struct err *err)
{
	return exclusion_table_each(conn, load_one, arg, err);
}

/* Reads all exclusions anew. What an earlier change saw never replaces what a later one saw. */
static bool load(struct core *c, struct err *err)
{
	struct pull_set *s = c->pulls;
	struct load l = { 0 };
	unsigned seen = atomic_load(&s->change);
	if (!db_read(c->db, load_in, &l, err)) {
		free_excluded(l.list, l.count);
		return false;
	}
	mutex_lock(&s->mutex);
	if (seen >= s->loaded) {
		struct load old = { s->excluded, s->excluded_count, 0 };
		s->excluded = l.list;
		s->excluded_count = l.count;
		s->loaded = seen;
		l = old;
	}
	mutex_unlock(&s->mutex);
	free_excluded(l.list, l.count);
	return true;
}

static bool is_excluded(const struct pull_set *s, int64_t registry_id, struct str principal)
{
	for (size_t i = 0; i < s->excluded_count; i++) {
		if (s->excluded[i].registry_id == registry_id &&
			pull_is_covered(str_from(s->excluded[i].principal), principal))
			return true;
	}
	return false;
}

/* --- notes --- */

void pull_note(
	struct core *c, const struct registry_id *reg, int64_t image_id, struct str principal)
{
	struct pull_set *s = c->pulls;
	struct err e;
	int64_t now = clock_now_ms();
	int64_t registry_id = 0;
	if (atomic_load(&s->change) == 0) {
		/* No record rather than one that should not be. */
		if (!load(c, &e))
			return;
		unsigned none = 0;
		atomic_compare_exchange_strong(&s->change, &none, 1);
	}
	if (!core_registry(c, reg, false, &registry_id, &e))
		return;
	struct note *slot = &s->slots[(uint64_t)image_id & (SLOTS - 1)];
	LOCKED(&s->mutex);
	if (slot->image_id == image_id && now - slot->at_ms < RENEW_MS)
		return;
	if (s->waiting_count == WAITING_MAX || is_excluded(s, registry_id, principal))
		return;
	*slot = (struct note){ image_id, now };
	s->waiting[s->waiting_count++] = *slot;
}

struct flush {
	struct note *notes;
	unsigned count;
};

static bool flush_in(struct db_conn *conn, void *arg, struct err *err)
{
	const struct flush *f = arg;
	for (unsigned i = 0; i < f->count; i++) {
		if (!state_table_pulled(conn, f->notes[i].image_id, f->notes[i].at_ms, err))
			return false;
	}
	return true;
}

bool pull_flush(struct core *c, struct err *err)
{
	struct pull_set *s = c->pulls;
	struct flush f = { 0 };
	mutex_lock(&s->mutex);
	if (s->waiting_count) {
		f.count = s->waiting_count;
		f.notes = xcalloc(f.count, sizeof(*f.notes));
		memcpy(f.notes, s->waiting, f.count * sizeof(*f.notes));
		s->waiting_count = 0;
	}
	mutex_unlock(&s->mutex);
	if (!f.count)
		return true;
	bool ok = db_write(c->db, flush_in, &f, err);
	if (!ok) {
		/* Once more with the next batch, as far as there is room. */
		LOCKED(&s->mutex);
		for (unsigned i = 0; i < f.count && s->waiting_count < WAITING_MAX; i++)
			s->waiting[s->waiting_count++] = f.notes[i];
	}
	free(f.notes);
	return ok;
}

/* --- the API's side --- */

struct exclusion_args {
	const struct registry_id *reg;
	int64_t registry_id;
	struct str principal;
	int64_t now_ms;
	struct str after;
	unsigned max;
	struct arena *arena;
	struct exclusion_row *rows;
	size_t count;
};

static bool exclude_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct exclusion_args *a = arg;
	uint64_t n = 0;
	bool added = false;
	if (!exclusion_table_add(conn, a->registry_id, a->principal, a->now_ms, &added, err) ||
		!exclusion_table_count(conn, a->registry_id, &n, err))
		return false;
	if (!added)
		return err_set(err, ERR_EXCLUSION_EXISTS,
			"A pull time update exclusion for the principal '" STR_FMT
			"' already exists in the registry with id '%s'",
			STR_ARG(a->principal), a->reg->account);
	if (n > PULL_EXCLUSIONS_MAX)
		return err_set(err, ERR_LIMIT,
			"The maximum number of pull time update exclusions in the registry with id '%s' is %d",
			a->reg->account, PULL_EXCLUSIONS_MAX);
	return true;
}

static bool include_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct exclusion_args *a = arg;
	bool removed = false;
	if (!exclusion_table_remove(conn, a->registry_id, a->principal, &removed, err))
		return false;
	return removed || err_set(err, ERR_EXCLUSION_UNKNOWN,
				  "A pull time update exclusion for the principal '" STR_FMT
				  "' does not exist in the registry with id '%s'",
				  STR_ARG(a->principal), a->reg->account);
}

/* Makes the change and then the copy in memory, which the next pull sees. */
static bool change(struct core *c, struct exclusion_args *a, db_fn fn, struct err *err)
{
	if (!core_registry(c, a->reg, true, &a->registry_id, err) || !db_write(c->db, fn, a, err))
		return false;
	atomic_fetch_add(&c->pulls->change, 1);
	return load(c, err);
}

bool pull_exclude(struct core *c, const struct registry_id *reg, struct str principal,
	int64_t *created_at_ms, struct err *err)
{
	struct exclusion_args a = { .reg = reg, .principal = principal, .now_ms = clock_now_ms() };
	if (!change(c, &a, exclude_in, err))
		return false;
	*created_at_ms = a.now_ms;
	return true;
}

bool pull_include(
	struct core *c, const struct registry_id *reg, struct str principal, struct err *err)
{
	struct exclusion_args a = { .reg = reg, .principal = principal };
	return change(c, &a, include_in, err);
}

static bool list_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct exclusion_args *a = arg;
	struct exclusion_row after = { .registry_id = a->registry_id, .principal = a->after };
	return exclusion_table_list(conn, &after, a->max, a->arena, a->rows, &a->count, err);
}

bool pull_exclusions(struct core *c, const struct registry_id *reg, struct str after,
	unsigned limit, struct arena *arena, struct pull_exclusion_page *out, struct err *err)
{
	struct exclusion_args a = { .reg = reg, .after = after, .max = limit + 1, .arena = arena };
	struct pull_exclusion_page page = { .items = arena_alloc(
						    arena, (limit + 1) * sizeof(*page.items)) };
	a.rows = arena_alloc(arena, (limit + 1) * sizeof(*a.rows));
	if (!page.items || !a.rows)
		return core_no_memory(arena, err);
	if (!core_registry(c, reg, false, &a.registry_id, err) ||
		(a.registry_id && !db_read(c->db, list_in, &a, err)))
		return false;
	page.more = a.count > limit;
	page.count = page.more ? limit : a.count;
	for (size_t i = 0; i < page.count; i++)
		page.items[i] =
			(struct pull_exclusion){ a.rows[i].principal, a.rows[i].created_at_ms };
	*out = page;
	return true;
}
