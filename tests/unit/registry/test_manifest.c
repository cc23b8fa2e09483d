#include "../unit.h"
#include "base/arena.h"
#include "base/buf.h"
#include "registry/manifest.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D512                                                                      \
	"sha512:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd" \
	"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

#define OCI     "application/vnd.oci.image.manifest.v1+json"
#define INDEX   "application/vnd.oci.image.index.v1+json"
#define DOCKER  "application/vnd.docker.distribution.manifest.v2+json"
#define LIST    "application/vnd.docker.distribution.manifest.list.v2+json"
#define ORAS    "application/vnd.cncf.oras.artifact.manifest.v1+json"
#define OCI_ART "application/vnd.oci.artifact.manifest.v1+json"
#define LAYER   "application/vnd.oci.image.layer.v1.tar+gzip"
#define FOREIGN "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"

#define DESC(type, digest, size) \
	"{\"mediaType\":\"" type "\",\"digest\":\"" digest "\",\"size\":" size "}"
#define V2(type)     "\"schemaVersion\":2,\"mediaType\":\"" type "\""
#define CONFIG       "\"config\":" DESC("x/config", A, "1")
#define LAYERS(list) "\"layers\":[" list "]"
#define MANIFESTS(l) "\"manifests\":[" l "]"

/* What a manifest must be read as. blobs: letters of the digests in order, lower case when it may
 * miss. */
struct good {
	const char *text, *content_type;
	enum manifest_kind kind;
	const char *media_type, *artifact_type, *blobs, *children, *subject;
};

static const struct good goods[] = {
	{ "{" V2(OCI) "," CONFIG "," LAYERS(DESC(LAYER, B, "2")) "}", OCI, MANIFEST_IMAGE, OCI,
		"x/config", "AB", "", "" },
	{ "{" V2(DOCKER) "," CONFIG "," LAYERS(DESC(LAYER, B, "2")) "}", DOCKER, MANIFEST_IMAGE,
		DOCKER, "x/config", "AB", "", "" },
	{ "{" V2(INDEX) "," MANIFESTS(DESC(OCI, B, "2") "," DESC(OCI, C, "2")) "}", INDEX,
		MANIFEST_INDEX, INDEX, "", "", "BC", "" },
	{ "{" V2(LIST) "," MANIFESTS(DESC(OCI, B, "2")) "}", LIST, MANIFEST_INDEX, LIST, "", "",
		"B", "" },
	/* Where the type comes from. */
	{ "{\"schemaVersion\":2," CONFIG "," LAYERS("") "}", OCI, MANIFEST_IMAGE, OCI, "x/config",
		"A", "", "" },
	{ "{\"schemaVersion\":2," CONFIG "," LAYERS("") "}", "", MANIFEST_IMAGE, OCI, "x/config",
		"A", "", "" },
	{ "{\"schemaVersion\":2," MANIFESTS("") "}", "", MANIFEST_INDEX, INDEX, "", "", "", "" },
	{ "{" V2(OCI) "," CONFIG "," LAYERS("") "}", "", MANIFEST_IMAGE, OCI, "x/config", "A", "",
		"" },
	{ "{" V2(OCI) "," CONFIG "," LAYERS("") "}", OCI "; charset=utf-8", MANIFEST_IMAGE, OCI,
		"x/config", "A", "", "" },
	{ "{" V2(OCI) "," CONFIG "," LAYERS("") "}", "application/json", MANIFEST_IMAGE, OCI,
		"x/config", "A", "", "" },
	{ "{" V2(OCI) "," CONFIG "," LAYERS("") "}", "application/octet-stream", MANIFEST_IMAGE,
		OCI, "x/config", "A", "", "" },
	{ "{" CONFIG "," LAYERS("") "}", OCI, MANIFEST_IMAGE, OCI, "x/config", "A", "", "" },
	/* layers and manifests may be null or absent. */
	{ "{" V2(OCI) "," CONFIG ",\"layers\":null}", OCI, MANIFEST_IMAGE, OCI, "x/config", "A", "",
		"" },
	{ "{" V2(OCI) "," CONFIG "}", OCI, MANIFEST_IMAGE, OCI, "x/config", "A", "", "" },
	{ "{" V2(INDEX) ",\"manifests\":null}", INDEX, MANIFEST_INDEX, INDEX, "", "", "", "" },
	/* Duplicates count once; sha512 is known. */
	{ "{" V2(OCI) "," CONFIG "," LAYERS(DESC(LAYER, B, "2") "," DESC(LAYER, A, "1") "," DESC(
		  LAYER, B, "2") "," DESC(LAYER, D512, "0")) "}",
		OCI, MANIFEST_IMAGE, OCI, "x/config", "ABD", "", "" },
	{ "{" V2(INDEX) "," MANIFESTS(
		  DESC(OCI, C, "2") "," DESC(OCI, B, "2") "," DESC(OCI, C, "2")) "}",
		INDEX, MANIFEST_INDEX, INDEX, "", "", "CB", "" },
	/* A nested index, and an index with its own artifact type and subject. */
	{ "{" V2(INDEX) ",\"artifactType\":\"x/y\",\"subject\":" DESC(OCI, C, "3") "," MANIFESTS(
		  DESC(INDEX, B, "2")) "}",
		INDEX, MANIFEST_INDEX, INDEX, "x/y", "", "B", "C" },
	/* Artifacts: by artifactType, by config type, with the empty config. */
	{ "{" V2(OCI) ",\"artifactType\":\"x/sbom\",\"subject\":" DESC(
		  OCI, B, "3") "," CONFIG "," LAYERS(DESC("x/y", C, "2")) "}",
		OCI, MANIFEST_IMAGE, OCI, "x/sbom", "AC", "", "B" },
	{ "{" V2(OCI) ",\"artifactType\":\"\"," CONFIG "," LAYERS("") "}", OCI, MANIFEST_IMAGE, OCI,
		"x/config", "A", "", "" },
	{ "{" V2(OCI) ",\"subject\":null," CONFIG "," LAYERS("") "}", OCI, MANIFEST_IMAGE, OCI,
		"x/config", "A", "", "" },
	/* Foreign layers may miss, but not when the same digest is demanded too. */
	{ "{" V2(DOCKER) "," CONFIG "," LAYERS(DESC(FOREIGN, B, "2") "," DESC(LAYER, C, "2")) "}",
		DOCKER, MANIFEST_IMAGE, DOCKER, "x/config", "ACb", "", "" },
	{ "{" V2(DOCKER) "," CONFIG "," LAYERS(
		  DESC("application/vnd.docker.image.rootfs.foreign.diff.tar", B, "2")) "}",
		DOCKER, MANIFEST_IMAGE, DOCKER, "x/config", "Ab", "", "" },
	{ "{" V2(OCI) "," CONFIG "," LAYERS(
		  DESC("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", B, "2")) "}",
		OCI, MANIFEST_IMAGE, OCI, "x/config", "Ab", "", "" },
	{ "{" V2(OCI) "," CONFIG "," LAYERS(DESC(FOREIGN, B, "2") "," DESC(LAYER, B, "2")) "}", OCI,
		MANIFEST_IMAGE, OCI, "x/config", "AB", "", "" },
	/* Artifact manifests of the past demand their blobs. */
	{ "{\"mediaType\":\"" ORAS "\",\"artifactType\":\"x/y\",\"blobs\":[" DESC(
		  "x/y", B, "2") "],\"subject\":" DESC(OCI, C, "1") "}",
		ORAS, MANIFEST_OTHER, ORAS, "x/y", "B", "", "C" },
	{ "{\"mediaType\":\"" OCI_ART "\",\"artifactType\":\"x/y\"}", OCI_ART, MANIFEST_OTHER,
		OCI_ART, "x/y", "", "", "" },
	/* Of an unknown type nothing is demanded, but what looks like a layer is kept. */
	{ "{\"mediaType\":\"x/new\"}", "x/new", MANIFEST_OTHER, "x/new", "", "", "", "" },
	{ "{\"schemaVersion\":7,\"mediaType\":\"x/new\"," CONFIG
	  ",\"layers\":[1," DESC("x/y", B, "2") "],\"blobs\":[{},null," DESC("x/y", C, "2") "]}",
		"x/new", MANIFEST_OTHER, "x/new", "", "abc", "", "" },
	{ "{\"mediaType\":\"x/new\",\"config\":7,\"layers\":{},\"manifests\":[1]}", "x/new",
		MANIFEST_OTHER, "x/new", "", "", "", "" },
	/* Unknown fields are nobody's business. */
	{ " {" V2(OCI) "," CONFIG "," LAYERS("") ",\"x\":[[[{}]]],\"annotations\":{\"a\":\"b\"}} ",
		OCI, MANIFEST_IMAGE, OCI, "x/config", "A", "", "" },
};

static char letter(const struct digest *d)
{
	return (char)('A' + (d->hash[0] & 15) - 10);
}

static void assert_read_as(const struct good *g)
{
	struct arena *arena = arena_new(MANIFEST_ARENA_BYTES);
	struct manifest m;
	struct err err;
	char blobs[16] = "", children[16] = "";
	if (!manifest_parse(str_from(g->text), str_from(g->content_type), arena, &m, &err))
		fail_msg("%s: %s", g->text, err.msg);
	for (size_t i = 0; i < m.blob_count; i++) {
		char c = letter(&m.blobs[i].digest);
		blobs[i] = m.blobs[i].may_miss ? (char)(c | 0x20) : c;
		assert_int_equal(m.blobs[i].is_config, (c | 0x20) == 'a' && i == 0);
	}
	for (size_t i = 0; i < m.child_count; i++)
		children[i] = letter(&m.children[i]);
	if (m.kind != g->kind || !str_eq_c(m.media_type, g->media_type) ||
		!str_eq_c(m.artifact_type, g->artifact_type) || strcmp(blobs, g->blobs) != 0 ||
		strcmp(children, g->children) != 0 || m.has_subject != (g->subject[0] != '\0') ||
		(m.has_subject && letter(&m.subject) != g->subject[0]))
		fail_msg("%s\nkind %d type %.*s artifact %.*s blobs %s children %s", g->text,
			m.kind, STR_ARG(m.media_type), STR_ARG(m.artifact_type), blobs, children);
	arena_free(arena);
}

static void what_clients_push_is_read(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(goods); i++)
		assert_read_as(&goods[i]);
}

static const struct {
	const char *text, *content_type;
} bads[] = {
	{ "", OCI },
	{ "{", OCI },
	{ "[]", OCI },
	{ "null", OCI },
	{ "\"x\"", OCI },
	{ "2", OCI },
	{ "{" V2(OCI) "," CONFIG "," LAYERS("") "}{}", OCI },
	{ "{" V2(OCI) "," CONFIG "," LAYERS("") "", OCI },
	/* The type. */
	{ "{}", "" },
	{ "{}", "application/json" },
	{ "{\"schemaVersion\":2}", "" },
	{ "{" V2(OCI) "," CONFIG "," LAYERS("") "}", DOCKER },
	{ "{" V2(OCI) "," CONFIG "," LAYERS("") "}", INDEX },
	{ "{\"mediaType\":\"no-slash\"}", "" },
	{ "{\"mediaType\":\"a/b\\r\\nx: y\"}", "" },
	{ "{\"mediaType\":\"a/b c\"}", "" },
	{ "{\"mediaType\":\"a/\xc3\xa4\"}", "" },
	{ "{}", "a/b\"c" },
	{ "{\"schemaVersion\":1}", "application/vnd.docker.distribution.manifest.v1+prettyjws" },
	{ "{\"schemaVersion\":1}", "application/vnd.docker.distribution.manifest.v1+json" },
	{ "{\"schemaVersion\":1,\"mediaType\":\"" OCI "\"," CONFIG "," LAYERS("") "}", OCI },
	/* Image and index at once. */
	{ "{" V2(OCI) "," CONFIG "," LAYERS("") "," MANIFESTS("") "}", OCI },
	{ "{" V2(INDEX) "," LAYERS("") "," MANIFESTS("") "}", INDEX },
	{ "{" V2(INDEX) "," CONFIG "," MANIFESTS("") "}", INDEX },
	{ "{" LAYERS("") "," MANIFESTS("") "}", "" },
	/* The parts. */
	{ "{" V2(OCI) "," LAYERS("") "}", OCI },
	{ "{" V2(OCI) ",\"config\":null," LAYERS("") "}", OCI },
	{ "{" V2(OCI) ",\"config\":\"" A "\"," LAYERS("") "}", OCI },
	{ "{" V2(OCI) ",\"config\":{}," LAYERS("") "}", OCI },
	{ "{" V2(OCI) "," CONFIG ",\"layers\":{}}", OCI },
	{ "{" V2(OCI) "," CONFIG ",\"layers\":\"x\"}", OCI },
	{ "{" V2(OCI) "," CONFIG "," LAYERS("1") "}", OCI },
	{ "{" V2(OCI) "," CONFIG "," LAYERS("null") "}", OCI },
	{ "{" V2(OCI) "," CONFIG "," LAYERS("[]") "}", OCI },
	{ "{" V2(INDEX) ",\"manifests\":{}}", INDEX },
	{ "{" V2(INDEX) "," MANIFESTS("{}") "}", INDEX },
	{ "{" V2(OCI) "," CONFIG ",\"subject\":{}}", OCI },
	{ "{" V2(OCI) "," CONFIG ",\"subject\":7}", OCI },
	{ "{" V2(OCI) "," CONFIG ",\"artifactType\":\"no-slash\"}", OCI },
	{ "{\"mediaType\":\"" ORAS "\",\"blobs\":7}", ORAS },
	{ "{\"mediaType\":\"" ORAS "\",\"blobs\":[{}]}", ORAS },
	/* Descriptors. */
	{ "{" V2(OCI) ",\"config\":" DESC("x/y", "sha256:aa", "1") "}", OCI },
	{ "{" V2(OCI) ",\"config\":" DESC("x/y", "md5:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1") "}",
		OCI },
	{ "{" V2(OCI) ",\"config\":" DESC("x/y", A "a", "1") "}", OCI },
	{ "{" V2(OCI) ",\"config\":" DESC("x/y",
		  "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		  "1") "}",
		OCI },
	{ "{" V2(OCI) ",\"config\":" DESC("x/y", A, "-1") "}", OCI },
	{ "{" V2(OCI) ",\"config\":" DESC("x/y", A, "1.5") "}", OCI },
	{ "{" V2(OCI) ",\"config\":" DESC("x/y", A, "\"1\"") "}", OCI },
	{ "{" V2(OCI) ",\"config\":" DESC("x/y", A, "99999999999999999999") "}", OCI },
	{ "{" V2(OCI) ",\"config\":{\"mediaType\":\"x/y\",\"digest\":\"" A "\"}}", OCI },
};

static void what_is_no_manifest_is_refused(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
		struct arena *arena = arena_new(MANIFEST_ARENA_BYTES);
		struct manifest m;
		struct err err;
		if (manifest_parse(str_from(bads[i].text), str_from(bads[i].content_type), arena,
			    &m, &err))
			fail_msg("row %zu: %s", i, bads[i].text);
		assert_string_equal(err_kind_name(err.kind), "MANIFEST_INVALID");
		assert_non_null(strstr(err.msg, "Invalid parameter at 'ImageManifest'"));
		arena_free(arena);
	}
}

/* An image with n layers of n different digests. */
static void many_layers(struct buf *b, size_t n)
{
	buf_addf(b, "{" V2(OCI) "," CONFIG ",\"layers\":[");
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s{\"digest\":\"sha256:%064zx\",\"size\":1}", i ? "," : "", i);
	buf_addf(b, "]}");
}

static void ten_thousand_layers_fit_and_one_more_does_not(void **state UNUSED)
{
	for (size_t n = MANIFEST_NEEDS_MAX; n <= MANIFEST_NEEDS_MAX + 1; n++) {
		struct arena *arena = arena_new(MANIFEST_ARENA_BYTES);
		struct buf b;
		struct manifest m;
		struct err err;
		buf_init(&b, MANIFEST_MAX_BYTES);
		many_layers(&b, n);
		assert_true(buf_ok(&b));
		bool ok = manifest_parse(buf_str(&b), STR(OCI), arena, &m, &err);
		assert_int_equal(ok, n == MANIFEST_NEEDS_MAX);
		if (ok)
			assert_int_equal(m.blob_count, n + 1);
		buf_fini(&b);
		arena_free(arena);
	}
}

static void four_mebibytes_are_the_most(void **state UNUSED)
{
	static const char head[] = "{" V2(OCI) "," CONFIG ",\"x\":\"";
	struct arena *arena = arena_new(MANIFEST_ARENA_BYTES);
	struct buf b;
	struct manifest m;
	struct err err;
	buf_init(&b, MANIFEST_MAX_BYTES + 1);
	buf_add_c(&b, head);
	while (b.len < MANIFEST_MAX_BYTES - 2)
		buf_add_char(&b, 'x');
	buf_add_c(&b, "\"}");
	ASSERT_DONE(manifest_parse(buf_str(&b), STR(OCI), arena, &m, &err));
	buf_add_char(&b, ' ');
	ASSERT_FAILS(ERR_TOO_LARGE, manifest_parse(buf_str(&b), STR(OCI), arena, &m, &err));
	buf_fini(&b);
	arena_free(arena);
}

static void nesting_beyond_reason_is_no_manifest(void **state UNUSED)
{
	struct arena *arena = arena_new(MANIFEST_ARENA_BYTES);
	struct buf b;
	struct manifest m;
	struct err err;
	buf_init(&b, MIB);
	buf_add_c(&b, "{" V2(OCI) "," CONFIG ",\"x\":");
	for (size_t i = 0; i < 100000; i++)
		buf_add_char(&b, '[');
	for (size_t i = 0; i < 100000; i++)
		buf_add_char(&b, ']');
	buf_add_c(&b, "}");
	ASSERT_FAILS(ERR_MANIFEST_INVALID, manifest_parse(buf_str(&b), STR(OCI), arena, &m, &err));
	buf_fini(&b);
	arena_free(arena);
}

static void annotations_are_told_as_they_stand(void **state UNUSED)
{
	static const struct {
		const char *text, *annotations; /* NULL: no JSON */
	} table[] = {
		{ "{\"annotations\":{\"b\":\"2\",\"a\":\"1\"}}", "{\"b\":\"2\",\"a\":\"1\"}" },
		{ "{\"annotations\":{}}", "{}" },
		{ "{\"annotations\":null}", "" },
		{ "{\"annotations\":[1]}", "" },
		{ "{}", "" },
		{ "[]", "" },
		{ "{", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct buf b;
		buf_init(&b, 1024);
		bool ok = manifest_annotations(str_from(table[i].text), &b);
		assert_int_equal(ok, table[i].annotations != NULL);
		if (ok)
			assert_true(str_eq_c(buf_str(&b), table[i].annotations));
		buf_fini(&b);
	}
	struct buf small;
	buf_init(&small, 4);
	assert_false(manifest_annotations(str_from(table[0].text), &small));
	buf_fini(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_clients_push_is_read),
		cmocka_unit_test(what_is_no_manifest_is_refused),
		cmocka_unit_test(ten_thousand_layers_fit_and_one_more_does_not),
		cmocka_unit_test(four_mebibytes_are_the_most),
		cmocka_unit_test(nesting_beyond_reason_is_no_manifest),
		cmocka_unit_test(annotations_are_told_as_they_stand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
