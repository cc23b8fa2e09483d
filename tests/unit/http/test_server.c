#include <fcntl.h>
#include <sys/mman.h>

#include "fixture.h"

#define OBJECT_BYTES 300000

static atomic_bool is_held;

static void say_hello(struct http_req *req)
{
	atomic_fetch_add(&handles, 1);
	http_header_set(req, "X-Test", STR("yes"));
	http_reply_bytes(req, 200, "text/plain", STR("hello"));
}

static void count_end(struct http_req *req)
{
	(void)req;
	atomic_fetch_add(&ends, 1);
}

static void say_empty(struct http_req *req)
{
	struct str n;

	http_reply(req, http_query(req, "status", 0, &n) ? atoi(n.ptr) : 202);
}

static void say_large(struct http_req *req)
{
	struct buf b;

	buf_init(&b, 2 * MIB);
	for (int i = 0; i < 100000; i++)
		buf_addf(&b, "%08d\n", i);
	http_reply_buf(req, 200, "text/plain", &b);
	assert_int_equal(b.len, 0);
}

static void say_request(struct http_req *req)
{
	struct str v = STR("-");
	struct str second = STR("-");

	(void)http_query(req, "a", 0, &v);
	(void)http_query(req, "a", 1, &second);
	http_header_setf(req, "X-Evil", "a%sb", "\r\nX-Injected: 1");
	http_header_set(req, "X-Twice", STR("first"));
	http_header_set(req, "X-Twice", STR("second"));
	http_reply_bytes(req, 200, "text/plain",
		arena_printf(req->arena, "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%zu",
			STR_ARG(req->method), STR_ARG(req->path), STR_ARG(req->query), STR_ARG(v),
			STR_ARG(second), STR_ARG(http_base_url(req)),
			STR_ARG(http_header(req, "x-INPUT")), STR_ARG(req->remote_ip),
			strlen(req->id)));
}

static void hold(struct http_req *req)
{
	while (atomic_load(&is_held))
		(void)usleep(1000);
	say_hello(req);
}

static void forget_to_answer(struct http_req *req)
{
	(void)req;
}

static bool object_pread(
	void *arg, void *bytes, size_t len, uint64_t off, size_t *out_n, struct err *err)
{
	const int *kind = arg;

	if (*kind == 2 && off >= 100000)
		return err_set(err, ERR_CORRUPT, "damaged");
	fill_pattern(bytes, len > 1000 ? 1000 : len, off);
	*out_n = len > 1000 ? 1000 : len;
	return true;
}

static int object_fd = -1;

static void object_close(void *arg)
{
	(void)arg;
	atomic_fetch_add(&closes, 1);
}

static void say_object(struct http_req *req)
{
	static int kinds[] = { 0, 1, 2 };
	int kind = str_eq_c(req->path, "/file") ? 0 : str_eq_c(req->path, "/pread") ? 1 : 2;
	struct http_object o = { kind == 0 ? object_fd : -1, OBJECT_BYTES,
		kind == 0 ? NULL : object_pread, object_close, &kinds[kind], NULL };

	http_reply_object(req, "application/x-test", STR("sha256:abc"), &o);
}

static const struct http_op op_hello = { .name = "hello", .handle = say_hello, .end = count_end };
static const struct http_op op_worker = {
	.name = "worker", .run = HTTP_WORKER, .handle = say_hello, .end = count_end
};
static const struct http_op op_empty = { .name = "empty", .handle = say_empty };
static const struct http_op op_large = { .name = "large", .run = HTTP_WORKER, .handle = say_large };
static const struct http_op op_request = { .name = "request", .handle = say_request };
static const struct http_op op_hold = {
	.name = "hold", .run = HTTP_WORKER, .handle = hold, .end = count_end
};
static const struct http_op op_object = { .name = "object", .handle = say_object };
static const struct http_op op_mute = {
	.name = "mute", .run = HTTP_WORKER, .handle = forget_to_answer
};

static const struct http_op *route(struct http_req *req, void *ctx)
{
	static const struct {
		const char *path;
		const struct http_op *op;
	} routes[] = { { "/hello", &op_hello }, { "/worker", &op_worker }, { "/empty", &op_empty },
		{ "/large", &op_large }, { "/request", &op_request }, { "/hold", &op_hold },
		{ "/file", &op_object }, { "/pread", &op_object }, { "/damaged", &op_object },
		{ "/mute", &op_mute } };

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
	start_server_with(&o, route);
	return 0;
}

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define HEAD(path) "HEAD " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static void a_connection_serves_many_requests(void **state)
{
	struct client *c = dial();
	struct answer a;

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_true(say(c, i % 2 == 0 ? GET("/hello") : GET("/worker")));
		assert_true(hear(c, &a, false));
		assert_int_equal(a.status, 200);
		assert_string_equal(a.body, "hello");
		assert_string_equal(header_of(&a, "X-Test"), "yes");
		assert_string_equal(header_of(&a, "Content-Type"), "text/plain");
		assert_non_null(header_of(&a, "Date"));
		forget(&a);
	}
	hang_up(c);
	assert_true(reaches(&ends, 50));
	assert_true(reaches(&dones, 50));
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct client *c = dial();
	static const int statuses[] = { 200, 404, 200, 202, 200 };
	struct answer a;

	(void)state;
	assert_true(
		say(c, GET("/worker") GET("/nothing") GET("/hello") GET("/empty") GET("/worker")));
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		assert_true(hear(c, &a, false));
		assert_int_equal(a.status, statuses[i]);
		forget(&a);
	}
	hang_up(c);
}

static void http_1_0_and_connection_close_end_the_connection(void **state)
{
	static const char *const requests[] = { "GET /hello HTTP/1.0\r\n\r\n",
		"GET /worker HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" };
	struct answer a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		struct client *c = dial();

		assert_true(say(c, requests[i]));
		assert_true(hear(c, &a, false));
		assert_int_equal(a.status, 200);
		assert_true(is_over(c));
		forget(&a);
		hang_up(c);
	}
}

static void answers_without_a_body_say_so(void **state)
{
	struct answer a;

	(void)state;
	ask(GET("/empty"), &a);
	assert_string_equal(header_of(&a, "Content-Length"), "0");
	forget(&a);
	ask(GET("/empty?status=204"), &a);
	assert_int_equal(a.status, 204);
	assert_null(header_of(&a, "Content-Length"));
	forget(&a);
	ask(GET("/empty?status=304"), &a);
	assert_int_equal(a.status, 304);
	assert_null(header_of(&a, "Content-Length"));
	assert_null(header_of(&a, "Transfer-Encoding"));
	forget(&a);
}

static void a_buffer_is_sent_without_copying(void **state)
{
	struct answer a;

	(void)state;
	ask(GET("/large"), &a);
	assert_int_equal(a.body_len, 900000);
	assert_memory_equal(a.body + 899991, "00099999\n", 9);
	forget(&a);
}

static void the_request_is_seen_as_it_was_sent(void **state)
{
	struct answer a;

	(void)state;
	ask("PURGE /request?b=1&a=x%20y+z&a=%zz HTTP/1.1\r\nHost: reg.example:5000\r\nX-Input:  some thing \t\r\n\r\n",
		&a);
	assert_string_equal(a.body,
		"PURGE|/request|b=1&a=x%20y+z&a=%zz|x y z|%zz|http://reg.example:5000|some thing|127.0.0.1|32");
	assert_null(header_of(&a, "X-Evil"));
	assert_null(header_of(&a, "X-Injected"));
	assert_string_equal(header_of(&a, "X-Twice"), "second");
	forget(&a);
	ask("GET http://other:1/request?q HTTP/1.1\r\nHost: reg.example:5000\r\n\r\n", &a);
	assert_string_equal(a.body, "GET|/request|q|-|-|http://other:1||127.0.0.1|32");
	forget(&a);
}

static void an_operation_that_does_not_answer_is_a_500(void **state)
{
	struct answer a;

	(void)state;
	ask(GET("/mute"), &a);
	assert_int_equal(a.status, 500);
	forget(&a);
}

static void check_pattern(const struct answer *a, size_t at, size_t len, uint64_t from)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)a->body[at + i] != pattern(from + i))
			fail_msg("byte %zu differs", at + i);
}

static void objects_are_sent_whole_and_in_ranges(void **state)
{
	static const char *const paths[] = { "/file", "/pread" };
	char request[512];
	struct answer a;
	struct client *c = dial();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		(void)snprintf(
			request, sizeof(request), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", paths[i]);
		assert_true(say(c, request));
		assert_true(hear(c, &a, false));
		assert_int_equal(a.status, 200);
		assert_int_equal(a.body_len, OBJECT_BYTES);
		check_pattern(&a, 0, OBJECT_BYTES, 0);
		assert_string_equal(header_of(&a, "ETag"), "\"sha256:abc\"");
		assert_string_equal(header_of(&a, "Accept-Ranges"), "bytes");
		assert_string_equal(header_of(&a, "Content-Type"), "application/x-test");
		forget(&a);

		(void)snprintf(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: h\r\nRange: bytes=1000-200999\r\nIf-Range: \"sha256:abc\"\r\n\r\n",
			paths[i]);
		assert_true(say(c, request));
		assert_true(hear(c, &a, false));
		assert_int_equal(a.status, 206);
		assert_int_equal(a.body_len, 200000);
		check_pattern(&a, 0, 200000, 1000);
		assert_string_equal(header_of(&a, "Content-Range"), "bytes 1000-200999/300000");
		forget(&a);

		(void)snprintf(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: h\r\nRange: bytes=-5\r\n\r\n", paths[i]);
		assert_true(say(c, request));
		assert_true(hear(c, &a, false));
		assert_int_equal(a.status, 206);
		assert_int_equal(a.body_len, 5);
		check_pattern(&a, 0, 5, OBJECT_BYTES - 5);
		forget(&a);
	}
	hang_up(c);
	assert_true(reaches(&closes, 6));
}

static void several_ranges_come_as_multipart(void **state)
{
	static const char *const requests[] = {
		"GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9,100-100099,-1\r\n\r\n",
		"GET /pread HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9,100-100099,-1\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		char boundary[64], *part, *expect;
		struct answer a;
		size_t at = 0;

		static const struct {
			uint64_t first, last;
		} parts[] = { { 0, 9 }, { 100, 100099 }, { 299999, 299999 } };

		ask(requests[i], &a);
		assert_int_equal(a.status, 206);
		assert_int_equal(sscanf(header_of(&a, "Content-Type"),
					 "multipart/byteranges; boundary=%63s", boundary),
			1);
		for (size_t j = 0; j < ARRAY_LEN(parts); j++) {
			size_t len = (size_t)(parts[j].last - parts[j].first + 1);
			int n = asprintf(&expect,
				"%s--%s\r\nContent-Type: application/x-test\r\nContent-Range: bytes %llu-%llu/300000\r\n\r\n",
				j > 0 ? "\r\n" : "", boundary, (unsigned long long)parts[j].first,
				(unsigned long long)parts[j].last);

			part = a.body + at;
			assert_memory_equal(part, expect, (size_t)n);
			check_pattern(&a, at + (size_t)n, len, parts[j].first);
			at += (size_t)n + len;
			free(expect);
		}
		assert_int_equal(
			asprintf(&expect, "\r\n--%s--\r\n", boundary), (int)(a.body_len - at));
		assert_string_equal(a.body + at, expect);
		free(expect);
		forget(&a);
	}
	assert_true(reaches(&closes, 2));
}

static void conditions_and_bad_ranges_of_objects(void **state)
{
	static const struct {
		const char *request;
		int status;
		size_t body_len;
		const char *length, *content_range;
	} cases[] = {
		{ HEAD("/file"), 200, 0, "300000", NULL },
		{ "HEAD /pread HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n", 200, 0, "300000",
			NULL },
		{ "GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=300000-\r\n\r\n", 416, 0, "0",
			"bytes */300000" },
		{ "GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=5-1\r\n\r\n", 416, 0, "0",
			"bytes */300000" },
		{ "GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=x-1\r\n\r\n", 200, 300000,
			"300000", NULL },
		{ "GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=0-5\r\nIf-Range: \"x\"\r\n\r\n",
			200, 300000, "300000", NULL },
		{ "GET /file HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"sha256:abc\"\r\n\r\n", 304, 0,
			"300000", NULL },
		{ "HEAD /pread HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"x\"\r\nIf-None-Match: W/\"sha256:abc\"\r\n\r\n",
			304, 0, "300000", NULL },
		{ "GET /file HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\nRange: bytes=0-1\r\n\r\n",
			304, 0, "300000", NULL },
		{ "GET /file HTTP/1.1\r\nHost: h\r\nIf-Match: \"x\"\r\n\r\n", 412, 0, "0", NULL },
		{ "GET /file HTTP/1.1\r\nHost: h\r\nIf-Match: \"x\", \"sha256:abc\"\r\n\r\n", 200,
			300000, "300000", NULL },
	};
	struct client *c = dial();
	struct answer a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(say(c, cases[i].request));
		assert_true(hear(c, &a, strncmp(cases[i].request, "HEAD", 4) == 0));
		if (a.status != cases[i].status || a.body_len != cases[i].body_len)
			fail_msg("%s: %d with %zu bytes", cases[i].request, a.status, a.body_len);
		assert_string_equal(header_of(&a, "Content-Length"), cases[i].length);
		assert_string_equal(header_of(&a, "ETag"), "\"sha256:abc\"");
		if (cases[i].content_range != NULL)
			assert_string_equal(header_of(&a, "Content-Range"), cases[i].content_range);
		else
			assert_null(header_of(&a, "Content-Range"));
		forget(&a);
	}
	hang_up(c);
	assert_true(reaches(&closes, ARRAY_LEN(cases)));
}

static void a_damaged_object_breaks_the_connection_off(void **state)
{
	struct client *c = dial();
	struct answer a;

	(void)state;
	assert_true(say(c, GET("/damaged")));
	assert_false(hear(c, &a, false));
	hang_up(c);
	assert_true(reaches(&closes, 1));
}

static void a_client_that_leaves_an_object_unread_is_noticed(void **state)
{
	struct client *c = dial();

	(void)state;
	assert_true(say(c, GET("/file") GET("/file") GET("/file") GET("/file") GET("/file")
				   GET("/file") GET("/file")));
	(void)more(c);
	hang_up(c);
	for (int i = 0; i < 100; i++) {
		struct http_stats stats;

		http_server_stats(server, &stats);
		if (stats.connections == 0 && stats.requests_active == 0)
			return;
		(void)usleep(20000);
	}
	fail_msg("the connection is still there");
}

static void *release_soon(void *arg)
{
	(void)arg;
	(void)usleep(300000);
	atomic_store(&is_held, false);
	return NULL;
}

static void stopping_waits_for_a_running_request(void **state)
{
	struct client *c = dial(), *idle = dial();
	struct answer a;
	pthread_t t;

	(void)state;
	atomic_store(&is_held, true);
	assert_true(say(c, GET("/hold")));
	(void)usleep(50000);
	assert_int_equal(pthread_create(&t, NULL, release_soon, NULL), 0);
	(void)stop_server(NULL);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_true(hear(c, &a, false));
	assert_int_equal(a.status, 200);
	assert_string_equal(header_of(&a, "Connection"), "close");
	assert_true(is_over(idle));
	assert_int_equal(ends, 1);
	assert_int_equal(dones, 1);
	forget(&a);
	hang_up(c);
	hang_up(idle);
}

static void stopping_without_grace_cuts_a_running_request_off(void **state)
{
	struct client *c = dial();
	struct answer a;
	pthread_t t;

	(void)state;
	atomic_store(&is_held, true);
	assert_true(say(c, GET("/hold")));
	(void)usleep(50000);
	assert_int_equal(pthread_create(&t, NULL, release_soon, NULL), 0);
	http_server_stop(server, 10);
	server = NULL;
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_false(hear(c, &a, false));
	assert_int_equal(ends, 1);
	hang_up(c);
}

static void the_number_of_workers_is_limited_and_the_rest_waits(void **state)
{
	struct http_options o = { .workers_max = 2 };
	struct client *c[6];
	struct http_stats stats;
	struct answer a;

	(void)state;
	start_server_with(&o, route);
	atomic_store(&is_held, true);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		c[i] = dial();
		assert_true(say(c[i], GET("/hold")));
	}
	(void)usleep(200000);
	http_server_stats(server, &stats);
	assert_int_equal(stats.workers, 2);
	assert_int_equal(stats.workers_busy, 2);
	assert_int_equal(stats.queue_length, 4);
	assert_int_equal(stats.requests_active, 6);
	assert_int_equal(stats.connections, 6);
	atomic_store(&is_held, false);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		assert_true(hear(c[i], &a, false));
		assert_int_equal(a.status, 200);
		forget(&a);
		hang_up(c[i]);
	}
}

static void a_bad_address_is_named(void **state)
{
	static const char *const bad[] = { "127.0.0.1", "::1:5000", "127.0.0.1:70000", "[::1:5",
		"127.0.0.1:" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct http_listen listen = { bad[i], false };
		struct http_options o = { .listen = &listen, .listen_count = 1 };
		struct http_server *s = NULL;
		struct err err;

		if (http_server_start(&o, &s, &err))
			fail_msg("%s was accepted", bad[i]);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.msg, bad[i]));
	}
}

static void a_port_in_use_is_an_error(void **state)
{
	char address[32];
	struct http_listen listen = { address, false };
	struct http_options o = { .listen = &listen, .listen_count = 1 };
	struct http_server *s = NULL;
	struct err err;

	(void)state;
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)port);
	assert_false(http_server_start(&o, &s, &err));
	assert_non_null(strstr(err.msg, "in use"));
}

static void the_port_alone_listens_on_every_address(void **state)
{
	struct http_listen listen[] = { { ":0", false }, { "127.0.0.1:0", false } };
	struct http_options o = { .listen = listen, .listen_count = 2 };
	struct answer a;

	(void)state;
	start_server_with(&o, route);
	ask("GET /request HTTP/1.0\r\n\r\n", &a);
	assert_string_equal(a.body, "GET|/request||-|-|||127.0.0.1|32");
	forget(&a);
	port = http_server_port(server, 1);
	ask(GET("/hello"), &a);
	assert_int_equal(a.status, 200);
	forget(&a);
}

int main(void)
{
	char *bytes = malloc(OBJECT_BYTES);

	object_fd = memfd_create("object", MFD_CLOEXEC);
	fill_pattern(bytes, OBJECT_BYTES, 0);
	if (write(object_fd, bytes, OBJECT_BYTES) != OBJECT_BYTES)
		return 1;
	free(bytes);
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop_server)
	const struct CMUnitTest tests[] = {
		SERVED(a_connection_serves_many_requests),
		SERVED(pipelined_requests_are_answered_in_order),
		SERVED(http_1_0_and_connection_close_end_the_connection),
		SERVED(answers_without_a_body_say_so),
		SERVED(a_buffer_is_sent_without_copying),
		SERVED(the_request_is_seen_as_it_was_sent),
		SERVED(an_operation_that_does_not_answer_is_a_500),
		SERVED(objects_are_sent_whole_and_in_ranges),
		SERVED(several_ranges_come_as_multipart),
		SERVED(conditions_and_bad_ranges_of_objects),
		SERVED(a_damaged_object_breaks_the_connection_off),
		SERVED(a_client_that_leaves_an_object_unread_is_noticed),
		SERVED(stopping_waits_for_a_running_request),
		SERVED(stopping_without_grace_cuts_a_running_request_off),
		cmocka_unit_test_teardown(
			the_number_of_workers_is_limited_and_the_rest_waits, stop_server),
		cmocka_unit_test(a_bad_address_is_named),
		SERVED(a_port_in_use_is_an_error),
		cmocka_unit_test_teardown(the_port_alone_listens_on_every_address, stop_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
