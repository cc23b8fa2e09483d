/* iam_fixture.h - for the tests of iam/: a database of its own, IAM on it, an arena, and the
 * shortest ways to make and name entities. */
#ifndef BERTH_TESTS_IAM_FIXTURE_H
#define BERTH_TESTS_IAM_FIXTURE_H

#include "../unit.h"
#include "crypt/hash.h"
#include "iam/iam_key.h"
#include "iam/iam_part.h"
#include "iam/iam_policy.h"
#include "meta/db.h"

#define ACCOUNT "123456789012"

struct fixture {
	char folder[256];
	char path[300];
	struct db *db;
	struct iam *iam;
	struct arena *arena;
};

static inline UNUSED int fixture_setup(void **state)
{
	struct err err;
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	ASSERT_DONE(crypt_init(&err));
	make_temp_folder(f->folder);
	snprintf(f->path, sizeof(f->path), "%s/berth.db", f->folder);
	struct db_options o = { .path = f->path };
	ASSERT_DONE(db_open(&o, &f->db, &err));
	ASSERT_DONE(iam_open(f->db, NULL, &f->iam, &err));
	f->arena = arena_new(8 * MIB);
	*state = f;
	return 0;
}

static inline UNUSED int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	arena_free(f->arena);
	iam_close(f->iam);
	db_close(f->db);
	remove_temp_folder(f->folder);
	free(f);
	return 0;
}

static inline UNUSED struct iam_ref ref_of(enum iam_type type, const char *name)
{
	return (struct iam_ref){ STR(ACCOUNT), type, str_from(name) };
}

static inline UNUSED struct iam_entity make(struct fixture *f, enum iam_type type, const char *name)
{
	struct err err;
	const struct iam_tags none = { NULL, 0 };
	struct iam_entity e = {
		.account = STR(ACCOUNT), .type = type, .name = str_from(name), .document = STR("{}")
	};
	ASSERT_DONE(iam_create(f->iam, &e, none, f->arena, &e, &err));
	return e;
}

/* The call fails, with that AWS code. */
#define ASSERT_REFUSED(code, call)                                             \
	do {                                                                   \
		ASSERT_FAILS(ERR_INVALID, call);                               \
		if (strncmp(err.msg, code ": ", strlen(code ": ")) != 0)       \
			fail_msg("%s: \"%s\" is no %s", #call, err.msg, code); \
	} while (0)

#endif
