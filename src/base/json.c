#include "base/json.h"

#include <pthread.h>
#include <stdlib.h>

/* jansson.h claims names that json.h has too; here they get others. */
#define json_type   jansson_type /* NOLINT(readability-identifier-naming) */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY  JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_REAL   JANSSON_REAL
#define JSON_NULL   JANSSON_NULL
#include <jansson.h>
#undef json_type
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_REAL
#undef JSON_NULL

/* struct json is never completed: a pointer to it is a json_t pointer in other clothes. */
static const json_t *in(const struct json *v)
{
	return (const json_t *)v;
}

static const struct json *wrap(const json_t *v)
{
	return (const struct json *)v;
}

/*
 * jansson recurses for each level, to read and to free: on the small stacks of our threads its own
 * limit (2048 levels) would be too much. And each value takes it up to 200 bytes, so that 4 MiB of
 * "{},{},{}" would become 260 MiB. Nothing that a client sends in earnest nests as deep or has as
 * many.
 */
static const char *excess(struct str text)
{
	unsigned depth = 0;
	unsigned values = 1;
	bool is_string = false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (is_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				is_string = false;
		} else if (c == '"') {
			is_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > JSON_DEPTH_MAX)
				return "too many levels";
			values++;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		} else if (c == ',') {
			values++;
		}
		if (values > JSON_VALUES_MAX)
			return "too many values";
	}
	return NULL;
}

/* jansson tells a text that is none from one that there was no memory for in words only, and not
 * everywhere. */
static _Thread_local bool is_starved;

static void *note_malloc(size_t len)
{
	void *p = malloc(len);
	if (p == NULL)
		is_starved = true;
	return p;
}

static void note_allocations(void)
{
	json_set_alloc_funcs(note_malloc, free);
}

static bool parse(struct str text, size_t flags, struct json **out, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	json_error_t why;
	const char *too_much = excess(text);
	if (too_much != NULL) {
		err_set(err, ERR_INVALID, "Invalid JSON syntax");
		return err_wrap(err, "%s", too_much);
	}
	(void)pthread_once(&once, note_allocations);
	is_starved = false;
	json_t *root = json_loadb(text.len != 0 ? text.ptr : "", text.len,
		JSON_DECODE_ANY | JSON_ALLOW_NUL | flags, &why);
	if (is_starved) { /* a root that it then gives all the same may lack something */
		json_decref(root);
		return err_sys(
			err, ERR_UNAVAILABLE, 0, "no memory for JSON of %zu bytes", text.len);
	}
	if (root == NULL) {
		err_set(err, ERR_INVALID, "Invalid JSON syntax");
		return err_wrap(err, "line %d column %d: %s", why.line, why.column, why.text);
	}
	*out = (struct json *)root;
	return true;
}

bool json_parse(struct str text, struct json **out, struct err *err)
{
	return parse(text, 0, out, err);
}

bool json_parse_unique(struct str text, struct json **out, struct err *err)
{
	return parse(text, JSON_REJECT_DUPLICATES, out, err);
}

void json_free(struct json *root)
{
	json_decref((json_t *)root);
}

void json_freep(struct json **root)
{
	json_free(*root);
	*root = NULL;
}

enum json_type json_type(const struct json *v)
{
	if (v == NULL)
		return JSON_NULL;
	switch (json_typeof(in(v))) {
	case JANSSON_OBJECT:
		return JSON_OBJECT;
	case JANSSON_ARRAY:
		return JSON_ARRAY;
	case JANSSON_STRING:
		return JSON_STRING;
	case JSON_INTEGER:
		return JSON_INT;
	case JANSSON_REAL:
		return JSON_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return JSON_BOOL;
	case JANSSON_NULL:
		return JSON_NULL;
	}
	return JSON_NULL;
}

const struct json *json_get(const struct json *v, const char *name)
{
	return wrap(v == NULL ? NULL : json_object_get(in(v), name));
}

struct str json_str(const struct json *v)
{
	if (json_type(v) != JSON_STRING)
		return (struct str){ NULL, 0 };
	return (struct str){ json_string_value(in(v)), json_string_length(in(v)) };
}

struct str json_get_str(const struct json *v, const char *name)
{
	return json_str(json_get(v, name));
}

int64_t json_int(const struct json *v, int64_t otherwise)
{
	return json_type(v) == JSON_INT ? json_integer_value(in(v)) : otherwise;
}

double json_number(const struct json *v, double otherwise)
{
	enum json_type type = json_type(v);
	return type == JSON_INT || type == JSON_REAL ? json_number_value(in(v)) : otherwise;
}

bool json_bool(const struct json *v, bool otherwise)
{
	return json_type(v) == JSON_BOOL ? json_typeof(in(v)) == JSON_TRUE : otherwise;
}

size_t json_len(const struct json *v)
{
	if (v == NULL)
		return 0;
	/* Each gives 0 for a value of another type. */
	return json_array_size(in(v)) + json_object_size(in(v));
}

const struct json *json_at(const struct json *v, size_t i)
{
	return wrap(v == NULL ? NULL : json_array_get(in(v), i));
}

bool json_each(const struct json *v, json_member_fn fn, void *arg)
{
	if (json_type(v) != JSON_OBJECT)
		return true;
	/* jansson's iterators take a plain pointer, also to only look (and -Wcast-qual a detour).
	 */
	json_t *object = (json_t *)(uintptr_t)v;
	for (void *at = json_object_iter(object); at != NULL;
		at = json_object_iter_next(object, at)) {
		struct str name = { json_object_iter_key(at), json_object_iter_key_len(at) };
		if (!fn(arg, name, wrap(json_object_iter_value(at))))
			return false;
	}
	return true;
}

static int add_rendered(const char *bytes, size_t len, void *out)
{
	buf_add(out, bytes, len);
	return buf_ok(out) ? 0 : -1;
}

void json_render(const struct json *v, struct buf *out)
{
	if (v == NULL)
		buf_add_c(out, "null");
	else if (json_dump_callback(in(v), add_rendered, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		out->failed = true;
}
