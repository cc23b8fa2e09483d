#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/seal.h"
#include "store/seal_priv.h"

struct seal_writer {
	struct blob_writer *inner;
	struct seal_lock lock;
	/* The object's size without what may be cut: header and full segments, or 0. What the inner
	 * writer holds beyond it is torn, unacknowledged, or a last segment that was not committed.
	 */
	uint64_t border;
	uint64_t full;    /* segments sealed, those in the batch included */
	size_t batched;   /* segments in the batch, sealed but not written */
	size_t batch_len; /* bytes of them, and of the header where it is not written yet */
	uint8_t *batch;   /* header, SEAL_BATCH segments and a last one */
	uint8_t *part;    /* plaintext of the segment that is not full */
	size_t part_len;  /* < SEAL_SEGMENT */
};

static void writer_freep(struct seal_writer **w)
{
	if (*w == NULL)
		return;
	seal_lock_fini(&(*w)->lock);
	mem_wipe((*w)->part, SEAL_SEGMENT);
	free((*w)->part);
	free((*w)->batch);
	free(*w);
	*w = NULL;
}

/* What the tail held goes back to where it came from. */
static bool take_tail(struct seal_writer *w, const struct seal_pool *pool,
	const struct store_key *object, uint64_t plain_size, struct str tail, struct err *err)
{
	struct buf plain CLEANUP(buf_fini);
	buf_init(&plain, SEAL_SEGMENT);
	if (!seal_open_tail(pool, object, plain_size, tail, &w->lock, &plain, err))
		return false;
	w->part_len = plain.len;
	if (plain.len != 0) {
		memcpy(w->part, plain.ptr, plain.len);
		mem_wipe(plain.ptr, plain.len);
	}
	return true;
}

/* The object ends at the border again. */
static bool cut_to_border(struct seal_writer *w, struct err *err)
{
	if (w->inner->size_bytes < w->border)
		return err_sys(err, ERR_CORRUPT, 0,
			"a sealed object of %" PRIu64 " bytes is to hold %" PRIu64,
			w->inner->size_bytes, w->border);
	return blob_writer_cut(w->inner, w->border, err);
}

bool seal_writer_open(struct blob_writer *inner, const struct seal_pool *pool,
	const struct store_key *object, uint64_t plain_size, struct str tail,
	struct seal_writer **out, struct err *err)
{
	struct seal_writer *w CLEANUP(writer_freep) = xmalloc(sizeof(*w));
	w->inner = inner;
	w->full = plain_size / SEAL_SEGMENT;
	w->part = xmalloc_raw(SEAL_SEGMENT);
	w->batch = xmalloc_raw(SEAL_HEADER_LEN + (SEAL_BATCH + 1) * SEAL_SEALED_MAX);
	if (w->full != 0)
		w->border = SEAL_HEADER_LEN + w->full * seal_sealed_segment(pool->suite);
	if (plain_size == 0 && tail.len == 0) {
		if (!seal_lock_make(pool, object, &w->lock, err))
			return false;
	} else if (!take_tail(w, pool, object, plain_size, tail, err)) {
		return false;
	}
	if (!cut_to_border(w, err))
		return false;
	*out = w;
	w = NULL;
	return true;
}

/* Before the first segment. */
static void batch_header(struct seal_writer *w)
{
	if (w->border != 0 || w->batch_len != 0)
		return;
	memcpy(w->batch, w->lock.header, SEAL_HEADER_LEN);
	w->batch_len = SEAL_HEADER_LEN;
}

/* The batch has room: make_room comes first. */
static void batch_segment(struct seal_writer *w, const void *plain)
{
	assert(w->batched < SEAL_BATCH);
	batch_header(w);
	seal_segment(&w->lock, w->full, SEAL_MORE, plain, SEAL_SEGMENT, w->batch + w->batch_len);
	w->batch_len += seal_sealed_segment(w->lock.suite);
	w->batched++;
	w->full++;
}

/* Writes what is in the batch. Should it fail, the same bytes are written again the next time: a
 * nonce belongs to one plaintext for ever. */
static bool flush(struct seal_writer *w, struct err *err)
{
	if (!cut_to_border(w, err))
		return false;
	if (w->batch_len == 0)
		return true;
	if (!blob_writer_write(w->inner, w->batch, w->batch_len, err))
		return false;
	w->border += w->batch_len;
	w->batch_len = 0;
	w->batched = 0;
	return true;
}

static bool make_room(struct seal_writer *w, struct err *err)
{
	return w->batched < SEAL_BATCH || flush(w, err);
}

bool seal_writer_write(struct seal_writer *w, const void *bytes, size_t len, struct err *err)
{
	const uint8_t *from = bytes;
	while (len != 0) {
		size_t n = SEAL_SEGMENT - w->part_len < len ? SEAL_SEGMENT - w->part_len : len;
		if (w->part_len + n == SEAL_SEGMENT && !make_room(w, err))
			return false;
		if (n == SEAL_SEGMENT) {
			batch_segment(w, from);
		} else {
			memcpy(w->part + w->part_len, from, n);
			w->part_len += n;
			if (w->part_len == SEAL_SEGMENT) {
				batch_segment(w, w->part);
				w->part_len = 0;
			}
		}
		from += n;
		len -= n;
	}
	return true;
}

uint64_t seal_writer_size(const struct seal_writer *w)
{
	return w->full * SEAL_SEGMENT + w->part_len;
}

bool seal_writer_tail(struct seal_writer *w, struct buf *out, struct err *err)
{
	size_t len = SEAL_HEADER_LEN + w->part_len + seal_overhead(w->lock.suite);
	if (!flush(w, err))
		return false;
	uint8_t *to = buf_reserve(out, len);
	if (to == NULL)
		return err_set(err, ERR_UNAVAILABLE, "out of memory");
	memcpy(to, w->lock.header, SEAL_HEADER_LEN);
	seal_segment(&w->lock, w->full, SEAL_TAIL, w->part, w->part_len, to + SEAL_HEADER_LEN);
	buf_commit(out, len);
	return true;
}

bool seal_writer_finish(struct seal_writer *w, struct err *err)
{
	if (!cut_to_border(w, err))
		return false;
	batch_header(w);
	seal_segment(&w->lock, w->full, SEAL_LAST, w->part, w->part_len, w->batch + w->batch_len);
	if (!blob_writer_write(w->inner, w->batch,
		    w->batch_len + w->part_len + seal_overhead(w->lock.suite), err))
		return false;
	/* The last segment stays beyond the border: it goes when this was not the end after all. */
	w->border += w->batch_len;
	w->batch_len = 0;
	w->batched = 0;
	return true;
}

void seal_writer_close(struct seal_writer *w)
{
	writer_freep(&w);
}

void seal_writer_closep(struct seal_writer **w)
{
	writer_freep(w);
}
