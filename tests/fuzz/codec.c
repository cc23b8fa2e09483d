/* The first byte chooses a decoder; what it accepts must encode to the same text again (or, where
 * several forms are allowed, to one that decodes to the same value). */
#include "base/codec.h"

#include "base/mem.h"
#include "fuzz.h"

static void hex(struct str s, uint8_t *out, char *text)
{
	if (!hex_decode(s, true, out, s.len / 2))
		return;
	hex_encode(out, s.len / 2, text);
	CHECK(memcmp(text, s.ptr, s.len) == 0);
}

static void base64(struct str s, uint8_t *out, char *text)
{
	size_t n;
	if (!base64_decode(s, out, &n))
		return;
	CHECK(BASE64_LEN(n) == s.len);
	base64_encode(out, n, text);
	CHECK(s.len == 0 || memcmp(text, s.ptr, s.len) == 0);
}

static void base64url(struct str s, uint8_t *out, char *text)
{
	size_t n;
	if (!base64url_decode(s, out, s.len, &n))
		return;
	CHECK(BASE64URL_LEN(n) == s.len);
	base64url_encode(out, n, text);
	CHECK(s.len == 0 || memcmp(text, s.ptr, s.len) == 0);
}

static void percent(struct str s, char *out, char *text)
{
	struct buf encoded CLEANUP(buf_fini);
	size_t n;
	size_t back;
	buf_init(&encoded, 4 * MIB);
	/* Anything can be encoded and comes back, unless it holds a NUL. */
	percent_encode(&encoded, s, false);
	CHECK(buf_ok(&encoded));
	char *decoded CLEANUP(freep) = xmalloc(encoded.len);
	bool ok = percent_decode(buf_str(&encoded), true, decoded, &n);
	CHECK(ok == (str_find_char(s, '\0') == s.len));
	CHECK(!ok || str_eq((struct str){ decoded, n }, s));
	if (!percent_decode(s, false, out, &n))
		return;
	CHECK(n <= s.len);
	buf_reset(&encoded);
	percent_encode(&encoded, (struct str){ out, n }, true);
	/* Three characters for one: three times the room. */
	CHECK(percent_decode(buf_str(&encoded), false, text, &back));
	CHECK(back == n && (n == 0 || memcmp(text, out, n) == 0));
}

static void uuid(struct str s)
{
	uint8_t id[16];
	char text[UUID_TEXT_LEN + 1];
	if (!uuid_parse(s, id))
		return;
	uuid_text(id, text);
	CHECK(str_eq_nocase(s, str_from(text)));
}

static void dates(struct str s)
{
	char text[ISO8601_MAX];
	int64_t at;
	int64_t back;
	if (http_date_parse(s, &at)) {
		http_date(at, text);
		CHECK(http_date_parse(str_from(text), &back));
		/* A leap second at the end of the year 9999 is the one thing that cannot come back.
		 */
		CHECK(back == at || at == INT64_C(253402300800));
	}
	if (amz_date_parse(s, &at)) {
		iso8601(at * 1000, text);
		CHECK(strlen(text) == 24);
	}
	if (s.len >= sizeof(at)) {
		memcpy(&at, s.ptr, sizeof(at));
		iso8601(at, text);
		http_date(at, text);
		CHECK(http_date_parse(str_from(text), &back));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct str s = { (const char *)data + 1, size - 1 };
	char *text CLEANUP(freep) = xmalloc(3 * size);
	char *out CLEANUP(freep) = xmalloc(size);
	switch (data[0]) {
	case 'h':
		hex(s, (uint8_t *)out, text);
		break;
	case 'b':
		base64(s, (uint8_t *)out, text);
		break;
	case 'u':
		base64url(s, (uint8_t *)out, text);
		break;
	case '%':
		percent(s, out, text);
		break;
	case 'i':
		uuid(s);
		break;
	default:
		dates(s);
	}
	return 0;
}
