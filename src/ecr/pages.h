/*
 * pages.h - nextToken: where a list goes on, opaque and signed.
 *
 * A token is the cursor and an HMAC over it, the operation, the registry and the repository: it
 * cannot be made up, changed, or used for another list. It names a place in an order (a name, an
 * image id), not an offset, so that pages neither repeat nor skip what stays while rows come and
 * go. Threads: safe.
 */
#ifndef BERTH_ECR_PAGES_H
#define BERTH_ECR_PAGES_H

#include "auth/token.h"
#include "registry/core.h"
#include "registry/image.h"

/* The list that a token belongs to. */
struct page_scope {
	struct auth *auth;
	struct str operation;
	struct registry_id reg;
	struct str repo; /* empty: none */
};

/* In the arena. Errors: INTERNAL when that is used up. */
MUST_CHECK bool page_token_make(const struct page_scope *s, struct str cursor, struct arena *arena,
	struct str *out, struct err *err);
/* Errors: INVALID, "Invalid parameter at 'NextToken' ...", for anything that page_token_make did
 * not make for this list. */
MUST_CHECK bool page_token_open(const struct page_scope *s, struct str token, struct arena *arena,
	struct str *cursor, struct err *err);

/* Cursors of image lists as text, and back. Parsing fails on anything else. */
#define PAGE_CURSOR_MAX 160
struct str page_cursor_render(const struct image_cursor *c, char text[PAGE_CURSOR_MAX]);
bool page_cursor_parse(struct str text, struct image_cursor *out);

#endif
