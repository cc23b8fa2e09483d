#include "registry/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "meta/blob_table.h"
#include "meta/image_table.h"
#include "meta/pool_table.h"
#include "meta/registry_table.h"
#include "meta/repo_table.h"
#include "meta/upload_table.h"
#include "registry/core_priv.h"
#include "registry/image_priv.h"
#include "registry/manifest.h"
#include "registry/pool.h"

#define READ_BYTES (1 * MIB)
#define YOUNG_MS                                                                               \
	((int64_t)60 * 1000) /* an object that nothing names may be on its way to a row for so \
		       long, not longer */
#define TELL_EVERY 1000
#define LOCKED_MAX 64 /* those behind it are told as one */

/* A pool whose key could not be used, and what of it was not read for that. */
struct locked_pool {
	int64_t id;
	uint64_t blobs, images;
	char why[256];
};

struct verify {
	struct core *core;
	const struct verify_options *o;
	struct verify_report r;
	uint64_t total_blobs, total_bytes;
	/* of the look-up that runs now */
	int64_t id;
	struct blob_row blob;
	struct image_row image;
	const struct manifest *needs;
	size_t missing; /* of them */
	struct buf *manifest;
	struct arena *arena;
	struct store_key key;
	bool found, moved;
	struct locked_pool locked[LOCKED_MAX];
	size_t locked_count;
};

static void PRINTF_LIKE(3, 4) tell(struct verify *v, enum verify_kind kind, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (kind == VERIFY_DAMAGE)
		v->r.damaged++;
	else if (kind == VERIFY_ORPHAN)
		v->r.orphans++;
	else if (kind == VERIFY_LOCKED)
		v->r.locked++;
	else
		v->r.miscounts++;
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	v->o->finding(v->o->arg, kind, (struct str){ text, len });
}

static void progress(struct verify *v, const char *phase, uint64_t done, uint64_t total)
{
	if (v->o->progress)
		v->o->progress(v->o->arg, phase, done, total);
}

/* A key that is disabled or elsewhere says nothing about the bytes. The pool, if that was it, for
 * what was not read to be counted; else NULL. */
static struct locked_pool *find_locked(struct verify *v, int64_t pool_id, const struct err *e)
{
	if (e->kind != ERR_KMS_KEY_DISABLED && e->kind != ERR_KMS_KEY_STATE &&
		e->kind != ERR_KMS_KEY_UNKNOWN && e->kind != ERR_KMS_UNAVAILABLE)
		return NULL;
	for (size_t i = 0; i < v->locked_count; i++) {
		if (v->locked[i].id == pool_id)
			return &v->locked[i];
	}
	if (v->locked_count == LOCKED_MAX)
		return &v->locked[LOCKED_MAX - 1];
	struct locked_pool *p = &v->locked[v->locked_count++];
	*p = (struct locked_pool){ .id = pool_id };
	snprintf(p->why, sizeof(p->why), "%s", err_text(e));
	return p;
}

static void tell_locked(struct verify *v)
{
	for (size_t i = 0; i < v->locked_count; i++) {
		const struct locked_pool *p = &v->locked[i];
		tell(v, VERIFY_LOCKED,
			"pool %" PRId64 "%s: its key cannot be used, so %" PRIu64
			" layers and %" PRIu64 " manifests were not read: %s",
			p->id, i == LOCKED_MAX - 1 ? " and others" : "", p->blobs, p->images,
			p->why);
	}
}

/* --- blobs: the row says that verified bytes exist --- */

static bool next_blob_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct verify *v = arg;
	return blob_table_next(conn, v->id, &v->blob, &v->found, err);
}

static bool get_blob_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct verify *v = arg;
	return blob_table_get(conn, v->blob.id, &v->blob, &v->found, err);
}

/* Bytes that are not there are damage only if the row still stands and still names them: the
 * collector may have been at work, or a re-encryption, after which they are looked for again. */
static bool tell_if_still_there(struct verify *v, const char *what, struct err *err)
{
	char text[DIGEST_TEXT_MAX];
	char key[UUID_TEXT_LEN + 1];
	if (!db_read(v->core->db, get_blob_in, v, err))
		return false;
	v->moved = v->found && memcmp(v->blob.store_key, v->key.bytes, STORE_KEY_LEN) != 0;
	uuid_text(v->blob.store_key, key);
	if (v->found && !v->moved)
		tell(v, VERIFY_DAMAGE, "blob %s (object %s): %s",
			digest_text(&v->blob.digest, text), key, what);
	return true;
}

static bool hash_object(struct verify *v, struct blob_reader *reader, bool *same, struct err *err)
{
	struct hash *h CLEANUP(hash_freep) = NULL;
	uint8_t *bytes CLEANUP(freep) = xmalloc_raw(READ_BYTES);
	struct digest got;
	size_t n = READ_BYTES;
	if (!hash_new(v->blob.digest.alg, &h, err))
		return false;
	for (uint64_t at = 0; n == READ_BYTES; at += n) {
		if (!blob_reader_pread(reader, bytes, READ_BYTES, at, &n, err) ||
			!hash_update(h, bytes, n, err))
			return false;
		v->r.bytes += n;
		progress(v, "blobs", v->r.bytes, v->total_bytes);
	}
	if (!hash_digest(h, &got, err))
		return false;
	*same = digest_eq(&got, &v->blob.digest);
	return true;
}

static bool verify_blob(struct verify *v, struct err *err)
{
	struct blob_reader *reader CLEANUP(blob_reader_closep) = NULL;
	struct err e;
	memcpy(v->key.bytes, v->blob.store_key, STORE_KEY_LEN);
	if (!blobstore_open(v->core->store, &v->key, &reader, &e))
		return tell_if_still_there(
			v, e.kind == ERR_BLOB_UNKNOWN ? "its bytes are missing" : e.detail, err);
	struct pool *pool;
	struct blob_reader *opened CLEANUP(blob_reader_closep) = NULL;
	if (!pool_find(v->core, v->blob.pool_id, &pool, err))
		return false;
	uint64_t expected = pool_object_size(pool, v->blob.form, v->blob.size_bytes);
	if (reader->size_bytes != expected) {
		char what[96];
		snprintf(what, sizeof(what), "%" PRIu64 " bytes instead of %" PRIu64,
			reader->size_bytes, expected);
		return tell_if_still_there(v, what, err);
	}
	if (!v->o->deep)
		return true;
	struct locked_pool *locked;
	bool same = true;
	if (!pool_open(pool, v->blob.form, &v->key, v->blob.size_bytes, &reader, &opened, &e)) {
		locked = find_locked(v, v->blob.pool_id, &e);
		if (locked)
			locked->blobs++;
		return locked || tell_if_still_there(v, e.detail[0] ? e.detail : err_text(&e), err);
	}
	if (!hash_object(v, opened, &same, &e))
		return tell_if_still_there(
			v, e.detail[0] ? e.detail : "its bytes cannot be read", err);
	return same || tell_if_still_there(v, "its bytes have another digest", err);
}

static bool verify_blobs(struct verify *v, struct err *err)
{
	for (v->id = 0;; v->id = v->blob.id) {
		if (!db_read(v->core->db, next_blob_in, v, err))
			return false;
		if (!v->found)
			break;
		do {
			v->moved = false;
			if (!verify_blob(v, err))
				return false;
		} while (v->moved);
		v->r.blobs++;
		if (!v->o->deep && v->r.blobs % TELL_EVERY == 0)
			progress(v, "blobs", v->r.blobs, v->total_blobs);
	}
	return true;
}

/* --- images: the digest names these very bytes, and all that they need is held --- */

/* What the manifest itself says it needs, whatever the rows say. */
static bool look_for_needs(
	struct verify *v, struct db_conn *conn, const struct manifest *m, struct err *err)
{
	struct repo_key repo = { .id = v->image.repository_id };
	int64_t needs;
	bool found = false;
	if (!repo_table_pool(conn, repo.id, &repo.pool_id, err))
		return false;
	for (size_t i = 0; i < m->blob_count; i++) {
		struct blob_row blob;
		if (m->blobs[i].may_miss)
			continue;
		if (!link_table_find_digest(
			    conn, &repo, &m->blobs[i].digest, &blob, &needs, &found, err))
			return false;
		v->missing += !found || needs == 0;
	}
	for (size_t i = 0; i < m->child_count; i++) {
		struct image_row child;
		struct arena *arena = arena_new(KIB);
		bool ok = image_table_find(
			conn, repo.id, &m->children[i], arena, &child, &found, err);
		arena_free(arena);
		if (!ok)
			return false;
		v->missing += !found || child.parents == 0;
	}
	return true;
}

static bool next_image_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct verify *v = arg;
	buf_reset(v->manifest);
	return image_table_next(conn, v->id, v->manifest, v->arena, &v->image, &v->found, err);
}

static bool needs_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct verify *v = arg;
	struct image_row again;
	bool found = false;
	v->missing = 0;
	if (!image_table_get(conn, v->image.id, NULL, v->arena, &again, &found, err))
		return false;
	return !found ||
	       look_for_needs(v, conn, v->needs, err); /* deleted meanwhile: needs nothing */
}

/* Opens the manifest, compares its digest, and looks for what it needs. */
static bool verify_image(struct verify *v, struct err *err)
{
	struct digest got;
	char text[DIGEST_TEXT_MAX];
	struct manifest m;
	struct err e;
	const char *name = digest_text(&v->image.digest, text);
	if (!image_unseal(v->core, &v->image, v->manifest, &e)) {
		struct locked_pool *locked = find_locked(v, v->image.pool_id, &e);
		if (locked) {
			locked->images++;
			return true;
		}
		tell(v, VERIFY_DAMAGE, "image %s: the stored manifest cannot be opened: %s", name,
			e.detail[0] ? e.detail : err_text(&e));
		return true;
	}
	if (!hash_bytes(v->image.digest.alg, buf_str(v->manifest), &got, err))
		return false;
	if (!digest_eq(&got, &v->image.digest))
		tell(v, VERIFY_DAMAGE, "image %s: the stored manifest has another digest", name);
	if (!v->o->deep)
		return true;
	struct arena *arena = arena_new(MANIFEST_ARENA_BYTES);
	bool ok = true;
	v->needs = &m;
	v->missing = 0;
	if (manifest_parse(buf_str(v->manifest), v->image.media_type, arena, &m, &e))
		ok = db_read(v->core->db, needs_in, v, err);
	arena_free(arena);
	v->needs = NULL;
	if (ok && v->missing)
		tell(v, VERIFY_DAMAGE,
			"image %s: %zu of the layers and images that it needs are not held for it",
			name, v->missing);
	return ok;
}

static bool verify_images(struct verify *v, struct err *err)
{
	struct buf manifest;
	bool ok = true;
	buf_init(&manifest, MANIFEST_STORED_MAX);
	v->manifest = &manifest;
	for (v->id = 0; ok; v->id = v->image.id) {
		v->arena = arena_new(64 * KIB);
		ok = db_read(v->core->db, next_image_in, v, err) &&
		     (!v->found || verify_image(v, err));
		arena_free(v->arena);
		if (!ok || !v->found)
			break;
		v->r.images++;
		v->r.tags += (uint64_t)v->image.tags;
		if (v->r.images % TELL_EVERY == 0)
			progress(v, "images", v->r.images, 0);
	}
	buf_fini(&manifest);
	return ok;
}

/* --- objects: each is named by a blob, an upload or the trash --- */

static bool named_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct verify *v = arg;
	struct upload_row upload;
	return blob_table_has_key(conn, v->key.bytes, &v->found, err) &&
	       (v->found || upload_table_find(conn, v->key.bytes, &upload, &v->found, err)) &&
	       (v->found || trash_table_has(conn, v->key.bytes, &v->found, err)) &&
	       (v->found || making_table_has(conn, v->key.bytes, &v->found, err));
}

struct each_args {
	struct verify *v;
	struct err *err;
	bool failed;
};

static bool each_object(void *arg, const struct store_key *key, uint64_t size_bytes)
{
	struct each_args *a = arg;
	struct verify *v = a->v;
	char text[UUID_TEXT_LEN + 1];
	int64_t last_ms = 0;
	struct err e;
	v->key = *key;
	v->r.objects++;
	if (v->r.objects % TELL_EVERY == 0)
		progress(v, "objects", v->r.objects, 0);
	if (!db_read(v->core->db, named_in, v, a->err)) {
		a->failed = true;
		return false;
	}
	/* Removed meanwhile, or just made: no orphan. */
	if (v->found || !blobstore_stat(v->core->store, key, &size_bytes, &last_ms, &e) ||
		last_ms + YOUNG_MS > clock_now_ms())
		return true;
	uuid_text(key->bytes, text);
	tell(v, VERIFY_ORPHAN,
		"object %s (%" PRIu64 " bytes): no blob, upload or trash row names it", text,
		size_bytes);
	return true;
}

static bool verify_objects(struct verify *v, struct err *err)
{
	struct each_args a = { v, err, false };
	return blobstore_each(v->core->store, each_object, &a, err) && !a.failed;
}

/* --- sums --- */

static void miscount(void *arg, struct str text)
{
	tell(arg, VERIFY_COUNT, STR_FMT, STR_ARG(text));
}

static bool recount_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct verify *v = arg;
	return registry_table_recount(conn, miscount, v, err);
}

static bool totals_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct verify *v = arg;
	return blob_table_totals(conn, &v->total_blobs, &v->total_bytes, &v->r.links, err) &&
	       small_object_count(conn, &v->r.objects, err) &&
	       upload_table_count(conn, &v->r.uploads, err);
}

bool verify_run(
	struct core *c, const struct verify_options *o, struct verify_report *out, struct err *err)
{
	struct verify v = { .core = c, .o = o };
	struct err e;
	progress(&v, "database", 0, 0);
	if (!db_check(c->db, &e))
		tell(&v, VERIFY_DAMAGE, "database: %s", e.detail[0] ? e.detail : err_text(&e));
	if (!db_read(c->db, totals_in, &v, err) || !db_read(c->db, recount_in, &v, err) ||
		!verify_blobs(&v, err) || !verify_images(&v, err) || !verify_objects(&v, err))
		return false;
	tell_locked(&v);
	*out = v.r;
	return true;
}
