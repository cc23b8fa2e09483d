/*
 * referrers.c - the images that name a digest as their subject. OCI spec 1.1 "Listing Referrers".
 *
 * The answer is always 200 with an index, also for a repository or digest that nobody knows. Pages
 * are cut at a thousand entries or four MiB; the next page starts behind an image's id.
 */
#include <inttypes.h>

#include "base/codec.h"
#include "oci/oci_priv.h"
#include "registry/image.h"

#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define PAGE_MAX   1000
#define STEP       50
#define STEPS_MAX \
	64 /* a filter that matches little must not hold a worker: the page is cut short */
#define STEP_ARENA     (8 * MIB) /* annotations may be as large as a manifest */
#define BODY_GOAL      (4 * MIB) /* no further entry is begun behind this */
#define BODY_MAX_BYTES (12 * MIB)
#define TYPES_MAX      10
#define EXTRA_MAX      (8 * KIB)

static void add_entry(struct json_out *out, const struct image *image)
{
	char text[DIGEST_TEXT_MAX];
	jo_object(out, NULL);
	jo_str(out, "mediaType", image->media_type);
	jo_c(out, "digest", digest_text(&image->digest, text));
	jo_int(out, "size", (int64_t)image->manifest_bytes);
	if (image->artifact_type.len > 0)
		jo_str(out, "artifactType", image->artifact_type);
	if (image->annotations.len > 0)
		jo_raw(out, "annotations", image->annotations);
	jo_end(out, '}');
}

/* Adds entries until the page is full; *more: something is left behind q->after. */
static bool add_entries(const struct oci_request *r, struct referrer_query *q, unsigned left,
	struct json_out *out, bool *more, struct err *err)
{
	*more = true;
	for (unsigned step = 0; step < STEPS_MAX && *more && left > 0 && out->buf->len < BODY_GOAL;
		step++) {
		struct image_page page;
		struct arena *arena = arena_new(STEP_ARENA);
		q->limit = left < STEP ? left : STEP;
		bool done = image_referrers(r->front->core, &r->reg, q, arena, &page, err);
		size_t i = 0;
		for (; done && i < page.count && out->buf->len < BODY_GOAL; i++) {
			add_entry(out, &page.items[i]);
			q->after = page.items[i].id;
			left--;
		}
		if (done) {
			*more = page.more || i < page.count;
			/* A page may look at many rows and hold few or none: go on where it
			 * stopped. */
			if (i == page.count && page.more && page.next.image_id > q->after)
				q->after = page.next.image_id;
		}
		arena_free(arena);
		if (!done)
			return false;
	}
	return true;
}

/* The filter, and how it goes on into the next page's address. */
static void read_filter(struct http_req *req, struct str types[TYPES_MAX], struct referrer_query *q,
	struct buf *extra)
{
	while (q->type_count < TYPES_MAX &&
		http_query(req, "artifactType", (unsigned)q->type_count, &types[q->type_count])) {
		buf_add_c(extra, "artifactType=");
		percent_encode(extra, types[q->type_count], false);
		buf_add_char(extra, '&');
		q->type_count++;
	}
	q->types = types;
}

static bool read_cursor(struct http_req *req, int64_t *out)
{
	uint64_t id = 0;
	struct str text;
	if (http_query(req, "last", 0, &text) && text.len > 0 &&
		!str_to_u64(text, INT64_MAX, &id)) {
		oci_error(req, 400, "UNSUPPORTED",
			STR("The parameter last comes from no page of this list"));
		return false;
	}
	*out = (int64_t)id;
	return true;
}

static void set_link(struct http_req *req, struct buf *extra, unsigned n, int64_t after)
{
	const struct oci_request *r = oci_request_of(req);
	struct str path = arena_printf(req->arena, "/v2/" STR_FMT "/referrers/" STR_FMT,
		STR_ARG(r->path.name), STR_ARG(r->path.reference));
	struct str last = arena_printf(req->arena, "%" PRId64, after);
	if (path.ptr && last.ptr && buf_ok(extra))
		oci_set_next(req, path, buf_str(extra), n, last);
}

void oci_referrers_handle(struct http_req *req)
{
	unsigned n;
	bool more;
	struct err err;
	struct json_out out;
	struct str types[TYPES_MAX];
	struct buf body CLEANUP(buf_fini);
	struct buf extra CLEANUP(buf_fini);
	struct oci_request *r = oci_request_of(req);
	struct referrer_query q = { .repo = r->path.name };
	buf_init(&body, BODY_MAX_BYTES);
	buf_init(&extra, EXTRA_MAX);
	if (!oci_page_size(req, PAGE_MAX, &n) || !read_cursor(req, &q.after))
		return;
	if (!digest_parse(r->path.reference, &q.subject, &err)) {
		oci_error_from(req, &err);
		return;
	}
	read_filter(req, types, &q, &extra);
	jo_init(&out, &body);
	jo_object(&out, NULL);
	jo_int(&out, "schemaVersion", 2);
	jo_c(&out, "mediaType", INDEX_TYPE);
	jo_array(&out, "manifests");
	if (!add_entries(r, &q, n, &out, &more, &err)) {
		oci_error_from(req, &err);
		return;
	}
	jo_end(&out, ']');
	jo_end(&out, '}');
	if (q.type_count > 0)
		http_header_set(req, "OCI-Filters-Applied", STR("artifactType"));
	if (more && n > 0)
		set_link(req, &extra, n, q.after);
	oci_reply_json(req, INDEX_TYPE, &body);
}
