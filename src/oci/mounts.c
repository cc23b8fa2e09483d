/*
 * mounts.c - POST .../blobs/uploads/?mount=<digest>[&from=<repository>]: a link instead of an
 * upload, or an ordinary session.
 *
 * Whatever the reason, a refusal is the same 202: another status aborts pushes in containerd and
 * BuildKit, and would tell who holds what. The reason goes to the access log and the registry's
 * mount log.
 */
#include "oci/oci_priv.h"
#include "registry/mount.h"

static bool may_read(void *arg, struct str repository)
{
	struct err unused;
	struct http_req *req = arg;
	struct oci_request *r = oci_request_of(req);
	return front_allow(
		r->front, req, &r->who, "ecr:GetDownloadUrlForLayer", &r->reg, repository, &unused);
}

/* Other parameters that clients add (origin, ns) mean nothing here. */
static void read_request(struct http_req *req, struct mount_request *in)
{
	struct oci_request *r = oci_request_of(req);
	*in = (struct mount_request){ .target = r->path.name,
		.principal = r->who.arn,
		.may_read = may_read,
		.may_read_arg = req };
	if (!http_query(req, "mount", 0, &in->digest))
		in->digest = STR("");
	if (!http_query(req, "from", 0, &in->source) || in->source.len == 0)
		in->source = (struct str){ NULL, 0 };
}

static void answer(
	struct http_req *req, const struct mount_request *in, const struct mount_result *result)
{
	struct err unused;
	struct digest wanted;
	char text[DIGEST_TEXT_MAX];
	struct oci_request *r = oci_request_of(req);
	req->log_outcome = str_from(mount_outcome_text(result->outcome));
	if (result->outcome == MOUNT_MOUNTED || result->outcome == MOUNT_PRESENT) {
		oci_audit_mount(req, &result->digest, result->source);
		http_header_setf(req, "Location", "/v2/" STR_FMT "/blobs/%s", STR_ARG(r->path.name),
			digest_text(&result->digest, text));
		oci_set_digest(req, &result->digest);
		http_reply(req, 201);
		return;
	}
	/* The client will send the blob that it could not mount, so its algorithm is known. */
	oci_upload_open(
		req, digest_parse(in->digest, &wanted, &unused) ? wanted.alg : DIGEST_SHA256);
}

/* Goes on with what the relay has begun, if it has. */
void oci_mount_handle(struct http_req *req)
{
	struct err err;
	struct mount_request in;
	struct mount_result result;
	struct oci_request *r = oci_request_of(req);
	struct core *core = r->front->core;
	read_request(req, &in);
	bool done = r->mount ? mount_end(r->mount, &result, &err)
			     : mount_try(core, &r->reg, &in, req->arena, &result, &err);
	if (done || (oci_create_on_push(req, &err) &&
			    mount_try(core, &r->reg, &in, req->arena, &result, &err)))
		answer(req, &in, &result);
	else
		oci_error_from(req, &err);
}

static enum http_turn look(struct http_req *req)
{
	struct oci_request *r = oci_request_of(req);
	struct mount_request *in = arena_alloc(req->arena, sizeof(*in));
	if (!in)
		return HTTP_TURN_WORKER;
	read_request(req, in);
	r->mount = mount_begin(r->front->core, &r->reg, in, req->arena);
	return r->mount ? HTTP_TURN_AWAIT : HTTP_TURN_WORKER;
}

static void start(struct http_req *req)
{
	mount_start(oci_request_of(req)->mount, oci_ready, req);
}

static enum http_turn finish(struct http_req *req)
{
	if (!mount_is_over(oci_request_of(req)->mount))
		return HTTP_TURN_WORKER;
	oci_mount_handle(req);
	return HTTP_TURN_DONE;
}

const struct http_relay oci_mount_relay = { look, start, finish };
