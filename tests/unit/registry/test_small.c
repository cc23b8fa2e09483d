/* Small objects: their bytes stand in the database, in the row that makes them a blob, and in no
 * file. */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "registry/reencrypt.h"
#include "registry/small_store.h"
#include "sealed.h"
#include "store/store_fs.h"

/* In place of the C library's, for this program alone: the disk refuses when told to. */
static bool is_fsync_failing;

int fsync(int fd)
{
	if (is_fsync_failing) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static size_t files(struct world *w)
{
	struct err err;
	size_t n = 0;
	ASSERT_DONE(blobstore_each(w->store, count_object, &n, &err));
	return n;
}

static uint64_t rows(struct world *w)
{
	struct err err;
	uint64_t n = 0;
	ASSERT_DONE(db_read(w->db, count_small_in, &n, &err));
	return n;
}

static int up(void **state)
{
	world_up(state);
	struct world *w = *state;
	w->o.small_object_max = 1024;
	world_restart(w);
	return 0;
}

static int up_plain(void **state)
{
	up(state);
	restart_as(*state, true);
	return 0;
}

#define SMALL_TEST(f)       cmocka_unit_test_setup_teardown(f, up, world_down)
#define SMALL_PLAIN_TEST(f) cmocka_unit_test_setup_teardown(f, up_plain, world_down)

/* In one piece, as a PUT with a body does. */
static struct digest whole(struct world *w, const char *repo, struct str bytes)
{
	struct err err;
	struct upload_result r;
	ASSERT_DONE(try_push_as(w, repo, bytes, false, &r, &err));
	return digest_of(bytes);
}

/* Parts of it, and behind its end. */
static void assert_ranges(struct world *w, const char *repo, struct str bytes)
{
	struct err err;
	struct digest d = digest_of(bytes);
	struct blob_info info;
	struct blob_reader *r = NULL;
	char got[2];
	size_t n = 0;
	ASSERT_DONE(blob_open(w->core, &w->reg, str_from(repo), &d, &info, &r, &err));
	for (size_t at = 0; at <= bytes.len + 1; at++) {
		size_t want = at >= bytes.len ? 0 : bytes.len - at > 2 ? 2 : bytes.len - at;
		ASSERT_DONE(blob_reader_pread(r, got, sizeof(got), at, &n, &err));
		assert_int_equal(n, want);
		assert_memory_equal(got, bytes.ptr + (want ? at : 0), want);
	}
	blob_reader_close(r);
}

static void a_small_layer_is_a_row_and_no_file(void **state)
{
	struct world *w = *state;
	make_repo(w, "r");
	struct digest d = whole(w, "r", STR("small"));
	struct digest none = whole(w, "r", STR(""));
	assert_int_equal(files(w), 0);
	assert_int_equal(rows(w), 2);
	assert_reads(w, "r", STR("small"));
	assert_reads(w, "r", STR(""));
	assert_ranges(w, "r", STR("small"));
	assert_ranges(w, "r", STR(""));
	/* The same bytes again, in another repository of the pool: stored once. */
	make_repo(w, "s");
	(void)whole(w, "s", STR("small"));
	assert_int_equal(rows(w), 2);
	assert_int_equal(files(w), 0);
	world_restart(w);
	assert_reads(w, "s", STR("small"));
	assert_sound(w);
	/* They go with what held them. */
	struct err err;
	ASSERT_DONE(blob_unlink(w->core, &w->reg, STR("r"), &none, &err));
	ASSERT_DONE(blob_unlink(w->core, &w->reg, STR("r"), &d, &err));
	assert_reads(w, "s", STR("small"));
	delete_repo(w, "s");
	collect_all(w);
	assert_int_equal(rows(w) + files(w), 0);
	assert_sound(w);
}

static void what_grows_gets_a_file(void **state)
{
	struct world *w = *state;
	struct err err;
	char id[UUID_TEXT_LEN + 1];
	char bytes[1500];
	struct upload *u = NULL;
	struct upload_result r;
	memset(bytes, 'x', sizeof(bytes));
	make_repo(w, "r");
	ASSERT_DONE(upload_start(w->core, &w->reg, STR("r"), DIGEST_SHA256, id, &err));
	ASSERT_DONE(upload_take(w->core, &w->reg, STR("r"), str_from(id), &u, &err));
	for (size_t at = 0; at < sizeof(bytes); at += 500)
		ASSERT_DONE(upload_write(u, bytes + at, 500, &err));
	struct str all = { bytes, sizeof(bytes) };
	struct digest d = digest_of(all);
	ASSERT_DONE(upload_finish(u, &d, &r, &err));
	upload_release(u);
	assert_int_equal(files(w), 1);
	assert_int_equal(rows(w), 0);
	assert_reads(w, "r", all);
	assert_sound(w);
}

/* What a client was told stands in the row, and the rest may come after a restart. */
static void a_small_upload_goes_on_after_a_restart(void **state)
{
	struct world *w = *state;
	struct err err;
	char id[UUID_TEXT_LEN + 1];
	struct upload *u = NULL;
	struct upload_result r;
	make_repo(w, "r");
	ASSERT_DONE(upload_start(w->core, &w->reg, STR("r"), DIGEST_SHA256, id, &err));
	ASSERT_DONE(upload_take(w->core, &w->reg, STR("r"), str_from(id), &u, &err));
	ASSERT_DONE(upload_write(u, "abc", 3, &err));
	ASSERT_DONE(upload_sync(u, &err));
	ASSERT_DONE(upload_write(u, "lost?", 5, &err));
	upload_release(u);
	world_restart(w);
	ASSERT_DONE(upload_take(w->core, &w->reg, STR("r"), str_from(id), &u, &err));
	assert_int_equal(upload_size(u), 8); /* a part that broke off is kept */
	ASSERT_DONE(upload_write(u, "def", 3, &err));
	struct digest d = digest_of(STR("abclost?def"));
	ASSERT_DONE(upload_finish(u, &d, &r, &err));
	upload_release(u);
	assert_reads(w, "r", STR("abclost?def"));
	assert_sound(w);
}

/* There is no file whose time would tell. */
static void a_small_upload_that_was_written_to_lately_does_not_expire(void **state)
{
	struct world *w = *state;
	struct err err;
	char id[UUID_TEXT_LEN + 1];
	uint64_t size = 0;
	begin_old_upload(w, "r", id);
	int64_t written = clock_now_ms();
	assert_int_equal(files(w), 0);
	assert_int_equal(collect_at(w, written + 100).uploads, 0);
	ASSERT_DONE(upload_status(w->core, &w->reg, STR("r"), str_from(id), &size, &err));
	assert_int_equal(size, 3);
	assert_int_equal(collect_at(w, clock_now_ms() + 301).uploads, 1);
	assert_sound(w);
}

static void small_objects_move_from_form_to_form(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "r");
	(void)whole(w, "r", STR("small"));
	for (unsigned turn = 0; turn < 4; turn++) {
		struct reencrypt_report r;
		restart_as(w, turn % 2 == 0);
		ASSERT_DONE(reencrypt_run(w->core, NULL, NULL, &r, &err));
		assert_int_equal(r.blobs, 1);
		assert_int_equal(rows(w), 1);
		assert_int_equal(form_of(w, "r", STR("small")) == 0, turn % 2 == 0);
		assert_reads(w, "r", STR("small"));
		collect_at(w, clock_now_ms());
		assert_int_equal(files(w), 0);
		assert_sound(w);
	}
	/* Nor does it matter how large small is by now. */
	w->o.small_object_max = 0;
	world_restart(w);
	assert_reads(w, "r", STR("small"));
	assert_sound(w);
}

/* The row is read, the object moves, and then it is looked for under its old key. */
static const struct blobstore_ops *open_ops;
static struct world *mover;

static bool open_moved(
	struct blobstore *s, const struct store_key *key, struct blob_reader **out, struct err *err)
{
	struct reencrypt_report r;
	s->ops = open_ops;
	assert_true(reencrypt_run(mover->core, NULL, NULL, &r, err));
	assert_int_equal(r.blobs, 1);
	return blobstore_open(s, key, out, err);
}

static void what_moves_while_it_is_checked_is_not_missing(void **state)
{
	struct world *w = *state;
	make_repo(w, "r");
	(void)whole(w, "r", STR("small"));
	restart_as(w, true);
	open_ops = w->store->ops;
	mover = w;
	struct blobstore_ops ops = *open_ops;
	ops.open = open_moved;
	w->store->ops = &ops;
	struct verify_report r = verify(w);
	assert_ptr_equal(w->store->ops, open_ops);
	assert_int_equal(r.blobs, 1);
	assert_sound(w);
	assert_int_equal(r.damaged, 0);
}

/* At any step of the database: either the layer is there, whole, or nothing is. */
static void any_step_may_fail(void **state)
{
	struct world *w = *state;
	struct err err;
	struct blob_info info;
	struct upload_result r;
	make_repo(w, "r");
	unsigned n = 0;
	for (bool spent = true; spent;) {
		char text[32];
		db_fault_set(w->db, ++n, DB_FAULT_IO, DB_FAULT_AT_ANY);
		snprintf(text, sizeof(text), "layer %u", n);
		bool ok = try_push_as(w, "r", str_from(text), false, &r, &err);
		spent = db_fault_left(w->db) == 0;
		db_fault_set(w->db, 0, DB_FAULT_IO, DB_FAULT_AT_ANY);
		struct digest d = digest_of(str_from(text));
		if (ok)
			assert_reads(w, "r", str_from(text));
		else
			ASSERT_FAILS(ERR_BLOB_UNKNOWN,
				blob_stat(w->core, &w->reg, STR("r"), &d, &info, &err));
		assert_sound(w);
	}
	assert_true(n > 5);
}

/* A file that could not be written does not make the upload small, nor a part of it lost. */
static void a_file_that_fails_is_tried_again(void **state)
{
	struct world *w = *state;
	struct err err;
	char id[UUID_TEXT_LEN + 1], bytes[1200];
	struct upload *u = NULL;
	struct upload_result r;
	unsigned n = 0;
	memset(bytes, 'y', sizeof(bytes));
	make_repo(w, "r");
	for (bool spent = true; spent; bytes[0]++) {
		struct str all = { bytes, sizeof(bytes) };
		struct digest d = digest_of(all);
		ASSERT_DONE(upload_start(w->core, &w->reg, STR("r"), DIGEST_SHA256, id, &err));
		store_fault_set(w->store, ++n, ERR_STORAGE_FULL);
		bool ok = upload_take(w->core, &w->reg, STR("r"), str_from(id), &u, &err) &&
			  upload_write(u, bytes, 900, &err) &&
			  upload_write(u, bytes + 900, 300, &err) && upload_finish(u, &d, &r, &err);
		spent = store_fault_is_spent(w->store);
		store_fault_set(w->store, 0, ERR_STORAGE_FULL);
		if (ok) {
			assert_reads(w, "r", all);
		} else {
			assert_int_equal(err.kind, ERR_STORAGE_FULL);
			if (u && upload_size(u) == 1200)
				ASSERT_DONE(upload_finish(u, &d, &r, &err));
		}
		upload_release(u);
		u = NULL;
		assert_sound(w);
	}
	assert_true(n > 3);
}

/* The file below is cut to what was synced, and this writer must know. */
static void a_file_that_a_failed_sync_cut_is_no_longer_than_that(void **state)
{
	struct world *w = *state;
	struct err err;
	struct store_key key = { { 0xab } };
	char folder[256];
	static const uint8_t bytes[3000];
	struct blobstore *files = NULL;
	struct blob_writer *writer = NULL;
	make_temp_folder(folder);
	ASSERT_DONE(store_fs_open(folder, 0, &files, &err));
	struct blobstore *small = small_store_open(files, w->db, 1024);
	ASSERT_DONE(blobstore_append(small, &key, &writer, &err));
	ASSERT_DONE(blob_writer_write(writer, bytes, 2000, &err));
	ASSERT_DONE(blob_writer_sync(writer, &err));
	ASSERT_DONE(blob_writer_write(writer, bytes, 3000, &err));
	is_fsync_failing = true;
	assert_false(blob_writer_sync(writer, &err));
	is_fsync_failing = false;
	assert_int_equal(writer->size_bytes, 2000);
	ASSERT_DONE(blob_writer_cut(writer, 2000, &err));
	blob_writer_close(writer);
	ASSERT_DONE(blobstore_append(small, &key, &writer, &err));
	assert_int_equal(writer->size_bytes, 2000);
	blob_writer_close(writer);
	blobstore_close(small);
	blobstore_close(files);
	remove_temp_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SMALL_TEST(a_small_layer_is_a_row_and_no_file),
		SMALL_PLAIN_TEST(a_small_layer_is_a_row_and_no_file),
		SMALL_TEST(what_grows_gets_a_file),
		SMALL_PLAIN_TEST(what_grows_gets_a_file),
		SMALL_TEST(a_small_upload_goes_on_after_a_restart),
		SMALL_PLAIN_TEST(a_small_upload_goes_on_after_a_restart),
		SMALL_TEST(a_small_upload_that_was_written_to_lately_does_not_expire),
		SMALL_TEST(small_objects_move_from_form_to_form),
		SMALL_TEST(what_moves_while_it_is_checked_is_not_missing),
		SMALL_TEST(any_step_may_fail),
		SMALL_PLAIN_TEST(any_step_may_fail),
		SMALL_TEST(a_file_that_fails_is_tried_again),
		SMALL_PLAIN_TEST(a_file_that_fails_is_tried_again),
		SMALL_TEST(a_file_that_a_failed_sync_cut_is_no_longer_than_that),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
