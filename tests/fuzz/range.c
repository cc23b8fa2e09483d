/*
 * The first byte chooses. Range: the next byte says how large the object is, the rest is the
 * header; what is served is what a reader of RFC 9110 14.1.2 without any cleverness takes it for,
 * and the Content-Range of each part reads back. Lists of entity tags and If-Range: a tag is found
 * exactly where it stands. Content-Range of a chunk and page sizes: what is taken renders to the
 * same.
 */
#include "http/range.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "fuzz.h"
#include "oci/oci_wire.h"

/* --- the reader without cleverness: which bytes of at most 64, one bit each --- */

enum { NAIVE_BAD, NAIVE_NOTHING, NAIVE_SOME };

/* Digits as a number, where 1,000 stands for all that is larger: objects here are smaller. */
static unsigned naive_number(struct str s)
{
	unsigned n = 0;
	for (size_t i = 0; i < s.len; i++) {
		n = n * 10 + (unsigned)(s.ptr[i] - '0');
		n = n > 1000 ? 1000 : n;
	}
	return n;
}

static bool naive_is_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	}
	return true;
}

static int naive_spec(struct str spec, unsigned size, uint64_t *bits)
{
	size_t dash = str_find_char(spec, '-');
	struct str first = str_sub(spec, 0, dash);
	struct str last = str_sub(spec, dash + 1, spec.len);
	if (dash == spec.len || !naive_is_digits(first) || !naive_is_digits(last) ||
		(first.len == 0 && last.len == 0))
		return NAIVE_BAD;
	*bits = 0;
	for (unsigned at = 0; at < size; at++) {
		bool is_in = first.len == 0 ? at + naive_number(last) >= size
					    : at >= naive_number(first) &&
						      (last.len == 0 || at <= naive_number(last));
		*bits |= (uint64_t)is_in << at;
	}
	return *bits == 0 ? NAIVE_NOTHING : NAIVE_SOME;
}

/* Numbers beyond 1,000 are one to it, so an order of those cannot be told; they are past the end.
 */
static enum range_result naive_parse(struct str header, unsigned size, uint64_t *bits)
{
	size_t equals = str_find_char(header, '=');
	unsigned listed = 0;
	bool is_tidy = true;
	*bits = 0;
	if (equals == header.len ||
		!str_eq_nocase(str_trim(str_sub(header, 0, equals)), STR("bytes")))
		return RANGE_WHOLE;
	for (size_t at = equals + 1; at < header.len;) {
		struct str rest = str_sub(header, at, header.len);
		struct str spec = str_trim(str_sub(rest, 0, str_find_char(rest, ',')));
		uint64_t more = 0;
		at += str_find_char(rest, ',') + 1;
		if (spec.len == 0)
			continue;
		listed++;
		switch (naive_spec(spec, size, &more)) {
		case NAIVE_BAD:
			return RANGE_WHOLE;
		case NAIVE_SOME:
			/* All of what was asked before lies before it. */
			if (*bits != 0 && 63 - __builtin_clzll(*bits) >= __builtin_ctzll(more))
				is_tidy = false;
			*bits |= more;
			break;
		default:
			break;
		}
	}
	if (listed == 0 || listed > RANGE_MAX || !is_tidy)
		return RANGE_WHOLE;
	return *bits == 0 ? RANGE_UNSATISFIABLE : RANGE_PARTIAL;
}

/* --- what is checked --- */

static void check_parts(const struct range *ranges, size_t count, uint64_t size)
{
	char text[96];
	uint64_t first;
	uint64_t last;
	CHECK(count > 0 && count <= RANGE_MAX);
	for (size_t i = 0; i < count; i++) {
		CHECK(ranges[i].first <= ranges[i].last && ranges[i].last < size);
		CHECK(i == 0 || ranges[i].first > ranges[i - 1].last);
		/* As http_reply_object writes it. */
		(void)snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
			ranges[i].first, ranges[i].last, size);
		if (size > INT64_MAX) /* a chunk is of something smaller */
			continue;
		CHECK(oci_chunk_range_parse(str_from(text), &first, &last));
		CHECK(first == ranges[i].first && last == ranges[i].last);
	}
}

/* The ranges again, as a client would ask for exactly them. */
static void check_again(const struct range *ranges, size_t count, uint64_t size)
{
	struct range again[RANGE_MAX];
	size_t again_count = 0;
	struct buf header CLEANUP(buf_fini);
	buf_init(&header, 4 * KIB);
	for (size_t i = 0; i < count; i++)
		buf_addf(&header, "%s%" PRIu64 "-%" PRIu64, i == 0 ? "bytes=" : " ,\t",
			ranges[i].first, ranges[i].last);
	CHECK(buf_ok(&header));
	CHECK(range_parse(buf_str(&header), size, again, &again_count) == RANGE_PARTIAL);
	CHECK(again_count == count && memcmp(again, ranges, count * sizeof(*ranges)) == 0);
}

static void one_range(struct str header, uint64_t size)
{
	struct range ranges[RANGE_MAX];
	size_t count = 0;
	uint64_t wanted;
	uint64_t got = 0;
	enum range_result result = range_parse(header, size, ranges, &count);
	CHECK(result == RANGE_PARTIAL || count == 0);
	if (result == RANGE_PARTIAL) {
		check_parts(ranges, count, size);
		check_again(ranges, count, size);
	}
	if (size > 64)
		return;
	for (size_t i = 0; i < count; i++)
		for (uint64_t at = ranges[i].first; at <= ranges[i].last; at++)
			got |= (uint64_t)1 << at;
	CHECK(naive_parse(header, (unsigned)size, &wanted) == result);
	CHECK(result != RANGE_PARTIAL || got == wanted);
}

static void etags(struct str s)
{
	struct buf list CLEANUP(buf_fini);
	bool is_there = range_etag_listed(s, STR("t"), true);
	CHECK(!is_there || range_etag_listed(s, STR("t"), false)); /* strong implies weak */
	CHECK(!is_there || str_eq(str_trim(s), STR("*")) || str_find_char(s, '"') < s.len);
	/* Alone it is what a range may hang on; with anything else it is not. */
	CHECK(!range_if_range(s, STR("t")) || str_eq(str_trim(s), STR("\"t\"")) ||
		(is_there && str_find_char(s, '*') == s.len));
	/* Another tag in front hides nothing and adds nothing. */
	buf_init(&list, 2 * MIB);
	buf_add_c(&list, "\"other\", ");
	buf_add_str(&list, str_trim(s));
	CHECK(buf_ok(&list));
	if (!str_eq(str_trim(s), STR("*")))
		CHECK(range_etag_listed(buf_str(&list), STR("t"), true) == is_there);
}

static void page_size(struct str s)
{
	unsigned n = 0;
	if (!oci_page_size_parse(s, 1000, &n))
		return;
	CHECK(n <= 1000 && s.len > 0 && naive_is_digits(s));
	CHECK(n == naive_number(s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 64 * KIB)
		return 0;
	struct str s = { (const char *)data + 2, size - 2 };
	uint64_t n = data[1];
	switch (data[0] % 4) {
	case 0:
		/* Up to 64 bytes, or any number of 64 bits. */
		one_range(s, n < 65 ? n : UINT64_MAX >> (n % 64));
		break;
	case 1:
		one_range(s, n % 65);
		break;
	case 2:
		etags(s);
		break;
	default:
		page_size(s);
		break;
	}
	return 0;
}
