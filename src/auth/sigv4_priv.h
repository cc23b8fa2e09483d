/* sigv4_priv.h - parts of the SigV4 verifier that its two files share. */
#ifndef BERTH_AUTH_SIGV4_PRIV_H
#define BERTH_AUTH_SIGV4_PRIV_H

#include "auth/sigv4.h"

#define SIGV4_NAME_MAX 64 /* of the query parameters that matter here */

/* Walks the parameters of a raw query: "&a=b&c" gives ("a","b"), ("c",""). False at the end. */
bool sigv4_next_param(struct str *query, struct str *name, struct str *value);
/* Does the raw (percent-encoded) name mean this one? */
bool sigv4_name_is(struct str raw, const char *name);

/* Both refusals whose text more than one place gives. */
bool sigv4_mismatch(struct err *err);

#endif
