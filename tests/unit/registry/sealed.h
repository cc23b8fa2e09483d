/* sealed.h - for the tests of what encryption does to pools and uploads: bytes that can be told
 * apart anywhere, pushing and reading them in any repository, and looking at rows. */
#ifndef BERTH_TESTS_REGISTRY_SEALED_H
#define BERTH_TESTS_REGISTRY_SEALED_H

#include "meta/pool_table.h"
#include "store/seal.h"
#include "world.h"

/* len bytes that depend on seed and place; in the world's arena. */
static inline UNUSED struct str noise(struct world *w, size_t len, uint64_t seed)
{
	uint8_t *p = arena_alloc(w->arena, len + 1);
	assert_non_null(p);
	uint64_t x = seed * 0x9e3779b97f4a7c15U + 1;
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (uint8_t)(x >> 32);
	}
	return (struct str){ (const char *)p, len };
}

static inline UNUSED struct digest push_bytes(struct world *w, const char *repo, struct str bytes)
{
	struct err err;
	struct upload_result r;
	ASSERT_DONE(try_push(w, repo, bytes, &r, &err));
	return digest_of(bytes);
}

/* Reads the layer whole, and compares. */
static inline UNUSED bool try_read(
	struct world *w, const char *repo, struct str bytes, struct err *err)
{
	struct digest d = digest_of(bytes);
	struct blob_info info;
	struct blob_reader *r = NULL;
	size_t n = 0;
	if (!blob_open(w->core, &w->reg, str_from(repo), &d, &info, &r, err))
		return false;
	uint8_t *got = xmalloc(bytes.len + 1);
	bool ok = blob_reader_pread(r, got, bytes.len + 1, 0, &n, err);
	if (ok) {
		assert_int_equal(info.size_bytes, bytes.len);
		assert_int_equal(n, bytes.len);
		if (bytes.len)
			assert_memory_equal(got, bytes.ptr, bytes.len);
	}
	free(got);
	blob_reader_close(r);
	return ok;
}

static inline UNUSED void assert_reads(struct world *w, const char *repo, struct str bytes)
{
	struct err err;
	ASSERT_DONE(try_read(w, repo, bytes, &err));
}

/* The version of the key of (pool 1 or as given, layer), and its wrapping. */
struct key_look {
	int64_t pool_id, version;
	int layer;
	bool found;
	char bytes[KMS_WRAPPED_MAX];
	size_t len;
};

static inline UNUSED bool key_look_in(struct db_conn *c, void *arg, struct err *err)
{
	struct key_look *k = arg;
	struct buf b;
	buf_init(&b, KMS_WRAPPED_MAX);
	bool ok = pool_key_table_version(c, k->pool_id, &k->version, err) &&
		  pool_key_table_get(c, k->pool_id, k->layer, k->version, &b, &k->found, err);
	k->len = b.len;
	if (b.len)
		memcpy(k->bytes, b.ptr, b.len);
	buf_fini(&b);
	return ok;
}

static inline UNUSED struct key_look look_at_key(struct world *w, int64_t pool_id, int layer)
{
	struct err err;
	struct key_look k = { .pool_id = pool_id, .layer = layer };
	ASSERT_DONE(db_read(w->db, key_look_in, &k, &err));
	return k;
}

static inline UNUSED int64_t pool_of_repo(struct world *w, const char *repo, const struct digest *d)
{
	struct err err;
	struct blob_info info;
	ASSERT_DONE(blob_stat(w->core, &w->reg, str_from(repo), d, &info, &err));
	return info.pool_id;
}

static inline UNUSED int64_t form_of(struct world *w, const char *repo, struct str bytes)
{
	struct err err;
	struct digest d = digest_of(bytes);
	struct blob_info info;
	ASSERT_DONE(blob_stat(w->core, &w->reg, str_from(repo), &d, &info, &err));
	return info.form;
}

/* A restart with or without encryption. */
static inline UNUSED void restart_as(struct world *w, bool disk_is_encrypted)
{
	w->o.disk_is_encrypted = disk_is_encrypted;
	world_restart(w);
}

#endif
