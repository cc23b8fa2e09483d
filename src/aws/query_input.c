#include "aws/query_input.h"

#include <inttypes.h>
#include <stdio.h>

#include "aws/query.h"

#define NAME_MAX_LEN 128
#define LIST_MAX     101 /* one more than the longest list that may be */
#define TEXT_MAX     ((size_t)2 * MIB)
#define QUOTED_MAX   128

struct input {
	struct http_req *req;
	struct json_out o;
};

static bool form_has(struct str form, struct str name)
{
	struct str key;
	struct str value;
	while (query_next(&form, &key, &value)) {
		if (str_starts(key, name) && (key.len == name.len || key.ptr[name.len] == '.'))
			return true;
	}
	return false;
}

/* Whether there is a parameter of that name, or something below it. */
static bool is_there(const struct input *in, const char *name)
{
	struct str n = str_from(name);
	return form_has(in->req->query, n) ||
	       (in->req->op->body == HTTP_BODY_WHOLE && form_has(http_body(in->req), n));
}

/* The value that the parameter `name` is or begins, as JSON; member NULL: an element. */
static void put(struct input *in, const struct shape *s, const char *member, const char *name);

static void put_number(struct input *in, const char *member, struct str text)
{
	uint64_t n;
	bool is_negative = str_starts(text, STR("-"));
	if (str_to_u64(str_sub(text, is_negative, text.len), INT32_MAX, &n))
		jo_int(&in->o, member, is_negative ? -(int64_t)n : (int64_t)n);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table */
static void put_list(struct input *in, const struct shape *s, const char *member, const char *name)
{
	char element[NAME_MAX_LEN];
	jo_array(&in->o, member);
	for (int i = 1; i <= LIST_MAX; i++) {
		(void)snprintf(element, sizeof(element), "%s.member.%d", name, i);
		if (!is_there(in, element))
			break;
		put(in, s->element, NULL, element);
	}
	jo_end(&in->o, ']');
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void put_structure(
	struct input *in, const struct shape *s, const char *member, const char *name)
{
	char below[NAME_MAX_LEN];
	jo_object(&in->o, member);
	for (const struct shape_member *m = s->members; m->name != NULL; m++) {
		(void)snprintf(
			below, sizeof(below), "%s%s%s", name, *name != '\0' ? "." : "", m->name);
		if (is_there(in, below))
			put(in, m->shape, m->name, below);
	}
	jo_end(&in->o, '}');
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table */
static void put(struct input *in, const struct shape *s, const char *member, const char *name)
{
	if (s->type == SHAPE_LIST) {
		put_list(in, s, member, name);
		return;
	}
	if (s->type == SHAPE_STRUCT) {
		put_structure(in, s, member, name);
		return;
	}
	struct str value = query_param(in->req, name);
	if (value.ptr == NULL)
		return;
	if (s->type == SHAPE_STRING)
		jo_str(&in->o, member, value);
	else if (s->type == SHAPE_INT)
		put_number(in, member, value);
	else if (s->type == SHAPE_BOOL &&
		 (str_eq(value, STR("true")) || str_eq(value, STR("false"))))
		jo_bool(&in->o, member, str_eq(value, STR("true")));
}

/* What stands at "Tags.1.member.Key". */
static const struct json *at_path(const struct json *v, const char *path)
{
	struct str rest = str_from(path);
	while (v != NULL && rest.len != 0) {
		char name[NAME_MAX_LEN];
		struct str part;
		uint64_t n;
		(void)str_cut(rest, '.', &part, &rest);
		if (str_eq_c(part, "member"))
			continue;
		if (!str_to_c(part, name, sizeof(name)))
			return NULL;
		v = str_to_u64(part, LIST_MAX, &n) && n > 0 ? json_at(v, (size_t)n - 1)
							    : json_get(v, name);
	}
	return v;
}

static void quote(const struct json *v, const char *path, char out[QUOTED_MAX + 16])
{
	out[0] = '\0';
	if (str_eq_c(STR("WebIdentityToken"), path) || str_eq_c(STR("TokenCode"), path))
		return;
	switch (json_type(v)) {
	case JSON_NULL:
		(void)snprintf(out, QUOTED_MAX + 16, " null");
		break;
	case JSON_INT:
		(void)snprintf(out, QUOTED_MAX + 16, " '%" PRId64 "'", json_int(v, 0));
		break;
	case JSON_STRING:
		(void)snprintf(out, QUOTED_MAX + 16, " '%.*s'",
			STR_ARG(str_sub(json_str(v), 0, QUOTED_MAX)));
		break;
	case JSON_ARRAY:
		(void)snprintf(out, QUOTED_MAX + 16, " '[...]'");
		break;
	case JSON_BOOL:
	case JSON_REAL:
	case JSON_OBJECT:
		break;
	}
}

static bool refuse(const struct json *input, const struct shape_fault *fault, struct err *err)
{
	static const char pattern[] = "must satisfy regular expression '";
	char value[QUOTED_MAX + 16];
	char path[SHAPE_PATH_MAX];
	struct str constraint = str_from(fault->constraint);
	quote(at_path(input, fault->path), fault->path, value);
	memcpy(path, fault->path, sizeof(path));
	for (size_t i = 0; path[i] != '\0'; i++) {
		if ((i == 0 || path[i - 1] == '.') && path[i] >= 'A' && path[i] <= 'Z')
			path[i] = (char)(path[i] | 0x20);
	}
	if (!str_starts(constraint, STR(pattern)))
		return err_set(err, ERR_INVALID,
			"ValidationError: 1 validation error detected: Value%s at '%s' failed to satisfy constraint: " STR_FMT,
			value, path, STR_ARG(constraint));
	constraint = str_sub(constraint, sizeof(pattern) - 1, constraint.len - sizeof(pattern));
	return err_set(err, ERR_INVALID,
		"ValidationError: 1 validation error detected: Value%s at '%s' failed to satisfy constraint: "
		"Member must satisfy regular expression pattern: " STR_FMT,
		value, path, STR_ARG(constraint));
}

static const struct shape *find(const char *operation)
{
	for (const struct shape *s = query_inputs; s->name != NULL; s++) {
		if (strcmp(s->name, operation) == 0)
			return s;
	}
	return NULL;
}

bool query_check_input(struct http_req *req, const char *operation, struct err *err)
{
	struct json *input CLEANUP(json_freep) = NULL;
	struct buf text CLEANUP(buf_fini) = { 0 };
	struct input in = { .req = req };
	struct shape_fault fault;
	struct err bad;
	const struct shape *shape = find(operation);
	if (shape == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "no shape for %s", operation);
	buf_init(&text, TEXT_MAX);
	jo_init(&in.o, &text);
	put_structure(&in, shape, NULL, "");
	if (!buf_ok(&text))
		return err_set(err, ERR_TOO_LARGE, "the request's parameters are too long");
	if (!json_parse(buf_str(&text), &input, &bad))
		return err_set(err, ERR_INVALID, "ValidationError: a parameter is not valid text");
	enum shape_verdict verdict = shape_find_fault(shape, input, &fault);
	return verdict == SHAPE_FITS || refuse(input, &fault, err);
}
