#include "crypt/secret.h"

#include <openssl/crypto.h>

#include "base/mem.h"

bool secret_set(struct secret *s, const void *bytes, size_t len)
{
	secret_wipe(s);
	if (len > SECRET_MAX)
		return false;
	if (len != 0)
		memcpy(s->bytes, bytes, len);
	s->len = len;
	return true;
}

void secret_wipe(struct secret *s)
{
	mem_wipe(s, sizeof(*s));
}

bool secret_eq(const void *a, const void *b, size_t len)
{
	return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}

bool secret_str_eq(struct str a, struct str b)
{
	return a.len == b.len && secret_eq(a.ptr, b.ptr, a.len);
}
