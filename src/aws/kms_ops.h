/* kms_ops.h - the table of KMS's operations: name, input, handler. */
#ifndef BERTH_AWS_KMS_OPS_H
#define BERTH_AWS_KMS_OPS_H

#include "aws/kms_call.h"
#include "front/shape.h"

struct kms_op {
	struct http_op http; /* first: http_req.op points here */
	const struct shape *input;
	kms_handler_fn handle;
	bool is_silent; /* answers nothing */
};

/* NULL: not an operation that is here. */
const struct kms_op *kms_op_find(struct str name);

/* Serves a call of req->op, an operation of the table (kms_front.c). */
void kms_serve(struct http_req *req);
void kms_refuse_large(struct http_req *req);

/* Handlers, by file. */
bool kms_create_key(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_describe_key(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_list_keys(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_update_key_description(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_enable_key(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_disable_key(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_schedule_key_deletion(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_cancel_key_deletion(struct kms_call *call, struct json_out *out, struct err *err);

bool kms_get_key_policy(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_list_key_policies(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_tag_resource(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_untag_resource(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_list_resource_tags(struct kms_call *call, struct json_out *out, struct err *err);

bool kms_rotate_key_on_demand(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_enable_key_rotation(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_disable_key_rotation(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_get_key_rotation_status(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_list_key_rotations(struct kms_call *call, struct json_out *out, struct err *err);

bool kms_create_alias(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_update_alias(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_delete_alias(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_list_aliases(struct kms_call *call, struct json_out *out, struct err *err);

bool kms_op_encrypt(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_op_decrypt(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_op_re_encrypt(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_op_generate_data_key(struct kms_call *call, struct json_out *out, struct err *err);
bool kms_op_generate_data_key_without_plaintext(
	struct kms_call *call, struct json_out *out, struct err *err);

/* The member Tags as an array in the arena; raises TagException (kms_op_tags.c). */
MUST_CHECK bool kms_call_tags(
	struct kms_call *call, struct kms_tag **out, size_t *out_n, struct err *err);

#endif
