/*
 * grow.c - fills a metadata database as years of use would: repositories in groups of ten that
 * share their layers.
 *
 *     grow DATABASE LINKS
 *
 * Each repository holds a hundred layers and an image that needs ten of them, with two tags.
 * Written through the metadata layer (meta/), so that every sum and index is as a server's own. The
 * database must hold the repository grow/seed, which says where: registry and pool are its. No
 * server may run on it. The layers have no bytes: for looking at the metadata only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "meta/blob_table.h"
#include "meta/image_table.h"
#include "meta/registry_table.h"
#include "meta/repo_table.h"
#include "meta/tag_event_table.h"

#define LAYERS   100 /* of a repository */
#define NEEDS    10
#define SHARERS  10
#define REGISTRY 1 /* the first one that a server makes */

struct group {
	int64_t number;
	int64_t repositories; /* of this group */
	int64_t pool_id;
};

static void digest_of(const char *kind, int64_t number, struct digest *out)
{
	/* Spread over the index as digests are. */
	uint64_t x = (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)kind[0];
	*out = (struct digest){ .alg = DIGEST_SHA256 };
	for (size_t i = 0; i < 32; i += 8) {
		x ^= x >> 31;
		x *= UINT64_C(0xbf58476d1ce4e5b9);
		memcpy(out->hash + i, &x, 8);
	}
}

static bool find_pool(struct db_conn *c, void *arg, struct err *err)
{
	struct group *g = arg;
	struct repo_key key;
	if (!repo_table_key(c, REGISTRY, STR("grow/seed"), &key, err))
		return false;
	g->pool_id = key.pool_id;
	return key.id != 0 || err_set(err, ERR_CONFIG, "there is no repository grow/seed");
}

static bool add_blobs(
	struct db_conn *c, const struct group *g, int64_t ids[LAYERS], struct err *err)
{
	for (int64_t i = 0; i < LAYERS; i++) {
		struct blob_row row = { .pool_id = g->pool_id,
			.size_bytes = 1000000,
			.created_at_ms = clock_now_ms() };
		int64_t number = g->number * LAYERS + i;
		digest_of("blob", number, &row.digest);
		memcpy(row.store_key, row.digest.hash, BLOB_STORE_KEY_LEN);
		if (!blob_table_add(c, &row, &ids[i], err))
			return false;
	}
	return true;
}

static bool add_image(
	struct db_conn *c, int64_t repo, int64_t pool_id, const int64_t *blobs, struct err *err)
{
	static const char manifest[] = "{\"schemaVersion\":2}";
	struct image_row row = { .repository_id = repo,
		.kind = 1,
		.media_type = STR("application/vnd.oci.image.manifest.v1+json"),
		.artifact_type = STR(""),
		.manifest_bytes = sizeof(manifest) - 1,
		.size_bytes = (uint64_t)NEEDS * 1000000,
		.pushed_at_ms = clock_now_ms(),
		.manifest = STR(manifest) };
	struct tag_stamp stamp = { row.pushed_at_ms, STR("") };
	int64_t image = 0, needs = 0;
	digest_of("image", repo, &row.digest);
	if (!image_table_add(c, &row, &image, err))
		return false;
	for (int64_t i = 0; i < NEEDS; i++) {
		if (!image_need_table_add(c, image, blobs[i], err) ||
			!link_table_add_needs(c, repo, blobs[i], 1, &needs, err))
			return false;
	}
	struct pool_delta d = { .images = 1 };
	return repo_table_add_sums(c, repo, 1, 0, 0, err) && pool_table_add(c, pool_id, &d, err) &&
	       tag_table_put(c, repo, STR("v1"), image, 0, &stamp, err) &&
	       tag_table_put(c, repo, STR("latest"), image, 0, &stamp, err);
}

static bool add_repository(struct db_conn *c, const struct group *g, int64_t number,
	const int64_t *blobs, struct err *err)
{
	char name[64];
	int64_t repo = 0;
	snprintf(name, sizeof(name), "grow/g%06" PRId64 "/r%" PRId64, g->number, number);
	struct repo_row row = { .registry_id = REGISTRY,
		.pool_id = g->pool_id,
		.name = str_from(name),
		.created_at_ms = clock_now_ms(),
		.mutability = 1, /* MUTABLE */
		.filters = STR(""),
		.key_arn = STR("") };
	if (!repo_table_add(c, &row, &repo, err))
		return false;
	for (int64_t i = 0; i < LAYERS; i++) {
		struct blob_row blob;
		bool found = false;
		struct link_row link = { .repository_id = repo,
			.blob_id = blobs[i],
			.origin = number == 0 ? LINK_UPLOADED : LINK_MOUNTED,
			.source = STR(""),
			.linked_at_ms = row.created_at_ms };
		if (!blob_table_get(c, blobs[i], &blob, &found, err) || !found ||
			!link_table_add(c, &link, &blob, err))
			return false;
	}
	return add_image(c, repo, g->pool_id, blobs, err);
}

static bool add_group(struct db_conn *c, void *arg, struct err *err)
{
	const struct group *g = arg;
	int64_t blobs[LAYERS];
	if (!add_blobs(c, g, blobs, err))
		return false;
	for (int64_t i = 0; i < g->repositories; i++) {
		if (!add_repository(c, g, i, blobs, err))
			return false;
	}
	return true;
}

static bool grow(struct db *db, int64_t links, struct err *err)
{
	struct group g = { 0 };
	if (!db_read(db, find_pool, &g, err))
		return false;
	for (int64_t left = links / LAYERS; left > 0; left -= g.repositories, g.number++) {
		g.repositories = left < SHARERS ? left : SHARERS;
		if (!db_write(db, add_group, &g, err))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct db *db = NULL;
	struct err err;
	if (argc != 3) {
		fprintf(stderr, "usage: grow DATABASE LINKS\n");
		return 2;
	}
	struct db_options o = { .path = argv[1] };
	bool done = db_open(&o, &db, &err) && grow(db, strtoll(argv[2], NULL, 10), &err);
	if (!done)
		fprintf(stderr, "grow: %s (%s)\n", err_text(&err), err.detail);
	db_close(db);
	return done ? 0 : 1;
}
