/* Names, tags and references: what is accepted follows the grammar as a second, plainer reader sees
 * it, and a reference is either a tag or a digest. */
#include "fuzz.h"
#include "registry/image.h"
#include "registry/name.h"

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The grammar as rules about neighbors: every character that is no letter or digit stands in a run
 * that is one of "/", ".", "_", "__" or hyphens, between two that are. */
static bool plain_repository(struct str s)
{
	size_t i = 0;
	if (s.len == 0 || s.len > REPO_NAME_MAX || !is_alnum(s.ptr[0]) ||
		!is_alnum(s.ptr[s.len - 1]))
		return false;
	while (i < s.len) {
		size_t run = 0;
		while (!is_alnum(s.ptr[i + run]))
			run++;
		struct str sep = str_sub(s, i, run);
		bool hyphens = true;
		for (size_t k = 0; k < run; k++)
			hyphens = hyphens && sep.ptr[k] == '-';
		if (run && !hyphens && !str_eq_c(sep, "/") && !str_eq_c(sep, ".") &&
			!str_eq_c(sep, "_") && !str_eq_c(sep, "__"))
			return false;
		i += run + 1;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = { (const char *)data, size };
	struct image_ref r;
	struct err err;
	CHECK(name_is_repository(s) == plain_repository(s));
	if (!image_ref_parse(s, &r, &err)) {
		CHECK(err.kind == ERR_TAG_INVALID || err.kind == ERR_DIGEST_INVALID);
		CHECK(!name_is_tag(s));
		return 0;
	}
	CHECK(r.has_digest == (r.tag.len == 0));
	if (r.has_digest) {
		char text[DIGEST_TEXT_MAX];
		CHECK(str_eq_c(s, digest_text(&r.digest, text)));
	} else {
		CHECK(str_eq(r.tag, s) && name_is_tag(s));
	}
	return 0;
}
