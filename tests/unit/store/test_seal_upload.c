#include "seal_fixture.h"

/* Uploads that pause, break off and go on; *state is nothing. */

#define LEN (6 * SEG)

/* Where things happen in the segments of an upload. */
static const size_t places[] = { 0, 1, 100, SEG - 1, SEG, SEG + 1, 2 * SEG - 1, 2 * SEG,
	3 * SEG + 77, 4 * SEG, 4 * SEG + 1, 5 * SEG, 6 * SEG - 1, LEN };

static const enum seal_suite suites[] = { SEAL_SINGLE, SEAL_DOUBLE };

/* Opens at what is acknowledged, writes up to to, pauses; tail is read and replaced. */
static void go_on(struct blobstore *s, const struct seal_pool *pool, const uint8_t *bytes,
	size_t from, size_t to, struct buf *tail)
{
	struct blob_writer *inner CLEANUP(blob_writer_closep) = appended(s, &key_a);
	struct seal_writer *w CLEANUP(seal_writer_closep) = NULL;
	struct err err;
	ASSERT_DONE(seal_writer_open(inner, pool, &key_a, from, buf_str(tail), &w, &err));
	assert_int_equal(seal_writer_size(w), from);
	ASSERT_DONE(seal_writer_write(w, bytes + from, to - from, &err));
	buf_reset(tail);
	ASSERT_DONE(seal_writer_tail(w, tail, &err));
	assert_in_range(tail->len, 1, SEAL_TAIL_MAX);
	ASSERT_DONE(blob_writer_sync(inner, &err));
}

static void finish(struct blobstore *s, const struct seal_pool *pool, const uint8_t *bytes,
	size_t from, size_t to, struct str tail)
{
	struct blob_writer *inner CLEANUP(blob_writer_closep) = appended(s, &key_a);
	struct seal_writer *w CLEANUP(seal_writer_closep) = NULL;
	struct err err;
	ASSERT_DONE(seal_writer_open(inner, pool, &key_a, from, tail, &w, &err));
	ASSERT_DONE(seal_writer_write(w, bytes + from, to - from, &err));
	ASSERT_DONE(seal_writer_finish(w, &err));
	ASSERT_DONE(blob_writer_sync(inner, &err));
}

static void an_upload_may_pause_anywhere(void **state UNUSED)
{
	uint8_t *bytes CLEANUP(freep) = plain_new(LEN);
	struct buf tail CLEANUP(buf_fini);
	struct err err;
	buf_init(&tail, SEAL_TAIL_MAX);
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct seal_pool pool = pool_of(suites[i]);
		for (size_t a = 0; a < ARRAY_LEN(places); a++) {
			for (size_t b = a; b < ARRAY_LEN(places); b++) {
				struct blobstore *s = store_mem_new();
				buf_reset(&tail);
				go_on(s, &pool, bytes, 0, places[a], &tail);
				go_on(s, &pool, bytes, places[a], places[b], &tail);
				finish(s, &pool, bytes, places[b], LEN, buf_str(&tail));
				ASSERT_DONE(check_object(s, &pool, &key_a, bytes, LEN, &err));
				blobstore_close(s);
			}
		}
	}
}

static void what_was_not_acknowledged_is_cut_off(void **state UNUSED)
{
	static const size_t torn[] = { 1, 13, 28, SEG, SEG + 28, SEG + 29, 2 * SEG + 100 };
	uint8_t *bytes CLEANUP(freep) = plain_new(LEN);
	struct buf tail CLEANUP(buf_fini);
	struct err err;
	buf_init(&tail, SEAL_TAIL_MAX);
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct seal_pool pool = pool_of(suites[i]);
		for (size_t a = 0; a < ARRAY_LEN(places); a++) {
			for (size_t k = 0; k < ARRAY_LEN(torn); k++) {
				struct blobstore *s = store_mem_new();
				buf_reset(&tail);
				go_on(s, &pool, bytes, 0, places[a], &tail);
				/* Whatever a crash leaves behind: here other bytes, as of a page
				 * that never came to disk. */
				struct blob_writer *w = appended(s, &key_a);
				ASSERT_DONE(blob_writer_write(w, bytes, torn[k], &err));
				blob_writer_close(w);
				finish(s, &pool, bytes, places[a], LEN, buf_str(&tail));
				ASSERT_DONE(check_object(s, &pool, &key_a, bytes, LEN, &err));
				blobstore_close(s);
			}
		}
	}
}

static void segments_beyond_the_acknowledged_ones_are_written_anew(void **state UNUSED)
{
	uint8_t *bytes CLEANUP(freep) = plain_new(LEN);
	uint8_t *other CLEANUP(freep) = xmalloc(LEN);
	struct seal_pool pool = pool_of(SEAL_SINGLE);
	struct buf tail CLEANUP(buf_fini);
	struct buf later CLEANUP(buf_fini);
	struct err err;
	buf_init(&tail, SEAL_TAIL_MAX);
	buf_init(&later, SEAL_TAIL_MAX);
	for (size_t a = 0; a < ARRAY_LEN(places); a++) {
		struct blobstore *s = store_mem_new();
		buf_reset(&tail);
		buf_reset(&later);
		go_on(s, &pool, bytes, 0, places[a], &tail);
		/* A client that sends other bytes the second time, and no row for the first. */
		buf_add_str(&later, buf_str(&tail));
		memcpy(other, bytes, places[a]);
		memset(other + places[a], 7, LEN - places[a]);
		go_on(s, &pool, other, places[a], LEN, &later);
		finish(s, &pool, bytes, places[a], LEN, buf_str(&tail));
		ASSERT_DONE(check_object(s, &pool, &key_a, bytes, LEN, &err));
		/* A fresh one also starts over. */
		finish(s, &pool, other, 0, 5, STR(""));
		ASSERT_DONE(check_object(s, &pool, &key_a, other, 5, &err));
		blobstore_close(s);
	}
}

static void finishing_can_be_repeated_and_taken_back(void **state UNUSED)
{
	uint8_t *bytes CLEANUP(freep) = plain_new(LEN);
	struct buf tail CLEANUP(buf_fini);
	struct err err;
	buf_init(&tail, SEAL_TAIL_MAX);
	for (size_t a = 0; a < ARRAY_LEN(places); a++) {
		struct seal_pool pool = pool_of(suites[a % 2]);
		struct blobstore *s = store_mem_new();
		struct blob_writer *inner = appended(s, &key_a);
		struct seal_writer *w = NULL;
		size_t first_len, second_len;
		ASSERT_DONE(seal_writer_open(inner, &pool, &key_a, 0, STR(""), &w, &err));
		ASSERT_DONE(seal_writer_write(w, bytes, places[a], &err));
		ASSERT_DONE(seal_writer_finish(w, &err));
		ASSERT_DONE(check_object(s, &pool, &key_a, bytes, places[a], &err));
		uint8_t *first CLEANUP(freep) = raw_of(s, &key_a, &first_len);
		ASSERT_DONE(seal_writer_finish(w, &err));
		ASSERT_DONE(check_object(s, &pool, &key_a, bytes, places[a], &err));
		uint8_t *second CLEANUP(freep) = raw_of(s, &key_a, &second_len);
		assert_int_equal(first_len, second_len);
		/* Sealed anew: another nonce. */
		size_t last = first_len - places[a] % SEG - 28 * (size_t)pool.suite;
		assert_memory_not_equal(first + last, second + last, 12);
		/* The client goes on after all; then the process ends, and goes on from the row. */
		ASSERT_DONE(seal_writer_write(w, bytes + places[a], (LEN - places[a]) / 2, &err));
		size_t half = (size_t)seal_writer_size(w);
		buf_reset(&tail);
		ASSERT_DONE(seal_writer_tail(w, &tail, &err));
		ASSERT_DONE(seal_writer_finish(w, &err));
		seal_writer_close(w);
		blob_writer_close(inner);
		finish(s, &pool, bytes, half, LEN, buf_str(&tail));
		ASSERT_DONE(check_object(s, &pool, &key_a, bytes, LEN, &err));
		blobstore_close(s);
	}
}

static void a_tail_fits_only_its_upload_and_place(void **state UNUSED)
{
	uint8_t *bytes CLEANUP(freep) = plain_new(LEN);
	struct buf tail CLEANUP(buf_fini);
	struct err err;
	buf_init(&tail, SEAL_TAIL_MAX);
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct seal_pool pool = pool_of(suites[i]);
		struct blobstore *s = store_mem_new();
		struct seal_writer *w = NULL;
		buf_reset(&tail);
		go_on(s, &pool, bytes, 0, 2 * SEG + 10, &tail);
		struct blob_writer *inner = appended(s, &key_a);
		uint64_t before = inner->size_bytes;
		static const uint64_t elsewhere[] = { 0, 10, SEG, SEG + 10, 2 * SEG, 2 * SEG + 9,
			2 * SEG + 11, 3 * SEG + 10 };
		for (size_t k = 0; k < ARRAY_LEN(elsewhere); k++)
			ASSERT_FAILS(ERR_CORRUPT, seal_writer_open(inner, &pool, &key_a,
							  elsewhere[k], buf_str(&tail), &w, &err));
		ASSERT_FAILS(ERR_CORRUPT,
			seal_writer_open(inner, &pool, &key_a, 2 * SEG + 10, STR(""), &w, &err));
		ASSERT_FAILS(ERR_CORRUPT, seal_writer_open(inner, &pool, &key_b, 2 * SEG + 10,
						  buf_str(&tail), &w, &err));
		struct seal_pool other = pool;
		other.pool_id++;
		ASSERT_FAILS(ERR_CORRUPT, seal_writer_open(inner, &other, &key_a, 2 * SEG + 10,
						  buf_str(&tail), &w, &err));
		other = pool;
		other.arg = &ring_two;
		ASSERT_FAILS(ERR_CORRUPT, seal_writer_open(inner, &other, &key_a, 2 * SEG + 10,
						  buf_str(&tail), &w, &err));
		for (size_t at = 0; at < tail.len; at++) {
			tail.ptr[at] ^= 0x10;
			assert_false(seal_writer_open(
				inner, &pool, &key_a, 2 * SEG + 10, buf_str(&tail), &w, &err));
			assert_false(seal_writer_open(inner, &pool, &key_a, 2 * SEG + 10,
				str_sub(buf_str(&tail), 0, at), &w, &err));
			tail.ptr[at] ^= 0x10;
		}
		assert_null(w);
		assert_int_equal(inner->size_bytes, before); /* nothing was cut */
		/* A tail in the place of a last segment is no last segment. */
		struct str body = str_sub(buf_str(&tail), 48, SIZE_MAX);
		ASSERT_DONE(blob_writer_write(inner, body.ptr, body.len, &err));
		ASSERT_FAILS(
			ERR_CORRUPT, check_object(s, &pool, &key_a, bytes, 2 * SEG + 10, &err));
		/* An object that lost acknowledged bytes is damaged. */
		ASSERT_DONE(blob_writer_cut(inner, before - 1, &err));
		ASSERT_FAILS(ERR_CORRUPT, seal_writer_open(inner, &pool, &key_a, 2 * SEG + 10,
						  buf_str(&tail), &w, &err));
		blob_writer_close(inner);
		blobstore_close(s);
	}
}

static void an_upload_keeps_the_key_it_began_with(void **state UNUSED)
{
	uint8_t *bytes CLEANUP(freep) = plain_new(LEN);
	struct seal_pool pool = pool_of(SEAL_DOUBLE);
	struct blobstore *s = store_mem_new();
	struct buf tail CLEANUP(buf_fini);
	struct err err;
	size_t len;
	buf_init(&tail, SEAL_TAIL_MAX);
	go_on(s, &pool, bytes, 0, SEG + 5, &tail);
	pool.version[SEAL_INNER] = 3;
	pool.version[SEAL_OUTER] = 3;
	finish(s, &pool, bytes, SEG + 5, LEN, buf_str(&tail));
	ASSERT_DONE(check_object(s, &pool, &key_a, bytes, LEN, &err));
	uint8_t *raw CLEANUP(freep) = raw_of(s, &key_a, &len);
	assert_memory_equal(raw + 12, "\0\0\0\1\0\0\0\2", 8);
	blobstore_close(s);
}

static void a_paused_upload_can_be_read_up_to_what_is_acknowledged(void **state UNUSED)
{
	uint8_t *bytes CLEANUP(freep) = plain_new(LEN);
	struct buf tail CLEANUP(buf_fini);
	struct err err;
	buf_init(&tail, SEAL_TAIL_MAX);
	for (size_t a = 0; a < ARRAY_LEN(places); a++) {
		struct seal_pool pool = pool_of(suites[a % 2]);
		struct blobstore *s = store_mem_new();
		struct seal_reader *r = NULL;
		buf_reset(&tail);
		go_on(s, &pool, bytes, 0, places[a], &tail);
		struct blob_writer *w = appended(s, &key_a);
		ASSERT_DONE(blob_writer_write(w, bytes, 1000, &err));
		blob_writer_close(w);
		struct blob_reader *inner = opened(s, &key_a);
		ASSERT_DONE(seal_reader_open_paused(
			inner, &pool, &key_a, places[a], buf_str(&tail), &r, &err));
		ASSERT_DONE(read_all(r, bytes, 50000, &err));
		seal_reader_close(r);
		if (places[a] < SEG) {
			ASSERT_DONE(seal_reader_open_paused(
				NULL, &pool, &key_a, places[a], buf_str(&tail), &r, &err));
			ASSERT_DONE(read_all(r, bytes, 50000, &err));
			seal_reader_close(r);
		} else {
			ASSERT_FAILS(ERR_CORRUPT, seal_reader_open_paused(NULL, &pool, &key_a,
							  places[a], buf_str(&tail), &r, &err));
		}
		blob_reader_close(inner);
		blobstore_close(s);
	}
	struct seal_pool pool = pool_of(SEAL_SINGLE);
	struct seal_reader *r = NULL;
	ASSERT_DONE(seal_reader_open_paused(NULL, &pool, &key_a, 0, STR(""), &r, &err));
	ASSERT_DONE(read_all(r, bytes, 10, &err));
	seal_reader_close(r);
}

/* Seals LEN bytes with two pauses; after a failure it goes on with the same writer, as long as it
 * can. False when a call failed for which the writer had to be opened again. */
static bool persist(struct blobstore *s, const struct seal_pool *pool, const uint8_t *bytes,
	struct buf *tail, uint64_t *acknowledged)
{
	struct blob_writer *inner CLEANUP(blob_writer_closep) = NULL;
	struct seal_writer *w CLEANUP(seal_writer_closep) = NULL;
	struct buf next CLEANUP(buf_fini);
	struct err err;
	buf_init(&next, SEAL_TAIL_MAX);
	if (!blobstore_append(s, &key_a, &inner, &err) ||
		!seal_writer_open(inner, pool, &key_a, *acknowledged, buf_str(tail), &w, &err))
		return false;
	for (;;) {
		uint64_t at = seal_writer_size(w);
		size_t piece = LEN - at < 70000 ? (size_t)(LEN - at) : 70000;
		if (at == LEN)
			break;
		if (!seal_writer_write(w, bytes + at, piece, &err))
			continue; /* from where it is now */
		buf_reset(&next);
		if (!seal_writer_tail(w, &next, &err) || !blob_writer_sync(inner, &err))
			continue; /* not acknowledged */
		*acknowledged = seal_writer_size(w);
		buf_reset(tail);
		buf_add_str(tail, buf_str(&next));
	}
	while (!seal_writer_finish(w, &err) || !blob_writer_sync(inner, &err))
		;
	return true;
}

static void after_any_failure_the_upload_goes_on(void **state UNUSED)
{
	uint8_t *bytes CLEANUP(freep) = plain_new(LEN);
	struct seal_pool pool = pool_of(SEAL_SINGLE);
	struct buf tail CLEANUP(buf_fini);
	struct err err;
	bool was_spent = true;
	unsigned n = 0;
	buf_init(&tail, SEAL_TAIL_MAX);
	while (was_spent) {
		struct blobstore *s = store_fault_new(store_mem_new());
		uint64_t acknowledged = 0;
		buf_reset(&tail);
		store_fault_set(s, ++n, ERR_STORAGE_FULL);
		while (!persist(s, &pool, bytes, &tail, &acknowledged))
			;
		was_spent = store_fault_is_spent(s);
		store_fault_set(s, 0, ERR_INTERNAL);
		ASSERT_DONE(check_object(s, &pool, &key_a, bytes, LEN, &err));
		blobstore_close(s);
	}
	assert_in_range(n, 12, 60);
}

static void it_works_on_files_too(void **state UNUSED)
{
	char folder[256];
	uint8_t *bytes CLEANUP(freep) = plain_new(LEN);
	struct seal_pool pool = pool_of(SEAL_DOUBLE);
	struct blobstore *s = NULL;
	struct buf tail CLEANUP(buf_fini);
	struct err err;
	buf_init(&tail, SEAL_TAIL_MAX);
	make_temp_folder(folder);
	ASSERT_DONE(store_fs_open(folder, 0, &s, &err));
	go_on(s, &pool, bytes, 0, 3 * SEG + 7, &tail);
	struct blob_writer *w = appended(s, &key_a);
	ASSERT_DONE(blob_writer_write(w, bytes, 1000, &err));
	blob_writer_close(w);
	finish(s, &pool, bytes, 3 * SEG + 7, LEN, buf_str(&tail));
	ASSERT_DONE(check_object(s, &pool, &key_a, bytes, LEN, &err));
	blobstore_close(s);
	remove_temp_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upload_may_pause_anywhere),
		cmocka_unit_test(what_was_not_acknowledged_is_cut_off),
		cmocka_unit_test(segments_beyond_the_acknowledged_ones_are_written_anew),
		cmocka_unit_test(finishing_can_be_repeated_and_taken_back),
		cmocka_unit_test(a_tail_fits_only_its_upload_and_place),
		cmocka_unit_test(an_upload_keeps_the_key_it_began_with),
		cmocka_unit_test(a_paused_upload_can_be_read_up_to_what_is_acknowledged),
		cmocka_unit_test(after_any_failure_the_upload_goes_on),
		cmocka_unit_test(it_works_on_files_too),
	};
	return cmocka_run_group_tests(tests, init_crypt, NULL);
}
