#include "crypt/aead.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "crypt/crypt_priv.h"
#include "crypt/random.h"

#define WRAP_VERSION 1
#define WHAT_MAX     256

struct aead {
	EVP_CIPHER_CTX *ctx;
};

bool aead_new(const struct secret *key, struct aead **out, struct err *err)
{
	assert(key->len == AEAD_KEY_LEN);
	struct aead *a CLEANUP(aead_freep) = xmalloc(sizeof(*a));
	a->ctx = EVP_CIPHER_CTX_new();
	/* The direction is named anew by each call: GCM expands the key alike for both. */
	if (a->ctx == NULL ||
		EVP_EncryptInit_ex2(a->ctx, crypt_aes_gcm(), key->bytes, NULL, NULL) != 1) {
		crypt_fail(err, "expanding an AES key");
		return false;
	}
	*out = a;
	a = NULL;
	return true;
}

void aead_free(struct aead *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->ctx); /* wipes the expanded key */
	free(a);
}

void aead_freep(struct aead **a)
{
	aead_free(*a);
	*a = NULL;
}

/* Nonce, additional data and the bytes themselves; the tag is the caller's. */
static bool run(struct aead *a, bool seals, const uint8_t nonce[AEAD_NONCE_LEN], struct str aad,
	const void *in, size_t len, void *out)
{
	int n = 0;
	assert(len <= INT_MAX && aad.len <= INT_MAX);
	if (EVP_CipherInit_ex2(a->ctx, NULL, NULL, nonce, seals, NULL) != 1)
		return false;
	if (aad.len != 0 && EVP_CipherUpdate(a->ctx, NULL, &n, (const unsigned char *)aad.ptr,
				    (int)aad.len) != 1)
		return false;
	return len == 0 ||
	       (EVP_CipherUpdate(a->ctx, out, &n, in, (int)len) == 1 && (size_t)n == len);
}

void aead_seal(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN], struct str aad,
	const void *plain, size_t len, void *out, uint8_t tag[AEAD_TAG_LEN])
{
	unsigned char none[AEAD_TAG_LEN];
	int n = 0;
	if (!run(a, true, nonce, aad, plain, len, out) ||
		EVP_EncryptFinal_ex(a->ctx, none, &n) != 1 ||
		EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, tag) != 1) {
		(void)fputs("berth: OpenSSL cannot compute AES-256-GCM\n", stderr);
		abort();
	}
}

bool aead_open(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN], struct str aad,
	const void *sealed, size_t len, const uint8_t tag[AEAD_TAG_LEN], void *out)
{
	unsigned char expected[AEAD_TAG_LEN];
	unsigned char none[AEAD_TAG_LEN];
	int n = 0;
	/* The control takes a pointer to what may not be const. */
	memcpy(expected, tag, AEAD_TAG_LEN);
	if (run(a, false, nonce, aad, sealed, len, out) &&
		EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, expected) == 1 &&
		EVP_DecryptFinal_ex(a->ctx, none, &n) == 1)
		return true;
	if (len != 0)
		mem_wipe(out, len); /* nobody may use what was not authenticated */
	return false;
}

/* What is authenticated beside the secret: the version, and what the secret is. */
static struct str wrap_aad(struct str what, char text[1 + WHAT_MAX])
{
	assert(what.len <= WHAT_MAX);
	text[0] = WRAP_VERSION;
	memcpy(text + 1, what.ptr, what.len);
	return (struct str){ text, 1 + what.len };
}

static bool no_room(const struct buf *out, const char *what, struct err *err)
{
	return buf_is_starved(out)
		       ? err_sys(err, ERR_UNAVAILABLE, 0, "no memory for a key to be %s", what)
		       : err_set(err, ERR_TOO_LARGE, "too long to be %s", what);
}

bool aead_wrap(const struct secret *key, struct str what, struct str plain, struct buf *out,
	struct err *err)
{
	char text[1 + WHAT_MAX];
	struct aead *a CLEANUP(aead_freep) = NULL;
	if (!aead_new(key, &a, err))
		return false;
	uint8_t *to = buf_reserve(out, AEAD_WRAP_LEN + plain.len);
	if (to == NULL)
		return no_room(out, "wrapped", err);
	to[0] = WRAP_VERSION;
	random_bytes(to + 1, AEAD_NONCE_LEN);
	uint8_t *at = to + 1 + AEAD_NONCE_LEN;
	aead_seal(a, to + 1, wrap_aad(what, text), plain.ptr, plain.len, at, at + plain.len);
	buf_commit(out, AEAD_WRAP_LEN + plain.len);
	return true;
}

/* plain: room for wrapped.len - AEAD_WRAP_LEN bytes. */
static bool unwrap(
	const struct secret *key, struct str what, struct str wrapped, void *plain, struct err *err)
{
	char text[1 + WHAT_MAX];
	struct aead *a CLEANUP(aead_freep) = NULL;
	const uint8_t *from = (const uint8_t *)wrapped.ptr;
	const uint8_t *at = from + 1 + AEAD_NONCE_LEN;
	size_t len = wrapped.len - AEAD_WRAP_LEN;
	if (!aead_new(key, &a, err))
		return false;
	if (!aead_open(a, from + 1, wrap_aad(what, text), at, len, at + len, plain))
		return err_sys(err, ERR_CORRUPT, 0,
			"wrapped secret " STR_FMT ": damaged, or another key's", STR_ARG(what));
	return true;
}

static bool check_form(struct str what, struct str wrapped, struct err *err)
{
	if (wrapped.len < AEAD_WRAP_LEN || wrapped.ptr[0] != WRAP_VERSION)
		return err_sys(err, ERR_CORRUPT, 0,
			"wrapped secret " STR_FMT ": %zu bytes, version %d", STR_ARG(what),
			wrapped.len, wrapped.len == 0 ? -1 : wrapped.ptr[0]);
	return true;
}

bool aead_unwrap(const struct secret *key, struct str what, struct str wrapped, struct buf *out,
	struct err *err)
{
	if (!check_form(what, wrapped, err))
		return false;
	void *to = buf_reserve(out, wrapped.len - AEAD_WRAP_LEN);
	if (to == NULL)
		return no_room(out, "unwrapped", err);
	if (!unwrap(key, what, wrapped, to, err))
		return false;
	buf_commit(out, wrapped.len - AEAD_WRAP_LEN);
	return true;
}

bool aead_unwrap_secret(const struct secret *key, struct str what, struct str wrapped,
	struct secret *out, struct err *err)
{
	struct secret plain CLEANUP(secret_wipe) = { .len = 0 };
	if (!check_form(what, wrapped, err))
		return false;
	if (wrapped.len - AEAD_WRAP_LEN > SECRET_MAX)
		return err_sys(err, ERR_CORRUPT, 0, "wrapped secret " STR_FMT ": %zu bytes",
			STR_ARG(what), wrapped.len);
	plain.len = wrapped.len - AEAD_WRAP_LEN;
	if (!unwrap(key, what, wrapped, plain.bytes, err))
		return false;
	*out = plain;
	return true;
}
