/* Request bodies: streamed, whole and unwanted; early answers; clients that leave in the middle. */
#include "fixture.h"

static atomic_bool is_data_slow;

/* Every byte must be the pattern's at its place in this request: user counts them. */
static bool take_data(struct http_req *req, const uint8_t *p, size_t len)
{
	uint64_t at = (uint64_t)(uintptr_t)req->user;

	if (len == 0 || len > 64 * KIB)
		atomic_fetch_add(&data_errors, 1);
	for (size_t i = 0; i < len; i++)
		if (p[i] != pattern(at + i)) {
			atomic_fetch_add(&data_errors, 1);
			break;
		}
	if (atomic_load(&is_data_slow))
		(void)usleep(2000);
	atomic_fetch_add(&data_bytes, len);
	req->user = (void *)(uintptr_t)(at + len);
	return true;
}

static bool begin_ok(struct http_req *req)
{
	(void)req;
	atomic_fetch_add(&begins, 1);
	return true;
}

static bool begin_refuse(struct http_req *req)
{
	atomic_fetch_add(&begins, 1);
	http_reply_bytes(req, 401, "text/plain", STR("who are you"));
	return false;
}

static void say_received(struct http_req *req)
{
	atomic_fetch_add(&handles, 1);
	http_reply_bytes(req, 201, "text/plain",
		arena_printf(req->arena, "%llu", (unsigned long long)req->bytes_in));
}

static void count_end(struct http_req *req)
{
	(void)req;
	atomic_fetch_add(&ends, 1);
}

static bool refuse_data(struct http_req *req, const uint8_t *p, size_t len)
{
	(void)p;
	atomic_fetch_add(&data_bytes, len);
	http_reply_bytes(req, 409, "text/plain", STR("enough"));
	return false;
}

static void say_body(struct http_req *req)
{
	atomic_fetch_add(&handles, 1);
	http_reply_bytes(req, 200, "text/plain", http_body(req));
}

static void say_too_large(struct http_req *req)
{
	http_reply_bytes(req, 413, "application/json", STR("{}"));
}

static const struct http_op op_upload = { .name = "upload",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_STREAM,
	.begin = begin_ok,
	.data = take_data,
	.handle = say_received,
	.end = count_end };
static const struct http_op op_inline_upload = { .name = "inline",
	.body = HTTP_BODY_STREAM,
	.begin = begin_ok,
	.data = take_data,
	.handle = say_received,
	.end = count_end };
static const struct http_op op_refuse = { .name = "refuse",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_STREAM,
	.begin = begin_refuse,
	.data = take_data,
	.handle = say_received,
	.end = count_end };
static const struct http_op op_inline_refuse = { .name = "refuse",
	.body = HTTP_BODY_STREAM,
	.begin = begin_refuse,
	.data = take_data,
	.handle = say_received,
	.end = count_end };
static const struct http_op op_enough = { .name = "enough",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_STREAM,
	.data = refuse_data,
	.handle = say_received,
	.end = count_end };
static const struct http_op op_whole = { .name = "whole",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_WHOLE,
	.body_max = 200000,
	.handle = say_body,
	.too_large = say_too_large,
	.end = count_end };
static const struct http_op op_small = { .name = "small",
	.body = HTTP_BODY_WHOLE,
	.body_max = 100,
	.handle = say_body,
	.end = count_end };
static const struct http_op op_none = { .name = "none", .handle = say_body, .end = count_end };

static const struct http_op *route(struct http_req *req, void *ctx)
{
	static const struct {
		const char *path;
		const struct http_op *op;
	} routes[] = { { "/upload", &op_upload }, { "/inline", &op_inline_upload },
		{ "/refuse", &op_refuse }, { "/inline-refuse", &op_inline_refuse },
		{ "/enough", &op_enough }, { "/whole", &op_whole }, { "/small", &op_small },
		{ "/none", &op_none } };

	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (str_eq_c(req->path, routes[i].path))
			return routes[i].op;
	return NULL;
}

static int start(void **state)
{
	struct http_options o = { 0 };

	(void)state;
	atomic_store(&is_data_slow, false);
	start_server_with(&o, route);
	return 0;
}

static bool say_head(struct client *c, const char *path, const char *headers)
{
	char head[512];

	(void)snprintf(head, sizeof(head), "PUT %s HTTP/1.1\r\nHost: h\r\n%s\r\n", path, headers);
	return say(c, head);
}

static bool say_length(struct client *c, const char *path, uint64_t len)
{
	char header[64];

	(void)snprintf(header, sizeof(header), "Content-Length: %llu\r\n", (unsigned long long)len);
	return say_head(c, path, header);
}

/* len bytes of the pattern; false when the server closed. */
static bool say_pattern(struct client *c, uint64_t from, uint64_t len, size_t step)
{
	char *piece = malloc(step);
	bool is_sent = true;

	for (uint64_t at = 0; at < len && is_sent; at += step) {
		size_t n = len - at < step ? (size_t)(len - at) : step;

		fill_pattern(piece, n, from + at);
		is_sent = say_bytes(c, piece, n);
	}
	free(piece);
	return is_sent;
}

static bool say_chunked(struct client *c, uint64_t len, size_t step)
{
	char size[32];
	bool is_sent = true;

	for (uint64_t at = 0; at < len && is_sent; at += step) {
		size_t n = len - at < step ? (size_t)(len - at) : step;

		(void)snprintf(size, sizeof(size), "%zx\r\n", n);
		is_sent = say(c, size) && say_pattern(c, at, n, n) && say(c, "\r\n");
	}
	return is_sent && say(c, "0\r\n\r\n");
}

static void expect(struct client *c, int status, const char *body)
{
	struct answer a;

	assert_true(hear(c, &a, false));
	assert_int_equal(a.status, status);
	if (body != NULL)
		assert_string_equal(a.body, body);
	forget(&a);
}

static void bodies_of_every_size_arrive_byte_for_byte(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 65535, 65536, 65537, 4 * 65536, 4 * 65536 + 1,
		10 * MIB };
	struct client *c = dial();
	uint64_t sum = 0;
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)sizes[i]);
		assert_true(say_length(c, i % 2 == 0 ? "/upload" : "/inline", sizes[i]));
		assert_true(say_pattern(c, 0, sizes[i], 100000));
		expect(c, 201, text);
		sum += sizes[i];
	}
	hang_up(c);
	assert_int_equal(data_bytes, sum);
	assert_int_equal(data_errors, 0);
	assert_int_equal(begins, ARRAY_LEN(sizes));
	assert_true(reaches(&ends, ARRAY_LEN(sizes)));
}

static void a_slow_reader_holds_the_sender_back(void **state)
{
	struct client *c = dial();

	(void)state;
	atomic_store(&is_data_slow, true);
	assert_true(say_length(c, "/upload", 10 * MIB));
	assert_true(say_pattern(c, 0, 10 * MIB, 100000));
	expect(c, 201, "10485760");
	hang_up(c);
	assert_int_equal(data_bytes, 10 * MIB);
	assert_int_equal(data_errors, 0);
}

static void chunked_bodies_arrive_byte_for_byte(void **state)
{
	static const size_t steps[] = { 1, 7, 1000, 65536, 300000 };
	struct client *c = dial();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		uint64_t len = steps[i] < 1000 ? 3000 : 2 * MIB;
		char text[32];

		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)len);
		assert_true(say_head(c, "/upload", "Transfer-Encoding: chunked\r\n"));
		assert_true(say_chunked(c, len, steps[i]));
		expect(c, 201, text);
	}
	hang_up(c);
	assert_int_equal(data_errors, 0);
}

static void a_pipelined_request_follows_a_body(void **state)
{
	struct client *c = dial();

	(void)state;
	assert_true(say(c, "PUT /small HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
			   "PUT /whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
			   "2;ext=\"a\"\r\nde\r\n1\r\nf\r\n0\r\nTrailer: x\r\n\r\n"
			   "PUT /none HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxx"
			   "GET /none HTTP/1.1\r\nHost: h\r\n\r\n"));
	expect(c, 200, "abc");
	expect(c, 200, "def");
	expect(c, 200, "");
	expect(c, 200, "");
	hang_up(c);
	assert_true(reaches(&ends, 4));
}

static void continue_is_sent_only_when_begin_agrees(void **state)
{
	struct client *c = dial();

	(void)state;
	assert_true(say_head(c, "/upload", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
	expect(c, 100, NULL);
	assert_true(say_pattern(c, 0, 5, 5));
	expect(c, 201, "5");
	hang_up(c);

	c = dial();
	assert_true(say_head(c, "/refuse", "Content-Length: 5000000\r\nExpect: 100-continue\r\n"));
	expect(c, 401, "who are you");
	assert_true(is_over(c));
	hang_up(c);
	c = dial();
	assert_true(say_head(
		c, "/inline-refuse", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"));
	expect(c, 401, "who are you");
	assert_true(is_over(c));
	hang_up(c);
	assert_true(reaches(&ends, 3));
	assert_int_equal(handles, 1);
	assert_int_equal(data_bytes, 5);
}

static void a_refusal_with_a_short_body_keeps_the_connection(void **state)
{
	struct client *c = dial();

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_true(say_length(
			c, i % 2 == 0 ? "/refuse" : "/inline-refuse", i < 2 ? 0 : 60000));
		assert_true(say_pattern(c, 0, i < 2 ? 0 : 60000, 1000));
		expect(c, 401, "who are you");
	}
	expect((assert_true(say_length(c, "/upload", 0)), c), 201, "0");
	hang_up(c);
	assert_int_equal(data_bytes, 0);
}

/* The client must be able to read the answer although it has sent more than anybody wants. */
static void an_early_answer_reaches_a_client_that_keeps_sending(void **state)
{
	static const char *const paths[] = { "/refuse", "/inline-refuse", "/enough" };

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(paths); i++) {
		struct client *c = dial();
		struct answer a;

		if (i < ARRAY_LEN(paths)) {
			assert_true(say_length(c, paths[i], 20 * MIB));
			(void)say_pattern(c, 0, 20 * MIB, 100000);
		} else {
			assert_true(say_head(
				c, paths[i - ARRAY_LEN(paths)], "Transfer-Encoding: chunked\r\n"));
			(void)say_chunked(c, 20 * MIB, 100000);
		}
		assert_true(hear(c, &a, false));
		assert_int_equal(a.status, i % 3 == 2 ? 409 : 401);
		assert_string_equal(header_of(&a, "Connection"), "close");
		assert_true(is_over(c));
		forget(&a);
		hang_up(c);
	}
	assert_true(reaches(&ends, 6));
	assert_int_equal(handles, 0);
	assert_true(data_bytes <= 2 * 4 * 64 * KIB);
}

static void an_early_answer_does_not_wait_for_the_body(void **state)
{
	struct client *c = dial();

	(void)state;
	assert_true(say_length(c, "/refuse", 20 * MIB));
	expect(c, 401, "who are you");
	hang_up(c);
	assert_true(reaches(&ends, 1));
}

/* What libmicrohttpd has read with the headers while begin runs is lost when the client leaves just
 * then; so it waits. */
static struct client *dial_upload(const char *path, unsigned nth)
{
	struct client *c = dial();

	assert_true(say_length(c, path, 10 * MIB));
	assert_true(reaches(&begins, nth));
	return c;
}

static void what_a_leaving_client_sent_reaches_the_operation(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 100, 65536, 65537, 700001 };
	uint64_t sum = 0;

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_LEN(sizes); i++) {
		struct client *c = dial_upload(i % 2 == 0 ? "/upload" : "/inline", i + 1);

		atomic_store(&is_data_slow, i % 4 == 3);
		assert_true(say_pattern(c, 0, sizes[i / 2], 100000));
		hang_up(c);
		sum += sizes[i / 2];
	}
	assert_true(reaches(&dones, 2 * ARRAY_LEN(sizes)));
	assert_int_equal(ends, 2 * ARRAY_LEN(sizes));
	assert_int_equal(data_bytes, sum);
	assert_int_equal(data_errors, 0);
	assert_int_equal(handles, 0);
	assert_int_equal(last_status, 0);
}

/* The end of the stream may come with the last bytes, which libmicrohttpd overlooks; the sweeper
 * must not. */
static void an_upload_is_released_soon_after_its_client_left(void **state)
{
	struct client *c[16];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(c); i++)
		c[i] = dial_upload("/upload", i + 1);
	for (unsigned i = 0; i < ARRAY_LEN(c); i++) {
		assert_true(say(c[i], "x"));
		hang_up(c[i]);
	}
	(void)usleep(1500000);
	assert_int_equal(ends, ARRAY_LEN(c));
}

static void a_client_that_resets_ends_its_request_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct client *c = dial_upload("/upload", i + 1);
		struct linger now = { 1, 0 };

		assert_true(say_pattern(c, 0, 300000, 100000));
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		hang_up(c);
	}
	assert_true(reaches(&dones, 20));
	assert_int_equal(ends, 20);
	assert_int_equal(data_errors, 0);
	assert_int_equal(handles, 0);
}

static void whole_bodies_have_a_limit(void **state)
{
	char *body = malloc(200001);
	struct answer a;
	struct client *c = dial();

	(void)state;
	memset(body, 'b', 200000);
	body[200000] = '\0';
	assert_true(say_length(c, "/whole", 200000) && say(c, body));
	expect(c, 200, body);
	assert_true(say_head(c, "/whole", "Transfer-Encoding: chunked\r\n"));
	assert_true(say(c, "30d40\r\n") && say(c, body) && say(c, "\r\n0\r\n\r\n"));
	expect(c, 200, body);
	/* one byte more, announced */
	assert_true(say_length(c, "/whole", 200001));
	assert_true(hear(c, &a, false));
	assert_int_equal(a.status, 413);
	assert_string_equal(header_of(&a, "Content-Type"), "application/json");
	forget(&a);
	hang_up(c);
	/* one byte more, found out */
	c = dial();
	assert_true(say_head(c, "/whole", "Transfer-Encoding: chunked\r\n"));
	(void)(say(c, "30d41\r\n") && say(c, body) && say(c, "x\r\n0\r\n\r\n"));
	assert_true(hear(c, &a, false));
	assert_int_equal(a.status, 413);
	assert_string_equal(a.body, "{}");
	forget(&a);
	hang_up(c);
	/* without words of its own; short enough to stay connected */
	c = dial();
	assert_true(say_length(c, "/small", 101) && say(c, "x"));
	assert_true(say_pattern(c, 0, 100, 100));
	expect(c, 413, NULL);
	assert_true(say(c, "PUT /small HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\ny"));
	expect(c, 200, "y");
	hang_up(c);
	free(body);
	assert_true(reaches(&ends, 6));
	assert_int_equal(handles, 3);
}

/* Waits until that much is counted for whole bodies, or more. */
static uint64_t counts_up_to(uint64_t bytes)
{
	struct http_stats stats = { 0 };

	for (int i = 0; i < 500 && stats.whole_body_bytes < bytes; i++) {
		(void)usleep(10000);
		http_server_stats(server, &stats);
	}
	return stats.whole_body_bytes;
}

static void whole_bodies_of_all_requests_have_a_limit_together(void **state)
{
	struct http_options o = { .whole_bodies_max_bytes = 150000 };
	struct client *first, *second, *third;
	struct http_stats stats;
	struct answer a;

	(void)state;
	start_server_with(&o, route);
	first = dial();
	second = dial();
	third = dial();
	/* An announcement holds nothing. */
	assert_true(say_length(first, "/whole", 100000) && say_pattern(first, 0, 10, 10));
	assert_in_range(counts_up_to(10), 10, 8192);
	assert_true(say_pattern(first, 10, 90000, 1000));
	/* At least what came, at most what was announced: it grows by doubling. */
	assert_in_range(counts_up_to(90010), 90010, 100000);
	assert_true(say_length(second, "/whole", 100000));
	assert_true(hear(second, &a, false));
	assert_int_equal(a.status, 503);
	assert_string_equal(header_of(&a, "Retry-After"), "1");
	forget(&a);
	assert_true(say_head(third, "/whole", "Transfer-Encoding: chunked\r\n"));
	(void)say_chunked(third, 100000, 1000);
	expect(third, 503, NULL);
	hang_up(first);
	(void)reaches(&ends, 3);
	for (int i = 0; i < 200; i++) {
		http_server_stats(server, &stats);
		if (stats.whole_body_bytes == 0)
			break;
		(void)usleep(10000);
	}
	assert_int_equal(stats.whole_body_bytes, 0);
	hang_up(second);
	hang_up(third);
}

static void unwanted_bodies_are_dropped_up_to_a_limit(void **state)
{
	struct client *c = dial();

	(void)state;
	assert_true(say_length(c, "/none", 65536) && say_pattern(c, 0, 65536, 65536));
	expect(c, 200, "");
	assert_true(say_length(c, "/none", 65537));
	expect(c, 413, NULL);
	hang_up(c);
	c = dial();
	assert_true(say_head(c, "/none", "Transfer-Encoding: chunked\r\n"));
	(void)say_chunked(c, 200000, 1000);
	expect(c, 413, NULL);
	hang_up(c);
}

static void *upload_one(void *arg)
{
	struct client *c = dial();
	struct answer a;
	bool *is_good = arg;

	*is_good = say_length(c, "/upload", 1 * MIB) && say_pattern(c, 0, 1 * MIB, 50000) &&
		   hear(c, &a, false) && a.status == 201;
	if (*is_good)
		forget(&a);
	hang_up(c);
	return NULL;
}

static void sixty_four_uploads_at_once(void **state)
{
	pthread_t threads[64];
	bool is_good[64] = { false };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, upload_one, &is_good[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(is_good[i]);
	}
	assert_int_equal(data_bytes, 64 * MIB);
	assert_int_equal(data_errors, 0);
	assert_true(reaches(&ends, 64));
}

/* With two workers the requests must take turns, and none may be lost. */
static void more_uploads_than_workers_take_turns(void **state)
{
	struct http_options o = { .workers_max = 2 };
	pthread_t threads[16];
	bool is_good[16] = { false };

	(void)state;
	start_server_with(&o, route);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, upload_one, &is_good[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(is_good[i]);
	}
	assert_true(reaches(&ends, 16));
}

static void stopping_in_the_middle_of_uploads_ends_each_once(void **state)
{
	struct client *c[8];

	(void)state;
	atomic_store(&is_data_slow, true);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		c[i] = dial();
		assert_true(say_length(c[i], "/upload", 10 * MIB));
		/* half of them enough to fill all buffers, so that they are suspended */
		(void)say_pattern(c[i], 0, i % 2 == 0 ? 400000 : 1000, 100000);
	}
	(void)usleep(20000);
	http_server_stop(server, 50);
	server = NULL;
	assert_int_equal(begins, 8);
	assert_int_equal(ends, 8);
	assert_int_equal(dones, 8);
	assert_int_equal(handles, 0);
	assert_int_equal(data_errors, 0);
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		hang_up(c[i]);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop_server)
	const struct CMUnitTest tests[] = {
		SERVED(bodies_of_every_size_arrive_byte_for_byte),
		SERVED(a_slow_reader_holds_the_sender_back),
		SERVED(chunked_bodies_arrive_byte_for_byte),
		SERVED(a_pipelined_request_follows_a_body),
		SERVED(continue_is_sent_only_when_begin_agrees),
		SERVED(a_refusal_with_a_short_body_keeps_the_connection),
		SERVED(an_early_answer_reaches_a_client_that_keeps_sending),
		SERVED(an_early_answer_does_not_wait_for_the_body),
		SERVED(what_a_leaving_client_sent_reaches_the_operation),
		SERVED(an_upload_is_released_soon_after_its_client_left),
		SERVED(a_client_that_resets_ends_its_request_once),
		SERVED(whole_bodies_have_a_limit),
		cmocka_unit_test_teardown(
			whole_bodies_of_all_requests_have_a_limit_together, stop_server),
		SERVED(unwanted_bodies_are_dropped_up_to_a_limit),
		SERVED(sixty_four_uploads_at_once),
		cmocka_unit_test_teardown(more_uploads_than_workers_take_turns, stop_server),
		SERVED(stopping_in_the_middle_of_uploads_ends_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
