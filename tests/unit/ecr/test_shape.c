/*
 * Every constraint of every operation's input, driven from the tables themselves: a value just
 * inside each must pass, one just outside must fail with the sentence that names member and
 * constraint. Operations that are added are tested without a line here.
 */
#include "../unit.h"
#include "base/buf.h"
#include "base/codec.h"
#include "ecr/ops.h"
#include "ecr/patterns.h"
#include "ecr/sharing.h"

/* For each pattern a text that fits and some that do not. */
static const struct {
	const struct shape_pattern *pattern;
	const char *good, *bad[5];
} examples[] = {
	{ &pattern_registry_id, "012345678901",
		{ "01234567890", "0123456789012", "01234567890x", "" } },
	{ &pattern_repository_name, "team/app-1",
		{ "Team/app", "team//app", "-app", "app/", "a_-b" } },
	{ &pattern_layer_digest, "sha256:0aF",
		{ "sha256", "sha256:", ":00", "sha256:xyz", "sha 256:00" } },
	{ &pattern_upload_id, "0aF00000-1111-2222-3333-444455556666",
		{ "0aF00000-1111-2222-3333-44445555666", "0aF00000-1111-2222-3333-4444555566667",
			"0aF0000001111022220333304444555566660",
			"xaF00000-1111-2222-3333-444455556666" } },
	{ &pattern_exclusion_filter, "v*.1-rc_*", { "a b", "a/b", "?" } },
	{ &pattern_prefix, "prod/x/", { "Prod", "ROOT/", "prod//", "/prod", "root-" } },
	{ &pattern_template_kms_key, "arn:aws-cn:kms:cn-north-1:123456789012:key/a-1",
		{ "alias/aws/ecr", "arn:aws:kms:eu-west-1:12345678901:key/a",
			"arn:aws:kms::123456789012:key/a",
			"arn:aws:kms:eu-west-1:123456789012:key/",
			"arn:aws:kms:eu-west-1:123456789012:alias/a" } },
	{ &pattern_principal_arn, "arn:aws-us-gov:iam::012345678901:role/team/ci+scan@x",
		{ "arn:aws:iam::01234567890:role/x", "arn:aws:sts::012345678901:role/x",
			"arn:aws:iam::012345678901:group/x", "arn:aws-:iam::012345678901:user/x",
			"arn:aws:iam::012345678901:user/a//b" } },
	{ &pattern_scan_filter, "prod-*/a_b.*", { "-a", "a-", "a--b", "A", "a b" } },
};

/* The value at one place of the input is replaced, all others are valid. */
struct trial {
	struct buf json;
	const char *target;      /* path as messages write it */
	const char *replacement; /* JSON text; NULL: the member is left out */
	size_t replacement_len;
	bool was_there;
};

static const char *good_text(const struct shape *s)
{
	if (s->values != NULL)
		return s->values[0];
	if (s->pattern == NULL)
		return "some-text";
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		if (examples[i].pattern == s->pattern)
			return examples[i].good;
	}
	fail_msg("no example for pattern %s of %s", s->pattern->text, s->name);
	return "";
}

static void emit_member_list(struct trial *t, const struct shape *s, const char *path);

/* A valid value of the shape, unless its path is the target. */
static void emit(struct trial *t, const struct shape *s, const char *path)
{
	char element[300];
	if (strcmp(path, t->target) == 0) {
		t->was_there = true;
		buf_add(&t->json, t->replacement, t->replacement_len);
		return;
	}
	switch (s->type) {
	case SHAPE_STRING:
		buf_addf(&t->json, "\"%s", good_text(s));
		for (int64_t n = (int64_t)strlen(good_text(s)); s->pattern == NULL && n < s->min;
			n++)
			buf_add_char(&t->json, 'x');
		buf_add_char(&t->json, '"');
		return;
	case SHAPE_INT:
	case SHAPE_LONG:
		buf_addf(&t->json, "%lld", (long long)s->min);
		return;
	case SHAPE_BOOL:
		buf_add_c(&t->json, "true");
		return;
	case SHAPE_TIME:
		buf_add_c(&t->json, "1.5");
		return;
	case SHAPE_BLOB:
		buf_add_c(&t->json, "\"AAAA\"");
		return;
	case SHAPE_LIST:
		buf_add_char(&t->json, '[');
		snprintf(element, sizeof(element), "%s.1.member", path);
		emit(t, s->element, element);
		buf_add_char(&t->json, ']');
		return;
	case SHAPE_MAP:
		fail_msg("ECR has no input with a map");
		return;
	case SHAPE_STRUCT:
		emit_member_list(t, s, path);
		return;
	}
}

static void emit_member_list(struct trial *t, const struct shape *s, const char *path)
{
	const char *comma = "";
	buf_add_char(&t->json, '{');
	for (const struct shape_member *m = s->members; m->name != NULL; m++) {
		char member[300];
		snprintf(member, sizeof(member), "%s%s%s", path, *path != '\0' ? "." : "", m->name);
		if (t->replacement == NULL && strcmp(member, t->target) == 0) {
			t->was_there = true;
			continue;
		}
		buf_addf(&t->json, "%s\"%s\":", comma, m->name);
		emit(t, m->shape, member);
		comma = ",";
	}
	buf_add_char(&t->json, '}');
}

struct context {
	const struct shape *root;
	unsigned trials;
};

/* Tries a value at the path. constraint NULL: it must pass; else the message must be of this
 * constraint. */
static void attempt(struct context *c, const char *path, const char *json, size_t len,
	enum shape_verdict verdict, const char *constraint)
{
	struct trial t = { .target = path, .replacement = json, .replacement_len = len };
	struct json *input;
	struct err err;
	char text[SHAPE_TEXT_MAX] = "", want[SHAPE_TEXT_MAX];
	buf_init(&t.json, 64 * MIB);
	emit(&t, c->root, "");
	assert_true(buf_ok(&t.json));
	assert_true(t.was_there);
	ASSERT_DONE(json_parse(buf_str(&t.json), &input, &err));
	enum shape_verdict got = shape_check(c->root, input, text);
	if (got != verdict)
		fail_msg("%s at %s: verdict %d instead of %d (%s) for %.200s", c->root->name, path,
			(int)got, (int)verdict, text, json == NULL ? "(absent)" : json);
	snprintf(want, sizeof(want), "Invalid parameter at '%s' failed to satisfy constraint: '%s'",
		path, constraint != NULL ? constraint : "");
	if (verdict == SHAPE_WRONG_VALUE)
		assert_string_equal(text, want);
	json_free(input);
	buf_fini(&t.json);
	c->trials++;
}

static void passes(struct context *c, const char *path, const char *json)
{
	attempt(c, path, json, json == NULL ? 0 : strlen(json), SHAPE_FITS, NULL);
}

static void fails(struct context *c, const char *path, const char *json, const char *constraint)
{
	attempt(c, path, json, json == NULL ? 0 : strlen(json), SHAPE_WRONG_VALUE, constraint);
}

static void type_fails(struct context *c, const char *path, const char *json)
{
	attempt(c, path, json, strlen(json), SHAPE_WRONG_TYPE, NULL);
}

static const char *bound(char out[128], const char *what, const char *side, int64_t n)
{
	snprintf(
		out, 128, "Member must have %s %s than or equal to %lld", what, side, (long long)n);
	return out;
}

/* n elements (JSON text of one each, with commas) between two brackets. */
static void repeat(struct buf *b, const char *open, const char *one, const char *comma,
	const char *close, int64_t n)
{
	buf_reset(b);
	buf_add_c(b, open);
	for (int64_t i = 0; i < n; i++) {
		buf_add_c(b, i == 0 ? "" : comma);
		buf_add_c(b, one);
	}
	buf_add_c(b, close);
	buf_c(b);
	assert_true(buf_ok(b));
}

static void try_lengths(struct context *c, const struct shape *s, const char *path,
	const char *open, const char *one, const char *comma, const char *close)
{
	struct buf b;
	char text[128];
	int64_t filled = (int64_t)strlen(open) - 1; /* open may hold the beginning of the value */
	buf_init(&b, 64 * MIB);
	if (s->min > 0) {
		repeat(&b, open, one, comma, close, s->min - filled);
		passes(c, path, b.ptr);
		repeat(&b, open, one, comma, close, s->min - 1 - filled);
		fails(c, path, b.ptr, bound(text, "length", "greater", s->min));
	}
	if (s->max > 0) {
		repeat(&b, open, one, comma, close, s->max - filled);
		passes(c, path, b.ptr);
		repeat(&b, open, one, comma, close, s->max + 1 - filled);
		fails(c, path, b.ptr, bound(text, "length", "less", s->max));
	}
	buf_fini(&b);
}

static void try_string(struct context *c, const struct shape *s, const char *path)
{
	char json[300], text[700];
	bool needs_start = s->pattern != NULL && !s->pattern->matches(STR("aaaa"));
	snprintf(json, sizeof(json), "\"%s", needs_start ? good_text(s) : "");
	if (s->values == NULL)
		try_lengths(c, s, path, json, "a", "", "\"");
	if (s->values == NULL && s->pattern == NULL && s->max > 0)
		try_lengths(c, s, path, "\"", "\xc3\xa9", "", "\""); /* characters, not bytes */
	for (size_t i = 0; s->values != NULL && s->values[i] != NULL; i++) {
		snprintf(json, sizeof(json), "\"%s\"", s->values[i]);
		passes(c, path, json);
	}
	if (s->values != NULL) {
		snprintf(text, sizeof(text), "Member must satisfy enum value set: [");
		for (size_t i = 0; s->values[i] != NULL; i++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				i == 0 ? "" : ", ", s->values[i]);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "]");
		fails(c, path, "\"NONE_OF_THEM\"", text);
		fails(c, path, "\"\"", text);
	}
	for (size_t i = 0; s->pattern != NULL && i < ARRAY_LEN(examples); i++) {
		if (examples[i].pattern != s->pattern)
			continue;
		snprintf(text, sizeof(text), "must satisfy regular expression '%s'",
			s->pattern->text);
		for (size_t k = 0; k < 5 && examples[i].bad[k] != NULL; k++) {
			snprintf(json, sizeof(json), "\"%s\"", examples[i].bad[k]);
			fails(c, path, json, text);
		}
	}
	type_fails(c, path, "1");
	type_fails(c, path, "true");
	type_fails(c, path, "[]");
	type_fails(c, path, "{}");
}

static void try_number(struct context *c, const struct shape *s, const char *path)
{
	char json[64], text[128];
	snprintf(json, sizeof(json), "%lld", (long long)s->min - 1);
	fails(c, path, json, bound(text, "value", "greater", s->min));
	if (s->max > 0) {
		snprintf(json, sizeof(json), "%lld", (long long)s->max);
		passes(c, path, json);
		snprintf(json, sizeof(json), "%lld", (long long)s->max + 1);
		fails(c, path, json, bound(text, "value", "less", s->max));
	}
	if (s->type == SHAPE_INT)
		type_fails(c, path, "2147483648");
	else
		passes(c, path, "9223372036854775807");
	type_fails(c, path, "\"1\"");
	type_fails(c, path, "1.5");
	type_fails(c, path, "false");
	type_fails(c, path, "[1]");
}

static void try_blob(struct context *c, const struct shape *s, const char *path)
{
	struct buf b;
	char text[128];
	size_t len = (size_t)s->max;
	buf_init(&b, 64 * MIB);
	for (size_t over = 0; over < 2; over++) {
		uint8_t *bytes = calloc(len + over, 1);
		assert_non_null(bytes);
		buf_reset(&b);
		buf_add_char(&b, '"');
		char *room = buf_reserve(&b, BASE64_LEN(len + over));
		assert_non_null(room);
		base64_encode(bytes, len + over, room);
		buf_commit(&b, BASE64_LEN(len + over));
		buf_add_char(&b, '"');
		buf_c(&b);
		attempt(c, path, b.ptr, b.len, over == 0 ? SHAPE_FITS : SHAPE_WRONG_VALUE,
			bound(text, "length", "less", s->max));
		free(bytes);
	}
	buf_fini(&b);
	passes(c, path, "\"\"");
	type_fails(c, path, "\"AAA\"");
	type_fails(c, path, "\"AA=A\"");
	type_fails(c, path, "\"AA\\nAA\"");
	type_fails(c, path, "7");
}

static void try_shape(struct context *c, const struct shape *s, const char *path);

static void try_list(struct context *c, const struct shape *s, const char *path)
{
	struct trial t = { .target = "\x01" };
	char element[300];
	buf_init(&t.json, 64 * KIB);
	emit(&t, s->element, path);
	try_lengths(c, s, path, "[", buf_c(&t.json), ",", "]");
	buf_fini(&t.json);
	type_fails(c, path, "\"text\"");
	type_fails(c, path, "{}");
	snprintf(element, sizeof(element), "%s.1.member", path);
	fails(c, element, "null", "Member must not be null");
	try_shape(c, s->element, element);
}

static void try_members(struct context *c, const struct shape *s, const char *path)
{
	for (const struct shape_member *m = s->members; m->name != NULL; m++) {
		char member[300];
		snprintf(member, sizeof(member), "%s%s%s", path, *path != '\0' ? "." : "", m->name);
		if (m->is_required) {
			fails(c, member, NULL, "Member must not be null");
			fails(c, member, "null", "Member must not be null");
		} else {
			passes(c, member, NULL);
			passes(c, member, "null");
		}
		try_shape(c, m->shape, member);
	}
}

static void try_shape(struct context *c, const struct shape *s, const char *path)
{
	switch (s->type) {
	case SHAPE_STRING:
		try_string(c, s, path);
		break;
	case SHAPE_INT:
	case SHAPE_LONG:
		try_number(c, s, path);
		break;
	case SHAPE_BOOL:
		passes(c, path, "false");
		type_fails(c, path, "\"true\"");
		type_fails(c, path, "0");
		break;
	case SHAPE_TIME:
		passes(c, path, "0");
		passes(c, path, "1790000000.25");
		type_fails(c, path, "\"2026-11-24\"");
		type_fails(c, path, "true");
		break;
	case SHAPE_BLOB:
		try_blob(c, s, path);
		break;
	case SHAPE_LIST:
		try_list(c, s, path);
		break;
	case SHAPE_MAP:
		fail_msg("ECR has no input with a map");
		break;
	case SHAPE_STRUCT:
		if (*path != '\0')
			type_fails(c, path, "[]");
		try_members(c, s, path);
		break;
	}
}

static void every_constraint_of_every_operation_holds_just_inside_and_just_outside(void **state)
{
	unsigned operations = 0, trials = 0;
	const struct ecr_op *op;
	(void)state;
	for (size_t i = 0; (op = ecr_op_at(i)) != NULL; i++) {
		if (op->input == NULL)
			continue;
		struct context c = { .root = op->input };
		assert_string_equal(op->input->name, op->http.name);
		try_shape(&c, op->input, "");
		operations++;
		trials += c.trials;
	}
	assert_true(operations >= 21);
	assert_true(trials > 900);
}

static void the_sharing_api_too(void **state)
{
	unsigned trials = 0;
	const struct ecr_op *op;
	(void)state;
	for (size_t i = 0; (op = sharing_op_at(i)) != NULL; i++) {
		struct context c = { .root = op->input };
		assert_string_equal(op->input->name, op->http.name);
		assert_ptr_equal(sharing_op_find(str_from(op->http.name)), op);
		assert_null(ecr_op_find(str_from(op->http.name)));
		try_shape(&c, op->input, "");
		trials += c.trials;
	}
	assert_true(trials > 100);
}

static void the_empty_input_is_an_empty_object(void **state)
{
	char text[SHAPE_TEXT_MAX] = "";
	(void)state;
	const struct ecr_op *none = ecr_op_find(STR("GetAuthorizationToken"));
	const struct ecr_op *some = ecr_op_find(STR("GetAccountSetting"));
	assert_int_equal(shape_check(none->input, NULL, text), SHAPE_FITS);
	assert_int_equal(shape_check(some->input, NULL, text), SHAPE_WRONG_VALUE);
	assert_string_equal(text,
		"Invalid parameter at 'name' failed to satisfy constraint: 'Member must not be null'");
}

static void types_are_compared_before_values(void **state)
{
	/* As AWS reads the whole input before it validates any of it. */
	struct json *input;
	struct err err;
	char text[SHAPE_TEXT_MAX] = "";
	(void)state;
	const struct ecr_op *op = ecr_op_find(STR("ListImages"));
	ASSERT_DONE(
		json_parse(STR("{\"repositoryName\":\"X\",\"maxResults\":\"5\"}"), &input, &err));
	assert_int_equal(shape_check(op->input, input, text), SHAPE_WRONG_TYPE);
	assert_string_equal(text, "STRING_VALUE can not be converted to an Integer");
	json_free(input);
}

static void an_input_that_is_no_object_and_unknown_members(void **state)
{
	static const struct {
		struct str json;
		enum shape_verdict verdict;
	} rows[] = {
		{ STR("[]"), SHAPE_WRONG_TYPE },
		{ STR("\"text\""), SHAPE_WRONG_TYPE },
		{ STR("3"), SHAPE_WRONG_TYPE },
		{ STR("{\"madeUp\":[1,{}]}"), SHAPE_FITS },
	};
	const struct ecr_op *op = ecr_op_find(STR("GetAuthorizationToken"));
	char text[SHAPE_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json *input;
		struct err err;
		ASSERT_DONE(json_parse(rows[i].json, &input, &err));
		assert_int_equal(shape_check(op->input, input, text), rows[i].verdict);
		json_free(input);
	}
}

static void all_sixty_two_operations_are_known_by_name(void **state)
{
	size_t n = 0, available = 0;
	const struct ecr_op *op, *before = NULL;
	(void)state;
	for (; (op = ecr_op_at(n)) != NULL; n++) {
		if (before != NULL)
			assert_true(strcmp(before->http.name, op->http.name) < 0);
		assert_ptr_equal(ecr_op_find(str_from(op->http.name)), op);
		assert_memory_equal(op->action, "ecr:", 4);
		assert_true((op->handle == NULL) == (op->input == NULL));
		available += op->handle != NULL;
		before = op;
	}
	assert_int_equal(n, 62);
	assert_true(available >= 21);
	assert_null(ecr_op_find(STR("")));
	assert_null(ecr_op_find(STR("DescribeRepositorie")));
	assert_null(ecr_op_find(STR("describerepositories")));
	assert_null(ecr_op_find(STR("Zzz")));
}

static void an_operation_on_a_repository_requires_its_name(void **state)
{
	const struct ecr_op *op;
	(void)state;
	for (size_t i = 0; (op = ecr_op_at(i)) != NULL; i++) {
		bool is_required = false;
		if (op->resource != ECR_RESOURCE_REPOSITORY)
			continue;
		for (const struct shape_member *m = op->input->members; m->name != NULL; m++)
			is_required |= strcmp(m->name, "repositoryName") == 0 && m->is_required;
		assert_true(is_required);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_constraint_of_every_operation_holds_just_inside_and_just_outside),
		cmocka_unit_test(the_sharing_api_too),
		cmocka_unit_test(the_empty_input_is_an_empty_object),
		cmocka_unit_test(types_are_compared_before_values),
		cmocka_unit_test(an_input_that_is_no_object_and_unknown_members),
		cmocka_unit_test(all_sixty_two_operations_are_known_by_name),
		cmocka_unit_test(an_operation_on_a_repository_requires_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
