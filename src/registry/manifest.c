#include "registry/manifest.h"

#include "base/buf.h"
#include "base/json.h"

#define OCI_MANIFEST     "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX        "application/vnd.oci.image.index.v1+json"
#define DOCKER_MANIFEST  "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST      "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_V1_PREFIX "application/vnd.docker.distribution.manifest.v1+"

static bool invalid(struct err *err, const char *what)
{
	return err_set(err, ERR_MANIFEST_INVALID,
		"Invalid parameter at 'ImageManifest' failed to satisfy constraint: '%s'", what);
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

/* OCI image spec 1.1, "Image Layer: Non-Distributable Layers", and Docker's foreign layers: the
 * registry need not hold them. */
static bool is_foreign(struct str media_type)
{
	return str_starts(media_type, STR("application/vnd.oci.image.layer.nondistributable.")) ||
	       str_eq_c(media_type, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
}

/* Which of mediaType, Content-Type and shape says what the manifest is. */
static bool find_type(const struct json *root, struct str content_type, struct arena *arena,
	struct manifest *m, struct err *err)
{
	struct str own = json_get_str(root, "mediaType"), given = bare_type(content_type);
	if (str_eq_c(given, "application/json") || str_eq_c(given, "application/octet-stream"))
		given.len = 0; /* says nothing */
	if (own.len && given.len && !str_eq(own, given))
		return invalid(
			err, "The manifest's mediaType differs from the media type it was sent as");
	struct str type = own.len ? own : given;
	if (!type.len) {
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
	return m->media_type.ptr || invalid(err, "The manifest is too large");
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

/* A small open-addressing set of indices, to leave out duplicates in linear time. */
struct seen {
	uint32_t *slots; /* index + 1 */
	size_t mask;
};

static bool seen_init(struct seen *s, size_t count, struct arena *arena)
{
	size_t cap = 16;
	while (cap < count * 2)
		cap *= 2;
	s->mask = cap - 1;
	s->slots = arena_alloc(arena, cap * sizeof(*s->slots));
	return s->slots != NULL;
}

/* The slot of the digest: 0 in it when it is new. get: digest of index i. */
static uint32_t *seen_slot(struct seen *s, const struct digest *d,
	const struct digest *(*get)(void *arg, size_t i), void *arg)
{
	size_t h;
	memcpy(&h, d->hash, sizeof(h));
	for (h &= s->mask; s->slots[h]; h = (h + 1) & s->mask) {
		if (digest_eq(get(arg, s->slots[h] - 1), d))
			break;
	}
	return &s->slots[h];
}

static const struct digest *need_digest(void *arg, size_t i)
{
	return &((struct manifest_need *)arg)[i].digest;
}

static const struct digest *child_digest(void *arg, size_t i)
{
	return &((struct digest *)arg)[i];
}

static bool add_need(struct manifest *m, struct seen *seen, const struct json *d, bool is_config,
	struct err *err)
{
	struct manifest_need need = { .is_config = is_config };
	if (!descriptor(d, &need.digest, &need.size_bytes, err))
		return false;
	uint32_t *slot = seen_slot(seen, &need.digest, need_digest, m->blobs);
	if (*slot)
		return true;
	m->blobs[m->blob_count++] = need;
	*slot = (uint32_t)m->blob_count;
	m->blobs_bytes += need.size_bytes;
	return true;
}

static bool parse_image(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	const struct json *config = json_get(root, "config"), *layers = json_get(root, "layers");
	size_t n = json_len(layers);
	struct seen seen;
	if (json_type(config) != JSON_OBJECT)
		return invalid(err, "config is missing");
	if (json_type(layers) != JSON_ARRAY && json_type(layers) != JSON_NULL)
		return invalid(err, "layers is not a list");
	if (n > MANIFEST_NEEDS_MAX)
		return invalid(err, "The manifest has too many layers");
	m->blobs = arena_alloc(arena, (n + 1) * sizeof(*m->blobs));
	if (!m->blobs || !seen_init(&seen, n + 1, arena))
		return invalid(err, "The manifest has too many layers");
	struct str config_type = json_get_str(config, "mediaType");
	m->config_media_type = config_type.len <= 255 ? arena_str(arena, config_type) : STR("");
	if (!add_need(m, &seen, config, true, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct json *layer = json_at(layers, i);
		if (is_foreign(json_get_str(layer, "mediaType")))
			continue;
		if (!add_need(m, &seen, layer, false, err))
			return false;
	}
	return true;
}

static bool parse_index(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	const struct json *list = json_get(root, "manifests");
	size_t n = json_len(list);
	struct seen seen;
	uint64_t size;
	if (json_type(list) != JSON_ARRAY && json_type(list) != JSON_NULL)
		return invalid(err, "manifests is not a list");
	if (n > MANIFEST_NEEDS_MAX)
		return invalid(err, "The index has too many manifests");
	m->children = arena_alloc(arena, (n + 1) * sizeof(*m->children));
	if (!m->children || !seen_init(&seen, n + 1, arena))
		return invalid(err, "The index has too many manifests");
	for (size_t i = 0; i < n; i++) {
		struct digest d;
		if (!descriptor(json_at(list, i), &d, &size, err))
			return false;
		uint32_t *slot = seen_slot(&seen, &d, child_digest, m->children);
		if (*slot)
			continue;
		m->children[m->child_count++] = d;
		*slot = (uint32_t)m->child_count;
	}
	return true;
}

static bool parse_common(
	const struct json *root, struct arena *arena, struct manifest *m, struct err *err)
{
	const struct json *subject = json_get(root, "subject"),
			  *version = json_get(root, "schemaVersion");
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
	return m->artifact_type.ptr || invalid(err, "The manifest is too large");
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
	if (!json_parse(bytes, &root, &bad) || json_type(root) != JSON_OBJECT)
		return invalid(err, "Invalid JSON syntax");
	if (!find_type(root, content_type, arena, &m, err))
		return false;
	if (m.kind == MANIFEST_IMAGE && !parse_image(root, arena, &m, err))
		return false;
	if (m.kind == MANIFEST_INDEX && !parse_index(root, arena, &m, err))
		return false;
	if (!parse_common(root, arena, &m, err))
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
