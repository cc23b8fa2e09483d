/*
 * Calls of ECR, the sharing API and KMS: the first line is the operation, the rest its input. An
 * input that is let through may be taken by its table, member by member, without another look; one
 * that is not is refused in words that are text.
 */
#include "front/shape.h"

#include "aws/kms_ops.h"
#include "ecr/ops.h"
#include "ecr/sharing.h"
#include "front/blob64.h"
#include "fuzz.h"

static void promised(const struct shape *s, const struct json *v);

static int64_t characters(struct str s)
{
	int64_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return n;
}

static void promised_text(const struct shape *s, struct str text)
{
	bool is_listed = s->values == NULL;
	CHECK(text.ptr != NULL);
	CHECK(characters(text) >= s->min && (s->max == 0 || characters(text) <= s->max));
	CHECK(s->pattern == NULL || s->pattern->matches(text));
	for (const char *const *v = s->values; v != NULL && *v != NULL; v++)
		is_listed = is_listed || str_eq_c(text, *v);
	CHECK(is_listed);
}

static void promised_blob(const struct shape *s, struct str text)
{
	int64_t len = (int64_t)blob64_len(text);
	CHECK(blob64_is_valid(text) && len >= s->min && (s->max == 0 || len <= s->max));
}

static bool promised_entry(void *arg, struct str name, const struct json *value)
{
	(void)name;
	promised(arg, value);
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table */
static void promised_list(const struct shape *s, const struct json *v)
{
	int64_t n = (int64_t)json_len(v);
	CHECK(json_type(v) == JSON_ARRAY && n >= s->min && (s->max == 0 || n <= s->max));
	for (size_t i = 0; i < json_len(v); i++)
		promised(s->element, json_at(v, i));
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table */
static void promised_members(const struct shape *s, const struct json *v)
{
	CHECK(json_type(v) == JSON_OBJECT);
	for (const struct shape_member *m = s->members; m->name != NULL; m++) {
		const struct json *member = json_get(v, m->name);
		CHECK(!m->is_required || json_type(member) != JSON_NULL);
		promised(m->shape, member);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table */
static void promised(const struct shape *s, const struct json *v)
{
	if (json_type(v) == JSON_NULL)
		return;
	switch (s->type) {
	case SHAPE_STRING:
		CHECK(json_type(v) == JSON_STRING);
		promised_text(s, json_str(v));
		break;
	case SHAPE_INT:
	case SHAPE_LONG:
		CHECK(json_type(v) == JSON_INT);
		CHECK(json_int(v, 0) >= s->min && (s->max == 0 || json_int(v, 0) <= s->max));
		CHECK(s->type == SHAPE_LONG || (int32_t)json_int(v, 0) == json_int(v, 0));
		break;
	case SHAPE_BOOL:
		CHECK(json_type(v) == JSON_BOOL);
		break;
	case SHAPE_TIME:
		CHECK(json_type(v) == JSON_INT || json_type(v) == JSON_REAL);
		break;
	case SHAPE_BLOB:
		CHECK(json_type(v) == JSON_STRING);
		promised_blob(s, json_str(v));
		break;
	case SHAPE_LIST:
		promised_list(s, v);
		break;
	case SHAPE_MAP:
		CHECK(json_type(v) == JSON_OBJECT);
		(void)json_each(v, promised_entry, (void *)(uintptr_t)s->element);
		break;
	case SHAPE_STRUCT:
		promised_members(s, v);
		break;
	}
}

static const struct shape *input_of(struct str name)
{
	const struct ecr_op *ecr = ecr_op_find(name);
	const struct kms_op *kms = kms_op_find(name);
	if (ecr == NULL)
		ecr = sharing_op_find(name);
	return ecr != NULL ? ecr->input : kms != NULL ? kms->input : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *input CLEANUP(json_freep) = NULL;
	struct err err;
	char text[SHAPE_TEXT_MAX];
	struct str operation;
	struct str rest;
	(void)str_cut((struct str){ (const char *)data, size }, '\n', &operation, &rest);
	const struct shape *shape = input_of(operation);
	if (shape == NULL || !json_parse(rest, &input, &err))
		return 0;
	if (shape_check(shape, input, text) == SHAPE_FITS) {
		promised(shape, input);
		return 0;
	}
	CHECK(text[0] != '\0' && memchr(text, '\0', sizeof(text)) != NULL);
	CHECK(strchr(text, '\n') == NULL);
	return 0;
}
