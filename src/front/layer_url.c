#include "front/layer_url.h"

#include <inttypes.h>

#include "auth/token.h"
#include "base/codec.h"

/* What is signed. One field a line; only the last could hold a line feed, so no two URLs share a
 * text. */
static struct str signed_text(const struct layer_url *url, struct arena *arena)
{
	char digest[DIGEST_TEXT_MAX];
	return arena_printf(arena, "layer\n%s\n%s\n%" PRId64 "\n%s\n" STR_FMT, url->reg.account,
		url->reg.region, url->expires_at_s, digest_text(&url->digest, digest),
		STR_ARG(url->repo));
}

struct str layer_url_path(struct auth *a, const struct layer_url *url, struct arena *arena)
{
	char digest[DIGEST_TEXT_MAX];
	struct str text = signed_text(url, arena);
	if (!text.ptr)
		return text;
	struct str signature = token_sign_text(a, text, arena);
	if (!signature.ptr)
		return signature;
	return arena_printf(arena, "/layers/%s/%s/%" PRId64 "/" STR_FMT "/%s/" STR_FMT,
		url->reg.account, url->reg.region, url->expires_at_s, STR_ARG(signature),
		digest_text(&url->digest, digest), STR_ARG(url->repo));
}

/* Splits the decoded path; what it says is not believed yet. */
static bool split(struct str path, struct layer_url *out, struct str *signature)
{
	struct str rest = path;
	struct str part[6];
	struct err unused;
	uint64_t expires = 0;
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		if (!str_cut(rest, '/', &part[i], &rest))
			return false;
	}
	/* part[0] is "layers": the leading '/' was taken off. */
	if (!str_eq_c(part[0], "layers") || !registry_id_make(part[1], part[2], &out->reg) ||
		!str_to_u64(part[3], INT64_MAX, &expires) ||
		!digest_parse(part[5], &out->digest, &unused) || rest.len == 0)
		return false;
	out->expires_at_s = (int64_t)expires;
	out->repo = rest;
	*signature = part[4];
	return true;
}

bool layer_url_check(struct auth *a, struct str path, int64_t now_s, struct arena *arena,
	struct layer_url *out, struct err *err)
{
	struct layer_url url;
	struct str signature;
	size_t len = 0;
	char *text = arena_alloc(arena, path.len + 1);
	if (!text)
		return err_set(err, ERR_INTERNAL, "The request needs too much memory");
	/* Clients may write the digest's ':' as %3A. */
	if (path.len == 0 || !percent_decode(str_sub(path, 1, path.len), false, text, &len) ||
		!split((struct str){ text, len }, &url, &signature))
		return err_set(err, ERR_DENIED, "This is not a layer URL of this registry");
	struct str signed_part = signed_text(&url, arena);
	if (!signed_part.ptr)
		return err_set(err, ERR_INTERNAL, "The request needs too much memory");
	if (!token_check_text(a, signed_part, signature))
		return err_set(err, ERR_DENIED, "The signature of this layer URL does not match");
	if (now_s >= url.expires_at_s)
		return err_set(err, ERR_DENIED, "This layer URL has expired");
	*out = url;
	return true;
}
