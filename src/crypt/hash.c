#include "crypt/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/kdf.h>

#include "base/mem.h"
#include "crypt/crypt_priv.h"

struct hash {
	enum digest_alg alg;
	EVP_MD_CTX *ctx;
};

/* Fetched once and kept for the life of the process, as OpenSSL's manual advises. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256, *sha512;
static EVP_CIPHER *aes_gcm;
static EVP_KDF *hkdf;

static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	sha512 = EVP_MD_fetch(NULL, "SHA2-512", NULL);
	aes_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
}

bool crypt_fail(struct err *err, const char *what)
{
	char text[256] = "no reason given";
	unsigned long code = ERR_get_error();
	if (code != 0)
		ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	return err_sys(err, ERR_INTERNAL, 0, "%s: %s", what, text);
}

bool crypt_init(struct err *err)
{
	if (pthread_once(&once, fetch) != 0 || sha256 == NULL || sha512 == NULL ||
		aes_gcm == NULL || hkdf == NULL)
		return crypt_fail(err, "fetching SHA-2, AES-256-GCM and HKDF");
	return true;
}

const EVP_MD *crypt_md(enum digest_alg alg)
{
	const EVP_MD *md = alg == DIGEST_SHA512 ? sha512 : sha256;
	assert(md != NULL); /* crypt_init comes first */
	return md;
}

const EVP_CIPHER *crypt_aes_gcm(void)
{
	assert(aes_gcm != NULL); /* crypt_init comes first */
	return aes_gcm;
}

EVP_KDF *crypt_hkdf(void)
{
	assert(hkdf != NULL); /* crypt_init comes first */
	return hkdf;
}

bool hash_new(enum digest_alg alg, struct hash **out, struct err *err)
{
	struct hash *h CLEANUP(hash_freep) = xmalloc(sizeof(*h));
	h->alg = alg;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL || EVP_DigestInit_ex2(h->ctx, crypt_md(alg), NULL) != 1)
		return crypt_fail(err, "starting a digest");
	*out = h;
	h = NULL;
	return true;
}

void hash_free(struct hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void hash_freep(struct hash **h)
{
	hash_free(*h);
	*h = NULL;
}

enum digest_alg hash_alg(const struct hash *h)
{
	return h->alg;
}

bool hash_update(struct hash *h, const void *bytes, size_t len, struct err *err)
{
	if (len != 0 && EVP_DigestUpdate(h->ctx, bytes, len) != 1)
		return crypt_fail(err, "computing a digest");
	return true;
}

static void ctx_freep(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

/* Finishes ctx, which is spent afterwards. */
static bool finish(EVP_MD_CTX *ctx, enum digest_alg alg, struct digest *out, struct err *err)
{
	struct digest d = { .alg = alg };
	unsigned len = 0;
	if (EVP_DigestFinal_ex(ctx, d.hash, &len) != 1 || len != digest_hash_len(alg))
		return crypt_fail(err, "finishing a digest");
	*out = d;
	return true;
}

bool hash_digest(const struct hash *h, struct digest *out, struct err *err)
{
	/* Finishing would end the stream, so a copy is finished. */
	EVP_MD_CTX *copy CLEANUP(ctx_freep) = EVP_MD_CTX_new();
	if (copy == NULL || EVP_MD_CTX_copy_ex(copy, h->ctx) != 1)
		return crypt_fail(err, "copying a digest");
	return finish(copy, h->alg, out, err);
}

bool hash_bytes(enum digest_alg alg, struct str bytes, struct digest *out, struct err *err)
{
	EVP_MD_CTX *ctx CLEANUP(ctx_freep) = EVP_MD_CTX_new();
	if (ctx == NULL || EVP_DigestInit_ex2(ctx, crypt_md(alg), NULL) != 1)
		return crypt_fail(err, "starting a digest");
	if (bytes.len != 0 && EVP_DigestUpdate(ctx, bytes.ptr, bytes.len) != 1)
		return crypt_fail(err, "computing a digest");
	return finish(ctx, alg, out, err);
}
