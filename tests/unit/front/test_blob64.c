#include "../unit.h"
#include "base/codec.h"
#include "front/blob64.h"

struct collected {
	uint8_t *bytes;
	size_t len, calls, fail_at;
};

static bool collect(void *arg, const uint8_t *bytes, size_t len, struct err *err)
{
	struct collected *c = arg;
	if (++c->calls == c->fail_at)
		return err_set(err, ERR_STORAGE_FULL, "full");
	memcpy(c->bytes + c->len, bytes, len);
	c->len += len;
	return true;
}

static void text_of_any_length_decodes_to_what_was_encoded(void **state)
{
	static const size_t lengths[] = { 0, 1, 2, 3, 4, 12287, 12288, 12289, 12290, 24576, 24577,
		100000 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		size_t n = lengths[i];
		uint8_t *bytes = malloc(n + 1);
		char *text = malloc(BASE64_LEN(n) + 1);
		struct collected c = { .bytes = malloc(n + 1) };
		struct err err;
		assert_true(bytes != NULL && text != NULL && c.bytes != NULL);
		for (size_t k = 0; k < n; k++)
			bytes[k] = (uint8_t)(k * 7 + k / 251);
		base64_encode(bytes, n, text);
		struct str s = { text, BASE64_LEN(n) };
		assert_true(blob64_is_valid(s));
		assert_int_equal(blob64_len(s), n);
		ASSERT_DONE(blob64_each(s, collect, &c, &err));
		assert_int_equal(c.len, n);
		assert_memory_equal(c.bytes, bytes, n);
		free(bytes);
		free(text);
		free(c.bytes);
	}
}

static void padding_stands_only_at_the_very_end(void **state)
{
	/* Also where one piece ends and the next begins. */
	size_t len = 16 * KIB + 8;
	char *text = malloc(len);
	(void)state;
	assert_non_null(text);
	memset(text, 'A', len);
	assert_true(blob64_is_valid((struct str){ text, len }));
	for (size_t at = 3; at < len - 1; at += 4093) {
		text[at] = '=';
		assert_false(blob64_is_valid((struct str){ text, len }));
		text[at] = 'A';
	}
	text[16 * KIB - 1] = '=';
	assert_false(blob64_is_valid((struct str){ text, len }));
	text[16 * KIB - 1] = 'A';
	text[len - 1] = '=';
	assert_true(blob64_is_valid((struct str){ text, len }));
	assert_int_equal(blob64_len((struct str){ text, len }), len / 4 * 3 - 1);
	assert_false(blob64_is_valid((struct str){ text, len - 1 - 1 }));
	free(text);
}

static void a_failing_consumer_stops_the_walk(void **state)
{
	static char text[64 * KIB];
	static uint8_t bytes[64 * KIB];
	struct collected c = { .bytes = bytes, .fail_at = 2 };
	struct err err;
	(void)state;
	memset(text, 'A', sizeof(text));
	ASSERT_FAILS(ERR_STORAGE_FULL,
		blob64_each((struct str){ text, sizeof(text) }, collect, &c, &err));
	assert_int_equal(c.calls, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_any_length_decodes_to_what_was_encoded),
		cmocka_unit_test(padding_stands_only_at_the_very_end),
		cmocka_unit_test(a_failing_consumer_stops_the_walk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
