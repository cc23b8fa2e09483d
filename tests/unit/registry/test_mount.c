/* The mount rules: the pure decision against an independent oracle, and each outcome on a real
 * database. */
#include "world.h"

/* --- the decision --- */

/* What each outcome says is true, and what must be false for it to be named: written from the
 * table in docs, not from the code. Earlier lines win. */
static enum mount_outcome oracle(const struct mount_facts *f)
{
	const struct {
		bool applies;
		enum mount_outcome outcome;
	} rules[] = {
		{ !f->digest_is_valid, MOUNT_BAD_DIGEST },
		{ f->target_holds, MOUNT_PRESENT },
		{ !f->setting_enabled, MOUNT_OFF },
		{ !f->source_given, MOUNT_NOT_FOUND },
		{ f->source_is_other_registry, MOUNT_OTHER_REGISTRY },
		{ !f->source_exists, MOUNT_NO_SOURCE },
		{ !f->may_read, MOUNT_DENIED },
		{ !f->source_holds, MOUNT_NOT_HELD },
		{ !f->source_same_pool, MOUNT_OTHER_POOL },
		{ f->policy_is_ecr && f->source_cached, MOUNT_CACHED },
		{ f->policy_is_ecr && !f->source_references, MOUNT_UNREFERENCED },
		{ true, MOUNT_MOUNTED },
	};

	size_t i = 0;
	while (!rules[i].applies)
		i++;
	return rules[i].outcome;
}

static void every_combination_of_facts_gives_the_outcome_of_the_table(void **state UNUSED)
{
	unsigned seen = 0, mounted = 0;
	for (unsigned bits = 0; bits < 1U << 12; bits++) {
		struct mount_facts f = {
			.digest_is_valid = bits & 1,
			.setting_enabled = bits & 2,
			.policy_is_ecr = bits & 4,
			.target_holds = bits & 8,
			.source_given = bits & 16,
			.source_is_other_registry = bits & 32,
			.source_exists = bits & 64,
			.may_read = bits & 128,
			.source_same_pool = bits & 256,
			.source_holds = bits & 512,
			.source_references = bits & 1024,
			.source_cached = bits & 2048,
		};
		enum mount_outcome o = mount_decide(&f);
		assert_int_equal(o, oracle(&f));
		seen |= 1U << o;
		if (o != MOUNT_MOUNTED)
			continue;
		/* The promises, said once more: no mount without any of these. */
		mounted++;
		assert_true(f.digest_is_valid && f.setting_enabled && f.source_exists &&
			    f.may_read && f.source_same_pool && f.source_holds &&
			    !f.source_is_other_registry && !f.target_holds);
		assert_true(!f.policy_is_ecr || (f.source_references && !f.source_cached));
	}
	assert_int_equal(seen, (1U << MOUNT_OUTCOME_COUNT) - 1);
	assert_int_equal(mounted, 4 + 1); /* policy oci with any of two facts, policy ecr */
}

/* --- on a database --- */

static struct str denied; /* the repository that may_read_others refuses */

static bool may_read_others(void *arg UNUSED, struct str repository)
{
	return !str_eq(repository, denied);
}

static bool may_read_none(void *arg UNUSED, struct str repository UNUSED)
{
	return false;
}

static void set_mounting(struct world *w, const char *value)
{
	struct err err;
	ASSERT_DONE(setting_put(w->core, &w->reg, STR("BLOB_MOUNTING"), str_from(value), &err));
}

static void set_policy(struct world *w, enum mount_policy policy)
{
	w->o.mount_policy = policy;
	world_restart(w);
}

static void a_mounted_layer_is_there_and_outlives_its_source(void **state)
{
	struct world *w = *state;
	make_repo(w, "src");
	make_repo(w, "dst");
	push_image(w, "src", "config", "layer", "t");
	struct digest d = digest_of(STR("layer")), c = digest_of(STR("config"));
	assert_false(holds(w, "dst", &d));
	struct mount_result r = mount(w, "dst", "src", &d);
	ASSERT_OUTCOME(MOUNTED, r);
	ASSERT_STR(r.source, "src");
	assert_int_equal(r.size_bytes, 5);
	assert_true(digest_eq(&r.digest, &d));
	ASSERT_OUTCOME(PRESENT, mount(w, "dst", "src", &d));
	ASSERT_OUTCOME(MOUNTED, mount(w, "dst", "src", &c));
	put(w, "dst", image_text(w, "config", (const char *[]){ "layer" }, 1, NULL), "t");
	assert_int_equal(objects(w), 2);
	assert_int_equal(get_repo(w, "dst").stored_bytes, 0);
	delete_repo(w, "src");
	collect_all(w);
	assert_true(holds(w, "dst", &d) && holds(w, "dst", &c));
	assert_int_equal(get_repo(w, "dst").stored_bytes, 11);
	assert_sound(w);
}

static void each_refusal_has_its_name(void **state)
{
	struct world *w = *state;
	make_repo(w, "src");
	make_repo(w, "dst");
	make_repo_of(w, "kms", ENC_KMS, "");
	struct digest d = push(w, "src", "layer"), none = digest_of(STR("none"));
	struct digest k = push(w, "kms", "secret");
	w->may_read = may_read_none;
	ASSERT_OUTCOME(DENIED, mount(w, "dst", "src", &d));
	ASSERT_OUTCOME(NOT_FOUND, mount(w, "dst", NULL, &d));
	ASSERT_OUTCOME(NOT_FOUND, mount(w, "dst", "", &d));
	w->may_read = NULL;
	ASSERT_OUTCOME(NO_SOURCE, mount(w, "dst", "absent", &none));
	ASSERT_OUTCOME(NO_SOURCE, mount(w, "dst", "NOT a name", &none));
	ASSERT_OUTCOME(NOT_HELD, mount(w, "dst", "src", &none));
	ASSERT_OUTCOME(OTHER_POOL, mount(w, "dst", "kms", &k));
	ASSERT_OUTCOME(OTHER_REGISTRY,
		mount(w, "dst", "000000000001.dkr.ecr.eu-west-1.amazonaws.com/src", &d));
	ASSERT_OUTCOME(OTHER_REGISTRY, mount(w, "dst", "localhost:5000/src", &d));
	static const char *const bad[] = { "", "x", "sha256:", "sha256:aa", "md5:aa",
		"sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_OUTCOME(BAD_DIGEST, mount_text(w, "dst", "src", str_from(bad[i])));
	set_mounting(w, "DISABLED");
	ASSERT_OUTCOME(OFF, mount(w, "dst", "src", &d));
	ASSERT_OUTCOME(OFF, mount(w, "dst", NULL, &d));
	ASSERT_OUTCOME(PRESENT, mount(w, "src", "src", &d));
	set_mounting(w, "ENABLED");
	assert_false(holds(w, "dst", &d));
	assert_int_equal(total(w).links, 2);
	struct err err;
	struct mount_result r;
	struct mount_request in = { .target = STR("absent"),
		.source = STR("src"),
		.digest = STR("x"),
		.may_read = may_read_all };
	ASSERT_FAILS(ERR_REPO_UNKNOWN, any_mount(w, &in, w->arena, &r, &err));
	in.target = STR("Bad");
	ASSERT_FAILS(ERR_NAME_INVALID, any_mount(w, &in, w->arena, &r, &err));
	assert_sound(w);
}

static void a_refused_mount_tells_nothing(void **state)
{
	struct world *w = *state;
	make_repo(w, "src");
	make_repo(w, "dst");
	struct digest d = push(w, "src", "layer");
	w->may_read = may_read_none;
	struct mount_result r = mount(w, "dst", "src", &d);
	assert_int_equal(r.size_bytes, 0);
	assert_null(r.source.ptr);
}

static void discovery_finds_what_the_caller_may_read(void **state)
{
	struct world *w = *state;
	make_repo(w, "a");
	make_repo(w, "b");
	make_repo(w, "dst");
	make_repo_of(w, "kms", ENC_KMS, "");
	struct digest d = push(w, "a", "layer");
	push(w, "b", "layer");
	push(w, "kms", "layer");
	denied = STR("a");
	w->may_read = may_read_others;
	/* Without `from`, and where `from` cannot serve: denied, absent, other pool, not held. */
	static const char *const froms[] = { NULL, "a", "absent", "kms", "dst" };
	for (size_t i = 0; i < ARRAY_LEN(froms); i++) {
		struct err err;
		struct mount_result r = mount(w, "dst", froms[i], &d);
		ASSERT_OUTCOME(MOUNTED, r);
		ASSERT_STR(r.source, "b");
		ASSERT_DONE(blob_unlink(w->core, &w->reg, STR("dst"), &d, &err));
	}
	/* Deleted ones are no sources. */
	delete_repo(w, "b");
	ASSERT_OUTCOME(NOT_FOUND, mount(w, "dst", NULL, &d));
	ASSERT_OUTCOME(DENIED, mount(w, "dst", "a", &d));
	ASSERT_OUTCOME(NO_SOURCE, mount(w, "dst", "b", &d));
	assert_sound(w);
}

static void policy_ecr_wants_a_manifest_that_names_the_layer(void **state)
{
	struct world *w = *state;
	set_policy(w, MOUNT_POLICY_ECR);
	make_repo(w, "src");
	make_repo(w, "other");
	make_repo(w, "dst");
	struct digest d = push(w, "src", "layer");
	push_image(w, "other", "c", "layer", "t");
	ASSERT_OUTCOME(UNREFERENCED, mount(w, "dst", "src", &d));
	/* No discovery. */
	ASSERT_OUTCOME(NOT_FOUND, mount(w, "dst", NULL, &d));
	ASSERT_OUTCOME(NO_SOURCE, mount(w, "dst", "absent", &d));
	struct digest image = push_image(w, "src", "c", "layer", "t");
	ASSERT_OUTCOME(MOUNTED, mount(w, "dst", "src", &d));
	struct err err;
	struct image_ref ref = by_digest_ref(image);
	ASSERT_DONE(blob_unlink(w->core, &w->reg, STR("dst"), &d, &err));
	ASSERT_DONE(image_delete(w->core, &w->reg,
		&(struct image_delete){ .repo = STR("src"), .ref = &ref }, w->arena, NULL, &err));
	ASSERT_OUTCOME(UNREFERENCED, mount(w, "dst", "src", &d));
	assert_sound(w);
}

static void bytes_never_cross_pools(void **state)
{
	struct world *w = *state;

	static const struct {
		const char *name;
		enum enc_type type;
		const char *key;
		int pool;
	} repos[] = {
		{ "aes-1", ENC_AES256, "", 0 },
		{ "aes-2", ENC_AES256, "", 0 },
		{ "kms-1", ENC_KMS, "", 1 },
		{ "kms-2", ENC_KMS, "alias/aws/ecr", 1 },
		{ "kms-x", ENC_KMS, "alias/x", 2 },
		{ "kms-y", ENC_KMS, "arn:aws:kms:eu-west-1:000000000000:alias/x", 2 },
		{ "dsse-1", ENC_KMS_DSSE, "", 3 },
		{ "dsse-x", ENC_KMS_DSSE, "alias/x", 4 },
	};
	struct err err;
	make_key(w, "alias/x");
	for (size_t i = 0; i < ARRAY_LEN(repos); i++)
		make_repo_of(w, repos[i].name, repos[i].type, repos[i].key);
	for (size_t i = 0; i < ARRAY_LEN(repos); i++) {
		struct digest d = push(w, repos[i].name, "layer");
		for (size_t k = 0; k < ARRAY_LEN(repos); k++) {
			if (k == i)
				continue;
			struct mount_result r = mount(w, repos[k].name, repos[i].name, &d);
			if (repos[k].pool != repos[i].pool) {
				ASSERT_OUTCOME(OTHER_POOL, r);
				continue;
			}
			ASSERT_OUTCOME(MOUNTED, r);
			ASSERT_DONE(
				blob_unlink(w->core, &w->reg, str_from(repos[k].name), &d, &err));
		}
		/* Nor does discovery cross. */
		for (size_t k = 0; k < ARRAY_LEN(repos); k++) {
			if (repos[k].pool != repos[i].pool)
				ASSERT_OUTCOME(NOT_FOUND, mount(w, repos[k].name, NULL, &d));
		}
		ASSERT_DONE(blob_unlink(w->core, &w->reg, str_from(repos[i].name), &d, &err));
	}
	assert_sound(w);
}

/* Things that happen between the look-up and the link that discovery leads to: may_read is called
 * just there. With a source that is named both are one transaction, and may_read comes before. */

struct meanwhile {
	struct world *w;
	const char *repo;
	const struct digest *d;
};

static struct meanwhile meanwhile;

static bool source_is_deleted_and_collected(void *arg UNUSED, struct str repository UNUSED)
{
	delete_repo(meanwhile.w, meanwhile.repo);
	collect_all(meanwhile.w);
	return true;
}

static bool repo_is_deleted(void *arg UNUSED, struct str repository UNUSED)
{
	delete_repo(meanwhile.w, meanwhile.repo);
	return true;
}

static bool target_gets_it_otherwise(void *arg UNUSED, struct str repository UNUSED)
{
	push(meanwhile.w, meanwhile.repo, "layer");
	return true;
}

static bool mounting_is_turned_off(void *arg UNUSED, struct str repository UNUSED)
{
	set_mounting(meanwhile.w, "DISABLED");
	return true;
}

static void what_vanishes_before_the_link_is_not_mounted(void **state)
{
	struct world *w = *state;
	struct err err;
	struct mount_result r;
	char text[DIGEST_TEXT_MAX];
	make_repo(w, "src");
	make_repo(w, "dst");
	struct digest d = push(w, "src", "layer");
	/* The source is deleted but its blob lives on: that is a mount. */
	meanwhile = (struct meanwhile){ w, "src", &d };
	w->may_read = repo_is_deleted;
	ASSERT_OUTCOME(MOUNTED, mount(w, "dst", NULL, &d));
	assert_true(holds(w, "dst", &d));
	ASSERT_DONE(blob_unlink(w->core, &w->reg, STR("dst"), &d, &err));
	collect_all(w);
	/* The blob is gone. */
	make_repo(w, "src");
	push(w, "src", "layer");
	w->may_read = source_is_deleted_and_collected;
	r = mount(w, "dst", NULL, &d);
	ASSERT_OUTCOME(NOT_HELD, r);
	assert_null(r.source.ptr);
	assert_int_equal(r.size_bytes, 0);
	assert_false(holds(w, "dst", &d));
	/* The target got it. */
	make_repo(w, "src");
	push(w, "src", "layer");
	meanwhile.repo = "dst";
	w->may_read = target_gets_it_otherwise;
	ASSERT_OUTCOME(PRESENT, mount(w, "dst", NULL, &d));
	/* The target is gone. */
	ASSERT_DONE(blob_unlink(w->core, &w->reg, STR("dst"), &d, &err));
	struct mount_request in = { .target = STR("dst"),
		.digest = str_from(digest_text(&d, text)),
		.may_read = repo_is_deleted };
	ASSERT_FAILS(ERR_REPO_UNKNOWN, any_mount(w, &in, w->arena, &r, &err));
	/* So is mounting itself. */
	make_repo(w, "dst");
	w->may_read = mounting_is_turned_off;
	ASSERT_OUTCOME(OFF, mount(w, "dst", NULL, &d));
	assert_false(holds(w, "dst", &d));
	set_mounting(w, "ENABLED");
	delete_repo(w, "dst");
	/* A named source that goes just before is no source any more. */
	make_repo(w, "dst");
	make_repo(w, "named");
	push(w, "named", "layer");
	delete_repo(w, "src");
	meanwhile.repo = "named";
	w->may_read = repo_is_deleted;
	ASSERT_OUTCOME(NO_SOURCE, mount(w, "dst", "named", &d));
	assert_sound(w);
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

static int64_t log_rows(struct world *w)
{
	struct err err;
	int64_t n;
	ASSERT_DONE(db_read(w->db, count_log_in, &n, &err));
	return n;
}

static void mounts_are_counted_by_outcome(void **state)
{
	struct world *w = *state;
	struct err err;
	struct core_counters before, after;
	uint64_t counts[MOUNT_OUTCOME_COUNT], again[MOUNT_OUTCOME_COUNT];
	make_repo(w, "src");
	make_repo(w, "dst");
	struct digest d = push(w, "src", "layer");
	core_counters(w->core, &before);
	mount_counters(w->core, counts);
	mount(w, "dst", "src", &d);
	mount(w, "dst", "src", &d);
	core_counters(w->core, &after);
	mount_counters(w->core, again);
	for (size_t i = 0; i < MOUNT_OUTCOME_COUNT; i++)
		assert_int_equal(
			again[i] - counts[i], i == MOUNT_MOUNTED || i == MOUNT_PRESENT ? 1 : 0);
	assert_int_equal(after.bytes_mounted - before.bytes_mounted, 5);
	/* The log is written in batches, survives a failure of the database, and is trimmed. */
	db_fault_set(w->db, 1, DB_FAULT_IO, DB_FAULT_AT_COMMIT);
	ASSERT_FAILS(ERR_UNAVAILABLE, collect_flush_log(w->core, &err));
	ASSERT_DONE(collect_flush_log(w->core, &err));
	assert_int_equal(log_rows(w), 2);
	/* Of a long one, what was written before the failure is not written again. */
	for (int i = 0; i < 1500; i++)
		mount(w, "dst", "src", &d);
	db_fault_set(w->db, 2, DB_FAULT_IO, DB_FAULT_AT_COMMIT);
	ASSERT_FAILS(ERR_UNAVAILABLE, collect_flush_log(w->core, &err));
	mount(w, "dst", "src", &d);
	assert_int_equal(log_rows(w), 502);
	ASSERT_DONE(collect_flush_log(w->core, &err));
	assert_int_equal(log_rows(w), 1503);
}

int main(int argc, char **argv UNUSED)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_of_facts_gives_the_outcome_of_the_table),
		WORLD_TEST(a_mounted_layer_is_there_and_outlives_its_source),
		WORLD_TEST(each_refusal_has_its_name),
		WORLD_TEST(a_refused_mount_tells_nothing),
		WORLD_TEST(discovery_finds_what_the_caller_may_read),
		WORLD_TEST(policy_ecr_wants_a_manifest_that_names_the_layer),
		WORLD_TEST(bytes_never_cross_pools),
		WORLD_TEST(what_vanishes_before_the_link_is_not_mounted),
		WORLD_TEST(mounts_are_counted_by_outcome),
	};
	return RUN_EITHER_WAY(tests, argc);
}
