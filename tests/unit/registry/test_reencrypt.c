/* Moving what is stored from one form to the other: both ways, under faults at every step, beside
 * everything that goes on meanwhile. */
#include "base/thread.h"
#include "registry/reencrypt.h"
#include "sealed.h"

#define SEG (64 * 1024)

static const struct {
	const char *repo;
	enum enc_type type;
} kinds[] = { { "aes", ENC_AES256 }, { "kms", ENC_KMS }, { "dsse", ENC_KMS_DSSE } };

static const size_t sizes[] = { 0, 1, SEG - 1, SEG, 4 * SEG + 1, 300000 };

static struct str content(struct world *w, size_t i)
{
	return noise(w, sizes[i], 7 + i);
}

static void fill(struct world *w)
{
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		make_repo_of(w, kinds[k].repo, kinds[k].type, "");
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
			push_bytes(w, kinds[k].repo, content(w, i));
		push_image(w, kinds[k].repo, "config", "layer", "t");
	}
}

static void assert_all_reads(struct world *w)
{
	struct image_ref ref = by_tag("t");
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct err err;
		struct image i;
		for (size_t n = 0; n < ARRAY_LEN(sizes); n++)
			assert_reads(w, kinds[k].repo, content(w, n));
		assert_reads(w, kinds[k].repo, STR("layer"));
		ASSERT_DONE(image_describe_one(
			w->core, &w->reg, str_from(kinds[k].repo), &ref, w->arena, &i, &err));
	}
}

struct sums {
	uint64_t pools, plain, sealed;
};

static void add_pool(void *arg, const struct reencrypt_pool *p)
{
	struct sums *s = arg;
	s->pools++;
	s->plain += p->plain_blobs;
	s->sealed += p->sealed_blobs;
}

static struct sums sums(struct world *w)
{
	struct err err;
	struct sums s = { 0 };
	ASSERT_DONE(reencrypt_pools(w->core, add_pool, &s, &err));
	return s;
}

#define LAYERS (ARRAY_LEN(kinds) * (ARRAY_LEN(sizes) + 2))

static struct reencrypt_report run(struct world *w)
{
	struct err err;
	struct reencrypt_report r;
	ASSERT_DONE(reencrypt_run(w->core, NULL, NULL, &r, &err));
	return r;
}

static void everything_moves_either_way_and_no_second_time(void **state)
{
	struct world *w = *state;
	fill(w);
	for (unsigned turn = 0; turn < 4; turn++) {
		bool to_disk = turn % 2 == 0;
		restart_as(w, to_disk);
		assert_all_reads(w);
		struct reencrypt_report r = run(w);
		assert_int_equal(r.blobs, LAYERS);
		assert_int_equal(r.images, ARRAY_LEN(kinds));
		struct sums s = sums(w);
		assert_int_equal(s.pools, ARRAY_LEN(kinds));
		assert_int_equal(s.plain, to_disk ? LAYERS : 0);
		assert_int_equal(s.sealed, to_disk ? 0 : LAYERS);
		assert_all_reads(w);
		assert_sound(w);
		r = run(w);
		assert_int_equal(r.blobs + r.images, 0);
		collect_at(w, clock_now_ms()); /* the old objects go at once */
		assert_int_equal(objects(w), LAYERS);
	}
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

static void fail_everywhere(enum fault fault)
{
	unsigned n = 0;
	for (bool spent = true; spent;) {
		void *state;
		struct err err;
		struct reencrypt_report r;
		world_up(&state);
		struct world *w = state;
		make_repo_of(w, "kms", ENC_KMS, "");
		push_bytes(w, "kms", content(w, 2));
		push_image(w, "kms", "config", "layer", "t");
		restart_as(w, n % 2 == 0);
		if (n % 2) { /* the other way */
			restart_as(w, true);
			run(w);
			restart_as(w, false);
		}
		arm(w, fault, ++n);
		bool done = reencrypt_run(w->core, NULL, NULL, &r, &err);
		spent = is_spent(w, fault);
		arm(w, fault, 0);
		assert_true(done || spent);
		if (!done)
			assert_true(err.kind == ERR_UNAVAILABLE || err.kind == ERR_STORAGE_FULL);
		assert_reads(w, "kms", content(w, 2));
		assert_reads(w, "kms", STR("layer"));
		assert_sound(w);
		world_restart(w);
		run(w);
		assert_reads(w, "kms", content(w, 2));
		/* What the failed run left behind expires, and then nothing is over. */
		push_image(w, "kms", "config", "layer", "t"); /* its layers stay */
		collect_at(w, clock_now_ms() + w->o.upload_life_ms + 1);
		struct str kept = content(w, 2);
		if (objects(w) != total(w).blobs)
			fail_msg("%zu objects, %llu layers at %u", objects(w),
				(unsigned long long)total(w).blobs, n);
		(void)kept;
		assert_sound(w);
		world_down(&state);
	}
	print_message("%u places\n", n - 1);
	assert_true(n > 10);
}

static void any_call_of_the_store_may_fail(void **state UNUSED)
{
	fail_everywhere(STORE_FAULT);
}

static void any_step_of_the_database_may_fail(void **state UNUSED)
{
	fail_everywhere(STEP_FAULT);
}

static void any_step_may_take_the_whole_transaction_with_it(void **state UNUSED)
{
	fail_everywhere(LOST_FAULT);
}

static bool make_in(struct db_conn *c, void *arg, struct err *err)
{
	const struct store_key *key = arg;
	return making_table_add(c, key->bytes, clock_now_ms(), err);
}

static void what_a_killed_run_was_writing_is_no_orphan_and_goes_in_time(void **state)
{
	struct world *w = *state;
	struct err err;
	struct store_key key = { { 1, 2, 3 } };
	struct blob_writer *o = NULL;
	fill(w);
	ASSERT_DONE(db_write(w->db, make_in, &key, &err));
	ASSERT_DONE(blobstore_append(w->store, &key, &o, &err));
	ASSERT_DONE(blob_writer_write(o, "half", 4, &err));
	blob_writer_close(o);
	world_restart(w);
	collect_at(w, clock_now_ms());
	assert_int_equal(objects(w), LAYERS + 1);
	assert_sound(w);
	collect_at(w, clock_now_ms() + w->o.upload_life_ms + 1);
	assert_true(!blobstore_open(w->store, &key, &(struct blob_reader *){ NULL }, &err));
	assert_sound(w);
}

/* What happens while the first layer is copied. */
struct meanwhile {
	struct world *w;
	void (*act)(struct world *w);
	unsigned times;
};

static void act_once(void *arg, int64_t pool_id UNUSED, const struct reencrypt_report *r UNUSED)
{
	struct meanwhile *m = arg;
	if (m->times++ == 0)
		m->act(m->w);
}

static void collect_the_layer(struct world *w)
{
	delete_repo(w, "aes");
	collect_at(w, clock_now_ms() + 2000);
	collect_at(w, clock_now_ms() + 4000);
	assert_int_equal(total(w).blobs, 0);
}

static const size_t copied[] = { 1, 300000 };

static void a_layer_that_goes_while_it_is_copied_leaves_nothing(void **state)
{
	struct world *w = *state;
	w->o.collect_grace_ms = 1000;
	for (size_t i = 0; i < ARRAY_LEN(copied); i++) {
		struct err err;
		struct reencrypt_report r;
		struct meanwhile m = { .w = w, .act = collect_the_layer };
		restart_as(w, false);
		make_repo(w, "aes");
		push_bytes(w, "aes", noise(w, copied[i], i));
		restart_as(w, true);
		ASSERT_DONE(reencrypt_run(w->core, act_once, &m, &r, &err));
		assert_true(m.times > 0);
		assert_sound(w);
		collect_at(w, clock_now_ms());
		assert_int_equal(objects(w), 0);
	}
}

/* Its object is the collector's by then. */
static void a_copy_that_takes_too_long_is_done_again(void **state)
{
	struct world *w = *state;
	struct err err;
	struct reencrypt_report r;
	struct meanwhile m = { .w = w, .act = collect_all };
	make_repo(w, "aes");
	push_image(w, "aes", "config", "layer", "t");
	restart_as(w, true);
	ASSERT_FAILS(ERR_UNAVAILABLE, reencrypt_run(w->core, act_once, &m, &r, &err));
	assert_int_equal(m.times, 1);
	assert_int_equal(form_of(w, "aes", STR("config")), 1);
	assert_reads(w, "aes", STR("config"));
	assert_sound(w);
	assert_int_equal(run(w).blobs, 2);
	assert_int_equal(form_of(w, "aes", STR("config")), 0);
	assert_reads(w, "aes", STR("config"));
	assert_reads(w, "aes", STR("layer"));
	assert_sound(w);
	collect_at(w, clock_now_ms());
	assert_int_equal(objects(w), 2);
}

static void a_pool_whose_key_is_disabled_waits_and_the_others_move(void **state)
{
	struct world *w = *state;
	struct err err;
	struct reencrypt_report r;
	struct kms_key key = make_key(w, "alias/k");
	make_repo_of(w, "locked", ENC_KMS, "alias/k");
	make_repo(w, "aes");
	push(w, "locked", "layer");
	push(w, "aes", "layer");
	ASSERT_DONE(kms_key_disable(w->kms, &key, &err));
	restart_as(w, true);
	ASSERT_FAILS(ERR_KMS_KEY_DISABLED, reencrypt_run(w->core, NULL, NULL, &r, &err));
	assert_int_equal(form_of(w, "aes", STR("layer")), 0);
	assert_int_equal(form_of(w, "locked", STR("layer")), 1);
	struct verify_report v = verify(w);
	assert_int_equal(v.damaged, 0);
	assert_int_equal(v.locked, 1);
	ASSERT_DONE(kms_key_enable(w->kms, &key, &err));
	run(w);
	assert_int_equal(form_of(w, "locked", STR("layer")), 0);
	assert_sound(w);
}

/* --- beside everything else --- */

struct worker {
	struct world own;
	unsigned number;
	atomic_bool *stop;
	uint64_t rounds;
	struct thread *thread;
};

/* may_be_gone: another thread collects without grace. */
static void require(bool done, bool may_be_gone, const struct err *err)
{
	if (done || (may_be_gone && err->kind == ERR_BLOB_UNKNOWN))
		return;
	fprintf(stderr, "%s: %s %s\n", err_kind_name(err->kind), err->msg, err->detail);
	abort(); /* cmocka's asserts are for the main thread */
}

/* Reads what stays, and pushes, mounts and deletes what is its own. */
static void work(void *arg)
{
	struct worker *k = arg;
	struct world *w = &k->own;
	while (!atomic_load(k->stop)) {
		struct err err;
		struct upload_result r;
		char text[32];
		const char *repo = kinds[k->rounds % ARRAY_LEN(kinds)].repo;
		w->arena = arena_new(16 * MIB);
		require(try_read(w, repo, content(w, k->rounds % ARRAY_LEN(sizes)), &err), false,
			&err);
		snprintf(text, sizeof(text), "own %u %u", k->number, (unsigned)k->rounds % 5);
		struct digest d = digest_of(str_from(text));
		require(try_push(w, repo, str_from(text), &r, &err), false, &err);
		require(try_read(w, repo, str_from(text), &err), true, &err);
		require(blob_unlink(w->core, &w->reg, str_from(repo), &d, &err), true, &err);
		struct collect_report collected = { 0 };
		require(collect_run(w->core, clock_now_ms(), 4, &collected, &err), false, &err);
		arena_free(w->arena);
		k->rounds++;
	}
}

static void it_runs_beside_reads_pushes_deletions_and_collection(void **state)
{
	struct world *w = *state;
	struct worker workers[3] = { 0 };
	struct err err;
	atomic_bool stop = false;
	/* A command of its own, of the other form: a core of its own on the same data. */
	fill(w);
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		/* Needed by an image, lest the collection of the test take them. */
		const char *none = NULL;
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			struct str c = content(w, i);
			char hex[DIGEST_TEXT_MAX];
			struct digest d = digest_of(c);
			struct str m = arena_printf(w->arena,
				"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST
				"\",\"config\":{\"mediaType\":\"application/x.test.config\",\"digest\":\"%s\","
				"\"size\":%zu},\"layers\":[]}",
				digest_text(&d, hex), c.len);
			put(w, kinds[k].repo, m, none);
		}
	}
	w->o.collect_grace_ms = 0;
	world_restart(w);
	struct world disk = *w;
	disk.o.disk_is_encrypted = true;
	world_open_core(&disk);
	for (unsigned i = 0; i < ARRAY_LEN(workers); i++) {
		workers[i] =
			(struct worker){ .own = i == 2 ? disk : *w, .number = i, .stop = &stop };
		ASSERT_DONE(thread_start(
			"work", work, &workers[i], 512 * KIB, &workers[i].thread, &err));
	}
	for (unsigned turn = 0; turn < 12; turn++) {
		struct reencrypt_report r;
		ASSERT_DONE(reencrypt_run(turn % 2 ? w->core : disk.core, NULL, NULL, &r, &err));
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < ARRAY_LEN(workers); i++) {
		thread_join(workers[i].thread);
		assert_true(workers[i].rounds > 2);
	}
	core_close(disk.core);
	assert_all_reads(w);
	collect_all(w);
	assert_int_equal(objects(w), total(w).blobs);
	assert_sound(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(everything_moves_either_way_and_no_second_time),
		cmocka_unit_test(any_call_of_the_store_may_fail),
		cmocka_unit_test(any_step_of_the_database_may_fail),
		cmocka_unit_test(any_step_may_take_the_whole_transaction_with_it),
		WORLD_TEST(what_a_killed_run_was_writing_is_no_orphan_and_goes_in_time),
		WORLD_TEST(a_layer_that_goes_while_it_is_copied_leaves_nothing),
		WORLD_TEST(a_copy_that_takes_too_long_is_done_again),
		WORLD_TEST(a_pool_whose_key_is_disabled_waits_and_the_others_move),
		WORLD_TEST(it_runs_beside_reads_pushes_deletions_and_collection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
