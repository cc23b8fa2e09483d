#include "registry/manifest.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"

#define OCI_MANIFEST     "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX        "application/vnd.oci.image.index.v1+json"
#define DOCKER_MANIFEST  "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST      "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_V1_PREFIX "application/vnd.docker.distribution.manifest.v1+"
/* Both are history, and both list what they need in "blobs". */
#define OCI_ARTIFACT  "application/vnd.oci.artifact.manifest.v1+json"
#define ORAS_ARTIFACT "application/vnd.cncf.oras.artifact.manifest.v1+json"

static bool invalid(struct err *err, const char *what)
{
	return err_set(err, ERR_MANIFEST_INVALID,
		"Invalid parameter at 'ImageManifest' failed to satisfy constraint: '%s'", what);
}

/* The arena gave nothing. */
static bool too_large(const struct arena *arena, struct err *err)
{
	return arena_is_starved(arena)
		       ? err_sys(err, ERR_UNAVAILABLE, 0, "no memory to read a manifest")
		       : invalid(err, "The manifest is too large");
}

static enum manifest_kind kind_of(struct str media_type)
{
	if (str_eq_c(media_type, OCI_MANIFEST) || str_eq_c(media_type, DOCKER_MANIFEST))
		return MANIFEST_IMAGE;
	if (str_eq_c(media_type, OCI_INDEX) || str_eq_c(media_type, DOCKER_LIST))
		return MANIFEST_INDEX;
	return MANIFEST_OTHER;
}

/* A Content-Type without its parameters. */
static struct str bare_type(struct str s)
{
	return str_trim(str_sub(s, 0, str_find_char(s, ';')));
}

/* A media type as RFC 6838 allows it, bounded; goes into a response header later. */
static bool is_media_type(struct str s)
{
	bool slash = false;
	if (s.len == 0 || s.len > 255)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char ch = s.ptr[i];
		if (ch <= ' ' || ch >= 0x7f || ch == '"' || ch == '\\' || ch == ',' || ch == ';')
			return false;
		slash = slash || ch == '/';
	}
	return slash;
}

/* OCI image spec 1.1, "Image Layer: Non-Distributable Layers", and Docker's foreign layers (plain
 * and compressed): the registry need not hold them. */
static bool is_foreign(struct str media_type)
{
	return str_starts(media_type, STR("application/vnd.oci.image.layer.nondistributable.")) ||
	       str_starts(media_type, STR("application/vnd.docker.image.rootfs.foreign.diff.tar"));
}

/* OCI image spec 1.1 and CVE-2021-41190: what can be read as an image and as an index is neither.
 */
static bool is_ambiguous(const struct json *root)
{
	return json_type(json_get(root, "manifests")) != JSON_NULL &&
	       (json_type(json_get(root, "layers")) != JSON_NULL ||
		       json_type(json_get(root, "config")) != JSON_NULL);
}

/* Which of mediaType, Content-Type and shape says what the manifest is. */
static bool find_type(const struct json *root, struct str content_type, struct arena *arena,
	struct manifest *m, struct err *err)
{
	struct str own = json_get_str(root, "mediaType");
	struct str given = bare_type(content_type);
	if (str_eq_c(given, "application/json") || str_eq_c(given, "application/octet-stream"))
		given.len = 0; /* says nothing */
	if (own.len && given.len && !str_eq(own, given))
		return invalid(
			err, "The manifest's mediaType differs from the media type it was sent as");
	struct str type = own.len ? own : given;
	if (!type.len) {
		if (is_ambiguous(root))
			return invalid(err, "mediaType must be given in the manifest or with it");
		if (json_type(json_get(root, "manifests")) == JSON_ARRAY)
			type = STR(OCI_INDEX);
		else if (json_type(json_get(root, "layers")) == JSON_ARRAY)
			type = STR(OCI_MANIFEST);
		else
			return invalid(err, "mediaType must be given in the manifest or with it");
	}
	if (!is_media_type(type))
		return invalid(err, "mediaType is not a media type");
	if (str_starts(type, STR(DOCKER_V1_PREFIX)))
		return invalid(err, "Docker image manifest schema 1 is not supported");
	m->media_type = arena_str(arena, type);
	m->kind = kind_of(type);
	return m->media_type.ptr || too_large(arena, err);
}

static bool descriptor(const struct json *d, struct digest *digest, uint64_t *size, struct err *err)
{
	if (json_type(d) != JSON_OBJECT)
		return invalid(err, "A descriptor is not an object");
	struct err bad;
	if (!digest_parse(json_get_str(d, "digest"), digest, &bad))
		return invalid(
			err, "A descriptor's digest is malformed or of an unsupported algorithm");
	int64_t s = json_int(json_get(d, "size"), -1);
	if (s < 0)
		return invalid(err, "A descriptor's size is missing or negative");
	*size = (uint64_t)s;
	return true;
}

struct pointer {
	const struct digest *to;
};

/* Orders by digest, equal ones as they stand in the list. Both kinds of item begin with a digest.
 */
static int by_digest(const void *a, const void *b)
{
	const struct digest *x = ((const struct pointer *)a)->to;
	const struct digest *y = ((const struct pointer *)b)->to;
	if (x->alg != y->alg)
		return x->alg < y->alg ? -1 : 1;
	int order = memcmp(x->hash, y->hash, DIGEST_HASH_MAX);
	return order ? order : (x > y) - (x < y);
}

/*
 * Leaves the first of equal digests, in the list's order; returns how many are left. By sorting,
 * because a client chooses the digests: a hash table could be made to degenerate.
 */
static bool drop_repeats(void *items, size_t size, size_t *count, struct arena *arena)
{
	char *at = items;
	size_t n = *count;
	size_t kept = 0;
	struct pointer *sorted = arena_alloc(arena, (n + 1) * sizeof(*sorted));
	bool *repeats = arena_alloc(arena, n + 1);
	if (!sorted || !repeats)
		return false;
	for (size_t i = 0; i < n; i++)
		sorted[i].to = (const struct digest *)(const void *)(at + i * size);
	qsort(sorted, n, sizeof(*sorted), by_digest);
	for (size_t i = 1; i < n; i++) {
		if (digest_eq(sorted[i - 1].to, sorted[i].to))
			repeats[(size_t)((const char *)sorted[i].to - at) / size] = true;
	}
	for (size_t i = 0; i < n; i++) {
		if (repeats[i])
			continue;
		if (kept != i)
			memcpy(at + kept * size, at + i * size, size);
		kept++;
	}
	*count = kept;
	return true;
}

_Static_assert(offsetof(struct manifest_need, digest) == 0, "drop_repeats wants the digest first");

static bool add_need(
	struct manifest *m, const struct json *d, bool is_config, bool may_miss, struct err *err)
{
	struct manifest_need need = { .is_config = is_config, .may_miss = may_miss };
	if (!descriptor(d, &need.digest, &need.size_bytes, err))
		return false;
	m->blobs[m->blob_count++] = need;
	return true;
}

/* Room for config and n more. */
static bool room_for_needs(struct manifest *m, size_t n, struct arena *arena, struct err *err)
{
	if (n <= MANIFEST_NEEDS_MAX)
		m->blobs = arena_alloc(arena, (n + 1) * sizeof(*m->blobs));
	if (!m->blobs)
		invalid(err, "The manifest has too many layers");
	return m->blobs != NULL;
}

static bool parse_image(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	const struct json *config = json_get(root, "config");
	const struct json *layers = json_get(root, "layers");
	size_t n = json_len(layers);
	if (json_type(config) != JSON_OBJECT)
		return invalid(err, "config is missing");
	if (json_type(layers) != JSON_ARRAY && json_type(layers) != JSON_NULL)
		return invalid(err, "layers is not a list");
	if (!room_for_needs(m, n, arena, err))
		return false;
	struct str config_type = json_get_str(config, "mediaType");
	m->config_media_type = config_type.len <= 255 ? arena_str(arena, config_type) : STR("");
	if (!add_need(m, config, true, false, err))
		return false;
	/* Those that are demanded first: of equal digests the first one stays. */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < n; i++) {
			const struct json *layer = json_at(layers, i);
			bool may_miss = is_foreign(json_get_str(layer, "mediaType"));
			if (may_miss == (pass == 1) && !add_need(m, layer, false, may_miss, err))
				return false;
		}
	}
	return true;
}

static bool parse_artifact(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	const struct json *blobs = json_get(root, "blobs");
	size_t n = json_len(blobs);
	if (json_type(blobs) != JSON_ARRAY && json_type(blobs) != JSON_NULL)
		return invalid(err, "blobs is not a list");
	if (!room_for_needs(m, n, arena, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!add_need(m, json_at(blobs, i), false, false, err))
			return false;
	}
	return true;
}

/* A type that Berth does not know: what looks like its layers is kept if it is there, nothing is
 * demanded. */
static bool parse_other(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	static const char *const lists[] = { "layers", "blobs" };
	struct err bad;
	size_t n = 0;
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		const struct json *list = json_get(root, lists[k]);
		n += json_type(list) == JSON_ARRAY ? json_len(list) : 0;
	}
	if (!room_for_needs(m, n, arena, err))
		return false;
	err_ignore(add_need(m, json_get(root, "config"), true, true, &bad)); /* or no descriptor */
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		const struct json *list = json_get(root, lists[k]);
		for (size_t i = 0; json_type(list) == JSON_ARRAY && i < json_len(list); i++)
			err_ignore(add_need(m, json_at(list, i), false, true, &bad));
	}
	return true;
}

static bool parse_index(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	const struct json *list = json_get(root, "manifests");
	size_t n = json_len(list);
	uint64_t size;
	if (json_type(list) != JSON_ARRAY && json_type(list) != JSON_NULL)
		return invalid(err, "manifests is not a list");
	if (n <= MANIFEST_NEEDS_MAX)
		m->children = arena_alloc(arena, (n + 1) * sizeof(*m->children));
	if (!m->children)
		return invalid(err, "The index has too many manifests");
	for (size_t i = 0; i < n; i++) {
		if (!descriptor(json_at(list, i), &m->children[m->child_count++], &size, err))
			return false;
	}
	return true;
}

/* What the manifest names, by its kind. */
static bool parse_needs(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	bool artifact =
		str_eq_c(m->media_type, OCI_ARTIFACT) || str_eq_c(m->media_type, ORAS_ARTIFACT);
	bool ok = m->kind == MANIFEST_IMAGE   ? parse_image(root, arena, m, err)
		  : m->kind == MANIFEST_INDEX ? parse_index(root, arena, m, err)
		  : artifact                  ? parse_artifact(root, arena, m, err)
					      : parse_other(root, arena, m, err);
	if (!ok)
		return false;
	return (drop_repeats(m->blobs, sizeof(*m->blobs), &m->blob_count, arena) &&
		       drop_repeats(m->children, sizeof(*m->children), &m->child_count, arena)) ||
	       too_large(arena, err);
}

static bool parse_common(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	const struct json *subject = json_get(root, "subject");
	const struct json *version = json_get(root, "schemaVersion");
	uint64_t size;
	if (json_type(version) == JSON_INT && json_int(version, 2) != 2 &&
		m->kind != MANIFEST_OTHER)
		return invalid(err, "schemaVersion must be 2");
	if (json_type(subject) != JSON_NULL) {
		if (!descriptor(subject, &m->subject, &size, err))
			return false;
		m->has_subject = true;
	}
	struct str type = json_get_str(root, "artifactType");
	if (type.len && !is_media_type(type))
		return invalid(err, "artifactType is not a media type");
	m->artifact_type = arena_str(arena, type.len ? type : m->config_media_type);
	return m->artifact_type.ptr || too_large(arena, err);
}

bool manifest_parse(struct str bytes, struct str content_type, struct arena *arena,
	struct manifest *out, struct err *err)
{
	struct json *root CLEANUP(json_freep) = NULL;
	struct manifest m = { .config_media_type = STR("") };
	struct err bad;
	if (bytes.len > MANIFEST_MAX_BYTES)
		return err_set(err, ERR_TOO_LARGE,
			"Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'must have length less than or equal to %d'",
			MANIFEST_MAX_BYTES);
	bool parsed = json_parse(bytes, &root, &bad);
	if (!parsed && bad.kind == ERR_UNAVAILABLE) {
		*err = bad;
		return false;
	}
	if (!parsed || json_type(root) != JSON_OBJECT)
		return invalid(err, "Invalid JSON syntax");
	if (!find_type(root, content_type, arena, &m, err))
		return false;
	if (m.kind != MANIFEST_OTHER && is_ambiguous(root))
		return invalid(err, "The manifest has the members of an image and of an index");
	if (!parse_needs(root, arena, &m, err) || !parse_common(root, arena, &m, err))
		return false;
	*out = m;
	return true;
}

bool manifest_annotations(struct str bytes, struct buf *out)
{
	struct json *root CLEANUP(json_freep) = NULL;
	struct err bad;
	if (!json_parse(bytes, &root, &bad))
		return false;
	const struct json *a = json_get(root, "annotations");
	if (json_type(a) == JSON_OBJECT)
		json_render(a, out);
	return buf_ok(out);
}
