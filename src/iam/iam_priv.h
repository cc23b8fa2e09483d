/* iam_priv.h - what the files of iam/ share: the object, rows as entities, and transactions. */
#ifndef BERTH_IAM_IAM_PRIV_H
#define BERTH_IAM_IAM_PRIV_H

#include <stdatomic.h>

#include "base/thread.h"
#include "crypt/secret.h"
#include "iam/iam.h"
#include "meta/iam_table.h"

#define IAM_USES_MAX 256 /* keys whose last use waits to be written */

struct iam_note {
	char id[33], service[65], region[33];
	int64_t at_ms;
};

struct iam {
	struct db *db;
	struct secret secrets_key; /* len 0: none */
	_Atomic uint64_t generation;
	struct thread *writer;
	struct mutex lock;
	struct cond wake;
	/* guarded by lock */
	struct iam_note *notes;
	size_t note_count;
	bool is_stopping;
};

/* db_write, then the generation grows. */
MUST_CHECK bool iam_write(struct iam *i, db_fn fn, void *arg, struct err *err);

struct iam_entity iam_from_row(const struct iam_row *row);
/* The name in lower case; ptr NULL: the arena is used up. */
struct str iam_name_key(struct arena *arena, struct str name);
/* The row that ref means. Errors: NoSuchEntity in the words of its type. */
MUST_CHECK bool iam_row_get(struct db_conn *c, const struct iam_ref *ref, struct arena *arena,
	struct iam_row *out, struct err *err);
/* The row of a policy by its ARN, path included. */
MUST_CHECK bool iam_row_find_policy(struct db_conn *c, struct str account, struct str arn,
	struct arena *arena, struct iam_row *out, bool *found, struct err *err);
/* The arena gave nothing. Errors: UNAVAILABLE where memory was missing, else INTERNAL. */
bool iam_no_memory(const struct arena *arena, struct err *err);
/* The name under which a version of a policy stands in its item. */
#define IAM_VERSION_NAME_MAX 24
struct str iam_version_name(int64_t number, char text[IAM_VERSION_NAME_MAX]);

/* The thread of iam_key.c. */
void iam_key_writer(void *arg);

/* Memory of one transaction. */
#define IAM_WORK_MAX (2 * MIB)

static inline void iam_arena_freep(struct arena **a)
{
	arena_free(*a);
}

#endif
