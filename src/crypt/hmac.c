#include "crypt/hmac.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "crypt/crypt_priv.h"

#define BLOCK 64 /* of SHA-256 */

static void must(int ok)
{
	if (ok != 1) {
		(void)fputs("berth: OpenSSL cannot compute SHA-256\n", stderr);
		abort();
	}
}

static void start(EVP_MD_CTX *ctx, const uint8_t key[BLOCK], uint8_t pad)
{
	uint8_t block[BLOCK];
	for (size_t i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	must(EVP_DigestInit_ex2(ctx, crypt_md(DIGEST_SHA256), NULL));
	must(EVP_DigestUpdate(ctx, block, BLOCK));
	mem_wipe(block, sizeof(block));
}

/*
 * RFC 2104 on top of plain digests: EVP_MAC spends most of its time on parameters and on copying
 * contexts, which shows when a signature takes five short HMACs.
 */
void hmac_sha256(const void *key, size_t key_len, struct str message, uint8_t out[HMAC_LEN])
{
	uint8_t block[BLOCK] = { 0 };
	uint8_t inner[HMAC_LEN];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	must(ctx != NULL);
	if (key_len > BLOCK) {
		must(EVP_DigestInit_ex2(ctx, crypt_md(DIGEST_SHA256), NULL));
		must(EVP_DigestUpdate(ctx, key, key_len));
		must(EVP_DigestFinal_ex(ctx, block, NULL));
	} else if (key_len != 0) {
		memcpy(block, key, key_len);
	}
	start(ctx, block, 0x36);
	if (message.len != 0)
		must(EVP_DigestUpdate(ctx, message.ptr, message.len));
	must(EVP_DigestFinal_ex(ctx, inner, NULL));
	start(ctx, block, 0x5c);
	must(EVP_DigestUpdate(ctx, inner, sizeof(inner)));
	must(EVP_DigestFinal_ex(ctx, out, NULL));
	EVP_MD_CTX_free(ctx);
	mem_wipe(block, sizeof(block));
	mem_wipe(inner, sizeof(inner));
}
