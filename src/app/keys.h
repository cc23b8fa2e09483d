/*
 * keys.h - the root key and what hangs on it: the keys derived for each purpose, and the KMS.
 *
 * The database keeps a value by which it knows its root key again. With another root key, or none,
 * opening fails before anything is changed. A root key is only made while the database knows none.
 */
#ifndef BERTH_APP_KEYS_H
#define BERTH_APP_KEYS_H

#include "app/config.h"
#include "app/folder.h"
#include "crypt/secret.h"

struct db;
struct kms;

struct keys {
	struct secret managed; /* wraps the data keys that Berth manages */
	struct secret secrets; /* wraps access-key secrets and token keys */
	struct kms *kms;
	bool made; /* the root key, just now */
};

/* may_make: a server's start, or a tool that writes. Errors: CONFIG with the whole line for the
 * operator. */
MUST_CHECK bool keys_open(const struct config *c, const struct folder *folder, struct db *db,
	bool may_make, struct keys *out, struct err *err);
void keys_close(struct keys *k); /* wipes */
/* Where the root key is, for messages. Borrowed from c or folder. */
const char *keys_place(const struct config *c, const struct folder *folder, char path[PATH_MAX]);

#endif
