/* A manifest that is accepted says what it needs within bounds, without repeats, and says the same
 * when it is read again; annotations render to JSON. First line: the Content-Type. */
#include "registry/manifest.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "fuzz.h"

static void check_needs(const struct manifest *m)
{
	CHECK(m->blob_count <= MANIFEST_NEEDS_MAX + 1 && m->child_count <= MANIFEST_NEEDS_MAX);
	CHECK(m->kind == MANIFEST_INDEX || m->child_count == 0);
	CHECK(m->kind != MANIFEST_INDEX || m->blob_count == 0);
	CHECK(m->kind != MANIFEST_IMAGE || (m->blob_count > 0 && m->blobs[0].is_config));
	/* Repeats: quadratic, so not for long lists. */
	for (size_t i = 0; i < m->blob_count && i < 64; i++) {
		for (size_t k = 0; k < i; k++)
			CHECK(!digest_eq(&m->blobs[i].digest, &m->blobs[k].digest));
	}
	for (size_t i = 0; i < m->child_count && i < 64; i++) {
		for (size_t k = 0; k < i; k++)
			CHECK(!digest_eq(&m->children[i], &m->children[k]));
	}
}

/* Goes into a header of an answer later. */
static void check_type(struct str type, bool may_be_empty)
{
	CHECK(type.ptr != NULL && (may_be_empty || type.len > 0) && type.len <= 255);
}

static void check_again(struct str text, const struct manifest *m)
{
	struct arena *arena = arena_new(MANIFEST_ARENA_BYTES);
	struct manifest again;
	struct err err;
	CHECK(manifest_parse(text, m->media_type, arena, &again, &err));
	CHECK(again.kind == m->kind && str_eq(again.media_type, m->media_type));
	CHECK(str_eq(again.artifact_type, m->artifact_type));
	CHECK(again.blob_count == m->blob_count && again.child_count == m->child_count);
	CHECK(again.has_subject == m->has_subject);
	arena_free(arena);
}

static void check_annotations(struct str text)
{
	struct buf b CLEANUP(buf_fini);
	struct json *root CLEANUP(json_freep) = NULL;
	struct err err;
	buf_init(&b, 8 * (size_t)MANIFEST_MAX_BYTES);
	CHECK(manifest_annotations(text, &b));
	CHECK(b.len == 0 ||
		(json_parse(buf_str(&b), &root, &err) && json_type(root) == JSON_OBJECT));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str type, text;
	(void)str_cut((struct str){ (const char *)data, size }, '\n', &type, &text);
	struct arena *arena = arena_new(MANIFEST_ARENA_BYTES);
	struct manifest m;
	struct err err;
	if (manifest_parse(text, type, arena, &m, &err)) {
		check_type(m.media_type, false);
		check_type(m.artifact_type, true);
		for (size_t i = 0; i < m.media_type.len; i++)
			CHECK(m.media_type.ptr[i] > ' ' && m.media_type.ptr[i] < 0x7f);
		check_needs(&m);
		check_again(text, &m);
		check_annotations(text);
	} else {
		CHECK(err.kind == ERR_MANIFEST_INVALID || err.kind == ERR_TOO_LARGE);
	}
	arena_free(arena);
	return 0;
}
