/* blobs.c - layers: read, look up, unlink. OCI spec 1.1 "Pulling blobs", "Deleting blobs". */
#include "oci/oci_priv.h"
#include "registry/blob.h"

#define BLOB_TYPE "application/octet-stream"

/* A layer that is being sent; in the request's arena. */
struct sending {
	struct blob_reader *reader;
	const struct http_req *req;
	struct digest digest;
};

/* The status is sent already: that the bytes are damaged can only be told by breaking off, and in
 * the log. */
static bool read_blob(
	void *arg, void *bytes, size_t len, uint64_t off, size_t *out_n, struct err *err)
{
	const struct sending *s = arg;
	char text[DIGEST_TEXT_MAX];
	if (blob_reader_pread(s->reader, bytes, len, off, out_n, err))
		return true;
	err_wrap(err, "request %s: layer %s", s->req->id, digest_text(&s->digest, text));
	log_err(oci_request_of(s->req)->front->log, LOG_ERROR, "blob", err);
	return false;
}

static void limit_blob(void *arg, uint64_t end)
{
	const struct sending *s = arg;
	blob_reader_limit(s->reader, end);
}

static void close_blob(void *arg)
{
	const struct sending *s = arg;
	blob_reader_close(s->reader);
}

/* Of HEAD: there are no bytes to be had. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the signature is http.h's */
static bool no_bytes(void *arg, void *bytes, size_t len, uint64_t off, size_t *n, struct err *err)
{
	(void)arg, (void)bytes, (void)len, (void)off, (void)n;
	return err_set(err, ERR_INTERNAL, "A HEAD request asked for bytes");
}

static void no_close(void *arg)
{
	(void)arg;
}

static void reply(struct http_req *req, const struct digest *d, const struct http_object *object)
{
	char text[DIGEST_TEXT_MAX];
	struct str etag = str_from(digest_text(d, text));
	http_header_set(req, "Docker-Content-Digest", etag);
	/* A digest never names other bytes; "private", since who may read it is for this server to
	 * say each time. */
	http_header_set(req, "Cache-Control", STR("private, max-age=31536000, immutable"));
	http_header_set(req, "X-Content-Type-Options", STR("nosniff"));
	http_reply_object(req, BLOB_TYPE, etag, object);
}

/* Answers GET or HEAD of a layer that the caller may read. */
void oci_blob_send(struct http_req *req, const struct registry_id *reg, struct str repo,
	const struct digest *d)
{
	struct err err;
	struct blob_info info;
	struct core *core = oci_request_of(req)->front->core;
	if (str_eq_c(req->method, "HEAD")) {
		if (!blob_stat(core, reg, repo, d, &info, &err)) {
			oci_error_from(req, &err);
			return;
		}
		reply(req, d,
			&(struct http_object){ .fd = -1,
				.size_bytes = info.size_bytes,
				.pread = no_bytes,
				.close = no_close });
		return;
	}
	struct sending *s = arena_alloc(req->arena, sizeof(*s));
	if (s == NULL) {
		oci_no_memory(req);
		return;
	}
	*s = (struct sending){ .req = req, .digest = *d };
	if (!blob_open(core, reg, repo, d, &info, &s->reader, &err)) {
		oci_error_from(req, &err);
		return;
	}
	reply(req, d,
		&(struct http_object){ .fd = s->reader->fd,
			.size_bytes = s->reader->size_bytes,
			.pread = read_blob,
			.close = close_blob,
			.arg = s,
			.limit = limit_blob });
}

static bool blob_digest(struct http_req *req, struct digest *out)
{
	struct err err;
	if (digest_parse(oci_request_of(req)->path.reference, out, &err))
		return true;
	oci_error_from(req, &err);
	return false;
}

void oci_blob_get_handle(struct http_req *req)
{
	struct digest d;
	struct oci_request *r = oci_request_of(req);
	if (blob_digest(req, &d))
		oci_blob_send(req, &r->reg, r->path.name, &d);
}

void oci_blob_head_handle(struct http_req *req)
{
	oci_blob_get_handle(req);
}

void oci_blob_delete_handle(struct http_req *req)
{
	struct err err;
	struct digest d;
	struct oci_request *r = oci_request_of(req);
	if (!blob_digest(req, &d))
		return;
	if (!blob_unlink(r->front->core, &r->reg, r->path.name, &d, &err)) {
		oci_error_from(req, &err);
		return;
	}
	oci_set_digest(req, &d);
	http_reply(req, 202);
}
