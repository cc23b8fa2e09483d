/* The life of keys: resolved, aliased, disabled, deleted, rotated, listed. */
#include "base/thread.h"
#include "kms_fixture.h"

static const char *resolve(struct fixture *f, const char *text)
{
	struct err err;
	struct str arn;
	ASSERT_DONE(kms_resolve(f->kms, &realm, str_from(text), f->arena, &arn, &err));
	return arn.ptr;
}

static void a_key_is_the_same_by_id_arn_alias_and_alias_arn(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct kms_key key = make_key(f);
	ASSERT_DONE(kms_alias_create(f->kms, &realm, STR("alias/one"), &key, &err));
	ASSERT_DONE(kms_alias_create(f->kms, &realm, STR("alias/team/two"), &key, &err));
	const char *const texts[] = { key.id, key.arn, "alias/one", "alias/team/two",
		"arn:aws:kms:" REGION ":" ACCOUNT ":alias/one" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_string_equal(resolve(f, texts[i]), key.arn);
}

static void moving_an_alias_changes_what_it_names_from_then_on(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct kms_key a = make_key(f), b = make_key(f);
	ASSERT_DONE(kms_alias_create(f->kms, &realm, STR("alias/x"), &a, &err));
	const char *before = resolve(f, "alias/x");
	ASSERT_DONE(kms_alias_update(f->kms, &realm, STR("alias/x"), &b, &err));
	assert_string_equal(before, a.arn);
	assert_string_equal(resolve(f, "alias/x"), b.arn);
	ASSERT_DONE(kms_alias_delete(f->kms, &realm, STR("alias/x"), &err));
	struct str arn;
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_resolve(f->kms, &realm, STR("alias/x"), f->arena, &arn, &err));
	assert_string_equal(
		err.msg, "Alias arn:aws:kms:" REGION ":" ACCOUNT ":alias/x is not found.");
}

static void aliases_are_unique_and_stay_in_their_realm(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct kms_key key = make_key(f);
	ASSERT_DONE(kms_alias_create(f->kms, &realm, STR("alias/x"), &key, &err));
	ASSERT_FAILS(
		ERR_KMS_ALIAS_EXISTS, kms_alias_create(f->kms, &realm, STR("alias/x"), &key, &err));
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_alias_create(f->kms, &elsewhere, STR("alias/x"), &key, &err));
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_alias_create(f->kms, &stranger, STR("alias/x"), &key, &err));
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_alias_update(f->kms, &realm, STR("alias/none"), &key, &err));
	ASSERT_FAILS(
		ERR_KMS_KEY_UNKNOWN, kms_alias_delete(f->kms, &realm, STR("alias/none"), &err));
	for (int i = 1; i < KMS_ALIASES_MAX; i++) {
		char name[32];
		snprintf(name, sizeof(name), "alias/n%d", i);
		ASSERT_DONE(kms_alias_create(f->kms, &realm, str_from(name), &key, &err));
	}
	ASSERT_FAILS(ERR_LIMIT, kms_alias_create(f->kms, &realm, STR("alias/more"), &key, &err));
}

static void what_names_no_key_is_unknown(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "none", "Invalid keyId 'none'" },
		{ "alias/", "Invalid keyId 'alias/'" },
		{ "alias/a b", "Invalid keyId 'alias/a b'" },
		{ "arn:aws:kms:" REGION, "Invalid arn 'arn:aws:kms:" REGION "'" },
		{ "arn:aws:kms:" REGION ":12:key/12345678-1234-1234-1234-123456789012",
			"Invalid arn 'arn:aws:kms:" REGION
			":12:key/12345678-1234-1234-1234-123456789012'" },
		{ "arn:aws:kms:us-east-1:" ACCOUNT ":key/12345678-1234-1234-1234-123456789012",
			"Invalid arn us-east-1" },
		{ "12345678-1234-1234-1234-123456789012",
			"Key 'arn:aws:kms:" REGION ":" ACCOUNT
			":key/12345678-1234-1234-1234-123456789012' does not exist" },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err;
		struct str arn;
		ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
			kms_resolve(f->kms, &realm, str_from(cases[i].text), f->arena, &arn, &err));
		assert_string_equal(err.msg, cases[i].message);
	}
}

static void the_keys_of_another_account_or_region_are_unknown(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct str arn;
	struct kms_key key = make_key(f);
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_resolve(f->kms, &stranger, str_from(key.arn), f->arena, &arn, &err));
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_resolve(f->kms, &stranger, str_from(key.id), f->arena, &arn, &err));
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_resolve(f->kms, &elsewhere, str_from(key.id), f->arena, &arn, &err));
}

#define RACERS 12

struct racer {
	struct fixture *f;
	char arn[KMS_ARN_MAX];
};

static void race(void *arg)
{
	struct racer *r = arg;
	struct arena *arena = arena_new(64 * KIB);
	struct str arn;
	struct err err;
	if (kms_resolve(r->f->kms, &realm, STR(""), arena, &arn, &err))
		snprintf(r->arn, sizeof(r->arn), STR_FMT, STR_ARG(arn));
	arena_free(arena);
}

static void the_managed_key_is_made_once_though_many_want_it_first(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct racer racers[RACERS];
	struct thread *threads[RACERS];
	for (int i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){ .f = f };
		ASSERT_DONE(thread_start("race", race, &racers[i], 0, &threads[i], &err));
	}
	for (int i = 0; i < RACERS; i++)
		thread_join(threads[i]);
	for (int i = 0; i < RACERS; i++)
		assert_string_equal(racers[i].arn, racers[0].arn);
	struct kms_key_list keys;
	ASSERT_DONE(kms_key_list(f->kms, &realm, STR(""), 10, f->arena, &keys, &err));
	assert_int_equal(keys.count, 1);
	assert_string_equal(keys.items[0].arn, racers[0].arn);
	struct kms_key key = read_key(f, KMS_MANAGED_ECR);
	assert_string_equal(key.arn, racers[0].arn);
	assert_int_equal(key.manager, KMS_MANAGER_AWS);
	/* Another Region has its own. */
	struct str other;
	ASSERT_DONE(kms_resolve(f->kms, &elsewhere, STR(KMS_MANAGED_ECR), f->arena, &other, &err));
	assert_string_not_equal(other.ptr, key.arn);
}

static void the_managed_key_is_not_the_accounts_to_change(void **state)
{
	struct fixture *f = *state;
	struct err err;
	int64_t at;
	struct kms_key key = read_key(f, KMS_MANAGED_ECR);
	ASSERT_FAILS(ERR_DENIED, kms_key_disable(f->kms, &key, &err));
	ASSERT_FAILS(ERR_DENIED, kms_key_schedule_deletion(f->kms, &key, 7, &at, &err));
	ASSERT_FAILS(ERR_DENIED, kms_key_set_rotation(f->kms, &key, 0, &err));
	ASSERT_FAILS(ERR_DENIED, kms_key_rotate(f->kms, &key, &err));
	ASSERT_FAILS(ERR_DENIED, kms_key_describe(f->kms, &key, STR("mine"), &err));
	assert_int_equal(read_key(f, key.arn).state, KMS_ENABLED);
}

static void the_states_of_a_key_move_as_the_table_says(void **state)
{
	struct fixture *f = *state;
	struct err err;
	int64_t at;
	struct kms_key key = make_key(f);
	ASSERT_FAILS(ERR_KMS_KEY_STATE, kms_key_cancel_deletion(f->kms, &key, &err));
	ASSERT_DONE(kms_key_disable(f->kms, &key, &err));
	assert_int_equal(read_key(f, key.arn).state, KMS_DISABLED);
	struct str arn;
	ASSERT_FAILS(ERR_KMS_KEY_DISABLED,
		kms_resolve(f->kms, &realm, str_from(key.id), f->arena, &arn, &err));
	ASSERT_FAILS(ERR_KMS_KEY_DISABLED, kms_key_set_rotation(f->kms, &key, 365, &err));
	ASSERT_FAILS(ERR_KMS_KEY_DISABLED, kms_key_rotate(f->kms, &key, &err));
	ASSERT_DONE(kms_key_enable(f->kms, &key, &err));
	assert_string_equal(resolve(f, key.id), key.arn);
	ASSERT_FAILS(ERR_INVALID, kms_key_schedule_deletion(f->kms, &key, 6, &at, &err));
	ASSERT_FAILS(ERR_INVALID, kms_key_schedule_deletion(f->kms, &key, 31, &at, &err));
	ASSERT_DONE(kms_key_schedule_deletion(f->kms, &key, 7, &at, &err));
	assert_int_equal(read_key(f, key.arn).delete_at_ms, at);
	struct kms_tag tag = { STR("a"), STR("b") };
	ASSERT_FAILS(ERR_KMS_KEY_STATE,
		kms_resolve(f->kms, &realm, str_from(key.id), f->arena, &arn, &err));
	ASSERT_FAILS(ERR_KMS_KEY_STATE, kms_key_enable(f->kms, &key, &err));
	ASSERT_FAILS(ERR_KMS_KEY_STATE, kms_key_disable(f->kms, &key, &err));
	ASSERT_FAILS(ERR_KMS_KEY_STATE, kms_key_describe(f->kms, &key, STR("x"), &err));
	ASSERT_FAILS(ERR_KMS_KEY_STATE, kms_key_schedule_deletion(f->kms, &key, 7, &at, &err));
	ASSERT_FAILS(ERR_KMS_KEY_STATE, kms_key_tag(f->kms, &key, &tag, 1, &err));
	ASSERT_FAILS(
		ERR_KMS_KEY_STATE, kms_alias_create(f->kms, &realm, STR("alias/late"), &key, &err));
	ASSERT_DONE(kms_key_cancel_deletion(f->kms, &key, &err));
	key = read_key(f, key.arn);
	assert_int_equal(key.state, KMS_DISABLED);
	assert_int_equal(key.delete_at_ms, 0);
}

static void a_deleted_key_is_gone_when_its_time_has_come_and_not_before(void **state)
{
	struct fixture *f = *state;
	struct err err;
	int64_t at;
	bool more;
	struct data_key d;
	struct kms_key key = make_key(f), other = make_key(f);
	data_key_make(f, key.arn, &d);
	ASSERT_DONE(kms_alias_create(f->kms, &realm, STR("alias/x"), &key, &err));
	ASSERT_DONE(kms_key_schedule_deletion(f->kms, &key, 7, &at, &err));
	ASSERT_DONE(kms_tick(f->kms, at - 1, &more, &err));
	assert_false(more);
	assert_int_equal(read_key(f, key.arn).state, KMS_PENDING_DELETION);

	/* For a reader it is gone at that moment, whether the row is still there or not. */
	clock_shift_ms(7 * DAY_MS + 1000);
	struct kms_key got;
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_key_get(f->kms, &realm, str_from(key.arn), f->arena, &got, &err));
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN, kms_key_cancel_deletion(f->kms, &key, &err));
	ASSERT_DONE(kms_tick(f->kms, clock_now_ms(), &more, &err));
	clock_shift_ms(-7 * DAY_MS - 1000);

	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_key_get(f->kms, &realm, str_from(key.arn), f->arena, &got, &err));
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
		kms_key_get(f->kms, &realm, STR("alias/x"), f->arena, &got, &err));
	ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN, data_key_opens(f, key.arn, &d, &err));
	read_key(f, other.arn);
	buf_fini(&d.wrapped);
}

static void keys_that_are_due_are_rotated(void **state)
{
	struct fixture *f = *state;
	struct err err;
	bool more;
	struct kms_key key = make_key(f), off = make_key(f);
	ASSERT_DONE(kms_key_set_rotation(f->kms, &key, 90, &err));
	ASSERT_DONE(kms_key_set_rotation(f->kms, &off, 90, &err));
	ASSERT_DONE(kms_key_disable(f->kms, &off, &err));
	int64_t due = read_key(f, key.arn).rotate_at_ms;
	ASSERT_DONE(kms_tick(f->kms, due - 1, &more, &err));
	assert_int_equal(read_key(f, key.arn).version, 1);
	/* A server that was off for years rotates once, not once a period. */
	int64_t now = due + 1000 * DAY_MS;
	ASSERT_DONE(kms_tick(f->kms, now, &more, &err));
	assert_false(more);
	key = read_key(f, key.arn);
	assert_int_equal(key.version, 2);
	assert_int_equal(key.rotate_at_ms, now + 90 * DAY_MS);
	assert_int_equal(read_key(f, off.arn).version, 1);
	/* A disabled key waits, and is rotated as soon as it is enabled. */
	ASSERT_DONE(kms_key_enable(f->kms, &off, &err));
	ASSERT_DONE(kms_tick(f->kms, now, &more, &err));
	assert_int_equal(read_key(f, off.arn).version, 2);
	ASSERT_DONE(kms_key_set_rotation(f->kms, &key, 0, &err));
	ASSERT_DONE(kms_tick(f->kms, now + 1000 * DAY_MS, &more, &err));
	assert_int_equal(read_key(f, key.arn).version, 2);
	ASSERT_FAILS(ERR_INVALID, kms_key_set_rotation(f->kms, &key, 89, &err));
	ASSERT_FAILS(ERR_INVALID, kms_key_set_rotation(f->kms, &key, 2561, &err));
}

static void rotations_on_demand_are_limited_and_listed(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct kms_key key = make_key(f);
	for (int i = 0; i < KMS_DEMANDED_MAX; i++)
		ASSERT_DONE(kms_key_rotate(f->kms, &key, &err));
	ASSERT_FAILS(ERR_LIMIT, kms_key_rotate(f->kms, &key, &err));
	struct kms_rotation_list l;
	ASSERT_DONE(kms_key_rotations(f->kms, &key, 1, 20, f->arena, &l, &err));
	assert_int_equal(l.count, 20);
	assert_true(l.more);
	assert_int_equal(l.items[0].version, 2);
	assert_true(l.items[0].is_demanded);
	ASSERT_DONE(kms_key_rotations(f->kms, &key, 21, 20, f->arena, &l, &err));
	assert_int_equal(l.count, 5);
	assert_false(l.more);
}

static void lists_go_on_where_they_stopped(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct kms_key key = make_key(f);
	for (int i = 0; i < 6; i++)
		make_key(f);
	struct kms_key_list keys;
	char after[UUID_TEXT_LEN + 1] = "";
	unsigned seen = 0;
	do {
		ASSERT_DONE(
			kms_key_list(f->kms, &realm, str_from(after), 3, f->arena, &keys, &err));
		for (size_t i = 0; i < keys.count; i++) {
			assert_true(strcmp(keys.items[i].id, after) > 0);
			memcpy(after, keys.items[i].id, sizeof(after));
			seen++;
		}
	} while (keys.more);
	assert_int_equal(seen, 7);
	ASSERT_DONE(kms_key_list(f->kms, &stranger, STR(""), 3, f->arena, &keys, &err));
	assert_int_equal(keys.count, 0);

	struct kms_key second = make_key(f);
	static const char *const names[] = { "alias/a", "alias/b", "alias/c" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ASSERT_DONE(kms_alias_create(
			f->kms, &realm, str_from(names[i]), i == 1 ? &second : &key, &err));
	struct kms_alias_list aliases;
	struct kms_alias_query q = { .after = STR("alias/a"), .limit = 1 };
	ASSERT_DONE(kms_alias_list(f->kms, &realm, &q, f->arena, &aliases, &err));
	assert_int_equal(aliases.count, 1);
	assert_true(aliases.more);
	ASSERT_STR(aliases.items[0].name, "alias/b");
	assert_string_equal(aliases.items[0].key_id, second.id);
	q = (struct kms_alias_query){ .key = &second, .limit = 10 };
	ASSERT_DONE(kms_alias_list(f->kms, &realm, &q, f->arena, &aliases, &err));
	assert_int_equal(aliases.count, 1);
	assert_false(aliases.more);
}

static void tags_are_set_replaced_removed_and_limited(void **state)
{
	struct fixture *f = *state;
	struct err err;
	struct kms_tag first[] = { { STR("b"), STR("1") }, { STR("a"), STR("") } };
	struct kms_key_new in = { .description = STR(""), .tags = first, .tag_count = 2 };
	struct kms_key key;
	ASSERT_DONE(kms_key_create(f->kms, &realm, &in, f->arena, &key, &err));
	struct kms_tag again = { STR("b"), STR("2") };
	ASSERT_DONE(kms_key_tag(f->kms, &key, &again, 1, &err));
	struct kms_tag_list l;
	ASSERT_DONE(kms_key_tags(f->kms, &key, STR(""), 10, f->arena, &l, &err));
	assert_int_equal(l.count, 2);
	ASSERT_STR(l.items[1].value, "2");
	struct str gone[] = { STR("b"), STR("never there") };
	ASSERT_DONE(kms_key_untag(f->kms, &key, gone, 2, &err));
	ASSERT_DONE(kms_key_tags(f->kms, &key, STR(""), 10, f->arena, &l, &err));
	assert_int_equal(l.count, 1);
	ASSERT_STR(l.items[0].name, "a");
	struct kms_tag many[KMS_TAGS_MAX];
	char names[KMS_TAGS_MAX][8];
	for (int i = 0; i < KMS_TAGS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d", i);
		many[i] = (struct kms_tag){ str_from(names[i]), STR("") };
	}
	ASSERT_FAILS(ERR_LIMIT, kms_key_tag(f->kms, &key, many, KMS_TAGS_MAX, &err));
	ASSERT_DONE(kms_key_tags(f->kms, &key, STR(""), 10, f->arena, &l, &err));
	assert_int_equal(l.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_is_the_same_by_id_arn_alias_and_alias_arn),
		TEST(moving_an_alias_changes_what_it_names_from_then_on),
		TEST(aliases_are_unique_and_stay_in_their_realm),
		TEST(what_names_no_key_is_unknown),
		TEST(the_keys_of_another_account_or_region_are_unknown),
		TEST(the_managed_key_is_made_once_though_many_want_it_first),
		TEST(the_managed_key_is_not_the_accounts_to_change),
		TEST(the_states_of_a_key_move_as_the_table_says),
		TEST(a_deleted_key_is_gone_when_its_time_has_come_and_not_before),
		TEST(keys_that_are_due_are_rotated),
		TEST(rotations_on_demand_are_limited_and_listed),
		TEST(lists_go_on_where_they_stopped),
		TEST(tags_are_set_replaced_removed_and_limited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
