/*
 * Requests whose end two parties may see at different places. For each, the server must refuse or
 * close; above all it must never serve the second request that hides in the first.
 */
#include "fixture.h"

#define HIDDEN "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"

struct bad_case {
	const char *what, *bytes;
	size_t len; /* 0: strlen */
};

#define CASE(what, bytes)                      \
	{                                      \
		what, bytes, sizeof(bytes) - 1 \
	}

static const struct bad_case bad_cases[] = {
	CASE("length and coding",
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\n" HIDDEN),
	CASE("coding and length",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
		"0\r\n\r\n" HIDDEN),
	CASE("two lengths",
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 35\r\n\r\n" HIDDEN),
	CASE("the same length twice",
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n" HIDDEN),
	CASE("list of lengths",
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0, 35\r\n\r\n" HIDDEN),
	CASE("negative length", "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n" HIDDEN),
	CASE("signed length", "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: +0\r\n\r\n" HIDDEN),
	CASE("hexadecimal length",
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0x0\r\n\r\n" HIDDEN),
	CASE("empty length", "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n" HIDDEN),
	CASE("length beyond 64 bits",
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551616\r\n\r\n" HIDDEN),
	CASE("length beyond 63 bits",
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n" HIDDEN),
	CASE("unknown coding",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n" HIDDEN),
	CASE("two codings",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" HIDDEN),
	CASE("coding twice",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
		"0\r\n\r\n" HIDDEN),
	CASE("identity",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n" HIDDEN),
	CASE("chunked with a tail",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" HIDDEN),
	CASE("space behind the coding",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked \r\n\r\n0\r\n\r\n" HIDDEN),
	CASE("vertical tab before the coding",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n" HIDDEN),
	CASE("coding in HTTP/1.0",
		"PUT /x HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN),
	CASE("space before the colon",
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length : 35\r\n\r\n" HIDDEN),
	CASE("tab before the colon",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" HIDDEN),
	CASE("space before the name",
		"PUT /x HTTP/1.1\r\n Host: h\r\nContent-Length: 0\r\n\r\n" HIDDEN),
	CASE("folded value", "PUT /x HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n" HIDDEN),
	CASE("folded coding",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" HIDDEN),
	CASE("folded with a tab, last header", "PUT /x HTTP/1.1\r\nHost: h\r\n\tx\r\n\r\n" HIDDEN),
	CASE("folded with nothing",
		"PUT /x HTTP/1.1\r\nHost: h\r\nX: a\r\n \r\nY: b\r\n\r\n" HIDDEN),
	CASE("folded with nothing at the end",
		"PUT /x HTTP/1.1\r\nHost: h\r\nX: a\r\n \r\n\r\n" HIDDEN),
	CASE("NUL in a value", "PUT /x HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n" HIDDEN),
	CASE("NUL at the end of a value", "PUT /x HTTP/1.1\r\nHost: h\r\nX: a\0\r\n\r\n" HIDDEN),
	CASE("NUL in a name", "PUT /x HTTP/1.1\r\nHost: h\r\nX\0Y: a\r\n\r\n" HIDDEN),
	CASE("NUL in the target", "PUT /x\0y HTTP/1.1\r\nHost: h\r\n\r\n" HIDDEN),
	CASE("NUL in the method", "PU\0T /x HTTP/1.1\r\nHost: h\r\n\r\n" HIDDEN),
	CASE("control character in a value",
		"PUT /x HTTP/1.1\r\nHost: h\r\nX: a\x01\r\n\r\n" HIDDEN),
	CASE("bare CR in a value",
		"PUT /x HTTP/1.1\r\nHost: h\r\nX: a\rContent-Length: 35\r\n\r\n" HIDDEN),
	CASE("bare LF behind a header",
		"PUT /x HTTP/1.1\r\nHost: h\nContent-Length: 0\r\n\r\n" HIDDEN),
	CASE("bare LF behind the request line", "PUT /x HTTP/1.1\nHost: h\r\n\r\n" HIDDEN),
	CASE("bare LF ends the section", "PUT /x HTTP/1.1\r\nHost: h\r\n\n" HIDDEN),
	CASE("bare LF everywhere", "PUT /x HTTP/1.1\nHost: h\n\n" HIDDEN),
	CASE("a line without a colon",
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length\r\n\r\n" HIDDEN),
	CASE("an empty name", "PUT /x HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n" HIDDEN),
	CASE("no host", "PUT /x HTTP/1.1\r\n\r\n" HIDDEN),
	CASE("two hosts", "PUT /x HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n" HIDDEN),
	CASE("a host that ends a quoted string", "PUT /x HTTP/1.1\r\nHost: h\"/\r\n\r\n" HIDDEN),
	CASE("two spaces", "PUT  /x HTTP/1.1\r\nHost: h\r\n\r\n" HIDDEN),
	CASE("space in the target", "PUT /x y HTTP/1.1\r\nHost: h\r\n\r\n" HIDDEN),
	CASE("space at the end of the line", "PUT /x HTTP/1.1 \r\nHost: h\r\n\r\n" HIDDEN),
	CASE("tab in the request line", "PUT /x\tHTTP/1.1\r\nHost: h\r\n\r\n" HIDDEN),
	CASE("a relative target", "PUT x HTTP/1.1\r\nHost: h\r\n\r\n" HIDDEN),
	CASE("no version", "PUT /x\r\nHost: h\r\n\r\n" HIDDEN),
	CASE("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" HIDDEN),
	CASE("HTTP/1.9", "PUT /x HTTP/1.9\r\nHost: h\r\n\r\n" HIDDEN),
	CASE("leave asked for no body",
		"PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n" HIDDEN),
	CASE("leave asked for an empty body",
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: 100-Continue\r\nExpect: x\r\n\r\n" HIDDEN),
	CASE("chunk size with a sign",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n+0\r\n\r\n" HIDDEN),
	CASE("chunk size with 0x",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" HIDDEN),
	CASE("chunk size with a space before it",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n 0\r\n\r\n" HIDDEN),
	CASE("no chunk size",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n" HIDDEN),
	CASE("chunk size that is a word",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" HIDDEN),
	CASE("chunk size beyond 64 bits",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n" HIDDEN),
	CASE("chunk longer than its size",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" HIDDEN),
};

static void serve(struct http_req *req)
{
	if (str_eq_c(req->path, "/hidden"))
		atomic_fetch_add(&handles, 1);
	http_reply_bytes(req, 200, "text/plain", STR("served"));
}

static const struct http_op op_whole = {
	.name = "whole", .body = HTTP_BODY_WHOLE, .body_max = 1000, .handle = serve
};

static const struct http_op *route(struct http_req *req, void *ctx)
{
	(void)req;
	(void)ctx;
	return &op_whole;
}

static int start(void **state)
{
	struct http_options o = { .loops = 1 };

	(void)state;
	start_server_with(&o, route);
	return 0;
}

static void ambiguous_requests_are_refused_and_nothing_behind_them_is_served(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_cases); i++) {
		struct client *c = dial();
		struct answer a;

		(void)say_bytes(c, bad_cases[i].bytes, bad_cases[i].len);
		(void)shutdown(c->fd, SHUT_WR); /* so that "still waiting" reads as closed, too */
		while (hear(c, &a, false)) {
			if (!((a.status >= 400 && a.status < 500) || a.status == 501 ||
				    a.status == 505))
				fail_msg("%s: %d", bad_cases[i].what, a.status);
			forget(&a);
		}
		if (atomic_load(&handles) != 0)
			fail_msg("%s: the hidden request was served", bad_cases[i].what);
		hang_up(c);
	}
}

/* The same bytes with nothing wrong, so that the test above does not pass because of a server that
 * refuses everything. */
static void the_hidden_request_is_served_behind_a_proper_one(void **state)
{
	static const char *const good[] = {
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" HIDDEN,
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" HIDDEN,
		"PUT /x HTTP/1.1\r\nhost:h\r\ncontent-length:1\r\n\r\na" HIDDEN,
		"PUT /x HTTP/1.1\r\nHost: [::1]:5000\r\nX:\r\nY: \t \r\nContent-Length: 2\r\n\r\nab" HIDDEN,
		"\r\nPUT /x?a=%00&b HTTP/1.1\r\nHost:\r\nX: a b\tc\r\n\r\n" HIDDEN,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct client *c = dial();
		struct answer a;

		assert_true(say(c, good[i]));
		for (int j = 0; j < 2; j++) {
			assert_true(hear(c, &a, false));
			if (a.status != 200)
				fail_msg("case %zu: %d", i, a.status);
			forget(&a);
		}
		hang_up(c);
	}
	assert_int_equal(handles, ARRAY_LEN(good));
}

static void a_header_section_beyond_its_memory_is_refused(void **state)
{
	struct client *c = dial();
	struct answer a;
	bool is_sent = say(c, "GET /x HTTP/1.1\r\nHost: h\r\n");

	(void)state;
	for (int i = 0; i < 2000 && is_sent; i++)
		is_sent =
			say(c, "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
	if (hear(c, &a, false)) { /* a reset may overtake it */
		assert_true(a.status == 431 || a.status == 414);
		forget(&a);
	}
	hang_up(c);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop_server)
	const struct CMUnitTest tests[] = {
		SERVED(ambiguous_requests_are_refused_and_nothing_behind_them_is_served),
		SERVED(the_hidden_request_is_served_behind_a_proper_one),
		SERVED(a_header_section_beyond_its_memory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
