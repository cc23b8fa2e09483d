/* Clients that take too long. The times are the shortest that the sweeper, who looks once a second,
 * tells apart. */
#include <sys/mman.h>

#include "fixture.h"

#define OBJECT_BYTES (64 * MIB)

static int object_fd = -1;

static void say_hello(struct http_req *req)
{
	http_reply_bytes(req, 200, "text/plain", STR("hello"));
}

static bool take_data(struct http_req *req, const uint8_t *p, size_t len)
{
	(void)req;
	(void)p;
	atomic_fetch_add(&data_bytes, len);
	return true;
}

static void say_object(struct http_req *req)
{
	struct http_object o = { .fd = object_fd, .size_bytes = OBJECT_BYTES };

	http_reply_object(req, "application/x-test", STR("tag"), &o);
}

static void wait_long(struct http_req *req)
{
	(void)usleep(3600000);
	say_hello(req);
}

static const struct http_op op_hello = { .name = "hello", .handle = say_hello };
static const struct http_op op_upload = { .name = "upload",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_STREAM,
	.data = take_data,
	.handle = say_hello };
static const struct http_op op_object = { .name = "object", .handle = say_object };
static const struct http_op op_long = { .name = "long", .run = HTTP_WORKER, .handle = wait_long };

static const struct http_op *route(struct http_req *req, void *ctx)
{
	(void)ctx;
	return str_eq_c(req->path, "/hello")    ? &op_hello
	       : str_eq_c(req->path, "/upload") ? &op_upload
	       : str_eq_c(req->path, "/long")   ? &op_long
						: &op_object;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static void start_with(unsigned header_s, unsigned idle_s, uint64_t rate)
{
	struct http_options o = {
		.header_timeout_s = header_s, .idle_timeout_s = idle_s, .min_rate_bytes_s = rate
	};

	start_server_with(&o, route);
}

static void a_header_section_that_dribbles_in_is_cut_off(void **state)
{
	struct client *c;
	int64_t start_us;
	bool is_cut = false;

	(void)state;
	start_with(1, 5, 0);
	c = dial();
	start_us = clock_mono_us();
	assert_true(say(c, "GET /hello HTTP/1.1\r\nHost: h\r\nX: "));
	for (int i = 0; i < 60 && !is_cut; i++) {
		is_cut = !say(c, "x");
		(void)usleep(100000);
	}
	assert_true(is_cut);
	assert_true(clock_mono_us() - start_us < 5000000);
	hang_up(c);
}

static void a_connection_that_waits_between_requests_is_not_cut_off_as_a_slow_header(void **state)
{
	struct client *c;
	struct answer a;

	(void)state;
	start_with(1, 5, 0);
	c = dial();
	for (int i = 0; i < 2; i++) {
		assert_true(say(c, GET("/hello")));
		assert_true(hear(c, &a, false));
		forget(&a);
		if (i == 0)
			(void)usleep(3200000);
	}
	hang_up(c);
}

static void a_standstill_is_cut_off_without_a_minimum_rate(void **state)
{
	struct client *body;
	struct client *answer;
	struct client *idle;
	struct answer a;

	(void)state;
	start_with(10, 2, UINT64_MAX);
	body = dial();
	answer = dial();
	idle = dial();
	assert_true(say(body, "PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx"));
	assert_true(say(answer, GET("/object")));
	assert_true(say(idle, GET("/hello")));
	assert_true(hear(idle, &a, false));
	forget(&a);
	assert_true(is_over(body));
	assert_true(is_over(idle));
	assert_true(reaches(&dones, 3)); /* the answer's, too, unread */
	hang_up(body);
	hang_up(answer);
	hang_up(idle);
}

static void a_request_that_waits_for_the_server_is_not_cut_off(void **state)
{
	struct client *c;
	struct answer a;

	(void)state;
	start_with(1, 2, 100000);
	c = dial();
	assert_true(say(c, GET("/long")));
	assert_true(hear(c, &a, false));
	assert_int_equal(a.status, 200);
	forget(&a);
	hang_up(c);
}

int main(void)
{
	object_fd = memfd_create("object", MFD_CLOEXEC);
	if (object_fd < 0 || ftruncate(object_fd, OBJECT_BYTES) != 0)
		return 1;
#define STARTED(test) cmocka_unit_test_teardown(test, stop_server)
	const struct CMUnitTest tests[] = {
		STARTED(a_header_section_that_dribbles_in_is_cut_off),
		STARTED(a_connection_that_waits_between_requests_is_not_cut_off_as_a_slow_header),
		STARTED(a_standstill_is_cut_off_without_a_minimum_rate),
		STARTED(a_request_that_waits_for_the_server_is_not_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
