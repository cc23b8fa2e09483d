#include "../unit.h"
#include "store/store_fault.h"
#include "store/store_mem.h"

static const struct store_key key = { { 1 } };

static bool stop(void *arg UNUSED, const struct store_key *k UNUSED, uint64_t size_bytes UNUSED)
{
	return false;
}

/* All ten calls in turn; counts those that were done. */
static bool use_everything(struct blobstore *s, unsigned *done, struct err *err)
{
	struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
	struct blob_reader *r CLEANUP(blob_reader_closep) = NULL;
	char bytes[4];
	size_t n;
	uint64_t size;
	int64_t when;
	*done = 0;
	return blobstore_append(s, &key, &w, err) && ++*done &&
	       blob_writer_write(w, "abcd", 4, err) && ++*done && blob_writer_sync(w, err) &&
	       ++*done && blob_writer_cut(w, 3, err) && ++*done &&
	       blobstore_open(s, &key, &r, err) && ++*done &&
	       blob_reader_pread(r, bytes, 4, 0, &n, err) && ++*done &&
	       blobstore_stat(s, &key, &size, &when, err) && ++*done &&
	       blobstore_each(s, stop, NULL, err) && ++*done && blobstore_remove(s, &key, err) &&
	       ++*done && blobstore_sync_removed(s, err) && ++*done;
}

static void the_chosen_call_fails_and_no_other(void **state UNUSED)
{
	struct blobstore *s = store_fault_new(store_mem_new());
	struct err err;
	unsigned done;
	for (unsigned n = 1; n <= 10; n++) {
		store_fault_set(s, n, ERR_UNAVAILABLE);
		ASSERT_FAILS(ERR_UNAVAILABLE, use_everything(s, &done, &err));
		assert_int_equal(done, n - 1);
		assert_true(store_fault_is_spent(s));
		/* Once only. */
		ASSERT_DONE(use_everything(s, &done, &err));
	}
	store_fault_set(s, 11, ERR_UNAVAILABLE);
	ASSERT_DONE(use_everything(s, &done, &err));
	assert_false(store_fault_is_spent(s));
	store_fault_set(s, 0, ERR_UNAVAILABLE);
	ASSERT_DONE(use_everything(s, &done, &err));
	blobstore_close(s);
}

static void a_write_that_fails_has_written_half(void **state UNUSED)
{
	struct blobstore *s = store_fault_new(store_mem_new());
	struct blob_writer *w = NULL;
	struct err err;
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	ASSERT_DONE(blob_writer_write(w, "abcd", 4, &err));
	store_fault_set(s, 1, ERR_STORAGE_FULL);
	ASSERT_FAILS(ERR_STORAGE_FULL, blob_writer_write(w, "efgh", 4, &err));
	assert_int_equal(w->size_bytes, 6);
	blob_writer_close(w);
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	assert_int_equal(w->size_bytes, 6);
	blob_writer_close(w);
	blobstore_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_chosen_call_fails_and_no_other),
		cmocka_unit_test(a_write_that_fails_has_written_half),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
