#include "../unit.h"
#include "base/json.h"
#include "base/thread.h"

/* compact: how it renders; NULL when the text is to be refused. */
static const struct {
	const char *text, *compact;
} texts[] = {
	{ "{}", "{}" },
	{ " [ 1 , -2.5 , \"a\" , true , false , null ] ", "[1,-2.5,\"a\",true,false,null]" },
	{ "\"x\"", "\"x\"" },
	{ "7", "7" },
	{ "null", "null" },
	{ "{\"b\":1,\"a\":{\"c\":[]}}", "{\"b\":1,\"a\":{\"c\":[]}}" },
	{ "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}" }, /* the last one counts */
	{ "\"\\u00e4\\ud83d\\ude00\"", "\"\xc3\xa4\xf0\x9f\x98\x80\"" },
	{ "\"a\\u0000b\"", "\"a\\u0000b\"" },
	{ "9223372036854775807", "9223372036854775807" },
	{ "", NULL },
	{ " ", NULL },
	{ "{", NULL },
	{ "[1,]", NULL },
	{ "{\"a\":1,}", NULL },
	{ "{a:1}", NULL },
	{ "{'a':1}", NULL },
	{ "[1] x", NULL },
	{ "[01]", NULL },
	{ "[+1]", NULL },
	{ "[.5]", NULL },
	{ "[NaN]", NULL },
	{ "[Infinity]", NULL },
	{ "[1e999]", NULL },
	{ "[9223372036854775808]", NULL },
	{ "[\"a\nb\"]", NULL },
	{ "[\"\\x\"]", NULL },
	{ "[\"\\ud800\"]", NULL },
	{ "[\"\\udc00\"]", NULL },
	{ "[\"\xff\"]", NULL },
	{ "[\"\xc0\x80\"]", NULL },
	{ "[\"\xed\xa0\x80\"]", NULL },
	{ "\"", NULL },
	{ "\"\\", NULL },
	{ "// comment\n1", NULL },
	{ "\xef\xbb\xbf{}", NULL },
	{ "{\"a\\u0000\":1}", NULL },
	{ "]", NULL },
	{ "[}", NULL },
	{ "tru", NULL },
	{ "TRUE", NULL },
};

static void only_strict_json_is_read_and_renders_compactly(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct json *root CLEANUP(json_freep) = NULL;
		struct err err;
		bool ok = json_parse(str_from(texts[i].text), &root, &err);
		if (ok != (texts[i].compact != NULL))
			fail_msg("\"%s\"", texts[i].text);
		if (!ok) {
			assert_int_equal(err.kind, ERR_INVALID);
			assert_string_equal(err.msg, "Invalid JSON syntax");
			assert_null(root);
			continue;
		}
		struct buf out CLEANUP(buf_fini);
		buf_init(&out, 1000);
		json_render(root, &out);
		ASSERT_STR(buf_str(&out), texts[i].compact);
	}
}

static void an_embedded_nul_ends_no_text(void **state UNUSED)
{
	struct json *root;
	struct err err;
	ASSERT_FAILS(ERR_INVALID, json_parse(STR("{}\0{}"), &root, &err));
	ASSERT_FAILS(ERR_INVALID, json_parse((struct str){ NULL, 0 }, &root, &err));
	/* The text needs no NUL behind it either. */
	ASSERT_DONE(json_parse((struct str){ "[1]]]", 3 }, &root, &err));
	json_free(root);
}

static void values_of_the_wrong_type_read_as_absent(void **state UNUSED)
{
	struct json *root CLEANUP(json_freep) = NULL;
	struct err err;
	ASSERT_DONE(json_parse(
		STR("{\"s\":\"x\\u0000y\",\"i\":5,\"r\":2.5,\"t\":true,\"n\":null,\"a\":[7,\"z\"],\"o\":{\"k\":1}}"),
		&root, &err));
	struct str s = json_get_str(root, "s");
	assert_int_equal(s.len, 3);
	assert_memory_equal(s.ptr, "x\0y", 3);
	assert_null(json_get_str(root, "i").ptr);
	assert_null(json_get_str(root, "missing").ptr);
	assert_int_equal(json_int(json_get(root, "i"), -1), 5);
	assert_int_equal(json_int(json_get(root, "s"), -1), -1);
	assert_int_equal(json_int(json_get(root, "r"), -1), -1);
	assert_int_equal(json_int(NULL, -1), -1);
	assert_true(json_number(json_get(root, "r"), 0) == 2.5);
	assert_true(json_number(json_get(root, "i"), 0) == 5.0);
	assert_true(json_number(json_get(root, "s"), 1.5) == 1.5);
	assert_true(json_bool(json_get(root, "t"), false));
	assert_true(json_bool(json_get(root, "i"), true));
	assert_int_equal(json_type(json_get(root, "n")), JSON_NULL);
	assert_int_equal(json_type(NULL), JSON_NULL);
	assert_int_equal(json_type(json_get(root, "r")), JSON_REAL);
	assert_int_equal(json_type(root), JSON_OBJECT);
	const struct json *a = json_get(root, "a");
	assert_int_equal(json_type(a), JSON_ARRAY);
	assert_int_equal(json_len(a), 2);
	assert_int_equal(json_len(root), 7);
	assert_int_equal(json_len(json_get(root, "s")), 0);
	assert_int_equal(json_len(NULL), 0);
	ASSERT_STR(json_str(json_at(a, 1)), "z");
	assert_null(json_at(a, 2));
	assert_null(json_at(root, 0));
	assert_null(json_get(a, "k"));
	assert_null(json_get(NULL, "k"));
}

struct seen {
	char names[64];
	size_t stop_after;
	size_t count;
};

static bool see(void *arg, struct str name, const struct json *value)
{
	struct seen *seen = arg;
	assert_int_equal(json_type(value), JSON_INT);
	strncat(seen->names, name.ptr, name.len);
	return ++seen->count < seen->stop_after;
}

static void members_are_visited_in_the_order_of_the_text(void **state UNUSED)
{
	struct json *root CLEANUP(json_freep) = NULL;
	struct err err;
	struct seen all = { .stop_after = 100 };
	struct seen some = { .stop_after = 2 };
	ASSERT_DONE(json_parse(STR("{\"z\":1,\"a\":2,\"m\":3,\"b\":4}"), &root, &err));
	assert_true(json_each(root, see, &all));
	assert_string_equal(all.names, "zamb");
	assert_false(json_each(root, see, &some));
	assert_string_equal(some.names, "za");
	assert_true(json_each(json_get(root, "z"), see, &all));
	assert_true(json_each(NULL, see, &all));
	assert_int_equal(all.count, 4);
}

static void nest(struct buf *out, const char *open, const char *close, size_t times)
{
	buf_reset(out);
	for (size_t i = 0; i < times; i++)
		buf_add_c(out, open);
	buf_add_c(out, "1");
	for (size_t i = 0; i < times; i++)
		buf_add_c(out, close);
}

/* On the smallest stack that Berth's threads have. */
static void parse_deep(void *arg UNUSED)
{
	static const struct {
		const char *open, *close;
		size_t levels;
	} kinds[] = { { "[", "]", 1 }, { "{\"a\":", "}", 1 }, { "[{\"a\":", "}]", 2 } };
	struct buf text CLEANUP(buf_fini);
	buf_init(&text, MIB);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct json *root CLEANUP(json_freep) = NULL;
		struct json *none;
		struct buf out CLEANUP(buf_fini);
		struct err err;
		size_t most = JSON_DEPTH_MAX / kinds[i].levels;
		nest(&text, kinds[i].open, kinds[i].close, most);
		ASSERT_DONE(json_parse(buf_str(&text), &root, &err));
		buf_init(&out, MIB);
		json_render(root, &out);
		assert_true(str_eq(buf_str(&out), buf_str(&text)));
		nest(&text, kinds[i].open, kinds[i].close, most + 1);
		ASSERT_FAILS(ERR_INVALID, json_parse(buf_str(&text), &none, &err));
		nest(&text, kinds[i].open, "", 50000);
		ASSERT_FAILS(ERR_INVALID, json_parse(buf_str(&text), &none, &err));
	}
}

static void nesting_is_limited_to_what_a_thread_can_hold(void **state UNUSED)
{
	struct thread *t;
	struct err err;
	parse_deep(NULL); /* a failure is told here; in the other thread it could only be a crash */
	ASSERT_DONE(thread_start("deep", parse_deep, NULL, 0, &t, &err));
	thread_join(t);
}

static void brackets_in_strings_do_not_count_as_nesting(void **state UNUSED)
{
	struct buf text CLEANUP(buf_fini);
	struct json *root;
	struct err err;
	buf_init(&text, MIB);
	buf_add_c(&text, "[\"\\\"");
	for (size_t i = 0; i < (size_t)JSON_DEPTH_MAX * 2; i++)
		buf_add_c(&text, "[{");
	buf_add_c(&text, "\\\\\",[]]");
	ASSERT_DONE(json_parse(buf_str(&text), &root, &err));
	assert_int_equal(json_len(root), 2);
	json_free(root);
}

static void values_are_limited_to_what_memory_can_hold(void **state UNUSED)
{
	static const char *const kinds[] = { "0,", "{},", "[],", "{\"a\":0}," };
	static const size_t weights[] = { 1, 2, 2, 2 };
	struct buf text CLEANUP(buf_fini);
	buf_init(&text, MIB);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct json *root CLEANUP(json_freep) = NULL;
		struct json *none;
		struct err err;
		size_t most = (JSON_VALUES_MAX - 2) / weights[i];
		buf_reset(&text);
		buf_add_c(&text, "[");
		for (size_t n = 0; n < most; n++)
			buf_add_c(&text, kinds[i]);
		buf_add_c(&text, "0]");
		ASSERT_DONE(json_parse(buf_str(&text), &root, &err));
		assert_int_equal(json_len(root), most + 1);
		text.len--;
		buf_add_c(&text, ",0,0,\",,,[[[\"]");
		ASSERT_FAILS(ERR_INVALID, json_parse(buf_str(&text), &none, &err));
	}
}

static void the_writer_puts_commas_and_names(void **state UNUSED)
{
	struct buf b CLEANUP(buf_fini);
	struct json_out o;
	buf_init(&b, 1000);
	jo_init(&o, &b);
	jo_object(&o, NULL);
	jo_c(&o, "s", "a\"b");
	jo_array(&o, "list");
	jo_int(&o, NULL, -1);
	jo_object(&o, NULL);
	jo_end(&o, '}');
	jo_object(&o, NULL);
	jo_bool(&o, "t", true);
	jo_bool(&o, "f", false);
	jo_end(&o, '}');
	jo_end(&o, ']');
	jo_array(&o, "empty");
	jo_end(&o, ']');
	jo_raw(&o, "raw", STR("{\"x\":1}"));
	jo_time(&o, "at", 1795489200123);
	jo_time(&o, "early", -1500);
	jo_int(&o, "min", INT64_MIN);
	jo_str(&o, "none", (struct str){ NULL, 0 });
	jo_end(&o, '}');
	ASSERT_STR(buf_str(&b),
		"{\"s\":\"a\\\"b\",\"list\":[-1,{},{\"t\":true,\"f\":false}],\"empty\":[],\"raw\":{\"x\":1},"
		"\"at\":1795489200.123,\"early\":-1.500,\"min\":-9223372036854775808,\"none\":\"\"}");
	assert_int_equal(o.depth, 0);
}

static void whatever_is_quoted_can_be_read_back(void **state UNUSED)
{
	static const struct {
		struct str plain;
		const char *quoted;
	} table[] = {
		{ { "", 0 }, "\"\"" },
		{ { "a/b", 3 }, "\"a/b\"" },
		{ { "\"\\", 2 }, "\"\\\"\\\\\"" },
		{ { "\n\r\t\b", 4 }, "\"\\n\\r\\t\\u0008\"" },
		{ { "a\0b", 3 }, "\"a\\u0000b\"" },
		{ { "\x1f\x7f", 2 }, "\"\\u001f\\u007f\"" },
		{ { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9 },
			"\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ { "a\xff"
		    "b",
			  3 },
			"\"a\xef\xbf\xbd"
			"b\"" },
		{ { "\xc3", 1 }, "\"\xef\xbf\xbd\"" },
		{ { "\xc0\x80", 2 }, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ { "\xed\xa0\x80", 3 }, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ { "\xf4\x90\x80\x80", 4 },
			"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ { "\xe2\x82", 2 }, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct buf b CLEANUP(buf_fini);
		struct json *back CLEANUP(json_freep) = NULL;
		struct err err;
		buf_init(&b, 1000);
		json_quote(&b, table[i].plain);
		ASSERT_STR(buf_str(&b), table[i].quoted);
		ASSERT_DONE(json_parse(buf_str(&b), &back, &err));
		assert_int_equal(json_type(back), JSON_STRING);
	}
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned second = 0; second < 256; second++) {
			const char bytes[3] = { (char)first, (char)second, 'x' };
			struct buf b CLEANUP(buf_fini);
			struct json *back CLEANUP(json_freep) = NULL;
			struct err err;
			buf_init(&b, 1000);
			json_quote(&b, (struct str){ bytes, 3 });
			ASSERT_DONE(json_parse(buf_str(&b), &back, &err));
		}
	}
}

static void rendering_past_the_maximum_fails_the_buffer(void **state UNUSED)
{
	struct json *root CLEANUP(json_freep) = NULL;
	struct buf b CLEANUP(buf_fini);
	struct err err;
	ASSERT_DONE(json_parse(STR("[1,2,3,4,5,6,7,8,9]"), &root, &err));
	buf_init(&b, 10);
	json_render(root, &b);
	assert_false(buf_ok(&b));
	buf_fini(&b);
	buf_init(&b, 10);
	json_render(NULL, &b);
	ASSERT_STR(buf_str(&b), "null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_strict_json_is_read_and_renders_compactly),
		cmocka_unit_test(an_embedded_nul_ends_no_text),
		cmocka_unit_test(values_of_the_wrong_type_read_as_absent),
		cmocka_unit_test(members_are_visited_in_the_order_of_the_text),
		cmocka_unit_test(nesting_is_limited_to_what_a_thread_can_hold),
		cmocka_unit_test(brackets_in_strings_do_not_count_as_nesting),
		cmocka_unit_test(values_are_limited_to_what_memory_can_hold),
		cmocka_unit_test(the_writer_puts_commas_and_names),
		cmocka_unit_test(whatever_is_quoted_can_be_read_back),
		cmocka_unit_test(rendering_past_the_maximum_fails_the_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
