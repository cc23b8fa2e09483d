/* oci_priv.h - what the files of oci/ share: the table of operations, the request's own state,
 * errors, answers. */
#ifndef BERTH_OCI_OCI_PRIV_H
#define BERTH_OCI_OCI_PRIV_H

#include "base/digest.h"
#include "oci/oci.h"
#include "oci/oci_path.h"

#define OCI_ACTIONS_MAX 3

struct oci_request;
struct oci_upload; /* uploads.c */
struct oci_put;    /* manifests.c */
struct mount_attempt;

/* One row of the table in oci.c. http comes first: req->op points at it, and thus at the row. */
struct oci_op {
	struct http_op http;
	enum oci_endpoint endpoint;
	const char *method;
	const char *actions[OCI_ACTIONS_MAX]; /* all must be allowed on the repository ("*" without
						 one) */
	/* Runs in begin, after the caller may; false: answered. May be NULL. */
	bool (*prepare)(struct http_req *req, struct oci_request *r);
};

/* Of one request, in its arena; req->user. */
struct oci_request {
	const struct front_options *front;
	struct oci_path path;
	const char *allow;    /* the path is known but the method is not: what would be */
	struct principal who; /* from here on: known after oci_begin */
	struct registry_id reg;
	struct oci_upload *upload;
	/* where the operation has been begun on the event loop; NULL: not */
	struct mount_attempt *mount;
	struct oci_put *put;
};

/* begin of every operation: authentication, registry, refusal of bad paths, permission, then the
 * row's prepare. */
bool oci_begin(struct http_req *req);
/* The request's state; never NULL between begin and end. */
struct oci_request *oci_request_of(const struct http_req *req);
/* http_ready, for those that tell by a function of theirs when they are done. */
void oci_ready(void *req);
/* begin and handle of an operation for requests whose state could not be made. */
bool oci_no_memory(struct http_req *req);
void oci_no_memory_handle(struct http_req *req);

/* errors.c: {"errors":[{"code":...,"message":...}]} */
void oci_error(struct http_req *req, int status, const char *code, struct str message);
/* The same for an error kind; what the client must not know goes to the log, beside the request's
 * id. */
void oci_error_from(struct http_req *req, const struct err *err);
/* "Not Authorized" with ECR's challenge. */
void oci_challenge(struct http_req *req);
void oci_too_large(struct http_req *req);

/* audit.c: what the audit log hears of a request; nothing when there is none. In order: before and
 * after caller and registry are known; of a push, an upload that was opened, a mount. */
void oci_audit_begin(struct http_req *req, const struct oci_request *r);
void oci_audit_place(struct http_req *req, const struct oci_request *r);
void oci_audit_image(struct http_req *req, const struct digest *d);
void oci_audit_upload(struct http_req *req, const char *id);
void oci_audit_mount(struct http_req *req, const struct digest *d, struct str source);

/* Answers 200 with JSON and empties body; 500 when body has failed. */
void oci_reply_json(struct http_req *req, const char *type, struct buf *body);
/* Sets Docker-Content-Digest. */
void oci_set_digest(struct http_req *req, const struct digest *d);
/* Sets Link to the page of path behind last; see oci_link_next. */
void oci_set_next(
	struct http_req *req, struct str path, struct str extra, unsigned n, struct str last);
/* Reads parameter n of a list: otherwise when absent or empty, at most max; 400 (false) when it is
 * no number. */
bool oci_page_size(struct http_req *req, unsigned max, unsigned *out);

/* create.c: after a push failed with err. True: the repository was missing and now is there, try
 * once more. False: err, perhaps another one now, is what to answer. */
bool oci_create_on_push(struct http_req *req, struct err *err);

/* The operations' own functions; what each serves stands in the table in oci.c. */
void oci_base_handle(struct http_req *req);      /* oci.c */
void oci_catalog_handle(struct http_req *req);   /* tags.c */
void oci_tags_handle(struct http_req *req);      /* tags.c */
void oci_referrers_handle(struct http_req *req); /* referrers.c */
void oci_blob_get_handle(struct http_req *req);  /* blobs.c */
void oci_blob_head_handle(struct http_req *req);
void oci_blob_delete_handle(struct http_req *req);
void oci_blob_send(struct http_req *req, const struct registry_id *reg, struct str repo,
	const struct digest *d);
void oci_manifest_get_handle(struct http_req *req); /* manifests.c */
void oci_manifest_head_handle(struct http_req *req);
bool oci_manifest_put_prepare(struct http_req *req, struct oci_request *r);
void oci_manifest_put_handle(struct http_req *req);
void oci_manifest_delete_handle(struct http_req *req);
extern const struct http_relay oci_manifest_put_relay;
void oci_mount_handle(struct http_req *req); /* mounts.c */
extern const struct http_relay oci_mount_relay;
void oci_upload_start_handle(struct http_req *req); /* uploads.c */
void oci_upload_open(struct http_req *req, enum digest_alg otherwise);
bool oci_upload_single_prepare(struct http_req *req, struct oci_request *r);
void oci_upload_single_handle(struct http_req *req);
void oci_upload_status_handle(struct http_req *req);
bool oci_upload_patch_prepare(struct http_req *req, struct oci_request *r);
void oci_upload_patch_handle(struct http_req *req);
bool oci_upload_put_prepare(struct http_req *req, struct oci_request *r);
void oci_upload_put_handle(struct http_req *req);
void oci_upload_cancel_handle(struct http_req *req);
bool oci_upload_data(struct http_req *req, const uint8_t *bytes, size_t len);
void oci_upload_end(struct http_req *req);
const struct http_op *oci_layer_route(struct http_req *req, struct front_options *o); /* layers.c */

#endif
