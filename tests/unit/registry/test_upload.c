#include "world.h"

struct session {
	char id[UUID_TEXT_LEN + 1];
};

static struct session start(struct world *w, const char *repo)
{
	struct err err;
	struct session s;
	ASSERT_DONE(upload_start(w->core, &w->reg, str_from(repo), DIGEST_SHA256, s.id, &err));
	return s;
}

static struct upload *take(struct world *w, const char *repo, const struct session *s)
{
	struct err err;
	struct upload *u = NULL;
	ASSERT_DONE(upload_take(w->core, &w->reg, str_from(repo), str_from(s->id), &u, &err));
	return u;
}

static void write_part(struct world *w, const char *repo, const struct session *s, const char *text)
{
	struct err err;
	struct upload *u = take(w, repo, s);
	ASSERT_DONE(upload_write(u, text, strlen(text), &err));
	ASSERT_DONE(upload_sync(u, &err));
	upload_release(u);
}

static uint64_t status(struct world *w, const char *repo, const struct session *s)
{
	struct err err;
	uint64_t size = 99;
	ASSERT_DONE(upload_status(w->core, &w->reg, str_from(repo), str_from(s->id), &size, &err));
	return size;
}

static void assert_unknown(struct world *w, const char *repo, const struct session *s)
{
	struct err err;
	uint64_t size;
	struct upload *u;
	struct str r = str_from(repo), id = str_from(s->id);
	ASSERT_FAILS(ERR_UPLOAD_UNKNOWN, upload_status(w->core, &w->reg, r, id, &size, &err));
	ASSERT_FAILS(ERR_UPLOAD_UNKNOWN, upload_take(w->core, &w->reg, r, id, &u, &err));
	ASSERT_FAILS(ERR_UPLOAD_UNKNOWN, upload_cancel(w->core, &w->reg, r, id, &err));
}

static struct upload_result finish(
	struct world *w, const char *repo, const struct session *s, const struct digest *d)
{
	struct err err;
	struct upload_result r;
	struct upload *u = take(w, repo, s);
	ASSERT_DONE(upload_finish(u, d, &r, &err));
	upload_release(u);
	return r;
}

static void an_upload_goes_on_after_a_restart(void **state)
{
	struct world *w = *state;
	make_repo(w, "r");
	struct session s = start(w, "r");
	assert_int_equal(status(w, "r", &s), 0);
	assert_int_equal(verify(w).uploads, 1);
	write_part(w, "r", &s, "one");
	world_restart(w);
	assert_int_equal(status(w, "r", &s), 3);
	write_part(w, "r", &s, "two");
	world_restart(w);
	struct digest d = digest_of(STR("onetwo"));
	struct upload_result r = finish(w, "r", &s, &d);
	assert_int_equal(r.size_bytes, 6);
	assert_false(r.was_there || r.deduplicated);
	assert_true(holds(w, "r", &d));
	assert_unknown(w, "r", &s);
	assert_sound(w);
}

static void the_closing_digest_chooses_the_algorithm(void **state)
{
	struct world *w = *state;
	struct err err;
	struct digest d;
	make_repo(w, "r");
	ASSERT_DONE(hash_bytes(DIGEST_SHA512, STR("onetwo"), &d, &err));
	struct session s = start(w, "r");
	write_part(w, "r", &s, "one");
	write_part(w, "r", &s, "two");
	/* A wrong one first: the session is kept, with whatever hash, and both algorithms work. */
	struct digest wrong = d, wrong256 = digest_of(STR("x"));
	struct upload_result r;
	wrong.hash[5] ^= 1;
	struct upload *u = take(w, "r", &s);
	ASSERT_FAILS(ERR_DIGEST_MISMATCH, upload_finish(u, &wrong, &r, &err));
	ASSERT_FAILS(ERR_DIGEST_MISMATCH, upload_finish(u, &wrong256, &r, &err));
	upload_release(u);
	u = take(w, "r", &s);
	ASSERT_FAILS(ERR_DIGEST_MISMATCH, upload_finish(u, &wrong256, &r, &err));
	ASSERT_FAILS(ERR_DIGEST_MISMATCH, upload_finish(u, &wrong, &r, &err));
	upload_release(u);
	assert_false(holds(w, "r", &d));
	finish(w, "r", &s, &d);
	assert_true(holds(w, "r", &d));
	assert_sound(w);
}

static void a_mismatch_keeps_the_session_and_what_it_holds(void **state)
{
	struct world *w = *state;
	struct err err;
	struct upload_result r;
	make_repo(w, "r");
	struct session s = start(w, "r");
	write_part(w, "r", &s, "ab");
	struct digest d = digest_of(STR("abc"));
	struct upload *u = take(w, "r", &s);
	ASSERT_FAILS(ERR_DIGEST_MISMATCH, upload_finish(u, &d, &r, &err));
	upload_release(u);
	assert_int_equal(status(w, "r", &s), 2);
	write_part(w, "r", &s, "c");
	finish(w, "r", &s, &d);
	assert_true(holds(w, "r", &d));
	assert_sound(w);
}

static void an_empty_upload_is_a_blob_of_no_bytes(void **state)
{
	struct world *w = *state;
	make_repo(w, "r");
	struct session s = start(w, "r");
	struct digest d = digest_of(STR(""));
	assert_int_equal(finish(w, "r", &s, &d).size_bytes, 0);
	assert_true(holds(w, "r", &d));
	assert_sound(w);
}

static void one_request_writes_at_a_time(void **state)
{
	struct world *w = *state;
	struct err err;
	struct upload *other;
	struct core_counters counters;
	make_repo(w, "r");
	struct session s = start(w, "r");
	struct upload *u = take(w, "r", &s);
	ASSERT_DONE(upload_write(u, "abc", 3, &err));
	core_counters(w->core, &counters);
	assert_int_equal(counters.uploads_open, 1);
	ASSERT_FAILS(ERR_UPLOAD_BUSY,
		upload_take(w->core, &w->reg, STR("r"), str_from(s.id), &other, &err));
	ASSERT_FAILS(
		ERR_UPLOAD_BUSY, upload_cancel(w->core, &w->reg, STR("r"), str_from(s.id), &err));
	/* Only what is durable is told. */
	assert_int_equal(status(w, "r", &s), 0);
	ASSERT_DONE(upload_sync(u, &err));
	assert_int_equal(status(w, "r", &s), 3);
	upload_release(u);
	u = take(w, "r", &s);
	assert_int_equal(upload_size(u), 3);
	upload_release(u);
	core_counters(w->core, &counters);
	assert_int_equal(counters.uploads_open, 0);
}

static void a_part_that_broke_off_is_kept(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "r");
	struct session s = start(w, "r");
	struct upload *u = take(w, "r", &s);
	ASSERT_DONE(upload_write(u, "abc", 3, &err));
	upload_release(u); /* the client went away */
	assert_int_equal(status(w, "r", &s), 3);
	write_part(w, "r", &s, "d");
	struct digest d = digest_of(STR("abcd"));
	finish(w, "r", &s, &d);
	assert_sound(w);
}

/* As a power cut leaves it: the file is longer than what was synced, and the rest is anything. */
static void what_was_never_acknowledged_is_cut_off(void **state)
{
	struct world *w = *state;
	struct err err;
	struct store_key key;
	struct blob_writer *writer;
	make_repo(w, "r");
	struct session s = start(w, "r");
	assert_true(uuid_parse(str_from(s.id), key.bytes));
	ASSERT_DONE(blobstore_append(w->store, &key, &writer, &err));
	ASSERT_DONE(blob_writer_write(writer, "\0\0", 2, &err)); /* of a part that was cut short */
	blob_writer_close(writer);
	assert_int_equal(status(w, "r", &s), 0);
	write_part(w, "r", &s, "one");
	world_restart(w);
	ASSERT_DONE(blobstore_append(w->store, &key, &writer, &err));
	ASSERT_DONE(blob_writer_write(writer, "\0\0", 2, &err));
	blob_writer_close(writer);
	assert_int_equal(status(w, "r", &s), 3);
	write_part(w, "r", &s, "two");
	struct digest d = digest_of(STR("onetwo"));
	finish(w, "r", &s, &d);
	assert_sound(w);
}

static void an_upload_that_lost_what_was_acknowledged_does_not_go_on(void **state)
{
	struct world *w = *state;
	struct err err;
	struct store_key key;
	struct upload *u;
	uint64_t size;
	make_repo(w, "r");
	struct session s = start(w, "r");
	write_part(w, "r", &s, "one");
	world_restart(w);
	assert_true(uuid_parse(str_from(s.id), key.bytes));
	ASSERT_DONE(blobstore_remove(w->store, &key, &err));
	ASSERT_FAILS(ERR_CORRUPT,
		upload_status(w->core, &w->reg, STR("r"), str_from(s.id), &size, &err));
	ASSERT_FAILS(
		ERR_CORRUPT, upload_take(w->core, &w->reg, STR("r"), str_from(s.id), &u, &err));
	ASSERT_DONE(upload_cancel(w->core, &w->reg, STR("r"), str_from(s.id), &err));
	assert_sound(w);
}

static void a_write_that_broke_in_the_middle_is_never_taken_for_whole(void **state)
{
	struct world *w = *state;
	struct err err;
	struct upload_result r;
	make_repo(w, "r");
	struct session s = start(w, "r");
	struct upload *u = take(w, "r", &s);
	ASSERT_DONE(upload_write(u, "ab", 2, &err));
	store_fault_set(w->store, 1, ERR_UNAVAILABLE);
	ASSERT_FAILS(ERR_UNAVAILABLE, upload_write(u, "cdef", 4, &err));
	assert_int_equal(upload_size(u), 4);
	/* The hash knows "ab", the object has "abcd". */
	struct digest ab = digest_of(STR("ab"));
	ASSERT_FAILS(ERR_DIGEST_MISMATCH, upload_finish(u, &ab, &r, &err));
	upload_release(u);
	write_part(w, "r", &s, "x");
	struct digest d = digest_of(STR("abcdx"));
	finish(w, "r", &s, &d);
	assert_sound(w);
	/* Also without the look of finish in between: hash and object must not agree by accident.
	 */
	s = start(w, "r");
	u = take(w, "r", &s);
	ASSERT_DONE(upload_write(u, "ab", 2, &err));
	store_fault_set(w->store, 1, ERR_UNAVAILABLE);
	ASSERT_FAILS(ERR_UNAVAILABLE, upload_write(u, "cdef", 4, &err));
	ASSERT_DONE(upload_write(u, "gh", 2, &err));
	struct digest abgh = digest_of(STR("abgh")), all = digest_of(STR("abcdgh"));
	ASSERT_FAILS(ERR_DIGEST_MISMATCH, upload_finish(u, &abgh, &r, &err));
	ASSERT_DONE(upload_finish(u, &all, &r, &err));
	upload_release(u);
	assert_sound(w);
}

static void a_cancelled_upload_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "r");
	struct session s = start(w, "r"), unwritten = start(w, "r");
	write_part(w, "r", &s, "abc");
	ASSERT_DONE(upload_cancel(w->core, &w->reg, STR("r"), str_from(s.id), &err));
	ASSERT_DONE(upload_cancel(w->core, &w->reg, STR("r"), str_from(unwritten.id), &err));
	assert_unknown(w, "r", &s);
	assert_sound(w);
	collect_at(w, clock_now_ms());
	assert_int_equal(objects(w), 0);
	assert_sound(w);
}

static void an_upload_belongs_to_its_repository(void **state)
{
	struct world *w = *state;
	struct session bad[] = { { "" }, { "x" }, { "00000000-0000-4000-8000-000000000000" } };
	struct err err;
	uint64_t size;
	make_repo(w, "r");
	make_repo(w, "other");
	struct session s = start(w, "r");
	assert_unknown(w, "other", &s);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_unknown(w, "r", &bad[i]);
	ASSERT_FAILS(ERR_REPO_UNKNOWN,
		upload_status(w->core, &w->reg, STR("none"), str_from(s.id), &size, &err));
	ASSERT_FAILS(ERR_REPO_UNKNOWN,
		upload_start(w->core, &w->reg, STR("none"), DIGEST_SHA256, s.id, &err));
	ASSERT_FAILS(ERR_NAME_INVALID,
		upload_start(w->core, &w->reg, STR("No"), DIGEST_SHA256, s.id, &err));
}

static void the_same_bytes_are_stored_once(void **state)
{
	struct world *w = *state;
	make_repo(w, "a");
	make_repo(w, "b");
	struct digest d = digest_of(STR("same"));
	struct session first = start(w, "a"), second = start(w, "b"), third = start(w, "a");
	write_part(w, "a", &first, "same");
	write_part(w, "b", &second, "same");
	write_part(w, "a", &third, "same");
	struct upload_result r = finish(w, "a", &first, &d);
	assert_false(r.was_there || r.deduplicated);
	r = finish(w, "b", &second, &d);
	assert_true(!r.was_there && r.deduplicated);
	r = finish(w, "a", &third, &d);
	assert_true(r.was_there && r.deduplicated);
	assert_int_equal(objects(w), 3);
	assert_sound(w);
	collect_at(w, clock_now_ms()); /* the trash has the second and third */
	assert_int_equal(objects(w), 1);
	struct savings_total t = total(w);
	assert_int_equal(t.logical_bytes, 8);
	assert_int_equal(t.stored_bytes, 4);
	assert_int_equal(t.waiting_bytes, 0);
	assert_int_equal(get_repo(w, "a").stored_bytes, 4);
	assert_int_equal(get_repo(w, "b").stored_bytes, 0);
	assert_true(holds(w, "a", &d) && holds(w, "b", &d));
	struct core_counters c;
	core_counters(w->core, &c);
	assert_int_equal(c.bytes_duplicate, 8);
	assert_int_equal(c.bytes_pushed, 4);
	assert_sound(w);
}

static void only_the_last_part_may_be_short(void **state)
{
	struct world *w = *state;
	struct err err;
	struct upload_result r;
	char *part = xmalloc(5 * MIB);
	make_repo(w, "r");
	struct session s = start(w, "r");
	struct upload *u = take(w, "r", &s);
	ASSERT_DONE(upload_write(u, part, 5 * MIB, &err));
	ASSERT_DONE(upload_note_part(u, 5 * MIB, &err));
	ASSERT_DONE(upload_write(u, "x", 1, &err));
	ASSERT_DONE(upload_note_part(u, 1, &err));
	upload_release(u);
	world_restart(w); /* it is remembered */
	u = take(w, "r", &s);
	ASSERT_DONE(upload_write(u, "y", 1, &err));
	ASSERT_DONE(upload_note_part(u, 1, &err));
	struct digest d = digest_of(STR(""));
	ASSERT_FAILS(ERR_UPLOAD_PART_TOO_SMALL, upload_finish(u, &d, &r, &err));
	upload_release(u);
	s = start(w, "r");
	u = take(w, "r", &s);
	ASSERT_DONE(upload_write(u, "x", 1, &err));
	ASSERT_DONE(upload_note_part(u, 1, &err));
	d = digest_of(STR("x"));
	ASSERT_DONE(upload_finish(u, &d, &r, &err));
	upload_release(u);
	free(part);
}

static void there_are_limits(void **state)
{
	struct world *w = *state;
	struct err err;
	struct session s[3];
	w->o.uploads_max = 2;
	w->o.layer_max_bytes = 4;
	world_restart(w);
	make_repo(w, "r");
	s[0] = start(w, "r");
	s[1] = start(w, "r");
	for (int i = 0; i < 3; i++)
		ASSERT_FAILS(ERR_LIMIT,
			upload_start(w->core, &w->reg, STR("r"), DIGEST_SHA256, s[2].id, &err));
	ASSERT_DONE(upload_cancel(w->core, &w->reg, STR("r"), str_from(s[0].id), &err));
	s[0] = start(w, "r");
	struct upload *u = take(w, "r", &s[0]);
	ASSERT_DONE(upload_write(u, "abcd", 4, &err));
	ASSERT_FAILS(ERR_TOO_LARGE, upload_write(u, "e", 1, &err));
	struct digest d = digest_of(STR("abcd"));
	struct upload_result r;
	ASSERT_DONE(upload_finish(u, &d, &r, &err));
	ASSERT_FAILS(ERR_UPLOAD_UNKNOWN, upload_finish(u, &d, &r, &err));
	upload_release(u);
	start(w, "r");
	assert_sound(w);
}

static void an_upload_into_a_deleted_repository_ends_without_a_trace(void **state)
{
	struct world *w = *state;
	struct err err;
	struct upload_result r;
	make_repo(w, "r");
	struct session s = start(w, "r"), idle = start(w, "r");
	write_part(w, "r", &idle, "idle");
	struct upload *u = take(w, "r", &s);
	ASSERT_DONE(upload_write(u, "abc", 3, &err));
	delete_repo(w, "r");
	/* The repository waits for the request, and holds up no other one. */
	make_repo(w, "z");
	push_image(w, "z", "c", "l", "t");
	delete_repo(w, "z");
	collect_all(w);
	assert_int_equal(objects(w), 1);
	assert_sound(w);
	ASSERT_DONE(upload_write(u, "def", 3, &err));
	struct digest d = digest_of(STR("abcdef"));
	ASSERT_FAILS(ERR_REPO_UNKNOWN, upload_finish(u, &d, &r, &err));
	upload_release(u);
	collect_all(w);
	assert_int_equal(objects(w), 0);
	assert_int_equal(verify(w).uploads, 0);
	assert_sound(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(an_upload_goes_on_after_a_restart),
		WORLD_TEST(the_closing_digest_chooses_the_algorithm),
		WORLD_TEST(a_mismatch_keeps_the_session_and_what_it_holds),
		WORLD_TEST(an_empty_upload_is_a_blob_of_no_bytes),
		WORLD_TEST(one_request_writes_at_a_time),
		WORLD_TEST(a_part_that_broke_off_is_kept),
		PLAIN_TEST(what_was_never_acknowledged_is_cut_off),
		PLAIN_TEST(an_upload_that_lost_what_was_acknowledged_does_not_go_on),
		PLAIN_TEST(a_write_that_broke_in_the_middle_is_never_taken_for_whole),
		WORLD_TEST(a_cancelled_upload_leaves_nothing),
		WORLD_TEST(an_upload_belongs_to_its_repository),
		WORLD_TEST(the_same_bytes_are_stored_once),
		WORLD_TEST(only_the_last_part_may_be_short),
		WORLD_TEST(there_are_limits),
		WORLD_TEST(an_upload_into_a_deleted_repository_ends_without_a_trace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
