/* layers.c - signed layer URLs, as GetDownloadUrlForLayer hands them out: the signature is the
 * permission, so that plain curl can fetch them. */
#include "base/clock.h"
#include "front/layer_url.h"
#include "oci/oci_priv.h"

static void handle(struct http_req *req)
{
	struct err err;
	struct layer_url url;
	struct oci_request *r = oci_request_of(req);
	if (!layer_url_check(
		    r->front->auth, req->path, clock_now_ms() / 1000, req->arena, &url, &err)) {
		oci_error_from(req, &err);
		return;
	}
	req->log_registry = arena_printf(req->arena, "%s/%s", url.reg.account, url.reg.region);
	req->log_repository = url.repo;
	oci_blob_send(req, &url.reg, url.repo, &url.digest);
}

static void refuse_method(struct http_req *req)
{
	http_header_set(req, "Allow", STR("GET, HEAD"));
	oci_error(req, 405, "UNSUPPORTED", STR("A layer URL can only be read"));
}

static const struct http_op get_layer = {
	.name = "GetLayerByUrl", .run = HTTP_INLINE, .handle = handle
};
static const struct http_op other_method = {
	.name = "UnknownMethod", .run = HTTP_INLINE, .handle = refuse_method
};
static const struct http_op no_memory = { .name = "NoMemory",
	.run = HTTP_INLINE,
	.begin = oci_no_memory,
	.handle = oci_no_memory_handle };

const struct http_op *oci_layer_route(struct http_req *req, struct front_options *o)
{
	struct oci_request *r = arena_alloc(req->arena, sizeof(*r));
	if (!r)
		return &no_memory;
	r->front = o;
	req->user = r;
	return str_eq_c(req->method, "GET") || str_eq_c(req->method, "HEAD") ? &get_layer
									     : &other_method;
}
