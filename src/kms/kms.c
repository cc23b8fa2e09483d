#include "kms/kms.h"

#include <assert.h>
#include <stdlib.h>

#include "kms/kms_external.h"
#include "kms/kms_priv.h"

#define CACHE_LIFE_MS 60000

bool kms_open(const struct kms_options *o, struct kms **out, struct err *err)
{
	assert(o->wrapping_key->len == 32);
	struct kms *k = calloc(1, sizeof(*k));
	if (k == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "kms: no memory");
	if (o->external != NULL && !kms_external_open(o->external, &k->external, err)) {
		free(k);
		return false;
	}
	k->db = o->db;
	k->wrapping_key = *o->wrapping_key;
	k->cache = kms_cache_new(o->cache_life_ms > 0 ? o->cache_life_ms : CACHE_LIFE_MS);
	*out = k;
	return true;
}

void kms_close(struct kms *k)
{
	if (k == NULL)
		return;
	kms_cache_free(k->cache);
	kms_external_close(k->external);
	secret_wipe(&k->wrapping_key);
	free(k);
}

static bool usable(const struct kms_key *key, struct err *err)
{
	if (key->state == KMS_DISABLED)
		return err_set(err, ERR_KMS_KEY_DISABLED, "%s is disabled.", key->arn);
	if (key->state == KMS_PENDING_DELETION)
		return err_set(err, ERR_KMS_KEY_STATE, "%s is pending deletion.", key->arn);
	return true;
}

/* alias/aws/ecr by name or by ARN, or no name at all. */
static bool means_managed(const struct kms_realm *realm, struct str text)
{
	struct kms_name name;
	struct err err;
	if (text.len == 0)
		return true;
	return kms_name_parse(realm, text, &name, &err) &&
	       str_eq(name.alias, STR(KMS_MANAGED_ECR)) && str_eq(name.account, realm->account);
}

bool kms_resolve(struct kms *k, const struct kms_realm *realm, struct str text, struct arena *arena,
	struct str *out, struct err *err)
{
	struct kms_key key;
	bool is_managed = means_managed(realm, text);
	if (k->external != NULL && !is_managed)
		return kms_external_resolve(k->external, text, arena, out, err);
	if (!kms_key_get(k, realm, is_managed ? STR(KMS_MANAGED_ECR) : text, arena, &key, err) ||
		!usable(&key, err))
		return false;
	/* The keys of other accounts are theirs; whether they exist is not told. */
	if (!str_eq_c(realm->account, key.account))
		return kms_key_unknown(key.arn, err);
	struct str arn = arena_str(arena, str_from(key.arn));
	if (arn.ptr == NULL)
		return kms_out_of_memory(arena, err);
	*out = arn;
	return true;
}
