/* world.h - a database, a store that can fail and a core in a folder of its own, and the steps that
 * most tests of the rules are made of. Each step fails the test when it is not done. */
#ifndef BERTH_TESTS_REGISTRY_WORLD_H
#define BERTH_TESTS_REGISTRY_WORLD_H

#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "../unit.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "kms/kms.h"
#include "kms/kms_alias.h"
#include "kms/kms_key.h"
#include "meta/blob_table.h"
#include "meta/db.h"
#include "meta/db_fault.h"
#include "registry/blob.h"
#include "registry/collect.h"
#include "registry/image.h"
#include "registry/mount.h"
#include "registry/repo.h"
#include "registry/savings.h"
#include "registry/setting.h"
#include "registry/upload.h"
#include "registry/verify.h"
#include "store/store_fault.h"
#include "store/store_mem.h"

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX    "application/vnd.oci.image.index.v1+json"
#define HOUR_MS      (3600LL * 1000)
#define LATER        (clock_now_ms() + 1000 * HOUR_MS) /* everything is due */

/* What the test does for itself in the middle of what it tests: tests of faults let it pass. */
static UNUSED _Thread_local unsigned spared;

static inline UNUSED void spared_end(unsigned *outer)
{
	spared = *outer;
}

#define SPARED_FROM_FAULTS unsigned spared_outer_ CLEANUP(spared_end) UNUSED = spared++

struct world {
	char folder[256], path[280];
	struct db *db;
	struct blobstore *store;
	struct core *core;
	struct secret managed_key, wrapping_key;
	struct kms *kms;
	struct core_options o;
	struct registry_id reg;
	struct arena *arena;
	bool (*may_read)(void *arg, struct str repository); /* NULL: everything */
	char finding[512];                                  /* the last one of verify */
};

static inline UNUSED void world_open_core(struct world *w)
{
	struct err err;
	w->o.db = w->db;
	w->o.store = w->store;
	w->o.kms = w->kms;
	w->o.managed_key = &w->managed_key;
	ASSERT_DONE(core_open(&w->o, &w->core, &err));
}

/* A restart: what is only in memory is gone. */
static inline UNUSED void world_restart(struct world *w)
{
	core_close(w->core);
	world_open_core(w);
}

/* In memory where that is to be had: thousands of commits, and no test here cuts the power. */
static inline void world_folder(struct world *w)
{
	snprintf(w->folder, sizeof(w->folder), "/dev/shm/berth-test-XXXXXX");
	if (!mkdtemp(w->folder))
		make_temp_folder(w->folder);
}

#define KMS_LIFE_MS 200 /* how long a decrypted data key is remembered */

static inline void world_open_kms(struct world *w)
{
	struct err err;
	struct kms_options o = {
		.db = w->db, .wrapping_key = &w->wrapping_key, .cache_life_ms = KMS_LIFE_MS
	};
	kms_close(w->kms);
	ASSERT_DONE(kms_open(&o, &w->kms, &err));
}

/* Everything is sealed with keys, as on a server. */
static inline UNUSED int world_up(void **state)
{
	struct world *w = xmalloc(sizeof(*w));
	struct err err;
	ASSERT_DONE(crypt_init(&err));
	world_folder(w);
	snprintf(w->path, sizeof(w->path), "%s/berth.db", w->folder);
	struct db_options o = { .path = w->path };
	ASSERT_DONE(db_open(&o, &w->db, &err));
	w->store = store_fault_new(store_mem_new());
	w->arena = arena_new(256 * MIB);
	w->o.upload_life_ms = HOUR_MS;
	w->o.collect_grace_ms = HOUR_MS;
	w->o.mounting_by_default = true;
	/* The same tests with small objects in the database: meson.build runs some both ways. */
	w->o.small_object_max = getenv("SMALL_OBJECTS") ? 16384 : 0;
	w->managed_key.len = w->wrapping_key.len = 32;
	memset(w->managed_key.bytes, 0x4d, 32);
	memset(w->wrapping_key.bytes, 0x57, 32);
	world_open_kms(w);
	assert_true(registry_id_make(STR("000000000000"), STR("eu-west-1"), &w->reg));
	world_open_core(w);
	*state = w;
	return 0;
}

/* The disk is encrypted already: bytes are stored as they are. */
static inline UNUSED int world_up_plain(void **state)
{
	world_up(state);
	struct world *w = *state;
	w->o.disk_is_encrypted = true;
	world_restart(w);
	return 0;
}

static inline UNUSED int world_down(void **state)
{
	struct world *w = *state;
	core_close(w->core);
	kms_close(w->kms);
	blobstore_close(w->store);
	db_close(w->db);
	arena_free(w->arena);
	remove_temp_folder(w->folder);
	free(w);
	return 0;
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)
#define PLAIN_TEST(f) cmocka_unit_test_setup_teardown(f, world_up_plain, world_down)

/* A key of the registry's account and Region; alias NULL: without. */
static inline UNUSED struct kms_key make_key(struct world *w, const char *alias)
{
	struct err err;
	struct kms_key key;
	struct kms_realm realm = { str_from(w->reg.account), str_from(w->reg.region) };
	struct kms_key_new in = { .description = STR("") };
	ASSERT_DONE(kms_key_create(w->kms, &realm, &in, w->arena, &key, &err));
	if (alias)
		ASSERT_DONE(kms_alias_create(w->kms, &realm, str_from(alias), &key, &err));
	return key;
}

static inline UNUSED void make_repo_of(
	struct world *w, const char *name, enum enc_type type, const char *key)
{
	struct err err;
	struct repo out;
	struct repo_new in = { .name = str_from(name),
		.enc_type = type,
		.kms_key = str_from(key),
		.mutability = MUTABLE };
	ASSERT_DONE(repo_create(w->core, &w->reg, &in, w->arena, &out, &err));
}

static inline UNUSED void make_repo(struct world *w, const char *name)
{
	make_repo_of(w, name, ENC_AES256, "");
}

static inline UNUSED struct repo get_repo(struct world *w, const char *name)
{
	struct err err;
	struct repo out;
	ASSERT_DONE(repo_get(w->core, &w->reg, str_from(name), w->arena, &out, &err));
	return out;
}

static inline UNUSED void delete_repo(struct world *w, const char *name)
{
	struct err err;
	struct repo out;
	ASSERT_DONE(repo_delete(w->core, &w->reg, str_from(name), true, w->arena, &out, &err));
}

static inline UNUSED struct digest digest_of(struct str bytes)
{
	SPARED_FROM_FAULTS;
	struct err err;
	struct digest d;
	ASSERT_DONE(hash_bytes(DIGEST_SHA256, bytes, &d, &err));
	return d;
}

/* Uploads the bytes whole, acknowledged before the end (as PATCH does) or not; false as the first
 * call that fails says. */
static inline UNUSED bool try_push_as(struct world *w, const char *repo, struct str bytes,
	bool pauses, struct upload_result *out, struct err *err)
{
	char id[UUID_TEXT_LEN + 1];
	struct upload *u = NULL;
	struct digest d = digest_of(bytes);
	if (!upload_start(w->core, &w->reg, str_from(repo), DIGEST_SHA256, id, err) ||
		!upload_take(w->core, &w->reg, str_from(repo), str_from(id), &u, err))
		return false;
	bool ok = upload_write(u, bytes.ptr, bytes.len, err) && (!pauses || upload_sync(u, err)) &&
		  upload_finish(u, &d, out, err);
	upload_release(u);
	return ok;
}

static inline UNUSED bool try_push(struct world *w, const char *repo, struct str bytes,
	struct upload_result *out, struct err *err)
{
	return try_push_as(w, repo, bytes, true, out, err);
}

/* An upload that was begun longer ago than uploads may idle (300 ms from here on), and written to
 * just now. */
static inline UNUSED void begin_old_upload(
	struct world *w, const char *repo, char id[UUID_TEXT_LEN + 1])
{
	struct err err;
	struct upload *u = NULL;
	struct timespec nap = { 0, 310 * 1000 * 1000 };
	w->o.upload_life_ms = 300;
	world_restart(w);
	make_repo(w, repo);
	ASSERT_DONE(upload_start(w->core, &w->reg, str_from(repo), DIGEST_SHA256, id, &err));
	nanosleep(&nap, NULL);
	ASSERT_DONE(upload_take(w->core, &w->reg, str_from(repo), str_from(id), &u, &err));
	ASSERT_DONE(upload_write(u, "abc", 3, &err));
	upload_release(u);
}

static inline UNUSED struct digest push(struct world *w, const char *repo, const char *text)
{
	struct err err;
	struct upload_result r;
	ASSERT_DONE(try_push(w, repo, str_from(text), &r, &err));
	return digest_of(str_from(text));
}

/* The manifest of an image: config and layers are texts; subject may be NULL. */
static inline UNUSED struct str image_text(struct world *w, const char *config,
	const char *const *layers, size_t count, const struct digest *subject)
{
	char hex[DIGEST_TEXT_MAX];
	struct buf b;
	buf_init(&b, MIB);
	struct digest d = digest_of(str_from(config));
	buf_addf(&b,
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST
		"\",\"config\":{\"mediaType\":\"application/x.test.config\",\"digest\":\"%s\","
		"\"size\":%zu},\"layers\":[",
		digest_text(&d, hex), strlen(config));
	for (size_t i = 0; i < count; i++) {
		d = digest_of(str_from(layers[i]));
		buf_addf(&b, "%s{\"mediaType\":\"x/y\",\"digest\":\"%s\",\"size\":%zu}",
			i ? "," : "", digest_text(&d, hex), strlen(layers[i]));
	}
	buf_addf(&b, "]");
	if (subject)
		buf_addf(&b, ",\"subject\":{\"mediaType\":\"x/y\",\"digest\":\"%s\",\"size\":1}",
			digest_text(subject, hex));
	buf_addf(&b, "}");
	struct str out = arena_str(w->arena, buf_str(&b));
	buf_fini(&b);
	return out;
}

static inline UNUSED struct str index_text(
	struct world *w, const struct digest *children, size_t count)
{
	char hex[DIGEST_TEXT_MAX];
	struct buf b;
	buf_init(&b, MIB);
	buf_addf(&b, "{\"schemaVersion\":2,\"mediaType\":\"" OCI_INDEX "\",\"manifests\":[");
	for (size_t i = 0; i < count; i++)
		buf_addf(&b, "%s{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":1}",
			i ? "," : "", digest_text(&children[i], hex));
	buf_addf(&b, "]}");
	struct str out = arena_str(w->arena, buf_str(&b));
	buf_fini(&b);
	return out;
}

/* --- push and mount, also in steps --- */

/* Pushes and mounts go in steps where they can: programs run their tests both ways
 * (RUN_EITHER_WAY).
 */
static UNUSED bool in_steps;
static UNUSED atomic_uint steps_taken; /* pushes and mounts that went that way */

static inline UNUSED void step_done(void *sem)
{
	sem_post(sem);
}

static inline UNUSED void step_wait(sem_t *sem)
{
	while (sem_wait(sem) != 0)
		;
	sem_destroy(sem);
	atomic_fetch_add(&steps_taken, 1);
}

/* The first mediaType, which is the manifest's own in those that the tests write. */
static inline UNUSED struct str own_type(struct str manifest)
{
	static const char key[] = "\"mediaType\":\"";
	const char *at = memmem(manifest.ptr, manifest.len, key, sizeof(key) - 1);
	if (!at)
		return STR("");
	at += sizeof(key) - 1;
	struct str rest = { at, manifest.len - (size_t)(at - manifest.ptr) };
	return str_sub(rest, 0, str_find_char(rest, '"'));
}

static inline UNUSED bool any_put(struct world *w, const struct image_put *in, struct arena *arena,
	struct image_put_result *r, struct err *err)
{
	sem_t sem;
	struct image_put typed = *in; /* a client over HTTP says the type, too */
	struct image_again *p = NULL;
	if (in_steps) {
		if (!in->content_type.len)
			typed.content_type = own_type(in->bytes);
		p = image_put_begin(w->core, &w->reg, &typed, arena);
	}
	if (!p)
		return image_put(w->core, &w->reg, in, arena, r, err);
	sem_init(&sem, 0, 0);
	image_put_start(p, step_done, &sem);
	step_wait(&sem);
	return image_put_end(p, r, err);
}

static inline UNUSED bool any_mount(struct world *w, const struct mount_request *in,
	struct arena *arena, struct mount_result *r, struct err *err)
{
	sem_t sem;
	struct mount_attempt *m = in_steps ? mount_begin(w->core, &w->reg, in, arena) : NULL;
	if (!m)
		return mount_try(w->core, &w->reg, in, arena, r, err);
	sem_init(&sem, 0, 0);
	mount_start(m, step_done, &sem);
	step_wait(&sem);
	bool is_over = mount_is_over(m);
	bool done = mount_end(m, r, err);
	if (is_over && !(done && (r->outcome == MOUNT_MOUNTED || r->outcome == MOUNT_PRESENT)))
		abort(); /* cmocka's asserts are for the main thread */
	return done;
}

/* With the argument `steps`, that way; then some must have gone it. */
#define RUN_EITHER_WAY(tests, argc)                                         \
	(in_steps = (argc) > 1, cmocka_run_group_tests(tests, NULL, NULL) + \
					(in_steps && atomic_load(&steps_taken) == 0))

/* tag NULL: untagged. */
static inline UNUSED bool try_put(
	struct world *w, const char *repo, struct str bytes, const char *tag, struct err *err)
{
	struct str tags[1] = { str_from(tag) };
	struct image_put_result r;
	struct image_put in = {
		.repo = str_from(repo), .bytes = bytes, .tags = tags, .tag_count = tag ? 1 : 0
	};
	return any_put(w, &in, w->arena, &r, err);
}

static inline UNUSED struct digest put(
	struct world *w, const char *repo, struct str bytes, const char *tag)
{
	struct err err;
	ASSERT_DONE(try_put(w, repo, bytes, tag, &err));
	return digest_of(bytes);
}

/* Pushes config and one layer (both texts) and the image. */
static inline UNUSED struct digest push_image(
	struct world *w, const char *repo, const char *config, const char *layer, const char *tag)
{
	push(w, repo, config);
	push(w, repo, layer);
	return put(w, repo, image_text(w, config, &layer, 1, NULL), tag);
}

static inline UNUSED struct image_ref by_tag(const char *tag)
{
	return (struct image_ref){ .tag = str_from(tag) };
}

static inline UNUSED struct image_ref by_digest_ref(struct digest d)
{
	return (struct image_ref){ .tag = STR(""), .has_digest = true, .digest = d };
}

static inline UNUSED bool may_read_all(void *arg UNUSED, struct str repository UNUSED)
{
	return true;
}

/* source NULL: no `from`. */
static inline UNUSED struct mount_result mount_text(
	struct world *w, const char *target, const char *source, struct str digest)
{
	struct err err;
	struct mount_result r;
	struct mount_request in = { .target = str_from(target),
		.source = { source, source ? strlen(source) : 0 },
		.digest = digest,
		.principal = STR("arn:aws:iam::000000000000:user/test"),
		.may_read = w->may_read ? w->may_read : may_read_all };
	ASSERT_DONE(any_mount(w, &in, w->arena, &r, &err));
	return r;
}

static inline UNUSED struct mount_result mount(
	struct world *w, const char *target, const char *source, const struct digest *d)
{
	char text[DIGEST_TEXT_MAX];
	return mount_text(w, target, source, str_from(digest_text(d, text)));
}

#define ASSERT_OUTCOME(name, result) \
	assert_string_equal(mount_outcome_text((result).outcome), mount_outcome_text(MOUNT_##name))

static inline UNUSED bool holds(struct world *w, const char *repo, const struct digest *d)
{
	struct err err;
	struct blob_info info;
	struct blob_reader *r = NULL;
	if (!blob_open(w->core, &w->reg, str_from(repo), d, &info, &r, &err)) {
		assert_string_equal(err_kind_name(err.kind), "BLOB_UNKNOWN");
		return false;
	}
	blob_reader_close(r);
	return true;
}

/* One round after the other until nothing is due. */
static inline UNUSED struct collect_report collect_at(struct world *w, int64_t now_ms)
{
	struct err err;
	struct collect_report r = { 0 };
	do {
		ASSERT_DONE(collect_run(w->core, now_ms, 4, &r, &err));
	} while (r.more);
	return r;
}

/* Whatever can go goes: what loses its links in the first pass is a blob to review in the second.
 */
static inline UNUSED void collect_all(struct world *w)
{
	collect_at(w, LATER);
	collect_at(w, LATER + 1000 * HOUR_MS);
}

static inline UNUSED void world_finding(void *arg, enum verify_kind kind UNUSED, struct str text)
{
	struct world *w = arg;
	snprintf(w->finding, sizeof(w->finding), STR_FMT, STR_ARG(text));
}

static inline UNUSED struct verify_report verify(struct world *w)
{
	struct err err;
	struct verify_report r;
	struct verify_options o = { .deep = true, .finding = world_finding, .arg = w };
	w->finding[0] = '\0';
	ASSERT_DONE(verify_run(w->core, &o, &r, &err));
	return r;
}

static inline UNUSED void assert_sound(struct world *w)
{
	struct verify_report r = verify(w);
	assert_string_equal(w->finding, "");
	assert_int_equal(r.damaged + r.orphans + r.miscounts + r.locked, 0);
}

static inline UNUSED struct savings_total total(struct world *w)
{
	struct err err;
	struct savings_total t;
	ASSERT_DONE(savings_total(w->core, &w->reg, &t, &err));
	return t;
}

static inline UNUSED bool count_object(
	void *arg, const struct store_key *key UNUSED, uint64_t size_bytes UNUSED)
{
	++*(size_t *)arg;
	return true;
}

static inline UNUSED bool count_small_in(struct db_conn *c, void *arg, struct err *err)
{
	return small_object_count(c, arg, err);
}

/* Objects in the store, whoever names them, and small ones in the database. */
static inline UNUSED size_t objects(struct world *w)
{
	struct err err;
	size_t n = 0;
	uint64_t small = 0;
	ASSERT_DONE(blobstore_each(w->store, count_object, &n, &err));
	ASSERT_DONE(db_read(w->db, count_small_in, &small, &err));
	return n + (size_t)small;
}

#endif
