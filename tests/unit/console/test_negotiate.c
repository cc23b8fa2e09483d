/* Which encodings a client takes, by its Accept-Encoding (RFC 9110 12.5.3). */
#include "../unit.h"
#include "console/assets.h"
#include "console/console_priv.h"

static void a_coding_is_allowed_when_it_is_named_and_not_refused(void **state)
{
	static const struct {
		const char *accept;
		bool gzip, brotli;
	} rows[] = {
		{ "", false, false },
		{ "gzip", true, false },
		{ "x-gzip", true, false },
		{ "br", false, true },
		{ "gzip, deflate, br, zstd", true, true },
		{ "GZIP , BR", true, true },
		{ "gzip;q=0", false, false },
		{ "gzip;q=0.000, br;q=0.001", false, true },
		{ "gzip; q=0 , br ; Q=1", false, true },
		{ "identity", false, false },
		{ "*", true, true },
		{ "*;q=0", false, false },
		{ "*, gzip;q=0", false, true },
		{ "gzip;q=0, *", false, true },
		{ "br;level=11;q=0", false, false },
		{ "gzipped, bro", false, false },
		{ ",,;;, ;q=0", false, false },
		{ "gzip;q=", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct console_codings c = console_codings_of(str_from(rows[i].accept));
		if (c.gzip != rows[i].gzip || c.brotli != rows[i].brotli)
			fail_msg("'%s': gzip %d, br %d", rows[i].accept, c.gzip, c.brotli);
	}
}

static void the_table_of_files_is_in_order_and_complete(void **state)
{
	bool has_page = false;
	(void)state;
	for (size_t i = 0; i < console_asset_count; i++) {
		const struct console_asset *a = &console_assets[i];
		assert_true(i == 0 || strcmp(console_assets[i - 1].path, a->path) < 0);
		assert_true(a->plain.end > a->plain.bytes);
		assert_true(strlen(a->hash) >= 16 && strlen(a->type) > 0);
		if (a->gzip.bytes)
			assert_true(a->gzip.end - a->gzip.bytes < a->plain.end - a->plain.bytes);
		if (a->brotli.bytes)
			assert_true(
				a->brotli.end - a->brotli.bytes < a->plain.end - a->plain.bytes);
		if (strcmp(a->path, "index.html") == 0) {
			has_page = true;
			assert_false(a->is_immutable);
		}
	}
	assert_true(has_page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_coding_is_allowed_when_it_is_named_and_not_refused),
		cmocka_unit_test(the_table_of_files_is_in_order_and_complete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
