/*
 * Every step of the database and every call of the store fails once, at every place that an
 * operation passes. After each failure nothing is damaged or miscounted, and doing it again
 * succeeds.
 */
#include "lifecycle_world.h"

/* One way to use the rules. prepare makes its stage, act is run again until no fault is left to
 * meet, check looks at the end. */
struct play {
	const char *name;
	void (*prepare)(struct world *w);
	bool (*act)(struct world *w, struct err *err);
	void (*check)(struct world *w);
};

static void two_repos(struct world *w)
{
	make_repo(w, "a");
	make_repo(w, "b");
}

/* --- push an image --- */

static bool act_push(struct world *w, struct err *err)
{
	struct upload_result r;
	return try_push(w, "a", STR("config"), &r, err) &&
	       try_push(w, "a", STR("layer"), &r, err) &&
	       try_put(w, "a", image_text(w, "config", (const char *[]){ "layer" }, 1, NULL), "t",
		       err);
}

static void assert_image(struct world *w, const char *repo)
{
	struct err err;
	struct image i;
	struct image_ref ref = by_tag("t");
	struct digest c = digest_of(STR("config")), l = digest_of(STR("layer"));
	ASSERT_DONE(image_describe_one(w->core, &w->reg, str_from(repo), &ref, w->arena, &i, &err));
	assert_true(holds(w, repo, &c) && holds(w, repo, &l));
}

static void check_push(struct world *w)
{
	assert_image(w, "a");
}

/* --- one upload that goes on after each failure --- */

static char going_on[UUID_TEXT_LEN + 1];

static void prepare_session(struct world *w)
{
	struct err err;
	two_repos(w);
	ASSERT_DONE(upload_start(w->core, &w->reg, STR("a"), DIGEST_SHA256, going_on, &err));
}

static bool write_session(struct world *w, struct err *err)
{
	static const char text[] = "config";
	struct str repo = STR("a"), id = str_from(going_on);
	struct digest d = digest_of(STR("config"));
	struct upload_result r;
	struct upload *u = NULL;
	uint64_t size = 0;
	if (!upload_status(w->core, &w->reg, repo, id, &size, err))
		return err->kind == ERR_UPLOAD_UNKNOWN && holds(w, "a", &d);
	if (!upload_take(w->core, &w->reg, repo, id, &u, err))
		return false;
	size = upload_size(u);
	bool ok = size <= 6 && (size == 6 || upload_write(u, text + size, 6 - size, err)) &&
		  upload_finish(u, &d, &r, err);
	upload_release(u);
	return ok;
}

static bool act_session(struct world *w, struct err *err)
{
	return write_session(w, err) &&
	       try_put(w, "a", image_text(w, "config", NULL, 0, NULL), "t", err);
}

static void check_session(struct world *w)
{
	struct digest d = digest_of(STR("config"));
	assert_true(holds(w, "a", &d));
}

/* --- mount, and an image of mounted layers --- */

static void prepare_mount(struct world *w)
{
	two_repos(w);
	push_image(w, "a", "config", "layer", "t");
}

static bool try_mount(struct world *w, const char *text, struct err *err)
{
	char hex[DIGEST_TEXT_MAX];
	struct digest d = digest_of(str_from(text));
	struct mount_result r;
	struct mount_request in = { .target = STR("b"),
		.source = STR("a"),
		.digest = str_from(digest_text(&d, hex)),
		.may_read = may_read_all };
	if (!any_mount(w, &in, w->arena, &r, err))
		return false;
	assert_true(r.outcome == MOUNT_MOUNTED || r.outcome == MOUNT_PRESENT);
	return true;
}

static bool act_mount(struct world *w, struct err *err)
{
	return try_mount(w, "config", err) && try_mount(w, "layer", err) &&
	       try_put(w, "b", image_text(w, "config", (const char *[]){ "layer" }, 1, NULL), "t",
		       err);
}

static void check_mount(struct world *w)
{
	assert_image(w, "a");
	assert_image(w, "b");
}

/* --- delete an index, its image, the repository, and collect --- */

static void prepare_delete(struct world *w)
{
	struct err err;
	char id[UUID_TEXT_LEN + 1];
	prepare_mount(w);
	ASSERT_DONE(act_mount(w, &err));
	struct digest d = push_image(w, "a", "c2", "l2", NULL);
	put(w, "a", index_text(w, &d, 1), "index");
	ASSERT_DONE(upload_start(w->core, &w->reg, STR("a"), DIGEST_SHA256, id, &err));
}

static bool gone(bool done, const struct err *err, enum err_kind kind)
{
	return done || err->kind == kind;
}

static bool act_delete(struct world *w, struct err *err)
{
	struct image_ref index = by_tag("index");
	struct repo out;
	struct collect_report r = { 0 };
	struct str a = STR("a");
	struct digest l2 = digest_of(STR("l2"));
	bool ok = image_delete(w->core, &w->reg,
		&(struct image_delete){ .repo = a, .ref = &index, .also_last = true }, w->arena,
		NULL, err);
	if (!gone(ok, err, ERR_IMAGE_UNKNOWN) && !gone(ok, err, ERR_REPO_UNKNOWN))
		return false;
	struct image_ref image =
		by_digest_ref(digest_of(image_text(w, "c2", (const char *[]){ "l2" }, 1, NULL)));
	ok = image_delete(w->core, &w->reg,
		&(struct image_delete){ .repo = a, .ref = &image, .also_last = true }, w->arena,
		NULL, err);
	if (!gone(ok, err, ERR_IMAGE_UNKNOWN) && !gone(ok, err, ERR_REPO_UNKNOWN))
		return false;
	ok = blob_unlink(w->core, &w->reg, a, &l2, err);
	if (!gone(ok, err, ERR_BLOB_UNKNOWN) && !gone(ok, err, ERR_REPO_UNKNOWN))
		return false;
	ok = repo_delete(w->core, &w->reg, a, true, w->arena, &out, err);
	if (!gone(ok, err, ERR_REPO_UNKNOWN))
		return false;
	return collect_run(w->core, LATER, 100, &r, err) &&
	       collect_run(w->core, LATER + 1000 * HOUR_MS, 100, &r, err);
}

static void check_delete(struct world *w)
{
	assert_image(w, "b");
	assert_int_equal(objects(w), 2);
	assert_int_equal(total(w).waiting_bytes, 0);
}

/* --- to the archive and back, a preview, and a policy that takes all but one image --- */

static void prepare_lifecycle(struct world *w)
{
	two_repos(w);
	struct digest old = push_image(w, "a", "c2", "l2", "old");
	make_referrer(w, "a", old, "{\"sbom\":1}");
	make_index(w, "a", old, "index");
	push_image(w, "a", "config", "layer", "t");
}

static bool move_tagged(struct world *w, const char *tag, bool to_archive, struct err *err)
{
	struct archive_result r;
	struct archive_request in = {
		.repo = STR("a"), .ref = by_tag(tag), .to_archive = to_archive
	};
	bool ok = archive_update(w->core, &w->reg, &in, &r, err);
	/* The second time it may be on its way back, or gone. */
	return gone(ok, err, ERR_STORAGE_CLASS) || gone(ok, err, ERR_IMAGE_UNKNOWN);
}

static bool act_lifecycle(struct world *w, struct err *err)
{
	struct lifecycle_report r = { 0 };
	struct str a = STR("a"), text = str_from(KEEP_ONE);
	bool ok = move_tagged(w, "index", true, err) && move_tagged(w, "old", true, err) &&
		  move_tagged(w, "t", true, err) && move_tagged(w, "t", false, err) &&
		  move_tagged(w, "index", false, err) && move_tagged(w, "old", false, err) &&
		  lifecycle_put(w->core, &w->reg, a, text, err);
	if (!ok)
		return false;
	ok = lifecycle_preview(w->core, &w->reg, a, text, w->arena, &text, err);
	return gone(ok, err, ERR_PREVIEW_BUSY) &&
	       lifecycle_run(w->core, clock_now_ms(), 100, &r, err) &&
	       lifecycle_run_all(w->core, STR(""), clock_now_ms(), &r, err);
}

static void check_lifecycle(struct world *w)
{
	assert_image(w, "a");
	assert_int_equal(get_repo(w, "a").image_count, 1);
}

static const struct play plays[] = {
	{ "push", two_repos, act_push, check_push },
	{ "session", prepare_session, act_session, check_session },
	{ "mount", prepare_mount, act_mount, check_mount },
	{ "delete", prepare_delete, act_delete, check_delete },
	{ "lifecycle", prepare_lifecycle, act_lifecycle, check_lifecycle },
};

static void assert_kind(const struct err *err)
{
	if (err->kind != ERR_UNAVAILABLE && err->kind != ERR_STORAGE_FULL)
		fail_msg("%s: %s %s", err_kind_name(err->kind), err->msg, err->detail);
}

enum fault { STORE_FAULT, STEP_FAULT, LOST_FAULT };

static void arm(struct world *w, enum fault fault, unsigned n)
{
	if (fault == STORE_FAULT)
		store_fault_set(w->store, n, ERR_UNAVAILABLE);
	else
		db_fault_set(w->db, n, fault == STEP_FAULT ? DB_FAULT_IO : DB_FAULT_FULL_LOST,
			DB_FAULT_AT_ANY);
}

static bool is_spent(struct world *w, enum fault fault)
{
	return fault == STORE_FAULT ? store_fault_is_spent(w->store) : db_fault_left(w->db) == 0;
}

/* Returns false when the n-th call never came. */
static bool play_with_fault(const struct play *play, enum fault fault, unsigned n)
{
	void *state;
	struct err err;
	world_up(&state);
	struct world *w = state;
	play->prepare(w);
	arm(w, fault, n);
	bool done = play->act(w, &err);
	bool spent = is_spent(w, fault);
	arm(w, fault, 0);
	if (!done) {
		assert_true(spent);
		assert_kind(&err);
	}
	assert_sound(w);
	if (n % 2)
		world_restart(w);
	if (!play->act(w, &err))
		fail_msg("%s, %u: again: %s %s", play->name, n, err.msg, err.detail);
	play->check(w);
	assert_sound(w);
	if (spent) {
		collect_all(w);
		play->check(w);
		assert_int_equal(objects(w), total(w).blobs); /* no bytes that nothing names */
		assert_sound(w);
	}
	world_down(&state);
	return spent;
}

static void play_all(enum fault fault)
{
	for (size_t i = 0; i < ARRAY_LEN(plays); i++) {
		unsigned n = 1;
		while (play_with_fault(&plays[i], fault, n))
			n++;
		print_message("%s: %u places\n", plays[i].name, n - 1);
		/* A mount and a policy touch no bytes. */
		bool touches = plays[i].act != act_mount && plays[i].act != act_lifecycle;
		assert_true(fault == STORE_FAULT ? (n > 1) == touches : n > 30);
	}
}

static void any_call_of_the_store_may_fail(void **state UNUSED)
{
	play_all(STORE_FAULT);
}

static void any_step_of_the_database_may_fail(void **state UNUSED)
{
	play_all(STEP_FAULT);
}

static void any_step_may_take_the_whole_transaction_with_it(void **state UNUSED)
{
	play_all(LOST_FAULT);
}

int main(int argc, char **argv UNUSED)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_call_of_the_store_may_fail),
		cmocka_unit_test(any_step_of_the_database_may_fail),
		cmocka_unit_test(any_step_may_take_the_whole_transaction_with_it),
	};
	return RUN_EITHER_WAY(tests, argc);
}
