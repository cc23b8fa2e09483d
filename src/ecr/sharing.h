/*
 * sharing.h - the sharing API (docs/sharing-api.md): operations of Berth's own, called as ECR's
 * are, with the target prefix "Berth_20261124.". Internal to ecr/.
 */
#ifndef BERTH_ECR_SHARING_H
#define BERTH_ECR_SHARING_H

#include "ecr/ops.h"
#include "registry/history.h"

#define SHARING_TARGET_PREFIX "Berth_20261124."

/* NULL: there is no such operation. */
const struct ecr_op *sharing_op_find(struct str name);
/* Every operation, by index, NULL at the end; for tests. */
const struct ecr_op *sharing_op_at(size_t i);

/* shapes_sharing.c */
extern const struct shape shape_describe_image_layers;
extern const struct shape shape_describe_layer;
extern const struct shape shape_estimate_mount_savings;
extern const struct shape shape_get_server_status;
extern const struct shape shape_get_sharing_history;
extern const struct shape shape_get_sharing_summary;
extern const struct shape shape_list_layer_sharing;
extern const struct shape shape_list_mount_log;
extern const struct shape shape_list_repository_layers;
extern const struct shape shape_list_repository_sharing;
extern const struct shape shape_list_sharing_pairs;
extern const struct shape shape_list_tag_history;
extern const struct shape shape_list_uploads;

/* sharing_sums.c */
MUST_CHECK bool ecr_get_sharing_summary(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_list_repository_sharing(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_get_sharing_history(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_list_sharing_pairs(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* sharing_layers.c */
MUST_CHECK bool ecr_list_layer_sharing(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_describe_layer(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_list_repository_layers(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_describe_image_layers(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_list_tag_history(struct ecr_call *call, struct json_out *out, struct err *err);

/* sharing_mounts.c */
MUST_CHECK bool ecr_list_mount_log(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_estimate_mount_savings(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* sharing_server.c */
MUST_CHECK bool ecr_get_server_status(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_list_uploads(struct ecr_call *call, struct json_out *out, struct err *err);

/* --- what the handlers share (sharing.c) --- */

/* The pool that encryptionType and kmsKey of the input name; enc_type 0 without them. */
MUST_CHECK bool sharing_input_pool(struct ecr_call *call, struct pool_name *out, struct err *err);
/* encryptionType and kmsKey of an answer; nothing when it is not known. */
void sharing_put_pool(struct json_out *out, const struct pool_name *pool);
/* logicalBytes, storedBytes, savedBytes. */
void sharing_put_bytes(struct json_out *out, int64_t logical, int64_t stored);
/* A time of the input in milliseconds. */
int64_t sharing_input_ms(const struct ecr_call *call, const char *member, int64_t otherwise);

/* nextToken of the input, for an operation and what else the token is bound to; *cursor.ptr NULL
 * without one. */
MUST_CHECK bool sharing_open_page(
	struct ecr_call *call, struct str bound, struct str *cursor, struct err *err);
/* nextToken of the answer. */
MUST_CHECK bool sharing_put_page(struct ecr_call *call, struct json_out *out, struct str bound,
	struct str cursor, struct err *err);
/* The same for two numbers. */
MUST_CHECK bool sharing_open_cursor(
	struct ecr_call *call, struct str bound, struct sharing_cursor *at, struct err *err);
MUST_CHECK bool sharing_put_cursor(struct ecr_call *call, struct json_out *out, struct str bound,
	const struct sharing_cursor *at, struct err *err);

#endif
