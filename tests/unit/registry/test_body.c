/* Uploads that pause anywhere and go on after a restart, in every form that their bytes can have.
 */
#include "base/codec.h"
#include "meta/upload_table.h"
#include "sealed.h"

static const struct {
	const char *repo;
	enum enc_type type;
	bool plain;
} kinds[] = {
	{ "aes", ENC_AES256, false },
	{ "kms", ENC_KMS, false },
	{ "dsse", ENC_KMS_DSSE, false },
	{ "disk", ENC_AES256, true },
};

#define SEG   (64 * 1024)
#define TOTAL (6 * SEG + 777)

static const size_t offsets[] = { 0, 1, 47, 48, SEG - 1, SEG, SEG + 1, 2 * SEG - 1, 2 * SEG,
	4 * SEG - 1, 4 * SEG, 4 * SEG + 1, 5 * SEG + 3, 6 * SEG, TOTAL - 1, TOTAL };

struct session {
	char id[UUID_TEXT_LEN + 1];
	struct store_key key;
};

static struct session start(struct world *w, const char *repo)
{
	struct err err;
	struct session s;
	ASSERT_DONE(upload_start(w->core, &w->reg, str_from(repo), DIGEST_SHA256, s.id, &err));
	assert_true(uuid_parse(str_from(s.id), s.key.bytes));
	return s;
}

static struct upload *take(struct world *w, const char *repo, const struct session *s)
{
	struct err err;
	struct upload *u = NULL;
	ASSERT_DONE(upload_take(w->core, &w->reg, str_from(repo), str_from(s->id), &u, &err));
	return u;
}

static void write_to(struct world *w, const char *repo, const struct session *s, struct str bytes)
{
	struct err err;
	struct upload *u = take(w, repo, s);
	ASSERT_DONE(upload_write(u, bytes.ptr, bytes.len, &err));
	ASSERT_DONE(upload_sync(u, &err));
	upload_release(u);
}

static void finish(struct world *w, const char *repo, const struct session *s, struct str all)
{
	struct err err;
	struct upload_result r;
	struct digest d = digest_of(all);
	struct upload *u = take(w, repo, s);
	ASSERT_DONE(upload_finish(u, &d, &r, &err));
	upload_release(u);
	assert_int_equal(r.size_bytes, all.len);
}

/* What a write that was never acknowledged leaves behind when the machine stops in its middle. */
static void tear(struct world *w, const struct session *s, size_t len)
{
	struct err err;
	struct blob_writer *o = NULL;
	struct str bytes = noise(w, len, len);
	ASSERT_DONE(blobstore_append(w->store, &s->key, &o, &err));
	ASSERT_DONE(blob_writer_write(o, bytes.ptr, bytes.len, &err));
	blob_writer_close(o);
}

static void an_upload_pauses_at_any_byte_and_goes_on_after_a_restart(void **state)
{
	struct world *w = *state;
	unsigned seed = 0;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		restart_as(w, kinds[k].plain);
		make_repo_of(w, kinds[k].repo, kinds[k].type, "");
		for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
			struct str all = noise(w, TOTAL, ++seed);
			struct session s = start(w, kinds[k].repo);
			write_to(w, kinds[k].repo, &s, str_sub(all, 0, offsets[i]));
			if (i % 2 == 0)
				world_restart(w);
			uint64_t size = 1;
			struct err err;
			ASSERT_DONE(upload_status(w->core, &w->reg, str_from(kinds[k].repo),
				str_from(s.id), &size, &err));
			assert_int_equal(size, offsets[i]);
			write_to(w, kinds[k].repo, &s, str_sub(all, offsets[i], SIZE_MAX));
			if (i % 3 == 0)
				world_restart(w);
			finish(w, kinds[k].repo, &s, all);
			assert_reads(w, kinds[k].repo, all);
			assert_int_equal(form_of(w, kinds[k].repo, all), kinds[k].plain ? 0 : 1);
		}
	}
	assert_sound(w);
}

static void what_was_torn_behind_the_acknowledged_bytes_is_cut_off(void **state)
{
	struct world *w = *state;
	static const size_t torn[] = { 1, 48, 65, SEG + 28, SEG + 56, 3 * SEG + 5 };
	unsigned seed = 100;
	for (size_t k = 0; k < 3; k++) {
		make_repo_of(w, kinds[k].repo, kinds[k].type, "");
		for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
			struct str all = noise(w, TOTAL, ++seed);
			struct session s = start(w, kinds[k].repo);
			write_to(w, kinds[k].repo, &s, str_sub(all, 0, offsets[i]));
			tear(w, &s, torn[i % ARRAY_LEN(torn)]);
			world_restart(w);
			write_to(w, kinds[k].repo, &s, str_sub(all, offsets[i], SIZE_MAX));
			finish(w, kinds[k].repo, &s, all);
			assert_reads(w, kinds[k].repo, all);
		}
	}
	assert_sound(w);
}

static void an_upload_keeps_its_form_while_the_servers_changes(void **state)
{
	struct world *w = *state;
	unsigned seed = 200;
	make_repo(w, "r");
	for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
		struct str sealed = noise(w, TOTAL, ++seed), plain = noise(w, TOTAL, ++seed);
		restart_as(w, false);
		struct session a = start(w, "r");
		write_to(w, "r", &a, str_sub(sealed, 0, offsets[i]));
		restart_as(w, true);
		struct session b = start(w, "r");
		write_to(w, "r", &a, str_sub(sealed, offsets[i], SIZE_MAX));
		write_to(w, "r", &b, str_sub(plain, 0, offsets[i]));
		finish(w, "r", &a, sealed);
		restart_as(w, false);
		write_to(w, "r", &b, str_sub(plain, offsets[i], SIZE_MAX));
		finish(w, "r", &b, plain);
		assert_int_equal(form_of(w, "r", sealed), 1);
		assert_int_equal(form_of(w, "r", plain), 0);
		assert_reads(w, "r", sealed);
		assert_reads(w, "r", plain);
	}
	assert_sound(w);
}

static bool spoil_tail_in(struct db_conn *c, void *arg UNUSED, struct err *err)
{
	static const char sql[] =
		"UPDATE upload SET tail = substr(tail, 1, length(tail) - 1) || x'00'";
	return db_run(db_prepare(c, sql), err);
}

static void an_upload_whose_rest_was_changed_does_not_go_on(void **state)
{
	struct world *w = *state;
	struct err err;
	struct upload *u;
	make_repo(w, "r");
	struct session s = start(w, "r");
	write_to(w, "r", &s, noise(w, SEG + 9, 1));
	ASSERT_DONE(db_write(w->db, spoil_tail_in, NULL, &err));
	world_restart(w);
	ASSERT_FAILS(
		ERR_CORRUPT, upload_take(w->core, &w->reg, STR("r"), str_from(s.id), &u, &err));
	/* Nor does one whose object is shorter than its row says. */
	s = start(w, "r");
	write_to(w, "r", &s, noise(w, 2 * SEG, 2));
	struct blob_writer *o = NULL;
	ASSERT_DONE(blobstore_append(w->store, &s.key, &o, &err));
	ASSERT_DONE(blob_writer_cut(o, SEG, &err));
	blob_writer_close(o);
	world_restart(w);
	ASSERT_FAILS(
		ERR_CORRUPT, upload_take(w->core, &w->reg, STR("r"), str_from(s.id), &u, &err));
}

static void no_byte_of_a_layer_stands_in_the_store_or_the_row_as_it_is(void **state)
{
	struct world *w = *state;
	struct err err;
	char planted[200];
	memset(planted, 'P', sizeof(planted));
	for (size_t k = 0; k < 3; k++) {
		make_repo_of(w, kinds[k].repo, kinds[k].type, "");
		struct buf all;
		buf_init(&all, MIB);
		while (all.len < 3 * SEG)
			buf_add(&all, planted, sizeof(planted));
		struct session s = start(w, kinds[k].repo);
		write_to(w, kinds[k].repo, &s, buf_str(&all));
		struct blob_reader *r = NULL;
		ASSERT_DONE(blobstore_open(w->store, &s.key, &r, &err));
		uint8_t *raw = xmalloc((size_t)r->size_bytes);
		size_t n = 0;
		ASSERT_DONE(blob_reader_pread(r, raw, (size_t)r->size_bytes, 0, &n, &err));
		assert_true(n >= 3 * SEG);
		assert_null(memmem(raw, n, "PPPPPPPP", 8));
		free(raw);
		blob_reader_close(r);
		buf_fini(&all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(an_upload_pauses_at_any_byte_and_goes_on_after_a_restart),
		WORLD_TEST(what_was_torn_behind_the_acknowledged_bytes_is_cut_off),
		WORLD_TEST(an_upload_keeps_its_form_while_the_servers_changes),
		WORLD_TEST(an_upload_whose_rest_was_changed_does_not_go_on),
		WORLD_TEST(no_byte_of_a_layer_stands_in_the_store_or_the_row_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
