/* The first byte chooses: a path under /v2/, whose parts must put together the same path again; a
 * chunk's Content-Range, whose rendering must parse to the same; an If-None-Match. */
#include "oci/oci_path.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/codec.h"
#include "fuzz.h"
#include "oci/oci_wire.h"
#include "registry/name.h"

static const char *endpoint_words(enum oci_endpoint endpoint)
{
	switch (endpoint) {
	case OCI_TAGS:
		return "/tags/list";
	case OCI_MANIFEST:
		return "/manifests/";
	case OCI_BLOB:
		return "/blobs/";
	case OCI_UPLOADS:
	case OCI_UPLOAD:
		return "/blobs/uploads/";
	case OCI_REFERRERS:
		return "/referrers/";
	case OCI_NOWHERE:
	case OCI_BAD_NAME:
	case OCI_BASE:
	case OCI_CATALOG:
	case OCI_UPLOADS_MOUNT:
	case OCI_UPLOADS_SINGLE:
		break;
	}
	return NULL;
}

static void path(struct str s)
{
	struct err err;
	struct oci_path p;
	struct oci_path again;
	struct buf text CLEANUP(buf_fini);
	struct arena *arena = arena_new(4 * MIB);
	if (oci_path_parse(s, arena, &p, &err) && endpoint_words(p.endpoint)) {
		CHECK(name_is_repository(p.name));
		CHECK(str_find_char(p.reference, '/') == p.reference.len);
		buf_init(&text, 4 * MIB);
		buf_add_c(&text, "/v2/");
		buf_add_str(&text, p.name);
		buf_add_c(&text, endpoint_words(p.endpoint));
		percent_encode(&text, p.reference, false);
		CHECK(buf_ok(&text));
		CHECK(oci_path_parse(buf_str(&text), arena, &again, &err));
		CHECK(again.endpoint == p.endpoint && str_eq(again.name, p.name) &&
			str_eq(again.reference, p.reference));
	} else {
		buf_init(&text, 1);
	}
	arena_free(arena);
}

static void chunk_range(struct str s)
{
	char text[64];
	uint64_t first;
	uint64_t last;
	uint64_t first_again;
	uint64_t last_again;
	if (!oci_chunk_range_parse(s, &first, &last))
		return;
	CHECK(first <= last && last <= INT64_MAX);
	(void)snprintf(text, sizeof(text), "%" PRIu64 "-%" PRIu64, first, last);
	CHECK(oci_chunk_range_parse(str_from(text), &first_again, &last_again));
	CHECK(first == first_again && last == last_again);
}

static void etag(struct str s)
{
	struct buf list CLEANUP(buf_fini);
	(void)oci_etag_is_listed(s, STR("sha256:ab"));
	/* Whatever stands before it, the last of the list is found. */
	buf_init(&list, 2 * MIB);
	buf_add_str(&list, s);
	buf_add_c(&list, ",\"sha256:ab\"");
	CHECK(buf_ok(&list));
	CHECK(oci_etag_is_listed(buf_str(&list), STR("sha256:ab")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > MIB)
		return 0;
	struct str s = { (const char *)data + 1, size - 1 };
	switch (data[0] % 3) {
	case 0:
		path(s);
		break;
	case 1:
		chunk_range(s);
		break;
	default:
		etag(s);
		break;
	}
	return 0;
}
