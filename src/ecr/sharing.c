#include "ecr/sharing.h"

#include "ecr/pages.h"

#define BODY_MAX (64 * KIB)

#define OP(op_name, op_action, op_resource, shape, handler)                         \
	{                                                                           \
		.http = { .name = (op_name),                                        \
			.run = HTTP_WORKER,                                         \
			.body = HTTP_BODY_WHOLE,                                    \
			.body_max = BODY_MAX,                                       \
			.handle = ecr_serve,                                        \
			.too_large = ecr_refuse_large },                            \
		.action = "ecr:" op_action, .resource = ECR_RESOURCE_##op_resource, \
		.input = &(shape), .handle = (handler)                              \
	}

static const struct ecr_op ops[] = {
	/* clang-format off */
	OP("DescribeImageLayers", "DescribeImages", REPOSITORY, shape_describe_image_layers, ecr_describe_image_layers),
	OP("DescribeLayer", "DescribeRegistry", ANY, shape_describe_layer, ecr_describe_layer),
	OP("EstimateMountSavings", "DescribeRegistry", ANY, shape_estimate_mount_savings, ecr_estimate_mount_savings),
	OP("GetServerStatus", "DescribeRegistry", ANY, shape_get_server_status, ecr_get_server_status),
	OP("GetSharingHistory", "DescribeRegistry", ANY, shape_get_sharing_history, ecr_get_sharing_history),
	OP("GetSharingSummary", "DescribeRegistry", ANY, shape_get_sharing_summary, ecr_get_sharing_summary),
	OP("ListLayerSharing", "DescribeRegistry", ANY, shape_list_layer_sharing, ecr_list_layer_sharing),
	OP("ListMountLog", "DescribeRegistry", ANY, shape_list_mount_log, ecr_list_mount_log),
	OP("ListRepositoryLayers", "DescribeImages", REPOSITORY, shape_list_repository_layers, ecr_list_repository_layers),
	OP("ListRepositorySharing", "DescribeRepositories", ANY, shape_list_repository_sharing, ecr_list_repository_sharing),
	OP("ListSharingPairs", "DescribeRegistry", ANY, shape_list_sharing_pairs, ecr_list_sharing_pairs),
	OP("ListTagHistory", "DescribeImages", REPOSITORY, shape_list_tag_history, ecr_list_tag_history),
	OP("ListUploads", "DescribeRegistry", ANY, shape_list_uploads, ecr_list_uploads),
	/* clang-format on */
};

const struct ecr_op *sharing_op_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (str_eq_c(name, ops[i].http.name))
			return &ops[i];
	}
	return NULL;
}

const struct ecr_op *sharing_op_at(size_t i)
{
	return i < ARRAY_LEN(ops) ? &ops[i] : NULL;
}

/* --- members --- */

static const char *const enc_names[] = {
	[ENC_AES256] = "AES256", [ENC_KMS] = "KMS", [ENC_KMS_DSSE] = "KMS_DSSE"
};

bool sharing_input_pool(struct ecr_call *call, struct pool_name *out, struct err *err)
{
	struct str type = json_get_str(call->input, "encryptionType");
	struct pool_name pool = { .kms_key = json_get_str(call->input, "kmsKey") };
	for (unsigned i = ENC_AES256; type.ptr && i < ARRAY_LEN(enc_names); i++) {
		if (str_eq_c(type, enc_names[i]))
			pool.enc_type = (enum enc_type)i;
	}
	if (pool.kms_key.ptr && pool.enc_type != ENC_KMS && pool.enc_type != ENC_KMS_DSSE)
		return ecr_bad_parameter(err, "kmsKey",
			"kmsKey can only be used with encryptionType KMS or KMS_DSSE");
	if (!pool.kms_key.ptr && pool.enc_type > ENC_AES256)
		return ecr_bad_parameter(err, "kmsKey", "Member must not be null");
	*out = pool;
	return true;
}

void sharing_put_pool(struct json_out *out, const struct pool_name *pool)
{
	if (pool->enc_type < ENC_AES256 || pool->enc_type > ENC_KMS_DSSE)
		return;
	jo_c(out, "encryptionType", enc_names[pool->enc_type]);
	if (pool->kms_key.len)
		jo_str(out, "kmsKey", pool->kms_key);
}

void sharing_put_bytes(struct json_out *out, int64_t logical, int64_t stored)
{
	jo_int(out, "logicalBytes", logical);
	jo_int(out, "storedBytes", stored);
	jo_int(out, "savedBytes", logical - stored);
}

int64_t sharing_input_ms(const struct ecr_call *call, const char *member, int64_t otherwise)
{
	const struct json *v = json_get(call->input, member);
	double s = json_number(v, 0);
	if (json_type(v) == JSON_NULL)
		return otherwise;
	/* Years beyond 9999 are no times. */
	if (!(s >= 0))
		return 0;
	return s > 253402300799.0 ? INT64_C(253402300799000) : (int64_t)(s * 1000 + 0.5);
}

/* --- pages --- */

static struct page_scope scope_of(const struct ecr_call *call, struct str bound)
{
	struct str op = arena_printf(call->arena, SHARING_TARGET_PREFIX "%s " STR_FMT,
		call->req->op->name, STR_ARG(bound));
	return (struct page_scope){
		.auth = call->options->auth, .operation = op, .reg = call->reg, .repo = call->repo
	};
}

bool sharing_open_page(struct ecr_call *call, struct str bound, struct str *cursor, struct err *err)
{
	struct page_scope scope = scope_of(call, bound);
	struct str token = json_get_str(call->input, "nextToken");
	*cursor = (struct str){ NULL, 0 };
	if (token.ptr == NULL)
		return true;
	if (scope.operation.ptr == NULL)
		return ecr_out_of_memory(call->arena, err);
	return page_token_open(&scope, token, call->arena, cursor, err);
}

bool sharing_put_page(struct ecr_call *call, struct json_out *out, struct str bound,
	struct str cursor, struct err *err)
{
	struct page_scope scope = scope_of(call, bound);
	struct str token;
	if (scope.operation.ptr == NULL || cursor.ptr == NULL)
		return ecr_out_of_memory(call->arena, err);
	if (!page_token_make(&scope, cursor, call->arena, &token, err))
		return false;
	jo_str(out, "nextToken", token);
	return true;
}

bool sharing_open_cursor(
	struct ecr_call *call, struct str bound, struct sharing_cursor *at, struct err *err)
{
	struct str text;
	struct str value;
	struct str id;
	uint64_t n[2];
	if (!sharing_open_page(call, bound, &text, err))
		return false;
	if (text.ptr == NULL)
		return true;
	if (!str_cut(text, ' ', &value, &id) || !str_to_u64(value, INT64_MAX, &n[0]) ||
		!str_to_u64(id, INT64_MAX, &n[1]))
		return ecr_bad_parameter(err, "NextToken", "Invalid token");
	*at = (struct sharing_cursor){ (int64_t)n[0], (int64_t)n[1] };
	return true;
}

bool sharing_put_cursor(struct ecr_call *call, struct json_out *out, struct str bound,
	const struct sharing_cursor *at, struct err *err)
{
	struct str text =
		arena_printf(call->arena, "%lld %lld", (long long)at->value, (long long)at->id);
	return sharing_put_page(call, out, bound, text, err);
}
