#include "registry/body.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "registry/small_store.h"

#define REREAD_BYTES (256 * KIB)

struct body {
	struct core *core;
	struct store_key key;
	int64_t form;
	uint64_t acked_bytes;     /* as the row has it */
	struct seal_pool sealed;  /* from here on: of a form that is not plain */
	struct seal_writer *seal; /* over writer */
	struct buf tail;          /* as the row has it */
	uint64_t synced_bytes;    /* of the object */
	struct blob_writer *writer;
};

struct tail_args {
	struct store_key key;
	struct upload_tail row;
	struct buf *tail;
};

static bool get_tail_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct tail_args *a = arg;
	buf_reset(a->tail);
	return upload_table_tail(conn, a->key.bytes, a->tail, err);
}

static bool set_tail_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct tail_args *a = arg;
	return upload_table_set_tail(conn, a->key.bytes, &a->row, err);
}

/*
 * What the row does not tell of was never synced, and may be anything after a power cut: file
 * systems make an object longer within its last block before the bytes are there.
 */
static bool open_plain(struct body *b, struct err *err)
{
	if (b->writer->size_bytes < b->acked_bytes)
		return err_sys(err, ERR_CORRUPT, 0,
			"an upload's object has %" PRIu64 " bytes, %" PRIu64 " were acknowledged",
			b->writer->size_bytes, b->acked_bytes);
	return blob_writer_cut(b->writer, b->acked_bytes, err);
}

static bool open_sealed(struct body *b, int64_t pool_id, struct err *err)
{
	struct pool *pool;
	struct tail_args a = { .key = b->key, .tail = &b->tail };
	if (!pool_find(b->core, pool_id, &pool, err) || !db_read(b->core->db, get_tail_in, &a, err))
		return false;
	pool_seal(pool, b->form, &b->sealed);
	return seal_writer_open(
		b->writer, &b->sealed, &b->key, b->acked_bytes, buf_str(&b->tail), &b->seal, err);
}

bool body_open(struct core *c, int64_t pool_id, const struct upload_row *row, struct body **out,
	struct err *err)
{
	struct body *b = xmalloc(sizeof(*b));
	b->core = c;
	memcpy(b->key.bytes, row->key, STORE_KEY_LEN);
	b->form = row->form;
	b->acked_bytes = row->plain_bytes;
	buf_init(&b->tail, SEAL_TAIL_MAX);
	if (!blobstore_append(c->store, &b->key, &b->writer, err) ||
		!(b->form == FORM_PLAIN ? open_plain(b, err) : open_sealed(b, pool_id, err))) {
		body_close(b);
		return false;
	}
	*out = b;
	return true;
}

void body_close(struct body *b)
{
	if (!b)
		return;
	seal_writer_close(b->seal);
	blob_writer_close(b->writer);
	buf_fini(&b->tail);
	free(b);
}

uint64_t body_size(const struct body *b)
{
	return b->seal ? seal_writer_size(b->seal) : b->writer->size_bytes;
}

int64_t body_form(const struct body *b)
{
	return b->form;
}

bool body_write(struct body *b, const void *bytes, size_t len, struct err *err)
{
	return b->seal ? seal_writer_write(b->seal, bytes, len, err)
		       : blob_writer_write(b->writer, bytes, len, err);
}

/* A small part changes only the row: its bytes are in the tail. */
static bool sync_object(struct body *b, struct err *err)
{
	if (b->seal && b->synced_bytes == b->writer->size_bytes)
		return true;
	if (!blob_writer_sync(b->writer, err))
		return false;
	b->synced_bytes = b->writer->size_bytes;
	return true;
}

bool body_sync(struct body *b, struct err *err)
{
	struct tail_args a = { .key = b->key, .row = { .plain_bytes = body_size(b) } };
	if (a.row.plain_bytes == b->acked_bytes)
		return true;
	buf_reset(&b->tail);
	if (b->seal && !seal_writer_tail(b->seal, &b->tail, err))
		return false;
	a.row.sealed = buf_str(&b->tail);
	a.row.at_ms = clock_now_ms();
	if (!sync_object(b, err) || !db_write(b->core->db, set_tail_in, &a, err))
		return false;
	b->acked_bytes = a.row.plain_bytes;
	return true;
}

bool body_finish(struct body *b, struct err *err)
{
	struct str small;
	return (!b->seal || seal_writer_finish(b->seal, err)) &&
	       (body_small(b, &small) || sync_object(b, err));
}

bool body_small(const struct body *b, struct str *out)
{
	return small_store_bytes(b->writer, out);
}

/* Less than a segment that was acknowledged stands in the row, and may have no object. */
static bool open_object(struct body *b, uint64_t size, struct blob_reader **out, struct err *err)
{
	return blobstore_open(b->core->store, &b->key, out, err) ||
	       (err->kind == ERR_BLOB_UNKNOWN && b->seal && size < SEAL_SEGMENT);
}

static bool hash_reader(struct hash *h, struct blob_reader *plain, struct seal_reader *sealed,
	uint64_t size, struct err *err)
{
	uint8_t *bytes CLEANUP(freep) = xmalloc_raw(REREAD_BYTES);
	for (uint64_t at = 0; at < size;) {
		size_t want = size - at < REREAD_BYTES ? (size_t)(size - at) : REREAD_BYTES;
		size_t n = 0;
		bool ok = sealed ? seal_reader_pread(sealed, bytes, want, at, &n, err)
				 : blob_reader_pread(plain, bytes, want, at, &n, err);
		if (!ok)
			return false;
		if (n != want)
			return err_sys(err, ERR_CORRUPT, 0,
				"an upload's object is shorter than its writer says");
		if (!hash_update(h, bytes, n, err))
			return false;
		at += n;
	}
	return true;
}

bool body_hash(struct body *b, enum digest_alg alg, struct hash **out, struct err *err)
{
	struct blob_reader *reader CLEANUP(blob_reader_closep) = NULL;
	struct seal_reader *sealed CLEANUP(seal_reader_closep) = NULL;
	struct hash *h CLEANUP(hash_freep) = NULL;
	uint64_t size = body_size(b);
	if (!hash_new(alg, &h, err))
		return false;
	if (size && !open_object(b, size, &reader, err))
		return false;
	if (size && b->seal &&
		!seal_reader_open_paused(
			reader, &b->sealed, &b->key, size, buf_str(&b->tail), &sealed, err))
		return false;
	if (size && !hash_reader(h, reader, sealed, size, err))
		return false;
	*out = h;
	h = NULL;
	return true;
}
