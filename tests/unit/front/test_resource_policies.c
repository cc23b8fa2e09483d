#include "../registry/world.h"
#include "base/thread.h"
#include "front/resource_policies.h"
#include "registry/resource_policy.h"

#define ALLOW \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"ecr:ListImages\"}]}"
#define DENY \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"ecr:ListImages\"}]}"
#define REGISTRY_DENY \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"ecr:ListImages\",\"Resource\":\"*\"}]}"
#define ARN "arn:aws:ecr:eu-west-1:000000000000:repository/"

static const struct str registry_itself = { NULL, 0 };

static struct auth_resource_policies take(struct auth_policy_source *s, const char *resource)
{
	struct err err;
	struct auth_resource_policies out;
	ASSERT_DONE(s->find(
		s->arg, STR("000000000000"), STR("eu-west-1"), str_from(resource), &out, &err));
	return out;
}

/* Which policies there are: "rr", "r-", "-r", "--" for repository and registry. */
static void assert_found(struct auth_policy_source *s, const char *resource, const char *wanted)
{
	struct auth_resource_policies p = take(s, resource);
	char got[3] = { p.repository ? 'r' : '-', p.registry ? 'r' : '-', '\0' };
	s->release(s->arg, &p);
	assert_string_equal(got, wanted);
}

static void put_policy(struct world *w, struct str repo, const char *text)
{
	struct err err;
	ASSERT_DONE(resource_policy_put(w->core, &w->reg, repo, str_from(text), &err));
}

static void what_changes_counts_at_once(void **state)
{
	struct world *w = *state;
	struct err err;
	struct str was;
	struct repo gone;
	struct resource_policies *p = resource_policies_new(w->core);
	struct auth_policy_source s = resource_policies_source(p);
	assert_found(&s, ARN "app", "--");
	make_repo(w, "app");
	assert_found(&s, ARN "app", "--");
	put_policy(w, STR("app"), ALLOW);
	assert_found(&s, ARN "app", "r-");
	assert_found(&s, ARN "other", "--");
	put_policy(w, registry_itself, REGISTRY_DENY);
	assert_found(&s, ARN "app", "rr");
	assert_found(&s, "*", "-r");
	assert_found(&s, ARN "*", "-r");
	ASSERT_DONE(
		resource_policy_remove(w->core, &w->reg, registry_itself, w->arena, &was, &err));
	assert_found(&s, ARN "app", "r-");
	ASSERT_DONE(repo_delete(w->core, &w->reg, STR("app"), true, w->arena, &gone, &err));
	assert_found(&s, ARN "app", "--");
	make_repo(w, "app");
	assert_found(&s, ARN "app", "--");
	resource_policies_free(p);
}

static void what_is_held_stays_as_it_was(void **state)
{
	struct world *w = *state;
	struct err err;
	struct str was;
	struct resource_policies *p = resource_policies_new(w->core);
	struct auth_policy_source s = resource_policies_source(p);
	make_repo(w, "app");
	put_policy(w, STR("app"), ALLOW);
	struct auth_resource_policies first = take(&s, ARN "app");
	struct auth_resource_policies same = take(&s, ARN "app");
	assert_ptr_equal(first.repository, same.repository); /* compiled once */
	make_repo(w, "unrelated");
	struct auth_resource_policies still = take(&s, ARN "app");
	assert_ptr_equal(first.repository, still.repository); /* read again, not compiled again */
	put_policy(w, STR("app"), DENY);
	struct auth_resource_policies second = take(&s, ARN "app");
	assert_ptr_not_equal(first.repository, second.repository);
	ASSERT_DONE(resource_policy_remove(w->core, &w->reg, STR("app"), w->arena, &was, &err));
	assert_found(&s, ARN "app", "--");
	s.release(s.arg, &same);
	s.release(s.arg, &still);
	s.release(s.arg, &second);
	s.release(s.arg, &first);
	resource_policies_free(p);
}

static void a_policy_that_cannot_be_read_is_an_error(void **state)
{
	struct world *w = *state;
	struct err err;
	struct auth_resource_policies out;
	struct resource_policies *p = resource_policies_new(w->core);
	struct auth_policy_source s = resource_policies_source(p);
	make_repo(w, "app");
	put_policy(w, STR("app"), "{\"Version\":\"2099-01-01\"}");
	ASSERT_FAILS(ERR_CORRUPT,
		s.find(s.arg, STR("000000000000"), STR("eu-west-1"), STR(ARN "app"), &out, &err));
	put_policy(w, STR("app"), ALLOW);
	assert_found(&s, ARN "app", "r-");
	resource_policies_free(p);
}

static void tags_are_read_again_when_they_change(void **state)
{
	struct world *w = *state;
	struct err err;
	const struct auth_tag *tags;
	size_t count;
	struct repo_tag blue = { STR("team"), STR("blue") };
	struct resource_policies *p = resource_policies_new(w->core);
	ASSERT_DONE(resource_policies_tags(p, &w->reg, STR("app"), w->arena, &tags, &count, &err));
	assert_int_equal(count, 0);
	make_repo(w, "app");
	ASSERT_DONE(repo_tags_put(w->core, &w->reg, STR("app"), &blue, 1, &err));
	ASSERT_DONE(resource_policies_tags(p, &w->reg, STR("app"), w->arena, &tags, &count, &err));
	assert_int_equal(count, 1);
	ASSERT_STR(tags[0].name, "team");
	ASSERT_STR(tags[0].value, "blue");
	ASSERT_DONE(repo_tags_remove(w->core, &w->reg, STR("app"), &blue.key, 1, &err));
	ASSERT_DONE(resource_policies_tags(p, &w->reg, STR("app"), w->arena, &tags, &count, &err));
	assert_int_equal(count, 0);
	resource_policies_free(p);
}

static void another_process_is_heard_of_within_seconds(void **state)
{
	struct world *w = *state;
	struct err err;
	struct core *other;
	struct resource_policies *p = resource_policies_new(w->core);
	struct auth_policy_source s = resource_policies_source(p);
	make_repo(w, "app");
	assert_found(&s, ARN "app", "--");
	ASSERT_DONE(core_open(&w->o, &other, &err));
	ASSERT_DONE(resource_policy_put(other, &w->reg, STR("app"), STR(ALLOW), &err));
	core_close(other);
	assert_found(&s, ARN "app", "--");
	clock_shift_ms(RESOURCE_FACTS_LIFE_MS + 1);
	assert_found(&s, ARN "app", "r-");
	resource_policies_free(p);
}

static void more_repositories_than_there_is_room_for(void **state)
{
	struct world *w = *state;
	struct resource_policies *p = resource_policies_new(w->core);
	struct auth_policy_source s = resource_policies_source(p);
	char name[64];
	put_policy(w, registry_itself, REGISTRY_DENY);
	make_repo(w, "app");
	put_policy(w, STR("app"), ALLOW);
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), ARN "r%u", i);
		assert_found(&s, name, "-r");
	}
	assert_found(&s, ARN "app", "rr");
	resource_policies_free(p);
}

struct crowd {
	struct auth_policy_source s;
	_Atomic bool is_over;
};

static void ask(void *arg)
{
	struct crowd *c = arg;
	while (!atomic_load(&c->is_over)) {
		struct auth_resource_policies held = take(&c->s, ARN "app");
		/* One of the two, whole: it is read while it may be replaced. */
		assert_non_null(held.repository);
		c->s.release(c->s.arg, &held);
	}
}

static void policies_are_replaced_while_others_read_them(void **state)
{
	struct world *w = *state;
	struct err err;
	struct thread *threads[3];
	struct resource_policies *p = resource_policies_new(w->core);
	struct crowd c = { .s = resource_policies_source(p) };
	make_repo(w, "app");
	put_policy(w, STR("app"), ALLOW);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ASSERT_DONE(thread_start("ask", ask, &c, 0, &threads[i], &err));
	for (unsigned i = 0; i < 300; i++)
		put_policy(w, STR("app"), i % 2 ? ALLOW : DENY);
	atomic_store(&c.is_over, true);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(threads[i]);
	resource_policies_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(what_changes_counts_at_once),
		WORLD_TEST(what_is_held_stays_as_it_was),
		WORLD_TEST(a_policy_that_cannot_be_read_is_an_error),
		WORLD_TEST(tags_are_read_again_when_they_change),
		WORLD_TEST(another_process_is_heard_of_within_seconds),
		WORLD_TEST(more_repositories_than_there_is_room_for),
		WORLD_TEST(policies_are_replaced_while_others_read_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
