/* What was read renders to text that reads and renders the same; any bytes can be quoted. */
#include "base/json.h"

#include "fuzz.h"

static void walk(const struct json *v, unsigned depth);

static bool walk_member(void *arg, struct str name, const struct json *value)
{
	CHECK(name.ptr != NULL);
	walk(value, *(const unsigned *)arg + 1);
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): the parser limits the depth */
static void walk(const struct json *v, unsigned depth)
{
	CHECK(depth <= JSON_DEPTH_MAX);
	for (size_t i = 0; json_type(v) == JSON_ARRAY && i < json_len(v); i++)
		walk(json_at(v, i), depth + 1);
	CHECK(json_each(v, walk_member, &depth));
	CHECK(json_type(v) == JSON_STRING || json_str(v).ptr == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct json *root CLEANUP(json_freep) = NULL;
	struct json *again CLEANUP(json_freep) = NULL;
	struct json *quoted CLEANUP(json_freep) = NULL;
	struct buf first CLEANUP(buf_fini);
	struct buf second CLEANUP(buf_fini);
	struct err err;
	buf_init(&first, 32 * MIB);
	buf_init(&second, 32 * MIB);
	if (json_parse(text, &root, &err)) {
		walk(root, 0);
		json_render(root, &first);
		CHECK(buf_ok(&first) && json_parse(buf_str(&first), &again, &err));
		json_render(again, &second);
		CHECK(str_eq(buf_str(&first), buf_str(&second)));
	}
	buf_reset(&first);
	json_quote(&first, text);
	CHECK(buf_ok(&first) && json_parse(buf_str(&first), &quoted, &err));
	CHECK(json_type(quoted) == JSON_STRING);
	return 0;
}
