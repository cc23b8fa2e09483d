/* audit.c - requests under /v2/ as the operations of ECR's API that they stand for, as CloudTrail
 * names them (user guide, "Logging Amazon ECR actions with AWS CloudTrail"). */
#include "front/audit.h"

#include "oci/oci_priv.h"

#define PARAMETERS_MAX (16 * KIB)

enum subject { NOTHING, IMAGE, IMAGES, LAYER, LAYERS, UPLOAD, CLOSING, SUBJECT };

/* What has no counterpart in ECR's API keeps its own name. */
static const struct mapped {
	const char *name, *event;
	enum subject subject;
} operations[] = {
	{ "Ping", "Ping", NOTHING },
	{ "ListRepositories", "DescribeRepositories", NOTHING },
	{ "ListTags", "ListImages", NOTHING },
	{ "ListReferrers", "ListImageReferrers", SUBJECT },
	{ "GetManifest", "BatchGetImage", IMAGES },
	{ "HeadManifest", "BatchGetImage", IMAGES },
	{ "PutManifest", "PutImage", IMAGE },
	{ "DeleteManifest", "BatchDeleteImage", IMAGES },
	{ "GetBlob", "GetDownloadUrlForLayer", LAYER },
	{ "HeadBlob", "BatchCheckLayerAvailability", LAYERS },
	{ "DeleteBlob", "DeleteBlob", LAYERS },
	{ "StartUpload", "InitiateLayerUpload", NOTHING },
	/* One that becomes an upload; oci_audit_mount says when it does not. */
	{ "MountBlob", "InitiateLayerUpload", NOTHING },
	{ "PushBlob", "CompleteLayerUpload", CLOSING },
	{ "GetUpload", "GetUpload", UPLOAD },
	{ "UploadPart", "UploadLayerPart", UPLOAD },
	{ "CompleteUpload", "CompleteLayerUpload", CLOSING },
	{ "CancelUpload", "CancelUpload", UPLOAD },
};

static const struct mapped *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		if (strcmp(operations[i].name, name) == 0)
			return &operations[i];
	}
	return NULL;
}

static void put_image_id(struct json_out *o, struct str reference)
{
	bool is_digest = str_find_char(reference, ':') < reference.len;
	jo_str(o, is_digest ? "imageDigest" : "imageTag", reference);
}

static void put_subject(
	struct json_out *o, struct http_req *req, const struct oci_request *r, enum subject subject)
{
	struct str digest;
	switch (subject) {
	case NOTHING:
		return;
	case IMAGE:
		put_image_id(o, r->path.reference);
		return;
	case IMAGES:
		jo_array(o, "imageIds");
		jo_object(o, NULL);
		put_image_id(o, r->path.reference);
		jo_end(o, '}');
		jo_end(o, ']');
		return;
	case LAYER:
		jo_str(o, "layerDigest", r->path.reference);
		return;
	case LAYERS:
		jo_array(o, "layerDigests");
		jo_str(o, NULL, r->path.reference);
		jo_end(o, ']');
		return;
	case UPLOAD:
		jo_str(o, "uploadId", r->path.reference);
		return;
	case CLOSING:
		if (r->path.reference.len != 0)
			jo_str(o, "uploadId", r->path.reference);
		if (!http_query(req, "digest", 0, &digest))
			return;
		jo_array(o, "layerDigests");
		jo_str(o, NULL, digest);
		jo_end(o, ']');
		return;
	case SUBJECT:
		jo_object(o, "subjectId");
		jo_str(o, "imageDigest", r->path.reference);
		jo_end(o, '}');
		return;
	}
}

/* Opens the object; registryId is left out where no registry is known yet. */
static void begin(struct json_out *o, struct buf *text, const struct oci_request *r)
{
	buf_init(text, PARAMETERS_MAX);
	jo_init(o, text);
	jo_object(o, NULL);
	if (r->reg.account[0] != '\0')
		jo_c(o, "registryId", r->reg.account);
	if (r->path.name.len != 0)
		jo_str(o, "repositoryName", r->path.name);
}

static void end(struct json_out *o, struct http_req *req,
	void (*set)(struct http_req *req, struct str json))
{
	jo_end(o, '}');
	set(req, buf_ok(o->buf) ? buf_str(o->buf) : STR("{\"omitted\":\"too long\"}"));
	buf_fini(o->buf);
}

void oci_audit_begin(struct http_req *req, const struct oci_request *r)
{
	const struct mapped *m = find(req->op->name);
	if (m == NULL || audit_begin(r->front, req, "ecr.amazonaws.com", true) == NULL)
		return;
	req->audit->event = m->event;
}

void oci_audit_place(struct http_req *req, const struct oci_request *r)
{
	struct buf text;
	struct json_out o;
	const struct mapped *m = find(req->op->name);
	if (req->audit == NULL || m == NULL)
		return;
	audit_who(req, &r->who);
	/* Every push and pull asks this first; who is let in shows by what follows. */
	if (r->path.endpoint == OCI_BASE) {
		audit_forget(req);
		return;
	}
	begin(&o, &text, r);
	put_subject(&o, req, r, m->subject);
	end(&o, req, audit_parameters_text);
}

void oci_audit_image(struct http_req *req, const struct digest *d)
{
	struct buf text;
	struct json_out o;
	char digest[DIGEST_TEXT_MAX];
	const struct oci_request *r = oci_request_of(req);
	if (req->audit == NULL)
		return;
	begin(&o, &text, r);
	jo_object(&o, "imageId");
	jo_c(&o, "imageDigest", digest_text(d, digest));
	if (str_find_char(r->path.reference, ':') == r->path.reference.len)
		jo_str(&o, "imageTag", r->path.reference);
	jo_end(&o, '}');
	end(&o, req, audit_response_text);
}

void oci_audit_upload(struct http_req *req, const char *id)
{
	struct buf text;
	struct json_out o;
	if (req->audit == NULL)
		return;
	begin(&o, &text, oci_request_of(req));
	jo_c(&o, "uploadId", id);
	end(&o, req, audit_response_text);
}

void oci_audit_mount(struct http_req *req, const struct digest *d, struct str source)
{
	struct buf text;
	struct json_out o;
	char digest[DIGEST_TEXT_MAX];
	if (req->audit == NULL)
		return;
	req->audit->event = "MountLayer";
	req->audit->other_repository = source.len != 0 ? arena_str(req->arena, source) : STR("");
	begin(&o, &text, oci_request_of(req));
	jo_c(&o, "layerDigest", digest_text(d, digest));
	if (source.len != 0)
		jo_str(&o, "sourceRepositoryName", source);
	end(&o, req, audit_parameters_text);
}
