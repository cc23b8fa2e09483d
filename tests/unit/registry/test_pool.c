/* The data keys of pools: made once, wrapped anew after a rotation, and gone while their KMS key
 * is. */
#include "base/thread.h"
#include "registry/pool.h"
#include "registry/reencrypt.h"
#include "sealed.h"

#define THREADS 8

struct pusher {
	struct world *w;
	unsigned number;
	struct thread *thread;
};

static void push_one(void *arg)
{
	struct pusher *p = arg;
	struct world own = *p->w;
	struct upload_result r;
	struct err err;
	char text[16];
	snprintf(text, sizeof(text), "layer %u", p->number);
	if (!try_push(&own, p->number % 2 ? "dsse" : "kms", str_from(text), &r, &err)) {
		fprintf(stderr, "%s %s\n", err.msg, err.detail);
		abort();
	}
}

static void data_keys_are_made_once_however_many_ask_at_first(void **state)
{
	struct world *w = *state;
	struct pusher pushers[THREADS];
	struct world other = *w; /* as a second process would: a core of its own */
	make_repo_of(w, "kms", ENC_KMS, "");
	make_repo_of(w, "dsse", ENC_KMS_DSSE, "");
	world_open_core(&other);
	for (unsigned i = 0; i < THREADS; i++) {
		struct err err;
		pushers[i] = (struct pusher){ i < THREADS / 2 ? w : &other, i, NULL };
		ASSERT_DONE(thread_start(
			"push", push_one, &pushers[i], 512 * KIB, &pushers[i].thread, &err));
	}
	for (unsigned i = 0; i < THREADS; i++)
		thread_join(pushers[i].thread);
	core_close(other.core);
	world_restart(w);
	for (unsigned i = 0; i < THREADS; i++) {
		char text[16];
		snprintf(text, sizeof(text), "layer %u", i);
		assert_reads(w, i % 2 ? "dsse" : "kms", str_from(text));
		assert_int_equal(form_of(w, i % 2 ? "dsse" : "kms", str_from(text)), 1);
	}
	assert_sound(w);
}

struct repo_of_key {
	const char *repo;
	enum enc_type type;
	int layer; /* that the KMS key wraps */
};

static const struct repo_of_key keyed[] = { { "kms", ENC_KMS, 0 }, { "dsse", ENC_KMS_DSSE, 1 } };

static struct kms_key rotating(struct world *w)
{
	struct kms_key key = make_key(w, "alias/k");
	for (size_t i = 0; i < ARRAY_LEN(keyed); i++) {
		make_repo_of(w, keyed[i].repo, keyed[i].type, "alias/k");
		push(w, keyed[i].repo, "layer");
	}
	return key;
}

static void a_rotation_wraps_the_data_keys_anew_and_touches_no_byte(void **state)
{
	struct world *w = *state;
	struct err err;
	struct kms_key key = rotating(w);
	struct digest d = digest_of(STR("layer"));
	uint64_t n = 9;
	make_repo(w, "aes");
	push(w, "aes", "layer");
	ASSERT_DONE(reencrypt_rewrap(w->core, &n, &err));
	assert_int_equal(n, 0);
	for (size_t i = 0; i < ARRAY_LEN(keyed); i++) {
		int64_t pool = pool_of_repo(w, keyed[i].repo, &d);
		struct key_look before = look_at_key(w, pool, keyed[i].layer);
		struct key_look inner = look_at_key(w, pool, 0);
		ASSERT_DONE(kms_key_rotate(w->kms, &key, &err));
		ASSERT_DONE(reencrypt_rewrap(w->core, &n, &err));
		assert_true(n >= 1);
		struct key_look after = look_at_key(w, pool, keyed[i].layer);
		assert_true(after.found && after.version == 1);
		assert_false(before.len == after.len &&
			     memcmp(before.bytes, after.bytes, after.len) == 0);
		if (keyed[i].layer == 1) { /* the inner one is Berth's own */
			struct key_look still = look_at_key(w, pool, 0);
			assert_memory_equal(still.bytes, inner.bytes, inner.len);
		}
		ASSERT_DONE(reencrypt_rewrap(w->core, &n, &err));
		assert_int_equal(n, 0);
		assert_reads(w, keyed[i].repo, STR("layer"));
		world_open_kms(w);
		w->o.kms = w->kms;
		world_restart(w);
		assert_reads(w, keyed[i].repo, STR("layer"));
		assert_int_equal(form_of(w, keyed[i].repo, STR("layer")), 1);
	}
	assert_sound(w);
}

static void a_rotation_may_be_interrupted_anywhere(void **state)
{
	struct world *w = *state;
	struct err err;
	struct kms_key key = rotating(w);
	uint64_t n = 0;
	unsigned places = 0;
	for (unsigned site = DB_FAULT_AT_STEP; site <= DB_FAULT_AT_COMMIT; site++) {
		for (unsigned at = 1;; at++) {
			ASSERT_DONE(kms_key_rotate(w->kms, &key, &err));
			db_fault_set(w->db, at, DB_FAULT_IO, (enum db_fault_site)site);
			bool done = reencrypt_rewrap(w->core, &n, &err);
			bool spent = db_fault_left(w->db) == 0;
			assert_int_equal(done, !spent);
			if (!done)
				assert_int_equal(err.kind, ERR_UNAVAILABLE);
			db_fault_set(w->db, 0, DB_FAULT_IO, (enum db_fault_site)site);
			world_open_kms(w);
			w->o.kms = w->kms;
			world_restart(w);
			assert_reads(w, "kms", STR("layer"));
			assert_reads(w, "dsse", STR("layer"));
			ASSERT_DONE(reencrypt_rewrap(w->core, &n, &err));
			ASSERT_DONE(reencrypt_rewrap(w->core, &n, &err));
			assert_int_equal(n, 0);
			assert_reads(w, "kms", STR("layer"));
			assert_reads(w, "dsse", STR("layer"));
			if (!spent)
				break;
			places++;
			if (places % 20 == 0) { /* AWS's limit of rotations on demand */
				key = make_key(w, NULL);
				break;
			}
		}
	}
	assert_true(places >= 5);
	assert_sound(w);
}

/* What a row of pool_key becomes. */
struct row_change {
	const struct key_look *from, *to;
};

static bool set_wrapped_in(struct db_conn *c, void *arg, struct err *err)
{
	const struct row_change *r = arg;
	struct str from = { r->from->bytes, r->from->len }, to = { r->to->bytes, r->to->len };
	return pool_key_table_rewrap(
		c, r->from->pool_id, r->from->layer, r->from->version, from, to, err);
}

static void set_wrapped(struct world *w, const struct key_look *from, const struct key_look *to)
{
	struct err err;
	struct row_change r = { from, to };
	ASSERT_DONE(db_write(w->db, set_wrapped_in, &r, &err));
}

static bool is_same(const struct key_look *a, const struct key_look *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

enum { LOCKED_POOL, GOOD, TAMPERED, MALFORMED, GOOD_TOO, POOLS };

static void a_damaged_data_key_is_told_after_all_others_are_wrapped_anew(void **state)
{
	static const char *const repos[POOLS] = { "locked", "good", "tampered", "malformed",
		"good-too" };
	static const char *const aliases[POOLS] = { "alias/l", "alias/g", "alias/t", "alias/m",
		"alias/g2" };
	struct world *w = *state;
	struct err err;
	struct kms_key keys[POOLS];
	struct key_look before[POOLS], bad;
	uint64_t n = 9;
	char name[32];
	for (int i = 0; i < POOLS; i++) {
		keys[i] = make_key(w, aliases[i]);
		make_repo_of(w, repos[i], i % 2 ? ENC_KMS_DSSE : ENC_KMS, aliases[i]);
		struct digest d = push(w, repos[i], "layer");
		before[i] = look_at_key(w, pool_of_repo(w, repos[i], &d), i % 2);
		assert_true(i == 0 || before[i].pool_id > before[i - 1].pool_id);
		ASSERT_DONE(kms_key_rotate(w->kms, &keys[i], &err));
	}
	ASSERT_DONE(kms_key_disable(w->kms, &keys[LOCKED_POOL], &err));
	bad = before[TAMPERED];
	bad.bytes[bad.len - 1] ^= 1;
	set_wrapped(w, &before[TAMPERED], &bad);
	bad = before[MALFORMED];
	bad.len = 5;
	set_wrapped(w, &before[MALFORMED], &bad);
	for (int round = 0; round < 2; round++) {
		ASSERT_FAILS(ERR_KMS_CIPHERTEXT_INVALID, reencrypt_rewrap(w->core, &n, &err));
		snprintf(name, sizeof(name), "pool %lld", (long long)before[TAMPERED].pool_id);
		assert_string_equal(err.detail, name); /* the first of them */
		assert_int_equal(n, 9);
		for (int i = 0; i < POOLS; i++) {
			struct key_look now = look_at_key(w, before[i].pool_id, before[i].layer);
			bool good = i == GOOD || i == GOOD_TOO;
			assert_int_equal(is_same(&now, &before[i]), i == LOCKED_POOL);
			if (good)
				assert_reads(w, repos[i], STR("layer"));
		}
	}
	/* Once it is made good, as from a backup, what was left over is done. */
	for (int i = TAMPERED; i <= MALFORMED; i++) {
		bad = look_at_key(w, before[i].pool_id, before[i].layer);
		set_wrapped(w, &bad, &before[i]);
	}
	ASSERT_DONE(reencrypt_rewrap(w->core, &n, &err));
	assert_int_equal(n, 2);
	ASSERT_DONE(kms_key_enable(w->kms, &keys[LOCKED_POOL], &err));
	ASSERT_DONE(reencrypt_rewrap(w->core, &n, &err));
	assert_int_equal(n, 1);
	for (int i = 0; i < POOLS; i++) {
		struct key_look now = look_at_key(w, before[i].pool_id, before[i].layer);
		assert_false(is_same(&now, &before[i]));
		assert_reads(w, repos[i], STR("layer"));
	}
	assert_sound(w);
}

static void sleep_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, (ms % 1000) * 1000000 };
	nanosleep(&t, NULL);
}

static void a_disabled_key_stops_its_pools_and_no_other(void **state)
{
	struct world *w = *state;
	struct err err;
	struct upload_result r;
	struct kms_key key = rotating(w);
	make_repo(w, "aes");
	make_repo_of(w, "managed", ENC_KMS, "");
	push(w, "aes", "layer");
	push(w, "managed", "layer");
	ASSERT_DONE(kms_key_disable(w->kms, &key, &err));
	for (size_t i = 0; i < ARRAY_LEN(keyed); i++) {
		ASSERT_FAILS(ERR_KMS_KEY_DISABLED, try_read(w, keyed[i].repo, STR("layer"), &err));
		ASSERT_FAILS(
			ERR_KMS_KEY_DISABLED, try_push(w, keyed[i].repo, STR("other"), &r, &err));
	}
	assert_reads(w, "aes", STR("layer"));
	assert_reads(w, "managed", STR("layer"));
	push(w, "aes", "more");
	ASSERT_DONE(kms_key_enable(w->kms, &key, &err));
	for (size_t i = 0; i < ARRAY_LEN(keyed); i++) {
		assert_reads(w, keyed[i].repo, STR("layer"));
		push(w, keyed[i].repo, "other");
	}
	int64_t at_ms;
	ASSERT_DONE(kms_key_schedule_deletion(w->kms, &key, 7, &at_ms, &err));
	ASSERT_FAILS(ERR_KMS_KEY_STATE, try_read(w, "kms", STR("layer"), &err));
	ASSERT_DONE(kms_key_cancel_deletion(w->kms, &key, &err));
	ASSERT_DONE(kms_key_enable(w->kms, &key, &err));
	assert_reads(w, "kms", STR("layer"));
	assert_sound(w);
}

/* Another process disables it, so that nothing tells this one. */
static void a_key_disabled_elsewhere_is_used_no_longer_than_the_cache_lives(void **state)
{
	struct world *w = *state;
	struct err err;
	struct kms_key key = rotating(w);
	struct world other = *w;
	other.kms = NULL;
	world_open_kms(&other);
	assert_reads(w, "kms", STR("layer"));
	ASSERT_DONE(kms_key_disable(other.kms, &key, &err));
	sleep_ms(KMS_LIFE_MS + 50);
	ASSERT_FAILS(ERR_KMS_KEY_DISABLED, try_read(w, "kms", STR("layer"), &err));
	ASSERT_FAILS(ERR_KMS_KEY_DISABLED, try_read(w, "dsse", STR("layer"), &err));
	ASSERT_DONE(kms_key_enable(other.kms, &key, &err));
	assert_reads(w, "kms", STR("layer"));
	assert_reads(w, "dsse", STR("layer"));
	kms_close(other.kms);
}

static void with_another_managed_key_nothing_opens(void **state)
{
	struct world *w = *state;
	struct err err;
	make_repo(w, "aes");
	make_repo_of(w, "dsse", ENC_KMS_DSSE, "");
	push(w, "aes", "layer");
	push(w, "dsse", "layer");
	w->managed_key.bytes[0] ^= 1;
	world_restart(w);
	ASSERT_FAILS(ERR_CORRUPT, try_read(w, "aes", STR("layer"), &err));
	ASSERT_FAILS(ERR_CORRUPT, try_read(w, "dsse", STR("layer"), &err));
	w->managed_key.bytes[0] ^= 1;
	world_restart(w);
	assert_reads(w, "aes", STR("layer"));
	assert_sound(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(data_keys_are_made_once_however_many_ask_at_first),
		WORLD_TEST(a_rotation_wraps_the_data_keys_anew_and_touches_no_byte),
		WORLD_TEST(a_rotation_may_be_interrupted_anywhere),
		WORLD_TEST(a_damaged_data_key_is_told_after_all_others_are_wrapped_anew),
		WORLD_TEST(a_disabled_key_stops_its_pools_and_no_other),
		WORLD_TEST(a_key_disabled_elsewhere_is_used_no_longer_than_the_cache_lives),
		WORLD_TEST(with_another_managed_key_nothing_opens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
