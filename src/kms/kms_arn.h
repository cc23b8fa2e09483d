/* kms_arn.h - the texts that name a key: id, ARN, alias name, alias ARN. Pure. */
#ifndef BERTH_KMS_KMS_ARN_H
#define BERTH_KMS_KMS_ARN_H

#include "base/codec.h"
#include "kms/kms.h"

#define KMS_ARN_MAX       96  /* of a key, with NUL */
#define KMS_ALIAS_MAX     256 /* characters of an alias name */
#define KMS_ALIAS_PREFIX  "alias/"
#define KMS_ALIAS_MANAGED "alias/aws/"

/* account, region: as validated elsewhere (twelve digits, at most 25 characters). */
void kms_arn_render(
	const char *account, const char *region, const uint8_t uuid[16], char out[KMS_ARN_MAX]);

/* What a text names; account and region are the realm's unless it is an ARN. */
struct kms_name {
	struct str account, region; /* borrow from text or realm */
	struct str alias;           /* "alias/x"; empty: a key's id is meant */
	uint8_t uuid[16];
};

/* Errors: KMS_KEY_UNKNOWN, in AWS's words: for what names nothing, and for an ARN of another Region
 * than the realm's. */
MUST_CHECK bool kms_name_parse(
	const struct kms_realm *realm, struct str text, struct kms_name *out, struct err *err);
/* A key's ARN, of any Region; false when it is none of this form. */
bool kms_arn_parse(struct str arn, struct kms_name *out);
/* Characters and length of an alias name with its "alias/": ^alias/[a-zA-Z0-9/_-]+$. */
bool kms_alias_is_valid(struct str name);

#endif
