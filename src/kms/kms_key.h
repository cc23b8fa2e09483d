/*
 * kms_key.h - the life of the keys that are kept here: made, disabled, rotated, deleted.
 *
 * A key is read by kms_key_get, which gives a copy; what changes it takes that copy to know which
 * key is meant, and looks at the key again in its own transaction. Changes are durable when they
 * return, and cached data keys of the key are forgotten. Errors beside those of kms.h: DENIED for
 * what cannot be done to a key that Berth manages; LIMIT.
 */
#ifndef BERTH_KMS_KMS_KEY_H
#define BERTH_KMS_KMS_KEY_H

#include "kms/kms.h"
#include "kms/kms_arn.h"

enum kms_manager { KMS_MANAGER_AWS = 1, KMS_MANAGER_CUSTOMER = 2 }; /* stored */

enum kms_state { KMS_ENABLED = 1, KMS_DISABLED = 2, KMS_PENDING_DELETION = 3 }; /* stored */

#define KMS_DELETION_DAYS_MIN     7
#define KMS_DELETION_DAYS_MAX     30
#define KMS_ROTATION_DAYS_MIN     90
#define KMS_ROTATION_DAYS_MAX     2560
#define KMS_ROTATION_DAYS_DEFAULT 365
#define KMS_DEMANDED_MAX          25 /* rotations on demand, as AWS has it */
#define KMS_TAGS_MAX              50
#define KMS_ALIASES_MAX           50 /* of one key */
#define KMS_PAGE_MAX              1000

struct kms_key {
	uint8_t uuid[16];
	char id[UUID_TEXT_LEN + 1];
	char arn[KMS_ARN_MAX];
	char account[13], region[26];
	enum kms_manager manager;
	enum kms_state state;
	struct str description; /* in the arena */
	int64_t created_at_ms;
	int64_t delete_at_ms;   /* 0: not to be deleted */
	uint32_t version;       /* of the newest material, from 1 */
	unsigned rotation_days; /* 0: no automatic rotation */
	int64_t rotate_at_ms;
};

struct kms_tag {
	struct str name, value;
};

struct kms_key_new {
	struct str description;
	const struct kms_tag *tags;
	size_t tag_count;
};

MUST_CHECK bool kms_key_create(struct kms *k, const struct kms_realm *realm,
	const struct kms_key_new *in, struct arena *arena, struct kms_key *out, struct err *err);
/* In any state. text as for kms_resolve, but not empty; an ARN may name another account's key: the
 * caller asks whether it may be shown. alias/aws/ecr is made when it does not exist. */
MUST_CHECK bool kms_key_get(struct kms *k, const struct kms_realm *realm, struct str text,
	struct arena *arena, struct kms_key *out, struct err *err);

struct kms_key_id {
	char id[UUID_TEXT_LEN + 1];
	char arn[KMS_ARN_MAX];
};

struct kms_key_list {
	struct kms_key_id *items;
	size_t count;
	bool more;
};

/* By id, what comes behind the id `after` (empty: from the start; INVALID if it is no id). limit:
 * at most KMS_PAGE_MAX. */
MUST_CHECK bool kms_key_list(struct kms *k, const struct kms_realm *realm, struct str after,
	unsigned limit, struct arena *arena, struct kms_key_list *out, struct err *err);

MUST_CHECK bool kms_key_enable(struct kms *k, const struct kms_key *key, struct err *err);
MUST_CHECK bool kms_key_disable(struct kms *k, const struct kms_key *key, struct err *err);
MUST_CHECK bool kms_key_describe(
	struct kms *k, const struct kms_key *key, struct str description, struct err *err);
/* Usable again by kms_key_cancel_deletion, then disabled. */
MUST_CHECK bool kms_key_schedule_deletion(struct kms *k, const struct kms_key *key, unsigned days,
	int64_t *out_at_ms, struct err *err);
MUST_CHECK bool kms_key_cancel_deletion(struct kms *k, const struct kms_key *key, struct err *err);
/* days 0: none. */
MUST_CHECK bool kms_key_set_rotation(
	struct kms *k, const struct kms_key *key, unsigned days, struct err *err);
/* Adds a version now; the automatic rotation keeps its dates. Errors: LIMIT. */
MUST_CHECK bool kms_key_rotate(struct kms *k, const struct kms_key *key, struct err *err);

struct kms_rotation {
	uint32_t version;
	bool is_demanded;
	int64_t at_ms;
};

struct kms_rotation_list {
	struct kms_rotation *items;
	size_t count;
	bool more;
};

/* Ascending, versions above after (1: every rotation). */
MUST_CHECK bool kms_key_rotations(struct kms *k, const struct kms_key *key, uint32_t after,
	unsigned limit, struct arena *arena, struct kms_rotation_list *out, struct err *err);

#endif
