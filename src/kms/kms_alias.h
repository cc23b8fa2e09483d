/*
 * kms_alias.h - second names of keys. A name belongs to one (account, Region), and its key to the
 * same. Names begin with "alias/"; those under alias/aws/ are Berth's (the caller refuses them).
 */
#ifndef BERTH_KMS_KMS_ALIAS_H
#define BERTH_KMS_KMS_ALIAS_H

#include "kms/kms_key.h"

/* Errors: KMS_ALIAS_EXISTS; KMS_KEY_UNKNOWN when the key is of another realm; KMS_KEY_STATE; LIMIT.
 */
MUST_CHECK bool kms_alias_create(struct kms *k, const struct kms_realm *realm, struct str name,
	const struct kms_key *key, struct err *err);
/* Points an alias at another key. Errors: KMS_KEY_UNKNOWN also for the alias itself. */
MUST_CHECK bool kms_alias_update(struct kms *k, const struct kms_realm *realm, struct str name,
	const struct kms_key *key, struct err *err);
MUST_CHECK bool kms_alias_delete(
	struct kms *k, const struct kms_realm *realm, struct str name, struct err *err);

struct kms_alias {
	struct str name; /* in the arena */
	char key_id[UUID_TEXT_LEN + 1];
	int64_t created_at_ms, updated_at_ms;
};

struct kms_alias_list {
	struct kms_alias *items;
	size_t count;
	bool more;
};

struct kms_alias_query {
	const struct kms_key *key; /* NULL: of every key */
	struct str after;          /* by name, what comes behind it */
	unsigned limit;
};

MUST_CHECK bool kms_alias_list(struct kms *k, const struct kms_realm *realm,
	const struct kms_alias_query *query, struct arena *arena, struct kms_alias_list *out,
	struct err *err);

#endif
