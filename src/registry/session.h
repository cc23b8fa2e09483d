/*
 * session.h - which uploads are being written now, and the hashes of those that paused. For
 * registry/ only.
 *
 * A session is entered while a request writes to it, and stays afterwards with its hash state so
 * that the next part need not read the bytes again. At most SESSIONS_IDLE_MAX wait; the oldest is
 * forgotten first (its hash is then rebuilt from the object). Threads: safe.
 */
#ifndef BERTH_REGISTRY_SESSION_H
#define BERTH_REGISTRY_SESSION_H

#include "base/err.h"
#include "crypt/hash.h"
#include "store/blobstore.h"

#define SESSIONS_IDLE_MAX 1024

struct session_set;

struct session_state {
	struct hash *hash; /* of the first hashed_bytes; NULL: not known */
	uint64_t hashed_bytes;
	uint64_t durable_bytes; /* known to be on stable storage */
};

struct session_set *session_set_new(void);
void session_set_free(struct session_set *s);
/* False when another request has it. *state: what is remembered (zeroes when nothing is); the hash
 * passes to the caller. */
bool session_enter(struct session_set *s, const struct store_key *key, struct session_state *state);
/* Gives it back with its state (the hash passes to the set), or forgets it when state is NULL. */
void session_leave(
	struct session_set *s, const struct store_key *key, const struct session_state *state);
/* Whether a request has it now; *durable_bytes as it last told. */
bool session_is_busy(struct session_set *s, const struct store_key *key, uint64_t *durable_bytes);
/* Tells the durable size of a session that the caller has entered. */
void session_note(struct session_set *s, const struct store_key *key, uint64_t durable_bytes);

/* What the request that has a session tells about it, for who watches; forgotten when it leaves. */
struct session_progress {
	uint64_t received_bytes; /* durable or not */
	uint64_t expected_bytes; /* in all; 0: not known */
};

void session_tell(
	struct session_set *s, const struct store_key *key, const struct session_progress *now);
/* False when no request has it. */
bool session_watch(
	struct session_set *s, const struct store_key *key, struct session_progress *out);
unsigned session_set_busy(struct session_set *s);

#endif
