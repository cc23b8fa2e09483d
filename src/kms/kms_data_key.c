/*
 * kms_data_key.c - data keys, from whichever KMS has their key.
 *
 * A wrapped data key is a ciphertext of ours (kms_crypt.h; its first byte is 1), or the byte 'E'
 * and the ciphertext of the external KMS.
 */
#include "crypt/hash.h"
#include "crypt/random.h"
#include "kms/kms_crypt.h"
#include "kms/kms_external.h"
#include "kms/kms_priv.h"

#define MARK_EXTERNAL 'E'

struct local_lookup {
	struct kms_name name;
	struct kms_row row;
	bool found;
};

static bool find_local(struct db_conn *c, void *arg, struct err *err)
{
	struct local_lookup *l = arg;
	return kms_row_find(c, l->name.uuid, NULL, &l->row, &l->found, err);
}

/* Is the key kept here? */
static bool look_up(struct kms *k, struct str key_arn, struct local_lookup *l, struct err *err)
{
	*l = (struct local_lookup){ .found = false };
	if (!kms_arn_parse(key_arn, &l->name))
		return true;
	if (!db_read(k->db, find_local, l, err))
		return false;
	l->found = l->found && str_eq_c(l->name.account, l->row.account) &&
		   str_eq_c(l->name.region, l->row.region);
	return true;
}

static bool unknown(struct str key_arn, struct err *err)
{
	return err_set(err, ERR_KMS_KEY_UNKNOWN, "Key '" STR_FMT "' does not exist",
		STR_ARG(str_sub(key_arn, 0, 300)));
}

static bool invalid(struct err *err)
{
	return err_set(err, ERR_KMS_CIPHERTEXT_INVALID,
		"The wrapped data key is not one of this key and encryption context");
}

bool kms_generate_data_key(struct kms *k, struct str key_arn, const struct kms_context *context,
	struct secret *out, struct buf *out_wrapped, struct err *err)
{
	struct local_lookup l;
	struct secret fresh CLEANUP(secret_wipe) = { .len = KMS_DATA_KEY_LEN };
	if (!look_up(k, key_arn, &l, err))
		return false;
	if (!l.found && k->external == NULL)
		return unknown(key_arn, err);
	if (!l.found) {
		struct buf blob CLEANUP(buf_fini);
		buf_init(&blob, KMS_WRAPPED_MAX);
		if (!kms_external_generate(k->external, key_arn, context, &fresh, &blob, err))
			return false;
		buf_add_char(out_wrapped, MARK_EXTERNAL);
		buf_add_str(out_wrapped, buf_str(&blob));
		if (!buf_ok(out_wrapped))
			return err_sys(err, ERR_INTERNAL, 0, "no room for a wrapped data key");
	} else {
		random_bytes(fresh.bytes, fresh.len);
		if (!kms_encrypt(k, l.name.uuid, context,
			    (struct str){ (const char *)fresh.bytes, fresh.len }, out_wrapped, err))
			return false;
	}
	*out = fresh;
	return true;
}

struct ask {
	struct kms *k;
	struct str key_arn, wrapped;
	const struct kms_context *context;
};

static bool decrypt_external(const struct ask *a, struct secret *out, struct err *err)
{
	struct local_lookup l;
	if (!look_up(a->k, a->key_arn, &l, err))
		return false;
	if (l.found) /* our own keys wrap nothing elsewhere */
		return invalid(err);
	if (a->k->external == NULL)
		return err_set(err, ERR_KMS_UNAVAILABLE,
			"The key " STR_FMT " is in an external KMS, and the server has none",
			STR_ARG(str_sub(a->key_arn, 0, 300)));
	struct str blob = str_sub(a->wrapped, 1, a->wrapped.len - 1);
	return kms_external_decrypt(a->k->external, a->key_arn, blob, a->context, out, err);
}

static bool decrypt_local(const struct ask *a, struct secret *out, struct err *err)
{
	struct local_lookup l;
	struct kms_name name;
	struct buf plain CLEANUP(kms_wipe_buf);
	uint8_t uuid[16];
	uint32_t version;
	buf_init(&plain, SECRET_MAX);
	/* Whether this is one of the key's can be said also when the key is gone. */
	if (!kms_ciphertext_parse(a->wrapped, uuid, &version) ||
		!kms_arn_parse(a->key_arn, &name) || memcmp(uuid, name.uuid, sizeof(uuid)) != 0 ||
		a->wrapped.len != KMS_DATA_KEY_LEN + KMS_CIPHERTEXT_OVERHEAD)
		return invalid(err);
	if (!look_up(a->k, a->key_arn, &l, err))
		return false;
	if (!l.found)
		return unknown(a->key_arn, err);
	if (!kms_decrypt(a->k, a->wrapped, a->context, &plain, err))
		return false;
	return secret_set(out, plain.ptr, plain.len) || invalid(err);
}

static bool decrypt(void *arg, struct secret *out, struct err *err)
{
	const struct ask *a = arg;
	if (a->wrapped.len == 0 || a->wrapped.len > KMS_WRAPPED_MAX)
		return invalid(err);
	return a->wrapped.ptr[0] == MARK_EXTERNAL ? decrypt_external(a, out, err)
						  : decrypt_local(a, out, err);
}

/* What a cached data key is of: key, context and wrapped bytes. */
static bool cache_id(const struct ask *a, uint8_t id[KMS_CACHE_ID_LEN], struct err *err)
{
	struct buf text CLEANUP(buf_fini);
	struct digest digest;
	buf_init(&text, 64 * KIB);
	if (!kms_context_render(a->context, &text, err))
		return false;
	buf_addf(&text, "%zu:", a->key_arn.len);
	buf_add_str(&text, a->key_arn);
	buf_add_str(&text, a->wrapped);
	if (!buf_ok(&text))
		return invalid(err);
	if (!hash_bytes(DIGEST_SHA256, buf_str(&text), &digest, err))
		return false;
	memcpy(id, digest.hash, KMS_CACHE_ID_LEN);
	return true;
}

bool kms_decrypt_data_key(struct kms *k, struct str key_arn, struct str wrapped,
	const struct kms_context *context, struct secret *out, struct err *err)
{
	struct ask a = { k, key_arn, wrapped, context };
	uint8_t id[KMS_CACHE_ID_LEN];
	return cache_id(&a, id, err) && kms_cache_get(k->cache, key_arn, id, decrypt, &a, out, err);
}

bool kms_needs_rewrap(
	struct kms *k, struct str key_arn, struct str wrapped, bool *out, struct err *err)
{
	struct local_lookup l;
	uint8_t uuid[16];
	uint32_t version;
	if (wrapped.len != 0 && wrapped.ptr[0] == MARK_EXTERNAL) {
		*out = false;
		return true;
	}
	if (!kms_ciphertext_parse(wrapped, uuid, &version))
		return invalid(err);
	if (!look_up(k, key_arn, &l, err))
		return false;
	if (!l.found)
		return unknown(key_arn, err);
	*out = version < l.row.version;
	return true;
}

bool kms_rewrap(struct kms *k, struct str key_arn, struct str wrapped,
	const struct kms_context *context, struct buf *out, struct err *err)
{
	struct ask a = { k, key_arn, wrapped, context };
	struct secret plain CLEANUP(secret_wipe) = { 0 };
	struct kms_name name;
	if (wrapped.len != 0 && wrapped.ptr[0] == MARK_EXTERNAL) {
		buf_add_str(out, wrapped);
		return buf_ok(out) ||
		       err_sys(err, ERR_INTERNAL, 0, "no room for a wrapped data key");
	}
	if (!decrypt(&a, &plain, err))
		return false;
	if (!kms_arn_parse(key_arn, &name))
		return unknown(key_arn, err);
	return kms_encrypt(k, name.uuid, context,
		(struct str){ (const char *)plain.bytes, plain.len }, out, err);
}
