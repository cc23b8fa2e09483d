#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../unit.h"
#include "base/file.h"
#include "base/thread.h"
#include "store/store_fs.h"

/* In place of the C library's, for this program alone: the disk refuses once when told to. */
static bool is_fsync_failing;

int fsync(int fd)
{
	if (is_fsync_failing) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static const struct store_key key = { { 0xab, 0xcd, [15] = 0x0f } };
#define NAME "ab/abcd000000000000000000000000000f"

static char folder[256];

static int make_folder(void **state UNUSED)
{
	make_temp_folder(folder);
	return 0;
}

static int remove_folder(void **state UNUSED)
{
	remove_temp_folder(folder);
	return 0;
}

static const char *at(const char *name)
{
	static char path[400];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void store_closep(struct blobstore **s)
{
	blobstore_close(*s);
}

static struct blobstore *open_store(uint64_t min_free_bytes)
{
	struct blobstore *s = NULL;
	struct err err;
	ASSERT_DONE(store_fs_open(folder, min_free_bytes, &s, &err));
	return s;
}

static void objects_are_private_files_named_by_their_key(void **state UNUSED)
{
	struct blobstore *s CLEANUP(store_closep) = open_store(0);
	struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
	struct err err;
	struct stat st;
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	ASSERT_DONE(blob_writer_write(w, "xyz", 3, &err));
	assert_int_equal(stat(at(NAME), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(stat(at("ab"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void objects_are_there_when_the_store_is_opened_again(void **state UNUSED)
{
	struct err err;
	struct blob_writer *w = NULL;
	struct blobstore *s = open_store(0);
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	ASSERT_DONE(blob_writer_write(w, "kept", 4, &err));
	ASSERT_DONE(blob_writer_sync(w, &err));
	blob_writer_close(w);
	blobstore_close(s);
	s = open_store(0);
	struct blob_reader *r = NULL;
	ASSERT_DONE(blobstore_open(s, &key, &r, &err));
	assert_int_equal(r->size_bytes, 4);
	assert_true(r->fd >= 0);
	assert_int_equal(fcntl(r->fd, F_GETFD), FD_CLOEXEC);
	blob_reader_close(r);
	blobstore_close(s);
}

static void space_to_be_kept_free_is_not_given_away(void **state UNUSED)
{
	struct blobstore *s CLEANUP(store_closep) = open_store(UINT64_MAX);
	struct blob_writer *w = NULL;
	struct err err;
	ASSERT_FAILS(ERR_STORAGE_FULL, blobstore_append(s, &key, &w, &err));
	assert_null(w);
	assert_false(file_exists(at(NAME)));
	/* Deleting still works. */
	ASSERT_DONE(blobstore_remove(s, &key, &err));
}

static void a_write_that_fails_midway_leaves_what_was_good(void **state UNUSED)
{
	/* A limit on the size of files stands in for a full disk: the kernel writes up to it, then
	 * refuses. */
	struct rlimit old;
	struct rlimit small;
	struct blobstore *s CLEANUP(store_closep) = open_store(0);
	struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
	struct err err;
	struct stat st;
	static char bytes[8192];
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	ASSERT_DONE(blob_writer_write(w, bytes, 1000, &err));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 5000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	bool done = blob_writer_write(w, bytes, sizeof(bytes), &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(done);
	assert_int_equal(w->size_bytes, 1000);
	assert_int_equal(stat(at(NAME), &st), 0);
	assert_int_equal(st.st_size, 1000);
	ASSERT_DONE(blob_writer_write(w, bytes, 10, &err));
	ASSERT_DONE(blob_writer_sync(w, &err));
	assert_int_equal(w->size_bytes, 1010);
}

static void a_file_cut_behind_our_back_is_corrupt(void **state UNUSED)
{
	struct blobstore *s CLEANUP(store_closep) = open_store(0);
	struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
	struct blob_reader *r CLEANUP(blob_reader_closep) = NULL;
	struct err err;
	char bytes[10];
	size_t n;
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	ASSERT_DONE(blob_writer_write(w, "0123456789", 10, &err));
	ASSERT_DONE(blobstore_open(s, &key, &r, &err));
	assert_int_equal(truncate(at(NAME), 4), 0);
	ASSERT_FAILS(ERR_CORRUPT, blob_reader_pread(r, bytes, 10, 0, &n, &err));
	ASSERT_DONE(blob_reader_pread(r, bytes, 4, 0, &n, &err));
	assert_int_equal(n, 4);
}

static bool tally(void *arg, const struct store_key *seen, uint64_t size_bytes UNUSED)
{
	assert_memory_equal(seen, &key, sizeof(key));
	(*(unsigned *)arg)++;
	return true;
}

static void foreign_files_and_links_are_passed_over(void **state UNUSED)
{
	struct blobstore *s CLEANUP(store_closep) = open_store(0);
	struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
	struct blob_reader *r = NULL;
	struct err err;
	unsigned count = 0;
	const struct store_key linked = { { 0xab, 0xff } };
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	ASSERT_DONE(file_write_atomic(at("ab/README"), STR("x"), 0600, &err));
	ASSERT_DONE(file_write_atomic(
		at("ab/cd000000000000000000000000000000"), STR("wrong shard"), 0600, &err));
	ASSERT_DONE(file_write_atomic(
		at("ab/AB000000000000000000000000000000"), STR("upper case"), 0600, &err));
	ASSERT_DONE(file_mkdirs(at("ab/ab000000000000000000000000000000"), &err));
	assert_int_equal(symlink("/etc/passwd", at("ab/abff0000000000000000000000000000")), 0);
	ASSERT_DONE(blobstore_each(s, tally, &count, &err));
	assert_int_equal(count, 1);
	/* Whoever can write into the folder still cannot make the store follow a link out of it. */
	ASSERT_FAILS(ERR_INTERNAL, blobstore_open(s, &linked, &r, &err));
	struct blob_writer *none = NULL;
	ASSERT_FAILS(ERR_INTERNAL, blobstore_append(s, &linked, &none, &err));
}

static void a_store_needs_a_folder(void **state UNUSED)
{
	struct blobstore *s = NULL;
	struct err err;
	ASSERT_DONE(file_write_atomic(at("file"), STR(""), 0600, &err));
	ASSERT_FAILS(ERR_INTERNAL, store_fs_open(at("file"), 0, &s, &err));
	assert_null(s);
}

static size_t open_descriptors(void)
{
	size_t n = 0;
	DIR *dir = opendir("/proc/self/fd");
	assert_non_null(dir);
	while (readdir(dir) != NULL) /* NOLINT(concurrency-mt-unsafe): one caller */
		n++;
	closedir(dir);
	return n;
}

static void no_descriptor_is_left_open(void **state UNUSED)
{
	size_t before = open_descriptors();
	for (int i = 0; i < 10; i++) {
		struct blobstore *s CLEANUP(store_closep) = open_store(0);
		struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
		struct blob_reader *r CLEANUP(blob_reader_closep) = NULL;
		struct err err;
		unsigned count = 0;
		ASSERT_DONE(blobstore_append(s, &key, &w, &err));
		ASSERT_DONE(blob_writer_sync(w, &err));
		ASSERT_DONE(blobstore_open(s, &key, &r, &err));
		ASSERT_DONE(blobstore_each(s, tally, &count, &err));
		assert_int_equal(count, 1);
		ASSERT_DONE(blobstore_remove(s, &key, &err));
	}
	assert_int_equal(open_descriptors(), before);
}

static void write_many(void *arg)
{
	struct blobstore *s = arg;
	static atomic_uint next;
	struct err err;
	for (int i = 0; i < 50; i++) {
		struct blob_writer *w CLEANUP(blob_writer_closep) = NULL;
		unsigned n = atomic_fetch_add(&next, 1);
		struct store_key mine = { { (uint8_t)(n / 8), (uint8_t)n } };
		if (!blobstore_append(s, &mine, &w, &err) || !blob_writer_write(w, "x", 1, &err) ||
			!blob_writer_sync(w, &err))
			abort();
	}
}

static bool tally_any(void *arg, const struct store_key *seen UNUSED, uint64_t size_bytes)
{
	*(uint64_t *)arg += size_bytes;
	return true;
}

static void writers_of_several_threads_share_new_shards(void **state UNUSED)
{
	struct blobstore *s CLEANUP(store_closep) = open_store(0);
	struct thread *threads[4];
	struct err err;
	uint64_t bytes = 0;
	for (int i = 0; i < 4; i++)
		ASSERT_DONE(thread_start("writer", write_many, s, 0, &threads[i], &err));
	for (int i = 0; i < 4; i++)
		thread_join(threads[i]);
	ASSERT_DONE(blobstore_each(s, tally_any, &bytes, &err));
	assert_int_equal(bytes, 200);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

static uint64_t size_now(struct blobstore *s)
{
	struct err err;
	uint64_t size = 0;
	int64_t last_ms;
	ASSERT_DONE(blobstore_stat(s, &key, &size, &last_ms, &err));
	return size;
}

static void a_failed_fsync_cuts_what_this_writer_wrote_since_and_nothing_older(void **state UNUSED)
{
	struct blobstore *s CLEANUP(store_closep) = open_store(0);
	struct blob_writer *w = NULL;
	struct err err;
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	ASSERT_DONE(blob_writer_write(w, "acknowledged", 12, &err));
	ASSERT_DONE(blob_writer_sync(w, &err));
	blob_writer_close(w);
	/* A later request goes on with it, and the disk fails. */
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	ASSERT_DONE(blob_writer_write(w, " and more", 9, &err));
	is_fsync_failing = true;
	bool done = blob_writer_sync(w, &err);
	is_fsync_failing = false;
	assert_false(done);
	assert_int_equal(w->size_bytes, 12);
	assert_int_equal(size_now(s), 12);
	/* What the kernel dropped it will not report again: this writer is of no use any more. */
	assert_false(blob_writer_sync(w, &err));
	assert_false(blob_writer_write(w, "x", 1, &err));
	blob_writer_close(w);
	/* The next one is, and what it synced itself is what its own failure cuts to. */
	ASSERT_DONE(blobstore_append(s, &key, &w, &err));
	assert_int_equal(w->size_bytes, 12);
	ASSERT_DONE(blob_writer_write(w, ", synced", 8, &err));
	ASSERT_DONE(blob_writer_sync(w, &err));
	ASSERT_DONE(blob_writer_write(w, ", not", 5, &err));
	is_fsync_failing = true;
	done = blob_writer_sync(w, &err);
	is_fsync_failing = false;
	assert_false(done);
	assert_int_equal(size_now(s), 20);
	blob_writer_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_failed_fsync_cuts_what_this_writer_wrote_since_and_nothing_older),
		IN_FOLDER(objects_are_private_files_named_by_their_key),
		IN_FOLDER(objects_are_there_when_the_store_is_opened_again),
		IN_FOLDER(space_to_be_kept_free_is_not_given_away),
		IN_FOLDER(a_write_that_fails_midway_leaves_what_was_good),
		IN_FOLDER(a_file_cut_behind_our_back_is_corrupt),
		IN_FOLDER(foreign_files_and_links_are_passed_over),
		IN_FOLDER(a_store_needs_a_folder),
		IN_FOLDER(no_descriptor_is_left_open),
		IN_FOLDER(writers_of_several_threads_share_new_shards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
