#include "ecr/pages.h"

#include <stdio.h>

#include "base/codec.h"

#define SIGNATURE_LEN 64 /* hex of SHA-256 */
#define TOKEN_MAX     2048

/* The purpose stands first, so that no other signature of the server (a layer URL's) fits here. */
static struct str signed_text(const struct page_scope *s, struct str cursor, struct arena *arena)
{
	return arena_printf(arena, "ecr-page\n" STR_FMT "\n%s\n%s\n" STR_FMT "\n" STR_FMT,
		STR_ARG(s->operation), s->reg.account, s->reg.region, STR_ARG(s->repo),
		STR_ARG(cursor));
}

static bool no_memory(const struct arena *arena, struct err *err)
{
	return arena_err(arena, "a page token", err);
}

bool page_token_make(const struct page_scope *s, struct str cursor, struct arena *arena,
	struct str *out, struct err *err)
{
	struct str text = signed_text(s, cursor, arena);
	if (text.ptr == NULL)
		return no_memory(arena, err);
	struct str signature = token_sign_text(s->auth, text, arena);
	struct str plain =
		arena_printf(arena, STR_FMT STR_FMT, STR_ARG(signature), STR_ARG(cursor));
	char *token = arena_alloc(arena, BASE64URL_LEN(plain.len) + 1);
	if (signature.ptr == NULL || plain.ptr == NULL || token == NULL)
		return no_memory(arena, err);
	base64url_encode((const uint8_t *)plain.ptr, plain.len, token);
	*out = (struct str){ token, BASE64URL_LEN(plain.len) };
	return true;
}

static bool bad_token(struct err *err)
{
	return err_set(err, ERR_INVALID,
		"Invalid parameter at 'NextToken' failed to satisfy constraint: 'Invalid token'");
}

bool page_token_open(const struct page_scope *s, struct str token, struct arena *arena,
	struct str *cursor, struct err *err)
{
	if (token.len == 0 || token.len > TOKEN_MAX)
		return bad_token(err);
	uint8_t *plain = arena_alloc(arena, token.len);
	if (plain == NULL)
		return no_memory(arena, err);
	size_t len;
	if (!base64url_decode(token, plain, token.len, &len) || len < SIGNATURE_LEN)
		return bad_token(err);
	struct str whole = { (const char *)plain, len };
	struct str signature = str_sub(whole, 0, SIGNATURE_LEN);
	struct str place = str_sub(whole, SIGNATURE_LEN, len - SIGNATURE_LEN);
	/* A NUL would end the text that is signed early. */
	if (memchr(place.ptr, '\0', place.len) != NULL)
		return bad_token(err);
	struct str text = signed_text(s, place, arena);
	if (text.ptr == NULL)
		return no_memory(arena, err);
	if (!token_check_text(s->auth, text, signature))
		return bad_token(err);
	*cursor = place;
	return true;
}

struct str page_cursor_render(const struct image_cursor *c, char text[PAGE_CURSOR_MAX])
{
	int n = snprintf(text, PAGE_CURSOR_MAX, "%lld %s", (long long)c->image_id, c->tag);
	return (struct str){ text, (size_t)n };
}

bool page_cursor_parse(struct str text, struct image_cursor *out)
{
	struct str id;
	struct str tag;
	uint64_t image_id;
	struct image_cursor c = { 0 };
	if (!str_cut(text, ' ', &id, &tag) || !str_to_u64(id, INT64_MAX, &image_id) ||
		!str_to_c(tag, c.tag, sizeof(c.tag)))
		return false;
	c.image_id = (int64_t)image_id;
	*out = c;
	return true;
}
