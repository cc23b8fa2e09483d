#include "registry/resource_policy.h"
#include "registry/template.h"
#include "world.h"

static void make_template(struct world *w, const char *prefix, unsigned uses)
{
	struct err err;
	struct template out;
	struct template in = { .prefix = str_from(prefix),
		.enc_type = ENC_AES256,
		.mutability = MUTABLE,
		.uses = uses };
	ASSERT_DONE(template_create(w->core, &w->reg, &in, w->arena, &out, &err));
}

static void the_longest_prefix_of_whole_components_counts(void **state)
{
	struct world *w = *state;
	struct err err;

	static const struct {
		const char *repo, *by; /* by NULL: none */
	} table[] = {
		{ "prod/x", "prod" },
		{ "prod", NULL },
		{ "production/x", NULL },
		{ "prod/team/x", "prod/team/" },
		{ "prod/team", "prod" },
		{ "prod/team/sub/x", "prod/team/" }, /* the longer one is for replication */
		{ "x", NULL },
		{ "", NULL },
	};

	make_template(w, "prod", TEMPLATE_CREATE_ON_PUSH);
	make_template(w, "prod/team/", TEMPLATE_CREATE_ON_PUSH | TEMPLATE_REPLICATION);
	make_template(w, "prod/team/sub", TEMPLATE_REPLICATION);
	for (int with_root = 0; with_root < 2; with_root++) {
		if (with_root)
			make_template(w, "ROOT", TEMPLATE_CREATE_ON_PUSH);
		for (size_t i = 0; i < ARRAY_LEN(table); i++) {
			struct template t;
			const char *by = table[i].by || !with_root ? table[i].by : "ROOT";
			ASSERT_DONE(template_find(w->core, &w->reg, str_from(table[i].repo),
				TEMPLATE_CREATE_ON_PUSH, w->arena, &t, &err));
			bool found = t.prefix.ptr != NULL;
			if (found != (by != NULL) || (found && !str_eq_c(t.prefix, by)))
				fail_msg("%s: by %.*s", table[i].repo,
					found ? (int)t.prefix.len : 4,
					found ? t.prefix.ptr : "none");
		}
	}
}

static void everything_that_a_template_says_is_found_again(void **state)
{
	struct world *w = *state;
	struct err err;
	struct template out;
	struct template again;
	const struct repo_tag tags[] = { { STR("team"), STR("blue") }, { STR("empty"), STR("") } };
	struct template in = { .prefix = STR("p"),
		.description = STR("d"),
		.enc_type = ENC_KMS,
		.kms_key = STR("arn:aws:kms:eu-west-1:000000000000:key/k"),
		.mutability = IMMUTABLE_WITH_EXCLUSION,
		.filters = { STR("a*"), STR("b") },
		.filter_count = 2,
		.tags = tags,
		.tag_count = 2,
		.repository_policy = STR("{}"),
		.lifecycle_policy = STR("{ }"),
		.uses = TEMPLATE_CREATE_ON_PUSH | TEMPLATE_PULL_THROUGH_CACHE,
		.role_arn = STR("arn:aws:iam::000000000000:role/r") };
	ASSERT_DONE(template_create(w->core, &w->reg, &in, w->arena, &out, &err));
	ASSERT_DONE(template_get(w->core, &w->reg, STR("p/"), w->arena, &again, &err));
	ASSERT_STR(again.description, "d");
	ASSERT_STR(again.kms_key, "arn:aws:kms:eu-west-1:000000000000:key/k");
	assert_int_equal(again.enc_type, ENC_KMS);
	assert_int_equal(again.mutability, IMMUTABLE_WITH_EXCLUSION);
	assert_int_equal(again.filter_count, 2);
	ASSERT_STR(again.filters[1], "b");
	assert_int_equal(again.tag_count, 2);
	ASSERT_STR(again.tags[0].value, "blue");
	ASSERT_STR(again.tags[1].key, "empty");
	ASSERT_STR(again.tags[1].value, "");
	ASSERT_STR(again.repository_policy, "{}");
	ASSERT_STR(again.lifecycle_policy, "{ }");
	assert_int_equal(again.uses, in.uses);
	ASSERT_STR(again.role_arn, "arn:aws:iam::000000000000:role/r");
	assert_true(again.created_at_ms == again.updated_at_ms && again.created_at_ms > 0);

	/* Only what an update names. */
	struct template change = { .prefix = STR("p"), .description = STR("new") };
	ASSERT_DONE(template_update(w->core, &w->reg, &change, TEMPLATE_DESCRIPTION | TEMPLATE_TAGS,
		w->arena, &again, &err));
	ASSERT_STR(again.description, "new");
	assert_int_equal(again.tag_count, 0);
	assert_int_equal(again.filter_count, 2);
	assert_int_equal(again.uses, in.uses);
	ASSERT_STR(again.lifecycle_policy, "{ }");
}

static void a_prefix_is_taken_once(void **state)
{
	struct world *w = *state;
	struct err err;
	struct template out;
	struct template in = { .prefix = STR("p/"), .enc_type = ENC_AES256, .mutability = MUTABLE };
	make_template(w, "p", TEMPLATE_CREATE_ON_PUSH);
	ASSERT_FAILS(
		ERR_TEMPLATE_EXISTS, template_create(w->core, &w->reg, &in, w->arena, &out, &err));
	ASSERT_DONE(template_delete(w->core, &w->reg, STR("p/"), w->arena, &out, &err));
	ASSERT_FAILS(ERR_TEMPLATE_UNKNOWN,
		template_delete(w->core, &w->reg, STR("p"), w->arena, &out, &err));
	ASSERT_FAILS(ERR_TEMPLATE_UNKNOWN,
		template_update(w->core, &w->reg, &in, 0, w->arena, &out, &err));
	ASSERT_FAILS(ERR_TEMPLATE_UNKNOWN,
		template_get(w->core, &w->reg, STR("p"), w->arena, &out, &err));
}

static void pages_end_early_when_the_arena_is_full(void **state)
{
	struct world *w = *state;
	struct err err;
	char policy[10001];
	char name[8];
	memset(policy, 'x', sizeof(policy) - 1);
	policy[sizeof(policy) - 1] = '\0';
	for (unsigned i = 0; i < 40; i++) {
		struct template out;
		snprintf(name, sizeof(name), "t%02u", i);
		struct template in = { .prefix = str_from(name),
			.enc_type = ENC_AES256,
			.mutability = MUTABLE,
			.repository_policy = str_from(policy) };
		ASSERT_DONE(template_create(w->core, &w->reg, &in, w->arena, &out, &err));
	}
	unsigned seen = 0;
	unsigned pages = 0;
	char after[8] = "";
	for (bool more = true; more; pages++) {
		struct template_page page;
		struct arena *arena = arena_new(150 * KIB);
		ASSERT_DONE(
			template_list(w->core, &w->reg, str_from(after), 100, arena, &page, &err));
		assert_true(page.count > 0);
		for (size_t i = 0; i < page.count; i++) {
			snprintf(name, sizeof(name), "t%02u", seen++);
			assert_true(str_eq_c(page.items[i].prefix, name));
		}
		assert_true(str_to_c(page.last, after, sizeof(after)));
		more = page.more;
		arena_free(arena);
	}
	assert_int_equal(seen, 40);
	assert_true(pages > 3);
}

static void a_repository_is_made_whole_and_only_once(void **state)
{
	struct world *w = *state;
	struct err err;
	struct str text;
	struct repo_tag *tags;
	size_t count;
	const struct repo_tag wanted[] = { { STR("team"), STR("blue") } };
	struct template t = { .enc_type = ENC_AES256,
		.mutability = IMMUTABLE,
		.tags = wanted,
		.tag_count = 1,
		.repository_policy = STR("{\"a\":1}") };
	uint64_t before = resource_policy_generation(w->core);
	for (int i = 0; i < 2; i++)
		ASSERT_DONE(template_apply(w->core, &w->reg, &t, STR("new/app"), w->arena, &err));
	assert_true(resource_policy_generation(w->core) != before);
	assert_int_equal(get_repo(w, "new/app").mutability, IMMUTABLE);
	ASSERT_DONE(resource_policy_find(w->core, &w->reg, STR("new/app"), w->arena, &text, &err));
	ASSERT_STR(text, "{\"a\":1}");
	ASSERT_DONE(repo_tags_get(w->core, &w->reg, STR("new/app"), w->arena, &tags, &count, &err));
	assert_int_equal(count, 1);
	ASSERT_FAILS(
		ERR_NAME_INVALID, template_apply(w->core, &w->reg, &t, STR("New"), w->arena, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(the_longest_prefix_of_whole_components_counts),
		WORLD_TEST(everything_that_a_template_says_is_found_again),
		WORLD_TEST(a_prefix_is_taken_once),
		WORLD_TEST(pages_end_early_when_the_arena_is_full),
		WORLD_TEST(a_repository_is_made_whole_and_only_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
