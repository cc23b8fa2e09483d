/* Which endpoint, repository and reference a path names. */
#include "../unit.h"
#include "oci/oci_path.h"

struct path_case {
	const char *path;
	enum oci_endpoint endpoint;
	const char *name;
	const char *reference;
};

static const struct path_case good[] = {
	{ "/v2", OCI_BASE, "", "" },
	{ "/v2/", OCI_BASE, "", "" },
	{ "/v2/_catalog", OCI_CATALOG, "", "" },
	{ "/v2/app/tags/list", OCI_TAGS, "app", "" },
	{ "/v2/team/app/tags/list", OCI_TAGS, "team/app", "" },
	{ "/v2/app/manifests/latest", OCI_MANIFEST, "app", "latest" },
	{ "/v2/app/manifests/sha256:ab", OCI_MANIFEST, "app", "sha256:ab" },
	{ "/v2/app/manifests/sha256%3Aab", OCI_MANIFEST, "app", "sha256:ab" },
	{ "/v2/app/manifests/list", OCI_MANIFEST, "app", "list" },
	{ "/v2/app/blobs/sha256:ab", OCI_BLOB, "app", "sha256:ab" },
	{ "/v2/app/blobs/uploads", OCI_UPLOADS, "app", "" },
	{ "/v2/app/blobs/uploads/", OCI_UPLOADS, "app", "" },
	{ "/v2/app/blobs/uploads/some-id", OCI_UPLOAD, "app", "some-id" },
	{ "/v2/app/referrers/sha256:ab", OCI_REFERRERS, "app", "sha256:ab" },
	{ "/v2/a%70p/tags/list", OCI_TAGS, "app", "" },
};

/* Names that hold the words of endpoints. */
static const struct path_case awkward[] = {
	{ "/v2/tags/list/tags/list", OCI_TAGS, "tags/list", "" },
	{ "/v2/a/blobs/uploads/tags/list", OCI_TAGS, "a/blobs/uploads", "" },
	{ "/v2/a/blobs/uploads/manifests/latest", OCI_MANIFEST, "a/blobs/uploads", "latest" },
	{ "/v2/manifests/manifests/manifests", OCI_MANIFEST, "manifests", "manifests" },
	{ "/v2/blobs/blobs/uploads/", OCI_UPLOADS, "blobs", "" },
	{ "/v2/blobs/uploads/blobs/uploads/x", OCI_UPLOAD, "blobs/uploads", "x" },
	{ "/v2/uploads/referrers/tags", OCI_REFERRERS, "uploads", "tags" },
};

static const char *const nowhere[] = {
	"/v2/app",
	"/v2/app/",
	"/v2/_catalog/",
	"/v2/app/_catalog",
	"/v2/tags/list",
	"/v2/blobs/uploads/",
	"/v2/manifests/latest",
	"/v2/app/tags",
	"/v2/app/tags/",
	"/v2/app/tags/other",
	"/v2/app/manifests",
	"/v2/app/manifests/",
	"/v2/app/blobs/",
	"/v2/app/uploads/x",
	"/v2/app/blobs/uploads/x/y",
	"/v2//tags",
	"/v2//",
};

static const char *const bad_names[] = {
	"/v2/App/tags/list",
	"/v2//app/tags/list",
	"/v2/app//tags/list",
	"/v2/a//b/tags/list",
	"/v2/../app/tags/list",
	"/v2/app/../tags/list",
	"/v2/./tags/list",
	"/v2/%2e%2e/tags/list",
	"/v2/a b/tags/list",
	"/v2/a%20b/tags/list",
	"/v2/-a/manifests/latest",
	"/v2/a\xc3\xa4/manifests/latest",
};

static const char *const undecodable[] = {
	"/v2/team%2Fapp/tags/list",
	"/v2/team%2fapp/tags/list",
	"/v2/app/manifests/a%2Fb",
	"/v2/app/manifests/a%00b",
	"/v2/app/manifests/a%",
	"/v2/app/manifests/a%4",
	"/v2/app/manifests/a%zz",
};

static void expect(const struct path_case *c)
{
	struct err err;
	struct oci_path p;
	struct arena *arena = arena_new(64 * KIB);
	if (!oci_path_parse(str_from(c->path), arena, &p, &err))
		fail_msg("%s: %s", c->path, err_text(&err));
	if (p.endpoint != c->endpoint)
		fail_msg("%s: endpoint %d, not %d", c->path, p.endpoint, c->endpoint);
	if (c->name && !str_eq_c(p.name, c->name))
		fail_msg("%s: name " STR_FMT ", not %s", c->path, STR_ARG(p.name), c->name);
	if (c->reference && !str_eq_c(p.reference, c->reference))
		fail_msg("%s: reference " STR_FMT ", not %s", c->path, STR_ARG(p.reference),
			c->reference);
	arena_free(arena);
}

static void every_endpoint_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		expect(&good[i]);
}

static void a_name_may_hold_the_words_of_endpoints(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(awkward); i++)
		expect(&awkward[i]);
}

static void other_paths_lead_nowhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nowhere); i++)
		expect(&(struct path_case){ .path = nowhere[i], .endpoint = OCI_NOWHERE });
}

static void a_name_that_breaks_the_grammar_is_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_names); i++)
		expect(&(struct path_case){ .path = bad_names[i], .endpoint = OCI_BAD_NAME });
}

static void an_encoded_slash_or_a_broken_escape_is_refused(void **state)
{
	(void)state;
	struct arena *arena = arena_new(64 * KIB);
	for (size_t i = 0; i < ARRAY_LEN(undecodable); i++) {
		struct err err;
		struct oci_path p;
		if (oci_path_parse(str_from(undecodable[i]), arena, &p, &err))
			fail_msg("%s was taken", undecodable[i]);
		assert_int_equal(err.kind, ERR_NAME_INVALID);
	}
	arena_free(arena);
}

static void a_name_of_256_characters_is_the_longest(void **state)
{
	char path[400];
	(void)state;
	for (size_t len = 256; len <= 257; len++) {
		char name[258];
		memset(name, 'a', len);
		name[len] = 0;
		(void)snprintf(path, sizeof(path), "/v2/%s/tags/list", name);
		expect(&(struct path_case){ .path = path,
			.endpoint = len == 256 ? OCI_TAGS : OCI_BAD_NAME,
			.name = name });
	}
}

static void a_path_larger_than_the_arena_is_an_error(void **state)
{
	static char path[4096];
	struct err err;
	struct oci_path p;
	struct arena *arena = arena_new(1 * KIB);
	(void)state;
	memset(path, 'a', sizeof(path));
	assert_false(oci_path_parse((struct str){ path, sizeof(path) }, arena, &p, &err));
	assert_int_equal(err.kind, ERR_INTERNAL);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_endpoint_is_found),
		cmocka_unit_test(a_name_may_hold_the_words_of_endpoints),
		cmocka_unit_test(other_paths_lead_nowhere),
		cmocka_unit_test(a_name_that_breaks_the_grammar_is_told_apart),
		cmocka_unit_test(an_encoded_slash_or_a_broken_escape_is_refused),
		cmocka_unit_test(a_name_of_256_characters_is_the_longest),
		cmocka_unit_test(a_path_larger_than_the_arena_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
