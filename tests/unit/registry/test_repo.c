#include "world.h"

static void each_mode_and_its_filters_say_which_tags_move(void **state UNUSED)
{
	static const struct {
		enum mutability mode;
		const char *filters[2];
		const char *tag;
		bool moves;
	} table[] = {
		{ MUTABLE, { NULL }, "v1", true },
		{ MUTABLE, { "v*" }, "v1", true },
		{ IMMUTABLE, { NULL }, "v1", false },
		{ IMMUTABLE, { "v*" }, "v1", false },
		{ MUTABLE_WITH_EXCLUSION, { NULL }, "v1", true },
		{ MUTABLE_WITH_EXCLUSION, { "v*" }, "v1", false },
		{ MUTABLE_WITH_EXCLUSION, { "v*" }, "latest", true },
		{ MUTABLE_WITH_EXCLUSION, { "x", "*-final" }, "v1-final", false },
		{ MUTABLE_WITH_EXCLUSION, { "x", "*-final" }, "v1-finals", true },
		{ IMMUTABLE_WITH_EXCLUSION, { NULL }, "v1", false },
		{ IMMUTABLE_WITH_EXCLUSION, { "dev-*" }, "dev-", true },
		{ IMMUTABLE_WITH_EXCLUSION, { "dev-*" }, "v1", false },
		{ IMMUTABLE_WITH_EXCLUSION, { "dev-*", "latest" }, "latest", true },
		{ IMMUTABLE_WITH_EXCLUSION, { "latest" }, "Latest", false },
		{ IMMUTABLE_WITH_EXCLUSION, { "*" }, "v1", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct repo r = { .mutability = table[i].mode };
		for (size_t k = 0; k < 2 && table[i].filters[k]; k++)
			r.filters[r.filter_count++] = str_from(table[i].filters[k]);
		if (repo_tag_is_mutable(&r, str_from(table[i].tag)) != table[i].moves)
			fail_msg("row %zu: %s", i, table[i].tag);
	}
}

static void what_a_repository_is_made_with_is_found_again(void **state)
{
	struct world *w = *state;
	struct err err;
	struct str filters[] = { STR("dev-*"), STR("latest") };
	struct repo_tag tags[] = { { STR("team"), STR("a") }, { STR("cost"), STR("") } }, *got;
	struct repo_new in = { .name = STR("team/app"),
		.enc_type = ENC_KMS,
		.kms_key = STR("alias/k"),
		.mutability = IMMUTABLE_WITH_EXCLUSION,
		.filters = filters,
		.filter_count = 2,
		.scan_on_push = true,
		.tags = tags,
		.tag_count = 2 };
	struct repo made, r;
	struct kms_key key = make_key(w, "alias/k");
	size_t n;
	ASSERT_DONE(repo_create(w->core, &w->reg, &in, w->arena, &made, &err));
	world_restart(w);
	r = get_repo(w, "team/app");
	assert_int_equal(r.id, made.id);
	ASSERT_STR(r.name, "team/app");
	assert_int_equal(r.mutability, IMMUTABLE_WITH_EXCLUSION);
	assert_int_equal(r.filter_count, 2);
	ASSERT_STR(r.filters[0], "dev-*");
	ASSERT_STR(r.filters[1], "latest");
	assert_true(r.scan_on_push);
	assert_int_equal(r.enc_type, ENC_KMS);
	assert_true(str_eq_c(r.kms_key, key.arn));
	ASSERT_DONE(repo_tags_get(w->core, &w->reg, STR("team/app"), w->arena, &got, &n, &err));
	assert_int_equal(n, 2);
	ASSERT_STR(got[0].key, "cost");
	ASSERT_STR(got[1].value, "a");
	ASSERT_FAILS(ERR_REPO_EXISTS, repo_create(w->core, &w->reg, &in, w->arena, &made, &err));
	in.name = STR("Bad");
	ASSERT_FAILS(ERR_NAME_INVALID, repo_create(w->core, &w->reg, &in, w->arena, &made, &err));
	ASSERT_DONE(repo_set_mutability(w->core, &w->reg, STR("team/app"), MUTABLE, NULL, 0, &err));
	assert_int_equal(get_repo(w, "team/app").filter_count, 0);
	assert_sound(w);
}

static struct kms_key key_named(struct world *w, const char *text)
{
	struct err err;
	struct kms_key key;
	struct kms_realm realm = { str_from(w->reg.account), str_from(w->reg.region) };
	ASSERT_DONE(kms_key_get(w->kms, &realm, str_from(text), w->arena, &key, &err));
	return key;
}

static void a_key_is_its_arn_whatever_name_it_was_given_by(void **state)
{
	struct world *w = *state;
	struct kms_key key = make_key(w, "alias/k"), other = make_key(w, NULL);
	const char *const names[] = { "alias/k", "arn:aws:kms:eu-west-1:000000000000:alias/k",
		key.id, key.arn };
	char name[8];
	struct kms_realm realm = { STR("000000000000"), STR("eu-west-1") };
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(name, sizeof(name), "r%zu", i);
		make_repo_of(w, name, ENC_KMS_DSSE, names[i]);
		assert_true(str_eq_c(get_repo(w, name).kms_key, key.arn));
	}
	make_repo_of(w, "managed", ENC_KMS, "");
	assert_true(str_eq_c(get_repo(w, "managed").kms_key, key_named(w, "alias/aws/ecr").arn));
	/* Where an alias points later is of no concern to what was made by it. */
	ASSERT_DONE(kms_alias_update(w->kms, &realm, STR("alias/k"), &other, &err));
	assert_true(str_eq_c(get_repo(w, "r0").kms_key, key.arn));
	make_repo_of(w, "later", ENC_KMS_DSSE, "alias/k");
	assert_true(str_eq_c(get_repo(w, "later").kms_key, other.arn));
}

static void a_key_that_is_not_there_or_not_usable_makes_no_repository(void **state)
{
	struct world *w = *state;
	struct err err;
	struct repo out;
	struct kms_key key = make_key(w, "alias/off");
	struct repo_new in = { .name = STR("r"), .enc_type = ENC_KMS, .mutability = MUTABLE };
	static const char *const absent[] = { "alias/none", "12345678-1234-1234-1234-123456789012",
		"arn:aws:kms:eu-west-1:000000000000:key/12345678-1234-1234-1234-123456789012" };
	for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
		in.kms_key = str_from(absent[i]);
		ASSERT_FAILS(ERR_KMS_KEY_UNKNOWN,
			repo_create(w->core, &w->reg, &in, w->arena, &out, &err));
	}
	ASSERT_DONE(kms_key_disable(w->kms, &key, &err));
	in.kms_key = STR("alias/off");
	ASSERT_FAILS(
		ERR_KMS_KEY_DISABLED, repo_create(w->core, &w->reg, &in, w->arena, &out, &err));
}

static void names_come_in_byte_order_page_by_page(void **state)
{
	struct world *w = *state;
	static const char *const names[] = { "a", "a-b", "a.b", "a/b", "a0", "ab", "b" };
	struct err err;
	for (size_t i = ARRAY_LEN(names); i-- > 0;)
		make_repo(w, names[i]);
	for (unsigned limit = 1; limit <= ARRAY_LEN(names) + 1; limit++) {
		struct repo_page page;
		struct str after = STR("");
		size_t at = 0;
		do {
			ASSERT_DONE(
				repo_list(w->core, &w->reg, after, limit, w->arena, &page, &err));
			assert_true(page.count <= limit);
			for (size_t i = 0; i < page.count; i++)
				assert_true(str_eq_c(page.items[i].name, names[at++]));
			after = page.items[page.count - 1].name;
		} while (page.more);
		assert_int_equal(at, ARRAY_LEN(names));
	}
}

static void a_deleted_repository_is_gone_at_once_and_its_name_is_free(void **state)
{
	struct world *w = *state;
	struct err err;
	struct repo out;
	struct repo_page page;
	make_repo(w, "r");
	int64_t id = get_repo(w, "r").id;
	struct digest d = push_image(w, "r", "c", "l", "t");
	ASSERT_FAILS(ERR_REPO_NOT_EMPTY,
		repo_delete(w->core, &w->reg, STR("r"), false, w->arena, &out, &err));
	ASSERT_DONE(repo_delete(w->core, &w->reg, STR("r"), true, w->arena, &out, &err));
	assert_int_equal(out.id, id);
	assert_int_equal(out.image_count, 1);
	ASSERT_FAILS(ERR_REPO_UNKNOWN,
		repo_delete(w->core, &w->reg, STR("r"), true, w->arena, &out, &err));
	ASSERT_FAILS(ERR_REPO_UNKNOWN, repo_get(w->core, &w->reg, STR("r"), w->arena, &out, &err));
	ASSERT_DONE(repo_list(w->core, &w->reg, STR(""), 10, w->arena, &page, &err));
	assert_int_equal(page.count, 0);
	make_repo(w, "r");
	assert_int_not_equal(get_repo(w, "r").id, id);
	struct image_ref ref = by_digest_ref(d);
	struct image_want want = { STR("r"), &ref, NULL };
	struct image image;
	ASSERT_FAILS(ERR_IMAGE_UNKNOWN, image_get(w->core, &w->reg, &want, w->arena, &image, &err));
	assert_sound(w);
	collect_all(w);
	assert_int_equal(get_repo(w, "r").logical_bytes, 0);
	assert_int_equal(objects(w), 0);
	assert_sound(w);
}

static void one_repository_has_at_most_fifty_tags(void **state)
{
	struct world *w = *state;
	struct err err;
	struct repo_tag tags[51], *got;
	char keys[51][8];
	size_t n;
	make_repo(w, "r");
	for (size_t i = 0; i < 51; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%02zu", i);
		tags[i] = (struct repo_tag){ str_from(keys[i]), STR("v") };
	}
	ASSERT_DONE(repo_tags_put(w->core, &w->reg, STR("r"), tags, 50, &err));
	/* All or none. */
	struct repo_tag two[] = { { STR("k00"), STR("new") }, tags[50] };
	ASSERT_FAILS(ERR_LIMIT, repo_tags_put(w->core, &w->reg, STR("r"), two, 2, &err));
	ASSERT_DONE(repo_tags_get(w->core, &w->reg, STR("r"), w->arena, &got, &n, &err));
	assert_int_equal(n, 50);
	ASSERT_STR(got[0].value, "v");
	/* Overwriting and removing is no addition. */
	ASSERT_DONE(repo_tags_put(w->core, &w->reg, STR("r"), two, 1, &err));
	struct str gone[] = { STR("k01"), STR("absent") };
	ASSERT_DONE(repo_tags_remove(w->core, &w->reg, STR("r"), gone, 2, &err));
	ASSERT_DONE(repo_tags_put(w->core, &w->reg, STR("r"), &tags[50], 1, &err));
	ASSERT_DONE(repo_tags_get(w->core, &w->reg, STR("r"), w->arena, &got, &n, &err));
	assert_int_equal(n, 50);
	ASSERT_STR(got[0].value, "new");
	ASSERT_STR(got[1].key, "k02");
	ASSERT_FAILS(ERR_REPO_UNKNOWN, repo_tags_put(w->core, &w->reg, STR("none"), two, 1, &err));
}

static void settings_take_only_what_they_know(void **state)
{
	struct world *w = *state;

	static const struct {
		const char *name, *value;
		bool good;
	} table[] = {
		{ "BLOB_MOUNTING", "ENABLED", true },
		{ "BLOB_MOUNTING", "DISABLED", true },
		{ "BLOB_MOUNTING", "enabled", false },
		{ "BLOB_MOUNTING", "", false },
		{ "BASIC_SCAN_TYPE_VERSION", "AWS_NATIVE", true },
		{ "BASIC_SCAN_TYPE_VERSION", "CLAIR", false },
		{ "REGISTRY_POLICY_SCOPE", "V2", true },
		{ "REGISTRY_POLICY_SCOPE", "V1", false },
		{ "OTHER", "ENABLED", false },
		{ "", "", false },
	};
	struct err err;
	struct str value;
	w->o.mounting_by_default = false;
	world_restart(w);
	ASSERT_DONE(setting_get(w->core, &w->reg, STR("BLOB_MOUNTING"), w->arena, &value, &err));
	ASSERT_STR(value, "DISABLED");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct str name = str_from(table[i].name), put_value = str_from(table[i].value);
		if (!table[i].good) {
			ASSERT_FAILS(
				ERR_INVALID, setting_put(w->core, &w->reg, name, put_value, &err));
			continue;
		}
		ASSERT_DONE(setting_put(w->core, &w->reg, name, put_value, &err));
		ASSERT_DONE(setting_get(w->core, &w->reg, name, w->arena, &value, &err));
		assert_true(str_eq(value, put_value));
	}
	/* Another registry has its own. */
	struct registry_id other;
	assert_true(registry_id_make(STR("000000000001"), STR("eu-west-1"), &other));
	ASSERT_DONE(setting_put(w->core, &other, STR("BLOB_MOUNTING"), STR("ENABLED"), &err));
	ASSERT_DONE(setting_get(w->core, &w->reg, STR("BLOB_MOUNTING"), w->arena, &value, &err));
	ASSERT_STR(value, "DISABLED");
	ASSERT_FAILS(
		ERR_INVALID, setting_get(w->core, &w->reg, STR("NONE"), w->arena, &value, &err));
}

static void registries_do_not_see_each_other(void **state)
{
	struct world *w = *state;
	struct registry_id home = w->reg, away;
	assert_true(registry_id_make(STR("000000000000"), STR("us-east-1"), &away));
	make_repo(w, "r");
	struct digest d = push(w, "r", "layer");
	w->reg = away;
	make_repo(w, "r");
	assert_false(holds(w, "r", &d));
	ASSERT_OUTCOME(NOT_FOUND, mount(w, "r", NULL, &d));
	push_image(w, "r", "config", "layer", "t");
	assert_int_equal(total(w).blobs, 2);
	w->reg = home;
	delete_repo(w, "r");
	collect_all(w);
	assert_int_equal(total(w).blobs, 0);
	w->reg = away;
	assert_true(holds(w, "r", &d));
	assert_sound(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mode_and_its_filters_say_which_tags_move),
		WORLD_TEST(what_a_repository_is_made_with_is_found_again),
		WORLD_TEST(a_key_is_its_arn_whatever_name_it_was_given_by),
		WORLD_TEST(a_key_that_is_not_there_or_not_usable_makes_no_repository),
		WORLD_TEST(names_come_in_byte_order_page_by_page),
		WORLD_TEST(a_deleted_repository_is_gone_at_once_and_its_name_is_free),
		WORLD_TEST(one_repository_has_at_most_fifty_tags),
		WORLD_TEST(settings_take_only_what_they_know),
		WORLD_TEST(registries_do_not_see_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
