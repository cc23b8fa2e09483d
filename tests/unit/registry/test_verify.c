/* verify finds what is wrong, and says nothing about what is on its way. */
#include <sys/stat.h>

#include "store/store_fs.h"
#include "world.h"

static struct store_key key_of(struct world *w, const char *repo, const struct digest *d)
{
	struct err err;
	struct blob_info i;
	ASSERT_DONE(blob_stat(w->core, &w->reg, str_from(repo), d, &i, &err));
	return i.key;
}

static void append(struct world *w, const struct store_key *key, const char *text)
{
	struct err err;
	struct blob_writer *writer = NULL;
	ASSERT_DONE(blobstore_append(w->store, key, &writer, &err));
	ASSERT_DONE(blob_writer_write(writer, text, strlen(text), &err));
	blob_writer_close(writer);
}

static void everything_is_counted(void **state)
{
	struct world *w = *state;
	make_repo(w, "r");
	struct digest d = push_image(w, "r", "config", "layer", "a");
	put(w, "r", index_text(w, &d, 1), "b");
	struct verify_report r = verify(w);
	assert_int_equal(r.blobs, 2);
	assert_int_equal(r.bytes, 11);
	assert_int_equal(r.links, 2);
	assert_int_equal(r.images, 2);
	assert_int_equal(r.tags, 2);
	assert_int_equal(r.objects, 2);
	assert_string_equal(w->finding, "");
}

static void missing_bytes_are_damage(void **state)
{
	struct world *w = *state;
	struct err err;
	char text[DIGEST_TEXT_MAX];
	make_repo(w, "r");
	struct digest d = push(w, "r", "layer");
	struct store_key key = key_of(w, "r", &d);
	ASSERT_DONE(blobstore_remove(w->store, &key, &err));
	struct verify_report r = verify(w);
	assert_int_equal(r.damaged, 1);
	assert_non_null(strstr(w->finding, digest_text(&d, text)));
	struct blob_info i;
	struct blob_reader *reader;
	ASSERT_FAILS(ERR_CORRUPT, blob_open(w->core, &w->reg, STR("r"), &d, &i, &reader, &err));
}

static void more_bytes_and_other_bytes_are_damage(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "r");
	struct digest a = push(w, "r", "layer"), b = push(w, "r", "other");
	struct store_key key = key_of(w, "r", &a);
	append(w, &key, "x");
	struct verify_report r = verify(w);
	assert_int_equal(r.damaged, 1);
	key = key_of(w, "r", &b);
	ASSERT_DONE(blobstore_remove(w->store, &key, &err));
	append(w, &key, "OTHER");
	r = verify(w);
	assert_int_equal(r.damaged, 2);
	/* Only a deep look reads the bytes. */
	struct verify_options o = { .finding = world_finding, .arg = w };
	ASSERT_DONE(verify_run(w->core, &o, &r, &err));
	assert_int_equal(r.damaged, 1);
}

static bool spoil_in(struct db_conn *c, void *arg UNUSED, struct err *err)
{
	static const char sql[] = "UPDATE image SET manifest = x'7b7d'";
	return db_run(db_prepare(c, sql), err);
}

static void a_manifest_that_is_not_its_digests_is_damage(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "r");
	push_image(w, "r", "c", "l", "t");
	ASSERT_DONE(db_write(w->db, spoil_in, NULL, &err));
	assert_int_equal(verify(w).damaged, 1);
}

static bool run_sql_in(struct db_conn *c, void *arg, struct err *err)
{
	return db_run(db_prepare(c, arg), err);
}

static void a_manifest_that_lacks_what_it_names_is_damage(void **state)
{
	/* Rows that agree with each other, but not with the manifest. */
	static const char *const sql[] = {
		"UPDATE layer_link SET needs = 0",
		"DELETE FROM image_need",
		"DELETE FROM image_child",
		"UPDATE image SET parents = 0",
	};
	struct world *w = *state;
	struct err err;
	make_repo(w, "r");
	struct digest d = push_image(w, "r", "c", "l", "t");
	put(w, "r", index_text(w, &d, 1), "index");
	assert_sound(w);
	for (size_t i = 0; i < ARRAY_LEN(sql); i++)
		ASSERT_DONE(db_write(w->db, run_sql_in, (void *)(uintptr_t)sql[i], &err));
	struct verify_report r = verify(w);
	assert_int_equal(r.miscounts, 0);
	assert_int_equal(r.damaged, 2);
}

static void an_object_that_nothing_names_is_an_orphan_once_it_is_old(void **state)
{
	struct world *w = *state;
	struct err err;
	char folder[300], command[400];
	/* Files, because their age can be changed. */
	snprintf(folder, sizeof(folder), "%s/blobs", w->folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	blobstore_close(w->store);
	ASSERT_DONE(store_fs_open(folder, 0, &w->store, &err));
	world_restart(w);
	make_repo(w, "r");
	push_image(w, "r", "c", "l", "t");
	struct store_key key = { { 7 } };
	append(w, &key, "young");
	assert_int_equal(verify(w).orphans, 0);
	snprintf(command, sizeof(command), "find '%s' -type f -exec touch -d @1 {} +", folder);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a path that mkdtemp made */
	assert_int_equal(system(command), 0);
	struct verify_report r = verify(w);
	assert_int_equal(r.orphans, 1);
	assert_non_null(strstr(w->finding, "07000000-"));
	assert_int_equal(r.objects, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(everything_is_counted),
		WORLD_TEST(missing_bytes_are_damage),
		PLAIN_TEST(more_bytes_and_other_bytes_are_damage),
		WORLD_TEST(a_manifest_that_is_not_its_digests_is_damage),
		WORLD_TEST(a_manifest_that_lacks_what_it_names_is_damage),
		WORLD_TEST(an_object_that_nothing_names_is_an_orphan_once_it_is_old),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
