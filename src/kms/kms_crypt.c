#include "kms/kms_crypt.h"

#include <stdlib.h>

#include "base/mem.h"
#include "crypt/aead.h"
#include "crypt/random.h"
#include "kms/kms_priv.h"

#define FORMAT_VERSION 1
#define HEADER_LEN     (1 + 16 + 4)

static void put_u32(uint8_t *out, uint32_t v)
{
	out[0] = (uint8_t)(v >> 24);
	out[1] = (uint8_t)(v >> 16);
	out[2] = (uint8_t)(v >> 8);
	out[3] = (uint8_t)v;
}

static uint32_t get_u32(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void add_u32(struct buf *out, size_t v)
{
	uint8_t bytes[4];
	put_u32(bytes, (uint32_t)v);
	buf_add(out, bytes, sizeof(bytes));
}

void kms_wipe_buf(struct buf *b)
{
	if (b->ptr != NULL)
		mem_wipe(b->ptr, b->cap);
	buf_fini(b);
}

static int by_name(const void *a, const void *b)
{
	const struct kms_pair *x = a;
	const struct kms_pair *y = b;
	return str_cmp(x->name, y->name);
}

bool kms_context_render(const struct kms_context *context, struct buf *out, struct err *err)
{
	struct kms_pair sorted[KMS_CONTEXT_MAX_PAIRS];
	size_t bytes = 0;
	size_t n = context != NULL ? context->count : 0;
	if (n > KMS_CONTEXT_MAX_PAIRS)
		return err_set(err, ERR_INVALID, "An encryption context has at most %d pairs",
			KMS_CONTEXT_MAX_PAIRS);
	for (size_t i = 0; i < n; i++) {
		sorted[i] = context->pairs[i];
		bytes += sorted[i].name.len + sorted[i].value.len;
	}
	if (bytes > KMS_CONTEXT_MAX_BYTES)
		return err_set(err, ERR_INVALID, "An encryption context has at most %d bytes",
			KMS_CONTEXT_MAX_BYTES);
	if (n > 1)
		qsort(sorted, n, sizeof(sorted[0]), by_name);
	add_u32(out, n);
	for (size_t i = 0; i < n; i++) {
		add_u32(out, sorted[i].name.len);
		buf_add_str(out, sorted[i].name);
		add_u32(out, sorted[i].value.len);
		buf_add_str(out, sorted[i].value);
	}
	return buf_ok(out) || err_sys(err, ERR_INTERNAL, 0, "encryption context: no memory");
}

/* A key's row and one version of its material. */
struct load {
	const uint8_t *uuid;
	uint32_t version; /* 0: the newest */
	struct kms_row row;
	struct buf material; /* wrapped */
	bool has_row, has_material;
};

static bool load_material(struct db_conn *c, void *arg, struct err *err)
{
	struct load *l = arg;
	if (!kms_row_find(c, l->uuid, NULL, &l->row, &l->has_row, err))
		return false;
	if (!l->has_row)
		return true;
	if (l->version == 0)
		l->version = l->row.version;
	buf_reset(&l->material);
	return kms_table_material(c, l->row.id, l->version, &l->material, &l->has_material, err);
}

/* A version's cipher, its additional data, its key's row. */
struct opened {
	struct kms_row row;
	uint32_t version;
	struct aead *aead;
	struct buf aad;
};

static void opened_fini(struct opened *o)
{
	aead_free(o->aead);
	buf_fini(&o->aad);
}

static bool invalid_ciphertext(struct err *err)
{
	return err_set(err, ERR_KMS_CIPHERTEXT_INVALID,
		"The ciphertext is not valid for this key and encryption context");
}

static bool open_loaded(struct kms *k, const struct load *l, struct opened *out, struct err *err)
{
	struct secret material CLEANUP(secret_wipe) = { 0 };
	if (!l->has_row || !kms_row_usable(&l->row, err))
		return l->has_row ? false : invalid_ciphertext(err);
	if (!l->has_material)
		return invalid_ciphertext(err);
	if (!kms_material_open(k, l->uuid, l->version, buf_str(&l->material), &material, err))
		return false;
	out->row = l->row;
	out->version = l->version;
	return aead_new(&material, &out->aead, err);
}

/* version 0: the newest. Errors: as struct load finds, KMS_CIPHERTEXT_INVALID for what is not
 * there. */
static bool open_key(struct kms *k, const uint8_t uuid[16], uint32_t version,
	const struct kms_context *context, struct opened *out, struct err *err)
{
	struct load l = { .uuid = uuid, .version = version };
	char arn[KMS_ARN_MAX];
	buf_init(&l.material, KMS_MATERIAL_MAX);
	bool done = db_read(k->db, load_material, &l, err) && open_loaded(k, &l, out, err);
	buf_fini(&l.material);
	if (!done)
		return false;
	kms_arn_render(out->row.account, out->row.region, uuid, arn);
	buf_init(&out->aad, KMS_ARN_MAX + KMS_CONTEXT_MAX_BYTES + 8 * KMS_CONTEXT_MAX_PAIRS + 4);
	buf_add_c(&out->aad, arn);
	return kms_context_render(context, &out->aad, err);
}

bool kms_encrypt(struct kms *k, const uint8_t uuid[16], const struct kms_context *context,
	struct str plain, struct buf *out, struct err *err)
{
	struct opened o CLEANUP(opened_fini) = { 0 };
	size_t len = plain.len + KMS_CIPHERTEXT_OVERHEAD;
	if (!open_key(k, uuid, 0, context, &o, err))
		return false;
	uint8_t *p = buf_reserve(out, len);
	if (p == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "kms_encrypt: no room for %zu bytes", len);
	uint8_t *nonce = p + HEADER_LEN;
	uint8_t *sealed = nonce + AEAD_NONCE_LEN;
	p[0] = FORMAT_VERSION;
	memcpy(p + 1, uuid, 16);
	put_u32(p + 17, o.version);
	random_bytes(nonce, AEAD_NONCE_LEN);
	aead_seal(o.aead, nonce, buf_str(&o.aad), plain.ptr, plain.len, sealed, sealed + plain.len);
	buf_commit(out, len);
	return true;
}

bool kms_generate(struct kms *k, const uint8_t uuid[16], const struct kms_context *context,
	size_t len, struct buf *plain, struct buf *out, struct err *err)
{
	char *bytes = buf_reserve(plain, len);
	if (bytes == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "kms_generate: no room for %zu bytes", len);
	random_bytes(bytes, len);
	if (!kms_encrypt(k, uuid, context, (struct str){ bytes, len }, out, err))
		return false;
	buf_commit(plain, len);
	return true;
}

bool kms_ciphertext_parse(struct str ciphertext, uint8_t uuid[16], uint32_t *version)
{
	const uint8_t *p = (const uint8_t *)ciphertext.ptr;
	if (ciphertext.len < KMS_CIPHERTEXT_OVERHEAD || p[0] != FORMAT_VERSION ||
		get_u32(p + 17) == 0)
		return false;
	memcpy(uuid, p + 1, 16);
	*version = get_u32(p + 17);
	return true;
}

bool kms_decrypt(struct kms *k, struct str ciphertext, const struct kms_context *context,
	struct buf *out, struct err *err)
{
	struct opened o CLEANUP(opened_fini) = { 0 };
	uint8_t uuid[16];
	uint32_t version;
	if (!kms_ciphertext_parse(ciphertext, uuid, &version))
		return invalid_ciphertext(err);
	if (!open_key(k, uuid, version, context, &o, err))
		return false;
	const uint8_t *nonce = (const uint8_t *)ciphertext.ptr + HEADER_LEN;
	const uint8_t *sealed = nonce + AEAD_NONCE_LEN;
	size_t len = ciphertext.len - KMS_CIPHERTEXT_OVERHEAD;
	uint8_t *plain = buf_reserve(out, len);
	if (plain == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "kms_decrypt: no room for %zu bytes", len);
	if (!aead_open(o.aead, nonce, buf_str(&o.aad), sealed, len, sealed + len, plain))
		return invalid_ciphertext(err);
	buf_commit(out, len);
	return true;
}
