#include "base/digest.h"

#include "base/codec.h"

static const struct alg {
	struct str name;
	size_t hash_len;
} algs[] = {
	[DIGEST_SHA256] = { { "sha256", 6 }, 32 },
	[DIGEST_SHA512] = { { "sha512", 6 }, 64 },
};

size_t digest_hash_len(enum digest_alg alg)
{
	return algs[alg].hash_len;
}

struct str digest_alg_name(enum digest_alg alg)
{
	return algs[alg].name;
}

bool digest_alg_parse(struct str name, enum digest_alg *out)
{
	for (size_t i = DIGEST_SHA256; i < ARRAY_LEN(algs); i++) {
		if (str_eq(name, algs[i].name)) {
			*out = (enum digest_alg)i;
			return true;
		}
	}
	return false;
}

bool digest_parse(struct str text, struct digest *out, struct err *err)
{
	struct str name;
	struct str hex;
	struct digest d = { 0 };
	if (!str_cut(text, ':', &name, &hex))
		return err_set(err, ERR_DIGEST_INVALID, "the digest has no algorithm");
	if (!digest_alg_parse(name, &d.alg))
		return err_set(err, ERR_DIGEST_INVALID, "the digest algorithm is not supported");
	/* OCI image spec 1.1, "SHA-256": the encoded portion MUST match /[a-f0-9]{64}/. */
	if (!hex_decode(hex, true, d.hash, digest_hash_len(d.alg)))
		return err_set(err, ERR_DIGEST_INVALID,
			"the digest is not %zu lower-case hex digits", 2 * digest_hash_len(d.alg));
	*out = d;
	return true;
}

const char *digest_text(const struct digest *d, char dst[DIGEST_TEXT_MAX])
{
	struct str name = digest_alg_name(d->alg);
	size_t hash_len = digest_hash_len(d->alg);
	memcpy(dst, name.ptr, name.len);
	dst[name.len] = ':';
	hex_encode(d->hash, hash_len, dst + name.len + 1);
	dst[name.len + 1 + 2 * hash_len] = '\0';
	return dst;
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
	return a->alg == b->alg && memcmp(a->hash, b->hash, digest_hash_len(a->alg)) == 0;
}

size_t digest_to_key(const struct digest *d, uint8_t key[DIGEST_KEY_MAX])
{
	size_t hash_len = digest_hash_len(d->alg);
	key[0] = (uint8_t)d->alg;
	memcpy(key + 1, d->hash, hash_len);
	return 1 + hash_len;
}

bool digest_from_key(const uint8_t *key, size_t len, struct digest *out, struct err *err)
{
	if (len == 0 || key[0] < DIGEST_SHA256 || key[0] >= ARRAY_LEN(algs) ||
		len != 1 + algs[key[0]].hash_len)
		return err_sys(err, ERR_CORRUPT, 0, "digest key of %zu bytes", len);
	struct digest d = { .alg = (enum digest_alg)key[0] };
	memcpy(d.hash, key + 1, len - 1);
	*out = d;
	return true;
}
