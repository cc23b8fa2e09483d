#include <time.h>

#include "meta/blob_table.h"
#include "meta/upload_table.h"
#include "world.h"

static void an_unneeded_layer_goes_after_its_grace(void **state)
{
	struct world *w = *state;
	int64_t now = clock_now_ms();
	make_repo(w, "r");
	struct digest d = push(w, "r", "layer");
	collect_at(w, now + HOUR_MS / 2);
	assert_true(holds(w, "r", &d));
	struct collect_report r = collect_at(w, now + 2 * HOUR_MS);
	assert_int_equal(r.links, 1);
	assert_int_equal(r.blobs, 1);
	assert_int_equal(r.bytes, 5);
	assert_false(holds(w, "r", &d));
	assert_int_equal(objects(w), 0);
	struct collect_backlog b;
	struct err err;
	ASSERT_DONE(collect_backlog(w->core, &b, &err));
	assert_int_equal(b.candidates + b.trash, 0);
	assert_sound(w);
}

static void what_an_image_needs_is_kept(void **state)
{
	struct world *w = *state;
	make_repo(w, "r");
	push_image(w, "r", "c", "l", NULL);
	collect_all(w);
	struct digest c = digest_of(STR("c")), l = digest_of(STR("l"));
	assert_true(holds(w, "r", &c) && holds(w, "r", &l));
	assert_sound(w);
}

static void grace_begins_anew_when_the_layer_comes_again(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "r");
	make_repo(w, "dst");
	/* Real time: a grace of 400 ms, half of it spent before the layer comes again. */
	w->o.collect_grace_ms = 400;
	world_restart(w);
	struct digest d = push(w, "r", "layer");
	ASSERT_OUTCOME(MOUNTED, mount(w, "dst", "r", &d));
	struct timespec nap = { 0, 250 * 1000 * 1000 };
	nanosleep(&nap, NULL);
	push(w, "r", "layer");
	ASSERT_OUTCOME(PRESENT, mount(w, "dst", "r", &d));
	int64_t again = clock_now_ms();
	nanosleep(&nap, NULL); /* 500 ms after the first time */
	collect_at(w, clock_now_ms() < again + 400 ? clock_now_ms() : again + 390);
	assert_true(holds(w, "r", &d) && holds(w, "dst", &d));
	collect_at(w, clock_now_ms() + 500);
	assert_false(holds(w, "r", &d) || holds(w, "dst", &d));
	/* Given up by an image: the time runs from there. */
	struct digest image = push_image(w, "r", "c", "l", NULL), l = digest_of(STR("l"));
	nanosleep(&nap, NULL);
	struct image_ref ref = by_digest_ref(image);
	ASSERT_DONE(image_delete(w->core, &w->reg,
		&(struct image_delete){ .repo = STR("r"), .ref = &ref }, w->arena, NULL, &err));
	again = clock_now_ms();
	nanosleep(&nap, NULL);
	collect_at(w, clock_now_ms() < again + 400 ? clock_now_ms() : again + 390);
	assert_true(holds(w, "r", &l));
	collect_at(w, clock_now_ms() + 500);
	assert_false(holds(w, "r", &l));
	assert_int_equal(objects(w), 0);
	assert_sound(w);
}

static void a_blob_without_links_that_is_linked_again_stays(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "r");
	struct digest d = push(w, "r", "layer");
	ASSERT_DONE(blob_unlink(w->core, &w->reg, STR("r"), &d, &err));
	assert_int_equal(total(w).waiting_bytes, 5);
	assert_int_equal(total(w).stored_bytes, 0);
	push_image(w, "r", "c", "layer", "t");
	assert_int_equal(total(w).waiting_bytes, 0);
	collect_all(w);
	assert_true(holds(w, "r", &d));
	assert_int_equal(total(w).blobs, 2);
	assert_sound(w);
}

static void a_deleted_repository_is_emptied_in_steps(void **state)
{
	struct world *w = *state;
	struct err err;

	enum { N = 120 };
	struct digest d[N];
	char id[UUID_TEXT_LEN + 1];
	make_repo(w, "r");
	make_repo(w, "keeps");
	push(w, "r", "c");
	for (int i = 0; i < N; i++) {
		char layer[24];
		const char *layers[] = { layer };
		snprintf(layer, sizeof(layer), "layer %d", i);
		push(w, "r", layer);
		d[i] = put(w, "r", image_text(w, "c", layers, 1, NULL), i % 2 ? layer + 6 : NULL);
	}
	struct digest inner = put(w, "r", index_text(w, d, N), "inner");
	put(w, "r", index_text(w, &inner, 1), "outer");
	for (int i = 0; i < 3; i++)
		ASSERT_DONE(upload_start(w->core, &w->reg, STR("r"), DIGEST_SHA256, id, &err));
	struct digest kept = digest_of(STR("layer 7"));
	ASSERT_OUTCOME(MOUNTED, mount(w, "keeps", "r", &kept));
	push(w, "keeps", "c");
	put(w, "keeps", image_text(w, "c", (const char *[]){ "layer 7" }, 1, NULL), "t");
	delete_repo(w, "r");
	struct collect_report r = { .more = true };
	unsigned rounds = 0;
	while (r.more) {
		ASSERT_DONE(collect_run(w->core, LATER, 1, &r, &err));
		assert_sound(w);
		assert_true(holds(w, "keeps", &kept));
		assert_true(++rounds < 30);
	}
	assert_true(rounds > 3);
	collect_all(w);
	assert_int_equal(r.images, N + 2);
	assert_int_equal(r.repositories, 1);
	assert_int_equal(objects(w), 2);
	struct savings_total t = total(w);
	assert_int_equal(t.images, 1);
	assert_int_equal(t.blobs, 2);
	assert_int_equal(t.logical_bytes, t.stored_bytes);
	assert_sound(w);
}

static void an_upload_expires_when_nothing_was_written_for_its_life(void **state)
{
	struct world *w = *state;
	struct err err;
	char id[3][UUID_TEXT_LEN + 1];
	struct upload *u = NULL, *busy = NULL;
	uint64_t size;
	make_repo(w, "r");
	for (int i = 0; i < 3; i++)
		ASSERT_DONE(upload_start(w->core, &w->reg, STR("r"), DIGEST_SHA256, id[i], &err));
	ASSERT_DONE(upload_take(w->core, &w->reg, STR("r"), str_from(id[0]), &u, &err));
	ASSERT_DONE(upload_write(u, "abc", 3, &err));
	upload_release(u);
	collect_at(w, clock_now_ms() + HOUR_MS / 2);
	assert_int_equal(verify(w).uploads, 3);
	/* One is being written to, however old it is. */
	ASSERT_DONE(upload_take(w->core, &w->reg, STR("r"), str_from(id[1]), &busy, &err));
	struct collect_report r = collect_at(w, LATER);
	assert_int_equal(r.uploads, 2);
	ASSERT_FAILS(ERR_UPLOAD_UNKNOWN,
		upload_status(w->core, &w->reg, STR("r"), str_from(id[0]), &size, &err));
	ASSERT_DONE(upload_write(busy, "x", 1, &err));
	struct digest d = digest_of(STR("x"));
	struct upload_result result;
	ASSERT_DONE(upload_finish(busy, &d, &result, &err));
	upload_release(busy);
	assert_int_equal(verify(w).uploads, 0);
	assert_int_equal(objects(w), 1);
	assert_sound(w);
}

static void an_upload_is_kept_while_the_store_cannot_tell_its_age(void **state)
{
	struct world *w = *state;
	struct err err;
	char id[UUID_TEXT_LEN + 1];
	struct collect_report r = { 0 };
	begin_old_upload(w, "r", id);
	store_fault_set(w->store, 1, ERR_UNAVAILABLE);
	ASSERT_FAILS(ERR_UNAVAILABLE, collect_run(w->core, clock_now_ms(), 4, &r, &err));
	assert_int_equal(r.uploads, 0);
	collect_at(w, clock_now_ms());
	assert_int_equal(verify(w).uploads, 1);
	assert_sound(w);
}

/* More of the same age than one batch holds: all are looked at. */
static bool add_uploads_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct upload_row row = { .repository_id = *(int64_t *)arg,
		.alg = DIGEST_SHA256,
		.short_at = -1,
		.created_at_ms = 7 };
	for (int i = 0; i < 450; i++) {
		row.key[0] = (uint8_t)i;
		row.key[1] = (uint8_t)(i >> 8);
		if (!upload_table_add(conn, &row, err))
			return false;
	}
	return true;
}

static void uploads_of_the_same_age_all_expire(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "r");
	int64_t id = get_repo(w, "r").id;
	ASSERT_DONE(db_write(w->db, add_uploads_in, &id, &err));
	/* The first 250 are busy elsewhere: recently written. */
	for (int i = 0; i < 250; i++) {
		struct store_key key = { { (uint8_t)i, (uint8_t)(i >> 8) } };
		struct blob_writer *writer;
		ASSERT_DONE(blobstore_append(w->store, &key, &writer, &err));
		blob_writer_close(writer);
	}
	struct collect_report r = collect_at(w, clock_now_ms());
	assert_int_equal(r.uploads, 200);
	r = collect_at(w, LATER);
	assert_int_equal(r.uploads, 250);
	assert_int_equal(objects(w), 0);
}

static void bytes_that_cannot_be_removed_hold_up_no_others(void **state)
{
	struct world *w = *state;
	struct err err;
	struct collect_report r = { 0 };
	make_repo(w, "r");
	for (int i = 0; i < 5; i++) {
		char text[16];
		snprintf(text, sizeof(text), "%d", i);
		push(w, "r", text);
	}
	store_fault_set(w->store, 3, ERR_UNAVAILABLE);
	ASSERT_FAILS(ERR_UNAVAILABLE, collect_run(w->core, LATER, 100, &r, &err));
	assert_int_equal(objects(w), 1);
	assert_sound(w);
	ASSERT_DONE(collect_run(w->core, LATER, 100, &r, &err));
	assert_int_equal(objects(w), 0);
	struct core_counters c;
	core_counters(w->core, &c);
	assert_int_equal(c.collect_errors, 1);
	assert_int_equal(c.blobs_collected, 5);
	assert_sound(w);
}

static void what_is_not_yet_durably_gone_stays_in_the_trash(void **state)
{
	struct world *w = *state;
	struct err err;
	struct collect_report r = { 0 };
	struct collect_backlog b;
	make_repo(w, "r");
	push(w, "r", "1");
	push(w, "r", "2");
	store_fault_set(w->store, 3, ERR_UNAVAILABLE); /* behind two removals */
	ASSERT_FAILS(ERR_UNAVAILABLE, collect_run(w->core, LATER, 100, &r, &err));
	assert_int_equal(objects(w), 0);
	ASSERT_DONE(collect_backlog(w->core, &b, &err));
	assert_int_equal(b.trash, 2);
	ASSERT_DONE(collect_run(w->core, LATER, 100, &r, &err));
	ASSERT_DONE(collect_backlog(w->core, &b, &err));
	assert_int_equal(b.trash, 0);
}

static bool count_log_in(struct db_conn *conn, void *arg, struct err *err)
{
	static const char sql[] = "SELECT count(*) FROM mount_log";
	struct db_stmt *st = db_prepare(conn, sql);
	bool row = false, ok = db_step(st, &row, err);
	*(int64_t *)arg = ok ? db_col_int(st, 0) : -1;
	db_done(st);
	return ok;
}

static void the_mount_log_keeps_the_newest(void **state)
{
	struct world *w = *state;
	struct err err;
	int64_t n = 0;
	w->o.mount_log_keep = 10;
	world_restart(w);
	make_repo(w, "r");
	struct digest d = digest_of(STR("none"));
	for (int i = 0; i < 5000; i++)
		mount(w, "r", NULL, &d);
	ASSERT_DONE(collect_flush_log(w->core, &err));
	ASSERT_DONE(db_read(w->db, count_log_in, &n, &err));
	assert_int_equal(n, 5000);
	collect_at(w, clock_now_ms());
	ASSERT_DONE(db_read(w->db, count_log_in, &n, &err));
	assert_int_equal(n, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(an_unneeded_layer_goes_after_its_grace),
		WORLD_TEST(what_an_image_needs_is_kept),
		WORLD_TEST(grace_begins_anew_when_the_layer_comes_again),
		WORLD_TEST(a_blob_without_links_that_is_linked_again_stays),
		WORLD_TEST(a_deleted_repository_is_emptied_in_steps),
		WORLD_TEST(an_upload_expires_when_nothing_was_written_for_its_life),
		WORLD_TEST(an_upload_is_kept_while_the_store_cannot_tell_its_age),
		WORLD_TEST(uploads_of_the_same_age_all_expire),
		WORLD_TEST(bytes_that_cannot_be_removed_hold_up_no_others),
		WORLD_TEST(what_is_not_yet_durably_gone_stays_in_the_trash),
		WORLD_TEST(the_mount_log_keeps_the_newest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
