#include "seal_fixture.h"

/* Sealed objects: what they hold, and that nothing else is ever read from them. */

static const enum seal_suite suites[] = { SEAL_SINGLE, SEAL_DOUBLE };

#define HEADER          48
#define OVERHEAD(suite) ((size_t)28 * (suite))
#define SEALED(suite)   (SEG + OVERHEAD(suite))

static void sizes_follow_from_each_other(void **state UNUSED)
{
	static const uint64_t plain[] = { 0, 1, 65535, 65536, 65537, 131071, 131072, 1 << 30,
		UINT64_C(10) << 30 };
	uint64_t back;
	assert_int_equal(seal_inner_size(SEAL_SINGLE, 0), 48 + 28);
	assert_int_equal(seal_inner_size(SEAL_SINGLE, 65536), 48 + 65536 + 28 + 28);
	assert_int_equal(seal_inner_size(SEAL_DOUBLE, 5), 48 + 5 + 56);
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		for (size_t k = 0; k < ARRAY_LEN(plain); k++) {
			assert_true(seal_plain_size(
				suites[i], seal_inner_size(suites[i], plain[k]), &back));
			assert_int_equal(back, plain[k]);
		}
		/* Too small for header and last segment, or the last one is missing or torn. */
		for (uint64_t n = 0; n < HEADER + OVERHEAD(suites[i]); n++)
			assert_false(seal_plain_size(suites[i], n, &back));
		for (uint64_t n = 0; n < OVERHEAD(suites[i]); n++)
			assert_false(
				seal_plain_size(suites[i], HEADER + SEALED(suites[i]) + n, &back));
	}
}

static void what_is_sealed_comes_back(void **state UNUSED)
{
	static const size_t sizes[] = { 0, 1, 15, 1000, SEG - 1, SEG, SEG + 1, 2 * SEG, 4 * SEG,
		4 * SEG + 1, 5 * SEG - 1, 9 * SEG, 700001 };
	static const size_t pieces[] = { 1, 999, SEG - 1, SEG, SEG + 1, 3 * SEG, 1 << 20 };
	uint8_t *bytes CLEANUP(freep) = plain_new(700001);
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct seal_pool pool = pool_of(suites[i]);
		for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
			for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
				if (pieces[p] == 1 && sizes[k] > SEG + 1)
					continue; /* slow, and nothing new */
				struct blobstore *s = store_mem_new();
				seal_object(s, &pool, &key_a, bytes, sizes[k], pieces[p]);
				struct blob_reader *inner = opened(s, &key_a);
				struct seal_reader *r = NULL;
				assert_int_equal(
					inner->size_bytes, seal_inner_size(suites[i], sizes[k]));
				ASSERT_DONE(
					seal_reader_open(inner, &pool, &key_a, sizes[k], &r, &err));
				assert_int_equal(seal_reader_size(r), sizes[k]);
				ASSERT_DONE(read_all(r, bytes, pieces[p], &err));
				seal_reader_close(r);
				blob_reader_close(inner);
				blobstore_close(s);
			}
		}
	}
}

static void any_range_can_be_read_in_any_order(void **state UNUSED)
{
	const size_t len = 6 * SEG + 100;
	uint8_t *bytes CLEANUP(freep) = plain_new(len);
	uint8_t *out CLEANUP(freep) = xmalloc(len + 10);
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct seal_pool pool = pool_of(suites[i]);
		struct blobstore *s = store_mem_new();
		seal_object(s, &pool, &key_a, bytes, len, len);
		struct blob_reader *inner = opened(s, &key_a);
		struct seal_reader *r = NULL;
		ASSERT_DONE(seal_reader_open(inner, &pool, &key_a, len, &r, &err));
		/* Around every border, backwards, so that nothing is read ahead. */
		for (size_t border = 7; border-- > 0;) {
			for (size_t d = 0; d < 5; d++) {
				size_t off = border * SEG + d < 2 ? 0 : border * SEG + d - 2;
				static const size_t lens[] = { 0, 1, 2, 3, SEG - 1, SEG, SEG + 1,
					SEG + 4, 5 * SEG };
				for (size_t k = 0; k < ARRAY_LEN(lens); k++) {
					size_t n = 99;
					size_t want = lens[k] < len - off ? lens[k] : len - off;
					ASSERT_DONE(
						seal_reader_pread(r, out, lens[k], off, &n, &err));
					assert_int_equal(n, want);
					assert_memory_equal(out, bytes + off, n);
				}
			}
		}
		size_t n = 99;
		ASSERT_DONE(seal_reader_pread(r, out, 10, len, &n, &err));
		assert_int_equal(n, 0);
		ASSERT_DONE(seal_reader_pread(r, out, 10, UINT64_MAX, &n, &err));
		assert_int_equal(n, 0);
		ASSERT_DONE(seal_reader_pread(r, out, 10, len - 3, &n, &err));
		assert_int_equal(n, 3);
		seal_reader_close(r);
		blob_reader_close(inner);
		blobstore_close(s);
	}
}

/* Reading takes exactly that many reads of the inner object: the call after them is the one that
 * fails. */
static void expect_reads(struct blobstore *s, struct blob_reader *inner, struct seal_reader *r,
	unsigned reads, size_t piece, uint64_t from, uint64_t to)
{
	uint8_t *out CLEANUP(freep) = xmalloc(piece);
	struct err err;
	size_t n;
	store_fault_set(s, reads + 1, ERR_UNAVAILABLE);
	for (uint64_t at = from; at < to; at += piece)
		ASSERT_DONE(seal_reader_pread(
			r, out, to - at < piece ? (size_t)(to - at) : piece, at, &n, &err));
	assert_false(store_fault_is_spent(s));
	ASSERT_FAILS(ERR_UNAVAILABLE, blob_reader_pread(inner, out, 1, 0, &n, &err));
}

static void reading_on_reads_several_segments_at_once(void **state UNUSED)
{
	uint8_t *bytes CLEANUP(freep) = plain_new(40 * SEG);
	struct seal_pool pool = pool_of(SEAL_SINGLE);
	struct blobstore *s = store_fault_new(store_mem_new());
	struct seal_reader *r = NULL;
	struct err err;
	seal_object(s, &pool, &key_a, bytes, 40 * SEG, SEG);
	struct blob_reader *inner = opened(s, &key_a);
	/* 40 segments and an empty last one in fours. */
	ASSERT_DONE(seal_reader_open(inner, &pool, &key_a, 40 * SEG, &r, &err));
	expect_reads(s, inner, r, 11, 10000, 0, 40 * SEG);
	seal_reader_close(r);
	/* A mebibyte in the middle that touches 17 segments: one alone, then fours. */
	ASSERT_DONE(seal_reader_open(inner, &pool, &key_a, 40 * SEG, &r, &err));
	seal_reader_limit(r, 10 * SEG + 5 + MIB);
	expect_reads(s, inner, r, 5, 32768, 10 * SEG + 5, 10 * SEG + 5 + MIB);
	seal_reader_close(r);
	/* One byte is one segment, again and again. */
	ASSERT_DONE(seal_reader_open(inner, &pool, &key_a, 40 * SEG, &r, &err));
	expect_reads(s, inner, r, 1, 1, 20 * SEG - 3, 20 * SEG - 2);
	expect_reads(s, inner, r, 0, 1, 20 * SEG - 3, 20 * SEG);
	seal_reader_close(r);
	blob_reader_close(inner);
	blobstore_close(s);
}

static void nothing_shows_and_no_two_are_alike(void **state UNUSED)
{
	struct blobstore *s = store_mem_new();
	uint8_t *bytes CLEANUP(freep) = xmalloc(3 * SEG);
	size_t len_a, len_b;
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct seal_pool pool = pool_of(suites[i]);
		seal_object(s, &pool, &key_a, bytes, 3 * SEG, SEG);
		uint8_t *a CLEANUP(freep) = raw_of(s, &key_a, &len_a);
		struct err err;
		ASSERT_DONE(blobstore_remove(s, &key_a, &err));
		seal_object(s, &pool, &key_a, bytes, 3 * SEG, SEG);
		uint8_t *b CLEANUP(freep) = raw_of(s, &key_a, &len_b);
		assert_int_equal(len_a, len_b);
		size_t zeros = 0, alike = 0, repeated = 0;
		for (size_t k = HEADER; k < len_a; k++) {
			zeros += a[k] == 0;
			alike += a[k] == b[k];
			repeated +=
				k + SEALED(suites[i]) < len_a && a[k] == a[k + SEALED(suites[i])];
		}
		/* One in 256 by chance. */
		assert_in_range(zeros, 500, 1100);
		assert_in_range(alike, 500, 1100);
		assert_in_range(repeated, 300, 800);
		ASSERT_DONE(blobstore_remove(s, &key_a, &err));
	}
	blobstore_close(s);
}

/* One object that every tamper below starts from. */
struct victim {
	enum seal_suite suite;
	struct seal_pool pool;
	struct blobstore *s;
	uint8_t *bytes, *raw;
	size_t len, raw_len;
};

static void victim_make(struct victim *v, enum seal_suite suite, size_t len)
{
	*v = (struct victim){ .suite = suite, .pool = pool_of(suite), .len = len };
	v->s = store_mem_new();
	v->bytes = plain_new(len);
	seal_object(v->s, &v->pool, &key_a, v->bytes, len, len + 1);
	v->raw = raw_of(v->s, &key_a, &v->raw_len);
}

static void victim_drop(struct victim *v)
{
	struct err err;
	put_raw(v->s, &key_a, v->raw, v->raw_len);
	ASSERT_DONE(check_object(v->s, &v->pool, &key_a, v->bytes, v->len, &err));
	free(v->bytes);
	free(v->raw);
	blobstore_close(v->s);
}

/* read_all, within, also fails the test if a wrong byte is handed out. */
static void must_be_noticed(struct victim *v, const uint8_t *raw, size_t raw_len, uint64_t len)
{
	struct err err;
	put_raw(v->s, &key_a, raw, raw_len);
	ASSERT_FAILS(ERR_CORRUPT, check_object(v->s, &v->pool, &key_a, v->bytes, len, &err));
}

static void a_flipped_bit_is_noticed_wherever_it_is(void **state UNUSED)
{
	static const size_t lens[] = { 0, 60, SEG, SEG + 60 };
	struct err err;
	for (size_t i = 0; i < 2 * ARRAY_LEN(lens); i++) {
		struct victim v;
		victim_make(&v, suites[i % 2], lens[i / 2]);
		for (size_t at = 0; at < v.raw_len; at++) {
			size_t in_segment = at < HEADER ? 0 : (at - HEADER) % SEALED(v.suite);
			if (in_segment > 120 && in_segment < SEALED(v.suite) - 120)
				continue; /* all alike there */
			v.raw[at] ^= (uint8_t)(1 << at % 8);
			put_raw(v.s, &key_a, v.raw, v.raw_len);
			assert_false(check_object(v.s, &v.pool, &key_a, v.bytes, v.len, &err));
			/* A version that does not exist is not found in the ring. */
			if (at < 12 || at >= 20)
				assert_int_equal(err.kind, ERR_CORRUPT);
			else
				assert_true(err.kind == ERR_CORRUPT || err.kind == ERR_KEY_UNKNOWN);
			v.raw[at] ^= (uint8_t)(1 << at % 8);
		}
		victim_drop(&v);
	}
}

static void the_other_segments_stay_readable_beside_a_damaged_one(void **state UNUSED)
{
	struct victim v;
	struct err err;
	struct seal_reader *r = NULL;
	uint8_t out[100];
	size_t n;
	victim_make(&v, SEAL_SINGLE, 3 * SEG);
	v.raw[HEADER + SEALED(1) + 500] ^= 1;
	put_raw(v.s, &key_a, v.raw, v.raw_len);
	v.raw[HEADER + SEALED(1) + 500] ^= 1;
	struct blob_reader *inner = opened(v.s, &key_a);
	ASSERT_DONE(seal_reader_open(inner, &v.pool, &key_a, v.len, &r, &err));
	for (int i = 0; i < 2; i++) {
		ASSERT_DONE(seal_reader_pread(r, out, 100, SEG - 100, &n, &err));
		assert_memory_equal(out, v.bytes + SEG - 100, 100);
		ASSERT_FAILS(ERR_CORRUPT, seal_reader_pread(r, out, 100, SEG - 99, &n, &err));
		assert_non_null(strstr(err.detail, "segment 1 "));
		ASSERT_DONE(seal_reader_pread(r, out, 100, 2 * SEG, &n, &err));
		assert_memory_equal(out, v.bytes + 2 * SEG, 100);
	}
	seal_reader_close(r);
	blob_reader_close(inner);
	victim_drop(&v);
}

static void a_cut_or_extended_object_is_noticed(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct victim v;
		victim_make(&v, suites[i], 2 * SEG + 90);
		uint8_t *longer CLEANUP(freep) = xmalloc(v.raw_len + SEALED(v.suite));
		memcpy(longer, v.raw, v.raw_len);
		size_t borders[] = { 0, 1, HEADER - 1, HEADER, HEADER + 1,
			HEADER + OVERHEAD(v.suite), HEADER + SEALED(v.suite),
			HEADER + SEALED(v.suite) + OVERHEAD(v.suite),
			HEADER + SEALED(v.suite) + 1000, HEADER + 2 * SEALED(v.suite),
			HEADER + 2 * SEALED(v.suite) + OVERHEAD(v.suite), v.raw_len - 1,
			v.raw_len + 1, v.raw_len + OVERHEAD(v.suite), v.raw_len + SEG };
		for (size_t k = 0; k < ARRAY_LEN(borders); k++) {
			uint64_t fits;
			must_be_noticed(&v, longer, borders[k], v.len);
			/* Also if whoever cut it could change the row with the size. */
			if (seal_plain_size(v.suite, borders[k], &fits) && fits <= v.len)
				must_be_noticed(&v, longer, borders[k], fits);
		}
		victim_drop(&v);
	}
}

static void segments_cannot_be_moved(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct victim v;
		victim_make(&v, suites[i], 3 * SEG);
		const size_t n = SEALED(v.suite);
		uint8_t *raw CLEANUP(freep) = xmalloc(v.raw_len);
		/* Two change places; one stands twice. */
		memcpy(raw, v.raw, v.raw_len);
		memcpy(raw + HEADER, v.raw + HEADER + n, n);
		memcpy(raw + HEADER + n, v.raw + HEADER, n);
		must_be_noticed(&v, raw, v.raw_len, v.len);
		memcpy(raw + HEADER, v.raw + HEADER, n);
		must_be_noticed(&v, raw, v.raw_len, v.len);
		/* The last one a segment earlier. */
		memcpy(raw, v.raw, v.raw_len);
		memcpy(raw + HEADER + 2 * n, v.raw + HEADER + 3 * n, OVERHEAD(v.suite));
		must_be_noticed(&v, raw, v.raw_len - n, 2 * SEG);
		victim_drop(&v);
	}
}

static void segments_of_another_object_or_sealing_do_not_fit(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct victim v;
		struct err err;
		size_t len;
		victim_make(&v, suites[i], SEG + 5);
		const size_t n = SEALED(v.suite);
		/* The same bytes under another object's key, in the same pool. */
		seal_object(v.s, &v.pool, &key_b, v.bytes, v.len, v.len);
		uint8_t *other CLEANUP(freep) = raw_of(v.s, &key_b, &len);
		uint8_t *raw CLEANUP(freep) = xmalloc(len);
		assert_int_equal(len, v.raw_len);
		must_be_noticed(&v, other, len, v.len); /* whole */
		memcpy(raw, v.raw, len);
		memcpy(raw + HEADER + n, other + HEADER + n, len - HEADER - n);
		must_be_noticed(&v, raw, len, v.len);
		memcpy(raw, v.raw, HEADER);
		memcpy(raw + HEADER, other + HEADER, len - HEADER);
		must_be_noticed(&v, raw, len, v.len);
		/* With another version of the key. */
		struct seal_pool newer = v.pool;
		newer.version[SEAL_INNER] = 3;
		ASSERT_DONE(blobstore_remove(v.s, &key_a, &err));
		seal_object(v.s, &newer, &key_a, v.bytes, v.len, v.len);
		ASSERT_DONE(check_object(v.s, &v.pool, &key_a, v.bytes, v.len, &err));
		free(other);
		other = raw_of(v.s, &key_a, &len);
		memcpy(raw, v.raw, len);
		memcpy(raw + HEADER, other + HEADER, n);
		must_be_noticed(&v, raw, len, v.len);
		victim_drop(&v);
	}
}

static void objects_of_another_pool_or_suite_do_not_open(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct victim v;
		struct err err;
		victim_make(&v, suites[i], SEG + 5);
		/* Another pool that has the very same keys; the same pool with others. */
		struct seal_pool other = v.pool;
		other.pool_id = 13;
		ASSERT_FAILS(ERR_CORRUPT, check_object(v.s, &other, &key_a, v.bytes, v.len, &err));
		assert_non_null(strstr(err.detail, "another pool"));
		uint8_t *raw CLEANUP(freep) = xmalloc(v.raw_len);
		memcpy(raw, v.raw, v.raw_len);
		raw[27] = 13; /* the header told so */
		put_raw(v.s, &key_a, raw, v.raw_len);
		ASSERT_FAILS(ERR_CORRUPT, check_object(v.s, &other, &key_a, v.bytes, v.len, &err));
		put_raw(v.s, &key_a, v.raw, v.raw_len);
		other = v.pool;
		other.arg = &ring_two;
		ASSERT_FAILS(ERR_CORRUPT, check_object(v.s, &other, &key_a, v.bytes, v.len, &err));
		assert_non_null(strstr(err.detail, "segment 0 does not open"));
		other = v.pool;
		other.suite = suites[1 - i];
		ASSERT_FAILS(ERR_CORRUPT, check_object(v.s, &other, &key_a, v.bytes, v.len, &err));
		victim_drop(&v);
	}
}

/* A ring in which one layer's keys are another ring's. */
static bool mixed_key(
	void *arg, enum seal_layer layer, uint32_t version, struct secret *out, struct err *err)
{
	const enum seal_layer *foreign = arg;
	return ring_key(layer == *foreign ? &ring_two : &ring_one, layer, version, out, err);
}

static bool no_key(void *arg UNUSED, enum seal_layer layer UNUSED, uint32_t version UNUSED,
	struct secret *out UNUSED, struct err *err)
{
	return err_set(err, ERR_DENIED, "the key is disabled");
}

static void double_encryption_needs_both_keys(void **state UNUSED)
{
	enum seal_layer inner = SEAL_INNER;
	enum seal_layer outer = SEAL_OUTER;
	struct victim v;
	struct err err;
	victim_make(&v, SEAL_DOUBLE, SEG + 5);
	struct seal_pool other = v.pool;
	other.key = mixed_key;
	other.arg = &inner;
	ASSERT_FAILS(ERR_CORRUPT, check_object(v.s, &other, &key_a, v.bytes, v.len, &err));
	assert_non_null(strstr(err.detail, "inner key"));
	other.arg = &outer;
	ASSERT_FAILS(ERR_CORRUPT, check_object(v.s, &other, &key_a, v.bytes, v.len, &err));
	assert_non_null(strstr(err.detail, "outer key"));
	victim_drop(&v);
}

static void what_the_key_ring_says_comes_through(void **state UNUSED)
{
	struct victim v;
	struct err err;
	struct seal_writer *w = NULL;
	victim_make(&v, SEAL_SINGLE, 5);
	struct seal_pool other = v.pool;
	other.key = no_key;
	ASSERT_FAILS(ERR_DENIED, check_object(v.s, &other, &key_a, v.bytes, v.len, &err));
	assert_string_equal(err.msg, "the key is disabled");
	struct blob_writer *inner = appended(v.s, &key_b);
	ASSERT_FAILS(ERR_DENIED, seal_writer_open(inner, &other, &key_b, 0, STR(""), &w, &err));
	assert_null(w);
	blob_writer_close(inner);
	victim_drop(&v);
}

static void an_object_that_shrinks_under_a_reader_is_noticed(void **state UNUSED)
{
	struct victim v;
	struct err err;
	struct seal_reader *r = NULL;
	uint8_t out[10];
	size_t n;
	victim_make(&v, SEAL_SINGLE, SEG + 5);
	struct blob_reader *inner = opened(v.s, &key_a);
	ASSERT_DONE(seal_reader_open(inner, &v.pool, &key_a, v.len, &r, &err));
	put_raw(v.s, &key_a, v.raw, 1000);
	ASSERT_FAILS(ERR_CORRUPT, seal_reader_pread(r, out, 10, 0, &n, &err));
	put_raw(v.s, &key_a, v.raw, v.raw_len);
	ASSERT_DONE(seal_reader_pread(r, out, 10, 0, &n, &err));
	seal_reader_close(r);
	blob_reader_close(inner);
	victim_drop(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_follow_from_each_other),
		cmocka_unit_test(what_is_sealed_comes_back),
		cmocka_unit_test(any_range_can_be_read_in_any_order),
		cmocka_unit_test(reading_on_reads_several_segments_at_once),
		cmocka_unit_test(nothing_shows_and_no_two_are_alike),
		cmocka_unit_test(a_flipped_bit_is_noticed_wherever_it_is),
		cmocka_unit_test(the_other_segments_stay_readable_beside_a_damaged_one),
		cmocka_unit_test(a_cut_or_extended_object_is_noticed),
		cmocka_unit_test(segments_cannot_be_moved),
		cmocka_unit_test(segments_of_another_object_or_sealing_do_not_fit),
		cmocka_unit_test(objects_of_another_pool_or_suite_do_not_open),
		cmocka_unit_test(double_encryption_needs_both_keys),
		cmocka_unit_test(what_the_key_ring_says_comes_through),
		cmocka_unit_test(an_object_that_shrinks_under_a_reader_is_noticed),
	};
	return cmocka_run_group_tests(tests, init_crypt, NULL);
}
