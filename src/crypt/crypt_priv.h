/* crypt_priv.h - the algorithms that crypt_init fetched, for the files of crypt/. */
#ifndef BERTH_CRYPT_CRYPT_PRIV_H
#define BERTH_CRYPT_CRYPT_PRIV_H

#include <openssl/evp.h>

#include "base/digest.h"

/* Asserts that crypt_init was called. */
const EVP_MD *crypt_md(enum digest_alg alg);
const EVP_CIPHER *crypt_aes_gcm(void);
EVP_KDF *crypt_hkdf(void);
/* Fills err with what OpenSSL's queue says, empties the queue, returns false. */
bool crypt_fail(struct err *err, const char *what);

#endif
