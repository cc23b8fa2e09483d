/* Bodies and answers against the minimum rate. The times are the shortest that the sweeper, who
 * looks once a second, tells apart. */
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

static const struct http_op op_upload = { .name = "upload",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_STREAM,
	.data = take_data,
	.handle = say_hello };
static const struct http_op op_object = { .name = "object", .handle = say_object };

static const struct http_op *route(struct http_req *req, void *ctx)
{
	(void)ctx;
	return str_eq_c(req->path, "/upload") ? &op_upload : &op_object;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static void start_with(uint64_t rate)
{
	struct http_options o = {
		.header_timeout_s = 10, .idle_timeout_s = 2, .min_rate_bytes_s = rate
	};

	start_server_with(&o, route);
}

/* Ten bytes a second. */
static bool dribbles_through(uint64_t rate)
{
	struct client *c;
	bool is_cut = false;

	start_with(rate);
	c = dial();
	assert_true(say(c, "PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"));
	for (int i = 0; i < 48 && !is_cut; i++) {
		is_cut = !say(c, "x");
		(void)usleep(100000);
	}
	hang_up(c);
	assert_true(reaches(&dones, 1));
	return !is_cut;
}

static void a_body_below_the_minimum_rate_is_cut_off(void **state)
{
	(void)state;
	assert_false(dribbles_through(1000));
	assert_true(data_bytes > 10); /* what came still reached the operation */
}

static void a_slow_body_is_borne_when_there_is_no_minimum_rate(void **state)
{
	(void)state;
	assert_true(dribbles_through(UINT64_MAX));
}

/* A hundred kilobytes a second, so that something moves all the time. */
static bool is_read_through(uint64_t rate)
{
	struct client *c;
	int small = 4096;
	char piece[10000];
	bool is_cut = false;

	start_with(rate);
	c = dial();
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_true(say(c, GET("/object")));
	for (int i = 0; i < 48 && !is_cut; i++) {
		struct http_stats stats;

		is_cut = recv(c->fd, piece, sizeof(piece), 0) <= 0;
		http_server_stats(server, &stats);
		is_cut = is_cut || (i > 5 && stats.connections == 0);
		(void)usleep(100000);
	}
	hang_up(c);
	return !is_cut;
}

static void an_answer_read_below_the_minimum_rate_is_cut_off(void **state)
{
	(void)state;
	assert_false(is_read_through(1000000));
}

static void a_slow_reader_is_borne_when_there_is_no_minimum_rate(void **state)
{
	(void)state;
	assert_true(is_read_through(UINT64_MAX));
}

int main(void)
{
	object_fd = memfd_create("object", MFD_CLOEXEC);
	if (object_fd < 0 || ftruncate(object_fd, OBJECT_BYTES) != 0)
		return 1;
#define STARTED(test) cmocka_unit_test_teardown(test, stop_server)
	const struct CMUnitTest tests[] = {
		STARTED(a_body_below_the_minimum_rate_is_cut_off),
		STARTED(a_slow_body_is_borne_when_there_is_no_minimum_rate),
		STARTED(an_answer_read_below_the_minimum_rate_is_cut_off),
		STARTED(a_slow_reader_is_borne_when_there_is_no_minimum_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
