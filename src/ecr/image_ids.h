/* image_ids.h - imageId structures of the API: reading, and failing to find what they name.
 * Internal to ecr/. */
#ifndef BERTH_ECR_IMAGE_IDS_H
#define BERTH_ECR_IMAGE_IDS_H

#include "ecr/call.h"
#include "registry/image.h"

/* One imageId as it came. */
struct image_id {
	struct str tag, digest; /* ptr NULL: absent */
};

struct image_id image_id_get(const struct json *v);
/* {"imageDigest":..,"imageTag":..}, what is there of them. */
void image_id_put(struct json_out *out, const char *name, struct image_id id);

/* Why an id of a batch failed: ECR's ImageFailureCode and text. code NULL: it did not. */
struct image_failure {
	struct image_id id;
	const char *code;
	struct str reason;
};

/* *out is set when it can be asked for. A failure otherwise. */
struct image_failure image_id_parse(struct image_id id, struct image_ref *out);
/* After IMAGE_UNKNOWN for an id with tag and digest: does the tag exist and name another image? */
MUST_CHECK bool image_id_explain_unknown(
	struct ecr_call *call, struct image_id id, struct image_failure *out, struct err *err);
/* ImageNotFoundException's sentence. Returns false. */
bool ecr_image_not_found(struct ecr_call *call, struct image_id id, struct err *err);
/* "ACTIVE", ... */
const char *image_status_name(enum image_status status);
/* The member `failures`. */
void image_failures_put(struct json_out *out, const struct image_failure *failures, size_t count);

#endif
