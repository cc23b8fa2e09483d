#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit.h"
#include "base/file.h"

static char root[256];

static int make_root(void **state UNUSED)
{
	make_temp_folder(root);
	return 0;
}

static int remove_root(void **state UNUSED)
{
	remove_temp_folder(root);
	return 0;
}

static const char *at(const char *name)
{
	static char path[512];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static size_t entries(const char *folder)
{
	size_t n = 0;
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	while (readdir(dir) != NULL) /* NOLINT(concurrency-mt-unsafe): one caller */
		n++;
	closedir(dir);
	return n - 2;
}

static void folders_are_made_with_their_parents(void **state UNUSED)
{
	struct err err;
	struct stat st;
	ASSERT_DONE(file_mkdirs(at("a/b//c/"), &err));
	assert_int_equal(stat(at("a/b/c"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
	ASSERT_DONE(file_mkdirs(at("a/b/c"), &err));
	ASSERT_DONE(file_mkdirs("/", &err));
	ASSERT_DONE(file_mkdirs(".", &err));
}

static void a_folder_cannot_be_made_where_a_file_is(void **state UNUSED)
{
	struct err err;
	ASSERT_DONE(file_write_atomic(at("file"), STR(""), 0600, &err));
	ASSERT_FAILS(ERR_INTERNAL, file_mkdirs(at("file"), &err));
	ASSERT_FAILS(ERR_INTERNAL, file_mkdirs(at("file/sub"), &err));
	ASSERT_FAILS(ERR_INVALID, file_mkdirs("", &err));
}

static void an_atomic_write_replaces_content_and_mode_and_leaves_nothing_else(void **state UNUSED)
{
	struct err err;
	struct stat st;
	struct buf content CLEANUP(buf_fini);
	buf_init(&content, 1000);
	ASSERT_DONE(file_mkdirs(at("d"), &err));
	ASSERT_DONE(file_write_atomic(at("d/f"), STR("first content"), 0644, &err));
	ASSERT_DONE(file_write_atomic(at("d/f"), STR("second"), 0600, &err));
	ASSERT_DONE(file_read(at("d/f"), &content, &err));
	ASSERT_STR(buf_str(&content), "second");
	assert_int_equal(stat(at("d/f"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(entries(at("d")), 1);
}

static void a_failed_write_leaves_the_old_content_and_no_temporary(void **state UNUSED)
{
	struct err err;
	/* The target is a folder: everything goes well up to the rename. */
	ASSERT_DONE(file_mkdirs(at("e/target/full"), &err));
	ASSERT_FAILS(ERR_INTERNAL, file_write_atomic(at("e/target"), STR("x"), 0600, &err));
	assert_int_equal(entries(at("e")), 1);
	ASSERT_FAILS(ERR_INTERNAL, file_write_atomic(at("nowhere/f"), STR("x"), 0600, &err));
	assert_string_equal(err.msg, "");
}

static void a_new_file_is_made_once_and_never_replaced(void **state UNUSED)
{
	struct err err;
	struct stat st;
	struct buf content CLEANUP(buf_fini);
	bool made = false;
	buf_init(&content, 1000);
	ASSERT_DONE(file_mkdirs(at("n"), &err));
	ASSERT_DONE(file_write_new(at("n/f"), STR("first"), 0600, &made, &err));
	assert_true(made);
	ASSERT_DONE(file_write_new(at("n/f"), STR("second"), 0644, &made, &err));
	assert_false(made);
	ASSERT_DONE(file_read(at("n/f"), &content, &err));
	ASSERT_STR(buf_str(&content), "first");
	assert_int_equal(stat(at("n/f"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(entries(at("n")), 1);
	ASSERT_FAILS(ERR_INTERNAL, file_write_new(at("nowhere/f"), STR("x"), 0600, &made, &err));
}

static void reading_appends_up_to_the_maximum(void **state UNUSED)
{
	struct err err;
	struct buf out CLEANUP(buf_fini);
	ASSERT_DONE(file_write_atomic(at("ten"), STR("0123456789"), 0600, &err));
	buf_init(&out, 12);
	buf_add_c(&out, "> ");
	ASSERT_DONE(file_read(at("ten"), &out, &err));
	ASSERT_STR(buf_str(&out), "> 0123456789");
	buf_fini(&out);
	buf_init(&out, 11);
	buf_add_c(&out, "> ");
	ASSERT_FAILS(ERR_TOO_LARGE, file_read(at("ten"), &out, &err));
	ASSERT_STR(buf_str(&out), "> ");
	assert_true(buf_ok(&out));
}

static void a_missing_file_is_named_in_the_message(void **state UNUSED)
{
	struct err err;
	struct buf out CLEANUP(buf_fini);
	buf_init(&out, 100);
	ASSERT_FAILS(ERR_INVALID, file_read("/no/such/file", &out, &err));
	assert_string_equal(err.msg, "/no/such/file does not exist");
	assert_false(file_exists("/no/such/file"));
	assert_true(file_exists(root));
}

static void bytes_are_written_and_read_at_offsets(void **state UNUSED)
{
	struct err err;
	char bytes[16];
	size_t n = 0;
	int fd CLEANUP(fd_closep) = open(at("offsets"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_DONE(file_pwrite_all(fd, "world", 5, 6, &err));
	ASSERT_DONE(file_pwrite_all(fd, "hello ", 6, 0, &err));
	ASSERT_DONE(file_pread_all(fd, bytes, sizeof(bytes), 0, &n, &err));
	assert_int_equal(n, 11);
	assert_memory_equal(bytes, "hello world", 11);
	ASSERT_DONE(file_pread_all(fd, bytes, 5, 3, &n, &err));
	assert_int_equal(n, 5);
	assert_memory_equal(bytes, "lo wo", 5);
	ASSERT_DONE(file_pread_all(fd, bytes, 5, 11, &n, &err));
	assert_int_equal(n, 0);
	ASSERT_FAILS(ERR_INTERNAL, file_pread_all(-1, bytes, 1, 0, &n, &err));
}

static void a_full_device_is_told_as_such(void **state UNUSED)
{
	struct err err;
	int fd CLEANUP(fd_closep) = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ASSERT_FAILS(ERR_STORAGE_FULL, file_pwrite_all(fd, "x", 1, 0, &err));
	assert_int_equal(file_err_kind(EDQUOT), ERR_STORAGE_FULL);
	assert_int_equal(file_err_kind(EIO), ERR_UNAVAILABLE);
	assert_int_equal(file_err_kind(EBADF), ERR_INTERNAL);
}

static void a_taken_descriptor_is_not_closed(void **state UNUSED)
{
	int outer = -1;
	{
		int fd CLEANUP(fd_closep) = open("/dev/null", O_RDONLY | O_CLOEXEC);
		outer = take_fd(&fd);
		assert_int_equal(fd, -1);
	}
	assert_true(fcntl(outer, F_GETFD) >= 0);
	fd_closep(&outer);
	assert_int_equal(outer, -1);
	fd_closep(&outer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_made_with_their_parents),
		cmocka_unit_test(a_folder_cannot_be_made_where_a_file_is),
		cmocka_unit_test(an_atomic_write_replaces_content_and_mode_and_leaves_nothing_else),
		cmocka_unit_test(a_failed_write_leaves_the_old_content_and_no_temporary),
		cmocka_unit_test(a_new_file_is_made_once_and_never_replaced),
		cmocka_unit_test(reading_appends_up_to_the_maximum),
		cmocka_unit_test(a_missing_file_is_named_in_the_message),
		cmocka_unit_test(bytes_are_written_and_read_at_offsets),
		cmocka_unit_test(a_full_device_is_told_as_such),
		cmocka_unit_test(a_taken_descriptor_is_not_closed),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
