/* The entity modules on a real database: what they find and leave alone, the sums they keep, and
 * that a recount notices every sum that is off. */
#include "../unit.h"
#include "base/arena.h"
#include "meta/blob_table.h"
#include "meta/image_table.h"
#include "meta/registry_table.h"
#include "meta/repo_table.h"
#include "meta/state_table.h"
#include "meta/tag_event_table.h"
#include "meta/upload_table.h"

struct tables {
	char folder[256], path[280];
	struct db *db;
	struct arena *arena;
	int64_t registry, pool, repo[3];
};

static struct tables t;

/* Runs the body of a test in one transaction; its asserts are outside. */
static void write_in(db_fn fn, void *arg)
{
	struct err err;
	ASSERT_DONE(db_write(t.db, fn, arg, &err));
}

static void read_in(db_fn fn, void *arg)
{
	struct err err;
	ASSERT_DONE(db_read(t.db, fn, arg, &err));
}

static bool seed_in(struct db_conn *c, void *arg UNUSED, struct err *err)
{
	static const char *const names[] = { "a", "b", "c" };
	if (!registry_table_ensure(c, STR("000000000000"), STR("eu-west-1"), 1, &t.registry, err) ||
		!pool_table_ensure(c, t.registry, 1, STR(""), &t.pool, err))
		return false;
	for (size_t i = 0; i < 3; i++) {
		struct repo_row row = { .registry_id = t.registry,
			.pool_id = t.pool,
			.name = str_from(names[i]),
			.mutability = 1 };
		int64_t count;
		if (!repo_table_add(c, &row, &t.repo[i], err) ||
			!registry_table_repositories(c, t.registry, 1, &count, err))
			return false;
	}
	return true;
}

static int up(void **state UNUSED)
{
	struct err err;
	make_temp_folder(t.folder);
	snprintf(t.path, sizeof(t.path), "%s/berth.db", t.folder);
	struct db_options o = { .path = t.path };
	ASSERT_DONE(db_open(&o, &t.db, &err));
	t.arena = arena_new(4 * MIB);
	write_in(seed_in, NULL);
	return 0;
}

static int down(void **state UNUSED)
{
	arena_free(t.arena);
	db_close(t.db);
	remove_temp_folder(t.folder);
	return 0;
}

static struct digest digest_number(uint8_t n)
{
	struct digest d = { .alg = DIGEST_SHA256 };
	d.hash[0] = n;
	d.hash[31] = n;
	return d;
}

/* --- blobs and links --- */

static bool add_blob(struct db_conn *c, uint8_t n, struct blob_row *out, struct err *err)
{
	bool found;
	struct blob_row row = { .pool_id = t.pool, .digest = digest_number(n), .size_bytes = n };
	row.store_key[0] = n;
	return blob_table_add(c, &row, &row.id, err) && blob_table_get(c, row.id, out, &found, err);
}

/* Links with the blob as it is now. */
static bool link_blob(struct db_conn *c, int64_t repo, int64_t blob_id, struct err *err)
{
	struct blob_row blob;
	bool found;
	struct link_row link = {
		.repository_id = repo, .blob_id = blob_id, .origin = LINK_UPLOADED
	};
	return blob_table_get(c, blob_id, &blob, &found, err) &&
	       link_table_add(c, &link, &blob, err);
}

static bool unlink_blob(struct db_conn *c, int64_t repo, int64_t blob_id, struct err *err)
{
	struct blob_row blob;
	bool found;
	return blob_table_get(c, blob_id, &blob, &found, err) &&
	       link_table_remove(c, repo, &blob, 77, err);
}

struct sums {
	struct blob_row blob;
	int64_t stored[3], logical[3];
	struct registry_sums registry;
	uint64_t candidates;
	bool found;
};

static bool sums_in(struct db_conn *c, void *arg, struct err *err)
{
	static const char *const names[] = { "a", "b", "c" };
	struct sums *s = arg;
	struct digest d = digest_number(5);
	for (size_t i = 0; i < 3; i++) {
		struct repo_row row;
		bool found;
		if (!repo_table_find(c, t.registry, str_from(names[i]), t.arena, &row, &found, err))
			return false;
		s->stored[i] = row.stored_bytes;
		s->logical[i] = row.logical_bytes;
	}
	return blob_table_find(c, t.pool, &d, &s->blob, &s->found, err) &&
	       registry_table_next(c, 0, &s->registry, &s->found, err) &&
	       candidate_table_count(c, &s->candidates, err);
}

struct step {
	int64_t repo, blob;
	bool add;
};

static bool step_in(struct db_conn *c, void *arg, struct err *err)
{
	struct step *s = arg;
	struct blob_row blob;
	if (!s->repo) {
		if (!add_blob(c, 5, &blob, err))
			return false;
		s->blob = blob.id;
		return true;
	}
	return s->add ? link_blob(c, s->repo, s->blob, err) : unlink_blob(c, s->repo, s->blob, err);
}

static void assert_sums(
	size_t payer, size_t links, uint64_t stored, uint64_t waiting, uint64_t candidates)
{
	struct sums s = { 0 };
	read_in(sums_in, &s);
	assert_int_equal(s.blob.links, links);
	assert_int_equal(s.blob.payer, payer < 3 ? t.repo[payer] : 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(s.stored[i], i == payer ? 5 : 0);
	assert_int_equal(s.logical[0] + s.logical[1] + s.logical[2], 5 * links);
	assert_int_equal(s.registry.links, links);
	assert_int_equal(s.registry.logical_bytes, 5 * links);
	assert_int_equal(s.registry.stored_bytes, stored);
	assert_int_equal(s.registry.waiting_bytes, waiting);
	assert_int_equal(s.candidates, candidates);
}

static void a_blob_is_paid_for_by_one_of_its_holders(void **state UNUSED)
{
	struct step s = { 0 };
	write_in(step_in, &s);
	assert_sums(9, 0, 5, 5, 0);

	static const struct {
		size_t repo;
		bool add;
		size_t payer, links;
		uint64_t waiting, candidates;
	} steps[] = {
		{ 1, true, 1, 1, 0, 0 },
		{ 0, true, 1, 2, 0, 0 },
		{ 2, true, 1, 3, 0, 0 },
		{ 1, false, 0, 2, 0, 0 }, /* the payer goes: the holder with the smallest id pays */
		{ 2, false, 0, 1, 0, 0 },
		{ 2, true, 0, 2, 0, 0 },
		{ 0, false, 2, 1, 0, 0 },
		{ 2, false, 9, 0, 5, 1 }, /* the last one: waiting, and a candidate */
		{ 0, true, 0, 1, 0, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		s.repo = t.repo[steps[i].repo];
		s.add = steps[i].add;
		write_in(step_in, &s);
		assert_sums(
			steps[i].payer, steps[i].links, 5, steps[i].waiting, steps[i].candidates);
	}
}

static bool remove_blob_in(struct db_conn *c, void *arg, struct err *err)
{
	struct blob_row blob;
	bool *trashed = arg;
	return add_blob(c, 9, &blob, err) && blob_table_remove(c, &blob, err) &&
	       trash_table_has(c, blob.store_key, trashed, err);
}

static void a_removed_blob_is_in_the_trash_and_in_no_sum(void **state UNUSED)
{
	bool trashed = false;
	struct registry_sums s;
	write_in(remove_blob_in, &trashed);
	assert_true(trashed);
	struct sums sums = { 0 };
	read_in(sums_in, &sums);
	s = sums.registry;
	assert_int_equal(s.blobs + s.stored_bytes + s.waiting_bytes, 0);
}

/* What is not there leaves the output alone. */
static bool absent_in(struct db_conn *c, void *arg UNUSED, struct err *err)
{
	struct digest d = digest_number(200);
	struct blob_row blob = { .id = 4711 };
	struct image_row image = { .id = 4711 };
	struct upload_row upload = { .short_at = 4711 };
	struct repo_row repo = { .id = 4711 };
	struct link_row link = { .needs = 4711 };
	struct repo_key key = { 1, 1 };
	struct repo_key in_use = { t.repo[0], t.pool };
	uint8_t store_key[16] = { 1 };
	int64_t id = 1, registry = 1, needs = 4711;
	bool found = true, live = true;
	struct str text = STR("x");
	bool ok = blob_table_find(c, t.pool, &d, &blob, &found, err) && !found &&
		  blob_table_get(c, 99, &blob, &found, err) && !found &&
		  blob_table_next(c, 99, &blob, &found, err) && !found && blob.id == 4711 &&
		  link_table_find(c, 99, 99, &link, &found, err) && !found && link.needs == 4711 &&
		  link_table_find_digest(c, &in_use, &d, &blob, &needs, &found, err) && !found &&
		  needs == 4711 &&
		  image_table_find(c, t.repo[0], &d, t.arena, &image, &found, err) && !found &&
		  image_table_get(c, 99, NULL, t.arena, &image, &found, err) && !found &&
		  image_table_newest(c, t.repo[0], t.arena, &image, &found, err) && !found &&
		  image.id == 4711 && upload_table_find(c, store_key, &upload, &found, err) &&
		  !found && upload.short_at == 4711 &&
		  repo_table_find(c, t.registry, STR("none"), t.arena, &repo, &found, err) &&
		  !found && repo.id == 4711 &&
		  repo_table_key(c, t.registry, STR("none"), &key, err) && key.id == 0 &&
		  repo_table_is_live(c, 99, &live, err) && !live &&
		  repo_table_name(c, 99, t.arena, &text, &live, err) && !text.ptr && !live &&
		  repo_table_pool(c, 99, &id, err) && id == 0 &&
		  repo_table_next_dying(c, 0, &id, &registry, err) && id == 0 && registry == 0 &&
		  tag_table_find(c, t.repo[0], STR("x"), &id, err) && id == 0 &&
		  setting_table_get(c, t.registry, STR("x"), t.arena, &text, err) && !text.ptr &&
		  registry_table_find(c, STR("1"), STR("x"), &id, err) && id == 0 &&
		  upload_table_remove(c, store_key, &found, err) && !found;
	return ok || err_set(err, ERR_INTERNAL, "something was found");
}

static void what_is_absent_leaves_the_output_alone(void **state UNUSED)
{
	write_in(absent_in, NULL);
}

/* --- images and tags --- */

static bool add_image(struct db_conn *c, uint8_t n, int64_t *id, struct err *err)
{
	struct image_row row = { .repository_id = t.repo[0],
		.digest = digest_number(n),
		.kind = 1,
		.media_type = STR("x/y"),
		.artifact_type = STR(""),
		.manifest = STR("{}") };
	struct pool_delta d = { .images = 1 };
	return image_table_add(c, &row, id, err) &&
	       repo_table_add_sums(c, t.repo[0], 1, 0, 0, err) &&
	       pool_table_add(c, t.pool, &d, err);
}

static bool tags_of(struct db_conn *c, int64_t id, int64_t *tags, struct err *err)
{
	struct image_row row;
	bool found;
	if (!image_table_get(c, id, NULL, t.arena, &row, &found, err))
		return false;
	*tags = row.tags;
	return true;
}

struct tag_counts {
	int64_t first, second;
};

#define AT(ms) (&(struct tag_stamp){ .at_ms = (ms) })

static bool move_tags_in(struct db_conn *c, void *arg, struct err *err)
{
	struct tag_counts *n = arg;
	int64_t a, b;
	struct str x = STR("x"), y = STR("y"), z = STR("z");
	return add_image(c, 1, &a, err) && add_image(c, 2, &b, err) &&
	       tag_table_put(c, t.repo[0], x, a, 0, AT(1), err) &&
	       tag_table_put(c, t.repo[0], y, a, 0, AT(1), err) &&
	       tag_table_put(c, t.repo[0], z, a, 0, AT(1), err) &&
	       tag_table_put(c, t.repo[0], x, a, a, AT(2), err) && /* again */
	       tag_table_put(c, t.repo[0], y, b, a, AT(2), err) && /* moved */
	       tag_table_remove(c, t.repo[0], z, a, AT(3), err) && tags_of(c, a, &n->first, err) &&
	       tags_of(c, b, &n->second, err);
}

static bool drop_tags_in(struct db_conn *c, void *arg, struct err *err)
{
	struct tag_counts *n = arg;
	int64_t id;
	return tag_table_find(c, t.repo[0], STR("x"), &id, err) &&
	       tag_table_remove_of_image(c, t.repo[0], id, AT(4), err) &&
	       tags_of(c, id, &n->first, err);
}

static void an_image_knows_how_many_tags_it_has(void **state UNUSED)
{
	struct tag_counts n;
	write_in(move_tags_in, &n);
	assert_int_equal(n.first, 1);
	assert_int_equal(n.second, 1);
	write_in(drop_tags_in, &n);
	assert_int_equal(n.first, 0);
}

/* Three tags, the second of which has as many events already as are kept of one. */
static bool remove_together_in(struct db_conn *c, void *arg UNUSED, struct err *err)
{
	struct tag_stamp stamp = { 9, STR("somebody") };
	int64_t a, b;
	if (!add_image(c, 3, &a, err) || !add_image(c, 4, &b, err) ||
		!tag_table_put(c, t.repo[0], STR("c"), a, 0, AT(1), err) ||
		!tag_table_put(c, t.repo[0], STR("b"), b, 0, AT(1), err))
		return false;
	for (int i = 1; i < TAG_EVENTS_OF_TAG; i++) {
		int64_t to = i % 2 ? a : b;
		if (!tag_table_put(c, t.repo[0], STR("b"), to, a + b - to, AT(2), err))
			return false;
	}
	return tag_table_put(c, t.repo[0], STR("a"), a, 0, AT(3), err) &&
	       tag_table_remove_of_image(c, t.repo[0], a, &stamp, err);
}

struct tag_events {
	struct tag_event_row rows[2 * TAG_EVENTS_OF_TAG];
	struct tag_event_rows all, of_b;
};

static bool list_events_in(struct db_conn *c, void *arg, struct err *err)
{
	struct tag_events *e = arg;
	struct tag_event_query q = { t.repo[0], INT64_MAX, STR("") };
	e->all = (struct tag_event_rows){ e->rows, TAG_EVENTS_OF_TAG, 0 };
	e->of_b = (struct tag_event_rows){ e->rows + TAG_EVENTS_OF_TAG, TAG_EVENTS_OF_TAG, 0 };
	if (!tag_event_table_list(c, &q, t.arena, &e->all, err))
		return false;
	q.name = STR("b");
	return tag_event_table_list(c, &q, t.arena, &e->of_b, err);
}

static void tags_that_go_together_are_told_one_by_one(void **state UNUSED)
{
	static struct tag_events e;
	write_in(remove_together_in, NULL);
	write_in(list_events_in, &e);
	/* 102 changes before; newest first */
	const char *names[] = { "c", "b", "a", "a", "b" };
	for (size_t i = 0; i < 5; i++) {
		const struct tag_event_row *r = &e.all.rows[i];
		assert_int_equal(r->seq, 105 - (int64_t)i);
		assert_true(str_eq(r->name, str_from(names[i])));
		assert_int_equal(r->action, i < 3 ? TAG_REMOVED : TAG_SET);
		assert_true(str_eq(r->principal, i < 3 ? STR("somebody") : STR("")));
		assert_int_equal(r->at_ms, i < 3 ? 9 : i == 3 ? 3 : 2);
		assert_false(i < 3 && r->has_previous);
	}
	/* the first of b went as the last came */
	assert_int_equal(e.of_b.count, TAG_EVENTS_OF_TAG);
	assert_int_equal(e.of_b.rows[0].seq, 104);
	assert_int_equal(e.of_b.rows[TAG_EVENTS_OF_TAG - 1].seq, 3);
}

/* --- every sum, off by one --- */

static bool complete_in(struct db_conn *c, void *arg UNUSED, struct err *err)
{
	struct blob_row blob;
	int64_t image, index, needs;
	struct upload_row upload = {
		.key = { 42 }, .repository_id = t.repo[0], .alg = DIGEST_SHA256, .short_at = -1
	};
	int64_t open;
	return add_blob(c, 5, &blob, err) && link_blob(c, t.repo[0], blob.id, err) &&
	       link_blob(c, t.repo[1], blob.id, err) && add_image(c, 1, &image, err) &&
	       image_need_table_add(c, image, blob.id, err) &&
	       link_table_add_needs(c, t.repo[0], blob.id, 1, &needs, err) &&
	       state_table_archive(c, t.repo[0], image, 1, err) && add_image(c, 2, &index, err) &&
	       image_child_table_add(c, index, image, err) &&
	       tag_table_put(c, t.repo[0], STR("x"), image, 0, AT(1), err) &&
	       upload_table_add(c, &upload, err) &&
	       registry_table_uploads(c, t.registry, 1, &open, err);
}

struct recount {
	unsigned findings;
	char last[200];
};

static void count_finding(void *arg, struct str text)
{
	struct recount *r = arg;
	r->findings++;
	snprintf(r->last, sizeof(r->last), STR_FMT, STR_ARG(text));
}

static bool recount_in(struct db_conn *c, void *arg, struct err *err)
{
	return registry_table_recount(c, count_finding, arg, err);
}

static bool run_sql_in(struct db_conn *c, void *arg, struct err *err)
{
	return db_run(db_prepare(c, arg), err);
}

static void a_recount_finds_every_sum_that_is_off(void **state UNUSED)
{
	static const struct {
		char wrong[120], right[120];
	} table[] = {

#define OFF(table, column)                                    \
	{ "UPDATE " table " SET " column " = " column " + 1", \
		"UPDATE " table " SET " column " = " column " - 1" }
		OFF("pool", "blobs"),
		OFF("pool", "links"),
		OFF("pool", "logical_bytes"),
		OFF("pool", "stored_bytes"),
		OFF("pool", "waiting_bytes"),
		OFF("pool", "images"),
		OFF("blob", "links"),
		OFF("blob", "payer"),
		{ "UPDATE blob SET payer = NULL", "UPDATE blob SET payer = 1" },
		{ "UPDATE blob SET payer = 3", "UPDATE blob SET payer = 1" },
		OFF("layer_link", "needs"),
		OFF("repository", "images"),
		OFF("repository", "logical_bytes"),
		OFF("repository", "stored_bytes"),
		OFF("image", "tags"),
		OFF("image", "parents"),
		OFF("registry", "repositories"),
		OFF("registry", "uploads"),
		{ "UPDATE image_need SET blob_id = blob_id + 1",
			"UPDATE image_need SET blob_id = blob_id - 1" },
		OFF("layer_archived", "images"),
		{ "UPDATE image_state SET status = 1", "UPDATE image_state SET status = 3" },
		{ "UPDATE layer_archived SET blob_id = blob_id + 1",
			"UPDATE layer_archived SET blob_id = blob_id - 1" },
		{ "INSERT INTO resource_policy VALUES (1, 99, 1, '{}')",
			"DELETE FROM resource_policy" },
	};
	struct recount r = { 0 };
	write_in(complete_in, NULL);
	read_in(recount_in, &r);
	assert_string_equal(r.last, "");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		r = (struct recount){ 0 };
		write_in(run_sql_in, (void *)(uintptr_t)table[i].wrong);
		read_in(recount_in, &r);
		if (r.findings == 0)
			fail_msg("not found: %s", table[i].wrong);
		r = (struct recount){ 0 };
		write_in(run_sql_in, (void *)(uintptr_t)table[i].right);
		read_in(recount_in, &r);
		assert_string_equal(r.last, "");
	}
}

/* --- the rest --- */

static bool candidates_in(struct db_conn *c, void *arg, struct err *err)
{
	static const struct candidate in[] = { { 30, 1, 1 }, { 10, 2, 0 }, { 20, 3, 1 },
		{ 10, 2, 0 }, { 20, 3, 2 } };
	struct candidate *out = arg;
	size_t n;
	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		if (!candidate_table_add(c, &in[i], err))
			return false;
	}
	return candidate_table_due(c, 20, out, 5, &n, err) && (out[4].blob_id = (int64_t)n, true) &&
	       candidate_table_remove(c, &in[1], err) &&
	       candidate_table_due(c, 20, &out[3], 1, &n, err);
}

static void candidates_come_by_review_time(void **state UNUSED)
{
	struct candidate out[5] = { 0 };
	write_in(candidates_in, out);
	assert_int_equal(out[4].blob_id, 3); /* the same one twice is one; 30 is not due */
	assert_int_equal(out[0].review_at_ms, 10);
	assert_int_equal(out[1].review_at_ms, 20);
	assert_int_equal(out[2].repository_id, 2);
	assert_int_equal(out[3].review_at_ms, 20);
}

static bool ensure_in(struct db_conn *c, void *arg, struct err *err)
{
	int64_t *ids = arg;
	struct str arn = STR("arn:k");
	return pool_table_ensure(c, t.registry, 1, STR(""), &ids[0], err) &&
	       pool_table_ensure(c, t.registry, 2, arn, &ids[1], err) &&
	       pool_table_ensure(c, t.registry, 2, arn, &ids[2], err) &&
	       pool_table_ensure(c, t.registry, 3, arn, &ids[3], err) &&
	       registry_table_ensure(c, STR("000000000000"), STR("eu-west-1"), 9, &ids[4], err) &&
	       registry_table_ensure(c, STR("000000000000"), STR("us-east-1"), 9, &ids[5], err);
}

static void what_is_ensured_is_there_once(void **state UNUSED)
{
	int64_t ids[6];
	write_in(ensure_in, ids);
	assert_int_equal(ids[0], t.pool);
	assert_int_equal(ids[1], ids[2]);
	assert_int_not_equal(ids[1], ids[3]);
	assert_int_equal(ids[4], t.registry);
	assert_int_not_equal(ids[5], t.registry);
}

static bool dying_in(struct db_conn *c, void *arg, struct err *err)
{
	int64_t *out = arg;
	struct repo_key key;
	return repo_tag_table_put(c, t.repo[1], STR("k"), STR("v"), err) &&
	       repo_table_set_dying(c, t.repo[1], err) && repo_table_set_dying(c, t.repo[2], err) &&
	       repo_table_key(c, t.registry, STR("b"), &key, err) && (out[0] = key.id, true) &&
	       repo_table_next_dying(c, 0, &out[1], &out[2], err) &&
	       repo_table_next_dying(c, out[1], &out[3], &out[2], err) &&
	       repo_table_remove(c, t.repo[1], err) && repo_table_remove(c, t.repo[2], err) &&
	       repo_table_next_dying(c, 0, &out[4], &out[5], err);
}

static void dying_repositories_are_found_by_id_only(void **state UNUSED)
{
	int64_t out[6];
	write_in(dying_in, out);
	assert_int_equal(out[0], 0);
	assert_int_equal(out[1], t.repo[1]);
	assert_int_equal(out[2], t.registry);
	assert_int_equal(out[3], t.repo[2]);
	assert_int_equal(out[4], 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_blob_is_paid_for_by_one_of_its_holders),
		T(a_removed_blob_is_in_the_trash_and_in_no_sum),
		T(what_is_absent_leaves_the_output_alone),
		T(an_image_knows_how_many_tags_it_has),
		T(tags_that_go_together_are_told_one_by_one),
		T(a_recount_finds_every_sum_that_is_off),
		T(candidates_come_by_review_time),
		T(what_is_ensured_is_there_once),
		T(dying_repositories_are_found_by_id_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
