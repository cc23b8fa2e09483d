/* Large objects, which are written past the page cache in whole blocks. */
#include <signal.h>
#include <sys/resource.h>

#include "../unit.h"
#include "store/stage.h"
#include "store/store_fs.h"

#define SIZE (5 * MIB + 12345)

static char folder[256];
static uint8_t content[SIZE];

static int set_up(void **state UNUSED)
{
	uint64_t x = 88172645463325252ULL;
	for (size_t i = 0; i < SIZE; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		content[i] = (uint8_t)x;
	}
	make_temp_folder(folder);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	remove_temp_folder(folder);
	return 0;
}

static void store_closep(struct blobstore **s)
{
	blobstore_close(*s);
}

static struct blobstore *open_store(void)
{
	struct blobstore *s = NULL;
	struct err err;
	ASSERT_DONE(store_fs_open(folder, 0, &s, &err));
	return s;
}

static struct store_key key_of(unsigned n)
{
	return (struct store_key){ { (uint8_t)n, 1, (uint8_t)(n >> 8) } };
}

/* Writes content from where the object ends up to `to`, in pieces of odd sizes. */
static void write_to(struct blob_writer *w, uint64_t to, size_t piece)
{
	struct err err;
	while (w->size_bytes < to) {
		uint64_t at = w->size_bytes;
		size_t n = to - at < piece ? (size_t)(to - at) : piece;
		ASSERT_DONE(blob_writer_write(w, content + at, n, &err));
		assert_int_equal(w->size_bytes, at + n);
	}
}

static void assert_holds(struct blobstore *s, const struct store_key *key, size_t size)
{
	static uint8_t got[SIZE + 1];
	struct blob_reader *r CLEANUP(blob_reader_closep) = NULL;
	struct err err;
	size_t n = 0;
	ASSERT_DONE(blobstore_open(s, key, &r, &err));
	ASSERT_DONE(blob_reader_pread(r, got, sizeof(got), 0, &n, &err));
	assert_int_equal(n, size);
	assert_memory_equal(got, content, size);
}

static void pieces_of_any_size_make_the_same_object(void **state UNUSED)
{
	static const size_t pieces[] = { 777, 65564, 200000, STAGE_BYTES, 3 * MIB + 1, SIZE };
	struct blobstore *s CLEANUP(store_closep) = open_store();
	struct err err;
	for (unsigned i = 0; i < ARRAY_LEN(pieces); i++) {
		struct store_key key = key_of(i);
		struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
		ASSERT_DONE(blobstore_append(s, &key, &w, &err));
		write_to(w, SIZE, pieces[i]);
		ASSERT_DONE(blob_writer_sync(w, &err));
		assert_holds(s, &key, SIZE);
	}
}

static void what_is_synced_is_there_and_goes_on_from_any_offset(void **state UNUSED)
{
	static const uint64_t stops[] = { MIB - 1, MIB + 1, MIB + 70000, 2 * MIB, 3 * MIB + 4097,
		4 * MIB + 99, SIZE };
	struct blobstore *s CLEANUP(store_closep) = open_store();
	struct store_key key = key_of(0);
	struct err err;
	for (unsigned reopens = 0; reopens < 2; reopens++) {
		struct blob_writer *w = NULL;
		ASSERT_DONE(blobstore_append(s, &key, &w, &err));
		for (size_t i = 0; i < ARRAY_LEN(stops); i++) {
			write_to(w, stops[i], 40000);
			ASSERT_DONE(blob_writer_sync(w, &err));
			assert_holds(s, &key, stops[i]);
			if (reopens == 0)
				continue;
			blob_writer_close(w);
			ASSERT_DONE(blobstore_append(s, &key, &w, &err));
			assert_int_equal(w->size_bytes, stops[i]);
		}
		blob_writer_close(w);
		ASSERT_DONE(blobstore_remove(s, &key, &err));
	}
}

static void a_cut_drops_what_is_gathered_and_what_is_written(void **state UNUSED)
{
	/* In the stage, before it, before where stages begin; and none at all. */
	static const uint64_t cuts[] = { 3 * MIB + 9000, 2 * MIB + 5, 1000, 3 * MIB + 10000 };
	struct blobstore *s CLEANUP(store_closep) = open_store();
	struct err err;
	for (unsigned i = 0; i < ARRAY_LEN(cuts); i++) {
		struct store_key key = key_of(i);
		struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
		ASSERT_DONE(blobstore_append(s, &key, &w, &err));
		write_to(w, 3 * MIB, 65536);
		write_to(w, 3 * MIB + 10000, 65536);
		ASSERT_DONE(blob_writer_cut(w, cuts[i], &err));
		assert_int_equal(w->size_bytes, cuts[i]);
		ASSERT_DONE(blob_writer_sync(w, &err));
		assert_holds(s, &key, (size_t)cuts[i]);
		write_to(w, SIZE, 100000);
		ASSERT_DONE(blob_writer_sync(w, &err));
		assert_holds(s, &key, SIZE);
	}
}

static void what_was_not_synced_is_kept_by_a_close(void **state UNUSED)
{
	struct blobstore *s CLEANUP(store_closep) = open_store();
	struct store_key key = key_of(0);
	struct blob_writer *w = NULL;
	struct err err;
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	write_to(w, 2 * MIB + 333, 100000);
	blob_writer_close(w);
	assert_holds(s, &key, 2 * MIB + 333);
}

static void more_writers_than_buffers_all_get_through(void **state UNUSED)
{
	enum { COUNT = STAGES_MAX + 8 };
	struct blobstore *s CLEANUP(store_closep) = open_store();
	struct blob_writer *w[COUNT] = { NULL };
	struct err err;
	for (unsigned i = 0; i < COUNT; i++) {
		struct store_key key = key_of(i);
		ASSERT_DONE(blobstore_append(s, &key, &w[i], &err));
		write_to(w[i], 2 * MIB + i, 150000);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		struct store_key key = key_of(i);
		ASSERT_DONE(blob_writer_sync(w[i], &err));
		blob_writer_close(w[i]);
		assert_holds(s, &key, 2 * MIB + i);
	}
}

/* A limit on the size of files stands in for a full disk. */
static void a_full_disk_costs_nothing_that_was_written(void **state UNUSED)
{
	struct rlimit old;
	struct rlimit small;
	struct blobstore *s CLEANUP(store_closep) = open_store();
	struct store_key key = key_of(0);
	struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
	struct err err;
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	write_to(w, 2 * MIB + 1000, 65536);
	ASSERT_DONE(blob_writer_sync(w, &err));
	write_to(w, 3 * MIB, 65536);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 3 * MIB;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	bool done = blob_writer_write(w, content + 3 * MIB, MIB, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(done);
	/* Some of the piece may be there, in the order in which it came. */
	assert_in_range(w->size_bytes, 3 * MIB, 4 * MIB);
	write_to(w, SIZE, 65536);
	ASSERT_DONE(blob_writer_sync(w, &err));
	assert_holds(s, &key, SIZE);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(pieces_of_any_size_make_the_same_object),
		IN_FOLDER(what_is_synced_is_there_and_goes_on_from_any_offset),
		IN_FOLDER(a_cut_drops_what_is_gathered_and_what_is_written),
		IN_FOLDER(what_was_not_synced_is_kept_by_a_close),
		IN_FOLDER(more_writers_than_buffers_all_get_through),
		IN_FOLDER(a_full_disk_costs_nothing_that_was_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
