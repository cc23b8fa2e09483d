/* kms_op_crypto.c - Encrypt, Decrypt, ReEncrypt, GenerateDataKey. */
#include "aws/kms_ops.h"

#define CIPHERTEXT_MAX (KMS_PLAINTEXT_MAX + KMS_CIPHERTEXT_OVERHEAD)

struct pairs {
	struct kms_pair items[KMS_CONTEXT_MAX_PAIRS];
	size_t count;
};

static bool take_pair(void *arg, struct str name, const struct json *value)
{
	struct pairs *p = arg;
	if (p->count == KMS_CONTEXT_MAX_PAIRS)
		return false;
	p->items[p->count++] = (struct kms_pair){ name, json_str(value) };
	return true;
}

static bool get_context(struct kms_call *call, const char *member, struct pairs *pairs,
	struct kms_context *out, struct err *err)
{
	pairs->count = 0;
	if (!json_each(json_get(call->input, member), take_pair, pairs))
		return err_set(err, ERR_INVALID, "An encryption context has at most %d pairs",
			KMS_CONTEXT_MAX_PAIRS);
	*out = (struct kms_context){ pairs->items, pairs->count };
	return true;
}

static bool check_algorithm(struct kms_call *call, const char *member, struct err *err)
{
	struct str s = json_get_str(call->input, member);
	if (s.ptr != NULL && !str_eq(s, STR("SYMMETRIC_DEFAULT")))
		return kms_raise(call, "InvalidKeyUsageException", err,
			"Algorithm " STR_FMT " is incompatible with key spec SYMMETRIC_DEFAULT.",
			STR_ARG(s));
	return true;
}

static bool check_recipient(struct kms_call *call, struct err *err)
{
	if (json_type(json_get(call->input, "Recipient")) != JSON_NULL)
		return kms_raise(call, "UnsupportedOperationException", err,
			"Recipient, for Nitro enclaves, is not available");
	return true;
}

/* A dry run stops where everything would have gone well. */
static bool end_dry_run(struct kms_call *call, struct err *err)
{
	if (!json_bool(json_get(call->input, "DryRun"), false))
		return true;
	(void)kms_raise(call, "DryRunOperationException", err,
		"The request would have succeeded, but the DryRun option is set.");
	call->status = 412;
	return false;
}

bool kms_op_encrypt(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct kms_key key;
	struct pairs pairs;
	struct kms_context context;
	struct str plain;
	struct buf sealed CLEANUP(buf_fini);
	buf_init(&sealed, CIPHERTEXT_MAX);
	if (!kms_call_key(call, "KeyId", "kms:Encrypt", &key, err) ||
		!check_algorithm(call, "EncryptionAlgorithm", err) ||
		!get_context(call, "EncryptionContext", &pairs, &context, err) ||
		!kms_call_blob(call, "Plaintext", &plain, err) ||
		!kms_encrypt(call->kms, key.uuid, &context, plain, &sealed, err) ||
		!end_dry_run(call, err) ||
		!kms_call_put_blob(call, out, "CiphertextBlob", buf_str(&sealed), err))
		return false;
	kms_call_put_arn(out, &key);
	jo_c(out, "EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
	return true;
}

/* A ciphertext that the input holds, and how it is to be opened. */
struct source {
	const char *key_member, *context_member, *action;
	struct kms_key key;
	struct pairs pairs;
};

static bool open_source(struct kms_call *call, struct source *s, struct buf *plain, struct err *err)
{
	struct kms_context context;
	struct kms_key named;
	struct str sealed;
	char id[UUID_TEXT_LEN + 1];
	uint8_t uuid[16];
	uint32_t version;
	if (!kms_call_blob(call, "CiphertextBlob", &sealed, err) ||
		!get_context(call, s->context_member, &s->pairs, &context, err))
		return false;
	bool names_key = json_get_str(call->input, s->key_member).ptr != NULL;
	if (names_key && !kms_call_key(call, s->key_member, s->action, &named, err))
		return false;
	if (!kms_ciphertext_parse(sealed, uuid, &version))
		return err_set(err, ERR_KMS_CIPHERTEXT_INVALID, "The ciphertext is not valid");
	if (names_key && memcmp(named.uuid, uuid, sizeof(uuid)) != 0)
		return err_set(err, ERR_KMS_KEY_INCORRECT,
			"The key ID in the request does not identify a CMK that can perform this "
			"operation.");
	uuid_text(uuid, id);
	if (!kms_call_key_of(call, str_from(id), s->action, &s->key, err)) {
		/* A made-up id in a ciphertext is a bad ciphertext. */
		if (err->kind == ERR_KMS_KEY_UNKNOWN)
			return err_set(
				err, ERR_KMS_CIPHERTEXT_INVALID, "The ciphertext is not valid");
		return false;
	}
	return kms_decrypt(call->kms, sealed, &context, plain, err);
}

bool kms_op_decrypt(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct source s = { "KeyId", "EncryptionContext", "kms:Decrypt", .pairs.count = 0 };
	struct buf plain CLEANUP(kms_wipe_buf);
	buf_init(&plain, KMS_PLAINTEXT_MAX + KIB);
	if (!check_algorithm(call, "EncryptionAlgorithm", err) || !check_recipient(call, err) ||
		!open_source(call, &s, &plain, err) || !end_dry_run(call, err))
		return false;
	kms_call_put_arn(out, &s.key);
	jo_c(out, "EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
	return kms_call_put_blob(call, out, "Plaintext", buf_str(&plain), err);
}

bool kms_op_re_encrypt(struct kms_call *call, struct json_out *out, struct err *err)
{
	struct source s = { "SourceKeyId", "SourceEncryptionContext", "kms:ReEncryptFrom",
		.pairs.count = 0 };
	struct kms_key key;
	struct pairs pairs;
	struct kms_context context;
	struct buf plain CLEANUP(kms_wipe_buf);
	struct buf sealed CLEANUP(buf_fini);
	buf_init(&plain, KMS_PLAINTEXT_MAX + KIB);
	buf_init(&sealed, CIPHERTEXT_MAX + KIB);
	if (!check_algorithm(call, "SourceEncryptionAlgorithm", err) ||
		!check_algorithm(call, "DestinationEncryptionAlgorithm", err) ||
		!open_source(call, &s, &plain, err) ||
		!kms_call_key(call, "DestinationKeyId", "kms:ReEncryptTo", &key, err) ||
		!get_context(call, "DestinationEncryptionContext", &pairs, &context, err) ||
		!kms_encrypt(call->kms, key.uuid, &context, buf_str(&plain), &sealed, err) ||
		!end_dry_run(call, err) ||
		!kms_call_put_blob(call, out, "CiphertextBlob", buf_str(&sealed), err))
		return false;
	jo_c(out, "SourceKeyId", s.key.arn);
	kms_call_put_arn(out, &key);
	jo_c(out, "SourceEncryptionAlgorithm", "SYMMETRIC_DEFAULT");
	jo_c(out, "DestinationEncryptionAlgorithm", "SYMMETRIC_DEFAULT");
	return true;
}

static bool data_key_len(struct kms_call *call, size_t *out, struct err *err)
{
	struct str spec = json_get_str(call->input, "KeySpec");
	int64_t bytes = json_int(json_get(call->input, "NumberOfBytes"), 0);
	if ((spec.ptr == NULL) == (bytes == 0))
		return err_set(
			err, ERR_INVALID, "Please specify either number of bytes or key spec.");
	*out = spec.ptr == NULL ? (size_t)bytes : str_eq(spec, STR("AES_128")) ? 16 : 32;
	return true;
}

static bool generate(struct kms_call *call, struct json_out *out, const char *action,
	bool tells_plain, struct err *err)
{
	struct kms_key key;
	struct pairs pairs;
	struct kms_context context;
	struct buf plain CLEANUP(kms_wipe_buf);
	struct buf sealed CLEANUP(buf_fini);
	size_t len = 0;
	buf_init(&plain, KIB);
	buf_init(&sealed, CIPHERTEXT_MAX);
	if (!kms_call_key(call, "KeyId", action, &key, err) || !check_recipient(call, err) ||
		!data_key_len(call, &len, err) ||
		!get_context(call, "EncryptionContext", &pairs, &context, err))
		return false;
	if (!kms_generate(call->kms, key.uuid, &context, len, &plain, &sealed, err) ||
		!end_dry_run(call, err) ||
		!kms_call_put_blob(call, out, "CiphertextBlob", buf_str(&sealed), err) ||
		(tells_plain && !kms_call_put_blob(call, out, "Plaintext", buf_str(&plain), err)))
		return false;
	kms_call_put_arn(out, &key);
	return true;
}

bool kms_op_generate_data_key(struct kms_call *call, struct json_out *out, struct err *err)
{
	return generate(call, out, "kms:GenerateDataKey", true, err);
}

bool kms_op_generate_data_key_without_plaintext(
	struct kms_call *call, struct json_out *out, struct err *err)
{
	return generate(call, out, "kms:GenerateDataKeyWithoutPlaintext", false, err);
}
