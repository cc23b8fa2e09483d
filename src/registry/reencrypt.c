#include "registry/reencrypt.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypt/random.h"
#include "meta/blob_table.h"
#include "meta/image_table.h"
#include "meta/pool_table.h"
#include "registry/image_priv.h"
#include "registry/pool.h"
#include "registry/small_store.h"

#define COPY_BYTES (256 * KIB)

struct job {
	struct core *core;
	struct pool *pool;
	int64_t pool_id, form; /* the form that is wanted */
	int64_t after;
	bool found;
	reencrypt_progress_fn progress;
	void *arg;
	struct reencrypt_report *report;
	/* of the blob or image that is moved */
	struct blob_row blob;
	struct image_row image;
	struct store_key new_key;
	struct blob_writer *to;
	struct buf *manifest;
	struct arena *arena;
	struct pool_row row;
	struct form_sums sums;
};

/* --- blobs --- */

static bool next_blob_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct job *j = arg;
	return blob_table_next_other(conn, j->pool_id, j->form, j->after, &j->blob, &j->found, err);
}

static bool begin_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct job *j = arg;
	return making_table_add(conn, j->new_key.bytes, clock_now_ms(), err);
}

/* Either the blob gets the new object, or, when it is gone, the new object goes. An object whose
 * row has expired is the collector's: no blob may get it any more. */
static bool move_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct job *j = arg;
	bool done = false, is_ours = false;
	if (!making_table_has(conn, j->new_key.bytes, &is_ours, err))
		return false;
	if (!is_ours)
		return err_sys(err, ERR_UNAVAILABLE, 0,
			"writing a layer anew took longer than an upload may idle");
	struct str small;
	bool is_small = small_store_bytes(j->to, &small);
	return making_table_remove(conn, j->new_key.bytes, err) &&
	       blob_table_move(conn, &j->blob, j->new_key.bytes, j->form, &done, err) &&
	       (!done || !is_small || small_object_add(conn, j->blob.id, small, err)) &&
	       (done || is_small || trash_table_add(conn, j->new_key.bytes, err));
}

static bool give_up_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct job *j = arg;
	return making_table_remove(conn, j->new_key.bytes, err) &&
	       trash_table_add(conn, j->new_key.bytes, err);
}

static bool copy(struct job *j, struct blob_reader *from, struct blob_writer *to, struct err *err)
{
	struct seal_writer *seal CLEANUP(seal_writer_closep) = NULL;
	uint8_t *bytes CLEANUP(freep) = xmalloc(COPY_BYTES);
	struct seal_pool sealed;
	if (j->form != FORM_PLAIN) {
		pool_seal(j->pool, j->form, &sealed);
		if (!seal_writer_open(to, &sealed, &j->new_key, 0, STR(""), &seal, err))
			return false;
	}
	for (uint64_t at = 0; at < from->size_bytes;) {
		size_t n = 0;
		if (!blob_reader_pread(from, bytes, COPY_BYTES, at, &n, err))
			return false;
		if (n == 0)
			return err_sys(err, ERR_CORRUPT, 0, "a blob ended early");
		if (!(seal ? seal_writer_write(seal, bytes, n, err)
			   : blob_writer_write(to, bytes, n, err)))
			return false;
		at += n;
		j->report->bytes += n;
		if (j->progress)
			j->progress(j->arg, j->pool_id, j->report);
	}
	struct str small;
	return (!seal || seal_writer_finish(seal, err)) &&
	       (small_store_bytes(to, &small) || blob_writer_sync(to, err));
}

static bool copy_blob(struct job *j, struct err *err)
{
	struct blob_reader *object CLEANUP(blob_reader_closep) = NULL;
	struct blob_reader *from CLEANUP(blob_reader_closep) = NULL;
	struct store_key old;
	memcpy(old.bytes, j->blob.store_key, STORE_KEY_LEN);
	return blobstore_open(j->core->store, &old, &object, err) &&
	       pool_open(j->pool, j->blob.form, &old, j->blob.size_bytes, &object, &from, err) &&
	       blobstore_append(j->core->store, &j->new_key, &j->to, err) &&
	       copy(j, from, j->to, err);
}

static bool move_blob(struct job *j, struct err *err)
{
	bool ok = copy_blob(j, err);
	if (!ok) {
		/* Should this fail too, the collector takes the object away later. */
		struct err again;
		err_ignore(db_write(j->core->db, give_up_in, j, &again));
	} else {
		ok = db_write(j->core->db, move_in, j, err);
	}
	blob_writer_close(j->to);
	j->to = NULL;
	return ok;
}

static bool move_blobs(struct job *j, struct err *err)
{
	for (j->after = 0;; j->after = j->blob.id) {
		if (!db_read(j->core->db, next_blob_in, j, err))
			return false;
		if (!j->found)
			return true;
		random_uuid(j->new_key.bytes);
		if (!db_write(j->core->db, begin_in, j, err))
			return false;
		if (move_blob(j, err))
			j->report->blobs++;
		else if (err->kind != ERR_BLOB_UNKNOWN) /* else collected meanwhile */
			return false;
	}
}

/* --- manifests --- */

static bool next_image_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct job *j = arg;
	struct image_into into = { j->manifest, j->arena, &j->image, &j->found };
	buf_reset(j->manifest);
	return image_table_next_other(conn, j->pool_id, j->form, j->after, &into, err);
}

static bool set_manifest_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct job *j = arg;
	return image_table_set_manifest(
		conn, j->image.id, j->image.form, j->form, buf_str(j->manifest), err);
}

static bool move_image(struct job *j, struct err *err)
{
	struct buf sealed CLEANUP(buf_fini) = { 0 };
	buf_init(&sealed, MANIFEST_STORED_MAX);
	if (!image_unseal(j->core, &j->image, j->manifest, err))
		return false;
	if (j->form != FORM_PLAIN) {
		if (!image_seal(j->pool, j->form, j->image.repository_id, &j->image.digest,
			    buf_str(j->manifest), &sealed, err))
			return false;
		buf_reset(j->manifest);
		buf_add_str(j->manifest, buf_str(&sealed));
	}
	return buf_ok(j->manifest) ? db_write(j->core->db, set_manifest_in, j, err)
				   : err_sys(err, ERR_UNAVAILABLE, 0, "no memory for a manifest");
}

static bool move_images(struct job *j, struct err *err)
{
	struct buf manifest CLEANUP(buf_fini) = { 0 };
	bool ok = true;
	buf_init(&manifest, MANIFEST_STORED_MAX);
	j->manifest = &manifest;
	for (j->after = 0; ok; j->after = j->image.id) {
		j->arena = arena_new(16 * KIB);
		ok = db_read(j->core->db, next_image_in, j, err) &&
		     (!j->found || move_image(j, err));
		arena_free(j->arena);
		if (!ok || !j->found)
			break;
		j->report->images++;
	}
	return ok;
}

/* --- pools --- */

static bool next_pool_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct job *j = arg;
	return pool_table_next(conn, j->pool_id, &j->pool_id, &j->found, err);
}

/* The next pool; *found false at the end. */
static bool next_pool(struct job *j, bool *found, struct err *err)
{
	if (!db_read(j->core->db, next_pool_in, j, err))
		return false;
	*found = j->found;
	return !j->found || pool_find(j->core, j->pool_id, &j->pool, err);
}

static bool is_locked(enum err_kind kind)
{
	return kind == ERR_KMS_KEY_DISABLED || kind == ERR_KMS_KEY_STATE ||
	       kind == ERR_KMS_KEY_UNKNOWN || kind == ERR_KMS_UNAVAILABLE;
}

bool reencrypt_run(struct core *c, reencrypt_progress_fn progress, void *arg,
	struct reencrypt_report *out, struct err *err)
{
	struct reencrypt_report report = { 0 };
	struct job j = { .core = c, .progress = progress, .arg = arg, .report = &report };
	struct err e;
	bool all = true;
	while (true) {
		bool found = false;
		if (!next_pool(&j, &found, err))
			return false;
		if (!found)
			break;
		if (pool_form(j.pool, &j.form, &e) && move_blobs(&j, &e) && move_images(&j, &e)) {
			report.pools++;
			continue;
		}
		if (!is_locked(e.kind)) {
			*err = e;
			return false;
		}
		if (all) /* the first */
			*err = e;
		all = false;
	}
	*out = report;
	return all;
}

bool reencrypt_rewrap(struct core *c, uint64_t *rewrapped, struct err *err)
{
	struct job j = { .core = c };
	uint64_t n = 0;
	bool all = true;
	while (true) {
		bool found = false, did = false;
		struct err e;
		if (!next_pool(&j, &found, &e)) {
			if (all)
				*err = e;
			return false;
		}
		if (!found)
			break;
		if (pool_rewrap(j.pool, &did, &e)) {
			n += did;
		} else if (!is_locked(e.kind) && all) { /* the first */
			err_wrap(&e, "pool %" PRId64, j.pool_id);
			*err = e;
			all = false;
		}
	}
	if (all)
		*rewrapped = n;
	return all;
}

static bool forms_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct job *j = arg;
	return pool_table_get(conn, j->pool_id, j->arena, &j->row, &j->found, err) &&
	       blob_table_forms(conn, j->pool_id, &j->sums, err);
}

static const char *type_name(int type)
{
	return type == ENC_KMS ? "KMS" : type == ENC_KMS_DSSE ? "KMS_DSSE" : "AES256";
}

bool reencrypt_pools(struct core *c, reencrypt_pool_fn fn, void *arg, struct err *err)
{
	struct job j = { .core = c };
	while (true) {
		bool found = false, ok;
		if (!next_pool(&j, &found, err))
			return false;
		if (!found)
			return true;
		j.arena = arena_new(16 * KIB);
		ok = db_read(c->db, forms_in, &j, err);
		if (ok && j.found) {
			struct reencrypt_pool p = {
				.id = j.pool_id,
				.enc_type = type_name(j.row.enc_type),
				.key_arn = j.row.key_arn,
				.plain_blobs = j.sums.plain_blobs,
				.plain_bytes = j.sums.plain_bytes,
				.sealed_blobs = j.sums.sealed_blobs,
				.sealed_bytes = j.sums.sealed_bytes,
			};
			if (registry_id_make(j.row.account, j.row.region, &p.reg))
				fn(arg, &p);
		}
		arena_free(j.arena);
		if (!ok)
			return false;
	}
}
