#include <fcntl.h>
#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/thread.h"

static struct log *open_log(int fd, enum log_level level)
{
	struct log *log = NULL;
	struct err err;
	ASSERT_DONE(log_open(fd, level, &log, &err));
	return log;
}

/* A file without a name. */
static int temp_file(void)
{
	char path[] = "/tmp/berth-log-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static void read_back(int fd, struct buf *out)
{
	struct err err;
	size_t n = 0;
	buf_init(out, 16 * MIB);
	char *to = buf_reserve(out, 12 * MIB);
	ASSERT_DONE(file_pread_all(fd, to, 12 * MIB, 0, &n, &err));
	buf_commit(out, n);
}

/* Parses the next line of *text. */
static struct json *next_line(struct str *text)
{
	struct json *root = NULL;
	struct str line;
	struct err err;
	assert_true(str_cut(*text, '\n', &line, text));
	ASSERT_DONE(json_parse(line, &root, &err));
	return root;
}

static void events_and_errors_become_json_lines(void **state UNUSED)
{
	int fd CLEANUP(fd_closep) = temp_file();
	struct buf b CLEANUP(buf_fini);
	struct err err;
	struct log *log = open_log(fd, LOG_INFO);
	log_event(log, LOG_INFO, "start", "port %d\n\"%s\"", 5000, "\xff");
	log_event(log, LOG_DEBUG, "hidden", "never seen");
	err_sys(&err, ERR_STORAGE_FULL, 28, "writing");
	log_err(log, LOG_ERROR, "upload", &err);
	log_line(log, STR("{\"own\":true}"));
	log_close(log);
	read_back(fd, &b);
	struct str text = buf_str(&b);

	struct json *first CLEANUP(json_freep) = next_line(&text);
	ASSERT_STR(json_get_str(first, "level"), "info");
	ASSERT_STR(json_get_str(first, "event"), "start");
	ASSERT_STR(json_get_str(first, "message"), "port 5000\n\"\xef\xbf\xbd\"");
	assert_int_equal(json_get_str(first, "time").len, 24);
	struct json *second CLEANUP(json_freep) = next_line(&text);
	ASSERT_STR(json_get_str(second, "level"), "error");
	ASSERT_STR(json_get_str(second, "kind"), "STORAGE_FULL");
	ASSERT_STR(json_get_str(second, "message"), "storage full");
	ASSERT_STR(json_get_str(second, "detail"), "writing: No space left on device");
	assert_true(json_int(json_get(second, "line"), 0) > 0);
	struct json *third CLEANUP(json_freep) = next_line(&text);
	assert_true(json_bool(json_get(third, "own"), false));
	assert_int_equal(text.len, 0);
}

static void levels_decide_what_is_wanted(void **state UNUSED)
{
	int fd CLEANUP(fd_closep) = temp_file();
	struct log *log = open_log(fd, LOG_WARN);
	assert_false(log_wants(log, LOG_DEBUG));
	assert_false(log_wants(log, LOG_INFO));
	assert_true(log_wants(log, LOG_WARN));
	assert_true(log_wants(log, LOG_ERROR));
	assert_false(log_wants(NULL, LOG_ERROR));
	log_event(NULL, LOG_ERROR, "x", "nothing happens");
	log_line(NULL, STR("{}"));
	log_close(NULL);
	log_close(log);
}

static void a_line_is_written_without_waiting_for_another(void **state UNUSED)
{
	int fds[2];
	char bytes[100];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	struct log *log = open_log(fds[1], LOG_INFO);
	int64_t before_us = clock_mono_us();
	log_line(log, STR("{}"));
	assert_int_equal(read(fds[0], bytes, sizeof(bytes)), 3);
	assert_true(clock_mono_us() - before_us < 5000000);
	log_close(log);
	close(fds[0]);
	close(fds[1]);
}

struct flood {
	struct log *log;
	unsigned lines;
};

static void write_lines(void *arg)
{
	struct flood *flood = arg;
	for (unsigned i = 0; i < flood->lines; i++)
		log_line(flood->log,
			STR("{\"filler\":\"0123456789012345678901234567890123456789\"}"));
}

static void lines_of_several_threads_stay_whole_and_none_is_lost(void **state UNUSED)
{
	int fd CLEANUP(fd_closep) = temp_file();
	struct buf b CLEANUP(buf_fini);
	struct thread *threads[3];
	struct err err;
	struct flood flood = { open_log(fd, LOG_INFO), 3000 };
	for (int i = 0; i < 3; i++)
		ASSERT_DONE(thread_start("flood", write_lines, &flood, 0, &threads[i], &err));
	for (int i = 0; i < 3; i++)
		thread_join(threads[i]);
	log_close(flood.log);
	read_back(fd, &b);
	struct str text = buf_str(&b);
	size_t lines = 0;
	for (; text.len > 0; lines++)
		json_free(next_line(&text));
	assert_int_equal(lines, 9000);
}

struct drain {
	int fd;
	struct buf got;
};

static void read_to_the_end(void *arg)
{
	struct drain *drain = arg;
	char bytes[64 * 1024];
	ssize_t n;
	while ((n = read(drain->fd, bytes, sizeof(bytes))) > 0)
		buf_add(&drain->got, bytes, (size_t)n);
}

static void a_stuck_reader_costs_lines_but_never_blocks_and_the_loss_is_told(void **state UNUSED)
{
	int fds[2];
	struct drain drain;
	struct thread *reader;
	struct err err;
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0); /* only the writing side does not block */
	struct flood flood = { open_log(fds[1], LOG_INFO),
		250000 }; /* 12 MiB: queue, batch and pipe together hold 8 */
	write_lines(&flood);
	drain.fd = fds[0];
	buf_init(&drain.got, 16 * MIB);
	ASSERT_DONE(thread_start("reader", read_to_the_end, &drain, 0, &reader, &err));
	log_close(flood.log);
	close(fds[1]);
	thread_join(reader);
	close(fds[0]);
	assert_true(buf_ok(&drain.got));
	struct str text = buf_str(&drain.got);
	int64_t lines = 0;
	int64_t dropped = 0;
	while (text.len > 0) {
		struct json *line CLEANUP(json_freep) = next_line(&text);
		if (str_eq_c(json_get_str(line, "event"), "log_dropped"))
			dropped += json_int(json_get(line, "lines"), 0);
		else
			lines++;
	}
	assert_true(dropped > 0);
	assert_int_equal(lines + dropped, flood.lines);
	buf_fini(&drain.got);
}

static void a_closed_reader_ends_nothing(void **state UNUSED)
{
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	struct log *log = open_log(fds[1], LOG_INFO);
	close(fds[0]);
	log_line(log, STR("{}"));
	log_close(log);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_and_errors_become_json_lines),
		cmocka_unit_test(levels_decide_what_is_wanted),
		cmocka_unit_test(a_line_is_written_without_waiting_for_another),
		cmocka_unit_test(lines_of_several_threads_stay_whole_and_none_is_lost),
		cmocka_unit_test(a_stuck_reader_costs_lines_but_never_blocks_and_the_loss_is_told),
		cmocka_unit_test(a_closed_reader_ends_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
