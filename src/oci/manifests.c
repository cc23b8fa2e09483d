/*
 * manifests.c - images by tag or digest: pull, push, delete. OCI spec 1.1 "Pulling manifests",
 * "Pushing Manifests", "Deleting tags / manifests"; pushes by digest with ?tag= are end-7b of its
 * development branch.
 *
 * What is stored is what is sent: exact bytes, with the media type of the push. Accept never
 * converts and never refuses; README.md says why.
 */
#include "oci/oci_priv.h"
#include "oci/oci_wire.h"
#include "registry/image.h"
#include "registry/pull.h"

static bool reference(struct http_req *req, struct image_ref *out)
{
	struct err err;
	if (image_ref_parse(oci_request_of(req)->path.reference, out, &err))
		return true;
	oci_error_from(req, &err);
	return false;
}

/* Finds the image that the path names; bytes NULL: without them. False: answered. */
static bool find(struct http_req *req, struct buf *bytes, struct image *out)
{
	struct err err;
	struct image_ref ref;
	struct oci_request *r = oci_request_of(req);
	if (!reference(req, &ref))
		return false;
	struct image_want want = { r->path.name, &ref, bytes };
	if (image_get(r->front->core, &r->reg, &want, req->arena, out, &err))
		return true;
	oci_error_from(req, &err);
	return false;
}

/* Sets the headers of an image; true when If-None-Match made the answer a 304 (RFC 9110 13.1.2). */
static bool set_headers(struct http_req *req, const struct image *image)
{
	char text[DIGEST_TEXT_MAX];
	struct str etag = str_from(digest_text(&image->digest, text));
	struct str if_none_match = http_header(req, "If-None-Match");
	http_header_set(req, "Docker-Content-Digest", etag);
	http_header_setf(req, "ETag", "\"" STR_FMT "\"", STR_ARG(etag));
	http_header_set(req, "X-Content-Type-Options", STR("nosniff"));
	if (!if_none_match.ptr || !oci_etag_is_listed(if_none_match, etag))
		return false;
	http_reply(req, 304);
	return true;
}

void oci_manifest_get_handle(struct http_req *req)
{
	struct image image;
	struct oci_request *r = oci_request_of(req);
	struct buf bytes CLEANUP(buf_fini);
	buf_init(&bytes, MANIFEST_STORED_MAX);
	if (!find(req, &bytes, &image) || set_headers(req, &image))
		return;
	struct str type = arena_str(req->arena, image.media_type);
	if (!type.ptr) {
		oci_no_memory_handle(req);
		return;
	}
	pull_note(r->front->core, &r->reg, image.id, r->who.arn);
	http_reply_buf(req, 200, type.ptr, &bytes);
}

void oci_manifest_head_handle(struct http_req *req)
{
	struct image image;
	if (!find(req, NULL, &image) || set_headers(req, &image))
		return;
	struct str type = arena_str(req->arena, image.media_type);
	if (!type.ptr)
		oci_no_memory_handle(req);
	else
		http_reply_head(req, 200, type.ptr, image.manifest_bytes);
}

/* A reference that cannot be pushed to is refused before the body comes. */
bool oci_manifest_put_prepare(struct http_req *req, struct oci_request *r)
{
	struct image_ref ref;
	(void)r;
	return reference(req, &ref);
}

static bool is_listed(const struct str *tags, size_t count, struct str tag)
{
	for (size_t i = 0; i < count; i++) {
		if (str_eq(tags[i], tag))
			return true;
	}
	return false;
}

/* The tags of ?tag=a&tag=b, each once. False: answered. */
static bool tag_parameters(struct http_req *req, struct str *tags, size_t *out_count)
{
	struct str tag;
	size_t count = 0;
	for (unsigned i = 0; http_query(req, "tag", i, &tag); i++) {
		if (is_listed(tags, count, tag))
			continue;
		if (count == IMAGE_PUT_TAGS_MAX) {
			/* The status that the specification names for more tags than a registry
			 * takes. */
			oci_error(
				req, 414, "UNSUPPORTED", STR("One push can set at most 100 tags"));
			return false;
		}
		tags[count++] = tag;
	}
	*out_count = count;
	return true;
}

/* Tells each tag that was set, in one header. */
static void set_tags(struct http_req *req, const struct str *tags, size_t count)
{
	struct buf list CLEANUP(buf_fini);
	buf_init(&list, (size_t)IMAGE_PUT_TAGS_MAX * 132);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_c(&list, ", ");
		buf_add_str(&list, tags[i]);
	}
	if (buf_ok(&list))
		http_header_set(req, "OCI-Tag", buf_str(&list));
}

/* A push as the request says it. */
struct oci_put {
	struct image_put in;
	struct str tags[IMAGE_PUT_TAGS_MAX];
	struct image_again *again; /* NULL: not begun */
};

/* False: answered. */
static bool read_put(struct http_req *req, struct oci_put *p)
{
	struct image_ref ref;
	struct oci_request *r = oci_request_of(req);
	p->again = NULL;
	p->in = (struct image_put){ .repo = r->path.name,
		.bytes = http_body(req),
		.content_type = http_header(req, "Content-Type"),
		.principal = r->who.arn,
		.tags = p->tags };
	if (!reference(req, &ref))
		return false;
	p->in.has_digest = ref.has_digest;
	p->in.digest = ref.digest;
	if (ref.has_digest)
		return tag_parameters(req, p->tags, &p->in.tag_count);
	p->tags[0] = ref.tag;
	p->in.tag_count = 1;
	return true;
}

static void answer_put(
	struct http_req *req, const struct image_put *in, const struct image_put_result *result)
{
	char text[DIGEST_TEXT_MAX];
	oci_audit_image(req, &result->digest);
	oci_set_digest(req, &result->digest);
	http_header_setf(req, "Location", "/v2/" STR_FMT "/manifests/%s",
		STR_ARG(oci_request_of(req)->path.name), digest_text(&result->digest, text));
	if (in->has_digest && in->tag_count > 0)
		set_tags(req, in->tags, in->tag_count);
	if (result->has_subject)
		http_header_set(req, "OCI-Subject", str_from(digest_text(&result->subject, text)));
	http_reply(req, 201);
}

/* Goes on with what the relay has begun, if it has. */
static void put(struct http_req *req, const struct oci_put *p)
{
	struct err err;
	struct image_put_result result;
	struct oci_request *r = oci_request_of(req);
	struct core *core = r->front->core;
	bool done = p->again ? image_put_end(p->again, &result, &err)
			     : image_put(core, &r->reg, &p->in, req->arena, &result, &err);
	if (done || (oci_create_on_push(req, &err) &&
			    image_put(core, &r->reg, &p->in, req->arena, &result, &err)))
		answer_put(req, &p->in, &result);
	else
		oci_error_from(req, &err);
}

void oci_manifest_put_handle(struct http_req *req)
{
	struct oci_put p;
	if (oci_request_of(req)->put)
		put(req, oci_request_of(req)->put);
	else if (read_put(req, &p))
		put(req, &p);
}

static enum http_turn look(struct http_req *req)
{
	struct oci_request *r = oci_request_of(req);
	struct oci_put *p = arena_alloc(req->arena, sizeof(*p));
	if (!p)
		return HTTP_TURN_WORKER;
	if (!read_put(req, p))
		return HTTP_TURN_DONE;
	p->again = image_put_begin(r->front->core, &r->reg, &p->in, req->arena);
	r->put = p;
	return p->again ? HTTP_TURN_AWAIT : HTTP_TURN_WORKER;
}

static void start(struct http_req *req)
{
	image_put_start(oci_request_of(req)->put->again, oci_ready, req);
}

static enum http_turn finish(struct http_req *req)
{
	const struct oci_put *p = oci_request_of(req)->put;
	if (!image_put_is_over(p->again))
		return HTTP_TURN_WORKER;
	put(req, p);
	return HTTP_TURN_DONE;
}

const struct http_relay oci_manifest_put_relay = { look, start, finish };

/* A tag only untags: the image stays, also without its last tag. */
void oci_manifest_delete_handle(struct http_req *req)
{
	struct err err;
	struct image_ref ref;
	struct oci_request *r = oci_request_of(req);
	if (!reference(req, &ref))
		return;
	struct image_delete in = { .repo = r->path.name, .ref = &ref, .principal = r->who.arn };
	if (!image_delete(r->front->core, &r->reg, &in, req->arena, NULL, &err)) {
		oci_error_from(req, &err);
		return;
	}
	http_reply(req, 202);
}
