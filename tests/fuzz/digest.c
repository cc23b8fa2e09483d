/* A digest that parses is written back as the very same text, and survives its way through a table.
 */
#include "base/digest.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct digest d;
	struct digest back;
	struct err err;
	char rendered[DIGEST_TEXT_MAX];
	uint8_t key[DIGEST_KEY_MAX];
	if (digest_parse(text, &d, &err)) {
		CHECK(str_eq_c(text, digest_text(&d, rendered)));
		size_t len = digest_to_key(&d, key);
		CHECK(digest_from_key(key, len, &back, &err) && digest_eq(&d, &back));
	} else {
		CHECK(err.kind == ERR_DIGEST_INVALID);
	}
	if (digest_from_key(data, size, &back, &err))
		CHECK(digest_to_key(&back, key) == size && memcmp(key, data, size) == 0);
	return 0;
}
