/*
 * root_key.h - the 32 bytes that everything secret in a data folder hangs on, and where they come
 * from: a file, a systemd credential, or a file that only the key of an HSM opens (PKCS#11).
 *
 * A root key that exists is never replaced, and none is made unless the caller allows it: what was
 * sealed under a lost key is lost. It is used only through subkeys for one purpose each (HKDF).
 * Messages of CONFIG errors are whole lines for the operator.
 *
 * The text form, of files and credentials, is two lines: "berth root key v1" and 64 lower-case hex
 * digits; a line end behind them may be missing. A wrapped key: "berth root key v1 wrapped by
 * PKCS#11" and 120 digits: nonce, ciphertext and tag of AES-GCM with the first line as additional
 * data.
 */
#ifndef BERTH_CRYPT_ROOT_KEY_H
#define BERTH_CRYPT_ROOT_KEY_H

#include "base/buf.h"
#include "base/err.h"
#include "crypt/secret.h"

#define ROOT_KEY_LEN        32
#define ROOT_KEY_ID_LEN     8
#define ROOT_KEY_CREDENTIAL "root-key" /* the name of the systemd credential */

struct root_key {
	struct secret secret;
	uint8_t id[ROOT_KEY_ID_LEN]; /* tells keys apart; not secret: SHA-256("berth root key id" ||
					key), cut */
};

void root_key_wipe(struct root_key *key); /* for CLEANUP too */

/*
 * A file that only its owner may read. may_make: one that is missing is made, mode 0600, on disk
 * before this returns; *out_made then says so. Errors: CONFIG (missing, malformed, readable by
 * others), STORAGE_FULL, UNAVAILABLE, INTERNAL.
 */
MUST_CHECK bool root_key_from_file(
	const char *path, bool may_make, struct root_key *out, bool *out_made, struct err *err);
/* The credential in the folder that systemd names in $CREDENTIALS_DIRECTORY. Its mode is systemd's
 * affair. Never made. Errors: CONFIG. */
MUST_CHECK bool root_key_from_credential(const char *folder, struct root_key *out, struct err *err);

struct root_key_pkcs11 {
	const char *module;       /* path of the PKCS#11 library */
	const char *token;        /* label of the token */
	const char *pin_file;     /* the user's PIN on one line; only its owner may read it */
	const char *key_label;    /* of the AES-256 key in the token */
	const char *wrapped_file; /* the root key, wrapped by that key */
	bool may_make; /* the token's key, the wrapped file, when both are missing, or only the file
			  is */
};

/* Errors: CONFIG for whatever has to be set right before the next try, UNAVAILABLE when the token
 * does not work. */
MUST_CHECK bool root_key_from_pkcs11(
	const struct root_key_pkcs11 *from, struct root_key *out, bool *out_made, struct err *err);

/* A key for one purpose ("secrets", "managed-kek"): ROOT_KEY_LEN bytes. */
MUST_CHECK bool root_key_derive(
	const struct root_key *root, struct str purpose, struct secret *out, struct err *err);

/* What a database keeps to know its root key again; appended to out (less than 64 bytes). */
MUST_CHECK bool root_key_check_value(const struct root_key *root, struct buf *out, struct err *err);
/* Errors: CONFIG when the value is of another root key (the message names both ids), CORRUPT when
 * it is damaged. */
MUST_CHECK bool root_key_verify(const struct root_key *root, struct str value, struct err *err);

#endif
