#include "seal_fixture.h"
#include "store/seal_priv.h"

/*
 * An object of 10 GiB that stands nowhere: what is read of it is sealed then. So every read of it
 * can be counted, and what lies beyond 4 GiB is cheap to look at.
 */

#define SIZE   (UINT64_C(10) << 30)
#define PIECE  ((size_t)32768) /* as a response takes it */
#define HEADER SEAL_HEADER_LEN

struct large {
	struct blob_reader base;
	struct seal_lock lock;
	uint64_t shift; /* segments are sealed as those so many places before */
	unsigned reads, seeks;
	uint64_t bytes, next; /* where reading on would go on */
};

static uint8_t plain_at(uint64_t at)
{
	return (uint8_t)(at + at / 256 + at / SEG * 31);
}

/* Whole segments and the header are all that a reader may ask for: part of one proves nothing. */
static bool large_pread(struct blob_reader *r, void *bytes, size_t len, uint64_t off, size_t *out_n,
	struct err *err UNUSED)
{
	struct large *l = (struct large *)r;
	size_t full = seal_sealed_segment(l->lock.suite);
	uint8_t *to = bytes;
	uint8_t *plain CLEANUP(freep) = xmalloc(SEG);
	l->reads++;
	l->seeks += off != l->next;
	l->bytes += len;
	l->next = off + len;
	*out_n = len;
	if (off == 0) {
		assert_int_equal(len, HEADER);
		memcpy(to, l->lock.header, HEADER);
		return true;
	}
	assert_true(off >= HEADER && (off - HEADER) % full == 0 && off + len <= r->size_bytes);
	for (uint64_t index = (off - HEADER) / full; len != 0; index++) {
		size_t n = len < full ? len - seal_overhead(l->lock.suite) : SEG;
		assert_true(n == SEG || index == SIZE / SEG);
		for (size_t i = 0; i < n; i++)
			plain[i] = plain_at(index * SEG + i);
		seal_segment(
			&l->lock, index - l->shift, n == SEG ? SEAL_MORE : SEAL_LAST, plain, n, to);
		to += n + seal_overhead(l->lock.suite);
		len -= n + seal_overhead(l->lock.suite);
	}
	return true;
}

static const struct blobstore_ops large_ops = { .pread = large_pread };
static struct blobstore large_store = { .ops = &large_ops };

static void large_init(struct large *l, const struct seal_pool *pool)
{
	struct err err;
	*l = (struct large){ .base = { .store = &large_store, .fd = -1 } };
	l->base.size_bytes = seal_inner_size(pool->suite, SIZE);
	ASSERT_DONE(seal_lock_make(pool, &key_a, &l->lock, &err));
}

static bool read_range(
	struct large *l, const struct seal_pool *pool, uint64_t from, uint64_t len, struct err *err)
{
	struct seal_reader *r CLEANUP(seal_reader_closep) = NULL;
	uint8_t out[PIECE];
	if (!seal_reader_open(&l->base, pool, &key_a, SIZE, &r, err))
		return false;
	seal_reader_limit(r, from + len);
	for (uint64_t at = from; at < from + len;) {
		size_t want = from + len - at < PIECE ? (size_t)(from + len - at) : PIECE;
		size_t n = 0;
		if (!seal_reader_pread(r, out, want, at, &n, err))
			return false;
		assert_int_equal(n, want);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], plain_at(at + i));
		at += n;
	}
	return true;
}

static const uint64_t starts[] = {
	SIZE / 2 + 12345,              /* in the middle, 17 segments */
	SIZE / 2,                      /* and 16 */
	SIZE / 2 - 1,                  /* one byte of a segment before */
	(UINT64_C(1) << 32) - MIB / 2, /* over the place where 32 bits end */
	(UINT64_C(1) << 32) * 2 - 1,   /* and again */
	SIZE - MIB,                    /* with the last segment, which is empty */
	SIZE - MIB - 1,
};

static void a_mebibyte_anywhere_costs_one_seek_and_two_segments_more_at_most(void **state UNUSED)
{
	static const enum seal_suite suites[] = { SEAL_SINGLE, SEAL_DOUBLE };

	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct seal_pool pool = pool_of(suites[i]);
		size_t full = seal_sealed_segment(suites[i]);
		for (size_t k = 0; k < ARRAY_LEN(starts); k++) {
			struct large l;
			struct err err;
			large_init(&l, &pool);
			ASSERT_DONE(read_range(&l, &pool, starts[k], MIB, &err));
			/* The header, at the object's beginning, and from there to the range. */
			assert_int_equal(l.seeks, 1);
			assert_true(l.bytes <= HEADER + (MIB / SEG + 2) * full);
			assert_true(l.reads <= 1 + 6);
			seal_lock_fini(&l.lock);
		}
	}
}

static void a_segment_from_four_gibibytes_before_does_not_open(void **state UNUSED)
{
	static const uint64_t shifts[] = { UINT64_C(1) << 16, UINT64_C(1) << 15, 1 };
	struct seal_pool pool = pool_of(SEAL_SINGLE);
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(shifts); i++) {
		struct large l;
		large_init(&l, &pool);
		l.shift = shifts[i];
		ASSERT_FAILS(ERR_CORRUPT, read_range(&l, &pool, SIZE / 2, MIB, &err));
		seal_lock_fini(&l.lock);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mebibyte_anywhere_costs_one_seek_and_two_segments_more_at_most),
		cmocka_unit_test(a_segment_from_four_gibibytes_before_does_not_open),
	};
	return cmocka_run_group_tests(tests, init_crypt, NULL);
}
