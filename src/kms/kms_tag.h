/* kms_tag.h - the AWS tags of keys. */
#ifndef BERTH_KMS_KMS_TAG_H
#define BERTH_KMS_KMS_TAG_H

#include "kms/kms_key.h"

/* Errors: LIMIT when the key would have more than KMS_TAGS_MAX. */
MUST_CHECK bool kms_key_tag(struct kms *k, const struct kms_key *key, const struct kms_tag *tags,
	size_t n, struct err *err);
MUST_CHECK bool kms_key_untag(struct kms *k, const struct kms_key *key, const struct str *names,
	size_t n, struct err *err);

struct kms_tag_list {
	struct kms_tag *items;
	size_t count;
	bool more;
};

/* By name, behind `after`. */
MUST_CHECK bool kms_key_tags(struct kms *k, const struct kms_key *key, struct str after,
	unsigned limit, struct arena *arena, struct kms_tag_list *out, struct err *err);

#endif
