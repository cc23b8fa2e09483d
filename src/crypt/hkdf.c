#include "crypt/hkdf.h"

#include <assert.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "crypt/crypt_priv.h"

static void ctx_freep(EVP_KDF_CTX **ctx)
{
	EVP_KDF_CTX_free(*ctx);
}

/* OpenSSL's parameters take pointers to what they only read. */
static OSSL_PARAM bytes_param(const char *name, const void *ptr, size_t len)
{
	union {
		const void *in;
		void *out;
	} p = { .in = ptr };

	return OSSL_PARAM_construct_octet_string(name, p.out, len);
}

bool hkdf_sha256(const struct secret *key, struct str salt, struct str info, size_t len,
	struct secret *out, struct err *err)
{
	static const char md[] = "SHA2-256";

	union {
		const char *in;
		char *out;
	} name = { .in = md };

	EVP_KDF_CTX *ctx CLEANUP(ctx_freep) = EVP_KDF_CTX_new(crypt_hkdf());
	struct secret derived CLEANUP(secret_wipe) = { .len = len };
	OSSL_PARAM params[5];
	size_t n = 0;
	assert(len > 0 && len <= SECRET_MAX);
	params[n++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name.out, 0);
	params[n++] = bytes_param(OSSL_KDF_PARAM_KEY, key->bytes, key->len);
	if (salt.len != 0) /* none is the same as zeros: RFC 5869 2.2 */
		params[n++] = bytes_param(OSSL_KDF_PARAM_SALT, salt.ptr, salt.len);
	if (info.len != 0)
		params[n++] = bytes_param(OSSL_KDF_PARAM_INFO, info.ptr, info.len);
	params[n] = OSSL_PARAM_construct_end();
	if (ctx == NULL || EVP_KDF_derive(ctx, derived.bytes, len, params) != 1)
		return crypt_fail(err, "deriving a key");
	*out = derived;
	return true;
}
