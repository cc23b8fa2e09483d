/* The outbox: what a change leaves in it, for whom, and in which order it comes out. */
#include "registry/event.h"
#include "world.h"

static void configure(struct world *w, const struct event_webhook *hooks, size_t count)
{
	struct err err;
	uint64_t dropped = 0;
	ASSERT_DONE(event_configure(w->core, hooks, count, &dropped, &err));
}

static int told_up(void **state)
{
	static const struct event_webhook hooks[] = {
		{ STR("http://one/"), STR(""), 0 },
	};

	world_up(state);
	configure(*state, hooks, 1);
	make_repo(*state, "app");
	push(*state, "app", "{}");
	return 0;
}

#define TOLD_TEST(f) cmocka_unit_test_setup_teardown(f, told_up, world_down)

static size_t due(struct world *w, size_t hook, struct event_batch *out)
{
	struct err err;
	ASSERT_DONE(event_due(w->core, hook, clock_now_ms(), w->arena, out, &err));
	return out->count;
}

static void settle(struct world *w, const struct event_row *row, int64_t due_at_ms)
{
	struct err err;
	struct event_settled s = { row, due_at_ms };
	ASSERT_DONE(event_settle(w->core, &s, 1, &err));
}

static uint64_t waiting(struct world *w, size_t hook)
{
	struct err err;
	uint64_t n = 0;
	ASSERT_DONE(event_waiting(w->core, hook, &n, &err));
	return n;
}

static struct str image(struct world *w)
{
	return image_text(w, "{}", NULL, 0, NULL);
}

static void one_of_a_repository_comes_out_at_a_time_in_order(void **state)
{
	struct world *w = *state;
	struct event_batch b;
	static const char *const tags[] = { "a", "b", "c" };
	make_repo(w, "other");
	push(w, "other", "{}");
	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		put(w, "app", image(w), tags[i]);
	put(w, "other", image(w), "x");
	assert_int_equal(waiting(w, 0), 4);
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		size_t n = due(w, 0, &b);
		/* The other repository is not held up, and holds nothing up. */
		assert_int_equal(n, 2);
		size_t at = str_eq_c(b.rows[0].repository, "app") ? 0 : 1;
		ASSERT_STR(b.rows[at].repository, "app");
		ASSERT_STR(b.rows[at].tag, tags[i]);
		ASSERT_STR(b.rows[1 - at].repository, "other");
		settle(w, &b.rows[at], 0);
	}
	assert_int_equal(due(w, 0, &b), 1);
	settle(w, &b.rows[0], 0);
	assert_int_equal(due(w, 0, &b), 0);
	assert_int_equal(waiting(w, 0), 0);
}

static void what_is_put_off_holds_up_what_comes_after(void **state)
{
	struct world *w = *state;
	struct event_batch b;
	put(w, "app", image(w), "a");
	put(w, "app", image(w), "b");
	assert_int_equal(due(w, 0, &b), 1);
	settle(w, &b.rows[0], clock_now_ms() + 60000);
	assert_int_equal(due(w, 0, &b), 0);
	clock_shift_ms(61000);
	assert_int_equal(due(w, 0, &b), 1);
	ASSERT_STR(b.rows[0].tag, "a");
	assert_int_equal(b.rows[0].tries, 1);
	/* Settled twice, as after a crash: nothing of the next one is lost. */
	settle(w, &b.rows[0], 0);
	settle(w, &b.rows[0], 0);
	assert_int_equal(due(w, 0, &b), 1);
	ASSERT_STR(b.rows[0].tag, "b");
	assert_int_equal(waiting(w, 0), 1);
	clock_shift_ms(-61000);
}

static void what_fails_is_not_told(void **state)
{
	struct world *w = *state;
	struct event_batch b;
	struct err err;
	struct str text = image_text(w, "{\"never\":\"pushed\"}", NULL, 0, NULL);
	assert_false(try_put(w, "app", text, "a", &err));
	assert_int_equal(due(w, 0, &b), 0);
	assert_int_equal(waiting(w, 0), 0);
}

static void what_changes_nothing_is_not_told(void **state)
{
	struct world *w = *state;
	struct event_batch b;
	put(w, "app", image(w), "a");
	put(w, "app", image(w), "a");
	assert_int_equal(waiting(w, 0), 1);
	assert_int_equal(due(w, 0, &b), 1);
}

static void webhooks_get_what_they_want(void **state)
{
	static const struct event_webhook hooks[] = {
		{ STR("http://all/"), STR(""), 0 },
		{ STR("http://some/"), STR("team-a/*"), 0 },
		{ STR("http://referrers/"), STR(""), EVENT_REFERRER },
	};

	struct world *w = *state;
	configure(w, hooks, ARRAY_LEN(hooks));
	make_repo(w, "team-a/app");
	push(w, "team-a/app", "{}");
	struct str text = image(w);
	struct digest d = digest_of(text);
	put(w, "app", text, "v1");
	put(w, "team-a/app", text, "v1");
	put(w, "app", image_text(w, "{}", NULL, 0, &d), NULL);
	assert_int_equal(waiting(w, 0), 3);
	assert_int_equal(waiting(w, 1), 1);
	assert_int_equal(waiting(w, 2), 1);
	struct event_batch b;
	assert_int_equal(due(w, 2, &b), 1);
	assert_int_equal(b.rows[0].kind, EVENT_REFERRER);
	ASSERT_STR(b.rows[0].tag, "");
}

static void a_webhook_outlives_restarts_until_it_is_not_configured(void **state)
{
	struct world *w = *state;
	struct err err;
	uint64_t dropped = 0;
	put(w, "app", image(w), "a");
	/* A tool: it knows of webhooks by the database alone, and drops nothing. */
	world_restart(w);
	ASSERT_DONE(event_load(w->core, &err));
	put(w, "app", image(w), "b");
	assert_int_equal(waiting(w, 0), 2);
	ASSERT_DONE(event_configure(w->core, NULL, 0, &dropped, &err));
	assert_int_equal(dropped, 2);
	put(w, "app", image(w), "c");
	struct event_webhook again = { STR("http://one/"), STR(""), 0 };
	configure(w, &again, 1);
	assert_int_equal(waiting(w, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOLD_TEST(one_of_a_repository_comes_out_at_a_time_in_order),
		TOLD_TEST(what_is_put_off_holds_up_what_comes_after),
		TOLD_TEST(what_fails_is_not_told),
		TOLD_TEST(what_changes_nothing_is_not_told),
		TOLD_TEST(webhooks_get_what_they_want),
		TOLD_TEST(a_webhook_outlives_restarts_until_it_is_not_configured),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
