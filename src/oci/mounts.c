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

void oci_mount_handle(struct http_req *req)
{
	struct err err;
	struct err unused;
	struct digest wanted;
	struct mount_result result;
	char text[DIGEST_TEXT_MAX];
	struct oci_request *r = oci_request_of(req);
	/* Other parameters that clients add (origin, ns) mean nothing here. */
	struct mount_request in = { .target = r->path.name,
		.principal = r->who.arn,
		.may_read = may_read,
		.may_read_arg = req };
	if (!http_query(req, "mount", 0, &in.digest))
		in.digest = STR("");
	if (!http_query(req, "from", 0, &in.source) || in.source.len == 0)
		in.source = (struct str){ NULL, 0 };
	if (!mount_try(r->front->core, &r->reg, &in, req->arena, &result, &err) &&
		!(oci_create_on_push(req, &err) &&
			mount_try(r->front->core, &r->reg, &in, req->arena, &result, &err))) {
		oci_error_from(req, &err);
		return;
	}
	req->log_outcome = str_from(mount_outcome_text(result.outcome));
	if (result.outcome == MOUNT_MOUNTED || result.outcome == MOUNT_PRESENT) {
		oci_audit_mount(req, &result.digest, result.source);
		http_header_setf(req, "Location", "/v2/" STR_FMT "/blobs/%s", STR_ARG(r->path.name),
			digest_text(&result.digest, text));
		oci_set_digest(req, &result.digest);
		http_reply(req, 201);
		return;
	}
	/* The client will send the blob that it could not mount, so its algorithm is known. */
	oci_upload_open(
		req, digest_parse(in.digest, &wanted, &unused) ? wanted.alg : DIGEST_SHA256);
}
