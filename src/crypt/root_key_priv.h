/* root_key_priv.h - small files with secrets in them, shared by root_key.c and root_key_pkcs11.c.
 */
#ifndef BERTH_CRYPT_ROOT_KEY_PRIV_H
#define BERTH_CRYPT_ROOT_KEY_PRIV_H

#include "crypt/root_key.h"

/*
 * Reads a file of at most SECRET_MAX bytes; what: "root key file", for messages. is_private:
 * refuses one that others than its owner may read. *out_found is false when there is none (and
 * nothing else failed). Errors: CONFIG.
 */
MUST_CHECK bool root_key_read(const char *path, const char *what, bool is_private,
	struct secret *out, bool *out_found, struct err *err);
/* Two lines: one that says what it is, and bytes in hex. */
bool root_key_parse(const struct secret *text, const char *first_line, uint8_t *out, size_t len);
void root_key_render(const char *first_line, const uint8_t *bytes, size_t len, struct secret *out);
/* Completes *out from its bytes. */
MUST_CHECK bool root_key_set(
	struct root_key *out, const uint8_t bytes[ROOT_KEY_LEN], struct err *err);

#endif
