#include "app/encryption.h"

#include <stdio.h>

#include "app/units.h"
#include "registry/reencrypt.h"

struct output {
	const struct config *config;
	bool is_first;
};

static void print_pool(void *arg, const struct reencrypt_pool *p)
{
	const struct output *o = arg;
	char bytes[UNITS_TEXT_MAX];
	printf("  %s/%s  %-8s", p->reg.account, p->reg.region, p->enc_type);
	if (p->key_arn.len)
		printf("  " STR_FMT, STR_ARG(p->key_arn));
	printf("\n");
	if (p->sealed_blobs)
		printf("    encrypted by Berth: %llu layers, %s\n",
			(unsigned long long)p->sealed_blobs, units_bytes(p->sealed_bytes, bytes));
	if (p->plain_blobs)
		printf("    %s: %llu layers, %s\n",
			o->config->encryption == ENCRYPTION_DISK
				? "by the disk (--encryption disk)"
				: "not encrypted by Berth (berth re-encrypt does it)",
			(unsigned long long)p->plain_blobs, units_bytes(p->plain_bytes, bytes));
	if (!p->sealed_blobs && !p->plain_blobs)
		printf("    no layers\n");
}

bool encryption_print(const struct config *c, struct core *core, struct err *err)
{
	struct output o = { .config = c };
	printf("Who encrypts, by registry, type and key:\n");
	return reencrypt_pools(core, print_pool, &o, err);
}

static void print_object(void *arg, const struct reencrypt_pool *p)
{
	struct output *o = arg;
	/* Nothing of it needs quoting: digits, a Region's letters, an ARN of our own or of AWS. */
	printf("%s\n  {\"account\":\"%s\",\"region\":\"%s\",\"type\":\"%s\",\"kmsKey\":\"" STR_FMT
	       "\",\"sealedLayers\":%llu,\"sealedBytes\":%llu,\"plainLayers\":%llu,"
	       "\"plainBytes\":%llu}",
		o->is_first ? "" : ",", p->reg.account, p->reg.region, p->enc_type,
		STR_ARG(p->key_arn), (unsigned long long)p->sealed_blobs,
		(unsigned long long)p->sealed_bytes, (unsigned long long)p->plain_blobs,
		(unsigned long long)p->plain_bytes);
	o->is_first = false;
}

bool encryption_print_json(struct core *core, struct err *err)
{
	struct output o = { .is_first = true };
	printf("[");
	bool done = reencrypt_pools(core, print_object, &o, err);
	printf("]");
	return done;
}
