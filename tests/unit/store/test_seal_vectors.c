#include "base/file.h"
#include "seal_fixture.h"

/*
 * The files in tests/data/segment (SEGMENT_DATA), whose plaintext and keys are known: what an
 * independent program sealed opens, and what Berth sealed once opens for ever. "--write DIR" makes
 * Berth's own anew.
 */

static const struct store_key object = { { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
	0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff } };

static const struct {
	const char *name;
	enum seal_suite suite;
	size_t len;
	bool is_paused, is_ours;
} vectors[] = {
	{ "empty", SEAL_SINGLE, 0, false, false },
	{ "short-double", SEAL_DOUBLE, 100, false, false },
	{ "two-segments", SEAL_SINGLE, SEG + 3, false, false },
	{ "berth-empty-double", SEAL_DOUBLE, 0, false, true },
	{ "berth-two-segments-double", SEAL_DOUBLE, SEG + 5, false, true },
	{ "berth-paused", SEAL_SINGLE, SEG + 70, true, true },
};

static bool vector_key(void *arg UNUSED, enum seal_layer layer, uint32_t version,
	struct secret *out, struct err *err UNUSED)
{
	assert_int_equal(version, layer == SEAL_INNER ? 1 : 2);
	out->len = SEAL_KEY_LEN;
	for (size_t i = 0; i < SEAL_KEY_LEN; i++)
		out->bytes[i] = (uint8_t)(i + 32 * (size_t)layer);
	return true;
}

static struct seal_pool vector_pool(enum seal_suite suite)
{
	return (struct seal_pool){
		.pool_id = 12, .suite = suite, .version = { 1, 2 }, .key = vector_key
	};
}

static uint8_t *vector_plain(size_t len)
{
	uint8_t *bytes = xmalloc(len + 1);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(7 * i + i / 256);
	return bytes;
}

static void load(const char *name, const char *suffix, struct buf *out)
{
	char path[600];
	struct err err;
	snprintf(path, sizeof(path), "%s/%s.%s", SEGMENT_DATA, name, suffix);
	buf_init(out, MIB);
	ASSERT_DONE(file_read(path, out, &err));
}

static void all_vectors_open(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct seal_pool pool = vector_pool(vectors[i].suite);
		struct blobstore *s = store_mem_new();
		struct seal_reader *r = NULL;
		struct buf raw CLEANUP(buf_fini);
		struct buf tail CLEANUP(buf_fini);
		uint8_t *plain CLEANUP(freep) = vector_plain(vectors[i].len);
		struct err err;
		load(vectors[i].name, "bin", &raw);
		put_raw(s, &object, (const uint8_t *)raw.ptr, raw.len);
		struct blob_reader *inner = opened(s, &object);
		if (vectors[i].is_paused) {
			load(vectors[i].name, "tail", &tail);
			ASSERT_DONE(seal_reader_open_paused(
				inner, &pool, &object, vectors[i].len, buf_str(&tail), &r, &err));
		} else {
			buf_init(&tail, 0);
			ASSERT_DONE(
				seal_reader_open(inner, &pool, &object, vectors[i].len, &r, &err));
		}
		ASSERT_DONE(read_all(r, plain, 5000, &err));
		seal_reader_close(r);
		blob_reader_close(inner);
		blobstore_close(s);
	}
}

static bool write_vector(const char *folder, size_t i, struct err *err)
{
	char path[600];
	struct seal_pool pool = vector_pool(vectors[i].suite);
	struct blobstore *s = store_mem_new();
	struct blob_writer *inner = NULL;
	struct seal_writer *w = NULL;
	struct buf tail CLEANUP(buf_fini);
	uint8_t *plain CLEANUP(freep) = vector_plain(vectors[i].len);
	size_t len;
	buf_init(&tail, SEAL_TAIL_MAX);
	if (!blobstore_append(s, &object, &inner, err) ||
		!seal_writer_open(inner, &pool, &object, 0, STR(""), &w, err) ||
		!seal_writer_write(w, plain, vectors[i].len, err) ||
		!(vectors[i].is_paused ? seal_writer_tail(w, &tail, err)
				       : seal_writer_finish(w, err)))
		return false;
	seal_writer_close(w);
	blob_writer_close(inner);
	uint8_t *raw CLEANUP(freep) = raw_of(s, &object, &len);
	blobstore_close(s);
	snprintf(path, sizeof(path), "%s/%s.bin", folder, vectors[i].name);
	if (!file_write_atomic(path, (struct str){ (const char *)raw, len }, 0644, err))
		return false;
	snprintf(path, sizeof(path), "%s/%s.tail", folder, vectors[i].name);
	return !vectors[i].is_paused || file_write_atomic(path, buf_str(&tail), 0644, err);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_vectors_open),
	};
	if (argc == 3 && strcmp(argv[1], "--write") == 0) {
		struct err err;
		for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
			if (!crypt_init(&err) ||
				(vectors[i].is_ours && !write_vector(argv[2], i, &err))) {
				fprintf(stderr, "%s (%s)\n", err_text(&err), err.detail);
				return 1;
			}
		}
		return 0;
	}
	return cmocka_run_group_tests(tests, init_crypt, NULL);
}
