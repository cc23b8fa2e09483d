#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/seal.h"
#include "store/seal_priv.h"

struct seal_reader {
	struct blob_reader *inner; /* NULL: everything is in the tail */
	struct seal_lock lock;
	uint64_t plain_size;
	uint64_t last;  /* index of the last segment: that which is not full */
	bool is_paused; /* the last one is the tail, not in the object */
	struct buf tail;
	uint64_t limit; /* segments from here on are not read ahead */
	uint64_t next;  /* the segment that follows the one used last */
	/* Segments as they stand in the object; those used are opened in place. */
	uint8_t *batch;
	uint64_t first; /* index of the batch's first segment */
	size_t count;

	struct seal_piece segments[SEAL_BATCH]; /* opened; NULL bytes: not yet */
	bool is_spent[SEAL_BATCH];              /* opened straight into a caller's bytes */
};

static void reader_freep(struct seal_reader **r)
{
	if (*r == NULL)
		return;
	seal_lock_fini(&(*r)->lock);
	if ((*r)->tail.ptr != NULL)
		mem_wipe((*r)->tail.ptr, (*r)->tail.cap);
	buf_fini(&(*r)->tail);
	free((*r)->batch);
	free(*r);
	*r = NULL;
}

/* Exactly len bytes of the object. */
static bool read_inner(
	struct blob_reader *inner, void *bytes, size_t len, uint64_t off, struct err *err)
{
	size_t n = 0;
	if (!blob_reader_pread(inner, bytes, len, off, &n, err))
		return false;
	if (n != len)
		return err_sys(err, ERR_CORRUPT, 0,
			"a sealed object of %" PRIu64 " bytes ends at %" PRIu64, inner->size_bytes,
			off + n);
	return true;
}

static struct seal_reader *reader_new(struct blob_reader *inner, uint64_t plain_size)
{
	struct seal_reader *r = xmalloc(sizeof(*r));
	r->inner = inner;
	r->plain_size = plain_size;
	r->last = plain_size / SEAL_SEGMENT;
	r->limit = UINT64_MAX;
	buf_init(&r->tail, SEAL_SEGMENT);
	return r;
}

bool seal_reader_open(struct blob_reader *inner, const struct seal_pool *pool,
	const struct store_key *object, uint64_t plain_size, struct seal_reader **out,
	struct err *err)
{
	uint8_t header[SEAL_HEADER_LEN];
	struct seal_reader *r CLEANUP(reader_freep) = reader_new(inner, plain_size);
	uint64_t expected = seal_inner_size(pool->suite, plain_size);
	if (inner->size_bytes != expected)
		return err_sys(err, ERR_CORRUPT, 0,
			"a sealed object has %" PRIu64 " bytes, and is to have %" PRIu64,
			inner->size_bytes, expected);
	if (!read_inner(inner, header, sizeof(header), 0, err) ||
		!seal_lock_from_header(pool, object, header, &r->lock, err))
		return false;
	*out = r;
	r = NULL;
	return true;
}

bool seal_reader_open_paused(struct blob_reader *inner, const struct seal_pool *pool,
	const struct store_key *object, uint64_t plain_size, struct str tail,
	struct seal_reader **out, struct err *err)
{
	uint8_t header[SEAL_HEADER_LEN];
	struct seal_reader *r CLEANUP(reader_freep) = reader_new(inner, plain_size);
	r->is_paused = true;
	if (plain_size == 0 && tail.len == 0) {
		if (!seal_lock_make(pool, object, &r->lock, err))
			return false;
	} else if (!seal_open_tail(pool, object, plain_size, tail, &r->lock, &r->tail, err)) {
		return false;
	}
	if (r->last != 0) {
		uint64_t border = SEAL_HEADER_LEN + r->last * seal_sealed_segment(pool->suite);
		if (inner == NULL || inner->size_bytes < border)
			return err_sys(err, ERR_CORRUPT, 0,
				"a paused upload's object has less than %" PRIu64 " bytes", border);
		if (!read_inner(inner, header, sizeof(header), 0, err))
			return false;
		if (memcmp(header, r->lock.header, sizeof(header)) != 0)
			return err_sys(err, ERR_CORRUPT, 0,
				"a paused upload's object and tail differ in their headers");
	}
	*out = r;
	r = NULL;
	return true;
}

uint64_t seal_reader_size(const struct seal_reader *r)
{
	return r->plain_size;
}

void seal_reader_limit(struct seal_reader *r, uint64_t end)
{
	r->limit = end / SEAL_SEGMENT + (end % SEAL_SEGMENT != 0);
}

/* Bytes of a segment as it stands in the object. */
static size_t sealed_len(const struct seal_reader *r, uint64_t index)
{
	return seal_overhead(r->lock.suite) +
	       (index < r->last ? SEAL_SEGMENT : (size_t)(r->plain_size % SEAL_SEGMENT));
}

/* Fills the batch with wanted segments from index on, or as many as there are. */
static bool fetch(struct seal_reader *r, uint64_t index, size_t wanted, struct err *err)
{
	size_t full = seal_sealed_segment(r->lock.suite);
	uint64_t there = r->last - index + (r->is_paused ? 0 : 1);
	if (wanted > there)
		wanted = (size_t)there;
	assert(wanted >= 1 && wanted <= SEAL_BATCH);
	size_t len = (wanted - 1) * full + sealed_len(r, index + wanted - 1);
	if (r->batch == NULL) /* a small object takes little */
		r->batch = xmalloc(r->last < SEAL_BATCH ? (r->last + 1) * full : SEAL_BATCH * full);
	r->count = 0; /* until it is filled again */
	if (!read_inner(r->inner, r->batch, len, SEAL_HEADER_LEN + index * full, err))
		return false;
	memset(r->segments, 0, sizeof(r->segments));
	memset(r->is_spent, 0, sizeof(r->is_spent));
	r->first = index;
	r->count = wanted;
	return true;
}

/* How many segments to fetch, when those up to end (an index) are asked for. */
static size_t ahead(const struct seal_reader *r, uint64_t index, uint64_t end)
{
	if (index == r->next && r->limit > end) /* reading on */
		end = r->limit;
	return end - index < SEAL_BATCH ? (size_t)(end - index) : SEAL_BATCH;
}

/* The segment is in the batch, fit to be opened or open. */
static bool get(struct seal_reader *r, uint64_t index, uint64_t end, struct err *err)
{
	if (index >= r->first && index < r->first + r->count && !r->is_spent[index - r->first])
		return true;
	return fetch(r, index, ahead(r, index, end), err);
}

static bool open_at(struct seal_reader *r, uint64_t index, uint8_t *to, struct err *err)
{
	size_t k = (size_t)(index - r->first);
	struct seal_piece piece = { r->batch + k * seal_sealed_segment(r->lock.suite),
		sealed_len(r, index) };
	if (!seal_open_segment(
		    &r->lock, index, index == r->last ? SEAL_LAST : SEAL_MORE, &piece, to, err)) {
		r->count = 0; /* what is there is spoiled; a second try reads again */
		return false;
	}
	if (to != NULL)
		r->is_spent[k] = true;
	else
		r->segments[k] = piece;
	return true;
}

/* A whole segment goes straight to where it is wanted, unless it is open already. */
static bool segment_to(
	struct seal_reader *r, uint64_t index, uint64_t end, uint8_t *to, struct err *err)
{
	assert(to != NULL);
	if (!get(r, index, end, err))
		return false;
	size_t k = (size_t)(index - r->first);
	r->next = index + 1;
	if (r->segments[k].bytes == NULL)
		return open_at(r, index, to, err);
	memcpy(to, r->segments[k].bytes, r->segments[k].len);
	return true;
}

/* The plaintext of a segment; it stays until the next call. end: the index behind the last one
 * asked for. */
static bool segment(struct seal_reader *r, uint64_t index, uint64_t end, const uint8_t **plain,
	size_t *len, struct err *err)
{
	if (r->is_paused && index == r->last) {
		*plain = (const uint8_t *)r->tail.ptr;
		*len = r->tail.len;
		r->next = index + 1;
		return true;
	}
	if (!get(r, index, end, err))
		return false;
	size_t k = (size_t)(index - r->first);
	if (r->segments[k].bytes == NULL && !open_at(r, index, NULL, err))
		return false;
	*plain = r->segments[k].bytes;
	*len = r->segments[k].len;
	r->next = index + 1;
	return true;
}

bool seal_reader_pread(struct seal_reader *r, void *bytes, size_t len, uint64_t off, size_t *out_n,
	struct err *err)
{
	const uint8_t *plain;
	size_t n;
	uint8_t *to = bytes;
	if (off > r->plain_size)
		off = r->plain_size;
	if (len > r->plain_size - off)
		len = (size_t)(r->plain_size - off);
	uint64_t end = off + len;
	uint64_t end_segment = end / SEAL_SEGMENT + (end % SEAL_SEGMENT != 0);
	for (uint64_t at = off; at < end;) {
		if (at % SEAL_SEGMENT == 0 && end - at >= SEAL_SEGMENT) {
			if (!segment_to(r, at / SEAL_SEGMENT, end_segment, to, err))
				return false;
			to += SEAL_SEGMENT;
			at += SEAL_SEGMENT;
			continue;
		}
		if (!segment(r, at / SEAL_SEGMENT, end_segment, &plain, &n, err))
			return false;
		size_t skip = (size_t)(at % SEAL_SEGMENT);
		size_t want = n - skip < end - at ? n - skip : (size_t)(end - at);
		memcpy(to, plain + skip, want);
		to += want;
		at += want;
	}
	/* That this is the end is for the last segment to say, also when it is empty. */
	if (end == r->plain_size && !segment(r, r->last, r->last + 1, &plain, &n, err))
		return false;
	*out_n = len;
	return true;
}

void seal_reader_close(struct seal_reader *r)
{
	reader_freep(&r);
}

void seal_reader_closep(struct seal_reader **r)
{
	reader_freep(r);
}
