#include "registry/upload_list.h"

#include "meta/repo_table.h"
#include "meta/upload_table.h"
#include "registry/core_priv.h"
#include "registry/session.h"

#define STEP     500
#define LOOK_MAX 10000 /* uploads of all registries that a page looks at */

struct list_args {
	int64_t registry_id;
	struct upload_row at;
	struct arena *arena;
	struct upload_row *rows; /* STEP */
	struct upload_row *found;
	struct str *names;
	size_t max, count;
	bool more;
};

/* Looks at one row; adds it if it is the registry's and its repository lives. */
static bool look(
	struct db_conn *conn, struct list_args *a, const struct upload_row *row, struct err *err)
{
	int64_t registry_id = 0;
	bool live = false;
	struct str name;
	if (!repo_table_registry(conn, row->repository_id, &registry_id, err))
		return false;
	if (registry_id != a->registry_id)
		return true;
	if (!repo_table_name(conn, row->repository_id, a->arena, &name, &live, err))
		return false;
	if (!live)
		return true;
	if (!name.ptr)
		return core_no_memory(a->arena, err);
	a->found[a->count] = *row;
	a->names[a->count++] = name;
	return true;
}

static bool list_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct list_args *a = arg;
	a->count = 0;
	a->more = true;
	for (size_t looked = 0; a->more && looked < LOOK_MAX;) {
		size_t n = 0;
		if (!upload_table_older(conn, INT64_MAX, &a->at, a->rows, STEP, &n, err))
			return false;
		a->more = n == STEP;
		for (size_t i = 0; i < n; i++, looked++) {
			if (a->count == a->max) {
				a->more = true;
				return true;
			}
			if (!look(conn, a, &a->rows[i], err))
				return false;
			a->at = a->rows[i];
		}
	}
	return true;
}

/* What the bytes tell, outside of the snapshot. */
static void fill(struct core *c, const struct upload_row *row, struct upload_item *out)
{
	struct store_key key;
	uint64_t size = 0;
	int64_t last = 0;
	struct err why;
	memcpy(key.bytes, row->key, STORE_KEY_LEN);
	uuid_text(row->key, out->id);
	out->started_at_ms = row->created_at_ms;
	out->received_bytes = row->form ? row->plain_bytes : 0;
	out->last_at_ms = row->written_at_ms;
	/* Nothing was written yet, or it has just ended: then the row is what there is to tell. */
	if (blobstore_stat(c->store, &key, &size, &last, &why)) {
		if (last > out->last_at_ms)
			out->last_at_ms = last;
		/* Sealed bytes are a little more than plain ones, and the row lags behind. */
		if (size > out->received_bytes)
			out->received_bytes = size;
	}
	struct session_progress now;
	out->is_active = session_watch(c->sessions, &key, &now);
	if (!out->is_active)
		return;
	out->expected_bytes = now.expected_bytes;
	if (now.received_bytes) /* exact */
		out->received_bytes = now.received_bytes;
}

bool upload_list(struct core *c, const struct registry_id *reg, const struct upload_cursor *from,
	unsigned limit, struct arena *arena, struct upload_page *out, struct err *err)
{
	struct list_args a = { .arena = arena, .max = limit };
	struct upload_page page = { .items =
					    arena_alloc(arena, (limit + 1) * sizeof(*page.items)) };
	a.at.created_at_ms = from->at_ms;
	memcpy(a.at.key, from->key, sizeof(a.at.key));
	a.rows = arena_alloc(arena, STEP * sizeof(*a.rows));
	a.found = arena_alloc(arena, (limit + 1) * sizeof(*a.found));
	a.names = arena_alloc(arena, (limit + 1) * sizeof(*a.names));
	if (!page.items || !a.rows || !a.found || !a.names)
		return core_no_memory(arena, err);
	if (!core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (a.registry_id && !db_read(c->db, list_in, &a, err))
		return false;
	for (size_t i = 0; i < a.count; i++) {
		page.items[i].repo = a.names[i];
		fill(c, &a.found[i], &page.items[i]);
	}
	page.count = a.count;
	page.more = a.more;
	page.next.at_ms = a.at.created_at_ms;
	memcpy(page.next.key, a.at.key, sizeof(page.next.key));
	*out = page;
	return true;
}
