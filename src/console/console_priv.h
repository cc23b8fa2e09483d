/* console_priv.h - what the parts of the console's front share. */
#ifndef BERTH_CONSOLE_CONSOLE_PRIV_H
#define BERTH_CONSOLE_CONSOLE_PRIV_H

#include "console/console.h"

/* Headers of every answer. */
void console_headers(struct http_req *req);
/* signin.c: POST /console/signin */
extern const struct http_op console_signin_op;

/* negotiate.c: what an Accept-Encoding allows. A coding that is not named is not allowed, unless
 * "*" is. Pure. */
struct console_codings {
	bool gzip, brotli;
};

struct console_codings console_codings_of(struct str accept_encoding);

#endif
