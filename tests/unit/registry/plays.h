/*
 * plays.h - the ways to use the rules that the tests of faults go: each is played with a fault at
 * its first, second, third... place until none is left to meet. After each fault nothing is
 * damaged, miscounted or lost that was acknowledged, and doing it again succeeds.
 */
#ifndef BERTH_TESTS_REGISTRY_PLAYS_H
#define BERTH_TESTS_REGISTRY_PLAYS_H

#include "base/thread.h"
#include "lifecycle_world.h"

/* A way to fail. */
struct fault {
	void (*arm)(struct world *w, unsigned n); /* the n-th use fails; 0: none */
	bool (*is_spent)(struct world *w);
	bool (*is_kind)(enum err_kind kind); /* what a caller may be told */
	bool reopens;                        /* the database is closed and opened after some */
	unsigned stride; /* each stride-th place is tried; 0: each; BERTH_LONG=1: each */
};

/* One way to use the rules. prepare makes its stage, act is run again until no fault is left to
 * meet, check looks at the end. */
struct play {
	const char *name;
	void (*prepare)(struct world *w);
	bool (*act)(struct world *w, struct err *err);
	void (*check)(struct world *w);
};

/* What was acknowledged since the stage was made. */
static struct {
	const char *repo, *text;
} acks[8];

static size_t ack_count;

static bool ack(bool done, const char *repo, const char *text)
{
	if (done && ack_count < ARRAY_LEN(acks)) {
		acks[ack_count].repo = repo;
		acks[ack_count++].text = text;
	}
	return done;
}

static void assert_acks(struct world *w)
{
	for (size_t i = 0; i < ack_count; i++) {
		struct digest d = digest_of(str_from(acks[i].text));
		assert_true(holds(w, acks[i].repo, &d));
	}
}

/* The test's own text: no fault is meant for it. */
static struct str image_of(struct world *w, const char *config, const char *layer)
{
	SPARED_FROM_FAULTS;
	return image_text(w, config, &layer, layer ? 1 : 0, NULL);
}

static void two_repos(struct world *w)
{
	make_repo(w, "a");
	make_repo(w, "b");
}

/* --- push an image --- */

static bool act_push(struct world *w, struct err *err)
{
	struct upload_result r;
	return ack(try_push(w, "a", STR("config"), &r, err), "a", "config") &&
	       ack(try_push(w, "a", STR("layer"), &r, err), "a", "layer") &&
	       try_put(w, "a", image_of(w, "config", "layer"), "t", err);
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

static bool try_open(struct world *w, const char *repo, const struct digest *d, struct err *err)
{
	struct blob_info info;
	struct blob_reader *r = NULL;
	if (!blob_open(w->core, &w->reg, str_from(repo), d, &info, &r, err))
		return false;
	blob_reader_close(r);
	return true;
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
		return err->kind == ERR_UPLOAD_UNKNOWN && try_open(w, "a", &d, err);
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
	return ack(write_session(w, err), "a", "config") &&
	       try_put(w, "a", image_of(w, "config", NULL), "t", err);
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
	return ack(try_mount(w, "config", err), "b", "config") &&
	       ack(try_mount(w, "layer", err), "b", "layer") &&
	       try_put(w, "b", image_of(w, "config", "layer"), "t", err);
}

static void check_mount(struct world *w)
{
	assert_image(w, "a");
	assert_image(w, "b");
}

/* --- pull an image --- */

static void prepare_pull(struct world *w)
{
	two_repos(w);
	push_image(w, "a", "config", "layer", "t");
}

/* What comes is what was pushed, whatever fails; bytes that are short come with an error. */
static bool pull_blob(struct world *w, const char *text, struct err *err)
{
	struct digest d = digest_of(str_from(text));
	struct blob_info info;
	struct blob_reader *r = NULL;
	char got[16] = { 0 };
	size_t n = 0;
	if (!blob_open(w->core, &w->reg, STR("a"), &d, &info, &r, err))
		return false;
	bool ok = blob_reader_pread(r, got, sizeof(got), 0, &n, err);
	blob_reader_close(r);
	if (ok) {
		assert_int_equal(n, strlen(text));
		assert_memory_equal(got, text, n);
	}
	return ok;
}

static bool act_pull(struct world *w, struct err *err)
{
	struct buf bytes CLEANUP(buf_fini) = { 0 };
	struct image_ref ref = by_tag("t");
	struct image_want want = { STR("a"), &ref, &bytes };
	struct image out;
	buf_init(&bytes, MANIFEST_STORED_MAX);
	if (!image_get(w->core, &w->reg, &want, w->arena, &out, err))
		return false;
	assert_true(str_eq(buf_str(&bytes), image_of(w, "config", "layer")));
	return pull_blob(w, "config", err) && pull_blob(w, "layer", err);
}

static void check_pull(struct world *w)
{
	struct err err;
	assert_image(w, "a");
	ASSERT_DONE(act_pull(w, &err));
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
	struct image_ref image = by_digest_ref(digest_of(image_of(w, "c2", "l2")));
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
	       lifecycle_run(w->core, clock_now_ms(), clock_now_ms(), 100, &r, err) &&
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
	{ "pull", prepare_pull, act_pull, check_pull },
	{ "mount", prepare_mount, act_mount, check_mount },
	{ "delete", prepare_delete, act_delete, check_delete },
	{ "lifecycle", prepare_lifecycle, act_lifecycle, check_lifecycle },
};

/* Closes the database and opens it again, as a restart of the server does. */
static void reopen(struct world *w)
{
	struct err err;
	struct db_options o = { .path = w->path };
	core_close(w->core);
	kms_close(w->kms);
	w->kms = NULL;
	db_close(w->db);
	ASSERT_DONE(db_open(&o, &w->db, &err));
	world_open_kms(w);
	world_open_core(w);
}

/* As a request has it: an arena of its own, which grows from nothing. */
static bool act_once(const struct play *play, const struct fault *fault, struct world *w,
	unsigned n, struct err *err)
{
	struct arena *outer = w->arena;
	w->arena = arena_new(MIB);
	assert_non_null(w->arena);
	fault->arm(w, n);
	bool done = play->act(w, err);
	bool spent = fault->is_spent(w);
	fault->arm(w, 0);
	arena_free(w->arena);
	w->arena = outer;
	if (!done) {
		assert_true(spent);
		if (!fault->is_kind(err->kind))
			fail_msg("%s, %u: %s: %s %s", play->name, n, err_kind_name(err->kind),
				err->msg, err->detail);
	}
	return spent;
}

/* Returns false when the n-th use never came. */
static bool play_with_fault(const struct play *play, const struct fault *fault, unsigned n)
{
	void *state;
	struct err err;
	world_up(&state);
	struct world *w = state;
	play->prepare(w);
	ack_count = 0;
	bool spent = act_once(play, fault, w, n, &err);
	assert_sound(w);
	assert_acks(w);
	if (n % 2)
		world_restart(w);
	if (n % 4 == 1 && fault->reopens) {
		reopen(w);
		assert_sound(w);
		assert_acks(w);
	}
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

/* The number of places at which it failed. */
static unsigned play_all_places(const struct play *play, const struct fault *fault)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
	unsigned stride = fault->stride == 0 || getenv("BERTH_LONG") ? 1 : fault->stride;
	unsigned n = 1, tried = 0;
	for (; play_with_fault(play, fault, n); n += stride)
		tried++;
	print_message("%s: %u of %u places\n", play->name, tried, n - 1);
	return tried;
}

#endif
