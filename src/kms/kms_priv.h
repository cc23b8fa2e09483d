/* kms_priv.h - the inside of struct kms, for the files of kms/. */
#ifndef BERTH_KMS_KMS_PRIV_H
#define BERTH_KMS_KMS_PRIV_H

#include "kms/kms_cache.h"
#include "kms/kms_key.h"
#include "meta/db.h"
#include "meta/kms_table.h"

struct kms {
	struct db *db;
	struct secret wrapping_key;
	struct kms_cache *cache;
	struct kms_external *external; /* NULL: none */
};

#define MS_PER_DAY ((int64_t)24 * 3600 * 1000)
/* Of wrapped material: 32 bytes and what aead_wrap adds. */
#define KMS_MATERIAL_MAX 256

/* Errors in AWS's words; all return false. */
bool kms_key_unknown(const char *arn, struct err *err);
/* The arena gave nothing. Errors: UNAVAILABLE where memory was missing, else INTERNAL. */
bool kms_out_of_memory(const struct arena *arena, struct err *err);
/* May the key encrypt and decrypt? Errors: KMS_KEY_DISABLED, KMS_KEY_STATE. */
bool kms_row_usable(const struct kms_row *row, struct err *err);
/* What else may be done to a key that is not to be deleted. Errors: KMS_KEY_STATE. */
bool kms_row_stays(const struct kms_row *row, struct err *err);
/* kms_table_find, of which a key whose deletion is due counts as gone. */
MUST_CHECK bool kms_row_find(struct db_conn *c, const uint8_t uuid[16], struct arena *arena,
	struct kms_row *out, bool *found, struct err *err);
void kms_key_of_row(const struct kms_row *row, struct kms_key *out);

/* New random material for a version of a key, wrapped; appended to out. */
MUST_CHECK bool kms_material_make(
	struct kms *k, const uint8_t uuid[16], uint32_t version, struct buf *out, struct err *err);
MUST_CHECK bool kms_material_open(struct kms *k, const uint8_t uuid[16], uint32_t version,
	struct str wrapped, struct secret *out, struct err *err);

/* The managed key of the realm, made if it is not there. */
MUST_CHECK bool kms_managed_key(struct kms *k, const struct kms_realm *realm, struct arena *arena,
	struct kms_key *out, struct err *err);

/* The context as the additional data have it (kms_crypt.h). Errors: INVALID. */
MUST_CHECK bool kms_context_render(
	const struct kms_context *context, struct buf *out, struct err *err);

#endif
