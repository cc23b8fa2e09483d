#include "crypt/random.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/mem.h"

void random_bytes(void *out, size_t len)
{
	unsigned char *to = out;
	while (len > 0) {
		int n = len < INT_MAX ? (int)len : INT_MAX;
		if (RAND_bytes(to, n) != 1) {
			(void)fputs("berth: no random bytes\n", stderr);
			abort();
		}
		to += n;
		len -= (size_t)n;
	}
}

void random_uuid(uint8_t out[16])
{
	random_bytes(out, 16);
	/* RFC 9562 5.4: version 4 and the variant of that document. */
	out[6] = (uint8_t)((out[6] & 0x0F) | 0x40);
	out[8] = (uint8_t)((out[8] & 0x3F) | 0x80);
}

void random_text(char *out, size_t len, const char *alphabet)
{
	size_t letters = strlen(alphabet);
	/* Bytes from the uneven rest at the top are thrown away, so that every letter is equally
	 * likely. */
	size_t limit = 256 - 256 % letters;
	size_t n = 0;
	uint8_t pool[64];
	while (n < len) {
		random_bytes(pool, sizeof(pool));
		for (size_t i = 0; i < sizeof(pool) && n < len; i++) {
			if (pool[i] < limit)
				out[n++] = alphabet[pool[i] % letters];
		}
	}
	mem_wipe(pool, sizeof(pool)); /* the text may be a password */
}
