#include "../unit.h"
#include "base/codec.h"

static void hex_is_decoded_strictly(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool lower_only, ok;
	} table[] = {
		{ "00ff", true, true },
		{ "00FF", true, false },
		{ "00FF", false, true },
		{ "0aF1", false, true },
		{ "00f", true, false },
		{ "00ff0", true, false },
		{ "00ff00", true, false },
		{ "", true, false },
		{ "0 ff", false, false },
		{ "0x01", false, false },
		{ "-1ff", false, false },
		{ "/:@G", false, false },
		{ "`gff", false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint8_t out[2];
		if (hex_decode(str_from(table[i].text), table[i].lower_only, out, 2) != table[i].ok)
			fail_msg("\"%s\"", table[i].text);
	}
	uint8_t out[3];
	char text[6];
	assert_true(hex_decode(STR("00a9Ff"), false, out, 3));
	hex_encode(out, 3, text);
	assert_memory_equal(text, "00a9ff", 6);
	assert_true(hex_decode(STR(""), false, out, 0));
}

/* RFC 4648 section 10. */
static const struct {
	const char *plain, *base64, *url;
} vectors64[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", "+//+", "-__-" },
};

static void base64_follows_the_rfc_vectors(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors64); i++) {
		struct str plain = str_from(vectors64[i].plain);
		const uint8_t *bytes = (const uint8_t *)plain.ptr;
		char text[20];
		uint8_t back[20];
		size_t n = 99;
		base64_encode(bytes, plain.len, text);
		ASSERT_STR(((struct str){ text, BASE64_LEN(plain.len) }), vectors64[i].base64);
		base64url_encode(bytes, plain.len, text);
		ASSERT_STR(((struct str){ text, BASE64URL_LEN(plain.len) }), vectors64[i].url);
		assert_true(base64_decode(str_from(vectors64[i].base64), back, &n));
		ASSERT_STR(((struct str){ (char *)back, n }), vectors64[i].plain);
		n = 99;
		assert_true(base64url_decode(str_from(vectors64[i].url), back, plain.len, &n));
		ASSERT_STR(((struct str){ (char *)back, n }), vectors64[i].plain);
		if (plain.len > 0)
			assert_false(base64url_decode(
				str_from(vectors64[i].url), back, plain.len - 1, &n));
	}
}

static void malformed_base64_is_refused(void **state UNUSED)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "=",
		"==", "====", "Z===", "Zg==Zg==", "Zm9\n", "Zm9v\n", " Zm9", "Zm9-", "Zm9_",
		"Zh==", "Zm9=", "Z=g=", "Zg=v" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t out[20];
		size_t n;
		if (base64_decode(str_from(bad[i]), out, &n))
			fail_msg("\"%s\"", bad[i]);
	}
	static const char *const bad_url[] = { "Z", "Zg==", "Zm9v=", "Zm9+", "Zm9/", "Zm9vY", "Zh",
		"Zm9vYmF", " Zg" };
	for (size_t i = 0; i < ARRAY_LEN(bad_url); i++) {
		uint8_t out[20];
		size_t n;
		if (base64url_decode(str_from(bad_url[i]), out, sizeof(out), &n))
			fail_msg("\"%s\"", bad_url[i]);
	}
}

static void all_bytes_survive_base64(void **state UNUSED)
{
	uint8_t in[256];
	uint8_t back[260];
	char text[BASE64_LEN(256)];
	size_t n;
	for (size_t i = 0; i < 256; i++)
		in[i] = (uint8_t)(i * 167);
	for (size_t len = 250; len <= 256; len++) {
		base64_encode(in, len, text);
		assert_true(base64_decode((struct str){ text, BASE64_LEN(len) }, back, &n));
		assert_int_equal(n, len);
		assert_memory_equal(in, back, len);
		base64url_encode(in, len, text);
		assert_true(
			base64url_decode((struct str){ text, BASE64URL_LEN(len) }, back, len, &n));
		assert_int_equal(n, len);
		assert_memory_equal(in, back, len);
	}
}

static void percent_encoding_keeps_only_the_unreserved(void **state UNUSED)
{
	static const struct {
		const char *plain, *encoded;
		bool keep_slash;
	} table[] = {
		{ "", "", false },
		{ "AZaz09-._~", "AZaz09-._~", false },
		{ "a/b", "a%2Fb", false },
		{ "a/b", "a/b", true },
		{ "a b+c", "a%20b%2Bc", true },
		{ "\xc3\xa4=&%", "%C3%A4%3D%26%25", false },
		{ "*'()!", "%2A%27%28%29%21", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct buf out CLEANUP(buf_fini);
		char back[64];
		size_t n;
		buf_init(&out, 1000);
		percent_encode(&out, str_from(table[i].plain), table[i].keep_slash);
		ASSERT_STR(buf_str(&out), table[i].encoded);
		assert_true(percent_decode(buf_str(&out), false, back, &n));
		ASSERT_STR(((struct str){ back, n }), table[i].plain);
	}
}

static void malformed_escapes_are_refused(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool plus_is_space;
		const char *decoded; /* NULL: refused */
	} table[] = {
		{ "a%2fb", false, "a/b" },
		{ "a%2Fb", false, "a/b" },
		{ "a+b", false, "a+b" },
		{ "a+b", true, "a b" },
		{ "a%2Bb", true, "a+b" },
		{ "%25%32%35", false, "%25" },
		{ "%", false, NULL },
		{ "a%2", false, NULL },
		{ "a%", false, NULL },
		{ "%zz", false, NULL },
		{ "%+1", false, NULL },
		{ "%-1", false, NULL },
		{ "% 1", false, NULL },
		{ "a%00b", false, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char out[32];
		size_t n = 0;
		bool ok = percent_decode(str_from(table[i].text), table[i].plus_is_space, out, &n);
		if (ok != (table[i].decoded != NULL))
			fail_msg("\"%s\"", table[i].text);
		if (ok)
			ASSERT_STR(((struct str){ out, n }), table[i].decoded);
	}
	char out[8];
	size_t n;
	assert_false(percent_decode(STR("a\0b"), false, out, &n));
}

static void uuids_are_read_and_written(void **state UNUSED)
{
	uint8_t uuid[16];
	char text[UUID_TEXT_LEN + 1];
	assert_true(uuid_parse(STR("01234567-89aB-cDeF-0123-456789abcdef"), uuid));
	assert_int_equal(uuid[0], 0x01);
	assert_int_equal(uuid[15], 0xef);
	uuid_text(uuid, text);
	assert_string_equal(text, "01234567-89ab-cdef-0123-456789abcdef");
	static const char *const bad[] = { "", "0123456789abcdef0123456789abcdef",
		"01234567-89ab-cdef-0123-456789abcde", "01234567-89ab-cdef-0123-456789abcdefa",
		"0123456789-ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdeg",
		"01234567_89ab-cdef-0123-456789abcdef", "{1234567-89ab-cdef-0123-456789abcde}",
		"01234567-89ab-cdef-0123-45678-abcdef" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (uuid_parse(str_from(bad[i]), uuid))
			fail_msg("\"%s\"", bad[i]);
	}
}

static void dates_agree_in_all_forms(void **state UNUSED)
{
	static const struct {
		int64_t unix_s;
		const char *http, *iso, *amz;
	} table[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00.000Z",
			"19700101T000000Z" },
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000Z",
			"19941106T084937Z" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00.000Z",
			"20000229T000000Z" },
		{ 1709251199, "Thu, 29 Feb 2024 23:59:59 GMT", "2024-02-29T23:59:59.000Z",
			"20240229T235959Z" },
		{ 1709251200, "Fri, 01 Mar 2024 00:00:00 GMT", "2024-03-01T00:00:00.000Z",
			"20240301T000000Z" },
		{ 1735689599, "Tue, 31 Dec 2024 23:59:59 GMT", "2024-12-31T23:59:59.000Z",
			"20241231T235959Z" },
		{ 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT", "2100-03-01T00:00:00.000Z",
			"21000301T000000Z" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 GMT", "1969-12-31T23:59:59.000Z",
			"19691231T235959Z" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59.000Z",
			"99991231T235959Z" },
		{ -62167219200, "Sat, 01 Jan 0000 00:00:00 GMT", "0000-01-01T00:00:00.000Z",
			"00000101T000000Z" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char text[ISO8601_MAX];
		int64_t back = 4711;
		http_date(table[i].unix_s, text);
		assert_string_equal(text, table[i].http);
		assert_true(http_date_parse(str_from(text), &back));
		assert_int_equal(back, table[i].unix_s);
		iso8601(table[i].unix_s * 1000, text);
		assert_string_equal(text, table[i].iso);
		assert_true(amz_date_parse(str_from(table[i].amz), &back));
		assert_int_equal(back, table[i].unix_s);
	}
}

static void every_day_of_eight_centuries_is_the_one_after_the_day_before(void **state UNUSED)
{
	char text[HTTP_DATE_MAX];
	for (int64_t day = -146097; day < 146097; day++) {
		int64_t back;
		http_date(day * 86400 + 12345, text);
		assert_true(http_date_parse(str_from(text), &back));
		if (back != day * 86400 + 12345)
			fail_msg("%s", text);
	}
}

static void milliseconds_and_extreme_times_are_written(void **state UNUSED)
{
	char text[ISO8601_MAX];
	iso8601(1795489200123, text);
	assert_string_equal(text, "2026-11-24T03:00:00.123Z");
	iso8601(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999Z");
	iso8601(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.807Z");
	iso8601(INT64_MIN, text);
	assert_memory_equal(text, "0000-01-01T00:00:00.", 20);
	http_date(INT64_MIN, text);
	assert_string_equal(text, "Sat, 01 Jan 0000 00:00:00 GMT");
}

static void malformed_dates_are_refused(void **state UNUSED)
{
	static const char *const bad_amz[] = { "", "20261124", "20261124T030000",
		"20261124T030000z", "20261124t030000Z", "20261324T030000Z", "20260024T030000Z",
		"20260230T030000Z", "20250229T000000Z", "20261100T030000Z", "20261124T240000Z",
		"20261124T036000Z", "20261124T030061Z", "2026-1-24T0300Z", "+0261124T030000Z",
		"20261124T0300 0Z", "20261124T030000ZZ" };
	for (size_t i = 0; i < ARRAY_LEN(bad_amz); i++) {
		int64_t s;
		if (amz_date_parse(str_from(bad_amz[i]), &s))
			fail_msg("\"%s\"", bad_amz[i]);
	}
	static const char *const bad_http[] = { "", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 nov 1994 08:49:37 GMT", "Sxn, 06 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08.49.37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun,  6 Nov 1994 08:49:37 GMT" };
	for (size_t i = 0; i < ARRAY_LEN(bad_http); i++) {
		int64_t s;
		if (http_date_parse(str_from(bad_http[i]), &s))
			fail_msg("\"%s\"", bad_http[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_is_decoded_strictly),
		cmocka_unit_test(base64_follows_the_rfc_vectors),
		cmocka_unit_test(malformed_base64_is_refused),
		cmocka_unit_test(all_bytes_survive_base64),
		cmocka_unit_test(percent_encoding_keeps_only_the_unreserved),
		cmocka_unit_test(malformed_escapes_are_refused),
		cmocka_unit_test(uuids_are_read_and_written),
		cmocka_unit_test(dates_agree_in_all_forms),
		cmocka_unit_test(every_day_of_eight_centuries_is_the_one_after_the_day_before),
		cmocka_unit_test(milliseconds_and_extreme_times_are_written),
		cmocka_unit_test(malformed_dates_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
