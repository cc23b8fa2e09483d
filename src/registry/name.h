/* name.h - the grammars of repository names, tags and setting names. Pure. */
#ifndef BERTH_REGISTRY_NAME_H
#define BERTH_REGISTRY_NAME_H

#include "base/err.h"
#include "base/str.h"

#define REPO_NAME_MAX 256
#define TAG_NAME_MAX  128

/* ECR's grammar of 2026-02-25 (2..256 characters; the one-letter names that OCI would allow too are
 * accepted). No regex engine: a hand-written matcher, linear. */
bool name_is_repository(struct str s);
bool name_is_tag(struct str s); /* OCI: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127} */

#endif
