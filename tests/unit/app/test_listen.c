#include "../unit.h"
#include "app/listen.h"

static void addresses_are_judged_before_anything_is_opened(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool has_certificate;
		const char *address; /* NULL: refused */
		bool tls, is_loopback;
	} table[] = {
		{ "127.0.0.1:5000", false, "127.0.0.1:5000", false, true },
		{ "127.9.8.7:1", false, "127.9.8.7:1", false, true },
		{ "localhost:80", false, "127.0.0.1:80", false, true },
		{ "[::1]:5000", false, "[::1]:5000", false, true },
		{ "[::ffff:127.0.0.1]:5", false, "[::ffff:127.0.0.1]:5", false, true },
		{ "[::ffff:10.0.0.1]:5", false, "[::ffff:10.0.0.1]:5", false, false },
		{ "0.0.0.0:5000", false, "0.0.0.0:5000", false, false },
		{ "[::]:5000", false, "[::]:5000", false, false },
		{ ":5000", false, ":5000", false, false },
		{ "10.1.2.3:0", false, "10.1.2.3:0", false, false },
		{ "127.0.0.1:5000", true, "127.0.0.1:5000", true, true },
		{ "http://127.0.0.1:5000", true, "127.0.0.1:5000", false, true },
		{ "https://0.0.0.0:443", true, "0.0.0.0:443", true, false },
		{ "https://0.0.0.0:443", false, NULL, false, false },
		{ "127.0.0.1", false, NULL, false, false },
		{ "127.0.0.1:", false, NULL, false, false },
		{ "127.0.0.1:65536", false, NULL, false, false },
		{ "127.0.0.1:-1", false, NULL, false, false },
		{ "127.0.0.1:5000/", false, NULL, false, false },
		{ "::1:5000", false, NULL, false, false },
		{ "[::1]", false, NULL, false, false },
		{ "[::1:5000", false, NULL, false, false },
		{ "[127.0.0.1]:5000", false, NULL, false, false },
		{ "example.com:5000", false, NULL, false, false },
		{ "127.1:5000", false, NULL, false, false },
		{ "0x7f.0.0.1:5000", false, NULL, false, false },
		{ "127.0.0.1.example.com:5000", false, NULL, false, false },
		{ "", false, NULL, false, false },
		{ "5000", false, NULL, false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct listen l = { .address = "" };
		struct err err;
		bool ok = listen_parse(str_from(table[i].text), table[i].has_certificate, &l, &err);
		if (ok != (table[i].address != NULL))
			fail_msg("\"%s\": %d", table[i].text, ok);
		if (!ok)
			continue;
		assert_string_equal(l.address, table[i].address);
		assert_int_equal(l.tls, table[i].tls);
		assert_int_equal(l.is_loopback, table[i].is_loopback);
	}
}

static char *items[] = { NULL, NULL };

static bool judge(const char *first, const char *second, struct config c, struct err *err)
{
	struct listen listen[LISTEN_MAX];
	size_t count = 99;
	char one[64], two[64];
	(void)str_to_c(str_from(first), one, sizeof(one));
	(void)str_to_c(str_from(second), two, sizeof(two));
	items[0] = one;
	items[1] = two;
	c.listen = (struct config_list){ items, second == NULL ? 1 : 2 };
	bool ok = listen_all(&c, listen, &count, err);
	assert_int_equal(count, ok ? c.listen.count : 99);
	return ok;
}

static void plain_http_beyond_loopback_must_be_asked_for(void **state UNUSED)
{
	char cert[] = "cert";
	struct err err;
	assert_true(judge("127.0.0.1:1", "[::1]:1", (struct config){ 0 }, &err));
	assert_false(judge("127.0.0.1:1", "0.0.0.0:5000", (struct config){ 0 }, &err));
	assert_string_equal(err.msg,
		"--listen 0.0.0.0:5000: plain HTTP is only served on loopback addresses; give "
		"--tls-cert and --tls-key, or --allow-plain-http");
	assert_true(judge("0.0.0.0:1", NULL, (struct config){ .allow_plain_http = true }, &err));
	assert_true(judge("0.0.0.0:1", NULL, (struct config){ .tls_cert = cert }, &err));
	assert_false(judge("http://0.0.0.0:1", NULL, (struct config){ .tls_cert = cert }, &err));
}

static void no_auth_never_leaves_loopback(void **state UNUSED)
{
	char cert[] = "cert";
	struct config c = { .no_auth = true, .allow_plain_http = true, .tls_cert = cert };
	struct err err;
	assert_true(judge("127.0.0.1:1", "[::1]:1", c, &err));
	assert_false(judge("127.0.0.1:1", ":2", c, &err));
	assert_string_equal(err.msg,
		"--listen :2: --no-auth is only for loopback addresses, since every caller may do "
		"everything");
}

static void clients_are_told_an_address_that_they_can_reach(void **state UNUSED)
{
	static const struct {
		struct listen listen;
		const char *url;
	} table[] = {
		{ { .address = "127.0.0.1:0" }, "http://127.0.0.1:9" },
		{ { .address = "0.0.0.0:5000", .tls = true }, "https://127.0.0.1:9" },
		{ { .address = ":5000" }, "http://127.0.0.1:9" },
		{ { .address = "[::]:5000" }, "http://[::1]:9" },
		{ { .address = "[fd00::1]:5000" }, "http://[fd00::1]:9" },
	};

	char url[LISTEN_URL_MAX];
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_string_equal(listen_url(&table[i].listen, 9, url), table[i].url);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_judged_before_anything_is_opened),
		cmocka_unit_test(plain_http_beyond_loopback_must_be_asked_for),
		cmocka_unit_test(no_auth_never_leaves_loopback),
		cmocka_unit_test(clients_are_told_an_address_that_they_can_reach),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
