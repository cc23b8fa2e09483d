#include "../unit.h"
#include "base/buf.h"
#include "crypt/hash.h"
#include "ecr/pages.h"
#include "meta/db.h"

struct fixture {
	char folder[256];
	struct db *db;
	struct auth *auth;
	struct arena *arena;
	struct page_scope scope;
};

static int setup(void **state)
{
	struct err err;
	char path[300];
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	ASSERT_DONE(crypt_init(&err));
	make_temp_folder(f->folder);
	snprintf(path, sizeof(path), "%s/berth.db", f->folder);
	struct db_options db = { .path = path };
	ASSERT_DONE(db_open(&db, &f->db, &err));
	struct auth_options auth = {
		.db = f->db, .account = "123456789012", .region = "eu-west-1"
	};
	ASSERT_DONE(auth_open(&auth, &f->auth, &err));
	f->arena = arena_new(MIB);
	f->scope = (struct page_scope){
		.auth = f->auth, .operation = STR("ListImages"), .repo = STR("team/app")
	};
	assert_true(registry_id_make(STR("123456789012"), STR("eu-west-1"), &f->scope.reg));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	arena_free(f->arena);
	auth_close(f->auth);
	db_close(f->db);
	remove_temp_folder(f->folder);
	free(f);
	return 0;
}

static struct str make(struct fixture *f, struct str cursor)
{
	struct err err;
	struct str token;
	ASSERT_DONE(page_token_make(&f->scope, cursor, f->arena, &token, &err));
	return token;
}

static void refuse(struct fixture *f, const struct page_scope *scope, struct str token)
{
	struct err err;
	struct str cursor;
	if (page_token_open(scope, token, f->arena, &cursor, &err))
		fail_msg("taken: %.*s", STR_ARG(token));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err.msg,
		"Invalid parameter at 'NextToken' failed to satisfy constraint: 'Invalid token'");
}

static void a_token_gives_its_cursor_back(void **state)
{
	static const char *const cursors[] = { "", "a", "team/app", "9223372036854775807 latest" };
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_LEN(cursors); i++) {
		struct err err;
		struct str cursor, token = make(f, str_from(cursors[i]));
		for (size_t k = 0; k < token.len; k++)
			assert_non_null(strchr(
				"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
				token.ptr[k]));
		ASSERT_DONE(page_token_open(&f->scope, token, f->arena, &cursor, &err));
		ASSERT_STR(cursor, cursors[i]);
	}
}

static void a_token_with_any_character_changed_is_refused(void **state)
{
	struct fixture *f = *state;
	struct str token = make(f, STR("12 latest"));
	char *copy = malloc(token.len);
	assert_non_null(copy);
	for (size_t i = 0; i < token.len; i++) {
		memcpy(copy, token.ptr, token.len);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		refuse(f, &f->scope, (struct str){ copy, token.len });
	}
	free(copy);
}

static void tokens_that_are_cut_lengthened_or_made_up_are_refused(void **state)
{
	struct fixture *f = *state;
	struct str token = make(f, STR("12 latest"));
	char *longer = malloc(token.len + 4);
	assert_non_null(longer);
	for (size_t n = 0; n < token.len; n++)
		refuse(f, &f->scope, str_sub(token, 0, n));
	memcpy(longer, token.ptr, token.len);
	memcpy(longer + token.len, "AAAA", 4);
	refuse(f, &f->scope, (struct str){ longer, token.len + 4 });
	free(longer);
	refuse(f, &f->scope, STR("12 latest"));
	refuse(f, &f->scope, STR("not base64url!"));
	char *huge = malloc(100000);
	assert_non_null(huge);
	memset(huge, 'A', 100000);
	refuse(f, &f->scope, (struct str){ huge, 100000 });
	free(huge);
}

static void a_token_fits_only_the_list_that_it_was_made_for(void **state)
{
	struct fixture *f = *state;
	struct str token = make(f, STR("12 latest"));
	struct page_scope other = f->scope;
	other.operation = STR("DescribeImages");
	refuse(f, &other, token);
	other = f->scope;
	other.repo = STR("team/other");
	refuse(f, &other, token);
	other.repo = STR("team/app\n12");
	refuse(f, &other, token);
	other = f->scope;
	assert_true(registry_id_make(STR("123456789012"), STR("eu-west-2"), &other.reg));
	refuse(f, &other, token);
	assert_true(registry_id_make(STR("123456789013"), STR("eu-west-1"), &other.reg));
	refuse(f, &other, token);
}

static void image_cursors_survive_the_way_to_the_client_and_back(void **state)
{
	struct image_cursor c = { .image_id = INT64_MAX }, back;
	char text[PAGE_CURSOR_MAX];
	(void)state;
	memset(c.tag, 'x', sizeof(c.tag) - 1);
	assert_true(page_cursor_parse(page_cursor_render(&c, text), &back));
	assert_int_equal(back.image_id, INT64_MAX);
	assert_string_equal(back.tag, c.tag);
	c = (struct image_cursor){ .image_id = 7 };
	assert_true(page_cursor_parse(page_cursor_render(&c, text), &back));
	assert_int_equal(back.image_id, 7);
	assert_string_equal(back.tag, "");
}

static void other_texts_are_no_image_cursors(void **state)
{
	static const char *const rows[] = { "", "7", "x tag", "-1 tag", " tag",
		"9223372036854775808 tag" };
	struct image_cursor c;
	char text[300];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_false(page_cursor_parse(str_from(rows[i]), &c));
	memset(text, 'x', sizeof(text));
	memcpy(text, "1 ", 2);
	assert_false(page_cursor_parse((struct str){ text, 2 + 129 }, &c));
	assert_true(page_cursor_parse((struct str){ text, 2 + 128 }, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_gives_its_cursor_back),
		cmocka_unit_test(a_token_with_any_character_changed_is_refused),
		cmocka_unit_test(tokens_that_are_cut_lengthened_or_made_up_are_refused),
		cmocka_unit_test(a_token_fits_only_the_list_that_it_was_made_for),
		cmocka_unit_test(image_cursors_survive_the_way_to_the_client_and_back),
		cmocka_unit_test(other_texts_are_no_image_cursors),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
