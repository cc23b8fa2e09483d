/*
 * Threads that create, delete, mount, push images and collect without any grace, all in the same
 * few repositories. Whoever sees an image may read all its layers, at any moment, and in the end
 * nothing is damaged, miscounted or left over.
 */
#include "base/thread.h"
#include "registry/manifest.h"
#include "world.h"

#define REPOS   3
#define WRITERS 3
#define ROUNDS  250

struct race {
	struct world *w;
	unsigned number;
	unsigned images; /* pushed */
	atomic_bool *stop;
	struct thread *thread;
};

static const char *const names[REPOS] = { "a", "b", "c" };
static const char *const texts[] = { "config", "layer-1", "layer-2", "layer-3" };

/* Failures that the others may cause; anything else fails the test. */
static void expect(bool done, const struct err *err)
{
	static const enum err_kind fine[] = { ERR_REPO_UNKNOWN, ERR_REPO_EXISTS, ERR_BLOB_UNKNOWN,
		ERR_BLOB_IN_USE, ERR_MANIFEST_BLOB_UNKNOWN, ERR_MANIFEST_CHILD_UNKNOWN,
		ERR_IMAGE_UNKNOWN, ERR_IMAGE_IN_INDEX,
		ERR_UPLOAD_UNKNOWN /* the repository is another one of the same name */ };

	if (done)
		return;
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		if (err->kind == fine[i])
			return;
	}
	fprintf(stderr, "%s: %s %s\n", err_kind_name(err->kind), err->msg, err->detail);
	abort(); /* cmocka's asserts are for the main thread */
}

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static unsigned next(unsigned *seed, unsigned sides)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (*seed >> 16) % sides;
}

/* Each thread has an arena and a world of its own; all else is shared. */
static void fork_world(struct world *own, const struct world *w)
{
	*own = *w;
	own->arena = arena_new(256 * MIB);
}

static void mount_one(struct world *w, const char *repo, const char *from, const char *text)
{
	struct err err;
	char hex[DIGEST_TEXT_MAX];
	struct digest d = digest_of(str_from(text));
	struct mount_result r;
	struct mount_request in = { .target = str_from(repo),
		.source = { from, from ? 1 : 0 },
		.digest = str_from(digest_text(&d, hex)),
		.may_read = may_read_all };
	expect(any_mount(w, &in, w->arena, &r, &err), &err);
}

static void put_one(
	struct race *race, struct world *w, const char *repo, unsigned k, unsigned *seed)
{
	struct err err;
	char tag[8];
	struct str image = image_text(w, texts[0], &texts[1 + k], 1, NULL);
	struct digest d = digest_of(image);
	snprintf(tag, sizeof(tag), "t%u", k);
	bool done = try_put(w, repo, image, next(seed, 2) ? tag : NULL, &err);
	expect(done, &err);
	race->images += done;
	if (done && next(seed, 3) == 0)
		expect(try_put(w, repo, index_text(w, &d, 1), "index", &err), &err);
}

static void writer(void *arg)
{
	struct race *race = arg;
	struct world w;
	struct err err;
	unsigned seed = race->number + 1;
	for (int i = 0; i < ROUNDS; i++) {
		fork_world(&w, race->w);
		const char *repo = names[next(&seed, REPOS)], *from = names[next(&seed, REPOS)];
		unsigned k = next(&seed, 3);
		struct upload_result r;
		struct repo_new in = {
			.name = str_from(repo), .enc_type = ENC_AES256, .mutability = MUTABLE
		};
		struct repo out;
		expect(repo_create(w.core, &w.reg, &in, w.arena, &out, &err), &err);
		if (next(&seed, 2))
			expect(try_push(&w, repo, str_from(texts[0]), &r, &err), &err);
		else
			mount_one(&w, repo, from, texts[0]);
		if (next(&seed, 2))
			expect(try_push(&w, repo, str_from(texts[1 + k]), &r, &err), &err);
		else
			mount_one(&w, repo, next(&seed, 2) ? from : NULL, texts[1 + k]);
		put_one(race, &w, repo, k, &seed);
		arena_free(w.arena);
	}
}

/* By any digest in the manifest: the bytes are there, unless the image is gone by now. */
static void look_at(struct world *w, const char *repo, const struct image *image, struct buf *bytes)
{
	struct err err;
	struct image_ref ref = by_digest_ref(image->digest);
	struct image_want want = { str_from(repo), &ref, bytes };
	struct image got;
	struct manifest m;
	buf_reset(bytes);
	if (!image_get(w->core, &w->reg, &want, w->arena, &got, &err)) {
		expect(false, &err);
		return;
	}
	require(manifest_parse(got.bytes, got.media_type, w->arena, &m, &err), "a manifest");
	for (size_t i = 0; i < m.blob_count; i++) {
		struct blob_info info;
		struct blob_reader *r = NULL;
		struct err why;
		if (blob_open(w->core, &w->reg, str_from(repo), &m.blobs[i].digest, &info, &r,
			    &why)) {
			blob_reader_close(r);
			continue;
		}
		expect(false, &why);
		/* The image, too, must be gone then, or have gone and come again meanwhile. */
		struct image again;
		want.bytes = NULL;
		if (!image_get(w->core, &w->reg, &want, w->arena, &again, &err))
			expect(false, &err);
		else
			require(again.id != got.id, "a visible image lacks a layer");
	}
}

static void reader(void *arg)
{
	struct race *race = arg;
	struct buf bytes;
	buf_init(&bytes, MANIFEST_MAX_BYTES);
	while (!atomic_load(race->stop)) {
		struct world w;
		struct err err;
		struct image_page p;
		fork_world(&w, race->w);
		for (size_t r = 0; r < REPOS; r++) {
			p.count = 0;
			struct image_query q = { .repo = str_from(names[r]), .limit = 100 };
			expect(image_list(w.core, &w.reg, &q, w.arena, &p, &err), &err);
			for (size_t i = 0; i < p.count; i++)
				look_at(&w, names[r], &p.items[i], &bytes);
		}
		arena_free(w.arena);
	}
	buf_fini(&bytes);
}

static void collector(void *arg)
{
	struct race *race = arg;
	while (!atomic_load(race->stop)) {
		struct err err;
		struct collect_report r = { 0 };
		if (!collect_run(race->w->core, clock_now_ms(), 8, &r, &err))
			require(false, err.detail);
	}
}

static void deleter(void *arg)
{
	struct race *race = arg;
	unsigned seed = 77;
	while (!atomic_load(race->stop)) {
		struct world w;
		struct err err;
		struct repo out;
		fork_world(&w, race->w);
		const char *repo = names[next(&seed, REPOS)];
		struct image_ref ref = by_tag(next(&seed, 2) ? "index" : "t1");
		struct digest d = digest_of(str_from(texts[next(&seed, 4)]));
		switch (next(&seed, 8)) {
		case 0:
			expect(repo_delete(
				       w.core, &w.reg, str_from(repo), true, w.arena, &out, &err),
				&err);
			break;
		case 1:
		case 2:
			expect(blob_unlink(w.core, &w.reg, str_from(repo), &d, &err), &err);
			break;
		default:
			expect(image_delete(w.core, &w.reg,
				       &(struct image_delete){ .repo = str_from(repo),
					       .ref = &ref,
					       .also_last = true },
				       w.arena, NULL, &err),
				&err);
		}
		arena_free(w.arena);
	}
}

static void no_visible_image_ever_lacks_a_layer(void **state)
{
	struct world *w = *state;
	struct err err;
	atomic_bool stop = false;
	static const thread_fn others[] = { reader, reader, collector, deleter };
	struct race races[WRITERS + ARRAY_LEN(others)] = { 0 };
	unsigned images = 0;
	w->o.collect_grace_ms = 0;
	world_restart(w);
	for (unsigned i = 0; i < ARRAY_LEN(races); i++) {
		thread_fn fn = i < WRITERS ? writer : others[i - WRITERS];
		races[i] = (struct race){ .w = w, .number = i, .stop = &stop };
		ASSERT_DONE(thread_start("race", fn, &races[i], MIB, &races[i].thread, &err));
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		thread_join(races[i].thread);
		images += races[i].images;
	}
	atomic_store(&stop, true);
	for (unsigned i = WRITERS; i < ARRAY_LEN(races); i++)
		thread_join(races[i].thread);
	/* The race is one only when images do get through. */
	print_message("%u images pushed\n", images);
	assert_true(images > 0);
	assert_sound(w);
	for (size_t i = 0; i < REPOS; i++) {
		struct repo out;
		expect(repo_delete(
			       w->core, &w->reg, str_from(names[i]), true, w->arena, &out, &err),
			&err);
	}
	collect_all(w);
	assert_int_equal(objects(w), 0);
	assert_int_equal(total(w).blobs, 0);
	assert_sound(w);
}

int main(int argc, char **argv UNUSED)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(no_visible_image_ever_lacks_a_layer),
	};
	return RUN_EITHER_WAY(tests, argc);
}
