/*
 * body.h - the bytes of an upload, whatever their form: as they are, or sealed with the pool's data
 * keys. For registry/ only.
 *
 * The upload's row says what is acknowledged; what the object has beyond that is cut off on
 * opening. Sealed: the object holds full segments, and the row the rest. Threads: one caller at a
 * time.
 */
#ifndef BERTH_REGISTRY_BODY_H
#define BERTH_REGISTRY_BODY_H

#include "crypt/hash.h"
#include "meta/upload_table.h"
#include "registry/pool.h"

struct body;

/* Opens it to go on; all of it is durable then. row: the upload's, as it is now. Errors: those of
 * the store and of the keys.
 */
MUST_CHECK bool body_open(struct core *c, int64_t pool_id, const struct upload_row *row,
	struct body **out, struct err *err);
void body_close(struct body *b); /* accepts NULL */

uint64_t body_size(const struct body *b);
int64_t body_form(const struct body *b);
/* On failure some prefix was taken, as body_size tells. */
MUST_CHECK bool body_write(struct body *b, const void *bytes, size_t len, struct err *err);
/* Makes all of it durable, so that it can be acknowledged and gone on with. */
MUST_CHECK bool body_sync(struct body *b, struct err *err);
/* Completes the object and makes it durable, unless it is small: then its row may become a blob's.
 * May be called again. */
MUST_CHECK bool body_finish(struct body *b, struct err *err);
/* Whether what was finished is a small object; *out is what its row has to take then. */
bool body_small(const struct body *b, struct str *out);
/* Reads it from the start. Only when all of it is durable (just opened, or after body_sync). */
MUST_CHECK bool body_hash(struct body *b, enum digest_alg alg, struct hash **out, struct err *err);

#endif
