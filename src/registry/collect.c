#include "registry/collect.h"

#include "base/clock.h"
#include "meta/blob_table.h"
#include "meta/image_table.h"
#include "meta/lifecycle_table.h"
#include "meta/pool_table.h"
#include "meta/registry_table.h"
#include "meta/repo_table.h"
#include "meta/state_table.h"
#include "meta/tag_event_table.h"
#include "meta/upload_table.h"
#include "registry/core_priv.h"
#include "registry/image_priv.h"
#include "registry/mount_log.h"
#include "registry/session.h"

#define TRIM_EVERY 64  /* rounds */
#define TRIMS_MAX  64  /* transactions of 10 * BATCH rows a round */
#define BATCH      200 /* rows a transaction: others wait for it at most some milliseconds */

struct step_args {
	struct core *core;
	int64_t now_ms;
	struct collect_report report; /* of this step */
	bool found;                   /* there was something to do */
	int64_t after_id;             /* dying repositories up to here wait for a request */
	bool is_stuck;                /* this one does */
	int64_t repository_id, registry_id;
};

/* --- candidates --- */

/* Review times were set with the grace of whoever queued them. Without any grace nothing waits, as
 * with `berth gc
 * --collect-grace 0` beside a server that has one. */
static int64_t due_by(const struct step_args *a)
{
	return a->core->o.collect_grace_ms == 0 ? INT64_MAX : a->now_ms;
}

static bool review_link(
	struct db_conn *conn, struct step_args *a, const struct candidate *k, struct err *err)
{
	struct link_row link;
	struct blob_row blob;
	bool found = false, has_blob = false;
	if (!link_table_find(conn, k->repository_id, k->blob_id, &link, &found, err))
		return false;
	if (!found || link.needs > 0)
		return true;
	/* Linked, pushed or given up again since: a candidate of its own comes later. */
	if (link.linked_at_ms + a->core->o.collect_grace_ms > a->now_ms)
		return true;
	if (!blob_table_get(conn, k->blob_id, &blob, &has_blob, err))
		return false;
	if (!has_blob)
		return err_sys(err, ERR_CORRUPT, 0, "a link without its blob");
	a->report.links++;
	return link_table_remove(conn, k->repository_id, &blob, a->now_ms, err);
}

static bool review_blob(
	struct db_conn *conn, struct step_args *a, const struct candidate *k, struct err *err)
{
	struct blob_row blob;
	bool found = false;
	if (!blob_table_get(conn, k->blob_id, &blob, &found, err))
		return false;
	if (!found || blob.links > 0)
		return true;
	a->report.blobs++;
	a->report.bytes += blob.size_bytes;
	return blob_table_remove(conn, &blob, err);
}

static bool review_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct step_args *a = arg;
	struct candidate due[BATCH];
	size_t n = 0;
	a->report = (struct collect_report){ 0 };
	if (!candidate_table_due(conn, due_by(a), due, BATCH, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool done = due[i].repository_id ? review_link(conn, a, &due[i], err)
						 : review_blob(conn, a, &due[i], err);
		if (!done || !candidate_table_remove(conn, &due[i], err))
			return false;
	}
	a->found = n > 0;
	return true;
}

static bool has_due_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct step_args *a = arg;
	struct candidate due;
	size_t n = 0;
	if (!candidate_table_due(conn, due_by(a), &due, 1, &n, err))
		return false;
	a->found = n > 0;
	return true;
}

static bool review(struct step_args *a, struct err *err)
{
	return db_read(a->core->db, has_due_in, a, err) &&
	       (!a->found || db_write(a->core->db, review_in, a, err));
}

/* --- deleted repositories --- */

static bool find_dying_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct step_args *a = arg;
	return repo_table_next_dying(conn, a->after_id, &a->repository_id, &a->registry_id, err);
}

static bool empty_images(
	struct db_conn *conn, struct step_args *a, int64_t pool_id, size_t *done, struct err *err)
{
	struct arena *arena = arena_new(256 * KIB);
	bool ok = true, found = true;
	for (*done = 0; ok && found && *done < BATCH / 4; (*done)++) {
		struct image_row row;
		ok = image_table_newest(conn, a->repository_id, arena, &row, &found, err);
		if (!ok || !found)
			break;
		struct tag_stamp stamp = { a->now_ms, STR("") }; /* goes with the repository */
		ok = image_drop(conn, pool_id, &row, &stamp, a->core->o.collect_grace_ms, err);
		*done += (size_t)row.tags /
			 4; /* an image with ten thousand tags is work for one step */
		a->report.images++;
	}
	arena_free(arena);
	return ok;
}

static bool empty_links(struct db_conn *conn, struct step_args *a, size_t *done, struct err *err)
{
	int64_t ids[BATCH];
	size_t n = 0;
	*done = 0;
	if (!link_table_of_repository(conn, a->repository_id, ids, BATCH, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct blob_row blob;
		bool found = false;
		if (!blob_table_get(conn, ids[i], &blob, &found, err))
			return false;
		if (!found)
			return err_sys(err, ERR_CORRUPT, 0, "a link without its blob");
		if (!link_table_remove(conn, a->repository_id, &blob,
			    a->now_ms + a->core->o.collect_grace_ms, err))
			return false;
	}
	a->report.links += n;
	*done = n;
	return true;
}

/*
 * One that a request still writes to stays until that ends: its object would come back after the
 * bytes are removed. Nobody can take it anew, for upload_take looks at the repository again.
 */
static bool empty_uploads(
	struct db_conn *conn, struct step_args *a, size_t *done, bool *busy, struct err *err)
{
	struct upload_row rows[BATCH];
	size_t n = 0;
	int64_t open = 0;
	bool removed = false;
	*done = 0;
	*busy = false;
	if (!upload_table_of_repository(conn, a->repository_id, rows, BATCH, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct store_key key;
		uint64_t size;
		memcpy(key.bytes, rows[i].key, STORE_KEY_LEN);
		if (session_is_busy(a->core->sessions, &key, &size)) {
			*busy = true;
			continue;
		}
		if (!upload_table_remove(conn, rows[i].key, &removed, err) ||
			!trash_table_add(conn, rows[i].key, err) ||
			!registry_table_uploads(conn, a->registry_id, -1, &open, err))
			return false;
		(*done)++;
	}
	return true;
}

static bool empty_repository_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct step_args *a = arg;
	size_t images = 0;
	size_t links = 0;
	size_t uploads = 0;
	int64_t pool_id = 0;
	bool busy = false;
	a->is_stuck = false;
	a->report = (struct collect_report){ 0 };
	if (!repo_table_pool(conn, a->repository_id, &pool_id, err))
		return false;
	if (!pool_id)
		return true; /* another process was faster */
	if (!empty_images(conn, a, pool_id, &images, err))
		return false;
	if (images == 0 && !empty_links(conn, a, &links, err))
		return false;
	if (images == 0 && links == 0 && !empty_uploads(conn, a, &uploads, &busy, err))
		return false;
	if (images || links || uploads)
		return true;
	if (busy) {
		a->is_stuck = true;
		return true;
	}
	a->report.repositories++;
	return lifecycle_table_forget(conn, a->repository_id, err) &&
	       layer_archived_table_forget(conn, a->repository_id, err) &&
	       follow_table_forget(conn, a->repository_id, err) &&
	       tag_event_table_forget(conn, a->repository_id, err) &&
	       repo_table_remove(conn, a->repository_id, err);
}

static bool empty_repository(struct step_args *a, struct err *err)
{
	if (!db_read(a->core->db, find_dying_in, a, err))
		return false;
	a->found = a->repository_id != 0;
	if (a->found && !db_write(a->core->db, empty_repository_in, a, err))
		return false;
	if (a->found && a->is_stuck)
		a->after_id = a->repository_id;
	return true;
}

/* --- uploads that nobody goes on with --- */

struct expire_args {
	struct step_args *step;
	int64_t before_ms;
	struct upload_row rows[BATCH];
	size_t count;
	struct upload_row at; /* where the walk is */
	struct upload_row now;
	bool found, removed;
};

static bool older_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct expire_args *a = arg;
	return upload_table_older(conn, a->before_ms, &a->at, a->rows, BATCH, &a->count, err);
}

static bool expire_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct expire_args *a = arg;
	int64_t registry_id = 0;
	int64_t open = 0;
	if (!upload_table_remove(conn, a->at.key, &a->removed, err))
		return false;
	return !a->removed ||
	       (trash_table_add(conn, a->at.key, err) &&
		       repo_table_registry(conn, a->at.repository_id, &registry_id, err) &&
		       registry_table_uploads(conn, registry_id, -1, &open, err));
}

static bool upload_now_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct expire_args *a = arg;
	return upload_table_find(conn, a->at.key, &a->now, &a->found, err);
}

/* Whether something was written to it lately: to its row, or to its object if it has one. */
static bool is_fresh(
	struct expire_args *a, const struct store_key *key, bool *fresh, struct err *err)
{
	struct core *c = a->step->core;
	uint64_t size = 0;
	int64_t last_ms = 0;
	if (!db_read(c->db, upload_now_in, a, err))
		return false;
	if (!blobstore_stat(c->store, key, &size, &last_ms, err) && err->kind != ERR_BLOB_UNKNOWN)
		return false;
	if (a->found && a->now.written_at_ms > last_ms)
		last_ms = a->now.written_at_ms;
	*fresh = last_ms + c->o.upload_life_ms > a->step->now_ms;
	return true;
}

/* Looked at before it is entered, lest a client that goes on with it finds it busy; and again
 * after, because then nobody can go on with it before it is removed. */
static bool expire_one(struct expire_args *a, struct err *err)
{
	struct core *c = a->step->core;
	struct store_key key;
	struct session_state state;
	bool fresh = true;
	a->removed = false;
	memcpy(key.bytes, a->at.key, STORE_KEY_LEN);
	if (!is_fresh(a, &key, &fresh, err))
		return false;
	if (fresh || !session_enter(c->sessions, &key, &state))
		return true;
	bool ok = is_fresh(a, &key, &fresh, err) && (fresh || db_write(c->db, expire_in, a, err));
	if (a->removed || !state.hash) {
		hash_free(state.hash);
		session_leave(c->sessions, &key, NULL);
	} else {
		session_leave(c->sessions, &key, &state);
	}
	if (ok && a->removed)
		a->step->report.uploads++;
	return ok;
}

static bool expire_uploads(struct step_args *step, struct err *err)
{
	struct expire_args a = { .step = step,
		.before_ms = step->now_ms - step->core->o.upload_life_ms };
	do {
		if (!db_read(step->core->db, older_in, &a, err))
			return false;
		for (size_t i = 0; i < a.count; i++) {
			a.at = a.rows[i];
			if (!expire_one(&a, err))
				return false;
		}
	} while (a.count == BATCH);
	return true;
}

/* --- objects of a re-encryption that was killed --- */

static bool expire_making_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct step_args *a = arg;
	return making_table_expire(conn, a->now_ms - a->core->o.upload_life_ms, err);
}

static bool has_old_making_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct step_args *a = arg;
	return making_table_has_older(conn, a->now_ms - a->core->o.upload_life_ms, &a->found, err);
}

/* One that is still being written is younger, as a rule; if not, its blob keeps the object that it
 * has (reencrypt.c looks). */
static bool expire_making(struct step_args *a, struct err *err)
{
	return db_read(a->core->db, has_old_making_in, a, err) &&
	       (!a->found || db_write(a->core->db, expire_making_in, a, err));
}

/* --- bytes --- */

struct trash_args {
	uint8_t keys[BATCH][BLOB_STORE_KEY_LEN];
	size_t count;
};

static bool trash_list_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct trash_args *a = arg;
	return trash_table_list(conn, a->keys, BATCH, &a->count, err);
}

static bool trash_remove_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct trash_args *a = arg;
	for (size_t i = 0; i < a->count; i++) {
		if (!trash_table_remove(conn, a->keys[i], err))
			return false;
	}
	return true;
}

/* Row first, bytes later (DESIGN): what stands in the trash is named by no other row. An object
 * that cannot be removed keeps its row, and holds up none of the others; so do all until they are
 * durably gone, lest a power cut leaves objects that nothing names. */
static bool empty_trash(struct step_args *step, struct err *err)
{
	struct trash_args a = { .count = 0 };
	size_t gone = 0;
	size_t failed = 0;
	struct err first;
	struct err e;
	if (!db_read(step->core->db, trash_list_in, &a, err))
		return false;
	step->found = a.count > 0;
	for (size_t i = 0; i < a.count; i++) {
		struct store_key key;
		memcpy(key.bytes, a.keys[i], STORE_KEY_LEN);
		if (blobstore_remove(step->core->store, &key, &e))
			memcpy(a.keys[gone++], key.bytes, STORE_KEY_LEN);
		else if (failed++ == 0)
			first = e;
	}
	a.count = gone;
	if (gone && (!blobstore_sync_removed(step->core->store, err) ||
			    !db_write(step->core->db, trash_remove_in, &a, err)))
		return false;
	if (failed)
		*err = first;
	return failed == 0;
}

/* --- the mount log --- */

static bool trim_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct step_args *a = arg;
	return mount_log_table_trim(
		conn, a->registry_id, a->core->o.mount_log_keep, 10 * BATCH, err);
}

static bool next_registry_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct step_args *a = arg;
	return mount_log_table_over(
		conn, a->registry_id, a->core->o.mount_log_keep, &a->registry_id, err);
}

/* Finding the oldest row to keep walks over all that are kept: now and then is enough. */
static bool trim_log(struct step_args *a, struct err *err)
{
	if (atomic_load(&a->core->collect_runs) % TRIM_EVERY != 1)
		return true;
	a->registry_id = 0;
	for (unsigned i = 0; i < TRIMS_MAX; i++) {
		if (!db_read(a->core->db, next_registry_in, a, err))
			return false;
		if (!a->registry_id)
			return true;
		if (!db_write(a->core->db, trim_in, a, err))
			return false;
		a->registry_id--; /* the same one again, while it has too many */
	}
	return true;
}

/* --- a round --- */

static void add_report(struct core *c, const struct collect_report *r, struct collect_report *sum)
{
	sum->links += r->links;
	sum->blobs += r->blobs;
	sum->bytes += r->bytes;
	sum->uploads += r->uploads;
	sum->images += r->images;
	sum->repositories += r->repositories;
	core_count(&c->links_collected, r->links);
	core_count(&c->blobs_collected, r->blobs);
	core_count(&c->bytes_collected, r->bytes);
	core_count(&c->uploads_expired, r->uploads);
}

typedef bool (*step_fn)(struct step_args *a, struct err *err);

/* Repeats a step while it finds work, within the budget. */
static bool repeat(struct core *c, step_fn step, int64_t now_ms, unsigned *steps,
	struct collect_report *report, struct err *err)
{
	struct step_args a = { .core = c, .now_ms = now_ms };
	while (*steps) {
		a.report = (struct collect_report){ 0 };
		a.found = false;
		if (!step(&a, err))
			return false;
		if (!a.found)
			return true;
		(*steps)--;
		add_report(c, &a.report, report);
	}
	report->more = true; /* perhaps: nobody looked */
	return true;
}

bool collect_run(struct core *c, int64_t now_ms, unsigned steps, struct collect_report *report,
	struct err *err)
{
	struct step_args once = { .core = c, .now_ms = now_ms };
	report->more = false;
	core_count(&c->collect_runs, 1);
	bool ok = expire_uploads(&once, err) && expire_making(&once, err);
	add_report(c, &once.report, report);
	ok = ok && repeat(c, empty_repository, now_ms, &steps, report, err) &&
	     repeat(c, review, now_ms, &steps, report, err) &&
	     repeat(c, empty_trash, now_ms, &steps, report, err) && trim_log(&once, err);
	if (!ok)
		core_count(&c->collect_errors, 1);
	return ok;
}

bool collect_flush_log(struct core *c, struct err *err)
{
	return mount_log_flush(c, err);
}

static bool backlog_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct collect_backlog *b = arg;
	return candidate_table_count(conn, &b->candidates, err) &&
	       trash_table_count(conn, &b->trash, err);
}

bool collect_backlog(struct core *c, struct collect_backlog *out, struct err *err)
{
	return db_read(c->db, backlog_in, out, err);
}
