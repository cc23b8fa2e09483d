/*
 * console_link.h - links that sign in to the console once: `berth console` makes one, the running
 * server redeems it for a session of the account's root.
 *
 * The two meet in the database, which only who runs the server can write to. What stands in the
 * link is 256 random bits; only its hash is kept, for CONSOLE_LINK_MS, and redeeming removes it.
 */
#ifndef BERTH_AUTH_CONSOLE_LINK_H
#define BERTH_AUTH_CONSOLE_LINK_H

#include "auth/session.h"

#define CONSOLE_LINK_MS       ((int64_t)5 * 60 * 1000)
#define CONSOLE_LINK_TEXT_MAX 44 /* base64url of 32 bytes, and a NUL */
#define CONSOLE_SESSION_MS    ((int64_t)12 * 60 * 60 * 1000)

/* For the tool: it may run beside the server. */
MUST_CHECK bool console_link_make(
	struct db *db, const char *account, char text[CONSOLE_LINK_TEXT_MAX], struct err *err);
/* account: whose root it is. Errors: DENIED when it is no link, was used, or has ended, and when
 * the account's root has no active access key, of which the session would be. */
MUST_CHECK bool console_link_redeem(struct auth *a, struct str text, struct arena *arena,
	struct credentials *out, char account[13], struct err *err);

#endif
