#include "oci/oci.h"

#include "oci/oci_priv.h"
#include "registry/manifest.h"

/* Reads answer on the event loop: one short look into the database, then sendfile. Lists may take a
 * thousand rows. */
#define READ(n, h) .http = { .name = (n), .run = HTTP_INLINE, .begin = oci_begin, .handle = (h) }
#define WORK(n, h) .http = { .name = (n), .run = HTTP_WORKER, .begin = oci_begin, .handle = (h) }
#define TAKE_BLOB(n, h)                   \
	.http = { .name = (n),            \
		.run = HTTP_WORKER,       \
		.body = HTTP_BODY_STREAM, \
		.begin = oci_begin,       \
		.data = oci_upload_data,  \
		.handle = (h),            \
		.end = oci_upload_end }
#define TAKE_MANIFEST(n, h)                       \
	.http = { .name = (n),                    \
		.run = HTTP_WORKER,               \
		.body = HTTP_BODY_WHOLE,          \
		.body_max = MANIFEST_MAX_BYTES,   \
		.begin = oci_begin,               \
		.relay = &oci_manifest_put_relay, \
		.handle = (h),                    \
		.too_large = oci_too_large }
#define WORK_RELAYED(n, h, r) \
	.http = { .name = (n), .run = HTTP_WORKER, .begin = oci_begin, .relay = (r), .handle = (h) }

/* Which ECR action guards which request: facts of ECR's CloudTrail events and permission sets. HEAD
 * without a row of its own is served by the row of GET. */
static const struct oci_op operations[] = {
	{ READ("Ping", oci_base_handle), OCI_BASE, "GET" },
	{ WORK("ListRepositories", oci_catalog_handle), OCI_CATALOG, "GET",
		{ "ecr:DescribeRepositories" } },
	{ WORK("ListTags", oci_tags_handle), OCI_TAGS, "GET", { "ecr:ListImages" } },
	{ WORK("ListReferrers", oci_referrers_handle), OCI_REFERRERS, "GET",
		{ "ecr:BatchGetImage" } },

	{ READ("GetManifest", oci_manifest_get_handle), OCI_MANIFEST, "GET",
		{ "ecr:BatchGetImage" } },
	{ READ("HeadManifest", oci_manifest_head_handle), OCI_MANIFEST, "HEAD",
		{ "ecr:BatchGetImage" } },
	{ TAKE_MANIFEST("PutManifest", oci_manifest_put_handle), OCI_MANIFEST, "PUT",
		{ "ecr:PutImage" }, oci_manifest_put_prepare },
	{ WORK("DeleteManifest", oci_manifest_delete_handle), OCI_MANIFEST, "DELETE",
		{ "ecr:BatchDeleteImage" } },

	{ READ("GetBlob", oci_blob_get_handle), OCI_BLOB, "GET", { "ecr:GetDownloadUrlForLayer" } },
	{ READ("HeadBlob", oci_blob_head_handle), OCI_BLOB, "HEAD",
		{ "ecr:BatchCheckLayerAvailability" } },
	{ WORK("DeleteBlob", oci_blob_delete_handle), OCI_BLOB, "DELETE",
		{ "ecr:BatchDeleteImage" } },

	{ WORK("StartUpload", oci_upload_start_handle), OCI_UPLOADS, "POST",
		{ "ecr:InitiateLayerUpload" } },
	{ WORK_RELAYED("MountBlob", oci_mount_handle, &oci_mount_relay), OCI_UPLOADS_MOUNT, "POST",
		{ "ecr:InitiateLayerUpload" } },
	{ TAKE_BLOB("PushBlob", oci_upload_single_handle), OCI_UPLOADS_SINGLE, "POST",
		{ "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload" },
		oci_upload_single_prepare },
	{ WORK("GetUpload", oci_upload_status_handle), OCI_UPLOAD, "GET",
		{ "ecr:UploadLayerPart" } },
	{ TAKE_BLOB("UploadPart", oci_upload_patch_handle), OCI_UPLOAD, "PATCH",
		{ "ecr:UploadLayerPart" }, oci_upload_patch_prepare },
	{ TAKE_BLOB("CompleteUpload", oci_upload_put_handle), OCI_UPLOAD, "PUT",
		{ "ecr:CompleteLayerUpload" }, oci_upload_put_prepare },
	{ WORK("CancelUpload", oci_upload_cancel_handle), OCI_UPLOAD, "DELETE",
		{ "ecr:UploadLayerPart" } },
};

/* oci_begin answers these: after authentication, as everything else. */
static const struct oci_op unknown_path = { READ("UnknownPath", oci_no_memory_handle) };
static const struct oci_op unknown_method = { READ("UnknownMethod", oci_no_memory_handle) };
static const struct http_op no_memory = { .name = "NoMemory",
	.run = HTTP_INLINE,
	.begin = oci_no_memory,
	.handle = oci_no_memory_handle };

static const struct oci_op *find_operation(enum oci_endpoint endpoint, struct str method)
{
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		if (operations[i].endpoint == endpoint && str_eq_c(method, operations[i].method))
			return &operations[i];
	}
	return NULL;
}

/* What Allow says for each endpoint (RFC 9110 15.5.6: a 405 names what would be allowed). */
static const char *allowed_methods(enum oci_endpoint endpoint)
{
	switch (endpoint) {
	case OCI_MANIFEST:
		return "GET, HEAD, PUT, DELETE";
	case OCI_BLOB:
		return "GET, HEAD, DELETE";
	case OCI_UPLOADS:
	case OCI_UPLOADS_MOUNT:
	case OCI_UPLOADS_SINGLE:
		return "POST";
	case OCI_UPLOAD:
		return "GET, HEAD, PATCH, PUT, DELETE";
	case OCI_BASE:
	case OCI_CATALOG:
	case OCI_TAGS:
	case OCI_REFERRERS:
	case OCI_NOWHERE:
	case OCI_BAD_NAME:
		return "GET, HEAD";
	}
	return "GET, HEAD";
}

/* POST .../uploads/ is three operations, told apart by the query. A mount that cannot be is an
 * ordinary session, so it goes before ?digest=; `from` alone says nothing. */
static enum oci_endpoint refine(const struct http_req *req, enum oci_endpoint endpoint)
{
	struct str value;
	if (endpoint != OCI_UPLOADS || !str_eq_c(req->method, "POST"))
		return endpoint;
	if (http_query(req, "mount", 0, &value))
		return OCI_UPLOADS_MOUNT;
	if (http_query(req, "digest", 0, &value))
		return OCI_UPLOADS_SINGLE;
	return OCI_UPLOADS;
}

static const struct http_op *route(struct http_req *req, void *ctx)
{
	struct err err;
	struct front_options *front = ctx;
	if (str_starts(req->path, STR("/layers/")))
		return oci_layer_route(req, front);
	if (!str_eq_c(req->path, "/v2") && !str_starts(req->path, STR("/v2/")))
		return NULL;
	struct oci_request *r = arena_alloc(req->arena, sizeof(*r));
	if (!r)
		return &no_memory;
	req->user = r;
	r->front = front;
	r->mount = NULL;
	r->put = NULL;
	if (!oci_path_parse(req->path, req->arena, &r->path, &err)) {
		if (err.kind != ERR_NAME_INVALID)
			return &no_memory;
		r->path.endpoint = OCI_BAD_NAME;
	}
	if (r->path.endpoint == OCI_NOWHERE || r->path.endpoint == OCI_BAD_NAME)
		return &unknown_path.http;
	r->path.endpoint = refine(req, r->path.endpoint);
	req->log_repository = r->path.name;
	const struct oci_op *op = find_operation(r->path.endpoint, req->method);
	if (!op && str_eq_c(req->method, "HEAD"))
		op = find_operation(r->path.endpoint, STR("GET"));
	if (op)
		return &op->http;
	r->allow = allowed_methods(r->path.endpoint);
	return &unknown_method.http;
}

struct http_front oci_front(struct front_options *o)
{
	return (struct http_front){ .route = route, .ctx = o };
}

void oci_base_handle(struct http_req *req)
{
	http_reply_bytes(req, 200, "application/json", STR("{}"));
}
