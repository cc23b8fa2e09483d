/* sequence_world.h - what sequences of operations are played in: database, store and core, and the
 * few names, layers and manifests that operations choose from. */
#ifndef BERTH_TESTS_SEQUENCE_WORLD_H
#define BERTH_TESTS_SEQUENCE_WORLD_H

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "crypt/secret.h"
#include "fuzz.h"
#include "kms/kms.h"
#include "meta/db.h"
#include "meta/db_fault.h"
#include "registry/archive.h"
#include "registry/blob.h"
#include "registry/collect.h"
#include "registry/image.h"
#include "registry/lifecycle.h"
#include "registry/mount.h"
#include "registry/reencrypt.h"
#include "registry/repo.h"
#include "registry/setting.h"
#include "registry/upload.h"
#include "registry/verify.h"
#include "store/store_fault.h"
#include "store/store_mem.h"

#define REPOS   3
#define BLOBS   5
#define TAGS    2
#define UPLOADS 2
#define HOUR_MS (3600LL * 1000)

static const char *const repo_names[REPOS] = { "a", "b", "team/c" };
static const char *const tag_names[TAGS] = { "t", "u" };
#define EXCLUDED "t*" /* the filter of mutability */

/* Lifecycle policies. */
enum { POLICY_UNTAGGED, POLICY_KEEP_TWO, POLICY_ARCHIVES, POLICIES };

static const char *const policies[POLICIES] = {
	"{\"rules\":[{\"rulePriority\":1,\"selection\":{\"tagStatus\":\"untagged\",\"countType\":\"imageCountMoreThan\",\"countNumber\":1},"
	"\"action\":{\"type\":\"expire\"}}]}",
	"{\"rules\":[{\"rulePriority\":1,\"selection\":{\"tagStatus\":\"any\",\"countType\":\"imageCountMoreThan\",\"countNumber\":2},"
	"\"action\":{\"type\":\"expire\"}}]}",
	"{\"rules\":[{\"rulePriority\":1,\"selection\":{\"tagStatus\":\"any\",\"countType\":\"sinceImagePulled\",\"countUnit\":\"days\",\"countNumber\":1},"
	"\"action\":{\"type\":\"transition\",\"targetStorageClass\":\"archive\"}}]}",
};
/* Up to how many bytes, as they are stored, an object goes into the database: none, all, or the
 * plain ones and some of those that are sealed once (76 bytes more). */
static const unsigned small_maxima[] = { 0, 16 * KIB, 84 };
static const char *const blob_texts[BLOBS] = { "config", "layer-one", "layer-2", "",
	"longest layer of all" };

/* An image by its layers (the first is its config), or an index by its images, or a referrer. */
static const struct shape_of {
	int blobs[4];    /* ended by -1 */
	int children[3]; /* likewise */
	int subject;
} shapes[] = {
	{ { 0, 1, -1 }, { -1 }, -1 },
	{ { 0, 2, 3, -1 }, { -1 }, -1 },
	{ { 4, 1, 1, -1 }, { -1 }, -1 },
	{ { -1 }, { 0, 1, -1 }, -1 },
	{ { 0, 4, -1 }, { -1 }, 0 },
};

#define IMAGES ARRAY_LEN(shapes)

static struct world {
	char folder[64], path[96];
	struct db *db;
	struct blobstore *store;
	struct core *core;
	struct core_options options;
	struct secret key, wrapping_key;
	struct kms *kms;
	struct registry_id reg;
	struct arena *arena; /* of one sequence */
	struct digest blobs[BLOBS], images[IMAGES];
	struct str manifests[IMAGES];
	unsigned sequences;
	bool is_up;
} w;

static const char *type_of(size_t image)
{
	return shapes[image].children[0] >= 0 ? "application/vnd.oci.image.index.v1+json"
					      : "application/vnd.oci.image.manifest.v1+json";
}

static struct str text_of(int blob)
{
	return str_from(blob_texts[blob]);
}

static struct str repo_of(unsigned r)
{
	return str_from(repo_names[r]);
}

static void open_core(void)
{
	struct err err;
	struct kms_options k = { .db = w.db, .wrapping_key = &w.wrapping_key };
	kms_close(w.kms);
	CHECK(kms_open(&k, &w.kms, &err));
	w.options.kms = w.kms;
	CHECK(core_open(&w.options, &w.core, &err));
}

static void remove_folder(void)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char path[128];
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", w.path, ends[i]);
		(void)unlink(path);
	}
	(void)rmdir(w.folder);
}

static void world_down(void)
{
	if (!w.is_up)
		return;
	core_close(w.core);
	kms_close(w.kms);
	w.kms = NULL;
	blobstore_close(w.store);
	db_close(w.db);
	remove_folder();
	w.is_up = false;
}

static void describe_blob(struct buf *b, int i, bool is_last)
{
	char text[DIGEST_TEXT_MAX];
	buf_addf(b, "{\"mediaType\":\"x/y\",\"digest\":\"%s\",\"size\":%zu}%s",
		digest_text(&w.blobs[i], text), text_of(i).len, is_last ? "" : ",");
}

static void render_image(struct buf *b, const struct shape_of *s)
{
	char text[DIGEST_TEXT_MAX];
	buf_add_c(b,
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":");
	describe_blob(b, s->blobs[0], true);
	buf_add_c(b, ",\"layers\":[");
	for (int i = 1; s->blobs[i] >= 0; i++)
		describe_blob(b, s->blobs[i], s->blobs[i + 1] < 0);
	buf_add_c(b, "]");
	if (s->subject >= 0)
		buf_addf(b, ",\"subject\":{\"mediaType\":\"x/y\",\"digest\":\"%s\",\"size\":1}",
			digest_text(&w.images[s->subject], text));
	buf_add_c(b, "}");
}

static void render_index(struct buf *b, const struct shape_of *s)
{
	char text[DIGEST_TEXT_MAX];
	buf_add_c(b,
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[");
	for (int i = 0; s->children[i] >= 0; i++)
		buf_addf(b,
			"%s{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\",\"size\":%zu}",
			i == 0 ? "" : ",", digest_text(&w.images[s->children[i]], text),
			w.manifests[s->children[i]].len);
	buf_add_c(b, "]}");
}

static void make_contents(void)
{
	static char texts[IMAGES][1024];
	struct err err;
	for (int i = 0; i < BLOBS; i++)
		CHECK(hash_bytes(DIGEST_SHA256, text_of(i), &w.blobs[i], &err));
	for (size_t i = 0; i < IMAGES; i++) {
		struct buf b CLEANUP(buf_fini);
		buf_init(&b, sizeof(texts[i]));
		if (shapes[i].children[0] >= 0)
			render_index(&b, &shapes[i]);
		else
			render_image(&b, &shapes[i]);
		CHECK(buf_ok(&b));
		memcpy(texts[i], b.ptr, b.len);
		w.manifests[i] = (struct str){ texts[i], b.len };
		CHECK(hash_bytes(DIGEST_SHA256, w.manifests[i], &w.images[i], &err));
	}
}

static void world_up(void)
{
	static bool is_registered;
	struct err err;
	struct db_options o = { .path = w.path, .readers = 1 };
	(void)snprintf(w.folder, sizeof(w.folder), "/dev/shm/berth-fuzz-XXXXXX");
	CHECK(crypt_init(&err) && mkdtemp(w.folder) != NULL);
	(void)snprintf(w.path, sizeof(w.path), "%s/berth.db", w.folder);
	CHECK(db_open(&o, &w.db, &err));
	w.store = store_fault_new(store_mem_new());
	w.key.len = 32;
	memset(w.key.bytes, 0x4d, 32);
	w.wrapping_key.len = 32;
	memset(w.wrapping_key.bytes, 0x57, 32);
	w.options = (struct core_options){ .db = w.db,
		.store = w.store,
		.managed_key = &w.key,
		.upload_life_ms = HOUR_MS,
		.collect_grace_ms = HOUR_MS,
		.restore_delay_ms = HOUR_MS,
		.mounting_by_default = true };
	open_core();
	make_contents();
	if (!is_registered)
		CHECK(atexit(world_down) == 0);
	is_registered = true;
	w.is_up = true;
	w.sequences = 0;
}

#endif
