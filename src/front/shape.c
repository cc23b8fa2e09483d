#include "front/shape.h"

#include <stdarg.h>
#include <stdio.h>

#include "front/blob64.h"

/* One check: path is that of the member that is looked at. */
struct walk {
	struct shape_fault *fault;
	char *path;
};

static bool type_fault(struct walk *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool value_fault(struct walk *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool type_fault(struct walk *w, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(w->fault->text, sizeof(w->fault->text), fmt, args);
	va_end(args);
	return false;
}

static bool value_fault(struct walk *w, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(w->fault->constraint, sizeof(w->fault->constraint), fmt, args);
	va_end(args);
	return false;
}

/* Appends to the path; returns the length to cut it back to. Tables are shallow: the text always
 * fits. */
static size_t path_member(struct walk *w, const char *name)
{
	size_t len = strlen(w->path);
	(void)snprintf(w->path + len, SHAPE_PATH_MAX - len, "%s%s", len == 0 ? "" : ".", name);
	return len;
}

static size_t path_element(struct walk *w, size_t i)
{
	size_t len = strlen(w->path);
	(void)snprintf(w->path + len, SHAPE_PATH_MAX - len, ".%zu.member", i + 1);
	return len;
}

static const char *json_type_text(enum json_type type)
{
	switch (type) {
	case JSON_NULL:
		return "NULL_VALUE";
	case JSON_BOOL:
		return "BOOLEAN_VALUE";
	case JSON_INT:
		return "NUMBER_VALUE";
	case JSON_REAL:
		return "DECIMAL_VALUE";
	case JSON_STRING:
		return "STRING_VALUE";
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return "STRUCTURE_VALUE";
}

static bool scalar_type(struct walk *w, const struct json *v, enum json_type want, const char *name)
{
	enum json_type is = json_type(v);
	if (is == want)
		return true;
	if (is == JSON_ARRAY)
		return type_fault(w, "Start of list found where not expected");
	if (is == JSON_OBJECT)
		return type_fault(w, "Start of structure or map found where not expected.");
	return type_fault(w, "%s can not be converted to %s", json_type_text(is), name);
}

static bool types_fit(struct walk *w, const struct shape *s, const struct json *v);

struct map_walk {
	struct walk *walk;
	const struct shape *element;
	bool (*fits)(struct walk *w, const struct shape *s, const struct json *v);
};

static bool entry_fits(void *arg, struct str name, const struct json *value)
{
	const struct map_walk *m = arg;
	(void)name;
	return m->fits(m->walk, m->element, value);
}

static bool map_types_fit(
	struct walk *w, const struct shape *s, const struct json *v) /* NOLINT(misc-no-recursion) */
{
	struct map_walk m = { w, s->element, types_fit };
	if (json_type(v) != JSON_OBJECT)
		return type_fault(w, "Expected map or null");
	return json_each(v, entry_fits, &m);
}

/* Are the types as the table says? The recursion is as deep as the table. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool types_fit(struct walk *w, const struct shape *s, const struct json *v)
{
	if (json_type(v) == JSON_NULL)
		return true; /* null reads as absent */
	switch (s->type) {
	case SHAPE_STRING:
		return scalar_type(w, v, JSON_STRING, "a String");
	case SHAPE_BOOL:
		return scalar_type(w, v, JSON_BOOL, "a Boolean");
	case SHAPE_LONG:
		return scalar_type(w, v, JSON_INT, "a Long");
	case SHAPE_INT:
		if (!scalar_type(w, v, JSON_INT, "an Integer"))
			return false;
		if (json_int(v, 0) > INT32_MAX || json_int(v, 0) < INT32_MIN)
			return type_fault(w, "NUMBER_VALUE can not be converted to an Integer");
		return true;
	case SHAPE_TIME:
		return json_type(v) == JSON_INT || scalar_type(w, v, JSON_REAL, "a Timestamp");
	case SHAPE_BLOB:
		if (!scalar_type(w, v, JSON_STRING, "a Blob"))
			return false;
		if (!blob64_is_valid(json_str(v)))
			return type_fault(w, "Invalid base64 text");
		return true;
	case SHAPE_LIST:
		if (json_type(v) != JSON_ARRAY)
			return type_fault(w, "Expected list or null");
		for (size_t i = 0; i < json_len(v); i++) {
			if (!types_fit(w, s->element, json_at(v, i)))
				return false;
		}
		return true;
	case SHAPE_MAP:
		return map_types_fit(w, s, v);
	case SHAPE_STRUCT:
		if (json_type(v) != JSON_OBJECT)
			return type_fault(w, "Expected null");
		for (const struct shape_member *m = s->members; m->name != NULL; m++) {
			if (!types_fit(w, m->shape, json_get(v, m->name)))
				return false;
		}
		return true;
	}
	return true;
}

/* Characters as JSON counts them, not bytes. */
static int64_t str_characters(struct str s)
{
	int64_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return n;
}

static bool size_fits(struct walk *w, const struct shape *s, const char *what, int64_t is)
{
	if (is < s->min)
		return value_fault(w, "Member must have %s greater than or equal to %lld", what,
			(long long)s->min);
	if (s->max != 0 && is > s->max)
		return value_fault(w, "Member must have %s less than or equal to %lld", what,
			(long long)s->max);
	return true;
}

static bool is_among(struct str v, const char *const *values)
{
	for (; *values != NULL; values++) {
		if (str_eq_c(v, *values))
			return true;
	}
	return false;
}

static bool string_fits(struct walk *w, const struct shape *s, struct str v)
{
	if (!size_fits(w, s, "length", str_characters(v)))
		return false;
	if (s->values != NULL && !is_among(v, s->values)) {
		char list[256] = "";
		for (size_t i = 0, len = 0; s->values[i] != NULL && len < sizeof(list); i++)
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
				i == 0 ? "" : ", ", s->values[i]);
		return value_fault(w, "Member must satisfy enum value set: [%s]", list);
	}
	if (s->pattern != NULL && !s->pattern->matches(v))
		return value_fault(w, "must satisfy regular expression '%s'", s->pattern->text);
	return true;
}

static bool values_fit(struct walk *w, const struct shape *s, const struct json *v);

/* Null stands for no value, which a map cannot hold. */
static bool entry_value_fits(
	struct walk *w, const struct shape *s, const struct json *v) /* NOLINT(misc-no-recursion) */
{
	if (json_type(v) == JSON_NULL)
		return value_fault(w, "Map value must not be null");
	return values_fit(w, s, v);
}

static bool map_values_fit(
	struct walk *w, const struct shape *s, const struct json *v) /* NOLINT(misc-no-recursion) */
{
	struct map_walk m = { w, s->element, entry_value_fits };
	return json_each(v, entry_fits, &m);
}

/* Are the values as the table says? Types are known to be. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool values_fit(struct walk *w, const struct shape *s, const struct json *v)
{
	switch (s->type) {
	case SHAPE_BOOL:
	case SHAPE_TIME:
		return true;
	case SHAPE_STRING:
		return string_fits(w, s, json_str(v));
	case SHAPE_INT:
	case SHAPE_LONG:
		return size_fits(w, s, "value", json_int(v, 0));
	case SHAPE_BLOB:
		return size_fits(w, s, "length", (int64_t)blob64_len(json_str(v)));
	case SHAPE_LIST:
		if (!size_fits(w, s, "length", (int64_t)json_len(v)))
			return false;
		for (size_t i = 0; i < json_len(v); i++) {
			const struct json *element = json_at(v, i);
			size_t cut = path_element(w, i);
			if (json_type(element) == JSON_NULL)
				return value_fault(w, "Member must not be null");
			if (!values_fit(w, s->element, element))
				return false;
			w->path[cut] = '\0';
		}
		return true;
	case SHAPE_MAP:
		return map_values_fit(w, s, v);
	case SHAPE_STRUCT:
		for (const struct shape_member *m = s->members; m->name != NULL; m++) {
			const struct json *member = json_get(v, m->name);
			size_t cut = path_member(w, m->name);
			if (json_type(member) == JSON_NULL) {
				if (m->is_required)
					return value_fault(w, "Member must not be null");
			} else if (!values_fit(w, m->shape, member)) {
				return false;
			}
			w->path[cut] = '\0';
		}
		return true;
	}
	return true;
}

enum shape_verdict shape_find_fault(
	const struct shape *shape, const struct json *input, struct shape_fault *out)
{
	struct walk w = { .fault = out, .path = out->path };
	out->path[0] = '\0';
	if (!types_fit(&w, shape, input))
		return SHAPE_WRONG_TYPE;
	return values_fit(&w, shape, input) ? SHAPE_FITS : SHAPE_WRONG_VALUE;
}

enum shape_verdict shape_check(
	const struct shape *shape, const struct json *input, char text[SHAPE_TEXT_MAX])
{
	struct shape_fault fault;
	enum shape_verdict verdict = shape_find_fault(shape, input, &fault);
	if (verdict == SHAPE_WRONG_TYPE)
		memcpy(text, fault.text, sizeof(fault.text));
	else if (verdict == SHAPE_WRONG_VALUE)
		(void)snprintf(text, SHAPE_TEXT_MAX,
			"Invalid parameter at '%s' failed to satisfy constraint: '%s'", fault.path,
			fault.constraint);
	return verdict;
}
