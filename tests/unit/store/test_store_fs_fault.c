/*
 * Objects as files on a disk that fails: every call that changes or flushes a file fails once, at
 * every place that a growing object passes. Whatever fails, what was acknowledged by a sync is
 * there afterwards, and what is there is what was written.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../unit.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/store_fs.h"

/* In place of the C library's, for this program alone. The countdown-th call fails, and as many
 * behind it as are to. */
static int countdown, failures;

static bool fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	if (--failures > 0)
		countdown = 1;
	errno = EIO;
	return true;
}

int fsync(int fd)
{
	return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t len)
{
	return fails() ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

/* A disk that fails has taken some of it. */
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	if (!fails())
		return syscall(SYS_pwrite64, fd, bytes, len, at);
	(void)syscall(SYS_pwrite64, fd, bytes, len / 2 / 4096 * 4096, at);
	errno = EIO;
	return -1;
}

#define PIECE  (3 * MIB / 2 + 1000) /* some go past the page cache, where the file system can */
#define ROUNDS 3

static const struct store_key key = { { 0xab, 0xcd, [15] = 0x0f } };
static char folder[256];
static uint8_t *content;

static int make_content(void **state UNUSED)
{
	content = xmalloc((size_t)ROUNDS * PIECE);
	for (size_t i = 0; i < (size_t)ROUNDS * PIECE; i++)
		content[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
	return 0;
}

static int free_content(void **state UNUSED)
{
	free(content);
	return 0;
}

struct growth {
	struct blobstore *store;
	uint64_t promised; /* acknowledged by a sync */
	bool is_cut;       /* the last piece is taken back once, before it is synced */
};

/* As an upload goes on: each piece is written where the object ends, and synced. */
static bool grow(struct growth *g, struct err *err)
{
	struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
	if (!blobstore_append(g->store, &key, &w, err))
		return false;
	assert_true(w->size_bytes >= g->promised);
	/* What nobody was promised may be anything that was written once; it is cut off. */
	if (!blob_writer_cut(w, g->promised, err))
		return false;
	while (g->promised < (uint64_t)ROUNDS * PIECE) {
		const uint8_t *from = content + g->promised;
		if (!blob_writer_write(w, from, PIECE, err))
			return false;
		if (g->is_cut && (!blob_writer_cut(w, g->promised + 5000, err) ||
					 !blob_writer_write(w, from + 5000, PIECE - 5000, err)))
			return false;
		assert_int_equal(w->size_bytes, g->promised + PIECE);
		if (!blob_writer_sync(w, err))
			return false;
		g->promised = w->size_bytes;
	}
	return true;
}

/* The object, if it is there, holds at least what was promised, and that as it was written. */
static void assert_kept(struct growth *g)
{
	struct err err;
	struct blob_reader *r = NULL;
	size_t n = 0;
	if (!blobstore_open(g->store, &key, &r, &err)) {
		assert_int_equal(err.kind, ERR_BLOB_UNKNOWN);
		assert_int_equal(g->promised, 0);
		return;
	}
	assert_true(r->size_bytes >= g->promised);
	uint8_t *got = xmalloc((size_t)g->promised + 1);
	ASSERT_DONE(blob_reader_pread(r, got, (size_t)g->promised, 0, &n, &err));
	assert_int_equal(n, g->promised);
	if (n > 0)
		assert_memory_equal(got, content, n);
	free(got);
	blob_reader_close(r);
}

/* False: the n-th call never came. */
static bool grow_with_fault(int n, int in_a_row, bool is_cut)
{
	struct err err;
	struct growth g = { .is_cut = is_cut };
	make_temp_folder(folder);
	ASSERT_DONE(store_fs_open(folder, 0, &g.store, &err));
	countdown = n;
	failures = in_a_row;
	bool done = grow(&g, &err);
	bool came = countdown == 0 || failures < in_a_row;
	countdown = 0;
	if (!done) {
		assert_true(came);
		assert_int_equal(err.kind, ERR_UNAVAILABLE);
		assert_kept(&g);
		/* A server that starts again, or the same one. */
		if (n % 2) {
			blobstore_close(g.store);
			ASSERT_DONE(store_fs_open(folder, 0, &g.store, &err));
		}
		ASSERT_DONE(grow(&g, &err));
	}
	assert_int_equal(g.promised, (uint64_t)ROUNDS * PIECE);
	assert_kept(&g);
	blobstore_close(g.store);
	remove_temp_folder(folder);
	return came;
}

static void fail_everywhere(int in_a_row, bool is_cut)
{
	int n = 1;
	while (grow_with_fault(n, in_a_row, is_cut))
		n++;
	print_message("%d places\n", n - 1);
	assert_true(n > 2 * ROUNDS);
}

static void any_call_may_fail_once(void **state UNUSED)
{
	fail_everywhere(1, false);
}

static void the_cleaning_up_may_fail_too(void **state UNUSED)
{
	fail_everywhere(2, false);
	fail_everywhere(100, false);
}

static void any_call_may_fail_when_bytes_are_taken_back(void **state UNUSED)
{
	fail_everywhere(1, true);
	fail_everywhere(2, true);
}

/* What a writer wrote since its last sync is of unknown content once a sync has failed: it must not
 * be built upon, however often it is tried. */
static void a_writer_is_of_no_use_after_a_failed_sync(void **state UNUSED)
{
	struct err err;
	struct blobstore *s = NULL;
	struct blob_writer *w = NULL;
	make_temp_folder(folder);
	ASSERT_DONE(store_fs_open(folder, 0, &s, &err));
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	ASSERT_DONE(blob_writer_write(w, "abc", 3, &err));
	countdown = failures = 1;
	ASSERT_FAILS(ERR_UNAVAILABLE, blob_writer_sync(w, &err));
	ASSERT_FAILS(ERR_UNAVAILABLE, blob_writer_sync(w, &err));
	ASSERT_FAILS(ERR_UNAVAILABLE, blob_writer_write(w, "d", 1, &err));
	blob_writer_close(w);
	blobstore_close(s);
	remove_temp_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_call_may_fail_once),
		cmocka_unit_test(the_cleaning_up_may_fail_too),
		cmocka_unit_test(any_call_may_fail_when_bytes_are_taken_back),
		cmocka_unit_test(a_writer_is_of_no_use_after_a_failed_sync),
	};
	return cmocka_run_group_tests(tests, make_content, free_content);
}
