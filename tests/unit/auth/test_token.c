/* Registry tokens and signed texts. */
#include "auth/key_cache.h"
#include "auth/token.h"
#include "auth_fixture.h"

#define ROOT "arn:aws:iam::" TEST_ACCOUNT ":root"

static const struct principal somebody = {
	.account = { TEST_ACCOUNT, 12 },
	.region = { "ap-south-2", 10 },
	.arn = { ROOT, sizeof(ROOT) - 1 },
	.user_id = { TEST_ACCOUNT, 12 },
	.key_id = { TEST_KEY_ID, sizeof(TEST_KEY_ID) - 1 },
	.is_root = true,
};

static int setup(void **state)
{
	fixture_setup(state);
	fixture_put_key(*state, TEST_KEY_ID, ROOT, true);
	return 0;
}

static struct str issue(struct fixture *f, const struct principal *who)
{
	struct err err;
	struct str token;
	int64_t expires_at_ms;
	ASSERT_DONE(token_issue(f->auth, who, f->arena, &token, &expires_at_ms, &err));
	return token;
}

static void a_token_brings_its_principal_back(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct str token;
	struct principal who;
	int64_t expires_at_ms, now = clock_now_ms();
	ASSERT_DONE(token_issue(f->auth, &somebody, f->arena, &token, &expires_at_ms, &err));
	assert_true(expires_at_ms >= now + TOKEN_LIFE_MS);
	assert_true(expires_at_ms < now + TOKEN_LIFE_MS + 60000);
	ASSERT_DONE(token_verify(f->auth, token, f->arena, &who, &err));
	ASSERT_STR(who.account, TEST_ACCOUNT);
	ASSERT_STR(who.region, "ap-south-2");
	ASSERT_STR(who.arn, ROOT);
	ASSERT_STR(who.user_id, TEST_ACCOUNT);
	ASSERT_STR(who.key_id, TEST_KEY_ID);
	assert_true(who.is_root);
}

static void a_principal_of_another_kind_is_not_root(void **state)
{
	static const char *const arns[] = { "arn:aws:iam::" TEST_ACCOUNT ":user/root",
		"arn:aws:iam::" TEST_ACCOUNT ":user/x:root", "arn:aws:sts::" TEST_ACCOUNT ":root",
		"root" };
	struct fixture *f = *state;
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(arns); i++) {
		char id[8];
		struct principal user = somebody, who;
		snprintf(id, sizeof(id), "AKIA%zu", i);
		fixture_put_key(f, id, arns[i], true);
		user.arn = str_from(arns[i]);
		user.key_id = str_from(id);
		ASSERT_DONE(token_verify(f->auth, issue(f, &user), f->arena, &who, &err));
		ASSERT_STR(who.arn, arns[i]);
		assert_false(who.is_root);
	}
}

/* What a server gives away with --no-auth is nothing to one that checks. */
static void a_token_without_key_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal anyone, who;
	auth_default_principal(f->auth, &anyone);
	ASSERT_FAILS(ERR_UNAUTHENTICATED,
		token_verify(f->auth, issue(f, &anyone), f->arena, &who, &err));
}

static bool disable(struct db_conn *c, void *arg, struct err *err)
{
	const struct key_owner root = { .account = STR(TEST_ACCOUNT) };
	bool found;
	(void)arg;
	return key_table_set_active(c, &root, STR(TEST_KEY_ID), false, &found, err);
}

static void a_token_ends_with_its_key(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal who;
	struct str token = issue(f, &somebody);
	ASSERT_DONE(token_verify(f->auth, token, f->arena, &who, &err));
	/* As another process would do it: known after five seconds. */
	ASSERT_DONE(db_write(f->db, disable, NULL, &err));
	clock_shift_ms(KEY_CACHE_LIFE_MS);
	bool accepted = token_verify(f->auth, token, f->arena, &who, &err);
	clock_shift_ms(-KEY_CACHE_LIFE_MS);
	assert_false(accepted);
	assert_int_equal(err.kind, ERR_UNAUTHENTICATED);
}

static void a_token_is_a_password_that_fits_anywhere(void **state)
{
	struct fixture *f = *state;
	struct err err;
	char arn[1100];
	struct principal longest = somebody, who;
	memset(arn, 'a', sizeof(arn));
	longest.arn = (struct str){ arn, 1024 };
	longest.region = STR("a123456789-123456789-1234");
	longest.key_id = STR("AKIA5678901234567890123456789012");
	char principal[1025] = "";
	memcpy(principal, arn, 1024);
	fixture_put_key(f, "AKIA5678901234567890123456789012", principal, true);
	struct str token = issue(f, &longest);
	assert_true(token.len < 2048);
	for (size_t i = 0; i < token.len; i++)
		assert_non_null(
			strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
				token.ptr[i]));
	ASSERT_DONE(token_verify(f->auth, token, f->arena, &who, &err));
	assert_true(str_eq(who.arn, longest.arn));

	int64_t expires_at_ms;
	longest.arn.len = 1025;
	ASSERT_FAILS(
		ERR_LIMIT, token_issue(f->auth, &longest, f->arena, &token, &expires_at_ms, &err));
}

static void a_token_altered_anywhere_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct str token = issue(f, &somebody);
	struct principal who;
	char copy[2048];
	for (size_t i = 0; i < token.len; i++) {
		static const char others[] = "AB_-9z:+=\n ";
		for (const char *c = others; *c != '\0'; c++) {
			memcpy(copy, token.ptr, token.len);
			if (copy[i] == *c)
				continue;
			copy[i] = *c;
			ASSERT_FAILS(ERR_UNAUTHENTICATED,
				token_verify(f->auth, (struct str){ copy, token.len }, f->arena,
					&who, &err));
		}
	}
	for (size_t len = 0; len < token.len; len++)
		ASSERT_FAILS(
			ERR_UNAUTHENTICATED, token_verify(f->auth, (struct str){ token.ptr, len },
						     f->arena, &who, &err));
	memcpy(copy, token.ptr, token.len);
	for (int extra = 0; extra < 4; extra++) {
		copy[token.len + (size_t)extra] = 'A';
		ASSERT_FAILS(ERR_UNAUTHENTICATED,
			token_verify(f->auth, (struct str){ copy, token.len + 1 + (size_t)extra },
				f->arena, &who, &err));
	}
}

static void a_token_ends_after_twelve_hours(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal who;
	struct str token = issue(f, &somebody);
	clock_shift_ms(TOKEN_LIFE_MS - 60000);
	bool still_good = token_verify(f->auth, token, f->arena, &who, &err);
	clock_shift_ms(60000);
	bool too_late = token_verify(f->auth, token, f->arena, &who, &err);
	clock_shift_ms(-TOKEN_LIFE_MS);
	assert_true(still_good);
	assert_false(too_late);
	assert_int_equal(err.kind, ERR_TOKEN_EXPIRED);
	assert_string_equal(
		err.msg, "Your authorization token has expired. Reauthenticate and try again.");
}

static void a_token_outlives_a_restart_and_is_nothing_to_another_server(void **state)
{
	struct fixture *f = *state, *other;
	struct err err;
	struct principal who;
	struct str token = issue(f, &somebody);
	struct str signature = token_sign_text(f->auth, STR("text"), f->arena);
	fixture_open_auth(f, false);
	ASSERT_DONE(token_verify(f->auth, token, f->arena, &who, &err));
	assert_true(token_check_text(f->auth, STR("text"), signature));

	void *other_state;
	fixture_setup(&other_state);
	other = other_state;
	bool accepted = token_verify(other->auth, token, f->arena, &who, &err) ||
			token_check_text(other->auth, STR("text"), signature);
	fixture_teardown(&other_state);
	assert_false(accepted);
}

/* "<scheme><base64 of user:password>" in the arena. */
static struct str basic(
	struct fixture *f, const char *scheme, const char *user, struct str password)
{
	struct str plain = arena_printf(f->arena, "%s" STR_FMT, user, STR_ARG(password));
	struct str out = arena_printf(f->arena, "%s%*s", scheme, (int)BASE64_LEN(plain.len), "");
	assert_non_null(out.ptr);
	char *p = arena_alloc(f->arena, out.len + 1);
	memcpy(p, out.ptr, out.len);
	base64_encode((const uint8_t *)plain.ptr, plain.len, p + strlen(scheme));
	return (struct str){ p, out.len };
}

static void a_token_is_taken_from_basic_credentials(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal who;
	struct str token = issue(f, &somebody);
	static const char *const good[] = { "Basic ", "basic ", "BASIC ", "Basic   ", " Basic " };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ASSERT_DONE(token_from_basic(
			f->auth, basic(f, good[i], "AWS:", token), f->arena, &who, &err));
		ASSERT_STR(who.region, "ap-south-2");
	}

	static const struct {
		const char *scheme, *user;
	} bad[] = { { "Bearer ", "AWS:" }, { "Basic", "AWS:" }, { "", "AWS:" },
		{ "Basic ", "aws:" }, { "Basic ", "" }, { "Basic ", ":" }, { "Basic ", "AWS" },
		{ "Basic ", "AWSX:" }, { "Basic ", "AWS::" }, { "Basic !", "AWS:" },
		{ "Basic ====", "AWS:" } };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_FAILS(ERR_UNAUTHENTICATED,
			token_from_basic(f->auth, basic(f, bad[i].scheme, bad[i].user, token),
				f->arena, &who, &err));
	ASSERT_FAILS(ERR_UNAUTHENTICATED,
		token_from_basic(f->auth, (struct str){ NULL, 0 }, f->arena, &who, &err));
	assert_string_equal(err.msg, "Not Authorized");
	ASSERT_FAILS(ERR_UNAUTHENTICATED,
		token_from_basic(f->auth, STR("Basic "), f->arena, &who, &err));
	ASSERT_FAILS(ERR_UNAUTHENTICATED,
		token_from_basic(f->auth, STR("Basic QVdTOg=="), f->arena, &who, &err));

	char big[8000] = "Basic ";
	memset(big + 6, 'A', sizeof(big) - 6);
	ASSERT_FAILS(ERR_UNAUTHENTICATED,
		token_from_basic(f->auth, (struct str){ big, sizeof(big) }, f->arena, &who, &err));
}

/* Only that its MAC was right is remembered. */
static void a_token_that_was_seen_before_is_judged_anew(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal who;
	struct str header = basic(f, "Basic ", "AWS:", issue(f, &somebody));
	for (int i = 0; i < 3; i++) {
		who = (struct principal){ 0 };
		ASSERT_DONE(token_from_basic(f->auth, header, f->arena, &who, &err));
		ASSERT_STR(who.arn, ROOT);
		ASSERT_STR(who.region, "ap-south-2");
		assert_true(who.is_root);
	}
	char *text = (char *)(uintptr_t)header.ptr;
	for (size_t i = header.len - 80; i < header.len; i++) {
		char was = text[i];
		if (was == '=')
			continue;
		text[i] = was == 'A' ? 'B' : 'A';
		ASSERT_FAILS(ERR_UNAUTHENTICATED,
			token_from_basic(f->auth, header, f->arena, &who, &err));
		text[i] = was;
	}
	struct str cut = { header.ptr, header.len - 4 };
	ASSERT_FAILS(ERR_UNAUTHENTICATED, token_from_basic(f->auth, cut, f->arena, &who, &err));
	clock_shift_ms(TOKEN_LIFE_MS);
	bool accepted = token_from_basic(f->auth, header, f->arena, &who, &err);
	clock_shift_ms(-TOKEN_LIFE_MS);
	assert_false(accepted);
	assert_int_equal(err.kind, ERR_TOKEN_EXPIRED);
	ASSERT_DONE(token_from_basic(f->auth, header, f->arena, &who, &err));
	ASSERT_DONE(db_write(f->db, disable, NULL, &err));
	clock_shift_ms(KEY_CACHE_LIFE_MS);
	accepted = token_from_basic(f->auth, header, f->arena, &who, &err);
	clock_shift_ms(-KEY_CACHE_LIFE_MS);
	assert_false(accepted);
	assert_int_equal(err.kind, ERR_UNAUTHENTICATED);
}

static void more_tokens_than_are_remembered_all_work(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal who;
	struct str headers[200];
	char ids[200][20];
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct principal user = somebody;
		snprintf(ids[i], sizeof(ids[i]), "AKIAMANY%zu", i);
		fixture_put_key(f, ids[i], ROOT, true);
		user.key_id = str_from(ids[i]);
		headers[i] = basic(f, "Basic ", "AWS:", issue(f, &user));
	}
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
			ASSERT_DONE(token_from_basic(f->auth, headers[i], f->arena, &who, &err));
			ASSERT_STR(who.key_id, ids[i]);
		}
	}
}

static void without_auth_any_header_will_do(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct principal who;
	fixture_open_auth(f, true);
	ASSERT_DONE(token_from_basic(f->auth, STR("nonsense"), f->arena, &who, &err));
	ASSERT_STR(who.arn, ROOT);
	ASSERT_DONE(token_from_basic(f->auth, (struct str){ NULL, 0 }, f->arena, &who, &err));
	ASSERT_STR(who.account, TEST_ACCOUNT);
}

static void a_signed_text_is_checked(void **state)
{
	struct fixture *f = *state;
	struct str text = STR("/v2/r/blobs/sha256:00?expires=1");
	struct str signature = token_sign_text(f->auth, text, f->arena);
	char copy[65] = "";
	assert_int_equal(signature.len, 64);
	assert_true(token_check_text(f->auth, text, signature));
	assert_false(token_check_text(f->auth, STR("/v2/r/blobs/sha256:00?expires=2"), signature));
	assert_false(token_check_text(f->auth, text, (struct str){ NULL, 0 }));
	assert_false(token_check_text(f->auth, text, str_sub(signature, 0, 62)));
	for (size_t i = 0; i < 64; i++) {
		memcpy(copy, signature.ptr, 64);
		copy[i] = copy[i] == '0' ? '1' : '0';
		assert_false(token_check_text(f->auth, text, (struct str){ copy, 64 }));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_token_brings_its_principal_back),
		TEST(a_principal_of_another_kind_is_not_root),
		TEST(a_token_without_key_is_refused),
		TEST(a_token_ends_with_its_key),
		TEST(a_token_is_a_password_that_fits_anywhere),
		TEST(a_token_altered_anywhere_is_refused),
		TEST(a_token_ends_after_twelve_hours),
		TEST(a_token_outlives_a_restart_and_is_nothing_to_another_server),
		TEST(a_token_is_taken_from_basic_credentials),
		TEST(a_token_that_was_seen_before_is_judged_anew),
		TEST(more_tokens_than_are_remembered_all_work),
		TEST(without_auth_any_header_will_do),
		TEST(a_signed_text_is_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
