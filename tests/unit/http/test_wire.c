/* The scanner before libmicrohttpd: what it lets pass, takes out, and where it stops. */
#include <stdlib.h>

#include "../unit.h"
#include "base/str.h"
#include "http/wire.h"

#define NEXT    "GET /next HTTP/1.1\r\nHost: h\r\n\r\n"
#define TOP     "PUT /x HTTP/1.1\r\nHost: h\r\n"
#define CHUNKED TOP "Transfer-Encoding: chunked\r\n\r\n"
#define OUT_MAX 4096

/* What stands in the place of the rest. */
#define NO_LINE   "\1 \1 HTTP/1.1\r\n\r\n"
#define NO_HEADER "\1:\r\n\r\n"
#define NO_CHUNK  "x\r\n"

struct wire_case {
	const char *what;
	struct str in, out;
};

#define PASSES(what, in)               \
	{                              \
		what, STR(in), STR(in) \
	}
#define BECOMES(what, in, out)          \
	{                               \
		what, STR(in), STR(out) \
	}

static const struct wire_case good_cases[] = {
	PASSES("nothing", ""),
	PASSES("one", NEXT),
	PASSES("two", NEXT NEXT),
	PASSES("empty lines", "\r\n\r\n" NEXT "\r\n" NEXT),
	PASSES("a length", TOP "Content-Length: 5\r\n\r\n\n\0\r\n\0" NEXT),
	PASSES("a length in another form", TOP "content-LENGTH:\t 005\r\n\r\nabcde" NEXT),
	PASSES("no body", TOP "Content-Length: 0\r\n\r\n" NEXT),
	PASSES("names that begin the same",
		TOP "Content-Length-X: 5\r\nTransfer: 1\r\nC:\r\n\r\n" NEXT),
	PASSES("what is judged later",
		"PU T\t /x\1 HTTP/3.7\r\nHost : h\r\n Folded: \r\r\nX\r\n\r\n" NEXT),
	PASSES("chunks", CHUNKED "3\r\n\0\n\r\r\n0000a\r\n0123456789\r\n0\r\n\r\n" NEXT),
	PASSES("no chunks", CHUNKED "0\r\n\r\n" NEXT),
	PASSES("a coding in another form",
		TOP "TRANSFER-encoding:Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n" NEXT),
	PASSES("the largest size", CHUNKED "ffffffffffffffff\r\n" NEXT),
	PASSES("a long line that decides nothing", TOP
		"X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n" NEXT),
	BECOMES("extensions", CHUNKED "1;a\r\nx\r\n1; b=\"\t;\xff\"\r\ny\r\n0;\r\n\r\n" NEXT,
		CHUNKED "1\r\nx\r\n1\r\ny\r\n0\r\n\r\n" NEXT),
	BECOMES("trailers", CHUNKED "0\r\nA: b\r\nContent-Length:\t5\r\nc:\r\n\r\n" NEXT,
		CHUNKED "0\r\n\r\n" NEXT),
	/* Refused when its headers are in, and until then it only counts that nothing follows. */
	BECOMES("two lengths", TOP "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" NEXT,
		TOP "Content-Length: 0\r\nContent-Length: 0\r\n\r\n"),
	BECOMES("length and coding",
		TOP "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
		TOP "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
	BECOMES("no length", TOP "Content-Length: +1\r\n\r\n" NEXT,
		TOP "Content-Length: +1\r\n\r\n"),
	BECOMES("space behind the length", TOP "Content-Length: 5 \r\n\r\nabcde" NEXT,
		TOP "Content-Length: 5 \r\n\r\n"),
	BECOMES("a length beyond 63 bits", TOP "Content-Length: 9223372036854775808\r\n\r\n" NEXT,
		TOP "Content-Length: 9223372036854775808\r\n\r\n"),
	BECOMES("another coding", TOP "Transfer-Encoding: gzip, chunked\r\n\r\n" NEXT,
		TOP "Transfer-Encoding: gzip, chunked\r\n\r\n"),
	BECOMES("space behind the coding", TOP "Transfer-Encoding: chunked \r\n\r\n" NEXT,
		TOP "Transfer-Encoding: chunked \r\n\r\n"),
};

static const struct wire_case bad_cases[] = {
	BECOMES("LF before a request", "\n" NEXT, NO_LINE),
	BECOMES("LF behind an empty line", "\r\n\n" NEXT, "\r\n" NO_LINE),
	BECOMES("LF behind the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n" NEXT,
		"GET / HTTP/1.1" NO_LINE),
	BECOMES("LF behind a header", TOP "X: a\nContent-Length: 5\r\n\r\n" NEXT,
		TOP "X: a" NO_HEADER),
	BECOMES("LF ends the section", TOP "\n" NEXT, TOP NO_HEADER),
	BECOMES("NUL before a request", "\0\r\n" NEXT, NO_LINE),
	BECOMES("NUL in the request line", "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n" NEXT,
		"GET /" NO_LINE),
	BECOMES("NUL in a name", TOP "X\0: a\r\n\r\n" NEXT, TOP "X" NO_HEADER),
	BECOMES("NUL in a value", TOP "X: a\0b\r\n\r\n" NEXT, TOP "X: a" NO_HEADER),
	BECOMES("NUL and LF", TOP "X: a\0\nContent-Length: 5\r\n\r\n" NEXT, TOP "X: a" NO_HEADER),
	BECOMES("NUL and LF at the end", TOP "\0\n" NEXT, TOP NO_HEADER),
	BECOMES("a NUL in the request after a body of them",
		TOP "Content-Length: 2\r\n\r\n\0\0GET /\0 HTTP/1.1\r\n\r\n",
		TOP "Content-Length: 2\r\n\r\n\0\0GET /" NO_LINE),
	BECOMES("a length in a long line",
		TOP
		"Content-Length:                                                  5\r\n\r\nabcde" NEXT,
		TOP
		"Content-Length:                                                  5\r" NO_HEADER),
	BECOMES("no size", CHUNKED "\r\n" NEXT, CHUNKED NO_CHUNK),
	BECOMES("an extension of no size", CHUNKED ";a\r\n" NEXT, CHUNKED NO_CHUNK),
	BECOMES("a sign", CHUNKED "+1\r\na\r\n0\r\n\r\n" NEXT, CHUNKED NO_CHUNK),
	BECOMES("0x", CHUNKED "0x1\r\na\r\n0\r\n\r\n" NEXT, CHUNKED "0" NO_CHUNK),
	BECOMES("space before a size", CHUNKED " 1\r\na\r\n0\r\n\r\n" NEXT, CHUNKED NO_CHUNK),
	BECOMES("space behind a size", CHUNKED "1 \r\na\r\n0\r\n\r\n" NEXT, CHUNKED "1" NO_CHUNK),
	BECOMES("17 digits", CHUNKED "00000000000000001\r\na\r\n0\r\n\r\n" NEXT,
		CHUNKED "0000000000000000" NO_CHUNK),
	BECOMES("LF behind a size", CHUNKED "1\na\r\n0\r\n\r\n" NEXT, CHUNKED "1" NO_CHUNK),
	BECOMES("CR behind a size", CHUNKED "1\ra\r\n0\r\n\r\n" NEXT, CHUNKED "1\r" NO_CHUNK),
	BECOMES("LF in an extension", CHUNKED "2;\nxx\r\n0\r\n\r\n" NEXT, CHUNKED "2" NO_CHUNK),
	BECOMES("CR in an extension", CHUNKED "2;a\rb\r\nxx\r\n0\r\n\r\n" NEXT,
		CHUNKED "2\r" NO_CHUNK),
	BECOMES("NUL in an extension", CHUNKED "2;\0\r\nxx\r\n0\r\n\r\n" NEXT,
		CHUNKED "2" NO_CHUNK),
	BECOMES("LF behind a chunk", CHUNKED "1\r\na\n0\r\n\r\n" NEXT, CHUNKED "1\r\na" NO_CHUNK),
	BECOMES("CR behind a chunk", CHUNKED "1\r\na\r0\r\n\r\n" NEXT, CHUNKED "1\r\na\r" NO_CHUNK),
	BECOMES("any two bytes behind a chunk", CHUNKED "1\r\naXX0\r\n\r\n" NEXT,
		CHUNKED "1\r\na" NO_CHUNK),
	BECOMES("nothing behind a chunk", CHUNKED "1\r\na0\r\n\r\n" NEXT,
		CHUNKED "1\r\na" NO_CHUNK),
	BECOMES("LF behind the last size", CHUNKED "0\n\r\n" NEXT, CHUNKED "0" NO_CHUNK),
	BECOMES("LF at the end of a body", CHUNKED "0\r\n\n" NEXT, CHUNKED "0\r\n" NO_CHUNK),
	BECOMES("CR at the end of a body", CHUNKED "0\r\n\r" NEXT, CHUNKED "0\r\n\r" NO_CHUNK),
	BECOMES("a trailer without a colon", CHUNKED "0\r\nGET /y HTTP/1.1\r\n\r\n" NEXT,
		CHUNKED "0\r\n" NO_CHUNK),
	BECOMES("a trailer without a name", CHUNKED "0\r\n: a\r\n\r\n" NEXT,
		CHUNKED "0\r\n" NO_CHUNK),
	BECOMES("space before a trailer's colon", CHUNKED "0\r\nA : b\r\n\r\n" NEXT,
		CHUNKED "0\r\n" NO_CHUNK),
	BECOMES("a trailer that is folded", CHUNKED "0\r\nA: b\r\n c\r\n\r\n" NEXT,
		CHUNKED "0\r\n" NO_CHUNK),
	BECOMES("LF behind a trailer", CHUNKED "0\r\nA: b\n\r\n" NEXT, CHUNKED "0\r\n" NO_CHUNK),
	BECOMES("CR in a trailer", CHUNKED "0\r\nA: b\rc\r\n\r\n" NEXT, CHUNKED "0\r\n" NO_CHUNK),
	BECOMES("NUL in a trailer", CHUNKED "0\r\nA: \0\r\n\r\n" NEXT, CHUNKED "0\r\n" NO_CHUNK),
};

/* A connection: pieces in, and what libmicrohttpd would read. */
struct run {
	struct wire wire;
	char out[OUT_MAX];
	size_t len;
};

/* The piece in memory of exactly its size, so that nothing beside it is touched. */
static void feed(struct run *run, struct str piece)
{
	char *p;
	size_t n;

	if (piece.len == 0 || wire_is_over(&run->wire))
		return;
	p = malloc(piece.len);
	assert_non_null(p);
	memcpy(p, piece.ptr, piece.len);
	n = wire_pass(&run->wire, p, piece.len, piece.len);
	assert_true(n <= piece.len && run->len + n <= sizeof(run->out));
	memcpy(run->out + run->len, p, n);
	run->len += n;
	free(p);
}

static void flush(struct run *run)
{
	char p[3];
	size_t n;

	while ((n = wire_pass(&run->wire, p, 0, sizeof(p))) > 0) {
		assert_true(run->len + n <= sizeof(run->out));
		memcpy(run->out + run->len, p, n);
		run->len += n;
	}
}

static void check(struct run *run, const struct wire_case *c, bool is_over)
{
	flush(run);
	if (run->len != c->out.len || memcmp(run->out, c->out.ptr, c->out.len) != 0)
		fail_msg("%s: %.*s", c->what, (int)run->len, run->out);
	if (wire_is_over(&run->wire) != is_over)
		fail_msg("%s: %s", c->what, is_over ? "it goes on" : "it is over");
}

/* In one piece, in any two, and byte by byte. */
static void check_all(const struct wire_case *c, bool is_over)
{
	struct run run;

	for (size_t cut = 0; cut <= c->in.len; cut++) {
		run = (struct run){ .len = 0 };
		feed(&run, str_sub(c->in, 0, cut));
		feed(&run, str_sub(c->in, cut, c->in.len));
		check(&run, c, is_over);
	}
	run = (struct run){ .len = 0 };
	for (size_t i = 0; i < c->in.len; i++)
		feed(&run, str_sub(c->in, i, 1));
	check(&run, c, is_over);
}

static void what_is_proper_passes_however_it_is_divided(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good_cases); i++)
		check_all(&good_cases[i], good_cases[i].out.len < good_cases[i].in.len &&
						  !str_ends(good_cases[i].out, STR(NEXT)));
}

static void behind_what_is_not_nothing_passes_however_it_is_divided(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_cases); i++)
		check_all(&bad_cases[i], true);
}

/* Until it is over, or so many times. Returns what was taken, of what came behind start. */
static size_t repeat(const char *start, const char *more, size_t times)
{
	struct run run = { .len = 0 };
	size_t taken = 0;

	feed(&run, str_from(start));
	assert_false(wire_is_over(&run.wire));
	for (size_t i = 0; i < times; i++) {
		run.len = 0;
		feed(&run, str_from(more));
		if (wire_is_over(&run.wire))
			break;
		taken += strlen(more);
	}
	return taken;
}

static void what_is_taken_out_has_a_limit(void **state)
{
	(void)state;
	assert_int_equal(repeat(CHUNKED "1;", "a", 100000), WIRE_EXTENSION_MAX - 1);
	assert_int_equal(repeat(CHUNKED "0\r\n", "a", 100000), WIRE_TRAILERS_MAX);
	assert_int_equal(repeat(CHUNKED "0\r\n", "A: b\r\n", 100000), WIRE_TRAILERS_MAX / 6 * 6);
	/* Each chunk and each request begins anew. */
	assert_int_equal(repeat(CHUNKED, "1;aaaaaaaaaaaaa\r\na\r\n", 1000), 20000);
	assert_int_equal(repeat("", CHUNKED "0\r\nA: bbbbbb\r\n\r\n", 1000),
		1000 * strlen(CHUNKED "0\r\nA: bbbbbb\r\n\r\n"));
}

static void a_body_is_counted_to_its_last_byte(void **state)
{
	struct run run = { .len = 0 };
	const uint64_t size = (uint64_t)5 << 30;
	const size_t piece = (size_t)1 << 20;
	char *p = calloc(1, piece);

	(void)state;
	assert_non_null(p);
	feed(&run, STR(TOP "Content-Length: 5368709120\r\n\r\n"));
	for (uint64_t i = 0; i < size; i += piece)
		assert_int_equal(wire_pass(&run.wire, p, piece, piece), piece);
	assert_int_equal(run.wire.state, WIRE_LINE);
	run.len = 0;
	feed(&run, STR(CHUNKED "140000000\r\n"));
	for (uint64_t i = 0; i < size; i += piece)
		assert_int_equal(wire_pass(&run.wire, p, piece, piece), piece);
	feed(&run, STR("\r\n0\r\n\r\n"));
	assert_int_equal(run.wire.state, WIRE_LINE);
	assert_int_equal(wire_pass(&run.wire, p, 1, piece), strlen(NO_LINE));
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_proper_passes_however_it_is_divided),
		cmocka_unit_test(behind_what_is_not_nothing_passes_however_it_is_divided),
		cmocka_unit_test(what_is_taken_out_has_a_limit),
		cmocka_unit_test(a_body_is_counted_to_its_last_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
