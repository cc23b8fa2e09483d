/*
 * uploads.c - upload sessions: start, parts, state, close, cancel; and the push of a blob in a
 * single POST. OCI spec 1.1 "Pushing blobs" and what its development branch adds: digest-algorithm,
 * DELETE, 416 on the closing PUT.
 *
 * A part is acknowledged after it is durable. When the client goes away midway the bytes that came
 * stay, and the session's state tells how many: that is how clients resume.
 */
#include <inttypes.h>
#include <stdio.h>

#include "oci/oci_priv.h"
#include "oci/oci_wire.h"
#include "registry/upload.h"

/* A request that writes to a session. */
struct oci_upload {
	struct upload *session; /* taken from begin to just before the answer */
	struct str id;
	bool has_range; /* Content-Range, else the part goes behind what is there */
	uint64_t range_bytes;
	uint64_t received_bytes;
	struct digest digest; /* that closes it; PUT and single POST */
	bool is_single;       /* nobody knows of this session but this request */
};

/* Where the session is and how much it holds; an empty one says "0-0" by custom. */
static void set_state(struct http_req *req, struct str id, uint64_t size_bytes)
{
	const struct oci_request *r = oci_request_of(req);
	http_header_setf(req, "Location", "/v2/" STR_FMT "/blobs/uploads/" STR_FMT,
		STR_ARG(r->path.name), STR_ARG(id));
	http_header_setf(req, "Range", "0-%" PRIu64, size_bytes > 0 ? size_bytes - 1 : 0);
	http_header_set(req, "Docker-Upload-UUID", id);
}

static void reply_created(struct http_req *req, const struct digest *d)
{
	char text[DIGEST_TEXT_MAX];
	http_header_setf(req, "Location", "/v2/" STR_FMT "/blobs/%s",
		STR_ARG(oci_request_of(req)->path.name), digest_text(d, text));
	oci_set_digest(req, d);
	http_reply(req, 201);
}

/* The algorithm that the client announces (development branch, end-4c), or `otherwise`; 400 when
 * Berth does not know it. */
static bool announced_algorithm(
	struct http_req *req, enum digest_alg otherwise, enum digest_alg *out)
{
	struct str name;
	*out = otherwise;
	if (!http_query(req, "digest-algorithm", 0, &name) || digest_alg_parse(name, out))
		return true;
	oci_error(req, 400, "DIGEST_INVALID",
		STR("The digest algorithm is not supported: use sha256 or sha512"));
	return false;
}

/* Parameter digest; 400 when it is missing or no digest. */
static bool closing_digest(struct http_req *req, struct digest *out)
{
	struct err err;
	struct str text;
	if (!http_query(req, "digest", 0, &text)) {
		oci_error(req, 400, "DIGEST_INVALID", STR("The parameter digest is missing"));
		return false;
	}
	if (digest_parse(text, out, &err))
		return true;
	oci_error_from(req, &err);
	return false;
}

/* Starts a session; one that a push needs in a repository that is missing may make it. */
static bool start(
	struct http_req *req, enum digest_alg alg, char id[UUID_TEXT_LEN + 1], struct err *err)
{
	struct oci_request *r = oci_request_of(req);
	struct core *core = r->front->core;
	if (upload_start(core, &r->reg, r->path.name, alg, id, err))
		return true;
	return oci_create_on_push(req, err) &&
	       upload_start(core, &r->reg, r->path.name, alg, id, err);
}

void oci_upload_open(struct http_req *req, enum digest_alg otherwise)
{
	struct err err;
	enum digest_alg alg;
	char id[UUID_TEXT_LEN + 1];
	if (!announced_algorithm(req, otherwise, &alg))
		return;
	if (!start(req, alg, id, &err)) {
		oci_error_from(req, &err);
		return;
	}
	oci_audit_upload(req, id);
	set_state(req, str_from(id), 0);
	http_reply(req, 202);
}

void oci_upload_start_handle(struct http_req *req)
{
	oci_upload_open(req, DIGEST_SHA256);
}

void oci_upload_status_handle(struct http_req *req)
{
	struct err err;
	uint64_t size_bytes;
	struct oci_request *r = oci_request_of(req);
	if (!upload_status(
		    r->front->core, &r->reg, r->path.name, r->path.reference, &size_bytes, &err)) {
		oci_error_from(req, &err);
		return;
	}
	set_state(req, r->path.reference, size_bytes);
	http_reply(req, 204);
}

void oci_upload_cancel_handle(struct http_req *req)
{
	struct err err;
	struct oci_request *r = oci_request_of(req);
	if (!upload_cancel(r->front->core, &r->reg, r->path.name, r->path.reference, &err)) {
		oci_error_from(req, &err);
		return;
	}
	http_reply(req, 204);
}

/* Gives the session back. Before the answer: a client that has read it may send the next part at
 * once. */
static void release(struct oci_upload *u)
{
	upload_release(u->session);
	u->session = NULL;
}

/* Gives a session up that the client never learned of. If it cannot be removed now, it expires. */
static void abandon(struct oci_request *r)
{
	struct err unused;
	release(r->upload);
	err_ignore(upload_cancel(r->front->core, &r->reg, r->path.name, r->upload->id, &unused));
}

/* Takes session id for this request; false: answered. */
static bool take(struct http_req *req, struct oci_request *r, struct str id)
{
	struct err err;
	struct oci_upload *u = arena_alloc(req->arena, sizeof(*u));
	if (!u)
		return oci_no_memory(req);
	u->id = id;
	r->upload = u;
	if (upload_take(r->front->core, &r->reg, r->path.name, id, &u->session, &err))
		return true;
	oci_error_from(req, &err);
	return false;
}

/* Refuses the part, tells the session's state, and lets the session live on. Returns false. */
static bool refuse_part(struct http_req *req, struct oci_upload *u, int status, const char *why)
{
	uint64_t size_bytes = upload_size(u->session);
	release(u);
	set_state(req, u->id, size_bytes);
	oci_error(req, status, "BLOB_UPLOAD_INVALID", str_from(why));
	return false;
}

/* Checks Content-Range against what the session holds and what the request brings. A part that does
 * not start where the session ends gets 416 ("Pushing a blob in chunks"). */
static bool check_range(struct http_req *req, struct oci_upload *u)
{
	uint64_t first;
	uint64_t last;
	char why[100];
	uint64_t size_bytes = upload_size(u->session);
	struct str text = http_header(req, "Content-Range");
	if (!text.ptr) { /* all that is left of the blob; a range may be one of many */
		if (req->has_length)
			upload_expect(u->session, req->content_length);
		return true;
	}
	if (!oci_chunk_range_parse(text, &first, &last))
		return refuse_part(req, u, 400, "Content-Range is not of the form <first>-<last>");
	if (first != size_bytes) {
		/* ECR's words */
		(void)snprintf(why, sizeof(why),
			"First byte of the layer part is %" PRIu64 " instead of %" PRIu64, first,
			size_bytes);
		return refuse_part(req, u, 416, why);
	}
	u->has_range = true;
	u->range_bytes = last - first + 1;
	if (req->has_length && req->content_length != u->range_bytes)
		return refuse_part(req, u, 400, "Content-Range and Content-Length disagree");
	return true;
}

/* A part that would make the layer too large is refused before it comes. */
static bool check_length(struct http_req *req, struct oci_request *r)
{
	struct err err;
	if (!req->has_length || upload_may_grow(r->front->core, upload_size(r->upload->session),
					req->content_length, &err))
		return true;
	release(r->upload);
	oci_error_from(req, &err);
	return false;
}

bool oci_upload_patch_prepare(struct http_req *req, struct oci_request *r)
{
	return take(req, r, r->path.reference) && check_range(req, r->upload) &&
	       check_length(req, r);
}

/* A closing PUT that brings bytes is a part too, and asks for that permission. */
bool oci_upload_put_prepare(struct http_req *req, struct oci_request *r)
{
	struct err err;
	struct digest d;
	if (!closing_digest(req, &d))
		return false;
	if ((!req->has_length || req->content_length > 0) &&
		!front_allow(r->front, req, &r->who, "ecr:UploadLayerPart", &r->reg, r->path.name,
			&err)) {
		oci_error_from(req, &err);
		return false;
	}
	if (!take(req, r, r->path.reference))
		return false;
	r->upload->digest = d;
	return check_range(req, r->upload) && check_length(req, r);
}

bool oci_upload_single_prepare(struct http_req *req, struct oci_request *r)
{
	struct err err;
	struct digest d;
	char id[UUID_TEXT_LEN + 1];
	if (!closing_digest(req, &d))
		return false;
	if ((req->has_length && !upload_may_grow(r->front->core, 0, req->content_length, &err)) ||
		!start(req, d.alg, id, &err)) {
		oci_error_from(req, &err);
		return false;
	}
	struct str kept = arena_str(req->arena, str_from(id));
	if (!kept.ptr)
		return oci_no_memory(req);
	if (!take(req, r, kept))
		return false;
	r->upload->is_single = true;
	r->upload->digest = d;
	if (req->has_length)
		upload_expect(r->upload->session, req->content_length);
	return true;
}

bool oci_upload_data(struct http_req *req, const uint8_t *bytes, size_t len)
{
	struct err err;
	struct oci_request *r = oci_request_of(req);
	struct oci_upload *u = r->upload;
	if (u->has_range && len > u->range_bytes - u->received_bytes)
		return refuse_part(req, u, 400, "The part is longer than its Content-Range");
	if (upload_write(u->session, bytes, len, &err)) {
		u->received_bytes += len;
		return true;
	}
	if (u->is_single)
		abandon(r);
	else
		release(u);
	oci_error_from(req, &err);
	return false;
}

/* A body of unknown length may fall short of its Content-Range: what came is kept, and the answer
 * says how much it is. */
static bool check_complete(struct http_req *req, struct oci_upload *u)
{
	return !u->has_range || u->received_bytes == u->range_bytes ||
	       refuse_part(req, u, 400, "The part is shorter than its Content-Range");
}

void oci_upload_patch_handle(struct http_req *req)
{
	struct err err;
	struct oci_upload *u = oci_request_of(req)->upload;
	if (!check_complete(req, u))
		return;
	bool done = upload_sync(u->session, &err);
	uint64_t size_bytes = upload_size(u->session);
	release(u);
	if (!done) {
		oci_error_from(req, &err);
		return;
	}
	set_state(req, u->id, size_bytes);
	http_reply(req, 202);
}

void oci_upload_put_handle(struct http_req *req)
{
	struct err err;
	struct upload_result result;
	struct oci_upload *u = oci_request_of(req)->upload;
	if (!check_complete(req, u))
		return;
	bool done = upload_finish(u->session, &u->digest, &result, &err);
	release(u);
	if (done)
		reply_created(req, &u->digest);
	else
		oci_error_from(req, &err);
}

void oci_upload_single_handle(struct http_req *req)
{
	struct err err;
	struct upload_result result;
	struct oci_request *r = oci_request_of(req);
	if (upload_finish(r->upload->session, &r->upload->digest, &result, &err)) {
		release(r->upload);
		reply_created(req, &r->upload->digest);
		return;
	}
	abandon(r);
	oci_error_from(req, &err);
}

/* Has something to do only when the client went away midway. */
void oci_upload_end(struct http_req *req)
{
	struct oci_request *r = oci_request_of(req);
	if (!r || !r->upload || !r->upload->session)
		return;
	if (r->upload->is_single)
		abandon(r);
	else
		release(r->upload);
}
