#include "../unit.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/store_fault.h"
#include "store/store_fs.h"
#include "store/store_mem.h"

/* The contract of blobstore.h, run against every back end: *state is the store. */

static char folder[256];

static const struct store_key key_a = { { 0x00, 1 } };
static const struct store_key key_b = { { 0xff, 2 } };
static const struct store_key key_c = { { 0x00, 3 } }; /* in the shard of a */

static int setup_mem(void **state)
{
	*state = store_mem_new();
	return 0;
}

static int setup_fault(void **state)
{
	*state = store_fault_new(store_mem_new());
	return 0;
}

static int setup_fs(void **state)
{
	struct blobstore *s = NULL;
	struct err err;
	char path[300];
	make_temp_folder(folder);
	snprintf(path, sizeof(path), "%s/made/here", folder);
	ASSERT_DONE(store_fs_open(path, 0, &s, &err));
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	blobstore_close(*state);
	if (folder[0] != '\0')
		remove_temp_folder(folder);
	folder[0] = '\0';
	return 0;
}

static struct blob_writer *append(struct blobstore *s, const struct store_key *key)
{
	struct blob_writer *w = NULL;
	struct err err;
	ASSERT_DONE(blobstore_append(s, key, &w, &err));
	return w;
}

static void put(struct blobstore *s, const struct store_key *key, const char *text)
{
	struct blob_writer *w CLEANUP(blob_writer_closep) = append(s, key);
	struct err err;
	ASSERT_DONE(blob_writer_write(w, text, strlen(text), &err));
	ASSERT_DONE(blob_writer_sync(w, &err));
}

static void expect(struct blobstore *s, const struct store_key *key, const char *text)
{
	struct blob_reader *r CLEANUP(blob_reader_closep) = NULL;
	char bytes[100];
	size_t n = 0;
	struct err err;
	ASSERT_DONE(blobstore_open(s, key, &r, &err));
	assert_int_equal(r->size_bytes, strlen(text));
	ASSERT_DONE(blob_reader_pread(r, bytes, sizeof(bytes), 0, &n, &err));
	ASSERT_STR(((struct str){ bytes, n }), text);
}

static void what_is_appended_can_be_read(void **state)
{
	struct err err;
	struct blob_writer *w CLEANUP(blob_writer_closep) = append(*state, &key_a);
	assert_int_equal(w->size_bytes, 0);
	ASSERT_DONE(blob_writer_write(w, "hello ", 6, &err));
	assert_int_equal(w->size_bytes, 6);
	ASSERT_DONE(blob_writer_write(w, "world", 5, &err));
	ASSERT_DONE(blob_writer_write(w, "", 0, &err));
	assert_int_equal(w->size_bytes, 11);
	ASSERT_DONE(blob_writer_sync(w, &err));
	ASSERT_DONE(blob_writer_sync(w, &err));
	assert_int_equal(w->size_bytes, 11);
	expect(*state, &key_a, "hello world");
}

static void a_reopened_object_goes_on_where_it_ended(void **state)
{
	struct err err;
	put(*state, &key_a, "one");
	struct blob_writer *w CLEANUP(blob_writer_closep) = append(*state, &key_a);
	assert_int_equal(w->size_bytes, 3);
	ASSERT_DONE(blob_writer_write(w, "two", 3, &err));
	blob_writer_closep(&w); /* unsynced bytes are there too while nothing crashes */
	w = append(*state, &key_a);
	assert_int_equal(w->size_bytes, 6);
	ASSERT_DONE(blob_writer_sync(w, &err));
	expect(*state, &key_a, "onetwo");
}

static void an_empty_object_exists(void **state)
{
	struct blob_writer *w CLEANUP(blob_writer_closep) = append(*state, &key_b);
	struct err err;
	ASSERT_DONE(blob_writer_sync(w, &err));
	expect(*state, &key_b, "");
}

static void a_cut_object_goes_on_from_there(void **state)
{
	struct err err;
	uint64_t size = 0;
	int64_t when = 0;
	put(*state, &key_a, "promised, and more");
	struct blob_writer *w CLEANUP(blob_writer_closep) = append(*state, &key_a);
	ASSERT_DONE(blob_writer_cut(w, 18, &err)); /* nothing to cut */
	ASSERT_DONE(blob_writer_cut(w, 8, &err));
	assert_int_equal(w->size_bytes, 8);
	ASSERT_DONE(blobstore_stat(*state, &key_a, &size, &when, &err));
	assert_int_equal(size, 8);
	ASSERT_DONE(blob_writer_write(w, "!", 1, &err));
	ASSERT_DONE(blob_writer_sync(w, &err));
	expect(*state, &key_a, "promised!");
	/* Also behind what this very writer has synced. */
	ASSERT_DONE(blob_writer_cut(w, 0, &err));
	ASSERT_DONE(blob_writer_write(w, "new", 3, &err));
	ASSERT_DONE(blob_writer_sync(w, &err));
	expect(*state, &key_a, "new");
}

static void objects_are_apart(void **state)
{
	put(*state, &key_a, "a");
	put(*state, &key_b, "bb");
	put(*state, &key_c, "ccc");
	expect(*state, &key_a, "a");
	expect(*state, &key_b, "bb");
	expect(*state, &key_c, "ccc");
}

static void a_missing_object_is_unknown(void **state)
{
	struct err err;
	struct blob_reader *r = NULL;
	uint64_t size;
	int64_t when;
	put(*state, &key_c, "in the same shard");
	for (int i = 0; i < 2; i++) {
		const struct store_key *key = i == 0 ? &key_a : &key_b;
		ASSERT_FAILS(ERR_BLOB_UNKNOWN, blobstore_open(*state, key, &r, &err));
		assert_null(r);
		ASSERT_FAILS(ERR_BLOB_UNKNOWN, blobstore_stat(*state, key, &size, &when, &err));
		ASSERT_DONE(blobstore_remove(*state, key, &err));
	}
}

static void removing_is_idempotent_and_spares_open_readers(void **state)
{
	struct err err;
	struct blob_reader *r CLEANUP(blob_reader_closep) = NULL;
	char bytes[10];
	size_t n = 0;
	put(*state, &key_a, "still here");
	put(*state, &key_c, "other");
	ASSERT_DONE(blobstore_open(*state, &key_a, &r, &err));
	ASSERT_DONE(blobstore_remove(*state, &key_a, &err));
	ASSERT_DONE(blobstore_remove(*state, &key_a, &err));
	ASSERT_DONE(blobstore_sync_removed(*state, &err));
	ASSERT_DONE(blobstore_sync_removed(*state, &err)); /* nothing is left to do */
	ASSERT_DONE(blob_reader_pread(r, bytes, 10, 0, &n, &err));
	assert_memory_equal(bytes, "still here", 10);
	struct blob_reader *none = NULL;
	ASSERT_FAILS(ERR_BLOB_UNKNOWN, blobstore_open(*state, &key_a, &none, &err));
	expect(*state, &key_c, "other");
	struct blob_writer *w CLEANUP(blob_writer_closep) = append(*state, &key_a);
	assert_int_equal(w->size_bytes, 0);
}

static void reading_is_cut_only_at_the_end(void **state)
{
	static const struct {
		uint64_t off;
		size_t len, n;
		const char *bytes;
	} table[] = {
		{ 0, 3, 3, "012" },
		{ 7, 3, 3, "789" },
		{ 7, 9, 3, "789" },
		{ 10, 5, 0, "" },
		{ 1000, 5, 0, "" },
		{ 4, 0, 0, "" },
	};
	struct err err;
	struct blob_reader *r CLEANUP(blob_reader_closep) = NULL;
	put(*state, &key_a, "0123456789");
	ASSERT_DONE(blobstore_open(*state, &key_a, &r, &err));
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char bytes[16];
		size_t n = 99;
		ASSERT_DONE(blob_reader_pread(r, bytes, table[i].len, table[i].off, &n, &err));
		assert_int_equal(n, table[i].n);
		assert_memory_equal(bytes, table[i].bytes, n);
	}
	if (r->fd >= 0) {
		char bytes[10];
		size_t n;
		ASSERT_DONE(file_pread_all(r->fd, bytes, 10, 0, &n, &err));
		assert_memory_equal(bytes, "0123456789", 10);
	}
}

static void stat_tells_size_and_time_of_the_last_append(void **state)
{
	struct err err;
	uint64_t size = 0;
	int64_t when = 0;
	int64_t before = clock_now_ms();
	put(*state, &key_a, "12345");
	ASSERT_DONE(blobstore_stat(*state, &key_a, &size, &when, &err));
	assert_int_equal(size, 5);
	/* File systems take the time from a coarse clock. */
	assert_true(when >= before - 1000);
	assert_true(when <= clock_now_ms() + 1000);
}

struct seen {
	unsigned a, b, c, other;
	uint64_t bytes;
	unsigned stop_after;
};

static bool see(void *arg, const struct store_key *key, uint64_t size_bytes)
{
	struct seen *seen = arg;
	if (memcmp(key, &key_a, sizeof(*key)) == 0)
		seen->a++;
	else if (memcmp(key, &key_b, sizeof(*key)) == 0)
		seen->b++;
	else if (memcmp(key, &key_c, sizeof(*key)) == 0)
		seen->c++;
	else
		seen->other++;
	seen->bytes += size_bytes;
	return seen->a + seen->b + seen->c + seen->other != seen->stop_after;
}

static void every_object_is_visited_once(void **state)
{
	struct err err;
	struct seen none = { 0 };
	struct seen all = { 0 };
	struct seen two = { .stop_after = 2 };
	ASSERT_DONE(blobstore_each(*state, see, &none, &err));
	assert_int_equal(none.a + none.b + none.c + none.other, 0);
	put(*state, &key_a, "1");
	put(*state, &key_b, "22");
	put(*state, &key_c, "333");
	ASSERT_DONE(blobstore_each(*state, see, &all, &err));
	assert_int_equal(all.a, 1);
	assert_int_equal(all.b, 1);
	assert_int_equal(all.c, 1);
	assert_int_equal(all.other, 0);
	assert_int_equal(all.bytes, 6);
	ASSERT_DONE(blobstore_each(*state, see, &two, &err));
	assert_int_equal(two.a + two.b + two.c, 2);
}

static bool remove_it(void *arg, const struct store_key *key, uint64_t size_bytes UNUSED)
{
	struct err err;
	ASSERT_DONE(blobstore_remove(arg, key, &err));
	return true;
}

static void objects_may_be_removed_while_visiting(void **state)
{
	struct err err;
	struct seen none = { 0 };
	put(*state, &key_a, "1");
	put(*state, &key_b, "2");
	put(*state, &key_c, "3");
	ASSERT_DONE(blobstore_each(*state, remove_it, *state, &err));
	ASSERT_DONE(blobstore_each(*state, see, &none, &err));
	assert_int_equal(none.a + none.b + none.c + none.other, 0);
}

static void large_objects_come_back_whole(void **state)
{
	enum { PIECE = 1 << 20, PIECES = 20 };
	struct err err;
	uint8_t *piece CLEANUP(freep) = xmalloc(PIECE);
	uint8_t *back CLEANUP(freep) = xmalloc(PIECE);
	struct blob_writer *w CLEANUP(blob_writer_closep) = append(*state, &key_a);
	for (int i = 0; i < PIECES; i++) {
		memset(piece, i + 1, PIECE);
		ASSERT_DONE(blob_writer_write(w, piece, PIECE, &err));
	}
	ASSERT_DONE(blob_writer_sync(w, &err));
	struct blob_reader *r CLEANUP(blob_reader_closep) = NULL;
	ASSERT_DONE(blobstore_open(*state, &key_a, &r, &err));
	assert_int_equal(r->size_bytes, (uint64_t)PIECE * PIECES);
	for (int i = 0; i < PIECES; i++) {
		size_t n = 0;
		memset(piece, i + 1, PIECE);
		ASSERT_DONE(blob_reader_pread(r, back, PIECE, (uint64_t)i * PIECE, &n, &err));
		assert_int_equal(n, PIECE);
		assert_memory_equal(back, piece, PIECE);
	}
}

static void closing_nothing_is_harmless(void **state UNUSED)
{
	blob_writer_close(NULL);
	blob_reader_close(NULL);
	blobstore_close(NULL);
}

#define ON(test, setup) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define CONTRACT(setup)                                                                        \
	ON(what_is_appended_can_be_read, setup),                                               \
		ON(a_reopened_object_goes_on_where_it_ended, setup),                           \
		ON(a_cut_object_goes_on_from_there, setup), ON(an_empty_object_exists, setup), \
		ON(objects_are_apart, setup), ON(a_missing_object_is_unknown, setup),          \
		ON(removing_is_idempotent_and_spares_open_readers, setup),                     \
		ON(reading_is_cut_only_at_the_end, setup),                                     \
		ON(stat_tells_size_and_time_of_the_last_append, setup),                        \
		ON(every_object_is_visited_once, setup),                                       \
		ON(objects_may_be_removed_while_visiting, setup),                              \
		ON(large_objects_come_back_whole, setup), ON(closing_nothing_is_harmless, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTRACT(setup_mem),
		CONTRACT(setup_fs),
		CONTRACT(setup_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
